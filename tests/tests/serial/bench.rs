//! The Verilated shell between a line with faults and buses that stall, and a host in software.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_abi::*;
use spandrel_driver::serial::frame::{Decoder, encode};
use spandrel_hdl::emit::emit;
use spandrel_hdl::serial::SerialShell;
use spandrel_sim::serial::{LineFaults, SerialPort};
use spandrel_sim::testbench::Testbench;
use std::collections::{HashMap, VecDeque};

/// Cycles of a bit.
pub const DIVISOR: u16 = 5;
/// Cycles at rest after which the shell repeats a request.
pub const TIMEOUT: u32 = 6000;
/// How often it sends one.
pub const ATTEMPTS: u8 = 40;
/// Cycles after which the host repeats one.
const HOST_TIMEOUT: u64 = 9000;

/// A register access as the card's bus saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Write { address: u64, data: u64, strobes: u64 },
    Read { address: u64, value: u64 },
}

/// How a burst of the card ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub response: u64,
    pub cause: u64,
    pub data: Vec<u8>,
}

/// A burst that the card is to make.
#[derive(Clone, Debug)]
pub struct Burst {
    pub address: u64,
    pub beats: usize,
    /// Of a write.
    pub data: Vec<u8>,
    /// Its last beat has no byte strobes, as after an abort.
    pub aborted: bool,
}

/// One of the card's two channels to host memory.
#[derive(Default)]
struct Channel {
    queue: VecDeque<Burst>,
    address_taken: bool,
    offered: bool,
    beat: usize,
    data: Vec<u8>,
    pub ended: Vec<Ended>,
}

/// What the host is.
#[derive(Default)]
struct Host {
    requests: VecDeque<(u8, u16, u32)>,
    sequence: u8,
    under_way: Option<(Vec<u8>, u64)>,
    last: Option<(Vec<u8>, Vec<u8>)>,
}

pub struct Bench {
    bench: Testbench,
    pub port: SerialPort,
    decoder: Decoder,
    pub faults: LineFaults,
    pub fault_count: u64,
    rng: ChaCha8Rng,
    host: Host,
    /// Host memory by beat.
    pub memory: HashMap<u64, Vec<u8>>,
    /// The host does not answer the card.
    pub silent: bool,
    /// The host answers the card with this status.
    pub refuse: u8,
    /// Requests of the card that were carried out.
    pub served: Vec<Vec<u8>>,
    pub events: u8,
    pub replies: Vec<(u8, u32)>,
    /// What the register bus saw.
    pub accesses: Vec<Access>,
    reads: Channel,
    writes: Channel,
    level: bool,
    write_address: Option<u64>,
    write_data: Option<(u64, u64)>,
    write_answer: Option<u32>,
    read_answer: Option<(u32, u64)>,
    pub resent: u64,
    stable: HashMap<&'static str, Vec<u8>>,
    ports: HashMap<&'static str, spandrel_sim::model::PortHandle>,
}

const INPUTS: &[&str] = &[
    "rxd", "resetting", "interrupt_events", "m_axil_awready", "m_axil_wready", "m_axil_bresp", "m_axil_bvalid",
    "m_axil_arready", "m_axil_rdata", "m_axil_rresp", "m_axil_rvalid", "s_axi_host_awaddr", "s_axi_host_awlen",
    "s_axi_host_awvalid", "s_axi_host_wdata", "s_axi_host_wstrb", "s_axi_host_wvalid", "s_axi_host_bready",
    "s_axi_host_araddr", "s_axi_host_arlen", "s_axi_host_arvalid", "s_axi_host_rready",
];
const OUTPUTS: &[&str] = &[
    "txd", "busy", "reset_request", "m_axil_awaddr", "m_axil_awvalid", "m_axil_wdata", "m_axil_wstrb", "m_axil_wvalid",
    "m_axil_bready", "m_axil_araddr", "m_axil_arvalid", "m_axil_rready", "s_axi_host_awready", "s_axi_host_wready",
    "s_axi_host_bresp", "s_axi_host_bvalid", "s_axi_host_arready", "s_axi_host_rdata", "s_axi_host_rresp",
    "s_axi_host_ruser", "s_axi_host_rlast", "s_axi_host_rvalid",
];

