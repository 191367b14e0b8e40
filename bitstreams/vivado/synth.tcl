# Reads the sources and constraints, makes the IP's outputs, and synthesises.

generate_target all [get_ips]
synth_ip [get_ips]

# The emitted text is Verilog-2005.
read_verilog [list [file join $out_dir card.v] [file join $out_dir wrapper.v]]
foreach constraint $constraints {
    read_xdc [file join $board_dir $constraint]
}

# Hierarchy is kept where the floorplan needs it. The card's registers are written as they should be: none are moved.
synth_design -top $top -part $part -flatten_hierarchy rebuilt -directive Default
write_checkpoint -force [file join $out_dir post_synth.dcp]
report_utilization -hierarchical -file [file join $out_dir utilization_synth.rpt]
