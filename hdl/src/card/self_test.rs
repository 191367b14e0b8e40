//! Known answers through the field unit and the MSM engine.

use super::known_answers::KnownAnswers;
use super::windows::result_beats;
use rust_hdl::prelude::*;
use spandrel_abi::Identification;

/// Where [`SelfTest`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum SelfTestState {
    /// Waits.
    Idle,
    /// Feeds the field unit.
    Field,
    /// Waits for the field unit's last result.
    FieldEnd,
    /// Starts the MSM engine.
    Launch,
    /// Feeds the MSM engine and reads its results.
    Msm,
}

/// Operations that go through the field unit: three in each of two fields.
const FIELD_ANSWERS: u64 = 6;

/// The self-test: six field operations (add, subtract, multiply in Fq and Fr), then an MSM of the generator with
/// itself, both scalars one, whose first result must be the double of the generator as the card's adder gives it,
/// and whose other results must be the point at infinity.
#[derive(LogicBlock)]
pub struct SelfTest {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin; only while `busy` and the engines are idle.
    pub start: Signal<In, Bit>,
    /// High from the cycle after `start` to the end.
    pub busy: Signal<Out, Bit>,
    /// An answer was wrong; stands until the next start.
    pub failed: Signal<Out, Bit>,
    /// Field unit: first operand.
    pub unit_a: Signal<Out, Bits<256>>,
    /// Field unit: second operand.
    pub unit_b: Signal<Out, Bits<256>>,
    /// Field unit: field.
    pub unit_field: Signal<Out, Bit>,
    /// Field unit: operation.
    pub unit_operation: Signal<Out, Bits<2>>,
    /// Field unit: an operation enters.
    pub unit_valid: Signal<Out, Bit>,
    /// Field unit: it is taken.
    pub unit_ready: Signal<In, Bit>,
    /// Field unit: result.
    pub unit_result: Signal<In, Bits<256>>,
    /// Field unit: a result leaves.
    pub unit_result_valid: Signal<In, Bit>,
    /// MSM engine: start.
    pub msm_start: Signal<Out, Bit>,
    /// MSM engine: it runs.
    pub msm_busy: Signal<In, Bit>,
    /// Scalars for the MSM engine.
    pub scalar_data: Signal<Out, Bits<256>>,
    /// `scalar_data` is a scalar.
    pub scalar_valid: Signal<Out, Bit>,
    /// The scalar is taken.
    pub scalar_ready: Signal<In, Bit>,
    /// Points for the MSM engine.
    pub point_data: Signal<Out, Bits<512>>,
    /// `point_data` is a point.
    pub point_valid: Signal<Out, Bit>,
    /// The point is taken.
    pub point_ready: Signal<In, Bit>,
    /// Coordinates from the MSM engine.
    pub result_data: Signal<In, Bits<256>>,
    /// `result_data` is a coordinate.
    pub result_valid: Signal<In, Bit>,
    /// The coordinate is taken.
    pub result_ready: Signal<Out, Bit>,
    state: DFF<SelfTestState>,
    wrong: DFF<Bit>,
    asked: DFF<Bits<8>>,
    answered: DFF<Bits<8>>,
    scalars_left: DFF<Bits<8>>,
    points_left: DFF<Bits<8>>,
    results_left: DFF<Bits<32>>,
    coordinate: DFF<Bits<2>>,
    first_point: DFF<Bit>,
    field_wrong: Signal<Local, Bit>,
    field_expected: Signal<Local, Bits<256>>,
    coordinate_expected: Signal<Local, Bits<256>>,
    fq_a: Constant<Bits<256>>,
    fq_b: Constant<Bits<256>>,
    fq_sum: Constant<Bits<256>>,
    fq_difference: Constant<Bits<256>>,
    fq_product: Constant<Bits<256>>,
    fr_a: Constant<Bits<256>>,
    fr_b: Constant<Bits<256>>,
    fr_sum: Constant<Bits<256>>,
    fr_difference: Constant<Bits<256>>,
    fr_product: Constant<Bits<256>>,
    generator: Constant<Bits<512>>,
    double_x: Constant<Bits<256>>,
    double_y: Constant<Bits<256>>,
    double_z: Constant<Bits<256>>,
    field_answers: Constant<Bits<8>>,
    result_beats: Constant<Bits<32>>,
}

