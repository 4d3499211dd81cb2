/* SPDX-License-Identifier: MIT */
/* Handles and references: which the driver holds. */
#include "ntdll.h"
#include "ntverify.h"
#include "verify_lab.h"

#define HANDLES 256
#define OBJECTS 256

static struct lock lock;
static HANDLE handles[HANDLES];
static struct {
    PVOID object;
    INT64 count;
    int lent; /* not Wine's */
} objects[OBJECTS];
static INT64 given; /* handles put into processes less those taken back */

/* Only its address counts. */
static UINT64 section_type;
POBJECT_TYPE verify_MmSectionObjectType = (POBJECT_TYPE)&section_type;

INT64 verify_given_handles(void)
{
    return __atomic_load_n(&given, __ATOMIC_RELAXED);
}

/* ---- Handles of the kernel ---- */

static HANDLE *find_handle(HANDLE handle)
{
    for (UINT32 i = 0; i < HANDLES; i++)
        if (handles[i] == handle)
            return &handles[i];
    return NULL;
}

static void handle_opened(const char *function, HANDLE handle)
{
    if (thread_is_own())
        return;
    lock_take(&lock);
    HANDLE *entry = find_handle(NULL);
    if (entry)
        *entry = handle;
    lock_drop(&lock);
    if (!entry)
        breach(function, "more handles than the verifier counts");
    held_add(&held_now.handles, 1);
}

static void handle_closed(const char *function, HANDLE handle)
{
    if (thread_is_own())
        return;
    lock_take(&lock);
    HANDLE *entry = handle ? find_handle(handle) : NULL;
    if (entry)
        *entry = NULL;
    lock_drop(&lock);
    if (entry)
        held_add(&held_now.handles, -1);
    else
        breach(function, "no handle of this driver");
}

static void check_attributes(const char *function, const OBJECT_ATTRIBUTES *attributes)
{
    irql_at_most(function, PASSIVE_LEVEL);
    if (!attributes || !(attributes->Attributes & OBJ_KERNEL_HANDLE))
        breach(function, "the handle is not a kernel handle");
    if (attributes && (attributes->Attributes & OBJ_INHERIT))
        breach(function, "the handle is inheritable");
}

/* S-1-3-4 in the list's first entry. */
static int speaks_of_owner(const ACL *list)
{
    static const SID owner_rights = {
        SID_REVISION, 1, SECURITY_CREATOR_SID_AUTHORITY, {SECURITY_CREATOR_OWNER_RIGHTS_RID}};
    const ACCESS_ALLOWED_ACE *entry = (const ACCESS_ALLOWED_ACE *)(const void *)(list + 1);
    return list->AceCount > 0 &&
           RtlCompareMemory(&entry->SidStart, &owner_rights, sizeof owner_rights) == sizeof owner_rights;
}

/*
 * On Windows an access list that speaks of its owner's rights takes from the owner what it has without one. Wine knows
 * nothing of that: the object belongs to the system instead, which no client here is.
 */
struct secured {
    OBJECT_ATTRIBUTES attributes;
    SECURITY_DESCRIPTOR descriptor;
};

static OBJECT_ATTRIBUTES *secure(OBJECT_ATTRIBUTES *attributes, struct secured *secured)
{
    static SID system = {SID_REVISION, 1, SECURITY_NT_AUTHORITY, {SECURITY_LOCAL_SYSTEM_RID}};
    const SECURITY_DESCRIPTOR *descriptor = attributes ? attributes->SecurityDescriptor : NULL;
    if (!descriptor || !descriptor->Dacl || !speaks_of_owner(descriptor->Dacl))
        return attributes;
    secured->attributes = *attributes;
    secured->descriptor = *descriptor;
    secured->descriptor.Owner = &system;
    secured->attributes.SecurityDescriptor = &secured->descriptor;
    return &secured->attributes;
}

NTSTATUS NTAPI verify_ZwCreateSection(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                      LARGE_INTEGER *size, ULONG protection, ULONG allocation, HANDLE file)
{
    check_attributes("ZwCreateSection", attributes);
    if (nt_lab_is_to_fail())
        return STATUS_INSUFFICIENT_RESOURCES;
    struct secured secured;
    NTSTATUS status = ZwCreateSection(handle, access, secure(attributes, &secured), size, protection, allocation, file);
    if (NT_SUCCESS(status))
        handle_opened("ZwCreateSection", *handle);
    return status;
}

NTSTATUS NTAPI verify_ZwCreateEvent(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, EVENT_TYPE type,
                                    BOOLEAN state)
{
    check_attributes("ZwCreateEvent", attributes);
    if (nt_lab_is_to_fail())
        return STATUS_INSUFFICIENT_RESOURCES;
    struct secured secured;
    NTSTATUS status = ZwCreateEvent(handle, access, secure(attributes, &secured), type, state);
    if (NT_SUCCESS(status))
        handle_opened("ZwCreateEvent", *handle);
    return status;
}

