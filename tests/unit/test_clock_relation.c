/* SPDX-License-Identifier: MIT */
/*
 * Relations of the clocks against clocks that are known: a CLOCK_REALTIME and a NIC's clock that are
 * made of straight pieces, read with errors within the uncertainty that the record states. Whatever
 * is said of them must hold the truth within its bound.
 */
#include "clock_relation.h"

#include "random.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND  1000000000
#define SYSTEM  50000000000u         /* CLOCK_MONOTONIC at the first record */
#define UTC     1700000000000000000u /* CLOCK_REALTIME then */
#define RECORDS 8

/* One change, of the rate and by a step, at an instant of CLOCK_MONOTONIC. */
struct world {
    uint64_t changes_at;
    double ppm, ppm_after; /* NIC's clock against CLOCK_MONOTONIC */
    int64_t nic_step, realtime_step;
    uint64_t nic_start;
    int64_t nic_noise, realtime_noise; /* greatest errors of a reading */
};

static bool realtime_at(const struct ptpmon_clock_relation *clocks, uint64_t event_time, int64_t *realtime_ns)
{
    struct ptpmon_clock_moment moment = ptpmon_clock_relation_at(clocks, event_time);
    return ptpmon_clock_moment_realtime(&moment, realtime_ns);
}

static bool since_realtime(const struct ptpmon_clock_relation *clocks, uint64_t event_time, uint64_t stamp, int64_t *ns,
                           uint64_t *bound)
{
    struct ptpmon_clock_moment moment = ptpmon_clock_relation_at(clocks, event_time);
    return ptpmon_clock_moment_since_realtime(&moment, stamp, ns, bound);
}

static bool since_hardware(const struct ptpmon_clock_relation *clocks, uint64_t event_time, uint64_t stamp, int64_t *ns,
                           uint64_t *bound)
{
    struct ptpmon_clock_moment moment = ptpmon_clock_relation_at(clocks, event_time);
    return ptpmon_clock_moment_since_hardware(&moment, stamp, ns, bound);
}

static uint64_t realtime_of(const struct world *world, uint64_t system)
{
    return UTC + (system - SYSTEM) + (uint64_t)(system >= world->changes_at ? world->realtime_step : 0);
}

/* The NIC's clock at an instant of CLOCK_MONOTONIC, rounded to ns. */
static uint64_t nic_of(const struct world *world, uint64_t system)
{
    bool changed = system >= world->changes_at;
    uint64_t until = changed ? world->changes_at : system;
    double gained = ((double)until - SYSTEM) * world->ppm * 1e-6;
    if (changed)
        gained += (double)(system - world->changes_at) * world->ppm_after * 1e-6 + (double)world->nic_step;
    return world->nic_start + (system - SYSTEM) + (uint64_t)llround(gained);
}

/* Anything that the uncertainty allows, and as often its extremes. */
static uint64_t reading_error(struct random *random, int64_t greatest)
{
    int64_t error = random_between(random, -greatest, greatest);
    if (random_next(random) % 2)
        error = error < 0 ? -greatest : greatest;
    return (uint64_t)error;
}

/* A record: realtime_ns is read too early or too late by an error, and so is the NIC's clock against it. */
static PTP_CLOCKS_RECORD read_clocks(const struct world *world, struct random *random, uint64_t system)
{
    uint64_t realtime_error = reading_error(random, world->realtime_noise);
    uint64_t nic_error = reading_error(random, world->nic_noise);
    return (PTP_CLOCKS_RECORD){
        .direction = AVB_DIRECTION_CLOCKS,
        .system_timestamp = system,
        .realtime_ns = realtime_of(world, system) + realtime_error,
        .realtime_uncertainty_ns = (UINT32)world->realtime_noise,
        .hw_timestamp_ns = nic_of(world, system) + realtime_error + nic_error,
        /* One for what nic_of() rounds, here and at the stamp. */
        .hw_uncertainty_ns = (UINT32)world->nic_noise + 1,
    };
}

