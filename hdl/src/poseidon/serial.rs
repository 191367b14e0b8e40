//! The permutation on a processor.

use super::turns::Turns;
use super::{ELEMENT_BITS, STATE_BITS};
use crate::datapath::{Datapath, DatapathConfig, Multipliers};
use crate::field::Prime;
use crate::pipeline_block;
use crate::processor::{Moduli, Processor, SlotMemory};
use crate::stream::Fifo;
use num_bigint::BigUint;
use rust_hdl::prelude::*;

/// Results that may wait behind the frames.
const SPARE: usize = 4;

/// An element of a state that waits: taken with `take`, seen at `out` while `number` is its own, else zero.
#[derive(LogicBlock)]
struct Held {
    pub clock: Signal<In, Clock>,
    pub take: Signal<In, Bit>,
    pub data: Signal<In, Bits<256>>,
    pub number: Signal<In, Bits<3>>,
    pub out: Signal<Out, Bits<256>>,
    kept: DFF<Bits<256>>,
    own: Constant<Bits<3>>,
}

impl Held {
    fn new(own: usize) -> Held {
        Held {
            clock: Default::default(),
            take: Default::default(),
            data: Default::default(),
            number: Default::default(),
            out: Default::default(),
            kept: Default::default(),
            own: Constant::new(own.to_bits()),
        }
    }
}

impl Logic for Held {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, kept);
        if self.take.val() {
            self.kept.d.next = self.data.val();
        }
        self.out.next = 0.into();
        if self.number.val() == self.own.val() {
            self.out.next = self.kept.q.val();
        }
    }
}

/// An element of a state that leaves: taken with `take` while `number` is its own.
#[derive(LogicBlock)]
struct Given {
    pub clock: Signal<In, Clock>,
    pub take: Signal<In, Bit>,
    pub data: Signal<In, Bits<256>>,
    pub number: Signal<In, Bits<3>>,
    pub out: Signal<Out, Bits<256>>,
    kept: DFF<Bits<256>>,
    own: Constant<Bits<3>>,
}

impl Given {
    fn new(own: usize) -> Given {
        Given {
            clock: Default::default(),
            take: Default::default(),
            data: Default::default(),
            number: Default::default(),
            out: Default::default(),
            kept: Default::default(),
            own: Constant::new(own.to_bits()),
        }
    }
}

impl Logic for Given {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, kept);
        if self.take.val() & (self.number.val() == self.own.val()) {
            self.kept.d.next = self.data.val();
        }
        self.out.next = self.kept.q.val();
    }
}

pipeline_block! {
    /// What is known of a turn, by its number: base of its constants (10 bits), kind (2), whether it is the last.
    clocked TurnTable
    inputs {
        /// Number of the turn.
        number: Bits<7>,
    }
    outputs {
        /// Two cycles later.
        word: Bits<13>,
    }
}

impl TurnTable {
    fn new(turns: &Turns) -> TurnTable {
        let last = turns.turns.len() - 1;
        let word = |(number, (kind, base)): (usize, &(usize, usize))| {
            BigUint::from(base | kind << 10 | usize::from(number == last) << 12)
        };
        let words: Vec<BigUint> = turns.turns.iter().enumerate().map(word).collect();
        let config = DatapathConfig { multipliers: Multipliers::Own, ..DatapathConfig::ultrascale() };
        let path = Datapath::new(format!("serial_turns_{}", turns.width), &config);
        let word = path.lookup(path.input("number", 7), &words, 13);
        TurnTable::host(std::rc::Rc::new(path.finish(&[("word", word)])))
    }
}

