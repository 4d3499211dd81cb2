/* SPDX-License-Identifier: MIT */
/* Exchanges of observations: kinds of stamps, steps of clocks, stamps that are none, several points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange_kit.h"

#define SECOND              KIT_SECOND
#define MILLISECOND         KIT_MILLISECOND
#define MASTER              1
#define SLAVE               2
#define UTC                 (1800000000 * SECOND) /* at event time 0 */
#define PHC                 (1000000 * SECOND)    /* the NIC's clock then */
#define HARDWARE_IS_EARLIER 3000                  /* than the driver side's event */
#define SOFTWARE_IS_EARLIER 1000

static ptpmon_analyzer *analyzer;
static struct kit_decided decided;
static uint32_t points;
static int64_t phc; /* NIC's clock - event time, now */
static unsigned missing;

enum { NO_HARDWARE = 1, NO_SOFTWARE = 2, NO_CAPTURE = 4, NO_EVENT = 8 };

static void open_points(const ptpmon_analyzer_options *options, uint32_t count)
{
    uint32_t point;
    ptpmon_analyzer_close(analyzer);
    kit_free_decided(&decided);
    phc = PHC;
    missing = 0;
    points = count;
    assert_int_equal(ptpmon_analyzer_open(options, &analyzer), PTPMON_OK);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(ptpmon_analyzer_add_point(analyzer, "eth", &point), PTPMON_OK);
}

static int set_up(void **state)
{
    (void)state;
    open_points(NULL, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ptpmon_analyzer_close(analyzer);
    analyzer = NULL;
    kit_free_decided(&decided);
    return 0;
}

static void finish(void)
{
    kit_finish(analyzer, &decided);
    kit_assert_tallies(analyzer, points, &decided);
}

static uint64_t tally(ptpmon_count count)
{
    ptpmon_analysis_counts counts;
    assert_int_equal(ptpmon_analyzer_counts(analyzer, 0, &counts), PTPMON_OK);
    return counts.counts[count];
}

static const ptpmon_exchange *only(ptpmon_exchange_kind kind)
{
    const ptpmon_exchange *found = NULL;
    for (size_t i = 0; i < decided.count; i++) {
        if (decided.exchanges[i].kind != kind)
            continue;
        assert_null(found);
        found = &decided.exchanges[i];
    }
    assert_non_null(found);
    return found;
}

static void clocks(int64_t event)
{
    for (uint32_t point = 0; point < points; point++)
        kit_read_clocks(analyzer, point, event, event + phc, event + UTC, &decided);
}

/* Each kind of stamp is of its own time, so that a mixture would show. */
static struct kit_times times_at(int64_t event, uint8_t direction)
{
    int64_t sign = direction == AVB_DIRECTION_TX ? 1 : -1; /* stamps of what was sent are later */
    struct kit_times times = {
        .event = event,
        .hardware = event + sign * HARDWARE_IS_EARLIER + phc,
        .software = event + sign * SOFTWARE_IS_EARLIER + UTC,
        .capture = event + sign * 10 + UTC,
    };
    if (missing & NO_HARDWARE)
        times.hardware = 0;
    if (missing & NO_SOFTWARE)
        times.software = 0;
    if (missing & NO_CAPTURE)
        times.capture = 0;
    if (missing & NO_EVENT)
        times.event = 0;
    return times;
}

static void observe_at(uint32_t point, struct kit_ptp ptp, int64_t event)
{
    struct kit_times times = times_at(event, ptp.direction);
    ptpmon_observation observation = kit_observation(&ptp, &times);
    if (missing & NO_EVENT)
        observation.result.frame.system_timestamp = (UINT64)event;
    kit_observe(analyzer, point, &observation, &decided);
}

static void observe(struct kit_ptp ptp, int64_t event)
{
    observe_at(0, ptp, event);
}

static struct kit_ptp sync_of(uint16_t sequenceId, int64_t origin)
{
    return (struct kit_ptp){.messageType = AVB_PTP_SYNC,
                            .direction = AVB_DIRECTION_RX,
                            .source = MASTER,
                            .sequenceId = sequenceId,
                            .timestamp = origin};
}

static struct kit_ptp pdelay_of(uint8_t messageType, uint16_t sequenceId, int64_t timestamp)
{
    bool asks = messageType == AVB_PTP_PDELAY_REQ;
    return (struct kit_ptp){.messageType = messageType,
                            .direction = asks ? AVB_DIRECTION_TX : AVB_DIRECTION_RX,
                            .source = asks ? SLAVE : MASTER,
                            .requesting = SLAVE,
                            .sequenceId = sequenceId,
                            .two_step = messageType == AVB_PTP_PDELAY_RESP,
                            .timestamp = timestamp};
}

/* By events 20 us away from its begin: by hardware 14 us, by software 18 us. The turnaround is 10 us. */
static void observe_pdelay(uint16_t sequenceId, int64_t event)
{
    observe(pdelay_of(AVB_PTP_PDELAY_REQ, sequenceId, 0), event);
    observe(pdelay_of(AVB_PTP_PDELAY_RESP, sequenceId, event + UTC), event + 20000);
    observe(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, sequenceId, event + UTC + 10000), event + 30000);
}

