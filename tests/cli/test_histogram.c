/* SPDX-License-Identifier: MIT */
/* Quantiles against sorted values, within the resolution that histogram.h states. */
#include "histogram.h"

#include "random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RESOLUTION  0.004
#define EXACT_BELOW 256

static struct histogram histogram;

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void assert_resolves(int64_t said, int64_t truth)
{
    long double error = fabsl((long double)said - (long double)truth);
    bool fits = llabs(truth / 2) < EXACT_BELOW / 2 ? error == 0 : error <= RESOLUTION * fabsl((long double)truth);
    if (!fits)
        fail_msg("said %lld, and it is %lld", (long long)said, (long long)truth);
}

/* Sorts the values. */
static void check(int64_t *values, size_t count)
{
    static const double shares[] = {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};
    histogram = (struct histogram){0};
    for (size_t i = 0; i < count; i++)
        histogram_add(&histogram, values[i]);
    qsort(values, count, sizeof *values, compare);
    assert_int_equal(histogram.count, count);
    assert_true(histogram.minimum == values[0]);
    assert_true(histogram.maximum == values[count - 1]);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        size_t rank = (size_t)ceil(shares[i] * (double)count);
        int64_t said = histogram_quantile(&histogram, shares[i]);
        assert_resolves(said, values[rank - 1]);
        assert_true(said >= values[0] && said <= values[count - 1]);
    }
    assert_resolves(histogram_quantile(&histogram, 0), values[0]);
}

static void test_quantiles_are_those_of_the_sorted_values(void **state)
{
    (void)state;
    static int64_t values[3000];
    struct random random = {1};
    for (int round = 0; round < 200; round++) {
        size_t count = 1 + random_next(&random) % (round % 2 ? 30 : 3000);
        for (size_t i = 0; i < count; i++) {
            /* All magnitudes alike, both signs. */
            values[i] = (int64_t)(random_next(&random) >> (1 + random_next(&random) % 63));
            if (round % 3 == 1 || (round % 3 == 0 && random_next(&random) % 2))
                values[i] = -values[i];
        }
        check(values, count);
    }
}

static void test_each_value_alone_is_told_exactly(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 63; shift++) {
        for (int64_t near = -1; near <= 1; near++) {
            int64_t value = (int64_t)(1ull << shift) + near;
            check(&value, 1);
            assert_true(histogram_quantile(&histogram, 0.5) == value);
            value = -value;
            check(&value, 1);
            assert_true(histogram_quantile(&histogram, 0.5) == value);
        }
    }
}

static void test_small_values_are_exact(void **state)
{
    (void)state;
    int64_t values[2 * EXACT_BELOW - 1];
    for (int i = 0; i < 2 * EXACT_BELOW - 1; i++)
        values[i] = i - (EXACT_BELOW - 1);
    check(values, 2 * EXACT_BELOW - 1);
    assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
}

static void test_extremes(void **state)
{
    (void)state;
    int64_t values[] = {INT64_MIN, INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX, INT64_MAX, INT64_MAX};
    check(values, sizeof values / sizeof *values);
    int64_t most_negative[] = {INT64_MIN, INT64_MIN, 7};
    check(most_negative, 3);
}

static void test_many_equal_values(void **state)
{
    (void)state;
    histogram = (struct histogram){0};
    for (int i = 0; i < 9900; i++)
        histogram_add(&histogram, 100);
    for (int i = 0; i < 100; i++)
        histogram_add(&histogram, 200);
    assert_int_equal(histogram_quantile(&histogram, 0.99), 100);
    histogram_add(&histogram, 200);
    assert_int_equal(histogram_quantile(&histogram, 0.99), 200);
    assert_int_equal(histogram_quantile(&histogram, 0.5), 100);
}

static void test_empty_counts_nothing(void **state)
{
    (void)state;
    histogram = (struct histogram){0};
    assert_int_equal(histogram.count, 0);
    histogram_add(&histogram, -5);
    assert_int_equal(histogram.count, 1);
    assert_int_equal(histogram.minimum, -5);
    assert_int_equal(histogram.maximum, -5);
    histogram = (struct histogram){0};
    histogram_add(&histogram, 5);
    assert_int_equal(histogram.minimum, 5);
    assert_int_equal(histogram.maximum, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(test_each_value_alone_is_told_exactly),
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_many_equal_values),
        cmocka_unit_test(test_empty_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
