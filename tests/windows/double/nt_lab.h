/* SPDX-License-Identifier: MIT */
/*
 * What the kernel double and the verifier module know about the driver's use of the kernel. Two
 * implementations: tests/windows/native (the kernel itself is a double) and tests/windows/wine
 * (Wine's ntoskrnl, wrapped). Any thread, any IRQL.
 */
#ifndef PTPMON_NT_LAB_H
#define PTPMON_NT_LAB_H

#include <avb/avb_ptp_events.h>

/* What is held at this moment; all 0 after an orderly unload. */
struct nt_lab_held {
    INT64 pool, pool_bytes; /* allocations not freed */
    INT64 mdls;             /* IoAllocateMdl without IoFreeMdl */
    INT64 locked_mdls;      /* MmProbeAndLockPages without MmUnlockPages */
    INT64 mapped_mdls;      /* mapped by MmMapLockedPagesSpecifyCache, and not unlocked or unmapped */
    INT64 views;            /* MmMapViewInSystemSpace without MmUnmapViewInSystemSpace */
    INT64 handles;          /* kernel handles not closed */
    INT64 references; /* of ObReferenceObjectByHandle, IoGetAttachedDeviceReference... without ObfDereferenceObject */
    INT64 timers, rundowns; /* not deleted, not freed */
    INT64 io_spaces;        /* MmMapIoSpace without MmUnmapIoSpace */
    INT64 etw_providers;    /* EtwRegister without EtwUnregister */
    INT64 devices;          /* NdisRegisterDeviceEx, IoCreateDevice without their opposite */
    INT64 threads;          /* of PsCreateSystemThread, that run */
    INT64 work_items;       /* IoAllocateWorkItem without IoFreeWorkItem */
};

void nt_lab_held(struct nt_lab_held *held);

/*
 * Breaches of the kernel's rules: a call at an IRQL where it is not allowed, a free of what is not
 * held, a spin lock taken twice, a tag that does not match, an access to a section view instead of the MDL's
 * address... Their number, and the text of the first (empty: none), of at most `size` bytes.
 */
UINT64 nt_lab_breaches(char *first, UINT32 size);

/* Notes a breach that the NDIS double found. `text` is copied. */
void nt_lab_breach(const char *text);

/*
 * From now on the n-th (1...) call that can fail for want of resources fails, once: pool, MDLs,
 * sections, views, events, handles, timers, rundown references, maps, device and filter
 * registration. 0: none fails. Returns how many such calls there were since the last call of this function.
 */
UINT64 nt_lab_fail_nth(UINT64 n);

/* The same question from the NDIS double's own functions: 1 = this call is to fail. */
int nt_lab_is_to_fail(void);

/*
 * Brackets of the NDIS double around what it takes and gives back for itself: between on (1) and off
 * (0) the calls of this thread are not the driver's: neither held, nor counted, nor failed. Brackets do not nest.
 */
void nt_lab_own(int on);

/*
 * Nobody may touch these bytes any more (1), or may again (0). Where the build can say so
 * (AddressSanitizer), a touch ends the run; elsewhere it does nothing.
 */
void nt_lab_forbid(const void *memory, UINT64 bytes, int on);

/* How often the driver wrote this ETW event id. */
UINT64 nt_lab_etw_count(UINT16 event_id);

/* Switches ETW providers on (level, keywords as EtwRegister's enable callback gets them) or off. */
void nt_lab_etw_enable(int on, UINT8 level, UINT64 keywords);

#endif