impl Bench {
    pub fn new(seed: u64, faults: LineFaults) -> Bench {
        let mut shell = SerialShell::new(DIVISOR, TIMEOUT, ATTEMPTS);
        shell.connect_all();
        let mut bench = Testbench::build(&emit(&shell, "serial_shell").unwrap());
        let ports = INPUTS.iter().chain(OUTPUTS).map(|name| (*name, bench.port(name))).collect();
        bench.set("rxd", 1);
        bench.reset(4);
        let mut bench = Bench {
            bench,
            ports,
            port: SerialPort::new(u64::from(DIVISOR), 1),
            decoder: Decoder::default(),
            faults,
            fault_count: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
            host: Host::default(),
            memory: HashMap::new(),
            silent: false,
            refuse: 0,
            served: Vec::new(),
            events: 0,
            replies: Vec::new(),
            accesses: Vec::new(),
            reads: Channel::default(),
            writes: Channel::default(),
            level: true,
            write_address: None,
            write_data: None,
            write_answer: None,
            read_answer: None,
            resent: 0,
            stable: HashMap::new(),
        };
        (0..20).for_each(|_| bench.cycle());
        bench
    }

    fn set(&mut self, name: &str, value: u64) {
        self.bench.model.set_u64(self.ports[name], value);
    }

    fn get(&self, name: &str) -> u64 {
        self.bench.model.get_u64(self.ports[name])
    }

    fn high(&self, name: &str) -> bool {
        self.get(name) == 1
    }

    fn often(&mut self) -> bool {
        self.rng.gen_ratio(2, 3)
    }

    /// Queues a request of the host.
    pub fn ask(&mut self, kind: u8, address: u16, data: u32) {
        self.host.requests.push_back((kind, address, data));
    }

    pub fn read(&mut self, address: u64, beats: usize) {
        self.reads.queue.push_back(Burst { address, beats, data: Vec::new(), aborted: false });
    }

    pub fn write(&mut self, address: u64, data: Vec<u8>, aborted: bool) {
        self.writes.queue.push_back(Burst { address, beats: data.len() / 32, data, aborted });
    }

    pub fn reads_ended(&self) -> &[Ended] {
        &self.reads.ended
    }

    pub fn writes_ended(&self) -> &[Ended] {
        &self.writes.ended
    }

    pub fn interrupt(&mut self, bits: u64) {
        self.set("interrupt_events", bits);
        self.cycle();
        self.set("interrupt_events", 0);
    }

    pub fn is_quiet(&self) -> bool {
        self.host.requests.is_empty()
            && self.host.under_way.is_none()
            && self.reads.queue.is_empty()
            && self.writes.queue.is_empty()
            && !self.high("busy")
            && self.port.pending() == 0
    }

    /// Runs until nothing is left to do.
    #[track_caller]
    pub fn run(&mut self, bound: u64) {
        let end = self.bench.cycles() + bound;
        // What has just been queued is not seen yet.
        (0..100).for_each(|_| self.cycle());
        while !self.is_quiet() {
            assert!(self.bench.cycles() < end, "still busy after {bound} cycles: {:?}", self.replies);
            self.cycle();
        }
        (0..200).for_each(|_| self.cycle());
    }

