//! Frames: flags, escapes and a CRC around packets, as [`spandrel_abi`] describes them.

use spandrel_abi::{
    SERIAL_CRC_BYTES, SERIAL_ESCAPE, SERIAL_ESCAPE_MASK, SERIAL_FLAG, SERIAL_PACKET_BYTES,
};
use zeroize::{Zeroize, Zeroizing};

/// The frame of a packet. It is overwritten when it is dropped, since a packet may hold secrets.
///
/// ```
/// use spandrel_driver::serial::frame::{Decoder, encode};
/// let mut decoder = Decoder::default();
/// let packets: Vec<_> = encode(b"\x01\x7e").iter().filter_map(|byte| decoder.push(*byte)).collect();
/// assert_eq!(packets.len(), 1);
/// assert_eq!(packets[0][..], *b"\x01\x7e");
/// ```
pub fn encode(packet: &[u8]) -> Zeroizing<Vec<u8>> {
    // As long as it can become, so that no copy of it is left behind by growing.
    let mut frame = Zeroizing::new(Vec::with_capacity(2 * (packet.len() + SERIAL_CRC_BYTES) + 2));
    frame.push(SERIAL_FLAG);
    for byte in packet.iter().chain(&crc32fast::hash(packet).to_le_bytes()) {
        match *byte {
            SERIAL_FLAG | SERIAL_ESCAPE => frame.extend([SERIAL_ESCAPE, byte ^ SERIAL_ESCAPE_MASK]),
            byte => frame.push(byte),
        }
    }
    frame.push(SERIAL_FLAG);
    frame
}

/// Takes frames apart. Whatever came before, the next whole frame is found.
#[derive(Default)]
pub struct Decoder {
    packet: Zeroizing<Vec<u8>>,
    escaped: bool,
    spoiled: bool,
    dropped: u64,
}

impl Decoder {
    /// Takes a byte of the line; gives the packet that ends with it.
    pub fn push(&mut self, byte: u8) -> Option<Zeroizing<Vec<u8>>> {
        if byte == SERIAL_FLAG {
            let sound = !std::mem::take(&mut self.escaped) & !std::mem::take(&mut self.spoiled);
            let mut packet = std::mem::take(&mut self.packet);
            if packet.is_empty() {
                return None;
            }
            let body = packet.len().saturating_sub(SERIAL_CRC_BYTES);
            let crc = crc32fast::hash(&packet[..body]).to_le_bytes();
            if !sound || packet.len() <= SERIAL_CRC_BYTES || packet[body..] != crc {
                self.dropped += 1;
                return None;
            }
            packet.truncate(body);
            return Some(packet);
        }
        if byte == SERIAL_ESCAPE && !self.escaped {
            self.escaped = true;
            return None;
        }
        let mask = if std::mem::take(&mut self.escaped) { SERIAL_ESCAPE_MASK } else { 0 };
        if self.packet.len() == SERIAL_PACKET_BYTES {
            self.spoiled = true;
        } else {
            if self.packet.capacity() == 0 {
                self.packet.reserve(SERIAL_PACKET_BYTES);
            }
            self.packet.push(byte ^ mask);
        }
        None
    }

    /// Frames that were dropped: garbage, a wrong CRC, too long.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.packet.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Vec<u8>> {
        bytes.iter().filter_map(|byte| decoder.push(*byte)).map(|packet| packet.to_vec()).collect()
    }

    /// Bytes with many flags and escapes among them.
    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(SERIAL_FLAG), Just(SERIAL_ESCAPE), any::<u8>(), any::<u8>()];
        prop::collection::vec(byte, 1..most)
    }

    proptest! {
        /// Whatever garbage comes between them, packets are found, in order, and nothing else is.
        #[test]
        fn garbage_costs_no_packet(packets in prop::collection::vec((bytes(60), bytes(40)), 1..8)) {
            let mut decoder = Decoder::default();
            for (garbage, packet) in packets {
                prop_assert!(decode(&mut decoder, &garbage).is_empty());
                prop_assert_eq!(decode(&mut decoder, &encode(&packet)), vec![packet]);
            }
        }

        /// Every bit of a frame between its flags: a flip never gives a packet, and the next one is whole.
        #[test]
        fn every_flipped_bit_is_seen(packet in bytes(60)) {
            let frame = encode(&packet);
            for at in 8..8 * (frame.len() - 1) {
                let mut damaged = frame.to_vec();
                damaged[at / 8] ^= 1 << (at % 8);
                let mut decoder = Decoder::default();
                prop_assert!(decode(&mut decoder, &damaged).is_empty(), "bit {}", at);
                prop_assert_eq!(decode(&mut decoder, &frame), vec![packet.clone()]);
            }
        }
    }

    #[test]
    fn packets_have_a_longest_length() {
        let mut decoder = Decoder::default();
        let longest = vec![1; SERIAL_PACKET_BYTES - SERIAL_CRC_BYTES];
        assert_eq!(decode(&mut decoder, &encode(&longest)), [longest]);
        assert!(decode(&mut decoder, &encode(&vec![1; SERIAL_PACKET_BYTES])).is_empty());
        assert_eq!(decoder.dropped(), 1);
    }
}
