/* SPDX-License-Identifier: MIT */
/*
 * The IRQL, which Wine does not know: one value per thread. It does not stop anything from being preempted; it shows
 * calls that are made at an IRQL where they are not allowed.
 */
#include "ntdll.h"
#include "ntverify.h"

/* Threads by their id, which is a multiple of 4. A thread leaves its entry as it found it. */
#define THREADS 65536

static struct {
    UINT8 irql, own;
    PEPROCESS attached; /* NULL: to none */
} threads[THREADS];

UINT32 thread_id(void)
{
    UINT32 id;
    __asm__("movl %%gs:0x48, %0" : "=r"(id));
    return id;
}

static UINT32 entry(void)
{
    return thread_id() / 4 % THREADS;
}

KIRQL irql_now(void)
{
    return threads[entry()].irql;
}

KIRQL irql_set(KIRQL irql)
{
    UINT32 thread = entry();
    KIRQL before = threads[thread].irql;
    threads[thread].irql = irql;
    return before;
}

int thread_is_own(void)
{
    return threads[entry()].own;
}

void nt_lab_own(int on)
{
    UINT32 thread = entry();
    if (threads[thread].own == (on != 0))
        breach("nt_lab_own", "the brackets nest");
    threads[thread].own = on != 0;
}

void irql_at_most(const char *function, KIRQL highest)
{
    if (irql_now() > highest)
        breach(function, highest == PASSIVE_LEVEL ? "above PASSIVE_LEVEL"
                         : highest == APC_LEVEL   ? "above APC_LEVEL"
                                                  : "above DISPATCH_LEVEL");
}

PEPROCESS process_attached(void)
{
    return threads[entry()].attached;
}

PEPROCESS process_attach(PEPROCESS process)
{
    UINT32 thread = entry();
    PEPROCESS before = threads[thread].attached;
    threads[thread].attached = process;
    return before;
}

KIRQL NTAPI verify_KeGetCurrentIrql(void)
{
    return irql_now();
}

KIRQL NTAPI verify_KfRaiseIrql(KIRQL irql)
{
    if (irql < irql_now())
        breach("KeRaiseIrql", "to a lower IRQL");
    return irql_set(irql);
}

KIRQL NTAPI verify_KeRaiseIrqlToDpcLevel(void)
{
    return verify_KfRaiseIrql(DISPATCH_LEVEL);
}

void NTAPI verify_KeLowerIrql(KIRQL irql)
{
    if (irql_set(irql) < irql)
        breach("KeLowerIrql", "to a higher IRQL");
}

/* ---- Spin locks: the word is 0, or the holder's thread id with bit 0 set ---- */

static void spin_take(const char *function, KSPIN_LOCK *lock)
{
    KSPIN_LOCK free = 0, mine = thread_id() | 1u;
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) == mine) {
        breach(function, "the thread holds it already");
        return;
    }
    while (!__atomic_compare_exchange_n(lock, &free, mine, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        free = 0;
        NtYieldExecution();
    }
}

static void spin_drop(const char *function, KSPIN_LOCK *lock)
{
    if (irql_now() != DISPATCH_LEVEL)
        breach(function, "not at DISPATCH_LEVEL");
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) != (thread_id() | 1u))
        breach(function, "the thread does not hold it");
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

KIRQL NTAPI verify_KeAcquireSpinLockRaiseToDpc(KSPIN_LOCK *lock)
{
    irql_at_most("KeAcquireSpinLock", DISPATCH_LEVEL);
    KIRQL before = irql_set(DISPATCH_LEVEL);
    spin_take("KeAcquireSpinLock", lock);
    return before;
}

void NTAPI verify_KeReleaseSpinLock(KSPIN_LOCK *lock, KIRQL before)
{
    spin_drop("KeReleaseSpinLock", lock);
    irql_set(before);
}

void NTAPI verify_KeAcquireSpinLockAtDpcLevel(KSPIN_LOCK *lock)
{
    if (irql_now() != DISPATCH_LEVEL)
        breach("KeAcquireSpinLockAtDpcLevel", "not at DISPATCH_LEVEL");
    spin_take("KeAcquireSpinLockAtDpcLevel", lock);
}

void NTAPI verify_KeReleaseSpinLockFromDpcLevel(KSPIN_LOCK *lock)
{
    spin_drop("KeReleaseSpinLockFromDpcLevel", lock);
}

/* ---- What waits ---- */

void NTAPI verify_ExAcquireFastMutex(FAST_MUTEX *mutex)
{
    irql_at_most("ExAcquireFastMutex", APC_LEVEL);
    if (mutex->Owner == (PVOID)(ULONG_PTR)thread_id())
        breach("ExAcquireFastMutex", "the thread holds it already");
    KIRQL before = irql_set(APC_LEVEL);
    ExAcquireFastMutex(mutex);
    mutex->Owner = (PVOID)(ULONG_PTR)thread_id();
    mutex->OldIrql = before;
}

void NTAPI verify_ExReleaseFastMutex(FAST_MUTEX *mutex)
{
    if (mutex->Owner != (PVOID)(ULONG_PTR)thread_id())
        breach("ExReleaseFastMutex", "the thread does not hold it");
    KIRQL before = (KIRQL)mutex->OldIrql;
    mutex->Owner = NULL;
    ExReleaseFastMutex(mutex);
    irql_set(before);
}

NTSTATUS NTAPI verify_KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable,
                                            LARGE_INTEGER *timeout)
{
    irql_at_most("KeWaitForSingleObject", timeout && timeout->QuadPart == 0 ? DISPATCH_LEVEL : APC_LEVEL);
    return KeWaitForSingleObject(object, reason, mode, alertable, timeout);
}

NTSTATUS NTAPI verify_KeDelayExecutionThread(KPROCESSOR_MODE mode, BOOLEAN alertable, LARGE_INTEGER *interval)
{
    irql_at_most("KeDelayExecutionThread", APC_LEVEL);
    return KeDelayExecutionThread(mode, alertable, interval);
}

void NTAPI verify_KeQuerySystemTimePrecise(LARGE_INTEGER *now)
{
    NtQuerySystemTime(now);
}
