//! Requests of the host to the BAR.

use super::bench::Bench;
use super::packets::{
    COMPARE_SWAP, FETCH_ADD, HostCompletion, HostRequest, IO_READ, IO_WRITE, LOCKED_READ, MESSAGE, READ,
    VENDOR_MESSAGE, WRITE,
};
use rand::Rng;
use spandrel_abi::LINK_OTHER_FAULTS;
use spandrel_hdl::pcie::Completer;

/// The completion that a request must get: status and data, for the registers as they are.
fn expected(request: &HostRequest, status: u32, data: Vec<u32>) -> HostCompletion {
    let enabled = |be: u8| (0..4u32).filter(move |bit| be >> bit & 1 == 1);
    let first = enabled(request.first_be).next().unwrap_or(0);
    let tail = if request.dwords == 1 { request.first_be } else { request.last_be };
    let last = enabled(tail).next_back().unwrap_or(0);
    let memory = matches!(request.kind, READ | LOCKED_READ);
    HostCompletion {
        lower_address: if memory { (request.address as u32 & 0x7c) + first } else { 0 },
        byte_count: if memory { (request.dwords - 1) * 4 + last + 1 - first } else { 4 },
        locked: request.kind == LOCKED_READ,
        dwords: if status == 0 { request.dwords } else { 0 },
        status,
        requester: request.requester,
        tag: request.tag,
        completer: request.function.into(),
        class: request.class,
        attributes: request.attributes,
        data,
    }
}

/// What follows the descriptor of an error completion.
fn logged(request: &HostRequest) -> Vec<u32> {
    let mut data = vec![u32::from(request.first_be) | u32::from(request.last_be) << 4];
    data.extend(&request.packet().dwords[..4]);
    data
}

fn reads_and_writes(wide: bool, seed: u64, percent: u8) {
    let mut bench = Bench::new(wide, seed, percent);
    let mut registers = bench.registers.clone();
    let mut wanted = vec![];
    for tag in 0..400u32 {
        let write = bench.random.gen_ratio(1, 2);
        let bytes = [0, 1, 2, 3, 4, 5, 8, 8][bench.random.gen_range(0..8)];
        let address = bench.random.gen_range(0..0x0ff8u64);
        let offset = address % 4;
        let address = if offset + bytes > 8 { address - offset } else { address };
        let mut request =
            HostRequest::new(if write { WRITE } else { READ }, 0xf7a0_0000 + address, bytes as u32);
        request.tag = tag as u8;
        request.requester = bench.random.r#gen();
        request.class = bench.random.gen_range(0..8);
        request.attributes = bench.random.gen_range(0..8);
        if request.dwords == 1 && bench.random.gen_ratio(1, 4) {
            request.first_be = bench.random.gen_range(0..16);
        }
        let word = (request.address as usize & 0xfff) / 4;
        let enables = [request.first_be, request.last_be];
        if write {
            request.data = (0..request.dwords).map(|_| bench.random.r#gen()).collect();
            for (index, data) in request.data.iter().enumerate() {
                let mask: u32 =
                    (0..4).map(|byte| u32::from(enables[index] >> byte & 1) * (0xff << (byte * 8))).sum();
                registers[word + index] = registers[word + index] & !mask | data & mask;
            }
        } else {
            let data = (0..request.dwords as usize)
                .map(|index| if enables[index] == 0 { 0 } else { registers[word + index] })
                .collect();
            wanted.push(expected(&request, 0, data));
        }
        bench.send(&request);
    }
    bench.bar_read(0);
    assert_eq!(bench.completions.len(), wanted.len() + 1);
    for ((_, got), wanted) in bench.completions.iter().zip(&wanted) {
        assert_eq!(got, wanted);
    }
    assert_eq!(bench.registers, registers);
    assert_eq!(bench.bar_read(LINK_OTHER_FAULTS.offset.into()), 0);
}

#[test]
fn accesses_reach_the_registers_byte_by_byte() {
    for wide in [false, true] {
        reads_and_writes(wide, 1, 0);
        reads_and_writes(wide, 2, 40);
    }
}

#[test]
fn what_is_not_served_is_refused_and_counted() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 3, 30);
        let registers = bench.registers.clone();
        let mut wanted = vec![];
        let mut refused = 0;
        let data = |count: u32| (0..count).collect::<Vec<u32>>();
        for (kind, address, bytes) in [
            (READ, 0x10, 12),
            (READ, 0x17, 6 + 4),
            (READ, 0x0, 4096),
            (IO_READ, 0x10, 4),
            (IO_WRITE, 0x10, 4),
            (FETCH_ADD, 0x20, 8),
            (COMPARE_SWAP, 0x20, 16),
            (LOCKED_READ, 0x30, 8),
            (LOCKED_READ, 0x30, 4),
            (8, 0x0, 4),
        ] {
            let mut request = HostRequest::new(kind, address, bytes);
            request.tag = 0x40 + refused;
            if matches!(kind, IO_WRITE | FETCH_ADD | COMPARE_SWAP) {
                request.data = data(request.dwords);
            }
            wanted.push(expected(&request, 1, logged(&request)));
            bench.send(&request);
            refused += 1;
        }
        for (kind, address, bytes, discontinue, bar) in [
            (WRITE, 0x10, 12, false, 0),
            (WRITE, 0x40, 128, false, 0),
            (WRITE, 0x44, 4, true, 0),
            (WRITE, 0x44, 128, true, 0),
            (WRITE, 0x44, 4, false, 2),
            (MESSAGE, 0x0, 0, false, 0),
            (VENDOR_MESSAGE, 0x0, 4, false, 0),
        ] {
            let mut request = HostRequest { discontinue, bar, ..HostRequest::new(kind, address, bytes) };
            request.data = data(request.dwords);
            bench.send(&request);
            refused += 1;
        }
        // What comes after is served.
        assert_eq!(bench.bar_read(0x44), registers[0x11]);
        let count = bench.bar_read(LINK_OTHER_FAULTS.offset.into()) >> 16 & 0xff;
        assert_eq!(count, u32::from(refused));
        assert_eq!(bench.registers, registers);
        assert_eq!(bench.completions.len(), wanted.len() + 2);
        for ((_, got), wanted) in bench.completions.iter().zip(&wanted) {
            assert_eq!(got, wanted);
        }
    }
}

#[test]
fn places_without_a_register_read_zero() {
    let mut bench = Bench::new(false, 4, 20);
    for offset in [0x100c, 0x1ffc, 0x2020, 0x2ffc, 0x3004, 0x3ffc] {
        bench.bar_write(offset, 0xffff_ffff);
        assert_eq!(bench.bar_read(offset), 0, "{offset:#x}");
    }
}

#[test]
fn a_register_of_the_endpoint_answers_in_the_stated_time() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 5, 0);
        bench.bar_read(0x1000);
        let request = HostRequest::new(READ, 0x1000, 4);
        bench.send(&request);
        let start = bench.cycles();
        let before = bench.completions.len();
        bench.run_until(100, |bench| bench.completions.len() > before);
        assert_eq!(bench.completions[before].0 - start, Completer::LATENCY as u64);
    }
}
