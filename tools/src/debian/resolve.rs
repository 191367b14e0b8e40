//! Asks a mirror, through apt with a state of its own, which packages it has for the guest test.

use super::lock::{Package, Set, Suite};
use super::sources::Mirror;
use super::{Apt, unavailable};
use crate::{ToolError, run};
use std::path::Path;
use std::process::Command;

/// The package of QEMU.
pub(super) const QEMU: &str = "qemu-system-x86";
/// What the name of the kernel's package begins with; the rest is its build.
pub(super) const KERNEL: &str = "linux-image-6.1.";
/// The package that depends on the newest such kernel.
const NEWEST_KERNEL: &str = "linux-image-cloud-amd64";
const BUSYBOX: &str = "busybox-static";
/// QEMU's release: the first whose backports have vfio-user as a client, and the release below it for the libraries.
const QEMU_RELEASE: &str = "trixie";
const QEMU_SUITE: &str = "trixie-backports";
/// The guest's release: its kernel has VFIO with groups as modules, uncompressed.
const GUEST_RELEASE: &str = "bookworm";
/// The oldest QEMU that attaches a vfio-user device.
const OLDEST_QEMU: (u32, u32) = (10, 1);

/// What the mirror offers: QEMU with everything it depends on, the kernel, busybox.
///
/// apt checks the release files' signatures with the machine's keyring; what it lists is nothing that would be installed,
/// since it is told that nothing is installed and asked for addresses only.
pub(super) fn resolve(apt: &Apt) -> Result<Set, ToolError> {
    let root = tempfile::tempdir().map_err(ToolError::io("create a folder in", std::env::temp_dir()))?;
    let settings = write_settings(root.path(), &apt.mirror)?;
    let get = |arguments: &[&str], what: &str| {
        let mut command = Command::new(&apt.get);
        command.arg("-c").arg(&settings).arg("-qq").args(arguments).env("LC_ALL", "C");
        run(&mut command, what, "see that the mirror of apt's sources can be reached")
    };
    get(&["update"], "reading the mirror's lists of packages").map_err(|error| {
        unavailable(error.to_string(), "see that the Debian mirror of apt's sources can be reached")
    })?;
    let mut packages = Vec::new();
    for (suite, release, wanted) in
        [(Suite::Qemu, QEMU_SUITE, &[QEMU][..]), (Suite::Guest, GUEST_RELEASE, &[NEWEST_KERNEL, BUSYBOX][..])]
    {
        let mut arguments =
            vec!["--print-uris", "--yes", "--no-install-recommends", "-t", release, "install"];
        arguments.extend(wanted);
        let output = get(&arguments, "asking the mirror for packages")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        packages.extend(text.lines().filter_map(|line| offered(line, suite, &apt.mirror.address)));
    }
    let set = Set::new(packages.into_iter().filter(is_needed).collect());
    check(&set)?;
    Ok(set)
}

/// Writes apt's settings: everything below `root`, nothing installed, the mirror's suites that we use.
fn write_settings(root: &Path, mirror: &Mirror) -> Result<std::path::PathBuf, ToolError> {
    for folder in ["state/lists/partial", "cache/archives/partial", "parts"] {
        let folder = root.join(folder);
        std::fs::create_dir_all(&folder).map_err(ToolError::io("create", &folder))?;
    }
    let signed = mirror.signed_by.as_ref().map_or_else(String::new, |by| format!("Signed-By: {by}\n"));
    let sources = format!(
        "Types: deb\nURIs: {}\nSuites: {GUEST_RELEASE} {QEMU_RELEASE} {QEMU_SUITE}\nComponents: main\nArchitectures: amd64\n{signed}",
        mirror.address
    );
    let at = |name: &str| root.join(name).display().to_string();
    // The hooks of the machine's own settings would act on the machine's own cache.
    let settings = format!(
        "Dir::State \"{}\";\nDir::State::status \"{}\";\nDir::Cache \"{}\";\nDir::Etc::sourcelist \"{}\";\n\
         Dir::Etc::sourceparts \"{parts}\";\nDir::Etc::preferences \"{none}\";\nDir::Etc::preferencesparts \"{parts}\";\n\
         #clear APT::Architectures;\nAPT::Architecture \"amd64\";\nAPT::Architectures {{ \"amd64\"; }};\n\
         #clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n\
         #clear Acquire::IndexTargets::deb::DEP-11;\n#clear Acquire::IndexTargets::deb::Contents-deb;\n\
         Acquire::Languages \"none\";\nAcquire::ForceHash \"SHA256\";\nAcquire::Retries \"2\";\nAcquire::http::Timeout \"30\";\n\
         Acquire::https::Timeout \"30\";\nAPT::Update::Error-Mode \"any\";\n",
        at("state"),
        at("status"),
        at("cache"),
        at("debian.sources"),
        parts = at("parts"),
        none = at("preferences"),
    );
    let path = root.join("apt.conf");
    for (name, text) in
        [("status", ""), ("debian.sources", sources.as_str()), ("apt.conf", settings.as_str())]
    {
        let file = root.join(name);
        std::fs::write(&file, text).map_err(ToolError::io("write", &file))?;
    }
    Ok(path)
}

