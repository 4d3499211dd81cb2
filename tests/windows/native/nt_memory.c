/* SPDX-License-Identifier: MIT */
/*
 * Sections (memory files), their views, MDLs, device memory.
 *
 * A view whose pages are locked is made inaccessible, and the MDL is mapped a second time: who touches the
 * view in place of the MDL's address faults, as he one day may on Windows.
 */
#include "nt_double.h"

#include "ndis_pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Sections ---- */

static void close_section(void *body)
{
    close(((struct nt_section *)body)->fd);
}

struct nt_section *nt_section_new(UINT64 bytes, ULONG protection)
{
    struct nt_section *section = nt_object_new(NT_KIND_SECTION, sizeof *section, close_section);
    section->bytes = ROUND_TO_PAGES(bytes);
    section->protection = protection;
    section->fd = memfd_create("section", MFD_CLOEXEC);
    if (section->fd < 0 || ftruncate(section->fd, (off_t)section->bytes))
        abort();
    return section;
}

void *nt_section_map(const struct nt_section *section, UINT64 offset, UINT64 bytes, int writable)
{
    void *address =
        mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, section->fd, (off_t)offset);
    return address == MAP_FAILED ? NULL : address;
}

void nt_unmap(void *address, UINT64 bytes)
{
    if (munmap(address, bytes))
        abort();
}

/* ---- Views in the system's space ---- */

struct view {
    struct view *next;
    char *base;
    UINT64 bytes;
    struct nt_section *section;
    UINT32 locks; /* MDLs that have pages of it locked */
    int own;
};

static struct nt_lock views_lock;
static struct view *views;

NTSTATUS MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    *MappedBase = NULL;
    if (!nt_object_is(Section, NT_KIND_SECTION)) {
        nt_breach("MmMapViewInSystemSpace: %p is no section", Section);
        return STATUS_INVALID_PARAMETER;
    }
    struct nt_section *section = Section;
    UINT64 bytes = *ViewSize ? ROUND_TO_PAGES(*ViewSize) : section->bytes;
    if (bytes > section->bytes)
        return STATUS_INVALID_PARAMETER;
    if (nt_fails())
        return STATUS_NO_MEMORY;
    struct view *view = nt_new(sizeof *view);
    *view = (struct view){.bytes = bytes, .section = section, .own = nt_own};
    view->base = nt_section_map(section, 0, bytes, section->protection == PAGE_READWRITE);
    if (!view->base)
        abort();
    nt_object_reference(section);
    nt_lock_take(&views_lock);
    view->next = views;
    views = view;
    nt_lock_give(&views_lock);
    nt_hold(&nt_held_now.views, 1, nt_own);
    *MappedBase = view->base;
    *ViewSize = bytes;
    return STATUS_SUCCESS;
}

NTSTATUS MmUnmapViewInSystemSpace(PVOID MappedBase)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    nt_lock_take(&views_lock);
    struct view **link = &views;
    while (*link && (*link)->base != MappedBase)
        link = &(*link)->next;
    struct view *view = *link;
    int locked = view && view->locks;
    if (view && !locked)
        *link = view->next;
    nt_lock_give(&views_lock);
    if (!view || locked) {
        nt_breach("MmUnmapViewInSystemSpace: %p is no view, or its pages are locked", MappedBase);
        return STATUS_INVALID_PARAMETER;
    }
    nt_unmap(view->base, view->bytes);
    nt_object_release(view->section);
    nt_hold(&nt_held_now.views, -1, view->own);
    free(view);
    return STATUS_SUCCESS;
}

/* With views_lock. */
static struct view *view_around(const char *address, UINT64 bytes)
{
    struct view *view = views;
    while (view && (address < view->base || address + bytes > view->base + view->bytes))
        view = view->next;
    return view;
}

/* One more or one less MDL has pages of the view locked. */
static void count_lock(struct view *view, int delta)
{
    nt_lock_take(&views_lock);
    UINT32 before = view->locks;
    view->locks += (UINT32)delta;
    int protection = view->section->protection == PAGE_READWRITE ? PROT_READ | PROT_WRITE : PROT_READ;
    if ((before == 0 || view->locks == 0) && mprotect(view->base, view->bytes, view->locks ? PROT_NONE : protection))
        abort();
    nt_lock_give(&views_lock);
}

/* ---- MDLs ---- */

struct mdl {
    MDL mdl;
    struct nt_node node;
    struct view *view; /* whose pages it has locked */
    UINT64 offset;     /* of its first page in the section */
    int locked_own, mapped_own, own;
};

