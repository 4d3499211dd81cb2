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

/* Without memory the table stays as it is: slower, but right. */
void ptpmon_hash_table_grow(struct ptpmon_hash_table *table)
{
    size_t size = table->size * 2;
    struct ptpmon_hash_node **buckets = calloc(size, sizeof(struct ptpmon_hash_node *));
    if (!buckets)
        return;
    for (size_t i = 0; i < table->size; i++) {
        struct ptpmon_hash_node *node = table->buckets[i];
        while (node) {
            struct ptpmon_hash_node *next = node->next;
            ptpmon_hash_node_link(buckets, size, node);
            node = next;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->size = size;
}
