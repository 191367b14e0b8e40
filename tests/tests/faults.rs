//! Every fault of the fault table is told as what it is, in time, and leaves a card that works.

use spandrel_tests::faults::run;
use std::collections::HashSet;
use std::path::Path;

#[test]
fn every_fault_is_told_and_survived() {
    let program = Path::new(env!("CARGO_BIN_EXE_spandrel-faults"));
    let rows = run(program, "", &mut |row| eprintln!("{row:?}")).unwrap_or_else(|error| panic!("{error}"));
    let wrong: Vec<_> = rows.iter().filter(|row| !row.as_expected || !row.recovered).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let tested: HashSet<_> = rows.iter().map(|row| row.fault).collect();
    assert_eq!(tested.len(), rows.len(), "each fault has a name of its own");
    assert!(tested.len() >= 28, "only {} faults", tested.len());
}
