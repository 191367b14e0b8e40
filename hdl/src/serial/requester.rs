//! What the card asks of the host: its memory, and to hear of interrupt causes.

use crate::stream::Memory;
use rust_hdl::prelude::*;
use spandrel_abi::{
    SERIAL_BEAT_BYTES, SERIAL_BURST_BEATS, SERIAL_CRC_BYTES, SERIAL_EVENT, SERIAL_EVENT_BYTES,
    SERIAL_MEMORY_BYTES, SERIAL_MEMORY_READ, SERIAL_MEMORY_WRITE, SERIAL_REPLY, SERIAL_STATUS_BYTES,
    SERIAL_TIMEOUT_CAUSE,
};

/// AXI4 slave of 256 bits for the card's accesses to host memory: each burst, of at most 64 beats, becomes a request to
/// the host; interrupt causes become requests of their own.
///
/// One burst at a time, reads and writes in turn, causes when there is none. A write is sent when all of its data are
/// here; one with a byte strobe low, as an abort leaves it, is answered and not sent. A request without reply is sent again
/// `attempts` times in all, each `timeout_cycles` after the line was last busy; after that a read is answered with SLVERR
/// and the cause [`SERIAL_TIMEOUT_CAUSE`] in every beat, a write with SLVERR, and causes are forgotten. A reply that tells of a
/// failure is answered in the same way with the cause that it gives.
///
/// Data wait in a memory of 2 KiB by bytes; a beat takes 32 cycles between there and the bus.
#[derive(LogicBlock)]
pub struct Requester {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets everything.
    pub reset: Signal<In, Bit>,
    /// A byte of a packet.
    pub frame_data: Signal<In, Bits<8>>,
    /// Its place in the packet.
    pub frame_index: Signal<In, Bits<16>>,
    /// There is a byte.
    pub frame_valid: Signal<In, Bit>,
    /// The packet is whole.
    pub frame_good: Signal<In, Bit>,
    /// With `frame_good`: its bytes, with CRC.
    pub frame_length: Signal<In, Bits<16>>,
    /// A byte of the request.
    pub out_data: Signal<Out, Bits<8>>,
    /// It is the last.
    pub out_last: Signal<Out, Bit>,
    /// A byte is offered.
    pub out_valid: Signal<Out, Bit>,
    /// The byte is taken.
    pub out_ready: Signal<In, Bit>,
    /// Something is on its way over the line, in either direction.
    pub line_busy: Signal<In, Bit>,
    /// Causes of interrupts in this cycle, a bit for each vector.
    pub interrupt_events: Signal<In, Bits<2>>,
    /// A burst or a cause is under way.
    pub busy: Signal<Out, Bit>,
    /// Host memory, AXI4: write address.
    pub s_axi_host_awaddr: Signal<In, Bits<64>>,
    /// Host memory, AXI4: write burst length minus one, at most 63.
    pub s_axi_host_awlen: Signal<In, Bits<8>>,
    /// Host memory, AXI4: write address valid.
    pub s_axi_host_awvalid: Signal<In, Bit>,
    /// Host memory, AXI4: write address ready.
    pub s_axi_host_awready: Signal<Out, Bit>,
    /// Host memory, AXI4: write data.
    pub s_axi_host_wdata: Signal<In, Bits<256>>,
    /// Host memory, AXI4: byte strobes.
    pub s_axi_host_wstrb: Signal<In, Bits<32>>,
    /// Host memory, AXI4: write data valid.
    pub s_axi_host_wvalid: Signal<In, Bit>,
    /// Host memory, AXI4: write data ready.
    pub s_axi_host_wready: Signal<Out, Bit>,
    /// Host memory, AXI4: write response.
    pub s_axi_host_bresp: Signal<Out, Bits<2>>,
    /// Host memory, AXI4: write response valid.
    pub s_axi_host_bvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: write response ready.
    pub s_axi_host_bready: Signal<In, Bit>,
    /// Host memory, AXI4: read address.
    pub s_axi_host_araddr: Signal<In, Bits<64>>,
    /// Host memory, AXI4: read burst length minus one, at most 63.
    pub s_axi_host_arlen: Signal<In, Bits<8>>,
    /// Host memory, AXI4: read address valid.
    pub s_axi_host_arvalid: Signal<In, Bit>,
    /// Host memory, AXI4: read address ready.
    pub s_axi_host_arready: Signal<Out, Bit>,
    /// Host memory, AXI4: read data.
    pub s_axi_host_rdata: Signal<Out, Bits<256>>,
    /// Host memory, AXI4: read response.
    pub s_axi_host_rresp: Signal<Out, Bits<2>>,
    /// Host memory, AXI4: why the beat failed, as [`spandrel_abi::HOST_READ_CAUSES`] lists.
    pub s_axi_host_ruser: Signal<Out, Bits<3>>,
    /// Host memory, AXI4: last beat of a read burst.
    pub s_axi_host_rlast: Signal<Out, Bit>,
    /// Host memory, AXI4: read data valid.
    pub s_axi_host_rvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: read data ready.
    pub s_axi_host_rready: Signal<In, Bit>,
    buffer: Memory<8>,
    /// 0 waiting, 1 write beat from the bus, 2 to the buffer, 3 write is all here, 4 beginning a request, 5 sending its
    /// head, 6 its data, 7 waiting for the reply, 8 beat from the buffer, 9 read beat to the bus, 10 write response.
    state: DFF<Bits<4>>,
    kind: DFF<Bits<8>>,
    sequence: DFF<Bits<8>>,
    address: DFF<Bits<64>>,
    last_beat: DFF<Bits<6>>,
    beat: DFF<Bits<6>>,
    lane: DFF<Bits<5>>,
    word: DFF<Bits<256>>,
    position: DFF<Bits<12>>,
    bytes: DFF<Bits<12>>,
    whole: DFF<Bit>,
    events: DFF<Bits<2>>,
    sent_events: DFF<Bits<2>>,
    head: DFF<Bits<88>>,
    head_left: DFF<Bits<4>>,
    waited: DFF<Bits<32>>,
    tries: DFF<Bits<8>>,
    cause: DFF<Bits<3>>,
    failed: DFF<Bit>,
    writes_turn: DFF<Bit>,
    reply_kind: DFF<Bits<8>>,
    reply_sequence: DFF<Bits<8>>,
    reply_status: DFF<Bits<8>>,
    store: DFF<Bits<12>>,
    /// The frame that is coming in began while its request was waiting for it.
    followed: DFF<Bit>,
    take_write: Signal<Local, Bit>,
    take_read: Signal<Local, Bit>,
    position_next: Signal<Local, Bits<12>>,
    reading: Signal<Local, Bit>,
    writing: Signal<Local, Bit>,
    storing: Signal<Local, Bit>,
    answered: Signal<Local, Bit>,
    events_next: Signal<Local, Bits<2>>,
    full_length: Signal<Local, Bits<16>>,
    read_kind: Constant<Bits<8>>,
    write_kind: Constant<Bits<8>>,
    event_kind: Constant<Bits<8>>,
    reply_bit: Constant<Bits<8>>,
    head_bytes: Constant<Bits<4>>,
    event_bytes: Constant<Bits<4>>,
    status_length: Constant<Bits<16>>,
    timeout: Constant<Bits<32>>,
    attempts: Constant<Bits<8>>,
    timeout_cause: Constant<Bits<3>>,
    all_bytes: Constant<Bits<32>>,
}

