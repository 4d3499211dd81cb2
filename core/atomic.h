/* SPDX-License-Identifier: MIT */
/* Words that threads, or a driver and a process, share. Each access says its order; none is plain. */
#ifndef AVB_CORE_ATOMIC_H
#define AVB_CORE_ATOMIC_H

#include <avb/avb_ptp_events.h>

static inline UINT64 avb_load_relaxed(const UINT64 *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline UINT64 avb_load_acquire(const UINT64 *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void avb_store_relaxed(UINT64 *word, UINT64 value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void avb_store_release(UINT64 *word, UINT64 value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void avb_add_relaxed(UINT64 *word, UINT64 value)
{
    __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

static inline void avb_set_bits_release(UINT64 *word, UINT64 bits)
{
    __atomic_fetch_or(word, bits, __ATOMIC_RELEASE);
}

static inline void avb_clear_bits_release(UINT64 *word, UINT64 bits)
{
    __atomic_fetch_and(word, ~bits, __ATOMIC_RELEASE);
}

/* Compare and exchange. 0: the word was another, which *expected is now. */
static inline int avb_replace_relaxed(UINT64 *word, UINT64 *expected, UINT64 value)
{
    return __atomic_compare_exchange_n(word, expected, value, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Acquires also where it returns 0. */
static inline int avb_replace_acquire_release(UINT64 *word, UINT64 *expected, UINT64 value)
{
    return __atomic_compare_exchange_n(word, expected, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline void avb_full_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
