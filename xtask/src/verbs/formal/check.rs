//! One proof: the block and its properties as a model, and what the model checker finds.

use super::catalog::{Method, Proof, folder};
use super::process::run_bounded;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spandrel_tools::{ModelChecker, Solver, Yosys, checkout_root, last_lines, model_checker, run, yosys};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Assertions that only tie registers to an account, for an induction; a twin must break something else than these.
const INVARIANTS: &str = "*invariant_*";

/// What the model checker said of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Everything asked holds, or is reached.
    Passed,
    /// It does not; the lines that name what.
    Failed(Vec<String>),
}

/// What came of a proof and its twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The claim.
    pub claim: Verdict,
    /// Whether every cover was reached.
    pub covered: Verdict,
    /// The claim on the block with the fault.
    pub twin: Verdict,
    /// Seconds for the claim alone.
    pub seconds: f64,
    /// Seconds for all three.
    pub total_seconds: f64,
}

impl Outcome {
    /// The claim holds, of something that happens, and its twin fails.
    pub fn is_good(&self) -> bool {
        self.claim == Verdict::Passed && self.covered == Verdict::Passed && self.twin != Verdict::Passed
    }
}

/// The tools, and where results are kept.
pub struct Bench {
    yosys: Yosys,
    checker: ModelChecker,
    store: PathBuf,
    timeout: Duration,
}

impl Bench {
    /// Finds the tools; no run of the model checker takes longer than `timeout`.
    pub fn new(timeout: Duration) -> Result<Bench> {
        let store = checkout_root().join(".spandrel").join("formal");
        std::fs::create_dir_all(&store).with_context(|| format!("cannot make {}", store.display()))?;
        Ok(Bench { yosys: yosys()?, checker: model_checker()?, store, timeout })
    }

    /// Version of what reads the designs.
    pub fn tool(&self) -> &str {
        &self.yosys.name
    }

