/* SPDX-License-Identifier: MIT */
/* The ring, one thread: what it holds, what it refuses, and what its counters say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "ring_kit.h"

#define CAPACITY 64u
#define PRODUCER 1u

/* Starts at which tickets overflow 32 bits, or all 64, in the course of a few laps. A ticket that overflows finds slots
 * of the lap before, as it would; the all-zero slot of a fresh ring would look published to ticket 2^64 - 1. */
static const UINT64 starts[] = {
    0,
    1,
    CAPACITY - 1,
    UINT64_C(0x100000000) - 5,
    UINT64_C(0x100000000) - CAPACITY,
    UINT64_C(0x8000000000000000) - 7,
    UINT64_C(0) - 2 * CAPACITY - 5,
    UINT64_C(0) - 2 * CAPACITY,
};

static void assert_right(const char *wrong)
{
    if (wrong)
        fail_msg("%s", wrong);
}

static void push(const struct kit *kit, UINT64 from, UINT64 count)
{
    for (UINT64 i = 0; i < count; i++)
        assert_true(kit_push(&kit->ring, PRODUCER, from + i, NULL));
}

/* Takes exactly the records `from` and on, in any number of pieces. */
static void pull(AVB_RING_READER *reader, UINT64 from, UINT64 count)
{
    for (UINT64 taken = 0; taken < count;) {
        const PTP_TIMESTAMP_EVENT *first;
        UINT64 there = AvbRingPeek(reader, &first);
        assert_true(there > 0);
        there = there < count - taken ? there : count - taken;
        for (UINT64 i = 0; i < there; i++) {
            assert_true(kit_is_whole(&first[i]));
            assert_int_equal(kit_number(&first[i]), from + taken + i);
        }
        AvbRingRelease(reader, there);
        taken += there;
    }
}

static void test_header_says_what_the_ring_is(void **state)
{
    (void)state;
    struct kit kit;
    kit_make(&kit, CAPACITY, 0);
    assert_memory_equal(&kit.section1->magic, "RING", 4);
    assert_int_equal(kit.section1->abi_version, 1);
    assert_int_equal(kit.section1->header_bytes, 0x1000);
    assert_int_equal(kit.section1->event_bytes, 64);
    assert_int_equal(kit.section1->capacity, CAPACITY);
    assert_int_equal(kit.section1->data_offset, 0x1000);
    assert_int_equal(kit.section1->system_clock_hz, KIT_HZ);
    assert_ptr_equal(kit.ring.events, (unsigned char *)kit.section1 + 0x1000);
    assert_int_equal(AvbRingBytes(4096), 0x41000);
    kit_free(&kit);
}

static void test_capacities(void **state)
{
    (void)state;
    for (UINT32 bit = 0; bit < 32; bit++)
        assert_int_equal(AvbRingCapacityIsValid(UINT32_C(1) << bit), bit >= 6 && bit <= 20);
    const UINT32 odd[] = {0, 63, 65, 96, 4095, 4097, 1048575, 1048577, UINT32_MAX};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_false(AvbRingCapacityIsValid(odd[i]));
}

static void test_empty(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct kit kit;
        const PTP_TIMESTAMP_EVENT *first;
        kit_make(&kit, CAPACITY, starts[i]);
        AVB_RING_READER reader = kit_reader(&kit);
        assert_int_equal(AvbRingPeek(&reader, &first), 0);
        assert_int_equal(AvbRingUnread(&kit.ring), 0);
        kit_free(&kit);
    }
}

static void test_one_record_in_place(void **state)
{
    (void)state;
    struct kit kit;
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 ticket = 42;
    kit_make(&kit, CAPACITY, 0);
    AVB_RING_READER reader = kit_reader(&kit);
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&kit.ring, &ticket);
    assert_ptr_equal(slot, kit.ring.events);
    assert_int_equal(ticket, 0);
    kit_write(slot, PRODUCER, 7, NULL);
    assert_int_equal(AvbRingPeek(&reader, &first), 0);
    AvbRingPublish(slot, ticket);
    assert_int_equal(AvbRingPeek(&reader, &first), 1);
    assert_ptr_equal(first, slot);
    assert_int_equal(first->sequence, 1);
    pull(&reader, 7, 1);
    kit_free(&kit);
}

