//! `spandrel merkle root`.

use super::{Built, TreeArgs, TreeReport};
use crate::cli::error::CliError;
use crate::cli::hash_args::{HashFigures, compared};
use crate::cli::progress::Progress;
use crate::cli::report::{print_json, print_text};
use clap::Args;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// Builds a tree and prints its root, in decimal.
///
/// Of a card it reports `cycles` (engine cycles, start to the root), `hashes`, `cycles_per_hash` and what `spandrel bench
/// poseidon` does. With --backend dual the root is compared with the CPU's; if they differ the report says "equal": false
/// and the command ends with 4.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel merkle root leaves.txt
  spandrel merkle root --leaves 65536 --backend dual --json
  spandrel merkle root leaves.bin --arity 4 --depth 10 --output second")]
pub(in crate::cli) struct MerkleRoot {
    #[command(flatten)]
    tree: TreeArgs,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    tree: TreeReport,
    /// In decimal; null where CPU and card disagree on it.
    root: Option<String>,
    /// Nodes above the leaves, each a hash, without those of empty subtrees; on a card it is one of its figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<u64>,
    /// Whether CPU and card agree; null where only one of them ran.
    equal: Option<bool>,
    #[serde(flatten)]
    figures: Option<HashFigures>,
    /// Wall-clock seconds of reading and building.
    seconds: f64,
}

impl MerkleRoot {
    pub(in crate::cli) fn run(&self) -> Result<(), CliError> {
        self.tree.backend.check()?;
        let progress = Arc::new(Progress::new());
        let started = Instant::now();
        let Built { open, leaves, result } = self.tree.build(&progress)?;
        let seconds = started.elapsed().as_secs_f64();
        let (built, error) = compared(result)?;
        let (tree, outcome) = built.unzip();
        let run = outcome.as_ref().and_then(|outcome| outcome.card);
        let report = Report {
            tree: self.tree.report(&open, leaves.len(), tree.as_ref()),
            root: outcome.as_ref().map(|outcome| outcome.root.to_string()),
            hashes: outcome.as_ref().map(|outcome| outcome.hashes).filter(|_| run.is_none()),
            equal: self.tree.backend.compares().then_some(error.is_none()),
            figures: run.as_ref().map(HashFigures::of),
            seconds,
        };
        if let Some(tree) = tree {
            open.backend.release(tree)?;
        }
        progress.finish();
        if self.tree.json {
            print_json(&report)?;
        } else {
            print_text(&report.root.iter().map(|root| format!("{root}\n")).collect::<String>())?;
            eprint!("{}", report.tree.text(report.seconds, report.equal, report.figures.as_ref()));
        }
        error.map_or(Ok(()), |error| Err(error.into()))
    }
}
