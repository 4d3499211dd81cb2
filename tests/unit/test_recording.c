/* SPDX-License-Identifier: MIT */
/* Files of recorded events: what was written comes back, and what is damaged is refused or ends early. */
#include "recording.h"

#include "recording_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORDS 8u
#define HEADER  sizeof(PTP_RECORDING_HEADER)

static char path[] = "/tmp/ptpmon-recording-XXXXXX";
static char other_path[sizeof path + 8];

/* Without what the recorder fills in itself. */
static PTP_RECORDING_HEADER make_header(void)
{
    return (PTP_RECORDING_HEADER){
        .system_clock_hz = 1000000000u,
        .system_clock = AVB_CLOCK_MONOTONIC,
        .software_clock = AVB_CLOCK_REALTIME,
        .phc_index = -1,
        .tool_version = "1.2.3",
        .host = "bench-7",
        .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
        .interface_name = "nic0",
    };
}

static PTP_TIMESTAMP_EVENT make_tx(UINT64 at, UINT16 sequenceId, UINT8 stamp, UINT64 software_timestamp)
{
    return (PTP_TIMESTAMP_EVENT){
        .system_timestamp = at,
        .direction = AVB_DIRECTION_TX,
        .messageType = AVB_PTP_DELAY_REQ,
        .sequenceId = sequenceId,
        .stamp = stamp,
        .software_timestamp = software_timestamp,
        .version = 2,
    };
}

/* CLOCKS, a TX frame whose stamp comes, one whose stamp does not, an RX frame, a loss, an orphan, CLOCKS. */
static void make_records(PTP_TIMESTAMP_EVENT records[RECORDS])
{
    PTP_CLOCKS_RECORD clocks = {.system_timestamp = 1000, .direction = AVB_DIRECTION_CLOCKS, .realtime_ns = 5000};
    PTP_LOSS_RECORD loss = {
        .system_timestamp = 1500,
        .direction = AVB_DIRECTION_LOSS,
        .frames_dropped = 3,
        .stamps_dropped = 2,
        .since = 1400,
    };
    memcpy(&records[0], &clocks, sizeof clocks);
    records[1] = make_tx(1100, 1, AVB_STAMP_EXPECTED, 0);
    records[2] = make_tx(1200, 2, AVB_STAMP_EXPECTED, 0);
    records[3] = make_tx(1300, 1, AVB_STAMP_LATE, 5110);
    records[4] = make_tx(1400, 9, 0, 0);
    records[4].direction = AVB_DIRECTION_RX;
    memcpy(&records[5], &loss, sizeof loss);
    records[6] = make_tx(1600, 77, AVB_STAMP_LATE, 5600);
    clocks.system_timestamp = 2000;
    memcpy(&records[7], &clocks, sizeof clocks);
}

static void write_file(const PTP_TIMESTAMP_EVENT *records, size_t count)
{
    struct ptpmon_recorder *recorder;
    PTP_RECORDING_HEADER header = make_header();
    assert_int_equal(ptpmon_recorder_open(path, NULL, &recorder), PTPMON_OK);
    assert_false(ptpmon_recorder_has_begun(recorder));
    assert_int_equal(ptpmon_recorder_begin(recorder, &header), PTPMON_OK);
    assert_true(ptpmon_recorder_has_begun(recorder));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ptpmon_recorder_write(recorder, &records[i]), PTPMON_OK);
    assert_int_equal(ptpmon_recorder_close(recorder), PTPMON_OK);
}

static ptpmon_monitor *open_enabled(void)
{
    ptpmon_monitor *monitor;
    assert_int_equal(ptpmon_monitor_open_recording(path, &monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    return monitor;
}

static void records_come_back_in_place(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT records[RECORDS];
    make_records(records);
    write_file(records, RECORDS);

    ptpmon_monitor *monitor = open_enabled();
    for (int round = 0; round < 2; round++) {
        ptpmon_batch batch;
        assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_OK);
        assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
        assert_int_equal(batch.count, RECORDS);
        for (size_t i = 0; i < RECORDS; i++)
            assert_memory_equal(ptpmon_batch_at(&batch, i), &records[i], sizeof *records);
        assert_int_equal(ptpmon_records_release(monitor, batch.count), PTPMON_OK);
        assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_END);
        assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK); /* and enable starts at the first again */
        assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    }
    ptpmon_monitor_info info;
    assert_int_equal(ptpmon_monitor_info_get(monitor, &info), PTPMON_OK);
    assert_int_equal(info.enabled_at, 1000);
    assert_int_equal(info.disabled_at, 2000);
    ptpmon_monitor_close(monitor);
}