    /// What comes of a proof about the block with this text. A result of the same text, properties and tools is taken
    /// from an earlier run, unless `fresh`; the second value says so.
    pub fn outcome(&self, proof: &Proof, verilog: &str, fresh: bool) -> Result<(Outcome, bool)> {
        let mut harness = String::new();
        for file in &proof.harness {
            let path = folder().join(file);
            harness +=
                &std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        }
        let mut hash = Sha256::new();
        let entry = serde_json::to_string(proof)?;
        let parts = [&self.yosys.version, self.checker.version(), &entry, &harness, verilog];
        let scripts = [script(proof, false), script(proof, true)];
        for part in parts.into_iter().chain(scripts.iter().map(String::as_str)) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let kept = self.store.join(format!("{}.json", hex::encode(hash.finalize())));
        if !fresh && let Some(outcome) = read_kept(&kept) {
            return Ok((outcome, true));
        }
        let outcome = self.prove(proof, verilog, &harness)?;
        let folder = tempfile::tempdir_in(&self.store).context("cannot make a folder for a result")?;
        let partial = folder.path().join("outcome.json");
        std::fs::write(&partial, serde_json::to_string(&outcome)?).context("cannot write a result")?;
        std::fs::rename(&partial, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
        Ok((outcome, false))
    }

    fn prove(&self, proof: &Proof, verilog: &str, harness: &str) -> Result<Outcome> {
        let started = Instant::now();
        let work = self.model(proof, verilog, harness, false)?;
        let depth = proof.depth.to_string();
        let mut questions = vec![vec!["--presat", "-t", &depth]];
        if proof.method == Method::Induction {
            questions.push(vec!["-i", "-t", &depth]);
        }
        let solvers = if proof.second_solver { &Solver::ALL[..] } else { &[Solver::Yices] };
        let mut claim = Verdict::Passed;
        for (solver, question) in solvers.iter().flat_map(|one| questions.iter().map(move |all| (*one, all)))
        {
            if claim == Verdict::Passed {
                claim = self.ask(work.path(), solver, question)?;
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let covered = self.ask(work.path(), Solver::Yices, &["-c", "-t", &proof.cover.to_string()])?;
        let twin = proof.twin.mutate(verilog)?;
        let work = self.model(proof, &twin, harness, true)?;
        let twin = self.ask(work.path(), Solver::Yices, &["-t", &proof.twin.depth.to_string()])?;
        Ok(Outcome { claim, covered, twin, seconds, total_seconds: started.elapsed().as_secs_f64() })
    }

    /// A folder with the model of the block and its properties.
    fn model(&self, proof: &Proof, verilog: &str, harness: &str, twin: bool) -> Result<tempfile::TempDir> {
        let work = tempfile::tempdir_in(&self.store).context("cannot make a folder to prove in")?;
        let write = |name: &str, text: &str| {
            std::fs::write(work.path().join(name), text).with_context(|| format!("cannot write {name}"))
        };
        write("block.v", verilog)?;
        write("harness.sv", harness)?;
        write("model.ys", &script(proof, twin))?;
        run(&mut self.yosys.script(work.path(), "model.ys"), "making a model with Yosys", "")?;
        Ok(work)
    }

    fn ask(&self, work: &Path, solver: Solver, arguments: &[&str]) -> Result<Verdict> {
        let seconds = self.timeout.as_secs().to_string();
        let arguments = [&["--timeout", &seconds], arguments].concat();
        let text =
            run_bounded(&mut self.checker.check(work, solver, &arguments, "model.smt2"), self.timeout)?;
        verdict(&text)
    }
}

fn read_kept(path: &Path) -> Option<Outcome> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// What the model checker's output says.
fn verdict(text: &str) -> Result<Verdict> {
    let status =
        text.lines().rev().find_map(|line| line.split_once("Status: ").map(|(_, status)| status.trim()));
    match status.map(|status| status.to_ascii_lowercase()).as_deref() {
        Some("passed") => Ok(Verdict::Passed),
        Some("failed") => {
            let tells = |line: &&str| {
                ["Assert failed", "Unreached cover", "Assumptions are unsatisfiable", "induction failed"]
                    .iter()
                    .any(|what| line.contains(what))
            };
            let mut found: Vec<String> = text.lines().filter(tells).map(without_time).collect();
            found.dedup();
            Ok(Verdict::Failed(found))
        }
        _ => bail!("the model checker came to no verdict; its last lines:\n{}", last_lines(text, 10)),
    }
}

/// A line without the clock before it.
fn without_time(line: &str) -> String {
    line.trim_start_matches(|c: char| c == '#' || c == ' ' || c == ':' || c.is_ascii_digit()).to_owned()
}

/// The commands that make the model: memories as registers, so that properties can name their words; everything flat,
/// what nothing drives being any value in every cycle.
fn script(proof: &Proof, twin: bool) -> String {
    let mut text = String::from("read_verilog block.v\n");
    for module in &proof.stand_ins {
        text += &format!("delete {module}\n");
    }
    let defines: String = proof.define.iter().map(|(name, value)| format!(" -D{name}={value}")).collect();
    text += &format!("read_verilog -sv -formal{defines} harness.sv\n");
    text += &format!("hierarchy -check -top {}\n", proof.top);
    text += "proc\nopt_clean\nmemory_collect\nmemory_map\nflatten\n";
    if twin {
        text += &format!("delete c:{INVARIANTS}\n");
    }
    text += "opt -fast -nodffe -nosdff\nasync2sync\ndffunmap\nsetundef -undriven -anyseq\n\
             opt -keepdc -fast -nodffe -nosdff\nwrite_smt2 -wires model.smt2\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read() {
        assert_eq!(verdict("##   0:00:00  Status: PASSED\n").unwrap(), Verdict::Passed);
        let text = "##   0:00:01  BMC failed!\n##   0:00:01  Assert failed in fifo_proof: right_data\n\
                    ##   0:00:02  Status: FAILED\n";
        let failed = Verdict::Failed(vec!["Assert failed in fifo_proof: right_data".into()]);
        assert_eq!(verdict(text).unwrap(), failed);
        assert!(verdict("Traceback").unwrap_err().to_string().contains("Traceback"));
    }

    #[test]
    fn a_twin_that_passes_is_not_good() {
        let outcome = |twin| Outcome {
            claim: Verdict::Passed,
            covered: Verdict::Passed,
            twin,
            seconds: 0.0,
            total_seconds: 0.0,
        };
        assert!(outcome(Verdict::Failed(vec![])).is_good());
        assert!(!outcome(Verdict::Passed).is_good());
    }
}
