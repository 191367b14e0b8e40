//! Inversion modulo a prime by division steps, in a constant number of cycles and without a multiplier.
//!
//! The steps are those of Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (2019), in
//! the variant that begins with δ = 1/2. The state is (δ, f, g), first (1/2, p, x) for the element x, and in one step
//!
//! - where δ > 0 and g is odd: δ ← 1 − δ, (f, g) ← (g, (g − f)/2);
//! - else where g is odd: δ ← 1 + δ, g ← (g + f)/2;
//! - else: δ ← 1 + δ, g ← g/2.
//!
//! In the end g = 0 and f is ± the greatest common divisor: ±1, or p where x = 0. Steps beyond that leave f alone.
//!
//! **How many steps.** The paper's own theorem (its δ begins with 1) gives ⌊(49·d + 57)/17⌋: 735 steps for d = 254
//! bits. For the beginning with δ = 1/2, P. Wuille's convex hull analysis, which has a machine-checked proof
//! ("safegcd bounds", as used by libsecp256k1), gives 590 steps for every odd modulus of at most 256 bits and every
//! element below it. That is [`DIVISION_STEPS`]: proven for these moduli of 254 bits, if not the least bound.
//!
//! **Montgomery form for nothing.** Beside f and g go d and e with d·x ≡ f·c and e·x ≡ g·c modulo p, for a constant
//! c: they begin as 0 and c, and are added, swapped and *halved modulo p* with f and g, so no power of two is left to
//! correct. In the end d = ±c·x⁻¹. With x = a·R and c = R² that is ±a⁻¹·R; for x = 0, d stays 0.
//!
//! **Ranges.** f and g stay within [−p, p]; d and e within (−p, p): before it is halved, a sum that is odd has p
//! added where e < 0 and subtracted where not. All are in two's complement of 255 bits. δ is kept as ζ = δ − 1/2.
//!
//! **Clock.** A step's carry chain of 256 bits in one cycle is what limits the clock of whatever this unit is part
//! of, with three levels of logic before it and a multiplexer behind it; [`Pace`] has one choice with half the chain.

mod model;
mod step;

pub use model::DivisionSteps;
pub use step::division_steps;

use super::Prime;
use crate::pipeline_block;
use rust_hdl::prelude::*;

/// Steps after which the inverse of every element is there: P. Wuille's bound for odd moduli of at most 256 bits.
pub const DIVISION_STEPS: usize = 590;

/// Bits of f, g, d and e: signed values from −p to p, p below 2^254.
const STATE_BITS: usize = 255;

/// Bits of ζ, signed: its magnitude is at most the number of steps.
const ZETA_BITS: usize = 11;
const _: () = assert!(DIVISION_STEPS < 1 << (ZETA_BITS - 1));

/// How many division steps are made in how many cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pace {
    /// A step in two cycles, the halves of each carry chain in turn: 128 bits of carry in a cycle, twice the latency.
    TwoCycles,
    /// A step a cycle: 256 bits of carry in a cycle.
    #[default]
    OneCycle,
    /// Two steps a cycle: twice the logic and more than twice the delay, for slow clocks.
    HalfCycle,
}

impl Pace {
    /// All of them, slowest first.
    pub const ALL: [Pace; 3] = [Pace::TwoCycles, Pace::OneCycle, Pace::HalfCycle];

    /// Division steps in one turn of the state register.
    pub fn steps_per_round(self) -> usize {
        match self {
            Pace::TwoCycles | Pace::OneCycle => 1,
            Pace::HalfCycle => 2,
        }
    }

    /// Cycles of that turn.
    pub fn cycles_per_round(self) -> usize {
        match self {
            Pace::TwoCycles => 2,
            Pace::OneCycle | Pace::HalfCycle => 1,
        }
    }

    /// Turns of an inversion, the one that loads the element included.
    fn rounds(self) -> usize {
        1 + DIVISION_STEPS.div_ceil(self.steps_per_round())
    }

    fn name(self) -> &'static str {
        match self {
            Pace::TwoCycles => "two_cycles",
            Pace::OneCycle => "one_cycle",
            Pace::HalfCycle => "half_cycle",
        }
    }
}

pipeline_block! {
    /// The state and its steps; see [`division_steps`].
    clocked Steps
    inputs {
        load: Bit,
        element: Bits<256>,
        f: Bits<255>,
        g: Bits<255>,
        d: Bits<255>,
        e: Bits<255>,
        zeta: Bits<11>,
    }
    outputs {
        f_out: Bits<255>,
        g_out: Bits<255>,
        d_out: Bits<255>,
        e_out: Bits<255>,
        zeta_out: Bits<11>,
    }
}

