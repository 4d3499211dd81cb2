/* SPDX-License-Identifier: MIT */
#include "analysis_report.h"

#include "analysis_format.h"
#include "analysis_table.h"
#include "cli.h"
#include "format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_SIZE 512

/* Style, text and the end of the style, for a line. */
static void say_styled(enum format_style style, const char *text)
{
    cli_say("%s%s%s\n", format_style(style), text, format_style(STYLE_PLAIN));
}

static void put_port(char *text, size_t size, const char *before, const ptpmon_port_identity *port)
{
    char identity[FORMAT_IDENTITY_SIZE];
    size_t length = strlen(text);
    const char *known = analysis_port_text(port, identity);
    if (known != NULL && length < size)
        snprintf(text + length, size - length, "%s%s", before, known);
}

static const char *domain_text(uint8_t domainNumber, uint16_t sdoId, char text[static 32])
{
    if (sdoId == 0)
        snprintf(text, 32, "domain %u", domainNumber);
    else
        snprintf(text, 32, "domain %u, sdoId 0x%03X", domainNumber, sdoId);
    return text;
}

/* "domain 0: 112233.fffe.445566-1 and aabbcc.fffe.ddeeff-1": who sent or answered, and who asked. */
static char *ports_text(uint8_t domainNumber, uint16_t sdoId, const ptpmon_port_identity *source,
                        const ptpmon_port_identity *requesting, char text[static TITLE_SIZE])
{
    char domain[32], identity[FORMAT_IDENTITY_SIZE];
    snprintf(text, TITLE_SIZE, "%s", domain_text(domainNumber, sdoId, domain));
    put_port(text, TITLE_SIZE, ": ", source);
    put_port(text, TITLE_SIZE, analysis_port_text(source, identity) != NULL ? " asked by " : ": asked by ", requesting);
    return text;
}

static int decimals_of(ptpmon_quantity quantity)
{
    return strcmp(ptpmon_quantity_unit(quantity), "ppm") == 0 ? 4 : 1;
}

/* ---- One exchange, live ---- */

/* Of a value: room for 37 s, which UTC and TAI are apart. */
#define LIVE_WIDTH 14

static void put_value(char *text, size_t size, bool known, const char *name, ptpmon_time value)
{
    char digits[ANALYSIS_NUMBER_SIZE];
    size_t length = strlen(text);
    if (known && length < size)
        snprintf(text + length, size - length, "  %s %*s ns", name, LIVE_WIDTH, analysis_tenths(value, digits));
}

/* The kind of the local times: those that no message says. */
static ptpmon_stamp_kind local_kind(const ptpmon_exchange *exchange)
{
    for (int i = 0; i < 4; i++) {
        if (exchange->t[i].kind > PTPMON_STAMP_MESSAGE)
            return exchange->t[i].kind;
        if (exchange->own[i].kind > PTPMON_STAMP_MESSAGE)
            return exchange->own[i].kind;
    }
    return PTPMON_STAMP_NONE;
}

static bool is_peer_delay(const ptpmon_exchange *exchange)
{
    return exchange->kind == PTPMON_EXCHANGE_P2P || exchange->kind == PTPMON_EXCHANGE_P2P_AS;
}

static int widest_point(const struct analysis *analysis)
{
    size_t widest = 1;
    for (size_t i = 0; analysis->count > 1 && i < analysis->count; i++) {
        size_t length = strlen(analysis->points[i].name);
        widest = length > widest ? length : widest;
    }
    return (int)widest;
}

