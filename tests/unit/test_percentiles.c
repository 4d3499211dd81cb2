/* SPDX-License-Identifier: MIT */
/* Percentiles against sorting all values; and the statistics of a series against plain sums over all of them. */
#include "analysis/percentiles.h"
#include "analysis/series.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/failing_allocation.h"
#include "unit/random.h"

#define SEEDS 120
#define MOST  40000

static const double parts[] = {0.0001, 0.25, 0.5, 0.95, 0.99, 0.999, 1};
#define PARTS (sizeof parts / sizeof *parts)

static double uniform(struct random *random)
{
    return ((double)(random_next(random) >> 11) + 1) / 9007199254740993.0;
}

/* Of several shapes, over many orders of magnitude. */
static double any_value(struct random *random, uint64_t shape, double scale)
{
    switch (shape % 5) {
    case 0:
        return scale * (uniform(random) - 0.5);
    case 1:
        return -scale * log(uniform(random));
    case 2:
        return scale * pow(uniform(random), -2);
    case 3:
        return (double)random_between(random, -3, 3) * scale;
    default:
        return random_chance(random, 50) ? scale : scale * 1e6 * uniform(random);
    }
}

static int compare(const void *a, const void *b)
{
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static double sorted_at(const double *sorted, size_t count, double part)
{
    double rank = ceil(part * (double)count);
    return sorted[rank < 1 ? 0 : (size_t)rank - 1];
}

static double median_of_first(const double *values, size_t count)
{
    double first[PTPMON_PERCENTILES_EXACT];
    memcpy(first, values, count * sizeof *values);
    qsort(first, count, sizeof *first, compare);
    return sorted_at(first, count, 0.5);
}

static void check(const struct ptpmon_percentiles *percentiles, const double *values, size_t count, double resolution)
{
    static double sorted[MOST];
    double found[PARTS],
        centre = count > PTPMON_PERCENTILES_EXACT ? median_of_first(values, PTPMON_PERCENTILES_EXACT) : 0;
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare);
    ptpmon_percentiles_at(percentiles, parts, PARTS, found);
    for (size_t i = 0; i < PARTS; i++) {
        double truth = sorted_at(sorted, count, parts[i]);
        double allowed = count <= PTPMON_PERCENTILES_EXACT ? 0 : fmax(resolution, fabs(truth - centre) / 128);
        assert_true(fabs(found[i] - truth) <= allowed * (1 + 1e-12) + 4 * DBL_EPSILON * fabs(truth) * (allowed > 0));
    }
    assert_true(percentiles->least == sorted[0] && percentiles->greatest == sorted[count - 1]);
}

static void agree_with_sorting(void **state)
{
    (void)state;
    static double values[MOST];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        struct ptpmon_percentiles percentiles;
        double resolution = seed % 3 ? 1 : 1e-4, scale = pow(10, (double)random_between(&random, -3, 15));
        double shift = seed % 4 ? 0 : 1e9;
        size_t limit = seed % 2 ? PTPMON_PERCENTILES_EXACT + 2 : MOST;
        size_t count = 1 + (size_t)random_below(&random, limit);
        ptpmon_percentiles_init(&percentiles, resolution);
        for (size_t i = 0; i < count; i++) {
            values[i] = fmin(any_value(&random, seed, scale) + shift, 1e19 * resolution);
            assert_int_equal(ptpmon_percentiles_add(&percentiles, values[i]), PTPMON_OK);
            if (i == count / 2) /* asking changes nothing */
                check(&percentiles, values, i + 1, resolution);
        }
        check(&percentiles, values, count, resolution);
        ptpmon_percentiles_close(&percentiles);
    }
}

static void exact_up_to_4096_and_bounded_from_there(void **state)
{
    (void)state;
    static double values[PTPMON_PERCENTILES_EXACT + 1];
    struct random random = {7};
    struct ptpmon_percentiles percentiles;
    ptpmon_percentiles_init(&percentiles, 1);
    for (size_t i = 0; i < PTPMON_PERCENTILES_EXACT; i++) {
        values[i] = any_value(&random, 2, 12345.678);
        assert_int_equal(ptpmon_percentiles_add(&percentiles, values[i]), PTPMON_OK);
    }
    check(&percentiles, values, PTPMON_PERCENTILES_EXACT, 1);
    values[PTPMON_PERCENTILES_EXACT] = -1;
    assert_int_equal(ptpmon_percentiles_add(&percentiles, -1), PTPMON_OK);
    check(&percentiles, values, PTPMON_PERCENTILES_EXACT + 1, 1);
    assert_null(percentiles.values);
    ptpmon_percentiles_close(&percentiles);
}

