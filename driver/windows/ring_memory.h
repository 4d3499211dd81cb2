/* SPDX-License-Identifier: MIT */
/*
 * The memory of one shared ring: two sections and an event, made anew for each enable.
 *
 * The driver writes through the address of the locked MDL and never through the section's view, whose
 * pages could be paged out or taken away. A process gets handles that grant just what it needs, and
 * cannot make more of them: the sections' access list gives nobody anything.
 */
#ifndef AVB_RING_MEMORY_H
#define AVB_RING_MEMORY_H

#include "nt.h"

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ring_buffer.h>

/* One section, mapped and locked. */
typedef struct _AVB_SECTION {
    HANDLE handle; /* the kernel's, until the section is shared */
    PVOID object;
    PVOID view; /* only the MDL's pages lie there: not to be touched */
    MDL *mdl;
    PVOID address; /* what the driver writes */
    UINT32 bytes;
} AVB_SECTION;

typedef struct _AVB_RING_MEMORY {
    AVB_SECTION records;  /* section 1 */
    AVB_SECTION consumer; /* section 2 */
    HANDLE wake_handle;
    KEVENT *wake;
} AVB_RING_MEMORY;

/* Zeroed memory for `capacity` records. On failure nothing is held. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS AvbRingMemoryCreate(_Out_ AVB_RING_MEMORY *memory, _In_ UINT32 capacity);

/*
 * Puts the three handles into the process and fills them and their sizes in. On failure there is none of them in it,
 * but what the process itself has protected from being closed. Afterwards the driver holds no handle of its own: it is
 * done once.
 */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    AvbRingMemoryShare(_Inout_ AVB_RING_MEMORY *memory, _In_ PEPROCESS process, _Inout_ AVB_PTP_MONITORING *shared);

/* Lets go of everything but what the process has. Idempotent. Nobody writes the ring any more. */
_IRQL_requires_(PASSIVE_LEVEL) void AvbRingMemoryFree(_Inout_ AVB_RING_MEMORY *memory);

#endif
