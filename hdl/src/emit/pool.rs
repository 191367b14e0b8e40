//! Pools: modules that users in different places of a design take turns with.
//!
//! A user instantiates its side of a shared module `m`: a module `m` + [`SIDE_OF`] + `user`, whose inputs have the names of
//! `m`'s without `_user`, and whose outputs those of `m`. The side is whole in itself, so a block that holds one
//! simulates and interprets as any other. In the text of a design with sides in it, each side's instance is replaced by
//! ports that lead through the hierarchy up to the lowest module that holds all sides; there instances of `m` stand, each
//! for one side of every user. The n-th of one user, in the order of the text, shares with the n-th of the others, and
//! where a user has fewer, its inputs are zero.
//!
//! Nothing but wires is added: who has the turn is told by an input of the shared module itself.

use super::{EmitError, module_name};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Between the name of a shared module and the name of a user, in the name of the user's side.
pub const SIDE_OF: &str = "_side_of_";

/// Begins the names of all ports and wires that are added.
const PREFIX: &str = "drawn_";

/// A port of a side: its name and width, and whether it is an input of the shared module.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SidePort {
    name: String,
    width: usize,
    input: bool,
}

/// One user's side of the shared module.
#[derive(Debug)]
struct Side<'a> {
    /// The side's module.
    module: &'a str,
    user: &'a str,
    /// All ports but the clock.
    ports: Vec<SidePort>,
}

/// An instance in a module, and the line that it begins in.
#[derive(Debug)]
struct Inside<'a> {
    instance: &'a str,
    module: &'a str,
    line: usize,
}

/// Modules of a text by name: their lines.
type Modules<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Wires by the numbers of a side and of its port.
type Ends = BTreeMap<(usize, usize), Vec<String>>;

/// Draws the sides in a design out into pools; a text without sides stays as it is.
pub(super) fn draw_out(text: &str, top: &str) -> Result<String, EmitError> {
    let mut text = text.to_owned();
    // Each turn takes all sides of one shared module out of the text.
    while let Some((shared, _)) =
        text.lines().filter_map(module_name).find_map(|name| name.split_once(SIDE_OF))
    {
        text = Drawing::new(&text, shared).drawn(top)?;
    }
    Ok(text)
}

struct Drawing<'a> {
    shared: &'a str,
    order: Vec<&'a str>,
    modules: Modules<'a>,
    sides: Vec<Side<'a>>,
    /// How many ends of each side lead out of a module.
    counts: BTreeMap<&'a str, Vec<usize>>,
}

/// What is added to a module.
#[derive(Default)]
struct Added {
    /// Wires, declared before they are used.
    wires: Vec<String>,
    /// Assignments and instances.
    logic: Vec<String>,
}

