/* SPDX-License-Identifier: MIT */
/* A source that sees nothing for a while, its interface being reset: that is told as losses without a number, in time
 * for what is decided by them. */
#include "scripted_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)
#define ROUND  (20 * MS)

#define EVENTS 64u

struct run {
    ptpmon_monitor *monitor;
    PTP_TIMESTAMP_EVENT events[EVENTS];
    size_t count;
};

static void start(struct run *run)
{
    script_reset();
    *run = (struct run){0};
    assert_int_equal(ptpmon_monitor_open("script0", NULL, &run->monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(run->monitor), PTPMON_OK);
}

/* Reads what there is now, into `events` from its begin. */
static ptpmon_status read_all(struct run *run)
{
    size_t taken;
    ptpmon_status status;
    run->count = 0;
    while ((status = ptpmon_events_read(run->monitor, run->events + run->count, EVENTS - run->count, &taken)) ==
               PTPMON_OK &&
           taken > 0)
        run->count += taken;
    return status;
}

static PTP_LOSS_RECORD loss_at(const struct run *run, size_t i)
{
    PTP_LOSS_RECORD loss;
    assert_true(i < run->count);
    assert_int_equal(run->events[i].direction, AVB_DIRECTION_LOSS);
    memcpy(&loss, &run->events[i], sizeof loss);
    return loss;
}

static void assert_unseen(const struct run *run, size_t i, uint64_t since, uint64_t until)
{
    PTP_LOSS_RECORD loss = loss_at(run, i);
    assert_int_equal(loss.frames_dropped, 0);
    assert_int_equal(loss.stamps_dropped, 0);
    assert_int_equal(loss.since, since);
    assert_int_equal(loss.system_timestamp, until);
}

static uint64_t delivered_until(const struct run *run)
{
    ptpmon_monitor_info info;
    assert_int_equal(ptpmon_monitor_info_get(run->monitor, &info), PTPMON_OK);
    return info.delivered_until;
}

/* Rounds of reading until this time; before it nothing comes. */
static void nothing_until(struct run *run, uint64_t time)
{
    while (script.now + ROUND < time) {
        script.now += ROUND;
        assert_int_equal(read_all(run), PTPMON_OK);
        assert_int_equal(run->count, 0);
    }
    script.now = time;
}

static void what_is_not_seen_is_told_each_second(void **state)
{
    struct run run;
    (void)state;
    start(&run);
    uint64_t enabled = script.now;
    assert_int_equal(read_all(&run), PTPMON_OK);
    assert_int_equal(run.count, 1); /* CLOCKS */

    nothing_until(&run, enabled + 300 * MS);
    assert_int_equal(read_all(&run), PTPMON_OK);
    uint64_t last_seen = script.now;
    assert_int_equal(delivered_until(&run), last_seen);

    /* Nothing is promised of this time before it is told what it was. */
    script.sight = PTPMON_BLIND;
    nothing_until(&run, enabled + SECOND);
    assert_int_equal(delivered_until(&run), last_seen);
    for (unsigned int second = 1; second <= 3; second++) {
        assert_int_equal(read_all(&run), PTPMON_OK);
        assert_int_equal(run.count, 2);
        assert_unseen(&run, 0, last_seen, script.now);
        assert_int_equal(run.events[1].direction, AVB_DIRECTION_CLOCKS);
        assert_int_equal(delivered_until(&run), script.now);
        last_seen = script.now;
        nothing_until(&run, script.now + (second < 3 ? SECOND : SECOND / 2));
    }

    /* Over: the rest of it, and the clocks at once. */
    script.sight = PTPMON_WAS_BLIND;
    assert_int_equal(read_all(&run), PTPMON_OK);
    assert_int_equal(run.count, 2);
    assert_unseen(&run, 0, last_seen, script.now);
    assert_int_equal(run.events[1].direction, AVB_DIRECTION_CLOCKS);
    assert_int_equal(run.events[1].system_timestamp, script.now);
    nothing_until(&run, script.now + SECOND);
    assert_int_equal(read_all(&run), PTPMON_OK);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.events[0].direction, AVB_DIRECTION_CLOCKS);
    ptpmon_monitor_close(run.monitor);
}

