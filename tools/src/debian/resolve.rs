//! Asks a mirror, through apt with a state of its own, which packages of a collection it has.

use super::lock::{Package, Set, Suite};
use super::sources::Mirror;
use super::{Apt, Collection};
use crate::{ToolError, run};
use std::path::Path;
use std::process::Command;

/// What the mirror offers: the packages of the collection with everything they depend on that is needed of it.
///
/// apt checks the release files' signatures with the machine's keyring; what it lists is nothing that would be installed,
/// since it is told that nothing is installed and asked for addresses only.
pub(super) fn resolve(apt: &Apt, collection: &Collection) -> Result<Set, ToolError> {
    let root = tempfile::tempdir().map_err(ToolError::io("create a folder in", std::env::temp_dir()))?;
    let settings = write_settings(root.path(), &apt.mirror, collection.releases)?;
    let get = |arguments: &[&str], what: &str| {
        let mut command = Command::new(&apt.get);
        command.arg("-c").arg(&settings).arg("-qq").args(arguments).env("LC_ALL", "C");
        run(&mut command, what, "see that the mirror of apt's sources can be reached")
    };
    get(&["update"], "reading the mirror's lists of packages").map_err(|error| {
        let remedy = "see that the Debian mirror of apt's sources can be reached";
        collection.unavailable(error.to_string(), remedy)
    })?;
    let mut packages = Vec::new();
    for tree in collection.trees {
        let mut arguments =
            vec!["--print-uris", "--yes", "--no-install-recommends", "-t", tree.release, "install"];
        arguments.extend(tree.wanted);
        let output = get(&arguments, "asking the mirror for packages")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let offered = text.lines().filter_map(|line| offered(line, tree.suite, &apt.mirror.address));
        packages.extend(offered.filter(tree.is_needed));
    }
    let set = Set::new(packages);
    (collection.check)(&set)?;
    Ok(set)
}

/// Writes apt's settings: everything below `root`, nothing installed, the mirror's suites that we use.
fn write_settings(root: &Path, mirror: &Mirror, releases: &str) -> Result<std::path::PathBuf, ToolError> {
    for folder in ["state/lists/partial", "cache/archives/partial", "parts"] {
        let folder = root.join(folder);
        std::fs::create_dir_all(&folder).map_err(ToolError::io("create", &folder))?;
    }
    let signed = mirror.signed_by.as_ref().map_or_else(String::new, |by| format!("Signed-By: {by}\n"));
    let sources = format!(
        "Types: deb\nURIs: {}\nSuites: {releases}\nComponents: main\nArchitectures: amd64\n{signed}",
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
}
