//! Hashes and trees on a card.

mod device;

#[cfg(test)]
mod tests;

use super::cpu::paths_of;
use super::{
    Arity, HashBackend, HashError, HashOutcome, HashRun, Output, Path, PathsOutcome, TreeId, TreeOutcome,
    check_messages, depth_of,
};
use crate::backend::{CardProgress, OnProgress, fresh_id};
use crate::formats::{fr_from_montgomery, integer_to_bytes};
use ark_bn254::Fr;
use device::{Device, DriverCard, Request};
use spandrel_abi::{FIELD_BYTES, Identification, TreeShape};
use spandrel_driver::{HashOutput, HashResult};
use spandrel_poseidon::{InputError, Tree, WIDTHS, WidthError, sponge_capacity};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;
use zeroize::Zeroizing;

/// A card. Several threads may share it: they take turns.
pub struct CardHasher {
    id: u64,
    name: String,
    identification: Identification,
    on_progress: OnProgress,
    state: Mutex<State>,
}

/// What one call at a time works on.
struct State {
    device: Box<dyn Device>,
    trees: HashMap<u64, Kept>,
    /// Cycles of all work that has ended.
    cycles: u64,
}

/// A tree.
enum Kept {
    /// In card memory; its shape there, and its root.
    OnCard(TreeShape, Fr),
    /// Without nodes above its leaves, or without leaves: nothing for a card to do.
    Small(Tree),
}

impl CardHasher {
    /// Takes over a card. `on_progress` is told, from the thread that waits, how far it has come.
    pub fn new(card: spandrel_driver::Card, on_progress: OnProgress) -> CardHasher {
        CardHasher::over(DriverCard::new(card), on_progress)
    }

    fn over(device: impl Device + 'static, on_progress: OnProgress) -> CardHasher {
        let name = format!("card {}", device.describe());
        let identification = device.identification();
        let state = State { device: Box::new(device), trees: HashMap::new(), cycles: 0 };
        CardHasher { id: fresh_id(), name, identification, on_progress, state: Mutex::new(state) }
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, HashError> {
        self.state.lock().map_err(|_| HashError::Gone { backend: self.name.clone() })
    }

    /// Has the card do something for states of `width` elements, and takes its elements, of which there must be `count`.
    fn run(
        &self,
        state: &mut State,
        width: u32,
        count: usize,
        request: Request<'_>,
    ) -> Result<(Vec<Fr>, HashRun), HashError> {
        let before = state.cycles;
        let told = |cycles| (self.on_progress)(CardProgress { cycles: before + cycles, sample: None });
        let started = Instant::now();
        let ran = state.device.run(request, &mut |cycles| told(cycles));
        let result = ran.map_err(|source| HashError::Device { backend: self.name.clone(), source })?;
        let seconds = started.elapsed().as_secs_f64();
        state.cycles += result.cycles;
        told(result.cycles);
        let HashResult { bytes, cycles, counters } = result;
        let elements = elements_of(&bytes, count)
            .map_err(|why| HashError::BadResult { backend: self.name.clone(), why })?;
        let run = HashRun {
            cycles,
            seconds,
            hashes: counters.elements,
            passes: counters.hash_passes,
            starved: counters.hash_starved,
            lanes: self.identification.lanes(width),
            width,
            counters,
        };
        Ok((elements, run))
    }
}

impl HashBackend for CardHasher {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn hash(&self, width: usize, output: Output, inputs: &[Fr]) -> Result<HashOutcome, HashError> {
        let (card_width, each) = (width_of(width)?, width - 1);
        if !inputs.len().is_multiple_of(each) {
            return Err(InputError::PartialMessage { found: inputs.len(), each }.into());
        }
        if inputs.is_empty() {
            return Ok(HashOutcome { digests: Vec::new(), card: None });
        }
        let bytes = bytes_of(inputs);
        let request = Request::Hash { width: card_width, output: output_of(output), inputs: &bytes };
        let (digests, run) = self.run(&mut *self.state()?, card_width, inputs.len() / each, request)?;
        Ok(HashOutcome { digests, card: Some(run) })
    }

    fn sponge(&self, width: usize, message_elements: usize, inputs: &[Fr]) -> Result<HashOutcome, HashError> {
        let card_width = width_of(width)?;
        let messages = check_messages(message_elements, inputs)?;
        if messages == 0 {
            return Ok(HashOutcome { digests: Vec::new(), card: None });
        }
        let bytes = bytes_of(inputs);
        let request = Request::Sponge {
            width: card_width,
            output: HashOutput::Second,
            capacity: integer_to_bytes(&sponge_capacity(message_elements).0),
            message_elements,
            inputs: &bytes,
        };
        let (digests, run) = self.run(&mut *self.state()?, card_width, messages, request)?;
        Ok(HashOutcome { digests, card: Some(run) })
    }

