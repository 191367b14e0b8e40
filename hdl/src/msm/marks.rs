//! Which parts of the windows hold tokens.

use super::adder::SLOT_BITS;
use super::choose::{any_of, choose};
use super::shape::{CHOICE_BITS, Choice, MAX_WINDOWS, Shape, WINDOW_BITS};
use crate::datapath::{Datapath, Wire};
use crate::pipeline_block;
use rust_hdl::prelude::*;
use spandrel_abi::mark_group_bits;
use std::rc::Rc;

/// Bits of a mark's number.
const MARK_BITS: usize = spandrel_abi::MARK_BITS as usize;

/// Marks of a core.
const MARKS: usize = 1 << MARK_BITS;

impl Choice {
    /// Bits of a window's number among the marks of one group.
    fn mark_window_bits(&self) -> usize {
        self.local_windows().next_power_of_two().ilog2() as usize
    }

    /// Bits of a group's number; see [`mark_group_bits`].
    pub fn group_bits(&self) -> usize {
        mark_group_bits(self.window_bits as u32, self.local_windows() as u32) as usize
    }
}

/// The bucket at a place of the scan's order: the column is added to the row, both with their highest bits level, so that
/// not only each column but each row too comes at an even pace. Both have c − 1 bits.
pub(super) fn bucket_at(path: &Datapath, place: Wire, choice: &Choice) -> Wire {
    turned(path, place, choice, |row, column| path.add(row, column))
}

/// The place of a bucket in the scan's order: [`bucket_at`] backwards.
fn place_of(path: &Datapath, bucket: Wire, choice: &Choice) -> Wire {
    turned(path, bucket, choice, |row, column| path.subtract(row, column))
}

fn turned(path: &Datapath, bucket: Wire, choice: &Choice, turn: impl Fn(Wire, Wire) -> Wire) -> Wire {
    let (m, h) = (choice.column_bits, choice.row_bits);
    let (low, high) = (path.slice(bucket, 0, m), path.slice(bucket, m, h));
    let level = if h > m { path.concat(&[path.constant(0u32, h - m), low]) } else { low };
    path.concat(&[low, path.slice(turn(high, level), 0, h)])
}

pipeline_block! {
    /// The mark of a slot.
    combinational MarkIndex
    inputs {
        /// Slot in bank 0.
        slot: Bits<20>,
        /// Its local window.
        window: Bits<7>,
        /// Choice of window bits.
        choice: Bits<4>,
    }
    outputs {
        /// Number of the mark.
        index: Bits<8>,
    }
}

impl MarkIndex {
    fn new(shape: &Shape) -> MarkIndex {
        let path = Datapath::combinational(shape.name("mark_index"));
        let slot = path.input("slot", SLOT_BITS);
        let window = path.input("window", WINDOW_BITS);
        let choice = path.input("choice", CHOICE_BITS);
        let index_of = |choice: &Choice| {
            let (bits, groups) = (choice.window_bits - 1, choice.group_bits());
            let order = place_of(&path, path.slice(slot, 0, bits), choice);
            let group = path.slice(order, bits - groups, groups);
            let index = match choice.mark_window_bits() {
                0 => group,
                window_bits => path.concat(&[path.slice(window, 0, window_bits), group]),
            };
            path.resize(index, MARK_BITS)
        };
        let index = choose(&path, choice, &shape.choices.iter().map(index_of).collect::<Vec<_>>());
        MarkIndex::host(Rc::new(path.finish_combinational(&[("index", index)])))
    }
}

pipeline_block! {
    /// The windows that a scan visits in a group.
    combinational MarkedWindows
    inputs {
        /// All marks.
        marks: Bits<256>,
        /// Choice of window bits.
        choice: Bits<4>,
        /// Mode of the scan; see [`Reducer`](super::Reducer).
        mode: Bits<2>,
        /// Mode 0: group; mode 1: nothing; mode 2: local window.
        group: Bits<7>,
    }
    outputs {
        /// One bit for each local window.
        windows: Bits<85>,
    }
}

