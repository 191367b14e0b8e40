//! The Alveo boards: AMD's PCIe block with streams, and AMD's memory controllers.

use super::axi::{End, bus, end};
use super::netlist::{Net, Netlist};
use super::ports::{PortList, Way};
use super::{VendorError, reset_ports};
use crate::emit::Emitted;

/// The card's instance.
const CARD: &str = "card";

/// The card in an Alveo U250, module `spandrel_u250`: PCIe block at the edge, DDR4 channel 0.
pub(super) fn u250(card: &Emitted) -> Result<(Netlist, String), VendorError> {
    let pins: &[(&str, Way, usize)] = &[
        ("ddr4_sys_clk_p", Way::Input, 1),
        ("ddr4_sys_clk_n", Way::Input, 1),
        ("ddr4_adr", Way::Output, 17),
        ("ddr4_ba", Way::Output, 2),
        ("ddr4_bg", Way::Output, 2),
        ("ddr4_cke", Way::Output, 1),
        ("ddr4_cs_n", Way::Output, 1),
        ("ddr4_odt", Way::Output, 1),
        ("ddr4_parity", Way::Output, 1),
        ("ddr4_act_n", Way::Output, 1),
        ("ddr4_reset_n", Way::Output, 1),
        ("ddr4_ck_t", Way::Output, 1),
        ("ddr4_ck_c", Way::Output, 1),
        ("ddr4_dq", Way::Inout, 72),
        ("ddr4_dqs_t", Way::Inout, 18),
        ("ddr4_dqs_c", Way::Inout, 18),
    ];
    let mut netlist = with_pcie("spandrel_u250", "pcie4_uscale_plus", pins, card)?;
    netlist.vendor("memory", "ddr4")?;
    netlist.vendor("to_memory", "axi_clock_converter")?;
    netlist.pins("memory", &[("c0_sys_clk_p", "ddr4_sys_clk_p"), ("c0_sys_clk_n", "ddr4_sys_clk_n")])?;
    for (pin, ..) in &pins[2..] {
        netlist.pins("memory", &[(&format!("c0_{pin}"), pin)])?;
    }
    // The controller is reset by its own power-on reset; the PCIe slot's reset would lose what the host has loaded.
    netlist.connect("memory", &[("sys_rst", Net::Constant(1, 0))])?;
    // The port for scrubbing and error counts of the controller is not used.
    let control = ["awvalid", "awaddr", "wvalid", "wdata", "bready", "arvalid", "araddr", "rready"];
    for signal in control {
        netlist.low("memory", &[&format!("c0_ddr4_s_axi_ctrl_{signal}")])?;
    }
    // The reset of the bus's far side, in the controller's clock.
    netlist.own("memory_reset", reset_ports());
    netlist.join(("memory", "c0_ddr4_ui_clk"), ("memory_reset", "clock"))?;
    netlist.join(("memory", "c0_init_calib_complete"), ("memory_reset", "ready_0"))?;
    let Net::Wire(synchronous) = netlist.output("memory", "c0_ddr4_ui_clk_sync_rst")? else {
        return Err(VendorError::NoNet("memory_c0_ddr4_ui_clk_sync_rst".to_owned()));
    };
    netlist.connect("memory_reset", &[("ready_1", Net::Not(synchronous.clone()))])?;
    // The controller calibrates only once its own bus is out of reset.
    netlist.connect("memory", &[("c0_ddr4_aresetn", Net::Not(synchronous))])?;
    netlist.join(("memory", "c0_ddr4_ui_clk"), ("to_memory", "m_axi_aclk"))?;
    netlist.join(("memory_reset", "reset_n"), ("to_memory", "m_axi_aresetn"))?;
    netlist.join(("pcie", "user_clk"), ("to_memory", "s_axi_aclk"))?;
    netlist.join(("card_reset", "reset_n"), ("to_memory", "s_axi_aresetn"))?;
    netlist.join(("memory", "c0_init_calib_complete"), ("card_reset", "ready_1"))?;
    bus(&mut netlist, end(CARD, "m_axi_card_"), end("to_memory", "s_axi_"))?;
    bus(&mut netlist, end("to_memory", "m_axi_"), end("memory", "c0_ddr4_s_axi_"))?;
    Ok((netlist, String::new()))
}