#define HARDWARE_DELAY 2000
#define SOFTWARE_DELAY 4000
#define CAPTURE_DELAY  4990

/* ---- Kinds of stamps ---------------------------------------------------------------------- */

static void assert_pdelay(unsigned without, ptpmon_stamp_kind allowed, ptpmon_stamp_kind kind, int64_t delay)
{
    open_points(&(ptpmon_analyzer_options){.stamps = allowed}, 1);
    missing = without;
    for (int64_t i = 1; i < 4; i++)
        clocks(i * SECOND);
    observe_pdelay(1, 2 * SECOND + MILLISECOND);
    finish();
    const ptpmon_exchange *p2p = only(PTPMON_EXCHANGE_P2P);
    assert_int_equal(p2p->reason, kind == PTPMON_STAMP_NONE ? PTPMON_WITHOUT_STAMP : PTPMON_COMPUTED);
    assert_int_equal(p2p->t[0].kind, kind);
    assert_int_equal(p2p->t[3].kind, kind);
    if (kind != PTPMON_STAMP_NONE)
        assert_int_equal(p2p->delay.ns, delay);
    else
        assert_false(p2p->known & PTPMON_KNOWS_DELAY);
    assert_true(p2p->known & PTPMON_KNOWS_TURNAROUND);
}

static void the_best_kind_of_stamps_is_taken(void **state)
{
    (void)state;
    assert_pdelay(0, PTPMON_STAMP_NONE, PTPMON_STAMP_HARDWARE, HARDWARE_DELAY);
    assert_pdelay(NO_HARDWARE, PTPMON_STAMP_NONE, PTPMON_STAMP_SOFTWARE, SOFTWARE_DELAY);
    assert_pdelay(NO_HARDWARE | NO_SOFTWARE, PTPMON_STAMP_NONE, PTPMON_STAMP_CAPTURE, CAPTURE_DELAY);
    assert_pdelay(0, PTPMON_STAMP_SOFTWARE, PTPMON_STAMP_SOFTWARE, SOFTWARE_DELAY);
    assert_pdelay(0, PTPMON_STAMP_CAPTURE, PTPMON_STAMP_CAPTURE, CAPTURE_DELAY);
    assert_pdelay(NO_HARDWARE, PTPMON_STAMP_HARDWARE, PTPMON_STAMP_NONE, 0);
    assert_pdelay(NO_EVENT, PTPMON_STAMP_NONE, PTPMON_STAMP_CAPTURE, CAPTURE_DELAY);
}

