//! Function-level reset.

use rust_hdl::prelude::*;

/// Carries out a function-level reset: the card's orderly reset, then the endpoint's registers.
///
/// The card ends what it has begun on the bus, so every read of the host's memory ends or times out first. Then table,
/// pending bits and counts are reset for one cycle, in which `done` tells the hard block.
#[derive(LogicBlock, Default)]
pub struct FunctionReset {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the reset under way.
    pub reset: Signal<In, Bit>,
    /// The host asks for a function-level reset.
    pub wanted: Signal<In, Bit>,
    /// The card is in its own reset.
    pub resetting: Signal<In, Bit>,
    /// Nothing is under way in the endpoint.
    pub quiet: Signal<In, Bit>,
    /// Asks the card for its reset.
    pub request: Signal<Out, Bit>,
    /// The reset is over; resets the endpoint's registers.
    pub done: Signal<Out, Bit>,
    /// A function-level reset is under way.
    pub active: Signal<Out, Bit>,
    /// 0 none, 1 asking the card, 2 waiting for it, 3 done, 4 waiting for the hard block.
    state: DFF<Bits<3>>,
}

impl Logic for FunctionReset {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state);
        self.request.next = self.state.q.val() == 1;
        self.done.next = self.state.q.val() == 3;
        self.active.next = self.state.q.val() != 0;
        if (self.state.q.val() == 0) & self.wanted.val() {
            self.state.d.next = 1.into();
        }
        if (self.state.q.val() == 1) & self.resetting.val() {
            self.state.d.next = 2.into();
        }
        if (self.state.q.val() == 2) & !self.resetting.val() & self.quiet.val() {
            self.state.d.next = 3.into();
        }
        if self.state.q.val() == 3 {
            self.state.d.next = 4.into();
        }
        if (self.state.q.val() == 4) & !self.wanted.val() {
            self.state.d.next = 0.into();
        }
        if self.reset.val() {
            self.state.d.next = 0.into();
        }
    }
}
