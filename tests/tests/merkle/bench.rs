//! The engine on its bench: bus masters and memories in software, as slow and as unhelpful as the real ones may be.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::emit::Emitted;
use spandrel_sim::model::{BuildOptions, Model, ModelLibrary, PortHandle};
use std::collections::{HashMap, VecDeque};

/// Beats that a master buffers, as on the card.
const BUFFER: usize = 256;

/// How the buses behave.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Per cent of the cycles in which a handshake is held back.
    pub stall_percent: u32,
    /// Least and largest latency of a memory in cycles.
    pub latency: (u64, u64),
}

impl Manner {
    /// Never in the way.
    pub const QUICK: Manner = Manner { stall_percent: 0, latency: (20, 20) };
    /// As bad as it gets.
    pub const SLOW: Manner = Manner { stall_percent: 40, latency: (1, 90) };
}

/// A command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Command {
    pub opcode: u8,
    pub count: u32,
    pub size: u32,
    pub parameter: u32,
    pub host_a: u64,
    pub host_b: u64,
    pub host_out: u64,
    pub card_address: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub refusal: u8,
    pub cycles: u64,
    pub hashes: u64,
    pub passes: u64,
    pub starved: u64,
    pub host_beats_read: u64,
    pub lines_read: u64,
    pub lines_written: u64,
}

struct Handshake {
    data: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
}

struct Jobs {
    address: PortHandle,
    beats: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
    is_ready: bool,
}

impl Jobs {
    fn new(model: &Model, name: &str) -> Jobs {
        let port = |part: &str| model.port(&format!("{name}_{part}")).unwrap();
        Jobs {
            address: port("address"),
            beats: port("beats"),
            valid: port("valid"),
            ready: port("ready"),
            is_ready: false,
        }
    }

    fn drive(&mut self, model: &mut Model, ready: bool) {
        self.is_ready = ready;
        model.set_u64(self.ready, ready.into());
    }

    fn accepted(&self, model: &Model) -> Option<(u64, u64)> {
        (self.is_ready && model.is_high(self.valid))
            .then(|| (model.get_u64(self.address), model.get_u64(self.beats)))
    }
}

/// A read master: data are those of the moment in which the job was accepted, and come later.
struct Reader {
    jobs: Jobs,
    stream: Handshake,
    beats: VecDeque<(u64, Vec<u8>)>,
    offering: bool,
    taken: u64,
}

/// A write master: data are in memory some time after they were given, and only then is it idle.
struct Writer {
    jobs: Jobs,
    stream: Handshake,
    job: Option<(u64, u64)>,
    data: VecDeque<Vec<u8>>,
    /// Due, address, data.
    on_the_way: VecDeque<(u64, u64, Vec<u8>)>,
    is_ready: bool,
    /// What was on offer and not taken.
    waiting: Option<Vec<u8>>,
    given: u64,
}

fn handshake(model: &Model, name: &str) -> Handshake {
    let port = |part: &str| model.port(&format!("{name}_{part}")).unwrap();
    Handshake { data: port("data"), valid: port("valid"), ready: port("ready") }
}

impl Reader {
    fn new(model: &Model, job: &str, stream: &str) -> Reader {
        Reader {
            jobs: Jobs::new(model, job),
            stream: handshake(model, stream),
            beats: VecDeque::new(),
            offering: false,
            taken: 0,
        }
    }

    fn drive(&mut self, model: &mut Model, now: u64, random: &mut ChaCha8Rng, manner: Manner) {
        let hold =
            |random: &mut ChaCha8Rng| manner.stall_percent > 0 && random.gen_ratio(manner.stall_percent, 100);
        self.jobs.drive(model, self.beats.len() <= BUFFER && !hold(random));
        if self.offering {
            return;
        }
        match self.beats.front() {
            Some((due, data)) if *due <= now && !hold(random) => {
                model.set_bytes(self.stream.data, data);
                model.set_u64(self.stream.valid, 1);
                self.offering = true;
            }
            _ => {
                model.set_u64(self.stream.data, 0x5aa5_a55a);
                model.set_u64(self.stream.valid, 0);
            }
        }
    }

    fn observe(
        &mut self,
        model: &Model,
        now: u64,
        latency: u64,
        bytes: u64,
        mut read: impl FnMut(u64) -> Vec<u8>,
    ) {
        if self.offering && model.is_high(self.stream.ready) {
            self.beats.pop_front();
            self.offering = false;
            self.taken += 1;
        }
        if let Some((address, beats)) = self.jobs.accepted(model) {
            assert_eq!(address % bytes, 0, "a job's address is aligned");
            assert!(beats > 0, "no job is empty");
            for beat in 0..beats {
                let before = self.beats.back().map_or(0, |(due, _)| due + 1);
                self.beats.push_back(((now + latency).max(before), read(address + beat * bytes)));
            }
        }
    }
}

