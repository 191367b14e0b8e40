"""Random pauses of a stream's sender or receiver."""

from __future__ import annotations

import random
from collections.abc import Iterator


def bursts(rng: random.Random, share: float) -> Iterator[bool]:
    """Whether to pause, cycle by cycle, without end: runs of random length, on average `share` of the cycles paused."""
    longest = 12
    while True:
        paused = rng.random() < share
        for _ in range(rng.randint(1, longest)):
            yield paused


def pause_all(rng: random.Random, streams: list[object], worst: float = 0.7) -> None:
    """Lets each of these streams pause at random, each its own share of the time up to `worst`."""
    for stream in streams:
        generator = bursts(random.Random(rng.getrandbits(64)), rng.uniform(0.0, worst))
        stream.set_pause_generator(generator)  # type: ignore[attr-defined]
