//! MSI-X: table, pending bits, messages.

use rust_hdl::prelude::*;
use spandrel_abi::{MSIX_PBA_OFFSET, MSIX_TABLE_OFFSET};

/// One vector: its entry of the table and its pending bit.
#[derive(LogicBlock, Default)]
pub struct MsixVector {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Masks the vector and clears all else.
    pub reset: Signal<In, Bit>,
    /// DWORD of the entry: address low, address high, data, control.
    pub word: Signal<In, Bits<2>>,
    /// The DWORD is written in this cycle.
    pub write: Signal<In, Bit>,
    /// Data of the write.
    pub data: Signal<In, Bits<32>>,
    /// Bits that the write changes.
    pub mask: Signal<In, Bits<32>>,
    /// Value of the DWORD, combinational.
    pub value: Signal<Out, Bits<32>>,
    /// The cause happened in this cycle.
    pub raise: Signal<In, Bit>,
    /// The message left in this cycle.
    pub sent: Signal<In, Bit>,
    /// A message is to be sent, as soon as it may.
    pub pending: Signal<Out, Bit>,
    /// A message is to be sent and the vector is not masked.
    pub wanted: Signal<Out, Bit>,
    /// Address of the message.
    pub message_address: Signal<Out, Bits<64>>,
    /// Data of the message.
    pub message_data: Signal<Out, Bits<32>>,
    address_low: DFF<Bits<32>>,
    address_high: DFF<Bits<32>>,
    payload: DFF<Bits<32>>,
    unmasked: DFF<Bit>,
    waits: DFF<Bit>,
}

impl Logic for MsixVector {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, address_low, address_high, payload, unmasked, waits);
        self.pending.next = self.waits.q.val();
        self.wanted.next = self.waits.q.val() & self.unmasked.q.val();
        self.message_address.next = bit_cast::<64, 32>(self.address_low.q.val())
            | (bit_cast::<64, 32>(self.address_high.q.val()) << 32);
        self.message_data.next = self.payload.q.val();
        self.value.next = self.address_low.q.val();
        if self.word.val() == 1 {
            self.value.next = self.address_high.q.val();
        }
        if self.word.val() == 2 {
            self.value.next = self.payload.q.val();
        }
        if self.word.val() == 3 {
            self.value.next = 1.into();
            if self.unmasked.q.val() {
                self.value.next = 0.into();
            }
        }
        if self.write.val() {
            if self.word.val() == 0 {
                self.address_low.d.next = ((self.address_low.q.val() & !self.mask.val())
                    | (self.data.val() & self.mask.val()))
                    & 0xffff_fffc_u64;
            }
            if self.word.val() == 1 {
                self.address_high.d.next =
                    (self.address_high.q.val() & !self.mask.val()) | (self.data.val() & self.mask.val());
            }
            if self.word.val() == 2 {
                self.payload.d.next =
                    (self.payload.q.val() & !self.mask.val()) | (self.data.val() & self.mask.val());
            }
            if (self.word.val() == 3) & self.mask.val().get_bit(0) {
                self.unmasked.d.next = !self.data.val().get_bit(0);
            }
        }
        if self.sent.val() {
            self.waits.d.next = false;
        }
        if self.raise.val() {
            self.waits.d.next = true;
        }
        if self.reset.val() {
            self.address_low.d.next = 0.into();
            self.address_high.d.next = 0.into();
            self.payload.d.next = 0.into();
            self.unmasked.d.next = false;
            self.waits.d.next = false;
        }
    }
}

/// Two vectors in the third 4 KiB of the BAR, their pending bits in the fourth; vector 0 goes first.
///
/// A message is offered two cycles after its cause, and withdrawn if it is masked before it is taken; it leaves on RQ
/// four cycles after its cause if nothing is in its way.
#[derive(LogicBlock)]
pub struct Msix {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Masks all vectors and clears all else.
    pub reset: Signal<In, Bit>,
    /// Byte address within the BAR.
    pub address: Signal<In, Bits<14>>,
    /// The register at `address` is written in this cycle.
    pub write: Signal<In, Bit>,
    /// Data of the write.
    pub data: Signal<In, Bits<32>>,
    /// Bits that the write changes.
    pub mask: Signal<In, Bits<32>>,
    /// Value at `address`, combinational; 0 where neither table nor pending bits are.
    pub value: Signal<Out, Bits<32>>,
    /// Causes of this cycle, a bit for each vector.
    pub causes: Signal<In, Bits<2>>,
    /// Messages may be sent: enabled, function not masked, bus master.
    pub enable: Signal<In, Bit>,
    /// Address of the message.
    pub message_address: Signal<Out, Bits<64>>,
    /// Data of the message.
    pub message_data: Signal<Out, Bits<32>>,
    /// A message is offered.
    pub message_valid: Signal<Out, Bit>,
    /// The message leaves.
    pub message_ready: Signal<In, Bit>,
    first: MsixVector,
    second: MsixVector,
    first_selected: Signal<Local, Bit>,
    second_selected: Signal<Local, Bit>,
    chosen: DFF<Bits<2>>,
    sent: Signal<Local, Bit>,
    first_at: Constant<Bits<14>>,
    second_at: Constant<Bits<14>>,
    pending_at: Constant<Bits<14>>,
    entry_mask: Constant<Bits<14>>,
}

