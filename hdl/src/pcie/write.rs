//! From AXI4 writes to packets.

use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Takes write bursts and cuts them into packets of at most the largest payload, each offered when all of it is here.
///
/// Bursts are of 256-bit beats, aligned, and stay within 4 KiB, so packets do too. A packet in which a beat lacks byte
/// strobes (what a master sends after an abort) is swallowed, as is every packet while the card is no bus master; that
/// burst is then answered SLVERR. A burst is answered when its last packet has left the endpoint.
///
/// A packet of n beats takes n + 1 cycles, as it does on the stream, whose first beat has the header.
#[derive(LogicBlock)]
pub struct WriteRequests {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus.
    pub reset: Signal<In, Bit>,
    /// Largest payload: 128 bytes shifted by this.
    pub max_payload: Signal<In, Bits<2>>,
    /// The host lets the card access its memory.
    pub bus_master: Signal<In, Bit>,
    /// AXI write address.
    pub awaddr: Signal<In, Bits<64>>,
    /// AXI burst length minus one.
    pub awlen: Signal<In, Bits<8>>,
    /// AXI write address valid.
    pub awvalid: Signal<In, Bit>,
    /// AXI write address ready.
    pub awready: Signal<Out, Bit>,
    /// AXI write data.
    pub wdata: Signal<In, Bits<256>>,
    /// AXI byte strobes.
    pub wstrb: Signal<In, Bits<32>>,
    /// AXI write data valid.
    pub wvalid: Signal<In, Bit>,
    /// AXI write data ready.
    pub wready: Signal<Out, Bit>,
    /// AXI write response.
    pub bresp: Signal<Out, Bits<2>>,
    /// AXI write response valid.
    pub bvalid: Signal<Out, Bit>,
    /// AXI write response ready.
    pub bready: Signal<In, Bit>,
    /// Address of the packet.
    pub packet_address: Signal<Out, Bits<64>>,
    /// Beats of the packet's payload, 1 to 32.
    pub packet_beats: Signal<Out, Bits<6>>,
    /// A packet is offered, with all its payload.
    pub packet_valid: Signal<Out, Bit>,
    /// The packet begins.
    pub packet_ready: Signal<In, Bit>,
    /// Payload, from the cycle in which the packet begins.
    pub payload: Signal<Out, Bits<256>>,
    /// The beat of payload is taken.
    pub take: Signal<In, Bit>,
    /// Bursts whose address was taken, modulo 256.
    pub accepted: Signal<Out, Bits<8>>,
    /// Bursts all of whose packets were taken or swallowed, modulo 256.
    pub finished: Signal<Out, Bits<8>>,
    /// Packets that were put into the endpoint's RQ stream, modulo 256.
    pub queued: Signal<In, Bits<8>>,
    /// Packets that have left by the endpoint's RQ stream, modulo 256.
    pub sent: Signal<In, Bits<8>>,
    /// No burst is under way.
    pub idle: Signal<Out, Bit>,
    data: Fifo<256>,
    packets: Fifo<80>,
    answers: Fifo<16>,
    address: DFF<Bits<64>>,
    left: DFF<Bits<16>>,
    open: DFF<Bit>,
    planned: DFF<Bit>,
    segment: DFF<Bits<8>>,
    segment_left: DFF<Bits<8>>,
    bad: DFF<Bit>,
    accepts: DFF<Bits<8>>,
    finishes: DFF<Bits<8>>,
    sending: DFF<Bit>,
    swallowing: DFF<Bit>,
    to_take: DFF<Bits<6>>,
    denied: DFF<Bit>,
    largest: Signal<Local, Bits<8>>,
    beat: Signal<Local, Bit>,
    beat_bad: Signal<Local, Bit>,
    end_segment: Signal<Local, Bit>,
    flags: Signal<Local, Bits<80>>,
    swallow: Signal<Local, Bit>,
    free: Signal<Local, Bit>,
    begin_packet: Signal<Local, Bit>,
    pop: Signal<Local, Bit>,
    end_packet: Signal<Local, Bit>,
    beats: Signal<Local, Bits<6>>,
    now_denied: Signal<Local, Bit>,
    answer: Signal<Local, Bits<16>>,
    passed: Signal<Local, Bits<8>>,
    all_bytes: Constant<Bits<32>>,
}

