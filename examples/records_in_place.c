/* SPDX-License-Identifier: MIT */
/*
 * Counts the records of an interface where they lie in the ring, without copying them, until Ctrl-C:
 *
 *     cc records_in_place.c $(pkg-config --cflags --libs ptpmon)
 *     records_in_place INTERFACE|FILE.events
 */
#include <inttypes.h>
#include <ptpmon.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What a record can be; a late stamp is the second record of a sent frame. */
enum kind { RX, TX, LATE_STAMP, CLOCKS, LOSS, KINDS };
static const char *const kind_names[KINDS] = {"frames received", "frames sent", "late stamps of sent frames",
                                              "readings of the clocks", "losses"};

struct tally {
    uint64_t records[KINDS];
    uint64_t by_type[2][16]; /* frames by direction and messageType */
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static void add(struct tally *tally, const PTP_TIMESTAMP_EVENT *record)
{
    if (record->direction > AVB_DIRECTION_LOSS)
        return; /* of a kind that this program does not know */
    if (record->direction > AVB_DIRECTION_TX) {
        tally->records[record->direction == AVB_DIRECTION_CLOCKS ? CLOCKS : LOSS]++;
    } else if (record->stamp & AVB_STAMP_LATE) {
        tally->records[LATE_STAMP]++;
    } else {
        tally->records[record->direction]++;
        tally->by_type[record->direction][record->messageType & 0xF]++;
    }
}

/* Counts what lies there, batch by batch. A batch stays where it is until it is released. */
static ptpmon_status count(ptpmon_monitor *monitor, struct tally *tally)
{
    ptpmon_batch batch;
    ptpmon_status status;
    while ((status = ptpmon_records_peek(monitor, &batch)) == PTPMON_OK && batch.count > 0) {
        for (size_t i = 0; i < batch.count; i++)
            add(tally, ptpmon_batch_at(&batch, i));
        status = ptpmon_records_release(monitor, batch.count);
        if (status != PTPMON_OK)
            break;
    }
    return status;
}

static ptpmon_status run(ptpmon_monitor *monitor, struct tally *tally)
{
    ptpmon_status status = ptpmon_monitor_enable(monitor);
    if (status == PTPMON_OK)
        fprintf(stderr, "counting; Ctrl-C ends it\n");
    while (status == PTPMON_OK && !stopped) {
        status = ptpmon_monitor_wait(monitor, 200);
        if (status == PTPMON_OK || status == PTPMON_NOTHING)
            status = count(monitor, tally);
    }
    if (status == PTPMON_OK)
        status = ptpmon_monitor_disable(monitor);
    return status == PTPMON_OK ? count(monitor, tally) : status;
}

static void print(const struct tally *tally)
{
    for (int kind = 0; kind < KINDS; kind++)
        printf("%8" PRIu64 "  %s\n", tally->records[kind], kind_names[kind]);
    for (unsigned type = 0; type < 16; type++)
        if (tally->by_type[0][type] + tally->by_type[1][type] > 0)
            printf("%-22s %8" PRIu64 " RX %8" PRIu64 " TX\n", ptpmon_message_type_name((uint8_t)type),
                   tally->by_type[0][type], tally->by_type[1][type]);
}

static ptpmon_status open_monitor(const char *name, ptpmon_monitor **monitor)
{
    const char *ending = strrchr(name, '.');
    if (ending && strcmp(ending, ".events") == 0)
        return ptpmon_monitor_open_recording(name, monitor);
    return ptpmon_monitor_open(name, NULL, monitor);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: records_in_place INTERFACE|FILE.events\n");
        return 2;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);

    struct tally tally = {0};
    ptpmon_monitor *monitor;
    ptpmon_status status = open_monitor(argv[1], &monitor);
    if (status == PTPMON_OK) {
        status = run(monitor, &tally);
        ptpmon_monitor_close(monitor);
    }
    if (status != PTPMON_OK && status != PTPMON_END) {
        fprintf(stderr, "records_in_place: %s\n", ptpmon_error_message());
        return 1;
    }
    print(&tally);
    return 0;
}
