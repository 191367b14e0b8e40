// Buckets: no token is lost or made, and no FIFO in them overflows.
//
// A token is in flight from when it is taken until it parks, in one place at a time: held at the entrance, in a stage of a
// port, in a pair FIFO or in the adder. The block counts them (`in_flight`); the first law is that this account is true.
// The second is the account of the whole: tokens taken, less one for every pair that was made, one for every pair that the
// adder annihilated, and those that scans took out, are the full slots and the tokens in flight.
//
// The adder is a stand-in: it takes a pair whenever it likes, and gives a sum for any slot, or an annihilation, for each
// pair whenever it likes and in any order. What it has to do with points does not matter here, nor do points; their
// memories are stand-ins without contents. The proof begins where the sweep of a reset ends, with all slots empty.
//
// Assumed of the neighbours: slots are in range; the bank that tokens go to changes only when nothing is under way, a
// scan included.

module buckets_adder (
    input clock, input reset, input [761:0] p, input [761:0] q, input [19:0] tag, input valid_in,
    output ready, output [761:0] sum, output [19:0] tag_out, output valid_out, output annihilated,
    output doubling, output waiting
);
    // Pairs inside. (A register that is joined by name would lose its initial value: the wire is.)
    reg [15:0] count = 0;
    wire [15:0] held = count;
    (* anyseq *) wire any_ready, any_valid, any_annihilated, any_doubling, any_waiting;
    (* anyseq *) wire [19:0] any_tag;
    (* anyseq *) wire [761:0] any_sum;
    assign ready = any_ready;
    assign valid_out = any_valid && held != 0;
    assign annihilated = any_annihilated && held > valid_out;
    assign doubling = any_doubling;
    assign waiting = any_waiting;
    assign tag_out = any_tag;
    assign sum = any_sum;
    always @* assume (any_tag < 4);
    always @(posedge clock) count <= held + (valid_in && ready) - valid_out - annihilated;
endmodule

module buckets_points (
    input clock,
    input [19:0] a_address, input a_enable, input a_write, input [761:0] a_data, output [761:0] a_read,
    input [19:0] b_address, input b_enable, input b_write, input [761:0] b_data, output [761:0] b_read
);
endmodule

module buckets_memory_6 (
    input clock, input [15:0] read_address, output [761:0] read_p, output [761:0] read_q, output [19:0] read_slot,
    input [15:0] write_address, input [761:0] write_p, input [761:0] write_q, input [19:0] write_slot,
    input write_enable
);
    (* anyseq *) wire [19:0] any_slot;
    assign read_slot = any_slot;
endmodule

module buckets_memory_7 (
    input clock, input [15:0] read_address, output [761:0] read_p, output [761:0] read_q, output [19:0] read_slot,
    input [15:0] write_address, input [761:0] write_p, input [761:0] write_q, input [19:0] write_slot,
    input write_enable
);
    (* anyseq *) wire [19:0] any_slot;
    assign read_slot = any_slot;
endmodule

// How the flags of a bank of four stand to each other: `full` tells of each slot.
module flags_invariant (
    input clock,
    input started,
    input [3:0] a_for_a, input [3:0] a_for_b, input [3:0] b_for_a, input [3:0] b_for_b,
    input a_at_a, input a_at_b, input b_at_a, input b_at_b,
    input [19:0] a_slot, input [19:0] b_slot, input [19:0] a_point_slot, input [19:0] b_point_slot,
    output [3:0] full
);
    assign full = a_for_a ^ b_for_b;
    always @(posedge clock) begin
        invariant_copies: assert (a_for_a == a_for_b && b_for_b == b_for_a);
        if (started) begin
            invariant_slots: assert (a_slot < 4 && b_slot < 4 && a_slot == a_point_slot && b_slot == b_point_slot);
            invariant_a: assert (a_at_a == a_for_a[a_slot[1:0]] && b_at_a == b_for_a[a_slot[1:0]]);
            invariant_b: assert (b_at_b == b_for_b[b_slot[1:0]] && a_at_b == a_for_b[b_slot[1:0]]);
        end
    end
    initial assume (a_for_a == 0 && a_for_b == 0 && b_for_a == 0 && b_for_b == 0);
endmodule

