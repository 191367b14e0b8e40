//! The root complex: host memory behind the link, with completions that come late, in pieces and out of order.

use super::block::Block;
use super::descriptor::ErrorCode;
use super::tlp::{Completion, CompletionStatus, Request};
use crate::memory::{Guarded, Memory};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// So many completions are made ahead of the stream.
const AHEAD: usize = 2;
/// A request in pieces: so many cycles at most until the next piece may come, so that others overtake it.
const PIECE_CYCLES: u64 = 64;

/// What goes wrong with a read of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// It is never completed.
    Lost,
    /// It is completed so many cycles late.
    Late(u32),
    /// It is completed in the smallest pieces allowed, between which others are completed.
    Shattered,
    /// The data of its last completion is poisoned.
    Poisoned,
    /// It is completed as an unsupported request.
    Unsupported,
    /// It is completed as aborted by the completer.
    Aborted,
    /// It is completed successfully, without data.
    NoData,
    /// Its first completion lacks a DWORD, and counts one too few.
    WrongLength,
    /// The block itself gives up waiting for its completion.
    BlockTimeout,
}

/// How slow the world beyond the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PcieTiming {
    /// Cycles from a read request to its first completion: the least.
    pub read_latency_min_cycles: u32,
    /// The same: the most.
    pub read_latency_max_cycles: u32,
    /// In how many of 100 cycles each stream holds back.
    pub stall_percent: u8,
    /// Whether completions of several requests come in any order, in pieces of any size that is allowed; else they come in
    /// order, in pieces as large as may be.
    pub shuffle: bool,
}

impl PcieTiming {
    /// Host memory 0.6 µs away at 250 MHz; no stalls.
    pub const STEADY: PcieTiming = PcieTiming {
        read_latency_min_cycles: 150,
        read_latency_max_cycles: 150,
        stall_percent: 0,
        shuffle: false,
    };

    /// From no latency to long, every stream held back half of the time, completions in pieces and out of order.
    pub const HOSTILE: PcieTiming = PcieTiming {
        read_latency_min_cycles: 0,
        read_latency_max_cycles: 400,
        stall_percent: 50,
        shuffle: true,
    };
}

/// What went over the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PcieTraffic {
    /// Read requests of the card.
    pub read_requests: u64,
    /// Bytes of completions handed to the card.
    pub read_bytes: u64,
    /// Write requests of the card, messages among them.
    pub write_requests: u64,
    /// Bytes that they carried.
    pub write_bytes: u64,
    /// Completions handed to the card.
    pub completions: u64,
    /// Completions among them that were not successful, or not what the card asked for.
    pub failed_completions: u64,
    /// Writes of the card that had no effect: not mapped, denied, or injected.
    pub dropped_writes: u64,
    /// Requests of the card that went nowhere because it was not bus master, or off the bus.
    pub dropped_requests: u64,
    /// Interrupt messages that came.
    pub messages: u64,
    /// Accesses of the host to BAR 0 that were refused, so that it read all ones.
    pub refused_accesses: u64,
}

struct Pending {
    request: Request,
    /// Cycle from which the next completion may come.
    due: u64,
    /// Bytes completed.
    sent: u16,
    fault: Option<ReadFault>,
}

/// Host memory, and the completions on their way from it.
pub struct Root<M> {
    memory: Guarded<M>,
    timing: PcieTiming,
    random: ChaCha8Rng,
    pending: Vec<Pending>,
    /// No completion is due before this cycle.
    next_due: u64,
    traffic: PcieTraffic,
    faults: Vec<(u64, ReadFault)>,
    fail_writes: Vec<u64>,
    held: bool,
}

impl<M: Memory> Root<M> {
    /// Host memory behind the link.
    pub fn new(memory: M, timing: PcieTiming, seed: u64) -> Root<M> {
        Root {
            memory: Guarded::new(memory),
            timing,
            random: ChaCha8Rng::seed_from_u64(seed),
            pending: Vec::new(),
            next_due: u64::MAX,
            traffic: PcieTraffic::default(),
            faults: Vec::new(),
            fail_writes: Vec::new(),
            held: false,
        }
    }

