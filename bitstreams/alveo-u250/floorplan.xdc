# One block a super logic region (SLR), so that no adder straddles two: an adder's pipelines are wide, and between SLRs only
# the streams from the source of digits to the buckets may pass. The PCIe block is in SLR 1, DDR4 channel 0 in SLR 0.
create_pblock edge
resize_pblock [get_pblocks edge] -add {SLR1}
add_cells_to_pblock [get_pblocks edge] [get_cells {pcie card/endpoint card/core/control card/core/masters}]

create_pblock memory
resize_pblock [get_pblocks memory] -add {SLR0}
add_cells_to_pblock [get_pblocks memory] [get_cells {memory to_memory}]

# Adders: one beside the memory, two in each of the SLRs that are free. The Poseidon lanes share SLRs 0 and 1.
create_pblock adder_0
resize_pblock [get_pblocks adder_0] -add {SLR0}
add_cells_to_pblock [get_pblocks adder_0] [get_cells {card/core/msm/cores_0}]

create_pblock adders_1_2
resize_pblock [get_pblocks adders_1_2] -add {SLR2}
add_cells_to_pblock [get_pblocks adders_1_2] [get_cells {card/core/msm/cores_1 card/core/msm/cores_2}]

create_pblock adders_3_4
resize_pblock [get_pblocks adders_3_4] -add {SLR3}
add_cells_to_pblock [get_pblocks adders_3_4] [get_cells {card/core/msm/cores_3 card/core/msm/cores_4}]

create_pblock lanes
resize_pblock [get_pblocks lanes] -add {SLR0 SLR1}
add_cells_to_pblock [get_pblocks lanes] [get_cells {card/core/hash card/core/field_unit}]
