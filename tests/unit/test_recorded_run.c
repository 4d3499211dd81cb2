/* SPDX-License-Identifier: MIT */
/* A live run that is recorded: what the files give back is what the run gave, through both doors and all failures. */
#include "failing_allocation.h"
#include "monitor.h"
#include "recording_kit.h"
#include "scripted_source.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define HEADER sizeof(PTP_RECORDING_HEADER)
#define MANY   60000u

static char directory[] = "/tmp/ptpmon-recorded-XXXXXX";

static const char *file_name(unsigned int number)
{
    static char names[4][64];
    char *name = names[number % 4];
    snprintf(name, sizeof names[0], "%s/%u.events", directory, number);
    return name;
}

/* What a run gave: its events, and the records that went into the ring. */
struct run {
    struct random random;
    ptpmon_monitor *monitor;
    PTP_TIMESTAMP_EVENT *events, *given;
    size_t event_count, given_count;
};

static void start_run(struct run *run, uint64_t seed, const char *path)
{
    script_reset();
    *run = (struct run){.random = {seed}};
    run->events = calloc(MANY, sizeof *run->events);
    run->given = calloc(MANY, sizeof *run->given);
    assert_non_null(run->events);
    assert_non_null(run->given);
    assert_int_equal(ptpmon_monitor_open("script0", NULL, &run->monitor), PTPMON_OK);
    if (path)
        assert_int_equal(ptpmon_monitor_record(run->monitor, path), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(run->monitor), PTPMON_OK);
}

static void give(struct run *run, PTP_TIMESTAMP_EVENT record)
{
    run->given[run->given_count++] = record;
    script_give(&record);
}

/* Some frames pass; of those sent, many are stamped a little later, some never. */
static void let_frames_pass(struct run *run, unsigned int frames)
{
    for (unsigned int i = 0; i < frames; i++) {
        script.now += 1 + random_below(&run->random, 1000000);
        PTP_TIMESTAMP_EVENT frame = random_frame(&run->random, script.now);
        if (random_chance(&run->random, 3))
            frame.direction = (UINT8)random_between(&run->random, 4, 255);
        give(run, frame);
        if (frame.direction == AVB_DIRECTION_TX && frame.stamp & AVB_STAMP_EXPECTED && random_chance(&run->random, 80))
            give(run, late_stamp_of(&frame, script.now += 1000, random_next(&run->random)));
    }
    if (random_chance(&run->random, 10)) {
        script.frames_dropped += random_below(&run->random, 5);
        script.stamps_dropped += random_below(&run->random, 5);
    }
}

/* What there is now; the status that ended it, OK where nothing more is there. */
static ptpmon_status read_now(struct run *run)
{
    size_t count;
    do {
        ptpmon_status status =
            ptpmon_events_read(run->monitor, run->events + run->event_count, MANY - run->event_count, &count);
        if (status != PTPMON_OK)
            return status;
        run->event_count += count;
    } while (count > 0);
    return PTPMON_OK;
}

static void read_to_end(struct run *run)
{
    ptpmon_status status;
    do {
        status = read_now(run);
    } while (status == PTPMON_OK);
    assert_int_equal(status, PTPMON_END);
}

static void stop_run(struct run *run)
{
    assert_int_equal(ptpmon_monitor_disable(run->monitor), PTPMON_OK);
    script.now += 5000; /* it takes a while */
    read_to_end(run);
}

static void free_run(struct run *run)
{
    ptpmon_monitor_close(run->monitor);
    free(run->events);
    free(run->given);
    assert_int_equal(script.opened, script.closed);
}

/* The records of a file that are frames and stamps, as they were given to the ring. */
static size_t keep_given(const PTP_TIMESTAMP_EVENT *records, size_t count, PTP_TIMESTAMP_EVENT *kept)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (records[i].direction != AVB_DIRECTION_CLOCKS && records[i].direction != AVB_DIRECTION_LOSS)
            kept[n++] = records[i];
    }
    return n;
}