static void events_door_joins_as_it_did_live(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT records[RECORDS], events[RECORDS];
    make_records(records);
    write_file(records, RECORDS);

    ptpmon_monitor *monitor = open_enabled();
    size_t count = 0, read;
    ptpmon_status status;
    while ((status = ptpmon_events_read(monitor, events + count, RECORDS - count, &read)) == PTPMON_OK)
        count += read;
    assert_int_equal(status, PTPMON_END);
    assert_int_equal(count, 6); /* two CLOCKS, two TX, one RX, one LOSS */

    size_t joined = 0, missing = 0;
    for (size_t i = 0; i < count; i++) {
        if (events[i].direction != AVB_DIRECTION_TX)
            continue;
        joined += events[i].sequenceId == 1 && events[i].software_timestamp == 5110;
        missing += events[i].sequenceId == 2 && (events[i].stamp & AVB_STAMP_MISSING);
    }
    assert_int_equal(joined, 1);
    assert_int_equal(missing, 1);

    ptpmon_statistics statistics;
    assert_int_equal(ptpmon_monitor_statistics(monitor, &statistics), PTPMON_OK);
    assert_int_equal(statistics.frames_emitted, 3);
    assert_int_equal(statistics.frames_dropped, 3);
    assert_int_equal(statistics.stamps_emitted, 2);
    assert_int_equal(statistics.stamps_dropped, 2);
    assert_int_equal(statistics.stamps_joined, 1);
    assert_int_equal(statistics.stamps_missing, 1);
    assert_int_equal(statistics.stamps_orphaned, 1);
    ptpmon_monitor_close(monitor);
}

/* Records at event times that go on by 1 us, with all that a run may bring. */
static PTP_TIMESTAMP_EVENT *make_many(size_t count)
{
    struct random random = {1};
    PTP_TIMESTAMP_EVENT *records = calloc(count, sizeof *records);
    assert_non_null(records);
    for (size_t i = 0; i < count; i++) {
        records[i] = random_frame(&random, 1000 * (i + 1));
        if (i > 0 && records[i - 1].stamp & AVB_STAMP_EXPECTED && random_chance(&random, 80))
            records[i] = late_stamp_of(&records[i - 1], 1000 * (i + 1), random_next(&random));
        else if (random_chance(&random, 2))
            memcpy(&records[i],
                   &(PTP_LOSS_RECORD){.system_timestamp = 1000 * (i + 1),
                                      .direction = AVB_DIRECTION_LOSS,
                                      .frames_dropped = random_below(&random, 9),
                                      .stamps_dropped = random_below(&random, 9)},
                   sizeof *records);
        else if (random_chance(&random, 2))
            records[i].direction = (UINT8)random_between(&random, 4, 255);
    }
    return records;
}

static void assert_counted(ptpmon_monitor *monitor, const PTP_TIMESTAMP_EVENT *records, size_t count)
{
    ptpmon_statistics expected = {0}, statistics;
    for (size_t i = 0; i < count; i++) {
        PTP_LOSS_RECORD loss;
        memcpy(&loss, &records[i], sizeof loss);
        expected.frames_dropped += loss.direction == AVB_DIRECTION_LOSS ? loss.frames_dropped : 0;
        expected.stamps_dropped += loss.direction == AVB_DIRECTION_LOSS ? loss.stamps_dropped : 0;
        expected.stamps_emitted += loss.direction <= AVB_DIRECTION_TX && records[i].stamp & AVB_STAMP_LATE;
        expected.frames_emitted += loss.direction <= AVB_DIRECTION_TX && !(records[i].stamp & AVB_STAMP_LATE);
    }
    assert_int_equal(ptpmon_monitor_statistics(monitor, &statistics), PTPMON_OK);
    assert_int_equal(statistics.frames_emitted, expected.frames_emitted);
    assert_int_equal(statistics.stamps_emitted, expected.stamps_emitted);
    assert_int_equal(statistics.frames_dropped, expected.frames_dropped);
    assert_int_equal(statistics.stamps_dropped, expected.stamps_dropped);
    assert_int_equal(statistics.frames_seen, expected.frames_emitted + expected.frames_dropped);
    assert_int_equal(statistics.stamps_seen, expected.stamps_emitted + expected.stamps_dropped);
}

