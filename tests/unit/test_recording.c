/* SPDX-License-Identifier: MIT */
/* Files of recorded events: what was written comes back, and what is damaged is refused or ends early. */
#include "recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORDS 8u

static char path[] = "/tmp/ptpmon-recording-XXXXXX";

static PTP_RECORDING_HEADER make_header(void)
{
    PTP_RECORDING_HEADER header = {
        .byte_order = AVB_RECORDING_BYTE_ORDER,
        .format_version = AVB_RECORDING_FORMAT_VERSION,
        .abi_version = AVB_PTP_EVENT_ABI_VERSION,
        .header_bytes = sizeof header,
        .record_bytes = sizeof(PTP_TIMESTAMP_EVENT),
        .interface_name = "nic0",
    };
    memcpy(header.magic, AVB_RECORDING_MAGIC, sizeof header.magic);
    return header;
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

static void write_file(const PTP_RECORDING_HEADER *header, const PTP_TIMESTAMP_EVENT *records, size_t count)
{
    struct ptpmon_recorder *recorder;
    assert_int_equal(ptpmon_recorder_open(path, header, &recorder), PTPMON_OK);
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
    PTP_RECORDING_HEADER header = make_header();
    PTP_TIMESTAMP_EVENT records[RECORDS];
    make_records(records);
    write_file(&header, records, RECORDS);

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
    PTP_RECORDING_HEADER header = make_header();
    PTP_TIMESTAMP_EVENT records[RECORDS], events[RECORDS];
    make_records(records);
    write_file(&header, records, RECORDS);

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

static void refused(const PTP_RECORDING_HEADER *header, const char *because)
{
    ptpmon_monitor *monitor;
    write_file(header, NULL, 0);
    assert_int_equal(ptpmon_monitor_open_recording(path, &monitor), PTPMON_BAD_FILE);
    assert_non_null(strstr(ptpmon_error_message(), path));
    assert_non_null(strstr(ptpmon_error_message(), because));
}

static void other_kinds_and_versions_are_refused(void **state)
{
    (void)state;
    PTP_RECORDING_HEADER header = make_header();
    header.magic[0] = 'X';
    refused(&header, "not a recording");
    header = make_header();
    header.byte_order = __builtin_bswap32(AVB_RECORDING_BYTE_ORDER);
    refused(&header, "byte order");
    header = make_header();
    header.format_version++;
    refused(&header, "format");
    header = make_header();
    header.abi_version++;
    refused(&header, "version");
    header = make_header();
    header.record_bytes = 128;
    refused(&header, "version");
    ptpmon_monitor *monitor;
    assert_int_equal(ptpmon_monitor_open_recording("/tmp/ptpmon-no-such-recording", &monitor), PTPMON_IO);
    assert_int_equal(ptpmon_monitor_open_recording("/tmp", &monitor), PTPMON_BAD_FILE);
}

/* A recorder that was killed leaves a file that ends anywhere. */
static void cut_file_is_good_up_to_its_last_whole_record(void **state)
{
    (void)state;
    PTP_RECORDING_HEADER header = make_header();
    PTP_TIMESTAMP_EVENT records[RECORDS];
    make_records(records);
    for (size_t length = sizeof header + sizeof records; length-- > 0;) {
        ptpmon_monitor *monitor;
        write_file(&header, records, RECORDS);
        assert_int_equal(truncate(path, (off_t)length), 0);
        ptpmon_status status = ptpmon_monitor_open_recording(path, &monitor);
        if (length < sizeof header) {
            assert_int_equal(status, PTPMON_BAD_FILE);
            if (length > 1024)
                length -= 64; /* within the header every 65th offset is enough until its fields begin */
            continue;
        }
        assert_int_equal(status, PTPMON_OK);
        ptpmon_batch batch;
        assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
        assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
        assert_int_equal(batch.count, (length - sizeof header) / sizeof *records);
        ptpmon_monitor_close(monitor);
    }
}

static void full_disk_is_reported(void **state)
{
    (void)state;
    PTP_RECORDING_HEADER header = make_header();
    struct ptpmon_recorder *recorder;
    assert_int_equal(ptpmon_recorder_open("/dev/full", &header, &recorder), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "/dev/full"));
    assert_int_equal(ptpmon_recorder_open("/tmp/no/such/place.events", &header, &recorder), PTPMON_IO);
}

static void only_a_live_monitor_is_recorded(void **state)
{
    (void)state;
    PTP_RECORDING_HEADER header = make_header();
    write_file(&header, NULL, 0);
    ptpmon_monitor *monitor;
    assert_int_equal(ptpmon_monitor_open_recording(path, &monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_record(monitor, "/tmp/ptpmon-second.events"), PTPMON_INVALID);
    ptpmon_monitor_close(monitor);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_place),
        cmocka_unit_test(events_door_joins_as_it_did_live),
        cmocka_unit_test(other_kinds_and_versions_are_refused),
        cmocka_unit_test(cut_file_is_good_up_to_its_last_whole_record),
        cmocka_unit_test(full_disk_is_reported),
        cmocka_unit_test(only_a_live_monitor_is_recorded),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
