//! Bytes on a serial line: 8 data bits, no parity, one stop bit.

use rust_hdl::prelude::*;
use spandrel_abi::SERIAL_BREAK_BITS;

/// Takes bytes from a line.
///
/// The line goes through two flip-flops; each bit is sampled in its middle, as counted from the falling edge of its start bit.
/// A byte is out one cycle after the middle of its stop bit. A start bit that is high again in its middle is none. After a
/// byte without stop bit, the line must be high before the next one.
#[derive(LogicBlock)]
pub struct UartReceiver {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the byte that is coming in.
    pub reset: Signal<In, Bit>,
    /// The line, of no clock; high while nothing is sent.
    pub rxd: Signal<In, Bit>,
    /// Clock cycles of a bit, at least [`spandrel_abi::SERIAL_LEAST_DIVISOR`].
    pub divisor: Signal<In, Bits<16>>,
    /// The byte.
    pub data: Signal<Out, Bits<8>>,
    /// A byte came in, for one cycle.
    pub valid: Signal<Out, Bit>,
    /// A byte came in without its stop bit, for one cycle.
    pub error: Signal<Out, Bit>,
    /// The line has been low for [`SERIAL_BREAK_BITS`] bit times, for one cycle.
    pub line_break: Signal<Out, Bit>,
    first_low: DFF<Bit>,
    low: DFF<Bit>,
    armed: DFF<Bit>,
    active: DFF<Bit>,
    count: DFF<Bits<16>>,
    bits: DFF<Bits<4>>,
    shift: DFF<Bits<8>>,
    got: DFF<Bit>,
    failed: DFF<Bit>,
    low_cycles: DFF<Bits<16>>,
    low_bits: DFF<Bits<8>>,
    broken: DFF<Bit>,
    break_bits: Constant<Bits<8>>,
}

impl Default for UartReceiver {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            rxd: Default::default(),
            divisor: Default::default(),
            data: Default::default(),
            valid: Default::default(),
            error: Default::default(),
            line_break: Default::default(),
            first_low: Default::default(),
            low: Default::default(),
            armed: Default::default(),
            active: Default::default(),
            count: Default::default(),
            bits: Default::default(),
            shift: Default::default(),
            got: Default::default(),
            failed: Default::default(),
            low_cycles: Default::default(),
            low_bits: Default::default(),
            broken: Default::default(),
            break_bits: Constant::new(u64::from(SERIAL_BREAK_BITS).into()),
        }
    }
}

impl Logic for UartReceiver {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, first_low, low, armed, active, count, bits);
        dff_setup!(self, clock, shift, got, failed, low_cycles, low_bits, broken);
        self.first_low.d.next = !self.rxd.val();
        self.low.d.next = self.first_low.q.val();
        self.data.next = self.shift.q.val();
        self.valid.next = self.got.q.val();
        self.error.next = self.failed.q.val();
        self.line_break.next = self.broken.q.val();
        self.got.d.next = false;
        self.failed.d.next = false;

        if self.active.q.val() {
            self.count.d.next = self.count.q.val() - 1;
            if self.count.q.val() == 1 {
                self.count.d.next = self.divisor.val();
                self.bits.d.next = self.bits.q.val() + 1;
                if self.bits.q.val() == 0 {
                    self.active.d.next = self.low.q.val();
                } else {
                    if self.bits.q.val() == 9 {
                        self.active.d.next = false;
                        self.armed.d.next = !self.low.q.val();
                        self.got.d.next = !self.low.q.val();
                        self.failed.d.next = self.low.q.val();
                    } else {
                        self.shift.d.next = self.shift.q.val() >> 1;
                        if !self.low.q.val() {
                            self.shift.d.next = (self.shift.q.val() >> 1) | 0x80;
                        }
                    }
                }
            }
        } else {
            self.bits.d.next = 0.into();
            self.count.d.next = self.divisor.val() >> 1;
            if self.low.q.val() {
                self.active.d.next = self.armed.q.val();
            } else {
                self.armed.d.next = true;
            }
        }

        self.broken.d.next = false;
        if self.low.q.val() {
            self.low_cycles.d.next = self.low_cycles.q.val() + 1;
            if self.low_cycles.q.val() == self.divisor.val() {
                self.low_cycles.d.next = 1.into();
                if self.low_bits.q.val() != self.break_bits.val() {
                    self.low_bits.d.next = self.low_bits.q.val() + 1;
                    self.broken.d.next = (self.low_bits.q.val() + 1) == self.break_bits.val();
                }
            }
        } else {
            self.low_cycles.d.next = 1.into();
            self.low_bits.d.next = 0.into();
        }
        if self.reset.val() {
            self.active.d.next = false;
            self.armed.d.next = false;
            self.got.d.next = false;
            self.failed.d.next = false;
            self.broken.d.next = false;
        }
    }
}

/// Puts bytes on a line: a byte takes ten bits and a cycle.
#[derive(LogicBlock, Default)]
pub struct UartTransmitter {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Lets the line rest.
    pub reset: Signal<In, Bit>,
    /// Clock cycles of a bit.
    pub divisor: Signal<In, Bits<16>>,
    /// Byte to send.
    pub data: Signal<In, Bits<8>>,
    /// A byte is offered.
    pub valid: Signal<In, Bit>,
    /// The byte is taken.
    pub ready: Signal<Out, Bit>,
    /// The line (a register); high while nothing is sent.
    pub txd: Signal<Out, Bit>,
    low: DFF<Bit>,
    active: DFF<Bit>,
    count: DFF<Bits<16>>,
    bits: DFF<Bits<4>>,
    shift: DFF<Bits<8>>,
}

impl Logic for UartTransmitter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, low, active, count, bits, shift);
        self.ready.next = !self.active.q.val();
        // The line is kept inverted, so that it rests from the first cycle.
        self.txd.next = !self.low.q.val();
        if self.active.q.val() {
            self.count.d.next = self.count.q.val() - 1;
            if self.count.q.val() == 1 {
                self.count.d.next = self.divisor.val();
                self.bits.d.next = self.bits.q.val() + 1;
                self.shift.d.next = self.shift.q.val() >> 1;
                self.low.d.next = !self.shift.q.val().get_bit(0);
                if self.bits.q.val() == 8 {
                    self.low.d.next = false;
                }
                if self.bits.q.val() == 9 {
                    self.low.d.next = false;
                    self.active.d.next = false;
                }
            }
        } else {
            self.bits.d.next = 0.into();
            self.count.d.next = self.divisor.val();
            self.shift.d.next = self.data.val();
            if self.valid.val() {
                self.active.d.next = true;
                self.low.d.next = true;
            }
        }
        if self.reset.val() {
            self.active.d.next = false;
            self.low.d.next = false;
        }
    }
}
