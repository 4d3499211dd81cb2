/* SPDX-License-Identifier: MIT */
/* Values of options: what is taken exactly, and what is refused and leaves the value alone. */
#include "cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 4711u

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } durations[] = {
        {"10", 10000000000},
        {"9s", 9000000000},
        {"500ms", 500000000},
        {"2m", 120000000000},
        {"2min", 120000000000},
        {"1h", 3600000000000},
        {"1d", 86400000000000},
        {"1.5s", 1500000000},
        {"0.5", 500000000},
        {"1.001", 1001000000},
        {"1ms", 1000000},
        {"500us", 500000},
        {"1.5us", 1500},
        {"125ns", 125},
        {"1ns", 1},
        {"0.001", 1000000},
        {"3652.5d", 315576000000000000},
    };
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        uint64_t ns = UNTOUCHED;
        assert_true(cli_parse_duration(durations[i].text, &ns));
        assert_int_equal(ns, durations[i].ns);
    }
}

static void test_every_millisecond_is_exact(void **state)
{
    (void)state;
    for (unsigned ms = 1; ms <= 20000; ms++) {
        char text[32];
        uint64_t ns;
        snprintf(text, sizeof text, "%ums", ms);
        assert_true(cli_parse_duration(text, &ns));
        assert_int_equal(ns, ms * 1000000ull);
        snprintf(text, sizeof text, "%u.%03us", ms / 1000, ms % 1000);
        assert_true(cli_parse_duration(text, &ns));
        assert_int_equal(ns, ms * 1000000ull);
    }
}

static void test_bad_durations(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "0",    "0s",   "0.4ns", "-1",  "+1",    " 1", "1 s", "s",  "1x",    "1ss",    "1e3",
        "1e400", "0x10", "0x1d", "inf",   "nan", "1.2.3", ".5", "1,5", "1S", "3653d", "87661h", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t ns = UNTOUCHED;
        if (cli_parse_duration(bad[i], &ns))
            fail_msg("`%s` is taken", bad[i]);
        assert_int_equal(ns, UNTOUCHED);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t minimum, maximum, value;
    } numbers[] = {
        {"0", 0, 0, 0},
        {"9", 0, 9, 9},
        {"010", 0, 20, 10},
        {"0x1F", 0, 31, 31},
        {"0Xff", 0, 255, 255},
        {"5", 5, 5, 5},
        {"18446744073709551615", 1, UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t value = UNTOUCHED;
        assert_true(cli_parse_number(numbers[i].text, numbers[i].minimum, numbers[i].maximum, &value));
        assert_true(value == numbers[i].value);
    }
    static const char *const bad[] = {"",
                                      "4",
                                      "11",
                                      "-5",
                                      "+5",
                                      " 5",
                                      "5 ",
                                      "5x",
                                      "0x",
                                      "x5",
                                      "5.0",
                                      "0x-5",
                                      "18446744073709551621",
                                      "0x10000000000000005"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t value = UNTOUCHED;
        if (cli_parse_number(bad[i], 5, 10, &value))
            fail_msg("`%s` is taken", bad[i]);
        assert_int_equal(value, UNTOUCHED);
    }
    uint64_t value = UNTOUCHED;
    assert_false(cli_parse_number("18446744073709551616", 0, UINT64_MAX, &value));
    assert_int_equal(value, UNTOUCHED);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"65536", 65536},
                 {"64K", 65536},
                 {"64k", 65536},
                 {"1M", 1048576},
                 {"1m", 1048576},
                 {"0x10", 16},
                 {"0x10K", 16384},
                 {"1", 1},
                 {"4095M", 4293918720u},
                 {"4194303K", 4294966272u},
                 {"3G", 3221225472u},
                 {"3g", 3221225472u},
                 {"4294967295", UINT32_MAX}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t bytes = UNTOUCHED;
        assert_true(cli_parse_size(sizes[i].text, UINT32_MAX, &bytes));
        assert_true(bytes == sizes[i].bytes);
    }
    static const char *const bad[] = {"",     "0",     "0K",       "K",          "M",
                                      "4G",   "1KB",   "1KK",      "-1K",        "1 K",
                                      "1.5M", "4096M", "4194304K", "4294967296", "000000000000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t bytes = UNTOUCHED;
        if (cli_parse_size(bad[i], UINT32_MAX, &bytes))
            fail_msg("`%s` is taken", bad[i]);
        assert_int_equal(bytes, UNTOUCHED);
    }
    uint64_t bytes = UNTOUCHED;
    assert_true(cli_parse_size("8589934592G", INT64_MAX, &bytes) == false);
    assert_true(cli_parse_size("8589934591G", INT64_MAX, &bytes));
    assert_true(bytes == UINT64_C(8589934591) << 30);
}

static void test_choices(void **state)
{
    (void)state;
    static const char *const names[] = {"auto", "always", "never", NULL};
    assert_int_equal(cli_parse_choice("auto", names), 0);
    assert_int_equal(cli_parse_choice("ALWAYS", names), 1);
    assert_int_equal(cli_parse_choice("never", names), 2);
    assert_int_equal(cli_parse_choice("nev", names), -1);
    assert_int_equal(cli_parse_choice("nevers", names), -1);
    assert_int_equal(cli_parse_choice("", names), -1);
}

static void test_exit_codes(void **state)
{
    (void)state;
    static const int codes[] = {
        [PTPMON_OK] = 0,
        [PTPMON_END] = 0,
        [PTPMON_NOTHING] = 0,
        [PTPMON_NO_INTERFACE] = 3,
        [PTPMON_NO_PERMISSION] = 4,
        [PTPMON_NOT_SUPPORTED] = 5,
        [PTPMON_NO_MEMORY] = 1,
        [PTPMON_BUSY] = 6,
        [PTPMON_INVALID] = 2,
        [PTPMON_BAD_FILE] = 7,
        [PTPMON_IO] = 1,
    };
    for (int status = PTPMON_OK; status <= PTPMON_IO; status++)
        assert_int_equal(cli_exit_code((ptpmon_status)status), codes[status]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),     cmocka_unit_test(test_every_millisecond_is_exact),
        cmocka_unit_test(test_bad_durations), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_choices),
        cmocka_unit_test(test_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
