/* SPDX-License-Identifier: MIT */
/* The parts of ndislab.sys beyond the NDIS double itself. */
#ifndef PTPMON_NDISLAB_H
#define PTPMON_NDISLAB_H

#include "ndis_double.h"

#include "lab_ioctl.h"

extern DRIVER_OBJECT *lab_driver_object; /* of ndislab.sys */

/* ---- ndislab_device.c: the filter's device ---- */

/* Prepares the directory of the names that clients open. */
NTSTATUS filter_directory(void);

/* From now on \\.\AvbPtp\<text> is a name that the filter is asked about. For good: also without the filter. */
NTSTATUS filter_name(DRIVER_OBJECT *driver, const char *text);

/* An IRP for one of these names. */
NTSTATUS filter_request(DEVICE_OBJECT *device, IRP *irp);

UINT64 filter_opens(void);

/* ---- ndislab_traffic.c ---- */

/* LAB_CALL_TRAFFIC, ..._START, ..._END. `bytes` of the request, which may be changed. STATUS_INVALID_PARAMETER:
 * malformed. */
NTSTATUS traffic_once(struct lab_traffic *traffic, UINT32 bytes, struct lab_out *out);
NTSTATUS traffic_start(const struct lab_traffic *traffic, UINT32 bytes);
void traffic_end(int stop, struct lab_out *out);

/* ---- ndislab_misuse.c ---- */

/* Breaks rule `number` of the kernel, and what the verifier says of it; 0: there is no such rule. */
int misuse(UINT32 number, char *text, UINT32 size);

/* The adapter of this number; NULL: none. */
lab_adapter *lab_adapter_number(UINT32 number);

#endif
