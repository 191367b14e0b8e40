"""The card as a PCIe device: `cocotbext-pcie` is the UltraScale+ hard block and the root complex around it."""

from __future__ import annotations

import logging
import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotbext.axi import AddressSpace, AxiBus, AxiSlave, AxiStreamBus, SparseMemoryRegion
from cocotbext.pcie.core import RootComplex
from cocotbext.pcie.xilinx.us import UltraScalePlusPcieDevice

from bench.abi import CONSTANTS
from bench.clock import pass_cycles, within
from bench.completer import Completer
from bench.core import CARD_ADDRESSES, channels, quiet
from bench.memory import HostMemory
from bench.pauses import pause_all
from bench.queues import Queues

WAIT_CYCLES = 200_000
"""Longest wait for an interrupt or a reset; the longest command of these tests takes a tenth."""
LINKS = {256: 8, 512: 16}
"""Lanes of generation 3 that make up a stream's width at 250 MHz."""


class BarRegisters:
    """Registers through memory requests to BAR 0."""

    def __init__(self, window: Any) -> None:
        self._window = window

    async def read(self, offset: int, size: int = 4) -> int:
        """The little-endian number of `size` bytes at this offset."""
        return int.from_bytes(await within(WAIT_CYCLES, self._window.read(offset, size)), "little")

    async def write(self, offset: int, value: int, size: int = 4) -> None:
        """Writes the little-endian number of `size` bytes; posted: done when it is on its way."""
        await self._window.write(offset, value.to_bytes(size, "little"))


class EndpointBench:
    """A card on a root port: `start` finds it as an operating system would."""

    device: Any
    registers: BarRegisters
    queues: Queues

    def __init__(self, dut: Any, paused: bool = True) -> None:
        self.dut = dut
        self.rng = random.Random(random.getrandbits(64))
        dut.cfg_flr_in_process.value = 0
        self.block = hard_block(dut)
        self.rc = RootComplex()
        self.rc.max_payload_size = self.rng.randint(0, 3)
        self.rc.make_port().connect(self.block)
        self.function = self.block.functions[0]
        self._identify()
        self.function.pcie_cap.initiate_function_level_reset = self._function_level_reset
        self.memory = HostMemory(self.rc.mem_address_space, self.rng)
        self.completer = Completer(self.rc, self.function, self.rng)
        card = AddressSpace(CARD_ADDRESSES)
        self.card_memory = SparseMemoryRegion(CARD_ADDRESSES)
        card.register_region(self.card_memory, 0)
        slave = AxiSlave(AxiBus.from_prefix(dut, "m_axi_card"), dut.clock, dut.reset, target=card)
        if paused:
            block = self.block
            pause_all(self.rng, [block.rq_sink, block.rc_source, block.cq_source, block.cc_sink, *channels(slave)])
        quiet()
        logging.getLogger("cocotb.pcie").setLevel(logging.ERROR)

    def _identify(self) -> None:
        """What the hard block is configured to show."""
        function = self.function
        function.vendor_id, function.device_id = CONSTANTS["PCI_VENDOR"], CONSTANTS["PCI_DEVICE"]
        function.subsystem_vendor_id, function.subsystem_id = function.vendor_id, function.device_id
        function.class_code, function.revision_id = CONSTANTS["PCI_CLASS"], 1
        function.configure_bar(0, CONSTANTS["BAR0_BYTES"])

    async def start(self, max_read: int | None = None) -> None:
        """Enumerates the bus, enables the card and its interrupts, and makes its queues, without starting them."""
        await pass_cycles(self.dut.clock, 40)
        await within(20 * WAIT_CYCLES, self.rc.enumerate())
        self.device = self.rc.find_device(self.function.pcie_id)
        assert self.device is not None, "enumeration did not find the card"
        await self.device.enable_device()
        await self.device.set_master()
        await self.device.set_readrq(self.rng.randint(0, 5) if max_read is None else max_read)
        vectors = CONSTANTS["MSIX_VECTORS"]
        granted = await self.device.alloc_irq_vectors(vectors, vectors)
        assert granted == vectors, f"{granted} vectors were granted, not {vectors}"
        self.registers = BarRegisters(self.device.bar_window[0])
        self.queues = Queues(self.registers, self.memory, self.interrupt)

    async def restart(self) -> None:
        """Enables the card again after a function-level reset, as an operating system would that kept its settings."""
        await self.device.config_write_word(0x04, 0x0006)
        await self.device.msix_capability_init(CONSTANTS["MSIX_VECTORS"])

    def vector(self, number: int) -> Any:
        """The event of a vector's messages."""
        return self.device.msi_vectors[number].event

    async def interrupt(self) -> None:
        """Waits for a message that a completion was written."""
        event = self.vector(CONSTANTS["COMPLETION_VECTOR"])
        await within(WAIT_CYCLES, event.wait())
        event.clear()

    async def identification(self) -> bytes:
        """The identification words, from the registers."""
        size = CONSTANTS["IDENTIFICATION_BYTES"]
        words = [await self.registers.read(offset, 8) for offset in range(0, size, 8)]
        return b"".join(word.to_bytes(8, "little") for word in words)

    async def _function_level_reset(self) -> None:
        """What the hard block does when the host sets Device Control's bit 15; the model leaves it out."""
        cocotb.start_soon(self._reset_function())

    async def _reset_function(self) -> None:
        self.dut.cfg_flr_in_process.value = 1
        while not int(self.dut.cfg_flr_done.value) & 1:
            await RisingEdge(self.dut.clock)
        self.dut.cfg_flr_in_process.value = 0
        self.function.bus_master_enable = False
        self.function.memory_space_enable = False
        self.function.msix_cap.msix_enable = False
        self.function_resets += 1

    function_resets = 0


def hard_block(dut: Any) -> UltraScalePlusPcieDevice:
    """The model of the hard block, on the card's streams and its configuration pins."""
    width = len(dut.m_axis_cq_tdata)
    return UltraScalePlusPcieDevice(
        pcie_generation=3,
        pcie_link_width=LINKS[width],
        user_clk_frequency=250e6,
        alignment="dword",
        max_payload_size=1024,
        enable_client_tag=True,
        enable_extended_tag=True,
        pf0_msix_enable=True,
        # As the configuration space has it: one less.
        pf0_msix_table_size=CONSTANTS["MSIX_VECTORS"] - 1,
        pf0_msix_table_bir=0,
        pf0_msix_table_offset=CONSTANTS["MSIX_TABLE_OFFSET"],
        pf0_msix_pba_bir=0,
        pf0_msix_pba_offset=CONSTANTS["MSIX_PBA_OFFSET"],
        user_clk=dut.clock,
        user_reset=dut.reset,
        rq_bus=AxiStreamBus.from_prefix(dut, "s_axis_rq"),
        rc_bus=AxiStreamBus.from_prefix(dut, "m_axis_rc"),
        cq_bus=AxiStreamBus.from_prefix(dut, "m_axis_cq"),
        cc_bus=AxiStreamBus.from_prefix(dut, "s_axis_cc"),
        pcie_cq_np_req=dut.pcie_cq_np_req,
        cfg_max_payload=dut.cfg_max_payload,
        cfg_max_read_req=dut.cfg_max_read_req,
        cfg_function_status=dut.cfg_function_status,
        cfg_rcb_status=dut.cfg_rcb_status,
        cfg_interrupt_msix_enable=dut.cfg_interrupt_msix_enable,
        cfg_interrupt_msix_mask=dut.cfg_interrupt_msix_mask,
    )
