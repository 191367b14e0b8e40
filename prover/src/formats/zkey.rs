//! snarkjs' `.zkey` for Groth16: a proving key with the circuit's matrices A and B.

use super::container::{Container, Section, SectionReader, u32_at};
use super::error::{FormatError, Problem};
use super::mapped::FileBytes;
use super::points::{
    G1_BYTES, G2_BYTES, PointProblem, fr_from_montgomery, g1_from_bytes, g2_from_bytes, integer_from_bytes,
    try_map,
};
use super::witness::{Witness, read_prime};
use ark_bn254::{Bn254, Fq, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};
use ark_groth16::VerifyingKey;
use rayon::prelude::*;
use spandrel_abi::FIELD_BYTES;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

const PROTOCOL: Section = Section { number: 1, name: "protocol" };
const HEADER: Section = Section { number: 2, name: "Groth16 header" };
const IC: Section = Section { number: 3, name: "IC points" };
const COEFFICIENTS: Section = Section { number: 4, name: "coefficients" };
const A: Section = Section { number: 5, name: "A points" };
const B1: Section = Section { number: 6, name: "B1 points" };
const B2: Section = Section { number: 7, name: "B2 points" };
const C: Section = Section { number: 8, name: "C points" };
const H: Section = Section { number: 9, name: "H points" };

/// Bytes of one coefficient: matrix, constraint, signal, value.
const COEFFICIENT_BYTES: usize = 12 + FIELD_BYTES;

/// Largest domain: proving needs a root of unity of twice its order, and the scalar field's largest has order 2^28.
const MAX_DOMAIN: u32 = 1 << 27;

/// A checked proving key. Points stay in the mapped file, as the card takes them.
pub struct Zkey {
    path: PathBuf,
    bytes: FileBytes,
    variables: usize,
    public: usize,
    domain: usize,
    verifying_key: VerifyingKey<Bn254>,
    beta_g1: G1Affine,
    delta_g1: G1Affine,
    coefficients: Range<usize>,
    a: Range<usize>,
    b1: Range<usize>,
    b2: Vec<G2Affine>,
    c: Range<usize>,
    h: Range<usize>,
}

impl fmt::Debug for Zkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zkey")
            .field("path", &self.path)
            .field("variables", &self.variables)
            .field("public", &self.public)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// One of the two matrices that a `.zkey` holds (the third is not needed to prove).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// Left factors.
    A,
    /// Right factors.
    B,
}

/// An entry of a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Coefficient {
    /// Which matrix.
    pub matrix: Matrix,
    /// Row, below the domain size.
    pub constraint: usize,
    /// Column: an index into the witness.
    pub signal: usize,
    /// The value times 2^256 (snarkjs stores the Montgomery form of the Montgomery form), so that its
    /// Montgomery product with a canonical integer is the product in Montgomery form.
    pub value_montgomery: Fr,
}

/// The entries of both matrices, in the file's order.
#[derive(Clone, Copy, Debug)]
pub struct Coefficients<'a>(&'a [[u8; COEFFICIENT_BYTES]]);

impl<'a> Coefficients<'a> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = Coefficient> + 'a {
        self.0.iter().map(|bytes| Coefficient {
            matrix: if u32_at(bytes, 0) == 0 { Matrix::A } else { Matrix::B },
            constraint: u32_at(bytes, 4) as usize,
            signal: u32_at(bytes, 8) as usize,
            value_montgomery: Fr::new_unchecked(integer_from_bytes(value_bytes(bytes))),
        })
    }
}

fn value_bytes(coefficient: &[u8; COEFFICIENT_BYTES]) -> &[u8; FIELD_BYTES] {
    coefficient.last_chunk().expect("a coefficient is longer than its value")
}

impl Zkey {
    /// Maps and checks a file.
    pub fn open(path: &Path) -> Result<Zkey, FormatError> {
        Zkey::from_bytes(path, FileBytes::open(path)?)
    }

