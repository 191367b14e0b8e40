//! `spandrel poseidon`.

use super::error::CliError;
use super::hash_args::{HashBackendArgs, HashFigures, OutputChoice, parse_width};
use super::progress::Progress;
use super::report::{CardReport, grouped, print_json, print_text};
use crate::formats::{ElementFormat, parse_element, read_elements};
use ark_bn254::Fr;
use clap::Args;
use serde::Serialize;
use spandrel_poseidon::WIDTHS;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Width of the state where neither --t nor the elements on the command line say one.
const DEFAULT_WIDTH: usize = 3;

/// Hashes field elements with Poseidon over BN254, as circomlib does.
///
/// Elements stand on the command line, in decimal or in hexadecimal after 0x, or in a file: an element a line, or 32 bytes
/// each (canonical, least byte first). What is below the field's modulus is an element, all else is refused. An argument
/// alone that starts with no digit is a file; write ./17 for a file named 17.
///
/// A state of t elements takes t - 1 of them: so many are a message, and there is a digest for each message. With --sponge
/// the elements are one message of any length, or messages of --each elements; the digest is then element 1 of the state.
/// Digests are printed in decimal, one a line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel poseidon 1 2
  spandrel poseidon 1 2 --output second
  spandrel poseidon messages.txt --t 3 --backend dual --json
  spandrel poseidon message.bin --sponge --t 5")]
pub(super) struct Poseidon {
    /// Elements, or one file of them
    #[arg(value_name = "ELEMENTS|FILE", num_args = 0..)]
    input: Vec<String>,
    /// Elements t of a state, 2 to 5 [default: one more than the elements on the command line; 3 for a file or a sponge]
    #[arg(long, value_name = "T", value_parser = parse_width)]
    t: Option<usize>,
    /// Which element of the permuted state is the digest
    #[arg(long, value_enum, default_value = "first", conflicts_with = "sponge")]
    output: OutputChoice,
    /// Takes messages of any length, t - 1 elements at a time
    #[arg(long)]
    sponge: bool,
    /// Elements of a message of the sponge [default: all there are]
    #[arg(long, value_name = "N", requires = "sponge", value_parser = clap::value_parser!(u32).range(1..))]
    each: Option<u32>,
    /// How the file holds elements
    #[arg(long, value_enum, default_value = "auto")]
    format: ElementFormat,
    #[command(flatten)]
    backend: HashBackendArgs,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    backend: String,
    card: Option<CardReport>,
    t: usize,
    /// Which element of the state a digest is.
    output: OutputChoice,
    sponge: bool,
    /// Elements of a message.
    message_elements: usize,
    /// Whether CPU and card agree; null where only one of them ran.
    equal: Option<bool>,
    /// In decimal.
    digests: Vec<String>,
    seconds: f64,
    #[serde(flatten)]
    figures: Option<HashFigures>,
}

impl Poseidon {
    pub(super) fn run(&self) -> Result<(), CliError> {
        self.backend.check()?;
        let progress = Arc::new(Progress::new());
        progress.set_phase("read the elements");
        let (elements, from_file) = self.elements()?;
        let t = match self.t {
            Some(t) => t,
            None if from_file || self.sponge => DEFAULT_WIDTH,
            None => self.width_of(elements.len())?,
        };
        let message_elements = match (self.sponge, self.each) {
            (false, _) => t - 1,
            (true, None) => elements.len(),
            (true, Some(each)) => each as usize,
        };
        let open = self.backend.open(&progress)?;
        progress.set_phase("hash");
        let started = Instant::now();
        let outcome = match self.sponge {
            false => open.backend.hash(t, self.output.into(), &elements)?,
            true => open.backend.sponge(t, message_elements, &elements)?,
        };
        let seconds = started.elapsed().as_secs_f64();
        progress.finish();
        let report = Report {
            backend: open.backend.describe(),
            card: open.card,
            t,
            output: if self.sponge { OutputChoice::Second } else { self.output },
            sponge: self.sponge,
            message_elements,
            equal: self.backend.compares().then_some(true),
            digests: outcome.digests.iter().map(Fr::to_string).collect(),
            seconds,
            figures: outcome.card.as_ref().map(HashFigures::of),
        };
        if self.json {
            return print_json(&report);
        }
        print_text(&report.digests.iter().map(|digest| format!("{digest}\n")).collect::<String>())?;
        if let Some(figures) = &report.figures {
            eprint!("{} on {}: {}", grouped(report.digests.len() as u64), report.backend, figures.text());
        }
        Ok(())
    }

    /// The elements, and whether they are a file's.
    fn elements(&self) -> Result<(Vec<Fr>, bool), CliError> {
        if let [file] = self.input.as_slice()
            && !file.starts_with(|first: char| first.is_ascii_digit())
        {
            return Ok((read_elements(Path::new(file), self.format)?, true));
        }
        let element = |(index, text): (usize, &String)| {
            parse_element(text).map_err(|problem| CliError::Usage(format!("element {} {problem}", index + 1)))
        };
        Ok((self.input.iter().enumerate().map(element).collect::<Result<_, _>>()?, false))
    }

    /// The width of a state that takes exactly so many elements.
    fn width_of(&self, elements: usize) -> Result<usize, CliError> {
        let width = elements.saturating_add(1);
        if WIDTHS.contains(&width) {
            return Ok(width);
        }
        Err(CliError::Usage(format!(
            "{elements} elements are no message of fixed length: give 1 to {}, or --t to cut them into messages, or --sponge",
            WIDTHS.end() - 1
        )))
    }
}
