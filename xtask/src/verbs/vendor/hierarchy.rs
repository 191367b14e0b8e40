//! Instances and registers of emitted Verilog, by their paths.

use std::collections::{BTreeMap, BTreeSet};

/// What a module holds.
#[derive(Default)]
struct Module {
    /// Modules of the instances, by name.
    instances: BTreeMap<String, String>,
    registers: BTreeSet<String>,
}

/// The modules of a text.
#[derive(Default)]
pub struct Hierarchy(BTreeMap<String, Module>);

impl Hierarchy {
    /// Reads emitted Verilog: a module's head, an instance and a register's declaration begin lines of their own.
    pub fn of(texts: &[&str]) -> Hierarchy {
        let mut modules = BTreeMap::new();
        let mut current = String::new();
        for line in texts.iter().flat_map(|text| text.lines()) {
            let mut words = line
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .filter(|word| !word.is_empty());
            let (Some(first), Some(second)) = (words.next(), words.next()) else { continue };
            if line.starts_with("module ") {
                second.clone_into(&mut current);
                modules.insert(current.clone(), Module::default());
            } else if let Some(module) = modules.get_mut(&current) {
                if let Some((_, rest)) = line.split_once("reg ") {
                    let name = rest.split(']').next_back().unwrap_or_default();
                    let name = name.split(['=', ';']).next().unwrap_or_default().trim();
                    module.registers.insert(name.to_owned());
                }
                let is_instance = line.trim_start().starts_with(first)
                    && line.trim_end().ends_with('(')
                    && !["if", "else", "case", "always", "begin"].contains(&first);
                if is_instance {
                    module.instances.insert(second.to_owned(), first.to_owned());
                }
            }
        }
        Hierarchy(modules)
    }

    /// Names of the modules that the texts define.
    pub fn defines(&self, module: &str) -> bool {
        self.0.contains_key(module)
    }

    /// Modules that a module holds.
    pub fn inside(&self, module: &str) -> impl Iterator<Item = &str> {
        self.0.get(module).into_iter().flat_map(|module| module.instances.values().map(String::as_str))
    }

    /// Whether there is an instance at this path below the module `top`.
    pub fn has_cell(&self, top: &str, path: &str) -> bool {
        self.module_at(top, path).is_some()
    }

    /// Whether a pin of a register's cell is there: `path/register_reg[*]/PIN`.
    pub fn has_register_pin(&self, top: &str, path: &str) -> bool {
        let mut parts: Vec<&str> = path.split('/').collect();
        let (Some(_pin), Some(cell)) = (parts.pop(), parts.pop()) else { return false };
        let register = cell.split('[').next().unwrap_or_default();
        let Some(register) = register.strip_suffix("_reg") else { return false };
        let module = if parts.is_empty() { Some(top) } else { self.module_at(top, &parts.join("/")) };
        module.and_then(|module| self.0.get(module)).is_some_and(|module| module.registers.contains(register))
    }

    fn module_at<'a>(&'a self, top: &'a str, path: &str) -> Option<&'a str> {
        path.split('/')
            .try_fold(top, |module, instance| self.0.get(module)?.instances.get(instance).map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "module leaf(input wire c);\n    (* K = \"x\" *) reg [2:0] chain = 3'b0;\n    always @(posedge c)\n\
        if (c) begin\nend\nendmodule\n\nmodule top (c);\n    leaf one(\n        .c(c)\n    );\nendmodule\n";

    #[test]
    fn paths_lead_to_instances_and_registers() {
        let hierarchy = Hierarchy::of(&[TEXT]);
        assert!(hierarchy.has_cell("top", "one") && !hierarchy.has_cell("top", "two"));
        assert!(!hierarchy.has_cell("top", "one/inner") && !hierarchy.has_cell("other", "one"));
        assert!(hierarchy.has_register_pin("top", "one/chain_reg[*]/CLR"));
        assert!(!hierarchy.has_register_pin("top", "one/other_reg[*]/CLR"));
        assert!(!hierarchy.has_register_pin("top", "one/chain/CLR"));
        assert_eq!(hierarchy.inside("top").collect::<Vec<_>>(), ["leaf"]);
    }
}
