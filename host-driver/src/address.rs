//! Where a card sits on the PCI bus.

use std::fmt;
use std::str::FromStr;

/// A PCI address: domain, bus, device and function, written `0000:3b:00.0`.
///
/// ```
/// use spandrel_driver::PciAddress;
/// let address: PciAddress = "3b:00.0".parse()?;
/// assert_eq!(address.to_string(), "0000:3b:00.0");
/// assert!("3b:20.0".parse::<PciAddress>().is_err());
/// # Ok::<(), spandrel_driver::BadPciAddress>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    /// The domain (segment).
    pub domain: u16,
    /// The bus.
    pub bus: u8,
    /// The device on the bus, 0 to 31.
    pub device: u8,
    /// The function of the device, 0 to 7.
    pub function: u8,
}

/// A text that is no PCI address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is no PCI address: give domain, bus, device and function in hexadecimal, such as 0000:3b:00.0"
)]
pub struct BadPciAddress {
    /// The text.
    pub text: String,
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.device, self.function)
    }
}

impl FromStr for PciAddress {
    type Err = BadPciAddress;

    /// Reads an address; without a domain, it is in domain 0.
    fn from_str(text: &str) -> Result<PciAddress, BadPciAddress> {
        parse(text).ok_or_else(|| BadPciAddress { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<PciAddress> {
    let (rest, function) = text.rsplit_once('.')?;
    let (rest, device) = rest.rsplit_once(':')?;
    let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0000", rest));
    // No sign and no blanks, which `from_str_radix` would let pass.
    let number = |text: &str, digits: usize, most: u16| {
        let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u16::from_str_radix(text, 16).ok().filter(|number| plain && *number <= most)
    };
    Some(PciAddress {
        domain: number(domain, 4, u16::MAX)?,
        bus: number(bus, 2, 0xff)? as u8,
        device: number(device, 2, 0x1f)? as u8,
        function: number(function, 1, 7)? as u8,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(domain: u16, bus: u8, device in 0u8..32, function in 0u8..8) {
            let address = PciAddress { domain, bus, device, function };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn nothing_else_is_an_address() {
        for text in [
            "",
            "3b",
            "3b:00",
            "3b:00.8",
            "3b:20.0",
            "+3b:00.0",
            "0000:3b:00.0 ",
            "0:3b:00.0",
            "x:3b:00.0",
            "a:0000:3b:00.0",
        ] {
            assert!(text.parse::<PciAddress>().is_err(), "{text}");
        }
        assert_eq!(
            "ffff:ff:1f.7".parse(),
            Ok(PciAddress { domain: 0xffff, bus: 0xff, device: 0x1f, function: 7 })
        );
    }
}
