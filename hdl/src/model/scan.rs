//! The reduction: [`crate::msm::Reducer`] without its points.

use super::Token;
use crate::msm::Choice;
use std::collections::VecDeque;

/// Entries of the FIFO behind the scan, and those that it keeps free.
const FIFO_DEPTH: usize = 16;
const MARGIN: usize = 4;

/// What the bank is scanned for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Buckets,
    Sums,
    Bits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Look,
    Known,
    Visit,
}

/// A place that the scan has come to.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u32,
    window: u32,
}

/// A point that the scan has found, or in mode [`Mode::Bits`] the lack of one.
#[derive(Clone, Copy, Debug)]
struct Found {
    place: Place,
    point: Option<u64>,
}

/// The scan, and what becomes of what it finds.
pub(super) struct Reducer {
    choice: Choice,
    /// By group, then by window.
    marks: Vec<Vec<bool>>,
    mode: Mode,
    state: State,
    group: usize,
    index: u32,
    windows: Vec<u32>,
    at: usize,
    visit: Option<Place>,
    valid1: Option<Place>,
    valid2: Option<Place>,
    found: VecDeque<Found>,
    pending: Option<u32>,
    beat: u32,
    /// The bit sums that were read out.
    pub(super) results: Vec<Option<u64>>,
}

impl Reducer {
    pub(super) fn new(choice: &Choice) -> Reducer {
        Reducer {
            marks: vec![vec![false; choice.local_windows()]; 1 << choice.group_bits()],
            choice: choice.clone(),
            mode: Mode::Buckets,
            state: State::Idle,
            group: 0,
            index: 0,
            windows: Vec::new(),
            at: 0,
            visit: None,
            valid1: None,
            valid2: None,
            found: VecDeque::new(),
            pending: None,
            beat: 0,
            results: Vec::new(),
        }
    }

    pub(super) fn idle(&self) -> bool {
        self.state == State::Idle
            && self.visit.is_none()
            && self.valid1.is_none()
            && self.valid2.is_none()
            && self.found.is_empty()
    }

    /// A token enters bank 0.
    pub(super) fn mark(&mut self, slot: u32, window: u32) {
        let bits = self.choice.window_bits - 1;
        let order = self.turned(slot & ((1 << bits) - 1), u32::wrapping_sub);
        self.marks[(order >> (bits - self.choice.group_bits())) as usize][window as usize] = true;
    }

    /// The bucket at a place of the scan's order: the column, its highest bit level with the row's, is added to the row.
    fn bucket_at(&self, place: u32) -> u32 {
        self.turned(place, u32::wrapping_add)
    }

    fn turned(&self, bucket: u32, turn: fn(u32, u32) -> u32) -> u32 {
        let (m, h) = (self.choice.column_bits, self.choice.row_bits);
        let column = bucket & ((1 << m) - 1);
        let row = turn(bucket >> m, column << (h - m)) & ((1 << h) - 1);
        column | row << m
    }

    fn sum_order(&self, index: u32) -> u32 {
        let h = self.choice.row_bits;
        let bit = |at: usize| (index >> (1 + at)) & 1;
        let mixed = |at: usize| match h - 1 - at {
            mirror if mirror < at => bit(at) ^ bit(mirror),
            _ => bit(at),
        };
        (0..h).fold((index & 1) << h, |number, at| number | mixed(at) << at)
    }

    fn offset(&self) -> u32 {
        match self.mode {
            Mode::Buckets => {
                let group = self.choice.window_bits - 1 - self.choice.group_bits();
                self.bucket_at(self.index | (self.group as u32) << group)
            }
            Mode::Sums => self.sum_order(self.index),
            Mode::Bits => self.index,
        }
    }

    fn last_index(&self) -> u32 {
        let last = match self.mode {
            Mode::Buckets => self.choice.buckets_per_window() >> self.choice.group_bits(),
            Mode::Sums => self.choice.sums_per_window(),
            Mode::Bits => self.choice.window_bits,
        };
        last as u32 - 1
    }

    fn groups(&self) -> usize {
        match self.mode {
            Mode::Buckets => self.marks.len(),
            Mode::Sums => 1,
            Mode::Bits => self.choice.local_windows(),
        }
    }

