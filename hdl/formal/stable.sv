// A channel that waits is still valid and says the same: the rule of every stream, and of AXI.
module stable #(parameter WIDTH = 8) (input clock, input reset, input valid, input ready, input [WIDTH-1:0] payload);
    reg waits = 0;
    reg [WIDTH-1:0] offered;
    always @(posedge clock) begin
        waits <= valid && !ready && !reset;
        offered <= payload;
        if (waits) still_valid: assert (valid);
        if (waits) still_the_same: assert (payload == offered);
        cover (waits && valid && ready);
    end
endmodule

