/* SPDX-License-Identifier: MIT */
#include "report_json.h"

#include "format.h"
#include "json.h"

#include <stdio.h>

static void begin(struct json *json, const char *type, const char *profile, const char *interface)
{
    json_begin(json, type);
    if (profile != NULL)
        json_string(json, "profile", profile);
    json_string(json, "interface", interface);
}

void report_json_start(const char *profile, const struct session_info *info)
{
    struct json json;
    begin(&json, "start", profile, info->interface);
    json_string(&json, "rx_frames", info->monitor.rx_frames);
    json_string(&json, "tx_frames", info->monitor.tx_frames);
    json_string(&json, "tx_stamps", info->monitor.tx_stamps);
    json_bool(&json, "tx_queue_known", info->monitor.tx_queue_known);
    json_bool(&json, "rx_software", info->monitor.rx_software);
    json_uint(&json, "ring_records", info->statistics.buffer_size);
    json_uint(&json, "enabled_at_system_timestamp_ns", info->monitor.enabled_at);
    json_bool(&json, "captures", info->captures);
    json_int_if(&json, "capture_started_at_ns", info->captures, info->capture.started_at);
    json_end_line(&json);
}

static void put_identity(struct json *json, const PTP_TIMESTAMP_EVENT *identity)
{
    char text[FORMAT_IDENTITY_SIZE];
    bool tagged = (identity->stamp & AVB_STAMP_VLAN) != 0;
    json_string(json, "direction", format_direction(identity->direction));
    json_uint(json, "messageType", identity->messageType);
    json_string(json, "messageTypeName", ptpmon_message_type_name(identity->messageType));
    json_uint(json, "sequenceId", identity->sequenceId);
    json_uint(json, "domainNumber", identity->domainNumber);
    json_string(json, "sourcePortIdentity", format_port_identity(identity->clockIdentity, identity->portNumber, text));
    json_uint(json, "sdoId", identity->sdoId);
    json_uint(json, "versionPTP", AVB_PTP_VERSION(identity->version));
    json_uint(json, "minorVersionPTP", AVB_PTP_MINOR_VERSION(identity->version));
    json_uint(json, "flagField", identity->flags);
    json_string(json, "sourceMac", format_mac(identity->sourceMac, text));
    json_uint_if(json, "vlanId", tagged, identity->vlanId);
    json_uint_if(json, "pcp", tagged, identity->pcp);
    json_bool(json, "more_tags", (identity->stamp & AVB_STAMP_MORE_TAGS) != 0);
    json_string(json, "transport", format_transport(identity->transport));
}

static void put_stamps(struct json *json, const ptpmon_observation *observation)
{
    const ptpmon_result *result = &observation->result;
    const PTP_TIMESTAMP_EVENT *event = &result->event;
    json_uint_if(json, "queueId", result->has_event && event->queueId != AVB_QUEUE_UNKNOWN, event->queueId);
    json_uint_if(json, "system_timestamp_ns", result->has_event, event->system_timestamp);
    json_uint_if(json, "hw_timestamp_ns", event->hw_timestamp_ns != 0, event->hw_timestamp_ns);
    json_string(json, "hw_timestamp_kind", format_stamp_kind(event->stamp));
    json_uint_if(json, "software_timestamp_ns", observation->software_realtime_ns != 0,
                 (uint64_t)observation->software_realtime_ns);
    json_bool(json, "stamp_missing", (event->stamp & AVB_STAMP_MISSING) != 0);
}

static void put_latencies(struct json *json, const ptpmon_observation *observation)
{
    char name[64];
    for (int i = 0; i < PTPMON_LATENCIES; i++) {
        const ptpmon_latency *latency = &observation->latencies[i];
        snprintf(name, sizeof name, "%s_latency_ns", ptpmon_latency_name((ptpmon_latency_kind)i));
        json_int_if(json, name, latency->known, latency->ns);
        snprintf(name, sizeof name, "%s_latency_uncertainty_ns", ptpmon_latency_name((ptpmon_latency_kind)i));
        json_uint_if(json, name, latency->known, latency->bound);
    }
}

