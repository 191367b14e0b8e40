//! The units that are synthesised and counted on their own, by name.

use crate::curve::batched::{BATCH_PAIRS, BatchedAdder};
use crate::curve::{Curve, SerialAdder, complete_adder};
use crate::datapath::{DatapathConfig, Module, Statistics};
use crate::emit::{EmitError, Emitted, emit};
use crate::field::{Pace, Prime, SerialFieldUnit, field_unit, montgomery_multiplier};
use crate::msm::{DigitSource, Shape, recoder};
use crate::pcie::{Completer, Endpoint512};
use crate::poseidon::{PoseidonCore, SerialPoseidon};
use crate::processor::{Moduli, SerialBank, linear, step};
use crate::shared_pool::SharedPool;
use rust_hdl::prelude::Block;
use std::rc::Rc;
use std::str::FromStr;

/// Width of the tag that travels through an adder synthesised on its own: a bucket address of the widest window.
const TAG_BITS: usize = 20;

/// Completion time-out of an endpoint synthesised on its own: 50 ms at 250 MHz.
const PCIE_TIMEOUT_CYCLES: u32 = 12_500_000;

/// What a unit is made for, where it has a choice; the others ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitOptions {
    /// The field of a multiplier; of an adder in batches, that of the coordinates.
    pub prime: Prime,
    /// Width of the states of a permutation, one of [`spandrel_poseidon::WIDTHS`].
    pub width: usize,
    /// Lanes of a permutation, 1 to 15.
    pub lanes: usize,
    /// Digit-serial multipliers of a processor, 1, 2, 4 or 8.
    pub multipliers: usize,
}

impl Default for UnitOptions {
    /// The field of BN254's coordinates, one lane for two elements.
    fn default() -> UnitOptions {
        UnitOptions { prime: Prime::Fq, width: 3, lanes: 1, multipliers: 2 }
    }
}

