/* SPDX-License-Identifier: MIT */
/* Objects with counted references, and the handles of the system and of processes to them. */
#include "nt_double.h"

#include <stdlib.h>

static struct nt_table objects;

/* ---- Objects ---- */

void *nt_object_new(enum nt_kind kind, size_t body_bytes, void (*destroy)(void *body))
{
    struct nt_object *object = NULL;
    if (posix_memalign((void **)&object, 16, sizeof *object + body_bytes))
        abort();
    memset(object, 0, sizeof *object + body_bytes);
    object->kind = kind;
    object->destroy = destroy;
    object->references = 1;
    nt_table_add(&objects, &object->node, object + 1);
    return object + 1;
}

int nt_object_is(const void *body, enum nt_kind kind)
{
    const struct nt_object *object = (const void *)nt_table_find(&objects, body);
    return object && object->kind == kind;
}

void nt_object_reference(void *body)
{
    __atomic_fetch_add(&nt_object_of(body)->references, 1, __ATOMIC_RELAXED);
}

void nt_object_release(void *body)
{
    struct nt_object *object = nt_object_of(body);
    if (__atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (__atomic_load_n(&object->driver_references, __ATOMIC_RELAXED) != 0)
        nt_breach("an object goes while the driver holds references to it");
    if (object->destroy)
        object->destroy(body);
    nt_table_take(&objects, body);
    free(object);
}

void nt_object_reference_for_driver(void *body)
{
    nt_object_reference(body);
    if (!nt_own)
        __atomic_fetch_add(&nt_object_of(body)->driver_references, 1, __ATOMIC_RELAXED);
    nt_hold(&nt_held_now.references, 1, nt_own);
}

LONG_PTR ObfReferenceObject(PVOID Object)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!nt_table_find(&objects, Object)) {
        nt_breach("ObfReferenceObject: %p is no object", Object);
        return 0;
    }
    nt_object_reference_for_driver(Object);
    return 1;
}

LONG_PTR ObfDereferenceObject(PVOID Object)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!nt_table_find(&objects, Object)) {
        nt_breach("ObfDereferenceObject: %p is no object", Object);
        return 0;
    }
    if (!nt_own && __atomic_fetch_sub(&nt_object_of(Object)->driver_references, 1, __ATOMIC_RELAXED) <= 0) {
        __atomic_fetch_add(&nt_object_of(Object)->driver_references, 1, __ATOMIC_RELAXED);
        nt_breach("ObfDereferenceObject: of an object that the driver holds no reference to");
        return 0;
    }
    nt_hold(&nt_held_now.references, -1, nt_own);
    nt_object_release(Object);
    return 0;
}

/* ---- Types ---- */

static struct _OBJECT_TYPE types[NT_KINDS] = {{NT_KIND_EVENT},  {NT_KIND_SECTION}, {NT_KIND_PROCESS},
                                              {NT_KIND_THREAD}, {NT_KIND_FILE},    {NT_KIND_DEVICE}};
static POBJECT_TYPE event_type = &types[NT_KIND_EVENT], section_type = &types[NT_KIND_SECTION],
                    process_type = &types[NT_KIND_PROCESS], thread_type = &types[NT_KIND_THREAD],
                    file_type = &types[NT_KIND_FILE];
POBJECT_TYPE *ExEventObjectType = &event_type, *MmSectionObjectType = &section_type, *PsProcessType = &process_type,
             *PsThreadType = &thread_type, *IoFileObjectType = &file_type;

static int is_of_type(void *body, POBJECT_TYPE type)
{
    return !type || nt_object_of(body)->kind == type->kind;
}

NTSTATUS ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                    KPROCESSOR_MODE AccessMode)
{
    (void)DesiredAccess;
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!is_of_type(Object, ObjectType) || (!ObjectType && AccessMode == UserMode))
        return STATUS_OBJECT_TYPE_MISMATCH;
    ObfReferenceObject(Object);
    return STATUS_SUCCESS;
}

/* ---- Tables of handles ---- */

#define KERNEL_HANDLE 0xffffffff80000000u

