//! Readers of outside files: every way in which one can be wrong gives a clear error, and none a panic.

mod common;

use ark_bn254::{Fq, Fr, G1Affine};
use ark_ff::{BigInteger, PrimeField};
use common::{SMALL, Sections, put, wtns_sections, zkey_sections};
use proptest::prelude::*;
use spandrel::formats::{
    FileBytes, FormatError, Problem, Witness, Zkey, g1_to_bytes, read_proof, read_public, read_verifying_key,
    write_proof, write_public,
};
use std::path::Path;

fn zkey(bytes: Vec<u8>) -> Result<Zkey, FormatError> {
    Zkey::from_bytes(Path::new("test.zkey"), FileBytes::Owned(bytes))
}

fn wtns(bytes: Vec<u8>) -> Result<Witness, FormatError> {
    Witness::from_bytes(Path::new("test.wtns"), FileBytes::Owned(bytes))
}

fn good_zkey() -> Sections {
    zkey_sections(&SMALL.key, &SMALL.matrices, SMALL.public)
}

fn good_wtns() -> Sections {
    wtns_sections(&SMALL.assignment)
}

/// The error of a key after a change, and that it names file, section and remedy.
#[track_caller]
fn zkey_error(section: &str, change: impl FnOnce(&mut Sections)) -> Problem {
    let mut sections = good_zkey();
    change(&mut sections);
    check_message(zkey(sections.file()).expect_err("the file is wrong"), "test.zkey", section)
}

#[track_caller]
fn wtns_error(section: &str, change: impl FnOnce(&mut Sections)) -> Problem {
    let mut sections = good_wtns();
    change(&mut sections);
    check_message(wtns(sections.file()).expect_err("the file is wrong"), "test.wtns", section)
}

#[track_caller]
fn check_message(error: FormatError, file: &str, section: &str) -> Problem {
    let text = error.to_string();
    assert!(text.contains(file) && text.contains(section) && text.contains("what to do: "), "{text}");
    error.problem
}

#[test]
fn good_files_are_read() {
    let key = zkey(SMALL.zkey.clone()).unwrap();
    assert_eq!((key.variables(), key.public()), (SMALL.assignment.len(), SMALL.public));
    assert_eq!(key.verifying_key(), &SMALL.key.vk);
    assert_eq!((key.beta_g1(), key.delta_g1()), (SMALL.key.beta_g1, SMALL.key.delta_g1));
    assert_eq!(key.b2(), SMALL.key.b_g2_query);
    let points: Vec<u8> = SMALL.key.a_query.iter().flat_map(g1_to_bytes).collect();
    assert_eq!(key.a(), points);
    assert_eq!(key.h().len(), 64 * key.domain());
    let witness = wtns(SMALL.wtns.clone()).unwrap();
    assert_eq!(witness.public(SMALL.public), SMALL.circuit.public());
    key.check_pair(&witness).unwrap();
    // Secrets stay out of debug output.
    assert!(!format!("{witness:?}").contains("Owned"));
}

#[test]
fn every_truncation_is_refused() {
    for (name, bytes) in [("zkey", &SMALL.zkey), ("wtns", &SMALL.wtns)] {
        let ends = (0..100).chain((100..bytes.len()).step_by(97)).chain(bytes.len() - 70..bytes.len());
        for end in ends {
            let cut = bytes[..end].to_vec();
            let error = match name {
                "zkey" => zkey(cut).map(drop),
                _ => wtns(cut).map(drop),
            };
            let problem = error.expect_err("the file is cut").problem;
            assert!(matches!(problem, Problem::Truncated { .. }), "{name} cut at {end}: {problem}");
        }
    }
    let mut long = SMALL.zkey.clone();
    long.push(0);
    assert!(matches!(zkey(long).unwrap_err().problem, Problem::TrailingBytes { bytes: 1 }));
}

