/* SPDX-License-Identifier: MIT */
/*
 * One adapter that the filter is attached to, and the list of them.
 *
 * An adapter comes and goes by NDIS's decision. Files name it by NetLuid and generation, never by a pointer: a new
 * attachment of the same adapter is another generation. Who looks one up holds the control mutex as
 * long as it uses what it found, and so does detach: that keeps it alive.
 */
#ifndef AVB_ADAPTER_H
#define AVB_ADAPTER_H

#include "nt.h"

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ptp_monitor.h>
#include <avb/avb_ring_buffer.h>

#include "registers.h"
#include "ring_memory.h"
#include "settings.h"
#include "stamps.h"

/* Bits of AVB_DEVICE_CONTEXT.path: not 0 where the datapath has to do anything but pass on. */
#define AVB_PATH_MONITORED 1u
#define AVB_PATH_PAUSED    2u

/* Counters that the datapath moves; each since enable. */
enum avb_count {
    AVB_COUNT_FRAMES,
    AVB_COUNT_FRAMES_DROPPED,
    AVB_COUNT_STAMPS,
    AVB_COUNT_STAMPS_DROPPED,
    AVB_COUNT_REASONS,
    AVB_COUNT_REGISTERS = AVB_COUNT_REASONS + AVB_PTP_REASONS,
    AVB_COUNTS = AVB_COUNT_REGISTERS + AVB_STAMP_RESULTS
};

/* What the ring's own header counted. */
typedef struct _AVB_RING_COUNTS {
    UINT64 emitted, dropped_full, dropped_contention, bad_consumer_position, high_water;
} AVB_RING_COUNTS;

typedef struct _AVB_DEVICE_CONTEXT {
    /* What every call of the datapath reads: it changes with pause, enable and a new configuration only. */
    UINT64 path;                       /* AVB_PATH_..., atomic */
    AVB_STAMP_CONFIG stamps;           /* atomic */
    PEX_RUNDOWN_REF_CACHE_AWARE users; /* held while `ring` is used; closed while it is not there */
    NDIS_HANDLE filter;                /* NDIS's name of this attachment */
    AVB_RING ring;
    AVB_REGISTERS registers;

    UINT64 counts[AVB_COUNTS];          /* atomic */
    UINT64 stamp_indications;           /* atomic */
    PEX_RUNDOWN_REF_CACHE_AWARE askers; /* held while the adapter is asked something; closed while it is paused */

    /* Under the control mutex from here on, or immutable. */
    LIST_ENTRY link;
    UINT64 net_luid;
    UINT32 if_index, generation;
    AVB_SETTINGS settings;
    UNICODE_STRING guid; /* "{...}" */
    WCHAR guid_text[40];

    AVB_RING_MEMORY memory;
    PEX_TIMER timer;   /* NULL: disabled */
    const void *owner; /* the open that enabled it; NULL: nobody */
    UINT32 owner_process;
    AVB_RING_COUNTS last_ring; /* of the ring that there was */

    /* The timer's own. */
    UINT32 ticks;
    UINT64 reported[AVB_COUNTS]; /* what was said of the counters in traces */
} AVB_DEVICE_CONTEXT;

void AvbAdaptersInit(void);

/* Rundown protection that nobody gets until it is initialized anew. NULL: no memory. ExFreeCacheAware...() frees it. */
_IRQL_requires_(PASSIVE_LEVEL) PEX_RUNDOWN_REF_CACHE_AWARE AvbNewClosedRundown(void);

/* The control path: attach, detach, restart, files. IRQL: PASSIVE_LEVEL. */
_IRQL_requires_(PASSIVE_LEVEL) void AvbLockControl(void);
_IRQL_requires_(PASSIVE_LEVEL) void AvbUnlockControl(void);

/* With the control mutex. Adding gives the adapter its generation. NULL: there is none. */
void AvbAdapterAdd(_Inout_ AVB_DEVICE_CONTEXT *adapter);
void AvbAdapterRemove(_Inout_ AVB_DEVICE_CONTEXT *adapter);
AVB_DEVICE_CONTEXT *AvbAdapterByGuid(_In_ const UNICODE_STRING *guid);
AVB_DEVICE_CONTEXT *AvbAdapterByLuid(_In_ UINT64 net_luid, _In_ UINT32 generation);

#endif
