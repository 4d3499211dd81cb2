/* SPDX-License-Identifier: MIT */
#include "recording_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

unsigned char *read_whole(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *length = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*length + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

void write_whole(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

struct list {
    PTP_TIMESTAMP_EVENT *records;
    size_t count, capacity;
};

/* Room for `more` records behind those there are. */
static PTP_TIMESTAMP_EVENT *room(struct list *list, size_t more)
{
    if (list->count + more > list->capacity) {
        list->capacity = 2 * list->capacity + more;
        list->records = realloc(list->records, list->capacity * sizeof *list->records);
        assert_non_null(list->records);
    }
    return list->records + list->count;
}

PTP_TIMESTAMP_EVENT *read_records(const char *path, size_t *count)
{
    struct list list = {0};
    ptpmon_monitor *monitor;
    ptpmon_batch batch;
    assert_int_equal(ptpmon_monitor_open_recording(path, &monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    while (ptpmon_monitor_wait(monitor, 0) == PTPMON_OK) {
        assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
        assert_int_equal(batch.stride, sizeof *list.records);
        memcpy(room(&list, batch.count), batch.first, batch.count * sizeof *list.records);
        list.count += batch.count;
        assert_int_equal(ptpmon_records_release(monitor, batch.count), PTPMON_OK);
    }
    assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_END);
    ptpmon_monitor_close(monitor);
    *count = list.count;
    return list.records;
}

PTP_TIMESTAMP_EVENT *read_events(ptpmon_monitor *monitor, size_t *count)
{
    struct list list = {0};
    size_t read;
    ptpmon_status status;
    while ((status = ptpmon_events_read(monitor, room(&list, 100), 100, &read)) == PTPMON_OK)
        list.count += read;
    assert_int_equal(status, PTPMON_END);
    *count = list.count;
    return list.records;
}

PTP_TIMESTAMP_EVENT random_frame(struct random *random, uint64_t at)
{
    PTP_TIMESTAMP_EVENT record;
    uint64_t words[sizeof record / sizeof(uint64_t)];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        words[i] = random_next(random);
    memcpy(&record, words, sizeof record);
    record.system_timestamp = at;
    record.direction = random_chance(random, 50) ? AVB_DIRECTION_TX : AVB_DIRECTION_RX;
    record.stamp &= (UINT8) ~(AVB_STAMP_LATE | AVB_STAMP_EXPECTED | AVB_STAMP_MISSING);
    if (record.direction == AVB_DIRECTION_TX && random_chance(random, 50))
        record.stamp |= AVB_STAMP_EXPECTED;
    return record;
}

PTP_TIMESTAMP_EVENT late_stamp_of(const PTP_TIMESTAMP_EVENT *frame, uint64_t at, uint64_t software_timestamp)
{
    PTP_TIMESTAMP_EVENT stamp = *frame;
    stamp.system_timestamp = at;
    stamp.stamp = AVB_STAMP_LATE;
    stamp.hw_timestamp_ns = 0;
    stamp.software_timestamp = software_timestamp;
    return stamp;
}
