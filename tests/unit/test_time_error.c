/* SPDX-License-Identifier: MIT */
/*
 * MTIE, TDEV, filter and limits: against the published values of NIST SP 1065 (the 1000-point set of its section 12.4,
 * and NBS Monograph 140's ten points) and of Stable32 (its PHASE.DAT), to every digit that they print; against
 * the definitions, over random series; and against what follows from theory.
 */
#include "failing_allocation.h"
#include "random.h"

#include <math.h>
#include <ptpmon_analysis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POINTS 1001
#define TWO_PI 6.283185307179586

/* Equal when printed with so many significant digits. */
static void assert_prints(double value, int digits, const char *expected)
{
    char text[32];
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    double printed = strtod(text, NULL);
    if (printed != strtod(expected, NULL))
        fail_msg("%.12g is not %s", value, expected);
}

static void assert_near(double value, double expected, double relative)
{
    if (!(fabs(value - expected) <= relative * fabs(expected)))
        fail_msg("%.17g is not %.17g", value, expected);
}

static double mtie_of(const double *x, size_t count, size_t m)
{
    double mtie = NAN;
    assert_int_equal(ptpmon_te_mtie(x, count, &m, 1, &mtie), PTPMON_OK);
    return mtie;
}

static double tdev_of(const double *x, size_t count, size_t m)
{
    double tdev = NAN;
    assert_int_equal(ptpmon_te_tdev(x, count, &m, 1, &tdev), PTPMON_OK);
    return tdev;
}

/* ---- Published values --------------------------------------------------------------------- */

/* SP 1065, 12.4: frequencies by a linear congruential generator. */
static void make_frequencies(double *frequency)
{
    uint64_t n = 1234567890;
    for (size_t i = 0; i < POINTS - 1; i++) {
        frequency[i] = (double)n / 2147483647.0;
        n = 16807 * n % 2147483647;
    }
}

/* Phase is the running sum of frequency. */
static void make_phase(double *phase, double removed)
{
    double frequency[POINTS - 1];
    make_frequencies(frequency);
    phase[0] = 0;
    for (size_t i = 0; i < POINTS - 1; i++)
        phase[i + 1] = phase[i] + (frequency[i] - removed);
}

static double mean_frequency(void)
{
    double phase[POINTS];
    make_phase(phase, 0);
    return phase[POINTS - 1] / (POINTS - 1);
}

struct published {
    size_t m;
    int digits;
    const char *value;
};

static void thousand_points_are_those_published(void **state)
{
    (void)state;
    double frequency[POINTS - 1], least = 1, most = 0;
    make_frequencies(frequency);
    for (size_t i = 0; i < POINTS - 1; i++) {
        least = fmin(least, frequency[i]);
        most = fmax(most, frequency[i]);
    }
    assert_prints(mean_frequency(), 10, "4.897744629e-01");
    assert_prints(least, 10, "1.371759922e-03");
    assert_prints(most, 10, "9.957452943e-01");
}

static void tdev_is_that_of_sp1065(void **state)
{
    (void)state;
    static const struct published expected[] = {
        {1, 7, "1.687202e-01"}, {10, 7, "3.563623e-01"}, {100, 7, "1.253382e+00"}};
    double phase[POINTS];
    make_phase(phase, 0);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_prints(tdev_of(phase, POINTS, expected[i].m), expected[i].digits, expected[i].value);
}

static void tdev_is_that_of_stable32(void **state)
{
    (void)state;
    static const struct published expected[] = {{1, 5, ".16872"},  {2, 5, ".18268"},  {4, 5, ".24895"},
                                                {8, 5, ".34268"},  {16, 5, ".38221"}, {32, 5, ".63287"},
                                                {64, 5, "1.0298"}, {128, 5, "1.3797"}};
    static const struct published further[] = {{1, 7, ".1687202"},  {2, 7, ".1826819"},  {4, 7, ".2489474"},
                                               {8, 7, ".3426791"},  {16, 7, ".3822146"}, {32, 7, ".6328679"},
                                               {64, 7, "1.029847"}, {128, 7, "1.379679"}};
    double phase[POINTS];
    make_phase(phase, mean_frequency());
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_prints(tdev_of(phase, POINTS, expected[i].m), expected[i].digits, expected[i].value);
        assert_prints(tdev_of(phase, POINTS, further[i].m), further[i].digits, further[i].value);
    }
}

static void check_mtie(const double *phase, const struct published *expected, size_t count)
{
    size_t m[32];
    double together[32];
    assert_true(count <= 32);
    for (size_t i = 0; i < count; i++)
        m[i] = expected[i].m;
    assert_int_equal(ptpmon_te_mtie(phase, POINTS, m, count, together), PTPMON_OK);
    for (size_t i = 0; i < count; i++) {
        assert_prints(together[i], expected[i].digits, expected[i].value);
        assert_true(mtie_of(phase, POINTS, m[i]) == together[i]);
    }
}

