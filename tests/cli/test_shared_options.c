/* SPDX-License-Identifier: MIT */
/* Options that commands share: each sets what it names, once for all of them, and refuses what it cannot be. */
#include "cli.h"
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int take(void *context, int option)
{
    return options_take_shared(context, option);
}

static const struct option table[] = {
    OPTIONS_FILTER, OPTIONS_DURATION, OPTIONS_COUNT, OPTIONS_SCALES, OPTIONS_WIDE,
    OPTIONS_COLOR,  OPTIONS_JSON,     OPTIONS_SEEN,  OPTIONS_END,
};

/* Reads a line of words separated by blanks; what is no option is left for the command. */
static bool read_line(const char *text, struct shared_options *shared, int *code, char *left, size_t size)
{
    static const struct command_line line = {table, ":h", "", take};
    char words[512], *argv[32];
    int argc = 0;
    strcpy(words, text);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    memset(shared, 0, sizeof *shared);
    optind = 0; /* glibc: begin anew */
    bool goes_on = options_read(&line, argc, argv, shared, code);
    left[0] = 0;
    for (int i = optind; goes_on && i < argc; i++) {
        strncat(left, argv[i], size - strlen(left) - 1);
        strncat(left, " ", size - strlen(left) - 1);
    }
    return goes_on;
}

static void test_each_sets_what_it_names(void **state)
{
    (void)state;
    struct shared_options *shared = calloc(1, sizeof *shared);
    char left[64];
    int code = -1;
    assert_non_null(shared);
    assert_true(
        read_line("x --domain=24 eth0 --type=sync,8 --direction rx --vlan=none --duration=2m --count=7 --time=utc "
                  "--phc=tai --wide --color=never --json --enable-hw-stamps --no-capture --no-tracing --ring=64K "
                  "--port=a2b3c4.fffe.d5e6f7-1 eth1 -- --eth2",
                  shared, &code, left, sizeof left));
    assert_string_equal(left, "eth0 eth1 --eth2 ");
    assert_true(shared->filter.by_domain && shared->filter.domains[24] && !shared->filter.domains[0]);
    assert_true(shared->filter.types[0] && shared->filter.types[8] && !shared->filter.types[1]);
    assert_true(shared->filter.by_direction && shared->filter.untagged && shared->filter.port_count == 1);
    assert_true(shared->duration_ns == 120 * (uint64_t)NS_PER_S && shared->count == 7);
    assert_int_equal(shared->report.time, TIME_UTC);
    assert_int_equal(shared->report.phc, PHC_TAI);
    assert_true(shared->report.wide && shared->report.json && shared->session.no_capture);
    assert_int_equal(shared->colour, 2);
    assert_int_equal(shared->session.monitor.flags, PTPMON_HW_STAMPS | PTPMON_NO_TRACING);
    assert_int_equal(shared->session.monitor.ring_bytes, 65536);
    free(shared);
}

static void test_bad_values(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "x --domain=256", "x --type=synk", "x --direction=up", "x --vlan=4096", "x --duration=0",
        "x --count=0",    "x --time=noon", "x --phc=gps",      "x --color=red", "x --ring=3000",
        "x --ring=8G",    "x --json=yes",  "x --port=1",       "x --nosuch",    "x -x",
        "x --ring",
    };
    struct shared_options *shared = calloc(1, sizeof *shared);
    assert_non_null(shared);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char left[64];
        int code = -1;
        if (read_line(bad[i], shared, &code, left, sizeof left))
            fail_msg("`%s` is taken", bad[i]);
        assert_int_equal(code, CLI_USAGE);
    }
    free(shared);
}

static void test_help_ends_well(void **state)
{
    (void)state;
    struct shared_options *shared = calloc(1, sizeof *shared);
    char left[64];
    int code = -1;
    assert_non_null(shared);
    assert_false(read_line("x --help --nosuch", shared, &code, left, sizeof left));
    assert_int_equal(code, CLI_OK);
    assert_false(read_line("x -h", shared, &code, left, sizeof left));
    assert_int_equal(code, CLI_OK);
    free(shared);
}

static void test_interfaces(void **state)
{
    (void)state;
    static char longest[PTPMON_NAME_MAX + 1];
    memset(longest, 'x', sizeof longest - 1);
    char *good[] = {"eth0", "eth1"}, *twice[] = {"eth0", "eth1", "eth0"}, *empty[] = {""}, *too_long[] = {longest};
    char *many[OPTIONS_INTERFACES_MAX + 1], names[OPTIONS_INTERFACES_MAX + 1][8];
    for (int i = 0; i <= OPTIONS_INTERFACES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "e%d", i);
        many[i] = names[i];
    }
    assert_int_equal(options_check_interfaces(good, 2), CLI_OK);
    assert_int_equal(options_check_interfaces(many, OPTIONS_INTERFACES_MAX), CLI_OK);
    assert_int_equal(options_check_interfaces(many, OPTIONS_INTERFACES_MAX + 1), CLI_USAGE);
    assert_int_equal(options_check_interfaces(good, 0), CLI_USAGE);
    assert_int_equal(options_check_interfaces(twice, 3), CLI_USAGE);
    assert_int_equal(options_check_interfaces(empty, 1), CLI_USAGE);
    assert_int_equal(options_check_interfaces(too_long, 1), CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sets_what_it_names),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_help_ends_well),
        cmocka_unit_test(test_interfaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
