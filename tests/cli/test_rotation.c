/* SPDX-License-Identifier: MIT */
/* When the next files of a recording begin: what is due, the pause that is waited for, and for how long. */
#include "cli.h"
#include "random.h"
#include "rotation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MS ((uint64_t)NS_PER_MS)
#define S  ((uint64_t)NS_PER_S)

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes, time_ns;
    } limits[] = {
        {"64K", 65536, 0},          {"100M", 104857600, 0}, {"2G", 2147483648, 0}, {"100k", 102400, 0},
        {"1s", 0, 1000000000},      {"10m", 0, 600 * S},    {"10min", 0, 600 * S}, {"24h", 0, 86400 * S},
        {"1500ms", 0, 1500000000u}, {"2d", 0, 172800 * S},  {"0.5h", 0, 1800 * S},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rotation_limits parsed = {0};
        if (!rotation_parse(limits[i].text, &parsed))
            fail_msg("`%s` is refused", limits[i].text);
        assert_true(parsed.bytes == limits[i].bytes);
        assert_true(parsed.time_ns == limits[i].time_ns);
    }
    static const char *const bad[] = {"",  "100", "63K", "0M",  "500ms", "0s",
                                      "M", "m",   "10x", "-5M", "1e3s",  "9999999999G"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rotation_limits parsed = {1, 2};
        if (rotation_parse(bad[i], &parsed))
            fail_msg("`%s` is taken", bad[i]);
        assert_true(parsed.bytes == 1 && parsed.time_ns == 2);
    }
}

static void test_both_limits_stand_side_by_side(void **state)
{
    (void)state;
    struct rotation_limits limits = {0};
    assert_true(rotation_parse("1M", &limits) && rotation_parse("1h", &limits));
    assert_true(limits.bytes == 1048576 && limits.time_ns == 3600 * S);
}

static struct rotation began_at(uint64_t bytes, uint64_t time_ns, uint64_t now)
{
    struct rotation rotation = {.limits = {bytes, time_ns}};
    rotation_begin(&rotation, now);
    return rotation;
}

/* Nothing has passed for long, and nothing waits. */
static struct rotation_view calm(uint64_t now, uint64_t bytes)
{
    return (struct rotation_view){.now = now, .bytes = bytes, .last_event = now - S, .complete_until = now};
}

static void test_due_by_size_or_time(void **state)
{
    (void)state;
    const uint64_t start = 1000 * S;
    struct rotation by_size = began_at(1000, 0, start), by_time = began_at(0, 10 * S, start);
    struct rotation by_both = began_at(1000, 10 * S, start), never = began_at(0, 0, start);
    struct rotation_view views[] = {calm(start + 10 * S - 1, 999), calm(start + 10 * S - 1, 1000),
                                    calm(start + 10 * S, 999), calm(start + 1000 * S, 1 << 30)};
    const bool size[] = {false, true, false, true}, time[] = {false, false, true, true},
               both[] = {false, true, true, true};
    for (size_t i = 0; i < 4; i++) {
        struct rotation copies[] = {by_size, by_time, by_both, never};
        assert_int_equal(rotation_cuts(&copies[0], &views[i]), size[i]);
        assert_int_equal(rotation_cuts(&copies[1], &views[i]), time[i]);
        assert_int_equal(rotation_cuts(&copies[2], &views[i]), both[i]);
        assert_false(rotation_cuts(&copies[3], &views[i]));
    }
}

static void test_waits_for_a_pause(void **state)
{
    (void)state;
    const uint64_t start = 1000 * S;
    struct rotation rotation = began_at(1000, 0, start);
    struct rotation_view view = calm(start + S, 1000);
    view.last_event = view.now - 2 * MS + 1;
    assert_false(rotation_cuts(&rotation, &view));
    view.now += 1;
    view.complete_until = view.now;
    assert_true(rotation_cuts(&rotation, &view));
}

static void test_waits_for_stamps(void **state)
{
    (void)state;
    const uint64_t start = 1000 * S;
    struct rotation rotation = began_at(1000, 0, start);
    struct rotation_view view = calm(start + S, 1000);
    view.complete_until = view.now - 6 * MS; /* a TX event of then has no stamp yet */
    assert_false(rotation_cuts(&rotation, &view));
    view.now += 10 * MS;
    view.complete_until = view.now - MS;
    assert_true(rotation_cuts(&rotation, &view));
}

/* The size may shrink below the limit no more; but a look that is due once stays so, whatever is measured next. */
static void test_forced_after_a_second(void **state)
{
    (void)state;
    const uint64_t start = 1000 * S;
    struct rotation rotation = began_at(1000, 0, start);
    for (uint64_t waited = 0; waited <= S; waited += MS) {
        struct rotation_view view = calm(start + S + waited, waited == 0 ? 1000 : 0);
        view.last_event = view.now; /* never a pause */
        assert_int_equal(rotation_cuts(&rotation, &view), waited == S);
    }
    rotation_begin(&rotation, start + 2 * S);
    struct rotation_view view = calm(start + 10 * S, 999);
    assert_false(rotation_cuts(&rotation, &view));
}

/* Whatever traffic: a cut is never early, in a pause or after a second, and comes at last. */
static void test_any_traffic(void **state)
{
    (void)state;
    struct random random = {11};
    for (int run = 0; run < 200; run++) {
        uint64_t now = 1000 * S, due = now + 2 * S, last_event = now;
        uint64_t gap = (uint64_t)random_between(&random, 10000, 20000000);
        struct rotation rotation = began_at(0, 2 * S, now);
        bool cut = false;
        while (!cut) {
            now += (uint64_t)random_between(&random, 100000, 25000000);
            assert_true(now < due + S + 100 * MS);
            last_event = now - (uint64_t)random_between(&random, 0, (int64_t)gap);
            struct rotation_view view = {.now = now, .last_event = last_event, .complete_until = now - 3 * MS};
            cut = rotation_cuts(&rotation, &view);
        }
        assert_true(now >= due);
        assert_true(now - last_event >= 2 * MS || now >= due + S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_both_limits_stand_side_by_side),
        cmocka_unit_test(test_due_by_size_or_time),
        cmocka_unit_test(test_waits_for_a_pause),
        cmocka_unit_test(test_waits_for_stamps),
        cmocka_unit_test(test_forced_after_a_second),
        cmocka_unit_test(test_any_traffic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
