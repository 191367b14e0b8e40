//! Verilog from connected RustHDL blocks: checked, merged, with plain names.
//!
//! RustHDL writes one Verilog module for every *instance* and joins names with `$`. [`emit`] runs RustHDL's checks first
//! (its own entry point panics where they fail), merges modules that are equal bottom-up, and renames: modules become
//! `<top>_<field>`, every other `$` in a name becomes `_`, and what is a plain name in Verilog but a word of SystemVerilog
//! gets a `_` appended. Users' sides of shared modules are drawn out into a pool (see [`SIDE_OF`]). The text depends on the
//! block alone, so its hash can key a cache.
//!
//! ```
//! use rust_hdl::prelude::*;
//! use spandrel_hdl::emit::emit;
//!
//! #[derive(LogicBlock, Default)]
//! struct Inverter {
//!     pub a: Signal<In, Bit>,
//!     pub y: Signal<Out, Bit>,
//! }
//! impl Logic for Inverter {
//!     #[hdl_gen]
//!     fn update(&mut self) {
//!         self.y.next = !self.a.val();
//!     }
//! }
//!
//! let mut block = Inverter::default();
//! block.connect_all();
//! let emitted = emit(&block, "inverter")?;
//! assert!(emitted.verilog.contains("module inverter(a,y);"));
//! assert_eq!(emitted.ports[1].name, "y");
//! # Ok::<(), spandrel_hdl::emit::EmitError>(())
//! ```

mod check;
mod merge;
mod names;
mod pool;
#[cfg(test)]
mod tests;
mod words;

pub use pool::SIDE_OF;

use rust_hdl::prelude::{Atom, AtomKind, Block, Probe, generate_verilog_unchecked};

/// Which way a port of the top module goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortDirection {
    /// Into the module.
    Input,
    /// Out of the module.
    Output,
}

/// A port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name as in the Verilog text.
    pub name: String,
    /// Which way it goes.
    pub direction: PortDirection,
    /// Width in bits.
    pub width: usize,
}

/// A module of the merged text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Name as in the Verilog text.
    pub name: String,
    /// How many instances of it the elaborated design has.
    pub instances: usize,
    /// Length of its text in bytes, sub-modules and what a pool adds not counted.
    pub bytes: usize,
    /// Its inside is Verilog that the block brought along (as pipelines and registers do) instead of a kernel.
    pub ready_made: bool,
}

/// A design as Verilog text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Name of the top module.
    pub top: String,
    /// All modules, a sub-module before whatever instantiates it, the top module last.
    pub verilog: String,
    /// Ports of the top module in order of declaration.
    pub ports: Vec<Port>,
    /// The modules of the text, in its order, without those that blocks brought along as text; empty for text that was not
    /// written by [`emit`].
    pub modules: Vec<Module>,
}

impl Emitted {
    /// Hand-written Verilog with a list of the top module's ports.
    pub fn from_verilog(top: &str, verilog: impl Into<String>, ports: Vec<Port>) -> Emitted {
        Emitted { top: top.to_owned(), verilog: verilog.into(), ports, modules: Vec::new() }
    }

    /// The port of this name.
    pub fn port(&self, name: &str) -> Option<&Port> {
        self.ports.iter().find(|port| port.name == name)
    }

    /// The text with the named modules marked for hierarchical Verilation (each compiled once, however often it occurs).
    ///
    /// Names that the text does not define are ignored.
    pub fn verilog_with_hierarchy(&self, modules: &[&str]) -> String {
        let mut text = String::with_capacity(self.verilog.len() + 40 * modules.len());
        for line in self.verilog.lines() {
            text.push_str(line);
            text.push('\n');
            if module_name(line).is_some_and(|name| modules.contains(&name)) {
                text.push_str("    /*verilator hier_block*/\n");
            }
        }
        text
    }

    /// The text with the insides of pipelines (ready-made modules of more than a few lines) left out of waveforms.
    ///
    /// They have thousands of wires without names, which would make up nearly all of a waveform and of the time to write
    /// it; their ports are still seen from the modules around them.
    pub fn verilog_for_waveforms(&self) -> String {
        const FEW_LINES_BYTES: usize = 2000;
        let hidden = |name: &str| {
            match self.modules.iter().find(|module| module.name == name) {
                Some(module) => module.ready_made && module.bytes > FEW_LINES_BYTES,
                // Brought along by a block, as the modules of pipelines are.
                None => !self.modules.is_empty(),
            }
        };
        let mut text = String::with_capacity(self.verilog.len() + 100 * self.modules.len());
        let mut inside = false;
        for line in self.verilog.lines() {
            if module_name(line).is_some_and(hidden) {
                inside = true;
                text.push_str("/*verilator tracing_off*/\n");
            }
            text.push_str(line);
            text.push('\n');
            if inside && line.starts_with("endmodule") {
                inside = false;
                text.push_str("/*verilator tracing_on*/\n");
            }
        }
        text
    }
}

