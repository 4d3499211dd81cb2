/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reading of recordings: any bytes as a file. It is refused, or both doors read it to its
 * end: the records door gives the file's bytes, the events door as many events as there are records
 * that are no late stamps, and the same ones each time.
 */
#include "fuzz.h"
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition) ((condition) ? (void)0 : give_up(#condition))

/* There are no interfaces here; lib/monitor.c asks for them. */
ptpmon_status ptpmon_source_open(const char *interface_name, const ptpmon_monitor_options *options,
                                 struct ptpmon_source **source)
{
    (void)interface_name;
    (void)options;
    (void)source;
    return PTPMON_NOT_SUPPORTED;
}

static void give_up(const char *condition)
{
    fprintf(stderr, "fuzz_recording: does not hold: %s\n", condition);
    abort();
}

/* A file in memory that holds the input; the same one each time. Returns its path. */
static const char *as_file(const uint8_t *input, size_t size)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0)
        fd = memfd_create("recording", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, input, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static void check_header(const PTP_RECORDING_HEADER *header)
{
    CHECK(strlen(header->tool_version) < sizeof header->tool_version);
    CHECK(strlen(header->host) < sizeof header->host);
    CHECK(strlen(header->boot_id) < sizeof header->boot_id);
    CHECK(strlen(header->interface_name) < sizeof header->interface_name);
    CHECK(strlen(header->interface_guid) < sizeof header->interface_guid);
}

/* Returns how many records are no late stamps. */
static size_t check_records(ptpmon_monitor *monitor, const uint8_t *records, size_t count)
{
    size_t read = 0, events = 0;
    ptpmon_status status;
    CHECK(ptpmon_monitor_enable(monitor) == PTPMON_OK);
    while ((status = ptpmon_monitor_wait(monitor, 0)) == PTPMON_OK) {
        ptpmon_batch batch;
        CHECK(ptpmon_records_peek(monitor, &batch) == PTPMON_OK && batch.count > 0 && batch.count <= count - read);
        CHECK(memcmp(batch.first, records + read * sizeof(PTP_TIMESTAMP_EVENT),
                     batch.count * sizeof(PTP_TIMESTAMP_EVENT)) == 0);
        size_t portion = batch.count / 2 + 1;
        for (size_t i = 0; i < portion; i++) {
            const PTP_TIMESTAMP_EVENT *record = ptpmon_batch_at(&batch, i);
            events += !(record->direction == AVB_DIRECTION_TX && record->stamp & AVB_STAMP_LATE);
        }
        CHECK(ptpmon_records_release(monitor, portion) == PTPMON_OK);
        read += portion;
    }
    CHECK(status == PTPMON_END && read == count);
    CHECK(ptpmon_monitor_disable(monitor) == PTPMON_OK);
    return events;
}

/* What the events add up to. */
struct sum {
    size_t events;
    uint64_t hash;
    ptpmon_statistics statistics;
};

static void add_event(struct sum *sum, const PTP_TIMESTAMP_EVENT *event)
{
    uint64_t words[sizeof *event / sizeof(uint64_t)];
    memcpy(words, event, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        sum->hash = (sum->hash ^ words[i]) * 0x100000001B3u;
    sum->events++;
}

static struct sum read_events(ptpmon_monitor *monitor)
{
    struct sum sum = {0};
    PTP_TIMESTAMP_EVENT events[7];
    size_t count;
    ptpmon_status status;
    CHECK(ptpmon_monitor_enable(monitor) == PTPMON_OK);
    while ((status = ptpmon_events_read(monitor, events, sizeof events / sizeof *events, &count)) == PTPMON_OK) {
        for (size_t i = 0; i < count; i++)
            add_event(&sum, &events[i]);
    }
    CHECK(status == PTPMON_END);
    CHECK(ptpmon_monitor_statistics(monitor, &sum.statistics) == PTPMON_OK);
    CHECK(ptpmon_monitor_disable(monitor) == PTPMON_OK);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    ptpmon_monitor *monitor;
    ptpmon_status status = ptpmon_monitor_open_recording(as_file(input, size), &monitor);
    if (status != PTPMON_OK) {
        CHECK(status == PTPMON_BAD_FILE);
        return 0;
    }
    CHECK(size >= AVB_RECORDING_HEADER_BYTES);
    check_header(ptpmon_monitor_recording_header(monitor));
    size_t count = (size - AVB_RECORDING_HEADER_BYTES) / sizeof(PTP_TIMESTAMP_EVENT);
    size_t expected = check_records(monitor, input + AVB_RECORDING_HEADER_BYTES, count);
    struct sum once = read_events(monitor), again = read_events(monitor);
    CHECK(once.events == expected);
    CHECK(memcmp(&once, &again, sizeof once) == 0);
    ptpmon_monitor_close(monitor);
    return 0;
}
