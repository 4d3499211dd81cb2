/* SPDX-License-Identifier: MIT */
/*
 * Delay floors and asymmetry of simulated paths and links: queues of both directions, a clock with offset, drift,
 * wander and steps, delays that change. The truth is known.
 */
#include "analysis/asymmetry.h"
#include "analysis/floors.h"
#include "analysis/statistics.h"
#include "analysis/time.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/random.h"

#define SECOND INT64_C(1000000000)
#define SEEDS  150

static double uniform(struct random *random)
{
    return ((double)(random_next(random) >> 11) + 1) / 9007199254740993.0;
}

/* ---- The world ---------------------------------------------------------------------------- */

struct world {
    struct random random;
    ptpmon_exchange_kind kind; /* E2E; P2P, P2P_AS: a link, whose delay is measured delay_rate times a second */
    double forward, reverse;   /* ns, without queues */
    double queue;              /* mean, of those frames that meet one */
    unsigned int free_percent;
    double offset, drift_ppm, wander_ppb; /* wander: of the drift, from second to second */
    double change_forward, change_reverse, clock_step;
    int64_t change_at, step_at; /* ns; 0 = none */
    int sync_rate, delay_rate;  /* per second */
    int64_t seconds;
    uint32_t point;
    uint8_t source, domainNumber;
    /* State. */
    double gained, rate;
};

static double queueing(struct world *world)
{
    bool none = random_chance(&world->random, world->free_percent);
    return none ? 0 : -world->queue * log(uniform(&world->random));
}

/* Local - master at this instant of the second that is under way. */
static double clock_error(const struct world *world, int64_t now)
{
    double step = world->step_at > 0 && now >= world->step_at ? world->clock_step : 0;
    return world->offset + world->gained + world->rate * 1e-6 * (double)(now % SECOND) + step;
}

static bool has_changed(const struct world *world, int64_t now)
{
    return world->change_at > 0 && now >= world->change_at;
}

static ptpmon_exchange exchange_at(const struct world *world, ptpmon_exchange_kind kind, int64_t now)
{
    ptpmon_exchange exchange = {
        .kind = kind,
        .end = PTPMON_END_REQUESTER,
        .point = world->point,
        .domainNumber = world->domainNumber,
        .event_time = (uint64_t)(now + 1000 * SECOND),
        .realtime_ns = now + 1700000000 * SECOND,
        .source.portNumber = world->source,
    };
    exchange.t[1] = exchange.t[2] =
        (ptpmon_stamp){now + (int64_t)clock_error(world, now) + 5000 * SECOND, PTPMON_STAMP_HARDWARE};
    return exchange;
}

static double master_to_slave(struct world *world, int64_t now)
{
    double delay = world->forward + (has_changed(world, now) ? world->change_forward : 0);
    return delay + queueing(world) + clock_error(world, now);
}

static double slave_to_master(struct world *world, int64_t now)
{
    double delay = world->reverse + (has_changed(world, now) ? world->change_reverse : 0);
    return delay + queueing(world) - clock_error(world, now);
}

static int64_t local_time(const struct world *world, double now)
{
    return (int64_t)floor(now + clock_error(world, (int64_t)now)) + 5000 * SECOND;
}

/* A link's: the responder's clock is true, its turnaround some ms; forward is from there. */
static ptpmon_exchange link_exchange_at(struct world *world, int64_t now)
{
    ptpmon_exchange exchange = exchange_at(world, world->kind, now);
    double asked = (double)now, turnaround = (double)random_between(&world->random, 1000, 10000000);
    double change_back = has_changed(world, now) ? world->change_reverse : 0;
    double change_there = has_changed(world, now) ? world->change_forward : 0;
    double t2 = floor(asked + world->reverse + change_back + queueing(world)), t3 = t2 + floor(turnaround);
    double answered = t3 + world->forward + change_there + queueing(world);
    exchange.requesting.portNumber = 77;
    exchange.t[0] = (ptpmon_stamp){local_time(world, asked), PTPMON_STAMP_HARDWARE};
    exchange.t[1] = (ptpmon_stamp){(int64_t)t2 + 5000 * SECOND, PTPMON_STAMP_MESSAGE};
    exchange.t[2] = (ptpmon_stamp){(int64_t)t3 + 5000 * SECOND, PTPMON_STAMP_MESSAGE};
    exchange.t[3] = (ptpmon_stamp){local_time(world, answered), PTPMON_STAMP_HARDWARE};
    exchange.neighborRateRatio = 1 / (1 + world->rate * 1e-6);
    ptpmon_time away = ptpmon_time_of_ns(exchange.t[3].ns - exchange.t[0].ns);
    ptpmon_time there = ptpmon_time_scale(ptpmon_time_of_double(t3 - t2), 1 / exchange.neighborRateRatio);
    exchange.delay = ptpmon_time_half(ptpmon_time_subtract(away, there));
    exchange.known = PTPMON_KNOWS_DELAY | PTPMON_KNOWS_NEIGHBOR_RATE_RATIO | PTPMON_KNOWS_TURNAROUND;
    return exchange;
}

