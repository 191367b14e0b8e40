//! Batched affine point addition: six multipliers and one inverter, a pair a cycle.
//!
//! An affine addition needs a division, and a division costs hundreds of cycles; Montgomery's trick ("Speeding the
//! Pollard and elliptic curve methods of factorization", 1987) shares one among a batch for three multiplications a
//! pair: the denominators are multiplied up a tree, the root is inverted, and on the way down each node's inverse times
//! one child's value is the other child's inverse. With the addition itself (λ, λ², λ·(x1 − x3)) that is six
//! multiplications a pair, each on a multiplier of its own:
//!
//! ```text
//!                  ┌───────── leaf memory: x1, y1, x1 + x2, tag ──────────────────┐
//!                  │ ┌─────── numerators: y2 − y1, later 3x1² ───────────────────┐│
//!  p, q   ┌─────┐ ┌┴─┴─┐  ┌─────────┐ root ┌────────┐ 1/root ┌─────────┐  leaf   ┌┴┴──┐
//!  tag ──►│front├►│FIFO├─►│ up: 1 × ├─────►│inverter├───────►│down: 2 ×├────────►│ 3 ×├─► sum, tag
//!         └─────┘ └────┘  └────┬────┘      └────────┘        └────▲────┘ inverse └────┘
//!                              └──── node memory: children ───────┘
//! ```
//!
//! **Front.** Differences of the coordinates, and what kind of pair it is. Different x: the denominator is x2 − x1, the
//! numerator y2 − y1. Equal points: a doubling, with the denominator 2y1 and the numerator 3x1². Opposite points (or
//! a doubling with y1 = 0, which no curve of odd order has): the pair is dropped, its pulse is `annihilated`. So no denominator is
//! zero, whatever the points are, and no pair spoils another's sum.
//!
//! **Frames.** A pair is a *leaf* (frame, index) of a batch; the memories have [`FRAMES`] frames of `batch_pairs`, used in
//! turn. A frame is free again when all its leaves have left for the addition; while the next one is not, nothing is
//! taken in.
//!
//! **Up: match or hold.** The tree is not laid out beforehand. Whatever is there is multiplied: a product that comes back from the
//! multiplier with the leaf that arrives, or either with the one value that the batch holds back; what has no partner is
//! held. A batch of n leaves needs exactly n − 1 products in whatever order, so the multiplier is never too slow, and
//! nothing queues: in the steady state each of its U stages carries the head of a chain of leaves. When a batch is closed,
//! its U heads merge in about U·log2 U cycles in the slots that the next batch, which begins meanwhile, does not need yet.
//! Each product is a *node*; its children's numbers and values go into the node memory.
//! The square of a doubling takes one more slot of the same multiplier, and the numerator is in place long before the
//! inverse is.
//!
//! **Closing.** One batch fills, one is merged, and one is in the inverter. The batch that fills is closed when the place behind it is
//! free and it is full, or when the inverter will be free by the time the merge is done and either the batch has
//! [`EARLY_PAIRS`] leaves, or [`SPARSE_PAIRS`] that came slowly (and the next frame is free), or no leaf came and no sum left
//! for [`QUIET_CYCLES`]. So the inverter sets the pace at full load, and a starved adder waits for no timer but the last.
//!
//! **Down: in order of arrival.** Nodes whose inverse is known wait in two lists, leaves in two others. Every cycle takes a node,
//! reads its record and multiplies its inverse with both values, whatever batch it is of: the next batch's first
//! levels fill the gaps of the last one's.
//!
//! # Rate and latency
//!
//! L is the multiplier's latency, U = D = L + 3 the turn of the way up ([`BatchedShape::up_cycles`]) and down
//! ([`BatchedShape::down_cycles`]), I the inverter's latency (592 at one step a cycle), A = 3L + a few that of the addition.
//!
//! - Rate: a pair a cycle, less one cycle a batch for closing it, less about log2 U where merges of the closed batch meet leaves;
//!   a doubling costs one cycle more, two where it is followed by another kind (its numerator's turn to be written). This holds if a batch's time in its frame, about
//!   n + U·log2 U + I + n + D·log2 U, is below [`FRAMES`] − 1 times that of filling one: with frames of 1,024, not with those of 64.
//! - Latency, from the last pair of a burst of n to the last sum: front + [`QUIET_CYCLES`] or U·log2 n, whichever is longer, + I + n +
//!   D·log2 n + A for n up to [`EARLY_PAIRS`]. A longer burst is cut where the inverter becomes free, so its last batch may
//!   wait for one inversion: + I at most; bounded by [`BatchedAdder::burst_cycles`].
//!
//! # Invariants
//!
//! - A pair is let in only if its place in the FIFO is kept free (`entered` counts both), so the front never stalls.
//! - A value on its way up is a leaf in the FIFO, in the multiplier, or the one held by its batch: products never wait.
//! - At most two batches are on their way up: the multiplier's tags have one bit for that. The closed one is in the frame before
//!   the filling one.
//! - The lists of nodes cannot overflow ([`BatchedShape::ready_depth`]), and leaves are kept room for
//!   ([`BatchedShape::leaf_margin`]) before a node is taken; leaves always leave, so the lists of leaves empty themselves and nothing
//!   waits in a circle.
//! - At most two roots are inverted or wait as inverses.
//!
//! The first, the fourth and the fifth are watched by `fault`, which the tests hold to zero in every cycle.

