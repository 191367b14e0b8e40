//! Why a command is refused.

use super::Canonical;
use crate::datapath::DatapathConfig;
use rust_hdl::prelude::*;
use spandrel_abi::Status;

/// Looks at the elements of a command as they pass, and keeps the first reason to refuse it.
///
/// A reason is kept [`Refusal::latency`] cycles after the element that it is about was taken.
#[derive(LogicBlock)]
pub struct Refusal {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: a new command.
    pub start: Signal<In, Bit>,
    /// The command is running: only now is there a reason.
    pub running: Signal<In, Bit>,
    /// A beat of the host.
    pub host_data: Signal<In, Bits<256>>,
    /// `host_data` is an element, and is taken.
    pub host_valid: Signal<In, Bit>,
    /// A line of card memory.
    pub card_data: Signal<In, Bits<512>>,
    /// `card_data` is two elements that nobody has looked at, and is taken.
    pub card_valid: Signal<In, Bit>,
    /// The tree does not fit card memory.
    pub too_large: Signal<In, Bit>,
    /// An index is past the tree, or out of order.
    pub bad_index: Signal<In, Bit>,
    /// `spandrel_abi::Status` of the first reason, 0 while there is none; stands until the next start.
    pub status: Signal<Out, Bits<8>>,
    host_check: Canonical,
    low_check: Canonical,
    high_check: Canonical,
    reason: DFF<Bits<8>>,
    cause: Signal<Local, Bits<8>>,
    out_of_range: Constant<Bits<8>>,
    not_canonical: Constant<Bits<8>>,
    wrong_index: Constant<Bits<8>>,
    _latency: usize,
}

impl Refusal {
    /// The block, with checks in the shape of a board.
    pub fn new(config: &DatapathConfig) -> Refusal {
        let check = || Canonical::new(config);
        let code = |status: Status| Constant::new((status as u64).into());
        Refusal {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            running: Default::default(),
            host_data: Default::default(),
            host_valid: Default::default(),
            card_data: Default::default(),
            card_valid: Default::default(),
            too_large: Default::default(),
            bad_index: Default::default(),
            status: Default::default(),
            host_check: check(),
            low_check: check(),
            high_check: check(),
            reason: Default::default(),
            cause: Default::default(),
            out_of_range: code(Status::CardAddressOutOfRange),
            not_canonical: code(Status::NotCanonical),
            wrong_index: code(Status::BadIndex),
            _latency: check().latency() + 1,
        }
    }

    /// Cycles from an element to the reason that it gives.
    pub fn latency(&self) -> usize {
        self._latency
    }
}

impl Logic for Refusal {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, reason);
        clock!(self, clock, host_check, low_check, high_check);
        self.host_check.element.next = self.host_data.val();
        self.host_check.valid_in.next = self.host_valid.val();
        self.low_check.element.next = self.card_data.val().get_bits::<256>(0);
        self.low_check.valid_in.next = self.card_valid.val();
        self.high_check.element.next = self.card_data.val().get_bits::<256>(256);
        self.high_check.valid_in.next = self.card_valid.val();
        self.cause.next = 0.into();
        if self.host_check.refused.val() | self.low_check.refused.val() | self.high_check.refused.val() {
            self.cause.next = self.not_canonical.val();
        }
        if self.bad_index.val() {
            self.cause.next = self.wrong_index.val();
        }
        if self.too_large.val() {
            self.cause.next = self.out_of_range.val();
        }
        if !self.reason.q.val().any() & self.running.val() {
            self.reason.d.next = self.cause.val();
        }
        self.status.next = self.reason.q.val();
        if self.start.val() | self.reset.val() {
            self.reason.d.next = 0.into();
        }
    }
}
