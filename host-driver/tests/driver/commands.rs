//! Each command, with right and with wrong inputs.

use crate::support::{SoftCard, arithmetic, identification, options};
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{PrimeField, Zero};
use proptest::prelude::*;
use spandrel_abi::{AFFINE_POINT_BYTES, FIELD_BYTES};
use spandrel_driver::{
    BitLengths, CardOptions, CurveId, DriverError, FieldId, FieldOperation, MsmOptions, Opcode, Status,
    best_msm,
};

/// Points k·G for k = 0 (infinity), 1, 2, …
fn points(count: usize) -> Vec<G1Affine> {
    let generator = G1Affine::generator();
    (0..count).map(|k| (generator * Fr::from(k as u64)).into_affine()).collect()
}

fn bases_bytes(points: &[G1Affine]) -> Vec<u8> {
    points.iter().flat_map(arithmetic::point_bytes).collect()
}

fn scalars_bytes(scalars: &[Fr]) -> Vec<u8> {
    scalars.iter().flat_map(|scalar| arithmetic::scalar_bytes(*scalar)).collect()
}

fn scalar() -> impl Strategy<Value = Fr> {
    prop_oneof![
        1 => Just(Fr::zero()),
        1 => Just(Fr::from(1u64)),
        1 => Just(-Fr::from(1u64)),
        3 => any::<[u8; 32]>().prop_map(|bytes| Fr::from_le_bytes_mod_order(&bytes)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Any part of the resident bases, loaded in pieces of any size, against arkworks.
    #[test]
    fn msm_is_that_of_arkworks(
        scalars in prop::collection::vec(scalar(), 0..24),
        before in 0usize..5,
        after in 0usize..5,
        staging_bytes in 64usize..2000,
        window_bits in prop::sample::select(vec![None, Some(5), Some(13)]),
    ) {
        let points = points(before + scalars.len() + after + 1);
        let card = SoftCard::new();
        let mut driver = card.open(CardOptions { staging_bytes, ..options() }).expect("a good card");
        // Something else lies in front, so that addresses are not zero.
        let first = driver.load_bases(&[7; 128]).expect("room");
        let bases = driver.load_bases(&bases_bytes(&points)).expect("room");
        let range = before..before + scalars.len();
        let bytes = scalars_bytes(&scalars);
        let asked = MsmOptions { window_bits, ..MsmOptions::default() };
        let job = driver.submit_msm_with(&bases, range.clone(), &bytes, &asked).expect("valid");
        let result = driver.wait(job, &mut |_| {}).expect("a good job");
        let expected = G1Projective::msm(&points[range], &scalars).expect("same length");
        prop_assert_eq!(arithmetic::combine(&result.exponents, &result.points), expected);
        // Few scalars are cheapest in few buckets.
        prop_assert_eq!((result.curve, result.window_bits), (CurveId::Bn254G1, window_bits.unwrap_or(5)));
        prop_assert_eq!(result.counters.elements, scalars.len() as u64);
        prop_assert!(result.cycles > 0);
        driver.release_bases(first).expect("this card's");
        drop(driver);
        prop_assert_eq!(card.stray_accesses(), Vec::<u64>::new());
        prop_assert_eq!(card.mapped(), 0);
    }

    #[test]
    fn field_vectors_are_those_of_arkworks(
        pairs in prop::collection::vec((scalar(), scalar()), 1..40),
        field in prop::sample::select(FieldId::ALL),
        operation in prop::sample::select(FieldOperation::ALL),
    ) {
        let a: Vec<u8> = pairs.iter().flat_map(|(a, _)| arithmetic::montgomery(*a)).collect();
        let b: Vec<u8> = pairs.iter().flat_map(|(_, b)| arithmetic::montgomery(*b)).collect();
        let card = SoftCard::new();
        let mut driver = card.open(options()).expect("a good card");
        let job = driver.submit_field_vector(field, operation, &a, &b).expect("valid");
        let result = driver.wait(job, &mut |_| {}).expect("a good job");
        if field == FieldId::Fr {
            let expected: Vec<u8> = pairs
                .iter()
                .map(|(a, b)| match operation {
                    FieldOperation::Add => *a + *b,
                    FieldOperation::Subtract => *a - *b,
                    FieldOperation::Multiply => *a * *b,
                })
                .flat_map(arithmetic::montgomery)
                .collect();
            prop_assert_eq!(&result, &expected);
        }
        prop_assert_eq!(result, arithmetic::field_vector(field, operation, &a, &b));
        prop_assert_eq!(driver.read_counters().expect("counters").elements, pairs.len() as u64);
    }
}

/// Bases come back as they were loaded, in pieces of the staging buffer.
#[test]
fn bases_are_read_back() {
    let card = SoftCard::new();
    let mut driver = card.open(CardOptions { staging_bytes: 200, ..options() }).expect("a good card");
    let points: Vec<u8> = (0..20 * 64).map(|at| (at % 251) as u8).collect();
    let bases = driver.load_bases(&points).expect("room");
    for range in [0..20, 3..4, 7..14, 5..5, 20..20] {
        let read = driver.read_bases(&bases, range.clone()).expect("in range");
        assert_eq!(read, points[64 * range.start..64 * range.end], "{range:?}");
    }
    let error = driver.read_bases(&bases, 3..21).expect_err("beyond the last");
    assert!(matches!(error, DriverError::BadRange { bases: 20, .. }));
    driver.reset().expect("resets");
    assert!(matches!(driver.read_bases(&bases, 0..1), Err(DriverError::BasesLost)));
}

/// The memory that a loopback uses is its own, and free after it.
#[test]
fn data_come_back_from_card_memory() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&[7; 128]).expect("room");
    let free = driver.free_card_memory();
    let data: Vec<u8> = (0..30 * 64).map(|at| (at % 249) as u8).collect();
    let measured = driver.loopback(&data).expect("a good card");
    assert_eq!(measured.bytes, data.len());
    assert!(measured.load_cycles > 0 && measured.read_cycles > 0);
    assert_eq!(driver.free_card_memory(), free);
    assert_eq!(driver.read_bases(&bases, 0..2).expect("in range"), [7; 128]);
    assert!(matches!(driver.loopback(&data[..100]), Err(DriverError::RaggedInput { .. })));
    assert!(matches!(driver.loopback(&[]), Err(DriverError::BadCount { .. })));
    assert!(matches!(driver.loopback(&vec![0; 1 << 26]), Err(DriverError::OutOfCardMemory { .. })));
}

