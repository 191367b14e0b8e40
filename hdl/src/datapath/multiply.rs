//! Products of wide operands: tiles of the part's own multiplier size, Karatsuba's splitting above them, and the
//! sum of the partial products.
//!
//! Karatsuba and Ofman, "Multiplication of multidigit numbers on automata" (1962): three half-size products
//! instead of four.

use super::graph::{Datapath, Kind, Wire};

/// A partial result: `wire`·2^`lsb`.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// The value.
    pub wire: Wire,
    /// Its place.
    pub lsb: usize,
}

impl Term {
    fn end(&self) -> usize {
        self.lsb + self.wire.width()
    }
}

impl Datapath {
    /// Exact product of a.width() + b.width() bits.
    pub fn multiply(&self, a: Wire, b: Wire) -> Wire {
        self.karatsuba(a, b, self.config().karatsuba_levels)
    }

    /// The product modulo 2^width; tiles that lie above are not built.
    pub fn multiply_low(&self, a: Wire, b: Wire, width: usize) -> Wire {
        self.schoolbook(a, b, width)
    }

    fn karatsuba(&self, a: Wire, b: Wire, levels: usize) -> Wire {
        let width = a.width() + b.width();
        let half = a.width().max(b.width()).div_ceil(2);
        if levels == 0 || a.width() <= half || b.width() <= half {
            return self.schoolbook(a, b, width);
        }
        let split = |x: Wire| (self.slice(x, 0, half), self.slice(x, half, x.width() - half));
        let ((a0, a1), (b0, b1)) = (split(a), split(b));
        let low = self.karatsuba(a0, b0, levels - 1);
        let high = self.karatsuba(a1, b1, levels - 1);
        let cross = self.karatsuba(self.add(a0, a1), self.add(b0, b1), levels - 1);
        // a0·b1 + a1·b0 is never negative, so the two borrows are both zero.
        let middle = self.subtract(cross, self.add(low, high));
        let middle = self.slice(middle, 0, cross.width());
        self.sum(
            vec![
                Term { wire: low, lsb: 0 },
                Term { wire: high, lsb: 2 * half },
                Term { wire: middle, lsb: half },
            ],
            width,
        )
    }

    fn schoolbook(&self, a: Wire, b: Wire, width: usize) -> Wire {
        self.sum(self.tiles(a, b, 0, width), width)
    }

    /// The partial products that reach above bit `from` and begin below bit `width`.
    pub(super) fn tiles(&self, a: Wire, b: Wire, from: usize, width: usize) -> Vec<Term> {
        let [tall, wide] = self.config().tile;
        let mut terms = Vec::new();
        for (at_a, part_a) in self.parts(a, tall) {
            for (at_b, part_b) in self.parts(b, wide) {
                let lsb = at_a + at_b;
                if lsb < width && lsb + part_a.width() + part_b.width() > from {
                    let tile = self.tile(part_a, part_b);
                    let kept = tile.width().min(width - lsb);
                    terms.push(Term { wire: self.slice(tile, 0, kept), lsb });
                }
            }
        }
        terms
    }

    fn parts(&self, wire: Wire, bits: usize) -> Vec<(usize, Wire)> {
        let starts = (0..wire.width()).step_by(bits);
        starts.map(|lsb| (lsb, self.slice(wire, lsb, bits.min(wire.width() - lsb)))).collect()
    }

    /// One hardware multiplier.
    fn tile(&self, a: Wire, b: Wire) -> Wire {
        let mut operands = [a, b];
        let width = a.width() + b.width();
        let stages = self.config().tile_stages;
        let (stage, depth) = if stages == 0 {
            self.place(&mut operands, 1)
        } else {
            (Some(self.registered(&mut operands)), 1)
        };
        let [a, b] = operands.map(|wire| wire.node);
        let product = self.push(Kind::Multiply { a, b }, width, stage, depth);
        match stage {
            Some(stage) => self.at(product, stage + stages),
            None => product,
        }
    }