#[test]
fn another_format_or_version_is_refused() {
    assert!(matches!(
        zkey(SMALL.wtns.clone()).unwrap_err().problem,
        Problem::WrongMagic { expected: "zkey" }
    ));
    assert!(matches!(
        wtns(SMALL.zkey.clone()).unwrap_err().problem,
        Problem::WrongMagic { expected: "wtns" }
    ));
    assert!(matches!(zkey(b"PK\x03\x04 a zip".to_vec()).unwrap_err().problem, Problem::WrongMagic { .. }));
    for version in [0, 3, u32::MAX] {
        let problem = zkey_error("", |sections| sections.version = version);
        assert!(matches!(problem, Problem::WrongVersion { .. }), "{problem}");
    }
}

#[test]
fn oversized_lengths_are_refused() {
    // The length of the first section, at byte 16, and the number of sections, at byte 8.
    for length in [5, 1 << 20, u64::from(u32::MAX), i64::MAX as u64, u64::MAX - 3, u64::MAX] {
        let mut bytes = SMALL.zkey.clone();
        bytes[16..24].copy_from_slice(&length.to_le_bytes());
        assert!(zkey(bytes).is_err(), "{length}");
    }
    for count in [11, 1 << 20, u32::MAX] {
        let mut bytes = SMALL.zkey.clone();
        bytes[8..12].copy_from_slice(&count.to_le_bytes());
        assert!(matches!(zkey(bytes).unwrap_err().problem, Problem::Truncated { .. }), "{count}");
    }
}

#[test]
fn missing_and_duplicated_sections_are_refused() {
    for number in 1..=9 {
        let name = format!("section {number} (");
        let problem = zkey_error(&name, |file| file.sections.retain(|section| section.0 != number));
        assert!(matches!(problem, Problem::MissingSection), "{problem}");
        let problem = zkey_error(&name, |file| {
            let copy = file.section(number).clone();
            file.sections.push((number, copy));
        });
        assert!(matches!(problem, Problem::DuplicateSection), "{problem}");
    }
    for number in 1..=2 {
        let name = format!("section {number} (");
        let problem = wtns_error(&name, |file| file.sections.retain(|section| section.0 != number));
        assert!(matches!(problem, Problem::MissingSection), "{problem}");
        let problem = wtns_error(&name, |file| file.sections.push((number, vec![])));
        assert!(matches!(problem, Problem::DuplicateSection), "{problem}");
    }
}

#[test]
fn sections_of_another_length_than_the_header_says_are_refused() {
    for number in 1..=9 {
        let name = format!("section {number} (");
        for change in [64, 1] {
            let longer = zkey_error(&name, |file| file.section(number).extend(vec![0; change]));
            assert!(matches!(longer, Problem::WrongLength { .. }), "{number}: {longer}");
        }
        let problem = zkey_error(&name, |file| {
            file.section(number).pop();
        });
        let expected = matches!(problem, Problem::WrongLength { .. } | Problem::Truncated { .. });
        assert!(expected, "{number}: {problem}");
    }
    let problem = wtns_error("section 2 (values)", |file| file.section(2).extend([0; 32]));
    assert!(matches!(problem, Problem::WrongLength { .. }), "{problem}");
}

#[test]
fn another_curve_or_protocol_is_refused() {
    // BLS12-381's base field needs 48 bytes.
    let problem = zkey_error("section 2", |file| file.section(2)[0] = 48);
    assert!(matches!(problem, Problem::WrongCurve { what: "base field's prime" }), "{problem}");
    let problem = zkey_error("section 2", |file| file.section(2)[4] ^= 2);
    assert!(matches!(problem, Problem::WrongCurve { what: "base field's prime" }), "{problem}");
    let problem = zkey_error("section 2", |file| file.section(2)[40] ^= 2);
    assert!(matches!(problem, Problem::WrongCurve { what: "scalar field's prime" }), "{problem}");
    let problem = wtns_error("section 1", |file| file.section(1)[35] ^= 1);
    assert!(matches!(problem, Problem::WrongCurve { .. }), "{problem}");
    for (number, name) in [(2, "PLONK"), (10, "FFLONK"), (77, "77")] {
        let problem = zkey_error("section 1", |file| file.section(1)[0] = number);
        assert!(matches!(&problem, Problem::WrongProtocol { found } if found.contains(name)), "{problem}");
    }
}

