//! The PCIe endpoint: between the streams of the AMD UltraScale+ integrated block and the card's buses.
//!
//! The hard block gives four streams of packets of 256 or 512 bits, a packet's first DWORD always in the lowest lane
//! (straddling off, DWORD-aligned): CQ and CC carry what the host asks of the card and the answers ([`Completer`],
//! [`Access`]), RQ and RC what the card asks of the host and the answers ([`WriteRequests`], [`ReadRequests`],
//! [`Requests`]). MSI-X messages are memory writes on RQ ([`Msix`]), so that they stay behind the data they tell of.

mod access;
mod completer;
mod edge;
mod endpoint;
mod flr;
mod link;
mod msix;
mod read;
mod receive;
mod requests;
mod top;
mod write;

pub use access::Access;
pub use completer::Completer;
pub use edge::{Narrow, Widen};
pub use endpoint::Endpoint;
pub use flr::FunctionReset;
pub use link::{LinkRegisters, Saturating};
pub use msix::{Msix, MsixVector};
pub use read::{ReadRequests, SLOTS};
pub use receive::{Receive, SLOT_BEATS};
pub use requests::Requests;
pub use top::{PcieCard, PcieCard256, PcieCard512, emit_card};
pub use write::WriteRequests;

/// The endpoint of a hard block with streams of 256 bits.
pub type Endpoint256 = Endpoint<256, 8, 88, 33, 62, 75>;

/// The endpoint of a hard block with streams of 512 bits.
pub type Endpoint512 = Endpoint<512, 16, 183, 81, 137, 161>;
