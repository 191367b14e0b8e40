# Stands in for Vivado: every command that the scripts use, with the options that it takes, checks its arguments and writes
# down that it was called. What is not listed is an error. Not a simulation: nothing is built, and values are not looked at.
#
#   tclsh stand_in.tcl SCRIPT SLACK_NS UNTIMED [NAME=VALUE ...] -- ARGUMENT ...
#
# SLACK_NS is the slack that timing queries give, UNTIMED the number of endpoints that check_timing finds. NAME=VALUE are
# variables that the script's caller sets; files under the folder /hdk are taken as read. Each call is a line on standard
# output: a JSON list of the command and its arguments.

lassign $argv script slack untimed
set rest [lrange $argv 3 end]
set divide [lsearch -exact $rest --]
foreach pair [lrange $rest 0 [expr {$divide - 1}]] {
    set at [string first = $pair]
    set [string range $pair 0 [expr {$at - 1}]] [string range $pair [expr {$at + 1}] end]
}
set argv [lrange $rest [expr {$divide + 1}] end]
set argc [llength $argv]

proc vivado_note {name arguments} {
    set words {}
    foreach word [list $name {*}$arguments] {
        lappend words "\"[string map {\\ \\\\ \" \\\" \n \\n \t \\t \r \\r} $word]\""
    }
    puts stdout "\[[join $words ,]\]"
}

# A command: flags without a value, options with one, and how many other arguments it takes.
proc vivado_command {name flags options least most} {
    proc ::$name args [list vivado_call $name $flags $options $least $most]
}
proc vivado_call {name flags options least most} {
    upvar 1 args args
    set plain {}
    for {set at 0} {$at < [llength $args]} {incr at} {
        set word [lindex $args $at]
        if {$word in $flags} {
            continue
        } elseif {$word in $options} {
            incr at
            if {$at >= [llength $args]} {
                error "$name: option $word lacks its value"
            }
        } elseif {[string match -* $word] && ![string is double $word]} {
            error "$name: there is no option $word"
        } else {
            lappend plain $word
        }
    }
    if {[llength $plain] < $least || [llength $plain] > $most} {
        error "$name takes $least to $most arguments, not [llength $plain]: $plain"
    }
    vivado_note $name $args
    if {[info commands vivado_$name] ne ""} {
        return [vivado_$name $args $plain]
    }
    return ""
}

# The value of an option among arguments.
proc vivado_option {arguments option} {
    set at [lsearch -exact $arguments $option]
    return [expr {$at < 0 ? "" : [lindex $arguments [expr {$at + 1}]]}]
}

vivado_command create_project {-in_memory -force} {-part} 0 2
vivado_command version {-short} {} 0 0
vivado_command current_project {} {} 0 1
vivado_command current_design {} {} 0 1
vivado_command create_ip {} {-name -vendor -library -version -module_name -dir} 0 0
vivado_command get_ips {-all -quiet} {-filter} 0 1
vivado_command generate_target {-force} {} 2 2
vivado_command synth_ip {-force} {} 1 1
vivado_command read_ip {} {} 1 1
vivado_command read_verilog {-sv} {-library} 1 1
vivado_command read_xdc {-unmanaged} {-cells -ref} 1 1
vivado_command get_files {-quiet} {} 1 1
vivado_command update_compile_order {} {-fileset} 0 0
vivado_command synth_design {-keep_equivalent_registers} {-top -part -mode -flatten_hierarchy -directive -verilog_define} 0 0
vivado_command opt_design {} {-directive} 0 0
vivado_command place_design {} {-directive} 0 0
vivado_command phys_opt_design {} {-directive} 0 0
vivado_command route_design {} {-directive} 0 0
vivado_command write_checkpoint {-force} {} 1 1
vivado_command report_utilization {-hierarchical} {-file -pblocks} 0 0
vivado_command report_timing_summary {-report_unconstrained} {-delay_type -max_paths -file} 0 0
foreach report {clock_interaction methodology drc route_status power} {
    vivado_command report_$report {} {-file} 0 0
}
vivado_command report_cdc {-details} {-file} 0 0
vivado_command get_timing_paths {} {-delay_type -max_paths -nworst} 0 0
vivado_command get_property {} {} 2 2
vivado_command check_timing {-return_string} {-override_defaults} 0 0
vivado_command get_nets {-hierarchical -quiet} {-filter} 0 1
vivado_command write_bitstream {-force} {} 1 1
vivado_command write_cfgmem {-force} {-format -interface -size -loadbit -file} 0 0
vivado_command set_property {-quiet} {-dict} 1 3
vivado_command get_ports {} {} 1 1
vivado_command get_cells {} {} 1 1
vivado_command get_pins {} {} 1 1
vivado_command get_clocks {} {} 1 1
vivado_command create_clock {} {-period -name} 1 1
vivado_command set_false_path {} {-from -to} 0 0
vivado_command set_clock_groups {-asynchronous} {-group} 0 0
vivado_command create_pblock {} {} 1 1
vivado_command get_pblocks {} {} 0 1
vivado_command resize_pblock {} {-add} 1 1
vivado_command add_cells_to_pblock {} {} 2 2
# Of the AWS kit.
vivado_command print {} {} 1 1

