//! snarkjs' JSON: `proof.json`, `public.json` and the verification key.

use super::error::{FormatError, Problem};
use super::mapped::FileBytes;
use super::points::PointProblem;
use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::PrimeField;
use ark_groth16::{Proof, VerifyingKey};
use num_bigint::BigUint;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::ser::{PrettyFormatter, Serializer};
use std::path::Path;

/// Larger JSON than any key, proof or list of public signals: a guard against the wrong file.
const MAX_BYTES: u64 = 256 << 20;

/// A G1 point: x, y, z in decimal, z being 1, or 0 at infinity.
type G1Json = [String; 3];

/// A G2 point, each coordinate as c0, c1.
type G2Json = [[String; 2]; 3];

#[derive(Serialize, Deserialize)]
struct ProofJson {
    pi_a: G1Json,
    pi_b: G2Json,
    pi_c: G1Json,
    protocol: String,
    curve: String,
}

#[derive(Deserialize)]
struct VerifyingKeyJson {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    public: usize,
    vk_alpha_1: G1Json,
    vk_beta_2: G2Json,
    vk_gamma_2: G2Json,
    vk_delta_2: G2Json,
    #[serde(rename = "IC")]
    ic: Vec<G1Json>,
}

/// `proof.json` as snarkjs writes it.
pub fn write_proof(proof: &Proof<Bn254>) -> Vec<u8> {
    to_json(&ProofJson {
        pi_a: g1_to_json(&proof.a),
        pi_b: g2_to_json(&proof.b),
        pi_c: g1_to_json(&proof.c),
        protocol: "groth16".to_owned(),
        curve: "bn128".to_owned(),
    })
}

/// `public.json` as snarkjs writes it.
pub fn write_public(signals: &[Fr]) -> Vec<u8> {
    to_json(&signals.iter().map(decimal).collect::<Vec<_>>())
}

/// Reads `proof.json`. Points are checked to lie in the group of prime order.
pub fn read_proof(path: &Path) -> Result<Proof<Bn254>, FormatError> {
    let json: ProofJson = from_json(path)?;
    let document = Document { path };
    document.check_kind(&json.protocol, &json.curve)?;
    Ok(Proof {
        a: document.g1("pi_a", &json.pi_a)?,
        b: document.g2("pi_b", &json.pi_b)?,
        c: document.g1("pi_c", &json.pi_c)?,
    })
}

/// Reads `public.json`. Every signal must be below the group's order.
pub fn read_public(path: &Path) -> Result<Vec<Fr>, FormatError> {
    let json: Vec<String> = from_json(path)?;
    let document = Document { path };
    json.iter().enumerate().map(|(index, text)| document.number(&format!("[{index}]"), text)).collect()
}

/// Reads a verification key.
pub fn read_verifying_key(path: &Path) -> Result<VerifyingKey<Bn254>, FormatError> {
    let json: VerifyingKeyJson = from_json(path)?;
    let document = Document { path };
    document.check_kind(&json.protocol, &json.curve)?;
    if json.ic.len() != json.public.saturating_add(1) {
        let why = format!("has {} points, but nPublic is {}", json.ic.len(), json.public);
        return Err(document.error("IC", why));
    }
    let read_ic = |(index, point)| document.g1(&format!("IC[{index}]"), point);
    Ok(VerifyingKey {
        alpha_g1: document.g1("vk_alpha_1", &json.vk_alpha_1)?,
        beta_g2: document.g2("vk_beta_2", &json.vk_beta_2)?,
        gamma_g2: document.g2("vk_gamma_2", &json.vk_gamma_2)?,
        delta_g2: document.g2("vk_delta_2", &json.vk_delta_2)?,
        gamma_abc_g1: json.ic.iter().enumerate().map(read_ic).collect::<Result<_, _>>()?,
    })
}

fn decimal<F: PrimeField>(element: &F) -> String {
    let integer: BigUint = element.into_bigint().into();
    integer.to_string()
}

fn g1_to_json(point: &G1Affine) -> G1Json {
    match point.xy() {
        Some((x, y)) => [decimal(&x), decimal(&y), "1".to_owned()],
        None => ["0", "1", "0"].map(str::to_owned),
    }
}