impl Default for Msix {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            address: Default::default(),
            write: Default::default(),
            data: Default::default(),
            mask: Default::default(),
            value: Default::default(),
            causes: Default::default(),
            enable: Default::default(),
            message_address: Default::default(),
            message_data: Default::default(),
            message_valid: Default::default(),
            message_ready: Default::default(),
            first: Default::default(),
            second: Default::default(),
            first_selected: Default::default(),
            second_selected: Default::default(),
            chosen: Default::default(),
            sent: Default::default(),
            first_at: Constant::new(u64::from(MSIX_TABLE_OFFSET).into()),
            second_at: Constant::new(u64::from(MSIX_TABLE_OFFSET + 16).into()),
            pending_at: Constant::new(u64::from(MSIX_PBA_OFFSET).into()),
            entry_mask: Constant::new(0x3ff0u64.into()),
        }
    }
}

impl Logic for Msix {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, chosen);
        clock!(self, clock, first, second);
        self.first.reset.next = self.reset.val();
        self.second.reset.next = self.reset.val();
        self.first_selected.next = (self.address.val() & self.entry_mask.val()) == self.first_at.val();
        self.second_selected.next = (self.address.val() & self.entry_mask.val()) == self.second_at.val();
        self.first.word.next = self.address.val().get_bits::<2>(2);
        self.second.word.next = self.address.val().get_bits::<2>(2);
        self.first.data.next = self.data.val();
        self.second.data.next = self.data.val();
        self.first.mask.next = self.mask.val();
        self.second.mask.next = self.mask.val();
        self.first.write.next = self.write.val() & self.first_selected.val();
        self.second.write.next = self.write.val() & self.second_selected.val();
        self.value.next = 0.into();
        if self.first_selected.val() {
            self.value.next = self.first.value.val();
        }
        if self.second_selected.val() {
            self.value.next = self.second.value.val();
        }
        if self.address.val() == self.pending_at.val() {
            if self.first.pending.val() {
                self.value.next = 1.into();
                if self.second.pending.val() {
                    self.value.next = 3.into();
                }
            } else {
                if self.second.pending.val() {
                    self.value.next = 2.into();
                }
            }
        }
        self.first.raise.next = self.causes.val().get_bit(0);
        self.second.raise.next = self.causes.val().get_bit(1);

        // 0: no vector is chosen; 1, 2: the first, the second.
        self.message_address.next = self.first.message_address.val();
        self.message_data.next = self.first.message_data.val();
        self.message_valid.next = self.enable.val() & (self.chosen.q.val() == 1) & self.first.wanted.val();
        if self.chosen.q.val() == 2 {
            self.message_address.next = self.second.message_address.val();
            self.message_data.next = self.second.message_data.val();
            self.message_valid.next = self.enable.val() & self.second.wanted.val();
        }
        self.sent.next = self.message_valid.val() & self.message_ready.val();
        self.first.sent.next = self.sent.val() & (self.chosen.q.val() == 1);
        self.second.sent.next = self.sent.val() & (self.chosen.q.val() == 2);
        if self.chosen.q.val() == 0 {
            if self.enable.val() & self.second.wanted.val() {
                self.chosen.d.next = 2.into();
            }
            if self.enable.val() & self.first.wanted.val() {
                self.chosen.d.next = 1.into();
            }
        } else {
            if self.sent.val() | !self.message_valid.val() {
                self.chosen.d.next = 0.into();
            }
        }
        if self.reset.val() {
            self.chosen.d.next = 0.into();
        }
    }
}
