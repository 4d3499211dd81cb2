/* SPDX-License-Identifier: MIT */
/* Which value of which exchange goes into which series; what follows from one value and the next; order and bounds. */
#include "analysis/statistics.h"
#include "analysis/time.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/failing_allocation.h"
#include "unit/random.h"

#define SECOND INT64_C(1000000000)

/* ---- Kit ---------------------------------------------------------------------------------- */

static struct ptpmon_statistics_set *open_set(void)
{
    struct ptpmon_statistics_set *set;
    struct ptpmon_statistics_options options = {0};
    assert_int_equal(ptpmon_statistics_set_open(&options, &set), PTPMON_OK);
    return set;
}

static ptpmon_exchange exchange_of(ptpmon_exchange_kind kind, uint32_t known)
{
    ptpmon_exchange exchange = {
        .kind = kind, .known = known, .segment = 3, .point = 2, .domainNumber = 5, .sdoId = 0x100};
    exchange.source.portNumber = 11;
    exchange.requesting.portNumber = kind == PTPMON_EXCHANGE_SYNC ? 0 : 22;
    for (size_t i = 0; i < 4; i++)
        exchange.t[i] = (ptpmon_stamp){1000 + (int64_t)i, PTPMON_STAMP_HARDWARE};
    return exchange;
}

static void give(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    assert_int_equal(ptpmon_statistics_set_exchange(set, exchange), PTPMON_OK);
}

/* The only series of this quantity. */
static ptpmon_series series_of(const struct ptpmon_statistics_set *set, ptpmon_quantity quantity)
{
    ptpmon_series found = {0}, series;
    int count = 0;
    for (size_t i = 0; ptpmon_statistics_set_series(set, i, &series) == PTPMON_OK; i++)
        if (series.quantity == quantity) {
            found = series;
            count++;
        }
    assert_int_equal(count, 1);
    return found;
}

static void holds_one(const struct ptpmon_statistics_set *set, ptpmon_quantity quantity, double value,
                      ptpmon_stamp_kind stamps, uint8_t messageType)
{
    ptpmon_series series = series_of(set, quantity);
    assert_int_equal(series.count, 1);
    assert_true(series.last == value && series.minimum == value && series.maximum == value && series.p999 == value);
    assert_int_equal(series.stamps, stamps);
    assert_int_equal(series.messageType, messageType);
    assert_int_equal(series.segment, stamps == PTPMON_STAMP_MESSAGE ? 0 : 3);
    assert_int_equal(series.point, 2);
    assert_int_equal(series.domainNumber, 5);
    assert_int_equal(series.sdoId, 0x100);
    assert_int_equal(series.source.portNumber, 11);
}

static ptpmon_exchange full_exchange(ptpmon_exchange_kind kind, uint32_t known)
{
    ptpmon_exchange exchange = exchange_of(kind, known);
    exchange.messageType = AVB_PTP_DELAY_REQ;
    exchange.masterToSlave = (ptpmon_time){10, 32768};
    exchange.slaveToMaster = (ptpmon_time){-20, 0};
    exchange.delay = (ptpmon_time){30, 0};
    exchange.delay_filtered = (ptpmon_time){31, 0};
    exchange.offsetFromMaster = (ptpmon_time){-41, 49152};
    exchange.offset_filtered = (ptpmon_time){41, 0};
    exchange.turnaround = (ptpmon_time){50, 0};
    exchange.neighborRateRatio = 1 + 25e-6;
    exchange.transmitter_error = (ptpmon_time){60, 0};
    exchange.receiver_error = (ptpmon_time){61, 0};
    exchange.residence = (ptpmon_time){70, 0};
    exchange.correction_error = (ptpmon_time){71, 0};
    return exchange;
}

/* ---- Which value goes where --------------------------------------------------------------- */

static void a_sync_feeds_its_series(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    ptpmon_exchange exchange = full_exchange(
        PTPMON_EXCHANGE_SYNC, PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_OFFSET_FILTERED |
                                  PTPMON_KNOWS_DELAY | PTPMON_KNOWS_NEIGHBOR_RATE_RATIO | PTPMON_KNOWS_DELAY_FILTERED);
    give(set, &exchange);
    holds_one(set, PTPMON_MASTER_TO_SLAVE, 10.5, PTPMON_STAMP_HARDWARE, 255);
    holds_one(set, PTPMON_OFFSET_FROM_MASTER, -40.25, PTPMON_STAMP_HARDWARE, 255);
    holds_one(set, PTPMON_OFFSET_FROM_MASTER_FILTERED, 41, PTPMON_STAMP_HARDWARE, 255);
    holds_one(set, PTPMON_PDV, 0, PTPMON_STAMP_HARDWARE, 255);
    /* The delay that it used is not its own. */
    assert_int_equal(ptpmon_statistics_set_series_count(set), 4);
    ptpmon_statistics_set_close(set);
}

