//! Two narrow elements to one wide one.

use rust_hdl::prelude::*;

/// Joins every two `N`-bit elements to one of `W` = 2·`N` bits, the first in the low half.
///
/// Takes one narrow element per cycle while the wide ones are taken at once. The wide element is there in the cycle
/// in which its second half arrives (latency 0), so `out_valid` depends on `in_valid` and `in_ready` on `out_ready`.
#[derive(LogicBlock)]
pub struct Pair<const N: usize, const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets a half that waits for its other.
    pub reset: Signal<In, Bit>,
    /// Narrow element.
    pub in_data: Signal<In, Bits<N>>,
    /// `in_data` is an element.
    pub in_valid: Signal<In, Bit>,
    /// The element is taken.
    pub in_ready: Signal<Out, Bit>,
    /// Wide element.
    pub out_data: Signal<Out, Bits<W>>,
    /// `out_data` is an element.
    pub out_valid: Signal<Out, Bit>,
    /// The wide element is taken.
    pub out_ready: Signal<In, Bit>,
    low: DFF<Bits<N>>,
    low_full: DFF<Bit>,
    width: Constant<Bits<16>>,
}

impl<const N: usize, const W: usize> Default for Pair<N, W> {
    fn default() -> Self {
        assert_eq!(W, 2 * N, "the wide element of a Pair is twice the narrow one");
        Self {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            low: Default::default(),
            low_full: Default::default(),
            width: Constant::new(N.to_bits()),
        }
    }
}

impl<const N: usize, const W: usize> Logic for Pair<N, W> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, low, low_full);
        self.out_data.next =
            (bit_cast::<W, N>(self.in_data.val()) << self.width.val()) | bit_cast::<W, N>(self.low.q.val());
        self.out_valid.next = self.low_full.q.val() & self.in_valid.val();
        self.in_ready.next = !self.low_full.q.val() | self.out_ready.val();
        if self.in_valid.val() & !self.low_full.q.val() {
            self.low.d.next = self.in_data.val();
            self.low_full.d.next = true;
        }
        if self.in_valid.val() & self.low_full.q.val() & self.out_ready.val() {
            self.low_full.d.next = false;
        }
        if self.reset.val() {
            self.low_full.d.next = false;
        }
    }
}
