//! `spandrel merkle`, through the binary, against the library's trees.

mod common;

use ark_bn254::Fr;
use common::{files, put, report, run};
use serde_json::Value;
use spandrel::formats::{write_binary_elements, write_elements};
use spandrel::workload::elements;
use spandrel_poseidon::{Arity, Output, Tree};
use std::path::Path;
use tempfile::TempDir;

/// A directory with 11 leaves.
fn workspace() -> (TempDir, Vec<Fr>) {
    let directory = tempfile::tempdir().unwrap();
    let leaves = elements(11, 2);
    put(directory.path(), "leaves.txt", &write_elements(&leaves));
    put(directory.path(), "leaves.bin", &write_binary_elements(&leaves));
    (directory, leaves)
}

fn root(arity: Arity, output: Output, depth: Option<u32>, leaves: &[Fr]) -> String {
    Tree::build(arity, output, depth, leaves.to_vec()).unwrap().root().to_string()
}

#[track_caller]
fn printed_root(directory: &Path, arguments: &[&str]) -> String {
    run(directory, 0, &[&["merkle", "root"], arguments].concat()).0.trim_end().to_owned()
}

#[test]
fn roots_are_those_of_the_library() {
    let (directory, leaves) = workspace();
    let directory = directory.path();
    let binary = root(Arity::Two, Output::First, None, &leaves);
    assert_eq!(printed_root(directory, &["leaves.txt"]), binary);
    assert_eq!(printed_root(directory, &["leaves.bin"]), binary);
    assert_eq!(
        printed_root(directory, &["leaves.txt", "--arity", "4", "--depth", "5", "--output", "second"]),
        root(Arity::Four, Output::Second, Some(5), &leaves)
    );
    let from_seed = root(Arity::Two, Output::First, None, &elements(100, 7));
    assert_eq!(printed_root(directory, &["--leaves", "100", "--seed", "7"]), from_seed);
    put(directory, "none", b"");
    assert_eq!(printed_root(directory, &["none"]), "0");
    assert_eq!(printed_root(directory, &["--leaves", "0"]), "0");
    put(directory, "one", b"42\n");
    assert_eq!(printed_root(directory, &["one"]), "42");

    let json = report(directory, &["merkle", "root", "leaves.txt", "--json"]);
    let expected = serde_json::json!({
        "backend": "cpu", "card": null, "leaves": 11, "arity": 2, "depth": 4, "output": "first", "root": binary,
        "hashes": 6 + 3 + 2 + 1, "equal": null, "seconds": json["seconds"],
    });
    assert_eq!(json, expected);
}

#[test]
fn paths_verify_and_altered_ones_do_not() {
    let (directory, leaves) = workspace();
    let directory = directory.path();
    for (arity, name) in [(Arity::Two, "2"), (Arity::Four, "4")] {
        for (index, leaf) in leaves.iter().enumerate() {
            let index = index.to_string();
            let more = ["--index", &index, "--out", "path.json", "--arity", name, "--json"];
            let json = report(directory, &[&["merkle", "path", "leaves.txt"][..], &more].concat());
            let root = root(arity, Output::First, None, &leaves);
            assert_eq!(json["root"], Value::from(root.clone()));
            let depth = json["depth"].to_string();
            let (out, _) = run(directory, 0, &["merkle", "verify", "path.json", &root, "--depth", &depth]);
            assert!(out.contains(&format!("leaf {index} of")) && out.contains(&leaf.to_string()), "{out}");
        }
    }
    let root = root(Arity::Four, Output::First, None, &leaves);
    let verify = |code, file: &str, root: &str, depth: &str| {
        run(directory, code, &["merkle", "verify", file, root, "--depth", depth])
    };
    // Another root, another depth, another leaf, another place.
    assert!(verify(5, "path.json", "5", "2").1.contains("NOT valid"));
    verify(5, "path.json", &root, "3");
    let text = std::fs::read_to_string(directory.join("path.json")).unwrap();
    let last = leaves[10].to_string();
    let altered = |name: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        put(directory, name, text.replacen(from, to, 1).as_bytes());
    };
    altered("leaf.json", &last, "17");
    verify(5, "leaf.json", &root, "2");
    altered("place.json", "\"index\": 10", "\"index\": 9");
    verify(5, "place.json", &root, "2");
    let json: Value =
        serde_json::from_str(&run(directory, 5, &["merkle", "verify", "leaf.json", &root, "--json"]).0)
            .unwrap();
    assert_eq!((&json["valid"], &json["leaf"]), (&false.into(), &"17".into()));

    let malformed = [
        ("\"arity\": 4", "\"arity\": 3", "\"arity\" is 3, not 2 or 4"),
        ("\"arity\": 4", "\"arity\": 2", "level 0 has 3 siblings, but a node of this arity has 1"),
        ("\"index\": 10", "\"index\": 16", "a tree of depth 2 has no leaf 16"),
        ("\"index\": 10", "\"index\": -1", "is not the JSON that was expected"),
        ("\"first\"", "\"third\"", "is not the JSON that was expected"),
        (&last, "0x11", "\"leaf\" is not a decimal number"),
        ("}", "", "is not the JSON that was expected"),
    ];
    for (from, to, message) in malformed {
        altered("bad.json", from, to);
        let (_, err) = verify(3, "bad.json", &root, "2");
        assert!(err.contains("bad.json: ") && err.contains(message), "{err}");
    }
    let endless = "[\"0\"],".repeat(33);
    put(directory, "deep.json", text.replacen("[", &format!("[{endless}"), 1).as_bytes());
    assert!(verify(3, "deep.json", &root, "2").1.contains("more than the 32"));
    run(directory, 2, &["merkle", "verify", "path.json", "root"]);
}

