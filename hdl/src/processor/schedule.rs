//! Which operation is when: modulo scheduling.
//!
//! Rau, "Iterative modulo scheduling: an algorithm for software pipelining loops" (1994), without its iteration: operations
//! are placed once, those with the longest way to the end first. A frame begins every *period*; the operations of all frames
//! under way share the processor, each cycle of the period being one word of the program memory.

use super::program::{Action, Choice, Operand, Program};

/// Cycles that operations take, counted in words; all follow from the processor's pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the word of an addition to the word that writes its sum.
    pub add: usize,
    /// From the word of a product to the word that writes it.
    pub multiply: usize,
    /// Products begin in words whose number is a multiple of this.
    pub interval: usize,
}

/// Where an operand is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Zero: neither of the following.
    pub zero: bool,
    /// A constant instead of a register.
    pub constant: bool,
    /// Number of the register in the frame, or of the constant behind the frame's base.
    pub index: usize,
}

/// Where an operand of a word is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// As a rule.
    pub usual: Place,
    /// In frames of `kinds`.
    pub other: Place,
    /// Bit k: frames of kind k take the other.
    pub kinds: u8,
}

/// What a word writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Written {
    /// Nothing.
    #[default]
    Nothing,
    /// A sum, to a register.
    Sum,
    /// A product, to a register.
    Product,
    /// An input of a frame that is entered, to a register.
    Input {
        /// Its number.
        input: usize,
    },
    /// A sum, to an output.
    Output {
        /// Its number.
        output: usize,
    },
}

/// A word of the program memory: what is read in a cycle of the period, and what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// How many frames ago the frame began whose operands are read.
    pub read_lag: usize,
    /// First operand.
    pub a: Source,
    /// Second operand.
    pub b: Source,
    /// The sum is a difference.
    pub subtract: bool,
    /// The sum is brought below p.
    pub exact: bool,
    /// How many frames ago the frame began that is written.
    pub write_lag: usize,
    /// What is written.
    pub written: Written,
    /// The register.
    pub register: usize,
}

/// Why there is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Too many registers.
    #[error("a frame needs {needed} registers and has {MAX_REGISTERS}: a shorter program needs fewer")]
    Registers {
        /// Registers needed.
        needed: usize,
    },
    /// A state's new value is wanted before the last use of the old one, which has no register of its own.
    #[error(
        "operations wait for each other in a circle: copy a state whose old and new values are both wanted"
    )]
    Circle,
}

/// Registers of a frame.
pub const MAX_REGISTERS: usize = 32;

/// Frames of a processor.
pub const MAX_FRAMES: usize = 16;

/// A program with its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// A word for each cycle of the period.
    pub words: Vec<Word>,
    /// Frames: one begins every period, and its place is used again after so many periods.
    pub frames: usize,
    /// Cycles from a frame's first word to the one that writes its last result.
    pub length: usize,
    /// Registers of a frame.
    pub registers: usize,
    /// The word of each operation, counted from the beginning of the frame.
    pub times: Vec<usize>,
}

/// What an operation waits for: at least so many cycles behind another one.
struct Edge {
    from: usize,
    to: usize,
    cycles: isize,
}

impl Schedule {
    /// The schedule with the shortest period.
    pub fn new(program: &Program, timing: Timing) -> Result<Schedule, ScheduleError> {
        let products =
            program.operations().iter().filter(|operation| operation.action == Action::Multiply).count();
        if !orderable(program.operations().len(), &edges(program, timing)) {
            return Err(ScheduleError::Circle);
        }
        let mut period = (products * timing.interval).max(timing.interval);
        loop {
            // Sums that leave the cycles of products alone never take one's place; where there are few products, they
            // need not.
            for apart in [true, false] {
                if let Some(times) = times(program, timing, period, apart) {
                    let schedule = Schedule::of(program, timing, period, times)?;
                    // With a longer period fewer frames are under way at once.
                    if schedule.frames <= MAX_FRAMES {
                        return Ok(schedule);
                    }
                }
            }
            period += timing.interval;
        }
    }

    /// Cycles from the beginning of one frame to that of the next.
    pub fn period(&self) -> usize {
        self.words.len()
    }