/// The card in an Alveo U55C, module `spandrel_u55c`: PCIe block at the edge, both HBM stacks through one port.
pub(super) fn u55c(card: &Emitted) -> Result<(Netlist, String), VendorError> {
    let pins: &[(&str, Way, usize)] =
        &[("sysclk_p", Way::Input, 1), ("sysclk_n", Way::Input, 1), ("hbm_cattrip", Way::Output, 1)];
    let mut netlist = with_pcie("spandrel_u55c", "pcie4c_uscale_plus", pins, card)?;
    for (name, list) in [
        ("sysclk_buffer", "ibufds"),
        ("sysclk_tree", "bufg"),
        ("hbm_clocks", "clk_wiz_hbm"),
        ("memory", "hbm"),
        ("to_memory", "axi_dwidth_converter_down"),
        ("to_axi3", "axi_protocol_converter"),
    ] {
        netlist.vendor(name, list)?;
    }
    netlist.pins("sysclk_buffer", &[("I", "sysclk_p"), ("IB", "sysclk_n")])?;
    netlist.join(("sysclk_buffer", "O"), ("sysclk_tree", "I"))?;
    let reference = netlist.output("sysclk_tree", "O")?;
    netlist.connect("hbm_clocks", &[("clk_in1", reference.clone()), ("reset", Net::Constant(1, 0))])?;
    let bus_clock = netlist.output("hbm_clocks", "clk_out1")?;
    for stack in ["0", "1"] {
        let tied = ["PWDATA", "PADDR", "PENABLE", "PSEL", "PWRITE"];
        for signal in tied {
            netlist.low("memory", &[&format!("APB_{stack}_{signal}")])?;
        }
        netlist.connect("memory", &[(&format!("APB_{stack}_PCLK"), reference.clone())])?;
        netlist.connect("memory", &[(&format!("HBM_REF_CLK_{stack}"), reference.clone())])?;
        let locked = netlist.output("hbm_clocks", "locked")?;
        netlist.connect("memory", &[(&format!("APB_{stack}_PRESET_N"), locked)])?;
    }
    // The controllers are ready when both have been configured by their own state machines.
    netlist.own("memory_reset", reset_ports());
    netlist.connect("memory_reset", &[("clock", bus_clock.clone())])?;
    for (port, stack) in [("ready_0", "apb_complete_0"), ("ready_1", "apb_complete_1")] {
        netlist.join(("memory", stack), ("memory_reset", port))?;
    }
    let running = netlist.output("memory_reset", "reset_n")?;
    netlist.connect("card_reset", &[("ready_1", running.clone())])?;
    netlist.connect("memory", &[("AXI_00_ACLK", bus_clock.clone()), ("AXI_00_ARESET_N", running.clone())])?;
    netlist.connect("to_axi3", &[("aclk", bus_clock.clone()), ("aresetn", running.clone())])?;
    netlist.connect("to_memory", &[("m_axi_aclk", bus_clock), ("m_axi_aresetn", running)])?;
    netlist.join(("pcie", "user_clk"), ("to_memory", "s_axi_aclk"))?;
    netlist.join(("card_reset", "reset_n"), ("to_memory", "s_axi_aresetn"))?;
    bus(&mut netlist, end(CARD, "m_axi_card_"), end("to_memory", "s_axi_"))?;
    bus(&mut netlist, end("to_memory", "m_axi_"), end("to_axi3", "s_axi_"))?;
    let port = End { instance: "memory", prefix: "AXI_00_", capitals: true };
    bus(&mut netlist, end("to_axi3", "m_axi_"), port)?;
    // Parity is not checked: the stacks' own error correction is on.
    netlist.low("memory", &["AXI_00_WDATA_PARITY"])?;
    let hot = |netlist: &mut Netlist, port: &str| match netlist.output("memory", port)? {
        Net::Wire(name) => Ok(name),
        _ => Err(VendorError::NoNet(port.to_owned())),
    };
    let one = hot(&mut netlist, "DRAM_0_STAT_CATTRIP")?;
    let other = hot(&mut netlist, "DRAM_1_STAT_CATTRIP")?;
    netlist.assign(&[("hbm_cattrip", Net::Either(one, other))])?;
    Ok((netlist, String::new()))
}