/// The permutation for states of one width on a [`Processor`], with the ports of [`PoseidonCore`](super::PoseidonCore): one
/// lane, whose slots are the processor's frames.
///
/// States are taken one at a time, and wait for a frame that is free. They all take the same time, so results leave in the
/// order of the states. A state is let in only while there is room for its result. An unstalled core gives a result every
/// (P + 1)·[`SerialPoseidon::pass_cycles`] cycles, where P is the number of passes. A `reset` of one cycle leaves nothing
/// behind.
///
/// `passes` is one in each cycle of a frame with a state in it, and `starved` in each cycle of one without: a frame counts
/// from the cycle in which it begins to the one in which the next one does.
#[derive(LogicBlock)]
pub struct SerialPoseidon {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset; needed once after power-on.
    pub reset: Signal<In, Bit>,
    /// State: element i, Montgomery form, below p, at bit 256·i; those past the width are ignored.
    pub in_state: Signal<In, Bits<STATE_BITS>>,
    /// `in_state` is a state.
    pub in_valid: Signal<In, Bit>,
    /// It is taken (a register).
    pub in_ready: Signal<Out, Bit>,
    /// Permuted state, every element below p; those past the width are zero.
    pub out_state: Signal<Out, Bits<STATE_BITS>>,
    /// `out_state` is one (a register).
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// There is a state in the frame of this cycle: 0 or 1.
    pub passes: Signal<Out, Bits<8>>,
    /// There is none.
    pub starved: Signal<Out, Bits<8>>,
    processor: Processor,
    slots: SlotMemory<8>,
    turn_table: TurnTable,
    held: Vec<Held>,
    results: Fifo<256>,
    given: Vec<Given>,
    held_full: DFF<Bit>,
    inside: DFF<Bit>,
    turn_number: DFF<Bits<7>>,
    turn_occupied: DFF<Bit>,
    fresh: DFF<Bits<5>>,
    contained: DFF<Bits<8>>,
    busy: DFF<Bit>,
    gathered: DFF<Bits<3>>,
    whole: DFF<Bit>,
    occupied: Signal<Local, Bit>,
    enters: Signal<Local, Bit>,
    give: Signal<Local, Bit>,
    pull: Signal<Local, Bit>,
    slot: Signal<Local, Bits<8>>,
    turn_next: Signal<Local, Bits<7>>,
    entered: Signal<Local, Bits<256>>,
    gathered_state: Signal<Local, Bits<STATE_BITS>>,
    leaving_element: Signal<Local, Bits<256>>,
    one: Constant<Bits<256>>,
    one_number: Constant<Bits<3>>,
    last_element: Constant<Bits<3>>,
    frames: Constant<Bits<5>>,
    capacity: Constant<Bits<8>>,
    _width: usize,
    _latency: usize,
    _turns: usize,
}

impl SerialPoseidon {
    /// A core for states of `width` elements with 1, 2, 4 or 8 multipliers.
    ///
    /// # Panics
    ///
    /// When the width is not one of [`spandrel_poseidon::WIDTHS`]: an error of the hardware description. A checked profile
    /// has no other.
    pub fn new(width: usize, multipliers: usize) -> SerialPoseidon {
        let turns = Turns::new(width).unwrap_or_else(|error| panic!("{error}"));
        let processor = Processor::new(
            &format!("poseidon_{width}"),
            &turns.program(),
            &turns.constants,
            Moduli::One(Prime::Fr),
            multipliers,
        );
        let turn_table = TurnTable::new(&turns);
        // The next frame's turn is looked up while the one before it is under way.
        assert!(processor.period() > turn_table.latency() + 3, "a period of {} cycles", processor.period());
        let capacity = processor.frames() + SPARE;
        let turn_cycles = processor.frames() * processor.period();
        // Wait for a frame, all turns but the last, and the last up to its outputs; FIFO, and as many elements.
        let latency =
            1 + turn_cycles + (turns.turns.len() - 1) * turn_cycles + processor.length() + width + 2;
        SerialPoseidon {
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
            slots: Default::default(),
            turn_table,
            held: (0..width).map(Held::new).collect(),
            results: Fifo::new(capacity * width),
            given: (0..width).rev().map(Given::new).collect(),
            held_full: Default::default(),
            inside: Default::default(),
            turn_number: Default::default(),
            turn_occupied: Default::default(),
            fresh: Default::default(),
            contained: Default::default(),
            busy: Default::default(),
            gathered: Default::default(),
            whole: Default::default(),
            occupied: Default::default(),
            enters: Default::default(),
            give: Default::default(),
            pull: Default::default(),
            slot: Default::default(),
            turn_next: Default::default(),
            entered: Default::default(),
            gathered_state: Default::default(),
            leaving_element: Default::default(),
            one: Constant::new(Turns::one().into()),
            one_number: Constant::new(width.to_bits()),
            last_element: Constant::new((width - 1).to_bits()),
            frames: Constant::new(processor.frames().to_bits()),
            capacity: Constant::new(capacity.to_bits()),
            _width: width,
            _latency: latency,
            _turns: turns.turns.len(),
            processor,
        }
    }

    /// Cycles of a pass of one state, from which the next frame's begins.
    pub fn pass_cycles(&self) -> usize {
        self.processor.period()
    }

    /// Cycles from a pass of a state to its next: all frames'.
    pub fn pass_latency(&self) -> usize {
        self.processor.period() * self.processor.frames()
    }

    /// States that are under way when the core is full.
    pub fn frames(&self) -> usize {
        self.processor.frames()
    }

    /// Turns of a hash: its passes, and one.
    pub fn turns(&self) -> usize {
        self._turns
    }

    /// Cycles from the one in which a state is taken to the first in which its result is there, at most, if the core is
    /// empty.
    pub fn latency(&self) -> usize {
        self._latency
    }
}

const _: () = assert!(ELEMENT_BITS == 256);

