/* SPDX-License-Identifier: MIT */
/* Which captures and events belong together, by name and by order. */
#include "analysis_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "capture+events capture+ +events": the pairs of a command line. Events are the names that end so. */
static void assert_pairs(const char *line, const char *expected)
{
    char words[256], found[512] = "";
    struct analysis_file files[16];
    struct analysis_pair pairs[16];
    size_t count = 0;
    strcpy(words, line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        files[count++] = (struct analysis_file){.path = word, .is_events = strstr(word, "ev") != NULL};
    size_t pair_count = analysis_pair_files(files, count, pairs);
    for (size_t i = 0; i < pair_count; i++) {
        size_t length = strlen(found);
        snprintf(found + length, sizeof found - length, "%s%s+%s", i > 0 ? " " : "",
                 pairs[i].capture != NULL ? pairs[i].capture : "", pairs[i].events != NULL ? pairs[i].events : "");
    }
    assert_string_equal(found, expected);
}

static void test_alone(void **state)
{
    (void)state;
    assert_pairs("a.pcap", "a.pcap+");
    assert_pairs("a.events", "+a.events");
    assert_pairs("a.pcap b.pcap", "a.pcap+ b.pcap+");
    assert_pairs("a.events b.events", "+a.events +b.events");
}

static void test_two(void **state)
{
    (void)state;
    assert_pairs("x.pcapng y.events", "x.pcapng+y.events");
    assert_pairs("y.events x.pcapng", "x.pcapng+y.events");
}

static void test_by_name(void **state)
{
    (void)state;
    assert_pairs("a.pcapng b.pcapng b.events a.events", "a.pcapng+a.events b.pcapng+b.events");
    assert_pairs("t.client.pcapng t.gm.pcapng t.gm.events t.client.events",
                 "t.client.pcapng+t.client.events t.gm.pcapng+t.gm.events");
    assert_pairs("a.pcap a.events", "a.pcap+a.events");
}

/* One capture of several interfaces, as `record` writes it. */
static void test_one_capture_of_several_interfaces(void **state)
{
    (void)state;
    assert_pairs("t.pcapng t.eth0.events t.eth1.events", "t.pcapng+t.eth0.events t.pcapng+t.eth1.events");
    assert_pairs("t.eth1.events t.eth0.events t.pcapng", "t.pcapng+t.eth1.events t.pcapng+t.eth0.events");
    assert_pairs("t.eth1.events t.pcapng t.eth0.events", "t.pcapng+t.eth1.events t.pcapng+t.eth0.events");
}

/* The longer name wins, whatever the order. */
static void test_names_that_begin_alike(void **state)
{
    (void)state;
    assert_pairs("t.pcapng t.a.pcapng t.events t.a.events", "t.pcapng+t.events t.a.pcapng+t.a.events");
    assert_pairs("t.pcapng tt.events u.pcapng", "t.pcapng+tt.events u.pcapng+");
}

static void test_by_order(void **state)
{
    (void)state;
    assert_pairs("c1 ev1 c2 ev2", "c1+ev1 c2+ev2");
    assert_pairs("ev1 c1 ev2 c2", "c1+ev1 c2+ev2");
    assert_pairs("c1 c2 ev1 ev2", "c1+ev1 c2+ev2");
    assert_pairs("a.pcapng a.events c1 ev1", "a.pcapng+a.events c1+ev1");
}

/* Not as many of both: who stands next to whom. */
static void test_neighbours(void **state)
{
    (void)state;
    assert_pairs("c1 c2 ev2", "c1+ c2+ev2");
    assert_pairs("c1 ev1 c2", "c1+ev1 c2+");
    assert_pairs("ev1 ev2 c2", "+ev1 c2+ev2");
    assert_pairs("c1 ev1 ev2", "c1+ev1 +ev2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_two),
        cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_one_capture_of_several_interfaces),
        cmocka_unit_test(test_names_that_begin_alike),
        cmocka_unit_test(test_by_order),
        cmocka_unit_test(test_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
