//! What a hash engine is made for.

use super::EmptyRoots;
use crate::datapath::DatapathConfig;
use crate::profile::Profile;
use ark_bn254::Fr;
use ark_ff::BigInt;
use num_bigint::BigUint;
use spandrel_abi::SPONGE_GROUP;
use spandrel_poseidon::{Hasher, Output};

/// What a hash engine is made for.
#[derive(Clone, Debug)]
pub struct HashShape {
    /// Widths of the states of its cores, at most four, in the order of the cores.
    pub widths: Vec<usize>,
    /// Messages of a sponge that lie together: [`SPONGE_GROUP`], or fewer in a test.
    pub sponge_group: u32,
    /// Bytes of card memory.
    pub card_bytes: u64,
    /// Roots of empty subtrees, for every arity that has a core.
    pub empty_roots: EmptyRoots,
    /// Shape of the arithmetic.
    pub datapath: DatapathConfig,
}

impl HashShape {
    /// The shape of a profile's engine, over Poseidon.
    pub fn new(profile: &Profile) -> HashShape {
        let widths: Vec<usize> = profile.poseidon.iter().map(|core| core.width as usize).collect();
        let arities = [2, 4].into_iter().filter(|arity| widths.contains(&(arity + 1)));
        HashShape {
            empty_roots: arities.fold(EmptyRoots::none(), |roots, arity| {
                roots.with(arity as u32, |output, child| hash_of_equals(arity, output, child))
            }),
            widths,
            sponge_group: SPONGE_GROUP,
            card_bytes: u64::from(profile.card_memory_kib) << 10,
            datapath: profile.datapath.clone(),
        }
    }
}

/// The node whose children are all this one; both in Montgomery form.
fn hash_of_equals(arity: usize, output: u32, child: &BigUint) -> BigUint {
    let output = if output == 0 { Output::First } else { Output::Second };
    let child = BigInt::try_from(child.clone()).unwrap_or_else(|()| panic!("{child} is no node"));
    let children = vec![Fr::new_unchecked(child); arity];
    let hasher = Hasher::new(arity + 1, output).unwrap_or_else(|error| panic!("{error}"));
    let node = hasher.hash(&children).unwrap_or_else(|error| panic!("{error}"));
    node.0.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::PrimeField;
    use spandrel_poseidon::{Arity, empty_root};

    #[test]
    fn the_roots_of_empty_subtrees_are_those_of_the_cpu_tree() {
        let shape = HashShape::new(&Profile::load("sim-merkle").unwrap());
        assert_eq!(shape.widths, [3, 5]);
        for (arity, of) in [(2, Arity::Two), (4, Arity::Four)] {
            for (select, output) in [(0, Output::First), (1, Output::Second)] {
                for depth in [0, 1, 2, 17, 31] {
                    let root = empty_root(of, output, depth);
                    let expected = BigUint::from(root.into_bigint()) * (BigUint::from(1u8) << 256)
                        % BigUint::from(Fr::MODULUS);
                    assert_eq!(shape.empty_roots.root(arity, select, depth), Some(&expected));
                }
            }
        }
        let narrow = HashShape::new(&Profile::load("sim-poseidon").unwrap());
        assert_eq!(narrow.empty_roots.root(4, 0, 0), None);
    }
}
