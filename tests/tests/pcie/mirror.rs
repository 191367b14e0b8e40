//! RustHDL's own simulation of the endpoint beside the Verilated one, cycle by cycle on the same inputs.
//!
//! RustHDL's checks miss differences in meaning between a kernel and the Verilog made of it; this does not.

use super::bench::{Answer, Bench, Flaw, TIMEOUT};
use super::packets::{HostRequest, LOCKED_READ, READ, WRITE};
use super::reads::burst;
use super::writes::random_burst;
use rand::Rng;
use rust_hdl::prelude::*;
use spandrel_hdl::pcie::{Endpoint256, Endpoint512};
use spandrel_sim::model::{Model, PortHandle};

/// A block that follows a model.
pub trait Mirror {
    /// Between settling and the clock's edge: takes the model's inputs and compares the outputs.
    fn compare(&mut self, model: &Model);
    /// The clock's edge.
    fn rise(&mut self);
}

/// A value of a port as little-endian bytes.
trait Value: Sized {
    fn from_le(bytes: &[u8]) -> Self;
    fn to_le(self) -> Vec<u8>;
}

impl Value for bool {
    fn from_le(bytes: &[u8]) -> bool {
        bytes[0] != 0
    }
    fn to_le(self) -> Vec<u8> {
        vec![self.into()]
    }
}

impl<const N: usize> Value for Bits<N> {
    fn from_le(bytes: &[u8]) -> Bits<N> {
        let mut value = Bits::default();
        for (index, byte) in bytes.iter().enumerate() {
            for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
                value = value.replace_bit(index * 8 + bit, true);
            }
        }
        value
    }
    fn to_le(self) -> Vec<u8> {
        let mut bytes = vec![0; N.div_ceil(8)];
        for bit in (0..N).filter(|bit| self.get_bit(*bit)) {
            bytes[bit / 8] |= 1 << (bit % 8);
        }
        bytes
    }
}

struct Follower<B> {
    block: B,
    inputs: Vec<PortHandle>,
    outputs: Vec<PortHandle>,
}

macro_rules! follower {
    ($block:ty, in: [$($input:ident)+] out: [$($output:ident)+]) => {
        impl Follower<$block> {
            fn new(model: &Model) -> Self {
                let mut block = <$block>::new(TIMEOUT as u32);
                block.connect_all();
                let port = |name| model.port(name).unwrap();
                Self {
                    block,
                    inputs: vec![$(port(stringify!($input))),+],
                    outputs: vec![$(port(stringify!($output))),+],
                }
            }
        }

        impl Mirror for Follower<$block> {
            fn compare(&mut self, model: &Model) {
                let mut inputs = self.inputs.iter();
                $(self.block.$input.next = Value::from_le(&model.bytes(*inputs.next().unwrap()));)+
                self.block.clock.next = false.into();
                assert!(simulate(&mut self.block, 200), "RustHDL's simulation does not settle");
                let mut outputs = self.outputs.iter();
                $(assert_eq!(
                    model.bytes(*outputs.next().unwrap()),
                    self.block.$output.val().to_le(),
                    "{} in cycle {}", stringify!($output), model.cycles()
                );)+
            }

            fn rise(&mut self) {
                self.block.clock.next = true.into();
                assert!(simulate(&mut self.block, 200), "RustHDL's simulation does not settle");
            }
        }
    };
    ($($block:ty),+) => { $(follower! {
        $block,
        in: [
            reset m_axis_cq_tdata m_axis_cq_tkeep m_axis_cq_tlast m_axis_cq_tuser m_axis_cq_tvalid s_axis_cc_tready
            s_axis_rq_tready m_axis_rc_tdata m_axis_rc_tkeep m_axis_rc_tlast m_axis_rc_tuser m_axis_rc_tvalid
            cfg_max_payload cfg_max_read_req cfg_rcb_status cfg_function_status cfg_flr_in_process
            cfg_interrupt_msix_enable cfg_interrupt_msix_mask resetting interrupt_events
            m_axil_awready m_axil_wready m_axil_bvalid m_axil_arready m_axil_rdata m_axil_rvalid
            s_axi_host_awaddr s_axi_host_awlen s_axi_host_awvalid s_axi_host_wdata s_axi_host_wstrb
            s_axi_host_wvalid s_axi_host_bready s_axi_host_araddr s_axi_host_arlen s_axi_host_arvalid
            s_axi_host_rready
        ]
        out: [
            m_axis_cq_tready s_axis_cc_tdata s_axis_cc_tkeep s_axis_cc_tlast s_axis_cc_tuser s_axis_cc_tvalid
            s_axis_rq_tdata s_axis_rq_tkeep s_axis_rq_tlast s_axis_rq_tuser s_axis_rq_tvalid m_axis_rc_tready
            pcie_cq_np_req cfg_flr_done reset_request busy
            m_axil_awaddr m_axil_awvalid m_axil_wdata m_axil_wstrb m_axil_wvalid m_axil_bready m_axil_araddr
            m_axil_arvalid m_axil_rready
            s_axi_host_awready s_axi_host_wready s_axi_host_bresp s_axi_host_bvalid s_axi_host_arready
            s_axi_host_rdata s_axi_host_rresp s_axi_host_ruser s_axi_host_rlast s_axi_host_rvalid
        ]
    })+ };
}

follower!(Endpoint256, Endpoint512);

/// The block that follows a model of this width.
pub fn mirror(model: &Model, wide: bool) -> Box<dyn Mirror> {
    if wide {
        Box::new(Follower::<Endpoint512>::new(model))
    } else {
        Box::new(Follower::<Endpoint256>::new(model))
    }
}

#[test]
fn both_simulators_agree_in_every_cycle() {
    for wide in [false, true] {
        let mut bench = Bench::mirrored(wide, 70, 30);
        bench.set("cfg_interrupt_msix_enable", 1);
        let mut index = 0;
        bench.policy = Box::new(move |_| {
            index += 1;
            match index {
                3 => Answer::Refused { error: 2, status: 1 },
                5 => Answer::Poisoned,
                6 => Answer::Malformed(Flaw::ByteCount),
                9 => Answer::Silence,
                _ => Answer::Data,
            }
        });
        bench.bar_write(0x2000, 0xfee0_0000);
        bench.bar_write(0x200c, 0);
        bench.send(&HostRequest { data: vec![1, 2], ..HostRequest::new(WRITE, 0x7, 6) });
        bench.send(&HostRequest::new(READ, 0x3, 5));
        bench.send(&HostRequest::new(LOCKED_READ, 0x20, 8));
        let (mut beats, mut writes) = (0, 0);
        for _ in 0..6 {
            let (address, length) = burst(&mut bench);
            bench.read(address, length);
            beats += length as usize;
            let mut written = random_burst(&mut bench);
            written.blank[0] = bench.random.gen_ratio(1, 4);
            bench.write(&written);
            writes += 1;
        }
        bench.run(40);
        bench.set("interrupt_events", 3);
        bench.cycle();
        bench.set("interrupt_events", 0);
        bench.run_until(3 * TIMEOUT, |bench| bench.beats.len() == beats && bench.answers.len() == writes);
        bench.set("cfg_flr_in_process", 1);
        bench.run(5);
        bench.set("resetting", 1);
        bench.run(5);
        bench.set("resetting", 0);
        bench.run(10);
        bench.set("cfg_flr_in_process", 0);
        bench.set("cfg_function_status", 0);
        bench.read(super::bench::BASE, 5);
        bench.run(50);
    }
}
