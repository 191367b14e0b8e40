//! Files: snarkjs' binary `.zkey` and `.wtns` containers and its JSON, lists of field elements, and paths in Merkle trees,
//! checked before anything uses them.
//!
//! A file is outside input: every count, length, prime, index, field element and point is checked when the
//! file is opened, so that code behind a [`Zkey`] or [`Witness`] need not look again.

mod container;
mod elements;
mod error;
mod mapped;
mod output;
mod path_file;
mod points;
mod snarkjs;
mod witness;
mod zkey;

pub use container::Section;
pub use elements::{
    ElementFormat, ElementProblem, parse_element, read_elements, read_updates, write_binary_elements,
    write_elements,
};
pub use error::{FormatError, Problem};
pub use mapped::FileBytes;
pub use output::{ExclusiveOutput, OutputError, Outputs};
pub use path_file::{read_path, write_path};
pub use points::{
    G1_BYTES, G2_BYTES, PointProblem, fq_to_bytes, g1_from_bytes, g1_to_bytes, g2_from_bytes, g2_to_bytes,
    point_from_bytes, point_to_bytes,
};
pub(crate) use points::{
    element_from_bytes, fr_from_montgomery, integer_from_bytes, integer_to_bytes, point_from_checked_bytes,
    try_map,
};
pub use snarkjs::{read_proof, read_public, read_verifying_key, write_proof, write_public};
pub use witness::Witness;
pub use zkey::{Coefficient, Coefficients, Matrix, Zkey};
