// Streams keep order: what goes in comes out once, in the order in which it went in, and nothing else comes out.
//
// `order` watches one element, any one: the solver picks the cycle in which it is put in (`pick`). From then on the
// checker counts the elements ahead of it. It must leave when none is ahead of it, with the data it came with. Because any
// element may be the one, this covers loss, repetition, exchange and damage of all of them.
//
// The proofs are by induction, for which each top states how its registers stand to the account (`invariant_...`).
// `(* hierconn *) wire \dut.x` is the signal x inside of the block: yosys joins the two when it flattens.

module order #(
    parameter WIDTH = 8,
    // Elements that the block may hold.
    parameter CAPACITY = 2
) (
    input clock,
    input reset,
    input [WIDTH-1:0] in_data,
    input in_valid,
    input in_ready,
    input [WIDTH-1:0] out_data,
    input out_valid,
    input out_ready,
    // For the induction's invariants.
    output reg [15:0] inside = 0,
    output reg watching = 0,
    output reg [WIDTH-1:0] watched,
    output reg [15:0] ahead
);
    wire push = in_valid && in_ready;
    wire pop = out_valid && out_ready;

    // The account.
    always @(posedge clock) inside <= reset ? 0 : inside + push - pop;

    // The element that is watched.
    (* anyseq *) wire pick;
    always @(posedge clock) begin
        if (watching) begin
            if (pop) begin
                if (ahead == 0) watching <= 0;
                ahead <= ahead - 1;
            end
        end else if (push && pick) begin
            watching <= 1;
            watched <= in_data;
            ahead <= inside - pop;
        end
        if (reset) watching <= 0;
    end

    // Its other side waits: what is offered must still be there, the same.
    reg waits = 0;
    reg [WIDTH-1:0] offered;
    always @(posedge clock) begin
        waits <= out_valid && !out_ready && !reset;
        offered <= out_data;
    end

    always @(posedge clock) begin
        never_too_many: assert (inside <= CAPACITY);
        nothing_lost_or_doubled: assert (out_valid == (inside != 0));
        if (watching && ahead == 0) right_data: assert (out_data == watched);
        if (waits) still_offered: assert (out_valid);
        if (waits) data_stand_still: assert (out_data == offered);
        // Some sequence fills the block to the last place, and takes the watched element out of the middle.
        cover (inside == CAPACITY && watching && ahead == CAPACITY - 1);
        cover (watching && pop && ahead == 0 && inside == CAPACITY);
    end
endmodule

module skid_proof (
    input clock, input reset,
    input [7:0] in_data, input in_valid, input out_ready
);
    wire in_ready, out_valid;
    wire [7:0] out_data;
    skid dut (.clock(clock), .reset(reset), .in_data(in_data), .in_valid(in_valid), .in_ready(in_ready),
              .out_data(out_data), .out_valid(out_valid), .out_ready(out_ready));

    wire [15:0] inside, ahead;
    wire watching;
    wire [7:0] watched;
    order #(.WIDTH(8), .CAPACITY(2)) keeps (.*);

    (* hierconn *) wire [7:0] \dut.front_q ;
    (* hierconn *) wire [7:0] \dut.back_q ;
    (* hierconn *) wire \dut.front_full_q ;
    (* hierconn *) wire \dut.back_full_q ;
    always @(posedge clock) begin
        invariant_account: assert (inside == \dut.front_full_q + \dut.back_full_q );
        invariant_front_first: assert (\dut.front_full_q || !\dut.back_full_q );
        if (watching) begin
            invariant_watched_inside: assert (ahead < inside);
            if (ahead == 1) invariant_watched_behind: assert (\dut.back_q == watched);
        end
    end
endmodule

module fifo_proof (
    input clock, input reset,
    input [7:0] in_data, input in_valid, input out_ready
);
    wire in_ready, out_valid;
    wire [7:0] out_data;
    wire [15:0] count, space;
    fifo dut (.clock(clock), .reset(reset), .in_data(in_data), .in_valid(in_valid), .in_ready(in_ready),
              .out_data(out_data), .out_valid(out_valid), .out_ready(out_ready), .count(count), .space(space));

    wire [15:0] inside, ahead;
    wire watching;
    wire [7:0] watched;
    order #(.WIDTH(8), .CAPACITY(5)) keeps (.*);

    (* hierconn *) wire [15:0] \dut.read_pointer_q ;
    (* hierconn *) wire [15:0] \dut.write_pointer_q ;
    ring_invariant #(.WIDTH(8)) ring (
        .*, .read_pointer(\dut.read_pointer_q ), .write_pointer(\dut.write_pointer_q ), .words(words));
    (* hierconn *) wire [7:0] \dut.memory.words[0] ;
    (* hierconn *) wire [7:0] \dut.memory.words[1] ;
    (* hierconn *) wire [7:0] \dut.memory.words[2] ;
    (* hierconn *) wire [7:0] \dut.memory.words[3] ;
    (* hierconn *) wire [7:0] \dut.memory.words[4] ;
    wire [39:0] words = {\dut.memory.words[4] , \dut.memory.words[3] , \dut.memory.words[2] ,
                         \dut.memory.words[1] , \dut.memory.words[0] };

    always @(posedge clock) begin
        count_is_true: assert (count == inside);
        space_is_true: assert (count + space == 5);
        ready_unless_full: assert (in_ready == (inside != 5));
    end
endmodule

// How the pointers and the memory of a FIFO of five stand to the account.
module ring_invariant #(parameter WIDTH = 8) (
    input clock,
    input [15:0] inside,
    input watching,
    input [WIDTH-1:0] watched,
    input [15:0] ahead,
    input [WIDTH-1:0] out_data,
    input [15:0] read_pointer,
    input [15:0] write_pointer,
    input [5*WIDTH-1:0] words
);
    wire [15:0] first_free = read_pointer + inside >= 5 ? read_pointer + inside - 5 : read_pointer + inside;
    wire [15:0] place = read_pointer + ahead >= 5 ? read_pointer + ahead - 5 : read_pointer + ahead;
    function [WIDTH-1:0] word(input [15:0] index);
        case (index)
            0: word = words[0 +: WIDTH];
            1: word = words[WIDTH +: WIDTH];
            2: word = words[2*WIDTH +: WIDTH];
            3: word = words[3*WIDTH +: WIDTH];
            default: word = words[4*WIDTH +: WIDTH];
        endcase
    endfunction
    wire [WIDTH-1:0] oldest = word(read_pointer);
    wire [WIDTH-1:0] kept = word(place);
    always @(posedge clock) begin
        invariant_pointers: assert (read_pointer < 5 && write_pointer == first_free);
        if (inside != 0) invariant_oldest_is_read: assert (out_data == oldest);
        if (watching) invariant_watched_is_kept: assert (ahead < inside && kept == watched);
    end
endmodule
