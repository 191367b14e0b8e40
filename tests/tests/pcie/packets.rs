//! Packets of the hard block's streams, as AMD's product guide 213 lays them out: written here a second time, from the
//! point of view of the block.

/// Where the fields are in the streams of one width.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// DWORDs of a beat.
    pub lanes: usize,
    /// Bit of `last_be[0]` in the `tuser` of CQ and RQ.
    pub last_be: usize,
    /// Bit of `byte_en[0]` in the `tuser` of CQ.
    pub cq_byte_en: usize,
    /// Bit of `discontinue` in the `tuser` of CQ.
    pub cq_discontinue: usize,
    /// Bit of `discontinue` in the `tuser` of RC.
    pub rc_discontinue: usize,
    /// Widths of `tuser`: CQ, CC, RQ, RC.
    pub users: [usize; 4],
}

impl Layout {
    pub const NARROW: Layout = Layout {
        lanes: 8,
        last_be: 4,
        cq_byte_en: 8,
        cq_discontinue: 41,
        rc_discontinue: 42,
        users: [88, 33, 62, 75],
    };
    pub const WIDE: Layout = Layout {
        lanes: 16,
        last_be: 8,
        cq_byte_en: 16,
        cq_discontinue: 96,
        rc_discontinue: 96,
        users: [183, 81, 137, 161],
    };
}

/// A packet on any of the streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    pub dwords: Vec<u32>,
    pub first_be: u8,
    pub last_be: u8,
    pub discontinue: bool,
}

/// Types of requests.
pub const READ: u32 = 0;
pub const WRITE: u32 = 1;
pub const IO_READ: u32 = 2;
pub const IO_WRITE: u32 = 3;
pub const FETCH_ADD: u32 = 4;
pub const COMPARE_SWAP: u32 = 6;
pub const LOCKED_READ: u32 = 7;
pub const MESSAGE: u32 = 12;
pub const VENDOR_MESSAGE: u32 = 13;

/// A request of the host on CQ.
#[derive(Clone, Debug)]
pub struct HostRequest {
    pub kind: u32,
    pub address: u64,
    pub dwords: u32,
    pub first_be: u8,
    pub last_be: u8,
    pub requester: u16,
    pub tag: u8,
    pub function: u8,
    pub bar: u32,
    pub class: u32,
    pub attributes: u32,
    pub data: Vec<u32>,
    pub discontinue: bool,
}

impl HostRequest {
    /// A request for some bytes.
    pub fn new(kind: u32, address: u64, bytes: u32) -> HostRequest {
        let offset = (address % 4) as u32;
        let dwords = (offset + bytes).div_ceil(4).max(1);
        let end = (offset + bytes) % 4;
        let tail: u8 = if end == 0 { 0xf } else { (1 << end) - 1 };
        let (first_be, last_be) = match dwords {
            1 if bytes == 0 => (0, 0),
            1 => ((0xf << offset) as u8 & tail, 0),
            _ => ((0xf << offset) as u8 & 0xf, tail),
        };
        HostRequest {
            kind,
            address: address & !3,
            dwords,
            first_be,
            last_be,
            requester: 0x0123,
            tag: 0,
            function: 0,
            bar: 0,
            class: 0,
            attributes: 0,
            data: vec![],
            discontinue: false,
        }
    }

    pub fn packet(&self) -> Packet {
        let mut dwords = vec![
            self.address as u32,
            (self.address >> 32) as u32,
            self.dwords | self.kind << 11 | u32::from(self.requester) << 16,
            u32::from(self.tag)
                | u32::from(self.function) << 8
                | self.bar << 16
                | 14 << 19
                | self.class << 25
                | self.attributes << 28,
        ];
        dwords.extend(&self.data);
        Packet { dwords, first_be: self.first_be, last_be: self.last_be, discontinue: self.discontinue }
    }
}

