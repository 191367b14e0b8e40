//! A small circuit, its key made by ark-groth16, and writers of snarkjs' containers, shared by the tests.
#![allow(dead_code, reason = "every test binary uses a part of this")]

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger, FftField, Field, PrimeField};
use ark_groth16::{Groth16, ProvingKey};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, Matrix, R1CS_PREDICATE_LABEL,
    SynthesisError,
};
use ark_relations::lc;
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;
use spandrel::formats::{g1_to_bytes, g2_to_bytes};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Shows a secret x with start + steps of x -> x^3 + k ending in a public value; the number of steps and
/// whether booleans are added shape key and witness.
#[derive(Clone)]
pub struct Cubes {
    pub secret: Option<Fr>,
    pub steps: usize,
    pub booleans: usize,
}

impl Cubes {
    /// The public signals: the end of the chain and the number of set booleans.
    pub fn public(&self) -> Vec<Fr> {
        let mut x = self.secret.expect("a circuit with values");
        for step in 0..self.steps {
            x = x * x * x + Fr::from(step as u64 + 7);
        }
        vec![x, Fr::from((0..self.booleans).filter(|index| index % 3 == 0).count() as u64)]
    }
}

impl ConstraintSynthesizer<Fr> for Cubes {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let public = self.secret.map(|_| self.public());
        let given = |value: Option<Fr>| value.ok_or(SynthesisError::AssignmentMissing);
        let end = cs.new_input_variable(|| given(public.as_ref().map(|public| public[0])))?;
        let sum = cs.new_input_variable(|| given(public.as_ref().map(|public| public[1])))?;
        let mut value = self.secret;
        let mut x = cs.new_witness_variable(|| given(value))?;
        for step in 0..self.steps {
            let constant = Fr::from(step as u64 + 7);
            let square = cs.new_witness_variable(|| given(value.map(|x| x * x)))?;
            cs.enforce_r1cs_constraint(|| lc!() + x, || lc!() + x, || lc!() + square)?;
            let next_value = value.map(|x| x * x * x + constant);
            let one = ark_relations::gr1cs::Variable::One;
            if step + 1 == self.steps {
                cs.enforce_r1cs_constraint(
                    || lc!() + square,
                    || lc!() + x,
                    || lc!() + end - (constant, one),
                )?;
            } else {
                let next = cs.new_witness_variable(|| given(next_value))?;
                cs.enforce_r1cs_constraint(
                    || lc!() + square,
                    || lc!() + x,
                    || lc!() + next - (constant, one),
                )?;
                x = next;
            }
            value = next_value;
        }
        let mut total = lc!();
        for index in 0..self.booleans {
            let bit = Fr::from(u64::from(index % 3 == 0));
            let boolean = cs.new_witness_variable(|| given(self.secret.map(|_| bit)))?;
            let one = ark_relations::gr1cs::Variable::One;
            cs.enforce_r1cs_constraint(|| lc!() + boolean, || lc!() + one - boolean, || lc!())?;
            total = total + boolean;
        }
        let one = ark_relations::gr1cs::Variable::One;
        cs.enforce_r1cs_constraint(|| total, || lc!() + one, || lc!() + sum)?;
        Ok(())
    }
}

/// A key, a witness, and the same as files of snarkjs.
pub struct Sample {
    pub circuit: Cubes,
    pub key: ProvingKey<Bn254>,
    pub matrices: Vec<Matrix<Fr>>,
    pub assignment: Vec<Fr>,
    pub public: usize,
    pub zkey: Vec<u8>,
    pub wtns: Vec<u8>,
}

impl Sample {
    pub fn new(secret: u64, steps: usize, booleans: usize) -> Sample {
        let circuit = Cubes { secret: Some(Fr::from(secret).inverse().unwrap()), steps, booleans };
        let key = Groth16::<Bn254>::generate_random_parameters_with_reduction(
            circuit.clone(),
            &mut StdRng::seed_from_u64(secret),
        )
        .unwrap();
        let cs = ConstraintSystem::new_ref();
        circuit.clone().generate_constraints(cs.clone()).unwrap();
        cs.finalize();
        assert!(cs.is_satisfied().unwrap());
        let matrices = cs.to_matrices().unwrap().remove(R1CS_PREDICATE_LABEL).unwrap();
        let assignment = [cs.instance_assignment().unwrap(), cs.witness_assignment().unwrap()].concat();
        let public = cs.num_instance_variables() - 1;
        let zkey = zkey_sections(&key, &matrices, public).file();
        let wtns = wtns_sections(&assignment).file();
        Sample { circuit, key, matrices, assignment, public, zkey, wtns }
    }

    /// ark-groth16's proof with this blinding.
    pub fn ark_proof(&self, r: Fr, s: Fr) -> ark_groth16::Proof<Bn254> {
        Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
            &self.key,
            r,
            s,
            &self.matrices,
            self.public + 1,
            self.matrices[0].len(),
            &self.assignment,
        )
        .unwrap()
    }
}

/// The sample that most tests use: some 40 constraints.
pub static SMALL: LazyLock<Sample> = LazyLock::new(|| Sample::new(5, 12, 9));

/// A container under construction.
#[derive(Clone)]
pub struct Sections {
    pub magic: [u8; 4],
    pub version: u32,
    pub sections: Vec<(u32, Vec<u8>)>,
}

