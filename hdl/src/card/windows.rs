//! The choices of bits per window, as the control needs them.

use rust_hdl::prelude::*;
use spandrel_abi::Identification;

/// Bits of a choice's entry in the table.
const ENTRY_BITS: usize = 32;
/// Most bits per window that the table has room for.
const MOST_BITS: u32 = 16;

/// Looks up what follows from the bits per window of a job, combinational.
#[derive(LogicBlock)]
pub struct WindowTable {
    /// Bits per window that a job asks for.
    pub window_bits: Signal<In, Bits<8>>,
    /// The card has that choice.
    pub offered: Signal<Out, Bit>,
    /// Its place among the choices, ascending from 0; 0 where it is not offered.
    pub choice: Signal<Out, Bits<4>>,
    /// Beats of the host bus that its results are; 0 where it is not offered.
    pub result_beats: Signal<Out, Bits<32>>,
    entry: Signal<Local, Bits<544>>,
    /// For each number of bits from 0: beats in bits 15:0, choice in 19:16, bit 20 set where it is offered.
    entries: Constant<Bits<544>>,
    largest: Constant<Bits<8>>,
}

impl WindowTable {
    /// The table of a card that identifies itself so.
    pub fn new(identification: &Identification) -> Self {
        let mut table = num_bigint::BigUint::default();
        for (choice, window_bits) in identification.window_choices().enumerate() {
            let beats = result_beats(identification, window_bits);
            assert!(window_bits <= MOST_BITS && beats < 1 << 16, "{window_bits} bits per window");
            let entry = num_bigint::BigUint::from(1 << 20 | choice << 16 | beats);
            table |= entry << (ENTRY_BITS * window_bits as usize);
        }
        Self {
            window_bits: Default::default(),
            offered: Default::default(),
            choice: Default::default(),
            result_beats: Default::default(),
            entry: Default::default(),
            entries: Constant::new(table.into()),
            largest: Constant::new(u64::from(MOST_BITS).into()),
        }
    }
}

/// Beats of the host bus in which the engine gives its results: three coordinates a point.
pub(super) fn result_beats(identification: &Identification, window_bits: u32) -> usize {
    3 * identification.msm_result_points(window_bits)
}

impl Logic for WindowTable {
    #[hdl_gen]
    fn update(&mut self) {
        self.entry.next = 0.into();
        if self.window_bits.val() <= self.largest.val() {
            self.entry.next = self.entries.val() >> (bit_cast::<16, 8>(self.window_bits.val()) << 5);
        }
        self.result_beats.next = bit_cast::<32, 16>(self.entry.val().get_bits::<16>(0));
        self.choice.next = self.entry.val().get_bits::<4>(16);
        self.offered.next = self.entry.val().get_bit(20);
    }
}