/// The name in the first line of a module.
fn module_name(line: &str) -> Option<&str> {
    line.strip_prefix("module ").and_then(|rest| rest.split('(').next()).map(str::trim)
}

/// Why a block cannot be written as Verilog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The name asked for the top module is not a plain Verilog name.
    #[error("{0:?} cannot name a Verilog module: use letters, digits and _, beginning with a letter")]
    TopName(String),
    /// RustHDL's checks found fault with the design.
    #[error("the design of {top} does not pass the checks:\n{}", .faults.join("\n"))]
    Faults {
        /// Name of the top module.
        top: String,
        /// A sentence for each fault.
        faults: Vec<String>,
    },
    /// RustHDL gave up while it wrote the text.
    #[error("RustHDL could not write {top}: {message}")]
    Generator {
        /// Name of the top module.
        top: String,
        /// What it said.
        message: String,
    },
    /// The text that RustHDL wrote lacks a module that the design has.
    #[error("RustHDL's text lacks the module of {path}")]
    ModuleMissing {
        /// Path of the instance.
        path: String,
    },
    /// The module that is to hold a pool has no clock.
    #[error("{module} holds all users of {shared} and has no input clock for it")]
    PoolClock {
        /// The module.
        module: String,
        /// What is shared.
        shared: String,
    },
    /// A user of a shared module leaves a port of it open.
    #[error("{path}, a side of a shared module, is not connected at its port {port}")]
    PoolPort {
        /// Path of the instance.
        path: String,
        /// Name of the port.
        port: String,
    },
    /// The top module has a port that goes both ways.
    #[error("port {port} of {top} goes both ways; use an input, an output and an enable")]
    BothWays {
        /// Name of the top module.
        top: String,
        /// Name of the port.
        port: String,
    },
}

/// Writes a connected block (its `connect_all()` has been called) and everything in it as Verilog, `top` being the name
/// of its module.
///
/// Instance, signal and port names are RustHDL's with `$` turned into `_` (`_` repeated where that would clash): the
/// port `awvalid` of a `LogicInterface` field `s_axil` is `s_axil_awvalid`.
pub fn emit(block: &impl Block, top: &str) -> Result<Emitted, EmitError> {
    let plain = top.starts_with(|c: char| c.is_ascii_alphabetic())
        && top.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain {
        return Err(EmitError::TopName(top.to_owned()));
    }
    let faults = check::faults(block, top);
    if !faults.is_empty() {
        return Err(EmitError::Faults { top: top.to_owned(), faults });
    }
    // The checks are done; what still panics in the generator is a kernel that it cannot write.
    let text =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| generate_verilog_unchecked(block)))
            .map_err(|panic| EmitError::Generator { top: top.to_owned(), message: panic_message(&*panic) })?;
    let merged = merge::merge(block, &text, top)?;
    let renaming = names::Renaming::new(&merged.text);
    let mut ports = top_ports(block, top)?;
    for port in &mut ports {
        port.name = renaming.apply(&port.name);
    }
    let verilog = pool::draw_out(&renaming.apply(&merged.text), top)?;
    Ok(Emitted { top: top.to_owned(), verilog, ports, modules: merged.modules })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => (*message).to_owned(),
        (_, Some(message)) => message.clone(),
        _ => "no message".to_owned(),
    }
}

#[derive(Default)]
struct TopPorts {
    depth: usize,
    namespace: Vec<String>,
    ports: Vec<(String, AtomKind, usize)>,
}

impl Probe for TopPorts {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.namespace.push(name.to_owned());
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        if self.depth == 1 && signal.kind().is_parameter() {
            let mut path = self.namespace.clone();
            path.push(name.to_owned());
            self.ports.push((path.join("$"), signal.kind(), signal.bits()));
        }
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.namespace.pop();
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }
}

fn top_ports(block: &impl Block, top: &str) -> Result<Vec<Port>, EmitError> {
    let mut probe = TopPorts::default();
    block.accept("top", &mut probe);
    let port = |(name, kind, width): (String, AtomKind, usize)| match kind {
        AtomKind::InputParameter => Ok(Port { name, direction: PortDirection::Input, width }),
        AtomKind::InOutParameter => Err(EmitError::BothWays { top: top.to_owned(), port: name }),
        _ => Ok(Port { name, direction: PortDirection::Output, width }),
    };
    probe.ports.into_iter().map(port).collect()
}
