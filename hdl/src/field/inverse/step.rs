//! Division steps as a function of wires.

use super::{Pace, STATE_BITS, ZETA_BITS};
use crate::datapath::{Datapath, Module, Wire};
use crate::field::Prime;
use num_bigint::BigUint;
use num_traits::One;
use std::rc::Rc;

/// Bits of a sum of two values of the state, before it is halved.
const SUM_BITS: usize = STATE_BITS + 1;

/// The state of an inversion, each value in two's complement; see the [module](super).
#[derive(Clone, Copy)]
struct State {
    f: Wire,
    g: Wire,
    d: Wire,
    e: Wire,
    zeta: Wire,
}

/// The steps of one round, as a pipeline that is its own state register: in every cycle a state enters (`f`, `g`,
/// `d`, `e` of 255 bits and `zeta` of 11, all signed), and [`Pace::cycles_per_round`] cycles later the same state
/// leaves, [`Pace::steps_per_round`] steps further (`f_out` and so on). Where `load` is one the state that leaves is
/// the beginning of the inversion of `element` (256 bits, below p) instead.
///
/// Each step is one carry chain of 256 bits for g and one for e, side by side: what e needs besides (± d, and ± p
/// where the sum is odd) is known from the operands' lowest and sign bits, so three terms meet in a row of carry-save
/// adders in front of the chain.
pub fn division_steps(prime: Prime, pace: Pace) -> Rc<Module> {
    let path = Datapath::combinational(format!("division_steps_{}_{}", prime.name(), pace.name()));
    let load = path.input("load", 1);
    let element = path.input("element", 256);
    let mut state = State {
        f: path.input("f", STATE_BITS),
        g: path.input("g", STATE_BITS),
        d: path.input("d", STATE_BITS),
        e: path.input("e", STATE_BITS),
        zeta: path.input("zeta", ZETA_BITS),
    };
    for _ in 0..pace.steps_per_round() {
        state = step(&path, prime, pace, state);
    }
    // Only g takes data here: the rest are the registers' set and reset inputs.
    let f = path.constant(prime.modulus(), STATE_BITS);
    let d = path.constant(0u32, STATE_BITS);
    let e = path.constant(prime.to_montgomery(&prime.one()), STATE_BITS);
    let zeta = path.constant(0u32, ZETA_BITS);
    let outputs = [
        ("f_out", path.mux(load, f, state.f)),
        ("g_out", path.mux(load, path.resize(element, STATE_BITS), state.g)),
        ("d_out", path.mux(load, d, state.d)),
        ("e_out", path.mux(load, e, state.e)),
        ("zeta_out", path.mux(load, zeta, state.zeta)),
    ];
    let module = path.finish(&outputs);
    assert_eq!(module.latency(), pace.cycles_per_round(), "{}", module.name());
    Rc::new(module)
}

/// One division step.
fn step(path: &Datapath, prime: Prime, pace: Pace, state: State) -> State {
    let State { f, g, d, e, zeta } = state;
    let zero = path.constant(0u32, SUM_BITS);
    let odd = path.bit(g, 0);
    let swap = path.and(odd, path.not(sign(path, zeta)));

    // g: where it is odd so is f, and g + f and g − f = g + !f + 1 both carry from bit 0, which falls away: so bit 0
    // of the addend is the same one in both cases, and the + 1 of the subtraction needs no carry-in.
    let f_term = path.mux(swap, path.not(f), f);
    let f_term = path.mux(odd, signed(path, f_term), zero);
    let f_term = path.concat(&[odd, path.slice(f_term, 1, STATE_BITS)]);
    let g_sum = add(path, pace, signed(path, g), f_term);

    // e: the term ± p that makes the sum even has the sign opposite to e's, so that the half stays within (−p, p).
    let d_term = path.mux(swap, path.not(d), d);
    let d_term = path.mux(odd, signed(path, d_term), zero);
    let sum_odd = path.xor(path.bit(e, 0), path.and(odd, path.bit(d, 0)));
    let p = prime.modulus();
    let minus_p = path.constant((BigUint::one() << SUM_BITS) - &p, SUM_BITS);
    let p_term = path.mux(sign(path, e), path.constant(p, SUM_BITS), minus_p);
    let p_term = path.mux(sum_odd, p_term, zero);
    let e_term = signed(path, e);
    let either = path.xor(e_term, d_term);
    let sums = path.xor(either, p_term);
    let carries = path.or(path.and(e_term, d_term), path.and(either, p_term));
    // The carries' empty lowest place takes the + 1 of the subtraction.
    let carries = path.concat(&[swap, path.slice(carries, 0, STATE_BITS)]);
    let e_sum = add(path, pace, sums, carries);

    // ζ: −ζ = !ζ + 1 or ζ + 1.
    let one = path.constant(1u32, ZETA_BITS);
    let zeta = path.add(path.mux(swap, path.not(zeta), zeta), one);
    State {
        f: path.mux(swap, g, f),
        g: path.slice(g_sum, 1, STATE_BITS),
        d: path.mux(swap, e, d),
        e: path.slice(e_sum, 1, STATE_BITS),
        zeta: path.slice(zeta, 0, ZETA_BITS),
    }
}

/// From the last state of an inversion, its result: `f` and `d` (255 bits, signed; f is ±1, or p for the element
/// zero) give `result` = ±d mod p (256 bits, below p). No register.
pub(super) fn signed_result(prime: Prime) -> Rc<Module> {
    let path = Datapath::combinational(format!("inverse_result_{}", prime.name()));
    let (f, d) = (path.input("f", STATE_BITS), path.input("d", STATE_BITS));
    let negate = sign(&path, f);
    // d is zero only for the element zero, and then f is p: so ±d is below zero where the signs differ.
    let negative = path.xor(negate, sign(&path, d));
    let p = path.constant(prime.modulus(), STATE_BITS);
    let base = path.mux(negative, p, path.constant(0u32, STATE_BITS));
    let term = path.mux(negate, path.not(d), d);
    // The pair of bits below carries where a one is to be added.
    let sum = path.add(path.concat(&[negate, base]), path.concat(&[negate, term]));
    let result = path.extend(path.slice(sum, 1, STATE_BITS - 1), 256);
    Rc::new(path.finish_combinational(&[("result", result)]))
}

fn sign(path: &Datapath, value: Wire) -> Wire {
    path.bit(value, value.width() - 1)
}

/// One bit wider, the sign repeated.
fn signed(path: &Datapath, value: Wire) -> Wire {
    path.concat(&[value, sign(path, value)])
}

/// a + b modulo 2^256; in [`Pace::TwoCycles`] the high half one cycle after the low one.
fn add(path: &Datapath, pace: Pace, a: Wire, b: Wire) -> Wire {
    if pace != Pace::TwoCycles {
        return path.slice(path.add(a, b), 0, SUM_BITS);
    }
    let half = SUM_BITS / 2;
    let low = path.add(path.slice(a, 0, half), path.slice(b, 0, half));
    let later = path.stage(low) + 1;
    let carry = path.at(path.bit(low, half), later);
    let high = |wire: Wire| path.at(path.slice(wire, half, SUM_BITS - half), later);
    let sum = path.add(path.concat(&[carry, high(a)]), path.concat(&[carry, high(b)]));
    path.concat(&[path.slice(low, 0, half), path.slice(sum, 1, SUM_BITS - half)])
}
