"""The card as a PCIe device, judged by `cocotbext-pcie`'s models of the hard block and of a root complex."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotbext.pcie.core.caps.common import PciCapId

from bench.abi import CONSTANTS, LINK_REGISTERS, OPCODES, REGISTERS, STATUSES, status_name
from bench.clock import card_test, pass_cycles, within
from bench.commands import Commands, run_batch, run_random
from bench.completer import Fault
from bench.endpoint import WAIT_CYCLES, EndpointBench

STATUS_OF = {
    Fault.LOST: "HostReadTimeout",
    Fault.LATE: "HostReadTimeout",
    Fault.UNSUPPORTED: "HostReadUnsupported",
    Fault.ABORTED: "HostReadAborted",
    Fault.POISONED: "HostReadPoisoned",
    Fault.CUT_SHORT: "HostReadAborted",
}
"""What a command whose operand's read fails so ends in."""


async def commands_for(bench: EndpointBench, max_read: int | None = None) -> Commands:
    """Finds the card, starts its queues, and makes its commands."""
    await bench.start(max_read)
    identification = await bench.identification()
    await bench.queues.start()
    return Commands(bench.memory, bench.rng, identification)


def judge_card_memory(bench: EndpointBench, commands: Commands) -> None:
    """The card's memory itself, not what the card says of it."""
    found = bench.card_memory.mem.read(0, len(commands.card))
    assert found == commands.card, "card memory does not hold what was loaded"


async def link(bench: EndpointBench, register: str, field: str) -> int:
    """A field of one of the endpoint's registers."""
    described = LINK_REGISTERS[register]
    return described[field].get(await bench.registers.read(described.offset))


@card_test(cycles=2_000_000)
async def the_card_is_enumerated(dut: Any) -> None:
    """Found by its identity, its BAR placed, and its registers show what the host has set."""
    bench = EndpointBench(dut)
    await bench.start(max_read=2)
    device = bench.device
    assert (device.vendor_id, device.device_id) == (CONSTANTS["PCI_VENDOR"], CONSTANTS["PCI_DEVICE"])
    assert device.class_code == CONSTANTS["PCI_CLASS"]
    assert device.bar_size[0] == CONSTANTS["BAR0_BYTES"]
    assert await bench.registers.read(REGISTERS["MAGIC"].offset) == CONSTANTS["MAGIC_VALUE"]
    assert await link(bench, "LINK_STATUS", "MAX_PAYLOAD") == bench.rc.max_payload_size
    assert await link(bench, "LINK_STATUS", "MAX_READ") == 2
    assert await link(bench, "LINK_STATUS", "BUS_MASTER") == 1
    assert await link(bench, "LINK_STATUS", "MSIX_ENABLE") == 1


