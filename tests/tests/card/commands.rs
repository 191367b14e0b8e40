//! What each command does when nothing goes wrong.

use super::host::{Host, bytes_of, noise};
use super::stand_in::{WINDOW_CHOICES, field_result, msm_result, result_beats, stand_in_card};
use super::stand_in_hash::hash_result;
use spandrel_abi::*;
use spandrel_sim::Timing;

#[test]
fn identify_writes_the_register_words() {
    let mut host = Host::new(Timing::HOSTILE, 10);
    let out = host.filled(0, &[0xaa; 160]);
    host.succeed(Descriptor {
        opcode: Opcode::Identify as u8,
        host_out: out.iova() + 32,
        ..Default::default()
    });
    let words: Vec<u8> =
        stand_in_card().identification().to_words().iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(bytes_of(&out, 0, 160), [vec![0xaa; 32], words, vec![0xaa; 64]].concat());
    host.check_rules();
}

/// Bases land where they shall, and the MSM engine gets exactly the scalars and the range of bases it was told.
#[test]
fn msm_streams_scalars_and_a_range_of_resident_bases() {
    for (seed, timing) in [(20, Timing::STEADY), (21, Timing::TYPICAL), (22, Timing::HOSTILE)] {
        let mut host = Host::new(timing, seed);
        let points = noise(seed, 300 * 64);
        // The offset makes bursts meet the borders of pages in their middles.
        let bases = host.filled(96, &points);
        let at = 4096 - 5 * 64;
        host.succeed(Descriptor {
            opcode: Opcode::LoadBases as u8,
            count: 300,
            host_a: bases.iova() + 96,
            card_address: at,
            ..Default::default()
        });
        assert_eq!(host.card_bytes(at, points.len()), points);
        assert_eq!(host.card_bytes(at - 64, 64), [0; 64]);
        assert_eq!(host.card_bytes(at + points.len() as u64, 64), [0; 64]);
        let ranges = [(0usize, 300usize), (7, 1), (299, 1), (10, 0), (100, 65), (60, 64), (1, 63)];
        for (round, (first, count)) in ranges.into_iter().enumerate() {
            let choice = round % 2;
            let beats = result_beats(choice);
            let values = noise(seed + count as u64, count * 32);
            let scalars = host.filled(32, &values);
            let out = host.filled(0, &vec![0x55; 32 * beats + 64]);
            host.succeed(Descriptor {
                opcode: Opcode::Msm as u8,
                count: count as u32,
                host_a: scalars.iova() + 32,
                host_out: out.iova() + 32,
                card_address: at + 64 * first as u64,
                parameter: msm_parameter(CurveId::Bn254G1, WINDOW_CHOICES[choice] as u8),
                ..Default::default()
            });
            let expected = msm_result(choice, &values, &points[64 * first..64 * (first + count)]);
            assert_eq!(bytes_of(&out, 32, expected.len()), expected, "{first} {count}");
            assert_eq!(bytes_of(&out, 0, 32), [0x55; 32]);
            assert_eq!(bytes_of(&out, 32 + expected.len(), 32), [0x55; 32]);
            let expected = Counters {
                cycles: 101,
                additions: 102,
                digits: 103,
                elements: count as u64,
                bucket_cycles: 104,
                reduction_cycles: 105,
                idle_cycles: 106,
                digit_stall_cycles: 107,
                host_read_bytes: 32 * count as u64,
                host_write_bytes: 32 * beats as u64,
                card_read_bytes: 64 * count as u64,
                card_write_bytes: 0,
                idle_no_pair_cycles: 108,
                idle_batch_cycles: 109,
                idle_adder_cycles: 110,
                idle_memory_cycles: 111,
                idle_host_cycles: 112,
                idle_drain_cycles: 113,
                parked: 114,
                matched: 115,
                doublings: 116,
                annihilations: 117,
                ..Counters::default()
            };
            assert_eq!(host.counters(), expected);
        }
        host.check_rules();
    }
}