/// A completion as the card sends it on CC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCompletion {
    pub lower_address: u32,
    pub byte_count: u32,
    pub locked: bool,
    pub dwords: u32,
    pub status: u32,
    pub requester: u16,
    pub tag: u8,
    pub completer: u16,
    pub class: u32,
    pub attributes: u32,
    pub data: Vec<u32>,
}

impl HostCompletion {
    pub fn parse(packet: &Packet) -> HostCompletion {
        let [a, b, c] = packet.dwords[..3] else { panic!("a completion of {packet:?}") };
        assert_eq!(a & 0xc000_fc80 & !(3 << 8), 0, "reserved bits of a completion: {packet:?}");
        assert_eq!(b >> 14 & 3, 0, "poisoned or reserved: {packet:?}");
        assert_eq!(c >> 24 & 1, 0, "the block knows the completer's bus: {packet:?}");
        HostCompletion {
            lower_address: a & 0x7f,
            byte_count: a >> 16 & 0x1fff,
            locked: a >> 29 & 1 == 1,
            dwords: b & 0x7ff,
            status: b >> 11 & 7,
            requester: (b >> 16) as u16,
            tag: c as u8,
            completer: (c >> 8) as u16,
            class: c >> 25 & 7,
            attributes: c >> 28 & 7,
            data: packet.dwords[3..].to_vec(),
        }
    }
}

/// A request of the card on RQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRequest {
    pub write: bool,
    pub address: u64,
    pub dwords: u32,
    pub tag: u8,
    pub data: Vec<u32>,
}

impl CardRequest {
    /// Reads a packet of RQ and holds it to the rules.
    pub fn parse(packet: &Packet) -> CardRequest {
        let dwords = &packet.dwords;
        let kind = dwords[2] >> 11 & 0xf;
        assert!(kind == READ || kind == WRITE, "a request of type {kind}");
        let request = CardRequest {
            write: kind == WRITE,
            address: u64::from(dwords[1]) << 32 | u64::from(dwords[0]),
            dwords: dwords[2] & 0x7ff,
            tag: dwords[3] as u8,
            data: dwords[4..].to_vec(),
        };
        assert_eq!(request.address % 4, 0, "address type and alignment");
        assert_eq!(dwords[2] >> 15, 0, "poisoned, or a requester given");
        assert_eq!(dwords[3] >> 8, 0, "completer, class and attributes");
        assert_eq!(packet.first_be, 0xf);
        assert_eq!(packet.last_be, if request.dwords == 1 { 0 } else { 0xf });
        assert_eq!(request.data.len() as u32, if request.write { request.dwords } else { 0 });
        let last = request.address + u64::from(request.dwords) * 4 - 1;
        assert_eq!(request.address >> 12, last >> 12, "{request:?} crosses 4 KiB");
        request
    }
}

/// A completion for the card on RC.
#[derive(Clone, Debug)]
pub struct CardCompletion {
    pub lower_address: u32,
    pub error: u32,
    pub byte_count: u32,
    pub status: u32,
    pub poisoned: bool,
    pub tag: u8,
    pub completes: bool,
    pub dwords: u32,
    pub data: Vec<u32>,
    pub discontinue: bool,
}

impl CardCompletion {
    /// One that carries no data.
    pub fn without_data(tag: u8, error: u32, status: u32) -> CardCompletion {
        CardCompletion {
            lower_address: 0,
            error,
            byte_count: 4,
            status,
            poisoned: false,
            tag,
            completes: true,
            dwords: 0,
            data: vec![],
            discontinue: false,
        }
    }

    pub fn packet(&self) -> Packet {
        let mut dwords = vec![
            self.lower_address | self.error << 12 | self.byte_count << 16 | u32::from(self.completes) << 30,
            self.dwords | self.status << 11 | u32::from(self.poisoned) << 14 | 0x0100 << 16,
            u32::from(self.tag) | 0x0008 << 8,
        ];
        dwords.extend(&self.data);
        Packet { dwords, first_be: 0, last_be: 0, discontinue: self.discontinue }
    }
}
