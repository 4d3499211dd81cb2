/* SPDX-License-Identifier: MIT */
/*
 * Records the PTP events of an interface to a file until Ctrl-C:
 *
 *     cc record_events.c $(pkg-config --cflags --libs ptpmon)
 *     record_events INTERFACE FILE.events
 */
#include <ptpmon.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* Reads what there is; the monitor writes it to the file on the way. Returns PTPMON_END at the end. */
static ptpmon_status drain(ptpmon_monitor *monitor, unsigned long *frames)
{
    PTP_TIMESTAMP_EVENT events[256];
    size_t count;
    ptpmon_status status;
    do {
        status = ptpmon_events_read(monitor, events, sizeof events / sizeof *events, &count);
        for (size_t i = 0; i < count; i++)
            *frames += events[i].direction <= AVB_DIRECTION_TX; /* others are clocks and losses */
    } while (status == PTPMON_OK && count > 0);
    return status;
}

static ptpmon_status record(ptpmon_monitor *monitor, const char *path, unsigned long *frames)
{
    ptpmon_status status = ptpmon_monitor_record(monitor, path);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(monitor);
    if (status == PTPMON_OK)
        fprintf(stderr, "recording; Ctrl-C ends it\n");
    while (status == PTPMON_OK && !stopped) {
        status = ptpmon_monitor_wait(monitor, 200);
        if (status == PTPMON_OK || status == PTPMON_NOTHING)
            status = drain(monitor, frames);
    }
    if (status == PTPMON_OK)
        status = ptpmon_monitor_disable(monitor);
    while (status == PTPMON_OK)
        status = drain(monitor, frames);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: record_events INTERFACE FILE.events\n");
        return 2;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);

    unsigned long frames = 0;
    ptpmon_monitor *monitor;
    ptpmon_status status = ptpmon_monitor_open(argv[1], NULL, &monitor);
    if (status == PTPMON_OK) {
        status = record(monitor, argv[2], &frames);
        ptpmon_monitor_close(monitor);
    }
    if (status != PTPMON_END) {
        fprintf(stderr, "record_events: %s\n", ptpmon_error_message());
        return 1;
    }
    printf("%lu frames recorded in %s\n", frames, argv[2]);
    return 0;
}
