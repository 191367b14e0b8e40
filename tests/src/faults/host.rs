//! Faults of the host: what its kernel refuses, and a simulator in another process that is killed.

use super::Seen;
use super::kinds::kind;
use super::world::World;
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use spandrel_abi::{BAR0_BYTES, PCI_DEVICE, PCI_VENDOR};
use spandrel_driver::{
    DriverError, OpenError, PciAddress, SysfsTransport, System, Transport, TransportError, VfioTransport,
    VfioUser,
};
use spandrel_hdl::profile::Profile;
use spandrel_sim::memory::GuestMemory;
use spandrel_sim::server::Server;
use spandrel_sim::{PcieSim, SimControl, SimOptions};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where the card of a made-up system is; no machine has so many buses.
const ADDRESS: &str = "ffff:fe:1f.0";
/// A user without rights.
const NOBODY: u32 = 65_534;
/// More buffers of a hugepage each than any machine of a test has.
const MOST_BUFFERS: usize = 1 << 16;
/// A killed server must be noticed within this, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A card as the files of a system show it: nothing behind its registers.
struct Tree {
    root: TempDir,
    address: PciAddress,
}

impl Tree {
    fn new() -> Result<Tree, String> {
        let address = ADDRESS.parse().map_err(text)?;
        let tree = Tree { root: tempfile::tempdir().map_err(text)?, address };
        // The lock of the card is made here, also by who has no rights.
        fs::set_permissions(tree.root.path(), Permissions::from_mode(0o777)).map_err(text)?;
        let device = tree.device();
        fs::create_dir_all(&device).map_err(text)?;
        let put = |name: &str, bytes: &[u8]| fs::write(device.join(name), bytes).map_err(text);
        put("vendor", format!("{PCI_VENDOR:#06x}\n").as_bytes())?;
        put("device", format!("{PCI_DEVICE:#06x}\n").as_bytes())?;
        put("enable", b"0")?;
        put("reset", b"0")?;
        put("config", &[0; 4096])?;
        put("resource0", &vec![0; BAR0_BYTES as usize])?;
        Ok(tree)
    }

    fn device(&self) -> PathBuf {
        self.root.path().join("sys/bus/pci/devices").join(ADDRESS)
    }

    fn system(&self) -> System {
        System::at(self.root.path())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Something that could not be had; a card in simulation must be as usable as before.
fn refused(kind: String, message: String, after: Duration, as_expected: bool) -> Result<Seen, String> {
    let recovered = World::new()?.is_exact();
    Ok(Seen { detected_as: kind, message: Some(message), after: Some(after), as_expected, recovered })
}

/// Memory for a card without an IOMMU comes from hugepages, of which there are few, or none.
pub(super) fn hugepages_run_out() -> Result<Seen, String> {
    let tree = Tree::new()?;
    let mut transport = SysfsTransport::open(&tree.system(), tree.address).map_err(text)?;
    let mut held = Vec::new();
    loop {
        let before = Instant::now();
        match transport.allocate(1 << 21) {
            Ok(buffer) if held.len() < MOST_BUFFERS => held.push(buffer),
            Ok(_) => return Err("hugepages do not run out on this machine".to_owned()),
            Err(error) => {
                let after = before.elapsed();
                // What was held is given back and can be had again, as far as it went before.
                let count = held.len();
                held.clear();
                let again = (0..count).map_while(|_| transport.allocate(1 << 21).ok()).collect::<Vec<_>>();
                let expected = matches!(error, TransportError::Allocation { .. })
                    && error.to_string().contains("hugepages")
                    && again.len() == count;
                let message = error.to_string();
                return refused(kind(&DriverError::Transport(error)), message, after, expected);
            }
        }
    }
}

/// The user may not open the files of VFIO.
pub(super) fn permission_denied() -> Result<Seen, String> {
    let tree = Tree::new()?;
    symlink("../../../bus/pci/drivers/vfio-pci", tree.device().join("driver")).map_err(text)?;
    symlink("../../../kernel/iommu_groups/7", tree.device().join("iommu_group")).map_err(text)?;
    let files = tree.root.path().join("dev/vfio");
    fs::create_dir_all(&files).map_err(text)?;
    for name in ["vfio", "7"] {
        fs::write(files.join(name), "").map_err(text)?;
        fs::set_permissions(files.join(name), Permissions::from_mode(0o000)).map_err(text)?;
    }
    let (system, address) = (tree.system(), tree.address);
    let opened = std::thread::spawn(move || {
        // Only this thread, and only for files: root may open everything. Without root these do nothing.
        setfsgid(Gid::from_raw(NOBODY));
        setfsuid(Uid::from_raw(NOBODY));
        let before = Instant::now();
        (VfioTransport::open(&system, address).map(drop), before.elapsed())
    });
    match opened.join() {
        Ok((Err(error), after)) => {
            let expected = matches!(error, OpenError::PermissionDenied { .. });
            let kind = if expected { "permission denied".to_owned() } else { format!("{error:?}") };
            refused(kind, error.to_string(), after, expected)
        }
        Ok((Ok(()), _)) => Err("a card was opened without permission".to_owned()),
        Err(_) => Err("the thread without rights ended early".to_owned()),
    }
}

/// A simulator in a process of its own.
struct Served(Child);

impl Served {
    fn start(program: &Path, socket: &Path) -> Result<Served, String> {
        let mut child = Command::new(program)
            .arg("--serve")
            .arg(socket)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let output = child.stdout.take();
        let served = Served(child);
        let mut line = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut line).map_err(text)?;
        }
        if line.is_empty() { Err("the server does not start".to_owned()) } else { Ok(served) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves the simulated card at a socket, and says so on standard output: what `--serve` does.
///
/// # Errors
/// A sentence.
pub fn serve(socket: &Path) -> Result<(), String> {
    let profile = Profile::load("sim-pcie").map_err(text)?;
    let memory = GuestMemory::new();
    let card = PcieSim::new(&profile, &SimOptions::default(), memory.clone()).map_err(text)?;
    let mut server = Server::bind(socket, card, memory).map_err(text)?;
    println!("serving");
    server.run(false).map_err(text)
}

/// The process that simulates the card is killed in the middle of a job; the next one takes its place.
pub(super) fn server_killed(program: &Path) -> Result<Seen, String> {
    let folder = tempfile::tempdir().map_err(text)?;
    let socket = folder.path().join("card");
    let connect = || -> Result<World, String> {
        let transport = VfioUser::connect(&socket).map_err(text)?;
        World::over(Box::new(transport), SimControl::default())
    };
    let served = Served::start(program, &socket)?;
    let mut world = connect()?;
    let (job, expected) = world.submit().map_err(text)?;
    let before = Instant::now();
    drop(served);
    let result = world.wait(job, expected);
    let after = before.elapsed();
    drop(world);
    let _next = Served::start(program, &socket)?;
    let recovered = connect()?.is_exact();
    let Err(error) = result else { return Err("a killed simulator has finished a job".to_owned()) };
    Ok(Seen {
        detected_as: kind(&error),
        as_expected: matches!(error, DriverError::Transport(_)) && after < PATIENCE,
        message: Some(error.to_string()),
        after: Some(after),
        recovered,
    })
}