set vivado_ips {}
set vivado_clocks {}
set vivado_blocks {}
proc vivado_create_ip {arguments plain} {
    lappend ::vivado_ips [vivado_option $arguments -module_name]
}
proc vivado_get_ips {arguments plain} {
    if {[llength $plain] == 0} { return $::vivado_ips }
    foreach ip [lindex $plain 0] {
        if {$ip ni $::vivado_ips} { error "there is no IP $ip: created are $::vivado_ips" }
    }
    return [lindex $plain 0]
}
proc vivado_create_clock {arguments plain} {
    lappend ::vivado_clocks [vivado_option $arguments -name]
}
proc vivado_get_clocks {arguments plain} {
    foreach clock [lindex $plain 0] {
        if {$clock ni $::vivado_clocks} { error "there is no clock $clock: created are $::vivado_clocks" }
    }
    return [lindex $plain 0]
}
proc vivado_create_pblock {arguments plain} {
    lappend ::vivado_blocks [lindex $plain 0]
}
proc vivado_get_pblocks {arguments plain} {
    if {[llength $plain] == 0} { return $::vivado_blocks }
    if {[lindex $plain 0] ni $::vivado_blocks} { error "there is no pblock [lindex $plain 0]" }
    return [lindex $plain 0]
}
proc vivado_set_property {arguments plain} {
    set dict [vivado_option $arguments -dict]
    if {[lsearch -exact $arguments -dict] >= 0} {
        if {[llength $dict] == 0 || [llength $dict] % 2 != 0 || [llength $plain] != 1} {
            error "set_property -dict takes pairs of name and value, and objects: $arguments"
        }
    } elseif {[llength $plain] != 3} {
        error "set_property takes a name, a value and objects: $arguments"
    }
}
proc vivado_read_xdc {arguments plain} {
    foreach file [lindex $plain 0] { uplevel #0 [list source $file] }
}
proc vivado_read_verilog {arguments plain} {
    foreach file [lindex $plain 0] {
        if {![file exists $file]} { error "there is no file $file" }
    }
}
foreach {query answer} {get_ports 0 get_cells 0 get_pins 0 get_files 0 current_design design current_project project} {
    proc vivado_$query {arguments plain} [list vivado_answer $query $answer]
}
proc vivado_answer {query answer} {
    upvar 1 plain plain
    return [expr {$answer eq "0" ? [lindex $plain 0] : $answer}]
}
proc vivado_get_timing_paths {arguments plain} { return path }
proc vivado_get_property {arguments plain} { return $::slack }
proc vivado_check_timing {arguments plain} {
    return "checking unconstrained_internal_endpoints ($::untimed)\n There are $::untimed pins that are not constrained for maximum delay.\n"
}

rename source vivado_source
proc source {file} {
    if {[string match /hdk/* $file]} {
        vivado_note source [list $file]
        return
    }
    uplevel 1 [list vivado_source $file]
}
set failed [catch {uplevel #0 [list vivado_source $script]} message]
# The script's own name is what `info script` gives it.
if {$failed} {
    puts stderr $message
    exit 1
}
