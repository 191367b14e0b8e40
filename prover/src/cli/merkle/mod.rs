//! `spandrel merkle`.

mod path;
mod root;
mod update;
mod verify;

use super::error::CliError;
use super::hash_args::{HashBackendArgs, HashFigures, OpenHasher, OutputChoice, equal_text, parse_arity};
use super::progress::Progress;
use super::report::{CardReport, grouped};
use crate::formats::{ElementFormat, read_elements};
use crate::hash::{Arity, HashError, TreeId, TreeOutcome};
use crate::workload;
use ark_bn254::Fr;
use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most leaves that a seed may make: what a card can take.
const MAX_LEAVES: u32 = spandrel_abi::MAX_COUNT;

/// Merkle trees of Poseidon hashes: roots, paths, updates.
///
/// A tree of depth d has arity^d leaves; those that are not given are zero. Without --depth it is the least depth that has
/// place for the leaves. Leaves come from a file (an element a line, in decimal or in hexadecimal after 0x; or 32 bytes each,
/// canonical, least byte first), or with --leaves from a seed.
#[derive(Debug, Subcommand)]
pub(super) enum MerkleCommand {
    Root(root::MerkleRoot),
    Path(path::MerklePath),
    Verify(verify::MerkleVerify),
    Update(update::MerkleUpdate),
}

impl MerkleCommand {
    pub(super) fn run(&self) -> Result<(), CliError> {
        match self {
            MerkleCommand::Root(command) => command.run(),
            MerkleCommand::Path(command) => command.run(),
            MerkleCommand::Verify(command) => command.run(),
            MerkleCommand::Update(command) => command.run(),
        }
    }
}

/// A tree, and what builds it.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("source").required(true).args(["file", "leaves"])))]
struct TreeArgs {
    /// File of the leaves
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Makes so many random leaves instead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_LEAVES)))]
    leaves: Option<u32>,
    /// Seed of these leaves
    #[arg(long, default_value_t = 0, requires = "leaves")]
    seed: u64,
    /// How the file holds elements
    #[arg(long, value_enum, default_value = "auto", conflicts_with = "leaves")]
    format: ElementFormat,
    /// Children of a node: 2 or 4
    #[arg(long, default_value = "2", value_name = "ARITY", value_parser = parse_arity)]
    arity: Arity,
    /// Levels above the leaves, up to 32 [default: the least that has place for the leaves]
    #[arg(long, value_name = "DEPTH")]
    depth: Option<u32>,
    /// Which element of the permuted state a node is
    #[arg(long, value_enum, default_value = "first")]
    output: OutputChoice,
    #[command(flatten)]
    backend: HashBackendArgs,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// A tree that was built, or two backends that disagree on it.
struct Built {
    open: OpenHasher,
    leaves: Vec<Fr>,
    result: Result<(TreeId, TreeOutcome), HashError>,
}

impl TreeArgs {
    /// The files of the command that an output must not overwrite.
    fn inputs(&self) -> Vec<&Path> {
        self.file.as_deref().into_iter().chain(self.backend.trace()).collect()
    }

    fn leaves(&self) -> Result<Vec<Fr>, CliError> {
        match (&self.file, self.leaves) {
            (Some(file), _) => Ok(read_elements(file, self.format)?),
            (None, count) => Ok(workload::elements(count.unwrap_or_default() as usize, self.seed)),
        }
    }

    /// Reads or makes the leaves, opens the backend and builds the tree.
    fn build(&self, progress: &Arc<Progress>) -> Result<Built, CliError> {
        progress.set_phase("read or make the leaves");
        let leaves = self.leaves()?;
        let open = self.backend.open(progress)?;
        progress.set_phase("build the tree");
        let result = open.backend.build(self.arity, self.output.into(), self.depth, &leaves);
        Ok(Built { open, leaves, result })
    }

    /// The part of a report that tells of the tree.
    fn report(&self, open: &OpenHasher, leaves: usize, tree: Option<&TreeId>) -> TreeReport {
        TreeReport {
            backend: open.backend.describe(),
            card: open.card.clone(),
            leaves,
            arity: self.arity.children(),
            depth: tree.map(TreeId::depth),
            output: self.output,
        }
    }
}

/// What every report tells of the tree.
#[derive(Serialize)]
struct TreeReport {
    backend: String,
    card: Option<CardReport>,
    leaves: usize,
    arity: usize,
    /// Null where CPU and card disagree on the tree.
    depth: Option<u32>,
    output: OutputChoice,
}

impl TreeReport {
    /// A line for people, on standard error: standard output has the result.
    fn text(&self, seconds: f64, equal: Option<bool>, figures: Option<&HashFigures>) -> String {
        format!(
            "{} leaves, arity {}, depth {}, on {}: {seconds:.3} s\n{}{}",
            grouped(self.leaves as u64),
            self.arity,
            self.depth.map_or("unknown".to_owned(), |depth| depth.to_string()),
            self.backend,
            equal_text(equal),
            figures.map_or(String::new(), HashFigures::text)
        )
    }
}
