/* SPDX-License-Identifier: MIT */
/* The PCI device below an adapter: the NDIS double has it, and the driver reaches it through the I/O manager. */
#include "ntverify.h"
#include "verify_lab.h"

static struct verify_pci pci;
static FILE_OBJECT file;

void verify_set_pci(const struct verify_pci *given)
{
    pci = *given;
}

/* Wine tells \\DEVICE from \\Device. Such a device needs no name here: it is found by pci.device_of(). */
NTSTATUS NTAPI verify_IoCreateDevice(DRIVER_OBJECT *driver, ULONG extension, UNICODE_STRING *name, DEVICE_TYPE type,
                                     ULONG characteristics, BOOLEAN exclusive, DEVICE_OBJECT **device)
{
    UNICODE_STRING directory;
    RtlInitUnicodeString(&directory, L"\\DEVICE\\");
    if (name && name->Length > directory.Length &&
        RtlCompareMemory(name->Buffer, directory.Buffer, directory.Length) == directory.Length)
        name = NULL;
    return IoCreateDevice(driver, extension, name, type, characteristics, exclusive, device);
}

NTSTATUS NTAPI verify_IoGetDeviceObjectPointer(UNICODE_STRING *name, ACCESS_MASK access, FILE_OBJECT **file_object,
                                               DEVICE_OBJECT **device)
{
    (void)access;
    irql_at_most("IoGetDeviceObjectPointer", PASSIVE_LEVEL);
    if (nt_lab_is_to_fail())
        return STATUS_INSUFFICIENT_RESOURCES;
    DEVICE_OBJECT *found = pci.device_of ? pci.device_of(name) : NULL;
    if (!found)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    *file_object = &file;
    *device = found;
    object_lent("IoGetDeviceObjectPointer", &file);
    return STATUS_SUCCESS;
}

DEVICE_OBJECT *NTAPI verify_IoGetAttachedDeviceReference(DEVICE_OBJECT *device)
{
    irql_at_most("IoGetAttachedDeviceReference", DISPATCH_LEVEL);
    object_lent("IoGetAttachedDeviceReference", device);
    return device;
}

PVOID NTAPI verify_MmMapIoSpace(PHYSICAL_ADDRESS address, SIZE_T bytes, MEMORY_CACHING_TYPE cache)
{
    irql_at_most("MmMapIoSpace", DISPATCH_LEVEL);
    if (cache != MmNonCached)
        breach("MmMapIoSpace", "registers are not to be cached");
    if (nt_lab_is_to_fail())
        return NULL;
    void *base = pci.bar ? pci.bar((UINT64)address.QuadPart, bytes) : NULL;
    if (!base)
        breach("MmMapIoSpace", "not the memory of an attached adapter");
    else
        held_add(&held_now.io_spaces, 1);
    return base;
}

void NTAPI verify_MmUnmapIoSpace(PVOID base, SIZE_T bytes)
{
    (void)base;
    (void)bytes;
    irql_at_most("MmUnmapIoSpace", DISPATCH_LEVEL);
    held_add(&held_now.io_spaces, -1);
}
