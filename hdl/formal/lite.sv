// The AXI4-Lite slave: answers stand still while they wait, every write reaches the registers once and is answered once,
// with the address and the data that came; every read likewise.

module lite_slave_proof (
    input clock,
    input [11:0] awaddr, input awvalid, input [31:0] wdata, input [3:0] wstrb, input wvalid, input bready,
    input [11:0] araddr, input arvalid, input rready, input [31:0] read_value
);
    wire reset = 0;
    wire awready, wready, bvalid, arready, rvalid;
    wire [1:0] bresp, rresp;
    wire [31:0] rdata;
    wire [89:0] bus;
    lite_slave dut (.*);
    wire write = bus[0];
    wire [11:0] write_address = bus[1 +: 12];
    wire [31:0] write_data = bus[13 +: 32];
    wire [31:0] write_mask = bus[45 +: 32];
    wire read = bus[77];
    wire [11:0] read_address = bus[78 +: 12];

    stable #(.WIDTH(2)) b (.clock(clock), .reset(1'b0), .valid(bvalid), .ready(bready), .payload(bresp));
    stable #(.WIDTH(34)) r (.clock(clock), .reset(1'b0), .valid(rvalid), .ready(rready), .payload({rresp, rdata}));

    // The account: what was taken and has not reached the registers, and what has and was not answered.
    reg aw_taken = 0, w_taken = 0, b_due = 0, ar_taken = 0, r_due = 0;
    reg [11:0] aw, ar;
    reg [31:0] w, r_value;
    reg [3:0] strobes;
    always @(posedge clock) begin
        if (awvalid && awready) begin aw_taken <= 1; aw <= awaddr; end
        else if (write) aw_taken <= 0;
        if (wvalid && wready) begin w_taken <= 1; w <= wdata; strobes <= wstrb; end
        else if (write) w_taken <= 0;
        b_due <= write || (b_due && !(bvalid && bready));
        if (arvalid && arready) begin ar_taken <= 1; ar <= araddr; end
        else if (read) ar_taken <= 0;
        r_due <= read || (r_due && !(rvalid && rready));
        if (read) r_value <= read_value;
    end

    (* hierconn *) wire [11:0] \dut.write_address_q ;
    (* hierconn *) wire \dut.write_address_full_q ;
    (* hierconn *) wire [31:0] \dut.write_data_q ;
    (* hierconn *) wire [3:0] \dut.write_strobes_q ;
    (* hierconn *) wire \dut.write_data_full_q ;
    (* hierconn *) wire [11:0] \dut.read_address_q ;
    (* hierconn *) wire \dut.read_address_full_q ;
    always @(posedge clock) begin
        one_address_at_a_time: assert (!(awready && aw_taken) && !(arready && ar_taken) && !(wready && w_taken));
        if (write) write_has_both_parts: assert (aw_taken && w_taken && !b_due);
        if (write) right_write: assert (write_address == aw && write_data == w && write_mask
            == {{8{strobes[3]}}, {8{strobes[2]}}, {8{strobes[1]}}, {8{strobes[0]}}});
        one_answer_a_write: assert (bvalid == b_due && (!bvalid || bresp == 0));
        if (read) right_read: assert (ar_taken && !r_due && read_address == ar);
        one_answer_a_read: assert (rvalid == r_due && (!rvalid || (rresp == 0 && rdata == r_value)));
        invariant_taken: assert (aw_taken == \dut.write_address_full_q && w_taken == \dut.write_data_full_q
            && ar_taken == \dut.read_address_full_q );
        if (aw_taken) invariant_aw: assert (aw == \dut.write_address_q );
        if (w_taken) invariant_w: assert (w == \dut.write_data_q && strobes == \dut.write_strobes_q );
        if (ar_taken) invariant_ar: assert (ar == \dut.read_address_q );
        // Data before their address, and a read beside a write.
        cover (w_taken && !aw_taken);
        cover (write && read);
    end
endmodule
