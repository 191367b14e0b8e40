//! The complete projective adder as a program of a processor.
//!
//! Renes, Costello and Batina (2016), algorithm 7, as in [`complete_adder`](super::complete_adder).

use super::Curve;
use crate::processor::{Moduli, Operand, Processor, Program, SlotMemory, Value};
use rust_hdl::prelude::*;

/// The addition of two points: inputs X1, Y1, Z1, X2, Y2, Z2, outputs X3, Y3, Z3; 12 products.
pub fn addition(curve: Curve) -> Program {
    let mut program = Program::default();
    let [x1, y1, z1, x2, y2, z2] = std::array::from_fn(|_| program.load());
    let program = &mut program;
    let xx = program.multiply(x1, x2);
    let yy = program.multiply(y1, y2);
    let zz = program.multiply(z1, z2);
    // a1·b2 + a2·b1.
    let cross = |program: &mut Program, [a1, b1, a2, b2, aa, bb]: [Value; 6]| {
        let (first, second) = (program.add(a1, b1), program.add(a2, b2));
        let product = program.multiply(first, second);
        let both = program.add(aa, bb);
        program.subtract(product, both)
    };
    let xy = cross(program, [x1, y1, x2, y2, xx, yy]);
    let yz = cross(program, [y1, z1, y2, z2, yy, zz]);
    let xz = cross(program, [x1, z1, x2, z2, xx, zz]);
    let twice = program.add(xx, xx);
    let xx3 = program.add(twice, xx);
    let bzz3 = times_three_b(program, curve, zz);
    let bxz3 = times_three_b(program, curve, xz);
    let plus = program.add(yy, bzz3);
    let minus = program.subtract(yy, bzz3);
    let products = [(xy, minus), (yz, bxz3), (minus, plus), (bxz3, xx3), (plus, yz), (xx3, xy)];
    let [xm, yb, mp, bx, py, xx] = products.map(|(a, b)| program.multiply(a, b));
    let x3 = program.subtract(xm, yb);
    let y3 = program.add(mp, bx);
    let z3 = program.add(py, xx);
    [x3, y3, z3].into_iter().for_each(|coordinate| program.give(coordinate));
    std::mem::take(program)
}

/// 3·b·x: 9·x on BN254, −51·x on Grumpkin.
fn times_three_b(program: &mut Program, curve: Curve, x: Value) -> Value {
    let mut double = |x: Value| program.add(x, x);
    match curve {
        Curve::Bn254 => {
            let two = double(x);
            let four = double(two);
            let eight = double(four);
            program.add(eight, x)
        }
        Curve::Grumpkin => {
            let two = double(x);
            let three = program.add(two, x);
            let mut sum = three;
            for _ in 0..4 {
                sum = program.add(sum, sum);
            }
            let fifty_one = program.add(sum, three);
            program.subtract(Operand::Zero, fifty_one)
        }
    }
}

/// The complete adder on a processor, with the ports of [`PointAdder`](crate::msm::PointAdder).
///
/// A pair is taken in a cycle with `valid_in` and `ready` (a register) and waits there for the next frame. A frame takes a pair
/// every [`SerialAdder::interval`] cycles, and its sum comes [`SerialAdder::latency`] cycles, at most, after the pair was
/// taken; sums come in the order of their pairs. A reset forgets all pairs at once.
#[derive(LogicBlock)]
pub struct SerialAdder {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets what is inside; needed once after power-on.
    pub reset: Signal<In, Bit>,
    /// First point: X, Y, Z of 254 bits, X lowest, Montgomery form, below p.
    pub p: Signal<In, Bits<762>>,
    /// Second point.
    pub q: Signal<In, Bits<762>>,
    /// Slot the sum belongs to.
    pub tag: Signal<In, Bits<20>>,
    /// There is a pair.
    pub valid_in: Signal<In, Bit>,
    /// It is taken (a register).
    pub ready: Signal<Out, Bit>,
    /// The sum (a register).
    pub sum: Signal<Out, Bits<762>>,
    /// Its slot (a register).
    pub tag_out: Signal<Out, Bits<20>>,
    /// A sum leaves (a register).
    pub valid_out: Signal<Out, Bit>,
    processor: Processor,
    tags: SlotMemory<20>,
    held: DFF<Bit>,
    inside: DFF<Bit>,
    held_p: DFF<Bits<762>>,
    held_q: DFF<Bits<762>>,
    held_tag: DFF<Bits<20>>,
    sum_x: DFF<Bits<254>>,
    sum_y: DFF<Bits<254>>,
    sum_z: DFF<Bits<254>>,
    sum_tag: DFF<Bits<20>>,
    sum_here: DFF<Bit>,
    coordinate: Signal<Local, Bits<254>>,
    enters: Signal<Local, Bit>,
}

