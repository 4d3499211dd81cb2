/* SPDX-License-Identifier: MIT */
/* The PCI device below an adapter: the NDIS double has it, and the driver reaches it through the I/O manager. */
#include "ntverify.h"
#include "verify_lab.h"

static struct verify_pci pci;

void verify_set_pci(const struct verify_pci *given)
{
    pci = *given;
}

DEVICE_OBJECT *NTAPI verify_IoGetAttachedDeviceReference(DEVICE_OBJECT *device)
{
    irql_at_most("IoGetAttachedDeviceReference", DISPATCH_LEVEL);
    while (device->AttachedDevice)
        device = device->AttachedDevice;
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
