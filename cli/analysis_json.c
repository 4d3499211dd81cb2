/* SPDX-License-Identifier: MIT */
#include "analysis_json.h"

#include "analysis_format.h"
#include "cli.h"
#include "format.h"
#include "json.h"
#include "report_json.h"

#include <string.h>

static void begin(struct json *json, const char *type, uint32_t point, const char *interface)
{
    json_begin(json, type);
    json_uint(json, "point", point);
    json_string(json, "interface", interface);
}

static void put_port(struct json *json, const char *name, const ptpmon_port_identity *port)
{
    char text[FORMAT_IDENTITY_SIZE];
    json_string(json, name, analysis_port_text(port, text));
}

static void put_number_if(struct json *json, const char *name, bool known, double value)
{
    if (known)
        json_number(json, name, value);
    else
        json_null(json, name);
}

/* ---- Points ---- */

static void put_messages(struct json *json, const ptpmon_analysis_counts *counts)
{
    json_open_array(json, "messageTypes");
    for (uint8_t type = 0; type < 16; type++) {
        if (counts->messages[type] == 0)
            continue;
        json_open_object(json, NULL);
        json_uint(json, "messageType", type);
        json_string(json, "messageTypeName", ptpmon_message_type_name(type));
        json_uint(json, "count", counts->messages[type]);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_exchanges(struct json *json, const ptpmon_analysis_counts *counts)
{
    json_open_object(json, "exchanges");
    for (ptpmon_exchange_kind kind = 0; kind < PTPMON_EXCHANGE_KINDS; kind++) {
        json_open_object(json, ptpmon_exchange_kind_name(kind));
        json_uint(json, "decided", counts->exchanges[kind]);
        json_uint(json, "computed", counts->computed[kind]);
        json_close_object(json);
    }
    json_close_object(json);
    json_open_object(json, "reasons");
    for (ptpmon_exchange_reason reason = 0; reason < PTPMON_EXCHANGE_REASONS; reason++)
        json_uint(json, ptpmon_exchange_reason_name(reason), counts->by_reason[reason]);
    json_close_object(json);
    json_open_object(json, "counts");
    for (ptpmon_count count = 0; count < PTPMON_COUNTS; count++)
        json_uint(json, ptpmon_count_name(count), counts->counts[count]);
    json_close_object(json);
}

void analysis_json_point(const struct analysis_point *point, uint32_t index, const ptpmon_analysis_counts *counts)
{
    struct json json;
    bool seen = point->first_ns != 0;
    begin(&json, "point", index, point->name);
    json_string(&json, "capture_file", point->capture);
    json_string(&json, "events_file", point->events);
    json_bool(&json, "has_frames", point->has_frames);
    json_bool(&json, "has_events", point->has_events);
    json_string(&json, "host", point->host[0] != 0 ? point->host : NULL);
    json_int_if(&json, "phc_index", point->phc_index >= 0, point->phc_index);
    json_string(&json, "capture_clock", point->has_alignment ? report_json_clock(point->alignment.clock) : NULL);
    json_int_if(&json, "first_time_ns", seen, point->first_ns);
    json_int_if(&json, "last_time_ns", seen, point->last_ns);
    put_messages(&json, counts);
    put_exchanges(&json, counts);
    json_end_line(&json);
}

/* ---- Findings ---- */

void analysis_json_finding(const ptpmon_finding *finding, const char *interface)
{
    struct json json;
    bool is_rate = finding->kind == PTPMON_FOUND_RATE_CHANGE;
    bool is_time = finding->kind != PTPMON_FOUND_RATE_CHANGE && finding->kind != PTPMON_FOUND_GM_TIME_BASE &&
                   finding->kind != PTPMON_FOUND_SOURCE_CHANGE;
    char text[FORMAT_IDENTITY_SIZE];
    bool of_port = analysis_port_text(&finding->source, text) != NULL;
    begin(&json, "finding", finding->point, interface);
    json_string(&json, "kind", ptpmon_finding_kind_name(finding->kind));
    json_int_if(&json, "time_ns", finding->realtime_ns != INT64_MIN, finding->realtime_ns);
    json_uint_if(&json, "system_timestamp_ns", finding->event_time != 0, finding->event_time);
    json_uint_if(&json, "domainNumber", of_port, finding->domainNumber);
    json_uint_if(&json, "sdoId", of_port, finding->sdoId);
    put_port(&json, "sourcePortIdentity", &finding->source);
    put_number_if(&json, "size_ns", is_time, finding->size);
    put_number_if(&json, "size_ppm", is_rate, finding->size);
    put_number_if(&json, "bound_ns", is_time, finding->bound);
    put_number_if(&json, "bound_ppm", is_rate, finding->bound);
    json_end_line(&json);
}

/* ---- Series ---- */

void analysis_json_series(const ptpmon_series *series, const char *interface)
{
    struct json json;
    bool has_rate = series->quantity == PTPMON_INTERVAL_ERROR, has_type = series->messageType < 16;
    bool any = series->count > 0;
    begin(&json, "series", series->point, interface);
    json_string(&json, "quantity", ptpmon_quantity_name(series->quantity));
    json_string(&json, "unit", ptpmon_quantity_unit(series->quantity));
    json_string(&json, "stamps", ptpmon_stamp_kind_name(series->stamps));
    json_uint(&json, "segment", series->segment);
    json_uint(&json, "domainNumber", series->domainNumber);
    json_uint(&json, "sdoId", series->sdoId);
    json_string(&json, "messageTypeName", has_type ? ptpmon_message_type_name(series->messageType) : NULL);
    put_port(&json, "sourcePortIdentity", &series->source);
    put_port(&json, "requestingPortIdentity", &series->requesting);
    json_uint(&json, "count", series->count);
    json_int(&json, "base_ns", series->base_ns);
    put_number_if(&json, "minimum", any, series->minimum);
    put_number_if(&json, "median", any, series->p50);
    put_number_if(&json, "p95", any, series->p95);
    put_number_if(&json, "p99", any, series->p99);
    put_number_if(&json, "p999", any, series->p999);
    put_number_if(&json, "maximum", any, series->maximum);
    put_number_if(&json, "mean", any, series->mean);
    put_number_if(&json, "standard_deviation", any, series->standard_deviation);
    put_number_if(&json, "last", any, series->last);
    put_number_if(&json, "greatest_rate_1s", has_rate, series->rate_1s);
    put_number_if(&json, "last_rate_60s", has_rate, series->rate_60s);
    json_end_line(&json);
}

void analysis_json_asymmetry(const ptpmon_asymmetry *asymmetry, const char *interface)
{
    struct json json;
    bool known = asymmetry->method != PTPMON_ASYMMETRY_NOT_OBSERVABLE;
    begin(&json, "asymmetry", asymmetry->point, interface);
    json_string(&json, "method", ptpmon_asymmetry_method_name(asymmetry->method));
    json_string(&json, "kind", ptpmon_exchange_kind_name(asymmetry->kind));
    json_string(&json, "stamps", ptpmon_stamp_kind_name(asymmetry->stamps));
    json_uint(&json, "domainNumber", asymmetry->domainNumber);
    json_uint(&json, "sdoId", asymmetry->sdoId);
    put_port(&json, "sourcePortIdentity", &asymmetry->source);
    put_port(&json, "requestingPortIdentity", &asymmetry->requesting);
    json_int(&json, "base_ns", asymmetry->base_ns);
    json_number(&json, "forward_floor", asymmetry->forward_floor);
    json_number(&json, "reverse_floor", asymmetry->reverse_floor);
    json_number(&json, "floor_window_s", asymmetry->floor_window_s);
    put_number_if(&json, "delayAsymmetry", known, asymmetry->delayAsymmetry);
    put_number_if(&json, "bound", known, asymmetry->bound);
    json_end_line(&json);
}

/* ---- Time error ---- */

static const char *verdict_name(enum analysis_verdict verdict)
{
    switch (verdict) {
    case ANALYSIS_WITHIN:
        return "within";
    case ANALYSIS_EXCEEDED:
        return "exceeded";
    case ANALYSIS_NO_LIMIT:
        break;
    }
    return NULL;
}

static void put_summary(struct json *json, const struct analysis_te_result *result)
{
    const ptpmon_te_summary *summary = &result->summary;
    bool known = result->samples > 0, absolute = known && result->base_ns == 0;
    put_number_if(json, "seconds", known, summary->seconds);
    put_number_if(json, "max_te", absolute, summary->max_te);
    put_number_if(json, "max_te_low", absolute, summary->max_te_low);
    put_number_if(json, "cte", absolute, summary->cte);
    put_number_if(json, "cte_seconds", absolute, summary->cte_seconds);
    put_number_if(json, "dte_low_pp", known, summary->dte_low_pp);
    put_number_if(json, "dte_high_pp", known, summary->dte_high_pp);
}

static void put_windows(struct json *json, const struct analysis_te_result *result)
{
    json_open_array(json, "windows");
    for (size_t i = 0; i < result->window_count; i++) {
        const struct analysis_te_window *window = &result->windows[i];
        json_open_object(json, NULL);
        json_number(json, "tau", window->tau);
        json_number(json, "mtie", window->mtie);
        json_number(json, "tdev", window->tdev);
        json_number(json, "dte_low_mtie", window->low_mtie);
        json_number(json, "dte_low_tdev", window->low_tdev);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_limit(struct json *json, const struct analysis_te_result *result,
                      const struct analysis_te_window *window, ptpmon_limit_kind kind)
{
    double limit = window != NULL ? window->limits[kind] : result->limits[kind];
    double value = analysis_te_value(result, window, kind);
    if (!analysis_is_number(limit))
        return;
    json_open_object(json, NULL);
    json_string(json, "limit_of", analysis_te_limit_name(kind));
    put_number_if(json, "tau", window != NULL, window != NULL ? window->tau : 0);
    json_number(json, "value", value);
    json_number(json, "limit", limit);
    json_string(json, "verdict", verdict_name(analysis_te_judge(value, limit)));
    json_close_object(json);
}

static void put_limits(struct json *json, const struct analysis_te_result *result)
{
    json_open_array(json, "limits");
    for (ptpmon_limit_kind kind = 0; kind < PTPMON_LIMIT_KINDS; kind++) {
        if (!analysis_te_limit_depends_on_tau(kind))
            put_limit(json, result, NULL, kind);
        else
            for (size_t i = 0; i < result->window_count; i++)
                put_limit(json, result, &result->windows[i], kind);
    }
    json_close_array(json);
}

void analysis_json_time_error(const struct analysis_te_result *result, const char *mask, const char *interface)
{
    struct json json;
    begin(&json, "time_error", result->point, interface);
    json_string(&json, "stamps", ptpmon_stamp_kind_name(result->stamps));
    json_uint(&json, "segment", result->segment);
    json_uint(&json, "domainNumber", result->domainNumber);
    json_uint(&json, "sdoId", result->sdoId);
    put_port(&json, "sourcePortIdentity", &result->source);
    json_uint(&json, "offsets", result->offsets);
    json_uint(&json, "samples", result->samples);
    json_uint(&json, "stretches", result->stretches);
    json_int_if(&json, "tau0_ns", result->tau0_ns != 0, result->tau0_ns);
    json_bool(&json, "tau0_measured", result->tau0_measured);
    json_int(&json, "base_ns", result->base_ns);
    put_summary(&json, result);
    put_windows(&json, result);
    json_string(&json, "mask", mask);
    put_limits(&json, result);
    json_string(&json, "verdict", verdict_name(result->verdict));
    json_end_line(&json);
}

/* ---- All of it ---- */

static void add_totals(struct analysis_totals *totals, const ptpmon_analysis_counts *counts)
{
    for (int type = 0; type < 16; type++)
        totals->messages += counts->messages[type];
    for (int kind = 0; kind < PTPMON_EXCHANGE_KINDS; kind++) {
        totals->exchanges += counts->exchanges[kind];
        totals->computed += counts->computed[kind];
    }
    for (ptpmon_count count = 0; count < PTPMON_COUNTS; count++)
        totals->counted += analysis_count_is_harmless(count) ? 0 : counts->counts[count];
}

void analysis_json_end(const struct analysis *analysis, const struct analysis_totals *totals)
{
    struct json json;
    json_begin(&json, "analysis");
    json_bool(&json, "stopped", analysis->stopped);
    json_uint(&json, "points", analysis->count);
    json_uint(&json, "messages", totals->messages);
    json_uint(&json, "exchanges", totals->exchanges);
    json_uint(&json, "computed", totals->computed);
    json_uint(&json, "findings", analysis->finding_count + analysis->findings_left_out);
    json_uint(&json, "counted", totals->counted);
    json_string(&json, "mask", analysis->options.mask);
    json_string(&json, "verdict", verdict_name(analysis->verdict));
    json_end_line(&json);
}

static void write_time_errors(struct analysis *analysis)
{
    const struct analysis_options *options = &analysis->options;
    struct analysis_te_result result;
    for (size_t i = 0; analysis->te != NULL && i < analysis_te_count(analysis->te); i++) {
        ptpmon_status status = analysis_te_evaluate(analysis->te, i, (int64_t)options->tau0_ns, options->mask, &result);
        if (status != PTPMON_OK) {
            cli_library_error(status);
            continue;
        }
        analysis_json_time_error(&result, options->mask, analysis->points[result.point].name);
        if (result.verdict > analysis->verdict)
            analysis->verdict = result.verdict;
    }
}

void analysis_json_report(struct analysis *analysis)
{
    const ptpmon_analyzer *analyzer = analysis->analyzer;
    struct analysis_totals totals = {0};
    ptpmon_analysis_counts counts;
    for (uint32_t point = 0; point < analysis->count; point++) {
        if (ptpmon_analyzer_counts(analyzer, point, &counts) != PTPMON_OK)
            continue;
        add_totals(&totals, &counts);
        analysis_json_point(&analysis->points[point], point, &counts);
    }
    ptpmon_series series;
    for (size_t i = 0; ptpmon_analyzer_series(analyzer, i, &series) == PTPMON_OK; i++)
        analysis_json_series(&series, analysis->points[series.point].name);
    ptpmon_asymmetry asymmetry;
    for (size_t i = 0; ptpmon_analyzer_asymmetry(analyzer, i, &asymmetry) == PTPMON_OK; i++)
        analysis_json_asymmetry(&asymmetry, analysis->points[asymmetry.point].name);
    write_time_errors(analysis);
    analysis_json_end(analysis, &totals);
}
