//! The engine over Poseidon's own cores, against the CPU.

use super::bench::{Bench, Command, Manner};
use super::reference::{HOST_A, HOST_B, HOST_OUT};
use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_abi::{Opcode, TreeShape, poseidon_parameter};
use spandrel_hdl::emit::emit;
use spandrel_hdl::merkle::HashEngine;
use spandrel_hdl::profile::Profile;
use spandrel_poseidon::{Arity, Hasher, Output, Tree};

fn form(element: &Fr) -> Vec<u8> {
    BigInt::new(element.0.0).to_bytes_le()
}

fn random(rng: &mut ChaCha8Rng, count: usize) -> Vec<Fr> {
    (0..count).map(|_| Fr::from_le_bytes_mod_order(&rng.r#gen::<[u8; 32]>())).collect()
}

#[test]
fn batches_and_trees_over_poseidon_are_those_of_the_cpu() {
    let mut profile = Profile::load("sim-poseidon").unwrap();
    profile.card_memory_kib = 64;
    let mut engine = HashEngine::new(&profile);
    engine.connect_all();
    let mut bench = Bench::new(&emit(&engine, "merkle_poseidon").unwrap(), 64 << 10, Manner::SLOW, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for (select, output) in [(0, Output::First), (1, Output::Second)] {
        let messages = random(&mut rng, 40);
        bench.put_host(HOST_A, messages.iter().map(form));
        let command = |count: u32, blocks: u16| Command {
            opcode: Opcode::Poseidon as u8,
            count,
            parameter: poseidon_parameter(3, select, blocks),
            host_a: HOST_A,
            host_b: HOST_B,
            host_out: HOST_OUT,
            ..Command::default()
        };
        assert_eq!(bench.run(&command(20, 0), 100_000).refusal, 0);
        let hasher = Hasher::new(3, output).unwrap();
        let expected: Vec<_> = hasher.hash_many(&messages).unwrap().iter().map(|d| Some(form(d))).collect();
        assert_eq!(bench.host_beats(HOST_OUT, 20), expected);

        let leaves = random(&mut rng, 13);
        let shape = TreeShape { arity: 2, depth: 6, leaves: 13 };
        let mut tree = Tree::build(Arity::Two, output, Some(6), leaves.clone()).unwrap();
        bench.put_host(HOST_A, leaves.iter().map(form));
        let command = |opcode: Opcode, count: u32| Command {
            opcode: opcode as u8,
            count,
            size: 13,
            parameter: shape.parameter(select),
            host_a: HOST_A,
            host_out: HOST_OUT,
            card_address: 0x140,
            ..Command::default()
        };
        let outcome = bench.run(&command(Opcode::MerkleBuild, 13), 100_000);
        // A pass for every full round and element, and for every partial round: 8·3 + 57.
        assert_eq!(
            (outcome.refusal, outcome.hashes, outcome.passes),
            (0, shape.hashes(), 81 * shape.hashes())
        );
        assert_eq!(bench.host_beats(HOST_OUT, 1), [Some(form(&tree.root()))]);
        let changes: Vec<_> = [2usize, 3, 9, 12].into_iter().zip(random(&mut rng, 4)).collect();
        bench.put_host(
            HOST_A,
            changes.iter().flat_map(|(index, leaf)| {
                [form(&Fr::new_unchecked(BigInt::from(*index as u64))), form(leaf)]
            }),
        );
        assert_eq!(bench.run(&command(Opcode::MerkleUpdate, 4), 100_000).refusal, 0);
        let root = tree.update(&changes).unwrap();
        assert_eq!(bench.host_beats(HOST_OUT, 1), [Some(form(&root))]);
    }
}

#[test]
fn an_engine_without_cores_is_empty() {
    let mut engine = HashEngine::new(&Profile::load("sim-small").unwrap());
    engine.connect_all();
    let emitted = emit(&engine, "merkle_none").unwrap();
    assert_eq!(emitted.modules.len(), 1);
    assert_eq!(engine.pass_latency(), 0);
}
