// The FIFO of pairs keeps order, as order.sv says. It does not say when it is full: who puts pairs in sees that there is
// space, which is assumed here and proved of that one in buckets.sv.
//
// A pair is a word of 1,036 bits that is written and read whole. Of it the slot and the outermost bits of both points
// are free here, 24 bits; the others are zero.

module pair_fifo_proof (
    input clock, input reset, input [23:0] in_data, input in_valid, input out_ready
);
    wire [761:0] out_p, out_q;
    wire [19:0] out_slot;
    wire out_valid;
    wire [15:0] space;
    pair_fifo dut (.clock(clock), .reset(reset),
                   .in_p({254'd0, in_data[1], 506'd0, in_data[0]}), .in_q({254'd0, in_data[3], 506'd0, in_data[2]}),
                   .in_slot(in_data[23:4]), .in_valid(in_valid),
                   .out_p(out_p), .out_q(out_q), .out_slot(out_slot), .out_valid(out_valid), .out_ready(out_ready),
                   .space(space));
    always @* if (!reset) assume (!in_valid || space != 0);
    wire in_ready = 1;

    wire [23:0] out_data = {out_slot, out_q[507], out_q[0], out_p[507], out_p[0]};
    wire [15:0] inside, ahead;
    wire watching;
    wire [23:0] watched;
    order #(.WIDTH(24), .CAPACITY(5)) keeps (.*);

    (* hierconn *) wire [15:0] \dut.fill_q ;
    (* hierconn *) wire [15:0] \dut.read_pointer_q ;
    (* hierconn *) wire [15:0] \dut.write_pointer_q ;
    (* hierconn *) wire [1035:0] \dut.memory.words[0] ;
    wire [23:0] word0 = {\dut.memory.words[0] [1035:1015], \dut.memory.words[0] [508], \dut.memory.words[0] [507],
                         \dut.memory.words[0] [0]};
    (* hierconn *) wire [1035:0] \dut.memory.words[1] ;
    wire [23:0] word1 = {\dut.memory.words[1] [1035:1015], \dut.memory.words[1] [508], \dut.memory.words[1] [507],
                         \dut.memory.words[1] [0]};
    (* hierconn *) wire [1035:0] \dut.memory.words[2] ;
    wire [23:0] word2 = {\dut.memory.words[2] [1035:1015], \dut.memory.words[2] [508], \dut.memory.words[2] [507],
                         \dut.memory.words[2] [0]};
    (* hierconn *) wire [1035:0] \dut.memory.words[3] ;
    wire [23:0] word3 = {\dut.memory.words[3] [1035:1015], \dut.memory.words[3] [508], \dut.memory.words[3] [507],
                         \dut.memory.words[3] [0]};
    (* hierconn *) wire [1035:0] \dut.memory.words[4] ;
    wire [23:0] word4 = {\dut.memory.words[4] [1035:1015], \dut.memory.words[4] [508], \dut.memory.words[4] [507],
                         \dut.memory.words[4] [0]};
    ring_invariant #(.WIDTH(24)) ring (
        .*, .read_pointer(\dut.read_pointer_q ), .write_pointer(\dut.write_pointer_q ),
        .words({word4, word3, word2, word1, word0}));
    always @(posedge clock) begin
        invariant_fill: assert (\dut.fill_q == inside);
        space_is_true: assert (space + inside == 5);
        one_is_one: assert (out_p[761:508] == out_q[761:508]);
    end
endmodule
