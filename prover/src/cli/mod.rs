//! The `spandrel` command.

mod args;
mod bench;
mod bench_driver;
mod bench_poseidon;
#[cfg(feature = "sim")]
mod bench_sim;
mod card;
mod card_bus;
mod card_load;
mod card_reset;
mod card_selftest;
mod card_watch;
mod error;
mod hash_args;
mod interrupt;
mod merkle;
mod msm;
mod open;
mod plot;
mod poseidon;
mod progress;
mod prove;
mod report;
#[cfg(feature = "sim")]
mod served;
#[cfg(feature = "sim")]
mod sim;
#[cfg(feature = "sim")]
mod simulated;
mod verify;

use clap::{Parser, Subcommand};
use std::io::IsTerminal;
use std::process::ExitCode;

/// Exit codes, as the help text lists them.
const EXIT_CODES: &str = "\
Exit codes:
  0    done (for `verify`: the proof is valid; for `merkle verify`: the path is)
  1    something else went wrong
  2    the command line is wrong
  3    an input file cannot be used (missing, damaged, of another circuit)
  4    the card failed, or card and CPU disagree
  5    verification failed: the proof or path is not valid, or no valid proof could be made
  6    an output file cannot be written
  7    the card runs another image than the manifest's
  130  interrupted; no output file was left half written

Logging: set SPANDREL_LOG=debug (or info, trace, or a module's name) to see what the command does.";

/// Groth16 proofs over BN254, Poseidon hashes and Merkle trees, with the heavy work on a Spandrel card.
///
/// Reads the proving keys and witnesses of snarkjs and circom, writes the proofs that snarkjs verifies. Without
/// a card, everything works on the CPU (--backend cpu) or on the simulated card (--backend card), which is the
/// card's own hardware description, cycle by cycle.
#[derive(Debug, Parser)]
#[command(name = "spandrel", version, after_help = EXIT_CODES, after_long_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Prove(prove::Prove),
    Verify(verify::Verify),
    Msm(msm::Msm),
    Poseidon(poseidon::Poseidon),
    #[command(subcommand)]
    Merkle(merkle::MerkleCommand),
    /// Measures.
    #[command(subcommand)]
    Bench(Bench),
    /// Lists, shows, watches and tests cards, and makes them usable.
    #[command(subcommand)]
    Card(card::CardCommand),
    #[cfg(feature = "sim")]
    #[command(subcommand)]
    Sim(sim::SimCommand),
}

#[derive(Debug, Subcommand)]
enum Bench {
    Msm(bench::BenchMsm),
    Poseidon(bench_poseidon::BenchPoseidon),
    Driver(bench_driver::BenchDriver),
    #[cfg(feature = "sim")]
    Sim(bench_sim::BenchSim),
}

/// Runs the command with the process's arguments.
pub fn run() -> ExitCode {
    // clap ends the process itself for --help, --version (0) and usage errors (2).
    let cli = Cli::parse();
    start_logging();
    let result = interrupt::install().and_then(|()| match &cli.command {
        Command::Prove(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Msm(command) => command.run(),
        Command::Poseidon(command) => command.run(),
        Command::Merkle(command) => command.run(),
        Command::Bench(Bench::Msm(command)) => command.run(),
        Command::Bench(Bench::Poseidon(command)) => command.run(),
        Command::Bench(Bench::Driver(command)) => command.run(),
        #[cfg(feature = "sim")]
        Command::Bench(Bench::Sim(command)) => command.run(),
        Command::Card(command) => command.run(),
        #[cfg(feature = "sim")]
        Command::Sim(command) => command.run(),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.in_full());
            ExitCode::from(error.exit_code())
        }
    }
}

fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SPANDREL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
