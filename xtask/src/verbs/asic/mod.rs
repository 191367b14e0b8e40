//! `cargo xtask asic`: what a unit of the card is in standard cells.

mod flow;
mod liberty;
mod reset;

use super::synth::{Emitter, Shape};
use anyhow::Result;
use flow::{Cells, Flow};
use liberty::Library;
use spandrel_tools::osu018_liberty;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Map a unit of the card to standard cells and print its area and delay
///
/// Yosys flattens the unit, makes multipliers of Booth's recoding, and maps it to the cells of a liberty file; its ABC
/// sizes the cells and adds up their delays. Memories stay black boxes: their bits are counted, not their area.
/// Without --liberty the cells are those of Debian's package qflow-tech-osu018 (180 nm). There are no wires, no clock
/// tree and no scan in the figures: docs/asic.md says what else is left out. A multiplier takes a few minutes and some
/// GiB; results stay in `.spandrel/asic`, where a second run finds them.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask asic --unit mont_mul\n  \
    cargo xtask asic --unit mont_mul --liberty sky130_fd_sc_hd_tt.lib.gz\n  \
    cargo xtask asic --unit field_unit --power-on-reset --json")]
pub struct Asic {
    /// The unit, as `cargo xtask synth` names them
    #[arg(long)]
    unit: String,
    /// The field of mont_mul and batched_affine_adder: fq or fr
    #[arg(long, default_value = "fq")]
    prime: String,
    /// The shape of this profile's pipelines (default: the shape for AMD UltraScale+)
    #[arg(long)]
    profile: Option<String>,
    /// Liberty files of one library, packed (.gz) or not
    #[arg(long, num_args = 1..)]
    liberty: Vec<PathBuf>,
    /// Give every register a reset to its initial value: a port power_on_reset
    #[arg(long)]
    power_on_reset: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Stop Yosys after this many seconds
    #[arg(long, default_value_t = 1800)]
    timeout: u64,
}

impl Asic {
    /// Maps and prints.
    pub fn run(self) -> Result<ExitCode> {
        let files = if self.liberty.is_empty() { vec![osu018_liberty()?] } else { self.liberty };
        let library = Library::read(&files)?;
        let flow = Flow::new(Duration::from_secs(self.timeout))?;
        let shape = self.profile.map_or(Shape::Default, Shape::Profile);
        let unit = Emitter::build()?.emit(&self.unit, &self.prime, &shape)?;
        let cells = flow.cells(&unit.top, &unit.verilog, &library, self.power_on_reset)?;
        let kge = cells.area_um2 / library.nand2_area / 1000.0;
        if self.json {
            let report = serde_json::json!({
                "unit": self.unit, "prime": self.prime, "shape": shape.to_string(), "library": library.name,
                "nand2_area_um2": library.nand2_area, "kge": kge, "power_on_reset": self.power_on_reset,
                "latency_cycles": unit.counts.latency_cycles, "tool": flow.tool(), "cells": cells,
            });
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            println!("{} ({}, {shape}) in {}, {}", self.unit, self.prime, library.name, flow.tool());
            print!("{}", render(&cells, kge, library.nand2_area));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn render(cells: &Cells, kge: f64, nand2_area: f64) -> String {
    let Cells {
        area_um2,
        flip_flop_area_um2,
        delay_ps,
        flip_flops,
        unreset_flip_flops,
        memories,
        memory_bits,
    } = cells;
    let share = 100.0 * flip_flop_area_um2 / area_um2;
    let mut text = format!(
        "area        {area_um2:.0} um2, {kge:.1} kGE (a NAND2 of {nand2_area} um2); {share:.0} % in flip-flops\n\
         delay       {delay_ps:.0} ps without wires and registers' own times ({:.0} MHz)\n\
         flip-flops  {flip_flops}; {unreset_flip_flops} have an initial value and no reset\n",
        1e6 / delay_ps
    );
    if *memories > 0 {
        text += &format!("memories    {memories} of {memory_bits} bits together, not in the area\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use spandrel_tools::{ToolError, skip};

    /// Counters with and without a reset, and a memory, on the cells that anyone can fetch.
    #[test]
    fn a_small_design_is_mapped() -> Result<()> {
        let name = "asic::a_small_design_is_mapped";
        let liberty = match osu018_liberty() {
            Ok(liberty) => liberty,
            Err(error) if error.is_unavailable() => {
                skip(name, error);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let library = Library::read(&[liberty])?;
        assert_eq!((library.name.as_str(), library.nand2_area), ("osu018_stdcells", 24.0));
        let flow = match Flow::new(Duration::from_secs(120)) {
            Ok(flow) => flow,
            Err(error) if error.downcast_ref().is_some_and(ToolError::is_unavailable) => {
                skip(name, error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let verilog = "module r(d,q,clock);\n  input wire [3:0] d;\n  output reg [3:0] q;\n  input wire clock;\n  \
                       initial begin\n    q = 4'h5;\n  end\n  always @(posedge clock) begin\n    q <= d;\n  end\n\
                       endmodule\n\nmodule top(input clock, input reset, input [3:0] a, output [3:0] y, output reg [3:0] z,\n\
                       input [5:0] at, output reg [7:0] word);\n  wire [3:0] next = y + a;\n  \
                       r sum(.d(next), .q(y), .clock(clock));\n  initial z = 0;\n  reg [7:0] words [0:63];\n\
                       always @(posedge clock) begin\n  z <= reset ? 0 : z + 1;\n  if (a[0]) words[at] <= a;\n\
                       word <= words[at];\n  end\nendmodule\n";
        let plain = flow.cells("top", verilog, &library, false)?;
        assert_eq!((plain.memories, plain.memory_bits), (1, 512), "{plain:?}");
        assert_eq!(plain.unreset_flip_flops, 4, "{plain:?}");
        assert!(plain.area_um2 > plain.flip_flop_area_um2 && plain.flip_flop_area_um2 > 0.0, "{plain:?}");
        assert!((100.0..5000.0).contains(&plain.delay_ps), "{plain:?}");
        let reset = flow.cells("top", verilog, &library, true)?;
        assert_eq!(reset.unreset_flip_flops, 0, "{reset:?}");
        assert!(reset.area_um2 > plain.area_um2);
        Ok(())
    }
}
