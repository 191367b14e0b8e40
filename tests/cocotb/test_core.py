"""The card's AXI ports, judged by `cocotbext-axi`."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from bench.abi import CONSTANTS, OPCODES, REGISTERS, STATUSES, status_name
from bench.clock import card_test, pass_cycles, within
from bench.commands import Commands, run_batch, run_random
from bench.core import CoreBench


@card_test(cycles=60_000)
async def registers_have_their_first_values_and_rights(dut: Any) -> None:
    """Identification, write-protection and reserved addresses, in every register."""
    bench = CoreBench(dut)
    await bench.reset()
    magic = await bench.registers.read(REGISTERS["MAGIC"].offset)
    assert magic == CONSTANTS["MAGIC_VALUE"]
    version = REGISTERS["ABI_VERSION"]
    word = await bench.registers.read(version.offset)
    assert version["MAJOR"].get(word) == CONSTANTS["ABI_MAJOR"]
    assert version["MINOR"].get(word) == CONSTANTS["ABI_MINOR"]
    changing = {"CYCLES_LO", "CYCLES_HI", "STATUS"}
    for register in REGISTERS.values():
        if register.access != "read-only" or register.name in changing:
            continue
        before = await bench.registers.read(register.offset)
        await bench.registers.write(register.offset, before ^ 0xFFFF_FFFF)
        after = await bench.registers.read(register.offset)
        assert after == before, f"{register.name} is read-only and went from {before:#x} to {after:#x}"
    used = {register.offset for register in REGISTERS.values()}
    for offset in range(0, CONSTANTS["REGISTER_BYTES"], 4):
        if offset not in used and (offset < 0x100 or bench.rng.random() < 0.03):
            found = await bench.registers.read(offset)
            assert found == 0, f"offset {offset:#x} is no register and reads {found:#x}"


@card_test(cycles=120_000)
async def registers_take_random_traffic(dut: Any) -> None:
    """Reads and writes of 1 to 8 bytes, several at once, every channel pausing at random."""
    bench = CoreBench(dut)
    await bench.reset()
    scratch = REGISTERS["SCRATCH"].offset
    base = REGISTERS["SQ_BASE_LO"].offset
    ring = bench.rng.getrandbits(64) & ~63
    await bench.registers.write(base, ring, 8)
    value = 0
    await bench.registers.write(scratch, value)

    async def watch(rng: random.Random) -> None:
        for _ in range(80):
            if rng.random() < 0.5:
                assert await bench.registers.read(base, 8) == ring
            else:
                start = rng.randrange(8)
                size = rng.randint(1, 8 - start)
                found = await bench.registers.read(base + start, size)
                assert found == (ring >> 8 * start) & ((1 << 8 * size) - 1)

    readers = [cocotb.start_soon(watch(random.Random(bench.rng.getrandbits(64)))) for _ in range(2)]
    for _ in range(120):
        start = bench.rng.randrange(4)
        size = bench.rng.randint(1, 4 - start)
        part = bench.rng.getrandbits(8 * size)
        mask = ((1 << 8 * size) - 1) << 8 * start
        value = value & ~mask | part << 8 * start
        await bench.registers.write(scratch + start, part, size)
        found = await bench.registers.read(scratch)
        assert found == value, f"SCRATCH reads {found:#x} and must be {value:#x}"
    for reader in readers:
        await reader


async def commands_for(bench: CoreBench) -> Commands:
    """Resets the card, starts its queues, and makes its commands."""
    await bench.reset()
    identification = await bench.identification()
    await bench.queues.start()
    return Commands(bench.memory, bench.rng, identification)


def judge_card_memory(bench: CoreBench, commands: Commands) -> None:
    """The card's memory itself, not what the card says of it."""
    found = bench.card_memory.mem.read(0, len(commands.card))
    assert found == commands.card, "card memory does not hold what was loaded"


@card_test(cycles=400_000)
async def commands_are_exact_while_every_channel_pauses(dut: Any) -> None:
    """Random commands, several in the ring, with random pauses on all fifteen channels."""
    bench = CoreBench(dut)
    commands = await commands_for(bench)
    await run_random(bench.queues, commands, bench.rng, 40, longest=120)
    judge_card_memory(bench, commands)


@card_test(cycles=200_000)
async def commands_are_exact_at_full_speed(dut: Any) -> None:
    """Long commands on memories that never pause: bursts back to back, over borders of pages."""
    bench = CoreBench(dut, paused=False)
    commands = await commands_for(bench)
    await run_random(bench.queues, commands, bench.rng, 24, longest=400)
    judge_card_memory(bench, commands)


