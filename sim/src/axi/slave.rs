//! An AXI4 slave with a memory behind it, which answers in order, late and hesitantly, and holds its master to the rules.

use super::Violations;
use crate::SimError;
use crate::memory::Memory;
use crate::model::{Model, PortHandle};
use crate::testbench::Stalls;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Bursts that the slave takes in before it has answered the first.
const OUTSTANDING: usize = 8;
/// Longest burst of the card's masters, in beats (AXI4 itself allows 256).
const LONGEST_BURST: u64 = 64;
/// AXI: no burst crosses a border of this many bytes.
const BORDER: u64 = 4096;
const OKAY: u64 = 0;
const SLVERR: u64 = 2;
const INCR: u64 = 1;

/// How slow a slave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlaveTiming {
    /// Cycles from a burst's address (reads) or last beat (writes) to the first answer: the least.
    pub latency_min_cycles: u32,
    /// The same: the most.
    pub latency_max_cycles: u32,
    /// In how many of 100 cycles each channel holds back (see [`Stalls::random`]).
    pub stall_percent: u8,
}

/// What went over a bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Read bursts whose address was taken.
    pub read_bursts: u64,
    /// Beats of read data delivered.
    pub read_beats: u64,
    /// Write bursts whose address was taken.
    pub write_bursts: u64,
    /// Beats of write data taken.
    pub write_beats: u64,
    /// Answers that told of an error: beats of reads, and writes.
    pub error_answers: u64,
}

/// An address channel, AW or AR.
struct AddressPorts {
    id: PortHandle,
    address: PortHandle,
    length: PortHandle,
    size: PortHandle,
    burst: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address {
    id: u64,
    address: u64,
    length: u64,
    size: u64,
    burst: u64,
}

impl AddressPorts {
    fn new(model: &Model, prefix: &str) -> Result<AddressPorts, SimError> {
        let port = |name: &str| model.port(&format!("{prefix}{name}"));
        Ok(AddressPorts {
            id: port("id")?,
            address: port("addr")?,
            length: port("len")?,
            size: port("size")?,
            burst: port("burst")?,
            valid: port("valid")?,
            ready: port("ready")?,
        })
    }

    fn read(&self, model: &Model) -> Address {
        Address {
            id: model.get_u64(self.id),
            address: model.get_u64(self.address),
            length: model.get_u64(self.length),
            size: model.get_u64(self.size),
            burst: model.get_u64(self.burst),
        }
    }
}

/// One address channel's state: whether the slave is ready, and what the master has been offering in vain.
struct AddressChannel {
    name: &'static str,
    ports: AddressPorts,
    stalls: Stalls,
    ready: bool,
    waiting: Option<Address>,
}

impl AddressChannel {
    fn drive(&mut self, model: &mut Model, room: bool) {
        let ready = room && !self.stalls.hold();
        if ready != self.ready {
            self.ready = ready;
            model.set_u64(self.ports.ready, ready.into());
        }
    }

    /// The address taken at the coming edge, if any.
    fn observe(&mut self, model: &Model, bus: &Bus, violations: &mut Violations) -> Option<Address> {
        let valid = model.is_high(self.ports.valid);
        if !valid && self.waiting.is_none() {
            return None;
        }
        let offer = valid.then(|| self.ports.read(model));
        if let Some(before) = self.waiting.take()
            && offer != Some(before)
        {
            let what = format!(
                "{} was {before:x?} and became {offer:x?} before it was taken: an offer must stand until then",
                self.name
            );
            violations.record(&bus.name, model.cycles(), what);
        }
        let offer = offer?;
        if !self.ready {
            self.waiting = Some(offer);
            return None;
        }
        bus.check_burst(self.name, &offer, model.cycles(), violations);
        Some(offer)
    }
}

/// What both directions need to know of the bus.
struct Bus {
    /// Port prefix.
    name: String,
    /// Bytes of the data ports.
    bytes: usize,
}

impl Bus {
    fn check_burst(&self, channel: &str, burst: &Address, cycle: u64, violations: &mut Violations) {
        let mut wrong = |what: String| violations.record(&self.name, cycle, what);
        if burst.burst != INCR {
            wrong(format!("{channel} burst type is {}: the card uses INCR (1) only", burst.burst));
        }
        if 1u64 << burst.size > self.bytes as u64 {
            wrong(format!(
                "{channel} size is {} (2^size bytes a beat) on a bus of {} bytes",
                burst.size, self.bytes
            ));
        }
        if burst.length >= LONGEST_BURST {
            wrong(format!(
                "{channel} length is {} beats: the card uses at most {LONGEST_BURST}",
                burst.length + 1
            ));
        }
        if burst.id != 0 {
            wrong(format!("{channel} id is {}: the card uses 0 only", burst.id));
        }
        let start = burst.address;
        let end = (start & !((1 << burst.size) - 1)).saturating_add(((burst.length + 1) << burst.size) - 1);
        if start / BORDER != end / BORDER {
            wrong(format!("{channel} burst from {start:#x} to {end:#x} crosses a 4 KiB border"));
        }
    }
}

impl Address {
    /// Address of a beat.
    fn beat(&self, index: u64) -> u64 {
        if index == 0 {
            return self.address;
        }
        (self.address & !((1 << self.size) - 1)).wrapping_add(index << self.size)
    }

