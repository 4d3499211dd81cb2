/* SPDX-License-Identifier: MIT */
#include "failing_allocation.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static size_t successes_left = SIZE_MAX, failures_left, failed, live, bytes;

void fail_allocations_after(size_t successes, size_t failures)
{
    successes_left = successes;
    failures_left = failures;
    failed = 0;
}

void fail_no_allocation(void)
{
    fail_allocations_after(SIZE_MAX, 0);
}

size_t failed_allocations(void)
{
    return failed;
}

size_t live_blocks(void)
{
    return live;
}

size_t live_bytes(void)
{
    return bytes;
}

static bool fails_now(void)
{
    if (successes_left > 0) {
        successes_left--;
        return false;
    }
    if (failures_left == 0)
        return false;
    failures_left--;
    failed++;
    return true;
}

static void *counted(void *block)
{
    live += block != NULL;
    bytes += malloc_usable_size(block);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (fails_now())
        return NULL;
    size_t before = malloc_usable_size(block);
    void *grown = __real_realloc(block, size);
    live += block == NULL && grown != NULL;
    if (grown != NULL)
        bytes += malloc_usable_size(grown) - before;
    return grown;
}

void __wrap_free(void *block)
{
    live -= block != NULL;
    bytes -= malloc_usable_size(block);
    __real_free(block);
}