static void let_clock_run(struct world *world)
{
    world->gained += world->rate * 1e-6 * (double)SECOND;
    world->rate += world->wander_ppb * 1e-3 * (uniform(&world->random) - 0.5) * 2;
}

static void pass_second_of_link(struct world *world, struct ptpmon_statistics_set *set, int64_t second)
{
    for (int i = 0; i < world->delay_rate; i++) {
        ptpmon_exchange exchange = link_exchange_at(world, second * SECOND + SECOND / world->delay_rate * i);
        assert_int_equal(ptpmon_statistics_set_exchange(set, &exchange), PTPMON_OK);
    }
    let_clock_run(world);
}

static void pass_second(struct world *world, struct ptpmon_statistics_set *set, int64_t second)
{
    int steps = world->sync_rate * world->delay_rate;
    ptpmon_time newest = {0};
    for (int i = 0; i < steps; i++) {
        int64_t now = second * SECOND + SECOND / steps * i;
        if (i % world->delay_rate == 0) {
            ptpmon_exchange sync = exchange_at(world, PTPMON_EXCHANGE_SYNC, now);
            sync.known = PTPMON_KNOWS_MASTER_TO_SLAVE;
            sync.sequenceId = (uint16_t)(second * world->sync_rate + i / world->delay_rate);
            sync.masterToSlave = newest = ptpmon_time_of_double(master_to_slave(world, now));
            assert_int_equal(ptpmon_statistics_set_exchange(set, &sync), PTPMON_OK);
        }
        if (i % world->sync_rate == 0) {
            ptpmon_exchange e2e = exchange_at(world, PTPMON_EXCHANGE_E2E, now);
            e2e.known = PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_SLAVE_TO_MASTER;
            e2e.requesting.portNumber = 77;
            e2e.masterToSlave = newest;
            e2e.slaveToMaster = ptpmon_time_of_double(slave_to_master(world, now));
            assert_int_equal(ptpmon_statistics_set_exchange(set, &e2e), PTPMON_OK);
        }
    }
    let_clock_run(world);
}

static void run(struct world *world, struct ptpmon_statistics_set *set)
{
    world->rate = world->drift_ppm;
    for (int64_t second = 0; second < world->seconds; second++)
        (world->kind == PTPMON_EXCHANGE_E2E ? pass_second : pass_second_of_link)(world, set, second);
}

/* A LAN: us of delay, half the frames meet no queue; a free oscillator of up to 100 ppm that wanders. */
static struct world new_world(uint64_t seed)
{
    struct world world = {.random = {seed},
                          .queue = 2000,
                          .free_percent = 50,
                          .wander_ppb = 0.5,
                          .sync_rate = 8,
                          .delay_rate = seed % 2 ? 8 : 1,
                          .seconds = 200,
                          .kind = PTPMON_EXCHANGE_E2E,
                          .source = 1};
    world.forward = (double)random_between(&world.random, 500, 20000);
    world.reverse = (double)random_between(&world.random, 500, 20000);
    world.offset = (double)random_between(&world.random, -1000000, 1000000);
    world.drift_ppm = (double)random_between(&world.random, -100, 100);
    return world;
}

static struct world new_link(uint64_t seed)
{
    struct world world = new_world(seed);
    world.kind = seed % 4 < 2 ? PTPMON_EXCHANGE_P2P : PTPMON_EXCHANGE_P2P_AS;
    return world;
}

typedef struct world (*new_world_function)(uint64_t seed);

static struct ptpmon_statistics_set *open_set(bool has_true_offset, double true_offset, bool share)
{
    struct ptpmon_statistics_set *set;
    struct ptpmon_statistics_options options = {.points_share_clock = share, .has_true_offset = has_true_offset};
    options.true_offset = ptpmon_time_of_double(true_offset);
    assert_int_equal(ptpmon_statistics_set_open(&options, &set), PTPMON_OK);
    return set;
}

