//! Project X-Ray's database: which bits of a 7-series configuration a feature of a tile sets.
//!
//! Its format is described in Project X-Ray's documentation, "Database, .json files" and "Database, .db files".

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// A tile of the grid.
#[derive(Clone, Debug, Deserialize)]
pub struct Tile {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its bits, by the configuration bus they are on.
    #[serde(default)]
    pub bits: BTreeMap<String, Place>,
    /// Its sites.
    #[serde(default)]
    pub sites: BTreeMap<String, String>,
}

/// Where the bits of a tile lie.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    /// Address of the first frame, hexadecimal.
    pub baseaddr: String,
    /// The first word of a frame that is the tile's.
    pub offset: i64,
    /// The type whose bits it shares, if it has none of its own.
    pub alias: Option<Alias>,
}

/// A tile type that another one is part of.
#[derive(Clone, Debug, Deserialize)]
pub struct Alias {
    /// The whole type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The word of the whole at which the part begins.
    pub start_offset: i64,
    /// Sites of the part, and what they are called in the whole.
    pub sites: BTreeMap<String, String>,
}

/// A bit that a feature sets, or needs to be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bit {
    /// The frame, counted from the tile's first.
    pub frame: u32,
    /// The bit, counted from the tile's first word.
    pub bit: u32,
    /// Whether it is set.
    pub set: bool,
}

/// What the database knows of a type of tile.
#[derive(Debug, Default)]
pub struct TileType {
    /// Bits of each feature, with its configuration bus. Of a feature with several bits each has its index.
    bits: HashMap<(String, u32), (&'static str, Vec<Bit>)>,
    /// Features that take no bits.
    free: std::collections::HashSet<String>,
}

/// The database of a family, with the grid of a device.
pub struct Database {
    folder: PathBuf,
    /// The tiles by name.
    pub tiles: HashMap<String, Tile>,
    types: HashMap<String, TileType>,
}

impl Database {
    /// Reads the grid of a device, as `xc7a200t`.
    pub fn read(folder: &Path, device: &str) -> Result<Database> {
        let grid = folder.join(device).join("tilegrid.json");
        let text = std::fs::read(&grid).with_context(|| format!("cannot read {}", grid.display()))?;
        let tiles =
            serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", grid.display()))?;
        Ok(Database { folder: folder.to_path_buf(), tiles, types: HashMap::new() })
    }

    /// The bits of a feature of a tile type (`CLBLL_L`, `SLICEL_X0.AFF.ZINI`), with their configuration bus; none for a
    /// connection that needs no bits.
    pub fn feature(
        &mut self,
        kind: &str,
        feature: &str,
        index: u32,
    ) -> Result<Option<(&'static str, &[Bit])>> {
        if !self.types.contains_key(kind) {
            let read = TileType::read(&self.folder, kind)?;
            self.types.insert(kind.to_owned(), read);
        }
        let known = &self.types[kind];
        match known.bits.get(&(feature.to_owned(), index)) {
            Some((bus, bits)) => Ok(Some((bus, bits))),
            None if known.free.contains(feature) => Ok(None),
            None => bail!("the database has no feature {feature}[{index}] of tiles {kind}"),
        }
    }
}

impl TileType {
    fn read(folder: &Path, kind: &str) -> Result<TileType> {
        let name = kind.to_lowercase();
        let mut found = TileType::default();
        for (file, bus) in [
            (format!("segbits_{name}.db"), "CLB_IO_CLK"),
            (format!("segbits_{name}.block_ram.db"), "BLOCK_RAM"),
        ] {
            for line in lines(&folder.join(file))? {
                found.add_bits(kind, &line, bus).with_context(|| format!("bits of tiles {kind}: {line}"))?;
            }
        }
        for line in lines(&folder.join(format!("ppips_{name}.db")))? {
            if let Some(feature) = line.split_whitespace().next().and_then(|word| of_kind(kind, word)) {
                found.free.insert(feature.to_owned());
            }
        }
        Ok(found)
    }

    /// A line `KIND.FEATURE[INDEX] 31_06 !30_07 …`: frames and bits, those with `!` zero.
    fn add_bits(&mut self, kind: &str, line: &str, bus: &'static str) -> Result<()> {
        let mut words = line.split_whitespace();
        let Some(name) = words.next().and_then(|word| of_kind(kind, word)) else { return Ok(()) };
        let (name, index) = match name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
            Some((name, index)) => (name, index.parse()?),
            None => (name, 0),
        };
        let bit = |word: &str| {
            let (set, place) = match word.strip_prefix('!') {
                Some(place) => (false, place),
                None => (true, word),
            };
            let (frame, bit) = place.split_once('_').context("a bit is frame_bit")?;
            Ok(Bit { frame: frame.parse()?, bit: bit.parse()?, set })
        };
        let bits = words.filter(|word| !word.starts_with('<')).map(bit).collect::<Result<Vec<Bit>>>()?;
        self.bits.insert((name.to_owned(), index), (bus, bits));
        Ok(())
    }
}

fn of_kind<'a>(kind: &str, word: &'a str) -> Option<&'a str> {
    word.strip_prefix(kind)?.strip_prefix('.')
}

/// The lines of a file; none where there is no such file, since types without bits have none.
fn lines(path: &Path) -> Result<Vec<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_bits_are_understood() {
        let mut kind = TileType::default();
        kind.add_bits("CLB", "CLB.X0.AFF.ZINI 31_06 !01_07", "CLB_IO_CLK").unwrap();
        kind.add_bits("CLB", "CLB.X0.ALUT.INIT[09] 32_15", "CLB_IO_CLK").unwrap();
        kind.add_bits("CLB", "CLBLM.X0.AFF.ZINI 1_1", "CLB_IO_CLK").unwrap();
        let bits =
            |feature: &str, index| kind.bits.get(&(feature.to_owned(), index)).map(|(_, bits)| bits.clone());
        let expected = vec![Bit { frame: 31, bit: 6, set: true }, Bit { frame: 1, bit: 7, set: false }];
        assert_eq!(bits("X0.AFF.ZINI", 0), Some(expected));
        assert_eq!(bits("X0.ALUT.INIT", 9), Some(vec![Bit { frame: 32, bit: 15, set: true }]));
        assert_eq!(kind.bits.len(), 2);
        assert!(kind.add_bits("CLB", "CLB.X 31-06", "CLB_IO_CLK").is_err());
    }
}