    /// Byte lanes that a beat uses, as a strobe, on a bus of this many bytes.
    fn lanes(&self, index: u64, bus_bytes: usize) -> u64 {
        let address = self.beat(index);
        let first = address as usize % bus_bytes;
        let end =
            ((address & !((1 << self.size) - 1)) as usize % bus_bytes + (1 << self.size)).min(bus_bytes);
        let below = |lane: usize| if lane < 64 { (1u64 << lane) - 1 } else { u64::MAX };
        below(end) & !below(first)
    }
}

struct Read {
    address: Address,
    beat: u64,
    /// Cycle from which the first beat may be answered.
    due: u64,
    fail: bool,
}

struct Write {
    address: Address,
    beat: u64,
    fail: bool,
}

struct WriteDataPorts {
    data: PortHandle,
    strobe: PortHandle,
    last: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
}

struct ReadDataPorts {
    id: PortHandle,
    data: PortHandle,
    response: PortHandle,
    last: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
}

struct ResponsePorts {
    id: PortHandle,
    response: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
}

/// An AXI4 slave on the ports `{prefix}aw…`, `{prefix}w…`, `{prefix}b…`, `{prefix}ar…`, `{prefix}r…` of a model.
///
/// Data is written when its beat is taken and read when its beat is put on the bus. What the memory refuses is answered
/// with SLVERR. Every breach of the rules by the master is recorded (see [`AxiSlave::violations`]) and then served as
/// well as may be.
pub struct AxiSlave<M> {
    memory: M,
    bus: Bus,
    timing: SlaveTiming,
    latency: ChaCha8Rng,
    traffic: Traffic,
    violations: Violations,
    fail_reads: Vec<u64>,
    fail_writes: Vec<u64>,
    held: bool,

    aw: AddressChannel,
    ar: AddressChannel,
    w: WriteDataPorts,
    b: ResponsePorts,
    r: ReadDataPorts,
    w_stalls: Stalls,
    b_stalls: Stalls,
    r_stalls: Stalls,

    writes: VecDeque<Write>,
    /// Answers to writes: due cycle, id, response.
    answers: VecDeque<(u64, u64, u64)>,
    reads: VecDeque<Read>,
    w_ready: bool,
    w_waiting: Option<(Vec<u8>, u64, bool)>,
    b_valid: bool,
    b_taken: bool,
    r_valid: bool,
    r_taken: bool,
    buffer: Vec<u8>,
}

impl<M: Memory> AxiSlave<M> {
    /// A slave with this memory on the ports with this prefix (with its `_`).
    pub fn new(
        model: &Model,
        prefix: &str,
        memory: M,
        timing: SlaveTiming,
        seed: u64,
    ) -> Result<AxiSlave<M>, SimError> {
        let port = |name: &str| model.port(&format!("{prefix}{name}"));
        let stalls =
            |channel: u64| Stalls::random(seed.wrapping_mul(8).wrapping_add(channel), timing.stall_percent);
        let channel = |name, prefix: String, number| -> Result<AddressChannel, SimError> {
            let ports = AddressPorts::new(model, &prefix)?;
            Ok(AddressChannel { name, ports, stalls: stalls(number), ready: false, waiting: None })
        };
        let w = WriteDataPorts {
            data: port("wdata")?,
            strobe: port("wstrb")?,
            last: port("wlast")?,
            valid: port("wvalid")?,
            ready: port("wready")?,
        };
        let r = ReadDataPorts {
            id: port("rid")?,
            data: port("rdata")?,
            response: port("rresp")?,
            last: port("rlast")?,
            valid: port("rvalid")?,
            ready: port("rready")?,
        };
        let b = ResponsePorts {
            id: port("bid")?,
            response: port("bresp")?,
            valid: port("bvalid")?,
            ready: port("bready")?,
        };
        let bytes = model.width(w.data) / 8;
        Ok(AxiSlave {
            memory,
            bus: Bus { name: prefix.trim_end_matches('_').to_owned(), bytes },
            timing,
            latency: ChaCha8Rng::seed_from_u64(seed.wrapping_mul(8).wrapping_add(7)),
            traffic: Traffic::default(),
            violations: Violations::default(),
            fail_reads: Vec::new(),
            fail_writes: Vec::new(),
            held: false,
            aw: channel("AW", format!("{prefix}aw"), 0)?,
            ar: channel("AR", format!("{prefix}ar"), 1)?,
            w,
            b,
            r,
            w_stalls: stalls(2),
            b_stalls: stalls(3),
            r_stalls: stalls(4),
            writes: VecDeque::new(),
            answers: VecDeque::new(),
            reads: VecDeque::new(),
            w_ready: false,
            w_waiting: None,
            b_valid: false,
            b_taken: false,
            r_valid: false,
            r_taken: false,
            buffer: vec![0; bytes],
        })
    }

