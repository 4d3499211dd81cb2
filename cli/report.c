/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "cli.h"
#include "format.h"
#include "report_json.h"
#include "table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const report_time_names[] = {"local", "utc", "monotonic", "relative", NULL};
const char *const report_phc_names[] = {"raw", "tai", "utc", NULL};

struct report {
    struct report_options options;
    const char *profile;
    bool compared;
    struct table table;
    bool has_header; /* of the table, written */
};

struct report *report_open(const struct report_options *options)
{
    struct report *report = cli_allocate(1, sizeof *report);
    report->options = *options;
    report->compared = true;
    return report;
}

void report_close(struct report *report)
{
    free(report);
}

void report_set_profile(struct report *report, const char *profile)
{
    report->profile = profile;
    report->has_header = false;
}

void report_set_compared(struct report *report, bool compared)
{
    report->compared = compared;
}

void report_warning(struct report *report, const char *interface, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (interface != NULL)
        cli_message("%s: %s", interface, message);
    else
        cli_message("%s", message);
    if (report->options.json)
        report_json_warning(report->profile, interface, message);
}

void report_text(struct report *report, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    if (report->options.json)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_say("%s", text);
}

void report_start(struct report *report, const struct session_info *info)
{
    if (report->options.json) {
        report_json_start(report->profile, info);
        return;
    }
    char name[PTPMON_NAME_MAX];
    bool stamps = strcmp(info->monitor.tx_stamps, "none") != 0;
    cli_say("%s%s: RX through %s, TX through %s,\n  %s%s; %s%s\n", format_style(STYLE_DIM),
            format_printable(info->interface, name, sizeof name), info->monitor.rx_frames, info->monitor.tx_frames,
            stamps ? "TX stamps through " : "no TX stamps", stamps ? info->monitor.tx_stamps : "",
            info->captures ? "compared with captured frames" : "nothing to compare with", format_style(STYLE_PLAIN));
}

/* By what the clock of the capture is known. */
static void say_clock(const ptpmon_alignment *alignment)
{
    const char *title = "  capture clock: ";
    bool other = alignment->clock == PTPMON_CLOCK_OTHER;
    switch (alignment->clock) {
    case PTPMON_CLOCK_SYSTEM:
        cli_say("%sthe system clock (RX times equal the events' stamps: %" PRIu64 " of %" PRIu64 ")", title,
                alignment->equal_stamps, alignment->compared_stamps);
        break;
    case PTPMON_CLOCK_OTHER:
        cli_say("%sanother clock, followed by the messages that are on both sides", title);
        break;
    case PTPMON_CLOCK_ASSUMED:
        cli_say("%staken for the system clock: its times fit, but no RX time proves it", title);
        break;
    }
    if (other && alignment->equal_stamps > 0)
        cli_say(" (the system clock's times, all moved alike)");
}

void report_recording(struct report *report, const struct report_recording *recording)
{
    if (report->options.json) {
        report_json_recording(recording);
        return;
    }
    char name[PTPMON_NAME_MAX], host[sizeof recording->header->host], events[1024], capture[1024];
    const char *where = recording->header->host[0] != 0 ? " of " : "";
    cli_say("%s%s%s%s, %.1f s: %s with %s\n", format_style(STYLE_DIM),
            format_printable(recording->header->interface_name, name, sizeof name), where,
            format_printable(recording->header->host, host, sizeof host),
            (double)(recording->to - recording->from) / NS_PER_S,
            format_printable(recording->events_path, events, sizeof events),
            format_printable(recording->capture_path, capture, sizeof capture));
    say_clock(&recording->alignment);
    cli_say("%s\n", format_style(STYLE_PLAIN));
}

void report_alignment(struct report *report, const ptpmon_alignment *alignment)
{
    char offset[FORMAT_TIME_SIZE], residual[FORMAT_LATENCY_SIZE];
    if (report->options.json) {
        report_json_alignment(alignment);
        return;
    }
    if (alignment->clock != PTPMON_CLOCK_OTHER)
        return;
    cli_say(
        "\n  capture clock: offset %s%s s against the system clock, drift %+.3f ppm\n"
        "  (estimated from %" PRIu64 " pairs; 9 of 10 lie within %s us)\n",
        alignment->offset_ns >= 0 ? "+" : "", format_seconds(alignment->offset_ns, offset), alignment->drift_ppm,
        alignment->pairs, format_microseconds((int64_t)alignment->residual_ns, residual));
}