static void test_copy_leaves_the_event_s_sequence_out(void **state)
{
    (void)state;
    struct kit kit;
    const PTP_TIMESTAMP_EVENT *first;
    PTP_TIMESTAMP_EVENT event;
    memset(&event, 0xA5, sizeof event);
    kit_make(&kit, CAPACITY, 5);
    AVB_RING_READER reader = kit_reader(&kit);
    assert_true(RingBufferWrite(&kit.ring, &event));
    assert_int_equal(AvbRingPeek(&reader, &first), 1);
    assert_int_equal(first->sequence, 6);
    assert_memory_equal(first, &event, offsetof(PTP_TIMESTAMP_EVENT, sequence));
    kit_free(&kit);
}

static void test_full_ring_drops_and_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct kit kit;
        kit_make(&kit, CAPACITY, starts[i]);
        push(&kit, 0, CAPACITY);
        for (UINT64 dropped = 0; dropped < 100; dropped++) {
            assert_false(kit_push(&kit.ring, PRODUCER, 1000 + dropped, NULL));
            assert_int_equal(kit.section1->dropped_full, dropped + 1);
        }
        assert_right(kit_accounts(&kit, CAPACITY + 100, CAPACITY));
        assert_int_equal(kit.section1->high_water, CAPACITY);
        assert_int_equal(kit.section1->bad_consumer_position, 0);
        AVB_RING_READER reader = kit_reader(&kit);
        pull(&reader, 0, CAPACITY);
        assert_right(kit_takes_capacity(&kit, &reader));
        kit_free(&kit);
    }
}

static void test_laps_at_every_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct kit kit;
        struct random random = {.state = i};
        UINT64 pushed = 0, pulled = 0;
        kit_make(&kit, CAPACITY, starts[i]);
        AVB_RING_READER reader = kit_reader(&kit);
        while (pushed < 20 * CAPACITY) {
            UINT64 more = random_below(&random, CAPACITY - (pushed - pulled) + 1);
            push(&kit, pushed, more);
            pushed += more;
            assert_int_equal(AvbRingUnread(&kit.ring), pushed - pulled);
            UINT64 less = random_below(&random, pushed - pulled + 1);
            pull(&reader, pulled, less);
            pulled += less;
        }
        pull(&reader, pulled, pushed - pulled);
        assert_right(kit_accounts(&kit, pushed, pushed));
        assert_int_equal(kit.section1->bad_consumer_position, 0);
        assert_right(kit_takes_capacity(&kit, &reader));
        kit_free(&kit);
    }
}

/* A slow reader: as many as it gives back are taken, not one more, however few or many at once. */
static void test_takes_as_many_as_are_given_back(void **state)
{
    (void)state;
    struct kit kit;
    UINT64 pushed = 256, pulled = 0, dropped = 0;
    kit_make(&kit, 256, 0);
    AVB_RING_READER reader = kit_reader(&kit);
    push(&kit, 0, pushed);
    for (UINT64 back = 0; back <= 256; back++) {
        pull(&reader, pulled, back);
        pulled += back;
        push(&kit, pushed, back);
        pushed += back;
        assert_false(kit_push(&kit.ring, PRODUCER, 0, NULL));
        assert_int_equal(kit.section1->dropped_full, ++dropped);
    }
    assert_int_equal(kit.section1->dropped_contention, 0);
    kit_free(&kit);
}

static void test_peek_ends_at_the_end_of_the_ring(void **state)
{
    (void)state;
    struct kit kit;
    const PTP_TIMESTAMP_EVENT *first;
    kit_make(&kit, CAPACITY, CAPACITY - 3);
    AVB_RING_READER reader = kit_reader(&kit);
    push(&kit, 0, 10);
    assert_int_equal(AvbRingPeek(&reader, &first), 3);
    pull(&reader, 0, 3);
    assert_int_equal(AvbRingPeek(&reader, &first), 7);
    pull(&reader, 3, 7);
    kit_free(&kit);
}

