//! Words of the card, as a stream to the host.

use rust_hdl::prelude::*;
use spandrel_abi::{COUNTERS_BYTES, IDENTIFICATION_BYTES, Identification};

/// Sends the identification words (two beats) or the counters (eight beats).
#[derive(LogicBlock)]
pub struct Report {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: send the identification words.
    pub start_identification: Signal<In, Bit>,
    /// Pulse: send the counters.
    pub start_counters: Signal<In, Bit>,
    /// The counters; must stand while they are sent.
    pub counters: Signal<In, Bits<2048>>,
    /// High from the cycle after a start until the last beat was taken.
    pub busy: Signal<Out, Bit>,
    /// Words.
    pub out_data: Signal<Out, Bits<256>>,
    /// `out_data` is a beat.
    pub out_valid: Signal<Out, Bit>,
    /// The beat is taken.
    pub out_ready: Signal<In, Bit>,
    left: DFF<Bits<2048>>,
    beats_left: DFF<Bits<8>>,
    identification: Constant<Bits<2048>>,
    identification_beats: Constant<Bits<8>>,
    counters_beats: Constant<Bits<8>>,
}

impl Report {
    /// The report of a card that identifies itself so.
    pub fn new(identification: &Identification) -> Self {
        assert_eq!(8 * COUNTERS_BYTES, 2048);
        let words = num_bigint::BigUint::from_slice(&identification.to_words());
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start_identification: Default::default(),
            start_counters: Default::default(),
            counters: Default::default(),
            busy: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            left: Default::default(),
            beats_left: Default::default(),
            identification: Constant::new(words.into()),
            identification_beats: Constant::new((IDENTIFICATION_BYTES / 32).to_bits()),
            counters_beats: Constant::new((COUNTERS_BYTES / 32).to_bits()),
        }
    }
}

impl Logic for Report {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, left, beats_left);
        self.busy.next = self.beats_left.q.val() != 0;
        self.out_data.next = self.left.q.val().get_bits::<256>(0);
        self.out_valid.next = self.beats_left.q.val() != 0;
        if self.out_ready.val() & (self.beats_left.q.val() != 0) {
            self.left.d.next = self.left.q.val() >> 256;
            self.beats_left.d.next = self.beats_left.q.val() - 1;
        }
        if self.start_identification.val() {
            self.left.d.next = self.identification.val();
            self.beats_left.d.next = self.identification_beats.val();
        }
        if self.start_counters.val() {
            self.left.d.next = self.counters.val();
            self.beats_left.d.next = self.counters_beats.val();
        }
        if self.reset.val() {
            self.left.d.next = 0.into();
            self.beats_left.d.next = 0.into();
        }
    }
}
