// The rings: a fetched command is completed once and started at most once; completions never outrun fetches, nor the room
// in their ring.
//
// Assumed of the host: it leaves the registers of the rings alone while the card is enabled (masks, bases), and the
// completion doorbell only takes entries that were written. Of the executor: `done` comes only after `start`.

module queue_proof (
    input clock, input enable,
    input [31:0] sq_tail, input [31:0] cq_head,
    input read_ready, input [255:0] entry_data, input entry_valid, input read_idle, input read_fault,
    input [7:0] read_status, input write_ready, input completion_ready, input write_idle, input write_fault,
    input done, input [7:0] done_status
);
    wire reset = 0;
    (* anyconst *) wire [63:0] sq_base, cq_base;
    (* anyconst *) wire [31:0] sq_mask, cq_mask;
    wire [31:0] sq_head, cq_tail, count, command_parameter, size;
    wire busy, fault, completed, faulted, clear, read_valid, entry_ready, write_valid, completion_valid, start;
    wire [7:0] fault_code, opcode;
    wire [63:0] read_address, write_address, host_a, host_b, host_out, card_address;
    wire [255:0] completion_data;
    queue dut (.*);

    // The account of the command that was fetched and not completed.
    reg open = 0, started = 0, written = 0;
    reg [1:0] halves = 0;
    wire fetch = read_valid && read_ready;
    wire write = write_valid && write_ready;
    wire give = completion_valid && completion_ready;
    reg announced = 0;
    always @(posedge clock) begin
        if (fetch) begin
            open <= 1;
            started <= 0;
            halves <= 0;
            announced <= 0;
            written <= 0;
        end
        if (entry_ready && entry_valid) halves <= halves + 1;
        if (start) started <= 1;
        if (write) announced <= 1;
        if (give) written <= 1;
        if (completed) open <= 0;
    end

    (* hierconn *) wire [3:0] \dut.state_q ;
    wire [3:0] state = \dut.state_q ;
    always @(posedge clock) begin
        one_command_at_a_time: assert (!fetch || !open);
        if (entry_ready) only_its_own_entry: assert (open && halves < 2);
        if (start) started_once: assert (open && !started && halves == 2);
        if (write) announced_once: assert (open && halves == 2 && !announced);
        if (give) written_once: assert (open && announced && !written);
        if (completed) completed_once: assert (open && written);
        if (write) never_into_a_full_ring: assert (((cq_tail + 1) & cq_mask) != (room_head & cq_mask));
        if (state == 2) fetches_what_was_rung: assert (rung);
        stands_still_after_a_fault: assert (!fault || !(read_valid || write_valid || completion_valid || start));
        invariant_state: assert (state <= 13);
        invariant_open: assert (state == 13 || open == (state >= 3 && state <= 12));
        if (state >= 3 && state <= 5) invariant_halves: assert (halves == state - 3);
        if (state >= 6 && state <= 12) invariant_whole: assert (halves == 2);
        if (state >= 3 && state <= 7) invariant_not_started: assert (!started);
        if (state >= 3 && state <= 10) invariant_not_announced: assert (!announced && !written);
        if (state == 11) invariant_announced: assert (announced && !written);
        if (state == 12) invariant_written: assert (announced && written);
        cover (completed && started);
        cover (completed && !started);
        cover (fault && open);
    end

    // Room was seen in the cycle before the write was offered; the host only makes more of it.
    reg [31:0] room_head;
    always @(posedge clock) if (state == 9) room_head <= cq_head;
    // The doorbell stood before the entry is asked for.
    reg rung = 0;
    always @(posedge clock) if (state == 0) rung <= enable && ((sq_tail ^ sq_head) & sq_mask) != 0;
    always @(posedge clock) begin
        if (state == 10) invariant_room: assert (((cq_tail + 1) & cq_mask) != (room_head & cq_mask));
        if (state == 1) invariant_rung: assert (rung);
        if (state >= 2 && state <= 12) rings_are_usable: assert ((cq_mask & (cq_mask + 1)) == 0 && cq_mask != 0
            && (sq_mask & (sq_mask + 1)) == 0 && sq_mask != 0);
    end
endmodule
