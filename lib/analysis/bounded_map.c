/* SPDX-License-Identifier: MIT */
#include "bounded_map.h"

#include "frame_key.h"

#include <string.h>

bool ptpmon_map_open(struct ptpmon_map *map, size_t entry_bytes, size_t limit,
                     void (*forget)(struct ptpmon_map_entry *entry))
{
    *map = (struct ptpmon_map){.entry_bytes = entry_bytes, .limit = limit, .forget = forget};
    ptpmon_list_init(&map->used);
    ptpmon_slab_init(&map->slab, entry_bytes);
    return ptpmon_slab_reserve(&map->slab) && ptpmon_hash_table_open(&map->table);
}

void ptpmon_map_close(struct ptpmon_map *map)
{
    ptpmon_slab_close(&map->slab);
    ptpmon_hash_table_close(&map->table);
}

static uint64_t hash_of(const struct ptpmon_map *map, const struct ptpmon_map_key *key)
{
    uint64_t seed = map->table.seed | 1;
    return ptpmon_hash_mix((key->words[0] * seed ^ ptpmon_hash_mix(key->words[1] + seed)) * seed + key->words[2]);
}

static struct ptpmon_map_entry *entry_of(struct ptpmon_hash_node *node)
{
    return node ? PTPMON_CONTAINER_OF(node, struct ptpmon_map_entry, node) : NULL;
}

static bool same_key(const struct ptpmon_map_key *a, const struct ptpmon_map_key *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1] && a->words[2] == b->words[2];
}

static struct ptpmon_map_entry *find(const struct ptpmon_map *map, const struct ptpmon_map_key *key, uint64_t hash)
{
    struct ptpmon_map_entry *entry = entry_of(ptpmon_hash_table_first(&map->table, hash));
    while (entry && !same_key(&entry->key, key))
        entry = entry_of(ptpmon_hash_table_next(&entry->node));
    return entry;
}

static struct ptpmon_map_entry *touch(struct ptpmon_map *map, struct ptpmon_map_entry *entry)
{
    if (entry && map->used.previous != &entry->used) {
        ptpmon_list_remove(&entry->used);
        ptpmon_list_append(&map->used, &entry->used);
    }
    return entry;
}

/* Often the one that is looked for was so before. */
static struct ptpmon_map_entry *newest_if(const struct ptpmon_map *map, const struct ptpmon_map_key *key)
{
    struct ptpmon_map_entry *newest = PTPMON_CONTAINER_OF(map->used.previous, struct ptpmon_map_entry, used);
    return map->table.count > 0 && same_key(&newest->key, key) ? newest : NULL;
}

struct ptpmon_map_entry *ptpmon_map_find(struct ptpmon_map *map, const struct ptpmon_map_key *key)
{
    struct ptpmon_map_entry *newest = newest_if(map, key);
    if (newest)
        return newest;
    return touch(map, find(map, key, hash_of(map, key)));
}

static void forget_oldest(struct ptpmon_map *map)
{
    struct ptpmon_map_entry *oldest = PTPMON_CONTAINER_OF(map->used.next, struct ptpmon_map_entry, used);
    if (map->forget)
        map->forget(oldest);
    ptpmon_hash_table_remove(&map->table, &oldest->node);
    ptpmon_list_remove(&oldest->used);
    ptpmon_slab_give(&map->slab, oldest);
    map->forgotten++;
}

struct ptpmon_map_entry *ptpmon_map_get(struct ptpmon_map *map, const struct ptpmon_map_key *key)
{
    struct ptpmon_map_entry *newest = newest_if(map, key);
    if (newest)
        return newest;
    uint64_t hash = hash_of(map, key);
    struct ptpmon_map_entry *entry = touch(map, find(map, key, hash));
    if (entry)
        return entry;
    if (map->table.count >= map->limit || !ptpmon_slab_reserve(&map->slab))
        forget_oldest(map);
    entry = ptpmon_slab_take(&map->slab);
    memset(entry, 0, map->entry_bytes);
    entry->key = *key;
    ptpmon_hash_table_insert(&map->table, &entry->node, hash);
    ptpmon_list_init(&entry->used);
    ptpmon_list_append(&map->used, &entry->used);
    return entry;
}
