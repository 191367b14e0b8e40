//! An endpoint between a hard block and the card's buses, all of which hold back at random.

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
struct Outstanding {
    request: CardRequest,
    answer: Answer,
    sent: u32,
    due: u64,
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
    pub layout: Layout,
    pub random: ChaCha8Rng,
    stalls: Vec<Stalls>,
    /// Host.
    pub memory: Vec<u8>,
    pub policy: Policy,
    cq: VecDeque<Packet>,
    cq_sent: usize,
    cq_offered: bool,
    pub completions: Vec<(u64, HostCompletion)>,
    cc_waiting: Option<Vec<u8>>,
    cc: Vec<u32>,
    rq: Packet,
    rq_open: bool,
    rq_waiting: Option<Vec<u8>>,
    pub requests: Vec<(u64, CardRequest)>,
    outstanding: Vec<Outstanding>,
    pub rc: VecDeque<CardCompletion>,
    rc_sent: usize,
    rc_offered: bool,
    pub rc_packets: u64,
    /// Read completion boundary in bytes, and the largest completion.
    pub boundary: u32,
    pub largest_completion: u32,
    pub max_latency: u64,
    pub in_order: bool,
    /// Card.
    pub registers: Vec<u32>,
    pub register_accesses: Vec<(bool, u32, u32, u32)>,
    lite_write: (Option<u32>, Option<(u32, u32)>),
    lite_b: bool,
    lite_r: Option<u32>,
    ar: VecDeque<(u64, u32)>,
    ar_offered: bool,
    pub beats: Vec<(u64, ReadBeat)>,
    r_waiting: Option<Vec<u8>>,
    aw: VecDeque<(u64, u32)>,
    aw_offered: bool,
    w: VecDeque<([u8; 32], bool)>,
    w_offered: bool,
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

fn set_bits(bytes: &mut [u8], at: usize, width: usize, value: u64) {
    for bit in 0..width {
        if value >> bit & 1 == 1 {
            bytes[(at + bit) / 8] |= 1 << ((at + bit) % 8);
        }
    }
}

fn get_bits(bytes: &[u8], at: usize, width: usize) -> u64 {
    (0..width).map(|bit| u64::from(bytes[(at + bit) / 8] >> ((at + bit) % 8) & 1) << bit).sum()
}

impl Bench {
    /// An endpoint with streams of 256 or 512 bits after its reset: bus master, payloads and reads of up to 512 bytes.
    /// `percent`: how often each side holds back.
    pub fn new(wide: bool, seed: u64, percent: u8) -> Bench {
        let model = library(wide).instance();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let memory = (0..MEMORY).map(|_| random.r#gen()).collect();
        let stalls =
            (0..STREAMS.len() as u64).map(|index| Stalls::random(seed * 16 + index, percent)).collect();
        let mut bench = Bench {
            model,
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
        (0..3).for_each(|_| bench.model.clock_cycle());
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

    fn set_bytes(&mut self, name: &str, bytes: &[u8]) {
        let port = self.model.port(name).unwrap();
        self.model.set_bytes(port, bytes);
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        self.model.bytes(self.model.port(name).unwrap())
    }

    /// Never hold back on this stream.
    pub fn eager(&mut self, stream: &str) {
        let index = STREAMS.iter().position(|name| *name == stream).unwrap();
        self.stalls[index] = Stalls::none();
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
        self.model.rise();
    }

    fn drive_packet(&mut self, prefix: &str, packet: &Packet, beat: usize, user: &mut [u8]) {
        let lanes = self.layout.lanes;
        let words = &packet.dwords[beat * lanes..packet.dwords.len().min((beat + 1) * lanes)];
        // Lanes that do not exist carry junk.
        let mut data = vec![0xa5; lanes * 4];
        for (lane, word) in words.iter().enumerate() {
            data[lane * 4..lane * 4 + 4].copy_from_slice(&word.to_le_bytes());
        }
        let last = (beat + 1) * lanes >= packet.dwords.len();
        self.set_bytes(&format!("{prefix}_tdata"), &data);
        self.set(&format!("{prefix}_tkeep"), (1u64 << words.len()) - 1);
        self.set(&format!("{prefix}_tlast"), last.into());
        self.set_bytes(&format!("{prefix}_tuser"), user);
        self.set(&format!("{prefix}_tvalid"), 1);
    }

    fn drive_cq(&mut self, hold: bool) {
        if self.cq_offered {
            return;
        }
        let Some(packet) = self.cq.front().cloned().filter(|_| !hold) else {
            self.set("m_axis_cq_tvalid", 0);
            return;
        };
        let layout = self.layout;
        let mut user = vec![0; layout.users[0].div_ceil(8)];
        let last = (self.cq_sent + 1) * layout.lanes >= packet.dwords.len();
        if self.cq_sent == 0 {
            set_bits(&mut user, 0, 4, packet.first_be.into());
            set_bits(&mut user, layout.last_be, 4, packet.last_be.into());
            set_bits(&mut user, if layout.lanes == 8 { 40 } else { 80 }, 1, 1);
            set_bits(&mut user, layout.cq_byte_en + 16, 4, packet.first_be.into());
        }
        set_bits(&mut user, layout.cq_discontinue, 1, (packet.discontinue && last).into());
        self.drive_packet("m_axis_cq", &packet, self.cq_sent, &mut user);
        self.cq_offered = true;
    }

    fn drive_rc(&mut self, hold: bool) {
        if self.rc_offered {
            return;
        }
        let Some(packet) = self.rc.front().filter(|_| !hold).map(CardCompletion::packet) else {
            self.set("m_axis_rc_tvalid", 0);
            return;
        };
        let layout = self.layout;
        let mut user = vec![0; layout.users[3].div_ceil(8)];
        let last = (self.rc_sent + 1) * layout.lanes >= packet.dwords.len();
        set_bits(&mut user, layout.rc_discontinue, 1, (packet.discontinue && last).into());
        self.drive_packet("m_axis_rc", &packet, self.rc_sent, &mut user);
        self.rc_offered = true;
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

    fn observe_host(&mut self, cc_ready: bool, rq_ready: bool) {
        if self.cq_offered && self.get("m_axis_cq_tready") == 1 {
            self.cq_offered = false;
            self.cq_sent += 1;
            if self.cq_sent * self.layout.lanes >= self.cq[0].dwords.len() {
                self.cq.pop_front();
                self.cq_sent = 0;
            }
        }
        if self.rc_offered && self.get("m_axis_rc_tready") == 1 {
            self.rc_offered = false;
            self.rc_sent += 1;
            if self.rc_sent * self.layout.lanes >= self.rc[0].packet().dwords.len() {
                self.rc.pop_front();
                self.rc_sent = 0;
                self.rc_packets += 1;
            }
        }
        self.observe_cc(cc_ready);
        self.observe_rq(rq_ready);
    }

    /// The beat on an outgoing stream, held to the rules: its DWORDs, `tuser`, last.
    fn beat(&self, prefix: &str) -> (Vec<u32>, Vec<u8>, bool) {
        let keep = self.get(&format!("{prefix}_tkeep"));
        let lanes = keep.count_ones() as usize;
        assert_eq!(keep, (1u64 << lanes) - 1, "{prefix}: DWORDs are contiguous");
        let last = self.get(&format!("{prefix}_tlast")) == 1;
        assert!(last || lanes == self.layout.lanes, "{prefix}: a beat within a packet is full");
        let data = self.bytes(&format!("{prefix}_tdata"));
        let words = data.chunks(4).take(lanes).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
        (words.collect(), self.bytes(&format!("{prefix}_tuser")), last)
    }

    /// Asserts that what was offered and not taken still stands.
    fn stands(&self, prefix: &str, waiting: &Option<Vec<u8>>) -> Option<Vec<u8>> {
        let valid = self.get(&format!("{prefix}_tvalid")) == 1;
        let now = valid.then(|| {
            let mut all = self.bytes(&format!("{prefix}_tdata"));
            all.extend(self.bytes(&format!("{prefix}_tuser")));
            all.extend(self.bytes(&format!("{prefix}_tkeep")));
            all.extend(self.bytes(&format!("{prefix}_tlast")));
            all
        });
        assert!(waiting.is_none() || *waiting == now, "{prefix}: an offer was withdrawn or changed");
        now
    }

    fn observe_cc(&mut self, ready: bool) {
        let now = self.stands("s_axis_cc", &self.cc_waiting);
        self.cc_waiting = now.clone().filter(|_| !ready);
        if now.is_none() || !ready {
            return;
        }
        let (words, user, last) = self.beat("s_axis_cc");
        self.cc.extend(&words);
        if self.layout.lanes == 16 {
            assert_eq!(get_bits(&user, 0, 6), 1, "one packet begins, in lane 0");
            assert_eq!(get_bits(&user, 6, 2), 1, "one packet ends");
            assert_eq!(get_bits(&user, 8, 4), words.len() as u64 - 1);
        } else {
            assert_eq!(get_bits(&user, 0, 33), 0);
        }
        assert!(last);
        let packet = Packet { dwords: std::mem::take(&mut self.cc), ..Packet::default() };
        self.completions.push((self.model.cycles(), HostCompletion::parse(&packet)));
    }

    fn observe_rq(&mut self, ready: bool) {
        let now = self.stands("s_axis_rq", &self.rq_waiting);
        self.rq_waiting = now.clone().filter(|_| !ready);
        assert!(now.is_some() || !self.rq_open, "valid fell within a packet of RQ");
        if now.is_none() || !ready {
            return;
        }
        let (words, user, last) = self.beat("s_axis_rq");
        let wide = self.layout.lanes == 16;
        if !self.rq_open {
            self.rq = Packet {
                first_be: get_bits(&user, 0, 4) as u8,
                last_be: get_bits(&user, self.layout.last_be, 4) as u8,
                ..Packet::default()
            };
        }
        if wide {
            assert_eq!(get_bits(&user, 20, 6), u64::from(!self.rq_open), "packets begin in lane 0");
            assert_eq!(get_bits(&user, 26, 2), u64::from(last));
            if last {
                assert_eq!(get_bits(&user, 28, 4), words.len() as u64 - 1);
            }
            assert_eq!(get_bits(&user, 36, 1), 0, "discontinue");
        } else {
            assert_eq!(get_bits(&user, 11, 1), 0, "discontinue");
        }
        self.rq.dwords.extend(words);
        self.rq_open = !last;
        if !last {
            return;
        }
        let request = CardRequest::parse(&self.rq);
        let (payload, reading) = (self.get("cfg_max_payload"), self.get("cfg_max_read_req"));
        if request.write {
            assert!(request.dwords <= 32 << payload, "{} DWORDs exceed the largest payload", request.dwords);
            if let Some(at) = request.address.checked_sub(BASE).filter(|at| *at < MEMORY as u64) {
                for (index, word) in request.data.iter().enumerate() {
                    let at = at as usize + index * 4;
                    self.memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
                }
            }
        } else {
            assert!(request.dwords <= 32 << reading, "{} DWORDs exceed the largest read", request.dwords);
            let same = |other: &Outstanding| {
                other.request.tag == request.tag
                    && !matches!(other.answer, Answer::Silence | Answer::Malformed(_))
            };
            assert!(!self.outstanding.iter().any(same), "tag {:#x} is used twice", request.tag);
            let answer = (self.policy)(&request);
            let wait = match answer {
                Answer::Late(cycles) => cycles,
                _ if self.max_latency == 0 => 0,
                _ => self.random.gen_range(0..self.max_latency),
            };
            let due = self.cycles() + wait;
            if answer != Answer::Silence {
                self.outstanding.push(Outstanding { request: request.clone(), answer, sent: 0, due });
            }
        }
        self.requests.push((self.model.cycles(), request));
    }

    /// Makes a completion for one of the requests that are due.
    fn host_answers(&mut self) {
        let now = self.cycles();
        let due: Vec<usize> =
            (0..self.outstanding.len()).filter(|i| self.outstanding[*i].due <= now).collect();
        if due.is_empty() || self.rc.len() > 2 {
            return;
        }
        let index = if self.in_order { due[0] } else { due[self.random.gen_range(0..due.len())] };
        let Outstanding { request, answer, sent, .. } = self.outstanding[index].clone();
        if let Answer::Refused { error, status } = answer {
            // Some of the data may come before the request ends.
            if sent > 0 || self.random.gen_ratio(1, 2) || request.dwords * 4 <= self.boundary {
                self.rc.push_back(CardCompletion::without_data(request.tag, error, status));
                self.outstanding.remove(index);
                return;
            }
        }
        let total = request.dwords * 4;
        let at = request.address + u64::from(sent);
        // Up to a random one of the boundaries, or to the end.
        let to_boundary = self.boundary - (at % u64::from(self.boundary)) as u32;
        let mut bytes = to_boundary;
        while bytes + self.boundary <= self.largest_completion
            && (self.in_order || self.random.gen_ratio(2, 3))
        {
            bytes += self.boundary;
        }
        let whole = bytes >= total - sent;
        if matches!(answer, Answer::Refused { .. }) && whole {
            bytes = to_boundary.min(total - sent);
            if bytes == total - sent {
                let Answer::Refused { error, status } = answer else { unreachable!() };
                self.rc.push_back(CardCompletion::without_data(request.tag, error, status));
                self.outstanding.remove(index);
                return;
            }
        }
        let bytes = bytes.min(total - sent);
        let start = (at - BASE) as usize;
        let data = self.memory[start..start + bytes as usize].chunks(4);
        let mut completion = CardCompletion {
            lower_address: (at & 0xfff) as u32,
            error: 0,
            byte_count: total - sent,
            status: 0,
            poisoned: false,
            tag: request.tag,
            completes: bytes == total - sent,
            dwords: bytes / 4,
            data: data.map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect(),
            discontinue: false,
        };
        match answer {
            Answer::Poisoned if sent == 0 => {
                completion.poisoned = true;
                completion.error = 1;
            }
            Answer::Malformed(flaw) if sent == 0 => spoil(&mut completion, flaw),
            _ => {}
        }
        self.rc.push_back(completion);
        self.outstanding[index].sent += bytes;
        if sent + bytes == total {
            self.outstanding.remove(index);
        }
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

fn spoil(completion: &mut CardCompletion, flaw: Flaw) {
    match flaw {
        Flaw::ByteCount => completion.byte_count ^= 0x20,
        Flaw::LowerAddress => completion.lower_address ^= 0x40,
        Flaw::TooLong => {
            completion.dwords += 128;
            completion.data.extend([0x5555_5555; 128]);
        }
        Flaw::NotWholeBeats => {
            completion.dwords += 1;
            completion.data.push(0x5555_5555);
        }
        Flaw::Truncated => completion.data.truncate(completion.data.len() - 8),
        Flaw::Overlong => completion.data.extend([0x5555_5555; 8]),
        Flaw::Discontinued => completion.discontinue = true,
        Flaw::NoData => {
            completion.error = 3;
            completion.dwords = 0;
            completion.data.clear();
        }
        Flaw::Mismatch => completion.error = 4,
    }
}
