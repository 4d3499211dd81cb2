/* SPDX-License-Identifier: MIT */
/* The simulator's integers: products and quotients beyond 64 bits, distributions, values of settings, clocks. */
#include "simulator/agenda.h"
#include "simulator/clock.h"
#include "simulator/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

__extension__ typedef __int128 wide;

static void test_products_and_quotients(void **state)
{
    (void)state;
    struct sim_random random = {1};
    for (int i = 0; i < 200000; i++) {
        int64_t a = (int64_t)sim_random_next(&random) >> (sim_random_next(&random) % 64);
        int64_t rate = (int64_t)sim_random_next(&random) >> (16 + sim_random_next(&random) % 48);
        wide product = (wide)a * rate / ((wide)1 << 48);
        assert_true(sim_scale(a, rate) == (int64_t)product);

        int64_t divisor = (int64_t)(sim_random_next(&random) >> (1 + sim_random_next(&random) % 62)) + 1;
        unsigned int bits = (unsigned int)(sim_random_next(&random) % 62);
        wide quotient = (wide)(a >> 1) * ((wide)1 << bits) / divisor;
        int64_t got = sim_shift_divide(a >> 1, bits, divisor);
        if (quotient > INT64_MAX / 2 || quotient < -(INT64_MAX / 2))
            assert_true(got == (int64_t)quotient || got == INT64_MAX || got == -INT64_MAX);
        else
            assert_true(got == (int64_t)quotient);
    }
    assert_int_equal(sim_floor_divide(-1, 8), -1);
    assert_int_equal(sim_floor_divide(-8, 8), -1);
    assert_int_equal(sim_floor_divide(7, 8), 0);
    /* 1 + 100 ppm over 1 - 100 ppm: 200.02 ppm */
    int64_t ppm = SIM_RATE_ONE / 1000000;
    assert_in_range(sim_ratio_offset(100 * ppm, -100 * ppm), (INT64_C(1) << 41) / 1000000 * 200,
                    (INT64_C(1) << 41) / 1000000 * 20003 / 100);
}

static void test_distributions(void **state)
{
    (void)state;
    struct sim_random random = {2};
    const int64_t sigma = 1000 * SIM_NS;
    const int count = 200000;
    double sum = 0, squares = 0, exponential = 0;
    int beyond = 0;
    for (int i = 0; i < count; i++) {
        double x = (double)sim_random_gaussian(&random, sigma) / (double)sigma;
        assert_true(x >= -SIM_GAUSSIAN_MAX && x <= SIM_GAUSSIAN_MAX);
        sum += x;
        squares += x * x;
        beyond += x > 2 || x < -2;
        double y = (double)sim_random_exponential(&random, sigma) / (double)sigma;
        assert_true(y >= 0 && y < 23);
        exponential += y;
    }
    assert_true(sum / count > -0.01 && sum / count < 0.01);
    assert_true(squares / count > 0.99 && squares / count < 1.01);
    assert_in_range(beyond, count * 43 / 1000, count * 48 / 1000); /* Gauss: 4.55 % */
    assert_true(exponential / count > 0.99 && exponential / count < 1.01);
    /* Two streams of one seed are not the same, nor are those of two seeds. */
    struct sim_random a = sim_random_of(1, 1), b = sim_random_of(1, 2), c = sim_random_of(2, 1);
    uint64_t first = sim_random_next(&a);
    assert_true(first != sim_random_next(&b) && first != sim_random_next(&c));
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        sim_time time;
    } times[] = {
        {"0", 0},
        {"1ns", SIM_NS},
        {"-1ns", -SIM_NS},
        {"0.5ns", SIM_NS / 2},
        {"0.00001525878906250ns", -1}, /* too many digits */
        {"0.000015259ns", 1},
        {"1.5us", 1500 * SIM_NS},
        {"+2.000000001s", 2 * SIM_S + SIM_NS},
        {"-0.25ms", -250 * SIM_US},
        {"1.5m", 90 * SIM_S},
        {"1.5min", 90 * SIM_S},
        {"0.5d", 12 * 3600 * SIM_S},
        {"24h", 24 * 3600 * SIM_S},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        sim_time time = 0;
        bool fits = ptpmon_sim_parse_time(times[i].text, strlen(times[i].text), &time);
        assert_int_equal(fits, times[i].time != -1);
        if (fits)
            assert_true(time == times[i].time);
    }
    static const char *const wrong[] = {"", "1", "s", ".s", "1.2.3s", "1 s", "31h", "1S", "-", "1ss", "9999999999ns"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sim_time time;
        assert_false(ptpmon_sim_parse_time(wrong[i], strlen(wrong[i]), &time));
    }
}

static void test_rates_and_chances(void **state)
{
    (void)state;
    int64_t rate = 0;
    uint64_t chance = 0;
    assert_true(ptpmon_sim_parse_ppm("1000", 4, &rate));
    assert_int_equal(rate, (SIM_RATE_ONE + 500) / 1000);
    assert_true(ptpmon_sim_parse_ppm("-1ppm", 5, &rate));
    assert_int_equal(rate, -281474977); /* 2^48 / 10^6 = 281474976.7 */
    assert_false(ptpmon_sim_parse_ppm("1ppb", 4, &rate));
    assert_true(ptpmon_sim_parse_chance("0.5", 3, &chance));
    assert_int_equal(chance, SIM_CHANCE_ONE / 2);
    assert_true(ptpmon_sim_parse_chance("1", 1, &chance));
    assert_int_equal(chance, SIM_CHANCE_ONE);
}