/* More than any buffer holds, released in portions of any size. */
static void long_recordings_come_in_portions(void **state)
{
    (void)state;
    enum { MANY = 50000 };
    struct random random = {2};
    PTP_TIMESTAMP_EVENT *records = make_many(MANY);
    write_file(records, MANY);
    ptpmon_monitor *monitor = open_enabled();
    size_t read = 0;
    ptpmon_batch batch;
    while (read < MANY) {
        assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
        assert_in_range(batch.count, 1, MANY - read);
        for (size_t i = 0; i < batch.count; i++)
            assert_memory_equal(ptpmon_batch_at(&batch, i), &records[read + i], sizeof *records);
        const void *first = batch.first;
        assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
        assert_ptr_equal(batch.first, first); /* nothing was released, so it is the same batch */
        size_t portion = random_chance(&random, 10) ? batch.count : random_below(&random, batch.count + 1);
        assert_int_equal(ptpmon_records_release(monitor, portion), PTPMON_OK);
        read += portion;
        assert_counted(monitor, records, read);
    }
    assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_END);
    assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
    assert_int_equal(batch.count, 0);
    ptpmon_monitor_close(monitor);
    free(records);
}

/* Disabled in the middle, it gives nothing; enabled again, everything anew. */
static void enable_starts_anew(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    PTP_TIMESTAMP_EVENT *records = make_many(MANY), events[100];
    write_file(records, MANY);
    ptpmon_monitor *monitor = open_enabled();
    size_t once, twice, read;
    PTP_TIMESTAMP_EVENT *first = read_events(monitor, &once);
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    assert_counted(monitor, records, 0);
    assert_int_equal(ptpmon_events_read(monitor, events, 100, &read), PTPMON_OK);
    assert_int_equal(read, 100);
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    ptpmon_batch batch;
    assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
    assert_int_equal(batch.count, 0);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    PTP_TIMESTAMP_EVENT *second = read_events(monitor, &twice);
    assert_int_equal(once, twice);
    assert_memory_equal(first, second, once * sizeof *first);
    free(first);
    free(second);
    ptpmon_monitor_close(monitor);
    free(records);
}

static void header_comes_back(void **state)
{
    (void)state;
    write_file(NULL, 0);
    ptpmon_monitor *monitor = open_enabled();
    const PTP_RECORDING_HEADER *header = ptpmon_monitor_recording_header(monitor);
    PTP_RECORDING_HEADER expected = make_header();
    memcpy(expected.magic, "PTPMONEV", 8);
    expected.byte_order = 0x01020304;
    expected.format_version = expected.abi_version = 1;
    expected.header_bytes = 4096;
    expected.record_bytes = 64;
    assert_memory_equal(header, &expected, sizeof expected);
    ptpmon_monitor_info info;
    assert_int_equal(ptpmon_monitor_info_get(monitor, &info), PTPMON_OK);
    assert_int_equal(info.enabled_at, 0);
    assert_int_equal(info.disabled_at, 0);
    assert_int_equal(ptpmon_monitor_wait(monitor, -1), PTPMON_END);
    ptpmon_monitor_close(monitor);
}

