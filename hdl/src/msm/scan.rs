//! The order in which a bank is scanned.

use super::adder::SLOT_BITS;
use super::choose::{choose, lowest, number_of};
use super::marks::{Marks, bucket_at};
use super::shape::{CHOICE_BITS, Choice, MAX_WINDOWS, Shape, WINDOW_BITS};
use crate::datapath::{Datapath, Wire};
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// One of three values by the mode, 0 to 2.
fn by_mode(path: &Datapath, mode: Wire, [first, second, third]: [Wire; 3]) -> Wire {
    path.mux(path.bit(mode, 1), third, path.mux(path.bit(mode, 0), second, first))
}

pipeline_block! {
    /// Where a scan turns.
    combinational ScanLimits
    inputs {
        /// Choice of window bits.
        choice: Bits<4>,
        /// Mode of the scan.
        mode: Bits<2>,
    }
    outputs {
        /// The last index in a group.
        last_index: Bits<20>,
        /// The last group.
        last_group: Bits<7>,
    }
}

impl ScanLimits {
    fn new(shape: &Shape) -> ScanLimits {
        let path = Datapath::combinational(shape.name("scan_limits"));
        let choice = path.input("choice", CHOICE_BITS);
        let mode = path.input("mode", 2);
        let limit = |width: usize, lasts: &dyn Fn(&Choice) -> [usize; 3]| {
            let of_choice =
                |choice: &Choice| by_mode(&path, mode, lasts(choice).map(|last| path.constant(last, width)));
            choose(&path, choice, &shape.choices.iter().map(of_choice).collect::<Vec<_>>())
        };
        let last_index = limit(SLOT_BITS, &|choice| {
            let group = choice.buckets_per_window() >> choice.group_bits();
            [group - 1, choice.sums_per_window() - 1, choice.window_bits - 1]
        });
        let last_group =
            limit(WINDOW_BITS, &|choice| [(1 << choice.group_bits()) - 1, 0, choice.local_windows() - 1]);
        let outputs = [("last_index", last_index), ("last_group", last_group)];
        ScanLimits::host(Rc::new(path.finish_combinational(&outputs)))
    }
}

pipeline_block! {
    /// The next window of a set.
    combinational NextWindow
    inputs {
        /// Begin with this set.
        set: Bits<85>,
        /// Or go on with what is left of it.
        rest: Bits<85>,
        /// Begin.
        begins: Bit,
        /// The window that is being visited, as one bit.
        hot: Bits<85>,
    }
    outputs {
        /// The next window.
        next_hot: Bits<85>,
        /// What is left after it.
        next_rest: Bits<85>,
        /// Nothing is.
        next_single: Bit,
        /// The set is empty.
        none: Bit,
        /// The number of `hot`.
        window: Bits<7>,
    }
}

impl NextWindow {
    fn new() -> NextWindow {
        let path = Datapath::combinational("next_window");
        let set = path.input("set", MAX_WINDOWS);
        let rest = path.input("rest", MAX_WINDOWS);
        let begins = path.input("begins", 1);
        let hot = path.input("hot", MAX_WINDOWS);
        let (next_hot, next_rest, next_single) = lowest(&path, path.mux(begins, set, rest));
        let none = path.equal(set, path.constant(0u32, MAX_WINDOWS));
        let window = number_of(&path, hot, WINDOW_BITS);
        NextWindow::host(Rc::new(path.finish_combinational(&[
            ("next_hot", next_hot),
            ("next_rest", next_rest),
            ("next_single", next_single),
            ("none", none),
            ("window", window),
        ])))
    }
}

pipeline_block! {
    /// The slot at a place of the scan.
    combinational ScanPlace
    inputs {
        /// Choice of window bits.
        choice: Bits<4>,
        /// Mode of the scan.
        mode: Bits<2>,
        /// Group.
        group: Bits<7>,
        /// Index in the group.
        index: Bits<20>,
        /// Local window.
        window: Bits<7>,
    }
    outputs {
        /// Slot in its window.
        offset: Bits<20>,
        /// Slot in the bank.
        slot: Bits<20>,
    }
}

