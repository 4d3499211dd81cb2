/* SPDX-License-Identifier: MIT */
/*
 * Steps and changes of rate of simulated clocks, known to the ns, against what is found from readings that are only so
 * certain, and from stamps that are late. Over many seeds: nothing above the stated threshold is missed, a servo in
 * lock is not reported, and no stretch that a step lies in is ever called run through.
 */
#include "analysis/local_clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/random.h"

#define SECOND   INT64_C(1000000000)
#define START    (50 * SECOND) /* event time */
#define UTC      (INT64_C(1700000000) * SECOND)
#define SEEDS    500
#define CHANGES  8
#define EVENTS   4096
#define LATEST   900000 /* ns between event time and stamp */
#define READINGS 256

/* ---- The world ---------------------------------------------------------------------------- */

struct change {
    int64_t at, step; /* ns; event time since START */
    double rate_ppm;  /* added */
};

/* A clock: L = event time + offset + rate * t + steps, and a servo that sets its rate anew every second. */
struct world {
    struct random random;
    ptpmon_stamp_kind kind;
    int64_t offset;
    double rate_ppm, servo_ppm; /* the servo moves within +- this */
    struct change changes[CHANGES];
    size_t change_count;
    int64_t uncertainty; /* of readings, at most, each of the two */
    int64_t seconds;
    double servo[8 * 600]; /* ns gained until the beginning of each 125 ms */
    double servo_rate[8 * 600];
};

static void start_servo(struct world *world)
{
    double gained = 0, held = 0;
    for (size_t i = 0; i < sizeof world->servo / sizeof *world->servo; i++) {
        world->servo[i] = gained;
        if (i % 8 == 0) /* for a second, so that it shows between two readings */
            held = world->servo_ppm * (double)random_between(&world->random, -1000, 1000) / 1000;
        world->servo_rate[i] = held;
        gained += world->servo_rate[i] * 125e6 * 1e-6;
    }
}

/* Clock - event time. */
static int64_t true_difference(const struct world *world, int64_t at)
{
    int64_t step = 0;
    double gained = world->rate_ppm * 1e-6 * (double)at;
    for (size_t i = 0; i < world->change_count && world->changes[i].at <= at; i++) {
        step += world->changes[i].step;
        gained += world->changes[i].rate_ppm * 1e-6 * (double)(at - world->changes[i].at);
    }
    if (world->servo_ppm > 0) {
        size_t tick = (size_t)(at / 125000000);
        gained += world->servo[tick] + world->servo_rate[tick] * 1e-6 * (double)(at % 125000000);
    }
    return world->offset + step + llrint(gained);
}

static PTP_CLOCKS_RECORD read_clocks(struct world *world, int64_t at)
{
    int64_t hw_error = random_between(&world->random, -world->uncertainty, world->uncertainty);
    int64_t utc_error = random_between(&world->random, -world->uncertainty, world->uncertainty);
    bool hardware = world->kind == PTPMON_STAMP_HARDWARE;
    int64_t clock = START + at + true_difference(world, at);
    return (PTP_CLOCKS_RECORD){
        .direction = AVB_DIRECTION_CLOCKS,
        .system_timestamp = (UINT64)(START + at),
        .realtime_ns = (UINT64)(hardware ? UTC + at + utc_error : clock + utc_error),
        .hw_timestamp_ns = hardware ? (UINT64)(clock + utc_error + hw_error) : 0,
        .hw_uncertainty_ns = hardware ? (UINT32)(world->uncertainty + random_between(&world->random, 0, 50)) : 0,
        .realtime_uncertainty_ns = (UINT32)(world->uncertainty + random_between(&world->random, 0, 50)),
    };
}

/* ---- A run -------------------------------------------------------------------------------- */

struct event {
    int64_t at, stamped_at; /* when the driver side saw it; when the clock was read */
    bool received;
};

struct run {
    struct ptpmon_local_clock *clock;
    struct event events[EVENTS];
    size_t event_count;
    int64_t readings[READINGS];
    size_t reading_count;
    ptpmon_finding findings[64];
    size_t finding_count;
};

static void fetch(struct run *run)
{
    ptpmon_finding finding;
    while (ptpmon_local_clock_finding(run->clock, &finding) == PTPMON_OK) {
        assert_true(run->finding_count < 64);
        assert_true(finding.bound >= 0 && finding.bound < INFINITY && finding.size == finding.size);
        run->findings[run->finding_count++] = finding;
    }
}

