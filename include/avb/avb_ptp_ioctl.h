/* SPDX-License-Identifier: MIT */
/*
 * What a process says to the Windows driver.
 *
 * A process opens \\.\AvbPtp\{GUID}, where {GUID} is the adapter's, as in NetCfgInstanceId; everything
 * below is about that adapter. Open needs SYSTEM or a member of Administrators. A handle stays
 * with the adapter as it was when opened: when the adapter goes (removed, disabled, reset), every call
 * fails with ERROR_DEV_NOT_EXIST and the process opens it anew.
 *
 * METHOD_BUFFERED. Sizes must be exact, or the call fails with ERROR_INVALID_PARAMETER; outputs are the
 * same for 32-bit and 64-bit callers.
 *
 * The header compiles alone, in user mode and in a kernel.
 */
#ifndef AVB_PTP_IOCTL_H
#define AVB_PTP_IOCTL_H

#include <avb/avb_hardware_access.h>
#include <avb/avb_ptp_events.h>

/* CTL_CODE(FILE_DEVICE_NETWORK, function, METHOD_BUFFERED, access) of the WDK. */
#define AVB_IOCTL(function, access) ((UINT32)0x12 << 16 | (UINT32)(access) << 14 | (UINT32)(function) << 2)
#define AVB_IOCTL_READ              1u /* FILE_READ_DATA */
#define AVB_IOCTL_WRITE             2u /* FILE_WRITE_DATA */

/*
 * Enables monitoring of the adapter: a new ring, whose handles exist in the calling process only, and are not
 * inheritable. The file object owns it: monitoring ends when it says so, when its last handle
 * closes, in whatever process, or when the adapter goes; views stay with the process until it unmaps them.
 *
 * Input: none. Output: AVB_PTP_MONITORING.
 * ERROR_BUSY: it is enabled already; AVB_PTP_MONITOR_STATS.owner_process says by whom.
 * ERROR_NO_SYSTEM_RESOURCES, ERROR_NOT_ENOUGH_MEMORY, ERROR_WORKING_SET_QUOTA: nothing is enabled, and nothing left in
 * the process.
 */
#define IOCTL_AVB_ENABLE_PTP_MONITORING AVB_IOCTL(0x801, AVB_IOCTL_READ | AVB_IOCTL_WRITE)

/* Input, output: none. ERROR_ACCESS_DENIED: this file object did not enable it. */
#define IOCTL_AVB_DISABLE_PTP_MONITORING AVB_IOCTL(0x802, AVB_IOCTL_READ | AVB_IOCTL_WRITE)

/* Input: none. Output: AVB_PTP_MONITOR_STATS. Any handle, enabled or not. */
#define IOCTL_AVB_GET_PTP_MONITOR_STATS AVB_IOCTL(0x803, AVB_IOCTL_READ)

/*
 * The clocks, read together now. Input: none. Output: PTP_CLOCKS_RECORD, whose hw_timestamp_ns is 0 where
 * the adapter gives no clock that belongs to its stamps. Any handle, enabled or not.
 */
#define IOCTL_AVB_GET_PTP_CLOCKS AVB_IOCTL(0x804, AVB_IOCTL_READ)

/* What the system's error codes above are as NTSTATUS: DEVICE_BUSY, ACCESS_DENIED, DEVICE_DOES_NOT_EXIST,
 * INVALID_PARAMETER, INSUFFICIENT_RESOURCES. */

#define AVB_PTP_IOCTL_VERSION 1u

typedef struct _AVB_PTP_MONITORING {
    UINT64 SharedMemoryHandle; /* section 1 of avb_ring_buffer.h: may be mapped for reading */
    UINT64 consumer_handle;    /* section 2: for reading and writing */
    UINT64 wake_event;      /* signalled when records wait and the reader asked for it, and when monitoring ends; resets
                               itself */
    UINT64 ring_bytes;      /* of section 1 */
    UINT64 system_clock_hz; /* ticks per second of system_timestamp: the performance counter's */
    UINT64 net_luid;        /* of the adapter */
    UINT32 consumer_bytes;  /* of section 2 */
    UINT32 capacity;        /* records */
    UINT32 size;            /* of this structure */
    UINT32 version;         /* AVB_PTP_IOCTL_VERSION */
} AVB_PTP_MONITORING;

/* Where hw_timestamp_ns comes from. */
#define AVB_SOURCE_NONE      0u
#define AVB_SOURCE_NDIS      1u /* NDIS packet timestamps, as the adapter's current configuration says */
#define AVB_SOURCE_REGISTERS 2u /* the NIC's registers, received frames only */

