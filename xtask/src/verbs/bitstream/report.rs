//! nextpnr's report of timing: the clock that was reached, the longest paths, and what no clock constrains.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest paths and the clock they allow, `timing.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The clock that was asked for.
    pub clock_khz: u32,
    /// The clock at which every path is in time.
    pub reached_khz: u32,
    /// What nextpnr's randomness began with.
    pub seed: u32,
    /// Paths that would need a register to hold its value for longer than they are short, by nextpnr's count.
    pub hold_violations: u64,
    /// The longest path of each pair of clocks.
    pub paths: Vec<Path>,
    /// Pads whose paths belong to no clock.
    pub asynchronous: Vec<String>,
    /// Cells whose paths nextpnr has no model for, by kind.
    pub not_modelled: BTreeMap<String, u64>,
}

/// A path from register to register, or from or to a pad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// The clock edge it begins at, `<async>` for a pad.
    pub from: String,
    /// The clock edge it ends at.
    pub to: String,
    /// All of it.
    pub delay_ns: f64,
    /// What of it is wires.
    pub routing_ns: f64,
    /// Where it begins.
    pub begins: String,
    /// Where it ends.
    pub ends: String,
    /// The nets on the way that have names of the design.
    pub nets: Vec<String>,
}

#[derive(Deserialize)]
struct Report {
    fmax: BTreeMap<String, Fmax>,
    critical_paths: Vec<CriticalPath>,
}

#[derive(Deserialize)]
struct Fmax {
    achieved: f64,
    constraint: f64,
}

#[derive(Deserialize)]
struct CriticalPath {
    from: String,
    to: String,
    path: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    delay: f64,
    from: Pin,
    to: Pin,
    #[serde(rename = "type")]
    kind: String,
    net: Option<String>,
}

#[derive(Deserialize)]
struct Pin {
    cell: String,
    port: String,
}

/// What is known of a run beside the report.
pub struct Run<'a> {
    /// The clock that was asked for.
    pub clock_khz: u32,
    /// What nextpnr's randomness began with.
    pub seed: u32,
    /// Pads that are asynchronous to the clock.
    pub asynchronous: &'a [String],
    /// All that nextpnr wrote.
    pub log: &'a str,
    /// Cells of the netlist, by kind.
    pub cells: &'a BTreeMap<String, u64>,
}

impl Timing {
    /// Reads a report.
    ///
    /// # Errors
    /// It is not a report; a clock is not the card's; or a path from or to no clock is not one of the pads that may have
    /// one.
    pub fn read(text: &str, run: &Run<'_>) -> Result<Timing> {
        let report: Report = serde_json::from_str(text).context("nextpnr's report is not understood")?;
        let mut reached = f64::INFINITY;
        for (name, Fmax { achieved, constraint }) in &report.fmax {
            let wanted = f64::from(run.clock_khz) / 1e3;
            if (constraint / wanted - 1.0).abs() > 0.005 {
                bail!(
                    "clock {name} is constrained to {constraint:.3} MHz, and the card's is {wanted:.3} MHz"
                );
            }
            reached = reached.min(*achieved);
        }
        if !reached.is_finite() {
            bail!("nextpnr reports no clock: nothing in the design is clocked");
        }
        let paths: Vec<Path> = report.critical_paths.iter().map(path).collect();
        let mut asynchronous = Vec::new();
        for path in &paths {
            for (clock, end) in [(&path.from, &path.begins), (&path.to, &path.ends)] {
                if clock.contains("<async>") {
                    let pad = run.asynchronous.iter().find(|pad| is_of(end, pad));
                    let pad = pad.with_context(|| {
                        format!("a path {} to {} at {end} has no clock, and no pad of the board begins or ends there", path.from, path.to)
                    })?;
                    asynchronous.push(pad.clone());
                }
            }
        }
        let modelled = |kind: &&String| kind.starts_with("DSP48");
        let not_modelled =
            run.cells.iter().filter(|(kind, _)| modelled(kind)).map(|(kind, count)| (kind.clone(), *count));
        Ok(Timing {
            clock_khz: run.clock_khz,
            reached_khz: (reached * 1e3) as u32,
            seed: run.seed,
            hold_violations: hold_violations(run.log),
            paths,
            asynchronous,
            not_modelled: not_modelled.collect(),
        })
    }

    /// Whether every path is in time at the clock that was asked for.
    pub fn closes(&self) -> bool {
        self.reached_khz >= self.clock_khz
    }

