//! Cards on the PCI bus: found, opened, given to vfio-pci and back.

use super::error::CliError;
use super::report::print_text;
use clap::Args;
use serde::Serialize;
use spandrel_driver::{FoundCard, LinkSpeed, OpenError, PciAddress, System};
use std::path::PathBuf;

/// Where the system's files are.
#[derive(Clone, Debug, Args)]
pub(super) struct SystemArgs {
    /// A tree in the image of the machine's own, which holds sys, proc and dev: for tests.
    #[arg(long, value_name = "FOLDER", default_value = "/", hide = true)]
    system_root: PathBuf,
}

impl SystemArgs {
    pub(super) fn system(&self) -> System {
        System::at(&self.system_root)
    }
}

/// `spandrel card bind` and `unbind`.
#[derive(Debug, Args)]
pub(super) struct Binding {
    /// The card's PCI address, such as 0000:3b:00.0
    #[arg(value_name = "ADDRESS")]
    address: PciAddress,
    #[command(flatten)]
    system: SystemArgs,
}

/// A card on the bus, as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct OnBus {
    /// What to give to --card.
    card: String,
    kind: &'static str,
    revision: u8,
    /// The kernel's driver.
    driver: Option<String>,
    iommu_group: Option<String>,
    numa_node: Option<u32>,
    link: LinkReport,
    link_at_most: LinkReport,
    /// A process that uses it.
    used_by: Option<u32>,
    /// What is to be done before it can be used.
    hint: Option<String>,
}

/// Speed and width of a link.
#[derive(Debug, Serialize)]
pub(super) struct LinkReport {
    gigatransfers: Option<f64>,
    lanes: Option<u32>,
}

impl From<LinkSpeed> for LinkReport {
    fn from(link: LinkSpeed) -> LinkReport {
        LinkReport { gigatransfers: link.gigatransfers, lanes: link.lanes }
    }
}

impl From<FoundCard> for OnBus {
    fn from(found: FoundCard) -> OnBus {
        let address = found.address;
        let hint = match (&found.iommu_group, found.driver.as_deref()) {
            (Some(_), Some("vfio-pci")) => None,
            (Some(_), _) => Some(format!("`spandrel card bind {address}` (as root) makes it usable")),
            (None, _) => {
                Some(format!("no IOMMU: switch it on, or use sysfs:{address}, which can reach all memory"))
            }
        };
        OnBus {
            card: address.to_string(),
            kind: "pci",
            revision: found.revision,
            driver: found.driver,
            iommu_group: found.iommu_group,
            numa_node: found.numa_node,
            link: found.link.into(),
            link_at_most: found.link_at_most.into(),
            used_by: found.used_by,
            hint,
        }
    }
}

/// The cards on the bus.
pub(super) fn cards_on_bus(system: &System) -> Vec<OnBus> {
    spandrel_driver::cards(system).into_iter().map(OnBus::from).collect()
}

/// A card on the bus in a line.
pub(super) fn bus_line(system: &System, card: &OnBus) -> String {
    let found = card.card.parse().ok().and_then(|address| spandrel_driver::find_card(system, address).ok());
    let link = found.map_or("unknown".to_owned(), |found| match found.link == found.link_at_most {
        true => found.link.to_string(),
        false => format!("{} (of at most {})", found.link, found.link_at_most),
    });
    let mut line = format!(
        "{:<24} pci, driver {}, IOMMU group {}, link {link}",
        card.card,
        card.driver.as_deref().unwrap_or("none"),
        card.iommu_group.as_deref().unwrap_or("none"),
    );
    if let Some(node) = card.numa_node {
        line.push_str(&format!(", NUMA node {node}"));
    }
    if let Some(process) = card.used_by {
        line.push_str(&format!(", used by process {process}"));
    }
    if let Some(hint) = &card.hint {
        line.push_str(&format!("\n{:<24} {hint}", ""));
    }
    line + "\n"
}

/// The command's error for one of the bus.
pub(super) fn bus_error(name: &str, error: OpenError) -> CliError {
    match error {
        OpenError::Address(error) => CliError::Usage(error.to_string()),
        error => CliError::Card { card: format!("card {name}"), source: error.into() },
    }
}

impl Binding {
    /// Gives the card to vfio-pci.
    pub(super) fn bind(&self) -> Result<(), CliError> {
        let done = spandrel_driver::bind(&self.system.system(), self.address);
        done.map_err(|error| bus_error(&self.address.to_string(), error))?;
        let address = self.address;
        print_text(&format!("card {address} is bound to vfio-pci: --card {address} uses it\n"))
    }

    /// Takes the card from vfio-pci.
    pub(super) fn unbind(&self) -> Result<(), CliError> {
        let (system, address) = (self.system.system(), self.address);
        let failed = |error| bus_error(&address.to_string(), error);
        spandrel_driver::unbind(&system, address).map_err(failed)?;
        let driver = spandrel_driver::find_card(&system, address).map_err(failed)?.driver;
        print_text(&format!("card {address} is bound to {}\n", driver.as_deref().unwrap_or("no driver")))
    }
}
