# One block a super logic region (SLR), so that no adder straddles two: an adder's pipelines are wide, and between SLRs only
# the streams from the source of digits to the buckets may pass. The PCIe block and the HBM stacks are at SLR 0.
create_pblock edge
resize_pblock [get_pblocks edge] -add {SLR0}
add_cells_to_pblock [get_pblocks edge] [get_cells {pcie card/endpoint card/core/control card/core/masters}]

create_pblock memory
resize_pblock [get_pblocks memory] -add {SLR0}
add_cells_to_pblock [get_pblocks memory] [get_cells {memory to_memory to_axi3}]

# Adders. The Poseidon lanes are left to the placer.
create_pblock adder_0
resize_pblock [get_pblocks adder_0] -add {SLR0}
add_cells_to_pblock [get_pblocks adder_0] [get_cells {card/core/msm/cores_0}]

create_pblock adder_1
resize_pblock [get_pblocks adder_1] -add {SLR1}
add_cells_to_pblock [get_pblocks adder_1] [get_cells {card/core/msm/cores_1}]

create_pblock adder_2
resize_pblock [get_pblocks adder_2] -add {SLR2}
add_cells_to_pblock [get_pblocks adder_2] [get_cells {card/core/msm/cores_2}]