/// Elements of the self-test's MSM.
pub(super) const SELF_TEST_MSM_COUNT: u64 = 2;

impl SelfTest {
    /// The test of a card that identifies itself so. Its MSM takes the fewest bits per window that there are, and the
    /// first curve.
    pub fn new(identification: &Identification) -> Self {
        let answers = KnownAnswers::compute(identification);
        let window_bits = identification.window_choices().next().unwrap_or_default();
        let result_beats = result_beats(identification, window_bits);
        let word = |value: &num_bigint::BigUint| Constant::new(Bits::<256>::from(value.clone()));
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            busy: Default::default(),
            failed: Default::default(),
            unit_a: Default::default(),
            unit_b: Default::default(),
            unit_field: Default::default(),
            unit_operation: Default::default(),
            unit_valid: Default::default(),
            unit_ready: Default::default(),
            unit_result: Default::default(),
            unit_result_valid: Default::default(),
            msm_start: Default::default(),
            msm_busy: Default::default(),
            scalar_data: Default::default(),
            scalar_valid: Default::default(),
            scalar_ready: Default::default(),
            point_data: Default::default(),
            point_valid: Default::default(),
            point_ready: Default::default(),
            result_data: Default::default(),
            result_valid: Default::default(),
            result_ready: Default::default(),
            state: Default::default(),
            wrong: Default::default(),
            asked: Default::default(),
            answered: Default::default(),
            scalars_left: Default::default(),
            points_left: Default::default(),
            results_left: Default::default(),
            coordinate: Default::default(),
            first_point: Default::default(),
            field_wrong: Default::default(),
            field_expected: Default::default(),
            coordinate_expected: Default::default(),
            fq_a: word(&answers.fq.a),
            fq_b: word(&answers.fq.b),
            fq_sum: word(&answers.fq.sum),
            fq_difference: word(&answers.fq.difference),
            fq_product: word(&answers.fq.product),
            fr_a: word(&answers.fr.a),
            fr_b: word(&answers.fr.b),
            fr_sum: word(&answers.fr.sum),
            fr_difference: word(&answers.fr.difference),
            fr_product: word(&answers.fr.product),
            generator: Constant::new(Bits::from(&answers.generator[0] + (&answers.generator[1] << 256))),
            double_x: word(&answers.double[0]),
            double_y: word(&answers.double[1]),
            double_z: word(&answers.double[2]),
            field_answers: Constant::new(FIELD_ANSWERS.into()),
            result_beats: Constant::new(result_beats.to_bits()),
        }
    }
}