impl<'a> Drawing<'a> {
    fn new(text: &'a str, shared: &'a str) -> Drawing<'a> {
        let (order, modules) = modules(text);
        let sides = order.iter().filter_map(|name| side(name, shared, &modules)).collect();
        Drawing { shared, order, modules, sides, counts: BTreeMap::new() }
    }

    /// The text with the sides drawn out.
    fn drawn(mut self, top: &str) -> Result<String, EmitError> {
        let total = self.count(top);
        let Some((&root, _)) = self.modules.get_key_value(top) else {
            return Err(EmitError::ModuleMissing { path: top.to_owned() });
        };
        // Down to the lowest module that holds them all.
        let mut home = root;
        let holds_all = |inside: &Inside<'_>| {
            self.counts.get(inside.module).is_some_and(|counts| *counts == total)
                && self.side_number(inside.module).is_none()
        };
        while let Some(inside) = self.insides(home).into_iter().find(holds_all) {
            home = inside.module;
        }
        let changed = self.reachable(home);
        let mut texts = Vec::with_capacity(self.order.len());
        for name in &self.order {
            if changed.contains(name) {
                texts.push(self.rewired(name, *name == home)?.join("\n"));
            } else if self.side_number(name).is_none() {
                texts.push(self.modules[name].join("\n"));
            }
        }
        Ok(texts.join("\n\n") + "\n")
    }

    /// The ends of each side in a module and all that it holds.
    fn count(&mut self, module: &str) -> Vec<usize> {
        let mut counts = vec![0; self.sides.len()];
        let Some((&name, _)) = self.modules.get_key_value(module) else { return counts };
        if let Some(known) = self.counts.get(name) {
            return known.clone();
        }
        match self.side_number(name) {
            Some(side) => counts[side] = 1,
            None => {
                for inside in self.insides(name) {
                    let inner = self.count(inside.module);
                    counts.iter_mut().zip(inner).for_each(|(sum, count)| *sum += count);
                }
            }
        }
        self.counts.insert(name, counts.clone());
        counts
    }

    fn side_number(&self, module: &str) -> Option<usize> {
        self.sides.iter().position(|side| side.module == module)
    }

    /// The ends of each side that lead out of an instance of this module, if there are any.
    fn ends(&self, module: &str) -> Option<&[usize]> {
        self.counts.get(module).map(Vec::as_slice).filter(|counts| counts.iter().any(|count| *count > 0))
    }

    /// Modules with ends in them, from `home` down, sides left out.
    fn reachable(&self, home: &'a str) -> Vec<&'a str> {
        let mut found = vec![home];
        let mut at = 0;
        while at < found.len() {
            for inside in self.insides(found[at]) {
                let is_side = self.side_number(inside.module).is_some();
                if self.ends(inside.module).is_some() && !is_side && !found.contains(&inside.module) {
                    found.push(inside.module);
                }
            }
            at += 1;
        }
        found
    }

    /// The instances in a module, of modules of the text.
    fn insides(&self, module: &str) -> Vec<Inside<'a>> {
        let instance = |(line, text): (usize, &&'a str)| {
            let (name, rest) = text.trim_start().split_once(' ')?;
            let (&module, _) = self.modules.get_key_value(name)?;
            Some(Inside { instance: rest.split('(').next()?.trim(), module, line })
        };
        self.modules[module].iter().enumerate().filter_map(instance).collect()
    }

    /// The lines of a module with its sides drawn out: to ports, or at home to the pool.
    fn rewired(&self, module: &str, home: bool) -> Result<Vec<String>, EmitError> {
        let mut lines: Vec<String> = self.modules[module].iter().map(|line| (*line).to_owned()).collect();
        let mut added = Added::default();
        // For each port of each side its wires, in the order of the instances.
        let mut ends: Ends = BTreeMap::new();
        let mut removed = Vec::new();
        for inside in self.insides(module) {
            let Some(counts) = self.ends(inside.module) else { continue };
            let is_side = self.side_number(inside.module).is_some();
            let mut connections = String::new();
            for (number, side) in self.sides.iter().enumerate().filter(|(number, _)| counts[*number] > 0) {
                for (index, port) in side.ports.iter().enumerate() {
                    let wire = format!("{PREFIX}{}_{}_of_{}", side.user, port.name, inside.instance);
                    added.wires.push(format!("  wire {}{wire};", range(port.width * counts[number])));
                    if is_side {
                        let end = connection(&lines[inside.line], &port.name);
                        let end = end.ok_or_else(|| EmitError::PoolPort {
                            path: format!("{module}.{}", inside.instance),
                            port: port.name.clone(),
                        })?;
                        added.logic.push(match port.input {
                            true => format!("  assign {wire} = {end};"),
                            false => format!("  assign {end} = {wire};"),
                        });
                    } else {
                        // Writing to a String cannot fail.
                        let _ = write!(connections, ".{}({wire}), ", self.port_name(side, port));
                    }
                    ends.entry((number, index)).or_default().push(wire);
                }
            }
            match is_side {
                true => removed.push(inside.line),
                false => lines[inside.line] = lines[inside.line].replacen('(', &format!("({connections}"), 1),
            }
        }
        match home {
            true => self.close(module, &ends, &mut added)?,
            false => lines[0] = self.open(module, &ends, &mut added),
        }
        let mut removed = removed.into_iter().peekable();
        let kept = lines.into_iter().enumerate().filter(|(at, _)| removed.next_if_eq(at).is_none());
        let mut lines: Vec<String> = kept.map(|(_, line)| line).collect();
        let end = lines.len() - 1;
        lines.splice(end..end, added.logic);
        lines.splice(1..1, added.wires);
        Ok(lines)
    }

    /// A module's first line with the ports that its ends leave by, and their declarations.
    fn open(&self, module: &str, ends: &Ends, added: &mut Added) -> String {
        let mut header = String::new();
        let mut declarations = Vec::new();
        for ((number, index), wires) in ends {
            let side = &self.sides[*number];
            let port = &side.ports[*index];
            let (name, wires) = (self.port_name(side, port), concatenation(wires));
            let range = range(port.width * self.counts[module][*number]);
            let (direction, assignment) = match port.input {
                true => ("output", format!("  assign {name} = {wires};")),
                false => ("input", format!("  assign {wires} = {name};")),
            };
            let _ = write!(header, "{name},");
            declarations.push(format!("  {direction} wire {range}{name};"));
            added.logic.push(assignment);
        }
        added.wires.splice(0..0, declarations);
        self.modules[module][0].replacen('(', &format!("({header}"), 1)
    }

    /// Puts the pool into the module that holds all ends.
    fn close(&self, module: &str, ends: &Ends, added: &mut Added) -> Result<(), EmitError> {
        let is_clock = |line: &&str| {
            line.trim_start().strip_prefix("input wire").is_some_and(|rest| rest.trim() == "clock;")
        };
        if !self.modules[module].iter().any(is_clock) {
            return Err(EmitError::PoolClock { module: module.to_owned(), shared: self.shared.to_owned() });
        }
        let counts = &self.counts[module];
        for ((number, index), wires) in ends {
            let side = &self.sides[*number];
            let port = &side.ports[*index];
            let (all, wires) = (self.port_name(side, port), concatenation(wires));
            added.wires.push(format!("  wire {}{all};", range(port.width * counts[*number])));
            added.logic.push(match port.input {
                true => format!("  assign {all} = {wires};"),
                false => format!("  assign {wires} = {all};"),
            });
        }
        for member in 0..counts.iter().copied().max().unwrap_or_default() {
            let instance = format!("{PREFIX}{}_{member}", self.shared);
            let mut connections = vec![".clock(clock)".to_owned()];
            let mut outputs = BTreeMap::new();
            for (side, count) in self.sides.iter().zip(counts) {
                for port in &side.ports {
                    let name = &port.name;
                    let end = (member < *count).then(|| match port.width * count {
                        1 => self.port_name(side, port),
                        _ => {
                            let (high, low) = ((member + 1) * port.width - 1, member * port.width);
                            format!("{}[{high}:{low}]", self.port_name(side, port))
                        }
                    });
                    if port.input {
                        let end = end.unwrap_or_else(|| format!("{}'h0", port.width));
                        connections.push(format!(".{name}_{}({end})", side.user));
                        continue;
                    }
                    let wire = format!("{instance}_{name}");
                    added.logic.extend(end.map(|end| format!("  assign {end} = {wire};")));
                    outputs.insert(name, (wire, port.width));
                }
            }
            for (name, (wire, width)) in outputs {
                added.wires.push(format!("  wire {}{wire};", range(width)));
                connections.push(format!(".{name}({wire})"));
            }
            added.logic.push(format!("  {} {instance} ({});", self.shared, connections.join(", ")));
        }
        Ok(())
    }

    fn port_name(&self, side: &Side<'_>, port: &SidePort) -> String {
        format!("{PREFIX}{}_{}_{}", self.shared, side.user, port.name)
    }
}

