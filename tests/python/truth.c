/* SPDX-License-Identifier: MIT */
/*
 * What the library itself says of a recording, for comparison with what Python says:
 *
 *     truth events RECORDING              each record of the events door, in hexadecimal
 *     truth correlate RECORDING CAPTURE   each observed message, then the counts
 */
#include <ptpmon.h>

#include <inttypes.h>
#include <stdio.h>

static int failed(void)
{
    fprintf(stderr, "truth: %s\n", ptpmon_error_message());
    return 1;
}

static void print_bytes(const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf("%02x", ((const unsigned char *)bytes)[i]);
}

static int tell_events(ptpmon_monitor *monitor)
{
    PTP_TIMESTAMP_EVENT events[100];
    size_t count;
    ptpmon_status status;
    while ((status = ptpmon_events_read(monitor, events, 100, &count)) == PTPMON_OK) {
        for (size_t i = 0; i < count; i++) {
            print_bytes(&events[i], sizeof events[i]);
            printf("\n");
        }
    }
    return status == PTPMON_END ? 0 : failed();
}

static void tell_message(const ptpmon_observation *seen)
{
    const ptpmon_result *result = &seen->result;
    printf("%s %s %" PRIu32 " ", ptpmon_outcome_name(result->outcome), ptpmon_reason_name(result->reason),
           result->cross_check);
    if (result->has_event)
        print_bytes(&result->event, sizeof result->event);
    else
        printf("-");
    if (result->has_frame)
        printf(" %" PRIu64 " %" PRId64, result->frame_number, result->frame_time_ns);
    else
        printf(" - -");
    printf(" %" PRId64, seen->has_realtime ? seen->realtime_ns : 0);
    for (int i = 0; i < PTPMON_LATENCIES; i++) {
        const ptpmon_latency *latency = &seen->latencies[i];
        if (latency->known)
            printf(" %" PRId64 "+-%" PRIu64, latency->ns, latency->bound);
        else
            printf(" -");
    }
    printf("\n");
}

static int tell_observations(ptpmon_observer *observer)
{
    ptpmon_observation seen;
    ptpmon_status status;
    while ((status = ptpmon_observer_next(observer, 0, &seen)) == PTPMON_OK) {
        if (seen.kind == PTPMON_OBSERVED_MESSAGE)
            tell_message(&seen);
    }
    if (status != PTPMON_END)
        return failed();
    ptpmon_correlation counts;
    ptpmon_observer_counts(observer, &counts);
    printf("counts %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts.events, counts.frames, counts.matched);
    return 0;
}

static int correlate(ptpmon_monitor *monitor, const char *path)
{
    ptpmon_capture *capture = NULL;
    ptpmon_observer *observer = NULL;
    int code;
    if (ptpmon_capture_open_file(path, &capture) == PTPMON_OK &&
        ptpmon_observer_open(monitor, capture, NULL, &observer) == PTPMON_OK)
        code = tell_observations(observer);
    else
        code = failed();
    ptpmon_observer_close(observer);
    ptpmon_capture_close(capture);
    return code;
}

int main(int argc, char **argv)
{
    ptpmon_monitor *monitor = NULL;
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: truth events RECORDING | truth correlate RECORDING CAPTURE\n");
        return 2;
    }
    if (ptpmon_monitor_open_recording(argv[2], &monitor) != PTPMON_OK || ptpmon_monitor_enable(monitor) != PTPMON_OK)
        return failed();
    int code = argc == 3 ? tell_events(monitor) : correlate(monitor, argv[3]);
    ptpmon_monitor_close(monitor);
    return code;
}
