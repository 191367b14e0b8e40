//! Addition, subtraction and reduction.

use super::Moduli;
use super::bank::chunked;
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::field::Prime;
use crate::pipeline_block;
use num_bigint::BigUint;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of a carry chain.
const CHUNK_BITS: usize = 64;

const WORD_BITS: usize = 256;

/// The unit of additions: inputs `a`, `b` (256 bits, below 2p), `subtract`, `exact`, `second` (the field's flag); output
/// `result` (256 bits). II = 1.
///
/// The result is a + b or a − b modulo 2p, below 2p: as p divides 2p, it is right modulo p. With `exact`, which is for
/// additions whose sum is below 2p, it is a + b modulo p, below p.
///
/// First s = a ± b, then u = s ∓ m for the modulus m; of an addition u is chosen where s is not below m, of a subtraction
/// where s is negative. Both run in chunks of 64 bits, the second a chunk behind the first.
pub fn linear(moduli: Moduli) -> Rc<Module> {
    let config = DatapathConfig { levels_per_stage: usize::MAX, ..chunked() };
    let path = Datapath::new(format!("serial_linear_{}", moduli.name()), &config);
    let (a, b) = (path.input("a", WORD_BITS), path.input("b", WORD_BITS));
    let [subtract, exact, second] = ["subtract", "exact", "second"].map(|name| path.input(name, 1));
    let chunks = WORD_BITS / CHUNK_BITS;
    let (mut carry, mut carry_back) = (subtract, path.not(path.at(subtract, 1)));
    let (mut sums, mut backs) = (Vec::new(), Vec::new());
    for chunk in 0..chunks {
        let at = |wire: Wire| path.at(path.slice(wire, chunk * CHUNK_BITS, CHUNK_BITS), chunk);
        let negated = path.at(subtract, chunk);
        let addend = path.mux(negated, path.not(at(b)), at(b));
        let sum = path.at(path.add_with_carry(at(a), addend, carry), chunk + 1);
        carry = path.bit(sum, CHUNK_BITS);
        let sum = path.slice(sum, 0, CHUNK_BITS);

        let stage = chunk + 1;
        let of = |shift: usize| {
            moduli.constant(&path, path.at(second, stage), CHUNK_BITS, |prime: Prime| {
                ((prime.modulus() << shift) >> (chunk * CHUNK_BITS)) % (BigUint::from(1u32) << CHUNK_BITS)
            })
        };
        let modulus = path.mux(path.at(exact, stage), of(0), of(1));
        let modulus = path.mux(path.at(subtract, stage), modulus, path.not(modulus));
        let back = path.at(path.add_with_carry(sum, modulus, carry_back), stage + 1);
        carry_back = path.bit(back, CHUNK_BITS);
        sums.push(sum);
        backs.push(path.slice(back, 0, CHUNK_BITS));
    }
    let end = chunks + 1;
    let negative = path.not(path.at(carry, end));
    let chosen = path.mux(path.at(subtract, end), negative, carry_back);
    // A register of its own for a bit that chooses among so many.
    let chosen = path.at(chosen, end + 1);
    let result = path.mux(chosen, path.concat(&backs), path.concat(&sums));
    let module = path.finish(&[("result", result)]);
    assert_eq!(module.latency(), LINEAR_CYCLES);
    Rc::new(module)
}

/// Latency of the unit of additions.
pub const LINEAR_CYCLES: usize = WORD_BITS / CHUNK_BITS + 3;

pipeline_block! {
    /// Hosts [`linear`]. No reset.
    clocked Linear
    inputs {
        /// First operand.
        a: Bits<256>,
        /// Second operand.
        b: Bits<256>,
        /// a − b instead of a + b.
        subtract: Bit,
        /// The sum is to be below p.
        exact: Bit,
        /// The field's flag.
        second: Bit,
    }
    outputs {
        /// The result.
        result: Bits<256>,
    }
}

impl Linear {
    /// The unit for these fields.
    pub fn new(moduli: Moduli) -> Linear {
        Linear::host(linear(moduli))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_right_and_below_their_bounds() {
        for (moduli, second) in [
            (Moduli::One(Prime::Fq), false),
            (Moduli::One(Prime::Fr), false),
            (Moduli::Both, false),
            (Moduli::Both, true),
        ] {
            let p = moduli.prime(second).modulus();
            let twice = &p << 1;
            let one = BigUint::from(1u32);
            let edges = [64, 128, 192].map(|bit| [(&one << bit) - 1u32, &one << bit]);
            let mut values = vec![BigUint::default(), one.clone(), &p - 1u32, p.clone(), &p + 1u32];
            values.extend([&twice - 1u32, &twice - &one - 1u32]);
            values.extend(edges.into_iter().flatten());
            let unit = linear(moduli);
            let run = |a: &BigUint, b: &BigUint, subtract: bool, exact: bool| {
                let flags = [subtract, exact, second].map(BigUint::from);
                unit.evaluate(&[&[a.clone(), b.clone()][..], &flags].concat()).remove(0)
            };
            for (a, b) in values.iter().flat_map(|a| values.iter().map(move |b| (a, b))) {
                assert_eq!(run(a, b, false, false), (a + b) % &twice, "{a:#x} + {b:#x}");
                assert_eq!(run(a, b, true, false), (a + &twice - b) % &twice, "{a:#x} - {b:#x}");
                if a + b < twice {
                    assert_eq!(run(a, b, false, true), (a + b) % &p, "{a:#x} + {b:#x}");
                }
            }
        }
    }
}