/* One of the two has no hardware stamp: then both times are of software. */
static void kinds_are_not_mixed(void **state)
{
    (void)state;
    for (int64_t i = 1; i < 4; i++)
        clocks(i * SECOND);
    observe(pdelay_of(AVB_PTP_PDELAY_REQ, 1, 0), 2 * SECOND);
    missing = NO_HARDWARE;
    observe(pdelay_of(AVB_PTP_PDELAY_RESP, 1, UTC), 2 * SECOND + 20000);
    observe(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 1, UTC + 10000), 2 * SECOND + 30000);
    finish();
    assert_int_equal(only(PTPMON_EXCHANGE_P2P)->t[0].kind, PTPMON_STAMP_SOFTWARE);
    assert_int_equal(only(PTPMON_EXCHANGE_P2P)->delay.ns, SOFTWARE_DELAY);
}

/* Each kind has a delay of its own: a Sync is not computed with one of another kind. */
static void a_delay_of_another_kind_is_none(void **state)
{
    (void)state;
    for (int64_t i = 1; i < 5; i++)
        clocks(i * SECOND);
    observe_pdelay(1, 2 * SECOND);
    missing = NO_HARDWARE;
    observe(sync_of(1, 3 * SECOND + UTC), 3 * SECOND);
    finish();
    assert_int_equal(only(PTPMON_EXCHANGE_SYNC)->reason, PTPMON_WITHOUT_DELAY);
    assert_int_equal(only(PTPMON_EXCHANGE_SYNC)->masterToSlave.ns, -SOFTWARE_IS_EARLIER);
}

/* Without a capture nothing is known of the content, but which messages belong together. */
static void events_alone_give_times_and_no_numbers(void **state)
{
    (void)state;
    missing = NO_CAPTURE;
    for (int64_t i = 1; i < 4; i++)
        clocks(i * SECOND);
    observe_pdelay(1, 2 * SECOND);
    observe(sync_of(1, 0), 2 * SECOND + MILLISECOND);
    finish();
    const ptpmon_exchange *p2p = only(PTPMON_EXCHANGE_P2P);
    assert_int_equal(p2p->reason, PTPMON_WITHOUT_FRAME);
    assert_int_equal(p2p->known, 0);
    assert_int_equal(p2p->t[3].ns - p2p->t[0].ns, 14000);
    assert_int_equal(only(PTPMON_EXCHANGE_SYNC)->reason, PTPMON_WITHOUT_FRAME);
    assert_int_equal(tally(PTPMON_COUNT_WITHOUT_PDELAY_RESP), 0);
}

/* The observer found no pair: the event's stamp and the frame's content are not put together. */
static void ambiguous_messages_are_not_joined(void **state)
{
    (void)state;
    for (int64_t i = 1; i < 4; i++)
        clocks(i * SECOND);
    for (unsigned half = 0; half < 2; half++) {
        missing = half ? NO_EVENT : NO_CAPTURE;
        struct kit_ptp sync = sync_of(1, 2 * SECOND + UTC);
        struct kit_times times = times_at(2 * SECOND, sync.direction);
        ptpmon_observation observation = kit_observation(&sync, &times);
        observation.compared = true;
        observation.result.outcome = PTPMON_AMBIGUOUS;
        observation.result.frame.system_timestamp = (UINT64)(2 * SECOND);
        kit_observe(analyzer, 0, &observation, &decided);
    }
    finish();
    assert_int_equal(tally(PTPMON_COUNT_AMBIGUOUS), 2);
    const ptpmon_exchange *sync = only(PTPMON_EXCHANGE_SYNC);
    assert_true(sync->t[1].kind == PTPMON_STAMP_HARDWARE ? !(sync->known & PTPMON_KNOWS_MASTER_TO_SLAVE)
                                                         : sync->t[1].kind == PTPMON_STAMP_CAPTURE);
}

