/* SPDX-License-Identifier: MIT */
/* Device ioctls by interface name, in the calling thread's network namespace. */
#ifndef PTPMON_LIB_LINUX_DEVICE_IOCTL_H
#define PTPMON_LIB_LINUX_DEVICE_IOCTL_H

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* `data` is what the request reads and fills. Returns 0 or an errno value; ENODEV: no such interface. */
static inline int device_ioctl(const char *interface_name, unsigned long request, void *data)
{
    struct ifreq device = {.ifr_data = data};
    size_t length = strlen(interface_name);
    if (length >= sizeof device.ifr_name)
        return ENODEV;
    memcpy(device.ifr_name, interface_name, length);

    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int problem = ioctl(fd, request, &device) == 0 ? 0 : errno;
    close(fd);
    return problem;
}

#endif
