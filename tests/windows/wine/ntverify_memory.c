/* SPDX-License-Identifier: MIT */
/*
 * Views of sections, and MDLs.
 *
 * A section is mapped twice: nobody may touch the view that the driver is given, which the system could page out or
 * take away; the other is the address of the MDL that was locked on it, for as long as it is locked.
 * Addresses that were given back stay reserved for a while. Who touches any of these is noted and then
 * let go on, so that one fault does not end all drivers of the process.
 */
#include "ntdll.h"
#include "ntverify.h"

#define VIEWS   64
#define RETIRED 128

struct view {
    UINT8 *base;  /* the driver's: not to be touched */
    UINT8 *alias; /* of the MDL */
    SIZE_T bytes;
    PVOID section; /* one reference */
    UINT32 locked; /* MDLs */
};

struct range {
    UINT8 *base;
    SIZE_T bytes;
};

static struct lock lock;
static struct view views[VIEWS];
static struct range retired[RETIRED];
static UINT32 retired_next;
static int watched;

/* ---- Addresses that nobody may touch ---- */

static void set_access(UINT8 *base, SIZE_T bytes, ULONG protection)
{
    PVOID address = base;
    ULONG before;
    NtProtectVirtualMemory(NtCurrentProcess(), &address, &bytes, protection, &before);
}

static int holds(const UINT8 *base, SIZE_T bytes, const UINT8 *address)
{
    return base && address >= base && address < base + bytes;
}

/* Notes what an access to this address means and makes it succeed; 0: it has nothing to do with a view. */
static int forgive(UINT8 *address)
{
    for (UINT32 i = 0; i < VIEWS; i++) {
        struct view *view = &views[i];
        if (holds(view->base, view->bytes, address)) {
            breach("section view", "touched, instead of the address of the locked MDL");
            set_access(view->base, view->bytes, PAGE_READWRITE);
            return 1;
        }
        if (holds(view->alias, view->bytes, address)) {
            breach("MDL", "its address touched while its pages are not locked");
            set_access(view->alias, view->bytes, PAGE_READWRITE);
            return 1;
        }
    }
    for (UINT32 i = 0; i < RETIRED; i++) {
        PVOID base = retired[i].base;
        SIZE_T bytes = retired[i].bytes;
        if (holds(base, bytes, address)) {
            breach("section", "touched after its view was unmapped");
            NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &bytes, MEM_COMMIT, PAGE_READWRITE);
            return 1;
        }
    }
    return 0;
}

static LONG NTAPI on_exception(EXCEPTION_POINTERS *exception)
{
    const EXCEPTION_RECORD *record = exception->ExceptionRecord;
    if (record->ExceptionCode != STATUS_ACCESS_VIOLATION || record->NumberParameters < 2)
        return 0; /* EXCEPTION_CONTINUE_SEARCH */
    lock_take(&lock);
    int forgiven = forgive((UINT8 *)record->ExceptionInformation[1]);
    lock_drop(&lock);
    return forgiven ? -1 /* EXCEPTION_CONTINUE_EXECUTION */ : 0;
}

/* Unmaps and keeps the addresses reserved, in the place of older ones. */
static void retire(UINT8 *base, SIZE_T bytes)
{
    PVOID address = base;
    SIZE_T all = 0;
    NtUnmapViewOfSection(NtCurrentProcess(), base);
    if (retired[retired_next].base) {
        PVOID oldest = retired[retired_next].base;
        NtFreeVirtualMemory(NtCurrentProcess(), &oldest, &all, MEM_RELEASE);
    }
    if (!NT_SUCCESS(NtAllocateVirtualMemory(NtCurrentProcess(), &address, 0, &bytes, MEM_RESERVE, PAGE_NOACCESS)))
        address = NULL;
    retired[retired_next] = (struct range){address, bytes};
    retired_next = (retired_next + 1) % RETIRED;
}