    /// The slot to look up in this cycle.
    pub(super) fn slot(&self) -> Option<u32> {
        let per_window = match self.mode {
            Mode::Sums => self.choice.sums_per_window(),
            _ => self.choice.buckets_per_window(),
        };
        self.visit.map(|place| place.window * per_window as u32 + place.offset)
    }

    /// The token that is offered.
    pub(super) fn token(&self) -> Option<Token> {
        let Found { place: Place { offset, window }, point } = *self.found.front()?;
        let (sums, buckets) = (self.choice.sums_per_window() as u32, self.choice.buckets_per_window() as u32);
        let (m, h) = (self.choice.column_bits, self.choice.row_bits);
        let bit = self.targets(offset).trailing_zeros();
        let slot = match self.mode {
            Mode::Buckets if bit == 0 => window * sums + (offset >> m),
            Mode::Buckets => window * sums + (1 << h) + (offset & ((1 << m) - 1)),
            Mode::Sums => window * buckets + bit,
            Mode::Bits => return None,
        };
        Some(Token { slot, point: point? })
    }

    /// A beat of a result is offered.
    pub(super) fn result(&self) -> bool {
        self.mode == Mode::Bits && !self.found.is_empty()
    }

    fn targets(&self, offset: u32) -> u32 {
        if let Some(pending) = self.pending {
            return pending;
        }
        let (m, h) = (self.choice.column_bits, self.choice.row_bits);
        match self.mode {
            Mode::Buckets => {
                let (low, high) = (offset & ((1 << m) - 1), offset >> m);
                u32::from(high != 0 || low == 0) | u32::from(low != 0) << 1
            }
            _ => match (offset >> h != 0, offset & ((1 << h) - 1)) {
                (true, value) => value,
                (false, 0) => 1 << (self.choice.window_bits - 1),
                (false, value) => value << m,
            },
        }
    }

    /// One cycle. `point` is what the look-up of two cycles ago found; `taken`: the token that is offered goes;
    /// `result_taken`: the beat does. `mode` and `start` are those of the cycle.
    pub(super) fn step(&mut self, point: Option<u64>, taken: bool, result_taken: bool, start: Option<Mode>) {
        let enable = FIFO_DEPTH - self.found.len() > MARGIN;

        // What was found.
        if taken && let Some(found) = self.found.front() {
            let set = self.targets(found.place.offset);
            let rest = set & (set - 1);
            self.pending = (rest != 0).then_some(rest);
            if rest == 0 {
                self.found.pop_front();
            }
        }
        if result_taken {
            self.beat = (self.beat + 1) % 3;
            if self.beat == 0 {
                self.results.extend(self.found.pop_front().map(|found| found.point));
            }
        }
        if let Some(place) = self.valid2
            && (point.is_some() || self.mode == Mode::Bits)
        {
            self.found.push_back(Found { place, point });
        }
        self.valid2 = self.valid1;
        self.valid1 = self.visit.take();

        // The walk.
        let mut ends = false;
        match self.state {
            State::Idle => {}
            State::Look => {
                self.windows.clear();
                match self.mode {
                    Mode::Bits => self.windows.push(self.group as u32),
                    Mode::Buckets | Mode::Sums => {
                        let marks = &self.marks;
                        let group = self.group;
                        let buckets = self.mode == Mode::Buckets;
                        let marked = |window: &usize| match buckets {
                            true => marks[group][*window],
                            false => marks.iter().any(|group| group[*window]),
                        };
                        let windows = (0..self.choice.local_windows()).filter(marked);
                        self.windows.extend(windows.map(|window| window as u32));
                    }
                }
                self.state = State::Known;
            }
            State::Known => {
                self.at = 0;
                self.state = State::Visit;
                ends = self.windows.is_empty();
            }
            State::Visit if enable => {
                self.visit = Some(Place { offset: self.offset(), window: self.windows[self.at] });
                self.at += 1;
                if self.at == self.windows.len() {
                    self.at = 0;
                    ends = self.index == self.last_index();
                    self.index += 1;
                }
            }
            State::Visit => {}
        }
        if ends {
            self.index = 0;
            self.group += 1;
            self.state = if self.group == self.groups() { State::Idle } else { State::Look };
        }
        if let Some(mode) = start {
            self.mode = mode;
            self.state = State::Look;
            self.group = 0;
            self.index = 0;
        }
    }
}
