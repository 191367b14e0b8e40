//! What the host asks of the card: registers, the bit rate, a reset.

use rust_hdl::prelude::*;
use spandrel_abi::{
    SERIAL_BUS_ERROR, SERIAL_CRC_BYTES, SERIAL_DIVISOR, SERIAL_HELLO, SERIAL_HELLO_VALUE,
    SERIAL_LEAST_DIVISOR, SERIAL_READ, SERIAL_REFUSED, SERIAL_REPLY, SERIAL_REQUEST_BYTES, SERIAL_RESET,
    SERIAL_VALUE_BYTES, SERIAL_WRITE,
};

/// Carries out the host's requests one at a time, each once, and answers them.
///
/// A request with the sequence number of the one before is answered as that was, without being carried out again; one that
/// comes while another is being carried out or answered is dropped, and the host repeats it. AXI4-Lite master for the
/// card's registers: both parts of a write are offered together.
#[derive(LogicBlock)]
pub struct Responder {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the request, and the last sequence number.
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
    /// A byte of the reply.
    pub out_data: Signal<Out, Bits<8>>,
    /// It is the last.
    pub out_last: Signal<Out, Bit>,
    /// A byte is offered; once begun, a reply is offered without gap.
    pub out_valid: Signal<Out, Bit>,
    /// The byte is taken.
    pub out_ready: Signal<In, Bit>,
    /// The line was broken: back to the default rate.
    pub line_break: Signal<In, Bit>,
    /// Nothing is on its way to the line any more.
    pub line_idle: Signal<In, Bit>,
    /// Clock cycles of a bit.
    pub divisor: Signal<Out, Bits<16>>,
    /// The rate is about to change: nothing else may be sent.
    pub hold: Signal<Out, Bit>,
    /// Asks the card for its orderly reset.
    pub reset_request: Signal<Out, Bit>,
    /// The card is in its own reset.
    pub resetting: Signal<In, Bit>,
    /// A request is being carried out.
    pub busy: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: write address.
    pub m_axil_awaddr: Signal<Out, Bits<12>>,
    /// Registers, AXI4-Lite: write address valid.
    pub m_axil_awvalid: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: write address ready.
    pub m_axil_awready: Signal<In, Bit>,
    /// Registers, AXI4-Lite: write data.
    pub m_axil_wdata: Signal<Out, Bits<32>>,
    /// Registers, AXI4-Lite: byte strobes.
    pub m_axil_wstrb: Signal<Out, Bits<4>>,
    /// Registers, AXI4-Lite: write data valid.
    pub m_axil_wvalid: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: write data ready.
    pub m_axil_wready: Signal<In, Bit>,
    /// Registers, AXI4-Lite: write response.
    pub m_axil_bresp: Signal<In, Bits<2>>,
    /// Registers, AXI4-Lite: write response valid.
    pub m_axil_bvalid: Signal<In, Bit>,
    /// Registers, AXI4-Lite: write response ready.
    pub m_axil_bready: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: read address.
    pub m_axil_araddr: Signal<Out, Bits<12>>,
    /// Registers, AXI4-Lite: read address valid.
    pub m_axil_arvalid: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: read address ready.
    pub m_axil_arready: Signal<In, Bit>,
    /// Registers, AXI4-Lite: read data.
    pub m_axil_rdata: Signal<In, Bits<32>>,
    /// Registers, AXI4-Lite: read response.
    pub m_axil_rresp: Signal<In, Bits<2>>,
    /// Registers, AXI4-Lite: read data valid.
    pub m_axil_rvalid: Signal<In, Bit>,
    /// Registers, AXI4-Lite: read data ready.
    pub m_axil_rready: Signal<Out, Bit>,
    incoming: DFF<Bits<64>>,
    kind: DFF<Bits<8>>,
    sequence: DFF<Bits<8>>,
    address: DFF<Bits<16>>,
    data: DFF<Bits<32>>,
    status: DFF<Bits<8>>,
    value: DFF<Bits<32>>,
    reply: DFF<Bits<56>>,
    reply_left: DFF<Bits<4>>,
    address_sent: DFF<Bit>,
    data_sent: DFF<Bit>,
    rate: DFF<Bits<16>>,
    rate_set: DFF<Bit>,
    new_rate: DFF<Bit>,
    /// 0 waiting, 1 beginning, 2 register write, 3 register read, 4 asking for a reset, 5 in reset, 6 making the reply, 7
    /// sending it, 8 changing the rate.
    state: DFF<Bits<4>>,
    request: Signal<Local, Bit>,
    request_kind: Signal<Local, Bits<8>>,
    request_sequence: Signal<Local, Bits<8>>,
    head: Signal<Local, Bits<56>>,
    default_divisor: Constant<Bits<16>>,
    least_divisor: Constant<Bits<32>>,
    most_divisor: Constant<Bits<32>>,
    length: Constant<Bits<16>>,
    hello: Constant<Bits<8>>,
    read: Constant<Bits<8>>,
    write: Constant<Bits<8>>,
    set_divisor: Constant<Bits<8>>,
    set_reset: Constant<Bits<8>>,
    reply_bit: Constant<Bits<8>>,
    hello_value: Constant<Bits<32>>,
    bus_error: Constant<Bits<8>>,
    refused: Constant<Bits<8>>,
    reply_bytes: Constant<Bits<4>>,
}

