/* SPDX-License-Identifier: MIT */
#include "hash_table.h"

#include "frame_key.h"

#include <stdlib.h>

#define FIRST_SIZE 256u

bool ptpmon_hash_table_open(struct ptpmon_hash_table *table)
{
    *table = (struct ptpmon_hash_table){.size = FIRST_SIZE, .seed = ptpmon_hash_mix((uintptr_t)table)};
    table->buckets = calloc(table->size, sizeof(struct ptpmon_hash_node *));
    return table->buckets != NULL;
}

void ptpmon_hash_table_close(struct ptpmon_hash_table *table)
{
    free(table->buckets);
}

static void link_node(struct ptpmon_hash_node **buckets, size_t size, struct ptpmon_hash_node *node)
{
    struct ptpmon_hash_node **bucket = &buckets[node->hash & (size - 1)];
    node->next = *bucket;
    node->link = bucket;
    if (node->next)
        node->next->link = &node->next;
    *bucket = node;
}

/* Without memory the table stays as it is: slower, but right. */
static void grow(struct ptpmon_hash_table *table)
{
    size_t size = table->size * 2;
    struct ptpmon_hash_node **buckets = calloc(size, sizeof(struct ptpmon_hash_node *));
    if (!buckets)
        return;
    for (size_t i = 0; i < table->size; i++) {
        struct ptpmon_hash_node *node = table->buckets[i];
        while (node) {
            struct ptpmon_hash_node *next = node->next;
            link_node(buckets, size, node);
            node = next;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->size = size;
}

void ptpmon_hash_table_insert(struct ptpmon_hash_table *table, struct ptpmon_hash_node *node, uint64_t hash)
{
    if (table->count >= table->size)
        grow(table);
    node->hash = hash;
    link_node(table->buckets, table->size, node);
    table->count++;
}
