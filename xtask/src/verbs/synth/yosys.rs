//! Runs of Yosys, one at a time, their results kept.

use super::hierarchy;
use super::resources::{Resources, cells};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use spandrel_tools::{FileLock, Yosys, checkout_root, last_lines, yosys};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks at a running Yosys.
const POLL: Duration = Duration::from_millis(200);
/// Between two progress lines where standard error is not a terminal.
const QUIET: Duration = Duration::from_secs(30);

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
        hierarchy::resources(self, top, verilog, label)
    }

    /// The cells of the design with this top module, by kind, black boxes included.
    pub(super) fn cells(&self, top: &str, verilog: &str, label: &str) -> Result<BTreeMap<String, u64>> {
        let script = self.script(top);
        let mut hash = Sha256::new();
        for part in [self.yosys.version.as_str(), script.as_str(), verilog] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let kept = self.store.join(format!("{}.json", hex::encode(hash.finalize())));
        if let Some(cells) = read_kept(&kept) {
            return Ok(cells);
        }
        // Two at once would only take each other's memory and caches.
        let _lock = FileLock::acquire(&self.store.join("lock"), "synthesise")?;
        if let Some(cells) = read_kept(&kept) {
            return Ok(cells);
        }
        let folder = tempfile::tempdir_in(&self.store).context("cannot make a folder to synthesise in")?;
        std::fs::write(folder.path().join("design.v"), verilog).context("cannot write the design")?;
        std::fs::write(folder.path().join("synth.ys"), script).context("cannot write the script")?;
        self.run(folder.path(), label)?;
        let report = folder.path().join("stat.json");
        let text = std::fs::read_to_string(&report).context("Yosys wrote no statistics")?;
        let cells = cells(&text)?;
        // Renamed into place, so that nobody reads half of it.
        std::fs::rename(&report, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
        Ok(cells)
    }

    fn script(&self, top: &str) -> String {
        // Only these families have UltraRAM.
        let uram = if self.family == "xcup" { " -uram" } else { "" };
        format!(
            "read_verilog design.v\n\
             synth_xilinx -family {}{uram} -noiopad -noclkbuf -top {top}\n\
             tee -q -o stat.json stat -json -top {top}\n",
            self.family
        )
    }

    fn run(&self, folder: &Path, label: &str) -> Result<()> {
        let mut child = self
            .yosys
            .script(folder, "synth.ys")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start Yosys")?;
        let output = Arc::new(Mutex::new(Log::default()));
        let readers = [
            child.stdout.take().map(|pipe| follow(pipe, &output)),
            child.stderr.take().map(|pipe| follow(pipe, &output)),
        ];
        let outcome = self.wait(&mut child, &output, label);
        if outcome.is_err() {
            // Both fail only if it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        outcome?;
        for reader in readers.into_iter().flatten() {
            let _ = reader.join();
        }
        let status = child.wait().context("cannot wait for Yosys")?;
        if !status.success() {
            let text = output.lock().unwrap_or_else(PoisonError::into_inner).text.clone();
            bail!("Yosys failed ({status}); its last lines:\n{}", last_lines(&text, 20));
        }
        Ok(())
    }

    /// Waits for the end, with progress on standard error.
    fn wait(&self, child: &mut Child, output: &Mutex<Log>, label: &str) -> Result<()> {
        let terminal = std::io::stderr().is_terminal();
        let started = Instant::now();
        let mut announced: Option<Instant> = None;
        while child.try_wait().context("cannot wait for Yosys")?.is_none() {
            let passed = started.elapsed();
            if passed > self.timeout {
                bail!("Yosys was stopped after {} s: give it longer with --timeout", self.timeout.as_secs());
            }
            if terminal || announced.is_none_or(|last| last.elapsed() >= QUIET) {
                let pass = output.lock().unwrap_or_else(PoisonError::into_inner).pass.clone();
                let line = format!("{label}: {} s {pass}", passed.as_secs());
                // A terminal's line is written over, others follow each other.
                if terminal {
                    eprint!("\r\x1b[K{line}")
                } else {
                    eprintln!("{line}")
                }
                announced = Some(Instant::now());
            }
            std::thread::sleep(POLL);
        }
        if terminal {
            eprint!("\r\x1b[K");
        }
        eprintln!("{label}: {} s", started.elapsed().as_secs());
        Ok(())
    }
}

fn read_kept(path: &Path) -> Option<BTreeMap<String, u64>> {
    // What cannot be read or understood is made again.
    cells(&std::fs::read_to_string(path).ok()?).ok()
}

/// What a running Yosys has written.
#[derive(Default)]
struct Log {
    /// The end of it.
    text: String,
    /// The pass it is in.
    pass: String,
}

impl Log {
    /// Bytes that are kept, enough for the message of an error.
    const KEPT: usize = 16_384;

    fn push(&mut self, line: &str) {
        if let Some((_, pass)) = line.split_once("Executing ") {
            self.pass = pass.split([' ', '.']).next().unwrap_or_default().to_owned();
        }
        if self.text.len() > Log::KEPT {
            self.text = last_lines(&self.text, 40);
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn follow(pipe: impl Read + Send + 'static, output: &Arc<Mutex<Log>>) -> std::thread::JoinHandle<()> {
    let output = output.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            output.lock().unwrap_or_else(PoisonError::into_inner).push(&String::from_utf8_lossy(&line));
        }
    })
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
    fn a_log_knows_the_pass_and_keeps_the_end() {
        let mut log = Log::default();
        log.push("2.29.14. Executing OPT_CLEAN pass (remove unused cells and wires).");
        for index in 0..10_000 {
            log.push(&format!("line {index}"));
        }
        assert_eq!(log.pass, "OPT_CLEAN");
        assert!(log.text.ends_with("line 9999\n") && log.text.len() < 2 * Log::KEPT);
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
    fn a_failure_shows_what_yosys_said() -> Result<()> {
        let store = tempfile::tempdir()?;
        let name = "synth::a_failure_shows_what_yosys_said";
        let Some(synthesis) = synthesis(name, store.path())? else { return Ok(()) };
        let error = synthesis.resources("top", "module top(;", "test").unwrap_err().to_string();
        assert!(error.contains("syntax error"), "{error}");
        Ok(())
    }
}
