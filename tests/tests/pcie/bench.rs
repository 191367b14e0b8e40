//! An endpoint between a hard block and the card's buses, all of which hold back at random.

use super::mirror::{Mirror, mirror};
use super::packets::{CardCompletion, CardRequest, HostCompletion, HostRequest, Layout, Packet};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::pcie::{Endpoint256, Endpoint512};
use spandrel_sim::model::{BuildOptions, Model, ModelLibrary};
use spandrel_sim::testbench::Stalls;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// Cycles after which the endpoint of these tests gives up a read.
pub const TIMEOUT: u64 = 2_000;

/// Where the host's memory begins: 64-bit addresses.
pub const BASE: u64 = 0x0000_0045_6780_0000;
/// Its size.
pub const MEMORY: usize = 1 << 17;

/// How the host answers a read request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With its data, cut and delayed at random.
    Data,
    /// Not at all.
    Silence,
    /// With its data, but after so many cycles.
    Late(u64),
    /// With a status, or an error code of the hard block.
    Refused { error: u32, status: u32 },
    /// With data, some of them poisoned.
    Poisoned,
    /// With data, but the first completion is wrong.
    Malformed(Flaw),
}

/// What is wrong with a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    ByteCount,
    LowerAddress,
    TooLong,
    NotWholeBeats,
    Truncated,
    Overlong,
    Discontinued,
    NoData,
    Mismatch,
}

impl Flaw {
    pub const ALL: [Flaw; 9] = [
        Flaw::ByteCount,
        Flaw::LowerAddress,
        Flaw::TooLong,
        Flaw::NotWholeBeats,
        Flaw::Truncated,
        Flaw::Overlong,
        Flaw::Discontinued,
        Flaw::NoData,
        Flaw::Mismatch,
    ];
}

/// A read request that waits for its completions.
#[derive(Clone, Debug)]
pub struct Outstanding {
    pub request: CardRequest,
    pub answer: Answer,
    pub sent: u32,
    pub due: u64,
}

/// A beat of read data as the card gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadBeat {
    pub data: Vec<u8>,
    pub response: u64,
    pub cause: u64,
    pub last: bool,
}

/// A write burst of the card.
#[derive(Clone, Debug)]
pub struct WriteBurst {
    pub address: u64,
    pub beats: Vec<[u8; 32]>,
    /// Beats whose byte strobes are all zero.
    pub blank: Vec<bool>,
}

/// Decides how a read request is answered.
pub type Policy = Box<dyn FnMut(&CardRequest) -> Answer>;

/// The test bench.
pub struct Bench {
    pub model: Model,
    pub mirror: Option<Box<dyn Mirror>>,
    pub layout: Layout,
    pub random: ChaCha8Rng,
    pub stalls: Vec<Stalls>,
    /// Host.
    pub memory: Vec<u8>,
    pub policy: Policy,
    pub cq: VecDeque<Packet>,
    pub cq_sent: usize,
    pub cq_offered: bool,
    pub completions: Vec<(u64, HostCompletion)>,
    pub cc_waiting: Option<Vec<u8>>,
    pub cc: Vec<u32>,
    pub rq: Packet,
    pub rq_open: bool,
    pub rq_waiting: Option<Vec<u8>>,
    pub requests: Vec<(u64, CardRequest)>,
    pub outstanding: Vec<Outstanding>,
    pub rc: VecDeque<CardCompletion>,
    pub rc_sent: usize,
    pub rc_offered: bool,
    pub rc_packets: u64,
    /// Read completion boundary in bytes, and the largest completion.
    pub boundary: u32,
    pub largest_completion: u32,
    pub max_latency: u64,
    pub in_order: bool,
    /// Card.
    pub registers: Vec<u32>,
    pub register_accesses: Vec<(bool, u32, u32, u32)>,
    pub lite_write: (Option<u32>, Option<(u32, u32)>),
    pub lite_b: bool,
    pub lite_r: Option<u32>,
    pub ar: VecDeque<(u64, u32)>,
    pub ar_offered: bool,
    pub beats: Vec<(u64, ReadBeat)>,
    pub r_waiting: Option<Vec<u8>>,
    pub aw: VecDeque<(u64, u32)>,
    pub aw_offered: bool,
    pub w: VecDeque<([u8; 32], bool)>,
    pub w_offered: bool,
    pub answers: Vec<(u64, u64)>,
    pub aw_taken: u64,
}