    /// The sum of terms, known to be below 2^width: terms that do not overlap share a row, rows are added in a
    /// balanced tree.
    pub fn sum(&self, mut terms: Vec<Term>, width: usize) -> Wire {
        terms.sort_by_key(|term| (self.stage(term.wire), term.lsb));
        let mut rows: Vec<Vec<Term>> = Vec::new();
        for term in terms {
            let fits = |row: &&mut Vec<Term>| {
                row.iter().all(|other| other.end() <= term.lsb || term.end() <= other.lsb)
                    && row.iter().all(|other| self.stage(other.wire) == self.stage(term.wire))
            };
            match rows.iter_mut().find(fits) {
                Some(row) => row.push(term),
                None => rows.push(vec![term]),
            }
        }
        let mut sums: Vec<Term> = rows.into_iter().map(|row| self.row(row)).collect();
        while sums.len() > 1 {
            // Those that are ready first, and lie closest, are added first.
            sums.sort_by_key(|term| (self.stage(term.wire), term.lsb));
            let mut next = Vec::with_capacity(sums.len().div_ceil(2));
            for pair in sums.chunks(2) {
                next.push(match pair {
                    [a, b] => self.add_terms(*a, *b, width),
                    rest => rest[0],
                });
            }
            sums = next;
        }
        let total = sums.pop().unwrap_or_else(|| Term { wire: self.constant(0u32, width), lsb: 0 });
        let placed = if total.lsb == 0 {
            total.wire
        } else {
            self.concat(&[self.constant(0u32, total.lsb), total.wire])
        };
        self.resize(placed, width)
    }

    /// (Σ added − Σ subtracted) / 2^cut, rounded down, of a total that is not negative and below 2^width, given the
    /// bits of the total just below the cut, `known`: what lies below those is not computed at all.
    ///
    /// Cutting the terms off below `known` loses less than one unit of its lowest bit for each term cut; the total
    /// is the only number in that range that ends in `known`, provided that there are at most 2^known.width() such
    /// terms.
    pub fn sum_above(
        &self,
        added: &[Term],
        subtracted: &[Term],
        cut: usize,
        known: Wire,
        width: usize,
    ) -> Wire {
        let base = cut - known.width();
        let width = width - base;
        let truncate = |terms: &[Term]| -> (Vec<Term>, usize) {
            let kept = terms.iter().filter(|term| term.end() > base).map(|term| {
                let below = base.saturating_sub(term.lsb);
                let wire = self.slice(term.wire, below, term.wire.width() - below);
                Term { wire, lsb: term.lsb + below - base }
            });
            (kept.collect(), terms.iter().filter(|term| term.lsb < base).count())
        };
        let ((added, lost), (mut subtracted, gained)) = (truncate(added), truncate(subtracted));
        assert!(
            lost + gained <= 1 << known.width(),
            "{}: {} terms are cut, too many for {} known bits",
            self.name(),
            lost + gained,
            known.width()
        );
        // At most the total: what the cut subtrahends may have lost is taken off too.
        let mut least = self.sum(added, width);
        if gained > 0 {
            subtracted.push(Term { wire: self.constant(gained, width), lsb: 0 });
        }
        if !subtracted.is_empty() {
            let difference = self.subtract(least, self.sum(subtracted, width));
            least = self.slice(difference, 0, width);
        }
        let missing = self.subtract(known, self.slice(least, 0, known.width()));
        let missing = self.slice(missing, 0, known.width());
        let total = self.add(least, missing);
        self.slice(total, known.width(), width - known.width())
    }

    /// a·b / 2^cut, rounded down, given the bits of the product just below the cut; see [`Datapath::sum_above`].
    pub fn multiply_above(&self, a: Wire, b: Wire, cut: usize, known: Wire) -> Wire {
        let width = a.width() + b.width();
        let tiles = self.tiles(a, b, cut - known.width(), width);
        self.sum_above(&tiles, &[], cut, known, width)
    }

    /// Terms that do not overlap, in one wire.
    fn row(&self, mut terms: Vec<Term>) -> Term {
        terms.sort_by_key(|term| term.lsb);
        let first = terms[0].lsb;
        let mut parts = Vec::new();
        let mut at = first;
        for term in terms {
            if term.lsb > at {
                parts.push(self.constant(0u32, term.lsb - at));
            }
            parts.push(term.wire);
            at = term.end();
        }
        Term { wire: self.concat(&parts), lsb: first }
    }

    /// Adds where the terms overlap; the lower bits pass.
    fn add_terms(&self, a: Term, b: Term, width: usize) -> Term {
        let (low, high) = if a.lsb <= b.lsb { (a, b) } else { (b, a) };
        if high.lsb >= low.end() {
            return self.row(vec![low, high]);
        }
        let shift = high.lsb - low.lsb;
        let overlap = self.slice(low.wire, shift, low.wire.width() - shift);
        let sum = self.add(overlap, high.wire);
        let sum = self.slice(sum, 0, sum.width().min(width - high.lsb));
        let wire = if shift == 0 { sum } else { self.concat(&[self.slice(low.wire, 0, shift), sum]) };
        Term { wire, lsb: low.lsb }
    }
}