static int is_kernel_handle(HANDLE handle)
{
    return ((ULONG_PTR)handle & KERNEL_HANDLE) == KERNEL_HANDLE;
}

static HANDLE handle_of(PEPROCESS process, UINT32 index)
{
    ULONG_PTR value = ((ULONG_PTR)index + 1) * 4;
    return (HANDLE)(process->is_system ? value | KERNEL_HANDLE : value);
}

/* With the table's lock. */
static struct nt_handle *slot_of(PEPROCESS process, HANDLE handle)
{
    ULONG_PTR value = (ULONG_PTR)handle;
    if (process->is_system != is_kernel_handle(handle))
        return NULL;
    if (process->is_system)
        value &= ~(ULONG_PTR)KERNEL_HANDLE;
    ULONG_PTR index = value / 4 - 1;
    if (value % 4 || value == 0 || index >= process->handles.count || !process->handles.slots[index].body)
        return NULL;
    return &process->handles.slots[index];
}

int nt_handle_find(PEPROCESS process, HANDLE handle, struct nt_handle *found)
{
    nt_lock_take(&process->handles.lock);
    struct nt_handle *slot = slot_of(process, handle);
    if (slot) {
        *found = *slot;
        nt_object_reference(slot->body);
    }
    nt_lock_give(&process->handles.lock);
    return slot != NULL;
}

NTSTATUS nt_handle_take(PEPROCESS process, HANDLE handle, struct nt_handle *taken)
{
    NTSTATUS status = STATUS_SUCCESS;
    nt_lock_take(&process->handles.lock);
    struct nt_handle *slot = slot_of(process, handle);
    if (!slot) {
        status = STATUS_INVALID_HANDLE;
    } else if (slot->attributes & OBJ_PROTECT_CLOSE) {
        status = STATUS_HANDLE_NOT_CLOSABLE;
    } else {
        *taken = *slot;
        *slot = (struct nt_handle){0};
    }
    nt_lock_give(&process->handles.lock);
    return status;
}

int nt_handle_protect(PEPROCESS process, HANDLE handle, int on)
{
    nt_lock_take(&process->handles.lock);
    struct nt_handle *slot = slot_of(process, handle);
    if (slot)
        slot->attributes = (slot->attributes & ~OBJ_PROTECT_CLOSE) | (on ? OBJ_PROTECT_CLOSE : 0);
    nt_lock_give(&process->handles.lock);
    return slot != NULL;
}

void nt_handle_drop(PEPROCESS process, struct nt_handle *taken)
{
    if (process->is_system)
        nt_hold(&nt_held_now.handles, -1, taken->own);
    nt_object_release(taken->body);
}

/* With the table's lock. The lowest free one: values come again at once, as on Windows. */
static UINT32 free_slot(struct nt_handles *handles)
{
    UINT32 index = 0;
    while (index < handles->count && handles->slots[index].body)
        index++;
    if (index == handles->count) {
        handles->count = handles->count * 2 + 8;
        handles->slots = realloc(handles->slots, handles->count * sizeof *handles->slots);
        if (!handles->slots)
            abort();
        memset(&handles->slots[index], 0, (handles->count - index) * sizeof *handles->slots);
    }
    return index;
}

NTSTATUS nt_handle_put(PEPROCESS process, void *body, ACCESS_MASK access, ULONG attributes, HANDLE *handle)
{
    struct nt_handles *handles = &process->handles;
    nt_lock_take(&handles->lock);
    if (handles->closed) {
        nt_lock_give(&handles->lock);
        return STATUS_PROCESS_IS_TERMINATING;
    }
    UINT32 index = free_slot(handles);
    nt_object_reference(body);
    handles->slots[index] =
        (struct nt_handle){.body = body, .access = access, .attributes = attributes & OBJ_INHERIT, .own = nt_own};
    *handle = handle_of(process, index);
    nt_lock_give(&handles->lock);
    if (process->is_system)
        nt_hold(&nt_held_now.handles, 1, nt_own);
    return STATUS_SUCCESS;
}