mod context;
mod down;
mod frames;
mod memory;
mod pipelines;
mod shape;
mod up;

pub use shape::{BATCH_PAIRS, BatchedShape, EARLY_PAIRS, FRAMES, QUIET_CYCLES, SPARSE_PAIRS};

use super::Curve;
use crate::datapath::{DatapathConfig, Statistics};
use crate::field::{Inverter, Pace, division_steps};
use crate::stream::Fifo;
use down::DownTree;
use frames::FrameAccount;
use memory::FrameMemory;
use pipelines::{AddStep, Front, pipelines};
use rust_hdl::prelude::*;
use up::UpTree;

/// The adder; see the [module](self).
#[derive(LogicBlock)]
pub struct BatchedAdder {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous; one cycle is enough. `ready` stays low for [`BatchedAdder::flush_cycles`] afterwards, and nothing
    /// of what was under way comes out.
    pub reset: Signal<In, Bit>,
    /// First point: x in bits 253:0, y in bits 507:254, Montgomery, each below p. Not infinity.
    pub p: Signal<In, Bits<508>>,
    /// Second point.
    pub q: Signal<In, Bits<508>>,
    /// Comes out with the pair's sum.
    pub tag: Signal<In, Bits<20>>,
    /// There is a pair.
    pub valid_in: Signal<In, Bit>,
    /// It is taken (a register, never a function of `valid_in`).
    pub ready: Signal<Out, Bit>,
    /// p + q, as the points.
    pub sum: Signal<Out, Bits<508>>,
    /// The pair's tag.
    pub tag_out: Signal<Out, Bits<20>>,
    /// A sum leaves; it cannot be held back. Sums leave in any order.
    pub valid_out: Signal<Out, Bit>,
    /// For one cycle: a pair p = −q was taken, and no sum of it will leave.
    pub annihilated: Signal<Out, Bit>,
    /// For one cycle: a pair p = q was taken.
    pub doubling: Signal<Out, Bit>,
    /// Pairs are in a batch that is not closed, or on the way there.
    pub waiting: Signal<Out, Bit>,
    /// An invariant is broken, for simulation: never one. Stays until reset.
    pub fault: Signal<Out, Bit>,
    front: Front,
    intake: Fifo<1291>,
    up: UpTree,
    frames: [FrameAccount; 4],
    leaves: FrameMemory<782>,
    numerators: FrameMemory<254>,
    nodes: FrameMemory<530>,
    inverter: Inverter,
    root_ids: Fifo<11>,
    root_frames: Fifo<2>,
    down: DownTree,
    add: AddStep,
    flush: DFF<Bits<16>>,
    /// Pairs between the input and the batch.
    entered: DFF<Bits<16>>,
    open: DFF<Bit>,
    faulty: DFF<Bit>,
    inverse1: DFF<Bits<254>>,
    valid1: DFF<Bit>,
    inverse2: DFF<Bits<254>>,
    valid2: DFF<Bit>,
    clear: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    entered_next: Signal<Local, Bits<16>>,
    gone: Signal<Local, Bits<16>>,
    annihilated_now: Signal<Local, Bit>,
    intake_depth: Constant<Bits<16>>,
    flush_from: Constant<Bits<16>>,
    _n: usize,
    _latency: usize,
    _shape: BatchedShape,
}

