"""The interface between host and card, as the crate `spandrel-abi` describes it.

`cargo xtask cocotb` writes the description as JSON and names the file in the environment variable `SPANDREL_ABI`, so
that no offset or code stands a second time in here.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Bits:
    """A run of bits of a register."""

    lsb: int
    width: int

    @property
    def mask(self) -> int:
        """The bits, in place."""
        return ((1 << self.width) - 1) << self.lsb

    def get(self, word: int) -> int:
        """The field's value in a register's word."""
        return (word & self.mask) >> self.lsb

    def put(self, value: int) -> int:
        """`value` moved to the field's place."""
        return (value << self.lsb) & self.mask


@dataclass(frozen=True)
class Register:
    """A register of 32 bits."""

    name: str
    offset: int
    access: str
    fields: dict[str, Bits] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Bits:
        return self.fields[name]


class Layout:
    """A queue's entry: named little-endian numbers, zero everywhere else."""

    def __init__(self, size: int, fields: list[dict[str, Any]]) -> None:
        self.size = size
        self.fields = {entry["name"]: (entry["byte"], entry["bytes"]) for entry in fields}

    def pack(self, **values: int) -> bytes:
        """The entry's bytes; a field that is not named is zero."""
        entry = bytearray(self.size)
        for name, value in values.items():
            byte, count = self.fields[name]
            entry[byte : byte + count] = value.to_bytes(count, "little")
        return bytes(entry)

    def unpack(self, entry: bytes) -> dict[str, int]:
        """The fields' values."""
        return {
            name: int.from_bytes(entry[byte : byte + count], "little")
            for name, (byte, count) in self.fields.items()
        }


def _registers(table: list[dict[str, Any]]) -> dict[str, Register]:
    registers = {}
    for entry in table:
        fields = {bits["name"]: Bits(bits["lsb"], bits["width"]) for bits in entry["fields"]}
        registers[entry["name"]] = Register(entry["name"], entry["offset"], entry["access"], fields)
    return registers


def _load() -> dict[str, Any]:
    path = os.environ.get("SPANDREL_ABI")
    if not path:
        raise RuntimeError("SPANDREL_ABI does not name the interface's description: run `cargo xtask cocotb`")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


_ABI = _load()
REGISTERS: dict[str, Register] = _registers(_ABI["registers"])
"""The core's registers by name."""
LINK_REGISTERS: dict[str, Register] = _registers(_ABI["link_registers"])
"""The endpoint's registers by name."""
OPCODES: dict[str, int] = _ABI["opcodes"]
STATUSES: dict[str, int] = _ABI["statuses"]
FIELDS: dict[str, int] = _ABI["fields"]
OPERATIONS: dict[str, int] = _ABI["operations"]
CURVES: dict[str, int] = _ABI["curves"]
DESCRIPTOR = Layout(_ABI["descriptor"]["bytes"], _ABI["descriptor"]["fields"])
COMPLETION = Layout(_ABI["completion"]["bytes"], _ABI["completion"]["fields"])
CONSTANTS: dict[str, int] = _ABI["constants"]
"""Sizes, offsets and identities by the names that they have in the crate."""


def status_name(code: int) -> str:
    """A status code's name, for messages."""
    return next((name for name, known in STATUSES.items() if known == code), f"code {code}")
