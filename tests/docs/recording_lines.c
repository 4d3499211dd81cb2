/* SPDX-License-Identifier: MIT */
/*
 * What the library says of a recording, for comparison with the reader in docs/recordings.md:
 *
 *     recording_lines print FILE.events     a line for each record, in the reader's words
 *     recording_lines write FILE.events     writes a file with all kinds of records, any values, and a cut end
 *     recording_lines capture FILE.pcapng   writes a capture with all blocks and options
 */
#include "recording.h"
#include "unit/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(void)
{
    fprintf(stderr, "recording_lines: %s\n", ptpmon_error_message());
    return 1;
}

/* ---- print ---- */

static void print_bytes(const char *name, const UCHAR *bytes, size_t count)
{
    printf(" %s=", name);
    for (size_t i = 0; i < count; i++)
        printf("%02x", bytes[i]);
}

static void print_frame(const PTP_TIMESTAMP_EVENT *event)
{
    printf("%s hw_timestamp_ns=%" PRIu64 " system_timestamp=%" PRIu64
           " direction=%u messageType=%u sequenceId=%u "
           "domainNumber=%u",
           event->direction == AVB_DIRECTION_RX ? "RX" : "TX", event->hw_timestamp_ns, event->system_timestamp,
           event->direction, event->messageType, event->sequenceId, event->domainNumber);
    print_bytes("sourceMac", event->sourceMac, sizeof event->sourceMac);
    printf(" stamp=%u vlanId=%u pcp=%u queueId=%u", event->stamp, event->vlanId, event->pcp, event->queueId);
    print_bytes("clockIdentity", event->clockIdentity, sizeof event->clockIdentity);
    printf(" portNumber=%u sdoId=%u flags=%u transport=%u version=%u software_timestamp=%" PRIu64 " sequence=%" PRIu64
           "\n",
           event->portNumber, event->sdoId, event->flags, event->transport, event->version, event->software_timestamp,
           event->sequence);
}

static void print_record(const PTP_TIMESTAMP_EVENT *record)
{
    PTP_CLOCKS_RECORD clocks;
    PTP_LOSS_RECORD loss;
    memcpy(&clocks, record, sizeof clocks);
    memcpy(&loss, record, sizeof loss);
    if (record->direction <= AVB_DIRECTION_TX)
        print_frame(record);
    else if (record->direction == AVB_DIRECTION_CLOCKS)
        printf("CLOCKS hw_timestamp_ns=%" PRIu64 " system_timestamp=%" PRIu64 " direction=%u hw_uncertainty_ns=%" PRIu32
               " realtime_uncertainty_ns=%" PRIu32 " realtime_ns=%" PRIu64 " sequence=%" PRIu64 "\n",
               clocks.hw_timestamp_ns, clocks.system_timestamp, clocks.direction, clocks.hw_uncertainty_ns,
               clocks.realtime_uncertainty_ns, clocks.realtime_ns, clocks.sequence);
    else if (record->direction == AVB_DIRECTION_LOSS)
        printf("LOSS hw_timestamp_ns=%" PRIu64 " system_timestamp=%" PRIu64 " direction=%u frames_dropped=%" PRIu64
               " stamps_dropped=%" PRIu64 " since=%" PRIu64 " sequence=%" PRIu64 "\n",
               loss.hw_timestamp_ns, loss.system_timestamp, loss.direction, loss.frames_dropped, loss.stamps_dropped,
               loss.since, loss.sequence);
}

static int print_file(const char *path)
{
    ptpmon_monitor *monitor;
    ptpmon_batch batch;
    if (ptpmon_monitor_open_recording(path, &monitor) != PTPMON_OK)
        return fail();
    ptpmon_status status = ptpmon_monitor_enable(monitor);
    while (status == PTPMON_OK && (status = ptpmon_monitor_wait(monitor, 0)) == PTPMON_OK &&
           (status = ptpmon_records_peek(monitor, &batch)) == PTPMON_OK) {
        for (size_t i = 0; i < batch.count; i++)
            print_record(ptpmon_batch_at(&batch, i));
        status = ptpmon_records_release(monitor, batch.count);
    }
    ptpmon_monitor_close(monitor);
    return status == PTPMON_END ? 0 : fail();
}

