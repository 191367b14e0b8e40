//! Pairs that wait for the adder.

use super::PointStore;
use rust_hdl::prelude::*;

/// Simple-dual-port memory of pairs with their slots. What is read is the pair at `read_address` of the cycle before
/// (latency 1); one that is written in that cycle is already seen (write first). Contents are not reset.
#[derive(LogicBlock)]
pub struct PairMemory {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Pair to read.
    pub read_address: Signal<In, Bits<16>>,
    /// First point read.
    pub read_p: Signal<Out, Bits<762>>,
    /// Second point read.
    pub read_q: Signal<Out, Bits<762>>,
    /// Their slot.
    pub read_slot: Signal<Out, Bits<20>>,
    /// Where to write.
    pub write_address: Signal<In, Bits<16>>,
    /// First point to write.
    pub write_p: Signal<In, Bits<762>>,
    /// Second point to write.
    pub write_q: Signal<In, Bits<762>>,
    /// Their slot.
    pub write_slot: Signal<In, Bits<20>>,
    /// Writes in this cycle.
    pub write_enable: Signal<In, Bit>,
    _words: Vec<(Bits<762>, Bits<762>, Bits<20>)>,
    _store: PointStore,
}

impl PairMemory {
    /// A memory of `depth` pairs, 1 to 65,535.
    pub fn new(depth: usize, store: &PointStore) -> PairMemory {
        assert!((1..=65_535).contains(&depth), "a memory has 1 to 65,535 pairs, not {depth}");
        PairMemory {
            clock: Default::default(),
            read_address: Default::default(),
            read_p: Default::default(),
            read_q: Default::default(),
            read_slot: Default::default(),
            write_address: Default::default(),
            write_p: Default::default(),
            write_q: Default::default(),
            write_slot: Default::default(),
            write_enable: Default::default(),
            _words: vec![Default::default(); depth],
            _store: store.clone(),
        }
    }
}

