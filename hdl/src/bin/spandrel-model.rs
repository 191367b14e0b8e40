//! `spandrel-model`: runs the cycle model of a profile's engine.

use clap::Parser;
use serde::Serialize;
use spandrel_hdl::datapath::{DatapathConfig, Multipliers};
use spandrel_hdl::model::hashes::HashModel;
use spandrel_hdl::model::scalars::{Scalars, elements};
use spandrel_hdl::model::{EngineModel, combined, run};
use spandrel_hdl::profile::{PoseidonProfile, Profile};
use std::error::Error;
use std::process::ExitCode;

/// Run the cycle model of a profile's MSM engine, or that of its hashes
///
/// Prints one line of JSON for each number of points; with --leaves, for each width of Poseidon states, with multipliers of
/// its own and shared ones. The model steps through the engine's registers with discrete
/// logarithms in the points' place, and holds the sum that comes out against the one that must.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
    spandrel-model --profile sim-batched --window-bits 10 --points 4096,65536\n  \
    spandrel-model --profile alveo-u250 --adders 6 --window-bits 15 --points 1048576\n  \
    spandrel-model --profile alveo-u250 --leaves 65536"
)]
struct Arguments {
    /// The profile: the name of a built-in one, or the path of a .toml file
    #[arg(long)]
    profile: String,
    /// Another number of adders than the profile's
    #[arg(long)]
    adders: Option<u32>,
    /// Window bits of the job; they need not be among the profile's
    #[arg(long, required_unless_present = "leaves")]
    window_bits: Option<u32>,
    /// Another shape of the pipelines than the profile's, as JSON
    #[arg(long)]
    config: Option<String>,
    /// Numbers of points
    #[arg(long, value_delimiter = ',', required_unless_present = "leaves")]
    points: Vec<u64>,
    /// Leaves of trees to build: hashes are modelled instead
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["points", "window_bits"])]
    leaves: Vec<u64>,
    /// uniform, one, equal, witness or same-point
    #[arg(long, default_value = "uniform", value_parser = scalars)]
    scalars: Scalars,
}

fn scalars(name: &str) -> Result<Scalars, String> {
    let known = Scalars::ALL.map(Scalars::name).join(", ");
    Scalars::ALL
        .into_iter()
        .find(|scalars| scalars.name() == name)
        .ok_or_else(|| format!("there are no scalars {name}: known are {known}"))
}

/// A job of the model.
#[derive(Serialize)]
struct Report {
    points: u64,
    cycles: u64,
    bucket_cycles: u64,
    reduction_cycles: u64,
    digits: u64,
    additions: u64,
    additions_per_cycle: f64,
    idle_cycles: u64,
    most_pairs: usize,
}

/// The hashes of one width.
#[derive(Serialize)]
struct Hashes {
    width: u32,
    lanes: u64,
    multipliers: Multipliers,
    passes: u64,
    pass_cycles: u64,
    latency_cycles: u64,
    cycles_per_hash: f64,
    builds: Vec<Build>,
}

/// The build of a tree.
#[derive(Serialize)]
struct Build {
    leaves: u64,
    cycles: u64,
}

fn main() -> ExitCode {
    match report(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut profile = Profile::load(&arguments.profile)?;
    if !arguments.leaves.is_empty() {
        return hashes(&profile, &arguments.leaves);
    }
    profile.msm.window_bits = arguments.window_bits.into_iter().collect();
    profile.msm.adders = arguments.adders.unwrap_or(profile.msm.adders);
    if let Some(text) = &arguments.config {
        profile.datapath = serde_json::from_str::<DatapathConfig>(text)
            .map_err(|error| format!("--config is not a shape: {error}"))?;
    }
    profile.check()?;
    let model = EngineModel::of(&profile);
    for points in &arguments.points {
        let mut element = elements(arguments.scalars);
        let mut sum = 0u64;
        let outcome = run(&model, 0, *points, || {
            let element = element();
            sum = sum.wrapping_add(element.scalar[0].wrapping_mul(element.point));
            element
        });
        if combined(&model, 0, &outcome) != sum {
            return Err(format!("the model's own sum of {points} points is wrong").into());
        }
        let report = Report {
            points: *points,
            cycles: outcome.cycles,
            bucket_cycles: outcome.bucket_cycles,
            reduction_cycles: outcome.reduction_cycles,
            digits: outcome.digits,
            additions: outcome.additions,
            additions_per_cycle: outcome.additions_per_cycle(),
            idle_cycles: outcome.cores.iter().map(|core| core.idle_cycles).sum(),
            most_pairs: outcome.cores.iter().map(|core| core.most_pairs).max().unwrap_or_default(),
        };
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}

fn hashes(profile: &Profile, leaves: &[u64]) -> Result<(), Box<dyn Error>> {
    for core in &profile.poseidon {
        for multipliers in [Multipliers::Own, Multipliers::Shared] {
            let model = HashModel::of(profile, &PoseidonProfile { multipliers, ..core.clone() })?;
            let build = |leaves: &u64| Some(Build { leaves: *leaves, cycles: model.build_cycles(*leaves)? });
            let report = Hashes {
                width: model.width,
                lanes: model.lanes,
                multipliers,
                passes: model.passes,
                pass_cycles: model.slots,
                latency_cycles: model.latency_cycles,
                cycles_per_hash: model.cycles_per_hash(),
                builds: leaves.iter().filter_map(build).collect(),
            };
            println!("{}", serde_json::to_string(&report)?);
        }
    }
    Ok(())
}