@card_test(cycles=2_000_000)
async def the_bar_takes_accesses_of_every_size(dut: Any) -> None:
    """1, 2, 4 and 8 bytes wherever they are aligned, several readers at once, the scratch register against a model."""
    bench = EndpointBench(dut)
    await bench.start()
    registers, rng = bench.registers, bench.rng
    scratch, base = REGISTERS["SCRATCH"].offset, REGISTERS["SQ_BASE_LO"].offset
    ring = rng.getrandbits(64) & ~63
    await registers.write(base, ring, 8)

    async def watch(own: random.Random) -> None:
        for _ in range(40):
            size = own.choice([1, 2, 4, 8])
            start = size * own.randrange(8 // size)
            found = await registers.read(base + start, size)
            expected = (ring >> 8 * start) & ((1 << 8 * size) - 1)
            assert found == expected, f"{size} bytes at {start} of the ring's base: {found:#x}, not {expected:#x}"

    readers = [cocotb.start_soon(watch(random.Random(rng.getrandbits(64)))) for _ in range(3)]
    value = 0
    await registers.write(scratch, value)
    for _ in range(80):
        size = rng.choice([1, 2, 4])
        start = size * rng.randrange(4 // size)
        part = rng.getrandbits(8 * size)
        value = value & ~(((1 << 8 * size) - 1) << 8 * start) | part << 8 * start
        await registers.write(scratch + start, part, size)
        # A read does not overtake a write.
        found = await registers.read(scratch)
        assert found == value, f"SCRATCH reads {found:#x} and must be {value:#x}"
    for reader in readers:
        await reader
    table = CONSTANTS["MSIX_TABLE_OFFSET"]
    for offset in range(CONSTANTS["REGISTER_BYTES"] + 0x100, CONSTANTS["BAR0_BYTES"], 256):
        if not table <= offset < table + 16 * CONSTANTS["MSIX_VECTORS"]:
            assert await registers.read(offset) == 0, f"offset {offset:#x} of the BAR does not read zero"


@card_test(cycles=2_000_000)
async def what_the_bar_does_not_serve_is_refused(dut: Any) -> None:
    """Reads of more than 8 bytes are unsupported requests, longer writes are dropped, both are counted."""
    bench = EndpointBench(dut)
    await bench.start()
    window, scratch = bench.device.bar_window[0], REGISTERS["SCRATCH"].offset
    await bench.registers.write(scratch, 0x1234_5678)
    refused = await link(bench, "LINK_OTHER_FAULTS", "REFUSED")
    for size in (12, 16, 64, 128):
        try:
            await within(WAIT_CYCLES, window.read(scratch & ~127, size))
        except Exception as error:  # noqa: BLE001 (the model raises this very class)
            assert "Unsuccessful completion" in str(error), error
        else:
            raise AssertionError(f"a read of {size} bytes was served")
        await window.write(scratch & ~127, bytes(size))
        assert await bench.registers.read(scratch) == 0x1234_5678, f"a write of {size} bytes was served"
    assert await link(bench, "LINK_OTHER_FAULTS", "REFUSED") == refused + 8
    assert await window.read(scratch, 0) == b"", "a read of no bytes is answered"


@card_test(cycles=4_000_000)
async def commands_are_exact_over_dma(dut: Any) -> None:
    """Random commands; completions split and out of order, all four streams and card memory pausing at random."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    await run_random(bench.queues, commands, bench.rng, 40, longest=120)
    judge_card_memory(bench, commands)
    assert bench.completer.most_outstanding > 1, "no two reads were outstanding at a time"


@card_test(cycles=4_000_000)
async def commands_are_exact_for_every_request_size(dut: Any) -> None:
    """Each largest read request in turn, on streams that never pause."""
    bench = EndpointBench(dut, paused=False)
    commands = await commands_for(bench)
    for max_read in range(6):
        await bench.device.set_readrq(max_read)
        await run_batch(bench.queues, [commands.load(200), commands.read_card(200), commands.field_vector(200)])
    await run_batch(bench.queues, commands.msm(5))
    judge_card_memory(bench, commands)


@card_test(cycles=4_000_000)
async def registers_answer_during_dma(dut: Any) -> None:
    """Random accesses of the BAR while commands run."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    running = cocotb.start_soon(run_random(bench.queues, commands, bench.rng, 24, longest=160))
    own, accesses = random.Random(bench.rng.getrandbits(64)), 0
    scratch = REGISTERS["SCRATCH"].offset
    while not running.done():
        value = own.getrandbits(32)
        await bench.registers.write(scratch, value)
        assert await bench.registers.read(scratch) == value
        magic = await bench.registers.read(REGISTERS["MAGIC"].offset, 8)
        assert magic & 0xFFFF_FFFF == CONSTANTS["MAGIC_VALUE"]
        accesses += 3
    await running
    judge_card_memory(bench, commands)
    assert accesses > 60, f"only {accesses} accesses during the commands"


@card_test(cycles=2_000_000)
async def a_message_comes_after_what_it_tells_of(dut: Any) -> None:
    """When a completion's message has come, the completion and its data are in memory; one message a command."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    event = bench.vector(CONSTANTS["COMPLETION_VECTOR"])
    for _ in range(12):
        command = commands.field_vector(60)
        event.clear()
        bench.queues.push(command.opcode, **command.fields)
        await bench.queues.ring()
        await bench.interrupt()
        completion = bench.queues.poll()
        assert completion is not None, "the message overtook the completion that it tells of"
        command.check()
        await bench.queues.set("CQ_HEAD", bench.queues.head)
        await pass_cycles(dut.clock, 600)
        assert not event.is_set(), "a second message came for one completion"


@card_test(cycles=2_000_000)
async def masked_vectors_wait(dut: Any) -> None:
    """A vector's mask and the function's mask hold messages back; the pending bit shows; unmasking sends one."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    vector = CONSTANTS["COMPLETION_VECTOR"]
    control = CONSTANTS["MSIX_TABLE_OFFSET"] + 16 * vector + 12
    event = bench.vector(vector)

    async def mask_vector(masked: bool) -> None:
        await bench.registers.write(control, int(masked))

    async def mask_function(masked: bool) -> None:
        word = await bench.device.capability_read_word(PciCapId.MSIX, 2)
        await bench.device.capability_write_word(PciCapId.MSIX, 2, word & ~0x4000 | int(masked) << 14)

    for mask in (mask_vector, mask_function, mask_vector):
        await mask(True)
        assert await bench.registers.read(CONSTANTS["MSIX_PBA_OFFSET"]) == 0
        event.clear()
        command = commands.identify()
        bench.queues.push(command.opcode, **command.fields)
        await bench.queues.ring()
        await wait_for_completion(bench)
        await pass_cycles(dut.clock, 600)
        assert not event.is_set(), "a masked vector sent a message"
        assert await bench.registers.read(CONSTANTS["MSIX_PBA_OFFSET"], 8) == 1 << vector
        await mask(False)
        await bench.interrupt()
        assert await bench.registers.read(CONSTANTS["MSIX_PBA_OFFSET"]) == 0
        await bench.queues.set("CQ_HEAD", bench.queues.head)


async def wait_for_completion(bench: EndpointBench) -> None:
    """Polls the ring, where no message may come."""
    for _ in range(400):
        if bench.queues.poll() is not None:
            return
        await pass_cycles(bench.dut.clock, 50)
    raise AssertionError("no completion was written")


@card_test(cycles=4_000_000)
async def failed_reads_become_statuses(dut: Any) -> None:
    """Each way in which a read can fail ends its command in its status, and the next commands are exact."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    quick = [fault for fault in Fault if STATUS_OF[fault] != "HostReadTimeout"]
    faults = [*Fault, *bench.rng.choices(quick, k=4)]
    for fault in faults:
        data = bench.memory.store(bench.rng.randbytes(64 * 64))
        bench.completer.guarded = range(data, data + 64 * 64)
        bench.completer.faults = [fault]
        completion = await bench.queues.execute("LoadBases", count=64, host_a=data, card_address=1 << 20)
        expect_status(f"a read answered {fault.value}", completion.status, STATUS_OF[fault])
        assert not bench.completer.faults
        await run_batch(bench.queues, [commands.load(80), commands.read_card(80), commands.field_vector(80)])
    hole = bench.memory.hole()
    completion = await bench.queues.execute("LoadBases", count=8, host_a=hole, card_address=1 << 20)
    expect_status("a read of unmapped memory", completion.status, "HostReadUnsupported")
    await run_random(bench.queues, commands, bench.rng, 6, longest=60)
    # The late answer came while its place was taken again, and must have been told apart.
    assert bench.completer.late_answers == 1
    judge_card_memory(bench, commands)
    assert await link(bench, "LINK_READ_FAULTS", "TIMEOUTS") >= 2
    assert await link(bench, "LINK_READ_FAULTS", "POISONED") >= 1
    assert await link(bench, "LINK_OTHER_FAULTS", "UNEXPECTED") >= 1


@card_test(cycles=2_000_000)
async def a_fault_has_a_vector_of_its_own(dut: Any) -> None:
    """A ring outside of memory: the fault's message, its code, and a reset that clears it."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    queues = bench.queues
    await queues.set("CONTROL", 0)
    hole = bench.memory.hole(64)
    await queues.set("SQ_BASE_LO", hole & 0xFFFF_FFFF)
    await queues.set("SQ_BASE_HI", hole >> 32)
    await queues.set("CONTROL", REGISTERS["CONTROL"]["ENABLE"].put(1))
    queues.push(OPCODES["Identify"])
    event = bench.vector(CONSTANTS["FAULT_VECTOR"])
    event.clear()
    await queues.ring()
    await within(WAIT_CYCLES, event.wait())
    status = REGISTERS["STATUS"]
    word = await queues.get(status.name)
    assert status["FAULT"].get(word) == 1
    expect_status("a ring outside of memory", status["FAULT_CODE"].get(word), "HostReadUnsupported")
    await queues.reset()
    await run_batch(queues, [commands.identify(), commands.load(30), commands.field_vector(30)])


@card_test(cycles=2_000_000)
async def without_bus_mastering_nothing_is_asked_for(dut: Any) -> None:
    """The card sends no request while the host forbids it, and works again when the host allows it."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    await run_batch(bench.queues, [commands.load(20)])
    await bench.device.clear_master()
    await pass_cycles(dut.clock, 100)
    requests = bench.completer.reads + bench.completer.writes
    bench.queues.push(OPCODES["Identify"], host_out=bench.memory.allocate(64))
    await bench.queues.ring()
    await pass_cycles(dut.clock, 2_000)
    assert bench.completer.reads + bench.completer.writes == requests, "a request was sent without bus mastering"
    status = REGISTERS["STATUS"]
    word = await bench.queues.get(status.name)
    expect_status("a ring without bus mastering", status["FAULT_CODE"].get(word), "HostAccessDisabled")
    await bench.device.set_master()
    await bench.queues.reset()
    await run_batch(bench.queues, [commands.identify(), commands.read_card(30)])


@card_test(cycles=4_000_000)
async def function_level_reset_at_any_moment(dut: Any) -> None:
    """Reset while transfers run: it ends, the endpoint's registers are fresh, the card is exact after a new start."""
    bench = EndpointBench(dut)
    commands = await commands_for(bench)
    for round_number in range(4):
        for _ in range(3):
            command = commands.any(300)
            bench.queues.push(command.opcode, **command.fields)
        await bench.queues.ring()
        await pass_cycles(dut.clock, bench.rng.randint(1, 3_000))
        word = await bench.device.capability_read_dword(PciCapId.EXP, 8)
        await bench.device.capability_write_dword(PciCapId.EXP, 8, word | 1 << 15)
        for _ in range(WAIT_CYCLES // 100):
            if bench.function_resets > round_number:
                break
            await pass_cycles(dut.clock, 100)
        else:
            raise AssertionError("the function-level reset does not end")
        await bench.restart()
        assert await bench.registers.read(LINK_REGISTERS["LINK_READ_FAULTS"].offset) == 0
        await bench.queues.start()
        # What was cut short may have left anything in card memory.
        commands.card[:] = bench.card_memory.mem.read(0, len(commands.card))
        await run_batch(bench.queues, [commands.identify(), commands.load(40), commands.read_card(60)])
    judge_card_memory(bench, commands)


def expect_status(what: str, found: int, expected: str) -> None:
    """Holds a status code against the one that must be."""
    assert found == STATUSES[expected], f"{what} ended in {status_name(found)}, not in {expected}"