/// The first wire lowest.
fn concatenation(wires: &[String]) -> String {
    let highest_first: Vec<&str> = wires.iter().rev().map(String::as_str).collect();
    format!("{{{}}}", highest_first.join(", "))
}

fn range(width: usize) -> String {
    if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) }
}

/// What the port of an instance, written in one line, is connected to.
fn connection<'a>(line: &'a str, port: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(".{port}("))?;
    rest.split(')').next()
}

/// The modules of a text: their names in its order, and their lines.
fn modules(text: &str) -> (Vec<&str>, Modules<'_>) {
    let (mut order, mut modules) = (Vec::new(), Modules::new());
    let mut name = None;
    for line in text.lines() {
        if let Some(begun) = module_name(line) {
            name = Some(begun);
            order.push(begun);
        }
        if let Some(name) = name {
            modules.entry(name).or_default().push(line);
        }
        if line.starts_with("endmodule") {
            name = None;
        }
    }
    (order, modules)
}

/// The side of `shared` that a module is, if its name says so.
fn side<'a>(module: &'a str, shared: &str, modules: &Modules<'a>) -> Option<Side<'a>> {
    let user = module.strip_prefix(shared)?.strip_prefix(SIDE_OF)?;
    let port = |line: &&str| {
        let (direction, rest) = line.trim().split_once(" wire ")?;
        let (range, name) = match rest.trim().rsplit_once(' ') {
            Some((range, name)) => (range.trim(), name),
            None => ("[0:0]", rest.trim()),
        };
        let highest: usize = range.strip_prefix('[')?.split(':').next()?.parse().ok()?;
        let input = match direction {
            "input" => true,
            "output" => false,
            _ => return None,
        };
        Some(SidePort { name: name.trim_end_matches(';').to_owned(), width: highest + 1, input })
    };
    let ports = modules.get(module)?.iter().filter_map(port).filter(|port| port.name != "clock").collect();
    Some(Side { module, user, ports })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shared doubler of 4 bits, two users of it, and a module around them, with a top around that.
    const DESIGN: &str = "\
module pair(clock,p,q);
    input wire  clock;
    input wire  [3:0] p;
    output wire  [3:0] q;
  wire [3:0] i0_0;
  double_side_of_x u0 (.clock(clock), .a(p), .twice(i0_0));
  double_side_of_x u1 (.clock(clock), .a(i0_0), .twice(q));
endmodule

module inner(clock,p,q,used,r);
    input wire  clock;
    input wire  [3:0] p;
    output wire  [3:0] q;
    input wire  used;
    output wire  [3:0] r;
    pair first(
        .clock(clock),
        .p(p),
        .q(q)
    );
  double_side_of_y u0 (.clock(clock), .a(p), .used(used), .twice(r));
endmodule

module top(clock,p,q,used,r);
    input wire  clock;
    input wire  [3:0] p;
    output wire  [3:0] q;
    input wire  used;
    output wire  [3:0] r;
    inner only(.clock(clock), .p(p), .q(q), .used(used), .r(r));
endmodule

module double (clock, a_x, a_y, used_y, twice);
  input wire clock;
  input wire [3:0] a_x;
  input wire [3:0] a_y;
  input wire used_y;
  output wire [3:0] twice;
endmodule

module double_side_of_x (clock, a, twice);
  input wire clock;
  input wire [3:0] a;
  output wire [3:0] twice;
  double u0 (.clock(clock), .a_x(a), .a_y(4'h0), .used_y(1'h0), .twice(twice));
endmodule

module double_side_of_y (clock, a, used, twice);
  input wire clock;
  input wire [3:0] a;
  input wire used;
  output wire [3:0] twice;
  double u0 (.clock(clock), .a_x(4'h0), .a_y(a), .used_y(used), .twice(twice));
endmodule
";

    fn module(text: &str, name: &str) -> String {
        let (_, modules) = modules(text);
        modules.get(name).map(|lines| lines.join("\n")).unwrap_or_default()
    }

    #[test]
    fn a_text_without_sides_stays_as_it_is() {
        let (text, _) = DESIGN.split_once("module inner").unwrap();
        let text = text.replace("_side_of_x", "");
        assert_eq!(draw_out(&text, "pair").as_ref(), Ok(&text));
    }

    #[test]
    fn sides_are_drawn_out_to_the_lowest_module_that_holds_all() {
        let drawn = draw_out(DESIGN, "top").unwrap();
        assert!(!drawn.contains(SIDE_OF), "{drawn}");
        assert_eq!(module(&drawn, "top"), module(DESIGN, "top"));
        let pair = module(&drawn, "pair");
        for line in [
            "module pair(drawn_double_x_a,drawn_double_x_twice,clock,p,q);",
            "  output wire [7:0] drawn_double_x_a;",
            "  input wire [7:0] drawn_double_x_twice;",
            "  assign drawn_x_a_of_u1 = i0_0;",
            "  assign q = drawn_x_twice_of_u1;",
            "  assign drawn_double_x_a = {drawn_x_a_of_u1, drawn_x_a_of_u0};",
        ] {
            assert!(pair.lines().any(|found| found == line), "{line} is not in\n{pair}");
        }
        let inner = module(&drawn, "inner");
        for line in [
            "  assign drawn_y_used_of_u0 = used;",
            "  double drawn_double_0 (.clock(clock), .a_x(drawn_double_x_a[3:0]), .a_y(drawn_double_y_a[3:0]), \
             .used_y(drawn_double_y_used), .twice(drawn_double_0_twice));",
            // The second of one user has nobody to share with.
            "  double drawn_double_1 (.clock(clock), .a_x(drawn_double_x_a[7:4]), .a_y(4'h0), .used_y(1'h0), \
             .twice(drawn_double_1_twice));",
            "  assign drawn_double_x_twice[7:4] = drawn_double_1_twice;",
            "  assign drawn_double_y_twice[3:0] = drawn_double_0_twice;",
        ] {
            assert!(inner.lines().any(|found| found == line), "{line} is not in\n{inner}");
        }
        assert_eq!(inner.matches("  double drawn").count(), 2);
    }

    #[test]
    fn what_cannot_be_drawn_out_is_named() {
        let error = draw_out(&DESIGN.replace("input wire  clock", "input wire  clk"), "top").unwrap_err();
        assert_eq!(error, EmitError::PoolClock { module: "inner".into(), shared: "double".into() });
        let error = draw_out(&DESIGN.replace(".a(i0_0), ", ""), "top").unwrap_err();
        assert_eq!(error, EmitError::PoolPort { path: "pair.u1".into(), port: "a".into() });
    }
}