static void assert_given(const struct run *run, const PTP_TIMESTAMP_EVENT *records, size_t count)
{
    PTP_TIMESTAMP_EVENT *kept = calloc(count + 1, sizeof *kept);
    assert_non_null(kept);
    assert_int_equal(keep_given(records, count, kept), run->given_count);
    assert_memory_equal(kept, run->given, run->given_count * sizeof *kept);
    free(kept);
}

/* Both doors of the file give what the run had, and the file says when it ran. */
static void assert_recorded(const struct run *run, const char *path)
{
    size_t count;
    PTP_TIMESTAMP_EVENT *records = read_records(path, &count);
    assert_given(run, records, count);
    free(records);

    ptpmon_monitor *recording;
    ptpmon_monitor_info live_info, info;
    ptpmon_statistics live, replayed;
    assert_int_equal(ptpmon_monitor_open_recording(path, &recording), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(recording), PTPMON_OK);
    PTP_TIMESTAMP_EVENT *events = read_events(recording, &count);
    assert_int_equal(count, run->event_count);
    assert_memory_equal(events, run->events, count * sizeof *events);
    free(events);

    assert_int_equal(ptpmon_monitor_info_get(run->monitor, &live_info), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_info_get(recording, &info), PTPMON_OK);
    assert_int_equal(info.enabled_at, live_info.enabled_at);
    assert_int_equal(info.disabled_at, live_info.disabled_at);
    assert_int_equal(ptpmon_monitor_statistics(run->monitor, &live), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_statistics(recording, &replayed), PTPMON_OK);
    assert_int_equal(replayed.frames_dropped, live.frames_dropped);
    assert_int_equal(replayed.stamps_dropped, live.stamps_dropped);
    assert_int_equal(replayed.stamps_joined, live.stamps_joined);
    assert_int_equal(replayed.stamps_missing, live.stamps_missing);
    assert_int_equal(replayed.stamps_orphaned, live.stamps_orphaned);
    ptpmon_monitor_close(recording);
}

static void file_gives_what_the_run_gave(void **state)
{
    (void)state;
    struct run run;
    start_run(&run, 1, file_name(0));
    for (int i = 0; i < 2000; i++) {
        let_frames_pass(&run, (unsigned int)random_below(&run.random, 10));
        if (random_chance(&run.random, 70))
            assert_int_equal(read_now(&run), PTPMON_OK);
        if (random_chance(&run.random, 1))
            script.now += 3 * SECOND;
    }
    stop_run(&run);
    assert_true(run.given_count > 5000);
    assert_recorded(&run, file_name(0));
    free_run(&run);
}

static const PTP_CLOCKS_RECORD *as_clocks(const PTP_TIMESTAMP_EVENT *record)
{
    assert_int_equal(record->direction, AVB_DIRECTION_CLOCKS);
    return (const void *)record;
}

/* From the first record to the last the monitor saw everything, and both tell the clocks. */
static void file_tells_when_the_monitor_ran(void **state)
{
    (void)state;
    struct run run;
    ptpmon_monitor_info info;
    start_run(&run, 2, file_name(0));
    let_frames_pass(&run, 3);
    assert_int_equal(ptpmon_monitor_disable(run.monitor), PTPMON_OK);
    script.now += 2 * SECOND; /* a reader that takes its time adds no readings of the clocks that are too late */
    read_to_end(&run);
    size_t count;
    PTP_TIMESTAMP_EVENT *records = read_records(file_name(0), &count);
    assert_int_equal(ptpmon_monitor_info_get(run.monitor, &info), PTPMON_OK);
    assert_int_equal(as_clocks(&records[0])->system_timestamp, info.enabled_at);
    assert_int_equal(as_clocks(&records[count - 1])->system_timestamp, info.disabled_at);
    assert_int_equal(info.enabled_at, SECOND);
    assert_int_equal(count, run.given_count + 2);
    free(records);
    assert_recorded(&run, file_name(0));
    free_run(&run);
}

