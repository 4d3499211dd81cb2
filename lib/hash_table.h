/* SPDX-License-Identifier: MIT */
/* A hash table of nodes that lie in the elements. Only opening it can fail for want of memory. */
#ifndef PTPMON_LIB_HASH_TABLE_H
#define PTPMON_LIB_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ptpmon_hash_node {
    struct ptpmon_hash_node *next, **link; /* link: what points to this node */
    uint64_t hash;
};

struct ptpmon_hash_table {
    struct ptpmon_hash_node **buckets;
    size_t size, count; /* size: of buckets, a power of two; at most half as many nodes, while there is memory */
    uint64_t seed;      /* for the hash functions of the elements' keys */
};

/* False: out of memory. */
bool ptpmon_hash_table_open(struct ptpmon_hash_table *table);
/* Frees the buckets, not the elements. */
void ptpmon_hash_table_close(struct ptpmon_hash_table *table);

/* The rare case of inserting. */
void ptpmon_hash_table_grow(struct ptpmon_hash_table *table);

/* Puts the node into the bucket of its hash. */
static inline void ptpmon_hash_node_link(struct ptpmon_hash_node **buckets, size_t size, struct ptpmon_hash_node *node)
{
    struct ptpmon_hash_node **bucket = &buckets[node->hash & (size - 1)];
    node->next = *bucket;
    node->link = bucket;
    if (node->next)
        node->next->link = &node->next;
    *bucket = node;
}

static inline void ptpmon_hash_table_insert(struct ptpmon_hash_table *table, struct ptpmon_hash_node *node,
                                            uint64_t hash)
{
    if (table->count >= table->size / 2)
        ptpmon_hash_table_grow(table);
    node->hash = hash;
    ptpmon_hash_node_link(table->buckets, table->size, node);
    table->count++;
}

static inline void ptpmon_hash_table_remove(struct ptpmon_hash_table *table, struct ptpmon_hash_node *node)
{
    *node->link = node->next;
    if (node->next)
        node->next->link = node->link;
    table->count--;
}

/* The nodes of this hash, one after the other; NULL: no more. Equal hashes do not mean equal keys. */
static inline struct ptpmon_hash_node *ptpmon_hash_table_first(const struct ptpmon_hash_table *table, uint64_t hash)
{
    struct ptpmon_hash_node *node = table->buckets[hash & (table->size - 1)];
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

static inline struct ptpmon_hash_node *ptpmon_hash_table_next(const struct ptpmon_hash_node *node)
{
    struct ptpmon_hash_node *next = node->next;
    while (next && next->hash != node->hash)
        next = next->next;
    return next;
}

#endif
