//! What depends on a job's choice of window bits, as multiplexers.

use crate::datapath::{Datapath, Wire};

/// The option of number `index`; all have the same width. An index past the last gives any of them.
pub(super) fn choose(path: &Datapath, index: Wire, options: &[Wire]) -> Wire {
    let mut level = options.to_vec();
    let mut index_bit = 0;
    while level.len() > 1 {
        let select = path.bit(index, index_bit);
        let pick = |pair: &[Wire]| match pair {
            [low, high] => path.mux(select, *high, *low),
            rest => rest[0],
        };
        level = level.chunks(2).map(pick).collect();
        index_bit += 1;
    }
    level[0]
}

/// The or of all options, which have the same width: a balanced tree.
pub(super) fn any_of(path: &Datapath, options: &[Wire]) -> Wire {
    let mut level = options.to_vec();
    while level.len() > 1 {
        let pair_up = |pair: &[Wire]| match pair {
            [a, b] => path.or(*a, *b),
            rest => rest[0],
        };
        level = level.chunks(2).map(pair_up).collect();
    }
    level[0]
}

/// The option whose bit of `hot` is one, or zero where none is: no option waits for another's number to be decoded.
pub(super) fn choose_hot(path: &Datapath, hot: Wire, options: &[Wire]) -> Wire {
    let zero = path.constant(0u32, options[0].width());
    let gate = |(index, option): (usize, &Wire)| path.mux(path.bit(hot, index), *option, zero);
    any_of(path, &options.iter().enumerate().map(gate).collect::<Vec<_>>())
}

/// The number of the one bit that is set, `width` bits wide; zero where none is.
pub(super) fn number_of(path: &Datapath, hot: Wire, width: usize) -> Wire {
    let of_bit = |bit: usize| {
        let ones: Vec<Wire> = (0..hot.width())
            .filter(|index| index >> bit & 1 == 1)
            .map(|index| path.bit(hot, index))
            .collect();
        if ones.is_empty() { path.constant(0u32, 1) } else { any_of(path, &ones) }
    };
    path.concat(&(0..width).map(of_bit).collect::<Vec<_>>())
}

/// A set's lowest bit alone; the rest; and whether the rest is empty.
pub(super) fn lowest(path: &Datapath, set: Wire) -> (Wire, Wire, Wire) {
    let width = set.width();
    let below = path.slice(path.subtract(set, path.constant(1u32, width)), 0, width);
    let rest = path.and(set, below);
    let empty = path.equal(rest, path.constant(0u32, width));
    (path.and(set, path.not(below)), rest, empty)
}
