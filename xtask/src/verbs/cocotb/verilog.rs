//! A card's Verilog, from the command `spandrel-emit`.

use anyhow::{Context, Result};
use serde::Deserialize;
use spandrel_tools::{cargo_build, run};
use std::path::PathBuf;
use std::process::Command;

/// A card as Verilog.
pub struct Verilog {
    /// The profile that it was made from.
    pub profile: String,
    /// Name of the top module.
    pub top: String,
    /// The text.
    pub text: String,
}

#[derive(Deserialize)]
struct Summary {
    top: String,
}

impl Verilog {
    /// The names of the top module's ports, as its first line lists them.
    pub fn ports(&self) -> Result<Vec<&str>> {
        let begin = format!("module {}(", self.top);
        self.text
            .lines()
            .find_map(|line| line.strip_prefix(&begin)?.strip_suffix(");"))
            .map(|names| names.split(',').map(str::trim).collect())
            .with_context(|| format!("the Verilog of {} has no module {} with ports", self.profile, self.top))
    }
}

/// The command that writes cards.
pub struct Emitter {
    program: PathBuf,
}

impl Emitter {
    /// Builds the command.
    pub fn build() -> Result<Emitter> {
        Ok(Emitter { program: cargo_build("spandrel-emit", &["-p", "spandrel-hdl"])? })
    }

    /// The card of a profile; for waveforms, without the insides of the arithmetic pipelines.
    pub fn emit(&self, profile: &str, waves: bool) -> Result<Verilog> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let file = folder.path().join("card.v");
        let mut command = Command::new(&self.program);
        command.args(["--profile", profile, "--out"]).arg(&file).args(waves.then_some("--waveforms"));
        let output = run(&mut command, &format!("writing the card {profile} as Verilog"), "")?;
        let summary: Summary = serde_json::from_slice(&output.stdout).context("spandrel-emit's summary")?;
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Verilog { profile: profile.to_owned(), top: summary.top, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_those_of_the_top_module() {
        let text = "module inner(a,b);\nendmodule\nmodule card(clock,reset,m_tdata);\nendmodule\n";
        let verilog = |top: &str| Verilog { profile: "p".into(), top: top.into(), text: text.into() };
        assert_eq!(verilog("card").ports().unwrap(), ["clock", "reset", "m_tdata"]);
        let message = verilog("car").ports().unwrap_err().to_string();
        assert!(message.contains("no module car"), "{message}");
    }
}
