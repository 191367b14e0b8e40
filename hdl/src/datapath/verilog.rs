//! Emission of finished pipelines as Verilog, every width explicit.

use super::graph::{Kind, Module, Node};
use crate::emit::{Emitted, Port, PortDirection};
use num_bigint::BigUint;
use std::collections::BTreeMap;
use std::fmt::Write;

impl Module {
    /// This module and every module it instantiates, each once: name to text.
    pub fn verilog(&self) -> BTreeMap<String, String> {
        let mut modules = BTreeMap::new();
        self.collect(&mut modules);
        modules
    }

    /// The pipeline as a design of its own, for synthesis and simulation of a single unit.
    pub fn emitted(&self) -> Emitted {
        let input =
            |(name, node): (&str, &usize)| (name.to_owned(), PortDirection::Input, self.nodes[*node].width);
        let output =
            |(name, node): &(String, usize)| (name.clone(), PortDirection::Output, self.nodes[*node].width);
        let clock = (self.latency > 0).then(|| ("clock".to_owned(), PortDirection::Input, 1));
        let ports = clock
            .into_iter()
            .chain(self.input_names().zip(&self.inputs).map(input))
            .chain(self.outputs.iter().map(output))
            .map(|(name, direction, width)| Port { name, direction, width })
            .collect();
        let verilog: Vec<String> = self.verilog().into_values().collect();
        Emitted::from_verilog(&self.name, verilog.join("\n"), ports)
    }

    fn collect(&self, modules: &mut BTreeMap<String, String>) {
        if modules.contains_key(&self.name) {
            return;
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        modules.insert(self.name.clone(), text);
        for instance in &self.instances {
            instance.module.collect(modules);
        }
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let input_names: Vec<_> = self.input_names().collect();
        let clock = if self.latency > 0 { Some("clock") } else { None };
        let ports: Vec<&str> = clock
            .into_iter()
            .chain(input_names.iter().copied())
            .chain(self.outputs.iter().map(|(name, _)| name.as_str()))
            .collect();
        writeln!(out, "module {} ({});", self.name, ports.join(", "))?;
        if clock.is_some() {
            writeln!(out, "  input wire clock;")?;
        }
        for (name, node) in input_names.iter().zip(&self.inputs) {
            writeln!(out, "  input wire {}{name};", range(self.nodes[*node].width))?;
        }
        for (name, node) in &self.outputs {
            writeln!(out, "  output wire {}{name};", range(self.nodes[*node].width))?;
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if let Kind::Lookup { table, .. } = &node.kind {
                write_table(out, index, node.width, table)?;
            }
            self.write_node(out, index, node)?;
        }
        for (index, instance) in self.instances.iter().enumerate() {
            let module = &instance.module;
            let mut connections = Vec::new();
            if module.latency > 0 {
                connections.push(".clock(clock)".to_string());
            }
            for (name, node) in module.input_names().zip(&instance.inputs) {
                connections.push(format!(".{name}({})", self.operand(*node)));
            }
            for (port, (name, _)) in module.outputs.iter().enumerate() {
                connections.push(format!(".{name}(i{index}_{port})"));
            }
            writeln!(out, "  {} u{index} ({});", module.name, connections.join(", "))?;
        }
        let registers: Vec<_> = self
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(index, node)| match node.kind {
                Kind::Register(source) => Some((index, source)),
                _ => None,
            })
            .collect();
        if !registers.is_empty() {
            writeln!(out, "  always @(posedge clock) begin")?;
            for (index, source) in registers {
                writeln!(out, "    n{index} <= {};", self.operand(source))?;
            }
            writeln!(out, "  end")?;
        }
        for (name, node) in &self.outputs {
            writeln!(out, "  assign {name} = {};", self.operand(*node))?;
        }
        writeln!(out, "endmodule")
    }

    fn write_node(&self, out: &mut String, index: usize, node: &Node) -> std::fmt::Result {
        let range = range(node.width);
        let name = |operand: &usize| self.operand(*operand);
        let value = match &node.kind {
            Kind::Input(_) | Kind::Constant(_) => return Ok(()),
            Kind::Register(_) => return writeln!(out, "  reg {range}n{index};"),
            Kind::Output { instance, port } => {
                writeln!(out, "  wire {range}i{instance}_{port};")?;
                return Ok(());
            }
            Kind::Slice { source, lsb } => {
                if self.nodes[*source].width == 1 {
                    name(source)
                } else if node.width == 1 {
                    format!("{}[{lsb}]", name(source))
                } else {
                    format!("{}[{}:{lsb}]", name(source), lsb + node.width - 1)
                }
            }
            Kind::Concat(parts) => {
                let parts: Vec<_> = parts.iter().rev().map(name).collect();
                format!("{{{}}}", parts.join(", "))
            }
            Kind::Add { a, b, carry: None } => format!("{} + {}", name(a), name(b)),
            Kind::Add { a, b, carry: Some(carry) } => {
                format!("{} + {} + {}", name(a), name(b), name(carry))
            }
            Kind::Subtract { a, b, borrow: None } => format!("{} - {}", name(a), name(b)),
            Kind::Subtract { a, b, borrow: Some(borrow) } => {
                format!("{} - {} - {}", name(a), name(b), name(borrow))
            }
            Kind::Multiply { a, b } => format!("{} * {}", name(a), name(b)),
            Kind::Mux { select, high, low } => {
                format!("{} ? {} : {}", name(select), name(high), name(low))
            }
            Kind::Equal(a, b) => format!("{} == {}", name(a), name(b)),
            Kind::And(a, b) => format!("{} & {}", name(a), name(b)),
            Kind::Or(a, b) => format!("{} | {}", name(a), name(b)),
            Kind::Xor(a, b) => format!("{} ^ {}", name(a), name(b)),
            Kind::Not(a) => format!("~{}", name(a)),
            Kind::Lookup { address, .. } => format!("table{index}[{}]", name(address)),
        };
        writeln!(out, "  wire {range}n{index} = {value};")
    }

    pub(super) fn input_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|node| match &self.nodes[*node].kind {
            Kind::Input(name) => name.as_str(),
            other => unreachable!("an input node is an input, not {other:?}"),
        })
    }

    fn operand(&self, node: usize) -> String {
        match &self.nodes[node].kind {
            Kind::Input(name) => name.clone(),
            Kind::Constant(value) => format!("{}'h{value:x}", self.nodes[node].width),
            Kind::Output { instance, port } => format!("i{instance}_{port}"),
            _ => format!("n{node}"),
        }
    }
}

/// The table of a look-up, as synthesis tools take it for a block RAM with contents.
fn write_table(out: &mut String, index: usize, width: usize, table: &[BigUint]) -> std::fmt::Result {
    let last = table.len() - 1;
    writeln!(out, "  (* rom_style = \"block\" *) reg {}table{index} [0:{last}];", range(width))?;
    writeln!(out, "  initial begin")?;
    for (address, word) in table.iter().enumerate() {
        writeln!(out, "    table{index}[{address}] = {width}'h{word:x};")?;
    }
    writeln!(out, "  end")
}

fn range(width: usize) -> String {
    if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) }
}
