//! One Verilog module for equal instances.

use super::names::replace_names;
use super::{EmitError, Module};
use rust_hdl::prelude::{Block, Probe, Verilog};
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) struct Merged {
    pub text: String,
    pub modules: Vec<Module>,
}

struct Instance {
    depth: usize,
    field: String,
    ready_made: bool,
}

/// The instances of a design: RustHDL names the module of an instance by its path, joined with `$`.
#[derive(Default)]
struct Instances {
    path: Vec<String>,
    /// Every instance that has a module of its own, by the name RustHDL gives that.
    found: BTreeMap<String, Instance>,
    /// Verilog that blocks bring along from outside, each text once.
    foreign: Vec<String>,
}

impl Probe for Instances {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        self.path.push(name.to_owned());
        let code = node.hdl();
        let ready_made = matches!(code, Verilog::Custom(_) | Verilog::Wrapper(_));
        let foreign = match code {
            Verilog::Blackbox(black_box) => Some((black_box.code, false)),
            Verilog::Wrapper(wrapper) => Some((wrapper.cores, true)),
            _ => None,
        };
        let has_module = foreign.as_ref().is_none_or(|(_, has_module)| *has_module);
        if has_module {
            let instance = Instance { depth: self.path.len(), field: name.to_owned(), ready_made };
            self.found.insert(self.path.join("$"), instance);
        }
        if let Some((text, _)) = foreign
            && !self.foreign.contains(&text)
        {
            self.foreign.push(text);
        }
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.path.pop();
    }
}

/// Merges the modules of RustHDL's text for `block`, visited under the name `top` by RustHDL itself.
pub(super) fn merge(block: &impl Block, text: &str, top: &str) -> Result<Merged, EmitError> {
    let mut instances = Instances::default();
    block.accept("top", &mut instances);
    let bodies = split(text, &instances.found);

    // Bottom-up, so that the modules inside have their final names when the ones around them are compared.
    let mut order: Vec<(&String, &Instance)> = instances.found.iter().collect();
    order.sort_by(|a, b| b.1.depth.cmp(&a.1.depth).then_with(|| a.0.cmp(b.0)));

    let mut final_names: HashMap<&str, String> = HashMap::new();
    let mut by_body: HashMap<String, usize> = HashMap::new();
    let mut taken = HashSet::from([top.to_owned()]);
    let mut modules: Vec<Module> = Vec::new();
    let mut out = String::new();
    for (path, Instance { depth, field, ready_made }) in order {
        let body = bodies
            .get(path.as_str())
            .ok_or_else(|| EmitError::ModuleMissing { path: path.replace('$', ".") })?;
        let body = replace_names(body, |name| final_names.get(name).map(String::as_str));
        let is_top = *depth == 1;
        let index = match by_body.get(&body) {
            Some(index) if !is_top => *index,
            _ => {
                let name = if is_top { top.to_owned() } else { fresh_name(top, field, &mut taken) };
                let start = out.len();
                out.push_str("module ");
                out.push_str(&name);
                out.push_str(&body);
                out.push_str("endmodule\n\n");
                let bytes = out.len() - start;
                modules.push(Module { name, instances: 0, bytes, ready_made: *ready_made });
                by_body.insert(body, modules.len() - 1);
                modules.len() - 1
            }
        };
        modules[index].instances += 1;
        final_names.insert(path, modules[index].name.clone());
    }
    append_foreign(&instances.foreign, &mut out, &taken, top)?;
    out.truncate(out.trim_end().len());
    out.push('\n');
    Ok(Merged { text: out, modules })
}

/// Appends what blocks brought along, each module once; two that share a name must be equal.
fn append_foreign(
    texts: &[String],
    out: &mut String,
    taken: &HashSet<String>,
    top: &str,
) -> Result<(), EmitError> {
    let mut known: HashMap<&str, &str> = HashMap::new();
    let mut faults = Vec::new();
    for (name, text) in texts.iter().flat_map(|text| foreign_modules(text)) {
        match known.insert(name, text) {
            _ if taken.contains(name) => {
                faults.push(format!(
                    "module {name}, which a block brings along, has the name of a module of {top}"
                ));
            }
            Some(before) if before == text => {}
            Some(_) => faults.push(format!("two blocks bring along different modules of the name {name}")),
            None => {
                out.push_str(text);
                out.push_str("\n\n");
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(EmitError::Faults { top: top.to_owned(), faults }) }
}

/// The modules of a text with their names, each with whatever stands before it.
fn foreign_modules(text: &str) -> Vec<(&str, &str)> {
    let mut modules = Vec::new();
    let (mut start, mut at, mut name) = (0, 0, None);
    for line in text.split_inclusive('\n') {
        at += line.len();
        let words = line.trim_start();
        if let Some(rest) = words.strip_prefix("module ") {
            name = rest
                .trim_start()
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'))
                .next();
        } else if words.starts_with("endmodule")
            && let Some(name) = name.take()
        {
            modules.push((name, text[start..at].trim()));
            start = at;
        }
    }
    modules
}

/// The text of each module from its port list to its end, both exclusive of its name; blank lines left out.
fn split<'a>(text: &'a str, known: &BTreeMap<String, Instance>) -> HashMap<&'a str, String> {
    let mut bodies = HashMap::new();
    let mut current: Option<(&str, String)> = None;
    for line in text.lines() {
        match &mut current {
            None => {
                let Some((name, ports)) = line.strip_prefix("module ").and_then(|rest| rest.split_once('('))
                else {
                    continue;
                };
                if known.contains_key(name) {
                    current = Some((name, format!("({ports}\n")));
                }
            }
            Some((name, body)) => {
                if line.strip_prefix("endmodule // ") == Some(*name) {
                    bodies.extend(current.take());
                } else if !line.trim().is_empty() {
                    body.push_str(line.trim_end());
                    body.push('\n');
                }
            }
        }
    }
    bodies
}

/// `<top>_<field>` without the indices of a `Vec`, numbered from 2 where it is taken.
fn fresh_name(top: &str, field: &str, taken: &mut HashSet<String>) -> String {
    let mut parts: Vec<&str> = field.split('$').collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
        parts.pop();
    }
    let base = format!("{top}_{}", parts.join("_"));
    let mut name = base.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}_{number}");
        number += 1;
    }
    name
}
