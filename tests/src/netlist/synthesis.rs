//! From Verilog to a netlist of a part's cells, and their models.

use sha2::{Digest, Sha256};
use spandrel_hdl::emit::Emitted;
use spandrel_tools::{FileLock, ToolError, checkout_root, run, yosys};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The small board's family: Artix-7.
pub(super) const FAMILY: &str = "xc7";

/// Why there is no netlist.
#[derive(Debug, thiserror::Error)]
pub enum NetlistError {
    /// Yosys cannot be had, or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file cannot be read or written.
    #[error("cannot use {path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// This Yosys has no models of the family's cells.
    #[error("this Yosys has no models of the cells of {FAMILY}: use the pinned one (unset SPANDREL_YOSYS)")]
    NoModels,
    /// A cell has no model.
    #[error("Yosys uses cell {0}, of which it has no model that can be simulated")]
    NoModel(String),
}

/// A netlist with the models of its cells.
#[derive(Clone, Debug)]
pub struct Netlist {
    /// The netlist and the models as one text, with the ports of the unit.
    pub emitted: Emitted,
    /// Cells of the netlist.
    pub cells: u64,
    /// DSP slices among them.
    pub dsp: u64,
    /// Bytes of the netlist alone, which comes first.
    own: usize,
}

impl Netlist {
    /// The netlist with one bit of a LUT's table turned over: that for all inputs zero, of the LUT that is `which + 1` parts
    /// of the way through all LUTs. `None` if it has no LUT.
    pub fn broken(&self, which: usize) -> Option<Emitted> {
        const TABLE: &str = "'h";
        let text = &self.emitted.verilog;
        // Only LUTs have tables of 2 to 64 bits under this name; registers have one bit.
        let is_table = |at: &usize| {
            let before = &text[..*at];
            let bits = before.rsplit('(').next().and_then(|bits| bits.parse::<u32>().ok());
            bits.is_some_and(|bits| (4..=64).contains(&bits))
                && before.trim_end_matches(char::is_numeric).ends_with(".INIT(")
        };
        let tables: Vec<usize> =
            text[..self.own].match_indices(TABLE).map(|(at, _)| at).filter(is_table).collect();
        let at = *tables.get(tables.len() * (which + 1) / 8)? + TABLE.len();
        let end = at + text[at..].find(')')?;
        let table = u64::from_str_radix(&text[at..end], 16).ok()? ^ 1;
        let verilog = format!("{}{table:x}{}", &text[..at], &text[end..]);
        Some(Emitted { verilog, ..self.emitted.clone() })
    }
}

/// Synthesises a design for the small board's family. The result is kept in `.spandrel/netlist` under a hash of design,
/// script and tool.
///
/// # Errors
/// Each of [`NetlistError`].
pub fn synthesise(design: &Emitted) -> Result<Netlist, NetlistError> {
    let yosys = yosys()?;
    let models = yosys.cells().ok_or(NetlistError::NoModels)?.join("xilinx").join("cells_sim.v");
    let script = format!(
        "read_verilog design.v\nsynth_xilinx -family {FAMILY} -noiopad -noclkbuf -flatten -top {}\n\
         write_verilog -noattr netlist.v\n",
        design.top
    );
    let mut hash = Sha256::new();
    for part in [yosys.version.as_str(), &script, &design.verilog] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let store = checkout_root().join(".spandrel").join("netlist");
    let kept = store.join(format!("{}.v", hex::encode(hash.finalize())));
    if !kept.is_file() {
        let _lock = FileLock::acquire(&store.join("lock"), "synthesise")?;
        if !kept.is_file() {
            let folder = tempfile::tempdir_in(&store).map_err(file(&store))?;
            let design_file = folder.path().join("design.v");
            std::fs::write(&design_file, &design.verilog).map_err(file(&design_file))?;
            let script_file = folder.path().join("synth.ys");
            std::fs::write(&script_file, script).map_err(file(&script_file))?;
            eprintln!("spandrel: synthesising {} for {FAMILY}", design.top);
            run(&mut yosys.script(folder.path(), "synth.ys"), &format!("synthesising {}", design.top), "")?;
            // Renamed into place, so that nobody reads half of it.
            std::fs::rename(folder.path().join("netlist.v"), &kept).map_err(file(&kept))?;
        }
    }
    let netlist = std::fs::read_to_string(&kept).map_err(file(&kept))?;
    let models = std::fs::read_to_string(&models).map_err(file(&models))?;
    with_models(design, netlist, &models)
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> NetlistError {
    let path = path.to_path_buf();
    move |source| NetlistError::File { path, source }
}

/// Puts the models of a netlist's cells behind it.
fn with_models(design: &Emitted, netlist: String, models: &str) -> Result<Netlist, NetlistError> {
    let known = modules(models);
    let (mut cells, mut dsp) = (0, 0);
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for line in netlist.lines() {
        // A cell's line begins with its kind, in capitals, and then its parameters or its name.
        let kind = line.split_whitespace().next().unwrap_or_default();
        let is_cell = kind.starts_with(|first: char| first.is_ascii_uppercase())
            && kind
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
        if is_cell {
            cells += 1;
            dsp += u64::from(kind.starts_with("DSP48"));
            used.insert(kind);
        }
    }
    let mut texts = Vec::new();
    for kind in used {
        let model = known.get(kind).ok_or_else(|| NetlistError::NoModel(kind.to_owned()))?;
        // Of SystemVerilog; the text is read as Verilog. What it would have said shows in the values.
        texts.push(model.replace("$fatal(", "$display("));
    }
    let own = netlist.len();
    let verilog = netlist + "\n" + &texts.join("\n\n");
    let emitted = Emitted::from_verilog(&design.top, verilog, design.ports.clone());
    Ok(Netlist { emitted, cells, dsp, own })
}

/// The modules of a text, by name.
fn modules(text: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    let mut begin = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("module ") {
            let name = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next();
            begin = name.map(|name| (at, name));
        }
        at += line.len();
        if line.starts_with("endmodule")
            && let Some((start, name)) = begin.take()
        {
            found.insert(name, &text[start..at]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: &str = "module LUT2 (output O, input I0, I1);\nparameter [3:0] INIT = 0;\nendmodule\n\nmodule FDRE #(parameter A = 0) (output Q);\n  $fatal(1);\nendmodule\n";

    #[test]
    fn a_netlist_gets_the_models_it_needs_and_a_broken_one_a_bit_turned_over() {
        let text = "module top(a);\n  LUT2 #(\n    .INIT(4'h6)\n  ) one (\n  );\n  FDRE #(\n    .INIT(1'h0)\n  ) two (\n  );\nendmodule\n";
        let design = Emitted::from_verilog("top", "", Vec::new());
        let netlist = with_models(&design, text.to_owned(), MODELS).unwrap();
        assert_eq!((netlist.cells, netlist.dsp), (2, 0));
        assert!(
            netlist.emitted.verilog.contains("module FDRE") && !netlist.emitted.verilog.contains("$fatal")
        );
        let broken = netlist.broken(0).unwrap().verilog;
        assert!(broken.contains(".INIT(4'h7)") && broken.contains(".INIT(1'h0)"), "{broken}");
        let missing = with_models(&design, "  CARRY4 c (\n".to_owned(), MODELS).unwrap_err().to_string();
        assert!(missing.contains("CARRY4"), "{missing}");
    }
}
