//! `spandrel-emit`: writes a unit, or the whole card, as Verilog.

use clap::Parser;
use serde::Serialize;
use spandrel_hdl::datapath::{DatapathConfig, Statistics};
use spandrel_hdl::emit::Emitted;
use spandrel_hdl::field::Prime;
use spandrel_hdl::pcie::emit_card;
use spandrel_hdl::profile::Profile;
use spandrel_hdl::units::{Unit, UnitOptions};
use spandrel_hdl::vendor;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a unit of the card, or the whole card, as Verilog
///
/// Units are pipelines that take new inputs every cycle, have no reset and never stall, but for batched_affine_adder, pcie_endpoint, poseidon and shared_pool. Their shape comes from a profile
/// or from `--config`; without either it is that for AMD UltraScale+. The last line on standard output is a JSON object: the
/// name of the top module, and for units the latency and what the generator counted.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
        spandrel-emit --unit mont_mul --out mont_mul.v\n  \
        spandrel-emit --unit field_unit --profile sim-small --out field_unit.v\n  \
        spandrel-emit --profile sim-small --out card.v\n  \
        spandrel-emit --profile alveo-u250 --revision 0123abcd --out card.v --wrapper wrapper.v\n  \
        spandrel-emit --unit mont_mul --prime fr --out m.v --config '{\"tile\":[26,17],\"karatsuba_levels\":2,\
        \"chunk_bits\":64,\"levels_per_stage\":1,\"tile_stages\":2,\"constant_products\":\"shift-add\"}'"
)]
struct Arguments {
    /// The unit: mont_mul, complete_adder, batched_affine_adder, field_unit, digit_source, pcie_endpoint, poseidon or shared_pool; without it, the whole card of a profile
    #[arg(long, required_unless_present = "profile")]
    unit: Option<Unit>,
    /// The profile whose shapes are used: the name of a built-in one, or the path of a .toml file
    #[arg(long)]
    profile: Option<String>,
    /// The pipelines' shape as JSON: the fields of a profile's `[datapath]`
    #[arg(long, conflicts_with = "profile", requires = "unit")]
    config: Option<String>,
    /// The field of mont_mul: fq (the points' coordinates) or fr (scalars); other units ignore it
    #[arg(long, default_value = "fq", value_parser = prime)]
    prime: Prime,
    /// Elements of a state of poseidon and shared_pool: 2 to 5; other units ignore it
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=5))]
    width: u8,
    /// Lanes of poseidon and shared_pool: 1 to 15; other units ignore it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=15))]
    lanes: u8,
    /// First 8 hexadecimal digits of the git revision that the card shows in its register GIT_REVISION; zeros stand for none
    #[arg(long, value_name = "HEX", default_value = "00000000", value_parser = revision, conflicts_with = "unit")]
    revision: u32,
    /// Write the card's wrapper in its vendor's shell beside the card: FILE, and FILE with `_boxes` before its ending for the vendor's blocks without insides
    #[arg(long, value_name = "FILE", conflicts_with = "unit")]
    wrapper: Option<PathBuf>,
    /// Digit-serial multipliers of serial_adder, serial_poseidon and serial_field_unit: 1, 2, 4 or 8; other units ignore it
    #[arg(long, default_value_t = 2, value_parser = multipliers)]
    multipliers: usize,
    /// Keep the insides of pipelines out of the waveforms of whatever is made from the text
    #[arg(long)]
    waveforms: bool,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

fn multipliers(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| [1, 2, 4, 8].contains(count));
    count.ok_or_else(|| format!("{text} multipliers are not offered: 1, 2, 4 and 8 are"))
}

fn prime(name: &str) -> Result<Prime, String> {
    let known = Prime::ALL.map(Prime::name).join(", ");
    Prime::ALL
        .into_iter()
        .find(|prime| prime.name() == name)
        .ok_or_else(|| format!("there is no field {name}: fields are {known}"))
}

fn revision(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 16) {
        Ok(revision) if text.len() == 8 => Ok(revision),
        _ => Err("a revision is 8 hexadecimal digits, as the first of `git rev-parse HEAD`".to_owned()),
    }
}

/// What was written.
#[derive(Serialize)]
struct Summary {
    top: String,
    bytes: usize,
    /// Name of the wrapper's top module, if one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapper: Option<String>,
    #[serde(flatten)]
    statistics: Option<Statistics>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let mut wrapper = None;
    let (emitted, statistics) = match arguments.unit {
        Some(unit) => {
            let options = UnitOptions {
                prime: arguments.prime,
                width: arguments.width.into(),
                lanes: arguments.lanes.into(),
                multipliers: arguments.multipliers,
            };
            let (emitted, statistics) = unit.emitted(&options, &config(arguments)?)?;
            (emitted, Some(statistics))
        }
        None => {
            let profile = Profile::load(arguments.profile.as_deref().unwrap_or_default())?;
            let card = emit_card(&profile, arguments.revision)?;
            wrapper = match &arguments.wrapper {
                Some(path) => Some(write_wrapper(&profile, &card, path)?),
                None => None,
            };
            (card, None)
        }
    };
    let text = if arguments.waveforms { emitted.verilog_for_waveforms() } else { emitted.verilog };
    write(&arguments.out, &text)?;
    let summary = Summary { top: emitted.top, bytes: text.len(), wrapper, statistics };
    Ok(serde_json::to_string(&summary)?)
}

/// The pipelines' shape that was asked for, checked as that of a profile is.
fn config(arguments: &Arguments) -> Result<DatapathConfig, Box<dyn Error>> {
    if let Some(name) = &arguments.profile {
        return Ok(Profile::load(name)?.datapath);
    }
    let Some(text) = &arguments.config else { return Ok(DatapathConfig::ultrascale()) };
    let config: DatapathConfig =
        serde_json::from_str(text).map_err(|error| format!("--config is not a shape: {error}"))?;
    // The ranges of a shape are a profile's.
    let profile = Profile { name: "--config".into(), datapath: config, ..Profile::load("sim-small")? };
    profile.check()?;
    Ok(profile.datapath)
}

/// Writes the wrapper and its black boxes, and gives the name of its top module.
fn write_wrapper(profile: &Profile, card: &Emitted, path: &Path) -> Result<String, Box<dyn Error>> {
    let wrapper = vendor::wrapper(profile, card)?;
    write(path, &wrapper.verilog)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    write(&path.with_file_name(format!("{stem}_boxes.{ending}")), &wrapper.black_boxes)?;
    Ok(wrapper.top)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