#[test]
fn updates_give_the_tree_of_the_new_leaves() {
    let (directory, mut leaves) = workspace();
    let directory = directory.path();
    let old = root(Arity::Two, Output::First, None, &leaves);
    put(directory, "set.txt", b"10, 0x2a\n0,7\r\n\n 3 ,0");
    (leaves[10], leaves[0], leaves[3]) = (Fr::from(42), Fr::from(7), Fr::from(0));
    let new = root(Arity::Two, Output::First, None, &leaves);
    let update = ["merkle", "update", "leaves.txt", "--set", "set.txt"];
    for (out, content) in [("new.txt", write_elements(&leaves)), ("new.bin", write_binary_elements(&leaves))]
    {
        let json = report(directory, &[&update[..], &["--out", out, "--json"]].concat());
        assert_eq!((&json["old_root"], &json["root"]), (&old.clone().into(), &new.clone().into()));
        // Leaves 0, 3 and 10: three nodes above them, then two, two and the root.
        assert_eq!((&json["updates"], &json["hashes"]), (&3.into(), &8.into()));
        assert_eq!(std::fs::read(directory.join(out)).unwrap(), content);
        assert_eq!(printed_root(directory, &[out]), new);
    }
    assert_eq!(run(directory, 0, &update).0, format!("{new}\n"));
    // No updates are none.
    put(directory, "set.txt", b"");
    assert_eq!(run(directory, 0, &update).0, format!("{old}\n"));

    let before = files(directory);
    let cases: [(&[u8], &str); 8] = [
        (b"1,2\n1,3\n", "line 2 sets leaf 1, as line 1 did"),
        (b"1,2\n11,3\n", "there is no leaf 11 in a tree of 11 leaves"),
        (b"1 2\n", "line 1 has no comma"),
        (b"+1,2\n", "line 1 has an index that is not a number"),
        (b"99999999999999999999999,2\n", "line 1 has an index that is not a number"),
        (b"1,\n", "line 1 has a leaf that is not a number"),
        (b"1,2,3\n", "line 1 has a leaf that is not a number"),
        (b"1,\xff\n", "line 1 is not text"),
    ];
    for (content, message) in cases {
        put(directory, "set.txt", content);
        let (out, err) = run(directory, 3, &[&update[..], &["--out", "never.txt"]].concat());
        assert!(err.contains(message) && out.is_empty(), "{err}");
        assert_eq!(files(directory), before);
    }
}

#[test]
fn wrong_command_lines_and_outputs_are_refused_before_the_work() {
    let (directory, _) = workspace();
    let directory = directory.path();
    put(directory, "set.txt", b"0,1\n");
    let before = files(directory);
    let path = ["merkle", "path", "leaves.txt", "--index", "0", "--out"];
    let update = ["merkle", "update", "leaves.txt", "--set", "set.txt", "--out"];
    let cases: [(i32, &[&str], &str); 12] = [
        (2, &["merkle", "root"], "--leaves"),
        (2, &["merkle", "root", "leaves.txt", "--leaves", "3"], "cannot be used with"),
        (2, &["merkle", "root", "leaves.txt", "--arity", "3"], "2 or 4 children"),
        (2, &["merkle", "root", "leaves.txt", "--depth", "3"], "need a depth of 4, not of 3"),
        (2, &["merkle", "root", "leaves.txt", "--depth", "33"], "at most 32"),
        (2, &["merkle", "root", "--leaves", "268435456"], "268435455"),
        (2, &["merkle", "root", "leaves.txt", "--stalls", "1"], "the CPU has no card"),
        (3, &["merkle", "root", "missing"], "missing: cannot be opened"),
        (3, &["merkle", "path", "leaves.txt", "--index", "11", "--out", "path.json"], "no leaf 11"),
        (6, &[&path[..], &["none/path.json"]].concat(), "create it first"),
        (6, &[&path[..], &["leaves.txt"]].concat(), "another file of this command"),
        (6, &[&update[..], &["set.txt"]].concat(), "another file of this command"),
    ];
    for (code, arguments, message) in cases {
        let (out, err) = run(directory, code, arguments);
        assert!(err.contains(message) && out.is_empty(), "{err}");
        assert_eq!(files(directory), before);
    }
}
