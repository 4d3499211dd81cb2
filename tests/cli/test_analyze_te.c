/* SPDX-License-Identifier: MIT */
/* Offsets gathered for the time error: streams kept apart, gaps, tau0, limits. The mathematics has tests of its own. */
#include "analysis_te.h"

#include "cli.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S ((int64_t)NS_PER_S)

static ptpmon_exchange sync_of(uint8_t domainNumber, int64_t time_ns, int64_t offset_ns)
{
    return (ptpmon_exchange){
        .kind = PTPMON_EXCHANGE_SYNC,
        .domainNumber = domainNumber,
        .realtime_ns = time_ns,
        .logMessageInterval = 0,
        .t = {{1, PTPMON_STAMP_MESSAGE}, {time_ns, PTPMON_STAMP_HARDWARE}},
        .known = PTPMON_KNOWS_OFFSET,
        .offsetFromMaster = {offset_ns, 0},
    };
}

/* `count` offsets, one a second from `first` on, that go up and down around `middle`. */
static void add_swinging(struct analysis_te *te, int64_t first, int count, int64_t middle, int swing)
{
    for (int i = 0; i < count; i++) {
        ptpmon_exchange sync = sync_of(0, (first + i) * S, middle + (i % 2 ? swing : -swing));
        analysis_te_add(te, &sync);
    }
}

static void add_seconds(struct analysis_te *te, int64_t first, int count, int64_t middle)
{
    add_swinging(te, first, count, middle, 10);
}

static struct analysis_te_result evaluate(const struct analysis_te *te, size_t index, int64_t tau0_ns, const char *mask)
{
    struct analysis_te_result result;
    assert_int_equal(analysis_te_evaluate(te, index, tau0_ns, mask, &result), PTPMON_OK);
    return result;
}

static void test_only_offsets_of_sync_are_taken(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    ptpmon_exchange other = sync_of(0, S, 5);
    other.kind = PTPMON_EXCHANGE_E2E;
    analysis_te_add(te, &other);
    other = sync_of(0, S, 5);
    other.known = PTPMON_KNOWS_MASTER_TO_SLAVE;
    analysis_te_add(te, &other);
    assert_int_equal(analysis_te_count(te), 0);
    assert_int_equal(analysis_te_left_out(te), 0);
    analysis_te_close(te);
}

static void test_streams_are_kept_apart(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    for (int i = 0; i < 20; i++) {
        ptpmon_exchange first = sync_of(0, (100 + i) * S, 5), second = sync_of(7, (100 + i) * S, 500);
        ptpmon_exchange third = sync_of(0, (100 + i) * S, 50);
        third.segment = 1;
        ptpmon_exchange fourth = sync_of(0, (100 + i) * S, 5000);
        fourth.t[1].kind = PTPMON_STAMP_SOFTWARE;
        analysis_te_add(te, &first);
        analysis_te_add(te, &second);
        analysis_te_add(te, &third);
        analysis_te_add(te, &fourth);
    }
    static const double expected[] = {5, 500, 50, 5000};
    assert_int_equal(analysis_te_count(te), 4);
    for (size_t i = 0; i < 4; i++) {
        struct analysis_te_result result = evaluate(te, i, 0, NULL);
        assert_int_equal(result.samples, 20);
        assert_true(result.summary.cte == expected[i] && result.summary.max_te == expected[i]);
    }
    analysis_te_close(te);
}

static void test_gaps_cut(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    add_seconds(te, 1000, 50, 1000000);
    add_seconds(te, 1100, 200, 0);
    add_seconds(te, 1310, 20, 1000000);
    struct analysis_te_result result = evaluate(te, 0, 0, NULL);
    assert_int_equal(result.offsets, 270);
    assert_int_equal(result.stretches, 3);
    assert_int_equal(result.samples, 200);
    assert_int_equal(result.tau0_ns, S);
    assert_true(result.summary.max_te == 10);
    analysis_te_close(te);
}

static void test_what_does_not_go_on_is_left_out(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    add_seconds(te, 1000, 10, 0);
    add_seconds(te, 1005, 5, 0);
    assert_int_equal(analysis_te_left_out(te), 5);
    assert_int_equal(evaluate(te, 0, 0, NULL).offsets, 10);
    analysis_te_close(te);
}

static void test_interval_is_measured_where_none_is_stated(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    for (int i = 0; i < 100; i++) {
        ptpmon_exchange sync = sync_of(0, 1000 * S + i * (S / 8), 5);
        sync.logMessageInterval = 0x7F;
        analysis_te_add(te, &sync);
    }
    struct analysis_te_result result = evaluate(te, 0, 0, NULL);
    assert_int_equal(result.tau0_ns, S / 8);
    assert_true(result.tau0_measured);
    result = evaluate(te, 0, S / 4, NULL);
    assert_int_equal(result.tau0_ns, S / 4);
    assert_false(result.tau0_measured);
    assert_int_equal(result.samples, 50);
    analysis_te_close(te);
}