impl Default for WriteRequests {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            max_payload: Default::default(),
            bus_master: Default::default(),
            awaddr: Default::default(),
            awlen: Default::default(),
            awvalid: Default::default(),
            awready: Default::default(),
            wdata: Default::default(),
            wstrb: Default::default(),
            wvalid: Default::default(),
            wready: Default::default(),
            bresp: Default::default(),
            bvalid: Default::default(),
            bready: Default::default(),
            packet_address: Default::default(),
            packet_beats: Default::default(),
            packet_valid: Default::default(),
            packet_ready: Default::default(),
            payload: Default::default(),
            take: Default::default(),
            accepted: Default::default(),
            finished: Default::default(),
            queued: Default::default(),
            sent: Default::default(),
            idle: Default::default(),
            // Four of the largest packets.
            data: Fifo::new(128),
            packets: Fifo::new(32),
            answers: Fifo::new(16),
            address: Default::default(),
            left: Default::default(),
            open: Default::default(),
            planned: Default::default(),
            segment: Default::default(),
            segment_left: Default::default(),
            bad: Default::default(),
            accepts: Default::default(),
            finishes: Default::default(),
            sending: Default::default(),
            swallowing: Default::default(),
            to_take: Default::default(),
            denied: Default::default(),
            largest: Default::default(),
            beat: Default::default(),
            beat_bad: Default::default(),
            end_segment: Default::default(),
            flags: Default::default(),
            swallow: Default::default(),
            free: Default::default(),
            begin_packet: Default::default(),
            pop: Default::default(),
            end_packet: Default::default(),
            beats: Default::default(),
            now_denied: Default::default(),
            answer: Default::default(),
            passed: Default::default(),
            all_bytes: Constant::new(Bits::<32>::mask()),
        }
    }
}