static void mtie_is_that_of_stable32(void **state)
{
    (void)state;
    static const struct published stable32[] = {{1, 5, ".50597"},   {3, 5, "1.2984"},   {7, 5, "2.2922"},
                                                {15, 5, "2.9949"},  {31, 5, "4.4550"},  {63, 5, "6.5989"},
                                                {127, 5, "6.8061"}, {255, 5, "7.8205"}, {511, 5, "7.8205"}};
    static const struct published exact[] = {{1, 7, "5.059708e-01"}, {2, 7, "9.334835e-01"}, {3, 7, "1.298351"},
                                             {4, 7, "1.538664"},     {8, 7, "2.461154"},     {10, 7, "2.698815"},
                                             {16, 7, "2.994908"},    {32, 7, "4.455016"},    {64, 7, "6.598898"},
                                             {100, 7, "6.750909"},   {128, 7, "6.813123"},   {256, 7, "7.820497"},
                                             {512, 7, "7.820497"},   {1000, 7, "9.064408"}};
    double phase[POINTS];
    make_phase(phase, mean_frequency());
    assert_prints(phase[1], 9, "0.0851160103");
    assert_prints(phase[2], 10, "-0.2204754826");
    check_mtie(phase, stable32, sizeof stable32 / sizeof *stable32);
    check_mtie(phase, exact, sizeof exact / sizeof *exact);
}

static void mtie_with_mean_frequency(void **state)
{
    (void)state;
    static const struct published expected[] = {{1, 7, ".9957453"}, {10, 7, "7.596560"}, {100, 7, "55.38177"}};
    double phase[POINTS];
    make_phase(phase, 0);
    check_mtie(phase, expected, sizeof expected / sizeof *expected);
}

static void ten_points(void **state)
{
    (void)state;
    static const double phase[] = {0,        103.11111, 123.22222, 157.33333, 166.44444,
                                   48.55555, -96.33333, -2.22222,  111.88889, 0};
    assert_prints(tdev_of(phase, 10, 1), 7, "52.67135");
    assert_prints(tdev_of(phase, 10, 2), 7, "86.35831");
    assert_prints(tdev_of(phase, 10, 3), 8, "54.480796");
    assert_prints(mtie_of(phase, 10, 1), 8, "144.88888");
    for (size_t m = 2; m < 10; m++)
        assert_prints(mtie_of(phase, 10, m), 8, "262.77777");
}

/* ---- The definitions, word by word -------------------------------------------------------- */

static double mtie_by_definition(const double *x, size_t count, size_t m)
{
    double most = 0;
    for (size_t k = 0; k + m < count; k++) {
        double high = x[k], low = x[k];
        for (size_t i = k; i <= k + m; i++) {
            high = fmax(high, x[i]);
            low = fmin(low, x[i]);
        }
        most = fmax(most, high - low);
    }
    return most;
}

static double tdev_by_definition(const double *x, size_t count, size_t m)
{
    double squares = 0;
    for (size_t j = 0; j + 3 * m <= count; j++) {
        double sum = 0;
        for (size_t i = j; i < j + m; i++)
            sum += x[i + 2 * m] - 2 * x[i + m] + x[i];
        squares += sum * sum;
    }
    return sqrt(squares / (6 * (double)m * (double)m * (double)(count - 3 * m + 1)));
}

/* Some wander, some noise, ns; all of them multiples of 2^-10, so that sums are exact. */
static void fill_randomly(struct random *random, double *x, size_t count)
{
    double at = (double)random_between(random, -100000, 100000);
    int64_t wander = random_between(random, 0, 3000), noise = random_between(random, 0, 100000);
    for (size_t i = 0; i < count; i++) {
        at += (double)random_between(random, -wander, wander) / 1024;
        x[i] = at + (double)random_between(random, -noise, noise) / 1024;
    }
}

static void random_series_are_as_defined(void **state)
{
    (void)state;
    struct random random = {1};
    for (int run = 0; run < 400; run++) {
        double x[160], mtie[64], tdev[64];
        size_t count = 4 + random_below(&random, 157), windows = 1 + random_below(&random, 64), m[64], thirds[64];
        fill_randomly(&random, x, count);
        for (size_t i = 0; i < windows; i++) {
            m[i] = 1 + random_below(&random, count - 1);
            thirds[i] = 1 + random_below(&random, count / 3);
        }
        assert_int_equal(ptpmon_te_mtie(x, count, m, windows, mtie), PTPMON_OK);
        assert_int_equal(ptpmon_te_tdev(x, count, thirds, windows, tdev), PTPMON_OK);
        for (size_t i = 0; i < windows; i++) {
            assert_true(mtie[i] == mtie_by_definition(x, count, m[i]));
            assert_near(tdev[i], tdev_by_definition(x, count, thirds[i]), 1e-13);
        }
    }
}

