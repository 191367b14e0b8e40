"""Host memory as a completer that answers reads as the rules allow and not as the card might wish.

It takes the place of the root complex's own answers: those come at once, in order and in the largest pieces. The
packets are still made, and judged on their way, by `cocotbext-pcie`.
"""

from __future__ import annotations

import random
from enum import Enum
from typing import Any

import cocotb
from cocotb.triggers import Timer
from cocotbext.pcie.core.tlp import CplStatus, Tlp, TlpType
from cocotbext.pcie.core.utils import PcieId

from bench import PERIOD_NS

ROOT = PcieId(0, 0, 0)
SLOTS = 32
"""Reads that the card may have outstanding: tags that are equal modulo this share a place in it."""


class Fault(Enum):
    """How to answer a read that is to fail."""

    LOST = "never"
    LATE = "with wrong data, while a newer read is under way in its place"
    UNSUPPORTED = "as an unsupported request"
    ABORTED = "with a completer abort"
    POISONED = "with poisoned data"
    CUT_SHORT = "with some of the data, then a completer abort"


class Completer:
    """Answers a root complex's memory reads in pieces of random size, those of different reads in any order."""

    def __init__(self, rc: Any, function: Any, rng: random.Random, slowest: int = 200) -> None:
        self._rc = rc
        self._settings = function.pcie_cap
        self._rng = rng
        self._slowest = slowest
        self._late: dict[int, Tlp] = {}
        self.faults: list[Fault] = []
        """Faults of the next reads of `guarded` addresses, first come, first served."""
        self.guarded: range | None = None
        """Where faults happen; anywhere if `None`."""
        self.reads = 0
        self.writes = 0
        self.late_answers = 0
        self.most_outstanding = 0
        self._outstanding = 0
        for kind in (TlpType.MEM_READ, TlpType.MEM_READ_64):
            rc.register_rx_tlp_handler(kind, self._take)
        for kind in (TlpType.MEM_WRITE, TlpType.MEM_WRITE_64):
            rc.register_rx_tlp_handler(kind, self._write)

    async def _take(self, request: Tlp) -> None:
        self.reads += 1
        largest = 128 << self._settings.max_read_request_size
        assert request.length * 4 <= largest, f"a read of {request.length * 4} bytes, where {largest} are allowed"
        fault = None
        if self.faults and (self.guarded is None or request.address in self.guarded):
            fault = self.faults.pop(0)
        if fault is Fault.LATE:
            self._late[request.tag % SLOTS] = request
        elif fault is not Fault.LOST:
            cocotb.start_soon(self._answer(request, fault))

    async def _write(self, request: Tlp) -> None:
        self.writes += 1
        largest = 128 << self._settings.max_payload_size
        assert len(request.data) <= largest, f"a write of {len(request.data)} bytes, where {largest} are allowed"
        await self._rc.handle_mem_write_tlp(request)

    async def _answer(self, request: Tlp, fault: Fault | None) -> None:
        self._outstanding += 1
        self.most_outstanding = max(self.most_outstanding, self._outstanding)
        await self._wait(self._rng.randrange(self._slowest))
        late = self._late.pop(request.tag % SLOTS, None)
        if late is not None:
            assert late.tag != request.tag, f"tag {request.tag} is used again while it may still be answered"
            await self._data(late, Fault.LATE)
            self.late_answers += 1
            await self._wait(50)
        if fault is Fault.UNSUPPORTED or not self._mapped(request):
            await self._rc.send(Tlp.create_ur_completion_for_tlp(request, ROOT))
        elif fault is Fault.ABORTED:
            await self._rc.send(Tlp.create_ca_completion_for_tlp(request, ROOT))
        else:
            await self._data(request, fault)
        self._outstanding -= 1

    def _mapped(self, request: Tlp) -> bool:
        return bool(self._rc.mem_address_space.find_regions(request.address, request.length * 4))

    async def _data(self, request: Tlp, fault: Fault | None) -> None:
        data = await self._rc.mem_address_space.read(request.address, request.length * 4)
        if fault is Fault.LATE:
            data = bytes(byte ^ 0xFF for byte in data)
        address = request.address + request.get_first_be_offset()
        bytes_left = request.get_be_byte_count()
        words_sent = 0
        pieces = self._pieces(request)
        spoilt = self._rng.randrange(len(pieces))
        for index, words in enumerate(pieces):
            if fault is Fault.CUT_SHORT and index == max(spoilt, 1 if len(pieces) > 1 else 0):
                await self._rc.send(Tlp.create_ca_completion_for_tlp(request, ROOT))
                return
            completion = Tlp.create_completion_data_for_tlp(request, ROOT)
            completion.byte_count = bytes_left
            completion.lower_address = address & 0x7F
            completion.ep = fault is Fault.POISONED and index == spoilt
            completion.status = CplStatus.SC
            completion.set_data(data[4 * words_sent : 4 * (words_sent + words)])
            await self._rc.send(completion)
            moved = 4 * words - (address & 3)
            words_sent, address, bytes_left = words_sent + words, address + moved, bytes_left - moved
            if self._rng.random() < 0.5:
                await self._wait(self._rng.randrange(30))

    def _pieces(self, request: Tlp) -> list[int]:
        """Words of each completion: cut at random read completion boundaries, none above the largest payload."""
        boundary = 128 if self._rc.read_completion_boundary else 64
        largest = 128 << self._rc.max_payload_size
        often = self._rng.random()
        pieces, begin = [], request.address
        end = request.address + 4 * request.length
        while begin < end:
            stops = range(begin // boundary * boundary + boundary, end, boundary)
            stop = next((stop for stop in stops if self._rng.random() < often), end)
            while stop - begin > largest:
                # As far as the payload goes, back to a boundary.
                stop = min(stop, (begin + largest) // boundary * boundary)
            pieces.append((stop - begin) // 4)
            begin = stop
        return pieces

    async def _wait(self, cycles: int) -> None:
        if cycles:
            await Timer(cycles * PERIOD_NS, "ns")
