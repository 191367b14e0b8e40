//! Field elements where arithmetic goes wrong first.

use num_bigint::BigUint;
use rand::Rng;
use spandrel_hdl::field::Prime;

/// The values at the edges of a field: its ends, the neighbours of limb and tile borders, Montgomery constants.
pub fn edges(prime: Prime) -> Vec<BigUint> {
    let p = prime.modulus();
    let one = BigUint::from(1u32);
    let mut values =
        vec![BigUint::default(), one.clone(), BigUint::from(2u32), &p - 1u32, &p - 2u32, &p >> 1u32];
    values.extend([prime.one(), prime.to_montgomery(&prime.one()), &p - prime.one()]);
    for border in [16usize, 17, 26, 32, 34, 52, 64, 127, 128, 192, 224, 253] {
        let power: BigUint = &one << border;
        values.extend([&power - 1u32, power.clone(), &power + 1u32, &p - &power]);
    }
    values.retain(|value| *value < p);
    values
}

/// An element: one of the edges, or uniform, or sparse (long runs of zeros and ones).
pub fn element(rng: &mut impl Rng, prime: Prime) -> BigUint {
    let p = prime.modulus();
    let edges = edges(prime);
    match rng.gen_range(0..4) {
        0 | 1 => edges[rng.gen_range(0..edges.len())].clone(),
        2 => {
            let (high, low) = (rng.gen_range(0..254u32), rng.gen_range(0..254u32));
            let run = (BigUint::from(1u32) << high.max(low)) - (BigUint::from(1u32) << high.min(low));
            run % p
        }
        _ => BigUint::from_bytes_le(&rng.r#gen::<[u8; 32]>()) % p,
    }
}