static void clocks_come_every_second(void **state)
{
    (void)state;
    struct run run;
    start_run(&run, 3, file_name(0));
    for (int i = 0; i < 100; i++) {
        script.now += SECOND / 10;
        assert_int_equal(read_now(&run), PTPMON_OK);
    }
    stop_run(&run);
    assert_int_equal(run.event_count, 12); /* at enable, ten times, at disable */
    for (size_t i = 1; i < 11; i++)
        assert_int_equal(run.events[i].system_timestamp - run.events[i - 1].system_timestamp, SECOND);
    assert_recorded(&run, file_name(0));
    free_run(&run);
}

/* The header is written once the monitor runs: stamping may be switched on by that. */
static void header_tells_of_the_run(void **state)
{
    (void)state;
    struct run run;
    script_reset();
    run = (struct run){.random = {4}};
    assert_int_equal(ptpmon_monitor_open("script0", NULL, &run.monitor), PTPMON_OK);
    assert_null(ptpmon_monitor_recording_header(run.monitor));
    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(0)), PTPMON_OK);
    script.stamping = PTPMON_CAN_RX_HARDWARE | PTPMON_ON_RX_HARDWARE;
    assert_int_equal(ptpmon_monitor_enable(run.monitor), PTPMON_OK);
    free_run(&run);

    ptpmon_monitor *recording;
    assert_int_equal(ptpmon_monitor_open_recording(file_name(0), &recording), PTPMON_OK);
    const PTP_RECORDING_HEADER *header = ptpmon_monitor_recording_header(recording);
    assert_int_equal(header->stamping, PTPMON_CAN_RX_HARDWARE | PTPMON_ON_RX_HARDWARE);
    assert_string_equal(header->interface_name, "script0");
    assert_string_equal(header->host, "bench-7");
    assert_string_equal(header->tool_version, ptpmon_version());
    assert_int_equal(header->mac[0], 2);
    ptpmon_monitor_close(recording);
}

/* ---- Rotation ---- */

/*
 * The records of all files, one after another. Each file but the last ends with the very record
 * that the next begins with; it is left out once.
 */
static PTP_TIMESTAMP_EVENT *read_files(unsigned int files, size_t *count)
{
    PTP_TIMESTAMP_EVENT *all = calloc(2 * MANY, sizeof *all);
    assert_non_null(all);
    *count = 0;
    for (unsigned int i = 0; i < files; i++) {
        size_t here;
        PTP_TIMESTAMP_EVENT *records = read_records(file_name(i), &here);
        const PTP_CLOCKS_RECORD *first = as_clocks(&records[0]), *last = as_clocks(&records[here - 1]);
        for (size_t k = 1; k < here; k++) {
            /* Between both readings lies what the file holds of frames. */
            if (records[k].direction <= AVB_DIRECTION_TX && !(records[k].stamp & AVB_STAMP_LATE))
                assert_in_range(records[k].system_timestamp, first->system_timestamp, last->system_timestamp);
        }
        if (i > 0)
            assert_memory_equal(&all[*count - 1], first, sizeof *first);
        memcpy(all + *count, records + (i > 0), (here - (i > 0)) * sizeof *all);
        *count += here - (i > 0);
        free(records);
    }
    return all;
}

/* Under load, with the ring read or not: nothing is lost or doubled, and nothing changes for the reader of events. */
static void rotation_cuts_between_two_records(void **state)
{
    (void)state;
    struct run run;
    unsigned int files = 1;
    start_run(&run, 5, file_name(0));
    for (int i = 0; i < 3000; i++) {
        let_frames_pass(&run, (unsigned int)random_below(&run.random, 10));
        if (random_chance(&run.random, 30))
            assert_int_equal(read_now(&run), PTPMON_OK);
        if (random_chance(&run.random, 1))
            assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(files++)), PTPMON_OK);
    }
    stop_run(&run);
    assert_true(files > 10);
    size_t count;
    PTP_TIMESTAMP_EVENT *all = read_files(files, &count);
    assert_given(&run, all, count);

    /* What the files hold together, as one file, is a recording of the whole run. */
    size_t length;
    unsigned char *first = read_whole(file_name(0), &length);
    unsigned char *joined = malloc(HEADER + count * sizeof *all);
    assert_non_null(joined);
    memcpy(joined, first, HEADER);
    memcpy(joined + HEADER, all, count * sizeof *all);
    write_whole(file_name(files), joined, HEADER + count * sizeof *all);
    assert_recorded(&run, file_name(files));
    free(joined);
    free(first);
    free(all);
    free_run(&run);
}