static void make_events(struct world *world, struct run *run, int64_t mean_gap)
{
    int64_t at = 0;
    while (mean_gap > 0 && run->event_count < EVENTS) {
        at += 1 + (int64_t)random_below(&world->random, 2 * (uint64_t)mean_gap);
        if (at >= world->seconds * SECOND - 1000000)
            break;
        int64_t latency = random_between(&world->random, 500, 30000);
        if (random_chance(&world->random, 2))
            latency = random_between(&world->random, 0, LATEST);
        bool received = random_chance(&world->random, 50);
        int64_t stamped_at = received ? at - latency : at + latency;
        if (stamped_at >= 0)
            run->events[run->event_count++] = (struct event){at, stamped_at, received};
    }
}

/* Stamps come `late` after the readings that were taken after them. with_hw: the readings know the NIC's clock. */
static void run_world(struct world *world, struct run *run, int64_t mean_gap, int64_t late, bool with_hw)
{
    int64_t next_reading = 0;
    size_t event = 0;
    *run = (struct run){0};
    start_servo(world);
    make_events(world, run, mean_gap);
    assert_int_equal(ptpmon_local_clock_open(world->kind, &run->clock), PTPMON_OK);
    while (next_reading <= world->seconds * SECOND || event < run->event_count) {
        if (event < run->event_count && run->events[event].at + late < next_reading) {
            const struct event *stamp = &run->events[event++];
            int64_t ns = START + stamp->stamped_at + true_difference(world, stamp->stamped_at);
            assert_int_equal(ptpmon_local_clock_stamp(run->clock, (uint64_t)(START + stamp->at), ns, stamp->received),
                             PTPMON_OK);
        } else {
            bool last = next_reading == world->seconds * SECOND;
            PTP_CLOCKS_RECORD reading = read_clocks(world, next_reading);
            if (!with_hw)
                reading.hw_timestamp_ns = reading.hw_uncertainty_ns = 0;
            assert_int_equal(ptpmon_local_clock_reading(run->clock, &reading), PTPMON_OK);
            run->readings[run->reading_count++] = next_reading;
            next_reading +=
                last ? INT64_MAX / 4 : random_between(&world->random, SECOND * 95 / 100, SECOND * 105 / 100);
            if (!last && next_reading > world->seconds * SECOND)
                next_reading = world->seconds * SECOND;
        }
        fetch(run);
    }
    ptpmon_local_clock_finish(run->clock);
    fetch(run);
}

static void end_run(struct run *run)
{
    ptpmon_local_clock_close(run->clock);
}

static enum ptpmon_local_clock_run ran(const struct run *run, int64_t from, int64_t to, uint32_t *segment)
{
    return ptpmon_local_clock_ran(run->clock, (uint64_t)(START + from), (uint64_t)(START + to), segment);
}

static bool runs(const struct run *run, int64_t from, int64_t to, uint32_t expected_segment)
{
    uint32_t segment = UINT32_MAX;
    return ran(run, from, to, &segment) == PTPMON_CLOCK_RAN && segment == expected_segment;
}

/* The readings before and after an instant. */
static void around(const struct run *run, int64_t at, int64_t *before, int64_t *after)
{
    size_t i = 0;
    while (i + 1 < run->reading_count && run->readings[i + 1] < at)
        i++;
    *before = run->readings[i];
    *after = run->readings[i + 1];
}

static struct world new_world(uint64_t seed, ptpmon_stamp_kind kind)
{
    struct world world = {.random = {seed}, .kind = kind, .seconds = 60};
    world.offset = kind == PTPMON_STAMP_HARDWARE ? random_between(&world.random, -40 * SECOND, 40 * SECOND) : UTC;
    world.rate_ppm = kind == PTPMON_STAMP_HARDWARE ? (double)random_between(&world.random, -100, 100) : 0;
    world.servo_ppm = kind == PTPMON_STAMP_HARDWARE ? 0.45 : 0;
    world.uncertainty = random_chance(&world.random, 50) ? 1500 : 50;
    return world;
}

/* What a step must exceed between two readings that are u1 and u2 uncertain: local_clock.h */
static double threshold(const struct world *world)
{
    double readings = 2 * 2 * ((double)world->uncertainty + 50);
    return 2 * readings + 2e-6 * 1.05e9; /* the rate is known to as much, and 1 ppm more; twice for a margin */
}

