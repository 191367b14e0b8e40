//! Requests to the card, and the thread that reads what it sends.

use super::frame::{Decoder, encode};
use super::memory::{HostBuffers, SerialStatistics, Server, lock};
use crate::transport::TransportError;
use serialport::TTYPort;
use spandrel_abi::{SERIAL_REPLY, SERIAL_VALUE_BYTES};
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The card's reply to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// 0, or why not.
    pub(super) status: u8,
    /// What was asked for.
    pub(super) value: u32,
}

/// How patient a request is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until it is sent again; each time twice as long.
    pub(super) first: Duration,
    /// At most this long between two times.
    pub(super) most: Duration,
    /// Until it is given up.
    pub(super) whole: Duration,
}

/// What the thread tells.
#[derive(Default)]
struct Told {
    /// Kind, sequence number and reply of the last reply that came.
    reply: Option<(u8, u8, Reply)>,
    /// Interrupt causes that nobody has taken yet.
    events: u8,
    /// Why nothing comes any more.
    ended: Option<String>,
}

struct Shared {
    writer: Mutex<TTYPort>,
    told: Mutex<Told>,
    news: Condvar,
    stop: AtomicBool,
    /// The next request of the card begins a session.
    restart: AtomicBool,
    memory: HostBuffers,
    statistics: Mutex<SerialStatistics>,
    resent: AtomicU64,
    bytes_out: AtomicU64,
}

/// The link, from its device up. Dropping it ends the thread.
pub(super) struct SerialLink {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    sequence: u8,
    name: String,
}

impl SerialLink {
    /// Starts the thread. `name` is what messages call the card.
    pub(super) fn start(port: TTYPort, name: &str, memory: HostBuffers) -> Result<SerialLink, TransportError> {
        let failed = |what: &str, source: io::Error| TransportError::Io { action: format!("{name}: {what}"), source };
        let reading = port.try_clone_native().map_err(|error| failed("opening its line again", error.into()))?;
        let shared = Arc::new(Shared {
            writer: Mutex::new(port),
            told: Mutex::default(),
            news: Condvar::new(),
            stop: AtomicBool::new(false),
            restart: AtomicBool::new(false),
            memory,
            statistics: Mutex::default(),
            resent: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
        });
        let thread = shared.clone();
        let reader = std::thread::Builder::new()
            .name("spandrel-serial".to_owned())
            .spawn(move || thread.read(reading))
            .map_err(|error| failed("starting a thread to read its line", error))?;
        Ok(SerialLink { shared, reader: Some(reader), sequence: 0, name: name.to_owned() })
    }

