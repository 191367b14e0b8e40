//! A memory with one write port and one read port.

use rust_hdl::prelude::*;

/// Simple-dual-port memory of `W`-bit words; the number of words is chosen at elaboration.
///
/// `read_data` is the word at `read_address` of the cycle before (latency 1). A word that is written in the same
/// cycle in which it is read is already seen (write first); synthesis tools infer block RAM and a bypass register.
/// Contents are not reset: a user that must not see old words keeps its own account of which are valid.
/// Addresses past the end read as undefined and are not written.
#[derive(LogicBlock)]
pub struct Memory<const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Word to read.
    pub read_address: Signal<In, Bits<16>>,
    /// Word read, one cycle later.
    pub read_data: Signal<Out, Bits<W>>,
    /// Word to write.
    pub write_address: Signal<In, Bits<16>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<W>>,
    /// Writes in this cycle.
    pub write_enable: Signal<In, Bit>,
    _words: Vec<Bits<W>>,
    _large: bool,
}

impl<const W: usize> Memory<W> {
    /// A memory of `depth` words, 1 to 65,535; after power-on all are zero.
    pub fn new(depth: usize) -> Self {
        assert!((1..=65_535).contains(&depth), "a memory has 1 to 65,535 words, not {depth}");
        Self {
            clock: Default::default(),
            read_address: Default::default(),
            read_data: Default::default(),
            write_address: Default::default(),
            write_data: Default::default(),
            write_enable: Default::default(),
            _words: vec![Bits::default(); depth],
            _large: false,
        }
    }

    /// A memory for UltraRAM, which has no contents after power-on.
    pub fn large(depth: usize) -> Self {
        Self { _large: true, ..Self::new(depth) }
    }
}

impl<const W: usize> Logic for Memory<W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let write = self.write_address.val().index();
            if self.write_enable.val() && write < self._words.len() {
                self._words[write] = self.write_data.val();
            }
            let read = self.read_address.val().index();
            self.read_data.next = self._words.get(read).copied().unwrap_or_default();
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let depth = self._words.len();
        let address_bits = clog2(depth).max(1);
        let style = if self._large { "(* ram_style = \"ultra\" *) " } else { "" };
        let clear = format!(
            "for (word_index = 0; word_index < {depth}; word_index = word_index + 1) words[word_index] = 0;"
        );
        let clear = if self._large { "" } else { &clear };
        Verilog::Custom(format!(
            "\
{style}reg [{top}:0] words [0:{last}];
reg [{top}:0] word_read;
reg [{top}:0] word_bypassed;
reg bypass;
integer word_index;
initial begin
    {clear}
    word_read = 0;
    word_bypassed = 0;
    bypass = 0;
end
always @(posedge clock) begin
    if (write_enable) words[write_address[{address_top}:0]] <= write_data;
    word_read <= words[read_address[{address_top}:0]];
    word_bypassed <= write_data;
    bypass <= write_enable && (write_address == read_address);
end
always @(*) read_data = bypass ? word_bypassed : word_read;
",
            top = W - 1,
            last = depth - 1,
            address_top = address_bits - 1,
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![]
    }
}
