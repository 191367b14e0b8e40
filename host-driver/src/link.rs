//! The PCIe link, as the card's endpoint and its configuration space tell.

use crate::bar::Bar;
use crate::config::negotiated_link;
use crate::discovery::LinkSpeed;
use crate::error::DriverError;
use crate::transport::{AccessWidth, TransportError};
use spandrel_abi::*;

/// The state of the link between host and card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Speed and width as negotiated, where the configuration space can be read and tells.
    pub speed: LinkSpeed,
    /// Largest payload of a packet, in bytes.
    pub max_payload_bytes: u32,
    /// Largest read request, in bytes.
    pub max_read_bytes: u32,
    /// Whether the card may access host memory.
    pub bus_master: bool,
    /// Whether the card may send interrupt messages.
    pub msix_enable: bool,
    /// Bits of the packet streams inside the card.
    pub stream_bits: u32,
    /// Faults since the last reset.
    pub faults: LinkFaults,
}

/// Faults of the link since the last reset; each count stays at 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFaults {
    /// Reads without an answer in time.
    pub timeouts: u32,
    /// Reads that were answered with Unsupported Request.
    pub unsupported: u32,
    /// Reads that were answered with Completer Abort.
    pub aborted: u32,
    /// Reads that were answered with poisoned data.
    pub poisoned: u32,
    /// Answers that do not fit their request.
    pub malformed: u32,
    /// Answers that nothing waits for.
    pub unexpected: u32,
    /// Requests of the host that the card refused.
    pub refused: u32,
}

impl LinkFaults {
    /// Name and number of each.
    pub fn counts(&self) -> [(&'static str, u32); 7] {
        [
            ("timeouts", self.timeouts),
            ("unsupported", self.unsupported),
            ("aborted", self.aborted),
            ("poisoned", self.poisoned),
            ("malformed", self.malformed),
            ("unexpected", self.unexpected),
            ("refused", self.refused),
        ]
    }

    fn from_registers(reads: u32, others: u32) -> LinkFaults {
        LinkFaults {
            timeouts: LINK_TIMEOUTS.get(reads),
            unsupported: LINK_UNSUPPORTED.get(reads),
            aborted: LINK_ABORTED.get(reads),
            poisoned: LINK_POISONED.get(reads),
            malformed: LINK_MALFORMED.get(others),
            unexpected: LINK_UNEXPECTED.get(others),
            refused: LINK_REFUSED.get(others),
        }
    }
}

/// Reads the endpoint's registers; `None` for a card without an endpoint.
pub(crate) fn read(bar: &mut Bar) -> Result<Option<Link>, DriverError> {
    let status = match bar.transport.read_bar(LINK_STATUS.offset.into(), AccessWidth::Word) {
        // Only the core's registers are there.
        Err(TransportError::BadAccess { .. }) => return Ok(None),
        status => status? as u32,
    };
    if status == u32::MAX {
        return Err(DriverError::CardGone { register: LINK_STATUS.name });
    }
    let stream_bits = match LINK_STREAM.get(status) {
        0 => return Ok(None),
        code => 128 << code,
    };
    let (reads, others) = (bar.read(LINK_READ_FAULTS)?, bar.read(LINK_OTHER_FAULTS)?);
    let speed = negotiated_link(bar.transport.as_mut())?;
    Ok(Some(Link {
        speed,
        max_payload_bytes: 128 << LINK_MAX_PAYLOAD.get(status),
        max_read_bytes: 128 << LINK_MAX_READ.get(status),
        bus_master: LINK_BUS_MASTER.get(status) == 1,
        msix_enable: LINK_MSIX_ENABLE.get(status) == 1,
        stream_bits,
        faults: LinkFaults::from_registers(reads, others),
    }))
}
