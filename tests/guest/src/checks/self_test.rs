//! The card's own known answers, by the driver and by the command.

use crate::card::{address, open};
use crate::runner::output;
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Duration;

pub fn run() -> Result<String> {
    let cycles = open()?.self_test().context("the self-test")?;
    let address = address()?.to_string();
    let mut command = Command::new("/bin/spandrel");
    let ended = output(command.args(["card", "selftest", "--card", &address]), Duration::from_secs(45))?;
    ensure!(ended.success, "spandrel card selftest ended with {}: {}", ended.status, ended.stderr);
    Ok(format!("known answers in {cycles} cycles, and spandrel card selftest agrees with the CPU"))
}
