//! The guest's checks as tests of `cargo xtask test`.

use super::checks::{CHECKS, Verdict};
use super::{Options, run};
use crate::tally::Tally;
use spandrel_tools::ToolError;

/// What a check is called among the tests.
pub fn test_name(check: &str) -> String {
    format!("guest::{check}")
}

/// Runs the guest and counts each of its checks as a test: as failed if the guest could not be run, as left out if that is
/// for want of a tool.
pub fn test(tally: &mut Tally) {
    println!("\nrunning the driver in a Linux guest (cargo xtask guest)");
    match run(&Options::default()) {
        Ok(report) => {
            for (name, verdict) in &report.checks {
                let outcome = match verdict {
                    Verdict::Passed(_) => "ok".to_owned(),
                    Verdict::Failed(reason) => format!("FAILED: {reason}"),
                };
                println!("test {} ... {outcome}", test_name(name));
                tally.count(matches!(verdict, Verdict::Passed(_)));
            }
            // Otherwise a check has failed already, for the same reason.
            if let Some(reason) = report.broken.as_ref().filter(|_| report.passed() == report.checks.len()) {
                println!("test {} ... FAILED: {reason}", test_name("power_off"));
                tally.count(false);
            }
            if !report.all_passed() {
                println!("the guest's console is in {}", report.console_log.display());
                println!("what the card's server said is in {}", report.server_log.display());
            }
        }
        Err(error) => match error.downcast_ref::<ToolError>().filter(|error| error.is_unavailable()) {
            Some(reason) => {
                let reason = reason.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
                tally.left_out.extend(CHECKS.iter().map(|check| format!("{}: {reason}", test_name(check))));
            }
            None => {
                println!("the guest could not be run: {error:#}");
                for check in CHECKS {
                    println!("test {} ... FAILED", test_name(check));
                    tally.count(false);
                }
            }
        },
    }
}
