//! A core in place of Poseidon's: the same ports, a function that is cheap to simulate, any latency and interval.

use num_bigint::BigUint;
use rust_hdl::prelude::*;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::merkle::{EmptyRoots, HashShape};
use spandrel_hdl::profile::Profile;
use spandrel_hdl::stream::Fifo;

/// Bits of an element that the stand-in gives: it is below the prime.
const KEPT_BITS: usize = 253;
/// Added, so that nothing comes out zero by chance.
const ADDED: u64 = 0x1357_9bdf_0246_8ace;

/// How a stand-in behaves.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Cycles from a state to its result, at least.
    pub latency: u64,
    /// Cycles from one state to the next.
    pub interval: u64,
    /// States that can be inside.
    pub capacity: usize,
}

/// Mixes the elements of a state: v = Σ s_i·2^k_i + constant modulo 2^256; element j is v ⊕ v/2^(11 + 7·j), cut to 253 bits.
#[derive(LogicBlock)]
pub struct StandInCore {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub in_state: Signal<In, Bits<1280>>,
    pub in_valid: Signal<In, Bit>,
    pub in_ready: Signal<Out, Bit>,
    pub out_state: Signal<Out, Bits<1280>>,
    pub out_valid: Signal<Out, Bit>,
    pub out_ready: Signal<In, Bit>,
    pub passes: Signal<Out, Bits<8>>,
    pub starved: Signal<Out, Bits<8>>,
    inside: Fifo<1312>,
    now: DFF<Bits<32>>,
    pause: DFF<Bits<16>>,
    mixed: Signal<Local, Bits<256>>,
    out_0: Signal<Local, Bits<256>>,
    out_1: Signal<Local, Bits<256>>,
    out_2: Signal<Local, Bits<256>>,
    out_3: Signal<Local, Bits<256>>,
    out_4: Signal<Local, Bits<256>>,
    due: Signal<Local, Bits<32>>,
    front_due: Signal<Local, Bits<32>>,
    may: Signal<Local, Bit>,
    added: Constant<Bits<256>>,
    keep: Constant<Bits<256>>,
    keep_2: Constant<Bits<256>>,
    keep_3: Constant<Bits<256>>,
    keep_4: Constant<Bits<256>>,
    latency: Constant<Bits<32>>,
    rest: Constant<Bits<16>>,
}

fn kept() -> BigUint {
    (BigUint::from(1u8) << KEPT_BITS) - 1u8
}

impl StandInCore {
    /// A core for states of `width` elements.
    pub fn new(width: usize, pace: Pace) -> StandInCore {
        let keep = |element: usize| Constant::new(if element < width { kept().into() } else { 0.into() });
        StandInCore {
            clock: Default::default(),
            reset: Default::default(),
            in_state: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_state: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            inside: Fifo::new(pace.capacity),
            now: Default::default(),
            pause: Default::default(),
            mixed: Default::default(),
            out_0: Default::default(),
            out_1: Default::default(),
            out_2: Default::default(),
            out_3: Default::default(),
            out_4: Default::default(),
            due: Default::default(),
            front_due: Default::default(),
            may: Default::default(),
            added: Constant::new(ADDED.into()),
            keep: keep(0),
            keep_2: keep(2),
            keep_3: keep(3),
            keep_4: keep(4),
            latency: Constant::new(pace.latency.into()),
            rest: Constant::new((pace.interval - 1).into()),
        }
    }
}

