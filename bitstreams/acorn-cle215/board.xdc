# Pins of the SQRL Acorn CLE-215+. The clock of the card is constrained by what calls the tool.
set_property LOC J19 [get_ports clk200_p]
set_property IOSTANDARD DIFF_SSTL15 [get_ports clk200_p]
set_property LOC H19 [get_ports clk200_n]
set_property IOSTANDARD DIFF_SSTL15 [get_ports clk200_n]
create_clock -period 5.000 [get_ports clk200_p]

# Header P2.
set_property LOC J2 [get_ports serial_rx]
set_property IOSTANDARD LVCMOS33 [get_ports serial_rx]
set_property LOC K2 [get_ports serial_tx]
set_property IOSTANDARD LVCMOS33 [get_ports serial_tx]

# The first of four.
set_property LOC G3 [get_ports led]
set_property IOSTANDARD LVCMOS33 [get_ports led]
