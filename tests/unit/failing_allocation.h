/* SPDX-License-Identifier: MIT */
/*
 * Lets the Nth allocation of the code under test fail, and counts its blocks. The test program is
 * linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free.
 */
#ifndef PTPMON_TESTS_FAILING_ALLOCATION_H
#define PTPMON_TESTS_FAILING_ALLOCATION_H

#include <stddef.h>

/* The allocation after `successes` more fails, and so do the `failures` - 1 after it. */
void fail_allocations_after(size_t successes, size_t failures);
void fail_no_allocation(void);

/* How often an allocation has failed since the last of the calls above. */
size_t failed_allocations(void);

/* Blocks that are allocated and not freed. */
size_t live_blocks(void);
/* The bytes in them. */
size_t live_bytes(void);

#endif
