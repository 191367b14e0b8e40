//! The table of synthesised units.

use super::resources::Resources;
use super::unit::Counts;
use serde::Serialize;

/// A synthesised unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The shape, in words.
    pub shape: String,
    /// What the generator counted.
    #[serde(flatten)]
    pub unit: Counts,
    /// What Yosys counted.
    #[serde(flatten)]
    pub resources: Resources,
    /// DSP slices of one multiplier of this shape, where the unit is a point adder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiplier_dsp: Option<u64>,
}

impl Row {
    /// The DSP slices of a point adder, in multipliers.
    pub fn worth(&self) -> Option<String> {
        let one = self.multiplier_dsp.filter(|dsp| *dsp > 0)?;
        let dsp = self.resources.dsp;
        let worth = dsp as f64 / one as f64;
        Some(format!("{}: {dsp} DSP, {worth:.2} multipliers of {one}", self.shape))
    }
}

const HEADINGS: [&str; 11] =
    ["shape", "DSP", "LUT", "FF", "carry", "SRL", "URAM", "BRAM18", "LUTRAM", "latency", "tiles"];

/// The rows as text under a line of headings: the shape left, numbers right. The latency is in cycles; tiles are
/// those of the generator.
pub fn render(rows: &[Row]) -> String {
    let mut cells = vec![HEADINGS.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        let Resources { dsp, lut, ff, carry, srl, uram, bram18, lutram, .. } = row.resources;
        let Counts { latency_cycles, multiplier_tiles } = row.unit;
        let numbers = [dsp, lut, ff, carry, srl, uram, bram18, lutram, latency_cycles, multiplier_tiles];
        let mut cells = numbers.map(|number| number.to_string()).into_iter();
        std::array::from_fn(|column| match column {
            0 => row.shape.clone(),
            _ => cells.next().unwrap_or_default(),
        })
    }));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 11] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &cells {
        text += &format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            text += &format!("  {cell:>width$}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = |shape: &str, dsp, lut| Row {
            shape: shape.into(),
            unit: Counts { latency_cycles: 38, multiplier_tiles: dsp },
            resources: Resources { dsp, lut, ff: 40_000, carry: 3_800, other: 1, ..Resources::default() },
            multiplier_dsp: None,
        };
        let text = render(&[row("tiles", 294, 12_700), row("shift-add, longer", 8, 900)]);
        assert_eq!(
            text,
            "shape              DSP    LUT     FF  carry  SRL  URAM  BRAM18  LUTRAM  latency  tiles\n\
             tiles              294  12700  40000   3800    0     0       0       0       38    294\n\
             shift-add, longer    8    900  40000   3800    0     0       0       0       38      8\n"
        );
    }
}