static void what_the_observer_says_is_counted(void **state)
{
    static const struct {
        ptpmon_outcome outcome;
        unsigned without;
        ptpmon_count count;
    } cases[] = {
        {PTPMON_EVENT_WITHOUT_FRAME, NO_CAPTURE, PTPMON_COUNT_WITHOUT_FRAME},
        {PTPMON_FRAME_WITHOUT_EVENT, NO_EVENT, PTPMON_COUNT_WITHOUT_EVENT},
        {PTPMON_DUPLICATE, NO_EVENT, PTPMON_COUNT_DUPLICATES},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_points(NULL, 1);
        missing = cases[i].without;
        struct kit_ptp sync = sync_of(1, UTC);
        struct kit_times times = times_at(SECOND, sync.direction);
        ptpmon_observation observation = kit_observation(&sync, &times);
        observation.compared = true;
        observation.result.outcome = cases[i].outcome;
        observation.result.frame.system_timestamp = (UINT64)SECOND;
        kit_observe(analyzer, 0, &observation, &decided);
        finish();
        assert_int_equal(tally(cases[i].count), 1);
        assert_int_equal(decided.count, cases[i].outcome != PTPMON_DUPLICATE);
    }
}

/* ---- Stamps that are none ----------------------------------------------------------------- */

/* A latch that is stuck gives the stamp of an earlier message, whichever way that went. The stack's own stamp does not
 * stand in for it: among those of the NIC it would look like a leap of 37 s. */
static void a_repeated_stamp_is_none(void **state)
{
    (void)state;
    for (int64_t i = 1; i < 5; i++)
        clocks(i * SECOND);
    for (uint16_t i = 0; i < 4; i++) {
        struct kit_ptp sync = sync_of(i, (2 * SECOND + UTC) + i * 100 * MILLISECOND);
        sync.direction = i % 2;
        struct kit_times times = times_at(2 * SECOND + i * 100 * MILLISECOND, sync.direction);
        if (i == 2)
            times.hardware = 2 * SECOND + 100 * MILLISECOND + phc + HARDWARE_IS_EARLIER; /* that of the one before */
        ptpmon_observation observation = kit_observation(&sync, &times);
        kit_observe(analyzer, 0, &observation, &decided);
    }
    finish();
    assert_int_equal(tally(PTPMON_COUNT_STAMP_REPEATED), 1);
    for (size_t i = 0; i < 4; i++) {
        const ptpmon_exchange *sync = &decided.exchanges[i];
        ptpmon_stamp_kind kind = sync->end == PTPMON_END_RESPONDER ? sync->own[0].kind : sync->t[1].kind;
        assert_int_equal(kind, i == 2 ? PTPMON_STAMP_NONE : PTPMON_STAMP_HARDWARE);
        assert_int_equal(sync->reason == PTPMON_WITHOUT_STAMP, i == 2);
    }
}

static void a_stamp_that_never_came(void **state)
{
    (void)state;
    missing = NO_HARDWARE;
    struct kit_ptp request = pdelay_of(AVB_PTP_PDELAY_REQ, 1, 0);
    struct kit_times times = times_at(SECOND, request.direction);
    ptpmon_observation observation = kit_observation(&request, &times);
    observation.result.event.stamp = AVB_STAMP_EXPECTED | AVB_STAMP_MISSING;
    kit_observe(analyzer, 0, &observation, &decided);
    finish();
    assert_int_equal(tally(PTPMON_COUNT_STAMP_MISSING), 1);
    assert_int_equal(only(PTPMON_EXCHANGE_P2P)->t[0].kind, PTPMON_STAMP_SOFTWARE);
}

/* What the driver did not mark as a stamp, or is 0, or lies beyond all times. */
static void stamps_that_cannot_be(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        open_points(NULL, 1);
        struct kit_ptp sync = sync_of(1, UTC);
        struct kit_times times = times_at(SECOND, sync.direction);
        ptpmon_observation observation = kit_observation(&sync, &times);
        PTP_TIMESTAMP_EVENT *event = &observation.result.event;
        if (i == 0)
            event->stamp = AVB_STAMP_NONE;
        event->hw_timestamp_ns = i == 0 ? event->hw_timestamp_ns : i == 1 ? 0 : UINT64_MAX;
        kit_observe(analyzer, 0, &observation, &decided);
        finish();
        assert_int_equal(only(PTPMON_EXCHANGE_SYNC)->t[1].kind, PTPMON_STAMP_SOFTWARE);
        assert_int_equal(tally(PTPMON_COUNT_TIMESTAMP_OUT_OF_RANGE), i == 2);
    }
}

