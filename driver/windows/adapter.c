/* SPDX-License-Identifier: MIT */
#include "adapter.h"

#define RUNDOWN_TAG 'rPvA'

static LIST_ENTRY adapters;
static KMUTEX control; /* a mutex, because its owner cannot be suspended */
static UINT32 generations;

void AvbAdaptersInit(void)
{
    InitializeListHead(&adapters);
    KeInitializeMutex(&control, 0);
}

PEX_RUNDOWN_REF_CACHE_AWARE AvbNewClosedRundown(void)
{
    PEX_RUNDOWN_REF_CACHE_AWARE rundown = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, RUNDOWN_TAG);
    if (rundown)
        ExWaitForRundownProtectionReleaseCacheAware(rundown);
    return rundown;
}

void AvbLockControl(void)
{
    KeWaitForSingleObject(&control, Executive, KernelMode, FALSE, NULL);
}

void AvbUnlockControl(void)
{
    KeReleaseMutex(&control, FALSE);
}

void AvbAdapterAdd(AVB_DEVICE_CONTEXT *adapter)
{
    adapter->generation = ++generations;
    InsertTailList(&adapters, &adapter->link);
}

void AvbAdapterRemove(AVB_DEVICE_CONTEXT *adapter)
{
    RemoveEntryList(&adapter->link);
}

AVB_DEVICE_CONTEXT *AvbAdapterByGuid(const UNICODE_STRING *guid)
{
    for (LIST_ENTRY *entry = adapters.Flink; entry != &adapters; entry = entry->Flink) {
        AVB_DEVICE_CONTEXT *adapter = CONTAINING_RECORD(entry, AVB_DEVICE_CONTEXT, link);
        if (RtlEqualUnicodeString(&adapter->guid, guid, TRUE))
            return adapter;
    }
    return NULL;
}

AVB_DEVICE_CONTEXT *AvbAdapterByLuid(UINT64 net_luid, UINT32 generation)
{
    for (LIST_ENTRY *entry = adapters.Flink; entry != &adapters; entry = entry->Flink) {
        AVB_DEVICE_CONTEXT *adapter = CONTAINING_RECORD(entry, AVB_DEVICE_CONTEXT, link);
        if (adapter->net_luid == net_luid && adapter->generation == generation)
            return adapter;
    }
    return NULL;
}
