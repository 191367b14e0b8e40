//! The card as it ships, its real engines behind the rings, against arkworks.

use super::host::{Host, bytes_of};
use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ff::UniformRand;
use rand::SeedableRng;
use spandrel_abi::*;
use spandrel_hdl::profile::Profile;
use spandrel_sim::{SimCard, SimOptions, Timing};
use spandrel_tests::reference::{self, Coordinate, elements_bytes};

type Generator = rand_chacha::ChaCha8Rng;

fn host(timing: Timing, seed: u64) -> Host {
    let profile = Profile::load("sim-small").unwrap();
    let options = SimOptions { seed, ..Default::default() };
    let card = SimCard::with_timing(&profile, &options, timing).unwrap_or_else(|error| panic!("{error}"));
    Host::around(card, 8, 8)
}

fn field_vector<F: Coordinate>(host: &mut Host, random: &mut Generator, field: FieldId) {
    let count = 75;
    let mut a: Vec<F> = (0..count).map(|_| F::rand(random)).collect();
    let mut b: Vec<F> = (0..count).map(|_| F::rand(random)).collect();
    (a[0], b[0], a[1], b[1], a[2], b[2]) = (F::ZERO, F::ZERO, -F::ONE, -F::ONE, F::ZERO, F::ONE);
    let (host_a, host_b) = (host.filled(0, &elements_bytes(&a)), host.filled(0, &elements_bytes(&b)));
    for operation in FieldOperation::ALL {
        let out = host.buffer(32 * count);
        host.succeed(Descriptor {
            opcode: Opcode::FieldVector as u8,
            count: count as u32,
            host_a: host_a.iova(),
            host_b: host_b.iova(),
            host_out: out.iova(),
            parameter: field_parameter(field, *operation),
            ..Default::default()
        });
        let pairs = a.iter().zip(&b);
        let expected: Vec<F> = match operation {
            FieldOperation::Add => pairs.map(|(a, b)| *a + b).collect(),
            FieldOperation::Subtract => pairs.map(|(a, b)| *a - b).collect(),
            FieldOperation::Multiply => pairs.map(|(a, b)| *a * b).collect(),
        };
        assert_eq!(bytes_of(&out, 0, 32 * count), elements_bytes(&expected), "{field:?} {operation:?}");
    }
}

#[test]
fn self_test_passes_and_field_vectors_are_arkworks() {
    let mut host = host(Timing::HOSTILE, 300);
    let self_test = Descriptor { opcode: Opcode::SelfTest as u8, ..Default::default() };
    host.succeed(self_test);
    let mut random = Generator::seed_from_u64(1);
    field_vector::<Fq>(&mut host, &mut random, FieldId::Fq);
    field_vector::<Fr>(&mut host, &mut random, FieldId::Fr);
    host.succeed(self_test);
    host.check_rules();
}

#[test]
fn a_card_without_a_hash_engine_says_so() {
    let mut host = host(Timing::STEADY, 302);
    let shape = TreeShape { arity: 2, depth: 1, leaves: 2 };
    let hash = (Opcode::Poseidon, 0, poseidon_parameter(3, 0, 0));
    let trees = [Opcode::MerkleBuild, Opcode::MerklePaths, Opcode::MerkleUpdate];
    let trees = trees.map(|opcode| (opcode, shape.leaves, shape.parameter(0)));
    for (opcode, size, parameter) in trees.into_iter().chain([hash]) {
        let descriptor = Descriptor { opcode: opcode as u8, count: 2, size, parameter, ..Default::default() };
        assert_eq!(host.execute(descriptor).status, Status::Unsupported as u8, "{opcode:?}");
    }
}

#[test]
fn msm_through_the_rings_is_arkworks_also_after_resets() {
    let mut host = host(Timing::HOSTILE, 301);
    let mut random = Generator::seed_from_u64(2);
    let mut bases: Vec<G1Affine> = (0..40).map(|_| G1Projective::rand(&mut random).into()).collect();
    (bases[3], bases[4], bases[5]) = (bases[2], -bases[2], G1Affine::identity());
    let scalars: Vec<Fr> =
        (0..40u64).map(|index| if index % 3 == 0 { index.into() } else { Fr::rand(&mut random) }).collect();
    let points: Vec<u8> = bases.iter().flat_map(reference::point_bytes).collect();
    let values: Vec<u8> = scalars.iter().flat_map(reference::scalar_bytes).collect();
    let (host_bases, host_scalars) = (host.filled(0, &points), host.filled(0, &values));
    let identification = Identification::from_words(&std::array::from_fn(|index| {
        host.card.read_register(4 * index as u64).unwrap()
    }));
    let choices: Vec<u32> = identification.window_choices().collect();
    assert!(choices.len() > 1, "the choice is to be tested");
    let bytes = |window_bits: u32| identification.msm_result_points(window_bits) * PROJECTIVE_POINT_BYTES;
    let out = host.buffer(choices.iter().map(|bits| bytes(*bits)).max().unwrap());
    let load = Descriptor {
        opcode: Opcode::LoadBases as u8,
        count: 40,
        host_a: host_bases.iova(),
        ..Default::default()
    };
    let msm = Descriptor {
        opcode: Opcode::Msm as u8,
        host_a: host_scalars.iova(),
        host_out: out.iova(),
        ..Default::default()
    };
    host.succeed(load);
    for (round, (first, count)) in
        [(0usize, 40usize), (5, 1), (2, 3), (0, 0), (10, 30)].into_iter().enumerate()
    {
        // A job that a reset cuts short, then one that must be right.
        let window_bits = choices[round % choices.len()];
        let result_bytes = bytes(window_bits);
        let msm = Descriptor { parameter: msm_parameter(CurveId::Bn254G1, window_bits as u8), ..msm };
        host.push(Descriptor { count: 40, ..msm });
        host.ring();
        host.card.run(150 + 1111 * round as u64).unwrap();
        host.reset();
        host.succeed(Descriptor { count: count as u32, card_address: 64 * first as u64, ..msm });
        let sums: Vec<G1Projective> = bytes_of(&out, 0, result_bytes)
            .chunks(PROJECTIVE_POINT_BYTES)
            .map(reference::projective)
            .collect();
        let expected = reference::msm(&bases[first..first + count], &scalars[..count]);
        let exponents: Vec<u32> = identification.msm_result_exponents(window_bits).collect();
        assert_eq!(reference::combine_weighted(&exponents, &sums), expected, "{first} {count}");
        let counters = host.counters();
        assert_eq!(counters.elements, count as u64);
        assert_eq!(
            (counters.host_read_bytes, counters.card_read_bytes),
            (32 * count as u64, 64 * count as u64)
        );
        assert_eq!(counters.host_write_bytes, result_bytes as u64);
        assert!(count == 0 || counters.cycles > 0);
    }
    host.check_rules();
}