static void an_e2e_exchange_feeds_its_series(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    ptpmon_exchange exchange = full_exchange(
        PTPMON_EXCHANGE_E2E, PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_SLAVE_TO_MASTER | PTPMON_KNOWS_DELAY |
                                 PTPMON_KNOWS_DELAY_FILTERED | PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_OFFSET_FILTERED);
    give(set, &exchange);
    holds_one(set, PTPMON_SLAVE_TO_MASTER, -20, PTPMON_STAMP_HARDWARE, 255);
    holds_one(set, PTPMON_MEAN_PATH_DELAY, 30, PTPMON_STAMP_HARDWARE, 255);
    holds_one(set, PTPMON_MEAN_PATH_DELAY_FILTERED, 31, PTPMON_STAMP_HARDWARE, 255);
    assert_int_equal(series_of(set, PTPMON_MEAN_PATH_DELAY).requesting.portNumber, 22);
    /* Offset and masterToSlave are those of a Sync, which has its own exchange. */
    assert_int_equal(ptpmon_statistics_set_series_count(set), 3);
    ptpmon_statistics_set_close(set);
}

static void a_p2p_exchange_feeds_its_series(void **state)
{
    (void)state;
    for (int as = 0; as < 2; as++) {
        struct ptpmon_statistics_set *set = open_set();
        ptpmon_exchange exchange = full_exchange(as ? PTPMON_EXCHANGE_P2P_AS : PTPMON_EXCHANGE_P2P,
                                                 PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED |
                                                     PTPMON_KNOWS_TURNAROUND | PTPMON_KNOWS_NEIGHBOR_RATE_RATIO);
        give(set, &exchange);
        holds_one(set, PTPMON_MEAN_LINK_DELAY, 30, PTPMON_STAMP_HARDWARE, 255);
        holds_one(set, PTPMON_MEAN_LINK_DELAY_FILTERED, 31, PTPMON_STAMP_HARDWARE, 255);
        holds_one(set, PTPMON_TURNAROUND, 50, PTPMON_STAMP_MESSAGE, 255);
        assert_true(fabs(series_of(set, PTPMON_NEIGHBOR_RATE_RATIO).last - 25) < 1e-6);
        assert_int_equal(ptpmon_statistics_set_series_count(set), 4);
        ptpmon_statistics_set_close(set);
    }
}

static void transit_and_own_stamps_feed_their_series(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    ptpmon_exchange transit =
        full_exchange(PTPMON_EXCHANGE_TRANSIT, PTPMON_KNOWS_RESIDENCE | PTPMON_KNOWS_CORRECTION_ERROR);
    ptpmon_exchange own =
        full_exchange(PTPMON_EXCHANGE_E2E, PTPMON_KNOWS_TRANSMITTER_ERROR | PTPMON_KNOWS_RECEIVER_ERROR);
    for (size_t i = 0; i < 4; i++)
        own.t[i].kind = PTPMON_STAMP_MESSAGE;
    own.own[3].kind = PTPMON_STAMP_SOFTWARE;
    give(set, &transit);
    give(set, &own);
    holds_one(set, PTPMON_RESIDENCE_TIME, 70, PTPMON_STAMP_HARDWARE, AVB_PTP_DELAY_REQ);
    holds_one(set, PTPMON_CORRECTION_ERROR, 71, PTPMON_STAMP_HARDWARE, AVB_PTP_DELAY_REQ);
    holds_one(set, PTPMON_TRANSMITTER_ERROR, 60, PTPMON_STAMP_SOFTWARE, 255);
    holds_one(set, PTPMON_RECEIVER_ERROR, 61, PTPMON_STAMP_SOFTWARE, 255);
    assert_int_equal(ptpmon_statistics_set_series_count(set), 4);
    ptpmon_statistics_set_close(set);
}