impl Sections {
    pub fn file(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend((self.sections.len() as u32).to_le_bytes());
        for (number, content) in &self.sections {
            bytes.extend(number.to_le_bytes());
            bytes.extend((content.len() as u64).to_le_bytes());
            bytes.extend(content);
        }
        bytes
    }

    pub fn section(&mut self, number: u32) -> &mut Vec<u8> {
        &mut self.sections.iter_mut().find(|(n, _)| *n == number).unwrap().1
    }
}

fn prime<F: PrimeField>() -> Vec<u8> {
    [32u32.to_le_bytes().to_vec(), F::MODULUS.to_bytes_le()].concat()
}

fn g1_points(points: &[G1Affine]) -> Vec<u8> {
    points.iter().flat_map(g1_to_bytes).collect()
}

/// A witness file's sections.
pub fn wtns_sections(assignment: &[Fr]) -> Sections {
    let header = [prime::<Fr>(), (assignment.len() as u32).to_le_bytes().to_vec()].concat();
    let values = assignment.iter().flat_map(|value| value.into_bigint().to_bytes_le()).collect();
    Sections { magic: *b"wtns", version: 2, sections: vec![(1, header), (2, values)] }
}

/// A key of ark-groth16 as snarkjs would hold it.
pub fn zkey_sections(key: &ProvingKey<Bn254>, matrices: &[Matrix<Fr>], public: usize) -> Sections {
    let domain = Radix2EvaluationDomain::<Fr>::new(matrices[0].len() + public + 1).unwrap();
    let header = [
        prime::<Fq>(),
        prime::<Fr>(),
        (key.a_query.len() as u32).to_le_bytes().to_vec(),
        (public as u32).to_le_bytes().to_vec(),
        (domain.size() as u32).to_le_bytes().to_vec(),
        g1_to_bytes(&key.vk.alpha_g1).to_vec(),
        g1_to_bytes(&key.beta_g1).to_vec(),
        g2_to_bytes(&key.vk.beta_g2).to_vec(),
        g2_to_bytes(&key.vk.gamma_g2).to_vec(),
        g1_to_bytes(&key.delta_g1).to_vec(),
        g2_to_bytes(&key.vk.delta_g2).to_vec(),
    ]
    .concat();
    Sections {
        magic: *b"zkey",
        version: 1,
        sections: vec![
            (1, 1u32.to_le_bytes().to_vec()),
            (2, header),
            (4, coefficients(matrices, public)),
            (3, g1_points(&key.vk.gamma_abc_g1)),
            (9, g1_points(&odd_lagrange(&key.h_query, domain))),
            (8, g1_points(&key.l_query)),
            (5, g1_points(&key.a_query)),
            (6, g1_points(&key.b_g1_query)),
            (7, key.b_g2_query.iter().flat_map(g2_to_bytes).collect()),
            (10, vec![0; 68]),
        ],
    }
}

/// Section 4: matrix A with the rows that bind the public signals, and matrix B.
fn coefficients(matrices: &[Matrix<Fr>], public: usize) -> Vec<u8> {
    let mut entries = Vec::new();
    for (number, matrix) in matrices[..2].iter().enumerate() {
        for (row, terms) in matrix.iter().enumerate() {
            entries.extend(terms.iter().map(|(value, signal)| (number, row, *signal, *value)));
        }
    }
    let constraints = matrices[0].len();
    entries.extend((0..=public).map(|signal| (0, constraints + signal, signal, Fr::ONE)));
    let mut bytes = (entries.len() as u32).to_le_bytes().to_vec();
    // The internal limbs of value * 2^256 are value * 2^512.
    let shift = Fr::from(2u64).pow([256]);
    for (matrix, row, signal, value) in entries {
        for word in [matrix, row, signal] {
            bytes.extend((word as u32).to_le_bytes());
        }
        bytes.extend((value * shift).0.to_bytes_le());
    }
    bytes
}

/// From tau^i Z(tau) / delta, i below n - 1, to L(tau) / delta for the Lagrange polynomials of twice the
/// domain at its odd places: L_j = -Z/2 * l_j with l_j the Lagrange polynomial of the odd coset g<w>, whose
/// coefficients are (g w^j)^-i / n. The last power of tau is missing from ark's key, and may be: the
/// coefficient of that power in the quotient is zero for every witness that satisfies the circuit.
fn odd_lagrange(h_query: &[G1Affine], domain: Radix2EvaluationDomain<Fr>) -> Vec<G1Affine> {
    let g_inverse = Fr::get_root_of_unity(2 * domain.size() as u64).unwrap().inverse().unwrap();
    let mut factor = -Fr::from(2u64).inverse().unwrap();
    let mut points = vec![G1Projective::ZERO; domain.size()];
    for (point, base) in points.iter_mut().zip(h_query) {
        *point = base.into_group() * factor;
        factor *= g_inverse;
    }
    domain.ifft_in_place(&mut points);
    G1Projective::normalize_batch(&points)
}

/// Writes a file into a directory.
pub fn put(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Runs the `spandrel` command in a directory, checks its exit code, and gives standard output and standard error.
#[track_caller]
pub fn run(directory: &Path, code: i32, arguments: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spandrel"));
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

/// As [`run`], of a command that succeeds and prints one JSON object.
#[track_caller]
pub fn report(directory: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&run(directory, 0, arguments).0).unwrap()
}

/// The names in a directory, in order.
pub fn files(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = std::fs::read_dir(directory).unwrap().map(name).collect();
    names.sort();
    names
}