impl Logic for StandInCore {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, now, pause);
        self.inside.clock.next = self.clock.val();
        self.inside.reset.next = self.reset.val();
        self.now.d.next = self.now.q.val() + 1;
        self.may.next = (self.pause.q.val() == 0) & self.inside.in_ready.val();
        self.in_ready.next = self.may.val();
        if self.pause.q.val() != 0 {
            self.pause.d.next = self.pause.q.val() - 1;
        }
        self.passes.next = 0.into();
        self.starved.next = 1.into();
        if self.in_valid.val() & self.may.val() {
            self.pause.d.next = self.rest.val();
            self.passes.next = 1.into();
            self.starved.next = 0.into();
        }
        self.mixed.next = self.in_state.val().get_bits::<256>(0)
            + (self.in_state.val().get_bits::<256>(256) << 3)
            + (self.in_state.val().get_bits::<256>(512) << 7)
            + (self.in_state.val().get_bits::<256>(768) << 13)
            + (self.in_state.val().get_bits::<256>(1024) << 17)
            + self.added.val();
        self.out_0.next = (self.mixed.val() ^ (self.mixed.val() >> 11)) & self.keep.val();
        self.out_1.next = (self.mixed.val() ^ (self.mixed.val() >> 18)) & self.keep.val();
        self.out_2.next = (self.mixed.val() ^ (self.mixed.val() >> 25)) & self.keep_2.val();
        self.out_3.next = (self.mixed.val() ^ (self.mixed.val() >> 32)) & self.keep_3.val();
        self.out_4.next = (self.mixed.val() ^ (self.mixed.val() >> 39)) & self.keep_4.val();
        self.due.next = self.now.q.val() + self.latency.val();
        self.inside.in_data.next = bit_cast::<1312, 256>(self.out_0.val())
            | (bit_cast::<1312, 256>(self.out_1.val()) << 256)
            | (bit_cast::<1312, 256>(self.out_2.val()) << 512)
            | (bit_cast::<1312, 256>(self.out_3.val()) << 768)
            | (bit_cast::<1312, 256>(self.out_4.val()) << 1024)
            | (bit_cast::<1312, 32>(self.due.val()) << 1280);
        self.inside.in_valid.next = self.in_valid.val() & self.may.val();
        self.front_due.next = self.inside.out_data.val().get_bits::<32>(1280);
        self.out_state.next = self.inside.out_data.val().get_bits::<1280>(0);
        self.out_valid.next = self.inside.out_valid.val() & (self.front_due.val() <= self.now.q.val());
        self.inside.out_ready.next = self.out_ready.val() & (self.front_due.val() <= self.now.q.val());
        if self.reset.val() {
            self.pause.d.next = 0.into();
        }
    }
}

/// What the stand-in computes, in software; `state` is as long as it is wide.
pub fn permute(state: &mut [BigUint]) {
    let modulus = BigUint::from(1u8) << 256;
    let shifts = [0, 3, 7, 13, 17];
    let terms = state.iter().zip(shifts).map(|(element, shift)| element << shift);
    let mixed = (terms.sum::<BigUint>() + ADDED) % modulus;
    for (index, element) in state.iter_mut().enumerate() {
        *element = (&mixed ^ (&mixed >> (11 + 7 * index))) & kept();
    }
}

mod engine {
    use super::StandInCore;
    use rust_hdl::prelude::*;

    spandrel_hdl::hash_engine! {
        /// The hash engine with stand-ins for cores.
        StandInEngine, StandInCore
    }
}

pub use engine::StandInEngine;

/// The engine with a stand-in of each width, emitted as `name`.
pub fn emitted(name: &str, widths: &[usize], pace: Pace, sponge_group: u32, card_bytes: u64) -> Emitted {
    let mut empty_roots = EmptyRoots::none();
    for arity in [2u32, 4] {
        empty_roots = empty_roots.with(arity, |output, child| {
            let mut state = vec![child.clone(); arity as usize + 1];
            state[0] = BigUint::default();
            permute(&mut state);
            state[output as usize].clone()
        });
    }
    let datapath = Profile::load("sim-small").unwrap().datapath;
    let shape = HashShape { widths: widths.to_vec(), sponge_group, card_bytes, empty_roots, datapath };
    let cores = widths.iter().map(|width| StandInCore::new(*width, pace)).collect();
    let mut engine = StandInEngine::assemble(&shape, cores);
    engine.connect_all();
    emit(&engine, name).unwrap()
}
