//! Whether a shared object in the cache is whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of the header of a 64-bit ELF file.
const HEADER_BYTES: usize = 64;

/// Whether the file is a 64-bit ELF object that reaches to the end of its section headers, which linkers write last.
///
/// A file cut short by a power loss or a full disk must not be loaded: the process would die of a bus error when it
/// touches a page that is not there.
pub(super) fn is_whole(object: &Path) -> bool {
    let Ok(mut file) = File::open(object) else { return false };
    let Ok(length) = file.metadata().map(|data| data.len()) else { return false };
    let mut header = [0; HEADER_BYTES];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"\x7fELF\x02") {
        return false;
    }
    let number = |at: usize, bytes: usize| {
        header[at..at + bytes].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte))
    };
    // e_shoff, e_shentsize and e_shnum of the ELF64 header.
    let sections = number(0x3a, 2) * number(0x3c, 2);
    number(0x28, 8).checked_add(sections).is_some_and(|end| sections > 0 && end <= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_cut_short_anywhere_is_not_whole() {
        // The test program itself is an ELF file.
        let program = std::env::current_exe().unwrap();
        assert!(is_whole(&program));
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        std::fs::copy(&program, &copy).unwrap();
        let length = std::fs::metadata(&copy).unwrap().len();
        for cut in [length - 1, length / 2, 5_000, HEADER_BYTES as u64, 10, 0] {
            File::options().write(true).open(&copy).unwrap().set_len(cut).unwrap();
            assert!(!is_whole(&copy), "{cut} of {length} bytes");
        }
        assert!(!is_whole(&folder.path().join("missing")));
    }
}
