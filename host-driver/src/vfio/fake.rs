//! A kernel in software: containers, groups, a device and an IOMMU, with the rules of the real one, and a record of what
//! became of each. Its files are files indeed, so that what is left open can be found among the process's descriptors.

use super::kernel::{Iommu, Kernel, Region};
use crate::address::PciAddress;
use crate::config::{COMMAND, COMMAND_BUS_MASTER};
use crate::system::System;
use nix::errno::Errno;
use spandrel_abi::{BAR0_BYTES, PCI_DEVICE, PCI_VENDOR};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use tempfile::TempDir;
use vfio_bindings::bindings::vfio::*;

pub(super) const ADDRESS: PciAddress = PciAddress { domain: 0, bus: 0x3b, device: 0, function: 0 };
pub(super) const GROUP: &str = "7";
/// Where the configuration space begins in the device's file.
const CONFIG_OFFSET: u64 = 0x10000;
/// What the IOMMU translates: with holes, and around the window of interrupts.
pub(super) const VALID: [Range<u64>; 3] = [0..0x40_0000, 0xf000_0000..0x1_0000_0000, 0x2_0000_0000..1 << 39];

/// A call of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Call {
    OpenContainer,
    OpenGroup,
    ApiVersion,
    HasExtension,
    GroupFlags,
    SetContainer,
    UnsetContainer,
    SetIommu,
    Iommu,
    Map,
    Unmap,
    Device,
    DeviceFlags,
    Region,
    Vectors,
    SetInterrupts,
    Reset,
}

/// What the kernel answers otherwise than usual.
#[derive(Debug)]
pub(super) struct Behaviour {
    /// The call that fails, the how-many-th of them, and how.
    pub(super) fails: Option<(Call, u32, Errno)>,
    pub(super) api_version: u32,
    pub(super) has_iommu: bool,
    pub(super) viable: bool,
    pub(super) can_reset: bool,
    pub(super) vectors: u32,
    pub(super) bar_bytes: u64,
    pub(super) mappable: Vec<Range<u64>>,
    /// Bytes that may be pinned.
    pub(super) lockable: u64,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            fails: None,
            api_version: VFIO_API_VERSION,
            has_iommu: true,
            viable: true,
            can_reset: true,
            vectors: 2,
            bar_bytes: BAR0_BYTES.into(),
            // All but the page of the MSI-X table, as older kernels have it.
            mappable: vec![0..0x2000, 0x3000..0x4000],
            lockable: u64::MAX,
        }
    }
}

#[derive(Default)]
struct State {
    behaviour: Behaviour,
    calls: HashMap<Call, u32>,
    /// Every file that was given out, by device and inode.
    files: Vec<(u64, u64)>,
    group_in_container: bool,
    iommu_set: bool,
    device: Option<File>,
    events: Vec<OwnedFd>,
    /// Mappings: bytes and address in the process by I/O address.
    mapped: BTreeMap<u64, (u64, u64)>,
    maps: u64,
    unmaps: u64,
    log: Vec<&'static str>,
    broken_rules: Vec<String>,
}

/// The kernel, and a tree of its files.
pub(super) struct Fake {
    pub(super) system: System,
    pub(super) root: TempDir,
    state: Mutex<State>,
}

impl Fake {
    pub(super) fn new(behaviour: Behaviour) -> Fake {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join(format!("sys/bus/pci/devices/{ADDRESS}"));
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("vendor"), format!("{PCI_VENDOR:#06x}\n")).expect("written");
        fs::write(folder.join("device"), format!("{PCI_DEVICE:#06x}\n")).expect("written");
        symlink("../../../drivers/vfio-pci", folder.join("driver")).expect("linked");
        symlink(format!("../../../kernel/iommu_groups/{GROUP}"), folder.join("iommu_group")).expect("linked");
        Fake {
            system: System::at(root.path()),
            root,
            state: Mutex::new(State { behaviour, ..State::default() }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    /// Counts a call and fails it if it is the one to fail.
    fn call(&self, call: Call) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let count = state.calls.entry(call).or_default();
        *count += 1;
        let count = *count;
        match state.behaviour.fails {
            Some((which, number, errno)) if which == call && number == count => Err(errno.into()),
            _ => Ok(state),
        }
    }

    pub(super) fn count(&self, call: Call) -> u32 {
        self.state().calls.get(&call).copied().unwrap_or(0)
    }

    pub(super) fn log(&self) -> Vec<&'static str> {
        self.state().log.clone()
    }

    pub(super) fn mapped(&self) -> Vec<Range<u64>> {
        self.state().mapped.iter().map(|(iova, (bytes, _))| *iova..iova + bytes).collect()
    }

    /// Bytes of the device's file, as the card has them.
    pub(super) fn card_bytes(&self, at: u64, into: &mut [u8]) {
        self.state().device.as_ref().expect("opened once").read_exact_at(into, at).expect("inside");
    }

