//! `cargo xtask vendor`: what can be checked of the vendor boards' projects without the vendor's tools.

mod calls;
mod checks;
mod elaborate;
mod hierarchy;
mod manifest;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result, bail};
use calls::{Answers, Run};
use serde::{Deserialize, Serialize};
use spandrel_tools::{cargo_build, checkout_root};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// A board in a vendor's shell.
pub struct Board {
    /// Name of its folder and of its profile.
    pub name: &'static str,
    /// The shell's kit drives the tools; ours is the synthesis alone.
    pub is_kit: bool,
    /// Where the kit puts our top module.
    pub cell_prefix: &'static str,
}

const BOARDS: [Board; 3] = [
    Board { name: "alveo-u250", is_kit: false, cell_prefix: "" },
    Board { name: "alveo-u55c", is_kit: false, cell_prefix: "" },
    Board { name: "aws-f2", is_kit: true, cell_prefix: "WRAPPER/CL/" },
];

/// Check the projects of the boards in a vendor's shell, or write the Verilog they need
///
/// For each board: writes the card and its wrapper; has the Tcl and the constraints run by tclsh with every command of
/// Vivado's stood in for, which checks options and the order of the flow, and that a late path or an endpoint without timing
/// ends the run without a bitstream; holds ports, pins, cells and IP that the scripts name against the wrapper; and has Yosys
/// elaborate wrapper and card, the vendor's blocks as black boxes from bitstreams/ip. Vivado itself is not run, and
/// nothing here says that it would succeed.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask vendor\n  cargo xtask vendor --board alveo-u250 --json\n  \
    cargo xtask vendor --board alveo-u250 --out build")]
pub struct Vendor {
    /// Only this board
    #[arg(long, value_parser = ["alveo-u250", "alveo-u55c", "aws-f2"])]
    board: Option<String>,
    /// Write card.v, wrapper.v and wrapper_boxes.v into this folder, for Vivado, and check nothing
    #[arg(long, value_name = "FOLDER", requires = "board")]
    out: Option<PathBuf>,
    /// Write card.json, the manifest of the card.bit that Vivado has left in this folder, and check nothing
    #[arg(long, value_name = "FOLDER", requires = "board", conflicts_with = "out")]
    manifest: Option<PathBuf>,
    /// Print JSON instead of lines
    #[arg(long)]
    json: bool,
}

/// A check and how it went.
#[derive(Debug, Serialize)]
struct Outcome {
    board: &'static str,
    check: &'static str,
    /// `pass`, `fail` or `skipped`.
    outcome: &'static str,
    /// What was found, or why not.
    detail: String,
}

/// What `spandrel-emit` wrote.
pub struct Emitted {
    /// The folder of the files.
    folder: PathBuf,
    /// Name of the wrapper's top module.
    pub top: String,
    /// Text of the card.
    pub card: String,
    /// Text of the wrapper.
    pub wrapper: String,
    /// Names and widths of the wrapper's ports.
    pub ports: Vec<(String, usize)>,
}

