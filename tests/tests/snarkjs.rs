//! Acceptance: snarkjs takes the prover's proofs of the sample circuit, the prover takes snarkjs's, and both refuse
//! them for other public signals.

use spandrel_tests::sample::{built, node_packages, simulation_missing, spandrel};
use spandrel_tests::skip;
use spandrel_tools::NodePackages;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Exit code of `spandrel verify` for a proof that is not valid.
const NOT_VALID: i32 = 5;

/// A folder with a proof in it.
struct Proven {
    folder: tempfile::TempDir,
}

impl Proven {
    fn new() -> Proven {
        Proven { folder: tempfile::tempdir().unwrap() }
    }

    fn proof(&self) -> PathBuf {
        self.folder.path().join("proof.json")
    }

    fn public(&self) -> PathBuf {
        self.folder.path().join("public.json")
    }

    /// The public signals with one added to the first: still a field element, another root.
    fn tampered(&self) -> PathBuf {
        let text = std::fs::read_to_string(self.public()).unwrap();
        let mut signals: Vec<String> = serde_json::from_str(&text).unwrap();
        let root: num_bigint::BigUint = signals[0].parse().unwrap();
        signals[0] = (root + 1u32).to_string();
        let path = self.folder.path().join("tampered.json");
        std::fs::write(&path, serde_json::to_string(&signals).unwrap()).unwrap();
        path
    }

    /// Proves with `spandrel prove`.
    fn by_spandrel(backend: &str) -> Proven {
        let proven = Proven::new();
        let (key, witness, proof, public) =
            (built("merkle.zkey"), built("merkle.wtns"), proven.proof(), proven.public());
        let arguments: [&Path; 7] =
            ["prove".as_ref(), &key, &witness, &proof, &public, "--backend".as_ref(), backend.as_ref()];
        let output = spandrel(&arguments);
        assert!(output.status.success(), "{}", text(&output));
        proven
    }

    /// Both verifiers accept the proof and refuse it for a tampered root.
    fn check(&self, packages: &NodePackages) {
        let vk = built("vk.json");
        let (proof, public, tampered) = (self.proof(), self.public(), self.tampered());
        assert!(packages.snarkjs_verify(&vk, &public, &proof).unwrap(), "snarkjs refused the proof");
        assert!(!packages.snarkjs_verify(&vk, &tampered, &proof).unwrap(), "snarkjs accepted another root");

        let verify = |public: &Path| spandrel(&["verify".as_ref(), &vk, public, &proof]);
        let output = verify(&public);
        assert!(output.status.success(), "{}", text(&output));
        let output = verify(&tampered);
        assert_eq!(output.status.code(), Some(NOT_VALID), "{}", text(&output));

        let json = |path: &Path| -> serde_json::Value {
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        };
        assert_eq!(json(&public), json(&built("public.json")));
    }
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn snarkjs_accepts_the_cpu_proof() {
    match node_packages() {
        Ok(packages) => Proven::by_spandrel("cpu").check(&packages),
        Err(reason) => skip("snarkjs_accepts_the_cpu_proof", reason),
    }
}

#[test]
fn snarkjs_accepts_the_card_proof() {
    const NAME: &str = "snarkjs_accepts_the_card_proof";
    if let Some(reason) = simulation_missing() {
        return skip(NAME, reason);
    }
    match node_packages() {
        Ok(packages) => Proven::by_spandrel("card").check(&packages),
        Err(reason) => skip(NAME, reason),
    }
}

#[test]
fn spandrel_accepts_the_proof_of_snarkjs() {
    let packages = match node_packages() {
        Ok(packages) => packages,
        Err(reason) => return skip("spandrel_accepts_the_proof_of_snarkjs", reason),
    };
    let proven = Proven::new();
    let output = Command::new(&packages.node)
        .arg(packages.command("snarkjs"))
        .args(["groth16", "prove"])
        .args([built("merkle.zkey"), built("merkle.wtns"), proven.proof(), proven.public()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    proven.check(&packages);
}
