//! A module behind few pins: its inputs come from a chain of registers, its outputs go through a tree of registered parities
//! into one. No path of the harness is longer than a look-up table, so that the module's own are measured.

use anyhow::{Context, Result, bail};
use std::fmt::Write as _;

/// A port.
#[derive(Debug, PartialEq, Eq)]
struct Port {
    name: String,
    is_input: bool,
    bits: usize,
}

/// Verilog of a module with the ports of a card with a serial shell that holds `module`, whose text is in `verilog`.
///
/// # Errors
/// There is no such module, a line of its ports is not understood, or it has no clock.
pub fn harness(module: &str, verilog: &str) -> Result<String> {
    let ports = ports(module, verilog)?;
    if !ports.iter().any(|port| port.name == "clock" && port.is_input && port.bits == 1) {
        bail!("module {module} has no input clock");
    }
    let width = |is_input| {
        let those = ports.iter().filter(|port| port.is_input == is_input && port.name != "clock");
        those.map(|port| port.bits).sum::<usize>()
    };
    let (inputs, outputs) = (width(true), width(false));
    if inputs == 0 || outputs == 0 {
        bail!(
            "module {module} has {inputs} bits of inputs and {outputs} of outputs: nothing in it can be timed"
        );
    }
    let mut text = format!(
        "module spandrel_card(input wire clock, input wire reset, input wire serial_rxd, output wire serial_txd, output wire \
         busy);\n\
         reg [{0}:0] given = 0;\n  always @(posedge clock) given <= {{given[{0}:0], serial_rxd}};\n\
         wire [{1}:0] made;\n",
        inputs.max(2) - 1,
        outputs - 1
    );
    let (mut given, mut made) = (0, 0);
    let mut connections = vec![".clock(clock)".to_owned()];
    for Port { name, is_input, bits } in ports.iter().filter(|port| port.name != "clock") {
        let (net, from) = if *is_input { ("given", &mut given) } else { ("made", &mut made) };
        connections.push(format!(".{name}({net}[{}:{from}])", *from + bits - 1));
        *from += bits;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {module} measured({});", connections.join(", "));
    let (mut level, mut bits) = (0, outputs);
    let _ = writeln!(text, "  reg [{}:0] level_0 = 0;\n  always @(posedge clock) level_0 <= made;", bits - 1);
    while bits > 1 {
        let next = bits.div_ceil(6);
        let parities: Vec<String> = (0..next)
            .rev()
            .map(|at| format!("^level_{level}[{}:{}]", (6 * at + 5).min(bits - 1), 6 * at))
            .collect();
        level += 1;
        let _ = writeln!(
            text,
            "  reg [{}:0] level_{level} = 0;\n  always @(posedge clock) level_{level} <= {{{}}};",
            next - 1,
            parities.join(", ")
        );
        bits = next;
    }
    let _ = writeln!(
        text,
        "  assign serial_txd = level_{level}[0];\n  assign busy = given[{}];\nendmodule",
        inputs.max(2) - 1
    );
    Ok(text)
}

/// The ports of a module: lines `input wire [7:0] name;` below its header, as the emitter writes them.
fn ports(module: &str, verilog: &str) -> Result<Vec<Port>> {
    let header = |line: &&str| {
        line.strip_prefix("module ").is_some_and(|rest| rest.split(['(', ' ', ';']).next() == Some(module))
    };
    let mut lines = verilog.lines().skip_while(|line| !header(line)).peekable();
    lines.peek().with_context(|| format!("there is no module {module}"))?;
    let mut found = Vec::new();
    for line in lines.take_while(|line| line.trim_end() != "endmodule") {
        let words: Vec<&str> = line.trim().trim_end_matches([',', ';']).split_whitespace().collect();
        let Some(is_input) = words.first().and_then(|word| match *word {
            "input" => Some(true),
            "output" => Some(false),
            _ => None,
        }) else {
            continue;
        };
        let name = words.last().copied().unwrap_or_default().to_owned();
        let bits = match words.iter().find_map(|word| word.strip_prefix('[')) {
            None => 1,
            Some(range) => {
                let high = range
                    .trim_end_matches(']')
                    .strip_suffix(":0")
                    .and_then(|high| high.parse::<usize>().ok());
                1 + high.with_context(|| format!("the width of port {name} of {module}: {line}"))?
            }
        };
        found.push(Port { name, is_input, bits });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "module unit(clock, a, y, z);\n    input wire clock;\n    input wire [7:0] a;\n    output reg [6:0] y;\n    \
        output wire z;\nendmodule\n";

    #[test]
    fn every_bit_of_a_port_is_connected() {
        let text = harness("unit", UNIT).unwrap();
        assert!(
            text.contains("unit measured(.clock(clock), .a(given[7:0]), .y(made[6:0]), .z(made[7:7]));"),
            "{text}"
        );
        assert!(text.contains("level_1 <= {^level_0[7:6], ^level_0[5:0]}"), "{text}");
        assert!(text.contains("assign serial_txd = level_2[0];"), "{text}");
    }

    #[test]
    fn what_cannot_be_timed_is_refused() {
        for (module, why) in
            [("other", "no module other"), ("still", "no input clock"), ("mute", "0 of outputs")]
        {
            let text = "module still(a);\n  input wire a;\nendmodule\nmodule mute(clock, a);\n  input wire clock;\n  input wire a;\nendmodule\n";
            let error = harness(module, text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
