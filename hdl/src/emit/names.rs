//! Verilog names without `$`.

use std::collections::{BTreeSet, HashMap, HashSet};

/// Cuts a text into identifiers (`true`) and everything else (`false`). System functions such as `$signed` count as
/// something else, and so do the digits of numbers.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = *rest.as_bytes().first()?;
        let end = |start: usize, stop: fn(u8) -> bool| {
            rest.bytes().skip(start).position(stop).map_or(rest.len(), |at| at + start)
        };
        let is_name = is_name_start(first);
        let length = if is_name || first.is_ascii_digit() || first == b'$' {
            end(1, |byte| !is_name_part(byte))
        } else {
            end(1, is_name_part)
        };
        let (token, tail) = rest.split_at(length);
        rest = tail;
        Some((is_name, token))
    })
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_name_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

/// Replaces identifiers of a text by what `map` says.
pub(super) fn replace_names<'a>(text: &'a str, map: impl Fn(&'a str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    for (is_name, token) in tokens(text) {
        out.push_str(if is_name { map(token).unwrap_or(token) } else { token });
    }
    out
}

/// One plain name for every identifier with a `$`, distinct from every other name of the text.
pub(super) struct Renaming(HashMap<String, String>);

impl Renaming {
    pub(super) fn new(text: &str) -> Renaming {
        let (dollar, plain): (BTreeSet<&str>, BTreeSet<&str>) = tokens(text)
            .filter(|(is_name, _)| *is_name)
            .map(|(_, token)| token)
            .partition(|name| name.contains('$'));
        let mut taken: HashSet<String> = plain.into_iter().map(str::to_owned).collect();
        let mut renaming = HashMap::new();
        for name in dollar {
            let separators = (1..).map(|length| "_".repeat(length));
            let plain =
                separators.map(|separator| name.replace('$', &separator)).find(|new| !taken.contains(new));
            let plain = plain.unwrap_or_else(|| name.to_owned());
            taken.insert(plain.clone());
            renaming.insert(name.to_owned(), plain);
        }
        Renaming(renaming)
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (is_name, token) in tokens(text) {
            let new = if is_name { self.0.get(token) } else { None };
            out.push_str(new.map_or(token, String::as_str));
        }
        out
    }
}
