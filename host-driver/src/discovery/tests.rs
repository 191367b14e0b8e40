use super::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tempfile::TempDir;

const ADDRESS: &str = "0000:3b:00.0";

struct Tree {
    root: TempDir,
}

impl Tree {
    fn new() -> Tree {
        let tree = Tree { root: tempfile::tempdir().expect("a folder") };
        tree.add("0000:00:1f.0", 0x8086, 0xa082);
        tree.add(ADDRESS, PCI_VENDOR.into(), PCI_DEVICE.into());
        tree
    }

    fn system(&self) -> System {
        System::at(self.root.path())
    }

    fn device(&self, address: &str) -> PathBuf {
        self.root.path().join("sys/bus/pci/devices").join(address)
    }

    fn add(&self, address: &str, vendor: u32, device: u32) {
        fs::create_dir_all(self.device(address)).expect("made");
        self.put(address, "vendor", &format!("{vendor:#06x}\n"));
        self.put(address, "device", &format!("{device:#06x}\n"));
    }

    fn put(&self, address: &str, name: &str, text: &str) {
        fs::write(self.device(address).join(name), text).expect("written");
    }
}

fn address() -> PciAddress {
    ADDRESS.parse().expect("an address")
}

#[test]
fn cards_are_found_with_what_the_system_says_of_them() {
    let tree = Tree::new();
    let second = "0001:02:00.0";
    tree.add(second, PCI_VENDOR.into(), PCI_DEVICE.into());
    for (name, text) in [
        ("revision", "0x01\n"),
        ("numa_node", "1\n"),
        ("current_link_speed", "8.0 GT/s PCIe\n"),
        ("current_link_width", "8\n"),
        ("max_link_speed", "16.0 GT/s PCIe\n"),
        ("max_link_width", "16\n"),
    ] {
        tree.put(ADDRESS, name, text);
    }
    tree.put(second, "numa_node", "-1\n");
    tree.put(second, "current_link_speed", "Unknown\n");
    tree.put(second, "current_link_width", "0\n");
    symlink("../../../drivers/vfio-pci", tree.device(ADDRESS).join("driver")).expect("linked");
    symlink("../../../kernel/iommu_groups/12", tree.device(ADDRESS).join("iommu_group")).expect("linked");
    let cards = cards(&tree.system());
    let expected = FoundCard {
        address: address(),
        revision: 1,
        driver: Some("vfio-pci".into()),
        iommu_group: Some("12".into()),
        numa_node: Some(1),
        link: LinkSpeed { gigatransfers: Some(8.0), lanes: Some(8) },
        link_at_most: LinkSpeed { gigatransfers: Some(16.0), lanes: Some(16) },
        used_by: None,
    };
    assert_eq!(cards[0], expected);
    assert_eq!(cards[0].link.to_string(), "8 GT/s x8");
    let bare = FoundCard {
        address: second.parse().expect("an address"),
        revision: 0,
        driver: None,
        iommu_group: None,
        numa_node: None,
        link: LinkSpeed::default(),
        link_at_most: LinkSpeed::default(),
        used_by: None,
    };
    assert_eq!(cards[1..], [bare]);
    assert_eq!(find_card(&tree.system(), address()).expect("there"), cards[0]);
}

#[test]
fn who_holds_the_group_is_found() {
    let tree = Tree::new();
    let group = tree.root.path().join("dev/vfio/12");
    fs::create_dir_all(group.parent().expect("a folder")).expect("made");
    fs::write(&group, "").expect("written");
    symlink("../12", tree.device(ADDRESS).join("iommu_group")).expect("linked");
    for process in ["41", "4242", "self"] {
        fs::create_dir_all(tree.root.path().join(format!("proc/{process}/fd"))).expect("made");
    }
    symlink("/dev/null", tree.root.path().join("proc/41/fd/0")).expect("linked");
    assert_eq!(find_card(&tree.system(), address()).expect("there").used_by, None);
    symlink(&group, tree.root.path().join("proc/4242/fd/5")).expect("linked");
    assert_eq!(find_card(&tree.system(), address()).expect("there").used_by, Some(4242));
}

