/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "cli.h"
#include "format.h"

#include <stdio.h>
#include <string.h>

#define CELL_SIZE 96

typedef void (*cell_text)(const struct table *table, const ptpmon_observation *observation,
                          char text[static CELL_SIZE]);
typedef enum format_style (*cell_style)(const ptpmon_observation *observation);

struct table_column {
    const char *title;
    unsigned width;
    bool right;    /* aligned to the right */
    unsigned rank; /* where the terminal is too narrow, the highest goes first; 0 always stays */
    cell_text text;
    cell_style style; /* NULL = plain */
};

/* ---- Cells ---- */

static void none(char text[static CELL_SIZE])
{
    strcpy(text, "-");
}

static void time_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    uint64_t event_time = ptpmon_observation_identity(observation)->system_timestamp;
    if (table->options.time == TIME_MONOTONIC)
        format_seconds((int64_t)event_time, text);
    else if (table->options.time == TIME_RELATIVE)
        format_seconds((int64_t)(event_time - table->first_time), text);
    else if (observation->has_realtime)
        format_time_of_day(observation->realtime_ns, table->options.time == TIME_LOCAL, text);
    else
        none(text);
}

static void interface_cell(const struct table *table, const ptpmon_observation *observation,
                           char text[static CELL_SIZE])
{
    (void)table;
    format_printable(observation->interface, text, CELL_SIZE);
}

static void direction_cell(const struct table *table, const ptpmon_observation *observation,
                           char text[static CELL_SIZE])
{
    (void)table;
    uint8_t direction = ptpmon_observation_identity(observation)->direction;
    strcpy(text, direction == AVB_DIRECTION_RX ? "RX" : direction == AVB_DIRECTION_TX ? "TX" : "??");
}

static enum format_style direction_style(const ptpmon_observation *observation)
{
    return ptpmon_observation_identity(observation)->direction == AVB_DIRECTION_TX ? STYLE_TX : STYLE_RX;
}

static void message_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    (void)table;
    uint8_t messageType = ptpmon_observation_identity(observation)->messageType;
    const char *name = ptpmon_message_type_name(messageType);
    if (strcmp(name, "reserved") == 0)
        snprintf(text, CELL_SIZE, "%s 0x%X", name, messageType);
    else
        snprintf(text, CELL_SIZE, "%s", name);
}

static void sequence_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    (void)table;
    snprintf(text, CELL_SIZE, "%u", ptpmon_observation_identity(observation)->sequenceId);
}

static void domain_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    (void)table;
    snprintf(text, CELL_SIZE, "%u", ptpmon_observation_identity(observation)->domainNumber);
}

static void identity_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    (void)table;
    const PTP_TIMESTAMP_EVENT *identity = ptpmon_observation_identity(observation);
    format_port_identity(identity->clockIdentity, identity->portNumber, text);
}

static void vlan_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    (void)table;
    const PTP_TIMESTAMP_EVENT *identity = ptpmon_observation_identity(observation);
    if (!(identity->stamp & AVB_STAMP_VLAN))
        none(text);
    else
        snprintf(text, CELL_SIZE, "%u/%u%s", identity->vlanId, identity->pcp,
                 identity->stamp & AVB_STAMP_MORE_TAGS ? "+" : "");
}

static void queue_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    (void)table;
    const ptpmon_result *result = &observation->result;
    if (!result->has_event || result->event.queueId == AVB_QUEUE_UNKNOWN)
        none(text);
    else
        snprintf(text, CELL_SIZE, "%u", result->event.queueId);
}

/* A stamp that is not there: said to be missing only where one was asked for and nothing else came. */
static void no_stamp(const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    const PTP_TIMESTAMP_EVENT *event = &observation->result.event;
    bool none_came = event->hw_timestamp_ns == 0 && event->software_timestamp == 0;
    strcpy(text, (event->stamp & AVB_STAMP_MISSING) && none_came ? "missing" : "-");
}

static void nic_stamp_cell(const struct table *table, const ptpmon_observation *observation,
                           char text[static CELL_SIZE])
{
    uint64_t stamp = observation->result.event.hw_timestamp_ns;
    if (stamp == 0) {
        no_stamp(observation, text);
    } else if (table->options.phc == PHC_RAW) {
        format_seconds((int64_t)stamp, text);
    } else {
        format_date((int64_t)stamp, text);
        strcat(text, table->options.phc == PHC_TAI ? " TAI" : " UTC");
    }
}

static void software_stamp_cell(const struct table *table, const ptpmon_observation *observation,
                                char text[static CELL_SIZE])
{
    if (observation->software_realtime_ns == 0)
        no_stamp(observation, text);
    else
        format_time_of_day(observation->software_realtime_ns, table->options.time != TIME_UTC, text);
}

static void latency_text(const ptpmon_latency *latency, bool with_bound, char text[static CELL_SIZE])
{
    char bound[FORMAT_LATENCY_SIZE];
    if (!latency->known) {
        none(text);
        return;
    }
    format_microseconds(latency->ns, text);
    if (with_bound) {
        size_t length = strlen(text);
        snprintf(text + length, CELL_SIZE - length, " +-%s", format_microseconds((int64_t)latency->bound, bound));
    }
}

