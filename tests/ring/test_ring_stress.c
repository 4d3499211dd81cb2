/* SPDX-License-Identifier: MIT */
/*
 * Up to eight producers that stop at random places, and an honest reader: nothing torn, lost, repeated
 * or out of order, and every counter right.
 *
 * What the threads tell each other beside the ring is relaxed, so that ThreadSanitizer sees no order
 * but the ring's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include "ring_kit.h"

#define MOST_PRODUCERS 8u
#define CAPACITY       64u
#define ATTEMPTS       (KIT_SLOW ? 50000u : 200000u) /* of all producers of a run together, where there is time */

struct run {
    struct kit kit;
    unsigned int producers;
    UINT64 attempts; /* of each at most */
    UINT64 deadline;
    UINT64 credit; /* records that may be in the ring at once; 0 = as many as it takes */
    bool reader_dawdles;
    UINT64 granted, taken; /* with a credit: records asked for, records given back */
    UINT64 running;
};

struct producer {
    struct run *run;
    pthread_t thread;
    UINT64 id, attempted, emitted;
};

static bool get_credit(struct run *run)
{
    if (__atomic_add_fetch(&run->granted, 1, __ATOMIC_RELAXED) - kit_load(&run->taken) <= run->credit)
        return true;
    __atomic_fetch_sub(&run->granted, 1, __ATOMIC_RELAXED);
    sched_yield();
    return false;
}

static void *produce(void *argument)
{
    struct producer *producer = argument;
    struct run *run = producer->run;
    struct random stops = {.state = producer->id};
    while (producer->attempted < run->attempts && !kit_is_over(run->deadline)) {
        if (run->credit && !get_credit(run))
            continue;
        producer->attempted++;
        bool emitted = kit_push(&run->kit.ring, producer->id, producer->emitted, &stops);
        producer->emitted += emitted;
        if (!emitted) {
            __atomic_fetch_sub(&run->granted, 1, __ATOMIC_RELAXED);
            sched_yield(); /* the reader's turn: a ring that stays full shows nothing */
        }
        kit_stop(&stops);
    }
    __atomic_fetch_sub(&run->running, 1, __ATOMIC_RELAXED);
    return NULL;
}

struct judge {
    UINT64 next[MOST_PRODUCERS];
    UINT64 sequence; /* of the next record */
    const char *wrong;
};

static const char *look_at(struct judge *judge, const PTP_TIMESTAMP_EVENT *event)
{
    UINT64 producer = kit_producer(event);
    if (!kit_is_whole(event) || producer >= MOST_PRODUCERS)
        return "a torn record";
    if (kit_load(&event->sequence) != judge->sequence++)
        return "a record of another ticket";
    if (kit_number(event) != judge->next[producer]++)
        return "a record of a producer is lost, repeated or out of order";
    return NULL;
}

/* Takes what there is, in portions; returns how many. */
static UINT64 consume(struct run *run, AVB_RING_READER *reader, struct judge *judge, struct random *random)
{
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 count = AvbRingPeek(reader, &first);
    UINT64 portion = count ? 1 + random_below(random, count) : 0;
    for (UINT64 i = 0; i < portion && !judge->wrong; i++)
        judge->wrong = look_at(judge, &first[i]);
    if (run->reader_dawdles)
        kit_stop(random);
    if (portion) {
        AvbRingRelease(reader, portion);
        __atomic_fetch_add(&run->taken, portion, __ATOMIC_RELAXED);
    }
    return portion;
}

static void read_to_the_end(struct run *run, AVB_RING_READER *reader, struct judge *judge)
{
    struct random random = {.state = 77};
    bool last = false;
    for (;;) {
        UINT64 count = consume(run, reader, judge, &random);
        if (count == 0 && last)
            return;
        last = count == 0 && kit_load(&run->running) == 0;
        if (count == 0)
            sched_yield();
    }
}

static void assert_right(const char *wrong)
{
    if (wrong)
        fail_msg("%s", wrong);
}

