//! Reading paths.

use super::bench::{Bench, Command, Manner};
use super::reference::{HOST_A, HOST_OUT, Tree, elements};
use super::{CARD_BYTES, engine};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{Opcode, Status, TreeShape};
use spandrel_tests::reference::bytes32;

/// Reads paths; what comes back is those of `expected`.
fn read(bench: &mut Bench, tree: &Tree, indices: &[BigUint], expected: &[u32], refusal: u8) {
    bench.host.clear();
    bench.put_host(HOST_A, indices.iter().map(bytes32));
    let command = Command { count: indices.len() as u32, ..tree.command(Opcode::MerklePaths) };
    let outcome = bench.run(&command, 200_000);
    assert_eq!((outcome.refusal, outcome.hashes, outcome.lines_written), (refusal, 0, 0));
    let mut nodes: Vec<_> = expected.iter().flat_map(|index| tree.path(*index)).map(Some).collect();
    nodes.push(None);
    let beats = bench.host_beats(HOST_OUT, nodes.len());
    let beats: Vec<_> =
        beats.iter().map(|beat| beat.as_ref().map(|bytes| BigUint::from_bytes_le(bytes))).collect();
    assert!(beats == nodes, "paths {expected:?} of {:?}", tree.shape);
    tree.check(bench);
}

#[test]
fn paths_of_all_leaves_are_read() {
    let mut random = ChaCha8Rng::seed_from_u64(21);
    for manner in [Manner::QUICK, Manner::SLOW] {
        for arity in [2, 4] {
            for leaves in [1u32, 2, 3, 4, 5, 8, 9, 33, 100] {
                let least = TreeShape::least_depth(arity, leaves).max(1);
                for depth in [least, random.gen_range(least..=32)] {
                    let values = elements(&mut random, leaves as usize);
                    let tree = Tree::new(arity, depth, 0, 64 * random.gen_range(0..99), &values);
                    let mut bench = Bench::new(engine(), CARD_BYTES, manner, random.r#gen());
                    tree.store(&mut bench, 0..depth as usize + 1);
                    let all: Vec<u32> = (0..leaves).collect();
                    let some: Vec<u32> = (0..9).map(|_| random.gen_range(0..leaves)).collect();
                    for indices in [all, some, vec![leaves - 1]] {
                        let asked: Vec<_> = indices.iter().map(|index| BigUint::from(*index)).collect();
                        read(&mut bench, &tree, &asked, &indices, 0);
                    }
                }
            }
        }
    }
}

#[test]
fn an_index_past_the_tree_is_refused_and_the_first_leaf_read() {
    let mut random = ChaCha8Rng::seed_from_u64(22);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 23);
    let values = elements(&mut random, 50);
    let tree = Tree::new(4, 3, 1, 0, &values);
    tree.store(&mut bench, 0..4);
    let bad = Status::BadIndex as u8;
    let one = BigUint::from(1u8);
    for wrong in [50u32.into(), 63u32.into(), u32::MAX.into(), &one << 32, &one << 255usize] {
        for place in 0..3 {
            let mut asked = [7u32, 49, 20].map(BigUint::from);
            let mut expected = [7, 49, 20];
            asked[place] = wrong.clone();
            expected[place] = 0;
            read(&mut bench, &tree, &asked, &expected, bad);
        }
    }
    read(&mut bench, &tree, &[49u32.into()], &[49], 0);
}
