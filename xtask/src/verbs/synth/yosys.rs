//! Runs of Yosys, one at a time, their results kept.

use super::hierarchy::{self, Cells, ModuleRow, Part, cells_of, part_label, parts};
use super::resources::{Resources, cells};
use crate::watch::{Watch, yosys_pass};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use spandrel_tools::{FileLock, Yosys, checkout_root, yosys};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two modules of one process, for others that wait.
const TURN: Duration = Duration::from_millis(100);

/// Synthesis for one family of parts.
pub struct Synthesis {
    yosys: Yosys,
    family: String,
    timeout: Duration,
    /// Where results are kept.
    store: PathBuf,
}

impl Synthesis {
    /// Finds Yosys; a run that takes longer than `timeout` is stopped.
    pub fn new(family: &str, timeout: Duration) -> Result<Synthesis> {
        let store = checkout_root().join(".spandrel").join("synth");
        Ok(Synthesis { yosys: yosys()?, family: family.to_owned(), timeout, store })
    }

    /// Name and version of the tool.
    pub fn tool(&self) -> &str {
        &self.yosys.name
    }

    /// What the design with this top module needs; `label` begins the progress lines.
    pub fn resources(&self, top: &str, verilog: &str, label: &str) -> Result<Resources> {
        hierarchy::resources(self, top, &self.fitting(verilog), label)
    }

    /// What each large module of the design needs, and all of it together.
    pub fn table(&self, top: &str, verilog: &str, label: &str) -> Result<(Vec<ModuleRow>, Resources)> {
        // An UltraRAM's second port sees what the first one writes, the description's old word does not: Yosys takes it only
        // when told that reading a word while it is written does not matter, which no count depends on.
        let verilog =
            self.fitting(verilog).replace("ram_style = \"ultra\"", "ram_style = \"ultra\", no_rw_check");
        let parts = parts(top, &verilog);
        if parts.is_empty() {
            bail!("the design has no module {top}");
        }
        let cells = match self.family.as_str() {
            "xcup" | "xcu" => cells_of(self, &parts, label)?,
            // Those that place and route take.
            _ => {
                let netlists = self.netlists(top, &verilog, label)?;
                let mut cells = Cells::new();
                for (part, netlist) in parts.iter().zip(&netlists) {
                    cells.insert(&part.name, netlist.cells()?);
                }
                cells
            }
        };
        hierarchy::table(&cells, &parts, top)
    }

    /// The cells of the design with this top module, by kind, black boxes included.
    pub(super) fn cells(&self, top: &str, verilog: &str, label: &str) -> Result<BTreeMap<String, u64>> {
        let kept =
            self.kept(&self.script(top), verilog, "stat.json", label, &|path| read_cells(path).is_some())?;
        read_cells(&kept).context("Yosys wrote no statistics")
    }

    /// Netlists of the family's cells, one for each large module of the design, as files that Yosys reads with `read_rtlil`:
    /// each with black boxes for the others.
    pub fn netlists(&self, top: &str, verilog: &str, label: &str) -> Result<Vec<Netlist>> {
        let verilog = self.fitting(verilog);
        let parts = parts(top, &verilog);
        if parts.is_empty() {
            bail!("the design has no module {top}");
        }
        let mut netlists: Vec<Netlist> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            // A twin's netlist is read under its own name.
            let of = part.same_netlist(&parts).unwrap_or(index);
            let Part { name, text, .. } = &parts[of];
            let label = part_label(&parts, of, label);
            let script = self.netlist_script(name);
            let file = self.kept(&script, text, "netlist.il", &label, &|path| path.is_file())?;
            let renamed = (of != index).then(|| name.clone());
            netlists.push(Netlist { module: part.name.clone(), written_as: renamed, file });
        }
        Ok(netlists)
    }

    /// The tool, for scripts of others.
    pub fn yosys(&self) -> &Yosys {
        &self.yosys
    }

    /// The file that the script makes of a design under the name `made`, made unless it is kept from an earlier run.
    fn kept(
        &self,
        script: &str,
        verilog: &str,
        made: &str,
        label: &str,
        is_good: &dyn Fn(&Path) -> bool,
    ) -> Result<PathBuf> {
        let mut hash = Sha256::new();
        for part in [self.yosys.version.as_str(), script, verilog] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let ending = made.rsplit('.').next().unwrap_or(made);
        let kept = self.store.join(format!("{}.{ending}", hex::encode(hash.finalize())));
        // What cannot be read or understood is made again.
        if is_good(&kept) {
            return Ok(kept);
        }
        // Two at once would only take each other's memory and caches.
        let lock = FileLock::acquire(&self.store.join("lock"), "synthesise")?;
        if is_good(&kept) {
            return Ok(kept);
        }
        let folder = tempfile::tempdir_in(&self.store).context("cannot make a folder to synthesise in")?;
        std::fs::write(folder.path().join("design.v"), verilog).context("cannot write the design")?;
        std::fs::write(folder.path().join("synth.ys"), script).context("cannot write the script")?;
        self.run(folder.path(), label)?;
        let report = folder.path().join(made);
        if !is_good(&report) {
            bail!("Yosys wrote no {made} that can be read");
        }
        // Renamed into place, so that nobody reads half of it.
        std::fs::rename(&report, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
        drop(lock);
        // Whoever waits for the lock gets it before our next module does.
        std::thread::sleep(TURN);
        Ok(kept)
    }

    /// The Verilog as this family can take it: only some parts have UltraRAM, block RAM stands in for it elsewhere.
    fn fitting(&self, verilog: &str) -> String {
        match self.family.as_str() {
            "xcup" => verilog.to_owned(),
            _ => verilog.replace("ram_style = \"ultra\"", "ram_style = \"block\""),
        }
    }

    /// Synthesis of `design.v` to a netlist.
    fn netlist_script(&self, top: &str) -> String {
        let synthesis = match self.family.as_str() {
            "ecp5" => format!("synth_ecp5 -top {top}"),
            // The longest shift registers have an output that place and route does not know.
            family => format!("synth_xilinx -family {family} -flatten -nosrl -noiopad -noclkbuf -top {top}"),
        };
        format!(
            "read_verilog design.v\n{synthesis}\ndelete t:$scopeinfo\nselect -clear\n\
             select {top}\nwrite_rtlil -selected netlist.il\n"
        )
    }

    fn script(&self, top: &str) -> String {
        // Only these families have UltraRAM.
        let uram = if self.family == "xcup" { " -uram" } else { "" };
        let synthesis = match self.family.as_str() {
            "ecp5" => format!("synth_ecp5 -top {top}"),
            family => format!("synth_xilinx -family {family}{uram} -noiopad -noclkbuf -top {top}"),
        };
        format!("read_verilog design.v\n{synthesis}\ntee -q -o stat.json stat -json -top {top}\n")
    }

    fn run(&self, folder: &Path, label: &str) -> Result<()> {
        let watch = Watch { program: "Yosys", label, timeout: self.timeout, stage: yosys_pass, log: None };
        watch.run(&mut self.yosys.script(folder, "synth.ys"))
    }
}

