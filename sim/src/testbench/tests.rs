use super::*;
use spandrel_hdl::emit::{Port, PortDirection};

fn port(name: &str, direction: PortDirection, width: usize) -> Port {
    Port { name: name.to_owned(), direction, width }
}

/// A one-place buffer that adds one; `fault` chooses what it does wrong.
fn buffer(fault: &str) -> Emitted {
    let (input, output) = (PortDirection::Input, PortDirection::Output);
    let ports = vec![
        port("clock", input, 1),
        port("reset", input, 1),
        port("in_data", input, 80),
        port("in_valid", input, 1),
        port("in_ready", output, 1),
        port("out_data", output, 80),
        port("out_valid", output, 1),
        port("out_ready", input, 1),
    ];
    let valid = if fault == "waits" { "full & out_ready" } else { "full" };
    let data = if fault == "changes" { "value + wait_count" } else { "value" };
    let text = format!(
        "module buffer(input clock, input reset, input [79:0] in_data, input in_valid, output in_ready,
            output [79:0] out_data, output out_valid, input out_ready);
        reg [79:0] value; reg full = 0; reg [3:0] wait_count = 0;
        assign in_ready = !full | (out_valid & out_ready);
        assign out_valid = {valid};
        assign out_data = {data};
        always @(posedge clock) begin
            wait_count <= wait_count + 1;
            if (in_valid & in_ready) value <= in_data + 1;
            full <= !reset & ((in_valid & in_ready) | (full & !(out_valid & out_ready)));
        end
        endmodule\n"
    );
    Emitted::from_verilog("buffer", text, ports)
}

fn run(fault: &str, percent: u8, shy: bool) -> Vec<Vec<u8>> {
    let mut bench = Testbench::build(&buffer(fault));
    let source = bench.source("in", Stalls::random(1, percent));
    let stalls = Stalls::random(2, percent);
    let sink = if shy { bench.shy_sink("out", stalls) } else { bench.sink("out", stalls) };
    bench.reset(2);
    (0..200u64).for_each(|value| bench.push(source, value.to_le_bytes()));
    let cycles = bench.run_until(3000, |bench| bench.received(sink).len() == 200);
    assert!(percent > 0 || shy || cycles == 201, "{cycles}");
    assert_eq!(bench.pending(source), 0);
    bench.take(sink)
}

#[test]
fn streams_deliver_everything_in_order() {
    let expected: Vec<Vec<u8>> = (1..=200u128).map(|value| value.to_le_bytes()[..10].to_vec()).collect();
    for percent in [0, 20, 70] {
        assert_eq!(run("", percent, false), expected);
        assert_eq!(run("", percent, true), expected);
    }
}

#[test]
#[should_panic(expected = "out_data changed before out_ready rose")]
fn changing_data_is_caught() {
    run("changes", 50, false);
}

#[test]
#[should_panic(expected = "not done after 3000 cycles")]
fn valid_that_waits_for_ready_is_caught() {
    run("waits", 0, true);
}