impl Logic for PairMemory {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let write = self.write_address.val().index();
            if self.write_enable.val() && write < self._words.len() {
                let [p, q] = [&self.write_p, &self.write_q].map(|point| self._store.kept(point.val()));
                self._words[write] = (p, q, self.write_slot.val());
            }
            let read = self.read_address.val().index();
            let (p, q, slot) = self._words.get(read).copied().unwrap_or_default();
            self.read_p.next = p;
            self.read_q.next = q;
            self.read_slot.next = slot;
        }
    }

    fn connect(&mut self) {
        self.read_p.connect();
        self.read_q.connect();
        self.read_slot.connect();
    }

    fn hdl(&self) -> Verilog {
        let (depth, point) = (self._words.len(), self._store.point_bits());
        Verilog::Custom(format!(
            "\
reg [{top}:0] words [0:{last}];
reg [{top}:0] word_read;
reg [{top}:0] word_bypassed;
reg bypass;
wire [{top}:0] written = {{write_slot, write_q[{point_top}:0], write_p[{point_top}:0]}};
wire [{top}:0] word = bypass ? word_bypassed : word_read;
always @(posedge clock) begin
    if (write_enable) words[write_address[{address_top}:0]] <= written;
    word_read <= words[read_address[{address_top}:0]];
    word_bypassed <= written;
    bypass <= write_enable && (write_address == read_address);
end
wire [{point_top}:0] p = word[{point_top}:0];
wire [{point_top}:0] q = word[{point}+:{point}];
always @(*) read_p = {p};
always @(*) read_q = {q};
always @(*) read_slot = word[{top}-:20];
",
            top = 2 * point + 20 - 1,
            last = depth - 1,
            point_top = point - 1,
            address_top = clog2(depth).max(1) - 1,
            p = self._store.whole("p"),
            q = self._store.whole("q"),
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![]
    }
}

/// First-word-fall-through FIFO of pairs, as [`crate::stream::Fifo`]: one in and one out a cycle, latency 1, and
/// `space` and `out_valid` depend on registers only. It does not say when it is full: whoever puts pairs in knows that
/// there is space.
#[derive(LogicBlock)]
pub struct PairFifo {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Empties the FIFO.
    pub reset: Signal<In, Bit>,
    /// First point of the pair to put in.
    pub in_p: Signal<In, Bits<762>>,
    /// Second point.
    pub in_q: Signal<In, Bits<762>>,
    /// Their slot.
    pub in_slot: Signal<In, Bits<20>>,
    /// Puts the pair in; there must be space.
    pub in_valid: Signal<In, Bit>,
    /// First point of the oldest pair.
    pub out_p: Signal<Out, Bits<762>>,
    /// Second point.
    pub out_q: Signal<Out, Bits<762>>,
    /// Their slot.
    pub out_slot: Signal<Out, Bits<20>>,
    /// There is a pair.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// Pairs that still fit.
    pub space: Signal<Out, Bits<16>>,
    memory: PairMemory,
    fill: DFF<Bits<16>>,
    read_pointer: DFF<Bits<16>>,
    write_pointer: DFF<Bits<16>>,
    read_next: Signal<Local, Bits<16>>,
    pop: Signal<Local, Bit>,
    depth: Constant<Bits<16>>,
    last: Constant<Bits<16>>,
}

impl PairFifo {
    /// A FIFO of `depth` pairs, 1 to 65,535.
    pub fn new(depth: usize, store: &PointStore) -> PairFifo {
        PairFifo {
            clock: Default::default(),
            reset: Default::default(),
            in_p: Default::default(),
            in_q: Default::default(),
            in_slot: Default::default(),
            in_valid: Default::default(),
            out_p: Default::default(),
            out_q: Default::default(),
            out_slot: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            space: Default::default(),
            memory: PairMemory::new(depth, store),
            fill: Default::default(),
            read_pointer: Default::default(),
            write_pointer: Default::default(),
            read_next: Default::default(),
            pop: Default::default(),
            depth: Constant::new(depth.to_bits()),
            last: Constant::new((depth - 1).to_bits()),
        }
    }
}

impl Logic for PairFifo {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, fill, read_pointer, write_pointer);
        self.memory.clock.next = self.clock.val();
        self.space.next = self.depth.val() - self.fill.q.val();
        self.out_valid.next = self.fill.q.val() != 0;
        self.pop.next = self.out_ready.val() & (self.fill.q.val() != 0);
        self.read_next.next = self.read_pointer.q.val();
        if self.pop.val() {
            self.read_next.next = self.read_pointer.q.val() + 1;
            if self.read_pointer.q.val() == self.last.val() {
                self.read_next.next = 0.into();
            }
        }
        if self.in_valid.val() {
            self.write_pointer.d.next = self.write_pointer.q.val() + 1;
            if self.write_pointer.q.val() == self.last.val() {
                self.write_pointer.d.next = 0.into();
            }
        }
        if self.in_valid.val() & !self.pop.val() {
            self.fill.d.next = self.fill.q.val() + 1;
        }
        if self.pop.val() & !self.in_valid.val() {
            self.fill.d.next = self.fill.q.val() - 1;
        }
        if self.reset.val() {
            self.fill.d.next = 0.into();
            self.read_next.next = 0.into();
            self.write_pointer.d.next = 0.into();
        }
        self.read_pointer.d.next = self.read_next.val();
        self.memory.read_address.next = self.read_next.val();
        self.memory.write_address.next = self.write_pointer.q.val();
        self.memory.write_p.next = self.in_p.val();
        self.memory.write_q.next = self.in_q.val();
        self.memory.write_slot.next = self.in_slot.val();
        self.memory.write_enable.next = self.in_valid.val();
        self.out_p.next = self.memory.read_p.val();
        self.out_q.next = self.memory.read_q.val();
        self.out_slot.next = self.memory.read_slot.val();
    }
}
