//! The four bus masters, and whose they are.

use crate::axi::{ReadDma, WriteDma};
use rust_hdl::prelude::*;

/// Beats that a bus master buffers: four of the longest bursts, which hides a memory latency of as many cycles.
const BUFFER_BEATS: usize = 256;

/// Masters for reading and writing host and card memory, with their AXI4 ports. Jobs and data are those of the control,
/// or, while `hashing` is high, those of the hash engine; the other of the two is then offered nothing.
#[derive(LogicBlock)]
pub struct BusMasters {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the buses and of the masters.
    pub reset: Signal<In, Bit>,
    /// Stops the bus masters in an orderly manner.
    pub abort: Signal<In, Bit>,
    /// Clears the bus masters' faults.
    pub clear: Signal<In, Bit>,
    /// Jobs and data are the hash engine's.
    pub hashing: Signal<In, Bit>,
    /// Job of the host read master: byte address.
    pub host_read_address: Signal<In, Bits<64>>,
    /// Job of the host read master: beats.
    pub host_read_beats: Signal<In, Bits<32>>,
    /// Job of the host read master: offered.
    pub host_read_valid: Signal<In, Bit>,
    /// Job of the host read master: accepted.
    pub host_read_ready: Signal<Out, Bit>,
    /// Beat from host memory.
    pub host_in_data: Signal<Out, Bits<256>>,
    /// Beat from host memory: valid.
    pub host_in_valid: Signal<Out, Bit>,
    /// Beat from host memory: taken.
    pub host_in_ready: Signal<In, Bit>,
    /// Job of the host write master: byte address.
    pub host_write_address: Signal<In, Bits<64>>,
    /// Job of the host write master: beats.
    pub host_write_beats: Signal<In, Bits<32>>,
    /// Job of the host write master: offered.
    pub host_write_valid: Signal<In, Bit>,
    /// Job of the host write master: accepted.
    pub host_write_ready: Signal<Out, Bit>,
    /// Beat to host memory.
    pub host_out_data: Signal<In, Bits<256>>,
    /// Beat to host memory: valid.
    pub host_out_valid: Signal<In, Bit>,
    /// Beat to host memory: taken.
    pub host_out_ready: Signal<Out, Bit>,
    /// Job of the card read master: byte address.
    pub card_read_address: Signal<In, Bits<64>>,
    /// Job of the card read master: beats.
    pub card_read_beats: Signal<In, Bits<32>>,
    /// Job of the card read master: offered.
    pub card_read_valid: Signal<In, Bit>,
    /// Job of the card read master: accepted.
    pub card_read_ready: Signal<Out, Bit>,
    /// Beat from card memory.
    pub card_in_data: Signal<Out, Bits<512>>,
    /// Beat from card memory: valid.
    pub card_in_valid: Signal<Out, Bit>,
    /// Beat from card memory: taken.
    pub card_in_ready: Signal<In, Bit>,
    /// Job of the card write master: byte address.
    pub card_write_address: Signal<In, Bits<64>>,
    /// Job of the card write master: beats.
    pub card_write_beats: Signal<In, Bits<32>>,
    /// Job of the card write master: offered.
    pub card_write_valid: Signal<In, Bit>,
    /// Job of the card write master: accepted.
    pub card_write_ready: Signal<Out, Bit>,
    /// Beat to card memory.
    pub card_out_data: Signal<In, Bits<512>>,
    /// Beat to card memory: valid.
    pub card_out_valid: Signal<In, Bit>,
    /// Beat to card memory: taken.
    pub card_out_ready: Signal<Out, Bit>,
    /// For the hash engine. Job of the host read master: byte address.
    pub hash_host_read_address: Signal<In, Bits<64>>,
    /// For the hash engine. Job of the host read master: beats.
    pub hash_host_read_beats: Signal<In, Bits<32>>,
    /// For the hash engine. Job of the host read master: offered.
    pub hash_host_read_valid: Signal<In, Bit>,
    /// For the hash engine. Job of the host read master: accepted.
    pub hash_host_read_ready: Signal<Out, Bit>,
    /// For the hash engine. Beat from host memory.
    pub hash_host_in_data: Signal<Out, Bits<256>>,
    /// For the hash engine. Beat from host memory: valid.
    pub hash_host_in_valid: Signal<Out, Bit>,
    /// For the hash engine. Beat from host memory: taken.
    pub hash_host_in_ready: Signal<In, Bit>,
    /// For the hash engine. Job of the host write master: byte address.
    pub hash_host_write_address: Signal<In, Bits<64>>,
    /// For the hash engine. Job of the host write master: beats.
    pub hash_host_write_beats: Signal<In, Bits<32>>,
    /// For the hash engine. Job of the host write master: offered.
    pub hash_host_write_valid: Signal<In, Bit>,
    /// For the hash engine. Job of the host write master: accepted.
    pub hash_host_write_ready: Signal<Out, Bit>,
    /// For the hash engine. Beat to host memory.
    pub hash_host_out_data: Signal<In, Bits<256>>,
    /// For the hash engine. Beat to host memory: valid.
    pub hash_host_out_valid: Signal<In, Bit>,
    /// For the hash engine. Beat to host memory: taken.
    pub hash_host_out_ready: Signal<Out, Bit>,
    /// For the hash engine. Job of the card read master: byte address.
    pub hash_card_read_address: Signal<In, Bits<64>>,
    /// For the hash engine. Job of the card read master: beats.
    pub hash_card_read_beats: Signal<In, Bits<32>>,
    /// For the hash engine. Job of the card read master: offered.
    pub hash_card_read_valid: Signal<In, Bit>,
    /// For the hash engine. Job of the card read master: accepted.
    pub hash_card_read_ready: Signal<Out, Bit>,
    /// For the hash engine. Beat from card memory.
    pub hash_card_in_data: Signal<Out, Bits<512>>,
    /// For the hash engine. Beat from card memory: valid.
    pub hash_card_in_valid: Signal<Out, Bit>,
    /// For the hash engine. Beat from card memory: taken.
    pub hash_card_in_ready: Signal<In, Bit>,
    /// For the hash engine. Job of the card write master: byte address.
    pub hash_card_write_address: Signal<In, Bits<64>>,
    /// For the hash engine. Job of the card write master: beats.
    pub hash_card_write_beats: Signal<In, Bits<32>>,
    /// For the hash engine. Job of the card write master: offered.
    pub hash_card_write_valid: Signal<In, Bit>,
    /// For the hash engine. Job of the card write master: accepted.
    pub hash_card_write_ready: Signal<Out, Bit>,
    /// For the hash engine. Beat to card memory.
    pub hash_card_out_data: Signal<In, Bits<512>>,
    /// For the hash engine. Beat to card memory: valid.
    pub hash_card_out_valid: Signal<In, Bit>,
    /// For the hash engine. Beat to card memory: taken.
    pub hash_card_out_ready: Signal<Out, Bit>,
    /// The host read master is idle.
    pub host_read_idle: Signal<Out, Bit>,
    /// The host write master is idle.
    pub host_write_idle: Signal<Out, Bit>,
    /// Both card-memory masters are idle.
    pub card_idle: Signal<Out, Bit>,
    /// Host read master: error since the last `clear`.
    pub host_read_fault: Signal<Out, Bit>,
    /// Its cause, as [`spandrel_abi::HOST_READ_CAUSES`] lists.
    pub host_read_cause: Signal<Out, Bits<3>>,
    /// Host write master: error since the last `clear`.
    pub host_write_fault: Signal<Out, Bit>,
    /// Either card-memory master: error since the last `clear`.
    pub card_fault: Signal<Out, Bit>,
    /// A beat came from host memory.
    pub host_read_beat: Signal<Out, Bit>,
    /// A beat went to host memory.
    pub host_write_beat: Signal<Out, Bit>,
    /// A beat came from card memory.
    pub card_read_beat: Signal<Out, Bit>,
    /// A beat went to card memory.
    pub card_write_beat: Signal<Out, Bit>,
    /// The card-memory write master is idle: all that was given to it is written and answered.
    pub hash_card_write_idle: Signal<Out, Bit>,
    /// Host memory, AXI4: write identifier, 0.
    pub m_axi_host_awid: Signal<Out, Bits<4>>,
    /// Host memory, AXI4: write address.
    pub m_axi_host_awaddr: Signal<Out, Bits<64>>,
    /// Host memory, AXI4: write burst length minus one.
    pub m_axi_host_awlen: Signal<Out, Bits<8>>,
    /// Host memory, AXI4: write beat size, log2 of bytes.
    pub m_axi_host_awsize: Signal<Out, Bits<3>>,
    /// Host memory, AXI4: write burst type, incrementing.
    pub m_axi_host_awburst: Signal<Out, Bits<2>>,
    /// Host memory, AXI4: write address valid.
    pub m_axi_host_awvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: write address ready.
    pub m_axi_host_awready: Signal<In, Bit>,
    /// Host memory, AXI4: write data.
    pub m_axi_host_wdata: Signal<Out, Bits<256>>,
    /// Host memory, AXI4: byte strobes.
    pub m_axi_host_wstrb: Signal<Out, Bits<32>>,
    /// Host memory, AXI4: last beat of a write burst.
    pub m_axi_host_wlast: Signal<Out, Bit>,
    /// Host memory, AXI4: write data valid.
    pub m_axi_host_wvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: write data ready.
    pub m_axi_host_wready: Signal<In, Bit>,
    /// Host memory, AXI4: write response identifier, not looked at.
    pub m_axi_host_bid: Signal<In, Bits<4>>,
    /// Host memory, AXI4: write response.
    pub m_axi_host_bresp: Signal<In, Bits<2>>,
    /// Host memory, AXI4: write response valid.
    pub m_axi_host_bvalid: Signal<In, Bit>,
    /// Host memory, AXI4: write response ready.
    pub m_axi_host_bready: Signal<Out, Bit>,
    /// Host memory, AXI4: read identifier, 0.
    pub m_axi_host_arid: Signal<Out, Bits<4>>,
    /// Host memory, AXI4: read address.
    pub m_axi_host_araddr: Signal<Out, Bits<64>>,
    /// Host memory, AXI4: read burst length minus one.
    pub m_axi_host_arlen: Signal<Out, Bits<8>>,
    /// Host memory, AXI4: read beat size, log2 of bytes.
    pub m_axi_host_arsize: Signal<Out, Bits<3>>,
    /// Host memory, AXI4: read burst type, incrementing.
    pub m_axi_host_arburst: Signal<Out, Bits<2>>,
    /// Host memory, AXI4: read address valid.
    pub m_axi_host_arvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: read address ready.
    pub m_axi_host_arready: Signal<In, Bit>,
    /// Host memory, AXI4: read identifier, not looked at.
    pub m_axi_host_rid: Signal<In, Bits<4>>,
    /// Host memory, AXI4: read data.
    pub m_axi_host_rdata: Signal<In, Bits<256>>,
    /// Host memory, AXI4: read response.
    pub m_axi_host_rresp: Signal<In, Bits<2>>,
    /// Host memory, AXI4: why a read beat failed, as [`spandrel_abi::HOST_READ_CAUSES`] lists.
    pub m_axi_host_ruser: Signal<In, Bits<3>>,
    /// Host memory, AXI4: last beat of a read burst, not looked at: beats are counted.
    pub m_axi_host_rlast: Signal<In, Bit>,
    /// Host memory, AXI4: read data valid.
    pub m_axi_host_rvalid: Signal<In, Bit>,
    /// Host memory, AXI4: read data ready.
    pub m_axi_host_rready: Signal<Out, Bit>,
    /// Card memory, AXI4: write identifier, 0.
    pub m_axi_card_awid: Signal<Out, Bits<4>>,
    /// Card memory, AXI4: write address.
    pub m_axi_card_awaddr: Signal<Out, Bits<40>>,
    /// Card memory, AXI4: write burst length minus one.
    pub m_axi_card_awlen: Signal<Out, Bits<8>>,
    /// Card memory, AXI4: write beat size, log2 of bytes.
    pub m_axi_card_awsize: Signal<Out, Bits<3>>,
    /// Card memory, AXI4: write burst type, incrementing.
    pub m_axi_card_awburst: Signal<Out, Bits<2>>,
    /// Card memory, AXI4: write address valid.
    pub m_axi_card_awvalid: Signal<Out, Bit>,
    /// Card memory, AXI4: write address ready.
    pub m_axi_card_awready: Signal<In, Bit>,
    /// Card memory, AXI4: write data.
    pub m_axi_card_wdata: Signal<Out, Bits<512>>,
    /// Card memory, AXI4: byte strobes.
    pub m_axi_card_wstrb: Signal<Out, Bits<64>>,
    /// Card memory, AXI4: last beat of a write burst.
    pub m_axi_card_wlast: Signal<Out, Bit>,
    /// Card memory, AXI4: write data valid.
    pub m_axi_card_wvalid: Signal<Out, Bit>,
    /// Card memory, AXI4: write data ready.
    pub m_axi_card_wready: Signal<In, Bit>,
    /// Card memory, AXI4: write response identifier, not looked at.
    pub m_axi_card_bid: Signal<In, Bits<4>>,
    /// Card memory, AXI4: write response.
    pub m_axi_card_bresp: Signal<In, Bits<2>>,
    /// Card memory, AXI4: write response valid.
    pub m_axi_card_bvalid: Signal<In, Bit>,
    /// Card memory, AXI4: write response ready.
    pub m_axi_card_bready: Signal<Out, Bit>,
    /// Card memory, AXI4: read identifier, 0.
    pub m_axi_card_arid: Signal<Out, Bits<4>>,
    /// Card memory, AXI4: read address.
    pub m_axi_card_araddr: Signal<Out, Bits<40>>,
    /// Card memory, AXI4: read burst length minus one.
    pub m_axi_card_arlen: Signal<Out, Bits<8>>,
    /// Card memory, AXI4: read beat size, log2 of bytes.
    pub m_axi_card_arsize: Signal<Out, Bits<3>>,
    /// Card memory, AXI4: read burst type, incrementing.
    pub m_axi_card_arburst: Signal<Out, Bits<2>>,
    /// Card memory, AXI4: read address valid.
    pub m_axi_card_arvalid: Signal<Out, Bit>,
    /// Card memory, AXI4: read address ready.
    pub m_axi_card_arready: Signal<In, Bit>,
    /// Card memory, AXI4: read identifier, not looked at.
    pub m_axi_card_rid: Signal<In, Bits<4>>,
    /// Card memory, AXI4: read data.
    pub m_axi_card_rdata: Signal<In, Bits<512>>,
    /// Card memory, AXI4: read response.
    pub m_axi_card_rresp: Signal<In, Bits<2>>,
    /// Card memory, AXI4: last beat of a read burst, not looked at: beats are counted.
    pub m_axi_card_rlast: Signal<In, Bit>,
    /// Card memory, AXI4: read data valid.
    pub m_axi_card_rvalid: Signal<In, Bit>,
    /// Card memory, AXI4: read data ready.
    pub m_axi_card_rready: Signal<Out, Bit>,
    host_reader: ReadDma<256>,
    host_writer: WriteDma<256, 32>,
    card_reader: ReadDma<512>,
    card_writer: WriteDma<512, 64>,
}