/* Opens the file; where it is refused, the message names it and says why. */
static ptpmon_status open_status(const char *file, const char *because)
{
    ptpmon_monitor *monitor = NULL;
    ptpmon_status status = ptpmon_monitor_open_recording(file, &monitor);
    if (status == PTPMON_OK) {
        ptpmon_monitor_close(monitor);
        return status;
    }
    assert_null(monitor);
    assert_non_null(strstr(ptpmon_error_message(), file));
    if (!strstr(ptpmon_error_message(), because))
        fail_msg("\"%s\" does not say \"%s\"", ptpmon_error_message(), because);
    return status;
}

static void set32(unsigned char *bytes, size_t offset, uint32_t value)
{
    memcpy(bytes + offset, &value, sizeof value);
}

static void other_kinds_and_versions_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint32_t value;
        const char *because;
    } changes[] = {
        {0, 0x0A0D0D0A, "not a recording"},
        {4, 0, "not a recording"},
        {8, 0x04030201, "other byte order"},
        {8, 0x01020305, "damaged: its byte order is 0x01020305"},
        {12, 2, "recording format 2, event version 1; this ptpmon reads format 1, event version 1"},
        {12, 0, "recording format 0"},
        {16, 7, "event version 7"},
        {20, 4095, "4095 bytes of header"},
        {20, 8192, "8192 bytes of header"},
        {20, 0, "0 bytes of header"},
        {24, 128, "128 bytes a record"},
        {24, 0, "0 bytes a record"},
        {32, 10000000, "10000000 ticks per second of clock 1"},
        {36, 1, "5294967296 ticks per second of clock 1"},
        {48, AVB_CLOCK_QPC, "software stamps of the Windows performance counter"},
    };
    size_t length;
    write_file(NULL, 0);
    unsigned char *good = read_whole(path, &length);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        unsigned char changed[HEADER];
        memcpy(changed, good, sizeof changed);
        set32(changed, changes[i].offset, changes[i].value);
        write_whole(path, changed, sizeof changed);
        assert_int_equal(open_status(path, changes[i].because), PTPMON_BAD_FILE);
    }
    write_whole(path, good, length);
    assert_int_equal(open_status(path, ""), PTPMON_OK);
    free(good);
}

/* A file from a host of the other byte order, every number turned round. */
static void other_byte_order_is_refused(void **state)
{
    (void)state;
    size_t length;
    write_file(NULL, 0);
    unsigned char *bytes = read_whole(path, &length);
    for (size_t at = 8; at < 56; at += at == 32 ? 8 : 4) {
        size_t size = at == 32 ? 8 : 4;
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char byte = bytes[at + i];
            bytes[at + i] = bytes[at + size - 1 - i];
            bytes[at + size - 1 - i] = byte;
        }
    }
    write_whole(path, bytes, length);
    assert_int_equal(open_status(path, "byte order"), PTPMON_BAD_FILE);
    free(bytes);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    write_whole(path, "", 0);
    assert_int_equal(open_status(path, "not a recording"), PTPMON_BAD_FILE);
    assert_int_equal(open_status("/tmp", "not a recording"), PTPMON_BAD_FILE);
    assert_int_equal(open_status("/dev/null", "not a recording"), PTPMON_BAD_FILE);
    assert_int_equal(open_status("/dev/zero", "not a recording"), PTPMON_BAD_FILE);
    assert_int_equal(open_status("/tmp/ptpmon-no-such-recording", strerror(ENOENT)), PTPMON_IO);
    assert_int_equal(mkfifo(other_path, 0600), 0);
    assert_int_equal(open_status(other_path, "not a recording"), PTPMON_BAD_FILE);
    assert_int_equal(unlink(other_path), 0);
}

