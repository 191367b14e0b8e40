//! From Verilog to standard cells, by Yosys and its ABC.

use super::liberty::Library;
use super::reset;
use crate::watch::{Watch, yosys_pass};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use spandrel_tools::{FileLock, Yosys, checkout_root, yosys};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How ABC maps: cells by area and delay of the structure as it is (to choose among structures takes hours for a multiplier), buffers where a cell drives many, cells as large as the
/// critical path wants and no larger elsewhere. `stime` is the static timing of the result, without wires.
const MAP: &str = "strash\n&get -n\n&nf\n&put\ntopo\nbuffer -c\nupsize\ndnsize\nstime -p\n";

/// What a unit is on a chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cells {
    /// Area of all cells but memories, in the library's unit: µm².
    pub area_um2: f64,
    /// The part of it in flip-flops.
    pub flip_flop_area_um2: f64,
    /// Longest path between two registers, or a port and a register, without the registers' own times.
    pub delay_ps: f64,
    /// Flip-flops.
    pub flip_flops: u64,
    /// Flip-flops that have an initial value and no reset. What depends on such a value does not work on a chip.
    pub unreset_flip_flops: u64,
    /// Memories, which are black boxes without area here.
    pub memories: u64,
    /// Their bits.
    pub memory_bits: u64,
}

/// The tools, and where results are kept.
pub struct Flow {
    yosys: Yosys,
    store: PathBuf,
    timeout: Duration,
}

impl Flow {
    /// Finds Yosys; a run that takes longer than `timeout` is stopped.
    pub fn new(timeout: Duration) -> Result<Flow> {
        let store = checkout_root().join(".spandrel").join("asic");
        Ok(Flow { yosys: yosys()?, store, timeout })
    }

    /// Name and version of the tool.
    pub fn tool(&self) -> &str {
        &self.yosys.name
    }