static void begin_table(struct report *report)
{
    if (report->has_header)
        return;
    table_setup(&report->table, &report->options, report->compared, format_terminal_width(stdout));
    if (report->table.is_cut)
        cli_say("%sSome columns do not fit this terminal; --wide shows all.%s\n", format_style(STYLE_DIM),
                format_style(STYLE_PLAIN));
    table_header(&report->table);
    report->has_header = true;
}

static void say_loss(const ptpmon_observation *observation)
{
    const PTP_LOSS_RECORD *loss = &observation->loss;
    double seconds = (double)(loss->system_timestamp - loss->since) / NS_PER_S;
    char name[PTPMON_NAME_MAX];
    bool in_capture = observation->kind == PTPMON_OBSERVED_CAPTURE_LOSS;
    format_printable(observation->interface, name, sizeof name);
    if (loss->frames_dropped + loss->stamps_dropped == 0)
        cli_say("%s%s: the interface is being reset: %s within %.3f s%s\n", format_style(STYLE_BAD), name,
                in_capture ? "nothing was captured" : "no event was seen", seconds, format_style(STYLE_PLAIN));
    else if (in_capture)
        cli_say("%s%s: the capture lost %" PRIu64 " frames within %.3f s%s\n", format_style(STYLE_BAD), name,
                loss->frames_dropped, seconds, format_style(STYLE_PLAIN));
    else
        cli_say("%s%s: the monitor's ring was full: %" PRIu64 " events and %" PRIu64
                " TX stamps dropped within %.3f s%s\n",
                format_style(STYLE_BAD), name, loss->frames_dropped, loss->stamps_dropped, seconds,
                format_style(STYLE_PLAIN));
}

void report_observation(struct report *report, const ptpmon_observation *observation)
{
    if (report->options.json) {
        report_json_observation(report->profile, observation);
        return;
    }
    switch (observation->kind) {
    case PTPMON_OBSERVED_MESSAGE:
        begin_table(report);
        table_row(&report->table, observation);
        break;
    case PTPMON_OBSERVED_LOSS:
    case PTPMON_OBSERVED_CAPTURE_LOSS:
        say_loss(observation);
        break;
    case PTPMON_OBSERVED_CLOCKS:
        break;
    }
}

/* ---- Summary for people ---- */

static void say_row(const char *title, uint64_t seen, const uint64_t by_outcome[PTPMON_OUTCOMES],
                    ptpmon_outcome unmatched, uint64_t dropped)
{
    bool bad = by_outcome[unmatched] + by_outcome[PTPMON_AMBIGUOUS] + dropped > 0;
    cli_say("  %-10s %9" PRIu64 " %s%9" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %9" PRIu64 " %9" PRIu64
            "%s\n",
            title, seen, format_style(bad ? STYLE_BAD : STYLE_GOOD), by_outcome[PTPMON_MATCHED], by_outcome[unmatched],
            by_outcome[PTPMON_DUPLICATE], by_outcome[PTPMON_AMBIGUOUS], by_outcome[PTPMON_OUTSIDE], dropped,
            format_style(STYLE_PLAIN));
}

static void say_reasons(const struct tally *tally)
{
    char words[64];
    const char *separator = "  reasons    ";
    for (int i = 0; i < PTPMON_REASONS; i++) {
        if (tally->by_reason[i] == 0)
            continue;
        format_words(ptpmon_reason_name((ptpmon_reason)i), words, sizeof words);
        cli_say("%s%s %" PRIu64, separator, words, tally->by_reason[i]);
        separator = ", ";
    }
    if (*separator == ',')
        cli_say("\n");
    if (tally->time_order_differs > 0)
        cli_say("  differ     time order %" PRIu64
                " of the matched: sent frames captured after the driver saw them, or "
                "received ones before;\n             the capture's times are in doubt\n",
                tally->time_order_differs);
    if (tally->source_mac_differs + tally->vlan_differs + tally->pcp_differs > 0)
        cli_say("  differ     source MAC %" PRIu64 ", VLAN %" PRIu64 ", PCP %" PRIu64 " of the matched\n",
                tally->source_mac_differs, tally->vlan_differs, tally->pcp_differs);
}

static void say_comparison(const struct tally *tally, bool compared)
{
    if (!compared) {
        cli_say("  %" PRIu64 " events, %" PRIu64 " dropped\n", tally->events, tally->dropped_events);
        return;
    }
    cli_say("  %s%-10s %9s %9s %10s %10s %10s %9s %9s%s\n", format_style(STYLE_BOLD), "", "SEEN", "MATCHED",
            "UNMATCHED", "DUPLICATE", "AMBIGUOUS", "OUTSIDE", "DROPPED", format_style(STYLE_PLAIN));
    say_row("events", tally->events, tally->events_by_outcome, PTPMON_EVENT_WITHOUT_FRAME, tally->dropped_events);
    say_row("frames", tally->frames, tally->frames_by_outcome, PTPMON_FRAME_WITHOUT_EVENT, tally->dropped_frames);
    say_reasons(tally);
}