impl Responder {
    /// After power-on a bit takes `divisor` cycles.
    pub fn new(divisor: u16) -> Self {
        let byte = |value: u8| Constant::new(u64::from(value).into());
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
            line_break: Default::default(),
            line_idle: Default::default(),
            divisor: Default::default(),
            hold: Default::default(),
            reset_request: Default::default(),
            resetting: Default::default(),
            busy: Default::default(),
            m_axil_awaddr: Default::default(),
            m_axil_awvalid: Default::default(),
            m_axil_awready: Default::default(),
            m_axil_wdata: Default::default(),
            m_axil_wstrb: Default::default(),
            m_axil_wvalid: Default::default(),
            m_axil_wready: Default::default(),
            m_axil_bresp: Default::default(),
            m_axil_bvalid: Default::default(),
            m_axil_bready: Default::default(),
            m_axil_araddr: Default::default(),
            m_axil_arvalid: Default::default(),
            m_axil_arready: Default::default(),
            m_axil_rdata: Default::default(),
            m_axil_rresp: Default::default(),
            m_axil_rvalid: Default::default(),
            m_axil_rready: Default::default(),
            incoming: Default::default(),
            kind: Default::default(),
            sequence: Default::default(),
            address: Default::default(),
            data: Default::default(),
            status: Default::default(),
            value: Default::default(),
            reply: Default::default(),
            reply_left: Default::default(),
            address_sent: Default::default(),
            data_sent: Default::default(),
            rate: Default::default(),
            rate_set: Default::default(),
            new_rate: Default::default(),
            state: Default::default(),
            request: Default::default(),
            request_kind: Default::default(),
            request_sequence: Default::default(),
            head: Default::default(),
            default_divisor: Constant::new(u64::from(divisor).into()),
            least_divisor: Constant::new(u64::from(SERIAL_LEAST_DIVISOR).into()),
            most_divisor: Constant::new(u64::from(u16::MAX).into()),
            length: Constant::new((SERIAL_REQUEST_BYTES + SERIAL_CRC_BYTES).to_bits()),
            hello: byte(SERIAL_HELLO),
            read: byte(SERIAL_READ),
            write: byte(SERIAL_WRITE),
            set_divisor: byte(SERIAL_DIVISOR),
            set_reset: byte(SERIAL_RESET),
            reply_bit: byte(SERIAL_REPLY),
            hello_value: Constant::new(u64::from(SERIAL_HELLO_VALUE).into()),
            bus_error: byte(SERIAL_BUS_ERROR),
            refused: byte(SERIAL_REFUSED),
            reply_bytes: Constant::new(SERIAL_VALUE_BYTES.to_bits()),
        }
    }
}

