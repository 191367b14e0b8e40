//! Cells of an FPGA, from the statistics that Yosys writes.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

/// What a synthesised design needs, instances of sub-modules included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// DSP slices.
    pub dsp: u64,
    /// LUTs of any size used as logic. Inverters are left out: placement folds them into what they feed.
    pub lut: u64,
    /// Flip-flops.
    pub ff: u64,
    /// Carry blocks, CARRY4 and CARRY8.
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

impl Resources {
    /// Reads the JSON of Yosys' `stat -json -top TOP`.
    pub fn parse(text: &str) -> Result<Resources> {
        let report: Value = serde_json::from_str(text).context("the statistics of Yosys are not JSON")?;
        let cells = report["design"]["num_cells_by_type"]
            .as_object()
            .context("the statistics of Yosys have no design.num_cells_by_type")?;
        let mut resources = Resources::default();
        let modules = report["modules"].as_object();
        for (kind, count) in cells {
            // The total counts instances too, beside the cells inside them.
            if modules.is_some_and(|modules| modules.contains_key(&format!("\\{kind}"))) {
                continue;
            }
            let count = count.as_u64().with_context(|| format!("the count of {kind} is {count}"))?;
            *resources.column(kind) += if kind.starts_with("RAMB36") { 2 * count } else { count };
        }
        Ok(resources)
    }

    /// This, in which `count` instances of a part were counted as one cell each of another kind, with the parts' insides.
    pub fn with_parts(&self, part: &Resources, count: u64) -> Resources {
        Resources {
            dsp: self.dsp + count * part.dsp,
            lut: self.lut + count * part.lut,
            ff: self.ff + count * part.ff,
            carry: self.carry + count * part.carry,
            srl: self.srl + count * part.srl,
            uram: self.uram + count * part.uram,
            bram18: self.bram18 + count * part.bram18,
            lutram: self.lutram + count * part.lutram,
            other: self.other.saturating_sub(count) + count * part.other,
        }
    }

    fn column(&mut self, kind: &str) -> &mut u64 {
        match kind {
            "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" => &mut self.lut,
            "FDRE" | "FDSE" | "FDCE" | "FDPE" | "FDRE_1" | "FDSE_1" | "FDCE_1" | "FDPE_1" => &mut self.ff,
            "CARRY4" | "CARRY8" => &mut self.carry,
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

    #[test]
    fn cells_of_all_instances_are_counted_and_instances_are_not() -> Result<()> {
        let found = Resources::parse(RECORDED)?;
        assert_eq!(
            found,
            Resources { dsp: 2, lut: 128, ff: 64, carry: 16, srl: 64, other: 64, ..Resources::default() }
        );
        Ok(())
    }

    #[test]
    fn every_kind_of_cell_is_in_its_column() -> Result<()> {
        let cells = r#"{"DSP48E1": 1, "LUT1": 2, "LUT6": 3, "FDSE": 4, "FDRE_1": 5, "CARRY8": 6, "SRLC32E": 7,
            "MUXF7": 8, "RAM32M": 9, "RAMB36E2": 10, "RAMB18E2": 11, "URAM288": 12}"#;
        let found = Resources::parse(&format!(r#"{{"design": {{"num_cells_by_type": {cells}}}}}"#))?;
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
            let message = Resources::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
