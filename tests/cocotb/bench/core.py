"""The card on bare AXI buses: `cocotbext-axi` is the processor, the host's memory and the card's memory."""

from __future__ import annotations

import logging
import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotbext.axi import AddressSpace, AxiBus, AxiLiteBus, AxiLiteMaster, AxiResp, AxiSlave, SparseMemoryRegion

from bench.abi import CONSTANTS, REGISTERS
from bench.clock import pass_cycles, start_clock, within
from bench.memory import HostMemory
from bench.pauses import pause_all
from bench.queues import Queues

CARD_ADDRESSES = 1 << 40
INTERRUPT_CYCLES = 200_000
"""Longest wait for an interrupt; the longest command of these tests takes a tenth."""


class AxiRegisters:
    """Registers through an AXI4-Lite master; every access must be answered with OKAY."""

    def __init__(self, master: AxiLiteMaster) -> None:
        self.master = master

    async def read(self, offset: int, size: int = 4) -> int:
        """The little-endian number of `size` bytes at this offset."""
        response = await self.master.read(offset, size)
        assert response.resp == AxiResp.OKAY, f"a read of {offset:#x} was answered with {response.resp}"
        return int.from_bytes(response.data, "little")

    async def write(self, offset: int, value: int, size: int = 4) -> None:
        """Writes the little-endian number of `size` bytes."""
        response = await self.master.write(offset, value.to_bytes(size, "little"))
        assert response.resp == AxiResp.OKAY, f"a write of {offset:#x} was answered with {response.resp}"


class CoreBench:
    """A card, and around it the bus models of `cocotbext-axi`."""

    def __init__(self, dut: Any, paused: bool = True) -> None:
        self.dut = dut
        self.rng = random.Random(random.getrandbits(64))
        quiet()
        start_clock(dut.clock)
        dut.reset.value = 1
        if hasattr(dut, "reset_request"):
            dut.reset_request.value = 0
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clock, dut.reset)
        self.registers = AxiRegisters(self.master)
        host, card = AddressSpace(1 << 64), AddressSpace(CARD_ADDRESSES)
        self.memory = HostMemory(host, self.rng)
        self.card_memory = SparseMemoryRegion(CARD_ADDRESSES)
        card.register_region(self.card_memory, 0)
        self.host_slave = AxiSlave(AxiBus.from_prefix(dut, "m_axi_host"), dut.clock, dut.reset, target=host)
        self.card_slave = AxiSlave(AxiBus.from_prefix(dut, "m_axi_card"), dut.clock, dut.reset, target=card)
        if paused:
            for interface in (self.master, self.host_slave, self.card_slave):
                pause_all(self.rng, channels(interface))
        self.queues = Queues(self.registers, self.memory, self.interrupt)

    async def reset(self) -> None:
        """Resets the card and waits until it is ready."""
        self.dut.reset.value = 1
        await pass_cycles(self.dut.clock, 8)
        self.dut.reset.value = 0
        await self.queues.wait_ready()

    async def interrupt(self) -> None:
        """Waits for the request line, and clears its causes."""
        if not self.dut.irq.value:
            await within(INTERRUPT_CYCLES, RisingEdge(self.dut.irq))
        status = REGISTERS["INTERRUPT_STATUS"]
        causes = await self.registers.read(status.offset)
        assert causes, "the request line is high and no cause is set"
        await self.registers.write(status.offset, causes)

    async def identification(self) -> bytes:
        """The identification words, from the registers."""
        size = CONSTANTS["IDENTIFICATION_BYTES"]
        words = [await self.registers.read(offset) for offset in range(0, size, 4)]
        return b"".join(word.to_bytes(4, "little") for word in words)


def channels(interface: Any) -> list[Any]:
    """The five channels of a master or slave."""
    writer, reader = interface.write_if, interface.read_if
    return [writer.aw_channel, writer.w_channel, writer.b_channel, reader.ar_channel, reader.r_channel]


def quiet() -> None:
    """Keeps the bus models from telling of every access."""
    logging.getLogger(f"cocotb.{cocotb.top._name}").setLevel(logging.WARNING)
