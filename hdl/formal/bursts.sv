// The AXI4 masters: bursts within 4 KiB and 64 beats, channels that stand still while they wait, no beat dropped or made.
// Jobs are aligned to the bus, as the masters ask for. Nothing is assumed of job lengths and of when things happen.
//
// A proof defines MASTER, the block, and BYTES, the width of its bus.

// A burst is of whole beats of BYTES, stays within 4 KiB and is not longer than 64 beats.
module in_bounds #(parameter BYTES = 32) (input clock, input valid, input [63:0] address, input [15:0] beats);
    wire [15:0] first = address[11:0] / BYTES;
    always @(posedge clock) if (valid) begin
        whole_beats: assert (address % BYTES == 0);
        not_too_long: assert (beats >= 1 && beats <= 64);
        within_4_kib: assert (first + beats <= 4096 / BYTES);
    end
endmodule

module burst_plan_proof (
    input clock, input reset,
    input [63:0] job_address, input [31:0] job_beats, input job_valid, input burst_ready
);
    wire job_ready, burst_valid, idle;
    wire [63:0] burst_address;
    wire [15:0] burst_beats;
    burst_plan dut (.*);
    always @* assume (job_address % 32 == 0);
    in_bounds #(.BYTES(32)) bounds (.clock(clock), .valid(burst_valid), .address(burst_address), .beats(burst_beats));
    stable #(.WIDTH(80)) burst (.clock(clock), .reset(reset), .valid(burst_valid), .ready(burst_ready),
                                .payload({burst_address, burst_beats}));

    // The account: where the job stands.
    reg [63:0] next = 0;
    reg [31:0] left = 0;
    always @(posedge clock) begin
        if (job_valid && job_ready) begin
            next <= job_address;
            left <= job_beats;
        end else if (burst_valid && burst_ready) begin
            next <= next + 32 * burst_beats;
            left <= left - burst_beats;
        end
        if (reset) left <= 0;
    end
    (* hierconn *) wire [63:0] \dut.address_q ;
    (* hierconn *) wire [31:0] \dut.remaining_q ;
    (* hierconn *) wire \dut.planned_valid_q ;
    (* hierconn *) wire [15:0] \dut.planned_q ;
    always @(posedge clock) begin
        if (burst_valid) follows_the_one_before: assert (burst_address == next);
        if (burst_valid) not_more_than_the_job: assert (burst_beats <= left);
        idle_when_done: assert (idle == (left == 0) && job_ready == idle);
        invariant_left: assert (\dut.remaining_q == left);
        if (left != 0) invariant_next: assert (\dut.address_q == next && next % 32 == 0);
        if (\dut.planned_valid_q ) invariant_planned: assert (\dut.planned_q >= 1 && \dut.planned_q <= 64
            && \dut.planned_q <= left && next[11:5] + \dut.planned_q <= 128);
        cover (burst_valid && burst_ready && burst_beats < 64 && burst_beats < left);
        cover (burst_valid && burst_beats == 64);
    end
endmodule

