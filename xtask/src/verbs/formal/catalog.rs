//! The list of proofs, `hdl/formal/proofs.toml`.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use spandrel_tools::checkout_root;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How a claim is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// For every sequence of inputs of any length, by induction over `depth` cycles.
    Induction,
    /// For every sequence of inputs of `depth` cycles from power-on.
    Bounded,
}

/// A design fault that the proof must find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twin {
    /// What is wrong with it, in words.
    pub fault: String,
    /// The text in the block's Verilog that is replaced, there exactly once.
    pub replace: String,
    /// What stands there instead.
    pub with: String,
    /// Cycles within which it must be seen.
    pub depth: u32,
}

/// A claim about a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Its name.
    pub name: String,
    /// What is claimed, a sentence.
    pub claim: String,
    /// The block, by its name in `hdl/src/formal.rs`.
    pub block: String,
    /// The files with the properties, in `hdl/formal`.
    pub harness: Vec<String>,
    /// Macros that the properties are read with.
    #[serde(default)]
    pub define: BTreeMap<String, String>,
    /// The module of it that is proved.
    pub top: String,
    /// How.
    pub method: Method,
    /// Cycles, as the method says.
    pub depth: u32,
    /// Cycles within which every `cover` of the harness must be reached: what shows that the claim is about something.
    pub cover: u32,
    /// Modules of the block for which stand-ins of the harness are taken.
    #[serde(default)]
    pub stand_ins: Vec<String>,
    /// Z3 has to agree with Yices. Not so where Z3 comes to no end in minutes.
    #[serde(default = "yes")]
    pub second_solver: bool,
    /// It takes a second or two: the tests run it too.
    #[serde(default)]
    pub quick: bool,
    /// The fault that it must find.
    pub twin: Twin,
}

fn yes() -> bool {
    true
}

/// A claim that no solver has decided. It is printed, and never as proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Its name.
    pub name: String,
    /// What would be claimed.
    pub claim: String,
    /// Why it is open.
    pub reason: String,
}

/// The list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// Every proof, in the order of the file.
    pub proof: Vec<Proof>,
    /// What is open.
    #[serde(default)]
    pub open: Vec<Open>,
}

/// The folder of the properties.
pub fn folder() -> PathBuf {
    checkout_root().join("hdl").join("formal")
}

/// The list as committed.
pub fn catalog() -> Result<Catalog> {
    let path = folder().join("proofs.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not a list of proofs", path.display()))
}

fn parse(text: &str) -> Result<Catalog> {
    let catalog: Catalog = toml::from_str(text)?;
    let proofs = &catalog.proof;
    for (index, proof) in proofs.iter().enumerate() {
        if proofs[..index].iter().any(|other| other.name == proof.name) {
            bail!("there are two proofs called {}", proof.name);
        }
        if proof.depth == 0 || proof.cover == 0 || proof.twin.depth == 0 {
            bail!("{}: a depth of 0 cycles proves nothing", proof.name);
        }
    }
    Ok(catalog)
}

impl Twin {
    /// The block with the fault.
    pub fn mutate(&self, verilog: &str) -> Result<String> {
        match verilog.matches(&self.replace).count() {
            1 => Ok(verilog.replacen(&self.replace, &self.with, 1)),
            found => bail!(
                "the twin replaces {:?}, which the block's Verilog has {found} times: say more or less of it",
                self.replace
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_one_place() {
        let twin = |replace: &str| Twin {
            fault: String::new(),
            replace: replace.into(),
            with: "x".into(),
            depth: 1,
        };
        assert_eq!(twin("b").mutate("abc").unwrap(), "axc");
        for (replace, found) in [("d", "0 times"), ("a", "2 times")] {
            let error = twin(replace).mutate("aba").unwrap_err().to_string();
            assert!(error.contains(found), "{error}");
        }
    }

    #[test]
    fn names_are_used_once() {
        let entry = "[[proof]]\nname = 'a'\nclaim = ''\nblock = ''\nharness = []\ntop = ''\nmethod = 'bounded'\n\
                     depth = 1\ncover = 1\ntwin = { fault = '', replace = '', with = '', depth = 1 }\n";
        assert_eq!(parse(entry).unwrap().proof.len(), 1);
        let error = parse(&format!("{entry}{entry}")).err().unwrap().to_string();
        assert!(error.contains("two proofs called a"), "{error}");
        assert!(parse(&entry.replace("cover = 1", "cover = 0")).is_err());
    }
}
