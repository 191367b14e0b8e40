//! The fault table: every way in which a card, its link or its host is made to fail, what the driver makes of it, and
//! whether the next job is exact again.

mod cases;
mod host;
mod kinds;
mod world;

use serde::Serialize;
use std::path::Path;
use std::time::Duration;

pub use host::serve;

/// What came of one fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was made to fail.
    pub fault: &'static str,
    /// What the driver said; "nothing" where the job was exact in spite of it.
    pub detected_as: String,
    /// The driver's whole sentence.
    pub message: Option<String>,
    /// Microseconds of the card's time (250 cycles each) from the job's submission to its error; for faults of the host,
    /// of its own time.
    pub time_to_error_us: Option<f64>,
    /// Whether the error is the one that belongs to the fault, and came within its bound.
    pub as_expected: bool,
    /// Whether the next job, after a reset where the driver asked for one, was exact.
    pub recovered: bool,
}

/// What a case observed.
struct Seen {
    detected_as: String,
    message: Option<String>,
    after: Option<Duration>,
    as_expected: bool,
    recovered: bool,
}

/// Runs the faults whose name contains `filter`; `on_row` hears of each. `program` is the one that serves a card when it
/// is given `--serve SOCKET`, as `spandrel-faults` does, so that it can be killed.
///
/// # Errors
/// A sentence, where the world for a fault could not be set up: no card was tested then.
pub fn run(program: &Path, filter: &str, on_row: &mut dyn FnMut(&Row)) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (fault, case) in cases::all(program).into_iter().filter(|(name, _)| name.contains(filter)) {
        let seen = case().map_err(|error| format!("{fault}: {error}"))?;
        let row = Row {
            fault,
            detected_as: seen.detected_as,
            message: seen.message,
            time_to_error_us: seen.after.map(|after| after.as_secs_f64() * 1e6),
            as_expected: seen.as_expected,
            recovered: seen.recovered,
        };
        on_row(&row);
        rows.push(row);
    }
    Ok(rows)
}
