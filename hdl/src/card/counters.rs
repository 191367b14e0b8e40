//! The counters of a job.

use rust_hdl::prelude::*;
use spandrel_abi::{COUNTERS_BYTES, Counters};

/// Counts bytes and, for the field vector and hash engines, cycles and what they did; keeps all counters of the last job that counts.
#[derive(LogicBlock)]
pub struct JobCounters {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Zeroes everything, the kept counters too.
    pub reset: Signal<In, Bit>,
    /// Pulse: a job begins.
    pub job_start: Signal<In, Bit>,
    /// Pulse: the job has ended: keep its counters.
    pub job_end: Signal<In, Bit>,
    /// The job is an MSM: the engine's own counters are kept.
    pub is_msm: Signal<In, Bit>,
    /// The MSM engine's counters, as [`MsmCounters`](super::MsmCounters) lays them out.
    pub msm: Signal<In, Bits<2048>>,
    /// The field vector engine runs.
    pub vector_busy: Signal<In, Bit>,
    /// The field vector engine takes an operand pair.
    pub vector_issued: Signal<In, Bit>,
    /// The hash engine runs.
    pub hash_busy: Signal<In, Bit>,
    /// The hash engine has finished a hash.
    pub hashed: Signal<In, Bit>,
    /// Lanes of the hash engine that work on a state in this cycle.
    pub hash_passes: Signal<In, Bits<8>>,
    /// Lanes of the hash engine that have no state in this cycle.
    pub hash_starved: Signal<In, Bits<8>>,
    /// A beat came from host memory.
    pub host_read_beat: Signal<In, Bit>,
    /// A beat went to host memory.
    pub host_write_beat: Signal<In, Bit>,
    /// A beat came from card memory.
    pub card_read_beat: Signal<In, Bit>,
    /// A beat went to card memory.
    pub card_write_beat: Signal<In, Bit>,
    /// The kept counters: thirty-two words of 64 bits, as ReadCounters writes them.
    pub kept: Signal<Out, Bits<2048>>,
    cycles: DFF<Bits<64>>,
    elements: DFF<Bits<64>>,
    passes: DFF<Bits<64>>,
    starved: DFF<Bits<64>>,
    host_read: DFF<Bits<64>>,
    host_write: DFF<Bits<64>>,
    card_read: DFF<Bits<64>>,
    card_write: DFF<Bits<64>>,
    keep: DFF<Bits<2048>>,
    bytes: Signal<Local, Bits<2048>>,
    own: Signal<Local, Bits<2048>>,
    at_cycles: Constant<Bits<16>>,
    at_elements: Constant<Bits<16>>,
    at_passes: Constant<Bits<16>>,
    at_starved: Constant<Bits<16>>,
    at_host_read: Constant<Bits<16>>,
    at_host_write: Constant<Bits<16>>,
    at_card_read: Constant<Bits<16>>,
    at_card_write: Constant<Bits<16>>,
}

/// Bit at which a counter of the interface lies.
pub(super) fn at(name: &str) -> Constant<Bits<16>> {
    let index = Counters::LAYOUT.iter().find(|(known, ..)| *known == name).map(|(_, index, _)| *index);
    let Some(index) = index else { panic!("the interface has no counter {name}") };
    Constant::new((64 * index).to_bits())
}

impl Default for JobCounters {
    fn default() -> Self {
        assert_eq!(8 * COUNTERS_BYTES, 2048);
        Self {
            clock: Default::default(),
            reset: Default::default(),
            job_start: Default::default(),
            job_end: Default::default(),
            is_msm: Default::default(),
            msm: Default::default(),
            vector_busy: Default::default(),
            vector_issued: Default::default(),
            hash_busy: Default::default(),
            hashed: Default::default(),
            hash_passes: Default::default(),
            hash_starved: Default::default(),
            host_read_beat: Default::default(),
            host_write_beat: Default::default(),
            card_read_beat: Default::default(),
            card_write_beat: Default::default(),
            kept: Default::default(),
            cycles: Default::default(),
            elements: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            host_read: Default::default(),
            host_write: Default::default(),
            card_read: Default::default(),
            card_write: Default::default(),
            keep: Default::default(),
            bytes: Default::default(),
            own: Default::default(),
            at_cycles: at("cycles"),
            at_elements: at("elements"),
            at_passes: at("hash_passes"),
            at_starved: at("hash_starved"),
            at_host_read: at("host_read_bytes"),
            at_host_write: at("host_write_bytes"),
            at_card_read: at("card_read_bytes"),
            at_card_write: at("card_write_bytes"),
        }
    }
}

impl Logic for JobCounters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, cycles, elements, passes, starved, host_read, host_write, card_read, card_write,
            keep
        );
        self.kept.next = self.keep.q.val();
        if self.vector_busy.val() | self.hash_busy.val() {
            self.cycles.d.next = self.cycles.q.val() + 1;
        }
        if self.vector_issued.val() | self.hashed.val() {
            self.elements.d.next = self.elements.q.val() + 1;
        }
        self.passes.d.next = self.passes.q.val() + bit_cast::<64, 8>(self.hash_passes.val());
        self.starved.d.next = self.starved.q.val() + bit_cast::<64, 8>(self.hash_starved.val());
        if self.host_read_beat.val() {
            self.host_read.d.next = self.host_read.q.val() + 32;
        }
        if self.host_write_beat.val() {
            self.host_write.d.next = self.host_write.q.val() + 32;
        }
        if self.card_read_beat.val() {
            self.card_read.d.next = self.card_read.q.val() + 64;
        }
        if self.card_write_beat.val() {
            self.card_write.d.next = self.card_write.q.val() + 64;
        }
        self.bytes.next = (bit_cast::<2048, 64>(self.host_read.q.val()) << self.at_host_read.val())
            | (bit_cast::<2048, 64>(self.host_write.q.val()) << self.at_host_write.val())
            | (bit_cast::<2048, 64>(self.card_read.q.val()) << self.at_card_read.val())
            | (bit_cast::<2048, 64>(self.card_write.q.val()) << self.at_card_write.val());
        self.own.next = (bit_cast::<2048, 64>(self.cycles.q.val()) << self.at_cycles.val())
            | (bit_cast::<2048, 64>(self.elements.q.val()) << self.at_elements.val())
            | (bit_cast::<2048, 64>(self.passes.q.val()) << self.at_passes.val())
            | (bit_cast::<2048, 64>(self.starved.q.val()) << self.at_starved.val());
        if self.job_end.val() {
            if self.is_msm.val() {
                self.keep.d.next = self.msm.val() | self.bytes.val();
            } else {
                self.keep.d.next = self.own.val() | self.bytes.val();
            }
        }
        if self.job_start.val() | self.reset.val() {
            self.cycles.d.next = 0.into();
            self.elements.d.next = 0.into();
            self.passes.d.next = 0.into();
            self.starved.d.next = 0.into();
            self.host_read.d.next = 0.into();
            self.host_write.d.next = 0.into();
            self.card_read.d.next = 0.into();
            self.card_write.d.next = 0.into();
        }
        if self.reset.val() {
            self.keep.d.next = 0.into();
        }
    }
}
