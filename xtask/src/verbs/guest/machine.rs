//! The virtual machine: QEMU's arguments, its console, and how it ends.

use super::process::Killed;
use anyhow::{Context, Result, bail};
use spandrel_tools::GuestPackages;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// QEMU's own emulation, which runs everywhere.
    Tcg,
    /// The processor, through `/dev/kvm`.
    Kvm,
}

impl Accelerator {
    /// Its name in QEMU.
    pub fn name(self) -> &'static str {
        match self {
            Accelerator::Tcg => "tcg",
            Accelerator::Kvm => "kvm",
        }
    }
}

/// A machine to be started.
pub struct Machine<'a> {
    /// QEMU and the kernel.
    pub packages: &'a GuestPackages,
    /// The guest's file system.
    pub initramfs: &'a Path,
    /// The socket of the simulated card; a machine without one has no card.
    pub card: Option<&'a Path>,
    /// What executes its instructions.
    pub accelerator: Accelerator,
    /// Where its console is kept, with time stamps; QEMU's own messages go there too.
    pub log: PathBuf,
    /// Whether its console is shown as well.
    pub verbose: bool,
}

/// Why a machine's run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It powered off.
    PoweredOff,
    /// QEMU ended in another way, or the simulated card did; or time was up, or we were interrupted.
    Broken(String),
}

/// Guest memory, in MiB; of it, hugepages of 2 MiB each for the driver's buffers.
const MEMORY_MIB: u32 = 1024;
const HUGEPAGES: u32 = 96;
/// How long QEMU waits for an answer of the card's server, in milliseconds. At its own default of 5 s a slow simulation
/// would make it give the card up for good.
const MESSAGE_TIMEOUT_MS: u32 = 60_000;

impl Machine<'_> {
    /// Starts the machine and feeds each line of its console, with the seconds since its start, to `line`, until it
    /// powers off, `bound` is over, `others` has a process that ended, or `interrupted` is set.
    pub fn run(
        &self,
        bound: Duration,
        interrupted: &AtomicBool,
        others: &mut [&mut Killed],
        line: &mut dyn FnMut(f64, &str),
    ) -> Result<Ending> {
        let cannot = || format!("cannot write {}", self.log.display());
        let mut log = File::create(&self.log).with_context(cannot)?;
        let stderr = log.try_clone().with_context(cannot)?;
        let begun = Instant::now();
        let mut qemu = Killed::start(&self.command(), "QEMU", Stdio::piped(), Stdio::from(stderr))?;
        let console = read_lines(qemu.stdout().context("QEMU has no console")?);
        loop {
            match console.recv_timeout(Duration::from_millis(100)) {
                Ok(text) => {
                    let seconds = begun.elapsed().as_secs_f64();
                    writeln!(log, "[{seconds:8.3}] {text}").with_context(cannot)?;
                    if self.verbose {
                        eprintln!("[{seconds:8.3}] {text}");
                    }
                    line(seconds, &text);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if interrupted.load(Ordering::Relaxed) {
                return Ok(Ending::Broken("interrupted".to_owned()));
            }
            if begun.elapsed() > bound {
                let text = format!("the guest did not power off within {} s", bound.as_secs());
                return Ok(Ending::Broken(text));
            }
            for other in others.iter_mut() {
                if let Some(status) = other.ended()? {
                    return Ok(Ending::Broken(format!(
                        "{} ended while the guest ran ({status})",
                        other.name()
                    )));
                }
            }
        }
        // Its console is closed, so it is ending; it tears down its connection to the card first.
        match qemu.wait(Duration::from_secs(20))? {
            Some(status) if status.success() => Ok(Ending::PoweredOff),
            Some(status) => Ok(Ending::Broken(format!("QEMU failed ({status})"))),
            None => Ok(Ending::Broken("QEMU closed the console and did not end".to_owned())),
        }
    }

    fn command(&self) -> Command {
        let mut command = self.packages.qemu();
        // On KVM the interrupt controller is QEMU's where interrupts are remapped.
        let split = if self.accelerator == Accelerator::Kvm { ",kernel-irqchip=split" } else { "" };
        command.args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-monitor",
            "none",
        ]);
        command
            .args(["-machine", &format!("q35,accel={}{split},memory-backend=mem", self.accelerator.name())]);
        command.args(["-cpu", "max", "-smp", "1", "-m", &MEMORY_MIB.to_string()]);
        // Shared, so that the card's server maps the guest's memory and reads it without QEMU.
        command.args(["-object", &format!("memory-backend-memfd,id=mem,size={MEMORY_MIB}M,share=on")]);
        command.args(["-device", "intel-iommu,intremap=on,caching-mode=on"]);
        command.args(["-device", "pcie-root-port,id=rp0,bus=pcie.0,chassis=1,slot=1"]);
        if let Some(socket) = self.card {
            let card = serde_json::json!({
                "driver": "vfio-user-pci",
                "bus": "rp0",
                "socket": { "type": "unix", "path": socket.to_string_lossy() },
                "x-msg-timeout": MESSAGE_TIMEOUT_MS,
            });
            command.args(["-device", &card.to_string()]);
        }
        command.arg("-kernel").arg(self.packages.kernel()).arg("-initrd").arg(self.initramfs);
        // no_timer_check: the kernel's test of its timer fails now and then on a loaded host, and it panics.
        // iommu=pt: a card that no driver has bound sees physical memory, which the polling transport needs; VFIO puts the
        // card behind the IOMMU all the same.
        command.args(["-serial", "stdio", "-append"]).arg(format!(
            "console=ttyS0 quiet panic=-1 no_timer_check intel_iommu=on iommu=pt hugepages={HUGEPAGES}"
        ));
        command
    }
}

