//! The whole card of a small board, without its shell: every command through the driver against arkworks.

use ark_bn254::Fr;
use ark_ff::{BigInt, UniformRand};
use spandrel_driver::{CardOptions, HashOutput};
use spandrel_hdl::profile::Profile;
use spandrel_poseidon::{Hasher, Output};
use spandrel_sim::{InProcess, SimOptions};
use spandrel_tests::world::{World, must};

#[test]
fn the_small_board_computes_what_the_big_ones_do() {
    let profile = must(Profile::load("acorn-cle215"));
    // The board's shell is another matter: here the card has its buses.
    let profile = Profile { board: 0, ..profile };
    let transport = must(InProcess::new(&profile, SimOptions { seed: 1, ..SimOptions::default() }));
    let control = transport.control();
    let mut world = must(World::over(Box::new(transport), control, 1, CardOptions::default()));
    must(world.card.self_test());
    world.check_field_vector();
    let (job, expected) = must(world.submit());
    assert_eq!(must(world.wait(job)), expected);

    let hasher = must(Hasher::new(3, Output::First));
    let inputs: Vec<Fr> = (0..8).map(|_| Fr::rand(&mut world.rng)).collect();
    let bytes: Vec<u8> =
        inputs.iter().flat_map(|input| input.0.0.iter().flat_map(|limb| limb.to_le_bytes())).collect();
    let job = must(world.card.submit_poseidon(3, HashOutput::First, &bytes));
    let result = must(world.card.wait(job, &mut |_| {}));
    let limb = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
    let found: Vec<Fr> = result
        .bytes
        .chunks(32)
        .map(|digest| Fr::new_unchecked(BigInt(std::array::from_fn(|at| limb(&digest[8 * at..8 * at + 8])))))
        .collect();
    assert_eq!(found, must(hasher.hash_many(&inputs)));
    world.check_field_vector();
}