#[test]
fn what_is_no_card_is_told_so() {
    let tree = Tree::new();
    let find = |address: &str| find_card(&tree.system(), address.parse().expect("an address"));
    assert!(matches!(find("0000:00:02.0"), Err(OpenError::NoSuchCard { .. })));
    let error = find("0000:00:1f.0").expect_err("a bridge");
    assert!(error.to_string().contains("8086:a082"), "{error}");
    let open = |name: &str| open_pci(&tree.system(), name).map(drop).expect_err("nothing to open");
    assert!(matches!(open("0000:00:02.0"), OpenError::NoSuchCard { .. }));
    assert!(matches!(open("sysfs:0000:00:1f.0"), OpenError::NotACard { .. }));
    assert!(matches!(open("sim:x"), OpenError::Address(_)));
    let unbound = open(ADDRESS);
    assert!(matches!(unbound, OpenError::NotBound { driver: None, .. }));
    assert!(unbound.to_string().contains("spandrel card bind 0000:3b:00.0"), "{unbound}");
    symlink("../drivers/vfio-pci", tree.device(ADDRESS).join("driver")).expect("linked");
    let error = open(ADDRESS);
    assert!(matches!(error, OpenError::NoIommuGroup { .. }), "{error}");
    assert!(error.to_string().contains("sysfs:0000:3b:00.0"), "{error}");
    for (name, is) in [("3b:00.0", true), ("sysfs:3b:00.0", true), ("sim", false), ("sysfs:", false)] {
        assert_eq!(is_pci_name(name), is, "{name}");
    }
}

/// The kernel's side of binding: answers what is written to its files, which are pipes here.
fn kernel(tree: &Tree, own_driver: Option<&'static str>) -> std::thread::JoinHandle<Vec<String>> {
    let root = tree.root.path().to_owned();
    let device = tree.device(ADDRESS);
    for driver in ["vfio-pci", "other"] {
        let folder = root.join("sys/bus/pci/drivers").join(driver);
        fs::create_dir_all(&folder).expect("made");
        pipe(&folder.join("unbind"));
    }
    pipe(&root.join("sys/bus/pci/drivers_probe"));
    tree.put(ADDRESS, "driver_override", "(null)\n");
    // What is written is read here, one after the other, as the driver must write it.
    std::thread::spawn(move || {
        let mut seen = Vec::new();
        let mut take = |path: PathBuf| {
            let text = fs::read_to_string(&path).expect("a pipe");
            seen.push(format!("{} {text}", path.strip_prefix(&root).expect("below").display()));
        };
        if let Ok(driver) = fs::read_link(device.join("driver")) {
            take(device.join(driver).join("unbind"));
            fs::remove_file(device.join("driver")).expect("removed");
        }
        take(root.join("sys/bus/pci/drivers_probe"));
        let wanted = fs::read_to_string(device.join("driver_override")).expect("there");
        let driver = if wanted.starts_with('\n') { own_driver } else { Some("vfio-pci") };
        if let Some(driver) = driver {
            symlink(format!("../../drivers/{driver}"), device.join("driver")).expect("linked");
        }
        seen
    })
}

fn pipe(path: &std::path::Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
}

#[test]
fn a_card_is_given_to_vfio_and_back() {
    let tree = Tree::new();
    let system = tree.system();
    symlink("../../drivers/other", tree.device(ADDRESS).join("driver")).expect("linked");
    let answers = kernel(&tree, None);
    bind(&system, address()).expect("binds");
    let seen = answers.join().expect("no panic");
    assert_eq!(seen.len(), 2);
    assert!(seen[0].ends_with("unbind 0000:3b:00.0") && seen[0].contains("other"), "{seen:?}");
    assert_eq!(seen[1], "sys/bus/pci/drivers_probe 0000:3b:00.0");
    assert!(
        fs::read_to_string(tree.device(ADDRESS).join("driver_override"))
            .expect("there")
            .starts_with("vfio-pci")
    );
    assert_eq!(driver(&system, address()).as_deref(), Some("vfio-pci"));
    bind(&system, address()).expect("nothing to do");

    for name in [
        "sys/bus/pci/drivers/vfio-pci/unbind",
        "sys/bus/pci/drivers/other/unbind",
        "sys/bus/pci/drivers_probe",
    ] {
        fs::remove_file(tree.root.path().join(name)).expect("removed");
    }
    let answers = kernel(&tree, Some("other"));
    unbind(&system, address()).expect("unbinds");
    assert_eq!(answers.join().expect("no panic").len(), 2);
    assert_eq!(driver(&system, address()).as_deref(), Some("other"));
    unbind(&system, address()).expect("nothing to do");
}

#[test]
fn a_card_in_use_is_not_taken_away() {
    let tree = Tree::new();
    let address: PciAddress = "fffe:fe:1e.6".parse().expect("an address that no machine has");
    tree.add(&address.to_string(), PCI_VENDOR.into(), PCI_DEVICE.into());
    let _user = tree.system().lock(address).expect("free");
    let error = bind(&tree.system(), address).expect_err("in use");
    assert!(matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    assert_eq!(find_card(&tree.system(), address).expect("there").used_by, Some(std::process::id()));
}

#[test]
fn files_that_are_not_there_are_errors() {
    let tree = Tree::new();
    assert!(matches!(bind(&tree.system(), address()), Err(OpenError::Io { .. })));
}
