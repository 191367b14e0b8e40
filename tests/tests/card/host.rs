//! A host that drives the rings by hand, register by register and byte by byte.

use spandrel_abi::*;
use spandrel_driver::DmaBuffer;
use spandrel_sim::memory::Memory;
use spandrel_sim::model::{BuildOptions, ModelLibrary};
use spandrel_sim::{SimCard, SimOptions, Timing};
use std::sync::{Arc, OnceLock};

/// Longest wait for anything, in cycles; stalls included, the longest command of these tests takes a tenth.
const BOUND_CYCLES: u64 = 400_000;

/// The stand-in card's model, built once.
pub fn library() -> Arc<ModelLibrary> {
    static LIBRARY: OnceLock<Arc<ModelLibrary>> = OnceLock::new();
    let build = || {
        let card = super::stand_in::stand_in_card();
        let emitted = spandrel_hdl::emit::emit(&card, "stand_in_card").unwrap();
        ModelLibrary::build(&emitted, &BuildOptions::default()).unwrap_or_else(|error| panic!("{error}"))
    };
    LIBRARY.get_or_init(build).clone()
}

/// A card with rings in host memory.
pub struct Host {
    pub card: SimCard,
    pub sq: DmaBuffer,
    pub cq: DmaBuffer,
    pub sq_entries: u32,
    pub cq_entries: u32,
    /// Index of the next submission entry to write.
    pub tail: u32,
    /// Index of the next completion entry to read.
    pub head: u32,
    /// Phase that the next completion entry has.
    pub phase: u8,
    /// Identifier of the next command.
    pub next_id: u16,
}

impl Host {
    /// A fresh card in a world of this timing, with enabled rings of 8 entries.
    pub fn new(timing: Timing, seed: u64) -> Host {
        Host::with_rings(timing, seed, 8, 8)
    }

    /// As [`Host::new`], with rings of these sizes.
    pub fn with_rings(timing: Timing, seed: u64, sq_entries: u32, cq_entries: u32) -> Host {
        let options = SimOptions { seed, ..Default::default() };
        let memory = u64::from(super::stand_in::CARD_MEMORY_KIB) * 1024;
        let card = SimCard::from_library(&library(), memory, &options, timing).unwrap();
        Host::around(card, sq_entries, cq_entries)
    }

    /// A host for this card.
    pub fn around(card: SimCard, sq_entries: u32, cq_entries: u32) -> Host {
        let sq = card.host().memory().allocate(64 * sq_entries as usize).unwrap();
        let cq = card.host().memory().allocate(32 * cq_entries as usize).unwrap();
        let mut host =
            Host { card, sq, cq, sq_entries, cq_entries, tail: 0, head: 0, phase: 1, next_id: 100 };
        host.wait_ready();
        host.set_up();
        host
    }

    pub fn read(&mut self, register: Register) -> u32 {
        self.card.read_register(register.offset.into()).unwrap()
    }

    pub fn write(&mut self, register: Register, value: u32) {
        self.card.write_register(register.offset.into(), value, 0xf).unwrap();
    }

    /// Waits until the card is out of reset.
    pub fn wait_ready(&mut self) {
        for _ in 0..BOUND_CYCLES / 8 {
            let (control, status) = (self.read(CONTROL), self.read(STATUS));
            if CONTROL_RESET.get(control) == 0 && STATUS_READY.get(status) == 1 {
                return;
            }
        }
        panic!("the card does not come out of reset");
    }

    /// Empty rings, enabled, with interrupts.
    pub fn set_up(&mut self) {
        self.cq.write(0, &vec![0; self.cq.len()]).unwrap();
        (self.tail, self.head, self.phase) = (0, 0, 1);
        let (sq, cq) = (self.sq.iova(), self.cq.iova());
        self.write(SQ_BASE_LO, sq as u32);
        self.write(SQ_BASE_HI, (sq >> 32) as u32);
        self.write(SQ_MASK, self.sq_entries - 1);
        self.write(CQ_BASE_LO, cq as u32);
        self.write(CQ_BASE_HI, (cq >> 32) as u32);
        self.write(CQ_MASK, self.cq_entries - 1);
        self.write(INTERRUPT_ENABLE, INTERRUPT_COMPLETION.put(1) | INTERRUPT_FAULT.put(1));
        self.write(CONTROL, CONTROL_ENABLE.put(1));
    }

