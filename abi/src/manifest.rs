//! The manifest beside a bitstream: what the image was made from, and which card it is for.
//!
//! `card.bit` is the image and `card.json` its manifest. Whoever builds the image writes the manifest; whoever loads it reads
//! and checks it before the card is touched, and can hold it against what the running card says of itself.

use crate::{ABI_MAJOR, ABI_MINOR, Identification};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The only layout of a manifest there is so far.
pub const MANIFEST_FORMAT: u32 = 1;

/// The boards by number, as register [`crate::BOARD`] shows it, with the names of their folders in `bitstreams/`.
pub const BOARDS: &[(u32, &str)] = &[
    (0, "simulated"),
    (1, "alveo-u250"),
    (2, "acorn-cle215"),
    (3, "ulx3s-85f"),
    (4, "alveo-u55c"),
    (5, "aws-f2"),
];

/// The name of a board, or a sentence's part for a number that no board has.
pub fn board_name(number: u32) -> String {
    match BOARDS.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => format!("{number} ({name})"),
        None => format!("{number} (of no known board)"),
    }
}

/// What a bitstream is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of the manifest, [`MANIFEST_FORMAT`].
    pub format: u32,
    /// Name of the board: that of its folder in `bitstreams/`.
    pub board: String,
    /// Board number, as the register [`crate::BOARD`] shows it.
    pub board_number: u32,
    /// Interface of host and card, `major.minor`, as in the register [`crate::ABI_VERSION`].
    pub abi: String,
    /// First 32 bits of the git revision in 8 hexadecimal digits, as in the register [`crate::GIT_REVISION`]; zeros where
    /// the tree was not clean.
    pub git_revision: String,
    /// SHA-256 of the profile's text, 64 hexadecimal digits.
    pub profile_sha256: String,
    /// SHA-256 of the emitted Verilog, 64 hexadecimal digits.
    pub rtl_sha256: String,
    /// Versions of the tools that made it, by name.
    pub tools: BTreeMap<String, String>,
    /// The clock that the card runs at, in kHz.
    pub clock_khz: u32,
    /// The clock at which the tools say that every path would still be in time, in kHz.
    pub clock_reached_khz: u32,
    /// What the design needs, by kind of cell: `dsp`, `lut`, `ff`, `carry`, `bram`, `uram`, `srl`.
    pub resources: BTreeMap<String, u64>,
    /// The image.
    pub bitstream: BitstreamFile,
}

/// The image that a manifest is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitstreamFile {
    /// Name of the file, beside the manifest.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

impl BitstreamFile {
    /// Describes an image of this name and content.
    pub fn of(file: &str, content: &[u8]) -> BitstreamFile {
        BitstreamFile { file: file.to_owned(), bytes: content.len() as u64, sha256: sha256(content) }
    }
}

/// Why a manifest, or the image or card held against it, is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file of the manifest or of the image cannot be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no manifest.
    #[error("{path} is not a manifest: {source}; build the bitstream again", path = .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The manifest is of a later layout, or a field of it cannot be right.
    #[error("the manifest of {board} has {found} for {field}: {rule}")]
    Field {
        /// Board that the manifest names.
        board: String,
        /// The field.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it should be.
        rule: &'static str,
    },
    /// The manifest is for another interface.
    #[error(
        "the bitstream's interface is {found} and this program's is {wanted}: the major version must be the same; build the \
         bitstream from this revision, or use the program of the bitstream's"
    )]
    Abi {
        /// Interface of the bitstream.
        found: String,
        /// Interface of this program.
        wanted: String,
    },
    /// The bitstream is for another board.
    #[error(
        "the bitstream is for board {found} and the card is board {wanted}: choose that board's bitstream"
    )]
    Board {
        /// Board of the manifest, number and name.
        found: String,
        /// Board that was asked for, number and name.
        wanted: String,
    },
    /// The image has another size.
    #[error(
        "{file} has {found} bytes and its manifest says {wanted}: the copy is not whole; copy or build it again"
    )]
    Bytes {
        /// The image.
        file: String,
        /// Its size.
        found: u64,
        /// The size in the manifest.
        wanted: u64,
    },
    /// The image is another one.
    #[error(
        "{file} has SHA-256 {found} and its manifest says {wanted}: the two do not belong together, or the file is damaged; \
         copy or build both again"
    )]
    Sha256 {
        /// The image.
        file: String,
        /// Its digest.
        found: String,
        /// The digest in the manifest.
        wanted: String,
    },
    /// The running card shows another revision.
    #[error(
        "the running card was built from git revision {found} and the manifest is of {wanted}: another image is loaded; \
         load this one with `spandrel card load`"
    )]
    Revision {
        /// What the card shows.
        found: String,
        /// What the manifest says.
        wanted: String,
    },
}

/// The SHA-256 of some bytes in 64 hexadecimal digits.
pub fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// The interface of this program as a manifest writes it.
pub fn abi_text() -> String {
    version_text(ABI_MAJOR, ABI_MINOR)
}

