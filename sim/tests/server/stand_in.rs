//! A PCI function in plain software: registers, a DMA engine, MSI-X, resets. It is what the server is tested with where the
//! real card would only be slower.

use spandrel_abi::{BAR0_BYTES, MSIX_TABLE_OFFSET, MSIX_VECTORS, PCI_DEVICE, PCI_VENDOR};
use spandrel_driver::{AccessWidth, VfioUser};
use spandrel_sim::SimError;
use spandrel_sim::memory::{GuestMemory, Memory};
use spandrel_sim::server::{PcieFunction, ServeError, Server, Stop};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Registers of the stand-in; all others are memory.
pub const SOURCE: u64 = 0x200;
pub const DESTINATION: u64 = 0x208;
pub const LENGTH: u64 = 0x210;
pub const GO: u64 = 0x214;
pub const STATE: u64 = 0x218;
/// Answers with a bus error.
pub const BROKEN: u64 = 0x220;
/// Breaks the whole function.
pub const FATAL: u64 = 0x228;
/// Values of STATE.
pub const DONE: u64 = 2;
pub const REFUSED: u64 = 3;
/// Values of GO: copy once, or never come to an end.
pub const COPY: u64 = 1;
pub const FOREVER: u64 = 2;
/// After this, function-level resets never end.
pub const NO_RESET: u64 = 3;

pub const COMMAND: u16 = 4;
pub const DEVICE_CONTROL: u16 = 0x78;
const MSIX: u16 = 0x60;
const COPY_CYCLES: u64 = 500;
const RESET_CYCLES: u64 = 1000;

pub struct StandIn {
    memory: GuestMemory,
    config: Vec<u8>,
    bar: Vec<u8>,
    copying: Option<u64>,
    resetting: u64,
    no_reset: bool,
    messages: Vec<u16>,
    cycles: Arc<AtomicU64>,
}

impl StandIn {
    pub fn new(memory: GuestMemory, cycles: Arc<AtomicU64>) -> StandIn {
        let mut function = StandIn {
            memory,
            config: Vec::new(),
            bar: Vec::new(),
            copying: None,
            resetting: 0,
            no_reset: false,
            messages: Vec::new(),
            cycles,
        };
        function.power_on();
        function
    }

    fn power_on(&mut self) {
        self.config = vec![0; 4096];
        self.bar = vec![0; BAR0_BYTES as usize];
        self.copying = None;
        self.no_reset = false;
        let identity = u32::from(PCI_DEVICE) << 16 | u32::from(PCI_VENDOR);
        for (at, value) in [
            (0, identity),
            (0x34, u32::from(MSIX)),
            (MSIX, 0x11 | 0x70 << 8 | (u32::from(MSIX_VECTORS) - 1) << 16),
            (0x70, 0x10),
        ] {
            self.config[usize::from(at)..][..4].copy_from_slice(&value.to_le_bytes());
        }
    }

    fn register(&self, offset: u64) -> u64 {
        let mut value = [0; 8];
        value.copy_from_slice(&self.bar[offset as usize..][..8]);
        u64::from_le_bytes(value)
    }

    fn config_bit(&self, offset: u16, bit: u8) -> bool {
        self.config[usize::from(offset)] >> bit & 1 == 1
    }

    fn copy(&mut self) {
        let bytes = self.register(LENGTH) as u32 as usize;
        let mut data = vec![0; bytes];
        let (source, destination) = (self.register(SOURCE), self.register(DESTINATION));
        let done = self.config_bit(COMMAND, 2)
            && self.memory.read(source, &mut data)
            && data
                .chunks(64)
                .enumerate()
                .all(|(at, chunk)| self.memory.write(destination + 64 * at as u64, chunk, u64::MAX));
        self.bar[STATE as usize] = if done { DONE } else { REFUSED } as u8;
        let vector = u16::from(!done);
        let control = MSIX_TABLE_OFFSET as usize + 16 * usize::from(vector) + 12;
        if self.config_bit(MSIX + 3, 7) && self.bar[control] & 1 == 0 {
            self.messages.push(vector);
        }
    }
}