void analysis_report_exchange(const struct analysis *analysis, const ptpmon_exchange *exchange)
{
    const uint32_t told = PTPMON_KNOWS_DELAY | PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_TRANSMITTER_ERROR |
                          PTPMON_KNOWS_RESIDENCE | PTPMON_KNOWS_RECEIVER_ERROR;
    char values[TITLE_SIZE] = "", time[FORMAT_TIME_SIZE];
    uint32_t known = exchange->known;
    bool sync = exchange->kind == PTPMON_EXCHANGE_SYNC;
    if (!(known & told))
        return;
    put_value(values, sizeof values, known & PTPMON_KNOWS_OFFSET, "offsetFromMaster", exchange->offsetFromMaster);
    put_value(values, sizeof values, !sync && (known & PTPMON_KNOWS_DELAY),
              is_peer_delay(exchange) ? "meanLinkDelay" : "meanPathDelay", exchange->delay);
    put_value(values, sizeof values, known & PTPMON_KNOWS_TRANSMITTER_ERROR, "transmitterError",
              exchange->transmitter_error);
    put_value(values, sizeof values, known & PTPMON_KNOWS_RECEIVER_ERROR, "receiverError", exchange->receiver_error);
    put_value(values, sizeof values, known & PTPMON_KNOWS_RESIDENCE, "residenceTime", exchange->residence);
    analysis_time_text(analysis, exchange->realtime_ns, exchange->event_time, time);
    cli_say("%s%-18s  %-*s %-6s %5u%s  by %s stamps%s\n", format_style(STYLE_GOOD), time, widest_point(analysis),
            analysis->count > 1 ? analysis->points[exchange->point].name : "=",
            ptpmon_exchange_kind_name(exchange->kind), exchange->sequenceId, values,
            ptpmon_stamp_kind_name(local_kind(exchange)), format_style(STYLE_PLAIN));
}

/* ---- Series ---- */

enum section { SECTION_QUANTITIES, SECTION_MESSAGES, SECTION_AUDIT, SECTION_BRIDGE, SECTION_CLOCK };

static enum section section_of(ptpmon_quantity quantity)
{
    switch (quantity) {
    case PTPMON_INTERVAL_ERROR:
        return SECTION_MESSAGES;
    case PTPMON_TRANSMITTER_ERROR:
    case PTPMON_RECEIVER_ERROR:
        return SECTION_AUDIT;
    case PTPMON_RESIDENCE_TIME:
    case PTPMON_CORRECTION_ERROR:
        return SECTION_BRIDGE;
    case PTPMON_PHC_OFFSET:
    case PTPMON_PHC_RATE:
        return SECTION_CLOCK;
    default:
        return SECTION_QUANTITIES;
    }
}

static const struct analysis_column quantity_columns[] = {
    {"", true, 0},        {"STAMPS", true, 0}, {"SEG", false, 4}, {"COUNT", false, 0}, {"MIN", false, 0},
    {"MEDIAN", false, 0}, {"P99", false, 1},   {"MAX", false, 0}, {"SD", false, 2},
};

#define SEGMENT_COLUMN 2

