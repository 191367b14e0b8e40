//! Cuts a transfer into bursts.

use super::MAX_BURST_BEATS;
use rust_hdl::prelude::*;

/// Cuts a job (an address and a number of beats) into bursts that stay within 4 KiB and [`MAX_BURST_BEATS`].
///
/// A job is accepted when the one before has been cut up; a burst is offered every second cycle. A job of no beats is
/// accepted and gives no burst. `DATA` is the bus width in bits, a power of two of at least 8; addresses must be
/// aligned to the bus.
#[derive(LogicBlock)]
pub struct BurstPlan<const DATA: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the job.
    pub reset: Signal<In, Bit>,
    /// Byte address of a job's first beat.
    pub job_address: Signal<In, Bits<64>>,
    /// Beats of the job.
    pub job_beats: Signal<In, Bits<32>>,
    /// A job is offered.
    pub job_valid: Signal<In, Bit>,
    /// The job is accepted.
    pub job_ready: Signal<Out, Bit>,
    /// Byte address of the burst.
    pub burst_address: Signal<Out, Bits<64>>,
    /// Beats of the burst, 1 to [`MAX_BURST_BEATS`].
    pub burst_beats: Signal<Out, Bits<16>>,
    /// A burst is offered; it stands until taken.
    pub burst_valid: Signal<Out, Bit>,
    /// The burst is taken.
    pub burst_ready: Signal<In, Bit>,
    /// No job is being cut.
    pub idle: Signal<Out, Bit>,
    address: DFF<Bits<64>>,
    remaining: DFF<Bits<32>>,
    planned: DFF<Bits<16>>,
    planned_valid: DFF<Bit>,
    to_border: Signal<Local, Bits<32>>,
    at_most: Signal<Local, Bits<32>>,
    page: Constant<Bits<32>>,
    page_mask: Constant<Bits<64>>,
    beat_shift: Constant<Bits<8>>,
    longest: Constant<Bits<32>>,
}

impl<const DATA: usize> Default for BurstPlan<DATA> {
    fn default() -> Self {
        assert!(DATA >= 8 && DATA.is_power_of_two(), "a bus is 8, 16, 32, ... bits wide, not {DATA}");
        let beat_shift = clog2(DATA / 8);
        Self {
            clock: Default::default(),
            reset: Default::default(),
            job_address: Default::default(),
            job_beats: Default::default(),
            job_valid: Default::default(),
            job_ready: Default::default(),
            burst_address: Default::default(),
            burst_beats: Default::default(),
            burst_valid: Default::default(),
            burst_ready: Default::default(),
            idle: Default::default(),
            address: Default::default(),
            remaining: Default::default(),
            planned: Default::default(),
            planned_valid: Default::default(),
            to_border: Default::default(),
            at_most: Default::default(),
            page: Constant::new((4096usize >> beat_shift).to_bits()),
            page_mask: Constant::new(4095u64.into()),
            beat_shift: Constant::new(beat_shift.to_bits()),
            longest: Constant::new(MAX_BURST_BEATS.to_bits()),
        }
    }
}

impl<const DATA: usize> Logic for BurstPlan<DATA> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, address, remaining, planned, planned_valid);
        self.idle.next = (self.remaining.q.val() == 0) & !self.planned_valid.q.val();
        self.job_ready.next = (self.remaining.q.val() == 0) & !self.planned_valid.q.val();
        self.burst_address.next = self.address.q.val();
        self.burst_beats.next = self.planned.q.val();
        self.burst_valid.next = self.planned_valid.q.val();
        // The next burst ends at the border of 4 KiB, at the longest burst or at the end of the job.
        self.to_border.next = self.page.val()
            - bit_cast::<32, 64>((self.address.q.val() & self.page_mask.val()) >> self.beat_shift.val());
        self.at_most.next = self.to_border.val();
        if self.longest.val() < self.at_most.val() {
            self.at_most.next = self.longest.val();
        }
        if self.remaining.q.val() < self.at_most.val() {
            self.at_most.next = self.remaining.q.val();
        }
        if self.planned_valid.q.val() {
            if self.burst_ready.val() {
                self.planned_valid.d.next = false;
                self.address.d.next = self.address.q.val()
                    + (bit_cast::<64, 16>(self.planned.q.val()) << self.beat_shift.val());
                self.remaining.d.next = self.remaining.q.val() - bit_cast::<32, 16>(self.planned.q.val());
            }
        } else {
            if self.remaining.q.val() != 0 {
                self.planned.d.next = bit_cast::<16, 32>(self.at_most.val());
                self.planned_valid.d.next = true;
            } else {
                if self.job_valid.val() {
                    self.address.d.next = self.job_address.val();
                    self.remaining.d.next = self.job_beats.val();
                }
            }
        }
        if self.reset.val() {
            self.address.d.next = 0.into();
            self.remaining.d.next = 0.into();
            self.planned.d.next = 0.into();
            self.planned_valid.d.next = false;
        }
    }
}
