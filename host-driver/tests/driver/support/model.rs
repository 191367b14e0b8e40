//! The software card: register block, rings and commands, in plain Rust from the description in `spandrel-abi`.

use super::arithmetic;
use super::hashing::{self, Hashed};
use super::memory::HostMemory;
use spandrel_abi::*;
use std::sync::{Arc, Mutex};

/// When the card raises its interrupt line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interrupts {
    #[default]
    AsDescribed,
    Never,
    Always,
}

/// Changes a completion entry; is told its number since power-on.
pub type Tamper = Box<dyn FnMut(u64, &mut [u8; COMPLETION_BYTES]) + Send>;

/// What is wrong with the card.
#[derive(Default)]
pub struct Faults {
    /// Every register reads all ones, and the card does nothing.
    pub gone: bool,
    /// The command with this number (since power-on) and all after it never end.
    pub stuck_from: Option<u64>,
    /// Commands of this opcode end with this status code.
    pub status: Option<(Opcode, u8)>,
    pub tamper: Option<Tamper>,
    pub interrupts: Interrupts,
    /// CONTROL.RESET never goes back to zero (a reset from outside still works).
    pub reset_register_stuck: bool,
    /// No reset works.
    pub reset_dead: bool,
    /// Time does not pass.
    pub frozen: bool,
    /// SCRATCH forgets what is written.
    pub scratch_forgets: bool,
    /// Allocations that still succeed.
    pub allocations_left: Option<usize>,
    /// Element of 32 bytes of every result that does not reach memory.
    pub lost_element: Option<usize>,
    /// The transport can keep the card from memory.
    pub can_be_cut_off: bool,
    /// Word of an Identify command's answer that is wrong.
    pub identify_wrong: bool,
}

struct Executing {
    descriptor: Descriptor,
    reserved_zero: bool,
    started: u64,
    ends: u64,
}

/// The card.
pub struct Model {
    pub identification: Identification,
    pub faults: Faults,
    pub memory: Arc<Mutex<HostMemory>>,
    /// Registers of the PCIe endpoint, where there is one.
    pub link: Option<[u32; 3]>,
    /// The longest buffer that the transport gives.
    pub largest_buffer: Option<usize>,
    pub now: u64,
    /// Commands that ended, by opcode code, in order.
    pub log: Vec<u8>,
    pub resets: u32,
    /// Register accesses since power-on.
    pub accesses: u64,
    registers: Vec<u32>,
    card_memory: Vec<u8>,
    sq_head: u32,
    cq_position: u64,
    completions: u64,
    commands: u64,
    executing: Option<Executing>,
    ready_at: u64,
    counters: Counters,
    random: u64,
}

impl Model {
    pub fn new(identification: Identification, seed: u64) -> Model {
        Model {
            card_memory: vec![0; identification.card_memory_kib as usize * 1024],
            identification,
            faults: Faults::default(),
            memory: Arc::default(),
            link: None,
            largest_buffer: None,
            now: 0,
            log: Vec::new(),
            resets: 0,
            accesses: 0,
            registers: vec![0; REGISTER_BYTES as usize / 4],
            sq_head: 0,
            cq_position: 0,
            completions: 0,
            commands: 0,
            executing: None,
            // A power-on reset.
            ready_at: 500,
            counters: Counters::default(),
            random: seed,
        }
    }

    fn register(&self, register: Register) -> u32 {
        self.registers[register.offset as usize / 4]
    }

    fn set(&mut self, register: Register, value: u32) {
        self.registers[register.offset as usize / 4] = value;
    }

    fn address(&self, low: Register, high: Register) -> u64 {
        u64::from(self.register(high)) << 32 | u64::from(self.register(low))
    }

    pub fn read(&mut self, offset: u32) -> u32 {
        self.run(3);
        self.accesses += 1;
        if self.faults.gone {
            return u32::MAX;
        }
        let ready = self.now >= self.ready_at;
        match offset {
            0..0x40 => self.identification.to_words()[offset as usize / 4],
            _ if offset == CONTROL.offset => {
                self.register(CONTROL) & CONTROL_ENABLE.mask() | CONTROL_RESET.put((!ready).into())
            }
            _ if offset == STATUS.offset => {
                self.register(STATUS)
                    | STATUS_READY.put(ready.into())
                    | STATUS_BUSY.put(self.executing.is_some().into())
            }
            _ if offset == SQ_HEAD.offset => self.sq_head,
            _ if offset == CQ_TAIL.offset => self.cq_tail(),
            _ if offset == CYCLES_LO.offset => {
                self.set(CYCLES_HI, (self.now >> 32) as u32);
                // An engine that issues an addition every other cycle, whatever it has to do.
                self.set(MSM_ADDITIONS, (self.now / 2) as u32);
                self.now as u32
            }
            _ => self.registers[offset as usize / 4],
        }
    }

