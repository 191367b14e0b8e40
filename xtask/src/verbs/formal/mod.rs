//! `cargo xtask formal`: proofs about the Verilog of the card's blocks.

mod catalog;
mod check;
mod process;
mod table;

use anyhow::{Context, Result, bail};
use catalog::Proof;
use check::{Bench, Outcome};
use spandrel_tools::cargo_build;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Prove claims about the Verilog of the card's blocks, and see that each proof finds a fault
///
/// The properties stand in `hdl/formal`, a concern a file; `proofs.toml` there lists the claims with their depth. Yosys
/// reads a block as it is emitted, together with its properties; yosys-smtbmc asks the solvers Yices and Z3, who must
/// agree; where Z3 comes to no end Yices decides alone, and the line says so. A proof by
/// induction holds for every sequence of inputs, a bounded one for every sequence as long as stated. For each proof every
/// `cover` must be reached, and a twin of the block with a stated fault must fail: a claim that its twin meets as well
/// is an error. What was proved of the same text is taken from `.spandrel/formal`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask formal\n  cargo xtask formal --list\n  \
    cargo xtask formal --filter fifo --fresh")]
pub struct Formal {
    /// Only proofs whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Say what there is to prove, and prove nothing
    #[arg(long)]
    list: bool,
    /// Prove what was proved before, too
    #[arg(long)]
    fresh: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Proofs at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Stop the model checker after this many seconds a run
    #[arg(long, default_value_t = 240)]
    timeout: u64,
}

/// What became of a proof: its outcome, and whether that was kept from an earlier run; or why there is none.
type Found = Result<(Outcome, bool)>;

impl Formal {
    /// Proves what was asked for; fails if a claim does not hold, or a twin's does.
    pub fn run(self) -> Result<ExitCode> {
        let mut catalog = catalog::catalog()?;
        catalog.proof.retain(|proof| proof.name.contains(&self.filter));
        catalog.open.retain(|open| open.name.contains(&self.filter));
        let (proofs, open) = (catalog.proof, catalog.open);
        if proofs.is_empty() && open.is_empty() {
            bail!("no proof has {:?} in its name: --list says which there are", self.filter);
        }
        if self.list {
            match self.json {
                true => println!("{}", serde_json::to_string_pretty(&proofs)?),
                false => print!("{}", table::list(&proofs)),
            }
            return Ok(ExitCode::SUCCESS);
        }
        let started = Instant::now();
        let bench = Bench::new(Duration::from_secs(self.timeout))?;
        let emitter = cargo_build("spandrel-emit", &["-p", "spandrel-hdl"])?;
        let found = self.prove_all(&bench, &emitter, &proofs)?;
        let good = found.iter().filter(|one| matches!(one, Ok((outcome, _)) if outcome.is_good())).count();
        if self.json {
            println!("{}", serde_json::to_string_pretty(&table::json(&proofs, &found, &open, bench.tool()))?);
        } else {
            let width = open.iter().map(|open| open.name.len()).max().unwrap_or_default();
            open.iter().for_each(|open| print!("{}", table::open_row(open, width)));
            println!(
                "{good} of {} proofs pass, their twins fail; {}, {:.0} s",
                proofs.len(),
                bench.tool(),
                started.elapsed().as_secs_f64()
            );
        }
        Ok(if good == proofs.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Proves, so many at a time, each printed when it is done.
    fn prove_all(&self, bench: &Bench, emitter: &Path, proofs: &[Proof]) -> Result<Vec<Found>> {
        let width = proofs.iter().map(|proof| proof.name.len()).max().unwrap_or_default();
        let next = AtomicUsize::new(0);
        let found: Mutex<Vec<(usize, Found)>> = Mutex::default();
        let work = || {
            while let Some((index, proof)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                proofs.get(index).map(|proof| (index, proof))
            } {
                let one = emit(emitter, &proof.block)
                    .and_then(|verilog| bench.outcome(proof, &verilog, self.fresh))
                    .with_context(|| proof.name.clone());
                // Beside JSON the lines are progress, without it the result.
                match self.json {
                    true => eprint!("{}", table::row(proof, &one, width)),
                    false => print!("{}", table::row(proof, &one, width)),
                }
                if let Ok(mut found) = found.lock() {
                    found.push((index, one));
                }
            }
        };
        std::thread::scope(|scope| (0..self.jobs).for_each(|_| drop(scope.spawn(work))));
        let mut found = found.into_inner().map_err(|_| anyhow::anyhow!("a proof's thread has panicked"))?;
        found.sort_by_key(|(index, _)| *index);
        Ok(found.into_iter().map(|(_, one)| one).collect())
    }
}

/// The block of this name as Verilog.
fn emit(emitter: &Path, block: &str) -> Result<String> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let file = folder.path().join("block.v");
    let output = Command::new(emitter)
        .args(["--formal", block, "--out"])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", emitter.display()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{}", message.trim().trim_start_matches("error: "));
    }
    std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use spandrel_tools::{ToolError, skip};

    /// The quick proofs of the list hold, and find their faults.
    #[test]
    fn quick_proofs_pass_and_their_twins_fail() -> Result<()> {
        let bench = match Bench::new(Duration::from_secs(60)) {
            Ok(bench) => bench,
            Err(error) if error.downcast_ref().is_some_and(ToolError::is_unavailable) => {
                skip("formal::quick_proofs_pass_and_their_twins_fail", error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let emitter = cargo_build("spandrel-emit", &["-p", "spandrel-hdl"])?;
        let quick: Vec<Proof> = catalog::catalog()?.proof.into_iter().filter(|proof| proof.quick).collect();
        assert!(!quick.is_empty());
        for proof in quick {
            let (outcome, _) = bench.outcome(&proof, &emit(&emitter, &proof.block)?, false)?;
            assert!(outcome.is_good(), "{}: {outcome:?}", proof.name);
        }
        Ok(())
    }

    /// A proof whose twin is the block itself is told as what it is.
    #[test]
    fn a_twin_without_a_fault_is_found() -> Result<()> {
        let bench = match Bench::new(Duration::from_secs(60)) {
            Ok(bench) => bench,
            Err(error) if error.downcast_ref().is_some_and(ToolError::is_unavailable) => {
                skip("formal::a_twin_without_a_fault_is_found", error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let emitter = cargo_build("spandrel-emit", &["-p", "spandrel-hdl"])?;
        let mut proof =
            catalog::catalog()?.proof.into_iter().find(|proof| proof.name == "skid").context("skid")?;
        proof.twin.with = proof.twin.replace.clone();
        let (outcome, _) = bench.outcome(&proof, &emit(&emitter, &proof.block)?, false)?;
        assert!(!outcome.is_good());
        assert!(table::row(&proof, &Ok((outcome, false)), 4).contains("PASS, which it must not"));
        Ok(())
    }
}
