//! The source of fresh tokens: scalars and points in, the tokens of a core's non-zero digits out, one a cycle.

use super::recode::Recoder;
use super::select::{FormToken, SelectDigit};
use super::shape::Shape;
use crate::datapath::DatapathConfig;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Takes elements, each a scalar and its point, recodes them, and hands out one token for each non-zero digit of the
/// core's windows, one a cycle; an element without such a digit (a scalar of zero, say) or with its point at infinity
/// takes its cycle at the intake and none behind it.
///
/// ```text
/// element ─► recoder ─► lines (FIFO) ─► select ─► register ─► form token
/// ```
///
/// The recoder never stalls: an element is taken in only while the FIFO behind it has room for all that is under way.
/// Elements are counted from 0 at `start`, because a window that several cores serve is divided by the elements' index.
/// A token leaves two cycles after its line is in the FIFO at the earliest.
///
/// Two paths between registers do not get shorter with `levels_per_stage`: from the FIFO through `SelectDigit` (AND-OR over
/// the windows, multiplexer over the choices; beside it a subtraction of 85 bits and a zero test) to the register behind
/// it, and from there through `FormToken` (a negation of 16 bits, two multiplexers over the choices) to `token_slot`.
/// `element_ready` depends on registers and `reset` only, `token_valid` on a register only.
#[derive(LogicBlock)]
pub struct DigitSource {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets everything; must be held for [`DigitSource::flush_cycles`].
    pub reset: Signal<In, Bit>,
    /// Begins a job; only while `idle`.
    pub start: Signal<In, Bit>,
    /// Elements of the job.
    pub count: Signal<In, Bits<32>>,
    /// The job's choice of window bits, an index into [`Shape::choices`]: constant from `start` until `idle`.
    pub choice: Signal<In, Bits<4>>,
    /// Canonical scalar, below the group order.
    pub element_scalar: Signal<In, Bits<256>>,
    /// Its affine point, x in the low 256 bits, y in the high ones, Montgomery; zero = infinity.
    pub element_point: Signal<In, Bits<512>>,
    /// There is an element.
    pub element_valid: Signal<In, Bit>,
    /// An element would be taken: it does not depend on `element_valid`.
    pub element_ready: Signal<Out, Bit>,
    /// There is a token.
    pub token_valid: Signal<Out, Bit>,
    /// It is taken.
    pub token_ready: Signal<In, Bit>,
    /// The token's slot.
    pub token_slot: Signal<Out, Bits<20>>,
    /// The token's point, Z = 1.
    pub token_point: Signal<Out, Bits<762>>,
    /// The token's local window.
    pub token_window: Signal<Out, Bits<7>>,
    /// An element is taken in this cycle.
    pub accepted: Signal<Out, Bit>,
    /// An element would be taken in this cycle, and none is offered.
    pub starved: Signal<Out, Bit>,
    /// No element is missing and no token is under way.
    pub idle: Signal<Out, Bit>,
    recoder: Recoder,
    lines: Fifo<1199>,
    select: SelectDigit,
    form: FormToken,
    remaining: DFF<Bits<32>>,
    residue: DFF<Bits<4>>,
    outstanding: DFF<Bits<16>>,
    resumed: DFF<Bit>,
    hot: DFF<Bits<85>>,
    rest: DFF<Bits<85>>,
    single: DFF<Bit>,
    held: DFF<Bit>,
    held_chunk: DFF<Bits<16>>,
    held_window: DFF<Bits<7>>,
    held_coordinates: DFF<Bits<762>>,
    capacity: Constant<Bits<16>>,
    last_residue: Constant<Bits<4>>,
    wants: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    dropped: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    pop: Signal<Local, Bit>,
    left: Signal<Local, Bits<16>>,
}

/// Elements that the source takes in beyond those in its recoder, before the first of them has given all its tokens.
const STOCK: usize = 16;

impl DigitSource {
    /// The source of a shape. It has room for as many elements as its recoder has stages, and 16 more, in a FIFO whose
    /// depth is the power of two above that.
    pub fn new(shape: &Shape, config: &DatapathConfig) -> DigitSource {
        DigitSource::with_stock(shape, config, STOCK)
    }