    fn of(
        program: &Program,
        timing: Timing,
        period: usize,
        times: Vec<usize>,
    ) -> Result<Schedule, ScheduleError> {
        let operations = program.operations();
        let written = |index: usize| times[index] + write_delay(operations[index].action, timing);
        let length = (0..operations.len()).map(written).max().unwrap_or_default();
        // A frame's place is free when its last word is over; and a state is there when the next turn wants it.
        let mut needed = length / period + 1;
        for (index, operation) in operations.iter().enumerate() {
            let Some(state) = operation.state.filter(|_| !matches!(operation.action, Action::Load { .. }))
            else {
                continue;
            };
            let first = first_use(program, &times, state).unwrap_or(0);
            needed = needed.max((written(index) + 1).saturating_sub(first).div_ceil(period));
        }
        let registers = registers(program, &times, written);
        let count = registers.iter().flatten().max().map_or(0, |most| most + 1).max(program.states());
        if count > MAX_REGISTERS {
            return Err(ScheduleError::Registers { needed: count });
        }

        let mut words = vec![Word::default(); period];
        let place = |operand: Operand| match operand {
            Operand::Zero => Place { zero: true, ..Place::default() },
            Operand::Constant(index) => Place { constant: true, index, ..Place::default() },
            Operand::Value(value) => {
                Place { index: registers[value.0].unwrap_or_default(), ..Place::default() }
            }
            Operand::State(state) => Place { index: state, ..Place::default() },
        };
        let source = |choice: &Choice| Source {
            usual: place(choice.usual),
            other: place(choice.other),
            kinds: choice.kinds,
        };
        for (index, operation) in operations.iter().enumerate() {
            if !matches!(operation.action, Action::Load { .. }) {
                let word = &mut words[times[index] % period];
                word.read_lag = times[index] / period;
                (word.a, word.b) = (source(&operation.a), source(&operation.b));
                word.subtract = operation.action == Action::Subtract;
                word.exact = matches!(operation.action, Action::Give { .. });
            }
            let word = &mut words[written(index) % period];
            word.write_lag = written(index) / period;
            word.register = registers[index].unwrap_or_default();
            word.written = match operation.action {
                Action::Load { input } => Written::Input { input },
                Action::Multiply => Written::Product,
                Action::Add | Action::Subtract => Written::Sum,
                Action::Give { output } => Written::Output { output },
            };
        }
        Ok(Schedule { words, frames: needed, length, registers: count, times })
    }
}

/// Words from an operation's own to the one that writes its result.
fn write_delay(action: Action, timing: Timing) -> usize {
    match action {
        Action::Load { .. } => 0,
        Action::Multiply => timing.multiply,
        Action::Add | Action::Subtract | Action::Give { .. } => timing.add,
    }
}

/// The first word in which a state is used or loaded.
fn first_use(program: &Program, times: &[usize], state: usize) -> Option<usize> {
    let uses = program.operations().iter().zip(times).filter(|(operation, _)| {
        let loads = operation.state == Some(state) && matches!(operation.action, Action::Load { .. });
        loads || operands(operation).contains(&Operand::State(state))
    });
    uses.map(|(_, time)| *time).min()
}

fn operands(operation: &super::program::Operation) -> [Operand; 4] {
    [operation.a.usual, operation.a.other, operation.b.usual, operation.b.other]
}

/// What waits for what.
fn edges(program: &Program, timing: Timing) -> Vec<Edge> {
    let operations = program.operations();
    let mut edges = Vec::new();
    let mut last: [Option<usize>; 2] = [None; 2];
    for (index, operation) in operations.iter().enumerate() {
        // A register that is written by a word can be read by the next one.
        let behind = |from: usize| Edge {
            from,
            to: index,
            cycles: write_delay(operations[from].action, timing) as isize + 1,
        };
        for operand in operands(operation) {
            match operand {
                Operand::Value(value) => edges.push(behind(value.0)),
                Operand::State(state) => {
                    for (other, writer) in operations.iter().enumerate() {
                        if writer.state != Some(state) {
                            continue;
                        }
                        match writer.action {
                            Action::Load { .. } => edges.push(behind(other)),
                            // Overwritten only behind this word.
                            _ if other != index => edges.push(Edge {
                                from: index,
                                to: other,
                                cycles: 1 - write_delay(writer.action, timing) as isize,
                            }),
                            _ => {}
                        }
                    }
                }
                Operand::Zero | Operand::Constant(_) => {}
            }
        }
        // Inputs and outputs are in their order.
        let stream = match operation.action {
            Action::Load { .. } => 0,
            Action::Give { .. } => 1,
            _ => continue,
        };
        if let Some(from) = last[stream].replace(index) {
            edges.push(Edge { from, to: index, cycles: 1 });
        }
    }
    edges
}

