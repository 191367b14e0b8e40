# Clocks that come from outside; those of the PCIe block and of the memory controller are made by their IP.
create_clock -period 10.000 -name pcie_refclk [get_ports pcie_refclk_p]
create_clock -period 3.332 -name ddr4_sys_clk [get_ports ddr4_sys_clk_p]

# The card's clock and the memory controller's meet in the AXI clock converter, which constrains its own crossings, and in
# two resets, whose first registers are named below. Everything else between them would be a fault.
set_false_path -to [get_pins {card_reset/chain_reg[*]/CLR}]
set_false_path -to [get_pins {memory_reset/chain_reg[*]/CLR}]

# The slot's reset is not timed.
set_false_path -from [get_ports pcie_reset_n]
