//! The AMD UltraScale+ integrated block (PG213): four streams to the card's endpoint, and the configuration's signals.

use super::config::ConfigSpace;
use super::descriptor::{self, ErrorCode};
use super::sideband::Channel;
use super::stream::{Packet, Sink, Source};
use super::tlp::{Completion, CompletionStatus, Request};
use crate::SimError;
use crate::axi::Violations;
use crate::model::{Model, PortHandle};
use crate::testbench::Stalls;
use std::collections::VecDeque;

/// So many requests of the host that want an answer are handed to the card ahead of its asking for them.
const MOST_CREDITS: u8 = 32;
/// Bus, device and function under which the host put the card.
pub const CARD_ID: u16 = 0x0100;
/// Bus, device and function of the root port.
pub const ROOT_ID: u16 = 0x0000;

struct ConfigPorts {
    max_payload: PortHandle,
    max_read: PortHandle,
    boundary: PortHandle,
    function: PortHandle,
    msix_enable: PortHandle,
    msix_mask: PortHandle,
    reset_running: PortHandle,
    reset_done: PortHandle,
    wants_request: PortHandle,
}

/// A read of the card that was not completed yet.
#[derive(Clone, Copy, Debug)]
struct Outstanding {
    /// Address after its last byte.
    end: u64,
    /// Bytes still to come.
    left: u16,
    attributes: u8,
    /// It will never be completed.
    lost: bool,
}

/// The block.
pub struct Block {
    cq: Source,
    rc: Source,
    cc: Sink,
    rq: Sink,
    ports: ConfigPorts,
    credits: u8,
    /// Reads of the host that wait for a credit.
    waiting: VecDeque<Packet>,
    /// Reads of the host that the card has to answer.
    asked: Vec<Request>,
    reads: Box<[Option<Outstanding>; 256]>,
    reads_under_way: u32,
    function_reset: bool,
    /// The card's requests are not taken.
    held: bool,
    dropped: u64,
    /// Requests of the card, in order, for the root complex to take.
    pub requests: VecDeque<Request>,
    /// Answers of the card, for the root complex to take.
    pub answers: VecDeque<Completion>,
}

impl Block {
    /// The block around a model with the endpoint's ports; each stream holds back in `stall_percent` of 100 cycles.
    pub fn new(model: &Model, seed: u64, stall_percent: u8) -> Result<Block, SimError> {
        let stalls = |n: u64| Stalls::random(seed.wrapping_mul(8).wrapping_add(n), stall_percent);
        let port = |name: &str| model.port(name);
        Ok(Block {
            cq: Source::new(model, Channel::CompleterRequest, stalls(0))?,
            rc: Source::new(model, Channel::RequesterCompletion, stalls(1))?,
            cc: Sink::new(model, Channel::CompleterCompletion, stalls(2))?,
            rq: Sink::new(model, Channel::RequesterRequest, stalls(3))?,
            ports: ConfigPorts {
                max_payload: port("cfg_max_payload")?,
                max_read: port("cfg_max_read_req")?,
                boundary: port("cfg_rcb_status")?,
                function: port("cfg_function_status")?,
                msix_enable: port("cfg_interrupt_msix_enable")?,
                msix_mask: port("cfg_interrupt_msix_mask")?,
                reset_running: port("cfg_flr_in_process")?,
                reset_done: port("cfg_flr_done")?,
                wants_request: port("pcie_cq_np_req")?,
            },
            credits: 0,
            waiting: VecDeque::new(),
            asked: Vec::new(),
            reads: Box::new([None; 256]),
            reads_under_way: 0,
            function_reset: false,
            held: false,
            dropped: 0,
            requests: VecDeque::new(),
            answers: VecDeque::new(),
        })
    }

    /// Bytes of a beat of the streams: 32 or 64.
    pub fn beat_bytes(&self) -> usize {
        self.rq.beat_bytes()
    }

    /// What the card did that the streams or PCI Express forbid, by stream.
    pub fn violations(&self) -> [&Violations; 2] {
        [self.cc.violations(), self.rq.violations()]
    }

