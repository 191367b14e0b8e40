//! A design as its modules, so that each large one is synthesised on its own, once, without the others in it.

use super::{Resources, Synthesis};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Modules of at least so many bytes of Verilog are synthesised on their own; smaller ones together with what they are in.
const LARGE: usize = 4_000;

/// A module of a design.
struct Module<'a> {
    name: &'a str,
    text: &'a str,
}

impl Module<'_> {
    /// Whether it is large, or a memory of UltraRAM, whose many blocks would slow the mapping of all around it.
    fn stands_alone(&self) -> bool {
        self.text.len() >= LARGE || self.text.contains("ram_style = \"ultra\"")
    }

    /// The module with its ports alone.
    fn blackbox(&self) -> String {
        let is_port =
            |line: &&str| line.trim_start().starts_with("input") || line.trim_start().starts_with("output");
        let header = self.text.lines().take(1);
        let ports = self.text.lines().skip(1).filter(is_port);
        let lines: Vec<&str> = header.chain(ports).chain(["endmodule\n"]).collect();
        format!("(* blackbox *)\n{}", lines.join("\n"))
    }
}

/// The modules of a text, in which every module begins with a line of its own and so does its end.
fn modules(verilog: &str) -> Vec<Module<'_>> {
    let mut found = Vec::new();
    let mut begin = None;
    let mut at = 0;
    for line in verilog.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("module ") {
            begin = Some((at, rest.split(['(', ' ', ';']).next().unwrap_or_default()));
        }
        at += line.len();
        if line.trim_end() == "endmodule"
            && let Some((start, name)) = begin.take()
        {
            found.push(Module { name, text: &verilog[start..at] });
        }
    }
    found
}

/// A module that is synthesised on its own.
pub struct Part {
    /// Name of the module.
    pub name: String,
    /// The module, and with it what it holds: small modules whole, large ones as black boxes.
    pub text: String,
    /// The names of the module and of all that it holds, in an order that twins share.
    names: Vec<String>,
    /// The first part that differs from it by these names alone, if there is one before it.
    twin_of: Option<usize>,
}

impl Part {
    /// The part whose netlist is this one's under another name, if there is one: twins that hold the same modules.
    pub fn same_netlist(&self, parts: &[Part]) -> Option<usize> {
        self.twin_of.filter(|twin| parts[*twin].names[1..] == self.names[1..])
    }
}

/// The modules of a design that are synthesised on their own, those inside others before those that hold them; nothing where
/// the top module is not in the text.
pub fn parts(top: &str, verilog: &str) -> Vec<Part> {
    let all = modules(verilog);
    if all.iter().all(|module| module.name != top) {
        return Vec::new();
    }
    let is_own = |module: &&Module<'_>| module.stands_alone() || module.name == top;
    let mut found: Vec<Part> = Vec::new();
    let mut anonymous: Vec<String> = Vec::new();
    for module in all.iter().filter(is_own) {
        let mut inside = Vec::new();
        collect_inside(module, &all, &mut inside);
        // A module that holds nothing is synthesised under the same key wherever it occurs.
        let insides = inside.iter().map(|part| match is_own(part) {
            true => part.blackbox(),
            false => part.text.to_owned(),
        });
        let text: String = std::iter::once(module.text.to_owned()).chain(insides).collect();
        let of_insides = inside.iter().map(|part| part.name.to_owned());
        let names: Vec<String> = std::iter::once(module.name.to_owned()).chain(of_insides).collect();
        let nameless = without_names(&text, &names);
        let twin_of = anonymous.iter().position(|other| *other == nameless);
        anonymous.push(nameless);
        found.push(Part { name: module.name.to_owned(), text, names, twin_of });
    }
    found
}

/// The text with each of the names as its place among them.
fn without_names(text: &str, names: &[String]) -> String {
    let is_word = |byte: char| byte.is_ascii_alphanumeric() || byte == '_' || byte == '$';
    let mut nameless = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|next| is_word(next) != is_word(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match names.iter().position(|name| name == word) {
            Some(place) => nameless += &format!("\\{place} "),
            None => nameless += word,
        }
        rest = after;
    }
    nameless
}

