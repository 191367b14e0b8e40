//! Small memories that are read without a register.

use rust_hdl::prelude::*;

/// Memory of 16 words of `W` bits, as FPGAs make of look-up tables: written at the clock edge, read in the same cycle in
/// which the address comes. Contents are not reset.
#[derive(LogicBlock)]
pub struct SlotMemory<const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Word to read.
    pub read_address: Signal<In, Bits<4>>,
    /// Word read, in the same cycle.
    pub read_data: Signal<Out, Bits<W>>,
    /// Word to write.
    pub write_address: Signal<In, Bits<4>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<W>>,
    /// Writes in this cycle; read from the next one on.
    pub write_enable: Signal<In, Bit>,
    _words: Vec<Bits<W>>,
}

impl<const W: usize> Default for SlotMemory<W> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            read_address: Default::default(),
            read_data: Default::default(),
            write_address: Default::default(),
            write_data: Default::default(),
            write_enable: Default::default(),
            _words: vec![Bits::default(); 16],
        }
    }
}

impl<const W: usize> Logic for SlotMemory<W> {
    fn update(&mut self) {
        if self.clock.pos_edge() && self.write_enable.val() {
            self._words[self.write_address.val().index()] = self.write_data.val();
        }
        self.read_data.next = self._words[self.read_address.val().index()];
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "\
(* ram_style = \"distributed\" *) reg [{top}:0] words [0:15];
integer word_index;
initial begin
    for (word_index = 0; word_index < 16; word_index = word_index + 1) words[word_index] = 0;
end
always @(posedge clock) begin
    if (write_enable) words[write_address] <= write_data;
end
always @(*) read_data = words[read_address];
",
            top = W - 1,
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![]
    }
}
