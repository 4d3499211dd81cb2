/* SPDX-License-Identifier: MIT */
/*
 * Breaks each rule that the verifier module knows, once, so that a test sees it notice. What is taken
 * is given back: nothing is held afterwards.
 */
#include "ndislab.h"

#include "verify_lab.h"

#define TAG 'usiM'

static UINT8 *pool(void)
{
    return ExAllocatePoolWithTag(NonPagedPoolNx, 24, TAG);
}

/* ---- Pool ---- */

static void executable_pool(void)
{
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPool, 24, TAG), TAG);
}

static void other_tag(void)
{
    ExFreePoolWithTag(pool(), 'rehO');
}

static void beyond_the_end(void)
{
    volatile UINT8 *memory = pool();
    memory[24] = 1;
    ExFreePoolWithTag((PVOID)memory, TAG);
}

static void freed_twice(void)
{
    UINT8 *memory = pool();
    ExFreePoolWithTag(memory, TAG);
    ExFreePoolWithTag(memory, TAG);
}

static void written_after_free(void)
{
    volatile UINT8 *memory = pool();
    ExFreePoolWithTag((PVOID)memory, TAG);
    memory[5] = 1;
}

/* ---- IRQL and locks ---- */

static void wait_at_dispatch(void)
{
    KEVENT event;
    KIRQL irql;
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    KeLowerIrql(irql);
}

static void close_at_dispatch(void)
{
    HANDLE handle;
    OBJECT_ATTRIBUTES attributes;
    KIRQL irql;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, SynchronizationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ZwClose(handle);
    KeLowerIrql(irql);
}

static void lower_to_higher(void)
{
    KIRQL irql = KeGetCurrentIrql();
    KeLowerIrql(DISPATCH_LEVEL);
    KeLowerIrql(irql);
}

static void spin_twice(void)
{
    KSPIN_LOCK lock = 0;
    KIRQL irql, again;
    KeAcquireSpinLock(&lock, &irql);
    KeAcquireSpinLock(&lock, &again);
    KeReleaseSpinLock(&lock, irql);
}

static void spin_not_held(void)
{
    KSPIN_LOCK lock = 0;
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeReleaseSpinLock(&lock, irql);
}

/* ---- Handles and objects ---- */

static void foreign_handle(void)
{
    ZwClose((HANDLE)(UINT_PTR)0x7FFFFFF0);
}

static void closed_for_a_user(void)
{
    HANDLE handle;
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, SynchronizationEvent, FALSE);
    ObCloseHandle(handle, UserMode);
}

static void not_attached(void)
{
    KAPC_STATE state = {0};
    KeUnstackDetachProcess(&state);
}

static void user_handle(void)
{
    HANDLE handle;
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, NULL, 0, NULL, NULL);
    ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, SynchronizationEvent, FALSE);
    ZwClose(handle);
}

static void not_referenced(void)
{
    UINT64 object = 0;
    ObDereferenceObject(&object);
}

/* ---- Views and MDLs ---- */

struct mapped {
    PVOID object, view;
    MDL *mdl;
    volatile UINT8 *address;
};

static struct mapped map(void)
{
    struct mapped mapped = {0};
    HANDLE handle;
    OBJECT_ATTRIBUTES attributes;
    LARGE_INTEGER size = {.QuadPart = 4096};
    SIZE_T bytes = 4096;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateSection(&handle, SECTION_ALL_ACCESS, &attributes, &size, PAGE_READWRITE, SEC_COMMIT, NULL);
    ObReferenceObjectByHandle(handle, SECTION_ALL_ACCESS, *MmSectionObjectType, KernelMode, &mapped.object, NULL);
    ZwClose(handle);
    MmMapViewInSystemSpace(mapped.object, &mapped.view, &bytes);
    mapped.mdl = IoAllocateMdl(mapped.view, 4096, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mapped.mdl, KernelMode, IoWriteAccess);
    return mapped;
}

static void address(struct mapped *mapped, ULONG priority)
{
    mapped->address =
        MmMapLockedPagesSpecifyCache(mapped->mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority | priority);
}

static void unmap(struct mapped *mapped)
{
    MmUnmapViewInSystemSpace(mapped->view);
    ObDereferenceObject(mapped->object);
}

static void unlock(struct mapped *mapped)
{
    MmUnlockPages(mapped->mdl);
    IoFreeMdl(mapped->mdl);
}

