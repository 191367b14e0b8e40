//! What is written can be read back, and lies where the tables say.

use proptest::prelude::*;
use spandrel_abi::*;

fn descriptor() -> impl Strategy<Value = Descriptor> {
    (any::<(u8, u16, u32)>(), any::<(u64, u64, u64, u64)>(), any::<(u32, u32)>()).prop_map(
        |((opcode, command_id, count), (host_a, host_b, host_out, card_address), (parameter, size))| {
            Descriptor { opcode, command_id, count, host_a, host_b, host_out, card_address, parameter, size }
        },
    )
}

fn completion() -> impl Strategy<Value = Completion> {
    any::<(u16, u8, u8, u32, u64)>().prop_map(|(command_id, status, phase, sq_head, cycles)| Completion {
        command_id,
        status,
        phase,
        sq_head,
        cycles,
    })
}

/// The little-endian number at a field of a queue entry.
fn value_at(bytes: &[u8], layout: &[EntryField], name: &str) -> u64 {
    let field = layout.iter().find(|field| field.name == name).expect("a field of that name");
    bytes[field.byte..field.byte + field.bytes]
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn reserved(length: usize, layout: &[EntryField]) -> Vec<usize> {
    let listed = |at: &usize| layout.iter().any(|field| (field.byte..field.byte + field.bytes).contains(at));
    (0..length).filter(|at| !listed(at)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn submission_entries(descriptor in descriptor(), flip in any::<(prop::sample::Index, u8)>()) {
        let bytes = descriptor.to_bytes();
        prop_assert_eq!(Descriptor::from_bytes(&bytes), (descriptor, true));
        for (name, value) in [
            ("opcode", descriptor.opcode.into()),
            ("command_id", descriptor.command_id.into()),
            ("count", descriptor.count.into()),
            ("host_a", descriptor.host_a),
            ("host_b", descriptor.host_b),
            ("host_out", descriptor.host_out),
            ("card_address", descriptor.card_address),
            ("parameter", descriptor.parameter.into()),
            ("size", descriptor.size.into()),
        ] {
            prop_assert_eq!(value_at(&bytes, DESCRIPTOR_LAYOUT, name), value, "{}", name);
        }
        // A reserved byte that is not zero is noticed and changes nothing else.
        let reserved = reserved(DESCRIPTOR_BYTES, DESCRIPTOR_LAYOUT);
        let mut changed = bytes;
        changed[*flip.0.get(&reserved)] ^= flip.1;
        prop_assert_eq!(Descriptor::from_bytes(&changed), (descriptor, flip.1 == 0));
    }

    #[test]
    fn completion_entries(completion in completion(), noise in any::<u8>()) {
        let bytes = completion.to_bytes();
        prop_assert_eq!(Completion::from_bytes(&bytes), completion);
        for (name, value) in [
            ("command_id", completion.command_id.into()),
            ("status", completion.status.into()),
            ("phase", completion.phase.into()),
            ("sq_head", completion.sq_head.into()),
            ("cycles", completion.cycles),
        ] {
            prop_assert_eq!(value_at(&bytes, COMPLETION_LAYOUT, name), value, "{}", name);
        }
        let mut changed = bytes;
        for at in reserved(COMPLETION_BYTES, COMPLETION_LAYOUT) {
            prop_assert_eq!(bytes[at], 0);
            changed[at] = noise;
        }
        prop_assert_eq!(Completion::from_bytes(&changed), completion);
    }

    /// Every word that a card might give is read, and what is read is written back unless no field holds it.
    #[test]
    fn identification_words(words in any::<[u32; IDENTIFICATION_BYTES / 4]>()) {
        let identification = Identification::from_words(&words);
        let written = identification.to_words();
        prop_assert_eq!(Identification::from_words(&written), identification);
        for (index, (written, word)) in written.iter().zip(words).enumerate() {
            let register = REGISTERS.iter().find(|register| register.offset as usize == 4 * index);
            let held = match register {
                Some(register) if register.fields.is_empty() => u32::MAX,
                Some(register) => register.fields.iter().fold(0, |mask, field| mask | field.mask()),
                None => 0,
            };
            prop_assert_eq!(*written, word & held, "word {}", index);
        }
        let choices: Vec<_> = identification.window_choices().collect();
        prop_assert!(choices.is_sorted());
        prop_assert_eq!(choices.iter().fold(0, |mask, bits| mask | 1 << bits), identification.msm_window_choices & !1);
        for width in 0..16 {
            let known = (POSEIDON_MIN_WIDTH..=POSEIDON_MAX_WIDTH).contains(&width);
            let lanes = if known { written[11] >> (4 * (width - POSEIDON_MIN_WIDTH)) & 15 } else { 0 };
            prop_assert_eq!(identification.lanes(width), lanes);
        }
        for curve in CurveId::ALL {
            prop_assert_eq!(identification.has_curve(*curve), written[6] >> *curve as u32 & 1 == 1);
        }
    }

    /// Every bit of every window is there, as often as adders serve the window, and an adder's are together.
    #[test]
    fn results(window_bits in 3u32..=16, adders in 1u32..=16) {
        let mut words = [0; IDENTIFICATION_BYTES / 4];
        words[MSM_CAPS.offset as usize / 4] = MSM_CAPS_ADDERS.put(adders);
        let identification = Identification::from_words(&words);
        let exponents: Vec<_> = identification.msm_result_exponents(window_bits).collect();
        prop_assert_eq!(exponents.len(), identification.msm_result_points(window_bits));
        prop_assert_eq!(exponents.len() % window_bits as usize, 0);
        for run in exponents.chunks(window_bits as usize) {
            prop_assert_eq!(run[0] % window_bits, 0);
            prop_assert!(run.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        }
        for exponent in 0..windows(window_bits) * window_bits {
            let shares = |adder| window_shares(window_bits, adders, adder);
            let serves = |share: &WindowShare| share.window == exponent / window_bits;
            let times = (0..adders).flat_map(shares).filter(serves).count();
            prop_assert!(times >= 1);
            prop_assert_eq!(exponents.iter().filter(|at| **at == exponent).count(), times);
        }
    }

    #[test]
    fn counter_blocks(words in any::<[u64; COUNTERS_BYTES / 8]>()) {
        let mut bytes = [0; COUNTERS_BYTES];
        for (bytes, word) in bytes.chunks_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let counters = Counters::from_bytes(&bytes);
        let written = counters.to_bytes();
        prop_assert_eq!(Counters::from_bytes(&written), counters);
        for (index, word) in words.into_iter().enumerate() {
            let listed = Counters::LAYOUT.iter().any(|(_, at, _)| *at == index);
            let at = u64::from_le_bytes(written[8 * index..8 * index + 8].try_into().expect("8 bytes"));
            prop_assert_eq!(at, if listed { word } else { 0 });
        }
        prop_assert_eq!((counters.cycles, counters.additions), (words[0], words[1]));
    }
}
