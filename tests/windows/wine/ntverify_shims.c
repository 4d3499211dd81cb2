/* SPDX-License-Identifier: MIT */
/*
 * Objects that Wine's kernel does not have as such, or cannot use as the driver does: a section is none, and an event
 * is signalled by a handle that is opened for it, which the event's own access list may forbid. Each is a duplicate
 * of the handle that it was referenced by.
 */
#include "ntdll.h"
#include "ntverify.h"

#define SHIM_TAG 'mihS'

struct shim {
    struct shim *next;
    HANDLE handle;
    INT64 references;
};

static struct lock lock;
static struct shim *shims;

static struct shim **find(PVOID object)
{
    struct shim **at = &shims;
    while (*at && *at != object)
        at = &(*at)->next;
    return at;
}

/* By the name of its type: whatever the handle grants. */
static int is_of_type(HANDLE handle, const WCHAR *name)
{
    struct {
        UNICODE_STRING name;
        UINT64 more[60];
    } type; /* OBJECT_TYPE_INFORMATION and the name */
    UNICODE_STRING wanted;
    RtlInitUnicodeString(&wanted, name);
    return NT_SUCCESS(NtQueryObject(handle, ObjectTypeInformation, &type, sizeof type, NULL)) &&
           RtlEqualUnicodeString(&type.name, &wanted, FALSE);
}

NTSTATUS shim_make(HANDLE handle, const WCHAR *type, PVOID *object)
{
    if (!is_of_type(handle, type))
        return STATUS_OBJECT_TYPE_MISMATCH;
    struct shim *shim = ExAllocatePoolWithTag(NonPagedPool, sizeof *shim, SHIM_TAG);
    if (!shim)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status =
        NtDuplicateObject(NtCurrentProcess(), handle, NtCurrentProcess(), &shim->handle, 0, 0, DUPLICATE_SAME_ACCESS);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(shim, SHIM_TAG);
        return status;
    }
    shim->references = 1;
    lock_take(&lock);
    shim->next = shims;
    shims = shim;
    lock_drop(&lock);
    *object = shim;
    return STATUS_SUCCESS;
}

HANDLE shim_handle(PVOID object)
{
    lock_take(&lock);
    const struct shim *shim = *find(object);
    lock_drop(&lock);
    return shim ? shim->handle : NULL;
}

int shim_retain(PVOID object)
{
    lock_take(&lock);
    struct shim *shim = *find(object);
    if (shim)
        shim->references++;
    lock_drop(&lock);
    return shim != NULL;
}

int shim_release(PVOID object)
{
    lock_take(&lock);
    struct shim **at = find(object), *shim = *at;
    int last = shim && --shim->references == 0;
    if (last)
        *at = shim->next;
    lock_drop(&lock);
    if (last) {
        NtClose(shim->handle);
        ExFreePoolWithTag(shim, SHIM_TAG);
    }
    return shim != NULL;
}
