//! Boards: the folders of `bitstreams` with a `board.toml`.

use crate::verbs::synth::Resources;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use spandrel_tools::checkout_root;
use std::path::{Path, PathBuf};

/// A board that something is synthesised for.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its name, that of its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// What `board.toml` says.
    pub settings: Settings,
    /// What `profile.toml` says that synthesis needs to know.
    pub profile: Shape,
    /// The text of `profile.toml`.
    pub profile_text: String,
}

/// `board.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The part's family, as Yosys calls it: `xcup`, `xc7`, `ecp5`.
    pub family: String,
    /// The part, as its maker calls it.
    pub part: String,
    /// All of the part.
    pub whole: Needs,
    /// How open tools make a bitstream; boards without it need the maker's tools.
    pub open: Option<Open>,
}

/// How open tools make a bitstream for a board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The device, as nextpnr's database calls it: `xc7a200t`, `85k`.
    pub device: String,
    /// The package, as nextpnr calls it.
    pub package: String,
    /// The speed grade.
    pub speed: String,
    /// The Verilog around the card: clock and pads.
    pub wrapper: String,
    /// Name of its module.
    pub top: String,
    /// Pins and clocks.
    pub constraints: String,
    /// The card's clock from the board's.
    pub clock: Clock,
    /// The pads that are asynchronous to every clock; any other path from or to no clock is an error.
    pub asynchronous: Vec<String>,
    /// Modules of the card whose timing is measured by themselves.
    #[serde(default)]
    pub timing: Vec<String>,
    /// More arguments of nextpnr.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// A phase-locked loop: parameters `MULTIPLY` and `DIVIDE` of the wrapper.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The board's clock.
    pub input_khz: u32,
    /// What it is multiplied with: to the oscillator's frequency in 7 series, to the card's clock in ECP5.
    pub multiply: u32,
    /// What the oscillator's frequency is divided by.
    pub divide: u32,
}

impl Clock {
    /// The card's clock.
    pub fn card_khz(&self, family: &str) -> u32 {
        match family {
            "ecp5" => self.input_khz * self.multiply,
            _ => self.input_khz * self.multiply / self.divide.max(1),
        }
    }
}

/// What `profile.toml` says that synthesis needs to know; the card's description reads the rest.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Shape {
    /// The board's number.
    pub board: u32,
    /// The clock that the card runs at.
    pub clock_khz: u32,
}

/// What a part has, or a design needs of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// DSP slices, multipliers of 18 x 18 bits on ECP5.
    pub dsp: u64,
    /// LUTs, of four inputs on ECP5 and of six elsewhere; those used as memories, shift registers and carries included.
    pub lut: u64,
    /// Flip-flops.
    pub ff: u64,
    /// Block RAMs of 18 Kibit.
    pub bram18: u64,
    /// UltraRAMs of 288 Kibit.
    #[serde(default)]
    pub uram: u64,
}

impl Board {
    /// The board of this name.
    pub fn find(name: &str) -> Result<Board> {
        let folder = checkout_root().join("bitstreams").join(name);
        let file = folder.join("board.toml");
        if name.is_empty() || name.contains(['/', '\\']) || !file.is_file() {
            let known: Vec<String> = names()?;
            bail!("there is no board {name}: boards are {}", known.join(", "));
        }
        let profile = folder.join("profile.toml");
        let profile_text = read(&profile)?;
        Ok(Board {
            name: name.to_owned(),
            settings: toml::from_str(&read(&file)?).with_context(|| file.display().to_string())?,
            profile: toml::from_str(&profile_text).with_context(|| profile.display().to_string())?,
            profile_text,
            folder,
        })
    }

    /// What open tools need to know.
    pub fn open(&self) -> Result<&Open> {
        self.settings.open.as_ref().with_context(|| {
            format!("open tools make no bitstream for {}: see bitstreams/{0}/README.md", self.name)
        })
    }
}

/// The boards that there are.
pub fn names() -> Result<Vec<String>> {
    let folder = checkout_root().join("bitstreams");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let with_settings = entries.flatten().filter(|entry| entry.path().join("board.toml").is_file());
    let mut names: Vec<String> =
        with_settings.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

impl Needs {
    /// What cells of a family need of the part.
    pub fn of(family: &str, cells: &Resources) -> Needs {
        // A distributed memory of UltraScale+ is up to eight LUTs, one of 7 series four; one of ECP5 is two slices, of two
        // LUTs each. A carry of ECP5 is a slice's two LUTs.
        let (of_memory, of_carry) = match family {
            "xcup" => (8, 0),
            "ecp5" => (4, 2),
            _ => (4, 0),
        };
        Needs {
            dsp: cells.dsp,
            lut: cells.lut + cells.srl + of_memory * cells.lutram + of_carry * cells.carry,
            ff: cells.ff,
            bram18: cells.bram18,
            uram: cells.uram,
        }
    }

    /// Each by its name, with what the whole has of it.
    pub fn beside(&self, whole: &Needs) -> [(&'static str, u64, u64); 5] {
        [
            ("DSP", self.dsp, whole.dsp),
            ("LUT", self.lut, whole.lut),
            ("FF", self.ff, whole.ff),
            ("BRAM18", self.bram18, whole.bram18),
            ("URAM", self.uram, whole.uram),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_is_understood() {
        let names = names().unwrap();
        assert!(names.contains(&"alveo-u250".to_owned()), "{names:?}");
        for name in names {
            let board = Board::find(&name).unwrap();
            assert!(board.settings.whole.lut > 0 && board.profile.clock_khz > 0, "{name}");
            if let Some(open) = &board.settings.open {
                let khz = open.clock.card_khz(&board.settings.family);
                assert_eq!(khz, board.profile.clock_khz, "{name}: the wrapper's clock and the profile's");
                for file in [&open.wrapper, &open.constraints] {
                    assert!(board.folder.join(file).is_file(), "{name}: {file}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_board_is_refused_by_name() {
        for name in ["", "sim-small", "../hdl", "other"] {
            let error = Board::find(name).unwrap_err().to_string();
            assert!(error.contains("alveo-u250"), "{error}");
        }
    }

    #[test]
    fn memories_and_carries_are_luts_where_they_are_made_of_them() {
        let cells = Resources { lut: 100, srl: 10, lutram: 1, carry: 3, ..Resources::default() };
        let lut = |family| Needs::of(family, &cells).lut;
        assert_eq!([lut("xcup"), lut("xc7"), lut("ecp5")], [118, 114, 120]);
    }
}
