//! The manifest beside a bitstream.

use spandrel_abi::manifest::{BOARDS, BitstreamFile, Manifest, ManifestError, abi_text, manifest_path};
use spandrel_abi::{ABI_MAJOR, ABI_MINOR, Identification};
use std::path::Path;

const IMAGE: &[u8] = b"an image";

fn manifest() -> Manifest {
    let text = format!(
        r#"{{"format":1,"board":"acorn-cle215","board_number":2,"abi":"{}","git_revision":"0123abcd",
        "profile_sha256":"{:064x}","rtl_sha256":"{:064x}","tools":{{"yosys":"0.70"}},"clock_khz":80000,
        "clock_reached_khz":83210,"resources":{{"dsp":264}},"bitstream":{{"file":"card.bit","bytes":8,
        "sha256":"{}"}}}}"#,
        abi_text(),
        1,
        2,
        BitstreamFile::of("card.bit", IMAGE).sha256
    );
    serde_json::from_str(&text).unwrap()
}

fn card() -> Identification {
    let mut words = [0; 16];
    words[1] = u32::from(ABI_MAJOR) << 16 | u32::from(ABI_MINOR);
    (words[2], words[3]) = (0x0123_abcd, 2);
    Identification::from_words(&words)
}

fn sentence(outcome: Result<(), ManifestError>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn a_manifest_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = manifest_path(&folder.path().join("card.bit"));
    assert!(path.ends_with("card.json"));
    std::fs::write(&path, manifest().to_json()).unwrap();
    assert_eq!(Manifest::read(&path).unwrap(), manifest());
    std::fs::write(&path, "{}").unwrap();
    assert!(Manifest::read(&path).unwrap_err().to_string().contains("card.json is not a manifest"));
    let missing = Manifest::read(Path::new("no/such.json")).unwrap_err();
    assert!(matches!(missing, ManifestError::Read { .. }), "{missing}");
}

#[test]
fn what_fits_passes() {
    manifest().check(2, (ABI_MAJOR, ABI_MINOR)).unwrap();
    manifest().check(2, (ABI_MAJOR, ABI_MINOR + 1)).unwrap();
    manifest().check_image(IMAGE).unwrap();
    manifest().check_card(&card()).unwrap();
}

#[test]
fn each_mismatch_is_a_sentence() {
    let other_board = sentence(manifest().check(1, (ABI_MAJOR, ABI_MINOR)));
    assert!(
        other_board.contains("2 (acorn-cle215)") && other_board.contains("1 (alveo-u250)"),
        "{other_board}"
    );
    let other_abi = sentence(manifest().check(2, (ABI_MAJOR + 1, 0)));
    assert!(other_abi.contains(&format!("{}.0", ABI_MAJOR + 1)), "{other_abi}");
    assert!(sentence(manifest().check_image(b"an imag")).contains("7 bytes"));
    assert!(sentence(manifest().check_image(b"an imagf")).contains("SHA-256"));

    let mut running = card();
    running.git_revision = 0;
    assert!(sentence(manifest().check_card(&running)).contains("git revision 00000000"));
    running = card();
    running.board = 0;
    assert!(sentence(manifest().check_card(&running)).contains("0 (simulated)"));
    running = card();
    running.abi_minor += 1;
    assert!(matches!(manifest().check_card(&running), Err(ManifestError::Abi { .. })));
}

#[test]
fn fields_that_cannot_be_right_are_refused() {
    let refused = |change: fn(&mut Manifest), field: &str| {
        let mut changed = manifest();
        change(&mut changed);
        let text = sentence(changed.check(changed.board_number, (ABI_MAJOR, ABI_MINOR)));
        assert!(text.contains(field), "{field}: {text}");
    };
    refused(|manifest| manifest.format = 2, "format");
    refused(|manifest| manifest.board_number = 1, "board_number");
    refused(|manifest| manifest.abi = "2".into(), "abi");
    refused(|manifest| manifest.git_revision = "0123abc".into(), "git_revision");
    refused(|manifest| manifest.rtl_sha256 = "xyz".into(), "rtl_sha256");
    refused(|manifest| manifest.bitstream.file = "../card.bit".into(), "bitstream.file");
}

#[test]
fn boards_have_numbers_of_their_own() {
    for (at, (number, name)) in BOARDS.iter().enumerate() {
        let distinct = |other: &(u32, &str)| other.0 != *number && other.1 != *name;
        assert!(BOARDS[at + 1..].iter().all(distinct), "{number} {name}");
    }
}