pipeline_block! {
    /// The result of the last state.
    combinational SignedResult
    inputs {
        f: Bits<255>,
        d: Bits<255>,
    }
    outputs {
        result: Bits<256>,
    }
}

/// The inverse of an element of one of BN254's fields, one at a time, as a stream: a·R in, a⁻¹·R out (R = 2^256), zero
/// for zero.
///
/// Elements are 256 bits, below p; what comes out for others is not specified, though in the same time. An element
/// that enters in one cycle is offered as its inverse exactly [`Inverter::latency`] cycles later, if the inverse
/// before it has been taken by then, whatever the values are; the next element may enter in that cycle, while the
/// inverse still waits. Both handshakes come from registers.
#[derive(LogicBlock)]
pub struct Inverter {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous; forgets everything.
    pub reset: Signal<In, Bit>,
    /// An element in Montgomery form, below p.
    pub in_data: Signal<In, Bits<256>>,
    /// There is one.
    pub in_valid: Signal<In, Bit>,
    /// It is taken (a register).
    pub in_ready: Signal<Out, Bit>,
    /// The inverse in Montgomery form, below p (a register).
    pub out_data: Signal<Out, Bits<256>>,
    /// There is one (a register).
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    steps: Steps,
    last: SignedResult,
    busy: DFF<Bit>,
    /// Cycles until the state is the last one, while busy.
    left: DFF<Bits<12>>,
    result: DFF<Bits<256>>,
    full: DFF<Bit>,
    enter: Signal<Local, Bit>,
    done: Signal<Local, Bit>,
    first_left: Constant<Bits<12>>,
    round_left: Constant<Bits<12>>,
    _pace: Pace,
}

impl Inverter {
    /// An inverter modulo a prime that makes a step a cycle.
    pub fn new(prime: Prime) -> Inverter {
        Inverter::with_pace(prime, Pace::default())
    }

    /// An inverter modulo a prime.
    pub fn with_pace(prime: Prime, pace: Pace) -> Inverter {
        Inverter {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            steps: Steps::host(division_steps(prime, pace)),
            last: SignedResult::host(step::signed_result(prime)),
            busy: Default::default(),
            left: Default::default(),
            result: Default::default(),
            full: Default::default(),
            enter: Default::default(),
            done: Default::default(),
            first_left: Constant::new((pace.rounds() * pace.cycles_per_round() - 1).to_bits()),
            round_left: Constant::new((pace.cycles_per_round() - 1).to_bits()),
            _pace: pace,
        }
    }

    /// Cycles from the one in which an element enters to the first in which its inverse is offered: the same for
    /// every element. Also the least distance between two elements.
    pub fn latency(&self) -> usize {
        self._pace.rounds() * self.steps.latency() + 1
    }
}

impl Logic for Inverter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, busy, left, result, full);
        self.steps.clock.next = self.clock.val();
        self.in_ready.next = !self.busy.q.val();
        self.out_valid.next = self.full.q.val();
        self.out_data.next = self.result.q.val();

        // The state goes round in the steps' own registers.
        self.enter.next = self.in_valid.val() & !self.busy.q.val();
        self.steps.load.next = self.enter.val();
        self.steps.element.next = self.in_data.val();
        self.steps.f.next = self.steps.f_out.val();
        self.steps.g.next = self.steps.g_out.val();
        self.steps.d.next = self.steps.d_out.val();
        self.steps.e.next = self.steps.e_out.val();
        self.steps.zeta.next = self.steps.zeta_out.val();
        self.last.f.next = self.steps.f_out.val();
        self.last.d.next = self.steps.d_out.val();

        // Further steps change neither f nor d, so a result can wait in the state, turn by turn.
        self.done.next = self.busy.q.val() & (self.left.q.val() == 0);
        if self.full.q.val() & self.out_ready.val() {
            self.full.d.next = false;
        }
        if self.busy.q.val() {
            self.left.d.next = self.left.q.val() - 1;
        }
        if self.done.val() {
            self.left.d.next = self.round_left.val();
            if !self.full.q.val() | self.out_ready.val() {
                self.result.d.next = self.last.result.val();
                self.full.d.next = true;
                self.busy.d.next = false;
            }
        }
        if self.enter.val() {
            self.busy.d.next = true;
            self.left.d.next = self.first_left.val();
        }
        if self.reset.val() {
            self.busy.d.next = false;
            self.full.d.next = false;
        }
    }
}