/* ---- Steps -------------------------------------------------------------------------------- */

/* The NIC's clock is set by a second between request and answer: no number, and the next are right again, in a new
 * segment. What was set back did not run backwards. */
static void check_step(int64_t step)
{
    uint16_t sequenceId = 0;
    for (int64_t i = 1; i <= 20; i++) {
        clocks(i * SECOND);
        int64_t event = i * SECOND + SECOND / 2;
        observe(pdelay_of(AVB_PTP_PDELAY_REQ, sequenceId, 0), event);
        if (i == 10)
            phc += step;
        observe(pdelay_of(AVB_PTP_PDELAY_RESP, sequenceId, event + UTC), event + 20000);
        observe(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, sequenceId, event + UTC + 10000), event + 30000);
        sequenceId++;
    }
    clocks(21 * SECOND);
    finish();
    assert_int_equal(decided.count, 20);
    for (size_t i = 0; i < 20; i++) {
        const ptpmon_exchange *p2p = &decided.exchanges[i];
        assert_int_equal(p2p->reason, i == 9 ? PTPMON_CLOCK_STEPPED : PTPMON_COMPUTED);
        if (i != 9)
            assert_int_equal(p2p->delay.ns, HARDWARE_DELAY);
        assert_int_equal(p2p->segment, i > 9 ? 1 : 0);
    }
    assert_int_equal(decided.finding_count, 1);
    assert_int_equal(decided.findings[0].kind, PTPMON_FOUND_CLOCK_STEP);
    assert_int_equal(tally(PTPMON_COUNT_CLOCK_BACKWARDS), 0);
}

static void a_step_within_an_exchange_gives_no_number(void **state)
{
    (void)state;
    check_step(SECOND);
    open_points(NULL, 1);
    check_step(-5 * SECOND);
}

/* While it is not known whether the clock ran through, nothing is told. */
static void exchanges_wait_for_the_reading_after_them(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 3; i++)
        clocks(i * SECOND);
    observe_pdelay(1, 3 * SECOND + SECOND / 2);
    observe(sync_of(1, UTC), 3 * SECOND + SECOND / 2 + 200 * MILLISECOND);
    assert_int_equal(decided.count, 0);
    clocks(4 * SECOND);
    clocks(5 * SECOND);
    assert_int_equal(decided.count, 2);
    finish();
    assert_int_equal(decided.count, 2);
}

/* A stamp goes back, and the readings know of no step. */
static void a_clock_that_runs_backwards_is_counted(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 6; i++)
        clocks(i * SECOND);
    for (uint16_t i = 0; i < 3; i++) {
        struct kit_ptp sync = sync_of(i, UTC);
        struct kit_times times = times_at(2 * SECOND + i * SECOND, sync.direction);
        if (i == 2)
            times.hardware -= SECOND + 2 * MILLISECOND;
        ptpmon_observation observation = kit_observation(&sync, &times);
        kit_observe(analyzer, 0, &observation, &decided);
    }
    finish();
    assert_int_equal(tally(PTPMON_COUNT_CLOCK_BACKWARDS), 1);
}

/* Nothing comes any more but readings: what waits is decided all the same. */
static void readings_move_time_on(void **state)
{
    (void)state;
    clocks(SECOND);
    observe(pdelay_of(AVB_PTP_PDELAY_REQ, 1, 0), SECOND + 1);
    for (int64_t i = 2; i < 70; i++)
        clocks(i * SECOND);
    assert_int_equal(decided.count, 1);
    assert_int_equal(decided.exchanges[0].reason, PTPMON_WITHOUT_RESPONSE);
}

/* ---- Several points ----------------------------------------------------------------------- */

