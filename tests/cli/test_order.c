/* SPDX-License-Identifier: MIT */
/* Several interfaces become one order of event time; what is equal in time stays as it came. */
#include "order.h"

#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SOURCES 3u

static char contexts[SOURCES]; /* of each source */

/* The time is that of the event where there is one, else that of the frame; the other must not count. */
static void add(struct order *order, uint64_t time, uint64_t number, bool has_event)
{
    ptpmon_observation observation = {0};
    observation.result.has_event = has_event;
    observation.result.has_frame = !has_event;
    observation.result.event.system_timestamp = has_event ? time : ~time;
    observation.result.frame.system_timestamp = has_event ? ~time : time;
    observation.result.frame_number = number;
    order_add(order, &observation, &contexts[number % SOURCES]);
}

struct last {
    uint64_t time, number;
};

/* Takes all that is due, and returns how many: each after the ones before, and as it was put in. */
static uint64_t take_due(struct order *order, uint64_t until, struct last *last)
{
    ptpmon_observation observation;
    void *context;
    uint64_t count = 0;
    while (order_take(order, until, &observation, &context)) {
        uint64_t time = ptpmon_observation_identity(&observation)->system_timestamp;
        uint64_t number = observation.result.frame_number;
        assert_true(time <= until);
        assert_true(time > last->time || (time == last->time && number > last->number));
        assert_ptr_equal(context, &contexts[number % SOURCES]);
        *last = (struct last){time, number};
        count++;
    }
    return count;
}

static uint64_t count_due(const uint64_t *times, uint64_t count, uint64_t until)
{
    uint64_t due = 0;
    for (uint64_t i = 0; i < count; i++)
        due += times[i] <= until;
    return due;
}

/* Items come late by less than they are held back. At each instant all that is due is there, and no more. */
static void test_sources_are_merged(void **state)
{
    (void)state;
    const uint64_t held = 100;
    struct random random = {1};
    for (int round = 0; round < 200; round++) {
        static uint64_t times[2000];
        struct order order = {0};
        struct last last = {0, 0};
        uint64_t now = 1000, count = 0, taken = 0;
        for (int step = 0; step < 150; step++) {
            now += random_next(&random) % 40;
            for (uint64_t n = random_next(&random) % 12; n > 0; n--) {
                times[count] = now - random_next(&random) % held;
                add(&order, times[count], count, random_next(&random) % 2);
                count++;
            }
            taken += take_due(&order, now - held, &last);
            assert_int_equal(taken, count_due(times, count, now - held));
        }
        taken += take_due(&order, UINT64_MAX, &last);
        assert_int_equal(taken, count);
        assert_int_equal(order.held.count, 0);
        order_free(&order);
    }
}

static void test_equal_times_stay_as_they_came(void **state)
{
    (void)state;
    struct order order = {0};
    struct last last = {0, 0};
    for (uint64_t number = 1; number <= 1000; number++)
        add(&order, 7, number, number % 2);
    assert_int_equal(take_due(&order, 6, &last), 0);
    assert_int_equal(take_due(&order, 7, &last), 1000);
    assert_int_equal(last.number, 1000);
    order_free(&order);
}

static void test_empty_gives_nothing_and_serves_again(void **state)
{
    (void)state;
    struct order order = {0};
    struct last last = {0, 0};
    assert_int_equal(take_due(&order, UINT64_MAX, &last), 0);
    add(&order, UINT64_MAX, 1, true);
    add(&order, 0, 2, true);
    assert_int_equal(take_due(&order, 0, &last), 1);
    assert_int_equal(take_due(&order, UINT64_MAX, &last), 1);
    order_free(&order);
    assert_int_equal(order.held.count, 0);
    last = (struct last){0, 0};
    add(&order, 5, 3, true);
    assert_int_equal(take_due(&order, 5, &last), 1);
    order_free(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources_are_merged),
        cmocka_unit_test(test_equal_times_stay_as_they_came),
        cmocka_unit_test(test_empty_gives_nothing_and_serves_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
