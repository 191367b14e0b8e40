#!/bin/busybox sh
# The first process of the guest: mounts what the driver uses, inserts VFIO, runs the test, powers off.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/hugepages /tmp
mount -t hugetlbfs hugetlbfs /dev/hugepages
mount -t tmpfs tmpfs /tmp

# From here on the kernel's messages stay in its log, so that none lands inside a line of the test's.
dmesg -n 1
echo "guest: up"
while read -r module; do
    insmod "/modules/$module" || echo "guest: cannot insert $module"
done </modules/order
if [ -x /bin/spandrel-guest-test ]; then
    spandrel-guest-test
    echo "guest: test ended with $?"
fi
echo "guest: kernel log begins"
dmesg | grep -iE 'dmar|iommu|vfio|pci 0000:0[1-9]|segfault|oops|bug:|error' | tail -n 60
echo "guest: kernel log ends"
poweroff -f