static void every_window_of_one_series(void **state)
{
    (void)state;
    struct random random = {2};
    double x[97], mtie[96];
    size_t m[96];
    fill_randomly(&random, x, 97);
    for (size_t i = 0; i < 96; i++)
        m[i] = 96 - i; /* in no order that helps */
    assert_int_equal(ptpmon_te_mtie(x, 97, m, 96, mtie), PTPMON_OK);
    for (size_t i = 0; i < 96; i++)
        assert_true(mtie[i] == mtie_by_definition(x, 97, m[i]));
}

/* TDEV knows neither offset nor rate: what is large cancels, and nothing of the small may go with it. */
static void tdev_keeps_its_digits(void **state)
{
    (void)state;
    enum { COUNT = 30000 };
    struct random random = {3};
    double *small = malloc(COUNT * sizeof *small), *large = malloc(COUNT * sizeof *large);
    for (size_t i = 0; i < COUNT; i++) {
        small[i] = (double)random_between(&random, -1000, 1000) / 8;
        large[i] = small[i] + 1e15 / 8 + 12345678 * (double)i; /* 1.4 days off, and off by 1 % */
    }
    for (size_t m = 1; m <= COUNT / 3; m = m * 3 + 1)
        assert_near(tdev_of(large, COUNT, m), tdev_of(small, COUNT, m), 1e-14);
    free(small);
    free(large);
}

/*
 * A million samples, up to the longest windows. A way that takes as many steps for each sample as the window is long
 * would not come to an end here.
 */
static void long_series(void **state)
{
    (void)state;
    enum { COUNT = 1000000, WINDOWS = 17 };
    static const size_t m[WINDOWS] = {1,    2,     5,     10,    20,     50,     99,     100,   333,
                                      9999, 10000, 33333, 65536, 100001, 200000, 250000, 333333};
    double *x = malloc(COUNT * sizeof *x), tdev[WINDOWS], mtie[WINDOWS];
    for (size_t i = 0; i < COUNT; i++)
        x[i] = (i % 2 ? -1 : 1) + 1e9 + 0.5 * (double)i;
    assert_int_equal(ptpmon_te_tdev(x, COUNT, m, WINDOWS, tdev), PTPMON_OK);
    assert_int_equal(ptpmon_te_mtie(x, COUNT, m, WINDOWS, mtie), PTPMON_OK);
    for (size_t i = 0; i < WINDOWS; i++) {
        /* The sum of m samples that alternate is +-1 for odd m, and the three of them add up to 4. */
        assert_near(tdev[i], m[i] % 2 ? 4 / sqrt(6) / (double)m[i] : 0, 1e-14);
        /* From a low sample to a high one an odd number of steps later; within 2 steps also down. */
        size_t odd = m[i] % 2 ? m[i] : m[i] - 1;
        double even = 0.5 * (double)m[i];
        assert_true(mtie[i] == fmax(2 + 0.5 * (double)odd, even));
    }
    free(x);
}

/* ---- Even spacing ------------------------------------------------------------------------- */

static void check_resampled(const int64_t *time_ns, const double *value, size_t pairs, int64_t tau0, int64_t gap,
                            size_t capacity, const double *expected, size_t count, size_t used)
{
    double out[32];
    size_t got, taken;
    assert_true(capacity <= 32);
    assert_int_equal(ptpmon_te_resample(time_ns, value, pairs, tau0, gap, out, capacity, &got, &taken), PTPMON_OK);
    assert_int_equal(got, count);
    assert_int_equal(taken, used);
    for (size_t i = 0; i < count; i++)
        assert_true(out[i] == expected[i]);
}

static void samples_are_the_newest_values(void **state)
{
    (void)state;
    static const int64_t times[] = {1000, 1009, 1020, 1020, 1035, 1041};
    static const double values[] = {1, 2, 3, 4, 5, 6};
    static const double at_10[] = {1, 2, 4, 5, 6}, at_1[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 2};
    check_resampled(times, values, 6, 10, 100, 32, at_10, 5, 6);
    check_resampled(times, values, 6, 1, 100, 10, at_1, 10, 2);
    check_resampled(times, values, 1, 10, 100, 32, at_10, 1, 1);
    check_resampled(times, values, 6, 1000, 100, 32, at_10 + 4, 1, 6);
}

