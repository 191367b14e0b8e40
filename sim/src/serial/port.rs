//! The host's end of a serial line, bit by bit.

use std::collections::VecDeque;

/// Parts of a cycle in which bit times are counted.
const PARTS: u64 = 256;
/// Ten bits of a byte.
const BITS: u64 = 10;

/// A serial port: 8 data bits, no parity, one stop bit, at any rate. One step is a clock cycle of the card.
///
/// Bytes that it sends begin when the one before has ended; bytes that it receives are sampled in the middles of their
/// bits. A byte without stop bit is lost.
#[derive(Debug)]
pub struct SerialPort {
    /// Parts of a cycle that a bit takes.
    bit: u64,
    sending: Option<(u64, u16)>,
    queue: VecDeque<(u32, u8)>,
    resting: u64,
    /// Parts since the start bit, and bits sampled.
    receiving: Option<(u64, u16, u64)>,
    armed: bool,
    received: VecDeque<u8>,
    lost: u64,
}

impl SerialPort {
    /// A port at a rate: `clock_hz` cycles and `baud` bits a second.
    pub fn new(clock_hz: u64, baud: u32) -> SerialPort {
        let mut port = SerialPort {
            bit: PARTS,
            sending: None,
            queue: VecDeque::new(),
            resting: 0,
            receiving: None,
            armed: false,
            received: VecDeque::new(),
            lost: 0,
        };
        port.set_rate(clock_hz, baud);
        port
    }

    /// Changes the rate; a byte that is under way is damaged.
    pub fn set_rate(&mut self, clock_hz: u64, baud: u32) {
        self.bit = (clock_hz * PARTS / u64::from(baud.max(1))).max(1);
    }

    /// Queues a byte, to be sent after so many bit times of rest.
    pub fn send(&mut self, rest_bits: u32, byte: u8) {
        self.queue.push_back((rest_bits, byte));
    }

    /// Bytes that have not been sent yet.
    pub fn pending(&self) -> usize {
        self.queue.len() + usize::from(self.sending.is_some())
    }

    /// Whether a byte is coming in.
    pub fn is_receiving(&self) -> bool {
        self.receiving.is_some()
    }

    /// The next byte that came in.
    pub fn receive(&mut self) -> Option<u8> {
        self.received.pop_front()
    }

    /// Bytes without stop bit.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// One clock cycle: takes the level of the card's line, gives that of the other one.
    #[inline]
    pub fn step(&mut self, level: bool) -> bool {
        self.sample(level);
        self.drive()
    }

    #[inline]
    fn sample(&mut self, level: bool) {
        let Some((at, bits, count)) = &mut self.receiving else {
            if !level && self.armed {
                self.receiving = Some((PARTS / 2, 0, 0));
            }
            self.armed = level;
            return;
        };
        *at += PARTS;
        if *at < *count * self.bit + self.bit / 2 {
            return;
        }
        *bits |= u16::from(level) << *count;
        *count += 1;
        if *count == 1 && level {
            // No start bit after all.
            self.receiving = None;
            self.armed = true;
        } else if *count == BITS {
            match level {
                true => self.received.push_back((*bits >> 1) as u8),
                false => self.lost += 1,
            }
            self.receiving = None;
            self.armed = level;
        }
    }

    #[inline]
    fn drive(&mut self) -> bool {
        if self.sending.is_none() && self.resting == 0 {
            let Some((rest, byte)) = self.queue.pop_front() else { return true };
            self.resting = u64::from(rest) * self.bit;
            self.sending = Some((0, u16::from(byte) << 1 | 1 << 9));
        }
        if self.resting > 0 {
            self.resting = self.resting.saturating_sub(PARTS);
            return true;
        }
        let Some((at, bits)) = &mut self.sending else { return true };
        let level = *bits >> (*at / self.bit).min(BITS - 1) & 1 == 1;
        *at += PARTS;
        if *at >= BITS * self.bit {
            self.sending = None;
        }
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two ports at rates that differ by 2 % understand each other; at rates that differ by half they do not.
    #[test]
    fn ports_understand_each_other() {
        for (clock, baud, other, understood) in [
            (20_000_000, 1_000_000, 1_000_000, true),
            (20_000_000, 1_000_000, 1_020_000, true),
            (20_000_000, 5_000_000, 5_000_000, true),
            (20_000_000, 1_000_000, 1_500_000, false),
        ] {
            let (mut first, mut second) = (SerialPort::new(clock, baud), SerialPort::new(clock, other));
            let mut level = true;
            (0..10).for_each(|_| {
                second.step(true);
            });
            (0..=255).for_each(|byte| first.send(u32::from(byte) % 3, byte));
            let mut seen = Vec::new();
            for _ in 0..256 * 14 * clock / u64::from(baud) {
                second.step(level);
                level = first.step(true);
                seen.extend(second.receive());
            }
            assert_eq!(first.pending(), 0);
            assert_eq!(seen == (0..=255).collect::<Vec<u8>>(), understood, "{baud} and {other}");
        }
    }
}