void nt_handles_close_all(PEPROCESS process)
{
    struct nt_handles *handles = &process->handles;
    nt_lock_take(&handles->lock);
    handles->closed = 1;
    struct nt_handle *slots = handles->slots;
    UINT32 count = handles->count;
    handles->slots = NULL;
    handles->count = 0;
    nt_lock_give(&handles->lock);
    for (UINT32 i = 0; i < count; i++) {
        if (slots[i].body)
            nt_handle_drop(process, &slots[i]);
    }
    free(slots);
}

/* ---- Access ---- */

static ACCESS_MASK all_access(enum nt_kind kind)
{
    static const ACCESS_MASK all[NT_KINDS] = {EVENT_ALL_ACCESS,  SECTION_ALL_ACCESS, PROCESS_ALL_ACCESS,
                                              THREAD_ALL_ACCESS, FILE_ALL_ACCESS,    FILE_ALL_ACCESS};
    return all[kind];
}

int nt_access_granted(const void *body, ACCESS_MASK granted, ACCESS_MASK wanted)
{
    const struct nt_object *object = (const struct nt_object *)body - 1;
    ACCESS_MASK may = granted;
    if (!object->security.nobody)
        may |= all_access(object->kind);
    if (!object->security.system) /* who owns an object may read its list, and change it unless it says otherwise */
        may |= object->security.limited ? READ_CONTROL : READ_CONTROL | WRITE_DAC;
    return (wanted & ~may) == 0;
}

/* What the kernel gives itself. */
static ACCESS_MASK kernel_access(const void *body, ACCESS_MASK wanted)
{
    ACCESS_MASK all = all_access(((const struct nt_object *)body - 1)->kind);
    return wanted & (MAXIMUM_ALLOWED | GENERIC_ALL) ? all : wanted & all;
}

/* The one entry: its owner may look at the list, and no more. */
static int limits_owner(const ACL *list)
{
    static const SID owner_rights = {
        SID_REVISION, 1, SECURITY_CREATOR_SID_AUTHORITY, {SECURITY_CREATOR_OWNER_RIGHTS_RID}};
    const ACCESS_ALLOWED_ACE *entry = (const ACCESS_ALLOWED_ACE *)(const void *)(list + 1);
    return list->AceCount == 1 && entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && entry->Mask == READ_CONTROL &&
           memcmp(&entry->SidStart, &owner_rights, sizeof owner_rights) == 0;
}

static int read_security(const OBJECT_ATTRIBUTES *attributes, struct nt_security *security)
{
    static const SID system = {SID_REVISION, 1, SECURITY_NT_AUTHORITY, {SECURITY_LOCAL_SYSTEM_RID}};
    *security = (struct nt_security){0};
    const SECURITY_DESCRIPTOR *descriptor = attributes ? attributes->SecurityDescriptor : NULL;
    if (!descriptor)
        return 1;
    if (descriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
        return 0;
    if (descriptor->Control & SE_DACL_PRESENT && descriptor->Dacl) {
        if (descriptor->Dacl->AceCount && !limits_owner(descriptor->Dacl)) {
            nt_breach("an access list of which the double knows nothing: none but the owner's rights may be in it");
            return 0;
        }
        security->nobody = 1;
        security->limited = descriptor->Dacl->AceCount != 0;
    }
    security->system = descriptor->Owner && memcmp(descriptor->Owner, &system, sizeof system) == 0;
    return 1;
}

/* ---- The kernel's calls ---- */

static PEPROCESS table_for(const OBJECT_ATTRIBUTES *attributes)
{
    return attributes && attributes->Attributes & OBJ_KERNEL_HANDLE ? PsInitialSystemProcess : PsGetCurrentProcess();
}

/* A handle to a new object, which nobody else knows. Takes over the caller's reference. */
static NTSTATUS open_new(void *body, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes, HANDLE *handle)
{
    NTSTATUS status = nt_handle_put(table_for(attributes), body, kernel_access(body, access),
                                    attributes ? attributes->Attributes : 0, handle);
    nt_object_release(body);
    return status;
}

static NTSTATUS check_new(const OBJECT_ATTRIBUTES *attributes, struct nt_security *security, const char *function)
{
    if (attributes && attributes->Length != sizeof *attributes)
        return STATUS_INVALID_PARAMETER;
    if (attributes && attributes->ObjectName)
        nt_breach("%s: a name; the double has unnamed objects", function);
    if (!read_security(attributes, security))
        return STATUS_INVALID_SECURITY_DESCR;
    return nt_fails() ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

NTSTATUS ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                       EVENT_TYPE EventType, BOOLEAN InitialState)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    struct nt_security security;
    NTSTATUS status = check_new(ObjectAttributes, &security, __func__);
    if (!NT_SUCCESS(status))
        return status;
    PKEVENT event = nt_object_new(NT_KIND_EVENT, sizeof *event, NULL);
    nt_object_of(event)->security = security;
    KeInitializeEvent(event, EventType, InitialState);
    return open_new(event, DesiredAccess, ObjectAttributes, EventHandle);
}