/* What was in the ring when the clocks were read goes to the old file, what comes later to the new one. */
static void rotation_takes_what_came_before(void **state)
{
    (void)state;
    struct run run;
    start_run(&run, 6, file_name(0));
    script.now += 100;
    PTP_TIMESTAMP_EVENT before = random_frame(&run.random, script.now),
                        after = random_frame(&run.random, script.now + 1);
    give(&run, before);
    give(&run, after);
    script.frames_dropped = 7;
    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(1)), PTPMON_OK);
    script.now += 100;
    stop_run(&run);

    size_t count;
    PTP_TIMESTAMP_EVENT *records = read_records(file_name(0), &count);
    assert_int_equal(count, 4);
    assert_memory_equal(&records[1], &before, sizeof before);
    assert_int_equal(records[2].direction, AVB_DIRECTION_LOSS);
    assert_int_equal(as_clocks(&records[3])->system_timestamp, SECOND + 100);
    free(records);
    records = read_records(file_name(1), &count);
    assert_int_equal(count, 3);
    assert_int_equal(as_clocks(&records[0])->system_timestamp, SECOND + 100);
    assert_memory_equal(&records[1], &after, sizeof after);
    free(records);
    free_run(&run);
}

/* The file so far goes on as if nothing had been asked. */
static void failed_rotation_changes_nothing(void **state)
{
    (void)state;
    struct run run;
    start_run(&run, 7, file_name(0));
    let_frames_pass(&run, 100);
    assert_int_equal(ptpmon_monitor_record(run.monitor, "/tmp/no/such/place.events"), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "/tmp/no/such/place.events"));
    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(0)), PTPMON_INVALID); /* onto itself */
    assert_non_null(strstr(ptpmon_error_message(), file_name(0)));
    assert_int_equal(ptpmon_monitor_record(run.monitor, "/dev/full"), PTPMON_IO);
    script.clocks_status = PTPMON_IO;
    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(1)), PTPMON_IO);
    script.clocks_status = PTPMON_OK;
    let_frames_pass(&run, 100);
    stop_run(&run);
    assert_recorded(&run, file_name(0));
    free_run(&run);
}

/* A recording may begin and end while the monitor runs. */
static void recording_begins_and_ends_within_a_run(void **state)
{
    (void)state;
    struct run run;
    start_run(&run, 8, NULL);
    let_frames_pass(&run, 50);
    assert_int_equal(ptpmon_monitor_record(run.monitor, NULL), PTPMON_OK); /* there is none; nothing happens */
    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(0)), PTPMON_OK);
    size_t before = run.given_count, count;
    let_frames_pass(&run, 50);
    assert_int_equal(ptpmon_monitor_record(run.monitor, NULL), PTPMON_OK);
    size_t recorded = run.given_count - before;
    let_frames_pass(&run, 50);
    stop_run(&run);

    PTP_TIMESTAMP_EVENT *records = read_records(file_name(0), &count), *kept = calloc(count, sizeof *kept);
    as_clocks(&records[0]);
    as_clocks(&records[count - 1]);
    assert_int_equal(keep_given(records, count, kept), recorded);
    assert_memory_equal(kept, run.given + before, recorded * sizeof *kept);
    free(kept);
    free(records);
    free_run(&run);
}

