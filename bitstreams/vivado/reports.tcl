# What a hardware engineer wants to read before believing a bitstream.

report_timing_summary -delay_type min_max -max_paths 20 -report_unconstrained -file [file join $out_dir timing.rpt]
report_utilization -hierarchical -file [file join $out_dir utilization.rpt]
report_utilization -pblocks [get_pblocks] -file [file join $out_dir utilization_pblocks.rpt]
report_clock_interaction -file [file join $out_dir clock_interaction.rpt]
report_cdc -details -file [file join $out_dir cdc.rpt]
report_methodology -file [file join $out_dir methodology.rpt]
report_drc -file [file join $out_dir drc.rpt]
report_route_status -file [file join $out_dir route_status.rpt]
report_power -file [file join $out_dir power.rpt]
