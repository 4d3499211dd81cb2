/* SPDX-License-Identifier: MIT */
/* Observations counted: each where it belongs, and nowhere else. */
#include "tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct tally));
    return *state == NULL;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static ptpmon_observation observe(ptpmon_outcome outcome, ptpmon_reason reason, bool has_event, bool has_frame)
{
    ptpmon_observation observation = {.compared = true};
    observation.result.outcome = outcome;
    observation.result.reason = reason;
    observation.result.has_event = has_event;
    observation.result.has_frame = has_frame;
    observation.result.event.direction = AVB_DIRECTION_TX;
    observation.result.frame.direction = AVB_DIRECTION_RX;
    observation.result.event.messageType = AVB_PTP_FOLLOW_UP;
    observation.result.frame.messageType = AVB_PTP_ANNOUNCE;
    return observation;
}

/* n + 1 of the n-th kind. */
static void test_outcomes_and_reasons(void **state)
{
    struct tally *tally = *state;
    static const struct {
        ptpmon_outcome outcome;
        ptpmon_reason reason;
        bool has_event, has_frame;
    } kinds[] = {
        {PTPMON_MATCHED, PTPMON_BY_SOFTWARE_TIME, true, true},
        {PTPMON_MATCHED, PTPMON_BY_ORDER, true, true},
        {PTPMON_EVENT_WITHOUT_FRAME, PTPMON_NOT_CAPTURED, true, false},
        {PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT, false, true},
        {PTPMON_DUPLICATE, PTPMON_SAME_KEY_MATCHED, true, false},
        {PTPMON_DUPLICATE, PTPMON_SAME_KEY_MATCHED, false, true},
        {PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER, true, false},
        {PTPMON_AMBIGUOUS, PTPMON_COUNTS_DIFFER, false, true},
        {PTPMON_OUTSIDE, PTPMON_BEFORE_CAPTURE, true, false},
        {PTPMON_OUTSIDE, PTPMON_AFTER_MONITOR, false, true},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ptpmon_observation observation =
            observe(kinds[i].outcome, kinds[i].reason, kinds[i].has_event, kinds[i].has_frame);
        for (size_t n = 0; n <= i; n++)
            tally_add(tally, &observation);
    }
    assert_int_equal(tally->observations, 55);
    assert_int_equal(tally->events, 1 + 2 + 3 + 5 + 7 + 9);
    assert_int_equal(tally->frames, 1 + 2 + 4 + 6 + 8 + 10);
    assert_int_equal(tally_matched(tally), 3);
    assert_int_equal(tally_unmatched_events(tally), 3);
    assert_int_equal(tally_unmatched_frames(tally), 4);
    assert_int_equal(tally->events_by_outcome[PTPMON_DUPLICATE], 5);
    assert_int_equal(tally->frames_by_outcome[PTPMON_DUPLICATE], 6);
    assert_int_equal(tally_both(tally, PTPMON_DUPLICATE), 11);
    assert_int_equal(tally_both(tally, PTPMON_AMBIGUOUS), 7 + 8);
    assert_int_equal(tally_both(tally, PTPMON_OUTSIDE), 9 + 10);
    static const uint64_t reasons[PTPMON_REASONS] = {
        [PTPMON_BY_SOFTWARE_TIME] = 1, [PTPMON_BY_ORDER] = 2,          [PTPMON_NOT_CAPTURED] = 3,
        [PTPMON_NO_EVENT] = 4,         [PTPMON_SAME_KEY_MATCHED] = 11, [PTPMON_COUNTS_DIFFER] = 15,
        [PTPMON_BEFORE_CAPTURE] = 9,   [PTPMON_AFTER_MONITOR] = 10,
    };
    assert_memory_equal(tally->by_reason, reasons, sizeof reasons);
    uint64_t sums[2] = {0, 0};
    for (int i = 0; i < PTPMON_OUTCOMES; i++) {
        sums[0] += tally->events_by_outcome[i];
        sums[1] += tally->frames_by_outcome[i];
    }
    assert_int_equal(sums[0], tally->events);
    assert_int_equal(sums[1], tally->frames);
    /* The event names the message where there is one. */
    assert_int_equal(tally->tx_by_type[AVB_PTP_FOLLOW_UP], tally->events);
    assert_int_equal(tally->rx_by_type[AVB_PTP_ANNOUNCE], 55 - tally->events);
}

