/* SPDX-License-Identifier: MIT */
/*
 * The tracker in a closed loop, as the observer runs it: asked for the offset every second, told of
 * pairs one to three seconds after they passed. The true offset is known at every instant.
 */
#include "clock_tracker.h"

#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND      INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)
#define START       (INT64_C(1795000000) * SECOND)
#define WAITING     65536

struct pair {
    int64_t due; /* when it comes back, realtime */
    int64_t capture_time, difference;
};

/* A capture's clock and its traffic; times are since START, on a system clock that is never stepped. */
struct world {
    struct random random;
    int64_t offset; /* at START */
    double drift;
    int64_t interval;      /* of messages */
    unsigned late_percent; /* of pairs, by up to late_by */
    int64_t late_by;
    int64_t capture_step_at, capture_step;
    int64_t system_step_at, system_step;
    int64_t gap_from, gap_to; /* no messages */
    int64_t start_error;      /* of what the tracker is started with */
};

static int64_t true_offset(const struct world *world, int64_t at)
{
    int64_t offset = world->offset + (int64_t)(world->drift * (double)at);
    if (world->capture_step != 0 && at >= world->capture_step_at)
        offset += world->capture_step;
    return offset;
}

/* Of the steps of the system clock: so much later it shows. */
static int64_t system_ahead(const struct world *world, int64_t at)
{
    return world->system_step != 0 && at >= world->system_step_at ? world->system_step : 0;
}

struct loop {
    struct ptpmon_clock_tracker tracker;
    struct pair waiting[WAITING];
    size_t first, end;                  /* of those waiting, modulo WAITING */
    int64_t worst_error, settled_until; /* errors until then do not count */
};

static void pass_message(struct world *world, struct loop *loop, int64_t at)
{
    int64_t offset = true_offset(world, at), ahead = system_ahead(world, at);
    int64_t noise = random_between(&world->random, -30000, 30000);
    if (random_chance(&world->random, world->late_percent))
        noise += random_between(&world->random, -world->late_by, world->late_by);
    assert_true(loop->end - loop->first < WAITING);
    loop->waiting[loop->end++ % WAITING] = (struct pair){
        .due = at + random_between(&world->random, SECOND, 3 * SECOND),
        .capture_time = START + at + offset,
        .difference = offset - ahead + noise,
    };
}

static void bring_pairs(struct loop *loop, int64_t now)
{
    while (loop->first < loop->end && loop->waiting[loop->first % WAITING].due <= now) {
        const struct pair *pair = &loop->waiting[loop->first++ % WAITING];
        ptpmon_clock_tracker_add(&loop->tracker, pair->capture_time, pair->difference);
    }
}

static void ask(const struct world *world, struct loop *loop, int64_t at)
{
    int64_t ahead = system_ahead(world, at);
    int64_t told = ptpmon_clock_tracker_offset(&loop->tracker, START + at + ahead);
    int64_t error = llabs(told - (true_offset(world, at) - ahead));
    if (at >= loop->settled_until && error > loop->worst_error)
        loop->worst_error = error;
}

static void run(struct world *world, struct loop *loop, int64_t duration)
{
    int64_t next_clocks = 0;
    bool stepped = false;
    loop->first = loop->end = 0;
    loop->worst_error = 0;
    ptpmon_clock_tracker_start(&loop->tracker, world->offset + world->start_error);
    for (int64_t at = 0; at < duration; at += world->interval) {
        for (; next_clocks <= at; next_clocks += SECOND) {
            bring_pairs(loop, next_clocks);
            if (!stepped && system_ahead(world, next_clocks) != 0) {
                ptpmon_clock_tracker_system_stepped(&loop->tracker, world->system_step);
                stepped = true;
            }
            ask(world, loop, next_clocks);
        }
        if (at < world->gap_from || at >= world->gap_to)
            pass_message(world, loop, at);
    }
    bring_pairs(loop, duration + 4 * SECOND);
}

static struct loop *new_loop(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    assert_non_null(loop);
    return loop;
}

