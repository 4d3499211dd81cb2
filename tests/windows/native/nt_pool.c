/* SPDX-License-Identifier: MIT */
/* Pool: each allocation is malloc's own, so that AddressSanitizer sees its exact ends. */
#include "nt_double.h"

#include <stdlib.h>

/* Kept apart from the allocation, out of reach of what overruns it. */
struct block {
    struct nt_node node;
    SIZE_T bytes;
    ULONG tag;
    int paged, own;
};

static struct nt_table blocks;

static KIRQL highest_for(int paged)
{
    return paged ? APC_LEVEL : DISPATCH_LEVEL;
}

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    int paged = PoolType & PagedPool;
    NT_IRQL_AT_MOST(highest_for(paged));
    if (NumberOfBytes == 0 || Tag == 0)
        nt_breach("ExAllocatePoolWithTag: %s is 0", Tag ? "the size" : "the tag");
    if (!paged && !(PoolType & NonPagedPoolNx))
        nt_breach("ExAllocatePoolWithTag: executable pool (not NonPagedPoolNx)");
    if (nt_fails())
        return NULL;
    void *memory = NULL;
    if (posix_memalign(&memory, PoolType & NonPagedPoolCacheAligned ? SYSTEM_CACHE_ALIGNMENT_SIZE : 16, NumberOfBytes))
        abort();
    memset(memory, 0xA5, NumberOfBytes); /* what was there before is not zero */
    struct block *block = nt_new(sizeof *block);
    *block = (struct block){.bytes = NumberOfBytes, .tag = Tag, .paged = paged, .own = nt_own};
    nt_table_add(&blocks, &block->node, memory);
    nt_hold(&nt_held_now.pool, 1, nt_own);
    nt_hold(&nt_held_now.pool_bytes, (INT64)NumberOfBytes, nt_own);
    return memory;
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    struct block *block = (struct block *)nt_table_take(&blocks, P);
    if (!block) {
        nt_breach("ExFreePoolWithTag: %p is not allocated", P);
        return;
    }
    NT_IRQL_AT_MOST(highest_for(block->paged));
    if (block->tag != Tag)
        nt_breach("ExFreePoolWithTag: tag %08x, allocated with %08x", Tag, block->tag);
    nt_hold(&nt_held_now.pool, -1, block->own);
    nt_hold(&nt_held_now.pool_bytes, -(INT64)block->bytes, block->own);
    free(block);
    free(P);
}
