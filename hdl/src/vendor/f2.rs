//! AWS F2: the shell gives AXI buses instead of packets.

use super::axi::{bus, end};
use super::interrupts::ShellInterrupts;
use super::netlist::{Net, Netlist, wire};
use super::ports::PortList;
use super::{VendorError, reset_ports};
use crate::emit::{Emitted, emit};
use crate::pcie::FunctionReset;
use rust_hdl::prelude::Block;
use spandrel_abi::{PCI_DEVICE, PCI_VENDOR};

/// The card's instance.
const CARD: &str = "card";

/// The shell's pins of the memory that its controller has under the same names.
const MEMORY_PINS: [&str; 17] = [
    "CLK_DIMM_DP",
    "CLK_DIMM_DN",
    "M_ACT_N",
    "M_MA",
    "M_BA",
    "M_BG",
    "M_CKE",
    "M_ODT",
    "M_CS_N",
    "M_CLK_DN",
    "M_CLK_DP",
    "M_PAR",
    "M_DQ",
    "M_ECC",
    "M_DQS_DP",
    "M_DQS_DN",
    "RST_DIMM_N",
];

/// What the wrapper does not use of the shell and must drive all the same: the bus by which the host writes into the logic,
/// the management function's registers, status words, the debug bridge, the HBM monitors, the links between cards.
const UNUSED: [&str; 10] = [
    "cl_sh_dma_",
    "cl_sda_",
    "cl_sh_status",
    "tdo",
    "hbm_apb_",
    "PCIE_EP_",
    "PCIE_RP_",
    "cl_sh_pcim_",
    "cl_ocl_",
    "cl_sh_apppf_",
];

/// Outputs of the buses that [`UNUSED`] names and the wrapper does use: user signals and the like alone may be left over.
const MAY_BE_LEFT: [&str; 2] = ["user", "wid"];

/// The custom logic of an AWS F2 instance, module `cl_spandrel`: registers at OCL, host memory at PCIM through a converter to
/// 512 bits, card memory in the shell's DDR4, interrupts 0 (completion) and 1 (fault) of the shell.
pub(super) fn f2(card: &Emitted) -> Result<(Netlist, String), VendorError> {
    let shell = PortList::load("aws_shell")?;
    let mut netlist = Netlist::new(shell.clone());
    let mut interrupts = ShellInterrupts::default();
    interrupts.connect_all();
    let interrupts = emit(&interrupts, "spandrel_interrupts")?;
    let mut function_reset = FunctionReset::default();
    function_reset.connect_all();
    let function_reset = emit(&function_reset, "spandrel_function_reset")?;

    netlist.own("card_reset", reset_ports());
    netlist.own(CARD, PortList::emitted(card));
    netlist.own("interrupts", PortList::emitted(&interrupts));
    netlist.own("function_reset", PortList::emitted(&function_reset));
    netlist.vendor("to_host", "axi_dwidth_converter_up")?;
    netlist.vendor("memory", "sh_ddr")?;

    let clock = wire("clk_main_a0");
    for instance in [CARD, "card_reset", "interrupts", "function_reset"] {
        netlist.connect(instance, &[("clock", clock.clone())])?;
    }
    netlist.connect("card_reset", &[("ready_0", wire("rst_main_n"))])?;
    netlist.join(("memory", "sh_cl_ddr_is_ready"), ("card_reset", "ready_1"))?;
    for instance in [CARD, "interrupts", "function_reset"] {
        netlist.join(("card_reset", "reset"), (instance, "reset"))?;
    }

    registers(&mut netlist)?;
    host_memory(&mut netlist, clock.clone())?;
    card_memory(&mut netlist, &clock)?;

    netlist.join((CARD, "interrupt_events"), ("interrupts", "events"))?;
    netlist.connect("interrupts", &[("acknowledged", Net::Bits("sh_cl_apppf_irq_ack".to_owned(), 1, 0))])?;
    let requests = netlist.output("interrupts", "requests")?;
    let Net::Wire(requests) = requests else { return Err(VendorError::NoNet("requests".to_owned())) };

    netlist
        .connect("function_reset", &[("wanted", wire("sh_cl_flr_assert")), ("quiet", Net::Constant(1, 1))])?;
    netlist.join((CARD, "resetting"), ("function_reset", "resetting"))?;
    netlist.join(("function_reset", "request"), (CARD, "reset_request"))?;
    netlist.connect("function_reset", &[("done", wire("cl_sh_flr_done"))])?;

    let identity = u64::from(PCI_DEVICE) << 16 | u64::from(PCI_VENDOR);
    netlist.assign(&[
        ("cl_sh_apppf_irq_req", Net::Extended(requests, 16)),
        ("cl_sh_id0", Net::Constant(32, identity)),
        ("cl_sh_id1", Net::Constant(32, identity)),
    ])?;
    let used = ["cl_sh_pcim_", "cl_ocl_", "cl_sh_apppf_"];
    let (used, unused): (Vec<&str>, Vec<&str>) = UNUSED.iter().partition(|prefix| used.contains(prefix));
    netlist.assign_low(&unused);
    let left: Vec<String> = shell
        .ports
        .keys()
        .filter(|port| used.iter().any(|prefix| port.starts_with(prefix)))
        .filter(|port| MAY_BE_LEFT.iter().any(|end| port.ends_with(end)))
        .cloned()
        .collect();
    netlist.assign_low(&left.iter().map(String::as_str).collect::<Vec<_>>());
    Ok((netlist, interrupts.verilog + &function_reset.verilog))
}

