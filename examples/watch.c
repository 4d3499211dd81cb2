/* SPDX-License-Identifier: MIT */
/* Prints each PTP frame of an interface: cc watch.c $(pkg-config --cflags --libs ptpmon) */
#include <inttypes.h>
#include <ptpmon.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    ptpmon_monitor *monitor = NULL;
    PTP_TIMESTAMP_EVENT events[64];
    size_t count = 0;

    if (argc != 2 || ptpmon_monitor_open(argv[1], NULL, &monitor) || ptpmon_monitor_enable(monitor)) {
        fprintf(stderr, "%s\n", argc == 2 ? ptpmon_error_message() : "usage: watch INTERFACE");
        ptpmon_monitor_close(monitor);
        return 1;
    }
    while (ptpmon_monitor_wait(monitor, -1) == PTPMON_OK &&
           ptpmon_events_read(monitor, events, 64, &count) == PTPMON_OK) {
        for (size_t i = 0; i < count; i++)
            if (events[i].direction <= AVB_DIRECTION_TX)
                printf("%s %-12s seq %5u  NIC %" PRIu64 " ns  stack %" PRIu64 " ns\n",
                       events[i].direction == AVB_DIRECTION_RX ? "RX" : "TX",
                       ptpmon_message_type_name(events[i].messageType), events[i].sequenceId, events[i].hw_timestamp_ns,
                       events[i].software_timestamp);
        fflush(stdout); /* it may be a pipe */
    }
    ptpmon_monitor_close(monitor);
    return 0;
}
