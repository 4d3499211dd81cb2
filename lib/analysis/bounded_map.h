/* SPDX-License-Identifier: MIT */
/*
 * What is remembered of ports and of pairs of them. Anybody can invent identities, so there is a limit: beyond it the
 * entry that was not looked up for the longest time is forgotten.
 */
#ifndef PTPMON_LIB_ANALYSIS_BOUNDED_MAP_H
#define PTPMON_LIB_ANALYSIS_BOUNDED_MAP_H

#include "hash_table.h"
#include "list.h"
#include "slab.h"

struct ptpmon_map_key {
    uint64_t words[3];
};

/* The first member of what is remembered; the rest is 0 when it is new. */
struct ptpmon_map_entry {
    struct ptpmon_hash_node node;
    struct ptpmon_list used; /* by when it was looked up */
    struct ptpmon_map_key key;
};

struct ptpmon_map {
    struct ptpmon_hash_table table;
    struct ptpmon_list used;
    struct ptpmon_slab slab;
    size_t entry_bytes, limit;
    void (*forget)(struct ptpmon_map_entry *entry); /* before its memory is used anew; NULL: nothing to do */
    uint64_t forgotten;
};

/* False: out of memory. Nothing else can fail for want of it: then the limit is what there is. */
bool ptpmon_map_open(struct ptpmon_map *map, size_t entry_bytes, size_t limit,
                     void (*forget)(struct ptpmon_map_entry *entry));
void ptpmon_map_close(struct ptpmon_map *map);

/* NULL: not remembered. */
struct ptpmon_map_entry *ptpmon_map_find(struct ptpmon_map *map, const struct ptpmon_map_key *key);
/* Makes the entry where there is none. */
struct ptpmon_map_entry *ptpmon_map_get(struct ptpmon_map *map, const struct ptpmon_map_key *key);

#endif
