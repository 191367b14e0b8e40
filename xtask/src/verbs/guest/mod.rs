//! `cargo xtask guest`: the driver over the simulated card in a real Linux guest.
//!
//! Two processes: `spandrel sim serve` has the Verilated card behind a vfio-user socket; QEMU attaches it to a virtual
//! machine with an emulated IOMMU, in which Linux finds a PCIe device and VFIO hands it to the driver, the same code that
//! a real card would see.

mod build;
mod checks;
mod initramfs;
mod machine;
mod process;
mod report;
mod server;
mod tests;

pub use checks::CHECKS;
pub use tests::{test, test_name};

use anyhow::{Context, Result};
use checks::Verdicts;
use machine::{Accelerator, Ending, Machine};
use report::{Phase, Report};
use spandrel_tools::{FileLock, checkout_root, cxx_compiler, guest_packages, update_guest_lock, verilator};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What the guest's init says when it runs.
const UP: &str = "guest: up";
/// How long the guest may take from its start until it has powered off.
const GUEST_BOUND: Duration = Duration::from_secs(300);

/// Run the driver in a Linux guest with an IOMMU, over the simulated card as a PCIe device
///
/// Fetches QEMU, a kernel and busybox as Debian packages (pinned, checked, unpacked into `.spandrel`, never installed),
/// builds the driver's test and `spandrel` statically, serves the Verilated card over vfio-user, boots the guest and
/// requires every check to pass. Needs an x86-64 Debian machine and no rights.
#[derive(clap::Args)]
pub struct Guest {
    /// Profile of the simulated card, with a PCIe endpoint
    #[arg(long, default_value = "sim-pcie", value_name = "PROFILE")]
    profile: String,
    /// Show the guest's console, each line with the seconds since the machine's start
    #[arg(long, short)]
    verbose: bool,
    /// Use the processor through /dev/kvm if a probe shows that a kernel boots with it; without this, or else, QEMU emulates
    #[arg(long)]
    kvm: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Run nothing; pin the packages that the Debian mirror has now in tools/debian.lock, and fetch them
    #[arg(long)]
    update: bool,
}

impl Guest {
    /// Runs the guest; succeeds if every check passed.
    pub fn run(self) -> Result<ExitCode> {
        if self.update {
            return update();
        }
        let report = run(&Options { profile: &self.profile, verbose: self.verbose, kvm: self.kvm })?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report.json()).context("cannot print the report")?);
        } else {
            print!("{report}");
        }
        Ok(if report.all_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// How to run the guest.
pub struct Options<'a> {
    /// Profile of the simulated card.
    pub profile: &'a str,
    /// Whether the console is shown.
    pub verbose: bool,
    /// Whether KVM is tried.
    pub kvm: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { profile: "sim-pcie", verbose: false, kvm: false }
    }
}

