//! The memories of leaves, numerators and nodes: a frame for each batch.

use super::shape::FRAMES;
use rust_hdl::prelude::*;

/// Simple-dual-port memory of `W`-bit words, [`FRAMES`] frames of equal size, as block RAM offers it (UltraRAM is left to
/// the buckets): `read_data` is the word addressed two cycles before (the second register is the memory's own output). A word that is written
/// and read in one cycle reads as it was. Contents are not reset.
#[derive(LogicBlock)]
pub struct FrameMemory<const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Frame to write in.
    pub write_frame: Signal<In, Bits<2>>,
    /// Word of the frame to write.
    pub write_index: Signal<In, Bits<10>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<W>>,
    /// Writes in this cycle.
    pub write_enable: Signal<In, Bit>,
    /// Frame to read from.
    pub read_frame: Signal<In, Bits<2>>,
    /// Word of the frame to read.
    pub read_index: Signal<In, Bits<10>>,
    /// Word read, two cycles later.
    pub read_data: Signal<Out, Bits<W>>,
    _words: Vec<Bits<W>>,
    _read: Bits<W>,
}

impl<const W: usize> FrameMemory<W> {
    /// A memory with frames of `frame_words` words, a power of two up to 1,024.
    pub fn new(frame_words: usize) -> Self {
        assert!(
            frame_words.is_power_of_two() && (2..=1024).contains(&frame_words),
            "a frame has a power of two of words, 2 to 1,024, not {frame_words}"
        );
        Self {
            clock: Default::default(),
            write_frame: Default::default(),
            write_index: Default::default(),
            write_data: Default::default(),
            write_enable: Default::default(),
            read_frame: Default::default(),
            read_index: Default::default(),
            read_data: Default::default(),
            _words: vec![Bits::default(); FRAMES * frame_words],
            _read: Bits::default(),
        }
    }

    fn frame_words(&self) -> usize {
        self._words.len() / FRAMES
    }

    fn address(&self, frame: Bits<2>, index: Bits<10>) -> usize {
        frame.index() * self.frame_words() + index.index() % self.frame_words()
    }
}

impl<const W: usize> Logic for FrameMemory<W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.read_data.next = self._read;
            self._read = self._words[self.address(self.read_frame.val(), self.read_index.val())];
            if self.write_enable.val() {
                let address = self.address(self.write_frame.val(), self.write_index.val());
                self._words[address] = self.write_data.val();
            }
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let top = W - 1;
        let last = self._words.len() - 1;
        let index_top = self.frame_words().ilog2() - 1;
        Verilog::Custom(format!(
            "(* ram_style = \"block\" *) reg [{top}:0] words [0:{last}];\n\
             reg [{top}:0] word_read;\n\
             always @(posedge clock) begin\n\
             \x20 if (write_enable) words[{{write_frame, write_index[{index_top}:0]}}] <= write_data;\n\
             \x20 word_read <= words[{{read_frame, read_index[{index_top}:0]}}];\n\
             \x20 read_data <= word_read;\n\
             end\n"
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "memory".into(),
            clock: "clock".into(),
            inputs: ["write_frame", "write_index", "write_data", "write_enable", "read_frame", "read_index"]
                .map(Into::into)
                .into(),
            outputs: vec!["read_data".into()],
        }]
    }
}