/* Each a little early or late by chance: none is left out, none is there twice. */
static void values_that_keep_to_the_spacing_are_taken_once(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    int64_t times[COUNT];
    double values[COUNT], out[2 * COUNT];
    size_t count, used;
    for (int64_t tau0 = 3; tau0 < 1000000; tau0 = tau0 * 7 + 1) {
        uint64_t random = 1;
        for (int i = 0; i < COUNT; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            values[i] = i;
            times[i] = i * tau0 + (int64_t)(random >> 33) % ((tau0 + 3) / 4);
        }
        assert_int_equal(ptpmon_te_resample(times, values, COUNT, tau0, 3 * tau0, out, 2 * COUNT, &count, &used),
                         PTPMON_OK);
        assert_int_equal(count, COUNT);
        assert_int_equal(used, COUNT);
        assert_memory_equal(out, values, sizeof values);
    }
}

static void gaps_are_not_filled(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 10, 20, 51, 61, 71};
    static const double values[] = {1, 2, 3, 4, 5, 6};
    static const double before[] = {1, 2, 3}, after[] = {4, 5, 6}, all[] = {1, 2, 3, 3, 3, 4, 5, 6};
    check_resampled(times, values, 6, 10, 30, 32, before, 3, 3);
    check_resampled(times + 3, values + 3, 3, 10, 30, 32, after, 3, 3);
    check_resampled(times, values, 6, 10, 31, 32, all, 8, 6);
}

static void times_at_the_ends_of_int64(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN, INT64_MAX};
    static const double values[] = {1, 2}, three[] = {1, 1, 1};
    check_resampled(times, values, 2, INT64_MAX, INT64_MAX, 32, values, 1, 1);
    static const int64_t nearer[] = {INT64_MIN, 0, INT64_MAX};
    check_resampled(nearer, three, 3, INT64_MAX, INT64_MAX, 32, three, 1, 1);
    static const int64_t near_enough[] = {INT64_MIN, -1, INT64_MAX - 1, INT64_MAX};
    static const double four[] = {1, 2, 3, 4}, samples[] = {1, 2, 4};
    check_resampled(near_enough, four, 4, INT64_MAX, INT64_MAX, 32, samples, 3, 4);
}

static void refuses_what_cannot_be_resampled(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 10, 9};
    static const double values[] = {1, NAN, 3}, numbers[] = {1, 2, 3};
    double out[4];
    size_t count, used;
    assert_int_equal(ptpmon_te_resample(times, numbers, 3, 1, 100, out, 4, &count, &used), PTPMON_OK);
    assert_int_equal(ptpmon_te_resample(times, numbers, 3, 10, 100, out, 4, &count, &used), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_resample(times, values, 2, 10, 100, out, 4, &count, &used), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_resample(times, numbers, 0, 10, 100, out, 4, &count, &used), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_resample(times, numbers, 2, 0, 100, out, 4, &count, &used), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_resample(times, numbers, 2, 10, 0, out, 4, &count, &used), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_resample(times, numbers, 2, 10, 100, out, 0, &count, &used), PTPMON_INVALID);
}

/* ---- Filter ------------------------------------------------------------------------------- */

static void step_response(void **state)
{
    (void)state;
    enum { TAU = 100 }; /* samples */
    double x[5 * TAU + 1], low[5 * TAU + 1];
    double tau0 = 1 / (TWO_PI * 0.1) / TAU;
    for (size_t i = 0; i <= 5 * TAU; i++)
        x[i] = i == 0 ? 0 : 40;
    assert_int_equal(ptpmon_te_low_pass(x, 5 * TAU + 1, tau0, 0.1, low), PTPMON_OK);
    assert_true(low[0] == 0);
    for (int taus = 1; taus <= 5; taus++)
        assert_near(low[taus * TAU], 40 * (1 - exp(-taus)), 1e-12);
    assert_int_equal(ptpmon_te_low_pass(x, 5 * TAU + 1, tau0, 0.1, x), PTPMON_OK);
    assert_memory_equal(x, low, sizeof x);
}

static void starts_at_the_first_sample(void **state)
{
    (void)state;
    double x[50], low[50];
    for (size_t i = 0; i < 50; i++)
        x[i] = 1e6;
    assert_int_equal(ptpmon_te_low_pass(x, 50, 0.125, 0.1, low), PTPMON_OK);
    for (size_t i = 0; i < 50; i++)
        assert_true(low[i] == 1e6);
}

