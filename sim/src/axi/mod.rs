//! The other sides of the card's buses.

mod lite;
mod rules;
mod slave;

pub use lite::{LiteMaster, LiteOutcome};
pub use rules::{Violation, Violations};
pub use slave::{AxiSlave, SlaveTiming, Traffic};
