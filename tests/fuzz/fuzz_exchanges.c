/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the analyzer: any messages, readings of clocks and bytes as frames, at up to four points. Whatever comes, no
 * more waits than may, every exchange is told once or counted, the counts add up, and the outcome is the same twice.
 */
#include "fuzz.h"

#include "analysis/engine.h"
#include "exchanges_input.h"
#include "unit/exchange_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) ((condition) ? (void)0 : give_up(#condition))

#define POINTS 4

static void give_up(const char *condition)
{
    fprintf(stderr, "fuzz_exchanges: does not hold: %s\n", condition);
    abort();
}

/* What a run told. */
struct sum {
    uint64_t exchanges, findings, hash;
};

struct run {
    ptpmon_analyzer *analyzer;
    uint32_t points;
    unsigned kinds; /* of points: bit set: it takes frames */
    uint64_t now;
    struct sum sum;
};

static uint64_t number(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static int64_t difference(const uint8_t *bytes, unsigned shift)
{
    return (int64_t)((uint64_t)(int64_t)(int32_t)number(bytes, 4) << shift);
}

/* ---- What is told ------------------------------------------------------------------------- */

static void add(struct sum *sum, uint64_t value)
{
    sum->hash = (sum->hash ^ value) * 0x100000001B3u;
}

static void add_time(struct sum *sum, ptpmon_time time)
{
    CHECK(time.fraction < PTPMON_FRACTIONS);
    add(sum, (uint64_t)time.ns);
    add(sum, time.fraction);
}

static void check_number(double value)
{
    CHECK(value == value && fabs(value) < 1e30);
}

static void take_exchange(struct run *run, const ptpmon_exchange *exchange)
{
    struct sum *sum = &run->sum;
    sum->exchanges++;
    CHECK(exchange->point < run->points && exchange->kind < PTPMON_EXCHANGE_KINDS);
    CHECK(exchange->reason < PTPMON_EXCHANGE_REASONS && exchange->end < PTPMON_ENDS);
    bool told = exchange->kind == PTPMON_EXCHANGE_SYNC      ? exchange->known & PTPMON_KNOWS_OFFSET
                : exchange->kind == PTPMON_EXCHANGE_TRANSIT ? exchange->known & PTPMON_KNOWS_RESIDENCE
                                                            : exchange->known & PTPMON_KNOWS_DELAY;
    CHECK(told == (exchange->reason == PTPMON_COMPUTED));
    ptpmon_stamp_kind local = PTPMON_STAMP_NONE;
    for (unsigned i = 0; i < 4; i++) {
        ptpmon_stamp stamp = exchange->t[i];
        CHECK(stamp.kind != PTPMON_STAMP_NONE || stamp.ns == 0);
        if (stamp.kind >= PTPMON_STAMP_HARDWARE) {
            CHECK(local == PTPMON_STAMP_NONE || local == stamp.kind);
            local = stamp.kind;
        }
        add(sum, (uint64_t)stamp.ns);
        add(sum, stamp.kind);
    }
    add(sum, exchange->reason);
    add(sum, exchange->known);
    add(sum, exchange->segment);
    add_time(sum, exchange->masterToSlave);
    add_time(sum, exchange->slaveToMaster);
    add_time(sum, exchange->delay);
    add_time(sum, exchange->delay_filtered);
    add_time(sum, exchange->offsetFromMaster);
    add_time(sum, exchange->offset_filtered);
    add_time(sum, exchange->turnaround);
    add_time(sum, exchange->transmitter_error);
    add_time(sum, exchange->receiver_error);
    add_time(sum, exchange->residence);
    add_time(sum, exchange->correction_error);
    check_number(exchange->neighborRateRatio);
    check_number(exchange->rateRatio);
}

static void fetch(struct run *run)
{
    ptpmon_exchange exchange;
    ptpmon_finding finding;
    while (ptpmon_analyzer_next_exchange(run->analyzer, &exchange) == PTPMON_OK)
        take_exchange(run, &exchange);
    while (ptpmon_analyzer_next_finding(run->analyzer, &finding) == PTPMON_OK) {
        CHECK(finding.kind < PTPMON_FINDING_KINDS && finding.point < run->points);
        check_number(finding.size);
        run->sum.findings++;
    }
}

/* ---- Steps -------------------------------------------------------------------------------- */

static struct kit_ptp message_of(const struct run *run, const uint8_t *step)
{
    static const uint16_t sdoIds[4] = {0, 0x100, 0x200, 0x1FF};
    uint8_t flags = step[STEP_FLAGS];
    uint64_t timestamp = run->now + (uint64_t)difference(step + STEP_TIMESTAMP, step[STEP_SHIFT] >> 4);
    return (struct kit_ptp){
        .messageType = step[STEP_TYPE] & 0xF,
        .direction = (step[STEP_TYPE] >> 4 & 3) == 2 ? AVB_DIRECTION_UNKNOWN : step[STEP_TYPE] >> 4 & 1,
        .domainNumber = flags & EXCHANGES_DOMAIN ? 7 : 0,
        .transport = flags & EXCHANGES_UDP ? AVB_TRANSPORT_UDP_IPV4 : AVB_TRANSPORT_ETHERNET,
        .source = step[STEP_PORTS] & 0xF,
        .requesting = step[STEP_PORTS] >> 4,
        .sdoId = sdoIds[step[STEP_TYPE] >> 6],
        .sequenceId = (uint16_t)number(step + STEP_SEQUENCE, 2),
        .gmTimeBaseIndicator = step[STEP_OUTCOME],
        .two_step = flags & EXCHANGES_TWO_STEP,
        .has_follow_up_tlv = flags & EXCHANGES_TLV,
        .logMessageInterval = (int8_t)step[STEP_INTERVAL],
        .cumulativeScaledRateOffset = (int32_t)number(step + STEP_LATE, 4),
        .correction = (int64_t)number(step + STEP_CORRECTION, 8),
        .seconds = timestamp / NS_PER_SECOND,
        .nanoseconds = (uint32_t)(timestamp % NS_PER_SECOND) + (step[STEP_SHIFT] == 0xFF ? 1000000000u : 0),
    };
}

static ptpmon_frame frame_of(const struct kit_ptp *ptp, uint8_t bytes[KIT_PTP_LENGTH], uint64_t time, unsigned cut)
{
    uint32_t length = kit_ptp_frame(ptp, bytes);
    return (ptpmon_frame){
        .time_ns = (int64_t)time,
        .bytes = bytes,
        .captured_length = cut && cut < length ? cut : length,
        .length = length,
        .direction = ptp->direction,
    };
}

static void observe(struct run *run, uint32_t point, const uint8_t *step)
{
    uint8_t bytes[KIT_PTP_LENGTH], stamps = step[STEP_STAMPS];
    struct kit_ptp ptp = message_of(run, step);
    ptpmon_frame frame = frame_of(&ptp, bytes, run->now + 1000, stamps & 16 ? step[STEP_LATE] : 0);
    ptpmon_observation observation = {.kind = PTPMON_OBSERVED_MESSAGE, .compared = !(stamps & 64)};
    ptpmon_result *result = &observation.result;
    if (ptpmon_frame_message(&frame, &result->frame, &result->message) != PTPMON_OK)
        return;
    result->outcome = (ptpmon_outcome)(step[STEP_OUTCOME] % PTPMON_OUTCOMES);
    result->has_event = !(stamps & 4);
    result->has_frame = result->has_message = !(stamps & 8);
    result->frame.system_timestamp = run->now;
    result->frame_time_ns = frame.time_ns;
    result->event = result->frame;
    if (stamps & 1) {
        result->event.stamp = AVB_STAMP_METADATA;
        result->event.hw_timestamp_ns = run->now + (uint64_t)difference(step + STEP_LATE, 0);
    }
    if (stamps & 32)
        result->event.stamp |= AVB_STAMP_MISSING;
    observation.software_realtime_ns = stamps & 2 ? (int64_t)(run->now + 500) : 0;
    observation.has_realtime = true;
    observation.realtime_ns = frame.time_ns;
    ptpmon_status expected = result->has_event || result->has_frame ? PTPMON_OK : PTPMON_INVALID;
    CHECK(ptpmon_analyzer_observe(run->analyzer, point, &observation) == expected);
}

static void read_clocks(struct run *run, uint32_t point, const uint8_t *step)
{
    ptpmon_observation observation = {
        .kind = PTPMON_OBSERVED_CLOCKS,
        .clocks =
            {
                .hw_timestamp_ns = step[STEP_STAMPS] & 1 ? run->now + (uint64_t)difference(step + STEP_LATE, 0) : 0,
                .system_timestamp = run->now,
                .direction = AVB_DIRECTION_CLOCKS,
                .hw_uncertainty_ns = (UINT32)number(step + STEP_TIMESTAMP, 4),
                .realtime_uncertainty_ns = step[STEP_INTERVAL],
                .realtime_ns = run->now + number(step + STEP_CORRECTION, 8),
            },
    };
    CHECK(ptpmon_analyzer_observe(run->analyzer, point, &observation) == PTPMON_OK);
}

static void give_frame(struct run *run, uint32_t point, const uint8_t *step, bool raw)
{
    uint8_t bytes[KIT_PTP_LENGTH];
    ptpmon_frame frame;
    if (raw) {
        memcpy(bytes, step, EXCHANGES_INPUT_STEP);
        frame = (ptpmon_frame){.time_ns = (int64_t)run->now,
                               .bytes = bytes,
                               .captured_length = EXCHANGES_INPUT_STEP,
                               .length = EXCHANGES_INPUT_STEP};
    } else {
        struct kit_ptp ptp = message_of(run, step);
        frame = frame_of(&ptp, bytes, run->now, step[STEP_STAMPS] & 16 ? step[STEP_LATE] : 0);
    }
    CHECK(ptpmon_analyzer_frame(run->analyzer, point, &frame) == PTPMON_OK);
}

static void do_step(struct run *run, const uint8_t *step)
{
    uint32_t point = (uint32_t)(step[STEP_OPERATION] >> 4) % run->points;
    bool frames = run->kinds >> point & 1;
    run->now += (uint64_t)difference(step + STEP_PASSES, step[STEP_SHIFT] & 0xF);
    switch ((enum exchanges_operation)((step[STEP_OPERATION] & 0xF) % EXCHANGES_OPERATIONS)) {
    case EXCHANGES_MESSAGE:
        if (frames)
            give_frame(run, point, step, false);
        else
            observe(run, point, step);
        break;
    case EXCHANGES_CLOCKS:
        if (!frames)
            read_clocks(run, point, step);
        break;
    case EXCHANGES_BYTES:
        if (frames)
            give_frame(run, point, step, true);
        break;
    default:
        fetch(run);
        break;
    }
    CHECK(run->analyzer->pending_count <= run->analyzer->options.max_pending);
}

/* ---- A run -------------------------------------------------------------------------------- */

static void check_counts(const struct run *run)
{
    uint64_t told = 0;
    for (uint32_t point = 0; point < run->points; point++) {
        ptpmon_analysis_counts counts;
        uint64_t exchanges = 0, computed = 0, reasons = 0;
        CHECK(ptpmon_analyzer_counts(run->analyzer, point, &counts) == PTPMON_OK);
        for (unsigned i = 0; i < PTPMON_EXCHANGE_KINDS; i++) {
            exchanges += counts.exchanges[i];
            computed += counts.computed[i];
        }
        for (unsigned i = 0; i < PTPMON_EXCHANGE_REASONS; i++)
            reasons += counts.by_reason[i];
        CHECK(exchanges == reasons && computed == counts.by_reason[PTPMON_COMPUTED]);
        CHECK(counts.counts[PTPMON_COUNT_NOT_FETCHED] == 0);
        CHECK(counts.counts[PTPMON_COUNT_GAPS] < (uint64_t)EXCHANGES_INPUT_MOST * 65536);
        told += exchanges;
    }
    CHECK(told == run->sum.exchanges);
}

static void check_statistics(const struct run *run)
{
    size_t count = ptpmon_analyzer_series_count(run->analyzer);
    for (size_t i = 0; i < count; i++) {
        ptpmon_series series;
        CHECK(ptpmon_analyzer_series(run->analyzer, i, &series) == PTPMON_OK);
        CHECK(series.point < run->points && series.minimum <= series.maximum);
    }
    for (size_t i = 0; i < ptpmon_analyzer_asymmetry_count(run->analyzer); i++) {
        ptpmon_asymmetry asymmetry;
        CHECK(ptpmon_analyzer_asymmetry(run->analyzer, i, &asymmetry) == PTPMON_OK);
    }
}

static struct sum run_steps(const uint8_t *input, size_t size)
{
    static const ptpmon_stamp_kind kinds[4] = {PTPMON_STAMP_NONE, PTPMON_STAMP_HARDWARE, PTPMON_STAMP_SOFTWARE,
                                               PTPMON_STAMP_CAPTURE};
    struct run run = {.points = 1 + input[0] % POINTS, .kinds = input[1] >> 4, .now = UINT64_C(1) << 60};
    ptpmon_analyzer_options options = {
        .window_ns = input[1] & 1 ? 2 * NS_PER_SECOND : 0,
        .max_pending = input[1] & 2 ? 16 : 64,
        .stamps = kinds[input[2] % 4],
        .delay_filter = input[3] % 8,
        .points_share_clock = input[1] & 4,
        .has_true_offset = input[1] & 8,
    };
    uint32_t point;
    CHECK(ptpmon_analyzer_open(&options, &run.analyzer) == PTPMON_OK);
    for (uint32_t i = 0; i < run.points; i++)
        CHECK(ptpmon_analyzer_add_point(run.analyzer, "point", &point) == PTPMON_OK && point == i);
    size_t steps = (size - EXCHANGES_INPUT_OPTIONS) / EXCHANGES_INPUT_STEP;
    for (size_t i = 0; i < steps && i < EXCHANGES_INPUT_MOST; i++)
        do_step(&run, input + EXCHANGES_INPUT_OPTIONS + i * EXCHANGES_INPUT_STEP);
    CHECK(ptpmon_analyzer_finish(run.analyzer) == PTPMON_OK);
    CHECK(run.analyzer->pending_count == 0);
    fetch(&run);
    check_counts(&run);
    check_statistics(&run);
    ptpmon_analyzer_close(run.analyzer);
    return run.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < EXCHANGES_INPUT_OPTIONS)
        return 0;
    struct sum once = run_steps(input, size), again = run_steps(input, size);
    CHECK(memcmp(&once, &again, sizeof once) == 0);
    return 0;
}
