"""Random commands and what must come of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from bench import bn254
from bench.abi import CURVES, FIELDS, OPCODES, OPERATIONS, STATUSES
from bench.memory import HostMemory
from bench.queues import Completion, Queues

PRIMES = {"Fq": bn254.FQ, "Fr": bn254.FR}
WINDOW_BITS = 4
"""Bits per window of the multi-scalar multiplications: a choice that every simulated card has."""


@dataclass(frozen=True)
class Command:
    """A command and the check of what it left in memory."""

    name: str
    opcode: int
    fields: dict[str, int]
    status: int
    check: Callable[[], None]


def _nothing() -> None:
    """The check of a command that leaves nothing."""


class Commands:
    """Makes random commands for a card, and knows what its memory must hold after them.

    Commands are to be executed in the order in which they were made.
    """

    def __init__(self, memory: HostMemory, rng: random.Random, identification: bytes, card_lines: int = 512) -> None:
        self._memory = memory
        self._rng = rng
        self._identification = identification
        self._lines = card_lines
        self.card = bytearray(64 * card_lines)
        """The first bytes of card memory, as they must be."""
        self._makers = [self.identify, self.load, self.read_card, self.field_vector, self.malformed]

    def any(self, longest: int = 160) -> Command:
        """A command of any kind but `Msm`, of up to `longest` elements."""
        maker = self._rng.choice(self._makers)
        return maker(longest)

    def identify(self, _longest: int = 0) -> Command:
        """The identification words: those that the registers show."""
        out = self._memory.allocate(64)
        return self._command("Identify", lambda: self._expect("Identify", out, self._identification), host_out=out)

    def load(self, longest: int) -> Command:
        """Random lines to card memory."""
        count = self._rng.randint(1, longest)
        data = self._rng.randbytes(64 * count)
        line = self._place(data)
        source = self._memory.store(data)
        return self._command("LoadBases", _nothing, count=count, host_a=source, card_address=64 * line)

    def read_card(self, longest: int) -> Command:
        """Lines of card memory: those that were loaded, zeros elsewhere."""
        count = self._rng.randint(1, longest)
        line = self._rng.randrange(self._lines - count)
        expected = bytes(self.card[64 * line : 64 * (line + count)])
        out = self._memory.store(self._rng.randbytes(64 * count))
        check = lambda: self._expect("ReadCard", out, expected)  # noqa: E731
        return self._command("ReadCard", check, count=count, card_address=64 * line, host_out=out)

    def field_vector(self, longest: int) -> Command:
        """Sums, differences and products of random elements and of those at the borders of the field."""
        count = self._rng.randint(1, longest)
        field, operation = self._rng.choice(list(FIELDS)), self._rng.choice(list(OPERATIONS))
        prime = PRIMES[field]
        borders = [0, 1, prime - 1, prime - 2, (prime - 1) // 2]
        pick = lambda: self._rng.choice([*borders, *(self._rng.randrange(prime) for _ in range(20))])  # noqa: E731
        a, b = [pick() for _ in range(count)], [pick() for _ in range(count)]
        compute = {
            "Add": lambda x, y: (x + y) % prime,
            "Subtract": lambda x, y: (x - y) % prime,
            "Multiply": lambda x, y: x * y * pow(bn254.R, -1, prime) % prime,
        }[operation]
        words = lambda values: b"".join(value.to_bytes(32, "little") for value in values)  # noqa: E731
        expected = words(map(compute, a, b))
        out = self._memory.allocate(32 * count)
        return self._command(
            "FieldVector",
            lambda: self._expect(f"{operation} in {field}", out, expected),
            count=count,
            host_a=self._memory.store(words(a)),
            host_b=self._memory.store(words(b)),
            host_out=out,
            parameter=FIELDS[field] << 8 | OPERATIONS[operation],
        )

    def msm(self, count: int) -> list[Command]:
        """Bases to card memory and a multi-scalar multiplication over them."""
        points = [bn254.multiply(bn254.GENERATOR, self._rng.randrange(1, 1 << 24)) for _ in range(count)]
        scalars = [self._rng.choice([0, 1, self._rng.randrange(bn254.FR)]) for _ in range(count)]
        data = b"".join(map(bn254.encode_point, points))
        line = self._place(data)
        load = self._command(
            "LoadBases", _nothing, count=count, host_a=self._memory.store(data), card_address=64 * line
        )
        expected: bn254.Point = None
        for point, scalar in zip(points, scalars):
            expected = bn254.add(expected, bn254.multiply(point, scalar))
        size = 96 * WINDOW_BITS * -(-255 // WINDOW_BITS)
        out = self._memory.allocate(size)

        def check() -> None:
            found = bn254.combine(self._memory.read(out, size), WINDOW_BITS)
            assert found == expected, f"an MSM of {count} points gave {found}, not {expected}"

        multiply = self._command(
            "Msm",
            check,
            count=count,
            host_a=self._memory.store(b"".join(scalar.to_bytes(32, "little") for scalar in scalars)),
            card_address=64 * line,
            host_out=out,
            parameter=CURVES["Bn254G1"] << 8 | WINDOW_BITS,
        )
        return [load, multiply]

    def malformed(self, _longest: int = 0) -> Command:
        """A command that the card must refuse, and that must leave no trace."""
        guard = self._rng.randbytes(4096)
        out = self._memory.store(guard, 4096)
        vector = {"count": 1, "host_a": out, "host_b": out, "host_out": out}
        opcode, status, fields = self._rng.choice(
            [
                (250, "UnknownOpcode", {"host_out": out}),
                (OPCODES["Identify"], "BadLength", {"count": 1, "host_out": out}),
                (OPCODES["Identify"], "BadAlignment", {"host_out": out + 8}),
                (OPCODES["LoadBases"], "BadLength", {"host_a": out}),
                (OPCODES["LoadBases"], "CardAddressOutOfRange", {"count": 1, "host_a": out, "card_address": 1 << 39}),
                (OPCODES["FieldVector"], "BadParameter", {**vector, "parameter": 0x0300}),
            ]
        )
        check = lambda: self._expect("a refused command", out, guard)  # noqa: E731
        return Command(f"refused, {status}", opcode, fields, STATUSES[status], check)

    def _place(self, data: bytes) -> int:
        """Chooses lines of card memory that will hold these bytes."""
        count = len(data) // 64
        line = self._rng.randrange(self._lines - count)
        self.card[64 * line : 64 * (line + count)] = data
        return line

    def _command(self, name: str, check: Callable[[], None], **fields: int) -> Command:
        return Command(name, OPCODES[name], fields, STATUSES["Success"], check)

    def _expect(self, what: str, address: int, expected: bytes) -> None:
        found = self._memory.read(address, len(expected))
        if found != expected:
            first = next(index for index, pair in enumerate(zip(found, expected)) if pair[0] != pair[1])
            line = first - first % 32
            raise AssertionError(
                f"{what}: at byte {first} of {len(expected)} (address {address + first:#x}) memory holds "
                f"{found[line : line + 32].hex()}, not {expected[line : line + 32].hex()}"
            )


def judge(command: Command, command_id: int, completion: Completion) -> None:
    """Holds a completion and what the command left against what must be."""
    assert completion.command_id == command_id, f"completion of {completion.command_id}, not of {command_id}"
    assert completion.status == command.status, f"{command.name} {command.fields} ended in {completion.status}"
    command.check()


async def run_random(queues: Queues, commands: Commands, rng: random.Random, count: int, longest: int = 160) -> None:
    """Executes random commands, several in the ring at a time."""
    while count > 0:
        batch = [commands.any(longest) for _ in range(min(count, rng.randint(1, queues.entries - 1)))]
        await run_batch(queues, batch)
        count -= len(batch)


async def run_batch(queues: Queues, batch: list[Command]) -> None:
    """Submits these commands at once and judges their completions."""
    identifiers = [queues.push(command.opcode, **command.fields) for command in batch]
    await queues.ring()
    for command, identifier in zip(batch, identifiers):
        judge(command, identifier, await queues.complete())
