//! The counters of a job.

use rust_hdl::prelude::*;
use spandrel_abi::{COUNTERS_BYTES, Counters};

/// Counts bytes and, for the field vector engine, cycles and elements; keeps all counters of the last job that counts.
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
    /// The MSM engine's `cycles`.
    pub msm_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `additions`.
    pub msm_additions: Signal<In, Bits<64>>,
    /// The MSM engine's `digits`.
    pub msm_digits: Signal<In, Bits<64>>,
    /// The MSM engine's `elements`.
    pub msm_elements: Signal<In, Bits<64>>,
    /// The MSM engine's `bucket_cycles`.
    pub msm_bucket_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `reduction_cycles`.
    pub msm_reduction_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `idle_cycles`.
    pub msm_idle_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `digit_stall_cycles`.
    pub msm_digit_stall_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `idle_no_pair_cycles`.
    pub msm_idle_no_pair_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `idle_batch_cycles`.
    pub msm_idle_batch_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `idle_adder_cycles`.
    pub msm_idle_adder_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `idle_memory_cycles`.
    pub msm_idle_memory_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `idle_host_cycles`.
    pub msm_idle_host_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `idle_drain_cycles`.
    pub msm_idle_drain_cycles: Signal<In, Bits<64>>,
    /// The MSM engine's `parked`.
    pub msm_parked: Signal<In, Bits<64>>,
    /// The MSM engine's `matched`.
    pub msm_matched: Signal<In, Bits<64>>,
    /// The MSM engine's `doublings`.
    pub msm_doublings: Signal<In, Bits<64>>,
    /// The MSM engine's `annihilations`.
    pub msm_annihilations: Signal<In, Bits<64>>,
    /// The field vector engine runs.
    pub vector_busy: Signal<In, Bit>,
    /// The field vector engine takes an operand pair.
    pub vector_issued: Signal<In, Bit>,
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
    host_read: DFF<Bits<64>>,
    host_write: DFF<Bits<64>>,
    card_read: DFF<Bits<64>>,
    card_write: DFF<Bits<64>>,
    keep: DFF<Bits<2048>>,
    bytes: Signal<Local, Bits<2048>>,
    own: Signal<Local, Bits<2048>>,
    engine: Signal<Local, Bits<2048>>,
    causes: Signal<Local, Bits<2048>>,
    at_cycles: Constant<Bits<16>>,
    at_additions: Constant<Bits<16>>,
    at_digits: Constant<Bits<16>>,
    at_elements: Constant<Bits<16>>,
    at_bucket_cycles: Constant<Bits<16>>,
    at_reduction_cycles: Constant<Bits<16>>,
    at_idle_cycles: Constant<Bits<16>>,
    at_digit_stall_cycles: Constant<Bits<16>>,
    at_idle_no_pair_cycles: Constant<Bits<16>>,
    at_idle_batch_cycles: Constant<Bits<16>>,
    at_idle_adder_cycles: Constant<Bits<16>>,
    at_idle_memory_cycles: Constant<Bits<16>>,
    at_idle_host_cycles: Constant<Bits<16>>,
    at_idle_drain_cycles: Constant<Bits<16>>,
    at_parked: Constant<Bits<16>>,
    at_matched: Constant<Bits<16>>,
    at_doublings: Constant<Bits<16>>,
    at_annihilations: Constant<Bits<16>>,
    at_host_read: Constant<Bits<16>>,
    at_host_write: Constant<Bits<16>>,
    at_card_read: Constant<Bits<16>>,
    at_card_write: Constant<Bits<16>>,
}

