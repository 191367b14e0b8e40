//! The manifest of a bitstream that the vendor's tool has made.

use super::Board;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use spandrel_abi::manifest::{BOARDS, BitstreamFile, MANIFEST_FORMAT, Manifest, abi_text, sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Beside the emitted Verilog: what it was emitted from.
const EMISSION: &str = "emission.json";

/// What the Verilog in a folder was emitted from.
#[derive(Serialize, Deserialize)]
struct Emission {
    board: String,
    git_revision: String,
    profile_sha256: String,
}

/// Of `timing.json`, which the flow writes.
#[derive(Deserialize)]
struct Timing {
    setup_slack_ns: f64,
    vivado: String,
}

/// Writes down what the Verilog in a folder was emitted from.
pub fn note_emission(board: &Board, folder: &Path, git_revision: &str) -> Result<()> {
    let emission = Emission {
        board: board.name.to_owned(),
        git_revision: git_revision.to_owned(),
        profile_sha256: sha256(&read(&board.folder().join("profile.toml"))?),
    };
    let path = folder.join(EMISSION);
    std::fs::write(&path, serde_json::to_string_pretty(&emission)? + "\n")
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Writes `card.json` beside the `card.bit` that the flow has left in the folder.
pub fn write_manifest(board: &Board, folder: &Path) -> Result<Manifest> {
    let emission: Emission = json(&folder.join(EMISSION))?;
    ensure!(
        emission.board == board.name,
        "{} holds {}, not {}",
        folder.display(),
        emission.board,
        board.name
    );
    let timing: Timing = json(&folder.join("timing.json"))?;
    let profile = String::from_utf8_lossy(&read(&board.folder().join("profile.toml"))?).into_owned();
    ensure!(
        sha256(profile.as_bytes()) == emission.profile_sha256,
        "the profile of {} has changed since the Verilog was emitted: build again",
        board.name
    );
    let clock = profile.lines().find_map(|line| line.strip_prefix("clock_khz = "));
    let clock_khz: u32 =
        clock.and_then(|clock| clock.trim().parse().ok()).context("the profile has no clock")?;
    let period_ns = 1e6 / f64::from(clock_khz);
    let (board_number, _) =
        BOARDS.iter().find(|(_, name)| *name == board.name).context("the board has no number")?;
    let manifest = Manifest {
        format: MANIFEST_FORMAT,
        board: board.name.to_owned(),
        board_number: *board_number,
        abi: abi_text(),
        git_revision: emission.git_revision,
        profile_sha256: emission.profile_sha256,
        rtl_sha256: sha256(&read(&folder.join("card.v"))?),
        tools: BTreeMap::from([("vivado".to_owned(), timing.vivado)]),
        clock_khz,
        clock_reached_khz: (1e6 / (period_ns - timing.setup_slack_ns)) as u32,
        // Vivado's own report, utilization.rpt, has them.
        resources: BTreeMap::new(),
        bitstream: BitstreamFile::of("card.bit", &read(&folder.join("card.bit"))?),
    };
    let path = folder.join("card.json");
    std::fs::write(&path, manifest.to_json()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(manifest)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    serde_json::from_slice(&read(path)?)
        .with_context(|| format!("{} is not what it should be", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::BOARDS;
    use super::*;
    use spandrel_abi::{ABI_MAJOR, ABI_MINOR};

    #[test]
    fn a_build_gets_the_manifest_of_its_board() -> Result<()> {
        let folder = tempfile::tempdir()?;
        note_emission(&BOARDS[0], folder.path(), "0123abcd")?;
        let missing = write_manifest(&BOARDS[0], folder.path()).err().map(|error| format!("{error:#}"));
        ensure!(missing.is_some_and(|message| message.contains("timing.json")), "nothing was built");
        for (file, text) in [
            ("timing.json", r#"{"setup_slack_ns": 0.1, "hold_slack_ns": 0.01, "vivado": "2024.1"}"#),
            ("card.v", "module spandrel_card(); endmodule"),
            ("card.bit", "an image"),
        ] {
            std::fs::write(folder.path().join(file), text)?;
        }
        write_manifest(&BOARDS[0], folder.path())?;
        let manifest = Manifest::read(&folder.path().join("card.json"))?;
        manifest.check(1, (ABI_MAJOR, ABI_MINOR))?;
        manifest.check_image(b"an image")?;
        ensure!((manifest.clock_khz, manifest.clock_reached_khz) == (250_000, 256_410), "{manifest:?}");
        ensure!(manifest.git_revision == "0123abcd");
        let other = write_manifest(&BOARDS[1], folder.path()).err().map(|error| format!("{error:#}"));
        ensure!(other.is_some_and(|message| message.contains("holds alveo-u250")), "another board's build");
        Ok(())
    }
}
