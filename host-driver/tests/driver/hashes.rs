//! Poseidon hashes of fixed length and by sponge.

use crate::support::hashing::element;
use crate::support::{Faults, SoftCard, arithmetic, identification, options};
use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField, Zero};
use proptest::prelude::*;
use spandrel_driver::{
    Card, CardOptions, DriverError, HashOutput, HashResult, Identification, Job, Opcode, Status,
};
use spandrel_poseidon::{Hasher, Output};

/// Elements that differ, long and short ones, and the largest.
fn some_elements(seed: u64, count: usize) -> Vec<Fr> {
    let of = |at: u64| match at % 7 {
        0 => Fr::from(at),
        1 => -Fr::from(at / 7),
        _ => Fr::from(seed + at) / Fr::from(0x1_0001u64),
    };
    (0..count as u64).map(of).collect()
}

fn as_bytes(elements: &[Fr]) -> Vec<u8> {
    elements.iter().flat_map(|element| arithmetic::montgomery(*element)).collect()
}

fn as_elements(bytes: &[u8]) -> Vec<Fr> {
    bytes.chunks(32).map(|bytes| element(bytes).expect("canonical")).collect()
}

fn permuted(width: usize, mut state: Vec<Fr>, output: HashOutput) -> Fr {
    let hasher = Hasher::new(width, Output::First).expect("a width of the parameters");
    hasher.permute(&mut state);
    state[output.code() as usize]
}

/// The sponge, one message and one block after the other.
fn absorbed(width: usize, capacity: Fr, message: &[Fr], output: HashOutput) -> Fr {
    let hasher = Hasher::new(width, Output::First).expect("a width of the parameters");
    let mut state = vec![Fr::zero(); width];
    state[0] = capacity;
    let blocks = message.len().div_ceil(width - 1).max(1);
    for block in 0..blocks {
        for (place, into) in state[1..].iter_mut().enumerate() {
            *into += message.get(block * (width - 1) + place).copied().unwrap_or_default();
        }
        hasher.permute(&mut state);
    }
    state[output.code() as usize]
}

fn submit(driver: &mut Card) -> Result<Job<HashResult>, DriverError> {
    driver.submit_poseidon(3, HashOutput::First, &as_bytes(&[Fr::from(1), Fr::from(2)]))
}

