//! AXI buses between instances.

use super::VendorError;
use super::netlist::{Net, Netlist};
use super::ports::Way;

/// Signals of AXI4 and AXI3 that a master drives, but for user signals.
const FROM_MASTER: [&str; 29] = [
    "awid", "awaddr", "awlen", "awsize", "awburst", "awlock", "awcache", "awprot", "awregion", "awqos",
    "awvalid", "wid", "wdata", "wstrb", "wlast", "wvalid", "bready", "arid", "araddr", "arlen", "arsize",
    "arburst", "arlock", "arcache", "arprot", "arregion", "arqos", "arvalid", "rready",
];

/// Signals that a slave drives, but for user signals.
const FROM_SLAVE: [&str; 13] = [
    "awready", "wready", "bid", "bresp", "bvalid", "arready", "rid", "rdata", "rresp", "rlast", "rvalid",
    "buser", "ruser",
];

/// Bits AxCACHE of every transfer: bufferable and modifiable, so that converters may pack beats.
const CACHE: u64 = 0b0011;

/// One end of a bus: an instance and what its ports' names begin with; `capitals` where the rest is in capitals.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub instance: &'a str,
    pub prefix: &'a str,
    pub capitals: bool,
}

/// An end with names in small letters.
pub(super) fn end<'a>(instance: &'a str, prefix: &'a str) -> End<'a> {
    End { instance, prefix, capitals: false }
}

impl End<'_> {
    fn port(&self, signal: &str) -> String {
        let signal = if self.capitals { signal.to_uppercase() } else { signal.to_owned() };
        format!("{}{signal}", self.prefix)
    }
}

/// Connects a master with a slave. An address that is wider at the master loses its upper bits, identifiers that are
/// narrower get zeros; what only the slave has is tied to what the signal is by default, what only the master has as an
/// input is tied to zero, and what only the other side drives stays open.
pub(super) fn bus(netlist: &mut Netlist, master: End<'_>, slave: End<'_>) -> Result<(), VendorError> {
    for signal in FROM_MASTER {
        join(netlist, master, slave, signal)?;
    }
    for signal in FROM_SLAVE {
        join(netlist, slave, master, signal)?;
    }
    Ok(())
}

fn join(netlist: &mut Netlist, from: End<'_>, to: End<'_>, signal: &str) -> Result<(), VendorError> {
    let (source, target) = (from.port(signal), to.port(signal));
    let Some((Way::Input, wanted)) = netlist.port(to.instance, &target) else { return Ok(()) };
    let net = match netlist.port(from.instance, &source) {
        None if signal.ends_with("cache") => Net::Constant(wanted, CACHE),
        None => Net::Constant(wanted, 0),
        Some((_, found)) => match netlist.output(from.instance, &source)? {
            Net::Wire(name) if found > wanted && signal.ends_with("addr") => Net::Bits(name, wanted - 1, 0),
            // A master with fewer identifiers gets back those that it gave.
            Net::Wire(name) if found > wanted && signal.ends_with("id") => Net::Bits(name, wanted - 1, 0),
            Net::Wire(name) if found < wanted && (signal.ends_with("id") || signal.ends_with("addr")) => {
                Net::Extended(name, wanted)
            }
            net => net,
        },
    };
    netlist.connect(to.instance, &[(&target, net)])
}
