//! Tests of the driver over a card in software.

mod commands;
mod faults;
mod hashes;
mod jobs;
mod monitor;
mod staging;
mod support;
mod trees;