fn works(driver: &mut Card) {
    let job = submit(driver).expect("valid");
    let digest = as_elements(&driver.wait(job, &mut |_| {}).expect("a good job").bytes);
    // circomlib's poseidon([1, 2]).
    let known = "7853200120776062878684798364095072458815029376092732009249414926327459813530";
    assert_eq!(digest[0].to_string(), known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn hashes_of_fixed_length_are_those_of_the_cpu(
        width in prop::sample::select(vec![3usize, 5]),
        count in 1usize..300,
        output in prop::sample::select(vec![HashOutput::First, HashOutput::Second]),
        largest in prop::sample::select(vec![None, Some(4096), Some(10_000)]),
        seed in any::<u32>(),
    ) {
        let card = SoftCard::new();
        card.model(|model| model.largest_buffer = largest);
        let mut driver = card.open(options()).expect("a good card");
        let inputs = some_elements(seed.into(), count * (width - 1));
        let job = driver.submit_poseidon(width as u32, output, &as_bytes(&inputs)).expect("valid");
        let result = driver.wait(job, &mut |_| {}).expect("a good job");
        let digest = |message: &[Fr]| permuted(width, [&[Fr::zero()], message].concat(), output);
        let expected: Vec<Fr> = inputs.chunks(width - 1).map(digest).collect();
        prop_assert_eq!(as_elements(&result.bytes), expected);
        prop_assert_eq!(result.counters.elements, count as u64);
        prop_assert!(result.cycles > 0);
        let parts = largest.map_or(1, |bytes| {
            let messages: usize = bytes / 64 * 64 / (32 * (width - 1));
            count.div_ceil(messages)
        });
        let executed = |opcode| card.model(|model| model.log.iter().filter(|code| **code == opcode as u8).count());
        prop_assert_eq!((executed(Opcode::Poseidon), executed(Opcode::ReadCounters)), (parts, parts));
        drop(driver);
        prop_assert_eq!((card.mapped(), card.stray_accesses()), (0, Vec::new()));
    }

    /// Messages of any length, in groups that are whole, broken, or alone.
    #[test]
    fn sponges_are_those_of_the_cpu(
        width in prop::sample::select(vec![3usize, 5]),
        message_elements in 0usize..12,
        count in prop::sample::select(vec![1usize, 2, 511, 512, 513, 1030]),
        output in prop::sample::select(vec![HashOutput::First, HashOutput::Second]),
        largest in prop::sample::select(vec![None, Some(1 << 16)]),
        capacity in any::<u64>(),
    ) {
        let count = if message_elements == 0 { 1 } else { count };
        let card = SoftCard::new();
        card.model(|model| model.largest_buffer = largest);
        let mut driver = card.open(options()).expect("a good card");
        let inputs = some_elements(capacity >> 1, count * message_elements);
        let capacity = Fr::from(capacity) * Fr::from(1u128 << 100);
        let first = arithmetic::montgomery(capacity);
        let job = driver.submit_sponge(width as u32, output, &first, message_elements, &as_bytes(&inputs));
        let result = driver.wait(job.expect("valid"), &mut |_| {}).expect("a good job");
        let message = |index| &inputs[index * message_elements..(index + 1) * message_elements];
        let expected: Vec<Fr> =
            (0..count).map(|index| absorbed(width, capacity, message(index), output)).collect();
        prop_assert_eq!(as_elements(&result.bytes), expected);
        let blocks = message_elements.div_ceil(width - 1).max(1);
        prop_assert_eq!(result.counters.elements, (count * blocks) as u64);
        drop(driver);
        prop_assert_eq!((card.mapped(), card.stray_accesses()), (0, Vec::new()));
    }
}

#[test]
fn wrong_inputs_are_told_apart() {
    let card = SoftCard::new();
    card.model(|model| model.largest_buffer = Some(4096));
    let mut driver = card.open(options()).expect("a good card");
    let first = HashOutput::First;
    let error = driver.submit_poseidon(4, first, &[0; 96]).expect_err("no lanes");
    assert_eq!(
        error.to_string(),
        "the card has no Poseidon lanes for states of 4 elements: it has those of 3 and 5; load another bitstream"
    );
    for width in [0, 1, 6, u32::MAX] {
        let refused = driver.submit_poseidon(width, first, &[0; 64]);
        assert!(matches!(refused, Err(DriverError::NoWidth { width: asked, .. }) if asked == width));
        let refused = driver.submit_sponge(width, first, &[0; 32], 1, &[0; 32]);
        assert!(matches!(refused, Err(DriverError::NoWidth { .. })));
    }
    let refused = driver.submit_poseidon(3, first, &[0; 96]);
    assert!(matches!(refused, Err(DriverError::RaggedInput { what: "messages", bytes: 96, element: 64 })));
    let refused = driver.submit_poseidon(3, first, &[]);
    assert!(matches!(refused, Err(DriverError::BadCount { what: "messages", count: 0, .. })));

    let mut prime = as_bytes(&[Fr::from(7); 4]);
    prime[96..].copy_from_slice(&arithmetic::bytes(Fr::MODULUS));
    let refused = driver.submit_poseidon(3, first, &prime);
    assert!(matches!(refused, Err(DriverError::ElementNotCanonical { what: "input", index: 3 })));
    let refused = driver.submit_sponge(3, first, &[0; 32], 4, &prime);
    assert!(matches!(refused, Err(DriverError::ElementNotCanonical { what: "input", index: 3 })));
    let refused = driver.submit_sponge(3, first, &[0xff; 32], 1, &[0; 32]);
    assert!(matches!(refused, Err(DriverError::ElementNotCanonical { what: "capacity element", index: 0 })));
    // The largest element is one less, and every limb counts.
    let mut below: BigInt<4> = Fr::MODULUS;
    below.0[0] -= 1;
    prime[96..].copy_from_slice(&arithmetic::bytes(below));
    driver.submit_poseidon(3, first, &prime).map(drop).expect("the largest element");
    let mut above: BigInt<4> = Fr::MODULUS;
    above.0 = [0, 0, 0, above.0[3] + 1];
    prime[96..].copy_from_slice(&arithmetic::bytes(above));
    assert!(matches!(driver.submit_poseidon(3, first, &prime), Err(DriverError::ElementNotCanonical { .. })));

    let mut sponge = |elements, bytes| driver.submit_sponge(3, first, &[0; 32], elements, bytes).map(drop);
    assert!(matches!(sponge(3, &[0; 128]), Err(DriverError::RaggedInput { element: 96, .. })));
    assert!(matches!(sponge(0, &[0; 32]), Err(DriverError::RaggedInput { .. })));
    assert!(matches!(sponge(3, &[]), Err(DriverError::BadCount { count: 0, .. })));
    // A message lies in one buffer.
    sponge(128, &[0; 128 * 32]).expect("a whole buffer");
    let error = sponge(129, &[0; 129 * 32]).expect_err("more than a buffer");
    assert!(matches!(error, DriverError::BadCount { what: "elements of a message", most: 128, .. }));
    card.model(|model| model.largest_buffer = None);
    let too_many = 2 * 65_535 + 1;
    let error = driver.submit_sponge(3, first, &[0; 32], too_many, &[]).expect_err("too many blocks");
    assert!(matches!(error, DriverError::BadCount { most, .. } if most == too_many - 1));
    works(&mut driver);
}

#[test]
fn a_card_without_the_engine_is_refused() {
    let without = Identification { has_poseidon: false, poseidon_lanes: [0; 4], ..identification() };
    let card = SoftCard::with(without, 1);
    let mut driver = card.open(options()).expect("a good card");
    let before = card.model(|model| model.log.len());
    assert!(matches!(submit(&mut driver), Err(DriverError::NoEngine { engine: "Poseidon" })));
    let refused = driver.submit_sponge(3, HashOutput::First, &[0; 32], 1, &[0; 32]);
    assert!(matches!(refused, Err(DriverError::NoEngine { engine: "Poseidon" })));
    assert!(driver.self_test().is_ok());
    assert_eq!(card.model(|model| model.log.len()), before + 1, "the card saw nothing of it");
}

#[test]
fn messages_and_digests_do_not_outlive_their_job() {
    let card = SoftCard::new();
    let mut driver = card.open(CardOptions { idle_bytes: 0, ..options() }).expect("a good card");
    let secret = some_elements(99, 8);
    let digest =
        arithmetic::montgomery(permuted(3, vec![Fr::zero(), secret[0], secret[1]], HashOutput::First));
    for dropped in [false, true] {
        let hash = driver.submit_poseidon(3, HashOutput::First, &as_bytes(&secret)).expect("valid");
        let sponge = driver.submit_sponge(3, HashOutput::Second, &[0; 32], 4, &as_bytes(&secret));
        let sponge = sponge.expect("valid");
        if !dropped {
            driver.wait(hash, &mut |_| {}).expect("a good job");
            driver.wait(sponge, &mut |_| {}).expect("a good job");
        }
    }
    driver.reset().expect("a good card");
    drop(driver);
    for secret in secret.iter().skip(2).map(|secret| arithmetic::montgomery(*secret)).chain([digest]) {
        assert!(!card.gave_back(&secret), "a copy of a secret was left in memory that was given back");
    }
}

#[test]
fn every_status_reaches_the_user() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    for expected in Status::ALL.iter().copied().filter(|status| *status != Status::Success) {
        for failing in [Opcode::Poseidon, Opcode::ReadCounters] {
            card.faults(Faults { status: Some((failing, expected as u8)), ..Faults::default() });
            let job = submit(&mut driver).expect("valid");
            let error = driver.wait(job, &mut |_| {}).expect_err("the card failed it");
            assert!(error.to_string().contains(expected.doc().trim()), "{error}");
            assert!(matches!(
                error,
                DriverError::CommandFailed { opcode, status } if opcode == failing && status == expected
            ));
            let checked = matches!(expected, Status::NotCanonical | Status::BadIndex);
            assert_eq!(error.to_string().contains("self-test."), checked, "{error}");
        }
    }
    card.faults(Faults::default());
    works(&mut driver);
}