static void put_comparison(struct json *json, const ptpmon_observation *observation)
{
    const ptpmon_result *result = &observation->result;
    bool compared = observation->compared;
    bool matched = compared && result->outcome == PTPMON_MATCHED;
    json_int_if(json, "frame_time_ns", result->has_frame, result->frame_time_ns);
    json_uint_if(json, "frame_number", result->has_frame, result->frame_number);
    json_string(json, "outcome", compared ? ptpmon_outcome_name(result->outcome) : NULL);
    json_string(json, "reason", compared ? ptpmon_reason_name(result->reason) : NULL);
    json_bool(json, "decided_early", result->decided_early);
    if (!matched) {
        json_null(json, "differs");
        return;
    }
    json_open_array(json, "differs");
    if (result->cross_check & PTPMON_SOURCE_MAC_DIFFERS)
        json_string(json, NULL, "sourceMac");
    if (result->cross_check & PTPMON_VLAN_DIFFERS)
        json_string(json, NULL, "vlanId");
    if (result->cross_check & PTPMON_PCP_DIFFERS)
        json_string(json, NULL, "pcp");
    if (result->cross_check & PTPMON_TIME_ORDER_DIFFERS)
        json_string(json, NULL, "time_order");
    json_close_array(json);
}

static void put_message(const char *profile, const ptpmon_observation *observation)
{
    struct json json;
    begin(&json, "frame", profile, observation->interface);
    json_int_if(&json, "time_ns", observation->has_realtime, observation->realtime_ns);
    put_identity(&json, ptpmon_observation_identity(observation));
    put_stamps(&json, observation);
    put_latencies(&json, observation);
    put_comparison(&json, observation);
    json_end_line(&json);
}

static void put_clocks(const char *profile, const ptpmon_observation *observation)
{
    struct json json;
    const PTP_CLOCKS_RECORD *clocks = &observation->clocks;
    bool hardware = clocks->hw_timestamp_ns != 0;
    begin(&json, "clocks", profile, observation->interface);
    json_uint(&json, "system_timestamp_ns", clocks->system_timestamp);
    json_uint(&json, "realtime_ns", clocks->realtime_ns);
    json_uint(&json, "realtime_uncertainty_ns", clocks->realtime_uncertainty_ns);
    json_uint_if(&json, "hw_timestamp_ns", hardware, clocks->hw_timestamp_ns);
    json_uint_if(&json, "hw_uncertainty_ns", hardware, clocks->hw_uncertainty_ns);
    json_end_line(&json);
}

static void put_loss(const char *profile, const ptpmon_observation *observation)
{
    struct json json;
    const PTP_LOSS_RECORD *loss = &observation->loss;
    bool in_capture = observation->kind == PTPMON_OBSERVED_CAPTURE_LOSS;
    bool is_counted = loss->frames_dropped + loss->stamps_dropped > 0;
    begin(&json, "loss", profile, observation->interface);
    json_string(&json, "where", in_capture ? "capture" : "monitor");
    json_uint_if(&json, "frames", is_counted, loss->frames_dropped);
    json_uint_if(&json, "stamps", is_counted && !in_capture, loss->stamps_dropped);
    json_uint(&json, "from_system_timestamp_ns", loss->since);
    json_uint(&json, "to_system_timestamp_ns", loss->system_timestamp);
    json_end_line(&json);
}

void report_json_observation(const char *profile, const ptpmon_observation *observation)
{
    switch (observation->kind) {
    case PTPMON_OBSERVED_MESSAGE:
        put_message(profile, observation);
        break;
    case PTPMON_OBSERVED_CLOCKS:
        put_clocks(profile, observation);
        break;
    case PTPMON_OBSERVED_LOSS:
    case PTPMON_OBSERVED_CAPTURE_LOSS:
        put_loss(profile, observation);
        break;
    }
}

void report_json_warning(const char *profile, const char *interface, const char *message)
{
    struct json json;
    begin(&json, "warning", profile, interface);
    json_string(&json, "message", message);
    json_end_line(&json);
}

/* ---- Summary ---- */

static void put_counts(struct json *json, const struct tally *tally)
{
    json_uint(json, "events", tally->events);
    json_uint(json, "frames", tally->frames);
    json_uint(json, "matched", tally_matched(tally));
    json_uint(json, "unmatched_events", tally_unmatched_events(tally));
    json_uint(json, "unmatched_frames", tally_unmatched_frames(tally));
    json_uint(json, "duplicates", tally_both(tally, PTPMON_DUPLICATE));
    json_uint(json, "ambiguous", tally_both(tally, PTPMON_AMBIGUOUS));
    json_uint(json, "outside", tally_both(tally, PTPMON_OUTSIDE));
    json_uint(json, "dropped_events", tally->dropped_events);
    json_uint(json, "dropped_frames", tally->dropped_frames);
    json_uint(json, "duplicate_events", tally->events_by_outcome[PTPMON_DUPLICATE]);
    json_uint(json, "duplicate_frames", tally->frames_by_outcome[PTPMON_DUPLICATE]);
    json_uint(json, "ambiguous_events", tally->events_by_outcome[PTPMON_AMBIGUOUS]);
    json_uint(json, "ambiguous_frames", tally->frames_by_outcome[PTPMON_AMBIGUOUS]);
    json_uint(json, "outside_events", tally->events_by_outcome[PTPMON_OUTSIDE]);
    json_uint(json, "outside_frames", tally->frames_by_outcome[PTPMON_OUTSIDE]);
    json_uint(json, "stamps_missing", tally->stamps_missing);
    json_uint(json, "sourceMac_differs", tally->source_mac_differs);
    json_uint(json, "vlanId_differs", tally->vlan_differs);
    json_uint(json, "pcp_differs", tally->pcp_differs);
    json_uint(json, "time_order_differs", tally->time_order_differs);
}

