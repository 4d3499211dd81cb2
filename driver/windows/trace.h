/* SPDX-License-Identifier: MIT */
/*
 * The driver's ETW provider "AvbPtp". driver/windows/avbptpmon.man describes the same events for those
 * who read them. Writing is cheap where nobody listens. One provider for the driver's life.
 */
#ifndef AVB_TRACE_H
#define AVB_TRACE_H

#include "nt.h"

#include <avb/avb_ptp_events.h>

#include "atomic.h"

enum avb_disable_cause {
    AVB_DISABLED_BY_OWNER,   /* IOCTL_AVB_DISABLE_PTP_MONITORING */
    AVB_DISABLED_BY_CLEANUP, /* its last handle closed: also when the process ended */
    AVB_DISABLED_BY_DETACH   /* the adapter went */
};

/*
 * `reason` of AvbTraceStampRefused(): an index of AVB_PTP_MONITOR_STATS.reasons as it is (enum avb_ptp_reason), or
 * one of its register_results (enum avb_stamp_result) above this number.
 */
#define AVB_TRACE_REGISTER_RESULT 0x100u

/*
 * Registers the provider. A driver that cannot be traced works all the same: on failure every other
 * function here does nothing, and the caller goes on.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS AvbTraceInit(void);

/* Also after AvbTraceInit() failed. No other call may be under way. */
_IRQL_requires_max_(PASSIVE_LEVEL) void AvbTraceCleanup(void);

_IRQL_requires_max_(PASSIVE_LEVEL) void AvbTraceAttach(_In_ UINT64 net_luid, _In_ UINT32 if_index,
                                                       _In_ UINT32 generation, _In_ NTSTATUS status);
_IRQL_requires_max_(PASSIVE_LEVEL) void AvbTraceDetach(_In_ UINT64 net_luid, _In_ UINT32 generation);

/* process: its id. capacity: of the ring, records. Also for an enable that failed: status. */
_IRQL_requires_max_(PASSIVE_LEVEL) void AvbTraceEnable(_In_ UINT64 net_luid, _In_ UINT32 process, _In_ UINT32 capacity,
                                                       _In_ NTSTATUS status);
_IRQL_requires_max_(PASSIVE_LEVEL) void AvbTraceDisable(_In_ UINT64 net_luid, _In_ UINT32 cause);

/* Records that found no place in the ring since the last report: of frames, and of stamps of sent frames. */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbTraceLoss(_In_ UINT64 net_luid, _In_ UINT64 frames_dropped,
                                                      _In_ UINT64 stamps_dropped);

/* So many stamps were given to no frame for this reason since the last report. */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbTraceStampRefused(_In_ UINT64 net_luid, _In_ UINT32 reason,
                                                              _In_ UINT64 count);

/* Shared word, kept by the provider's enable callback. Private. */
extern UINT64 avb_trace_datapath;

/* Somebody listens to the datapath's events. Any IRQL. */
static inline int AvbTraceDatapathWanted(void)
{
    return avb_load_relaxed(&avb_trace_datapath) != 0;
}

/*
 * Around the work on one call of a datapath handler with a frame that may be PTP, to measure its processor time.
 * start: 1 before, 0 after. direction: AVB_DIRECTION_RX or AVB_DIRECTION_TX. count: NET_BUFFER_LISTs of the call
 * from the first such frame's on.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbTraceDatapath(_In_ int start, _In_ UINT64 net_luid, _In_ UINT32 direction,
                                                          _In_ UINT32 count);

#endif