/* ---- Steps -------------------------------------------------------------------------------- */

static void a_servo_in_lock_is_nothing_to_report(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_world(seed, PTPMON_STAMP_HARDWARE);
        run_world(&world, run, seed % 3 ? 20000000 : 0, seed % 2 ? 0 : 1700000000, true);
        assert_int_equal(run->finding_count, 0);
        for (int i = 0; i < 100; i++) {
            int64_t from = random_between(&world.random, 0, 59 * SECOND);
            assert_true(runs(run, from, from + random_between(&world.random, 0, SECOND), 0));
        }
        end_run(run);
    }
    free(run);
}

static int64_t any_step(struct random *random, double least)
{
    double exponent = log10(least) + (double)random_below(random, 1000000) / 1e6 * (18.2 - log10(least));
    int64_t step = (int64_t)pow(10, exponent) + 1;
    return random_chance(random, 50) ? step : -step;
}

static void every_step_is_found_once_with_its_size(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        int64_t before, after;
        struct world world = new_world(seed, PTPMON_STAMP_HARDWARE);
        world.change_count = 1;
        world.changes[0].at = random_between(&world.random, 4 * SECOND, 55 * SECOND);
        world.changes[0].step = any_step(&world.random, threshold(&world));
        run_world(&world, run, 0, 0, true);
        around(run, world.changes[0].at, &before, &after);
        assert_int_equal(run->finding_count, 1);
        assert_int_equal(run->findings[0].kind, PTPMON_FOUND_CLOCK_STEP);
        double error = run->findings[0].size - (double)world.changes[0].step;
        assert_true(fabs(error) <= run->findings[0].bound + 1e-12 * fabs(run->findings[0].size));
        assert_int_equal(run->findings[0].event_time, START + after);
        assert_true(runs(run, 0, before, 0));
        assert_true(runs(run, after, 60 * SECOND, 1));
        uint32_t segment;
        assert_int_equal(ran(run, world.changes[0].at - 1, world.changes[0].at, &segment), PTPMON_CLOCK_STEPPED_ON);
        end_run(run);
    }
    free(run);
}

static void every_change_of_rate_is_found_once_with_its_size(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        int64_t before, after;
        struct world world = new_world(seed, PTPMON_STAMP_HARDWARE);
        double least = 3 + threshold(&world) / 0.95e9 * 1e6;
        world.servo_ppm = 0.1;
        world.change_count = 1;
        world.changes[0].at = random_between(&world.random, 4 * SECOND, 55 * SECOND);
        world.changes[0].rate_ppm = least + (double)random_below(&world.random, 500);
        if (random_chance(&world.random, 50))
            world.changes[0].rate_ppm = -world.changes[0].rate_ppm;
        run_world(&world, run, 0, 0, true);
        around(run, world.changes[0].at, &before, &after);
        assert_int_equal(run->finding_count, 1);
        assert_int_equal(run->findings[0].kind, PTPMON_FOUND_RATE_CHANGE);
        assert_true(fabs(run->findings[0].size - world.changes[0].rate_ppm) <= run->findings[0].bound + 1);
        assert_true(runs(run, 0, before, 0));
        assert_true(runs(run, after + 2 * SECOND, 60 * SECOND, 1));
        end_run(run);
    }
    free(run);
}

/* No more than one change lies within two seconds of this stretch. */
static bool is_alone(const struct world *world, int64_t from, int64_t to)
{
    size_t near = 0;
    for (size_t i = 0; i < world->change_count; i++)
        near += world->changes[i].at > from - 2 * SECOND && world->changes[i].at <= to + 2 * SECOND;
    return near <= 1;
}

