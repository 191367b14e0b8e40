//! Cards that this process simulates.

use super::args::CardArgs;
use super::card::Listed;
use super::error::CliError;
use super::open::no_such_card;
use super::report::curve_name;
use spandrel_hdl::profile::{AdderKind, Profile, ProfileError};
use spandrel_sim::{InProcess, SimOptions};

/// The profile of `--card sim`.
const DEFAULT_PROFILE: &str = "sim-small";

/// Builds (or finds) the model and starts the simulation, without a driver.
pub(super) fn open_simulated(arguments: &CardArgs) -> Result<(InProcess, Profile), CliError> {
    let profile = profile(arguments.card.as_deref(), DEFAULT_PROFILE)?;
    let options = SimOptions {
        seed: arguments.stalls.unwrap_or(0),
        stalls: arguments.stalls.is_some(),
        trace: arguments.trace.clone(),
    };
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