impl MarkedWindows {
    fn new(shape: &Shape) -> MarkedWindows {
        let path = Datapath::combinational(shape.name("marked_windows"));
        let marks = path.input("marks", MARKS);
        let choice = path.input("choice", CHOICE_BITS);
        let mode = path.input("mode", 2);
        let group = path.input("group", WINDOW_BITS);
        let windows_of = |choice: &Choice| {
            let stride = 1 << choice.mark_window_bits();
            let groups: Vec<Wire> = (0..1 << choice.group_bits())
                .map(|group| path.slice(marks, group * stride, choice.local_windows()))
                .collect();
            let marked = path.mux(path.bit(mode, 0), any_of(&path, &groups), choose(&path, group, &groups));
            path.resize(marked, MAX_WINDOWS)
        };
        let marked = choose(&path, choice, &shape.choices.iter().map(windows_of).collect::<Vec<_>>());
        let is = |window: usize| path.equal(group, path.constant(window, WINDOW_BITS));
        let one = path.concat(&(0..shape.local_windows()).map(is).collect::<Vec<_>>());
        let windows = path.mux(path.bit(mode, 1), path.resize(one, MAX_WINDOWS), marked);
        MarkedWindows::host(Rc::new(path.finish_combinational(&[("windows", windows)])))
    }
}

/// Marks the groups of bank 0 that tokens have entered, and tells which windows are worth a visit. A window's buckets
/// are divided into 2^g groups by the highest g bits of their place in the scan's order.
///
/// A mark is there two cycles after its token.
#[derive(LogicBlock)]
pub struct Marks {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets all marks.
    pub clear: Signal<In, Bit>,
    /// Sets the mark of a slot.
    pub mark: Signal<In, Bit>,
    /// The slot.
    pub slot: Signal<In, Bits<20>>,
    /// Its local window.
    pub window: Signal<In, Bits<7>>,
    /// Choice of window bits.
    pub choice: Signal<In, Bits<4>>,
    /// Mode of the scan.
    pub mode: Signal<In, Bits<2>>,
    /// Mode 0: a group; mode 2: a local window.
    pub group: Signal<In, Bits<7>>,
    /// In mode 0 the windows with a token in this group, in mode 1 those with a token, in mode 2 this window.
    pub windows: Signal<Out, Bits<85>>,
    index: MarkIndex,
    choose: MarkedWindows,
    marks: DFF<Bits<256>>,
    marked: DFF<Bit>,
    marked_index: DFF<Bits<8>>,
    first_bit: Constant<Bits<256>>,
}

impl Marks {
    /// The marks of a shape.
    pub fn new(shape: &Shape) -> Marks {
        Marks {
            clock: Default::default(),
            clear: Default::default(),
            mark: Default::default(),
            slot: Default::default(),
            window: Default::default(),
            choice: Default::default(),
            mode: Default::default(),
            group: Default::default(),
            windows: Default::default(),
            index: MarkIndex::new(shape),
            choose: MarkedWindows::new(shape),
            marks: Default::default(),
            marked: Default::default(),
            marked_index: Default::default(),
            first_bit: Constant::new(1u32.to_bits()),
        }
    }
}

impl Logic for Marks {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, marks, marked, marked_index);
        self.index.slot.next = self.slot.val();
        self.index.window.next = self.window.val();
        self.index.choice.next = self.choice.val();
        self.marked.d.next = self.mark.val();
        self.marked_index.d.next = self.index.index.val();
        if self.marked.q.val() {
            self.marks.d.next = self.marks.q.val() | (self.first_bit.val() << self.marked_index.q.val());
        }
        self.choose.marks.next = self.marks.q.val();
        self.choose.choice.next = self.choice.val();
        self.choose.mode.next = self.mode.val();
        self.choose.group.next = self.group.val();
        self.windows.next = self.choose.windows.val();
        if self.clear.val() {
            self.marks.d.next = 0.into();
            self.marked.d.next = false;
        }
    }
}
