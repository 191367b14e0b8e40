//! The source of fresh tokens: scalars and points in, the non-zero digits' tokens out, one a cycle.

use super::recode::{PackRecoded, Recoder, SelectDigit};
use super::shape::Shape;
use crate::datapath::DatapathConfig;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Takes a scalar and a point in one cycle, recodes them, and hands out one token for each non-zero digit, one a
/// cycle; a scalar of zero or a point at infinity takes its cycle at the intake and none behind it.
///
/// The recoder never stalls: an entry is taken in only when the FIFO behind it has room for all that is under way.
#[derive(LogicBlock)]
pub struct DigitSource {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets everything; must be held for [`DigitSource::flush_cycles`].
    pub reset: Signal<In, Bit>,
    /// Begins a job; only while `idle`.
    pub start: Signal<In, Bit>,
    /// Scalars of the job.
    pub count: Signal<In, Bits<32>>,
    /// Canonical scalar, below the group order.
    pub scalar_data: Signal<In, Bits<256>>,
    /// There is a scalar.
    pub scalar_valid: Signal<In, Bit>,
    /// It is taken.
    pub scalar_ready: Signal<Out, Bit>,
    /// Affine point, x in the low 256 bits, y in the high ones, Montgomery; zero = infinity.
    pub point_data: Signal<In, Bits<512>>,
    /// There is a point.
    pub point_valid: Signal<In, Bit>,
    /// It is taken.
    pub point_ready: Signal<Out, Bit>,
    /// There is a token.
    pub token_valid: Signal<Out, Bit>,
    /// It is taken.
    pub token_ready: Signal<In, Bit>,
    /// The token's slot.
    pub token_slot: Signal<Out, Bits<20>>,
    /// The token's point.
    pub token_point: Signal<Out, Bits<762>>,
    /// The token's window.
    pub token_window: Signal<Out, Bits<7>>,
    /// A scalar and its point are taken in this cycle.
    pub accepted: Signal<Out, Bit>,
    /// No scalar is missing and none is under way.
    pub idle: Signal<Out, Bit>,
    recoder: Recoder,
    pack: PackRecoded,
    lines: Fifo<1793>,
    select: SelectDigit,
    remaining: DFF<Bits<32>>,
    outstanding: DFF<Bits<16>>,
    started: DFF<Bit>,
    window: DFF<Bits<7>>,
    capacity: Constant<Bits<16>>,
    accept: Signal<Local, Bit>,
    dropped: Signal<Local, Bit>,
    pop: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
}

impl DigitSource {
    /// The source of a shape.
    pub fn new(shape: &Shape, config: &DatapathConfig) -> DigitSource {
        let recoder = Recoder::new(shape, config);
        // One a cycle through the recoder, and some more in stock.
        let capacity = recoder.latency() + 8;
        DigitSource {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            scalar_data: Default::default(),
            scalar_valid: Default::default(),
            scalar_ready: Default::default(),
            point_data: Default::default(),
            point_valid: Default::default(),
            point_ready: Default::default(),
            token_valid: Default::default(),
            token_ready: Default::default(),
            token_slot: Default::default(),
            token_point: Default::default(),
            token_window: Default::default(),
            accepted: Default::default(),
            idle: Default::default(),
            recoder,
            pack: PackRecoded::new(),
            lines: Fifo::new(capacity),
            select: SelectDigit::new(shape),
            remaining: Default::default(),
            outstanding: Default::default(),
            started: Default::default(),
            window: Default::default(),
            capacity: Constant::new(capacity.to_bits()),
            accept: Default::default(),
            dropped: Default::default(),
            pop: Default::default(),
            taken: Default::default(),
        }
    }

    /// Cycles of reset after which nothing of an old job is left in the pipeline.
    pub fn flush_cycles(&self) -> usize {
        self.recoder.latency() + 1
    }
}

impl Logic for DigitSource {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, remaining, outstanding, started, window);
        self.recoder.clock.next = self.clock.val();
        self.lines.clock.next = self.clock.val();
        self.lines.reset.next = self.reset.val();

        // Intake: both streams move together.
        self.accept.next = self.scalar_valid.val()
            & self.point_valid.val()
            & (self.remaining.q.val() != 0)
            & (self.outstanding.q.val() < self.capacity.val())
            & !self.reset.val();
        self.scalar_ready.next = self.accept.val();
        self.point_ready.next = self.accept.val();
        self.accepted.next = self.accept.val();
        self.recoder.scalar.next = self.scalar_data.val();
        self.recoder.point.next = self.point_data.val();
        self.recoder.valid_in.next = self.accept.val();
        if self.accept.val() {
            self.remaining.d.next = self.remaining.q.val() - 1;
        }
        if self.start.val() {
            self.remaining.d.next = self.count.val();
        }

        // Recoded lines that hold a token go to the FIFO.
        self.pack.digits.next = self.recoder.digits.val();
        self.pack.first.next = self.recoder.first.val();
        self.pack.x.next = self.recoder.x.val();
        self.pack.y.next = self.recoder.y.val();
        self.pack.minus_y.next = self.recoder.minus_y.val();
        self.lines.in_data.next = self.pack.line.val();
        self.lines.in_valid.next = self.recoder.useful.val() & !self.reset.val();
        self.dropped.next = self.recoder.valid_out.val() & !self.recoder.useful.val();

        // One digit a cycle.
        self.select.line.next = self.lines.out_data.val();
        self.select.at_first.next = !self.started.q.val();
        self.select.window.next = self.window.q.val();
        self.token_valid.next = self.lines.out_valid.val();
        self.token_slot.next = self.select.slot.val();
        self.token_point.next = self.select.point.val();
        self.token_window.next = self.select.chosen.val();
        self.taken.next = self.lines.out_valid.val() & self.token_ready.val();
        self.pop.next = self.taken.val() & self.select.last.val();
        self.lines.out_ready.next = self.pop.val();
        if self.taken.val() {
            self.started.d.next = !self.select.last.val();
            self.window.d.next = self.select.following.val();
        }

        // What is between intake and the last token.
        if self.accept.val() & !self.dropped.val() & !self.pop.val() {
            self.outstanding.d.next = self.outstanding.q.val() + 1;
        }
        if !self.accept.val() & (self.dropped.val() ^ self.pop.val()) {
            self.outstanding.d.next = self.outstanding.q.val() - 1;
        }
        if self.accept.val() & self.dropped.val() & self.pop.val() {
            self.outstanding.d.next = self.outstanding.q.val() - 1;
        }
        if !self.accept.val() & self.dropped.val() & self.pop.val() {
            self.outstanding.d.next = self.outstanding.q.val() - 2;
        }
        self.idle.next = (self.remaining.q.val() == 0) & (self.outstanding.q.val() == 0);

        if self.reset.val() {
            self.remaining.d.next = 0.into();
            self.outstanding.d.next = 0.into();
            self.started.d.next = false;
        }
    }
}