    /// The memory.
    pub fn memory(&self) -> &Guarded<M> {
        &self.memory
    }

    /// The memory.
    pub fn memory_mut(&mut self) -> &mut Guarded<M> {
        &mut self.memory
    }

    /// What went over the link.
    pub fn traffic(&self) -> PcieTraffic {
        self.traffic
    }

    /// The same, to add to.
    pub fn traffic_mut(&mut self) -> &mut PcieTraffic {
        &mut self.traffic
    }

    /// Something goes wrong with the card's `n`-th read request from now, 0 being the next.
    pub fn fault_read(&mut self, n: u64, fault: ReadFault) {
        self.faults.push((self.traffic.read_requests + n, fault));
    }

    /// Drops the card's `n`-th write from now, 0 being the next.
    pub fn drop_write(&mut self, n: u64) {
        self.fail_writes.push(self.traffic.write_requests + n);
    }

    /// Completes nothing, or goes on where it stopped.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Forgets the reads under way.
    pub fn reset(&mut self) {
        self.pending.clear();
        self.next_due = u64::MAX;
    }

    /// None of the reads under way will be completed.
    pub fn lose_all(&mut self, block: &mut Block) {
        self.pending.drain(..).for_each(|pending| block.lose(pending.request.tag));
        self.next_due = u64::MAX;
    }

    /// Whether completions are on their way.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Serves a write of the card that is none of the host's messages.
    pub fn write(&mut self, request: &Request) {
        let number = self.traffic.write_requests;
        self.traffic.write_requests += 1;
        self.traffic.write_bytes += request.data.len() as u64;
        let before = self.fail_writes.len();
        self.fail_writes.retain(|entry| *entry != number);
        // A write that is known to be wrong must not reach memory.
        let mut dropped = request.poisoned || self.fail_writes.len() < before;
        for (index, chunk) in request.data.chunks(64).enumerate() {
            if !dropped {
                let address = request.address + 64 * index as u64;
                dropped = !self.memory.write(address, chunk, request.strobe(16 * index));
            }
        }
        self.traffic.dropped_writes += u64::from(dropped);
    }

    /// Takes in a read of the card.
    pub fn read(&mut self, request: Request, cycle: u64) {
        let number = self.traffic.read_requests;
        self.traffic.read_requests += 1;
        let fault = self.faults.iter().position(|(at, _)| *at == number);
        let fault = fault.map(|index| self.faults.swap_remove(index).1);
        let PcieTiming { read_latency_min_cycles: min, read_latency_max_cycles: max, .. } = self.timing;
        let mut due = cycle + u64::from(if min < max { self.random.gen_range(min..=max) } else { min });
        if let Some(ReadFault::Late(cycles)) = fault {
            due += u64::from(cycles);
        }
        self.next_due = self.next_due.min(due);
        self.pending.push(Pending { request, due, sent: 0, fault });
    }

    /// Makes completions for as long as the block has room.
    #[inline]
    pub fn advance(&mut self, block: &mut Block, cycle: u64, payload_bytes: u16, boundary: u16) {
        if self.next_due <= cycle && !self.held {
            while self.next_due <= cycle && block.completions_pending() < AHEAD {
                self.complete_one(block, cycle, payload_bytes, boundary);
            }
        }
    }

    fn complete_one(&mut self, block: &mut Block, cycle: u64, payload_bytes: u16, boundary: u16) {
        let due = |pending: &Pending| pending.due <= cycle;
        let index = if self.timing.shuffle {
            let count = self.pending.iter().filter(|pending| due(pending)).count();
            let chosen = if count > 1 { self.random.gen_range(0..count) } else { 0 };
            self.pending.iter().enumerate().filter(|(_, pending)| due(pending)).nth(chosen)
        } else {
            self.pending.iter().enumerate().find(|(_, pending)| due(pending))
        };
        if let Some((index, _)) = index {
            let ended = self.complete_piece(block, index, cycle, payload_bytes, boundary);
            if ended {
                self.pending.remove(index);
            }
        }
        self.next_due = self.pending.iter().map(|pending| pending.due).min().unwrap_or(u64::MAX);
    }