/// The hash engine's streams go where its jobs say, and its counts, and what it refuses, come back.
#[test]
fn the_hash_engine_has_the_buses_while_it_runs() {
    for (seed, timing) in [(93, Timing::STEADY), (94, Timing::TYPICAL), (95, Timing::HOSTILE)] {
        let mut host = Host::new(timing, seed);
        let line = noise(seed, 64);
        let source = host.filled(0, &line);
        let card_address = 4096;
        let load =
            Descriptor { opcode: Opcode::LoadBases as u8, host_a: source.iova(), ..Default::default() };
        host.succeed(Descriptor { count: 1, card_address, ..load });
        for (opcode, count, parameter) in [
            (Opcode::Poseidon, 1, poseidon_parameter(3, 0, 0)),
            (Opcode::Poseidon, 300, poseidon_parameter(5, 1, 7)),
            (Opcode::MerkleBuild, 0, 0x0502),
            (Opcode::MerkleBuild, 30, 0x0304),
            (Opcode::MerklePaths, 77, 0x0512),
            (Opcode::MerkleUpdate, 1024, 0x0314),
        ] {
            let tree = opcode != Opcode::Poseidon;
            let mut values = noise(seed + 1, 32 * count);
            values.chunks_mut(32).for_each(|value| value[31] = 1);
            let input = host.filled(0, &values);
            let out = host.filled(0, &[0x55; 96]);
            let descriptor = Descriptor {
                opcode: opcode as u8,
                count: count as u32,
                host_a: input.iova(),
                host_b: 0x1_2340,
                host_out: out.iova() + 32,
                card_address,
                parameter,
                size: if tree { 30 } else { 0 },
                ..Default::default()
            };
            host.succeed(descriptor);
            let counted = Counters {
                elements: count as u64,
                host_read_bytes: 32 * count as u64,
                host_write_bytes: 32,
                card_read_bytes: if tree { 64 } else { 0 },
                card_write_bytes: if tree { 64 } else { 0 },
                hash_passes: 5 * count as u64,
                hash_starved: 2 * count as u64,
                ..Counters::default()
            };
            let counters = host.counters();
            assert!(counters.cycles >= count as u64);
            assert_eq!(Counters { cycles: 0, ..counters }, counted);
            let expected = hash_result(&descriptor, &values, tree.then_some(&line[..]));
            assert_eq!(bytes_of(&out, 32, 32), expected.digest);
            assert_eq!(bytes_of(&out, 0, 32), [0x55; 32]);
            assert_eq!(bytes_of(&out, 64, 32), [0x55; 32]);
            if tree {
                let back = host.filled(0, &[0; 64]);
                let read = Descriptor { opcode: Opcode::ReadCard as u8, count: 1, ..Default::default() };
                let card_address = card_address + 64;
                host.succeed(Descriptor { host_out: back.iova(), card_address, ..read });
                assert_eq!(bytes_of(&back, 0, 64), expected.line);
            }
        }
        // What the engine refuses is the command's status, and forgotten with the next command.
        let input = host.filled(0, &[0xff; 32]);
        let refused = Descriptor {
            opcode: Opcode::Poseidon as u8,
            count: 1,
            host_a: input.iova(),
            host_out: input.iova(),
            parameter: poseidon_parameter(3, 0, 0),
            ..Default::default()
        };
        assert_eq!(host.execute(refused).status, Status::NotCanonical as u8);
        host.succeed(refused);
        host.check_rules();
    }
}

/// What was loaded comes back, and nothing around it is written.
#[test]
fn card_memory_is_read_back() {
    for (seed, timing) in [(90, Timing::STEADY), (91, Timing::TYPICAL), (92, Timing::HOSTILE)] {
        let mut host = Host::new(timing, seed);
        let lines = noise(seed, 300 * 64);
        let source = host.filled(0, &lines);
        let at = 4096 - 5 * 64;
        let load = Descriptor {
            opcode: Opcode::LoadBases as u8,
            count: 300,
            card_address: at,
            ..Default::default()
        };
        host.succeed(Descriptor { host_a: source.iova(), ..load });
        for (first, count) in [(0usize, 300usize), (7, 1), (299, 1), (100, 65), (1, 63)] {
            let out = host.filled(0, &vec![0x55; 64 * count + 128]);
            host.succeed(Descriptor {
                opcode: Opcode::ReadCard as u8,
                count: count as u32,
                host_out: out.iova() + 32,
                card_address: at + 64 * first as u64,
                ..Default::default()
            });
            assert_eq!(
                bytes_of(&out, 32, 64 * count),
                lines[64 * first..64 * (first + count)],
                "{first} {count}"
            );
            assert_eq!(bytes_of(&out, 0, 32), [0x55; 32]);
            assert_eq!(bytes_of(&out, 32 + 64 * count, 96), [0x55; 96]);
        }
        host.check_rules();
    }
}

