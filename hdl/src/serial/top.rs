//! The card behind a serial line.

use crate::profile::Profile;
use rust_hdl::prelude::*;

/// What a profile says of a card behind a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialShape {
    /// Cycles of a bit after power-on.
    pub divisor: u16,
    /// Cycles for which the line may be at rest before a request is repeated.
    pub timeout_cycles: u32,
    /// How often a request is sent in all.
    pub attempts: u8,
    /// Memory on the chip, KiB.
    pub memory_kib: u32,
}

impl SerialShape {
    /// That of a profile that was checked; `None` where it has no serial line.
    pub fn of(profile: &Profile) -> Option<SerialShape> {
        let serial = profile.serial.as_ref()?;
        Some(SerialShape {
            divisor: u16::try_from(serial.divisor(profile.clock_khz)).ok()?,
            timeout_cycles: serial.timeout(profile.clock_khz),
            attempts: serial.attempts,
            memory_kib: profile.card_memory_kib,
        })
    }
}

/// Cycles for which the card is in reset after power-on.
const POWER_ON_CYCLES: u64 = 255;

/// A reset after power-on and after `reset`: high from the second cycle on, for 255 cycles.
#[derive(LogicBlock)]
pub struct PowerOn {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Begins anew; may be tied low.
    pub reset: Signal<In, Bit>,
    /// The reset (a register).
    pub held: Signal<Out, Bit>,
    count: DFF<Bits<8>>,
    hold: DFF<Bit>,
    most: Constant<Bits<8>>,
}

impl Default for PowerOn {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            held: Default::default(),
            count: Default::default(),
            hold: Default::default(),
            most: Constant::new(POWER_ON_CYCLES.into()),
        }
    }
}

impl Logic for PowerOn {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count, hold);
        self.held.next = self.hold.q.val();
        self.hold.d.next = false;
        if self.count.q.val() != self.most.val() {
            self.count.d.next = self.count.q.val() + 1;
            self.hold.d.next = true;
        }
        if self.reset.val() {
            self.count.d.next = 0.into();
            self.hold.d.next = true;
        }
    }
}

