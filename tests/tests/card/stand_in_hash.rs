//! A stand-in for the hash engine: its ports and its manners on the buses, and sums instead of hashes.

use super::stand_in::CARD_MEMORY_KIB;
use rust_hdl::prelude::*;
use spandrel_abi::{Descriptor, Opcode, Status};

/// Where [`StandInHash`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum HashState {
    Idle,
    AskHost,
    TakeHost,
    AskCard,
    TakeCard,
    OfferCard,
    GiveCard,
    Written,
    OfferHost,
    GiveHost,
}

/// Takes `count` beats from `host_a` and sums them. In the commands on trees it also reads the line at `card_address`,
/// adds it, and writes the line plus the sum behind it. It gives one beat to `host_out`: the sum plus all that
/// it was told. A beat whose top byte is 0xff is refused, and so is a tree of which the two lines are not in card
/// memory, which is then not accessed.
#[derive(LogicBlock)]
pub struct StandInHash {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub start: Signal<In, Bit>,
    pub opcode: Signal<In, Bits<8>>,
    pub count: Signal<In, Bits<32>>,
    pub size: Signal<In, Bits<32>>,
    pub command_parameter: Signal<In, Bits<32>>,
    pub host_a: Signal<In, Bits<64>>,
    pub host_b: Signal<In, Bits<64>>,
    pub host_out: Signal<In, Bits<64>>,
    pub card_address: Signal<In, Bits<64>>,
    pub busy: Signal<Out, Bit>,
    pub refusal: Signal<Out, Bits<8>>,
    pub hashed: Signal<Out, Bit>,
    pub passes: Signal<Out, Bits<8>>,
    pub starved: Signal<Out, Bits<8>>,
    pub host_read_address: Signal<Out, Bits<64>>,
    pub host_read_beats: Signal<Out, Bits<32>>,
    pub host_read_valid: Signal<Out, Bit>,
    pub host_read_ready: Signal<In, Bit>,
    pub host_in_data: Signal<In, Bits<256>>,
    pub host_in_valid: Signal<In, Bit>,
    pub host_in_ready: Signal<Out, Bit>,
    pub host_write_address: Signal<Out, Bits<64>>,
    pub host_write_beats: Signal<Out, Bits<32>>,
    pub host_write_valid: Signal<Out, Bit>,
    pub host_write_ready: Signal<In, Bit>,
    pub host_out_data: Signal<Out, Bits<256>>,
    pub host_out_valid: Signal<Out, Bit>,
    pub host_out_ready: Signal<In, Bit>,
    pub card_read_address: Signal<Out, Bits<64>>,
    pub card_read_beats: Signal<Out, Bits<32>>,
    pub card_read_valid: Signal<Out, Bit>,
    pub card_read_ready: Signal<In, Bit>,
    pub card_in_data: Signal<In, Bits<512>>,
    pub card_in_valid: Signal<In, Bit>,
    pub card_in_ready: Signal<Out, Bit>,
    pub card_write_address: Signal<Out, Bits<64>>,
    pub card_write_beats: Signal<Out, Bits<32>>,
    pub card_write_valid: Signal<Out, Bit>,
    pub card_write_ready: Signal<In, Bit>,
    pub card_out_data: Signal<Out, Bits<512>>,
    pub card_out_valid: Signal<Out, Bit>,
    pub card_out_ready: Signal<In, Bit>,
    pub card_write_idle: Signal<In, Bit>,
    state: DFF<HashState>,
    sum: DFF<Bits<256>>,
    line: DFF<Bits<512>>,
    left: DFF<Bits<32>>,
    refused: DFF<Bits<8>>,
    is_tree: Signal<Local, Bit>,
    out_of_range: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    told: Signal<Local, Bits<256>>,
    poseidon: Constant<Bits<8>>,
    last_line: Constant<Bits<64>>,
    not_canonical: Constant<Bits<8>>,
    no_room: Constant<Bits<8>>,
    count_at: Constant<Bits<16>>,
    size_at: Constant<Bits<16>>,
    parameter_at: Constant<Bits<16>>,
    host_b_at: Constant<Bits<16>>,
}

