//! Transaction-layer packets, and the rules that PCI Express has for them.

/// Longest payload or read of any packet, in DWORDs (4,096 bytes).
pub const LONGEST_DWORDS: u16 = 1024;
/// No memory request crosses a border of this many bytes.
const BORDER: u64 = 4096;

/// A memory request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether it writes; else it reads.
    pub write: bool,
    /// Address of the first DWORD, a multiple of 4.
    pub address: u64,
    /// DWORDs asked for or carried, 1 to 1,024.
    pub dwords: u16,
    /// Bytes of the first DWORD that are meant.
    pub first_enable: u8,
    /// Bytes of the last DWORD that are meant; 0 where there is but one.
    pub last_enable: u8,
    /// Tag, by which completions find their request.
    pub tag: u8,
    /// Bus, device and function that asks.
    pub requester: u16,
    /// Traffic class, 0 to 7.
    pub traffic_class: u8,
    /// Attributes: bit 0 no snoop, bit 1 relaxed ordering, bit 2 by identifier.
    pub attributes: u8,
    /// The data is known to be wrong.
    pub poisoned: bool,
    /// The data of a write, `4 * dwords` bytes; empty for a read.
    pub data: Vec<u8>,
}

/// What a card's function may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest payload, bytes.
    pub payload_bytes: u16,
    /// Largest read request, bytes.
    pub read_bytes: u16,
    /// Tags of 8 bits may be used, not only of 5.
    pub extended_tags: bool,
    /// The attribute "relaxed ordering" may be used.
    pub relaxed_ordering: bool,
    /// The attribute "no snoop" may be used.
    pub no_snoop: bool,
}

impl Request {
    /// A read of `bytes` bytes (at least one) from a byte address.
    pub fn read(address: u64, bytes: u16) -> Request {
        let (dwords, first_enable, last_enable) = enables(address, bytes);
        Request {
            write: false,
            address: address & !3,
            dwords,
            first_enable,
            last_enable,
            tag: 0,
            requester: 0,
            traffic_class: 0,
            attributes: 0,
            poisoned: false,
            data: Vec::new(),
        }
    }

    /// A write of bytes (at least one) to a byte address.
    pub fn write(address: u64, bytes: &[u8]) -> Request {
        let mut request = Request::read(address, bytes.len() as u16);
        request.write = true;
        request.data = vec![0; usize::from(request.dwords) * 4];
        let offset = (address & 3) as usize;
        request.data[offset..offset + bytes.len()].copy_from_slice(bytes);
        request
    }

    /// Bytes of the first DWORD before the first that is meant; 0 where none is.
    pub fn offset(&self) -> u16 {
        if self.first_enable & 0xf == 0 { 0 } else { self.first_enable.trailing_zeros() as u16 }
    }

    /// Bytes from the first that is meant to the last; 1 where none is, as completions count them.
    pub fn bytes(&self) -> u16 {
        let last = if self.dwords == 1 { self.first_enable } else { self.last_enable };
        if last & 0xf == 0 {
            return 1;
        }
        let unused = (last & 0xf).leading_zeros() as u16 - 4;
        self.dwords * 4 - self.offset() - unused
    }

    /// The bytes of its data that are meant, one bit each, for the DWORDs `first..first + 16` of it.
    pub fn strobe(&self, first: usize) -> u64 {
        let mut strobe = 0;
        for index in first..(first + 16).min(self.dwords.into()) {
            strobe |= u64::from(self.enable(index)) << (4 * (index - first));
        }
        strobe
    }

    /// The bytes of a DWORD of it that are meant.
    pub fn enable(&self, dword: usize) -> u8 {
        match dword {
            0 => self.first_enable & 0xf,
            last if last + 1 == usize::from(self.dwords) => self.last_enable & 0xf,
            _ => 0xf,
        }
    }

