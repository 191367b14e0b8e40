//! Both ends of the block's streams: packets to beats, beats to packets, and the streams' rules.

use super::sideband::{Channel, Driven, LONGEST, Observed};
use crate::SimError;
use crate::axi::Violations;
use crate::model::{Model, PortHandle};
use crate::testbench::Stalls;
use std::collections::VecDeque;

/// Widest beat, in bytes.
const WIDEST: usize = 64;
/// Longest packet: descriptor and 4,096 bytes, and a beat in which to see that there is more.
const LONGEST_PACKET: usize = 16 + 4096 + WIDEST;

/// A packet on a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Descriptor, then data.
    pub bytes: Vec<u8>,
    /// Byte enables of the first DWORD of data, and of the last.
    pub enables: (u8, u8),
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    data: PortHandle,
    keep: PortHandle,
    last: PortHandle,
    user: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
    /// Bytes of a beat: 32 or 64.
    bytes: usize,
}

impl Ports {
    fn new(model: &Model, channel: Channel) -> Result<Ports, SimError> {
        let port = |name: &str| model.port(&format!("{}_{name}", channel.prefix()));
        let (data, user) = (port("tdata")?, port("tuser")?);
        let (bits, user_bits) = (model.width(data), model.width(user));
        if !matches!(bits, 256 | 512) || user_bits != channel.user_bits(bits) {
            return Err(SimError::NoSuchPort {
                top: model.library().top().to_owned(),
                port: format!("{}_tuser for a stream of 256 or 512 bits", channel.prefix()),
                known: format!("tdata of {bits} bits with tuser of {user_bits}"),
            });
        }
        Ok(Ports {
            data,
            keep: port("tkeep")?,
            last: port("tlast")?,
            user,
            valid: port("tvalid")?,
            ready: port("tready")?,
            bytes: bits / 8,
        })
    }
}

/// The block's end of a stream to the card: CQ or RC.
#[derive(Debug)]
pub struct Source {
    channel: Channel,
    ports: Ports,
    stalls: Stalls,
    queue: VecDeque<Packet>,
    /// Bytes of the first packet that were taken.
    offset: usize,
    offering: bool,
    /// Bytes of the beat on offer.
    offered: usize,
}

impl Source {
    /// The end of a stream of the model.
    pub fn new(model: &Model, channel: Channel, stalls: Stalls) -> Result<Source, SimError> {
        let ports = Ports::new(model, channel)?;
        let queue = VecDeque::new();
        Ok(Source { channel, ports, stalls, queue, offset: 0, offering: false, offered: 0 })
    }

    /// Queues a packet.
    pub fn push(&mut self, packet: Packet) {
        self.queue.push_back(packet);
    }

    /// Packets not wholly taken yet.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Forgets everything and takes `tvalid` back: while the card's reset is high.
    pub fn reset(&mut self, model: &mut Model) {
        self.queue.clear();
        (self.offset, self.offering) = (0, false);
        model.set_u64(self.ports.valid, 0);
    }

    /// Sets the block's side for this cycle: before [`Model::settle`].
    #[inline]
    pub fn drive(&mut self, model: &mut Model) {
        if self.offering && self.offered > 0 {
            return;
        }
        if !self.queue.is_empty() && !self.stalls.hold() {
            self.offer(model);
        } else if self.offering {
            self.offering = false;
            model.set_u64(self.ports.valid, 0);
            // A card that takes data without valid is to be found out.
            model.set_bytes(self.ports.data, &[0xa5; WIDEST]);
        }
    }

    fn offer(&mut self, model: &mut Model) {
        let Some(packet) = self.queue.front() else { return };
        let rest = &packet.bytes[self.offset..];
        let (taken, last) = (rest.len().min(self.ports.bytes), rest.len() <= self.ports.bytes);
        let (first_dword, dwords) = (self.offset / 4, taken / 4);
        let (header, total) = (self.channel.descriptor_dwords(), packet.bytes.len() / 4);
        let mut bytes = 0u64;
        for lane in 0..dwords {
            let dword = first_dword + lane;
            let enable = if dword < header {
                0
            } else if dword == header {
                packet.enables.0
            } else if dword + 1 == total {
                packet.enables.1
            } else {
                0xf
            };
            bytes |= u64::from(enable) << (4 * lane);
        }
        let driven =
            Driven { start: self.offset == 0, end: last.then(|| dwords - 1), enables: packet.enables, bytes };
        let mut user = [0; LONGEST];
        self.channel.drive(self.ports.bytes * 8, &driven, &mut user);
        model.set_bytes(self.ports.data, &rest[..taken]);
        model.set_u64(self.ports.keep, (1 << dwords) - 1);
        model.set_u64(self.ports.last, last.into());
        model.set_bytes(self.ports.user, &user);
        if !self.offering {
            self.offering = true;
            model.set_u64(self.ports.valid, 1);
        }
        self.offered = taken;
    }

    /// Sees what is taken at the coming edge: between [`Model::settle`] and [`Model::rise`].
    #[inline]
    pub fn observe(&mut self, model: &Model) {
        if self.offering && self.offered > 0 && model.is_high(self.ports.ready) {
            self.offset += std::mem::take(&mut self.offered);
            if self.queue.front().is_some_and(|packet| packet.bytes.len() <= self.offset) {
                self.queue.pop_front();
                self.offset = 0;
            }
        }
    }
}