/// Neither a card that goes nor writes that are thrown away end in a digest.
#[test]
fn what_the_card_does_wrong_is_an_error() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    card.faults(Faults { lost_element: Some(1), ..Faults::default() });
    let job = driver.submit_poseidon(3, HashOutput::First, &[1; 192]).expect("valid");
    let error = driver.wait(job, &mut |_| {}).expect_err("a digest is missing");
    assert!(
        matches!(error, DriverError::ResultNotWritten { opcode: Opcode::Poseidon, offset: 32 }),
        "{error}"
    );
    card.faults(Faults::default());
    let job = submit(&mut driver).expect("valid");
    card.faults(Faults { gone: true, ..Faults::default() });
    assert!(matches!(driver.wait(job, &mut |_| {}), Err(DriverError::CardGone { .. })));
    assert!(matches!(submit(&mut driver), Err(DriverError::NeedsReset { .. })));
    card.faults(Faults { stuck_from: Some(0), ..Faults::default() });
    driver.reset().expect("a reset helps");
    let job = submit(&mut driver).expect("valid");
    let error = driver.wait(job, &mut |_| {}).expect_err("never ends");
    assert!(matches!(error, DriverError::TimedOut { opcode: Opcode::Poseidon, .. }), "{error}");
    card.faults(Faults::default());
    driver.reset().expect("a reset helps");
    works(&mut driver);
}