    /// Shows the configuration to the card.
    pub fn configure(&self, model: &mut Model, config: &ConfigSpace) {
        use super::config::{COMMAND, MSIX_CONTROL, MSIX_ENABLE, MSIX_MASK_ALL};
        let msix = config.half(MSIX_CONTROL);
        let command = config.half(COMMAND);
        // Bits of the status: I/O space, memory space, bus master, interrupt disable.
        let function = command & 7 | (command >> 10 & 1) << 3;
        let function = if config.bus_master() { function } else { function & !4 };
        model.set_u64(self.ports.max_payload, config.payload_code().into());
        model.set_u64(self.ports.max_read, config.read_code().into());
        model.set_u64(self.ports.boundary, (config.completion_boundary() == 128).into());
        model.set_u64(self.ports.function, function.into());
        model.set_u64(self.ports.msix_enable, (msix & MSIX_ENABLE != 0).into());
        model.set_u64(self.ports.msix_mask, (msix & MSIX_MASK_ALL != 0).into());
    }

    /// Tells the card of a function-level reset; [`Block::observe`] sees its end.
    pub fn start_function_reset(&mut self, model: &mut Model) {
        self.function_reset = true;
        model.set_u64(self.ports.reset_running, 1);
        // Reads of the host that still wait are not for the function any more.
        self.waiting.clear();
        self.asked.clear();
    }

    /// Whether a function-level reset is under way.
    pub fn in_function_reset(&self) -> bool {
        self.function_reset
    }

    /// Forgets everything: while the card's reset is high.
    pub fn reset(&mut self, model: &mut Model) {
        self.cq.reset(model);
        self.rc.reset(model);
        self.cc.reset(model);
        self.rq.reset(model);
        model.set_u64(self.ports.reset_running, 0);
        self.credits = 0;
        self.waiting.clear();
        self.asked.clear();
        self.reads.fill(None);
        (self.reads_under_way, self.function_reset) = (0, false);
        self.requests.clear();
        self.answers.clear();
    }

    /// Hands a request of the host for BAR 0 to the card.
    pub fn ask(&mut self, request: Request) {
        let packet = Packet {
            bytes: descriptor::completer_request(&request),
            enables: (request.first_enable, request.last_enable),
        };
        if request.write {
            // Writes may overtake waiting reads, never the other way round.
            self.cq.push(packet);
        } else {
            self.asked.push(request);
            self.waiting.push_back(packet);
        }
    }

    /// Whether requests of the host have not wholly reached the card yet.
    pub fn asking(&self) -> bool {
        self.cq.pending() > 0 || !self.waiting.is_empty()
    }

    /// Completions that have not wholly reached the card yet.
    pub fn completions_pending(&self) -> usize {
        self.rc.pending()
    }

    /// Whether packets or reads of either side are under way.
    pub fn is_busy(&self) -> bool {
        self.asking()
            || self.rc.pending() > 0
            || self.reads_under_way > 0
            || self.rq.inside()
            || self.cc.inside()
    }

    /// Whether the card has reads without their last completion.
    pub fn reads_under_way(&self) -> bool {
        self.reads_under_way > 0
    }

    /// Requests of the card that went nowhere because it may not be bus master.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A read of the card will never be completed: its tag may be used again.
    pub fn lose(&mut self, tag: u8) {
        if let Some(read) = &mut self.reads[usize::from(tag)] {
            read.lost = true;
            self.reads_under_way -= 1;
        }
    }

    /// Takes no more requests of the card, or goes on where it stopped.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// The host waits for its reads no more.
    pub fn abandon(&mut self) {
        self.waiting.clear();
    }

    /// Hands a completion to the card, with what the block has to say about it; `ended_as` overrides that.
    pub fn complete(&mut self, completion: Completion, ended_as: Option<ErrorCode>) {
        let slot = &mut self.reads[usize::from(completion.tag)];
        let mut lower = u16::from(completion.lower_address);
        let (error, ended) = match slot {
            _ if ended_as.is_some() => (ended_as.unwrap_or(ErrorCode::TimedOut), true),
            None => (ErrorCode::BadTag, false),
            Some(read) if read.attributes != completion.attributes => (ErrorCode::Mismatch, false),
            Some(_) if completion.status != CompletionStatus::Success => (ErrorCode::BadStatus, true),
            Some(read) => judge(read, &completion, &mut lower),
        };
        if ended && let Some(read) = slot.take() {
            self.reads_under_way -= u32::from(!read.lost);
        }
        let offset = completion.lower_address & 3;
        let (dwords, bytes) = (completion.data.len() / 4, completion.byte_count);
        let reach = dwords * 4 - usize::from(offset).min(dwords * 4);
        let first = 0xf << offset & 0xfu8;
        let last = if usize::from(bytes) >= reach { 0xf } else { 0xf >> ((reach - usize::from(bytes)) & 3) };
        let enables = if dwords == 1 { (first & last, 0) } else { (first, last) };
        let bytes = descriptor::requester_completion(&completion, ROOT_ID, lower, error, ended);
        self.rc.push(Packet { bytes, enables });
    }