/* Steps and changes of rate, several, wherever they fall: two within one second need not be told apart. */
static void nothing_that_a_step_lies_in_ran_through(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_world(seed, PTPMON_STAMP_HARDWARE);
        int64_t at = 3 * SECOND;
        double least = 2 * threshold(&world); /* the rate may be known from two readings only */
        while (world.change_count < CHANGES) {
            struct change *change = &world.changes[world.change_count++];
            at += random_between(&world.random, SECOND / 10, 9 * SECOND);
            change->at = at < 59 * SECOND ? at : 59 * SECOND;
            bool rate = random_chance(&world.random, 30);
            change->rate_ppm = rate ? (double)random_between(&world.random, -200, 200) : 0;
            change->step = rate ? 0 : any_step(&world.random, least) / CHANGES;
        }
        run_world(&world, run, seed % 4 ? 5000000 : 0, seed % 2 ? 0 : 1700000000, true);
        for (int i = 0; i < 2000; i++) {
            uint32_t segment;
            int64_t from = random_between(&world.random, 0, 59 * SECOND);
            int64_t to = from + random_between(&world.random, 0, SECOND);
            double stepped = 0; /* nearer to the ends messages may have been stamped on the other side of it */
            for (size_t j = 0; j < world.change_count; j++)
                if (world.changes[j].at > from + LATEST && world.changes[j].at <= to - LATEST)
                    stepped = fmax(stepped, fabs((double)world.changes[j].step));
            /* Of two within a second only a far larger one can be seen by stamps, and none if they cancel one another.
             */
            double net = fabs((double)(true_difference(&world, to) - true_difference(&world, from)));
            double hidden = is_alone(&world, from, to) ? 0 : 2e7;
            if (ran(run, from, to, &segment) == PTPMON_CLOCK_RAN && stepped > fmax(least, hidden))
                assert_true(net <= hidden);
        }
        end_run(run);
    }
    free(run);
}

/* ---- Location by stamps ------------------------------------------------------------------- */

static void stamps_locate_a_large_step_between_two_of_them(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_world(seed, seed % 4 ? PTPMON_STAMP_HARDWARE : PTPMON_STAMP_SOFTWARE);
        world.change_count = 1;
        world.changes[0].at = random_between(&world.random, 10 * SECOND, 50 * SECOND);
        world.changes[0].step = any_step(&world.random, 5e7);
        run_world(&world, run, 20000000, seed % 2 ? 0 : 1700000000, true);
        assert_int_equal(run->finding_count, 1);
        size_t split = 0; /* the first event that was stamped after it */
        while (run->events[split].stamped_at < world.changes[0].at)
            split++;
        size_t last = split;
        for (size_t i = split; i < run->event_count && i < split + 8; i++)
            if (run->events[i].stamped_at < world.changes[0].at)
                last = i + 1;
        if (last != split) { /* stamped out of order around the step: only that nothing wrong is said */
            end_run(run);
            continue;
        }
        assert_true(runs(run, run->events[split - 20].at, run->events[split - 1].at, 0));
        assert_true(runs(run, run->events[split].at, run->events[split + 20].at, 1));
        uint32_t segment;
        assert_int_equal(ran(run, run->events[split - 1].at, run->events[split].at, &segment), PTPMON_CLOCK_STEPPED_ON);
        end_run(run);
    }
    free(run);
}

