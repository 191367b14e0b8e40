//! Instances and the nets between them, checked and written as Verilog.

use super::VendorError;
use super::ports::{PortList, Way, range};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is connected to a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Net {
    /// A declared net or a port of the top module, all of it.
    Wire(String),
    /// Bits `high` down to `low` of one.
    Bits(String, usize, usize),
    /// One, with zeros above it up to this width.
    Extended(String, usize),
    /// The inverse of a net of one bit.
    Not(String),
    /// Either of two nets of one bit.
    Either(String, String),
    /// A constant of so many bits.
    Constant(usize, u64),
}

/// A whole net.
pub(super) fn wire(name: &str) -> Net {
    Net::Wire(name.to_owned())
}

struct Instance {
    name: String,
    list: PortList,
    /// Ours: its module is in the text or beside it, so that it needs no black box.
    own: bool,
    nets: BTreeMap<String, Net>,
}

/// A module made of instances and nets.
pub struct Netlist {
    top: PortList,
    wires: BTreeMap<String, usize>,
    instances: Vec<Instance>,
    /// Outputs of the top module, and what drives them.
    assigned: BTreeMap<String, Net>,
}

impl Netlist {
    /// A module of this name and these ports, empty.
    pub fn new(top: PortList) -> Netlist {
        Netlist { top, wires: BTreeMap::new(), instances: Vec::new(), assigned: BTreeMap::new() }
    }

    /// Name of the module.
    pub fn top(&self) -> &str {
        &self.top.module
    }

    /// Ports of the module.
    pub fn ports(&self) -> PortList {
        self.top.clone()
    }

    /// Adds an instance of a module of our own.
    pub fn own(&mut self, name: &str, list: PortList) {
        self.instances.push(Instance { name: name.to_owned(), list, own: true, nets: BTreeMap::new() });
    }

    /// Adds an instance of one of the vendor's blocks.
    ///
    /// # Errors
    /// Those of [`PortList::load`].
    pub fn vendor(&mut self, name: &str, list: &str) -> Result<(), VendorError> {
        let list = PortList::load(list)?;
        self.instances.push(Instance { name: name.to_owned(), list, own: false, nets: BTreeMap::new() });
        Ok(())
    }

    /// Direction and width of an instance's port, if it has it.
    pub fn port(&self, instance: &str, port: &str) -> Option<(Way, usize)> {
        let found = self.instances.iter().find(|known| known.name == instance)?;
        found.list.ports.get(port).copied()
    }

    /// Whether an instance's port is connected.
    pub fn is_connected(&self, instance: &str, port: &str) -> bool {
        self.instances.iter().any(|known| known.name == instance && known.nets.contains_key(port))
    }

    /// Connects ports of an instance.
    ///
    /// # Errors
    /// [`VendorError::NoPort`], [`VendorError::Twice`].
    pub fn connect(&mut self, instance: &str, connections: &[(&str, Net)]) -> Result<(), VendorError> {
        for (port, net) in connections {
            let no_port = |module: &str| VendorError::NoPort {
                instance: instance.to_owned(),
                module: module.to_owned(),
                port: (*port).to_owned(),
            };
            let found = self.instances.iter_mut().find(|known| known.name == instance);
            let found = found.ok_or_else(|| no_port("that does not exist"))?;
            if !found.list.ports.contains_key(*port) {
                return Err(no_port(&found.list.module));
            }
            if found.nets.insert((*port).to_owned(), net.clone()).is_some() {
                return Err(VendorError::Twice { instance: instance.to_owned(), port: (*port).to_owned() });
            }
        }
        Ok(())
    }

    /// Gives an output a net of its own, named after instance and port, unless it has one, and gives the net.
    ///
    /// # Errors
    /// [`VendorError::NoPort`].
    pub fn output(&mut self, instance: &str, port: &str) -> Result<Net, VendorError> {
        let known = self.instances.iter().find(|known| known.name == instance);
        if let Some(net) = known.and_then(|known| known.nets.get(port)) {
            return Ok(net.clone());
        }
        let name = format!("{instance}_{port}");
        let width = self.port(instance, port).map(|(_, width)| width);
        self.connect(instance, &[(port, wire(&name))])?;
        self.wires.insert(name.clone(), width.unwrap_or(1));
        Ok(wire(&name))
    }

