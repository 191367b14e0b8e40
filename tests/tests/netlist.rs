//! Netlists of quick units, simulated.

use spandrel_tests::netlist::{NetlistError, UNITS, check};

#[test]
fn netlists_do_what_their_units_do_and_broken_ones_do_not() {
    for unit in UNITS.iter().filter(|unit| !unit.is_slow) {
        match check(unit) {
            Ok(row) => assert!(row.passed(), "{row:?}"),
            Err(NetlistError::Tool(error)) if error.is_unavailable() => {
                return spandrel_tests::skip("netlists_do_what_their_units_do_and_broken_ones_do_not", error);
            }
            Err(error) => panic!("{}: {error}", unit.name),
        }
    }
}