fn g2_to_json(point: &G2Affine) -> G2Json {
    let pair = |element: Fq2| [decimal(&element.c0), decimal(&element.c1)];
    let constant = |text: &str| [text.to_owned(), "0".to_owned()];
    match point.xy() {
        Some((x, y)) => [pair(x), pair(y), constant("1")],
        None => [constant("0"), constant("1"), constant("0")],
    }
}

/// One space of indentation and no newline at the end, as snarkjs.
pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b" "));
    value.serialize(&mut serializer).expect("strings and lists in memory always serialise");
    text
}

/// A document of JSON, of a bounded size.
pub(super) fn from_json<T: DeserializeOwned>(path: &Path) -> Result<T, FormatError> {
    let error = |problem| FormatError { file: path.to_owned(), section: None, problem };
    let bytes = FileBytes::open(path)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(error(Problem::TooLarge { bytes: bytes.len() as u64, limit: MAX_BYTES }));
    }
    serde_json::from_slice(&bytes).map_err(|source| error(Problem::Json { source }))
}

/// A document whose values are being read.
pub(super) struct Document<'a> {
    pub(super) path: &'a Path,
}

impl Document<'_> {
    /// The error of a value that cannot be.
    pub(super) fn error(&self, place: &str, why: impl Into<String>) -> FormatError {
        let problem = Problem::BadJsonValue { place: place.to_owned(), why: why.into() };
        FormatError { file: self.path.to_owned(), section: None, problem }
    }

    fn check_kind(&self, protocol: &str, curve: &str) -> Result<(), FormatError> {
        if protocol != "groth16" {
            Err(self.error("protocol", format!("is \"{protocol}\", not \"groth16\"")))
        } else if curve != "bn128" && curve != "bn254" {
            Err(self.error("curve", format!("is \"{curve}\", not \"bn128\"")))
        } else {
            Ok(())
        }
    }

    /// A decimal number below the field's modulus.
    pub(super) fn number<F: PrimeField>(&self, place: &str, text: &str) -> Result<F, FormatError> {
        // 78 digits hold any 256-bit number; longer text is not worth converting.
        if text.is_empty() || text.len() > 78 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.error(place, "is not a decimal number of at most 78 digits"));
        }
        let integer = BigUint::parse_bytes(text.as_bytes(), 10).and_then(|n| F::BigInt::try_from(n).ok());
        let element = integer.and_then(F::from_bigint);
        element.ok_or_else(|| self.error(place, "is not below the field's modulus"))
    }

    fn g1(&self, place: &str, [x, y, z]: &G1Json) -> Result<G1Affine, FormatError> {
        match z.as_str() {
            "0" => return Ok(G1Affine::zero()),
            "1" => {}
            _ => return Err(self.error(place, "is not in affine form: its third coordinate must be 1 or 0")),
        }
        let point = G1Affine::new_unchecked(self.number(place, x)?, self.number(place, y)?);
        if point.is_on_curve() {
            Ok(point)
        } else {
            Err(self.error(place, PointProblem::NotOnCurve.to_string()))
        }
    }

    fn g2(&self, place: &str, [x, y, z]: &G2Json) -> Result<G2Affine, FormatError> {
        match [z[0].as_str(), z[1].as_str()] {
            ["0", "0"] => return Ok(G2Affine::zero()),
            ["1", "0"] => {}
            _ => return Err(self.error(place, "is not in affine form: its third coordinate must be 1 or 0")),
        }
        let pair = |[c0, c1]: &[String; 2]| -> Result<Fq2, FormatError> {
            Ok(Fq2::new(self.number::<Fq>(place, c0)?, self.number::<Fq>(place, c1)?))
        };
        let point = G2Affine::new_unchecked(pair(x)?, pair(y)?);
        if !point.is_on_curve() {
            Err(self.error(place, PointProblem::NotOnCurve.to_string()))
        } else if !point.is_in_correct_subgroup_assuming_on_curve() {
            Err(self.error(place, PointProblem::WrongSubgroup.to_string()))
        } else {
            Ok(point)
        }
    }
}
