/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "correlator_kit.h"

PTP_TIMESTAMP_EVENT kit_event(const struct kit_message *message, int64_t time, uint64_t software_timestamp,
                              uint64_t number)
{
    return (PTP_TIMESTAMP_EVENT){
        .system_timestamp = (uint64_t)time,
        .direction = message->direction,
        .messageType = message->messageType,
        .sequenceId = message->sequenceId,
        .domainNumber = message->domainNumber,
        .sourceMac = {2, 0, 0, 0, 0, message->mac},
        .stamp = message->tagged ? AVB_STAMP_VLAN : 0,
        .vlanId = message->vlanId,
        .pcp = message->pcp,
        .clockIdentity = {0xAA, 0, 0, 0, 0, 0, 0, message->clock},
        .portNumber = message->portNumber,
        .sdoId = message->sdoId,
        .version = 2,
        .software_timestamp = software_timestamp,
        .sequence = number,
    };
}

PTP_TIMESTAMP_EVENT kit_clocks(int64_t time, int64_t realtime)
{
    PTP_CLOCKS_RECORD clocks = {
        .system_timestamp = (uint64_t)time,
        .direction = AVB_DIRECTION_CLOCKS,
        .realtime_ns = (uint64_t)realtime,
    };
    PTP_TIMESTAMP_EVENT record;
    memcpy(&record, &clocks, sizeof record);
    return record;
}

PTP_TIMESTAMP_EVENT kit_loss(int64_t since, int64_t until, uint64_t frames, uint64_t stamps)
{
    PTP_LOSS_RECORD loss = {
        .system_timestamp = (uint64_t)until,
        .direction = AVB_DIRECTION_LOSS,
        .frames_dropped = frames,
        .stamps_dropped = stamps,
        .since = (uint64_t)since,
    };
    PTP_TIMESTAMP_EVENT record;
    memcpy(&record, &loss, sizeof record);
    return record;
}

static size_t put16(uint8_t *bytes, size_t at, unsigned int value)
{
    bytes[at] = (uint8_t)(value >> 8);
    bytes[at + 1] = (uint8_t)value;
    return at + 2;
}

ptpmon_frame kit_frame(const struct kit_message *message, int64_t capture_time, uint64_t number,
                       uint8_t bytes[KIT_FRAME_LENGTH])
{
    static const uint8_t destination[] = {0x01, 0x1B, 0x19, 0, 0, 0};
    const uint8_t source[] = {2, 0, 0, 0, 0, message->mac};
    memset(bytes, 0, KIT_FRAME_LENGTH);
    memcpy(bytes, destination, sizeof destination);
    memcpy(bytes + 6, source, sizeof source);
    size_t at = 12;
    if (message->tagged) {
        at = put16(bytes, at, 0x8100);
        at = put16(bytes, at, (unsigned int)message->pcp << 13 | message->vlanId);
    }
    at = put16(bytes, at, 0x88F7);
    uint8_t *ptp = bytes + at;
    ptp[0] = (uint8_t)((message->sdoId >> 8) << 4 | message->messageType);
    ptp[1] = 2;
    put16(ptp, 2, 44);
    ptp[4] = message->domainNumber;
    ptp[5] = (uint8_t)message->sdoId;
    ptp[20] = 0xAA;
    ptp[27] = message->clock;
    put16(ptp, 28, message->portNumber);
    put16(ptp, 30, message->sequenceId);
    return (ptpmon_frame){
        .time_ns = capture_time,
        .bytes = bytes,
        .captured_length = (uint32_t)at + 44,
        .length = (uint32_t)at + 44,
        .direction = message->direction,
        .number = number,
    };
}

uint64_t kit_time(const ptpmon_result *result)
{
    return result->has_event ? result->event.system_timestamp : result->frame.system_timestamp;
}

void kit_fetch(ptpmon_correlator *correlator, struct kit_results *results)
{
    ptpmon_result result;
    ptpmon_status status;
    uint64_t last = 0;
    while ((status = ptpmon_correlator_next(correlator, &result)) == PTPMON_OK) {
        if (results->count == results->capacity) {
            results->capacity = results->capacity ? results->capacity * 2 : 64;
            results->items = realloc(results->items, results->capacity * sizeof *results->items);
            assert_non_null(results->items);
        }
        assert_true(kit_time(&result) >= last);
        last = kit_time(&result);
        results->items[results->count++] = result;
    }
    assert_int_equal(status, PTPMON_NOTHING);
}

static void recount(ptpmon_correlation *counts, const ptpmon_result *result)
{
    switch (result->outcome) {
    case PTPMON_MATCHED:
        counts->matched++;
        counts->source_mac_differs += (result->cross_check & PTPMON_SOURCE_MAC_DIFFERS) != 0;
        counts->vlan_differs += (result->cross_check & PTPMON_VLAN_DIFFERS) != 0;
        counts->pcp_differs += (result->cross_check & PTPMON_PCP_DIFFERS) != 0;
        break;
    case PTPMON_EVENT_WITHOUT_FRAME:
        counts->unmatched_events++;
        assert_true(result->has_event);
        break;
    case PTPMON_FRAME_WITHOUT_EVENT:
        counts->unmatched_frames++;
        assert_true(result->has_frame);
        break;
    case PTPMON_DUPLICATE:
        counts->duplicate_events += result->has_event;
        counts->duplicate_frames += result->has_frame;
        break;
    case PTPMON_AMBIGUOUS:
        counts->ambiguous_events += result->has_event;
        counts->ambiguous_frames += result->has_frame;
        break;
    case PTPMON_OUTSIDE:
        counts->outside_events += result->has_event;
        counts->outside_frames += result->has_frame;
        break;
    default:
        fail_msg("outcome %d", result->outcome);
    }
    if (result->outcome == PTPMON_MATCHED)
        assert_true(result->has_event && result->has_frame);
    else
        assert_true(result->has_event != result->has_frame && result->cross_check == 0);
    counts->by_reason[result->reason]++;
    counts->decided_early += result->decided_early;
}

void kit_assert_counts(const ptpmon_correlator *correlator, const struct kit_results *results)
{
    ptpmon_correlation counts, expected = {0};
    ptpmon_correlator_counts(correlator, &counts);
    for (size_t i = 0; i < results->count; i++) {
        expected.events += results->items[i].has_event;
        expected.frames += results->items[i].has_frame;
        recount(&expected, &results->items[i]);
    }
    memcpy(expected.frames_by_kind, counts.frames_by_kind, sizeof expected.frames_by_kind);
    assert_memory_equal(&counts, &expected, sizeof counts);
    assert_int_equal(counts.frames_by_kind[0], counts.frames);
    assert_int_equal(counts.events, counts.matched + counts.unmatched_events + counts.duplicate_events +
                                        counts.ambiguous_events + counts.outside_events);
    assert_int_equal(counts.frames, counts.matched + counts.unmatched_frames + counts.duplicate_frames +
                                        counts.ambiguous_frames + counts.outside_frames);
}

void kit_free(struct kit_results *results)
{
    free(results->items);
    *results = (struct kit_results){0};
}
