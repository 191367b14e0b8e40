// Addition, subtraction and negation modulo a prime, as the datapath generator cuts them, are those of the plain
// definition, for all operands below the prime. The pipelines remember nothing, so operands that stand still until the
// result is there stand for any that pass.

module modular #(parameter WIDTH = 8, parameter [WIDTH-1:0] PRIME = 251, parameter LATENCY = 16) (
    input clock, input [WIDTH-1:0] a, input [WIDTH-1:0] b,
    input [WIDTH-1:0] sum, input [WIDTH-1:0] difference, input [WIDTH-1:0] negative
);
    reg [7:0] cycle = 0;
    always @(posedge clock) if (cycle <= LATENCY) cycle <= cycle + 1;
    always @* assume (a < PRIME && b < PRIME);
    wire [WIDTH:0] plain = {1'b0, a} + {1'b0, b};
    always @(posedge clock) if (cycle >= LATENCY) begin
        right_sum: assert (sum == (plain >= PRIME ? plain - PRIME : plain));
        right_difference: assert (difference == (a >= b ? a - b : a + (PRIME - b)));
        right_negative: assert (negative == (a == 0 ? 0 : PRIME - a));
        cover (plain >= PRIME && a < b && sum != 0);
        cover (a == 0);
    end
endmodule

module modular_small_proof (input clock);
    (* anyconst *) wire [7:0] a, b;
    wire [7:0] sum, difference, negative;
    modular_small dut (.*);
    modular #(.WIDTH(8), .PRIME(8'd251)) plain (.*);
endmodule

module modular_wide_proof (input clock);
    (* anyconst *) wire [253:0] a, b;
    wire [253:0] sum, difference, negative;
    modular_wide dut (.*);
    modular #(.WIDTH(254),
              .PRIME(254'h30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47)) plain (.*);
endmodule