static void none_and_one(void **state)
{
    (void)state;
    struct ptpmon_percentiles percentiles;
    double found[PARTS];
    ptpmon_percentiles_init(&percentiles, 1);
    ptpmon_percentiles_at(&percentiles, parts, PARTS, found);
    for (size_t i = 0; i < PARTS; i++)
        assert_true(found[i] == 0);
    assert_int_equal(ptpmon_percentiles_add(&percentiles, -2.5), PTPMON_OK);
    ptpmon_percentiles_at(&percentiles, parts, PARTS, found);
    for (size_t i = 0; i < PARTS; i++)
        assert_true(found[i] == -2.5);
    ptpmon_percentiles_close(&percentiles);
}

static void the_largest_doubles_do_no_harm(void **state)
{
    (void)state;
    static const double extremes[] = {DBL_MAX, -DBL_MAX, DBL_MIN, 0, -0.0, 1e300, 1e-300};
    struct ptpmon_percentiles percentiles;
    double found[PARTS];
    ptpmon_percentiles_init(&percentiles, 1);
    for (size_t i = 0; i < 3 * PTPMON_PERCENTILES_EXACT; i++)
        assert_int_equal(ptpmon_percentiles_add(&percentiles, extremes[i % 7]), PTPMON_OK);
    ptpmon_percentiles_at(&percentiles, parts, PARTS, found);
    for (size_t i = 0; i < PARTS; i++)
        assert_true(found[i] >= -DBL_MAX && found[i] <= DBL_MAX);
    ptpmon_percentiles_close(&percentiles);
}

/* Whichever allocation fails: the value was not taken, and those before it are still there. */
static void survive_each_failing_allocation(void **state)
{
    (void)state;
    static double values[PTPMON_PERCENTILES_EXACT + 200];
    size_t count = sizeof values / sizeof *values, blocks = live_blocks(), failures = 1;
    for (size_t successes = 0; failures > 0; successes++) {
        struct random random = {3};
        struct ptpmon_percentiles percentiles;
        ptpmon_percentiles_init(&percentiles, 1);
        fail_allocations_after(successes, 1);
        for (size_t i = 0; i < count; i++) {
            values[i] = any_value(&random, 2, 1000);
            ptpmon_status status = ptpmon_percentiles_add(&percentiles, values[i]);
            if (status == PTPMON_OK)
                continue;
            assert_int_equal(status, PTPMON_NO_MEMORY);
            assert_int_equal(ptpmon_percentiles_add(&percentiles, values[i]), PTPMON_OK);
        }
        failures = failed_allocations();
        fail_no_allocation();
        check(&percentiles, values, count, 1);
        ptpmon_percentiles_close(&percentiles);
        assert_int_equal(live_blocks(), blocks);
        assert_true(successes < 200);
    }
    fail_no_allocation();
}

/* ---- Series ---- */

static void a_series_agrees_with_plain_sums(void **state)
{
    (void)state;
    static double values[2000];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        struct ptpmon_one_series one;
        ptpmon_series key = {.quantity = PTPMON_PDV}, summary;
        size_t count = 1 + (size_t)random_below(&random, 2000);
        long double sum = 0, squares = 0;
        ptpmon_one_series_init(&one, &key);
        for (size_t i = 0; i < count; i++) {
            values[i] = 1e6 + any_value(&random, seed, 100);
            sum += values[i];
            assert_int_equal(ptpmon_one_series_add(&one, values[i]), PTPMON_OK);
        }
        for (size_t i = 0; i < count; i++)
            squares += (values[i] - sum / count) * (values[i] - sum / count);
        ptpmon_one_series_summarize(&one, &summary);
        double deviation = count > 1 ? (double)sqrtl(squares / (count - 1)) : 0;
        double scale = fabs(summary.maximum) + fabs(summary.minimum);
        assert_int_equal(summary.count, count);
        assert_true(fabs(summary.mean - (double)(sum / count)) <= 1e-12 * scale);
        assert_true(fabs(summary.standard_deviation - deviation) <= 1e-9 * scale);
        assert_true(summary.last == values[count - 1]);
        ptpmon_one_series_close(&one);
    }
}

static void a_base_keeps_the_ns_of_clocks_that_nobody_set(void **state)
{
    (void)state;
    struct ptpmon_one_series one;
    ptpmon_series key = {.quantity = PTPMON_MASTER_TO_SLAVE}, summary;
    int64_t base = INT64_C(1700000000123456789);
    ptpmon_one_series_init(&one, &key);
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(ptpmon_one_series_add_time(&one, (ptpmon_time){base + i, 32768}), PTPMON_OK);
    ptpmon_one_series_summarize(&one, &summary);
    assert_int_equal(summary.base_ns, base);
    assert_true(summary.minimum == 0.5 && summary.maximum == 99.5 && summary.p50 == 49.5 && summary.mean == 50);
    ptpmon_one_series_close(&one);
    ptpmon_one_series_init(&one, &key);
    assert_int_equal(ptpmon_one_series_add_time(&one, (ptpmon_time){-PTPMON_BASE_BEYOND, 0}), PTPMON_OK);
    ptpmon_one_series_summarize(&one, &summary);
    assert_int_equal(summary.base_ns, 0);
    ptpmon_one_series_close(&one);
}