/* SEG only where there are several. */
static const struct analysis_column message_columns[] = {
    {"SEG", false, 0},     {"MESSAGE", true, 0},  {"FROM", true, 0},       {"STAMPS", true, 3},
    {"RATE /s", false, 0}, {"PEAK /s", false, 2}, {"INTERVALS", false, 0}, {"ERROR us: MIN", false, 0},
    {"MEDIAN", false, 0},  {"P99", false, 1},     {"MAX", false, 0},
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void put_number(struct analysis_table *table, double value, int decimals)
{
    char text[ANALYSIS_NUMBER_SIZE];
    analysis_table_cell(table, STYLE_PLAIN, "%s", analysis_number(value, decimals, text));
}

#define BASE_SIZE (FORMAT_TIME_SIZE + 8)

/* What is to be added to values, with its sign: "+3600.000000500 s". */
static const char *base_text(int64_t base_ns, char text[static BASE_SIZE])
{
    char seconds[FORMAT_TIME_SIZE];
    snprintf(text, BASE_SIZE, "%s%s s", base_ns > 0 ? "+" : "", format_seconds(base_ns, seconds));
    return text;
}

/* "meanPathDelay ns", with what is to be added to each value where the clocks are far apart. */
static void put_quantity_name(struct analysis_table *table, const ptpmon_series *series)
{
    char base[BASE_SIZE];
    const char *type = series->messageType < 16 ? ptpmon_message_type_name(series->messageType) : "";
    analysis_table_cell(table, STYLE_PLAIN, "%s%s%s %s%s%s", ptpmon_quantity_name(series->quantity), *type ? " " : "",
                        type, ptpmon_quantity_unit(series->quantity), series->base_ns != 0 ? " " : "",
                        series->base_ns != 0 ? base_text(series->base_ns, base) : "");
}

static void put_quantity(struct analysis_table *table, const ptpmon_series *series)
{
    int decimals = decimals_of(series->quantity);
    put_quantity_name(table, series);
    analysis_table_cell(table, STYLE_PLAIN, "%s", ptpmon_stamp_kind_name(series->stamps));
    analysis_table_cell(table, STYLE_PLAIN, "%" PRIu32, series->segment);
    analysis_table_cell(table, STYLE_PLAIN, "%" PRIu64, series->count);
    put_number(table, series->minimum, decimals);
    put_number(table, series->p50, decimals);
    put_number(table, series->p99, decimals);
    put_number(table, series->maximum, decimals);
    put_number(table, series->standard_deviation, decimals);
}

static void put_messages(struct analysis_table *table, const ptpmon_series *series, bool segments)
{
    char port[FORMAT_IDENTITY_SIZE];
    const char *from = analysis_port_text(&series->source, port);
    bool any = series->count > 0; /* else the messages do not state their interval */
    if (segments)
        analysis_table_cell(table, STYLE_PLAIN, "%" PRIu32, series->segment);
    analysis_table_cell(table, STYLE_PLAIN, "%s", ptpmon_message_type_name(series->messageType));
    analysis_table_cell(table, STYLE_PLAIN, "%s", from != NULL ? from : "-");
    analysis_table_cell(table, STYLE_PLAIN, "%s", ptpmon_stamp_kind_name(series->stamps));
    put_number(table, series->rate_60s > 0 ? series->rate_60s : NAN, 3); /* of a single message there is none */
    put_number(table, series->rate_1s, 0);
    analysis_table_cell(table, STYLE_PLAIN, any ? "%" PRIu64 : "-", series->count);
    put_number(table, any ? series->minimum / 1000 : NAN, 3);
    put_number(table, any ? series->p50 / 1000 : NAN, 3);
    put_number(table, any ? series->p99 / 1000 : NAN, 3);
    put_number(table, any ? series->maximum / 1000 : NAN, 3);
}

/* What a heading stands above. */
struct ports {
    uint8_t domainNumber;
    uint16_t sdoId;
    ptpmon_port_identity source, requesting;
};

static bool are_ports_of(const struct ports *ports, const ptpmon_series *series)
{
    return ports->domainNumber == series->domainNumber && ports->sdoId == series->sdoId &&
           analysis_same_port(&ports->source, &series->source) &&
           analysis_same_port(&ports->requesting, &series->requesting);
}

static void put_heading(struct analysis_table *table, const ptpmon_series *series, struct ports *ports)
{
    char title[TITLE_SIZE];
    *ports = (struct ports){series->domainNumber, series->sdoId, series->source, series->requesting};
    ports_text(series->domainNumber, series->sdoId, &series->source, &series->requesting, title);
    analysis_table_heading(table, title);
}

/* All series, asked for once: each costs the sorting of its values. */
struct series_list {
    ptpmon_series *series;
    size_t count;
};

static struct series_list list_series(const ptpmon_analyzer *analyzer)
{
    size_t count = ptpmon_analyzer_series_count(analyzer);
    struct series_list list = {cli_allocate(count + 1, sizeof *list.series), 0};
    while (list.count < count && ptpmon_analyzer_series(analyzer, list.count, &list.series[list.count]) == PTPMON_OK)
        list.count++;
    return list;
}

/* Which segment a row is of matters where there are several: then its column stays. */
static bool has_segments(const struct series_list *list, uint32_t point)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->series[i].point == point && list->series[i].segment > 0)
            return true;
    }
    return false;
}

/* columns: for a table of quantities, until it is closed. */
static struct analysis_table *open_section(bool messages, bool segments,
                                           struct analysis_column columns[static COUNT_OF(quantity_columns)])
{
    if (messages)
        return analysis_table_open(message_columns + !segments, COUNT_OF(message_columns) - !segments);
    memcpy(columns, quantity_columns, sizeof quantity_columns);
    if (segments)
        columns[SEGMENT_COLUMN].rank = 0;
    return analysis_table_open(columns, COUNT_OF(quantity_columns));
}

