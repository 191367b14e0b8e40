# Pins of the PCIe edge and of the reference clocks, from "Alveo U200 and U250 Data Center Accelerator Cards: Constraints"
# (UG1289). The transceivers' own pins are placed by the PCIe block's IP: lanes 0 to 15 in quads 227 to 224.
set_property PACKAGE_PIN AM11 [get_ports pcie_refclk_p]
set_property PACKAGE_PIN AM10 [get_ports pcie_refclk_n]
set_property PACKAGE_PIN BD21 [get_ports pcie_reset_n]
set_property IOSTANDARD LVCMOS12 [get_ports pcie_reset_n]
set_property PULLUP true [get_ports pcie_reset_n]

# DDR4 channel 0, reference clock of 300 MHz.
set_property PACKAGE_PIN AY37 [get_ports ddr4_sys_clk_p]
set_property PACKAGE_PIN AY38 [get_ports ddr4_sys_clk_n]
set_property IOSTANDARD DIFF_SSTL12 [get_ports {ddr4_sys_clk_p ddr4_sys_clk_n}]

# Configuration.
set_property CONFIG_VOLTAGE 1.8 [current_design]
set_property BITSTREAM.GENERAL.COMPRESS TRUE [current_design]
set_property BITSTREAM.CONFIG.CONFIGFALLBACK ENABLE [current_design]
set_property BITSTREAM.CONFIG.EXTMASTERCCLK_EN DISABLE [current_design]
set_property BITSTREAM.CONFIG.CONFIGRATE 63.8 [current_design]
set_property BITSTREAM.CONFIG.SPI_32BIT_ADDR YES [current_design]
set_property BITSTREAM.CONFIG.SPI_BUSWIDTH 4 [current_design]
set_property BITSTREAM.CONFIG.SPI_FALL_EDGE YES [current_design]
set_property BITSTREAM.CONFIG.UNUSEDPIN PULLUP [current_design]
set_property BITSTREAM.CONFIG.OVERTEMPSHUTDOWN ENABLE [current_design]
