/* SPDX-License-Identifier: MIT */
#include "ring_memory.h"

#include "probe.h"

/*
 * An access list that gives nobody anything: so no handle can be widened by DuplicateHandle(), nor the object opened
 * anew. The owner, which is who asked for it, could still rewrite the list; but a list that speaks of its owner's
 * rights takes from the owner what it has without one.
 */
typedef struct _NOBODY {
    SECURITY_DESCRIPTOR descriptor;
    union {
        ACL list;
        UINT8 room[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + sizeof(SID)];
    };
} NOBODY;

/* What a new unnamed object of the kernel's is made with; `nobody` is part of it. */
static NTSTATUS DescribeObject(OBJECT_ATTRIBUTES *attributes, NOBODY *nobody)
{
    static SID owner_rights = {SID_REVISION, 1, SECURITY_CREATOR_SID_AUTHORITY, {SECURITY_CREATOR_OWNER_RIGHTS_RID}};
    NTSTATUS status = RtlCreateSecurityDescriptor(&nobody->descriptor, SECURITY_DESCRIPTOR_REVISION);
    if (NT_SUCCESS(status))
        status = RtlCreateAcl(&nobody->list, sizeof nobody->room, ACL_REVISION);
    if (NT_SUCCESS(status))
        status = RtlAddAccessAllowedAce(&nobody->list, ACL_REVISION, READ_CONTROL, &owner_rights);
    if (NT_SUCCESS(status))
        status = RtlSetDaclSecurityDescriptor(&nobody->descriptor, TRUE, &nobody->list, FALSE);
    InitializeObjectAttributes(attributes, NULL, OBJ_KERNEL_HANDLE, NULL, &nobody->descriptor);
    return status;
}

static void CloseHandle(HANDLE *handle)
{
    if (*handle)
        ZwClose(*handle);
    *handle = NULL;
}

/* ---- One section ---- */

static NTSTATUS CreateObject(AVB_SECTION *section, UINT32 bytes)
{
    NOBODY nobody;
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status = DescribeObject(&attributes, &nobody);
    if (!NT_SUCCESS(status))
        return status;
    LARGE_INTEGER size = {.QuadPart = bytes};
    section->bytes = bytes;
    status = ZwCreateSection(&section->handle, SECTION_MAP_READ | SECTION_MAP_WRITE, &attributes, &size, PAGE_READWRITE,
                             SEC_COMMIT, NULL);
    if (!NT_SUCCESS(status)) {
        section->handle = NULL;
        return status;
    }
    status = ObReferenceObjectByHandle(section->handle, SECTION_MAP_READ | SECTION_MAP_WRITE, *MmSectionObjectType,
                                       KernelMode, &section->object, NULL);
    if (!NT_SUCCESS(status))
        section->object = NULL;
    return status;
}

