//! A container with one card's group in it: the IOMMU's table of what the card may reach.

use super::kernel::Kernel;
use crate::address::PciAddress;
use crate::arena::Mapper;
use crate::discovery::{self, holder_of};
use crate::dma::{DMA_ALIGNMENT, DmaMemory};
use crate::lock::CardLock;
use crate::open_error::OpenError;
use crate::pages::{HUGEPAGE_BYTES, Pages, Supply};
use crate::ranges::Ranges;
use crate::system::System;
use crate::transport::TransportError;
use nix::errno::Errno;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use vfio_bindings::bindings::vfio::*;

/// Where messages of interrupts go on a PC: never memory.
const INTERRUPT_WINDOW: Range<u64> = 0xfee0_0000..0xfef0_0000;

/// The lowest addresses are left out, so that a wrong small address hits nothing.
const LOWEST_IOVA: u64 = 1 << 20;

/// What IOMMUs without a list of their addresses have at least.
const USUAL_IOVA: Range<u64> = 0..1 << 39;

/// Memory that small buffers share, at least, and the largest that does: two of these fill a hugepage.
const SHARED_BYTES: (usize, usize) = (256 << 10, 1 << 20);

/// Group and container of a card. Buffers hold on to it, so that each can still be unmapped when the card's device is
/// closed already.
pub(super) struct Container {
    kernel: Arc<dyn Kernel>,
    system: System,
    name: String,
    iova: Mutex<Ranges>,
    alignment: u64,
    told_of_small_pages: AtomicBool,
    // Dropped in this order: the group leaves its container first (see `drop`); the lock goes last, when the next process
    // will find the group free.
    group: File,
    container: File,
    _lock: CardLock,
}

impl Container {
    /// Takes the card's lock, opens container and group, puts the one into the other, and gives the card's device too.
    pub(super) fn open(
        kernel: Arc<dyn Kernel>,
        system: &System,
        address: PciAddress,
        group_name: &str,
        lock: CardLock,
    ) -> Result<(Arc<Container>, File), OpenError> {
        let io = |action: &str, source: io::Error| OpenError::Io {
            action: format!("{action} of card {address}"),
            source,
        };
        let busy = |path: &Path| OpenError::InUse { card: address.to_string(), pid: holder_of(system, path) };

        let path = system.path("dev/vfio/vfio");
        let container = kernel.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::NoVfio { path: path.clone() },
            io::ErrorKind::PermissionDenied => {
                OpenError::PermissionDenied { path: path.clone(), subsystem: "misc" }
            }
            _ => io("opening the VFIO container", error),
        })?;
        let found =
            kernel.api_version(&container).map_err(|error| io("asking for the version of VFIO", error))?;
        if found != VFIO_API_VERSION {
            return Err(OpenError::ApiVersion { found });
        }
        let has = kernel.has_extension(&container, VFIO_TYPE1v2_IOMMU);
        if !has.map_err(|error| io("asking for the kind of IOMMU", error))? {
            return Err(OpenError::NoIommu);
        }

        let path = system.path("dev/vfio").join(group_name);
        let group =
            kernel.open(&path).map_err(|error| match Errno::from_raw(error.raw_os_error().unwrap_or(0)) {
                Errno::ENOENT => discovery::not_bound(system, address),
                Errno::EACCES | Errno::EPERM => {
                    OpenError::PermissionDenied { path: path.clone(), subsystem: "vfio" }
                }
                Errno::EBUSY => busy(&path),
                _ => io("opening the IOMMU group", error),
            })?;
        let flags = kernel
            .group_flags(&group)
            .map_err(|error| io("asking for the state of the IOMMU group", error))?;
        if flags & VFIO_GROUP_FLAGS_VIABLE == 0 {
            let others = discovery::in_the_way(system, address, group_name);
            return Err(OpenError::GroupNotViable { address, group: group_name.to_owned(), others });
        }
        if flags & VFIO_GROUP_FLAGS_CONTAINER_SET != 0 {
            return Err(busy(&path));
        }
        kernel.set_container(&group, &container).map_err(|error| match error.raw_os_error() {
            Some(code) if code == Errno::EBUSY as i32 => busy(&path),
            _ => io("putting the IOMMU group into its container", error),
        })?;
        // From here on, an error takes the group out of its container again.
        let mut opened = Container {
            name: address.to_string(),
            kernel,
            system: system.clone(),
            iova: Mutex::default(),
            alignment: DMA_ALIGNMENT as u64,
            told_of_small_pages: AtomicBool::new(false),
            group,
            container,
            _lock: lock,
        };
        let kernel = &opened.kernel;
        kernel.set_iommu(&opened.container, VFIO_TYPE1v2_IOMMU).map_err(|error| match error.raw_os_error() {
            Some(code) if code == Errno::EPERM as i32 => OpenError::Io {
                action: format!(
                    "setting the IOMMU of card {address} (where `dmesg` says \"No interrupt remapping\", switch it on in \
                     the firmware)"
                ),
                source: error,
            },
            _ => io("setting the IOMMU", error),
        })?;
        let iommu =
            kernel.iommu(&opened.container).map_err(|error| io("asking what the IOMMU allows", error))?;
        let ranges = if iommu.ranges.is_empty() { vec![USUAL_IOVA] } else { iommu.ranges };
        let device =
            kernel.device(&opened.group, &address.to_string()).map_err(|error| {
                match Errno::from_raw(error.raw_os_error().unwrap_or(0)) {
                    Errno::ENODEV => discovery::not_bound(system, address),
                    Errno::EBUSY => busy(&path),
                    _ => io("opening the device", error),
                }
            })?;
        opened.iova = Mutex::new(Ranges::new(ranges).without(INTERRUPT_WINDOW).without(0..LOWEST_IOVA));
        let smallest_page = 1u64.checked_shl(iommu.page_sizes.trailing_zeros()).unwrap_or(1);
        opened.alignment = smallest_page.max(DMA_ALIGNMENT as u64);
        Ok((Arc::new(opened), device))
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, Ranges> {
        self.iova.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hugepages, or ordinary ones where there are none.
    fn pages(&self, bytes: usize) -> Result<Pages, TransportError> {
        let huge = match Pages::huge(bytes) {
            Ok(pages) => return Ok(pages),
            Err(error) => error,
        };
        if !self.told_of_small_pages.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                card = %self.name, reason = %huge,
                "no hugepages: using ordinary pages, which take long to map; `sysctl vm.nr_hugepages=64` makes some"
            );
        }
        // They need no lock of their own: mapping them for the card pins them, and counts against the same limit.
        Pages::normal(bytes)
            .map_err(|error| Supply::of(&self.system).error(bytes, &format!("there is no memory ({error})")))
    }
}

