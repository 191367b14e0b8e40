// Width changers: two narrow elements make a wide one, the first low, and the other way round. Both are without delay, so
// an element is looked at in the cycle in which it passes.

module pair_proof (
    input clock, input reset,
    input [3:0] in_data, input in_valid, input out_ready
);
    wire in_ready, out_valid;
    wire [7:0] out_data;
    pair dut (.clock(clock), .reset(reset), .in_data(in_data), .in_valid(in_valid), .in_ready(in_ready),
              .out_data(out_data), .out_valid(out_valid), .out_ready(out_ready));

    // The account: whether a first half has come, and which.
    reg half = 0;
    reg [3:0] first;
    always @(posedge clock) begin
        if (in_valid && in_ready) begin
            half <= !half;
            if (!half) first <= in_data;
        end
        if (reset) half <= 0;
    end

    (* hierconn *) wire \dut.low_full_q ;
    (* hierconn *) wire [3:0] \dut.low_q ;
    always @(posedge clock) begin
        invariant_account: assert (half == \dut.low_full_q );
        if (half) invariant_first: assert (first == \dut.low_q );
        wide_with_its_second_half: assert (out_valid == (half && in_valid));
        if (out_valid) right_halves: assert (out_data == {in_data, first});
        second_half_waits_for_room: assert (in_ready == (!half || out_ready));
        cover (out_valid && out_ready && out_data == 8'ha5);
        cover (out_valid && !out_ready);
    end
endmodule

module split_proof (
    input clock, input reset,
    input [7:0] in_data, input in_valid, input out_ready
);
    wire in_ready, out_valid;
    wire [3:0] out_data;
    split dut (.clock(clock), .reset(reset), .in_data(in_data), .in_valid(in_valid), .in_ready(in_ready),
               .out_data(out_data), .out_valid(out_valid), .out_ready(out_ready));

    // The account: whether the low half of the element that is offered has left.
    reg half = 0;
    always @(posedge clock) begin
        if (out_valid && out_ready) half <= !half;
        if (reset) half <= 0;
    end

    (* hierconn *) wire \dut.high_half_q ;
    always @(posedge clock) begin
        invariant_account: assert (half == \dut.high_half_q );
        nothing_of_nothing: assert (out_valid == in_valid);
        if (out_valid) right_half: assert (out_data == (half ? in_data[7:4] : in_data[3:0]));
        taken_with_its_high_half: assert ((in_valid && in_ready) == (out_valid && out_ready && half));
        cover (in_valid && in_ready && in_data == 8'ha5);
        cover (half && !out_ready);
    end
endmodule
