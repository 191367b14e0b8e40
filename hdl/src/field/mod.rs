//! Arithmetic in BN254's two prime fields, as pipelines.

mod inverse;
mod montgomery;
mod prime;
mod serial;
mod shared;
mod unit;

pub use inverse::{DIVISION_STEPS, DivisionSteps, Inverter, Pace, division_steps};
pub use montgomery::{MontgomeryMultiplier, montgomery_multiplier};
pub use prime::{FIELD_BITS, Prime};
pub use serial::{SerialFieldUnit, operation};
pub use shared::{adder_multiplier, shared_multiplier, shared_multiplier_for};
pub use unit::{FieldPipeline, FieldUnit, field_unit};