/* About one a second, as the library reads them. */
static void read_all(const struct world *world, struct random *random, struct ptpmon_clock_relation *clocks)
{
    uint64_t system = SYSTEM;
    *clocks = (struct ptpmon_clock_relation){0};
    for (int i = 0; i < RECORDS; i++) {
        PTP_CLOCKS_RECORD record = read_clocks(world, random, system);
        ptpmon_clock_relation_add(clocks, &record);
        system += (uint64_t)(SECOND + random_between(random, -50000000, 50000000));
    }
    assert_int_equal(clocks->count, RECORDS);
}

static struct world random_world(struct random *random)
{
    double ppm = (double)random_between(random, -500000, 500000) / 1000;
    return (struct world){
        .changes_at = UINT64_MAX,
        .ppm = ppm,
        .ppm_after = ppm,
        .nic_start = (uint64_t)random_between(random, SECOND, 2000000000000000000),
        .nic_noise = random_between(random, 0, 5000),
        .realtime_noise = random_between(random, 0, 500),
    };
}

/* In an interval that has two neighbours on either side. */
static uint64_t random_inside(struct random *random, const struct ptpmon_clock_relation *clocks)
{
    return (uint64_t)random_between(random, (int64_t)clocks->records[2].system_timestamp,
                                    (int64_t)clocks->records[RECORDS - 3].system_timestamp - 1);
}

static void assert_holds(int64_t said, uint64_t bound, int64_t truth)
{
    if (imaxabs(said - truth) > (int64_t)bound)
        fail_msg("said %lld +- %llu, and it is %lld", (long long)said, (unsigned long long)bound, (long long)truth);
}

/* What is said of the NIC's clock and CLOCK_REALTIME at some instants; how often anything is. */
static unsigned check_instants(const struct world *world, struct random *random,
                               const struct ptpmon_clock_relation *clocks, uint64_t instant, int64_t farthest)
{
    int64_t ns;
    uint64_t bound;
    int64_t latency = random_between(random, -farthest, farthest);
    uint64_t stamped = instant - (uint64_t)latency;
    unsigned said = 0;
    if (since_hardware(clocks, instant, nic_of(world, stamped), &ns, &bound)) {
        assert_holds(ns, bound, latency);
        said++;
    }
    if (since_realtime(clocks, instant, realtime_of(world, stamped), &ns, &bound)) {
        /* Where the clock was set between stamp and instant, the stamp is off by that in itself. */
        int64_t since = (int64_t)(realtime_of(world, instant) - realtime_of(world, stamped));
        if (since == latency) {
            assert_holds(ns, bound, latency);
            said++;
        }
    }
    return said;
}

static void test_truth_lies_within_the_bound(void **state)
{
    (void)state;
    struct random random = {1};
    for (int i = 0; i < 2000; i++) {
        struct world world = random_world(&random);
        struct ptpmon_clock_relation clocks;
        read_all(&world, &random, &clocks);
        for (int j = 0; j < 50; j++)
            assert_int_equal(check_instants(&world, &random, &clocks, random_inside(&random, &clocks), SECOND / 2), 2);
    }
}

/* Steps and changes of rate that are large, small, and hidden in the uncertainty of the readings. */
static void test_truth_lies_within_the_bound_across_a_change(void **state)
{
    (void)state;
    struct random random = {2};
    unsigned said = 0;
    for (int i = 0; i < 4000; i++) {
        static const int64_t magnitudes[] = {100, 10000, 1000000, 100000000};
        struct world world = random_world(&random);
        struct ptpmon_clock_relation clocks;
        read_all(&world, &random, &clocks);
        int64_t largest = magnitudes[random_next(&random) % 4];
        world.changes_at = random_inside(&random, &clocks);
        if (i % 3 != 0)
            world.nic_step = random_between(&random, -largest, largest);
        if (i % 3 != 1)
            world.ppm_after = (double)random_between(&random, -500000, 500000) / 1000;
        world.realtime_step = random_between(&random, -largest, largest);
        read_all(&world, &random, &clocks);
        for (int j = 0; j < 50; j++) {
            /* Close to the change, and anywhere. */
            uint64_t instant = random_inside(&random, &clocks);
            if (j % 2 == 0)
                instant = world.changes_at + (uint64_t)random_between(&random, -100000, 100000);
            said += check_instants(&world, &random, &clocks, instant, j % 3 == 0 ? 100000 : SECOND / 2);
        }
    }
    assert_true(said > 4000 * 50);
}

