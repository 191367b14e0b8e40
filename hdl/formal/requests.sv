// The arbiter in front of the PCIe requester: reads, writes and messages share a stream of packets.
//
// Fairness is counted in packets: while a read waits, at most one write begins, and the other way round; messages are few
// and go before both. Assumed of the clients, as every stream here keeps: what is offered stays offered. A packet of writes
// has 1 to 16 beats.
//
// The stream itself does not stand still: a message may take the place of a read or a write that is offered and not yet
// taken. The block behind it takes beats into registers and sees only those that are taken, so that is not claimed.

module requests_proof (
    input clock,
    input [63:0] read_address, input [4:0] read_beats, input [7:0] read_tag, input read_valid,
    input [63:0] write_address, input [5:0] write_beats, input write_valid, input [255:0] write_payload,
    input [7:0] writes_accepted, input [7:0] writes_finished,
    input [63:0] message_address, input [31:0] message_data, input message_valid,
    input out_ready
);
    wire reset = 0;
    wire read_ready, write_ready, write_take, message_ready;
    wire [255:0] out_data;
    wire [7:0] out_keep, queued;
    wire out_last, out_first, out_single, out_valid;
    requests dut (.*);

    reg started = 0;
    reg read_waits = 0, write_waits = 0, message_offered = 0;
    reg [5:0] beats_offered;
    always @(posedge clock) begin
        started <= 1;
        read_waits <= read_valid && !read_ready;
        write_waits <= write_valid && !write_ready;
        message_offered <= message_valid && !message_ready;
        beats_offered <= write_beats;
    end
    always @* begin
        assume (write_beats >= 1 && write_beats <= 16);
        if (read_waits) assume (read_valid);
        if (write_waits) assume (write_valid && write_beats == beats_offered);
        if (message_offered) assume (message_valid);
    end

    // The packet that is going: beats that are still to come after its first.
    reg [5:0] left = 0;
    wire begins = out_valid && out_ready && out_first;
    always @(posedge clock) begin
        if (begins) left <= write_ready ? write_beats : 0;
        else if (out_valid && out_ready) left <= left - 1;
    end

    // Packets of the other that have begun while a client waited.
    reg [3:0] before_read = 0, before_write = 0;
    always @(posedge clock) begin
        if (!read_valid || read_ready) before_read <= 0;
        else if (write_ready) before_read <= before_read + 1;
        if (!write_valid || write_ready) before_write <= 0;
        else if (read_ready) before_write <= before_write + 1;
    end

    // The message's barrier, as the block keeps it.
    (* hierconn *) wire \dut.payload_q ;
    (* hierconn *) wire [5:0] \dut.left_q ;
    (* hierconn *) wire \dut.wrote_q ;
    (* hierconn *) wire \dut.message_waits_q ;
    always @(posedge clock) begin
        one_at_a_time: assert (read_ready + write_ready + message_ready <= 1);
        none_within_a_packet: assert (!(read_ready || write_ready || message_ready) || (begins && left == 0));
        begins_with_a_client: assert (begins == (read_ready || write_ready || message_ready));
        only_offered: assert ((!read_ready || read_valid) && (!write_ready || write_valid)
            && (!message_ready || message_valid));
        if (out_valid && !out_first) last_beat_is_marked: assert (out_last == (left == 1));
        if (begins) single_packets_are_marked: assert (out_last == !write_ready);
        no_idling: assert (out_valid || !(read_valid || write_valid));
        payload_is_taken: assert (write_take == (out_ready && (write_ready || left > 1)));
        read_is_fair: assert (before_read <= 1);
        write_is_fair: assert (before_write <= 1);
        if (before_read == 1) invariant_wrote: assert (\dut.wrote_q );
        if (before_write == 1) invariant_read: assert (!\dut.wrote_q );
        invariant_left: assert (left == (\dut.payload_q ? \dut.left_q + 1 : 0) && \dut.left_q <= 16);
        cover (before_read == 1 && read_ready);
        cover (before_write == 1 && write_ready);
        cover (left == 1 && out_last && message_valid && read_valid && write_valid);
    end
endmodule
