//! Pipelines under Verilator: new inputs every cycle, every output looked at in the one cycle it belongs to.

use num_bigint::BigUint;
use spandrel_hdl::datapath::Module;
use spandrel_hdl::emit::{Emitted, PortDirection};
use spandrel_sim::testbench::Testbench;

/// Runs a pipeline's Verilog on one input tuple a cycle, back to back, and gives the output tuples, each read
/// exactly `latency` cycles after its inputs: a wrong latency or an initiation interval above one gives wrong values.
pub fn stream(module: &Module, inputs: &[Vec<BigUint>]) -> Vec<Vec<BigUint>> {
    stream_of(&module.emitted(), module.latency(), inputs)
}

/// The same for a text that should behave as the pipeline does, such as its netlist.
pub fn stream_of(emitted: &Emitted, latency: usize, inputs: &[Vec<BigUint>]) -> Vec<Vec<BigUint>> {
    let mut bench = Testbench::build(emitted);
    let names = |direction: PortDirection| -> Vec<String> {
        let ports = emitted.ports.iter().filter(|port| port.direction == direction && port.name != "clock");
        ports.map(|port| port.name.clone()).collect()
    };
    let (input_names, output_names) = (names(PortDirection::Input), names(PortDirection::Output));
    let mut outputs = Vec::with_capacity(inputs.len());
    for cycle in 0..inputs.len() + latency {
        // Behind the last inputs comes junk, so that nothing is right by standing still.
        let junk = vec![BigUint::from(1u32); input_names.len()];
        for (name, value) in input_names.iter().zip(inputs.get(cycle).unwrap_or(&junk)) {
            bench.set_bytes(name, &value.to_bytes_le());
        }
        bench.model.settle();
        if cycle >= latency {
            let read = |name: &String| BigUint::from_bytes_le(&bench.bytes(name));
            outputs.push(output_names.iter().map(read).collect());
        }
        bench.model.rise();
    }
    outputs
}
