//! Slices, logic, and exact addition and subtraction in chunks.

use super::graph::{Datapath, Kind, Wire};

impl Datapath {
    /// Bits `lsb` to `lsb + width − 1`.
    pub fn slice(&self, wire: Wire, lsb: usize, width: usize) -> Wire {
        assert!(
            width > 0 && lsb + width <= wire.width(),
            "{}: bits {lsb}..{} of a wire of {} bits",
            self.name(),
            lsb + width,
            wire.width()
        );
        if width == wire.width() {
            return wire;
        }
        // Bits of a concatenation are taken from the part they come from, in the stage where that part is there:
        // so an addition begins with the low chunks of a sum while its high chunks are still being computed.
        if let Some(parts) = self.parts_of(wire) {
            let mut at = 0;
            let mut taken = Vec::new();
            for part in parts {
                let (from, to) = (lsb.max(at), (lsb + width).min(at + part.width()));
                if from < to {
                    taken.push(self.slice(part, from - at, to - from));
                }
                at += part.width();
            }
            return self.concat(&taken);
        }
        let (stage, depth) = self.place(&mut [wire], 0);
        self.push(Kind::Slice { source: wire.node, lsb }, width, stage, depth)
    }

    /// One bit.
    pub fn bit(&self, wire: Wire, index: usize) -> Wire {
        self.slice(wire, index, 1)
    }

    /// The parts side by side, lowest first.
    pub fn concat(&self, parts: &[Wire]) -> Wire {
        assert!(!parts.is_empty(), "{}: a concatenation of nothing", self.name());
        if let [part] = parts {
            return *part;
        }
        let mut aligned = parts.to_vec();
        let width = parts.iter().map(|part| part.width()).sum();
        let (stage, depth) = self.place(&mut aligned, 0);
        let nodes = aligned.iter().map(|part| part.node).collect();
        let wire = self.push(Kind::Concat(nodes), width, stage, depth);
        self.remember_parts(wire, parts);
        wire
    }

    /// The value in a wider wire.
    pub fn extend(&self, wire: Wire, width: usize) -> Wire {
        assert!(width >= wire.width(), "{}: {} bits extended to {width}", self.name(), wire.width());
        if width == wire.width() {
            return wire;
        }
        let zero = self.constant(0u32, width - wire.width());
        self.concat(&[wire, zero])
    }

    /// The low `width` bits, or the value extended to that width.
    pub fn resize(&self, wire: Wire, width: usize) -> Wire {
        if width <= wire.width() { self.slice(wire, 0, width) } else { self.extend(wire, width) }
    }

    fn logic(&self, a: Wire, b: Wire, kind: impl Fn(usize, usize) -> Kind, width: usize) -> Wire {
        assert_eq!(a.width(), b.width(), "{}: logic on operands of different widths", self.name());
        let mut operands = [a, b];
        let (stage, depth) = self.place(&mut operands, 1);
        self.push(kind(operands[0].node, operands[1].node), width, stage, depth)
    }

    /// Bitwise and.
    pub fn and(&self, a: Wire, b: Wire) -> Wire {
        self.logic(a, b, Kind::And, a.width())
    }

    /// Bitwise or.
    pub fn or(&self, a: Wire, b: Wire) -> Wire {
        self.logic(a, b, Kind::Or, a.width())
    }

    /// Bitwise exclusive or.
    pub fn xor(&self, a: Wire, b: Wire) -> Wire {
        self.logic(a, b, Kind::Xor, a.width())
    }

    /// One bit: whether two values are equal.
    pub fn equal(&self, a: Wire, b: Wire) -> Wire {
        self.logic(a, b, Kind::Equal, 1)
    }

    /// Bitwise complement.
    pub fn not(&self, a: Wire) -> Wire {
        let mut operands = [a];
        let (stage, depth) = self.place(&mut operands, 0);
        self.push(Kind::Not(operands[0].node), a.width(), stage, depth)
    }

    /// `high` where the bit `select` is one, else `low`.
    pub fn mux(&self, select: Wire, high: Wire, low: Wire) -> Wire {
        assert_eq!(select.width(), 1, "{}: a multiplexer selected by more than a bit", self.name());
        assert_eq!(high.width(), low.width(), "{}: a multiplexer of different widths", self.name());
        let width = low.width();
        let mut operands = [select, high, low];
        let (stage, depth) = self.place(&mut operands, 1);
        let [select, high, low] = operands.map(|wire| wire.node);
        self.push(Kind::Mux { select, high, low }, width, stage, depth)
    }

    /// Exact sum, one bit wider than the wider operand.
    pub fn add(&self, a: Wire, b: Wire) -> Wire {
        let width = a.width().max(b.width());
        if self.is_zero(b) {
            return self.extend(a, width + 1);
        }
        if self.is_zero(a) {
            return self.extend(b, width + 1);
        }
        self.chunked(a, b, width, |a, b, carry| Kind::Add { a, b, carry })
    }

    /// a + b + carry in one carry chain, a bit wider than the operands, which have one width; `carry` is one bit.
    pub fn add_with_carry(&self, a: Wire, b: Wire, carry: Wire) -> Wire {
        assert!(a.width() == b.width() && carry.width() == 1, "{}: an addition of other widths", self.name());
        let mut operands = [a, b, carry];
        let (stage, depth) = self.place(&mut operands, 1);
        let [low, high, carry] = operands.map(|wire| wire.node);
        self.push(Kind::Add { a: low, b: high, carry: Some(carry) }, a.width() + 1, stage, depth)
    }

    /// Difference modulo 2^width and, as the top bit, whether it was negative: one bit wider than the wider
    /// operand.
    pub fn subtract(&self, a: Wire, b: Wire) -> Wire {
        let width = a.width().max(b.width());
        self.chunked(a, b, width, |a, b, borrow| Kind::Subtract { a, b, borrow })
    }

    /// One bit: whether a < b.
    pub fn below(&self, a: Wire, b: Wire) -> Wire {
        let difference = self.subtract(a, b);
        self.bit(difference, difference.width() - 1)
    }

    /// Cuts a carry chain into chunks, each in its own level; the chunk's carry feeds the next one.
    fn chunked(
        &self,
        a: Wire,
        b: Wire,
        width: usize,
        kind: impl Fn(usize, usize, Option<usize>) -> Kind,
    ) -> Wire {
        let (a, b) = (self.extend(a, width), self.extend(b, width));
        let mut parts = Vec::new();
        let mut carry: Option<Wire> = None;
        let mut lsb = 0;
        while lsb < width {
            let bits = self.config().chunk_bits.min(width - lsb);
            let mut operands = vec![self.slice(a, lsb, bits), self.slice(b, lsb, bits)];
            operands.extend(carry);
            let (stage, depth) = self.place(&mut operands, 1);
            let carry_in = operands.get(2).map(|wire| wire.node);
            let sum = self.push(kind(operands[0].node, operands[1].node, carry_in), bits + 1, stage, depth);
            parts.push(self.slice(sum, 0, bits));
            carry = Some(self.slice(sum, bits, 1));
            lsb += bits;
        }
        parts.extend(carry);
        self.concat(&parts)
    }
}