    /// Checks a file's bytes; `path` is for messages.
    pub fn from_bytes(path: &Path, bytes: FileBytes) -> Result<Zkey, FormatError> {
        let container = Container::parse(path, &bytes, "zkey", 2)?;
        let header = Header::read(&container)?;
        let (variables, public) = (u64::from(header.variables), u64::from(header.public));

        let points = |section, count, element: usize, because| {
            container.exact(section, count, element as u64, because)
        };
        let ic = points(IC, public + 1, G1_BYTES, "the number of public signals")?;
        let a = points(A, variables, G1_BYTES, "the number of variables")?;
        let b1 = points(B1, variables, G1_BYTES, "the number of variables")?;
        let b2 = points(B2, variables, G2_BYTES, "the number of variables")?;
        let c = points(C, variables - public - 1, G1_BYTES, "the number of private variables")?;
        let h = points(H, header.domain.into(), G1_BYTES, "the domain size")?;

        let coefficients = coefficients(&container, &bytes, &header)?;
        let gamma_abc_g1 = g1_points(&container, &bytes, IC, &ic)?;
        for (section, range) in [(A, &a), (B1, &b1), (C, &c), (H, &h)] {
            check_g1_points(&container, &bytes, section, range)?;
        }
        let b2 = g2_points(&container, &bytes, B2, &b2)?;

        Ok(Zkey {
            path: path.to_owned(),
            variables: header.variables as usize,
            public: header.public as usize,
            domain: header.domain as usize,
            verifying_key: VerifyingKey {
                alpha_g1: header.alpha_g1,
                beta_g2: header.beta_g2,
                gamma_g2: header.gamma_g2,
                delta_g2: header.delta_g2,
                gamma_abc_g1,
            },
            beta_g1: header.beta_g1,
            delta_g1: header.delta_g1,
            coefficients,
            a,
            b1,
            b2,
            c,
            h,
            bytes,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of variables, the constant 1 included: the length of a witness.
    pub fn variables(&self) -> usize {
        self.variables
    }

    /// Number of public signals (the constant 1 is not one).
    pub fn public(&self) -> usize {
        self.public
    }

    /// Size of the evaluation domain, a power of two.
    pub fn domain(&self) -> usize {
        self.domain
    }

    /// The key that verifies this key's proofs.
    pub fn verifying_key(&self) -> &VerifyingKey<Bn254> {
        &self.verifying_key
    }

    /// beta in G1.
    pub fn beta_g1(&self) -> G1Affine {
        self.beta_g1
    }

    /// delta in G1.
    pub fn delta_g1(&self) -> G1Affine {
        self.delta_g1
    }

    /// The entries of the matrices A and B, with the rows that bind the public signals.
    pub fn coefficients(&self) -> Coefficients<'_> {
        Coefficients(self.bytes[self.coefficients.clone()].as_chunks().0)
    }

    /// A's points, a variable each, 64 bytes a point, Montgomery form, little-endian.
    pub fn a(&self) -> &[u8] {
        &self.bytes[self.a.clone()]
    }

    /// B's points in G1, a variable each, as [`Zkey::a`].
    pub fn b1(&self) -> &[u8] {
        &self.bytes[self.b1.clone()]
    }

    /// B's points in G2, a variable each.
    pub fn b2(&self) -> &[G2Affine] {
        &self.b2
    }

    /// C's points, a private variable each, as [`Zkey::a`].
    pub fn c(&self) -> &[u8] {
        &self.bytes[self.c.clone()]
    }

    /// H's points, as [`Zkey::a`]: the Lagrange basis of twice the domain at its odd places, divided by delta.
    pub fn h(&self) -> &[u8] {
        &self.bytes[self.h.clone()]
    }

    /// Checks that a witness has this circuit's number of values.
    pub fn check_pair(&self, witness: &Witness) -> Result<(), FormatError> {
        if witness.len() == self.variables {
            return Ok(());
        }
        let key = self.path.display().to_string();
        Err(FormatError {
            file: witness.path().to_owned(),
            section: None,
            problem: Problem::MismatchedPair { found: witness.len(), expected: self.variables, key },
        })
    }
}

/// The fixed part of a key.
struct Header {
    variables: u32,
    public: u32,
    domain: u32,
    alpha_g1: G1Affine,
    beta_g1: G1Affine,
    beta_g2: G2Affine,
    gamma_g2: G2Affine,
    delta_g1: G1Affine,
    delta_g2: G2Affine,
}

impl Header {
    fn read(container: &Container<'_>) -> Result<Header, FormatError> {
        let mut protocol = container.reader(PROTOCOL)?;
        let number = protocol.u32("the protocol's number")?;
        if number != 1 {
            let found = match number {
                2 => "PLONK".to_owned(),
                10 => "FFLONK".to_owned(),
                _ => format!("an unknown protocol (number {number})"),
            };
            return Err(container.error(PROTOCOL, Problem::WrongProtocol { found }));
        }
        protocol.finish("one protocol number")?;

        let mut reader = container.reader(HEADER)?;
        read_prime(container, HEADER, &mut reader, &Fq::MODULUS.to_bytes_le(), "base field's prime")?;
        read_prime(container, HEADER, &mut reader, &Fr::MODULUS.to_bytes_le(), "scalar field's prime")?;
        let variables = reader.u32("the number of variables")?;
        let public = reader.u32("the number of public signals")?;
        let domain = reader.u32("the domain size")?;
        let bad = |what, value: u32, constraint: String| {
            Err(container.error(HEADER, Problem::BadValue { what, value: value.into(), constraint }))
        };
        if public >= variables {
            let constraint = format!("must be below the number of variables, {variables}");
            return bad("the number of public signals", public, constraint);
        }
        if !domain.is_power_of_two() || domain > MAX_DOMAIN {
            return bad("the domain size", domain, format!("must be a power of two of at most {MAX_DOMAIN}"));
        }
        if u64::from(public) + 1 > u64::from(domain) {
            let constraint = format!("must be below the domain size, {domain}");
            return bad("the number of public signals", public, constraint);
        }

        const POINTS: &str = "the header (alpha1, beta1, beta2, gamma2, delta1, delta2)";
        let bad_point =
            |index, problem| container.error(HEADER, Problem::BadPoint { what: POINTS, index, problem });
        let g1 = |reader: &mut SectionReader<'_>, index| {
            let point = g1_from_bytes(reader.array(POINTS)?).map_err(|problem| bad_point(index, problem))?;
            if point.is_zero() { Err(bad_point(index, PointProblem::Infinity)) } else { Ok(point) }
        };
        let g2 = |reader: &mut SectionReader<'_>, index| {
            let point =
                g2_from_bytes(reader.array(POINTS)?, true).map_err(|problem| bad_point(index, problem))?;
            if point.is_zero() { Err(bad_point(index, PointProblem::Infinity)) } else { Ok(point) }
        };
        let header = Header {
            variables,
            public,
            domain,
            alpha_g1: g1(&mut reader, 0)?,
            beta_g1: g1(&mut reader, 1)?,
            beta_g2: g2(&mut reader, 2)?,
            gamma_g2: g2(&mut reader, 3)?,
            delta_g1: g1(&mut reader, 4)?,
            delta_g2: g2(&mut reader, 5)?,
        };
        reader.finish("two primes of 32 bytes, three counts and six points")?;
        Ok(header)
    }
}

