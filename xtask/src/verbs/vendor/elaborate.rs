//! The wrapper as another tool sees it: Yosys elaborates it, with the vendor's blocks as black boxes.

use anyhow::{Context, Result, bail};
use spandrel_tools::{last_lines, yosys};
use std::path::Path;

/// What Yosys says of a connection whose two sides differ in width.
const WIDTHS: &str = "Resizing cell port";

/// Elaborates module `top` of the files in `folder`, and fails where a module or port is missing, widths differ, an input has
/// no driver or a net has two. Gives the tool's name.
pub fn elaborate(folder: &Path, files: &[&str], top: &str) -> Result<String> {
    let yosys = yosys()?;
    let reads: String = files.iter().map(|file| format!("read_verilog {file}\n")).collect();
    let script = format!("{reads}hierarchy -check -top {top}\nselect {top}\nproc\ncheck -assert\n");
    std::fs::write(folder.join("elaborate.ys"), script).context("cannot write Yosys' script")?;
    let output = yosys.script(folder, "elaborate.ys").output().context("cannot run Yosys")?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("Yosys does not accept {top}:\n{}", last_lines(&text, 8));
    }
    let widths: Vec<&str> = text.lines().filter(|line| line.contains(WIDTHS) && line.contains(top)).collect();
    if !widths.is_empty() {
        bail!("widths differ:\n{}", widths.join("\n"));
    }
    Ok(yosys.name)
}