/// The block's end of a stream from the card: CC or RQ. It holds the card to the stream's rules.
#[derive(Debug)]
pub struct Sink {
    channel: Channel,
    ports: Ports,
    stalls: Stalls,
    ready: bool,
    /// The beat that was last kept waiting.
    waiting: Option<Beat>,
    /// The packet of which beats have come.
    packet: Packet,
    inside: bool,
    discontinued: bool,
    violations: Violations,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Beat {
    data: [u8; WIDEST],
    user: [u8; LONGEST],
    keep: u64,
    last: bool,
}

impl Sink {
    /// The end of a stream of the model.
    pub fn new(model: &Model, channel: Channel, stalls: Stalls) -> Result<Sink, SimError> {
        Ok(Sink {
            channel,
            ports: Ports::new(model, channel)?,
            stalls,
            ready: false,
            waiting: None,
            packet: Packet::default(),
            inside: false,
            discontinued: false,
            violations: Violations::default(),
        })
    }

    /// What the card did that the stream's or the packets' rules forbid.
    pub fn violations(&self) -> &Violations {
        &self.violations
    }

    /// Whether a packet has begun and not ended.
    pub fn inside(&self) -> bool {
        self.inside
    }

    /// Bytes of a beat: 32 or 64.
    pub fn beat_bytes(&self) -> usize {
        self.ports.bytes
    }

    /// Records a breach that was found in a packet of this stream.
    #[cold]
    pub fn breach(&mut self, cycle: u64, what: impl Into<String>) {
        self.violations.record(self.channel.prefix(), cycle, what);
    }

    /// Forgets what was under way and takes `tready` back: while the card's reset is high.
    pub fn reset(&mut self, model: &mut Model) {
        (self.waiting, self.inside, self.ready, self.discontinued) = (None, false, false, false);
        self.packet.bytes.clear();
        model.set_u64(self.ports.ready, 0);
    }

    /// Sets the block's side for this cycle: before [`Model::settle`].
    #[inline]
    pub fn drive(&mut self, model: &mut Model, open: bool) {
        let ready = open && !self.stalls.hold();
        if ready != self.ready {
            self.ready = ready;
            model.set_u64(self.ports.ready, ready.into());
        }
    }

    /// The packet whose last beat is taken at the coming edge: between [`Model::settle`] and [`Model::rise`].
    #[inline]
    pub fn observe(&mut self, model: &Model) -> Option<Packet> {
        if !model.is_high(self.ports.valid) {
            if self.inside || self.waiting.is_some() {
                self.fallen(model);
            }
            return None;
        }
        self.observe_beat(model)
    }

    #[cold]
    fn fallen(&mut self, model: &Model) {
        if self.waiting.take().is_some() {
            self.breach(model.cycles(), "tvalid fell before tready rose");
        } else if !self.discontinued {
            // PG213: the block then nullifies the packet.
            self.discontinued = true;
            self.breach(model.cycles(), "tvalid fell inside of a packet");
        }
    }

    fn observe_beat(&mut self, model: &Model) -> Option<Packet> {
        let mut beat = Beat {
            data: [0; WIDEST],
            user: [0; LONGEST],
            keep: model.get_u64(self.ports.keep),
            last: model.is_high(self.ports.last),
        };
        model.get_bytes(self.ports.data, &mut beat.data[..self.ports.bytes]);
        model.get_bytes(self.ports.user, &mut beat.user);
        if let Some(before) = self.waiting.take()
            && before != beat
        {
            self.breach(model.cycles(), "tdata, tkeep, tlast or tuser changed before tready rose");
        }
        if !self.ready {
            self.waiting = Some(beat);
            return None;
        }
        self.take(&beat, model.cycles())
    }

    fn take(&mut self, beat: &Beat, cycle: u64) -> Option<Packet> {
        let lanes = self.ports.bytes / 4;
        let used = beat.keep.trailing_ones() as usize;
        if beat.keep != (1 << used) - 1 || used == 0 || !beat.last && used != lanes {
            let what = format!(
                "tkeep is {:#x} with tlast {}: DWORDs fill a beat from the first on",
                beat.keep, beat.last
            );
            self.breach(cycle, what);
        }
        let observed = self.channel.observe(self.ports.bytes * 8, &beat.user);
        if let Some(what) = marks_breach(&observed, !self.inside, beat.last, used) {
            self.breach(cycle, what);
        }
        if !self.inside {
            self.packet.bytes.clear();
            self.packet.enables = observed.enables;
            self.discontinued = false;
        }
        self.discontinued |= observed.discontinue;
        if self.packet.bytes.len() < LONGEST_PACKET {
            self.packet.bytes.extend_from_slice(&beat.data[..4 * used]);
        }
        self.inside = !beat.last;
        if !beat.last || std::mem::take(&mut self.discontinued) {
            return None;
        }
        let bytes = Vec::with_capacity(self.packet.bytes.len());
        let next = Packet { bytes, enables: (0, 0) };
        Some(std::mem::replace(&mut self.packet, next))
    }
}

/// What is wrong with the marks of starts and ends, where the card drives them.
fn marks_breach(observed: &Observed, first: bool, last: bool, dwords: usize) -> Option<String> {
    let (starts, ends, end) = observed.marks?;
    let wrong_end = ends == 1 && (!last || end + 1 != dwords);
    (starts > 1 || ends > 1 || starts == 1 && !first || wrong_end).then(|| {
        format!("is_sop is {starts:#b} and is_eop {ends:#b} at DWORD {end}, for a beat with first {first}, last {last}, {dwords} DWORDs")
    })
}
