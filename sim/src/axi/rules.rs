//! Breaches of the AXI rules, as found by the bus models.

use std::fmt;

/// So many violations are kept; all are counted.
const KEPT: usize = 64;

/// A breach of the AXI rules by the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The bus, by its port prefix.
    pub bus: String,
    /// Clock cycle since the model was made.
    pub cycle: u64,
    /// What happened, and the rule.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in cycle {}: {}", self.bus, self.cycle, self.what)
    }
}

/// The violations found on one bus.
#[derive(Clone, Debug, Default)]
pub struct Violations {
    kept: Vec<Violation>,
    count: u64,
}

impl Violations {
    #[cold]
    pub(crate) fn record(&mut self, bus: &str, cycle: u64, what: impl Into<String>) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(Violation { bus: bus.to_owned(), cycle, what: what.into() });
        }
    }

    /// The first violations, at most 64.
    pub fn list(&self) -> &[Violation] {
        &self.kept
    }

    /// Number of violations.
    pub fn count(&self) -> u64 {
        self.count
    }
}