static void test_what_is_not_compared_has_no_outcome(void **state)
{
    struct tally *tally = *state;
    ptpmon_observation observation = observe(PTPMON_MATCHED, PTPMON_BY_KEY, true, false);
    observation.compared = false;
    observation.result.cross_check = PTPMON_PCP_DIFFERS;
    tally_add(tally, &observation);
    assert_int_equal(tally->events, 1);
    assert_int_equal(tally->observations, 1);
    assert_int_equal(tally->tx_by_type[AVB_PTP_FOLLOW_UP], 1);
    assert_int_equal(tally_matched(tally), 0);
    assert_int_equal(tally->by_reason[PTPMON_BY_KEY], 0);
    assert_int_equal(tally->pcp_differs, 0);
}

static void test_differences_are_counted_apart(void **state)
{
    struct tally *tally = *state;
    ptpmon_observation observation = observe(PTPMON_MATCHED, PTPMON_BY_KEY, true, true);
    for (unsigned check = 0; check < 8; check++) {
        observation.result.cross_check = check;
        for (unsigned n = 0; n < 1u << check; n++)
            tally_add(tally, &observation);
    }
    assert_int_equal(tally->source_mac_differs, 2 + 8 + 32 + 128);
    assert_int_equal(tally->vlan_differs, 4 + 8 + 64 + 128);
    assert_int_equal(tally->pcp_differs, 16 + 32 + 64 + 128);
}

static void test_directions_and_types(void **state)
{
    struct tally *tally = *state;
    for (unsigned type = 0; type < 16; type++) {
        ptpmon_observation observation = observe(PTPMON_FRAME_WITHOUT_EVENT, PTPMON_NO_EVENT, false, true);
        observation.result.frame.messageType = (UINT8)type;
        for (unsigned n = 0; n <= type; n++)
            tally_add(tally, &observation);
        observation.result.frame.direction = AVB_DIRECTION_TX;
        tally_add(tally, &observation);
        observation.result.frame.direction = AVB_DIRECTION_UNKNOWN;
        tally_add(tally, &observation);
    }
    for (unsigned type = 0; type < 16; type++) {
        assert_int_equal(tally->rx_by_type[type], type + 1);
        assert_int_equal(tally->tx_by_type[type], 1);
    }
}

static void test_stamps_and_latencies(void **state)
{
    struct tally *tally = *state;
    ptpmon_observation observation = observe(PTPMON_MATCHED, PTPMON_BY_KEY, true, true);
    observation.result.event.stamp = AVB_STAMP_EXPECTED | AVB_STAMP_MISSING;
    observation.latencies[PTPMON_TX_SOFTWARE] = (ptpmon_latency){true, 500, 10};
    observation.latencies[PTPMON_TX_HARDWARE] = (ptpmon_latency){true, -200, 10};
    observation.latencies[PTPMON_RX_DRIVER].ns = 9; /* not known */
    tally_add(tally, &observation);
    observation.result.event.stamp = AVB_STAMP_EXPECTED;
    observation.latencies[PTPMON_TX_SOFTWARE].ns = 700;
    tally_add(tally, &observation);
    assert_int_equal(tally->stamps_missing, 1);
    ptpmon_observation received = observe(PTPMON_MATCHED, PTPMON_BY_KEY, true, true);
    received.latencies[PTPMON_RX_DRIVER] = (ptpmon_latency){true, 3, 1};
    received.latencies[PTPMON_NIC_TO_HOST] = (ptpmon_latency){true, 4, 1};
    tally_add(tally, &received);
    assert_int_equal(tally->stamps_missing, 1);
    assert_int_equal(tally->latencies[PTPMON_TX_SOFTWARE].count, 2);
    assert_int_equal(tally->latencies[PTPMON_TX_SOFTWARE].minimum, 500);
    assert_int_equal(tally->latencies[PTPMON_TX_SOFTWARE].maximum, 700);
    assert_int_equal(tally->latencies[PTPMON_TX_HARDWARE].count, 2);
    assert_int_equal(tally->latencies[PTPMON_TX_HARDWARE].maximum, -200);
    assert_int_equal(tally->latencies[PTPMON_RX_DRIVER].count, 1);
    assert_int_equal(tally->latencies[PTPMON_RX_DRIVER].maximum, 3);
    assert_int_equal(tally->latencies[PTPMON_NIC_TO_HOST].count, 1);
    assert_int_equal(tally->latencies[PTPMON_NIC_TO_HOST].maximum, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_outcomes_and_reasons, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_compared_has_no_outcome, setup, teardown),
        cmocka_unit_test_setup_teardown(test_differences_are_counted_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directions_and_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stamps_and_latencies, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