/// Bit at which a counter of the interface lies.
fn at(name: &str) -> Constant<Bits<16>> {
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
            msm_cycles: Default::default(),
            msm_additions: Default::default(),
            msm_digits: Default::default(),
            msm_elements: Default::default(),
            msm_bucket_cycles: Default::default(),
            msm_reduction_cycles: Default::default(),
            msm_idle_cycles: Default::default(),
            msm_digit_stall_cycles: Default::default(),
            msm_idle_no_pair_cycles: Default::default(),
            msm_idle_batch_cycles: Default::default(),
            msm_idle_adder_cycles: Default::default(),
            msm_idle_memory_cycles: Default::default(),
            msm_idle_host_cycles: Default::default(),
            msm_idle_drain_cycles: Default::default(),
            msm_parked: Default::default(),
            msm_matched: Default::default(),
            msm_doublings: Default::default(),
            msm_annihilations: Default::default(),
            vector_busy: Default::default(),
            vector_issued: Default::default(),
            host_read_beat: Default::default(),
            host_write_beat: Default::default(),
            card_read_beat: Default::default(),
            card_write_beat: Default::default(),
            kept: Default::default(),
            cycles: Default::default(),
            elements: Default::default(),
            host_read: Default::default(),
            host_write: Default::default(),
            card_read: Default::default(),
            card_write: Default::default(),
            keep: Default::default(),
            bytes: Default::default(),
            own: Default::default(),
            engine: Default::default(),
            causes: Default::default(),
            at_cycles: at("cycles"),
            at_additions: at("additions"),
            at_digits: at("digits"),
            at_elements: at("elements"),
            at_bucket_cycles: at("bucket_cycles"),
            at_reduction_cycles: at("reduction_cycles"),
            at_idle_cycles: at("idle_cycles"),
            at_digit_stall_cycles: at("digit_stall_cycles"),
            at_idle_no_pair_cycles: at("idle_no_pair_cycles"),
            at_idle_batch_cycles: at("idle_batch_cycles"),
            at_idle_adder_cycles: at("idle_adder_cycles"),
            at_idle_memory_cycles: at("idle_memory_cycles"),
            at_idle_host_cycles: at("idle_host_cycles"),
            at_idle_drain_cycles: at("idle_drain_cycles"),
            at_parked: at("parked"),
            at_matched: at("matched"),
            at_doublings: at("doublings"),
            at_annihilations: at("annihilations"),
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
        dff_setup!(self, clock, cycles, elements, host_read, host_write, card_read, card_write, keep);
        self.kept.next = self.keep.q.val();
        if self.vector_busy.val() {
            self.cycles.d.next = self.cycles.q.val() + 1;
        }
        if self.vector_issued.val() {
            self.elements.d.next = self.elements.q.val() + 1;
        }
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
            | (bit_cast::<2048, 64>(self.elements.q.val()) << self.at_elements.val());
        self.engine.next = (bit_cast::<2048, 64>(self.msm_cycles.val()) << self.at_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_additions.val()) << self.at_additions.val())
            | (bit_cast::<2048, 64>(self.msm_digits.val()) << self.at_digits.val())
            | (bit_cast::<2048, 64>(self.msm_elements.val()) << self.at_elements.val())
            | (bit_cast::<2048, 64>(self.msm_bucket_cycles.val()) << self.at_bucket_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_reduction_cycles.val()) << self.at_reduction_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_idle_cycles.val()) << self.at_idle_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_digit_stall_cycles.val()) << self.at_digit_stall_cycles.val());
        self.causes.next = (bit_cast::<2048, 64>(self.msm_idle_no_pair_cycles.val())
            << self.at_idle_no_pair_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_idle_batch_cycles.val()) << self.at_idle_batch_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_idle_adder_cycles.val()) << self.at_idle_adder_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_idle_memory_cycles.val()) << self.at_idle_memory_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_idle_host_cycles.val()) << self.at_idle_host_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_idle_drain_cycles.val()) << self.at_idle_drain_cycles.val())
            | (bit_cast::<2048, 64>(self.msm_parked.val()) << self.at_parked.val())
            | (bit_cast::<2048, 64>(self.msm_matched.val()) << self.at_matched.val())
            | (bit_cast::<2048, 64>(self.msm_doublings.val()) << self.at_doublings.val())
            | (bit_cast::<2048, 64>(self.msm_annihilations.val()) << self.at_annihilations.val());
        if self.job_end.val() {
            if self.is_msm.val() {
                self.keep.d.next = self.engine.val() | self.causes.val() | self.bytes.val();
            } else {
                self.keep.d.next = self.own.val() | self.bytes.val();
            }
        }
        if self.job_start.val() | self.reset.val() {
            self.cycles.d.next = 0.into();
            self.elements.d.next = 0.into();
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
