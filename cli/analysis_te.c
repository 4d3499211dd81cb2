/* SPDX-License-Identifier: MIT */
#include "analysis_te.h"

#include "analysis_format.h"
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A Sync or two that is missing is bridged by the one before it; with three a receiver gives up too
 * (syncReceiptTimeout). */
#define MAX_GAP_INTERVALS 3
/* Beyond this samples are taken from a base, so that doubles hold less than a ns. */
#define BASE_BEYOND_NS ((int64_t)10 * NS_PER_S)
/* A TDEV at fewer than 12 times its interval says little, and no limit is held against it. */
#define TDEV_LENGTHS  12
#define DTE_CUTOFF_HZ 0.1

struct stream {
    uint32_t point, segment;
    ptpmon_stamp_kind stamps;
    uint8_t domainNumber;
    uint16_t sdoId;
    ptpmon_port_identity source;
    int8_t logMessageInterval;
    int64_t base_ns;
    int64_t *times;
    double *values;
    size_t count, capacity;
};

struct analysis_te {
    struct stream *streams[ANALYSIS_TE_STREAMS_MAX];
    size_t count, last; /* last: where the newest offset went */
    uint64_t left_out;
};

struct analysis_te *analysis_te_open(void)
{
    return cli_allocate(1, sizeof(struct analysis_te));
}

void analysis_te_close(struct analysis_te *te)
{
    for (size_t i = 0; te != NULL && i < te->count; i++) {
        free(te->streams[i]->times);
        free(te->streams[i]->values);
        free(te->streams[i]);
    }
    free(te);
}

size_t analysis_te_count(const struct analysis_te *te)
{
    return te->count;
}

uint64_t analysis_te_left_out(const struct analysis_te *te)
{
    return te->left_out;
}

/* ---- Taking offsets ---- */

static bool is_of(const struct stream *stream, const ptpmon_exchange *exchange)
{
    return stream->point == exchange->point && stream->segment == exchange->segment &&
           stream->stamps == exchange->t[1].kind && stream->domainNumber == exchange->domainNumber &&
           stream->sdoId == exchange->sdoId && analysis_same_port(&stream->source, &exchange->source);
}

static int64_t base_of(ptpmon_time offset)
{
    return offset.ns >= -BASE_BEYOND_NS && offset.ns < BASE_BEYOND_NS ? 0 : offset.ns;
}

static struct stream *add_stream(struct analysis_te *te, const ptpmon_exchange *exchange)
{
    struct stream *stream = cli_allocate(1, sizeof *stream);
    stream->point = exchange->point;
    stream->segment = exchange->segment;
    stream->stamps = exchange->t[1].kind;
    stream->domainNumber = exchange->domainNumber;
    stream->sdoId = exchange->sdoId;
    stream->source = exchange->source;
    stream->base_ns = base_of(exchange->offsetFromMaster);
    te->last = te->count;
    te->streams[te->count++] = stream;
    return stream;
}

static struct stream *find_stream(struct analysis_te *te, const ptpmon_exchange *exchange)
{
    if (te->count > 0 && is_of(te->streams[te->last], exchange))
        return te->streams[te->last];
    for (size_t i = 0; i < te->count; i++) {
        if (is_of(te->streams[i], exchange)) {
            te->last = i;
            return te->streams[i];
        }
    }
    return te->count < ANALYSIS_TE_STREAMS_MAX ? add_stream(te, exchange) : NULL;
}

static void grow(struct stream *stream)
{
    size_t capacity = stream->capacity * 2 + 1024;
    int64_t *times = cli_allocate(capacity, sizeof *times);
    double *values = cli_allocate(capacity, sizeof *values);
    if (stream->count > 0) {
        memcpy(times, stream->times, stream->count * sizeof *times);
        memcpy(values, stream->values, stream->count * sizeof *values);
    }
    free(stream->times);
    free(stream->values);
    stream->times = times;
    stream->values = values;
    stream->capacity = capacity;
}

/* Two values of clocks may be further apart than an int64 holds. */
static double offset_from(ptpmon_time offset, int64_t base_ns)
{
    uint64_t difference = (uint64_t)offset.ns - (uint64_t)base_ns;
    bool fits = (offset.ns < base_ns) == ((int64_t)difference < 0);
    double whole = fits ? (double)(int64_t)difference : (double)offset.ns - (double)base_ns;
    return whole + offset.fraction / 65536.0;
}

