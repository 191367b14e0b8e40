//! What the backend needs of a card: the driver's, or a stand-in for tests.

use spandrel_abi::{FIELD_BYTES, Identification, TreeShape};
use spandrel_driver::{Card, DriverError, HashOutput, HashResult, Job, TreeHandle};
use std::collections::HashMap;

/// What a card is asked for. Elements are 32 bytes, little-endian, in Montgomery form.
pub(super) enum Request<'a> {
    /// A digest for each message of `width` - 1 elements.
    Hash { width: u32, output: HashOutput, inputs: &'a [u8] },
    /// A digest for each message of `message_elements` elements, by a sponge.
    Sponge {
        width: u32,
        output: HashOutput,
        capacity: [u8; FIELD_BYTES],
        message_elements: usize,
        inputs: &'a [u8],
    },
    /// The root of a new tree.
    Build { id: u64, shape: TreeShape, output: HashOutput, leaves: &'a [u8] },
    /// For each index, the groups of nodes that its path goes through, from the leaves up.
    Paths { id: u64, indices: &'a [usize] },
    /// The root of a tree with other leaves.
    Update { id: u64, entries: &'a [(usize, [u8; FIELD_BYTES])] },
}

/// A card as the backend sees it.
pub(super) trait Device: Send {
    /// Transport and profile.
    fn describe(&self) -> String;
    /// What the card says of itself.
    fn identification(&self) -> Identification;
    /// Does what it is asked for, and waits; `on_progress` hears of the cycles since it was submitted.
    fn run(
        &mut self,
        request: Request<'_>,
        on_progress: &mut dyn FnMut(u64),
    ) -> Result<HashResult, DriverError>;
    /// Frees a tree.
    fn release(&mut self, id: u64) -> Result<(), DriverError>;
}

/// The driver's card, and its trees by the backend's numbers.
pub(super) struct DriverCard {
    card: Card,
    trees: HashMap<u64, TreeHandle>,
}

impl DriverCard {
    pub(super) fn new(card: Card) -> DriverCard {
        DriverCard { card, trees: HashMap::new() }
    }

    fn wait(
        card: &mut Card,
        job: Job<HashResult>,
        on_progress: &mut dyn FnMut(u64),
    ) -> Result<HashResult, DriverError> {
        card.wait(job, &mut |progress| on_progress(progress.cycles))
    }
}

/// What becomes of a request about a tree that is not there.
pub(super) const RELEASED: DriverError = DriverError::TreeLost { since: "it was released" };

impl Device for DriverCard {
    fn describe(&self) -> String {
        self.card.name().to_owned()
    }

    fn identification(&self) -> Identification {
        *self.card.identification()
    }

    fn run(
        &mut self,
        request: Request<'_>,
        on_progress: &mut dyn FnMut(u64),
    ) -> Result<HashResult, DriverError> {
        let DriverCard { card, trees } = self;
        let job = match request {
            Request::Hash { width, output, inputs } => card.submit_poseidon(width, output, inputs)?,
            Request::Sponge { width, output, capacity, message_elements, inputs } => {
                card.submit_sponge(width, output, &capacity, message_elements, inputs)?
            }
            Request::Build { id, shape, output, leaves } => {
                let (tree, job) = card.submit_merkle_build(shape, output, leaves)?;
                let result = DriverCard::wait(card, job, on_progress)?;
                trees.insert(id, tree);
                return Ok(result);
            }
            Request::Paths { id, indices } => {
                card.submit_merkle_paths(trees.get(&id).ok_or(RELEASED)?, indices)?
            }
            Request::Update { id, entries } => {
                card.submit_merkle_update(trees.get(&id).ok_or(RELEASED)?, entries)?
            }
        };
        DriverCard::wait(card, job, on_progress)
    }

    fn release(&mut self, id: u64) -> Result<(), DriverError> {
        self.card.release_tree(self.trees.remove(&id).ok_or(RELEASED)?)
    }
}
