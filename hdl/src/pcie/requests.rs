//! From reads, writes and messages to one stream of packets.

use rust_hdl::prelude::*;

/// Puts read requests, write packets and MSI-X messages into one stream, packet by packet.
///
/// The stream has beats of 256 bits: four DWORDs of descriptor, then payload. A message goes as soon as the writes that
/// were accepted before it was offered have gone, before all else; reads and writes alternate where both wait. A read
/// takes one cycle, a message one, a write of n beats n + 1 cycles; a packet's beats follow each other without a gap
/// as long as `out_ready` is high.
#[derive(LogicBlock, Default)]
pub struct Requests {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets a packet that has begun.
    pub reset: Signal<In, Bit>,
    /// Address of a read request.
    pub read_address: Signal<In, Bits<64>>,
    /// Beats of 256 bits that it asks for.
    pub read_beats: Signal<In, Bits<5>>,
    /// Its tag.
    pub read_tag: Signal<In, Bits<8>>,
    /// A read request is offered.
    pub read_valid: Signal<In, Bit>,
    /// The read request goes.
    pub read_ready: Signal<Out, Bit>,
    /// Address of a write packet.
    pub write_address: Signal<In, Bits<64>>,
    /// Beats of its payload.
    pub write_beats: Signal<In, Bits<6>>,
    /// A write packet is offered.
    pub write_valid: Signal<In, Bit>,
    /// The write packet begins.
    pub write_ready: Signal<Out, Bit>,
    /// Its payload.
    pub write_payload: Signal<In, Bits<256>>,
    /// The beat of payload is taken.
    pub write_take: Signal<Out, Bit>,
    /// Write bursts accepted, modulo 256.
    pub writes_accepted: Signal<In, Bits<8>>,
    /// Write bursts that have gone, modulo 256.
    pub writes_finished: Signal<In, Bits<8>>,
    /// Address of a message.
    pub message_address: Signal<In, Bits<64>>,
    /// Data of a message.
    pub message_data: Signal<In, Bits<32>>,
    /// A message is offered.
    pub message_valid: Signal<In, Bit>,
    /// The message goes.
    pub message_ready: Signal<Out, Bit>,
    /// A beat of the stream.
    pub out_data: Signal<Out, Bits<256>>,
    /// Its DWORDs that exist.
    pub out_keep: Signal<Out, Bits<8>>,
    /// Last beat of a packet.
    pub out_last: Signal<Out, Bit>,
    /// First beat of a packet.
    pub out_first: Signal<Out, Bit>,
    /// With the first beat: the packet's payload is of one DWORD.
    pub out_single: Signal<Out, Bit>,
    /// A beat is offered.
    pub out_valid: Signal<Out, Bit>,
    /// The beat is taken.
    pub out_ready: Signal<In, Bit>,
    /// Packets that have gone, modulo 256, with the write packet that is going or begins.
    pub queued: Signal<Out, Bits<8>>,
    payload: DFF<Bit>,
    carry: DFF<Bits<128>>,
    left: DFF<Bits<6>>,
    wrote: DFF<Bit>,
    packets: DFF<Bits<8>>,
    message_waits: DFF<Bit>,
    barrier: DFF<Bits<8>>,
    behind: Signal<Local, Bits<8>>,
    message: Signal<Local, Bit>,
    write: Signal<Local, Bit>,
    read: Signal<Local, Bit>,
    head: Signal<Local, Bits<128>>,
    dwords: Signal<Local, Bits<11>>,
    ends: Signal<Local, Bit>,
}

