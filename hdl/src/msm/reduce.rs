//! Reduction: scans one bank and sends what it holds on, as tokens of the next pass or as results.

use super::adder::SLOT_BITS;
use super::shape::Shape;
use crate::datapath::{Datapath, Wire};
use crate::pipeline_block;
use crate::stream::Fifo;
use num_bigint::BigUint;
use num_traits::One;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of the mask of targets that one scanned point goes to.
const TARGETS: usize = 16;

pipeline_block! {
    /// Where a scanned point goes next.
    combinational NextTarget
    inputs {
        /// 0: bucket to row and column; 1: row or column to the bits of its index.
        pass: Bit,
        /// Slot within its window.
        offset: Bits<20>,
        /// First slot of the window in the other bank.
        target: Bits<20>,
        /// Targets are left over in `pending`; else the point has just come.
        started: Bit,
        /// Targets left over.
        pending: Bits<16>,
    }
    outputs {
        /// Slot of the next token.
        slot: Bits<20>,
        /// Targets left over after it.
        rest: Bits<16>,
        /// There are none.
        last: Bit,
    }
}

impl NextTarget {
    fn new(shape: &Shape) -> NextTarget {
        let path = Datapath::combinational("next_target");
        let pass = path.input("pass", 1);
        let offset = path.input("offset", SLOT_BITS);
        let target = path.input("target", SLOT_BITS);
        let started = path.input("started", 1);
        let pending = path.input("pending", TARGETS);
        let (m, h, c) = (shape.column_bits, shape.row_bits, shape.window_bits);
        let zero_test = |wire: Wire| path.equal(wire, path.constant(0u32, wire.width()));

        // Pass 0: bit 0 of the mask is the row, bit 1 the column. Bucket 0 stands for 2^(c−1) and travels in row 0,
        // which has weight zero otherwise.
        let (low, high) = (path.slice(offset, 0, m), path.slice(offset, m, h));
        let bucket_zero = path.and(zero_test(low), zero_test(high));
        let to_row = path.or(path.not(zero_test(high)), bucket_zero);
        let to_column = path.not(zero_test(low));
        let first_mask = path.resize(path.concat(&[to_row, to_column]), TARGETS);

        // Pass 1: bit k of the mask is weight 2^k.
        let value = path.slice(offset, 0, h);
        let is_column = path.bit(offset, h);
        let row_mask = path.resize(path.concat(&[path.constant(0u32, m), value]), TARGETS);
        let row_mask =
            path.mux(zero_test(value), path.constant(BigUint::one() << (c - 1), TARGETS), row_mask);
        let second_mask = path.mux(is_column, path.resize(value, TARGETS), row_mask);

        let fresh = path.mux(pass, second_mask, first_mask);
        let mask = path.mux(started, pending, fresh);
        let one = path.constant(1u32, TARGETS);
        let rest = path.and(mask, path.slice(path.subtract(mask, one), 0, TARGETS));
        let mut lowest = path.constant(0u32, 4);
        for k in (0..TARGETS).rev() {
            lowest = path.mux(path.bit(mask, k), path.constant(k, 4), lowest);
        }

        // The window's first slot has zeros below, so the offset is or-ed in.
        let row = path.resize(high, SLOT_BITS);
        let column = path.or(path.resize(low, SLOT_BITS), path.constant(BigUint::one() << h, SLOT_BITS));
        let sum_offset = path.mux(path.bit(lowest, 0), column, row);
        let offset = path.mux(pass, path.resize(lowest, SLOT_BITS), sum_offset);
        let slot = path.or(target, offset);
        let last = zero_test(rest);
        let outputs = [("slot", slot), ("rest", rest), ("last", last)];
        NextTarget::host(Rc::new(path.finish_combinational(&outputs)))
    }
}