/// The card's registers at OCL, which is BAR 0 of the application's function.
fn registers(netlist: &mut Netlist) -> Result<(), VendorError> {
    for (port, signal) in [
        ("awvalid", "awvalid"),
        ("wdata", "wdata"),
        ("wstrb", "wstrb"),
        ("wvalid", "wvalid"),
        ("bready", "bready"),
        ("arvalid", "arvalid"),
        ("rready", "rready"),
    ] {
        netlist.connect(CARD, &[(&format!("s_axil_{port}"), wire(&format!("ocl_cl_{signal}")))])?;
    }
    for channel in ["awaddr", "araddr"] {
        let address = Net::Bits(format!("ocl_cl_{channel}"), 11, 0);
        netlist.connect(CARD, &[(&format!("s_axil_{channel}"), address)])?;
    }
    for signal in ["awready", "wready", "bresp", "bvalid", "arready", "rdata", "rresp", "rvalid"] {
        netlist.connect(CARD, &[(&format!("s_axil_{signal}"), wire(&format!("cl_ocl_{signal}")))])?;
    }
    Ok(())
}

/// The card's bus to the host at PCIM, whose transfers must be of whole beats of 512 bits.
fn host_memory(netlist: &mut Netlist, clock: Net) -> Result<(), VendorError> {
    netlist.connect("to_host", &[("s_axi_aclk", clock)])?;
    netlist.join(("card_reset", "reset_n"), ("to_host", "s_axi_aresetn"))?;
    // The shell does not say why a read failed (`ruser`); without a cause the card reports the response alone.
    bus(netlist, end(CARD, "m_axi_host_"), end("to_host", "s_axi_"))?;
    let channels = [
        "awaddr", "awlen", "awsize", "awburst", "awcache", "awlock", "awprot", "awqos", "awvalid", "wdata",
        "wstrb", "wlast", "wvalid", "bready", "araddr", "arlen", "arsize", "arburst", "arcache", "arlock",
        "arprot", "arqos", "arvalid", "rready",
    ];
    for signal in channels {
        netlist.connect("to_host", &[(&format!("m_axi_{signal}"), wire(&format!("cl_sh_pcim_{signal}")))])?;
    }
    for signal in ["awready", "wready", "bresp", "bvalid", "arready", "rdata", "rresp", "rlast", "rvalid"] {
        netlist.connect("to_host", &[(&format!("m_axi_{signal}"), wire(&format!("sh_cl_pcim_{signal}")))])?;
    }
    // One identifier: the card's answers come in the order of its requests.
    netlist.assign(&[("cl_sh_pcim_awid", Net::Constant(16, 0)), ("cl_sh_pcim_arid", Net::Constant(16, 0))])
}

/// Card memory in the shell's DDR4, which works in the main clock.
fn card_memory(netlist: &mut Netlist, clock: &Net) -> Result<(), VendorError> {
    for (clock_port, reset_port) in [("clk", "rst_n"), ("stat_clk", "stat_rst_n")] {
        netlist.connect("memory", &[(clock_port, clock.clone()), (reset_port, wire("rst_main_n"))])?;
    }
    for pin in MEMORY_PINS {
        let port = if pin == "RST_DIMM_N" { "cl_RST_DIMM_N" } else { pin };
        netlist.pins("memory", &[(port, pin)])?;
    }
    netlist.pins(
        "memory",
        &[
            ("sh_ddr_stat_bus_addr", "sh_cl_ddr_stat_addr"),
            ("sh_ddr_stat_bus_wdata", "sh_cl_ddr_stat_wdata"),
            ("sh_ddr_stat_bus_wr", "sh_cl_ddr_stat_wr"),
            ("sh_ddr_stat_bus_rd", "sh_cl_ddr_stat_rd"),
            ("sh_ddr_stat_bus_ack", "cl_sh_ddr_stat_ack"),
            ("sh_ddr_stat_bus_rdata", "cl_sh_ddr_stat_rdata"),
            ("ddr_sh_stat_int", "cl_sh_ddr_stat_int"),
        ],
    )?;
    bus(netlist, end(CARD, "m_axi_card_"), end("memory", "cl_sh_ddr_axi_"))?;
    netlist.low("memory", &["cl_sh_ddr_axi_awuser", "cl_sh_ddr_axi_aruser"])
}