/// Whether no operation waits for itself.
fn orderable(count: usize, edges: &[Edge]) -> bool {
    let mut placed = vec![false; count];
    for _ in 0..count {
        let ready = |index: &usize| {
            !placed[*index] && edges.iter().all(|edge| edge.to != *index || placed[edge.from])
        };
        let Some(index) = (0..count).find(ready) else { return false };
        placed[index] = true;
    }
    true
}

/// Words of all operations with this period, or none.
fn times(program: &Program, timing: Timing, period: usize, apart: bool) -> Option<Vec<usize>> {
    let operations = program.operations();
    let edges = edges(program, timing);
    // The longest way to the end; ways are short, so that it is stable after a few rounds.
    let mut way = vec![0isize; operations.len()];
    for _ in 0..operations.len() {
        for edge in edges.iter().rev() {
            way[edge.from] = way[edge.from].max(way[edge.to] + edge.cycles);
        }
    }
    let mut times: Vec<Option<usize>> = vec![None; operations.len()];
    let (mut reads, mut writes) = (vec![false; period], vec![false; period]);
    let product_writes = timing.multiply % timing.interval;
    for _ in 0..operations.len() {
        let ready = |index: &usize| {
            times[*index].is_none()
                && edges.iter().all(|edge| edge.to != *index || times[edge.from].is_some())
        };
        let index =
            (0..operations.len()).filter(ready).max_by_key(|index| (way[*index], usize::MAX - *index))?;
        let earliest = edges
            .iter()
            .filter(|edge| edge.to == index)
            .filter_map(|edge| times[edge.from].map(|time| (time as isize + edge.cycles).max(0) as usize));
        let earliest = earliest.max().unwrap_or(0);
        let action = operations[index].action;
        let fits = |time: &usize| {
            let (read, write) = (time % period, (time + write_delay(action, timing)) % period);
            let of_product = action == Action::Multiply;
            let reads_at_all = !matches!(action, Action::Load { .. });
            let product_cycle =
                (reads_at_all && read % timing.interval == 0) || write % timing.interval == product_writes;
            let in_its_cycle = match of_product {
                true => read % timing.interval == 0,
                false => !(apart && product_cycle),
            };
            let can_read = !reads_at_all || !reads[read];
            // An input enters while the frame is the youngest.
            let enters_in_time = reads_at_all || *time < period;
            in_its_cycle && can_read && !writes[write] && enters_in_time
        };
        let time = (earliest..earliest + period).find(fits)?;
        times[index] = Some(time);
        if !matches!(action, Action::Load { .. }) {
            reads[time % period] = true;
        }
        writes[(time + write_delay(action, timing)) % period] = true;
    }
    times.into_iter().collect()
}

/// The register of each operation's result: states have the lowest; others are given one that is free from the word that
/// writes it to the last one that reads it. Results that nobody reads have none.
fn registers(program: &Program, times: &[usize], written: impl Fn(usize) -> usize) -> Vec<Option<usize>> {
    let operations = program.operations();
    let last_read = |index: usize| {
        let reads = operations.iter().zip(times).filter(|(operation, _)| {
            operands(operation).contains(&Operand::Value(super::program::Value(index)))
        });
        reads.map(|(_, time)| *time).max()
    };
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|index| written(*index));
    let mut registers: Vec<Option<usize>> = operations.iter().map(|operation| operation.state).collect();
    // The word behind which each register is free.
    let mut free: Vec<usize> = Vec::new();
    for index in order {
        if registers[index].is_some() || matches!(operations[index].action, Action::Give { .. }) {
            continue;
        }
        // What nobody reads is written all the same.
        let last = last_read(index).unwrap_or(written(index));
        let place = free.iter().position(|until| *until < written(index));
        let place = place.unwrap_or_else(|| {
            free.push(0);
            free.len() - 1
        });
        free[place] = last;
        registers[index] = Some(program.states() + place);
    }
    registers
}
