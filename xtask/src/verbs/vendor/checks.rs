//! What must hold of a board's folder and of its emitted wrapper.

use super::calls::{Answers, GOOD, Run, in_order, option, words};
use super::hierarchy::Hierarchy;
use super::{Board, Emitted};
use anyhow::{Context, Result, bail, ensure};
use spandrel_abi::{
    BAR0_BYTES, MSIX_PBA_OFFSET, MSIX_TABLE_OFFSET, MSIX_VECTORS, PCI_CLASS, PCI_DEVICE, PCI_VENDOR,
};
use std::collections::BTreeSet;
use std::path::Path;

/// Commands that may stand in constraints: Vivado reads no other Tcl there.
const CONSTRAINTS: [&str; 8] = [
    "set_property",
    "create_clock",
    "set_clock_groups",
    "set_false_path",
    "create_pblock",
    "resize_pblock",
    "add_cells_to_pblock",
    "#",
];

/// The flow of a board that is ours from the IP to the bitstream, in order.
const WHOLE: [&str; 15] = [
    "create_project",
    "create_ip",
    "generate_target",
    "synth_ip",
    "read_verilog",
    "read_xdc",
    "synth_design",
    "opt_design",
    "place_design",
    "phys_opt_design",
    "route_design",
    "report_timing_summary",
    "report_utilization",
    "check_timing",
    "write_bitstream",
];

/// The part of the flow that is ours where the kit of the shell does the rest.
const CUSTOM_LOGIC: [&str; 6] =
    ["read_verilog", "create_ip", "generate_target", "synth_ip", "read_xdc", "synth_design"];

/// Runs the board's scripts and looks at the order of what they do.
pub fn flow(board: &Board, folder: &Path, emitted: &Emitted) -> Result<Run> {
    let done = board.run(folder, emitted, GOOD)?;
    if let Some(message) = &done.failure {
        bail!("{message}");
    }
    in_order(&done, if board.is_kit { &CUSTOM_LOGIC } else { &WHOLE })?;
    let top = done.of("synth_design").find_map(|call| option(call, "-top"));
    ensure!(top == Some(&emitted.top), "the scripts synthesise {top:?}, the wrapper is {}", emitted.top);
    Ok(done)
}

/// A path that is late and an endpoint that is not timed must end the run without a bitstream.
pub fn timing_is_checked(board: &Board, folder: &Path, emitted: &Emitted) -> Result<()> {
    for (answers, words) in [
        (Answers { slack_ns: -0.01, untimed: 0 }, "timing is not met"),
        (Answers { slack_ns: 0.01, untimed: 2 }, "not everything is timed"),
    ] {
        let done = board.run(folder, emitted, answers)?;
        let message = done.failure.clone().unwrap_or_default();
        ensure!(message.contains(words), "the run should end with \"{words}\", and says \"{message}\"");
        ensure!(done.of("write_bitstream").next().is_none(), "a bitstream is written although {words}");
    }
    Ok(())
}

/// Constraint files hold nothing but constraints, with balanced brackets on each line.
pub fn constraints(board: &Board) -> Result<usize> {
    let mut lines = 0;
    for file in board.constraint_files()? {
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = || format!("{}:{}", file.display(), index + 1);
            let first = line.split_whitespace().next().unwrap_or_default();
            let allowed =
                CONSTRAINTS.iter().any(|word| first == *word || (*word == "#" && first.starts_with('#')));
            ensure!(allowed, "{}: {first} is not a constraint", place());
            for (open, close) in [('[', ']'), ('{', '}')] {
                let balance = line.matches(open).count() == line.matches(close).count();
                ensure!(balance || first.starts_with('#'), "{}: {open} and {close} do not match", place());
            }
            lines += 1;
        }
    }
    Ok(lines)
}