/* Records i * 1 s apart, without errors; hw_timestamp_ns is `nic` and then as far apart. */
static void add_exact(struct ptpmon_clock_relation *clocks, uint64_t nic, UINT32 uncertainty)
{
    size_t i = clocks->count;
    PTP_CLOCKS_RECORD record = {
        .direction = AVB_DIRECTION_CLOCKS,
        .system_timestamp = SYSTEM + i * SECOND,
        .realtime_ns = UTC + i * SECOND,
        .hw_timestamp_ns = nic,
        .hw_uncertainty_ns = uncertainty,
        .realtime_uncertainty_ns = 30,
    };
    ptpmon_clock_relation_add(clocks, &record);
}

static struct ptpmon_clock_relation exact_clocks(size_t count)
{
    struct ptpmon_clock_relation clocks = {0};
    for (size_t i = 0; i < count; i++)
        add_exact(&clocks, 7000 + (i + 1) * SECOND, 500);
    return clocks;
}

/* What is known once these records have come, and no others. */
static struct ptpmon_clock_relation related(const PTP_CLOCKS_RECORD *records, size_t count)
{
    struct ptpmon_clock_relation clocks = {0};
    for (size_t i = 0; i < count; i++)
        ptpmon_clock_relation_add(&clocks, &records[i]);
    return clocks;
}

static void test_bound_of_a_steady_clock_is_a_few_readings(void **state)
{
    (void)state;
    int64_t ns;
    uint64_t bound;
    /* The reading, those on either side, those beside one of them, and the rounding. */
    for (size_t count = 3; count <= 4; count++) {
        struct ptpmon_clock_relation few = exact_clocks(count);
        for (uint64_t i = 0; i + 1 < count; i++) {
            uint64_t into = i * SECOND + SECOND / 2;
            assert_true(since_hardware(&few, SYSTEM + into, 7000 + SECOND + into - 12345, &ns, &bound));
            assert_int_equal(ns, 12345);
            assert_int_equal(bound, 530 + 2 * 530 + 2 * 530 + 1);
        }
    }
    struct ptpmon_clock_relation clocks = exact_clocks(4);
    clocks.records[1].hw_uncertainty_ns = 70;
    clocks.records[2].hw_uncertainty_ns = 1970;
    clocks = related(clocks.records, 4);
    assert_true(since_hardware(&clocks, SYSTEM + 1500000000, 7000 + 2500000000u, &ns, &bound));
    assert_int_equal(bound, 2000 + (100 + 2000) + (2000 + 530) + 1);
    clocks.records[1].hw_uncertainty_ns = 1970;
    clocks.records[2].hw_uncertainty_ns = 70;
    clocks = related(clocks.records, 4);
    assert_true(since_hardware(&clocks, SYSTEM + 1500000000, 7000 + 2500000000u, &ns, &bound));
    assert_int_equal(bound, 2000 + (100 + 2000) + (2000 + 530) + 1);
    assert_true(since_realtime(&clocks, SYSTEM + 1500000000, UTC + 1500000000 + 777, &ns, &bound));
    assert_int_equal(ns, -777);
    assert_int_equal(bound, 30);
}

