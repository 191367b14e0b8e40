//! `cargo xtask faults` runs this: every fault of the fault table on a simulated PCIe card.

use clap::Parser;
use spandrel_tests::faults::{Row, run, serve};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes a simulated PCIe card, its link or its host fail in every way that the driver must survive.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
struct Arguments {
    /// Only faults whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
    /// Serves a card at this socket, to be killed
    #[arg(long, hide = true)]
    serve: Option<PathBuf>,
}

#[derive(serde::Serialize)]
struct Report<'a> {
    faults: &'a [Row],
    all_recovered: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(socket) = &arguments.serve {
        return match serve(socket) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("error: this program cannot find itself: {error}");
            return ExitCode::FAILURE;
        }
    };
    let draws = std::io::stderr().is_terminal();
    let rows = run(&program, &arguments.filter, &mut |row| {
        if draws && arguments.json {
            eprintln!("{}", row.fault);
        }
        if !arguments.json {
            println!("{}", line(row));
        }
    });
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let all_recovered = rows.iter().all(|row| row.as_expected && row.recovered);
    if arguments.json {
        match serde_json::to_string_pretty(&Report { faults: &rows, all_recovered }) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
    } else {
        let good = rows.iter().filter(|row| row.as_expected && row.recovered).count();
        println!("{good} of {} faults were told as they should and left a card that works", rows.len());
    }
    if all_recovered && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(row: &Row) -> String {
    let time = row.time_to_error_us.map_or("-".to_owned(), |time| format!("{time:.1} µs"));
    let verdict = match (row.as_expected, row.recovered) {
        (true, true) => "recovered",
        (false, true) => "NOT AS EXPECTED, recovered",
        (true, false) => "NOT RECOVERED",
        (false, false) => "NOT AS EXPECTED, NOT RECOVERED",
    };
    format!("{:<40} {:<40} {time:>12}  {verdict}", row.fault, row.detected_as)
}
