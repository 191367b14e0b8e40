//! The PCIe endpoint, Verilated, between a hesitant hard block and hesitant buses.

mod bench;
mod completer;
mod host;
mod messages;
mod mirror;
mod packets;
mod rates;
mod reads;
mod resets;
mod writes;
