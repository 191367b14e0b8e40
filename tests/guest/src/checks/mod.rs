//! The checks, one a file. Each gives a sentence on what it found.

pub mod dma_refused;
pub mod enumeration;
pub mod exclusive;
pub mod function_reset;
pub mod interrupts;
pub mod killed_mid_job;
pub mod msm;
pub mod polling;
pub mod proof;
pub mod self_test;
pub mod sysfs_bar;
pub mod vfio;