impl Default for BusMasters {
    fn default() -> Self {
        BusMasters::new(BUFFER_BEATS)
    }
}

impl BusMasters {
    /// Masters that buffer so many beats, at least the longest burst.
    pub fn new(beats: usize) -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            abort: Default::default(),
            clear: Default::default(),
            host_read_address: Default::default(),
            host_read_beats: Default::default(),
            host_read_valid: Default::default(),
            host_read_ready: Default::default(),
            host_in_data: Default::default(),
            host_in_valid: Default::default(),
            host_in_ready: Default::default(),
            host_write_address: Default::default(),
            host_write_beats: Default::default(),
            host_write_valid: Default::default(),
            host_write_ready: Default::default(),
            host_out_data: Default::default(),
            host_out_valid: Default::default(),
            host_out_ready: Default::default(),
            card_read_address: Default::default(),
            card_read_beats: Default::default(),
            card_read_valid: Default::default(),
            card_read_ready: Default::default(),
            card_in_data: Default::default(),
            card_in_valid: Default::default(),
            card_in_ready: Default::default(),
            card_write_address: Default::default(),
            card_write_beats: Default::default(),
            card_write_valid: Default::default(),
            card_write_ready: Default::default(),
            card_out_data: Default::default(),
            card_out_valid: Default::default(),
            card_out_ready: Default::default(),
            hash_host_read_address: Default::default(),
            hash_host_read_beats: Default::default(),
            hash_host_read_valid: Default::default(),
            hash_host_read_ready: Default::default(),
            hash_host_in_data: Default::default(),
            hash_host_in_valid: Default::default(),
            hash_host_in_ready: Default::default(),
            hash_host_write_address: Default::default(),
            hash_host_write_beats: Default::default(),
            hash_host_write_valid: Default::default(),
            hash_host_write_ready: Default::default(),
            hash_host_out_data: Default::default(),
            hash_host_out_valid: Default::default(),
            hash_host_out_ready: Default::default(),
            hash_card_read_address: Default::default(),
            hash_card_read_beats: Default::default(),
            hash_card_read_valid: Default::default(),
            hash_card_read_ready: Default::default(),
            hash_card_in_data: Default::default(),
            hash_card_in_valid: Default::default(),
            hash_card_in_ready: Default::default(),
            hash_card_write_address: Default::default(),
            hash_card_write_beats: Default::default(),
            hash_card_write_valid: Default::default(),
            hash_card_write_ready: Default::default(),
            hash_card_out_data: Default::default(),
            hash_card_out_valid: Default::default(),
            hash_card_out_ready: Default::default(),
            hashing: Default::default(),
            host_read_idle: Default::default(),
            host_write_idle: Default::default(),
            card_idle: Default::default(),
            host_read_fault: Default::default(),
            host_read_cause: Default::default(),
            host_write_fault: Default::default(),
            card_fault: Default::default(),
            host_read_beat: Default::default(),
            host_write_beat: Default::default(),
            card_read_beat: Default::default(),
            card_write_beat: Default::default(),
            hash_card_write_idle: Default::default(),
            m_axi_host_awid: Default::default(),
            m_axi_host_awaddr: Default::default(),
            m_axi_host_awlen: Default::default(),
            m_axi_host_awsize: Default::default(),
            m_axi_host_awburst: Default::default(),
            m_axi_host_awvalid: Default::default(),
            m_axi_host_awready: Default::default(),
            m_axi_host_wdata: Default::default(),
            m_axi_host_wstrb: Default::default(),
            m_axi_host_wlast: Default::default(),
            m_axi_host_wvalid: Default::default(),
            m_axi_host_wready: Default::default(),
            m_axi_host_bid: Default::default(),
            m_axi_host_bresp: Default::default(),
            m_axi_host_bvalid: Default::default(),
            m_axi_host_bready: Default::default(),
            m_axi_host_arid: Default::default(),
            m_axi_host_araddr: Default::default(),
            m_axi_host_arlen: Default::default(),
            m_axi_host_arsize: Default::default(),
            m_axi_host_arburst: Default::default(),
            m_axi_host_arvalid: Default::default(),
            m_axi_host_arready: Default::default(),
            m_axi_host_rid: Default::default(),
            m_axi_host_rdata: Default::default(),
            m_axi_host_rresp: Default::default(),
            m_axi_host_ruser: Default::default(),
            m_axi_host_rlast: Default::default(),
            m_axi_host_rvalid: Default::default(),
            m_axi_host_rready: Default::default(),
            m_axi_card_awid: Default::default(),
            m_axi_card_awaddr: Default::default(),
            m_axi_card_awlen: Default::default(),
            m_axi_card_awsize: Default::default(),
            m_axi_card_awburst: Default::default(),
            m_axi_card_awvalid: Default::default(),
            m_axi_card_awready: Default::default(),
            m_axi_card_wdata: Default::default(),
            m_axi_card_wstrb: Default::default(),
            m_axi_card_wlast: Default::default(),
            m_axi_card_wvalid: Default::default(),
            m_axi_card_wready: Default::default(),
            m_axi_card_bid: Default::default(),
            m_axi_card_bresp: Default::default(),
            m_axi_card_bvalid: Default::default(),
            m_axi_card_bready: Default::default(),
            m_axi_card_arid: Default::default(),
            m_axi_card_araddr: Default::default(),
            m_axi_card_arlen: Default::default(),
            m_axi_card_arsize: Default::default(),
            m_axi_card_arburst: Default::default(),
            m_axi_card_arvalid: Default::default(),
            m_axi_card_arready: Default::default(),
            m_axi_card_rid: Default::default(),
            m_axi_card_rdata: Default::default(),
            m_axi_card_rresp: Default::default(),
            m_axi_card_rlast: Default::default(),
            m_axi_card_rvalid: Default::default(),
            m_axi_card_rready: Default::default(),
            host_reader: ReadDma::new(beats),
            host_writer: WriteDma::new(beats),
            card_reader: ReadDma::new(beats),
            card_writer: WriteDma::new(beats),
        }
    }
}