impl Logic for Requests {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, payload, carry, left, wrote, packets, message_waits, barrier);

        // A message waits for the bursts accepted up to the cycle in which it was first offered.
        self.behind.next = self.writes_finished.val() - self.barrier.q.val();
        if self.message_valid.val() {
            if !self.message_waits.q.val() {
                self.message_waits.d.next = true;
                self.barrier.d.next = self.writes_accepted.val();
            }
        } else {
            self.message_waits.d.next = false;
        }
        self.message.next = !self.payload.q.val()
            & self.message_valid.val()
            & self.message_waits.q.val()
            & !self.behind.val().get_bit(7);
        self.write.next = !self.payload.q.val()
            & !self.message.val()
            & self.write_valid.val()
            & (!self.read_valid.val() | !self.wrote.q.val());
        self.read.next = !self.payload.q.val()
            & !self.message.val()
            & self.read_valid.val()
            & (!self.write_valid.val() | self.wrote.q.val());
        self.message_ready.next = self.message.val() & self.out_ready.val();
        self.write_ready.next = self.write.val() & self.out_ready.val();
        self.read_ready.next = self.read.val() & self.out_ready.val();
        if self.message.val() & self.out_ready.val() {
            self.message_waits.d.next = false;
        }

        // Memory write: type 1; memory read: type 0.
        self.dwords.next = bit_cast::<11, 5>(self.read_beats.val()) << 3;
        self.head.next = bit_cast::<128, 64>(self.read_address.val())
            | (bit_cast::<128, 11>(self.dwords.val()) << 64)
            | (bit_cast::<128, 8>(self.read_tag.val()) << 96);
        if self.write.val() {
            self.dwords.next = bit_cast::<11, 6>(self.write_beats.val()) << 3;
            self.head.next = bit_cast::<128, 64>(self.write_address.val())
                | (bit_cast::<128, 11>(self.dwords.val()) << 64)
                | (bit_cast::<128, 1>(1.into()) << 75);
        }
        if self.message.val() {
            self.head.next = bit_cast::<128, 64>(self.message_address.val())
                | (bit_cast::<128, 1>(1.into()) << 64)
                | (bit_cast::<128, 1>(1.into()) << 75);
        }
        self.out_data.next = bit_cast::<256, 128>(self.head.val());
        self.out_keep.next = 0x0f.into();
        self.out_last.next = self.read.val();
        self.out_first.next = !self.payload.q.val();
        self.out_single.next = self.message.val();
        self.out_valid.next = self.payload.q.val() | self.message.val() | self.write.val() | self.read.val();
        self.write_take.next = false;
        if self.message.val() {
            self.out_data.next =
                bit_cast::<256, 128>(self.head.val()) | (bit_cast::<256, 32>(self.message_data.val()) << 128);
            self.out_keep.next = 0x1f.into();
            self.out_last.next = true;
        }
        if self.write.val() {
            self.out_data.next = bit_cast::<256, 128>(self.head.val())
                | (bit_cast::<256, 128>(self.write_payload.val().get_bits::<128>(0)) << 128);
            self.out_keep.next = 0xff.into();
            self.write_take.next = self.out_ready.val();
            if self.out_ready.val() {
                self.payload.d.next = true;
                self.carry.d.next = self.write_payload.val().get_bits::<128>(128);
                self.left.d.next = self.write_beats.val() - 1;
                self.wrote.d.next = true;
            }
        }
        if self.read.val() & self.out_ready.val() {
            self.wrote.d.next = false;
        }
        if self.payload.q.val() {
            self.out_data.next = bit_cast::<256, 128>(self.carry.q.val());
            self.out_last.next = self.left.q.val() == 0;
            if self.left.q.val() == 0 {
                if self.out_ready.val() {
                    self.payload.d.next = false;
                }
            } else {
                self.out_data.next = bit_cast::<256, 128>(self.carry.q.val())
                    | (bit_cast::<256, 128>(self.write_payload.val().get_bits::<128>(0)) << 128);
                self.out_keep.next = 0xff.into();
                self.write_take.next = self.out_ready.val();
                if self.out_ready.val() {
                    self.carry.d.next = self.write_payload.val().get_bits::<128>(128);
                    self.left.d.next = self.left.q.val() - 1;
                }
            }
        }
        self.ends.next = self.out_valid.val() & self.out_last.val() & self.out_ready.val();
        self.queued.next = self.packets.q.val();
        if self.payload.q.val() | (self.write.val() & self.out_ready.val()) {
            self.queued.next = self.packets.q.val() + 1;
        }
        if self.ends.val() {
            self.packets.d.next = self.packets.q.val() + 1;
        }
        if self.reset.val() {
            self.payload.d.next = false;
            self.left.d.next = 0.into();
            self.wrote.d.next = false;
            self.packets.d.next = 0.into();
            self.message_waits.d.next = false;
        }
    }
}
