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
}