/* ---- Views ---- */

static struct view *find_view(const UINT8 *base)
{
    struct view *view = views;
    while (view < views + VIEWS && view->base != base)
        view++;
    return view < views + VIEWS ? view : NULL;
}

static UINT8 *map(HANDLE section, SIZE_T *bytes)
{
    PVOID base = NULL;
    NTSTATUS status =
        NtMapViewOfSection(section, NtCurrentProcess(), &base, 0, 0, NULL, bytes, NTDLL_VIEW_UNMAP, 0, PAGE_READWRITE);
    return NT_SUCCESS(status) ? base : NULL;
}

static NTSTATUS map_twice(PVOID section, struct view *view, SIZE_T bytes)
{
    SIZE_T again = bytes;
    HANDLE handle = shim_handle(section);
    UINT8 *base = map(handle, &bytes), *alias = map(handle, &again);
    if (!base || !alias) {
        if (base)
            NtUnmapViewOfSection(NtCurrentProcess(), base);
        if (alias)
            NtUnmapViewOfSection(NtCurrentProcess(), alias);
        return STATUS_NO_MEMORY;
    }
    set_access(base, bytes, PAGE_NOACCESS);
    set_access(alias, bytes, PAGE_NOACCESS);
    shim_retain(section);
    *view = (struct view){base, alias, bytes, section, 0};
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI verify_MmMapViewInSystemSpace(PVOID section, PVOID *base, SIZE_T *bytes)
{
    irql_at_most("MmMapViewInSystemSpace", APC_LEVEL);
    if (nt_lab_is_to_fail())
        return STATUS_NO_MEMORY;
    if (!shim_handle(section)) {
        breach("MmMapViewInSystemSpace", "no section object");
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = STATUS_NO_MEMORY;
    lock_take(&lock);
    if (!watched)
        RtlAddVectoredExceptionHandler(1, on_exception);
    watched = 1;
    struct view *view = find_view(NULL);
    if (view)
        status = map_twice(section, view, *bytes);
    if (NT_SUCCESS(status)) {
        *base = view->base;
        *bytes = view->bytes;
    }
    lock_drop(&lock);
    if (NT_SUCCESS(status))
        held_add(&held_now.views, 1);
    return status;
}

NTSTATUS NTAPI verify_MmUnmapViewInSystemSpace(PVOID base)
{
    irql_at_most("MmUnmapViewInSystemSpace", APC_LEVEL);
    lock_take(&lock);
    struct view *view = base ? find_view(base) : NULL, was = view ? *view : (struct view){0};
    if (view) {
        *view = (struct view){0};
        retire(was.base, was.bytes);
        retire(was.alias, was.bytes);
    }
    lock_drop(&lock);
    if (!view) {
        breach("MmUnmapViewInSystemSpace", "there is no such view");
        return STATUS_NOT_MAPPED_VIEW;
    }
    if (was.locked)
        breach("MmUnmapViewInSystemSpace", "its pages are locked");
    shim_release(was.section);
    held_add(&held_now.views, -1);
    return STATUS_SUCCESS;
}

/* ---- MDLs ---- */

#define MDL_HAS_ADDRESS (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)

static UINT8 *start_of(const MDL *mdl)
{
    return (UINT8 *)mdl->StartVa + mdl->ByteOffset;
}

/* The view that the MDL lies in as a whole. */
static struct view *view_of(const MDL *mdl)
{
    const UINT8 *start = start_of(mdl);
    for (UINT32 i = 0; i < VIEWS; i++)
        if (holds(views[i].base, views[i].bytes, start) &&
            mdl->ByteCount <= (SIZE_T)(views[i].base + views[i].bytes - start))
            return &views[i];
    return NULL;
}

PMDL NTAPI verify_IoAllocateMdl(PVOID address, ULONG bytes, BOOLEAN secondary, BOOLEAN charge, PIRP irp)
{
    irql_at_most("IoAllocateMdl", DISPATCH_LEVEL);
    if (nt_lab_is_to_fail())
        return NULL;
    MDL *mdl = IoAllocateMdl(address, bytes, secondary, charge, irp);
    if (mdl)
        held_add(&held_now.mdls, 1);
    return mdl;
}

void NTAPI verify_IoFreeMdl(MDL *mdl)
{
    irql_at_most("IoFreeMdl", DISPATCH_LEVEL);
    if (mdl->MdlFlags & MDL_PAGES_LOCKED)
        breach("IoFreeMdl", "its pages are locked");
    held_add(&held_now.mdls, -1);
    IoFreeMdl(mdl);
}

void NTAPI verify_MmBuildMdlForNonPagedPool(MDL *mdl)
{
    irql_at_most("MmBuildMdlForNonPagedPool", DISPATCH_LEVEL);
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = start_of(mdl);
}

void NTAPI verify_MmProbeAndLockPages(MDL *mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    (void)mode;
    (void)operation;
    irql_at_most("MmProbeAndLockPages", APC_LEVEL);
    if (nt_lab_is_to_fail())
        RtlRaiseStatus(STATUS_WORKING_SET_QUOTA);
    if (mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL))
        breach("MmProbeAndLockPages", "its pages are locked already");
    lock_take(&lock);
    struct view *view = view_of(mdl);
    if (view)
        view->locked++;
    lock_drop(&lock);
    if (!view) {
        breach("MmProbeAndLockPages", "not the pages of a view");
        RtlRaiseStatus(STATUS_ACCESS_VIOLATION);
    }
    mdl->MdlFlags |= MDL_PAGES_LOCKED;
    held_add(&held_now.locked_mdls, 1);
}

PVOID NTAPI verify_MmMapLockedPagesSpecifyCache(MDL *mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache,
                                                PVOID address, ULONG bug_check, ULONG priority)
{
    const char *function = "MmMapLockedPagesSpecifyCache";
    (void)cache;
    (void)address;
    irql_at_most(function, DISPATCH_LEVEL);
    if (!(mdl->MdlFlags & MDL_PAGES_LOCKED) || (mdl->MdlFlags & MDL_HAS_ADDRESS)) {
        breach(function, mdl->MdlFlags & MDL_HAS_ADDRESS ? "mapped already" : "its pages are not locked");
        return NULL;
    }
    if (mode != KernelMode)
        breach(function, "into a process");
    if (bug_check || !(priority & MdlMappingNoExecute))
        breach(function, bug_check ? "with a bug check" : "executable");
    if (nt_lab_is_to_fail())
        return NULL;
    lock_take(&lock);
    struct view *view = view_of(mdl);
    if (view) {
        set_access(view->alias, view->bytes, PAGE_READWRITE);
        mdl->MappedSystemVa = view->alias + (start_of(mdl) - view->base);
        mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    }
    lock_drop(&lock);
    if (!view)
        return NULL;
    held_add(&held_now.mapped_mdls, 1);
    return mdl->MappedSystemVa;
}

/* Ends the mapping too, as the kernel does. */
void NTAPI verify_MmUnlockPages(MDL *mdl)
{
    irql_at_most("MmUnlockPages", DISPATCH_LEVEL);
    if (!(mdl->MdlFlags & MDL_PAGES_LOCKED)) {
        breach("MmUnlockPages", "its pages are not locked");
        return;
    }
    lock_take(&lock);
    struct view *view = view_of(mdl);
    if (view && --view->locked == 0)
        set_access(view->alias, view->bytes, PAGE_NOACCESS);
    lock_drop(&lock);
    if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        held_add(&held_now.mapped_mdls, -1);
    held_add(&held_now.locked_mdls, -1);
    mdl->MdlFlags = (CSHORT)(mdl->MdlFlags & ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA));
    mdl->MappedSystemVa = NULL;
}
