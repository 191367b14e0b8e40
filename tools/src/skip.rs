//! Tests that had to be left out, reported by name.

use std::io::Write;

/// The environment variable that names the file to which left-out tests are appended.
pub const SKIP_LOG: &str = "SPANDREL_SKIP_LOG";

/// Reports that the test `name` was left out, and why. The test then returns, and its harness counts it as passed.
///
/// The report is a line on standard error, which the harness swallows from a test that passes; and, where the
/// environment variable [`SKIP_LOG`] names a file, a line `name: reason` appended to it. `cargo xtask test` sets the
/// variable and takes what it finds there off the passed tests, so that nothing left out is counted as having passed.
///
/// # Panics
///
/// When the log cannot be written: a test left out in silence would be worse than one that fails.
pub fn skip(name: &str, reason: impl std::fmt::Display) {
    // One line a test, whatever the reason's text looks like.
    let reason = reason.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    eprintln!("SKIPPED {name}: {reason}");
    let Some(path) = std::env::var_os(SKIP_LOG).filter(|path| !path.is_empty()) else { return };
    // A single append of one short line: test processes that write at the same time do not mix.
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{name}: {reason}\n").as_bytes()));
    if let Err(error) = written {
        panic!("cannot append to {SKIP_LOG}={}: {error}", path.display());
    }
}