/* ---- write ---- */

#define RECORDS 5000

static void make_record(struct random *random, void *record)
{
    static const uint8_t kinds[] = {AVB_DIRECTION_RX, AVB_DIRECTION_TX, AVB_DIRECTION_CLOCKS, AVB_DIRECTION_LOSS, 77};
    uint64_t words[8];
    for (size_t i = 0; i < 8; i++)
        words[i] = random_next(random);
    memcpy(record, words, sizeof words);
    ((PTP_TIMESTAMP_EVENT *)record)->direction = kinds[random_below(random, sizeof kinds)];
}

static ptpmon_status write_records(struct ptpmon_recorder *recorder)
{
    struct random random = {1};
    PTP_TIMESTAMP_EVENT record;
    PTP_RECORDING_HEADER header = {
        .system_clock_hz = 1000000000u, .system_clock = AVB_CLOCK_MONOTONIC, .software_clock = AVB_CLOCK_REALTIME};
    ptpmon_status status = ptpmon_recorder_begin(recorder, &header);
    for (int i = 0; i < RECORDS && status == PTPMON_OK; i++) {
        make_record(&random, &record);
        status = ptpmon_recorder_write(recorder, &record);
    }
    return status;
}

static int write_file(const char *path)
{
    struct ptpmon_recorder *recorder;
    if (ptpmon_recorder_open(path, NULL, &recorder) != PTPMON_OK)
        return fail();
    ptpmon_status written = write_records(recorder), closed = ptpmon_recorder_close(recorder);
    if (written != PTPMON_OK || closed != PTPMON_OK)
        return fail();
    /* As a killed recorder leaves it. */
    return truncate(path, (off_t)(AVB_RECORDING_HEADER_BYTES + RECORDS * sizeof(PTP_TIMESTAMP_EVENT) - 1)) == 0 ? 0 : 1;
}

/* ---- capture ---- */

static ptpmon_status write_capture(ptpmon_capture_writer *writer)
{
    static const uint8_t bytes[61] = {1, 2, 3};
    ptpmon_capture_statistics counts = {.started_at = 1700000000000000000};
    ptpmon_status status = ptpmon_capture_writer_statistics(writer, 0, &counts, counts.started_at);
    for (uint8_t direction = 0; direction < 3 && status == PTPMON_OK; direction++) {
        ptpmon_frame frame = {
            .time_ns = counts.started_at + 1 + direction,
            .bytes = bytes,
            .captured_length = sizeof bytes,
            .length = sizeof bytes,
            .direction = direction < 2 ? direction : AVB_DIRECTION_UNKNOWN,
        };
        status = ptpmon_capture_writer_frame(writer, 0, &frame);
    }
    counts.frames = 3;
    counts.dropped = 2;
    counts.stopped_at = counts.started_at + 1000;
    return status == PTPMON_OK ? ptpmon_capture_writer_statistics(writer, 0, &counts, counts.stopped_at) : status;
}

static int write_capture_file(const char *path)
{
    static const ptpmon_capture_interface interface = {.name = "nic0",
                                                       .host = "bench-7",
                                                       .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
                                                       .mac = {2},
                                                       .has_mac = true};
    ptpmon_capture_writer *writer;
    if (ptpmon_capture_writer_open(path, &interface, 1, &writer) != PTPMON_OK)
        return fail();
    ptpmon_status written = write_capture(writer), closed = ptpmon_capture_writer_close(writer);
    return written == PTPMON_OK && closed == PTPMON_OK ? 0 : fail();
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "print") == 0)
        return print_file(argv[2]);
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return write_file(argv[2]);
    if (argc == 3 && strcmp(argv[1], "capture") == 0)
        return write_capture_file(argv[2]);
    fprintf(stderr, "usage: recording_lines print|write|capture FILE\n");
    return 2;
}