static void permission_is_asked_for(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* as root only can one be somebody else for a moment */
    struct ptpmon_recorder *recorder;
    write_file(NULL, 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(seteuid(65534), 0);
    ptpmon_status reading = open_status(path, strerror(EACCES));
    ptpmon_status writing = ptpmon_recorder_open(path, NULL, &recorder);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(reading, PTPMON_NO_PERMISSION);
    assert_int_equal(writing, PTPMON_NO_PERMISSION);
}

/* Names as long as their fields: no terminating 0 in the file. */
static void strings_end_within_their_fields(void **state)
{
    (void)state;
    size_t length;
    write_file(NULL, 0);
    unsigned char *bytes = read_whole(path, &length);
    memset(bytes + 64, 'x', HEADER - 64);
    write_whole(path, bytes, length);
    free(bytes);
    ptpmon_monitor *monitor = open_enabled();
    const PTP_RECORDING_HEADER *header = ptpmon_monitor_recording_header(monitor);
    assert_int_equal(strlen(header->tool_version), sizeof header->tool_version - 1);
    assert_int_equal(strlen(header->host), sizeof header->host - 1);
    assert_int_equal(strlen(header->boot_id), sizeof header->boot_id - 1);
    assert_int_equal(strlen(header->interface_name), sizeof header->interface_name - 1);
    assert_int_equal(strlen(header->interface_guid), sizeof header->interface_guid - 1);
    ptpmon_monitor_close(monitor);
}

/* A recorder that was killed leaves a file that ends anywhere: each byte of the header, and 1.5 KiB behind it. */
static void cut_file_is_good_up_to_its_last_whole_record(void **state)
{
    (void)state;
    enum { SOME = 24 };
    PTP_TIMESTAMP_EVENT *records = make_many(SOME);
    write_file(records, SOME);
    for (size_t length = HEADER + SOME * sizeof *records; length-- > 0;) {
        assert_int_equal(truncate(path, (off_t)length), 0);
        if (length < HEADER) {
            assert_int_equal(open_status(path, "not a recording"), PTPMON_BAD_FILE);
            continue;
        }
        size_t count, whole = (length - HEADER) / sizeof *records;
        PTP_TIMESTAMP_EVENT *read = read_records(path, &count);
        assert_int_equal(count, whole);
        if (count > 0)
            assert_memory_equal(read, records, count * sizeof *read);
        free(read);
        ptpmon_monitor *monitor = open_enabled();
        ptpmon_monitor_info info;
        assert_int_equal(ptpmon_monitor_info_get(monitor, &info), PTPMON_OK);
        assert_int_equal(info.enabled_at, whole > 0 ? records[0].system_timestamp : 0);
        assert_int_equal(info.disabled_at, whole > 0 ? records[whole - 1].system_timestamp : 0);
        ptpmon_monitor_close(monitor);
    }
    free(records);
}

/* Whatever the bytes are: refused, or read to the end, by either door, and every record comes out or is counted. */
static void read_damaged(void)
{
    ptpmon_monitor *monitor;
    ptpmon_status status = ptpmon_monitor_open_recording(path, &monitor);
    if (status != PTPMON_OK) {
        assert_int_equal(status, PTPMON_BAD_FILE);
        return;
    }
    ptpmon_monitor_close(monitor);
    size_t record_count, event_count, late = 0;
    PTP_TIMESTAMP_EVENT *records = read_records(path, &record_count);
    for (size_t i = 0; i < record_count; i++)
        late += records[i].direction == AVB_DIRECTION_TX && records[i].stamp & AVB_STAMP_LATE;
    monitor = open_enabled();
    PTP_TIMESTAMP_EVENT *events = read_events(monitor, &event_count);
    assert_int_equal(event_count, record_count - late);
    assert_counted(monitor, records, record_count);
    ptpmon_monitor_close(monitor);
    free(records);
    free(events);
}

static void damage_does_no_harm(void **state)
{
    (void)state;
    enum { SOME = 200 };
    struct random random = {3};
    size_t length;
    PTP_TIMESTAMP_EVENT *records = make_many(SOME);
    write_file(records, SOME);
    unsigned char *good = read_whole(path, &length), *bad = malloc(length);
    assert_non_null(bad);
    for (int round = 0; round < 1000; round++) {
        memcpy(bad, good, length);
        size_t from = random_chance(&random, 70) ? HEADER : 0, to = from == 0 ? 96 : length;
        for (uint64_t hits = random_below(&random, from == 0 ? 3 : 300); hits > 0; hits--)
            bad[from + random_below(&random, to - from)] = (unsigned char)random_next(&random);
        write_whole(path, bad, random_chance(&random, 50) ? length : random_below(&random, length));
        read_damaged();
    }
    free(bad);
    free(good);
    free(records);
}

/* Someone empties or cuts the file, writes on, or puts another in its place while it is read. */
static void file_changes_while_it_is_read(void **state)
{
    (void)state;
    enum { MANY = 40000, FEW = 100 };
    PTP_TIMESTAMP_EVENT *records = make_many(MANY), events[1];
    size_t count, read;
    ptpmon_batch batch;

    write_file(records, MANY);
    ptpmon_monitor *monitor = open_enabled();
    assert_int_equal(ptpmon_events_read(monitor, events, 1, &count), PTPMON_OK);
    assert_int_equal(truncate(path, HEADER + 20000 * sizeof *records), 0);
    ptpmon_status status;
    do {
        status = ptpmon_events_read(monitor, events, 1, &read);
    } while (status == PTPMON_OK);
    assert_int_equal(status, PTPMON_BAD_FILE);
    assert_non_null(strstr(ptpmon_error_message(), path));
    assert_non_null(strstr(ptpmon_error_message(), "shorter"));
    assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_BAD_FILE);
    assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_BAD_FILE);
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK); /* what is there now */
    free(read_events(monitor, &count));
    assert_counted(monitor, records, 20000);
    ptpmon_monitor_close(monitor);

    write_file(records, FEW);
    monitor = open_enabled();
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(fwrite(records + FEW, sizeof *records, FEW, file), FEW);
    assert_int_equal(fclose(file), 0);
    free(read_events(monitor, &count));
    assert_counted(monitor, records, FEW); /* as of enable */
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    free(read_events(monitor, &count));
    assert_counted(monitor, records, (size_t)2 * FEW);
    ptpmon_monitor_info info;
    assert_int_equal(ptpmon_monitor_info_get(monitor, &info), PTPMON_OK);
    assert_int_equal(info.disabled_at, records[2 * FEW - 1].system_timestamp);
    ptpmon_monitor_close(monitor);

    write_file(records, FEW);
    monitor = open_enabled();
    write_whole(other_path, "something else", 14);
    assert_int_equal(rename(other_path, path), 0);
    free(read_events(monitor, &count));
    assert_counted(monitor, records, FEW); /* the file that was opened */
    ptpmon_monitor_close(monitor);
    free(records);
}

