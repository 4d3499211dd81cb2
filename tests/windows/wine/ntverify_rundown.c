/* SPDX-License-Identifier: MIT */
/* Rundown protection, which Wine lacks. The cache-aware kind counts in one place here. */
#include "ntverify.h"

#define RUNDOWN_TAG 'nduR'

struct rundown {
    struct lock lock;
    struct condition released;
    INT64 users;
    int closed;
    int own;
};

PEX_RUNDOWN_REF_CACHE_AWARE NTAPI verify_ExAllocateCacheAwareRundownProtection(POOL_TYPE type, ULONG tag)
{
    irql_at_most("ExAllocateCacheAwareRundownProtection", APC_LEVEL);
    (void)tag;
    if (type != NonPagedPoolNx)
        breach("ExAllocateCacheAwareRundownProtection", "not NonPagedPoolNx");
    if (nt_lab_is_to_fail())
        return NULL;
    struct rundown *rundown = ExAllocatePoolWithTag(NonPagedPool, sizeof *rundown, RUNDOWN_TAG);
    if (!rundown)
        return NULL;
    *rundown = (struct rundown){0};
    held_add(&held_now.rundowns, 1);
    return (PVOID)rundown;
}

void NTAPI verify_ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE reference)
{
    struct rundown *rundown = (PVOID)reference;
    irql_at_most("ExFreeCacheAwareRundownProtection", DISPATCH_LEVEL);
    if (rundown->users)
        breach("ExFreeCacheAwareRundownProtection", "it is held");
    held_add(&held_now.rundowns, -1);
    RtlFillMemory(rundown, sizeof *rundown, 0xDD);
    ExFreePoolWithTag(rundown, RUNDOWN_TAG);
}

BOOLEAN NTAPI verify_ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE reference)
{
    struct rundown *rundown = (PVOID)reference;
    irql_at_most("ExAcquireRundownProtection", DISPATCH_LEVEL);
    lock_take(&rundown->lock);
    int taken = !rundown->closed;
    rundown->users += taken;
    lock_drop(&rundown->lock);
    return (BOOLEAN)taken;
}

void NTAPI verify_ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE reference)
{
    struct rundown *rundown = (PVOID)reference;
    irql_at_most("ExReleaseRundownProtection", DISPATCH_LEVEL);
    lock_take(&rundown->lock);
    INT64 left = --rundown->users;
    if (left == 0)
        condition_wake(&rundown->released);
    lock_drop(&rundown->lock);
    if (left < 0)
        breach("ExReleaseRundownProtection", "it is not held");
}

void NTAPI verify_ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE reference)
{
    struct rundown *rundown = (PVOID)reference;
    irql_at_most("ExWaitForRundownProtectionRelease", APC_LEVEL);
    lock_take(&rundown->lock);
    rundown->closed = 1;
    while (rundown->users > 0)
        condition_wait(&rundown->released, &rundown->lock, FOREVER);
    lock_drop(&rundown->lock);
}

void NTAPI verify_ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE reference)
{
    struct rundown *rundown = (PVOID)reference;
    irql_at_most("ExReInitializeRundownProtection", APC_LEVEL);
    lock_take(&rundown->lock);
    int open = !rundown->closed;
    rundown->closed = 0;
    lock_drop(&rundown->lock);
    if (open)
        breach("ExReInitializeRundownProtection", "nobody has waited for it");
}

void NTAPI verify_ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE reference)
{
    struct rundown *rundown = (PVOID)reference;
    irql_at_most("ExRundownCompleted", APC_LEVEL);
    lock_take(&rundown->lock);
    rundown->closed = 1;
    INT64 users = rundown->users;
    lock_drop(&rundown->lock);
    if (users)
        breach("ExRundownCompleted", "it is held");
}
