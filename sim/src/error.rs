//! What can go wrong in building and running a simulation.

use std::path::PathBuf;

/// A simulation could not be built or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// A tool that builds models is missing or failed; the message says what to do.
    #[error(transparent)]
    Tool(#[from] spandrel_tools::ToolError),
    /// The design could not be written as Verilog.
    #[error(transparent)]
    Emit(#[from] spandrel_hdl::emit::EmitError),
    /// A file or folder of the model cache could not be used.
    #[error("cannot {action} {path}: {source}", path = .path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A compiled model could not be loaded.
    #[error("cannot load the compiled model {path}: {reason}; remove its folder to have it built again", path = .path.display())]
    Load {
        /// The shared object.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// Verilator's translation lacks a port that the design lists.
    #[error("Verilator's translation of {top} has no port {port}")]
    PortLost {
        /// Top module.
        top: String,
        /// The port.
        port: String,
    },
    /// A module was to be Verilated on its own that the design does not have, or that is the whole of it.
    #[error("{top} has no module {module} inside of it that could be Verilated on its own")]
    NoSuchModule {
        /// Top module.
        top: String,
        /// The module asked for.
        module: String,
    },
    /// A test or the card shell asked for a port that the design does not have.
    #[error("{top} has no port {port}; it has {known}")]
    NoSuchPort {
        /// Top module.
        top: String,
        /// The port asked for.
        port: String,
        /// The ports there are.
        known: String,
    },
    /// The model stopped itself, for instance because its logic does not settle.
    #[error("the model of {top} stopped: {message}")]
    Stopped {
        /// Top module.
        top: String,
        /// What the model said.
        message: String,
    },
    /// The card broke the rules of one of its buses: a fault of the RTL, found by the bus models.
    #[error("the card broke the rules of its buses {count} times; first: {first}")]
    Protocol {
        /// Number of violations.
        count: u64,
        /// The first of them.
        first: crate::axi::Violation,
    },
    /// The card did not answer a register access in time.
    #[error("the card did not answer a register access at {address:#x} within {cycles} cycles")]
    NoAnswer {
        /// Byte address.
        address: u64,
        /// How long was waited.
        cycles: u64,
    },
    /// The card answered a register access with an error.
    #[error("the card answered a register access at {address:#x} with the bus error {response}")]
    BusError {
        /// Byte address.
        address: u64,
        /// AXI response code: 2 = SLVERR, 3 = DECERR.
        response: u8,
    },
    /// A profile without a PCI Express endpoint.
    #[error("the card of profile {profile} has no PCI Express endpoint: its profile has no table [pcie]")]
    NoEndpoint {
        /// Name of the profile.
        profile: String,
    },
    /// A profile without a serial line.
    #[error("the card of profile {profile} has no serial line: its profile has no table [serial]")]
    NoSerialLine {
        /// Name of the profile.
        profile: String,
    },
    /// A profile with a serial line, where the card's buses were wanted.
    #[error("the card of profile {profile} has no buses to the outside: its profile has a table [serial], so it is reached as a serial device")]
    OnlySerialLine {
        /// Name of the profile.
        profile: String,
    },
    /// The driver did not get to the card over its line.
    #[error(transparent)]
    Line {
        /// What the driver says.
        source: spandrel_driver::TransportError,
    },
    /// The card did not answer as the operating system needs it when it sets a card up.
    #[error("the card cannot be set up: {what}")]
    Enumeration {
        /// What was found, and what should have been.
        what: String,
    },
    /// A function-level reset did not end.
    #[error("the card did not end its function-level reset within {cycles} cycles")]
    ResetNotDone {
        /// How long was waited.
        cycles: u64,
    },
    /// A waveform was asked of a model built without one, or the file could not be written.
    #[error("cannot write the waveform {path}: {reason}", path = .path.display())]
    Trace {
        /// The waveform file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl SimError {
    /// Wraps an I/O error with what was attempted on which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> SimError {
        let path = path.into();
        move |source| SimError::Io { action, path, source }
    }
}
