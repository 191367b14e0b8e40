//! The card: registers, queues, command execution, and the top that joins them with the engines.

mod control;
mod counters;
mod descriptor;
mod execute;
mod field_vector;
mod hash_parameter;
mod known_answers;
mod masters;
mod msm_counters;
mod queue;
mod registers;
mod report;
mod reset;
mod self_test;
mod top;
mod windows;

pub use control::CardControl;
pub use counters::JobCounters;
pub use descriptor::DescriptorCheck;
pub use execute::{Executor, ExecutorState};
pub use field_vector::FieldVector;
pub use hash_parameter::HashParameter;
pub use masters::BusMasters;
pub use msm_counters::MsmCounters;
pub use queue::{QueueControl, QueueState};
pub use registers::RegisterFile;
pub use report::Report;
pub use reset::ResetControl;
pub use self_test::{SelfTest, SelfTestState};
pub use top::Card;
pub use windows::WindowTable;
