/* SPDX-License-Identifier: MIT */
/* The arithmetic on times against 128-bit integers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/time.h"
#include "random.h"

#define ROUNDS 200000

__extension__ typedef __int128 wide;

static wide wide_of(ptpmon_time time)
{
    return (wide)time.ns * PTPMON_FRACTIONS + time.fraction;
}

static void assert_wide(ptpmon_time time, wide expected)
{
    assert_true(time.fraction < PTPMON_FRACTIONS);
    assert_true(wide_of(time) == expected);
}

/* Of every size: of 1 to `bits` bits. */
static ptpmon_time any_time(struct random *random, unsigned bits)
{
    int64_t ns = (int64_t)random_next(random) >> (63 - random_below(random, bits));
    uint32_t fraction = random_chance(random, 25) ? 0 : (uint32_t)random_below(random, PTPMON_FRACTIONS);
    return (ptpmon_time){ns, fraction};
}

static wide floor_half(wide value)
{
    return value >= 0 ? value / 2 : -((1 - value) / 2);
}

static void sums_and_differences_are_exact(void **state)
{
    struct random random = {1};
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        ptpmon_time a = any_time(&random, 61), b = any_time(&random, 61);
        assert_wide(ptpmon_time_add(a, b), wide_of(a) + wide_of(b));
        assert_wide(ptpmon_time_subtract(a, b), wide_of(a) - wide_of(b));
        assert_wide(ptpmon_time_minus(a), -wide_of(a));
        assert_wide(ptpmon_time_half(a), floor_half(wide_of(a)));
    }
}

static void scaled_numbers_are_exact(void **state)
{
    struct random random = {2};
    const int64_t edges[] = {0, 1, -1, 65535, 65536, -65535, -65536, -65537, INT64_MAX, INT64_MIN};
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t scaled = (int64_t)random_next(&random) >> random_below(&random, 64);
        assert_wide(ptpmon_time_of_scaled(scaled), scaled);
    }
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        assert_wide(ptpmon_time_of_scaled(edges[i]), edges[i]);
    assert_wide(ptpmon_time_of_ns(INT64_MIN), (wide)INT64_MIN * PTPMON_FRACTIONS);
}

static void order_is_that_of_the_numbers(void **state)
{
    struct random random = {3};
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        ptpmon_time a = any_time(&random, 63);
        ptpmon_time b = random_chance(&random, 50) ? (ptpmon_time){a.ns, (uint32_t)random_below(&random, 4)}
                                                   : any_time(&random, 63);
        wide difference = wide_of(a) - wide_of(b);
        assert_int_equal(ptpmon_time_compare(a, b), (difference > 0) - (difference < 0));
        assert_int_equal(ptpmon_time_compare(a, a), 0);
    }
}

/* Below 2^36 ns, a minute, a double holds all 2^-16 ns. */
static void doubles_of_short_times_are_exact(void **state)
{
    struct random random = {4};
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        ptpmon_time a = any_time(&random, 36);
        assert_wide(ptpmon_time_of_double(ptpmon_time_to_double(a)), wide_of(a));
    }
    assert_wide(ptpmon_time_of_double(-0.25), -16384);
    assert_wide(ptpmon_time_of_double(1.9999999), 131072); /* the fraction rounds up to a whole ns */
    assert_wide(ptpmon_time_of_double(-1e-9), 0);
}

/* a * (1 + n/d), the ratio of which is one that a double holds: right to 2^-16 ns for times up to 10 s. */
static void scaling_is_right_to_the_last_digit(void **state)
{
    struct random random = {5};
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        ptpmon_time a = any_time(&random, 33);
        int64_t excess = random_between(&random, -(1 << 20), 1 << 20); /* 2^-32: up to 244 ppm */
        double ratio = 1 + (double)excess / 4294967296.0;
        wide expected = wide_of(a) * excess; /* * 2^-32 */
        wide found = (wide_of(ptpmon_time_scale(a, ratio)) - wide_of(a)) * 4294967296;
        wide error = found - expected;
        assert_true(error <= 4294967296 && error >= -(wide)4294967296);
    }
    assert_wide(ptpmon_time_scale((ptpmon_time){1234567890123456789, 77}, 1), (wide)1234567890123456789 * 65536 + 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_differences_are_exact),     cmocka_unit_test(scaled_numbers_are_exact),
        cmocka_unit_test(order_is_that_of_the_numbers),       cmocka_unit_test(doubles_of_short_times_are_exact),
        cmocka_unit_test(scaling_is_right_to_the_last_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
