//! From features (FASM, as nextpnr writes it) to the frames of a 7-series configuration, over Project X-Ray's database.

use super::database::{Bit, Database, Place};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

/// Words of 32 bits of a frame ("7 Series FPGAs Configuration", UG470).
const FRAME_WORDS: usize = 101;

/// Frames by address.
#[derive(Debug, Default)]
pub struct Frames {
    words: BTreeMap<u32, [u32; FRAME_WORDS]>,
    /// Bits that a feature needs to be zero, by frame, word and bit.
    zeros: HashMap<(u32, usize, u32), String>,
}

/// One line: a feature that is set, with the indexes of its bits that are.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    tile: &'a str,
    feature: &'a str,
    indexes: Vec<u32>,
}

/// The frames of all features in a text, for a part as `xc7a200tfbg484-2`.
///
/// # Errors
/// A line that is not understood, a feature or tile that the database does not have, or two features that want a bit to be
/// set and not: the bitstream would not be what was routed.
pub fn assemble(fasm: &str, database: &mut Database, package_pins: &Path) -> Result<Frames> {
    let mut frames = Frames::default();
    let mut stepdown: BTreeSet<(String, String)> = BTreeSet::new();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for (number, text) in fasm.lines().enumerate() {
        let place = || format!("line {} of the features, {text}", number + 1);
        let Some(line) = parse(text).with_context(place)? else { continue };
        if line.tile.contains("IOB33")
            && let Some((site, rest)) = line.feature.split_once('.')
        {
            used.insert((line.tile.to_owned(), site.to_owned()));
            if rest.contains("STEPDOWN") {
                stepdown.insert((line.tile.to_owned(), rest.to_owned()));
            }
        }
        for index in &line.indexes {
            frames.enable(database, line.tile, line.feature, *index).with_context(place)?;
        }
    }
    if !stepdown.is_empty() {
        frames.step_banks_down(database, package_pins, &stepdown, &used)?;
    }
    frames.check()?;
    Ok(frames)
}

/// `TILE.FEATURE`, or `TILE.FEATURE[HIGH:LOW] = N'b0101`, or `TILE.FEATURE[INDEX]`; nothing for blanks and comments.
fn parse(text: &str) -> Result<Option<Line<'_>>> {
    let text = text.split('#').next().unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (text, None),
    };
    let (name, range) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((name, range)) => (name, Some(range)),
        None => (name, None),
    };
    let (high, low): (u32, u32) = match range.map(|range| range.split_once(':').unwrap_or((range, range))) {
        Some((high, low)) => (high.parse()?, low.parse()?),
        None => (0, 0),
    };
    let (tile, feature) = name.split_once('.').context("a feature is of a tile")?;
    let bits = match value {
        None => "1".to_owned(),
        Some(value) => binary(value)?,
    };
    let wide = (high.checked_sub(low).context("a range is high:low")? + 1) as usize;
    let excess = bits.len().saturating_sub(wide);
    if bits[..excess].contains('1') {
        bail!("a value of {} bits for {wide}", bits.len());
    }
    let set = bits.bytes().rev().enumerate().filter(|(_, bit)| *bit == b'1');
    Ok(Some(Line { tile, feature, indexes: set.map(|(at, _)| low + at as u32).collect() }))
}

/// The binary digits of `0`, `1` or `N'b0101`.
fn binary(value: &str) -> Result<String> {
    let digits = match value.split_once("'b") {
        Some((_, digits)) => digits.replace('_', ""),
        None => value.to_owned(),
    };
    match digits.is_empty() || digits.bytes().any(|digit| !matches!(digit, b'0' | b'1')) {
        true => bail!("the value {value} is not binary"),
        false => Ok(digits),
    }
}

impl Frames {
    /// Sets the bits of a feature.
    fn enable(&mut self, database: &mut Database, tile: &str, feature: &str, index: u32) -> Result<()> {
        let grid = database.tiles.get(tile).with_context(|| format!("the device has no tile {tile}"))?;
        let (own, places) = (grid.kind.clone(), grid.bits.clone());
        let alias = places.values().find_map(|place| place.alias.clone());
        let (kind, feature) = match &alias {
            None => (own, feature.to_owned()),
            Some(alias) => {
                let (site, rest) = feature.split_once('.').unwrap_or((feature, ""));
                let renamed = alias.sites.get(site).map(|site| format!("{site}.{rest}"));
                (alias.kind.clone(), renamed.unwrap_or_else(|| feature.to_owned()))
            }
        };
        let Some((bus, bits)) = database.feature(&kind, &feature, index)? else { return Ok(()) };
        let place = places.get(bus).with_context(|| format!("tile {tile} has no bits on {bus}"))?;
        for bit in bits {
            self.set(place, bit, tile, &feature)?;
        }
        Ok(())
    }

    fn set(&mut self, place: &Place, bit: &Bit, tile: &str, feature: &str) -> Result<()> {
        let base = u32::from_str_radix(place.baseaddr.trim_start_matches("0x"), 16)?;
        let start = place.alias.as_ref().map_or(0, |alias| alias.start_offset);
        let word = usize::try_from(place.offset - start + i64::from(bit.bit / 32))
            .ok()
            .filter(|word| *word < FRAME_WORDS)
            .with_context(|| format!("a bit of {tile}.{feature} is outside of its frame"))?;
        let (address, bit, set) = (base + bit.frame, bit.bit % 32, bit.set);
        // A frame that is named is written, even where all of it is zero.
        let words = self.words.entry(address).or_insert([0; FRAME_WORDS]);
        match set {
            true => words[word] |= 1 << bit,
            false => {
                self.zeros.entry((address, word, bit)).or_insert_with(|| format!("{tile}.{feature}"));
            }
        }
        Ok(())
    }