static ptpmon_asymmetry only_asymmetry(const struct ptpmon_statistics_set *set)
{
    ptpmon_asymmetry asymmetry;
    assert_int_equal(ptpmon_statistics_set_asymmetry_count(set), 1);
    assert_int_equal(ptpmon_statistics_set_asymmetry(set, 0, &asymmetry), PTPMON_OK);
    assert_int_equal(ptpmon_statistics_set_asymmetry(set, 1, &asymmetry), PTPMON_NOTHING);
    assert_int_equal(ptpmon_statistics_set_asymmetry(set, 0, &asymmetry), PTPMON_OK);
    return asymmetry;
}

/* ---- Changes ------------------------------------------------------------------------------ */

static void nothing_changes_nothing_is_found_in(new_world_function new)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        ptpmon_finding finding;
        struct world world = new (seed);
        struct ptpmon_statistics_set *set = open_set(false, 0, false);
        world.seconds = 1000;
        world.free_percent = (unsigned int)(seed % 3 * 40); /* none, some, most frames meet no queue */
        run(&world, set);
        assert_int_equal(ptpmon_statistics_set_finding(set, &finding), PTPMON_NOTHING);
        ptpmon_asymmetry asymmetry = only_asymmetry(set);
        assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_NOT_OBSERVABLE);
        assert_true(asymmetry.delayAsymmetry == 0 && asymmetry.bound == 0);
        ptpmon_statistics_set_close(set);
    }
}

static void nothing_changes_nothing_is_found(void **state)
{
    (void)state;
    nothing_changes_nothing_is_found_in(new_world);
}

static void nothing_changes_nothing_is_found_of_a_link(void **state)
{
    (void)state;
    nothing_changes_nothing_is_found_in(new_link);
}

static void one_direction_changes_in(new_world_function new)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        ptpmon_finding finding;
        struct world world = new (seed);
        struct ptpmon_statistics_set *set = open_set(false, 0, false);
        bool forward = random_chance(&world.random, 50);
        double least = seed % 2 ? 1000 : 6000; /* by how well eight, or one frame a second show the floor */
        double size = (double)random_between(&world.random, (int64_t)least, 50000);
        if (random_chance(&world.random, 50)) {
            size = -size;
            world.forward += 50000;
            world.reverse += 50000;
        }
        world.change_at = random_between(&world.random, 80 * SECOND, 140 * SECOND);
        world.change_forward = forward ? size : 0;
        world.change_reverse = forward ? 0 : size;
        run(&world, set);
        assert_int_equal(ptpmon_statistics_set_finding(set, &finding), PTPMON_OK);
        assert_int_equal(finding.kind, forward ? PTPMON_FOUND_FORWARD_CHANGE : PTPMON_FOUND_REVERSE_CHANGE);
        double local = world.kind == PTPMON_EXCHANGE_E2E ? size : size * (1 + world.rate * 1e-6); /* by our clock */
        assert_true(fabs(finding.size - local) <= finding.bound);
        assert_int_equal(finding.source.portNumber, 1);
        int64_t at = (int64_t)finding.event_time - 1000 * SECOND;
        assert_true(llabs(at - world.change_at) < 12 * SECOND);
        assert_true(finding.realtime_ns - 1700000000 * SECOND == at);
        assert_int_equal(ptpmon_statistics_set_finding(set, &finding), PTPMON_NOTHING);
        ptpmon_asymmetry asymmetry = only_asymmetry(set);
        assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_BY_CHANGE);
        assert_true(fabs(asymmetry.delayAsymmetry - (forward ? local : -local) / 2) <= asymmetry.bound);
        ptpmon_statistics_set_close(set);
    }
}

static void one_direction_changes(void **state)
{
    (void)state;
    one_direction_changes_in(new_world);
}

static void one_direction_changes_of_a_link(void **state)
{
    (void)state;
    one_direction_changes_in(new_link);
}

static void a_clock_step_or_both_directions_are_no_change_of_one_in(new_world_function new)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        ptpmon_finding finding;
        struct world world = new (seed);
        struct ptpmon_statistics_set *set = open_set(false, 0, false);
        double size = (double)random_between(&world.random, 1500, 50000);
        world.change_at = world.step_at = random_between(&world.random, 80 * SECOND, 140 * SECOND);
        if (seed % 3)
            world.clock_step = seed % 2 ? size : -size;
        else
            world.change_forward = world.change_reverse = size;
        run(&world, set);
        assert_int_equal(ptpmon_statistics_set_finding(set, &finding), PTPMON_NOTHING);
        assert_int_equal(only_asymmetry(set).method, PTPMON_ASYMMETRY_NOT_OBSERVABLE);
        ptpmon_statistics_set_close(set);
    }
}