/// A unit of the card that stands on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// The Montgomery multiplier of one field.
    MontgomeryMultiplier,
    /// The complete projective point adder.
    CompleteAdder,
    /// The batched affine point adder, with the largest batches.
    BatchedAffineAdder,
    /// The unit behind field vector commands, both fields.
    FieldUnit,
    /// The source of one core's tokens, of a card with seven cores and windows of 8 to 15 bits.
    DigitSource,
    /// The PCIe endpoint behind streams of 512 bits, without the card.
    PcieEndpoint,
    /// The Poseidon permutation.
    Poseidon,
    /// The complete adder and the Poseidon permutation on one pool of multipliers.
    SharedPool,
    /// A digit-serial Montgomery multiplier of one field.
    SerialMultiplier,
    /// Addition and subtraction beside it.
    SerialLinear,
    /// The complete projective point adder on a processor with so many digit-serial multipliers.
    SerialAdder,
    /// The Poseidon permutation on such a processor.
    SerialPoseidon,
    /// The unit behind field vector commands on such a processor.
    SerialFieldUnit,
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
    pub const ALL: [Unit; 13] = [
        Unit::MontgomeryMultiplier,
        Unit::CompleteAdder,
        Unit::BatchedAffineAdder,
        Unit::FieldUnit,
        Unit::DigitSource,
        Unit::PcieEndpoint,
        Unit::Poseidon,
        Unit::SharedPool,
        Unit::SerialMultiplier,
        Unit::SerialLinear,
        Unit::SerialAdder,
        Unit::SerialPoseidon,
        Unit::SerialFieldUnit,
    ];

    /// The unit's name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Unit::MontgomeryMultiplier => "mont_mul",
            Unit::CompleteAdder => "complete_adder",
            Unit::BatchedAffineAdder => "batched_affine_adder",
            Unit::FieldUnit => "field_unit",
            Unit::DigitSource => "digit_source",
            Unit::PcieEndpoint => "pcie_endpoint",
            Unit::Poseidon => "poseidon",
            Unit::SharedPool => "shared_pool",
            Unit::SerialMultiplier => "serial_mont_mul",
            Unit::SerialLinear => "serial_linear",
            Unit::SerialAdder => "serial_adder",
            Unit::SerialPoseidon => "serial_poseidon",
            Unit::SerialFieldUnit => "serial_field_unit",
        }
    }

    /// The names of all units.
    pub fn names() -> [&'static str; 13] {
        Unit::ALL.map(Unit::name)
    }

    /// The unit's Verilog in this shape, and what its pipelines are made of.
    pub fn emitted(
        self,
        options: &UnitOptions,
        config: &DatapathConfig,
    ) -> Result<(Emitted, Statistics), EmitError> {
        let UnitOptions { prime, width, lanes, multipliers } = *options;
        let pipeline = |module: Rc<Module>| Ok((module.emitted(), module.statistics()));
        match self {
            Unit::MontgomeryMultiplier => pipeline(montgomery_multiplier(prime, config)),
            Unit::CompleteAdder => pipeline(complete_adder(Curve::Bn254, config, TAG_BITS)),
            Unit::BatchedAffineAdder => {
                let curve = match prime {
                    Prime::Fq => Curve::Bn254,
                    Prime::Fr => Curve::Grumpkin,
                };
                let batch_pairs = *BATCH_PAIRS.end();
                let mut adder = BatchedAdder::new(curve, config, batch_pairs, Pace::default());
                adder.connect_all();
                let statistics = BatchedAdder::statistics(curve, config, batch_pairs, Pace::default());
                Ok((emit(&adder, self.name())?, statistics))
            }
            Unit::FieldUnit => pipeline(field_unit(config)),
            Unit::DigitSource => {
                let shape = Shape::new(&[8, 10, 11, 12, 13, 14, 15], 7, 1, Curve::Bn254);
                let mut source = DigitSource::new(&shape, config);
                source.connect_all();
                Ok((emit(&source, self.name())?, recoder(&shape, config).statistics()))
            }
            Unit::PcieEndpoint => {
                let mut endpoint = Endpoint512::new(PCIE_TIMEOUT_CYCLES);
                endpoint.connect_all();
                // No pipeline: the latency is that of a read of one of its registers.
                let statistics = Statistics { latency_cycles: Completer::LATENCY, ..Statistics::default() };
                Ok((emit(&endpoint, self.name())?, statistics))
            }
            Unit::Poseidon => {
                let mut core = PoseidonCore::new(width, lanes, config);
                core.connect_all();
                // The latency is that of a pass.
                Ok((emit(&core, self.name())?, core.statistics()))
            }
            Unit::SharedPool => {
                let mut pool = SharedPool::new(width, lanes, config);
                pool.connect_all();
                Ok((emit(&pool, self.name())?, pool.statistics()))
            }
            // A multiplier with the addition of its carries: a bank of one.
            Unit::SerialMultiplier => {
                let mut bank = SerialBank::new(Moduli::One(prime), 1, 0);
                bank.connect_all();
                Ok((emit(&bank, self.name())?, serial(Moduli::One(prime), 1, bank.latency())))
            }
            Unit::SerialLinear => pipeline(linear(Moduli::One(prime))),
            Unit::SerialAdder => {
                let curve = match prime {
                    Prime::Fq => Curve::Bn254,
                    Prime::Fr => Curve::Grumpkin,
                };
                let mut adder = SerialAdder::new(curve, multipliers);
                adder.connect_all();
                Ok((emit(&adder, self.name())?, serial(Moduli::One(prime), multipliers, adder.latency())))
            }
            Unit::SerialPoseidon => {
                let mut core = SerialPoseidon::new(width, multipliers);
                core.connect_all();
                let statistics = serial(Moduli::One(Prime::Fr), multipliers, core.latency());
                Ok((emit(&core, self.name())?, statistics))
            }
            Unit::SerialFieldUnit => {
                let mut unit = SerialFieldUnit::new(multipliers);
                unit.connect_all();
                Ok((emit(&unit, self.name())?, serial(Moduli::Both, multipliers, unit.latency())))
            }
        }
    }
}

/// What a processor's multipliers are made of; its unit of additions and its memories are not counted.
fn serial(moduli: Moduli, multipliers: usize, latency_cycles: usize) -> Statistics {
    let step = step(moduli).statistics();
    Statistics {
        multiplier_tiles: multipliers * step.multiplier_tiles,
        adder_bits: multipliers * step.adder_bits,
        mux_bits: multipliers * step.mux_bits,
        register_bits: multipliers * step.register_bits,
        latency_cycles,
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
        assert!(
            error.contains("multiplier") && error.contains("mont_mul, complete_adder, batched_affine_adder"),
            "{error}"
        );
    }

    #[test]
    fn every_unit_is_emitted_under_the_name_of_its_top_module() {
        let options = UnitOptions { prime: Prime::Fr, ..UnitOptions::default() };
        for unit in Unit::ALL {
            let (emitted, statistics) = unit
                .emitted(&options, &DatapathConfig::ultrascale())
                .unwrap_or_else(|error| panic!("{error}"));
            let top = format!("module {}", emitted.top);
            let begins =
                |line: &str| line.strip_prefix(&top).is_some_and(|rest| rest.trim().starts_with('('));
            assert!(emitted.verilog.lines().any(begins), "{}", unit.name());
            assert!(emitted.port("clock").is_some(), "{} has a clock", unit.name());
            assert!(statistics.latency_cycles > 0, "{}", unit.name());
        }
    }
}