static const ptpmon_exchange *transit_of(const ptpmon_analyzer_options *options, uint16_t sdoId, int64_t residence,
                                         int64_t growth, uint8_t second_source)
{
    open_points(options, 2);
    for (int64_t i = 1; i <= 5; i++)
        clocks(i * SECOND);
    /* In at the first port, out at the second. */
    for (uint32_t point = 0; point < 2; point++) {
        int64_t event = 2 * SECOND + (point ? residence - 2 * HARDWARE_IS_EARLIER : 0);
        struct kit_ptp sync = sync_of(point ? 99 : 1, 0), follow_up = sync;
        if (!second_source)
            sync.sequenceId = follow_up.sequenceId = 1;
        else if (point)
            sync.source = follow_up.source = second_source;
        sync.direction = follow_up.direction = (uint8_t)point;
        sync.sdoId = follow_up.sdoId = sdoId;
        sync.two_step = true;
        follow_up.messageType = AVB_PTP_FOLLOW_UP;
        follow_up.timestamp = UTC + 2 * SECOND;
        follow_up.correction = point ? KIT_SCALED(1000) + growth : KIT_SCALED(1000);
        observe_at(point, sync, event);
        observe_at(point, follow_up, event + 100000);
    }
    finish();
    return only(PTPMON_EXCHANGE_TRANSIT);
}

static void a_transparent_clock_corrects_by_its_residence(void **state)
{
    static const ptpmon_analyzer_options shared = {.points_share_clock = true};
    (void)state;
    const ptpmon_exchange *transit = transit_of(&shared, 0, 50000, KIT_SCALED(50003.5), 0);
    assert_int_equal(transit->reason, PTPMON_COMPUTED);
    assert_int_equal(transit->point, 1);
    assert_int_equal(transit->messageType, AVB_PTP_SYNC);
    assert_int_equal(transit->residence.ns, 50000);
    assert_int_equal(transit->correction_error.ns, 3);
    assert_int_equal(transit->correction_error.fraction, 0x8000);
    assert_int_equal(transit->correction_sync, KIT_SCALED(1000));
    assert_int_equal(transit->correction_follow_up, KIT_SCALED(51003.5));
}

static void a_correction_of_the_wrong_sign_is_counted(void **state)
{
    static const ptpmon_analyzer_options shared = {.points_share_clock = true};
    (void)state;
    assert_int_equal(transit_of(&shared, 0, 50000, KIT_SCALED(-500), 0)->correction_error.ns, -50500);
    ptpmon_analysis_counts counts;
    assert_int_equal(ptpmon_analyzer_counts(analyzer, 1, &counts), PTPMON_OK);
    assert_int_equal(counts.counts[PTPMON_COUNT_CORRECTION_DECREASED], 1);
}

/* Each port of an 802.1AS bridge sends Syncs of its own; the grandmaster's time is the same. */
static void syncs_of_a_gptp_bridge_are_known_by_the_grandmasters_time(void **state)
{
    static const ptpmon_analyzer_options shared = {.points_share_clock = true};
    (void)state;
    const ptpmon_exchange *transit = transit_of(&shared, 0x100, 70000, KIT_SCALED(70000), 9);
    assert_int_equal(transit->residence.ns, 70000);
    assert_int_equal(transit->correction_error.ns, 0);
    assert_int_equal(transit->source.clockIdentity[7], 9);
}

/* Two clocks: their difference is no residence. */
static void without_a_common_clock_there_is_no_residence(void **state)
{
    (void)state;
    const ptpmon_exchange *transit = transit_of(NULL, 0, 50000, KIT_SCALED(50000), 0);
    assert_int_equal(transit->reason, PTPMON_WITHOUT_STAMP);
    assert_int_equal(transit->known, 0);
}

enum { PASSAGES = 40 };

/* One-step Syncs, four a second, in at point 0 and 50 us later out at point 1. */
static void observe_passages_at(uint32_t point, uint16_t first, uint16_t count, int64_t begin)
{
    for (uint16_t i = 0; i < count; i++) {
        int64_t event = begin + i * SECOND / 4 + (point ? 50000 - 2 * HARDWARE_IS_EARLIER : 0);
        struct kit_ptp sync = sync_of((uint16_t)(first + i), UTC + begin + i * SECOND / 4);
        sync.direction = (uint8_t)point;
        sync.correction = point ? KIT_SCALED(50000) : 0;
        observe_at(point, sync, event);
    }
}

