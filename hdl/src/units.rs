//! The units that are synthesised and counted on their own, by name.

use crate::curve::{Curve, complete_adder};
use crate::datapath::{DatapathConfig, Module};
use crate::field::{Prime, field_unit, montgomery_multiplier};
use std::rc::Rc;
use std::str::FromStr;

/// Width of the tag that travels through an adder synthesised on its own: a bucket address of the widest window.
const TAG_BITS: usize = 20;

/// A unit of the card that stands on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// The Montgomery multiplier of one field.
    MontgomeryMultiplier,
    /// The complete projective point adder.
    CompleteAdder,
    /// The unit behind field vector commands, both fields.
    FieldUnit,
}

/// No unit has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no unit {name}: units are {known}", known = Unit::names().join(", "))]
pub struct UnknownUnit {
    /// What was asked for.
    pub name: String,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 3] = [Unit::MontgomeryMultiplier, Unit::CompleteAdder, Unit::FieldUnit];

    /// The unit's name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Unit::MontgomeryMultiplier => "mont_mul",
            Unit::CompleteAdder => "complete_adder",
            Unit::FieldUnit => "field_unit",
        }
    }

    /// The names of all units.
    pub fn names() -> [&'static str; 3] {
        Unit::ALL.map(Unit::name)
    }

    /// The unit as a pipeline of this shape. `prime` is the field of a unit that has one; the others ignore it.
    pub fn module(self, prime: Prime, config: &DatapathConfig) -> Rc<Module> {
        match self {
            Unit::MontgomeryMultiplier => montgomery_multiplier(prime, config),
            Unit::CompleteAdder => complete_adder(Curve::Bn254, config, TAG_BITS),
            Unit::FieldUnit => field_unit(config),
        }
    }
}

impl FromStr for Unit {
    type Err = UnknownUnit;

    fn from_str(name: &str) -> Result<Unit, UnknownUnit> {
        Unit::ALL
            .into_iter()
            .find(|unit| unit.name() == name)
            .ok_or_else(|| UnknownUnit { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_units() {
        for unit in Unit::ALL {
            assert_eq!(unit.name().parse(), Ok(unit));
        }
        let error = "multiplier".parse::<Unit>().unwrap_err().to_string();
        assert!(error.contains("multiplier") && error.contains("mont_mul, complete_adder"), "{error}");
    }

    #[test]
    fn every_unit_is_emitted_under_the_name_of_its_top_module() {
        for unit in Unit::ALL {
            let module = unit.module(Prime::Fr, &DatapathConfig::ultrascale());
            let emitted = module.emitted();
            assert!(emitted.verilog.contains(&format!("module {} (", emitted.top)), "{}", unit.name());
            assert!(emitted.port("clock").is_some(), "{} is a pipeline", unit.name());
            assert!(module.statistics().multiplier_tiles > 0, "{}", unit.name());
        }
    }
}