static NTSTATUS MapAndLock(AVB_SECTION *section)
{
    SIZE_T size = section->bytes;
    NTSTATUS status = MmMapViewInSystemSpace(section->object, &section->view, &size);
    if (!NT_SUCCESS(status)) {
        section->view = NULL;
        return status;
    }
    MDL *mdl = IoAllocateMdl(section->view, section->bytes, FALSE, FALSE, NULL);
    if (!mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = AvbLockPages(mdl, IoWriteAccess);
    if (!NT_SUCCESS(status)) {
        IoFreeMdl(mdl);
        return status;
    }
    section->mdl = mdl; /* from here on: locked */
    section->address = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute);
    return section->address ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static void FreeSection(AVB_SECTION *section)
{
    if (section->mdl) {
        MmUnlockPages(section->mdl); /* which also takes its system address away */
        IoFreeMdl(section->mdl);
    }
    if (section->view)
        MmUnmapViewInSystemSpace(section->view);
    if (section->object)
        ObDereferenceObject(section->object);
    CloseHandle(&section->handle);
    RtlZeroMemory(section, sizeof *section);
}

static NTSTATUS CreateSection(AVB_SECTION *section, UINT32 bytes)
{
    NTSTATUS status = CreateObject(section, bytes);
    if (NT_SUCCESS(status))
        status = MapAndLock(section);
    return status;
}

/* ---- The event ---- */

static NTSTATUS CreateWakeEvent(AVB_RING_MEMORY *memory)
{
    NOBODY nobody;
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status = DescribeObject(&attributes, &nobody);
    if (!NT_SUCCESS(status))
        return status;
    status =
        ZwCreateEvent(&memory->wake_handle, EVENT_MODIFY_STATE | SYNCHRONIZE, &attributes, SynchronizationEvent, FALSE);
    if (!NT_SUCCESS(status)) {
        memory->wake_handle = NULL;
        return status;
    }
    PVOID object = NULL;
    status = ObReferenceObjectByHandle(memory->wake_handle, EVENT_MODIFY_STATE, *ExEventObjectType, KernelMode, &object,
                                       NULL);
    if (NT_SUCCESS(status))
        memory->wake = object;
    return status;
}

/* ---- All of it ---- */

NTSTATUS AvbRingMemoryCreate(AVB_RING_MEMORY *memory, UINT32 capacity)
{
    RtlZeroMemory(memory, sizeof *memory);
    NTSTATUS status = CreateSection(&memory->records, (UINT32)AvbRingBytes(capacity));
    if (NT_SUCCESS(status))
        status = CreateSection(&memory->consumer, sizeof(AVB_RING_CONSUMER));
    if (NT_SUCCESS(status))
        status = CreateWakeEvent(memory);
    if (!NT_SUCCESS(status))
        AvbRingMemoryFree(memory);
    return status;
}

static NTSTATUS Give(HANDLE handle, HANDLE process, ACCESS_MASK access, UINT64 *given)
{
    HANDLE theirs = NULL;
    NTSTATUS status = ZwDuplicateObject(ZwCurrentProcess(), handle, process, &theirs, access, 0, 0);
    *given = NT_SUCCESS(status) ? (UINT64)(UINT_PTR)theirs : 0;
    return status;
}

/*
 * As a handle of the process's own: one that the process has closed or protected meanwhile gives a status, where a
 * handle closed in the kernel's name would stop the system. What has then become of the number is the process's affair.
 */
static void TakeBack(PEPROCESS process, UINT64 *given)
{
    KAPC_STATE before;
    if (*given) {
        KeStackAttachProcess((PKPROCESS)process, &before);
        ObCloseHandle((HANDLE)(UINT_PTR)*given, UserMode);
        KeUnstackDetachProcess(&before);
    }
    *given = 0;
}

NTSTATUS AvbRingMemoryShare(AVB_RING_MEMORY *memory, PEPROCESS process, AVB_PTP_MONITORING *shared)
{
    HANDLE target;
    NTSTATUS status = ObOpenObjectByPointer(process, OBJ_KERNEL_HANDLE, NULL, PROCESS_DUP_HANDLE, *PsProcessType,
                                            KernelMode, &target);
    if (!NT_SUCCESS(status))
        return status;
    status = Give(memory->records.handle, target, SECTION_MAP_READ, &shared->SharedMemoryHandle);
    if (NT_SUCCESS(status))
        status = Give(memory->consumer.handle, target, SECTION_MAP_READ | SECTION_MAP_WRITE, &shared->consumer_handle);
    if (NT_SUCCESS(status))
        status = Give(memory->wake_handle, target, SYNCHRONIZE, &shared->wake_event);
    if (!NT_SUCCESS(status)) {
        TakeBack(process, &shared->SharedMemoryHandle);
        TakeBack(process, &shared->consumer_handle);
    }
    ZwClose(target);
    CloseHandle(&memory->records.handle);
    CloseHandle(&memory->consumer.handle);
    CloseHandle(&memory->wake_handle);
    shared->ring_bytes = memory->records.bytes;
    shared->consumer_bytes = memory->consumer.bytes;
    return status;
}

void AvbRingMemoryFree(AVB_RING_MEMORY *memory)
{
    FreeSection(&memory->records);
    FreeSection(&memory->consumer);
    if (memory->wake)
        ObDereferenceObject(memory->wake);
    memory->wake = NULL;
    CloseHandle(&memory->wake_handle);
}
