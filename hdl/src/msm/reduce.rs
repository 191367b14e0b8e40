//! Reduction: scans one bank and sends what it holds on, as tokens of the next pass or as results.

use super::scan::Scan;
use super::shape::Shape;
use super::targets::{NextTarget, Targets};
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Scans a bank, slot by slot, one a cycle. Mode 0 sends each bucket to its row and column sum, mode 1 each row
/// and column sum to the bits of its index, mode 2 writes the bit sums out: local window by local window, bit by bit,
/// three beats of 256 bits a point (X, Y, Z, each 254 bits), all zero for an empty slot.
///
/// In modes 0 and 1 neighbouring tokens belong to different windows. What no token of the job was in is passed over, so
/// that short scalars and small jobs do not pay for all buckets: mode 0 leaves out the parts of windows that have no mark,
/// mode 1 the windows. The engine sets a mark for each token that enters bank 0 in the bucket phase (`mark_valid`,
/// `mark_slot`, `mark_window`; as often as it likes for the same one) at least two cycles before mode 0 starts, and
/// clears them all when a job begins.
///
/// A point leaves as a token four cycles after its slot was chosen at the earliest, in one cycle for each of its targets.
/// The longest paths: the marks to the windows of a group, the lowest window of a set (a subtraction of 85 bits),
/// the slot of a place (multiplexers over the choices), each between registers.
#[derive(LogicBlock)]
pub struct Reducer {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Ends a scan and forgets what it found; marks stay until `clear_marks`.
    pub reset: Signal<In, Bit>,
    /// The job's choice of window bits, an index into [`Shape::choices`]: constant while there are marks or a scan.
    pub choice: Signal<In, Bits<4>>,
    /// Forgets which slots hold tokens: a job begins.
    pub clear_marks: Signal<In, Bit>,
    /// A token enters bank 0.
    pub mark_valid: Signal<In, Bit>,
    /// Its slot.
    pub mark_slot: Signal<In, Bits<20>>,
    /// Its local window.
    pub mark_window: Signal<In, Bits<7>>,
    /// Begins a scan; only while `idle`.
    pub start: Signal<In, Bit>,
    /// Mode, constant from the cycle after `start` until `idle`.
    pub mode: Signal<In, Bits<2>>,
    /// A slot is looked up in this cycle.
    pub scan_valid: Signal<Out, Bit>,
    /// The slot.
    pub scan_slot: Signal<Out, Bits<20>>,
    /// Two cycles after the look-up: the slot held a point.
    pub scan_full: Signal<In, Bit>,
    /// Two cycles after the look-up: the point.
    pub scan_point: Signal<In, Bits<762>>,
    /// There is a token.
    pub token_valid: Signal<Out, Bit>,
    /// It is taken.
    pub token_ready: Signal<In, Bit>,
    /// The token's slot.
    pub token_slot: Signal<Out, Bits<20>>,
    /// The token's point, all 762 bits as they were in the slot.
    pub token_point: Signal<Out, Bits<762>>,
    /// A coordinate of a result.
    pub result_data: Signal<Out, Bits<256>>,
    /// There is one.
    pub result_valid: Signal<Out, Bit>,
    /// It is taken.
    pub result_ready: Signal<In, Bit>,
    /// The scan is over and everything it found has been taken.
    pub idle: Signal<Out, Bit>,
    scan: Scan,
    targets: Targets,
    chooser: NextTarget,
    points: Fifo<762>,
    places: Fifo<56>,
    valid1: DFF<Bit>,
    offset1: DFF<Bits<20>>,
    window1: DFF<Bits<7>>,
    valid2: DFF<Bit>,
    targets2: DFF<Bits<56>>,
    started: DFF<Bit>,
    pending: DFF<Bits<16>>,
    beat: DFF<Bits<2>>,
    push: Signal<Local, Bit>,
    found: Signal<Local, Bits<762>>,
    pop: Signal<Local, Bit>,
    room: Constant<Bits<16>>,
}

/// Points between scan and use.
const SCAN_FIFO_DEPTH: usize = 16;

/// The scan stops while not more than this many would fit: it has at most so many look-ups under way that the FIFO does
/// not count yet, three, and one to spare.
const SCAN_MARGIN: usize = 4;

