//! `spandrel card` on a tree of files in the image of the system's own.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const ADDRESS: &str = "0000:3b:00.0";

/// A machine with one card, bound to a driver or to none, whose registers read as zero.
fn machine(driver: Option<&str>) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("sys/bus/pci/devices").join(ADDRESS);
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in [
        ("vendor", "0x10ee"),
        ("device", "0x5bd1"),
        ("revision", "0x01"),
        ("numa_node", "0"),
        ("current_link_speed", "8.0 GT/s PCIe"),
        ("current_link_width", "8"),
        ("max_link_speed", "8.0 GT/s PCIe"),
        ("max_link_width", "16"),
    ] {
        fs::write(folder.join(name), format!("{text}\n")).unwrap();
    }
    fs::write(folder.join("config"), [0; 4096]).unwrap();
    fs::write(folder.join("resource0"), registers()).unwrap();
    symlink("../../../kernel/iommu_groups/12", folder.join("iommu_group")).unwrap();
    if let Some(driver) = driver {
        symlink(format!("../../drivers/{driver}"), folder.join("driver")).unwrap();
    }
    root
}

/// The registers of an idle card with a link.
fn registers() -> Vec<u8> {
    use spandrel_abi::*;
    let mut bytes = vec![0; BAR0_BYTES as usize];
    let mut put = |offset: usize, value: u32| bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    let identification = Identification {
        magic: MAGIC_VALUE,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        git_revision: 0,
        board: 1,
        clock_khz: 250_000,
        has_msm: true,
        has_field: true,
        msm_curves: 1,
        msm_window_choices: 1 << 8,
        msm_adders: 1,
        msm_adder_kind: 0,
        msm_latency_cycles: 100,
        card_memory_kib: 1024,
        field_latency_cycles: 30,
        has_poseidon: true,
        poseidon_lanes: [0, 2, 0, 1],
        poseidon_latency_cycles: 20,
    };
    for (index, word) in identification.to_words().iter().enumerate() {
        put(4 * index, *word);
    }
    put(STATUS.offset as usize, STATUS_READY.put(1) | STATUS_BUSY.put(1));
    put(CONTROL.offset as usize, CONTROL_ENABLE.put(1));
    put(SQ_MASK.offset as usize, 63);
    put(SQ_TAIL.offset as usize, 5);
    put(SQ_HEAD.offset as usize, 60);
    put(CYCLES_LO.offset as usize, 1234);
    put(LINK_STATUS.offset as usize, LINK_STREAM.put(1) | LINK_BUS_MASTER.put(1));
    put(LINK_READ_FAULTS.offset as usize, LINK_TIMEOUTS.put(3));
    bytes
}

fn spandrel(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spandrel"));
    command.args(arguments).arg("--system-root").arg(root).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn cards_on_the_bus_are_listed_with_what_they_need() {
    let root = machine(None);
    let listed = json(&spandrel(root.path(), &["card", "list", "--json"]));
    let card = &listed["pci_cards"][0];
    assert_eq!(card["card"], ADDRESS);
    assert_eq!((&card["driver"], &card["iommu_group"]), (&Value::Null, &Value::from("12")));
    assert_eq!(card["link"]["lanes"], 8);
    assert_eq!(card["link_at_most"]["lanes"], 16);
    assert!(card["hint"].as_str().unwrap().contains("spandrel card bind 0000:3b:00.0"));
    let output = spandrel(root.path(), &["card", "list"]);
    let line = text(&output.stdout);
    assert!(line.contains("IOMMU group 12, link 8 GT/s x8 (of at most 8 GT/s x16)"), "{line}");
    let bound = machine(Some("vfio-pci"));
    let listed = json(&spandrel(bound.path(), &["card", "list", "--json"]));
    assert_eq!(listed["pci_cards"][0]["hint"], Value::Null);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(
        json(&spandrel(empty.path(), &["card", "list", "--json"]))["pci_cards"],
        Value::Array(Vec::new())
    );
}

#[test]
fn binding_says_what_is_in_its_way() {
    let root = machine(Some("vfio-pci"));
    let output = spandrel(root.path(), &["card", "bind", ADDRESS]);
    assert!(output.status.success(), "bound already: {}", text(&output.stderr));
    assert!(text(&output.stdout).contains("--card 0000:3b:00.0 uses it"));
    let output = spandrel(root.path(), &["card", "bind", "0000:3c:00.0"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("spandrel card list"), "{}", text(&output.stderr));
    let output = spandrel(root.path(), &["card", "bind", "no address"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("such as 0000:3b:00.0"), "{}", text(&output.stderr));
    let unbound = machine(None);
    let output = spandrel(unbound.path(), &["card", "unbind", ADDRESS]);
    assert_eq!(text(&output.stdout), "card 0000:3b:00.0 is bound to no driver\n");
}

#[test]
fn a_card_is_watched_beside_its_user() {
    let root = machine(Some("vfio-pci"));
    let before = fs::read(root.path().join("sys/bus/pci/devices").join(ADDRESS).join("resource0")).unwrap();
    let watch = |more: &[&str]| {
        let mut arguments = vec!["card", "watch", "--card", ADDRESS, "--count", "3", "--interval", "0.01"];
        arguments.extend(more);
        spandrel(root.path(), &arguments)
    };
    let output = watch(&["--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let looks: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(looks.len(), 3);
    for look in &looks {
        assert_eq!((&look["busy"], &look["cycles"]), (&Value::from(true), &Value::from(1234)));
        assert_eq!((&look["submissions"], &look["submission_entries"]), (&Value::from(9), &Value::from(64)));
        assert_eq!(look["link_faults"]["timeouts"], 3);
    }
    let lines = text(&watch(&[]).stdout);
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.contains("busy, 9/64 submitted") && lines.contains("link faults: 3 timeouts"), "{lines}");
    let after = fs::read(root.path().join("sys/bus/pci/devices").join(ADDRESS).join("resource0")).unwrap();
    assert!(before == after, "looking changes nothing");
    // A card that is switched off reads all ones.
    let folder = root.path().join("sys/bus/pci/devices").join(ADDRESS);
    fs::write(folder.join("resource0"), vec![0xff; 16384]).unwrap();
    let output = watch(&[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("nobody uses the card"), "{}", text(&output.stderr));
}

#[test]
fn watching_ends_well_when_it_is_asked_to() {
    let root = machine(Some("vfio-pci"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_spandrel"));
    command.args(["card", "watch", "--card", ADDRESS, "--json", "--interval", "3600", "--system-root"]);
    let mut child = command.arg(root.path()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    // The first look is there, so the handler is too.
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    // SAFETY: sends a signal to a child that has not been waited for.
    assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if std::time::Instant::now() > end => {
                child.kill().unwrap();
                panic!("did not end");
            }
            None => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    assert!(status.success(), "{status}");
}