    /// Resets the card by register and sets the rings up again.
    pub fn reset(&mut self) {
        self.write(CONTROL, CONTROL_RESET.put(1));
        self.wait_ready();
        self.set_up();
    }

    pub fn buffer(&self, bytes: usize) -> DmaBuffer {
        self.card.host().memory().allocate(bytes).unwrap()
    }

    /// A buffer with these bytes at this offset.
    pub fn filled(&self, offset: usize, bytes: &[u8]) -> DmaBuffer {
        let mut buffer = self.buffer(offset + bytes.len());
        buffer.write(offset, bytes).unwrap();
        buffer
    }

    /// Bytes of card memory.
    pub fn card_bytes(&mut self, address: u64, bytes: usize) -> Vec<u8> {
        let mut into = vec![0; bytes];
        assert!(self.card.card_mut().memory_mut().read(address, &mut into));
        into
    }

    /// Writes raw bytes as the next submission entry, without the doorbell.
    pub fn push_raw(&mut self, bytes: &[u8; DESCRIPTOR_BYTES]) {
        self.sq.write(64 * (self.tail % self.sq_entries) as usize, bytes).unwrap();
        self.tail = (self.tail + 1) % self.sq_entries;
    }

    /// Writes a submission entry with a fresh identifier, without the doorbell; returns the identifier.
    pub fn push(&mut self, descriptor: Descriptor) -> u16 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.push_raw(&Descriptor { command_id: id, ..descriptor }.to_bytes());
        id
    }

    pub fn ring(&mut self) {
        let tail = self.tail;
        self.write(SQ_TAIL, tail);
    }

    /// The next completion entry if it is there; the card is not told that it was read.
    pub fn poll(&mut self) -> Option<Completion> {
        let mut bytes = [0; COMPLETION_BYTES];
        self.cq.read(32 * self.head as usize, &mut bytes).unwrap();
        let completion = Completion::from_bytes(&bytes);
        if completion.phase != self.phase {
            return None;
        }
        assert_eq!(completion.to_bytes(), bytes, "bytes that are not listed are zero");
        self.head = (self.head + 1) % self.cq_entries;
        self.phase ^= u8::from(self.head == 0);
        Some(completion)
    }

    /// Waits for the next completion entry and gives it back to the card.
    pub fn complete(&mut self) -> Completion {
        let completion = self.complete_silently();
        let head = self.head;
        self.write(CQ_HEAD, head);
        completion
    }

    /// Waits for the next completion entry.
    pub fn complete_silently(&mut self) -> Completion {
        let end = self.card.cycles() + BOUND_CYCLES;
        while self.card.cycles() < end {
            if let Some(completion) = self.poll() {
                return completion;
            }
            self.card.run(16).unwrap();
        }
        panic!("no completion after {BOUND_CYCLES} cycles; status {:#x}", self.read(STATUS));
    }

    /// Executes one command and returns its completion, of which the identifier is checked.
    pub fn execute(&mut self, descriptor: Descriptor) -> Completion {
        let id = self.push(descriptor);
        self.ring();
        let completion = self.complete();
        assert_eq!(completion.command_id, id);
        assert_eq!(completion.sq_head, self.tail);
        completion
    }

    /// Executes one command that must succeed.
    pub fn succeed(&mut self, descriptor: Descriptor) -> Completion {
        let completion = self.execute(descriptor);
        assert_eq!(completion.status, Status::Success as u8, "{descriptor:?}");
        completion
    }

    /// What the last counting command counted.
    pub fn counters(&mut self) -> Counters {
        let out = self.buffer(COUNTERS_BYTES);
        self.succeed(Descriptor {
            opcode: Opcode::ReadCounters as u8,
            host_out: out.iova(),
            ..Default::default()
        });
        let mut bytes = [0; COUNTERS_BYTES];
        out.read(0, &mut bytes).unwrap();
        Counters::from_bytes(&bytes)
    }

    /// The card kept AXI's rules.
    pub fn check_rules(&self) {
        self.card.check_rules().unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Bytes of a buffer.
pub fn bytes_of(buffer: &DmaBuffer, offset: usize, bytes: usize) -> Vec<u8> {
    let mut into = vec![0; bytes];
    buffer.read(offset, &mut into).unwrap();
    into
}

/// Bytes with no pattern.
pub fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    use rand::{RngCore, SeedableRng};
    let mut into = vec![0; bytes];
    rand_chacha::ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut into);
    into
}
