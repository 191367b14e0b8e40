//! The scripts' calls of Vivado, as the stand-in wrote them down.

use anyhow::{Context, Result, bail};
use spandrel_tools::{find_program, last_lines};
use std::path::Path;
use std::process::{Command, Stdio};

/// Vivado as a script of Tcl's.
const STAND_IN: &str = include_str!("stand_in.tcl");

/// What the stand-in answers.
#[derive(Clone, Copy)]
pub struct Answers {
    /// Least slack of every timing query in ns.
    pub slack_ns: f64,
    /// Endpoints that are not timed.
    pub untimed: u32,
}

/// Every path in time, every endpoint timed.
pub const GOOD: Answers = Answers { slack_ns: 0.01, untimed: 0 };

/// A command with its arguments.
pub type Call = Vec<String>;

/// What a script did.
pub struct Run {
    /// Its calls, in order.
    pub calls: Vec<Call>,
    /// What it said when it gave up, if it did.
    pub failure: Option<String>,
}

impl Run {
    /// The calls of a command, without its name.
    pub fn of<'a>(&'a self, command: &'a str) -> impl Iterator<Item = &'a [String]> {
        let calls = self.calls.iter().filter(move |call| call.first().is_some_and(|name| name == command));
        calls.map(|call| &call[1..])
    }
}

/// The value of an option.
pub fn option<'a>(call: &'a [String], name: &str) -> Option<&'a str> {
    let at = call.iter().position(|word| word == name)?;
    call.get(at + 1).map(String::as_str)
}

/// Whether there is a Tcl interpreter to run scripts with.
pub fn has_tcl() -> bool {
    find_program("tclsh").is_some()
}

/// Runs a script in which every command of Vivado's is stood in for. `variables` are set beforehand.
pub fn run(script: &Path, answers: Answers, variables: &[(&str, &str)], arguments: &[&Path]) -> Result<Run> {
    let tclsh = find_program("tclsh").context(
        "tclsh is needed to run the scripts: install it (on Debian and Ubuntu: apt-get install tcl)",
    )?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let stand_in = folder.path().join("stand_in.tcl");
    std::fs::write(&stand_in, STAND_IN).context("cannot write the stand-in")?;
    let output = Command::new(tclsh)
        .arg(&stand_in)
        .arg(script)
        .args([answers.slack_ns.to_string(), answers.untimed.to_string()])
        .args(variables.iter().map(|(name, value)| format!("{name}={value}")))
        .arg("--")
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .context("cannot run tclsh")?;
    let mut calls = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        // What a script itself prints is none.
        if line.starts_with("[\"") {
            calls.push(serde_json::from_str(line).with_context(|| format!("the stand-in wrote {line}"))?);
        }
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let failure = (!output.status.success()).then(|| last_lines(&message, 5));
    Ok(Run { calls, failure })
}

/// Fails unless the run called these commands in this order, others between them.
pub fn in_order(run: &Run, commands: &[&str]) -> Result<()> {
    let mut left = run.calls.iter().filter_map(|call| call.first());
    for command in commands {
        if !left.any(|name| name == command) {
            bail!("{command} is not called where it should be: the order is {}", commands.join(", "));
        }
    }
    Ok(())
}

/// Words of a Tcl list without braces inside its words.
pub fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split_whitespace().map(|word| word.trim_matches(['{', '}']))
}
