//! Status codes: how every command ends.

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal)+) => {
        /// How a command ended, one byte in its completion entry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        #[serde(rename_all = "kebab-case")]
        pub enum Status {
            $($(#[doc = $doc])+ $name = $code,)+
        }

        impl Status {
            /// Every status.
            pub const ALL: &'static [Status] = &[$(Status::$name),+];

            /// The meaning, one sentence.
            pub const fn doc(self) -> &'static str {
                match self { $(Status::$name => concat!($($doc),+),)+ }
            }

            /// The status of a code, or the code itself where it has none.
            pub const fn from_code(code: u8) -> Result<Status, u8> {
                match code { $($code => Ok(Status::$name),)+ _ => Err(code) }
            }
        }
    };
}

statuses! {
    /// The command did what it says.
    Success = 0
    /// The opcode is none of this interface's.
    UnknownOpcode = 1
    /// A reserved byte or flag of the descriptor is not zero.
    ReservedNotZero = 2
    /// The element count is zero where it may not be, or above the largest count.
    BadLength = 3
    /// A host or card address is not aligned as the command asks.
    BadAlignment = 4
    /// The command reaches past the end of card memory.
    CardAddressOutOfRange = 5
    /// A read of host memory was answered with an error.
    HostReadFault = 6
    /// A write to host memory was answered with an error.
    HostWriteFault = 7
    /// An access of card memory was answered with an error.
    CardMemoryFault = 8
    /// A parameter (field, operation, curve or bits per window) is none of this interface's, or none of this card's.
    BadParameter = 9
    /// The self-test computed something else than it should.
    SelfTestFailed = 10
    /// The card has no engine for this command.
    Unsupported = 11
    /// A read of host memory was not answered within the endpoint's time.
    HostReadTimeout = 12
    /// A read of host memory was answered as an unsupported request: nothing is mapped there, or the IOMMU refused it.
    HostReadUnsupported = 13
    /// A read of host memory was answered with a completer abort.
    HostReadAborted = 14
    /// A read of host memory was answered with poisoned data.
    HostReadPoisoned = 15
    /// A read of host memory was answered with something that does not fit the request.
    HostReadMalformed = 16
    /// The host has not enabled bus mastering, so the card may not access its memory.
    HostAccessDisabled = 17
    /// An element is not below the prime. The command ran to its end; its results, and a tree it wrote, are not to be used.
    NotCanonical = 18
    /// The index of a leaf is past the tree, or in an update not above the one before it. An update has written nothing.
    BadIndex = 19
}

/// Why a read of host memory failed, as the PCIe endpoint tells the core with each beat (`m_axi_host_ruser`, 3 bits):
/// the status of a cause. Causes that are none of these, and those of other buses (0), are a [`Status::HostReadFault`].
pub const HOST_READ_CAUSES: &[(u8, Status)] = &[
    (1, Status::HostReadTimeout),
    (2, Status::HostReadUnsupported),
    (3, Status::HostReadAborted),
    (4, Status::HostReadPoisoned),
    (5, Status::HostReadMalformed),
    (6, Status::HostAccessDisabled),
];
