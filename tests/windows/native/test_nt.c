/* SPDX-License-Identifier: MIT */
/* The kernel double: what it does, and that it notices each breach that it says it notices. */
#include "nt_sample.h"

#include "probe.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TAG 0x41547374u

static LARGE_INTEGER milliseconds(LONGLONG ms)
{
    return (LARGE_INTEGER){.QuadPart = -ms * 10000};
}

static NTSTATUS wait_for(void *object, LONGLONG ms)
{
    LARGE_INTEGER timeout = milliseconds(ms);
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout);
}

static int clean(void **state)
{
    (void)state;
    nt_lab_fail_nth(0);
    nt_lab_forgive();
    return 0;
}

static int nothing_left(void **state)
{
    (void)state;
    sample_no_breach();
    sample_nothing_held();
    return 0;
}

static void run(void *(*routine)(void *), void *argument, int threads)
{
    pthread_t started[8];
    for (int i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&started[i], NULL, routine, argument), 0);
    for (int i = 0; i < threads; i++)
        pthread_join(started[i], NULL);
}

/* ---- Pool ---- */

static void pool_is_counted(void **state)
{
    (void)state;
    struct nt_lab_held held;
    UINT8 *memory = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
    assert_int_equal(memory[0], 0xA5);
    assert_int_equal(memory[99], 0xA5);
    nt_lab_held(&held);
    assert_int_equal(held.pool, 1);
    assert_int_equal(held.pool_bytes, 100);
    ExFreePoolWithTag(memory, TAG);

    nt_lab_own(1);
    memory = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
    nt_lab_own(0);
    sample_nothing_held();
    ExFreePoolWithTag(memory, TAG);
    sample_nothing_held();
}

static void pool_breaches(void **state)
{
    (void)state;
    void *memory = ExAllocatePoolWithTag(NonPagedPoolNx, 8, TAG);
    ExFreePoolWithTag(memory, TAG + 1);
    sample_breach("tag");
    ExFreePoolWithTag(memory, TAG);
    sample_breach("not allocated");
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPool, 8, TAG), TAG);
    sample_breach("executable");
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPoolNx, 0, TAG), TAG);
    sample_breach("size");
    KIRQL old = KeRaiseIrqlToDpcLevel();
    memory = ExAllocatePoolWithTag(PagedPool, 8, TAG);
    sample_breach("ExAllocatePoolWithTag: called at IRQL 2");
    ExFreePoolWithTag(memory, TAG);
    sample_breach("ExFreePoolWithTag: called at IRQL 2");
    KeLowerIrql(old);
}

static void the_nth_call_fails(void **state)
{
    (void)state;
    for (UINT64 n = 1; n <= 5; n++) {
        nt_lab_fail_nth(n);
        for (UINT64 i = 1; i <= 5; i++) {
            void *memory = ExAllocatePoolWithTag(NonPagedPoolNx, 8, TAG);
            assert_int_equal(memory == NULL, i == n);
            if (memory)
                ExFreePoolWithTag(memory, TAG);
        }
        assert_int_equal(nt_lab_fail_nth(0), 5);
    }
    nt_lab_own(1);
    assert_int_equal(nt_lab_is_to_fail(), 0);
    nt_lab_own(0);
    assert_int_equal(nt_lab_fail_nth(1), 0);
    assert_int_equal(nt_lab_is_to_fail(), 1);
    assert_int_equal(nt_lab_is_to_fail(), 0);
}

/* ---- IRQL and spin locks ---- */

static void irql_breaches(void **state)
{
    (void)state;
    HANDLE handle;
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    assert_int_equal(old, PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_int_equal(wait_for(&event, 0), STATUS_SUCCESS);
    sample_no_breach();
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    sample_breach("KeWaitForSingleObject");
    PAGED_CODE();
    sample_breach("IRQL");
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    sample_breach("ZwCreateEvent");
    KeLowerIrql(old);
    ZwClose(handle);
    KeLowerIrql(DISPATCH_LEVEL);
    sample_breach("KeLowerIrql");
    KeLowerIrql(PASSIVE_LEVEL);
}

static void spin_lock_breaches(void **state)
{
    (void)state;
    KSPIN_LOCK lock;
    KIRQL irql;
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    KeAcquireSpinLockAtDpcLevel(&lock);
    sample_breach("twice");
    KeReleaseSpinLockFromDpcLevel(&lock);
    KeReleaseSpinLock(&lock, irql);
    sample_breach("does not hold");
    KeAcquireSpinLockAtDpcLevel(&lock);
    sample_breach("IRQL 0");
    KeReleaseSpinLockFromDpcLevel(&lock);
    nt_lab_forgive();
    KeLowerIrql(PASSIVE_LEVEL);
}

struct counted {
    KSPIN_LOCK spin;
    KMUTEX mutex;
    UINT64 under_spin, under_mutex; /* plain: the locks are all that orders them */
};

static void *count_under_locks(void *argument)
{
    struct counted *counted = argument;
    for (int i = 0; i < 2000; i++) {
        KIRQL irql;
        KeAcquireSpinLock(&counted->spin, &irql);
        counted->under_spin++;
        KeReleaseSpinLock(&counted->spin, irql);
        KeWaitForSingleObject(&counted->mutex, Executive, KernelMode, FALSE, NULL);
        counted->under_mutex++;
        KeReleaseMutex(&counted->mutex, FALSE);
    }
    return NULL;
}

static void locks_exclude(void **state)
{
    (void)state;
    struct counted counted = {0};
    KeInitializeSpinLock(&counted.spin);
    KeInitializeMutex(&counted.mutex, 0);
    run(count_under_locks, &counted, 4);
    assert_int_equal(counted.under_spin, 8000);
    assert_int_equal(counted.under_mutex, 8000);
}

/* ---- Events and mutexes ---- */

static void events(void **state)
{
    (void)state;
    KEVENT event;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    assert_int_equal(wait_for(&event, 0), STATUS_TIMEOUT);
    assert_int_equal(wait_for(&event, 2), STATUS_TIMEOUT);
    assert_int_equal(KeSetEvent(&event, 0, FALSE), 0);
    assert_int_equal(KeSetEvent(&event, 0, FALSE), 1);
    assert_int_equal(wait_for(&event, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&event, 0), STATUS_TIMEOUT);
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    assert_int_equal(wait_for(&event, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&event, 0), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&event), 1);
    KeClearEvent(&event);
    assert_int_equal(KeReadStateEvent(&event), 0);
    KEVENT never = {0};
    KeSetEvent(&never, 0, FALSE);
    sample_breach("not an initialised event");
}

