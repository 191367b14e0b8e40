//! Both ends of a ready/valid stream.

use super::Stalls;
use crate::SimError;
use crate::model::{Model, PortHandle};
use std::collections::VecDeque;

/// The three ports of a stream.
#[derive(Clone, Copy, Debug)]
struct Ports {
    data: PortHandle,
    valid: PortHandle,
    ready: PortHandle,
}

impl Ports {
    fn new(model: &Model, name: &str) -> Result<Ports, SimError> {
        Ok(Ports {
            data: model.port(&format!("{name}_data"))?,
            valid: model.port(&format!("{name}_valid"))?,
            ready: model.port(&format!("{name}_ready"))?,
        })
    }
}

/// Feeds a stream input `{name}_data`, `{name}_valid`, `{name}_ready` of a model.
///
/// Once `valid` is up it stays up, with the same data, until `ready`, as AXI-Stream asks. While there is nothing to
/// offer, `data` carries a pattern of junk bytes, so that a block that takes data without `valid` is found out.
#[derive(Debug)]
pub struct StreamSource {
    name: String,
    ports: Ports,
    queue: VecDeque<Vec<u8>>,
    stalls: Stalls,
    offering: bool,
    junk: Vec<u8>,
    sent: u64,
}

impl StreamSource {
    /// A source for the stream `name` of the model.
    pub fn new(model: &Model, name: &str, stalls: Stalls) -> Result<StreamSource, SimError> {
        let ports = Ports::new(model, name)?;
        let junk = vec![0xa5; model.width(ports.data).div_ceil(8)];
        Ok(StreamSource {
            name: name.to_owned(),
            ports,
            queue: VecDeque::new(),
            stalls,
            offering: false,
            junk,
            sent: 0,
        })
    }

    /// Queues a beat: little-endian bytes, zero-extended to the port's width.
    pub fn push(&mut self, beat: impl Into<Vec<u8>>) {
        self.queue.push_back(beat.into());
    }

    /// Beats not yet taken.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Beats taken so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Forgets all queued beats and takes `valid` back: for tests of reset, while the block's reset is high.
    pub fn clear(&mut self, model: &mut Model) {
        self.queue.clear();
        self.offering = false;
        model.set_u64(self.ports.valid, 0);
    }

    /// Sets `valid` and `data` for this cycle: before [`Model::settle`].
    pub fn drive(&mut self, model: &mut Model) {
        let hold = self.stalls.hold();
        if self.offering {
            return;
        }
        match self.queue.front() {
            Some(beat) if !hold => {
                model.set_bytes(self.ports.data, beat);
                model.set_u64(self.ports.valid, 1);
                self.offering = true;
            }
            _ => {
                model.set_bytes(self.ports.data, &self.junk);
                model.set_u64(self.ports.valid, 0);
            }
        }
    }

    /// Sees whether the beat is taken at the coming edge: between [`Model::settle`] and [`Model::rise`].
    pub fn observe(&mut self, model: &Model) {
        if self.offering && model.is_high(self.ports.ready) {
            self.queue.pop_front();
            self.offering = false;
            self.sent += 1;
        }
    }

    /// One line on the state of the stream, for messages.
    pub fn describe(&self) -> String {
        format!("source {}: {} beats sent, {} pending", self.name, self.sent, self.queue.len())
    }
}

/// Drains a stream output `{name}_data`, `{name}_valid`, `{name}_ready` of a model and holds it to the rules.
#[derive(Debug)]
pub struct StreamSink {
    name: String,
    ports: Ports,
    stalls: Stalls,
    shy: bool,
    ready: bool,
    /// What was on offer when it was last kept waiting.
    waiting: Option<Vec<u8>>,
    received: Vec<Vec<u8>>,
    buffer: Vec<u8>,
}

impl StreamSink {
    /// A sink for the stream `name` of the model.
    pub fn new(model: &Model, name: &str, stalls: Stalls) -> Result<StreamSink, SimError> {
        let ports = Ports::new(model, name)?;
        let buffer = vec![0; model.width(ports.data).div_ceil(8)];
        let name = name.to_owned();
        Ok(StreamSink {
            name,
            ports,
            stalls,
            shy: false,
            ready: false,
            waiting: None,
            received: Vec::new(),
            buffer,
        })
    }

    /// Raises `ready` only in the cycle after it has seen `valid`: a block whose `valid` waits for `ready`, which
    /// AXI-Stream forbids, then hangs.
    pub fn shy(mut self) -> StreamSink {
        self.shy = true;
        self
    }

    /// Beats received so far, each `ceil(width / 8)` little-endian bytes.
    pub fn received(&self) -> &[Vec<u8>] {
        &self.received
    }

    /// Takes the beats received so far.
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.received)
    }

    /// Forgets what was received and what was on offer: for tests of reset, after which the rules begin anew.
    pub fn clear(&mut self) {
        self.received.clear();
        self.waiting = None;
    }

    /// Sets `ready` for this cycle: before [`Model::settle`].
    pub fn drive(&mut self, model: &mut Model) {
        self.ready = !self.stalls.hold() && (!self.shy || self.waiting.is_some());
        model.set_u64(self.ports.ready, self.ready.into());
    }

    /// Takes the beat of this cycle, if any: between [`Model::settle`] and [`Model::rise`].
    ///
    /// # Panics
    /// If an offer was withdrawn or changed before it was taken.
    pub fn observe(&mut self, model: &Model) {
        let valid = model.is_high(self.ports.valid);
        if valid {
            model.get_bytes(self.ports.data, &mut self.buffer);
        }
        if let Some(before) = self.waiting.take() {
            let cycle = model.cycles();
            assert!(valid, "{}_valid fell before {}_ready rose, cycle {cycle}", self.name, self.name);
            assert!(
                before == self.buffer,
                "{}_data changed before {}_ready rose, cycle {cycle}: {} -> {}",
                self.name,
                self.name,
                hex::encode(before),
                hex::encode(&self.buffer)
            );
        }
        if valid && self.ready {
            self.received.push(self.buffer.clone());
        } else if valid {
            self.waiting = Some(self.buffer.clone());
        }
    }

    /// One line on the state of the stream, for messages.
    pub fn describe(&self) -> String {
        let waiting = if self.waiting.is_some() { ", one on offer" } else { "" };
        format!("sink {}: {} beats received{waiting}", self.name, self.received.len())
    }
}