impl BatchedAdder {
    /// The adder of a curve with batches of `batch_pairs`, a power of two from 16 to 1,024, and an inverter of this
    /// pace.
    pub fn new(curve: Curve, config: &DatapathConfig, batch_pairs: usize, pace: Pace) -> BatchedAdder {
        let shape = BatchedShape::new(curve, config, batch_pairs);
        let front = Front::new(curve, config);
        let inverter = Inverter::with_pace(curve.base_field(), pace);
        let up = UpTree::new(curve, config, &shape, inverter.latency());
        let down = DownTree::new(curve, config, &shape);
        let add = AddStep::new(curve, config);
        let flush_cycles =
            [front.latency(), up.flush_cycles(), down.flush_cycles(), add.latency()].into_iter().max();
        let flush_cycles = flush_cycles.unwrap_or_default() + 4;
        let intake_depth = front.latency() + 8;
        let latency = front.latency() + inverter.latency() + add.latency();
        BatchedAdder {
            clock: Default::default(),
            reset: Default::default(),
            p: Default::default(),
            q: Default::default(),
            tag: Default::default(),
            valid_in: Default::default(),
            ready: Default::default(),
            sum: Default::default(),
            tag_out: Default::default(),
            valid_out: Default::default(),
            annihilated: Default::default(),
            doubling: Default::default(),
            waiting: Default::default(),
            fault: Default::default(),
            front,
            intake: Fifo::new(intake_depth),
            up,
            frames: [0, 1, 2, 3].map(FrameAccount::new),
            leaves: FrameMemory::new(batch_pairs),
            numerators: FrameMemory::new(batch_pairs),
            nodes: FrameMemory::new(batch_pairs),
            inverter,
            root_ids: Fifo::new(2),
            root_frames: Fifo::new(2),
            down,
            add,
            flush: Default::default(),
            entered: Default::default(),
            open: Default::default(),
            faulty: Default::default(),
            inverse1: Default::default(),
            valid1: Default::default(),
            inverse2: Default::default(),
            valid2: Default::default(),
            clear: Default::default(),
            accept: Default::default(),
            entered_next: Default::default(),
            gone: Default::default(),
            annihilated_now: Default::default(),
            intake_depth: Constant::new(intake_depth.to_bits()),
            flush_from: Constant::new(flush_cycles.to_bits()),
            _n: 4,
            _latency: latency,
            _shape: shape,
        }
    }

    /// What the arithmetic is made of. Memories and control are not counted; the latency is that of a pair on its own.
    pub fn statistics(curve: Curve, config: &DatapathConfig, batch_pairs: usize, pace: Pace) -> Statistics {
        let adder = BatchedAdder::new(curve, config, batch_pairs, pace);
        let modules = pipelines(curve, config, adder.shape());
        let mut total = division_steps(curve.base_field(), pace).statistics();
        for module in modules {
            let inner = module.statistics();
            total.multiplier_tiles += inner.multiplier_tiles;
            total.adder_bits += inner.adder_bits;
            total.mux_bits += inner.mux_bits;
            total.register_bits += inner.register_bits;
        }
        total.latency_cycles = adder.burst_cycles(1);
        total
    }

    /// Cycles after a reset in which no pair is taken.
    pub fn flush_cycles(&self) -> usize {
        self.flush_from.val().index()
    }

    /// Sizes inside.
    pub fn shape(&self) -> &BatchedShape {
        &self._shape
    }

    /// Pairs that fit between the input and the batch.
    pub fn intake_depth(&self) -> usize {
        self.intake_depth.val().index()
    }

    /// At most so many cycles after the last pair of a burst of `pairs` (none a doubling, one a cycle) was taken, the last
    /// sum leaves, if nothing came before for long; see the [module](self).
    pub fn burst_cycles(&self, pairs: usize) -> usize {
        let shape = &self._shape;
        let last = pairs.min(shape.early_pairs());
        let turns = last.max(1).next_power_of_two().ilog2() as usize;
        let trees = (shape.up_cycles() + shape.down_cycles()) * turns.min(8);
        let one_batch = self._latency + QUIET_CYCLES + trees + last + 16;
        if pairs <= shape.early_pairs() { one_batch } else { one_batch + self.inverter.latency() }
    }
}

