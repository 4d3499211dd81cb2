/* SPDX-License-Identifier: MIT */
#include "slab.h"

#include <stdint.h>
#include <stdlib.h>

#define BLOCKS_AT_ONCE 64
#define CACHE_LINE     64 /* blocks begin with one */

struct ptpmon_slab_chunk {
    struct ptpmon_slab_chunk *next;
};

static size_t round_up(size_t bytes)
{
    return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static unsigned char *first_block(struct ptpmon_slab_chunk *chunk)
{
    uintptr_t after_chunk = (uintptr_t)(chunk + 1);
    return (unsigned char *)(chunk + 1) + (round_up(after_chunk) - after_chunk);
}

void ptpmon_slab_init(struct ptpmon_slab *slab, size_t block_bytes)
{
    *slab = (struct ptpmon_slab){.block_bytes = round_up(block_bytes)};
}

void ptpmon_slab_close(struct ptpmon_slab *slab)
{
    while (slab->chunks) {
        struct ptpmon_slab_chunk *chunk = slab->chunks;
        slab->chunks = chunk->next;
        ASAN_UNPOISON_MEMORY_REGION(first_block(chunk), BLOCKS_AT_ONCE * slab->block_bytes);
        free(chunk);
    }
    slab->free = NULL;
}

bool ptpmon_slab_grow(struct ptpmon_slab *slab)
{
    struct ptpmon_slab_chunk *chunk = malloc(sizeof *chunk + CACHE_LINE + BLOCKS_AT_ONCE * slab->block_bytes);
    if (!chunk)
        return false;
    chunk->next = slab->chunks;
    slab->chunks = chunk;
    for (size_t i = BLOCKS_AT_ONCE; i-- > 0;)
        ptpmon_slab_give(slab, first_block(chunk) + i * slab->block_bytes);
    return true;
}
