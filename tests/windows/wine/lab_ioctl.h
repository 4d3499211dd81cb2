/* SPDX-License-Identifier: MIT */
/*
 * The calls of lab.h and nt_lab.h as they go from the client to ndislab.sys, through the device
 * \\.\AvbPtpLab. METHOD_BUFFERED; one structure in, one out, whatever the call; lab_traffic has a tail.
 */
#ifndef PTPMON_LAB_IOCTL_H
#define PTPMON_LAB_IOCTL_H

#include "lab.h"
#include "nt_lab.h"

#define LAB_DEVICE   "AvbPtpLab"
#define LAB_ADAPTERS 8   /* attached at once */
#define LAB_THREADS  8   /* of lab_traffic */
#define LAB_TEXT     256 /* bytes, with the terminating zero */

enum lab_request {
    LAB_CALL_RESET,            /* ends traffic, detaches all adapters, nothing fails, ETW off; out: count = adapters */
    LAB_CALL_NDIS_VERSION,     /* value */
    LAB_CALL_ATTACH,           /* config; out: status, adapter */
    LAB_CALL_RESTART,          /* adapter; out: status */
    LAB_CALL_PAUSE,            /* adapter */
    LAB_CALL_DETACH,           /* adapter */
    LAB_CALL_TIMESTAMP_CONFIG, /* adapter, config.frequency_hz, config.timestamp_flags */
    LAB_CALL_POWER,            /* adapter, value */
    LAB_CALL_SURPRISE_REMOVAL, /* adapter */
    LAB_CALL_OID,              /* adapter, value = OID, extra = pend; out: status */
    LAB_CALL_TRAFFIC,          /* lab_traffic; out: count, what lab_receive() or lab_send() returned */
    LAB_CALL_TRAFFIC_START,    /* lab_traffic, in `threads` threads of the kernel */
    LAB_CALL_TRAFFIC_END,      /* value: 1 = stop the threads, 0 = let them finish; out: count, lists, frames */
    LAB_CALL_HELD,             /* out: held */
    LAB_CALL_BREACHES,         /* out: count, text */
    LAB_CALL_FORGET,           /* the breaches so far */
    LAB_CALL_FAIL_NTH,         /* value; out: count */
    LAB_CALL_ETW_COUNT,        /* value; out: count */
    LAB_CALL_ETW_ENABLE,       /* value = on, extra = level, wide = keywords */
    LAB_CALL_NAME,             /* text: \\.\AvbPtp\<text> reaches the driver from now on, attached or not */
    LAB_CALL_OPENS,            /* out: count, open handles' file objects of the driver's device */
    LAB_CALL_MISUSE,           /* value: breaks a rule of the kernel; out: status (0: no such), text of the breach */
    LAB_CALL_CRASH,            /* ends the drivers' process by a fault */
    LAB_CALL_HANDLES,          /* out: count, handles that the driver put into processes less those it took back */
    LAB_REQUESTS
};

/* CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900 + call, METHOD_BUFFERED, FILE_ANY_ACCESS) */
#define LAB_IOCTL(call) ((UINT32)0x22 << 16 | ((UINT32)0x900 + (UINT32)(call)) << 2)

/* For a file of the filter's device: succeeds where its creation did. No input, no output. */
#define LAB_IOCTL_OPENED LAB_IOCTL(LAB_REQUESTS)

struct lab_in {
    UINT32 adapter, value, extra;
    UINT64 wide;
    struct lab_adapter_config config;
    char text[LAB_TEXT];
};

struct lab_out {
    INT32 status;
    UINT32 adapter;
    INT64 count;
    UINT64 lists, frames;
    struct nt_lab_held held;
    char text[LAB_TEXT];
};

#define LAB_TRAFFIC_RECEIVE 1u
#define LAB_TRAFFIC_SEND    2u

/*
 * A chain of frames: this, then lab_list[list_count], lab_frame[frame_count], then the frames' bytes, to
 * which lab_frame.bytes is the offset from the first of them.
 *
 * Threads: the even ones receive and the odd ones send, where `directions` has both. Before each call
 * a thread writes its number + 1 and the number of the frame within the thread, big-endian, into each frame:
 * at port_offset and at sequence_offset, where those are not 0.
 */
struct lab_traffic {
    UINT32 adapter;
    UINT32 directions;   /* LAB_TRAFFIC_... */
    UINT32 threads;      /* of LAB_CALL_TRAFFIC_START, 1..LAB_THREADS */
    UINT32 calls;        /* of each thread; 0: until it is stopped */
    UINT32 pause_us;     /* between two calls of a thread */
    UINT32 while_paused; /* lab_send_while_paused() */
    UINT32 port_offset, sequence_offset;
    UINT32 list_count, frame_count;
    UINT32 dispatch, resources, split;
    UINT32 payload; /* bytes after the frames' array */
};

#endif
