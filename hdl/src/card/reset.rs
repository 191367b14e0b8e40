//! The order of a reset.

use rust_hdl::prelude::*;

/// Holds the card in reset until its bus masters have finished what they had begun and its pipelines are empty.
///
/// AXI forbids to drop a transaction, so a reset by register first stops the masters (`abort`), waits until they are
/// idle, and then as long as it takes what was in the stall-free pipelines to fall out at their ends. The bus reset
/// is followed by the same wait.
#[derive(LogicBlock)]
pub struct ResetControl {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus.
    pub reset: Signal<In, Bit>,
    /// The host asks for a reset.
    pub request: Signal<In, Bit>,
    /// Every bus master is idle.
    pub drained: Signal<In, Bit>,
    /// Stops the bus masters in an orderly manner (a register).
    pub abort: Signal<Out, Bit>,
    /// Resets everything but the bus masters and the register bus.
    pub core_reset: Signal<Out, Bit>,
    draining: DFF<Bit>,
    quiet: DFF<Bits<16>>,
    settle: Constant<Bits<16>>,
}

impl ResetControl {
    /// `pipeline_cycles` is the latency of the longest pipeline that has no reset.
    pub fn new(pipeline_cycles: usize) -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            request: Default::default(),
            drained: Default::default(),
            abort: Default::default(),
            core_reset: Default::default(),
            draining: Default::default(),
            quiet: Default::default(),
            // Eight more than needed: registers on the way into the pipeline.
            settle: Constant::new((pipeline_cycles + 8).to_bits()),
        }
    }
}

impl Logic for ResetControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, draining, quiet);
        self.abort.next = self.draining.q.val();
        self.core_reset.next = self.draining.q.val() | self.reset.val();
        if self.draining.q.val() {
            self.quiet.d.next = self.quiet.q.val() + 1;
            if !self.drained.val() {
                self.quiet.d.next = 0.into();
            }
            if self.quiet.q.val() == self.settle.val() {
                self.draining.d.next = false;
            }
        } else {
            self.quiet.d.next = 0.into();
            if self.request.val() {
                self.draining.d.next = true;
            }
        }
        if self.reset.val() {
            self.draining.d.next = true;
            self.quiet.d.next = 0.into();
        }
    }
}
