//! Who has a file open.

use crate::system::System;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that has the file open, this one only where no other has; `None` where none is seen. Other users' processes
/// are seen by root alone.
pub(crate) fn holder_of(system: &System, file: &Path) -> Option<u32> {
    let wanted = fs::metadata(file).ok().map(|wanted| (wanted.dev(), wanted.ino()))?;
    let own = std::process::id();
    let processes = system.names("proc").into_iter().filter_map(|name| name.parse::<u32>().ok());
    let mut holders: Vec<u32> = processes.filter(|process| has_open(system, *process, wanted)).collect();
    holders.sort_by_key(|process| *process == own);
    holders.first().copied()
}

fn has_open(system: &System, process: u32, wanted: (u64, u64)) -> bool {
    let Ok(files) = fs::read_dir(system.path(format!("proc/{process}/fd"))) else { return false };
    // Following the link asks for the open file itself, wherever its name is now.
    files.flatten().any(|file| fs::metadata(file.path()).is_ok_and(|file| (file.dev(), file.ino()) == wanted))
}