static bool report_section(const struct analysis *analysis, const struct series_list *list, uint32_t point,
                           enum section section, const char *title)
{
    bool messages = section == SECTION_MESSAGES, segments = has_segments(list, point);
    struct analysis_column columns[COUNT_OF(quantity_columns)];
    struct analysis_table *table = open_section(messages, segments, columns);
    struct ports ports;
    bool any = false;
    for (size_t i = 0; i < list->count; i++) {
        const ptpmon_series *series = &list->series[i];
        if (series->point != point || section_of(series->quantity) != section || (series->count == 0 && !messages))
            continue;
        if (!any)
            cli_say("\n  %s%s%s\n", format_style(STYLE_DIM), title, format_style(STYLE_PLAIN));
        if (!messages && section != SECTION_CLOCK && (!any || !are_ports_of(&ports, series)))
            put_heading(table, series, &ports);
        if (messages)
            put_messages(table, series, segments);
        else
            put_quantity(table, series);
        any = true;
    }
    return analysis_table_close(table, analysis->options.wide);
}

/* ---- Delay floors and asymmetry ---- */

static const struct analysis_column asymmetry_columns[] = {
    {"", true, 0},
    {"STAMPS", true, 0},
    {"FORWARD ns", false, 0},
    {"REVERSE ns", false, 0},
    {"delayAsymmetry ns", false, 0},
    {"TOLD BY", true, 0},
};

static void put_asymmetry(struct analysis_table *table, const ptpmon_asymmetry *asymmetry)
{
    char words[64], forward[BASE_SIZE], reverse[BASE_SIZE], value[ANALYSIS_NUMBER_SIZE], bound[ANALYSIS_NUMBER_SIZE];
    bool known = asymmetry->method != PTPMON_ASYMMETRY_NOT_OBSERVABLE;
    if (asymmetry->base_ns != 0)
        analysis_table_cell(table, STYLE_PLAIN, "last %.0f s, forward %s, reverse %s", asymmetry->floor_window_s,
                            base_text(asymmetry->base_ns, forward), base_text(-asymmetry->base_ns, reverse));
    else
        analysis_table_cell(table, STYLE_PLAIN, "last %.0f s", asymmetry->floor_window_s);
    analysis_table_cell(table, STYLE_PLAIN, "%s", ptpmon_stamp_kind_name(asymmetry->stamps));
    put_number(table, asymmetry->forward_floor, 1);
    put_number(table, asymmetry->reverse_floor, 1);
    if (known)
        analysis_table_cell(table, STYLE_PLAIN, "%s +- %s", analysis_number(asymmetry->delayAsymmetry, 1, value),
                            analysis_number(asymmetry->bound, 1, bound));
    else
        analysis_table_cell(table, STYLE_PLAIN, "-");
    analysis_table_cell(table, known ? STYLE_PLAIN : STYLE_DIM, "%s",
                        format_words(ptpmon_asymmetry_method_name(asymmetry->method), words, sizeof words));
}

/* Paths, by E2E exchanges, and links, by peer delay. */
static const struct {
    const char *title, *remedy;
} asymmetries_of[] = {
    {"delay floors: least masterToSlave (forward) and slaveToMaster (reverse)",
     "  Two-way times alone cannot tell a constant asymmetry from an offset: --true-offset, --same-clock\n"
     "  or a third grandmaster can.\n"},
    {"delay floors of links: least delay from the port asked (forward) and to it (reverse), offset included",
     "  Two-way times alone cannot tell a link's constant asymmetry from an offset: --same-clock can, and\n"
     "  --true-offset on the link to the master.\n"},
};

