//! RustHDL's checks, with sentences for results.

use rust_hdl::core::check_error::{CheckError, PathedName};
use rust_hdl::core::check_logic_loops::check_logic_loops;
use rust_hdl::core::check_write_inputs::check_inputs_not_written;
use rust_hdl::prelude::{Atom, AtomKind, Block, Probe};

/// Words of Verilog (1364-2005), sorted: nothing may be called so, and RustHDL refuses only a few of them.
const WORDS: &[&str] = &[
    "always",
    "and",
    "assign",
    "automatic",
    "begin",
    "buf",
    "bufif0",
    "bufif1",
    "case",
    "casex",
    "casez",
    "cell",
    "cmos",
    "config",
    "deassign",
    "default",
    "defparam",
    "design",
    "disable",
    "edge",
    "else",
    "end",
    "endcase",
    "endconfig",
    "endfunction",
    "endgenerate",
    "endmodule",
    "endprimitive",
    "endspecify",
    "endtable",
    "endtask",
    "event",
    "for",
    "force",
    "forever",
    "fork",
    "function",
    "generate",
    "genvar",
    "highz0",
    "highz1",
    "if",
    "ifnone",
    "incdir",
    "include",
    "initial",
    "inout",
    "input",
    "instance",
    "integer",
    "join",
    "large",
    "liblist",
    "library",
    "localparam",
    "macromodule",
    "medium",
    "module",
    "nand",
    "negedge",
    "nmos",
    "nor",
    "noshowcancelled",
    "not",
    "notif0",
    "notif1",
    "or",
    "output",
    "parameter",
    "pmos",
    "posedge",
    "primitive",
    "pull0",
    "pull1",
    "pulldown",
    "pullup",
    "pulsestyle_ondetect",
    "pulsestyle_onevent",
    "rcmos",
    "real",
    "realtime",
    "reg",
    "release",
    "repeat",
    "rnmos",
    "rpmos",
    "rtran",
    "rtranif0",
    "rtranif1",
    "scalared",
    "showcancelled",
    "signed",
    "small",
    "specify",
    "specparam",
    "strong0",
    "strong1",
    "supply0",
    "supply1",
    "table",
    "task",
    "time",
    "tran",
    "tranif0",
    "tranif1",
    "tri",
    "tri0",
    "tri1",
    "triand",
    "trior",
    "trireg",
    "unsigned",
    "use",
    "uwire",
    "vectored",
    "wait",
    "wand",
    "weak0",
    "weak1",
    "while",
    "wire",
    "wor",
    "xnor",
    "xor",
];

fn is_word(name: &str) -> bool {
    WORDS.binary_search(&name).is_ok()
}

/// A sentence for each fault of the design, none if it is sound.
pub(super) fn faults(block: &dyn Block, top: &str) -> Vec<String> {
    let mut open = OpenSignals { top, path: Vec::new(), namespace: Vec::new(), faults: Vec::new() };
    block.accept(top, &mut open);
    let mut faults = open.faults;
    if let Err(error) = check_logic_loops(block) {
        faults.extend(sentences(&error, top));
    }
    if let Err(error) = check_inputs_not_written(block) {
        faults.extend(sentences(&error, top));
    }
    faults
}

fn sentences(error: &CheckError, top: &str) -> Vec<String> {
    let signal = |name: &PathedName| {
        let path = name.path.replacen("uut", top, 1).replace('$', ".");
        format!("{} of {path}", name.name)
    };
    match error {
        CheckError::OpenSignal(open) => {
            let mut names: Vec<String> =
                open.values().map(|name| format!("signal {} is not driven", signal(name))).collect();
            names.sort();
            names
        }
        CheckError::LogicLoops(names) => names
            .iter()
            .map(|name| {
                format!(
                    "signal {} is read before it is written in the same kernel: assign it first, or break the loop",
                    signal(name)
                )
            })
            .collect(),
        CheckError::WritesToInputs(names) => names
            .iter()
            .map(|name| format!("input {} is written by the kernel of its own block", signal(name)))
            .collect(),
    }
}

/// RustHDL's `check_connected` with names that lead to the signal, and without its debugging output; and names.
struct OpenSignals<'a> {
    top: &'a str,
    path: Vec<String>,
    namespace: Vec<String>,
    faults: Vec<String>,
}

impl Probe for OpenSignals<'_> {
    fn visit_start_scope(&mut self, name: &str, _node: &dyn Block) {
        if is_word(name) {
            let path = self.path.join(".").replace('$', ".");
            self.faults
                .push(format!("block {name} of {path} has a name that is a word of Verilog: rename it"));
        }
        self.path.push(name.to_owned());
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.namespace.push(name.to_owned());
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        let kind = signal.kind();
        if self.namespace.is_empty() && is_word(name) {
            let path = self.path.join(".").replace('$', ".");
            self.faults
                .push(format!("signal {name} of {path} has a name that is a word of Verilog: rename it"));
        }
        let is_input = matches!(kind, AtomKind::InputParameter | AtomKind::InOutParameter);
        if signal.connected() || (is_input && self.path.len() == 1) {
            return;
        }
        let mut full_name = self.namespace.clone();
        full_name.push(name.to_owned());
        let (full_name, path) = (full_name.join("."), self.path.join(".").replace('$', "."));
        self.faults.push(match kind {
            AtomKind::InputParameter | AtomKind::InOutParameter => {
                format!("input {full_name} of {path} is not driven: assign it in the kernel of the block around it")
            }
            AtomKind::OutputParameter | AtomKind::OutputPassthrough => format!(
                "output {full_name} of {path} is not driven: assign it in the block's kernel (and call connect_all() on {} \
                 before emitting it)",
                self.top
            ),
            _ => format!("signal {full_name} of {path} is not driven: assign it in the block's kernel or remove it"),
        });
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.namespace.pop();
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(WORDS.is_sorted());
        assert!(is_word("input") && is_word("wire") && !is_word("clock"));
    }
}