struct ping {
    KEVENT there, back;
    UINT64 value; /* plain */
};

static void *answer(void *argument)
{
    struct ping *ping = argument;
    for (int i = 0; i < 500; i++) {
        KeWaitForSingleObject(&ping->there, Executive, KernelMode, FALSE, NULL);
        ping->value++;
        KeSetEvent(&ping->back, 0, FALSE);
    }
    return NULL;
}

static void events_wake_and_order(void **state)
{
    (void)state;
    struct ping ping = {0};
    KeInitializeEvent(&ping.there, SynchronizationEvent, FALSE);
    KeInitializeEvent(&ping.back, SynchronizationEvent, FALSE);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer, &ping), 0);
    for (int i = 0; i < 500; i++) {
        ping.value++;
        KeSetEvent(&ping.there, 0, FALSE);
        KeWaitForSingleObject(&ping.back, Executive, KernelMode, FALSE, NULL);
    }
    pthread_join(thread, NULL);
    assert_int_equal(ping.value, 1000);
}

static void *try_mutex(void *mutex)
{
    NTSTATUS status = wait_for(mutex, 5);
    if (NT_SUCCESS(status) && status != STATUS_TIMEOUT)
        KeReleaseMutex(mutex, FALSE);
    KeReleaseMutex(mutex, FALSE); /* not held: a breach */
    return (void *)(intptr_t)status;
}

static void mutexes(void **state)
{
    (void)state;
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(wait_for(&mutex, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&mutex, 0), STATUS_SUCCESS);
    pthread_t thread;
    void *status;
    assert_int_equal(pthread_create(&thread, NULL, try_mutex, &mutex), 0);
    pthread_join(thread, &status);
    assert_int_equal((intptr_t)status, STATUS_TIMEOUT);
    sample_breach("KeReleaseMutex");
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), -1);
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), 0);
    assert_int_equal(pthread_create(&thread, NULL, try_mutex, &mutex), 0);
    pthread_join(thread, &status);
    assert_int_equal((intptr_t)status, STATUS_SUCCESS);
    sample_breach("KeReleaseMutex");
}

/* ---- Rundown ---- */

static void rundown_breaches(void **state)
{
    (void)state;
    PEX_RUNDOWN_REF_CACHE_AWARE rundown = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);
    assert_true(ExAcquireRundownProtectionCacheAware(rundown));
    ExReInitializeRundownProtectionCacheAware(rundown);
    sample_breach("not run down");
    ExRundownCompletedCacheAware(rundown);
    sample_breach("not waited for");
    ExReleaseRundownProtectionCacheAware(rundown);
    ExReleaseRundownProtectionCacheAware(rundown);
    ExWaitForRundownProtectionReleaseCacheAware(rundown);
    sample_breach("more was given back");
    assert_false(ExAcquireRundownProtectionCacheAware(rundown));
    ExReleaseRundownProtectionCacheAware(rundown);
    sample_breach("more than were taken");
    ExFreeCacheAwareRundownProtection(rundown);
    sample_breach("-2 protections are held");
    ExFreeCacheAwareRundownProtection(rundown);
    sample_breach("not allocated");

    rundown = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);
    assert_true(ExAcquireRundownProtectionCacheAware(rundown));
    ExFreeCacheAwareRundownProtection(rundown);
    sample_breach("1 protections are held");
}

struct guarded {
    PEX_RUNDOWN_REF_CACHE_AWARE rundown;
    UINT64 *thing; /* plain: NULL while run down */
    UINT32 stop;   /* atomic */
    UINT64 used;   /* atomic */
};

static void *use_guarded(void *argument)
{
    struct guarded *guarded = argument;
    while (!__atomic_load_n(&guarded->stop, __ATOMIC_RELAXED)) {
        if (!ExAcquireRundownProtectionCacheAware(guarded->rundown)) {
            sched_yield();
            continue;
        }
        UINT64 sum = 0;
        for (int i = 0; i < 16; i++)
            sum += guarded->thing[i];
        __atomic_fetch_add(&guarded->used, sum, __ATOMIC_RELAXED);
        ExReleaseRundownProtectionCacheAware(guarded->rundown);
    }
    return NULL;
}

