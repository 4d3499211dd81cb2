/* SPDX-License-Identifier: MIT */
#include "analysis_exchange.h"

#include "analysis_format.h"
#include "cli.h"
#include "format.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where the members go. NULL: it is not known. `is_name`: a text, not a number. */
struct writer {
    void *context;
    void (*put)(void *context, const char *name, const char *value, bool is_name);
};

static void put_name(const struct writer *to, const char *name, const char *value)
{
    to->put(to->context, name, value, true);
}

static void put_int(const struct writer *to, const char *name, bool known, int64_t value)
{
    char text[ANALYSIS_NUMBER_SIZE];
    if (known)
        snprintf(text, sizeof text, "%" PRId64, value);
    to->put(to->context, name, known ? text : NULL, false);
}

static void put_uint(const struct writer *to, const char *name, bool known, uint64_t value)
{
    char text[ANALYSIS_NUMBER_SIZE];
    if (known)
        snprintf(text, sizeof text, "%" PRIu64, value);
    to->put(to->context, name, known ? text : NULL, false);
}

static void put_time(const struct writer *to, const char *name, bool known, ptpmon_time value)
{
    char text[ANALYSIS_NUMBER_SIZE];
    to->put(to->context, name, known ? analysis_decimal(value, text) : NULL, false);
}

static void put_bool(const struct writer *to, const char *name, bool value)
{
    to->put(to->context, name, value ? "true" : "false", false);
}

static bool knows(const ptpmon_exchange *exchange, uint32_t what)
{
    return (exchange->known & what) != 0;
}

static bool is_peer_delay(const ptpmon_exchange *exchange)
{
    return exchange->kind == PTPMON_EXCHANGE_P2P || exchange->kind == PTPMON_EXCHANGE_P2P_AS;
}

static void put_identity(const struct writer *to, const ptpmon_exchange *exchange, const char *interface)
{
    char text[FORMAT_IDENTITY_SIZE];
    bool transit = exchange->kind == PTPMON_EXCHANGE_TRANSIT;
    put_name(to, "kind", ptpmon_exchange_kind_name(exchange->kind));
    put_uint(to, "point", true, exchange->point);
    put_name(to, "interface", interface);
    put_int(to, "time_ns", exchange->realtime_ns != INT64_MIN, exchange->realtime_ns);
    put_uint(to, "system_timestamp_ns", exchange->event_time != 0, exchange->event_time);
    put_uint(to, "frame_number", exchange->frame_number != 0, exchange->frame_number);
    put_uint(to, "domainNumber", true, exchange->domainNumber);
    put_uint(to, "sdoId", true, exchange->sdoId);
    put_name(to, "messageTypeName", transit ? ptpmon_message_type_name(exchange->messageType) : NULL);
    put_uint(to, "sequenceId", true, exchange->sequenceId);
    put_uint(to, "syncSequenceId", exchange->kind == PTPMON_EXCHANGE_E2E && exchange->reason != PTPMON_WITHOUT_SYNC,
             exchange->syncSequenceId);
    put_name(to, "sourcePortIdentity", analysis_port_text(&exchange->source, text));
    put_name(to, "requestingPortIdentity", analysis_port_text(&exchange->requesting, text));
    put_name(to, "end", ptpmon_end_name(exchange->end));
    put_name(to, "reason", ptpmon_exchange_reason_name(exchange->reason));
    put_bool(to, "two_step", exchange->two_step);
    put_uint(to, "segment", true, exchange->segment);
    put_int(to, "logMessageInterval", exchange->logMessageInterval != 0x7F, exchange->logMessageInterval);
}

static void put_stamps(const struct writer *to, const ptpmon_exchange *exchange)
{
    static const char *const names[2][4][2] = {
        {{"t1", "t1_kind"}, {"t2", "t2_kind"}, {"t3", "t3_kind"}, {"t4", "t4_kind"}},
        {{"own_t1", "own_t1_kind"}, {"own_t2", "own_t2_kind"}, {"own_t3", "own_t3_kind"}, {"own_t4", "own_t4_kind"}},
    };
    for (int own = 0; own < 2; own++) {
        const ptpmon_stamp *stamps = own ? exchange->own : exchange->t;
        for (int i = 0; i < 4; i++) {
            put_int(to, names[own][i][0], stamps[i].kind != PTPMON_STAMP_NONE, stamps[i].ns);
            put_name(to, names[own][i][1], ptpmon_stamp_kind_name(stamps[i].kind));
        }
    }
}

