/* SPDX-License-Identifier: MIT */
/* Rings for tests, records whose every word tells where they come from, and stops at random places. */
#ifndef PTPMON_TESTS_RING_KIT_H
#define PTPMON_TESTS_RING_KIT_H

#include <avb/avb_ring_buffer.h>
#include <stdbool.h>
#include <stdint.h>
#include <unit/random.h>

#define KIT_HZ 10000000u

/* Sanitizers make a test many times slower. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define KIT_SLOW 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define KIT_SLOW 1
#endif
#endif
#ifndef KIT_SLOW
#define KIT_SLOW 0
#endif

struct kit {
    AVB_RING ring;
    AVB_RING_HEADER *section1;
    AVB_RING_CONSUMER *section2;
    UINT64 bytes; /* of section 1 */
    UINT64 start; /* the first ticket */
};

/* Both sections on the heap, of their exact size: a sanitizer sees what goes beyond them. */
void kit_make(struct kit *kit, UINT32 capacity, UINT64 start);
void kit_free(struct kit *kit);

/* In memory that is given, zeroed. */
void kit_place(struct kit *kit, void *section1, void *section2, UINT32 capacity, UINT64 start);

/* A reader, or the test fails. */
AVB_RING_READER kit_reader(const struct kit *kit);

/* Words of a record: number, producer, then words that follow from these; word 7 is the sequence. */
void kit_write(PTP_TIMESTAMP_EVENT *event, UINT64 producer, UINT64 number, struct random *stops);
bool kit_is_whole(const PTP_TIMESTAMP_EVENT *event);
UINT64 kit_number(const PTP_TIMESTAMP_EVENT *event);
UINT64 kit_producer(const PTP_TIMESTAMP_EVENT *event);

/* One push, in place or as a copy, with stops on the way. */
bool kit_push(const AVB_RING *ring, UINT64 producer, UINT64 number, struct random *stops);

/* Now and then gives the processor away, or sleeps for a moment. NULL: never. */
void kit_stop(struct random *stops);

/*
 * When threads have met for long enough, so many runs from now: beside processes that never rest, who gives the
 * processor away may wait for very long, and what alone takes a tenth of a second takes minutes.
 */
UINT64 kit_deadline(UINT64 runs);
bool kit_is_over(UINT64 deadline);

/* For pausing_atomic.h: gives the processor away, one time in a few hundred. */
void ring_pause(void);

/*
 * A drained ring takes exactly `capacity` records more, and then one is dropped as full; they come out
 * whole and in order. Leaves the ring drained. Returns what is wrong, or NULL.
 */
const char *kit_takes_capacity(struct kit *kit, AVB_RING_READER *reader);

/* The driver's statistics agree with what producers were told. Returns what is wrong, or NULL. */
const char *kit_accounts(const struct kit *kit, UINT64 attempted, UINT64 emitted);

UINT64 kit_load(const UINT64 *word);

#endif