static void put_reasons(struct json *json, const struct tally *tally)
{
    json_open_object(json, "reasons");
    for (int i = 0; i < PTPMON_REASONS; i++)
        json_uint(json, ptpmon_reason_name((ptpmon_reason)i), tally->by_reason[i]);
    json_close_object(json);
}

static void put_types(struct json *json, const struct tally *tally)
{
    json_open_array(json, "messageTypes");
    for (uint8_t i = 0; i < TALLY_TYPES; i++) {
        if (tally->rx_by_type[i] + tally->tx_by_type[i] == 0)
            continue;
        json_open_object(json, NULL);
        json_uint(json, "messageType", i);
        json_string(json, "messageTypeName", ptpmon_message_type_name(i));
        json_uint(json, "rx", tally->rx_by_type[i]);
        json_uint(json, "tx", tally->tx_by_type[i]);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_distributions(struct json *json, const struct tally *tally)
{
    json_open_object(json, "latencies");
    for (int i = 0; i < PTPMON_LATENCIES; i++) {
        const struct histogram *histogram = &tally->latencies[i];
        const char *name = ptpmon_latency_name((ptpmon_latency_kind)i);
        if (histogram->count == 0) {
            json_null(json, name);
            continue;
        }
        json_open_object(json, name);
        json_uint(json, "count", histogram->count);
        json_int(json, "minimum_ns", histogram->minimum);
        json_int(json, "median_ns", histogram_quantile(histogram, 0.5));
        json_int(json, "p99_ns", histogram_quantile(histogram, 0.99));
        json_int(json, "maximum_ns", histogram->maximum);
        json_close_object(json);
    }
    json_close_object(json);
}

static void put_monitor_statistics(struct json *json, const ptpmon_statistics *statistics)
{
    json_open_object(json, "monitor");
    json_uint(json, "events_emitted", statistics->events_emitted);
    json_uint(json, "events_dropped", statistics->events_dropped);
    json_uint(json, "buffer_size", statistics->buffer_size);
    json_uint(json, "frames_seen", statistics->frames_seen);
    json_uint(json, "frames_emitted", statistics->frames_emitted);
    json_uint(json, "frames_dropped", statistics->frames_dropped);
    json_uint(json, "stamps_seen", statistics->stamps_seen);
    json_uint(json, "stamps_emitted", statistics->stamps_emitted);
    json_uint(json, "stamps_dropped", statistics->stamps_dropped);
    json_uint(json, "ptp_v1", statistics->ptp_v1);
    json_uint(json, "other_version", statistics->other_version);
    json_uint(json, "truncated", statistics->truncated);
    json_uint(json, "bad_length", statistics->bad_length);
    json_uint(json, "tx_unreadable", statistics->tx_unreadable);
    json_uint(json, "hw_stamp_not_a_time", statistics->hw_stamp_not_a_time);
    json_uint(json, "hw_stamp_of_other_device", statistics->hw_stamp_of_other_device);
    json_uint(json, "stamps_joined", statistics->stamps_joined);
    json_uint(json, "stamps_missing", statistics->stamps_missing);
    json_uint(json, "stamps_orphaned", statistics->stamps_orphaned);
    json_uint(json, "stamps_ambiguous", statistics->stamps_ambiguous);
    json_close_object(json);
}

static void put_session(struct json *json, const struct session_info *info)
{
    put_monitor_statistics(json, &info->statistics);
    if (!info->captures) {
        json_null(json, "capture");
        return;
    }
    json_open_object(json, "capture");
    json_uint(json, "frames", info->capture.frames);
    json_uint(json, "dropped", info->capture.dropped);
    json_int(json, "started_at_ns", info->capture.started_at);
    json_int(json, "stopped_at_ns", info->capture.stopped_at);
    json_close_object(json);
}

static void put_part(struct json *json, const struct report_part *part)
{
    put_counts(json, part->tally);
    json_uint(json, "duration_ns", part->elapsed_ns);
    put_reasons(json, part->tally);
    put_types(json, part->tally);
    put_distributions(json, part->tally);
}

void report_json_end(const struct report_part *total, const struct report_parts_name *name,
                     const struct report_part *parts, size_t count)
{
    struct json json;
    json_begin(&json, "summary");
    put_part(&json, total);
    json_open_array(&json, name->array);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&json, NULL);
        json_string(&json, name->member, parts[i].name);
        put_part(&json, &parts[i]);
        if (parts[i].info != NULL)
            put_session(&json, parts[i].info);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_end_line(&json);
}

/* ---- Recordings ---- */

void report_json_files(const struct recording_names *names, unsigned set)
{
    struct json json;
    char path[RECORDING_PATH_SIZE];
    json_begin(&json, "files");
    json_uint(&json, "set", set);
    json_string(&json, "capture_file", names->captures ? recording_names_capture(names, set, path) : NULL);
    json_open_array(&json, "events_files");
    for (size_t i = 0; i < names->interface_count; i++)
        json_string(&json, NULL, recording_names_events(names, set, i, path));
    json_close_array(&json);
    json_end_line(&json);
}

static void put_recorder_counts(struct json *json, const struct recorder_counts *counts)
{
    json_uint(json, "events", counts->events);
    json_uint(json, "frames", counts->frames);
    json_uint(json, "dropped_events", counts->dropped_events);
    json_uint(json, "dropped_frames", counts->dropped_frames);
}

void report_json_recorded(const struct recorder_counts *total, const struct report_recorded *parts, size_t count)
{
    struct json json;
    json_begin(&json, "recorded");
    put_recorder_counts(&json, total);
    json_uint(&json, "bytes", total->bytes);
    json_uint(&json, "sets", total->sets);
    json_uint(&json, "duration_ns", total->elapsed_ns);
    json_open_array(&json, "interfaces");
    for (size_t i = 0; i < count; i++) {
        json_open_object(&json, NULL);
        json_string(&json, "interface", parts[i].info->interface);
        put_recorder_counts(&json, &parts[i].counts);
        put_session(&json, parts[i].info);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_end_line(&json);
}

const char *report_json_clock(ptpmon_capture_clock clock)
{
    switch (clock) {
    case PTPMON_CLOCK_SYSTEM:
        return "system";
    case PTPMON_CLOCK_OTHER:
        return "other";
    case PTPMON_CLOCK_ASSUMED:
        break;
    }
    return "assumed";
}

static const char *text_or_null(const char *text)
{
    return text[0] != 0 ? text : NULL;
}

void report_json_recording(const struct report_recording *recording)
{
    struct json json;
    char mac[FORMAT_MAC_SIZE];
    const PTP_RECORDING_HEADER *header = recording->header;
    begin(&json, "recording", NULL, header->interface_name);
    json_string(&json, "capture_file", recording->capture_path);
    json_string(&json, "events_file", recording->events_path);
    json_string(&json, "host", text_or_null(header->host));
    json_string(&json, "boot_id", text_or_null(header->boot_id));
    json_string(&json, "mac", format_mac(header->mac, mac));
    json_int_if(&json, "phc_index", header->phc_index >= 0, header->phc_index);
    json_string(&json, "tool_version", text_or_null(header->tool_version));
    json_uint(&json, "first_system_timestamp_ns", recording->from);
    json_uint(&json, "last_system_timestamp_ns", recording->to);
    json_string(&json, "capture_clock", report_json_clock(recording->alignment.clock));
    json_end_line(&json);
}

void report_json_alignment(const ptpmon_alignment *alignment)
{
    struct json json;
    bool other = alignment->clock == PTPMON_CLOCK_OTHER;
    json_begin(&json, "alignment");
    json_string(&json, "capture_clock", report_json_clock(alignment->clock));
    json_uint(&json, "equal_stamps", alignment->equal_stamps);
    json_uint(&json, "compared_stamps", alignment->compared_stamps);
    json_uint_if(&json, "pairs", other, alignment->pairs);
    json_int_if(&json, "first_pair_capture_time_ns", other, alignment->at_ns);
    json_int_if(&json, "offset_ns", other, alignment->offset_ns);
    if (other)
        json_number(&json, "drift_ppm", alignment->drift_ppm);
    else
        json_null(&json, "drift_ppm");
    json_uint_if(&json, "residual_ns", other, alignment->residual_ns);
    json_end_line(&json);
}
