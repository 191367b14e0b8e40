//! How a card is driven.

use crate::error::DriverError;

/// Largest number of entries of a ring.
pub(crate) const MAX_RING_ENTRIES: u32 = 32_768;

/// Options of [`Card::open`](crate::Card::open). The defaults suit both a simulated and a real card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardOptions {
    /// Entries of the submission ring, a power of two, 2 to 32,768. One entry always stays free.
    pub submission_entries: u32,
    /// Entries of the completion ring, a power of two, 2 to 32,768. One entry always stays free.
    pub completion_entries: u32,
    /// Jobs that may be under way at a time. What does not fit into the ring waits in the driver.
    pub max_jobs: usize,
    /// Bytes that one load command carries: bases travel through staging buffers of this size, two at a time.
    pub staging_bytes: usize,
    /// Bytes of memory for transfers that are kept between jobs, so that it need not be made reachable for each.
    pub idle_bytes: usize,
    /// How many times longer than estimated a command may take.
    pub bound_factor: u32,
    /// Cycles that every command may take on top, however small it is.
    pub bound_floor_cycles: u64,
    /// Cycles between two looks at the completion ring when no interrupt comes, and so between two calls of
    /// a progress callback.
    pub poll_cycles: u64,
    /// Runs an Identify command on opening and compares its words with the registers, which shows that the
    /// card reads and writes host memory.
    pub verify_queues: bool,
    /// Looks at the MSM engine's additions at each call of a progress callback, for [`Progress::sample`](crate::Progress::sample):
    /// two register accesses each time.
    pub sample: bool,
}

impl Default for CardOptions {
    fn default() -> CardOptions {
        CardOptions {
            submission_entries: 64,
            completion_entries: 64,
            max_jobs: 256,
            staging_bytes: 1 << 20,
            idle_bytes: 64 << 20,
            bound_factor: 16,
            bound_floor_cycles: 4_000_000,
            poll_cycles: 16_384,
            verify_queues: true,
            sample: false,
        }
    }
}

impl CardOptions {
    /// Checks every option.
    pub(crate) fn check(&self) -> Result<(), DriverError> {
        let ring = "the number of entries must be a power of two, 2 to 32,768";
        let fits = |entries: u32| entries.is_power_of_two() && (2..=MAX_RING_ENTRIES).contains(&entries);
        let positive = "it must be at least 1";
        let checks = [
            ("submission_entries", u64::from(self.submission_entries), fits(self.submission_entries), ring),
            ("completion_entries", u64::from(self.completion_entries), fits(self.completion_entries), ring),
            ("max_jobs", self.max_jobs as u64, self.max_jobs >= 1, positive),
            (
                "staging_bytes",
                self.staging_bytes as u64,
                (64..=1 << 30).contains(&self.staging_bytes),
                "it must be 64 bytes to 1 GiB",
            ),
            ("bound_factor", u64::from(self.bound_factor), self.bound_factor >= 1, positive),
            ("bound_floor_cycles", self.bound_floor_cycles, self.bound_floor_cycles >= 1, positive),
            ("poll_cycles", self.poll_cycles, self.poll_cycles >= 1, positive),
        ];
        match checks.into_iter().find(|check| !check.2) {
            Some((option, value, _, allowed)) => Err(DriverError::BadOption { option, value, allowed }),
            None => Ok(()),
        }
    }
}
