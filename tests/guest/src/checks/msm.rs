//! Multi-scalar multiplications against arkworks.

use crate::card::open;
use crate::points::Example;
use anyhow::Result;

/// Points of the largest.
const POINTS: usize = 256;

pub fn run() -> Result<String> {
    let mut card = open()?;
    let mut cycles = 0;
    for count in [1, 17, POINTS] {
        cycles = Example::new(count, count as u64).check(&mut card)?;
    }
    Ok(format!("{POINTS} points equal arkworks' ({cycles} cycles), and so do 1 and 17"))
}
