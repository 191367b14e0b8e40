//! Board profiles: they choose shapes, never behaviour.

use crate::curve::Curve;
use crate::datapath::{DatapathConfig, Multipliers};
use serde::{Deserialize, Serialize};
use spandrel_abi::{POSEIDON_MAX_WIDTH, POSEIDON_MIN_WIDTH, SERIAL_BAUD, SERIAL_LEAST_DIVISOR};
use std::path::{Path, PathBuf};

/// Profiles that are built in, by name.
const BUILT_IN: &[(&str, &str)] = &[
    ("sim-small", include_str!("../../bitstreams/sim-small/profile.toml")),
    ("sim-batched", include_str!("../../bitstreams/sim-batched/profile.toml")),
    ("sim-batched-2", include_str!("../../bitstreams/sim-batched-2/profile.toml")),
    ("sim-batched-4", include_str!("../../bitstreams/sim-batched-4/profile.toml")),
    ("sim-wide", include_str!("../../bitstreams/sim-wide/profile.toml")),
    ("sim-cycle", include_str!("../../bitstreams/sim-cycle/profile.toml")),
    ("sim-grumpkin", include_str!("../../bitstreams/sim-grumpkin/profile.toml")),
    ("sim-poseidon", include_str!("../../bitstreams/sim-poseidon/profile.toml")),
    ("sim-merkle", include_str!("../../bitstreams/sim-merkle/profile.toml")),
    ("sim-shared", include_str!("../../bitstreams/sim-shared/profile.toml")),
    ("sim-pcie", include_str!("../../bitstreams/sim-pcie/profile.toml")),
    ("sim-pcie-512", include_str!("../../bitstreams/sim-pcie-512/profile.toml")),
    ("sim-serial", include_str!("../../bitstreams/sim-serial/profile.toml")),
    ("alveo-u250", include_str!("../../bitstreams/alveo-u250/profile.toml")),
    ("alveo-u55c", include_str!("../../bitstreams/alveo-u55c/profile.toml")),
    ("aws-f2", include_str!("../../bitstreams/aws-f2/profile.toml")),
    ("acorn-cle215", include_str!("../../bitstreams/acorn-cle215/profile.toml")),
    ("ulx3s-85f", include_str!("../../bitstreams/ulx3s-85f/profile.toml")),
];

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
    /// The widths of the Poseidon engine, ascending; a card without any has no such engine.
    #[serde(default)]
    pub poseidon: Vec<PoseidonProfile>,
    /// The PCIe endpoint; a card without one has its buses as ports.
    #[serde(default)]
    pub pcie: Option<PcieProfile>,
    /// Digit-serial multipliers, for boards on which no pipeline with a multiplier for each product fits.
    #[serde(default)]
    pub digit_serial: Option<DigitSerial>,
    /// The serial line; a card with one has its memory on the chip, and no other ports.
    #[serde(default)]
    pub serial: Option<SerialProfile>,
}

/// Shape of the serial shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialProfile {
    /// Bit rate after power-on.
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// Cycles for which the line may be at rest before the card repeats a request to the host; without it, those of 100 ms.
    #[serde(default)]
    pub timeout_cycles: Option<u32>,
    /// How often the card sends a request before it gives it up.
    #[serde(default = "default_attempts")]
    pub attempts: u8,
}

impl SerialProfile {
    /// Cycles of a bit after power-on at a clock, and 0 where the rate is 0.
    pub fn divisor(&self, clock_khz: u32) -> u64 {
        (u64::from(clock_khz) * 1000 + u64::from(self.baud) / 2).checked_div(self.baud.into()).unwrap_or(0)
    }

    /// Cycles for which the line may be at rest, at a clock.
    pub fn timeout(&self, clock_khz: u32) -> u32 {
        self.timeout_cycles.unwrap_or(clock_khz.saturating_mul(100))
    }
}

fn default_baud() -> u32 {
    SERIAL_BAUD
}

fn default_attempts() -> u8 {
    32
}

/// Processors with digit-serial multipliers, instead of pipelines with a multiplier for each product: a processor serves each
/// point adder, each Poseidon core and the field unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigitSerial {
    /// Bits of a digit: 16, for which the multiplier is laid out. Each multiplier is 33 tiles of 16 x 16 bits and gives a
    /// product every 16 cycles.
    pub digit_bits: u32,
    /// Multipliers of each point adder: 1, 2, 4 or 8.
    pub adder_multipliers: u32,
    /// Multipliers of each lane of each Poseidon core: 1, 2, 4 or 8.
    pub poseidon_multipliers: u32,
    /// Multipliers of the field unit: 1, 2, 4 or 8.
    pub field_multipliers: u32,
}