impl Logic for BatchedAdder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, flush, entered, open, faulty, inverse1, valid1, inverse2, valid2);
        self.front.clock.next = self.clock.val();
        self.intake.clock.next = self.clock.val();
        self.up.clock.next = self.clock.val();
        self.leaves.clock.next = self.clock.val();
        self.numerators.clock.next = self.clock.val();
        self.nodes.clock.next = self.clock.val();
        self.inverter.clock.next = self.clock.val();
        self.root_ids.clock.next = self.clock.val();
        self.root_frames.clock.next = self.clock.val();
        self.down.clock.next = self.clock.val();
        self.add.clock.next = self.clock.val();

        // What is in the pipelines when a reset comes leaves them while everything else is held in reset.
        self.clear.next = self.reset.val() | (self.flush.q.val() != 0);
        if self.flush.q.val() != 0 {
            self.flush.d.next = self.flush.q.val() - 1;
        }
        self.intake.reset.next = self.clear.val();
        self.up.reset.next = self.clear.val();
        self.inverter.reset.next = self.clear.val();
        self.root_ids.reset.next = self.clear.val();
        self.root_frames.reset.next = self.clear.val();
        self.down.reset.next = self.clear.val();

        // Intake: every pair that is let in has its place in the FIFO.
        self.ready.next = self.open.q.val();
        self.accept.next = self.open.q.val() & self.valid_in.val() & !self.reset.val();
        self.front.p.next = self.p.val();
        self.front.q.next = self.q.val();
        self.front.tag.next = self.tag.val();
        self.front.valid_in.next = self.accept.val();
        self.annihilated_now.next = self.front.annihilated.val() & !self.clear.val();
        self.annihilated.next = self.annihilated_now.val();
        self.doubling.next = self.front.doubling.val() & !self.clear.val();
        self.intake.in_data.next = self.front.line.val();
        self.intake.in_valid.next = self.front.valid_out.val();
        self.intake.out_ready.next = self.up.leaf_take.val();
        self.gone.next = 0.into();
        if self.annihilated_now.val() ^ self.up.leaf_take.val() {
            self.gone.next = 1.into();
        }
        if self.annihilated_now.val() & self.up.leaf_take.val() {
            self.gone.next = 2.into();
        }
        self.entered_next.next = self.entered.q.val() - self.gone.val();
        if self.accept.val() {
            self.entered_next.next = self.entered.q.val() + 1 - self.gone.val();
        }
        self.entered.d.next = self.entered_next.val();
        self.open.d.next = self.entered_next.val() < self.intake_depth.val();
        self.waiting.next = self.up.begun.val() | (self.entered.q.val() != 0);

        // Up.
        self.up.leaf_valid.next = self.intake.out_valid.val();
        self.up.leaf_x.next = self.intake.out_data.val().get_bits::<254>(0);
        self.up.leaf_denominator.next = self.intake.out_data.val().get_bits::<254>(782);
        self.up.leaf_doubling.next = self.intake.out_data.val().get_bit(1290);
        self.leaves.write_data.next = self.intake.out_data.val().get_bits::<782>(0);
        self.leaves.write_frame.next = self.up.fill_frame.val();
        self.leaves.write_index.next = self.up.leaf_index.val();
        self.leaves.write_enable.next = self.up.leaf_take.val();
        self.numerators.write_data.next = self.intake.out_data.val().get_bits::<254>(1036);
        self.numerators.write_frame.next = self.up.fill_frame.val();
        self.numerators.write_index.next = self.up.leaf_index.val();
        self.numerators.write_enable.next =
            self.up.leaf_take.val() & !self.intake.out_data.val().get_bit(1290);
        if self.up.numerator_write.val() {
            self.numerators.write_data.next = self.up.numerator.val();
            self.numerators.write_frame.next = self.up.numerator_frame.val();
            self.numerators.write_index.next = self.up.numerator_index.val();
            self.numerators.write_enable.next = true;
        }
        self.nodes.write_data.next = self.up.node_word.val();
        self.nodes.write_frame.next = self.up.node_frame.val();
        self.nodes.write_index.next = self.up.node_index.val();
        self.nodes.write_enable.next = self.up.node_write.val();

        // Frames.
        for i in 0..4 {
            self.frames[i].clock.next = self.clock.val();
            self.frames[i].reset.next = self.clear.val();
            self.frames[i].close.next = self.up.close.val();
            self.frames[i].close_frame.next = self.up.fill_frame.val();
            self.frames[i].close_leaves.next = self.up.close_leaves.val();
            self.frames[i].leave.next = self.down.leaf_valid.val();
            self.frames[i].leave_frame.next = self.down.leaf_frame.val();
            self.frames[i].fill_frame.next = self.up.fill_frame.val();
        }
        self.up.fill_free.next = self.frames[0].fill_free.val()
            | self.frames[1].fill_free.val()
            | self.frames[2].fill_free.val()
            | self.frames[3].fill_free.val();
        self.up.next_free.next = self.frames[0].next_free.val()
            | self.frames[1].next_free.val()
            | self.frames[2].next_free.val()
            | self.frames[3].next_free.val();

        // Inversion.
        self.inverter.in_data.next = bit_cast::<256, 254>(self.up.root_value.val());
        self.inverter.in_valid.next = self.up.root_valid.val();
        self.up.root_ready.next = self.inverter.in_ready.val();
        self.root_ids.in_data.next = self.up.root_id.val();
        self.root_ids.in_valid.next = self.up.root_valid.val() & self.inverter.in_ready.val();
        self.root_frames.in_data.next = self.up.root_frame.val();
        self.root_frames.in_valid.next = self.up.root_valid.val() & self.inverter.in_ready.val();

        // Down.
        self.down.root_valid.next = self.inverter.out_valid.val();
        self.down.root_inverse.next = self.inverter.out_data.val().get_bits::<254>(0);
        self.down.root_id.next = self.root_ids.out_data.val();
        self.down.root_frame.next = self.root_frames.out_data.val();
        self.inverter.out_ready.next = self.down.root_taken.val();
        self.root_ids.out_ready.next = self.down.root_taken.val();
        self.root_frames.out_ready.next = self.down.root_taken.val();
        self.nodes.read_frame.next = self.down.node_frame.val();
        self.nodes.read_index.next = self.down.node_index.val();
        self.down.node_word.next = self.nodes.read_data.val();

        // Addition: the leaf's record arrives two cycles after it was asked for.
        self.leaves.read_frame.next = self.down.leaf_frame.val();
        self.leaves.read_index.next = self.down.leaf_index.val();
        self.numerators.read_frame.next = self.down.leaf_frame.val();
        self.numerators.read_index.next = self.down.leaf_index.val();
        self.valid1.d.next = self.down.leaf_valid.val();
        self.inverse1.d.next = self.down.leaf_inverse.val();
        self.valid2.d.next = self.valid1.q.val();
        self.inverse2.d.next = self.inverse1.q.val();
        self.add.leaf.next = self.leaves.read_data.val();
        self.add.numerator.next = self.numerators.read_data.val();
        self.add.inverse.next = self.inverse2.q.val();
        self.add.valid_in.next = self.valid2.q.val();
        self.up.sum_leaves.next = self.add.valid_out.val();
        self.sum.next = self.add.sum.val();
        self.tag_out.next = self.add.tag_out.val();
        self.valid_out.next = self.add.valid_out.val() & !self.clear.val();

        // Invariants.
        self.fault.next = self.faulty.q.val();
        if self.down.overflow.val()
            | (self.front.valid_out.val() & !self.intake.in_ready.val())
            | (self.inverter.out_valid.val() & !self.root_ids.out_valid.val())
        {
            self.faulty.d.next = true;
        }

        if self.clear.val() {
            self.entered.d.next = 0.into();
            self.open.d.next = false;
            self.faulty.d.next = false;
            self.valid1.d.next = false;
            self.valid2.d.next = false;
        }
        if self.reset.val() {
            self.flush.d.next = self.flush_from.val();
        }
    }
}