impl Default for StandInHash {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            opcode: Default::default(),
            count: Default::default(),
            size: Default::default(),
            command_parameter: Default::default(),
            host_a: Default::default(),
            host_b: Default::default(),
            host_out: Default::default(),
            card_address: Default::default(),
            busy: Default::default(),
            refusal: Default::default(),
            hashed: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            host_read_address: Default::default(),
            host_read_beats: Default::default(),
            host_read_valid: Default::default(),
            host_read_ready: Default::default(),
            host_in_data: Default::default(),
            host_in_valid: Default::default(),
            host_in_ready: Default::default(),
            host_write_address: Default::default(),
            host_write_beats: Default::default(),
            host_write_valid: Default::default(),
            host_write_ready: Default::default(),
            host_out_data: Default::default(),
            host_out_valid: Default::default(),
            host_out_ready: Default::default(),
            card_read_address: Default::default(),
            card_read_beats: Default::default(),
            card_read_valid: Default::default(),
            card_read_ready: Default::default(),
            card_in_data: Default::default(),
            card_in_valid: Default::default(),
            card_in_ready: Default::default(),
            card_write_address: Default::default(),
            card_write_beats: Default::default(),
            card_write_valid: Default::default(),
            card_write_ready: Default::default(),
            card_out_data: Default::default(),
            card_out_valid: Default::default(),
            card_out_ready: Default::default(),
            card_write_idle: Default::default(),
            state: Default::default(),
            sum: Default::default(),
            line: Default::default(),
            left: Default::default(),
            refused: Default::default(),
            is_tree: Default::default(),
            out_of_range: Default::default(),
            take: Default::default(),
            told: Default::default(),
            poseidon: Constant::new((Opcode::Poseidon as u8).to_bits()),
            last_line: Constant::new((u64::from(CARD_MEMORY_KIB) * 1024 - 128).into()),
            not_canonical: Constant::new((Status::NotCanonical as u8).to_bits()),
            no_room: Constant::new((Status::CardAddressOutOfRange as u8).to_bits()),
            count_at: Constant::new(32usize.to_bits()),
            size_at: Constant::new(64usize.to_bits()),
            parameter_at: Constant::new(96usize.to_bits()),
            host_b_at: Constant::new(128usize.to_bits()),
        }
    }
}