impl Logic for WriteRequests {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, address, left, open, planned, segment, segment_left, bad);
        dff_setup!(self, clock, accepts, finishes, sending, swallowing, to_take, denied);
        clock!(self, clock, data, packets, answers);
        self.data.reset.next = self.reset.val();
        self.packets.reset.next = self.reset.val();
        self.answers.reset.next = self.reset.val();

        // A burst, cut into segments: one cycle to plan each.
        self.largest.next = 4.into();
        if self.max_payload.val() == 1 {
            self.largest.next = 8.into();
        }
        if self.max_payload.val() == 2 {
            self.largest.next = 16.into();
        }
        if self.max_payload.val() == 3 {
            self.largest.next = 32.into();
        }
        if self.open.q.val() & !self.planned.q.val() {
            self.planned.d.next = true;
            self.bad.d.next = false;
            self.segment.d.next = self.largest.val();
            self.segment_left.d.next = self.largest.val();
            if self.left.q.val() < bit_cast::<16, 8>(self.largest.val()) {
                self.segment.d.next = self.left.q.val().get_bits::<8>(0);
                self.segment_left.d.next = self.left.q.val().get_bits::<8>(0);
            }
        }
        self.wready.next = self.planned.q.val() & self.data.in_ready.val() & self.packets.in_ready.val();
        self.beat.next =
            self.wvalid.val() & self.planned.q.val() & self.data.in_ready.val() & self.packets.in_ready.val();
        self.beat_bad.next = self.bad.q.val() | (self.wstrb.val() != self.all_bytes.val());
        self.end_segment.next = self.beat.val() & (self.segment_left.q.val() == 1);
        self.data.in_data.next = self.wdata.val();
        self.data.in_valid.next = self.beat.val();
        if self.beat.val() {
            self.left.d.next = self.left.q.val() - 1;
            self.segment_left.d.next = self.segment_left.q.val() - 1;
            self.bad.d.next = self.beat_bad.val();
        }
        self.flags.next =
            bit_cast::<80, 64>(self.address.q.val()) | (bit_cast::<80, 8>(self.segment.q.val()) << 64);
        if self.beat_bad.val() {
            self.flags.next = self.flags.val() | (bit_cast::<80, 1>(1.into()) << 72);
        }
        if self.left.q.val() == 1 {
            self.flags.next = self.flags.val() | (bit_cast::<80, 1>(1.into()) << 73);
        }
        self.packets.in_data.next = self.flags.val();
        self.packets.in_valid.next = self.end_segment.val();
        if self.end_segment.val() {
            self.planned.d.next = false;
            self.address.d.next = self.address.q.val() + (bit_cast::<64, 8>(self.segment.q.val()) << 5);
            if self.left.q.val() == 1 {
                self.open.d.next = false;
            }
        }
        // The next burst is taken with the last beat of this one, if it is there by then.
        self.free.next = !self.open.q.val() | (self.end_segment.val() & (self.left.q.val() == 1));
        self.awready.next = self.free.val();
        if self.free.val() & self.awvalid.val() {
            self.open.d.next = true;
            self.address.d.next = self.awaddr.val();
            self.left.d.next = bit_cast::<16, 8>(self.awlen.val()) + 1;
            self.accepts.d.next = self.accepts.q.val() + 1;
        }

        // The oldest segment leaves, or is swallowed.
        self.beats.next = self.packets.out_data.val().get_bits::<6>(64);
        self.packet_address.next = self.packets.out_data.val().get_bits::<64>(0);
        self.packet_beats.next = self.beats.val();
        self.payload.next = self.data.out_data.val();
        self.swallow.next = self.packets.out_data.val().get_bit(72) | !self.bus_master.val();
        self.packet_valid.next = self.packets.out_valid.val()
            & !self.sending.q.val()
            & !self.swallowing.q.val()
            & !self.swallow.val()
            & self.answers.in_ready.val();
        self.begin_packet.next = self.packet_valid.val() & self.packet_ready.val();
        if self.begin_packet.val() {
            self.sending.d.next = true;
            self.to_take.d.next = self.beats.val();
        }
        self.now_denied.next = self.denied.q.val();
        if self.packets.out_valid.val()
            & !self.sending.q.val()
            & !self.swallowing.q.val()
            & self.swallow.val()
            & self.answers.in_ready.val()
        {
            self.swallowing.d.next = true;
            self.to_take.d.next = self.beats.val();
            if !self.bus_master.val() {
                self.denied.d.next = true;
            }
        }
        self.pop.next = self.take.val() | self.swallowing.q.val();
        self.data.out_ready.next = self.pop.val();
        // The first beat may be taken in the cycle in which the packet begins.
        if self.pop.val() {
            self.to_take.d.next = self.to_take.q.val() - 1;
            if self.begin_packet.val() {
                self.to_take.d.next = self.beats.val() - 1;
            }
        }
        self.end_packet.next = self.pop.val()
            & ((self.begin_packet.val() & (self.beats.val() == 1))
                | ((self.sending.q.val() | self.swallowing.q.val()) & (self.to_take.q.val() == 1)));
        self.packets.out_ready.next = self.end_packet.val();
        self.answer.next = bit_cast::<16, 8>(self.queued.val());
        if self.denied.q.val() {
            self.answer.next = self.answer.val() | 0x200;
        }
        self.answers.in_data.next = self.answer.val();
        self.answers.in_valid.next = self.end_packet.val() & self.packets.out_data.val().get_bit(73);
        if self.end_packet.val() {
            self.sending.d.next = false;
            self.swallowing.d.next = false;
            if self.packets.out_data.val().get_bit(73) {
                self.denied.d.next = false;
                self.finishes.d.next = self.finishes.q.val() + 1;
            }
        }
        self.accepted.next = self.accepts.q.val();
        self.finished.next = self.finishes.q.val();

        // An answer waits until as many packets have left as were queued before it and with it.
        self.passed.next = self.sent.val() - self.answers.out_data.val().get_bits::<8>(0);
        self.bresp.next = 0.into();
        if self.answers.out_data.val().get_bit(9) {
            self.bresp.next = 2.into();
        }
        self.bvalid.next = self.answers.out_valid.val() & !self.passed.val().get_bit(7);
        self.answers.out_ready.next =
            self.answers.out_valid.val() & !self.passed.val().get_bit(7) & self.bready.val();
        self.idle.next = !self.open.q.val() & !self.packets.out_valid.val() & !self.answers.out_valid.val();

        if self.reset.val() {
            self.open.d.next = false;
            self.planned.d.next = false;
            self.bad.d.next = false;
            self.accepts.d.next = 0.into();
            self.finishes.d.next = 0.into();
            self.sending.d.next = false;
            self.swallowing.d.next = false;
            self.denied.d.next = false;
        }
    }
}
