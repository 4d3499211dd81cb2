/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the eBPF program and the library that loads it agree on. */
#ifndef AVB_PTP_LINUX_H
#define AVB_PTP_LINUX_H

#include <avb/avb_ptp_events.h>

/* Set by the library before the program is loaded; constant afterwards. */
struct avb_linux_settings {
    UINT32 ifindex;
    UINT32 netns_inum; /* inode number of the interface's network namespace (/proc/self/ns/net) */
    UINT32 watermark;  /* bytes in the ring whose crossing wakes the reader */
    UINT8 rx_hardware; /* the interface can stamp received frames: a stamp found is its own */
    UINT8 stamps_seen; /* late TX stamps can be observed; without, none is ever expected */
    UINT8 rx_queue;    /* the interface records the queue of received frames */
    UINT8 reserved;
};

/* One copy per CPU; the library adds them up. Named as in ptpmon_statistics. */
struct avb_linux_counters {
    UINT64 frames_seen, frames_emitted, frames_dropped;
    UINT64 stamps_seen, stamps_emitted, stamps_dropped;
    UINT64 ptp_v1, other_version, truncated, bad_length;
    UINT64 tx_unreadable;
    UINT64 hw_stamp_not_a_time, hw_stamp_of_other_device;
};

#endif