    /// The source of a shape with room for at least `stock` elements beyond those in the recoder: while useful ones give
    /// their tokens, it takes in as many.
    pub fn with_stock(shape: &Shape, config: &DatapathConfig, stock: usize) -> DigitSource {
        let recoder = Recoder::new(shape, config);
        let capacity = (recoder.latency() + stock).next_power_of_two();
        DigitSource {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            choice: Default::default(),
            element_scalar: Default::default(),
            element_point: Default::default(),
            element_valid: Default::default(),
            element_ready: Default::default(),
            token_valid: Default::default(),
            token_ready: Default::default(),
            token_slot: Default::default(),
            token_point: Default::default(),
            token_window: Default::default(),
            accepted: Default::default(),
            starved: Default::default(),
            idle: Default::default(),
            recoder,
            lines: Fifo::new(capacity),
            select: SelectDigit::new(shape),
            form: FormToken::new(shape),
            remaining: Default::default(),
            residue: Default::default(),
            outstanding: Default::default(),
            resumed: Default::default(),
            hot: Default::default(),
            rest: Default::default(),
            single: Default::default(),
            held: Default::default(),
            held_chunk: Default::default(),
            held_window: Default::default(),
            held_coordinates: Default::default(),
            capacity: Constant::new(capacity.to_bits()),
            last_residue: Constant::new((shape.cores - 1).to_bits()),
            wants: Default::default(),
            accept: Default::default(),
            dropped: Default::default(),
            advance: Default::default(),
            pop: Default::default(),
            left: Default::default(),
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
        dff_setup!(self, clock, remaining, residue, outstanding, resumed, hot, rest, single);
        dff_setup!(self, clock, held, held_chunk, held_window, held_coordinates);
        self.recoder.clock.next = self.clock.val();
        self.lines.clock.next = self.clock.val();
        self.lines.reset.next = self.reset.val();

        // Intake.
        self.wants.next = (self.remaining.q.val() != 0)
            & (self.outstanding.q.val() < self.capacity.val())
            & !self.reset.val();
        self.accept.next = self.wants.val() & self.element_valid.val();
        self.element_ready.next = self.wants.val();
        self.accepted.next = self.accept.val();
        self.starved.next = self.wants.val() & !self.element_valid.val();
        self.recoder.scalar.next = self.element_scalar.val();
        self.recoder.point.next = self.element_point.val();
        self.recoder.residue.next = self.residue.q.val();
        self.recoder.choice.next = self.choice.val();
        self.recoder.valid_in.next = self.accept.val();
        if self.accept.val() {
            self.remaining.d.next = self.remaining.q.val() - 1;
            self.residue.d.next = self.residue.q.val() + 1;
            if self.residue.q.val() == self.last_residue.val() {
                self.residue.d.next = 0.into();
            }
        }
        if self.start.val() {
            self.remaining.d.next = self.count.val();
            self.residue.d.next = 0.into();
        }

        // Recoded lines that hold a token go to the FIFO.
        self.lines.in_data.next = self.recoder.line.val();
        self.lines.in_valid.next = self.recoder.useful.val() & !self.reset.val();
        self.dropped.next = self.recoder.valid_out.val() & !self.recoder.useful.val();

        // One digit a cycle out of the oldest line.
        self.select.line.next = self.lines.out_data.val();
        self.select.choice.next = self.choice.val();
        self.select.resumed.next = self.resumed.q.val();
        self.select.hot.next = self.hot.q.val();
        self.select.rest.next = self.rest.q.val();
        self.select.single.next = self.single.q.val();
        self.advance.next = self.lines.out_valid.val() & (!self.held.q.val() | self.token_ready.val());
        self.pop.next = self.advance.val() & self.select.last.val();
        self.lines.out_ready.next = self.pop.val();
        if self.token_ready.val() {
            self.held.d.next = false;
        }
        if self.advance.val() {
            self.resumed.d.next = !self.select.last.val();
            self.hot.d.next = self.select.next_hot.val();
            self.rest.d.next = self.select.next_rest.val();
            self.single.d.next = self.select.next_single.val();
            self.held.d.next = true;
            self.held_chunk.d.next = self.select.chunk.val();
            self.held_window.d.next = self.select.window.val();
            self.held_coordinates.d.next = self.lines.out_data.val().get_bits::<762>(437);
        }

        // Its token.
        self.form.chunk.next = self.held_chunk.q.val();
        self.form.window.next = self.held_window.q.val();
        self.form.choice.next = self.choice.val();
        self.form.coordinates.next = self.held_coordinates.q.val();
        self.token_valid.next = self.held.q.val();
        self.token_slot.next = self.form.slot.val();
        self.token_point.next = self.form.point.val();
        self.token_window.next = self.held_window.q.val();

        // What is between intake and the end of the FIFO.
        self.left.next = 0.into();
        if self.dropped.val() ^ self.pop.val() {
            self.left.next = 1.into();
        }
        if self.dropped.val() & self.pop.val() {
            self.left.next = 2.into();
        }
        self.outstanding.d.next = self.outstanding.q.val() - self.left.val();
        if self.accept.val() {
            self.outstanding.d.next = self.outstanding.q.val() + 1 - self.left.val();
        }
        self.idle.next = (self.remaining.q.val() == 0) & (self.outstanding.q.val() == 0) & !self.held.q.val();

        if self.reset.val() {
            self.remaining.d.next = 0.into();
            self.outstanding.d.next = 0.into();
            self.resumed.d.next = false;
            self.held.d.next = false;
        }
    }
}