/* Amplitude and phase of a sine that the filter was given, in its last `count` samples: whole periods. */
static void response(double hz, double tau0, size_t per_period, double *amplitude, double *phase)
{
    size_t count = 40 * per_period;
    double *x = calloc(count, sizeof *x), in_phase = 0, quadrature = 0;
    for (size_t i = 0; i < count; i++)
        x[i] = sin(TWO_PI * hz * tau0 * (double)i);
    assert_int_equal(ptpmon_te_low_pass(x, count, tau0, 0.1, x), PTPMON_OK);
    for (size_t i = count / 2; i < count; i++) {
        in_phase += x[i] * sin(TWO_PI * hz * tau0 * (double)i);
        quadrature += x[i] * cos(TWO_PI * hz * tau0 * (double)i);
    }
    *amplitude = hypot(in_phase, quadrature) / ((double)count / 4);
    *phase = atan2(quadrature, in_phase);
    free(x);
}

/* -3 dB at the cutoff. What samples tau0 apart make of it: |H|^2 = 1 / (1 + sin^2(w/2) / sinh^2(w/2)), w = 2 pi f tau0,
 * which is by w^2/24 more. A filter run forward and back would be at -6 dB, and without the lag. */
static void half_the_power_at_the_cutoff(void **state)
{
    (void)state;
    static const size_t per_period[] = {2000, 160, 80, 10};
    for (size_t i = 0; i < sizeof per_period / sizeof *per_period; i++) {
        double amplitude, phase, tau0 = 10.0 / (double)per_period[i], w = TWO_PI * 0.1 * tau0;
        response(0.1, tau0, per_period[i], &amplitude, &phase);
        double ratio = sin(w / 2) / sinh(w / 2);
        assert_near(amplitude, 1 / sqrt(1 + ratio * ratio), 1e-9);
        assert_near(amplitude, sqrt(0.5), w * w / 24 * 1.01);
        assert_near(phase, -TWO_PI / 8, w);
    }
}

static void a_decade_beyond_the_cutoff(void **state)
{
    (void)state;
    double amplitude, phase;
    response(1, 0.001, 1000, &amplitude, &phase);
    assert_near(amplitude, 1 / sqrt(101), 1e-3);
    response(0.01, 0.1, 1000, &amplitude, &phase);
    assert_near(amplitude, 1 / sqrt(1.01), 1e-3);
}

/* ---- Summary ------------------------------------------------------------------------------ */

static void summary_of_known_parts(void **state)
{
    (void)state;
    enum { COUNT = 24000, RATE = 16 }; /* 1500 s */
    double *x = malloc(COUNT * sizeof *x);
    ptpmon_te_summary summary;
    for (size_t i = 0; i < COUNT; i++)
        x[i] = (i < 500 * RATE ? 60 : 20) + 6 * sin(TWO_PI * 0.001 * (double)i / RATE) + (i % 2 ? 4 : -4);
    assert_int_equal(ptpmon_te_summarize(x, COUNT, 1.0 / RATE, &summary), PTPMON_OK);
    assert_near(summary.seconds, 1500, 1e-12);
    assert_near(summary.cte_seconds, 1000, 1e-12);
    assert_near(summary.cte, 20, 1e-9);
    assert_near(summary.max_te, 70, 1e-6);
    /* What alternates with each sample passes with a weight of about w / 2. */
    double leak = 4 * TWO_PI * 0.1 / RATE / 2;
    assert_near(summary.max_te_low, 66 + leak, 1e-3);
    assert_near(summary.dte_low_pp, (66 + leak) - (14 - leak), 1e-2);
    assert_true(summary.dte_high_pp > 40 && summary.dte_high_pp < 50); /* the step, and the alternation */
    assert_int_equal(ptpmon_te_summarize(x + 500 * RATE, 1000 * RATE, 1.0 / RATE, &summary), PTPMON_OK);
    assert_near(summary.dte_low_pp, 12 + 2 * leak, 1e-2);
    assert_near(summary.dte_high_pp, 8, 0.02);
    free(x);
}

static void what_a_short_series_does_not_tell(void **state)
{
    (void)state;
    double x[100];
    ptpmon_te_summary summary;
    for (size_t i = 0; i < 100; i++)
        x[i] = -7 + (i == 0 ? -100 : 0);
    assert_int_equal(ptpmon_te_summarize(x, 100, 0.0625, &summary), PTPMON_OK);
    assert_near(summary.max_te, 107, 1e-15);
    assert_near(summary.cte, -8, 1e-15);
    assert_near(summary.cte_seconds, 6.25, 1e-15);
    assert_true(isnan(summary.max_te_low) && isnan(summary.dte_low_pp) && isnan(summary.dte_high_pp));
    /* The filter's state is not the first sample's any more once it has settled. */
    assert_int_equal(ptpmon_te_summarize(x, 100, 0.1, &summary), PTPMON_OK);
    assert_true(summary.max_te_low > 7 && summary.max_te_low < 7.7);
    /* Samples too far apart for a filter of 0.1 Hz. */
    assert_int_equal(ptpmon_te_summarize(x, 100, 5, &summary), PTPMON_OK);
    assert_true(isnan(summary.max_te_low) && isnan(summary.dte_low_pp) && isnan(summary.dte_high_pp));
    /* The mean of the last 1000 s alone, however far apart samples are. */
    assert_int_equal(ptpmon_te_summarize(x, 100, 20, &summary), PTPMON_OK);
    assert_true(summary.cte == -7 && summary.cte_seconds == 1000);
    assert_int_equal(ptpmon_te_summarize(x, 100, 1e300, &summary), PTPMON_OK);
    assert_true(summary.cte == -7);
    assert_int_equal(ptpmon_te_summarize(x, 100, 1e-300, &summary), PTPMON_OK);
    assert_true(summary.cte == -8);
}

