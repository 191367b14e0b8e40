//! The batched adder: [`crate::curve::batched`] without its values.

use super::delay::Delay;
use super::down::Down;
use super::up::{Id, Up};
use super::{BatchedModel, FRAMES, Leaf, Pair, Token};
use std::collections::VecDeque;

#[derive(Clone, Default)]
struct Frame {
    sums: Vec<Token>,
    children: Vec<[Id; 2]>,
    /// Leaves of a closed batch that have not left.
    left: u32,
}

/// What an adder did in a cycle.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AdderEvents {
    /// A sum leaves.
    pub(super) sum: Option<Token>,
    /// A pair is found to have no sum.
    pub(super) annihilated: bool,
    /// A pair is found to be a doubling.
    pub(super) doubling: bool,
}

/// The adder.
pub(super) struct Batched {
    model: BatchedModel,
    front: Delay<Leaf>,
    intake: VecDeque<Leaf>,
    entered: u32,
    open: bool,
    up: Up,
    frames: [Frame; FRAMES],
    /// The inverter: busy until this cycle, with this root.
    inverting: Option<(u64, (usize, Id))>,
    inverse: Option<(usize, Id)>,
    down: Down,
    sums: Delay<Token>,
    pub(super) batches: u64,
}

impl Batched {
    pub(super) fn new(model: BatchedModel) -> Batched {
        Batched {
            model,
            front: Delay::new(model.front_cycles),
            intake: VecDeque::new(),
            entered: 0,
            open: true,
            up: Up::new(model),
            frames: Default::default(),
            inverting: None,
            inverse: None,
            down: Down::new(model),
            // Two cycles to read the leaf's record.
            sums: Delay::new(model.add_cycles + 2),
            batches: 0,
        }
    }

    pub(super) fn ready(&self) -> bool {
        self.open
    }

    /// One cycle; a pair is only given while `ready`.
    pub(super) fn step(&mut self, now: u64, pair: Option<Pair>) -> AdderEvents {
        let mut events = AdderEvents { sum: self.sums.leave(now), ..AdderEvents::default() };
        let arrived = self.front.leave(now);
        if let Some(leaf) = arrived {
            events.annihilated = leaf.annihilates;
            events.doubling = leaf.doubling;
        }
        if let Some(Pair { slot, p, q }) = pair {
            let sum = p.wrapping_add(q);
            let leaf =
                Leaf { sum: Token { slot, point: sum }, annihilates: sum == 0, doubling: sum != 0 && p == q };
            self.front.enter(now, leaf);
        }

        // Way up. Its frames' states are those at the beginning of the cycle, so the way down comes later.
        let free = std::array::from_fn(|frame| self.frames[frame].left == 0);
        let offered = self.intake.front().copied();
        let fill = self.up.frame;
        let up = self.up.step(now, offered, free, self.inverting.is_none(), events.sum.is_some());
        if let (Some(index), Some(leaf)) = (up.took, offered) {
            self.intake.pop_front();
            let frame = &mut self.frames[fill];
            if index == 0 {
                frame.sums.clear();
                frame.children.clear();
            }
            frame.sums.push(leaf.sum);
        }
        if let Some((frame, _, children)) = up.node {
            self.frames[frame].children.push(children);
        }

        // Inverter and way down.
        let frames = &self.frames;
        let (root_taken, leaf) =
            self.down.step(now, self.inverse, |(frame, id)| frames[frame].children[usize::from(id)]);
        if root_taken {
            self.inverse = None;
        }
        if let Some((done, root)) = self.inverting
            && done <= now + 1
            && self.inverse.is_none()
        {
            self.inverting = None;
            self.inverse = Some(root);
        }
        if let Some(root) = up.root {
            self.inverting = Some((now + u64::from(self.model.inverse_cycles), root));
        }
        if let Some((frame, index)) = leaf {
            self.sums.enter(now, self.frames[frame].sums[usize::from(index)]);
            self.frames[frame].left -= 1;
        }
        if let Some((frame, leaves)) = up.closed {
            self.frames[frame].left = leaves;
            self.batches += 1;
        }

        // Intake.
        if let Some(leaf) = arrived
            && !leaf.annihilates
        {
            self.intake.push_back(leaf);
        }
        self.entered += u32::from(pair.is_some());
        self.entered -= u32::from(events.annihilated) + u32::from(up.took.is_some());
        self.open = self.entered < self.model.intake_depth;
        events
    }
}