// The read master. The memory answers what it was asked for, when and as it likes, and nothing else.
module read_dma_proof (
    input clock, input abort, input clear,
    input [63:0] job_address, input [31:0] job_beats, input job_valid, input out_ready,
    input arready, input [8*`BYTES-1:0] rdata, input [1:0] rresp, input [2:0] ruser, input rvalid
);
    localparam BYTES = `BYTES;
    wire reset = 0;
    wire job_ready, out_valid, idle, fault, beat, arvalid, rready;
    wire [8*BYTES-1:0] out_data;
    wire [2:0] cause;
    wire [63:0] araddr;
    wire [7:0] arlen;
    `MASTER dut (.*);
    always @* assume (job_address % BYTES == 0);

    in_bounds #(.BYTES(BYTES)) bounds (
        .clock(clock), .valid(arvalid), .address(araddr), .beats(arlen + 16'd1));
    stable #(.WIDTH(72)) ar (.clock(clock), .reset(1'b0), .valid(arvalid), .ready(arready), .payload({araddr, arlen}));

    // Beats that were asked for and have not come.
    reg [15:0] outstanding = 0;
    always @(posedge clock)
        outstanding <= outstanding + (arvalid && arready ? arlen + 16'd1 : 16'd0) - (rvalid && rready);
    always @* assume (!rvalid || outstanding != 0);

    (* hierconn *) wire [15:0] \dut.pending_q ;
    (* hierconn *) wire [15:0] \dut.buffer.fill_q ;
    (* hierconn *) wire [63:0] \dut.plan.address_q ;
    (* hierconn *) wire [31:0] \dut.plan.remaining_q ;
    (* hierconn *) wire \dut.plan.planned_valid_q ;
    (* hierconn *) wire [15:0] \dut.plan.planned_q ;
    localparam SHIFT = BYTES == 32 ? 5 : 6;
    wire [15:0] place = \dut.plan.address_q [11:SHIFT];
    always @(posedge clock) begin
        data_are_taken_at_once: assert (rready);
        no_beat_is_dropped: assert (abort || beat == rvalid);
        room_for_all_that_comes: assert (outstanding + \dut.buffer.fill_q <= 64);
        invariant_pending: assert (\dut.pending_q == outstanding + (arvalid ? arlen + 16'd1 : 16'd0));
        invariant_room: assert (\dut.pending_q <= 64 && \dut.buffer.fill_q <= 64
            && \dut.pending_q + \dut.buffer.fill_q <= 64);
        if (\dut.plan.remaining_q != 0) invariant_aligned: assert (\dut.plan.address_q % BYTES == 0);
        if (\dut.plan.planned_valid_q ) invariant_planned: assert (\dut.plan.planned_q >= 1
            && \dut.plan.planned_q <= 64 && \dut.plan.planned_q <= \dut.plan.remaining_q
            && place + \dut.plan.planned_q <= 4096 / BYTES);
        cover (rvalid && beat && out_valid && out_ready);
        cover (abort && rvalid);
    end
endmodule

// The write master. The memory takes addresses and data when it likes and answers whole bursts.
module write_dma_proof (
    input clock, input abort, input clear,
    input [63:0] job_address, input [31:0] job_beats, input job_valid, input [8*`BYTES-1:0] in_data, input in_valid,
    input awready, input wready, input [1:0] bresp, input bvalid
);
    localparam BYTES = `BYTES;
    wire reset = 0;
    wire job_ready, in_ready, idle, fault, beat, awvalid, wvalid, wlast, bready;
    wire [63:0] awaddr;
    wire [7:0] awlen;
    wire [8*BYTES-1:0] wdata;
    wire [BYTES-1:0] wstrb;
    `MASTER dut (.*);
    always @* assume (job_address % BYTES == 0);

    in_bounds #(.BYTES(BYTES)) bounds (
        .clock(clock), .valid(awvalid), .address(awaddr), .beats(awlen + 16'd1));
    stable #(.WIDTH(72)) aw (.clock(clock), .reset(1'b0), .valid(awvalid), .ready(awready), .payload({awaddr, awlen}));
    stable #(.WIDTH(9*BYTES+1)) w (.clock(clock), .reset(1'b0), .valid(wvalid), .ready(wready),
                                   .payload({wdata, wstrb, wlast}));

    // Bursts whose address was offered and whose data have not all gone, two at most: beats that are left of the first
    // one (`now`), beats of the one behind it (`later`).
    reg offered = 0;
    reg [15:0] now = 0, later = 0;
    wire announced = awvalid && !offered;
    wire [15:0] length = awlen + 16'd1;
    wire sent = wvalid && wready;
    always @(posedge clock) begin
        offered <= awvalid && !awready;
        if (sent && now == 1) begin
            now <= later != 0 ? later : announced ? length : 0;
            later <= later != 0 && announced ? length : 0;
        end else begin
            now <= now == 0 && announced ? length : now - sent;
            later <= now != 0 && announced ? length : later;
        end
    end
    (* hierconn *) wire [15:0] \dut.to_send_q ;
    (* hierconn *) wire [63:0] \dut.plan.address_q ;
    (* hierconn *) wire [31:0] \dut.plan.remaining_q ;
    (* hierconn *) wire \dut.plan.planned_valid_q ;
    (* hierconn *) wire [15:0] \dut.plan.planned_q ;
    localparam SHIFT = BYTES == 32 ? 5 : 6;
    wire [15:0] place = \dut.plan.address_q [11:SHIFT];
    wire [15:0] coming = announced ? length : 16'd0;
    always @(posedge clock) begin
        data_only_of_an_announced_burst: assert (!wvalid || now != 0);
        if (wvalid) last_at_the_right_beat: assert (wlast == (now == 1));
        invariant_one_behind: assert (later == 0 || !announced);
        invariant_behind: assert ((later == 0 && !(announced && now != 0)) || (now == 1 && wvalid));
        invariant_account: assert (now + later + coming == \dut.to_send_q + wvalid);
        invariant_bounds: assert (now <= 64 && later <= 64 && \dut.to_send_q <= 64);
        if (\dut.plan.remaining_q != 0) invariant_aligned: assert (\dut.plan.address_q % BYTES == 0);
        if (\dut.plan.planned_valid_q ) invariant_planned: assert (\dut.plan.planned_q >= 1
            && \dut.plan.planned_q <= 64 && \dut.plan.planned_q <= \dut.plan.remaining_q
            && place + \dut.plan.planned_q <= 4096 / BYTES);
        cover (wvalid && wlast && later != 0);
        cover (wvalid && !wlast);
    end
endmodule
