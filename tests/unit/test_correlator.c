/* SPDX-License-Identifier: MIT */
/* The correlator's rules one by one, its limits, and what it does without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "correlator_kit.h"
#include "failing_allocation.h"
#include "item.h"
#include "random.h"

#define SECOND      ((int64_t)KIT_SECOND)
#define MILLISECOND ((int64_t)KIT_MILLISECOND)
#define MICROSECOND ((int64_t)KIT_MICROSECOND)
#define EDGE        (10 * MILLISECOND)

static const struct kit_message received = {.direction = AVB_DIRECTION_RX, .sequenceId = 100, .portNumber = 1};
static const struct kit_message sent = {.direction = AVB_DIRECTION_TX, .sequenceId = 100, .portNumber = 1};

static ptpmon_correlator *correlator;
static struct kit_results results;

static void open_with(uint64_t window_ns, uint32_t max_pending)
{
    ptpmon_correlator_options options = {.window_ns = window_ns, .max_pending = max_pending};
    ptpmon_correlator_close(correlator);
    assert_int_equal(ptpmon_correlator_open(&options, &correlator), PTPMON_OK);
}

static void give(PTP_TIMESTAMP_EVENT record)
{
    assert_int_equal(ptpmon_correlator_event(correlator, &record), PTPMON_OK);
}

static void clocks(int64_t time)
{
    give(kit_clocks(time, KIT_REALTIME + time));
}

static int set_up(void **state)
{
    (void)state;
    open_with(0, 0);
    clocks(SECOND);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ptpmon_correlator_close(correlator);
    correlator = NULL;
    kit_free(&results);
    return 0;
}

static void event(const struct kit_message *message, int64_t time, uint64_t number)
{
    give(kit_event(message, time, 0, number));
}

/* A received event with the stack's time. */
static void stamped(const struct kit_message *message, int64_t time, int64_t captured, uint64_t number)
{
    give(kit_event(message, time, (uint64_t)(KIT_REALTIME + captured), number));
}

/* Of a capture that resolves so many ns; 0: it does not say. */
static void rounded_frame(const struct kit_message *message, int64_t time, uint32_t resolution_ns, uint64_t number)
{
    uint8_t bytes[KIT_FRAME_LENGTH];
    ptpmon_frame frame = kit_frame(message, KIT_REALTIME + time, number, bytes);
    frame.resolution_ns = resolution_ns;
    assert_int_equal(ptpmon_correlator_frame(correlator, &frame), PTPMON_OK);
}

static void frame_at(const struct kit_message *message, int64_t capture_time, uint64_t number)
{
    uint8_t bytes[KIT_FRAME_LENGTH];
    ptpmon_frame frame = kit_frame(message, capture_time, number, bytes);
    assert_int_equal(ptpmon_correlator_frame(correlator, &frame), PTPMON_OK);
    memset(bytes, 0xFF, sizeof bytes);
}

static void frame(const struct kit_message *message, int64_t time, uint64_t number)
{
    frame_at(message, KIT_REALTIME + time, number);
}

static void advance(int64_t time)
{
    assert_int_equal(ptpmon_correlator_advance(correlator, (uint64_t)time), PTPMON_OK);
    kit_fetch(correlator, &results);
}

static void finish(void)
{
    assert_int_equal(ptpmon_correlator_finish(correlator), PTPMON_OK);
    kit_fetch(correlator, &results);
    kit_assert_counts(correlator, &results);
}

/* The result of this event, or if it is 0, of this frame; 0 for the other one: there is none. */
static const ptpmon_result *expect(uint64_t event_number, uint64_t frame_number, ptpmon_outcome outcome,
                                   ptpmon_reason reason)
{
    for (size_t i = 0; i < results.count; i++) {
        const ptpmon_result *result = &results.items[i];
        if (event_number ? result->event.sequence != event_number : result->frame_number != frame_number)
            continue;
        if (result->frame_number != frame_number || result->event.sequence != event_number)
            fail_msg("event %d is with frame %d", (int)result->event.sequence, (int)result->frame_number);
        if (result->outcome != outcome || result->reason != reason)
            fail_msg("event %d, frame %d: %s, %s", (int)event_number, (int)frame_number,
                     ptpmon_outcome_name(result->outcome), ptpmon_reason_name(result->reason));
        return result;
    }
    fail_msg("no result for event %d, frame %d", (int)event_number, (int)frame_number);
    return NULL;
}

static void expect_pair(uint64_t event_number, uint64_t frame_number, ptpmon_reason reason)
{
    expect(event_number, frame_number, PTPMON_MATCHED, reason);
}

static void expect_event(uint64_t number, ptpmon_outcome outcome, ptpmon_reason reason)
{
    expect(number, 0, outcome, reason);
}

static void expect_frame(uint64_t number, ptpmon_outcome outcome, ptpmon_reason reason)
{
    expect(0, number, outcome, reason);
}

static struct kit_message with_direction(const struct kit_message *message, uint8_t direction)
{
    struct kit_message changed = *message;
    changed.direction = direction;
    return changed;
}

/* ---- Pairs -------------------------------------------------------------------------------- */

static void pairs_by_key(void **state)
{
    (void)state;
    frame(&received, SECOND + 12345, 1);
    event(&received, SECOND + 20000, 1);
    event(&sent, SECOND + 30000, 2);
    frame(&sent, SECOND + 60000, 2);
    finish();
    assert_int_equal(results.count, 2);
    const ptpmon_result *result = expect(1, 1, PTPMON_MATCHED, PTPMON_BY_KEY);
    assert_true(result->has_event && result->has_frame && !result->decided_early);
    assert_int_equal(result->frame_time_ns, KIT_REALTIME + SECOND + 12345);
    PTP_TIMESTAMP_EVENT original = kit_event(&received, SECOND + 20000, 0, 1);
    assert_memory_equal(&result->event, &original, sizeof original);
    PTP_TIMESTAMP_EVENT parsed = kit_event(&received, SECOND + 12345, 0, 0);
    parsed.queueId = AVB_QUEUE_UNKNOWN;
    assert_memory_equal(&result->frame, &parsed, sizeof parsed);
    expect_pair(2, 2, PTPMON_BY_KEY);
}

static void pairs_by_software_time(void **state)
{
    (void)state;
    /* The order is the other way round, and the numbers differ: time alone decides. */
    stamped(&received, SECOND + 100, SECOND + 40, 1);
    stamped(&received, SECOND + 101, SECOND + 30, 2);
    frame(&received, SECOND + 30, 30);
    frame(&received, SECOND + 40, 40);
    frame(&received, SECOND + 50, 50);
    finish();
    expect_pair(1, 40, PTPMON_BY_SOFTWARE_TIME);
    expect_pair(2, 30, PTPMON_BY_SOFTWARE_TIME);
    expect_frame(50, PTPMON_DUPLICATE, PTPMON_SAME_KEY_MATCHED);
}

static void software_time_is_for_received_events_only(void **state)
{
    (void)state;
    /* Sent events have the time of the TX stamp there, which is nobody's capture time. */
    for (uint64_t i = 0; i < 2; i++) {
        give(kit_event(&sent, SECOND + 10 * (int64_t)i, (uint64_t)(KIT_REALTIME + SECOND + 50), 1 + i));
        frame(&sent, SECOND + 50 - (int64_t)i, 1 + i);
    }
    finish();
    expect_pair(1, 2, PTPMON_BY_ORDER);
    expect_pair(2, 1, PTPMON_BY_ORDER);
}

static void a_capture_in_us_holds_software_times(void **state)
{
    (void)state;
    static const int64_t within[] = {-999, 0, 999}, beyond[] = {-1000, 1000, 5000};
    struct kit_message message = received;
    for (uint64_t i = 0; i < 6; i++) {
        int64_t time = (int64_t)(2 + 3 * i) * SECOND;
        message.sequenceId = (uint16_t)i;
        rounded_frame(&message, time, 1000, 1 + i);
        stamped(&message, time + 20 * MICROSECOND, time + (i < 3 ? within[i] : beyond[i - 3]), 1 + i);
    }
    finish();
    for (uint64_t i = 0; i < 6; i++)
        expect_pair(1 + i, 1 + i, i < 3 ? PTPMON_BY_SOFTWARE_TIME : PTPMON_BY_KEY);
}