static void what_is_no_number_is_passed_over(void **state)
{
    (void)state;
    static const double none[] = {NAN, INFINITY, -INFINITY, DBL_MAX, -1e20};
    struct ptpmon_one_series one;
    ptpmon_series key = {.quantity = PTPMON_PHC_RATE}, summary;
    ptpmon_one_series_init(&one, &key);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(ptpmon_one_series_add(&one, none[i]), PTPMON_OK);
    ptpmon_one_series_summarize(&one, &summary);
    assert_int_equal(summary.count, 0);
    assert_true(summary.mean == 0 && summary.p99 == 0 && summary.standard_deviation == 0);
    ptpmon_one_series_close(&one);
}

/* ---- Rates ---- */

static void rates_agree_with_counting(void **state)
{
    (void)state;
    static int64_t times[20000];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        struct ptpmon_message_rate rate = {0};
        size_t count = 1 + (size_t)random_below(&random, 2000), within = 0, first = 0;
        int64_t now = random_between(&random, -100, 100) * INT64_C(1000000000),
                most_gap = random_between(&random, 1, 3) * 100000000;
        uint64_t most = 0;
        for (size_t i = 0; i < count; i++) {
            now += random_chance(&random, 1) ? random_between(&random, 0, INT64_C(90000000000))
                                             : random_between(&random, 0, most_gap);
            times[i] = now;
            ptpmon_message_rate_add(&rate, now);
            /* Hundredths of a second, as the clock counts them. */
            int64_t slot = (now + INT64_C(100000000000000)) / 10000000;
            uint64_t last_100 = 0;
            for (size_t j = i + 1; j-- > 0;) {
                if (slot - (times[j] + INT64_C(100000000000000)) / 10000000 >= 100)
                    break;
                last_100++;
            }
            most = last_100 > most ? last_100 : most;
        }
        int64_t second = (now + INT64_C(100000000000000)) / 1000000000;
        for (size_t i = 0; i < count; i++)
            if (second - (times[i] + INT64_C(100000000000000)) / 1000000000 < 60) {
                first = within == 0 ? i : first;
                within++;
            }
        double expected =
            within > 1 && now > times[first] ? (double)(within - 1) * 1e9 / (double)(now - times[first]) : 0;
        assert_true(ptpmon_message_rate_1s(&rate) == (double)most);
        assert_true(fabs(ptpmon_message_rate_60s(&rate) - expected) <= 1e-9 * expected);
    }
}

/* After a pause nothing of the second before it is counted. */
static void a_pause_ends_a_second(void **state)
{
    (void)state;
    for (int64_t pause = 1; pause <= 5; pause++) {
        struct ptpmon_message_rate rate = {0};
        for (int64_t i = 0; i < 10; i++)
            ptpmon_message_rate_add(&rate, i / 5 * pause * INT64_C(1000000000));
        assert_true(ptpmon_message_rate_1s(&rate) == 5);
    }
}

static void rates_of_a_clock_that_runs_backwards(void **state)
{
    (void)state;
    struct ptpmon_message_rate rate = {0};
    static const int64_t times[] = {INT64_MAX, INT64_MIN, 0, INT64_MAX - 5, -1};
    for (size_t i = 0; i < 5; i++)
        ptpmon_message_rate_add(&rate, times[i]);
    assert_true(ptpmon_message_rate_1s(&rate) == 5);
    assert_true(ptpmon_message_rate_60s(&rate) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree_with_sorting),
        cmocka_unit_test(exact_up_to_4096_and_bounded_from_there),
        cmocka_unit_test(none_and_one),
        cmocka_unit_test(the_largest_doubles_do_no_harm),
        cmocka_unit_test(survive_each_failing_allocation),
        cmocka_unit_test(a_series_agrees_with_plain_sums),
        cmocka_unit_test(a_base_keeps_the_ns_of_clocks_that_nobody_set),
        cmocka_unit_test(what_is_no_number_is_passed_over),
        cmocka_unit_test(rates_agree_with_counting),
        cmocka_unit_test(a_pause_ends_a_second),
        cmocka_unit_test(rates_of_a_clock_that_runs_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
