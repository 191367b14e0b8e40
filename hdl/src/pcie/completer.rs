//! From requests of the host to register accesses, and back to completions.

use rust_hdl::prelude::*;

/// Serves memory requests to the card's BAR, one at a time.
///
/// A request comes as the first 256 bits of its packet on CQ: four DWORDs of descriptor, then data. Reads and writes of
/// one or two DWORDs in BAR 0 become register accesses, low DWORD first; a DWORD without byte enables is not accessed
/// and reads as zero, which also answers a read of no bytes. Everything else is refused: what is posted (writes longer
/// than 8 bytes, messages, data that the hard block took back) is dropped, the rest is answered with the status
/// Unsupported Request and what the hard block's error log wants to know of the request.
///
/// A read of one DWORD of the endpoint's own registers is answered on CC [`Completer::LATENCY`] cycles after its packet
/// was taken from CQ; a second DWORD takes one cycle more, and a register of the card
/// as long as its bus.
#[derive(LogicBlock, Default)]
pub struct Completer {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the request.
    pub reset: Signal<In, Bit>,
    /// First 256 bits of a beat of CQ.
    pub request_data: Signal<In, Bits<256>>,
    /// Byte enables of the first DWORD, with the first beat.
    pub request_first_be: Signal<In, Bits<4>>,
    /// Byte enables of the last DWORD, with the first beat.
    pub request_last_be: Signal<In, Bits<4>>,
    /// The packet's data are not to be used, with any beat.
    pub request_discontinue: Signal<In, Bit>,
    /// Last beat of the packet.
    pub request_last: Signal<In, Bit>,
    /// A beat is offered.
    pub request_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub request_ready: Signal<Out, Bit>,
    /// The access is a write.
    pub access_write: Signal<Out, Bit>,
    /// Byte address within the BAR, a multiple of four.
    pub access_address: Signal<Out, Bits<14>>,
    /// Data of a write.
    pub access_data: Signal<Out, Bits<32>>,
    /// Bytes of the access.
    pub access_strobes: Signal<Out, Bits<4>>,
    /// An access is wanted; it stands until `access_done`.
    pub access_valid: Signal<Out, Bit>,
    /// The access happened.
    pub access_done: Signal<In, Bit>,
    /// Value read, with `access_done`.
    pub access_value: Signal<In, Bits<32>>,
    /// A completion: three DWORDs of descriptor, then data.
    pub completion_data: Signal<Out, Bits<256>>,
    /// DWORDs of the completion that exist.
    pub completion_keep: Signal<Out, Bits<8>>,
    /// A completion is offered.
    pub completion_valid: Signal<Out, Bit>,
    /// The completion is taken.
    pub completion_ready: Signal<In, Bit>,
    /// A request was refused in this cycle.
    pub refused: Signal<Out, Bit>,
    /// 0 idle, 1 dropping the packet's other beats, 2 deciding, 3 low DWORD, 4 high DWORD, 5 answering.
    state: DFF<Bits<3>>,
    head: DFF<Bits<256>>,
    first_be: DFF<Bits<4>>,
    last_be: DFF<Bits<4>>,
    discontinued: DFF<Bit>,
    unsupported: DFF<Bit>,
    low: DFF<Bits<32>>,
    high: DFF<Bits<32>>,
    kind: Signal<Local, Bits<4>>,
    dwords: Signal<Local, Bits<11>>,
    bar: Signal<Local, Bits<3>>,
    is_read: Signal<Local, Bit>,
    is_write: Signal<Local, Bit>,
    is_short: Signal<Local, Bit>,
    posted: Signal<Local, Bit>,
    served: Signal<Local, Bit>,
    low_address: Signal<Local, Bits<14>>,
    low_done: Signal<Local, Bit>,
    high_done: Signal<Local, Bit>,
    before: Signal<Local, Bits<13>>,
    tail_be: Signal<Local, Bits<4>>,
    after: Signal<Local, Bits<13>>,
    byte_count: Signal<Local, Bits<13>>,
    lower_address: Signal<Local, Bits<7>>,
    payload: Signal<Local, Bits<160>>,
    word0: Signal<Local, Bits<32>>,
    word1: Signal<Local, Bits<32>>,
    word2: Signal<Local, Bits<32>>,
}