impl PcieFunction for StandIn {
    fn config_read(&mut self, offset: u16, bytes: u8) -> u32 {
        let mut value = [0; 4];
        value[..bytes.into()].copy_from_slice(&self.config[usize::from(offset)..][..bytes.into()]);
        u32::from_le_bytes(value)
    }

    fn config_write(&mut self, offset: u16, bytes: u8, value: u32) {
        if offset == DEVICE_CONTROL && value & 1 << 15 != 0 {
            self.resetting = if self.no_reset { u64::MAX } else { RESET_CYCLES };
        } else if offset >= 4 {
            self.config[usize::from(offset)..][..bytes.into()]
                .copy_from_slice(&value.to_le_bytes()[..bytes.into()]);
        }
    }

    fn bar_read(&mut self, offset: u64, width: AccessWidth) -> Result<u64, SimError> {
        match offset {
            BROKEN => return Err(SimError::BusError { address: offset, response: 2 }),
            FATAL => return Err(SimError::Stopped { top: "stand-in".into(), message: "on order".into() }),
            _ => {}
        }
        let mut value = [0; 8];
        let bytes = width.bytes() as usize;
        value[..bytes].copy_from_slice(&self.bar[offset as usize..][..bytes]);
        Ok(u64::from_le_bytes(value))
    }

    fn bar_write(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), SimError> {
        let bytes = width.bytes() as usize;
        self.bar[offset as usize..][..bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        if offset == GO && value == NO_RESET {
            self.no_reset = true;
        } else if offset == GO {
            self.bar[STATE as usize] = 1;
            self.copying = Some(if value == COPY { COPY_CYCLES } else { u64::MAX });
        }
        Ok(())
    }

    fn run(&mut self, cycles: u64) -> Result<(), SimError> {
        self.cycles.fetch_add(cycles, Ordering::Relaxed);
        if self.resetting > 0 {
            self.resetting = self.resetting.saturating_sub(cycles);
            if self.resetting == 0 {
                self.power_on();
            }
        } else if let Some(left) = self.copying {
            self.copying = Some(left.saturating_sub(cycles)).filter(|left| *left > 0);
            if self.copying.is_none() {
                self.copy();
            }
        }
        Ok(())
    }

    fn busy(&self) -> bool {
        self.copying.is_some() || self.resetting > 0
    }

    fn take_interrupts(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.messages)
    }

    fn program_msix(&mut self) -> Result<(), SimError> {
        self.config[usize::from(MSIX) + 3] = 0x80;
        for vector in 0..usize::from(MSIX_VECTORS) {
            self.bar[MSIX_TABLE_OFFSET as usize + 16 * vector..][..16].fill(0);
        }
        Ok(())
    }

    fn reset_link(&mut self) -> Result<(), SimError> {
        self.resetting = 0;
        self.power_on();
        Ok(())
    }
}

/// A server of a stand-in on a thread of its own, in a directory of its own.
pub struct Served {
    pub path: PathBuf,
    pub memory: GuestMemory,
    pub cycles: Arc<AtomicU64>,
    stop: Stop,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
    _directory: tempfile::TempDir,
}

impl Served {
    pub fn start() -> Served {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("card");
        let (memory, cycles) = (GuestMemory::new(), Arc::new(AtomicU64::new(0)));
        let function = StandIn::new(memory.clone(), cycles.clone());
        let mut server = Server::bind(&path, function, memory.clone()).unwrap();
        let stop = server.stopper();
        let thread = Some(std::thread::spawn(move || server.run(false)));
        Served { path, memory, cycles, stop, thread, _directory: directory }
    }

    pub fn connect(&self) -> VfioUser {
        VfioUser::connect(&self.path).unwrap()
    }

    /// Ends the server, and gives how it ended.
    #[allow(dead_code, reason = "not every test binary ends it by hand")]
    pub fn end(&mut self) -> Result<(), ServeError> {
        self.stop.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
