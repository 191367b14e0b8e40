//! Board profiles: they choose shapes, never behaviour.

use crate::datapath::DatapathConfig;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Profiles that are built in, by name.
const BUILT_IN: &[(&str, &str)] = &[("sim-small", include_str!("../../bitstreams/sim-small/profile.toml"))];

/// What a board's card looks like; read from `bitstreams/<name>/profile.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name, as in `--card sim:NAME`.
    pub name: String,
    /// Board number that the card shows in its identification.
    pub board: u32,
    /// Clock in kHz: what timing closes at, or in simulation what is assumed.
    pub clock_khz: u32,
    /// Size of card memory in KiB.
    pub card_memory_kib: u32,
    /// Shape of the arithmetic pipelines.
    pub datapath: DatapathConfig,
    /// Shape of the MSM engine.
    pub msm: MsmProfile,
}

/// Shape of the MSM engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MsmProfile {
    /// Bits c of a signed digit, 3 to 16; the bucket memory holds W·2^(c−1) points.
    pub window_bits: u32,
    /// Number of point adders.
    pub adders: u32,
    /// Kind of point adder.
    pub adder: AdderKind,
    /// Entries of the FIFO that holds pairs ready for the adder, a power of two, 16 to 1,024.
    pub pair_fifo_depth: u32,
}

/// Kind of point adder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdderKind {
    /// Complete projective formulas: no exceptional case, fixed latency.
    Complete,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No built-in profile has this name and no file has this path.
    #[error("there is no profile {name}: built in are {known}; or give the path of a .toml file")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names of the built-in profiles.
        known: String,
    },
    /// The file cannot be read.
    #[error("cannot read the profile {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a profile.
    #[error("the profile {name} is not well formed: {source}")]
    Parse {
        /// Name or path.
        name: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("the profile {name} asks for {what}: {rule}")]
    Value {
        /// Name of the profile.
        name: String,
        /// The field and its value.
        what: String,
        /// What is allowed.
        rule: &'static str,
    },
}

impl Profile {
    /// Names of the built-in profiles.
    pub fn built_in() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The built-in profile of this name, or the profile in the file at this path (where it ends in `.toml`).
    pub fn load(name_or_path: &str) -> Result<Profile, ProfileError> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
            return Profile::parse(name_or_path, text);
        }
        if !name_or_path.ends_with(".toml") {
            let known = Profile::built_in().collect::<Vec<_>>().join(", ");
            return Err(ProfileError::Unknown { name: name_or_path.into(), known });
        }
        let path = Path::new(name_or_path);
        let text = std::fs::read_to_string(path)
            .map_err(|source| ProfileError::Read { path: path.into(), source })?;
        Profile::parse(name_or_path, &text)
    }

    /// Reads and checks a profile's text; `name` is used in errors.
    pub fn parse(name: &str, text: &str) -> Result<Profile, ProfileError> {
        let profile: Profile = toml::from_str(text)
            .map_err(|source| ProfileError::Parse { name: name.into(), source: Box::new(source) })?;
        profile.check()?;
        Ok(profile)
    }

    /// Number of windows W = ceil(255 / c): a scalar has 254 bits and the signed digits may carry once more.
    pub fn windows(&self) -> u32 {
        255u32.div_ceil(self.msm.window_bits)
    }

    /// Checks every value against its range; profiles that were loaded or parsed are.
    pub fn check(&self) -> Result<(), ProfileError> {
        let must = |ok: bool, what: String, rule: &'static str| match ok {
            true => Ok(()),
            false => Err(ProfileError::Value { name: self.name.clone(), what, rule }),
        };
        let (msm, path) = (&self.msm, &self.datapath);
        must((3..=16).contains(&msm.window_bits), format!("window_bits = {}", msm.window_bits), "3 to 16")?;
        must(msm.adders == 1, format!("adders = {}", msm.adders), "1 (more are not built yet)")?;
        must(
            msm.pair_fifo_depth.is_power_of_two() && (16..=1024).contains(&msm.pair_fifo_depth),
            format!("pair_fifo_depth = {}", msm.pair_fifo_depth),
            "a power of two, 16 to 1024",
        )?;
        must(
            path.tile.iter().all(|bits| (16..=256).contains(bits)),
            format!("tile = {:?}", path.tile),
            "each side 16 to 256 bits",
        )?;
        must(path.karatsuba_levels <= 4, format!("karatsuba_levels = {}", path.karatsuba_levels), "0 to 4")?;
        must(
            (16..=1024).contains(&path.chunk_bits),
            format!("chunk_bits = {}", path.chunk_bits),
            "16 to 1024",
        )?;
        must(
            (1..=64).contains(&path.levels_per_stage),
            format!("levels_per_stage = {}", path.levels_per_stage),
            "1 to 64",
        )?;
        must(path.tile_stages <= 6, format!("tile_stages = {}", path.tile_stages), "0 to 6")?;
        must(
            (1_000..=2_000_000).contains(&self.clock_khz),
            format!("clock_khz = {}", self.clock_khz),
            "1,000 to 2,000,000",
        )?;
        must(
            (64..=(1 << 28)).contains(&self.card_memory_kib),
            format!("card_memory_kib = {}", self.card_memory_kib),
            "64 to 2^28",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_is_sound_and_named_as_its_folder() {
        for (name, _) in BUILT_IN {
            assert_eq!(Profile::load(name).unwrap().name, *name);
        }
    }

    #[test]
    fn errors_name_the_field_and_the_rule() {
        let text = BUILT_IN[0].1.replace("window_bits = 8", "window_bits = 40");
        let error = Profile::parse("x", &text).unwrap_err().to_string();
        assert!(error.contains("window_bits = 40") && error.contains("3 to 16"), "{error}");
        let error = Profile::load("no-such-board").unwrap_err().to_string();
        assert!(error.contains("sim-small"), "{error}");
    }
}