    pub fn write(&mut self, offset: u32, value: u32) {
        self.run(3);
        self.accesses += 1;
        if self.faults.gone {
            return;
        }
        let Some(register) = REGISTERS.iter().find(|register| register.offset == offset).copied() else {
            return;
        };
        let enabled = CONTROL_ENABLE.get(self.register(CONTROL)) == 1;
        if self.now < self.ready_at && offset != CONTROL.offset {
            return; // as the card does until STATUS.READY
        }
        let queue_set_up = (SQ_BASE_LO.offset..=CQ_MASK.offset).contains(&offset);
        match register.access {
            _ if offset == CONTROL.offset => {
                if CONTROL_RESET.get(value) == 1 && !self.faults.reset_register_stuck {
                    self.reset();
                } else if CONTROL_RESET.get(value) == 1 {
                    self.ready_at = u64::MAX;
                }
                self.set(CONTROL, value & CONTROL_ENABLE.mask());
            }
            Access::ReadOnly => {}
            Access::ReadWrite if queue_set_up && enabled => {}
            Access::ReadWrite if offset == SCRATCH.offset && self.faults.scratch_forgets => {}
            Access::ReadWrite => self.set(register, value),
            Access::WriteOneToClear => {
                let left = self.register(register) & !value;
                self.set(register, left);
            }
        }
        self.run(0);
    }

    /// A reset, by register or from outside.
    pub fn reset(&mut self) {
        self.resets += 1;
        self.registers.fill(0);
        self.executing = None;
        self.sq_head = 0;
        self.cq_position = 0;
        self.counters = Counters::default();
        self.card_memory.fill(0xee);
        self.ready_at = if self.faults.reset_dead { u64::MAX } else { self.now + 50 };
    }

