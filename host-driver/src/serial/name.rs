//! How a card at a serial line is named.

use std::path::PathBuf;
use std::str::FromStr;

/// Before the device's path.
pub const SERIAL_PREFIX: &str = "serial:";

/// A serial device and the bit rate to use it at: `serial:/dev/ttyUSB0:3000000`.
///
/// ```
/// use spandrel_driver::serial::SerialName;
/// let name: SerialName = "serial:/dev/ttyUSB0:3000000".parse()?;
/// assert_eq!((name.path.to_str(), name.baud), (Some("/dev/ttyUSB0"), Some(3_000_000)));
/// assert_eq!("serial:/dev/ttyUSB0".parse::<SerialName>()?.baud, None);
/// assert!("serial:/dev/ttyUSB0:fast".parse::<SerialName>().is_err());
/// # Ok::<(), spandrel_driver::serial::BadSerialName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialName {
    /// The device.
    pub path: PathBuf,
    /// Bits a second; without it the board's own rate, and the highest one that there is for a simulated card.
    pub baud: Option<u32>,
}

/// A text that names no serial device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" names no serial device: give serial:DEVICE or serial:DEVICE:BAUD with 9,600 to 100,000,000 bits a second, \
     such as serial:/dev/ttyUSB0:3000000"
)]
pub struct BadSerialName {
    /// The text.
    pub text: String,
}

impl FromStr for SerialName {
    type Err = BadSerialName;

    fn from_str(text: &str) -> Result<SerialName, BadSerialName> {
        let bad = || BadSerialName { text: text.to_owned() };
        let rest = text.strip_prefix(SERIAL_PREFIX).ok_or_else(bad)?;
        let (path, baud) = match rest.rsplit_once(':') {
            None => (rest, None),
            Some((path, baud)) => {
                let plain = baud.bytes().all(|byte| byte.is_ascii_digit());
                let baud = baud.parse().ok().filter(|baud| plain && (9_600..=100_000_000).contains(baud));
                (path, Some(baud.ok_or_else(bad)?))
            }
        };
        match path.is_empty() {
            true => Err(bad()),
            false => Ok(SerialName { path: path.into(), baud }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_is_a_name() {
        for text in ["serial:", "serial::1000000", "/dev/ttyUSB0", "serial:/dev/x:", "serial:/dev/x:+9600"] {
            assert!(text.parse::<SerialName>().is_err(), "{text}");
        }
        for baud in ["9599", "100000001", "99999999999"] {
            let error = format!("serial:/dev/x:{baud}").parse::<SerialName>().unwrap_err().to_string();
            assert!(error.contains(baud) && error.contains("9,600"), "{error}");
        }
    }
}
