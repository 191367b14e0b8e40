//! What a person sees while the command works: on standard error, and only on a terminal.

use super::report::grouped;
use crate::groth16::{MsmRecord, Observer};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// A line that shows phase, MSMs done and cycles simulated. indicatif draws nothing where standard error is no
/// terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    phase: Mutex<&'static str>,
    submitted: AtomicUsize,
    done: AtomicUsize,
    cycles: AtomicU64,
}

impl Progress {
    /// A new line.
    pub(super) fn new() -> Progress {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} [{elapsed_precise}] {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress {
            bar,
            phase: Mutex::new("starting"),
            submitted: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            cycles: AtomicU64::new(0),
        }
    }

    /// Shows another phase.
    pub(super) fn set_phase(&self, name: &'static str) {
        *self.phase.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = name;
        self.show();
    }

    /// Shows how many of the card's cycles have passed.
    pub(super) fn set_cycles(&self, cycles: u64) {
        self.cycles.store(cycles, Ordering::Relaxed);
        self.show();
    }

    /// Removes the line.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let phase = *self.phase.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut text = phase.to_owned();
        let submitted = self.submitted.load(Ordering::Relaxed);
        if submitted != 0 {
            text.push_str(&format!(", MSMs {}/{submitted} done", self.done.load(Ordering::Relaxed)));
        }
        let cycles = self.cycles.load(Ordering::Relaxed);
        if cycles != 0 {
            text.push_str(&format!(", {} card cycles", grouped(cycles)));
        }
        self.bar.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Observer for Progress {
    fn phase(&self, name: &'static str) {
        self.set_phase(name);
    }

    fn msm_submitted(&self, _name: &'static str, _elements: usize) {
        self.submitted.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    fn msm_done(&self, _record: &MsmRecord) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.show();
    }
}
