//! A card behind a serial line, simulated: the Verilated shell and card, a serial port that samples their line bit by bit,
//! and a pseudo-terminal through which the driver, or another program, reaches it as it would a board.

mod faults;
mod port;
mod pty;
mod sim;
mod transport;

pub use faults::LineFaults;
pub use port::SerialPort;
pub use pty::{PtyStatistics, SerialPty};
pub use sim::{SerialOptions, SerialSim};
pub use transport::InProcessSerial;