static UINT64 *new_thing(void)
{
    UINT64 *thing = malloc(16 * sizeof *thing);
    assert_non_null(thing);
    for (int i = 0; i < 16; i++)
        thing[i] = 1;
    return thing;
}

/* What is protected is taken away and freed 300 times under four users: a sanitizer sees one that is too early. */
static void rundown_waits(void **state)
{
    (void)state;
    struct guarded guarded = {.rundown = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG)};
    guarded.thing = new_thing();
    pthread_t users[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&users[i], NULL, use_guarded, &guarded), 0);
    for (int i = 0; i < 300; i++) {
        UINT64 used = __atomic_load_n(&guarded.used, __ATOMIC_RELAXED);
        while (__atomic_load_n(&guarded.used, __ATOMIC_RELAXED) == used)
            sched_yield();
        ExWaitForRundownProtectionReleaseCacheAware(guarded.rundown);
        ExRundownCompletedCacheAware(guarded.rundown);
        free(guarded.thing);
        guarded.thing = NULL;
        assert_false(ExAcquireRundownProtectionCacheAware(guarded.rundown));
        guarded.thing = new_thing();
        ExReInitializeRundownProtectionCacheAware(guarded.rundown);
    }
    __atomic_store_n(&guarded.stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++)
        pthread_join(users[i], NULL);
    ExWaitForRundownProtectionReleaseCacheAware(guarded.rundown);
    free(guarded.thing);
    ExFreeCacheAwareRundownProtection(guarded.rundown);
}

static void *release_here(void *rundown)
{
    usleep(2000);
    ExReleaseRundownProtectionCacheAware(rundown);
    return NULL;
}

/* Taken by one thread, given back by others, whose slots are other ones; the wait ends with the last of them. */
static void protection_may_be_given_back_elsewhere(void **state)
{
    (void)state;
    PEX_RUNDOWN_REF_CACHE_AWARE rundown = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++)
            assert_true(ExAcquireRundownProtectionCacheAware(rundown));
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, release_here, rundown), 0);
        if (round == 1) { /* all given back before anybody waits */
            for (int i = 0; i < 4; i++)
                pthread_join(threads[i], NULL);
        }
        ExWaitForRundownProtectionReleaseCacheAware(rundown);
        for (int i = 0; i < 4 && round == 0; i++)
            pthread_join(threads[i], NULL);
        ExReInitializeRundownProtectionCacheAware(rundown);
    }
    ExFreeCacheAwareRundownProtection(rundown);
}

/* ---- Sections, views, MDLs ---- */

/* Whether the kernel of this machine can read there, or write what is there. */
static int is_accessible(void *address, int write)
{
    int ends[2];
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    long moved = write ? syscall(SYS_write, ends[1], &byte, 1) : syscall(SYS_write, ends[1], address, 1);
    if (moved == 1)
        moved = write ? syscall(SYS_read, ends[0], address, 1) : 1;
    close(ends[0]);
    close(ends[1]);
    return moved == 1;
}

struct shared {
    HANDLE handle;
    PVOID object, view, address;
    PMDL mdl;
    SIZE_T bytes;
};

enum { ANYBODY, NOBODY, NOBODY_BUT_SYSTEM };

static NTSTATUS create_section(HANDLE *handle, int who)
{
    SECURITY_DESCRIPTOR descriptor;
    ACL acl;
    SID system = {SID_REVISION, 1, SECURITY_NT_AUTHORITY, {SECURITY_LOCAL_SYSTEM_RID}};
    assert_int_equal(RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION), 0);
    assert_int_equal(RtlCreateAcl(&acl, sizeof acl, ACL_REVISION), 0);
    assert_int_equal(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, &acl, FALSE), 0);
    if (who == NOBODY_BUT_SYSTEM)
        assert_int_equal(RtlSetOwnerSecurityDescriptor(&descriptor, &system, FALSE), 0);
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, who == ANYBODY ? NULL : &descriptor);
    LARGE_INTEGER size = {.QuadPart = 5000};
    return ZwCreateSection(handle, SECTION_MAP_READ | SECTION_MAP_WRITE, &attributes, &size, PAGE_READWRITE, SEC_COMMIT,
                           NULL);
}

