//! Frames: flags, escapes and a CRC around packets.

use rust_hdl::prelude::*;
use spandrel_abi::{
    SERIAL_CRC_POLYNOMIAL, SERIAL_CRC_RESIDUE, SERIAL_ESCAPE, SERIAL_ESCAPE_MASK, SERIAL_FLAG,
    SERIAL_PACKET_BYTES,
};

/// CRC-32 of one more byte, combinational: eight steps of a shift register, which synthesis folds into exclusive-ors.
#[derive(LogicBlock)]
pub struct CrcStep {
    /// Register before the byte; all ones before the first.
    pub crc: Signal<In, Bits<32>>,
    /// The byte.
    pub data: Signal<In, Bits<8>>,
    /// Register after it.
    pub after: Signal<Out, Bits<32>>,
    mixed: Signal<Local, Bits<32>>,
    step1: Signal<Local, Bits<32>>,
    step2: Signal<Local, Bits<32>>,
    step3: Signal<Local, Bits<32>>,
    step4: Signal<Local, Bits<32>>,
    step5: Signal<Local, Bits<32>>,
    step6: Signal<Local, Bits<32>>,
    step7: Signal<Local, Bits<32>>,
    polynomial: Constant<Bits<32>>,
}

impl Default for CrcStep {
    fn default() -> Self {
        Self {
            crc: Default::default(),
            data: Default::default(),
            after: Default::default(),
            mixed: Default::default(),
            step1: Default::default(),
            step2: Default::default(),
            step3: Default::default(),
            step4: Default::default(),
            step5: Default::default(),
            step6: Default::default(),
            step7: Default::default(),
            polynomial: Constant::new(u64::from(SERIAL_CRC_POLYNOMIAL).into()),
        }
    }
}

impl Logic for CrcStep {
    #[hdl_gen]
    fn update(&mut self) {
        self.mixed.next = self.crc.val() ^ bit_cast::<32, 8>(self.data.val());
        self.step1.next = self.mixed.val() >> 1;
        if self.mixed.val().get_bit(0) {
            self.step1.next = (self.mixed.val() >> 1) ^ self.polynomial.val();
        }
        self.step2.next = self.step1.val() >> 1;
        if self.step1.val().get_bit(0) {
            self.step2.next = (self.step1.val() >> 1) ^ self.polynomial.val();
        }
        self.step3.next = self.step2.val() >> 1;
        if self.step2.val().get_bit(0) {
            self.step3.next = (self.step2.val() >> 1) ^ self.polynomial.val();
        }
        self.step4.next = self.step3.val() >> 1;
        if self.step3.val().get_bit(0) {
            self.step4.next = (self.step3.val() >> 1) ^ self.polynomial.val();
        }
        self.step5.next = self.step4.val() >> 1;
        if self.step4.val().get_bit(0) {
            self.step5.next = (self.step4.val() >> 1) ^ self.polynomial.val();
        }
        self.step6.next = self.step5.val() >> 1;
        if self.step5.val().get_bit(0) {
            self.step6.next = (self.step5.val() >> 1) ^ self.polynomial.val();
        }
        self.step7.next = self.step6.val() >> 1;
        if self.step6.val().get_bit(0) {
            self.step7.next = (self.step6.val() >> 1) ^ self.polynomial.val();
        }
        self.after.next = self.step7.val() >> 1;
        if self.step7.val().get_bit(0) {
            self.after.next = (self.step7.val() >> 1) ^ self.polynomial.val();
        }
    }
}