    /// The design with this top module on the cells of a library; with a reset for initial values if `power_on_reset`.
    pub fn cells(&self, top: &str, verilog: &str, library: &Library, power_on_reset: bool) -> Result<Cells> {
        let label = format!("{top} on {}", library.name);
        let (verilog, registers) = match power_on_reset {
            true => reset::add(verilog),
            false => (verilog.to_owned(), 0),
        };
        let gates = gates_script(top, registers > 0);
        let script = cells_script(library.texts.len());
        let gates_key = key(&[&self.yosys.version, &gates, &verilog]);
        let kept = self.store.join(format!("{}.json", key(&[&gates_key, &script, MAP, &library.digest])));
        if let Some(cells) = read_kept(&kept) {
            return Ok(cells);
        }
        std::fs::create_dir_all(&self.store)
            .with_context(|| format!("cannot make {}", self.store.display()))?;
        // A large unit takes some GiB: one at a time.
        let _lock = FileLock::acquire(&self.store.join("lock"), "map to standard cells")?;
        if let Some(cells) = read_kept(&kept) {
            return Ok(cells);
        }
        let work = tempfile::tempdir_in(&self.store).context("cannot make a folder to work in")?;
        let write = |name: &str, text: &str| {
            std::fs::write(work.path().join(name), text).with_context(|| format!("cannot write {name}"))
        };
        write("design.v", &verilog)?;
        write("map.abc", MAP)?;
        write("gates.ys", &gates)?;
        write("cells.ys", &script)?;
        for (index, text) in library.texts.iter().enumerate() {
            write(&format!("cells{index}.lib"), text)?;
        }
        let log = work.path().join("log");
        let watch = Watch {
            program: "Yosys",
            label: &label,
            timeout: self.timeout,
            stage: yosys_pass,
            log: Some(&log),
        };
        let gates = self.store.join("gates");
        if !take_gates(&gates, &gates_key, work.path()) {
            watch.run(&mut self.yosys.script(work.path(), "gates.ys"))?;
            keep_gates(&gates, &gates_key, work.path())?;
        }
        watch.run(&mut self.yosys.script(work.path(), "cells.ys"))?;
        let cells = results(work.path(), top)?;
        let partial = work.path().join("cells.json");
        std::fs::write(&partial, serde_json::to_string(&cells)?).context("cannot write a result")?;
        std::fs::rename(&partial, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
        Ok(cells)
    }
}

fn read_kept(path: &Path) -> Option<Cells> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// What the first half of the work leaves behind: the unit as gates, which are the same for every library.
const GATES: [&str; 4] = ["gates.il", "memories.txt", "unreset.txt", "flip_flops.txt"];

/// Copies the gates of an earlier run to `work`, if they are those of this key.
fn take_gates(kept: &Path, key: &str, work: &Path) -> bool {
    let same = std::fs::read_to_string(kept.join("key")).is_ok_and(|found| found == key);
    same && GATES.iter().all(|name| std::fs::copy(kept.join(name), work.join(name)).is_ok())
}

/// Keeps the gates for other libraries, instead of those of the unit before: they are large.
fn keep_gates(kept: &Path, key: &str, work: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(kept);
    let keep = || -> std::io::Result<()> {
        std::fs::create_dir_all(kept)?;
        for name in GATES {
            std::fs::copy(work.join(name), kept.join(name))?;
        }
        // Last, so that half of them are never taken for all.
        std::fs::write(kept.join("key"), key)
    };
    keep().with_context(|| format!("cannot write {}", kept.display()))
}

fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// From Verilog to gates.
fn gates_script(top: &str, power_on_reset: bool) -> String {
    let reset = if power_on_reset { format!("add -global_input {} 1\n", reset::PORT) } else { String::new() };
    format!(
        "read_verilog design.v\n\
         hierarchy -check -top {top}\n\
         {reset}proc\nflatten\nopt_expr\nopt_clean\n\
         memory -nomap\n\
         tee -q -o memories.txt dump t:$mem_v2\n\
         chtype -set memory_block t:$mem_v2\n\
         synth -booth -run coarse:fine\n\
         opt -fast -full\ntechmap\nopt -fast\nsimplemap\nclean\n\
         splitnets\n\
         tee -q -o unreset.txt select -count t:$_DFF_?_ t:$_DFFE_??_ %u %co1:+[Q] w:* %i a:init %i\n\
         tee -q -o flip_flops.txt select -count t:$_*DFF*_\n\
         write_rtlil gates.il\n"
    )
}

/// From gates to the cells of a library in so many files.
fn cells_script(files: usize) -> String {
    let liberty: String = (0..files).map(|index| format!(" -liberty cells{index}.lib")).collect();
    format!(
        "read_rtlil gates.il\ndfflibmap{liberty}\nopt_clean\n\
         abc{liberty} -script map.abc\nclean\n\
         tee -q -o after.json stat -json{liberty}\n"
    )
}

fn results(work: &Path, top: &str) -> Result<Cells> {
    let read = |name: &str| {
        std::fs::read_to_string(work.join(name)).with_context(|| format!("Yosys wrote no {name}"))
    };
    let after: Value = serde_json::from_str(&read("after.json")?).context("Yosys' statistics")?;
    let module = &after["modules"][format!("\\{top}")];
    let number = |name: &str| module[name].as_f64().with_context(|| format!("Yosys' statistics lack {name}"));
    let (memories, memory_bits) = memories(&read("memories.txt")?)?;
    Ok(Cells {
        area_um2: number("area")?,
        flip_flop_area_um2: number("sequential_area")?,
        delay_ps: delay_ps(&read("log")?)?,
        flip_flops: objects(&read("flip_flops.txt")?)?,
        unreset_flip_flops: objects(&read("unreset.txt")?)?,
        memories,
        memory_bits,
    })
}

/// The number in `N objects.`
fn objects(text: &str) -> Result<u64> {
    let number = text.lines().rev().find_map(|line| line.trim().strip_suffix(" objects."));
    number.and_then(|number| number.trim().parse().ok()).with_context(|| format!("no count in {text:?}"))
}

/// The delay of ABC's static timing: the last one, should it have worked on several parts, is not enough.
fn delay_ps(log: &str) -> Result<f64> {
    let delay = |line: &str| -> Option<f64> {
        let rest = line.split_once("WireLoad")?.1.split_once("Delay =")?.1;
        rest.trim_start().split(' ').next()?.parse().ok()
    };
    let delays: Vec<f64> = log.lines().filter_map(delay).collect();
    match delays.iter().copied().max_by(f64::total_cmp) {
        Some(delay) => Ok(delay),
        None => bail!("ABC printed no timing"),
    }
}

/// Memories and their bits, from a dump of the cells.
fn memories(dump: &str) -> Result<(u64, u64)> {
    let (mut count, mut bits, mut words) = (0, 0, 0);
    let value = |line: &str, name: &str| -> Option<u64> {
        line.trim()
            .strip_prefix("parameter ")?
            .trim_start_matches("signed ")
            .strip_prefix(name)?
            .trim()
            .parse()
            .ok()
    };
    let mut width = None;
    for line in dump.lines() {
        if line.trim_start().starts_with("cell $mem_v2") {
            count += 1;
            (width, words) = (None, 0);
        }
        width = value(line, "\\WIDTH ").or(width);
        words = value(line, "\\SIZE ").unwrap_or(words);
        if line.trim() == "end" {
            bits += width.take().unwrap_or(0) * words;
        }
    }
    if count > 0 && bits == 0 {
        bail!("{count} memories without bits: Yosys writes them in another way than expected");
    }
    Ok((count, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tool_output_is_read() {
        assert_eq!(objects("\n3828 objects.\n").unwrap(), 3828);
        let log = "ABC: WireLoad = \"none\"  Gates =  19441 ( 18.3 %)   Cap = 26.1 ff   Area = 5.00   Delay =  3437.14 ps  (  1.5 %)";
        assert_eq!(delay_ps(log).unwrap(), 3437.14);
        assert!(delay_ps("nothing").is_err());
        let dump = "  cell $mem_v2 \\words\n    parameter \\ABITS 6\n    parameter signed \\SIZE 64\n    \
                    parameter signed \\WIDTH 8\n    connect \\X 1\n  end\n";
        assert_eq!(memories(dump).unwrap(), (1, 512));
        assert!(memories("cell $mem_v2 x\nend\n").is_err());
    }
}