/// Builds everything, runs the guest and judges it. Verdicts are told on standard error as they come.
///
/// An error means that the guest could not be run; where that is because a tool cannot be had, it holds a
/// [`spandrel_tools::ToolError`] that says so.
pub fn run(options: &Options) -> Result<Report> {
    let mut phase = Stopwatch::default();
    // Asked for first, so that nobody waits for a build to learn that something is missing.
    let packages = guest_packages()?;
    cxx_compiler()?;
    verilator()?;
    phase.ends("packages");

    let folder = checkout_root().join(".spandrel").join("guest");
    let _lock = FileLock::acquire(&folder.join("lock"), "run the guest")?;
    phase.ends("wait");
    eprintln!(
        "xtask: building what runs in the guest and what serves the card (the first time takes minutes)"
    );
    let spandrel = build::server()?;
    let files = build::guest_files()?;
    phase.ends("build");
    let initramfs = folder.join("initramfs");
    let initramfs_bytes = initramfs::write(&initramfs, &packages, &files)?;
    phase.ends("initramfs");
    // Not before: until here Ctrl-C may end us at once, also while we wait for another process.
    let interrupted = interruption();
    let accelerator = match options.kvm && machine::kvm_works(&packages, &folder, interrupted)? {
        true => Accelerator::Kvm,
        false => Accelerator::Tcg,
    };
    if options.kvm && accelerator == Accelerator::Tcg {
        eprintln!("xtask: /dev/kvm does not boot a kernel here; QEMU emulates the processor");
    }
    phase.ends("probe");

    // A socket's path may not be longer than 108 bytes, so it lies in the system's temporary folder.
    let socket_folder = tempfile::tempdir().context("cannot create a folder for the card's socket")?;
    let socket = socket_folder.path().join("card");
    eprintln!("xtask: starting the simulated card sim:{}", options.profile);
    let server_log = folder.join("server.log");
    let mut card = server::start(&spandrel, options.profile, &socket, &server_log, interrupted)?;
    phase.ends("card");

    eprintln!("xtask: booting Linux in QEMU {} ({})", packages.qemu_version, accelerator.name());
    let console_log = folder.join("console.log");
    let machine = Machine {
        packages: &packages,
        initramfs: &initramfs,
        card: Some(&socket),
        accelerator,
        log: console_log.clone(),
        verbose: options.verbose,
    };
    let mut verdicts = Verdicts::default();
    let (mut booted, mut tested) = (None, None);
    let ending = machine.run(GUEST_BOUND, interrupted, &mut [&mut card], &mut |seconds, text| {
        if text == UP {
            booted = Some(seconds);
        } else if text.starts_with("guest: test ended") {
            tested = Some(seconds);
        } else if verdicts.line(text) && !options.verbose {
            eprintln!("[{seconds:8.3}] {text}");
        }
    })?;
    let total = phase.elapsed();
    drop(card);
    if let Some(booted) = booted {
        phase.record("boot", booted);
        phase.record("checks", tested.unwrap_or(total) - booted);
    }
    if let Some(tested) = tested {
        phase.record("power off", total - tested);
    }
    let why = match &ending {
        Ending::PoweredOff if booted.is_none() => "the guest powered off before its init ran",
        Ending::PoweredOff => "the guest powered off without it",
        Ending::Broken(reason) => reason,
    };
    Ok(Report {
        checks: verdicts.close(why),
        broken: matches!(ending, Ending::Broken(_)).then(|| why.to_owned()),
        phases: phase.phases,
        qemu: packages.qemu_version.clone(),
        kernel: packages.kernel_version.clone(),
        accelerator: accelerator.name(),
        initramfs_bytes,
        console_log,
        server_log,
    })
}

/// A flag that Ctrl-C and the like set, so that the children and the socket are cleaned up before we end.
fn interruption() -> &'static AtomicBool {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    // A second handler cannot be installed and need not be: `cargo xtask test` runs the guest once.
    let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
    &INTERRUPTED
}

fn update() -> Result<ExitCode> {
    let (packages, changes) = update_guest_lock()?;
    changes.iter().for_each(|line| println!("{line}"));
    if changes.is_empty() {
        println!("nothing changed");
    }
    println!("tools/debian.lock pins QEMU {} and Linux {}", packages.qemu_version, packages.kernel_version);
    Ok(ExitCode::SUCCESS)
}

/// Times phases that follow each other.
struct Stopwatch {
    begun: Instant,
    phases: Vec<Phase>,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Stopwatch { begun: Instant::now(), phases: Vec::new() }
    }
}

impl Stopwatch {
    /// Ends the phase that began when the last one ended.
    fn ends(&mut self, name: &'static str) {
        let seconds = self.elapsed();
        self.record(name, seconds);
        self.begun = Instant::now();
    }

    /// Seconds since the last phase ended.
    fn elapsed(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn record(&mut self, name: &'static str, seconds: f64) {
        self.phases.push(Phase { name, seconds });
    }
}