static struct nt_table mdls;

static struct mdl *of(PMDL mdl, const char *function)
{
    struct nt_node *node = nt_table_find(&mdls, mdl);
    if (!node)
        nt_breach("%s: %p is no MDL", function, (void *)mdl);
    return node ? CONTAINING_RECORD(node, struct mdl, node) : NULL;
}

static UINT64 mapped_bytes(const MDL *mdl)
{
    return ROUND_TO_PAGES((UINT64)mdl->ByteOffset + mdl->ByteCount);
}

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, struct _IRP *Irp)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (Irp || SecondaryBuffer || ChargeQuota || Length == 0)
        nt_breach("IoAllocateMdl: an IRP, a quota or no bytes");
    if (nt_fails())
        return NULL;
    struct mdl *mdl = nt_new(sizeof *mdl);
    mdl->mdl = (MDL){.Size = sizeof(MDL),
                     .StartVa = PAGE_ALIGN(VirtualAddress),
                     .ByteOffset = BYTE_OFFSET(VirtualAddress),
                     .ByteCount = Length};
    mdl->own = nt_own;
    nt_table_add(&mdls, &mdl->node, &mdl->mdl);
    nt_hold(&nt_held_now.mdls, 1, nt_own);
    return &mdl->mdl;
}

VOID IoFreeMdl(PMDL Mdl)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct mdl *mdl = of(Mdl, __func__);
    if (!mdl)
        return;
    if (Mdl->MdlFlags & MDL_PAGES_LOCKED) {
        nt_breach("IoFreeMdl: its pages are locked");
        return;
    }
    nt_table_take(&mdls, Mdl);
    nt_hold(&nt_held_now.mdls, -1, mdl->own);
    free(mdl);
}

VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (MemoryDescriptorList->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA))
        nt_breach("MmBuildMdlForNonPagedPool: locked or mapped");
    MemoryDescriptorList->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    MemoryDescriptorList->MappedSystemVa = MmGetMdlVirtualAddress(MemoryDescriptorList);
}

NTSTATUS nt_probe_and_lock(PMDL mdl, LOCK_OPERATION operation)
{
    NT_IRQL_AT_MOST(APC_LEVEL); /* the pages of a section may be out of memory */
    struct mdl *known = of(mdl, "MmProbeAndLockPages");
    if (!known)
        return STATUS_INVALID_PARAMETER;
    if (mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) {
        nt_breach("MmProbeAndLockPages: locked, mapped or of nonpaged pool");
        return STATUS_INVALID_PARAMETER;
    }
    if (nt_fails())
        return STATUS_WORKING_SET_QUOTA;
    const char *first = MmGetMdlVirtualAddress(mdl);
    nt_lock_take(&views_lock);
    struct view *view = view_around(first, mdl->ByteCount);
    nt_lock_give(&views_lock);
    if (!view || (operation != IoReadAccess && view->section->protection != PAGE_READWRITE))
        return STATUS_ACCESS_VIOLATION;
    known->view = view;
    known->offset = (UINT64)((const char *)mdl->StartVa - view->base);
    known->locked_own = nt_own;
    count_lock(view, 1);
    mdl->MdlFlags |= operation == IoReadAccess ? MDL_PAGES_LOCKED : MDL_PAGES_LOCKED | MDL_WRITE_OPERATION;
    nt_hold(&nt_held_now.locked_mdls, 1, nt_own);
    return STATUS_SUCCESS;
}

VOID MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    (void)AccessMode;
    NTSTATUS status = nt_probe_and_lock(MemoryDescriptorList, Operation);
    if (NT_SUCCESS(status))
        return;
    fprintf(stderr, "MmProbeAndLockPages raises %08x and nobody catches it\n", (unsigned)status);
    abort();
}

static int is_locked(PMDL mdl, const char *function)
{
    if (mdl->MdlFlags & MDL_PAGES_LOCKED)
        return 1;
    nt_breach("%s: pages are not locked", function);
    return 0;
}

PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, MEMORY_CACHING_TYPE CacheType,
                                   PVOID RequestedAddress, ULONG BugCheckOnFailure, ULONG Priority)
{
    NT_IRQL_AT_MOST(AccessMode == KernelMode ? DISPATCH_LEVEL : APC_LEVEL);
    PMDL mdl = MemoryDescriptorList;
    struct mdl *known = of(mdl, __func__);
    if (!known || !is_locked(mdl, __func__))
        return NULL;
    if (AccessMode != KernelMode || CacheType != MmCached || RequestedAddress || BugCheckOnFailure)
        nt_breach("MmMapLockedPagesSpecifyCache: not a cached mapping of the kernel that may fail");
    if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) {
        nt_breach("MmMapLockedPagesSpecifyCache: mapped before");
        return mdl->MappedSystemVa;
    }
    if (!(Priority & MdlMappingNoExecute))
        nt_breach("MmMapLockedPagesSpecifyCache: an executable mapping (no MdlMappingNoExecute)");
    if (nt_fails())
        return NULL;
    int writable = !(Priority & MdlMappingNoWrite) && mdl->MdlFlags & MDL_WRITE_OPERATION;
    char *base = nt_section_map(known->view->section, known->offset, mapped_bytes(mdl), writable);
    if (!base)
        abort();
    mdl->MappedSystemVa = base + mdl->ByteOffset;
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    known->mapped_own = nt_own;
    nt_hold(&nt_held_now.mapped_mdls, 1, nt_own);
    return mdl->MappedSystemVa;
}

static void unmap(struct mdl *known)
{
    PMDL mdl = &known->mdl;
    nt_unmap(PAGE_ALIGN(mdl->MappedSystemVa), mapped_bytes(mdl));
    mdl->MappedSystemVa = NULL;
    mdl->MdlFlags &= (SHORT)~MDL_MAPPED_TO_SYSTEM_VA;
    nt_hold(&nt_held_now.mapped_mdls, -1, known->mapped_own);
}

VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct mdl *known = of(MemoryDescriptorList, __func__);
    if (!known || !is_locked(MemoryDescriptorList, __func__))
        return;
    if (!(MemoryDescriptorList->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) ||
        BaseAddress != MemoryDescriptorList->MappedSystemVa)
        nt_breach("MmUnmapLockedPages: not mapped, or not there");
    else
        unmap(known);
}

VOID MmUnlockPages(PMDL MemoryDescriptorList)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct mdl *known = of(MemoryDescriptorList, __func__);
    if (!known || !is_locked(MemoryDescriptorList, __func__))
        return;
    if (MemoryDescriptorList->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        unmap(known);
    count_lock(known->view, -1);
    known->view = NULL;
    MemoryDescriptorList->MdlFlags &= (SHORT) ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
    nt_hold(&nt_held_now.locked_mdls, -1, known->locked_own);
}

/* ---- Device memory ---- */

struct io_space {
    struct nt_node node;
    SIZE_T bytes;
    UINT32 maps; /* of the same memory */
};

static struct nt_lock io_lock;
static struct nt_table io_spaces;

PVOID MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE CacheType)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (NumberOfBytes == 0 || CacheType != MmNonCached)
        nt_breach("MmMapIoSpace: registers are mapped non-cached, and more than 0 bytes");
    if (nt_fails())
        return NULL;
    void *memory = lab_bar((UINT64)PhysicalAddress.QuadPart, NumberOfBytes);
    if (!memory) {
        nt_breach("MmMapIoSpace: no device's memory is at %llx", (unsigned long long)PhysicalAddress.QuadPart);
        return NULL;
    }
    nt_lock_take(&io_lock);
    struct io_space *space = (struct io_space *)nt_table_find(&io_spaces, memory);
    if (!space) {
        space = nt_new(sizeof *space);
        space->bytes = NumberOfBytes;
        nt_table_add(&io_spaces, &space->node, memory);
    }
    space->maps++;
    nt_lock_give(&io_lock);
    nt_hold(&nt_held_now.io_spaces, 1, nt_own);
    return memory;
}

VOID MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    nt_lock_take(&io_lock);
    struct io_space *space = (struct io_space *)nt_table_find(&io_spaces, BaseAddress);
    int known = space && space->bytes == NumberOfBytes;
    if (known && --space->maps == 0) {
        nt_table_take(&io_spaces, BaseAddress);
        free(space);
    }
    nt_lock_give(&io_lock);
    if (known)
        nt_hold(&nt_held_now.io_spaces, -1, nt_own);
    else
        nt_breach("MmUnmapIoSpace: %p is not mapped with this size", BaseAddress);
}

ULONG READ_REGISTER_ULONG(volatile ULONG *Register)
{
    return lab_register_access((void *)(ULONG_PTR)Register, 0, 0);
}

VOID WRITE_REGISTER_ULONG(volatile ULONG *Register, ULONG Value)
{
    lab_register_access((void *)(ULONG_PTR)Register, 1, Value);
}
