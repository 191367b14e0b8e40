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
//! Models are flat unless asked otherwise: a hierarchical one takes half to two thirds of the compiler's time, but each
//! instance of a part is called three times a cycle, with its inputs and outputs copied, and nothing is optimised across
//! its border. With the field multiplier `mont_mul_fq` of the profile `sim-small` on its own, g++ 12, on a busy machine of
//! two cores, by `SPANDREL_HOME=$(mktemp -d) cargo run -p spandrel-sim --example hierarchy sim-small adder` (and `card`):
//!
//! | design | | build, processor seconds | kHz, random inputs |
//! | --- | --- | --- | --- |
//! | complete adder | flat | 23.5 | 144 |
//! | | hierarchical | 13.7 | 31 |
//! | whole card, idle | flat | 34 | 52 |
//! | | hierarchical | 23 | 55 |
//!
//! An idle card hides it, since parts whose inputs stand still are not called for them; one at work adds a point nearly
//! every cycle.

mod build;
mod hierarchy;
mod instance;
mod library;
mod shim;
#[cfg(test)]
mod tests;

pub use build::{BuildOptions, TraceFormat};
pub use instance::{Model, PortHandle};
pub use library::ModelLibrary;
