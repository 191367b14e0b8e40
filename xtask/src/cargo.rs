//! Running cargo in the checkout.

use anyhow::{Context, Result, bail};
use spandrel_tools::checkout_root;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The cargo that runs us, to be run in the checkout's root. It reads nothing from standard input.
pub fn command(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(checkout_root()).stdin(Stdio::null());
    command
}

/// Announces a cargo command and runs it, its output passed through; says whether it succeeded.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    let arguments: Vec<_> = command.get_args().map(|text| text.to_string_lossy()).collect();
    eprintln!("xtask: cargo {}", arguments.join(" "));
    Ok(command.status().context("cannot run cargo")?.success())
}

/// Builds the `spandrel` command optimised and gives its path, wherever the target folder is.
pub fn build_spandrel() -> Result<PathBuf> {
    eprintln!("xtask: building spandrel (the first time takes minutes)");
    let output =
        command(&["build", "--release", "--package", "spandrel", "--message-format=json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("spandrel did not build; cargo's messages are above");
    }
    // One JSON message a line; the command's own artifact is the only one of that name with an executable.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "spandrel")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built spandrel and did not say where it is")
}