impl Reducer {
    /// The reducer of a shape.
    pub fn new(shape: &Shape) -> Reducer {
        Reducer {
            clock: Default::default(),
            reset: Default::default(),
            choice: Default::default(),
            clear_marks: Default::default(),
            mark_valid: Default::default(),
            mark_slot: Default::default(),
            mark_window: Default::default(),
            start: Default::default(),
            mode: Default::default(),
            scan_valid: Default::default(),
            scan_slot: Default::default(),
            scan_full: Default::default(),
            scan_point: Default::default(),
            token_valid: Default::default(),
            token_ready: Default::default(),
            token_slot: Default::default(),
            token_point: Default::default(),
            result_data: Default::default(),
            result_valid: Default::default(),
            result_ready: Default::default(),
            idle: Default::default(),
            scan: Scan::new(shape),
            targets: Targets::new(shape),
            chooser: NextTarget::new(),
            points: Fifo::new(SCAN_FIFO_DEPTH),
            places: Fifo::new(SCAN_FIFO_DEPTH),
            valid1: Default::default(),
            offset1: Default::default(),
            window1: Default::default(),
            valid2: Default::default(),
            targets2: Default::default(),
            started: Default::default(),
            pending: Default::default(),
            beat: Default::default(),
            push: Default::default(),
            found: Default::default(),
            pop: Default::default(),
            room: Constant::new(SCAN_MARGIN.to_bits()),
        }
    }
}

impl Logic for Reducer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, valid1, offset1, window1, valid2, targets2, started, pending, beat);
        self.scan.clock.next = self.clock.val();
        self.points.clock.next = self.clock.val();
        self.places.clock.next = self.clock.val();
        self.scan.reset.next = self.reset.val();
        self.points.reset.next = self.reset.val();
        self.places.reset.next = self.reset.val();

        // The scan.
        self.scan.clear_marks.next = self.clear_marks.val();
        self.scan.mark_valid.next = self.mark_valid.val();
        self.scan.mark_slot.next = self.mark_slot.val();
        self.scan.mark_window.next = self.mark_window.val();
        self.scan.start.next = self.start.val();
        self.scan.mode.next = self.mode.val();
        self.scan.choice.next = self.choice.val();
        self.scan.enable.next = self.points.space.val() > self.room.val();
        self.scan_valid.next = self.scan.valid.val();
        self.scan_slot.next = self.scan.slot.val();
        self.valid1.d.next = self.scan.valid.val();
        self.offset1.d.next = self.scan.offset.val();
        self.window1.d.next = self.scan.window.val();
        self.targets.pass.next = self.mode.val() == 1;
        self.targets.choice.next = self.choice.val();
        self.targets.offset.next = self.offset1.q.val();
        self.targets.window.next = self.window1.q.val();
        self.valid2.d.next = self.valid1.q.val();
        self.targets2.d.next = self.targets.targets.val();

        // What it found.
        self.push.next = self.valid2.q.val() & (self.scan_full.val() | (self.mode.val() == 2));
        self.found.next = 0.into();
        if self.scan_full.val() {
            self.found.next = self.scan_point.val();
        }
        self.points.in_data.next = self.found.val();
        self.points.in_valid.next = self.push.val();
        self.places.in_data.next = self.targets2.q.val();
        self.places.in_valid.next = self.push.val();

        // As tokens.
        self.chooser.pass.next = self.mode.val() == 1;
        self.chooser.targets.next = self.places.out_data.val();
        self.chooser.started.next = self.started.q.val();
        self.chooser.pending.next = self.pending.q.val();
        self.token_valid.next = self.points.out_valid.val() & (self.mode.val() != 2);
        self.token_slot.next = self.chooser.slot.val();
        self.token_point.next = self.points.out_data.val();
        self.pop.next = false;
        if self.points.out_valid.val() & (self.mode.val() != 2) & self.token_ready.val() {
            self.pop.next = self.chooser.last.val();
            self.started.d.next = !self.chooser.last.val();
            self.pending.d.next = self.chooser.rest.val();
        }

        // As results.
        self.result_valid.next = self.points.out_valid.val() & (self.mode.val() == 2);
        self.result_data.next = bit_cast::<256, 254>(self.points.out_data.val().get_bits::<254>(0));
        if self.beat.q.val() == 1 {
            self.result_data.next = bit_cast::<256, 254>(self.points.out_data.val().get_bits::<254>(254));
        }
        if self.beat.q.val() == 2 {
            self.result_data.next = bit_cast::<256, 254>(self.points.out_data.val().get_bits::<254>(508));
        }
        if self.points.out_valid.val() & (self.mode.val() == 2) & self.result_ready.val() {
            self.beat.d.next = self.beat.q.val() + 1;
            if self.beat.q.val() == 2 {
                self.beat.d.next = 0.into();
                self.pop.next = true;
            }
        }
        self.points.out_ready.next = self.pop.val();
        self.places.out_ready.next = self.pop.val();
        self.idle.next = !self.scan.busy.val()
            & !self.valid1.q.val()
            & !self.valid2.q.val()
            & !self.points.out_valid.val();

        if self.reset.val() {
            self.valid1.d.next = false;
            self.valid2.d.next = false;
            self.started.d.next = false;
            self.beat.d.next = 0.into();
        }
    }
}