impl ScanPlace {
    fn new(shape: &Shape) -> ScanPlace {
        let path = Datapath::combinational(shape.name("scan_place"));
        let choice = path.input("choice", CHOICE_BITS);
        let mode = path.input("mode", 2);
        let group = path.input("group", WINDOW_BITS);
        let index = path.input("index", SLOT_BITS);
        let window = path.input("window", WINDOW_BITS);
        let of_choice = |choice: &Choice| {
            let bits = choice.window_bits - 1;
            let groups = choice.group_bits();
            let order = path.concat(&[path.slice(index, 0, bits - groups), path.slice(group, 0, groups)]);
            let bucket = path.resize(bucket_at(&path, order, choice), SLOT_BITS);
            let sum = path.resize(sum_order(&path, index, choice), SLOT_BITS);
            let offset = by_mode(&path, mode, [bucket, sum, index]);
            let first =
                |bits: usize| path.resize(path.concat(&[path.constant(0u32, bits), window]), SLOT_BITS);
            let buckets = first(bits);
            let first = by_mode(&path, mode, [buckets, first(choice.row_bits + 1), buckets]);
            path.concat(&[offset, path.or(first, offset)])
        };
        let place = choose(&path, choice, &shape.choices.iter().map(of_choice).collect::<Vec<_>>());
        let (offset, slot) = (path.slice(place, 0, SLOT_BITS), path.slice(place, SLOT_BITS, SLOT_BITS));
        ScanPlace::host(Rc::new(path.finish_combinational(&[("offset", offset), ("slot", slot)])))
    }
}

/// The row or column sum at an index of the scan: rows and columns in turn, and the high bits of their number or-ed
/// exclusively with the low ones in reverse, so that each bit is set in every second one wherever the scan is.
fn sum_order(path: &Datapath, index: Wire, choice: &Choice) -> Wire {
    let h = choice.row_bits;
    let bit = |at: usize| path.bit(index, 1 + at);
    let mixed = |at: usize| match h - 1 - at {
        mirror if mirror < at => path.xor(bit(at), bit(mirror)),
        _ => bit(at),
    };
    let number = path.concat(&(0..h).map(mixed).collect::<Vec<_>>());
    path.concat(&[number, path.bit(index, 0)])
}

/// Walks over a bank, one slot a cycle.
///
/// In modes 0 and 1 it visits the same slot of every window that is worth it before it goes on to the next slot, so that
/// tokens for one sum, which cannot be added before they meet, come as far apart as they can:
/// - mode 0, buckets: 2^g groups, in each of them the windows marked there and no other. Row and column of a bucket both
///   change with every step, and each row and column comes evenly over the whole scan. A group that no window has a mark
///   in takes two cycles, and beginning one that has takes two as well; no window without a mark takes any.
/// - mode 1, row and column sums: the windows with any mark;
/// - mode 2, bit sums: window by window, bit by bit, all of them; two cycles between windows.
#[derive(LogicBlock)]
pub struct Scan {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Ends a scan.
    pub reset: Signal<In, Bit>,
    /// Forgets which slots hold tokens.
    pub clear_marks: Signal<In, Bit>,
    /// A token enters bank 0.
    pub mark_valid: Signal<In, Bit>,
    /// Its slot.
    pub mark_slot: Signal<In, Bits<20>>,
    /// Its local window.
    pub mark_window: Signal<In, Bits<7>>,
    /// Begins a scan.
    pub start: Signal<In, Bit>,
    /// Mode, constant from the cycle after `start` to the end of the scan.
    pub mode: Signal<In, Bits<2>>,
    /// Choice of window bits, constant as the mode.
    pub choice: Signal<In, Bits<4>>,
    /// Go on.
    pub enable: Signal<In, Bit>,
    /// Look a slot up: from the cycle after that in which it was enabled.
    pub valid: Signal<Out, Bit>,
    /// The slot.
    pub slot: Signal<Out, Bits<20>>,
    /// The slot in its window.
    pub offset: Signal<Out, Bits<20>>,
    /// The local window.
    pub window: Signal<Out, Bits<7>>,
    /// A scan is under way.
    pub busy: Signal<Out, Bit>,
    marks: Marks,
    limits: ScanLimits,
    step: NextWindow,
    place: ScanPlace,
    /// 0 idle, 1 the group's windows are being looked up, 2 they are known, 3 they are being visited.
    state: DFF<Bits<2>>,
    group: DFF<Bits<7>>,
    index: DFF<Bits<20>>,
    windows: DFF<Bits<85>>,
    hot: DFF<Bits<85>>,
    rest: DFF<Bits<85>>,
    single: DFF<Bit>,
    visit: DFF<Bit>,
    visit_group: DFF<Bits<7>>,
    visit_index: DFF<Bits<20>>,
    visit_window: DFF<Bits<7>>,
    go: Signal<Local, Bit>,
    group_ends: Signal<Local, Bit>,
}

