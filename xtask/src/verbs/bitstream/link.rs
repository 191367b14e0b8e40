//! From the netlists of modules to one flat netlist with the board's pads and clock, for place and route.

use super::super::synth::{Netlist, Resources, Synthesis};
use crate::board::{Board, Open};
use crate::watch::{Watch, yosys_pass};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A flat netlist.
pub struct Linked {
    /// As JSON, for nextpnr.
    pub json: PathBuf,
    /// Its cells, by kind.
    pub cells: BTreeMap<String, u64>,
}

impl Linked {
    /// What it needs.
    pub fn resources(&self) -> Resources {
        let mut sum = Resources::default();
        self.cells.iter().for_each(|(kind, count)| sum.count(kind, *count));
        sum
    }
}

/// Puts the netlists of the card into the board's wrapper, in the folder `work`.
pub fn link(
    board: &Board,
    open: &Open,
    synthesis: &Synthesis,
    netlists: &[Netlist],
    work: &Path,
    timeout: Duration,
) -> Result<Linked> {
    let wrapper = board.folder.join(&open.wrapper);
    std::fs::copy(&wrapper, work.join("wrapper.v"))
        .with_context(|| format!("cannot read {}", wrapper.display()))?;
    std::fs::write(work.join("link.ys"), script(&board.settings.family, open, netlists))
        .context("cannot write the script that links")?;
    let log = work.join("link.log");
    Watch { program: "Yosys", label: "linking", timeout, stage: yosys_pass, log: Some(&log) }
        .run(&mut synthesis.yosys().script(work, "link.ys"))?;
    let stat = work.join("stat.json");
    let text = std::fs::read_to_string(&stat).with_context(|| format!("cannot read {}", stat.display()))?;
    let cells = super::super::synth::cells(&text)?;
    if let Some(kind) = cells.keys().find(|kind| kind.starts_with('$')) {
        bail!("{} has logic ({kind}) that is no cell of the part: write it as cells", wrapper.display());
    }
    Ok(Linked { json: work.join("card.netlist.json"), cells })
}

fn script(family: &str, open: &Open, netlists: &[Netlist]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for Netlist { module, written_as, file } in netlists {
        if let Some(other) = written_as {
            let _ = writeln!(text, "read_rtlil \"{}\"\nrename {other} {module}", file.display());
        }
    }
    for Netlist { file, written_as, .. } in netlists {
        if written_as.is_none() {
            let _ = writeln!(text, "read_rtlil \"{}\"", file.display());
        }
    }
    let cells = match family {
        "ecp5" => "read_verilog -lib -specify +/ecp5/cells_sim.v +/ecp5/cells_bb.v\n",
        _ => "read_verilog -lib -specify +/xilinx/cells_sim.v\nread_verilog -lib +/xilinx/cells_xtra.v\n",
    };
    let top = &open.top;
    // nextpnr 7-series crashes at a register whose input may be anything, as one of a set-only register's may.
    let _ = write!(
        text,
        "{cells}read_verilog wrapper.v\nchparam -set MULTIPLY {} -set DIVIDE {} {top}\nhierarchy -check -top {top}\n\
         proc\nflatten -noscopeinfo\nsetundef -zero\nopt_clean -purge\ncheck -assert\nblackbox =A:whitebox\n\
         tee -q -o stat.json stat -json -top {top}\nwrite_json card.netlist.json\n",
        open.clock.multiply, open.clock.divide
    );
    text
}