/// Scans a bank, slot by slot, one a cycle. Mode 0 sends each bucket to its row and column sum, mode 1 each row
/// and column sum to the bits of its index, mode 2 writes the bit sums out: three beats of 256 bits a point (X,
/// Y, Z, each 254 bits), all zero for an empty slot. Windows that no token of the job was in hold nothing: modes 0
/// and 1 pass each of them in one cycle, so that short scalars and small jobs do not pay for all buckets.
#[derive(LogicBlock)]
pub struct Reducer {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets everything.
    pub reset: Signal<In, Bit>,
    /// Forgets which windows hold tokens: a job begins.
    pub clear_windows: Signal<In, Bit>,
    /// A token enters the window `token_window`.
    pub mark_window: Signal<In, Bit>,
    /// See `mark_window`.
    pub marked_window: Signal<In, Bits<7>>,
    /// Begins a scan; only while `idle`.
    pub start: Signal<In, Bit>,
    /// Mode, constant while not idle.
    pub mode: Signal<In, Bits<2>>,
    /// A slot is looked up in this cycle.
    pub scan_valid: Signal<Out, Bit>,
    /// The slot.
    pub scan_slot: Signal<Out, Bits<20>>,
    /// Two cycles after the look-up: the slot held a point.
    pub scan_full: Signal<In, Bit>,
    /// Two cycles after the look-up: the point.
    pub scan_point: Signal<In, Bits<762>>,
    /// There is a token.
    pub token_valid: Signal<Out, Bit>,
    /// It is taken.
    pub token_ready: Signal<In, Bit>,
    /// The token's slot.
    pub token_slot: Signal<Out, Bits<20>>,
    /// The token's point.
    pub token_point: Signal<Out, Bits<762>>,
    /// A coordinate of a result.
    pub result_data: Signal<Out, Bits<256>>,
    /// There is one.
    pub result_valid: Signal<Out, Bit>,
    /// It is taken.
    pub result_ready: Signal<In, Bit>,
    /// The scan is over and everything it found has been taken.
    pub idle: Signal<Out, Bit>,
    chooser: NextTarget,
    points: Fifo<762>,
    places: Fifo<40>,
    scanning: DFF<Bit>,
    base: DFF<Bits<20>>,
    offset: DFF<Bits<20>>,
    target: DFF<Bits<20>>,
    window: DFF<Bits<7>>,
    held_windows: DFF<Bits<128>>,
    valid1: DFF<Bit>,
    place1: DFF<Bits<40>>,
    valid2: DFF<Bit>,
    place2: DFF<Bits<40>>,
    started: DFF<Bit>,
    pending: DFF<Bits<16>>,
    beat: DFF<Bits<2>>,
    issue: Signal<Local, Bit>,
    push: Signal<Local, Bit>,
    found: Signal<Local, Bits<762>>,
    pop: Signal<Local, Bit>,
    last_offset: Signal<Local, Bits<20>>,
    stride: Signal<Local, Bits<20>>,
    target_stride: Signal<Local, Bits<20>>,
    window_state: Signal<Local, Bits<128>>,
    skip: Signal<Local, Bit>,
    next_window: Signal<Local, Bit>,
    last_window: Constant<Bits<7>>,
    first_bit: Constant<Bits<128>>,
    buckets: Constant<Bits<20>>,
    sums: Constant<Bits<20>>,
    bits: Constant<Bits<20>>,
    room: Constant<Bits<16>>,
}

/// Points between scan and use; the scan stops while fewer than [`SCAN_MARGIN`] would fit.
const SCAN_FIFO_DEPTH: usize = 8;
const SCAN_MARGIN: usize = 3;

impl Reducer {
    /// The reducer of a shape.
    pub fn new(shape: &Shape) -> Reducer {
        Reducer {
            clock: Default::default(),
            reset: Default::default(),
            clear_windows: Default::default(),
            mark_window: Default::default(),
            marked_window: Default::default(),
            start: Default::default(),
            mode: Default::default(),
            scan_valid: Default::default(),
            scan_slot: Default::default(),
            scan_full: Default::default(),
            scan_point: Default::default(),
            token_valid: Default::default(),
            token_ready: Default::default(),
            token_slot: Default::default(),
            token_point: Default::default(),
            result_data: Default::default(),
            result_valid: Default::default(),
            result_ready: Default::default(),
            idle: Default::default(),
            chooser: NextTarget::new(shape),
            points: Fifo::new(SCAN_FIFO_DEPTH),
            places: Fifo::new(SCAN_FIFO_DEPTH),
            scanning: Default::default(),
            base: Default::default(),
            offset: Default::default(),
            target: Default::default(),
            window: Default::default(),
            held_windows: Default::default(),
            valid1: Default::default(),
            place1: Default::default(),
            valid2: Default::default(),
            place2: Default::default(),
            started: Default::default(),
            pending: Default::default(),
            beat: Default::default(),
            issue: Default::default(),
            push: Default::default(),
            found: Default::default(),
            pop: Default::default(),
            last_offset: Default::default(),
            stride: Default::default(),
            target_stride: Default::default(),
            window_state: Default::default(),
            skip: Default::default(),
            next_window: Default::default(),
            last_window: Constant::new((shape.windows - 1).to_bits()),
            first_bit: Constant::new(1u32.to_bits()),
            buckets: Constant::new(shape.buckets_per_window().to_bits()),
            sums: Constant::new(shape.sums_per_window().to_bits()),
            bits: Constant::new(shape.window_bits.to_bits()),
            room: Constant::new(SCAN_MARGIN.to_bits()),
        }
    }
}