static void a_clock_step_or_both_directions_are_no_change_of_one(void **state)
{
    (void)state;
    a_clock_step_or_both_directions_are_no_change_of_one_in(new_world);
}

static void a_clock_step_or_both_directions_are_no_change_of_one_of_a_link(void **state)
{
    (void)state;
    a_clock_step_or_both_directions_are_no_change_of_one_in(new_link);
}

/* ---- Floors ------------------------------------------------------------------------------- */

static void floors_are_the_least_of_the_window(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct {
            int64_t at;
            double value;
            bool forward;
        } values[4000];
        struct random random = {seed};
        struct ptpmon_floors floors = {0};
        struct ptpmon_floor_summary summary;
        int64_t now = 0;
        size_t count = 40 + (size_t)random_below(&random, 3960);
        ptpmon_floors_begin(&floors, 0);
        for (size_t i = 0; i < count; i++) {
            now += random_between(&random, 0, SECOND / 2);
            values[i].at = now;
            values[i].value = 1000 + 500 * uniform(&random);
            values[i].forward = random_chance(&random, 50);
            if (values[i].forward)
                (void)ptpmon_floors_forward(&floors, now, values[i].value);
            else
                (void)ptpmon_floors_reverse(&floors, now, values[i].value);
        }
        assert_true(ptpmon_floors_summarize(&floors, &summary));
        double forward = INFINITY, reverse = INFINITY;
        int64_t to = floors.bins[floors.count - 1].to_ns, from = to - llrint(summary.window_s * 1e9);
        for (size_t i = 0; i < count; i++) {
            bool within = values[i].at >= from && values[i].at <= to;
            if (within && values[i].forward)
                forward = fmin(forward, values[i].value);
            if (within && !values[i].forward)
                reverse = fmin(reverse, values[i].value);
        }
        /* Values at the window's very ends may be of the bins beside it. */
        assert_true(summary.forward >= forward && summary.reverse >= reverse);
        assert_true(summary.forward <= forward + 30 && summary.reverse <= reverse + 30);
    }
}

static void clocks_decades_apart_keep_their_ns(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set(true, 1.7e18, false);
    struct world world = new_world(4);
    world.offset = world.drift_ppm = world.wander_ppb = 0;
    world.free_percent = 100;
    ptpmon_time far = ptpmon_time_of_double(1.7e18);
    for (int64_t i = 0; i < 200; i++) {
        ptpmon_exchange e2e = exchange_at(&world, PTPMON_EXCHANGE_E2E, i * SECOND / 8);
        e2e.known = PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_SLAVE_TO_MASTER;
        e2e.masterToSlave = ptpmon_time_add(far, ptpmon_time_of_ns(700 + i % 3));
        e2e.slaveToMaster = ptpmon_time_subtract(ptpmon_time_of_ns(300 + i % 2), far);
        assert_int_equal(ptpmon_statistics_set_exchange(set, &e2e), PTPMON_OK);
        e2e.kind = PTPMON_EXCHANGE_SYNC;
        assert_int_equal(ptpmon_statistics_set_exchange(set, &e2e), PTPMON_OK);
    }
    ptpmon_asymmetry asymmetry = only_asymmetry(set);
    assert_true(asymmetry.base_ns == far.ns + 700);
    assert_true(asymmetry.forward_floor == 0 && asymmetry.reverse_floor == 1000);
    assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_BY_REFERENCE);
    assert_true(asymmetry.delayAsymmetry == 200);
    ptpmon_statistics_set_close(set);
}

/* ---- Methods ------------------------------------------------------------------------------ */

static void a_known_offset_tells_the_asymmetry(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_world(seed);
        world.drift_ppm = 0;
        world.wander_ppb = 0;
        struct ptpmon_statistics_set *set = open_set(true, world.offset, false);
        run(&world, set);
        ptpmon_asymmetry asymmetry = only_asymmetry(set);
        assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_BY_REFERENCE);
        assert_true(fabs(asymmetry.delayAsymmetry - (world.forward - world.reverse) / 2) <= asymmetry.bound);
        assert_true(asymmetry.bound < 1500);
        ptpmon_statistics_set_close(set);
    }
}

/* ---- Links -------------------------------------------------------------------------------- */