static void say_types(const struct tally *tally)
{
    if (tally->observations == 0)
        return;
    cli_say("\n  %s%-21s %9s %9s%s\n", format_style(STYLE_BOLD), "MESSAGE", "RX", "TX", format_style(STYLE_PLAIN));
    for (uint8_t i = 0; i < TALLY_TYPES; i++) {
        if (tally->rx_by_type[i] + tally->tx_by_type[i] > 0)
            cli_say("  %-21s %9" PRIu64 " %9" PRIu64 "\n", ptpmon_message_type_name(i), tally->rx_by_type[i],
                    tally->tx_by_type[i]);
    }
}

static void say_latency(const char *title, const struct histogram *histogram)
{
    char texts[4][FORMAT_LATENCY_SIZE];
    cli_say("  %-21s %9" PRIu64 " %10s %10s %10s %10s\n", title, histogram->count,
            format_microseconds(histogram->minimum, texts[0]),
            format_microseconds(histogram_quantile(histogram, 0.5), texts[1]),
            format_microseconds(histogram_quantile(histogram, 0.99), texts[2]),
            format_microseconds(histogram->maximum, texts[3]));
}

static void say_latencies(const struct tally *tally)
{
    static const char *const titles[PTPMON_LATENCIES] = {
        [PTPMON_RX_DRIVER] = "RX driver",
        [PTPMON_NIC_TO_HOST] = "RX NIC to host",
        [PTPMON_TX_SOFTWARE] = "TX to software stamp",
        [PTPMON_TX_HARDWARE] = "TX to NIC stamp",
    };
    bool has_header = false;
    for (int i = 0; i < PTPMON_LATENCIES; i++) {
        if (tally->latencies[i].count == 0)
            continue;
        if (!has_header)
            cli_say("\n  %s%-21s %9s %10s %10s %10s %10s%s\n", format_style(STYLE_BOLD), "LATENCY us", "COUNT", "MIN",
                    "MEDIAN", "P99", "MAX", format_style(STYLE_PLAIN));
        has_header = true;
        say_latency(titles[i], &tally->latencies[i]);
    }
}

/* Counters that are zero unless something deserves a look. */
static void say_oddities(const ptpmon_statistics *statistics)
{
    const struct {
        const char *title;
        uint64_t count;
    } oddities[] = {
        {"PTP version 1 frames passed over", statistics->ptp_v1},
        {"frames of another PTP version passed over", statistics->other_version},
        {"truncated frames passed over", statistics->truncated},
        {"frames with contradictory lengths passed over", statistics->bad_length},
        {"TX frames whose headers could not be read", statistics->tx_unreadable},
        {"hardware stamps refused: not a time", statistics->hw_stamp_not_a_time},
        {"hardware stamps refused: of another device", statistics->hw_stamp_of_other_device},
        {"TX stamps that never came", statistics->stamps_missing},
        {"TX stamps without a waiting frame", statistics->stamps_orphaned},
        {"TX stamps that several frames could own", statistics->stamps_ambiguous},
    };
    const char *before = "\n";
    for (size_t i = 0; i < sizeof oddities / sizeof *oddities; i++) {
        if (oddities[i].count == 0)
            continue;
        cli_say("%s  %s%s: %" PRIu64 "%s\n", before, format_style(STYLE_WARN), oddities[i].title, oddities[i].count,
                format_style(STYLE_PLAIN));
        before = "";
    }
}

void report_part(struct report *report, const struct report_part *part)
{
    char name[PTPMON_NAME_MAX];
    if (report->options.json)
        return;
    cli_say("\n%sSummary: %s, %.1f s%s\n", format_style(STYLE_BOLD), format_printable(part->name, name, sizeof name),
            (double)part->elapsed_ns / NS_PER_S, format_style(STYLE_PLAIN));
    say_comparison(part->tally, part->compared);
    say_types(part->tally);
    say_latencies(part->tally);
    if (part->info != NULL)
        say_oddities(&part->info->statistics);
}

void report_end(struct report *report, const struct report_part *total, const struct report_parts_name *name,
                const struct report_part *parts, size_t count)
{
    if (report->options.json)
        report_json_end(total, name, parts, count);
}
