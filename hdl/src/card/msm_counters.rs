//! The MSM engine's counters as a block of words.

use super::counters::at;
use rust_hdl::prelude::*;

/// Lays the MSM engine's counters out as [`spandrel_abi::Counters`] says; combinational.
#[derive(LogicBlock)]
pub struct MsmCounters {
    /// The engine's counter `cycles`.
    pub cycles: Signal<In, Bits<64>>,
    /// The engine's counter `additions`.
    pub additions: Signal<In, Bits<64>>,
    /// The engine's counter `digits`.
    pub digits: Signal<In, Bits<64>>,
    /// The engine's counter `elements`.
    pub elements: Signal<In, Bits<64>>,
    /// The engine's counter `bucket_cycles`.
    pub bucket_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `reduction_cycles`.
    pub reduction_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `idle_cycles`.
    pub idle_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `digit_stall_cycles`.
    pub digit_stall_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `idle_no_pair_cycles`.
    pub idle_no_pair_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `idle_batch_cycles`.
    pub idle_batch_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `idle_adder_cycles`.
    pub idle_adder_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `idle_memory_cycles`.
    pub idle_memory_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `idle_host_cycles`.
    pub idle_host_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `idle_drain_cycles`.
    pub idle_drain_cycles: Signal<In, Bits<64>>,
    /// The engine's counter `parked`.
    pub parked: Signal<In, Bits<64>>,
    /// The engine's counter `matched`.
    pub matched: Signal<In, Bits<64>>,
    /// The engine's counter `doublings`.
    pub doublings: Signal<In, Bits<64>>,
    /// The engine's counter `annihilations`.
    pub annihilations: Signal<In, Bits<64>>,
    /// Thirty-two words of 64 bits; those that the engine does not count are zero.
    pub block: Signal<Out, Bits<2048>>,
    work: Signal<Local, Bits<2048>>,
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
}

impl Default for MsmCounters {
    fn default() -> Self {
        Self {
            cycles: Default::default(),
            additions: Default::default(),
            digits: Default::default(),
            elements: Default::default(),
            bucket_cycles: Default::default(),
            reduction_cycles: Default::default(),
            idle_cycles: Default::default(),
            digit_stall_cycles: Default::default(),
            idle_no_pair_cycles: Default::default(),
            idle_batch_cycles: Default::default(),
            idle_adder_cycles: Default::default(),
            idle_memory_cycles: Default::default(),
            idle_host_cycles: Default::default(),
            idle_drain_cycles: Default::default(),
            parked: Default::default(),
            matched: Default::default(),
            doublings: Default::default(),
            annihilations: Default::default(),
            block: Default::default(),
            work: Default::default(),
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
        }
    }
}

impl Logic for MsmCounters {
    #[hdl_gen]
    fn update(&mut self) {
        self.work.next = (bit_cast::<2048, 64>(self.cycles.val()) << self.at_cycles.val())
            | (bit_cast::<2048, 64>(self.additions.val()) << self.at_additions.val())
            | (bit_cast::<2048, 64>(self.digits.val()) << self.at_digits.val())
            | (bit_cast::<2048, 64>(self.elements.val()) << self.at_elements.val())
            | (bit_cast::<2048, 64>(self.bucket_cycles.val()) << self.at_bucket_cycles.val())
            | (bit_cast::<2048, 64>(self.reduction_cycles.val()) << self.at_reduction_cycles.val())
            | (bit_cast::<2048, 64>(self.idle_cycles.val()) << self.at_idle_cycles.val())
            | (bit_cast::<2048, 64>(self.digit_stall_cycles.val()) << self.at_digit_stall_cycles.val());
        self.causes.next = (bit_cast::<2048, 64>(self.idle_no_pair_cycles.val())
            << self.at_idle_no_pair_cycles.val())
            | (bit_cast::<2048, 64>(self.idle_batch_cycles.val()) << self.at_idle_batch_cycles.val())
            | (bit_cast::<2048, 64>(self.idle_adder_cycles.val()) << self.at_idle_adder_cycles.val())
            | (bit_cast::<2048, 64>(self.idle_memory_cycles.val()) << self.at_idle_memory_cycles.val())
            | (bit_cast::<2048, 64>(self.idle_host_cycles.val()) << self.at_idle_host_cycles.val())
            | (bit_cast::<2048, 64>(self.idle_drain_cycles.val()) << self.at_idle_drain_cycles.val())
            | (bit_cast::<2048, 64>(self.parked.val()) << self.at_parked.val())
            | (bit_cast::<2048, 64>(self.matched.val()) << self.at_matched.val())
            | (bit_cast::<2048, 64>(self.doublings.val()) << self.at_doublings.val())
            | (bit_cast::<2048, 64>(self.annihilations.val()) << self.at_annihilations.val());
        self.block.next = self.work.val() | self.causes.val();
    }
}
