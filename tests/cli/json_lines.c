/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON with the command's own writers, for other parsers to read.
 *
 *     json_lines strings   a line of objects {hex, text}: the bytes that a string was made from, and the string
 *     json_lines numbers   the extremes
 *     json_lines report    a line of each type, with every member known, then with as few as there may be
 */
#include "analysis_exchange.h"
#include "analysis_json.h"
#include "json.h"
#include "random.h"
#include "report_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_string(struct json *json, const unsigned char *bytes, size_t count)
{
    char hex[64], text[32] = "";
    hex[0] = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(hex + 2 * i, sizeof hex - 2 * i, "%02x", bytes[i]);
        text[i] = (char)bytes[i];
    }
    json_open_object(json, NULL);
    json_string(json, "hex", hex);
    json_string(json, "text", text);
    json_close_object(json);
}

/* Each byte but 0 between letters, then some bytes that are often UTF-8, and often just not. */
static void write_strings(void)
{
    static const unsigned char palette[] = {'a',  '"',  '\\', 0x01, 0x1F, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                            0xC0, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF};
    struct random random = {1};
    struct json json;
    json_begin(&json, "strings");
    json_open_array(&json, "strings");
    for (unsigned byte = 1; byte < 256; byte++)
        put_string(&json, (unsigned char[]){'a', (unsigned char)byte, 'b'}, 3);
    for (int i = 0; i < 5000; i++) {
        unsigned char bytes[12];
        size_t count = random_next(&random) % (sizeof bytes + 1);
        for (size_t n = 0; n < count; n++)
            bytes[n] = palette[random_next(&random) % sizeof palette];
        put_string(&json, bytes, count);
    }
    json_close_array(&json);
    json_end_line(&json);
}

static void write_numbers(void)
{
    struct json json;
    json_begin(&json, "numbers");
    json_int(&json, "int_least", INT64_MIN);
    json_int(&json, "int_most", INT64_MAX);
    json_uint(&json, "uint_most", UINT64_MAX);
    json_uint(&json, "above_double", (1ull << 53) + 1);
    json_null(&json, "nothing");
    json_open_array(&json, "\"name\"\n");
    for (int depth = 0; depth < 50; depth++) {
        json_open_object(&json, NULL);
        json_open_array(&json, "in");
    }
    for (int depth = 0; depth < 50; depth++) {
        json_close_array(&json);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_end_line(&json);
}

static ptpmon_observation observe(bool full)
{
    ptpmon_observation observation = {.interface = "nic0", .compared = full, .has_realtime = full};
    ptpmon_result *result = &observation.result;
    result->outcome = PTPMON_MATCHED;
    result->reason = PTPMON_BY_KEY;
    result->has_event = full;
    result->has_frame = full;
    result->frame.direction = AVB_DIRECTION_UNKNOWN;
    result->frame_time_ns = INT64_MAX;
    result->frame_number = 1;
    result->cross_check = PTPMON_SOURCE_MAC_DIFFERS | PTPMON_VLAN_DIFFERS | PTPMON_PCP_DIFFERS;
    observation.realtime_ns = INT64_MIN;
    observation.software_realtime_ns = full;
    if (!full)
        return observation;
    result->event = (PTP_TIMESTAMP_EVENT){
        .hw_timestamp_ns = UINT64_MAX,
        .system_timestamp = UINT64_MAX,
        .stamp = AVB_STAMP_METADATA | AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS,
        .queueId = 3,
        .software_timestamp = 1,
    };
    for (int i = 0; i < PTPMON_LATENCIES; i++)
        observation.latencies[i] = (ptpmon_latency){.known = true, .ns = INT64_MIN, .bound = UINT64_MAX};
    return observation;
}

static struct session_info make_info(bool full)
{
    return (struct session_info){
        .interface = full ? "nic0" : "\377",
        .monitor = {.rx_frames = "tcx", .tx_frames = "tcx", .tx_stamps = "none"},
        .captures = full,
    };
}

static void write_summary(bool live)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        abort();
    const struct session_info info = make_info(live);
    const struct report_parts_name name = {"interfaces", "interface"};
    ptpmon_observation observation = observe(true);
    if (live)
        tally_add(tally, &observation);
    const struct report_part part = {.name = "nic0", .info = live ? &info : NULL, .tally = tally};
    report_json_end(&part, &name, &part, 1);
    free(tally);
}

static void write_recording(bool full)
{
    static char *const interfaces[] = {"nic0", "nic1"};
    PTP_RECORDING_HEADER header = {.phc_index = full ? 0 : -1, .interface_name = "nic0"};
    const struct recording_names names = {
        .base = "trace", .interfaces = interfaces, .interface_count = full ? 2 : 1, .captures = full, .numbered = full};
    const ptpmon_capture_clock clock = full ? PTPMON_CLOCK_OTHER : PTPMON_CLOCK_SYSTEM;
    const ptpmon_alignment alignment = {.clock = clock, .offset_ns = INT64_MIN, .drift_ppm = -12.3456789};
    const struct session_info info = make_info(full);
    const struct report_recorded part = {.info = &info};
    if (full) {
        strcpy(header.host, "host");
        strcpy(header.boot_id, "boot");
        strcpy(header.tool_version, "1");
    }
    report_json_files(&names, 1);
    report_json_recorded(&part.counts, &part, 1);
    report_json_recording(&(struct report_recording){"c.pcapng", "e.events", &header, 1, 2, alignment});
    report_json_alignment(&alignment);
}

