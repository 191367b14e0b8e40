"""Host memory: what the card may reach, in two places of the address space."""

from __future__ import annotations

import random

from cocotbext.axi import AddressSpace, SparseMemoryRegion

LOW_BASE = 0x9000_0000
"""Below 4 GiB: requests with a header of three words on PCIe."""
HIGH_BASE = 0x0012_3400_0000_0000
"""Above 4 GiB: requests with a header of four words on PCIe."""
REGION_BYTES = 1 << 28
PAGE = 4096


class HostMemory:
    """Memory below and above 4 GiB, zero at first; the card's accesses to any other address end in an error."""

    def __init__(self, space: AddressSpace, rng: random.Random) -> None:
        self._rng = rng
        self._regions = {base: SparseMemoryRegion(REGION_BYTES) for base in (LOW_BASE, HIGH_BASE)}
        self._next = dict.fromkeys(self._regions, 0)
        for base, region in self._regions.items():
            space.register_region(region, base)

    def allocate(self, size: int, alignment: int = 32) -> int:
        """The address of `size` fresh bytes somewhere at random; borders of pages lie where they happen to lie."""
        base = self._rng.choice(list(self._regions))
        start = self._next[base] + self._rng.randrange(2 * PAGE)
        start = -(-start // alignment) * alignment
        if start + size > REGION_BYTES:
            raise MemoryError(f"a test takes more than {REGION_BYTES} bytes of host memory")
        self._next[base] = start + size
        return base + start

    def hole(self, alignment: int = 32) -> int:
        """An address at which there is no memory, at random."""
        return self._rng.choice([0x8800_0000, HIGH_BASE + 4 * REGION_BYTES]) + alignment * self._rng.randrange(64)

    def read(self, address: int, size: int) -> bytes:
        """What the host sees, at once."""
        base, region = self._region(address, size)
        return region.mem.read(address - base, size)

    def write(self, address: int, data: bytes) -> None:
        """Writes as the host, at once."""
        base, region = self._region(address, len(data))
        region.mem.write(address - base, data)

    def store(self, data: bytes, alignment: int = 32) -> int:
        """The address of a fresh copy of these bytes."""
        address = self.allocate(len(data), alignment)
        self.write(address, data)
        return address

    def _region(self, address: int, size: int) -> tuple[int, SparseMemoryRegion]:
        for base, region in self._regions.items():
            if base <= address and address + size <= base + REGION_BYTES:
                return base, region
        raise ValueError(f"there is no host memory at {address:#x}")
