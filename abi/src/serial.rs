//! The link of a card without PCI Express: packets over a serial line.
//!
//! # Bytes
//! 8 data bits, no parity, one stop bit. After power-on, and whenever the line was low for [`SERIAL_BREAK_BITS`] bit
//! times (a break, or a zero byte sent at a far lower rate), the card is at the board's default rate.
//!
//! # Frames
//! A frame is [`SERIAL_FLAG`], the packet, its CRC, [`SERIAL_FLAG`]. Between the flags, each byte that is a flag or
//! [`SERIAL_ESCAPE`] is sent as [`SERIAL_ESCAPE`] and the byte exclusive-or [`SERIAL_ESCAPE_MASK`]. The CRC is CRC-32 as in
//! Ethernet (polynomial 0x04c11db7, reflected as [`SERIAL_CRC_POLYNOMIAL`], start and final mask all ones), little-endian, over
//! the packet before escaping. What fails its CRC is dropped, and the next flag begins anew; a receiver of a frame looks
//! at its length too, which follows from the kind of its packet.
//!
//! # Packets
//! Each packet begins with its kind and a sequence number, a byte each. Numbers are little-endian.
//!
//! | kind | from | after kind and sequence number |
//! | --- | --- | --- |
//! | [`SERIAL_HELLO`] | host | address 0 (2 bytes), data 0 (4): begins a session; answered with [`SERIAL_HELLO_VALUE`] |
//! | [`SERIAL_READ`] | host | byte address of a register (2), data 0 (4) |
//! | [`SERIAL_WRITE`] | host | byte address of a register in bits 11:0, byte strobes in 15:12 (2), data (4) |
//! | [`SERIAL_DIVISOR`] | host | address 0 (2), clock cycles of a bit (4), at least [`SERIAL_LEAST_DIVISOR`]; holds once the answer has left |
//! | [`SERIAL_RESET`] | host | address 0 (2), data 0 (4): the card's orderly reset; answered when it is over |
//! | [`SERIAL_MEMORY_READ`] | card | host address (8), beats of 32 bytes minus one (1) |
//! | [`SERIAL_MEMORY_WRITE`] | card | host address (8), beats minus one (1), data |
//! | [`SERIAL_EVENT`] | card | bits: 0 completion, 1 fault (1) |
//! | any of them + [`SERIAL_REPLY`] | the other | status (1), then for a request of the host a value (4), for a memory read that succeeded its data |
//!
//! # Order
//! Each side has at most one request of its own under way. A reply repeats its request's sequence number and is its
//! acknowledgement. Who gets none in time sends the same request again, with the same number. Who gets a request with
//! the number of the one before does not carry it out again but repeats its reply; a hello is always carried out. So
//! whatever the line loses, a register is read or written exactly once, and memory sees the card's accesses in order.
//!
//! # Rate
//! A burst of 2 KiB is a frame of 2 KiB, a reply of 9 to 20 bytes, and the time that both sides take to answer. At 1 Mbaud
//! that is 21 ms and the answer, so about 95 kB/s where the host answers in a millisecond.

/// Begins and ends a frame.
pub const SERIAL_FLAG: u8 = 0x7e;
/// The next byte is masked with [`SERIAL_ESCAPE_MASK`].
pub const SERIAL_ESCAPE: u8 = 0x7d;
/// What an escaped byte was exclusive-ored with.
pub const SERIAL_ESCAPE_MASK: u8 = 0x20;
/// The CRC's polynomial, bit-reflected.
pub const SERIAL_CRC_POLYNOMIAL: u32 = 0xedb8_8320;
/// What a receiver's CRC register holds after packet and CRC, before the final mask.
pub const SERIAL_CRC_RESIDUE: u32 = 0xdebb_20e3;
/// Bytes of a CRC.
pub const SERIAL_CRC_BYTES: usize = 4;

/// Begins a session.
pub const SERIAL_HELLO: u8 = 0x01;
/// Reads a register.
pub const SERIAL_READ: u8 = 0x02;
/// Writes a register.
pub const SERIAL_WRITE: u8 = 0x03;
/// Changes the card's bit rate.
pub const SERIAL_DIVISOR: u8 = 0x04;
/// Resets the card in an orderly manner.
pub const SERIAL_RESET: u8 = 0x05;
/// The card reads host memory.
pub const SERIAL_MEMORY_READ: u8 = 0x11;
/// The card writes host memory.
pub const SERIAL_MEMORY_WRITE: u8 = 0x12;
/// An interrupt cause arose.
pub const SERIAL_EVENT: u8 = 0x13;
/// Added to a request's kind, makes that of its reply.
pub const SERIAL_REPLY: u8 = 0x80;

/// Status of a reply: done.
pub const SERIAL_DONE: u8 = 0;
/// Status of a reply of the card: the register bus answered with an error.
pub const SERIAL_BUS_ERROR: u8 = 1;
/// Status of a reply of the card: it knows no such request, or the divisor is out of range. Status of a reply of the
/// host: no such memory; the host's others are the causes of [`HOST_READ_CAUSES`](crate::HOST_READ_CAUSES) too.
pub const SERIAL_REFUSED: u8 = 2;
/// Cause, of [`HOST_READ_CAUSES`](crate::HOST_READ_CAUSES), that the card gives an access which the host never answered.
pub const SERIAL_TIMEOUT_CAUSE: u8 = 1;

/// Version of the link.
pub const SERIAL_VERSION: u8 = 1;
/// The answer to [`SERIAL_HELLO`]: the bytes `S`, `L`, beats of the longest burst, [`SERIAL_VERSION`], from the highest.
pub const SERIAL_HELLO_VALUE: u32 =
    u32::from_be_bytes([b'S', b'L', SERIAL_BURST_BEATS as u8, SERIAL_VERSION]);
/// Bytes of a beat.
pub const SERIAL_BEAT_BYTES: usize = 32;
/// Beats of the longest memory read or write.
pub const SERIAL_BURST_BEATS: usize = 64;

/// Bytes of a request of the host, without CRC.
pub const SERIAL_REQUEST_BYTES: usize = 8;
/// Bytes of the card's reply, without CRC.
pub const SERIAL_VALUE_BYTES: usize = 7;
/// Bytes of a memory request of the card before any data.
pub const SERIAL_MEMORY_BYTES: usize = 11;
/// Bytes of an event, without CRC.
pub const SERIAL_EVENT_BYTES: usize = 3;
/// Bytes of the host's reply before any data.
pub const SERIAL_STATUS_BYTES: usize = 3;
/// Bytes of the longest packet, with CRC.
pub const SERIAL_PACKET_BYTES: usize =
    SERIAL_MEMORY_BYTES + SERIAL_BURST_BEATS * SERIAL_BEAT_BYTES + SERIAL_CRC_BYTES;

/// Bit rate after power-on, where a board's profile says nothing else.
pub const SERIAL_BAUD: u32 = 1_000_000;
/// Fewest clock cycles of a bit that the receiver can tell.
pub const SERIAL_LEAST_DIVISOR: u32 = 4;
/// Bit times of a low line after which the card returns to its default rate.
pub const SERIAL_BREAK_BITS: u32 = 32;