@card_test(cycles=400_000)
async def msm_is_exact(dut: Any) -> None:
    """A multi-scalar multiplication against Python's integers."""
    bench = CoreBench(dut)
    commands = await commands_for(bench)
    for count in (1, 9):
        await run_batch(bench.queues, commands.msm(count))
    await bench.queues.succeed("SelfTest")


@card_test(cycles=60_000)
async def the_request_line_follows_causes_and_enables(dut: Any) -> None:
    """Raised by an enabled cause, held until it is cleared, silent while it is disabled."""
    bench = CoreBench(dut)
    commands = await commands_for(bench)
    queues = bench.queues
    status, enable = REGISTERS["INTERRUPT_STATUS"], REGISTERS["INTERRUPT_ENABLE"]
    await queues.set(enable.name, 0)
    queues.push(OPCODES["Identify"], host_out=bench.memory.allocate(64))
    await queues.ring()
    for _ in range(200):
        if queues.poll() is not None:
            break
        await pass_cycles(dut.clock, 50)
        assert not dut.irq.value, "the request line is high while every cause is disabled"
    else:
        raise AssertionError("no completion was written")
    assert status["COMPLETION"].get(await queues.get(status.name)) == 1
    rise = cocotb.start_soon(within(2_000, RisingEdge(dut.irq)))
    await queues.set(enable.name, enable["COMPLETION"].put(1))
    await rise
    await pass_cycles(dut.clock, 20)
    assert dut.irq.value, "the request line fell by itself"
    fall = cocotb.start_soon(within(2_000, FallingEdge(dut.irq)))
    await queues.set(status.name, status["COMPLETION"].put(1))
    await fall
    assert await queues.get(status.name) == 0
    await queues.reset()
    await run_batch(queues, [commands.identify()])


@card_test(cycles=200_000)
async def errors_on_the_buses_become_statuses(dut: Any) -> None:
    """Operands and results outside of memory, with exact commands between them."""
    bench = CoreBench(dut)
    commands = await commands_for(bench)
    queues = bench.queues
    for _ in range(3):
        data = bench.memory.store(bench.rng.randbytes(64 * 8))
        hole = bench.memory.hole()
        completion = await queues.execute("LoadBases", count=8, host_a=hole, card_address=1 << 20)
        expect_status("a read outside of host memory", completion.status, "HostReadFault")
        completion = await queues.execute("FieldVector", count=8, host_a=data, host_b=data, host_out=hole)
        expect_status("a write outside of host memory", completion.status, "HostWriteFault")
        await run_random(queues, commands, bench.rng, 3, longest=20)
    judge_card_memory(bench, commands)


@card_test(cycles=60_000)
async def a_ring_outside_of_memory_is_a_fault(dut: Any) -> None:
    """Stops the queues, raises the interrupt, and a reset clears it."""
    bench = CoreBench(dut)
    commands = await commands_for(bench)
    queues = bench.queues
    await queues.reset()
    await queues.set("CONTROL", 0)
    hole = bench.memory.hole(64)
    await queues.set("SQ_BASE_LO", hole & 0xFFFF_FFFF)
    await queues.set("SQ_BASE_HI", hole >> 32)
    await queues.set("CONTROL", REGISTERS["CONTROL"]["ENABLE"].put(1))
    queues.push(OPCODES["Identify"])
    await queues.ring()
    await bench.interrupt()
    status = REGISTERS["STATUS"]
    word = await queues.get(status.name)
    assert status["FAULT"].get(word) == 1
    expect_status("a ring outside of host memory", status["FAULT_CODE"].get(word), "HostReadFault")
    await queues.reset()
    await run_batch(queues, [commands.identify(), commands.load(30), commands.field_vector(30)])


@card_test(cycles=400_000)
async def resets_during_transfers_leave_an_exact_card(dut: Any) -> None:
    """Reset by register at random moments of long commands; the models check that every burst is brought to its end."""
    bench = CoreBench(dut)
    commands = await commands_for(bench)
    for _ in range(8):
        batch = [commands.any(300) for _ in range(3)]
        for command in batch:
            bench.queues.push(command.opcode, **command.fields)
        await bench.queues.ring()
        await pass_cycles(dut.clock, bench.rng.randint(1, 1_500))
        await bench.queues.reset()
        # What was cut short may have left anything in card memory: it is loaded anew.
        commands.card[:] = bench.card_memory.mem.read(0, len(commands.card))
        await run_batch(bench.queues, [commands.identify(), commands.load(40), commands.read_card(60)])
    judge_card_memory(bench, commands)


def expect_status(what: str, found: int, expected: str) -> None:
    """Holds a status code against the one that must be."""
    assert found == STATUSES[expected], f"{what} ended in {status_name(found)}, not in {expected}"
