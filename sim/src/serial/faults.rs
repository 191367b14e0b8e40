//! What goes wrong on a line.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How often a byte suffers what; in millionths. None by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineFaults {
    /// One of its bits arrives inverted.
    pub flipped: u32,
    /// It does not arrive.
    pub lost: u32,
    /// Another byte arrives before it that nobody sent.
    pub inserted: u32,
    /// The line rests before it, for 1 to 2,000 bit times.
    pub silence: u32,
}

impl LineFaults {
    /// Every kind, as often as each other.
    pub fn all(millionths: u32) -> LineFaults {
        LineFaults { flipped: millionths, lost: millionths, inserted: millionths, silence: millionths }
    }

    /// What arrives for a byte: bytes, each after so many bit times of rest. `count` grows with each fault.
    pub fn of(&self, byte: u8, random: &mut ChaCha8Rng, count: &mut u64) -> Vec<(u32, u8)> {
        let mut happens = |millionths: u32| {
            let does = millionths > 0 && random.gen_range(0..1_000_000) < millionths;
            *count += u64::from(does);
            does
        };
        let (flipped, lost) = (happens(self.flipped), happens(self.lost));
        let (inserted, silence) = (happens(self.inserted), happens(self.silence));
        let mut arrives = Vec::with_capacity(2);
        if inserted {
            arrives.push((0, random.r#gen()));
        }
        if !lost {
            let rest = if silence { random.gen_range(1..2000) } else { 0 };
            let mask = if flipped { 1 << random.gen_range(0..8) } else { 0 };
            arrives.push((rest, byte ^ mask));
        }
        arrives
    }
}