/* A record that is reserved and not published holds up the reader, and nobody else. */
static void test_unpublished_record_stops_the_reader(void **state)
{
    (void)state;
    struct kit kit;
    UINT64 ticket;
    const PTP_TIMESTAMP_EVENT *first;
    kit_make(&kit, CAPACITY, 0);
    AVB_RING_READER reader = kit_reader(&kit);
    push(&kit, 0, 2);
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&kit.ring, &ticket);
    push(&kit, 3, CAPACITY - 3);
    assert_int_equal(AvbRingPeek(&reader, &first), 2);
    pull(&reader, 0, 2);
    assert_int_equal(AvbRingPeek(&reader, &first), 0);
    push(&kit, CAPACITY, 2);
    assert_false(kit_push(&kit.ring, PRODUCER, 0, NULL));
    assert_int_equal(AvbRingPeek(&reader, &first), 0);
    kit_write(slot, PRODUCER, 2, NULL);
    AvbRingPublish(slot, ticket);
    pull(&reader, 2, CAPACITY);
    assert_right(kit_takes_capacity(&kit, &reader));
    kit_free(&kit);
}

/* The limit stays before a slot whose publication no producer has seen, wherever the reader says that it is. */
static void test_position_beyond_an_unpublished_record(void **state)
{
    (void)state;
    struct kit kit;
    UINT64 ticket;
    kit_make(&kit, CAPACITY, 0);
    push(&kit, 0, 2);
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&kit.ring, &ticket);
    push(&kit, 3, CAPACITY - 3);
    kit.section2->tail = CAPACITY;
    push(&kit, CAPACITY, 2);
    assert_false(kit_push(&kit.ring, PRODUCER, 0, NULL));
    assert_int_equal(kit.section1->limit, ticket);
    AvbRingPublish(slot, ticket);
    push(&kit, CAPACITY + 2, CAPACITY - 2);
    assert_false(kit_push(&kit.ring, PRODUCER, 0, NULL));
    kit_free(&kit);
}

static void test_positions_that_lie(void **state)
{
    (void)state;
    const UINT64 start = 1000, lies[] = {start - 1,
                                         0,
                                         start + CAPACITY + 1,
                                         start + 2 * CAPACITY,
                                         UINT64_MAX,
                                         start + UINT64_C(0x100000000),
                                         start + UINT64_C(0x8000000000000000)};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct kit kit;
        kit_make(&kit, CAPACITY, start);
        kit.section2->tail = lies[i];
        push(&kit, 0, CAPACITY);
        for (UINT64 dropped = 1; dropped <= 3; dropped++) {
            assert_false(kit_push(&kit.ring, PRODUCER, 0, NULL));
            assert_int_equal(kit.section1->dropped_full, dropped);
            assert_int_equal(kit.section1->bad_consumer_position, dropped);
        }
        assert_int_equal(kit.section1->limit, start);
        assert_int_equal(kit.section1->high_water, 0);
        assert_int_equal(AvbRingUnread(&kit.ring), 0);
        AVB_RING_READER reader = kit_reader(&kit); /* an honest one: finds its place */
        assert_int_equal(kit.section2->tail, start);
        pull(&reader, 0, CAPACITY);
        assert_right(kit_takes_capacity(&kit, &reader));
        kit_free(&kit);
    }
}

static void test_reader_goes_on_where_the_last_one_stopped(void **state)
{
    (void)state;
    struct kit kit;
    kit_make(&kit, CAPACITY, 0);
    AVB_RING_READER first = kit_reader(&kit);
    push(&kit, 0, 40);
    pull(&first, 0, 25);
    AVB_RING_READER second = kit_reader(&kit);
    pull(&second, 25, 15);
    assert_int_equal(kit.section1->bad_consumer_position, 0);
    kit_free(&kit);
}

static void test_reader_that_was_overtaken_finds_its_place(void **state)
{
    (void)state;
    struct kit kit;
    kit_make(&kit, CAPACITY, 0);
    AVB_RING_READER reader = kit_reader(&kit);
    push(&kit, 0, CAPACITY);
    kit.section2->tail = CAPACITY; /* another one gives away what this one has not read */
    push(&kit, CAPACITY, 10);
    assert_int_equal(kit.section1->limit, CAPACITY);
    const PTP_TIMESTAMP_EVENT *first;
    assert_int_equal(AvbRingPeek(&reader, &first), 0);
    assert_false(AvbRingMaySleep(&reader));
    pull(&reader, CAPACITY, 10);
    assert_right(kit_takes_capacity(&kit, &reader));
    kit_free(&kit);
}

