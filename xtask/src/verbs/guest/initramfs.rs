//! The guest's only file system: an archive that the kernel unpacks to memory.

use anyhow::{Context, Result};
use cpio::newc::{self, ModeFileType};
use spandrel_tools::GuestPackages;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const INIT: &str = include_str!("init.sh");

/// A file to be put into the guest.
pub struct Entry {
    /// Its path in the guest, without the first slash.
    pub to: String,
    /// Where it is here.
    pub from: PathBuf,
    /// Whether it is a program.
    pub executable: bool,
}

/// Writes the archive: init, busybox, the modules and `entries`; gives its bytes. Uncompressed, since unpacking would
/// cost the emulated processor more than reading costs.
pub fn write(path: &Path, packages: &GuestPackages, entries: &[Entry]) -> Result<u64> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut archive = Archive { out: BufWriter::new(file), inode: 0 };
    for folder in ["bin", "dev", "modules", "proc", "sys", "tmp"] {
        archive.folder(folder)?;
    }
    archive.bytes("init", INIT.as_bytes(), true)?;
    archive.file("bin/busybox", &packages.busybox(), true)?;
    let mut order = String::new();
    for module in packages.modules() {
        let name = module.file_name().unwrap_or_default().to_string_lossy().into_owned();
        archive.file(&format!("modules/{name}"), &module, false)?;
        order.push_str(&name);
        order.push('\n');
    }
    archive.bytes("modules/order", order.as_bytes(), false)?;
    let mut folders: Vec<&str> =
        entries.iter().filter_map(|one| one.to.rsplit_once('/')).map(|(folder, _)| folder).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders.into_iter().filter(|folder| *folder != "bin") {
        archive.folder(folder)?;
    }
    for entry in entries {
        archive.file(&entry.to, &entry.from, entry.executable)?;
    }
    let out = newc::trailer(archive.out).context("cannot end the initramfs")?;
    let file = out.into_inner().context("cannot write the initramfs")?;
    Ok(file.metadata().context("cannot ask for the initramfs' size")?.len())
}

struct Archive {
    out: BufWriter<File>,
    /// Number of the last entry: the kernel takes files with one number for links to each other.
    inode: u32,
}

impl Archive {
    fn folder(&mut self, name: &str) -> Result<()> {
        self.put(name, 0o755, ModeFileType::Directory, &[])
    }

    fn file(&mut self, name: &str, from: &Path, executable: bool) -> Result<()> {
        let bytes = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.bytes(name, &bytes, executable)
    }

    fn bytes(&mut self, name: &str, bytes: &[u8], executable: bool) -> Result<()> {
        self.put(name, if executable { 0o755 } else { 0o644 }, ModeFileType::Regular, bytes)
    }

    fn put(&mut self, name: &str, permissions: u32, kind: ModeFileType, bytes: &[u8]) -> Result<()> {
        self.inode += 1;
        let what = || format!("cannot put {name} into the initramfs");
        let size = u32::try_from(bytes.len()).with_context(what)?;
        let entry =
            newc::Builder::new(name).ino(self.inode).nlink(1).mode(permissions).set_mode_file_type(kind);
        let mut writer = entry.write(&mut self.out, size);
        writer.write_all(bytes).and_then(|()| writer.finish()).map(drop).with_context(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_put_in_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        let mut archive = Archive { out: BufWriter::new(File::create(&path).unwrap()), inode: 0 };
        archive.folder("bin").unwrap();
        archive.bytes("bin/a", b"three", true).unwrap();
        archive.bytes("b", b"", false).unwrap();
        newc::trailer(archive.out).unwrap().flush().unwrap();

        let mut rest: Box<dyn Read> = Box::new(File::open(&path).unwrap());
        let mut seen = Vec::new();
        loop {
            let mut reader = newc::Reader::new(rest).unwrap();
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            if reader.entry().is_trailer() {
                break;
            }
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            seen.push((name, mode, text));
            rest = reader.finish().unwrap();
        }
        let wanted = [("bin", 0o40755, ""), ("bin/a", 0o100_755, "three"), ("b", 0o100_644, "")];
        assert_eq!(seen, wanted.map(|(name, mode, text)| (name.to_owned(), mode, text.to_owned())));
    }
}
