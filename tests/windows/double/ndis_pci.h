/* SPDX-License-Identifier: MIT */
/*
 * The PCI device below each adapter, as the bus driver shows it: MiniportPhysicalDeviceObject of the attach parameters.
 * It answers IRP_MJ_PNP / IRP_MN_QUERY_INTERFACE for GUID_BUS_INTERFACE_STANDARD; others with STATUS_NOT_SUPPORTED.
 * Here is what the kernel double (natively) and the verifier module (Wine) need to let the driver reach its registers.
 */
#ifndef PTPMON_NDIS_PCI_H
#define PTPMON_NDIS_PCI_H

#include <nt.h>

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