static void ns_are_equal_or_not(void **state)
{
    (void)state;
    struct kit_message other = received;
    other.sequenceId++;
    rounded_frame(&received, SECOND, 0, 1); /* a capture that does not say what it resolves */
    stamped(&received, SECOND + 100, SECOND, 1);
    rounded_frame(&other, SECOND, 1, 2);
    stamped(&other, SECOND + 100, SECOND + 1, 2);
    finish();
    expect_pair(1, 1, PTPMON_BY_SOFTWARE_TIME);
    expect_pair(2, 2, PTPMON_BY_KEY);
}

static void rounding_keeps_the_order(void **state)
{
    (void)state;
    /* The second frame's time is nearest to the first stamp. */
    rounded_frame(&received, 2 * SECOND, 1000, 10);
    rounded_frame(&received, 2 * SECOND + 1000, 1000, 20);
    stamped(&received, 2 * SECOND + 5000, 2 * SECOND + 1800, 2);
    stamped(&received, 2 * SECOND + 6000, 2 * SECOND + 900, 1);
    /* Both frames have one time; those of another message are apart. */
    rounded_frame(&received, 2 * SECOND + MILLISECOND, 1000, 30);
    rounded_frame(&received, 2 * SECOND + MILLISECOND, 1000, 40);
    stamped(&received, 2 * SECOND + MILLISECOND + 5000, 2 * SECOND + MILLISECOND + 100, 3);
    stamped(&received, 2 * SECOND + MILLISECOND + 6000, 2 * SECOND + MILLISECOND + 700, 4);
    finish();
    for (uint64_t i = 1; i <= 4; i++)
        expect_pair(i, 10 * i, PTPMON_BY_SOFTWARE_TIME);
}