/* ---- analyze ---- */

static const ptpmon_port_identity port = {{1, 2, 3, 4, 5, 6, 7, 8}, 9};

static void write_exchanges(bool full)
{
    ptpmon_exchange exchange = {
        .reason = full ? PTPMON_COMPUTED : PTPMON_WITHOUT_SYNC,
        .two_step = full,
        .event_time = full ? UINT64_MAX : 0,
        .realtime_ns = full ? INT64_MAX : INT64_MIN,
        .frame_number = full,
        .logMessageInterval = full ? -3 : 0x7F,
        .known = full ? UINT32_MAX : 0,
        .masterToSlave = {INT64_MIN, 1},
        .correction_sync = INT64_MIN,
        .neighborRateRatio = 1.0001,
    };
    if (full) {
        exchange.source = port;
        exchange.requesting = port;
        for (int i = 0; i < 4; i++)
            exchange.t[i] = exchange.own[i] = (ptpmon_stamp){INT64_MIN, PTPMON_STAMP_HARDWARE};
    }
    for (exchange.kind = 0; exchange.kind < PTPMON_EXCHANGE_KINDS; exchange.kind++)
        analysis_exchange_json(&exchange, "nic0");
}

static void write_findings(bool full)
{
    ptpmon_finding finding = {.realtime_ns = full ? 1 : INT64_MIN, .event_time = full, .size = -1.5, .bound = 2};
    if (full)
        finding.source = port;
    for (finding.kind = 0; finding.kind < PTPMON_FINDING_KINDS; finding.kind++)
        analysis_json_finding(&finding, "nic0");
}

static void write_point(bool full)
{
    ptpmon_analysis_counts counts = {.messages = {[0] = full}};
    struct analysis_point point = {
        .name = "nic0", .has_frames = true, .has_events = full, .has_alignment = full, .phc_index = full ? 0 : -1};
    if (full) {
        point.capture = "c.pcapng";
        point.events = "e.events";
        point.first_ns = point.last_ns = 1;
        strcpy(point.host, "host");
    }
    analysis_json_point(&point, 0, &counts);
}

static void write_series(bool full)
{
    ptpmon_series series = {.quantity = full ? PTPMON_INTERVAL_ERROR : PTPMON_TURNAROUND,
                            .messageType = full ? 0 : 255,
                            .count = full,
                            .base_ns = INT64_MIN,
                            .minimum = -1e10};
    ptpmon_asymmetry asymmetry = {.method = full ? PTPMON_ASYMMETRY_BY_REFERENCE : PTPMON_ASYMMETRY_NOT_OBSERVABLE};
    if (full)
        series.source = series.requesting = asymmetry.source = asymmetry.requesting = port;
    analysis_json_series(&series, "nic0");
    analysis_json_asymmetry(&asymmetry, "nic0");
}

static void write_time_error(bool full)
{
    struct analysis_te_result result = {.samples = full, .tau0_ns = full, .tau0_measured = full};
    if (full) {
        result.source = port;
        result.verdict = ANALYSIS_WITHIN;
        result.window_count = 1;
        result.windows[0].tdev = NAN;
    } else {
        for (int i = 0; i < PTPMON_LIMIT_KINDS; i++)
            result.limits[i] = NAN;
    }
    analysis_json_time_error(&result, full ? "G.8273.2-C" : NULL, "nic0");
}

static void write_analysis(bool full)
{
    struct analysis *analysis = calloc(1, sizeof *analysis);
    if (analysis == NULL)
        abort();
    analysis->options.mask = full ? "G.8273.2-C" : NULL;
    analysis->verdict = full ? ANALYSIS_EXCEEDED : ANALYSIS_NO_LIMIT;
    write_exchanges(full);
    write_findings(full);
    write_point(full);
    write_series(full);
    write_time_error(full);
    analysis_json_end(analysis, &(struct analysis_totals){.messages = UINT64_MAX});
    free(analysis);
}

static void write_report(void)
{
    const ptpmon_observation others[2][2] = {
        {{.kind = PTPMON_OBSERVED_CLOCKS, .interface = "nic0", .clocks.hw_timestamp_ns = 1},
         {.kind = PTPMON_OBSERVED_LOSS, .interface = "nic0", .loss.frames_dropped = 1}},
        {{.kind = PTPMON_OBSERVED_CLOCKS, .interface = "nic0"},
         {.kind = PTPMON_OBSERVED_CAPTURE_LOSS, .interface = "nic0"}},
    };
    for (int i = 0; i < 2; i++) {
        const char *profile = i == 0 ? NULL : "default";
        const struct session_info info = make_info(i == 0);
        const ptpmon_observation observation = observe(i == 0);
        report_json_start(profile, &info);
        report_json_observation(profile, &observation);
        report_json_observation(profile, &others[i][0]);
        report_json_observation(profile, &others[i][1]);
        report_json_warning(profile, i == 0 ? "nic0" : NULL, "a sentence");
        write_recording(i == 0);
        write_analysis(i == 0);
        write_summary(i == 0);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "strings") == 0)
        write_strings();
    else if (argc == 2 && strcmp(argv[1], "numbers") == 0)
        write_numbers();
    else if (argc == 2 && strcmp(argv[1], "report") == 0)
        write_report();
    else
        return 2;
    return 0;
}