impl Logic for Responder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, incoming, kind, sequence, address, data, status, value);
        dff_setup!(self, clock, reply, reply_left, address_sent, data_sent);
        dff_setup!(self, clock, rate, rate_set, new_rate, state);

        // The first eight bytes of every frame, the first in the lowest byte.
        if self.frame_valid.val() & (self.frame_index.val() < 8) {
            self.incoming.d.next =
                (self.incoming.q.val() >> 8) | (bit_cast::<64, 8>(self.frame_data.val()) << 56);
        }
        self.request_kind.next = self.incoming.q.val().get_bits::<8>(0);
        self.request_sequence.next = self.incoming.q.val().get_bits::<8>(8);
        self.request.next = self.frame_good.val()
            & (self.frame_length.val() == self.length.val())
            & (self.request_kind.val() != 0)
            & (self.request_kind.val() < 16)
            & (self.state.q.val() == 0);

        self.divisor.next = self.default_divisor.val();
        if self.rate_set.q.val() {
            self.divisor.next = self.rate.q.val();
        }
        self.hold.next = self.state.q.val() == 8;
        self.busy.next = self.state.q.val() != 0;
        self.reset_request.next = self.state.q.val() == 4;

        if self.request.val() {
            self.state.d.next = 6.into();
            if (self.request_sequence.val() != self.sequence.q.val())
                | (self.request_kind.val() == self.hello.val())
            {
                self.state.d.next = 1.into();
                self.kind.d.next = self.request_kind.val();
                self.sequence.d.next = self.request_sequence.val();
                self.address.d.next = self.incoming.q.val().get_bits::<16>(16);
                self.data.d.next = self.incoming.q.val().get_bits::<32>(32);
                self.status.d.next = 0.into();
                self.value.d.next = 0.into();
                self.new_rate.d.next = false;
                self.address_sent.d.next = false;
                self.data_sent.d.next = false;
            }
        }
        if self.state.q.val() == 1 {
            self.state.d.next = 6.into();
            self.status.d.next = self.refused.val();
            if self.kind.q.val() == self.hello.val() {
                self.status.d.next = 0.into();
                self.value.d.next = self.hello_value.val();
            }
            if self.kind.q.val() == self.write.val() {
                self.status.d.next = 0.into();
                self.state.d.next = 2.into();
            }
            if self.kind.q.val() == self.read.val() {
                self.status.d.next = 0.into();
                self.state.d.next = 3.into();
            }
            if self.kind.q.val() == self.set_reset.val() {
                self.status.d.next = 0.into();
                self.state.d.next = 4.into();
            }
            if (self.kind.q.val() == self.set_divisor.val())
                & (self.data.q.val() >= self.least_divisor.val())
                & (self.data.q.val() <= self.most_divisor.val())
            {
                self.status.d.next = 0.into();
                self.new_rate.d.next = true;
            }
        }

        self.m_axil_awaddr.next = self.address.q.val().get_bits::<12>(0);
        self.m_axil_wstrb.next = self.address.q.val().get_bits::<4>(12);
        self.m_axil_wdata.next = self.data.q.val();
        self.m_axil_araddr.next = self.address.q.val().get_bits::<12>(0);
        self.m_axil_awvalid.next = (self.state.q.val() == 2) & !self.address_sent.q.val();
        self.m_axil_wvalid.next = (self.state.q.val() == 2) & !self.data_sent.q.val();
        self.m_axil_arvalid.next = (self.state.q.val() == 3) & !self.address_sent.q.val();
        self.m_axil_bready.next =
            (self.state.q.val() == 2) & self.address_sent.q.val() & self.data_sent.q.val();
        self.m_axil_rready.next = (self.state.q.val() == 3) & self.address_sent.q.val();
        if self.state.q.val() == 2 {
            if self.m_axil_awready.val() {
                self.address_sent.d.next = true;
            }
            if self.m_axil_wready.val() {
                self.data_sent.d.next = true;
            }
            if self.address_sent.q.val() & self.data_sent.q.val() & self.m_axil_bvalid.val() {
                self.state.d.next = 6.into();
                if self.m_axil_bresp.val().get_bit(1) {
                    self.status.d.next = self.bus_error.val();
                }
            }
        }
        if self.state.q.val() == 3 {
            if self.m_axil_arready.val() {
                self.address_sent.d.next = true;
            }
            if self.address_sent.q.val() & self.m_axil_rvalid.val() {
                self.state.d.next = 6.into();
                self.value.d.next = self.m_axil_rdata.val();
                if self.m_axil_rresp.val().get_bit(1) {
                    self.status.d.next = self.bus_error.val();
                }
            }
        }
        if (self.state.q.val() == 4) & self.resetting.val() {
            self.state.d.next = 5.into();
        }
        if (self.state.q.val() == 5) & !self.resetting.val() {
            self.state.d.next = 6.into();
        }

        // The reply, from its lowest byte.
        self.head.next = bit_cast::<56, 8>(self.kind.q.val() | self.reply_bit.val())
            | (bit_cast::<56, 8>(self.sequence.q.val()) << 8)
            | (bit_cast::<56, 8>(self.status.q.val()) << 16)
            | (bit_cast::<56, 32>(self.value.q.val()) << 24);
        if self.state.q.val() == 6 {
            self.reply.d.next = self.head.val();
            self.reply_left.d.next = self.reply_bytes.val();
            self.state.d.next = 7.into();
        }
        self.out_data.next = self.reply.q.val().get_bits::<8>(0);
        self.out_last.next = self.reply_left.q.val() == 1;
        self.out_valid.next = self.state.q.val() == 7;
        if (self.state.q.val() == 7) & self.out_ready.val() {
            self.reply.d.next = self.reply.q.val() >> 8;
            self.reply_left.d.next = self.reply_left.q.val() - 1;
            if self.reply_left.q.val() == 1 {
                self.state.d.next = 0.into();
                if self.new_rate.q.val() {
                    self.state.d.next = 8.into();
                }
            }
        }
        if (self.state.q.val() == 8) & self.line_idle.val() {
            self.state.d.next = 0.into();
            self.new_rate.d.next = false;
            self.rate.d.next = bit_cast::<16, 32>(self.data.q.val());
            self.rate_set.d.next = true;
        }
        if self.line_break.val() {
            self.rate_set.d.next = false;
        }
        if self.reset.val() {
            self.state.d.next = 0.into();
            self.sequence.d.next = 0.into();
            self.rate_set.d.next = false;
            self.new_rate.d.next = false;
        }
    }
}