static void put_correction(const struct writer *to, const char *name, bool takes_part, int64_t scaled)
{
    put_time(to, name, takes_part, analysis_of_scaled(scaled));
}

/* Whether the message whose lack has this reason was there, with its content. */
static bool was_seen(const ptpmon_exchange *exchange, ptpmon_exchange_reason lack)
{
    return exchange->reason != lack && exchange->reason != PTPMON_WITHOUT_FRAME;
}

/* Those of the messages that take part in this kind of exchange; an e2e that has no t1 used no Sync. */
static void put_corrections(const struct writer *to, const ptpmon_exchange *exchange)
{
    bool e2e = exchange->kind == PTPMON_EXCHANGE_E2E, peer = is_peer_delay(exchange);
    bool sync = exchange->kind == PTPMON_EXCHANGE_SYNC ? was_seen(exchange, PTPMON_WITHOUT_SYNC)
                                                       : e2e && exchange->t[0].kind != PTPMON_STAMP_NONE;
    bool follow_up = (e2e ? sync : exchange->kind == PTPMON_EXCHANGE_SYNC) && exchange->two_step &&
                     was_seen(exchange, PTPMON_WITHOUT_FOLLOW_UP);
    bool request = (e2e || peer) && was_seen(exchange, PTPMON_WITHOUT_REQUEST);
    bool response = (e2e || peer) && was_seen(exchange, PTPMON_WITHOUT_RESPONSE);
    bool last = peer && exchange->two_step && was_seen(exchange, PTPMON_WITHOUT_RESPONSE_FOLLOW_UP);
    bool transit = exchange->kind == PTPMON_EXCHANGE_TRANSIT && knows(exchange, PTPMON_KNOWS_RESIDENCE);
    put_correction(to, "correction_sync_ns", sync, exchange->correction_sync);
    put_correction(to, "correction_follow_up_ns", follow_up, exchange->correction_follow_up);
    put_correction(to, "correction_request_ns", request, exchange->correction_request);
    put_correction(to, "correction_response_ns", response, exchange->correction_response);
    put_correction(to, "correction_response_follow_up_ns", last, exchange->correction_response_follow_up);
    put_correction(to, "correction_first_point_ns", transit, exchange->correction_sync);
    put_correction(to, "correction_second_point_ns", transit, exchange->correction_follow_up);
}

/* The delay has the name of what it is; a Sync's is that of an exchange before it. */
static void put_delays(const struct writer *to, const ptpmon_exchange *exchange)
{
    bool e2e = exchange->kind == PTPMON_EXCHANGE_E2E, peer = is_peer_delay(exchange);
    bool sync = exchange->kind == PTPMON_EXCHANGE_SYNC;
    bool raw = knows(exchange, PTPMON_KNOWS_DELAY), filtered = knows(exchange, PTPMON_KNOWS_DELAY_FILTERED);
    put_time(to, "meanPathDelay_ns", e2e && raw, exchange->delay);
    put_time(to, "meanPathDelay_filtered_ns", e2e && filtered, exchange->delay_filtered);
    put_time(to, "meanLinkDelay_ns", peer && raw, exchange->delay);
    put_time(to, "meanLinkDelay_filtered_ns", peer && filtered, exchange->delay_filtered);
    put_time(to, "delay_used_ns", sync && raw, exchange->delay);
    put_time(to, "delay_used_filtered_ns", sync && filtered, exchange->delay_filtered);
    put_uint(to, "delay_age_ns", (sync && raw) || (e2e && raw), exchange->delay_age_ns);
}

static void put_ratio(const struct writer *to, const char *name, bool known, double ratio)
{
    char text[ANALYSIS_NUMBER_SIZE];
    double ppm = (ratio - 1) * 1e6;
    to->put(to->context, name, known && analysis_is_number(ppm) ? analysis_number(ppm, 6, text) : NULL, false);
}

