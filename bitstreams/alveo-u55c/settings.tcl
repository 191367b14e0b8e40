# What vivado/build.tcl wants to know of the board.
set board alveo-u55c
set part xcu55c-fsvh2892-2L-e
set top spandrel_u55c
set constraints {clocks.xdc pins.xdc floorplan.xdc}
# Configuration memory: quad SPI of 1 Gbit; the image begins behind the golden one.
set flash_interface spix4
set flash_mbit 128
set flash_offset 0x01002000