static void assert_close(const struct loop *loop, const struct world *world, int64_t offset_within,
                         double drift_within_ppm)
{
    ptpmon_alignment alignment = {0};
    ptpmon_clock_tracker_summary(&loop->tracker, &alignment);
    double drift_ppm = world->drift * 1e6;
    double drift_off = alignment.drift_ppm - drift_ppm;
    if (loop->worst_error >= 5 * MILLISECOND)
        fail_msg("drift %.0f ppm: an error of %.3f ms", drift_ppm, (double)loop->worst_error / 1e6);
    if (drift_off > drift_within_ppm || drift_off < -drift_within_ppm)
        fail_msg("drift %.3f ppm, told %.3f", drift_ppm, alignment.drift_ppm);
    if (llabs(alignment.offset_ns - true_offset(world, 0)) > offset_within)
        fail_msg("offset %.6f s, told %.6f", (double)world->offset / 1e9, (double)alignment.offset_ns / 1e9);
}

/* ---- Tests --------------------------------------------------------------------------------- */

static const int64_t offsets[] = {0, 37 * SECOND, -59 * SECOND, 300 * MILLISECOND};
static const double drifts[] = {0, 20e-6, -20e-6, 200e-6, -200e-6};

static void follows_every_offset_and_drift_for_an_hour(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        for (size_t j = 0; j < sizeof drifts / sizeof *drifts; j++) {
            struct world world = {
                .random = {i * 100 + j},
                .offset = offsets[i],
                .drift = drifts[j],
                .interval = SECOND / 20,
                .late_percent = 10,
                .late_by = 20 * MILLISECOND,
            };
            run(&world, loop, 3600 * SECOND);
            assert_close(loop, &world, MILLISECOND, 0.1);
            ptpmon_alignment alignment = {0};
            ptpmon_clock_tracker_summary(&loop->tracker, &alignment);
            assert_true(alignment.pairs == 3600 * 20);
            assert_true(alignment.at_ns == START + world.offset);
            assert_true(alignment.residual_ns > 25000 && alignment.residual_ns < 2 * MILLISECOND);
        }
    }
    free(loop);
}

static void follows_sparse_messages_some_of_them_late(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    static const int64_t intervals[] = {SECOND, 2 * SECOND, 4 * SECOND, 16 * SECOND};
    for (uint64_t seed = 0; seed < 6; seed++) {
        for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++) {
            struct world world = {
                .random = {seed},
                .offset = 37 * SECOND,
                .drift = seed % 2 ? 50e-6 : -50e-6,
                .interval = intervals[i],
                .late_percent = 5,
                .late_by = 4 * MILLISECOND,
            };
            run(&world, loop, 3600 * SECOND);
            assert_close(loop, &world, MILLISECOND, 1);
        }
    }
    free(loop);
}

static void one_very_late_pair_among_few_is_not_believed(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    struct world world = {
        .random = {1}, .offset = SECOND, .interval = SECOND, .late_percent = 3, .late_by = SECOND / 2};
    run(&world, loop, 600 * SECOND);
    assert_close(loop, &world, MILLISECOND, 1);
    free(loop);
}

static void bridges_a_gap_of_ten_minutes(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    for (size_t j = 0; j < sizeof drifts / sizeof *drifts; j++) {
        struct world world = {
            .random = {j},
            .offset = -59 * SECOND,
            .drift = drifts[j],
            .interval = SECOND / 10,
            .late_percent = 10,
            .late_by = 5 * MILLISECOND,
            .gap_from = 300 * SECOND,
            .gap_to = 900 * SECOND,
        };
        run(&world, loop, 1800 * SECOND);
        assert_close(loop, &world, MILLISECOND, 0.5);
    }
    free(loop);
}

static void takes_a_step_of_the_capture_clock_within_seconds(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    static const int64_t steps[] = {SECOND / 2, -SECOND / 3, 30 * MILLISECOND};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (int before = 0; before < 2; before++) {
            struct world world = {
                .random = {i},
                .offset = 37 * SECOND,
                .drift = 20e-6,
                .interval = SECOND / 20,
                .capture_step_at = 600 * SECOND,
                .capture_step = steps[i],
            };
            /* Right until the step, and right again seven seconds after it. */
            loop->settled_until = before ? 0 : 607 * SECOND;
            run(&world, loop, before ? 600 * SECOND : 3600 * SECOND);
            assert_close(loop, &world, MILLISECOND, 1);
        }
    }
    free(loop);
}