static void test_faults_are_read(void **state)
{
    (void)state;
    struct sim_fault fault;
    char problem[192];
    assert_true(ptpmon_sim_parse_fault("loss:type=sync,p=0.25,at=1s,until=2s,where=bridge1-up", &fault, problem,
                                       sizeof problem));
    assert_int_equal(fault.kind, SIM_LOSS);
    assert_int_equal(fault.types, 1);
    assert_int_equal(fault.chance, SIM_CHANCE_ONE / 4);
    assert_int_equal(fault.at, SIM_S);
    assert_int_equal(fault.until, 2 * SIM_S);
    assert_string_equal(fault.where, "bridge1-up");
    for (int kind = 0; kind < SIM_FAULT_KINDS; kind++) {
        char text[64];
        static const char *const needs[] = {"", ":size=1us", ":ppm=1"};
        bool fits = false;
        for (size_t i = 0; i < sizeof needs / sizeof *needs && !fits; i++) {
            snprintf(text, sizeof text, "%s%s", ptpmon_sim_fault_name((enum sim_fault_kind)kind), needs[i]);
            fits = ptpmon_sim_parse_fault(text, &fault, problem, sizeof problem);
        }
        assert_true(fits);
        assert_int_equal(fault.kind, kind);
    }
}

static void test_faults_take_what_means_something_to_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } wrong[] = {
        {"loss:p=2", "`p=2` does not fit: p is 0 to 1"},
        {"loss:at=5", "`at=5` does not fit: at is a TIME"},
        {"loss:p", "`p` does not fit"},
        {"loss:q=1", "`q=1` is none of at, until, p"},
        {"loss:size=1s", "it takes no `size`"},
        {"phc_step:size=1s,p=0.5", "it takes no `p`"},
        {"phc_step:size=1s,until=2s", "it takes no `until`"},
        {"phc_step:size=401s", "size is a TIME, -400s to 400s"},
        {"phc_rate:ppm=1001", "ppm is -1000 to 1000"},
        {"path_change:size=1us,link=10", "link is 1 to 9"},
        {"second_gm:takes_over=maybe", "takes_over is no or yes"},
        {"stuck_latch:type=announce", "it befalls no message of this type"},
        {"bad_nanoseconds:type=sync", "it befalls no message of this type"},
        {"loss:type=signaling", "type is sync, delay_req"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sim_fault fault;
        char problem[192] = "";
        assert_false(ptpmon_sim_parse_fault(wrong[i].text, &fault, problem, sizeof problem));
        if (strstr(problem, wrong[i].problem) == NULL)
            fail_msg("%s: %s", wrong[i].text, problem);
    }
}

static void test_clock(void **state)
{
    (void)state;
    struct sim_clock clock;
    int64_t ppm10 = 0;
    assert_true(ptpmon_sim_parse_ppm("10", 2, &ppm10));
    ptpmon_sim_clock_start(&clock, 5, 3 * SIM_NS, 0, 0, (struct sim_random){0});
    assert_int_equal(ptpmon_sim_clock_read(&clock, 7 * SIM_S), 7 * SIM_S + 3 * SIM_NS);
    ptpmon_sim_clock_step(&clock, 8 * SIM_S, -SIM_US);
    assert_int_equal(ptpmon_sim_clock_read(&clock, 8 * SIM_S), 8 * SIM_S + 3 * SIM_NS - SIM_US);
    ptpmon_sim_clock_change_rate(&clock, 10 * SIM_S, ppm10);
    sim_time gained = ptpmon_sim_clock_read(&clock, 20 * SIM_S) - (20 * SIM_S + 3 * SIM_NS - SIM_US);
    assert_in_range(gained, 100 * SIM_US - 8, 100 * SIM_US + 8); /* 10 s by 10 ppm */
    ptpmon_time shown = sim_clock_time(&clock, -1);
    assert_int_equal(shown.ns, 4);
    assert_int_equal(shown.fraction, 65535);
}

/* The walk of the frequency: after 100 s its sigma is ten times that of one second. */
static void test_wander(void **state)
{
    (void)state;
    double squares = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct sim_clock clock;
        ptpmon_sim_clock_start(&clock, 0, 0, 0, SIM_RATE_ONE / 1000000, sim_random_of(seed, 0));
        (void)ptpmon_sim_clock_read(&clock, 100 * SIM_S);
        double ppm = (double)clock.rate / (double)(SIM_RATE_ONE / 1000000);
        squares += ppm * ppm;
    }
    assert_true(squares / 400 > 80 && squares / 400 < 120);
}

static void note(void *object, void *argument)
{
    (void)object;
    (void)argument;
}

static void test_agenda(void **state)
{
    (void)state;
    struct sim_agenda agenda = {0};
    struct sim_random random = {3};
    struct sim_item item = {.act = note};
    for (int i = 0; i < 5000; i++) {
        item.at = (sim_time)(sim_random_next(&random) % 1000);
        assert_true(ptpmon_sim_agenda_add(&agenda, &item));
    }
    sim_time at = 0;
    uint64_t order = 0;
    for (int i = 0; i < 5000; i++) {
        assert_true(ptpmon_sim_agenda_take(&agenda, &item));
        assert_true(item.at > at || (item.at == at && (i == 0 || item.order > order)));
        at = item.at;
        order = item.order;
    }
    assert_false(ptpmon_sim_agenda_take(&agenda, &item));
    ptpmon_sim_agenda_free(&agenda);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_and_quotients),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_rates_and_chances),
        cmocka_unit_test(test_faults_are_read),
        cmocka_unit_test(test_faults_take_what_means_something_to_them),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_wander),
        cmocka_unit_test(test_agenda),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
