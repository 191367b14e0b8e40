//! The field or fields of a processor.

use crate::datapath::{Datapath, Wire};
use crate::field::Prime;
use num_bigint::BigUint;

/// Whose arithmetic a processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moduli {
    /// One field's: its prime is a constant.
    One(Prime),
    /// Both fields': a flag that comes with the operands says whose (0 = Fq, 1 = Fr).
    Both,
}

impl Moduli {
    /// The name in lower case, for module names.
    pub fn name(self) -> &'static str {
        match self {
            Moduli::One(prime) => prime.name(),
            Moduli::Both => "both",
        }
    }

    /// The field that the flag `second` names.
    pub fn prime(self, second: bool) -> Prime {
        match self {
            Moduli::One(prime) => prime,
            Moduli::Both => Prime::ALL[usize::from(second)],
        }
    }

    /// A constant that depends on the field.
    pub(super) fn constant(
        self,
        path: &Datapath,
        second: Wire,
        width: usize,
        of: impl Fn(Prime) -> BigUint,
    ) -> Wire {
        match self {
            Moduli::One(prime) => path.constant(of(prime), width),
            Moduli::Both => {
                let [fq, fr] = Prime::ALL.map(|prime| path.constant(of(prime), width));
                path.mux(second, fr, fq)
            }
        }
    }
}