/// Takes frames apart: bytes of packets as they come, and afterwards whether they are to be believed.
///
/// The bytes of the CRC come out like those of the packet; a user that knows a packet's length leaves them out. Nothing
/// here waits: a user takes each byte when it comes. Latency 1.
#[derive(LogicBlock)]
pub struct FrameDecoder {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the frame that is coming in.
    pub reset: Signal<In, Bit>,
    /// A byte of the line.
    pub in_data: Signal<In, Bits<8>>,
    /// There is a byte.
    pub in_valid: Signal<In, Bit>,
    /// A byte was lost: the frame is not to be believed.
    pub in_error: Signal<In, Bit>,
    /// A byte of a packet, or of its CRC.
    pub data: Signal<Out, Bits<8>>,
    /// Its place in the frame, from 0.
    pub index: Signal<Out, Bits<16>>,
    /// There is a byte.
    pub valid: Signal<Out, Bit>,
    /// The frame whose bytes came is whole and its CRC is right, for one cycle.
    pub good: Signal<Out, Bit>,
    /// With `good`: bytes of packet and CRC.
    pub length: Signal<Out, Bits<16>>,
    crc_step: CrcStep,
    crc: DFF<Bits<32>>,
    count: DFF<Bits<16>>,
    escaped: DFF<Bit>,
    spoiled: DFF<Bit>,
    octet: DFF<Bits<8>>,
    byte_valid: DFF<Bit>,
    byte_index: DFF<Bits<16>>,
    ended: DFF<Bit>,
    ended_length: DFF<Bits<16>>,
    plain: Signal<Local, Bits<8>>,
    flag: Constant<Bits<8>>,
    escape: Constant<Bits<8>>,
    mask: Constant<Bits<8>>,
    residue: Constant<Bits<32>>,
    start: Constant<Bits<32>>,
    longest: Constant<Bits<16>>,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_valid: Default::default(),
            in_error: Default::default(),
            data: Default::default(),
            index: Default::default(),
            valid: Default::default(),
            good: Default::default(),
            length: Default::default(),
            crc_step: Default::default(),
            crc: Default::default(),
            count: Default::default(),
            escaped: Default::default(),
            spoiled: Default::default(),
            octet: Default::default(),
            byte_valid: Default::default(),
            byte_index: Default::default(),
            ended: Default::default(),
            ended_length: Default::default(),
            plain: Default::default(),
            flag: Constant::new(u64::from(SERIAL_FLAG).into()),
            escape: Constant::new(u64::from(SERIAL_ESCAPE).into()),
            mask: Constant::new(u64::from(SERIAL_ESCAPE_MASK).into()),
            residue: Constant::new(u64::from(SERIAL_CRC_RESIDUE).into()),
            start: Constant::new(u64::from(u32::MAX).into()),
            longest: Constant::new(SERIAL_PACKET_BYTES.to_bits()),
        }
    }
}

impl Logic for FrameDecoder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, crc, count, escaped, spoiled);
        dff_setup!(self, clock, octet, byte_valid, byte_index, ended, ended_length);
        self.data.next = self.octet.q.val();
        self.index.next = self.byte_index.q.val();
        self.valid.next = self.byte_valid.q.val();
        self.good.next = self.ended.q.val();
        self.length.next = self.ended_length.q.val();

        self.plain.next = self.in_data.val();
        if self.escaped.q.val() {
            self.plain.next = self.in_data.val() ^ self.mask.val();
        }
        self.crc_step.crc.next = self.crc.q.val();
        self.crc_step.data.next = self.plain.val();
        self.octet.d.next = self.plain.val();
        self.byte_index.d.next = self.count.q.val();
        self.byte_valid.d.next = false;
        self.ended.d.next = false;
        self.ended_length.d.next = self.count.q.val();
        if self.in_valid.val() {
            if self.in_data.val() == self.flag.val() {
                self.ended.d.next =
                    (self.crc.q.val() == self.residue.val()) & !self.escaped.q.val() & !self.spoiled.q.val();
                self.crc.d.next = self.start.val();
                self.count.d.next = 0.into();
                self.escaped.d.next = false;
                self.spoiled.d.next = false;
            } else {
                if (self.in_data.val() == self.escape.val()) & !self.escaped.q.val() {
                    self.escaped.d.next = true;
                } else {
                    self.escaped.d.next = false;
                    self.crc.d.next = self.crc_step.after.val();
                    if self.count.q.val() == self.longest.val() {
                        self.spoiled.d.next = true;
                    } else {
                        self.byte_valid.d.next = true;
                        self.count.d.next = self.count.q.val() + 1;
                    }
                }
            }
        }
        if self.in_error.val() {
            self.spoiled.d.next = true;
        }
        if self.reset.val() {
            self.crc.d.next = self.start.val();
            self.count.d.next = 0.into();
            self.escaped.d.next = false;
            self.spoiled.d.next = false;
            self.byte_valid.d.next = false;
            self.ended.d.next = false;
        }
    }
}