/// Reads lines on a thread of its own, so that waiting for one can be bounded.
fn read_lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            let Ok(line) = line else { return };
            // The terminal of the guest ends lines with both; firmware and kernel send escape sequences before the first.
            let text = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Whether `/dev/kvm` is there and boots the kernel: it can be there and not work.
pub fn kvm_works(packages: &GuestPackages, folder: &Path, interrupted: &AtomicBool) -> Result<bool> {
    if !Path::new("/dev/kvm").exists() {
        return Ok(false);
    }
    let initramfs = folder.join("probe.initramfs");
    super::initramfs::write(&initramfs, packages, &[])?;
    let probe = Machine {
        packages,
        initramfs: &initramfs,
        card: None,
        accelerator: Accelerator::Kvm,
        log: folder.join("kvm-probe.log"),
        verbose: false,
    };
    let mut up = false;
    let ending =
        probe.run(Duration::from_secs(20), interrupted, &mut [], &mut |_, text| up |= text == super::UP)?;
    if interrupted.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(up && ending == Ending::PoweredOff)
}

#[cfg(test)]
mod tests {
    use super::super::{UP, initramfs};
    use super::*;
    use spandrel_tools::guest_packages;

    /// Boots a guest without a card and without a test; gives the ending and the console, or nothing where the packages
    /// cannot be had.
    fn boot(test: &str, bound: Duration) -> Option<(Ending, String)> {
        let packages = match guest_packages() {
            Ok(packages) => packages,
            Err(error) if error.is_unavailable() => {
                spandrel_tools::skip(&format!("verbs::guest::machine::tests::{test}"), error);
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let folder = tempfile::tempdir().unwrap();
        let initramfs = folder.path().join("initramfs");
        initramfs::write(&initramfs, &packages, &[]).unwrap();
        let machine = Machine {
            packages: &packages,
            initramfs: &initramfs,
            card: None,
            accelerator: Accelerator::Tcg,
            log: folder.path().join("console.log"),
            verbose: false,
        };
        let mut console = String::new();
        let never = AtomicBool::new(false);
        let ending =
            machine.run(bound, &never, &mut [], &mut |_, text| console = format!("{console}{text}\n"));
        Some((ending.unwrap(), console))
    }

    #[test]
    fn the_kernel_boots_with_vfio_and_powers_off() {
        let test = "the_kernel_boots_with_vfio_and_powers_off";
        let Some((ending, console)) = boot(test, Duration::from_secs(120)) else { return };
        assert_eq!(ending, Ending::PoweredOff, "{console}");
        assert!(console.lines().any(|line| line == UP), "{console}");
        assert!(!console.contains("cannot insert"), "{console}");
        assert!(console.contains("DMAR: Intel(R) Virtualization Technology for Directed I/O"), "{console}");
    }

    #[test]
    fn a_machine_that_does_not_end_is_killed_in_time() {
        let begun = Instant::now();
        let test = "a_machine_that_does_not_end_is_killed_in_time";
        let Some((ending, console)) = boot(test, Duration::from_millis(300)) else { return };
        assert!(
            matches!(&ending, Ending::Broken(reason) if reason.contains("power off")),
            "{ending:?} {console}"
        );
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