impl Writer {
    fn new(model: &Model, job: &str, stream: &str) -> Writer {
        Writer {
            jobs: Jobs::new(model, job),
            stream: handshake(model, stream),
            job: None,
            data: VecDeque::new(),
            on_the_way: VecDeque::new(),
            is_ready: false,
            waiting: None,
            given: 0,
        }
    }

    fn idle(&self) -> bool {
        self.job.is_none() && self.on_the_way.is_empty()
    }

    fn drive(&mut self, model: &mut Model, random: &mut ChaCha8Rng, manner: Manner) {
        let hold =
            |random: &mut ChaCha8Rng| manner.stall_percent > 0 && random.gen_ratio(manner.stall_percent, 100);
        self.jobs.drive(model, self.job.is_none() && !hold(random));
        self.is_ready = self.data.len() < BUFFER && !hold(random);
        model.set_u64(self.stream.ready, self.is_ready.into());
    }

    fn observe(
        &mut self,
        model: &Model,
        now: u64,
        latency: u64,
        bytes: u64,
        mut write: impl FnMut(u64, Vec<u8>),
    ) {
        while self.on_the_way.front().is_some_and(|(due, _, _)| *due <= now) {
            let (_, address, data) = self.on_the_way.pop_front().unwrap();
            write(address, data);
        }
        let offer = model.is_high(self.stream.valid).then(|| model.bytes(self.stream.data));
        if let Some(before) = self.waiting.take() {
            assert_eq!(offer.as_ref(), Some(&before), "an offer is withdrawn or changed");
        }
        match offer {
            Some(data) if self.is_ready => {
                self.data.push_back(data);
                self.given += 1;
            }
            offer => self.waiting = offer,
        }
        if let Some((address, beats)) = self.jobs.accepted(model) {
            assert_eq!(address % bytes, 0, "a job's address is aligned");
            assert!(beats > 0, "no job is empty");
            self.job = Some((address, beats));
        }
        if let Some((address, beats)) = &mut self.job {
            while *beats > 0 {
                let Some(data) = self.data.pop_front() else { break };
                let before = self.on_the_way.back().map_or(0, |(due, _, _)| *due);
                self.on_the_way.push_back(((now + latency).max(before), *address, data));
                *address += bytes;
                *beats -= 1;
            }
            if *beats == 0 {
                self.job = None;
            }
        }
    }
}

/// The bench.
pub struct Bench {
    pub model: Model,
    manner: Manner,
    random: ChaCha8Rng,
    host_reader: Reader,
    host_writer: Writer,
    card_reader: Reader,
    card_writer: Writer,
    now: u64,
    /// Host memory, beat by beat.
    pub host: HashMap<u64, Vec<u8>>,
    /// Card memory, line by line.
    pub card: Vec<Vec<u8>>,
    busy: PortHandle,
    idle: PortHandle,
    hashed: PortHandle,
    passes: PortHandle,
    starved: PortHandle,
    outcome: Outcome,
}

impl Bench {
    /// An engine at rest, with so much card memory, full of junk.
    pub fn new(emitted: &Emitted, card_bytes: u64, manner: Manner, seed: u64) -> Bench {
        let model = ModelLibrary::build(emitted, &BuildOptions::default())
            .unwrap_or_else(|error| panic!("{error}"))
            .instance();
        let port = |name: &str| model.port(name).unwrap();
        let mut bench = Bench {
            manner,
            random: ChaCha8Rng::seed_from_u64(seed),
            host_reader: Reader::new(&model, "host_read", "host_in"),
            host_writer: Writer::new(&model, "host_write", "host_out"),
            card_reader: Reader::new(&model, "card_read", "card_in"),
            card_writer: Writer::new(&model, "card_write", "card_out"),
            now: 0,
            host: HashMap::new(),
            card: vec![vec![0xee; 64]; (card_bytes / 64) as usize],
            busy: port("busy"),
            idle: port("card_write_idle"),
            hashed: port("hashed"),
            passes: port("passes"),
            starved: port("starved"),
            outcome: Outcome::default(),
            model,
        };
        bench.reset();
        bench
    }

    /// As the card does it: the buses are drained and forget everything, the reset is held for some cycles.
    pub fn reset(&mut self) {
        self.host_reader = Reader::new(&self.model, "host_read", "host_in");
        self.host_writer = Writer::new(&self.model, "host_write", "host_out");
        self.card_reader = Reader::new(&self.model, "card_read", "card_in");
        self.card_writer = Writer::new(&self.model, "card_write", "card_out");
        self.set("reset", 1);
        for _ in 0..100 {
            for reader in ["host_in_valid", "card_in_valid"] {
                self.set(reader, 0);
            }
            self.model.clock_cycle();
        }
        self.set("reset", 0);
    }

