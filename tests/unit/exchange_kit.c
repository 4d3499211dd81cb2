/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange_kit.h"

/* ---- Frames ------------------------------------------------------------------------------- */

struct writer {
    uint8_t *bytes;
    uint32_t length;
};

static void put(struct writer *writer, uint64_t value, uint32_t count)
{
    while (count-- > 0)
        writer->bytes[writer->length++] = (uint8_t)(value >> 8 * count);
}

static void put_port(struct writer *writer, uint8_t clock)
{
    put(writer, 0x020000FFFE000000u | clock, 8);
    put(writer, clock ? 1 : 0, 2);
}

static void put_udp(struct writer *writer, uint8_t messageType, uint32_t length)
{
    put(writer, 0x4500, 2);
    put(writer, 28 + length, 2);
    put(writer, 0x0001000001110000u, 8);
    put(writer, 0xC0000201E0000181u, 8);
    put(writer, 319, 2);
    put(writer, messageType < 8 ? 319 : 320, 2);
    put(writer, 8 + length, 2);
    put(writer, 0, 2);
}

static void put_header(struct writer *writer, const struct kit_ptp *ptp, uint32_t length)
{
    put(writer, (uint64_t)(ptp->sdoId >> 8) << 4 | ptp->messageType, 1);
    put(writer, 2, 1);
    put(writer, length, 2);
    put(writer, ptp->domainNumber, 1);
    put(writer, ptp->sdoId & 0xFFu, 1);
    put(writer, ptp->two_step ? AVB_PTP_FLAG_TWO_STEP : 0, 2);
    put(writer, (uint64_t)ptp->correction, 8);
    put(writer, 0, 4);
    put_port(writer, ptp->source);
    put(writer, ptp->sequenceId, 2);
    put(writer, 0, 1);
    put(writer, (uint8_t)ptp->logMessageInterval, 1);
}

static void put_follow_up_tlv(struct writer *writer, const struct kit_ptp *ptp)
{
    put(writer, 0x0003001C0080C200u, 8);
    put(writer, 0x0001, 2);
    put(writer, (uint32_t)ptp->cumulativeScaledRateOffset, 4);
    put(writer, ptp->gmTimeBaseIndicator, 2);
    put(writer, 0, 8);
    put(writer, 0, 8);
}

static bool is_answer(uint8_t messageType)
{
    return messageType == AVB_PTP_DELAY_RESP || messageType == AVB_PTP_PDELAY_RESP ||
           messageType == AVB_PTP_PDELAY_RESP_FOLLOW_UP;
}

static uint32_t message_length(const struct kit_ptp *ptp)
{
    if (ptp->has_follow_up_tlv)
        return 76;
    if (ptp->messageType == AVB_PTP_ANNOUNCE)
        return 64;
    return is_answer(ptp->messageType) || ptp->messageType == AVB_PTP_PDELAY_REQ ? 54 : 44;
}

uint32_t kit_ptp_frame(const struct kit_ptp *ptp, uint8_t bytes[KIT_PTP_LENGTH])
{
    struct writer writer = {.bytes = bytes};
    uint32_t length = message_length(ptp);
    memset(bytes, 0, KIT_PTP_LENGTH);
    put(&writer, 0x011B19000000u, 6);
    put(&writer, 0x020000000000u | ptp->source, 6);
    put(&writer, ptp->transport == AVB_TRANSPORT_UDP_IPV4 ? 0x0800 : 0x88F7, 2);
    if (ptp->transport == AVB_TRANSPORT_UDP_IPV4)
        put_udp(&writer, ptp->messageType, length);
    put_header(&writer, ptp, length);
    put(&writer, (uint64_t)(ptp->timestamp / KIT_SECOND) + ptp->seconds, 6);
    put(&writer, (uint64_t)(ptp->timestamp % KIT_SECOND) + ptp->nanoseconds, 4);
    if (is_answer(ptp->messageType))
        put_port(&writer, ptp->requesting);
    else if (ptp->has_follow_up_tlv)
        put_follow_up_tlv(&writer, ptp);
    else
        writer.length += length - 44;
    return writer.length;
}

static ptpmon_frame frame_of(const struct kit_ptp *ptp, uint8_t bytes[KIT_PTP_LENGTH], int64_t capture_time)
{
    static uint64_t number;
    uint32_t length = kit_ptp_frame(ptp, bytes);
    return (ptpmon_frame){
        .time_ns = capture_time,
        .bytes = bytes,
        .captured_length = length,
        .length = length,
        .direction = ptp->direction,
        .number = ++number,
    };
}

/* ---- Giving ------------------------------------------------------------------------------- */

void kit_take(ptpmon_analyzer *analyzer, struct kit_decided *decided)
{
    ptpmon_exchange exchange;
    ptpmon_finding finding;
    while (ptpmon_analyzer_next_exchange(analyzer, &exchange) == PTPMON_OK) {
        if (decided->count == decided->capacity) {
            decided->capacity = decided->capacity ? 2 * decided->capacity : 64;
            decided->exchanges = realloc(decided->exchanges, decided->capacity * sizeof exchange);
            assert_non_null(decided->exchanges);
        }
        decided->exchanges[decided->count++] = exchange;
    }
    while (ptpmon_analyzer_next_finding(analyzer, &finding) == PTPMON_OK)
        if (decided->finding_count < sizeof decided->findings / sizeof *decided->findings)
            decided->findings[decided->finding_count++] = finding;
}

