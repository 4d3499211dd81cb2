/* SPDX-License-Identifier: MIT */
/* Frames that come about in order stand in the file in order, with the notes about losses where they belong. */
#include "capture_file.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#define INTERFACES 3
#define START      INT64_C(1700000000000000000)
#define HELD       1000000 /* ns that a frame is late at most */

static char path[] = "/tmp/ptpmon-capture-XXXXXX";

static int setup(void **state)
{
    (void)state;
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int file = mkstemp(path);
    return file < 0 || close(file) != 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static struct capture_file *open_file(void)
{
    static const ptpmon_capture_interface interfaces[INTERFACES] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    struct capture_file *file = NULL;
    assert_int_equal(capture_file_open(path, interfaces, INTERFACES, &file), PTPMON_OK);
    return file;
}

static void add(struct capture_file *file, size_t interface, int64_t time_ns, uint32_t mark, uint8_t direction)
{
    uint8_t bytes[64] = {0};
    memcpy(bytes, &mark, sizeof mark);
    const ptpmon_frame frame = {.time_ns = time_ns,
                                .bytes = bytes,
                                .captured_length = (uint32_t)(14 + mark % 50),
                                .length = (uint32_t)(14 + mark % 50),
                                .direction = direction};
    capture_file_frame(file, interface, &frame);
    memset(bytes, 0xFF, sizeof bytes); /* it was copied */
}

static ptpmon_capture *read_back(void)
{
    ptpmon_capture *capture = NULL;
    assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_OK);
    return capture;
}

/* What comes at most HELD late is in order; all of it is there, as it was. */
static void test_order(void **state)
{
    (void)state;
    enum { FRAMES = 20000 };
    static int64_t times[FRAMES];
    struct random random = {3};
    struct capture_file *file = open_file();
    int64_t now = START;
    for (uint32_t i = 0; i < FRAMES; i++) {
        now += random_between(&random, 0, HELD / 4);
        times[i] = now - random_between(&random, 0, HELD);
        add(file, i % INTERFACES, times[i], i, i % 2 ? AVB_DIRECTION_TX : AVB_DIRECTION_RX);
        if (random_next(&random) % 5 == 0)
            assert_int_equal(capture_file_write(file, now - HELD), PTPMON_OK);
    }
    assert_int_equal(capture_file_close(file), PTPMON_OK);

    ptpmon_capture *capture = read_back();
    ptpmon_frame frame;
    int64_t before = 0;
    static bool seen[FRAMES];
    for (int i = 0; i < FRAMES; i++) {
        uint32_t mark;
        assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_OK);
        memcpy(&mark, frame.bytes, sizeof mark);
        assert_true(mark < FRAMES && !seen[mark]);
        seen[mark] = true;
        assert_true(frame.time_ns == times[mark] && frame.time_ns >= before);
        assert_int_equal(frame.interface, mark % INTERFACES);
        assert_int_equal(frame.direction, mark % 2 ? AVB_DIRECTION_TX : AVB_DIRECTION_RX);
        assert_int_equal(frame.captured_length, 14 + mark % 50);
        before = frame.time_ns;
    }
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    ptpmon_capture_close(capture);
}

/* Nothing is written before its time has come. */
static void test_holds_back(void **state)
{
    (void)state;
    struct capture_file *file = open_file();
    uint64_t empty = capture_file_bytes(file);
    add(file, 0, START + 10, 1, AVB_DIRECTION_RX);
    assert_int_equal(capture_file_write(file, START + 9), PTPMON_OK);
    assert_true(capture_file_bytes(file) == empty);
    assert_int_equal(capture_file_write(file, START + 10), PTPMON_OK);
    assert_true(capture_file_bytes(file) > empty);
    assert_int_equal(capture_file_close(file), PTPMON_OK);
}

/* When each interface ran, and what it lost between when, is read back as it was noted. */
static void test_notes(void **state)
{
    (void)state;
    struct capture_file *file = open_file();
    for (size_t i = 0; i < 2; i++)
        capture_file_begin(file, i, START + (int64_t)i);
    for (uint32_t i = 0; i < 100; i++)
        add(file, i % 2, START + 1000 + i * 1000, i, AVB_DIRECTION_RX);
    capture_file_loss(file, 1, &(ptpmon_capture_loss){7, START + 50500, START + 60500});
    capture_file_loss(file, 1, &(ptpmon_capture_loss){2, START + 70500, START + 71500});
    for (size_t i = 0; i < 2; i++)
        capture_file_end(file, i, START + 500000 + (int64_t)i);
    assert_int_equal(capture_file_close(file), PTPMON_OK);

    for (size_t i = 0; i < 2; i++) {
        ptpmon_capture *capture = read_back();
        ptpmon_capture_statistics statistics;
        ptpmon_capture_loss losses[3];
        ptpmon_frame frame;
        size_t count = 0;
        assert_int_equal(ptpmon_capture_select(capture, i), PTPMON_OK);
        while (ptpmon_capture_next(capture, &frame) == PTPMON_OK) {
            assert_int_equal(frame.interface, i);
            while (count < 3 && ptpmon_capture_next_loss(capture, &losses[count]) == PTPMON_OK) {
                assert_true(frame.time_ns >= losses[count].to - 1000);
                count++;
            }
        }
        while (count < 3 && ptpmon_capture_next_loss(capture, &losses[count]) == PTPMON_OK)
            count++;
        assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
        assert_true(statistics.frames == 50);
        assert_true(statistics.started_at == START + (int64_t)i);
        assert_true(statistics.stopped_at == START + 500000 + (int64_t)i);
        assert_true(statistics.dropped == (i == 1 ? 9 : 0));
        assert_int_equal(count, i == 1 ? 2 : 0);
        for (size_t k = 0; k < count; k++) {
            assert_true(losses[k].frames == (k == 0 ? 7 : 2));
            assert_true(losses[k].from == START + (k == 0 ? 50500 : 70500));
            assert_true(losses[k].to == START + (k == 0 ? 60500 : 71500));
        }
        ptpmon_capture_close(capture);
    }
}

/* A file that may not grow: the failure is told, by name, and the file can be read until there. */
static void test_failure_to_write(void **state)
{
    (void)state;
    struct rlimit limit, before;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){.rlim_cur = 20000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    struct capture_file *file = open_file();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ptpmon_status status = PTPMON_OK;
    for (uint32_t i = 0; i < 100000 && status == PTPMON_OK; i++) {
        add(file, 0, START + i, i, AVB_DIRECTION_RX);
        status = capture_file_write(file, START + i - 100);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), path));
    assert_int_equal(capture_file_close(file), PTPMON_IO);
    ptpmon_capture *capture = read_back();
    ptpmon_frame frame;
    uint32_t count = 0;
    while ((status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK)
        assert_true(frame.time_ns == START + count++);
    assert_int_equal(status, PTPMON_END);
    ptpmon_capture_close(capture);
}

static void test_no_such_directory(void **state)
{
    (void)state;
    static const ptpmon_capture_interface interface = {.name = "a"};
    struct capture_file *file = NULL;
    assert_int_not_equal(capture_file_open("/nosuch/directory/x.pcapng", &interface, 1, &file), PTPMON_OK);
    assert_null(file);
    assert_int_equal(capture_file_close(NULL), PTPMON_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_holds_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_notes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_to_write, setup, teardown),
        cmocka_unit_test(test_no_such_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