/// The lanes of one width of the Poseidon engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoseidonProfile {
    /// Elements t of the state, 2 to 5.
    pub width: u32,
    /// Lanes, 1 to 15, each with 2·t + 2 multipliers.
    pub lanes: u32,
    /// Whose multipliers they are: the lanes' own, or one pool that serves the MSM engine's adders too, which take turns
    /// with the lanes.
    #[serde(default)]
    pub multipliers: Multipliers,
}

/// Shape of the PCIe endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcieProfile {
    /// Width of the hard block's streams: 256 or 512 bits.
    pub stream_bits: u32,
    /// Read requests that may be outstanding, each of up to 512 bytes: 32, for which the tags are laid out.
    #[serde(default = "default_read_tags")]
    pub read_tags: u32,
    /// Cycles after which a read request without all its completions is given up.
    pub completion_timeout_cycles: u32,
}

fn default_read_tags() -> u32 {
    crate::pcie::SLOTS as u32
}

/// Shape of the MSM engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MsmProfile {
    /// Bits c of a signed digit that a job may choose, ascending, 3 to 16 each. The bucket memory is as large as the
    /// choice that needs most of it: W·2^(c−1) points for the W windows of all adders together.
    pub window_bits: Vec<u32>,
    /// Number of point adders, 1 to 16, each with its own buckets; they divide the windows.
    pub adders: u32,
    /// Kind of point adder.
    pub adder: AdderKind,
    /// The curves that a job may choose, one or both, [`Curve::Bn254`] first: each has cores of its own.
    #[serde(default = "default_curves")]
    pub curves: Vec<Curve>,
    /// Entries of the FIFO that holds pairs ready for the adder, a power of two: 16 to 1,024 for the complete adder;
    /// for the batched one 64 to 16,384, at best four batches and more, because all that is in it comes back to here.
    pub pair_fifo_depth: u32,
    /// Pairs of a batch, which share an inverse: a power of two, 16 to 1,024. Only the batched-affine adder has it.
    #[serde(default = "default_batch_pairs")]
    pub batch_pairs: u32,
}

fn default_curves() -> Vec<Curve> {
    vec![Curve::Bn254]
}

fn default_batch_pairs() -> u32 {
    1024
}

