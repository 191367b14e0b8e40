//! Memory between driver and card: used again, cut where it must be, lent by the caller.

use crate::support::{Faults, SoftCard, arithmetic, identification, options};
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use spandrel_abi::FIELD_BYTES;
use spandrel_driver::{
    Card, CardOptions, DriverError, FieldId, FieldOperation, Identification, Lent, MsmOptions, Opcode, Status,
};

/// Scalars and points, more of them than one buffer holds where there is a limit.
fn workload(count: usize) -> (Vec<Fr>, Vec<u8>, Vec<G1Affine>, Vec<u8>) {
    let mut sum = G1Projective::from(G1Affine::generator());
    let points: Vec<G1Projective> = std::iter::repeat_with(|| {
        sum = sum + sum + G1Affine::generator();
        sum
    })
    .take(count)
    .collect();
    let points = G1Projective::normalize_batch(&points);
    // Multiples of a large number are of all lengths.
    let scalars: Vec<Fr> = (0..count).map(|k| Fr::from(k as u64) / Fr::from(0x1_0001u64)).collect();
    let scalar_bytes = scalars.iter().flat_map(|scalar| arithmetic::scalar_bytes(*scalar)).collect();
    let point_bytes = points.iter().flat_map(arithmetic::point_bytes).collect();
    (scalars, scalar_bytes, points, point_bytes)
}

fn elements(first: u64, count: usize) -> Vec<u8> {
    (0..count as u64).flat_map(|k| arithmetic::montgomery(Fr::from(first + k))).collect()
}

fn large() -> SoftCard {
    SoftCard::with(Identification { card_memory_kib: 128, ..identification() }, 1)
}

#[test]
fn jobs_take_no_new_memory_once_they_have_run() {
    let card = SoftCard::new();
    let mut driver = card.open(CardOptions { idle_bytes: 1 << 20, ..options() }).expect("a good card");
    let (_, scalars, _, points) = workload(20);
    let (a, b) = (elements(5, 100), elements(1000, 100));
    let round = |driver: &mut Card| {
        let bases = driver.load_bases(&points).expect("room");
        let msm = driver.submit_msm(&bases, 0..20, &scalars).expect("valid");
        let vector =
            driver.submit_field_vector(FieldId::Fr, FieldOperation::Multiply, &a, &b).expect("valid");
        let expected = arithmetic::field_vector(FieldId::Fr, FieldOperation::Multiply, &a, &b);
        assert_eq!(driver.wait(vector, &mut |_| {}).expect("a good job"), expected);
        driver.wait(msm, &mut |_| {}).expect("a good job").points
    };
    let first = round(&mut driver);
    let mapped = card.mapped();
    card.faults(Faults { allocations_left: Some(0), ..Faults::default() });
    for _ in 0..20 {
        assert_eq!(round(&mut driver), first);
    }
    assert_eq!(card.mapped(), mapped);
    assert!(!card.can_reach(&scalars[32..64]) && !card.can_reach(&a[..64]), "secrets were left in memory");
    // When memory is short, what waits for other jobs is given back first.
    card.faults(Faults { allocations_left: Some(3), ..Faults::default() });
    let (a, b) = (elements(0, 1000), elements(0, 1000));
    driver.submit_field_vector(FieldId::Fr, FieldOperation::Add, &a, &b).map(drop).expect("room");
    drop(driver);
    assert_eq!((card.mapped(), card.stray_accesses()), (0, Vec::new()));
}

#[test]
fn work_is_cut_to_the_longest_buffer() {
    let card = large();
    card.model(|model| model.largest_buffer = Some(32 << 10));
    let mut driver = card.open(CardOptions { idle_bytes: 1 << 20, ..options() }).expect("a good card");
    let (scalars, scalar_bytes, points, point_bytes) = workload(1100);
    let executed =
        |opcode: Opcode| card.model(|model| model.log.iter().filter(|code| **code == opcode as u8).count());
    let bases = driver.load_bases(&point_bytes).expect("room");
    assert_eq!(executed(Opcode::LoadBases), 3, "70,400 bytes");
    assert_eq!(driver.read_bases(&bases, 5..1090).expect("in range"), point_bytes[64 * 5..64 * 1090]);
    let asked = MsmOptions { window_bits: Some(13), ..MsmOptions::default() };
    let job = driver.submit_msm_with(&bases, 20..1100, &scalar_bytes[20 * 32..], &asked).expect("valid");
    let result = driver.wait(job, &mut |_| {}).expect("a good job");
    assert_eq!(executed(Opcode::Msm), 2);
    assert_eq!(result.counters.elements, 1080);
    let expected = G1Projective::msm(&points[20..], &scalars[20..]).expect("same length");
    assert_eq!(arithmetic::combine(&result.exponents, &result.points), expected);
    let (a, b) = (elements(1, 2500), elements(7, 2500));
    let job = driver.submit_field_vector(FieldId::Fr, FieldOperation::Subtract, &a, &b).expect("valid");
    let expected = arithmetic::field_vector(FieldId::Fr, FieldOperation::Subtract, &a, &b);
    assert_eq!(driver.wait(job, &mut |_| {}).expect("a good job"), expected);
    assert_eq!(executed(Opcode::FieldVector), 3, "80,000 bytes each");
    // A part that fails is the job's failure.
    card.faults(Faults {
        status: Some((Opcode::FieldVector, Status::HostReadFault as u8)),
        ..Faults::default()
    });
    let job = driver.submit_field_vector(FieldId::Fr, FieldOperation::Add, &a, &b).expect("valid");
    let error = driver.wait(job, &mut |_| {}).expect_err("fails");
    assert!(matches!(error, DriverError::CommandFailed { status: Status::HostReadFault, .. }), "{error}");
    let too_long = driver.allocate(33 << 10).map(drop).expect_err("not in one piece");
    assert!(matches!(too_long, DriverError::Transport(_)));
    drop(bases);
    drop(driver);
    assert_eq!((card.mapped(), card.stray_accesses()), (0, Vec::new()));
}

