//! A pipeline.

use std::collections::VecDeque;

/// A pipeline of fixed latency: what enters in one cycle leaves `latency` cycles later, at most one thing a cycle.
#[derive(Clone, Debug)]
pub(super) struct Delay<T> {
    latency: u64,
    under_way: VecDeque<(u64, T)>,
}

impl<T> Delay<T> {
    pub(super) fn new(latency: u32) -> Delay<T> {
        Delay { latency: u64::from(latency), under_way: VecDeque::new() }
    }

    /// Enters in cycle `now`.
    pub(super) fn enter(&mut self, now: u64, value: T) {
        self.under_way.push_back((now + self.latency, value));
    }

    /// What leaves in cycle `now`; to be asked for in every cycle, before anything enters in it.
    pub(super) fn leave(&mut self, now: u64) -> Option<T> {
        match self.under_way.front() {
            Some((due, _)) if *due <= now => self.under_way.pop_front().map(|(_, value)| value),
            _ => None,
        }
    }
}
