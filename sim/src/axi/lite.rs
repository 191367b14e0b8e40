//! An AXI4-Lite master: the root complex's register accesses.

use super::Violations;
use crate::SimError;
use crate::model::{Model, PortHandle};
use crate::testbench::Stalls;

/// How an access ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteOutcome {
    /// The slave answered OKAY; with the data, for a read.
    Done(u32),
    /// The slave answered with this response code (2 = SLVERR, 3 = DECERR).
    Refused(u8),
}

struct Ports {
    awaddr: PortHandle,
    awvalid: PortHandle,
    awready: PortHandle,
    wdata: PortHandle,
    wstrb: PortHandle,
    wvalid: PortHandle,
    wready: PortHandle,
    bready: PortHandle,
    bvalid: PortHandle,
    bresp: PortHandle,
    araddr: PortHandle,
    arvalid: PortHandle,
    arready: PortHandle,
    rready: PortHandle,
    rvalid: PortHandle,
    rdata: PortHandle,
    rresp: PortHandle,
}

/// One of the master's two request channels of a write, or the one of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// Nothing to ask.
    Idle,
    /// To be put on the bus in a coming cycle.
    Pending,
    /// On the bus.
    Offered,
    /// Taken by the slave.
    Taken,
}

impl Request {
    /// Puts the request on the bus, perhaps; takes it off once it was taken.
    fn drive(&mut self, stalls: &mut Stalls, model: &mut Model, valid: PortHandle) {
        if *self == Request::Pending && !stalls.hold() {
            *self = Request::Offered;
            model.set_u64(valid, 1);
        } else if *self == Request::Taken {
            model.set_u64(valid, 0);
        }
    }

    fn observe(&mut self, model: &Model, ready: PortHandle) {
        if *self == Request::Offered && model.is_high(ready) {
            *self = Request::Taken;
        }
    }
}

/// An AXI4-Lite master on the ports `{prefix}aw…`, `{prefix}w…`, `{prefix}b…`, `{prefix}ar…`, `{prefix}r…` of a model,
/// with 32 bits of data and one access at a time.
///
/// With stalls it offers a write's address and data in either order and lets answers wait; it records answers that nobody
/// asked for and answers that change while they wait.
pub struct LiteMaster {
    ports: Ports,
    name: String,
    stalls: Stalls,
    aw: Request,
    w: Request,
    ar: Request,
    answer_ready: bool,
    waiting: Option<u64>,
    outcome: Option<LiteOutcome>,
    violations: Violations,
}

impl LiteMaster {
    /// A master on the ports with this prefix (with its `_`).
    pub fn new(model: &Model, prefix: &str, stalls: Stalls) -> Result<LiteMaster, SimError> {
        let port = |name: &str| model.port(&format!("{prefix}{name}"));
        let ports = Ports {
            awaddr: port("awaddr")?,
            awvalid: port("awvalid")?,
            awready: port("awready")?,
            wdata: port("wdata")?,
            wstrb: port("wstrb")?,
            wvalid: port("wvalid")?,
            wready: port("wready")?,
            bready: port("bready")?,
            bvalid: port("bvalid")?,
            bresp: port("bresp")?,
            araddr: port("araddr")?,
            arvalid: port("arvalid")?,
            arready: port("arready")?,
            rready: port("rready")?,
            rvalid: port("rvalid")?,
            rdata: port("rdata")?,
            rresp: port("rresp")?,
        };
        Ok(LiteMaster {
            ports,
            name: prefix.trim_end_matches('_').to_owned(),
            stalls,
            aw: Request::Idle,
            w: Request::Idle,
            ar: Request::Idle,
            answer_ready: false,
            waiting: None,
            outcome: None,
            violations: Violations::default(),
        })
    }

    /// Begins a read of the word at a byte address; whatever was under way is forgotten.
    pub fn start_read(&mut self, model: &mut Model, address: u64) {
        self.reset(model);
        model.set_u64(self.ports.araddr, address);
        self.ar = Request::Pending;
    }