static bool report_asymmetry(const struct analysis *analysis, uint32_t point, bool links)
{
    struct analysis_table *table = analysis_table_open(asymmetry_columns, COUNT_OF(asymmetry_columns));
    ptpmon_asymmetry asymmetry;
    bool any = false, hidden = false;
    for (size_t i = 0; ptpmon_analyzer_asymmetry(analysis->analyzer, i, &asymmetry) == PTPMON_OK; i++) {
        char title[TITLE_SIZE];
        if (asymmetry.point != point || (asymmetry.kind != PTPMON_EXCHANGE_E2E) != links)
            continue;
        if (!any)
            cli_say("\n  %s%s%s\n", format_style(STYLE_DIM), asymmetries_of[links].title, format_style(STYLE_PLAIN));
        ports_text(asymmetry.domainNumber, asymmetry.sdoId, &asymmetry.source, &asymmetry.requesting, title);
        analysis_table_heading(table, title);
        put_asymmetry(table, &asymmetry);
        any = true;
        hidden = hidden || asymmetry.method == PTPMON_ASYMMETRY_NOT_OBSERVABLE;
    }
    bool cut = analysis_table_close(table, analysis->options.wide);
    if (hidden && !links && analysis->options.analyzer.has_true_offset)
        cli_say("  The true offset that was given would make the asymmetry greater than the delay: it is not used.\n");
    else if (hidden)
        cli_say("%s", asymmetries_of[links].remedy);
    return cut;
}

/* ---- What was seen and counted ---- */

static void say_item(const char **separator, enum format_style style, const char *words, uint64_t count)
{
    bool plain = style == STYLE_PLAIN;
    cli_say("%s%s%s %" PRIu64 "%s", *separator, plain ? "" : format_style(style), words, count,
            plain ? "" : format_style(STYLE_PLAIN));
    *separator = ", ";
}

static void end_items(const char *separator)
{
    if (*separator == ',')
        cli_say("\n");
}

static uint64_t say_messages(const ptpmon_analysis_counts *counts)
{
    const char *separator = "  messages     ";
    uint64_t all = 0;
    for (uint8_t type = 0; type < 16; type++) {
        all += counts->messages[type];
        if (counts->messages[type] > 0)
            say_item(&separator, STYLE_PLAIN, ptpmon_message_type_name(type), counts->messages[type]);
    }
    end_items(separator);
    return all;
}

static void say_exchanges(const struct analysis *analysis, const ptpmon_analysis_counts *counts)
{
    const char *separator = "  exchanges    ";
    for (ptpmon_exchange_kind kind = 0; kind < PTPMON_EXCHANGE_KINDS; kind++) {
        if (counts->exchanges[kind] == 0)
            continue;
        cli_say("%s%s %" PRIu64 " (computed %" PRIu64 ")", separator, ptpmon_exchange_kind_name(kind),
                counts->exchanges[kind], counts->computed[kind]);
        separator = ", ";
    }
    end_items(separator);
    if (counts->exchanges[PTPMON_EXCHANGE_TRANSIT] > 0 && !analysis->options.analyzer.points_share_clock)
        cli_say("               transit: nothing says that one clock stamps all points; --same-clock does\n");
}

static void say_not_computed(const ptpmon_analysis_counts *counts)
{
    const char *separator = "  not computed ";
    char words[64];
    for (ptpmon_exchange_reason reason = PTPMON_COMPUTED + 1; reason < PTPMON_EXCHANGE_REASONS; reason++) {
        if (counts->by_reason[reason] > 0)
            say_item(&separator, STYLE_PLAIN, format_words(ptpmon_exchange_reason_name(reason), words, sizeof words),
                     counts->by_reason[reason]);
    }
    end_items(separator);
}

static void say_counts(const ptpmon_analysis_counts *counts)
{
    const char *separator = "  counted      ";
    char words[64];
    for (ptpmon_count count = 0; count < PTPMON_COUNTS; count++) {
        if (counts->counts[count] > 0)
            say_item(&separator, analysis_count_is_harmless(count) ? STYLE_PLAIN : STYLE_WARN,
                     format_words(ptpmon_count_name(count), words, sizeof words), counts->counts[count]);
    }
    end_items(separator);
    if (counts->counts[PTPMON_COUNT_CUT_SHORT] > 0)
        say_styled(STYLE_DIM,
                   "  Of frames that are cut short nothing can be computed: capture 128 bytes of each, or all.");
}

/* ---- A point ---- */

static void say_files(const struct analysis_point *point)
{
    char capture[1024], events[1024];
    if (point->capture != NULL && point->events != NULL)
        cli_say(": %s with %s", format_printable(point->events, events, sizeof events),
                format_printable(point->capture, capture, sizeof capture));
    else if (point->capture != NULL)
        cli_say(": %s", format_printable(point->capture, capture, sizeof capture));
    else if (point->events != NULL)
        cli_say(": %s", format_printable(point->events, events, sizeof events));
}