static void test_step_of_the_nic_widens_or_refuses(void **state)
{
    (void)state;
    static const struct {
        int64_t step;
        bool said;
    } cases[] = {{100000, true}, {-100000, true}, {37ll * SECOND, false}, {-37ll * SECOND, false}, {2000000, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ptpmon_clock_relation clocks = {0};
        int64_t ns;
        uint64_t bound;
        uint64_t start = 100ull * SECOND;
        for (size_t n = 0; n < 8; n++)
            add_exact(&clocks, start + n * SECOND + (uint64_t)(n >= 4 ? cases[i].step : 0), 500);
        for (size_t n = 0; n < 7; n++) {
            bool beside = n >= 2 && n <= 4; /* it is set in [3] */
            uint64_t into = n * SECOND + SECOND / 2;
            uint64_t stamp = start + into - 1000 + (uint64_t)(n >= 4 ? cases[i].step : 0);
            bool said = since_hardware(&clocks, SYSTEM + into, stamp, &ns, &bound);
            assert_int_equal(said, cases[i].said || !beside);
            if (said && beside)
                assert_true(bound >= (uint64_t)llabs(cases[i].step));
            else if (said)
                assert_in_range(bound, 530, 5 * 530 + 1);
            if (said && n != 3)
                assert_int_equal(ns, 1000);
        }
    }
}

static void test_change_of_rate_widens(void **state)
{
    (void)state;
    struct ptpmon_clock_relation clocks = {0};
    int64_t ns;
    uint64_t bound;
    /* 0 ppm, then 50 ppm from the middle of the third interval on. */
    const uint64_t gained[] = {0, 0, 0, 25000, 75000, 125000};
    for (size_t i = 0; i < 6; i++)
        add_exact(&clocks, 100ull * SECOND + i * SECOND + gained[i], 0);
    assert_true(since_hardware(&clocks, SYSTEM + 2500000000u, 102500000000u, &ns, &bound));
    assert_true((uint64_t)llabs(ns) <= bound && llabs(ns) > 12000);
    assert_in_range(bound, 25000, 25300);
    assert_true(since_hardware(&clocks, SYSTEM + 500000000u, 100500000000u, &ns, &bound));
    assert_true(bound < 300);
}

static void test_two_records_alone_bound_an_unsteered_clock(void **state)
{
    (void)state;
    struct ptpmon_clock_relation clocks = exact_clocks(2);
    int64_t ns;
    uint64_t bound;
    assert_true(since_hardware(&clocks, SYSTEM + SECOND / 2, 7000 + SECOND + SECOND / 2, &ns, &bound));
    assert_int_equal(ns, 0);
    assert_in_range(bound, 100000, 103000);
}

static void test_step_of_realtime_refuses(void **state)
{
    (void)state;
    struct ptpmon_clock_relation clocks = exact_clocks(4);
    int64_t ns, steps[] = {61, -61, 37ll * SECOND, -37ll * SECOND};
    uint64_t bound;
    for (size_t i = 0; i < 4; i++) {
        struct ptpmon_clock_relation set = clocks;
        set.records[2].realtime_ns += (uint64_t)steps[i];
        set.records[3].realtime_ns += (uint64_t)steps[i];
        assert_true(since_realtime(&set, SYSTEM + SECOND / 2, UTC + SECOND / 2, &ns, &bound));
        assert_false(since_realtime(&set, SYSTEM + 3 * (SECOND / 2), UTC + 3 * (SECOND / 2), &ns, &bound));
        assert_true(since_realtime(&set, SYSTEM + 2500000000u, UTC + 2500000000u + (uint64_t)steps[i], &ns, &bound));
        assert_int_equal(ns, 0);
    }
    /* Hidden in the uncertainty: widened. The more certain reading counts. */
    clocks.records[2].realtime_ns += 60;
    clocks.records[2].realtime_uncertainty_ns = 40;
    assert_true(since_realtime(&clocks, SYSTEM + 3 * (SECOND / 2), UTC + 3 * (SECOND / 2), &ns, &bound));
    assert_int_equal(ns, 0);
    assert_int_equal(bound, 100);
    clocks.records[2].realtime_uncertainty_ns = 20;
    clocks.records[2].realtime_ns -= 20;
    assert_true(since_realtime(&clocks, SYSTEM + 3 * (SECOND / 2), UTC + 3 * (SECOND / 2), &ns, &bound));
    assert_int_equal(ns, 40);
    assert_int_equal(bound, 70);
}

static bool any_relation(const struct ptpmon_clock_relation *clocks, uint64_t event_time)
{
    int64_t ns;
    uint64_t bound;
    uint64_t into = event_time - SYSTEM;
    return since_hardware(clocks, event_time, 7000 + SECOND + into, &ns, &bound) ||
           since_realtime(clocks, event_time, UTC + into, &ns, &bound);
}

static void test_no_relation_without_records_on_both_sides(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 1; count++) {
        struct ptpmon_clock_relation few = exact_clocks(count);
        for (int i = -1; i <= 1; i++)
            assert_false(any_relation(&few, SYSTEM + (uint64_t)i));
    }
    struct ptpmon_clock_relation clocks = exact_clocks(3);
    assert_false(any_relation(&clocks, SYSTEM - 1));
    assert_true(any_relation(&clocks, SYSTEM));
    assert_true(any_relation(&clocks, SYSTEM + 2 * (uint64_t)SECOND - 1));
    assert_false(any_relation(&clocks, SYSTEM + 2 * (uint64_t)SECOND));
    assert_false(any_relation(&clocks, 0));
    assert_false(any_relation(&clocks, UINT64_MAX));
}

