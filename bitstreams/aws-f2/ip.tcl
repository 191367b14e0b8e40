# What the card needs besides the kit's own IP: from its 256 bits to the shell's 512, whose transfers must be of whole beats.
create_ip -name axi_dwidth_converter -vendor xilinx.com -library ip -module_name axi_dwidth_converter_up
set_property -dict [list \
    CONFIG.PROTOCOL {AXI4} \
    CONFIG.ADDR_WIDTH {64} \
    CONFIG.SI_DATA_WIDTH {256} \
    CONFIG.MI_DATA_WIDTH {512} \
    CONFIG.SI_ID_WIDTH {4} \
    CONFIG.FIFO_MODE {1} \
    CONFIG.ACLK_ASYNC {0} \
] [get_ips axi_dwidth_converter_up]
