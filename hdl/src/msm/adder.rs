//! The point adder as the engine sees it: (point, point, slot) in, (point, slot) out, in any latency and any order.

use crate::curve::batched::BatchedAdder;
use crate::curve::{Curve, SerialAdder, complete_adder};
use crate::datapath::DatapathConfig;
use crate::field::{FIELD_BITS, Pace};
use crate::pipeline_block;
use crate::profile::{AdderKind, Profile};
use rust_hdl::prelude::*;

/// Bits of a slot number.
pub const SLOT_BITS: usize = 20;

pipeline_block! {
    /// Hosts [`complete_adder`]. II = 1, no stall, no reset: what is in the pipe leaves it.
    clocked CompletePipeline
    inputs {
        /// First point: X, Y, Z of 254 bits, X lowest.
        p: Bits<762>,
        /// Second point.
        q: Bits<762>,
        /// Slot the sum belongs to.
        tag: Bits<20>,
        /// A pair enters.
        valid_in: Bit,
    }
    outputs {
        /// The sum.
        sum: Bits<762>,
        /// Its slot.
        tag_out: Bits<20>,
        /// A sum leaves.
        valid_out: Bit,
    }
}

impl CompletePipeline {
    /// The complete adder of a curve.
    pub fn new(curve: Curve, config: &DatapathConfig) -> CompletePipeline {
        CompletePipeline::host(complete_adder(curve, config, SLOT_BITS))
    }
}

/// The point adder of a profile, of either kind. A pair is taken in a cycle with `valid_in` and `ready`; `ready` depends
/// on registers only. Every pair taken ends in one sum, or in one cycle of `annihilated`; sums wait for nobody.
///
/// The complete adder is always ready and turns every pair into a sum, the point at infinity included; it tells neither
/// doublings nor annihilations apart. Where a profile has digit-serial multipliers it is a [`SerialAdder`], which does the same
/// but is not always ready. The batched one works on affine points: Z is the constant one, at both ends.
#[derive(LogicBlock)]
pub struct PointAdder {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets what is inside; [`PointAdder::flush_cycles`] later no sum of it is left.
    pub reset: Signal<In, Bit>,
    /// First point: X, Y, Z of 254 bits, X lowest.
    pub p: Signal<In, Bits<762>>,
    /// Second point.
    pub q: Signal<In, Bits<762>>,
    /// Slot the sum belongs to.
    pub tag: Signal<In, Bits<20>>,
    /// There is a pair.
    pub valid_in: Signal<In, Bit>,
    /// It is taken.
    pub ready: Signal<Out, Bit>,
    /// A sum.
    pub sum: Signal<Out, Bits<762>>,
    /// Its slot.
    pub tag_out: Signal<Out, Bits<20>>,
    /// A sum leaves.
    pub valid_out: Signal<Out, Bit>,
    /// A pair of opposite points was found: it gives no sum.
    pub annihilated: Signal<Out, Bit>,
    /// A pair of equal points was found.
    pub doubling: Signal<Out, Bit>,
    /// Pairs wait for their batch to be closed.
    pub waiting: Signal<Out, Bit>,
    complete: Vec<CompletePipeline>,
    serial: Vec<SerialAdder>,
    batched: Vec<BatchedAdder>,
    affine_sum: Signal<Local, Bits<508>>,
    one: Constant<Bits<762>>,
    _complete: usize,
    _serial: usize,
    _batched: usize,
    _latency: usize,
    _flush_cycles: usize,
}

