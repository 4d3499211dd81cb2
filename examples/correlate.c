/* SPDX-License-Identifier: MIT */
/*
 * Pairs the PTP events of an interface with the captured frames and prints what it found, until Ctrl-C or to the end of
 * the files:
 *
 *     cc correlate.c $(pkg-config --cflags --libs ptpmon)
 *     correlate INTERFACE
 *     correlate CAPTURE FILE.events
 */
#include <inttypes.h>
#include <ptpmon.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* The latency by the best stamps there are, the NIC's before the network stack's. */
static const ptpmon_latency *best_latency(const ptpmon_observation *message)
{
    for (int kind = PTPMON_LATENCIES - 1; kind >= 0; kind--)
        if (message->latencies[kind].known)
            return &message->latencies[kind];
    return NULL;
}

static void print_message(const ptpmon_observation *message)
{
    static const char *const directions[] = {"RX", "TX"};
    const ptpmon_result *result = &message->result;
    const PTP_TIMESTAMP_EVENT *fields = result->has_event ? &result->event : &result->frame;
    const ptpmon_latency *latency = best_latency(message);

    printf("%" PRId64 " %s %-21s %5u  ", message->realtime_ns,
           fields->direction <= AVB_DIRECTION_TX ? directions[fields->direction] : "??",
           ptpmon_message_type_name(fields->messageType), fields->sequenceId);
    if (latency)
        printf("%10" PRId64 " ns", latency->ns);
    else
        printf("%13s", "-");
    printf("  %s (%s)\n", ptpmon_outcome_name(result->outcome), ptpmon_reason_name(result->reason));
}

static void print_counts(const ptpmon_observer *observer, uint64_t lost)
{
    ptpmon_correlation counts;
    ptpmon_observer_counts(observer, &counts);
    printf("%" PRIu64 " pairs of %" PRIu64 " events and %" PRIu64 " frames\n", counts.matched, counts.events,
           counts.frames);
    printf("unmatched: %" PRIu64 " events, %" PRIu64 " frames\n", counts.unmatched_events, counts.unmatched_frames);
    printf("duplicate: %" PRIu64 " events, %" PRIu64 " frames\n", counts.duplicate_events, counts.duplicate_frames);
    printf("ambiguous: %" PRIu64 " events, %" PRIu64 " frames\n", counts.ambiguous_events, counts.ambiguous_frames);
    printf("outside: %" PRIu64 " events, %" PRIu64 " frames\n", counts.outside_events, counts.outside_frames);
    for (ptpmon_reason reason = 0; reason < PTPMON_REASONS; reason++)
        if (counts.by_reason[reason] > 0)
            printf("%s: %" PRIu64 "\n", ptpmon_reason_name(reason), counts.by_reason[reason]);
    printf("lost: %" PRIu64 "\n", lost);
}

/* Prints until both sides have told everything; END is the good end. */
static ptpmon_status observe(ptpmon_monitor *monitor, ptpmon_capture *capture)
{
    ptpmon_observer *observer;
    ptpmon_observation seen;
    uint64_t lost = 0;
    ptpmon_status status = ptpmon_observer_open(monitor, capture, NULL, &observer);
    if (status != PTPMON_OK)
        return status;
    fprintf(stderr, "correlating; Ctrl-C ends it\n");
    while (status == PTPMON_OK || status == PTPMON_NOTHING) {
        if (stopped)
            ptpmon_observer_stop(observer);
        status = ptpmon_observer_next(observer, 200, &seen);
        if (status == PTPMON_OK && seen.kind == PTPMON_OBSERVED_MESSAGE)
            print_message(&seen);
        else if (status == PTPMON_OK && seen.kind != PTPMON_OBSERVED_CLOCKS)
            lost += seen.loss.frames_dropped;
    }
    if (status == PTPMON_END)
        print_counts(observer, lost);
    ptpmon_observer_close(observer);
    return status;
}

/* The capture first: no event comes before the frames do. */
static ptpmon_status open_both(char **arguments, int count, ptpmon_monitor **monitor, ptpmon_capture **capture)
{
    ptpmon_status status =
        count == 1 ? ptpmon_capture_open_live(arguments[0], capture) : ptpmon_capture_open_file(arguments[0], capture);
    if (status == PTPMON_OK)
        status = count == 1 ? ptpmon_monitor_open(arguments[0], NULL, monitor)
                            : ptpmon_monitor_open_recording(arguments[1], monitor);
    return status == PTPMON_OK ? ptpmon_monitor_enable(*monitor) : status;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: correlate INTERFACE\n       correlate CAPTURE FILE.events\n");
        return 2;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);

    ptpmon_monitor *monitor = NULL;
    ptpmon_capture *capture = NULL;
    ptpmon_status status = open_both(argv + 1, argc - 1, &monitor, &capture);
    if (status == PTPMON_OK)
        status = observe(monitor, capture);
    if (status != PTPMON_END)
        fprintf(stderr, "correlate: %s\n", ptpmon_error_message());
    ptpmon_monitor_close(monitor);
    ptpmon_capture_close(capture);
    return status == PTPMON_END ? 0 : 1;
}
