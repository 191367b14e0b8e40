//! First-in first-out buffer.

use super::Memory;
use rust_hdl::prelude::*;

/// First-word-fall-through FIFO of `W`-bit elements; the depth is chosen at elaboration.
///
/// One element in and one out per cycle, at any filling from one to `depth - 1` both at once; an element can be
/// taken from the cycle after the one in which it was put in (latency 1). `in_ready` and `out_valid` depend on
/// registers only, never on the other side of the FIFO, so no combinational path runs through it.
/// When full it takes nothing in, even if an element leaves in the same cycle.
#[derive(LogicBlock)]
pub struct Fifo<const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Empties the FIFO.
    pub reset: Signal<In, Bit>,
    /// Element to put in.
    pub in_data: Signal<In, Bits<W>>,
    /// `in_data` is an element.
    pub in_valid: Signal<In, Bit>,
    /// There is space for an element.
    pub in_ready: Signal<Out, Bit>,
    /// Oldest element.
    pub out_data: Signal<Out, Bits<W>>,
    /// `out_data` is an element.
    pub out_valid: Signal<Out, Bit>,
    /// The element is taken.
    pub out_ready: Signal<In, Bit>,
    /// Elements inside (a register).
    pub count: Signal<Out, Bits<16>>,
    /// Elements that still fit: depth minus `count`.
    pub space: Signal<Out, Bits<16>>,
    memory: Memory<W>,
    fill: DFF<Bits<16>>,
    read_pointer: DFF<Bits<16>>,
    write_pointer: DFF<Bits<16>>,
    read_next: Signal<Local, Bits<16>>,
    push: Signal<Local, Bit>,
    pop: Signal<Local, Bit>,
    depth: Constant<Bits<16>>,
    last: Constant<Bits<16>>,
}

impl<const W: usize> Fifo<W> {
    /// A FIFO of `depth` elements, 1 to 65,535.
    pub fn new(depth: usize) -> Self {
        assert!((1..=65_535).contains(&depth), "a FIFO has 1 to 65,535 elements, not {depth}");
        Self {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            count: Default::default(),
            space: Default::default(),
            memory: Memory::new(depth),
            fill: Default::default(),
            read_pointer: Default::default(),
            write_pointer: Default::default(),
            read_next: Default::default(),
            push: Default::default(),
            pop: Default::default(),
            depth: Constant::new(depth.to_bits()),
            last: Constant::new((depth - 1).to_bits()),
        }
    }

    /// A FIFO for UltraRAM.
    pub fn large(depth: usize) -> Self {
        Self { memory: Memory::large(depth), ..Self::new(depth) }
    }
}

impl<const W: usize> Logic for Fifo<W> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, fill, read_pointer, write_pointer);
        self.memory.clock.next = self.clock.val();
        self.count.next = self.fill.q.val();
        self.space.next = self.depth.val() - self.fill.q.val();
        self.in_ready.next = self.fill.q.val() != self.depth.val();
        self.out_valid.next = self.fill.q.val() != 0;
        self.push.next = self.in_valid.val() & (self.fill.q.val() != self.depth.val());
        self.pop.next = self.out_ready.val() & (self.fill.q.val() != 0);
        self.read_next.next = self.read_pointer.q.val();
        if self.pop.val() {
            self.read_next.next = self.read_pointer.q.val() + 1;
            if self.read_pointer.q.val() == self.last.val() {
                self.read_next.next = 0.into();
            }
        }
        if self.push.val() {
            self.write_pointer.d.next = self.write_pointer.q.val() + 1;
            if self.write_pointer.q.val() == self.last.val() {
                self.write_pointer.d.next = 0.into();
            }
        }
        if self.push.val() & !self.pop.val() {
            self.fill.d.next = self.fill.q.val() + 1;
        }
        if self.pop.val() & !self.push.val() {
            self.fill.d.next = self.fill.q.val() - 1;
        }
        if self.reset.val() {
            self.fill.d.next = 0.into();
            self.read_next.next = 0.into();
            self.write_pointer.d.next = 0.into();
        }
        self.read_pointer.d.next = self.read_next.val();
        self.memory.read_address.next = self.read_next.val();
        self.memory.write_address.next = self.write_pointer.q.val();
        self.memory.write_data.next = self.in_data.val();
        self.memory.write_enable.next = self.push.val();
        self.out_data.next = self.memory.read_data.val();
    }
}
