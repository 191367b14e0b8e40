//! Speed and width of a PCIe link.

use crate::system::System;
use std::fmt;

/// What is known of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkSpeed {
    /// Transfers a second on each lane, in GT/s: 8 for the third generation, 16 for the fourth.
    pub gigatransfers: Option<f64>,
    /// Lanes.
    pub lanes: Option<u32>,
}

impl LinkSpeed {
    /// From the files of sysfs: `8.0 GT/s PCIe` (`Unknown` where it does not know), and a number.
    pub(super) fn read(system: &System, speed: &str, width: &str) -> LinkSpeed {
        let speed = system.text(speed);
        let number = speed.as_ref().and_then(|text| text.split_ascii_whitespace().next()?.parse().ok());
        // A link that is down has no lanes; slots that say 255 do not know.
        let lanes = system.number(width).and_then(|lanes| u32::try_from(lanes).ok());
        LinkSpeed { gigatransfers: number, lanes: lanes.filter(|lanes| (1..=32).contains(lanes)) }
    }
}

impl fmt::Display for LinkSpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.gigatransfers, self.lanes) {
            (Some(speed), Some(lanes)) => write!(f, "{speed} GT/s x{lanes}"),
            (Some(speed), None) => write!(f, "{speed} GT/s"),
            (None, Some(lanes)) => write!(f, "x{lanes}"),
            (None, None) => write!(f, "unknown"),
        }
    }
}
