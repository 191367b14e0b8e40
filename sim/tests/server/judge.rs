//! The crate `vfio_user` as the judge of both ends: its client against the server, and the driver's client against its
//! server.

use crate::stand_in::*;
use nix::sys::eventfd::{EfdFlags, EventFd};
use spandrel_driver::vfio_user::SharedFile;
use spandrel_driver::{AccessWidth, DmaBuffer, Transport, VfioUser};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use vfio_bindings::bindings::vfio::*;
use vfio_user::{Client, DmaMapFlags, DmaUnmapFlags, IrqInfo, Server, ServerBackend, ServerRegion};

#[test]
fn anothers_client_finds_the_card() {
    let served = Served::start();
    let mut client = Client::new(&served.path).unwrap();
    assert_eq!(client.region(VFIO_PCI_BAR0_REGION_INDEX).unwrap().size, 16_384);
    assert_eq!(client.region(VFIO_PCI_CONFIG_REGION_INDEX).unwrap().size, 4096);
    assert_eq!(client.region(VFIO_PCI_BAR1_REGION_INDEX).unwrap().size, 0);
    let msix = client.get_irq_info(VFIO_PCI_MSIX_IRQ_INDEX).unwrap();
    assert_eq!((msix.count, msix.flags & VFIO_IRQ_INFO_EVENTFD), (2, VFIO_IRQ_INFO_EVENTFD));
    assert_eq!(client.get_irq_info(VFIO_PCI_INTX_IRQ_INDEX).unwrap().count, 0);
    let mut identity = [0; 4];
    client.region_read(VFIO_PCI_CONFIG_REGION_INDEX, 0, &mut identity).unwrap();
    assert_eq!(identity, [0xee, 0x10, 0xd1, 0x5b]);
    client.region_write(VFIO_PCI_CONFIG_REGION_INDEX, 4, &[6, 0]).unwrap();

    let (memory, file) = SharedFile::create(8192).unwrap();
    let mut memory = DmaBuffer::new(Box::new(memory), 0);
    memory.write(0, &[0x5a; 4096]).unwrap();
    client.dma_map(0, 0x10_0000, 8192, file.as_raw_fd()).unwrap();
    assert_eq!(served.memory.mapped(), 1);
    let event = EventFd::from_flags(EfdFlags::EFD_NONBLOCK).unwrap();
    let flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
    client.set_irqs(VFIO_PCI_MSIX_IRQ_INDEX, flags, 0, 1, &[event.as_raw_fd()]).unwrap();
    let copy = |client: &mut Client| {
        let [source, destination] = [0x10_0000u64, 0x10_1000].map(u64::to_le_bytes);
        client.region_write(0, SOURCE, &source).unwrap();
        client.region_write(0, DESTINATION, &destination).unwrap();
        client.region_write(0, LENGTH, &4096u32.to_le_bytes()).unwrap();
        client.region_write(0, GO, &1u32.to_le_bytes()).unwrap();
        let mut state = [0; 4];
        while u64::from(u32::from_le_bytes(state)) < DONE {
            client.region_read(0, STATE, &mut state).unwrap();
        }
        u64::from(state[0])
    };
    assert_eq!(copy(&mut client), DONE);
    let mut seen = [0; 4096];
    memory.read(4096, &mut seen).unwrap();
    assert_eq!(seen, [0x5a; 4096]);
    assert_eq!(event.read(), Ok(1));
    // The client wants to hear no more: the first vector is masked in the function's table.
    let none = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
    client.set_irqs(VFIO_PCI_MSIX_IRQ_INDEX, none, 0, 0, &[]).unwrap();
    assert_eq!(copy(&mut client), DONE);
    assert!(event.read().is_err());
    client.set_irqs(VFIO_PCI_MSIX_IRQ_INDEX, flags, 0, 1, &[event.as_raw_fd()]).unwrap();
    client.reset().unwrap();
    client.region_write(VFIO_PCI_CONFIG_REGION_INDEX, 4, &[6, 0]).unwrap();
    assert_eq!(copy(&mut client), DONE);
    assert_eq!(event.read(), Ok(1), "a reset leaves the client's events in place");
    client.dma_unmap(0x10_0000, 8192).unwrap();
    assert_eq!(copy(&mut client), REFUSED);
    client.shutdown().unwrap();
}