/* A message that was sent before one was received, and stamped after it: the step lies between the two stamps. */
static void stamps_out_of_order_around_a_step(void **state)
{
    (void)state;
    struct ptpmon_local_clock *clock;
    uint32_t segment;
    int64_t step = 10 * SECOND, received_at = 5 * SECOND + 500000000, sent_at = received_at - 10000;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    for (int64_t i = 1; i <= 8; i++) {
        PTP_CLOCKS_RECORD reading = {.system_timestamp = (UINT64)(i * SECOND),
                                     .hw_timestamp_ns = (UINT64)(i * SECOND + (i > 5 ? step : 0)),
                                     .hw_uncertainty_ns = 100,
                                     .realtime_ns = (UINT64)(UTC + i * SECOND)};
        assert_int_equal(ptpmon_local_clock_reading(clock, &reading), PTPMON_OK);
    }
    (void)ptpmon_local_clock_stamp(clock, (uint64_t)(received_at - 1000000), received_at - 1005000, true);
    (void)ptpmon_local_clock_stamp(clock, (uint64_t)received_at, received_at - 5000, true);
    (void)ptpmon_local_clock_stamp(clock, (uint64_t)sent_at, sent_at + 20000 + step, false);
    (void)ptpmon_local_clock_stamp(clock, (uint64_t)(received_at + 1000000), received_at + 995000 + step, true);
    uint64_t early = (uint64_t)(received_at - 1000000), late = (uint64_t)(received_at + 1000000);
    assert_int_equal(ptpmon_local_clock_ran(clock, early - 1000, early, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(segment, 0);
    assert_int_equal(ptpmon_local_clock_ran(clock, early, (uint64_t)sent_at, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, early, (uint64_t)received_at, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, (uint64_t)received_at, late, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, late, late + 1000, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(segment, 1);
    ptpmon_local_clock_close(clock);
}

static void many_stamps_in_one_second_are_put_together_not_forgotten(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world world = new_world(seed, PTPMON_STAMP_HARDWARE);
        world.seconds = 12;
        world.change_count = 1;
        world.changes[0].at = random_between(&world.random, 4 * SECOND, 10 * SECOND);
        world.changes[0].step = any_step(&world.random, 1e9);
        run_world(&world, run, 2950000, 0, true);
        int64_t before = world.changes[0].at - 30000000, after = world.changes[0].at + 30000000;
        assert_true(runs(run, before - 500000000, before, 0));
        assert_true(runs(run, after, after + 500000000, 1));
        for (size_t i = 1; i < run->event_count; i++) {
            uint32_t segment;
            bool across = (run->events[i - 1].stamped_at < world.changes[0].at) !=
                          (run->events[i].stamped_at < world.changes[0].at);
            if (across)
                assert_int_equal(ran(run, run->events[i - 1].at, run->events[i].at, &segment), PTPMON_CLOCK_STEPPED_ON);
        }
        end_run(run);
    }
    free(run);
}

static void without_readings_of_the_card_stamps_show_large_steps(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_world(seed, PTPMON_STAMP_HARDWARE);
        bool stepped = seed % 2;
        world.change_count = stepped;
        world.changes[0].at = random_between(&world.random, 10 * SECOND, 50 * SECOND);
        world.changes[0].step = any_step(&world.random, 1e8);
        run_world(&world, run, 20000000, seed % 3 ? 0 : 1700000000, false);
        assert_int_equal(run->finding_count, stepped);
        int64_t first = run->events[0].at, last = run->events[run->event_count - 1].at;
        if (stepped) {
            uint32_t segment;
            int64_t at = world.changes[0].at;
            assert_int_equal(run->findings[0].kind, PTPMON_FOUND_CLOCK_STEP);
            assert_int_equal(run->findings[0].realtime_ns, INT64_MIN);
            assert_true(fabs(run->findings[0].size - (double)world.changes[0].step) <=
                        run->findings[0].bound + 1e-12 * fabs(run->findings[0].size));
            assert_true(runs(run, first, at - 1500000000, 0));
            assert_true(runs(run, at + 1500000000, last, 1));
            assert_int_equal(ran(run, at - 1000000000, at + 1000000000, &segment), PTPMON_CLOCK_STEPPED_ON);
        } else {
            assert_true(runs(run, first, last, 0));
        }
        end_run(run);
    }
    free(run);
}

/* ---- UTC ---------------------------------------------------------------------------------- */

static void slewing_of_utc_is_no_step(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_world(seed, PTPMON_STAMP_SOFTWARE);
        double ppm = (double)random_between(&world.random, -500, 500);
        world.change_count = 2;
        world.changes[0] =
            (struct change){.at = random_between(&world.random, 3 * SECOND, 20 * SECOND), .rate_ppm = ppm};
        world.changes[1] = (struct change){
            .at = world.changes[0].at + random_between(&world.random, SECOND / 10, 30 * SECOND), .rate_ppm = -ppm};
        run_world(&world, run, 0, 0, true);
        assert_int_equal(run->finding_count, 0);
        assert_true(runs(run, 0, SECOND, 0));
        assert_true(runs(run, 58 * SECOND, 59 * SECOND, 0));
        end_run(run);
    }
    free(run);
}

static void a_step_of_utc_is_found(void **state)
{
    (void)state;
    struct run *run = malloc(sizeof *run);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_world(seed, PTPMON_STAMP_SOFTWARE);
        world.change_count = 1;
        world.changes[0].at = random_between(&world.random, 4 * SECOND, 55 * SECOND);
        world.changes[0].step = any_step(&world.random, 600000);
        run_world(&world, run, 0, 0, true);
        assert_int_equal(run->finding_count, 1);
        assert_int_equal(run->findings[0].kind, PTPMON_FOUND_SYSTEM_CLOCK_STEP);
        assert_true(fabs(run->findings[0].size - (double)world.changes[0].step) <=
                    run->findings[0].bound + 1e-12 * fabs(run->findings[0].size));
        end_run(run);
    }
    free(run);
}

/* ---- Edges -------------------------------------------------------------------------------- */

static PTP_CLOCKS_RECORD reading_of(int64_t event_time, int64_t clock, uint32_t uncertainty)
{
    return (PTP_CLOCKS_RECORD){.direction = AVB_DIRECTION_CLOCKS,
                               .system_timestamp = (UINT64)event_time,
                               .hw_timestamp_ns = (UINT64)clock,
                               .hw_uncertainty_ns = uncertainty,
                               .realtime_ns = (UINT64)(UTC + event_time)};
}

