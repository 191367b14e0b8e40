//! Schedules as laws: carried out word by word, with the latencies of the units and many frames at once, they compute what
//! their programs do.

use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::curve::{Curve, addition};
use spandrel_hdl::field::Prime;
use spandrel_hdl::processor::{
    Action, Choice, MAX_FRAMES, Moduli, Operand, Program, Schedule, ScheduleError, Timing, Turn, Value, Word,
    Written,
};
use spandrel_tests::values::element;
use std::collections::{HashMap, VecDeque};

/// The times of a processor with so many multipliers.
fn timing(multipliers: usize) -> Timing {
    Timing { add: 11, multiply: 123, interval: 16 / multipliers }
}

/// What a machine is given for a turn of a frame.
struct Begin {
    turn: Turn,
    inputs: Option<Vec<BigUint>>,
}

/// Carries a schedule out as the hardware does, and gives each turn's outputs. Registers hold junk at first.
fn run(
    schedule: &Schedule,
    constants: &[BigUint],
    begins: &[Begin],
    prime: Prime,
    timing: Timing,
) -> Vec<Vec<BigUint>> {
    let (period, p) = (schedule.period(), prime.modulus());
    let junk = BigUint::from(0xbadu32);
    let mut registers: HashMap<(usize, usize), BigUint> = HashMap::new();
    let mut sums: VecDeque<BigUint> = VecDeque::from(vec![junk.clone(); timing.add]);
    let mut products: VecDeque<BigUint> = VecDeque::from(vec![junk.clone(); timing.multiply]);
    let mut outputs = vec![Vec::new(); begins.len()];
    for cycle in 0..(begins.len() + schedule.frames) * period {
        let (now, word) = (cycle / period, &schedule.words[cycle % period]);
        let of = |lag: usize| now.checked_sub(lag).filter(|index| *index < begins.len());
        let write = (word.written != Written::Nothing)
            .then(|| (now + 64 * schedule.frames - word.write_lag) % schedule.frames);
        // Read: junk of no turn is computed with too.
        let frame = (now + 64 * schedule.frames - word.read_lag) % schedule.frames;
        let turn = of(word.read_lag).map(|index| begins[index].turn).unwrap_or_default();
        let read = |source: &spandrel_hdl::processor::Source| {
            let place = if source.kinds >> turn.kind & 1 == 1 { source.other } else { source.usual };
            if place.zero {
                return BigUint::default();
            }
            if place.constant {
                return constants.get(turn.base + place.index).cloned().unwrap_or_default();
            }
            let meets = write == Some(frame)
                && word.register == place.index
                && !matches!(word.written, Written::Output { .. });
            // A word that reads nothing has a source all the same.
            assert!(
                !meets || *word_source(word) == Default::default(),
                "a register is read while it is written"
            );
            registers.get(&(frame, place.index)).cloned().unwrap_or(junk.clone())
        };
        let (a, b) = (read(&word.a), read(&word.b));
        products.push_back(prime.montgomery_product(&a, &b));
        sums.push_back(match word.subtract {
            true => (&a + &p * 2u32 - &b) % &p,
            false => (&a + &b) % &p,
        });
        let (sum, product) = (sums.pop_front().unwrap(), products.pop_front().unwrap());
        let Some(write) = write else { continue };
        let index = of(word.write_lag);
        match word.written {
            Written::Nothing => {}
            Written::Sum => drop(registers.insert((write, word.register), sum)),
            Written::Product => drop(registers.insert((write, word.register), product)),
            Written::Input { input } => {
                if let Some(inputs) = index.and_then(|index| begins[index].inputs.as_ref()) {
                    registers.insert((write, word.register), inputs[input].clone());
                }
            }
            Written::Output { output } => {
                if let Some(index) = index {
                    assert_eq!(outputs[index].len(), output, "outputs come in their order");
                    outputs[index].push(sum);
                }
            }
        }
    }
    outputs
}

fn word_source(word: &Word) -> &spandrel_hdl::processor::Source {
    &word.a
}

