//! The transport itself.

use super::line;
use super::link::{Patience, Reply, SerialLink};
use super::memory::{HostBuffers, SerialStatistics};
use super::name::SerialName;
use crate::dma::DmaBuffer;
use crate::lock::{CardLock, LockError};
use crate::transport::{AccessWidth, ClockKind, Pace, Transport, TransportError};
use spandrel_abi::{
    CLOCK_KHZ, MSIX_VECTORS, REGISTER_BYTES, SERIAL_BAUD, SERIAL_BEAT_BYTES, SERIAL_BURST_BEATS,
    SERIAL_DIVISOR, SERIAL_DONE, SERIAL_HELLO, SERIAL_HELLO_VALUE, SERIAL_LEAST_DIVISOR, SERIAL_READ,
    SERIAL_RESET, SERIAL_WRITE,
};
use std::time::{Duration, Instant};

/// A rate at which a zero byte is a break for every card.
const BREAK_BAUD: u32 = 115_200;
/// What a program needs to see a new rate of a device, and a converter to have sent what it was given.
const SETTLE: Duration = Duration::from_millis(60);
/// How often a card is called before it is held to be absent.
const CALLS: u32 = 4;
/// How many times slower than its clock a simulated card may run.
const SIMULATION_SLOWDOWN: u32 = 2048;
/// What host and converter may take to answer a card.
const TURNAROUND: Duration = Duration::from_millis(20);

const ACCESS: Patience = Patience {
    first: Duration::from_millis(150),
    most: Duration::from_secs(2),
    whole: Duration::from_secs(10),
};
const CALL: Patience = Patience {
    first: Duration::from_millis(150),
    most: Duration::from_millis(300),
    whole: Duration::from_millis(700),
};
/// A reset ends what the card has begun: that takes it as long as it repeats requests.
const RESET: Patience = Patience {
    first: Duration::from_millis(500),
    most: Duration::from_secs(2),
    whole: Duration::from_secs(30),
};

/// A card at the other end of a serial line.
///
/// Opening it calls the card at the board's own rate, agrees on the rate asked for, and resets the card, so that it has
/// forgotten the memory of who had it before. A lost or damaged frame costs a repetition; each register access
/// happens exactly once. Every call ends, within 10 s where the card does not answer (4 minutes where it is simulated), in
/// [`TransportError::Disconnected`].
pub struct SerialTransport {
    link: SerialLink,
    memory: HostBuffers,
    name: String,
    wanted_baud: Option<u32>,
    baud: u32,
    simulated: bool,
    started: Instant,
    _lock: CardLock,
}

impl std::fmt::Debug for SerialTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SerialTransport").field("name", &self.name).finish_non_exhaustive()
    }
}

impl SerialTransport {
    /// Opens the card at a device.
    ///
    /// A pseudo-terminal is taken for a simulated card, whose waits are longer, and which is used at the highest rate that
    /// there is where none is asked for.
    ///
    /// # Errors
    /// [`TransportError::InUse`] when another process has the device; [`TransportError::Other`] when it is not there, may
    /// not be used, or no Spandrel card answers; [`TransportError::Io`].
    pub fn open(name: &SerialName) -> Result<SerialTransport, TransportError> {
        let text = format!("serial:{}", name.path.display());
        let canonical = name.path.canonicalize().unwrap_or_else(|_| name.path.clone());
        let lock = CardLock::acquire(&format!("serial:{}", canonical.display())).map_err(|error| match error {
            LockError::Held { .. } => TransportError::InUse { card: text.clone() },
            LockError::Io { .. } => TransportError::Other(error.to_string()),
        })?;
        let port = line::open(&name.path, &text, SERIAL_BAUD)?;
        let memory = HostBuffers::default();
        let mut transport = SerialTransport {
            link: SerialLink::start(port, &text, memory.clone())?,
            memory,
            name: text,
            wanted_baud: name.baud,
            baud: SERIAL_BAUD,
            simulated: line::is_pseudo_terminal(&name.path),
            started: Instant::now(),
            _lock: lock,
        };
        transport.connect()?;
        Ok(transport)
    }