impl SerialAdder {
    /// The adder of a curve with 1, 2, 4 or 8 multipliers.
    pub fn new(curve: Curve, multipliers: usize) -> SerialAdder {
        let name = format!("adder_{}", curve.name());
        SerialAdder {
            clock: Default::default(),
            reset: Default::default(),
            p: Default::default(),
            q: Default::default(),
            tag: Default::default(),
            valid_in: Default::default(),
            ready: Default::default(),
            sum: Default::default(),
            tag_out: Default::default(),
            valid_out: Default::default(),
            processor: Processor::new(
                &name,
                &addition(curve),
                &[],
                Moduli::One(curve.base_field()),
                multipliers,
            ),
            tags: Default::default(),
            held: Default::default(),
            inside: Default::default(),
            held_p: Default::default(),
            held_q: Default::default(),
            held_tag: Default::default(),
            sum_x: Default::default(),
            sum_y: Default::default(),
            sum_z: Default::default(),
            sum_tag: Default::default(),
            sum_here: Default::default(),
            coordinate: Default::default(),
            enters: Default::default(),
        }
    }

    /// Cycles from one pair to the next, when there are pairs all the time.
    pub fn interval(&self) -> usize {
        self.processor.period()
    }

    /// Cycles from the one in which a pair is taken to the one in which its sum is there, at most.
    pub fn latency(&self) -> usize {
        // It waits for a frame to begin; the sum is a register.
        1 + self.processor.period() + self.processor.length() + 1
    }

    /// Pairs that may be inside.
    pub fn capacity(&self) -> usize {
        self.processor.frames() + 1
    }
}

impl Logic for SerialAdder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, inside, held_p, held_q, held_tag, sum_x, sum_y, sum_z, sum_tag);
        dff_setup!(self, clock, sum_here);
        clock!(self, clock, processor, tags);
        self.processor.reset.next = self.reset.val();
        self.processor.kind.next = 0.into();
        self.processor.second.next = false;
        self.processor.base.next = 0.into();

        // The next pair is held until it is in the registers of its frame.
        self.ready.next = !self.held.q.val();
        if self.valid_in.val() & !self.held.q.val() {
            self.held.d.next = true;
            self.held_p.d.next = self.p.val();
            self.held_q.d.next = self.q.val();
            self.held_tag.d.next = self.tag.val();
        }
        self.enters.next = self.processor.begins.val() & self.held.q.val() & !self.inside.q.val();
        self.processor.entering.next = self.enters.val();
        self.processor.leaving.next = self.enters.val();
        if self.enters.val() {
            self.inside.d.next = true;
        }
        self.tags.write_address.next = self.processor.frame.val();
        self.tags.write_data.next = self.held_tag.q.val();
        self.tags.write_enable.next = self.enters.val();
        self.coordinate.next = self.held_p.q.val().get_bits::<254>(0);
        if self.processor.load_number.val() == 1 {
            self.coordinate.next = self.held_p.q.val().get_bits::<254>(254);
        }
        if self.processor.load_number.val() == 2 {
            self.coordinate.next = self.held_p.q.val().get_bits::<254>(508);
        }
        if self.processor.load_number.val() == 3 {
            self.coordinate.next = self.held_q.q.val().get_bits::<254>(0);
        }
        if self.processor.load_number.val() == 4 {
            self.coordinate.next = self.held_q.q.val().get_bits::<254>(254);
        }
        if self.processor.load_number.val() == 5 {
            self.coordinate.next = self.held_q.q.val().get_bits::<254>(508);
        }
        self.processor.load_data.next = bit_cast::<256, 254>(self.coordinate.val());
        if self.processor.load.val() & self.inside.q.val() & (self.processor.load_number.val() == 5) {
            self.held.d.next = false;
            self.inside.d.next = false;
        }

        // The sum's coordinates come one by one.
        self.tags.read_address.next = self.processor.store_frame.val();
        self.sum_here.d.next = false;
        if self.processor.store.val() {
            self.sum_tag.d.next = self.tags.read_data.val();
            if self.processor.store_number.val() == 0 {
                self.sum_x.d.next = self.processor.store_data.val().get_bits::<254>(0);
            }
            if self.processor.store_number.val() == 1 {
                self.sum_y.d.next = self.processor.store_data.val().get_bits::<254>(0);
            }
            if self.processor.store_number.val() == 2 {
                self.sum_z.d.next = self.processor.store_data.val().get_bits::<254>(0);
                self.sum_here.d.next = true;
            }
        }
        self.sum.next = bit_cast::<762, 254>(self.sum_x.q.val())
            | (bit_cast::<762, 254>(self.sum_y.q.val()) << 254)
            | (bit_cast::<762, 254>(self.sum_z.q.val()) << 508);
        self.tag_out.next = self.sum_tag.q.val();
        self.valid_out.next = self.sum_here.q.val();

        if self.reset.val() {
            self.held.d.next = false;
            self.inside.d.next = false;
            self.sum_here.d.next = false;
        }
    }
}