/* A Sync of the port that answers, which came over the link alone. */
static ptpmon_exchange sync_over(struct world *world, int64_t now)
{
    ptpmon_exchange sync = exchange_at(world, PTPMON_EXCHANGE_SYNC, now);
    sync.known = PTPMON_KNOWS_MASTER_TO_SLAVE;
    sync.masterToSlave = ptpmon_time_of_double(master_to_slave(world, now));
    return sync;
}

static struct world new_steady_link(uint64_t seed)
{
    struct world world = new_link(seed);
    world.drift_ppm = world.wander_ppb = 0;
    return world;
}

/* What is between the clock of the Syncs and the one of Pdelay_Resp; what bridges corrected. */
static ptpmon_asymmetry run_with_syncs(struct world *world, double other_clock, int64_t corrected)
{
    struct ptpmon_statistics_set *set = open_set(true, world->offset + other_clock, false);
    world->rate = world->drift_ppm;
    for (int64_t second = 0; second < world->seconds; second++) {
        for (int i = 0; i < world->sync_rate; i++) {
            ptpmon_exchange sync = sync_over(world, second * SECOND + SECOND / world->sync_rate * i);
            sync.masterToSlave = ptpmon_time_add(sync.masterToSlave, ptpmon_time_of_double(other_clock));
            sync.correction_follow_up = corrected;
            assert_int_equal(ptpmon_statistics_set_exchange(set, &sync), PTPMON_OK);
        }
        pass_second_of_link(world, set, second);
    }
    ptpmon_asymmetry asymmetry = only_asymmetry(set);
    ptpmon_statistics_set_close(set);
    return asymmetry;
}

static void a_known_offset_tells_the_asymmetry_of_a_link_to_the_master(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_steady_link(seed);
        double other_clock = seed % 2 ? 0 : (double)random_between(&world.random, -1000000, 1000000);
        ptpmon_asymmetry asymmetry = run_with_syncs(&world, other_clock, 65535);
        assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_BY_REFERENCE);
        assert_int_equal(asymmetry.kind, world.kind);
        assert_true(fabs(asymmetry.delayAsymmetry - (world.forward - world.reverse) / 2) <= asymmetry.bound);
        assert_true(asymmetry.bound < 3000);
    }
}

/* The offset from the master says nothing of a link to somebody else. */
static void a_known_offset_tells_nothing_of_other_links(void **state)
{
    (void)state;
    struct world behind_bridges = new_steady_link(3), without_syncs = new_steady_link(3);
    ptpmon_asymmetry asymmetry = run_with_syncs(&behind_bridges, 0, 65536);
    assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_NOT_OBSERVABLE);
    without_syncs.sync_rate = 0;
    asymmetry = run_with_syncs(&without_syncs, 0, 0);
    assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_NOT_OBSERVABLE);
    assert_true(asymmetry.forward_floor != 0 && asymmetry.reverse_floor != 0);
}

static void meanLinkDelay_is_half_of_both_directions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = new_link(seed);
        struct ptpmon_statistics_set *set = open_set(false, 0, false);
        world.rate = world.drift_ppm;
        ptpmon_exchange exchange = link_exchange_at(&world, SECOND);
        int64_t correction = random_between(&world.random, -65535, 65535);
        exchange.correction_response_follow_up = correction;
        assert_int_equal(ptpmon_statistics_set_exchange(set, &exchange), PTPMON_OK);
        ptpmon_asymmetry asymmetry = only_asymmetry(set);
        double forward = (double)(exchange.t[3].ns - exchange.t[2].ns) - (double)correction / 65536;
        assert_true(asymmetry.forward_floor == forward); /* all are multiples of 2^-16 ns */
        assert_true((asymmetry.forward_floor + asymmetry.reverse_floor) / 2 == ptpmon_time_to_double(exchange.delay));
        assert_memory_equal(&asymmetry.source, &exchange.source, sizeof exchange.source);
        assert_memory_equal(&asymmetry.requesting, &exchange.requesting, sizeof exchange.requesting);
        ptpmon_statistics_set_close(set);
    }
}

/* Neither what transparent clocks corrected, in whichever message they said it, nor what two clocks gained on one
 * another in the turnaround can be told from one direction. */