    fn set(&mut self, name: &str, value: u64) {
        let port = self.model.port(name).unwrap();
        self.model.set_u64(port, value);
    }

    /// The value of an output.
    pub fn get(&self, name: &str) -> u64 {
        self.model.get_u64(self.model.port(name).unwrap())
    }

    /// Puts beats into host memory.
    pub fn put_host<B: AsRef<[u8]>>(&mut self, address: u64, beats: impl IntoIterator<Item = B>) {
        for (index, beat) in beats.into_iter().enumerate() {
            self.host.insert(address + 32 * index as u64, beat.as_ref().to_vec());
        }
    }

    /// Takes beats out of host memory; one that was never written is `None`.
    pub fn host_beats(&self, address: u64, beats: usize) -> Vec<Option<Vec<u8>>> {
        (0..beats).map(|beat| self.host.get(&(address + 32 * beat as u64)).cloned()).collect()
    }

    /// One cycle of engine and buses.
    pub fn cycle(&mut self) {
        let (manner, now) = (self.manner, self.now);
        let random = &mut self.random;
        let model = &mut self.model;
        self.host_reader.drive(model, now, random, manner);
        self.card_reader.drive(model, now, random, manner);
        self.host_writer.drive(model, random, manner);
        self.card_writer.drive(model, random, manner);
        model.set_u64(self.idle, self.card_writer.idle().into());
        model.settle();
        let (low, high) = manner.latency;
        let latency = if low == high { low } else { random.gen_range(low..=high) };
        let (host, card) = (&mut self.host, &mut self.card);
        self.host_reader.observe(model, now, latency, 32, |address| {
            host.get(&address).unwrap_or_else(|| panic!("the host has nothing at {address:#x}")).clone()
        });
        // Reads see memory before the writes of the same cycle.
        self.card_reader.observe(model, now, latency, 64, |address| card[address as usize / 64].clone());
        self.card_writer.observe(model, now, latency, 64, |address, data| card[address as usize / 64] = data);
        self.host_writer.observe(model, now, latency, 32, |address, data| {
            host.insert(address, data);
        });
        if model.is_high(self.busy) {
            self.outcome.cycles += 1;
        }
        self.outcome.hashes += u64::from(model.is_high(self.hashed));
        self.outcome.passes += model.get_u64(self.passes);
        self.outcome.starved += model.get_u64(self.starved);
        model.rise();
        self.now += 1;
    }

    /// Begins a command.
    pub fn start(&mut self, command: &Command) {
        self.outcome = Outcome::default();
        for (name, value) in [
            ("opcode", u64::from(command.opcode)),
            ("count", command.count.into()),
            ("size", command.size.into()),
            ("command_parameter", command.parameter.into()),
            ("host_a", command.host_a),
            ("host_b", command.host_b),
            ("host_out", command.host_out),
            ("card_address", command.card_address),
            ("start", 1),
        ] {
            self.set(name, value);
        }
        for master in [&mut self.host_reader.taken, &mut self.card_reader.taken, &mut self.card_writer.given]
        {
            *master = 0;
        }
        self.cycle();
        self.set("start", 0);
    }

    /// Runs a command to its end, at which nothing may be left on any bus.
    pub fn run(&mut self, command: &Command, bound: u64) -> Outcome {
        self.start(command);
        assert_eq!(self.get("busy"), 1, "busy from the cycle after the start");
        let masters_idle = |bench: &Bench| {
            bench.host_writer.idle()
                && bench.card_writer.idle()
                && bench.host_reader.beats.is_empty()
                && bench.card_reader.beats.is_empty()
        };
        let began = self.now;
        while self.get("busy") == 1 || !masters_idle(self) {
            assert!(self.now - began < bound, "not done after {bound} cycles: {}", self.describe());
            self.cycle();
        }
        assert!(self.host_writer.data.is_empty(), "the host was given too much: {}", self.describe());
        assert!(self.card_writer.data.is_empty(), "card memory was given too much: {}", self.describe());
        Outcome {
            refusal: self.get("refusal") as u8,
            host_beats_read: self.host_reader.taken,
            lines_read: self.card_reader.taken,
            lines_written: self.card_writer.given,
            ..self.outcome
        }
    }

    /// The state of the buses in one line.
    pub fn describe(&self) -> String {
        format!(
            "busy {}, host reads {} pending, host writes {:?} ({} beats waiting), card reads {} pending, card writes {:?} \
             ({} lines waiting, {} on the way), {:?}",
            self.get("busy"),
            self.host_reader.beats.len(),
            self.host_writer.job,
            self.host_writer.data.len(),
            self.card_reader.beats.len(),
            self.card_writer.job,
            self.card_writer.data.len(),
            self.card_writer.on_the_way.len(),
            self.outcome
        )
    }
}