/// The package in one line of `--print-uris`: `'ADDRESS' NAME_VERSION_ARCHITECTURE.deb BYTES SHA256:DIGEST`.
fn offered(line: &str, suite: Suite, mirror: &str) -> Option<Package> {
    let (address, rest) = line.strip_prefix('\'')?.split_once('\'')?;
    let mut words = rest.split_whitespace();
    let mut parts = words.next()?.strip_suffix(".deb")?.splitn(3, '_');
    let (name, version) = (parts.next()?, parts.next()?);
    let sha256 = words.nth(1)?.strip_prefix("SHA256:")?;
    Some(Package {
        suite,
        name: name.to_owned(),
        version: version.replace("%3a", ":"),
        sha256: sha256.to_owned(),
        path: address.strip_prefix(mirror)?.trim_start_matches('/').to_owned(),
    })
}

/// Whether a package of the closure holds something that QEMU loads or that the guest boots with. The others (users,
/// passwords, network ROMs, initramfs tools) are for installed systems.
fn is_needed(package: &Package) -> bool {
    let name = package.name.as_str();
    match package.suite {
        Suite::Qemu => {
            let library = name.starts_with("lib") || name == "zlib1g" || name.starts_with("gcc-");
            library && !name.ends_with("-common") && !name.ends_with("-base")
                || [QEMU, "qemu-system-data", "qemu-system-common", "seabios"].contains(&name)
        }
        Suite::Guest => name.starts_with(KERNEL) || name == BUSYBOX,
    }
}

fn check(set: &Set) -> Result<(), ToolError> {
    let remedy = "use a Debian mirror that carries bookworm, trixie and trixie-backports";
    let find = |suite, name: &str| {
        let found = set.packages.iter().find(|one| one.suite == suite && one.name.starts_with(name));
        found.ok_or_else(|| unavailable(format!("the mirror offers no {name} that fits"), remedy))
    };
    find(Suite::Guest, KERNEL)?;
    find(Suite::Guest, BUSYBOX)?;
    find(Suite::Qemu, "libc6")?;
    check_qemu(&find(Suite::Qemu, QEMU)?.version)
}

/// Refuses a QEMU without vfio-user.
pub(super) fn check_qemu(version: &str) -> Result<(), ToolError> {
    let upstream = version.split_once(':').map_or(version, |(_, upstream)| upstream);
    let mut numbers =
        upstream.split(|other: char| !other.is_ascii_digit()).map_while(|text| text.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= OLDEST_QEMU {
        return Ok(());
    }
    let (major, minor) = OLDEST_QEMU;
    Err(unavailable(
        format!("the mirror's QEMU is {version}, and vfio-user needs {major}.{minor} or newer"),
        "use a mirror that carries trixie-backports",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apts_lines_are_understood() {
        let line = "'http://mirror/debian/pool/main/b/busybox/busybox-static_1.35.0-4%2bdeb12u1_amd64.deb' \
                    busybox-static_1%3a1.35.0-4+deb12u1_amd64.deb 928188 SHA256:3d3f";
        let package = offered(line, Suite::Guest, "http://mirror/debian").unwrap();
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("busybox-static", "1:1.35.0-4+deb12u1")
        );
        assert_eq!(package.path, "pool/main/b/busybox/busybox-static_1.35.0-4%2bdeb12u1_amd64.deb");
        assert_eq!(offered(&line.replace("SHA256", "MD5Sum"), Suite::Guest, "http://mirror/debian"), None);
        assert_eq!(offered(line, Suite::Guest, "http://other"), None);
    }

    #[test]
    fn an_old_qemu_is_refused() {
        for good in ["1:11.1.3+ds-1~bpo13+1", "1:10.1~rc0", "12"] {
            assert!(check_qemu(good).is_ok(), "{good}");
        }
        for bad in ["1:10.0.13+ds-0+deb13u1", "1:7.2+dfsg", "", "x"] {
            let message = check_qemu(bad).unwrap_err().to_string();
            assert!(message.contains("10.1 or newer"), "{message}");
        }
    }
}