    /// Begins a write to the word at a byte address; bit i of `strobe` has byte i written. Whatever was under way is
    /// forgotten.
    pub fn start_write(&mut self, model: &mut Model, address: u64, data: u32, strobe: u8) {
        self.reset(model);
        model.set_u64(self.ports.awaddr, address);
        model.set_u64(self.ports.wdata, data.into());
        model.set_u64(self.ports.wstrb, strobe.into());
        (self.aw, self.w) = (Request::Pending, Request::Pending);
    }

    /// How the access ended, once it has.
    pub fn outcome(&self) -> Option<LiteOutcome> {
        self.outcome
    }

    /// What the slave did that AXI forbids.
    pub fn violations(&self) -> &Violations {
        &self.violations
    }

    /// Takes everything off the bus.
    pub fn reset(&mut self, model: &mut Model) {
        for port in
            [self.ports.awvalid, self.ports.wvalid, self.ports.arvalid, self.ports.bready, self.ports.rready]
        {
            model.set_u64(port, 0);
        }
        (self.aw, self.w, self.ar) = (Request::Idle, Request::Idle, Request::Idle);
        (self.answer_ready, self.waiting, self.outcome) = (false, None, None);
    }

    fn reading(&self) -> bool {
        self.ar != Request::Idle
    }

    fn active(&self) -> bool {
        self.outcome.is_none() && (self.reading() || self.aw != Request::Idle)
    }

    /// Sets the master's side for this cycle: before [`Model::settle`].
    #[inline]
    pub fn drive(&mut self, model: &mut Model) {
        if !self.active() {
            if self.answer_ready {
                self.answer_ready = false;
                model.set_u64(self.ports.bready, 0);
                model.set_u64(self.ports.rready, 0);
            }
            return;
        }
        self.aw.drive(&mut self.stalls, model, self.ports.awvalid);
        self.w.drive(&mut self.stalls, model, self.ports.wvalid);
        self.ar.drive(&mut self.stalls, model, self.ports.arvalid);
        self.answer_ready = !self.stalls.hold();
        let port = if self.reading() { self.ports.rready } else { self.ports.bready };
        model.set_u64(port, self.answer_ready.into());
    }

    /// Sees what is taken at the coming edge: between [`Model::settle`] and [`Model::rise`].
    #[inline]
    pub fn observe(&mut self, model: &Model) {
        let (b, r) = (model.is_high(self.ports.bvalid), model.is_high(self.ports.rvalid));
        if !self.active() {
            if b || r {
                self.unasked(model, b);
            }
            return;
        }
        let (answered, asked) = if self.reading() {
            (r, self.ar == Request::Taken)
        } else {
            (b, self.aw == Request::Taken && self.w == Request::Taken)
        };
        // An answer may not come in the cycle of its question: the master has not seen the question taken yet.
        if answered && !asked || if self.reading() { b } else { r } {
            self.unasked(model, b);
        } else if answered {
            self.observe_answer(model);
        } else if self.waiting.take().is_some() {
            self.violations.record(&self.name, model.cycles(), "BVALID or RVALID fell before its ready rose");
        }
        self.aw.observe(model, self.ports.awready);
        self.w.observe(model, self.ports.wready);
        self.ar.observe(model, self.ports.arready);
    }

    fn observe_answer(&mut self, model: &Model) {
        let (data, response) = if self.reading() {
            (model.get_u64(self.ports.rdata), model.get_u64(self.ports.rresp))
        } else {
            (0, model.get_u64(self.ports.bresp))
        };
        let answer = data << 2 | response;
        if self.waiting.take().is_some_and(|before| before != answer) {
            self.violations.record(&self.name, model.cycles(), "an answer changed before its ready rose");
        }
        if !self.answer_ready {
            self.waiting = Some(answer);
            return;
        }
        self.outcome = Some(match response {
            0 => LiteOutcome::Done(data as u32),
            code => LiteOutcome::Refused(code as u8),
        });
    }

    #[cold]
    fn unasked(&mut self, model: &Model, write: bool) {
        let what = if write { "BVALID without a write to answer" } else { "RVALID without a read to answer" };
        self.violations.record(&self.name, model.cycles(), what);
    }
}