#[test]
fn counts_that_cannot_be_are_refused() {
    // In the header: variables at byte 72, public signals at 76, domain at 80.
    let set = |at: usize, value: u32| {
        zkey_error("", move |file| file.section(2)[at..at + 4].copy_from_slice(&value.to_le_bytes()))
    };
    let variables = SMALL.assignment.len() as u32;
    for (at, value) in [(76, variables), (76, u32::MAX), (72, 0), (80, 0), (80, 63), (80, 1 << 28), (80, 2)] {
        let problem = set(at, value);
        assert!(matches!(problem, Problem::BadValue { .. }), "{at} {value}: {problem}");
    }
    for (at, value) in [(72, variables + 1), (72, u32::MAX), (76, 0), (80, 1 << 27), (80, 4)] {
        let problem = set(at, value);
        assert!(matches!(problem, Problem::WrongLength { .. }), "{at} {value}: {problem}");
    }
}

#[test]
fn points_that_are_none_are_refused() {
    let sections: [(u32, &str); 5] = [(3, "IC"), (5, "A"), (6, "B1"), (8, "C"), (9, "H")];
    for (number, name) in sections {
        let section = format!("section {number} ({name} points)");
        let count = good_zkey().section(number).len() / 64;
        for index in [0, count / 2, count - 1] {
            // x of a point that is not infinity, so that the curve equation must notice.
            let set = |bytes: [u8; 64]| {
                zkey_error(&section, move |file| {
                    file.section(number)[64 * index..64 * (index + 1)].copy_from_slice(&bytes);
                })
            };
            let mut off = g1_to_bytes(&G1Affine::new_unchecked(Fq::from(1), Fq::from(3)));
            let problem = set(off);
            let text = problem.to_string();
            assert!(text.contains("not on the curve") && text.contains(&index.to_string()), "{text}");
            off[32..].copy_from_slice(&Fq::MODULUS.to_bytes_le());
            assert!(set(off).to_string().contains("not below"), "{number}");
        }
    }
    let problem = zkey_error("section 7 (B2 points)", |file| file.section(7)[5 * 128] ^= 1);
    assert!(matches!(problem, Problem::BadPoint { index: 5, .. }), "{problem}");
    // In the header: alpha1 at 84, beta1 at 148, beta2 at 212, gamma2 at 340, delta1 at 468, delta2 at 532.
    for (index, at) in [84, 148, 212, 340, 468, 532].into_iter().enumerate() {
        let problem = zkey_error("section 2", |file| file.section(2)[at] ^= 1);
        assert!(matches!(problem, Problem::BadPoint { index: found, .. } if found == index), "{problem}");
        let bytes = if [84, 148, 468].contains(&at) { 64 } else { 128 };
        let problem = zkey_error("section 2", |file| file.section(2)[at..at + bytes].fill(0));
        assert!(problem.to_string().contains("infinity"), "{problem}");
    }
}

#[test]
fn a_g2_point_outside_the_subgroup_is_refused_in_the_header() {
    use ark_bn254::{Fq2, G2Affine};
    let mut x = Fq2::new(Fq::from(1), Fq::from(0));
    let point = loop {
        if let Some(point) = G2Affine::get_point_from_x_unchecked(x, true) {
            break point;
        }
        x.c0 += Fq::from(1);
    };
    let bytes = spandrel::formats::g2_to_bytes(&point);
    let problem = zkey_error("section 2", |file| file.section(2)[212..340].copy_from_slice(&bytes));
    assert!(problem.to_string().contains("prime order"), "{problem}");
}

