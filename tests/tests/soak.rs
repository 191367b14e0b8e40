//! A few of the random jobs of `cargo xtask soak`.

use spandrel_hdl::profile::Profile;
use spandrel_tests::soak::{Soak, run};

#[test]
fn random_jobs_resets_and_faults_end_exact() {
    ends_exact("sim-small");
}

#[test]
fn random_jobs_over_pci_express_end_exact() {
    ends_exact("sim-pcie");
}

/// Both curves on one card, each with an adder of its own, take turns.
#[test]
fn curves_take_turns_on_one_card() {
    ends_exact("sim-cycle");
}

fn ends_exact(profile: &str) {
    let profile = Profile::load(profile).unwrap_or_else(|error| panic!("{error}"));
    let mut told = 0;
    let soak = Soak { jobs: 12, seed: 3, stalls: true };
    let outcome = run(&profile, &soak, &mut |_| told += 1).unwrap_or_else(|error| panic!("{error}"));
    // One more at the end.
    assert!(outcome.jobs > 12 && told > 2, "{outcome:?}");
    assert_eq!(outcome.jobs, outcome.exact + outcome.aborted + outcome.dropped + outcome.faulted);
    assert!(outcome.exact > 4 && outcome.additions > 0, "{outcome:?}");
}