/// Puts packets into frames. A packet's bytes may come with gaps; a byte goes out every second cycle.
#[derive(LogicBlock)]
pub struct FrameEncoder {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the frame that is going out.
    pub reset: Signal<In, Bit>,
    /// A byte of a packet.
    pub in_data: Signal<In, Bits<8>>,
    /// It is the packet's last.
    pub in_last: Signal<In, Bit>,
    /// A byte is offered.
    pub in_valid: Signal<In, Bit>,
    /// The byte is taken.
    pub in_ready: Signal<Out, Bit>,
    /// A byte for the line (a register).
    pub out_data: Signal<Out, Bits<8>>,
    /// There is a byte.
    pub out_valid: Signal<Out, Bit>,
    /// The byte is taken.
    pub out_ready: Signal<In, Bit>,
    /// No frame is going out.
    pub idle: Signal<Out, Bit>,
    crc_step: CrcStep,
    crc: DFF<Bits<32>>,
    /// 0 between frames, 1 the packet, 2 its CRC, 3 the closing flag.
    state: DFF<Bits<2>>,
    crc_left: DFF<Bits<3>>,
    octet: DFF<Bits<8>>,
    full: DFF<Bit>,
    second: DFF<Bits<8>>,
    second_full: DFF<Bit>,
    plain: Signal<Local, Bits<8>>,
    send: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    flag: Constant<Bits<8>>,
    escape: Constant<Bits<8>>,
    mask: Constant<Bits<8>>,
    start: Constant<Bits<32>>,
}

impl Default for FrameEncoder {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_last: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            idle: Default::default(),
            crc_step: Default::default(),
            crc: Default::default(),
            state: Default::default(),
            crc_left: Default::default(),
            octet: Default::default(),
            full: Default::default(),
            second: Default::default(),
            second_full: Default::default(),
            plain: Default::default(),
            send: Default::default(),
            take: Default::default(),
            flag: Constant::new(u64::from(SERIAL_FLAG).into()),
            escape: Constant::new(u64::from(SERIAL_ESCAPE).into()),
            mask: Constant::new(u64::from(SERIAL_ESCAPE_MASK).into()),
            start: Constant::new(u64::from(u32::MAX).into()),
        }
    }
}

impl Logic for FrameEncoder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, crc, state, crc_left, octet, full, second, second_full);
        self.out_data.next = self.octet.q.val();
        self.out_valid.next = self.full.q.val();
        self.idle.next = (self.state.q.val() == 0) & !self.full.q.val();
        self.take.next = (self.state.q.val() == 1) & !self.full.q.val();
        self.in_ready.next = self.take.val();

        self.plain.next = self.in_data.val();
        if self.state.q.val() == 2 {
            self.plain.next = bit_cast::<8, 32>(self.crc.q.val());
        }
        self.crc_step.crc.next = self.crc.q.val();
        self.crc_step.data.next = self.in_data.val();
        self.send.next = false;
        if self.full.q.val() {
            if self.out_ready.val() {
                self.octet.d.next = self.second.q.val();
                self.full.d.next = self.second_full.q.val();
                self.second_full.d.next = false;
            }
        } else {
            if self.state.q.val() == 0 {
                self.crc.d.next = self.start.val();
                self.crc_left.d.next = 4.into();
                if self.in_valid.val() {
                    self.octet.d.next = self.flag.val();
                    self.full.d.next = true;
                    self.state.d.next = 1.into();
                }
            }
            if (self.state.q.val() == 1) & self.in_valid.val() {
                self.send.next = true;
                self.crc.d.next = self.crc_step.after.val();
                if self.in_last.val() {
                    self.crc.d.next = !self.crc_step.after.val();
                    self.state.d.next = 2.into();
                }
            }
            if self.state.q.val() == 2 {
                self.send.next = true;
                self.crc.d.next = self.crc.q.val() >> 8;
                self.crc_left.d.next = self.crc_left.q.val() - 1;
                if self.crc_left.q.val() == 1 {
                    self.state.d.next = 3.into();
                }
            }
            if self.state.q.val() == 3 {
                self.octet.d.next = self.flag.val();
                self.full.d.next = true;
                self.state.d.next = 0.into();
            }
        }
        if self.send.val() {
            self.full.d.next = true;
            self.octet.d.next = self.plain.val();
            self.second.d.next = self.plain.val() ^ self.mask.val();
            if (self.plain.val() == self.flag.val()) | (self.plain.val() == self.escape.val()) {
                self.octet.d.next = self.escape.val();
                self.second_full.d.next = true;
            }
        }
        if self.reset.val() {
            self.state.d.next = 0.into();
            self.full.d.next = false;
            self.second_full.d.next = false;
        }
    }
}