static void knows_steps_of_the_system_clock_at_once(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    static const int64_t steps[] = {SECOND / 2, -SECOND / 3, 3600 * SECOND, -20 * MILLISECOND};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct world world = {
            .random = {i},
            .offset = 37 * SECOND,
            .drift = 20e-6,
            .interval = SECOND / 20,
            .system_step_at = 600 * SECOND,
            .system_step = steps[i],
        };
        run(&world, loop, 1800 * SECOND);
        assert_close(loop, &world, MILLISECOND, 1);
    }
    free(loop);
}

static void finds_its_way_from_a_wrong_start(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    struct world world = {.random = {1}, .offset = SECOND, .interval = SECOND / 20, .start_error = 100 * MILLISECOND};
    loop->settled_until = 7 * SECOND;
    run(&world, loop, 600 * SECOND);
    assert_close(loop, &world, MILLISECOND, 1);
    free(loop);
}

static void sums_up_few_pairs_and_none(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    ptpmon_alignment alignment = {.clock = PTPMON_CLOCK_OTHER, .equal_stamps = 7};
    ptpmon_clock_tracker_start(&loop->tracker, 5 * SECOND);
    ptpmon_clock_tracker_summary(&loop->tracker, &alignment);
    assert_true(alignment.pairs == 0 && alignment.offset_ns == 5 * SECOND && alignment.drift_ppm == 0);
    assert_true(ptpmon_clock_tracker_offset(&loop->tracker, START) == 5 * SECOND);

    ptpmon_clock_tracker_add(&loop->tracker, START, 5 * SECOND + 1000);
    ptpmon_clock_tracker_summary(&loop->tracker, &alignment);
    assert_true(alignment.pairs == 1 && alignment.offset_ns == 5 * SECOND + 1000 && alignment.residual_ns == 0);

    ptpmon_clock_tracker_add(&loop->tracker, START + 1000, 5 * SECOND + 3000);
    ptpmon_clock_tracker_add(&loop->tracker, START + 2000, 5 * SECOND + 8000);
    ptpmon_clock_tracker_summary(&loop->tracker, &alignment);
    assert_true(alignment.pairs == 3 && alignment.at_ns == START && alignment.offset_ns == 5 * SECOND + 3000);
    assert_true(alignment.residual_ns == 5000 && alignment.drift_ppm == 0);
    assert_true(alignment.clock == PTPMON_CLOCK_OTHER && alignment.equal_stamps == 7);
    free(loop);
}

/* Times from damaged files: no overflow, which the sanitizers would tell. */
static void survives_any_numbers(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    struct random random = {3};
    static const int64_t ends[] = {INT64_MIN, INT64_MAX, 0, 1, -1};
    for (int round = 0; round < 20; round++) {
        ptpmon_alignment alignment = {0};
        ptpmon_clock_tracker_start(&loop->tracker, ends[random_below(&random, 5)]);
        for (int i = 0; i < 1000; i++) {
            bool wild = random_chance(&random, 50);
            ptpmon_clock_tracker_add(&loop->tracker, wild ? (int64_t)random_next(&random) : ends[i % 5],
                                     wild ? (int64_t)random_next(&random) : ends[i % 3]);
            if (random_chance(&random, 1))
                ptpmon_clock_tracker_system_stepped(&loop->tracker, (int64_t)random_next(&random));
            (void)ptpmon_clock_tracker_offset(&loop->tracker, (int64_t)random_next(&random));
        }
        ptpmon_clock_tracker_summary(&loop->tracker, &alignment);
        assert_true(alignment.pairs == 1000);
        assert_true(alignment.drift_ppm >= -1002 && alignment.drift_ppm <= 1002);
    }
    free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_every_offset_and_drift_for_an_hour),
        cmocka_unit_test(follows_sparse_messages_some_of_them_late),
        cmocka_unit_test(one_very_late_pair_among_few_is_not_believed),
        cmocka_unit_test(bridges_a_gap_of_ten_minutes),
        cmocka_unit_test(takes_a_step_of_the_capture_clock_within_seconds),
        cmocka_unit_test(knows_steps_of_the_system_clock_at_once),
        cmocka_unit_test(finds_its_way_from_a_wrong_start),
        cmocka_unit_test(sums_up_few_pairs_and_none),
        cmocka_unit_test(survives_any_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
