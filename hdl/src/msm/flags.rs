//! Which slots hold a point.

use rust_hdl::prelude::*;

/// A full/empty bit for each slot, looked up and flipped by two ports in every cycle.
///
/// A token that parks turns its slot's bit on, one that takes turns it off: each flips it. So each port keeps a
/// memory of its own that only it writes, and a slot is full where the two differ (the exclusive-or form of a
/// multi-ported memory: LaForest et al., "Multi-ported memories for FPGAs via XOR", 2012). A look-up sees all
/// flips of earlier cycles: `a_full` is the bit of `a_index` of the cycle before, and `a_flip` flips that one.
/// Contents are not reset: a sweep with `clear` over all indices empties every slot.
#[derive(LogicBlock)]
pub struct FullFlags {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Port A: slot to look up.
    pub a_index: Signal<In, Bits<20>>,
    /// Port A: flips the slot looked up in the cycle before.
    pub a_flip: Signal<In, Bit>,
    /// Port A: the slot looked up in the cycle before holds a point.
    pub a_full: Signal<Out, Bit>,
    /// Port B: slot to look up.
    pub b_index: Signal<In, Bits<20>>,
    /// Port B: flips the slot looked up in the cycle before.
    pub b_flip: Signal<In, Bit>,
    /// Port B: the slot looked up in the cycle before holds a point.
    pub b_full: Signal<Out, Bit>,
    /// Empties the slot `clear_index`; nothing else may happen in this cycle.
    pub clear: Signal<In, Bit>,
    /// Slot to empty.
    pub clear_index: Signal<In, Bits<20>>,
    _full: Vec<bool>,
    _looked_up: [usize; 2],
}

impl FullFlags {
    /// Flags of `depth` slots, 1 to 2^20.
    pub fn new(depth: usize) -> FullFlags {
        assert!((1..=1 << 20).contains(&depth), "there are 1 to 2^20 slots, not {depth}");
        FullFlags {
            clock: Default::default(),
            a_index: Default::default(),
            a_flip: Default::default(),
            a_full: Default::default(),
            b_index: Default::default(),
            b_flip: Default::default(),
            b_full: Default::default(),
            clear: Default::default(),
            clear_index: Default::default(),
            _full: vec![false; depth],
            _looked_up: [0; 2],
        }
    }
}

impl Logic for FullFlags {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let last = self._full.len() - 1;
            if self.clear.val() {
                self._full[self.clear_index.val().index().min(last)] = false;
            } else {
                for (flip, slot) in [self.a_flip.val(), self.b_flip.val()].into_iter().zip(self._looked_up) {
                    self._full[slot] ^= flip;
                }
            }
            self._looked_up = [self.a_index.val(), self.b_index.val()].map(|index| index.index().min(last));
            self.a_full.next = self._full[self._looked_up[0]];
            self.b_full.next = self._full[self._looked_up[1]];
        }
    }

    fn connect(&mut self) {
        self.a_full.connect();
        self.b_full.connect();
    }

    fn hdl(&self) -> Verilog {
        let last = self._full.len() - 1;
        // A memory for each (writing port, reading port).
        let mut text = String::from("reg [19:0] a_slot;\nreg [19:0] b_slot;\n");
        for (own, other) in [('a', 'b'), ('b', 'a')] {
            text += &format!(
                "reg {own}_for_{own} [0:{last}];\nreg {own}_for_{other} [0:{last}];\n\
                 reg {own}_at_{own};\nreg {own}_at_{other};\n\
                 wire {own}_write = clear | {own}_flip;\n\
                 wire {own}_value = ~clear & ~{own}_at_{own};\n\
                 wire [19:0] {own}_written = clear ? clear_index : {own}_slot;\n\
                 always @(posedge clock) begin\n  {own}_slot <= {own}_index;\n\
                 \x20 if ({own}_write) {own}_for_{own}[{own}_written] <= {own}_value;\n\
                 \x20 if ({own}_write) {own}_for_{other}[{own}_written] <= {own}_value;\n\
                 \x20 {own}_at_{own} <= ({own}_write & ({own}_written == {own}_index)) ? {own}_value : {own}_for_{own}[{own}_index];\n\
                 \x20 {own}_at_{other} <= ({own}_write & ({own}_written == {other}_index)) ? {own}_value : {own}_for_{other}[{other}_index];\n\
                 end\n"
            );
        }
        text += "assign a_full = a_at_a ^ b_at_a;\nassign b_full = b_at_b ^ a_at_b;\n";
        Verilog::Wrapper(Wrapper { code: text, cores: String::new() })
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "flags".into(),
            clock: "clock".into(),
            inputs: ["a_index", "a_flip", "b_index", "b_flip", "clear", "clear_index"].map(Into::into).into(),
            outputs: vec!["a_full".into(), "b_full".into()],
        }]
    }
}