static void directions_that_cannot_be_told_apart_are_not(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct world world = new_link(4);
        struct ptpmon_statistics_set *set = open_set(false, 0, false);
        ptpmon_exchange exchange = link_exchange_at(&world, SECOND);
        assert_int_equal(exchange.kind, PTPMON_EXCHANGE_P2P);
        bool told = i == 4 || i == 5;
        if (i == 0)
            exchange.correction_response_follow_up = 65536;
        else if (i == 1)
            exchange.correction_response = -65536;
        else if (i == 2)
            exchange.known &= ~PTPMON_KNOWS_NEIGHBOR_RATE_RATIO;
        else if (i == 3)
            exchange.known &= ~PTPMON_KNOWS_DELAY;
        else if (i == 4) /* an asymmetry that the requester knows of, and the responder copies */
            exchange.correction_request = exchange.correction_response_follow_up = -300 * 65536;
        else /* IEEE 802.1AS has no such clocks */
            exchange.kind = PTPMON_EXCHANGE_P2P_AS, exchange.correction_response_follow_up = 65536;
        assert_int_equal(ptpmon_statistics_set_exchange(set, &exchange), PTPMON_OK);
        assert_int_equal(ptpmon_statistics_set_asymmetry_count(set), told);
        ptpmon_statistics_set_close(set);
    }
}

/* Three neighbours are no three masters; nor is one the third master beside two, nor compared with three. */
static void links_are_not_compared(void **state)
{
    (void)state;
    for (int masters = 0; masters <= 3; masters++) {
        struct world worlds[4];
        struct ptpmon_statistics_set *set = open_set(false, 0, false);
        for (int i = 0; i < 4; i++) {
            worlds[i] = i < masters ? new_world(5) : new_link(5);
            worlds[i].source = (uint8_t)(1 + i);
        }
        for (int64_t second = 0; second < 100; second++)
            for (int i = 0; i < 4; i++)
                (i < masters ? pass_second : pass_second_of_link)(&worlds[i], set, second);
        assert_int_equal(ptpmon_statistics_set_asymmetry_count(set), 4);
        for (int i = 0; i < 4; i++) {
            ptpmon_asymmetry asymmetry;
            bool compared = masters == 3 && i < masters;
            assert_int_equal(ptpmon_statistics_set_asymmetry(set, (size_t)i, &asymmetry), PTPMON_OK);
            assert_int_equal(asymmetry.method,
                             compared ? PTPMON_ASYMMETRY_BY_COMPARISON : PTPMON_ASYMMETRY_NOT_OBSERVABLE);
        }
        ptpmon_statistics_set_close(set);
    }
}

/* A path and a link may lie between the same ports. */
static void a_link_is_no_path(void **state)
{
    (void)state;
    struct world path = new_world(7), link = new_link(7);
    struct ptpmon_statistics_set *set = open_set(false, 0, false);
    ptpmon_asymmetry asymmetry;
    link.forward += 100000;
    for (int64_t second = 0; second < 60; second++) {
        pass_second(&path, set, second);
        pass_second_of_link(&link, set, second);
    }
    assert_int_equal(ptpmon_statistics_set_asymmetry_count(set), 2);
    assert_int_equal(ptpmon_statistics_set_asymmetry(set, 0, &asymmetry), PTPMON_OK);
    assert_int_equal(asymmetry.kind, PTPMON_EXCHANGE_E2E);
    double of_path = asymmetry.forward_floor + asymmetry.reverse_floor;
    assert_int_equal(ptpmon_statistics_set_asymmetry(set, 1, &asymmetry), PTPMON_OK);
    assert_int_equal(asymmetry.kind, link.kind);
    assert_true(asymmetry.forward_floor + asymmetry.reverse_floor > of_path + 50000);
    ptpmon_statistics_set_close(set);
}

/* Of any number of pairs no more than PTPMON_PAIRS_MAX are kept, of both sorts together. */
static void pairs_are_bounded(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set(false, 0, false);
    for (int i = 0; i < 2 * PTPMON_PAIRS_MAX; i++) {
        struct world world = new_link(4);
        ptpmon_exchange exchange = link_exchange_at(&world, SECOND);
        exchange.source.portNumber = (uint16_t)(i + 1);
        assert_int_equal(ptpmon_statistics_set_exchange(set, &exchange), PTPMON_OK);
    }
    assert_int_equal(ptpmon_statistics_set_asymmetry_count(set), PTPMON_PAIRS_MAX);
    ptpmon_statistics_set_close(set);
}

/* ---- References --------------------------------------------------------------------------- */

/* An "asymmetry" greater than the delays is an error of the reference. */
static void a_wrong_reference_is_not_believed(void **state)
{
    (void)state;
    struct world world = new_world(2);
    world.drift_ppm = world.wander_ppb = 0;
    struct ptpmon_statistics_set *set = open_set(true, world.offset + 37e9, false);
    run(&world, set);
    assert_int_equal(only_asymmetry(set).method, PTPMON_ASYMMETRY_NOT_OBSERVABLE);
    ptpmon_statistics_set_close(set);
}