static void latency_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    (void)table;
    bool received = ptpmon_observation_identity(observation)->direction == AVB_DIRECTION_RX;
    latency_text(&observation->latencies[received ? PTPMON_RX_DRIVER : PTPMON_TX_SOFTWARE], false, text);
}

static void nic_latency_cell(const struct table *table, const ptpmon_observation *observation,
                             char text[static CELL_SIZE])
{
    (void)table;
    bool received = ptpmon_observation_identity(observation)->direction == AVB_DIRECTION_RX;
    latency_text(&observation->latencies[received ? PTPMON_NIC_TO_HOST : PTPMON_TX_HARDWARE], true, text);
}

static void match_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    static const char *const words[PTPMON_OUTCOMES] = {
        [PTPMON_MATCHED] = "matched",
        [PTPMON_EVENT_WITHOUT_FRAME] = "no frame",
        [PTPMON_FRAME_WITHOUT_EVENT] = "no event",
        [PTPMON_DUPLICATE] = "duplicate",
        [PTPMON_AMBIGUOUS] = "ambiguous",
        [PTPMON_OUTSIDE] = "outside",
    };
    (void)table;
    strcpy(text, observation->compared ? words[observation->result.outcome] : "-");
}

static enum format_style match_style(const ptpmon_observation *observation)
{
    if (!observation->compared)
        return STYLE_PLAIN;
    switch (observation->result.outcome) {
    case PTPMON_MATCHED:
        return STYLE_GOOD;
    case PTPMON_EVENT_WITHOUT_FRAME:
    case PTPMON_FRAME_WITHOUT_EVENT:
    case PTPMON_AMBIGUOUS:
        return STYLE_BAD;
    default:
        return STYLE_WARN;
    }
}

static void reason_cell(const struct table *table, const ptpmon_observation *observation, char text[static CELL_SIZE])
{
    static const struct {
        uint32_t bit;
        const char *words;
    } differences[] = {
        {PTPMON_SOURCE_MAC_DIFFERS, "; source MAC differs"},
        {PTPMON_VLAN_DIFFERS, "; VLAN differs"},
        {PTPMON_PCP_DIFFERS, "; PCP differs"},
        {PTPMON_TIME_ORDER_DIFFERS, "; time order differs"},
    };
    (void)table;
    if (!observation->compared) {
        none(text);
        return;
    }
    format_words(ptpmon_reason_name(observation->result.reason), text, CELL_SIZE / 2);
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        if (observation->result.cross_check & differences[i].bit)
            strncat(text, differences[i].words, CELL_SIZE - strlen(text) - 1);
    }
}

/* ---- Columns ---- */

enum column {
    COLUMN_TIME,
    COLUMN_INTERFACE,
    COLUMN_DIRECTION,
    COLUMN_MESSAGE,
    COLUMN_SEQUENCE,
    COLUMN_DOMAIN,
    COLUMN_IDENTITY,
    COLUMN_VLAN,
    COLUMN_QUEUE,
    COLUMN_NIC_STAMP,
    COLUMN_NIC_DATE, /* in the place of COLUMN_NIC_STAMP */
    COLUMN_SOFTWARE_STAMP,
    COLUMN_LATENCY,
    COLUMN_NIC_LATENCY,
    COLUMN_MATCH,
    COLUMN_REASON,
    COLUMNS
};
_Static_assert(COLUMNS <= TABLE_COLUMNS, "a table has room for every column");

static const struct table_column all_columns[COLUMNS] = {
    [COLUMN_TIME] = {"TIME", 18, false, 0, time_cell, NULL},
    [COLUMN_INTERFACE] = {"INTERFACE", 9, false, 0, interface_cell, NULL},
    [COLUMN_DIRECTION] = {"", 2, false, 0, direction_cell, direction_style},
    [COLUMN_MESSAGE] = {"MESSAGE", 21, false, 0, message_cell, NULL},
    [COLUMN_SEQUENCE] = {"SEQ", 5, true, 0, sequence_cell, NULL},
    [COLUMN_DOMAIN] = {"DOM", 3, true, 2, domain_cell, NULL},
    [COLUMN_IDENTITY] = {"PORT IDENTITY", 20, false, 0, identity_cell, NULL},
    [COLUMN_VLAN] = {"VLAN/PCP", 8, false, 5, vlan_cell, NULL},
    [COLUMN_QUEUE] = {"QUEUE", 5, true, 4, queue_cell, NULL},
    [COLUMN_NIC_STAMP] = {"NIC STAMP (PHC s)", 20, true, 6, nic_stamp_cell, NULL},
    [COLUMN_NIC_DATE] = {"NIC STAMP (PHC)", 33, false, 6, nic_stamp_cell, NULL},
    [COLUMN_SOFTWARE_STAMP] = {"SOFTWARE STAMP", 18, false, 8, software_stamp_cell, NULL},
    [COLUMN_LATENCY] = {"LATENCY us", 10, true, 1, latency_cell, NULL},
    [COLUMN_NIC_LATENCY] = {"NIC LATENCY us", 18, true, 3, nic_latency_cell, NULL},
    [COLUMN_MATCH] = {"MATCH", 9, false, 0, match_cell, match_style},
    [COLUMN_REASON] = {"REASON", 16, false, 7, reason_cell, NULL},
};

