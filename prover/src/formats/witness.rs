//! snarkjs' `.wtns`: the values of all wires of a circuit.

use super::container::{Container, Section};
use super::error::{FormatError, Problem};
use super::mapped::FileBytes;
use super::points::integer_from_bytes;
use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use rayon::prelude::*;
use spandrel_abi::FIELD_BYTES;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

const HEADER: Section = Section { number: 1, name: "header" };
const VALUES: Section = Section { number: 2, name: "values" };

/// A checked witness. Its values stay in the mapped file: they are secret, and a copy that is not made
/// need not be wiped.
pub struct Witness {
    path: PathBuf,
    bytes: FileBytes,
    values: Range<usize>,
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("path", &self.path).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Witness {
    /// Maps and checks a file.
    pub fn open(path: &Path) -> Result<Witness, FormatError> {
        Witness::from_bytes(path, FileBytes::open(path)?)
    }

    /// Checks a file's bytes; `path` is for messages.
    pub fn from_bytes(path: &Path, bytes: FileBytes) -> Result<Witness, FormatError> {
        let container = Container::parse(path, &bytes, "wtns", 2)?;
        let mut header = container.reader(HEADER)?;
        read_prime(&container, HEADER, &mut header, &Fr::MODULUS.to_bytes_le(), "scalar field's prime")?;
        let count = header.u32("the number of values")?;
        header.finish("a prime of 32 bytes and one count")?;
        let values = container.exact(
            VALUES,
            count.into(),
            FIELD_BYTES as u64,
            "the number of values in the header",
        )?;
        let (list, _) = bytes[values.clone()].as_chunks::<FIELD_BYTES>();
        if let Some(index) = list.par_iter().position_first(|value| integer_from_bytes(value) >= Fr::MODULUS)
        {
            return Err(container.error(VALUES, Problem::NotReduced { what: "value", index }));
        }
        if list.first().is_none_or(|value| integer_from_bytes(value).0 != [1, 0, 0, 0]) {
            return Err(container.error(VALUES, Problem::NoConstantOne));
        }
        Ok(Witness { path: path.to_owned(), bytes, values })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of values, the constant 1 included.
    pub fn len(&self) -> usize {
        self.values.len() / FIELD_BYTES
    }

    /// Whether there is no value; never true of a checked witness.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All values, 32 bytes each, canonical little-endian: the form in which the card takes scalars.
    pub fn scalars(&self) -> &[u8] {
        &self.bytes[self.values.clone()]
    }

    /// All values.
    pub fn values(&self) -> &[[u8; FIELD_BYTES]] {
        self.scalars().as_chunks().0
    }

    /// Values 1 to `count`: the public signals of a circuit with so many.
    pub fn public(&self, count: usize) -> Vec<Fr> {
        let to_fr = |value: &[u8; FIELD_BYTES]| Fr::from_le_bytes_mod_order(value);
        self.values().iter().skip(1).take(count).map(to_fr).collect()
    }
}

/// Reads a length and a prime, and checks that they are 32 and the expected one.
pub(super) fn read_prime(
    container: &Container<'_>,
    section: Section,
    reader: &mut super::container::SectionReader<'_>,
    expected: &[u8],
    what: &'static str,
) -> Result<(), FormatError> {
    let bytes = reader.u32("the length of a prime")?;
    if bytes as usize != FIELD_BYTES || reader.bytes("a prime", FIELD_BYTES)? != expected {
        return Err(container.error(section, Problem::WrongCurve { what }));
    }
    Ok(())
}
