// A stand-in for the card, with the card's ports, to test the bus models: one engine a memory bus that reads one burst
// and writes it elsewhere, and a few registers. `fault` makes an engine break a rule.
module mover #(parameter ADDRESS = 64, parameter DATA = 256) (
    input clock, input reset, input start, input [ADDRESS-1:0] source, input [ADDRESS-1:0] target, input [7:0] beats,
    input [3:0] fault, output reg busy, output reg failed,
    output [3:0] awid, output [ADDRESS-1:0] awaddr, output [7:0] awlen, output [2:0] awsize, output [1:0] awburst,
    output awvalid, input awready,
    output [DATA-1:0] wdata, output [DATA/8-1:0] wstrb, output wlast, output wvalid, input wready,
    input [3:0] bid, input [1:0] bresp, input bvalid, output bready,
    output [3:0] arid, output [ADDRESS-1:0] araddr, output [7:0] arlen, output [2:0] arsize, output [1:0] arburst,
    output arvalid, input arready,
    input [3:0] rid, input [DATA-1:0] rdata, input [1:0] rresp, input rlast, input rvalid, output rready);

    reg [DATA-1:0] buffer [0:255];
    reg [7:0] got, put;
    reg asking, reading, offering, writing, answering;
    reg [7:0] clock_count = 0;

    assign arid = 0;
    assign araddr = source;
    assign arlen = beats - 1;
    assign arsize = $clog2(DATA / 8);
    assign arburst = (fault == 4) ? 0 : 1;
    assign arvalid = asking & ((fault != 3) | clock_count[0]);
    assign rready = reading;
    assign awid = (fault == 5) ? 3 : 0;
    assign awaddr = target;
    assign awlen = beats - 1;
    assign awsize = arsize;
    assign awburst = 1;
    assign awvalid = offering;
    assign wdata = (fault == 2) ? buffer[put] ^ clock_count : buffer[put];
    assign wstrb = ~0;
    assign wlast = (fault == 1) ? put == 0 : put == beats - 1;
    assign wvalid = writing;
    assign bready = answering;

    always @(posedge clock) begin
        clock_count <= clock_count + 1;
        if (start & !busy) begin
            busy <= 1; failed <= 0; asking <= 1; got <= 0; put <= 0;
        end
        if (arvalid & arready) begin asking <= 0; reading <= 1; end
        if (rvalid & rready) begin
            buffer[got] <= rdata;
            got <= got + 1;
            failed <= failed | (rresp != 0) | (rlast != (got == beats - 1));
            if (got == beats - 1) begin reading <= 0; offering <= 1; writing <= 1; end
        end
        if (awvalid & awready) offering <= 0;
        if (wvalid & wready) begin
            put <= put + 1;
            if (put == beats - 1) begin writing <= 0; answering <= 1; end
        end
        if (bvalid & bready) begin answering <= 0; busy <= 0; failed <= failed | (bresp != 0); end
        if (reset) begin
            busy <= 0; failed <= 0; asking <= 0; reading <= 0; offering <= 0; writing <= 0; answering <= 0;
        end
    end
endmodule

