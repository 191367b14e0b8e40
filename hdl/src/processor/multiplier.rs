//! The digit-serial multiplier.

use super::step::{DIGIT_BITS, DIGITS, LATE_STAGE, STEP_CYCLES, Step};
use super::{Moduli, SlotMemory};
use rust_hdl::prelude::*;

/// A Montgomery multiplier that takes b a digit at a time: 33 products of 16 × 16 bits, which give a product every
/// [`SerialMultiplier::INTERVAL`] cycles, [`SerialMultiplier::LATENCY`] cycles behind its operands.
///
/// The loop over the digits is a ring of [`STEP_CYCLES`] stages ([`step`](super::step::step)) with as many products in it.
/// A product goes round it 16 times, and then the slot is free for just the product that begins then. Operands wait in
/// small memories, by slot: so the ring carries nothing but the sum.
///
/// Nothing stalls and nothing is reset: each multiplier of a bank takes what is at its operands when the bank's `phase` is
/// its own, and gives what is in its limbs when it is due.
#[derive(LogicBlock)]
pub struct SerialMultiplier {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// A counter from 0 to 15 and again.
    pub phase: Signal<In, Bits<4>>,
    /// First operand. a·b is below p·2^256 where both are below 2p.
    pub a: Signal<In, Bits<256>>,
    /// Second operand.
    pub b: Signal<In, Bits<256>>,
    /// The field's flag, see [`Moduli`].
    pub second: Signal<In, Bit>,
    /// Limbs of the product, lowest first, of 18 bits each and 16 bits apart, together below 2p; zero in cycles in which none is due (a
    /// register).
    pub limbs: Signal<Out, Bits<288>>,
    step: Step,
    factors: SlotMemory<256>,
    lows: SlotMemory<17>,
    scanned: SlotMemory<256>,
    slot: DFF<Bits<4>>,
    next_slot: DFF<Bits<4>>,
    fresh: DFF<Bit>,
    clear: DFF<Bit>,
    digits: DFF<Bits<28>>,
    digit: DFF<Bits<16>>,
    low: DFF<Bits<16>>,
    second_now: DFF<Bit>,
    slot1: DFF<Bits<4>>,
    slot2: DFF<Bits<4>>,
    slot3: DFF<Bits<4>>,
    factor: DFF<Bits<256>>,
    given: DFF<Bits<288>>,
    index: Signal<Local, Bits<4>>,
    index_next: Signal<Local, Bits<4>>,
    passed: Signal<Local, Bits<8>>,
    rest: Signal<Local, Bits<256>>,
    starts: Signal<Local, Bit>,
    begins: Constant<Bits<4>>,
    ends: Constant<Bits<4>>,
}

impl SerialMultiplier {
    /// Cycles from one product's operands to the next one's.
    pub const INTERVAL: usize = DIGITS;

    /// Cycles from the one in which operands are taken to the one in which their product's limbs are there.
    pub const LATENCY: usize = 2 + DIGITS * STEP_CYCLES + 1;

    /// A multiplier that takes operands when the phase is `begin`.
    pub fn new(moduli: Moduli, begin: usize) -> SerialMultiplier {
        // The last step ends LATENCY − 1 cycles behind the operands.
        let end = (begin + Self::LATENCY - 1) % DIGITS;
        SerialMultiplier {
            clock: Default::default(),
            phase: Default::default(),
            a: Default::default(),
            b: Default::default(),
            second: Default::default(),
            limbs: Default::default(),
            step: Step::new(moduli),
            factors: Default::default(),
            lows: Default::default(),
            scanned: Default::default(),
            slot: Default::default(),
            next_slot: Default::default(),
            fresh: Default::default(),
            clear: Default::default(),
            digits: Default::default(),
            digit: Default::default(),
            low: Default::default(),
            second_now: Default::default(),
            slot1: Default::default(),
            slot2: Default::default(),
            slot3: Default::default(),
            factor: Default::default(),
            given: Default::default(),
            index: Default::default(),
            index_next: Default::default(),
            passed: Default::default(),
            rest: Default::default(),
            starts: Default::default(),
            begins: Constant::new(begin.to_bits()),
            ends: Constant::new(end.to_bits()),
        }
    }
}

// Wired below: a comes three cycles behind the digit, digits are 16 of 16 bits, and the ring has seven stages.
const _: () = assert!(LATE_STAGE == 3 && DIGIT_BITS == 16 && STEP_CYCLES == 7);

impl Logic for SerialMultiplier {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, slot, next_slot, fresh, clear, digits, digit, low, second_now);
        dff_setup!(self, clock, slot1, slot2, slot3, factor, given);
        clock!(self, clock, step, factors, lows, scanned);

        // The slot whose operands are looked up for the ring's head, and the one behind it.
        self.next_slot.d.next = self.next_slot.q.val() + 1;
        if self.next_slot.q.val() >= 6 {
            self.next_slot.d.next = 0.into();
        }
        self.slot.d.next = self.next_slot.q.val();

        // Operands go to the slot that is looked up in the next cycle, for the first time then.
        self.starts.next = self.phase.val() == self.begins.val();
        self.fresh.d.next = self.starts.val();
        self.factors.write_address.next = self.next_slot.q.val();
        self.lows.write_address.next = self.next_slot.q.val();
        self.scanned.write_address.next = self.next_slot.q.val();
        self.factors.write_data.next = self.a.val();
        self.lows.write_data.next = bit_cast::<17, 16>(self.a.val().get_bits::<16>(0));
        if self.second.val() {
            self.lows.write_data.next = self.lows.write_data.val().replace_bit(16, true);
        }
        self.scanned.write_data.next = self.b.val();
        self.factors.write_enable.next = self.starts.val();
        self.lows.write_enable.next = self.starts.val();
        self.scanned.write_enable.next = self.starts.val();

        // Look-up: the digit's number goes round as the sum does.
        self.index.next = self.digits.q.val().get_bits::<4>(24);
        if self.fresh.q.val() {
            self.index.next = 0.into();
        }
        self.index_next.next = self.index.val() + 1;
        self.digits.d.next = (self.digits.q.val() << 4) | bit_cast::<28, 4>(self.index_next.val());
        self.lows.read_address.next = self.slot.q.val();
        self.scanned.read_address.next = self.slot.q.val();
        self.passed.next = bit_cast::<8, 4>(self.index.val()) << 4;
        self.rest.next = self.scanned.read_data.val() >> self.passed.val();
        self.digit.d.next = self.rest.val().get_bits::<16>(0);
        self.low.d.next = self.lows.read_data.val().get_bits::<16>(0);
        self.second_now.d.next = self.lows.read_data.val().get_bit(16);
        self.clear.d.next = self.fresh.q.val();
        self.slot1.d.next = self.slot.q.val();
        self.slot2.d.next = self.slot1.q.val();
        self.slot3.d.next = self.slot2.q.val();
        self.factors.read_address.next = self.slot3.q.val();
        self.factor.d.next = self.factors.read_data.val();

        // The ring.
        self.step.t.next = self.step.t_next.val();
        self.step.clear.next = self.clear.q.val();
        self.step.low.next = self.low.q.val();
        self.step.digit.next = self.digit.q.val();
        self.step.second.next = self.second_now.q.val();
        self.step.a.next = self.factor.q.val();

        self.given.d.next = 0.into();
        if self.phase.val() == self.ends.val() {
            self.given.d.next = self.step.t_next.val();
        }
        self.limbs.next = self.given.q.val();
    }
}
