//! A child process that does not outlive us.

use anyhow::{Context, Result};
use spandrel_tools::find_program;
use std::ffi::OsStr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A child that is killed, and waited for, when this is dropped.
pub struct Killed {
    child: Child,
    name: &'static str,
}

impl Killed {
    /// Starts the program of `command` with its arguments and environment; `name` is what messages call it. It reads
    /// nothing. Where the system has `setpriv`, the kernel kills it even if we are killed ourselves.
    pub fn start(command: &Command, name: &'static str, stdout: Stdio, stderr: Stdio) -> Result<Killed> {
        let mut started = match find_program("setpriv") {
            Some(setpriv) => {
                let mut outer = Command::new(setpriv);
                outer.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program());
                outer
            }
            None => Command::new(command.get_program()),
        };
        started.args(command.get_args());
        let set = command.get_envs().filter_map(|(key, value)| Some((key, value?)));
        started.envs(set.collect::<Vec<(&OsStr, &OsStr)>>());
        let child = started.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn();
        Ok(Killed { child: child.with_context(|| format!("cannot start {name}"))?, name })
    }

    /// What messages call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its standard output, if that was piped, once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot ask for the state of {}", self.name))
    }

    /// Waits until it ends by itself; `None` if it does not within `bound`.
    pub fn wait(&mut self, bound: Duration) -> Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            if begun.elapsed() >= bound {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail on a child that has ended and been waited for, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Killed {
        let mut command = Command::new("sleep");
        command.arg("60");
        Killed::start(&command, "sleep", Stdio::null(), Stdio::null()).unwrap()
    }

    #[test]
    fn dropping_kills() {
        let mut child = sleeper();
        let id = child.child.id();
        assert_eq!(child.wait(Duration::from_millis(50)).unwrap(), None);
        drop(child);
        // Waited for, so not even a zombie of it is left.
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn arguments_and_environment_arrive() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit $CODE"]).env("CODE", "7");
        let mut child = Killed::start(&command, "sh", Stdio::null(), Stdio::null()).unwrap();
        assert_eq!(child.wait(Duration::from_secs(10)).unwrap().and_then(|status| status.code()), Some(7));
    }
}
