//! How many digits and additions a job has, from the scalars alone.

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::PrimeField;
use num_bigint::BigUint;
use spandrel_abi::{window_shares, windows};
use std::collections::HashMap;

/// Tokens of one phase, by window and bucket.
type Tokens = HashMap<(u32, u32), u64>;

/// Digits and additions of a job in which no two points annihilate each other.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    /// Non-zero digits.
    pub digits: u64,
    /// Additions: in each core and phase, tokens less the buckets that hold something.
    pub additions: u64,
    /// Fresh tokens of all three phases.
    pub tokens: u64,
}

/// The digits of a scalar: (window, bucket), the bucket being the magnitude mod 2^(c−1).
fn digits<F: PrimeField>(scalar: &F, c: u32) -> Vec<(u32, u32)> {
    let half = 1i64 << (c - 1);
    let mut rest: BigUint = scalar.into_bigint().into();
    let mut carry = 0;
    let mut found = Vec::new();
    for window in 0..windows(c) {
        let low = (&rest % (2 * half as u64)).iter_u64_digits().next().unwrap_or_default() as i64 + carry;
        rest >>= c as usize;
        carry = i64::from(low >= half);
        let digit = low - 2 * half * carry;
        if digit != 0 {
            found.push((window, (digit.abs() % half) as u32));
        }
    }
    assert_eq!((rest, carry), (BigUint::default(), 0), "the windows cover the scalar");
    found
}

/// Additions that leave one token in each bucket.
fn additions(tokens: &Tokens) -> (u64, u64) {
    let all: u64 = tokens.values().sum();
    (all - tokens.len() as u64, all)
}

/// Rows and columns: 0 to 2^h − 1, and from 2^h on.
fn first_pass(buckets: &Tokens, row_bits: u32, column_bits: u32) -> Tokens {
    let mut sums = Tokens::new();
    for (window, bucket) in buckets.keys() {
        let (row, column) = (bucket >> column_bits, bucket % (1 << column_bits));
        if row != 0 || column == 0 {
            *sums.entry((*window, row)).or_default() += 1;
        }
        if column != 0 {
            *sums.entry((*window, (1 << row_bits) + column)).or_default() += 1;
        }
    }
    sums
}

/// Bits of the indices; row 0 stands for the weight 2^(c−1).
fn second_pass(sums: &Tokens, row_bits: u32, column_bits: u32) -> Tokens {
    let mut bits = Tokens::new();
    for (window, sum) in sums.keys() {
        let weight = match sum {
            0 => 1 << (row_bits + column_bits),
            row if *row < 1 << row_bits => row << column_bits,
            column => column - (1 << row_bits),
        };
        for bit in (0..16).filter(|bit| weight >> bit & 1 == 1) {
            *bits.entry((*window, bit)).or_default() += 1;
        }
    }
    bits
}

impl Account {
    /// The account of a job on `cores` cores.
    pub fn of<C: SWCurveConfig>(
        c: u32,
        cores: u32,
        bases: &[Affine<C>],
        scalars: &[C::ScalarField],
    ) -> Account {
        let mut account = Account { digits: 0, additions: 0, tokens: 0 };
        let (column_bits, row_bits) = ((c - 1) / 2, c - 1 - (c - 1) / 2);
        for core in 0..cores {
            let shares = window_shares(c, cores, core);
            let mut buckets = Tokens::new();
            for (index, (base, scalar)) in bases.iter().zip(scalars).enumerate() {
                let residue = index as u32 % cores;
                let mine = |window: u32| {
                    shares.iter().any(|share| {
                        share.window == window && (share.residues.0..share.residues.1).contains(&residue)
                    })
                };
                for (window, bucket) in digits(scalar, c) {
                    if !base.is_zero() && mine(window) {
                        *buckets.entry((window, bucket)).or_default() += 1;
                    }
                }
            }
            account.digits += buckets.values().sum::<u64>();
            let sums = first_pass(&buckets, row_bits, column_bits);
            let bits = second_pass(&sums, row_bits, column_bits);
            for tokens in [&buckets, &sums, &bits] {
                let (added, all) = additions(tokens);
                account.additions += added;
                account.tokens += all;
            }
        }
        account
    }
}
