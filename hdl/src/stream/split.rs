//! One wide element to two narrow ones.

use rust_hdl::prelude::*;

/// Cuts every element of `W` = 2·`N` bits into two of `N` bits, the low half first.
///
/// Gives one narrow element per cycle while they are taken at once. The low half is there in the cycle in which the
/// wide element arrives (latency 0), which is taken with its high half; so `out_valid` depends on `in_valid` and
/// `in_ready` on `out_ready`.
#[derive(LogicBlock)]
pub struct Split<const N: usize, const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets that a low half has been given.
    pub reset: Signal<In, Bit>,
    /// Wide element.
    pub in_data: Signal<In, Bits<W>>,
    /// `in_data` is an element.
    pub in_valid: Signal<In, Bit>,
    /// The wide element is taken.
    pub in_ready: Signal<Out, Bit>,
    /// Narrow element.
    pub out_data: Signal<Out, Bits<N>>,
    /// `out_data` is an element.
    pub out_valid: Signal<Out, Bit>,
    /// The element is taken.
    pub out_ready: Signal<In, Bit>,
    high_half: DFF<Bit>,
    shifted: Signal<Local, Bits<W>>,
    width: Constant<Bits<16>>,
}

impl<const N: usize, const W: usize> Default for Split<N, W> {
    fn default() -> Self {
        assert_eq!(W, 2 * N, "the wide element of a Split is twice the narrow one");
        Self {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            high_half: Default::default(),
            shifted: Default::default(),
            width: Constant::new(N.to_bits()),
        }
    }
}

impl<const N: usize, const W: usize> Logic for Split<N, W> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, high_half);
        self.shifted.next = self.in_data.val();
        if self.high_half.q.val() {
            self.shifted.next = self.in_data.val() >> self.width.val();
        }
        self.out_data.next = self.shifted.val().get_bits::<N>(0);
        self.out_valid.next = self.in_valid.val();
        self.in_ready.next = self.high_half.q.val() & self.out_ready.val();
        if self.in_valid.val() & self.out_ready.val() {
            self.high_half.d.next = !self.high_half.q.val();
        }
        if self.reset.val() {
            self.high_half.d.next = false;
        }
    }
}
