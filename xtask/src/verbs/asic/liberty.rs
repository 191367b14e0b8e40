//! A library of standard cells, in one liberty file or several.

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The cells of a process, from all the files that were named.
pub struct Library {
    /// What the first file calls itself.
    pub name: String,
    /// Area of the smallest two-input NAND in the files' unit, which is µm² by custom: a gate equivalent.
    pub nand2_area: f64,
    /// The texts.
    pub texts: Vec<String>,
    /// What tells this library from others.
    pub digest: String,
}

impl Library {
    /// Reads liberty files; those that end in `.gz` are unpacked.
    pub fn read(paths: &[PathBuf]) -> Result<Library> {
        let texts = paths.iter().map(|path| text(path)).collect::<Result<Vec<String>>>()?;
        let mut hash = Sha256::new();
        texts.iter().for_each(|text| hash.update(Sha256::digest(text)));
        let name = texts.first().and_then(|text| library_name(text)).unwrap_or("unnamed").to_owned();
        let nand2 = texts.iter().flat_map(|text| cells(text)).filter(|(cell, _)| is_nand2(cell));
        let Some(nand2_area) = nand2.map(|(_, area)| area).min_by(f64::total_cmp) else {
            bail!("no cell of {name} is called a NAND2: name the file with the simple gates, too");
        };
        Ok(Library { name, nand2_area, texts, digest: hex::encode(hash.finalize()) })
    }
}

fn text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    let mut text = String::new();
    let read = match packed {
        true => GzDecoder::new(&bytes[..]).read_to_string(&mut text),
        false => (&bytes[..]).read_to_string(&mut text),
    };
    read.with_context(|| format!("{} is no liberty file", path.display()))?;
    if library_name(&text).is_none() {
        bail!("{} is no liberty file: it has no library (NAME)", path.display());
    }
    Ok(text)
}

/// The name in `keyword (NAME)`, where the line begins so.
fn named<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(keyword)?.trim_start().strip_prefix('(')?;
    Some(rest.split(')').next()?.trim().trim_matches('"'))
}

fn library_name(text: &str) -> Option<&str> {
    text.lines().find_map(|line| named(line, "library"))
}

/// Every cell with its area.
fn cells(text: &str) -> Vec<(&str, f64)> {
    let (mut found, mut cell) = (Vec::new(), None);
    for line in text.lines() {
        if let Some(name) = named(line, "cell") {
            cell = Some(name);
        } else if let Some(rest) = line.trim_start().strip_prefix("area") {
            let number = rest.trim_start_matches([' ', '\t', ':']).trim_end_matches([' ', '\t', ';', '\r']);
            // A cell's first area is its own.
            if let (Some(name), Ok(area)) = (cell, number.trim_matches('"').parse()) {
                found.push((name, area));
                cell = None;
            }
        }
    }
    found
}

/// Whether this is a NAND of two inputs, neither of them inverted: `nand2_1`, `NAND2X1`, `NAND2xp5`.
fn is_nand2(cell: &str) -> bool {
    let lower = cell.to_ascii_lowercase();
    lower.split_once("nand2").is_some_and(|(_, rest)| !rest.starts_with('b'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TEXT: &str = "library (toy) {\n cell (\"NAND2X2\") {\n  area : 3.5;\n  pin(A) { area : 1; }\n }\n\
                        cell (nand2b_1) {\n area : 0.5 ;\n }\n cell (NAND2X1) {\n  area : 2;\n }\n}\n";

    #[test]
    fn the_smallest_plain_nand_is_found_packed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let [plain, packed] = ["toy.lib", "toy.lib.gz"].map(|name| folder.path().join(name));
        std::fs::write(&plain, TEXT).unwrap();
        let mut encoder =
            flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), Default::default());
        encoder.write_all(TEXT.as_bytes()).unwrap();
        encoder.finish().unwrap();
        let [plain, packed] = [plain, packed].map(|path| Library::read(&[path]).unwrap());
        assert_eq!((plain.name.as_str(), plain.nand2_area), ("toy", 2.0));
        assert_eq!(plain.digest, packed.digest);
    }

    #[test]
    fn what_is_no_library_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lib");
        std::fs::write(&path, "module x; endmodule").unwrap();
        let error = Library::read(std::slice::from_ref(&path)).err().unwrap().to_string();
        assert!(error.contains("no liberty file"), "{error}");
        std::fs::write(&path, TEXT.replace("NAND2", "NOR2").replace("nand2", "nor2")).unwrap();
        let error = Library::read(&[path]).err().unwrap().to_string();
        assert!(error.contains("NAND2"), "{error}");
    }
}
