"""A host's side of the queues: rings in host memory, doorbells, completions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bench.abi import COMPLETION, DESCRIPTOR, OPCODES, REGISTERS, status_name
from bench.memory import HostMemory

POLLS = 400
"""Readings of a register after which a wait for the card is given up."""


class RegisterAccess(Protocol):
    """A way to the card's registers."""

    async def read(self, offset: int, size: int = 4) -> int:
        """The little-endian number of `size` bytes at this offset."""

    async def write(self, offset: int, value: int, size: int = 4) -> None:
        """Writes the little-endian number of `size` bytes."""


@dataclass(frozen=True)
class Completion:
    """A completion entry."""

    command_id: int
    status: int
    sq_head: int
    cycles: int


class Queues:
    """A card's queues, enabled. `interrupt` returns when an interrupt has come since it was called last."""

    def __init__(
        self,
        registers: RegisterAccess,
        memory: HostMemory,
        interrupt: Callable[[], Awaitable[None]],
        entries: int = 8,
    ) -> None:
        self.registers = registers
        self.memory = memory
        self.entries = entries
        self._interrupt = interrupt
        self._submission = memory.allocate(DESCRIPTOR.size * entries, 64)
        self._completion = memory.allocate(COMPLETION.size * entries)
        self._tail = 0
        self.head = 0
        """Index of the next completion entry to read."""
        self._phase = 1
        self._next_id = 100

    async def get(self, name: str) -> int:
        """A register's value."""
        return await self.registers.read(REGISTERS[name].offset)

    async def set(self, name: str, value: int) -> None:
        """Writes a register."""
        await self.registers.write(REGISTERS[name].offset, value)

    async def start(self) -> None:
        """Waits until the card is out of reset, and enables empty rings with all interrupts."""
        await self.wait_ready()
        self._tail, self.head, self._phase = 0, 0, 1
        self.memory.write(self._completion, bytes(COMPLETION.size * self.entries))
        for name, value in (("SQ", self._submission), ("CQ", self._completion)):
            await self.set(f"{name}_BASE_LO", value & 0xFFFF_FFFF)
            await self.set(f"{name}_BASE_HI", value >> 32)
            await self.set(f"{name}_MASK", self.entries - 1)
        enable = REGISTERS["INTERRUPT_ENABLE"]
        await self.set(enable.name, enable["COMPLETION"].put(1) | enable["FAULT"].put(1))
        await self.set("CONTROL", REGISTERS["CONTROL"]["ENABLE"].put(1))

    async def wait_ready(self) -> None:
        """Waits until the card is out of reset."""
        for _ in range(POLLS):
            resetting = REGISTERS["CONTROL"]["RESET"].get(await self.get("CONTROL"))
            if not resetting and REGISTERS["STATUS"]["READY"].get(await self.get("STATUS")):
                return
        raise AssertionError(f"the card was not ready after {POLLS} readings")

    async def reset(self) -> None:
        """Resets the card by its register and starts anew."""
        await self.set("CONTROL", REGISTERS["CONTROL"]["RESET"].put(1))
        await self.start()

    def push(self, opcode: int, **fields: int) -> int:
        """Writes a submission entry, without the doorbell; returns the identifier it got."""
        command_id = self._next_id
        self._next_id = (self._next_id + 1) & 0xFFFF
        entry = DESCRIPTOR.pack(opcode=opcode, command_id=command_id, **fields)
        self.push_raw(entry)
        return command_id

    def push_raw(self, entry: bytes) -> None:
        """Writes these bytes as the next submission entry."""
        self.memory.write(self._submission + DESCRIPTOR.size * self._tail, entry)
        self._tail = (self._tail + 1) % self.entries

    async def ring(self) -> None:
        """Tells the card of the entries that were pushed."""
        await self.set("SQ_TAIL", self._tail)

    def poll(self) -> Completion | None:
        """The next completion entry if it has been written."""
        entry = self.memory.read(self._completion + COMPLETION.size * self.head, COMPLETION.size)
        fields = COMPLETION.unpack(entry)
        if fields["phase"] != self._phase:
            return None
        assert COMPLETION.pack(**fields) == entry, f"a reserved byte of a completion is not zero: {entry.hex()}"
        self.head = (self.head + 1) % self.entries
        self._phase ^= self.head == 0
        return Completion(fields["command_id"], fields["status"], fields["sq_head"], fields["cycles"])

    async def complete(self) -> Completion:
        """Waits for the next completion entry, by interrupt, and gives it back to the card."""
        while (completion := self.poll()) is None:
            await self._interrupt()
        await self.set("CQ_HEAD", self.head)
        return completion

    async def execute(self, opcode: str, **fields: int) -> Completion:
        """Executes one command; its completion's identifier is checked, its status is not."""
        command_id = self.push(OPCODES[opcode], **fields)
        await self.ring()
        completion = await self.complete()
        assert completion.command_id == command_id, f"completion of {completion.command_id}, not of {command_id}"
        assert completion.sq_head == self._tail, f"SQ_HEAD is {completion.sq_head}, not {self._tail}"
        return completion

    async def succeed(self, opcode: str, **fields: int) -> Completion:
        """Executes one command that must succeed."""
        completion = await self.execute(opcode, **fields)
        assert completion.status == 0, f"{opcode} {fields} ended in {status_name(completion.status)}"
        return completion
