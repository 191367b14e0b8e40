# The PCIe integrated block. BAR 0, the MSI-X table and the identity are those of docs/registers.md; the table is the card's own.
# Packets begin in the lowest lane of a beat (no straddling), and the card chooses its tags.
create_ip -name pcie4c_uscale_plus -vendor xilinx.com -library ip -module_name pcie4c_uscale_plus_0
set_property -dict [list \
    CONFIG.mode_selection {Advanced} \
    CONFIG.PL_LINK_CAP_MAX_LINK_SPEED {8.0_GT/s} \
    CONFIG.PL_LINK_CAP_MAX_LINK_WIDTH {X16} \
    CONFIG.axisten_if_width {512_bit} \
    CONFIG.axisten_freq {250} \
    CONFIG.axisten_if_enable_client_tag {true} \
    CONFIG.AXISTEN_IF_EXT_512_CQ_STRADDLE {false} \
    CONFIG.AXISTEN_IF_EXT_512_RQ_STRADDLE {false} \
    CONFIG.AXISTEN_IF_EXT_512_RC_STRADDLE {false} \
    CONFIG.extended_tag_field {true} \
    CONFIG.pf0_dev_cap_max_payload {1024_bytes} \
    CONFIG.PF0_Use_Class_Code_Lookup_Assistant {false} \
    CONFIG.PF0_CLASS_CODE {120000} \
    CONFIG.vendor_id {10EE} \
    CONFIG.PF0_DEVICE_ID {5BD1} \
    CONFIG.PF0_SUBSYSTEM_VENDOR_ID {10EE} \
    CONFIG.PF0_SUBSYSTEM_ID {5BD1} \
    CONFIG.pf0_bar0_64bit {false} \
    CONFIG.pf0_bar0_prefetchable {false} \
    CONFIG.pf0_bar0_scale {Kilobytes} \
    CONFIG.pf0_bar0_size {16} \
    CONFIG.pf0_msi_enabled {false} \
    CONFIG.pf0_msix_enabled {true} \
    CONFIG.MSI_X_OPTIONS {MSI-X_External} \
    CONFIG.PF0_MSIX_CAP_TABLE_SIZE {001} \
    CONFIG.PF0_MSIX_CAP_TABLE_BIR {BAR_0} \
    CONFIG.PF0_MSIX_CAP_TABLE_OFFSET {00002000} \
    CONFIG.PF0_MSIX_CAP_PBA_BIR {BAR_0} \
    CONFIG.PF0_MSIX_CAP_PBA_OFFSET {00003000} \
] [get_ips pcie4c_uscale_plus_0]

# Both HBM stacks behind AXI port 00, which reaches all of them through the switch; error correction on.
create_ip -name hbm -vendor xilinx.com -library ip -module_name hbm_0
set hbm [list CONFIG.USER_HBM_DENSITY {16GB} CONFIG.USER_HBM_STACK {2} CONFIG.USER_SWITCH_ENABLE_00 {TRUE} CONFIG.USER_SWITCH_ENABLE_01 {TRUE}]
for {set controller 0} {$controller < 16} {incr controller} {
    lappend hbm CONFIG.USER_MC${controller}_ENABLE_ECC_CORRECTION {true}
}
for {set port 1} {$port < 32} {incr port} {
    lappend hbm [format CONFIG.USER_SAXI_%02d $port] {false}
}
set_property -dict $hbm [get_ips hbm_0]

# The HBM port's clock, 300 MHz: 9.6 GB/s, three times what three adders take.
create_ip -name clk_wiz -vendor xilinx.com -library ip -module_name clk_wiz_hbm
set_property -dict [list \
    CONFIG.PRIM_SOURCE {No_buffer} \
    CONFIG.PRIM_IN_FREQ {100.000} \
    CONFIG.CLKOUT1_REQUESTED_OUT_FREQ {300.000} \
] [get_ips clk_wiz_hbm]

# From 512 bits in the card's clock to 256 bits in the port's, then from AXI4 to the port's AXI3.
create_ip -name axi_dwidth_converter -vendor xilinx.com -library ip -module_name axi_dwidth_converter_down
set_property -dict [list \
    CONFIG.PROTOCOL {AXI4} \
    CONFIG.ADDR_WIDTH {34} \
    CONFIG.SI_DATA_WIDTH {512} \
    CONFIG.MI_DATA_WIDTH {256} \
    CONFIG.SI_ID_WIDTH {4} \
    CONFIG.FIFO_MODE {2} \
    CONFIG.ACLK_ASYNC {1} \
    CONFIG.SYNCHRONIZATION_STAGES {3} \
] [get_ips axi_dwidth_converter_down]
create_ip -name axi_protocol_converter -vendor xilinx.com -library ip -module_name axi_protocol_converter_0
set_property -dict [list \
    CONFIG.SI_PROTOCOL {AXI4} \
    CONFIG.MI_PROTOCOL {AXI3} \
    CONFIG.DATA_WIDTH {256} \
    CONFIG.ADDR_WIDTH {34} \
    CONFIG.ID_WIDTH {6} \
    CONFIG.TRANSLATION_MODE {2} \
] [get_ips axi_protocol_converter_0]