    /// What a person wants to know of it.
    pub fn text(&self) -> String {
        let mut text = format!(
            "clock: {:.2} MHz reached, {:.2} MHz wanted (seed {})\n",
            f64::from(self.reached_khz) / 1e3,
            f64::from(self.clock_khz) / 1e3,
            self.seed
        );
        for Path { from, to, delay_ns, routing_ns, begins, ends, nets } in &self.paths {
            text += &format!("{from} to {to}: {delay_ns:.2} ns, {routing_ns:.2} ns of it wires\n");
            text += &format!("  from {begins}\n  to   {ends}\n");
            let nets: Vec<&str> = nets.iter().take(8).map(String::as_str).collect();
            text += &format!("  over {}\n", nets.join(", "));
        }
        for (kind, count) in &self.not_modelled {
            text += &format!(
                "nextpnr has no delays of {kind}: paths that begin or end at these {count} are not in the figures\n"
            );
        }
        if self.hold_violations > 0 {
            text += &format!("{} paths are shorter than nextpnr's hold times\n", self.hold_violations);
        }
        text
    }
}

fn is_of(end: &str, pad: &str) -> bool {
    end.strip_prefix(pad).is_some_and(|rest| rest.starts_with(['$', '.', '[', '/']) || rest.is_empty())
}

fn path(critical: &CriticalPath) -> Path {
    let end = |pin: Option<&Pin>| pin.map_or_else(String::new, |pin| format!("{}.{}", pin.cell, pin.port));
    let sum = |wanted: fn(&Step) -> bool| {
        let steps = critical.path.iter().filter(|step| wanted(step)).map(|step| step.delay);
        (steps.sum::<f64>() * 1e3).round() / 1e3
    };
    let mut nets: Vec<String> = critical.path.iter().filter_map(|step| step.net.clone()).collect();
    nets.retain(|net| !net.starts_with('$'));
    nets.dedup();
    Path {
        from: critical.from.clone(),
        to: critical.to.clone(),
        delay_ns: sum(|_| true),
        routing_ns: sum(|step| step.kind == "routing"),
        begins: end(critical.path.first().map(|step| &step.from)),
        ends: end(critical.path.last().map(|step| &step.to)),
        nets,
    }
}

/// The number in the last line `Info: 2 Hold/min time violations`.
fn hold_violations(log: &str) -> u64 {
    let count =
        |line: &str| line.split_once("Hold/min time violations")?.0.split_whitespace().last()?.parse().ok();
    log.lines().filter_map(count).next_back().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"fmax": {"clock": {"achieved": 91.5, "constraint": 80}}, "utilization": {}, "critical_paths": [
        {"from": "posedge clock", "to": "posedge clock", "path": [
        {"delay": 0.35, "from": {"cell": "a", "loc": [1, 2], "port": "Q"}, "to": {"cell": "a", "loc": [1, 2], "port": "Q"},
         "type": "clk-to-q"},
        {"delay": 10.5, "from": {"cell": "a", "loc": [1, 2], "port": "Q"}, "net": "card.n",
         "to": {"cell": "b", "loc": [1, 2], "port": "D"}, "type": "routing"}]},
        {"from": "<async>", "to": "posedge clock", "path": [
        {"delay": 1.0, "from": {"cell": "rxd$tr_io", "loc": [1, 2], "port": "O"}, "net": "$n",
         "to": {"cell": "b", "loc": [1, 2], "port": "D"}, "type": "routing"}]}]}"#;

    fn read(text: &str, clock_khz: u32, pads: &[String]) -> Result<Timing> {
        let cells = BTreeMap::from([("DSP48E1".to_owned(), 3), ("LUT2".to_owned(), 9)]);
        let log = "Info: 2 Hold/min time violations (showing 10 worst paths):\n";
        Timing::read(text, &Run { clock_khz, seed: 7, asynchronous: pads, log, cells: &cells })
    }

    #[test]
    fn a_report_is_understood() {
        let timing = read(REPORT, 80_000, &["rxd".to_owned()]).unwrap();
        assert_eq!((timing.reached_khz, timing.hold_violations, timing.closes()), (91_500, 2, true));
        let worst = &timing.paths[0];
        assert_eq!((worst.delay_ns, worst.routing_ns), (10.85, 10.5));
        assert_eq!((worst.begins.as_str(), worst.ends.as_str()), ("a.Q", "b.D"));
        assert_eq!(worst.nets, ["card.n"]);
        assert_eq!(timing.asynchronous, ["rxd"]);
        assert_eq!(timing.not_modelled, BTreeMap::from([("DSP48E1".to_owned(), 3)]));
        assert!(timing.text().contains("91.50 MHz reached"));
    }

    #[test]
    fn what_no_clock_constrains_is_refused() {
        let error = read(REPORT, 80_000, &["rx".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("rxd$tr_io"), "{error}");
        let error = read(REPORT, 100_000, &["rxd".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("constrained to 80.000 MHz"), "{error}");
        let error = read(r#"{"fmax": {}, "critical_paths": []}"#, 1, &[]).unwrap_err().to_string();
        assert!(error.contains("no clock"), "{error}");
    }
}