/* ---- Writing ---- */

static void unwritable_places_are_named(void **state)
{
    (void)state;
    struct ptpmon_recorder *recorder;
    assert_int_equal(ptpmon_recorder_open("/tmp/no/such/place.events", NULL, &recorder), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "/tmp/no/such/place.events"));
    assert_int_equal(ptpmon_recorder_open("/tmp", NULL, &recorder), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), strerror(EISDIR)));
    PTP_RECORDING_HEADER header = make_header();
    assert_int_equal(ptpmon_recorder_open("/dev/full", NULL, &recorder), PTPMON_OK);
    assert_int_equal(ptpmon_recorder_begin(recorder, &header), PTPMON_OK);
    assert_int_equal(ptpmon_recorder_flush(recorder), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "/dev/full: cannot write the recording: No space left on device"));
    assert_int_equal(ptpmon_recorder_close(recorder), PTPMON_OK); /* it was said */
    assert_int_equal(ptpmon_recorder_open("/dev/full", NULL, &recorder), PTPMON_OK);
    assert_int_equal(ptpmon_recorder_begin(recorder, &header), PTPMON_OK);
    assert_int_equal(ptpmon_recorder_close(recorder), PTPMON_IO); /* it was not */
}

static void one_file_is_not_written_twice_at_once(void **state)
{
    (void)state;
    struct ptpmon_recorder *first, *second;
    PTP_RECORDING_HEADER header = make_header();
    assert_int_equal(ptpmon_recorder_open(path, NULL, &first), PTPMON_OK);
    assert_int_equal(ptpmon_recorder_begin(first, &header), PTPMON_OK);
    assert_int_equal(ptpmon_recorder_flush(first), PTPMON_OK);
    assert_int_equal(symlink(path, other_path), 0); /* another name is no other file */
    assert_int_equal(ptpmon_recorder_open(other_path, first, &second), PTPMON_INVALID);
    assert_non_null(strstr(ptpmon_error_message(), other_path));
    assert_int_equal(ptpmon_recorder_open(path, first, &second), PTPMON_INVALID);
    assert_int_equal(unlink(other_path), 0);
    assert_int_equal(ptpmon_recorder_close(first), PTPMON_OK);
    size_t count;
    free(read_records(path, &count)); /* it is whole */
}

