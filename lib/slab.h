/* SPDX-License-Identifier: MIT */
/* Blocks of one size: taking and giving back is cheap, and what was given back is taken first. */
#ifndef PTPMON_LIB_SLAB_H
#define PTPMON_LIB_SLAB_H

#include <stdbool.h>
#include <stddef.h>

/* The address sanitizer is told which blocks are in use. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes)   ((void)(start), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#endif

struct ptpmon_slab_chunk;

struct ptpmon_slab_free {
    struct ptpmon_slab_free *next;
};

struct ptpmon_slab {
    size_t block_bytes;
    struct ptpmon_slab_free *free;
    struct ptpmon_slab_chunk *chunks; /* all memory; it is kept until the slab is closed */
};

/* Each block begins with a cache line. */
void ptpmon_slab_init(struct ptpmon_slab *slab, size_t block_bytes);
/* Frees all blocks, also those not given back. */
void ptpmon_slab_close(struct ptpmon_slab *slab);

/* Adds free blocks. False: out of memory. */
bool ptpmon_slab_grow(struct ptpmon_slab *slab);

/* Sees to it that the next taking succeeds. False: out of memory. */
static inline bool ptpmon_slab_reserve(struct ptpmon_slab *slab)
{
    return slab->free || ptpmon_slab_grow(slab);
}

/* A block with anything in it; one must have been reserved. */
static inline void *ptpmon_slab_take(struct ptpmon_slab *slab)
{
    struct ptpmon_slab_free *block = slab->free;
    ASAN_UNPOISON_MEMORY_REGION(block, slab->block_bytes);
    slab->free = block->next;
    __builtin_prefetch(slab->free);
    return block;
}

static inline void ptpmon_slab_give(struct ptpmon_slab *slab, void *block)
{
    struct ptpmon_slab_free *unused = block;
    unused->next = slab->free;
    slab->free = unused;
    ASAN_POISON_MEMORY_REGION(block, slab->block_bytes);
}

#endif
