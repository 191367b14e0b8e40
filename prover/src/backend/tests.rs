//! The CPU backend and the checks that all backends share.

use super::*;
use crate::curve::Grumpkin;
use crate::formats::{g1_from_bytes, point_from_bytes};
use crate::workload::{self, BaseKind, Distribution};
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::AdditiveGroup;

#[test]
fn the_cpu_computes_sums_of_products() {
    let cpu = Cpu::new();
    let mut points = workload::bases(20, 1);
    points[64 * 3..64 * 4].fill(0);
    let bases = cpu.load_bases(&points).unwrap();
    for distribution in [Distribution::Uniform, Distribution::Witness, Distribution::Zero] {
        let scalars = workload::scalars(15, distribution, 2);
        let mut expected = G1Projective::ZERO;
        for (index, scalar) in scalars.as_chunks::<32>().0.iter().enumerate() {
            let point = g1_from_bytes(&points.as_chunks().0[index + 5]).unwrap();
            expected += point * Fr::from_le_bytes_mod_order(scalar);
        }
        assert_eq!(cpu.msm(&bases, 5..20, &scalars).unwrap().point, expected.into_affine());
    }
    assert_eq!(cpu.msm(&bases, 20..20, &[]).unwrap().point, G1Affine::default());
}

#[test]
fn wrong_submissions_are_refused() {
    let cpu = Cpu::new();
    assert!(matches!(cpu.load_bases(&[0; 63]), Err(BackendError::BadBases { bytes: 63 })));
    let bases = cpu.load_bases(&workload::bases(4, 1)).unwrap();
    let scalars = workload::scalars(4, Distribution::Uniform, 2);
    let run = |range, scalars| cpu.msm(&bases, range, scalars).unwrap_err();
    assert!(matches!(run(0..5, &scalars), BackendError::BadRange { end: 5, len: 4, .. }));
    #[expect(clippy::reversed_empty_ranges, reason = "that is what must be refused")]
    let reversed = 3..2;
    assert!(matches!(run(reversed, &[]), BackendError::BadRange { .. }));
    assert!(matches!(run(0..3, &scalars), BackendError::ScalarCount { bytes: 128, bases: 3 }));
    let mut order = scalars.clone();
    order[64..96].copy_from_slice(&crate::formats::integer_to_bytes(&Fr::MODULUS));
    assert!(matches!(run(0..4, &order), BackendError::ScalarNotReduced { index: 2 }));
}

#[test]
fn workloads_are_reproducible_and_of_their_kind() {
    let (points, again) = (workload::bases(50, 7), workload::bases(60, 7));
    assert_eq!(points, again[..points.len()]);
    assert_ne!(points, workload::bases(50, 8));
    assert!(points.as_chunks().0.iter().all(|bytes| g1_from_bytes(bytes).is_ok()));
    let scalars = |distribution| workload::scalars(600, distribution, 7);
    assert_eq!(scalars(Distribution::Witness), scalars(Distribution::Witness));
    let count = |distribution, value: u8| {
        let wanted = |scalar: &&[u8; 32]| scalar[0] == value && scalar[1..] == [0; 31];
        scalars(distribution).as_chunks().0.iter().filter(wanted).count()
    };
    assert_eq!(count(Distribution::Zero, 0), 600);
    assert_eq!(count(Distribution::One, 1), 600);
    assert!((250..350).contains(&count(Distribution::Witness, 0)));
    assert!((150..250).contains(&count(Distribution::Witness, 1)));
    let equal = scalars(Distribution::Equal);
    assert!(equal.as_chunks::<32>().0.iter().all(|scalar| *scalar == equal[..32]));
    let same = workload::bases_of::<Bn254G1>(9, BaseKind::Equal, 7);
    assert!(same.as_chunks::<64>().0.iter().all(|point| *point == points[..64]));
    let grumpkin = workload::bases_of::<Grumpkin>(9, BaseKind::Distinct, 7);
    assert!(grumpkin.as_chunks().0.iter().all(|bytes| point_from_bytes::<Grumpkin>(bytes).is_ok()));
}