    /// The memory behind it.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// The memory behind it.
    pub fn memory_mut(&mut self) -> &mut M {
        &mut self.memory
    }

    /// What went over the bus.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// What the master did that AXI, or the card's own contract, forbids.
    pub fn violations(&self) -> &Violations {
        &self.violations
    }

    /// Answers a read burst with SLVERR instead of data: the `n`-th from now, 0 being the next whose address is taken.
    pub fn fail_read(&mut self, n: u64) {
        self.fail_reads.push(self.traffic.read_bursts + n);
    }

    /// Answers a write burst with SLVERR and drops its data: the `n`-th from now, 0 being the next whose address is taken.
    pub fn fail_write(&mut self, n: u64) {
        self.fail_writes.push(self.traffic.write_bursts + n);
    }

    /// Stops taking and answering anything, as a bus that hangs, or goes on where it stopped.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.reads.is_empty() && self.writes.is_empty() && self.answers.is_empty()
    }

    /// Forgets everything that is under way: while the card's reset is high.
    pub fn reset(&mut self, model: &mut Model) {
        self.writes.clear();
        self.answers.clear();
        self.reads.clear();
        self.aw.waiting = None;
        self.ar.waiting = None;
        self.w_waiting = None;
        (self.b_taken, self.r_taken) = (false, false);
        for (flag, port) in [
            (&mut self.aw.ready, self.aw.ports.ready),
            (&mut self.ar.ready, self.ar.ports.ready),
            (&mut self.w_ready, self.w.ready),
            (&mut self.b_valid, self.b.valid),
            (&mut self.r_valid, self.r.valid),
        ] {
            *flag = false;
            model.set_u64(port, 0);
        }
    }

    fn due(&mut self, cycle: u64) -> u64 {
        let SlaveTiming { latency_min_cycles: min, latency_max_cycles: max, .. } = self.timing;
        cycle + u64::from(if min < max { self.latency.gen_range(min..=max) } else { min })
    }

    /// Sets the slave's side for this cycle: before [`Model::settle`].
    #[inline]
    pub fn drive(&mut self, model: &mut Model) {
        let cycle = model.cycles();
        let open = !self.held;
        self.aw.drive(model, open && self.writes.len() + self.answers.len() < OUTSTANDING);
        self.ar.drive(model, open && self.reads.len() < OUTSTANDING);
        // Data may come before its address; the slave then lets it wait, as it may.
        let w_ready = open && !self.writes.is_empty() && !self.w_stalls.hold();
        if w_ready != self.w_ready {
            self.w_ready = w_ready;
            model.set_u64(self.w.ready, w_ready.into());
        }
        // What was taken at the last edge leaves the bus, or makes room for the next at once.
        let (b_was, r_was) = (self.b_valid, self.r_valid);
        self.b_valid &= !std::mem::take(&mut self.b_taken);
        self.r_valid &= !std::mem::take(&mut self.r_taken);
        if open
            && !self.b_valid
            && let Some((due, id, response)) = self.answers.front()
            && *due <= cycle
            && !self.b_stalls.hold()
        {
            model.set_u64(self.b.id, *id);
            model.set_u64(self.b.response, *response);
            self.b_valid = true;
            self.traffic.error_answers += u64::from(*response != OKAY);
        }
        if open
            && !self.r_valid
            && let Some(read) = self.reads.front()
            && read.due <= cycle
            && !self.r_stalls.hold()
        {
            let (address, beat, fail) = (read.address, read.beat, read.fail);
            self.offer_read_beat(model, address, beat, fail);
            self.r_valid = true;
        }
        if self.b_valid != b_was {
            model.set_u64(self.b.valid, self.b_valid.into());
        }
        if self.r_valid != r_was {
            model.set_u64(self.r.valid, self.r_valid.into());
        }
    }