NTSTATUS ZwCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                         PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection, ULONG AllocationAttributes,
                         HANDLE FileHandle)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    if (FileHandle || AllocationAttributes != SEC_COMMIT || !MaximumSize || MaximumSize->QuadPart <= 0 ||
        (SectionPageProtection != PAGE_READWRITE && SectionPageProtection != PAGE_READONLY))
        return STATUS_INVALID_PARAMETER;
    struct nt_security security;
    NTSTATUS status = check_new(ObjectAttributes, &security, __func__);
    if (!NT_SUCCESS(status))
        return status;
    struct nt_section *section = nt_section_new((UINT64)MaximumSize->QuadPart, SectionPageProtection);
    nt_object_of(section)->security = security;
    return open_new(section, DesiredAccess, ObjectAttributes, SectionHandle);
}

/* Whose table a handle is in, for a call from the kernel. */
static PEPROCESS process_of(HANDLE handle)
{
    return is_kernel_handle(handle) ? PsInitialSystemProcess : PsGetCurrentProcess();
}

/* In the name of the process: it may have closed it itself, or protected it. */
static NTSTATUS close_for_process(PEPROCESS process, HANDLE handle)
{
    struct nt_handle taken;
    NTSTATUS status = nt_handle_take(process, handle, &taken);
    if (NT_SUCCESS(status))
        nt_handle_drop(process, &taken);
    return status;
}

/* In the kernel's name: what cannot be closed stops the system (INVALID_KERNEL_HANDLE). */
static NTSTATUS close_for_kernel(PEPROCESS process, HANDLE handle, const char *function)
{
    NTSTATUS status = close_for_process(process, handle);
    if (!NT_SUCCESS(status))
        nt_breach("%s: %p %s", function, handle,
                  status == STATUS_INVALID_HANDLE ? "is no handle" : "is protected from being closed");
    return status;
}

NTSTATUS ZwClose(HANDLE Handle)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    return close_for_kernel(process_of(Handle), Handle, __func__);
}

NTSTATUS ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    if (PreviousMode == KernelMode)
        return close_for_kernel(process_of(Handle), Handle, __func__);
    return is_kernel_handle(Handle) ? STATUS_INVALID_HANDLE : close_for_process(PsGetCurrentProcess(), Handle);
}

NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                   KPROCESSOR_MODE AccessMode, PVOID *Object,
                                   POBJECT_HANDLE_INFORMATION HandleInformation)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    *Object = NULL;
    if (AccessMode == KernelMode && !is_kernel_handle(Handle) && !PsGetCurrentProcess()->is_system)
        nt_breach("ObReferenceObjectByHandle: a process's handle %p with KernelMode", Handle);
    struct nt_handle found;
    if ((AccessMode == UserMode && is_kernel_handle(Handle)) || !nt_handle_find(process_of(Handle), Handle, &found))
        return STATUS_INVALID_HANDLE;
    NTSTATUS status = STATUS_SUCCESS;
    if (!is_of_type(found.body, ObjectType))
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (AccessMode == UserMode && DesiredAccess & ~found.access)
        status = STATUS_ACCESS_DENIED;
    else if (nt_fails())
        status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(status)) {
        nt_object_reference_for_driver(found.body);
        *Object = found.body;
        if (HandleInformation)
            *HandleInformation = (OBJECT_HANDLE_INFORMATION){found.attributes, found.access};
    }
    nt_object_release(found.body);
    return status;
}