static void test_high_water(void **state)
{
    (void)state;
    struct kit kit;
    UINT64 pushed = 0;
    kit_make(&kit, 256, 0);
    AVB_RING_READER reader = kit_reader(&kit);
    for (UINT64 most = 10; most < 256; most += 13) {
        push(&kit, pushed, most);
        assert_int_equal(AvbRingUnread(&kit.ring), most);
        assert_int_equal(kit.section1->high_water, most);
        pull(&reader, pushed, most);
        pushed += most;
        assert_int_equal(AvbRingUnread(&kit.ring), 0);
        assert_int_equal(kit.section1->high_water, most);
    }
    kit_free(&kit);
}

/* Without the timer the mark is as good as the steps in which the limit moves: 64 records. */
static void test_high_water_by_producers_alone(void **state)
{
    (void)state;
    struct kit kit;
    UINT64 pushed = 4096, unread = 1500;
    kit_make(&kit, 4096, 0);
    AVB_RING_READER reader = kit_reader(&kit);
    push(&kit, 0, pushed);
    pull(&reader, 0, pushed);
    push(&kit, pushed, unread);
    assert_in_range(kit.section1->high_water, unread - 64, unread);
    kit_free(&kit);
}

static void test_wake_word(void **state)
{
    (void)state;
    struct kit kit;
    kit_make(&kit, CAPACITY, 0);
    AVB_RING_READER reader = kit_reader(&kit);
    assert_false(AvbRingWantsWake(&kit.ring));
    assert_true(AvbRingMaySleep(&reader));
    assert_true(AvbRingWantsWake(&kit.ring));
    AvbRingAwake(&reader);
    assert_false(AvbRingWantsWake(&kit.ring));
    push(&kit, 0, 1);
    assert_false(AvbRingMaySleep(&reader));
    AvbRingAwake(&reader);
    pull(&reader, 0, 1);
    assert_int_equal(AvbRingUnread(&kit.ring), 0);
    kit_free(&kit);
}

static bool opens(const void *section1, UINT64 bytes, void *section2)
{
    AVB_RING_READER reader;
    return AvbRingReaderInit(&reader, section1, bytes, section2);
}

static void test_reader_refuses_what_is_no_ring(void **state)
{
    (void)state;
    struct kit kit;
    kit_make(&kit, CAPACITY, 0);
    assert_true(opens(kit.section1, kit.bytes, kit.section2));
    assert_false(opens(kit.section1, kit.bytes - 1, kit.section2));
    assert_false(opens(kit.section1, AVB_RING_PAGE, kit.section2));
    assert_false(opens(kit.section1, AVB_RING_PAGE - 1, kit.section2));
    assert_false(opens(kit.section1, 0, kit.section2));
    UINT32 *const fields[] = {&kit.section1->magic,       &kit.section1->abi_version, &kit.section1->header_bytes,
                              &kit.section1->event_bytes, &kit.section1->capacity,    &kit.section1->data_offset};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        UINT32 right = *fields[i];
        const UINT32 wrong[] = {0, 1, right - 1, right + 1, right * 2, UINT32_MAX};
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
            *fields[i] = wrong[k];
            assert_int_equal(opens(kit.section1, kit.bytes, kit.section2), wrong[k] == right);
        }
        *fields[i] = right;
    }
    assert_true(opens(kit.section1, kit.bytes, kit.section2));
    kit_free(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_says_what_the_ring_is),
        cmocka_unit_test(test_capacities),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_one_record_in_place),
        cmocka_unit_test(test_copy_leaves_the_event_s_sequence_out),
        cmocka_unit_test(test_full_ring_drops_and_counts),
        cmocka_unit_test(test_laps_at_every_start),
        cmocka_unit_test(test_takes_as_many_as_are_given_back),
        cmocka_unit_test(test_peek_ends_at_the_end_of_the_ring),
        cmocka_unit_test(test_unpublished_record_stops_the_reader),
        cmocka_unit_test(test_position_beyond_an_unpublished_record),
        cmocka_unit_test(test_positions_that_lie),
        cmocka_unit_test(test_reader_goes_on_where_the_last_one_stopped),
        cmocka_unit_test(test_reader_that_was_overtaken_finds_its_place),
        cmocka_unit_test(test_high_water),
        cmocka_unit_test(test_high_water_by_producers_alone),
        cmocka_unit_test(test_wake_word),
        cmocka_unit_test(test_reader_refuses_what_is_no_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