static NTSTATUS start_sharing(struct shared *shared)
{
    *shared = (struct shared){.bytes = 5000};
    NTSTATUS status = create_section(&shared->handle, NOBODY);
    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(shared->handle, SECTION_MAP_WRITE, *MmSectionObjectType, KernelMode,
                                           &shared->object, NULL);
    if (NT_SUCCESS(status))
        status = MmMapViewInSystemSpace(shared->object, &shared->view, &shared->bytes);
    if (!NT_SUCCESS(status))
        return status;
    shared->mdl = IoAllocateMdl(shared->view, 5000, FALSE, FALSE, NULL);
    if (!shared->mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = AvbLockPages(shared->mdl, IoWriteAccess);
    if (!NT_SUCCESS(status)) {
        IoFreeMdl(shared->mdl);
        shared->mdl = NULL;
        return status;
    }
    shared->address = MmGetSystemAddressForMdlSafe(shared->mdl, NormalPagePriority | MdlMappingNoExecute);
    return shared->address ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static void stop_sharing(struct shared *shared)
{
    if (shared->mdl) {
        MmUnlockPages(shared->mdl);
        IoFreeMdl(shared->mdl);
    }
    if (shared->view)
        MmUnmapViewInSystemSpace(shared->view);
    if (shared->object)
        ObDereferenceObject(shared->object);
    if (shared->handle)
        ZwClose(shared->handle);
}

static void a_locked_view_is_not_to_be_touched(void **state)
{
    (void)state;
    struct shared shared;
    assert_int_equal(start_sharing(&shared), STATUS_SUCCESS);
    assert_int_equal(shared.bytes, 8192);
    assert_ptr_not_equal(shared.view, shared.address);
    assert_false(is_accessible(shared.view, 0));
    assert_false(is_accessible(shared.view, 1));
    memset(shared.address, 7, 5000);
    struct nt_lab_held held;
    nt_lab_held(&held);
    assert_int_equal(held.handles + held.references + held.views + held.mdls + held.locked_mdls + held.mapped_mdls, 6);
    MmUnlockPages(shared.mdl);
    assert_false(is_accessible(shared.address, 0));
    assert_int_equal(((UINT8 *)shared.view)[4999], 7);
    assert_true(is_accessible(shared.view, 1));
    IoFreeMdl(shared.mdl);
    shared.mdl = NULL;
    stop_sharing(&shared);
}

static void every_step_of_sharing_may_fail(void **state)
{
    (void)state;
    struct shared shared;
    nt_lab_fail_nth(0);
    assert_int_equal(start_sharing(&shared), STATUS_SUCCESS);
    stop_sharing(&shared);
    UINT64 calls = nt_lab_fail_nth(0);
    assert_int_equal(calls, 6);
    for (UINT64 n = 1; n <= calls; n++) {
        nt_lab_fail_nth(n);
        assert_false(NT_SUCCESS(start_sharing(&shared)));
        stop_sharing(&shared);
        sample_no_breach();
        sample_nothing_held();
    }
    nt_lab_fail_nth(0);
}

static void memory_breaches(void **state)
{
    (void)state;
    struct shared shared;
    assert_int_equal(start_sharing(&shared), STATUS_SUCCESS);
    MmMapLockedPagesSpecifyCache(shared.mdl, KernelMode, MmCached, NULL, FALSE,
                                 NormalPagePriority | MdlMappingNoExecute);
    sample_breach("mapped before");
    MmUnmapViewInSystemSpace(shared.view);
    sample_breach("its pages are locked");
    IoFreeMdl(shared.mdl);
    sample_breach("IoFreeMdl: its pages are locked");
    AvbLockPages(shared.mdl, IoWriteAccess);
    sample_breach("MmProbeAndLockPages");
    MmUnlockPages(shared.mdl);
    MmUnlockPages(shared.mdl);
    sample_breach("not locked");
    assert_null(MmGetSystemAddressForMdlSafe(shared.mdl, NormalPagePriority));
    sample_breach("not locked");
    assert_int_equal(AvbLockPages(shared.mdl, IoWriteAccess), STATUS_SUCCESS);
    assert_non_null(MmGetSystemAddressForMdlSafe(shared.mdl, NormalPagePriority));
    sample_breach("executable");
    MmUnmapLockedPages(shared.view, shared.mdl);
    sample_breach("MmUnmapLockedPages");
    MmUnmapLockedPages(shared.mdl->MappedSystemVa, shared.mdl);
    stop_sharing(&shared);
    MmUnmapViewInSystemSpace(shared.view);
    sample_breach("no view");
    IoFreeMdl(shared.mdl);
    sample_breach("no MDL");

    UINT8 bytes[8];
    PMDL mdl = IoAllocateMdl(bytes, sizeof bytes, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), bytes);
    IoFreeMdl(mdl);
}

static void device_memory(void **state)
{
    (void)state;
    PHYSICAL_ADDRESS physical = {.QuadPart = 0x1000};
    UINT32 registers[1024] = {0};
    sample.bar = (UINT8 *)registers;
    UINT8 *base = MmMapIoSpace(physical, 4096, MmNonCached);
    assert_non_null(base);
    WRITE_REGISTER_ULONG((volatile ULONG *)(void *)(base + 8), 0x12345678);
    assert_int_equal(READ_REGISTER_ULONG((volatile ULONG *)(void *)(base + 8)), 0x12345678);
    MmUnmapIoSpace(base, 100);
    sample_breach("MmUnmapIoSpace");
    MmUnmapIoSpace(base, 4096);
    MmUnmapIoSpace(base, 4096);
    sample_breach("MmUnmapIoSpace");
    physical.QuadPart = 0x800;
    assert_null(MmMapIoSpace(physical, 4096, MmNonCached));
    sample_breach("no device's memory");
    sample.bar = NULL;
}

/* ---- Handles ---- */

static HANDLE open_process(lab_process *process, PEPROCESS *object)
{
    *object = NULL;
    HANDLE handle;
    assert_true(lab_object_of(process, (void **)object));
    assert_int_equal(ObOpenObjectByPointer(*object, OBJ_KERNEL_HANDLE, NULL, PROCESS_DUP_HANDLE, *PsProcessType,
                                           KernelMode, &handle),
                     STATUS_SUCCESS);
    return handle;
}

static UINT64 give(HANDLE handle, HANDLE process, ACCESS_MASK access)
{
    HANDLE theirs;
    assert_int_equal(ZwDuplicateObject(ZwCurrentProcess(), handle, process, &theirs, access, 0, 0), STATUS_SUCCESS);
    return (UINT64)(ULONG_PTR)theirs;
}

static void handles_grant_what_they_grant(void **state)
{
    (void)state;
    static const struct {
        int who;
        int wider, list; /* DuplicateHandle() for writing, for WRITE_DAC */
    } cases[] = {{ANYBODY, 1, 1}, {NOBODY, 0, 1}, {NOBODY_BUT_SYSTEM, 0, 0}};
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        lab_process *process = lab_process_start();
        PEPROCESS object;
        HANDLE section, target = open_process(process, &object);
        assert_int_equal(create_section(&section, cases[i].who), STATUS_SUCCESS);
        UINT64 handle = give(section, target, SECTION_MAP_READ), bytes;
        assert_int_equal(lab_handle_access(process, handle), SECTION_MAP_READ);
        assert_false(lab_handle_inheritable(process, handle));
        assert_int_equal(lab_process_handles(process), 1);
        UINT8 *view = lab_map(process, handle, 0, &bytes);
        assert_int_equal(bytes, 8192);
        assert_int_equal(view[0], 0);
        assert_false(is_accessible(view, 1));
        assert_null(lab_map(process, handle, 1, &bytes));

        UINT64 same = lab_duplicate_handle(process, handle, SECTION_MAP_READ);
        UINT64 wider = lab_duplicate_handle(process, handle, SECTION_MAP_READ | SECTION_MAP_WRITE);
        UINT64 list = lab_duplicate_handle(process, handle, WRITE_DAC);
        assert_true(same);
        assert_int_equal(wider != 0, cases[i].wider);
        assert_int_equal(list != 0, cases[i].list);
        assert_int_equal(lab_process_handles(process), 2 + (wider != 0) + (list != 0));
        if (wider) {
            UINT8 *writable = lab_map(process, wider, 1, &bytes);
            writable[5] = 9;
            assert_int_equal(view[5], 9);
        }
        assert_true(lab_close_handle(process, same));
        assert_false(lab_close_handle(process, same));
        assert_int_equal(ZwDuplicateObject(target, (HANDLE)(ULONG_PTR)handle, NULL, NULL, 0, 0, DUPLICATE_CLOSE_SOURCE),
                         STATUS_SUCCESS);
        assert_int_equal(lab_handle_access(process, handle), 0);
        assert_int_equal(view[0], 0); /* a view outlives its handle */
        lab_process_kill(process);
        HANDLE nothing;
        assert_int_equal(ZwDuplicateObject(ZwCurrentProcess(), section, target, &nothing, SECTION_MAP_READ, 0, 0),
                         STATUS_PROCESS_IS_TERMINATING);
        assert_null(nothing);
        ZwClose(target);
        ZwClose(section);
        ObDereferenceObject(object);
    }
}

