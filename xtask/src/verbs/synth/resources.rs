//! Cells of an FPGA, from the statistics that Yosys writes.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a synthesised design needs, instances of sub-modules included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// DSP slices, multipliers of 18 x 18 bits on ECP5.
    pub dsp: u64,
    /// LUTs of any size used as logic. Inverters are left out: placement folds them into what they feed.
    pub lut: u64,
    /// Flip-flops.
    pub ff: u64,
    /// Carry blocks: CARRY4, CARRY8, CCU2C.
    pub carry: u64,
    /// LUTs used as shift registers, of 16 or 32 bits.
    pub srl: u64,
    /// UltraRAMs of 288 Kibit.
    pub uram: u64,
    /// Block RAMs in units of 18 Kibit: one of 36 Kibit counts twice.
    pub bram18: u64,
    /// Distributed memories (RAM32M and the like), each of several LUTs.
    pub lutram: u64,
    /// Cells of other kinds: inverters, wide multiplexers, buffers.
    pub other: u64,
}

/// Reads the JSON of Yosys' `stat -json -top TOP`: how many cells there are of each kind, those inside other modules
/// included, and black boxes too.
pub fn cells(text: &str) -> Result<BTreeMap<String, u64>> {
    let report: Value = serde_json::from_str(text).context("the statistics of Yosys are not JSON")?;
    let kinds = report["design"]["num_cells_by_type"]
        .as_object()
        .context("the statistics of Yosys have no design.num_cells_by_type")?;
    // The total counts instances too, beside the cells inside them.
    let modules = report["modules"].as_object();
    let is_cell = |kind: &str| modules.is_none_or(|modules| !modules.contains_key(&format!("\\{kind}")));
    let count = |(kind, count): (&String, &Value)| match count.as_u64() {
        Some(count) => Ok((kind.clone(), count)),
        None => bail!("the count of {kind} is {count}"),
    };
    kinds.iter().filter(|(kind, _)| is_cell(kind)).map(count).collect()
}

impl Resources {
    /// Adds cells of a kind.
    pub fn count(&mut self, kind: &str, count: u64) {
        *self.column(kind) += if kind.starts_with("RAMB36") { 2 * count } else { count };
    }

    /// The sum of two designs.
    pub fn plus(&self, other: &Resources) -> Resources {
        Resources {
            dsp: self.dsp + other.dsp,
            lut: self.lut + other.lut,
            ff: self.ff + other.ff,
            carry: self.carry + other.carry,
            srl: self.srl + other.srl,
            uram: self.uram + other.uram,
            bram18: self.bram18 + other.bram18,
            lutram: self.lutram + other.lutram,
            other: self.other + other.other,
        }
    }

    /// A design several times.
    pub fn times(&self, count: u64) -> Resources {
        (0..count).fold(Resources::default(), |sum, _| sum.plus(self))
    }

    fn column(&mut self, kind: &str) -> &mut u64 {
        match kind {
            "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" => &mut self.lut,
            "FDRE" | "FDSE" | "FDCE" | "FDPE" | "FDRE_1" | "FDSE_1" | "FDCE_1" | "FDPE_1" | "TRELLIS_FF" => {
                &mut self.ff
            }
            "CARRY4" | "CARRY8" | "CCU2C" => &mut self.carry,
            "MULT18X18D" => &mut self.dsp,
            "DP16KD" | "PDPW16KD" => &mut self.bram18,
            "TRELLIS_DPR16X4" => &mut self.lutram,
            "SRL16E" | "SRLC32E" => &mut self.srl,
            _ if kind.starts_with("DSP48") => &mut self.dsp,
            _ if kind.starts_with("URAM288") => &mut self.uram,
            _ if kind.starts_with("RAMB18") || kind.starts_with("RAMB36") => &mut self.bram18,
            _ if kind.starts_with("RAM") => &mut self.lutram,
            _ => &mut self.other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Yosys 0.70 wrote on a top module with two instances of a module that has 32 bits of everything.
    const RECORDED: &str = include_str!("recorded.json");

    fn sum(text: &str) -> Result<Resources> {
        let mut sum = Resources::default();
        cells(text)?.iter().for_each(|(kind, count)| sum.count(kind, *count));
        Ok(sum)
    }

    #[test]
    fn cells_of_all_instances_are_counted_and_instances_are_not() -> Result<()> {
        let found = sum(RECORDED)?;
        assert_eq!(
            found,
            Resources { dsp: 2, lut: 128, ff: 64, carry: 16, srl: 64, other: 64, ..Resources::default() }
        );
        Ok(())
    }

    #[test]
    fn every_kind_of_cell_is_in_its_column() -> Result<()> {
        let ecp5 = r#"{"MULT18X18D": 1, "LUT4": 2, "PFUMX": 3, "TRELLIS_FF": 4, "CCU2C": 5, "DP16KD": 6, "PDPW16KD": 7,
            "TRELLIS_DPR16X4": 8}"#;
        let found = sum(&format!(r#"{{"design": {{"num_cells_by_type": {ecp5}}}}}"#))?;
        let expected = Resources {
            dsp: 1,
            lut: 2,
            other: 3,
            ff: 4,
            carry: 5,
            bram18: 13,
            lutram: 8,
            ..Resources::default()
        };
        assert_eq!(found, expected);
        let cells = r#"{"DSP48E1": 1, "LUT1": 2, "LUT6": 3, "FDSE": 4, "FDRE_1": 5, "CARRY8": 6, "SRLC32E": 7,
            "MUXF7": 8, "RAM32M": 9, "RAMB36E2": 10, "RAMB18E2": 11, "URAM288": 12}"#;
        let found = sum(&format!(r#"{{"design": {{"num_cells_by_type": {cells}}}}}"#))?;
        let expected =
            Resources { dsp: 1, lut: 5, ff: 9, carry: 6, srl: 7, uram: 12, bram18: 31, lutram: 9, other: 8 };
        assert_eq!(found, expected);
        Ok(())
    }

    #[test]
    fn what_is_not_a_report_is_refused() {
        for (text, part) in [
            ("nothing", "not JSON"),
            ("{}", "num_cells_by_type"),
            (r#"{"design": {"num_cells_by_type": {"LUT2": "many"}}}"#, "LUT2"),
        ] {
            let message = cells(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