void analysis_te_add(struct analysis_te *te, const ptpmon_exchange *exchange)
{
    if (exchange->kind != PTPMON_EXCHANGE_SYNC || !(exchange->known & PTPMON_KNOWS_OFFSET))
        return;
    int64_t time = exchange->t[1].ns; /* by the clock whose error it is */
    struct stream *stream = find_stream(te, exchange);
    if (stream == NULL || (stream->count > 0 && time <= stream->times[stream->count - 1])) {
        te->left_out++;
        return;
    }
    if (stream->count == stream->capacity)
        grow(stream);
    stream->times[stream->count] = time;
    stream->values[stream->count++] = offset_from(exchange->offsetFromMaster, stream->base_ns);
    stream->logMessageInterval = exchange->logMessageInterval;
}

/* ---- tau0 ---- */

static int by_value(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static int64_t median_distance(const struct stream *stream)
{
    size_t count = stream->count - 1;
    if (stream->count < 2)
        return 0;
    int64_t *distances = cli_allocate(count, sizeof *distances);
    for (size_t i = 0; i < count; i++) /* rising, but possibly from end to end */
        distances[i] = (int64_t)(((uint64_t)stream->times[i + 1] - (uint64_t)stream->times[i]) >> 1);
    qsort(distances, count, sizeof *distances, by_value);
    int64_t median = distances[count / 2];
    free(distances);
    return median <= INT64_MAX / 2 ? 2 * median : 0;
}

/* From 2^-9 s, the last that is whole ns, to 2^6 s. */
static int64_t stated_interval(int8_t logMessageInterval)
{
    if (logMessageInterval < -9 || logMessageInterval > 6)
        return 0;
    return logMessageInterval < 0 ? NS_PER_S >> -logMessageInterval : (int64_t)NS_PER_S << logMessageInterval;
}

/* ---- Stretches without a gap ---- */

struct stretch {
    double *samples;
    size_t count;
};

/* The longest one; its memory is the caller's. */
static ptpmon_status longest_stretch(const struct stream *stream, int64_t tau0_ns, struct analysis_te_result *result,
                                     struct stretch *longest)
{
    size_t capacity = stream->count * (MAX_GAP_INTERVALS + 1) + 2;
    double *samples = cli_allocate(capacity, sizeof *samples);
    *longest = (struct stretch){cli_allocate(capacity, sizeof *samples), 0};
    ptpmon_status status = PTPMON_OK;
    for (size_t at = 0; at < stream->count && status == PTPMON_OK;) {
        size_t count = 0, used = 0;
        status = ptpmon_te_resample(stream->times + at, stream->values + at, stream->count - at, tau0_ns,
                                    MAX_GAP_INTERVALS * tau0_ns, samples, capacity, &count, &used);
        if (status != PTPMON_OK || used == 0)
            break;
        at += used;
        result->stretches++;
        if (count > longest->count) {
            double *other = longest->samples;
            *longest = (struct stretch){samples, count};
            samples = other;
        }
    }
    free(samples);
    return status;
}

/* ---- Limits ---- */

const char *analysis_te_limit_name(ptpmon_limit_kind kind)
{
    static const char *const names[PTPMON_LIMIT_KINDS] = {
        [PTPMON_LIMIT_MAX_TE] = "max_te",
        [PTPMON_LIMIT_MAX_TE_LOW] = "max_te_low",
        [PTPMON_LIMIT_CTE] = "cte",
        [PTPMON_LIMIT_DTE_LOW_MTIE] = "dte_low_mtie",
        [PTPMON_LIMIT_DTE_LOW_TDEV] = "dte_low_tdev",
        [PTPMON_LIMIT_DTE_HIGH_PP] = "dte_high_pp",
        [PTPMON_LIMIT_MTIE] = "mtie",
        [PTPMON_LIMIT_TDEV] = "tdev",
    };
    return names[kind];
}

bool analysis_te_limit_depends_on_tau(ptpmon_limit_kind kind)
{
    return kind == PTPMON_LIMIT_DTE_LOW_MTIE || kind == PTPMON_LIMIT_DTE_LOW_TDEV || kind == PTPMON_LIMIT_MTIE ||
           kind == PTPMON_LIMIT_TDEV;
}

double analysis_te_value(const struct analysis_te_result *result, const struct analysis_te_window *window,
                         ptpmon_limit_kind kind)
{
    const ptpmon_te_summary *summary = &result->summary;
    bool absolute = result->base_ns == 0;
    switch (kind) {
    case PTPMON_LIMIT_MAX_TE:
        return absolute ? summary->max_te : NAN;
    case PTPMON_LIMIT_MAX_TE_LOW:
        return absolute ? summary->max_te_low : NAN;
    case PTPMON_LIMIT_CTE:
        return absolute ? fabs(summary->cte) : NAN;
    case PTPMON_LIMIT_DTE_HIGH_PP:
        return summary->dte_high_pp;
    case PTPMON_LIMIT_DTE_LOW_MTIE:
        return window->low_mtie;
    case PTPMON_LIMIT_DTE_LOW_TDEV:
        return window->low_tdev;
    case PTPMON_LIMIT_MTIE:
        return window->mtie;
    case PTPMON_LIMIT_TDEV:
        return window->tdev;
    case PTPMON_LIMIT_KINDS:
        break;
    }
    return NAN;
}

enum analysis_verdict analysis_te_judge(double value, double limit)
{
    if (!analysis_is_number(limit) || !analysis_is_number(value))
        return ANALYSIS_NO_LIMIT;
    return value <= limit ? ANALYSIS_WITHIN : ANALYSIS_EXCEEDED;
}

static double limit_of(const char *mask, ptpmon_limit_kind kind, double tau)
{
    double limit;
    return mask != NULL && ptpmon_te_limit(mask, kind, tau, &limit) == PTPMON_OK ? limit : NAN;
}

static bool is_tdev(ptpmon_limit_kind kind)
{
    return kind == PTPMON_LIMIT_TDEV || kind == PTPMON_LIMIT_DTE_LOW_TDEV;
}

static void judge(struct analysis_te_result *result, double value, double limit)
{
    enum analysis_verdict verdict = analysis_te_judge(value, limit);
    if (verdict > result->verdict)
        result->verdict = verdict;
    if (analysis_is_number(limit) && !analysis_is_number(value))
        result->unjudged = true;
}

static void apply_mask(struct analysis_te_result *result, const char *mask)
{
    for (ptpmon_limit_kind kind = 0; kind < PTPMON_LIMIT_KINDS; kind++) {
        bool by_tau = analysis_te_limit_depends_on_tau(kind);
        result->limits[kind] = by_tau ? NAN : limit_of(mask, kind, 0);
        if (!by_tau)
            judge(result, analysis_te_value(result, NULL, kind), result->limits[kind]);
        for (size_t i = 0; i < result->window_count; i++) {
            struct analysis_te_window *window = &result->windows[i];
            bool is_long = !is_tdev(kind) || TDEV_LENGTHS * window->tau <= result->summary.seconds;
            window->limits[kind] = by_tau && is_long ? limit_of(mask, kind, window->tau) : NAN;
            if (by_tau)
                judge(result, analysis_te_value(result, window, kind), window->limits[kind]);
        }
    }
    if (result->unjudged && result->verdict == ANALYSIS_WITHIN)
        result->verdict = ANALYSIS_NO_LIMIT;
}

/* ---- Windows ---- */

/* 1, 2, 5, 10, 20, 50... samples, less than `count`. */
static size_t choose_windows(size_t count, size_t m[static ANALYSIS_TE_WINDOWS_MAX])
{
    static const size_t steps[] = {1, 2, 5};
    size_t chosen = 0, decade = 1;
    for (size_t i = 0; chosen < ANALYSIS_TE_WINDOWS_MAX && steps[i] * decade < count;) {
        m[chosen++] = steps[i] * decade;
        if (++i == sizeof steps / sizeof *steps) {
            i = 0;
            decade *= 10;
        }
    }
    return chosen;
}

static ptpmon_status compute(const double *x, size_t count, const size_t *m, size_t windows, double *mtie, double *tdev)
{
    size_t with_tdev = 0;
    for (size_t i = 0; i < windows; i++) {
        tdev[i] = NAN;
        with_tdev += 3 * m[i] <= count;
    }
    ptpmon_status status = windows > 0 ? ptpmon_te_mtie(x, count, m, windows, mtie) : PTPMON_OK;
    if (status == PTPMON_OK && with_tdev > 0)
        status = ptpmon_te_tdev(x, count, m, with_tdev, tdev);
    return status;
}

/* Of samples too far apart for the filter nothing filtered is known: all NaN. */
static ptpmon_status compute_low(struct stretch *stretch, double tau0, const size_t *m, size_t windows, double *mtie,
                                 double *tdev)
{
    for (size_t i = 0; i < windows; i++)
        mtie[i] = tdev[i] = NAN;
    if (!(DTE_CUTOFF_HZ * tau0 < 0.5))
        return PTPMON_OK;
    ptpmon_status status = ptpmon_te_low_pass(stretch->samples, stretch->count, tau0, DTE_CUTOFF_HZ, stretch->samples);
    return status == PTPMON_OK ? compute(stretch->samples, stretch->count, m, windows, mtie, tdev) : status;
}

/* The stretch's samples are filtered afterwards. */
static ptpmon_status fill_windows(struct stretch *stretch, double tau0, struct analysis_te_result *result)
{
    size_t m[ANALYSIS_TE_WINDOWS_MAX] = {0};
    double mtie[2][ANALYSIS_TE_WINDOWS_MAX], tdev[2][ANALYSIS_TE_WINDOWS_MAX];
    size_t windows = choose_windows(stretch->count, m);
    ptpmon_status status = compute(stretch->samples, stretch->count, m, windows, mtie[0], tdev[0]);
    if (status == PTPMON_OK)
        status = compute_low(stretch, tau0, m, windows, mtie[1], tdev[1]);
    if (status != PTPMON_OK)
        return status;
    result->window_count = windows;
    for (size_t i = 0; i < windows; i++)
        result->windows[i] = (struct analysis_te_window){.tau = (double)m[i] * tau0,
                                                         .mtie = mtie[0][i],
                                                         .tdev = tdev[0][i],
                                                         .low_mtie = mtie[1][i],
                                                         .low_tdev = tdev[1][i]};
    return PTPMON_OK;
}

/* ---- All of it ---- */

static void describe(const struct stream *stream, int64_t tau0_ns, struct analysis_te_result *result)
{
    *result = (struct analysis_te_result){
        .point = stream->point,
        .segment = stream->segment,
        .stamps = stream->stamps,
        .domainNumber = stream->domainNumber,
        .sdoId = stream->sdoId,
        .source = stream->source,
        .offsets = stream->count,
        .base_ns = stream->base_ns,
        .tau0_ns = tau0_ns != 0 ? tau0_ns : stated_interval(stream->logMessageInterval),
    };
    if (result->tau0_ns == 0) {
        result->tau0_ns = median_distance(stream);
        result->tau0_measured = true;
    }
}

ptpmon_status analysis_te_evaluate(const struct analysis_te *te, size_t index, int64_t tau0_ns, const char *mask,
                                   struct analysis_te_result *result)
{
    struct stretch stretch;
    if (index >= te->count)
        return PTPMON_INVALID;
    const struct stream *stream = te->streams[index];
    describe(stream, tau0_ns, result);
    if (result->tau0_ns == 0 || result->tau0_ns > INT64_MAX / MAX_GAP_INTERVALS) {
        apply_mask(result, NULL);
        return PTPMON_OK;
    }
    double tau0 = (double)result->tau0_ns / NS_PER_S;
    ptpmon_status status = longest_stretch(stream, result->tau0_ns, result, &stretch);
    if (status == PTPMON_OK)
        status = ptpmon_te_summarize(stretch.samples, stretch.count, tau0, &result->summary);
    if (status == PTPMON_OK)
        status = fill_windows(&stretch, tau0, result);
    if (status == PTPMON_OK) {
        result->samples = stretch.count;
        apply_mask(result, mask);
    }
    free(stretch.samples);
    return status;
}