/// Kind of point adder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdderKind {
    /// Complete projective formulas: no exceptional case, fixed latency.
    Complete,
    /// Affine formulas, one inverse for a batch of pairs: half the multipliers and two thirds of the memory, and a
    /// latency of a few batches.
    BatchedAffine,
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

    /// The largest window bits that a job may choose; 0 where the list is empty, which no checked profile's is.
    pub fn largest_window_bits(&self) -> u32 {
        self.msm.window_bits.iter().copied().max().unwrap_or_default()
    }

    /// The first of the curves: the one that is modelled, and tested by a card itself.
    pub fn first_curve(&self) -> Curve {
        self.msm.curves.first().copied().unwrap_or_default()
    }

    /// The shape of the point adders' pipelines: they share their multipliers where any Poseidon lanes do.
    pub fn adder_datapath(&self) -> DatapathConfig {
        let shared = self.poseidon.iter().any(|core| core.multipliers == Multipliers::Shared);
        let multipliers = if shared { Multipliers::Shared } else { Multipliers::Own };
        DatapathConfig { multipliers, ..self.datapath.clone() }
    }

    /// The shape of these Poseidon lanes' pipelines.
    pub fn poseidon_datapath(&self, core: &PoseidonProfile) -> DatapathConfig {
        DatapathConfig { multipliers: core.multipliers, ..self.datapath.clone() }
    }

    /// Checks every value against its range; profiles that were loaded or parsed are.
    pub fn check(&self) -> Result<(), ProfileError> {
        let must = |ok: bool, what: String, rule: &'static str| match ok {
            true => Ok(()),
            false => Err(ProfileError::Value { name: self.name.clone(), what, rule }),
        };
        let (msm, path) = (&self.msm, &self.datapath);
        must(
            [&[Curve::Bn254][..], &[Curve::Grumpkin], &Curve::ALL].contains(&&msm.curves[..]),
            format!("curves = {:?}", msm.curves),
            "[\"bn254\"], [\"grumpkin\"] or [\"bn254\", \"grumpkin\"]",
        )?;
        must(
            !msm.window_bits.is_empty()
                && msm.window_bits.iter().all(|bits| (3..=16).contains(bits))
                && msm.window_bits.is_sorted_by(|low, high| low < high),
            format!("window_bits = {:?}", msm.window_bits),
            "a list of one or more, ascending, each 3 to 16",
        )?;
        must((1..=16).contains(&msm.adders), format!("adders = {}", msm.adders), "1 to 16")?;
        let (depths, rule) = match msm.adder {
            AdderKind::Complete => (16..=1024, "a power of two, 16 to 1024 for the complete adder"),
            AdderKind::BatchedAffine => {
                (64..=16_384, "a power of two, 64 to 16384 for the batched-affine adder")
            }
        };
        must(
            msm.pair_fifo_depth.is_power_of_two() && depths.contains(&msm.pair_fifo_depth),
            format!("pair_fifo_depth = {}", msm.pair_fifo_depth),
            rule,
        )?;
        must(
            msm.batch_pairs.is_power_of_two() && (16..=1024).contains(&msm.batch_pairs),
            format!("batch_pairs = {}", msm.batch_pairs),
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
        )?;
        must(
            self.poseidon.is_sorted_by(|low, high| low.width < high.width),
            format!("widths {:?}", self.poseidon.iter().map(|core| core.width).collect::<Vec<_>>()),
            "the [[poseidon]] tables are ascending by width, each width once",
        )?;
        for core in &self.poseidon {
            must(
                (POSEIDON_MIN_WIDTH..=POSEIDON_MAX_WIDTH).contains(&core.width),
                format!("width = {}", core.width),
                "2 to 5",
            )?;
            must((1..=15).contains(&core.lanes), format!("lanes = {}", core.lanes), "1 to 15")?;
            must(
                core.multipliers == Multipliers::Own || msm.curves.contains(&Curve::Bn254),
                format!("multipliers = \"shared\" and curves = {:?}", msm.curves),
                "\"shared\" needs the curve bn254, with whose adders the lanes share",
            )?;
        }
        if let Some(serial) = &self.digit_serial {
            must(serial.digit_bits == 16, format!("digit_bits = {}", serial.digit_bits), "16")?;
            for (name, count) in [
                ("adder_multipliers", serial.adder_multipliers),
                ("poseidon_multipliers", serial.poseidon_multipliers),
                ("field_multipliers", serial.field_multipliers),
            ] {
                must([1, 2, 4, 8].contains(&count), format!("{name} = {count}"), "1, 2, 4 or 8")?;
            }
            must(
                msm.adder == AdderKind::Complete,
                "[digit_serial] and adder = \"batched-affine\"".into(),
                "digit-serial multipliers need adder = \"complete\"",
            )?;
            must(
                self.poseidon.iter().all(|core| core.multipliers == Multipliers::Own),
                "[digit_serial] and multipliers = \"shared\"".into(),
                "digit-serial multipliers are not shared",
            )?;
        }
        if let Some(serial) = &self.serial {
            must(self.pcie.is_none(), "[serial] and [pcie]".to_owned(), "a card has one shell")?;
            let divisor = serial.divisor(self.clock_khz);
            must(
                (u64::from(SERIAL_LEAST_DIVISOR)..=u64::from(u16::MAX)).contains(&divisor),
                format!("baud = {}", serial.baud),
                "a bit takes 4 to 65,535 cycles of the clock",
            )?;
            must(
                (1024..=(1 << 31)).contains(&serial.timeout(self.clock_khz)),
                format!("timeout_cycles = {}", serial.timeout(self.clock_khz)),
                "1,024 to 2^31",
            )?;
            must(serial.attempts >= 1, format!("attempts = {}", serial.attempts), "1 to 255")?;
            must(
                self.card_memory_kib.is_multiple_of(4) && self.card_memory_kib <= 4092,
                format!("card_memory_kib = {}", self.card_memory_kib),
                "a multiple of 4, at most 4,092 where the memory is on the chip",
            )?;
        }
        let Some(pcie) = &self.pcie else { return Ok(()) };
        must(
            [256, 512].contains(&pcie.stream_bits),
            format!("stream_bits = {}", pcie.stream_bits),
            "256 or 512",
        )?;
        must(pcie.read_tags == default_read_tags(), format!("read_tags = {}", pcie.read_tags), "32")?;
        must(
            (256..=(1 << 30)).contains(&pcie.completion_timeout_cycles),
            format!("completion_timeout_cycles = {}", pcie.completion_timeout_cycles),
            "256 to 2^30",
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
        let text = BUILT_IN[0].1;
        let refused = |from: &str, to: &str, rule: &str| {
            assert!(text.contains(from), "{from} is not in the profile");
            let error = Profile::parse("x", &text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(to) && error.contains(rule), "{error}");
        };
        refused("window_bits = [4, 8]", "window_bits = [4, 40]", "3 to 16");
        refused("window_bits = [4, 8]", "window_bits = [8, 4]", "ascending");
        refused("window_bits = [4, 8]", "window_bits = [8, 8]", "ascending");
        refused("window_bits = [4, 8]", "window_bits = []", "one or more");
        refused("adders = 1", "adders = 17", "1 to 16");
        refused("pair_fifo_depth = 64", "pair_fifo_depth = 48", "a power of two");
        refused("pair_fifo_depth = 64", "pair_fifo_depth = 2048", "complete adder");
        let batched = text.replace("\"complete\"", "\"batched-affine\"\nbatch_pairs = 8");
        let error = Profile::parse("x", &batched).unwrap_err().to_string();
        assert!(error.contains("batch_pairs = 8"), "{error}");
        let poseidon = |table: &str| {
            let text = format!("{text}\n{table}");
            Profile::parse("x", &text).map_err(|error| error.to_string())
        };
        let table = |width: u32, lanes: u32| format!("[[poseidon]]\nwidth = {width}\nlanes = {lanes}\n");
        let sound = poseidon(&(table(3, 2) + &table(5, 15))).unwrap().poseidon;
        assert_eq!(sound.iter().map(|core| (core.width, core.lanes)).collect::<Vec<_>>(), [(3, 2), (5, 15)]);
        for (tables, rule) in [
            (table(1, 1), "2 to 5"),
            (table(6, 1), "2 to 5"),
            (table(3, 0), "1 to 15"),
            (table(3, 16), "1 to 15"),
            (table(3, 1) + &table(3, 1), "ascending"),
            (table(5, 1) + &table(3, 1), "ascending"),
        ] {
            let error = poseidon(&tables).unwrap_err();
            assert!(error.contains(rule), "{error}");
        }
        let grumpkin = text.replace("adders = 1", "adders = 1\ncurves = [\"grumpkin\"]");
        let shared = format!("{grumpkin}\n{}multipliers = \"shared\"\n", table(3, 1));
        let error = Profile::parse("x", &shared).unwrap_err().to_string();
        assert!(error.contains("needs the curve bn254"), "{error}");
        let pcie = |table: &str| {
            let text = format!("{text}\n[pcie]\n{table}");
            Profile::parse("x", &text).map_err(|error| error.to_string())
        };
        let sound = pcie("stream_bits = 512\ncompletion_timeout_cycles = 1000").unwrap().pcie.unwrap();
        assert_eq!((sound.stream_bits, sound.read_tags), (512, 32));
        let error = pcie("stream_bits = 128\ncompletion_timeout_cycles = 1000").unwrap_err();
        assert!(error.contains("stream_bits = 128") && error.contains("256 or 512"), "{error}");
        let error = pcie("stream_bits = 256\ncompletion_timeout_cycles = 0").unwrap_err();
        assert!(error.contains("completion_timeout_cycles = 0"), "{error}");
        let error = pcie("stream_bits = 256\nread_tags = 16\ncompletion_timeout_cycles = 1000").unwrap_err();
        assert!(error.contains("read_tags = 16"), "{error}");
        let serial = |digit_bits: u32, field_multipliers: u32| {
            let table = format!(
                "[digit_serial]\ndigit_bits = {digit_bits}\nadder_multipliers = 4\nposeidon_multipliers = 2\n\
                 field_multipliers = {field_multipliers}"
            );
            Profile::parse("x", &format!("{text}\n{table}")).map_err(|error| error.to_string())
        };
        assert_eq!(serial(16, 1).unwrap().digit_serial.unwrap().adder_multipliers, 4);
        let error = serial(32, 1).unwrap_err();
        assert!(error.contains("digit_bits = 32"), "{error}");
        let error = serial(16, 3).unwrap_err();
        assert!(error.contains("field_multipliers = 3") && error.contains("1, 2, 4 or 8"), "{error}");
        let serial = |table: &str| {
            let text = format!("{text}\n[serial]\n{table}")
                .replace("card_memory_kib = 65536", "card_memory_kib = 512");
            Profile::parse("x", &text).map_err(|error| error.to_string())
        };
        let sound = serial("").unwrap().serial.unwrap();
        assert_eq!(
            (sound.baud, sound.divisor(250_000), sound.timeout(250_000)),
            (1_000_000, 250, 25_000_000)
        );
        for (table, rule) in [
            ("baud = 0", "4 to 65,535 cycles"),
            ("baud = 100000000", "4 to 65,535 cycles"),
            ("timeout_cycles = 10", "1,024 to 2^31"),
            ("attempts = 0", "1 to 255"),
        ] {
            let error = serial(table).unwrap_err();
            assert!(error.contains(table) && error.contains(rule), "{error}");
        }
        let error = Profile::parse("x", &format!("{text}\n[serial]\n")).unwrap_err().to_string();
        assert!(error.contains("at most 4,092"), "{error}");
        let error = Profile::load("no-such-board").unwrap_err().to_string();
        assert!(error.contains("sim-small"), "{error}");
    }
}
