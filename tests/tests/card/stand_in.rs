//! Stand-ins for the engines, with their ports and nothing of their arithmetic: small enough that the control is tested
//! by the thousand commands.

use super::stand_in_hash::StandInHash;
use rust_hdl::prelude::*;
use spandrel_abi::{ABI_MAJOR, ABI_MINOR, CurveId, Identification, MAGIC_VALUE, msm_parameter};

/// Latency of [`StandInField`].
pub const FIELD_LATENCY: usize = 7;

/// "Adds" by sum, "subtracts" by difference, "multiplies" by exclusive or, all modulo 2^256; in Fr the result is inverted.
#[derive(LogicBlock)]
pub struct StandInField {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub a: Signal<In, Bits<256>>,
    pub b: Signal<In, Bits<256>>,
    pub field: Signal<In, Bit>,
    pub operation: Signal<In, Bits<2>>,
    pub valid_in: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
    pause: DFF<Bits<5>>,
    willing: Signal<Local, Bit>,
    pub result: Signal<Out, Bits<256>>,
    pub valid_out: Signal<Out, Bit>,
    values: Vec<DFF<Bits<256>>>,
    valids: Vec<DFF<Bit>>,
    value: Signal<Local, Bits<256>>,
    ones: Constant<Bits<256>>,
    _latency: usize,
    _last: usize,
}

impl Default for StandInField {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            a: Default::default(),
            b: Default::default(),
            field: Default::default(),
            operation: Default::default(),
            valid_in: Default::default(),
            ready: Default::default(),
            pause: Default::default(),
            willing: Default::default(),
            result: Default::default(),
            valid_out: Default::default(),
            values: (0..FIELD_LATENCY).map(|_| Default::default()).collect(),
            valids: (0..FIELD_LATENCY).map(|_| Default::default()).collect(),
            value: Default::default(),
            ones: Constant::new(Bits::mask()),
            _latency: FIELD_LATENCY,
            _last: FIELD_LATENCY - 1,
        }
    }
}

impl Logic for StandInField {
    #[hdl_gen]
    fn update(&mut self) {
        // Now and then it is not ready, so that whoever does not wait loses operations.
        dff_setup!(self, clock, pause);
        self.pause.d.next = self.pause.q.val() + 1;
        if self.reset.val() {
            self.pause.d.next = 0.into();
        }
        self.willing.next = self.pause.q.val() < 31;
        self.ready.next = self.willing.val();
        self.value.next = self.a.val() ^ self.b.val();
        if self.operation.val() == 0 {
            self.value.next = self.a.val() + self.b.val();
        }
        if self.operation.val() == 1 {
            self.value.next = self.a.val() - self.b.val();
        }
        if self.field.val() {
            self.value.next = self.value.val() ^ self.ones.val();
        }
        for i in 0..7 {
            self.values[i].clock.next = self.clock.val();
            self.valids[i].clock.next = self.clock.val();
        }
        self.values[0].d.next = self.value.val();
        self.valids[0].d.next = self.valid_in.val() & self.willing.val();
        for i in 1..7 {
            self.values[i].d.next = self.values[i - 1].q.val();
            self.valids[i].d.next = self.valids[i - 1].q.val();
        }
        self.result.next = self.values[6].q.val();
        self.valid_out.next = self.valids[6].q.val();
    }
}

/// What [`StandInField`] computes, in software.
pub fn field_result(field: u8, operation: u8, a: &[u8], b: &[u8]) -> [u8; 32] {
    let [a, b] = [a, b].map(num_bigint::BigUint::from_bytes_le);
    let modulus = num_bigint::BigUint::from(1u8) << 256;
    let value = match operation {
        0 => (a + b) % &modulus,
        1 => (a + &modulus - b) % &modulus,
        _ => a ^ b,
    };
    let value = if field == 1 { &modulus - 1u8 - value } else { value };
    let mut bytes = value.to_bytes_le();
    bytes.resize(32, 0);
    bytes.try_into().unwrap()
}

/// The bits per window that a job may choose.
pub const WINDOW_CHOICES: [u32; 2] = [4, 15];
/// The parameter of a job with the first of them.
pub const PARAMETER: u32 = msm_parameter(CurveId::Bn254G1, WINDOW_CHOICES[0] as u8);

/// Beats of result for each choice.
pub fn result_beats(choice: usize) -> usize {
    3 * identification().msm_result_points(WINDOW_CHOICES[choice])
}