    /// What went over the line so far.
    pub fn statistics(&self) -> SerialStatistics {
        self.link.statistics()
    }

    /// Bits a second.
    pub fn baud(&self) -> u32 {
        self.baud
    }

    /// Finds the card, whatever state it is in, agrees on a rate and resets it.
    fn connect(&mut self) -> Result<(), TransportError> {
        self.find()?;
        let clock_khz = self.read(CLOCK_KHZ.offset.into(), AccessWidth::Word)?;
        let clock = u64::from(clock_khz) * 1000;
        let highest = clock / u64::from(SERIAL_LEAST_DIVISOR);
        let baud = match self.wanted_baud {
            Some(baud) => baud,
            None if self.simulated => u32::try_from(highest).unwrap_or(u32::MAX).max(SERIAL_BAUD),
            None => self.baud,
        };
        if baud != self.baud {
            self.change(baud, clock)?;
        }
        self.reset_card()
    }

    /// Calls the card until it answers, at the rate that it has after power-on.
    fn find(&mut self) -> Result<(), TransportError> {
        for call in 0..CALLS {
            // At a low rate, a zero byte is a break, after which the card is at its first rate.
            self.set_baud(BREAK_BAUD)?;
            self.link.send_raw(&[0])?;
            std::thread::sleep(SETTLE * (1 << call));
            // The board's profile may name another first rate than is usual.
            let other = self.wanted_baud.filter(|_| call % 2 == 1);
            self.set_baud(other.unwrap_or(SERIAL_BAUD))?;
            std::thread::sleep(SETTLE);
            match self.hello(CALL) {
                Ok(()) => return Ok(()),
                Err(error @ TransportError::Other(_)) => return Err(error),
                Err(_) => {}
            }
        }
        Err(TransportError::Other(format!(
            "no Spandrel card answered at {}: check the baud rate and that the bitstream is loaded",
            self.name
        )))
    }

    fn hello(&mut self, patience: Patience) -> Result<(), TransportError> {
        let reply = self.ask(SERIAL_HELLO, 0, 0, patience)?;
        self.link.restart();
        match reply {
            Reply { status: SERIAL_DONE, value: SERIAL_HELLO_VALUE } => Ok(()),
            Reply { value, .. } => Err(TransportError::Other(format!(
                "{} speaks another version of the serial link ({value:#010x}, not {SERIAL_HELLO_VALUE:#010x}): load a \
                 bitstream that was made with this driver, or use the driver that it was made with",
                self.name
            ))),
        }
    }

    /// Agrees on another rate.
    fn change(&mut self, baud: u32, clock: u64) -> Result<(), TransportError> {
        let divisor = (clock + u64::from(baud) / 2) / u64::from(baud);
        let real = clock.checked_div(divisor).unwrap_or(0);
        // Half a bit at the end of a byte is 5 %; both sides may be off.
        let near = real.abs_diff(baud.into()) * 40 <= u64::from(baud);
        if !near || !(u64::from(SERIAL_LEAST_DIVISOR)..=u64::from(u16::MAX)).contains(&divisor) {
            return Err(TransportError::Other(format!(
                "{} has a clock of {} kHz and cannot be set to {baud} bits a second: give a whole fraction of its clock, at \
                 most {}",
                self.name,
                clock / 1000,
                clock / u64::from(SERIAL_LEAST_DIVISOR)
            )));
        }
        let patience = self.patient(ACCESS);
        let refused = || TransportError::Other(format!("{} refused {baud} bits a second: give another rate", self.name));
        let name = self.name.clone();
        if self.link.request(SERIAL_DIVISOR, 0, divisor as u32, patience)?.status != SERIAL_DONE {
            return Err(refused());
        }
        self.set_baud(baud)?;
        std::thread::sleep(SETTLE);
        self.hello(ACCESS).map_err(|error| {
            TransportError::Other(format!(
                "{name} answers at {SERIAL_BAUD} bits a second but not at {baud} ({error}): give a lower rate"
            ))
        })
    }

