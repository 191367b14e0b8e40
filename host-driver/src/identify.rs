//! What a card must say of itself before the driver uses it.

use crate::error::DriverError;
use spandrel_abi::{ABI_MAJOR, Identification, MAGIC_VALUE};

/// Refuses a card that is none, that speaks another interface, or whose capabilities cannot be.
pub(crate) fn check(id: &Identification) -> Result<(), DriverError> {
    if id.magic == u32::MAX {
        return Err(DriverError::CardGone { register: spandrel_abi::MAGIC.name });
    }
    if id.magic != MAGIC_VALUE {
        return Err(DriverError::NotSpandrel { found: id.magic });
    }
    if id.abi_major != ABI_MAJOR {
        return Err(DriverError::AbiMismatch { major: id.abi_major, minor: id.abi_minor });
    }
    // Above these, sums of the time-out's estimate and 40-bit card addresses would no longer fit.
    within("a clock in kHz", id.clock_khz, 1, 10_000_000)?;
    within("a card memory in KiB", id.card_memory_kib, 1, 1 << 30)?;
    if id.has_field {
        within("a multiplier latency in cycles", id.field_latency_cycles, 1, 1 << 20)?;
    }
    if id.has_msm {
        within("a mask of MSM curves", id.msm_curves, 1, u8::MAX.into())?;
        let possible = (3..=16).fold(0, |mask, bits| mask | 1 << bits);
        if id.msm_window_choices == 0 || id.msm_window_choices & !possible != 0 {
            return Err(DriverError::BadIdentification {
                what: "a mask of bits per MSM window",
                value: id.msm_window_choices.into(),
                allowed: "of its bits only 3 to 16 may be set, and one must be".into(),
            });
        }
        within("a number of MSM adders", id.msm_adders, 1, 16)?;
        within("an adder latency in cycles", id.msm_latency_cycles, 1, 1 << 20)?;
    }
    if id.has_poseidon {
        let lanes = id.poseidon_lanes.iter().copied().map(u32::from).sum();
        within("a number of Poseidon lanes", lanes, 1, 60)?;
        within("a latency of a Poseidon lane in cycles", id.poseidon_latency_cycles, 1, 1 << 20)?;
    }
    Ok(())
}

fn within(what: &'static str, value: u32, least: u32, most: u32) -> Result<(), DriverError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let allowed =
        if least == most { format!("it must be {least}") } else { format!("it must be {least} to {most}") };
    Err(DriverError::BadIdentification { what, value: value.into(), allowed })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An identification that is accepted.
    pub(crate) fn plausible() -> Identification {
        Identification {
            magic: MAGIC_VALUE,
            abi_major: ABI_MAJOR,
            abi_minor: 0,
            git_revision: 0,
            board: 0,
            clock_khz: 250_000,
            has_msm: true,
            has_field: true,
            msm_curves: 1,
            msm_window_choices: 1 << 4 | 1 << 8,
            msm_adders: 1,
            msm_adder_kind: 0,
            msm_latency_cycles: 200,
            card_memory_kib: 1024,
            field_latency_cycles: 40,
            has_poseidon: true,
            poseidon_lanes: [0, 2, 0, 1],
            poseidon_latency_cycles: 20,
        }
    }

    fn refused(change: impl FnOnce(&mut Identification)) -> DriverError {
        let mut identification = plausible();
        change(&mut identification);
        check(&identification).expect_err("must be refused")
    }

    #[test]
    fn accepts_what_is_plausible() {
        check(&plausible()).expect("plausible");
        let mut without_engines = plausible();
        without_engines.has_msm = false;
        without_engines.has_field = false;
        without_engines.msm_window_choices = 0;
        without_engines.field_latency_cycles = 0;
        without_engines.has_poseidon = false;
        without_engines.poseidon_lanes = [0; 4];
        without_engines.poseidon_latency_cycles = 0;
        check(&without_engines).expect("a card without engines is still a card");
        let mut newer = plausible();
        newer.abi_minor = 7;
        check(&newer).expect("a newer minor version only adds");
    }

    #[test]
    fn refuses_what_cannot_be() {
        assert!(matches!(refused(|id| id.magic = u32::MAX), DriverError::CardGone { register: "MAGIC" }));
        assert!(matches!(refused(|id| id.magic = 0), DriverError::NotSpandrel { found: 0 }));
        assert!(matches!(
            refused(|id| id.abi_major = ABI_MAJOR + 1),
            DriverError::AbiMismatch { major, .. } if major == ABI_MAJOR + 1
        ));
        let changes: [fn(&mut Identification); 14] = [
            |id| id.poseidon_lanes = [0; 4],
            |id| id.poseidon_latency_cycles = 0,
            |id| id.clock_khz = 0,
            |id| id.clock_khz = u32::MAX,
            |id| id.card_memory_kib = 0,
            |id| id.card_memory_kib = u32::MAX,
            |id| id.field_latency_cycles = 0,
            |id| id.msm_curves = 0,
            |id| id.msm_window_choices = 0,
            |id| id.msm_window_choices = 1 << 8 | 1 << 2,
            |id| id.msm_window_choices = 1 << 8 | 1 << 17,
            |id| id.msm_adders = 0,
            |id| id.msm_adders = 17,
            |id| id.msm_latency_cycles = 0,
        ];
        for change in changes {
            assert!(matches!(refused(change), DriverError::BadIdentification { .. }));
        }
    }
}
