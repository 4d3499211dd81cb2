/* SPDX-License-Identifier: MIT */
/*
 * The driver side of the monitor, for one adapter: what the datapath of the Windows filter calls.
 *
 * The order of calls: Init when the filter is attached, Enable as often as a process asks for it, Cleanup when
 * it is detached. Init, Enable and Cleanup are not called at the same time as one another (the control path's mutex
 * sees to it); events may be emitted from any number of processors while Enable runs.
 */
#ifndef AVB_PTP_MONITOR_H
#define AVB_PTP_MONITOR_H

#include <avb/avb_ptp_events.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As the kernel's headers define them: repeated, so that this header compiles without them. */
#ifdef _WIN32
typedef long NTSTATUS;
#else
typedef INT32 NTSTATUS;
#endif
typedef unsigned char BOOLEAN;
typedef struct _NET_BUFFER_LIST *PNET_BUFFER_LIST;

/* One adapter: driver/windows/adapter.h. */
typedef struct _AVB_DEVICE_CONTEXT *PAVB_DEVICE_CONTEXT;

/*
 * Prepares the monitor of an adapter: disabled, counters at 0.
 * IRQL: PASSIVE_LEVEL. STATUS_INSUFFICIENT_RESOURCES: nothing is held.
 */
NTSTATUS AvbPtpMonitorInit(PAVB_DEVICE_CONTEXT Ctx);

/*
 * TRUE: makes a new ring and lets events into it; STATUS_DEVICE_BUSY where it is enabled already; on any
 * failure it is disabled and nothing is held. FALSE: returns when no event is being written any more and the
 * ring is gone from the driver; the views of the process stay. FALSE again changes nothing.
 * IRQL: PASSIVE_LEVEL.
 */
NTSTATUS AvbPtpMonitorEnable(PAVB_DEVICE_CONTEXT Ctx, BOOLEAN Enable);

/* In place of a time: the list's own NDIS timestamp, if the adapter's configuration says what it is. */
#define AVB_STAMP_OF_LIST 0xFFFFFFFFFFFFFFFFull

/*
 * One record for each PTP frame (NET_BUFFER) of the list. The list is only read.
 *
 * HwTimestampNs: the NIC's time of the first NET_BUFFER as read from its registers, ns; 0 = none; AVB_STAMP_OF_LIST.
 * The others have none. Direction: AVB_DIRECTION_RX, or AVB_DIRECTION_TX before the frame is
 * handed down: it has no stamp yet, HwTimestampNs is 0, and the record says whether one is to follow.
 *
 * The caller holds the adapter's rundown reference. IRQL: DISPATCH_LEVEL, so that nobody suspends the thread between
 * reserving a slot and publishing it. No lock, no allocation, no wait.
 */
void AvbPtpEmitTimestampEvent(PAVB_DEVICE_CONTEXT Ctx, PNET_BUFFER_LIST Nbl, UINT64 HwTimestampNs, UINT8 Direction);

/*
 * The record with AVB_STAMP_LATE of the list's first NET_BUFFER, which the adapter has sent, if it is a PTP frame and
 * the list has a stamp for it. As above otherwise.
 */
void AvbPtpEmitLateStamp(PAVB_DEVICE_CONTEXT Ctx, PNET_BUFFER_LIST Nbl);

/* Disables, and frees what Init made. IRQL: PASSIVE_LEVEL. */
void AvbPtpMonitorCleanup(PAVB_DEVICE_CONTEXT Ctx);

#ifdef __cplusplus
}
#endif
#endif
