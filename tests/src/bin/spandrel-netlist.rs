//! `cargo xtask netlist` runs this: netlists of units, simulated.

use clap::Parser;
use spandrel_tests::netlist::{Row, UNITS, check};
use std::process::ExitCode;

/// Simulates what Yosys makes of units of the small board against what they should do.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask netlist", bin_name = "cargo xtask netlist")]
struct Arguments {
    /// Only units whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Only units that are synthesised in seconds
    #[arg(long)]
    quick: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let Arguments { filter, quick, json } = Arguments::parse();
    let mut rows = Vec::new();
    for unit in UNITS.iter().filter(|unit| unit.name.contains(&filter) && !(quick && unit.is_slow)) {
        match check(unit) {
            Ok(row) => {
                if !json {
                    println!("{}", line(&row));
                }
                rows.push(row);
            }
            Err(error) => {
                eprintln!("error: {}: {error}", unit.name);
                return ExitCode::FAILURE;
            }
        }
    }
    if rows.is_empty() {
        let known: Vec<_> = UNITS.iter().map(|unit| unit.name).collect();
        eprintln!("error: no unit's name contains \"{filter}\": units are {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    let passed = rows.iter().all(Row::passed);
    if json {
        println!("{}", serde_json::json!({ "netlists": rows, "all_passed": passed }));
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(row: &Row) -> String {
    let outcome = if row.passed() { "PASS" } else { "FAIL" };
    let broken = if row.broken_fails { "a broken one fails" } else { "A BROKEN ONE PASSES" };
    let fault = row.fault.as_ref().map(|fault| format!("\n      {fault}")).unwrap_or_default();
    format!(
        "{outcome}  {:<12} {}  {:>6} cells, {:>3} DSP, {} compared, {broken}, {:.1} s{fault}",
        row.unit, row.family, row.cells, row.dsp, row.compared, row.seconds
    )
}
