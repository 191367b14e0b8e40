# Builds a board's bitstream without a project: sources, IP, synthesis, implementation, reports, checks, bitstream.
#
#   vivado -mode batch -source build.tcl -tclargs BOARD_FOLDER OUTPUT_FOLDER
#
# OUTPUT_FOLDER holds the Verilog that `cargo xtask vendor --board BOARD --out OUTPUT_FOLDER` wrote: card.v and wrapper.v.
# The run ends with an error, and without a bitstream, if a path is late or is not constrained.

set script_dir [file dirname [file normalize [info script]]]
if {$argc != 2} {
    error "give the board's folder and the folder of the emitted Verilog: -tclargs BOARD_FOLDER OUTPUT_FOLDER"
}
set board_dir [file normalize [lindex $argv 0]]
set out_dir [file normalize [lindex $argv 1]]

# part, top, constraints
source [file join $board_dir settings.tcl]
source [file join $script_dir checks.tcl]

foreach verilog {card.v wrapper.v} {
    if {![file exists [file join $out_dir $verilog]]} {
        error "$out_dir has no $verilog: write it with `cargo xtask vendor --board $board --out $out_dir`"
    }
}

create_project -in_memory -part $part
set_property target_language Verilog [current_project]

source [file join $board_dir ip.tcl]
source [file join $script_dir synth.tcl]
source [file join $script_dir implement.tcl]
source [file join $script_dir reports.tcl]
check_implementation $out_dir
source [file join $script_dir bitstream.tcl]