/* What the times of this point are, where that is not plain. */
static void say_what_it_lacks(const struct analysis_point *point)
{
    if (!point->has_events)
        say_styled(
            STYLE_DIM,
            "  A capture alone: its times are those of the place and clock of capturing, not of a port's stamps;\n"
            "  delays and offsets are from that place.");
    else if (!point->has_frames)
        say_styled(STYLE_DIM,
                   "  Events alone: without captured frames nothing is known of what the messages say, so no "
                   "delay\n  and no offset can be computed.");
    else if (point->has_alignment && point->alignment.clock == PTPMON_CLOCK_ASSUMED)
        say_styled(STYLE_DIM,
                   "  The capture's clock is taken for the system clock: its times fit, but no stamp proves it.");
}

static bool report_point(const struct analysis *analysis, const struct series_list *list, uint32_t index)
{
    static const struct {
        enum section section;
        const char *title;
    } sections[] = {
        {SECTION_QUANTITIES, "offsets, delays and rates"},
        {SECTION_AUDIT, "transmitter audit: what the messages say, minus the stamps taken here"},
        {SECTION_BRIDGE, "residence times and correctionField, since the point before"},
        {SECTION_CLOCK, "the NIC's clock against the system clock"},
        {SECTION_MESSAGES, "rates, and by how much the interval that the messages state was missed"},
    };
    const struct analysis_point *point = &analysis->points[index];
    ptpmon_analysis_counts counts;
    if (ptpmon_analyzer_counts(analysis->analyzer, index, &counts) != PTPMON_OK)
        return false;
    double seconds = point->last_ns > point->first_ns ? (double)(point->last_ns - point->first_ns) / NS_PER_S : 0;
    cli_say("\n%sAnalysis: %s, %.1f s%s", format_style(STYLE_BOLD), point->name, seconds, format_style(STYLE_PLAIN));
    say_files(point);
    cli_say("\n");
    say_what_it_lacks(point);
    if (say_messages(&counts) == 0) {
        cli_say("  No PTP message was seen.\n");
        say_counts(&counts);
        return false;
    }
    say_exchanges(analysis, &counts);
    say_not_computed(&counts);
    say_counts(&counts);
    bool cut = report_asymmetry(analysis, index, false);
    cut = report_asymmetry(analysis, index, true) || cut;
    for (size_t i = 0; i < COUNT_OF(sections); i++)
        cut |= report_section(analysis, list, index, sections[i].section, sections[i].title);
    return cut;
}

/* ---- Findings ---- */

static void put_size(char *text, size_t size, double value, double bound, const char *unit, int decimals)
{
    char digits[ANALYSIS_NUMBER_SIZE], more[ANALYSIS_NUMBER_SIZE];
    snprintf(text, size, " by %s%s %s (+- %s)", value > 0 ? "+" : "", analysis_number(value, decimals, digits), unit,
             analysis_number(bound, decimals, more));
}

static void say_finding(const struct analysis *analysis, const ptpmon_finding *finding)
{
    static const char *const sentences[PTPMON_FINDING_KINDS] = {
        [PTPMON_FOUND_CLOCK_STEP] = "the NIC's clock was stepped",
        [PTPMON_FOUND_RATE_CHANGE] = "the rate of the NIC's clock changed",
        [PTPMON_FOUND_SYSTEM_CLOCK_STEP] = "the system clock was stepped",
        [PTPMON_FOUND_FORWARD_CHANGE] = "the path from it changed, the way back did not: its delay",
        [PTPMON_FOUND_REVERSE_CHANGE] = "the path to it changed, the way back did not: its delay",
        [PTPMON_FOUND_GM_TIME_BASE] = "the grandmaster announces a new time base",
        [PTPMON_FOUND_SOURCE_CHANGE] = "Sync comes from another port",
    };
    char time[FORMAT_TIME_SIZE], size[128] = "", port[FORMAT_IDENTITY_SIZE + 64] = "", domain[32];
    if (finding->kind == PTPMON_FOUND_RATE_CHANGE)
        put_size(size, sizeof size, finding->size, finding->bound, "ppm", 4);
    else if (finding->kind != PTPMON_FOUND_GM_TIME_BASE && finding->kind != PTPMON_FOUND_SOURCE_CHANGE)
        put_size(size, sizeof size, finding->size, finding->bound, "ns", 1);
    put_port(port, sizeof port, ", ", &finding->source);
    bool has_port = port[0] != 0;
    cli_say("  %-18s  %s%s%s%s: %s%s%s\n",
            analysis_time_text(analysis, finding->realtime_ns, finding->event_time, time),
            analysis->points[finding->point].name, has_port ? ", " : "",
            has_port ? domain_text(finding->domainNumber, finding->sdoId, domain) : "", port, sentences[finding->kind],
            size, "");
}

