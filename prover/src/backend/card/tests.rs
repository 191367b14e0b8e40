//! The card backend over a stand-in that computes weighted sums on the CPU.

use super::device::{Device, WeightedSums};
use super::*;
use crate::backend::{Cpu, Dual};
use crate::curve::Grumpkin;
use crate::formats::{integer_from_bytes, integer_to_bytes, point_from_bytes};
use crate::workload::{self, BaseKind, Distribution};
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger};
use spandrel_abi::{Counters, MAGIC_VALUE, MSM_CAPS, MSM_CAPS_ADDERS, PROJECTIVE_POINT_BYTES, window_shares};
use spandrel_driver::DriverError;

const WINDOW_BITS: u32 = 7;
/// So many that several of them share a window.
const ADDERS: u32 = 3;

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
struct StandIn<C> {
    fault: Fault,
    /// Z of the homogeneous points, so that the finish must divide by it.
    z: u64,
    curve: PhantomData<fn() -> C>,
    /// Points that fit into its memory.
    capacity: usize,
    /// Points of each load, and those that left.
    loads: Arc<Mutex<Vec<usize>>>,
    held: Arc<std::sync::atomic::AtomicUsize>,
}

/// Bases of a stand-in.
struct Held<C: MsmCurve> {
    points: Vec<Affine<C>>,
    held: Arc<std::sync::atomic::AtomicUsize>,
}

impl<C: MsmCurve> Drop for Held<C> {
    fn drop(&mut self) {
        self.held.fetch_sub(self.points.len(), std::sync::atomic::Ordering::Relaxed);
    }
}

impl<C: MsmCurve> Device for StandIn<C> {
    type Bases = Held<C>;
    type Job = (Vec<Affine<C>>, Vec<u8>);

    fn describe(&self) -> String {
        "stand-in".to_owned()
    }

    fn identification(&self) -> Identification {
        let mut words = [0; 16];
        words[0] = MAGIC_VALUE;
        words[MSM_CAPS.offset as usize / 4] = MSM_CAPS_ADDERS.put(ADDERS);
        Identification::from_words(&words)
    }

    fn load(&mut self, points: &[u8]) -> Result<Held<C>, DriverError> {
        let points: Vec<_> =
            points.as_chunks().0.iter().map(|bytes| point_from_bytes(bytes).unwrap()).collect();
        let free = self.capacity - self.held.load(std::sync::atomic::Ordering::Relaxed);
        if points.len() > free {
            let [bytes, free, total] = [points.len(), free, self.capacity].map(|points| 64 * points as u64);
            return Err(DriverError::OutOfCardMemory { bytes, free, largest_gap: free, total });
        }
        self.held.fetch_add(points.len(), std::sync::atomic::Ordering::Relaxed);
        self.loads.lock().unwrap().push(points.len());
        Ok(Held { points, held: self.held.clone() })
    }

    fn release(&mut self, _: Held<C>) -> Result<(), DriverError> {
        Ok(())
    }

    fn submit(
        &mut self,
        bases: &Held<C>,
        range: Range<usize>,
        scalars: &[u8],
        options: &MsmOptions,
    ) -> Result<Self::Job, DriverError> {
        assert_eq!((options.curve, options.window_bits), (C::ID, Some(WINDOW_BITS)));
        Ok((bases.points[range].to_vec(), scalars.to_vec()))
    }

    fn wait(
        &mut self,
        (bases, scalars): Self::Job,
        on_progress: &mut dyn FnMut(CardProgress),
    ) -> Result<WeightedSums, DriverError> {
        match self.fault {
            Fault::Fails => return Err(DriverError::ResetBehindDriver),
            Fault::Panics => panic!("the stand-in was told to panic"),
            _ => {}
        }
        let exponents: Vec<u32> = self.identification().msm_result_exponents(WINDOW_BITS).collect();
        let shares = (0..ADDERS).flat_map(|adder| window_shares(WINDOW_BITS, ADDERS, adder));
        let shares: Vec<_> = shares.flat_map(|share| vec![share; WINDOW_BITS as usize]).collect();
        let mut sums = vec![Projective::<C>::ZERO; exponents.len()];
        for (index, (base, scalar)) in (0..).zip(bases.iter().zip(scalars.as_chunks().0)) {
            let scalar = integer_from_bytes(scalar);
            for ((exponent, share), sum) in exponents.iter().zip(&shares).zip(&mut sums) {
                let mine = (share.residues.0..share.residues.1).contains(&(index % ADDERS));
                if mine && scalar.get_bit(*exponent as usize) {
                    *sum += base;
                }
            }
        }
        if self.fault == Fault::WrongSum {
            sums[77] += Affine::<C>::generator();
        }
        let mut points: Vec<_> = sums.iter().map(|sum| self.homogeneous(sum)).collect();
        match self.fault {
            Fault::OffCurve => points[3][0] ^= 1,
            Fault::NotReduced => points[200][32..64].fill(0xff),
            Fault::TooFewPoints => drop(points.pop()),
            _ => {}
        }
        on_progress(CardProgress { cycles: 5, sample: None });
        let counters = Counters { cycles: 90, ..Counters::default() };
        Ok(WeightedSums { window_bits: WINDOW_BITS, exponents, points, cycles: 100, counters })
    }
}

impl<C: MsmCurve> StandIn<C> {
    fn homogeneous(&self, point: &Projective<C>) -> [u8; PROJECTIVE_POINT_BYTES] {
        let z = C::BaseField::from(self.z);
        let coordinates = match point.into_affine().xy() {
            Some((x, y)) => [x * z, y * z, z],
            // Both forms of infinity, as a card may write them.
            None if self.z.is_multiple_of(2) => [C::BaseField::ZERO, z, C::BaseField::ZERO],
            None => [C::BaseField::ZERO; 3],
        };
        let bytes: Vec<u8> = coordinates.iter().flat_map(|element| integer_to_bytes(&element.0)).collect();
        bytes.try_into().unwrap()
    }
}

