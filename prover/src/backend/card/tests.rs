//! The card backend over a stand-in that computes bit sums on the CPU.

use super::device::{BitSums, Device};
use super::*;
use crate::backend::{Cpu, Dual};
use crate::formats::{fq_to_bytes, g1_from_bytes, integer_from_bytes};
use crate::workload::{self, Distribution};
use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger};
use spandrel_abi::{Counters, MAGIC_VALUE, PROJECTIVE_POINT_BYTES};
use spandrel_driver::DriverError;

const WINDOW_BITS: usize = 8;
const WINDOWS: usize = 32;

/// What the stand-in does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    WrongSum,
    OffCurve,
    NotReduced,
    TooFewPoints,
    Fails,
    Panics,
}

/// A card made of plain software. Unsigned digits are as good as signed ones for the finish.
struct StandIn {
    fault: Fault,
    /// Z of the homogeneous points, so that the finish must divide by it.
    z: u64,
}

impl Device for StandIn {
    type Bases = Vec<G1Affine>;
    type Job = (Vec<G1Affine>, Vec<u8>);

    fn describe(&self) -> String {
        "stand-in".to_owned()
    }

    fn identification(&self) -> Identification {
        let mut words = [0; 16];
        words[0] = MAGIC_VALUE;
        Identification::from_words(&words)
    }

    fn load(&mut self, points: &[u8]) -> Result<Vec<G1Affine>, DriverError> {
        Ok(points.as_chunks().0.iter().map(|bytes| g1_from_bytes(bytes).unwrap()).collect())
    }

    fn release(&mut self, _: Vec<G1Affine>) -> Result<(), DriverError> {
        Ok(())
    }

    fn submit(
        &mut self,
        bases: &Vec<G1Affine>,
        range: Range<usize>,
        scalars: &[u8],
    ) -> Result<Self::Job, DriverError> {
        Ok((bases[range].to_vec(), scalars.to_vec()))
    }

    fn wait(
        &mut self,
        (bases, scalars): Self::Job,
        on_cycles: &mut dyn FnMut(u64),
    ) -> Result<BitSums, DriverError> {
        match self.fault {
            Fault::Fails => return Err(DriverError::ResetBehindDriver),
            Fault::Panics => panic!("the stand-in was told to panic"),
            _ => {}
        }
        let mut sums = [G1Projective::ZERO; WINDOWS * WINDOW_BITS];
        for (base, scalar) in bases.iter().zip(scalars.as_chunks().0) {
            let scalar = integer_from_bytes(scalar);
            for (bit, sum) in sums.iter_mut().enumerate() {
                if scalar.get_bit(bit) {
                    *sum += base;
                }
            }
        }
        if self.fault == Fault::WrongSum {
            sums[77] += G1Affine::generator();
        }
        let mut points: Vec<_> = sums.iter().map(|sum| self.homogeneous(sum)).collect();
        match self.fault {
            Fault::OffCurve => points[3][0] ^= 1,
            Fault::NotReduced => points[200][32..64].fill(0xff),
            Fault::TooFewPoints => drop(points.pop()),
            _ => {}
        }
        on_cycles(5);
        let counters = Counters { cycles: 90, ..Counters::default() };
        Ok(BitSums { windows: WINDOWS, window_bits: WINDOW_BITS, points, cycles: 100, counters })
    }
}

impl StandIn {
    fn homogeneous(&self, point: &G1Projective) -> [u8; PROJECTIVE_POINT_BYTES] {
        let z = Fq::from(self.z);
        let coordinates = match point.into_affine().xy() {
            Some((x, y)) => [x * z, y * z, z],
            // Both forms of infinity, as a card may write them.
            None if self.z.is_multiple_of(2) => [Fq::ZERO, z, Fq::ZERO],
            None => [Fq::ZERO; 3],
        };
        let bytes: Vec<u8> = coordinates.iter().flat_map(fq_to_bytes).collect();
        bytes.try_into().unwrap()
    }
}

fn card(fault: Fault) -> Card {
    Card::over(StandIn { fault, z: 0x1234_5678_9abc }, Arc::new(|_| ())).unwrap()
}

#[test]
fn agrees_with_the_cpu() {
    for z in [1, 0x1234_5678_9abc] {
        compare_with_the_cpu(Card::over(StandIn { fault: Fault::None, z }, Arc::new(|_| ())).unwrap());
    }
}

