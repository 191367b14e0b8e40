//! Files of field elements: text, an element a line, or binary, 32 bytes each.
//!
//! In text an element is decimal digits, or hexadecimal digits after `0x`; empty lines and space around elements do not
//! count. In binary it is a canonical (not Montgomery) integer, least byte first. Either way it must be below the
//! field's modulus. A file is taken for text if its first 4,096 bytes are printable ASCII and line ends; a binary file of
//! elements below p that looks like that does not occur by chance.

use super::error::{FormatError, Problem};
use super::mapped::FileBytes;
use super::points::{integer_from_bytes, integer_to_bytes, try_map};
use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};
use num_bigint::BigUint;
use spandrel_abi::FIELD_BYTES;
use std::path::Path;

/// Bytes at the start of a file that tell text from binary.
const LOOKED_AT: usize = 4096;

/// Decimal digits of the modulus.
const DECIMAL_DIGITS: usize = 77;

/// Hexadecimal digits of the modulus.
const HEXADECIMAL_DIGITS: usize = 64;

/// How a file holds elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ElementFormat {
    /// Text or binary, by the look of the first bytes.
    #[default]
    Auto,
    /// An element a line: decimal digits, or hexadecimal ones after 0x.
    Text,
    /// 32 bytes an element: canonical, least byte first.
    Binary,
}

/// Why a text or bytes are not an element. The text is not repeated: it may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElementProblem {
    /// No number.
    #[error("is not a number: write decimal digits, or hexadecimal digits after 0x")]
    NotANumber,
    /// A number that is no element.
    #[error("is not below the field's modulus")]
    NotReduced,
}

/// The element of decimal digits, or of hexadecimal digits after `0x`.
pub fn parse_element(text: &str) -> Result<Fr, ElementProblem> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix, most) = match hexadecimal {
        Some(digits) => (digits, 16, HEXADECIMAL_DIGITS),
        None => (text, 10, DECIMAL_DIGITS),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(ElementProblem::NotANumber);
    }
    let digits = digits.trim_start_matches('0');
    // Longer ones are not worth converting.
    let number = if digits.len() > most { None } else { BigUint::parse_bytes(digits.as_bytes(), radix) };
    let number = if digits.is_empty() { Some(BigUint::default()) } else { number };
    let integer = number.and_then(|number| BigInt::<4>::try_from(number).ok());
    integer.and_then(Fr::from_bigint).ok_or(ElementProblem::NotReduced)
}

/// The elements of a file.
pub fn read_elements(path: &Path, format: ElementFormat) -> Result<Vec<Fr>, FormatError> {
    let error = |problem| FormatError { file: path.to_owned(), section: None, problem };
    let bytes = FileBytes::open(path)?;
    let text = match format {
        ElementFormat::Auto => looks_like_text(&bytes),
        ElementFormat::Text => true,
        ElementFormat::Binary => false,
    };
    if text { text_elements(&bytes) } else { binary_elements(&bytes) }.map_err(error)
}

/// Elements as a text file, an element a line, in decimal.
pub fn write_elements(elements: &[Fr]) -> Vec<u8> {
    elements.iter().map(|element| format!("{element}\n")).collect::<String>().into_bytes()
}

/// Elements as a binary file: 32 bytes each, canonical, least byte first.
pub fn write_binary_elements(elements: &[Fr]) -> Vec<u8> {
    elements.iter().flat_map(|element| integer_to_bytes(&element.into_bigint())).collect()
}

/// The entries of a file of updates: a line each of an index, a comma and an element.
///
/// An index is there once, and the first of two lines with the same one is told with the second.
pub fn read_updates(path: &Path) -> Result<Vec<(usize, Fr)>, FormatError> {
    let error = |problem| FormatError { file: path.to_owned(), section: None, problem };
    let bytes = FileBytes::open(path)?;
    let mut lines_by_index = std::collections::HashMap::new();
    let mut entries = Vec::new();
    for (line, text) in lines(&bytes) {
        let entry = update(text).and_then(|(index, leaf)| match lines_by_index.insert(index, line) {
            None => Ok((index, leaf)),
            Some(first) => Err(format!("sets leaf {index}, as line {first} did; give each leaf once")),
        });
        entries.push(entry.map_err(|why| error(Problem::BadLine { line, why }))?);
    }
    Ok(entries)
}

/// Index and leaf of a line, or what is wrong with it.
fn update(text: &[u8]) -> Result<(usize, Fr), String> {
    let text = std::str::from_utf8(text).map_err(|_| "is not text".to_owned())?;
    let (index, leaf) = text.split_once(',').ok_or("has no comma between an index and a leaf")?;
    let index = index.trim();
    // `parse` would take a sign.
    let digits = index.bytes().all(|byte| byte.is_ascii_digit());
    let index = index.parse().ok().filter(|_| digits).ok_or("has an index that is not a number of a leaf")?;
    let leaf = parse_element(leaf.trim()).map_err(|problem| format!("has a leaf that {problem}"))?;
    Ok((index, leaf))
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    start.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// The lines that are not empty, without the space around them, and their numbers from 1.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    (1..).zip(lines).filter(|(_, line)| !line.is_empty())
}

fn text_elements(bytes: &[u8]) -> Result<Vec<Fr>, Problem> {
    let lines: Vec<_> = lines(bytes).collect();
    let element = |_, (_, text): &(usize, &[u8])| {
        parse_element(std::str::from_utf8(text).map_err(|_| ElementProblem::NotANumber)?)
    };
    try_map(&lines, element)
        .map_err(|(place, problem)| Problem::BadLine { line: lines[place].0, why: problem.to_string() })
}

fn binary_elements(bytes: &[u8]) -> Result<Vec<Fr>, Problem> {
    let (elements, rest) = bytes.as_chunks::<FIELD_BYTES>();
    if !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let needed = FIELD_BYTES as u64;
        return Err(Problem::Truncated { what: "an element", offset, needed, available: rest.len() });
    }
    let element = |_, bytes: &[u8; FIELD_BYTES]| Fr::from_bigint(integer_from_bytes(bytes)).ok_or(());
    try_map(elements, element)
        .map_err(|(index, ())| Problem::BadElement { index, offset: index * FIELD_BYTES })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULUS: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";

    #[test]
    fn numbers_become_elements() {
        let largest = "21888242871839275222246405745257275088548364400416034343698204186575808495616";
        assert_eq!(parse_element(largest), Ok(-Fr::from(1)));
        let modulus = Fr::MODULUS.to_string();
        assert_eq!(modulus, MODULUS);
        let cases =
            [("0", 0), ("0x0", 0), ("000", 0), ("17", 17), ("0x1f", 31), ("0X1F", 31), ("0x00000000001", 1)];
        for (text, value) in cases {
            assert_eq!(parse_element(text), Ok(Fr::from(value)), "{text}");
        }
        let padded = format!("0x{}2a", "0".repeat(200));
        assert_eq!(parse_element(&padded), Ok(Fr::from(42)));
        let ones = "1".repeat(1_000_000);
        let hexadecimal = format!("0x{}", BigUint::from(Fr::MODULUS).to_str_radix(16));
        for text in [MODULUS, &ones, &hexadecimal, &format!("0x1{}", "0".repeat(64))] {
            assert_eq!(parse_element(text), Err(ElementProblem::NotReduced));
        }
        for text in ["", "0x", "-1", "+1", "1_000", "1 2", "ff", "0xg", "1.0", "\u{661}", "0x-1"] {
            assert_eq!(parse_element(text), Err(ElementProblem::NotANumber), "{text}");
        }
    }
}