    /// Connects an output of one instance with an input of another.
    ///
    /// # Errors
    /// [`VendorError::NoPort`], [`VendorError::Twice`].
    pub fn join(&mut self, from: (&str, &str), to: (&str, &str)) -> Result<(), VendorError> {
        let net = self.output(from.0, from.1)?;
        self.connect(to.0, &[(to.1, net)])
    }

    /// Connects the ports of an instance to ports of the top module; the names are (instance's, top's).
    ///
    /// # Errors
    /// [`VendorError::NoPort`], [`VendorError::Twice`].
    pub fn pins(&mut self, instance: &str, pairs: &[(&str, &str)]) -> Result<(), VendorError> {
        pairs.iter().try_for_each(|(port, pin)| self.connect(instance, &[(*port, wire(pin))]))
    }

    /// Ties inputs of an instance to zero.
    ///
    /// # Errors
    /// [`VendorError::NoPort`], [`VendorError::Twice`].
    pub fn low(&mut self, instance: &str, ports: &[&str]) -> Result<(), VendorError> {
        for port in ports {
            let width = self.port(instance, port).map_or(1, |(_, width)| width);
            self.connect(instance, &[(*port, Net::Constant(width, 0))])?;
        }
        Ok(())
    }

    /// Drives outputs of the top module.
    ///
    /// # Errors
    /// [`VendorError::Twice`].
    pub fn assign(&mut self, connections: &[(&str, Net)]) -> Result<(), VendorError> {
        for (port, net) in connections {
            if self.assigned.insert((*port).to_owned(), net.clone()).is_some() {
                let instance = self.top.module.clone();
                return Err(VendorError::Twice { instance, port: (*port).to_owned() });
            }
        }
        Ok(())
    }

    /// Drives outputs of the top module that begin so, and that nothing drives yet, with zero.
    pub fn assign_low(&mut self, prefixes: &[&str]) {
        let driven: Vec<String> = self
            .instances
            .iter()
            .flat_map(|instance| {
                instance.nets.iter().filter(|(port, _)| is_output(&instance.list, port)).map(|(_, net)| net)
            })
            .filter_map(|net| if let Net::Wire(name) = net { Some(name.clone()) } else { None })
            .collect();
        let rest = self.top.ports.iter().filter(|(name, (way, _))| {
            *way == Way::Output
                && prefixes.iter().any(|prefix| name.starts_with(prefix))
                && !driven.contains(name)
                && !self.assigned.contains_key(*name)
        });
        let low: Vec<_> = rest.map(|(name, (_, width))| (name.clone(), Net::Constant(*width, 0))).collect();
        self.assigned.extend(low);
    }

    /// The vendor's blocks in it, each once.
    pub fn black_boxes(&self) -> Vec<PortList> {
        let lists = self.instances.iter().filter(|instance| !instance.own);
        let lists: BTreeMap<&str, &PortList> =
            lists.map(|instance| (instance.list.module.as_str(), &instance.list)).collect();
        lists.into_values().cloned().collect()
    }

    fn width_of(&self, name: &str) -> Result<usize, VendorError> {
        let port = self.top.ports.get(name).map(|(_, width)| *width);
        port.or_else(|| self.wires.get(name).copied()).ok_or_else(|| VendorError::NoNet(name.to_owned()))
    }

    fn width(&self, net: &Net) -> Result<usize, VendorError> {
        Ok(match net {
            Net::Wire(name) => self.width_of(name)?,
            Net::Bits(name, high, low) if *high < self.width_of(name)? && low <= high => high - low + 1,
            Net::Bits(name, ..) => return Err(VendorError::NoNet(self.text(net).unwrap_or(name.clone()))),
            Net::Extended(name, width) => self.width_of(name)?.max(*width),
            Net::Not(name) => self.width_of(name)?,
            Net::Either(one, other) => self.width_of(one)?.max(self.width_of(other)?),
            Net::Constant(width, _) => *width,
        })
    }