static void give(struct ptpmon_local_clock *clock, int64_t event_time, int64_t time, uint32_t uncertainty)
{
    PTP_CLOCKS_RECORD reading = reading_of(event_time, time, uncertainty);
    assert_int_equal(ptpmon_local_clock_reading(clock, &reading), PTPMON_OK);
}

static void it_is_not_sure_before_the_next_reading(void **state)
{
    (void)state;
    struct ptpmon_local_clock *clock;
    uint32_t segment;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    assert_int_equal(ptpmon_local_clock_ran(clock, 1, 2, &segment), PTPMON_CLOCK_NOT_SURE_YET);
    for (int64_t i = 1; i <= 4; i++)
        give(clock, i * SECOND, 7 + i * SECOND, 100);
    assert_int_equal(ptpmon_local_clock_ran(clock, 1, 2, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, SECOND, 4 * SECOND, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(ptpmon_local_clock_ran(clock, SECOND, 4 * SECOND + 1, &segment), PTPMON_CLOCK_NOT_SURE_YET);
    give(clock, 5 * SECOND, 7 + 6 * SECOND, 100);
    assert_int_equal(ptpmon_local_clock_ran(clock, SECOND, 4 * SECOND, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(ptpmon_local_clock_ran(clock, SECOND, 4 * SECOND + 1, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, 5 * SECOND, 5 * SECOND + 1, &segment), PTPMON_CLOCK_NOT_SURE_YET);
    give(clock, 6 * SECOND, 7 + 7 * SECOND, 100);
    assert_int_equal(ptpmon_local_clock_ran(clock, 5 * SECOND, 6 * SECOND, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(segment, 1);
    ptpmon_local_clock_finish(clock);
    assert_int_equal(ptpmon_local_clock_ran(clock, 6 * SECOND, 6 * SECOND + 1, &segment), PTPMON_CLOCK_STEPPED_ON);
    ptpmon_local_clock_close(clock);
}

/* A step and a new rate at once, as a daemon makes them when it starts. */
static void a_step_and_a_new_rate_at_once_are_both_found(void **state)
{
    (void)state;
    struct ptpmon_local_clock *clock;
    ptpmon_finding finding;
    uint32_t segment;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    for (int64_t i = 1; i <= 5; i++)
        give(clock, i * SECOND, i * SECOND, 100);
    for (int64_t i = 6; i <= 9; i++)
        give(clock, i * SECOND, 37 * SECOND + i * SECOND + i * 50000, 100);
    assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_OK);
    assert_int_equal(finding.kind, PTPMON_FOUND_CLOCK_STEP);
    assert_true(fabs(finding.size - 37e9 - 300000) <= finding.bound);
    assert_true(finding.bound < 100000);
    assert_int_equal(finding.realtime_ns, UTC + 6 * SECOND);
    assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_OK);
    assert_int_equal(finding.kind, PTPMON_FOUND_RATE_CHANGE);
    assert_true(fabs(finding.size - 50) <= finding.bound + 0.01);
    assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_NOTHING);
    assert_int_equal(ptpmon_local_clock_ran(clock, 6 * SECOND, 9 * SECOND, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(segment, 1);
    ptpmon_local_clock_close(clock);
}

/* A servo that is catching up changes the rate by many ppm each second: no step. */
static void catching_up_is_no_step(void **state)
{
    (void)state;
    static const int64_t gained[] = {0, 14000, 9000, 6000, 4000, 2900, 2000, 1900, 1850, 1800, 1800, 1800};
    struct ptpmon_local_clock *clock;
    ptpmon_finding finding;
    int64_t difference = 0;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    for (int64_t i = 1; i <= 6; i++)
        give(clock, i * SECOND, i * SECOND, 50);
    for (int64_t i = 0; i < 12; i++) {
        difference += gained[i];
        give(clock, (7 + i) * SECOND, (7 + i) * SECOND + difference, 50);
    }
    double changed = 0;
    while (ptpmon_local_clock_finding(clock, &finding) == PTPMON_OK) {
        assert_int_equal(finding.kind, PTPMON_FOUND_RATE_CHANGE);
        changed += finding.size;
    }
    assert_true(fabs(changed - 1.8) < 1);
    ptpmon_local_clock_close(clock);
}

/* A servo that sets the clock to and fro: what two neighbours of an interval make of it is no step's size. */
static void a_clock_that_is_set_again_and_again_is_one_break(void **state)
{
    (void)state;
    static const int64_t steps[] = {-120266, 60899, -90895, 75460, -83552, 77969, -80937, 80677};
    struct ptpmon_local_clock *clock;
    ptpmon_finding finding;
    uint32_t segment;
    int64_t difference = 0, now = 0;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    for (int64_t i = 1; i <= 20; i++) {
        now += SECOND / 8;
        difference += i > 6 && i <= 14 ? steps[i - 7] : 0;
        give(clock, now, now + difference, 100);
        if (i < 15)
            assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_NOTHING);
    }
    assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_OK);
    assert_int_equal(finding.kind, PTPMON_FOUND_CLOCK_STEP);
    assert_true(fabs(finding.size - (double)difference) <= finding.bound);
    assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_NOTHING);
    uint64_t begin = 6 * (uint64_t)SECOND / 8, end = 14 * (uint64_t)SECOND / 8;
    assert_int_equal(ptpmon_local_clock_ran(clock, begin - 1000, begin, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(ptpmon_local_clock_ran(clock, begin, begin + 1, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, end - 1, end, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, end, end + 1000, &segment), PTPMON_CLOCK_RAN);
    ptpmon_local_clock_close(clock);
}

/* One reading that says little must not hide what lies on both its sides. */
static void an_uncertain_reading_hides_no_step(void **state)
{
    (void)state;
    struct ptpmon_local_clock *clock;
    ptpmon_finding finding;
    uint32_t segment;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    for (int64_t i = 1; i <= 10; i++)
        give(clock, i * SECOND, i * SECOND + (i > 5 ? 4000000 : 0), i == 6 ? 5000000 : 200);
    assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_OK);
    assert_true(fabs(finding.size - 4e6) <= finding.bound && finding.bound < 10000);
    assert_int_equal(ptpmon_local_clock_ran(clock, 5 * SECOND, 6 * SECOND, &segment), PTPMON_CLOCK_STEPPED_ON);
    ptpmon_local_clock_close(clock);
}

static void a_clock_that_starts_at_0_and_one_that_wraps(void **state)
{
    (void)state;
    for (int wraps = 0; wraps < 2; wraps++) {
        struct ptpmon_local_clock *clock;
        ptpmon_finding finding;
        uint32_t segment;
        uint64_t start = wraps ? UINT64_MAX - 5 * (uint64_t)SECOND : 0;
        assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
        for (int64_t i = 0; i <= 10; i++)
            give(clock, (100 + i) * SECOND, (int64_t)(start + (uint64_t)(i * SECOND)), 100);
        assert_int_equal(ptpmon_local_clock_finding(clock, &finding), PTPMON_NOTHING);
        /* 0 means that it was not read. */
        uint64_t from = (uint64_t)((wraps ? 100 : 101) * SECOND);
        assert_int_equal(ptpmon_local_clock_ran(clock, from, 110 * (uint64_t)SECOND, &segment), PTPMON_CLOCK_RAN);
        assert_int_equal(segment, 0);
        ptpmon_local_clock_close(clock);
    }
}

static void offset_and_rate_are_told_once_for_each_reading(void **state)
{
    (void)state;
    struct ptpmon_local_clock *clock;
    int64_t offset;
    double rate;
    bool has_rate;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    assert_false(ptpmon_local_clock_offset(clock, &offset, &rate, &has_rate));
    for (int64_t i = 1; i <= 6; i++) {
        give(clock, i * SECOND, 1000 + i * SECOND + i * 20000, 100);
        assert_true(ptpmon_local_clock_offset(clock, &offset, &rate, &has_rate));
        assert_int_equal(offset, 1000 + i * 20000 - UTC);
        assert_int_equal(has_rate, i > 2);
        if (has_rate)
            assert_true(fabs(rate - 20) < 1e-6);
        assert_false(ptpmon_local_clock_offset(clock, &offset, &rate, &has_rate));
    }
    /* Right after the one before it, and across a step. */
    give(clock, 6 * SECOND + 1000000, 121020 + 6 * SECOND + 1000000, 100);
    assert_true(ptpmon_local_clock_offset(clock, &offset, &rate, &has_rate));
    assert_false(has_rate);
    give(clock, 7 * SECOND, 99 * SECOND, 100);
    assert_true(ptpmon_local_clock_offset(clock, &offset, &rate, &has_rate));
    assert_false(has_rate);
    ptpmon_local_clock_close(clock);
}

static void steps_without_end_are_forgotten_not_mistaken(void **state)
{
    (void)state;
    struct ptpmon_local_clock *clock;
    ptpmon_finding finding;
    uint32_t segment;
    uint64_t found = 0;
    assert_int_equal(ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &clock), PTPMON_OK);
    for (int64_t i = 1; i <= 20000; i++) {
        give(clock, i * SECOND, i * SECOND + i / 4 * SECOND, 100);
        while (ptpmon_local_clock_finding(clock, &finding) == PTPMON_OK)
            found++;
    }
    assert_true(found >= 4999 && found <= 5000);
    assert_int_equal(ptpmon_local_clock_ran(clock, 4 * SECOND, 6 * SECOND, &segment), PTPMON_CLOCK_STEPPED_ON);
    assert_int_equal(ptpmon_local_clock_ran(clock, 19996 * SECOND, 19999 * SECOND, &segment), PTPMON_CLOCK_RAN);
    assert_int_equal(segment, 4999);
    ptpmon_local_clock_close(clock);
}

static void any_numbers_are_survived(void **state)
{
    (void)state;
    static const uint64_t ends[] = {0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX, UINT64_C(1000000000)};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        struct ptpmon_local_clock *clock;
        ptpmon_stamp_kind kind = seed % 2 ? PTPMON_STAMP_HARDWARE : PTPMON_STAMP_SOFTWARE;
        assert_int_equal(ptpmon_local_clock_open(kind, &clock), PTPMON_OK);
        for (int i = 0; i < 2000; i++) {
            uint64_t words[5];
            for (size_t j = 0; j < 5; j++)
                words[j] = random_chance(&random, 30) ? ends[random_below(&random, 6)]
                                                      : random_next(&random) >> random_below(&random, 64);
            PTP_CLOCKS_RECORD reading = {.system_timestamp = words[0],
                                         .hw_timestamp_ns = words[1],
                                         .realtime_ns = words[2],
                                         .hw_uncertainty_ns = (UINT32)words[3],
                                         .realtime_uncertainty_ns = (UINT32)words[4]};
            ptpmon_finding finding;
            int64_t offset;
            double rate;
            bool has_rate;
            uint32_t segment;
            if (random_chance(&random, 40))
                (void)ptpmon_local_clock_reading(clock, &reading);
            else
                (void)ptpmon_local_clock_stamp(clock, words[0], (int64_t)words[1], words[2] & 1);
            (void)ptpmon_local_clock_finding(clock, &finding);
            (void)ptpmon_local_clock_offset(clock, &offset, &rate, &has_rate);
            (void)ptpmon_local_clock_ran(clock, words[3], words[4], &segment);
        }
        ptpmon_local_clock_finish(clock);
        ptpmon_local_clock_close(clock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_servo_in_lock_is_nothing_to_report),
        cmocka_unit_test(every_step_is_found_once_with_its_size),
        cmocka_unit_test(every_change_of_rate_is_found_once_with_its_size),
        cmocka_unit_test(nothing_that_a_step_lies_in_ran_through),
        cmocka_unit_test(stamps_locate_a_large_step_between_two_of_them),
        cmocka_unit_test(stamps_out_of_order_around_a_step),
        cmocka_unit_test(many_stamps_in_one_second_are_put_together_not_forgotten),
        cmocka_unit_test(without_readings_of_the_card_stamps_show_large_steps),
        cmocka_unit_test(slewing_of_utc_is_no_step),
        cmocka_unit_test(a_step_of_utc_is_found),
        cmocka_unit_test(it_is_not_sure_before_the_next_reading),
        cmocka_unit_test(a_step_and_a_new_rate_at_once_are_both_found),
        cmocka_unit_test(catching_up_is_no_step),
        cmocka_unit_test(a_clock_that_is_set_again_and_again_is_one_break),
        cmocka_unit_test(an_uncertain_reading_hides_no_step),
        cmocka_unit_test(a_clock_that_starts_at_0_and_one_that_wraps),
        cmocka_unit_test(offset_and_rate_are_told_once_for_each_reading),
        cmocka_unit_test(steps_without_end_are_forgotten_not_mistaken),
        cmocka_unit_test(any_numbers_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