/* A section's handle in the process. */
static UINT64 give_section(HANDLE target)
{
    HANDLE section;
    assert_int_equal(create_section(&section, ANYBODY), STATUS_SUCCESS);
    UINT64 handle = give(section, target, SECTION_MAP_READ);
    ZwClose(section);
    return handle;
}

static NTSTATUS close_in(PEPROCESS process, UINT64 handle)
{
    KAPC_STATE before;
    KeStackAttachProcess(process, &before);
    assert_ptr_equal(PsGetCurrentProcess(), process);
    NTSTATUS status = ObCloseHandle((HANDLE)(ULONG_PTR)handle, UserMode);
    KeUnstackDetachProcess(&before);
    return status;
}

static void take_back(HANDLE target, UINT64 handle)
{
    ZwDuplicateObject(target, (HANDLE)(ULONG_PTR)handle, NULL, NULL, 0, 0, DUPLICATE_CLOSE_SOURCE);
}

static void handles_are_closed_for_their_process(void **state)
{
    (void)state;
    lab_process *process = lab_process_start(), *other = lab_process_start();
    PEPROCESS object, other_object;
    HANDLE target = open_process(process, &object), other_target = open_process(other, &other_object);
    UINT64 handle = give_section(target), theirs = give_section(other_target);
    assert_int_equal(theirs, handle); /* two processes, one number */
    KAPC_STATE before;
    KeStackAttachProcess(other_object, &before);
    assert_int_equal(close_in(object, handle), STATUS_SUCCESS);
    assert_ptr_equal(PsGetCurrentProcess(), other_object);
    KeUnstackDetachProcess(&before);
    assert_ptr_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    assert_int_equal(lab_process_handles(process), 0);
    assert_int_equal(lab_process_handles(other), 1);
    assert_int_equal(close_in(object, handle), STATUS_INVALID_HANDLE);
    assert_int_equal(close_in(object, (UINT64)(ULONG_PTR)target), STATUS_INVALID_HANDLE); /* the kernel's */
    assert_true(lab_protect_handle(other, theirs, 1));
    assert_int_equal(close_in(other_object, theirs), STATUS_HANDLE_NOT_CLOSABLE);
    assert_false(lab_close_handle(other, theirs));
    assert_true(lab_protect_handle(other, theirs, 0));
    assert_int_equal(close_in(other_object, theirs), STATUS_SUCCESS);
    assert_false(lab_protect_handle(other, theirs, 1));
    assert_int_equal(ObCloseHandle(other_target, KernelMode), STATUS_SUCCESS);
    sample_no_breach();

    /* In the kernel's name there is no such status. */
    take_back(target, handle);
    sample_breach("is no handle");
    handle = give_section(target);
    assert_true(lab_protect_handle(process, handle, 1));
    take_back(target, handle);
    sample_breach("is protected");
    assert_int_equal(lab_process_handles(process), 1);
    ObCloseHandle(other_target, KernelMode);
    sample_breach("is no handle");
    ZwClose(target);
    lab_process_kill(process);
    lab_process_kill(other);
    ObDereferenceObject(object);
    ObDereferenceObject(other_object);
}