/*
 * The disk is full at each byte of the header and of some records; then there is room again. Nothing
 * may be written behind the gap: what is in the file is what was written first, up to some byte.
 */
static void full_disk_ends_the_file(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    PTP_TIMESTAMP_EVENT *records = make_many(MANY);
    struct rlimit before;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    write_file(records, MANY);
    size_t length;
    unsigned char *whole = read_whole(path, &length);
    for (size_t limit = 0; limit < length; limit += limit < 100 ? 7 : limit / 10 + 1) {
        struct ptpmon_recorder *recorder;
        PTP_RECORDING_HEADER header = make_header();
        assert_int_equal(ptpmon_recorder_open(path, NULL, &recorder), PTPMON_OK);
        struct rlimit full = {limit, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
        ptpmon_status status = ptpmon_recorder_begin(recorder, &header);
        for (size_t i = 0; i < MANY && status == PTPMON_OK; i++) {
            status = ptpmon_recorder_write(recorder, &records[i]);
            if (status == PTPMON_OK && i % 100 == 99)
                status = ptpmon_recorder_flush(recorder);
        }
        assert_int_equal(status, PTPMON_IO);
        assert_non_null(strstr(ptpmon_error_message(), path));
        assert_non_null(strstr(ptpmon_error_message(), strerror(EFBIG)));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0); /* too late */
        assert_int_equal(ptpmon_recorder_write(recorder, &records[0]), PTPMON_IO);
        assert_int_equal(ptpmon_recorder_flush(recorder), PTPMON_IO);
        assert_int_equal(ptpmon_recorder_status(recorder), PTPMON_IO);
        assert_non_null(strstr(ptpmon_error_message(), strerror(EFBIG)));
        assert_int_equal(ptpmon_recorder_close(recorder), PTPMON_OK);

        size_t written;
        unsigned char *bytes = read_whole(path, &written);
        assert_int_equal(written, limit);
        assert_memory_equal(bytes, whole, written);
        free(bytes);
        if (written >= HEADER)
            read_damaged();
    }
    signal(SIGXFSZ, handler);
    free(whole);
    free(records);
}

static void a_recording_is_not_recorded(void **state)
{
    (void)state;
    write_file(NULL, 0);
    ptpmon_monitor *monitor = open_enabled();
    assert_int_equal(ptpmon_monitor_record(monitor, other_path), PTPMON_INVALID);
    assert_non_null(strstr(ptpmon_error_message(), path));
    assert_int_equal(access(other_path, F_OK), -1);
    ptpmon_monitor_close(monitor);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    snprintf(other_path, sizeof other_path, "%s.other", path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    unlink(other_path);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_place),
        cmocka_unit_test(events_door_joins_as_it_did_live),
        cmocka_unit_test(long_recordings_come_in_portions),
        cmocka_unit_test(enable_starts_anew),
        cmocka_unit_test(header_comes_back),
        cmocka_unit_test(other_kinds_and_versions_are_refused),
        cmocka_unit_test(other_byte_order_is_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(permission_is_asked_for),
        cmocka_unit_test(strings_end_within_their_fields),
        cmocka_unit_test(cut_file_is_good_up_to_its_last_whole_record),
        cmocka_unit_test(damage_does_no_harm),
        cmocka_unit_test(file_changes_while_it_is_read),
        cmocka_unit_test(unwritable_places_are_named),
        cmocka_unit_test(one_file_is_not_written_twice_at_once),
        cmocka_unit_test(full_disk_ends_the_file),
        cmocka_unit_test(a_recording_is_not_recorded),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