static bool wanted(const struct report_options *options, bool compared, enum column column)
{
    switch (column) {
    case COLUMN_INTERFACE:
        return options->interface_width > 0;
    case COLUMN_NIC_STAMP:
        return options->nic_stamps && options->phc == PHC_RAW;
    case COLUMN_NIC_DATE:
        return options->nic_stamps && options->phc != PHC_RAW;
    case COLUMN_NIC_LATENCY:
        return options->nic_stamps;
    case COLUMN_MATCH:
    case COLUMN_REASON:
        return compared;
    default:
        return true;
    }
}

static size_t width_of(const struct table *table, const struct table_column *column)
{
    size_t longest = table->options.interface_width;
    return column == &all_columns[COLUMN_INTERFACE] && longest > column->width ? longest : column->width;
}

static size_t total_width(const struct table *table, unsigned gap)
{
    size_t width = 0;
    for (size_t i = 0; i < table->count; i++)
        width += width_of(table, table->columns[i]) + (i > 0 ? gap : 0);
    return width;
}

/* Takes out the least important column; false: only those that always stay are left. */
static bool drop_column(struct table *table)
{
    size_t least = 0;
    for (size_t i = 1; i < table->count; i++) {
        if (table->columns[i]->rank > table->columns[least]->rank)
            least = i;
    }
    if (table->columns[least]->rank == 0)
        return false;
    table->count--;
    memmove(&table->columns[least], &table->columns[least + 1], (table->count - least) * sizeof *table->columns);
    return true;
}

void table_setup(struct table *table, const struct report_options *options, bool compared, unsigned width)
{
    *table = (struct table){.options = *options, .gap = 2};
    for (enum column column = 0; column < COLUMNS; column++) {
        if (wanted(options, compared, column))
            table->columns[table->count++] = &all_columns[column];
    }
    if (width == 0 || options->wide)
        return;
    size_t all = table->count;
    while (total_width(table, 1) > width && drop_column(table))
        ;
    table->is_cut = table->count < all;
    if (total_width(table, 2) > width)
        table->gap = 1;
}

/* ---- Lines ---- */

struct line {
    char text[TABLE_COLUMNS * (CELL_SIZE + 24)];
    size_t length;
};

static void put(struct line *line, const char *text)
{
    size_t length = strlen(text);
    if (length > sizeof line->text - line->length)
        length = sizeof line->text - line->length;
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void put_blanks(struct line *line, size_t count)
{
    while (count-- > 0)
        put(line, " ");
}

/* Cell i of a line: blanks before and behind it stay outside its style, none follow the last. */
static void put_cell(const struct table *table, struct line *line, size_t i, const char *text, enum format_style style)
{
    const struct table_column *column = table->columns[i];
    size_t width = format_width(text), full = width_of(table, column);
    size_t padding = width < full ? full - width : 0;
    bool styled = style != STYLE_PLAIN && width > 0;
    put_blanks(line, (i > 0 ? table->gap : 0) + (column->right ? padding : 0));
    put(line, styled ? format_style(style) : "");
    put(line, text);
    put(line, styled ? format_style(STYLE_PLAIN) : "");
    if (!column->right && i + 1 < table->count)
        put_blanks(line, padding);
}

static void write_line(struct line *line)
{
    put(line, "\n");
    cli_write(line->text, line->length);
}

static const char *column_title(const struct table *table, const struct table_column *column,
                                char text[static CELL_SIZE])
{
    if (column != &all_columns[COLUMN_TIME])
        return column->title;
    switch (table->options.time) {
    case TIME_LOCAL:
        snprintf(text, CELL_SIZE, "%s (%s)", column->title, format_time_zone());
        return text;
    case TIME_UTC:
        return "TIME (UTC)";
    case TIME_MONOTONIC:
        return "MONOTONIC s";
    case TIME_RELATIVE:
        break;
    }
    return "SINCE FIRST s";
}

void table_header(const struct table *table)
{
    struct line line = {.length = 0};
    char text[CELL_SIZE];
    for (size_t i = 0; i < table->count; i++)
        put_cell(table, &line, i, column_title(table, table->columns[i], text), STYLE_BOLD);
    write_line(&line);
}

void table_row(struct table *table, const ptpmon_observation *observation)
{
    struct line line = {.length = 0};
    if (!table->has_first) {
        table->has_first = true;
        table->first_time = ptpmon_observation_identity(observation)->system_timestamp;
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = table->columns[i];
        char text[CELL_SIZE];
        column->text(table, observation, text);
        put_cell(table, &line, i, text, column->style != NULL ? column->style(observation) : STYLE_PLAIN);
    }
    write_line(&line);
}
