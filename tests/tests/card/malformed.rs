//! Commands that are wrong in every way a descriptor can be: each ends with its status, and the card goes on.

use super::host::{Host, bytes_of};
use super::stand_in::{CARD_MEMORY_KIB, PARAMETER, WINDOW_CHOICES};
use spandrel_abi::*;
use spandrel_sim::Timing;

/// A descriptor of this command that would succeed, with addresses into `at` (32 KiB) and at the end of card memory.
fn good(opcode: Opcode, at: u64) -> Descriptor {
    let base = Descriptor { opcode: opcode as u8, ..Default::default() };
    let card_address = u64::from(CARD_MEMORY_KIB) * 1024 - 3 * 64;
    match opcode {
        Opcode::Identify | Opcode::ReadCounters => Descriptor { host_out: at, ..base },
        Opcode::LoadBases => Descriptor { count: 3, host_a: at, card_address, ..base },
        Opcode::Msm => Descriptor {
            count: 3,
            host_a: at,
            host_out: at + 4096,
            card_address,
            parameter: PARAMETER,
            ..base
        },
        Opcode::FieldVector => Descriptor {
            count: 3,
            host_a: at,
            host_b: at + 1024,
            host_out: at + 2048,
            parameter: 0x102,
            ..base
        },
        Opcode::SelfTest => base,
        Opcode::ReadCard => Descriptor { count: 3, host_out: at + 4096, card_address, ..base },
        Opcode::Poseidon => Descriptor {
            count: 3,
            host_a: at,
            host_out: at + 4096,
            parameter: poseidon_parameter(3, 0, 0),
            ..base
        },
        Opcode::MerkleBuild | Opcode::MerklePaths | Opcode::MerkleUpdate => {
            let shape = TreeShape { arity: 2, depth: 2, leaves: 3 };
            Descriptor {
                count: 3,
                host_a: at,
                host_out: at + 4096,
                card_address,
                size: shape.leaves,
                parameter: shape.parameter(0),
                ..base
            }
        }
    }
}

