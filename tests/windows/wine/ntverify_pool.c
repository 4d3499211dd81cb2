/* SPDX-License-Identifier: MIT */
/* Pool with a head and a tail around each allocation, and freed memory that is kept for a while to see who writes it.
 */
#include "ntverify.h"

#define HEAD_HELD  0x64616568u
#define HEAD_FREED 0x64656572u
#define TAIL_BYTES 16u
#define FILL_NEW   0xA5
#define FILL_TAIL  0x5A
#define FILL_FREED 0xDD
#define KEPT       64 /* freed allocations that are watched */

struct head {
    UINT32 state, tag;
    UINT64 bytes;
    UINT32 own, reserved0;
    UINT64 reserved1;
};

static struct lock kept_lock;
static struct head *kept[KEPT];
static UINT32 kept_next;

static UINT8 *memory_of(struct head *head)
{
    return (UINT8 *)(head + 1);
}

static int is_filled(const UINT8 *bytes, UINT64 count, UINT8 value)
{
    while (count && *bytes == value) {
        bytes++;
        count--;
    }
    return count == 0;
}

/* Notes it once where somebody has written to freed memory. */
static void check_freed(struct head *head)
{
    if (is_filled(memory_of(head), head->bytes, FILL_FREED))
        return;
    breach("pool", "written after it was freed");
    RtlFillMemory(memory_of(head), head->bytes, FILL_FREED);
}

void pool_check(void)
{
    lock_take(&kept_lock);
    for (UINT32 i = 0; i < KEPT; i++)
        if (kept[i])
            check_freed(kept[i]);
    lock_drop(&kept_lock);
}

static PVOID allocate(const char *function, POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    irql_at_most(function, type == PagedPool ? APC_LEVEL : DISPATCH_LEVEL);
    if (type != NonPagedPoolNx && type != PagedPool)
        breach(function, "executable pool");
    if (bytes == 0)
        breach(function, "no bytes");
    if (nt_lab_is_to_fail())
        return NULL;
    struct head *head = ExAllocatePoolWithTag(NonPagedPool, sizeof *head + bytes + TAIL_BYTES, tag);
    if (!head)
        return NULL;
    *head = (struct head){HEAD_HELD, tag, bytes, (UINT32)thread_is_own(), 0, 0};
    RtlFillMemory(memory_of(head), bytes, FILL_NEW);
    RtlFillMemory(memory_of(head) + bytes, TAIL_BYTES, FILL_TAIL);
    held_add(&held_now.pool, 1);
    held_add(&held_now.pool_bytes, (INT64)bytes);
    return memory_of(head);
}

/* Keeps it in the place of an older one, which is looked at and really freed. */
static void keep(struct head *head)
{
    lock_take(&kept_lock);
    struct head *oldest = kept[kept_next];
    kept[kept_next] = head;
    kept_next = (kept_next + 1) % KEPT;
    lock_drop(&kept_lock);
    if (!oldest)
        return;
    check_freed(oldest);
    ExFreePoolWithTag(oldest, oldest->tag);
}

static void release(const char *function, PVOID memory, ULONG tag)
{
    struct head *head = (struct head *)memory - 1;
    irql_at_most(function, DISPATCH_LEVEL);
    if (!memory || head->state != HEAD_HELD) {
        breach(function, memory && head->state == HEAD_FREED ? "freed already" : "never allocated");
        return;
    }
    if (tag && head->tag != tag)
        breach(function, "another tag than when it was allocated");
    if (!is_filled(memory_of(head) + head->bytes, TAIL_BYTES, FILL_TAIL))
        breach(function, "written beyond its end");
    if (!head->own) {
        __atomic_fetch_sub(&held_now.pool, 1, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&held_now.pool_bytes, (INT64)head->bytes, __ATOMIC_RELAXED);
    }
    head->state = HEAD_FREED;
    RtlFillMemory(memory_of(head), head->bytes, FILL_FREED);
    keep(head);
}

PVOID NTAPI verify_ExAllocatePoolWithTag(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    return allocate("ExAllocatePoolWithTag", type, bytes, tag);
}

void NTAPI verify_ExFreePoolWithTag(PVOID memory, ULONG tag)
{
    release("ExFreePoolWithTag", memory, tag);
}

void NTAPI verify_ExFreePool(PVOID memory)
{
    release("ExFreePool", memory, 0);
}
