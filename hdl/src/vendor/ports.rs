//! Lists of modules' ports: of the vendor's blocks, read from `bitstreams/ip/`, and of our own.

use super::VendorError;
use crate::emit::{Emitted, PortDirection};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

macro_rules! lists {
    ($($name:literal),+ $(,)?) => {
        /// The vendor's blocks: names of the files in `bitstreams/ip/`, without their ending, and their texts.
        pub const LISTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../bitstreams/ip/", $name, ".toml")))),+];
    };
}

lists!(
    "aws_shell",
    "axi_clock_converter",
    "axi_dwidth_converter_down",
    "axi_dwidth_converter_up",
    "axi_protocol_converter",
    "bufg",
    "clk_wiz_hbm",
    "ddr4",
    "hbm",
    "ibuf",
    "ibufds",
    "ibufds_gte4",
    "pcie4_uscale_plus",
    "pcie4c_uscale_plus",
    "sh_ddr",
);

/// Which way a port goes, seen from its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into the module.
    Input,
    /// Out of the module.
    Output,
    /// Both ways: a pin of a memory.
    Inout,
}

/// The ports of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortList {
    /// Name of the module.
    pub module: String,
    /// Direction and width in bits, by name.
    pub ports: BTreeMap<String, (Way, usize)>,
}

/// A list as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    module: String,
    source: String,
    #[serde(default)]
    input: BTreeMap<String, usize>,
    #[serde(default)]
    output: BTreeMap<String, usize>,
    #[serde(default)]
    inout: BTreeMap<String, usize>,
}

impl PortList {
    /// The list of one of the vendor's blocks, by the name of its file.
    ///
    /// # Errors
    /// [`VendorError::List`] where there is no such list, or it is not one.
    pub fn load(name: &str) -> Result<PortList, VendorError> {
        let fault = |reason: String| VendorError::List { file: format!("{name}.toml"), reason };
        let (_, text) = LISTS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| fault("there is no such file".to_owned()))?;
        let file: File = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        if file.source.is_empty() {
            return Err(fault("it does not say which document it is taken from".to_owned()));
        }
        let mut ports = BTreeMap::new();
        for (way, list) in [(Way::Input, file.input), (Way::Output, file.output), (Way::Inout, file.inout)] {
            for (port, width) in list {
                if width == 0 || ports.insert(port.clone(), (way, width)).is_some() {
                    return Err(fault(format!("{port} has no width, or two directions")));
                }
            }
        }
        Ok(PortList { module: file.module, ports })
    }

    /// A module of our own.
    pub fn of(module: &str, inputs: &[(&str, usize)], outputs: &[(&str, usize)]) -> PortList {
        let list = |way: Way, ports: &[(&str, usize)]| {
            ports.iter().map(move |(name, width)| ((*name).to_owned(), (way, *width))).collect::<Vec<_>>()
        };
        let ports = list(Way::Input, inputs).into_iter().chain(list(Way::Output, outputs)).collect();
        PortList { module: module.to_owned(), ports }
    }

    /// The ports of an emitted module.
    pub fn emitted(emitted: &Emitted) -> PortList {
        let way = |direction: PortDirection| match direction {
            PortDirection::Input => Way::Input,
            PortDirection::Output => Way::Output,
        };
        let ports = emitted.ports.iter().map(|port| (port.name.clone(), (way(port.direction), port.width)));
        PortList { module: emitted.top.clone(), ports: ports.collect() }
    }

    /// The module with its ports alone.
    pub fn black_box(&self) -> String {
        let names: Vec<&str> = self.ports.keys().map(String::as_str).collect();
        let mut text = format!("(* blackbox *)\nmodule {}({});\n", self.module, names.join(", "));
        text.push_str(&self.declarations());
        text.push_str("endmodule\n");
        text
    }

    /// A line of Verilog for each port.
    pub fn declarations(&self) -> String {
        let mut text = String::new();
        for (name, (way, width)) in &self.ports {
            let way = match way {
                Way::Input => "input",
                Way::Output => "output",
                Way::Inout => "inout",
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "    {way} wire {}{name};", range(*width));
        }
        text
    }
}

/// `[7:0] ` for 8 bits, nothing for one.
pub(super) fn range(width: usize) -> String {
    if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) }
}
