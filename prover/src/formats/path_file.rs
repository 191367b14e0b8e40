//! JSON of a path in a Merkle tree.
//!
//! ```json
//! {
//!  "arity": 2,
//!  "output": "first",
//!  "index": 5,
//!  "leaf": "17",
//!  "siblings": [["3"], ["12"], ["0"]]
//! }
//! ```
//!
//! `siblings` lists the levels from the leaves up, each with the other children of the same node in order; elements are
//! decimal. The root is not in it: whoever checks the path must have it from elsewhere.

use super::error::FormatError;
use super::snarkjs::{Document, from_json, to_json};
use ark_bn254::Fr;
use serde::{Deserialize, Serialize};
use spandrel_poseidon::{Arity, MAX_DEPTH, Output, Path as TreePath};
use std::path::Path;

#[derive(Serialize, Deserialize)]
struct PathJson {
    arity: usize,
    output: OutputJson,
    index: usize,
    leaf: String,
    siblings: Vec<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OutputJson {
    First,
    Second,
}

/// The JSON of a leaf and its path.
pub fn write_path(leaf: &Fr, path: &TreePath) -> Vec<u8> {
    let level = |siblings: &Vec<Fr>| siblings.iter().map(Fr::to_string).collect();
    to_json(&PathJson {
        arity: path.arity.children(),
        output: match path.output {
            Output::First => OutputJson::First,
            Output::Second => OutputJson::Second,
        },
        index: path.index,
        leaf: leaf.to_string(),
        siblings: path.siblings.iter().map(level).collect(),
    })
}

/// Reads a leaf and its path, which is one: every level has its siblings, and the index has a place.
pub fn read_path(file: &Path) -> Result<(Fr, TreePath), FormatError> {
    let json: PathJson = from_json(file)?;
    let document = Document { path: file };
    let arity = Arity::of_children(json.arity);
    let arity = arity.ok_or_else(|| document.error("arity", format!("is {}, not 2 or 4", json.arity)))?;
    if json.siblings.len() > MAX_DEPTH as usize {
        let why = format!("has {} levels, more than the {MAX_DEPTH} of any tree", json.siblings.len());
        return Err(document.error("siblings", why));
    }
    let sibling = |(level, siblings): (usize, &Vec<String>)| -> Result<Vec<Fr>, FormatError> {
        let numbered = siblings.iter().enumerate();
        numbered.map(|(place, text)| document.number(&format!("siblings[{level}][{place}]"), text)).collect()
    };
    let path = TreePath {
        arity,
        output: match json.output {
            OutputJson::First => Output::First,
            OutputJson::Second => Output::Second,
        },
        index: json.index,
        siblings: json.siblings.iter().enumerate().map(sibling).collect::<Result<_, _>>()?,
    };
    path.check().map_err(|problem| document.error("siblings", format!("is no path: {problem}")))?;
    Ok((document.number("leaf", &json.leaf)?, path))
}
