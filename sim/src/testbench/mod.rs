//! What tests of single blocks need: a model with streams attached, run cycle by cycle, with a bound on every wait.
//!
//! Whatever goes wrong here is a failed test, so these helpers panic, with the cycle and the state of the streams.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emitted: spandrel_hdl::emit::Emitted = unimplemented!();
//! use spandrel_sim::testbench::{Stalls, Testbench};
//!
//! let mut bench = Testbench::build(&emitted);
//! let scalars = bench.source("scalar", Stalls::random(1, 30)); // scalar_data, scalar_valid, scalar_ready
//! let results = bench.sink("result", Stalls::random(2, 30));
//! bench.reset(3); // port `reset` high for three cycles
//! for scalar in 0u64..100 {
//!     bench.push(scalars, scalar.to_le_bytes());
//! }
//! bench.set("count", 100);
//! bench.pulse("start");
//! let cycles = bench.run_until(10_000, |bench| bench.received(results).len() == 100);
//! let beats: Vec<Vec<u8>> = bench.take(results);
//! # Ok(())
//! # }
//! ```

mod stalls;
mod stream;
#[cfg(test)]
mod tests;

pub use stalls::Stalls;
pub use stream::{StreamSink, StreamSource};

use crate::model::{BuildOptions, Model, ModelLibrary, PortHandle};
use spandrel_hdl::emit::Emitted;

/// A stream input of a [`Testbench`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceId(usize);

/// A stream output of a [`Testbench`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkId(usize);

/// A model with a port `clock` and any number of streams.
#[derive(Debug)]
pub struct Testbench {
    /// The model, for whatever is not a stream.
    pub model: Model,
    sources: Vec<StreamSource>,
    sinks: Vec<StreamSink>,
}

impl Testbench {
    /// A test bench around an instance.
    pub fn new(model: Model) -> Testbench {
        Testbench { model, sources: Vec::new(), sinks: Vec::new() }
    }

    /// Builds the model of a design (or finds it in the cache) and makes a test bench around an instance.
    pub fn build(emitted: &Emitted) -> Testbench {
        match ModelLibrary::build(emitted, &BuildOptions::default()) {
            Ok(library) => Testbench::new(library.instance()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Attaches a source to the stream input `name`.
    pub fn source(&mut self, name: &str, stalls: Stalls) -> SourceId {
        let source = StreamSource::new(&self.model, name, stalls).unwrap_or_else(|error| panic!("{error}"));
        self.sources.push(source);
        SourceId(self.sources.len() - 1)
    }

    /// Attaches a sink to the stream output `name`.
    pub fn sink(&mut self, name: &str, stalls: Stalls) -> SinkId {
        let sink = StreamSink::new(&self.model, name, stalls).unwrap_or_else(|error| panic!("{error}"));
        self.sinks.push(sink);
        SinkId(self.sinks.len() - 1)
    }

    /// As [`sink`](Testbench::sink), raising `ready` only after it saw `valid` (see [`StreamSink::shy`]).
    pub fn shy_sink(&mut self, name: &str, stalls: Stalls) -> SinkId {
        let sink = StreamSink::new(&self.model, name, stalls).unwrap_or_else(|error| panic!("{error}"));
        self.sinks.push(sink.shy());
        SinkId(self.sinks.len() - 1)
    }

    /// Queues a beat: little-endian bytes, zero-extended to the port's width.
    pub fn push(&mut self, source: SourceId, beat: impl Into<Vec<u8>>) {
        self.sources[source.0].push(beat);
    }

    /// Beats that a source has not got rid of yet.
    pub fn pending(&self, source: SourceId) -> usize {
        self.sources[source.0].pending()
    }

    /// Beats that a sink has received.
    pub fn received(&self, sink: SinkId) -> &[Vec<u8>] {
        self.sinks[sink.0].received()
    }

    /// Takes the beats that a sink has received.
    pub fn take(&mut self, sink: SinkId) -> Vec<Vec<u8>> {
        self.sinks[sink.0].take()
    }

    /// The handle of a port, for loops that are to be fast.
    pub fn port(&self, name: &str) -> PortHandle {
        self.model.port(name).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sets an input by name.
    pub fn set(&mut self, name: &str, value: u64) {
        let port = self.port(name);
        self.model.set_u64(port, value);
    }

    /// Sets an input by name, from little-endian bytes.
    pub fn set_bytes(&mut self, name: &str, value: &[u8]) {
        let port = self.port(name);
        self.model.set_bytes(port, value);
    }

    /// The low 64 bits of a port by name. Outputs that depend on inputs without a register follow only with the next cycle
    /// or [`Model::settle`].
    pub fn get(&self, name: &str) -> u64 {
        self.model.get_u64(self.port(name))
    }

    /// A port's little-endian bytes by name.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.model.bytes(self.port(name))
    }

    /// Clock cycles so far.
    pub fn cycles(&self) -> u64 {
        self.model.cycles()
    }

    /// One clock cycle with all streams.
    pub fn cycle(&mut self) {
        for source in &mut self.sources {
            source.drive(&mut self.model);
        }
        for sink in &mut self.sinks {
            sink.drive(&mut self.model);
        }
        self.model.settle();
        for source in &mut self.sources {
            source.observe(&self.model);
        }
        for sink in &mut self.sinks {
            sink.observe(&self.model);
        }
        self.model.rise();
    }

    /// Sets an input of one bit for one cycle.
    pub fn pulse(&mut self, name: &str) {
        self.set(name, 1);
        self.cycle();
        self.set(name, 0);
    }

    /// Holds the port `reset` high for some cycles; the streams forget what they held and stand still meanwhile.
    pub fn reset(&mut self, cycles: u64) {
        for source in &mut self.sources {
            source.clear(&mut self.model);
        }
        for sink in &mut self.sinks {
            sink.clear();
        }
        self.set("reset", 1);
        (0..cycles).for_each(|_| self.model.clock_cycle());
        self.set("reset", 0);
    }

    /// Runs cycles until `done`, asked before each; returns how many it took.
    ///
    /// # Panics
    /// If it takes more than `bound` cycles.
    pub fn run_until(&mut self, bound: u64, mut done: impl FnMut(&mut Testbench) -> bool) -> u64 {
        let mut cycles = 0;
        while !done(self) {
            assert!(cycles < bound, "not done after {bound} cycles; {}", self.describe());
            self.cycle();
            cycles += 1;
        }
        cycles
    }

    /// Runs a number of cycles.
    pub fn run(&mut self, cycles: u64) {
        (0..cycles).for_each(|_| self.cycle());
    }

    /// The state of all streams in one line.
    pub fn describe(&self) -> String {
        let sources = self.sources.iter().map(StreamSource::describe);
        let lines: Vec<String> = sources.chain(self.sinks.iter().map(StreamSink::describe)).collect();
        format!("cycle {}; {}", self.cycles(), lines.join("; "))
    }
}