/// What the crate's server is given: registers and a record of what it was asked.
#[derive(Default)]
struct Recorder {
    bar: Vec<u8>,
    config: Vec<u8>,
    asked: Vec<String>,
}

impl Recorder {
    fn region(&mut self, region: u32) -> &mut Vec<u8> {
        if region == VFIO_PCI_CONFIG_REGION_INDEX { &mut self.config } else { &mut self.bar }
    }
}

impl ServerBackend for Recorder {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> std::io::Result<()> {
        let bytes = data.len();
        data.copy_from_slice(&self.region(region)[offset as usize..][..bytes]);
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.region(region)[offset as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }

    fn dma_map(
        &mut self,
        flags: DmaMapFlags,
        offset: u64,
        _: u64,
        size: u64,
        fd: Option<File>,
    ) -> std::io::Result<()> {
        let length = fd.unwrap().metadata()?.len();
        self.asked.push(format!("map {:#x} {offset} {size} of {length}", flags.bits()));
        Ok(())
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, _: u64, size: u64) -> std::io::Result<()> {
        self.asked.push(format!("unmap {:#x} {size}", flags.bits()));
        Ok(())
    }

    fn reset(&mut self) -> std::io::Result<()> {
        self.asked.push("reset".to_owned());
        Ok(())
    }

    fn set_irqs(
        &mut self,
        index: u32,
        flags: u32,
        start: u32,
        count: u32,
        fds: Vec<File>,
    ) -> std::io::Result<()> {
        self.asked.push(format!("irqs {index} {flags:#x} {start} {count} with {}", fds.len()));
        Ok(())
    }
}

fn serve(path: &Path) -> std::thread::JoinHandle<Recorder> {
    let irq = |index, count| IrqInfo { index, flags: VFIO_IRQ_INFO_EVENTFD, count };
    let irqs = (0..5).map(|index| irq(index, if index == VFIO_PCI_MSIX_IRQ_INDEX { 2 } else { 0 })).collect();
    let region = |index| ServerRegion {
        region_info: vfio_region_info {
            argsz: 32,
            flags: VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
            index,
            size: [(0, 16_384), (7, 4096)].iter().find(|of| of.0 == index).map_or(0, |of| of.1),
            ..Default::default()
        },
        sparse_areas: Vec::new(),
        mmap_fd: None,
    };
    let server = Server::new(path, true, irqs, (0..9).map(region).collect()).unwrap();
    std::thread::spawn(move || {
        let mut recorder = Recorder { bar: vec![0; 16_384], config: vec![0; 4096], ..Recorder::default() };
        recorder.config[..4].copy_from_slice(&[0xee, 0x10, 0xd1, 0x5b]);
        server.run(&mut recorder).unwrap();
        recorder
    })
}

#[test]
fn the_drivers_client_is_understood_by_anothers_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card");
    let server = serve(&path);
    let mut card = VfioUser::connect(&path).unwrap();
    card.write_bar(0x100, AccessWidth::Double, 0x0123_4567_89ab_cdef).unwrap();
    assert_eq!(card.read_bar(0x104, AccessWidth::Word).unwrap(), 0x0123_4567);
    drop(card.allocate(5000).unwrap());
    card.write_config(COMMAND, AccessWidth::Half, 0).unwrap();
    card.reset().unwrap();
    assert_eq!(card.read_config(COMMAND, AccessWidth::Half).unwrap(), 6);
    drop(card);
    let asked = server.join().unwrap().asked;
    assert_eq!(asked, ["irqs 2 0x24 0 2 with 2", "map 0x3 0 8192 of 8192", "unmap 0x0 8192", "reset"]);
}
