//! `cargo xtask demo`: a proof of the sample circuit through the simulated card, judged by snarkjs.

use crate::sample;
use anyhow::{Context, Result, bail};
use spandrel_tools::{NodePackages, cargo_build, checkout_root, cxx_compiler, verilator};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// Prove the sample circuit on the simulated card and have snarkjs verify the proof
///
/// Fetches what is missing, builds the prover, simulates the card cycle by cycle while it computes every G1
/// multi-scalar multiplication of a Groth16 proof, and asks snarkjs for its verdict. Needs a C++ compiler and
/// python3 with pip; without node the proof is verified by arkworks, and the demo says so.
#[derive(clap::Args)]
pub struct Demo {
    /// What computes: the simulated `card`, the `cpu`, or `dual` (both, compared bit by bit)
    #[arg(long, default_value = "card", value_parser = ["card", "cpu", "dual"])]
    backend: String,
    /// Where the proof goes; the folder is made
    #[arg(long, value_name = "FOLDER", default_value_os_t = checkout_root().join(".spandrel").join("demo"))]
    out: PathBuf,
}

/// Who judged the proof.
enum Judge {
    Snarkjs(NodePackages),
    /// snarkjs could not be had, for this reason.
    Arkworks(String),
}

impl Demo {
    /// Sets up, proves, verifies, and says where the files are.
    pub fn run(self) -> Result<ExitCode> {
        let begun = Instant::now();
        if self.backend != "cpu" {
            // Asked for first, so that nobody waits for a build to learn that a compiler is missing.
            cxx_compiler()?;
            verilator()?;
        }
        let judge = judge();
        eprintln!("xtask: building spandrel (the first time takes minutes)");
        let spandrel = cargo_build("spandrel", &["--release", "--package", "spandrel"])?;

        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot create {}", self.out.display()))?;
        let proof = self.out.join("proof.json");
        let public = self.out.join("public.json");
        eprintln!("xtask: proving the sample circuit (a Merkle membership path), backend {}", self.backend);
        let proved = Command::new(&spandrel)
            .arg("prove")
            .args([sample::built("merkle.zkey"), sample::built("merkle.wtns")])
            .args([&proof, &public])
            .args(["--backend", &self.backend])
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot run {}", spandrel.display()))?;
        if !proved.success() {
            bail!("spandrel prove failed ({proved}); its message is above");
        }

        println!();
        let verdict = judge.verdict(&spandrel, &sample::built("vk.json"), &public, &proof)?;
        println!("verdict: {verdict}");
        println!("proof:   {}", proof.display());
        println!("public:  {}", public.display());
        println!("key:     {}", sample::built("vk.json").display());
        println!("The demo took {:.0} s from start to end.", begun.elapsed().as_secs_f64());
        Ok(ExitCode::SUCCESS)
    }
}

/// snarkjs if it can be had, else arkworks.
fn judge() -> Judge {
    match sample::node_packages() {
        Ok(Some(packages)) => Judge::Snarkjs(packages),
        Ok(None) => Judge::Arkworks("node or npm is not on PATH".to_owned()),
        Err(error) => Judge::Arkworks(error.to_string()),
    }
}

impl Judge {
    /// The sentence on an accepted proof; a refused one is an error.
    fn verdict(&self, spandrel: &Path, vk: &Path, public: &Path, proof: &Path) -> Result<String> {
        match self {
            Judge::Snarkjs(packages) => {
                if !packages.snarkjs_verify(vk, public, proof)? {
                    bail!("snarkjs refused the proof {}", proof.display());
                }
                Ok("snarkjs groth16 verify accepted the proof".to_owned())
            }
            Judge::Arkworks(reason) => {
                let accepted = Command::new(spandrel)
                    .arg("verify")
                    .args([vk, public, proof])
                    .stdin(Stdio::null())
                    .status()
                    .with_context(|| format!("cannot run {}", spandrel.display()))?;
                if !accepted.success() {
                    bail!("spandrel verify refused the proof {}", proof.display());
                }
                Ok(format!("arkworks accepted the proof; snarkjs was not asked ({reason})"))
            }
        }
    }
}