const STREAMS: [&str; 10] = ["cq", "cc", "rq", "rc", "aw", "w", "b", "ar", "r", "lite"];

fn emitted(wide: bool) -> Emitted {
    if wide {
        let mut block = Endpoint512::new(TIMEOUT as u32);
        block.connect_all();
        emit(&block, "endpoint_512").unwrap()
    } else {
        let mut block = Endpoint256::new(TIMEOUT as u32);
        block.connect_all();
        emit(&block, "endpoint_256").unwrap()
    }
}

fn library(wide: bool) -> Arc<ModelLibrary> {
    static LIBRARIES: [OnceLock<Arc<ModelLibrary>>; 2] = [OnceLock::new(), OnceLock::new()];
    LIBRARIES[usize::from(wide)]
        .get_or_init(|| ModelLibrary::build(&emitted(wide), &BuildOptions::default()).unwrap())
        .clone()
}

impl Bench {
    /// An endpoint with streams of 256 or 512 bits after its reset: bus master, payloads and reads of up to 512 bytes.
    /// `percent`: how often each side holds back.
    pub fn new(wide: bool, seed: u64, percent: u8) -> Bench {
        Bench::build(wide, seed, percent, false)
    }

    /// As [`new`](Bench::new), with RustHDL's own simulation beside it.
    pub fn mirrored(wide: bool, seed: u64, percent: u8) -> Bench {
        Bench::build(wide, seed, percent, true)
    }