static void grandmasters_are_compared(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world worlds[4];
        size_t count = seed % 5 ? 3 + seed % 2 : 2;
        struct ptpmon_statistics_set *set = open_set(false, 0, false);
        for (size_t i = 0; i < count; i++) {
            worlds[i] = new_world(seed);
            worlds[i].random.state += i;
            worlds[i].source = (uint8_t)(1 + i);
            worlds[i].domainNumber = (uint8_t)i;
            worlds[i].reverse = worlds[i].forward = 3000 + 100 * (double)i;
            worlds[i].wander_ppb = 0;
            worlds[i].rate = worlds[i].drift_ppm;
        }
        double asymmetry_ns = (double)random_between(&worlds[0].random, 1000, 2900);
        worlds[1].forward += asymmetry_ns;
        worlds[1].reverse -= asymmetry_ns;
        for (int64_t second = 0; second < 200; second++)
            for (size_t i = 0; i < count; i++)
                pass_second(&worlds[i], set, second);
        assert_int_equal(ptpmon_statistics_set_asymmetry_count(set), count);
        for (size_t i = 0; i < count; i++) {
            ptpmon_asymmetry asymmetry;
            assert_int_equal(ptpmon_statistics_set_asymmetry(set, i, &asymmetry), PTPMON_OK);
            if (count < 3) {
                assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_NOT_OBSERVABLE);
                continue;
            }
            assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_BY_COMPARISON);
            assert_true(fabs(asymmetry.delayAsymmetry - (i == 1 ? asymmetry_ns : 0)) <= asymmetry.bound);
        }
        ptpmon_statistics_set_close(set);
    }
}

static void give_transit(struct ptpmon_statistics_set *set, uint8_t messageType, uint32_t point, uint8_t sender,
                         int64_t at, double residence)
{
    ptpmon_exchange transit = {
        .kind = PTPMON_EXCHANGE_TRANSIT,
        .point = point,
        .messageType = messageType,
        .known = PTPMON_KNOWS_RESIDENCE,
        .residence = ptpmon_time_of_double(residence),
    };
    bool request = messageType == AVB_PTP_DELAY_REQ || messageType == AVB_PTP_PDELAY_REQ;
    (request ? &transit.requesting : &transit.source)->portNumber = sender;
    transit.t[0] = transit.t[1] = (ptpmon_stamp){at, PTPMON_STAMP_HARDWARE};
    assert_int_equal(ptpmon_statistics_set_exchange(set, &transit), PTPMON_OK);
}

static void both_ends_by_one_clock_tell_the_asymmetry_in(new_world_function new)
{
    for (int whole_path = 0; whole_path < 2; whole_path++)
        for (uint64_t seed = 1; seed <= 30; seed++) {
            struct world world = new (seed);
            struct ptpmon_statistics_set *set = open_set(false, 0, true);
            bool link = world.kind != PTPMON_EXCHANGE_E2E;
            uint8_t there = link ? AVB_PTP_PDELAY_RESP : AVB_PTP_SYNC;
            uint8_t back = link ? AVB_PTP_PDELAY_REQ : AVB_PTP_DELAY_REQ;
            ptpmon_exchange at_master = {
                .kind = link ? world.kind : PTPMON_EXCHANGE_SYNC, .end = PTPMON_END_RESPONDER, .point = 1};
            at_master.source.portNumber = world.source;
            assert_int_equal(ptpmon_statistics_set_exchange(set, &at_master), PTPMON_OK);
            for (int64_t i = 0; i < 200; i++) {
                double part = whole_path ? 1 : 0.3; /* else the points lie somewhere in the middle */
                give_transit(set, there, 0, world.source, i * SECOND, part * world.forward + queueing(&world));
                give_transit(set, back, 1, 77, i * SECOND, part * world.reverse + queueing(&world));
            }
            run(&world, set);
            ptpmon_asymmetry asymmetry = only_asymmetry(set);
            if (whole_path) {
                assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_BY_REFERENCE);
                assert_true(fabs(asymmetry.delayAsymmetry - (world.forward - world.reverse) / 2) <= asymmetry.bound);
            } else {
                assert_int_equal(asymmetry.method, PTPMON_ASYMMETRY_NOT_OBSERVABLE);
            }
            ptpmon_statistics_set_close(set);
        }
}

