//! One Verilog module for equal instances.

use super::names::replace_names;
use super::{EmitError, Module};
use rust_hdl::prelude::{Block, Probe, Verilog};
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) struct Merged {
    pub text: String,
    pub modules: Vec<Module>,
}

/// The instances of a design: RustHDL names the module of an instance by its path, joined with `$`.
#[derive(Default)]
struct Instances {
    path: Vec<String>,
    /// Module name of every instance that has a module of its own, with its depth and field name.
    found: BTreeMap<String, (usize, String)>,
    /// Verilog that blocks bring along from outside, each text once.
    foreign: Vec<String>,
}

impl Probe for Instances {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        self.path.push(name.to_owned());
        let foreign = match node.hdl() {
            Verilog::Blackbox(black_box) => Some((black_box.code, false)),
            Verilog::Wrapper(wrapper) => Some((wrapper.cores, true)),
            _ => None,
        };
        let has_module = foreign.as_ref().is_none_or(|(_, has_module)| *has_module);
        if has_module {
            self.found.insert(self.path.join("$"), (self.path.len(), name.to_owned()));
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
    let mut order: Vec<(&String, &(usize, String))> = instances.found.iter().collect();
    order.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(b.0)));

    let mut final_names: HashMap<&str, String> = HashMap::new();
    let mut by_body: HashMap<String, usize> = HashMap::new();
    let mut taken = HashSet::from([top.to_owned()]);
    let mut modules: Vec<Module> = Vec::new();
    let mut out = String::new();
    for (path, (depth, field)) in order {
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
                modules.push(Module { name, instances: 0, bytes: out.len() - start });
                by_body.insert(body, modules.len() - 1);
                modules.len() - 1
            }
        };
        modules[index].instances += 1;
        final_names.insert(path, modules[index].name.clone());
    }
    for foreign in &instances.foreign {
        out.push_str(foreign.trim());
        out.push_str("\n\n");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    Ok(Merged { text: out, modules })
}

/// The text of each module from its port list to its end, both exclusive of its name; blank lines left out.
fn split<'a>(text: &'a str, known: &BTreeMap<String, (usize, String)>) -> HashMap<&'a str, String> {
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