static void touched_view(void)
{
    struct mapped mapped = map();
    *(volatile UINT8 *)mapped.view = 1;
    unlock(&mapped);
    unmap(&mapped);
}

static void touched_after_unlock(void)
{
    struct mapped mapped = map();
    address(&mapped, MdlMappingNoExecute);
    mapped.address[0] = 1;
    unlock(&mapped);
    mapped.address[0] = 2;
    unmap(&mapped);
}

static void touched_after_unmap(void)
{
    struct mapped mapped = map();
    address(&mapped, MdlMappingNoExecute);
    unlock(&mapped);
    unmap(&mapped);
    mapped.address[100] = 2;
}

static void unmapped_while_locked(void)
{
    struct mapped mapped = map();
    unmap(&mapped);
    unlock(&mapped);
}

static void executable_mapping(void)
{
    struct mapped mapped = map();
    address(&mapped, 0);
    unlock(&mapped);
    unmap(&mapped);
}

static void locked_twice(void)
{
    struct mapped mapped = map();
    MmProbeAndLockPages(mapped.mdl, KernelMode, IoWriteAccess);
    MmUnlockPages(mapped.mdl);
    mapped.mdl->MdlFlags |= MDL_PAGES_LOCKED;
    unlock(&mapped);
    unmap(&mapped);
}

static void freed_while_locked(void)
{
    struct mapped mapped = map();
    MDL *mdl = IoAllocateMdl(mapped.view, 4096, FALSE, FALSE, NULL);
    *mdl = *mapped.mdl;
    IoFreeMdl(mapped.mdl);
    mapped.mdl = mdl;
    unlock(&mapped);
    unmap(&mapped);
}

/* ---- Rundown, timers, ETW ---- */

static void rundown_not_held(void)
{
    PEX_RUNDOWN_REF_CACHE_AWARE rundown = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);
    ExReleaseRundownProtectionCacheAware(rundown);
    if (ExAcquireRundownProtectionCacheAware(rundown))
        ExFreeCacheAwareRundownProtection(rundown);
}

static void rundown_held(void)
{
    PEX_RUNDOWN_REF_CACHE_AWARE rundown = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);
    if (ExAcquireRundownProtectionCacheAware(rundown))
        ExFreeCacheAwareRundownProtection(rundown);
}

static VOID NTAPI never(PEX_TIMER timer, PVOID context)
{
    (void)timer;
    (void)context;
}

static void timer_not_awaited(void)
{
    PEX_TIMER timer = ExAllocateTimer(never, NULL, EX_TIMER_HIGH_RESOLUTION);
    ExDeleteTimer(timer, TRUE, FALSE, NULL);
}

static VOID NTAPI stays_high(PEX_TIMER timer, PVOID context)
{
    (void)timer;
    KeLowerIrql(PASSIVE_LEVEL);
    KeSetEvent(context, 0, FALSE);
}

static void timer_at_other_irql(void)
{
    KEVENT called;
    KeInitializeEvent(&called, NotificationEvent, FALSE);
    PEX_TIMER timer = ExAllocateTimer(stays_high, &called, EX_TIMER_HIGH_RESOLUTION);
    ExSetTimer(timer, -10000, 0, NULL);
    lab_await(&called);
    ExDeleteTimer(timer, TRUE, TRUE, NULL);
}

static void not_registered(void)
{
    static const EVENT_DESCRIPTOR event = {.Id = 1};
    EtwWrite(99, &event, NULL, 0, NULL);
}

/* ---- All of it ---- */

static void (*const misuses[])(void) = {
    executable_pool,
    other_tag,
    beyond_the_end,
    freed_twice,
    written_after_free,
    wait_at_dispatch,
    close_at_dispatch,
    lower_to_higher,
    spin_twice,
    spin_not_held,
    foreign_handle,
    user_handle,
    not_referenced,
    touched_view,
    touched_after_unlock,
    touched_after_unmap,
    unmapped_while_locked,
    executable_mapping,
    locked_twice,
    freed_while_locked,
    rundown_not_held,
    rundown_held,
    timer_not_awaited,
    timer_at_other_irql,
    not_registered,
    closed_for_a_user,
    not_attached,
};

int misuse(UINT32 number, char *text, UINT32 size)
{
    if (number >= sizeof misuses / sizeof misuses[0])
        return 0;
    misuses[number]();
    nt_lab_breaches(text, size);
    verify_forget_breaches();
    return 1;
}