void kit_free_decided(struct kit_decided *decided)
{
    free(decided->exchanges);
    *decided = (struct kit_decided){0};
}

void kit_see_cut(ptpmon_analyzer *analyzer, uint32_t point, const struct kit_ptp *ptp, int64_t capture_time,
                 uint32_t captured_length, struct kit_decided *decided)
{
    uint8_t bytes[KIT_PTP_LENGTH];
    ptpmon_frame frame = frame_of(ptp, bytes, capture_time);
    if (captured_length < frame.captured_length)
        frame.captured_length = captured_length;
    assert_int_equal(ptpmon_analyzer_frame(analyzer, point, &frame), PTPMON_OK);
    kit_take(analyzer, decided);
}

void kit_see(ptpmon_analyzer *analyzer, uint32_t point, const struct kit_ptp *ptp, int64_t capture_time,
             struct kit_decided *decided)
{
    kit_see_cut(analyzer, point, ptp, capture_time, KIT_PTP_LENGTH, decided);
}

ptpmon_observation kit_observation(const struct kit_ptp *ptp, const struct kit_times *times)
{
    uint8_t bytes[KIT_PTP_LENGTH];
    ptpmon_observation observation = {
        .kind = PTPMON_OBSERVED_MESSAGE,
        .interface = "eth0",
        .compared = times->capture != 0,
        .has_realtime = times->capture != 0,
        .realtime_ns = times->capture,
        .software_realtime_ns = times->software,
    };
    ptpmon_result *result = &observation.result;
    ptpmon_frame frame = frame_of(ptp, bytes, times->capture);
    assert_int_equal(ptpmon_frame_message(&frame, &result->frame, &result->message), PTPMON_OK);
    result->event = result->frame;
    result->event.system_timestamp = (UINT64)times->event;
    result->event.hw_timestamp_ns = (UINT64)times->hardware;
    result->event.stamp = times->hardware ? AVB_STAMP_METADATA : AVB_STAMP_NONE;
    result->event.software_timestamp = (UINT64)times->software;
    result->has_event = times->event != 0;
    result->has_frame = result->has_message = times->capture != 0;
    result->frame.system_timestamp = (UINT64)times->event;
    result->frame_time_ns = times->capture;
    result->frame_number = frame.number;
    result->outcome = !result->has_frame   ? PTPMON_EVENT_WITHOUT_FRAME
                      : !result->has_event ? PTPMON_FRAME_WITHOUT_EVENT
                                           : PTPMON_MATCHED;
    return observation;
}

void kit_observe(ptpmon_analyzer *analyzer, uint32_t point, const ptpmon_observation *observation,
                 struct kit_decided *decided)
{
    assert_int_equal(ptpmon_analyzer_observe(analyzer, point, observation), PTPMON_OK);
    kit_take(analyzer, decided);
}

void kit_read_clocks(ptpmon_analyzer *analyzer, uint32_t point, int64_t event, int64_t hardware, int64_t realtime,
                     struct kit_decided *decided)
{
    ptpmon_observation observation = {
        .kind = PTPMON_OBSERVED_CLOCKS,
        .clocks =
            {
                .hw_timestamp_ns = (UINT64)hardware,
                .system_timestamp = (UINT64)event,
                .direction = AVB_DIRECTION_CLOCKS,
                .hw_uncertainty_ns = 50,
                .realtime_uncertainty_ns = 50,
                .realtime_ns = (UINT64)realtime,
            },
    };
    kit_observe(analyzer, point, &observation, decided);
}

void kit_finish(ptpmon_analyzer *analyzer, struct kit_decided *decided)
{
    assert_int_equal(ptpmon_analyzer_finish(analyzer), PTPMON_OK);
    kit_take(analyzer, decided);
}

/* ---- What was counted --------------------------------------------------------------------- */

void kit_assert_tallies(const ptpmon_analyzer *analyzer, uint32_t points, const struct kit_decided *decided)
{
    uint64_t fetched = 0;
    for (uint32_t point = 0; point < points; point++) {
        ptpmon_analysis_counts expected = {0}, counts;
        uint64_t exchanges = 0, reasons = 0;
        for (size_t i = 0; i < decided->count; i++) {
            const ptpmon_exchange *exchange = &decided->exchanges[i];
            if (exchange->point != point)
                continue;
            expected.exchanges[exchange->kind]++;
            expected.computed[exchange->kind] += exchange->reason == PTPMON_COMPUTED;
            expected.by_reason[exchange->reason]++;
        }
        assert_int_equal(ptpmon_analyzer_counts(analyzer, point, &counts), PTPMON_OK);
        assert_memory_equal(counts.exchanges, expected.exchanges, sizeof counts.exchanges);
        assert_memory_equal(counts.computed, expected.computed, sizeof counts.computed);
        assert_memory_equal(counts.by_reason, expected.by_reason, sizeof counts.by_reason);
        for (unsigned kind = 0; kind < PTPMON_EXCHANGE_KINDS; kind++)
            exchanges += counts.exchanges[kind];
        for (unsigned reason = 0; reason < PTPMON_EXCHANGE_REASONS; reason++)
            reasons += counts.by_reason[reason];
        assert_int_equal(exchanges, reasons);
        fetched += exchanges;
    }
    assert_int_equal(fetched, decided->count);
}