impl Requester {
    /// A request is sent up to `attempts` times (at most 255), each `timeout_cycles` after the line was last busy.
    pub fn new(timeout_cycles: u32, attempts: u8) -> Self {
        let byte = |value: u8| Constant::new(u64::from(value).into());
        assert_eq!(SERIAL_BEAT_BYTES * SERIAL_BURST_BEATS, 2048, "positions have 12 bits");
        Self {
            clock: Default::default(),
            reset: Default::default(),
            frame_data: Default::default(),
            frame_index: Default::default(),
            frame_valid: Default::default(),
            frame_good: Default::default(),
            frame_length: Default::default(),
            out_data: Default::default(),
            out_last: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            line_busy: Default::default(),
            interrupt_events: Default::default(),
            busy: Default::default(),
            s_axi_host_awaddr: Default::default(),
            s_axi_host_awlen: Default::default(),
            s_axi_host_awvalid: Default::default(),
            s_axi_host_awready: Default::default(),
            s_axi_host_wdata: Default::default(),
            s_axi_host_wstrb: Default::default(),
            s_axi_host_wvalid: Default::default(),
            s_axi_host_wready: Default::default(),
            s_axi_host_bresp: Default::default(),
            s_axi_host_bvalid: Default::default(),
            s_axi_host_bready: Default::default(),
            s_axi_host_araddr: Default::default(),
            s_axi_host_arlen: Default::default(),
            s_axi_host_arvalid: Default::default(),
            s_axi_host_arready: Default::default(),
            s_axi_host_rdata: Default::default(),
            s_axi_host_rresp: Default::default(),
            s_axi_host_ruser: Default::default(),
            s_axi_host_rlast: Default::default(),
            s_axi_host_rvalid: Default::default(),
            s_axi_host_rready: Default::default(),
            buffer: Memory::new(SERIAL_BEAT_BYTES * SERIAL_BURST_BEATS),
            state: Default::default(),
            kind: Default::default(),
            sequence: Default::default(),
            address: Default::default(),
            last_beat: Default::default(),
            beat: Default::default(),
            lane: Default::default(),
            word: Default::default(),
            position: Default::default(),
            bytes: Default::default(),
            whole: Default::default(),
            events: Default::default(),
            sent_events: Default::default(),
            head: Default::default(),
            head_left: Default::default(),
            waited: Default::default(),
            tries: Default::default(),
            cause: Default::default(),
            failed: Default::default(),
            writes_turn: Default::default(),
            reply_kind: Default::default(),
            reply_sequence: Default::default(),
            reply_status: Default::default(),
            store: Default::default(),
            followed: Default::default(),
            take_write: Default::default(),
            take_read: Default::default(),
            position_next: Default::default(),
            reading: Default::default(),
            writing: Default::default(),
            storing: Default::default(),
            answered: Default::default(),
            events_next: Default::default(),
            full_length: Default::default(),
            read_kind: byte(SERIAL_MEMORY_READ),
            write_kind: byte(SERIAL_MEMORY_WRITE),
            event_kind: byte(SERIAL_EVENT),
            reply_bit: byte(SERIAL_REPLY),
            head_bytes: Constant::new(SERIAL_MEMORY_BYTES.to_bits()),
            event_bytes: Constant::new(SERIAL_EVENT_BYTES.to_bits()),
            status_length: Constant::new((SERIAL_STATUS_BYTES + SERIAL_CRC_BYTES).to_bits()),
            timeout: Constant::new(u64::from(timeout_cycles).into()),
            attempts: byte(attempts),
            timeout_cause: Constant::new(u64::from(SERIAL_TIMEOUT_CAUSE).into()),
            all_bytes: Constant::new(Bits::<32>::mask()),
        }
    }
}

