//! The bench's hard block: streams of packets, held to the rules, and a host behind them.

use super::bench::{Answer, BASE, Bench, Flaw, MEMORY, Outstanding};
use super::packets::{CardCompletion, CardRequest, HostCompletion, Packet};
use rand::Rng;

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

    pub fn drive_cq(&mut self, hold: bool) {
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

    pub fn drive_rc(&mut self, hold: bool) {
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

    pub fn observe_host(&mut self, cc_ready: bool, rq_ready: bool) {
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
    pub fn host_answers(&mut self) {
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