#[test]
fn coefficients_out_of_range_are_refused() {
    // An entry has matrix, constraint, signal, value at 0, 4, 8, 12; the list starts after its count.
    let set = |at: usize, bytes: Vec<u8>| {
        zkey_error("section 4 (coefficients)", move |file| {
            file.section(4)[4 + 3 * 44 + at..][..bytes.len()].copy_from_slice(&bytes);
        })
    };
    let domain = zkey(SMALL.zkey.clone()).unwrap().domain() as u32;
    let cases = [(0, 2), (0, u32::MAX), (4, domain), (8, SMALL.assignment.len() as u32), (8, u32::MAX)];
    for (at, value) in cases {
        let problem = set(at, value.to_le_bytes().to_vec());
        let text = problem.to_string();
        assert!(matches!(problem, Problem::BadValue { .. }) && text.contains("coefficient 3"), "{text}");
    }
    let problem = set(12, Fr::MODULUS.to_bytes_le());
    assert!(matches!(problem, Problem::NotReduced { index: 3, .. }), "{problem}");
    let problem = zkey_error("section 4", |file| file.section(4)[..4].fill(0xff));
    assert!(matches!(problem, Problem::WrongLength { .. }), "{problem}");
    let problem = zkey_error("section 4", |file| file.section(4).truncate(2));
    assert!(matches!(problem, Problem::Truncated { .. }), "{problem}");
}

#[test]
fn witness_values_that_cannot_be_are_refused() {
    let problem = wtns_error("section 2", |file| file.section(2)[64..96].fill(0xff));
    assert!(matches!(problem, Problem::NotReduced { index: 2, .. }), "{problem}");
    let modulus = Fr::MODULUS.to_bytes_le();
    let problem = wtns_error("section 2", |file| file.section(2)[32..64].copy_from_slice(&modulus));
    assert!(matches!(problem, Problem::NotReduced { index: 1, .. }), "{problem}");
    let problem = wtns_error("section 2", |file| file.section(2)[0] = 2);
    assert!(matches!(problem, Problem::NoConstantOne), "{problem}");
    assert!(matches!(wtns(wtns_sections(&[]).file()).unwrap_err().problem, Problem::NoConstantOne));
}

#[test]
fn a_mismatched_pair_is_refused() {
    let key = zkey(SMALL.zkey.clone()).unwrap();
    let shorter = wtns(wtns_sections(&SMALL.assignment[..9]).file()).unwrap();
    let error = key.check_pair(&shorter).unwrap_err().to_string();
    assert!(
        error.contains("test.wtns") && error.contains("test.zkey") && error.contains("9 values"),
        "{error}"
    );
}

#[test]
#[cfg(unix)]
fn only_regular_files_are_opened() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [directory.path(), &fifo, Path::new("/dev/null")] {
        for problem in
            [Zkey::open(path).map(drop), Witness::open(path).map(drop), read_public(path).map(drop)]
        {
            assert!(matches!(problem.unwrap_err().problem, Problem::NotARegularFile { .. }), "{path:?}");
        }
    }
    let missing = directory.path().join("missing");
    assert!(matches!(Zkey::open(&missing).unwrap_err().problem, Problem::Io { .. }));
    let empty = put(directory.path(), "empty", b"");
    assert!(matches!(Zkey::open(&empty).unwrap_err().problem, Problem::Truncated { .. }));
    // And a good file, mapped.
    let good = put(directory.path(), "good.zkey", &SMALL.zkey);
    assert_eq!(Zkey::open(&good).unwrap().a(), zkey(SMALL.zkey.clone()).unwrap().a());
}

