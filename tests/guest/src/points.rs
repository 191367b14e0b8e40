//! Multi-scalar multiplications with arkworks as the judge.

use anyhow::{Context, Result, ensure};
use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField, UniformRand};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use spandrel_driver::{Card, MsmResult};

/// An MSM on BN254's G1, in the card's bytes and in arkworks' types.
pub struct Example {
    points: Vec<G1Affine>,
    scalars: Vec<Fr>,
}

impl Example {
    /// `count` random points and scalars.
    pub fn new(count: usize, seed: u64) -> Example {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        // A random start and steps of a random point: distinct, and quick on an emulated processor.
        let generator = G1Projective::generator();
        let (mut point, step) = (generator * Fr::rand(&mut rng), generator * Fr::rand(&mut rng));
        let points: Vec<_> = (0..count)
            .map(|_| {
                point += step;
                point
            })
            .collect();
        let scalars = (0..count).map(|_| Fr::rand(&mut rng)).collect();
        Example { points: G1Projective::normalize_batch(&points), scalars }
    }

    /// Points as the card takes them: x, y, Montgomery form, little-endian.
    pub fn point_bytes(&self) -> Vec<u8> {
        let of = |point: &G1Affine| {
            let (x, y) = point.xy().unwrap_or((Fq::ZERO, Fq::ZERO));
            [BigInt::<4>::new(x.0.0), BigInt::new(y.0.0)].map(|form| form.to_bytes_le()).concat()
        };
        self.points.iter().flat_map(of).collect()
    }

    /// Scalars as the card takes them: canonical, little-endian.
    pub fn scalar_bytes(&self) -> Vec<u8> {
        self.scalars.iter().flat_map(|scalar| scalar.into_bigint().to_bytes_le()).collect()
    }

    /// Has the card compute it and compares the result; gives the card's cycles.
    pub fn check(&self, card: &mut Card) -> Result<u64> {
        let bases = card.load_bases(&self.point_bytes()).context("bases cannot be loaded")?;
        let job = card.submit_msm(&bases, 0..bases.len(), &self.scalar_bytes())?;
        let result = card.wait(job, &mut |_| {}).context("the MSM failed")?;
        card.release_bases(bases)?;
        let wanted = G1Projective::msm(&self.points, &self.scalars)
            .map_err(|length| anyhow::anyhow!("arkworks takes {length} of the pairs"))?;
        let found = combine(&result)?;
        ensure!(
            found == wanted.into_affine(),
            "the card's MSM of {} points is {found}, and arkworks' is {}",
            self.points.len(),
            wanted.into_affine()
        );
        Ok(result.cycles)
    }
}

/// The point of the card's weighted sums.
fn combine(result: &MsmResult) -> Result<G1Affine> {
    let mut totals = vec![G1Projective::ZERO; 300];
    for (exponent, bytes) in result.exponents.iter().zip(&result.points) {
        let total = totals.get_mut(*exponent as usize).context("an exponent of the result is too large")?;
        *total += projective(bytes)?;
    }
    Ok(totals.iter().rev().fold(G1Projective::ZERO, |sum, total| sum.double() + total).into_affine())
}

/// A point of 96 bytes X, Y, Z, homogeneous.
fn projective(bytes: &[u8]) -> Result<G1Affine> {
    let (words, _) = bytes.as_chunks::<8>();
    let coordinate = |index: usize| {
        let mut limbs = [0; 4];
        for (limb, word) in limbs.iter_mut().zip(&words[4 * index..]) {
            *limb = u64::from_le_bytes(*word);
        }
        let form = BigInt::new(limbs);
        ensure!(form < Fq::MODULUS, "a coordinate from the card is not below the prime");
        Ok(Fq::new_unchecked(form))
    };
    let (x, y, z) = (coordinate(0)?, coordinate(1)?, coordinate(2)?);
    if z == Fq::ZERO {
        return Ok(G1Affine::zero());
    }
    let point = G1Affine::new_unchecked(x / z, y / z);
    ensure!(point.is_on_curve(), "a point from the card is not on the curve");
    Ok(point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spandrel_driver::{Counters, CurveId};

    #[test]
    fn weighted_sums_are_combined() {
        let example = Example::new(3, 7);
        let bytes = example.point_bytes();
        // The points with Z = 1 in Montgomery form, weighted with 1, 4 and 4.
        let one = BigInt::<4>::new(Fq::from(1u64).0.0).to_bytes_le();
        let points = bytes.as_chunks::<64>().0.iter();
        let points = points.map(|xy| [&xy[..], &one].concat().try_into().unwrap()).collect();
        let result = MsmResult {
            curve: CurveId::Bn254G1,
            window_bits: 2,
            exponents: vec![0, 2, 2],
            points,
            cycles: 0,
            counters: Counters::default(),
        };
        let four = Fr::from(4u64);
        let [a, b, c] = example.points[..] else { panic!("three points") };
        assert_eq!(combine(&result).unwrap(), (a + b * four + c * four).into_affine());
        let mut broken = result.clone();
        broken.points[1][0] ^= 1;
        assert!(combine(&broken).is_err());
    }
}
