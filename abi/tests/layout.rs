//! Nothing in the description lies over anything else.

use spandrel_abi::*;
use std::collections::HashSet;
use std::ops::Range;

/// Fails where two ranges share something or one reaches past `end`.
fn assert_disjoint(what: &str, end: usize, ranges: impl IntoIterator<Item = (String, Range<usize>)>) {
    let mut owner = vec![None; end];
    for (name, range) in ranges {
        assert!(!range.is_empty(), "{what}: {name} is empty");
        assert!(range.end <= end, "{what}: {name} reaches past {end}");
        for at in range {
            assert_eq!(owner[at].replace(name.clone()), None, "{what}: {name} lies over another at {at}");
        }
    }
}

#[test]
fn registers_are_aligned_ordered_apart_and_inside_the_bar() {
    let range = |register: &Register| {
        (register.name.to_string(), register.offset as usize..register.offset as usize + 4)
    };
    assert_disjoint("core", REGISTER_BYTES as usize, REGISTERS.iter().map(range));
    let vectors = usize::from(MSIX_VECTORS);
    let table = MSIX_TABLE_OFFSET as usize..MSIX_TABLE_OFFSET as usize + 16 * vectors;
    let pending = MSIX_PBA_OFFSET as usize..MSIX_PBA_OFFSET as usize + 8 * vectors.div_ceil(64);
    let regions = [
        ("core".to_string(), 0..REGISTER_BYTES as usize),
        ("MSI-X table".to_string(), table),
        ("MSI-X pending bits".to_string(), pending),
    ];
    assert_disjoint(
        "BAR 0",
        BAR0_BYTES as usize,
        regions.into_iter().chain(LINK_REGISTERS.iter().map(range)),
    );
    let all = || REGISTERS.iter().chain(LINK_REGISTERS);
    assert!(all().all(|register| register.offset.is_multiple_of(4)));
    assert!(all().is_sorted_by_key(|register| register.offset));
    assert!(BAR0_BYTES.is_power_of_two());
    let names: HashSet<_> = all().map(|register| register.name).collect();
    assert_eq!(names.len(), all().count(), "two registers of one name");
}

#[test]
fn halves_of_an_address_follow_each_other() {
    let halves: Vec<_> = REGISTERS.iter().filter(|register| register.name.ends_with("_LO")).collect();
    assert!(!halves.is_empty());
    for low in halves {
        let high = REGISTERS.iter().find(|register| register.offset == low.offset + 4);
        let expected = low.name.replace("_LO", "_HI");
        assert_eq!(high.map(|register| register.name), Some(expected.as_str()));
    }
}

#[test]
fn fields_are_apart_and_inside_their_register() {
    for register in REGISTERS.iter().chain(LINK_REGISTERS) {
        let ranges = register
            .fields
            .iter()
            .map(|field| (field.name.to_string(), field.lsb as usize..(field.lsb + field.width) as usize));
        assert_disjoint(register.name, 32, ranges);
        for field in register.fields {
            let largest = ((1u64 << field.width) - 1) as u32;
            assert_eq!(field.mask().count_ones(), field.width);
            assert_eq!(field.mask().trailing_zeros(), field.lsb);
            assert_eq!(field.get(field.put(largest)), largest);
            assert_eq!(field.get(!field.mask()), 0);
            assert_eq!(field.put(u32::MAX), field.mask(), "bits that do not fit are dropped");
        }
    }
}

#[test]
fn queue_entries_have_disjoint_aligned_fields() {
    for (what, bytes, layout) in [
        ("submission entry", DESCRIPTOR_BYTES, DESCRIPTOR_LAYOUT),
        ("completion entry", COMPLETION_BYTES, COMPLETION_LAYOUT),
    ] {
        let ranges =
            layout.iter().map(|field| (field.name.to_string(), field.byte..field.byte + field.bytes));
        assert_disjoint(what, bytes, ranges);
        assert!(layout.iter().all(|field| field.byte.is_multiple_of(field.bytes)), "{what}: aligned");
        assert!(bytes.is_multiple_of(HOST_ALIGNMENT as usize), "{what}: whole beats of the host bus");
    }
}

#[test]
fn counters_have_a_word_each() {
    let ranges = Counters::LAYOUT.iter().map(|(name, index, _)| (name.to_string(), 8 * index..8 * index + 8));
    assert_disjoint("counters", COUNTERS_BYTES, ranges);
    assert!(COUNTERS_BYTES.is_multiple_of(HOST_ALIGNMENT as usize));
}

#[test]
fn identification_fits_in_front_of_the_control_registers() {
    assert!(IDENTIFICATION_BYTES.is_multiple_of(HOST_ALIGNMENT as usize));
    for register in REGISTERS {
        let inside = (register.offset as usize) < IDENTIFICATION_BYTES;
        assert_eq!(inside, register.offset < CONTROL.offset, "{}", register.name);
        assert!(!inside || register.access == Access::ReadOnly, "{}", register.name);
    }
}

#[test]
fn codes_are_their_own_inverses_and_no_others_exist() {
    for code in 0..=u8::MAX {
        let status = Status::ALL.iter().copied().find(|status| *status as u8 == code);
        assert_eq!(Status::from_code(code), status.ok_or(code));
        let opcode = Opcode::ALL.iter().copied().find(|opcode| *opcode as u8 == code);
        assert_eq!(Opcode::from_code(code), opcode.ok_or(code));
        let field = FieldId::ALL.iter().copied().find(|field| *field as u8 == code);
        assert_eq!(FieldId::from_code(code), field.ok_or(code));
        let operation = FieldOperation::ALL.iter().copied().find(|operation| *operation as u8 == code);
        assert_eq!(FieldOperation::from_code(code), operation.ok_or(code));
        let curve = CurveId::ALL.iter().copied().find(|curve| *curve as u8 == code);
        assert_eq!(CurveId::from_code(code), curve.ok_or(code));
    }
    assert_eq!(Status::Success as u8, 0);
    for (index, (cause, status)) in HOST_READ_CAUSES.iter().enumerate() {
        // The card adds the cause to a constant.
        assert_eq!(usize::from(*cause), index + 1);
        assert_eq!(*status as u8, Status::Unsupported as u8 + cause);
    }
    for field in FieldId::ALL {
        for operation in FieldOperation::ALL {
            let parameter = field_parameter(*field, *operation);
            assert_eq!(parameter.to_le_bytes(), [*operation as u8, *field as u8, 0, 0]);
        }
    }
}

#[test]
fn parameters_of_multiplications_lie_where_the_tables_say() {
    for curve in CurveId::ALL {
        for window_bits in 0..=u8::MAX {
            let parameter = msm_parameter(*curve, window_bits);
            assert_eq!(parameter.to_le_bytes(), [window_bits, *curve as u8, 0, 0]);
        }
    }
}

#[test]
fn sizes_agree_with_each_other() {
    assert_eq!(AFFINE_POINT_BYTES as u64, CARD_ALIGNMENT);
    assert!((FIELD_BYTES as u64).is_multiple_of(HOST_ALIGNMENT));
    assert_eq!(PROJECTIVE_POINT_BYTES, 3 * FIELD_BYTES);
    assert_eq!(MAGIC_VALUE.to_le_bytes(), *b"SPDL");
    // The largest vector is addressable by the card's 40-bit addresses and by 64-bit sums of the driver.
    assert!(u64::from(MAX_COUNT) * (AFFINE_POINT_BYTES as u64) < 1 << 40);
}
