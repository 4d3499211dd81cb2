/* SPDX-License-Identifier: MIT */
/* The words on a terminal: how far, how fast, how long the disk lasts. */
#include "cli.h"
#include "progress.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S ((uint64_t)NS_PER_S)

static void test_bytes(void **state)
{
    (void)state;
    static const struct {
        double bytes;
        const char *text;
    } sizes[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {1048523, "1023.9 KiB"},
        {1048575, "1.0 MiB"},
        {1048576, "1.0 MiB"},
        {5368709120, "5.0 GiB"},
        {1e15, "909.5 TiB"},
        {1.8e19, "15987.2 PiB"},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char text[PROGRESS_WORD_SIZE];
        assert_string_equal(progress_bytes(sizes[i].bytes, text), sizes[i].text);
    }
}

static void test_spans(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } spans[] = {
        {0, "0 s"},
        {119, "119 s"},
        {120, "2 min"},
        {7199, "120 min"},
        {7200, "2 h"},
        {172799, "48 h"},
        {172800, "2 days"},
        {86400.0 * 999, "999 days"},
        {86400.0 * 1000, "years"},
        {1e30, "years"},
    };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        char text[PROGRESS_WORD_SIZE];
        assert_string_equal(progress_span(spans[i].seconds, text), spans[i].text);
    }
}

/* The mean over the last ten seconds, whatever came before. */
static void test_rate(void **state)
{
    (void)state;
    struct progress_rate rate = {0};
    assert_true(progress_rate_get(&rate) == 0);
    uint64_t now = 50 * S, value = 7;
    progress_rate_add(&rate, now, value);
    assert_true(progress_rate_get(&rate) == 0);
    for (int i = 0; i < 60; i++) { /* two looks a second, of which one counts */
        now += S / 2;
        value += 500;
        progress_rate_add(&rate, now, value);
        if (i > 0)
            assert_true(fabs(progress_rate_get(&rate) - 1000) < 1e-6);
    }
    for (int i = 0; i < 10; i++) {
        now += S;
        value += 20;
        progress_rate_add(&rate, now, value);
    }
    assert_true(fabs(progress_rate_get(&rate) - 20) < 1e-6);
    for (int i = 0; i < 11; i++)
        progress_rate_add(&rate, now += S, value);
    assert_true(progress_rate_get(&rate) == 0);
}

static void test_recording(void **state)
{
    (void)state;
    char text[PROGRESS_LINE_SIZE];
    struct progress_recording recording = {
        .elapsed_ns = 3723 * S + 999999999,
        .events = 12345,
        .frames = 12346,
        .dropped = 3,
        .bytes = 1048576,
        .captures = true,
        .bytes_per_second = 2048,
        .free_known = true,
        .free_bytes = 2048u * 3600 * 5,
    };
    assert_string_equal(progress_recording_text(&recording, 0, text),
                        "01:02:03  12345 events, 12346 captured, 3 dropped; 1.0 MiB, 2.0 KiB/s; 35.2 MiB free: 5 h");
    assert_string_equal(progress_recording_text(&recording, 79, text),
                        "01:02:03  12345 events, 12346 captured, 3 dropped; 1.0 MiB, 2.0 KiB/s; full in 5 h");
    recording.is_bounded = true;
    recording.captures = false;
    assert_string_equal(progress_recording_text(&recording, 0, text),
                        "01:02:03  12345 events, 3 dropped; 1.0 MiB, 2.0 KiB/s; 35.2 MiB free");
    recording.free_known = false;
    recording.elapsed_ns = 0;
    assert_string_equal(progress_recording_text(&recording, 0, text),
                        "00:00:00  12345 events, 3 dropped; 1.0 MiB, 2.0 KiB/s");
}

static void test_longest_line_fits(void **state)
{
    (void)state;
    char text[PROGRESS_LINE_SIZE];
    const struct progress_recording recording = {
        .elapsed_ns = UINT64_MAX,
        .events = UINT64_MAX,
        .frames = UINT64_MAX,
        .dropped = UINT64_MAX,
        .bytes = UINT64_MAX,
        .captures = true,
        .bytes_per_second = 1e15,
        .free_known = true,
        .free_bytes = UINT64_MAX,
    };
    progress_recording_text(&recording, 0, text);
    assert_string_equal(text + strlen(text) - strlen("free: 5 h"), "free: 5 h");
}

static void test_pace(void **state)
{
    (void)state;
    struct progress_pace pace;
    unsigned shown = 0;
    progress_begin(&pace, 50 * S);
    assert_false(progress_is_due(&pace, 50 * S));
    assert_false(progress_is_due(&pace, 51 * S - 1));
    assert_true(progress_is_due(&pace, 51 * S));
    assert_false(progress_is_due(&pace, 51 * S + 1));
    for (uint64_t now = 52 * S; now < 54 * S; now += S / 100)
        shown += progress_is_due(&pace, now);
    assert_int_equal(shown, 10);
}

static void test_reading(void **state)
{
    (void)state;
    char text[PROGRESS_LINE_SIZE];
    assert_string_equal(progress_reading_text(0, 0, text), "0 %  0 messages");
    assert_string_equal(progress_reading_text(0.4299, 1234, text), "42 %  1234 messages");
    assert_string_equal(progress_reading_text(1, 5, text), "99 %  5 messages");
    assert_string_equal(progress_reading_text(-1, 5, text), "0 %  5 messages");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_longest_line_fits),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