    pub(super) fn put_card_bytes(&self, at: u64, bytes: &[u8]) {
        self.state().device.as_ref().expect("opened once").write_all_at(bytes, at).expect("inside");
    }

    pub(super) fn raise(&self, vector: usize) {
        let state = self.state();
        nix::unistd::write(&state.events[vector], &1u64.to_ne_bytes()).expect("an event");
    }

    pub(super) fn bus_master(&self) -> bool {
        bus_master(&self.state())
    }

    /// What is not as it should be once everything of the card has been dropped. Asked again, it tells of what came since.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut state = self.state();
        let mut problems = std::mem::take(&mut state.broken_rules);
        let own = state.device.take();
        drop(own);
        for file in std::mem::take(&mut state.files) {
            match open_count(file) {
                0 => {}
                count => problems.push(format!("file {file:?} is open {count} times")),
            }
        }
        if !state.mapped.is_empty() {
            problems.push(format!("mapped still: {:x?}", state.mapped));
        }
        if state.maps != state.unmaps {
            problems.push(format!("{} maps, {} unmaps", state.maps, state.unmaps));
        }
        if !state.events.is_empty() {
            problems.push("interrupts are on".into());
        }
        state.log.clear();
        problems
    }

    fn give(&self, state: &mut State, bytes: u64) -> File {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(bytes).expect("a size");
        let metadata = file.metadata().expect("an open file");
        state.files.push((metadata.dev(), metadata.ino()));
        file
    }
}

fn bus_master(state: &State) -> bool {
    let Some(device) = &state.device else { return false };
    let mut command = [0; 2];
    device.read_exact_at(&mut command, CONFIG_OFFSET + u64::from(COMMAND)).expect("inside");
    u32::from(u16::from_le_bytes(command)) & COMMAND_BUS_MASTER != 0
}

/// How many descriptors of this process are of the file.
fn open_count(file: (u64, u64)) -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").expect("there").flatten();
    let files = descriptors.filter_map(|descriptor| fs::metadata(descriptor.path()).ok());
    files.filter(|metadata| (metadata.dev(), metadata.ino()) == file).count()
}

/// Whether all of a range is mapped in this process.
fn in_this_process(address: u64, bytes: u64) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").expect("there");
    let mut next = address;
    for line in maps.lines() {
        let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-')).expect("a range");
        let [start, end] = [range.0, range.1].map(|text| u64::from_str_radix(text, 16).expect("a number"));
        if (start..end).contains(&next) {
            next = end;
        }
    }
    next >= address + bytes
}

fn errno<T>(errno: Errno) -> io::Result<T> {
    Err(errno.into())
}

impl Kernel for Fake {
    fn open(&self, path: &Path) -> io::Result<File> {
        let call = if path.ends_with("dev/vfio/vfio") { Call::OpenContainer } else { Call::OpenGroup };
        assert!(path.starts_with(self.root.path()));
        let mut state = self.call(call)?;
        if call == Call::OpenGroup && !path.ends_with(format!("dev/vfio/{GROUP}")) {
            return errno(Errno::ENOENT);
        }
        Ok(self.give(&mut state, 0))
    }

    fn api_version(&self, _: &File) -> io::Result<u32> {
        Ok(self.call(Call::ApiVersion)?.behaviour.api_version)
    }

    fn has_extension(&self, _: &File, extension: u32) -> io::Result<bool> {
        Ok(self.call(Call::HasExtension)?.behaviour.has_iommu && extension == VFIO_TYPE1v2_IOMMU)
    }

    fn group_flags(&self, _: &File) -> io::Result<u32> {
        let state = self.call(Call::GroupFlags)?;
        let viable = if state.behaviour.viable { VFIO_GROUP_FLAGS_VIABLE } else { 0 };
        Ok(viable | if state.group_in_container { VFIO_GROUP_FLAGS_CONTAINER_SET } else { 0 })
    }

    fn set_container(&self, _: &File, _: &File) -> io::Result<()> {
        let mut state = self.call(Call::SetContainer)?;
        if state.group_in_container {
            return errno(Errno::EBUSY);
        }
        state.group_in_container = true;
        Ok(())
    }

    fn unset_container(&self, _: &File) -> io::Result<()> {
        let mut state = self.call(Call::UnsetContainer)?;
        state.log.push("group out of container");
        let device_open = state.device.as_ref().is_some_and(|device| {
            let metadata = device.metadata().expect("an open file");
            open_count((metadata.dev(), metadata.ino())) > 1
        });
        if device_open || !state.group_in_container {
            state.broken_rules.push("the group was taken out of its container with its device open".into());
            return errno(Errno::EBUSY);
        }
        state.group_in_container = false;
        state.iommu_set = false;
        Ok(())
    }

    fn set_iommu(&self, _: &File, kind: u32) -> io::Result<()> {
        let mut state = self.call(Call::SetIommu)?;
        if !state.group_in_container || kind != VFIO_TYPE1v2_IOMMU {
            return errno(Errno::EINVAL);
        }
        state.iommu_set = true;
        Ok(())
    }