static void recording_holds_one_run(void **state)
{
    (void)state;
    struct run run;
    start_run(&run, 9, file_name(0));
    let_frames_pass(&run, 10);
    assert_int_equal(ptpmon_monitor_disable(run.monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(1)), PTPMON_INVALID); /* the rest would be lost */
    assert_non_null(strstr(ptpmon_error_message(), "PTPMON_END"));
    read_to_end(&run);
    assert_int_equal(ptpmon_monitor_enable(run.monitor), PTPMON_INVALID);
    assert_non_null(strstr(ptpmon_error_message(), "ptpmon_monitor_record()"));
    assert_recorded(&run, file_name(0));

    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(1)), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(run.monitor), PTPMON_OK);
    run.event_count = run.given_count = 0;
    let_frames_pass(&run, 10);
    stop_run(&run);
    assert_recorded(&run, file_name(1));

    size_t before, after;
    free(read_whole(file_name(1), &before));
    assert_int_equal(ptpmon_monitor_record(run.monitor, NULL), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(run.monitor), PTPMON_OK); /* not recorded */
    let_frames_pass(&run, 10);
    stop_run(&run);
    free(read_whole(file_name(1), &after));
    assert_int_equal(before, after);
    free_run(&run);
}

/* ---- Failures ---- */

static void calls_out_of_order_are_refused(void **state)
{
    (void)state;
    ptpmon_monitor *monitor;
    PTP_TIMESTAMP_EVENT event;
    size_t count;
    script_reset();
    assert_int_equal(ptpmon_monitor_open(NULL, NULL, &monitor), PTPMON_INVALID);
    assert_int_equal(ptpmon_monitor_open_recording(NULL, &monitor), PTPMON_INVALID);
    assert_int_equal(ptpmon_monitor_open("script0", NULL, &monitor), PTPMON_OK);
    assert_string_equal(ptpmon_monitor_name(monitor), "script0");
    assert_int_equal(ptpmon_events_read(monitor, &event, 1, &count), PTPMON_INVALID);
    assert_non_null(strstr(ptpmon_error_message(), "script0"));
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_END);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_INVALID);
    assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_NOTHING);
    struct random random = {1};
    PTP_TIMESTAMP_EVENT frame = random_frame(&random, script.now);
    script_give(&frame);
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_OK); /* what lies in the ring */
    free(read_events(monitor, &count));
    assert_int_equal(count, 3);
    ptpmon_monitor_close(monitor);
    ptpmon_monitor_close(NULL);
    assert_int_equal(script.opened, script.closed);
}

static void failed_enable_leaves_no_trace(void **state)
{
    (void)state;
    ptpmon_monitor *monitor;
    script_reset();
    assert_int_equal(ptpmon_monitor_open("script0", NULL, &monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_record(monitor, file_name(0)), PTPMON_OK);
    script.enable_status = PTPMON_NO_PERMISSION;
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_NO_PERMISSION);
    script.enable_status = PTPMON_OK;
    script.clocks_status = PTPMON_IO;
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_IO);
    assert_false(script.enabled);
    script.clocks_status = PTPMON_OK;
    script.now += SECOND;
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    ptpmon_monitor_close(monitor);
    size_t count;
    PTP_TIMESTAMP_EVENT *records = read_records(file_name(0), &count);
    assert_int_equal(count, 1);
    assert_int_equal(as_clocks(records)->system_timestamp, 2 * SECOND);
    free(records);

    assert_int_equal(ptpmon_monitor_open("script0", NULL, &monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_record(monitor, "/dev/full"), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "/dev/full"));
    assert_false(script.enabled);
    assert_int_equal(ptpmon_monitor_record(monitor, file_name(0)), PTPMON_OK); /* another place */
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    ptpmon_monitor_close(monitor);
    assert_int_equal(script.opened, script.closed);
}

