//! The memory behind the buckets: two ports, each reads or writes in a cycle.

use super::PointStore;
use rust_hdl::prelude::*;

/// True-dual-port memory of points, as UltraRAM and block RAM offer it. A port that is enabled either
/// writes, or reads with a latency of one cycle; a port that is not keeps its last read. Contents are not reset.
/// Both ports must not touch one address in one cycle: the engine pairs such tokens with each other instead.
#[derive(LogicBlock)]
pub struct DualPortMemory {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Port A: address.
    pub a_address: Signal<In, Bits<20>>,
    /// Port A: read or write in this cycle.
    pub a_enable: Signal<In, Bit>,
    /// Port A: write.
    pub a_write: Signal<In, Bit>,
    /// Port A: data to write.
    pub a_data: Signal<In, Bits<762>>,
    /// Port A: data read.
    pub a_read: Signal<Out, Bits<762>>,
    /// Port B: address.
    pub b_address: Signal<In, Bits<20>>,
    /// Port B: read or write in this cycle.
    pub b_enable: Signal<In, Bit>,
    /// Port B: write.
    pub b_write: Signal<In, Bit>,
    /// Port B: data to write.
    pub b_data: Signal<In, Bits<762>>,
    /// Port B: data read.
    pub b_read: Signal<Out, Bits<762>>,
    _words: Vec<Bits<762>>,
    _store: PointStore,
}

impl DualPortMemory {
    /// A memory of `depth` points, 1 to 2^20.
    pub fn new(depth: usize, store: &PointStore) -> DualPortMemory {
        assert!((1..=1 << 20).contains(&depth), "a bucket memory has 1 to 2^20 points, not {depth}");
        DualPortMemory {
            clock: Default::default(),
            a_address: Default::default(),
            a_enable: Default::default(),
            a_write: Default::default(),
            a_data: Default::default(),
            a_read: Default::default(),
            b_address: Default::default(),
            b_enable: Default::default(),
            b_write: Default::default(),
            b_data: Default::default(),
            b_read: Default::default(),
            _words: vec![Bits::default(); depth],
            _store: store.clone(),
        }
    }
}

impl Logic for DualPortMemory {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let (a, b) = (self.a_address.val().index(), self.b_address.val().index());
            let (old_a, old_b) = (self._words.get(a).copied(), self._words.get(b).copied());
            if self.a_enable.val() {
                match self.a_write.val() {
                    true if a < self._words.len() => self._words[a] = self._store.kept(self.a_data.val()),
                    true => {}
                    false => self.a_read.next = old_a.unwrap_or_default(),
                }
            }
            if self.b_enable.val() {
                match self.b_write.val() {
                    true if b < self._words.len() => self._words[b] = self._store.kept(self.b_data.val()),
                    true => {}
                    false => self.b_read.next = old_b.unwrap_or_default(),
                }
            }
        }
    }

    fn connect(&mut self) {
        self.a_read.connect();
        self.b_read.connect();
    }

    fn hdl(&self) -> Verilog {
        let (last, top) = (self._words.len() - 1, self._store.point_bits() - 1);
        let port = |port: char| {
            let whole = self._store.whole(&format!("{port}_word"));
            format!(
                "reg [{top}:0] {port}_word;\nalways @(posedge clock) begin\n  if ({port}_enable) begin\n    \
                 if ({port}_write) words[{port}_address] <= {port}_data[{top}:0];\n    \
                 else {port}_word <= words[{port}_address];\n  end\nend\nalways @(*) {port}_read = {whole};\n"
            )
        };
        let style = self._store.ram_style();
        let memory = format!("(* ram_style = \"{style}\" *) reg [{top}:0] words [0:{last}];\n");
        Verilog::Custom(memory + &port('a') + &port('b'))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let port = |port: char| TimingInfo {
            name: format!("port_{port}"),
            clock: "clock".into(),
            inputs: ["address", "enable", "write", "data"].iter().map(|x| format!("{port}_{x}")).collect(),
            outputs: vec![format!("{port}_read")],
        };
        vec![port('a'), port('b')]
    }
}
