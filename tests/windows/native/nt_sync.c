/* SPDX-License-Identifier: MIT */
/*
 * IRQL, spin locks, events, mutexes, the clock. Each object has its own atomic words and no lock is shared, so that
 * the only order among threads is the one the driver asked for. What waits sleeps on the object's word (futex).
 */
#include "nt_double.h"

#include "nt_native.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000LL
#define NS_PER_TICK   100 /* of the performance counter, and of the kernel's times */

_Thread_local KIRQL nt_irql;
static _Thread_local UINT32 spin_locks_held, mutexes_held;
_Thread_local PEPROCESS nt_attached_process;

/* ---- IRQL ---- */

void nt_irql_breach(const char *function, KIRQL max)
{
    nt_breach("%s: called at IRQL %u, at most %u is allowed", function, nt_irql, max);
}

void nt_paged_code(const char *function)
{
    nt_irql_at_most(APC_LEVEL, function);
}

KIRQL KeGetCurrentIrql(void)
{
    return nt_irql;
}

KIRQL KfRaiseIrql(KIRQL NewIrql)
{
    KIRQL old = nt_irql;
    if (NewIrql < old)
        nt_breach("KeRaiseIrql: from %u down to %u", old, NewIrql);
    nt_irql = NewIrql;
    return old;
}

KIRQL KeRaiseIrqlToDpcLevel(void)
{
    return KfRaiseIrql(DISPATCH_LEVEL);
}

VOID KeLowerIrql(KIRQL NewIrql)
{
    if (NewIrql > nt_irql)
        nt_breach("KeLowerIrql: from %u up to %u", nt_irql, NewIrql);
    if (NewIrql < DISPATCH_LEVEL && spin_locks_held)
        nt_breach("KeLowerIrql: to %u with a spin lock held", NewIrql);
    nt_irql = NewIrql;
}

struct nt_bracket nt_enter(KIRQL irql)
{
    struct nt_bracket before = {nt_irql, spin_locks_held, mutexes_held, nt_attached_process};
    nt_irql = irql;
    return before;
}

void nt_leave(const struct nt_bracket *before, const char *routine)
{
    if (spin_locks_held != before->spin_locks)
        nt_breach("%s returned with a spin lock held, or one too many released", routine);
    if (mutexes_held != before->mutexes)
        nt_breach("%s returned with a mutex held, or one too many released", routine);
    if (nt_attached_process != before->attached)
        nt_breach("%s returned attached to another process", routine);
    nt_attached_process = before->attached;
    spin_locks_held = before->spin_locks;
    mutexes_held = before->mutexes;
    nt_irql = before->irql;
}

/* ---- Threads as words ---- */

static UINT64 this_thread(void)
{
    static UINT64 last;
    static _Thread_local UINT64 id;
    if (!id)
        id = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    return id;
}

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    int cpu = sched_getcpu();
    ULONG number = cpu < 0 ? 0 : (ULONG)cpu;
    if (ProcNumber)
        *ProcNumber = (PROCESSOR_NUMBER){.Group = (USHORT)(number / 64), .Number = (UCHAR)(number % 64)};
    return number;
}

ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    (void)GroupNumber;
    return (ULONG)sysconf(_SC_NPROCESSORS_CONF);
}

ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    (void)GroupNumber;
    return (ULONG)sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- Spin locks ---- */

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    __atomic_store_n(SpinLock, 0, __ATOMIC_RELAXED);
}

static void acquire(PKSPIN_LOCK lock)
{
    UINT64 self = this_thread();
    ULONG_PTR owner = 0;
    while (!__atomic_compare_exchange_n(lock, &owner, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        if (owner == self) { /* on Windows it would spin for ever */
            nt_breach("KeAcquireSpinLock: a lock taken twice by one thread");
            return;
        }
        owner = 0;
        sched_yield();
    }
    spin_locks_held++;
}

static void release(PKSPIN_LOCK lock)
{
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) != this_thread()) {
        nt_breach("KeReleaseSpinLock: of a lock that this thread does not hold");
        return;
    }
    spin_locks_held--;
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    KIRQL old = nt_irql;
    nt_irql = DISPATCH_LEVEL;
    acquire(SpinLock);
    return old;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    if (nt_irql != DISPATCH_LEVEL || NewIrql > DISPATCH_LEVEL)
        nt_breach("KeReleaseSpinLock: at IRQL %u, to %u", nt_irql, NewIrql);
    release(SpinLock);
    KeLowerIrql(NewIrql);
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    if (nt_irql < DISPATCH_LEVEL)
        nt_breach("KeAcquireSpinLockAtDpcLevel: at IRQL %u", nt_irql);
    acquire(SpinLock);
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    if (nt_irql < DISPATCH_LEVEL)
        nt_breach("KeReleaseSpinLockFromDpcLevel: at IRQL %u", nt_irql);
    release(SpinLock);
}