#[test]
fn every_malformed_descriptor_ends_with_its_status() {
    let mut host = Host::new(Timing::TYPICAL, 70);
    let mut buffer = host.buffer(32 * 1024);
    let at = buffer.iova();
    let card_bytes = u64::from(CARD_MEMORY_KIB) * 1024;
    let mut cases: Vec<(Descriptor, Status)> = Vec::new();
    for opcode in (0..=255u8).filter(|code| Opcode::from_code(*code).is_err()).step_by(11).chain([11, 255]) {
        cases.push((Descriptor { opcode, ..Default::default() }, Status::UnknownOpcode));
    }
    for opcode in [Opcode::Identify, Opcode::ReadCounters, Opcode::SelfTest] {
        for count in [1, MAX_COUNT, u32::MAX] {
            cases.push((Descriptor { count, ..good(opcode, at) }, Status::BadLength));
        }
    }
    for opcode in [Opcode::LoadBases, Opcode::FieldVector, Opcode::ReadCard] {
        cases.push((Descriptor { count: 0, ..good(opcode, at) }, Status::BadLength));
    }
    for opcode in [Opcode::LoadBases, Opcode::FieldVector, Opcode::Msm, Opcode::ReadCard] {
        for count in [MAX_COUNT + 1, 1 << 31, u32::MAX] {
            cases.push((Descriptor { count, ..good(opcode, at) }, Status::BadLength));
        }
    }
    for bit in 0..5 {
        for opcode in
            [Opcode::Identify, Opcode::ReadCounters, Opcode::Msm, Opcode::FieldVector, Opcode::ReadCard]
        {
            let case = good(opcode, at);
            cases.push((Descriptor { host_out: case.host_out | 1 << bit, ..case }, Status::BadAlignment));
        }
        for opcode in [Opcode::LoadBases, Opcode::Msm, Opcode::FieldVector] {
            let case = good(opcode, at);
            cases.push((Descriptor { host_a: case.host_a | 1 << bit, ..case }, Status::BadAlignment));
        }
        let case = good(Opcode::FieldVector, at);
        cases.push((Descriptor { host_b: case.host_b | 1 << bit, ..case }, Status::BadAlignment));
    }
    for opcode in [Opcode::LoadBases, Opcode::Msm] {
        let case = good(opcode, at);
        for bit in 0..6 {
            let card_address = (1 << 12) | 1 << bit;
            cases.push((Descriptor { card_address, ..case }, Status::BadAlignment));
        }
        for (card_address, count) in [
            (card_bytes - 128, 3),
            (card_bytes, 1),
            (card_bytes + 64, 1),
            (1 << 40, 1),
            (u64::MAX - 63, 1),
            (u64::MAX - 63, 2),
            (0, (card_bytes / 64) as u32 + 1),
            (0, MAX_COUNT),
        ] {
            cases.push((Descriptor { card_address, count, ..case }, Status::CardAddressOutOfRange));
        }
    }
    let case = Descriptor { count: 0, card_address: card_bytes + 64, ..good(Opcode::Msm, at) };
    cases.push((case, Status::CardAddressOutOfRange));
    for bit in 0..5 {
        for opcode in [Opcode::Poseidon, Opcode::MerkleBuild, Opcode::MerklePaths, Opcode::MerkleUpdate] {
            let case = good(opcode, at);
            cases.push((Descriptor { host_out: case.host_out | 1 << bit, ..case }, Status::BadAlignment));
            cases.push((Descriptor { host_a: case.host_a | 1 << bit, ..case }, Status::BadAlignment));
        }
        let case = Descriptor { parameter: poseidon_parameter(5, 1, 1), ..good(Opcode::Poseidon, at) };
        cases.push((Descriptor { host_b: 1 << bit, ..case }, Status::BadAlignment));
        let case = Descriptor { count: 0, ..good(Opcode::MerkleBuild, at) };
        cases.push((Descriptor { host_out: case.host_out | 1 << bit, ..case }, Status::BadAlignment));
    }
    for parameter in [0, 1, 2, 4, 6, 7, 15, 0x23, 0x43, 0x83, 0x103, 0x8003] {
        cases.push((Descriptor { parameter, ..good(Opcode::Poseidon, at) }, Status::BadParameter));
    }
    for opcode in [Opcode::MerkleBuild, Opcode::MerklePaths, Opcode::MerkleUpdate] {
        let case = good(opcode, at);
        for bit in 0..6 {
            let card_address = (1 << 12) | 1 << bit;
            cases.push((Descriptor { card_address, ..case }, Status::BadAlignment));
        }
        // Arity, bits without a meaning, depth, and depths that are too small for three leaves.
        for parameter in [0x200, 0x203, 0x205, 0x222, 0x282, 0x4202, 0x1_0202, 0x002, 0x2102, 0x3f04, 0x102] {
            cases.push((Descriptor { parameter, ..case }, Status::BadParameter));
        }
        for size in [0, MAX_COUNT + 1, u32::MAX] {
            cases.push((Descriptor { size, ..case }, Status::BadLength));
        }
    }
    for count in [1, 2, 4] {
        cases.push((Descriptor { count, ..good(Opcode::MerkleBuild, at) }, Status::BadLength));
    }
    for (opcode, most) in [
        (Opcode::Poseidon, MAX_COUNT),
        (Opcode::MerklePaths, MERKLE_PATHS_MAX),
        (Opcode::MerkleUpdate, MERKLE_UPDATE_MAX),
    ] {
        for count in [0, most + 1, u32::MAX] {
            cases.push((Descriptor { count, ..good(opcode, at) }, Status::BadLength));
        }
    }
    for opcode in Opcode::ALL.iter().filter(|opcode| (**opcode as u8) < Opcode::MerkleBuild as u8) {
        cases.push((Descriptor { size: 1, ..good(*opcode, at) }, Status::ReservedNotZero));
    }
    for parameter in [3, 0x103, 0xff, 0x200, 0x300, 0xff00, 0x1_0000, 0x8000_0000, 0x8000_0102] {
        cases.push((Descriptor { parameter, ..good(Opcode::FieldVector, at) }, Status::BadParameter));
    }
    for window_bits in (0..=u8::MAX).filter(|bits| !WINDOW_CHOICES.contains(&u32::from(*bits))) {
        let parameter = msm_parameter(CurveId::Bn254G1, window_bits);
        cases.push((Descriptor { parameter, ..good(Opcode::Msm, at) }, Status::BadParameter));
    }
    for other in (8..32).map(|bit| 1 << bit).chain([u32::MAX << 8, 0x2000, 0x2100, 0x1f00]) {
        cases.push((
            Descriptor { parameter: PARAMETER | other, ..good(Opcode::Msm, at) },
            Status::BadParameter,
        ));
    }

    // Whatever a refused command could have written stays as it was.
    buffer.write(0, &[0x5a; 32 * 1024]).unwrap();
    for (descriptor, status) in &cases {
        let completion = host.execute(*descriptor);
        assert_eq!(Status::from_code(completion.status), Ok(*status), "{descriptor:?}");
    }
    assert_eq!(bytes_of(&buffer, 0, 32 * 1024), [0x5a; 32 * 1024]);
    for opcode in Opcode::ALL.iter().filter(|opcode| **opcode != Opcode::SelfTest) {
        host.succeed(good(*opcode, at));
    }
    host.check_rules();
}