static void report_findings(const struct analysis *analysis)
{
    if (analysis->finding_count == 0)
        return;
    cli_say("\n%sFindings%s\n", format_style(STYLE_BOLD), format_style(STYLE_PLAIN));
    for (size_t i = 0; i < analysis->finding_count; i++)
        say_finding(analysis, &analysis->findings[i]);
    if (analysis->findings_left_out > 0)
        cli_say("  ... and %" PRIu64 " more\n", analysis->findings_left_out);
}

/* ---- Time error ---- */

static const char *verdict_words(enum analysis_verdict verdict)
{
    return verdict == ANALYSIS_EXCEEDED ? "exceeded" : verdict == ANALYSIS_WITHIN ? "within" : "";
}

static enum format_style verdict_style(enum analysis_verdict verdict)
{
    return verdict == ANALYSIS_EXCEEDED ? STYLE_BAD : verdict == ANALYSIS_WITHIN ? STYLE_GOOD : STYLE_PLAIN;
}

static void put_against_limit(struct analysis_table *table, double value, double limit)
{
    enum analysis_verdict verdict = analysis_te_judge(value, limit);
    char text[ANALYSIS_NUMBER_SIZE], most[ANALYSIS_NUMBER_SIZE];
    analysis_number(value, 3, text);
    if (verdict == ANALYSIS_NO_LIMIT)
        analysis_table_cell(table, STYLE_PLAIN, "%s", text);
    else
        analysis_table_cell(table, verdict_style(verdict), "%s (%s %s)", text, verdict == ANALYSIS_WITHIN ? "<=" : ">",
                            analysis_number(limit, 3, most));
}

static const struct analysis_column summary_columns[] = {
    {"max|TE| ns", false, 0},   {"max|TE_L| ns", false, 0}, {"cTE ns", false, 0},
    {"dTE_L p-p ns", false, 0}, {"dTE_H p-p ns", false, 0},
};

static const struct analysis_column window_columns[] = {
    {"tau s", false, 0},         {"MTIE ns", false, 0},       {"TDEV ns", false, 0},
    {"dTE_L MTIE ns", false, 0}, {"dTE_L TDEV ns", false, 0},
};

static bool report_te_tables(const struct analysis_te_result *result, bool wide)
{
    const double *limits = result->limits;
    struct analysis_table *table = analysis_table_open(summary_columns, COUNT_OF(summary_columns));
    double cte = result->base_ns == 0 ? result->summary.cte : NAN;
    put_against_limit(table, analysis_te_value(result, NULL, PTPMON_LIMIT_MAX_TE), limits[PTPMON_LIMIT_MAX_TE]);
    put_against_limit(table, analysis_te_value(result, NULL, PTPMON_LIMIT_MAX_TE_LOW), limits[PTPMON_LIMIT_MAX_TE_LOW]);
    put_against_limit(table, analysis_is_number(limits[PTPMON_LIMIT_CTE]) ? fabs(cte) : cte, limits[PTPMON_LIMIT_CTE]);
    put_number(table, result->summary.dte_low_pp, 3);
    put_against_limit(table, result->summary.dte_high_pp, limits[PTPMON_LIMIT_DTE_HIGH_PP]);
    bool cut = analysis_table_close(table, wide);
    table = analysis_table_open(window_columns, COUNT_OF(window_columns));
    for (size_t i = 0; i < result->window_count; i++) {
        const struct analysis_te_window *window = &result->windows[i];
        analysis_table_cell(table, STYLE_PLAIN, "%g", window->tau);
        put_against_limit(table, window->mtie, window->limits[PTPMON_LIMIT_MTIE]);
        put_against_limit(table, window->tdev, window->limits[PTPMON_LIMIT_TDEV]);
        put_against_limit(table, window->low_mtie, window->limits[PTPMON_LIMIT_DTE_LOW_MTIE]);
        put_against_limit(table, window->low_tdev, window->limits[PTPMON_LIMIT_DTE_LOW_TDEV]);
    }
    return analysis_table_close(table, wide) || cut;
}