static void both_ends_by_one_clock_tell_the_asymmetry(void **state)
{
    (void)state;
    both_ends_by_one_clock_tell_the_asymmetry_in(new_world);
}

static void both_ends_by_one_clock_tell_the_asymmetry_of_a_link(void **state)
{
    (void)state;
    both_ends_by_one_clock_tell_the_asymmetry_in(new_link);
}

static void any_numbers_are_survived(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        struct ptpmon_statistics_set *set = open_set(seed % 2, 1e18, seed % 3);
        for (int i = 0; i < 3000; i++) {
            ptpmon_exchange exchange;
            ptpmon_finding finding;
            memset(&exchange, 0, sizeof exchange);
            for (size_t j = 0; j < 4; j++) {
                exchange.t[j].ns = (int64_t)(random_next(&random) >> random_below(&random, 64));
                exchange.t[j].kind = PTPMON_STAMP_HARDWARE;
            }
            exchange.kind = (ptpmon_exchange_kind)random_below(&random, PTPMON_EXCHANGE_KINDS);
            exchange.end = (ptpmon_end)random_below(&random, PTPMON_ENDS);
            exchange.known = (uint32_t)random_next(&random);
            exchange.segment = (uint32_t)random_below(&random, 2);
            exchange.event_time = random_next(&random);
            exchange.source.portNumber = (uint16_t)random_below(&random, 4);
            exchange.masterToSlave.ns = (int64_t)random_next(&random) >> random_below(&random, 64);
            exchange.slaveToMaster.ns = (int64_t)random_next(&random) >> random_below(&random, 64);
            exchange.residence.ns = (int64_t)random_next(&random);
            exchange.neighborRateRatio = i % 3 ? NAN : INFINITY;
            exchange.delay.ns = (int64_t)random_next(&random) >> random_below(&random, 64);
            exchange.correction_sync = (int64_t)(random_next(&random) >> random_below(&random, 64));
            exchange.correction_response_follow_up = (int64_t)(random_next(&random) >> random_below(&random, 64));
            assert_int_equal(ptpmon_statistics_set_exchange(set, &exchange), PTPMON_OK);
            (void)ptpmon_statistics_set_finding(set, &finding);
        }
        for (size_t i = 0; i < ptpmon_statistics_set_asymmetry_count(set); i++) {
            ptpmon_asymmetry asymmetry;
            assert_int_equal(ptpmon_statistics_set_asymmetry(set, i, &asymmetry), PTPMON_OK);
            assert_true(fabs(asymmetry.delayAsymmetry) < INFINITY && asymmetry.bound < INFINITY);
        }
        for (size_t i = 0; i < ptpmon_statistics_set_series_count(set); i++) {
            ptpmon_series series;
            assert_int_equal(ptpmon_statistics_set_series(set, i, &series), PTPMON_OK);
            assert_true(fabs(series.mean) < INFINITY && series.standard_deviation < INFINITY);
        }
        ptpmon_statistics_set_close(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_nothing_is_found),
        cmocka_unit_test(nothing_changes_nothing_is_found_of_a_link),
        cmocka_unit_test(one_direction_changes),
        cmocka_unit_test(one_direction_changes_of_a_link),
        cmocka_unit_test(a_clock_step_or_both_directions_are_no_change_of_one),
        cmocka_unit_test(a_clock_step_or_both_directions_are_no_change_of_one_of_a_link),
        cmocka_unit_test(floors_are_the_least_of_the_window),
        cmocka_unit_test(clocks_decades_apart_keep_their_ns),
        cmocka_unit_test(a_known_offset_tells_the_asymmetry),
        cmocka_unit_test(a_wrong_reference_is_not_believed),
        cmocka_unit_test(grandmasters_are_compared),
        cmocka_unit_test(both_ends_by_one_clock_tell_the_asymmetry),
        cmocka_unit_test(both_ends_by_one_clock_tell_the_asymmetry_of_a_link),
        cmocka_unit_test(a_known_offset_tells_the_asymmetry_of_a_link_to_the_master),
        cmocka_unit_test(a_known_offset_tells_nothing_of_other_links),
        cmocka_unit_test(meanLinkDelay_is_half_of_both_directions),
        cmocka_unit_test(directions_that_cannot_be_told_apart_are_not),
        cmocka_unit_test(links_are_not_compared),
        cmocka_unit_test(a_link_is_no_path),
        cmocka_unit_test(pairs_are_bounded),
        cmocka_unit_test(any_numbers_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