module buckets_proof (
    input clock, input token_bank,
    input fresh_valid, input [19:0] fresh_slot, input [761:0] fresh_point,
    input scan_valid, input [19:0] scan_slot
);
    wire reset = 0;
    wire clearing, fresh_ready, scan_full, empty, issued, held_back, waiting, doubling, annihilated;
    wire [761:0] scan_point;
    wire [1:0] parked, matched;
    buckets dut (.*);

    reg started = 0;
    reg was_empty = 1, was_scanned = 0, old_bank;
    always @(posedge clock) begin
        started <= 1;
        was_empty <= empty;
        was_scanned <= scan_valid;
        old_bank <= token_bank;
    end
    always @* begin
        assume (fresh_slot < 4 && scan_slot < 4);
        if (started && token_bank != old_bank) assume (was_empty && !was_scanned);
    end

    // The account.
    reg [6:0] balance = 0;
    wire enters = fresh_valid && fresh_ready;
    // A scan tells one cycle after it has taken.
    (* hierconn *) wire \dut.scan_take ;
    always @(posedge clock) balance <= balance + enters - matched - annihilated - \dut.scan_take ;

    // Where tokens are.
    (* hierconn *) wire \dut.held_q ;
    (* hierconn *) wire \dut.a_valid1_q ;
    (* hierconn *) wire \dut.b_valid1_q ;
    (* hierconn *) wire \dut.a_pair2_q ;
    (* hierconn *) wire \dut.b_pair2_q ;
    (* hierconn *) wire \dut.scan1_q ;
    (* hierconn *) wire \dut.sweeping_q ;
    (* hierconn *) wire [15:0] \dut.in_flight_q ;
    (* hierconn *) wire [15:0] \dut.pairs.fill_q ;
    (* hierconn *) wire [15:0] \dut.returned_0.fill_q ;
    (* hierconn *) wire [15:0] \dut.adder.held ;
    (* hierconn *) wire [19:0] \dut.a_slot1_q ;
    (* hierconn *) wire [19:0] \dut.b_slot1_q ;
    (* hierconn *) wire [19:0] \dut.held_slot_q ;
    // Seven bits are enough: all of these are below 64, which is proved along.
    wire [6:0] pairs = \dut.pairs.fill_q ;
    wire [6:0] returned = \dut.returned_0.fill_q ;
    wire [6:0] adder = \dut.adder.held ;
    wire [6:0] in_flight = \dut.in_flight_q ;
    wire [6:0] entered = adder + (returned + (pairs + ((\dut.a_valid1_q + \dut.b_valid1_q )
        + {6'd0, \dut.a_pair2_q } + {6'd0, \dut.b_pair2_q })));
    wire [3:0] full0, full1;
    wire [6:0] full = full0[0] + full0[1] + full0[2] + full0[3] + full1[0] + full1[1] + full1[2] + full1[3];

    (* hierconn *) wire \dut.bank0.flags.a_at_a ;
    (* hierconn *) wire \dut.bank0.flags.a_at_b ;
    (* hierconn *) wire \dut.bank0.flags.b_at_a ;
    (* hierconn *) wire \dut.bank0.flags.b_at_b ;
    (* hierconn *) wire [19:0] \dut.bank0.flags.a_slot ;
    (* hierconn *) wire [19:0] \dut.bank0.flags.b_slot ;
    (* hierconn *) wire [19:0] \dut.bank0.a_slot_q ;
    (* hierconn *) wire [19:0] \dut.bank0.b_slot_q ;
    (* hierconn *) wire \dut.bank0.flags.a_for_a[0] ;
    (* hierconn *) wire \dut.bank0.flags.a_for_a[1] ;
    (* hierconn *) wire \dut.bank0.flags.a_for_a[2] ;
    (* hierconn *) wire \dut.bank0.flags.a_for_a[3] ;
    (* hierconn *) wire \dut.bank0.flags.a_for_b[0] ;
    (* hierconn *) wire \dut.bank0.flags.a_for_b[1] ;
    (* hierconn *) wire \dut.bank0.flags.a_for_b[2] ;
    (* hierconn *) wire \dut.bank0.flags.a_for_b[3] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_a[0] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_a[1] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_a[2] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_a[3] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_b[0] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_b[1] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_b[2] ;
    (* hierconn *) wire \dut.bank0.flags.b_for_b[3] ;
    flags_invariant bank0 (
        .clock(clock), .started(started), .full(full0),
        .a_for_a({\dut.bank0.flags.a_for_a[3] , \dut.bank0.flags.a_for_a[2] , \dut.bank0.flags.a_for_a[1] , \dut.bank0.flags.a_for_a[0] }),
        .a_for_b({\dut.bank0.flags.a_for_b[3] , \dut.bank0.flags.a_for_b[2] , \dut.bank0.flags.a_for_b[1] , \dut.bank0.flags.a_for_b[0] }),
        .b_for_a({\dut.bank0.flags.b_for_a[3] , \dut.bank0.flags.b_for_a[2] , \dut.bank0.flags.b_for_a[1] , \dut.bank0.flags.b_for_a[0] }),
        .b_for_b({\dut.bank0.flags.b_for_b[3] , \dut.bank0.flags.b_for_b[2] , \dut.bank0.flags.b_for_b[1] , \dut.bank0.flags.b_for_b[0] }),
        .a_at_a(\dut.bank0.flags.a_at_a ),
        .a_at_b(\dut.bank0.flags.a_at_b ),
        .b_at_a(\dut.bank0.flags.b_at_a ),
        .b_at_b(\dut.bank0.flags.b_at_b ),
        .a_slot(\dut.bank0.flags.a_slot ), .b_slot(\dut.bank0.flags.b_slot ),
        .a_point_slot(\dut.bank0.a_slot_q ), .b_point_slot(\dut.bank0.b_slot_q ));

    (* hierconn *) wire \dut.bank1.flags.a_at_a ;
    (* hierconn *) wire \dut.bank1.flags.a_at_b ;
    (* hierconn *) wire \dut.bank1.flags.b_at_a ;
    (* hierconn *) wire \dut.bank1.flags.b_at_b ;
    (* hierconn *) wire [19:0] \dut.bank1.flags.a_slot ;
    (* hierconn *) wire [19:0] \dut.bank1.flags.b_slot ;
    (* hierconn *) wire [19:0] \dut.bank1.a_slot_q ;
    (* hierconn *) wire [19:0] \dut.bank1.b_slot_q ;
    (* hierconn *) wire \dut.bank1.flags.a_for_a[0] ;
    (* hierconn *) wire \dut.bank1.flags.a_for_a[1] ;
    (* hierconn *) wire \dut.bank1.flags.a_for_a[2] ;
    (* hierconn *) wire \dut.bank1.flags.a_for_a[3] ;
    (* hierconn *) wire \dut.bank1.flags.a_for_b[0] ;
    (* hierconn *) wire \dut.bank1.flags.a_for_b[1] ;
    (* hierconn *) wire \dut.bank1.flags.a_for_b[2] ;
    (* hierconn *) wire \dut.bank1.flags.a_for_b[3] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_a[0] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_a[1] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_a[2] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_a[3] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_b[0] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_b[1] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_b[2] ;
    (* hierconn *) wire \dut.bank1.flags.b_for_b[3] ;
    flags_invariant bank1 (
        .clock(clock), .started(started), .full(full1),
        .a_for_a({\dut.bank1.flags.a_for_a[3] , \dut.bank1.flags.a_for_a[2] , \dut.bank1.flags.a_for_a[1] , \dut.bank1.flags.a_for_a[0] }),
        .a_for_b({\dut.bank1.flags.a_for_b[3] , \dut.bank1.flags.a_for_b[2] , \dut.bank1.flags.a_for_b[1] , \dut.bank1.flags.a_for_b[0] }),
        .b_for_a({\dut.bank1.flags.b_for_a[3] , \dut.bank1.flags.b_for_a[2] , \dut.bank1.flags.b_for_a[1] , \dut.bank1.flags.b_for_a[0] }),
        .b_for_b({\dut.bank1.flags.b_for_b[3] , \dut.bank1.flags.b_for_b[2] , \dut.bank1.flags.b_for_b[1] , \dut.bank1.flags.b_for_b[0] }),
        .a_at_a(\dut.bank1.flags.a_at_a ),
        .a_at_b(\dut.bank1.flags.a_at_b ),
        .b_at_a(\dut.bank1.flags.b_at_a ),
        .b_at_b(\dut.bank1.flags.b_at_b ),
        .a_slot(\dut.bank1.flags.a_slot ), .b_slot(\dut.bank1.flags.b_slot ),
        .a_point_slot(\dut.bank1.a_slot_q ), .b_point_slot(\dut.bank1.b_slot_q ));
    always @(posedge clock) begin
        tokens_in_flight_are_counted: assert (in_flight == entered + \dut.held_q );
        nothing_lost_or_made: assert (balance == full + in_flight);
        pair_fifo_never_overflows: assert (\dut.pairs.fill_q <= 8);
        returned_fifo_never_overflows: assert (\dut.returned_0.fill_q <= 32);
        invariant_room: assert (\dut.pairs.fill_q + \dut.b_pair2_q + \dut.b_valid1_q <= 7);
        invariant_bound: assert (entered <= 31);
        invariant_small: assert (\dut.adder.held < 32 && \dut.returned_0.fill_q < 32 && \dut.in_flight_q < 64);
        invariant_running: assert (!\dut.sweeping_q );
        invariant_scan: assert (!\dut.scan1_q || was_scanned);
        invariant_held: assert (\dut.held_slot_q < 4);
        if (started) begin
            invariant_was_empty: assert (!was_empty || entered == 0);
            if (\dut.a_valid1_q ) invariant_a_port: assert (
                \dut.a_slot1_q == \dut.bank0.flags.a_slot && \dut.a_slot1_q == \dut.bank1.flags.a_slot );
            if (\dut.b_valid1_q ) invariant_b_port: assert (
                \dut.b_slot1_q == (old_bank ? \dut.bank1.flags.b_slot : \dut.bank0.flags.b_slot ));
        end else invariant_start: assert (entered == 0 && !\dut.held_q && !\dut.scan1_q );
        invariant_started: assert (started || (\dut.in_flight_q == 0 && !\dut.scan1_q ));
        // Pairs wait in both FIFOs, with slots of both banks full.
        cover (\dut.returned_0.fill_q == 2 && \dut.pairs.fill_q == 1);
        cover (full0 != 0 && full1 != 0 && scan_full);
        cover (annihilated && matched == 2);
    end
endmodule