impl Mapper for Container {
    fn map(&self, bytes: usize) -> Result<(Pages, u64), TransportError> {
        let pages = self.pages(bytes.next_multiple_of(self.alignment as usize))?;
        let length = pages.len() as u64;
        let huge = length.is_multiple_of(HUGEPAGE_BYTES as u64);
        let alignment = if huge { HUGEPAGE_BYTES as u64 } else { 0 }.max(self.alignment);
        let Some(iova) = self.addresses().allocate(length, alignment) else {
            let reason =
                "the addresses that the IOMMU translates are used up: drop other buffers first".into();
            return Err(TransportError::Allocation { bytes, reason });
        };
        let address = pages.base().as_ptr() as u64;
        // SAFETY: the pages are owned by whoever holds them, who unmaps them from the card before they are unmapped from
        // this process (`Arena`'s slabs do); they are accessed only by volatile copies.
        let mapped = unsafe { self.kernel.map_dma(&self.container, address, iova, length) };
        let Err(error) = mapped else { return Ok((pages, iova)) };
        self.addresses().release(iova..iova + length);
        Err(match Errno::from_raw(error.raw_os_error().unwrap_or(0)) {
            Errno::ENOMEM | Errno::EPERM => Supply::of(&self.system).error(
                bytes,
                &format!("the kernel does not pin the memory for card {} ({error})", self.name),
            ),
            Errno::ENOSPC => TransportError::Allocation {
                bytes,
                reason: "the IOMMU's mappings are used up: drop other buffers, or raise \
                         /sys/module/vfio_iommu_type1/parameters/dma_entry_limit"
                    .into(),
            },
            _ => TransportError::Io {
                action: format!("mapping {length} bytes at I/O address {iova:#x} for card {}", self.name),
                source: error,
            },
        })
    }

    fn unmap(&self, iova: u64, bytes: usize) -> bool {
        let unmapped = self.kernel.unmap_dma(&self.container, iova, bytes as u64);
        let whole = unmapped.as_ref().is_ok_and(|unmapped| *unmapped == bytes as u64);
        if whole {
            self.addresses().release(iova..iova + bytes as u64);
        } else {
            tracing::error!(card = %self.name, iova, bytes, ?unmapped, "the IOMMU still maps a buffer");
        }
        whole
    }

    fn shared_bytes(&self) -> (usize, usize) {
        SHARED_BYTES
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // By now every buffer is unmapped and the device is closed, else the kernel refuses; closing does the same.
        if let Err(error) = self.kernel.unset_container(&self.group) {
            tracing::warn!(card = %self.name, %error, "the IOMMU group could not be taken out of its container");
        }
    }
}