/* ---- Limits ------------------------------------------------------------------------------- */

static void assert_limit(const char *mask, ptpmon_limit_kind kind, double tau, double expected)
{
    double limit = NAN;
    assert_int_equal(ptpmon_te_limit(mask, kind, tau, &limit), PTPMON_OK);
    if (!(fabs(limit - expected) <= 1e-12 * expected))
        fail_msg("%s, kind %d, %g s: %.15g instead of %.15g", mask, (int)kind, tau, limit, expected);
}

static void assert_no_limit(const char *mask, ptpmon_limit_kind kind, double tau)
{
    double limit;
    assert_int_equal(ptpmon_te_limit(mask, kind, tau, &limit), PTPMON_NOTHING);
}

static void classes_of_g8273_2(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double max_te, cte, mtie, tdev, high;
    } classes[] = {
        {"G.8273.2-A", 100, 50, 40, 4, 70}, {"G.8273.2-B", 70, 20, 40, 4, 70}, {"G.8273.2-C", 30, 10, 10, 2, 30}};
    for (size_t i = 0; i < 3; i++) {
        const char *name = classes[i].name;
        assert_limit(name, PTPMON_LIMIT_MAX_TE, NAN, classes[i].max_te);
        assert_limit(name, PTPMON_LIMIT_CTE, 0, classes[i].cte);
        assert_limit(name, PTPMON_LIMIT_DTE_HIGH_PP, -1, classes[i].high);
        assert_limit(name, PTPMON_LIMIT_DTE_LOW_MTIE, 0.0625, classes[i].mtie);
        assert_limit(name, PTPMON_LIMIT_DTE_LOW_MTIE, 10000, classes[i].mtie);
        assert_no_limit(name, PTPMON_LIMIT_DTE_LOW_MTIE, nextafter(10000, INFINITY));
        assert_limit(name, PTPMON_LIMIT_DTE_LOW_TDEV, 1000, classes[i].tdev);
        assert_no_limit(name, PTPMON_LIMIT_DTE_LOW_TDEV, nextafter(1000, INFINITY));
        assert_no_limit(name, PTPMON_LIMIT_MAX_TE_LOW, 1);
        assert_no_limit(name, PTPMON_LIMIT_MTIE, 1);
        assert_no_limit(name, PTPMON_LIMIT_TDEV, 1);
    }
    for (int kind = 0; kind < PTPMON_LIMIT_KINDS; kind++)
        if (kind == PTPMON_LIMIT_MAX_TE_LOW)
            assert_limit("G.8273.2-D", PTPMON_LIMIT_MAX_TE_LOW, 0, 5);
        else
            assert_no_limit("G.8273.2-D", (ptpmon_limit_kind)kind, 1);
}

/* A border of a mask: the limit just below it, at it, and just above it. */
static void assert_border(const char *mask, ptpmon_limit_kind kind, double tau, double below, double at, double above)
{
    assert_limit(mask, kind, nextafter(tau, 0), below);
    assert_limit(mask, kind, tau, at);
    assert_limit(mask, kind, nextafter(tau, INFINITY), above);
}