impl Logic for Requester {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, kind, sequence, address, last_beat, beat, lane, word);
        dff_setup!(self, clock, position, bytes, whole, events, sent_events, head, head_left);
        dff_setup!(self, clock, waited, tries, cause, failed, writes_turn);
        dff_setup!(self, clock, reply_kind, reply_sequence, reply_status, store, followed);
        clock!(self, clock, buffer);
        self.busy.next = (self.state.q.val() != 0) | (self.events.q.val() != 0);
        self.reading.next = self.kind.q.val() == self.read_kind.val();
        self.writing.next = self.kind.q.val() == self.write_kind.val();
        self.position_next.next = self.position.q.val();
        self.events_next.next = self.events.q.val() | self.interrupt_events.val();

        // Reads and writes take turns; causes wait until there is neither, so that they stay behind the data they tell of.
        self.take_write.next = (self.state.q.val() == 0)
            & self.s_axi_host_awvalid.val()
            & (self.writes_turn.q.val() | !self.s_axi_host_arvalid.val());
        self.take_read.next =
            (self.state.q.val() == 0) & self.s_axi_host_arvalid.val() & !self.take_write.val();
        self.s_axi_host_awready.next = self.take_write.val();
        self.s_axi_host_arready.next = self.take_read.val();
        if self.state.q.val() == 0 {
            self.beat.d.next = 0.into();
            self.lane.d.next = 0.into();
            self.whole.d.next = true;
            self.failed.d.next = false;
            self.cause.d.next = 0.into();
            self.tries.d.next = 0.into();
            self.position_next.next = 0.into();
            if self.take_write.val() {
                self.kind.d.next = self.write_kind.val();
                self.address.d.next = self.s_axi_host_awaddr.val();
                self.last_beat.d.next = bit_cast::<6, 8>(self.s_axi_host_awlen.val());
                self.writes_turn.d.next = false;
                self.state.d.next = 1.into();
            } else {
                if self.take_read.val() {
                    self.kind.d.next = self.read_kind.val();
                    self.address.d.next = self.s_axi_host_araddr.val();
                    self.last_beat.d.next = bit_cast::<6, 8>(self.s_axi_host_arlen.val());
                    self.writes_turn.d.next = true;
                    self.state.d.next = 4.into();
                } else {
                    if self.events.q.val() != 0 {
                        self.kind.d.next = self.event_kind.val();
                        self.sent_events.d.next = self.events.q.val();
                        self.events_next.next = self.interrupt_events.val();
                        self.state.d.next = 4.into();
                    }
                }
            }
        }
        self.events.d.next = self.events_next.val();

        // A write's beats, byte by byte into the buffer.
        self.s_axi_host_wready.next = self.state.q.val() == 1;
        if (self.state.q.val() == 1) & self.s_axi_host_wvalid.val() {
            self.word.d.next = self.s_axi_host_wdata.val();
            if self.s_axi_host_wstrb.val() != self.all_bytes.val() {
                self.whole.d.next = false;
            }
            self.state.d.next = 2.into();
        }
        if self.state.q.val() == 2 {
            self.word.d.next = self.word.q.val() >> 8;
            self.lane.d.next = self.lane.q.val() + 1;
            self.position_next.next = self.position.q.val() + 1;
            if self.lane.q.val() == 31 {
                self.beat.d.next = self.beat.q.val() + 1;
                self.state.d.next = 1.into();
                if self.beat.q.val() == self.last_beat.q.val() {
                    self.state.d.next = 3.into();
                }
            }
        }
        if self.state.q.val() == 3 {
            self.state.d.next = 10.into();
            if self.whole.q.val() {
                self.state.d.next = 4.into();
            }
        }

        // The request.
        self.out_data.next = self.head.q.val().get_bits::<8>(0);
        self.out_last.next = (self.head_left.q.val() == 1) & !self.writing.val();
        self.out_valid.next = (self.state.q.val() == 5) | (self.state.q.val() == 6);
        if self.state.q.val() == 4 {
            self.head.d.next = bit_cast::<88, 8>(self.kind.q.val())
                | (bit_cast::<88, 8>(self.sequence.q.val()) << 8)
                | (bit_cast::<88, 64>(self.address.q.val()) << 16)
                | (bit_cast::<88, 6>(self.last_beat.q.val()) << 80);
            self.head_left.d.next = self.head_bytes.val();
            if self.kind.q.val() == self.event_kind.val() {
                self.head.d.next = bit_cast::<88, 8>(self.kind.q.val())
                    | (bit_cast::<88, 8>(self.sequence.q.val()) << 8)
                    | (bit_cast::<88, 2>(self.sent_events.q.val()) << 16);
                self.head_left.d.next = self.event_bytes.val();
            }
            self.bytes.d.next = (bit_cast::<12, 6>(self.last_beat.q.val()) + 1) << 5;
            self.position_next.next = 0.into();
            self.tries.d.next = self.tries.q.val() + 1;
            self.state.d.next = 5.into();
        }
        if (self.state.q.val() == 5) & self.out_ready.val() {
            self.head.d.next = self.head.q.val() >> 8;
            self.head_left.d.next = self.head_left.q.val() - 1;
            if self.head_left.q.val() == 1 {
                self.state.d.next = 7.into();
                if self.writing.val() {
                    self.state.d.next = 6.into();
                }
            }
        }
        if self.state.q.val() == 6 {
            self.out_data.next = self.buffer.read_data.val();
            self.out_last.next = (self.position.q.val() + 1) == self.bytes.q.val();
            if self.out_ready.val() {
                self.position_next.next = self.position.q.val() + 1;
                if (self.position.q.val() + 1) == self.bytes.q.val() {
                    self.state.d.next = 7.into();
                }
            }
        }

        // Its reply.
        if self.frame_valid.val() {
            if self.frame_index.val() == 0 {
                self.reply_kind.d.next = self.frame_data.val();
            }
            if self.frame_index.val() == 1 {
                self.reply_sequence.d.next = self.frame_data.val();
            }
            if self.frame_index.val() == 2 {
                self.reply_status.d.next = self.frame_data.val();
                self.store.d.next = 0.into();
                self.followed.d.next = true;
            }
        }
        if self.state.q.val() != 7 {
            self.followed.d.next = false;
        }
        // The data; what comes before the reply, or with a wrong CRC, is overwritten by the right one.
        self.storing.next = (self.state.q.val() == 7)
            & self.reading.val()
            & self.followed.q.val()
            & self.frame_valid.val()
            & (self.frame_index.val() > 2)
            & !self.store.q.val().get_bit(11);
        if self.storing.val() {
            self.store.d.next = self.store.q.val() + 1;
        }
        self.full_length.next = self.status_length.val();
        if self.reading.val() & (self.reply_status.q.val() == 0) {
            self.full_length.next = self.status_length.val() + bit_cast::<16, 12>(self.bytes.q.val());
        }
        self.answered.next = (self.state.q.val() == 7)
            & self.followed.q.val()
            & self.frame_good.val()
            & (self.reply_kind.q.val() == (self.kind.q.val() | self.reply_bit.val()))
            & (self.reply_sequence.q.val() == self.sequence.q.val())
            & (self.frame_length.val() == self.full_length.val());
        self.waited.d.next = self.waited.q.val() + 1;
        if self.line_busy.val() | (self.state.q.val() != 7) {
            self.waited.d.next = 0.into();
        }
        if (self.state.q.val() == 7) & (self.waited.q.val() == self.timeout.val()) {
            self.state.d.next = 4.into();
            if self.tries.q.val() == self.attempts.val() {
                self.failed.d.next = true;
                self.cause.d.next = self.timeout_cause.val();
            }
        }
        if self.answered.val() {
            self.failed.d.next = self.reply_status.q.val() != 0;
            self.cause.d.next = bit_cast::<3, 8>(self.reply_status.q.val());
        }
        if self.answered.val()
            | ((self.state.q.val() == 7)
                & (self.waited.q.val() == self.timeout.val())
                & (self.tries.q.val() == self.attempts.val()))
        {
            self.sequence.d.next = self.sequence.q.val() + 1;
            self.beat.d.next = 0.into();
            self.lane.d.next = 0.into();
            self.position_next.next = 0.into();
            self.state.d.next = 0.into();
            if self.reading.val() {
                self.state.d.next = 8.into();
            }
            if self.writing.val() {
                self.state.d.next = 10.into();
            }
        }

        // A read's beats, byte by byte out of the buffer.
        if self.state.q.val() == 8 {
            self.word.d.next =
                (self.word.q.val() >> 8) | (bit_cast::<256, 8>(self.buffer.read_data.val()) << 248);
            self.lane.d.next = self.lane.q.val() + 1;
            self.position_next.next = self.position.q.val() + 1;
            if self.lane.q.val() == 31 {
                self.state.d.next = 9.into();
            }
        }
        self.s_axi_host_rvalid.next = self.state.q.val() == 9;
        self.s_axi_host_rdata.next = self.word.q.val();
        self.s_axi_host_rlast.next = self.beat.q.val() == self.last_beat.q.val();
        self.s_axi_host_rresp.next = 0.into();
        self.s_axi_host_ruser.next = 0.into();
        self.s_axi_host_bresp.next = 0.into();
        if self.failed.q.val() {
            self.s_axi_host_rresp.next = 2.into();
            self.s_axi_host_ruser.next = self.cause.q.val();
            self.s_axi_host_bresp.next = 2.into();
        }
        if (self.state.q.val() == 9) & self.s_axi_host_rready.val() {
            self.beat.d.next = self.beat.q.val() + 1;
            self.state.d.next = 8.into();
            if self.beat.q.val() == self.last_beat.q.val() {
                self.state.d.next = 0.into();
            }
        }
        self.s_axi_host_bvalid.next = self.state.q.val() == 10;
        if (self.state.q.val() == 10) & self.s_axi_host_bready.val() {
            self.state.d.next = 0.into();
        }

        self.position.d.next = self.position_next.val();
        self.buffer.read_address.next = bit_cast::<16, 12>(self.position_next.val());
        self.buffer.write_address.next = bit_cast::<16, 12>(self.position.q.val());
        self.buffer.write_data.next = bit_cast::<8, 256>(self.word.q.val());
        self.buffer.write_enable.next = self.state.q.val() == 2;
        if self.storing.val() {
            self.buffer.write_address.next = bit_cast::<16, 12>(self.store.q.val());
            self.buffer.write_data.next = self.frame_data.val();
            self.buffer.write_enable.next = true;
        }
        if self.reset.val() {
            self.state.d.next = 0.into();
            self.events.d.next = 0.into();
            self.sequence.d.next = 0.into();
            self.writes_turn.d.next = false;
            self.position.d.next = 0.into();
        }
    }
}