impl Logic for Reducer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            scanning,
            base,
            offset,
            target,
            window,
            held_windows,
            valid1,
            place1,
            valid2,
            place2,
            started,
            pending,
            beat
        );
        self.points.clock.next = self.clock.val();
        self.places.clock.next = self.clock.val();
        self.points.reset.next = self.reset.val();
        self.places.reset.next = self.reset.val();

        // The mode's sizes.
        self.stride.next = self.buckets.val();
        self.last_offset.next = self.buckets.val() - 1;
        self.target_stride.next = self.sums.val();
        if self.mode.val() == 1 {
            self.stride.next = self.sums.val();
            self.last_offset.next = self.sums.val() - 1;
            self.target_stride.next = self.buckets.val();
        }
        if self.mode.val() == 2 {
            self.last_offset.next = self.bits.val() - 1;
        }

        // Which windows hold tokens.
        if self.mark_window.val() {
            self.held_windows.d.next =
                self.held_windows.q.val() | (self.first_bit.val() << self.marked_window.val());
        }
        if self.clear_windows.val() {
            self.held_windows.d.next = 0.into();
        }
        self.window_state.next = self.held_windows.q.val() >> self.window.q.val();
        self.skip.next = self.scanning.q.val() & (self.mode.val() != 2) & !self.window_state.val().get_bit(0);

        // The scan.
        self.issue.next =
            self.scanning.q.val() & !self.skip.val() & (self.points.space.val() > self.room.val());
        self.scan_valid.next = self.issue.val();
        self.scan_slot.next = self.base.q.val() | self.offset.q.val();
        self.valid1.d.next = self.issue.val();
        self.place1.d.next =
            bit_cast::<40, 20>(self.offset.q.val()) | (bit_cast::<40, 20>(self.target.q.val()) << 20);
        self.valid2.d.next = self.valid1.q.val();
        self.place2.d.next = self.place1.q.val();
        if self.issue.val() {
            self.offset.d.next = self.offset.q.val() + 1;
        }
        self.next_window.next =
            self.skip.val() | (self.issue.val() & (self.offset.q.val() == self.last_offset.val()));
        if self.next_window.val() {
            self.offset.d.next = 0.into();
            self.base.d.next = self.base.q.val() + self.stride.val();
            self.target.d.next = self.target.q.val() + self.target_stride.val();
            self.window.d.next = self.window.q.val() + 1;
            if self.window.q.val() == self.last_window.val() {
                self.scanning.d.next = false;
            }
        }
        if self.start.val() {
            self.scanning.d.next = true;
            self.window.d.next = 0.into();
            self.base.d.next = 0.into();
            self.offset.d.next = 0.into();
            self.target.d.next = 0.into();
        }

        // What it found.
        self.push.next = self.valid2.q.val() & (self.scan_full.val() | (self.mode.val() == 2));
        self.found.next = 0.into();
        if self.scan_full.val() {
            self.found.next = self.scan_point.val();
        }
        self.points.in_data.next = self.found.val();
        self.points.in_valid.next = self.push.val();
        self.places.in_data.next = self.place2.q.val();
        self.places.in_valid.next = self.push.val();

        // As tokens.
        self.chooser.pass.next = self.mode.val() == 1;
        self.chooser.offset.next = self.places.out_data.val().get_bits::<20>(0);
        self.chooser.target.next = self.places.out_data.val().get_bits::<20>(20);
        self.chooser.started.next = self.started.q.val();
        self.chooser.pending.next = self.pending.q.val();
        self.token_valid.next = self.points.out_valid.val() & (self.mode.val() != 2);
        self.token_slot.next = self.chooser.slot.val();
        self.token_point.next = self.points.out_data.val();
        self.pop.next = false;
        if self.points.out_valid.val() & (self.mode.val() != 2) & self.token_ready.val() {
            self.pop.next = self.chooser.last.val();
            self.started.d.next = !self.chooser.last.val();
            self.pending.d.next = self.chooser.rest.val();
        }

        // As results.
        self.result_valid.next = self.points.out_valid.val() & (self.mode.val() == 2);
        self.result_data.next = bit_cast::<256, 254>(self.points.out_data.val().get_bits::<254>(0));
        if self.beat.q.val() == 1 {
            self.result_data.next = bit_cast::<256, 254>(self.points.out_data.val().get_bits::<254>(254));
        }
        if self.beat.q.val() == 2 {
            self.result_data.next = bit_cast::<256, 254>(self.points.out_data.val().get_bits::<254>(508));
        }
        if self.points.out_valid.val() & (self.mode.val() == 2) & self.result_ready.val() {
            self.beat.d.next = self.beat.q.val() + 1;
            if self.beat.q.val() == 2 {
                self.beat.d.next = 0.into();
                self.pop.next = true;
            }
        }
        self.points.out_ready.next = self.pop.val();
        self.places.out_ready.next = self.pop.val();
        self.idle.next = !self.scanning.q.val()
            & !self.valid1.q.val()
            & !self.valid2.q.val()
            & !self.points.out_valid.val();

        if self.reset.val() {
            self.scanning.d.next = false;
            self.valid1.d.next = false;
            self.valid2.d.next = false;
            self.started.d.next = false;
            self.beat.d.next = 0.into();
        }
    }
}
