//! A whole job: digits for every core, the phases, and what the counters say.

use super::core::{Core, CoreCounts};
use super::scalars::Element;
use super::{EngineModel, Token, Windows};
use spandrel_abi::window_shares;
use std::collections::VecDeque;

/// What a job took.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Cycles from start to the last result.
    pub cycles: u64,
    /// Cycles of the bucket phase.
    pub bucket_cycles: u64,
    /// Cycles until the last digit was taken.
    pub intake_cycles: u64,
    /// Cycles of the two passes.
    pub pass_cycles: [u64; 2],
    /// Cycles of the read-out.
    pub result_cycles: u64,
    /// Non-zero digits, all cores.
    pub digits: u64,
    /// Additions, all cores.
    pub additions: u64,
    /// By core.
    pub cores: Vec<CoreCounts>,
    /// Batches closed.
    pub batches: u64,
    /// The sum is right.
    pub right: bool,
}

/// A core's digits: elements taken in, their windows' digits one a cycle.
struct Source {
    shares: Vec<spandrel_abi::WindowShare>,
    adders: u32,
    bits: u32,
    lines: VecDeque<(u64, u64, u64, [u64; 5])>,
    next: usize,
    outstanding: usize,
}

impl Source {
    fn token(&self, from: usize) -> Option<(usize, Token)> {
        let (_, index, point, shifted) = self.lines.front()?;
        let residue = (index % u64::from(self.adders)) as u32;
        for (local, share) in self.shares.iter().enumerate().skip(from) {
            if residue < share.residues.0 || residue >= share.residues.1 {
                continue;
            }
            let chunk = bits_of(shifted, share.window * self.bits, self.bits);
            let half = 1 << (self.bits - 1);
            if chunk == half {
                continue;
            }
            let bucket = match chunk & half != 0 {
                true => chunk - half,
                false => half - chunk,
            } & (half - 1);
            let point = if chunk & half != 0 { *point } else { point.wrapping_neg() };
            return Some((local, Token { slot: local as u32 * half + bucket, point }));
        }
        None
    }
}

fn bits_of(words: &[u64; 5], low: u32, count: u32) -> u32 {
    let (word, shift) = ((low / 64) as usize, low % 64);
    let mut value = words[word] >> shift;
    if shift + count > 64 && word < 4 {
        value |= words[word + 1] << (64 - shift);
    }
    (value & ((1 << count) - 1)) as u32
}

/// s + Σ 2^(c·w + c − 1): the signed digits, each with 2^(c−1) added. 255 bits and more, of which the top window's
/// last may be cut off where it is past 2^256.
fn shifted(scalar: &[u64; 4], halves: &[u64; 5]) -> [u64; 5] {
    let mut carry = 0u128;
    std::array::from_fn(|word| {
        carry += u128::from(scalar.get(word).copied().unwrap_or_default()) + u128::from(halves[word]);
        let low = carry as u64;
        carry >>= 64;
        low
    })
}

fn halves(bits: u32, windows: u32) -> [u64; 5] {
    let mut words = [0; 5];
    for bit in (0..windows).map(|window| bits * window + bits - 1) {
        words[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    words
}

/// Runs a job of `count` elements.
pub fn run(model: &EngineModel, count: u64, mut element: impl FnMut() -> Element) -> Outcome {
    let bits = model.window_bits;
    let windows = spandrel_abi::windows(bits);
    let halves = halves(bits, windows);
    let mut cores = Vec::new();
    let mut sources = Vec::new();
    for adder in 0..model.adders {
        let shares = window_shares(bits, model.adders, adder);
        let shape = Windows { bits, count: shares.len() as u32 };
        cores.push(Core::new(shape, model.adder, model.fresh_limit as usize));
        sources.push(Source { shares, adders: model.adders, bits, lines: VecDeque::new(), next: 0, outstanding: 0 });
    }
    let capacity = model.recoder_cycles as usize + 8;
    let mut recoding: VecDeque<(u64, u64, u64, [u64; 5])> = VecDeque::new();
    let mut outcome = Outcome::default();
    let mut expected = 0u64;
    let mut taken_in = 0u64;
    let mut phase = 1;
    let mut reader = 0;
    while phase < 5 {
        outcome.cycles += 1;
        let now = outcome.cycles;
        if now > 20_000_000 { for c in &cores { c.debug(); } panic!("stuck in phase {phase}"); }
        let mut source_idle = true;
        if phase == 1 {
            source_idle = taken_in == count && sources.iter().all(|source| source.outstanding == 0);
            if taken_in < count && sources.iter().all(|source| source.outstanding < capacity) {
                let Element { scalar, point } = element();
                expected = expected.wrapping_add(scalar[0].wrapping_mul(point));
                recoding.push_back((now + u64::from(model.recoder_cycles), taken_in, point, shifted(&scalar, &halves)));
                taken_in += 1;
                sources.iter_mut().for_each(|source| source.outstanding += 1);
            }
        }
        let quiet = source_idle && cores.iter().all(Core::quiet);
        for (index, (core, source)) in cores.iter_mut().zip(&mut sources).enumerate() {
            if phase == 1 {
                let offered = source.token(source.next);
                let taken = core.step(offered.map(|(_, token)| token), phase, false);
                if let (true, Some((local, _))) = (taken, offered) {
                    core.held_windows |= 1 << local;
                    outcome.digits += 1;
                    outcome.intake_cycles = now;
                    source.next = local + 1;
                    if source.token(source.next).is_none() {
                        source.lines.pop_front();
                        source.next = 0;
                        source.outstanding -= 1;
                    }
                }
            } else {
                let reduced = if phase == 4 { None } else { core.reduced() };
                core.step(reduced, phase, phase == 4 && index == reader);
                if phase == 4 && index == reader && core.quiet() {
                    reader += 1;
                }
            }
        }
        if let Some(line) = recoding.front().copied()
            && line.0 == now
        {
            recoding.pop_front();
            for source in &mut sources {
                source.lines.push_back(line);
                // Nothing in it: dropped behind the recoder.
                let alone = source.lines.len() == 1;
                let last = std::mem::take(&mut source.lines);
                let mut rest = last;
                let back = rest.pop_back();
                source.lines.extend(back);
                let useful = source.token(0).is_some();
                if !useful {
                    source.lines.clear();
                    source.outstanding -= 1;
                }
                let back = source.lines.pop_front();
                source.lines = rest;
                source.lines.extend(back);
                if alone {
                    source.next = 0;
                }
            }
        }
        match phase {
            1 => outcome.bucket_cycles += 1,
            2 | 3 => outcome.pass_cycles[phase as usize - 2] += 1,
            _ => outcome.result_cycles += 1,
        }
        if quiet {
            phase += 1;
            if phase < 5 {
                cores.iter_mut().for_each(|core| core.start_scan(phase - 2));
            }
        }
    }
    let mut sum = 0u64;
    for (core, source) in cores.iter().zip(&sources) {
        for (index, result) in core.results.iter().enumerate() {
            let (local, bit) = (index as u32 / bits, index as u32 % bits);
            let weight = bits * source.shares[local as usize].window + bit;
            if weight < 64 {
                sum = sum.wrapping_add(result.unwrap_or_default() << weight);
            }
        }
    }
    outcome.right = sum == expected;
    outcome.additions = cores.iter().map(|core| core.counts.additions).sum();
    outcome.batches = cores.iter().map(Core::batches).sum();
    outcome.cores = cores.iter().map(|core| core.counts).collect();
    outcome
}
