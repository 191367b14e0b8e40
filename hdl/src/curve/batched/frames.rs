//! Which frames are free.

use rust_hdl::prelude::*;

/// The leaves of one frame that have not left for the addition.
#[derive(LogicBlock)]
pub struct FrameAccount {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Frees the frame.
    pub reset: Signal<In, Bit>,
    /// The batch of the frame `close_frame` is closed.
    pub close: Signal<In, Bit>,
    /// See `close`.
    pub close_frame: Signal<In, Bits<2>>,
    /// Leaves of the closed batch.
    pub close_leaves: Signal<In, Bits<11>>,
    /// A leaf of `leave_frame` leaves.
    pub leave: Signal<In, Bit>,
    /// See `leave`.
    pub leave_frame: Signal<In, Bits<2>>,
    /// The frame that fills.
    pub fill_frame: Signal<In, Bits<2>>,
    /// This is the frame that fills, and no leaf of its last batch is in it.
    pub fill_free: Signal<Out, Bit>,
    /// This is the frame that fills next, and no leaf is in it.
    pub next_free: Signal<Out, Bit>,
    left: DFF<Bits<11>>,
    free: Signal<Local, Bit>,
    number: Constant<Bits<2>>,
    before: Constant<Bits<2>>,
}

impl FrameAccount {
    /// The account of the frame `number`, 0 to 3.
    pub fn new(number: usize) -> FrameAccount {
        FrameAccount {
            clock: Default::default(),
            reset: Default::default(),
            close: Default::default(),
            close_frame: Default::default(),
            close_leaves: Default::default(),
            leave: Default::default(),
            leave_frame: Default::default(),
            fill_frame: Default::default(),
            fill_free: Default::default(),
            next_free: Default::default(),
            left: Default::default(),
            free: Default::default(),
            number: Constant::new(number.to_bits()),
            before: Constant::new(((number + 3) % 4).to_bits()),
        }
    }
}

impl Logic for FrameAccount {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, left);
        self.free.next = self.left.q.val() == 0;
        self.fill_free.next = self.free.val() & (self.fill_frame.val() == self.number.val());
        self.next_free.next = self.free.val() & (self.fill_frame.val() == self.before.val());
        if self.leave.val() & (self.leave_frame.val() == self.number.val()) {
            self.left.d.next = self.left.q.val() - 1;
        }
        if self.close.val() & (self.close_frame.val() == self.number.val()) {
            self.left.d.next = self.close_leaves.val();
        }
        if self.reset.val() {
            self.left.d.next = 0.into();
        }
    }
}