/// Ports that constraints name exist, and each pin of the board is used once.
pub fn pins(board: &Board, done: &Run, emitted: &Emitted) -> Result<usize> {
    for pattern in done.of("get_ports").filter_map(|call| call.first()).flat_map(|list| words(list)) {
        ensure!(
            emitted.ports.iter().any(|(name, width)| matches(pattern, name, *width)),
            "constraints name port {pattern}, which {} does not have",
            emitted.top
        );
    }
    if board.is_kit {
        return Ok(0);
    }
    let mut placed = BTreeSet::new();
    let mut used = BTreeSet::new();
    for call in done.of("set_property").filter(|call| call[0] == "PACKAGE_PIN") {
        ensure!(used.insert(&call[1]), "pin {} is given to two ports", call[1]);
        placed.insert(call[2].trim_matches(['{', '}']).to_owned());
    }
    for (name, width) in &emitted.ports {
        // The transceivers' pins are placed by the PCIe block's IP.
        if name.starts_with("pci_exp_") {
            continue;
        }
        for bit in 0..*width {
            let bit_name = format!("{name}[{bit}]");
            let found = placed.contains(&bit_name) || (*width == 1 && placed.contains(name));
            ensure!(found, "port {bit_name} has no PACKAGE_PIN");
        }
    }
    Ok(used.len())
}

fn matches(pattern: &str, name: &str, width: usize) -> bool {
    match pattern.split_once('[') {
        None => pattern == name,
        Some((base, index)) => {
            let index = index.trim_end_matches(']');
            base == name && (index == "*" || index.parse::<usize>().is_ok_and(|index| index < width))
        }
    }
}

/// Cells and pins that constraints name exist in the emitted hierarchy. For a kit, `prefix` is where it puts our top.
pub fn cells(board: &Board, done: &Run, emitted: &Emitted) -> Result<usize> {
    let hierarchy = Hierarchy::of(&[&emitted.wrapper, &emitted.card]);
    let named =
        |query: &'static str| done.of(query).filter_map(|call| call.first()).flat_map(|list| words(list));
    let mut count = 0;
    for path in named("get_cells") {
        let inside =
            path.strip_prefix(board.cell_prefix).with_context(|| format!("{path} is not in our top"))?;
        ensure!(
            hierarchy.has_cell(&emitted.top, inside),
            "the floorplan names cell {path}, which the emitted hierarchy does not have"
        );
        count += 1;
    }
    for path in named("get_pins") {
        ensure!(
            hierarchy.has_register_pin(&emitted.top, path),
            "constraints name pin {path}, which the emitted hierarchy does not have"
        );
        count += 1;
    }
    ensure!(count > 0, "no constraint names a cell");
    Ok(count)
}

/// Every IP of the wrapper is made by `ip.tcl`, and no other; the PCIe block identifies itself as the driver expects.
pub fn ip(board: &Board, done: &Run, emitted: &Emitted) -> Result<usize> {
    let made: BTreeSet<&str> = done.of("create_ip").filter_map(|call| option(call, "-module_name")).collect();
    let hierarchy = Hierarchy::of(&[&emitted.wrapper, &emitted.card]);
    // Primitives are in capitals; the kit's own memory controller comes with it.
    let foreign = hierarchy.inside(&emitted.top).filter(|module| !hierarchy.defines(module));
    let wanted: BTreeSet<&str> = foreign
        .filter(|module| module.contains(|letter: char| letter.is_ascii_lowercase()) && *module != "sh_ddr")
        .collect();
    ensure!(made == wanted, "ip.tcl makes {made:?}, the wrapper has {wanted:?}");
    if board.is_kit {
        return Ok(made.len());
    }
    let settings: Vec<String> =
        done.of("set_property").filter_map(|call| option(call, "-dict")).map(str::to_owned).collect();
    for (name, value) in [
        ("vendor_id", format!("{PCI_VENDOR:04X}")),
        ("PF0_DEVICE_ID", format!("{PCI_DEVICE:04X}")),
        ("PF0_CLASS_CODE", format!("{PCI_CLASS:06x}")),
        ("pf0_bar0_scale", "Kilobytes".to_owned()),
        ("pf0_bar0_size", (BAR0_BYTES / 1024).to_string()),
        ("PF0_MSIX_CAP_TABLE_SIZE", format!("{:03X}", MSIX_VECTORS - 1)),
        ("PF0_MSIX_CAP_TABLE_OFFSET", format!("{MSIX_TABLE_OFFSET:08x}")),
        ("PF0_MSIX_CAP_PBA_OFFSET", format!("{MSIX_PBA_OFFSET:08x}")),
    ] {
        let pair = [format!("CONFIG.{name}"), value];
        let set = settings.iter().any(|list| {
            let list: Vec<&str> = words(list).collect();
            list.windows(2).any(|two| two == pair)
        });
        ensure!(set, "ip.tcl does not set {} to {}, as docs/registers.md has it", pair[0], pair[1]);
    }
    Ok(made.len())
}
