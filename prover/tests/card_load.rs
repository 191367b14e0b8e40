//! `spandrel card load` with a program that stands in for the loader, and `spandrel card info --manifest` on a simulated
//! card.
#![cfg(feature = "sim")]

use spandrel_abi::manifest::{BOARDS, BitstreamFile, Manifest, abi_text};
use spandrel_abi::{ABI_MAJOR, ABI_MINOR};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const IMAGE: &[u8] = b"what a card is configured with";

fn manifest(board: &str) -> Manifest {
    let (board_number, _) = BOARDS.iter().find(|(_, name)| *name == board).unwrap();
    Manifest {
        format: 1,
        board: board.to_owned(),
        board_number: *board_number,
        abi: abi_text(),
        git_revision: "00000000".to_owned(),
        profile_sha256: "0".repeat(64),
        rtl_sha256: "1".repeat(64),
        tools: [("yosys".to_owned(), "0.70".to_owned())].into(),
        clock_khz: 80_000,
        clock_reached_khz: 81_000,
        resources: [("dsp".to_owned(), 264)].into(),
        bitstream: BitstreamFile::of("card.bit", IMAGE),
    }
}

/// A folder with an image, its manifest, and a loader that writes down its arguments and ends with `status`.
fn build(manifest: &Manifest, status: i32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("card.bit");
    fs::write(&image, IMAGE).unwrap();
    fs::write(folder.path().join("card.json"), manifest.to_json()).unwrap();
    let loader = folder.path().join("loader");
    let text = format!(
        "#!/bin/sh\necho \"$@\" > '{}/called'\necho no cable >&2\nexit {status}\n",
        folder.path().display()
    );
    fs::write(&loader, text).unwrap();
    fs::set_permissions(&loader, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, image)
}

/// Runs the command; gives standard output and standard error.
fn spandrel(code: i32, folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_spandrel"))
        .args(arguments)
        .env("SPANDREL_OPENFPGALOADER", folder.join("loader"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    (String::from_utf8_lossy(&output.stdout).into_owned(), error)
}

fn called(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("called")).ok().map(|text| text.trim().to_owned())
}

#[test]
fn a_sound_image_is_loaded_with_the_boards_options() {
    let (folder, image) = build(&manifest("acorn-cle215"), 0);
    let image = image.to_str().unwrap();
    let (_, error) = spandrel(2, folder.path(), &["card", "load", image]);
    assert!(error.contains("--cable"), "{error}");
    let load = ["card", "load", image, "--cable", "digilent_hs2"];
    let (text, _) = spandrel(0, folder.path(), &[&load[..], &["--dry-run"]].concat());
    let expected = format!("--board acornCle215 --cable digilent_hs2 --write-sram {image}");
    assert!(text.contains(&expected), "{text}");
    assert_eq!(called(folder.path()), None, "a dry run loads nothing");
    spandrel(0, folder.path(), &load);
    assert_eq!(called(folder.path()), Some(expected));

    let (folder, image) = build(&manifest("ulx3s-85f"), 0);
    let image = image.to_str().unwrap();
    let (text, _) = spandrel(0, folder.path(), &["card", "load", image, "--flash", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["loaded"], &report["verified"]), (&true.into(), &false.into()), "{text}");
    assert_eq!(called(folder.path()), Some(format!("--board ulx3s --write-flash {image}")));
}

#[test]
fn nothing_is_touched_where_something_disagrees() {
    let refused = |change: fn(&mut Manifest), more: &[&str], words: &str| {
        let mut changed = manifest("ulx3s-85f");
        change(&mut changed);
        let (folder, image) = build(&changed, 0);
        let (_, error) =
            spandrel(3, folder.path(), &[&["card", "load", image.to_str().unwrap()], more].concat());
        assert!(error.contains(words), "{words} is not in: {error}");
        assert_eq!(called(folder.path()), None, "{words}");
    };
    refused(|manifest| manifest.bitstream.bytes += 1, &[], "the copy is not whole");
    refused(|manifest| manifest.bitstream.sha256 = "0".repeat(64), &[], "SHA-256");
    refused(|manifest| manifest.bitstream.file = "other.bit".into(), &[], "manifest of other.bit");
    refused(|manifest| manifest.abi = format!("{}.0", ABI_MAJOR + 1), &[], "interface");
    refused(|manifest| manifest.board = "acorn-cle215".into(), &[], "another board's number");
    refused(|_| {}, &["--board", "acorn-cle215"], "for board ulx3s-85f");
    refused(|_| {}, &["--card", "sim:sim-small"], "0 (simulated)");
    let (folder, _) = build(&manifest("ulx3s-85f"), 0);
    let missing = folder.path().join("none.bit");
    let (_, error) = spandrel(3, folder.path(), &["card", "load", missing.to_str().unwrap()]);
    assert!(error.contains("none.json"), "{error}");
}

#[test]
fn a_loader_that_fails_is_quoted() {
    let (folder, image) = build(&manifest("ulx3s-85f"), 5);
    let (_, error) = spandrel(4, folder.path(), &["card", "load", image.to_str().unwrap()]);
    assert!(error.contains("the loader failed") && error.contains("no cable"), "{error}");
}

#[test]
fn vendor_boards_get_a_hint() {
    for (board, words) in
        [("alveo-u250", "connect_hw_server"), ("alveo-u55c", "xbflash2"), ("aws-f2", "fpga-load-local-image")]
    {
        let (folder, image) = build(&manifest(board), 0);
        let (text, _) = spandrel(0, folder.path(), &["card", "load", image.to_str().unwrap()]);
        assert!(text.contains(words) && text.contains("not loaded"), "{text}");
        assert_eq!(called(folder.path()), None);
    }
}

#[test]
fn a_running_card_is_held_against_a_manifest() {
    let (folder, _) = build(&manifest("simulated"), 0);
    let path = folder.path().join("card.json");
    let info = ["card", "info", "--card", "sim:sim-small", "--manifest", path.to_str().unwrap()];
    let (text, _) = spandrel(0, folder.path(), &info);
    assert!(text.contains("Git revision   00000000"), "{text}");
    let refused = |change: fn(&mut Manifest), words: &str| {
        let mut changed = manifest("simulated");
        change(&mut changed);
        fs::write(&path, changed.to_json()).unwrap();
        let (text, error) = spandrel(7, folder.path(), &info);
        assert!(text.is_empty() && error.contains(words), "{words}: {text}{error}");
    };
    refused(|manifest| manifest.git_revision = "0123abcd".into(), "of 0123abcd");
    refused(|manifest| (manifest.board, manifest.board_number) = ("ulx3s-85f".into(), 3), "0 (simulated)");
    refused(|manifest| manifest.abi = format!("{ABI_MAJOR}.{}", ABI_MINOR + 1), "interface");
    fs::write(&path, "nonsense").unwrap();
    spandrel(3, folder.path(), &info);
}
