# One adder a super logic region (SLR), inside the region that the kit leaves to the custom logic: an adder's pipelines are
# wide, and between SLRs only the streams from the source of digits to the buckets may pass. The DDR4 controller is in SLR 2.
create_pblock card_adder_0
resize_pblock [get_pblocks card_adder_0] -add {SLR0}
add_cells_to_pblock [get_pblocks card_adder_0] [get_cells {WRAPPER/CL/card/msm/cores_0}]

create_pblock card_adder_1
resize_pblock [get_pblocks card_adder_1] -add {SLR1}
add_cells_to_pblock [get_pblocks card_adder_1] [get_cells {WRAPPER/CL/card/msm/cores_1}]

create_pblock card_adder_2
resize_pblock [get_pblocks card_adder_2] -add {SLR2}
add_cells_to_pblock [get_pblocks card_adder_2] [get_cells {WRAPPER/CL/card/msm/cores_2 WRAPPER/CL/memory}]
