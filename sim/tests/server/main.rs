//! The server and the driver's client, over real sockets, with a function in plain software behind them.

mod clients;
mod hostile;
mod judge;
mod sockets;
mod stand_in;
mod transport;
