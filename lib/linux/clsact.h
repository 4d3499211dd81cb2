/* SPDX-License-Identifier: MIT */
/*
 * Attaching to tc on kernels without TCX (before 6.6).
 *
 * A clsact filter is not bound to a file descriptor, so it would outlive a killed process. A small
 * process of its own, the janitor, therefore holds each attachment: it ends when its owner lets go
 * or dies, and takes the filters with it. It takes the clsact qdisc too, where a monitor made it and
 * nobody's filter is left on it.
 */
#ifndef PTPMON_LIB_LINUX_CLSACT_H
#define PTPMON_LIB_LINUX_CLSACT_H

#include <sys/types.h>

struct ptpmon_clsact {
    int hold; /* closed: the janitor detaches and ends */
    pid_t janitor;
};

/* Attaches both programs to the interface (of the calling thread's namespace); egress_fd -1 = none.
 * Returns 0 or -errno. */
int ptpmon_clsact_attach(struct ptpmon_clsact *clsact, int ifindex, int ingress_fd, int egress_fd);

/* Returns when the filters are gone. */
void ptpmon_clsact_detach(struct ptpmon_clsact *clsact);

#endif
