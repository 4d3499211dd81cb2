/* SPDX-License-Identifier: MIT */
/* The names of a recording's files, which of them are in the way, and that no others are removed. */
#include "recording_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char *const one[] = {"eth0"};
static char *const two[] = {"eth0", "eth1"};

/* A directory of its own, to which the test goes. */
static int setup(void **state)
{
    static char directory[] = "/tmp/ptpmon-names-XXXXXX";
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    *state = mkdtemp(directory);
    return *state == NULL || chdir(directory) != 0;
}

static int teardown(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", (const char *)*state);
    return chdir("/") != 0 || system(command) != 0;
}

static struct recording_names names_of(const char *base, char *const *interfaces, size_t count, bool numbered)
{
    struct recording_names names = {
        .interfaces = interfaces, .interface_count = count, .captures = true, .numbered = numbered};
    assert_true(recording_names_set_base(&names, base));
    return names;
}

static void make(const char *name)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fclose(file);
}

static bool exists(const char *name)
{
    return access(name, F_OK) == 0;
}

static void test_names(void **state)
{
    (void)state;
    char path[RECORDING_PATH_SIZE];
    struct recording_names names = names_of("dir.x/trace", one, 1, false);
    assert_string_equal(recording_names_capture(&names, 7, path), "dir.x/trace.pcapng");
    assert_string_equal(recording_names_events(&names, 7, 0, path), "dir.x/trace.events");
    names = names_of("trace", two, 2, true);
    assert_string_equal(recording_names_capture(&names, 7, path), "trace-0007.pcapng");
    assert_string_equal(recording_names_events(&names, 7, 1, path), "trace-0007.eth1.events");
    assert_string_equal(recording_names_events(&names, 12345, 0, path), "trace-12345.eth0.events");
    assert_string_equal(recording_names_set(&names, 12, path), "trace-0012");
}

static void test_bases(void **state)
{
    (void)state;
    static const char *const endings[] = {"trace", "trace.pcapng", "trace.events"};
    struct recording_names names = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_true(recording_names_set_base(&names, endings[i]));
        assert_string_equal(names.base, "trace");
    }
    assert_true(recording_names_set_base(&names, "trace.pcap"));
    assert_string_equal(names.base, "trace.pcap");
    assert_true(recording_names_set_base(&names, NULL));
    assert_memory_equal(names.base, "ptpmon-20", 9);
    assert_int_equal(strlen(names.base), strlen("ptpmon-20261122-203000"));
    char longest[RECORDING_PATH_SIZE + 1];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_false(recording_names_set_base(&names, longest));
    assert_false(recording_names_set_base(&names, ""));
    assert_false(recording_names_set_base(&names, "dir/"));
}

static void test_files_in_the_way(void **state)
{
    (void)state;
    char path[RECORDING_PATH_SIZE];
    struct recording_names names = names_of("a", two, 2, false);
    make("a.events"); /* of one interface only: another name */
    make("a-0001.pcapng");
    assert_false(recording_names_in_use(&names, path));
    make("a.eth1.events");
    assert_true(recording_names_in_use(&names, path));
    assert_string_equal(path, "a.eth1.events");
    assert_int_equal(symlink("nowhere", "a.pcapng"), 0); /* even where it leads nowhere */
    assert_true(recording_names_in_use(&names, path));
    assert_string_equal(path, "a.pcapng");
    names.captures = false;
    assert_true(recording_names_in_use(&names, path));
    assert_string_equal(path, "a.eth1.events");
}

static void test_numbered_files_in_the_way(void **state)
{
    (void)state;
    static const char *const others[] = {"a.pcapng",       "a-1x.pcapng", "a-.pcapng",       "b-0001.pcapng",
                                         "a-0001.pcapng~", "a-0001",      "a-0001.x.events", "a-0000.events"};
    char path[RECORDING_PATH_SIZE];
    struct recording_names names = names_of("a", one, 1, true);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        make(others[i]);
    assert_false(recording_names_in_use(&names, path));
    make("a-0017.events");
    assert_true(recording_names_in_use(&names, path));
    assert_string_equal(path, "a-0017.events");
    make("a-0003.pcapng");
    assert_true(recording_names_remove_all(&names, path));
    assert_false(recording_names_in_use(&names, path));
    assert_false(exists("a-0017.events") || exists("a-0003.pcapng"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(exists(others[i]));
}

static void test_another_directory(void **state)
{
    (void)state;
    char path[RECORDING_PATH_SIZE];
    assert_int_equal(mkdir("sub", 0777), 0);
    make("sub/a-0002.pcapng");
    struct recording_names names = names_of("sub/a", one, 1, true), here = names_of("a", one, 1, true);
    assert_false(recording_names_in_use(&here, path));
    assert_true(recording_names_in_use(&names, path));
    assert_string_equal(path, "sub/a-0002.pcapng");
    struct recording_names nowhere = names_of("nosuch/a", one, 1, true);
    assert_false(recording_names_in_use(&nowhere, path));
}

static void test_a_set_is_removed_as_a_whole(void **state)
{
    (void)state;
    char path[RECORDING_PATH_SIZE];
    struct recording_names names = names_of("a", two, 2, true);
    make("a-0001.pcapng");
    make("a-0001.eth0.events");
    make("a-0002.pcapng");
    assert_true(recording_names_remove(&names, 1, path)); /* that of eth1 is not there */
    assert_false(exists("a-0001.pcapng") || exists("a-0001.eth0.events"));
    assert_true(exists("a-0002.pcapng"));
    assert_int_equal(mkdir("a-0002.eth1.events", 0777), 0);
    assert_false(recording_names_remove(&names, 2, path));
    assert_string_equal(path, "a-0002.eth1.events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bases),
        cmocka_unit_test_setup_teardown(test_files_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbered_files_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_set_is_removed_as_a_whole, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