impl Completer {
    /// Cycles from a read of one of the endpoint's registers on CQ to its completion on CC.
    pub const LATENCY: usize = 4;
}

impl Logic for Completer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, head, first_be, last_be, discontinued, unsupported, low, high);

        self.kind.next = self.head.q.val().get_bits::<4>(75);
        self.dwords.next = self.head.q.val().get_bits::<11>(64);
        self.bar.next = self.head.q.val().get_bits::<3>(112);
        self.is_read.next = self.kind.val() == 0;
        self.is_write.next = self.kind.val() == 1;
        self.is_short.next = (self.dwords.val() == 1) | (self.dwords.val() == 2);
        self.posted.next = self.is_write.val() | (self.kind.val() >= 12);
        self.served.next = (self.is_read.val() | (self.is_write.val() & !self.discontinued.q.val()))
            & self.is_short.val()
            & (self.bar.val() == 0);

        // Byte count and lower address: from the first enabled byte to the last one.
        self.before.next = 0.into();
        if !self.first_be.q.val().get_bit(0) {
            self.before.next = 1.into();
            if !self.first_be.q.val().get_bit(1) {
                self.before.next = 2.into();
                if !self.first_be.q.val().get_bit(2) {
                    self.before.next = 3.into();
                }
            }
        }
        self.tail_be.next = self.last_be.q.val();
        if self.dwords.val() == 1 {
            self.tail_be.next = self.first_be.q.val();
        }
        self.after.next = 0.into();
        if !self.tail_be.val().get_bit(3) {
            self.after.next = 1.into();
            if !self.tail_be.val().get_bit(2) {
                self.after.next = 2.into();
                if !self.tail_be.val().get_bit(1) {
                    self.after.next = 3.into();
                }
            }
        }
        if self.first_be.q.val() == 0 {
            self.before.next = 0.into();
        }
        self.byte_count.next =
            (bit_cast::<13, 11>(self.dwords.val()) << 2) - self.before.val() - self.after.val();
        self.lower_address.next = (bit_cast::<7, 5>(self.head.q.val().get_bits::<5>(2)) << 2)
            | bit_cast::<7, 13>(self.before.val());
        // What is no memory read counts four bytes from address 0.
        if (self.kind.val() != 0) & (self.kind.val() != 7) {
            self.byte_count.next = 4.into();
            self.lower_address.next = 0.into();
        }

        self.word0.next = bit_cast::<32, 7>(self.lower_address.val())
            | (bit_cast::<32, 2>(self.head.q.val().get_bits::<2>(0)) << 8)
            | (bit_cast::<32, 13>(self.byte_count.val()) << 16);
        if self.kind.val() == 7 {
            self.word0.next = bit_cast::<32, 7>(self.lower_address.val())
                | (bit_cast::<32, 2>(self.head.q.val().get_bits::<2>(0)) << 8)
                | (bit_cast::<32, 13>(self.byte_count.val()) << 16)
                | 0x2000_0000;
        }
        // DWORDs and status (0 successful, 1 unsupported request), requester.
        self.word1.next = bit_cast::<32, 11>(self.dwords.val())
            | (bit_cast::<32, 16>(self.head.q.val().get_bits::<16>(80)) << 16);
        self.payload.next =
            bit_cast::<160, 32>(self.low.q.val()) | (bit_cast::<160, 32>(self.high.q.val()) << 32);
        self.completion_keep.next = 0x0f.into();
        if self.dwords.val() == 2 {
            self.completion_keep.next = 0x1f.into();
        }
        if self.unsupported.q.val() {
            self.word1.next = (bit_cast::<32, 16>(self.head.q.val().get_bits::<16>(80)) << 16) | 0x800;
            self.payload.next = bit_cast::<160, 4>(self.first_be.q.val())
                | (bit_cast::<160, 4>(self.last_be.q.val()) << 4)
                | (bit_cast::<160, 128>(self.head.q.val().get_bits::<128>(0)) << 32);
            self.completion_keep.next = 0xff.into();
        }
        // Tag, function, traffic class, attributes.
        self.word2.next = bit_cast::<32, 16>(self.head.q.val().get_bits::<16>(96))
            | (bit_cast::<32, 3>(self.head.q.val().get_bits::<3>(121)) << 25)
            | (bit_cast::<32, 3>(self.head.q.val().get_bits::<3>(124)) << 28);
        self.completion_data.next = bit_cast::<256, 32>(self.word0.val())
            | (bit_cast::<256, 32>(self.word1.val()) << 32)
            | (bit_cast::<256, 32>(self.word2.val()) << 64)
            | (bit_cast::<256, 160>(self.payload.val()) << 96);
        self.completion_valid.next = self.state.q.val() == 5;

        self.low_address.next = self.head.q.val().get_bits::<14>(0);
        self.access_write.next = self.is_write.val();
        self.access_address.next = self.low_address.val() & 0x3ffc;
        self.access_data.next = self.head.q.val().get_bits::<32>(128);
        self.access_strobes.next = self.first_be.q.val();
        if self.state.q.val() == 4 {
            self.access_address.next = (self.low_address.val() & 0x3ffc) + 4;
            self.access_data.next = self.head.q.val().get_bits::<32>(160);
            self.access_strobes.next = self.last_be.q.val();
        }
        self.access_valid.next = ((self.state.q.val() == 3) & (self.first_be.q.val() != 0))
            | ((self.state.q.val() == 4) & (self.last_be.q.val() != 0));
        self.low_done.next =
            (self.state.q.val() == 3) & (self.access_done.val() | (self.first_be.q.val() == 0));
        self.high_done.next =
            (self.state.q.val() == 4) & (self.access_done.val() | (self.last_be.q.val() == 0));

        self.request_ready.next = (self.state.q.val() == 0) | (self.state.q.val() == 1);
        self.refused.next = false;
        if (self.state.q.val() == 0) & self.request_valid.val() {
            self.head.d.next = self.request_data.val();
            self.first_be.d.next = self.request_first_be.val();
            self.last_be.d.next = self.request_last_be.val();
            self.discontinued.d.next = self.request_discontinue.val();
            self.low.d.next = 0.into();
            self.high.d.next = 0.into();
            self.state.d.next = 1.into();
            if self.request_last.val() {
                self.state.d.next = 2.into();
            }
        }
        if (self.state.q.val() == 1) & self.request_valid.val() {
            if self.request_discontinue.val() {
                self.discontinued.d.next = true;
            }
            if self.request_last.val() {
                self.state.d.next = 2.into();
            }
        }
        if self.state.q.val() == 2 {
            self.unsupported.d.next = !self.served.val();
            self.refused.next = !self.served.val();
            self.state.d.next = 3.into();
            if !self.served.val() {
                self.state.d.next = 5.into();
                if self.posted.val() {
                    self.state.d.next = 0.into();
                }
            }
        }
        if self.low_done.val() {
            self.state.d.next = 5.into();
            if self.is_write.val() {
                self.state.d.next = 0.into();
            }
            if self.dwords.val() == 2 {
                self.state.d.next = 4.into();
            }
            if self.first_be.q.val() != 0 {
                self.low.d.next = self.access_value.val();
            }
        }
        if self.high_done.val() {
            self.state.d.next = 5.into();
            if self.is_write.val() {
                self.state.d.next = 0.into();
            }
            if self.last_be.q.val() != 0 {
                self.high.d.next = self.access_value.val();
            }
        }
        if (self.state.q.val() == 5) & self.completion_ready.val() {
            self.state.d.next = 0.into();
        }
        if self.reset.val() {
            self.state.d.next = 0.into();
        }
    }
}