/// A module's netlist.
pub struct Netlist {
    /// Name of the module.
    pub module: String,
    /// The name that the file has it under, where that is another one.
    pub written_as: Option<String>,
    /// The file.
    pub file: PathBuf,
}

impl Netlist {
    /// Its cells, by kind: lines `cell \\KIND \\NAME` of the file.
    fn cells(&self) -> Result<BTreeMap<String, u64>> {
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let mut cells = BTreeMap::new();
        for kind in
            text.lines().filter_map(|line| line.trim_start().strip_prefix("cell \\")?.split(' ').next())
        {
            *cells.entry(kind.to_owned()).or_default() += 1;
        }
        Ok(cells)
    }
}

fn read_cells(path: &Path) -> Option<BTreeMap<String, u64>> {
    cells(&std::fs::read_to_string(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spandrel_tools::{ToolError, skip};

    /// Synthesis that keeps its results in `store`, or nothing where there is no Yosys for this machine.
    fn synthesis(test: &str, store: &Path) -> Result<Option<Synthesis>> {
        match Synthesis::new("xcup", Duration::from_secs(300)) {
            Ok(synthesis) => Ok(Some(Synthesis { store: store.to_path_buf(), ..synthesis })),
            Err(error) if matches!(error.downcast_ref(), Some(ToolError::NoBuild { .. })) => {
                skip(test, error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    #[test]
    fn a_design_is_counted_once_and_then_remembered() -> Result<()> {
        let store = tempfile::tempdir()?;
        let name = "synth::a_design_is_counted_once_and_then_remembered";
        let Some(mut synthesis) = synthesis(name, store.path())? else { return Ok(()) };
        let verilog = "module pair(input clock, input [15:0] a, output [15:0] y);\n\
                       one u0(clock, a[7:0], y[7:0]);\n one u1(clock, a[15:8], y[15:8]);\nendmodule\n\
                       module one(input clock, input [7:0] a, output reg [7:0] y);\n\
                       always @(posedge clock) y <= a;\nendmodule\n";
        let counted = synthesis.resources("pair", verilog, "test")?;
        assert_eq!(counted, Resources { ff: 16, ..Resources::default() });
        // From here on Yosys could not answer in time.
        synthesis.timeout = Duration::ZERO;
        assert_eq!(synthesis.resources("pair", verilog, "test")?, counted);
        let error = synthesis.resources("one", verilog, "test").unwrap_err().to_string();
        assert!(error.contains("--timeout"), "{error}");
        Ok(())
    }

    #[test]
    fn a_netlist_is_counted_as_its_design_is() -> Result<()> {
        let store = tempfile::tempdir()?;
        let name = "synth::a_netlist_is_counted_as_its_design_is";
        let Some(synthesis) = synthesis(name, store.path())? else { return Ok(()) };
        let verilog = "module top(input clock, input [7:0] a, output reg [7:0] y);\n\
                       always @(posedge clock) y <= a + y;\nendmodule\n";
        let synthesis = Synthesis { family: "xc7".into(), ..synthesis };
        let (rows, total) = synthesis.table("top", verilog, "test")?;
        assert_eq!((total.ff, total.carry, rows.len()), (8, 2, 1));
        assert_eq!(total, synthesis.resources("top", verilog, "test")?);
        Ok(())
    }

    #[test]
    fn a_failure_shows_what_yosys_said() -> Result<()> {
        let store = tempfile::tempdir()?;
        let name = "synth::a_failure_shows_what_yosys_said";
        let Some(synthesis) = synthesis(name, store.path())? else { return Ok(()) };
        let error = synthesis.resources("top", "module top(;", "test").unwrap_err().to_string();
        assert!(error.contains("syntax error"), "{error}");
        Ok(())
    }
}