static void borders_of_the_primary_reference_clocks(void **state)
{
    (void)state;
    assert_limit("PRTC-A", PTPMON_LIMIT_MAX_TE, 0, 100);
    assert_limit("PRTC-A", PTPMON_LIMIT_MTIE, 0.1, 25.0275);
    assert_border("PRTC-A", PTPMON_LIMIT_MTIE, 273, 100.075, 100, 100);
    assert_limit("PRTC-A", PTPMON_LIMIT_MTIE, 273.5, 100); /* between 273 and 274 there is a limit, too */
    assert_limit("PRTC-A", PTPMON_LIMIT_MTIE, 1e9, 100);
    assert_limit("PRTC-A", PTPMON_LIMIT_TDEV, 0.1, 3);
    assert_border("PRTC-A", PTPMON_LIMIT_TDEV, 100, 3, 3, 3);
    assert_limit("PRTC-A", PTPMON_LIMIT_TDEV, 150, 4.5);
    assert_border("PRTC-A", PTPMON_LIMIT_TDEV, 1000, 30, 30, 30);
    assert_limit("PRTC-A", PTPMON_LIMIT_TDEV, 9999, 30);

    assert_limit("PRTC-B", PTPMON_LIMIT_MAX_TE, 0, 40);
    assert_border("PRTC-B", PTPMON_LIMIT_MTIE, 54.5, 39.9875, 40, 40);
    assert_limit("PRTC-B", PTPMON_LIMIT_MTIE, 10, 27.75);
    assert_border("PRTC-B", PTPMON_LIMIT_TDEV, 100, 1, 1, 1);
    assert_limit("PRTC-B", PTPMON_LIMIT_TDEV, 250, 2.5);
    assert_border("PRTC-B", PTPMON_LIMIT_TDEV, 500, 5, 5, 5);

    assert_border("ePRTC", PTPMON_LIMIT_MTIE, 1, 4, 4, 4.00114);
    assert_limit("ePRTC", PTPMON_LIMIT_MTIE, 0.5, 4);
    assert_limit("ePRTC", PTPMON_LIMIT_MTIE, 50, 9.447);
    assert_border("ePRTC", PTPMON_LIMIT_MTIE, 100, 15.004, 15.004, 15.00375);
    assert_limit("ePRTC", PTPMON_LIMIT_MTIE, 200000, 22.5);
    assert_border("ePRTC", PTPMON_LIMIT_MTIE, 400000, 30, 30, 30);
    assert_border("ePRTC", PTPMON_LIMIT_TDEV, 30000, 1, 1, 1);
    assert_limit("ePRTC", PTPMON_LIMIT_TDEV, 150000, 5);
    assert_border("ePRTC", PTPMON_LIMIT_TDEV, 300000, 10, 10, 10);
    assert_limit("ePRTC", PTPMON_LIMIT_MAX_TE, 1, 30);
}

static void masks_have_no_holes(void **state)
{
    (void)state;
    static const char *const names[] = {"G.8273.2-A", "G.8273.2-B", "G.8273.2-C", "G.8273.2-D",
                                        "PRTC-A",     "PRTC-B",     "ePRTC",      NULL};
    for (size_t i = 0; names[i]; i++)
        assert_string_equal(ptpmon_te_mask_name(i), names[i]);
    assert_null(ptpmon_te_mask_name(7));
    assert_null(ptpmon_te_mask_name(SIZE_MAX));
    for (size_t i = 4; names[i]; i++) {
        double before[2] = {0, 0};
        for (double tau = 0.01; tau < 1e6; tau *= 1.001)
            for (int kind = 0; kind < 2; kind++) {
                double limit;
                assert_int_equal(ptpmon_te_limit(names[i], kind ? PTPMON_LIMIT_TDEV : PTPMON_LIMIT_MTIE, tau, &limit),
                                 PTPMON_OK);
                assert_true(limit > before[kind] - 0.1);
                before[kind] = limit;
            }
    }
}

static void refuses_what_is_no_mask(void **state)
{
    (void)state;
    double limit;
    assert_int_equal(ptpmon_te_limit("G.8273.2-E", PTPMON_LIMIT_CTE, 1, &limit), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_limit(NULL, PTPMON_LIMIT_CTE, 1, &limit), PTPMON_INVALID);
    assert_no_limit("PRTC-A", PTPMON_LIMIT_KINDS, 1);
    assert_no_limit("PRTC-A", PTPMON_LIMIT_MTIE, 0);
    assert_no_limit("PRTC-A", PTPMON_LIMIT_MTIE, -1);
    assert_no_limit("PRTC-A", PTPMON_LIMIT_MTIE, NAN);
    assert_no_limit("PRTC-A", PTPMON_LIMIT_MTIE, INFINITY);
}

/* ---- What is refused ---------------------------------------------------------------------- */

