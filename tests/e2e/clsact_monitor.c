/* SPDX-License-Identifier: MIT */
/*
 * Monitors an interface as on a kernel without TCX, for the tests of that way:
 *
 *     clsact_monitor INTERFACE [--no-tracing]
 *
 * Says "ready" on standard output, then a line "DIRECTION SEQUENCEID" for each event, until SIGINT
 * or SIGTERM; then disables the monitor and exits with 0.
 */
#include <inttypes.h>
#include <ptpmon.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static int fail(void)
{
    fprintf(stderr, "clsact_monitor: %s\n", ptpmon_error_message());
    return 1;
}

static void print_events(const PTP_TIMESTAMP_EVENT *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (events[i].direction == AVB_DIRECTION_RX || events[i].direction == AVB_DIRECTION_TX)
            printf("%s %" PRIu16 "\n", events[i].direction == AVB_DIRECTION_RX ? "rx" : "tx", events[i].sequenceId);
    }
    fflush(stdout);
}

static int print_all(ptpmon_monitor *monitor)
{
    PTP_TIMESTAMP_EVENT events[64];
    size_t count;
    ptpmon_status status = PTPMON_OK;
    while (status == PTPMON_OK) {
        if (stop && ptpmon_monitor_disable(monitor) != PTPMON_OK)
            return fail();
        status = ptpmon_monitor_wait(monitor, 50);
        if (status != PTPMON_OK && status != PTPMON_NOTHING && status != PTPMON_END)
            return fail();
        status = ptpmon_events_read(monitor, events, sizeof events / sizeof *events, &count);
        if (status == PTPMON_OK)
            print_events(events, count);
    }
    return status == PTPMON_END ? 0 : fail();
}

int main(int argc, char **argv)
{
    ptpmon_monitor_options options = {.flags = PTPMON_NO_TCX};
    ptpmon_monitor *monitor;
    ptpmon_monitor_info info;
    if (argc < 2)
        return 2;
    if (argc > 2 && strcmp(argv[2], "--no-tracing") == 0)
        options.flags |= PTPMON_NO_TRACING;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);

    if (ptpmon_monitor_open(argv[1], &options, &monitor) != PTPMON_OK)
        return fail();
    int result = 1;
    if (ptpmon_monitor_enable(monitor) != PTPMON_OK || ptpmon_monitor_info_get(monitor, &info) != PTPMON_OK) {
        fail();
    } else if (strcmp(info.rx_frames, "clsact") != 0) {
        fprintf(stderr, "clsact_monitor: attached through %s\n", info.rx_frames);
    } else {
        printf("ready\n");
        fflush(stdout);
        result = print_all(monitor);
    }
    ptpmon_monitor_close(monitor);
    return result;
}
