//! Why an MSM has no result.

use crate::formats::G1_BYTES;
use spandrel_abi::FIELD_BYTES;

/// Why an MSM has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Bases whose length is not a whole number of points.
    #[error("bases of {bytes} bytes are not a whole number of points of {G1_BYTES} bytes")]
    BadBases {
        /// Their length.
        bytes: usize,
    },
    /// A range outside the bases.
    #[error("bases {start}..{end} were asked for, but {len} are resident")]
    BadRange {
        /// First base.
        start: usize,
        /// One past the last.
        end: usize,
        /// Number of resident bases.
        len: usize,
    },
    /// Not as many scalars as bases.
    #[error("{bases} bases need {} bytes of scalars, but {bytes} were given", bases * FIELD_BYTES)]
    ScalarCount {
        /// Length of the scalars.
        bytes: usize,
        /// Number of bases.
        bases: usize,
    },
    /// A scalar that is not canonical.
    #[error("scalar {index} is not below the group's order; reduce it first")]
    ScalarNotReduced {
        /// Its place.
        index: usize,
    },
    /// A handle of another backend, or one released.
    #[error("the bases are not resident in this backend: load them into it first")]
    ForeignBases,
    /// Two backends computed different results.
    #[error(
        "{first} and {second} disagree on an MSM of {elements} elements: {first} has {first_point}, {second} has {second_point}; \
         one of them is broken: run `spandrel card selftest`, and `spandrel bench msm --backend dual` to reproduce it without secrets"
    )]
    Disagreement {
        /// The first backend.
        first: String,
        /// The second backend.
        second: String,
        /// The first backend's result, in decimal affine coordinates.
        first_point: String,
        /// The second backend's result.
        second_point: String,
        /// Size of the MSM.
        elements: usize,
    },
    /// The driver or the card reported an error.
    #[error("{backend}: {source}")]
    Device {
        /// Which backend.
        backend: String,
        /// The driver's error.
        source: spandrel_driver::DriverError,
    },
    /// The card answered, but not with points.
    #[error("{backend}: the result cannot be right: {why}; run `spandrel card selftest`")]
    BadResult {
        /// Which backend.
        backend: String,
        /// What is wrong with it.
        why: String,
    },
    /// The thread that drives the card is gone.
    #[error("{backend}: its worker thread has ended; open the card again")]
    Gone {
        /// Which backend.
        backend: String,
    },
    /// The operating system gave no thread.
    #[error("{backend}: its worker thread cannot be started: {source}")]
    NoThread {
        /// Which backend.
        backend: String,
        /// The operating system's reason.
        source: std::io::Error,
    },
}
