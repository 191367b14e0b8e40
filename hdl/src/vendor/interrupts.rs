//! Interrupts through a shell that wants a pulse for each and answers it.

use rust_hdl::prelude::*;

/// Turns the card's events into requests to a shell with acknowledgements, as that of AWS F2: a request is a pulse, and none
/// follows before the shell has answered the last. An event that comes in between is kept; two of a kind become one, as
/// interrupts do.
///
/// Latency 1: an event in one cycle is a request in the next, if none is unanswered. Reset forgets all.
#[derive(LogicBlock, Default)]
pub struct ShellInterrupts {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets events and unanswered requests.
    pub reset: Signal<In, Bit>,
    /// A pulse for each event, by vector.
    pub events: Signal<In, Bits<2>>,
    /// A pulse for each answer, by vector.
    pub acknowledged: Signal<In, Bits<2>>,
    /// A pulse for each request, by vector.
    pub requests: Signal<Out, Bits<2>>,
    pending: DFF<Bits<2>>,
    unanswered: DFF<Bits<2>>,
    now: Signal<Local, Bits<2>>,
}

impl Logic for ShellInterrupts {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, pending, unanswered);
        self.now.next = self.pending.q.val() & !self.unanswered.q.val();
        self.requests.next = self.now.val();
        self.pending.d.next = (self.pending.q.val() & !self.now.val()) | self.events.val();
        self.unanswered.d.next = (self.unanswered.q.val() & !self.acknowledged.val()) | self.now.val();
        if self.reset.val() {
            self.pending.d.next = 0.into();
            self.unanswered.d.next = 0.into();
        }
    }
}
