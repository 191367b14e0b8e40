# What must hold of a routed design before a bitstream is written.

# The least slack in ns over all paths: `max` for setup, `min` for hold.
proc worst_slack {delay_type} {
    set paths [get_timing_paths -delay_type $delay_type -max_paths 1 -nworst 1]
    if {[llength $paths] == 0} {
        error "no path is timed: a clock constraint is missing"
    }
    return [get_property SLACK [lindex $paths 0]]
}

# Fails where a path is late, where an endpoint is not timed or a register has no clock, or where a net is not routed.
# Writes the slacks to timing.json.
proc check_implementation {out_dir} {
    set setup [worst_slack max]
    set hold [worst_slack min]
    set file [open [file join $out_dir timing.json] w]
    puts $file "{\"setup_slack_ns\": $setup, \"hold_slack_ns\": $hold}"
    close $file
    if {$setup < 0 || $hold < 0} {
        error "timing is not met: setup slack $setup ns, hold slack $hold ns; see timing.rpt"
    }
    set text [check_timing -override_defaults {no_clock unconstrained_internal_endpoints} -return_string]
    foreach {line count what} [regexp -all -inline -line {There are (\d+) ([^\n]+)} $text] {
        if {$count > 0} {
            error "not everything is timed: there are $count $what"
        }
    }
    set unrouted [get_nets -hierarchical -quiet -filter {ROUTE_STATUS == UNROUTED || ROUTE_STATUS == CONFLICTS}]
    if {[llength $unrouted] > 0} {
        error "[llength $unrouted] nets are not routed; see route_status.rpt"
    }
}
