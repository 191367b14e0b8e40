//! Initial values as a reset.
//!
//! An FPGA loads every register with its initial value; a chip does not. A register of RustHDL is a module of its own with
//! the ports `d`, `q` and `clock`. Here it gets one more, `power_on_reset`, with which it takes its initial value; Yosys
//! leads the signal through the hierarchy to the top.

/// Name of the port.
pub const PORT: &str = "power_on_reset";

/// The text with such a port at every register, and the number of modules changed.
pub fn add(verilog: &str) -> (String, usize) {
    let mut text = String::with_capacity(verilog.len());
    let mut changed = 0;
    for (index, module) in verilog.split("\nmodule ").enumerate() {
        if index > 0 {
            text.push_str("\nmodule ");
        }
        match with_reset(module) {
            Some(register) => {
                changed += 1;
                text.push_str(&register);
            }
            None => text.push_str(module),
        }
    }
    (text, changed)
}

/// The module with the port, if it is a register.
fn with_reset(module: &str) -> Option<String> {
    let (_, body) = module.split_once("(d,q,clock);")?;
    let (_, initial) = body.split_once("initial begin\n")?;
    let value = initial.split_once("q = ")?.1.split_once(';')?.0;
    let text = module.replacen("(d,q,clock);", &format!("(d,q,clock,{PORT});\n    input wire {PORT};"), 1);
    let loads = format!("q <= {PORT} ? {value} : d;");
    (text.matches("q <= d;").count() == 1).then(|| text.replacen("q <= d;", &loads, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_get_a_reset_and_nothing_else_does() {
        let register = "module top_r(d,q,clock);\n    input wire d;\n    output reg q;\n    input wire clock;\n    \
                        initial begin\n       q = 1'h1;\n    end\n    always @(posedge clock) begin\n       \
                        q <= d;\n    end\nendmodule\n";
        let other = "\nmodule top(a,y);\n    initial begin\n       y = 0;\n    end\nendmodule\n";
        let (text, changed) = add(&format!("// begin\n{register}{other}"));
        assert_eq!(changed, 1);
        assert!(text.contains("(d,q,clock,power_on_reset);"), "{text}");
        assert!(text.contains("q <= power_on_reset ? 1'h1 : d;"), "{text}");
        assert!(text.ends_with(other));
    }
}
