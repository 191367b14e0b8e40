"""The clock, and waits that are bounded in its cycles."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import cocotb
from cocotb.clock import Clock
from cocotb.handle import LogicObject
from cocotb.triggers import ClockCycles, with_timeout

from bench import PERIOD_NS

Result = TypeVar("Result")


def start_clock(signal: LogicObject) -> None:
    """Starts the clock; it ends with the test."""
    Clock(signal, PERIOD_NS, unit="ns").start()


async def within(cycles: int, wait: Awaitable[Result]) -> Result:
    """The outcome of a wait; an error where it takes longer than this."""
    return await with_timeout(wait, cycles * PERIOD_NS, "ns")


async def pass_cycles(signal: LogicObject, count: int) -> None:
    """Lets cycles pass."""
    await ClockCycles(signal, count)


def card_test(cycles: int) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Any]:
    """A test that may take so many cycles."""

    def decorate(function: Callable[..., Coroutine[Any, Any, None]]) -> Any:
        return cocotb.test(timeout_time=cycles * PERIOD_NS, timeout_unit="ns")(functools.wraps(function)(function))

    return decorate
