//! The register file.

use rust_hdl::prelude::*;

/// Memory of 512 words of 256 bits with two read ports and a write port, as two block memories with the same contents.
/// What is read is the word at the address of two cycles before, the second cycle being the memory's own output register. A
/// word must not be read in the cycle in which it is written. Contents are not reset.
#[derive(LogicBlock)]
pub struct RegisterFile {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// First word to read.
    pub a_address: Signal<In, Bits<9>>,
    /// First word read, two cycles later.
    pub a_data: Signal<Out, Bits<256>>,
    /// Second word to read.
    pub b_address: Signal<In, Bits<9>>,
    /// Second word read, two cycles later.
    pub b_data: Signal<Out, Bits<256>>,
    /// Word to write.
    pub write_address: Signal<In, Bits<9>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<256>>,
    /// Writes in this cycle.
    pub write_enable: Signal<In, Bit>,
    _words: Vec<Bits<256>>,
    _read: [Bits<256>; 2],
}

const WORDS: usize = 512;

impl Default for RegisterFile {
    fn default() -> Self {
        RegisterFile {
            clock: Default::default(),
            a_address: Default::default(),
            a_data: Default::default(),
            b_address: Default::default(),
            b_data: Default::default(),
            write_address: Default::default(),
            write_data: Default::default(),
            write_enable: Default::default(),
            _words: vec![Bits::default(); WORDS],
            _read: Default::default(),
        }
    }
}

impl Logic for RegisterFile {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let [a, b] = [&self.a_address, &self.b_address].map(|address| address.val().index());
            (self.a_data.next, self.b_data.next) = (self._read[0], self._read[1]);
            self._read = [self._words[a], self._words[b]];
            if self.write_enable.val() {
                self._words[self.write_address.val().index()] = self.write_data.val();
            }
        }
    }

    fn connect(&mut self) {
        self.a_data.connect();
        self.b_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let last = WORDS - 1;
        let port = |port: char| {
            format!(
                "(* ram_style = \"block\" *) reg [255:0] {port}_words [0:{last}];\nreg [255:0] {port}_read;\n\
                 always @(posedge clock) begin\n  if (write_enable) {port}_words[write_address] <= write_data;\n  \
                 {port}_read <= {port}_words[{port}_address];\n  {port}_data <= {port}_read;\nend\n"
            )
        };
        Verilog::Custom(port('a') + &port('b'))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let port = |port: char| TimingInfo {
            name: format!("port_{port}"),
            clock: "clock".into(),
            inputs: [format!("{port}_address")]
                .into_iter()
                .chain(["write_address", "write_data", "write_enable"].map(Into::into))
                .collect(),
            outputs: vec![format!("{port}_data")],
        };
        vec![port('a'), port('b')]
    }
}
