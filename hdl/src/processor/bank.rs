//! Digit-serial multipliers side by side.

use super::step::{DIGIT_BITS, DIGITS, LIMB_BITS};
use super::{Moduli, SerialMultiplier};
use crate::datapath::{Datapath, DatapathConfig, Module, Term, Wire};
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// The shape of what stands around the multipliers: a carry chain of 64 bits in a cycle.
pub(super) fn chunked() -> DatapathConfig {
    DatapathConfig {
        tile: [DIGIT_BITS, DIGIT_BITS],
        karatsuba_levels: 0,
        chunk_bits: 64,
        levels_per_stage: 1,
        tile_stages: 2,
        constant_products: Default::default(),
        multipliers: Default::default(),
    }
}

/// A product of its limbs: input `limbs`, output `product`, 256 bits.
fn carry() -> Rc<Module> {
    let path = Datapath::new("serial_carry", &chunked());
    let limbs = path.input("limbs", DIGITS * LIMB_BITS);
    let part = |index: usize, from: usize, bits: usize| path.slice(limbs, index * LIMB_BITS + from, bits);
    let digits: Vec<Wire> = (0..DIGITS).map(|index| part(index, 0, DIGIT_BITS)).collect();
    let mut terms = vec![Term { wire: path.concat(&digits), lsb: 0 }];
    // The product is below 2^255: the highest limb has no carry.
    terms.extend((0..DIGITS - 1).map(|index| Term {
        wire: part(index, DIGIT_BITS, LIMB_BITS - DIGIT_BITS),
        lsb: (index + 1) * DIGIT_BITS,
    }));
    let product = path.sum(terms, DIGITS * DIGIT_BITS);
    Rc::new(path.finish(&[("product", product)]))
}

pipeline_block! {
    /// Hosts the addition of the limbs' carries. No reset.
    clocked Carry
    inputs {
        /// Limbs of 18 bits, lowest first, 16 bits apart.
        limbs: Bits<288>,
    }
    outputs {
        /// Their sum.
        product: Bits<256>,
    }
}

/// 1, 2, 4 or 8 multipliers that take turns: operands every 16 / n cycles, products as often, [`SerialBank::latency`]
/// cycles behind them. Nothing stalls. What is taken is a matter of the clock only: the first time in the
/// [`SerialBank::first`]th cycle after a reset.
#[derive(LogicBlock)]
pub struct SerialBank {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset; products of before it still come.
    pub reset: Signal<In, Bit>,
    /// First operand, Montgomery form, below 2p.
    pub a: Signal<In, Bits<256>>,
    /// Second operand, likewise.
    pub b: Signal<In, Bits<256>>,
    /// The field's flag, see [`Moduli`].
    pub second: Signal<In, Bit>,
    /// The product a·b·2^−256 mod p, below 2p.
    pub product: Signal<Out, Bits<256>>,
    phase: DFF<Bits<4>>,
    multipliers: Vec<SerialMultiplier>,
    carry: Carry,
    limbs: Signal<Local, Bits<288>>,
    start: Constant<Bits<4>>,
    _count: usize,
    _first: usize,
}

impl SerialBank {
    /// A bank of `count` multipliers. It takes operands in every cycle whose number, counted from a reset's last cycle as
    /// −1, is `first` more than a multiple of 16 / `count`.
    ///
    /// # Panics
    ///
    /// When the count is not 1, 2, 4 or 8: an error of the hardware description. A checked profile has no other.
    pub fn new(moduli: Moduli, count: usize, first: usize) -> SerialBank {
        assert!([1, 2, 4, 8].contains(&count), "a bank has 1, 2, 4 or 8 multipliers, not {count}");
        let interval = SerialMultiplier::INTERVAL / count;
        let multipliers = (0..count).map(|index| SerialMultiplier::new(moduli, index * interval)).collect();
        let start = (SerialMultiplier::INTERVAL - first % interval) % SerialMultiplier::INTERVAL;
        SerialBank {
            clock: Default::default(),
            reset: Default::default(),
            a: Default::default(),
            b: Default::default(),
            second: Default::default(),
            product: Default::default(),
            phase: Default::default(),
            multipliers,
            carry: Carry::host(carry()),
            limbs: Default::default(),
            start: Constant::new(start.to_bits()),
            _count: count,
            _first: first % interval,
        }
    }

    /// Cycles from one product's operands to the next one's.
    pub fn interval(&self) -> usize {
        SerialMultiplier::INTERVAL / self._count
    }

    /// Cycles from a product's operands to the product.
    pub fn latency(&self) -> usize {
        SerialMultiplier::LATENCY + self.carry.latency()
    }

    /// The first cycle in which operands are taken, 0 being the one after a reset.
    pub fn first(&self) -> usize {
        self._first
    }
}

impl Logic for SerialBank {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, phase);
        clock!(self, clock, carry);
        self.phase.d.next = self.phase.q.val() + 1;
        if self.reset.val() {
            self.phase.d.next = self.start.val();
        }
        self.limbs.next = 0.into();
        for i in 0..self._count {
            self.multipliers[i].clock.next = self.clock.val();
            self.multipliers[i].phase.next = self.phase.q.val();
            self.multipliers[i].a.next = self.a.val();
            self.multipliers[i].b.next = self.b.val();
            self.multipliers[i].second.next = self.second.val();
            // At most one of them has a product in a cycle.
            self.limbs.next = self.limbs.val() | self.multipliers[i].limbs.val();
        }
        self.carry.limbs.next = self.limbs.val();
        self.product.next = self.carry.product.val();
    }
}
