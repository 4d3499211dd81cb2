/* SPDX-License-Identifier: MIT */
/*
 * Cache-aware rundown protection: a counter per slot, each on its own line. Protection may be taken in one
 * slot and given back in another, so one slot alone says nothing; only their sum does.
 */
#include "nt_double.h"

#include <stdlib.h>

#define SLOTS    8
#define ACTIVE   1ULL        /* rundown: nothing more is given */
#define ONE      2ULL        /* of a slot's count, which is modulo 2^63 */
#define COUNTING (1LL << 40) /* in `left` while the slots are being added up */

struct slot {
    UINT64 word;
} __attribute__((aligned(64)));

struct _EX_RUNDOWN_REF_CACHE_AWARE {
    struct slot slots[SLOTS];
    INT64 left; /* atomic: once the slots are active, what is not given back yet */
    KEVENT drained;
    struct nt_node node;
    int own;
};

static struct nt_table rundowns;

/* Threads stand for processors: each keeps its slot. */
static inline struct slot *slot_of(PEX_RUNDOWN_REF_CACHE_AWARE rundown)
{
    static UINT32 next;
    static _Thread_local UINT32 mine; /* number + 1 */
    if (__builtin_expect(!mine, 0))
        mine = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % SLOTS + 1;
    return &rundown->slots[mine - 1];
}

PEX_RUNDOWN_REF_CACHE_AWARE ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag)
{
    NT_IRQL_AT_MOST(PoolType & PagedPool ? APC_LEVEL : DISPATCH_LEVEL);
    if (PoolTag == 0 || PoolType & PagedPool)
        nt_breach("ExAllocateCacheAwareRundownProtection: tag 0, or paged pool for use at DISPATCH_LEVEL");
    if (nt_fails())
        return NULL;
    PEX_RUNDOWN_REF_CACHE_AWARE rundown = NULL;
    if (posix_memalign((void **)&rundown, _Alignof(struct slot), sizeof *rundown))
        abort();
    memset(rundown, 0, sizeof *rundown);
    rundown->own = nt_own;
    nt_table_add(&rundowns, &rundown->node, rundown);
    nt_hold(&nt_held_now.rundowns, 1, nt_own);
    return rundown;
}

/* What is taken and not given back, while no slot is active. */
static INT64 in_slots(PEX_RUNDOWN_REF_CACHE_AWARE rundown)
{
    UINT64 sum = 0;
    for (int i = 0; i < SLOTS; i++)
        sum += __atomic_load_n(&rundown->slots[i].word, __ATOMIC_ACQUIRE) & ~ACTIVE;
    return (INT64)sum / (INT64)ONE;
}

static int is_active(PEX_RUNDOWN_REF_CACHE_AWARE rundown)
{
    return (int)(__atomic_load_n(&rundown->slots[0].word, __ATOMIC_ACQUIRE) & ACTIVE);
}

VOID ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    if (!nt_table_take(&rundowns, RunRefCacheAware)) {
        nt_breach("ExFreeCacheAwareRundownProtection: %p is not allocated", (void *)RunRefCacheAware);
        return;
    }
    INT64 taken = is_active(RunRefCacheAware) ? __atomic_load_n(&RunRefCacheAware->left, __ATOMIC_ACQUIRE)
                                              : in_slots(RunRefCacheAware);
    if (taken)
        nt_breach("ExFreeCacheAwareRundownProtection: %lld protections are held", (long long)taken);
    nt_hold(&nt_held_now.rundowns, -1, RunRefCacheAware->own);
    free(RunRefCacheAware);
}

BOOLEAN ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    UINT64 *word = &slot_of(RunRefCacheAware)->word;
    UINT64 before = __atomic_load_n(word, __ATOMIC_RELAXED);
    do {
        if (before & ACTIVE)
            return FALSE;
    } while (!__atomic_compare_exchange_n(word, &before, before + Count * ONE, 1, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return TRUE;
}

BOOLEAN ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    return ExAcquireRundownProtectionCacheAwareEx(RunRefCacheAware, 1);
}

/* After the last one is given back the waiter may free the rundown: nothing follows the event. */
static void give_back_late(PEX_RUNDOWN_REF_CACHE_AWARE rundown, ULONG count)
{
    INT64 left = __atomic_sub_fetch(&rundown->left, (INT64)count, __ATOMIC_ACQ_REL);
    if (left == 0)
        nt_signal(&rundown->drained.Header);
    else if (left < 0)
        nt_breach("ExReleaseRundownProtectionCacheAware: more than were taken");
}

VOID ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    UINT64 *word = &slot_of(RunRefCacheAware)->word;
    UINT64 before = __atomic_load_n(word, __ATOMIC_RELAXED);
    do {
        if (before & ACTIVE) {
            __atomic_load_n(word, __ATOMIC_ACQUIRE); /* what the waiter prepared */
            give_back_late(RunRefCacheAware, Count);
            return;
        }
    } while (!__atomic_compare_exchange_n(word, &before, before - Count * ONE, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

VOID ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExReleaseRundownProtectionCacheAwareEx(RunRefCacheAware, 1);
}

VOID ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    if (is_active(RunRef)) { /* it is, or was, waited for before */
        if (__atomic_load_n(&RunRef->left, __ATOMIC_ACQUIRE) > 0)
            nt_wait(&RunRef->drained.Header, -1);
        return;
    }
    KeInitializeEvent(&RunRef->drained, NotificationEvent, FALSE);
    __atomic_store_n(&RunRef->left, COUNTING, __ATOMIC_RELEASE);
    UINT64 sum = 0;
    for (int i = 0; i < SLOTS; i++)
        sum += __atomic_fetch_or(&RunRef->slots[i].word, ACTIVE, __ATOMIC_ACQ_REL);
    INT64 left = __atomic_add_fetch(&RunRef->left, (INT64)sum / (INT64)ONE - COUNTING, __ATOMIC_ACQ_REL);
    if (left > 0)
        nt_wait(&RunRef->drained.Header, -1);
    else if (left < 0)
        nt_breach("ExWaitForRundownProtectionRelease: more was given back than taken");
    else
        nt_signal(&RunRef->drained.Header); /* for another that waits */
}

VOID ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!is_active(RunRefCacheAware) || __atomic_load_n(&RunRefCacheAware->left, __ATOMIC_ACQUIRE) != 0)
        nt_breach("ExRundownCompletedCacheAware: it was not waited for");
}

VOID ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!is_active(RunRefCacheAware) || __atomic_load_n(&RunRefCacheAware->left, __ATOMIC_ACQUIRE) != 0) {
        nt_breach("ExReInitializeRundownProtectionCacheAware: it was not run down");
        return;
    }
    /* The first slot last: it alone says whether the rundown is active. */
    for (int i = SLOTS - 1; i >= 0; i--)
        __atomic_store_n(&RunRefCacheAware->slots[i].word, 0, __ATOMIC_RELEASE);
}