fn version_text(major: u16, minor: u16) -> String {
    format!("{major}.{minor}")
}

/// The file of the manifest that belongs to an image: its name with `.json` in place of its ending.
pub fn manifest_path(image: &Path) -> PathBuf {
    image.with_extension("json")
}

impl Manifest {
    /// Reads a manifest's file; the fields are well formed then.
    ///
    /// # Errors
    /// [`ManifestError::Read`], [`ManifestError::Parse`] or [`ManifestError::Field`].
    pub fn read(path: &Path) -> Result<Manifest, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Read { path: path.to_path_buf(), source })?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|source| ManifestError::Parse { path: path.to_path_buf(), source })?;
        manifest.check_fields()?;
        Ok(manifest)
    }

    /// The text of the manifest's file.
    pub fn to_json(&self) -> String {
        // Strings and numbers under strings: there is nothing in it that JSON could not hold.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether the image is for this board and for this program: `abi` is the (major, minor) version that it must agree
    /// with, as the driver demands it of a card, the major version alone.
    ///
    /// # Errors
    /// [`ManifestError::Field`], [`ManifestError::Board`] or [`ManifestError::Abi`], in this order.
    pub fn check(&self, board_number: u32, abi: (u16, u16)) -> Result<(), ManifestError> {
        self.check_fields()?;
        if self.board_number != board_number {
            return Err(ManifestError::Board {
                found: board_name(self.board_number),
                wanted: board_name(board_number),
            });
        }
        match self.abi_version() {
            Some((major, _)) if major == abi.0 => Ok(()),
            _ => Err(ManifestError::Abi { found: self.abi.clone(), wanted: version_text(abi.0, abi.1) }),
        }
    }

    /// Whether these bytes are the image that the manifest is about.
    ///
    /// # Errors
    /// [`ManifestError::Bytes`] or [`ManifestError::Sha256`].
    pub fn check_image(&self, content: &[u8]) -> Result<(), ManifestError> {
        let BitstreamFile { file, bytes, sha256: wanted } = &self.bitstream;
        if *bytes != content.len() as u64 {
            let (file, found) = (file.clone(), content.len() as u64);
            return Err(ManifestError::Bytes { file, found, wanted: *bytes });
        }
        let found = sha256(content);
        match found.eq_ignore_ascii_case(wanted) {
            true => Ok(()),
            false => Err(ManifestError::Sha256 { file: file.clone(), found, wanted: wanted.clone() }),
        }
    }

    /// Whether a running card is one that was loaded with this image: its board, interface and git revision. A revision of
    /// zeros, on either side, stands for a tree that was not clean, and agrees with itself alone.
    ///
    /// # Errors
    /// [`ManifestError::Field`], [`ManifestError::Board`], [`ManifestError::Abi`] or [`ManifestError::Revision`].
    pub fn check_card(&self, card: &Identification) -> Result<(), ManifestError> {
        self.check(card.board, (card.abi_major, card.abi_minor))?;
        let running = version_text(card.abi_major, card.abi_minor);
        if self.abi != running {
            return Err(ManifestError::Abi { found: self.abi.clone(), wanted: running });
        }
        let found = format!("{:08x}", card.git_revision);
        match found.eq_ignore_ascii_case(&self.git_revision) {
            true => Ok(()),
            false => Err(ManifestError::Revision { found, wanted: self.git_revision.clone() }),
        }
    }

    /// The interface's major and minor version.
    fn abi_version(&self) -> Option<(u16, u16)> {
        let (major, minor) = self.abi.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }

    fn check_fields(&self) -> Result<(), ManifestError> {
        let must = |ok: bool, field: &'static str, found: &dyn fmt::Display, rule: &'static str| match ok {
            true => Ok(()),
            false => {
                let board = self.board.clone();
                Err(ManifestError::Field { board, field, found: found.to_string(), rule })
            }
        };
        let is_hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        let later = "this program reads format 1; use the program of the revision that made it";
        must(self.format == MANIFEST_FORMAT, "format", &self.format, later)?;
        let known = BOARDS.iter().find(|(number, _)| *number == self.board_number);
        must(
            known.is_none_or(|(_, name)| *name == self.board),
            "board_number",
            &self.board_number,
            "it is another board's number",
        )?;
        must(self.abi_version().is_some(), "abi", &self.abi, "it is MAJOR.MINOR, as 2.2")?;
        must(
            is_hex(&self.git_revision, 8),
            "git_revision",
            &self.git_revision,
            "it is 8 hexadecimal digits",
        )?;
        for (field, digest) in [
            ("profile_sha256", &self.profile_sha256),
            ("rtl_sha256", &self.rtl_sha256),
            ("bitstream.sha256", &self.bitstream.sha256),
        ] {
            must(is_hex(digest, 64), field, digest, "it is 64 hexadecimal digits")?;
        }
        let file = &self.bitstream.file;
        must(
            Path::new(file).file_name().is_some_and(|name| name == file.as_str()),
            "bitstream.file",
            file,
            "it is the name of a file beside the manifest, without a folder",
        )
    }
}
