use super::*;
use crate::dma::DmaMemory;
use crate::pages::Pages;
use spandrel_abi::{PCI_DEVICE, PCI_VENDOR};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const ADDRESS: PciAddress = PciAddress { domain: 0, bus: 1, device: 0, function: 0 };

/// Ordinary pages at an address of their own.
struct Memory;

impl Mapper for Memory {
    fn map(&self, bytes: usize) -> Result<(Pages, u64), TransportError> {
        let pages = Pages::normal(bytes).expect("memory");
        let address = pages.base().as_ptr() as u64;
        Ok((pages, address))
    }

    fn unmap(&self, _: u64, _: usize) -> bool {
        true
    }

    fn shared_bytes(&self) -> (usize, usize) {
        (1 << 16, 1 << 14)
    }
}

/// The files of a card that no driver has.
fn tree() -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join(format!("sys/bus/pci/devices/{ADDRESS}"));
    fs::create_dir_all(&folder).expect("made");
    for (name, bytes) in [
        ("vendor", format!("{PCI_VENDOR:#06x}\n").into_bytes()),
        ("device", format!("{PCI_DEVICE:#06x}\n").into_bytes()),
        ("enable", b"0".to_vec()),
        ("reset", b"-".to_vec()),
        ("config", vec![0; 4096]),
        ("resource0", vec![0; 16384]),
    ] {
        fs::write(folder.join(name), bytes).expect("written");
    }
    (root, folder)
}

fn open(root: &TempDir) -> Result<SysfsTransport, OpenError> {
    let lock = CardLock::acquire_in(root.path(), &ADDRESS.to_string())?;
    SysfsTransport::open_with(&System::at(root.path()), ADDRESS, lock, Arc::new(Memory))
}

#[test]
fn a_card_is_reset_before_it_may_write_and_silenced_afterwards() {
    let (root, folder) = tree();
    let text = |name: &str| fs::read_to_string(folder.join(name)).expect("there");
    let command = || fs::read(folder.join("config")).expect("there")[4];
    fs::write(folder.join("config"), [0xffu8; 4096]).expect("left by somebody");
    let transport = open(&root).expect("a good card");
    assert_eq!((text("enable"), text("reset")), ("1".into(), "1".into()));
    assert_eq!(command() & 6, 6, "registers and memory");
    fs::write(folder.join("reset"), "-").expect("written");
    drop(transport);
    assert_eq!((text("enable"), text("reset")), ("0".into(), "1".into()));
    assert_eq!(command() & 4, 0, "bus mastering is off");
    open(&root).map(drop).expect("again");
}

#[test]
fn a_card_with_a_driver_is_refused() {
    let (root, folder) = tree();
    std::os::unix::fs::symlink("../../drivers/vfio-pci", folder.join("driver")).expect("linked");
    let error = open(&root).map(drop).expect_err("bound");
    assert!(matches!(&error, OpenError::Bound { driver, .. } if driver == "vfio-pci"));
    assert!(error.to_string().contains("spandrel card unbind 0000:01:00.0"), "{error}");
    assert_eq!(fs::read_to_string(folder.join("enable")).expect("there"), "0", "left alone");
}

#[test]
fn a_card_that_cannot_be_reset_is_refused() {
    let (root, folder) = tree();
    fs::remove_file(folder.join("reset")).expect("removed");
    let error = open(&root).map(drop).expect_err("no reset");
    assert!(error.to_string().contains("power-cycle"), "{error}");
    assert_eq!(fs::read(folder.join("config")).expect("there")[4] & 4, 0, "never let at memory");
}

#[test]
fn short_registers_are_refused() {
    let (root, folder) = tree();
    fs::write(folder.join("resource0"), [0; 2048]).expect("written");
    assert!(matches!(open(&root).map(drop), Err(OpenError::Incomplete { .. })));
}

#[test]
fn causes_are_polled_until_the_time_is_over() {
    let (root, _folder) = tree();
    let mut transport = open(&root).expect("a good card");
    let word = |register: Register| u64::from(register.offset);
    let soon = Duration::from_millis(5);
    let started = Instant::now();
    assert!(!transport.wait_interrupt(0, soon).expect("waits"));
    assert!(started.elapsed() >= soon);
    transport.write_bar(word(INTERRUPT_STATUS), AccessWidth::Word, 1).expect("inside");
    assert!(!transport.wait_interrupt(0, Duration::ZERO).expect("not enabled"));
    transport.write_bar(word(INTERRUPT_ENABLE), AccessWidth::Word, 3).expect("inside");
    assert!(transport.wait_interrupt(0, soon).expect("raised"));
    assert!(!transport.wait_interrupt(1, Duration::ZERO).expect("another cause"));
    assert!(transport.wait_interrupt(2, soon).is_err());
    assert!(matches!(
        transport.read_bar(16384, AccessWidth::Byte),
        Err(TransportError::BadAccess { bar_bytes: 16384, .. })
    ));
    assert_eq!(transport.largest_buffer(), Some(2 << 20));
}

#[test]
fn cutting_off_is_believed_only_where_the_card_shows_it() {
    let (root, folder) = tree();
    let mut transport = open(&root).expect("a good card");
    transport.cut_off().expect("a file keeps what is written");
    assert_eq!(fs::read(folder.join("config")).expect("there")[4] & 4, 0);
    // A card that is gone: reads give all ones, here because the file does not take writes any more.
    fs::write(folder.join("config"), [0xffu8; 4096]).expect("written");
    transport.config = File::open(folder.join("config")).expect("read only");
    assert!(transport.cut_off().is_err());
}

/// What an earlier user left running must not reach memory while it is being reset.
#[test]
fn a_card_that_was_left_running_is_silenced_before_its_reset() {
    let (root, folder) = tree();
    let config = folder.join("config");
    fs::write(&config, [0xffu8; 4096]).expect("left by somebody");
    fs::remove_file(folder.join("reset")).expect("removed");
    // A pipe: whoever writes a reset waits here until somebody reads it.
    nix::unistd::mkfifo(&folder.join("reset"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let reset = folder.join("reset");
    let pipe = reset.clone();
    let silenced = std::thread::spawn(move || {
        let silent = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            fs::read(&config).expect("there")[4] & 4 == 0
        });
        fs::read_to_string(pipe).expect("a pipe");
        silent
    });
    let transport = open(&root).expect("a good card");
    let silenced = silenced.join().expect("no panic");
    // Closing resets too; nobody reads the pipe any more.
    fs::remove_file(&reset).expect("removed");
    fs::write(&reset, "-").expect("written");
    drop(transport);
    assert!(silenced);
}
