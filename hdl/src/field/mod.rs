//! Arithmetic in BN254's two prime fields, as pipelines.

mod montgomery;
mod prime;
mod unit;

pub use montgomery::{MontgomeryMultiplier, montgomery_multiplier};
pub use prime::{FIELD_BITS, Prime};
pub use unit::{FieldUnit, field_unit};
