/* SPDX-License-Identifier: MIT */
/* The control side of an adapter's monitor, beyond avb_ptp_monitor.h. All under the control mutex. */
#ifndef AVB_MONITOR_H
#define AVB_MONITOR_H

#include "adapter.h"

/* Monitoring for the open `owner`, whose process gets the ring's handles. Errors: IOCTL_AVB_ENABLE_PTP_MONITORING. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS AvbMonitorStart(_Inout_ AVB_DEVICE_CONTEXT *adapter, _In_ const void *owner,
                                                        _In_ PEPROCESS process, _Out_ AVB_PTP_MONITORING *monitoring);

/* Ends it, and wakes the owner's reader. `cause`: enum avb_disable_cause. Nothing where it is not enabled. */
_IRQL_requires_(PASSIVE_LEVEL) void AvbMonitorStop(_Inout_ AVB_DEVICE_CONTEXT *adapter, _In_ UINT32 cause);

_IRQL_requires_(PASSIVE_LEVEL) void AvbMonitorStatistics(_Inout_ AVB_DEVICE_CONTEXT *adapter,
                                                         _Out_ AVB_PTP_MONITOR_STATS *stats);

#endif
