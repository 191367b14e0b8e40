//! Elements into tokens: [`crate::msm::DigitSource`] and the FIFO before it, without the points.

use super::delay::Delay;
use super::scalars::Element;
use super::{CoreModel, Token};
use crate::msm::Choice;
use std::collections::VecDeque;

/// A scalar of an element with 2^(c−1) added to every window, so that each chunk is a digit plus that much.
type Shifted = [u64; 5];

#[derive(Clone, Debug)]
struct Line {
    chunks: VecDeque<(u32, u32)>,
    point: u64,
}

/// The elements that a core has taken in.
pub(super) struct Source {
    choice: Choice,
    cores: u64,
    halves: Shifted,
    capacity: u32,
    elements: VecDeque<Element>,
    remaining: u64,
    next_index: u64,
    outstanding: u32,
    recoder: Delay<Line>,
    lines: VecDeque<Line>,
    held: Option<(u32, Token)>,
    spare: Vec<VecDeque<(u32, u32)>>,
}

/// Elements that a core's FIFO has, and those that it keeps free.
const ELEMENTS: usize = 16;
const ELEMENTS_UNDER_WAY: usize = 7;

fn chunk(words: &Shifted, low: usize, count: usize) -> u32 {
    let (word, shift) = (low / 64, low % 64);
    let mut value = words[word] >> shift;
    if shift + count > 64 {
        value |= words.get(word + 1).copied().unwrap_or_default() << (64 - shift);
    }
    (value & ((1 << count) - 1)) as u32
}

impl Source {
    pub(super) fn new(model: &CoreModel, choice: &Choice, count: u64) -> Source {
        let c = choice.window_bits;
        let mut halves = Shifted::default();
        for bit in (0..spandrel_abi::windows(c as u32) as usize).map(|window| c * window + c - 1) {
            halves[bit / 64] |= 1 << (bit % 64);
        }
        Source {
            choice: choice.clone(),
            cores: model.shape.cores as u64,
            halves,
            capacity: (model.recoder_cycles + 16).next_power_of_two(),
            elements: VecDeque::new(),
            remaining: count,
            next_index: 0,
            outstanding: 0,
            recoder: Delay::new(model.recoder_cycles),
            lines: VecDeque::new(),
            held: None,
            spare: Vec::new(),
        }
    }

    /// Elements may be sent.
    pub(super) fn room(&self) -> bool {
        ELEMENTS - self.elements.len() > ELEMENTS_UNDER_WAY
    }

    /// No element is missing and no token is under way.
    pub(super) fn idle(&self) -> bool {
        self.remaining == 0 && self.outstanding == 0 && self.held.is_none()
    }

    /// The token that is offered.
    pub(super) fn token(&self) -> Option<Token> {
        self.held.map(|(_, token)| token)
    }

    /// The local window of that token.
    pub(super) fn token_window(&self) -> Option<u32> {
        self.held.map(|(window, _)| window)
    }

    /// One cycle: an element comes in, the token that is offered goes if `ready`.
    pub(super) fn step(&mut self, now: u64, element: Option<Element>, ready: bool) {
        let recoded = self.recoder.leave(now);
        let accepts = self.remaining != 0 && self.outstanding < self.capacity;
        if accepts && let Some(element) = self.elements.pop_front() {
            let line = self.recode(element);
            self.recoder.enter(now, line);
            self.remaining -= 1;
            self.outstanding += 1;
        }
        if ready || self.held.is_none() {
            self.held = None;
            let half = 1 << (self.choice.window_bits - 1);
            if let Some(line) = self.lines.front_mut()
                && let Some((window, chunk)) = line.chunks.pop_front()
            {
                let positive = chunk & half != 0;
                let bucket = if positive { chunk } else { half - chunk } & (half - 1);
                let point = if positive { line.point } else { line.point.wrapping_neg() };
                self.held = Some((window, Token { slot: window * half + bucket, point }));
                if line.chunks.is_empty() {
                    self.outstanding -= 1;
                    self.spare.extend(self.lines.pop_front().map(|line| line.chunks));
                }
            }
        }
        if let Some(line) = recoded {
            match line.chunks.is_empty() {
                true => {
                    self.outstanding -= 1;
                    self.spare.push(line.chunks);
                }
                false => self.lines.push_back(line),
            }
        }
        self.elements.extend(element);
    }

    fn recode(&mut self, Element { scalar, point }: Element) -> Line {
        let c = self.choice.window_bits;
        let residue = (self.next_index % self.cores) as u32;
        self.next_index += 1;
        let mut carry = 0u128;
        let shifted: Shifted = std::array::from_fn(|word| {
            carry +=
                u128::from(scalar.get(word).copied().unwrap_or_default()) + u128::from(self.halves[word]);
            let low = carry as u64;
            carry >>= 64;
            low
        });
        let mut chunks = self.spare.pop().unwrap_or_default();
        for (local, share) in self.choice.windows.iter().enumerate() {
            let chunk = chunk(&shifted, c * share.window as usize, c);
            if chunk != 1 << (c - 1) && (share.residues.0..share.residues.1).contains(&residue) {
                chunks.push_back((local as u32, chunk));
            }
        }
        // A point at infinity has no tokens.
        if point == 0 {
            chunks.clear();
        }
        Line { chunks, point }
    }
}