/* The clocks of a card that was pulled out cannot be read any more. */
static void disable_survives_unreadable_clocks(void **state)
{
    (void)state;
    struct run run;
    start_run(&run, 10, file_name(0));
    let_frames_pass(&run, 10);
    script.clocks_status = PTPMON_NO_INTERFACE;
    assert_int_equal(ptpmon_monitor_disable(run.monitor), PTPMON_OK);
    ptpmon_status status;
    do {
        status = read_now(&run);
    } while (status == PTPMON_OK);
    assert_int_equal(status, PTPMON_NO_INTERFACE);
    script.clocks_status = PTPMON_OK;
    read_to_end(&run);
    free_run(&run);
}

/* A full disk ends the events door at once and for good, and says which file and why. */
static void full_disk_ends_the_events(void **state)
{
    (void)state;
    struct run run;
    struct rlimit before;
    size_t count;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    start_run(&run, 11, file_name(0));
    struct rlimit full = {HEADER + 100 * sizeof(PTP_TIMESTAMP_EVENT) + 17, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    let_frames_pass(&run, 200);
    script.now += SECOND; /* the clocks are due, and with them a flush */
    assert_int_equal(read_now(&run), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), file_name(0)));
    assert_non_null(strstr(ptpmon_error_message(), strerror(EFBIG)));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(read_now(&run), PTPMON_IO);
    assert_int_equal(ptpmon_monitor_record(run.monitor, file_name(1)), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), file_name(0)));
    signal(SIGXFSZ, handler);

    PTP_TIMESTAMP_EVENT *records = read_records(file_name(0), &count);
    assert_int_equal(count, 100);
    assert_memory_equal(records + 1, run.given, 99 * sizeof *records);
    free(records);
    assert_int_equal(ptpmon_monitor_disable(run.monitor), PTPMON_OK);
    assert_int_equal(read_now(&run), PTPMON_IO);
    free_run(&run);
}