static void attaching_breaches(void **state)
{
    (void)state;
    KAPC_STATE before;
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeStackAttachProcess((PKPROCESS)(void *)&event, &before);
    sample_breach("is no process");
    KeUnstackDetachProcess(&before);
    sample_breach("not attached");
    KIRQL irql = KeRaiseIrqlToDpcLevel();
    KeStackAttachProcess(PsInitialSystemProcess, &before);
    sample_breach("KeStackAttachProcess");
    KeUnstackDetachProcess(&before);
    sample_breach("KeUnstackDetachProcess");
    KeLowerIrql(irql);
}

static void a_process_waits_for_an_event(void **state)
{
    (void)state;
    lab_process *process = lab_process_start();
    PEPROCESS object;
    HANDLE event, target = open_process(process, &object);
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(ZwCreateEvent(&event, EVENT_ALL_ACCESS, &attributes, SynchronizationEvent, FALSE), STATUS_SUCCESS);
    PVOID body;
    assert_int_equal(ObReferenceObjectByHandle(event, 0, *ExEventObjectType, KernelMode, &body, NULL), STATUS_SUCCESS);
    UINT64 handle = give(event, target, SYNCHRONIZE), deaf = give(event, target, EVENT_MODIFY_STATE);
    assert_false(lab_wait(process, handle, 0));
    KeSetEvent(body, 0, FALSE);
    assert_false(lab_wait(process, deaf, 0));
    assert_true(lab_wait(process, handle, 0));
    assert_false(lab_wait(process, handle, 1));
    ZwClose(event);
    ZwClose(target);
    lab_process_kill(process);
    ObDereferenceObject(body);
    ObDereferenceObject(object);
}

static void object_breaches(void **state)
{
    (void)state;
    HANDLE event;
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(ZwCreateEvent(&event, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE), STATUS_SUCCESS);
    PVOID body;
    assert_int_equal(ObReferenceObjectByHandle(event, 0, *MmSectionObjectType, KernelMode, &body, NULL),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ObReferenceObjectByHandle(event, 0, NULL, UserMode, &body, NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(ObReferenceObjectByHandle(event, 0, NULL, KernelMode, &body, NULL), STATUS_SUCCESS);
    ObDereferenceObject(body);
    ObDereferenceObject(body); /* the handle still keeps the object */
    sample_breach("holds no reference");
    ObDereferenceObject(&event);
    sample_breach("no object");
    ZwClose(event);
    ZwClose(event);
    sample_breach("ZwClose");
}

/* ---- Timers, threads, work items ---- */

struct ticks {
    UINT64 plain; /* the callback's and, after it is deleted, the test's */
    UINT32 count; /* atomic */
    UINT32 irql;  /* atomic */
    KEVENT fired;
    UINT32 slow_ms, delete_itself;
};

static VOID tick(PEX_TIMER timer, PVOID context)
{
    struct ticks *ticks = context;
    __atomic_store_n(&ticks->irql, KeGetCurrentIrql(), __ATOMIC_RELAXED);
    KeSetEvent(&ticks->fired, 0, FALSE);
    usleep(ticks->slow_ms * 1000);
    ticks->plain++;
    if (ticks->delete_itself)
        ExDeleteTimer(timer, TRUE, FALSE, NULL);
    __atomic_fetch_add(&ticks->count, 1, __ATOMIC_RELAXED);
}

static void timers(void **state)
{
    (void)state;
    struct ticks ticks = {0};
    struct nt_lab_held held;
    KeInitializeEvent(&ticks.fired, SynchronizationEvent, FALSE);
    PEX_TIMER timer = ExAllocateTimer(tick, &ticks, EX_TIMER_HIGH_RESOLUTION);
    assert_false(ExSetTimer(timer, -10000 * 1000LL * 3600, 0, NULL)); /* in an hour */
    assert_true(ExCancelTimer(timer, NULL));
    assert_false(ExSetTimer(timer, -10000, 10000, NULL));
    for (int i = 0; i < 5; i++)
        assert_int_equal(wait_for(&ticks.fired, 5000), STATUS_SUCCESS);
    assert_true(ExDeleteTimer(timer, TRUE, TRUE, NULL));
    nt_lab_held(&held);
    assert_int_equal(held.timers, 0);
    UINT64 plain = ticks.plain;
    assert_true(plain >= 4);
    assert_int_equal(ticks.irql, DISPATCH_LEVEL);
    usleep(5000);
    assert_int_equal(ticks.plain, plain);

    /* Deleted in its callback's midst: the wait is for its end. */
    ticks.slow_ms = 20;
    timer = ExAllocateTimer(tick, &ticks, 0);
    ExSetTimer(timer, -1, 0, NULL);
    assert_int_equal(wait_for(&ticks.fired, 5000), STATUS_SUCCESS);
    ExDeleteTimer(timer, TRUE, TRUE, NULL);
    assert_int_equal(ticks.plain, plain + 1);
    ExSetTimer(timer, -1, 0, NULL);
    sample_breach("deleted");
}

static void timer_breaches(void **state)
{
    (void)state;
    struct ticks ticks = {.delete_itself = 1};
    KeInitializeEvent(&ticks.fired, SynchronizationEvent, FALSE);
    PEX_TIMER timer = ExAllocateTimer(NULL, NULL, 0);
    ExSetTimer(timer, 10000, 0, NULL);
    sample_breach("not relative");
    ExDeleteTimer(timer, FALSE, TRUE, NULL);
    sample_breach("waits without cancelling");
    KIRQL old = KeRaiseIrqlToDpcLevel();
    timer = ExAllocateTimer(NULL, NULL, 0);
    ExDeleteTimer(timer, TRUE, TRUE, NULL);
    sample_breach("ExDeleteTimer: called at IRQL 2");
    KeLowerIrql(old);

    timer = ExAllocateTimer(tick, &ticks, EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE);
    sample_breach("attributes");
    ExSetTimer(timer, -1, 0, NULL);
    struct nt_lab_held held;
    do {
        nt_lab_held(&held);
    } while (held.timers != 0);
    sample_no_breach();
}

struct work {
    KEVENT done;
    PIO_WORKITEM item;
    UINT64 value; /* plain */
};

static VOID in_thread(PVOID context)
{
    struct work *work = context;
    work->value = 42;
    PsTerminateSystemThread(STATUS_SUCCESS);
    work->value = 0;
}

static VOID leaving_irql(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeRaiseIrqlToDpcLevel();
}

static void start_and_wait(PKSTART_ROUTINE routine, void *context)
{
    HANDLE handle;
    PVOID thread;
    assert_int_equal(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine, context),
                     STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, *PsThreadType, KernelMode, &thread, NULL), STATUS_SUCCESS);
    ZwClose(handle);
    assert_int_equal(wait_for(thread, 10000), STATUS_SUCCESS);
    ObDereferenceObject(thread);
}