static void test_no_hardware_relation_without_a_nic_clock(void **state)
{
    (void)state;
    int64_t ns;
    uint64_t bound;
    for (size_t missing = 1; missing <= 2; missing++) {
        struct ptpmon_clock_relation clocks = exact_clocks(4);
        clocks.records[missing].hw_timestamp_ns = 0;
        clocks = related(clocks.records, 4);
        assert_false(since_hardware(&clocks, SYSTEM + 1500000000, 7000 + 2500000000u, &ns, &bound));
        assert_true(since_realtime(&clocks, SYSTEM + 1500000000, UTC + 1500000000, &ns, &bound));
    }
    /* 0 is no reading, even where a clock that began at 0 would have it. */
    struct ptpmon_clock_relation from_0 = {0};
    for (uint64_t i = 0; i < 4; i++)
        add_exact(&from_0, i * SECOND, 0);
    assert_false(since_hardware(&from_0, SYSTEM + SECOND / 2, SECOND / 2, &ns, &bound));
    assert_true(since_hardware(&from_0, SYSTEM + 2500000000u, 2500000000u, &ns, &bound));
    struct ptpmon_clock_relation none = {0};
    for (int i = 0; i < 4; i++)
        add_exact(&none, 0, 0);
    assert_false(since_hardware(&none, SYSTEM + 1500000000, 1500000000, &ns, &bound));
}

/* On the edge of an interval the stamp may lie in the one beside it, but not further away. */
static void test_stamp_of_another_time_is_refused(void **state)
{
    (void)state;
    struct ptpmon_clock_relation clocks = exact_clocks(6);
    int64_t ns;
    uint64_t bound;
    const uint64_t first = 7000 + SECOND, instant = SYSTEM + 2500000000u;
    assert_true(since_hardware(&clocks, instant, first + SECOND, &ns, &bound));
    assert_int_equal(ns, 1500000000);
    assert_true(since_hardware(&clocks, instant, first + 4ull * SECOND, &ns, &bound));
    assert_int_equal(ns, -1500000000);
    assert_true(since_hardware(&clocks, SYSTEM + 1500000000, first + 1, &ns, &bound));
    assert_int_equal(ns, 1499999999);
    assert_false(since_hardware(&clocks, instant, first + SECOND - 1, &ns, &bound));
    assert_false(since_hardware(&clocks, instant, first + 4ull * SECOND + 1, &ns, &bound));
    assert_false(since_hardware(&clocks, instant, first + 37ull * SECOND, &ns, &bound));
    assert_false(since_hardware(&clocks, instant, 1, &ns, &bound));
    assert_false(since_hardware(&clocks, SYSTEM, first - 1, &ns, &bound));
    assert_false(since_hardware(&clocks, SYSTEM + 5ull * SECOND - 1, first + 5ull * SECOND + 1, &ns, &bound));
    clocks = related(clocks.records, 5); /* what lies behind the last one is none */
    assert_false(since_hardware(&clocks, SYSTEM + 4ull * SECOND - 1, first + 4ull * SECOND + 1, &ns, &bound));
}

