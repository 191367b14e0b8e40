//! Sums up what cargo's test programs report.

/// What a run of test programs came to so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed, those that left themselves out included: the harness cannot tell them apart.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Names of tests that are marked `#[ignore]`.
    pub ignored: Vec<String>,
    /// Tests beside cargo's that were left out, each with the reason: `name: reason`.
    pub left_out: Vec<String>,
    /// Test programs that began.
    began: u64,
    /// Test programs that reported a result.
    reported: u64,
}

impl Tally {
    /// Takes in one line of a test program's standard output.
    pub fn line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.reported += 1;
            // "ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s"
            let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
            for count in counts.split("; ") {
                match count.split_once(' ').map(|(number, what)| (number.parse::<u64>(), what)) {
                    Some((Ok(number), "passed")) => self.passed += number,
                    Some((Ok(number), "failed")) => self.failed += number,
                    _ => {}
                }
            }
        } else if let Some(name) = line.strip_prefix("test ").and_then(ignored_name) {
            self.ignored.push(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("running ") {
            // "running 1 test", "running 3 tests"
            if let Some((number, "test" | "tests")) = rest.split_once(' ')
                && number.parse::<u64>().is_ok()
            {
                self.began += 1;
            }
        }
    }

    /// Takes in a test beside cargo's.
    pub fn count(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }

    /// Test programs that began and ended without a result: killed, crashed, out of memory.
    pub fn crashed(&self) -> u64 {
        self.began.saturating_sub(self.reported)
    }

    /// The counts after the run: `skipped` tests left themselves out; `succeeded` is cargo's own verdict.
    ///
    /// A test program that crashed counts as one failure, and so does a run that cargo calls failed without any
    /// failed test (something did not compile).
    pub fn close(&self, skipped: u64, succeeded: bool) -> Closing {
        let failed = self.failed + self.crashed();
        Closing {
            passed: self.passed.saturating_sub(skipped),
            failed: if succeeded { failed } else { failed.max(1) },
            skipped: skipped + (self.ignored.len() + self.left_out.len()) as u64,
        }
    }
}

/// The name in "NAME ... ignored" or "NAME ... ignored, reason".
fn ignored_name(line: &str) -> Option<&str> {
    let (name, outcome) = line.rsplit_once(" ... ")?;
    let rest = outcome.strip_prefix("ignored")?;
    (rest.is_empty() || rest.starts_with(", ")).then_some(name)
}

/// The last line of a test run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Tests that ran and passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that did not run.
    pub skipped: u64,
}

impl std::fmt::Display for Closing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &str) -> Tally {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.line(line));
        tally
    }

    const TWO_PROGRAMS: &str = "\nrunning 3 tests\ntest a::b ... ok\ntest a::slow ... ignored, takes an hour\n\
        test a::c ... ok\n\n\
        test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\n\
        running 1 test\ntest src/lib.rs - x (line 3) ... FAILED\n\n\
        test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.20s\n";

    #[test]
    fn result_lines_are_summed_and_ignored_tests_named() {
        let tally = tally(TWO_PROGRAMS);
        assert_eq!(tally.ignored, ["a::slow"]);
        assert_eq!(tally.close(0, false).to_string(), "2 passed, 1 failed, 1 skipped");
        assert_eq!(tally.close(1, false).to_string(), "1 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn a_program_without_a_result_is_a_failure() {
        let tally =
            tally("running 4 tests\ntest a ... ok\nrunning 1 test\ntest result: ok. 1 passed; 0 failed\n");
        assert_eq!(tally.crashed(), 1);
        assert_eq!(tally.close(0, false).to_string(), "1 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn a_failed_run_never_closes_without_a_failure() {
        assert_eq!(tally("").close(0, false).to_string(), "0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn tests_beside_cargos_count_as_well() {
        let mut tally = tally(TWO_PROGRAMS);
        tally.count(true);
        tally.count(false);
        tally.left_out.push("guest::vfio: no network".to_owned());
        // One of cargo's two left itself out.
        assert_eq!(tally.close(1, false).to_string(), "2 passed, 2 failed, 3 skipped");
    }

    #[test]
    fn what_a_test_prints_is_not_taken_for_a_result() {
        let tally = tally("running late\n  test result: ok. 9 passed\ntest that nothing ... happens\n");
        assert_eq!(tally, Tally::default());
    }
}