static void stress(struct run *run, UINT64 start)
{
    struct producer producers[MOST_PRODUCERS];
    struct judge judge = {.sequence = start + 1};
    UINT64 attempted = 0, emitted = 0;
    kit_make(&run->kit, CAPACITY, start);
    run->attempts = ATTEMPTS / run->producers;
    run->deadline = kit_deadline(1);
    run->running = run->producers;
    AVB_RING_READER reader = kit_reader(&run->kit);
    for (unsigned int i = 0; i < run->producers; i++) {
        producers[i] = (struct producer){.run = run, .id = i};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    read_to_the_end(run, &reader, &judge);
    for (unsigned int i = 0; i < run->producers; i++) {
        assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
        attempted += producers[i].attempted;
        emitted += producers[i].emitted;
    }
    assert_right(judge.wrong);
    for (unsigned int i = 0; i < run->producers; i++)
        assert_int_equal(judge.next[i], producers[i].emitted);
    assert_right(kit_accounts(&run->kit, attempted, emitted));
    assert_int_equal(run->kit.section1->bad_consumer_position, 0);
    assert_true(run->kit.section1->high_water <= CAPACITY);
    assert_right(kit_takes_capacity(&run->kit, &reader));
    assert_int_equal(run->kit.section1->bad_consumer_position, 0);
    if (run->credit)
        assert_int_equal(run->kit.section1->dropped_full, 1); /* that of kit_takes_capacity() */
    kit_free(&run->kit);
}

static void test_honest_reader(void **state)
{
    (void)state;
    for (unsigned int producers = 1; producers <= MOST_PRODUCERS; producers++) {
        struct run run = {.producers = producers};
        stress(&run, 0);
    }
}

static void test_dawdling_reader(void **state)
{
    (void)state;
    for (unsigned int producers = 1; producers <= MOST_PRODUCERS; producers *= 2) {
        struct run run = {.producers = producers, .reader_dawdles = true};
        stress(&run, UINT64_C(0x100000000) - 1000);
    }
}

static void test_tickets_that_overflow(void **state)
{
    (void)state;
    struct run run = {.producers = 3};
    stress(&run, UINT64_C(0) - 3 * CAPACITY);
}

/* No record is refused as long as there is room: that a producer looks at an old ticket is no reason. */
static void test_nothing_is_refused_while_there_is_room(void **state)
{
    (void)state;
    struct run run = {.producers = MOST_PRODUCERS, .credit = CAPACITY / 2};
    stress(&run, 0);
}

/* A reader that stands still: what fits is taken, the rest is counted, and nobody waits. */
static void test_stopped_reader(void **state)
{
    (void)state;
    struct run run = {.producers = 4, .attempts = ATTEMPTS / 16, .deadline = kit_deadline(1), .running = 4};
    struct producer producers[4];
    struct judge judge = {.sequence = 1};
    UINT64 attempted = 0, emitted = 0;
    kit_make(&run.kit, CAPACITY, 0);
    for (unsigned int i = 0; i < run.producers; i++) {
        producers[i] = (struct producer){.run = &run, .id = i};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    for (unsigned int i = 0; i < run.producers; i++) {
        assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
        attempted += producers[i].attempted;
        emitted += producers[i].emitted;
    }
    assert_int_equal(emitted, CAPACITY);
    assert_right(kit_accounts(&run.kit, attempted, emitted));
    assert_int_equal(run.kit.section1->high_water, CAPACITY);
    AVB_RING_READER reader = kit_reader(&run.kit);
    read_to_the_end(&run, &reader, &judge);
    assert_right(judge.wrong);
    assert_int_equal(reader.next, emitted);
    assert_right(kit_takes_capacity(&run.kit, &reader));
    kit_free(&run.kit);
}

/* ---- A producer that is stopped between reserving and publishing ---- */

struct stopped {
    struct kit kit;
    UINT64 reserved, others_done;
};

static void *reserve_and_stop(void *argument)
{
    struct stopped *stopped = argument;
    UINT64 ticket;
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&stopped->kit.ring, &ticket);
    __atomic_store_n(&stopped->reserved, 1, __ATOMIC_RELEASE);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    while (!__atomic_load_n(&stopped->others_done, __ATOMIC_ACQUIRE))
        sched_yield();
    kit_write(slot, 0, 0, NULL);
    AvbRingPublish(slot, ticket);
    return NULL;
}

/* The others fill the whole ring while it stands: if one waited for it, this would never end. */
static void test_stopped_producer(void **state)
{
    (void)state;
    struct stopped stopped = {.reserved = 0};
    struct judge judge = {.sequence = 1};
    struct run run = {.producers = 2};
    pthread_t thread;
    const PTP_TIMESTAMP_EVENT *first;
    kit_make(&stopped.kit, 4096, 0);
    AVB_RING_READER reader = kit_reader(&stopped.kit);
    assert_int_equal(pthread_create(&thread, NULL, reserve_and_stop, &stopped), 0);
    while (!__atomic_load_n(&stopped.reserved, __ATOMIC_ACQUIRE))
        sched_yield();
    for (UINT64 number = 0; number < 4095; number++)
        assert_true(kit_push(&stopped.kit.ring, 1, number, NULL));
    assert_false(kit_push(&stopped.kit.ring, 1, 4095, NULL));
    assert_int_equal(AvbRingPeek(&reader, &first), 0);
    __atomic_store_n(&stopped.others_done, 1, __ATOMIC_RELEASE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    read_to_the_end(&run, &reader, &judge);
    assert_right(judge.wrong);
    assert_int_equal(reader.next, 4096);
    assert_int_equal(stopped.kit.section1->dropped_full, 1);
    assert_right(kit_takes_capacity(&stopped.kit, &reader));
    kit_free(&stopped.kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_reader),         cmocka_unit_test(test_dawdling_reader),
        cmocka_unit_test(test_tickets_that_overflow), cmocka_unit_test(test_stopped_reader),
        cmocka_unit_test(test_stopped_producer),
    };
    /* With a ring that loses records the producers would wait for their credit for ever. */
    const struct CMUnitTest tests_of_a_good_ring[] = {
        cmocka_unit_test(test_nothing_is_refused_while_there_is_room),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed ? failed : cmocka_run_group_tests(tests_of_a_good_ring, NULL, NULL);
}
