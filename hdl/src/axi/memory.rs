//! Memory on the chip behind an AXI4 port.

use rust_hdl::prelude::*;

/// Single-port memory of 512-bit words with byte strobes; the number of words is chosen at elaboration.
///
/// In each enabled cycle it is either written (`write`) or read; `read_data` is the word of the read before (latency 1) and
/// stays while nothing is read. After power-on all words are zero. Addresses past the end are not for use.
#[derive(LogicBlock)]
pub struct LaneMemory {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Something happens in this cycle.
    pub enable: Signal<In, Bit>,
    /// Word to write or read.
    pub address: Signal<In, Bits<16>>,
    /// The word is written.
    pub write: Signal<In, Bit>,
    /// Bytes that are written.
    pub strobes: Signal<In, Bits<64>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<512>>,
    /// Word read.
    pub read_data: Signal<Out, Bits<512>>,
    _words: Vec<Bits<512>>,
}

impl LaneMemory {
    /// A memory of `words` words, 2 to 65,535.
    pub fn new(words: usize) -> Self {
        assert!((2..=65_535).contains(&words), "a memory has 2 to 65,535 words, not {words}");
        Self {
            clock: Default::default(),
            enable: Default::default(),
            address: Default::default(),
            write: Default::default(),
            strobes: Default::default(),
            write_data: Default::default(),
            read_data: Default::default(),
            _words: vec![Bits::default(); words],
        }
    }
}