    fn send(&mut self, frame: &[u8]) {
        for byte in frame {
            for (rest, byte) in self.faults.of(*byte, &mut self.rng, &mut self.fault_count) {
                self.port.send(rest, byte);
            }
        }
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.port.send(0, *byte));
    }

    pub fn cycle(&mut self) {
        self.host_cycle();
        let level = self.port.step(self.level);
        self.set("rxd", level.into());
        self.drive_registers();
        self.drive_memory();
        self.bench.model.settle();
        self.check_rules();
        self.observe_registers();
        self.observe_memory();
        self.level = self.high("txd");
        self.bench.model.rise();
    }

    /// A channel that was offered and not taken stands still.
    fn check_rules(&mut self) {
        for (valid, ready, payload) in [
            ("m_axil_awvalid", "m_axil_awready", &["m_axil_awaddr"][..]),
            ("m_axil_wvalid", "m_axil_wready", &["m_axil_wdata", "m_axil_wstrb"]),
            ("m_axil_arvalid", "m_axil_arready", &["m_axil_araddr"]),
            ("s_axi_host_bvalid", "s_axi_host_bready", &["s_axi_host_bresp"]),
            (
                "s_axi_host_rvalid",
                "s_axi_host_rready",
                &["s_axi_host_rdata", "s_axi_host_rresp", "s_axi_host_ruser", "s_axi_host_rlast"],
            ),
        ] {
            let now: Vec<u8> =
                payload.iter().flat_map(|name| self.bench.model.bytes(self.ports[name])).collect();
            if let Some(before) = self.stable.get(valid) {
                assert!(self.high(valid), "{valid} fell before it was taken");
                assert_eq!(*before, now, "{valid}: what was offered has changed");
            }
            match self.high(valid) && !self.high(ready) {
                true => self.stable.insert(valid, now),
                false => self.stable.remove(valid),
            };
        }
    }

    fn host_cycle(&mut self) {
        while let Some(byte) = self.port.receive() {
            for (_, byte) in self.faults.of(byte, &mut self.rng, &mut self.fault_count) {
                if let Some(packet) = self.decoder.push(byte) {
                    self.take(&packet);
                }
            }
        }
        let now = self.bench.cycles();
        match self.host.under_way.take() {
            Some((frame, since)) if now - since > HOST_TIMEOUT && self.port.pending() == 0 => {
                self.resent += 1;
                self.send(&frame);
                self.host.under_way = Some((frame, now));
            }
            Some(waiting) => self.host.under_way = Some(waiting),
            None => {
                let Some((kind, address, data)) = self.host.requests.pop_front() else { return };
                self.host.sequence = self.host.sequence.wrapping_add(1);
                let mut packet = vec![kind, self.host.sequence];
                packet.extend(address.to_le_bytes());
                packet.extend(data.to_le_bytes());
                let frame = encode(&packet).to_vec();
                self.send(&frame);
                self.host.under_way = Some((frame, now));
            }
        }
    }

    fn take(&mut self, packet: &[u8]) {
        if packet[0] & SERIAL_REPLY != 0 {
            assert_eq!(packet.len(), SERIAL_VALUE_BYTES);
            if packet[1] == self.host.sequence && self.host.under_way.take().is_some() {
                self.replies.push((packet[2], u32::from_le_bytes(packet[3..].try_into().unwrap())));
            }
            return;
        }
        if self.silent {
            return;
        }
        if let Some((_, reply)) = self.host.last.clone().filter(|(last, _)| last == packet) {
            self.send(&encode(&reply));
            return;
        }
        let mut reply = vec![packet[0] | SERIAL_REPLY, packet[1], self.refuse];
        if self.refuse == 0 {
            let span = || {
                let address = u64::from_le_bytes(packet[2..10].try_into().unwrap());
                (0..=u64::from(packet[10])).map(move |beat| address + 32 * beat)
            };
            match packet[0] {
                SERIAL_MEMORY_READ => reply.extend(span().flat_map(|at| self.memory[&at].clone())),
                SERIAL_MEMORY_WRITE => {
                    let (_, data) = packet.split_at(SERIAL_MEMORY_BYTES);
                    assert_eq!(data.len(), 32 * span().count());
                    span().zip(data.chunks(32)).for_each(|(at, beat)| {
                        self.memory.insert(at, beat.to_vec());
                    });
                }
                SERIAL_EVENT => self.events |= packet[2],
                kind => panic!("a request of kind {kind}"),
            }
        }
        self.served.push(packet.to_vec());
        self.host.last = Some((packet.to_vec(), reply.clone()));
        self.send(&encode(&reply));
    }

    fn drive_registers(&mut self) {
        let ready = self.often() && self.write_address.is_none();
        self.set("m_axil_awready", ready.into());
        let ready = self.often() && self.write_data.is_none();
        self.set("m_axil_wready", ready.into());
        let ready = self.often() && self.read_answer.is_none();
        self.set("m_axil_arready", ready.into());
        self.set("m_axil_bvalid", (self.write_answer == Some(0)).into());
        self.set("m_axil_rvalid", self.read_answer.is_some_and(|(wait, _)| wait == 0).into());
        self.set("m_axil_rdata", self.read_answer.map_or(0, |(_, value)| value));
        if let Some(wait) = &mut self.write_answer {
            *wait = wait.saturating_sub(1);
        }
        if let Some((wait, _)) = &mut self.read_answer {
            *wait = wait.saturating_sub(1);
        }
    }

    fn observe_registers(&mut self) {
        if self.high("m_axil_bvalid") && self.high("m_axil_bready") {
            self.write_answer = None;
            (self.write_address, self.write_data) = (None, None);
        }
        if self.high("m_axil_rvalid") && self.high("m_axil_rready") {
            self.read_answer = None;
        }
        if self.high("m_axil_awvalid") && self.high("m_axil_awready") {
            self.write_address = Some(self.get("m_axil_awaddr"));
        }
        if self.high("m_axil_wvalid") && self.high("m_axil_wready") {
            self.write_data = Some((self.get("m_axil_wdata"), self.get("m_axil_wstrb")));
        }
        if let (Some(address), Some((data, strobes)), None) =
            (self.write_address, self.write_data, self.write_answer)
        {
            self.accesses.push(Access::Write { address, data, strobes });
            self.write_answer = Some(self.rng.gen_range(1..9));
        }
        if self.high("m_axil_arvalid") && self.high("m_axil_arready") {
            let value = self.rng.gen_range(0..1 << 32);
            self.accesses.push(Access::Read { address: self.get("m_axil_araddr"), value });
            self.read_answer = Some((self.rng.gen_range(1..9), value));
        }
    }

    fn drive_memory(&mut self) {
        let (ready, other) = (self.often(), self.often());
        self.set("s_axi_host_rready", ready.into());
        self.set("s_axi_host_bready", other.into());
        let offered = self.reads.queue.front().filter(|_| !self.reads.address_taken).cloned();
        self.set("s_axi_host_arvalid", offered.is_some().into());
        if let Some(burst) = offered {
            self.set("s_axi_host_araddr", burst.address);
            self.set("s_axi_host_arlen", burst.beats as u64 - 1);
        }
        let offered = self.writes.queue.front().filter(|_| !self.writes.address_taken).cloned();
        self.set("s_axi_host_awvalid", offered.is_some().into());
        if let Some(burst) = offered {
            self.set("s_axi_host_awaddr", burst.address);
            self.set("s_axi_host_awlen", burst.beats as u64 - 1);
        }
        let begin = self.often();
        let beat = self.writes.beat;
        let data = self.writes.queue.front().filter(|burst| beat < burst.beats).cloned();
        self.writes.offered = data.is_some() && (self.writes.offered || begin);
        self.set("s_axi_host_wvalid", self.writes.offered.into());
        if let Some(burst) = data {
            let strobes = if burst.aborted && beat + 1 == burst.beats { 0 } else { 0xffff_ffff };
            self.set("s_axi_host_wstrb", strobes);
            let port = self.ports["s_axi_host_wdata"];
            self.bench.model.set_bytes(port, &burst.data[32 * beat..][..32]);
        }
    }

    fn observe_memory(&mut self) {
        if self.high("s_axi_host_arready") && !self.reads.address_taken && !self.reads.queue.is_empty() {
            self.reads.address_taken = true;
        }
        if self.high("s_axi_host_awready") && !self.writes.address_taken && !self.writes.queue.is_empty() {
            self.writes.address_taken = true;
        }
        if self.writes.offered && self.high("s_axi_host_wready") {
            self.writes.beat += 1;
            self.writes.offered = false;
        }
        if self.high("s_axi_host_bvalid") && self.high("s_axi_host_bready") {
            self.writes.ended.push(Ended { response: self.get("s_axi_host_bresp"), cause: 0, data: Vec::new() });
            self.writes.queue.pop_front();
            (self.writes.address_taken, self.writes.beat) = (false, 0);
        }
        if self.high("s_axi_host_rvalid") && self.high("s_axi_host_rready") {
            let burst = self.reads.queue.front().expect("data that nobody asked for");
            self.reads.beat += 1;
            let last = self.reads.beat == burst.beats;
            assert_eq!(self.high("s_axi_host_rlast"), last);
            self.reads.data.extend(self.bench.model.bytes(self.ports["s_axi_host_rdata"]));
            if last {
                let data = std::mem::take(&mut self.reads.data);
                let (response, cause) = (self.get("s_axi_host_rresp"), self.get("s_axi_host_ruser"));
                self.reads.ended.push(Ended { response, cause, data });
                self.reads.queue.pop_front();
                (self.reads.address_taken, self.reads.beat) = (false, 0);
            }
        }
    }

    pub fn set_resetting(&mut self, level: bool) {
        self.set("resetting", level.into());
    }

    pub fn reset_request(&self) -> bool {
        self.high("reset_request")
    }
}
