//! The binary container that `.zkey`, `.wtns` and `.r1cs` share: four letters, a version, a number of
//! sections, then each section as a 32-bit type, a 64-bit length in bytes and its content. All little-endian.

use super::error::{FormatError, Problem};
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// A section: its number in the file and its name for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// The type word in the file.
    pub number: u32,
    /// A name for messages.
    pub name: &'static str,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number, self.name)
    }
}

/// The section table of a container.
#[derive(Debug)]
pub struct Container<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    sections: Vec<(u32, Range<usize>)>,
}

/// Bytes of the container's header and of a section's.
const HEADER_BYTES: usize = 12;
const SECTION_HEADER_BYTES: usize = 12;

impl<'a> Container<'a> {
    /// Reads the section table; `magic` is the format's four letters.
    pub fn parse(
        path: &'a Path,
        bytes: &'a [u8],
        magic: &'static str,
        newest: u32,
    ) -> Result<Container<'a>, FormatError> {
        let error = |problem| FormatError { file: path.to_owned(), section: None, problem };
        let truncated = |what, offset: usize, needed: u64| {
            error(Problem::Truncated { what, offset, needed, available: bytes.len().saturating_sub(offset) })
        };
        // A file cut within its header is better called truncated than of another format.
        let seen = bytes.len().min(magic.len());
        if bytes[..seen] != magic.as_bytes()[..seen] {
            return Err(error(Problem::WrongMagic { expected: magic }));
        }
        if bytes.len() < HEADER_BYTES {
            return Err(truncated("the header", 0, HEADER_BYTES as u64));
        }
        let version = u32_at(bytes, 4);
        if version == 0 || version > newest {
            return Err(error(Problem::WrongVersion { found: version, newest }));
        }
        let count = u32_at(bytes, 8);
        let mut sections = Vec::new();
        let mut at = HEADER_BYTES;
        for _ in 0..count {
            if bytes.len() - at < SECTION_HEADER_BYTES {
                return Err(truncated("a section header", at, SECTION_HEADER_BYTES as u64));
            }
            let number = u32_at(bytes, at);
            let length = u64::from(u32_at(bytes, at + 4)) | u64::from(u32_at(bytes, at + 8)) << 32;
            at += SECTION_HEADER_BYTES;
            let available = bytes.len() - at;
            let Some(length) = usize::try_from(length).ok().filter(|length| *length <= available) else {
                return Err(truncated("the content of a section", at, length));
            };
            sections.push((number, at..at + length));
            at += length;
        }
        if at != bytes.len() {
            return Err(error(Problem::TrailingBytes { bytes: bytes.len() - at }));
        }
        Ok(Container { path, bytes, sections })
    }

    /// Where the content of a section lies that must be there once.
    pub fn unique(&self, section: Section) -> Result<Range<usize>, FormatError> {
        let mut found = self.sections.iter().filter(|(number, _)| *number == section.number);
        let range = found.next().ok_or_else(|| self.error(section, Problem::MissingSection))?;
        match found.next() {
            None => Ok(range.1.clone()),
            Some(_) => Err(self.error(section, Problem::DuplicateSection)),
        }
    }

    /// As [`Container::unique`], for a section whose length follows from the header.
    pub fn exact(
        &self,
        section: Section,
        count: u64,
        element_bytes: u64,
        because: &'static str,
    ) -> Result<Range<usize>, FormatError> {
        let range = self.unique(section)?;
        let expected = count.saturating_mul(element_bytes);
        if range.len() as u64 == expected {
            Ok(range)
        } else {
            Err(self.error(section, Problem::WrongLength { found: range.len(), expected, because }))
        }
    }

    /// A reader of a section's content.
    pub fn reader(&self, section: Section) -> Result<SectionReader<'_>, FormatError> {
        let range = self.unique(section)?;
        Ok(SectionReader { container: self, section, at: range.start, end: range.end })
    }

    /// An error in a section of this file.
    pub fn error(&self, section: Section, problem: Problem) -> FormatError {
        FormatError { file: self.path.to_owned(), section: Some(section), problem }
    }
}

/// Reads a section from its start, refusing to read past its end.
#[derive(Debug)]
pub struct SectionReader<'a> {
    container: &'a Container<'a>,
    section: Section,
    at: usize,
    end: usize,
}

impl<'a> SectionReader<'a> {
    /// The next `count` bytes.
    pub fn bytes(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], FormatError> {
        let available = self.end - self.at;
        if available < count {
            let problem = Problem::Truncated { what, offset: self.at, needed: count as u64, available };
            return Err(self.container.error(self.section, problem));
        }
        let bytes = &self.container.bytes[self.at..self.at + count];
        self.at += count;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<&'a [u8; N], FormatError> {
        let (array, _) = self.bytes(what, N)?.split_first_chunk().expect("as many bytes were asked for");
        Ok(array)
    }

    /// The next 32-bit word.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, FormatError> {
        Ok(u32_at(self.bytes(what, 4)?, 0))
    }

    /// Checks that nothing is left.
    pub fn finish(self, section_start_to_here: &'static str) -> Result<(), FormatError> {
        if self.at == self.end {
            return Ok(());
        }
        let range = self.container.unique(self.section)?;
        let expected = (self.at - range.start) as u64;
        let problem = Problem::WrongLength { found: range.len(), expected, because: section_start_to_here };
        Err(self.container.error(self.section, problem))
    }
}

/// The little-endian word at `at`; the caller has checked the length.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