/// Takes `count` scalars and points, sums the scalars and the halves of the points modulo 2^256, and gives the sum of all,
/// plus one for each beat already given. It takes some cycles to clear itself after a reset.
#[derive(LogicBlock)]
pub struct StandInMsm {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub start: Signal<In, Bit>,
    pub count: Signal<In, Bits<32>>,
    pub window_choice: Signal<In, Bits<4>>,
    pub second_curve: Signal<In, Bit>,
    pub busy: Signal<Out, Bit>,
    pub scalar_data: Signal<In, Bits<256>>,
    pub scalar_valid: Signal<In, Bit>,
    pub scalar_ready: Signal<Out, Bit>,
    pub point_data: Signal<In, Bits<512>>,
    pub point_valid: Signal<In, Bit>,
    pub point_ready: Signal<Out, Bit>,
    pub result_data: Signal<Out, Bits<256>>,
    pub result_valid: Signal<Out, Bit>,
    pub result_ready: Signal<In, Bit>,
    pub cycles: Signal<Out, Bits<64>>,
    pub additions: Signal<Out, Bits<64>>,
    pub digits: Signal<Out, Bits<64>>,
    pub elements: Signal<Out, Bits<64>>,
    pub bucket_cycles: Signal<Out, Bits<64>>,
    pub reduction_cycles: Signal<Out, Bits<64>>,
    pub idle_cycles: Signal<Out, Bits<64>>,
    pub digit_stall_cycles: Signal<Out, Bits<64>>,
    pub idle_no_pair_cycles: Signal<Out, Bits<64>>,
    pub idle_batch_cycles: Signal<Out, Bits<64>>,
    pub idle_adder_cycles: Signal<Out, Bits<64>>,
    pub idle_memory_cycles: Signal<Out, Bits<64>>,
    pub idle_host_cycles: Signal<Out, Bits<64>>,
    pub idle_drain_cycles: Signal<Out, Bits<64>>,
    pub parked: Signal<Out, Bits<64>>,
    pub matched: Signal<Out, Bits<64>>,
    pub doublings: Signal<Out, Bits<64>>,
    pub annihilations: Signal<Out, Bits<64>>,
    sum: DFF<Bits<256>>,
    scalars_left: DFF<Bits<32>>,
    points_left: DFF<Bits<32>>,
    results_left: DFF<Bits<32>>,
    taken: DFF<Bits<64>>,
    clearing: DFF<Bits<8>>,
    next_sum: Signal<Local, Bits<256>>,
    scalar: Signal<Local, Bit>,
    point: Signal<Local, Bit>,
    giving: Signal<Local, Bit>,
    first_beats: Constant<Bits<32>>,
    second_beats: Constant<Bits<32>>,
}

impl Default for StandInMsm {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            window_choice: Default::default(),
            second_curve: Default::default(),
            busy: Default::default(),
            scalar_data: Default::default(),
            scalar_valid: Default::default(),
            scalar_ready: Default::default(),
            point_data: Default::default(),
            point_valid: Default::default(),
            point_ready: Default::default(),
            result_data: Default::default(),
            result_valid: Default::default(),
            result_ready: Default::default(),
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
            sum: Default::default(),
            scalars_left: Default::default(),
            points_left: Default::default(),
            results_left: Default::default(),
            taken: Default::default(),
            clearing: Default::default(),
            next_sum: Default::default(),
            scalar: Default::default(),
            point: Default::default(),
            giving: Default::default(),
            first_beats: Constant::new(result_beats(0).to_bits()),
            second_beats: Constant::new(result_beats(1).to_bits()),
        }
    }
}

