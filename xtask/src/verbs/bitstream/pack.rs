//! From a placed and routed configuration to the bitstream's bytes.

use super::database::Database;
use super::frames::assemble;
use crate::board::Open;
use crate::watch::Watch;
use anyhow::{Context, Result, bail};
use spandrel_tools::FpgaTools;
use std::path::Path;
use std::time::Duration;

/// Packs the configuration into the file `bitstream`; `work` is for what is between.
pub fn pack(
    tools: &FpgaTools,
    family: &str,
    open: &Open,
    configuration: &Path,
    work: &Path,
    bitstream: &Path,
    timeout: Duration,
) -> Result<()> {
    let watch = |program| Watch { program, label: "packing", timeout, stage: |_| None, log: None };
    match family {
        "xc7" => {
            let database = tools.artix7_database();
            let part = format!("{}{}-{}", open.device, open.package, open.speed);
            let features = std::fs::read_to_string(configuration)
                .with_context(|| format!("cannot read {}", configuration.display()))?;
            eprintln!("packing: {} features", features.lines().count());
            let mut grid = Database::read(&database, &open.device)?;
            let pins = database.join(&part).join("package_pins.csv");
            let frames = work.join("card.frames");
            std::fs::write(&frames, assemble(&features, &mut grid, &pins)?.text())
                .with_context(|| format!("cannot write {}", frames.display()))?;
            let mut command = tools.xc7frames2bit();
            let argument = |name: &str, path: &Path| format!("--{name}={}", path.display());
            command.arg(argument("part_file", &database.join(&part).join("part.yaml")));
            command.arg(format!("--part_name={part}"));
            command.arg(argument("frm_file", &frames)).arg(argument("output_file", bitstream));
            watch("xc7frames2bit").run(&mut command)
        }
        "ecp5" => {
            let mut command = tools.ecppack();
            command.arg("--compress").arg("--input").arg(configuration).arg("--bit").arg(bitstream);
            watch("ecppack").run(&mut command)
        }
        other => bail!("open tools do not pack for {other}"),
    }
}