static VOID in_work_item(PDEVICE_OBJECT device, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    struct work *work = context;
    work->value = 43;
    IoFreeWorkItem(work->item);
    KeSetEvent(&work->done, 0, FALSE);
}

static VOID staying_attached(PVOID context)
{
    KAPC_STATE before;
    (void)context;
    KeStackAttachProcess(PsInitialSystemProcess, &before);
}

static void threads_and_work_items(void **state)
{
    (void)state;
    struct work work = {0};
    KeInitializeEvent(&work.done, NotificationEvent, FALSE);
    start_and_wait(in_thread, &work);
    assert_int_equal(work.value, 42);
    start_and_wait(leaving_irql, NULL);
    sample_breach("IRQL 2");
    start_and_wait(staying_attached, NULL);
    sample_breach("attached to another process");
    work.item = IoAllocateWorkItem(NULL);
    IoQueueWorkItem(work.item, in_work_item, DelayedWorkQueue, &work);
    assert_int_equal(wait_for(&work.done, 10000), STATUS_SUCCESS);
    assert_int_equal(work.value, 43);
    PsTerminateSystemThread(STATUS_SUCCESS);
    sample_breach("not in a system thread");
}

/* ---- Time ---- */

static void time_runs_and_stands(void **state)
{
    (void)state;
    LARGE_INTEGER frequency, now, wait = milliseconds(3);
    LONGLONG before = KeQueryPerformanceCounter(&frequency).QuadPart;
    assert_int_equal(frequency.QuadPart, 10000000);
    KeDelayExecutionThread(KernelMode, FALSE, &wait);
    assert_true(KeQueryPerformanceCounter(NULL).QuadPart >= before + 30000);
    lab_set_counter(77);
    assert_int_equal(KeQueryPerformanceCounter(NULL).QuadPart, 77);
    lab_run_counter();
    assert_true(KeQueryPerformanceCounter(NULL).QuadPart >= before);
    KeQuerySystemTimePrecise(&now);
    assert_int_equal(now.QuadPart / 10000000 - 11644473600LL - time(NULL) + 1 <= 2, 1);
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    now.QuadPart += 20000; /* a date, 2 ms from now */
    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &now), STATUS_TIMEOUT);
}

/* ---- Event tracing ---- */

struct session {
    UINT32 code, level, calls;
    UINT64 keywords;
};

static VOID on_control(LPCGUID source, ULONG code, UCHAR level, ULONGLONG any, ULONGLONG all,
                       PEVENT_FILTER_DESCRIPTOR filter, PVOID context)
{
    UNREFERENCED_PARAMETER(source);
    UNREFERENCED_PARAMETER(all);
    UNREFERENCED_PARAMETER(filter);
    struct session *session = context;
    *session = (struct session){code, level, session->calls + 1, any};
}