#[test]
fn field_vectors_are_combined_element_by_element() {
    for (seed, timing) in [(30, Timing::STEADY), (31, Timing::TYPICAL), (32, Timing::HOSTILE)] {
        let mut host = Host::new(timing, seed);
        let counts = [1usize, 2, 63, 64, 65, 127, 128, 129, 400];
        for (round, count) in counts.into_iter().enumerate() {
            let (field, operation) = ((round / 3 % 2) as u8, (round % 3) as u8);
            let (a, b) = (noise(seed + 1000, 32 * count), noise(seed + 2000, 32 * count));
            let [host_a, host_b] = [(32, &a), (64, &b)].map(|(offset, bytes)| host.filled(offset, bytes));
            let out = host.filled(0, &vec![0x55; 32 * count + 160]);
            host.succeed(Descriptor {
                opcode: Opcode::FieldVector as u8,
                count: count as u32,
                host_a: host_a.iova() + 32,
                host_b: host_b.iova() + 64,
                host_out: out.iova() + 96,
                parameter: u32::from(field) << 8 | u32::from(operation),
                ..Default::default()
            });
            let expected: Vec<u8> = a
                .chunks(32)
                .zip(b.chunks(32))
                .flat_map(|(a, b)| field_result(field, operation, a, b))
                .collect();
            assert_eq!(bytes_of(&out, 96, 32 * count), expected, "{count} {field} {operation}");
            assert_eq!(bytes_of(&out, 96 + 32 * count, 64), [0x55; 64]);
            let counters = host.counters();
            assert_eq!(counters.elements, count as u64);
            assert_eq!(counters.host_read_bytes, 64 * count as u64);
            assert_eq!(counters.host_write_bytes, 32 * count as u64);
            assert_eq!((counters.card_read_bytes, counters.additions), (0, 0));
            assert!(counters.cycles >= 2 * count as u64);
        }
        host.check_rules();
    }
}

/// The result may take the place of either operand.
#[test]
fn field_vector_works_in_place() {
    let mut host = Host::new(Timing::TYPICAL, 40);
    let (a, b) = (noise(1, 32 * 200), noise(2, 32 * 200));
    let (host_a, host_b) = (host.filled(0, &a), host.filled(0, &b));
    host.succeed(Descriptor {
        opcode: Opcode::FieldVector as u8,
        count: 200,
        host_a: host_a.iova(),
        host_b: host_b.iova(),
        host_out: host_a.iova(),
        ..Default::default()
    });
    let expected: Vec<u8> =
        a.chunks(32).zip(b.chunks(32)).flat_map(|(a, b)| field_result(0, 0, a, b)).collect();
    assert_eq!(bytes_of(&host_a, 0, expected.len()), expected);
}

/// At full speed a field vector takes little more than two cycles an element, a load or a read of card memory little
/// more than two a line.
#[test]
fn long_jobs_keep_the_bus_busy() {
    let mut host = Host::new(Timing::STEADY, 50);
    let buffer = host.buffer(64 * 2000);
    let at = buffer.iova();
    let vector = Descriptor {
        opcode: Opcode::FieldVector as u8,
        host_a: at,
        host_b: at,
        host_out: at,
        ..Default::default()
    };
    let load = Descriptor { opcode: Opcode::LoadBases as u8, host_a: at, ..Default::default() };
    let read = Descriptor { opcode: Opcode::ReadCard as u8, host_out: at, ..Default::default() };
    for descriptor in [vector, load, read] {
        let [fewer, more] = [500, 2000].map(|count| host.succeed(Descriptor { count, ..descriptor }).cycles);
        let per_element = (more - fewer) as f64 / 1500.0;
        assert!((1.99..2.1).contains(&per_element), "{per_element} cycles an element");
    }
}

/// The stand-ins compute something else than fields and curves, and the self-test says so.
#[test]
fn self_test_finds_engines_that_compute_wrongly() {
    let mut host = Host::new(Timing::TYPICAL, 60);
    for _ in 0..2 {
        let completion = host.execute(Descriptor { opcode: Opcode::SelfTest as u8, ..Default::default() });
        assert_eq!(completion.status, Status::SelfTestFailed as u8);
    }
    // It leaves neither the engines nor the counters in disorder.
    assert_eq!(host.counters(), Counters::default());
    let (a, b) = (noise(1, 32 * 70), noise(2, 32 * 70));
    let (host_a, host_b) = (host.filled(0, &a), host.filled(0, &b));
    let descriptor = Descriptor {
        opcode: Opcode::FieldVector as u8,
        count: 70,
        host_a: host_a.iova(),
        host_b: host_b.iova(),
        host_out: host_a.iova(),
        parameter: 2,
        ..Default::default()
    };
    host.succeed(descriptor);
    let expected: Vec<u8> =
        a.chunks(32).zip(b.chunks(32)).flat_map(|(a, b)| field_result(0, 2, a, b)).collect();
    assert_eq!(bytes_of(&host_a, 0, expected.len()), expected);
}
