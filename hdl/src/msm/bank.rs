//! One bank of slots: points and their full/empty flags.

use super::{DualPortMemory, FullFlags, PointStore};
use rust_hdl::prelude::*;

/// A bank with two ports. In one cycle a port names a slot (`index`); in the next, `full` tells whether it holds a
/// point, and the port parks `data` there or takes the point out; in the one after that `read` is the point
/// taken. Both ports must not park or take the same slot in one cycle.
#[derive(LogicBlock)]
pub struct Bank {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Port A, first cycle: slot.
    pub a_index: Signal<In, Bits<20>>,
    /// Port A, second cycle: it holds a point.
    pub a_full: Signal<Out, Bit>,
    /// Port A, second cycle: put `a_data` in.
    pub a_park: Signal<In, Bit>,
    /// Port A, second cycle: take the point out.
    pub a_take: Signal<In, Bit>,
    /// Port A, second cycle: point to put in.
    pub a_data: Signal<In, Bits<762>>,
    /// Port A, third cycle: point taken out.
    pub a_read: Signal<Out, Bits<762>>,
    /// Port B, first cycle: slot.
    pub b_index: Signal<In, Bits<20>>,
    /// Port B, second cycle: it holds a point.
    pub b_full: Signal<Out, Bit>,
    /// Port B, second cycle: put `b_data` in.
    pub b_park: Signal<In, Bit>,
    /// Port B, second cycle: take the point out.
    pub b_take: Signal<In, Bit>,
    /// Port B, second cycle: point to put in.
    pub b_data: Signal<In, Bits<762>>,
    /// Port B, third cycle: point taken out.
    pub b_read: Signal<Out, Bits<762>>,
    /// Empties the slot `clear_index`.
    pub clear: Signal<In, Bit>,
    /// Slot to empty.
    pub clear_index: Signal<In, Bits<20>>,
    flags: FullFlags,
    points: DualPortMemory,
    a_slot: DFF<Bits<20>>,
    b_slot: DFF<Bits<20>>,
}

impl Bank {
    /// A bank of `depth` slots.
    pub fn new(depth: usize, store: &PointStore) -> Bank {
        Bank {
            clock: Default::default(),
            a_index: Default::default(),
            a_full: Default::default(),
            a_park: Default::default(),
            a_take: Default::default(),
            a_data: Default::default(),
            a_read: Default::default(),
            b_index: Default::default(),
            b_full: Default::default(),
            b_park: Default::default(),
            b_take: Default::default(),
            b_data: Default::default(),
            b_read: Default::default(),
            clear: Default::default(),
            clear_index: Default::default(),
            flags: FullFlags::new(depth),
            points: DualPortMemory::new(depth, store),
            a_slot: Default::default(),
            b_slot: Default::default(),
        }
    }
}

impl Logic for Bank {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, a_slot, b_slot);
        self.flags.clock.next = self.clock.val();
        self.points.clock.next = self.clock.val();
        self.a_slot.d.next = self.a_index.val();
        self.b_slot.d.next = self.b_index.val();
        self.flags.a_index.next = self.a_index.val();
        self.flags.b_index.next = self.b_index.val();
        self.flags.a_flip.next = self.a_park.val() | self.a_take.val();
        self.flags.b_flip.next = self.b_park.val() | self.b_take.val();
        self.flags.clear.next = self.clear.val();
        self.flags.clear_index.next = self.clear_index.val();
        self.a_full.next = self.flags.a_full.val();
        self.b_full.next = self.flags.b_full.val();
        self.points.a_address.next = self.a_slot.q.val();
        self.points.a_enable.next = self.a_park.val() | self.a_take.val();
        self.points.a_write.next = self.a_park.val();
        self.points.a_data.next = self.a_data.val();
        self.a_read.next = self.points.a_read.val();
        self.points.b_address.next = self.b_slot.q.val();
        self.points.b_enable.next = self.b_park.val() | self.b_take.val();
        self.points.b_write.next = self.b_park.val();
        self.points.b_data.next = self.b_data.val();
        self.b_read.next = self.points.b_read.val();
    }
}
