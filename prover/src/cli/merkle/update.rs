//! `spandrel merkle update`.

use super::{Built, TreeArgs, TreeReport};
use crate::cli::error::CliError;
use crate::cli::hash_args::HashFigures;
use crate::cli::progress::Progress;
use crate::cli::report::{grouped, print_json, print_text};
use crate::formats::{Outputs, read_updates, write_binary_elements, write_elements};
use clap::Args;
use serde::Serialize;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Builds a tree, sets leaves, and prints the new root, in decimal.
///
/// The file of updates has a line for each leaf: its index, counted from 0, a comma, and the new leaf in decimal or in
/// hexadecimal after 0x. Only the nodes above these leaves are computed again, and figures are those of the update.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel merkle update leaves.txt --set updates.txt
  spandrel merkle update --leaves 4096 --set updates.txt --out leaves.txt --backend dual --json")]
pub(in crate::cli) struct MerkleUpdate {
    #[command(flatten)]
    tree: TreeArgs,
    /// File of the updates
    #[arg(long, value_name = "FILE")]
    set: PathBuf,
    /// Where to write all leaves as they are then: binary where the name ends in .bin, else as text
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    tree: TreeReport,
    /// Leaves that were set.
    updates: usize,
    /// Before the update, in decimal.
    old_root: String,
    /// After it, in decimal.
    root: String,
    /// Nodes above these leaves, each a hash; on a card it is one of its figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<u64>,
    /// Whether CPU and card agree; null where only one of them ran.
    equal: Option<bool>,
    #[serde(flatten)]
    figures: Option<HashFigures>,
    /// Wall-clock seconds of the update, without reading and building.
    seconds: f64,
}

impl MerkleUpdate {
    pub(in crate::cli) fn run(&self) -> Result<(), CliError> {
        self.tree.backend.check()?;
        let mut inputs = self.tree.inputs();
        inputs.push(&self.set);
        let out = self.out.as_deref();
        Outputs::check(out.as_slice(), &inputs)?;
        let progress = Arc::new(Progress::new());
        progress.set_phase("read the updates");
        let entries = read_updates(&self.set)?;
        let Built { open, mut leaves, result } = self.tree.build(&progress)?;
        let (tree, built) = result?;
        progress.set_phase("update the tree");
        let started = Instant::now();
        let updated = open.backend.update(&tree, &entries)?;
        let seconds = started.elapsed().as_secs_f64();
        if let Some(out) = out {
            for (index, leaf) in &entries {
                leaves[*index] = *leaf;
            }
            let binary = out.extension() == Some(OsStr::new("bin"));
            let mut outputs = Outputs::default();
            outputs.add(out, if binary { write_binary_elements(&leaves) } else { write_elements(&leaves) });
            outputs.write()?;
        }
        let report = Report {
            tree: self.tree.report(&open, leaves.len(), Some(&tree)),
            updates: entries.len(),
            old_root: built.root.to_string(),
            root: updated.root.to_string(),
            hashes: Some(updated.hashes).filter(|_| updated.card.is_none()),
            equal: self.tree.backend.compares().then_some(true),
            figures: updated.card.as_ref().map(HashFigures::of),
            seconds,
        };
        open.backend.release(tree)?;
        progress.finish();
        if self.tree.json {
            return print_json(&report);
        }
        print_text(&format!("{}\n", report.root))?;
        eprint!("{} leaves set. ", grouped(report.updates as u64));
        eprint!("{}", report.tree.text(report.seconds, report.equal, report.figures.as_ref()));
        Ok(())
    }
}
