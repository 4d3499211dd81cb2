/* SPDX-License-Identifier: MIT */
/* Times as decimals: exact to the last digit, both ways. */
#include "analysis_format.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_decimals_are_exact(void **state)
{
    (void)state;
    static const struct {
        ptpmon_time time;
        const char *text;
    } times[] = {
        {{0, 0}, "0"},
        {{8, 0}, "8"},
        {{-8, 0}, "-8"},
        {{0, 32768}, "0.5"},
        {{-1, 32768}, "-0.5"},
        {{-13, 32768}, "-12.5"},
        {{0, 1}, "0.0000152587890625"},
        {{-1, 65535}, "-0.0000152587890625"},
        {{-1, 1}, "-0.9999847412109375"},
        {{0, 65535}, "0.9999847412109375"},
        {{1700000000123456789, 16384}, "1700000000123456789.25"},
        {{INT64_MAX, 65535}, "9223372036854775807.9999847412109375"},
        {{INT64_MIN, 0}, "-9223372036854775808"},
        {{INT64_MIN, 1}, "-9223372036854775807.9999847412109375"},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[ANALYSIS_NUMBER_SIZE];
        assert_string_equal(analysis_decimal(times[i].time, text), times[i].text);
    }
}

static void test_corrections_are_rounded_down(void **state)
{
    (void)state;
    static const struct {
        int64_t scaled;
        const char *text;
    } corrections[] = {
        {0, "0"},
        {65536, "1"},
        {-65536, "-1"},
        {-1, "-0.0000152587890625"},
        {INT64_MAX, "140737488355327.9999847412109375"},
        {INT64_MIN, "-140737488355328"},
    };
    for (size_t i = 0; i < sizeof corrections / sizeof *corrections; i++) {
        char text[ANALYSIS_NUMBER_SIZE];
        assert_string_equal(analysis_decimal(analysis_of_scaled(corrections[i].scaled), text), corrections[i].text);
    }
}

static void test_what_a_person_types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ptpmon_time time;
    } fits[] = {
        {"0", {0, 0}},
        {"-0", {0, 0}},
        {"1000", {1000, 0}},
        {"+7", {7, 0}},
        {"-12.5", {-13, 32768}},
        {"12.5", {12, 32768}},
        {"0.0000152587890625", {0, 1}},
        {"-0.0000152587890625", {-1, 65535}},
        {"0.99999999", {1, 0}},
        {"-0.99999999", {-1, 0}},
        {"999999999999999999", {999999999999999999, 0}},
    };
    static const char *const refused[] = {"",    "-",   ".5",    "5.",  "1e3", "0x10", "1,5",
                                          "12x", "--1", "1.5ns", "nan", "inf", " 1",   "1000000000000000000"};
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        ptpmon_time time;
        assert_true(analysis_parse_ns(fits[i].text, &time));
        assert_int_equal(time.ns, fits[i].time.ns);
        assert_int_equal(time.fraction, fits[i].time.fraction);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ptpmon_time time = {42, 42};
        assert_false(analysis_parse_ns(refused[i], &time));
        assert_int_equal(time.ns, 42);
    }
}

static void test_numbers_for_people(void **state)
{
    (void)state;
    char text[ANALYSIS_NUMBER_SIZE];
    assert_string_equal(analysis_number(12.34, 1, text), "12.3");
    assert_string_equal(analysis_number(-0.04, 1, text), "0.0");
    assert_string_equal(analysis_number(-0.06, 1, text), "-0.1");
    assert_string_equal(analysis_number(NAN, 1, text), "-");
    assert_string_equal(analysis_number(-INFINITY, 1, text), "-");
    assert_true(strlen(analysis_number(-1.7e308, 6, text)) < ANALYSIS_NUMBER_SIZE - 1);
    assert_true(strlen(analysis_number(-9.99e17, 6, text)) < ANALYSIS_NUMBER_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals_are_exact),
        cmocka_unit_test(test_corrections_are_rounded_down),
        cmocka_unit_test(test_what_a_person_types),
        cmocka_unit_test(test_numbers_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