    /// The first rule of PCI Express, or of the function's configuration, that the request breaks.
    pub fn breach(&self, limits: &Limits) -> Option<String> {
        let kind = if self.write { "write" } else { "read" };
        let (start, bytes) = (self.address, u64::from(self.dwords) * 4);
        let breach = if self.dwords == 0 || self.dwords > LONGEST_DWORDS {
            format!("has a length of {} DWORDs, of 1 to 1024", self.dwords)
        } else if start / BORDER != (start + bytes - 1) / BORDER {
            format!("of {bytes} bytes crosses a 4 KiB border")
        } else if self.write && bytes > u64::from(limits.payload_bytes) {
            format!("of {bytes} bytes is longer than the maximum payload of {}", limits.payload_bytes)
        } else if !self.write && bytes > u64::from(limits.read_bytes) {
            format!("of {bytes} bytes is longer than the maximum read request of {}", limits.read_bytes)
        } else if let Some(enables) = self.enables_breach() {
            enables
        } else if !self.write && self.tag > 31 && !limits.extended_tags {
            format!("has tag {}, but extended tags are off", self.tag)
        } else if self.attributes & 1 != 0 && !limits.no_snoop {
            "has the attribute no snoop, which is off".to_owned()
        } else if self.attributes & 2 != 0 && !limits.relaxed_ordering {
            "has the attribute relaxed ordering, which is off".to_owned()
        } else if self.attributes & 4 != 0 {
            "has the attribute ordering by identifier, which the function does not have".to_owned()
        } else if self.traffic_class != 0 {
            format!("is of traffic class {}: the link has class 0 only", self.traffic_class)
        } else if self.write && self.data.len() as u64 != bytes {
            format!("of {bytes} bytes carries {}", self.data.len())
        } else if !self.write && !self.data.is_empty() {
            format!("carries {} bytes of data", self.data.len())
        } else {
            return None;
        };
        Some(format!("a {kind} at {start:#x} {breach}"))
    }

    fn enables_breach(&self) -> Option<String> {
        let (first, last) = (self.first_enable & 0xf, self.last_enable & 0xf);
        let reaches_up = |enable: u8| matches!(enable, 0xf | 0xe | 0xc | 0x8);
        let reaches_down = |enable: u8| matches!(enable, 0xf | 0x7 | 0x3 | 0x1);
        // Holes are allowed in one DWORD, and in two that are one aligned QWORD.
        let pair = self.dwords == 2 && self.address.is_multiple_of(8);
        let fine = match self.dwords {
            1 => last == 0,
            _ => first != 0 && last != 0 && (pair || reaches_up(first) && reaches_down(last)),
        };
        (!fine).then(|| format!("of {} DWORDs has byte enables {first:#x} and {last:#x}", self.dwords))
    }
}

fn enables(address: u64, bytes: u16) -> (u16, u8, u8) {
    let offset = (address & 3) as u16;
    let end = offset + bytes.max(1);
    let dwords = end.div_ceil(4);
    let first = 0xf << offset & 0xf;
    let last = 0xf >> (dwords * 4 - end);
    if dwords == 1 { (1, first & last, 0) } else { (dwords, first, last) }
}

/// How a request was completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionStatus {
    /// With data.
    Success,
    /// Nobody is there, or it is not mapped.
    Unsupported,
    /// Try again later: of configuration requests only.
    Retry,
    /// The completer failed.
    Aborted,
}

impl CompletionStatus {
    /// The code in a packet.
    pub const fn code(self) -> u8 {
        match self {
            CompletionStatus::Success => 0,
            CompletionStatus::Unsupported => 1,
            CompletionStatus::Retry => 2,
            CompletionStatus::Aborted => 4,
        }
    }

    /// From the code in a packet.
    pub const fn from_code(code: u8) -> Option<CompletionStatus> {
        match code {
            0 => Some(CompletionStatus::Success),
            1 => Some(CompletionStatus::Unsupported),
            2 => Some(CompletionStatus::Retry),
            4 => Some(CompletionStatus::Aborted),
            _ => None,
        }
    }
}

/// A completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// How the request ended.
    pub status: CompletionStatus,
    /// Tag of the request.
    pub tag: u8,
    /// Who asked.
    pub requester: u16,
    /// Low 7 bits of the address of the first byte that is meant.
    pub lower_address: u8,
    /// Bytes of the request that are still to come, those in this packet among them; 1 to 4,096.
    pub byte_count: u16,
    /// DWORDs that it says it carries.
    pub dwords: u16,
    /// Traffic class.
    pub traffic_class: u8,
    /// Attributes.
    pub attributes: u8,
    /// The data is known to be wrong.
    pub poisoned: bool,
    /// The data, whole DWORDs; empty for anything but success.
    pub data: Vec<u8>,
}

