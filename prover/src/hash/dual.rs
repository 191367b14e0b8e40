//! Two hash backends that must agree.

use super::{
    Arity, HashBackend, HashError, HashOutcome, Output, PathsOutcome, TreeId, TreeOutcome, depth_of,
};
use crate::backend::fresh_id;
use ark_bn254::Fr;
use spandrel_abi::Identification;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Computes everything on two backends at the same time and compares the results.
pub struct DualHasher {
    id: u64,
    first: Box<dyn HashBackend>,
    second: Box<dyn HashBackend>,
    trees: Mutex<HashMap<u64, Arc<(TreeId, TreeId)>>>,
}

impl DualHasher {
    /// A pair. What a card measured is told from the second, so it should be the one with hardware of its own.
    pub fn new(first: Box<dyn HashBackend>, second: Box<dyn HashBackend>) -> DualHasher {
        DualHasher { id: fresh_id(), first, second, trees: Mutex::new(HashMap::new()) }
    }

    fn trees(&self) -> MutexGuard<'_, HashMap<u64, Arc<(TreeId, TreeId)>>> {
        // The table is whole between any two statements that use it.
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pair(&self, tree: &TreeId) -> Result<Arc<(TreeId, TreeId)>, HashError> {
        self.trees().get(&tree.id(self.id)?).cloned().ok_or(HashError::ForeignTree)
    }

    /// Runs the same on both. An error of the second matters more: the first is there to check it.
    fn both<T: Send>(
        &self,
        first: impl FnOnce(&dyn HashBackend) -> Result<T, HashError>,
        second: impl FnOnce(&dyn HashBackend) -> Result<T, HashError> + Send,
    ) -> Result<(T, T), HashError> {
        let (first, second) = self.both_ended(first, second);
        let second = second?;
        Ok((first?, second))
    }

    fn both_ended<T: Send>(
        &self,
        first: impl FnOnce(&dyn HashBackend) -> Result<T, HashError>,
        second: impl FnOnce(&dyn HashBackend) -> Result<T, HashError> + Send,
    ) -> (Result<T, HashError>, Result<T, HashError>) {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| second(&*self.second));
            let first = first(&*self.first);
            let gone = |_| Err(HashError::Gone { backend: self.second.describe() });
            (first, running.join().unwrap_or_else(gone))
        })
    }

    /// Compares element by element; `name` says what the one at an index is.
    fn compare(&self, first: &[Fr], second: &[Fr], name: impl Fn(usize) -> String) -> Result<(), HashError> {
        let most = first.len().max(second.len());
        let Some(index) = (0..most).find(|index| first.get(*index) != second.get(*index)) else {
            return Ok(());
        };
        let text = |element: Option<&Fr>| element.map_or("nothing".to_owned(), Fr::to_string);
        Err(HashError::Disagreement {
            first: self.first.describe(),
            second: self.second.describe(),
            what: name(index),
            first_element: text(first.get(index)),
            second_element: text(second.get(index)),
        })
    }

    fn compare_digests(&self, (first, second): (HashOutcome, HashOutcome)) -> Result<HashOutcome, HashError> {
        let count = first.digests.len();
        self.compare(&first.digests, &second.digests, |index| format!("digest {index} of {count}"))?;
        Ok(HashOutcome { digests: first.digests, card: second.card.or(first.card) })
    }

    fn compare_roots(
        &self,
        first: TreeOutcome,
        second: TreeOutcome,
        leaves: usize,
    ) -> Result<TreeOutcome, HashError> {
        let name = |_| format!("the root of a tree of {leaves} leaves");
        self.compare(&[first.root], &[second.root], name)?;
        Ok(TreeOutcome { card: second.card.or(first.card), ..first })
    }
}

impl HashBackend for DualHasher {
    fn describe(&self) -> String {
        format!("{} and {}, compared", self.first.describe(), self.second.describe())
    }

    fn hash(&self, width: usize, output: Output, inputs: &[Fr]) -> Result<HashOutcome, HashError> {
        let run = |backend: &dyn HashBackend| backend.hash(width, output, inputs);
        self.compare_digests(self.both(run, run)?)
    }

    fn sponge(&self, width: usize, message_elements: usize, inputs: &[Fr]) -> Result<HashOutcome, HashError> {
        let run = |backend: &dyn HashBackend| backend.sponge(width, message_elements, inputs);
        self.compare_digests(self.both(run, run)?)
    }

    fn build(
        &self,
        arity: Arity,
        output: Output,
        depth: Option<u32>,
        leaves: &[Fr],
    ) -> Result<(TreeId, TreeOutcome), HashError> {
        let depth = depth_of(arity, depth, leaves.len())?;
        let run = |backend: &dyn HashBackend| backend.build(arity, output, Some(depth), leaves);
        let (first, second) = match self.both_ended(run, run) {
            (Ok(first), Ok(second)) => (first, second),
            (first, second) => {
                // Which of them failed is told; the other one's tree is not left behind.
                let error = second.map(|built| self.second.release(built.0)).err();
                let other = first.map(|built| self.first.release(built.0)).err();
                return Err(error.or(other).unwrap_or(HashError::ForeignTree));
            }
        };
        let pair = (first.0, second.0);
        let outcome = match self.compare_roots(first.1, second.1, leaves.len()) {
            Ok(outcome) => outcome,
            Err(error) => {
                // The error that matters is the disagreement.
                let _ = (self.first.release(pair.0), self.second.release(pair.1));
                return Err(error);
            }
        };
        let tree = TreeId { owner: self.id, id: fresh_id(), arity, output, depth, len: leaves.len() };
        self.trees().insert(tree.id, Arc::new(pair));
        Ok((tree, outcome))
    }

    fn paths(&self, tree: &TreeId, indices: &[usize]) -> Result<PathsOutcome, HashError> {
        let pair = self.pair(tree)?;
        let (first, second) =
            self.both(|backend| backend.paths(&pair.0, indices), |backend| backend.paths(&pair.1, indices))?;
        self.compare(&first.leaves, &second.leaves, |place| format!("leaf {}", indices[place]))?;
        for (place, index) in indices.iter().enumerate() {
            let siblings = |outcome: &PathsOutcome| -> Vec<Fr> {
                outcome.paths.get(place).map(|path| path.siblings.concat()).unwrap_or_default()
            };
            let others = tree.arity.children() - 1;
            self.compare(&siblings(&first), &siblings(&second), |at| {
                format!("sibling {} at level {} of the path of leaf {index}", at % others, at / others)
            })?;
        }
        Ok(PathsOutcome { card: second.card.or(first.card), ..first })
    }

    fn update(&self, tree: &TreeId, entries: &[(usize, Fr)]) -> Result<TreeOutcome, HashError> {
        let pair = self.pair(tree)?;
        // Before either of them has changed anything.
        tree.check_entries(entries)?;
        let (first, second) = self
            .both(|backend| backend.update(&pair.0, entries), |backend| backend.update(&pair.1, entries))?;
        self.compare_roots(first, second, tree.len)
    }

    fn release(&self, tree: TreeId) -> Result<(), HashError> {
        let pair = self.trees().remove(&tree.id(self.id)?).ok_or(HashError::ForeignTree)?;
        // A call that runs at this moment holds the pair a little longer; both backends then free the tree when they are
        // dropped themselves.
        let Some((first, second)) = Arc::into_inner(pair) else { return Ok(()) };
        let released = self.first.release(first);
        self.second.release(second).and(released)
    }

    fn identification(&self) -> Option<Identification> {
        self.second.identification().or_else(|| self.first.identification())
    }
}
