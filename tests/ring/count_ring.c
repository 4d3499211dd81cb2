/* SPDX-License-Identifier: MIT */
/*
 *     count_ring WAY COUNT
 *
 * Does one thing COUNT times, to be counted by callgrind: twice as many, less as many, is the cost of one.
 *
 *     empty      the loop alone, which is around all others too
 *     push       a record written in place, into a ring in which there is always room
 *     copy       the same by RingBufferWrite()
 *     renew      as push, and after each 64 the reader's position moves: so does the limit, then
 *     read       as push, and the reader looks at each record, in batches of 64
 *     full       a push into a full ring
 */
#include <avb/avb_ring_buffer.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64u

static AVB_RING ring;
static AVB_RING_READER reader;
static AVB_RING_CONSUMER *consumer;

static void make_ring(UINT32 capacity)
{
    void *section1 = calloc(1, AvbRingBytes(capacity));
    consumer = calloc(1, sizeof *consumer);
    if (!section1 || !consumer)
        exit(1);
    AvbRingInit(&ring, section1, consumer, capacity, 1);
    if (!AvbRingReaderInit(&reader, section1, AvbRingBytes(capacity), consumer))
        exit(1);
}

/* Inline: a call would be counted as part of it. */
__attribute__((always_inline)) static inline void push(UINT64 number)
{
    UINT64 ticket;
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&ring, &ticket);
    if (!slot)
        return;
    slot->hw_timestamp_ns = number;
    slot->system_timestamp = number;
    memcpy(&slot->direction, "\0\0\1\0\0\2\0\0\0\0\1\1\0\0\0\xFF", 16); /* 16..31: constants, as words */
    memcpy(slot->clockIdentity, "\2\0\0\xFF\xFE\0\0\1\1\0\0\0\0\0\0\2", 16);
    slot->software_timestamp = number;
    AvbRingPublish(slot, ticket);
}

static void do_nothing(UINT64 pushed)
{
    (void)pushed;
}

static void move_position(UINT64 pushed)
{
    consumer->tail = pushed;
}

static UINT64 sum; /* of what was read: keeps the compiler from leaving it out */

static void read_batch(UINT64 pushed)
{
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 count = AvbRingPeek(&reader, &first);
    (void)pushed;
    for (UINT64 i = 0; i < count; i++)
        sum += first[i].hw_timestamp_ns;
    AvbRingRelease(&reader, count);
}

static const struct way {
    const char *name;
    UINT32 capacity;
    void (*after_batch)(UINT64 pushed);
} ways[] = {
    {"empty", AVB_RING_MIN_CAPACITY, do_nothing}, {"push", AVB_RING_MAX_CAPACITY, do_nothing},
    {"copy", AVB_RING_MAX_CAPACITY, do_nothing},  {"renew", AVB_RING_DEFAULT_CAPACITY, move_position},
    {"read", AVB_RING_MAX_CAPACITY, read_batch},  {"full", AVB_RING_MIN_CAPACITY, do_nothing},
};

/* The loop, made three times. */
#define REPEAT(count, way, thing) \
    for (UINT64 i = 0; i < (count); i++) { \
        thing; \
        if (i % BATCH == BATCH - 1) \
            (way)->after_batch(i + 1); \
    }

int main(int argc, char **argv)
{
    const PTP_TIMESTAMP_EVENT event = {.sequenceId = 1};
    const struct way *way = ways, *end = ways + sizeof ways / sizeof *ways;
    while (argc == 3 && way < end && strcmp(argv[1], way->name) != 0)
        way++;
    if (argc != 3 || way == end) {
        fprintf(stderr, "usage: count_ring empty|push|copy|renew|read|full COUNT\n");
        return 2;
    }
    UINT64 count = strtoull(argv[2], NULL, 10);
    make_ring(way->capacity);
    if (strcmp(way->name, "empty") == 0)
        REPEAT(count, way, __asm__ volatile(""))
    else if (strcmp(way->name, "copy") == 0)
        REPEAT(count, way, RingBufferWrite(&ring, &event))
    else
        REPEAT(count, way, push(i))
    printf("%llu %llu\n", (unsigned long long)ring.header->head, (unsigned long long)sum);
    return 0;
}