impl Logic for SelfTest {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, wrong, asked, answered, scalars_left, points_left);
        dff_setup!(self, clock, results_left, coordinate, first_point);
        self.failed.next = self.wrong.q.val();
        self.busy.next = true;
        self.unit_valid.next = false;
        self.msm_start.next = false;
        self.result_ready.next = false;
        self.scalar_data.next = 1.into();
        self.scalar_valid.next = self.scalars_left.q.val() != 0;
        self.point_data.next = self.generator.val();
        self.point_valid.next = self.points_left.q.val() != 0;

        // Question and answer number 0 to 2: add, subtract, multiply in Fq; 3 to 5: in Fr.
        self.unit_a.next = self.fq_a.val();
        self.unit_b.next = self.fq_b.val();
        self.unit_field.next = false;
        self.unit_operation.next = self.asked.q.val().get_bits::<2>(0);
        if self.asked.q.val() > 2 {
            self.unit_a.next = self.fr_a.val();
            self.unit_b.next = self.fr_b.val();
            self.unit_field.next = true;
            self.unit_operation.next = self.asked.q.val().get_bits::<2>(0) + 1;
        }
        self.field_expected.next = self.fq_sum.val();
        if self.answered.q.val() == 1 {
            self.field_expected.next = self.fq_difference.val();
        }
        if self.answered.q.val() == 2 {
            self.field_expected.next = self.fq_product.val();
        }
        if self.answered.q.val() == 3 {
            self.field_expected.next = self.fr_sum.val();
        }
        if self.answered.q.val() == 4 {
            self.field_expected.next = self.fr_difference.val();
        }
        if self.answered.q.val() == 5 {
            self.field_expected.next = self.fr_product.val();
        }
        self.field_wrong.next = false;
        if self.unit_result_valid.val() & (self.answered.q.val() != self.asked.q.val()) {
            self.answered.d.next = self.answered.q.val() + 1;
            self.field_wrong.next = self.unit_result.val() != self.field_expected.val();
        }

        self.coordinate_expected.next = self.double_x.val();
        if self.coordinate.q.val() == 1 {
            self.coordinate_expected.next = self.double_y.val();
        }
        if self.coordinate.q.val() == 2 {
            self.coordinate_expected.next = 0.into();
            if self.first_point.q.val() {
                self.coordinate_expected.next = self.double_z.val();
            }
        }

        if self.scalar_ready.val() & (self.scalars_left.q.val() != 0) {
            self.scalars_left.d.next = self.scalars_left.q.val() - 1;
        }
        if self.point_ready.val() & (self.points_left.q.val() != 0) {
            self.points_left.d.next = self.points_left.q.val() - 1;
        }

        match self.state.q.val() {
            SelfTestState::Idle => {
                self.busy.next = false;
                self.asked.d.next = 0.into();
                self.answered.d.next = 0.into();
                if self.start.val() {
                    self.wrong.d.next = false;
                    self.state.d.next = SelfTestState::Field;
                }
            }
            SelfTestState::Field => {
                self.unit_valid.next = true;
                self.wrong.d.next = self.wrong.q.val() | self.field_wrong.val();
                if self.unit_ready.val() {
                    self.asked.d.next = self.asked.q.val() + 1;
                    if (self.asked.q.val() + 1) == self.field_answers.val() {
                        self.state.d.next = SelfTestState::FieldEnd;
                    }
                }
            }
            SelfTestState::FieldEnd => {
                self.wrong.d.next = self.wrong.q.val() | self.field_wrong.val();
                if self.answered.q.val() == self.field_answers.val() {
                    self.state.d.next = SelfTestState::Launch;
                }
            }
            SelfTestState::Launch => {
                self.msm_start.next = true;
                self.scalars_left.d.next = 2.into();
                self.points_left.d.next = 2.into();
                self.results_left.d.next = self.result_beats.val();
                self.coordinate.d.next = 0.into();
                self.first_point.d.next = true;
                self.state.d.next = SelfTestState::Msm;
            }
            SelfTestState::Msm => {
                self.result_ready.next = self.results_left.q.val() != 0;
                if self.result_valid.val() & (self.results_left.q.val() != 0) {
                    self.results_left.d.next = self.results_left.q.val() - 1;
                    self.coordinate.d.next = self.coordinate.q.val() + 1;
                    if self.coordinate.q.val() == 2 {
                        self.coordinate.d.next = 0.into();
                        self.first_point.d.next = false;
                    }
                    if (self.first_point.q.val() | (self.coordinate.q.val() == 2))
                        & (self.result_data.val() != self.coordinate_expected.val())
                    {
                        self.wrong.d.next = true;
                    }
                }
                if (self.results_left.q.val() == 0) & !self.msm_busy.val() {
                    self.state.d.next = SelfTestState::Idle;
                }
            }
        }
        if self.reset.val() {
            self.state.d.next = SelfTestState::Idle;
            self.wrong.d.next = false;
            self.asked.d.next = 0.into();
            self.answered.d.next = 0.into();
            self.scalars_left.d.next = 0.into();
            self.points_left.d.next = 0.into();
            self.results_left.d.next = 0.into();
            self.coordinate.d.next = 0.into();
            self.first_point.d.next = false;
        }
    }
}
