//! Resets in the middle of everything: AXI's rules are kept, memory is not damaged, nothing is left behind.

use super::host::{Host, bytes_of, noise};
use super::stand_in::{PARAMETER, field_result, msm_result, result_beats};
use rand::{Rng, SeedableRng};
use spandrel_abi::*;
use spandrel_sim::Timing;

#[test]
fn reset_at_any_moment_leaves_nothing_behind() {
    for (seed, timing) in [(100, Timing::HOSTILE), (101, Timing::TYPICAL), (102, Timing::STEADY)] {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut host = Host::new(timing, seed);
        let data = noise(seed, 64 * 200);
        let source = host.filled(0, &data);
        let target = host.buffer(32 * result_beats(0));
        let at = source.iova();
        let jobs = [
            Descriptor { opcode: Opcode::LoadBases as u8, count: 200, host_a: at, ..Default::default() },
            Descriptor {
                opcode: Opcode::Msm as u8,
                count: 180,
                host_a: at,
                host_out: target.iova(),
                parameter: PARAMETER,
                ..Default::default()
            },
            Descriptor {
                opcode: Opcode::FieldVector as u8,
                count: 200,
                host_a: at,
                host_b: at + 32 * 200,
                host_out: target.iova(),
                ..Default::default()
            },
            Descriptor { opcode: Opcode::SelfTest as u8, ..Default::default() },
        ];
        for round in 0..40 {
            let job = jobs[round % jobs.len()];
            for _ in 0..3 {
                host.push(job);
            }
            host.ring();
            host.card.run(random.gen_range(0..2500)).unwrap();
            host.write(CONTROL, CONTROL_ENABLE.put(1) | CONTROL_RESET.put(1));
            // While it lasts, registers read and writes do nothing.
            host.write(SCRATCH, 0x77);
            host.wait_ready();
            assert!(
                host.card.host().is_idle() && host.card.card().is_idle(),
                "transactions outlive the reset"
            );
            for register in REGISTERS.iter().filter(|register| register.offset >= CONTROL.offset) {
                let quiet = *register.name == *SCRATCH.name || register.name.starts_with("CYCLES");
                let expected = if *register.name == *STATUS.name { STATUS_READY.put(1) } else { 0 };
                assert!(quiet || host.read(*register) == expected, "{}", register.name);
            }
            host.set_up();

            // The next jobs find everything as it was; the source was never written.
            assert_eq!(bytes_of(&source, 0, data.len()), data);
            match round % 3 {
                0 => {
                    host.succeed(jobs[0]);
                    assert_eq!(host.card_bytes(0, data.len()), data);
                    host.succeed(jobs[1]);
                    let expected = msm_result(0, &data[..32 * 180], &data[..64 * 180]);
                    assert_eq!(bytes_of(&target, 0, expected.len()), expected, "round {round}");
                }
                1 => {
                    host.succeed(jobs[2]);
                    let (a, b) = data.split_at(32 * 200);
                    let pairs = a.chunks(32).zip(b.chunks(32));
                    let expected: Vec<u8> = pairs.flat_map(|(a, b)| field_result(0, 0, a, b)).collect();
                    assert_eq!(bytes_of(&target, 0, expected.len()), expected, "round {round}");
                }
                _ => assert_eq!(host.counters(), Counters::default()),
            }
            host.check_rules();
        }
    }
}

/// Bytes written by an aborted job are the job's own or none: whole beats, never zeros from the drain.
#[test]
fn drained_bursts_change_no_memory() {
    let mut host = Host::new(Timing::HOSTILE, 110);
    let ones = vec![0xffu8; 64 * 300];
    let source = host.filled(0, &ones);
    for round in 0..30u64 {
        let target = host.filled(0, &vec![0x11; 32 * 300]);
        // out = ones xor ones = zero would look like the drain: use the product of the stand-in with itself inverted.
        host.push(Descriptor {
            opcode: Opcode::FieldVector as u8,
            count: 300,
            host_a: source.iova(),
            host_b: source.iova(),
            host_out: target.iova(),
            parameter: 0x102,
            ..Default::default()
        });
        host.ring();
        host.card.run(400 + 97 * round).unwrap();
        host.reset();
        let bytes = bytes_of(&target, 0, 32 * 300);
        for (index, beat) in bytes.chunks(32).enumerate() {
            assert!(beat == [0xff; 32] || beat == [0x11; 32], "round {round}, beat {index}: {beat:x?}");
        }
        host.check_rules();
    }
}