    fn build(
        &self,
        arity: Arity,
        output: Output,
        depth: Option<u32>,
        leaves: &[Fr],
    ) -> Result<(TreeId, TreeOutcome), HashError> {
        let depth = depth_of(arity, depth, leaves.len())?;
        let named = TreeId { owner: self.id, id: fresh_id(), arity, output, depth, len: leaves.len() };
        let mut state = self.state()?;
        let Some(shape) = named.shape() else {
            let tree = Tree::build(arity, output, Some(depth), leaves.to_vec())?;
            let outcome = TreeOutcome { root: tree.root(), hashes: 0, card: None };
            state.trees.insert(named.id, Kept::Small(tree));
            return Ok((named, outcome));
        };
        let bytes = bytes_of(leaves);
        let request = Request::Build { id: named.id, shape, output: output_of(output), leaves: &bytes };
        let (roots, run) = self.run(&mut state, shape.arity + 1, 1, request)?;
        state.trees.insert(named.id, Kept::OnCard(shape, roots[0]));
        Ok((named, TreeOutcome { root: roots[0], hashes: shape.hashes(), card: Some(run) }))
    }

    fn paths(&self, tree: &TreeId, indices: &[usize]) -> Result<PathsOutcome, HashError> {
        indices.iter().try_for_each(|index| tree.check_index(*index))?;
        let (id, mut state) = (tree.id(self.id)?, self.state()?);
        let shape = match state.trees.get(&id) {
            None => return Err(HashError::ForeignTree),
            Some(Kept::Small(kept)) => return paths_of(kept, tree, indices),
            Some(Kept::OnCard(shape, _)) => *shape,
        };
        if indices.is_empty() {
            return Ok(PathsOutcome { leaves: Vec::new(), paths: Vec::new(), card: None });
        }
        let nodes = shape.path_bytes() / FIELD_BYTES;
        let request = Request::Paths { id, indices };
        let (elements, run) = self.run(&mut state, shape.arity + 1, indices.len() * nodes, request)?;
        let (mut leaves, mut paths) = (Vec::new(), Vec::new());
        for (index, groups) in indices.iter().zip(elements.chunks(nodes)) {
            let (leaf, path) = path_of(tree, *index, groups);
            leaves.push(leaf);
            paths.push(path);
        }
        Ok(PathsOutcome { leaves, paths, card: Some(run) })
    }

    fn update(&self, tree: &TreeId, entries: &[(usize, Fr)]) -> Result<TreeOutcome, HashError> {
        let hashes = tree.check_entries(entries)?;
        let (id, mut state) = (tree.id(self.id)?, self.state()?);
        let (shape, root) = match state.trees.get_mut(&id) {
            None => return Err(HashError::ForeignTree),
            Some(Kept::Small(kept)) => {
                return Ok(TreeOutcome { root: kept.update(entries)?, hashes, card: None });
            }
            Some(Kept::OnCard(shape, root)) => (*shape, *root),
        };
        if entries.is_empty() {
            return Ok(TreeOutcome { root, hashes, card: None });
        }
        let element = |leaf: &Fr| integer_to_bytes(&leaf.0);
        let entries: Zeroizing<Vec<_>> =
            Zeroizing::new(entries.iter().map(|(index, leaf)| (*index, element(leaf))).collect());
        let request = Request::Update { id, entries: &entries };
        let (roots, run) = self.run(&mut state, shape.arity + 1, 1, request)?;
        state.trees.insert(id, Kept::OnCard(shape, roots[0]));
        Ok(TreeOutcome { root: roots[0], hashes, card: Some(run) })
    }

    fn release(&self, tree: TreeId) -> Result<(), HashError> {
        let (id, mut state) = (tree.id(self.id)?, self.state()?);
        match state.trees.remove(&id) {
            None => Err(HashError::ForeignTree),
            Some(Kept::Small(_)) => Ok(()),
            Some(Kept::OnCard(..)) => state
                .device
                .release(id)
                .map_err(|source| HashError::Device { backend: self.name.clone(), source }),
        }
    }

    fn identification(&self) -> Option<Identification> {
        Some(self.identification)
    }
}

/// The width as cards take it.
fn width_of(width: usize) -> Result<u32, WidthError> {
    let known = u32::try_from(width).ok().filter(|_| WIDTHS.contains(&width));
    known.ok_or(WidthError { width })
}

fn output_of(output: Output) -> HashOutput {
    match output {
        Output::First => HashOutput::First,
        Output::Second => HashOutput::Second,
    }
}

/// Elements as cards take them, which are overwritten when dropped.
fn bytes_of(elements: &[Fr]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(elements.len() * FIELD_BYTES));
    for element in elements {
        bytes.extend_from_slice(&integer_to_bytes(&element.0));
    }
    bytes
}

/// The elements of a result, checked: a card is not trusted to write what it should. The error is a clause.
fn elements_of(bytes: &[u8], count: usize) -> Result<Vec<Fr>, String> {
    let (list, rest) = bytes.as_chunks::<FIELD_BYTES>();
    if list.len() != count || !rest.is_empty() {
        return Err(format!("{} bytes came where there are {count} elements of {FIELD_BYTES}", bytes.len()));
    }
    let element = |(index, bytes)| {
        fr_from_montgomery(bytes).ok_or_else(|| format!("element {index} of {count} is not below the prime"))
    };
    list.iter().enumerate().map(element).collect()
}

/// A leaf and its path, from the groups of nodes that it goes through.
fn path_of(tree: &TreeId, index: usize, groups: &[Fr]) -> (Fr, Path) {
    let arity = tree.arity.children();
    let (mut node, mut siblings) = (index, Vec::new());
    for group in groups.chunks(arity) {
        let (before, from) = group.split_at(node % arity);
        siblings.push([before, &from[1..]].concat());
        node /= arity;
    }
    (groups[index % arity], Path { arity: tree.arity, output: tree.output, index, siblings })
}