NTSTATUS ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState, ACCESS_MASK DesiredAccess,
                               POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode, PHANDLE Handle)
{
    (void)PassedAccessState;
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    if (!nt_table_find(&objects, Object)) {
        nt_breach("ObOpenObjectByPointer: %p is no object", Object);
        return STATUS_INVALID_PARAMETER;
    }
    if (!is_of_type(Object, ObjectType))
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (AccessMode == UserMode && !nt_access_granted(Object, 0, DesiredAccess))
        return STATUS_ACCESS_DENIED;
    if (nt_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    OBJECT_ATTRIBUTES attributes = {.Attributes = HandleAttributes};
    return nt_handle_put(table_for(&attributes), Object, kernel_access(Object, DesiredAccess), HandleAttributes,
                         Handle);
}

/* The process that a handle names, with a reference. */
static NTSTATUS process_by_handle(HANDLE handle, PEPROCESS *process)
{
    if (handle == ZwCurrentProcess()) {
        *process = PsGetCurrentProcess();
        nt_object_reference(*process);
        return STATUS_SUCCESS;
    }
    struct nt_handle found;
    if (!nt_handle_find(process_of(handle), handle, &found))
        return STATUS_INVALID_HANDLE;
    NTSTATUS status = STATUS_SUCCESS;
    if (!is_of_type(found.body, process_type))
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (!(found.access & PROCESS_DUP_HANDLE))
        status = STATUS_ACCESS_DENIED;
    *process = found.body;
    if (!NT_SUCCESS(status))
        nt_object_release(found.body);
    return status;
}

/* Copies `source` into the target; the caller has a reference to its object. */
static NTSTATUS duplicate_into(HANDLE target_process, const struct nt_handle *source, ACCESS_MASK access,
                               ULONG attributes, ULONG options, HANDLE *target)
{
    PEPROCESS process;
    NTSTATUS status = process_by_handle(target_process, &process);
    if (!NT_SUCCESS(status))
        return status;
    if (attributes & OBJ_KERNEL_HANDLE && process != PsInitialSystemProcess) {
        nt_object_release(process);
        process = PsInitialSystemProcess;
        nt_object_reference(process);
    }
    if (options & DUPLICATE_SAME_ACCESS)
        access = source->access;
    if (options & DUPLICATE_SAME_ATTRIBUTES)
        attributes = source->attributes;
    HANDLE handle = NULL;
    status = nt_fails()
                 ? STATUS_INSUFFICIENT_RESOURCES
                 : nt_handle_put(process, source->body, kernel_access(source->body, access), attributes, &handle);
    if (target)
        *target = handle;
    nt_object_release(process);
    return status;
}

NTSTATUS ZwDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle, HANDLE TargetProcessHandle,
                           PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    if (TargetHandle)
        *TargetHandle = NULL;
    PEPROCESS source_process;
    NTSTATUS status = process_by_handle(SourceProcessHandle, &source_process);
    if (!NT_SUCCESS(status))
        return status;
    PEPROCESS table = is_kernel_handle(SourceHandle) ? PsInitialSystemProcess : source_process;
    struct nt_handle source;
    if (!nt_handle_find(table, SourceHandle, &source)) {
        if (Options & DUPLICATE_CLOSE_SOURCE) /* it might as well have gone a moment later */
            close_for_kernel(table, SourceHandle, __func__);
        nt_object_release(source_process);
        return STATUS_INVALID_HANDLE;
    }
    if (TargetProcessHandle)
        status = duplicate_into(TargetProcessHandle, &source, DesiredAccess, HandleAttributes, Options, TargetHandle);
    else if (!(Options & DUPLICATE_CLOSE_SOURCE))
        status = STATUS_INVALID_PARAMETER;
    if (Options & DUPLICATE_CLOSE_SOURCE)
        close_for_kernel(table, SourceHandle, __func__);
    nt_object_release(source.body);
    nt_object_release(source_process);
    return status;
}
