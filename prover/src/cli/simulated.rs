//! Cards that this process simulates.

use super::args::CardArgs;
use super::card::Listed;
use super::error::CliError;
use super::open::no_such_card;
use super::report::curve_name;
use spandrel_hdl::profile::{AdderKind, Profile, ProfileError};
use spandrel_driver::Transport;
use spandrel_sim::serial::{InProcessSerial, SerialOptions};
use spandrel_sim::{InProcess, SimOptions};

/// The profile of `--card sim`.
const DEFAULT_PROFILE: &str = "sim-small";

/// The way to a simulated card, whatever its profile's shell is.
pub(super) fn open_in_process(arguments: &CardArgs) -> Result<Box<dyn Transport>, CliError> {
    let profile = profile(arguments.card.as_deref(), DEFAULT_PROFILE)?;
    if profile.serial.is_none() {
        return Ok(Box::new(open_simulated(arguments)?.0));
    }
    check_stalls(&profile, arguments.stalls)?;
    match InProcessSerial::new(&profile, &options(arguments), SerialOptions::default()) {
        Ok(transport) => Ok(Box::new(transport)),
        Err(error) => Err(card_error(&profile, error.into())),
    }
}

/// A card behind a serial line has no buses that could be slow.
pub(super) fn check_stalls(profile: &Profile, stalls: Option<u64>) -> Result<(), CliError> {
    match stalls {
        Some(_) if profile.serial.is_some() => Err(CliError::Usage(format!(
            "--stalls is for memories outside of the card, and the card sim:{} has its own behind a serial line: leave it out",
            profile.name
        ))),
        _ => Ok(()),
    }
}

fn options(arguments: &CardArgs) -> SimOptions {
    SimOptions {
        seed: arguments.stalls.unwrap_or(0),
        stalls: arguments.stalls.is_some(),
        trace: arguments.trace.clone(),
    }
}

/// Builds (or finds) the model and starts the simulation, without a driver; for a card with buses or on PCI Express.
pub(super) fn open_simulated(arguments: &CardArgs) -> Result<(InProcess, Profile), CliError> {
    let profile = profile(arguments.card.as_deref(), DEFAULT_PROFILE)?;
    let options = options(arguments);
    match InProcess::new(&profile, options) {
        Ok(transport) => Ok((transport, profile)),
        Err(error) => Err(card_error(&profile, error.into())),
    }
}

/// The simulated card could not be had.
pub(super) fn card_error(profile: &Profile, source: Box<dyn std::error::Error + Send + Sync>) -> CliError {
    CliError::Card { card: format!("card sim:{}", profile.name), source }
}

/// The profile that `sim` (then it is `default`) or `sim:PROFILE` names.
pub(super) fn profile(card: Option<&str>, default: &str) -> Result<Profile, CliError> {
    let name = match card {
        None | Some("sim") => default,
        Some(card) => {
            card.strip_prefix("sim:").filter(|name| !name.is_empty()).ok_or_else(|| no_such_card(card))?
        }
    };
    Profile::load(name).map_err(|error| match error {
        ProfileError::Unknown { .. } => CliError::Usage(error.to_string()),
        error => CliError::Input(error.to_string()),
    })
}

/// The simulated cards that are built in.
pub(super) fn simulated_cards() -> Result<Vec<Listed>, CliError> {
    let list = |name: &str| {
        let profile = Profile::load(name).map_err(|error| CliError::Other(error.to_string()))?;
        Ok(Listed {
            card: format!("sim:{name}"),
            kind: "simulated",
            clock_khz: profile.clock_khz,
            card_memory_kib: profile.card_memory_kib,
            msm_curves: profile.msm.curves.iter().map(|curve| curve_name(curve.id())).collect(),
            msm_window_bits: profile.msm.window_bits,
            msm_adder: match profile.msm.adder {
                AdderKind::Complete => "complete",
                AdderKind::BatchedAffine => "batched-affine",
            },
            msm_adders: profile.msm.adders,
        })
    };
    Profile::built_in().map(list).collect()
}