impl PointAdder {
    /// The adder of a profile, on one of its curves.
    pub fn new(profile: &Profile, curve: Curve) -> PointAdder {
        let config = &profile.adder_datapath();
        let (mut complete, mut serial, mut batched) = (vec![], vec![], vec![]);
        match (profile.msm.adder, &profile.digit_serial) {
            (AdderKind::Complete, Some(digits)) => {
                serial.push(SerialAdder::new(curve, digits.adder_multipliers as usize));
            }
            (AdderKind::Complete, None) => complete.push(CompletePipeline::new(curve, config)),
            (AdderKind::BatchedAffine, _) => {
                let batch_pairs = profile.msm.batch_pairs as usize;
                batched.push(BatchedAdder::new(curve, config, batch_pairs, Pace::default()));
            }
        }
        let latency = match (&complete[..], &serial[..], &batched[..]) {
            ([pipeline], ..) => pipeline.latency(),
            (_, [adder], _) => adder.latency(),
            (.., [adder]) => adder.burst_cycles(profile.msm.batch_pairs as usize),
            _ => 0,
        };
        let flush_cycles = batched.iter().map(BatchedAdder::flush_cycles).max().unwrap_or(latency);
        let one = curve.base_field().one() << (2 * FIELD_BITS);
        PointAdder {
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
            affine_sum: Default::default(),
            one: Constant::new(one.into()),
            _complete: complete.len(),
            _serial: serial.len(),
            _batched: batched.len(),
            complete,
            serial,
            batched,
            _latency: latency,
            _flush_cycles: flush_cycles,
        }
    }

    /// Cycles from a pair to its sum, of the adder with digit-serial multipliers at most; of the batched adder, from the last pair of a lone full batch to its last sum, at
    /// most.
    pub fn latency(&self) -> usize {
        self._latency
    }

    /// Cycles after a reset in which sums of before it may still leave.
    pub fn flush_cycles(&self) -> usize {
        self._flush_cycles
    }
}

impl Logic for PointAdder {
    #[hdl_gen]
    fn update(&mut self) {
        self.ready.next = false;
        self.sum.next = 0.into();
        self.tag_out.next = 0.into();
        self.valid_out.next = false;
        self.annihilated.next = false;
        self.doubling.next = false;
        self.waiting.next = false;
        self.affine_sum.next = 0.into();
        for i in 0..self._complete {
            self.complete[i].clock.next = self.clock.val();
            self.complete[i].p.next = self.p.val();
            self.complete[i].q.next = self.q.val();
            self.complete[i].tag.next = self.tag.val();
            self.complete[i].valid_in.next = self.valid_in.val() & !self.reset.val();
            self.ready.next = true;
            self.sum.next = self.complete[i].sum.val();
            self.tag_out.next = self.complete[i].tag_out.val();
            self.valid_out.next = self.complete[i].valid_out.val();
        }
        for i in 0..self._serial {
            self.serial[i].clock.next = self.clock.val();
            self.serial[i].reset.next = self.reset.val();
            self.serial[i].p.next = self.p.val();
            self.serial[i].q.next = self.q.val();
            self.serial[i].tag.next = self.tag.val();
            self.serial[i].valid_in.next = self.valid_in.val();
            self.ready.next = self.serial[i].ready.val();
            self.sum.next = self.serial[i].sum.val();
            self.tag_out.next = self.serial[i].tag_out.val();
            self.valid_out.next = self.serial[i].valid_out.val();
        }
        for i in 0..self._batched {
            self.batched[i].clock.next = self.clock.val();
            self.batched[i].reset.next = self.reset.val();
            self.batched[i].p.next = self.p.val().get_bits::<508>(0);
            self.batched[i].q.next = self.q.val().get_bits::<508>(0);
            self.batched[i].tag.next = self.tag.val();
            self.batched[i].valid_in.next = self.valid_in.val();
            self.ready.next = self.batched[i].ready.val();
            self.affine_sum.next = self.batched[i].sum.val();
            self.sum.next = bit_cast::<762, 508>(self.affine_sum.val()) | self.one.val();
            self.tag_out.next = self.batched[i].tag_out.val();
            self.valid_out.next = self.batched[i].valid_out.val();
            self.annihilated.next = self.batched[i].annihilated.val();
            self.doubling.next = self.batched[i].doubling.val();
            self.waiting.next = self.batched[i].waiting.val();
        }
    }
}
