//! What a run of the guest came to.

use super::checks::Verdict;
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;

/// A part of the run and how long it took.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What was done.
    pub name: &'static str,
    /// How long it took.
    pub seconds: f64,
}

/// A run of the guest.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every check with its verdict.
    pub checks: Vec<(String, Verdict)>,
    /// Why the guest did not power off by itself, if it did not.
    pub broken: Option<String>,
    /// How long each part took.
    pub phases: Vec<Phase>,
    /// QEMU's version.
    pub qemu: String,
    /// The kernel's version.
    pub kernel: String,
    /// What executed the guest.
    pub accelerator: &'static str,
    /// Size of the guest's file system.
    pub initramfs_bytes: u64,
    /// The guest's console.
    pub console_log: PathBuf,
    /// What the card's server said.
    pub server_log: PathBuf,
}

impl Report {
    /// How many checks passed.
    pub fn passed(&self) -> usize {
        self.checks.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Passed(_))).count()
    }

    /// Whether every check passed and the guest powered off.
    pub fn all_passed(&self) -> bool {
        self.broken.is_none() && self.passed() == self.checks.len()
    }

    /// The report as one JSON object.
    pub fn json(&self) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|(name, verdict)| {
                let (passed, detail) = match verdict {
                    Verdict::Passed(detail) => (true, detail),
                    Verdict::Failed(reason) => (false, reason),
                };
                json!({ "name": name, "passed": passed, "detail": detail })
            })
            .collect();
        let phases: serde_json::Map<String, Value> = self
            .phases
            .iter()
            .map(|phase| (format!("{}_seconds", phase.name.replace(' ', "_")), json!(phase.seconds)))
            .collect();
        json!({
            "passed": self.passed(),
            "failed": self.checks.len() - self.passed(),
            "broken": self.broken,
            "checks": checks,
            "phases": phases,
            "qemu": self.qemu,
            "kernel": self.kernel,
            "accelerator": self.accelerator,
            "initramfs_bytes": self.initramfs_bytes,
            "console_log": self.console_log,
            "server_log": self.server_log,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, verdict) in &self.checks {
            match verdict {
                Verdict::Passed(detail) => writeln!(out, "PASS {name}: {detail}")?,
                Verdict::Failed(reason) => writeln!(out, "FAIL {name}: {reason}")?,
            }
        }
        let phases: Vec<_> =
            self.phases.iter().map(|phase| format!("{} {:.1} s", phase.name, phase.seconds)).collect();
        writeln!(out, "time:    {}", phases.join(", "))?;
        writeln!(out, "guest:   Linux {}, QEMU {} ({})", self.kernel, self.qemu, self.accelerator)?;
        writeln!(out, "console: {}", self.console_log.display())?;
        writeln!(out, "card:    {}", self.server_log.display())?;
        if let Some(reason) = &self.broken {
            writeln!(out, "The guest did not run to its end: {reason}")?;
        }
        writeln!(out, "{} of {} checks passed", self.passed(), self.checks.len())
    }
}