impl Logic for LaneMemory {
    fn update(&mut self) {
        if !self.clock.pos_edge() || !self.enable.val() {
            return;
        }
        let Some(word) = self._words.get_mut(self.address.val().index()) else { return };
        if self.write.val() {
            for lane in (0..64).filter(|lane| self.strobes.val().get_bit(*lane)) {
                let byte = self.write_data.val().get_bits::<8>(8 * lane);
                word.set_bits(8 * lane, byte);
            }
        } else {
            self.read_data.next = *word;
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let words = self._words.len();
        Verilog::Custom(format!(
            "\
(* ram_style = \"block\" *) reg [511:0] words [0:{last}];
reg [511:0] word_read;
integer lane;
integer word_index;
initial begin
    for (word_index = 0; word_index < {words}; word_index = word_index + 1) words[word_index] = 0;
    word_read = 0;
end
always @(posedge clock) begin
    if (enable) begin
        if (write) begin
            for (lane = 0; lane < 64; lane = lane + 1)
                if (strobes[lane]) words[address[{top}:0]][8 * lane +: 8] <= write_data[8 * lane +: 8];
        end else word_read <= words[address[{top}:0]];
    end
end
always @(*) read_data = word_read;
",
            last = words - 1,
            top = clog2(words).max(1) - 1,
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![]
    }
}

/// AXI4 slave of 512 bits with a memory on the chip: incrementing bursts of whole beats that stay within 4 KiB.
///
/// One burst at a time, reads and writes in turn; of a burst, a beat each cycle. The first beat of a read comes five cycles
/// after its address was taken. A burst that begins past the end is answered with SLVERR and changes nothing; since the
/// size is a multiple of 4 KiB, no other one gets there. Reset ends what is under way and keeps the contents.
#[derive(LogicBlock)]
pub struct AxiMemory {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus.
    pub reset: Signal<In, Bit>,
    /// AXI write address, in bytes.
    pub awaddr: Signal<In, Bits<40>>,
    /// AXI write burst length minus one.
    pub awlen: Signal<In, Bits<8>>,
    /// AXI write address valid.
    pub awvalid: Signal<In, Bit>,
    /// AXI write address ready.
    pub awready: Signal<Out, Bit>,
    /// AXI write data.
    pub wdata: Signal<In, Bits<512>>,
    /// AXI byte strobes.
    pub wstrb: Signal<In, Bits<64>>,
    /// AXI write data valid.
    pub wvalid: Signal<In, Bit>,
    /// AXI write data ready.
    pub wready: Signal<Out, Bit>,
    /// AXI write response.
    pub bresp: Signal<Out, Bits<2>>,
    /// AXI write response valid.
    pub bvalid: Signal<Out, Bit>,
    /// AXI write response ready.
    pub bready: Signal<In, Bit>,
    /// AXI read address, in bytes.
    pub araddr: Signal<In, Bits<40>>,
    /// AXI read burst length minus one.
    pub arlen: Signal<In, Bits<8>>,
    /// AXI read address valid.
    pub arvalid: Signal<In, Bit>,
    /// AXI read address ready.
    pub arready: Signal<Out, Bit>,
    /// AXI read data (a register).
    pub rdata: Signal<Out, Bits<512>>,
    /// AXI read response.
    pub rresp: Signal<Out, Bits<2>>,
    /// AXI last beat of a burst.
    pub rlast: Signal<Out, Bit>,
    /// AXI read data valid.
    pub rvalid: Signal<Out, Bit>,
    /// AXI read data ready.
    pub rready: Signal<In, Bit>,
    memory: LaneMemory,
    /// 0 waiting, 1 write beats, 2 write response, 3 read beats, 4 waiting for the last of them to leave.
    state: DFF<Bits<3>>,
    line: DFF<Bits<34>>,
    left: DFF<Bits<8>>,
    beyond: DFF<Bit>,
    writes_turn: DFF<Bit>,
    step_address: DFF<Bits<16>>,
    step_data: DFF<Bits<512>>,
    step_strobes: DFF<Bits<64>>,
    step_write: DFF<Bit>,
    step_read: DFF<Bit>,
    step_last: DFF<Bit>,
    read: DFF<Bit>,
    read_last: DFF<Bit>,
    out: DFF<Bits<512>>,
    out_last: DFF<Bit>,
    out_valid: DFF<Bit>,
    advance: Signal<Local, Bit>,
    take_write: Signal<Local, Bit>,
    take_read: Signal<Local, Bit>,
    write_now: Signal<Local, Bit>,
    words: Constant<Bits<34>>,
}

impl AxiMemory {
    /// A memory of `kib` KiB, a multiple of 4, at most 4,092.
    pub fn new(kib: u32) -> Self {
        assert!(kib.is_multiple_of(4), "a memory is of whole pages of 4 KiB, not of {kib} KiB");
        let words = kib as usize * 16;
        Self {
            clock: Default::default(),
            reset: Default::default(),
            awaddr: Default::default(),
            awlen: Default::default(),
            awvalid: Default::default(),
            awready: Default::default(),
            wdata: Default::default(),
            wstrb: Default::default(),
            wvalid: Default::default(),
            wready: Default::default(),
            bresp: Default::default(),
            bvalid: Default::default(),
            bready: Default::default(),
            araddr: Default::default(),
            arlen: Default::default(),
            arvalid: Default::default(),
            arready: Default::default(),
            rdata: Default::default(),
            rresp: Default::default(),
            rlast: Default::default(),
            rvalid: Default::default(),
            rready: Default::default(),
            memory: LaneMemory::new(words),
            state: Default::default(),
            line: Default::default(),
            left: Default::default(),
            beyond: Default::default(),
            writes_turn: Default::default(),
            step_address: Default::default(),
            step_data: Default::default(),
            step_strobes: Default::default(),
            step_write: Default::default(),
            step_read: Default::default(),
            step_last: Default::default(),
            read: Default::default(),
            read_last: Default::default(),
            out: Default::default(),
            out_last: Default::default(),
            out_valid: Default::default(),
            advance: Default::default(),
            take_write: Default::default(),
            take_read: Default::default(),
            write_now: Default::default(),
            words: Constant::new(words.to_bits()),
        }
    }
}

impl Logic for AxiMemory {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, line, left, beyond, writes_turn);
        dff_setup!(self, clock, step_address, step_data, step_strobes, step_write, step_read, step_last);
        dff_setup!(self, clock, read, read_last, out, out_last, out_valid);
        self.memory.clock.next = self.clock.val();

        self.take_write.next =
            (self.state.q.val() == 0) & self.awvalid.val() & (self.writes_turn.q.val() | !self.arvalid.val());
        self.take_read.next = (self.state.q.val() == 0) & self.arvalid.val() & !self.take_write.val();
        self.awready.next = self.take_write.val();
        self.arready.next = self.take_read.val();
        if self.take_write.val() {
            self.line.d.next = bit_cast::<34, 40>(self.awaddr.val() >> 6);
            self.left.d.next = self.awlen.val();
            self.writes_turn.d.next = false;
            self.beyond.d.next = false;
            self.state.d.next = 1.into();
        }
        if self.take_read.val() {
            self.line.d.next = bit_cast::<34, 40>(self.araddr.val() >> 6);
            self.left.d.next = self.arlen.val();
            self.writes_turn.d.next = true;
            self.state.d.next = 3.into();
        }

        // Everything stands still while a read beat waits to be taken.
        self.advance.next = !self.out_valid.q.val() | self.rready.val();
        self.wready.next = (self.state.q.val() == 1) & self.advance.val();
        self.write_now.next = (self.state.q.val() == 1) & self.advance.val() & self.wvalid.val();
        self.bvalid.next = self.state.q.val() == 2;
        self.bresp.next = 0.into();
        if self.beyond.q.val() {
            self.bresp.next = 2.into();
        }
        if (self.state.q.val() == 2) & self.bready.val() {
            self.state.d.next = 0.into();
        }
        if self.advance.val() {
            self.step_address.d.next = bit_cast::<16, 34>(self.line.q.val());
            self.step_data.d.next = self.wdata.val();
            self.step_strobes.d.next = self.wstrb.val();
            self.step_write.d.next = self.write_now.val() & (self.line.q.val() < self.words.val());
            self.step_read.d.next = self.state.q.val() == 3;
            self.step_last.d.next = self.left.q.val() == 0;
            if self.write_now.val() | (self.state.q.val() == 3) {
                self.beyond.d.next = self.line.q.val() >= self.words.val();
                self.line.d.next = self.line.q.val() + 1;
                self.left.d.next = self.left.q.val() - 1;
                if self.left.q.val() == 0 {
                    self.state.d.next = 4.into();
                    if self.state.q.val() == 1 {
                        self.state.d.next = 2.into();
                    }
                }
            }
            self.read.d.next = self.step_read.q.val();
            self.read_last.d.next = self.step_last.q.val();
            self.out.d.next = self.memory.read_data.val();
            self.out_last.d.next = self.read_last.q.val();
            self.out_valid.d.next = self.read.q.val();
        }
        self.memory.enable.next = self.advance.val() & (self.step_write.q.val() | self.step_read.q.val());
        self.memory.write.next = self.step_write.q.val();
        self.memory.address.next = self.step_address.q.val();
        self.memory.strobes.next = self.step_strobes.q.val();
        self.memory.write_data.next = self.step_data.q.val();

        self.rdata.next = self.out.q.val();
        self.rlast.next = self.out_last.q.val();
        self.rvalid.next = self.out_valid.q.val();
        self.rresp.next = 0.into();
        if self.beyond.q.val() {
            self.rresp.next = 2.into();
        }
        if (self.state.q.val() == 4) & self.out_valid.q.val() & self.out_last.q.val() & self.rready.val() {
            self.state.d.next = 0.into();
        }
        if self.reset.val() {
            self.state.d.next = 0.into();
            self.writes_turn.d.next = false;
            self.step_write.d.next = false;
            self.step_read.d.next = false;
            self.read.d.next = false;
            self.out_valid.d.next = false;
        }
    }
}