    fn build(wide: bool, seed: u64, percent: u8, mirrored: bool) -> Bench {
        let model = library(wide).instance();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let memory = (0..MEMORY).map(|_| random.r#gen()).collect();
        let stalls =
            (0..STREAMS.len() as u64).map(|index| Stalls::random(seed * 16 + index, percent)).collect();
        let mirror = mirrored.then(|| mirror(&model, wide));
        let mut bench = Bench {
            model,
            mirror,
            layout: if wide { Layout::WIDE } else { Layout::NARROW },
            random,
            stalls,
            memory,
            policy: Box::new(|_| Answer::Data),
            cq: VecDeque::new(),
            cq_sent: 0,
            cq_offered: false,
            completions: vec![],
            cc_waiting: None,
            cc: vec![],
            rq: Packet::default(),
            rq_open: false,
            rq_waiting: None,
            requests: vec![],
            outstanding: vec![],
            rc: VecDeque::new(),
            rc_sent: 0,
            rc_offered: false,
            rc_packets: 0,
            boundary: 64,
            largest_completion: 512,
            max_latency: 200,
            in_order: false,
            registers: (0..1024).map(|index| 0x1000_0000 + index * 0x1_0001).collect(),
            register_accesses: vec![],
            lite_write: (None, None),
            lite_b: false,
            lite_r: None,
            ar: VecDeque::new(),
            ar_offered: false,
            beats: vec![],
            r_waiting: None,
            aw: VecDeque::new(),
            aw_offered: false,
            w: VecDeque::new(),
            w_offered: false,
            answers: vec![],
            aw_taken: 0,
        };
        bench.set("reset", 1);
        (0..3).for_each(|_| bench.edge());
        bench.set("reset", 0);
        bench.set("cfg_max_payload", 2);
        bench.set("cfg_max_read_req", 2);
        bench.set("cfg_function_status", 7);
        bench
    }

    pub fn set(&mut self, name: &str, value: u64) {
        let port = self.model.port(name).unwrap();
        self.model.set_u64(port, value);
    }

    pub fn get(&self, name: &str) -> u64 {
        self.model.get_u64(self.model.port(name).unwrap())
    }

    pub fn set_bytes(&mut self, name: &str, bytes: &[u8]) {
        let port = self.model.port(name).unwrap();
        self.model.set_bytes(port, bytes);
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.model.bytes(self.model.port(name).unwrap())
    }

    /// The host sends a request.
    pub fn send(&mut self, request: &HostRequest) {
        self.cq.push_back(request.packet());
    }

    /// The card reads.
    pub fn read(&mut self, address: u64, beats: u32) {
        self.ar.push_back((address, beats));
    }

    /// The card writes.
    pub fn write(&mut self, burst: &WriteBurst) {
        self.aw.push_back((burst.address, burst.beats.len() as u32));
        self.w.extend(burst.beats.iter().copied().zip(burst.blank.iter().copied()));
    }

    pub fn cycles(&self) -> u64 {
        self.model.cycles()
    }

    /// Runs until `done`, for at most `bound` cycles.
    pub fn run_until(&mut self, bound: u64, mut done: impl FnMut(&mut Bench) -> bool) -> u64 {
        let start = self.cycles();
        while !done(self) {
            let cycles = self.cycles() - start;
            assert!(
                cycles < bound,
                "not done after {bound} cycles: {} requests, {} outstanding, {} completions, {} beats, {} answers",
                self.requests.len(),
                self.outstanding.len(),
                self.completions.len(),
                self.beats.len(),
                self.answers.len()
            );
            self.cycle();
        }
        self.cycles() - start
    }

    pub fn run(&mut self, cycles: u64) {
        (0..cycles).for_each(|_| self.cycle());
    }

    /// Reads a DWORD of the BAR.
    pub fn bar_read(&mut self, offset: u64) -> u32 {
        // What was sent before is answered before.
        const REQUESTER: u16 = 0xbeef;
        let before = self.completions.len();
        self.send(&HostRequest { requester: REQUESTER, ..HostRequest::new(super::packets::READ, offset, 4) });
        let mut answer = None;
        self.run_until(50_000, |bench| {
            let answers = bench.completions[before..].iter();
            answer = answers.map(|(_, one)| one).find(|one| one.requester == REQUESTER).cloned();
            answer.is_some()
        });
        let completion = answer.unwrap();
        assert_eq!(completion.status, 0);
        completion.data[0]
    }

    /// Writes a DWORD of the BAR and waits until it has happened.
    pub fn bar_write(&mut self, offset: u64, value: u32) {
        let request = HostRequest { data: vec![value], ..HostRequest::new(super::packets::WRITE, offset, 4) };
        self.send(&request);
        self.bar_read(0);
    }

    /// One clock cycle of everything.
    pub fn cycle(&mut self) {
        let hold: Vec<bool> = self.stalls.iter_mut().map(Stalls::hold).collect();
        self.host_answers();
        self.drive_cq(hold[0]);
        self.set("s_axis_cc_tready", u64::from(!hold[1]));
        self.set("s_axis_rq_tready", u64::from(!hold[2]));
        self.drive_rc(hold[3]);
        self.drive_card(&hold);
        self.model.settle();
        self.observe_host(!hold[1], !hold[2]);
        self.observe_card(!hold[6], !hold[8], hold[9]);
        self.edge();
    }

    /// The clock's edge.
    fn edge(&mut self) {
        self.model.settle();
        if let Some(mirror) = &mut self.mirror {
            mirror.compare(&self.model);
        }
        self.model.rise();
        if let Some(mirror) = &mut self.mirror {
            mirror.rise();
        }
    }

    fn drive_card(&mut self, hold: &[bool]) {
        if !self.aw_offered {
            let offer = self.aw.front().copied().filter(|_| !hold[4]);
            self.set("s_axi_host_awvalid", offer.is_some().into());
            if let Some((address, beats)) = offer {
                self.set("s_axi_host_awaddr", address);
                self.set("s_axi_host_awlen", u64::from(beats - 1));
                self.aw_offered = true;
            }
        }
        if !self.w_offered {
            let offer = self.w.front().copied().filter(|_| !hold[5]);
            self.set("s_axi_host_wvalid", offer.is_some().into());
            if let Some((data, blank)) = offer {
                self.set_bytes("s_axi_host_wdata", &data);
                self.set("s_axi_host_wstrb", if blank { 0 } else { 0xffff_ffff });
                self.w_offered = true;
            }
        }
        if !self.ar_offered {
            let offer = self.ar.front().copied().filter(|_| !hold[7]);
            self.set("s_axi_host_arvalid", offer.is_some().into());
            if let Some((address, beats)) = offer {
                self.set("s_axi_host_araddr", address);
                self.set("s_axi_host_arlen", u64::from(beats - 1));
                self.ar_offered = true;
            }
        }
        self.set("s_axi_host_bready", u64::from(!hold[6]));
        self.set("s_axi_host_rready", u64::from(!hold[8]));
        self.set("m_axil_awready", u64::from(!hold[9] && self.lite_write.0.is_none()));
        self.set("m_axil_wready", u64::from(!hold[9] && self.lite_write.1.is_none()));
        self.set("m_axil_arready", u64::from(!hold[9] && self.lite_r.is_none()));
        self.set("m_axil_bvalid", self.lite_b.into());
        self.set("m_axil_rvalid", self.lite_r.is_some().into());
        self.set("m_axil_rdata", self.lite_r.unwrap_or(0xdead_beef).into());
    }

    fn observe_card(&mut self, b_ready: bool, r_ready: bool, lite_hold: bool) {
        let now = self.model.cycles();
        if self.aw_offered && self.get("s_axi_host_awready") == 1 {
            self.aw.pop_front();
            self.aw_offered = false;
            self.aw_taken += 1;
        }
        if self.w_offered && self.get("s_axi_host_wready") == 1 {
            self.w.pop_front();
            self.w_offered = false;
        }
        if self.ar_offered && self.get("s_axi_host_arready") == 1 {
            self.ar.pop_front();
            self.ar_offered = false;
        }
        if b_ready && self.get("s_axi_host_bvalid") == 1 {
            self.answers.push((now, self.get("s_axi_host_bresp")));
        }
        let beat = (self.get("s_axi_host_rvalid") == 1).then(|| ReadBeat {
            data: self.bytes("s_axi_host_rdata"),
            response: self.get("s_axi_host_rresp"),
            cause: self.get("s_axi_host_ruser"),
            last: self.get("s_axi_host_rlast") == 1,
        });
        let offer = beat.as_ref().map(|beat| beat.data.clone());
        assert!(self.r_waiting.is_none() || self.r_waiting == offer, "read data were withdrawn or changed");
        self.r_waiting = offer.filter(|_| !r_ready);
        if let Some(beat) = beat.filter(|_| r_ready) {
            self.beats.push((now, beat));
        }
        self.observe_lite(lite_hold);
    }

    fn observe_lite(&mut self, hold: bool) {
        let high = |bench: &Bench, name: &str| bench.get(name) == 1;
        if self.lite_b && high(self, "m_axil_bready") {
            self.lite_b = false;
            self.lite_write = (None, None);
        }
        if self.lite_r.is_some() && high(self, "m_axil_rready") {
            self.lite_r = None;
        }
        if high(self, "m_axil_awvalid") && high(self, "m_axil_awready") {
            self.lite_write.0 = Some(self.get("m_axil_awaddr") as u32);
        }
        if high(self, "m_axil_wvalid") && high(self, "m_axil_wready") {
            self.lite_write.1 = Some((self.get("m_axil_wdata") as u32, self.get("m_axil_wstrb") as u32));
        }
        if let (Some(address), Some((data, strobes))) = self.lite_write
            && !self.lite_b
            && !hold
        {
            let register = &mut self.registers[address as usize / 4];
            for byte in 0..4 {
                if strobes >> byte & 1 == 1 {
                    *register = *register & !(0xff << (byte * 8)) | data & 0xff << (byte * 8);
                }
            }
            self.register_accesses.push((true, address, data, strobes));
            self.lite_b = true;
        }
        if high(self, "m_axil_arvalid") && high(self, "m_axil_arready") {
            let address = self.get("m_axil_araddr") as u32;
            self.lite_r = Some(self.registers[address as usize / 4]);
            self.register_accesses.push((false, address, 0, 0));
        }
    }
}