    /// In a bank with a pad below 2.5 V, the unused pads are told so, too.
    fn step_banks_down(
        &mut self,
        database: &mut Database,
        package_pins: &Path,
        stepdown: &BTreeSet<(String, String)>,
        used: &BTreeSet<(String, String)>,
    ) -> Result<()> {
        let text = std::fs::read_to_string(package_pins)
            .with_context(|| format!("cannot read {}", package_pins.display()))?;
        // pin,bank,site,tile,pin_function
        let pads: Vec<(&str, &str)> = text
            .lines()
            .skip(1)
            .filter_map(|line| {
                let mut words = line.split(',');
                Some((words.nth(1)?, words.nth(1)?))
            })
            .collect();
        for (tile, tag) in stepdown {
            let bank = pads.iter().find(|(_, pad)| pad == tile).map(|(bank, _)| *bank);
            let tiles: BTreeSet<&str> =
                pads.iter().filter(|(of, _)| Some(*of) == bank).map(|(_, pad)| *pad).collect();
            for pad in tiles {
                let sites = database.tiles.get(pad).map(|grid| grid.sites.clone()).unwrap_or_default();
                for site in sites.keys() {
                    let odd = site.bytes().last().is_some_and(|digit| digit % 2 == 1);
                    let site = format!("IOB_Y{}", u8::from(odd));
                    if !used.contains(&(pad.to_owned(), site.clone())) {
                        self.enable(database, pad, &format!("{site}.{tag}"), 0)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Fails where a feature set a bit that another one needs to be zero.
    fn check(&self) -> Result<()> {
        for ((address, word, bit), feature) in &self.zeros {
            if self.words.get(address).is_some_and(|words| words[*word] >> bit & 1 == 1) {
                bail!(
                    "{feature} needs bit {bit} of word {word} of frame {address:#010x} to be zero, and another sets it"
                );
            }
        }
        Ok(())
    }

    /// The frames as `xc7frames2bit` reads them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (address, words) in &self.words {
            // Writing to a string cannot fail.
            let _ = write!(text, "0x{address:08X} ");
            for (index, word) in words.iter().enumerate() {
                let _ = write!(text, "{}0x{word:08X}", if index == 0 { "" } else { "," });
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let line = |text| parse(text).unwrap().map(|line| (line.tile, line.feature, line.indexes));
        assert_eq!(line("CLB_X1Y2.SLICEL_X0.AFF.ZINI"), Some(("CLB_X1Y2", "SLICEL_X0.AFF.ZINI", vec![0])));
        assert_eq!(line("T.A.INIT[5:2] = 4'b1001 # why"), Some(("T", "A.INIT", vec![2, 5])));
        assert_eq!(line("T.A.INIT[3]"), Some(("T", "A.INIT", vec![3])));
        assert_eq!(line("T.A = 0"), Some(("T", "A", vec![])));
        assert_eq!(line("  # nothing"), None);
        for wrong in ["tile", "T.A[1:2] = 2'b11", "T.A[0:0] = 2'b11", "T.A = 2'h3", "T.A[x]"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    fn database(folder: &Path) -> Database {
        let grid = r#"{"CLB_X0Y0": {"type": "CLB", "bits": {"CLB_IO_CLK":
            {"baseaddr": "0x00400100", "frames": 36, "offset": 2, "words": 2}}},
            "PART_X0Y0": {"type": "PART", "bits": {"CLB_IO_CLK": {"alias": {"sites": {"S_Y0": "S_Y1"}, "start_offset": 2,
            "type": "CLB"}, "baseaddr": "0x00400200", "frames": 36, "offset": 0, "words": 2}}}}"#;
        std::fs::create_dir(folder.join("x")).unwrap();
        std::fs::write(folder.join("x/tilegrid.json"), grid).unwrap();
        std::fs::write(
            folder.join("segbits_clb.db"),
            "CLB.A 01_33 !02_01\nCLB.B 02_01\nCLB.S_Y1.C[1] 00_64\n",
        )
        .unwrap();
        std::fs::write(folder.join("ppips_clb.db"), "CLB.WIRE always\n").unwrap();
        Database::read(folder, "x").unwrap()
    }

    #[test]
    fn bits_land_in_their_frames() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = database(folder.path());
        let mut frames =
            |fasm: &str| assemble(fasm, &mut database, Path::new("none")).map(|frames| frames.words);
        let found = frames("CLB_X0Y0.A\nCLB_X0Y0.WIRE\nPART_X0Y0.S_Y0.C[1]\n").unwrap();
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [0x400101, 0x400102, 0x400200]);
        assert_eq!(found[&0x400101][3], 2);
        assert_eq!(found[&0x400102], [0; FRAME_WORDS]);
        // The part begins at word 2 of the whole.
        assert_eq!(found[&0x400200][0], 1);
        for (fasm, why) in [
            ("CLB_X0Y0.A\nCLB_X0Y0.B\n", "to be zero"),
            ("CLB_X0Y0.C\n", "no feature C"),
            ("CLB_X9Y0.A\n", "no tile"),
        ] {
            let error = format!("{:#}", frames(fasm).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn frames_are_written_as_the_tool_reads_them() {
        let mut frames = Frames::default();
        frames.words.entry(0x400101).or_insert([0; FRAME_WORDS]);
        frames.words.insert(0x20, std::array::from_fn(|word| word as u32));
        let text = frames.text();
        assert!(text.starts_with("0x00000020 0x00000000,0x00000001,") && text.lines().count() == 2, "{text}");
        assert_eq!(text.lines().next().unwrap().split(',').count(), FRAME_WORDS);
    }
}
