// Full flags: a look-up tells whether a slot is full, both ports' flips of earlier cycles included. One slot, any one, is
// watched from the first time it is emptied.
//
// Assumed, as the block's documentation asks for: both ports do not flip one slot in one cycle, nothing is flipped while
// a slot is emptied, and indices are in range.

module full_flags_proof (
    input clock,
    input [19:0] a_index, input a_flip, input [19:0] b_index, input b_flip, input clear, input [19:0] clear_index
);
    wire a_full, b_full;
    full_flags dut (.clock(clock), .a_index(a_index), .a_flip(a_flip), .a_full(a_full), .b_index(b_index),
                    .b_flip(b_flip), .b_full(b_full), .clear(clear), .clear_index(clear_index));

    reg [19:0] a_slot = 0, b_slot = 0;
    reg looked_up = 0;
    always @(posedge clock) begin
        a_slot <= a_index;
        b_slot <= b_index;
        looked_up <= 1;
    end
    always @* begin
        assume (a_index < 6 && b_index < 6 && clear_index < 6);
        assume (!(a_flip && b_flip && a_slot == b_slot));
        assume (!(clear && (a_flip || b_flip)));
        if (!looked_up) assume (!a_flip && !b_flip);
    end

    (* anyconst *) wire [19:0] slot;
    always @* assume (slot < 6);
    reg known = 0;
    reg full;
    always @(posedge clock) begin
        if (clear && clear_index == slot) begin
            known <= 1;
            full <= 0;
        end else if ((a_flip && a_slot == slot) || (b_flip && b_slot == slot)) full <= !full;
    end

    (* hierconn *) wire [19:0] \dut.a_slot ;
    (* hierconn *) wire [19:0] \dut.b_slot ;
    (* hierconn *) wire \dut.a_at_a ;
    (* hierconn *) wire \dut.a_at_b ;
    (* hierconn *) wire \dut.b_at_a ;
    (* hierconn *) wire \dut.b_at_b ;
    wire [5:0] a_for_a, a_for_b, b_for_a, b_for_b;
    (* hierconn *) wire \dut.a_for_a[0] ;
    (* hierconn *) wire \dut.a_for_a[1] ;
    (* hierconn *) wire \dut.a_for_a[2] ;
    (* hierconn *) wire \dut.a_for_a[3] ;
    (* hierconn *) wire \dut.a_for_a[4] ;
    (* hierconn *) wire \dut.a_for_a[5] ;
    (* hierconn *) wire \dut.a_for_b[0] ;
    (* hierconn *) wire \dut.a_for_b[1] ;
    (* hierconn *) wire \dut.a_for_b[2] ;
    (* hierconn *) wire \dut.a_for_b[3] ;
    (* hierconn *) wire \dut.a_for_b[4] ;
    (* hierconn *) wire \dut.a_for_b[5] ;
    (* hierconn *) wire \dut.b_for_a[0] ;
    (* hierconn *) wire \dut.b_for_a[1] ;
    (* hierconn *) wire \dut.b_for_a[2] ;
    (* hierconn *) wire \dut.b_for_a[3] ;
    (* hierconn *) wire \dut.b_for_a[4] ;
    (* hierconn *) wire \dut.b_for_a[5] ;
    (* hierconn *) wire \dut.b_for_b[0] ;
    (* hierconn *) wire \dut.b_for_b[1] ;
    (* hierconn *) wire \dut.b_for_b[2] ;
    (* hierconn *) wire \dut.b_for_b[3] ;
    (* hierconn *) wire \dut.b_for_b[4] ;
    (* hierconn *) wire \dut.b_for_b[5] ;
    assign a_for_a = {\dut.a_for_a[5] , \dut.a_for_a[4] , \dut.a_for_a[3] , \dut.a_for_a[2] , \dut.a_for_a[1] , \dut.a_for_a[0] };
    assign a_for_b = {\dut.a_for_b[5] , \dut.a_for_b[4] , \dut.a_for_b[3] , \dut.a_for_b[2] , \dut.a_for_b[1] , \dut.a_for_b[0] };
    assign b_for_a = {\dut.b_for_a[5] , \dut.b_for_a[4] , \dut.b_for_a[3] , \dut.b_for_a[2] , \dut.b_for_a[1] , \dut.b_for_a[0] };
    assign b_for_b = {\dut.b_for_b[5] , \dut.b_for_b[4] , \dut.b_for_b[3] , \dut.b_for_b[2] , \dut.b_for_b[1] , \dut.b_for_b[0] };
    wire a_word = a_for_a[slot];
    wire b_word = b_for_b[slot];
    always @(posedge clock) begin
        if (looked_up) invariant_slots: assert (a_slot == \dut.a_slot && b_slot == \dut.b_slot );
        if (known) begin
            invariant_looked_up: assert (looked_up);
            invariant_copies: assert (a_word == a_for_b[slot] && b_word == b_for_a[slot]);
            invariant_state: assert ((a_word ^ b_word) == full);
            if (a_slot == slot) begin
                invariant_a: assert (\dut.a_at_a == a_word && \dut.b_at_a == b_word);
                a_sees_it: assert (a_full == full);
            end
            if (b_slot == slot) begin
                invariant_b: assert (\dut.b_at_b == b_word && \dut.a_at_b == a_word);
                b_sees_it: assert (b_full == full);
            end
        end
        cover (known && a_slot == slot && a_full && b_slot == slot);
        cover (known && full && b_flip && b_slot == slot);
    end
endmodule