/// Turns of frames that are entered at random, against the program itself.
fn check(
    program: &Program,
    constants: &[BigUint],
    bases: usize,
    prime: Prime,
    timing: Timing,
    seed: u64,
) -> Schedule {
    let schedule = Schedule::new(program, timing).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut begins = Vec::new();
    for index in 0..5 * schedule.frames {
        // What has never been entered is not looked at.
        let enters = index < schedule.frames || rng.gen_bool(0.3);
        let inputs = enters.then(|| (0..program.inputs()).map(|_| element(&mut rng, prime)).collect());
        let turn =
            Turn { kind: rng.gen_range(0..4), second: prime == Prime::Fr, base: rng.gen_range(0..=bases) };
        begins.push(Begin { turn, inputs });
    }
    let found = run(&schedule, constants, &begins, prime, timing);
    let mut states = vec![Vec::new(); schedule.frames];
    for (index, begin) in begins.iter().enumerate() {
        let states = &mut states[index % schedule.frames];
        let outputs =
            program.evaluate(Moduli::One(prime), &begin.turn, constants, begin.inputs.as_deref(), states);
        // Loads that are no states are undefined in a frame that is not entered.
        if begin.inputs.is_some() || program.states() > 0 {
            assert_eq!(found[index], outputs, "turn {index} of {schedule:?}");
        }
    }
    schedule
}

#[test]
fn additions_of_points_are_scheduled_without_a_free_cycle() {
    for curve in Curve::ALL {
        let program = addition(curve);
        for multipliers in [1, 2, 4] {
            let schedule = check(&program, &[], 0, curve.base_field(), timing(multipliers), 1);
            // Twelve products; on Grumpkin, where sums are more, four multipliers wait for them.
            let least = 12 * 16 / multipliers;
            match (curve, multipliers) {
                (Curve::Grumpkin, 4) => assert!((least..=least + 16).contains(&schedule.period())),
                _ => assert_eq!(schedule.period(), least, "{curve:?}, {multipliers} multipliers"),
            }
        }
    }
}

/// A random program with states that change in every turn.
fn random(rng: &mut ChaCha8Rng) -> Program {
    let mut program = Program::default();
    let mut known: Vec<Operand> = Vec::new();
    let states: Vec<Operand> = (0..rng.gen_range(1..4)).map(|_| program.loaded_state()).collect();
    known.extend(&states);
    let mut values: Vec<Value> = Vec::new();
    for _ in 0..rng.gen_range(4..14) {
        let mut pick = |constants: bool| match rng.gen_range(0..8) {
            0 => Operand::Zero,
            1 if constants => Operand::Constant(rng.gen_range(0..3)),
            _ => known[rng.gen_range(0..known.len())],
        };
        let a = Choice::new(pick(true), pick(true), &[0, 2]);
        let b = Choice::new(pick(false), pick(false), &[1, 2]);
        let value = match rng.gen_range(0..3) {
            0 => program.multiply(a, b),
            1 => program.add(a, b),
            _ => program.subtract(a, b),
        };
        values.push(value);
        known.push(value.into());
    }
    let kept = values.len() - states.len();
    for (state, value) in states.into_iter().zip(&values[kept..]) {
        // Of its own, so that nothing waits for both the old and the new one.
        let copy = program.add(Operand::Zero, *value);
        program.keep(state, copy);
    }
    for value in values.iter().rev().take(3) {
        program.give(*value);
    }
    program
}

#[test]
fn a_circle_of_operations_is_refused() {
    let mut program = Program::default();
    let state = program.loaded_state();
    let next = program.multiply(state, state);
    program.keep(state, next);
    program.add(state, next);
    assert_eq!(Schedule::new(&program, timing(1)), Err(ScheduleError::Circle));
}

#[test]
fn random_programs_are_scheduled_as_they_are_written() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let constants: Vec<BigUint> = (0..20).map(|_| element(&mut rng, Prime::Fr)).collect();
    let mut shared = 0;
    for seed in 0..60 {
        let program = random(&mut rng);
        let timing = timing(1 << rng.gen_range(0..3));
        let schedule = check(&program, &constants, 17, Prime::Fr, timing, seed);
        let products = program.operations().iter().filter(|op| op.action == Action::Multiply).count();
        assert!(schedule.period() >= timing.interval * products && schedule.frames <= MAX_FRAMES);
        shared += usize::from(schedule.frames > 2);
    }
    assert!(shared > 10, "frames overlap in {shared} programs only");
}
