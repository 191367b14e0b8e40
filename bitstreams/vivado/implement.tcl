# Optimises, places and routes; physical optimisation before and after routing.

opt_design -directive Explore
place_design -directive SSI_SpreadLogic_high
write_checkpoint -force [file join $out_dir post_place.dcp]
phys_opt_design -directive AggressiveExplore
route_design -directive AggressiveExplore
# Only what routing has left late is worth another pass.
if {[worst_slack max] < 0} {
    phys_opt_design -directive AggressiveExplore
}
write_checkpoint -force [file join $out_dir post_route.dcp]