module spandrel_card (
    input clock, input reset, output reg irq,
    input [11:0] s_axil_awaddr, input s_axil_awvalid, output s_axil_awready,
    input [31:0] s_axil_wdata, input [3:0] s_axil_wstrb, input s_axil_wvalid, output s_axil_wready,
    output [1:0] s_axil_bresp, output reg s_axil_bvalid, input s_axil_bready,
    input [11:0] s_axil_araddr, input s_axil_arvalid, output s_axil_arready,
    output reg [31:0] s_axil_rdata, output reg [1:0] s_axil_rresp, output reg s_axil_rvalid, input s_axil_rready,
    output [3:0] m_axi_host_awid, output [63:0] m_axi_host_awaddr, output [7:0] m_axi_host_awlen,
    output [2:0] m_axi_host_awsize, output [1:0] m_axi_host_awburst, output m_axi_host_awvalid,
    input m_axi_host_awready, output [255:0] m_axi_host_wdata, output [31:0] m_axi_host_wstrb,
    output m_axi_host_wlast, output m_axi_host_wvalid, input m_axi_host_wready,
    input [3:0] m_axi_host_bid, input [1:0] m_axi_host_bresp, input m_axi_host_bvalid, output m_axi_host_bready,
    output [3:0] m_axi_host_arid, output [63:0] m_axi_host_araddr, output [7:0] m_axi_host_arlen,
    output [2:0] m_axi_host_arsize, output [1:0] m_axi_host_arburst, output m_axi_host_arvalid,
    input m_axi_host_arready, input [3:0] m_axi_host_rid, input [255:0] m_axi_host_rdata,
    input [1:0] m_axi_host_rresp, input m_axi_host_rlast, input m_axi_host_rvalid, output m_axi_host_rready,
    output [3:0] m_axi_card_awid, output [39:0] m_axi_card_awaddr, output [7:0] m_axi_card_awlen,
    output [2:0] m_axi_card_awsize, output [1:0] m_axi_card_awburst, output m_axi_card_awvalid,
    input m_axi_card_awready, output [511:0] m_axi_card_wdata, output [63:0] m_axi_card_wstrb,
    output m_axi_card_wlast, output m_axi_card_wvalid, input m_axi_card_wready,
    input [3:0] m_axi_card_bid, input [1:0] m_axi_card_bresp, input m_axi_card_bvalid, output m_axi_card_bready,
    output [3:0] m_axi_card_arid, output [39:0] m_axi_card_araddr, output [7:0] m_axi_card_arlen,
    output [2:0] m_axi_card_arsize, output [1:0] m_axi_card_arburst, output m_axi_card_arvalid,
    input m_axi_card_arready, input [3:0] m_axi_card_rid, input [511:0] m_axi_card_rdata,
    input [1:0] m_axi_card_rresp, input m_axi_card_rlast, input m_axi_card_rvalid, output m_axi_card_rready);

    // Words: 0 scratch, 1/2 host source, 3/4 host target, 5 beats, 6 card source, 7 card target, 8 control, 9 status.
    reg [31:0] words [0:8];
    reg [11:0] aw_address; reg aw_full;
    reg [31:0] w_data; reg [3:0] w_strobe; reg w_full;
    wire host_busy, host_failed, card_busy, card_failed;
    reg host_was_busy;
    wire write = aw_full & w_full & !s_axil_bvalid;
    wire [31:0] mask = {{8{w_strobe[3]}}, {8{w_strobe[2]}}, {8{w_strobe[1]}}, {8{w_strobe[0]}}};
    wire control = write & (aw_address[11:2] == 8);
    integer i;

    assign s_axil_awready = !aw_full;
    assign s_axil_wready = !w_full;
    assign s_axil_bresp = 0;
    // Address 0x84 is never answered, address 0x80 with an error.
    assign s_axil_arready = !s_axil_rvalid & (s_axil_araddr != 12'h084);

    always @(posedge clock) begin
        if (s_axil_awvalid & s_axil_awready) begin aw_full <= 1; aw_address <= s_axil_awaddr; end
        if (s_axil_wvalid & s_axil_wready) begin w_full <= 1; w_data <= s_axil_wdata; w_strobe <= s_axil_wstrb; end
        if (s_axil_bready) s_axil_bvalid <= 0;
        if (write) begin
            aw_full <= 0; w_full <= 0; s_axil_bvalid <= 1;
            if (aw_address[11:2] < 9)
                words[aw_address[5:2]] <= (words[aw_address[5:2]] & ~mask) | (w_data & mask);
        end
        if (s_axil_rready) s_axil_rvalid <= 0;
        if (s_axil_arvalid & s_axil_arready) begin
            s_axil_rvalid <= 1;
            s_axil_rresp <= (s_axil_araddr == 12'h080) ? 2 : 0;
            s_axil_rdata <= (s_axil_araddr[11:2] < 9) ? words[s_axil_araddr[5:2]]
                : (s_axil_araddr[11:2] == 9) ? {28'd0, card_failed, host_failed, card_busy, host_busy} : 0;
        end
        host_was_busy <= host_busy;
        if (host_was_busy & !host_busy) irq <= 1;
        if (control & w_data[2]) irq <= 0;
        if (reset) begin
            aw_full <= 0; w_full <= 0; s_axil_bvalid <= 0; s_axil_rvalid <= 0; irq <= 0; host_was_busy <= 0;
            for (i = 0; i < 9; i = i + 1) words[i] <= 0;
        end
    end

    mover #(.ADDRESS(64), .DATA(256)) host (
        .clock(clock), .reset(reset), .start(control & w_data[0]), .source({words[2], words[1]}),
        .target({words[4], words[3]}), .beats(words[5][7:0]), .fault(words[8][11:8]),
        .busy(host_busy), .failed(host_failed),
        .awid(m_axi_host_awid), .awaddr(m_axi_host_awaddr), .awlen(m_axi_host_awlen), .awsize(m_axi_host_awsize),
        .awburst(m_axi_host_awburst), .awvalid(m_axi_host_awvalid), .awready(m_axi_host_awready),
        .wdata(m_axi_host_wdata), .wstrb(m_axi_host_wstrb), .wlast(m_axi_host_wlast), .wvalid(m_axi_host_wvalid),
        .wready(m_axi_host_wready), .bid(m_axi_host_bid), .bresp(m_axi_host_bresp), .bvalid(m_axi_host_bvalid),
        .bready(m_axi_host_bready), .arid(m_axi_host_arid), .araddr(m_axi_host_araddr), .arlen(m_axi_host_arlen),
        .arsize(m_axi_host_arsize), .arburst(m_axi_host_arburst), .arvalid(m_axi_host_arvalid),
        .arready(m_axi_host_arready), .rid(m_axi_host_rid), .rdata(m_axi_host_rdata), .rresp(m_axi_host_rresp),
        .rlast(m_axi_host_rlast), .rvalid(m_axi_host_rvalid), .rready(m_axi_host_rready));

    mover #(.ADDRESS(40), .DATA(512)) card (
        .clock(clock), .reset(reset), .start(control & w_data[1]), .source({8'd0, words[6]}),
        .target({8'd0, words[7]}), .beats(words[5][7:0]), .fault(4'd0),
        .busy(card_busy), .failed(card_failed),
        .awid(m_axi_card_awid), .awaddr(m_axi_card_awaddr), .awlen(m_axi_card_awlen), .awsize(m_axi_card_awsize),
        .awburst(m_axi_card_awburst), .awvalid(m_axi_card_awvalid), .awready(m_axi_card_awready),
        .wdata(m_axi_card_wdata), .wstrb(m_axi_card_wstrb), .wlast(m_axi_card_wlast), .wvalid(m_axi_card_wvalid),
        .wready(m_axi_card_wready), .bid(m_axi_card_bid), .bresp(m_axi_card_bresp), .bvalid(m_axi_card_bvalid),
        .bready(m_axi_card_bready), .arid(m_axi_card_arid), .araddr(m_axi_card_araddr), .arlen(m_axi_card_arlen),
        .arsize(m_axi_card_arsize), .arburst(m_axi_card_arburst), .arvalid(m_axi_card_arvalid),
        .arready(m_axi_card_arready), .rid(m_axi_card_rid), .rdata(m_axi_card_rdata), .rresp(m_axi_card_rresp),
        .rlast(m_axi_card_rlast), .rvalid(m_axi_card_rvalid), .rready(m_axi_card_rready));
endmodule
