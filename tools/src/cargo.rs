//! Building one of the workspace's own commands.

use crate::{ToolError, checkout_root};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Builds the workspace's command `name` with `cargo build ARGUMENTS` and gives its path, wherever the target
/// folder is. Cargo's progress and messages go to standard error.
pub fn cargo_build(name: &str, arguments: &[&str]) -> Result<PathBuf, ToolError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(&cargo)
        .args(["build", "--bin", name, "--message-format=json-render-diagnostics"])
        .args(arguments)
        .current_dir(checkout_root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(ToolError::io("run", cargo))?;
    let failed = |last_lines: &str| ToolError::Failed {
        what: format!("building {name}"),
        status: output.status.to_string(),
        remedy: String::new(),
        last_lines: last_lines.to_owned(),
    };
    if !output.status.success() {
        return Err(failed("cargo's messages are above"));
    }
    // One JSON message a line; the command's own artifact is the only one of that name with an executable.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| failed("cargo did not say where the command is"))
}
