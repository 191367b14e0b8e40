//! A driver on a simulated card, and a job of which the result is known.

use spandrel_driver::{Card, CardOptions, DriverError, FieldId, FieldOperation};
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimControl, SimOptions};

const ELEMENTS: u64 = 300;

/// Opens the card of a profile.
pub fn open(profile: &str, seed: u64, stalls: bool) -> (Card, SimControl) {
    let profile = Profile::load(profile).unwrap();
    let transport = InProcess::new(&profile, SimOptions { seed, stalls, trace: None }).unwrap();
    let control = transport.control();
    (Card::open(Box::new(transport), CardOptions::default()).unwrap(), control)
}

fn elements(value: impl Fn(u64) -> u64) -> Vec<u8> {
    let element = |index| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&value(index).to_le_bytes());
        bytes
    };
    (0..ELEMENTS).flat_map(element).collect()
}

/// Adds two vectors of small numbers on the card; the sums stay below the prime.
pub fn add(card: &mut Card, factor: u64) -> Result<bool, DriverError> {
    let (a, b) = (elements(|index| index * factor), elements(|index| index << 40));
    let job = card.submit_field_vector(FieldId::Fr, FieldOperation::Add, &a, &b)?;
    Ok(card.wait(job, &mut |_| {})? == elements(|index| index * factor + (index << 40)))
}