static void test_one_offset_says_nothing_wrong(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    ptpmon_exchange sync = sync_of(0, 1000 * S, 5);
    sync.logMessageInterval = 0x7F;
    analysis_te_add(te, &sync);
    struct analysis_te_result result = evaluate(te, 0, 0, "G.8273.2-C");
    assert_int_equal(result.samples, 0);
    assert_int_equal(result.verdict, ANALYSIS_NO_LIMIT);
    analysis_te_close(te);
}

/* Clocks that nobody has set: TE means nothing, and no limit of it is held against it. */
static void test_far_clocks(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    add_seconds(te, 1000, 100, 1700000000 * S);
    struct analysis_te_result result = evaluate(te, 0, 0, "G.8273.2-C");
    assert_int_equal(result.base_ns, 1700000000 * S - 10);
    assert_true(isnan(analysis_te_value(&result, NULL, PTPMON_LIMIT_MAX_TE)));
    assert_true(isnan(analysis_te_value(&result, NULL, PTPMON_LIMIT_CTE)));
    assert_true(result.windows[0].mtie == 20);
    analysis_te_close(te);
}

static void test_limits(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    add_swinging(te, 1000, 1200, 0, 2);
    struct analysis_te_result result = evaluate(te, 0, 0, "G.8273.2-A");
    assert_int_equal(result.verdict, ANALYSIS_WITHIN);
    assert_true(result.limits[PTPMON_LIMIT_MAX_TE] == 100);
    assert_int_equal(evaluate(te, 0, 0, NULL).verdict, ANALYSIS_NO_LIMIT);
    analysis_te_close(te);
    te = analysis_te_open();
    add_swinging(te, 1000, 1200, 60, 2); /* cTE 60 ns: class A allows 50 */
    result = evaluate(te, 0, 0, "G.8273.2-A");
    assert_int_equal(result.verdict, ANALYSIS_EXCEEDED);
    assert_int_equal(
        analysis_te_judge(analysis_te_value(&result, NULL, PTPMON_LIMIT_CTE), result.limits[PTPMON_LIMIT_CTE]),
        ANALYSIS_EXCEEDED);
    analysis_te_close(te);
}

/* The filter of 0.1 Hz needs samples less than 5 s apart; what is not filtered does not. */
static void test_samples_too_far_apart_for_the_filter(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    for (int i = 0; i < 200; i++) {
        ptpmon_exchange sync = sync_of(0, (1000 + 8 * i) * S, i % 2 ? 22 : 18);
        sync.logMessageInterval = 3;
        analysis_te_add(te, &sync);
    }
    struct analysis_te_result result = evaluate(te, 0, 0, NULL);
    assert_int_equal(result.samples, 200);
    assert_true(result.summary.max_te == 22 && fabs(result.summary.cte - 20) < 0.1);
    assert_true(isnan(result.summary.max_te_low) && isnan(result.summary.dte_low_pp));
    assert_true(result.window_count > 3);
    for (size_t i = 0; i < result.window_count; i++) {
        assert_true(result.windows[i].mtie == 4);
        assert_true(isnan(result.windows[i].low_mtie) && isnan(result.windows[i].low_tdev));
    }
    assert_true(result.windows[0].tau == 8 && result.windows[0].tdev > 0);
    /* Class A limits what is filtered, too: nobody knows whether this clock keeps it. */
    result = evaluate(te, 0, 0, "G.8273.2-A");
    assert_true(result.limits[PTPMON_LIMIT_MAX_TE] == 100 && result.unjudged);
    assert_int_equal(result.verdict, ANALYSIS_NO_LIMIT);
    /* 20 ns of cTE are too much for class C, whatever the filter would show. */
    assert_int_equal(evaluate(te, 0, 0, "G.8273.2-C").verdict, ANALYSIS_EXCEEDED);
    analysis_te_close(te);
}

/* Hostile: more ports than anybody has. */
static void test_streams_are_bounded(void **state)
{
    (void)state;
    struct analysis_te *te = analysis_te_open();
    for (int i = 0; i < 1000; i++) {
        ptpmon_exchange sync = sync_of(0, (1000 + i) * S, INT64_MIN + i);
        sync.source.portNumber = (uint16_t)i;
        sync.offsetFromMaster.fraction = 65535;
        analysis_te_add(te, &sync);
    }
    assert_int_equal(analysis_te_count(te), ANALYSIS_TE_STREAMS_MAX);
    assert_int_equal(analysis_te_left_out(te), 1000 - ANALYSIS_TE_STREAMS_MAX);
    struct analysis_te_result result;
    assert_int_equal(analysis_te_evaluate(te, ANALYSIS_TE_STREAMS_MAX, 0, NULL, &result), PTPMON_INVALID);
    analysis_te_close(te);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_offsets_of_sync_are_taken),
        cmocka_unit_test(test_streams_are_kept_apart),
        cmocka_unit_test(test_gaps_cut),
        cmocka_unit_test(test_what_does_not_go_on_is_left_out),
        cmocka_unit_test(test_interval_is_measured_where_none_is_stated),
        cmocka_unit_test(test_one_offset_says_nothing_wrong),
        cmocka_unit_test(test_far_clocks),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_samples_too_far_apart_for_the_filter),
        cmocka_unit_test(test_streams_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
