//! The whole card of a small board, without its shell: every command through the driver against arkworks.

use ark_bn254::Fr;
use ark_ff::UniformRand;
use spandrel_driver::{CardOptions, HashOutput};
use spandrel_hdl::profile::Profile;
use spandrel_poseidon::{Hasher, Output};
use spandrel_sim::{InProcess, SimOptions};
use spandrel_tests::reference::{elements, elements_bytes};
use spandrel_tests::world::{World, must};

#[test]
fn the_small_board_computes_what_the_big_ones_do() {
    let profile = must(Profile::load("acorn-cle215"));
    // The board's shell is another matter: here the card has its buses.
    let profile = Profile { board: 0, serial: None, ..profile };
    let transport = must(InProcess::new(&profile, SimOptions { seed: 1, ..SimOptions::default() }));
    let control = transport.control();
    let mut world = must(World::over(Box::new(transport), control, 1, CardOptions::default()));
    must(world.card.self_test());
    world.check_field_vector();
    let (job, expected) = must(world.submit());
    assert_eq!(must(world.wait(job)), expected);

    let hasher = must(Hasher::new(3, Output::First));
    let inputs: Vec<Fr> = (0..8).map(|_| Fr::rand(&mut world.rng)).collect();
    let job = must(world.card.submit_poseidon(3, HashOutput::First, &elements_bytes(&inputs)));
    let result = must(world.card.wait(job, &mut |_| {}));
    assert_eq!(elements::<Fr>(&result.bytes), must(hasher.hash_many(&inputs)));
    world.check_field_vector();
}
