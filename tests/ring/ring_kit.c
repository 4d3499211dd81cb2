/* SPDX-License-Identifier: MIT */
#include "ring_kit.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS  7 /* of a record, without the sequence */
#define RUN_MS 2000

void kit_place(struct kit *kit, void *section1, void *section2, UINT32 capacity, UINT64 start)
{
    kit->section1 = section1;
    kit->section2 = section2;
    kit->bytes = AvbRingBytes(capacity);
    kit->start = start;
    AvbRingInit(&kit->ring, section1, section2, capacity, KIT_HZ);
    kit->section1->head = kit->section1->limit = kit->section2->tail = start;
}

static void *zeroed_pages(size_t bytes)
{
    void *pages = aligned_alloc(AVB_RING_PAGE, bytes);
    if (!pages)
        abort();
    return memset(pages, 0, bytes);
}

void kit_make(struct kit *kit, UINT32 capacity, UINT64 start)
{
    kit_place(kit, zeroed_pages(AvbRingBytes(capacity)), zeroed_pages(AVB_RING_PAGE), capacity, start);
}

void kit_free(struct kit *kit)
{
    free(kit->section1);
    free(kit->section2);
}

AVB_RING_READER kit_reader(const struct kit *kit)
{
    AVB_RING_READER reader;
    if (!AvbRingReaderInit(&reader, kit->section1, kit->bytes, kit->section2))
        abort();
    return reader;
}

/* ---- Records ---- */

static UINT64 word_of(UINT64 producer, UINT64 number, unsigned int at)
{
    struct random mix = {.state = producer << 56 ^ number << 3 ^ at};
    return at == 0 ? number : at == 1 ? producer : random_next(&mix);
}

void kit_write(PTP_TIMESTAMP_EVENT *event, UINT64 producer, UINT64 number, struct random *stops)
{
    unsigned char *bytes = (unsigned char *)event;
    for (unsigned int at = 0; at < WORDS; at++) {
        UINT64 word = word_of(producer, number, at);
        memcpy(bytes + at * sizeof word, &word, sizeof word);
        if (at == WORDS / 2)
            kit_stop(stops);
    }
}

static UINT64 word_at(const PTP_TIMESTAMP_EVENT *event, unsigned int at)
{
    UINT64 word;
    memcpy(&word, (const unsigned char *)event + at * sizeof word, sizeof word);
    return word;
}

UINT64 kit_number(const PTP_TIMESTAMP_EVENT *event)
{
    return word_at(event, 0);
}

UINT64 kit_producer(const PTP_TIMESTAMP_EVENT *event)
{
    return word_at(event, 1);
}

bool kit_is_whole(const PTP_TIMESTAMP_EVENT *event)
{
    UINT64 number = kit_number(event), producer = kit_producer(event);
    for (unsigned int at = 2; at < WORDS; at++) {
        if (word_at(event, at) != word_of(producer, number, at))
            return false;
    }
    return true;
}

bool kit_push(const AVB_RING *ring, UINT64 producer, UINT64 number, struct random *stops)
{
    if (number % 2) {
        PTP_TIMESTAMP_EVENT event;
        kit_write(&event, producer, number, NULL);
        return RingBufferWrite(ring, &event);
    }
    UINT64 ticket;
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(ring, &ticket);
    if (!slot)
        return false;
    kit_write(slot, producer, number, stops);
    kit_stop(stops);
    AvbRingPublish(slot, ticket);
    return true;
}

void kit_stop(struct random *stops)
{
    if (!stops)
        return;
    uint64_t chance = random_below(stops, 4096);
    if (chance == 0)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    else if (chance < 64)
        sched_yield();
}

static UINT64 now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (UINT64)now.tv_sec * 1000 + (UINT64)now.tv_nsec / 1000000;
}

UINT64 kit_deadline(UINT64 runs)
{
    return now_ms() + runs * RUN_MS;
}

bool kit_is_over(UINT64 deadline)
{
    return now_ms() >= deadline;
}

void ring_pause(void)
{
    static _Thread_local struct random pauses;
    if (pauses.state == 0)
        pauses.state = (uintptr_t)&pauses;
    if (random_below(&pauses, 512) == 0)
        sched_yield();
}

/* ---- Judgements ---- */

const char *kit_takes_capacity(struct kit *kit, AVB_RING_READER *reader)
{
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 capacity = kit->ring.capacity, producer = 99, full = kit_load(&kit->section1->dropped_full);
    if (AvbRingPeek(reader, &first) != 0)
        return "the ring was not drained";
    for (UINT64 number = 0; number < capacity; number++) {
        if (!kit_push(&kit->ring, producer, number, NULL))
            return "a drained ring took less than its capacity";
    }
    if (kit_push(&kit->ring, producer, capacity, NULL) || kit_load(&kit->section1->dropped_full) != full + 1)
        return "a drained ring took more than its capacity, or did not count what it dropped";
    for (UINT64 number = 0; number < capacity;) {
        UINT64 count = AvbRingPeek(reader, &first);
        if (count == 0)
            return "less came out of a full ring than went in";
        for (UINT64 i = 0; i < count; i++, number++) {
            if (!kit_is_whole(&first[i]) || kit_producer(&first[i]) != producer || kit_number(&first[i]) != number)
                return "what came out of a full ring is not what went in";
        }
        AvbRingRelease(reader, count);
    }
    return AvbRingPeek(reader, &first) == 0 ? NULL : "more came out of a full ring than went in";
}

const char *kit_accounts(const struct kit *kit, UINT64 attempted, UINT64 emitted)
{
    const AVB_RING_HEADER *header = kit->section1;
    if (kit_load(&header->head) - kit->start != emitted)
        return "head is not what was emitted";
    if (kit_load(&header->dropped_full) + kit_load(&header->dropped_contention) != attempted - emitted)
        return "emitted and dropped are not what was attempted";
    return NULL;
}

UINT64 kit_load(const UINT64 *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