impl Vendor {
    /// Prints a line for each check; fails if one of them does.
    pub fn run(self) -> Result<ExitCode> {
        let wanted = |board: &&Board| self.board.as_deref().is_none_or(|name| name == board.name);
        if let (Some(folder), Some(board)) = (&self.out, BOARDS.iter().find(wanted)) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            let revision = revision();
            let emitted = emit(board, folder, &revision)?;
            manifest::note_emission(board, folder, &revision)?;
            println!("{}: {} and its card are in {}", board.name, emitted.top, folder.display());
            return Ok(ExitCode::SUCCESS);
        }
        if let (Some(folder), Some(board)) = (&self.manifest, BOARDS.iter().find(wanted)) {
            let manifest = manifest::write_manifest(board, folder)?;
            println!(
                "{}: card.json of revision {} is in {}",
                board.name,
                manifest.git_revision,
                folder.display()
            );
            return Ok(ExitCode::SUCCESS);
        }
        let mut outcomes = Vec::new();
        for board in BOARDS.iter().filter(wanted) {
            eprintln!("xtask: checking {}", board.name);
            for outcome in check(board, true)? {
                if !self.json {
                    let Outcome { board, check, outcome, detail } = &outcome;
                    println!("{:<7} {board:<11} {check:<12} {detail}", outcome.to_uppercase());
                }
                outcomes.push(outcome);
            }
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "checks": outcomes }))?);
        }
        let failed = outcomes.iter().any(|outcome| outcome.outcome == "fail");
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The first 32 bits of the checkout's revision, zeros where it is not known or the tree is not clean.
fn revision() -> String {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).current_dir(checkout_root()).stdin(Stdio::null()).output();
        output.ok().filter(|output| output.status.success()).map(|output| output.stdout)
    };
    let clean = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| text.is_empty());
    let head = git(&["rev-parse", "HEAD"]).filter(|_| clean);
    let head = head.map(|text| String::from_utf8_lossy(&text).chars().take(8).collect::<String>());
    head.filter(|text| text.len() == 8).unwrap_or_else(|| "00000000".to_owned())
}

/// Writes a board's card and wrapper into a folder.
fn emit(board: &Board, folder: &Path, revision: &str) -> Result<Emitted> {
    #[derive(Deserialize)]
    struct Summary {
        wrapper: String,
    }
    let emitter = cargo_build("spandrel-emit", &["-p", "spandrel-hdl"])?;
    let (card, wrapper) = (folder.join("card.v"), folder.join("wrapper.v"));
    let output = Command::new(&emitter)
        .args(["--profile", board.name, "--revision", revision, "--out"])
        .arg(&card)
        .arg("--wrapper")
        .arg(&wrapper)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", emitter.display()))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("error: "));
    }
    let summary: Summary = serde_json::from_slice(&output.stdout).context("spandrel-emit's summary")?;
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (card, wrapper) = (read(&card)?, read(&wrapper)?);
    let ports = ports(&wrapper);
    Ok(Emitted { folder: folder.to_path_buf(), top: summary.wrapper, card, wrapper, ports })
}

/// Names and widths of the ports of the first module of a wrapper.
fn ports(wrapper: &str) -> Vec<(String, usize)> {
    let body = wrapper.lines().take_while(|line| !line.starts_with("endmodule"));
    let declaration = |line: &str| {
        let line = line.trim_start();
        let rest =
            ["input wire ", "output wire ", "inout wire "].iter().find_map(|way| line.strip_prefix(way))?;
        let name = rest.split_whitespace().next_back()?.trim_end_matches(';').to_owned();
        let high = rest.strip_prefix('[').and_then(|rest| rest.split(':').next());
        Some((name, high.and_then(|high| high.parse::<usize>().ok()).map_or(1, |high| high + 1)))
    };
    body.filter_map(declaration).collect()
}

impl Board {
    fn folder(&self) -> PathBuf {
        checkout_root().join("bitstreams").join(self.name)
    }

    /// The board's constraint files.
    fn constraint_files(&self) -> Result<Vec<PathBuf>> {
        let folder = self.folder();
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|ending| ending == "xdc")).collect();
        files.sort();
        Ok(files)
    }

    /// Runs the board's scripts with Vivado stood in for; `folder` is the board's, or a changed copy of it.
    fn run(&self, folder: &Path, emitted: &Emitted, answers: Answers) -> Result<Run> {
        if !self.is_kit {
            let script = folder.with_file_name("vivado").join("build.tcl");
            return calls::run(&script, answers, &[], &[folder, &emitted.folder]);
        }
        let (sources, scripts) = (emitted.folder.display().to_string(), folder.display().to_string());
        let variables = [
            ("HDK_SHELL_DIR", "/hdk/shell"),
            ("HDK_IP_SRC_DIR", "/hdk/ip"),
            ("src_post_enc_dir", sources.as_str()),
            ("constraints_dir", scripts.as_str()),
            ("scripts_dir", scripts.as_str()),
            ("CL", "cl_spandrel"),
            ("DEVICE_TYPE", "xcvu47p"),
        ];
        let mut done = calls::run(&folder.join("synth_cl_spandrel.tcl"), answers, &variables, &[])?;
        if done.failure.is_none() {
            // The kit reads this one after it has linked the shell.
            let floorplan = calls::run(&folder.join("small_shell_cl_pnr_user.xdc"), answers, &[], &[])?;
            done.calls.extend(floorplan.calls);
            done.failure = floorplan.failure;
        }
        Ok(done)
    }
}

