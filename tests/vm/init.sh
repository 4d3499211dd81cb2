#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# The guest's first process: shows it the host's files, read-only under a layer in memory, and runs the tests in there.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for module in /modules/*; do
    insmod "$module"
done

mount_files() {
    mount -t tmpfs tmpfs /upper &&
        mkdir /upper/files /upper/work &&
        mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host &&
        mount -t overlay -o lowerdir=/host,upperdir=/upper/files,workdir=/upper/work overlay /root &&
        mount -t tmpfs tmpfs /root/run &&
        mkdir -p /root/results &&
        mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 results /root/results &&
        mount -o move /dev /root/dev &&
        mount -o move /proc /root/proc &&
        mount -o move /sys /root/sys
}

if mount_files; then
    repository='' # set by run.sh
    # shellcheck source=/dev/null
    . /root/results/settings
    chroot /root /bin/bash "$repository/tests/vm/guest.sh"
fi
poweroff -f
