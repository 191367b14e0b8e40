//! Verilog names without `$`, none of them a word of SystemVerilog.

use super::words::is_system_verilog_word;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Cuts a text into identifiers (`true`) and everything else (`false`). System functions such as `$signed` count as
/// something else, and so do the digits of numbers and whole strings.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = *rest.as_bytes().first()?;
        let end = |start: usize, stop: fn(u8) -> bool| {
            rest.bytes().skip(start).position(stop).map_or(rest.len(), |at| at + start)
        };
        let is_name = is_name_start(first);
        let length = if first == b'"' {
            // Strings end with their line at the latest.
            let close = rest.bytes().skip(1).position(|byte| byte == b'"' || byte == b'\n');
            close.map_or(rest.len(), |at| at + 2)
        } else if is_name || first.is_ascii_digit() || first == b'$' {
            end(1, |byte| !is_name_part(byte))
        } else {
            end(1, |byte| is_name_part(byte) || byte == b'"')
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

/// One plain name for every identifier with a `$`, and one with `_` appended for every word of SystemVerilog; distinct from
/// every other name of the text.
pub(super) struct Renaming(HashMap<String, String>);

impl Renaming {
    pub(super) fn new(text: &str) -> Renaming {
        let is_bad = |name: &&str| name.contains('$') || is_system_verilog_word(name);
        let (bad, plain): (BTreeSet<&str>, BTreeSet<&str>) =
            tokens(text).filter(|(is_name, _)| *is_name).map(|(_, token)| token).partition(is_bad);
        let mut taken: HashSet<String> = plain.into_iter().map(str::to_owned).collect();
        let mut renaming = HashMap::new();
        for name in bad {
            let new = |underscores: String| match name.contains('$') {
                true => name.replace('$', &underscores),
                false => format!("{name}{underscores}"),
            };
            let free = |new: &String| !taken.contains(new) && !is_system_verilog_word(new);
            let plain = (1..).map(|length| new("_".repeat(length))).find(free);
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
