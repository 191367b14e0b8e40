//! The calls of Linux VFIO.

use super::kernel::{Iommu, Kernel, Region};
use nix::{ioctl_none_bad, ioctl_readwrite_bad, ioctl_write_int_bad, ioctl_write_ptr_bad, request_code_none};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::raw::{c_char, c_int};
use std::path::Path;
use vfio_bindings::bindings::vfio::*;

/// Most interrupt vectors that are set at once.
pub(crate) const MAX_VECTORS: usize = 8;

/// Bytes for an answer with capabilities; kernels give less than a hundred.
const ANSWER_BYTES: usize = 4096;

const fn call(number: u32) -> u32 {
    VFIO_BASE + number
}

ioctl_none_bad!(get_api_version, request_code_none!(VFIO_TYPE, call(0)));
ioctl_write_int_bad!(check_extension, request_code_none!(VFIO_TYPE, call(1)));
ioctl_write_int_bad!(set_iommu, request_code_none!(VFIO_TYPE, call(2)));
ioctl_readwrite_bad!(group_get_status, request_code_none!(VFIO_TYPE, call(3)), vfio_group_status);
ioctl_write_ptr_bad!(group_set_container, request_code_none!(VFIO_TYPE, call(4)), c_int);
ioctl_none_bad!(group_unset_container, request_code_none!(VFIO_TYPE, call(5)));
ioctl_write_ptr_bad!(group_get_device_fd, request_code_none!(VFIO_TYPE, call(6)), c_char);
ioctl_readwrite_bad!(device_get_info, request_code_none!(VFIO_TYPE, call(7)), vfio_device_info);
ioctl_readwrite_bad!(device_get_region_info, request_code_none!(VFIO_TYPE, call(8)), vfio_region_info);
ioctl_readwrite_bad!(device_get_irq_info, request_code_none!(VFIO_TYPE, call(9)), vfio_irq_info);
ioctl_write_ptr_bad!(device_set_irqs, request_code_none!(VFIO_TYPE, call(10)), vfio_irq_set);
ioctl_none_bad!(device_reset, request_code_none!(VFIO_TYPE, call(11)));
ioctl_readwrite_bad!(iommu_get_info, request_code_none!(VFIO_TYPE, call(12)), vfio_iommu_type1_info);
ioctl_write_ptr_bad!(iommu_map_dma, request_code_none!(VFIO_TYPE, call(13)), vfio_iommu_type1_dma_map);
ioctl_readwrite_bad!(iommu_unmap_dma, request_code_none!(VFIO_TYPE, call(14)), vfio_iommu_type1_dma_unmap);

/// The kernel that runs this process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Linux;

/// Room for a struct of the kernel and the capabilities behind it, aligned as any of them.
#[repr(C, align(8))]
struct Answer([u8; ANSWER_BYTES]);

/// A call's struct with the descriptors of its events behind it.
#[repr(C)]
struct SetIrqs {
    header: vfio_irq_set,
    events: [c_int; MAX_VECTORS],
}

impl Kernel for Linux {
    fn open(&self, path: &Path) -> io::Result<File> {
        File::options().read(true).write(true).open(path)
    }

    fn api_version(&self, container: &File) -> io::Result<u32> {
        // SAFETY: takes no argument; the descriptor is open.
        Ok(unsafe { get_api_version(container.as_raw_fd()) }? as u32)
    }

    fn has_extension(&self, container: &File, extension: u32) -> io::Result<bool> {
        // SAFETY: takes a number; the descriptor is open.
        Ok(unsafe { check_extension(container.as_raw_fd(), extension as c_int) }? > 0)
    }

    fn group_flags(&self, group: &File) -> io::Result<u32> {
        let mut status = vfio_group_status { argsz: size_of::<vfio_group_status>() as u32, flags: 0 };
        // SAFETY: the struct is the call's, lives through it, and tells its own size.
        unsafe { group_get_status(group.as_raw_fd(), &mut status) }?;
        Ok(status.flags)
    }

    fn set_container(&self, group: &File, container: &File) -> io::Result<()> {
        // SAFETY: the call reads one descriptor number, which lives through it.
        unsafe { group_set_container(group.as_raw_fd(), &container.as_raw_fd()) }?;
        Ok(())
    }

    fn unset_container(&self, group: &File) -> io::Result<()> {
        // SAFETY: takes no argument; the descriptor is open.
        unsafe { group_unset_container(group.as_raw_fd()) }?;
        Ok(())
    }

    fn set_iommu(&self, container: &File, kind: u32) -> io::Result<()> {
        // SAFETY: takes a number; the descriptor is open.
        unsafe { set_iommu(container.as_raw_fd(), kind as c_int) }?;
        Ok(())
    }

