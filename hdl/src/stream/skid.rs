//! Register slice.

use rust_hdl::prelude::*;

/// Register slice of two elements: cuts every combinational path between its two sides (data, valid and ready)
/// without loss of rate. One element per cycle, latency 1.
#[derive(LogicBlock, Default)]
pub struct Skid<const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Empties the slice.
    pub reset: Signal<In, Bit>,
    /// Element to put in.
    pub in_data: Signal<In, Bits<W>>,
    /// `in_data` is an element.
    pub in_valid: Signal<In, Bit>,
    /// There is space for an element (a register).
    pub in_ready: Signal<Out, Bit>,
    /// Oldest element (a register).
    pub out_data: Signal<Out, Bits<W>>,
    /// `out_data` is an element (a register).
    pub out_valid: Signal<Out, Bit>,
    /// The element is taken.
    pub out_ready: Signal<In, Bit>,
    front: DFF<Bits<W>>,
    front_full: DFF<Bit>,
    back: DFF<Bits<W>>,
    back_full: DFF<Bit>,
    push: Signal<Local, Bit>,
    shift: Signal<Local, Bit>,
}

impl<const W: usize> Logic for Skid<W> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, front, front_full, back, back_full);
        self.in_ready.next = !self.back_full.q.val();
        self.out_data.next = self.front.q.val();
        self.out_valid.next = self.front_full.q.val();
        self.push.next = self.in_valid.val() & !self.back_full.q.val();
        self.shift.next = self.out_ready.val() | !self.front_full.q.val();
        if self.shift.val() {
            if self.back_full.q.val() {
                self.front.d.next = self.back.q.val();
                self.front_full.d.next = true;
                self.back_full.d.next = false;
            } else {
                self.front.d.next = self.in_data.val();
                self.front_full.d.next = self.push.val();
            }
        } else {
            if self.push.val() {
                self.back.d.next = self.in_data.val();
                self.back_full.d.next = true;
            }
        }
        if self.reset.val() {
            self.front_full.d.next = false;
            self.back_full.d.next = false;
        }
    }
}
