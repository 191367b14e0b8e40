//! `spandrel bench poseidon` and `spandrel merkle` with a simulated card, through the binary.

use serde_json::Value;
use spandrel::formats::{write_elements, write_path};
use spandrel::workload::elements;
use spandrel_poseidon::{Arity, Output, Tree};
use spandrel_tests::sample::{simulation_missing, spandrel};
use spandrel_tests::skip;
use std::path::Path;

/// Runs a command that compares CPU and card, and gives its report.
#[track_caller]
fn compared(arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--backend", "dual", "--json"]].concat();
    let ended = spandrel(&arguments.iter().map(Path::new).collect::<Vec<_>>());
    let text = [&ended.stdout[..], &ended.stderr].map(String::from_utf8_lossy).concat();
    assert!(ended.status.success(), "{text}");
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["equal"], true, "{report}");
    // A report and the figures in it name nothing twice.
    assert!(text.matches("\"hashes\"").count() <= 1, "{text}");
    report
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("{name} in {report}"))
}

#[test]
fn a_card_hashes_and_its_figures_add_up() {
    if let Some(reason) = simulation_missing() {
        return skip("a_card_hashes_and_its_figures_add_up", reason);
    }
    let report = compared(&["bench", "poseidon", "--t", "3", "--count", "100"]);
    let [lanes, multipliers, cycles, hashes] =
        ["lanes", "multipliers", "cycles", "hashes"].map(|name| number(&report, name));
    assert_eq!((multipliers, hashes), (8 * lanes, 100));
    assert_eq!((number(&report, "multiplications_per_hash"), number(&report, "passes")), (600, 81 * hashes));
    assert_eq!(number(&report, "passes") + number(&report, "starved"), lanes * cycles);
    let share = (600 * hashes) as f64 / (multipliers * cycles) as f64;
    assert!((report["multiplier_utilisation"].as_f64().unwrap() - share).abs() < 1e-9);
    assert_eq!(report["cycles_per_hash"].as_f64().unwrap(), cycles as f64 / hashes as f64);
}

#[test]
fn a_card_builds_proves_and_updates() {
    if let Some(reason) = simulation_missing() {
        return skip("a_card_builds_proves_and_updates", reason);
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut leaves = elements(21, 8);
    std::fs::write(at("leaves.txt"), write_elements(&leaves)).unwrap();
    std::fs::write(at("set.txt"), "20,7\n3,0x2a\n").unwrap();
    let tree = Tree::build(Arity::Two, Output::Second, Some(6), leaves.clone()).unwrap();

    let (leaves_file, kind) = (at("leaves.txt"), ["--output", "second", "--depth", "6"]);
    let report = compared(&[&["merkle", "root", &leaves_file], &kind[..]].concat());
    assert_eq!(report["root"], tree.root().to_string());
    assert_eq!(number(&report, "hashes"), tree.nodes() as u64);

    let (path, set, new) = (at("path.json"), at("set.txt"), at("new.txt"));
    compared(&[&["merkle", "path", &leaves_file, "--index", "20", "--out", &path], &kind[..]].concat());
    assert_eq!(std::fs::read(&path).unwrap(), write_path(&leaves[20], &tree.path(20).unwrap()));

    (leaves[20], leaves[3]) = (7.into(), 42.into());
    let updated = Tree::build(Arity::Two, Output::Second, Some(6), leaves.clone()).unwrap();
    let report =
        compared(&[&["merkle", "update", &leaves_file, "--set", &set, "--out", &new], &kind[..]].concat());
    assert_eq!(report["root"], updated.root().to_string());
    assert_eq!(report["old_root"], tree.root().to_string());
    assert_eq!(std::fs::read(new).unwrap(), write_elements(&leaves));
}