#[test]
fn windows_and_curves_are_what_the_card_offers() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    let mut submit = |asked| driver.submit_msm_with(&bases, 0..1, &[0; 32], &asked).map(drop);
    let error =
        submit(MsmOptions { window_bits: Some(6), ..MsmOptions::default() }).expect_err("not offered");
    assert_eq!(error.to_string(), "the card has no windows of 6 bits: it has 5 and 13");
    let error =
        submit(MsmOptions { curve: CurveId::Grumpkin, ..MsmOptions::default() }).expect_err("not offered");
    assert!(matches!(error, DriverError::NoCurve { curve: CurveId::Grumpkin }));
    assert_eq!(card.model(|model| model.log.len()), 2, "only Identify and LoadBases have been executed");

    // The estimate's choice is what travels to the card.
    let mut large = identification();
    large.card_memory_kib = 1 << 14;
    let card = SoftCard::with(large, 1);
    let mut driver = card.open(CardOptions { bound_factor: 16, ..options() }).expect("a good card");
    let count = 1 << 13;
    let bases = driver.load_bases(&vec![0; 64 * count]).expect("room");
    for fill in [0u8, 0x2f] {
        let scalars = vec![fill; 32 * count];
        let best = best_msm(&large, &BitLengths::of(&scalars)).expect("choices").window_bits;
        assert_eq!(best, if fill == 0 { 5 } else { 13 });
        let job = driver.submit_msm(&bases, 0..count, &scalars).expect("valid");
        assert_eq!(driver.wait(job, &mut |_| {}).expect("a good job").window_bits, best);
    }
}

#[test]
fn scalars_are_below_the_order_of_the_curve() {
    let mut both = identification();
    both.msm_curves = 3;
    let card = SoftCard::with(both, 1);
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    let orders: [(CurveId, ark_ff::BigInt<4>); 2] =
        [(CurveId::Bn254G1, Fr::MODULUS), (CurveId::Grumpkin, ark_bn254::Fq::MODULUS)];
    for (curve, order) in orders {
        let asked = MsmOptions { curve, ..MsmOptions::default() };
        let refused = driver.submit_msm_with(&bases, 0..1, &arithmetic::bytes(order), &asked).map(drop);
        assert!(matches!(refused, Err(DriverError::ScalarNotCanonical { index: 0 })), "{curve:?}");
        let mut below = order;
        below.0[0] -= 1;
        driver.submit_msm_with(&bases, 0..1, &arithmetic::bytes(below), &asked).map(drop).expect("valid");
    }
}