/* Why a stamp, or a frame, became no record. Indices of AVB_PTP_MONITOR_STATS.reasons. */
enum avb_ptp_reason {
    /* Frames that are no event. */
    AVB_REASON_LOOPBACK,      /* PTP frames that this host sent, shown to it again */
    AVB_REASON_UNREADABLE,    /* NET_BUFFERs whose bytes NDIS does not give */
    AVB_REASON_PTP_V1,        /* versionPTP 1 */
    AVB_REASON_OTHER_VERSION, /* versionPTP neither 1 nor 2 */
    AVB_REASON_TRUNCATED,     /* addressed as PTP, but the frame (or its first AVB_PTP_WINDOW bytes) ends too early */
    AVB_REASON_BAD_LENGTH,    /* a length field contradicts the frame */
    /* Stamps that nobody gets. */
    AVB_REASON_NOT_THIS_FRAME,  /* the configuration does not promise a stamp for such a frame, though there was a value
                                 */
    AVB_REASON_KIND_UNKNOWN,    /* hardware and software stamps are both promised for such a frame, or hardware stamps
                                   alone and the value is one of the performance counter, about now */
    AVB_REASON_NOT_A_TIME,      /* the value is beyond what its clock can say in ns */
    AVB_REASON_NOT_SENT,        /* the send failed */
    AVB_REASON_BATCH_TOO_LARGE, /* more PTP frames in one indication than a stamp is looked for among */
    AVB_PTP_REASONS
};

/* Of a frame's start, so many bytes are looked at. */
#define AVB_PTP_WINDOW 256u

typedef struct _AVB_PTP_MONITOR_STATS {
    /* Since enable; of the last ring where monitoring has ended. */
    UINT64 events_emitted; /* records in the ring, of frames and of stamps */
    UINT64 events_dropped; /* records that found no place */
    UINT64 buffer_size;    /* capacity of the ring, records */

    UINT32 size;          /* of this structure */
    UINT32 version;       /* AVB_PTP_IOCTL_VERSION */
    UINT32 enabled;       /* 1: monitoring */
    UINT32 owner_process; /* process id of who enabled it; 0 = nobody */

    /* Accounts, since enable: seen = emitted + dropped. */
    UINT64 frames_seen, frames_emitted, frames_dropped; /* PTP frames, received and sent */
    UINT64 stamps_seen, stamps_emitted, stamps_dropped; /* stamps of sent frames: AVB_STAMP_LATE records */

    /* The ring: avb_ring_buffer.h. */
    UINT64 dropped_full, dropped_contention, bad_consumer_position, high_water;

    UINT64 reasons[AVB_PTP_REASONS];            /* since enable */
    UINT64 register_results[AVB_STAMP_RESULTS]; /* by enum avb_stamp_result, since enable: AvbReadTimestamp() */

    /* The adapter, now. */
    UINT64 net_luid;
    UINT64 hardware_clock_hz; /* of NDIS packet timestamps; 0: none */
    UINT32 if_index;
    UINT32 generation;      /* counts attachments of the driver to adapters */
    UINT32 source;          /* AVB_SOURCE_... */
    UINT32 timestamp_flags; /* the current configuration: bit i is the i-th flag of NDIS_TIMESTAMP_CAPABILITY_FLAGS */
    UINT32 ndis_version;    /* negotiated: major << 16 | minor */
    UINT32 register_state;  /* enum avb_nic_clock_result of the last reading; AVB_NIC_CLOCK_RESULTS: register access is
                               off */
    UINT16 pci_vendor, pci_device; /* known where register access is on */
    UINT32 sdp_state;              /* enum avb_sdp_result; AVB_SDP_RESULTS: no pin is named */
} AVB_PTP_MONITOR_STATS;

AVB_STATIC_ASSERT(sizeof(AVB_PTP_MONITORING) == 64, "ABI");
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, SharedMemoryHandle, 0);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, consumer_handle, 8);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, wake_event, 16);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, ring_bytes, 24);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, system_clock_hz, 32);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, net_luid, 40);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, consumer_bytes, 48);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, capacity, 52);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, size, 56);
AVB_ASSERT_OFFSET(AVB_PTP_MONITORING, version, 60);

AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, events_emitted, 0);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, events_dropped, 8);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, buffer_size, 16);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, size, 24);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, owner_process, 36);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, frames_seen, 40);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, dropped_full, 88);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, reasons, 120);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, register_results, 120 + 8 * AVB_PTP_REASONS);
AVB_ASSERT_OFFSET(AVB_PTP_MONITOR_STATS, net_luid, 120 + 8 * (AVB_PTP_REASONS + AVB_STAMP_RESULTS));
AVB_STATIC_ASSERT(AVB_PTP_REASONS == 11 && AVB_STAMP_RESULTS == 14, "ABI");
AVB_STATIC_ASSERT(sizeof(AVB_PTP_MONITOR_STATS) == 368, "ABI");

#endif