    fn set_baud(&mut self, baud: u32) -> Result<(), TransportError> {
        self.baud = baud;
        self.link.with_port(|port| line::set_baud(port, baud, &self.name))
    }

    fn reset_card(&mut self) -> Result<(), TransportError> {
        let reply = self.ask(SERIAL_RESET, 0, 0, RESET)?;
        if reply.status != SERIAL_DONE {
            return Err(TransportError::Other(format!(
                "{} refused to be reset: load its bitstream again",
                self.name
            )));
        }
        self.link.restart();
        self.memory.cut_off(false);
        Ok(())
    }

    fn ask(&mut self, kind: u8, address: u16, data: u32, patience: Patience) -> Result<Reply, TransportError> {
        let patience = self.patient(patience);
        self.link.request(kind, address, data, patience)
    }

    /// A simulated card takes longer.
    fn patient(&self, patience: Patience) -> Patience {
        let times = if self.simulated { 24 } else { 1 };
        Patience { most: patience.most * 2, whole: patience.whole * times, ..patience }
    }

    fn read(&mut self, offset: u64, width: AccessWidth) -> Result<u32, TransportError> {
        let reply = self.ask(SERIAL_READ, offset as u16, 0, ACCESS)?;
        answered(reply, offset, width)
    }

    fn check(offset: u64, width: AccessWidth) -> Result<(), TransportError> {
        let bar_bytes = u64::from(REGISTER_BYTES);
        let inside = offset.checked_add(width.bytes()).is_some_and(|end| end <= bar_bytes);
        match inside && offset.is_multiple_of(width.bytes()) {
            true => Ok(()),
            false => Err(TransportError::BadAccess { offset, width, bar_bytes }),
        }
    }
}

fn answered(reply: Reply, offset: u64, width: AccessWidth) -> Result<u32, TransportError> {
    match reply.status {
        SERIAL_DONE => Ok(reply.value),
        status => Err(TransportError::AccessFailed {
            offset,
            width,
            reason: format!("the card answered with status {status}"),
        }),
    }
}

impl Transport for SerialTransport {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        SerialTransport::check(offset, width)?;
        let low = u64::from(self.read(offset & !3, width)?);
        Ok(match width {
            AccessWidth::Double => low | u64::from(self.read(offset + 4, width)?) << 32,
            _ => low >> (8 * (offset & 3)) & width.all_ones(),
        })
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        SerialTransport::check(offset, width)?;
        // The thread that serves the card's reads sees what was written to buffers before.
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        let words = match width {
            AccessWidth::Double => vec![(offset, value, 0xf), (offset + 4, value >> 32, 0xf)],
            _ => {
                let lane = offset & 3;
                vec![(offset & !3, (value & width.all_ones()) << (8 * lane), ((1 << width.bytes()) - 1) << lane)]
            }
        };
        for (at, data, strobes) in words {
            let reply = self.ask(SERIAL_WRITE, at as u16 | strobes << 12, data as u32, ACCESS)?;
            answered(reply, offset, width)?;
        }
        Ok(())
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        self.memory.allocate(bytes).ok_or_else(|| TransportError::Allocation {
            bytes,
            reason: "this process is out of memory".to_owned(),
        })
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        if vector >= MSIX_VECTORS {
            return Err(TransportError::NoSuchVector { vector });
        }
        self.link.wait_event(vector, timeout)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn clock(&self) -> ClockKind {
        ClockKind::Wall
    }

    fn pace(&self) -> Pace {
        // Start and stop bit, now and then an escape, and the time to answer each burst.
        let burst = (SERIAL_BURST_BEATS * SERIAL_BEAT_BYTES) as f64;
        let seconds = burst * 10.2 / f64::from(self.baud) + TURNAROUND.as_secs_f64();
        Pace {
            bytes_per_second: (burst / seconds) as u64,
            turnaround: TURNAROUND,
            slowdown: self.simulated.then_some(SIMULATION_SLOWDOWN),
        }
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.connect()
    }

    fn cut_off(&mut self) -> Result<(), TransportError> {
        self.memory.cut_off(true);
        Ok(())
    }
}
