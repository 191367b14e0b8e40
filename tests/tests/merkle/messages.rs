//! Batches and sponges.

use super::bench::{Bench, Command, Manner};
use super::reference::{HOST_A, HOST_B, HOST_OUT, elements, hash, sponge};
use super::{CARD_BYTES, GROUP, engine};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{Opcode, Status, poseidon_parameter};
use spandrel_hdl::field::Prime;
use spandrel_tests::reference::bytes32;

fn command(count: usize, width: u32, output: u32, blocks: u16) -> Command {
    Command {
        opcode: Opcode::Poseidon as u8,
        count: count as u32,
        parameter: poseidon_parameter(width, output, blocks),
        host_a: HOST_A,
        host_b: HOST_B,
        host_out: HOST_OUT,
        ..Command::default()
    }
}

fn digests(bench: &Bench, count: usize) -> Vec<Option<BigUint>> {
    let beats = bench.host_beats(HOST_OUT, count + 1);
    beats.iter().map(|beat| beat.as_ref().map(|bytes| BigUint::from_bytes_le(bytes))).collect()
}

fn expected(values: impl Iterator<Item = BigUint>) -> Vec<Option<BigUint>> {
    values.map(Some).chain([None]).collect()
}

#[test]
fn batches_of_all_widths_are_hashed() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for manner in [Manner::QUICK, Manner::SLOW] {
        for width in 2..=5u32 {
            for (count, output) in
                [(1usize, 0), (2, 1), (GROUP as usize, 0), (GROUP as usize + 1, 1), (300, 0)]
            {
                let mut bench = Bench::new(engine(), CARD_BYTES, manner, random.r#gen());
                let rate = width as usize - 1;
                let inputs = elements(&mut random, count * rate);
                bench.put_host(HOST_A, inputs.iter().map(bytes32));
                let outcome = bench.run(&command(count, width, output, 0), 40_000);
                assert_eq!(outcome.refusal, 0);
                assert_eq!((outcome.hashes, outcome.lines_written), (count as u64, 0));
                assert_eq!(outcome.host_beats_read, (count * rate) as u64);
                assert_eq!(outcome.passes + outcome.starved, outcome.cycles);
                let values = inputs.chunks(rate).map(|message| hash(output, message));
                assert_eq!(digests(&bench, count), expected(values), "t = {width}, {count} messages");
            }
        }
    }
}

/// Lays messages out as the card reads them: in groups, block-major.
fn block_major(messages: &[Vec<BigUint>], rate: usize, blocks: usize) -> Vec<BigUint> {
    let mut laid = Vec::new();
    for group in messages.chunks(GROUP as usize) {
        for block in 0..blocks {
            for message in group {
                laid.extend_from_slice(&message[block * rate..(block + 1) * rate]);
            }
        }
    }
    laid
}

#[test]
fn sponges_absorb_block_after_block_in_groups() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for manner in [Manner::QUICK, Manner::SLOW] {
        for width in 2..=5u32 {
            for (count, blocks) in [(1, 1), (1, 4), (7, 3), (8, 2), (9, 2), (16, 3), (35, 5)] {
                let rate = width as usize - 1;
                let output = random.gen_range(0..2);
                let mut bench = Bench::new(engine(), CARD_BYTES, manner, random.r#gen());
                let capacity = elements(&mut random, 1).remove(0);
                let messages: Vec<_> = (0..count).map(|_| elements(&mut random, rate * blocks)).collect();
                bench.put_host(HOST_A, block_major(&messages, rate, blocks).iter().map(bytes32));
                bench.put_host(HOST_B, [bytes32(&capacity)]);
                let outcome = bench.run(&command(count, width, output, blocks as u16), 60_000);
                assert_eq!(outcome.refusal, 0);
                assert_eq!(outcome.hashes, (count * blocks) as u64);
                let values = messages.iter().map(|message| sponge(output, rate, &capacity, message));
                assert_eq!(
                    digests(&bench, count),
                    expected(values),
                    "t = {width}, {count} of {blocks} blocks"
                );
            }
        }
    }
}

#[test]
fn elements_not_below_the_prime_are_told_and_do_no_harm() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 4);
    let prime = Prime::Fr.modulus();
    for bad in [prime.clone(), &prime + 1u8, (BigUint::from(1u8) << 256) - 1u8] {
        for (count, blocks, place) in
            [(20usize, 0u16, 0usize), (20, 0, 39), (20, 0, 40), (9, 2, 17), (9, 2, 99)]
        {
            let used = count * 2 * usize::from(blocks.max(1));
            let mut inputs = elements(&mut random, used + 1);
            // Place 99 is the capacity; place 40 of the first kind is behind the last message.
            let capacity = if place == 99 { bad.clone() } else { BigUint::from(3u8) };
            if place != 99 {
                inputs[place] = bad.clone();
            }
            bench.put_host(HOST_A, inputs.iter().map(bytes32));
            bench.put_host(HOST_B, [bytes32(&capacity)]);
            let outcome = bench.run(&command(count, 3, 0, blocks), 40_000);
            let expected = if place == used { 0 } else { Status::NotCanonical as u8 };
            assert_eq!(outcome.refusal, expected, "place {place}");
            assert_eq!(bench.host_beats(HOST_OUT, count).iter().flatten().count(), count);
        }
        // The next command is exact, and its refusal is its own.
        let mut below = elements(&mut random, 40);
        below[39] = &prime - 1u8;
        bench.put_host(HOST_A, below.iter().map(bytes32));
        assert_eq!(bench.run(&command(20, 3, 1, 0), 40_000).refusal, 0);
        let values: Vec<_> = below.chunks(2).map(|message| Some(hash(1, message))).collect();
        assert_eq!(digests(&bench, 20)[..20], values);
    }
}

#[test]
fn a_reset_in_the_middle_leaves_an_engine_as_new() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 6);
    for round in 0..40 {
        let inputs = elements(&mut random, 900);
        bench.put_host(HOST_A, inputs.iter().map(bytes32));
        bench.put_host(HOST_B, [bytes32(&inputs[0])]);
        bench.host.retain(|address, _| *address < HOST_OUT);
        bench.start(&command(30, 2 + round % 4, 0, (round % 3) as u16));
        for _ in 0..random.gen_range(0..700) {
            bench.cycle();
        }
        bench.reset();
        assert_eq!(bench.get("busy"), 0);
        bench.host.retain(|address, _| *address < HOST_OUT);
        bench.run(&command(30, 3, 1, 0), 40_000);
        let values = inputs[..60].chunks(2).map(|message| hash(1, message));
        assert_eq!(digests(&bench, 30), expected(values), "round {round}");
    }
}
