/* SPDX-License-Identifier: MIT */
/*
 * What NDIS knows of the driver: a modifying filter that modifies nothing, so that it lies below what other
 * filters send, and is bound once to an adapter. It holds no NET_BUFFER_LIST, and so has
 * nothing to wait for when it is paused.
 */
#ifndef AVB_FILTER_H
#define AVB_FILTER_H

#include "nt.h"

/* Registers with NDIS, which then attaches the filter to adapters. The handle names the driver to NDIS. */
_IRQL_requires_(PASSIVE_LEVEL) NDIS_STATUS AvbFilterRegister(_In_ DRIVER_OBJECT *driver, _Out_ NDIS_HANDLE *handle);

/* Returns when every adapter is detached. */
_IRQL_requires_(PASSIVE_LEVEL) void AvbFilterDeregister(_In_ NDIS_HANDLE handle);

/* What NDIS gives: major << 16 | minor, at most what this driver knows. */
UINT32 AvbNdisVersion(void);

#endif