/* ---- Sleeping on a word ---- */

INT64 nt_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* Returns when the word may have changed from `value`; 0: `deadline` (monotonic ns, < 0: none) has passed. */
static int sleep_while(UINT32 *word, UINT32 value, INT64 deadline)
{
    struct timespec left, *limit = NULL;
    if (deadline >= 0) {
        INT64 ns = deadline - nt_now_ns();
        if (ns <= 0)
            return 0;
        left = (struct timespec){.tv_sec = ns / NS_PER_SECOND, .tv_nsec = ns % NS_PER_SECOND};
        limit = &left;
    }
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, limit, NULL, 0);
    return 1;
}

/* The word may be gone by now: a waiter that saw it may have freed it. Nothing is read. */
static void wake(UINT32 *word, int waiters)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, waiters, NULL, NULL, 0);
}

/* ---- Events ---- */

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Event->Header.kind = Type == NotificationEvent ? NT_NOTIFICATION_EVENT : NT_SYNCHRONIZATION_EVENT;
    __atomic_store_n(&Event->Header.state, State ? 1 : 0, __ATOMIC_RELAXED);
}

static int is_event(PRKEVENT event, const char *function)
{
    if (event->Header.kind == NT_NOTIFICATION_EVENT || event->Header.kind == NT_SYNCHRONIZATION_EVENT)
        return 1;
    nt_breach("%s: not an initialised event", function);
    return 0;
}

void nt_signal(DISPATCHER_HEADER *header)
{
    int waiters = header->kind == NT_SYNCHRONIZATION_EVENT ? 1 : INT_MAX;
    UINT32 *word = &header->state;
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    wake(word, waiters);
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    (void)Increment;
    NT_IRQL_AT_MOST(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    if (!is_event(Event, __func__))
        return 0;
    int waiters = Event->Header.kind == NT_SYNCHRONIZATION_EVENT ? 1 : INT_MAX;
    UINT32 *word = &Event->Header.state;
    LONG before = (LONG)__atomic_exchange_n(word, 1, __ATOMIC_ACQ_REL);
    if (!before)
        wake(word, waiters);
    return before;
}

LONG KeResetEvent(PRKEVENT Event)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    return is_event(Event, __func__) ? (LONG)__atomic_exchange_n(&Event->Header.state, 0, __ATOMIC_ACQ_REL) : 0;
}

VOID KeClearEvent(PRKEVENT Event)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (is_event(Event, __func__))
        __atomic_store_n(&Event->Header.state, 0, __ATOMIC_RELEASE);
}

LONG KeReadStateEvent(PRKEVENT Event)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    return is_event(Event, __func__) ? (LONG)__atomic_load_n(&Event->Header.state, __ATOMIC_ACQUIRE) : 0;
}