/* The record that could not be written is not told again and again. */
static void full_disk_doubles_nothing(void **state)
{
    (void)state;
    struct run run;
    struct rlimit before;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    start_run(&run, 14, file_name(0));
    struct rlimit full = {HEADER + 100 * sizeof(PTP_TIMESTAMP_EVENT), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    for (int i = 0; i < 2000; i++) {
        PTP_TIMESTAMP_EVENT frame = random_frame(&run.random, script.now);
        frame.direction = AVB_DIRECTION_RX; /* waits for nothing */
        give(&run, frame);
    }
    assert_int_equal(read_now(&run), PTPMON_IO);
    assert_int_equal(read_now(&run), PTPMON_IO); /* after what came before the failure */
    size_t told = run.event_count;
    assert_in_range(told, 500, 1100);
    assert_int_equal(read_now(&run), PTPMON_IO);
    assert_int_equal(read_now(&run), PTPMON_IO);
    assert_int_equal(run.event_count, told);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    free_run(&run);
}

/* Says on the pipe how late it is, before each read; so little passes that nothing but the clocks causes a flush. */
static void record_for_ever(int report, const char *path)
{
    struct run run;
    start_run(&run, 12, path);
    for (;;) {
        run.event_count = run.given_count = script.first = script.end = 0;
        let_frames_pass(&run, 2);
        script.now += SECOND / 20;
        if (write(report, &script.now, sizeof script.now) != sizeof script.now || read_now(&run) != PTPMON_OK)
            _exit(1);
    }
}

/* Killed at any moment: the file holds all but the last second. */
static void killed_process_leaves_its_records(void **state)
{
    (void)state;
    for (unsigned int round = 0; round < 10; round++) {
        int pipe_ends[2];
        assert_int_equal(pipe(pipe_ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            record_for_ever(pipe_ends[1], file_name(0));
        close(pipe_ends[1]);
        uint64_t now = 0;
        for (unsigned int i = 0; i < 50 + 77 * round; i++)
            assert_int_equal(read(pipe_ends[0], &now, sizeof now), sizeof now);
        int status;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        close(pipe_ends[0]);

        size_t count, clocks = 0;
        PTP_TIMESTAMP_EVENT *records = read_records(file_name(0), &count);
        for (size_t i = 0; i < count; i++) {
            clocks += records[i].direction == AVB_DIRECTION_CLOCKS;
            assert_true(records[i].system_timestamp >= records[0].system_timestamp);
        }
        assert_true(records[count - 1].system_timestamp + SECOND + SECOND / 5 >= now);
        assert_true(clocks >= (now - SECOND) / SECOND * 9 / 10);
        free(records);
    }
}

/* Each allocation fails in turn; what failed is tried again, and the recording is as whole as ever. */
static void allocations_may_fail(void **state)
{
    (void)state;
    size_t successes = 0, blocks = live_blocks();
    bool failed_once = true;
    for (; failed_once; successes++) {
        ptpmon_monitor *monitor;
        PTP_TIMESTAMP_EVENT events[64], record;
        struct random random = {13};
        size_t count = 0, delivered = 0, given = 0;
        ptpmon_status status;
        failed_once = false;
        script_reset();
        fail_allocations_after(successes, 1);
#define RETRIED(call) \
    while ((status = (call)) == PTPMON_NO_MEMORY) \
        failed_once = true; \
    assert_int_equal(status, PTPMON_OK)
        RETRIED(ptpmon_monitor_open("script0", NULL, &monitor));
        RETRIED(ptpmon_monitor_record(monitor, file_name(0)));
        while ((status = ptpmon_monitor_enable(monitor)) == PTPMON_NO_MEMORY) {
            failed_once = true;
            RETRIED(ptpmon_monitor_record(monitor, file_name(0))); /* its clocks may be in it already */
        }
        assert_int_equal(status, PTPMON_OK);
        for (unsigned int file = 1; file < 3; file++) {
            for (int i = 0; i < 20; i++) {
                record = random_frame(&random, script.now += 1000);
                script_give(&record);
                given++;
            }
            RETRIED(ptpmon_monitor_record(monitor, file_name(file)));
        }
        RETRIED(ptpmon_monitor_disable(monitor));
        while ((status = ptpmon_events_read(monitor, events, 64, &count)) != PTPMON_END) {
            assert_true(status == PTPMON_OK || status == PTPMON_NO_MEMORY);
            failed_once |= status == PTPMON_NO_MEMORY;
            delivered += status == PTPMON_OK ? count : 0;
        }
        ptpmon_monitor_close(monitor);
        assert_int_equal(delivered, given + 4); /* CLOCKS at enable, twice at rotation, at disable */
        for (unsigned int file = 0; file < 3; file++) {
            RETRIED(ptpmon_monitor_open_recording(file_name(file), &monitor));
            RETRIED(ptpmon_monitor_enable(monitor));
            ptpmon_batch batch;
            assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
            assert_int_equal(batch.count, file < 2 ? 22 : 2);
            ptpmon_monitor_close(monitor);
        }
#undef RETRIED
        assert_int_equal(failed_allocations(), failed_once);
        fail_no_allocation();
        assert_int_equal(live_blocks(), blocks);
    }
    assert_true(successes > 10);
    assert_int_equal(script.opened, script.closed);
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 200; i++)
        unlink(file_name(i));
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_gives_what_the_run_gave),      cmocka_unit_test(file_tells_when_the_monitor_ran),
        cmocka_unit_test(clocks_come_every_second),          cmocka_unit_test(header_tells_of_the_run),
        cmocka_unit_test(rotation_cuts_between_two_records), cmocka_unit_test(rotation_takes_what_came_before),
        cmocka_unit_test(failed_rotation_changes_nothing),   cmocka_unit_test(recording_begins_and_ends_within_a_run),
        cmocka_unit_test(recording_holds_one_run),           cmocka_unit_test(calls_out_of_order_are_refused),
        cmocka_unit_test(failed_enable_leaves_no_trace),     cmocka_unit_test(disable_survives_unreadable_clocks),
        cmocka_unit_test(full_disk_ends_the_events),         cmocka_unit_test(full_disk_doubles_nothing),
        cmocka_unit_test(killed_process_leaves_its_records), cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
