//! The programs that take part.

use crate::sample;
use anyhow::Result;
use spandrel_tools::cargo_build;
use std::path::PathBuf;

use super::initramfs::Entry;

/// The target of what runs in the guest. Named even where it is the machine's own: flags for it then do not reach build
/// scripts, and its files lie in a folder of their own.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Nothing is to be loaded, since the guest has no libraries; and it has to be carried into the guest, so it is small.
const SETTINGS: [&str; 3] = [
    "target.x86_64-unknown-linux-gnu.rustflags=[\"-C\", \"target-feature=+crt-static\"]",
    "profile.release.debug=false",
    "profile.release.strip=true",
];

/// The command `spandrel` of this machine, with the simulated card in it: as the tests have it built already. The time
/// goes into the card's model, which is compiled apart.
pub fn server() -> Result<PathBuf> {
    Ok(cargo_build("spandrel", &["--package", "spandrel"])?)
}

/// What is put into the guest: its test, the command `spandrel` without the simulator, and the sample circuit.
pub fn guest_files() -> Result<Vec<Entry>> {
    let static_build = |name: &str, package: &str, more: &[&str]| {
        let mut arguments = vec!["--release", "--package", package, "--target", TARGET];
        arguments.extend(SETTINGS.iter().flat_map(|setting| ["--config", setting]));
        arguments.extend(more);
        cargo_build(name, &arguments)
    };
    let programs = [
        ("spandrel", static_build("spandrel", "spandrel", &["--no-default-features"])?),
        ("spandrel-guest-test", static_build("spandrel-guest-test", "spandrel-guest-test", &[])?),
    ];
    let mut entries: Vec<Entry> = programs
        .into_iter()
        .map(|(name, from)| Entry { to: format!("bin/{name}"), from, executable: true })
        .collect();
    for name in ["merkle.zkey", "merkle.wtns", "vk.json"] {
        entries.push(Entry { to: format!("circuit/{name}"), from: sample::built(name), executable: false });
    }
    Ok(entries)
}
