//! `spandrel merkle path`.

use super::{Built, TreeArgs, TreeReport};
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::report::{print_json, print_text};
use crate::formats::{Outputs, write_path};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Builds a tree and writes the path of a leaf: what proves to whoever has the root that the leaf is in the tree.
///
/// The root is printed in decimal; it is not in the file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel merkle path leaves.txt --index 5 --out path.json
  spandrel merkle path --leaves 1000 --index 999 --arity 4 --out path.json --backend dual")]
pub(in crate::cli) struct MerklePath {
    #[command(flatten)]
    tree: TreeArgs,
    /// The leaf, counted from 0
    #[arg(long, value_name = "I")]
    index: usize,
    /// Where to write the path, as JSON
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    tree: TreeReport,
    /// In decimal.
    root: String,
    index: usize,
    path: &'a std::path::Path,
    /// Whether CPU and card agree; null where only one of them ran.
    equal: Option<bool>,
    /// Engine cycles of reading the path; null on the CPU.
    path_cycles: Option<u64>,
    /// Wall-clock seconds of reading, building and writing.
    seconds: f64,
}

impl MerklePath {
    pub(in crate::cli) fn run(&self) -> Result<(), CliError> {
        self.tree.backend.check()?;
        Outputs::check(&[&self.out], &self.tree.inputs())?;
        let progress = Arc::new(Progress::new());
        let started = Instant::now();
        let Built { open, leaves, result } = self.tree.build(&progress)?;
        let (tree, built) = result?;
        progress.set_phase("read the path");
        let read = open.backend.paths(&tree, &[self.index])?;
        let ([leaf], [path]) = (&read.leaves[..], &read.paths[..]) else {
            return Err(CliError::Other("the backend gave no path".to_owned()));
        };
        // A card is not trusted with a file that others will rely on.
        if path.root(*leaf) != built.root || leaves.get(self.index) != Some(leaf) {
            let source = "the path that it gave does not lead from the leaf to the root; nothing was written";
            return Err(CliError::Card { card: open.backend.describe(), source: source.into() });
        }
        let mut outputs = Outputs::default();
        outputs.add(&self.out, write_path(leaf, path));
        outputs.write()?;
        let report = Report {
            tree: self.tree.report(&open, leaves.len(), Some(&tree)),
            root: built.root.to_string(),
            index: self.index,
            path: &self.out,
            equal: self.tree.backend.compares().then_some(true),
            path_cycles: read.card.map(|run| run.counters.cycles),
            seconds: started.elapsed().as_secs_f64(),
        };
        open.backend.release(tree)?;
        progress.finish();
        if self.tree.json {
            return print_json(&report);
        }
        print_text(&format!("{}\n", report.root))?;
        eprint!("{}", report.tree.text(report.seconds, report.equal, None));
        Ok(())
    }
}
