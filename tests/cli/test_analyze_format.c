/* SPDX-License-Identifier: MIT */
/* Times as decimals: exact to the last digit, both ways. */
#include "analysis_format.h"
#include "analysis_report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void test_tenths_are_rounded(void **state)
{
    (void)state;
    static const struct {
        ptpmon_time time;
        const char *text;
    } times[] = {
        {{0, 0}, "0.0"},
        {{8, 0}, "8.0"},
        {{-1, 65535}, "0.0"},
        {{0, 3276}, "0.0"},
        {{0, 3277}, "0.1"},
        {{-1, 65536 - 3277}, "-0.1"},
        {{-166, 65536 - 27749}, "-165.4"},
        {{9, 65535}, "10.0"},
        {{-10, 1}, "-10.0"},
        {{1700000000123456789, 16384}, "1700000000123456789.3"},
        {{INT64_MAX, 65535}, "9223372036854775808.0"},
        {{INT64_MIN, 0}, "-9223372036854775808.0"},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[ANALYSIS_NUMBER_SIZE];
        assert_string_equal(analysis_tenths(times[i].time, text), times[i].text);
    }
}

/* What is written to standard output meanwhile. */
static size_t written(const struct analysis *analysis, const ptpmon_exchange *exchanges, size_t count, char *text,
                      size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    assert_true(before >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    for (size_t i = 0; i < count; i++)
        analysis_report_exchange(analysis, &exchanges[i]);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
    rewind(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = 0;
    fclose(file);
    return length;
}

/* Signs and digits do not make the columns jump, nor do names of several points. */
static void test_lines_of_exchanges_stand_in_columns(void **state)
{
    (void)state;
    static struct analysis analysis = {.count = 2};
    strcpy(analysis.points[0].name, "eth0");
    strcpy(analysis.points[1].name, "enp3s0f1");
    const uint32_t known = PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_DELAY;
    const ptpmon_exchange exchanges[] = {
        {.kind = PTPMON_EXCHANGE_E2E,
         .point = 0,
         .known = known,
         .sequenceId = 8,
         .offsetFromMaster = {-166, 37787},
         .delay = {2622, 27749}},
        {.kind = PTPMON_EXCHANGE_SYNC,
         .point = 1,
         .known = known,
         .sequenceId = 65535,
         .offsetFromMaster = {36999999999, 65535}},
    };
    char text[1024];
    assert_true(written(&analysis, exchanges, 2, text, sizeof text) > 0);
    const char *second = strchr(text, '\n') + 1;
    assert_true(strstr(text, "offsetFromMaster         -165.4 ns  meanPathDelay         2622.4 ns  by ") != NULL);
    assert_true(strstr(second, "offsetFromMaster  37000000000.0 ns  by ") != NULL);
    assert_int_equal(strstr(text, "offsetFromMaster") - text, strstr(second, "offsetFromMaster") - second);
    assert_int_equal(strstr(text, " ns") - text, strstr(second, " ns") - second);
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
        cmocka_unit_test(test_tenths_are_rounded),
        cmocka_unit_test(test_lines_of_exchanges_stand_in_columns),
        cmocka_unit_test(test_corrections_are_rounded_down),
        cmocka_unit_test(test_what_a_person_types),
        cmocka_unit_test(test_numbers_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
