//! Synthesis, checked: the netlist that Yosys makes of a unit, simulated with Yosys' own models of the cells against what the
//! unit should do.
//!
//! The netlist goes the way of any Verilog here, through Verilator, and meets inputs and references as the unit itself does
//! in the tests of its crate. A second netlist of each unit has one bit of one LUT's table turned over: it must fail, or the
//! inputs reach too little.

mod synthesis;
mod units;

pub use synthesis::{Netlist, NetlistError, synthesise};
pub use units::{NetlistUnit, UNITS};

use serde::Serialize;
use std::time::Instant;

/// Broken netlists that are tried before a unit counts as unprotected: a bit of a table may be one that no input reaches.
const TRIES: usize = 4;

/// How a unit fared.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The unit.
    pub unit: &'static str,
    /// Family of parts.
    pub family: &'static str,
    /// Cells of the netlist.
    pub cells: u64,
    /// DSP slices among them.
    pub dsp: u64,
    /// Inputs or cycles that were compared.
    pub compared: usize,
    /// What differed; nothing if the netlist is right.
    pub fault: Option<String>,
    /// The broken netlist failed, too.
    pub broken_fails: bool,
    /// Of this machine, synthesis (if it was not kept) and simulations.
    pub seconds: f64,
}

impl Row {
    /// The netlist is right, and a broken one is not.
    pub fn passed(&self) -> bool {
        self.fault.is_none() && self.broken_fails
    }
}

/// Synthesises a unit and simulates its netlist and a broken one.
///
/// # Errors
/// [`NetlistError`] where there is no netlist to simulate.
pub fn check(unit: &NetlistUnit) -> Result<Row, NetlistError> {
    let started = Instant::now();
    let (emitted, law) = (unit.make)();
    let netlist = synthesise(&emitted)?;
    let fault = law(&netlist.emitted).err();
    let broken_fails = (0..TRIES).any(|which| match netlist.broken(which) {
        Some(broken) => law(&broken).is_err(),
        None => false,
    });
    Ok(Row {
        unit: unit.name,
        family: synthesis::FAMILY,
        cells: netlist.cells,
        dsp: netlist.dsp,
        compared: units::COMPARED,
        fault,
        broken_fails,
        seconds: started.elapsed().as_secs_f64(),
    })
}