/// Makes the top module of a card that has the ports of [`Card`](crate::card::Card), a [`SerialShell`](crate::serial::SerialShell)
/// and [`AxiMemory`](crate::axi::AxiMemory): [`SerialCard`](crate::serial::SerialCard) itself, and in tests one whose engines are
/// small stand-ins.
///
/// Ports: `clock`, `reset` (may be tied low), `serial_rxd`, `serial_txd`, `busy`.
#[macro_export]
macro_rules! serial_card_top {
    ($(#[$meta:meta])* $name:ident, $core:ty) => {
        $(#[$meta])*
        #[derive(::rust_hdl::prelude::LogicBlock)]
        pub struct $name {
            /// Clock, rising edge.
            pub clock: Signal<In, Clock>,
            /// Reset of everything but the contents of card memory, active high; may be tied low.
            pub reset: Signal<In, Bit>,
            /// The line from the host.
            pub serial_rxd: Signal<In, Bit>,
            /// The line to the host.
            pub serial_txd: Signal<Out, Bit>,
            /// Commands or requests are under way: for a light.
            pub busy: Signal<Out, Bit>,
            power_on: $crate::serial::PowerOn,
            core: $core,
            shell: $crate::serial::SerialShell,
            memory: $crate::axi::AxiMemory,
        }

        impl $name {
            /// Joins a card with a shell and a memory.
            pub fn assemble(core: $core, shape: $crate::serial::SerialShape) -> Self {
                Self {
                    clock: Default::default(),
                    reset: Default::default(),
                    serial_rxd: Default::default(),
                    serial_txd: Default::default(),
                    busy: Default::default(),
                    power_on: Default::default(),
                    core,
                    shell: $crate::serial::SerialShell::new(
                        shape.divisor,
                        shape.timeout_cycles,
                        shape.attempts,
                    ),
                    memory: $crate::axi::AxiMemory::new(shape.memory_kib),
                }
            }
        }

        impl Logic for $name {
            #[hdl_gen]
            fn update(&mut self) {
                self.power_on.clock.next = self.clock.val();
                self.power_on.reset.next = self.reset.val();
                self.core.clock.next = self.clock.val();
                self.core.reset.next = self.power_on.held.val();
                self.shell.clock.next = self.clock.val();
                self.shell.reset.next = self.power_on.held.val();
                self.memory.clock.next = self.clock.val();
                self.memory.reset.next = self.power_on.held.val();
                self.shell.rxd.next = self.serial_rxd.val();
                self.serial_txd.next = self.shell.txd.val();
                self.busy.next = self.core.busy.val() | self.shell.busy.val();
                self.core.reset_request.next = self.shell.reset_request.val();
                self.shell.resetting.next = self.core.resetting.val();
                self.shell.interrupt_events.next = self.core.interrupt_events.val();
                self.shell.s_axi_host_awaddr.next = self.core.m_axi_host_awaddr.val();
                self.shell.s_axi_host_awlen.next = self.core.m_axi_host_awlen.val();
                self.shell.s_axi_host_awvalid.next = self.core.m_axi_host_awvalid.val();
                self.core.m_axi_host_awready.next = self.shell.s_axi_host_awready.val();
                self.shell.s_axi_host_wdata.next = self.core.m_axi_host_wdata.val();
                self.shell.s_axi_host_wstrb.next = self.core.m_axi_host_wstrb.val();
                self.shell.s_axi_host_wvalid.next = self.core.m_axi_host_wvalid.val();
                self.core.m_axi_host_wready.next = self.shell.s_axi_host_wready.val();
                self.core.m_axi_host_bresp.next = self.shell.s_axi_host_bresp.val();
                self.core.m_axi_host_bvalid.next = self.shell.s_axi_host_bvalid.val();
                self.shell.s_axi_host_bready.next = self.core.m_axi_host_bready.val();
                self.shell.s_axi_host_araddr.next = self.core.m_axi_host_araddr.val();
                self.shell.s_axi_host_arlen.next = self.core.m_axi_host_arlen.val();
                self.shell.s_axi_host_arvalid.next = self.core.m_axi_host_arvalid.val();
                self.core.m_axi_host_arready.next = self.shell.s_axi_host_arready.val();
                self.core.m_axi_host_rdata.next = self.shell.s_axi_host_rdata.val();
                self.core.m_axi_host_rresp.next = self.shell.s_axi_host_rresp.val();
                self.core.m_axi_host_ruser.next = self.shell.s_axi_host_ruser.val();
                self.core.m_axi_host_rlast.next = self.shell.s_axi_host_rlast.val();
                self.core.m_axi_host_rvalid.next = self.shell.s_axi_host_rvalid.val();
                self.shell.s_axi_host_rready.next = self.core.m_axi_host_rready.val();
                self.core.s_axil_awaddr.next = self.shell.m_axil_awaddr.val();
                self.core.s_axil_awvalid.next = self.shell.m_axil_awvalid.val();
                self.shell.m_axil_awready.next = self.core.s_axil_awready.val();
                self.core.s_axil_wdata.next = self.shell.m_axil_wdata.val();
                self.core.s_axil_wstrb.next = self.shell.m_axil_wstrb.val();
                self.core.s_axil_wvalid.next = self.shell.m_axil_wvalid.val();
                self.shell.m_axil_wready.next = self.core.s_axil_wready.val();
                self.shell.m_axil_bresp.next = self.core.s_axil_bresp.val();
                self.shell.m_axil_bvalid.next = self.core.s_axil_bvalid.val();
                self.core.s_axil_bready.next = self.shell.m_axil_bready.val();
                self.core.s_axil_araddr.next = self.shell.m_axil_araddr.val();
                self.core.s_axil_arvalid.next = self.shell.m_axil_arvalid.val();
                self.shell.m_axil_arready.next = self.core.s_axil_arready.val();
                self.shell.m_axil_rdata.next = self.core.s_axil_rdata.val();
                self.shell.m_axil_rresp.next = self.core.s_axil_rresp.val();
                self.shell.m_axil_rvalid.next = self.core.s_axil_rvalid.val();
                self.core.s_axil_rready.next = self.shell.m_axil_rready.val();
                self.memory.awaddr.next = self.core.m_axi_card_awaddr.val();
                self.memory.awlen.next = self.core.m_axi_card_awlen.val();
                self.memory.awvalid.next = self.core.m_axi_card_awvalid.val();
                self.core.m_axi_card_awready.next = self.memory.awready.val();
                self.memory.wdata.next = self.core.m_axi_card_wdata.val();
                self.memory.wstrb.next = self.core.m_axi_card_wstrb.val();
                self.memory.wvalid.next = self.core.m_axi_card_wvalid.val();
                self.core.m_axi_card_wready.next = self.memory.wready.val();
                self.core.m_axi_card_bresp.next = self.memory.bresp.val();
                self.core.m_axi_card_bvalid.next = self.memory.bvalid.val();
                self.memory.bready.next = self.core.m_axi_card_bready.val();
                self.memory.araddr.next = self.core.m_axi_card_araddr.val();
                self.memory.arlen.next = self.core.m_axi_card_arlen.val();
                self.memory.arvalid.next = self.core.m_axi_card_arvalid.val();
                self.core.m_axi_card_arready.next = self.memory.arready.val();
                self.core.m_axi_card_rdata.next = self.memory.rdata.val();
                self.core.m_axi_card_rresp.next = self.memory.rresp.val();
                self.core.m_axi_card_rlast.next = self.memory.rlast.val();
                self.core.m_axi_card_rvalid.next = self.memory.rvalid.val();
                self.memory.rready.next = self.core.m_axi_card_rready.val();
                self.core.m_axi_host_bid.next = 0.into();
                self.core.m_axi_host_rid.next = 0.into();
                self.core.m_axi_card_bid.next = 0.into();
                self.core.m_axi_card_rid.next = 0.into();
            }
        }
    };
}

mod shipped {
    use crate::card::Card;
    use rust_hdl::prelude::*;

    crate::serial_card_top! {
        /// The whole card behind a serial line. Emitted as module `spandrel_card`.
        SerialCard, Card
    }
}

pub use shipped::SerialCard;