static void put_results(const struct writer *to, const ptpmon_exchange *exchange)
{
    const struct {
        const char *name;
        uint32_t known;
        ptpmon_time value;
    } before[] = {{"masterToSlave_ns", PTPMON_KNOWS_MASTER_TO_SLAVE, exchange->masterToSlave},
                  {"slaveToMaster_ns", PTPMON_KNOWS_SLAVE_TO_MASTER, exchange->slaveToMaster}},
      behind[] = {{"offsetFromMaster_ns", PTPMON_KNOWS_OFFSET, exchange->offsetFromMaster},
                  {"offsetFromMaster_filtered_ns", PTPMON_KNOWS_OFFSET_FILTERED, exchange->offset_filtered},
                  {"turnaround_ns", PTPMON_KNOWS_TURNAROUND, exchange->turnaround},
                  {"transmitterError_ns", PTPMON_KNOWS_TRANSMITTER_ERROR, exchange->transmitter_error},
                  {"receiverError_ns", PTPMON_KNOWS_RECEIVER_ERROR, exchange->receiver_error},
                  {"residenceTime_ns", PTPMON_KNOWS_RESIDENCE, exchange->residence},
                  {"correctionError_ns", PTPMON_KNOWS_CORRECTION_ERROR, exchange->correction_error}};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        put_time(to, before[i].name, knows(exchange, before[i].known), before[i].value);
    put_delays(to, exchange);
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
        put_time(to, behind[i].name, knows(exchange, behind[i].known), behind[i].value);
    put_ratio(to, "neighborRateRatio_ppm", knows(exchange, PTPMON_KNOWS_NEIGHBOR_RATE_RATIO),
              exchange->neighborRateRatio);
    put_ratio(to, "rateRatio_ppm", knows(exchange, PTPMON_KNOWS_RATE_RATIO), exchange->rateRatio);
}

static void put_exchange(const struct writer *to, const ptpmon_exchange *exchange, const char *interface)
{
    put_identity(to, exchange, interface);
    put_stamps(to, exchange);
    put_corrections(to, exchange);
    put_results(to, exchange);
}

/* ---- JSON ---- */

static void put_json(void *context, const char *name, const char *value, bool is_name)
{
    if (is_name || value == NULL)
        json_string(context, name, value);
    else
        json_digits(context, name, value);
}

void analysis_exchange_json(const ptpmon_exchange *exchange, const char *interface)
{
    struct json json;
    const struct writer to = {&json, put_json};
    json_begin(&json, "exchange");
    put_exchange(&to, exchange, interface);
    json_end_line(&json);
}

/* ---- CSV ---- */

struct csv {
    char text[8192]; /* all cells but one are numbers, and names of some letters */
    size_t length;
};

/* Room is always left for the end of the line; only an interface's name could be cut. */
static void append(struct csv *csv, const char *text, size_t length)
{
    size_t room = sizeof csv->text - 1 - csv->length;
    length = length < room ? length : room;
    memcpy(csv->text + csv->length, text, length);
    csv->length += length;
}

static void begin_cell(struct csv *csv)
{
    if (csv->length > 0)
        append(csv, ",", 1);
}

/* RFC 4180: quotation marks where a comma, a line's end or such a mark is in it. */
static void put_csv(void *context, const char *name, const char *value, bool is_name)
{
    struct csv *csv = context;
    (void)name;
    begin_cell(csv);
    value = value != NULL ? value : "";
    size_t plain = strcspn(value, ",\"\r\n");
    if (!is_name || value[plain] == 0) {
        append(csv, value, strlen(value));
        return;
    }
    append(csv, "\"", 1);
    for (; *value != 0; value++) {
        bool is_mark = *value == '"';
        append(csv, is_mark ? "\"\"" : value, is_mark ? 2 : 1);
    }
    append(csv, "\"", 1);
}

static void put_csv_title(void *context, const char *name, const char *value, bool is_name)
{
    struct csv *csv = context;
    (void)value;
    (void)is_name;
    begin_cell(csv);
    append(csv, name, strlen(name));
}

static void write_csv(const ptpmon_exchange *exchange, const char *interface,
                      void (*put)(void *context, const char *name, const char *value, bool is_name))
{
    struct csv csv;
    const struct writer to = {&csv, put};
    csv.length = 0;
    put_exchange(&to, exchange, interface);
    csv.text[csv.length++] = '\n';
    cli_write(csv.text, csv.length);
}

void analysis_exchange_csv_header(void)
{
    static const ptpmon_exchange any;
    write_csv(&any, "", put_csv_title);
}

void analysis_exchange_csv(const ptpmon_exchange *exchange, const char *interface)
{
    write_csv(exchange, interface, put_csv);
}
