//! What the driver asks of Linux VFIO, call by call: one implementation makes the calls, another stands in for the
//! kernel in tests.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// A region of a device, as a part of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Region {
    /// Bytes; 0 where the device has no such region.
    pub(crate) bytes: u64,
    /// Where it begins in the device's file.
    pub(crate) offset: u64,
    /// Parts of the region, from its own beginning, that may be mapped.
    pub(crate) mappable: Vec<Range<u64>>,
}

/// What an IOMMU allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Iommu {
    /// Sizes of pages, a bit each; 0 where it does not say.
    pub(crate) page_sizes: u64,
    /// I/O addresses that can be mapped; none where it does not say.
    pub(crate) ranges: Vec<Range<u64>>,
    /// Mappings that can still be made, where it says so.
    pub(crate) mappings_left: Option<u32>,
}

/// The calls. Files stand for container, group and device as in the kernel's documentation.
pub(crate) trait Kernel: Send + Sync {
    /// Opens a file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<File>;
    /// VFIO_GET_API_VERSION.
    fn api_version(&self, container: &File) -> io::Result<u32>;
    /// VFIO_CHECK_EXTENSION.
    fn has_extension(&self, container: &File, extension: u32) -> io::Result<bool>;
    /// VFIO_GROUP_GET_STATUS: its flags.
    fn group_flags(&self, group: &File) -> io::Result<u32>;
    /// VFIO_GROUP_SET_CONTAINER.
    fn set_container(&self, group: &File, container: &File) -> io::Result<()>;
    /// VFIO_GROUP_UNSET_CONTAINER.
    fn unset_container(&self, group: &File) -> io::Result<()>;
    /// VFIO_SET_IOMMU.
    fn set_iommu(&self, container: &File, kind: u32) -> io::Result<()>;
    /// VFIO_IOMMU_GET_INFO.
    fn iommu(&self, container: &File) -> io::Result<Iommu>;
    /// VFIO_IOMMU_MAP_DMA, readable and writable: `bytes` bytes of this process at `address` appear at `iova`.
    ///
    /// # Safety
    /// The memory must stay mapped in this process, and nothing in it may be referenced by Rust, until it is unmapped
    /// from the card.
    unsafe fn map_dma(&self, container: &File, address: u64, iova: u64, bytes: u64) -> io::Result<()>;
    /// VFIO_IOMMU_UNMAP_DMA: gives the bytes that were unmapped.
    fn unmap_dma(&self, container: &File, iova: u64, bytes: u64) -> io::Result<u64>;
    /// VFIO_GROUP_GET_DEVICE_FD.
    fn device(&self, group: &File, address: &str) -> io::Result<File>;
    /// VFIO_DEVICE_GET_INFO: its flags.
    fn device_flags(&self, device: &File) -> io::Result<u32>;
    /// VFIO_DEVICE_GET_REGION_INFO.
    fn region(&self, device: &File, index: u32) -> io::Result<Region>;
    /// VFIO_DEVICE_GET_IRQ_INFO: vectors of an interrupt kind.
    fn vectors(&self, device: &File, index: u32) -> io::Result<u32>;
    /// VFIO_DEVICE_SET_IRQS: vector n raises event n; without events, the kind is switched off.
    fn set_interrupts(&self, device: &File, index: u32, events: &[BorrowedFd<'_>]) -> io::Result<()>;
    /// VFIO_DEVICE_RESET.
    fn reset(&self, device: &File) -> io::Result<()>;
}