static void what_is_not_known_feeds_nothing(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    for (ptpmon_exchange_kind kind = PTPMON_EXCHANGE_SYNC; kind < PTPMON_EXCHANGE_KINDS; kind++) {
        ptpmon_exchange exchange = full_exchange(kind, 0);
        give(set, &exchange);
    }
    assert_int_equal(ptpmon_statistics_set_series_count(set), 0);
    ptpmon_statistics_set_close(set);
}

static void the_card_against_utc_has_series_of_its_own(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    int64_t ahead = INT64_C(-1700000000000000000);
    assert_int_equal(ptpmon_statistics_set_phc(set, 2, 3, ahead, false, 0), PTPMON_OK);
    assert_int_equal(ptpmon_statistics_set_phc(set, 2, 3, ahead + 7, true, 12.5), PTPMON_OK);
    ptpmon_series offset = series_of(set, PTPMON_PHC_OFFSET), rate = series_of(set, PTPMON_PHC_RATE);
    assert_true(offset.count == 2 && offset.base_ns == ahead && offset.last == 7);
    assert_true(rate.count == 1 && rate.last == 12.5);
    ptpmon_statistics_set_close(set);
}

/* ---- From one value to the next ----------------------------------------------------------- */

static void ipdv_pdv_and_jitter_follow_their_formulas(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct random random = {seed};
        struct ptpmon_statistics_set *set = open_set();
        int64_t previous = 0, least = INT64_MAX;
        uint64_t steps = 0;
        double jitter = 0, ipdv_sum = 0;
        uint16_t sequenceId = (uint16_t)random_next(&random);
        bool has_previous = false;
        for (int i = 0; i < 500; i++) {
            bool lost = random_chance(&random, 10);
            sequenceId = (uint16_t)(sequenceId + 1 + lost);
            ptpmon_exchange exchange = exchange_of(PTPMON_EXCHANGE_SYNC, PTPMON_KNOWS_MASTER_TO_SLAVE);
            int64_t value = random_between(&random, -100000, 100000);
            exchange.sequenceId = sequenceId;
            exchange.masterToSlave = ptpmon_time_of_ns(value);
            give(set, &exchange);
            least = value < least ? value : least;
            if (has_previous && !lost) {
                double ipdv = (double)(value - previous);
                jitter += (fabs(ipdv) - jitter) / 16;
                ipdv_sum += ipdv;
                steps++;
                assert_true(series_of(set, PTPMON_IPDV).last == ipdv);
                assert_true(fabs(series_of(set, PTPMON_JITTER).last - jitter) <= 1e-9 * jitter);
            }
            assert_true(series_of(set, PTPMON_PDV).last == (double)(value - least));
            previous = value;
            has_previous = true;
        }
        assert_int_equal(series_of(set, PTPMON_IPDV).count, steps);
        assert_true(fabs(series_of(set, PTPMON_IPDV).mean * (double)steps - ipdv_sum) < 1e-3);
        ptpmon_statistics_set_close(set);
    }
}

/* A new segment of the clock is a new beginning. */
static void nothing_is_compared_across_a_step(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    for (uint16_t i = 0; i < 4; i++) {
        ptpmon_exchange exchange = exchange_of(PTPMON_EXCHANGE_SYNC, PTPMON_KNOWS_MASTER_TO_SLAVE);
        exchange.sequenceId = i;
        exchange.segment = i / 2;
        exchange.masterToSlave = ptpmon_time_of_ns(i < 2 ? 100 : 37 * SECOND);
        give(set, &exchange);
    }
    ptpmon_series series;
    for (size_t i = 0; ptpmon_statistics_set_series(set, i, &series) == PTPMON_OK; i++) {
        if (series.quantity == PTPMON_MASTER_TO_SLAVE)
            assert_true((double)series.base_ns + series.last == (series.segment == 0 ? 100.0 : 37e9));
        else
            assert_true(series.maximum == 0 && series.minimum == 0);
    }
    ptpmon_statistics_set_close(set);
}