/// Every check of a board; `with_card` has the card elaborated too, not only its ports.
fn check(board: &'static Board, with_card: bool) -> Result<Vec<Outcome>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let emitted = emit(board, folder.path(), "00000000")?;
    let mut outcomes = Vec::new();
    let mut add = |check: &'static str, result: Result<String>| {
        let (outcome, detail) = match result {
            Ok(detail) => ("pass", detail),
            Err(error) => ("fail", format!("{error:#}")),
        };
        outcomes.push(Outcome { board: board.name, check, outcome, detail });
    };
    add(
        "wrapper",
        Ok(format!("{}, {} ports, {} bytes", emitted.top, emitted.ports.len(), emitted.wrapper.len())),
    );
    add("constraints", checks::constraints(board).map(|lines| format!("{lines} lines, each a constraint")));
    let scripts = board.folder();
    let has_tcl = calls::has_tcl();
    if has_tcl {
        match checks::flow(board, &scripts, &emitted) {
            Err(error) => add("flow", Err(error)),
            Ok(done) => {
                add("flow", Ok(format!("{} calls, in order", done.calls.len())));
                if !board.is_kit {
                    let timing = checks::timing_is_checked(board, &scripts, &emitted);
                    add(
                        "timing",
                        timing.map(|()| "a late path and an endpoint without timing end the run".to_owned()),
                    );
                }
                let pins = checks::pins(board, &done, &emitted);
                add(
                    "pins",
                    pins.map(|count| match board.is_kit {
                        true => "every port that constraints name exists; pins are the kit's".to_owned(),
                        false => format!("{count} pins, each port placed once"),
                    }),
                );
                let cells = checks::cells(board, &done, &emitted);
                add("cells", cells.map(|count| format!("{count} cells and pins are in the hierarchy")));
                let ip = checks::ip(board, &done, &emitted);
                add("ip", ip.map(|count| format!("{count} made, as the wrapper has them")));
            }
        }
    }
    let files: &[&str] = match with_card {
        true => &["wrapper_boxes.v", "wrapper.v", "card.v"],
        false => {
            let hollow = hollow(&emitted.card).context("the card has no top module")?;
            std::fs::write(folder.path().join("hollow.v"), hollow)
                .context("cannot write the card's ports")?;
            &["wrapper_boxes.v", "wrapper.v", "hollow.v"]
        }
    };
    let elaborated = elaborate::elaborate(folder.path(), files, &emitted.top);
    let what = if with_card { "wrapper and card" } else { "wrapper and the card's ports" };
    add(
        "elaboration",
        elaborated.map(|tool| format!("{tool}: {what}, no width differs, every input driven")),
    );
    if !has_tcl {
        let detail = "the scripts were not run: tclsh is missing (on Debian and Ubuntu: apt-get install tcl)";
        outcomes.push(Outcome {
            board: board.name,
            check: "flow",
            outcome: "skipped",
            detail: detail.into(),
        });
    }
    Ok(outcomes)
}

/// The card's ports alone, as a black box.
fn hollow(card: &str) -> Option<String> {
    let begin = card.find("module spandrel_card(")?;
    let module = &card[begin..];
    let module = &module[..module.find("endmodule")?];
    let is_port = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("module ") || line.starts_with("input") || line.starts_with("output")
    };
    let lines: Vec<&str> = module.lines().filter(is_port).collect();
    Some(format!("(* blackbox *)\n{}\nendmodule\n", lines.join("\n")))
}
