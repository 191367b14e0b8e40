# Clocks that come from outside; those of the PCIe block and of the clocking wizard are made by their IP.
create_clock -period 10.000 -name pcie_refclk [get_ports pcie_refclk_p]
create_clock -period 10.000 -name sysclk [get_ports sysclk_p]

# The reference clock comes from another oscillator than the slot's. The card's clock and the HBM port's meet in the AXI
# width converter, which constrains its own crossings, and in two resets, whose first registers are named below.
set_clock_groups -asynchronous -group [get_clocks pcie_refclk] -group [get_clocks sysclk]
set_false_path -to [get_pins {card_reset/chain_reg[*]/CLR}]
set_false_path -to [get_pins {memory_reset/chain_reg[*]/CLR}]

# The slot's reset and the temperature alarm are not timed.
set_false_path -from [get_ports pcie_reset_n]
set_false_path -to [get_ports hbm_cattrip]