static void tracing(void **state)
{
    (void)state;
    static const GUID id = {1, 2, 3, {4}};
    static const EVENT_DESCRIPTOR event = {.Id = 9, .Level = 4, .Keyword = 2};
    struct session session = {0};
    REGHANDLE provider;
    nt_lab_etw_forget();
    nt_lab_etw_enable(1, 5, 3);
    assert_int_equal(EtwRegister(&id, on_control, &session, &provider), STATUS_SUCCESS);
    assert_int_equal(session.calls, 1); /* a session that was there before */
    assert_int_equal(session.level, 5);
    assert_int_equal(session.keywords, 3);
    assert_true(EtwEventEnabled(provider, &event));
    UINT32 first = 11;
    UINT64 second = 22;
    EVENT_DATA_DESCRIPTOR data[2];
    EventDataDescCreate(&data[0], &first, sizeof first);
    EventDataDescCreate(&data[1], &second, sizeof second);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    assert_int_equal(EtwWrite(provider, &event, NULL, 2, data), STATUS_SUCCESS);
    KeLowerIrql(old);
    assert_int_equal(EtwWrite(provider, &event, NULL, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(nt_lab_etw_count(9), 2);
    UINT8 payload[16];
    assert_int_equal(nt_lab_etw_data(9, 0, payload, sizeof payload), 12);
    assert_memory_equal(&payload[4], &second, sizeof second);
    assert_int_equal(nt_lab_etw_data(9, 1, payload, sizeof payload), 0);
    assert_int_equal(nt_lab_etw_data(9, 2, payload, sizeof payload), -1);
    nt_lab_etw_enable(0, 0, 0);
    assert_int_equal(session.calls, 2);
    assert_int_equal(session.code, EVENT_CONTROL_CODE_DISABLE_PROVIDER);
    assert_false(EtwProviderEnabled(provider, 1, 1));
    assert_int_equal(EtwUnregister(provider), STATUS_SUCCESS);
    EtwWrite(provider, &event, NULL, 0, NULL);
    sample_breach("not registered");
    nt_lab_etw_forget();
    assert_int_equal(nt_lab_etw_count(9), 0);
}

/* ---- Strings and descriptors ---- */

static void strings(void **state)
{
    (void)state;
    UNICODE_STRING a, b, copy;
    RtlInitUnicodeString(&a, L"{0C6D4A53-3E0F-4b0b-9D52-6A1F7B8C20E7}");
    RtlInitUnicodeString(&b, L"{0c6d4a53-3e0f-4b0b-9d52-6a1f7b8c20e7}");
    assert_int_equal(a.Length, 76);
    assert_false(RtlEqualUnicodeString(&a, &b, FALSE));
    assert_true(RtlEqualUnicodeString(&a, &b, TRUE));
    GUID guid, same;
    assert_int_equal(RtlGUIDFromString(&a, &guid), STATUS_SUCCESS);
    assert_int_equal(RtlGUIDFromString(&b, &same), STATUS_SUCCESS);
    assert_true(IsEqualGUID(&guid, &same));
    assert_int_equal(guid.Data1, 0x0C6D4A53);
    assert_int_equal(guid.Data3, 0x4B0B);
    assert_int_equal(guid.Data4[7], 0xE7);
    b.Length = (USHORT)(b.Length - sizeof(WCHAR));
    assert_int_equal(RtlGUIDFromString(&b, &same), STATUS_INVALID_PARAMETER);
    assert_true(RtlCompareUnicodeString(&b, &a, TRUE) < 0);
    WCHAR buffer[4];
    copy = (UNICODE_STRING){.MaximumLength = sizeof buffer, .Buffer = buffer};
    RtlCopyUnicodeString(&copy, &a);
    assert_int_equal(copy.Length, sizeof buffer);
    assert_int_equal(buffer[3], '6');
    SECURITY_DESCRIPTOR descriptor;
    ACL acl;
    assert_int_equal(RtlCreateSecurityDescriptor(&descriptor, 2), STATUS_UNKNOWN_REVISION);
    assert_int_equal(RtlCreateAcl(&acl, sizeof acl - 1, ACL_REVISION), STATUS_BUFFER_TOO_SMALL);
}

#define NT_TEST(name) cmocka_unit_test_setup_teardown(name, clean, nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NT_TEST(pool_is_counted),
        NT_TEST(pool_breaches),
        NT_TEST(the_nth_call_fails),
        NT_TEST(irql_breaches),
        NT_TEST(spin_lock_breaches),
        NT_TEST(locks_exclude),
        NT_TEST(events),
        NT_TEST(events_wake_and_order),
        NT_TEST(mutexes),
        NT_TEST(rundown_breaches),
        NT_TEST(rundown_waits),
        NT_TEST(protection_may_be_given_back_elsewhere),
        NT_TEST(a_locked_view_is_not_to_be_touched),
        NT_TEST(every_step_of_sharing_may_fail),
        NT_TEST(memory_breaches),
        NT_TEST(device_memory),
        NT_TEST(handles_grant_what_they_grant),
        NT_TEST(handles_are_closed_for_their_process),
        NT_TEST(attaching_breaches),
        NT_TEST(a_process_waits_for_an_event),
        NT_TEST(object_breaches),
        NT_TEST(timers),
        NT_TEST(timer_breaches),
        NT_TEST(threads_and_work_items),
        NT_TEST(time_runs_and_stands),
        NT_TEST(tracing),
        NT_TEST(strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