int nt_wait(DISPATCHER_HEADER *header, INT64 timeout_ns)
{
    INT64 deadline = timeout_ns < 0 ? -1 : nt_now_ns() + timeout_ns;
    for (;;) {
        UINT32 signalled = 1;
        if (header->kind == NT_SYNCHRONIZATION_EVENT) {
            if (__atomic_compare_exchange_n(&header->state, &signalled, 0, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return 1;
        } else if (__atomic_load_n(&header->state, __ATOMIC_ACQUIRE)) {
            return 1;
        }
        if (!sleep_while(&header->state, 0, deadline))
            return 0;
    }
}

/* ---- Mutexes: state is 1 while nobody holds it ---- */

VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    (void)Level;
    Mutex->Header.kind = NT_MUTEX;
    Mutex->depth = 0;
    __atomic_store_n(&Mutex->owner, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&Mutex->Header.state, 1, __ATOMIC_RELAXED);
}

static int acquire_mutex(PRKMUTEX mutex, INT64 timeout_ns)
{
    UINT64 self = this_thread();
    if (__atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) != self) {
        INT64 deadline = timeout_ns < 0 ? -1 : nt_now_ns() + timeout_ns;
        UINT32 free_word = 1;
        while (
            !__atomic_compare_exchange_n(&mutex->Header.state, &free_word, 0, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            free_word = 1;
            if (!sleep_while(&mutex->Header.state, 0, deadline))
                return 0;
        }
        __atomic_store_n(&mutex->owner, self, __ATOMIC_RELAXED);
    }
    mutex->depth++;
    mutexes_held++;
    return 1;
}

LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    NT_IRQL_AT_MOST(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    if (Mutex->Header.kind != NT_MUTEX || __atomic_load_n(&Mutex->owner, __ATOMIC_RELAXED) != this_thread()) {
        nt_breach("KeReleaseMutex: of a mutex that this thread does not hold");
        return 0;
    }
    mutexes_held--;
    LONG before = 1 - (LONG)Mutex->depth; /* KMUTANT's count: 1 is free, 0 is held once */
    if (--Mutex->depth == 0) {
        __atomic_store_n(&Mutex->owner, 0, __ATOMIC_RELAXED);
        UINT32 *word = &Mutex->Header.state;
        __atomic_store_n(word, 1, __ATOMIC_RELEASE);
        wake(word, 1);
    }
    return before;
}

/* ---- Waiting ---- */

/* The kernel's time, ns from now: negative is relative, positive is a date. */
static INT64 ns_from_now(const LARGE_INTEGER *time)
{
    LONGLONG ticks = -time->QuadPart;
    if (time->QuadPart > 0) {
        LARGE_INTEGER now;
        KeQuerySystemTimePrecise(&now);
        ticks = time->QuadPart - now.QuadPart;
    }
    if (ticks < 0)
        return 0;
    return ticks > INT64_MAX / NS_PER_TICK ? INT64_MAX / 2 : ticks * NS_PER_TICK;
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout)
{
    (void)WaitReason;
    (void)Alertable;
    NT_IRQL_AT_MOST(Timeout && Timeout->QuadPart == 0 ? DISPATCH_LEVEL : APC_LEVEL);
    DISPATCHER_HEADER *header = Object;
    INT64 timeout = Timeout ? ns_from_now(Timeout) : -1;
    switch (header->kind) {
    case NT_MUTEX:
        return acquire_mutex(Object, timeout) ? STATUS_SUCCESS : STATUS_TIMEOUT;
    case NT_NOTIFICATION_EVENT:
    case NT_SYNCHRONIZATION_EVENT:
    case NT_THREAD:
        /* With UserMode the stack of the waiter may be paged out: an event on it must not be. */
        if (WaitMode != KernelMode)
            nt_breach("KeWaitForSingleObject: UserMode");
        return nt_wait(header, timeout) ? STATUS_SUCCESS : STATUS_TIMEOUT;
    default:
        nt_breach("KeWaitForSingleObject: not an object that can be waited for");
        return STATUS_UNSUCCESSFUL;
    }
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    (void)WaitMode;
    (void)Alertable;
    NT_IRQL_AT_MOST(APC_LEVEL);
    DISPATCHER_HEADER never = {.kind = NT_NOTIFICATION_EVENT};
    nt_wait(&never, ns_from_now(Interval));
    return STATUS_SUCCESS;
}

/* ---- The clock ---- */

#define COUNTER_RUNS UINT64_MAX
static UINT64 counter = COUNTER_RUNS;

void lab_set_counter(UINT64 ticks)
{
    __atomic_store_n(&counter, ticks, __ATOMIC_RELAXED);
}

void lab_run_counter(void)
{
    lab_set_counter(COUNTER_RUNS);
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    if (PerformanceFrequency)
        PerformanceFrequency->QuadPart = NS_PER_SECOND / NS_PER_TICK;
    UINT64 set = __atomic_load_n(&counter, __ATOMIC_RELAXED);
    return (LARGE_INTEGER){.QuadPart = set == COUNTER_RUNS ? nt_now_ns() / NS_PER_TICK : (LONGLONG)set};
}

VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    const LONGLONG from_1601_to_1970 = 11644473600LL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    CurrentTime->QuadPart =
        (now.tv_sec + from_1601_to_1970) * (NS_PER_SECOND / NS_PER_TICK) + now.tv_nsec / NS_PER_TICK;
}