/* Two intervals are used there, so what either may hide counts. */
static void test_stamp_beside_its_event_has_the_errors_of_both_intervals(void **state)
{
    (void)state;
    struct ptpmon_clock_relation clocks = {0};
    int64_t ns;
    uint64_t bound;
    for (size_t i = 0; i < 6; i++)
        add_exact(&clocks, (100 + i) * SECOND + (i >= 2 ? 50000 : 0), 0); /* set in the second interval */
    uint64_t instant = SYSTEM + 2ull * SECOND + 1000;
    assert_true(since_hardware(&clocks, instant, 102ull * SECOND, &ns, &bound)); /* before it was set */
    assert_true(bound >= 50000);
    assert_true(since_hardware(&clocks, instant, 102ull * SECOND + 50000, &ns, &bound));
    assert_int_equal(ns, 1000);
}

static void test_realtime_is_that_of_the_record_before(void **state)
{
    (void)state;
    struct ptpmon_clock_relation clocks = {0};
    int64_t realtime_ns = 5;
    assert_false(realtime_at(&clocks, SYSTEM, &realtime_ns));
    assert_int_equal(realtime_ns, 5);
    clocks = exact_clocks(3);
    clocks.records[1].realtime_ns += 1000;
    const struct {
        int64_t at, step;
    } cases[] = {{-SECOND, 0}, {0, 0}, {SECOND - 1, 0}, {SECOND, 1000}, {2ll * SECOND - 1, 1000}, {9ll * SECOND, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(realtime_at(&clocks, SYSTEM + (uint64_t)cases[i].at, &realtime_ns));
        assert_int_equal(realtime_ns, (int64_t)UTC + cases[i].at + cases[i].step);
    }
}

static void test_drifts_are_those_of_the_records_that_are_kept(void **state)
{
    (void)state;
    struct random random = {.state = 5};
    struct world world = random_world(&random);
    struct ptpmon_clock_relation clocks = {0};
    for (uint64_t i = 0; i < PTPMON_CLOCK_RELATION_KEPT + 5; i++) {
        PTP_CLOCKS_RECORD record = read_clocks(&world, &random, SYSTEM + i * SECOND);
        ptpmon_clock_relation_add(&clocks, &record);
        struct ptpmon_clock_relation afresh = related(clocks.records, clocks.count);
        assert_int_equal(afresh.count, clocks.count);
        for (size_t k = 0; k + 1 < clocks.count; k++) {
            assert_int_equal(clocks.drifts[k].known, afresh.drifts[k].known);
            assert_true(clocks.drifts[k].slope == afresh.drifts[k].slope);
            assert_true(clocks.drifts[k].error == afresh.drifts[k].error);
            assert_true(clocks.drifts[k].uncertainty == afresh.drifts[k].uncertainty);
        }
    }
}

static void test_records_stay_in_order_and_the_oldest_goes(void **state)
{
    (void)state;
    struct ptpmon_clock_relation clocks = exact_clocks(3), before = clocks;
    PTP_CLOCKS_RECORD late = clocks.records[1];
    ptpmon_clock_relation_add(&clocks, &late);
    late = clocks.records[2];
    late.realtime_ns++;
    ptpmon_clock_relation_add(&clocks, &late);
    assert_memory_equal(&clocks, &before, sizeof clocks);
    struct ptpmon_clock_relation one = exact_clocks(1);
    ptpmon_clock_relation_add(&one, &one.records[0]);
    assert_int_equal(one.count, 1);

    clocks = exact_clocks(PTPMON_CLOCK_RELATION_KEPT);
    PTP_CLOCKS_RECORD next = clocks.records[PTPMON_CLOCK_RELATION_KEPT - 1];
    next.system_timestamp += SECOND;
    ptpmon_clock_relation_add(&clocks, &next);
    assert_int_equal(clocks.count, PTPMON_CLOCK_RELATION_KEPT);
    for (uint64_t i = 0; i < PTPMON_CLOCK_RELATION_KEPT; i++)
        assert_int_equal(clocks.records[i].system_timestamp, SYSTEM + (i + 1) * SECOND);
    assert_false(any_relation(&clocks, SYSTEM + SECOND - 1));
    assert_true(any_relation(&clocks, SYSTEM + SECOND));
}

/* A damaged recording: any answer, but no undefined behaviour, which the sanitizers would find. */
static void test_any_records_are_survived(void **state)
{
    (void)state;
    struct random random = {3};
    unsigned said = 0;
    for (int i = 0; i < 20000; i++) {
        struct ptpmon_clock_relation clocks = {0};
        uint64_t system = 0, nic = 0;
        for (int n = 0; n < 4; n++) {
            PTP_CLOCKS_RECORD record = {
                .system_timestamp = system += random_next(&random) >> 2 >> random_next(&random) % 62,
                .hw_timestamp_ns = nic += random_next(&random) >> random_next(&random) % 64,
                .realtime_ns = random_next(&random),
                .hw_uncertainty_ns = (UINT32)random_next(&random),
                .realtime_uncertainty_ns = (UINT32)random_next(&random),
            };
            if (n == 2)
                record.hw_timestamp_ns = nic =
                    clocks.records[1].hw_timestamp_ns + record.system_timestamp - clocks.records[1].system_timestamp;
            if (i % 2 == 0)
                record.realtime_ns = record.system_timestamp + UINT64_MAX / 2;
            ptpmon_clock_relation_add(&clocks, &record);
        }
        for (int n = 0; n < 8; n++) {
            int64_t ns;
            uint64_t bound;
            uint64_t instant = random_next(&random) >> n * 8, stamp = random_next(&random) >> n * 8;
            if (n >= 4) {
                instant = clocks.records[1].system_timestamp + (unsigned)n % 2;
                stamp = clocks.records[1].hw_timestamp_ns + (unsigned)n % 2;
            }
            said += realtime_at(&clocks, instant, &ns);
            said += since_realtime(&clocks, instant, n % 2 ? stamp : ~stamp, &ns, &bound);
            said += since_hardware(&clocks, instant, stamp, &ns, &bound);
        }
    }
    assert_true(said > 20000 * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth_lies_within_the_bound),
        cmocka_unit_test(test_truth_lies_within_the_bound_across_a_change),
        cmocka_unit_test(test_bound_of_a_steady_clock_is_a_few_readings),
        cmocka_unit_test(test_step_of_the_nic_widens_or_refuses),
        cmocka_unit_test(test_change_of_rate_widens),
        cmocka_unit_test(test_two_records_alone_bound_an_unsteered_clock),
        cmocka_unit_test(test_step_of_realtime_refuses),
        cmocka_unit_test(test_no_relation_without_records_on_both_sides),
        cmocka_unit_test(test_no_hardware_relation_without_a_nic_clock),
        cmocka_unit_test(test_stamp_of_another_time_is_refused),
        cmocka_unit_test(test_stamp_beside_its_event_has_the_errors_of_both_intervals),
        cmocka_unit_test(test_realtime_is_that_of_the_record_before),
        cmocka_unit_test(test_drifts_are_those_of_the_records_that_are_kept),
        cmocka_unit_test(test_records_stay_in_order_and_the_oldest_goes),
        cmocka_unit_test(test_any_records_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