impl Logic for StandInMsm {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sum, scalars_left, points_left, results_left, taken, clearing);
        self.busy.next = (self.results_left.q.val() != 0) | (self.clearing.q.val() != 0);
        self.scalar_ready.next = self.scalars_left.q.val() != 0;
        self.point_ready.next = self.points_left.q.val() != 0;
        self.scalar.next = self.scalar_valid.val() & (self.scalars_left.q.val() != 0);
        self.point.next = self.point_valid.val() & (self.points_left.q.val() != 0);
        self.giving.next = (self.results_left.q.val() != 0)
            & (self.scalars_left.q.val() == 0)
            & (self.points_left.q.val() == 0)
            & (self.clearing.q.val() == 0);
        self.result_valid.next = self.giving.val();
        self.result_data.next = self.sum.q.val();
        self.next_sum.next = self.sum.q.val();
        if self.scalar.val() {
            self.next_sum.next = self.next_sum.val() + self.scalar_data.val();
            self.scalars_left.d.next = self.scalars_left.q.val() - 1;
            self.taken.d.next = self.taken.q.val() + 1;
        }
        if self.point.val() {
            self.next_sum.next = self.next_sum.val()
                + self.point_data.val().get_bits::<256>(0)
                + self.point_data.val().get_bits::<256>(256);
            self.points_left.d.next = self.points_left.q.val() - 1;
        }
        if self.giving.val() & self.result_ready.val() {
            self.next_sum.next = self.sum.q.val() + 1;
            self.results_left.d.next = self.results_left.q.val() - 1;
        }
        self.sum.d.next = self.next_sum.val();
        if self.clearing.q.val() != 0 {
            self.clearing.d.next = self.clearing.q.val() - 1;
        }
        if self.start.val() & (self.results_left.q.val() == 0) & (self.clearing.q.val() == 0) {
            self.sum.d.next = 0.into();
            self.scalars_left.d.next = self.count.val();
            self.points_left.d.next = self.count.val();
            self.results_left.d.next = self.first_beats.val();
            if self.window_choice.val() == 1 {
                self.results_left.d.next = self.second_beats.val();
            }
            self.taken.d.next = 0.into();
        }
        self.cycles.next = 101.into();
        self.additions.next = 102.into();
        self.digits.next = 103.into();
        self.elements.next = self.taken.q.val();
        self.bucket_cycles.next = 104.into();
        self.reduction_cycles.next = 105.into();
        self.idle_cycles.next = 106.into();
        self.digit_stall_cycles.next = 107.into();
        self.idle_no_pair_cycles.next = 108.into();
        self.idle_batch_cycles.next = 109.into();
        self.idle_adder_cycles.next = 110.into();
        self.idle_memory_cycles.next = 111.into();
        self.idle_host_cycles.next = 112.into();
        self.idle_drain_cycles.next = 113.into();
        self.parked.next = 114.into();
        self.matched.next = 115.into();
        self.doublings.next = 116.into();
        self.annihilations.next = 117.into();
        if self.reset.val() {
            self.sum.d.next = 0.into();
            self.scalars_left.d.next = 0.into();
            self.points_left.d.next = 0.into();
            self.results_left.d.next = 0.into();
            self.clearing.d.next = 50.into();
        }
    }
}

/// What [`StandInMsm`] gives with the choice of windows of this number, in software.
pub fn msm_result(choice: usize, scalars: &[u8], points: &[u8]) -> Vec<u8> {
    let modulus = num_bigint::BigUint::from(1u8) << 256;
    let words = scalars.chunks(32).chain(points.chunks(32)).map(num_bigint::BigUint::from_bytes_le);
    let sum = words.sum::<num_bigint::BigUint>();
    let beat = |index: usize| {
        let value: num_bigint::BigUint = (&sum + index) % &modulus;
        let mut bytes = value.to_bytes_le();
        bytes.resize(32, 0);
        bytes
    };
    (0..result_beats(choice)).flat_map(beat).collect()
}

spandrel_hdl::card_top! {
    /// The card's control with stand-ins for the engines.
    StandInCard, StandInMsm, StandInField, StandInHash
}

/// Card memory of the stand-in card.
pub const CARD_MEMORY_KIB: u32 = 256;

/// What the stand-in card says of itself.
pub fn identification() -> Identification {
    Identification {
        magic: MAGIC_VALUE,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        git_revision: 0x1234_5678,
        board: 9,
        clock_khz: 100_000,
        has_msm: true,
        has_field: true,
        msm_curves: 1 << CurveId::Bn254G1 as u32,
        msm_window_choices: WINDOW_CHOICES.iter().fold(0, |mask, bits| mask | 1 << bits),
        msm_adders: 2,
        msm_adder_kind: 0,
        msm_latency_cycles: 3,
        card_memory_kib: CARD_MEMORY_KIB,
        field_latency_cycles: FIELD_LATENCY as u32,
        has_poseidon: true,
        poseidon_lanes: [0, 2, 0, 1],
        poseidon_latency_cycles: 20,
    }
}

/// A card with stand-ins for the engines.
pub fn stand_in_card() -> StandInCard {
    let mut card = StandInCard::assemble(
        identification(),
        StandInMsm::default(),
        StandInField::default(),
        StandInHash::default(),
    );
    card.connect_all();
    card
}
