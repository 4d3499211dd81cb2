/* SPDX-License-Identifier: MIT */
/*
 * The PCI device below each adapter, as the bus driver and the I/O manager show it. What the kernel
 * double (natively) and the verifier module (Wine) need to let the driver reach it.
 */
#ifndef PTPMON_NDIS_PCI_H
#define PTPMON_NDIS_PCI_H

#include <nt.h>

/*
 * The device named as in BaseMiniportName, L"\\DEVICE\\{...}"; NULL: none of that name. For
 * IoGetDeviceObjectPointer(). The device answers IRP_MJ_PNP / IRP_MN_QUERY_INTERFACE for
 * GUID_BUS_INTERFACE_STANDARD; others with STATUS_NOT_SUPPORTED. PASSIVE_LEVEL.
 */
PDEVICE_OBJECT lab_device_of(const UNICODE_STRING *name);

/*
 * The memory that stands for these physical addresses: all of them within BAR 0 of one attached
 * adapter; else NULL. For MmMapIoSpace(). It stays as long as the adapter. Any IRQL.
 */
void *lab_bar(UINT64 physical, UINT64 bytes);

/*
 * A 32-bit register access to an address within what lab_bar() returned: the callbacks of
 * lab_set_registers(), all ones without callbacks and after a surprise removal. What was read. Any IRQL.
 */
UINT32 lab_register_access(void *address, int write, UINT32 value);

#endif
