//! The Debian mirror that the machine's own apt uses.

use std::path::Path;

/// A mirror of Debian's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    /// Its address, without a slash at the end.
    pub address: String,
    /// What apt checks signatures with, if the sources name it: a file or a key in itself, as in a `.sources` file.
    pub signed_by: Option<String>,
}

/// Releases by the names under which sources ask for them. Suites such as `bookworm-security` live elsewhere.
const RELEASES: [&str; 12] = [
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "oldoldstable",
    "oldstable",
    "stable",
    "testing",
    "unstable",
    "rc-buggy",
];

/// The first mirror with a release of Debian in it that the sources below `/etc/apt` name.
pub(super) fn debian_mirror(etc_apt: &Path) -> Option<Mirror> {
    let mut files = vec![etc_apt.join("sources.list")];
    let parts = std::fs::read_dir(etc_apt.join("sources.list.d")).into_iter().flatten().flatten();
    let mut parts: Vec<_> = parts.map(|entry| entry.path()).collect();
    parts.sort();
    files.extend(parts);
    files.iter().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => text.lines().find_map(one_line),
            Some("sources") => stanzas(&text).iter().find_map(from_stanza),
            _ => None,
        }
    })
}

fn is_debian(suite: &str, components: &[&str]) -> bool {
    RELEASES.contains(&suite) && components.contains(&"main")
}

fn mirror(address: &str, signed_by: Option<String>) -> Mirror {
    Mirror { address: address.trim_end_matches('/').to_owned(), signed_by }
}

/// A line of a `.list` file: `deb [option=value …] ADDRESS SUITE COMPONENT …`.
fn one_line(line: &str) -> Option<Mirror> {
    let line = line.split('#').next()?.trim();
    let mut rest = line.strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
    let mut signed_by = None;
    if let Some(after) = rest.strip_prefix('[') {
        let (options, after) = after.split_once(']')?;
        signed_by = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .map(str::to_owned);
        rest = after;
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [address, suite, components @ ..] = &words[..] else { return None };
    is_debian(suite, components).then(|| mirror(address, signed_by))
}

/// Fields of one stanza of a `.sources` file: name and value, continuation lines joined by line ends.
type Stanza = Vec<(String, String)>;

fn stanzas(text: &str) -> Vec<Stanza> {
    let mut all = vec![Stanza::new()];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(current) = all.last_mut() else { break };
        if line.trim().is_empty() {
            all.push(Stanza::new());
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = current.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            current.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    all
}

fn from_stanza(stanza: &Stanza) -> Option<Mirror> {
    let field =
        |wanted: &str| stanza.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let words = |wanted| field(wanted).unwrap_or_default().split_whitespace().collect::<Vec<_>>();
    let off = field("enabled").is_some_and(|value| matches!(value, "no" | "false" | "0"));
    if off || !words("types").contains(&"deb") {
        return None;
    }
    let components = words("components");
    words("suites").iter().find(|suite| is_debian(suite, &components))?;
    let address = *words("uris").first()?;
    Some(mirror(address, field("signed-by").map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let found =
            one_line("deb [arch=amd64 signed-by=/k.gpg] http://mirror/debian/ bookworm main contrib # ours");
        let wanted = Mirror { address: "http://mirror/debian".into(), signed_by: Some("/k.gpg".into()) };
        assert_eq!(found, Some(wanted));
        for other in [
            "# deb http://mirror/debian bookworm main",
            "deb-src http://mirror/debian bookworm main",
            "deb http://mirror/debian-security bookworm-security main",
            "deb http://mirror/ubuntu noble main",
            "deb http://mirror/node_20.x nodistro main",
            "deb http://mirror/debian bookworm contrib",
        ] {
            assert_eq!(one_line(other), None, "{other}");
        }
    }

    #[test]
    fn the_first_mirror_with_a_release_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let parts = folder.path().join("sources.list.d");
        std::fs::create_dir(&parts).unwrap();
        assert_eq!(debian_mirror(folder.path()), None);
        let write = |name: &str, text: &str| std::fs::write(parts.join(name), text).unwrap();
        write("a.sources.off", "Types: deb\nURIs: http://off/\nSuites: sid\nComponents: main\n");
        write(
            "b.sources",
            "Types: deb\nURIs: http://no/\nSuites: sid\nComponents: main\nEnabled: no\n\n# a comment\nTypes: deb-src deb\n\
             URIs: http://yes/debian http://second/\nSuites: trixie trixie-updates\nComponents: main\nSigned-By:\n -----BEGIN\n .\n",
        );
        let found = debian_mirror(folder.path()).unwrap();
        assert_eq!(found.address, "http://yes/debian");
        assert_eq!(found.signed_by.as_deref(), Some("\n -----BEGIN\n ."));
        // apt reads sources.list first.
        std::fs::write(folder.path().join("sources.list"), "deb http://first sid main\n").unwrap();
        assert_eq!(debian_mirror(folder.path()).unwrap().address, "http://first");
    }
}