    /// Makes the next completion of a request; returns whether it was the last.
    fn complete_piece(
        &mut self,
        block: &mut Block,
        index: usize,
        cycle: u64,
        payload_bytes: u16,
        boundary: u16,
    ) -> bool {
        let pending = &mut self.pending[index];
        let request = &pending.request;
        let mut completion = Completion::without_data(request, CompletionStatus::Success);
        let mut ended_as = None;
        let answered = match pending.fault {
            Some(ReadFault::Lost) => {
                block.lose(request.tag);
                return true;
            }
            Some(ReadFault::BlockTimeout) => {
                ended_as = Some(ErrorCode::TimedOut);
                true
            }
            Some(ReadFault::Unsupported) => {
                completion.status = CompletionStatus::Unsupported;
                true
            }
            Some(ReadFault::Aborted) => {
                completion.status = CompletionStatus::Aborted;
                true
            }
            Some(ReadFault::NoData) => true,
            _ => false,
        };
        if answered {
            self.traffic.completions += 1;
            self.traffic.failed_completions += 1;
            block.complete(completion, ended_as);
            return true;
        }
        let total = request.bytes();
        let start = request.address + u64::from(request.offset()) + u64::from(pending.sent);
        let left = total - pending.sent;
        let finest = pending.fault == Some(ReadFault::Shattered);
        let unit = if finest || self.timing.shuffle { boundary } else { payload_bytes };
        let most = (payload_bytes / unit).max(1);
        let units = if finest || most == 1 { 1 } else { self.random.gen_range(1..=most) };
        // All but the last end at a boundary.
        let reach = u64::from(unit) * u64::from(units) - start % u64::from(unit);
        let mut bytes = u64::from(left).min(reach) as u16;
        completion.lower_address = (start & 0x7f) as u8;
        completion.byte_count = left;
        if pending.fault == Some(ReadFault::WrongLength) && bytes > 4 {
            completion.byte_count -= 4;
            bytes -= 4;
        }
        let offset = usize::from(completion.lower_address & 3);
        let length = (offset + usize::from(bytes)).next_multiple_of(4);
        // Bytes that were not asked for are not read.
        completion.data = vec![0; length];
        if !self.memory.read(start, &mut completion.data[offset..offset + usize::from(bytes)]) {
            completion.data.clear();
            completion.status = CompletionStatus::Unsupported;
        }
        completion.dwords = (completion.data.len() / 4) as u16;
        let failed = completion.status != CompletionStatus::Success;
        let last = bytes == left || failed || pending.fault == Some(ReadFault::WrongLength);
        completion.poisoned = last && !failed && pending.fault == Some(ReadFault::Poisoned);
        self.traffic.completions += 1;
        self.traffic.read_bytes += if failed { 0 } else { u64::from(bytes) };
        self.traffic.failed_completions += u64::from(failed || completion.poisoned);
        pending.sent += bytes;
        if finest || self.timing.shuffle {
            pending.due = cycle + if finest { self.random.gen_range(0..PIECE_CYCLES) } else { 0 };
        }
        block.complete(completion, None);
        last
    }

    /// Ends some of the reads under way as the block does in a function-level reset: at random, where order is random.
    pub fn function_reset(&mut self, block: &mut Block) {
        if !self.timing.shuffle {
            return;
        }
        let mut index = 0;
        while index < self.pending.len() {
            if self.pending[index].sent == 0 && self.random.gen_bool(0.5) {
                let request = self.pending.remove(index).request;
                let completion = Completion::without_data(&request, CompletionStatus::Success);
                block.complete(completion, Some(ErrorCode::FunctionReset));
            } else {
                index += 1;
            }
        }
    }
}
