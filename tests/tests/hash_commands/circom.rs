//! Trees and hashes against circom's world: the sample circuit proves membership by a path of ours, and the committed
//! vectors are those of circomlibjs.

use ark_bn254::Fr;
use num_bigint::BigUint;
use serde_json::{Value, json};
use spandrel::formats::{read_path, write_elements};
use spandrel::workload::elements;
use spandrel_poseidon::{Arity, Hasher, Output, Path as TreePath, Tree};
use spandrel_tests::sample::{built, node_packages, spandrel};
use spandrel_tests::skip;
use spandrel_tools::{NodePackages, checkout_root};
use std::path::Path;
use std::process::{Command, Output as Ended, Stdio};

/// Depth of the tree in the sample circuit.
const DEPTH: u32 = 15;

/// Leaves that are members.
const MEMBERS: usize = 77;

/// Runs one of the sample circuit's scripts.
fn script(packages: &NodePackages, name: &str, arguments: &[&Path]) -> Ended {
    let script = checkout_root().join("circuits/merkle").join(name);
    let mut command = Command::new(&packages.node);
    command.arg(script).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(ended: &Ended) -> String {
    [&ended.stdout[..], &ended.stderr].map(String::from_utf8_lossy).concat()
}

/// The circuit's input: a secret whose commitment is a leaf, and the leaf's path.
fn input(root: &Fr, secret: &Fr, path: &TreePath) -> Value {
    let siblings: Vec<String> = path.siblings.iter().map(|level| level[0].to_string()).collect();
    let right: Vec<String> = (0..DEPTH).map(|level| (path.index >> level & 1).to_string()).collect();
    json!({ "root": root.to_string(), "secret": secret.to_string(), "sibling": siblings, "right": right })
}

/// snarkjs computes a witness from a path of `spandrel merkle path`, proves with the committed key and verifies; a path with
/// another sibling has no witness, and the proof is none for another root.
#[test]
fn the_sample_circuit_accepts_a_path_of_the_command() {
    let packages = match node_packages() {
        Ok(packages) => packages,
        Err(reason) => return skip("the_sample_circuit_accepts_a_path_of_the_command", reason),
    };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let secrets = elements(MEMBERS, 15);
    let leaves = Hasher::new(2, Output::First).unwrap().hash_many(&secrets).unwrap();
    std::fs::write(at("leaves.txt"), write_elements(&leaves)).unwrap();
    let tree = Tree::build(Arity::Two, Output::First, Some(DEPTH), leaves.clone()).unwrap();

    let index = MEMBERS - 1;
    let arguments = ["--depth", "15", "--index", &index.to_string(), "--out"].map(str::to_owned);
    let mut command: Vec<&Path> = vec!["merkle".as_ref(), "path".as_ref()];
    let (leaves_file, path_file) = (at("leaves.txt"), at("path.json"));
    command.push(&leaves_file);
    command.extend(arguments.iter().map(Path::new));
    command.push(&path_file);
    let ended = spandrel(&command);
    assert!(ended.status.success(), "{}", text(&ended));
    assert_eq!(String::from_utf8_lossy(&ended.stdout), format!("{}\n", tree.root()));
    let (leaf, path) = read_path(&path_file).unwrap();
    // The command's path is the library's.
    assert_eq!((leaf, &path), (leaves[index], &tree.path(index).unwrap()));

    let prove = |input: Value| {
        std::fs::write(at("input.json"), input.to_string()).unwrap();
        script(&packages, "membership.js", &[folder.path(), &at("input.json")])
    };
    let ended = prove(input(&tree.root(), &secrets[index], &path));
    assert!(ended.status.success(), "{}", text(&ended));
    let signals: Vec<String> = serde_json::from_slice(&std::fs::read(at("public.json")).unwrap()).unwrap();
    assert_eq!(signals, [tree.root().to_string()]);
    let (vk, proof) = (built("vk.json"), at("proof.json"));
    assert!(packages.snarkjs_verify(&vk, &at("public.json"), &proof).unwrap());
    let other = signals[0].parse::<BigUint>().unwrap() + 1u32;
    std::fs::write(at("other.json"), json!([other.to_string()]).to_string()).unwrap();
    assert!(!packages.snarkjs_verify(&vk, &at("other.json"), &proof).unwrap());

    let mut altered = path.clone();
    altered.siblings[7][0] += Fr::from(1);
    let ended = prove(input(&tree.root(), &secrets[index], &altered));
    assert!(!ended.status.success() && text(&ended).contains("Assert Failed"), "{}", text(&ended));
}

#[test]
fn the_vectors_are_those_of_circomlibjs() {
    let packages = match node_packages() {
        Ok(packages) => packages,
        Err(reason) => return skip("the_vectors_are_those_of_circomlibjs", reason),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("circomlibjs.json");
    let ended = script(&packages, "vectors.js", &[&file]);
    assert!(ended.status.success(), "{}", text(&ended));
    let committed = checkout_root().join("poseidon/tests/vectors/circomlibjs.json");
    assert!(
        std::fs::read(file).unwrap() == std::fs::read(committed).unwrap(),
        "the vectors are not up to date"
    );
}