#[test]
fn every_reserved_bit_is_checked() {
    let mut host = Host::new(Timing::STEADY, 71);
    let buffer = host.buffer(4096);
    let good = good(Opcode::Identify, buffer.iova());
    for byte in [1].into_iter().chain(44..64) {
        for bit in [0, 3, 7] {
            let mut bytes = good.to_bytes();
            bytes[byte] |= 1 << bit;
            host.push_raw(&bytes);
            host.ring();
            let completion = host.complete();
            assert_eq!(completion.status, Status::ReservedNotZero as u8, "byte {byte} bit {bit}");
        }
    }
    host.succeed(good);
}

/// What a command does not use may hold anything.
#[test]
fn fields_that_a_command_does_not_use_are_not_looked_at() {
    let mut host = Host::new(Timing::TYPICAL, 72);
    let buffer = host.buffer(32 * 1024);
    let odd = u64::MAX;
    let case = good(Opcode::Identify, buffer.iova());
    host.succeed(Descriptor { host_a: odd, host_b: odd, card_address: odd, parameter: u32::MAX, ..case });
    let case = good(Opcode::LoadBases, buffer.iova());
    host.succeed(Descriptor { host_b: odd, host_out: odd, parameter: u32::MAX, ..case });
    let case = good(Opcode::FieldVector, buffer.iova());
    host.succeed(Descriptor { card_address: odd, ..case });
    let case = good(Opcode::ReadCard, buffer.iova());
    host.succeed(Descriptor { host_a: odd, host_b: odd, parameter: u32::MAX, ..case });
    let case = good(Opcode::Msm, buffer.iova());
    host.succeed(Descriptor { host_b: odd, ..case });
    // No elements at the very end of card memory.
    let card_address = u64::from(CARD_MEMORY_KIB) * 1024;
    host.succeed(Descriptor { count: 0, card_address, ..case });
}

/// What the interface says of a descriptor, or `None` where it is to be executed.
fn refusal(bytes: &[u8; DESCRIPTOR_BYTES]) -> Option<Status> {
    let (descriptor, reserved_zero) = Descriptor::from_bytes(bytes);
    let Descriptor { count, host_a, host_b, host_out, card_address, parameter, size, .. } = descriptor;
    let Ok(opcode) = Opcode::from_code(descriptor.opcode) else { return Some(Status::UnknownOpcode) };
    if !reserved_zero {
        return Some(Status::ReservedNotZero);
    }
    let (least, most) = match opcode {
        Opcode::Identify | Opcode::ReadCounters | Opcode::SelfTest => (0, 0),
        Opcode::LoadBases | Opcode::FieldVector | Opcode::ReadCard => (1, MAX_COUNT),
        Opcode::Msm => (0, MAX_COUNT),
        Opcode::Poseidon => (1, MAX_COUNT),
        Opcode::MerkleBuild if count == 0 => (0, 0),
        Opcode::MerkleBuild => (size, size),
        Opcode::MerklePaths => (1, MERKLE_PATHS_MAX),
        Opcode::MerkleUpdate => (1, MERKLE_UPDATE_MAX),
    };
    let tree = matches!(opcode, Opcode::MerkleBuild | Opcode::MerklePaths | Opcode::MerkleUpdate);
    if !tree && size != 0 {
        return Some(Status::ReservedNotZero);
    }
    if !(least..=most).contains(&count) || tree && !(1..=MAX_COUNT).contains(&size) {
        return Some(Status::BadLength);
    }
    let host: &[u64] = match opcode {
        Opcode::Identify | Opcode::ReadCounters | Opcode::ReadCard => &[host_out],
        Opcode::LoadBases => &[host_a],
        Opcode::Msm => &[host_a, host_out],
        Opcode::FieldVector => &[host_a, host_b, host_out],
        Opcode::SelfTest => &[],
        Opcode::Poseidon if parameter >> 16 != 0 => &[host_a, host_b, host_out],
        Opcode::MerkleBuild if count == 0 => &[host_out],
        Opcode::Poseidon | Opcode::MerkleBuild | Opcode::MerklePaths | Opcode::MerkleUpdate => {
            &[host_a, host_out]
        }
    };
    if tree && card_address % CARD_ALIGNMENT != 0 {
        return Some(Status::BadAlignment);
    }
    let card = matches!(opcode, Opcode::LoadBases | Opcode::Msm | Opcode::ReadCard);
    if host.iter().any(|address| address % HOST_ALIGNMENT != 0) || card && card_address % CARD_ALIGNMENT != 0
    {
        return Some(Status::BadAlignment);
    }
    let end = u128::from(card_address) + 64 * u128::from(count);
    if card && end > u128::from(CARD_MEMORY_KIB) * 1024 {
        return Some(Status::CardAddressOutOfRange);
    }
    let operations = FieldOperation::ALL.len() as u32;
    if opcode == Opcode::FieldVector && (parameter >> 8 > 1 || parameter & 0xff >= operations) {
        return Some(Status::BadParameter);
    }
    let offered = |bits: &u32| parameter == msm_parameter(CurveId::Bn254G1, *bits as u8);
    if opcode == Opcode::Msm && !WINDOW_CHOICES.iter().any(offered) {
        return Some(Status::BadParameter);
    }
    // The widths of the stand-in card are 3 and 5.
    if opcode == Opcode::Poseidon && (![3, 5].contains(&(parameter & 15)) || parameter & 0xffe0 != 0) {
        return Some(Status::BadParameter);
    }
    if tree {
        let (arity, depth) = (parameter & 15, parameter >> 8 & 63);
        let offered = [2, 4].contains(&arity) && (1..=MERKLE_MAX_DEPTH).contains(&depth);
        if !offered || parameter & 0xffff_c0e0 != 0 || u128::from(arity).pow(depth) < size.into() {
            return Some(Status::BadParameter);
        }
    }
    None
}