    fn offer_read_beat(&mut self, model: &mut Model, address: Address, beat: u64, fail: bool) {
        let start = address.beat(beat) & !(self.bus.bytes as u64 - 1);
        let okay = !fail && self.memory.read(start, &mut self.buffer);
        if !okay {
            // Not zeros: a card that takes the data of a refused read for good is to be found out.
            self.buffer.fill(0xee);
            self.traffic.error_answers += 1;
        }
        model.set_u64(self.r.id, address.id);
        model.set_bytes(self.r.data, &self.buffer);
        model.set_u64(self.r.response, if okay { OKAY } else { SLVERR });
        model.set_u64(self.r.last, (beat == address.length).into());
    }

    /// Sees what is taken at the coming edge: between [`Model::settle`] and [`Model::rise`].
    #[inline]
    pub fn observe(&mut self, model: &Model) {
        self.observe_write_data(model);
        if let Some(address) = self.aw.observe(model, &self.bus, &mut self.violations) {
            let fail = take(&mut self.fail_writes, self.traffic.write_bursts);
            self.traffic.write_bursts += 1;
            self.writes.push_back(Write { address, beat: 0, fail });
        }
        if let Some(address) = self.ar.observe(model, &self.bus, &mut self.violations) {
            let fail = take(&mut self.fail_reads, self.traffic.read_bursts);
            self.traffic.read_bursts += 1;
            let due = self.due(model.cycles() + 1);
            self.reads.push_back(Read { address, beat: 0, due, fail });
        }
        if self.b_valid && model.is_high(self.b.ready) {
            self.answers.pop_front();
            self.b_taken = true;
        }
        if self.r_valid && model.is_high(self.r.ready) {
            self.r_taken = true;
            self.traffic.read_beats += 1;
            if let Some(read) = self.reads.front_mut() {
                read.beat += 1;
                if read.beat > read.address.length {
                    self.reads.pop_front();
                }
            }
        }
    }

    fn observe_write_data(&mut self, model: &Model) {
        if !model.is_high(self.w.valid) {
            if self.w_waiting.take().is_some() {
                self.violations.record(&self.bus.name, model.cycles(), "WVALID fell before WREADY rose");
            }
            return;
        }
        model.get_bytes(self.w.data, &mut self.buffer);
        let (strobe, last) = (model.get_u64(self.w.strobe), model.is_high(self.w.last));
        if let Some((data, old_strobe, old_last)) = self.w_waiting.take()
            && (data != self.buffer || old_strobe != strobe || old_last != last)
        {
            self.violations.record(
                &self.bus.name,
                model.cycles(),
                "WDATA, WSTRB or WLAST changed before WREADY rose",
            );
        }
        let Some(write) = self.writes.front_mut().filter(|_| self.w_ready) else {
            self.w_waiting = Some((self.buffer.clone(), strobe, last));
            return;
        };
        self.traffic.write_beats += 1;
        let lanes = write.address.lanes(write.beat, self.bus.bytes);
        if strobe & !lanes != 0 {
            let what = format!("WSTRB {strobe:#x} has bytes outside the beat's lanes {lanes:#x}");
            self.violations.record(&self.bus.name, model.cycles(), what);
        }
        let is_last = write.beat == write.address.length;
        if last != is_last {
            let what = format!("WLAST is {last} at beat {} of {}", write.beat + 1, write.address.length + 1);
            self.violations.record(&self.bus.name, model.cycles(), what);
        }
        if !write.fail {
            let start = write.address.beat(write.beat) & !(self.bus.bytes as u64 - 1);
            // A refused beat makes the whole burst's answer an error.
            write.fail = !self.memory.write(start, &self.buffer, strobe & lanes);
        }
        write.beat += 1;
        if is_last && let Some(write) = self.writes.pop_front() {
            let due = self.due(model.cycles() + 1);
            self.answers.push_back((due, write.address.id, if write.fail { SLVERR } else { OKAY }));
        }
    }
}

fn take(list: &mut Vec<u64>, value: u64) -> bool {
    let before = list.len();
    list.retain(|entry| *entry != value);
    list.len() < before
}
