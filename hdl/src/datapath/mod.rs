//! The pipeline generator: feed-forward arithmetic described as plain Rust functions.
//!
//! A [`Datapath`] is a graph under construction. Each [`Wire`] knows its width and the pipeline stage in which
//! its value is there; an operation on wires of different stages first brings them to one stage through delay
//! registers, which are shared. A finished graph is a [`Module`]: it has a latency, takes new inputs every cycle
//! (II = 1), never stalls, and can be emitted as Verilog ([`Module::verilog`]), interpreted
//! ([`Module::evaluate`], [`Interpreter`]), counted ([`Module::statistics`]), instantiated in another graph
//! ([`Datapath::instance`]), or hosted in RustHDL ([`Host`], [`pipeline_block!`](crate::pipeline_block)).
//!
//! How much logic stands between two registers is chosen by [`DatapathConfig`]: the generator counts levels
//! (one per chunk of an addition, per multiplexer, per comparison) and sets a register where a stage is full.

mod arithmetic;
mod block;
mod config;
mod constant;
mod graph;
mod interpret;
mod lookup;
mod modular;
mod multiply;
mod statistics;
mod verilog;

pub use block::{Host, Integer, from_integer, to_integer};
pub use config::{ConstantProducts, DatapathConfig, Multipliers};
pub use graph::{Datapath, Module, Wire};
pub use interpret::Interpreter;
pub use multiply::Term;
pub use statistics::Statistics;
