# Synthesis of the custom logic in the flow of the AWS FPGA development kit, which sources this file from the folder
# build/scripts of CL_DIR and sets the variables that are not set here. The Makefile puts everything in its place.

source ${HDK_SHELL_DIR}/build/scripts/synth_cl_header.tcl

print "Reading the card and its wrapper"
# The emitted text is Verilog-2005; the kit's encryption copies it as it is.
read_verilog [list ${src_post_enc_dir}/card.v ${src_post_enc_dir}/wrapper.v]

print "Reading IP"
read_ip ${HDK_IP_SRC_DIR}/cl_ddr4_32g/cl_ddr4_32g.xci
source ${scripts_dir}/ip.tcl
generate_target all [get_ips axi_dwidth_converter_up]
synth_ip [get_ips axi_dwidth_converter_up]

print "Reading constraints"
read_xdc [list ${constraints_dir}/cl_synth_user.xdc ${constraints_dir}/cl_timing_user.xdc]
set_property PROCESSING_ORDER LATE [get_files cl_synth_user.xdc]
set_property PROCESSING_ORDER LATE [get_files cl_timing_user.xdc]

print "Synthesising ${CL}"
update_compile_order -fileset sources_1
synth_design -mode out_of_context -top ${CL} -verilog_define XSDB_SLV_DIS -part ${DEVICE_TYPE} -keep_equivalent_registers

source ${HDK_SHELL_DIR}/build/scripts/synth_cl_footer.tcl