    fn iommu(&self, _: &File) -> io::Result<Iommu> {
        let state = self.call(Call::Iommu)?;
        if !state.iommu_set {
            return errno(Errno::EINVAL);
        }
        Ok(Iommu { page_sizes: 0x4020_1000, ranges: VALID.to_vec(), mappings_left: Some(65535) })
    }

    unsafe fn map_dma(&self, _: &File, address: u64, iova: u64, bytes: u64) -> io::Result<()> {
        let mut state = self.call(Call::Map)?;
        let inside = VALID.iter().any(|range| range.start <= iova && iova + bytes <= range.end);
        let interrupts = iova < 0xfef0_0000 && iova + bytes > 0xfee0_0000;
        let aligned = [address, iova, bytes].iter().all(|number| number.is_multiple_of(4096));
        if !state.iommu_set || !inside || interrupts || !aligned || bytes == 0 {
            state.broken_rules.push(format!("{bytes} bytes mapped at {iova:#x}"));
            return errno(Errno::EINVAL);
        }
        let overlaps = state.mapped.range(..iova + bytes).next_back();
        if overlaps.is_some_and(|(other, (length, _))| other + length > iova) {
            state.broken_rules.push(format!("{iova:#x} mapped twice"));
            return errno(Errno::EEXIST);
        }
        if !in_this_process(address, bytes) {
            state.broken_rules.push("memory was mapped that is not this process's".into());
            return errno(Errno::EFAULT);
        }
        if state.mapped.values().map(|(bytes, _)| bytes).sum::<u64>() + bytes > state.behaviour.lockable {
            return errno(Errno::ENOMEM);
        }
        state.mapped.insert(iova, (bytes, address));
        state.maps += 1;
        Ok(())
    }

    fn unmap_dma(&self, _: &File, iova: u64, bytes: u64) -> io::Result<u64> {
        let mut state = self.call(Call::Unmap)?;
        match state.mapped.remove(&iova) {
            Some((mapped, address)) if mapped == bytes => {
                state.unmaps += 1;
                state.log.push("unmapped");
                if !in_this_process(address, bytes) {
                    state.broken_rules.push("memory was given back before it was unmapped".into());
                }
                Ok(bytes)
            }
            other => {
                state
                    .broken_rules
                    .push(format!("{bytes} bytes at {iova:#x} unmapped where {other:x?} was mapped"));
                Ok(0)
            }
        }
    }

    fn device(&self, _: &File, address: &str) -> io::Result<File> {
        let mut state = self.call(Call::Device)?;
        if !state.iommu_set {
            return errno(Errno::EINVAL);
        }
        if address != ADDRESS.to_string() {
            return errno(Errno::ENODEV);
        }
        let file = self.give(&mut state, CONFIG_OFFSET + 4096);
        state.device = Some(file.try_clone()?);
        Ok(file)
    }

    fn device_flags(&self, _: &File) -> io::Result<u32> {
        let state = self.call(Call::DeviceFlags)?;
        Ok(VFIO_DEVICE_FLAGS_PCI | if state.behaviour.can_reset { VFIO_DEVICE_FLAGS_RESET } else { 0 })
    }

    fn region(&self, _: &File, index: u32) -> io::Result<Region> {
        let state = self.call(Call::Region)?;
        Ok(match index {
            VFIO_PCI_BAR0_REGION_INDEX => Region {
                bytes: state.behaviour.bar_bytes,
                offset: 0,
                mappable: state.behaviour.mappable.clone(),
            },
            VFIO_PCI_CONFIG_REGION_INDEX => {
                Region { bytes: 4096, offset: CONFIG_OFFSET, mappable: Vec::new() }
            }
            _ => Region::default(),
        })
    }

    fn vectors(&self, _: &File, index: u32) -> io::Result<u32> {
        let state = self.call(Call::Vectors)?;
        Ok(if index == VFIO_PCI_MSIX_IRQ_INDEX { state.behaviour.vectors } else { 0 })
    }

    fn set_interrupts(&self, _: &File, index: u32, events: &[BorrowedFd<'_>]) -> io::Result<()> {
        // Switching off is counted, but never fails: the real one does not.
        let mut state = match self.call(Call::SetInterrupts) {
            Ok(state) => state,
            Err(error) if !events.is_empty() => return Err(error),
            Err(_) => self.state(),
        };
        assert_eq!(index, VFIO_PCI_MSIX_IRQ_INDEX);
        state.log.push(if events.is_empty() { "interrupts off" } else { "interrupts on" });
        if events.is_empty() && bus_master(&state) {
            state.broken_rules.push("interrupts went off while the card could still write".into());
        }
        state.events = events.iter().map(|event| event.try_clone_to_owned()).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn reset(&self, _: &File) -> io::Result<()> {
        let mut state = self.call(Call::Reset)?;
        state.log.push("reset");
        if bus_master(&state) {
            state.broken_rules.push("reset while the card could still write".into());
        }
        Ok(())
    }
}
