//! The serial shell, Verilated: alone, on a line that loses and damages bytes, and with the whole card behind it and the
//! driver at the other end of a pseudo-terminal.

mod bench;
mod card;
mod memory;
mod shell;