static NTSTATUS duplicate(HANDLE from, HANDLE handle, HANDLE to, HANDLE *duplicated, ACCESS_MASK access,
                          ULONG attributes, ULONG options)
{
    if (attributes & OBJ_INHERIT)
        breach("ZwDuplicateObject", "the handle is inheritable");
    if (nt_lab_is_to_fail())
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = ZwDuplicateObject(from, handle, to, duplicated, access, attributes, options);
    if (NT_SUCCESS(status) && to == NtCurrentProcess())
        handle_opened("ZwDuplicateObject", *duplicated);
    else if (NT_SUCCESS(status))
        __atomic_fetch_add(&given, 1, __ATOMIC_RELAXED);
    return status;
}

/* 0: the process has no such handle. */
static int copy_and_drop(HANDLE process, HANDLE handle, ULONG options)
{
    HANDLE copy;
    if (!NT_SUCCESS(NtDuplicateObject(process, handle, NtCurrentProcess(), &copy, 0, 0, options)))
        return 0;
    NtClose(copy);
    return 1;
}

/*
 * Closes a handle of another process. Wine does so only while it copies it, and without a word where it is protected:
 * then it still is there afterwards.
 */
static NTSTATUS close_source(HANDLE from, HANDLE handle)
{
    if (!copy_and_drop(from, handle, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
        return STATUS_INVALID_HANDLE;
    if (copy_and_drop(from, handle, DUPLICATE_SAME_ACCESS))
        return STATUS_HANDLE_NOT_CLOSABLE;
    __atomic_fetch_sub(&given, 1, __ATOMIC_RELAXED);
    return STATUS_SUCCESS;
}

/* In the kernel's name: what cannot be closed stops Windows. */
static NTSTATUS close_source_for_kernel(HANDLE from, HANDLE handle)
{
    NTSTATUS status = close_source(from, handle);
    if (!NT_SUCCESS(status))
        breach("ZwDuplicateObject", "closes a handle that is not there, or protected");
    return status;
}

NTSTATUS NTAPI verify_ZwDuplicateObject(HANDLE from, HANDLE handle, HANDLE to, HANDLE *duplicated, ACCESS_MASK access,
                                        ULONG attributes, ULONG options)
{
    irql_at_most("ZwDuplicateObject", PASSIVE_LEVEL);
    if (to)
        return duplicate(from, handle, to, duplicated, access, attributes, options);
    return close_source_for_kernel(from, handle);
}

NTSTATUS NTAPI verify_PsCreateSystemThread(HANDLE *handle, ULONG access, OBJECT_ATTRIBUTES *attributes, HANDLE process,
                                           CLIENT_ID *client, PKSTART_ROUTINE routine, PVOID context)
{
    irql_at_most("PsCreateSystemThread", PASSIVE_LEVEL);
    if (nt_lab_is_to_fail())
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = PsCreateSystemThread(handle, access, attributes, process, client, routine, context);
    if (NT_SUCCESS(status))
        handle_opened("PsCreateSystemThread", *handle);
    return status;
}

NTSTATUS NTAPI verify_ZwClose(HANDLE handle)
{
    irql_at_most("ZwClose", PASSIVE_LEVEL);
    handle_closed("ZwClose", handle);
    return ZwClose(handle);
}

/* ---- In another process ---- */

/* Wine does nothing at these. */
void NTAPI verify_KeStackAttachProcess(PKPROCESS process, KAPC_STATE *before)
{
    irql_at_most("KeStackAttachProcess", APC_LEVEL);
    before->Process = (PKPROCESS)process_attach((PEPROCESS)process);
}

void NTAPI verify_KeUnstackDetachProcess(KAPC_STATE *before)
{
    irql_at_most("KeUnstackDetachProcess", APC_LEVEL);
    if (!process_attach((PEPROCESS)before->Process))
        breach("KeUnstackDetachProcess", "the thread is not attached");
}

static NTSTATUS close_in(PEPROCESS process, HANDLE handle)
{
    HANDLE target;
    NTSTATUS status = ObOpenObjectByPointer(process, OBJ_KERNEL_HANDLE, NULL, PROCESS_DUP_HANDLE, *PsProcessType,
                                            KernelMode, &target);
    if (!NT_SUCCESS(status))
        return status;
    status = close_source(target, handle); /* which the process may have closed, or protected, itself */
    NtClose(target);
    return status;
}

/* A kernel handle, or one of the process that the thread is attached to. */
NTSTATUS NTAPI verify_ObCloseHandle(HANDLE handle, KPROCESSOR_MODE mode)
{
    irql_at_most("ObCloseHandle", PASSIVE_LEVEL);
    if ((mode == UserMode) != (process_attached() != NULL))
        breach("ObCloseHandle", "in another's name than the handle's");
    if (process_attached())
        return close_in(process_attached(), handle);
    handle_closed("ObCloseHandle", handle);
    return ZwClose(handle);
}

/* ---- References ---- */

static void note_reference(const char *function, PVOID object, int lent)
{
    UINT32 at = 0;
    if (thread_is_own())
        return;
    lock_take(&lock);
    while (at < OBJECTS && objects[at].object != object)
        at++;
    if (at == OBJECTS)
        for (at = 0; at < OBJECTS && objects[at].object;)
            at++;
    if (at < OBJECTS) {
        objects[at].object = object;
        objects[at].count++;
        objects[at].lent |= lent;
    }
    lock_drop(&lock);
    if (at == OBJECTS)
        breach(function, "more objects than the verifier counts");
    held_add(&held_now.references, 1);
}

void object_lent(const char *function, PVOID object)
{
    note_reference(function, object, 1);
}

enum reference { NOT_OURS, OF_WINE, LENT };

/* Looks the object up and, where `change` is -1, gives one reference back. */
static enum reference find_reference(PVOID object, INT64 change)
{
    enum reference found = NOT_OURS;
    lock_take(&lock);
    for (UINT32 i = 0; i < OBJECTS && found == NOT_OURS; i++) {
        if (objects[i].object != object || !object)
            continue;
        found = objects[i].lent ? LENT : OF_WINE;
        objects[i].count += change;
        if (objects[i].count == 0) {
            objects[i].object = NULL;
            objects[i].lent = 0;
        }
    }
    lock_drop(&lock);
    return found;
}

NTSTATUS NTAPI verify_ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type,
                                                KPROCESSOR_MODE mode, PVOID *object, OBJECT_HANDLE_INFORMATION *info)
{
    irql_at_most("ObReferenceObjectByHandle", PASSIVE_LEVEL);
    if (nt_lab_is_to_fail())
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = type == verify_MmSectionObjectType ? shim_make(handle, L"Section", object)
                      : type == *ExEventObjectType
                          ? shim_make(handle, L"Event", object)
                          : ObReferenceObjectByHandle(handle, access, type, mode, object, info);
    if (NT_SUCCESS(status))
        note_reference("ObReferenceObjectByHandle", *object, 0);
    return status;
}

NTSTATUS NTAPI verify_ObOpenObjectByPointer(PVOID object, ULONG attributes, PACCESS_STATE state, ACCESS_MASK access,
                                            POBJECT_TYPE type, KPROCESSOR_MODE mode, HANDLE *handle)
{
    irql_at_most("ObOpenObjectByPointer", PASSIVE_LEVEL);
    if (!(attributes & OBJ_KERNEL_HANDLE))
        breach("ObOpenObjectByPointer", "the handle is not a kernel handle");
    if (nt_lab_is_to_fail())
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = ObOpenObjectByPointer(object, attributes, state, access, type, mode, handle);
    if (NT_SUCCESS(status))
        handle_opened("ObOpenObjectByPointer", *handle);
    return status;
}

LONG_PTR FASTCALL verify_ObfReferenceObject(PVOID object)
{
    irql_at_most("ObReferenceObject", DISPATCH_LEVEL);
    enum reference known = find_reference(object, 0);
    note_reference("ObReferenceObject", object, known == LENT);
    if (known != LENT && !shim_retain(object))
        ObfReferenceObject(object);
    return 1;
}

NTSTATUS NTAPI verify_ObReferenceObjectByPointer(PVOID object, ACCESS_MASK access, POBJECT_TYPE type,
                                                 KPROCESSOR_MODE mode)
{
    (void)access;
    (void)type;
    (void)mode;
    verify_ObfReferenceObject(object);
    return STATUS_SUCCESS;
}

LONG_PTR FASTCALL verify_ObfDereferenceObject(PVOID object)
{
    irql_at_most("ObDereferenceObject", DISPATCH_LEVEL);
    enum reference known = thread_is_own() ? OF_WINE : find_reference(object, -1);
    if (known == NOT_OURS)
        breach("ObDereferenceObject", "an object without a reference of this driver");
    else if (!thread_is_own())
        held_add(&held_now.references, -1);
    if (known == OF_WINE && !shim_release(object))
        ObfDereferenceObject(object);
    return 1;
}

/* ---- Events and processes ---- */

LONG NTAPI verify_KeSetEvent(KEVENT *event, KPRIORITY increment, BOOLEAN wait)
{
    irql_at_most("KeSetEvent", wait ? APC_LEVEL : DISPATCH_LEVEL);
    HANDLE handle = shim_handle(event);
    LONG before = 0;
    if (!handle)
        return KeSetEvent(event, increment, wait);
    if (!NT_SUCCESS(NtSetEvent(handle, &before)))
        breach("KeSetEvent", "the event cannot be set");
    return before;
}

HANDLE NTAPI verify_PsGetProcessId(PEPROCESS process)
{
    UINT64 basic[6] = {0}; /* PROCESS_BASIC_INFORMATION: the process id is its fifth word */
    HANDLE handle;
    if (!NT_SUCCESS(ObOpenObjectByPointer(process, OBJ_KERNEL_HANDLE, NULL, 0x0400 /* PROCESS_QUERY_INFORMATION */,
                                          NULL, KernelMode, &handle)))
        return NULL;
    NtQueryInformationProcess(handle, 0, basic, sizeof basic, NULL);
    NtClose(handle);
    return (HANDLE)(ULONG_PTR)basic[4];
}