impl Completion {
    /// A completion without data.
    pub fn without_data(request: &Request, status: CompletionStatus) -> Completion {
        Completion {
            status,
            tag: request.tag,
            requester: request.requester,
            lower_address: ((request.address + u64::from(request.offset())) & 0x7f) as u8,
            byte_count: request.bytes(),
            dwords: 0,
            traffic_class: request.traffic_class,
            attributes: request.attributes,
            poisoned: false,
            data: Vec::new(),
        }
    }

    /// How this, as the only completion of a read, breaks the rules.
    pub fn breach(&self, request: &Request) -> Option<String> {
        let expected = Completion::without_data(request, self.status);
        let wrong = |what: &str, seen: u64, expected: u64| {
            (seen != expected).then(|| {
                format!("the completion with tag {} has {what} {seen:#x} instead of {expected:#x}", self.tag)
            })
        };
        wrong("requester", self.requester.into(), expected.requester.into())
            .or_else(|| wrong("traffic class", self.traffic_class.into(), expected.traffic_class.into()))
            .or_else(|| wrong("attributes", self.attributes.into(), expected.attributes.into()))
            .or_else(|| {
                if self.status != CompletionStatus::Success {
                    return None;
                }
                wrong("byte count", self.byte_count.into(), expected.byte_count.into())
                    .or_else(|| {
                        wrong("lower address", self.lower_address.into(), expected.lower_address.into())
                    })
                    .or_else(|| wrong("length in DWORDs", self.dwords.into(), request.dwords.into()))
                    .or_else(|| wrong("data bytes", self.data.len() as u64, u64::from(request.dwords) * 4))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        payload_bytes: 256,
        read_bytes: 512,
        extended_tags: false,
        relaxed_ordering: true,
        no_snoop: false,
    };

    /// Every address and length, against a mask of bytes.
    #[test]
    fn byte_enables_say_which_bytes() {
        for offset in 0..8u64 {
            for bytes in 1..40u16 {
                let request = Request::read(0x100 + offset, bytes);
                let mut meant = Vec::new();
                for dword in 0..usize::from(request.dwords) {
                    let enable = request.enable(dword);
                    let at = request.address + 4 * dword as u64;
                    meant.extend((0..4).filter(|bit| enable >> bit & 1 == 1).map(|bit| at + bit));
                }
                let expected: Vec<u64> = (0..u64::from(bytes)).map(|at| 0x100 + offset + at).collect();
                assert_eq!(meant, expected);
                assert_eq!(request.address + u64::from(request.offset()), 0x100 + offset);
                assert_eq!((request.bytes(), request.breach(&LIMITS)), (bytes, None));
            }
        }
        let write = Request::write(0x1003, &[1, 2, 3]);
        assert_eq!((write.dwords, write.strobe(0), write.strobe(1)), (2, 0x38, 3));
        assert_eq!(write.data, [0, 0, 0, 1, 2, 3, 0, 0]);
    }

    #[test]
    fn breaches_are_named() {
        let breach = |change: &dyn Fn(&mut Request)| {
            let mut request = Request::read(0x1000, 256);
            change(&mut request);
            request.breach(&LIMITS).unwrap_or_default()
        };
        assert_eq!(breach(&|_| ()), "");
        assert!(breach(&|request| request.address = 0x1f80).contains("4 KiB"));
        assert!(breach(&|request| request.dwords = 129).contains("maximum read request of 512"));
        assert!(breach(&|request| *request = Request::write(0, &[0; 260])).contains("payload of 256"));
        assert!(breach(&|request| request.last_enable = 0).contains("byte enables"));
        assert!(breach(&|request| request.first_enable = 5).contains("byte enables"));
        assert!(breach(&|request| (request.dwords, request.last_enable) = (1, 1)).contains("byte enables"));
        assert!(breach(&|request| request.tag = 32).contains("extended tags"));
        assert!(breach(&|request| request.attributes = 1).contains("no snoop"));
        assert!(breach(&|request| request.traffic_class = 1).contains("class 1"));
        assert!(breach(&|request| request.dwords = 0).contains("0 DWORDs"));
        assert!(breach(&|request| request.data = vec![0; 4]).contains("carries 4"));
        let pair = |request: &mut Request| {
            (request.dwords, request.first_enable, request.last_enable) = (2, 5, 10);
        };
        assert_eq!(breach(&pair), "", "holes are allowed in an aligned pair");
    }
}
