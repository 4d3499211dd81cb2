/* SPDX-License-Identifier: MIT */
/*
 * What the library itself says of a recording, for comparison with what Python says:
 *
 *     truth events RECORDING              each record of the events door, in hexadecimal
 *     truth correlate RECORDING CAPTURE   each observed message, then the counts
 *     truth analyze RECORDING CAPTURE     each exchange, one fetched after the other
 */
#include <ptpmon_analysis.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static void tell_stamps(const ptpmon_stamp *stamps)
{
    for (int i = 0; i < 4; i++)
        printf(" %s %" PRId64, ptpmon_stamp_kind_name(stamps[i].kind), stamps[i].ns);
}

static void tell_port(const ptpmon_port_identity *port)
{
    printf(" ");
    print_bytes(port->clockIdentity, sizeof port->clockIdentity);
    printf("-%u", port->portNumber);
}

static void tell_value(const ptpmon_exchange *exchange, uint32_t flag, ptpmon_time value)
{
    if (exchange->known & flag)
        printf(" %" PRId64 "+%" PRIu32, value.ns, value.fraction);
    else
        printf(" -");
}

static void tell_exchange(const ptpmon_exchange *exchange)
{
    printf("%s %s %s %u %u %u %u", ptpmon_exchange_kind_name(exchange->kind),
           ptpmon_exchange_reason_name(exchange->reason), ptpmon_end_name(exchange->end), exchange->segment,
           exchange->domainNumber, exchange->sequenceId, exchange->syncSequenceId);
    tell_port(&exchange->source);
    tell_port(&exchange->requesting);
    printf(" %" PRIu64 " %" PRId64 " %" PRIu64, exchange->event_time, exchange->realtime_ns, exchange->frame_number);
    tell_stamps(exchange->t);
    tell_stamps(exchange->own);
    printf(" %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu32, exchange->correction_sync,
           exchange->correction_follow_up, exchange->correction_response, exchange->correction_response_follow_up,
           exchange->known);
    tell_value(exchange, PTPMON_KNOWS_MASTER_TO_SLAVE, exchange->masterToSlave);
    tell_value(exchange, PTPMON_KNOWS_SLAVE_TO_MASTER, exchange->slaveToMaster);
    tell_value(exchange, PTPMON_KNOWS_DELAY, exchange->delay);
    tell_value(exchange, PTPMON_KNOWS_OFFSET, exchange->offsetFromMaster);
    tell_value(exchange, PTPMON_KNOWS_OFFSET_FILTERED, exchange->offset_filtered);
    printf(" %.17g\n", exchange->known & PTPMON_KNOWS_NEIGHBOR_RATE_RATIO ? exchange->neighborRateRatio : 0.0);
}

static void tell_exchanges(ptpmon_analyzer *analyzer)
{
    ptpmon_exchange exchange;
    while (ptpmon_analyzer_next_exchange(analyzer, &exchange) == PTPMON_OK)
        tell_exchange(&exchange);
}

static int analyze(ptpmon_observer *observer)
{
    ptpmon_analyzer *analyzer = NULL;
    ptpmon_observation seen;
    ptpmon_status status = ptpmon_analyzer_open(NULL, &analyzer);
    uint32_t point;
    if (status == PTPMON_OK)
        status = ptpmon_analyzer_add_point(analyzer, "truth", &point);
    while (status == PTPMON_OK && (status = ptpmon_observer_next(observer, 0, &seen)) == PTPMON_OK) {
        status = ptpmon_analyzer_observe(analyzer, point, &seen);
        tell_exchanges(analyzer);
    }
    if (status == PTPMON_END)
        status = ptpmon_analyzer_finish(analyzer);
    tell_exchanges(analyzer);
    ptpmon_analyzer_close(analyzer);
    return status == PTPMON_OK ? 0 : failed();
}

static int observe(ptpmon_monitor *monitor, const char *path, int (*tell)(ptpmon_observer *observer))
{
    ptpmon_observer_options options = {.messages = true};
    ptpmon_capture *capture = NULL;
    ptpmon_observer *observer = NULL;
    int code;
    if (ptpmon_capture_open_file(path, &capture) == PTPMON_OK &&
        ptpmon_observer_open(monitor, capture, &options, &observer) == PTPMON_OK)
        code = tell(observer);
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
        fprintf(stderr, "usage: truth events RECORDING | truth correlate|analyze RECORDING CAPTURE\n");
        return 2;
    }
    if (ptpmon_monitor_open_recording(argv[2], &monitor) != PTPMON_OK || ptpmon_monitor_enable(monitor) != PTPMON_OK)
        return failed();
    int code = argc == 3 ? tell_events(monitor)
                         : observe(monitor, argv[3], strcmp(argv[1], "analyze") == 0 ? analyze : tell_observations);
    ptpmon_monitor_close(monitor);
    return code;
}
