//! `cargo xtask VERB`: set-up, demo, tests and checks.

mod board;
mod cargo;
mod sample;
mod tally;
mod verbs;
mod watch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Set-up, demo, tests and checks of Spandrel.
///
/// Run it from anywhere inside the checkout as `cargo xtask VERB`. What it fetches or builds lands in the folders
/// `.spandrel` and `target` of the checkout; deleting them undoes it.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Asic(verbs::asic::Asic),
    Demo(verbs::demo::Demo),
    Test(verbs::test::Test),
    Guest(verbs::guest::Guest),
    Lint(verbs::lint::Lint),
    Setup(verbs::setup::Setup),
    Registers(verbs::registers::Registers),
    Circuit(verbs::circuit::Circuit),
    Bitstream(verbs::bitstream::BitstreamVerb),
    Timing(verbs::timing::TimingVerb),
    Synth(verbs::synth::Synth),
    Faults(verbs::faults::Faults),
    Formal(verbs::formal::Formal),
    Soak(verbs::soak::Soak),
    Cocotb(verbs::cocotb::CocotbVerb),
    Model(verbs::model::Model),
    Netlist(verbs::netlist::Netlist),
    Vendor(verbs::vendor::Vendor),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Asic(verb) => verb.run(),
        Verb::Demo(verb) => verb.run(),
        Verb::Test(verb) => verb.run(),
        Verb::Guest(verb) => verb.run(),
        Verb::Lint(verb) => verb.run(),
        Verb::Setup(verb) => verb.run(),
        Verb::Registers(verb) => verb.run(),
        Verb::Circuit(verb) => verb.run(),
        Verb::Bitstream(verb) => verb.run(),
        Verb::Timing(verb) => verb.run(),
        Verb::Synth(verb) => verb.run(),
        Verb::Faults(verb) => verb.run(),
        Verb::Formal(verb) => verb.run(),
        Verb::Soak(verb) => verb.run(),
        Verb::Cocotb(verb) => verb.run(),
        Verb::Model(verb) => verb.run(),
        Verb::Netlist(verb) => verb.run(),
        Verb::Vendor(verb) => verb.run(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
