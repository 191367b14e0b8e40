//! The protocol's commands: what a client asks, checked, carried out, and what to answer.

use super::connection::Message;
use spandrel_abi::{BAR0_BYTES, MSIX_VECTORS};
use spandrel_driver::vfio_user::wire::{self, Body, MAX_DATA_BYTES, command, u32_at, u64_at};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use vfio_bindings::bindings::vfio::{
    VFIO_DEVICE_FLAGS_PCI, VFIO_DEVICE_FLAGS_RESET, VFIO_IRQ_INFO_EVENTFD, VFIO_PCI_BAR0_REGION_INDEX,
    VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_REGIONS,
    VFIO_REGION_INFO_FLAG_READ, VFIO_REGION_INFO_FLAG_WRITE,
};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, ServerBackend};

use super::config::CONFIG_BYTES;

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// The first message: agrees on the version.
///
/// # Errors
/// `EINVAL` where the message is none or names another major version.
pub(super) fn negotiate(message: &Message) -> io::Result<Body> {
    let major = wire::major_version(&message.body);
    match message.header.command == command::VERSION && major == Some(0) && message.fds.is_empty() {
        true => Ok(wire::version_body()),
        false => Err(error(nix::libc::EINVAL)),
    }
}

/// Carries out a command and gives the body of the reply.
///
/// # Errors
/// What the reply is to report; `EINVAL` for bodies that are too short or whose fields cannot be, `EOPNOTSUPP` for commands
/// that this device does not have.
pub(super) fn carry_out(message: Message, device: &mut dyn ServerBackend) -> io::Result<Body> {
    let Message { header, body, fds } = message;
    let takes_descriptors = matches!(header.command, command::DMA_MAP | command::DEVICE_SET_IRQS);
    if !fds.is_empty() && !takes_descriptors {
        return Err(error(nix::libc::EINVAL));
    }
    let fixed = fixed_bytes(header.command).ok_or_else(|| error(nix::libc::EOPNOTSUPP))?;
    if body.len() < fixed {
        return Err(error(nix::libc::EINVAL));
    }
    let reply = Body::new();
    match header.command {
        command::DMA_MAP => {
            let mut fds = files(fds);
            if fds.len() > 1 {
                return Err(error(nix::libc::EINVAL));
            }
            let flags = DmaMapFlags::from_bits_retain(u32_at(&body, 4));
            let (offset, address, size) = (u64_at(&body, 8), u64_at(&body, 16), u64_at(&body, 24));
            device.dma_map(flags, offset, address, size, fds.pop())?;
            Ok(reply)
        }
        command::DMA_UNMAP => {
            let flags = DmaUnmapFlags::from_bits_retain(u32_at(&body, 4));
            device.dma_unmap(flags, u64_at(&body, 8), u64_at(&body, 16))?;
            Ok(reply.bytes(&body[..fixed]))
        }
        command::DEVICE_GET_INFO => {
            let flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
            Ok(reply.words(&[fixed as u32, flags, VFIO_PCI_NUM_REGIONS, VFIO_PCI_NUM_IRQS]))
        }
        command::DEVICE_GET_REGION_INFO => region_info(u32_at(&body, 8)),
        command::DEVICE_GET_IRQ_INFO => irq_info(u32_at(&body, 8)),
        command::DEVICE_SET_IRQS => {
            let [flags, index, start, count] = [4, 8, 12, 16].map(|at| u32_at(&body, at));
            device.set_irqs(index, flags, start, count, files(fds))?;
            Ok(reply)
        }
        command::REGION_READ => {
            let (offset, region, count) = (u64_at(&body, 0), u32_at(&body, 8), u32_at(&body, 12));
            if count > MAX_DATA_BYTES {
                return Err(error(nix::libc::EINVAL));
            }
            let mut data = vec![0; count as usize];
            device.region_read(region, offset, &mut data)?;
            Ok(reply.bytes(&body[..fixed]).bytes(&data))
        }
        command::REGION_WRITE => {
            let (offset, region, count) = (u64_at(&body, 0), u32_at(&body, 8), u32_at(&body, 12));
            if body.len() - fixed != count as usize {
                return Err(error(nix::libc::EINVAL));
            }
            device.region_write(region, offset, &body[fixed..])?;
            Ok(reply.bytes(&body[..fixed]))
        }
        command::DEVICE_RESET => {
            device.reset()?;
            Ok(reply)
        }
        _ => Err(error(nix::libc::EOPNOTSUPP)),
    }
}

/// Bytes that a command's body has at least; `None` for commands that there are not.
fn fixed_bytes(command: u16) -> Option<usize> {
    Some(match command {
        command::DMA_MAP | command::DEVICE_GET_REGION_INFO => 32,
        command::DMA_UNMAP => 24,
        command::DEVICE_SET_IRQS => 20,
        command::DEVICE_GET_INFO
        | command::DEVICE_GET_IRQ_INFO
        | command::REGION_READ
        | command::REGION_WRITE => 16,
        command::DEVICE_RESET => 0,
        _ => return None,
    })
}

fn files(fds: Vec<OwnedFd>) -> Vec<File> {
    fds.into_iter().map(File::from).collect()
}

fn region_info(index: u32) -> io::Result<Body> {
    let bytes = match index {
        VFIO_PCI_BAR0_REGION_INDEX => BAR0_BYTES.into(),
        VFIO_PCI_CONFIG_REGION_INDEX => CONFIG_BYTES,
        index if index < VFIO_PCI_NUM_REGIONS => 0,
        _ => return Err(error(nix::libc::EINVAL)),
    };
    let flags = if bytes > 0 { VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE } else { 0 };
    Ok(Body::new().words(&[32, flags, index, 0]).doubles(&[bytes, 0]))
}

fn irq_info(index: u32) -> io::Result<Body> {
    let (flags, count) = match index {
        VFIO_PCI_MSIX_IRQ_INDEX => (VFIO_IRQ_INFO_EVENTFD, u32::from(MSIX_VECTORS)),
        index if index < VFIO_PCI_NUM_IRQS => (0, 0),
        _ => return Err(error(nix::libc::EINVAL)),
    };
    Ok(Body::new().words(&[16, flags, index, count]))
}