static void rounding_hides_whose_frame_is_missing(void **state)
{
    (void)state;
    rounded_frame(&received, 2 * SECOND + 1000, 1000, 20);
    stamped(&received, 2 * SECOND + 5000, 2 * SECOND + 900, 1);
    stamped(&received, 2 * SECOND + 6000, 2 * SECOND + 1800, 2);
    rounded_frame(&received, 2 * SECOND + MILLISECOND, 1000, 30); /* of another message, and alone */
    stamped(&received, 2 * SECOND + MILLISECOND + 5000, 2 * SECOND + MILLISECOND + 100, 3);
    finish();
    expect_event(1, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_frame(20, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_pair(3, 30, PTPMON_BY_SOFTWARE_TIME);
}

/* As of several captures merged into one. */
static void each_frame_has_its_own_resolution(void **state)
{
    (void)state;
    rounded_frame(&received, 2 * SECOND + 100, 1, 10);
    rounded_frame(&received, 2 * SECOND + 500, 1000, 20);
    stamped(&received, 2 * SECOND + 5000, 2 * SECOND + 100, 1); /* could be either one's */
    rounded_frame(&received, 2 * SECOND + MILLISECOND, 1, 30);
    stamped(&received, 2 * SECOND + MILLISECOND + 5000, 2 * SECOND + MILLISECOND, 3);
    finish();
    expect_event(1, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_pair(3, 30, PTPMON_BY_SOFTWARE_TIME);
}

static void rounded_times_prove_nothing_beside_an_event_without_stamp(void **state)
{
    (void)state;
    rounded_frame(&received, 2 * SECOND, 1000, 20);
    stamped(&received, 2 * SECOND + 5000, 2 * SECOND + 100, 1);
    event(&received, 2 * SECOND + 6000, 2);
    finish();
    expect_event(1, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
}

static void rounded_times_of_several_are_no_proof_where_something_was_lost(void **state)
{
    (void)state;
    give(kit_loss(2 * SECOND, 3 * SECOND, 1, 0));
    rounded_frame(&received, 2 * SECOND, 1000, 10);
    rounded_frame(&received, 2 * SECOND, 1000, 20);
    stamped(&received, 2 * SECOND + 5000, 2 * SECOND + 100, 1);
    stamped(&received, 2 * SECOND + 6000, 2 * SECOND + 200, 2);
    rounded_frame(&received, 2 * SECOND + MILLISECOND, 1000, 30);
    stamped(&received, 2 * SECOND + MILLISECOND + 5000, 2 * SECOND + MILLISECOND + 100, 3);
    finish();
    expect_event(1, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
    expect_pair(3, 30, PTPMON_BY_SOFTWARE_TIME);
}

static void pairs_by_order(void **state)
{
    (void)state;
    /* Two requesters with one sequenceId: the answers share their whole key. */
    struct kit_message response = sent;
    response.messageType = AVB_PTP_PDELAY_RESP;
    event(&response, SECOND + 1000, 1);
    event(&response, SECOND + 2000, 2);
    event(&response, SECOND + 3000, 3);
    frame(&response, SECOND + 3500, 30);
    frame(&response, SECOND + 1500, 10);
    frame(&response, SECOND + 2500, 20);
    finish();
    expect_pair(1, 10, PTPMON_BY_ORDER);
    expect_pair(2, 20, PTPMON_BY_ORDER);
    expect_pair(3, 30, PTPMON_BY_ORDER);
}

static void equal_times_pair_in_order_of_arrival(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 20; i++)
        event(&sent, 2 * SECOND, i);
    for (uint64_t i = 1; i <= 20; i++)
        frame(&sent, 2 * SECOND, i);
    finish();
    for (uint64_t i = 1; i <= 20; i++)
        expect_pair(i, i, PTPMON_BY_ORDER);
}

static void pairs_the_rest_of_rule_1_by_order(void **state)
{
    (void)state;
    stamped(&received, SECOND + 100, SECOND + 90, 1);
    event(&received, SECOND + 200, 2);
    event(&received, SECOND + 300, 3);
    frame(&received, SECOND + 90, 10);
    frame(&received, SECOND + 190, 20);
    frame(&received, SECOND + 290, 30);
    finish();
    expect_pair(1, 10, PTPMON_BY_SOFTWARE_TIME);
    expect_pair(2, 20, PTPMON_BY_ORDER);
    expect_pair(3, 30, PTPMON_BY_ORDER);
}

static void a_stamp_that_is_no_frames_time_refuses_order(void **state)
{
    (void)state;
    stamped(&received, SECOND + 100, SECOND + 90, 1);
    stamped(&received, SECOND + 200, SECOND + 190, 2);
    frame(&received, SECOND + 90, 10);
    frame(&received, SECOND + 290, 30);
    finish();
    expect_pair(1, 10, PTPMON_BY_SOFTWARE_TIME);
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
    expect_frame(30, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
}

static void unequal_numbers_are_ambiguous(void **state)
{
    (void)state;
    event(&sent, SECOND + 100, 1);
    event(&sent, SECOND + 200, 2);
    frame(&sent, SECOND + 130, 10);
    finish();
    expect_event(1, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_frame(10, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
}

static void every_field_of_the_key_counts(void **state)
{
    (void)state;
    struct kit_message others[7];
    for (size_t i = 0; i < 7; i++)
        others[i] = received;
    others[0].messageType = AVB_PTP_ANNOUNCE;
    others[1].domainNumber = 1;
    others[2].sequenceId = 101;
    others[3].portNumber = 2;
    others[4].sdoId = 0x100;
    others[5].clock = 1;
    others[6].direction = AVB_DIRECTION_TX;
    event(&received, SECOND, 1);
    for (size_t i = 0; i < 7; i++)
        frame(&others[i], SECOND, 10 + i);
    finish();
    expect_event(1, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
    for (size_t i = 0; i < 7; i++)
        expect_frame(10 + i, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT);
}

static void cross_checks_what_is_no_part_of_the_key(void **state)
{
    (void)state;
    struct kit_message variants[5];
    for (size_t i = 0; i < 5; i++) {
        variants[i] = received;
        variants[i].sequenceId = (uint16_t)i;
    }
    variants[1].mac = 9;
    variants[2].tagged = true; /* a priority tag: no VID, but a tag */
    variants[3].tagged = true;
    variants[3].vlanId = 5;
    variants[4].tagged = true;
    variants[4].pcp = 6;
    static const uint32_t differs[] = {0, PTPMON_SOURCE_MAC_DIFFERS, PTPMON_VLAN_DIFFERS, PTPMON_VLAN_DIFFERS,
                                       PTPMON_VLAN_DIFFERS | PTPMON_PCP_DIFFERS};
    for (size_t i = 0; i < 5; i++) {
        struct kit_message plain = received;
        plain.sequenceId = (uint16_t)i;
        event(&plain, SECOND, 1 + i);
        frame(&variants[i], SECOND, 1 + i);
    }
    finish();
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(expect(1 + i, 1 + i, PTPMON_MATCHED, PTPMON_BY_KEY)->cross_check, differs[i]);
    ptpmon_correlation counts;
    ptpmon_correlator_counts(correlator, &counts);
    assert_int_equal(counts.source_mac_differs, 1);
    assert_int_equal(counts.vlan_differs, 3);
    assert_int_equal(counts.pcp_differs, 1);
}

static void unknown_direction_pairs_with_either(void **state)
{
    (void)state;
    struct kit_message unknown = with_direction(&received, AVB_DIRECTION_UNKNOWN), other = unknown;
    other.sequenceId++;
    struct kit_message other_sent = with_direction(&other, AVB_DIRECTION_TX);
    event(&received, SECOND, 1);
    frame(&unknown, SECOND, 1);
    event(&other_sent, SECOND, 2);
    frame(&other, SECOND, 2);
    finish();
    expect_pair(1, 1, PTPMON_BY_KEY);
    assert_int_equal(results.items[0].frame.direction, AVB_DIRECTION_UNKNOWN);
    expect_pair(2, 2, PTPMON_BY_KEY);
}

static void unknown_direction_makes_one_pool_of_both(void **state)
{
    (void)state;
    struct kit_message unknown = with_direction(&received, AVB_DIRECTION_UNKNOWN);
    event(&received, SECOND + 1000, 1);
    event(&sent, SECOND + 2000, 2);
    frame(&unknown, SECOND + 1000, 1);
    frame(&unknown, SECOND + 2000, 2);
    finish();
    expect_event(1, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
}

static void software_time_sorts_out_an_unknown_direction(void **state)
{
    (void)state;
    struct kit_message unknown = with_direction(&received, AVB_DIRECTION_UNKNOWN);
    event(&sent, SECOND + 1000, 1);
    stamped(&received, SECOND + 1010, SECOND + 1005, 2);
    frame(&unknown, SECOND + 1030, 10);
    frame(&unknown, SECOND + 1005, 20);
    finish();
    expect_pair(1, 10, PTPMON_BY_ORDER);
    expect_pair(2, 20, PTPMON_BY_SOFTWARE_TIME);
}

static void a_known_direction_stays_known_among_unknown(void **state)
{
    (void)state;
    struct kit_message unknown = with_direction(&received, AVB_DIRECTION_UNKNOWN);
    event(&received, SECOND + 1000, 1);
    event(&received, SECOND + 2000, 2);
    frame(&unknown, SECOND + 1000, 10);
    frame(&sent, SECOND + 2000, 20);
    finish();
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
    expect_frame(20, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
}

/* ---- Groups ------------------------------------------------------------------------------- */

static void the_window_chains(void **state)
{
    (void)state;
    /* Each within the window of the next, the last 3 s after the first: one group, unequal. */
    event(&sent, 10 * SECOND, 1);
    event(&sent, 11 * SECOND, 2);
    frame(&sent, 12 * SECOND, 10);
    event(&sent, 13 * SECOND, 3);
    /* 1 ns more than the window: the next group. */
    event(&sent, 14 * SECOND + 1, 4);
    frame(&sent, 14 * SECOND + 1, 40);
    finish();
    expect_frame(10, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_event(3, PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER);
    expect_pair(4, 40, PTPMON_BY_KEY);
}

static void a_wrap_or_restart_is_another_group(void **state)
{
    (void)state;
    struct kit_message zero = sent;
    zero.sequenceId = 0;
    event(&zero, 10 * SECOND, 1); /* lost in the capture */
    event(&zero, 522 * SECOND, 2);
    frame(&zero, 522 * SECOND, 2);
    event(&zero, 525 * SECOND, 3);
    frame(&zero, 525 * SECOND, 3);
    frame(&zero, 1034 * SECOND, 4); /* no event */
    finish();
    expect_event(1, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
    expect_pair(2, 2, PTPMON_BY_KEY);
    expect_pair(3, 3, PTPMON_BY_KEY);
    expect_frame(4, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT);
}

static void advance_decides_what_has_passed(void **state)
{
    (void)state;
    struct kit_message next = sent;
    next.sequenceId++;
    event(&sent, 10 * SECOND, 1);
    event(&next, 10 * SECOND + 1, 2);
    frame(&next, 10 * SECOND + 1, 2);
    clocks(11 * SECOND);
    frame(&sent, 10 * SECOND, 1);
    clocks(12 * SECOND);
    advance(11 * SECOND);
    assert_int_equal(results.count, 0);
    advance(11 * SECOND + 1);
    assert_int_equal(results.count, 1);
    expect_pair(1, 1, PTPMON_BY_KEY);
    advance(11 * SECOND);
    assert_int_equal(results.count, 1);
    advance(11 * SECOND + 2);
    assert_int_equal(results.count, 2);
    /* Beyond the last reading, frames may still be waiting for the next. */
    event(&sent, 11200 * MILLISECOND, 3);
    event(&next, 11300 * MILLISECOND, 4);
    clocks(12250 * MILLISECOND);
    advance(12400 * MILLISECOND);
    assert_int_equal(results.count, 3);
    expect_event(3, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
    finish();
    assert_int_equal(results.count, 4);
}

static void a_long_chain_holds_up_nobody(void **state)
{
    (void)state;
    struct kit_message other = sent;
    other.sequenceId++;
    for (int64_t i = 0; i < 7000; i++)
        event(&sent, 2 * SECOND + i * 9 * MILLISECOND, 1 + (uint64_t)i);
    event(&other, 10 * SECOND, 20000);
    clocks(12 * SECOND);
    advance(10 * SECOND);
    event(&other, 12 * SECOND, 20001);
    clocks(60 * SECOND);
    advance(60 * SECOND);
    assert_int_equal(results.count, 2);
    finish();
    assert_int_equal(results.count, 7002);
}

/* The same message ten times a second. It is decided in pieces, cut in a pause, so that no pair lies across a cut; what
 * is lost spoils its own piece only. */
static void a_sender_stuck_on_one_sequenceId_is_seen_while_it_sends(void **state)
{
    (void)state;
    const uint64_t lost = 3;
    for (uint64_t i = 1; i <= 200; i++) {
        int64_t time = 2 * SECOND + (int64_t)i * 100 * MILLISECOND;
        if (i != lost)
            event(&sent, time, i);
        frame(&sent, time + 30 * MICROSECOND, i);
    }
    clocks(23 * SECOND);
    advance(12 * SECOND);
    assert_true(results.count >= 80);
    finish();
    ptpmon_correlation counts;
    ptpmon_correlator_counts(correlator, &counts);
    assert_in_range(counts.ambiguous_frames, 40, 42);
    assert_int_equal(counts.matched, 200 - counts.ambiguous_frames);
    for (uint64_t i = 50; i <= 200; i++)
        expect_pair(i, i, PTPMON_BY_ORDER);
}

static void advance_does_without_clocks_in_the_end(void **state)
{
    (void)state;
    event(&sent, 10 * SECOND, 1);
    frame(&sent, 10 * SECOND + 7, 1);
    advance(11 * SECOND + SECOND);
    assert_int_equal(results.count, 0);
    advance(12 * SECOND + SECOND / 10 + 8);
    expect_pair(1, 1, PTPMON_BY_KEY);
    assert_false(results.items[0].decided_early);
    finish();
}

static void what_comes_too_late_is_marked(void **state)
{
    (void)state;
    event(&sent, 10 * SECOND, 1);
    clocks(20 * SECOND);
    advance(20 * SECOND);
    expect_event(1, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
    frame(&sent, 10 * SECOND + 30, 1);
    advance(22 * SECOND);
    assert_int_equal(results.count, 1); /* it might be from after a step of the clock */
    advance(23 * SECOND);
    assert_int_equal(results.count, 2);
    finish();
    assert_true(expect(0, 1, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT)->decided_early);
}

static void what_comes_late_still_finds_its_open_group(void **state)
{
    (void)state;
    clocks(20 * SECOND);
    event(&sent, 10 * SECOND, 1);
    event(&sent, 10 * SECOND + 100, 2);
    advance(10 * SECOND + SECOND / 2);
    frame(&sent, 10 * SECOND + 130, 20);
    advance(10 * SECOND + SECOND / 2 + 1);
    frame(&sent, 10 * SECOND + 30, 10);
    finish();
    expect_pair(1, 10, PTPMON_BY_ORDER);
    expect_pair(2, 20, PTPMON_BY_ORDER);
    assert_false(results.items[0].decided_early);
}

/* ---- Lost and outside --------------------------------------------------------------------- */

static void explains_a_lost_event(void **state)
{
    (void)state;
    struct kit_message message = sent;
    static const int64_t times[] = {-EDGE - 1, -EDGE, 0, SECOND, SECOND + EDGE, SECOND + EDGE + 1};
    give(kit_loss(100 * SECOND, 101 * SECOND, 3, 0));
    for (size_t i = 0; i < 6; i++) {
        message.sequenceId = (uint16_t)i;
        frame(&message, 100 * SECOND + times[i], 1 + i);
    }
    finish();
    for (size_t i = 0; i < 6; i++)
        expect_frame(1 + i, PTPMON_FRAME_WITHOUT_EVENT, i == 0 || i == 5 ? PTPMON_NO_EVENT : PTPMON_EVENT_LOST);
}

static void lost_stamps_are_no_lost_events(void **state)
{
    (void)state;
    give(kit_loss(100 * SECOND, 101 * SECOND, 0, 3));
    frame(&sent, 100 * SECOND + SECOND / 2, 1);
    event(&sent, 200 * SECOND, 2);
    event(&sent, 200 * SECOND + 1000, 3);
    frame(&sent, 200 * SECOND + 100, 2);
    frame(&sent, 200 * SECOND + 1100, 3);
    give(kit_loss(199 * SECOND, 201 * SECOND, 0, 1));
    finish();
    expect_frame(1, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT);
    expect_pair(2, 2, PTPMON_BY_ORDER);
}

static void explains_a_lost_frame(void **state)
{
    (void)state;
    struct kit_message message = sent;
    static const int64_t times[] = {-EDGE - 1, -EDGE, 0, SECOND, SECOND + EDGE, SECOND + EDGE + 1};
    assert_int_equal(
        ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 100 * SECOND, KIT_REALTIME + 101 * SECOND),
        PTPMON_OK);
    for (size_t i = 0; i < 6; i++) {
        message.sequenceId = (uint16_t)i;
        event(&message, 100 * SECOND + times[i], 1 + i);
    }
    finish();
    for (size_t i = 0; i < 6; i++)
        expect_event(1 + i, PTPMON_EVENT_WITHOUT_FRAME, i == 0 || i == 5 ? PTPMON_NOT_CAPTURED : PTPMON_CAPTURE_LOST);
}

static void a_loss_refuses_order(void **state)
{
    (void)state;
    struct kit_message messages[3] = {sent, sent, sent};
    for (size_t i = 0; i < 3; i++) {
        messages[i].sequenceId = (uint16_t)i;
        int64_t at = 10 * SECOND * (1 + (int64_t)i);
        event(&messages[i], at, 10 * i + 1);
        event(&messages[i], at + 1000, 10 * i + 2);
        frame(&messages[i], at + 50, 10 * i + 1);
        frame(&messages[i], at + 1050, 10 * i + 2);
    }
    give(kit_loss(10 * SECOND - SECOND, 10 * SECOND - EDGE, 1, 0));
    ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 20 * SECOND + 1050 + EDGE, KIT_REALTIME + 21 * SECOND);
    finish();
    for (uint64_t i = 0; i < 2; i++) {
        expect_event(10 * i + 1, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
        expect_frame(10 * i + 2, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
    }
    expect_pair(21, 21, PTPMON_BY_ORDER);
    expect_pair(22, 22, PTPMON_BY_ORDER);
}

static void a_loss_spares_software_times_and_single_pairs(void **state)
{
    (void)state;
    struct kit_message other = sent;
    other.sequenceId++;
    give(kit_loss(9 * SECOND, 11 * SECOND, 1, 0));
    ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 9 * SECOND, KIT_REALTIME + 11 * SECOND);
    stamped(&received, 10 * SECOND, 10 * SECOND - 10, 1);
    stamped(&received, 10 * SECOND + 100, 10 * SECOND + 90, 2);
    frame(&received, 10 * SECOND - 10, 1);
    frame(&received, 10 * SECOND + 90, 2);
    event(&sent, 10 * SECOND, 3);
    frame(&sent, 10 * SECOND + EDGE, 3);
    event(&other, 10 * SECOND, 4);
    frame(&other, 10 * SECOND + EDGE + 1, 4);
    finish();
    expect_pair(1, 1, PTPMON_BY_SOFTWARE_TIME);
    expect_pair(2, 2, PTPMON_BY_SOFTWARE_TIME);
    expect_pair(3, 3, PTPMON_BY_KEY);
    /* Both sides lost something, and the two are far apart: they may be of two messages. */
    expect_event(4, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
}

static void a_loss_explains_better_than_a_duplicate(void **state)
{
    (void)state;
    struct kit_message other = received;
    other.sequenceId++;
    ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 10 * SECOND, KIT_REALTIME + 11 * SECOND);
    stamped(&received, 10 * SECOND, 10 * SECOND - 10, 1);
    stamped(&received, 10 * SECOND + 100, 10 * SECOND + 90, 2);
    frame(&received, 10 * SECOND - 10, 1);
    stamped(&other, 20 * SECOND, 20 * SECOND - 10, 3);
    stamped(&other, 20 * SECOND + 100, 20 * SECOND + 90, 4);
    frame(&other, 20 * SECOND - 10, 3);
    finish();
    expect_event(2, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_CAPTURE_LOST);
    expect_event(4, PTPMON_DUPLICATE, PTPMON_SAME_KEY_MATCHED);
}

static void tells_what_is_outside(void **state)
{
    (void)state;
    struct kit_message message = sent;
    static const int64_t times[] = {100, 200, 250, 300, 400};
    ptpmon_correlator_monitor_ran(correlator, (uint64_t)(200 * SECOND), (uint64_t)(300 * SECOND));
    ptpmon_correlator_capture_ran(correlator, KIT_REALTIME + 200 * SECOND, KIT_REALTIME + 300 * SECOND);
    for (uint64_t i = 0; i < 5; i++) {
        message.sequenceId = (uint16_t)(2 * i);
        event(&message, times[i] * SECOND, 1 + i);
        message.sequenceId++;
        frame(&message, times[i] * SECOND, 11 + i);
    }
    /* Outside is only what has no partner. */
    message.sequenceId = 99;
    event(&message, 100 * SECOND, 50);
    frame(&message, 100 * SECOND, 50);
    finish();
    for (uint64_t i = 0; i < 5; i++) {
        if (i == 2) {
            expect_event(1 + i, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
            expect_frame(11 + i, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT);
        } else { /* the edges themselves, too: the times of the two sides differ a little */
            expect_event(1 + i, PTPMON_OUTSIDE, i < 2 ? PTPMON_BEFORE_CAPTURE : PTPMON_AFTER_CAPTURE);
            expect_frame(11 + i, PTPMON_OUTSIDE, i < 2 ? PTPMON_BEFORE_MONITOR : PTPMON_AFTER_MONITOR);
        }
    }
    expect_pair(50, 50, PTPMON_BY_KEY);
}

static void open_ends_have_no_outside(void **state)
{
    (void)state;
    ptpmon_correlator_monitor_ran(correlator, (uint64_t)(200 * SECOND), 0);
    ptpmon_correlator_capture_ran(correlator, 0, KIT_REALTIME + 200 * SECOND);
    frame(&sent, 300 * SECOND, 1);
    event(&sent, 100 * SECOND, 2);
    finish();
    expect_frame(1, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT);
    expect_event(2, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
}

static void the_start_of_a_side_refuses_order(void **state)
{
    (void)state;
    /* The monitor starts between two of a key; the second one's frame is not captured. */
    ptpmon_correlator_monitor_ran(correlator, (uint64_t)(10 * SECOND + SECOND / 2), 0);
    frame(&sent, 10 * SECOND, 1);
    event(&sent, 11 * SECOND, 2);
    frame(&sent, 11 * SECOND + 50, 2);
    event(&sent, 12 * SECOND, 3);
    finish();
    expect_event(2, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
    expect_event(3, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
}

static void bears_many_losses(void **state)
{
    (void)state;
    struct kit_message message = sent;
    for (int64_t i = 0; i < 10000; i++) {
        int64_t at = (100 + 2 * i) * SECOND;
        give(kit_loss(at, at + SECOND / 10, 1, 0));
        ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + at, KIT_REALTIME + at + SECOND / 10);
    }
    for (int64_t i = 0; i < 10000; i += 100) {
        int64_t at = (100 + 2 * i) * SECOND + SECOND / 20;
        message.sequenceId = (uint16_t)i;
        frame(&message, at, 1 + (uint64_t)i);
        message.sequenceId++;
        event(&message, at, 1 + (uint64_t)i);
    }
    finish();
    for (uint64_t i = 0; i < 10000; i += 100) {
        expect_frame(1 + i, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_EVENT_LOST);
        expect_event(1 + i, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_CAPTURE_LOST);
    }
}

static void forgets_losses_that_are_over(void **state)
{
    (void)state;
    struct kit_message message = sent;
    /* One loss each second, for longer than all could be kept apart; each is still told from the next. */
    for (int64_t i = 0; i < 2000; i++) {
        int64_t at = (10 + i) * SECOND;
        clocks(at);
        give(kit_loss(at, at + SECOND / 4, 1, 0));
        ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + at, KIT_REALTIME + at + SECOND / 4);
        message.sequenceId = (uint16_t)(4 * i);
        frame(&message, at + SECOND / 8, (uint64_t)(4 * i + 1));
        message.sequenceId++;
        frame(&message, at + SECOND / 2, (uint64_t)(4 * i + 2));
        message.sequenceId++;
        event(&message, at + SECOND / 8, (uint64_t)(4 * i + 1));
        message.sequenceId++;
        event(&message, at + SECOND / 2, (uint64_t)(4 * i + 2));
        advance(at - 3 * SECOND > 0 ? at - 3 * SECOND : 0);
    }
    finish();
    assert_int_equal(results.count, 8000);
    for (size_t i = 0; i < results.count; i++) {
        const ptpmon_result *result = &results.items[i];
        bool lost = (result->has_event ? result->event.sequence : result->frame_number) % 4 == 1;
        if (result->has_event)
            assert_int_equal(result->reason, lost ? PTPMON_CAPTURE_LOST : PTPMON_NOT_CAPTURED);
        else
            assert_int_equal(result->reason, lost ? PTPMON_EVENT_LOST : PTPMON_NO_EVENT);
    }
}

/* ---- Clocks ------------------------------------------------------------------------------- */

static void needs_clocks_before_frames(void **state)
{
    (void)state;
    uint8_t bytes[KIT_FRAME_LENGTH];
    ptpmon_frame early = kit_frame(&sent, KIT_REALTIME, 1, bytes);
    open_with(0, 0);
    event(&sent, SECOND, 1);
    assert_int_equal(ptpmon_correlator_frame(correlator, &early), PTPMON_INVALID);
    give(kit_clocks(SECOND, 0)); /* realtime not read */
    assert_int_equal(ptpmon_correlator_frame(correlator, &early), PTPMON_INVALID);
    clocks(SECOND);
    frame(&sent, SECOND, 1);
    finish();
    expect_pair(1, 1, PTPMON_BY_KEY);
}

/* The event time that the correlator gave a frame. */
static int64_t placed(uint64_t number)
{
    for (size_t i = 0; i < results.count; i++) {
        if (results.items[i].frame_number == number)
            return (int64_t)results.items[i].frame.system_timestamp;
    }
    fail_msg("no frame %d", (int)number);
    return 0;
}

static void follows_the_nearest_reading(void **state)
{
    (void)state;
    /* The clocks drift apart by 1 ms each second. */
    for (int64_t i = 10; i < 20; i++)
        give(kit_clocks(i * SECOND, KIT_REALTIME + i * (SECOND + MILLISECOND)));
    struct kit_message message = sent;
    static const int64_t after[] = {0, 400, 600, 1000};
    for (uint64_t i = 0; i < 4; i++) {
        message.sequenceId = (uint16_t)i;
        frame_at(&message, KIT_REALTIME + 15 * (SECOND + MILLISECOND) + after[i] * MILLISECOND, 1 + i);
    }
    finish();
    assert_int_equal(placed(1), 15 * SECOND);
    assert_int_equal(placed(2), 15 * SECOND + 400 * MILLISECOND);
    assert_int_equal(placed(3), 16 * SECOND - 401 * MILLISECOND);
    assert_int_equal(placed(4), 16 * SECOND - 1 * MILLISECOND);
}

/* Streams as they come in life, each second a reading; at 10.5 s CLOCK_REALTIME is set by `step`. */
static void run_through_a_step(int64_t step)
{
    struct kit_message message = sent;
    for (int64_t ms = 8000; ms < 14000; ms += 10) {
        int64_t time = ms * MILLISECOND;
        int64_t realtime = KIT_REALTIME + time + (ms >= 10500 ? step : 0);
        if (ms % 1000 == 0)
            give(kit_clocks(time, realtime));
        message.sequenceId = (uint16_t)ms;
        event(&message, time, (uint64_t)ms);
        frame_at(&message, realtime + 30 * MICROSECOND, (uint64_t)ms);
        advance(time - 50 * MILLISECOND);
    }
    finish();
    if (results.count != 600)
        fail_msg("step of %lld ns: %zu results", (long long)step, results.count);
    for (size_t i = 0; i < results.count; i++) {
        const ptpmon_result *result = &results.items[i];
        if (result->reason != PTPMON_BY_KEY || result->event.sequence != result->frame_number)
            fail_msg("step of %lld ns: event %d, frame %d: %s", (long long)step, (int)result->event.sequence,
                     (int)result->frame_number, ptpmon_reason_name(result->reason));
        assert_false(result->decided_early);
        int64_t error = (int64_t)(result->frame.system_timestamp - result->event.system_timestamp);
        if (llabs(error) > 50 * MICROSECOND + (llabs(step) < 2 * SECOND ? llabs(step) : 0))
            fail_msg("step of %lld ns: frame %d is off by %lld ns", (long long)step, (int)result->frame_number,
                     (long long)error);
    }
}

static void of_two_readings_as_near_the_first_is_followed(void **state)
{
    (void)state;
    give(kit_clocks(2 * SECOND, KIT_REALTIME + 2 * SECOND));
    give(kit_clocks(3 * SECOND, KIT_REALTIME + 3 * SECOND + 1000));
    give(kit_clocks(4 * SECOND, KIT_REALTIME + 4 * SECOND));
    frame(&sent, 2 * SECOND + SECOND / 2 + 500, 1);
    finish();
    assert_int_equal(results.items[0].frame.system_timestamp, 2 * SECOND + SECOND / 2 + 500);
}

static void a_step_of_the_clock_does_no_harm(void **state)
{
    (void)state;
    static const int64_t steps[] = {
        3600 * SECOND,
        37 * SECOND,
        2 * SECOND,
        3 * SECOND / 2,
        SECOND,
        SECOND / 2,
        1000,
        0,
        1000000 * SECOND,
        -3600 * SECOND,
        -37 * SECOND,
        -2 * SECOND,
        -3 * SECOND / 2,
        -SECOND,
        -SECOND / 2,
        -1000,
        -1000000 * SECOND,
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        tear_down(NULL);
        open_with(0, 0);
        run_through_a_step(steps[i]);
    }
}

static void step_back(int64_t time, int64_t by)
{
    give(kit_clocks(time, KIT_REALTIME + time - by));
}

static void a_loss_of_after_a_step_is_told_from_those_of_before(void **state)
{
    (void)state;
    struct kit_message other = sent;
    other.sequenceId++;
    for (int64_t i = 2; i <= 10; i++)
        clocks(i * SECOND);
    ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 5600 * MILLISECOND, KIT_REALTIME + 5700 * MILLISECOND);
    for (int64_t i = 0; i <= 6; i++)
        event(&sent, 5 * SECOND + i * 9 * SECOND / 10, 1 + (uint64_t)i);
    advance(10400 * MILLISECOND);
    /* At 10.5 s the clock is set back by 5 s; these are 10.68 s and 10.8 s, which only the next reading tells. */
    event(&other, 10700 * MILLISECOND, 20);
    ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 5680 * MILLISECOND, KIT_REALTIME + 5800 * MILLISECOND);
    advance(10900 * MILLISECOND);
    for (int64_t i = 11; i <= 14; i++)
        step_back(i * SECOND, 5 * SECOND);
    finish();
    for (uint64_t i = 1; i <= 7; i++)
        expect_event(i, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
    expect_event(20, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_CAPTURE_LOST);
}

static void a_loss_of_after_a_step_is_kept_until_it_is_placed(void **state)
{
    (void)state;
    clocks(10 * SECOND);
    advance(10400 * MILLISECOND);
    event(&sent, 10700 * MILLISECOND, 1);
    ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 5680 * MILLISECOND, KIT_REALTIME + 5800 * MILLISECOND);
    advance(10900 * MILLISECOND);
    for (int64_t i = 11; i <= 14; i++)
        step_back(i * SECOND, 5 * SECOND);
    finish();
    expect_event(1, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_CAPTURE_LOST);
}

static void a_loss_that_is_told_late_still_counts(void **state)
{
    (void)state;
    clocks(20 * SECOND);
    event(&sent, 19500 * MILLISECOND, 1);
    advance(20 * SECOND);
    ptpmon_correlator_capture_lost(correlator, KIT_REALTIME + 19 * SECOND, KIT_REALTIME + 19600 * MILLISECOND);
    finish();
    expect_event(1, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_CAPTURE_LOST);
}

static void the_start_of_the_capture_stays_where_it_was(void **state)
{
    (void)state;
    clocks(2 * SECOND);
    ptpmon_correlator_capture_ran(correlator, KIT_REALTIME + 3 * SECOND, 0);
    clocks(4 * SECOND);
    for (int64_t i = 5; i < 20; i++)
        step_back(i * SECOND, 1000 * SECOND);
    event(&sent, 15 * SECOND, 1);
    advance(15 * SECOND);
    ptpmon_correlator_capture_ran(correlator, KIT_REALTIME + 3 * SECOND, KIT_REALTIME - 982 * SECOND);
    finish();
    expect_event(1, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED);
}

static void a_file_is_placed_by_all_readings(void **state)
{
    (void)state;
    /* An hour of readings with a drift of 100 ppm and a step; then all frames, without a single advance. */
    struct kit_message message = sent;
    for (int64_t i = 2; i < 3600; i++)
        give(kit_clocks(i * SECOND, KIT_REALTIME + i * SECOND + i * 100000 + (i >= 1800 ? 5000 * SECOND : 0)));
    for (int64_t i = 2; i < 3600; i++) {
        message.sequenceId = (uint16_t)i;
        int64_t time = i * SECOND + SECOND / 4;
        event(&message, time, (uint64_t)i);
        frame_at(&message, KIT_REALTIME + time + time / 10000 + (i >= 1800 ? 5000 * SECOND : 0), (uint64_t)i);
    }
    finish();
    assert_int_equal(results.count, 3598);
    for (size_t i = 0; i < results.count; i++) {
        const ptpmon_result *result = &results.items[i];
        int64_t error = (int64_t)(result->frame.system_timestamp - result->event.system_timestamp);
        assert_int_equal(result->reason, PTPMON_BY_KEY);
        assert_true(llabs(error) < 5 * MILLISECOND);
    }
}

static void a_frame_of_long_ago_is_outside(void **state)
{
    (void)state;
    ptpmon_correlator_monitor_ran(correlator, 1, 0);
    frame_at(&sent, 1000, 1);
    frame_at(&received, INT64_MIN, 2);
    frame_at(&received, INT64_MAX, 3);
    give(kit_event(&sent, -1, 0, 4)); /* the greatest time there is */
    finish();
    expect_frame(1, PTPMON_OUTSIDE, PTPMON_BEFORE_MONITOR);
    expect_frame(2, PTPMON_OUTSIDE, PTPMON_BEFORE_MONITOR);
    assert_int_equal(placed(1), 0);
}

/* ---- Input that is none ------------------------------------------------------------------- */

static void counts_frames_by_kind(void **state)
{
    (void)state;
    uint8_t bytes[KIT_FRAME_LENGTH];
    ptpmon_frame captured = kit_frame(&sent, KIT_REALTIME + SECOND, 1, bytes);
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK);
    captured.captured_length = 30;
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK); /* truncated */
    captured.captured_length = 48;
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK); /* the header is there */
    captured.length = 48;
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK); /* bad length */
    captured.length = captured.captured_length = 58;
    bytes[15] = 1;
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK); /* PTP v1 */
    bytes[15] = 3;
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK); /* other version */
    bytes[12] = 0;
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK); /* foreign */
    captured.captured_length = captured.length = 0;
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_OK); /* foreign */
    finish();
    ptpmon_correlation counts;
    ptpmon_correlator_counts(correlator, &counts);
    static const uint64_t expected[6] = {2, 2, 1, 1, 1, 1};
    assert_memory_equal(counts.frames_by_kind, expected, sizeof expected);
    assert_int_equal(counts.frames, 2);
}

static void passes_over_records_that_are_no_events(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT late = kit_event(&sent, 2 * SECOND, 0, 1), unknown = late;
    late.stamp = AVB_STAMP_LATE | AVB_STAMP_METADATA;
    unknown.direction = 200;
    give(late);
    give(unknown);
    finish();
    assert_int_equal(results.count, 0);
}

static void after_finish_nothing_is_taken(void **state)
{
    (void)state;
    event(&sent, SECOND, 1);
    finish();
    uint8_t bytes[KIT_FRAME_LENGTH];
    ptpmon_frame captured = kit_frame(&sent, KIT_REALTIME + SECOND, 1, bytes);
    PTP_TIMESTAMP_EVENT more = kit_event(&sent, SECOND, 0, 2);
    assert_int_equal(ptpmon_correlator_event(correlator, &more), PTPMON_INVALID);
    assert_int_equal(ptpmon_correlator_frame(correlator, &captured), PTPMON_INVALID);
    assert_int_equal(ptpmon_correlator_advance(correlator, 1), PTPMON_INVALID);
    assert_int_equal(ptpmon_correlator_capture_lost(correlator, 1, 2), PTPMON_INVALID);
    finish();
    assert_int_equal(results.count, 1);
}

static void refuses_a_window_that_is_too_long(void **state)
{
    (void)state;
    ptpmon_correlator *other = NULL;
    ptpmon_correlator_options options = {.window_ns = 30 * (uint64_t)SECOND + 1, .max_pending = 0};
    assert_int_equal(ptpmon_correlator_open(&options, &other), PTPMON_INVALID);
    assert_null(other);
    options.window_ns--;
    assert_int_equal(ptpmon_correlator_open(&options, &other), PTPMON_OK);
    ptpmon_correlator_close(other);
    assert_int_equal(ptpmon_correlator_open(NULL, &other), PTPMON_OK);
    ptpmon_correlator_close(other);
    ptpmon_correlator_close(NULL);
}

/* ---- Bounds ------------------------------------------------------------------------------- */

static void decides_early_beyond_max_pending(void **state)
{
    (void)state;
    struct kit_message message = sent;
    open_with(0, 4);
    clocks(SECOND);
    for (uint64_t i = 1; i <= 3; i++) {
        message.sequenceId = (uint16_t)i;
        event(&message, SECOND + 100 * (int64_t)i, i);
        frame(&message, SECOND + 100 * (int64_t)i + 30, i);
        kit_fetch(correlator, &results);
        assert_int_equal(results.count, i < 3 ? 0 : 1);
    }
    assert_true(expect(1, 1, PTPMON_MATCHED, PTPMON_BY_KEY)->decided_early);
    finish();
    assert_false(expect(2, 2, PTPMON_MATCHED, PTPMON_BY_KEY)->decided_early);
    assert_false(expect(3, 3, PTPMON_MATCHED, PTPMON_BY_KEY)->decided_early);
}

static void the_rest_of_an_early_group_is_known(void **state)
{
    (void)state;
    struct kit_message message = sent;
    open_with(0, 2);
    clocks(SECOND);
    event(&sent, SECOND + 100, 1);
    for (uint64_t i = 2; i <= 4; i++) {
        message.sequenceId = (uint16_t)i;
        event(&message, SECOND + 100 * (int64_t)i, i);
        kit_fetch(correlator, &results);
    }
    assert_true(expect(1, 0, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED)->decided_early);
    /* Its frame, and a second message of the key, whose event must not get that frame. */
    frame(&sent, SECOND + 130, 10);
    event(&sent, SECOND + 600, 5);
    finish();
    assert_true(expect(5, 0, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN)->decided_early);
    expect_frame(10, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
}

static void event_of(uint16_t sequenceId, int64_t ms, uint64_t number)
{
    struct kit_message message = sent;
    message.sequenceId = sequenceId;
    event(&message, ms * MILLISECOND, number);
    kit_fetch(correlator, &results);
}

static void the_rest_of_an_early_group_is_known_when_the_next_has_begun(void **state)
{
    (void)state;
    open_with(0, 4);
    clocks(5 * SECOND);
    event_of(100, 2000, 1);
    event_of(1, 2600, 2);
    event_of(2, 3400, 3);
    event_of(3, 3410, 4);
    event_of(100, 3500, 5); /* 1 is decided early */
    assert_true(expect(1, 0, PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED)->decided_early);
    event_of(4, 3550, 6);
    event_of(5, 3560, 7); /* now the next group of the key begins, with 5 */
    frame(&sent, 2900 * MILLISECOND, 10);
    finish();
    /* The frame is within the window of both; it may be 1's as well. */
    assert_true(expect(5, 0, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN)->decided_early);
    expect_frame(10, PTPMON_AMBIGUOUS, PTPMON_ORDER_UNPROVEN);
}

static void what_is_too_old_for_its_group_leaves_it_alone(void **state)
{
    (void)state;
    open_with(0, 4);
    clocks(5 * SECOND);
    event_of(1, 3400, 1);
    event_of(2, 3410, 2);
    event_of(3, 3420, 3);
    event_of(100, 3500, 4);
    frame(&sent, 2300 * MILLISECOND, 20); /* now the group of the key begins, with 4 */
    frame(&sent, 3500 * MILLISECOND + 30, 4);
    finish();
    assert_true(expect(0, 20, PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT)->decided_early);
    expect_pair(4, 4, PTPMON_BY_KEY);
}

static void refuses_more_while_results_wait(void **state)
{
    (void)state;
    struct kit_message message = sent;
    open_with(0, 8);
    clocks(SECOND);
    PTP_TIMESTAMP_EVENT more;
    ptpmon_status status = PTPMON_OK;
    uint64_t taken = 0;
    for (uint64_t i = 1; i < 100 && status == PTPMON_OK; i++) {
        message.sequenceId = (uint16_t)i;
        more = kit_event(&message, SECOND + (int64_t)i, 0, i);
        status = ptpmon_correlator_event(correlator, &more);
        taken += status == PTPMON_OK;
    }
    assert_int_equal(status, PTPMON_INVALID);
    assert_non_null(strstr(ptpmon_error_message(), "ptpmon_correlator_next"));
    assert_true(taken >= 8 && taken <= 24);
    kit_fetch(correlator, &results);
    assert_int_equal(ptpmon_correlator_event(correlator, &more), PTPMON_OK);
    finish();
    assert_int_equal(results.count, taken + 1);
}

/* Events without frames and without a single advance: memory stays within what max_pending allows. */
static void memory_is_bounded(void **state)
{
    (void)state;
    enum { MAX = 1000 };
    struct kit_message message = received;
    open_with(0, MAX);
    clocks(SECOND);
    size_t most = 0, blocks_before = live_blocks(), before = live_bytes();
    for (uint64_t i = 0; i < 100 * MAX; i++) {
        message.sequenceId = (uint16_t)i;
        message.portNumber = (uint16_t)(i >> 16);
        event(&message, SECOND + (int64_t)i, i + 1);
        if (i % 3 == 0)
            frame(&message, SECOND + (int64_t)i, i + 1);
        most = live_bytes() - before > most ? live_bytes() - before : most;
        if (i % 100 == 0) {
            ptpmon_result result;
            while (ptpmon_correlator_next(correlator, &result) == PTPMON_OK) {
            }
        }
    }
    /* Items not decided and in results, groups and remainders, and as much again for what containers have to spare. */
    assert_true(most <= (3 * MAX * sizeof(struct ptpmon_item) + 2 * MAX * 192) * 3 / 2);
    ptpmon_correlator_close(correlator);
    correlator = NULL;
    assert_true(live_blocks() <= blocks_before);
}

/* ---- Want of memory ----------------------------------------------------------------------- */

#define ITEMS 160

/* At least: blocks of items and of groups are taken by the dozen. */
#define ALLOCATIONS 6

static size_t count_failures(ptpmon_status status, size_t failed_before)
{
    if (status == PTPMON_OK)
        return 0;
    assert_int_equal(status, PTPMON_NO_MEMORY);
    assert_non_null(strstr(ptpmon_error_message(), "memory"));
    assert_true(failed_allocations() > failed_before);
    return 1;
}

/* What each call gets if it fails is another try. */
static void run_with_failures(size_t successes, uint32_t max_pending)
{
    ptpmon_correlator_options options = {.window_ns = 0, .max_pending = max_pending};
    uint8_t bytes[KIT_FRAME_LENGTH];
    struct kit_message message = sent;
    size_t failed;
    fail_allocations_after(successes, 2);
    do
        failed = failed_allocations();
    while (count_failures(ptpmon_correlator_open(&options, &correlator), failed));
    clocks(SECOND);
    for (uint64_t i = 1; i <= ITEMS; i++) {
        int64_t time = SECOND + (int64_t)i * 100 * MILLISECOND;
        message.sequenceId = (uint16_t)(i / 2);
        PTP_TIMESTAMP_EVENT taken = kit_event(&message, time, 0, i);
        ptpmon_frame captured = kit_frame(&message, KIT_REALTIME + time, i, bytes);
        do
            failed = failed_allocations();
        while (count_failures(ptpmon_correlator_event(correlator, &taken), failed));
        do
            failed = failed_allocations();
        while (count_failures(ptpmon_correlator_frame(correlator, &captured), failed));
        if (i % 10 == 0)
            clocks(time);
        do
            failed = failed_allocations();
        while (count_failures(ptpmon_correlator_advance(correlator, (uint64_t)time), failed));
    }
    do
        failed = failed_allocations();
    while (count_failures(ptpmon_correlator_finish(correlator), failed));
}

static void any_allocation_may_fail_with(uint32_t max_pending)
{
    struct kit_results undisturbed = {0};
    tear_down(NULL);
    size_t blocks = live_blocks();
    run_with_failures(SIZE_MAX, max_pending);
    kit_fetch(correlator, &undisturbed);
    kit_assert_counts(correlator, &undisturbed);
    assert_true(undisturbed.count >= ITEMS);
    tear_down(NULL);

    size_t successes = 0, failures;
    do {
        run_with_failures(successes++, max_pending);
        failures = failed_allocations();
        fail_no_allocation();
        kit_fetch(correlator, &results);
        kit_assert_counts(correlator, &results);
        if (max_pending == 0) { /* early decisions depend on when there is room */
            assert_int_equal(results.count, undisturbed.count);
            assert_memory_equal(results.items, undisturbed.items, results.count * sizeof *results.items);
        }
        tear_down(NULL);
    } while (failures > 0);
    assert_true(successes > ALLOCATIONS);
    kit_free(&undisturbed);
    assert_int_equal(live_blocks(), blocks);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    any_allocation_may_fail_with(0);
}

static void any_allocation_may_fail_when_full(void **state)
{
    (void)state;
    any_allocation_may_fail_with(ITEMS * 2 - 7);
}

/* Without memory for ever, it can still be closed. */
static void closes_without_memory(void **state)
{
    (void)state;
    struct kit_message message = sent;
    tear_down(NULL);
    size_t blocks = live_blocks();
    for (size_t successes = 2; successes < 60; successes++) {
        fail_no_allocation();
        open_with(0, 0);
        clocks(SECOND);
        fail_allocations_after(successes, SIZE_MAX);
        for (uint64_t i = 1; i < 20; i++) {
            message.sequenceId = (uint16_t)i;
            PTP_TIMESTAMP_EVENT taken = kit_event(&message, SECOND + (int64_t)i, 0, i);
            ptpmon_correlator_event(correlator, &taken);
        }
        ptpmon_correlator_finish(correlator);
        ptpmon_correlator_close(correlator);
        correlator = NULL;
        fail_no_allocation();
        assert_int_equal(live_blocks(), blocks);
    }
}

/* ---- Floods: each takes a second where an item costs O(log n), minutes where it does not -- */

#define FLOOD 100000u

static void bears_many_of_one_key(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < FLOOD / 2; i++) {
        int64_t time = 2 * SECOND + i * 100 * MICROSECOND;
        stamped(&received, time, time - 10, 1 + i);
        frame(&received, time - 10, 1 + i);
        event(&sent, time, FLOOD + 1 + i);
        frame(&sent, time + 10, FLOOD + 1 + i);
        if (i % 100 == 0) {
            clocks(time);
            advance(time - 20 * MILLISECOND);
            assert_int_equal(results.count, 0);
        }
    }
    finish();
    assert_int_equal(results.count, FLOOD);
    for (size_t i = 0; i < results.count; i++)
        assert_int_equal(results.items[i].event.sequence, results.items[i].frame_number);
}

static void bears_many_keys(void **state)
{
    (void)state;
    struct kit_message message = sent;
    for (uint32_t i = 0; i < FLOOD; i++) {
        message.sequenceId = (uint16_t)i;
        message.portNumber = (uint16_t)(i >> 16);
        event(&message, 2 * SECOND + i, 1 + i);
    }
    for (uint32_t i = FLOOD; i-- > 0;) {
        message.sequenceId = (uint16_t)i;
        message.portNumber = (uint16_t)(i >> 16);
        frame(&message, 2 * SECOND + 30 + i, 1 + i);
    }
    finish();
    assert_int_equal(results.count, FLOOD);
    assert_int_equal(results.items[FLOOD / 2].reason, PTPMON_BY_KEY);
}

static void bears_a_steady_stream(void **state)
{
    (void)state;
    struct kit_message message = sent;
    for (uint32_t i = 0; i < FLOOD; i++) {
        int64_t time = 2 * SECOND + i * MILLISECOND;
        message.sequenceId = (uint16_t)i;
        event(&message, time, 1 + i);
        frame(&message, time + 30 * MICROSECOND, 1 + i);
        if (i % 1000 == 0)
            clocks(time);
        if (i % 10 == 0)
            advance(time - 200 * MILLISECOND);
    }
    finish();
    assert_int_equal(results.count, FLOOD);
    for (size_t i = 0; i < results.count; i++)
        assert_true(results.items[i].outcome == PTPMON_MATCHED && !results.items[i].decided_early);
}

static void bears_promises_that_are_broken(void **state)
{
    (void)state;
    struct kit_message message = sent;
    clocks(1000 * SECOND);
    for (uint32_t i = 0; i < FLOOD; i++) {
        message.sequenceId = (uint16_t)(i % 2 ? i : 0);
        event(&message, 900 * SECOND - i * MICROSECOND, 1 + i);
        frame(&message, 900 * SECOND - i * MICROSECOND, 1 + i);
        if (i % 100 == 0) {
            clocks(1000 * SECOND + i * MILLISECOND);
            advance(i % 200 ? 900 * SECOND : 0);
        }
    }
    finish();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(pairs_by_key),
        TEST(pairs_by_software_time),
        TEST(software_time_is_for_received_events_only),
        TEST(a_capture_in_us_holds_software_times),
        TEST(ns_are_equal_or_not),
        TEST(rounding_keeps_the_order),
        TEST(rounding_hides_whose_frame_is_missing),
        TEST(each_frame_has_its_own_resolution),
        TEST(rounded_times_prove_nothing_beside_an_event_without_stamp),
        TEST(rounded_times_of_several_are_no_proof_where_something_was_lost),
        TEST(pairs_by_order),
        TEST(equal_times_pair_in_order_of_arrival),
        TEST(pairs_the_rest_of_rule_1_by_order),
        TEST(a_stamp_that_is_no_frames_time_refuses_order),
        TEST(unequal_numbers_are_ambiguous),
        TEST(every_field_of_the_key_counts),
        TEST(cross_checks_what_is_no_part_of_the_key),
        TEST(unknown_direction_pairs_with_either),
        TEST(unknown_direction_makes_one_pool_of_both),
        TEST(software_time_sorts_out_an_unknown_direction),
        TEST(a_known_direction_stays_known_among_unknown),
        TEST(the_window_chains),
        TEST(a_wrap_or_restart_is_another_group),
        TEST(advance_decides_what_has_passed),
        TEST(a_long_chain_holds_up_nobody),
        TEST(a_sender_stuck_on_one_sequenceId_is_seen_while_it_sends),
        TEST(advance_does_without_clocks_in_the_end),
        TEST(what_comes_too_late_is_marked),
        TEST(what_comes_late_still_finds_its_open_group),
        TEST(explains_a_lost_event),
        TEST(lost_stamps_are_no_lost_events),
        TEST(explains_a_lost_frame),
        TEST(a_loss_refuses_order),
        TEST(a_loss_spares_software_times_and_single_pairs),
        TEST(a_loss_explains_better_than_a_duplicate),
        TEST(tells_what_is_outside),
        TEST(open_ends_have_no_outside),
        TEST(the_start_of_a_side_refuses_order),
        TEST(bears_many_losses),
        TEST(forgets_losses_that_are_over),
        TEST(needs_clocks_before_frames),
        TEST(follows_the_nearest_reading),
        TEST(of_two_readings_as_near_the_first_is_followed),
        TEST(a_step_of_the_clock_does_no_harm),
        TEST(a_loss_that_is_told_late_still_counts),
        TEST(the_start_of_the_capture_stays_where_it_was),
        TEST(a_loss_of_after_a_step_is_kept_until_it_is_placed),
        TEST(a_loss_of_after_a_step_is_told_from_those_of_before),
        TEST(a_file_is_placed_by_all_readings),
        TEST(a_frame_of_long_ago_is_outside),
        TEST(counts_frames_by_kind),
        TEST(passes_over_records_that_are_no_events),
        TEST(after_finish_nothing_is_taken),
        TEST(refuses_a_window_that_is_too_long),
        TEST(decides_early_beyond_max_pending),
        TEST(the_rest_of_an_early_group_is_known),
        TEST(what_is_too_old_for_its_group_leaves_it_alone),
        TEST(the_rest_of_an_early_group_is_known_when_the_next_has_begun),
        TEST(refuses_more_while_results_wait),
        TEST(memory_is_bounded),
        TEST(any_allocation_may_fail),
        TEST(any_allocation_may_fail_when_full),
        TEST(closes_without_memory),
        TEST(bears_many_of_one_key),
        TEST(bears_many_keys),
        TEST(bears_a_steady_stream),
        TEST(bears_promises_that_are_broken),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
