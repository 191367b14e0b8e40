//! The point adder as the engine sees it: (point, point, slot) in, (point, slot) out, in any fixed latency.

use crate::datapath::Module;
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of a slot number.
pub const SLOT_BITS: usize = 20;

pipeline_block! {
    /// Hosts an adder pipeline such as [`crate::curve::complete_adder`]. II = 1, no stall, no reset: what is in the
    /// pipe leaves it.
    clocked PointAdder
    inputs {
        /// First point: X, Y, Z of 254 bits, X lowest.
        p: Bits<762>,
        /// Second point.
        q: Bits<762>,
        /// Slot the sum belongs to.
        tag: Bits<20>,
        /// A pair enters.
        valid_in: Bit,
    }
    outputs {
        /// The sum.
        sum: Bits<762>,
        /// Its slot.
        tag_out: Bits<20>,
        /// A sum leaves.
        valid_out: Bit,
    }
}

impl PointAdder {
    /// Hosts an adder whose tag has 20 bits, those of a slot number.
    pub fn new(adder: Rc<Module>) -> PointAdder {
        PointAdder::host(adder)
    }
}
