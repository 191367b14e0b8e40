//! Verilated models: built once, cached, loaded as shared objects, run as many instances as wanted.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emitted: spandrel_hdl::emit::Emitted = unimplemented!();
//! use spandrel_sim::model::{BuildOptions, ModelLibrary};
//!
//! let library = ModelLibrary::build(&emitted, &BuildOptions::default())?;
//! let mut model = library.instance();
//! let (a, sum) = (model.port("a")?, model.port("sum")?);
//! model.set_u64(a, 5);
//! model.clock_cycle(); // inputs settle, the clock rises, outputs are those after the edge
//! println!("{}", model.get_u64(sum));
//! # Ok(())
//! # }
//! ```
//!
//! # Hierarchical models
//!
//! [`BuildOptions::hierarchy`] names modules that Verilator translates on their own, each once however often it occurs.
//! Models are flat unless asked otherwise: a hierarchical one takes about 60 % of the compiler's time and runs at half to
//! two thirds of the speed, since each instance of a part is called several times a cycle, with its inputs and outputs
//! copied, and nothing is optimised across its border. With the field multiplier `mont_mul_fq` of the profile `sim-small`
//! on its own, by g++ 12, in seconds of one core of a busy machine, outputs compared in every cycle:
//!
//! | design, random inputs | model | to build, s | speed, kHz |
//! | --- | --- | --- | --- |
//! | complete adder | flat | 24 | 263 |
//! | | hierarchical | 14 | 137 |
//! | whole card, not at work | flat | 35 | 146 |
//! | | hierarchical | 23 | 102 |
//!
//! measured by `SPANDREL_HOME=$(mktemp -d) cargo run -p spandrel-sim --example hierarchy sim-small adder` (and `card`).

mod build;
mod hierarchy;
mod instance;
mod library;
mod object;
mod shim;
#[cfg(test)]
mod tests;

pub use build::{BuildOptions, TraceFormat};
pub use instance::{Model, PortHandle};
pub use library::ModelLibrary;
