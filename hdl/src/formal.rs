//! Small instances of the card's blocks, for proofs over their Verilog.
//!
//! A proof holds for the instance that it is made on. Each is as small as the block's constructor allows without
//! losing a case: depths that are no power of two where an index wraps, two of everything where things take turns. The
//! properties and the depths they are proved to stand in `hdl/formal`; `cargo xtask formal` runs them.

use crate::axi::{BurstPlan, LiteSlave, ReadDma, WriteDma};
use crate::card::{QueueControl, Report};
use crate::curve::Curve;
use crate::datapath::{Datapath, DatapathConfig};
use crate::emit::{EmitError, Emitted, emit};
use crate::field::Prime;
use crate::msm::{Buckets, FullFlags, PairFifo, PointStore, Shape};
use crate::pcie::Requests;
use crate::profile::{Profile, ProfileError};
use crate::stream::{Fifo, Pair, Skid, Split};
use num_bigint::BigUint;
use rust_hdl::prelude::Block;
use spandrel_abi::Identification;
use std::str::FromStr;

/// Beats that the bus masters buffer here: the longest burst, the least they take.
const BUFFER_BEATS: usize = crate::axi::MAX_BURST_BEATS;

/// Entries of the returning tokens' pair FIFO in the instance of the buckets.
const PAIR_FIFO_DEPTH: u32 = 32;

/// A block as it is proved.
#[derive(Clone, Copy, Debug)]
pub struct FormalBlock {
    name: &'static str,
    make: fn(&str) -> Result<Emitted, FormalError>,
}

/// No block has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no block {name} for proofs: blocks are {known}", known = names())]
pub struct UnknownBlock {
    /// What was asked for.
    pub name: String,
}

/// A block could not be written as Verilog.
#[derive(Debug, thiserror::Error)]
pub enum FormalError {
    /// The block is at fault.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The profile that it is made after is at fault.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

fn names() -> String {
    FormalBlock::ALL.iter().map(|block| block.name).collect::<Vec<_>>().join(", ")
}

impl FormalBlock {
    /// Every block that something is proved of.
    pub const ALL: &[FormalBlock] = &[
        FormalBlock { name: "skid", make: |top| whole(Skid::<8>::default(), top) },
        FormalBlock { name: "fifo", make: |top| whole(Fifo::<8>::new(5), top) },
        FormalBlock { name: "pair", make: |top| whole(Pair::<4, 8>::default(), top) },
        FormalBlock { name: "split", make: |top| whole(Split::<4, 8>::default(), top) },
        FormalBlock {
            name: "pair_fifo",
            make: |top| whole(PairFifo::new(5, &PointStore::affine(Curve::Bn254)), top),
        },
        FormalBlock { name: "full_flags", make: |top| whole(FullFlags::new(6), top) },
        FormalBlock { name: "buckets", make: buckets },
        FormalBlock { name: "requests", make: |top| whole(Requests::default(), top) },
        FormalBlock { name: "burst_plan", make: |top| whole(BurstPlan::<256>::default(), top) },
        FormalBlock { name: "read_dma", make: |top| whole(ReadDma::<256>::new(BUFFER_BEATS), top) },
        FormalBlock { name: "write_dma", make: |top| whole(WriteDma::<256, 32>::new(BUFFER_BEATS), top) },
        FormalBlock { name: "card_read_dma", make: |top| whole(ReadDma::<512>::new(BUFFER_BEATS), top) },
        FormalBlock {
            name: "card_write_dma",
            make: |top| whole(WriteDma::<512, 64>::new(BUFFER_BEATS), top),
        },
        FormalBlock { name: "lite_slave", make: |top| whole(LiteSlave::default(), top) },
        FormalBlock { name: "queue", make: |top| whole(QueueControl::new(&identification()), top) },
        FormalBlock { name: "report", make: |top| whole(Report::new(&identification()), top) },
        FormalBlock { name: "modular_small", make: |top| Ok(modular(top, 8, BigUint::from(251u32))) },
        FormalBlock {
            name: "modular_wide",
            make: |top| Ok(modular(top, Prime::Fq.modulus().bits() as usize, Prime::Fq.modulus())),
        },
    ];

    /// The block's name on command lines, and that of its Verilog module.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The block's Verilog. Its top module is called like the block.
    pub fn emitted(self) -> Result<Emitted, FormalError> {
        (self.make)(self.name)
    }
}

impl FromStr for FormalBlock {
    type Err = UnknownBlock;

    fn from_str(name: &str) -> Result<FormalBlock, UnknownBlock> {
        let found = FormalBlock::ALL.iter().find(|block| block.name == name);
        found.copied().ok_or_else(|| UnknownBlock { name: name.to_owned() })
    }
}

fn whole(mut block: impl Block, top: &str) -> Result<Emitted, FormalError> {
    block.connect_all();
    Ok(emit(&block, top)?)
}

/// Any card: what the rings do does not depend on what it identifies itself as.
fn identification() -> Identification {
    Identification::from_words(&Default::default())
}

/// The buckets of one window of three bits, four slots a bank, around a batched-affine adder.
fn buckets(top: &str) -> Result<Emitted, FormalError> {
    let mut profile = Profile::load("sim-batched")?;
    profile.msm.pair_fifo_depth = PAIR_FIFO_DEPTH;
    let mut shape = Shape::new(&[3], 1, 0, Curve::Bn254);
    shape.choices[0].windows.truncate(1);
    whole(Buckets::new(&profile, &shape, 0), top)
}

/// Addition, subtraction and negation modulo a prime, as the field unit does them: carries cut into chunks, one level of
/// logic between two registers. Inputs `a` and `b` below the modulus; outputs `sum`, `difference` and `negative`.
fn modular(top: &str, width: usize, modulus: BigUint) -> Emitted {
    let config = DatapathConfig { chunk_bits: (width / 4).max(3), ..DatapathConfig::ultrascale() };
    let path = Datapath::new(top, &config);
    let (a, b) = (path.input("a", width), path.input("b", width));
    let modulus = path.constant(modulus, width);
    let sum = path.modular_add(a, b, modulus);
    let difference = path.modular_subtract(a, b, modulus);
    let negative = path.modular_negate(a, modulus);
    path.finish(&[("sum", sum), ("difference", difference), ("negative", negative)]).emitted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_emitted_under_its_name() {
        for block in FormalBlock::ALL {
            assert_eq!(block.name().parse::<FormalBlock>().map(FormalBlock::name), Ok(block.name()));
            let emitted = block.emitted().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(emitted.top, block.name());
            assert!(emitted.verilog.contains(&format!("module {}", block.name())), "{}", block.name());
        }
        let error = "fifos".parse::<FormalBlock>().unwrap_err().to_string();
        assert!(error.contains("fifos") && error.contains("skid, fifo"), "{error}");
    }
}
