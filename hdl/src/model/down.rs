//! The way down of the batched adder: [`crate::curve::batched`] without its values.

use super::BatchedModel;
use super::delay::Delay;
use super::up::{Id, LEAF};
use std::collections::VecDeque;

type Place = (usize, Id);

/// From a root's inverse to those of the leaves.
pub(super) struct Down {
    leaf_depth: usize,
    leaf_margin: usize,
    /// The first and second children among the nodes, then those among the leaves, whose inverses are known.
    nodes: [VecDeque<Place>; 2],
    leaves: [VecDeque<Place>; 2],
    steps: Delay<[Place; 2]>,
    turn: bool,
}

/// Takes from one of two lists: from the first if the turn is its or the second is empty.
fn take(lists: &mut [VecDeque<Place>; 2], turn: bool) -> Option<Place> {
    let first = !lists[0].is_empty() && (turn || lists[1].is_empty());
    lists[usize::from(!first)].pop_front()
}

impl Down {
    pub(super) fn new(model: BatchedModel) -> Down {
        Down {
            leaf_depth: model.leaf_depth as usize,
            leaf_margin: model.leaf_margin as usize,
            nodes: Default::default(),
            leaves: Default::default(),
            // From the choice of a node to the cycle before its children can be chosen.
            steps: Delay::new(model.down_cycles - 1),
            turn: model.turn,
        }
    }

    /// One cycle: whether the root was taken, and the leaf that leaves. `children` knows the nodes.
    pub(super) fn step(
        &mut self,
        now: u64,
        root: Option<Place>,
        children: impl Fn(Place) -> [Id; 2],
    ) -> (bool, Option<Place>) {
        let turn = self.turn;
        self.turn = !turn;
        let room = self.leaves.iter().all(|list| self.leaf_depth - list.len() > self.leaf_margin);
        let root_leaf = root.filter(|(_, id)| id & LEAF != 0);
        let root_node = root.filter(|(_, id)| id & LEAF == 0 && room);
        let found = self.steps.leave(now);
        let node = match (root_node, room) {
            (Some(root), _) => Some(root),
            (None, true) => take(&mut self.nodes, turn),
            (None, false) => None,
        };
        let leaf = root_leaf.or_else(|| take(&mut self.leaves, turn));
        for (list, (frame, id)) in found.into_iter().flatten().enumerate() {
            match id & LEAF != 0 {
                true => self.leaves[list].push_back((frame, id & !LEAF)),
                false => self.nodes[list].push_back((frame, id)),
            }
        }
        if let Some(node) = node {
            self.steps.enter(now, children(node).map(|child| (node.0, child)));
        }
        (root_leaf.is_some() || root_node.is_some(), leaf.map(|(frame, id)| (frame, id & !LEAF)))
    }
}
