//! What can be wrong with a wrapper.

use crate::emit::EmitError;

/// Why there is no wrapper.
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    /// The board has none.
    #[error("board {0} has no wrapper: boards in a vendor's shell are alveo-u250, alveo-u55c and aws-f2")]
    NoWrapper(String),
    /// A list of ports cannot be read.
    #[error("the list of ports bitstreams/ip/{file} is not well formed: {reason}")]
    List {
        /// The file.
        file: String,
        /// Where and why.
        reason: String,
    },
    /// A module has no such port.
    #[error(
        "{instance} of module {module} has no port {port}: compare the wrapper with the list of the module's ports"
    )]
    NoPort {
        /// The instance.
        instance: String,
        /// Its module.
        module: String,
        /// What was to be connected.
        port: String,
    },
    /// A port is connected twice.
    #[error("port {port} of {instance} is connected twice")]
    Twice {
        /// The instance.
        instance: String,
        /// Its port.
        port: String,
    },
    /// An input hangs in the air.
    #[error("input {port} of {instance} is not connected: connect it, or tie it to a constant")]
    Open {
        /// The instance.
        instance: String,
        /// Its port.
        port: String,
    },
    /// A net or a constant is wider or narrower than the port.
    #[error("port {port} of {instance} has {wanted} bits and {net} has {found}")]
    Width {
        /// The instance.
        instance: String,
        /// Its port.
        port: String,
        /// What is connected to it.
        net: String,
        /// Bits of the net.
        found: usize,
        /// Bits of the port.
        wanted: usize,
    },
    /// A net that is used was never declared.
    #[error("net {0} is not declared")]
    NoNet(String),
    /// Nothing drives a net, or more than one thing does.
    #[error("net {net} is driven by {drivers} outputs: it must be one")]
    Drivers {
        /// The net.
        net: String,
        /// How many drive it.
        drivers: usize,
    },
    /// A part of the wrapper that is a block of ours cannot be written.
    #[error(transparent)]
    Emit(#[from] EmitError),
}
