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

mod build;
mod instance;
mod library;
mod shim;
#[cfg(test)]
mod tests;

pub use build::{BuildOptions, TraceFormat};
pub use instance::{Model, PortHandle};
pub use library::ModelLibrary;