static void refuses_windows_that_do_not_fit(void **state)
{
    (void)state;
    double x[9] = {0}, out;
    const size_t none = 0, eight = 8, nine = 9, three = 3, four = 4, most = SIZE_MAX;
    assert_int_equal(ptpmon_te_mtie(x, 9, &eight, 1, &out), PTPMON_OK);
    assert_int_equal(ptpmon_te_mtie(x, 9, &nine, 1, &out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_mtie(x, 9, &most, 1, &out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_mtie(x, 9, &none, 1, &out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_tdev(x, 9, &three, 1, &out), PTPMON_OK);
    assert_int_equal(ptpmon_te_tdev(x, 9, &four, 1, &out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_tdev(x, 9, &most, 1, &out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_tdev(x, 9, &none, 1, &out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_mtie(x, 9, NULL, 0, NULL), PTPMON_OK);
    assert_int_equal(ptpmon_te_tdev(x, 9, NULL, 0, NULL), PTPMON_OK);
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    static const double no_times[] = {NAN, INFINITY, -INFINITY, 1e19, -0x1p63};
    ptpmon_te_summary summary;
    const size_t one = 1;
    double out[4];
    for (size_t i = 0; i < sizeof no_times / sizeof *no_times; i++) {
        double x[4] = {0, 1, no_times[i], 2};
        assert_int_equal(ptpmon_te_mtie(x, 4, &one, 1, out), PTPMON_INVALID);
        assert_int_equal(ptpmon_te_tdev(x, 4, &one, 1, out), PTPMON_INVALID);
        assert_int_equal(ptpmon_te_low_pass(x, 4, 1, 0.1, out), PTPMON_INVALID);
        assert_int_equal(ptpmon_te_summarize(x, 4, 1, &summary), PTPMON_INVALID);
    }
    double x[4] = {0};
    assert_int_equal(ptpmon_te_mtie(x, 0, &one, 1, out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_tdev(x, 0, &one, 1, out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_low_pass(x, 0, 1, 0.1, out), PTPMON_INVALID);
    assert_int_equal(ptpmon_te_summarize(x, 0, 1, &summary), PTPMON_INVALID);
    static const double no_spacings[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < sizeof no_spacings / sizeof *no_spacings; i++) {
        assert_int_equal(ptpmon_te_low_pass(x, 4, no_spacings[i], 0.1, out), PTPMON_INVALID);
        assert_int_equal(ptpmon_te_summarize(x, 4, no_spacings[i], &summary), PTPMON_INVALID);
    }
    static const double no_cutoffs[] = {0, -0.1, NAN, 0.5, INFINITY};
    for (size_t i = 0; i < sizeof no_cutoffs / sizeof *no_cutoffs; i++)
        assert_int_equal(ptpmon_te_low_pass(x, 4, 1, no_cutoffs[i], out), PTPMON_INVALID);
}

static void without_memory(void **state)
{
    (void)state;
    double x[9] = {0, 5}, out = 0;
    const size_t one = 1;
    size_t blocks = live_blocks();
    for (size_t successes = 0; successes < 3; successes++) {
        fail_allocations_after(successes, 1);
        assert_int_equal(ptpmon_te_mtie(x, 9, &one, 1, &out), PTPMON_NO_MEMORY);
        fail_no_allocation();
        assert_int_equal(live_blocks(), blocks);
    }
    fail_allocations_after(0, 1);
    assert_int_equal(ptpmon_te_tdev(x, 9, &one, 1, &out), PTPMON_NO_MEMORY);
    fail_no_allocation();
    assert_int_equal(ptpmon_te_mtie(x, 9, &one, 1, &out), PTPMON_OK);
    assert_true(out == 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousand_points_are_those_published),
        cmocka_unit_test(tdev_is_that_of_sp1065),
        cmocka_unit_test(tdev_is_that_of_stable32),
        cmocka_unit_test(mtie_is_that_of_stable32),
        cmocka_unit_test(mtie_with_mean_frequency),
        cmocka_unit_test(ten_points),
        cmocka_unit_test(random_series_are_as_defined),
        cmocka_unit_test(every_window_of_one_series),
        cmocka_unit_test(tdev_keeps_its_digits),
        cmocka_unit_test(long_series),
        cmocka_unit_test(samples_are_the_newest_values),
        cmocka_unit_test(gaps_are_not_filled),
        cmocka_unit_test(times_at_the_ends_of_int64),
        cmocka_unit_test(values_that_keep_to_the_spacing_are_taken_once),
        cmocka_unit_test(refuses_what_cannot_be_resampled),
        cmocka_unit_test(step_response),
        cmocka_unit_test(starts_at_the_first_sample),
        cmocka_unit_test(half_the_power_at_the_cutoff),
        cmocka_unit_test(a_decade_beyond_the_cutoff),
        cmocka_unit_test(summary_of_known_parts),
        cmocka_unit_test(what_a_short_series_does_not_tell),
        cmocka_unit_test(classes_of_g8273_2),
        cmocka_unit_test(borders_of_the_primary_reference_clocks),
        cmocka_unit_test(masks_have_no_holes),
        cmocka_unit_test(refuses_what_is_no_mask),
        cmocka_unit_test(refuses_windows_that_do_not_fit),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
