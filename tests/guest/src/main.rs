//! The test that `cargo xtask guest` runs in a Linux guest: one line a check, `PASS name: detail` or
//! `FAIL name: reason`.
//!
//! Each check runs in a process of its own, with a time limit: one that hangs or crashes costs its own line, and the next
//! one sees the card as a killed process leaves it.

mod card;
mod checks;
mod points;
mod rings;
mod runner;

use anyhow::Result;
use std::process::ExitCode;
use std::time::Duration;

/// A check.
struct Check {
    /// What its line calls it; `cargo xtask guest` knows it by the same name.
    name: &'static str,
    /// Runs it; the text says what was found.
    run: fn() -> Result<String>,
    /// How long it may take, on an emulated processor and a simulated card.
    bound: Duration,
}

const fn check(name: &'static str, run: fn() -> Result<String>, seconds: u64) -> Check {
    Check { name, run, bound: Duration::from_secs(seconds) }
}

/// In this order: what needs the card without a driver comes before `vfio`, which gives it to vfio-pci.
const CHECKS: [Check; 12] = [
    check("enumeration", checks::enumeration::run, 20),
    check("sysfs_bar", checks::sysfs_bar::run, 20),
    check("polling", checks::polling::run, 60),
    check("vfio", checks::vfio::run, 30),
    check("exclusive", checks::exclusive::run, 30),
    check("self_test", checks::self_test::run, 60),
    check("interrupts", checks::interrupts::run, 60),
    check("msm", checks::msm::run, 60),
    check("proof", checks::proof::run, 150),
    check("dma_refused", checks::dma_refused::run, 60),
    check("function_reset", checks::function_reset::run, 60),
    check("killed_mid_job", checks::killed_mid_job::run, 90),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => runner::run_all(&CHECKS),
        [runner::ONE, name] => runner::run_one(&CHECKS, name),
        [checks::killed_mid_job::VICTIM] => checks::killed_mid_job::victim(),
        _ => {
            eprintln!("usage: spandrel-guest-test [{} NAME]", runner::ONE);
            ExitCode::from(2)
        }
    }
}