#[test]
fn buffers_of_the_caller_are_used_in_place_and_come_back() {
    let card = large();
    let mut driver = card.open(options()).expect("a good card");
    let (scalars, scalar_bytes, points, point_bytes) = workload(300);
    let bases = driver.load_bases(&point_bytes).expect("room");
    let mut buffer = driver.allocate(300 * FIELD_BYTES).expect("memory");
    buffer.write(0, &scalar_bytes).expect("inside");
    for range in [0..300, 7..100, 3..3] {
        buffer.write(0, &scalar_bytes[32 * range.start..32 * range.end]).expect("inside");
        let address = buffer.iova();
        let job =
            driver.submit_msm_buffer(&bases, range.clone(), buffer, &MsmOptions::default()).expect("valid");
        let Lent { result, mut buffers } = driver.wait(job, &mut |_| {}).expect("a good job");
        let expected =
            G1Projective::msm(&points[range.clone()], &scalars[range.clone()]).expect("same length");
        assert_eq!(arithmetic::combine(&result.exponents, &result.points), expected);
        buffer = buffers.pop().expect("the one that was given");
        assert!(buffers.is_empty() && buffer.iova() == address);
    }
    let bytes = 40 * FIELD_BYTES;
    let (a, b) = (elements(3, 40), elements(90, 40));
    let mut vectors = [(); 3].map(|()| driver.allocate(bytes).expect("memory"));
    for operation in FieldOperation::ALL {
        vectors[0].write(0, &a).expect("inside");
        vectors[1].write(0, &b).expect("inside");
        let job = driver.submit_field_buffers(FieldId::Fr, *operation, 40, vectors).expect("valid");
        let Lent { result, buffers } = driver.wait(job, &mut |_| {}).expect("a good job");
        assert!(result.cycles > 0);
        vectors = buffers.try_into().expect("three");
        let mut out = vec![0; bytes];
        vectors[2].read(0, &mut out).expect("inside");
        assert_eq!(out, arithmetic::field_vector(FieldId::Fr, *operation, &a, &b));
    }
    drop((vectors, buffer, bases));
    assert_eq!(card.mapped(), 2, "the rings");
}

#[test]
fn refused_buffers_come_back() {
    let (card, other) = (SoftCard::new(), SoftCard::new());
    let mut driver = card.open(options()).expect("a good card");
    let mut foreign = other.open(options()).expect("a good card");
    let bases = driver.load_bases(&[0; 640]).expect("room");
    let any = MsmOptions::default();

    let buffer = foreign.allocate(320).expect("memory");
    let refused = driver.submit_msm_buffer(&bases, 0..10, buffer, &any).expect_err("another card's");
    assert!(matches!(refused.error, DriverError::AnotherCard { what: "buffer" }));
    assert_eq!(refused.buffers.len(), 1);

    let buffer = driver.allocate(320).expect("memory");
    let refused = driver.submit_msm_buffer(&bases, 0..11, buffer, &any).expect_err("too many");
    assert!(matches!(refused.error, DriverError::BadRange { .. }));
    let mut buffer = refused.buffers.into_iter().next().expect("back");
    buffer.write(9 * 32, &[0xff; 32]).expect("inside");
    let refused = driver.submit_msm_buffer(&bases, 0..10, buffer, &any).expect_err("no scalar");
    assert!(matches!(refused.error, DriverError::ScalarNotCanonical { index: 9 }));

    let vectors = [64, 32, 64].map(|bytes| driver.allocate(bytes).expect("memory"));
    let (field, add) = (FieldId::Fr, FieldOperation::Add);
    let refused = driver.submit_field_buffers(field, add, 2, vectors).expect_err("too short");
    assert!(matches!(refused.error, DriverError::BadCount { count: 2, most: 1, .. }));
    let vectors: [_; 3] = refused.buffers.try_into().expect("three");
    let job = driver.submit_field_buffers(field, add, 1, vectors).expect("valid");
    // Nobody waits for it: the card finishes, then the buffers go.
    drop(job);
    driver.self_test().expect("passes");
    drop(refused.error);
}

#[test]
fn a_card_that_is_cut_off_gives_its_memory_back() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let job =
        driver.submit_field_vector(FieldId::Fr, FieldOperation::Add, &[1; 32], &[2; 32]).expect("valid");
    let stuck =
        Faults { reset_register_stuck: true, reset_dead: true, can_be_cut_off: true, ..Faults::default() };
    card.faults(stuck);
    drop(driver);
    drop(job);
    assert_eq!(card.mapped(), 0);
}
