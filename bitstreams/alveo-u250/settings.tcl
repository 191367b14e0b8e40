# What vivado/build.tcl wants to know of the board.
set board alveo-u250
set part xcu250-figd2104-2L-e
set top spandrel_u250
set constraints {clocks.xdc pins.xdc pins_ddr4.xdc floorplan.xdc}
# Configuration memory: quad SPI of 1 Gbit; the image begins behind the golden one.
set flash_interface spix4
set flash_mbit 128
set flash_offset 0x01002000