/* G.8273.2 observes for 1000 s. */
#define OBSERVED_S 1000

static void say_verdict(const struct analysis_te_result *result, const char *mask)
{
    if (mask == NULL)
        return;
    if (result->verdict == ANALYSIS_NO_LIMIT) {
        cli_say("  %s: %s\n", mask, result->unjudged ? "not all of it could be judged" : "nothing to judge");
        return;
    }
    cli_say("  %s%s: %s%s", format_style(verdict_style(result->verdict)), mask, verdict_words(result->verdict),
            format_style(STYLE_PLAIN));
    if (result->summary.seconds < OBSERVED_S)
        cli_say(", over %.0f s only; the limits are for %d s", result->summary.seconds, OBSERVED_S);
    cli_say("\n");
}

static bool report_te_result(const struct analysis *analysis, const struct analysis_te_result *result)
{
    char title[TITLE_SIZE], base[FORMAT_TIME_SIZE];
    static const ptpmon_port_identity nobody;
    ports_text(result->domainNumber, result->sdoId, &result->source, &nobody, title);
    cli_say("\n%sTime error: %s, %s, by %s stamps%s", format_style(STYLE_BOLD), analysis->points[result->point].name,
            title, ptpmon_stamp_kind_name(result->stamps), format_style(STYLE_PLAIN));
    if (result->segment > 0)
        cli_say(", segment %" PRIu32, result->segment);
    if (result->samples == 0) {
        cli_say("\n  %" PRIu64 " offsets: too few, and no interval is known; --tau0 tells it.\n", result->offsets);
        return false;
    }
    cli_say("\n  %" PRIu64 " offsets; %" PRIu64 " samples of %g s%s, %.1f s\n", result->offsets, result->samples,
            (double)result->tau0_ns / NS_PER_S, result->tau0_measured ? " (as measured)" : "", result->summary.seconds);
    if (result->stretches > 1)
        cli_say("  There are %" PRIu64 " stretches with gaps between them: the longest is looked at.\n",
                result->stretches);
    if (result->base_ns != 0)
        cli_say(
            "  The clock is %s s off, so TE and cTE mean nothing: it was not set, or is of another timescale\n"
            "  (UTC is 37 s behind TAI).\n",
            format_seconds(result->base_ns, base));
    bool cut = report_te_tables(result, analysis->options.wide);
    say_verdict(result, analysis->options.mask);
    return cut;
}

static bool report_time_errors(struct analysis *analysis)
{
    const struct analysis_options *options = &analysis->options;
    struct analysis_te_result result;
    bool cut = false;
    if (analysis->te == NULL)
        return false;
    if (analysis_te_count(analysis->te) == 0)
        cli_say("\nTime error: no offsetFromMaster is known.\n");
    for (size_t i = 0; i < analysis_te_count(analysis->te); i++) {
        ptpmon_status status = analysis_te_evaluate(analysis->te, i, (int64_t)options->tau0_ns, options->mask, &result);
        if (status != PTPMON_OK) {
            cli_library_error(status);
            continue;
        }
        cut |= report_te_result(analysis, &result);
        if (result.verdict > analysis->verdict)
            analysis->verdict = result.verdict;
    }
    return cut;
}

void analysis_report_tables(struct analysis *analysis)
{
    struct series_list list = list_series(analysis->analyzer);
    bool cut = false;
    for (uint32_t point = 0; point < analysis->count; point++)
        cut |= report_point(analysis, &list, point);
    free(list.series);
    cut |= report_time_errors(analysis);
    report_findings(analysis);
    if (cut)
        say_styled(STYLE_DIM, "\nSome columns do not fit this terminal; --wide shows all.");
}
