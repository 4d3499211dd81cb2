/* SPDX-License-Identifier: MIT */
#include "nt_native.h"

#include "nt_double.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define NT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NT_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef NT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

_Thread_local int nt_own;
struct nt_lab_held nt_held_now;

static struct nt_lock first_lock;
static char first_breach[256];
static UINT64 breaches;
static UINT64 fail_at, fail_calls;

void *nt_new(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory)
        abort();
    return memory;
}

/* ---- Breaches ---- */

void nt_lab_breach(const char *text)
{
    nt_breach("%s", text);
}

void nt_breach(const char *format, ...)
{
    char text[sizeof first_breach];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    nt_lock_take(&first_lock);
    if (!first_breach[0])
        memcpy(first_breach, text, sizeof first_breach);
    nt_lock_give(&first_lock);
    __atomic_fetch_add(&breaches, 1, __ATOMIC_RELAXED);
}

UINT64 nt_lab_breaches(char *first, UINT32 size)
{
    nt_lock_take(&first_lock);
    if (first && size > 0)
        snprintf(first, size, "%s", first_breach);
    nt_lock_give(&first_lock);
    return __atomic_load_n(&breaches, __ATOMIC_RELAXED);
}

void nt_lab_forgive(void)
{
    nt_lock_take(&first_lock);
    first_breach[0] = 0;
    nt_lock_give(&first_lock);
    __atomic_store_n(&breaches, 0, __ATOMIC_RELAXED);
}

/* ---- What is held ---- */

void nt_lab_held(struct nt_lab_held *held)
{
    const INT64 *from = (const INT64 *)&nt_held_now;
    INT64 *to = (INT64 *)held;
    for (size_t i = 0; i < sizeof *held / sizeof *to; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
}

void nt_lab_own(int on)
{
    if (nt_own == on)
        nt_breach("nt_lab_own(%d) twice", on);
    nt_own = on;
}

void nt_lab_forbid(const void *memory, UINT64 bytes, int on)
{
#ifdef NT_ADDRESS_SANITIZER
    if (on)
        __asan_poison_memory_region(memory, bytes);
    else
        __asan_unpoison_memory_region(memory, bytes);
#else
    (void)memory;
    (void)bytes;
    (void)on;
#endif
}

/* ---- The call that fails ---- */

UINT64 nt_lab_fail_nth(UINT64 n)
{
    __atomic_store_n(&fail_at, 0, __ATOMIC_RELAXED);
    UINT64 calls = __atomic_exchange_n(&fail_calls, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&fail_at, n, __ATOMIC_RELAXED);
    return calls;
}

int nt_fails(void)
{
    if (nt_own)
        return 0;
    UINT64 call = __atomic_add_fetch(&fail_calls, 1, __ATOMIC_RELAXED);
    return call == __atomic_load_n(&fail_at, __ATOMIC_RELAXED);
}

int nt_lab_is_to_fail(void)
{
    return nt_fails();
}

/* ---- Lock and table ---- */

void nt_lock_take(struct nt_lock *lock)
{
    while (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

void nt_lock_give(struct nt_lock *lock)
{
    __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

static size_t shard_of(const void *key)
{
    uintptr_t bits = (uintptr_t)key >> 4;
    return (bits ^ bits >> 6 ^ bits >> 12) % NT_SHARDS;
}

void nt_table_add(struct nt_table *table, struct nt_node *node, const void *key)
{
    size_t shard = shard_of(key);
    node->key = key;
    nt_lock_take(&table->shards[shard].lock);
    node->next = table->shards[shard].first;
    table->shards[shard].first = node;
    nt_lock_give(&table->shards[shard].lock);
}

static struct nt_node *look_up(struct nt_table *table, const void *key, int take)
{
    size_t shard = shard_of(key);
    nt_lock_take(&table->shards[shard].lock);
    struct nt_node **link = &table->shards[shard].first;
    while (*link && (*link)->key != key)
        link = &(*link)->next;
    struct nt_node *node = *link;
    if (node && take)
        *link = node->next;
    nt_lock_give(&table->shards[shard].lock);
    return node;
}

struct nt_node *nt_table_find(struct nt_table *table, const void *key)
{
    return look_up(table, key, 0);
}

struct nt_node *nt_table_take(struct nt_table *table, const void *key)
{
    return look_up(table, key, 1);
}
