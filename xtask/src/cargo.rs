//! Running cargo in the checkout.

use anyhow::{Context, Result};
use spandrel_tools::checkout_root;
use std::ffi::OsString;
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