#[test]
fn open_tells_what_the_card_is() {
    let card = SoftCard::new();
    let mut driver = card.open(CardOptions::default()).expect("a good card");
    assert_eq!(driver.identification(), &identification());
    assert_eq!(driver.identify().expect("the same again"), identification());
    assert_eq!(driver.name(), "software card");
    assert_eq!(driver.needs_reset(), None);
    let earlier = driver.cycles().expect("a counter");
    assert!(driver.self_test().expect("passes") > 0);
    assert!(driver.cycles().expect("a counter") > earlier);
}

#[test]
fn secrets_do_not_outlive_their_job() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&bases_bytes(&points(3))).expect("room");
    let secret = [0x2a; 96];
    for dropped in [false, true] {
        let job = driver.submit_msm(&bases, 0..3, &secret).expect("valid");
        let vector =
            driver.submit_field_vector(FieldId::Fr, FieldOperation::Add, &secret, &secret).expect("valid");
        if !dropped {
            driver.wait(job, &mut |_| {}).expect("a good job");
            driver.wait(vector, &mut |_| {}).expect("a good job");
        }
    }
    driver.reset().expect("a good card");
    drop(driver);
    assert!(!card.gave_back(&secret[..16]), "a copy of a secret was left in memory that was given back");
    // The check itself works: what is no secret is given back as it is.
    assert!(card.gave_back(&identification().magic.to_le_bytes()));
}

#[test]
fn wrong_inputs_are_told_apart() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&bases_bytes(&points(4))).expect("room");
    let one = scalars_bytes(&[Fr::from(1u64)]);

    assert!(matches!(
        driver.load_bases(&[0; 65]),
        Err(DriverError::RaggedInput { what: "bases", bytes: 65, element: AFFINE_POINT_BYTES })
    ));
    assert!(matches!(driver.load_bases(&[]), Err(DriverError::BadCount { what: "bases", count: 0, .. })));
    assert!(matches!(
        driver.submit_msm(&bases, 0..1, &one[..31]),
        Err(DriverError::RaggedInput { what: "scalars", bytes: 31, element: FIELD_BYTES })
    ));
    assert!(matches!(
        driver.submit_msm(&bases, 0..2, &one),
        Err(DriverError::CountsDiffer { left: 1, right: 2, .. })
    ));
    #[expect(clippy::reversed_empty_ranges)]
    let backwards = 3..2;
    for range in [4..5, 0..5, 5..5, usize::MAX..usize::MAX, backwards] {
        assert!(matches!(driver.submit_msm(&bases, range, &[]), Err(DriverError::BadRange { bases: 4, .. })));
    }
    let mut order = scalars_bytes(&[-Fr::from(1u64)]);
    driver.submit_msm(&bases, 0..1, &order).map(drop).expect("r - 1 is the largest scalar");
    order[0] += 1;
    for scalar in [&order[..], &[0xff; 32]] {
        assert!(matches!(
            driver.submit_msm(&bases, 0..2, &[&one, scalar].concat()),
            Err(DriverError::ScalarNotCanonical { index: 1 })
        ));
    }
    for (a, b) in [(&[][..], &[][..]), (&one, &[])] {
        assert!(matches!(
            driver.submit_field_vector(FieldId::Fq, FieldOperation::Add, a, b),
            Err(DriverError::BadCount { count: 0, .. })
        ));
    }
    assert!(matches!(
        driver.submit_field_vector(FieldId::Fq, FieldOperation::Add, &one, &[0; 64]),
        Err(DriverError::CountsDiffer { left: 1, right: 2, .. })
    ));
    // None of it needs a reset.
    assert!(driver.self_test().is_ok());
}

#[test]
fn card_memory_fills_and_empties() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let total = 16 * 1024;
    assert_eq!(driver.free_card_memory(), total);
    let half = vec![0; total as usize / 2];
    let first = driver.load_bases(&half).expect("half");
    assert_eq!((first.len(), first.is_empty()), (128, false));
    let second = driver.load_bases(&half).expect("the other half");
    assert!(matches!(
        driver.load_bases(&half),
        Err(DriverError::OutOfCardMemory { bytes: 8192, free: 0, largest_gap: 0, total: 16384 })
    ));
    driver.release_bases(first).expect("this card's");
    assert_eq!(driver.free_card_memory(), total / 2);
    // A job keeps the memory of bases that are dropped.
    let job = driver.submit_msm(&second, 0..1, &[0; 32]).expect("valid");
    drop(second);
    assert_eq!(driver.free_card_memory(), total / 2);
    driver.wait(job, &mut |_| {}).expect("still good");
    assert_eq!(driver.free_card_memory(), total);
}

