//! Command line of the Spandrel prover.

fn main() -> std::process::ExitCode {
    spandrel::cli::run()
}
