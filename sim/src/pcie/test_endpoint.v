// A stand-in for the card on PCI Express, to test the block and the root complex: a few words behind BAR 0, and an engine
// that sends one request as told. `fault` makes it break a rule.
module spandrel_card #(parameter DATA = WIDTH, parameter LANES = DATA / 32) (
    input clock, input reset, output irq, output busy,
    input [DATA-1:0] m_axis_cq_tdata, input [LANES-1:0] m_axis_cq_tkeep, input m_axis_cq_tlast,
    input [CQ_USER-1:0] m_axis_cq_tuser, input m_axis_cq_tvalid, output m_axis_cq_tready,
    output [DATA-1:0] s_axis_cc_tdata, output [LANES-1:0] s_axis_cc_tkeep, output s_axis_cc_tlast,
    output [CC_USER-1:0] s_axis_cc_tuser, output s_axis_cc_tvalid, input s_axis_cc_tready,
    output reg [DATA-1:0] s_axis_rq_tdata, output reg [LANES-1:0] s_axis_rq_tkeep, output s_axis_rq_tlast,
    output reg [RQ_USER-1:0] s_axis_rq_tuser, output s_axis_rq_tvalid, input s_axis_rq_tready,
    input [DATA-1:0] m_axis_rc_tdata, input [LANES-1:0] m_axis_rc_tkeep, input m_axis_rc_tlast,
    input [RC_USER-1:0] m_axis_rc_tuser, input m_axis_rc_tvalid, output m_axis_rc_tready,
    output [1:0] pcie_cq_np_req, input [1:0] cfg_max_payload, input [2:0] cfg_max_read_req, input [3:0] cfg_rcb_status,
    input [15:0] cfg_function_status, input [3:0] cfg_flr_in_process, output [3:0] cfg_flr_done,
    input [3:0] cfg_interrupt_msix_enable, input [3:0] cfg_interrupt_msix_mask,
    output [3:0] m_axi_card_awid, output [39:0] m_axi_card_awaddr, output [7:0] m_axi_card_awlen,
    output [2:0] m_axi_card_awsize, output [1:0] m_axi_card_awburst, output m_axi_card_awvalid,
    input m_axi_card_awready, output [511:0] m_axi_card_wdata, output [63:0] m_axi_card_wstrb,
    output m_axi_card_wlast, output m_axi_card_wvalid, input m_axi_card_wready,
    input [3:0] m_axi_card_bid, input [1:0] m_axi_card_bresp, input m_axi_card_bvalid, output m_axi_card_bready,
    output [3:0] m_axi_card_arid, output [39:0] m_axi_card_araddr, output [7:0] m_axi_card_arlen,
    output [2:0] m_axi_card_arsize, output [1:0] m_axi_card_arburst, output m_axi_card_arvalid,
    input m_axi_card_arready, input [3:0] m_axi_card_rid, input [511:0] m_axi_card_rdata,
    input [1:0] m_axi_card_rresp, input m_axi_card_rlast, input m_axi_card_rvalid, output m_axi_card_rready);

    // Words: 0 scratch, 1/2 address, 3 DWORDs | enables << 16 | tag << 24, 4 go (1 read, 2 write) | fault << 8,
    // 5 configuration signals, 6 sum of the data read, 7 DWORDs read, 8 last error | completions << 8 | ended << 24,
    // 9 first DWORD's place in the last completion, 10 DWORDs received while nothing was valid would show in 6.
    reg [31:0] words [0:8];
    integer i;

    // Requests of the host: the first beat holds the descriptor and, at both widths, the one or two DWORDs of data.
    reg asked; reg [31:0] ask0, ask2, ask3; reg [3:0] first_enable;
    wire take = m_axis_cq_tvalid & m_axis_cq_tready;
    wire write = take & (m_axis_cq_tdata[78:75] == 1);
    wire [31:0] mask = {{8{m_axis_cq_tuser[3]}}, {8{m_axis_cq_tuser[2]}}, {8{m_axis_cq_tuser[1]}}, {8{m_axis_cq_tuser[0]}}};
    wire [3:0] place = m_axis_cq_tdata[5:2];
    wire two = m_axis_cq_tdata[74:64] == 2;
    wire go = write & (place == 4) & !cfg_flr_in_process[0];
    assign m_axis_cq_tready = !asked;
    reg [5:0] hunger;
    assign pcie_cq_np_req = {1'b0, hunger == 0};

    wire [3:0] from = ask0[5:2];
    wire [31:0] signals = {12'd0, cfg_interrupt_msix_mask[0], cfg_interrupt_msix_enable[0], cfg_rcb_status[0],
                           cfg_max_read_req, cfg_max_payload, cfg_function_status[11:0]};
    wire [31:0] low_word = (from < 5 || from > 5) & (from < 9) ? words[from] : (from == 5) ? signals : 0;
    wire [31:0] high_word = words[from + 1];
    wire [1:0] skip = first_enable[0] ? 0 : first_enable[1] ? 1 : first_enable[2] ? 2 : 3;
    wire [2:0] count = first_enable[0] + first_enable[1] + first_enable[2] + first_enable[3];
    wire pair = ask2[10:0] == 2;
    wire [31:0] reply0 = {3'd0, pair ? 13'd8 : {10'd0, count} + (words[4][11:8] == 6), 8'd0, 1'b0, ask0[6:2], skip};
    wire [31:0] reply1 = {ask2[31:16], 2'd0, (from == 15) ? 3'd1 : 3'd0, (from == 15) ? 11'd0 : ask2[10:0]};
    wire [31:0] reply2 = {1'b0, ask3[30:25], 1'b0, 16'd0, ask3[7:0] + {7'd0, words[4][11:8] == 7}};
    assign s_axis_cc_tdata = {high_word, low_word, reply2, reply1, reply0};
    assign s_axis_cc_tkeep = (from == 15) ? 7 : pair ? 31 : 15;
    assign s_axis_cc_tlast = 1;
    assign s_axis_cc_tuser = 0;
    assign s_axis_cc_tvalid = asked;

    // The engine: sends a descriptor and a count.
    reg sending, writes; reg [11:0] sent; reg [31:0] tick;
    wire [3:0] fault = words[4][11:8];
    wire [10:0] dwords = words[3][10:0];
    wire [11:0] total = writes ? dwords + 4 : 4;
    wire final = sent + LANES >= total;
    assign s_axis_rq_tlast = final;
    assign s_axis_rq_tvalid = sending & !((fault == 1) & (sent != 0) & tick[0]) & !((fault == 8) & tick[0]);
    wire [127:0] header = {1'b0, 6'd0, fault == 5, 16'd0, words[3][31:24],
        8'd0, 8'd0, 1'b0, (fault == 10) ? 4'd4 : writes ? 4'd1 : 4'd0, dwords, words[2], words[1][31:2], 2'b00};
    always @(*) begin
        s_axis_rq_tdata = 0; s_axis_rq_tkeep = 0; s_axis_rq_tuser = 0;
        for (i = 0; i < LANES; i = i + 1) begin
            if (sent + i < 4) s_axis_rq_tdata[32*i +: 32] = header[32*i +: 32];
            else s_axis_rq_tdata[32*i +: 32] = words[0] + sent + i - 4 + ((fault == 2) ? tick : 0);
            s_axis_rq_tkeep[i] = (sent + i < total) & !((fault == 3) & (i == 1));
        end
        if (sent == 0) begin
            s_axis_rq_tuser[3:0] = words[3][19:16];
            if (DATA == 256) s_axis_rq_tuser[7:4] = words[3][23:20]; else s_axis_rq_tuser[11:8] = words[3][23:20];
        end
        if (DATA == 256) s_axis_rq_tuser[11] = fault == 11; else s_axis_rq_tuser[36] = fault == 11;
        if ((DATA == 512) & (fault == 12)) s_axis_rq_tuser[27:26] = 2;
    end

    // Completions: data is summed up.
    reg inside; reg [31:0] sum; reg [31:0] number;
    wire rc = m_axis_rc_tvalid & m_axis_rc_tready;
    assign m_axis_rc_tready = tick[1:0] != 3;
    always @(*) begin
        sum = 0; number = 0;
        for (i = 0; i < LANES; i = i + 1)
            if (m_axis_rc_tkeep[i] & (inside | (i > 2))) begin
                sum = sum + m_axis_rc_tdata[32*i +: 32];
                number = number + 1;
            end
    end

    assign irq = 0;
    assign busy = sending;
    reg [4:0] resetting;
    assign cfg_flr_done = {3'd0, (resetting == 31) | ((m_axis_cq_tdata[139:136] == 9) & go)};

    always @(posedge clock) begin
        tick <= tick + 1;
        hunger <= (hunger == 0) ? 20 : hunger - 1;
        if (take & !write) begin
            asked <= 1; ask0 <= m_axis_cq_tdata[31:0]; ask2 <= m_axis_cq_tdata[95:64]; ask3 <= m_axis_cq_tdata[127:96];
            first_enable <= m_axis_cq_tuser[3:0];
        end
        if (asked & s_axis_cc_tready) asked <= 0;
        if (write & (place < 9) & (m_axis_cq_tdata[31:6] == 26'h3804000)) begin
            words[place] <= (words[place] & ~mask) | (m_axis_cq_tdata[159:128] & mask);
            if (two) words[place + 1] <= m_axis_cq_tdata[191:160];
        end
        if (go & (m_axis_cq_tdata[31:6] == 26'h3804000)) begin
            sending <= m_axis_cq_tdata[129:128] != 0; writes <= m_axis_cq_tdata[129]; sent <= 0;
        end
        if (s_axis_rq_tvalid & s_axis_rq_tready) begin
            sent <= sent + LANES;
            if (final) sending <= 0;
        end
        if (rc) begin
            inside <= !m_axis_rc_tlast;
            words[6] <= words[6] + sum;
            words[7] <= words[7] + number;
            if (!inside) words[8] <= {m_axis_rc_tdata[31:28] == 15, 6'd0, m_axis_rc_tdata[30], words[8][23:8] + 16'd1,
                                      4'd0, m_axis_rc_tdata[15:12]};
        end
        resetting <= cfg_flr_in_process[0] ? resetting + 1 : 0;
        if (reset | (resetting == 30)) begin
            for (i = 0; i < 9; i = i + 1) words[i] <= 0;
            sending <= 0;
        end
        if (reset) begin
            asked <= 0; inside <= 0; tick <= 0; resetting <= 0; sent <= 0; hunger <= 0; writes <= 0;
        end
    end

    assign m_axi_card_awvalid = 0;
    assign m_axi_card_wvalid = 0;
    assign m_axi_card_arvalid = 0;
    assign m_axi_card_bready = 0;
    assign m_axi_card_rready = 0;
    assign {m_axi_card_awid, m_axi_card_awaddr, m_axi_card_awlen, m_axi_card_awsize, m_axi_card_awburst} = 0;
    assign {m_axi_card_wdata, m_axi_card_wstrb, m_axi_card_wlast} = 0;
    assign {m_axi_card_arid, m_axi_card_araddr, m_axi_card_arlen, m_axi_card_arsize, m_axi_card_arburst} = 0;
endmodule
