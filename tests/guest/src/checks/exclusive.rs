//! One process at a time uses the card, and the next one is told whose it is.

use crate::card::{address, open, sysfs};
use crate::runner::{Ended, output};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Duration;

/// Says so if another process has the card.
const IN_USE: &str = "in use";

pub fn run() -> Result<String> {
    let mut card = open()?;
    let refused = info()?;
    ensure!(!refused.success, "a second process could open the card: {}", refused.stdout);
    let own = std::process::id().to_string();
    let told = refused.stderr.contains(IN_USE) && refused.stderr.contains(&own);
    ensure!(
        told,
        "the second process was told this, not that process {own} has the card: {}",
        refused.stderr
    );

    // Beneath the driver's own lock, the kernel keeps the group for one.
    let group = std::fs::read_link(sysfs("iommu_group")?).context("the card is in no IOMMU group")?;
    let path = std::path::Path::new("/dev/vfio").join(group.file_name().context("a group has a number")?);
    let again = std::fs::File::options().read(true).write(true).open(&path);
    let error = again.err().with_context(|| format!("{} could be opened twice", path.display()))?;
    ensure!(error.kind() == std::io::ErrorKind::ResourceBusy, "{} opened again: {error}", path.display());

    // The one who has it was not disturbed.
    card.identify().context("the first process' card")?;
    drop(card);
    let taken = info()?;
    ensure!(taken.success, "the card cannot be opened after it was given up: {}", taken.stderr);
    Ok(format!("refused with \"{}\"", refused.stderr.trim().lines().next_back().unwrap_or_default()))
}

/// What the command `spandrel` says of the card.
fn info() -> Result<Ended> {
    let address = address()?.to_string();
    output(Command::new("/bin/spandrel").args(["card", "info", "--card", &address]), Duration::from_secs(15))
}
