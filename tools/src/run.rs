//! Running other people's programs.

use crate::ToolError;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Looks a program up on `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// Runs a command with its output captured; failure becomes an error that shows the last lines of it.
///
/// `what` names the attempt in the error ("fetching Verilator"); `remedy` is what to do about a failure, or empty.
pub fn run(command: &mut Command, what: &str, remedy: &str) -> Result<Output, ToolError> {
    let program = PathBuf::from(command.get_program());
    let output = command.stdin(Stdio::null()).output().map_err(ToolError::io("run", program))?;
    if output.status.success() {
        return Ok(output);
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(ToolError::Failed {
        what: what.to_owned(),
        status: output.status.to_string(),
        remedy: if remedy.is_empty() { String::new() } else { format!(": {remedy}") },
        last_lines: last_lines(&text, 20),
    })
}

/// The last `count` lines of a text that are not blank, each cut to 300 characters.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = &lines[lines.len().saturating_sub(count)..];
    tail.iter().map(|line| line.chars().take(300).collect::<String>()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_shows_the_last_lines() {
        let error = run(Command::new("sh").args(["-c", "seq 100; exit 3"]), "counting", "count less")
            .unwrap_err()
            .to_string();
        assert!(error.contains("counting failed (exit status: 3): count less"), "{error}");
        assert!(error.contains("\n81\n") && error.ends_with("\n100") && !error.contains("\n80\n"), "{error}");
    }

    #[test]
    fn programs_are_found_on_the_path_only() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-anywhere").is_none());
    }
}
