//! `cargo xtask soak` runs this: random jobs on a simulated card, each against arkworks.

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use spandrel_hdl::profile::Profile;
use spandrel_tests::soak::{Outcome, Soak, run};
use std::process::ExitCode;
use std::time::Instant;

/// Random multi-scalar multiplications on a simulated card, each compared with arkworks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Arguments {
    /// Jobs
    #[arg(long, default_value_t = 200)]
    jobs: u64,
    /// The card: `sim` or `sim:PROFILE`
    #[arg(long, default_value = "sim:sim-small")]
    card: String,
    /// Decides every job
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Memories and registers take their time, at random
    #[arg(long)]
    stalls: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report<'a> {
    card: &'a str,
    seed: u64,
    stalls: bool,
    #[serde(flatten)]
    outcome: Outcome,
    seconds: f64,
}

fn main() -> ExitCode {
    match soak(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn soak(arguments: &Arguments) -> Result<(), String> {
    let name = match arguments.card.as_str() {
        "sim" => "sim-small",
        card => card
            .strip_prefix("sim:")
            .ok_or_else(|| format!("there is no card \"{card}\": give sim:PROFILE"))?,
    };
    let profile = Profile::load(name).map_err(|error| error.to_string())?;
    let begun = Instant::now();
    // Draws nothing where standard error is no terminal.
    let bar = ProgressBar::new(arguments.jobs);
    if let Ok(style) = ProgressStyle::with_template("[{elapsed_precise}] {bar:30} {pos}/{len} jobs {msg}") {
        bar.set_style(style);
    }
    let soak = Soak { jobs: arguments.jobs, seed: arguments.seed, stalls: arguments.stalls };
    let outcome = run(&profile, &soak, &mut |outcome| {
        bar.set_position(outcome.jobs);
        bar.set_message(format!("{} exact, {} resets", outcome.exact, outcome.resets));
    })?;
    bar.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64();
    let report = Report { card: &arguments.card, seed: soak.seed, stalls: soak.stalls, outcome, seconds };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
        return Ok(());
    }
    let Outcome { jobs, exact, aborted, dropped, faulted, resets, cycles, .. } = outcome;
    println!(
        "{jobs} jobs on {} (seed {}): {exact} exact, {aborted} aborted by {resets} resets, {dropped} dropped, \
         {faulted} ended by a fault; {cycles} engine cycles in {seconds:.0} s",
        arguments.card, soak.seed
    );
    Ok(())
}