    /// Sends a request until its reply comes.
    pub(super) fn request(
        &mut self,
        kind: u8,
        address: u16,
        data: u32,
        patience: Patience,
    ) -> Result<Reply, TransportError> {
        // Never the number of the one before.
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let mut packet = vec![kind, sequence];
        packet.extend(address.to_le_bytes());
        packet.extend(data.to_le_bytes());
        let frame = encode(&packet);
        let end = Instant::now() + patience.whole;
        let mut wait = patience.first;
        loop {
            self.shared.send(&frame).map_err(|error| self.gone(&error.to_string()))?;
            let until = (Instant::now() + wait).min(end);
            let mut told = lock(&self.shared.told);
            loop {
                if let Some(why) = &told.ended {
                    return Err(self.gone(why));
                }
                if let Some((_, _, reply)) = told
                    .reply
                    .take_if(|(of, number, _)| (*of, *number) == (kind | SERIAL_REPLY, sequence))
                {
                    return Ok(reply);
                }
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                told = self.shared.news.wait_timeout(told, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            drop(told);
            if Instant::now() >= end {
                return Err(self.gone(&format!("it did not answer for {:?}", patience.whole)));
            }
            self.shared.resent.fetch_add(1, Ordering::Relaxed);
            wait = (2 * wait).min(patience.most);
        }
    }

    /// Waits for an interrupt cause, and takes it.
    pub(super) fn wait_event(&self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        let until = Instant::now().checked_add(timeout);
        let mut told = lock(&self.shared.told);
        loop {
            if told.events >> vector & 1 == 1 {
                told.events &= !(1 << vector);
                return Ok(true);
            }
            if let Some(why) = &told.ended {
                return Err(self.gone(why));
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(false);
            }
            // A condition variable does not take every duration.
            let left = left.min(Duration::from_secs(1800));
            told = self.shared.news.wait_timeout(told, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Forgets interrupts, and what the card asked for last.
    pub(super) fn restart(&self) {
        lock(&self.shared.told).events = 0;
        self.shared.restart.store(true, Ordering::Release);
    }

    /// Sends bytes that are no frame.
    pub(super) fn send_raw(&self, bytes: &[u8]) -> Result<(), TransportError> {
        self.shared.send(bytes).map_err(|error| self.gone(&error.to_string()))
    }

    /// Does something with the device while nothing is being sent.
    pub(super) fn with_port<T>(&self, what: impl FnOnce(&mut TTYPort) -> T) -> T {
        what(&mut lock(&self.shared.writer))
    }

    pub(super) fn statistics(&self) -> SerialStatistics {
        SerialStatistics {
            resent: self.shared.resent.load(Ordering::Relaxed),
            bytes_out: self.shared.bytes_out.load(Ordering::Relaxed),
            ..*lock(&self.shared.statistics)
        }
    }

    fn gone(&self, reason: &str) -> TransportError {
        TransportError::Disconnected {
            card: self.name.clone(),
            reason: format!("{reason}; check the cable and the board's power, and open the card again"),
        }
    }
}

impl Drop for SerialLink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Shared {
    /// Sends all of the bytes, or fails when the line takes none for some seconds.
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let mut port = lock(&self.writer);
        let mut rest = bytes;
        let mut since = Instant::now();
        while !rest.is_empty() {
            match port.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => {
                    rest = &rest[sent..];
                    since = Instant::now();
                }
                Err(error) if is_passing(&error) => {
                    if self.stop.load(Ordering::Acquire) || since.elapsed() > STUCK {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, "its line takes nothing"));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.bytes_out.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn read(&self, mut port: TTYPort) {
        let why = match self.serve(&mut port) {
            Ok(()) => return,
            Err(error) => error.to_string(),
        };
        lock(&self.told).ended = Some(why);
        self.news.notify_all();
    }

    fn serve(&self, port: &mut TTYPort) -> io::Result<()> {
        let (mut decoder, mut server) = (Decoder::default(), Server::default());
        let mut bytes = [0; 4096];
        while !self.stop.load(Ordering::Acquire) {
            let count = match port.read(&mut bytes) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its line has ended")),
                Ok(count) => count,
                Err(error) if is_passing(&error) => continue,
                Err(error) => return Err(error),
            };
            for byte in &bytes[..count] {
                let Some(packet) = decoder.push(*byte) else { continue };
                if self.restart.swap(false, Ordering::AcqRel) {
                    server.restart();
                }
                self.take(&packet, &mut server)?;
            }
            let mut statistics = lock(&self.statistics);
            statistics.bytes_in += count as u64;
            statistics.dropped = decoder.dropped();
            statistics.served = server.served;
            statistics.repeated = server.repeated;
            statistics.refused = server.refused;
        }
        Ok(())
    }

    fn take(&self, packet: &[u8], server: &mut Server) -> io::Result<()> {
        if let [kind, sequence, status, value @ ..] = packet
            && packet.len() == SERIAL_VALUE_BYTES
            && kind & SERIAL_REPLY != 0
            && let Some(value) = value.first_chunk::<4>()
        {
            let reply = Reply { status: *status, value: u32::from_le_bytes(*value) };
            lock(&self.told).reply = Some((*kind, *sequence, reply));
            self.news.notify_all();
            return Ok(());
        }
        if let Some(served) = server.serve(packet, &self.memory) {
            // The interrupt is told after the card's writes before it, which were carried out before it was read.
            if served.events != 0 {
                lock(&self.told).events |= served.events;
                self.news.notify_all();
            }
            return self.send(&encode(&served.reply));
        }
        Ok(())
    }
}

/// How long the line may take nothing.
const STUCK: Duration = Duration::from_secs(60);

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    )
}