    fn iommu(&self, container: &File) -> io::Result<Iommu> {
        let mut answer = Answer::new();
        // SAFETY: `Answer` is larger than the struct and aligned for it, all of its bytes are written, and `argsz` says
        // how many the kernel may use.
        unsafe { iommu_get_info(container.as_raw_fd(), answer.as_mut_ptr()) }?;
        let has = |flag| answer.u32_at(4) & flag != 0;
        let mut iommu = Iommu::default();
        if has(VFIO_IOMMU_INFO_PGSIZES) {
            iommu.page_sizes = answer.u64_at(8);
        }
        if has(VFIO_IOMMU_INFO_CAPS) {
            for (id, at) in answer.capabilities(answer.u32_at(16)) {
                match u32::from(id) {
                    VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE => {
                        // The kernel gives the last address of a range.
                        iommu.ranges =
                            answer.pairs(at).map(|(first, last)| first..last.saturating_add(1)).collect();
                    }
                    VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL => iommu.mappings_left = Some(answer.u32_at(at + 8)),
                    _ => {}
                }
            }
        }
        Ok(iommu)
    }

    unsafe fn map_dma(&self, container: &File, address: u64, iova: u64, bytes: u64) -> io::Result<()> {
        let map = vfio_iommu_type1_dma_map {
            argsz: size_of::<vfio_iommu_type1_dma_map>() as u32,
            flags: VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
            vaddr: address,
            iova,
            size: bytes,
        };
        // SAFETY: the struct lives through the call; the caller vouches for the memory it names.
        unsafe { iommu_map_dma(container.as_raw_fd(), &map) }?;
        Ok(())
    }

    fn unmap_dma(&self, container: &File, iova: u64, bytes: u64) -> io::Result<u64> {
        let mut unmap = vfio_iommu_type1_dma_unmap {
            argsz: size_of::<vfio_iommu_type1_dma_unmap>() as u32,
            iova,
            size: bytes,
            ..Default::default()
        };
        // SAFETY: the struct lives through the call and, without flags, nothing follows it.
        unsafe { iommu_unmap_dma(container.as_raw_fd(), &mut unmap) }?;
        Ok(unmap.size)
    }

    fn device(&self, group: &File, address: &str) -> io::Result<File> {
        let address = CString::new(address).map_err(io::Error::other)?;
        // SAFETY: the call reads a string that ends in zero and lives through it.
        let device = unsafe { group_get_device_fd(group.as_raw_fd(), address.as_ptr()) }?;
        // SAFETY: the kernel has just opened this descriptor for us, and nobody else knows it.
        Ok(unsafe { OwnedFd::from_raw_fd(device) }.into())
    }

    fn device_flags(&self, device: &File) -> io::Result<u32> {
        let mut info = vfio_device_info { argsz: size_of::<vfio_device_info>() as u32, ..Default::default() };
        // SAFETY: the struct is the call's, lives through it, and tells its own size.
        unsafe { device_get_info(device.as_raw_fd(), &mut info) }?;
        Ok(info.flags)
    }

    fn region(&self, device: &File, index: u32) -> io::Result<Region> {
        let mut answer = Answer::new();
        answer.put_u32(8, index);
        // SAFETY: `Answer` is larger than the struct and aligned for it, all of its bytes are written, and `argsz` says
        // how many the kernel may use.
        unsafe { device_get_region_info(device.as_raw_fd(), answer.as_mut_ptr()) }?;
        let (flags, bytes, offset) = (answer.u32_at(4), answer.u64_at(16), answer.u64_at(24));
        let mut mappable = Vec::new();
        if flags & VFIO_REGION_INFO_FLAG_MMAP != 0 {
            mappable.push(0..bytes);
            if flags & VFIO_REGION_INFO_FLAG_CAPS != 0 {
                let sparse = |(id, _): &(u16, usize)| u32::from(*id) == VFIO_REGION_INFO_CAP_SPARSE_MMAP;
                if let Some((_, at)) = answer.capabilities(answer.u32_at(12)).into_iter().find(sparse) {
                    let areas = answer.pairs(at).map(|(offset, size)| offset..offset.saturating_add(size));
                    mappable = areas.collect();
                }
            }
        }
        Ok(Region { bytes, offset, mappable })
    }

    fn vectors(&self, device: &File, index: u32) -> io::Result<u32> {
        let argsz = size_of::<vfio_irq_info>() as u32;
        let mut info = vfio_irq_info { argsz, index, ..Default::default() };
        // SAFETY: the struct is the call's, lives through it, and tells its own size.
        unsafe { device_get_irq_info(device.as_raw_fd(), &mut info) }?;
        Ok(if info.flags & VFIO_IRQ_INFO_EVENTFD != 0 { info.count } else { 0 })
    }