fn compare_with_the_cpu(card: Card) {
    let dual = Dual::new(Box::new(Cpu::new()), Box::new(card));
    let mut points = workload::bases(33, 1);
    points[64 * 5..64 * 6].fill(0);
    let bases = dual.load_bases(&points).unwrap();
    let distributions = [
        Distribution::Uniform,
        Distribution::Zero,
        Distribution::One,
        Distribution::Equal,
        Distribution::Witness,
    ];
    for distribution in distributions {
        for range in [0..33, 0..0, 7..8, 30..33] {
            let scalars = workload::scalars(range.len(), distribution, 2);
            let outcome = dual.msm(&bases, range, &scalars).unwrap();
            assert_eq!(outcome.card.unwrap().cycles, 100);
        }
    }
    assert_eq!(dual.identification().unwrap().magic, MAGIC_VALUE);
    dual.release_bases(bases).unwrap();
}

#[test]
fn several_msms_may_be_under_way() {
    let cycles = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&cycles);
    let on_cycles = Arc::new(move |cycles| seen.lock().unwrap().push(cycles));
    let card = Card::over(StandIn { fault: Fault::None, z: 1 }, on_cycles).unwrap();
    let (cpu, points) = (Cpu::new(), workload::bases(40, 3));
    let (on_card, on_cpu) = (card.load_bases(&points).unwrap(), cpu.load_bases(&points).unwrap());
    let scalars = workload::scalars(40, Distribution::Uniform, 4);
    let part = |index: usize| (index..index + 20, &scalars[32 * index..32 * (index + 20)]);
    let pending: Vec<_> =
        (0..20).map(|index| card.submit(&on_card, part(index).0, part(index).1).unwrap()).collect();
    // Released while MSMs are under way: they still end well.
    card.release_bases(on_card).unwrap();
    for (index, pending) in pending.into_iter().enumerate() {
        let expected = cpu.msm(&on_cpu, part(index).0, part(index).1).unwrap().point;
        assert_eq!(pending.wait().unwrap().point, expected, "{index}");
    }
    drop(card);
    let cycles = cycles.lock().unwrap();
    assert_eq!(cycles.last(), Some(&2000));
    assert!(cycles.is_sorted(), "{cycles:?}");
}

#[test]
fn an_msm_of_no_bases_needs_no_card() {
    let card = card(Fault::Fails);
    let bases = card.load_bases(&[]).unwrap();
    assert!(card.msm(&bases, 0..0, &[]).unwrap().point.is_zero());
    card.release_bases(bases).unwrap();
}

#[test]
fn what_a_card_does_wrong_is_an_error() {
    let faults = [
        (Fault::OffCurve, "window 0, bit 3 is not on the curve"),
        (Fault::NotReduced, "window 25, bit 0 has a coordinate"),
        (Fault::TooFewPoints, "255 points came for 32 windows of 8 bits"),
        (Fault::Fails, "card stand-in: the card was reset"),
        (Fault::Panics, "worker thread has ended"),
    ];
    let points = workload::bases(4, 5);
    let scalars = workload::scalars(4, Distribution::Uniform, 6);
    for (fault, message) in faults {
        let card = card(fault);
        let bases = card.load_bases(&points).unwrap();
        let error = card.msm(&bases, 0..4, &scalars).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_wrong_sum_is_a_disagreement_that_names_both() {
    let dual = Dual::new(Box::new(Cpu::new()), Box::new(card(Fault::WrongSum)));
    let bases = dual.load_bases(&workload::bases(4, 5)).unwrap();
    let error = dual.msm(&bases, 0..4, &workload::scalars(4, Distribution::One, 6)).unwrap_err();
    assert!(matches!(error, BackendError::Disagreement { elements: 4, .. }), "{error}");
    assert!(error.to_string().contains("cpu and card stand-in disagree"), "{error}");
}

#[test]
fn bases_that_were_released_are_refused() {
    let card = card(Fault::None);
    let points = workload::bases(2, 5);
    let bases = card.load_bases(&points).unwrap();
    let copy = Bases { owner: bases.owner, id: bases.id, len: bases.len };
    card.release_bases(bases).unwrap();
    let result = card.msm(&copy, 0..0, &[]);
    assert!(matches!(result, Err(BackendError::ForeignBases)), "{result:?}");
}