static void assert_transits(size_t expected)
{
    size_t count = 0;
    for (size_t i = 0; i < decided.count; i++) {
        const ptpmon_exchange *exchange = &decided.exchanges[i];
        if (exchange->kind != PTPMON_EXCHANGE_TRANSIT)
            continue;
        count++;
        assert_int_equal(exchange->reason, PTPMON_COMPUTED);
        assert_int_equal(exchange->point, 1);
        assert_int_equal(exchange->residence.ns, 50000);
        assert_int_equal(exchange->correction_error.ns, 0);
    }
    assert_int_equal(count, expected);
    assert_int_equal(tally(PTPMON_COUNT_DECIDED_EARLY), 0);
}

/* Each point is told of its messages in its own time: what one settled long ago has still to come at the other. */
static void a_transit_waits_for_a_point_that_lags_behind(void **state)
{
    static const ptpmon_analyzer_options shared = {.points_share_clock = true};
    (void)state;
    for (uint32_t ahead = 0; ahead < 2; ahead++) {
        open_points(&shared, 2);
        for (int64_t i = 1; i <= 13; i++)
            clocks(i * SECOND);
        for (uint32_t point = 0; point < 2; point++)
            observe_passages_at(point, 0, 4, 2 * SECOND);
        observe_passages_at(ahead, 4, PASSAGES - 4, 3 * SECOND);
        observe_passages_at(!ahead, 4, PASSAGES - 4, 3 * SECOND);
        finish();
        assert_transits(PASSAGES);
    }
}

/* The files of one point end, and with them the readings by which its last messages could be settled. */
static void a_transit_waits_for_a_point_that_ended_first(void **state)
{
    static const ptpmon_analyzer_options shared = {.points_share_clock = true};
    (void)state;
    open_points(&shared, 2);
    for (int64_t i = 1; i <= 3; i++)
        clocks(i * SECOND);
    for (uint32_t point = 0; point < 2; point++)
        observe_passages_at(point, 0, 6, 2 * SECOND);
    observe_passages_at(1, 6, 2, 4 * SECOND);
    observe_passages_at(0, 6, 2, 4 * SECOND);
    for (uint16_t i = 4; i < 60; i++) {
        kit_read_clocks(analyzer, 0, i * SECOND, i * SECOND + phc, i * SECOND + UTC, &decided);
        observe_passages_at(0, (uint16_t)(1000 + 4 * i), 4, (i + 1) * SECOND);
    }
    finish();
    assert_transits(8);
}

/* A master begins with sequenceId 0 anew: messages of the same number are not the same, even where one was lost. */
static void a_transit_is_not_made_of_messages_before_and_after_a_restart(void **state)
{
    static const ptpmon_analyzer_options shared = {.points_share_clock = true};
    (void)state;
    open_points(&shared, 2);
    for (int64_t i = 1; i <= 9; i++)
        clocks(i * SECOND);
    observe_passages_at(0, 0, 4, 2 * SECOND);
    observe_passages_at(0, 0, 4, 4 * SECOND);
    observe_passages_at(1, 0, 3, 2 * SECOND); /* the fourth was lost in between */
    observe_passages_at(1, 0, 4, 4 * SECOND);
    finish();
    assert_transits(7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_best_kind_of_stamps_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kinds_are_not_mixed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_delay_of_another_kind_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_alone_give_times_and_no_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ambiguous_messages_are_not_joined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_observer_says_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_stamp_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stamp_that_never_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stamps_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_step_within_an_exchange_gives_no_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exchanges_wait_for_the_reading_after_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_runs_backwards_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readings_move_time_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transparent_clock_corrects_by_its_residence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_correction_of_the_wrong_sign_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(syncs_of_a_gptp_bridge_are_known_by_the_grandmasters_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_common_clock_there_is_no_residence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transit_waits_for_a_point_that_lags_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transit_waits_for_a_point_that_ended_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transit_is_not_made_of_messages_before_and_after_a_restart, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
