//! Lines of card memory to states.

use rust_hdl::prelude::*;

/// Makes the state of a hash from the line (arity 2) or two lines (arity 4) in which the children lie: capacity zero,
/// then the children. Latency 0, one line a cycle.
#[derive(LogicBlock, Default)]
pub struct Gather {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets a line that waits for its other.
    pub reset: Signal<In, Bit>,
    /// A group has four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// A line: two nodes, the first in the low half.
    pub line_data: Signal<In, Bits<512>>,
    /// `line_data` is a line.
    pub line_valid: Signal<In, Bit>,
    /// The line is taken.
    pub line_ready: Signal<Out, Bit>,
    /// A state for the core.
    pub enter_data: Signal<Out, Bits<1280>>,
    /// `enter_data` is a state.
    pub enter_valid: Signal<Out, Bit>,
    /// The state is taken.
    pub enter_ready: Signal<In, Bit>,
    low: DFF<Bits<512>>,
    low_full: DFF<Bit>,
    whole: Signal<Local, Bit>,
}

impl Logic for Gather {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, low, low_full);
        self.whole.next = !self.arity_four.val() | self.low_full.q.val();
        self.enter_data.next = bit_cast::<1280, 512>(self.line_data.val()) << 256;
        if self.arity_four.val() {
            self.enter_data.next = (bit_cast::<1280, 512>(self.low.q.val()) << 256)
                | (bit_cast::<1280, 512>(self.line_data.val()) << 768);
        }
        self.enter_valid.next = self.line_valid.val() & self.whole.val();
        self.line_ready.next = !self.whole.val() | self.enter_ready.val();
        if self.line_valid.val() {
            if self.whole.val() {
                if self.enter_ready.val() {
                    self.low_full.d.next = false;
                }
            } else {
                self.low.d.next = self.line_data.val();
                self.low_full.d.next = true;
            }
        }
        if self.reset.val() {
            self.low_full.d.next = false;
        }
    }
}