/// Finds and checks the coefficients.
fn coefficients(
    container: &Container<'_>,
    bytes: &[u8],
    header: &Header,
) -> Result<Range<usize>, FormatError> {
    let section = container.unique(COEFFICIENTS)?;
    let count = container.reader(COEFFICIENTS)?.u32("the number of coefficients")?;
    let list = section.start + 4..section.end;
    let expected = u64::from(count) * COEFFICIENT_BYTES as u64;
    if list.len() as u64 != expected {
        let because = "the number of coefficients at its start";
        let problem = Problem::WrongLength { found: section.len(), expected: expected + 4, because };
        return Err(container.error(COEFFICIENTS, problem));
    }
    let (entries, _) = bytes[list.clone()].as_chunks::<COEFFICIENT_BYTES>();
    let bad = |entry: &[u8; COEFFICIENT_BYTES]| {
        u32_at(entry, 0) > 1
            || u32_at(entry, 4) >= header.domain
            || u32_at(entry, 8) >= header.variables
            || fr_from_montgomery(value_bytes(entry)).is_none()
    };
    let Some(index) = entries.par_iter().position_first(bad) else { return Ok(list) };
    let entry = &entries[index];
    let place = |what: &'static str, at: usize, constraint: String| Problem::BadValue {
        what,
        value: u32_at(entry, at).into(),
        constraint: format!("{constraint} (coefficient {index})"),
    };
    Err(container.error(
        COEFFICIENTS,
        if u32_at(entry, 0) > 1 {
            place("the matrix of a coefficient", 0, "must be 0 (A) or 1 (B)".to_owned())
        } else if u32_at(entry, 4) >= header.domain {
            place(
                "the constraint of a coefficient",
                4,
                format!("must be below the domain size, {}", header.domain),
            )
        } else if u32_at(entry, 8) >= header.variables {
            let constraint = format!("must be below the number of variables, {}", header.variables);
            place("the signal of a coefficient", 8, constraint)
        } else {
            Problem::NotReduced { what: "the value of coefficient", index }
        },
    ))
}

/// Checks every point of a section of G1 points.
fn check_g1_points(
    container: &Container<'_>,
    bytes: &[u8],
    section: Section,
    range: &Range<usize>,
) -> Result<(), FormatError> {
    let (points, _) = bytes[range.clone()].as_chunks::<G1_BYTES>();
    try_map(points, |_, point| g1_from_bytes(point).map(drop))
        .map(drop)
        .map_err(|(index, problem)| bad_point(container, section, index, problem))
}

/// Reads and checks a section of G1 points.
fn g1_points(
    container: &Container<'_>,
    bytes: &[u8],
    section: Section,
    range: &Range<usize>,
) -> Result<Vec<G1Affine>, FormatError> {
    let (points, _) = bytes[range.clone()].as_chunks::<G1_BYTES>();
    try_map(points, |_, point| g1_from_bytes(point))
        .map_err(|(index, problem)| bad_point(container, section, index, problem))
}

/// Reads and checks a section of G2 points. The subgroup is not checked: a point outside it in a key makes
/// a proof that does not verify, and checking costs more than proving.
fn g2_points(
    container: &Container<'_>,
    bytes: &[u8],
    section: Section,
    range: &Range<usize>,
) -> Result<Vec<G2Affine>, FormatError> {
    let (points, _) = bytes[range.clone()].as_chunks::<G2_BYTES>();
    try_map(points, |_, point| g2_from_bytes(point, false))
        .map_err(|(index, problem)| bad_point(container, section, index, problem))
}

fn bad_point(
    container: &Container<'_>,
    section: Section,
    index: usize,
    problem: PointProblem,
) -> FormatError {
    container.error(section, Problem::BadPoint { what: section.name, index, problem })
}
