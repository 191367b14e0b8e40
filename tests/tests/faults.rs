//! Every fault of the fault table is told as what it is, in time, and leaves a card that works.

use spandrel_tests::faults::{names, run};
use std::collections::HashSet;

#[test]
fn every_fault_is_told_and_survived() {
    let rows = run("", &mut |row| eprintln!("{row:?}")).unwrap_or_else(|error| panic!("{error}"));
    let wrong: Vec<_> = rows.iter().filter(|row| !row.as_expected || !row.recovered).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let tested: HashSet<_> = rows.iter().map(|row| row.fault).collect();
    assert_eq!(tested.len(), names().len(), "each fault has a name of its own and was tested");
}