static void intervals_are_held_against_what_messages_say(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    static const struct {
        int64_t at;
        uint16_t sequenceId;
        int8_t log;
        bool in_order;
    } messages[] = {
        {0, 65534, -3, false},      {125000000, 65535, -3, true}, {250000007, 0, -3, true}, {600000000, 3, -3, false},
        {725000000, 4, 0x7F, true}, {850000000, 5, -128, true},   {975000000, 6, -3, true},
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct ptpmon_interval_message message = {
            .stamps = PTPMON_STAMP_SOFTWARE,
            .messageType = AVB_PTP_ANNOUNCE,
            .domainNumber = 1,
            .logMessageInterval = messages[i].log,
            .in_order = messages[i].in_order,
            .sdoId = 0x100,
            .sequenceId = messages[i].sequenceId,
            .source.portNumber = 9,
            .time_ns = messages[i].at,
        };
        assert_int_equal(ptpmon_statistics_set_message(set, &message), PTPMON_OK);
    }
    ptpmon_series series = series_of(set, PTPMON_INTERVAL_ERROR);
    assert_int_equal(series.count, 3);
    assert_true(series.minimum == 0 && series.maximum == 7 && series.last == 0);
    assert_int_equal(series.messageType, AVB_PTP_ANNOUNCE);
    assert_int_equal(series.source.portNumber, 9);
    assert_true(series.rate_1s == 7);
    assert_true(fabs(series.rate_60s - 6 / 0.975) < 1e-9);
    ptpmon_statistics_set_close(set);
}

/* 5, 7, 6 late, 8: the interval of 8 is the one since 7. */
static void an_overtaken_message_begins_no_interval(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    static const uint16_t order[] = {5, 7, 6, 8};
    for (size_t i = 0; i < 4; i++) {
        struct ptpmon_interval_message message = {
            .stamps = PTPMON_STAMP_HARDWARE,
            .in_order = order[i] == 8,
            .sequenceId = order[i],
            .time_ns = order[i] == 6 ? 7 * SECOND + 1000 : order[i] * SECOND,
        };
        assert_int_equal(ptpmon_statistics_set_message(set, &message), PTPMON_OK);
    }
    ptpmon_series series = series_of(set, PTPMON_INTERVAL_ERROR);
    assert_true(series.count == 1 && series.last == 0);
    ptpmon_statistics_set_close(set);
}

/* ---- Order, bounds, memory ---------------------------------------------------------------- */

static void series_come_in_order(void **state)
{
    (void)state;
    struct random random = {1};
    struct ptpmon_statistics_set *set = open_set();
    for (int i = 0; i < 600; i++) {
        ptpmon_exchange exchange =
            full_exchange((ptpmon_exchange_kind)random_below(&random, PTPMON_EXCHANGE_KINDS), ~0u);
        exchange.point = (uint32_t)random_below(&random, 3);
        exchange.segment = (uint32_t)random_below(&random, 3);
        exchange.domainNumber = (uint8_t)random_below(&random, 3);
        exchange.source.clockIdentity[0] = (uint8_t)random_below(&random, 2);
        give(set, &exchange);
    }
    ptpmon_series before, series;
    assert_true(ptpmon_statistics_set_series_count(set) > 100);
    assert_int_equal(ptpmon_statistics_set_series(set, 0, &before), PTPMON_OK);
    for (size_t i = 1; i < ptpmon_statistics_set_series_count(set); i++, before = series) {
        assert_int_equal(ptpmon_statistics_set_series(set, i, &series), PTPMON_OK);
        assert_true(before.point <= series.point);
        if (before.point == series.point)
            assert_true(before.domainNumber <= series.domainNumber);
        if (memcmp(&before.source, &series.source, sizeof before.source) == 0 && before.point == series.point &&
            before.domainNumber == series.domainNumber &&
            memcmp(&before.requesting, &series.requesting, sizeof before.requesting) == 0) {
            assert_true(before.quantity <= series.quantity);
            if (before.quantity == series.quantity && before.stamps == series.stamps)
                assert_true(before.segment < series.segment);
        }
    }
    ptpmon_statistics_set_close(set);
}

static void series_beyond_the_limit_are_counted_once(void **state)
{
    (void)state;
    struct ptpmon_statistics_set *set = open_set();
    for (int repeat = 0; repeat < 3; repeat++)
        for (uint16_t i = 0; i < 2 * PTPMON_SERIES_MAX / 4 + 100; i++) {
            ptpmon_exchange exchange =
                exchange_of(PTPMON_EXCHANGE_P2P, PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED);
            exchange.source.portNumber = i;
            give(set, &exchange);
        }
    ptpmon_series series;
    assert_int_equal(ptpmon_statistics_set_series_count(set), PTPMON_SERIES_MAX);
    assert_int_equal(ptpmon_statistics_set_series(set, PTPMON_SERIES_MAX, &series), PTPMON_NOTHING);
    assert_int_equal(ptpmon_statistics_set_series(set, PTPMON_SERIES_MAX - 1, &series), PTPMON_OK);
    assert_int_equal(series.count, 3);
    uint64_t left_out = ptpmon_statistics_set_left_out(set);
    assert_true(left_out <= 200 && left_out >= 195); /* a few may share a place in the table */
    ptpmon_statistics_set_close(set);
}