    /// The interrupt request line.
    pub fn interrupt(&self) -> bool {
        match self.faults.interrupts {
            Interrupts::AsDescribed => self.register(INTERRUPT_STATUS) & self.register(INTERRUPT_ENABLE) != 0,
            Interrupts::Never => false,
            Interrupts::Always => true,
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, cycles: u64) {
        if self.faults.frozen {
            return;
        }
        let end = self.now + cycles;
        while !self.faults.gone && self.step(end) {}
        self.now = end;
    }

    /// The next thing that happens until `end`, if any.
    fn step(&mut self, end: u64) -> bool {
        if self.now < self.ready_at || STATUS_FAULT.get(self.register(STATUS)) == 1 {
            return false;
        }
        match &self.executing {
            Some(executing) if executing.ends > end || self.completion_ring_full() => false,
            Some(executing) => {
                self.now = self.now.max(executing.ends);
                self.complete();
                true
            }
            None if CONTROL_ENABLE.get(self.register(CONTROL)) == 0 => false,
            None if self.sq_head == self.register(SQ_TAIL) & self.register(SQ_MASK) => false,
            None => {
                self.fetch();
                true
            }
        }
    }

    fn random(&mut self) -> u64 {
        // splitmix64
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A queue that cannot be reached.
    pub fn queue_fault(&mut self, status: Status) {
        self.set(STATUS, STATUS_FAULT.put(1) | STATUS_FAULT_CODE.put(status as u32));
        let causes = self.register(INTERRUPT_STATUS) | INTERRUPT_FAULT.mask();
        self.set(INTERRUPT_STATUS, causes);
    }

    fn read_host(&self, iova: u64, bytes: usize) -> Option<Vec<u8>> {
        self.memory.lock().expect("not poisoned").read(iova, bytes)
    }

    fn write_host(&self, iova: u64, data: &[u8]) -> Option<()> {
        self.memory.lock().expect("not poisoned").write(iova, data)
    }

    fn fetch(&mut self) {
        let address =
            self.address(SQ_BASE_LO, SQ_BASE_HI) + u64::from(self.sq_head) * DESCRIPTOR_BYTES as u64;
        let Some(entry) = self.read_host(address, DESCRIPTOR_BYTES) else {
            return self.queue_fault(Status::HostReadFault);
        };
        let (descriptor, reserved_zero) = Descriptor::from_bytes(&entry.try_into().expect("64 bytes"));
        self.sq_head = (self.sq_head + 1) & self.register(SQ_MASK);
        let stuck = self.faults.stuck_from.is_some_and(|from| self.commands >= from);
        self.commands += 1;
        let ends = if stuck { u64::MAX } else { self.now + 20 + self.random() % 200 };
        self.executing = Some(Executing { descriptor, reserved_zero, started: self.now, ends });
    }

    fn cq_tail(&self) -> u32 {
        self.cq_position as u32 & self.register(CQ_MASK)
    }

    fn completion_ring_full(&self) -> bool {
        (self.cq_tail() + 1) & self.register(CQ_MASK) == self.register(CQ_HEAD)
    }

    fn complete(&mut self) {
        let Some(Executing { descriptor, reserved_zero, started, .. }) = self.executing.take() else {
            return;
        };
        let status = match (self.faults.status, reserved_zero) {
            (Some((opcode, status)), _) if opcode as u8 == descriptor.opcode => status,
            (_, false) => Status::ReservedNotZero as u8,
            (_, true) => self.execute(&descriptor).err().unwrap_or(Status::Success) as u8,
        };
        self.log.push(descriptor.opcode);
        let pass = self.cq_position / (u64::from(self.register(CQ_MASK)) + 1);
        let entry = Completion {
            command_id: descriptor.command_id,
            status,
            phase: u8::from(pass.is_multiple_of(2)),
            sq_head: self.sq_head,
            cycles: self.now - started,
        };
        let mut entry = entry.to_bytes();
        if let Some(tamper) = &mut self.faults.tamper {
            tamper(self.completions, &mut entry);
        }
        self.completions += 1;
        let address =
            self.address(CQ_BASE_LO, CQ_BASE_HI) + u64::from(self.cq_tail()) * COMPLETION_BYTES as u64;
        if self.write_host(address, &entry).is_none() {
            return self.queue_fault(Status::HostWriteFault);
        }
        self.cq_position += 1;
        let causes = self.register(INTERRUPT_STATUS) | INTERRUPT_COMPLETION.mask();
        self.set(INTERRUPT_STATUS, causes);
    }

    fn execute(&mut self, d: &Descriptor) -> Result<(), Status> {
        let opcode = Opcode::from_code(d.opcode).map_err(|_| Status::UnknownOpcode)?;
        let counts = match opcode {
            Opcode::Identify | Opcode::ReadCounters | Opcode::SelfTest => 0..=0,
            Opcode::LoadBases | Opcode::FieldVector | Opcode::ReadCard | Opcode::Poseidon => 1..=MAX_COUNT,
            Opcode::Msm => 0..=MAX_COUNT,
            Opcode::MerkleBuild if d.count == 0 => 0..=0,
            Opcode::MerkleBuild => d.size..=d.size,
            Opcode::MerklePaths => 1..=MERKLE_PATHS_MAX,
            Opcode::MerkleUpdate => 1..=MERKLE_UPDATE_MAX,
        };
        let tree = matches!(opcode, Opcode::MerkleBuild | Opcode::MerklePaths | Opcode::MerkleUpdate);
        if !tree && d.size != 0 {
            return Err(Status::ReservedNotZero);
        }
        if !counts.contains(&d.count) || tree && !(1..=MAX_COUNT).contains(&d.size) {
            return Err(Status::BadLength);
        }
        if [d.host_a, d.host_b, d.host_out].iter().any(|address| !address.is_multiple_of(HOST_ALIGNMENT))
            || !d.card_address.is_multiple_of(CARD_ALIGNMENT)
        {
            return Err(Status::BadAlignment);
        }
        let count = d.count as usize;
        let resident = d.card_address as usize..d.card_address as usize + count * AFFINE_POINT_BYTES;
        if matches!(opcode, Opcode::LoadBases | Opcode::Msm | Opcode::ReadCard)
            && resident.end > self.card_memory.len()
        {
            return Err(Status::CardAddressOutOfRange);
        }
        let mut status = Ok(());
        let out = match opcode {
            Opcode::Identify => {
                let mut words = self.identification.to_words();
                words[3] ^= u32::from(self.faults.identify_wrong);
                words.iter().flat_map(|word| word.to_le_bytes()).collect()
            }
            Opcode::LoadBases => {
                let bases = self.operand(d.host_a, count * AFFINE_POINT_BYTES)?;
                self.card_memory[resident].copy_from_slice(&bases);
                return Ok(());
            }
            Opcode::Msm => {
                let scalars = self.operand(d.host_a, count * FIELD_BYTES)?;
                self.counters = Counters { elements: count as u64, ..Counters::default() };
                let offered = |bits: &u32| d.parameter == msm_parameter(CurveId::Bn254G1, *bits as u8);
                let window_bits =
                    self.identification.window_choices().find(offered).ok_or(Status::BadParameter)?;
                let exponents = self.identification.msm_result_exponents(window_bits);
                arithmetic::bit_sums(&self.card_memory[resident], &scalars, exponents)
            }
            Opcode::FieldVector => {
                let (field, operation) = (d.parameter >> 8, d.parameter & 0xff);
                let field = u8::try_from(field).ok().and_then(|code| FieldId::from_code(code).ok());
                let operation =
                    FieldOperation::from_code(operation as u8).map_err(|_| Status::BadParameter)?;
                let a = self.operand(d.host_a, count * FIELD_BYTES)?;
                let b = self.operand(d.host_b, count * FIELD_BYTES)?;
                self.counters = Counters { elements: count as u64, ..Counters::default() };
                arithmetic::field_vector(field.ok_or(Status::BadParameter)?, operation, &a, &b)
            }
            Opcode::ReadCounters => self.counters.to_bytes().to_vec(),
            Opcode::SelfTest => return Ok(()),
            Opcode::ReadCard => self.card_memory[resident].to_vec(),
            Opcode::Poseidon | Opcode::MerkleBuild | Opcode::MerklePaths | Opcode::MerkleUpdate => {
                let hashed = self.execute_hash(opcode, d)?;
                self.counters = Counters { elements: hashed.hashes, ..Counters::default() };
                // Such a command runs to its end.
                status = if hashed.not_canonical { Err(Status::NotCanonical) } else { Ok(()) };
                hashed.out
            }
        };
        let lost = self.faults.lost_element.unwrap_or(usize::MAX);
        for (index, element) in out.chunks(FIELD_BYTES).enumerate().filter(|(index, _)| *index != lost) {
            self.write_host(d.host_out + (index * FIELD_BYTES) as u64, element)
                .ok_or(Status::HostWriteFault)?;
        }
        status
    }

    fn execute_hash(&mut self, opcode: Opcode, d: &Descriptor) -> Result<Hashed, Status> {
        let count = d.count as usize;
        if !self.identification.has_poseidon {
            return Err(Status::Unsupported);
        }
        if opcode == Opcode::Poseidon {
            let (width, blocks) = (d.parameter & 15, d.parameter >> 16);
            if self.identification.lanes(width) == 0 || d.parameter & 0xffe0 != 0 {
                return Err(Status::BadParameter);
            }
            let capacity = match blocks {
                0 => Vec::new(),
                _ => self.operand(d.host_b, FIELD_BYTES)?,
            };
            let elements = count * (width as usize - 1) * blocks.max(1) as usize;
            let messages = self.operand(d.host_a, elements * FIELD_BYTES)?;
            return Ok(hashing::poseidon(d, &capacity, &messages));
        }
        let offered = |shape: &TreeShape| self.identification.lanes(shape.arity + 1) > 0;
        let shape = hashing::shape(d).filter(offered).ok_or(Status::BadParameter)?;
        let entry = match opcode {
            Opcode::MerkleUpdate => MERKLE_ENTRY_BYTES,
            _ => FIELD_BYTES,
        };
        let operand = self.operand(d.host_a, count * entry)?;
        let place = d.card_address as usize..d.card_address as usize + shape.bytes() as usize;
        let memory = self.card_memory.get_mut(place).ok_or(Status::CardAddressOutOfRange)?;
        let tree = hashing::Tree { memory, shape, output: d.parameter >> 4 & 1 };
        match opcode {
            Opcode::MerkleBuild => Ok(tree.build(&operand)),
            Opcode::MerklePaths => tree.paths(&operand),
            _ => tree.update(&operand),
        }
    }

    fn operand(&mut self, iova: u64, bytes: usize) -> Result<Vec<u8>, Status> {
        if bytes == 0 {
            return Ok(Vec::new());
        }
        self.read_host(iova, bytes).ok_or(Status::HostReadFault)
    }
}