    fn text(&self, net: &Net) -> Result<String, VendorError> {
        Ok(match net {
            Net::Wire(name) => name.clone(),
            Net::Bits(name, high, low) if high == low => format!("{name}[{high}]"),
            Net::Bits(name, high, low) => format!("{name}[{high}:{low}]"),
            Net::Extended(name, width) => match width - self.width_of(name)? {
                0 => name.clone(),
                zeros => format!("{{{zeros}'d0, {name}}}"),
            },
            Net::Not(name) => format!("~{name}"),
            Net::Either(one, other) => format!("{one} | {other}"),
            Net::Constant(width, value) => format!("{width}'h{value:x}"),
        })
    }

    /// Checks connections, widths and drivers.
    ///
    /// # Errors
    /// The first fault, in the order of the instances.
    pub fn check(&self) -> Result<(), VendorError> {
        let mut drivers: BTreeMap<&str, usize> = self.wires.keys().map(|name| (name.as_str(), 0)).collect();
        drivers.extend(self.outputs().map(|name| (name, 0)));
        for Instance { name, list, nets, .. } in &self.instances {
            for (port, (way, wanted)) in &list.ports {
                let (instance, port, wanted) = (name.clone(), port.clone(), *wanted);
                let Some(net) = nets.get(&port) else {
                    if *way == Way::Output {
                        continue;
                    }
                    return Err(VendorError::Open { instance, port });
                };
                let found = self.width(net)?;
                if found != wanted {
                    return Err(VendorError::Width { instance, port, net: self.text(net)?, found, wanted });
                }
                if *way == Way::Output {
                    let Net::Wire(target) = net else { return Err(VendorError::NoNet(self.text(net)?)) };
                    *drivers.entry(target.as_str()).or_insert(1) += 1;
                }
            }
        }
        for (port, net) in &self.assigned {
            let (found, wanted) = (self.width(net)?, self.width_of(port)?);
            if found != wanted {
                let (instance, port) = (self.top.module.clone(), port.clone());
                return Err(VendorError::Width { instance, port, net: self.text(net)?, found, wanted });
            }
            *drivers.entry(port.as_str()).or_insert(1) += 1;
        }
        match drivers.iter().find(|(_, count)| **count != 1) {
            Some((net, count)) => Err(VendorError::Drivers { net: (*net).to_owned(), drivers: *count }),
            None => Ok(()),
        }
    }

    fn outputs(&self) -> impl Iterator<Item = &str> {
        let outputs = self.top.ports.iter().filter(|(_, (way, _))| *way == Way::Output);
        outputs.map(|(name, _)| name.as_str())
    }

    /// The module's text.
    ///
    /// # Errors
    /// Those of [`Netlist::check`].
    pub fn verilog(&self) -> Result<String, VendorError> {
        self.check()?;
        let names: Vec<&str> = self.top.ports.keys().map(String::as_str).collect();
        let mut text =
            format!("module {}({});\n{}", self.top.module, names.join(", "), self.top.declarations());
        for (name, width) in &self.wires {
            // Writing to a string does not fail.
            let _ = writeln!(text, "    wire {}{name};", range(*width));
        }
        for (port, net) in &self.assigned {
            let _ = writeln!(text, "    assign {port} = {};", self.text(net)?);
        }
        for Instance { name, list, nets, .. } in &self.instances {
            let _ = writeln!(text, "\n    {} {name}(", list.module);
            let mut lines = Vec::new();
            for port in list.ports.keys() {
                let net = nets.get(port).map_or(Ok(String::new()), |net| self.text(net))?;
                lines.push(format!("        .{port}({net})"));
            }
            text.push_str(&lines.join(",\n"));
            text.push_str("\n    );\n");
        }
        text.push_str("endmodule\n");
        Ok(text)
    }
}

fn is_output(list: &PortList, port: &str) -> bool {
    list.ports.get(port).is_some_and(|(way, _)| *way == Way::Output)
}