/// What a module of a design needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRow {
    /// Name of the module.
    pub module: String,
    /// Instances of it in the whole design.
    pub instances: u64,
    /// What one of them needs, without the modules of other rows that it holds.
    #[serde(flatten)]
    pub own: Resources,
}

/// What a design needs with everything in it. Optimisation stops at the borders of large modules.
///
/// # Errors
/// Those of the synthesis of a module.
pub fn resources(synthesis: &Synthesis, top: &str, verilog: &str, label: &str) -> Result<Resources> {
    let parts = parts(top, verilog);
    if parts.is_empty() {
        // Yosys has the words for what is wrong with it.
        let cells = synthesis.cells(top, verilog, label)?;
        return total(&BTreeMap::from([(top, cells)]), top);
    }
    total(&cells_of(synthesis, &parts, label)?, top)
}

/// Cells by kind, of modules by name.
pub type Cells<'a> = BTreeMap<&'a str, BTreeMap<String, u64>>;

/// What each large module of a design needs, and all of it together, from the cells of each.
///
/// # Errors
/// The top module is not among them.
pub fn table(cells: &Cells<'_>, parts: &[Part], top: &str) -> Result<(Vec<ModuleRow>, Resources)> {
    let mut instances = BTreeMap::new();
    count_instances(cells, top, 1, &mut instances);
    let row = |part: &Part| {
        let mut own = Resources::default();
        let leaves = cells.get(part.name.as_str()).into_iter().flatten();
        let leaves = leaves.filter(|(kind, _)| !cells.contains_key(kind.as_str()));
        leaves.for_each(|(kind, count)| own.count(kind, *count));
        let instances = instances.get(part.name.as_str()).copied().unwrap_or_default();
        ModuleRow { module: part.name.clone(), instances, own }
    };
    Ok((parts.iter().map(row).collect(), total(cells, top)?))
}

/// The cells of each part by its name, synthesised once for all that differ by names alone.
///
/// # Errors
/// Those of the synthesis of a module.
pub fn cells_of<'a>(synthesis: &Synthesis, parts: &'a [Part], label: &str) -> Result<Cells<'a>> {
    let mut cells = Cells::new();
    for (index, part) in parts.iter().enumerate() {
        if let Some(twin) = part.twin_of.map(|twin| &parts[twin])
            && let Some(known) = cells.get(twin.name.as_str())
        {
            let renamed = |kind: &String| match twin.names.iter().position(|name| name == kind) {
                Some(place) => part.names[place].clone(),
                None => kind.clone(),
            };
            let known = known.iter().map(|(kind, count)| (renamed(kind), *count)).collect();
            cells.insert(&part.name, known);
            continue;
        }
        cells.insert(&part.name, synthesis.cells(&part.name, &part.text, &part_label(parts, index, label))?);
    }
    Ok(cells)
}

/// The words that progress of a part begins with.
pub fn part_label(parts: &[Part], index: usize, label: &str) -> String {
    match parts.len() {
        1 => label.to_owned(),
        count => format!("{label}, module {} of {count} ({})", index + 1, parts[index].name),
    }
}

fn count_instances<'a>(cells: &Cells<'a>, module: &str, times: u64, instances: &mut BTreeMap<&'a str, u64>) {
    let Some((name, inside)) = cells.get_key_value(module) else { return };
    *instances.entry(name).or_default() += times;
    for (kind, count) in inside {
        count_instances(cells, kind, times * count, instances);
    }
}

/// The text of a module and of all modules that it holds, at any depth; empty where there is no such module.
pub fn reachable(top: &str, verilog: &str) -> String {
    let all = modules(verilog);
    let mut found: Vec<&Module<'_>> = all.iter().filter(|module| module.name == top).collect();
    let mut next = 0;
    while let Some(module) = found.get(next).copied() {
        next += 1;
        for part in all.iter().filter(|part| instantiates(module.text, part.name)) {
            if found.iter().all(|known| known.name != part.name) {
                found.push(part);
            }
        }
    }
    found.iter().map(|module| module.text).collect()
}