fn over<C: MsmCurve>(fault: Fault, z: u64, on_progress: OnProgress) -> Card<C> {
    small(fault, z, on_progress, usize::MAX).0
}

/// A card with room for so many points, and how many were in each load.
fn small<C: MsmCurve>(
    fault: Fault,
    z: u64,
    on_progress: OnProgress,
    capacity: usize,
) -> (Card<C>, Arc<Mutex<Vec<usize>>>) {
    let loads = Arc::new(Mutex::new(Vec::new()));
    let (curve, held) = (PhantomData::<fn() -> C>, Arc::default());
    let stand_in = StandIn { fault, z, curve, capacity, loads: loads.clone(), held };
    (Card::over(stand_in, on_progress).unwrap().with_window_bits(Some(WINDOW_BITS)), loads)
}

fn card(fault: Fault) -> Card {
    over(fault, 0x1234_5678_9abc, Arc::new(|_| ()))
}

#[test]
fn agrees_with_the_cpu() {
    for z in [1, 0x1234_5678_9abc] {
        compare_with_the_cpu(over::<Bn254G1>(Fault::None, z, Arc::new(|_| ())));
        compare_with_the_cpu(over::<Grumpkin>(Fault::None, z, Arc::new(|_| ())));
    }
}

fn compare_with_the_cpu<C: MsmCurve>(card: Card<C>) {
    let dual = Dual::new(Box::new(Cpu::<C>::on_curve()), Box::new(card));
    let mut points = workload::bases_of::<C>(33, BaseKind::Distinct, 1);
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
            let scalars = workload::scalars_of::<C>(range.len(), distribution, 2);
            let outcome = dual.msm(&bases, range, &scalars).unwrap();
            let run = outcome.card.unwrap();
            assert_eq!((run.cycles, run.window_bits, run.adders), (100, WINDOW_BITS, ADDERS));
        }
    }
    assert_eq!(dual.identification().unwrap().magic, MAGIC_VALUE);
    dual.release_bases(bases).unwrap();
}

#[test]
fn several_msms_may_be_under_way() {
    let cycles = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&cycles);
    let on_progress = Arc::new(move |at: CardProgress| seen.lock().unwrap().push(at.cycles));
    let card: Card = over(Fault::None, 1, on_progress);
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
        (Fault::NotReduced, "window 26, bit 4 has a coordinate"),
        (Fault::TooFewPoints, "272 points came where there are 273"),
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

/// Three sets of 20 points on a card with room for 45: one leaves for another, and comes back when it is used.
#[test]
fn sets_take_turns_in_a_small_memory() {
    let (card, loads) = small::<Bn254G1>(Fault::None, 3, Arc::new(|_| ()), 45);
    let dual = Dual::new(Box::new(Cpu::<Bn254G1>::on_curve()), Box::new(card));
    let sets: Vec<_> = (0..3)
        .map(|seed| dual.load_bases(&workload::bases_of::<Bn254G1>(20, BaseKind::Distinct, seed)).unwrap())
        .collect();
    let scalars = vec![7; 32 * 20];
    let run = |set: usize| {
        dual.submit(&sets[set], 0..20, &scalars).unwrap().wait().unwrap();
    };
    // The third drove out the first.
    assert_eq!(loads.lock().unwrap().len(), 3);
    run(1);
    run(2);
    assert_eq!(loads.lock().unwrap().len(), 3, "still there");
    run(0);
    run(2);
    assert_eq!(loads.lock().unwrap().len(), 4, "the second was not used for longest");
    run(1);
    assert_eq!(*loads.lock().unwrap(), [20; 5]);
    for set in sets {
        dual.release_bases(set).unwrap();
    }
}

/// A set of 100 points on a card with room for 45, beside a set that fits.
#[test]
fn a_set_larger_than_the_memory_is_worked_through_in_pieces() {
    let (card, loads) = small::<Bn254G1>(Fault::None, 3, Arc::new(|_| ()), 45);
    let dual = Dual::new(Box::new(Cpu::<Bn254G1>::on_curve()), Box::new(card));
    let large = dual.load_bases(&workload::bases_of::<Bn254G1>(100, BaseKind::Distinct, 1)).unwrap();
    let fits = dual.load_bases(&workload::bases_of::<Bn254G1>(20, BaseKind::Distinct, 2)).unwrap();
    let scalars: Vec<u8> = (0..32 * 100).map(|at| if at % 32 == 31 { 0 } else { at as u8 }).collect();
    let submit = |bases, range: Range<usize>| {
        let scalars = &scalars[..32 * range.len()];
        dual.submit(bases, range, scalars).unwrap().wait().unwrap()
    };
    submit(&fits, 0..20);
    let outcome = submit(&large, 0..100);
    assert_eq!(outcome.card.unwrap().cycles, 300, "of all pieces");
    submit(&large, 30..80);
    submit(&fits, 0..20);
    assert_eq!(*loads.lock().unwrap(), [20, 45, 45, 10, 45, 5, 20]);
}

#[test]
fn where_no_point_fits_the_card_says_so() {
    let (card, _) = small::<Bn254G1>(Fault::None, 3, Arc::new(|_| ()), 0);
    let error = card.load_bases(&workload::bases_of::<Bn254G1>(2, BaseKind::Distinct, 1)).unwrap_err();
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(&error) {
        text += &source.to_string();
    }
    assert!(text.contains("128 bytes of card memory are wanted"), "{text}");
}