/// Descriptors of random parts, good and bad mixed: each ends, with the status that the interface says.
#[test]
fn random_descriptors_end_as_the_interface_says() {
    use rand::{Rng, SeedableRng, seq::SliceRandom};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(73);
    let mut host = Host::new(Timing::HOSTILE, 73);
    let buffer = host.buffer(64 * 1024);
    let at = buffer.iova();
    let end = u64::from(CARD_MEMORY_KIB) * 1024;
    let mut executed = 0;
    for round in 0..1000 {
        let mut host_address = || {
            *[at, at, at + 32, at + 4096 - 64, at + 4, at + 31, 1 << 50, u64::MAX - 31, 0]
                .choose(&mut random)
                .unwrap()
        };
        let (host_a, host_b, host_out) = (host_address(), host_address(), host_address());
        let opcode = random.gen_range(0..12);
        let sizes: &[u32] = match opcode < Opcode::MerkleBuild as u8 {
            true => &[0, 0, 0, 0, 0, 0, 0, 1],
            false => &[0, 1, 2, 2, 4, 5, 70, MAX_COUNT, MAX_COUNT + 1],
        };
        let descriptor = Descriptor {
            opcode,
            command_id: 0x1000 + round,
            count: *[0, 0, 1, 2, 70, MAX_COUNT + 1, u32::MAX].choose(&mut random).unwrap(),
            host_a,
            host_b,
            host_out,
            card_address: *[0, 64, end - 64, end, end - 128, 32, 1 << 40, u64::MAX - 63]
                .choose(&mut random)
                .unwrap(),
            parameter: *[
                0,
                1,
                2,
                0x100,
                0x102,
                3,
                0x200,
                1 << 16,
                4,
                15,
                0x104,
                0x13,
                0x1_0005,
                0x712,
                0x2014,
                0x202,
                0x2102,
            ]
            .choose(&mut random)
            .unwrap(),
            size: *sizes.choose(&mut random).unwrap(),
        };
        let mut bytes = descriptor.to_bytes();
        if random.gen_ratio(1, 16) {
            bytes[*[1, 44, 63].choose(&mut random).unwrap()] = random.r#gen();
        }
        host.push_raw(&bytes);
        host.ring();
        let completion = host.complete();
        assert_eq!(completion.command_id, 0x1000 + round);
        let status = Status::from_code(completion.status).unwrap();
        match refusal(&bytes) {
            Some(refused) => assert_eq!(status, refused, "{descriptor:?}"),
            None => {
                executed += 1;
                let mut possible =
                    [Status::Success, Status::HostReadFault, Status::HostWriteFault, Status::SelfTestFailed];
                // Of the commands on trees, the engine checks the range.
                if descriptor.opcode >= Opcode::MerkleBuild as u8 && descriptor.card_address > end - 128 {
                    possible[0] = Status::CardAddressOutOfRange;
                }
                assert!(possible.contains(&status), "{status:?} {descriptor:?}");
            }
        }
    }
    assert!(executed > 60, "only {executed} were executed");
    host.succeed(good(Opcode::Identify, at));
    host.check_rules();
}