/// Adds the modules that are inside a module, each once; what is inside those of them that are large is left to their own
/// synthesis.
fn collect_inside<'a>(module: &Module<'_>, all: &'a [Module<'a>], inside: &mut Vec<&'a Module<'a>>) {
    for part in all.iter().filter(|part| instantiates(module.text, part.name)) {
        if inside.iter().any(|known| known.name == part.name) {
            continue;
        }
        inside.push(part);
        if !part.stands_alone() {
            collect_inside(part, all, inside);
        }
    }
}

fn instantiates(text: &str, module: &str) -> bool {
    text.lines().any(|line| line.split_whitespace().next() == Some(module))
}

/// The cells of a module and of the modules that it holds.
fn total(cells: &Cells<'_>, module: &str) -> Result<Resources> {
    let own = cells.get(module).with_context(|| format!("module {module} is missing"))?;
    let mut sum = Resources::default();
    for (kind, count) in own {
        match cells.contains_key(kind.as_str()) {
            true => sum = sum.plus(&total(cells, kind)?.times(*count)),
            false => sum.count(kind, *count),
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: &str = "module a(x, y);\n  input wire x;\n  output reg y;\n  b one(.p(x));\n  b two(.p(y));\nendmodule\n\n\
        module b (p);\n  input wire p;\nendmodule\n";

    #[test]
    fn a_text_is_cut_into_its_modules() {
        let found = modules(DESIGN);
        assert_eq!(found.iter().map(|module| module.name).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(found.iter().map(|module| module.text.len()).sum::<usize>() + 1, DESIGN.len());
        assert!(instantiates(found[0].text, "b") && !instantiates(found[1].text, "a"));
        let expected = "(* blackbox *)\nmodule a(x, y);\n  input wire x;\n  output reg y;\nendmodule\n";
        assert_eq!(found[0].blackbox(), expected);
    }

    #[test]
    fn what_a_module_holds_is_reachable() {
        assert_eq!(reachable("b", DESIGN), "module b (p);\n  input wire p;\nendmodule\n");
        assert_eq!(reachable("a", DESIGN).len() + 1, DESIGN.len());
        assert_eq!(reachable("c", DESIGN), "");
    }

    #[test]
    fn insides_count_as_often_as_they_occur() {
        let of =
            |list: &[(&str, u64)]| list.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        let cells = BTreeMap::from([
            ("a", of(&[("b", 2), ("LUT6", 5)])),
            ("b", of(&[("c", 3), ("FDRE", 1)])),
            ("c", of(&[("DSP48E2", 7), ("LUT2", 1)])),
        ]);
        let found = total(&cells, "a").unwrap();
        assert_eq!(found, Resources { dsp: 42, lut: 11, ff: 2, ..Resources::default() });
        assert!(total(&cells, "d").is_err());
        let mut instances = BTreeMap::new();
        count_instances(&cells, "a", 1, &mut instances);
        assert_eq!(instances, BTreeMap::from([("a", 1), ("b", 2), ("c", 6)]));
    }

    #[test]
    fn twins_are_found() {
        let body = format!("(x);\n  input wire x;\n{}endmodule\n\n", "  // long\n".repeat(LARGE / 8));
        let text =
            format!("module a{body}module a_2{body}module top(x);\n  a one(x);\n  a_2 two(x);\nendmodule\n");
        let found = parts("top", &text);
        let names: Vec<_> = found.iter().map(|part| (part.name.as_str(), part.twin_of)).collect();
        assert_eq!(names, [("a", None), ("a_2", Some(0)), ("top", None)]);
        assert_eq!(found[1].same_netlist(&found), Some(0));
        assert!(parts("other", &text).is_empty());
        // What they hold has other names, too.
        let body = |inside: &str| {
            format!(
                "(x);\n  input wire x;\n{}  {inside} i(x);\nendmodule\n\n",
                "  // long\n".repeat(LARGE / 8)
            )
        };
        let small = "(x);\n  input wire x;\nendmodule\n\n";
        let text = format!(
            "module s{small}module s_2{small}module a{}module a_2{}module top(x);\n  a one(x);\n  a_2 two(x);\nendmodule\n",
            body("s"),
            body("s_2")
        );
        let found = parts("top", &text);
        assert_eq!(
            (found[1].name.as_str(), found[1].twin_of, found[1].same_netlist(&found)),
            ("a_2", Some(0), None)
        );
    }
}