#[test]
fn handles_of_another_card_or_before_a_reset_are_refused() {
    let (card, other) = (SoftCard::new(), SoftCard::new());
    let mut driver = card.open(options()).expect("a good card");
    let mut other_driver = other.open(options()).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    assert!(matches!(
        other_driver.submit_msm(&bases, 0..1, &[0; 32]),
        Err(DriverError::AnotherCard { what: "bases" })
    ));
    let job = driver.submit_msm(&bases, 0..1, &[0; 32]).expect("valid");
    assert!(matches!(other_driver.poll(&job), Err(DriverError::AnotherCard { what: "job" })));
    let job_for_other = driver.submit_msm(&bases, 0..1, &[0; 32]).expect("valid");
    assert!(matches!(
        other_driver.wait(job_for_other, &mut |_| {}),
        Err(DriverError::AnotherCard { what: "job" })
    ));
    driver.reset().expect("a good card");
    assert!(matches!(driver.wait(job, &mut |_| {}), Err(DriverError::JobLost)));
    assert!(matches!(driver.submit_msm(&bases, 0..1, &[0; 32]), Err(DriverError::BasesLost)));
    // Old bases do not give back memory that new ones have taken.
    let new = driver.load_bases(&[0; 64]).expect("room");
    drop(bases);
    assert_eq!(driver.free_card_memory(), 16 * 1024 - 64);
    let misplaced = other_driver.release_bases(new);
    assert!(matches!(misplaced, Err(DriverError::AnotherCard { what: "bases" })));
}

#[test]
fn engines_that_are_not_there_are_refused() {
    let mut without = identification();
    without.has_msm = false;
    without.has_field = false;
    let mut driver = SoftCard::with(without, 1).open(options()).expect("a good card");
    assert!(matches!(driver.load_bases(&[0; 64]), Err(DriverError::NoEngine { engine: "MSM" })));
    assert!(matches!(
        driver.submit_field_vector(FieldId::Fq, FieldOperation::Add, &[0; 32], &[0; 32]),
        Err(DriverError::NoEngine { .. })
    ));
    assert!(driver.self_test().is_ok());
}

#[test]
fn every_status_reaches_the_user_and_needs_no_reset() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    for expected in Status::ALL.iter().copied().filter(|status| *status != Status::Success) {
        for failing in [Opcode::Msm, Opcode::ReadCounters] {
            card.model(|model| model.faults.status = Some((failing, expected as u8)));
            let job = driver.submit_msm(&bases, 0..1, &[0; 32]).expect("valid");
            let error = driver.wait(job, &mut |_| {}).expect_err("the card failed it");
            assert!(error.to_string().contains(expected.doc().trim()), "{error}");
            assert!(matches!(
                error,
                DriverError::CommandFailed { opcode, status } if opcode == failing && status == expected
            ));
        }
        card.model(|model| model.faults.status = Some((Opcode::SelfTest, expected as u8)));
        assert!(matches!(driver.self_test(), Err(DriverError::CommandFailed { .. })));
        card.model(|model| model.faults.status = None);
        assert!(driver.self_test().is_ok());
    }
}

#[test]
fn options_are_checked() {
    let card = SoftCard::new();
    let good = options();
    for (name, bad) in [
        ("submission_entries", CardOptions { submission_entries: 3, ..good.clone() }),
        ("submission_entries", CardOptions { submission_entries: 1, ..good.clone() }),
        ("completion_entries", CardOptions { completion_entries: 65_536, ..good.clone() }),
        ("completion_entries", CardOptions { completion_entries: 0, ..good.clone() }),
        ("max_jobs", CardOptions { max_jobs: 0, ..good.clone() }),
        ("staging_bytes", CardOptions { staging_bytes: 63, ..good.clone() }),
        ("bound_factor", CardOptions { bound_factor: 0, ..good.clone() }),
        ("bound_floor_cycles", CardOptions { bound_floor_cycles: 0, ..good.clone() }),
        ("poll_cycles", CardOptions { poll_cycles: 0, ..good.clone() }),
    ] {
        let error = card.open(bad).map(drop).expect_err("must be refused");
        assert!(matches!(error, DriverError::BadOption { option, .. } if option == name), "{error}");
    }
}
