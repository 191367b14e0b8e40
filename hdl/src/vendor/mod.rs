//! The card in a vendor's shell: top-level wrappers for boards whose PCIe and memory controllers are the vendor's.
//!
//! A wrapper is a [`Netlist`]: the card, the vendor's blocks with the ports that `bitstreams/ip/*.toml` lists ([`PortList`]),
//! and the nets between them. It is checked before it is written: every input is connected, every net is driven once, widths
//! agree. The same lists give the black boxes with which another tool can elaborate the wrapper without the vendor's.
//!
//! | board | host | card memory | clock |
//! | --- | --- | --- | --- |
//! | `alveo-u250` | PCIe block, 16 lanes, streams of 512 bits | DDR4 channel 0, behind a clock converter | the PCIe block's, 250 MHz |
//! | `alveo-u55c` | the same | HBM port 00, behind a width, a clock and a protocol converter | the PCIe block's, 250 MHz |
//! | `aws-f2` | the shell's AXI: OCL for registers, PCIM for host memory | the shell's DDR4 | the shell's, 250 MHz |

mod alveo;
mod axi;
mod error;
mod f2;
mod interrupts;
mod netlist;
mod ports;

pub use error::VendorError;
pub use interrupts::ShellInterrupts;
pub use netlist::{Net, Netlist};
pub use ports::{LISTS, PortList};

use crate::emit::Emitted;
use crate::profile::Profile;

/// The boards that have a wrapper, by the names of their profiles.
pub const BOARDS: [&str; 3] = ["alveo-u250", "alveo-u55c", "aws-f2"];

/// A wrapper and what is in it.
#[derive(Clone, Debug)]
pub struct Wrapper {
    /// Name of the top module.
    pub top: String,
    /// The wrapper with its small modules, Verilog-2005.
    pub verilog: String,
    /// The vendor's blocks with their ports alone, Verilog-2005.
    pub black_boxes: String,
    /// Ports of the top module.
    pub ports: PortList,
}

/// Holds the card in reset until two signals of any clock are high, and lets it go in step with its clock.
const RESET: &str = "\
module spandrel_reset(input wire clock, input wire ready_0, input wire ready_1, output wire reset, output wire reset_n);
    (* ASYNC_REG = \"TRUE\" *) reg [2:0] chain = 3'b000;
    wire ready;
    assign ready = ready_0 & ready_1;
    always @(posedge clock or negedge ready)
        if (!ready) chain <= 3'b000;
        else chain <= {chain[1:0], 1'b1};
    assign reset = !chain[2];
    assign reset_n = chain[2];
endmodule
";

/// Ports of [`RESET`].
fn reset_ports() -> PortList {
    PortList::of(
        "spandrel_reset",
        &[("clock", 1), ("ready_0", 1), ("ready_1", 1)],
        &[("reset", 1), ("reset_n", 1)],
    )
}

/// The wrapper of a profile's board around `card`, which is that profile's card.
///
/// # Errors
/// [`VendorError::NoWrapper`] for a board without one; the others say what of the wrapper does not fit the card or the
/// lists of ports.
pub fn wrapper(profile: &Profile, card: &Emitted) -> Result<Wrapper, VendorError> {
    let (netlist, blocks) = match profile.name.as_str() {
        "alveo-u250" => alveo::u250(card)?,
        "alveo-u55c" => alveo::u55c(card)?,
        "aws-f2" => f2::f2(card)?,
        name => return Err(VendorError::NoWrapper(name.to_owned())),
    };
    let head = format!(
        "// The card of {} in its shell, written by spandrel-emit. Do not edit: change hdl/src/vendor.\n\n",
        profile.name
    );
    let verilog = head + &netlist.verilog()? + "\n" + RESET + &blocks;
    let boxes = netlist.black_boxes().iter().map(|list| list.black_box()).collect::<Vec<_>>();
    Ok(Wrapper {
        top: netlist.top().to_owned(),
        verilog,
        black_boxes: boxes.join("\n"),
        ports: netlist.ports(),
    })
}

#[cfg(test)]
mod tests;