impl Scan {
    /// The scan of a shape.
    pub fn new(shape: &Shape) -> Scan {
        Scan {
            clock: Default::default(),
            reset: Default::default(),
            clear_marks: Default::default(),
            mark_valid: Default::default(),
            mark_slot: Default::default(),
            mark_window: Default::default(),
            start: Default::default(),
            mode: Default::default(),
            choice: Default::default(),
            enable: Default::default(),
            valid: Default::default(),
            slot: Default::default(),
            offset: Default::default(),
            window: Default::default(),
            busy: Default::default(),
            marks: Marks::new(shape),
            limits: ScanLimits::new(shape),
            step: NextWindow::new(),
            place: ScanPlace::new(shape),
            state: Default::default(),
            group: Default::default(),
            index: Default::default(),
            windows: Default::default(),
            hot: Default::default(),
            rest: Default::default(),
            single: Default::default(),
            visit: Default::default(),
            visit_group: Default::default(),
            visit_index: Default::default(),
            visit_window: Default::default(),
            go: Default::default(),
            group_ends: Default::default(),
        }
    }
}

impl Logic for Scan {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, group, index, windows, hot, rest, single);
        dff_setup!(self, clock, visit, visit_group, visit_index, visit_window);
        self.marks.clock.next = self.clock.val();
        self.marks.clear.next = self.clear_marks.val();
        self.marks.mark.next = self.mark_valid.val();
        self.marks.slot.next = self.mark_slot.val();
        self.marks.window.next = self.mark_window.val();
        self.marks.choice.next = self.choice.val();
        self.marks.mode.next = self.mode.val();
        self.marks.group.next = self.group.q.val();
        self.limits.choice.next = self.choice.val();
        self.limits.mode.next = self.mode.val();

        self.go.next = (self.state.q.val() == 3) & self.enable.val();
        self.group_ends.next = false;
        self.step.set.next = self.windows.q.val();
        self.step.rest.next = self.rest.q.val();
        self.step.begins.next = (self.state.q.val() == 2) | self.single.q.val();
        self.step.hot.next = self.hot.q.val();
        if self.state.q.val() == 1 {
            self.windows.d.next = self.marks.windows.val();
            self.state.d.next = 2.into();
        }
        if self.state.q.val() == 2 {
            self.state.d.next = 3.into();
            self.group_ends.next = self.step.none.val();
        }
        if (self.state.q.val() == 2) | self.go.val() {
            self.hot.d.next = self.step.next_hot.val();
            self.rest.d.next = self.step.next_rest.val();
            self.single.d.next = self.step.next_single.val();
        }
        if self.go.val() & self.single.q.val() {
            self.index.d.next = self.index.q.val() + 1;
            self.group_ends.next = self.index.q.val() == self.limits.last_index.val();
        }
        if self.group_ends.val() {
            self.index.d.next = 0.into();
            self.group.d.next = self.group.q.val() + 1;
            self.state.d.next = 1.into();
            if self.group.q.val() == self.limits.last_group.val() {
                self.state.d.next = 0.into();
            }
        }
        if self.start.val() {
            self.state.d.next = 1.into();
            self.group.d.next = 0.into();
            self.index.d.next = 0.into();
        }

        self.visit.d.next = self.go.val();
        self.visit_group.d.next = self.group.q.val();
        self.visit_index.d.next = self.index.q.val();
        self.visit_window.d.next = self.step.window.val();
        self.place.choice.next = self.choice.val();
        self.place.mode.next = self.mode.val();
        self.place.group.next = self.visit_group.q.val();
        self.place.index.next = self.visit_index.q.val();
        self.place.window.next = self.visit_window.q.val();
        self.valid.next = self.visit.q.val();
        self.slot.next = self.place.slot.val();
        self.offset.next = self.place.offset.val();
        self.window.next = self.visit_window.q.val();
        self.busy.next = (self.state.q.val() != 0) | self.visit.q.val();

        if self.reset.val() {
            self.state.d.next = 0.into();
            self.visit.d.next = false;
        }
    }
}
