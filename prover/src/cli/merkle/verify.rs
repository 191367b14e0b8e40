//! `spandrel merkle verify`.

use crate::cli::error::CliError;
use crate::cli::report::{print_json, print_text};
use crate::formats::{parse_element, read_path};
use ark_bn254::Fr;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Checks that the leaf of a path file is in the tree with a root.
///
/// Ends with 0 if it is and with 5 if not. The depth of the tree matters: a path that is shorter proves an inner node, not a
/// leaf. Give it with --depth where the path file comes from somebody else.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spandrel merkle verify path.json 12583541437132735734108669866114103169564651237895298778035846191048104863326 --depth 1")]
pub(in crate::cli) struct MerkleVerify {
    /// Path file of `spandrel merkle path`
    path: PathBuf,
    /// The root, in decimal or in hexadecimal after 0x
    #[arg(value_parser = parse_root)]
    root: Fr,
    /// The depth that the tree has
    #[arg(long, value_name = "DEPTH")]
    depth: Option<usize>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

fn parse_root(text: &str) -> Result<Fr, String> {
    parse_element(text).map_err(|problem| format!("the root {problem}"))
}

#[derive(Serialize)]
struct Report {
    valid: bool,
    index: usize,
    /// In decimal.
    leaf: String,
    arity: usize,
    /// Of the path.
    depth: usize,
}

impl MerkleVerify {
    pub(in crate::cli) fn run(&self) -> Result<(), CliError> {
        let (leaf, path) = read_path(&self.path)?;
        let depth = path.siblings.len();
        let valid = self.depth.is_none_or(|expected| expected == depth) && path.root(leaf) == self.root;
        let report =
            Report { valid, index: path.index, leaf: leaf.to_string(), arity: path.arity.children(), depth };
        if self.json {
            print_json(&report)?;
        } else if valid {
            print_text(&format!(
                "The path is valid: leaf {} of a tree of arity {} and depth {depth} is {leaf}.\n",
                path.index, report.arity
            ))?;
        }
        if valid { Ok(()) } else { Err(CliError::NotInTree) }
    }
}
