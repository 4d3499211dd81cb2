/* SPDX-License-Identifier: MIT */
/*
 * The control device \\.\AvbPtp: one for the driver's life, so that files of an adapter that went are cleaned up
 * all the same. A file names its adapter by the name it was opened with, \\.\AvbPtp\{GUID}.
 */
#ifndef AVB_DEVICE_H
#define AVB_DEVICE_H

#include "nt.h"

_IRQL_requires_(PASSIVE_LEVEL) NDIS_STATUS AvbDeviceCreate(_In_ NDIS_HANDLE driver);

/* No file can be opened afterwards. */
_IRQL_requires_(PASSIVE_LEVEL) void AvbDeviceDelete(void);

#endif