impl Logic for StandInHash {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, sum, line, left, refused);
        self.busy.next = self.state.q.val() != HashState::Idle;
        self.refusal.next = self.refused.q.val();
        self.is_tree.next = self.opcode.val() != self.poseidon.val();
        self.out_of_range.next = self.is_tree.val() & (self.card_address.val() > self.last_line.val());
        self.host_read_address.next = self.host_a.val();
        self.host_read_beats.next = self.count.val();
        self.host_read_valid.next = false;
        self.host_write_address.next = self.host_out.val();
        self.host_write_beats.next = 1.into();
        self.host_write_valid.next = false;
        self.card_read_address.next = self.card_address.val();
        self.card_read_beats.next = 1.into();
        self.card_read_valid.next = false;
        self.card_write_address.next = self.card_address.val() + 64;
        self.card_write_beats.next = 1.into();
        self.card_write_valid.next = false;
        self.host_in_ready.next = false;
        self.card_in_ready.next = false;
        self.card_out_valid.next = false;
        self.host_out_valid.next = false;
        self.take.next = false;
        self.told.next = bit_cast::<256, 8>(self.opcode.val())
            + (bit_cast::<256, 32>(self.count.val()) << self.count_at.val())
            + (bit_cast::<256, 32>(self.size.val()) << self.size_at.val())
            + (bit_cast::<256, 32>(self.command_parameter.val()) << self.parameter_at.val())
            + (bit_cast::<256, 64>(self.host_b.val()) << self.host_b_at.val());
        self.host_out_data.next = self.sum.q.val() + self.told.val();
        self.card_out_data.next = self.line.q.val() + bit_cast::<512, 256>(self.sum.q.val());
        match self.state.q.val() {
            HashState::Idle => {
                if self.start.val() {
                    self.sum.d.next = 0.into();
                    self.line.d.next = 0.into();
                    self.left.d.next = self.count.val();
                    self.refused.d.next = 0.into();
                    if self.out_of_range.val() {
                        self.refused.d.next = self.no_room.val();
                    }
                    self.state.d.next = HashState::AskHost;
                }
            }
            HashState::AskHost => {
                self.host_read_valid.next = true;
                if self.host_read_ready.val() {
                    self.state.d.next = HashState::TakeHost;
                }
            }
            HashState::TakeHost => {
                self.host_in_ready.next = self.left.q.val() != 0;
                if self.left.q.val() == 0 {
                    self.state.d.next = HashState::OfferHost;
                    if self.is_tree.val() & !self.out_of_range.val() {
                        self.state.d.next = HashState::AskCard;
                    }
                } else {
                    if self.host_in_valid.val() {
                        self.take.next = true;
                        self.left.d.next = self.left.q.val() - 1;
                        self.sum.d.next = self.sum.q.val() + self.host_in_data.val();
                        if self.host_in_data.val().get_bits::<8>(248) == 255 {
                            self.refused.d.next = self.not_canonical.val();
                        }
                    }
                }
            }
            HashState::AskCard => {
                self.card_read_valid.next = true;
                if self.card_read_ready.val() {
                    self.state.d.next = HashState::TakeCard;
                }
            }
            HashState::TakeCard => {
                self.card_in_ready.next = true;
                if self.card_in_valid.val() {
                    self.line.d.next = self.card_in_data.val();
                    self.sum.d.next = self.sum.q.val() + self.card_in_data.val().get_bits::<256>(0);
                    self.state.d.next = HashState::OfferCard;
                }
            }
            HashState::OfferCard => {
                self.card_write_valid.next = true;
                if self.card_write_ready.val() {
                    self.state.d.next = HashState::GiveCard;
                }
            }
            HashState::GiveCard => {
                self.card_out_valid.next = true;
                if self.card_out_ready.val() {
                    self.state.d.next = HashState::Written;
                }
            }
            HashState::Written => {
                if self.card_write_idle.val() {
                    self.state.d.next = HashState::OfferHost;
                }
            }
            HashState::OfferHost => {
                self.host_write_valid.next = true;
                if self.host_write_ready.val() {
                    self.state.d.next = HashState::GiveHost;
                }
            }
            HashState::GiveHost => {
                self.host_out_valid.next = true;
                if self.host_out_ready.val() {
                    self.state.d.next = HashState::Idle;
                }
            }
        }
        self.hashed.next = self.take.val();
        self.passes.next = 0.into();
        self.starved.next = 0.into();
        if self.take.val() {
            self.passes.next = 5.into();
            self.starved.next = 2.into();
        }
        if self.reset.val() {
            self.state.d.next = HashState::Idle;
            self.refused.d.next = 0.into();
        }
    }
}

/// What [`StandInHash`] gives, in software.
pub struct HashResult {
    pub digest: Vec<u8>,
    /// The line behind the one that was read.
    pub line: Vec<u8>,
}

/// What a command gives, from the beats that it takes and the line that it reads.
pub fn hash_result(descriptor: &Descriptor, values: &[u8], line: Option<&[u8]>) -> HashResult {
    use num_bigint::BigUint;
    let number = |bytes: &[u8]| BigUint::from_bytes_le(bytes);
    let (beat, wide) = (BigUint::from(1u8) << 256, BigUint::from(1u8) << 512);
    let line = line.unwrap_or_default();
    let low = number(line.get(..32).unwrap_or_default());
    let sum = (values.chunks(32).map(number).sum::<BigUint>() + low) % &beat;
    let told = [
        (u64::from(descriptor.opcode), 0),
        (descriptor.count.into(), 32),
        (descriptor.size.into(), 64),
        (descriptor.parameter.into(), 96),
        (descriptor.host_b, 128),
    ];
    let told = told.into_iter().map(|(value, at)| BigUint::from(value) << at).sum::<BigUint>();
    let bytes = |value: BigUint, length: usize| {
        let mut bytes = value.to_bytes_le();
        bytes.resize(length, 0);
        bytes
    };
    HashResult { digest: bytes((&sum + told) % beat, 32), line: bytes((number(line) + sum) % wide, 64) }
}
