# Writes the bitstream, card.bit, and the configuration memory's image.

write_bitstream -force [file join $out_dir card.bit]
write_cfgmem -force -format mcs -interface $flash_interface -size $flash_mbit \
    -loadbit "up $flash_offset [file join $out_dir card.bit]" -file [file join $out_dir card.mcs]