#[test]
fn json_reads_back_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let proof = SMALL.ark_proof(Fr::from(5), Fr::from(6));
    let text = write_proof(&proof);
    assert_eq!(read_proof(&put(directory.path(), "proof.json", &text)).unwrap(), proof);
    let text = String::from_utf8(text).unwrap();
    // Layout of snarkjs: one space a level, keys in this order, no newline at the end.
    assert!(text.starts_with("{\n \"pi_a\": [\n  \""), "{text}");
    assert!(text.ends_with("\"\n ],\n \"protocol\": \"groth16\",\n \"curve\": \"bn128\"\n}"), "{text}");
    let public = SMALL.circuit.public();
    let path = put(directory.path(), "public.json", &write_public(&public));
    assert_eq!(read_public(&path).unwrap(), public);
    assert_eq!(write_public(&[]), b"[]");
    let infinity = ark_groth16::Proof::default();
    let path = put(directory.path(), "infinity.json", &write_proof(&infinity));
    assert_eq!(read_proof(&path).unwrap(), infinity);
}

#[test]
fn wrong_json_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let proof = String::from_utf8(write_proof(&SMALL.ark_proof(Fr::from(5), Fr::from(6)))).unwrap();
    let x = proof.split('"').nth(3).unwrap();
    let modulus = Fq::MODULUS.to_string();
    let long = "1".repeat(79);
    let changes = [
        ("groth16", "plonk", "protocol"),
        ("bn128", "bls12381", "curve"),
        (x, "1", "pi_a"),
        (x, modulus.as_str(), "not below"),
        (x, long.as_str(), "78 digits"),
        (x, "-1", "decimal"),
        (x, "0x10", "decimal"),
        (x, "", "decimal"),
        ("\"1\"\n", "\"2\"\n", "affine"),
        ("pi_c", "pi_d", "pi_c"),
        ("[", "{", "JSON"),
    ];
    for (from, to, message) in changes {
        let changed = proof.replacen(from, to, 1);
        assert_ne!(changed, proof, "{from}");
        let error = read_proof(&put(directory.path(), "proof.json", changed.as_bytes())).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    let order = format!("[\"{}\"]", Fr::MODULUS);
    for text in ["", "[1]", "[\"a\"]", "{}", order.as_str(), "\u{feff}[]"] {
        assert!(read_public(&put(directory.path(), "public.json", text.as_bytes())).is_err(), "{text}");
    }
    assert!(read_verifying_key(&put(directory.path(), "vk.json", proof.as_bytes())).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Bytes changed at random, more often among headers than in the long lists of points, then cut or
    /// lengthened: an error or a key, never a panic; and what was accepted can be proved with.
    #[test]
    fn mutated_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        more in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mutate = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (index, early, value) in &changes {
                let at = index.index(if *early { 900 } else { bytes.len() });
                bytes[at] = *value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes.extend(&more);
            bytes
        };
        let key = zkey(mutate(&SMALL.zkey));
        let witness = wtns(mutate(&SMALL.wtns));
        for error in [key.as_ref().err(), witness.as_ref().err()].into_iter().flatten() {
            prop_assert!(error.to_string().contains("what to do: "));
        }
        if let (Ok(key), Ok(witness)) = (&key, &witness)
            && key.check_pair(witness).is_ok()
        {
            let backend = spandrel::backend::Cpu::new();
            let prover = spandrel::groth16::Prover::new(key, &backend).unwrap();
            let blinding = spandrel::groth16::Blinding::random().unwrap();
            let _ = prover.prove(witness, blinding, &spandrel::groth16::Silent);
        }
    }

    /// Bytes that only start like a container.
    #[test]
    fn arbitrary_files_never_panic(version in 0u32..4, rest in prop::collection::vec(any::<u8>(), 0..400)) {
        for magic in [b"zkey", b"wtns"] {
            let bytes = [&magic[..], &version.to_le_bytes(), &rest].concat();
            let _ = zkey(bytes.clone());
            let _ = wtns(bytes);
        }
    }
}