/// A top module with the PCIe block and the card at its streams. The block's clock is the card's. Left to the board: `ready_1`
/// of `card_reset`, and the card's memory bus.
fn with_pcie(
    top: &str,
    block: &str,
    pins: &[(&str, Way, usize)],
    card: &Emitted,
) -> Result<Netlist, VendorError> {
    let edge = [
        ("pcie_refclk_p", Way::Input, 1),
        ("pcie_refclk_n", Way::Input, 1),
        ("pcie_reset_n", Way::Input, 1),
        ("pci_exp_rxp", Way::Input, 16),
        ("pci_exp_rxn", Way::Input, 16),
        ("pci_exp_txp", Way::Output, 16),
        ("pci_exp_txn", Way::Output, 16),
    ];
    let ports = edge.iter().chain(pins).map(|(name, way, width)| ((*name).to_owned(), (*way, *width)));
    let mut netlist = Netlist::new(PortList { module: top.to_owned(), ports: ports.collect() });
    netlist.vendor("pcie_refclk_buffer", "ibufds_gte4")?;
    netlist.vendor("pcie_reset_buffer", "ibuf")?;
    netlist.vendor("pcie", block)?;
    netlist.own("card_reset", reset_ports());
    netlist.own(CARD, PortList::emitted(card));

    netlist.pins("pcie_refclk_buffer", &[("I", "pcie_refclk_p"), ("IB", "pcie_refclk_n")])?;
    netlist.low("pcie_refclk_buffer", &["CEB"])?;
    netlist.join(("pcie_refclk_buffer", "O"), ("pcie", "sys_clk_gt"))?;
    netlist.join(("pcie_refclk_buffer", "ODIV2"), ("pcie", "sys_clk"))?;
    netlist.pins("pcie_reset_buffer", &[("I", "pcie_reset_n")])?;
    netlist.join(("pcie_reset_buffer", "O"), ("pcie", "sys_reset"))?;
    for lane in ["pci_exp_rxp", "pci_exp_rxn", "pci_exp_txp", "pci_exp_txn"] {
        netlist.pins("pcie", &[(lane, lane)])?;
    }

    netlist.join(("pcie", "user_clk"), (CARD, "clock"))?;
    netlist.join(("pcie", "user_clk"), ("card_reset", "clock"))?;
    let Net::Wire(in_reset) = netlist.output("pcie", "user_reset")? else {
        return Err(VendorError::NoNet("pcie_user_reset".to_owned()));
    };
    netlist.connect("card_reset", &[("ready_0", Net::Not(in_reset))])?;
    netlist.join(("card_reset", "reset"), (CARD, "reset"))?;

    for stream in ["m_axis_cq_", "m_axis_rc_", "s_axis_cc_", "s_axis_rq_"] {
        for signal in ["tdata", "tkeep", "tlast", "tuser", "tvalid", "tready"] {
            let port = format!("{stream}{signal}");
            match (stream.starts_with('m'), signal == "tready") {
                (true, false) => netlist.join(("pcie", &port), (CARD, &port))?,
                (true, true) | (false, false) => netlist.join((CARD, &port), ("pcie", &port))?,
                // The block has copies of its ready for four users.
                (false, true) => {
                    let Net::Wire(ready) = netlist.output("pcie", &port)? else {
                        return Err(VendorError::NoNet(port));
                    };
                    netlist.connect(CARD, &[(&port, Net::Bits(ready, 0, 0))])?;
                }
            }
        }
    }
    for port in [
        "cfg_max_payload",
        "cfg_max_read_req",
        "cfg_rcb_status",
        "cfg_function_status",
        "cfg_flr_in_process",
        "cfg_interrupt_msix_enable",
        "cfg_interrupt_msix_mask",
    ] {
        netlist.join(("pcie", port), (CARD, port))?;
    }
    for port in ["cfg_flr_done", "pcie_cq_np_req"] {
        netlist.join((CARD, port), ("pcie", port))?;
    }
    for port in ["cfg_config_space_enable", "cfg_link_training_enable", "cfg_power_state_change_ack"] {
        netlist.connect("pcie", &[(port, Net::Constant(1, 1))])?;
    }
    // Everything else of the block's configuration is not used: no virtual functions, no legacy or MSI interrupts, messages
    // and errors. MSI-X messages are the card's own memory writes.
    let list = PortList::load(block)?;
    let unused = list.ports.iter().filter(|(port, (way, _))| {
        *way == Way::Input && port.starts_with("cfg_") && !netlist.is_connected("pcie", port)
    });
    let unused: Vec<&str> = unused.map(|(port, _)| port.as_str()).collect();
    netlist.low("pcie", &unused)?;
    Ok(netlist)
}