impl Logic for BusMasters {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, host_reader, host_writer, card_reader, card_writer);
        self.host_reader.reset.next = self.reset.val();
        self.host_reader.abort.next = self.abort.val();
        self.host_reader.clear.next = self.clear.val();
        self.host_writer.reset.next = self.reset.val();
        self.host_writer.abort.next = self.abort.val();
        self.host_writer.clear.next = self.clear.val();
        self.card_reader.reset.next = self.reset.val();
        self.card_reader.abort.next = self.abort.val();
        self.card_reader.clear.next = self.clear.val();
        self.card_writer.reset.next = self.reset.val();
        self.card_writer.abort.next = self.abort.val();
        self.card_writer.clear.next = self.clear.val();

        // Jobs and data.
        self.host_reader.job_address.next = self.host_read_address.val();
        self.host_reader.job_beats.next = self.host_read_beats.val();
        self.host_reader.job_valid.next = self.host_read_valid.val();
        self.host_read_ready.next = self.host_reader.job_ready.val() & !self.hashing.val();
        self.hash_host_read_ready.next = self.host_reader.job_ready.val() & self.hashing.val();
        self.host_in_data.next = self.host_reader.out_data.val();
        self.host_in_valid.next = self.host_reader.out_valid.val() & !self.hashing.val();
        self.host_reader.out_ready.next = self.host_in_ready.val();
        self.hash_host_in_data.next = self.host_reader.out_data.val();
        self.hash_host_in_valid.next = self.host_reader.out_valid.val() & self.hashing.val();
        if self.hashing.val() {
            self.host_reader.job_address.next = self.hash_host_read_address.val();
            self.host_reader.job_beats.next = self.hash_host_read_beats.val();
            self.host_reader.job_valid.next = self.hash_host_read_valid.val();
            self.host_reader.out_ready.next = self.hash_host_in_ready.val();
        }
        self.host_writer.job_address.next = self.host_write_address.val();
        self.host_writer.job_beats.next = self.host_write_beats.val();
        self.host_writer.job_valid.next = self.host_write_valid.val();
        self.host_write_ready.next = self.host_writer.job_ready.val() & !self.hashing.val();
        self.hash_host_write_ready.next = self.host_writer.job_ready.val() & self.hashing.val();
        self.host_writer.in_data.next = self.host_out_data.val();
        self.host_writer.in_valid.next = self.host_out_valid.val();
        self.host_out_ready.next = self.host_writer.in_ready.val() & !self.hashing.val();
        self.hash_host_out_ready.next = self.host_writer.in_ready.val() & self.hashing.val();
        if self.hashing.val() {
            self.host_writer.job_address.next = self.hash_host_write_address.val();
            self.host_writer.job_beats.next = self.hash_host_write_beats.val();
            self.host_writer.job_valid.next = self.hash_host_write_valid.val();
            self.host_writer.in_data.next = self.hash_host_out_data.val();
            self.host_writer.in_valid.next = self.hash_host_out_valid.val();
        }
        self.card_reader.job_address.next = self.card_read_address.val();
        self.card_reader.job_beats.next = self.card_read_beats.val();
        self.card_reader.job_valid.next = self.card_read_valid.val();
        self.card_read_ready.next = self.card_reader.job_ready.val() & !self.hashing.val();
        self.hash_card_read_ready.next = self.card_reader.job_ready.val() & self.hashing.val();
        self.card_in_data.next = self.card_reader.out_data.val();
        self.card_in_valid.next = self.card_reader.out_valid.val() & !self.hashing.val();
        self.card_reader.out_ready.next = self.card_in_ready.val();
        self.hash_card_in_data.next = self.card_reader.out_data.val();
        self.hash_card_in_valid.next = self.card_reader.out_valid.val() & self.hashing.val();
        if self.hashing.val() {
            self.card_reader.job_address.next = self.hash_card_read_address.val();
            self.card_reader.job_beats.next = self.hash_card_read_beats.val();
            self.card_reader.job_valid.next = self.hash_card_read_valid.val();
            self.card_reader.out_ready.next = self.hash_card_in_ready.val();
        }
        self.card_writer.job_address.next = self.card_write_address.val();
        self.card_writer.job_beats.next = self.card_write_beats.val();
        self.card_writer.job_valid.next = self.card_write_valid.val();
        self.card_write_ready.next = self.card_writer.job_ready.val() & !self.hashing.val();
        self.hash_card_write_ready.next = self.card_writer.job_ready.val() & self.hashing.val();
        self.card_writer.in_data.next = self.card_out_data.val();
        self.card_writer.in_valid.next = self.card_out_valid.val();
        self.card_out_ready.next = self.card_writer.in_ready.val() & !self.hashing.val();
        self.hash_card_out_ready.next = self.card_writer.in_ready.val() & self.hashing.val();
        if self.hashing.val() {
            self.card_writer.job_address.next = self.hash_card_write_address.val();
            self.card_writer.job_beats.next = self.hash_card_write_beats.val();
            self.card_writer.job_valid.next = self.hash_card_write_valid.val();
            self.card_writer.in_data.next = self.hash_card_out_data.val();
            self.card_writer.in_valid.next = self.hash_card_out_valid.val();
        }

        // How it went.
        self.host_read_idle.next = self.host_reader.idle.val();
        self.host_write_idle.next = self.host_writer.idle.val();
        self.card_idle.next = self.card_reader.idle.val() & self.card_writer.idle.val();
        self.hash_card_write_idle.next = self.card_writer.idle.val();
        self.host_read_fault.next = self.host_reader.fault.val();
        self.host_read_cause.next = self.host_reader.cause.val();
        self.host_write_fault.next = self.host_writer.fault.val();
        self.card_fault.next = self.card_reader.fault.val() | self.card_writer.fault.val();
        self.host_read_beat.next = self.host_reader.beat.val();
        self.host_write_beat.next = self.host_writer.beat.val();
        self.card_read_beat.next = self.card_reader.beat.val();
        self.card_write_beat.next = self.card_writer.beat.val();

        self.m_axi_host_awid.next = 0.into();
        self.m_axi_host_awaddr.next = self.host_writer.awaddr.val();
        self.m_axi_host_awlen.next = self.host_writer.awlen.val();
        self.m_axi_host_awsize.next = 5.into();
        self.m_axi_host_awburst.next = 1.into();
        self.m_axi_host_awvalid.next = self.host_writer.awvalid.val();
        self.host_writer.awready.next = self.m_axi_host_awready.val();
        self.m_axi_host_wdata.next = self.host_writer.wdata.val();
        self.m_axi_host_wstrb.next = self.host_writer.wstrb.val();
        self.m_axi_host_wlast.next = self.host_writer.wlast.val();
        self.m_axi_host_wvalid.next = self.host_writer.wvalid.val();
        self.host_writer.wready.next = self.m_axi_host_wready.val();
        self.host_writer.bresp.next = self.m_axi_host_bresp.val();
        self.host_writer.bvalid.next = self.m_axi_host_bvalid.val();
        self.m_axi_host_bready.next = self.host_writer.bready.val();
        self.m_axi_host_arid.next = 0.into();
        self.m_axi_host_araddr.next = self.host_reader.araddr.val();
        self.m_axi_host_arlen.next = self.host_reader.arlen.val();
        self.m_axi_host_arsize.next = 5.into();
        self.m_axi_host_arburst.next = 1.into();
        self.m_axi_host_arvalid.next = self.host_reader.arvalid.val();
        self.host_reader.arready.next = self.m_axi_host_arready.val();
        self.host_reader.rdata.next = self.m_axi_host_rdata.val();
        self.host_reader.rresp.next = self.m_axi_host_rresp.val();
        self.host_reader.ruser.next = self.m_axi_host_ruser.val();
        self.host_reader.rvalid.next = self.m_axi_host_rvalid.val();
        self.m_axi_host_rready.next = self.host_reader.rready.val();

        self.m_axi_card_awid.next = 0.into();
        self.m_axi_card_awaddr.next = bit_cast::<40, 64>(self.card_writer.awaddr.val());
        self.m_axi_card_awlen.next = self.card_writer.awlen.val();
        self.m_axi_card_awsize.next = 6.into();
        self.m_axi_card_awburst.next = 1.into();
        self.m_axi_card_awvalid.next = self.card_writer.awvalid.val();
        self.card_writer.awready.next = self.m_axi_card_awready.val();
        self.m_axi_card_wdata.next = self.card_writer.wdata.val();
        self.m_axi_card_wstrb.next = self.card_writer.wstrb.val();
        self.m_axi_card_wlast.next = self.card_writer.wlast.val();
        self.m_axi_card_wvalid.next = self.card_writer.wvalid.val();
        self.card_writer.wready.next = self.m_axi_card_wready.val();
        self.card_writer.bresp.next = self.m_axi_card_bresp.val();
        self.card_writer.bvalid.next = self.m_axi_card_bvalid.val();
        self.m_axi_card_bready.next = self.card_writer.bready.val();
        self.m_axi_card_arid.next = 0.into();
        self.m_axi_card_araddr.next = bit_cast::<40, 64>(self.card_reader.araddr.val());
        self.m_axi_card_arlen.next = self.card_reader.arlen.val();
        self.m_axi_card_arsize.next = 6.into();
        self.m_axi_card_arburst.next = 1.into();
        self.m_axi_card_arvalid.next = self.card_reader.arvalid.val();
        self.card_reader.arready.next = self.m_axi_card_arready.val();
        self.card_reader.rdata.next = self.m_axi_card_rdata.val();
        self.card_reader.rresp.next = self.m_axi_card_rresp.val();
        self.card_reader.ruser.next = 0.into();
        self.card_reader.rvalid.next = self.m_axi_card_rvalid.val();
        self.m_axi_card_rready.next = self.card_reader.rready.val();
    }
}