impl Logic for SerialPoseidon {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held_full, inside, turn_number, turn_occupied, fresh, contained, busy);
        dff_setup!(self, clock, gathered, whole);
        clock!(self, clock, processor, slots, turn_table, results);
        self.processor.reset.next = self.reset.val();
        self.results.reset.next = self.reset.val();

        // The next state waits here until it is in its frame's registers.
        self.in_ready.next = !self.held_full.q.val();
        self.entered.next = 0.into();
        for i in 0..self._width {
            self.held[i].clock.next = self.clock.val();
            self.held[i].take.next = self.in_valid.val() & !self.held_full.q.val();
            self.held[i].data.next = self.in_state.val().get_bits::<256>(256 * i);
            self.held[i].number.next = self.processor.load_number.val();
            self.entered.next = self.entered.val() | self.held[i].out.val();
        }
        if self.in_valid.val() & !self.held_full.q.val() {
            self.held_full.d.next = true;
        }
        self.processor.load_data.next = self.entered.val();
        if self.processor.load_number.val() == self.one_number.val() {
            self.processor.load_data.next = self.one.val();
            if self.processor.load.val() & self.inside.q.val() {
                self.held_full.d.next = false;
                self.inside.d.next = false;
            }
        }

        // The frame that begins next is known long before; what is in it from before a reset does not count.
        self.slots.read_address.next = self.processor.frame.val();
        self.slot.next = self.slots.read_data.val();
        self.turn_number.d.next = self.slot.val().get_bits::<7>(0);
        self.turn_occupied.d.next = self.slot.val().get_bit(7);
        self.turn_table.number.next = self.turn_number.q.val();
        self.occupied.next = self.turn_occupied.q.val() & (self.fresh.q.val() == 0);
        self.enters.next = self.processor.begins.val()
            & !self.occupied.val()
            & self.held_full.q.val()
            & !self.inside.q.val()
            & (self.contained.q.val() != self.capacity.val());
        self.turn_next.next = self.turn_number.q.val() + 1;
        self.slots.write_address.next = self.processor.frame.val();
        self.slots.write_enable.next = self.processor.begins.val();
        self.slots.write_data.next = bit_cast::<8, 7>(self.turn_next.val());
        self.processor.entering.next = self.enters.val();
        self.processor.second.next = false;
        self.processor.base.next = self.turn_table.word.val().get_bits::<10>(0);
        self.processor.kind.next = self.turn_table.word.val().get_bits::<2>(10);
        self.processor.leaving.next = self.occupied.val() & self.turn_table.word.val().get_bit(12);
        if self.occupied.val() & !self.turn_table.word.val().get_bit(12) {
            self.slots.write_data.next = self.slots.write_data.val().replace_bit(7, true);
        }
        if self.enters.val() {
            // Turn 0 begins; turn 1 comes next.
            self.slots.write_data.next = 129.into();
            self.processor.base.next = 0.into();
            self.processor.kind.next = 3.into();
            self.inside.d.next = true;
        }
        if self.processor.begins.val() {
            self.busy.d.next = self.occupied.val() | self.enters.val();
            if self.fresh.q.val() != 0 {
                self.fresh.d.next = self.fresh.q.val() - 1;
            }
        }
        self.passes.next = 0.into();
        self.starved.next = 1.into();
        if self.busy.q.val() {
            self.passes.next = 1.into();
            self.starved.next = 0.into();
        }

        // Elements leave one by one, and are gathered behind a FIFO.
        self.results.in_data.next = self.processor.store_data.val();
        self.results.in_valid.next = self.processor.store.val();
        self.give.next = self.whole.q.val() & self.out_ready.val();
        self.pull.next = self.results.out_valid.val() & (!self.whole.q.val() | self.out_ready.val());
        self.results.out_ready.next = self.pull.val();
        self.gathered_state.next = 0.into();
        self.leaving_element.next = 0.into();
        for i in 0..self._width {
            self.given[i].clock.next = self.clock.val();
            self.given[i].take.next = self.pull.val();
            self.given[i].data.next = self.results.out_data.val();
            self.given[i].number.next = self.gathered.q.val();
            self.leaving_element.next = self.given[i].out.val();
            // The highest element is the first of the list.
            self.gathered_state.next =
                (self.gathered_state.val() << 256) | bit_cast::<1280, 256>(self.leaving_element.val());
        }
        self.out_state.next = self.gathered_state.val();
        self.out_valid.next = self.whole.q.val();
        if self.give.val() {
            self.whole.d.next = false;
        }
        if self.pull.val() {
            self.gathered.d.next = self.gathered.q.val() + 1;
            if self.gathered.q.val() == self.last_element.val() {
                self.gathered.d.next = 0.into();
                self.whole.d.next = true;
            }
        }
        if self.enters.val() & !self.give.val() {
            self.contained.d.next = self.contained.q.val() + 1;
        }
        if self.give.val() & !self.enters.val() {
            self.contained.d.next = self.contained.q.val() - 1;
        }

        if self.reset.val() {
            self.held_full.d.next = false;
            self.inside.d.next = false;
            self.fresh.d.next = self.frames.val();
            self.contained.d.next = 0.into();
            self.busy.d.next = false;
            self.gathered.d.next = 0.into();
            self.whole.d.next = false;
        }
    }
}
