//! From what --card says to an open card.

use super::args::CardArgs;
use super::card::Listed;
use super::error::CliError;

#[cfg(feature = "sim")]
pub(super) use simulated::{open_driver, open_simulated, simulated_cards};

#[cfg(not(feature = "sim"))]
pub(super) fn open_driver(
    arguments: &CardArgs,
    options: spandrel_driver::CardOptions,
) -> Result<spandrel_driver::Card, CliError> {
    match arguments.card.as_deref().filter(|name| spandrel_driver::is_pci_name(name)) {
        Some(name) => super::card_bus::open_on_bus(name, options),
        None => Err(CliError::Usage(
            "this build has no simulated card: give a card of the PCI bus, use --backend cpu, or build with the feature \
             `sim`"
                .to_owned(),
        )),
    }
}

#[cfg(not(feature = "sim"))]
pub(super) fn simulated_cards() -> Result<Vec<Listed>, CliError> {
    Ok(Vec::new())
}

#[cfg(feature = "sim")]
mod simulated {
    use super::{CardArgs, CliError, Listed};
    use crate::cli::card_bus::open_on_bus;
    use crate::cli::report::curve_name;
    use spandrel_driver::{Card, CardOptions, is_pci_name};
    use spandrel_hdl::profile::{AdderKind, Profile, ProfileError};
    use spandrel_sim::{InProcess, SimOptions};

    /// The profile of `--card sim`.
    const DEFAULT_PROFILE: &str = "sim-small";

    /// Opens the card, ready for commands.
    pub(in crate::cli) fn open_driver(arguments: &CardArgs, options: CardOptions) -> Result<Card, CliError> {
        if let Some(name) = arguments.card.as_deref().filter(|name| is_pci_name(name)) {
            return open_on_bus(name, options);
        }
        let (transport, profile) = open_simulated(arguments)?;
        let failed = |source| card_error(&profile, source);
        Card::open(Box::new(transport), options).map_err(|error| failed(error.into()))
    }

    /// Builds (or finds) the model and starts the simulation, without a driver.
    pub(in crate::cli) fn open_simulated(arguments: &CardArgs) -> Result<(InProcess, Profile), CliError> {
        let profile = profile(arguments.card.as_deref())?;
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

    fn card_error(profile: &Profile, source: Box<dyn std::error::Error + Send + Sync>) -> CliError {
        CliError::Card { card: format!("card sim:{}", profile.name), source }
    }

    fn profile(card: Option<&str>) -> Result<Profile, CliError> {
        let name = match card {
            None | Some("sim") => DEFAULT_PROFILE,
            Some(card) => card.strip_prefix("sim:").filter(|name| !name.is_empty()).ok_or_else(|| {
                CliError::Usage(format!(
                    "there is no card \"{card}\": give `sim`, `sim:PROFILE` or a PCI address; `spandrel card list` shows what there is"
                ))
            })?,
        };
        Profile::load(name).map_err(|error| match error {
            ProfileError::Unknown { .. } => CliError::Usage(error.to_string()),
            error => CliError::Input(error.to_string()),
        })
    }

    /// The simulated cards that are built in.
    pub(in crate::cli) fn simulated_cards() -> Result<Vec<Listed>, CliError> {
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
}
