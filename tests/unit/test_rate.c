/* SPDX-License-Identifier: MIT */
/* The rate of another clock, from pairs of times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/rate.h"

#define SECOND INT64_C(1000000000)

/* The other clock at `local`, so much ahead and so much too fast. */
static int64_t remote_at(int64_t local, double excess, int64_t ahead)
{
    return local + ahead + (int64_t)llrint((double)local * excess);
}

static double rate_of(const struct ptpmon_rate *rate)
{
    double ratio;
    assert_true(ptpmon_rate_ratio(rate, &ratio));
    return (ratio - 1) * 1e6;
}

static void two_clocks_run_apart(void **state)
{
    (void)state;
    static const double excesses[] = {0, 5e-6, -5e-6, 199e-6, -199e-6};
    for (size_t i = 0; i < sizeof excesses / sizeof *excesses; i++) {
        struct ptpmon_rate rate = {0};
        double ratio;
        assert_false(ptpmon_rate_ratio(&rate, &ratio));
        for (int n = 0; n < 30; n++) {
            int64_t local = 1000 * SECOND + n * SECOND / 8;
            ptpmon_rate_add(&rate, remote_at(local, excesses[i], -7), local, (uint16_t)(65530 + n), 0, 1000);
            if (n > 1)
                assert_true(fabs(rate_of(&rate) - excesses[i] * 1e6) < 0.02); /* 1 ns of rounding in 1/8 s */
        }
    }
}

/* From the second pair after it on it makes no rate wrong, wherever in the window it lies. */
static void a_step_of_the_other_clock_is_no_rate(void **state)
{
    (void)state;
    static const int64_t steps[] = {200, -200, 20000, -20000, 900000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct ptpmon_rate rate = {0};
        for (int n = 0; n < 40; n++) {
            int64_t local = n * SECOND;
            ptpmon_rate_add(&rate, remote_at(local, 30e-6, n >= 20 ? steps[i] : 0), local, (uint16_t)n, 0, 1000000);
            if (n > 2)
                assert_true(fabs(rate_of(&rate) - 30) < 0.002);
        }
    }
}

/* Nor does a message that was held up. */
static void a_late_message_is_no_rate(void **state)
{
    (void)state;
    struct ptpmon_rate rate = {0};
    for (int n = 0; n < 40; n++) {
        int64_t local = n * SECOND, late = n == 20 ? 50000 : 0;
        ptpmon_rate_add(&rate, remote_at(local, 30e-6, 0), local + late, (uint16_t)n, 0, 1000000);
        if (n > 2)
            assert_true(fabs(rate_of(&rate) - 30) < 0.002);
    }
}

/* Messages that come by chance early or late by more than the clocks run apart tell no rate, but for a few times when
 * they seem to agree. */
static void noise_is_no_rate(void **state)
{
    (void)state;
    enum { MESSAGES = 2000 };
    struct ptpmon_rate rate = {0};
    uint64_t random = 1;
    unsigned told = 0;
    for (int n = 0; n < MESSAGES; n++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        int64_t local = n * SECOND, late = (int64_t)(random >> 40) % 200000;
        double ratio;
        ptpmon_rate_add(&rate, remote_at(local, 5e-6, 0), local + late, (uint16_t)n, 0, 1000000);
        told += ptpmon_rate_ratio(&rate, &ratio);
    }
    assert_in_range(told, 0, MESSAGES / 4);
}

/* A new sequence, another segment, more than clocks can go apart, time that goes back: the window begins anew. */
static void what_does_not_go_on_begins_anew(void **state)
{
    (void)state;
    static const struct {
        int64_t remote, local;
        uint16_t sequenceId;
        uint32_t segment;
    } breaks[] = {{10 * SECOND, 10 * SECOND, 9, 0},  {10 * SECOND, 10 * SECOND, 40, 0},
                  {10 * SECOND, 10 * SECOND, 10, 1}, {11 * SECOND, 10 * SECOND, 10, 0},
                  {10 * SECOND, 9 * SECOND, 10, 0},  {9 * SECOND, 10 * SECOND, 10, 0}};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        struct ptpmon_rate rate = {0};
        double ratio;
        for (int n = 0; n < 10; n++)
            ptpmon_rate_add(&rate, n * SECOND, n * SECOND, (uint16_t)n, 0, 1000);
        assert_true(ptpmon_rate_ratio(&rate, &ratio) && ratio == 1);
        ptpmon_rate_add(&rate, breaks[i].remote, breaks[i].local, breaks[i].sequenceId, breaks[i].segment, 1000);
        assert_int_equal(rate.count, 1);
        assert_false(ptpmon_rate_ratio(&rate, &ratio));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_clocks_run_apart),
        cmocka_unit_test(a_step_of_the_other_clock_is_no_rate),
        cmocka_unit_test(a_late_message_is_no_rate),
        cmocka_unit_test(noise_is_no_rate),
        cmocka_unit_test(what_does_not_go_on_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