static void what_was_dropped_before_is_told_apart(void **state)
{
    struct run run;
    (void)state;
    start(&run);
    uint64_t enabled = script.now;
    assert_int_equal(read_all(&run), PTPMON_OK);
    script.now += ROUND;
    script.frames_dropped = 7;
    script.sight = PTPMON_WAS_BLIND;
    assert_int_equal(read_all(&run), PTPMON_OK);
    assert_int_equal(run.count, 3);
    assert_int_equal(loss_at(&run, 0).frames_dropped, 7);
    assert_unseen(&run, 1, enabled, script.now);
    ptpmon_monitor_close(run.monitor);
}

static void a_run_that_ends_blind_says_so(void **state)
{
    struct run run;
    (void)state;
    start(&run);
    uint64_t enabled = script.now;
    assert_int_equal(read_all(&run), PTPMON_OK);
    script.sight = PTPMON_BLIND;
    nothing_until(&run, enabled + 400 * MS);
    assert_int_equal(ptpmon_monitor_disable(run.monitor), PTPMON_OK);
    assert_int_equal(read_all(&run), PTPMON_END);
    assert_int_equal(run.count, 2);
    assert_unseen(&run, 0, enabled, script.now);
    assert_int_equal(run.events[1].direction, AVB_DIRECTION_CLOCKS);
    ptpmon_monitor_close(run.monitor);
}

/* A Sync over Ethernet. */
static const uint8_t sync_frame[14 + 44] = {0x01, 0x1B, 0x19, 0,    0,    0,    2,    0,    0,
                                            0,    0,    1,    0x88, 0xF7, 0x00, 0x02, 0x00, 44};

static void a_frame_of_that_time_has_no_event_for_that_reason(void **state)
{
    ptpmon_correlator *correlator;
    ptpmon_result result;
    PTP_TIMESTAMP_EVENT record = {0};
    const PTP_CLOCKS_RECORD clocks = {
        .direction = AVB_DIRECTION_CLOCKS, .system_timestamp = SECOND, .realtime_ns = 100 * SECOND};
    (void)state;
    for (unsigned int frames_dropped = 0; frames_dropped < 2; frames_dropped++) {
        for (unsigned int stamps_dropped = 0; stamps_dropped < 2; stamps_dropped++) {
            const PTP_LOSS_RECORD loss = {.direction = AVB_DIRECTION_LOSS,
                                          .since = 2 * SECOND,
                                          .system_timestamp = 3 * SECOND,
                                          .frames_dropped = frames_dropped,
                                          .stamps_dropped = stamps_dropped};
            const ptpmon_frame frame = {.time_ns = (int64_t)(101 * SECOND + SECOND / 2),
                                        .bytes = sync_frame,
                                        .captured_length = sizeof sync_frame,
                                        .length = sizeof sync_frame,
                                        .direction = AVB_DIRECTION_RX};
            assert_int_equal(ptpmon_correlator_open(NULL, &correlator), PTPMON_OK);
            ptpmon_correlator_monitor_ran(correlator, SECOND, 0);
            memcpy(&record, &clocks, sizeof record);
            assert_int_equal(ptpmon_correlator_event(correlator, &record), PTPMON_OK);
            memcpy(&record, &loss, sizeof record);
            assert_int_equal(ptpmon_correlator_event(correlator, &record), PTPMON_OK);
            assert_int_equal(ptpmon_correlator_frame(correlator, &frame), PTPMON_OK);
            assert_int_equal(ptpmon_correlator_finish(correlator), PTPMON_OK);
            assert_int_equal(ptpmon_correlator_next(correlator, &result), PTPMON_OK);
            /* Stamps alone were dropped: the frames were all seen. */
            bool stamps_alone = stamps_dropped > 0 && frames_dropped == 0;
            assert_int_equal(result.reason, stamps_alone ? PTPMON_NO_EVENT : PTPMON_EVENT_LOST);
            ptpmon_correlator_close(correlator);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_seen_is_told_each_second),
        cmocka_unit_test(what_was_dropped_before_is_told_apart),
        cmocka_unit_test(a_run_that_ends_blind_says_so),
        cmocka_unit_test(a_frame_of_that_time_has_no_event_for_that_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