    /// Sets the block's side for this cycle: before [`Model::settle`].
    #[inline]
    pub fn drive(&mut self, model: &mut Model) {
        if self.credits > 0
            && !self.waiting.is_empty()
            && self.cq.pending() == 0
            && let Some(packet) = self.waiting.pop_front()
        {
            self.credits -= 1;
            self.cq.push(packet);
        }
        self.cq.drive(model);
        self.rc.drive(model);
        self.cc.drive(model, true);
        self.rq.drive(model, !self.held);
    }

    /// Sees what is taken at the coming edge: between [`Model::settle`] and [`Model::rise`]. Returns whether a
    /// function-level reset has ended.
    #[inline]
    pub fn observe(&mut self, model: &Model, config: &ConfigSpace) -> bool {
        self.cq.observe(model);
        self.rc.observe(model);
        if model.is_high(self.ports.wants_request) {
            self.credits = (self.credits + 1).min(MOST_CREDITS);
        }
        if let Some(packet) = self.rq.observe(model) {
            self.take_request(&packet, model.cycles(), config);
        }
        if let Some(packet) = self.cc.observe(model) {
            self.take_answer(&packet.bytes, model.cycles());
        }
        model.is_high(self.ports.reset_done) && self.reset_ended(model.cycles())
    }

    #[cold]
    fn reset_ended(&mut self, cycle: u64) -> bool {
        if !std::mem::take(&mut self.function_reset) {
            self.rq.breach(cycle, "cfg_flr_done without a function-level reset");
            return false;
        }
        true
    }

    /// Takes back what [`Block::start_function_reset`] showed the card.
    pub fn end_function_reset(&self, model: &mut Model) {
        model.set_u64(self.ports.reset_running, 0);
    }

    fn take_request(&mut self, packet: &Packet, cycle: u64, config: &ConfigSpace) {
        let mut request =
            match descriptor::requester_request(&packet.bytes, packet.enables.0, packet.enables.1) {
                Ok(request) => request,
                Err(bad) => return self.rq.breach(cycle, bad.0),
            };
        if let Some(breach) = request.breach(&config.limits()) {
            self.rq.breach(cycle, breach);
            return;
        }
        if !config.bus_master() {
            self.dropped += 1;
            return;
        }
        request.requester = CARD_ID;
        if !request.write {
            let slot = &mut self.reads[usize::from(request.tag)];
            if slot.as_ref().is_some_and(|read| !read.lost) {
                let what =
                    format!("a read at {:#x} uses tag {:#x}, which is in use", request.address, request.tag);
                return self.rq.breach(cycle, what);
            }
            let bytes = request.bytes();
            let end = request.address + u64::from(request.offset()) + u64::from(bytes);
            *slot = Some(Outstanding { end, left: bytes, attributes: request.attributes, lost: false });
            self.reads_under_way += 1;
        }
        self.requests.push_back(request);
    }

    fn take_answer(&mut self, bytes: &[u8], cycle: u64) {
        let completion = match descriptor::completer_completion(bytes) {
            Ok(completion) => completion,
            Err(bad) => return self.cc.breach(cycle, bad.0),
        };
        let Some(at) = self.asked.iter().position(|request| request.tag == completion.tag) else {
            let what = format!("a completion with tag {}, for which nothing was asked", completion.tag);
            // In a function-level reset the answer to a read from before may still come.
            if !self.function_reset {
                self.cc.breach(cycle, what);
            }
            return;
        };
        let request = self.asked.swap_remove(at);
        if let Some(breach) = completion.breach(&request) {
            self.cc.breach(cycle, breach);
        }
        self.answers.push_back(completion);
    }
}

/// What the block says of a successful completion of a read, whether it was the last, and where its data begins.
fn judge(read: &mut Outstanding, completion: &Completion, lower: &mut u16) -> (ErrorCode, bool) {
    if completion.data.is_empty() || completion.byte_count > read.left {
        return (ErrorCode::BadLength, true);
    }
    let start = read.end - u64::from(completion.byte_count);
    if start & 0x7f != u64::from(completion.lower_address) {
        return (ErrorCode::BadAddress, true);
    }
    *lower = (start & 0xfff) as u16;
    let carried = (completion.data.len() as u16).saturating_sub((start & 3) as u16);
    let ended = completion.byte_count <= carried;
    read.left = completion.byte_count.saturating_sub(carried);
    (if completion.poisoned { ErrorCode::Poisoned } else { ErrorCode::None }, ended)
}