static ptpmon_status fill(struct ptpmon_statistics_set *set, uint16_t from)
{
    ptpmon_status status = PTPMON_OK;
    struct ptpmon_interval_message message = {
        .stamps = PTPMON_STAMP_HARDWARE, .in_order = true, .source.portNumber = 9};
    for (uint16_t i = from; i < from + 5; i++)
        for (ptpmon_exchange_kind kind = PTPMON_EXCHANGE_SYNC; kind < PTPMON_EXCHANGE_KINDS; kind++) {
            ptpmon_exchange exchange = full_exchange(kind, ~0u);
            exchange.sequenceId = i;
            status = ptpmon_statistics_set_exchange(set, &exchange);
            message.time_ns = i;
            if (status == PTPMON_OK)
                status = ptpmon_statistics_set_message(set, &message);
            if (status != PTPMON_OK)
                return status;
        }
    return status;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    size_t blocks = live_blocks(), failures = 1;
    struct ptpmon_statistics_options options = {0};
    for (size_t successes = 0; failures > 0; successes++) {
        struct ptpmon_statistics_set *set = NULL;
        fail_allocations_after(successes, 1);
        ptpmon_status status = ptpmon_statistics_set_open(&options, &set);
        bool opened = status == PTPMON_OK;
        if (opened)
            status = fill(set, 0);
        failures = failed_allocations();
        fail_no_allocation();
        assert_true(status == PTPMON_OK || (status == PTPMON_NO_MEMORY && failures > 0));
        if (opened) {
            assert_int_equal(fill(set, 100), PTPMON_OK);
            ptpmon_statistics_set_close(set);
        }
        assert_int_equal(live_blocks(), blocks);
        assert_true(successes < 1000);
    }
}

static void names(void **state)
{
    (void)state;
    for (int i = 0; i < PTPMON_QUANTITIES; i++) {
        const char *unit = ptpmon_quantity_unit((ptpmon_quantity)i);
        assert_true(strcmp(unit, "ns") == 0 || strcmp(unit, "ppm") == 0);
        assert_string_not_equal(ptpmon_quantity_name((ptpmon_quantity)i), "unknown");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(ptpmon_quantity_name((ptpmon_quantity)i), ptpmon_quantity_name((ptpmon_quantity)j));
    }
    for (int i = 0; i < PTPMON_FINDING_KINDS; i++)
        assert_string_not_equal(ptpmon_finding_kind_name((ptpmon_finding_kind)i), "unknown");
    for (int i = 0; i <= PTPMON_ASYMMETRY_BY_COMPARISON; i++)
        assert_string_not_equal(ptpmon_asymmetry_method_name((ptpmon_asymmetry_method)i), "unknown");
    assert_string_equal(ptpmon_quantity_name(PTPMON_QUANTITIES), "unknown");
    assert_string_equal(ptpmon_quantity_unit(PTPMON_QUANTITIES), "unknown");
    assert_string_equal(ptpmon_finding_kind_name(PTPMON_FINDING_KINDS), "unknown");
    assert_string_equal(ptpmon_asymmetry_method_name((ptpmon_asymmetry_method)4), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sync_feeds_its_series),
        cmocka_unit_test(an_e2e_exchange_feeds_its_series),
        cmocka_unit_test(a_p2p_exchange_feeds_its_series),
        cmocka_unit_test(transit_and_own_stamps_feed_their_series),
        cmocka_unit_test(what_is_not_known_feeds_nothing),
        cmocka_unit_test(the_card_against_utc_has_series_of_its_own),
        cmocka_unit_test(ipdv_pdv_and_jitter_follow_their_formulas),
        cmocka_unit_test(nothing_is_compared_across_a_step),
        cmocka_unit_test(intervals_are_held_against_what_messages_say),
        cmocka_unit_test(an_overtaken_message_begins_no_interval),
        cmocka_unit_test(series_come_in_order),
        cmocka_unit_test(series_beyond_the_limit_are_counted_once),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