    fn set_interrupts(&self, device: &File, index: u32, events: &[BorrowedFd<'_>]) -> io::Result<()> {
        if events.len() > MAX_VECTORS {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let data = if events.is_empty() { VFIO_IRQ_SET_DATA_NONE } else { VFIO_IRQ_SET_DATA_EVENTFD };
        let header = vfio_irq_set {
            argsz: (size_of::<vfio_irq_set>() + size_of_val(events)) as u32,
            flags: data | VFIO_IRQ_SET_ACTION_TRIGGER,
            index,
            start: 0,
            count: events.len() as u32,
            ..Default::default()
        };
        let mut set = SetIrqs { header, events: [-1; MAX_VECTORS] };
        for (slot, event) in set.events.iter_mut().zip(events) {
            *slot = event.as_raw_fd();
        }
        // SAFETY: the pointer is to the whole of `set`, so that it covers the descriptors behind the header, as many as
        // `count` says; it lives through the call.
        unsafe { device_set_irqs(device.as_raw_fd(), (&raw const set).cast()) }?;
        Ok(())
    }

    fn reset(&self, device: &File) -> io::Result<()> {
        // SAFETY: takes no argument; the descriptor is open.
        unsafe { device_reset(device.as_raw_fd()) }?;
        Ok(())
    }
}

impl Answer {
    /// Zeros, but for the size of all, with which each of the kernel's structs begins.
    fn new() -> Answer {
        let mut answer = Answer([0; ANSWER_BYTES]);
        answer.put_u32(0, ANSWER_BYTES as u32);
        answer
    }

    /// All of it as a struct of the kernel.
    fn as_mut_ptr<T>(&mut self) -> *mut T {
        const { assert!(size_of::<T>() <= ANSWER_BYTES && align_of::<T>() <= align_of::<Answer>()) };
        (&raw mut self.0).cast()
    }

    fn put_u32(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }

    /// A word; zero beyond the end.
    fn u32_at(&self, at: usize) -> u32 {
        self.0.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    /// A double word; zero beyond the end.
    fn u64_at(&self, at: usize) -> u64 {
        self.0.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }

    /// Identifier and place of every capability in the chain that begins at `first`.
    fn capabilities(&self, first: u32) -> Vec<(u16, usize)> {
        let mut found = Vec::new();
        let mut at = first as usize;
        // A chain that runs back or out of the answer is no chain.
        while at != 0 && at + size_of::<vfio_info_cap_header>() <= ANSWER_BYTES {
            found.push((self.u32_at(at) as u16, at));
            let next = self.u32_at(at + 4) as usize;
            if next <= at {
                break;
            }
            at = next;
        }
        found
    }

    /// The pairs of a capability that lists them: how many at byte 8, the first at byte 16.
    fn pairs(&self, at: usize) -> impl Iterator<Item = (u64, u64)> {
        let most = ANSWER_BYTES.saturating_sub(at + 16) / 16;
        let count = (self.u32_at(at + 8) as usize).min(most);
        let pair = move |index: usize| (self.u64_at(at + 16 + 16 * index), self.u64_at(at + 24 + 16 * index));
        (0..count).map(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn answers_are_read_where_the_kernel_writes_them() {
        assert_eq!(offset_of!(vfio_iommu_type1_info, flags), 4);
        assert_eq!(offset_of!(vfio_iommu_type1_info, iova_pgsizes), 8);
        assert_eq!(offset_of!(vfio_iommu_type1_info, cap_offset), 16);
        assert_eq!(offset_of!(vfio_iommu_type1_info_dma_avail, avail), 8);
        assert_eq!(offset_of!(vfio_iommu_type1_info_cap_iova_range, nr_iovas), 8);
        assert_eq!(offset_of!(vfio_iommu_type1_info_cap_iova_range, iova_ranges), 16);
        assert_eq!(offset_of!(vfio_region_info, flags), 4);
        assert_eq!(offset_of!(vfio_region_info, index), 8);
        assert_eq!(offset_of!(vfio_region_info, cap_offset), 12);
        assert_eq!(offset_of!(vfio_region_info, size), 16);
        assert_eq!(offset_of!(vfio_region_info, offset), 24);
        assert_eq!(offset_of!(vfio_region_info_cap_sparse_mmap, nr_areas), 8);
        assert_eq!(offset_of!(vfio_region_info_cap_sparse_mmap, areas), 16);
        assert_eq!(size_of::<vfio_iova_range>(), 16);
        assert_eq!(size_of::<vfio_region_sparse_mmap_area>(), 16);
        assert_eq!(offset_of!(SetIrqs, events), size_of::<vfio_irq_set>());
    }

    #[test]
    fn chains_of_capabilities_end() {
        let mut answer = Answer::new();
        let mut put = |at: usize, id: u32, next: u32| {
            answer.put_u32(at, id);
            answer.put_u32(at + 4, next);
        };
        put(64, 1, 128);
        put(128, 3, 64);
        put(4088, 7, 5000);
        assert_eq!(answer.capabilities(64), [(1, 64), (3, 128)]);
        assert_eq!(answer.capabilities(4088), [(7, 4088)]);
        assert_eq!(answer.capabilities(0), []);
        assert_eq!(answer.capabilities(5000), []);
        answer.put_u32(4088, u32::MAX);
        assert_eq!(answer.pairs(4080).count(), 0);
    }

    #[test]
    fn a_file_that_is_no_container_is_refused() {
        let null = Linux.open(Path::new("/dev/null")).expect("is there");
        assert!(Linux.api_version(&null).is_err());
        assert!(Linux.iommu(&null).is_err());
        assert!(Linux.region(&null, 0).is_err());
        assert!(Linux.set_interrupts(&null, 0, &[]).is_err());
        assert!(Linux.unmap_dma(&null, 0, 4096).is_err());
        assert!(Linux.device(&null, "0000:00:00.0").is_err());
    }
}
