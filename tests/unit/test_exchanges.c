/* SPDX-License-Identifier: MIT */
/* The formulas with numbers worked out by hand, which messages belong together, and each reason why not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange_kit.h"
#include "random.h"

#define SECOND      KIT_SECOND
#define MILLISECOND KIT_MILLISECOND
#define MASTER      1
#define SLAVE       2
#define OTHER       3
#define EPOCH       (1800000000 * SECOND) /* of the captures */
#define GPTP        0x100

static ptpmon_analyzer *analyzer;
static struct kit_decided decided;

static void open_with(const ptpmon_analyzer_options *options)
{
    uint32_t point;
    ptpmon_analyzer_close(analyzer);
    kit_free_decided(&decided);
    assert_int_equal(ptpmon_analyzer_open(options, &analyzer), PTPMON_OK);
    assert_int_equal(ptpmon_analyzer_add_point(analyzer, "eth0", &point), PTPMON_OK);
    assert_int_equal(point, 0);
}

static int set_up(void **state)
{
    (void)state;
    open_with(NULL);
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

static void see(struct kit_ptp ptp, int64_t time)
{
    kit_see(analyzer, 0, &ptp, EPOCH + time, &decided);
}

static uint64_t tally(ptpmon_count count)
{
    ptpmon_analysis_counts counts;
    assert_int_equal(ptpmon_analyzer_counts(analyzer, 0, &counts), PTPMON_OK);
    return counts.counts[count];
}

static void finish(void)
{
    kit_finish(analyzer, &decided);
    kit_assert_tallies(analyzer, 1, &decided);
}

/* The one exchange of this kind; NULL: none. More than one: it fails. */
static const ptpmon_exchange *only(ptpmon_exchange_kind kind)
{
    const ptpmon_exchange *found = NULL;
    for (size_t i = 0; i < decided.count; i++) {
        if (decided.exchanges[i].kind != kind)
            continue;
        assert_null(found);
        found = &decided.exchanges[i];
    }
    return found;
}

static const ptpmon_exchange *only_with(ptpmon_exchange_kind kind, ptpmon_exchange_reason reason)
{
    const ptpmon_exchange *exchange = only(kind);
    assert_non_null(exchange);
    assert_int_equal(exchange->reason, reason);
    return exchange;
}

/* ns and 2^-16 ns */
static void assert_time(ptpmon_time time, int64_t ns, uint32_t fraction)
{
    assert_int_equal(time.ns, ns);
    assert_int_equal(time.fraction, fraction);
}

/* ---- Messages ----------------------------------------------------------------------------- */

static struct kit_ptp sync_of(uint16_t sequenceId, bool two_step, int64_t origin, int64_t correction)
{
    return (struct kit_ptp){
        .messageType = AVB_PTP_SYNC,
        .direction = AVB_DIRECTION_RX,
        .source = MASTER,
        .sequenceId = sequenceId,
        .two_step = two_step,
        .timestamp = two_step ? 0 : origin,
        .correction = correction,
    };
}

static struct kit_ptp follow_up_of(uint16_t sequenceId, int64_t origin, int64_t correction)
{
    return (struct kit_ptp){
        .messageType = AVB_PTP_FOLLOW_UP,
        .direction = AVB_DIRECTION_RX,
        .source = MASTER,
        .sequenceId = sequenceId,
        .timestamp = origin,
        .correction = correction,
    };
}

static struct kit_ptp delay_req_of(uint16_t sequenceId, int64_t correction)
{
    return (struct kit_ptp){
        .messageType = AVB_PTP_DELAY_REQ,
        .direction = AVB_DIRECTION_TX,
        .source = SLAVE,
        .sequenceId = sequenceId,
        .correction = correction,
        .logMessageInterval = 0x7F,
    };
}

static struct kit_ptp delay_resp_of(uint16_t sequenceId, int64_t receive, int64_t correction)
{
    return (struct kit_ptp){
        .messageType = AVB_PTP_DELAY_RESP,
        .direction = AVB_DIRECTION_RX,
        .source = MASTER,
        .requesting = SLAVE,
        .sequenceId = sequenceId,
        .timestamp = receive,
        .correction = correction,
    };
}

static struct kit_ptp pdelay_of(uint8_t messageType, uint16_t sdoId, uint16_t sequenceId, int64_t timestamp,
                                int64_t correction)
{
    bool asks = messageType == AVB_PTP_PDELAY_REQ;
    return (struct kit_ptp){
        .messageType = messageType,
        .direction = asks ? AVB_DIRECTION_TX : AVB_DIRECTION_RX,
        .source = asks ? SLAVE : MASTER,
        .requesting = SLAVE,
        .sdoId = sdoId,
        .sequenceId = sequenceId,
        .two_step = messageType == AVB_PTP_PDELAY_RESP,
        .timestamp = timestamp,
        .correction = correction,
    };
}

static struct kit_ptp pdelay_req(uint16_t sdoId, uint16_t sequenceId)
{
    return pdelay_of(AVB_PTP_PDELAY_REQ, sdoId, sequenceId, 0, 0);
}

/* ---- Sync and e2e ------------------------------------------------------------------------- */

/* t1 = 1000 s; t2 = 1000 s + 1500 ns on the capture's clock, which is at EPOCH then: all offsets contain it. */
#define T1 (1000 * SECOND)

static void one_step_e2e(void **state)
{
    (void)state;
    /* m2s = 2000 - 100.5; t3 = 1 ms later; s2m = 1 ms + 1500 - 1 ms - 40.25 */
    see(sync_of(7, false, EPOCH + T1, KIT_SCALED(100.5)), T1 + 2000);
    see(delay_req_of(9, 0), T1 + MILLISECOND);
    see(delay_resp_of(9, EPOCH + T1 + MILLISECOND + 1500, KIT_SCALED(40.25)), T1 + 2 * MILLISECOND);
    finish();
    const ptpmon_exchange *e2e = only_with(PTPMON_EXCHANGE_E2E, PTPMON_COMPUTED);
    assert_time(e2e->masterToSlave, 1899, 0x8000);
    assert_time(e2e->slaveToMaster, 1459, 0xC000);
    assert_time(e2e->delay, 1679, 0xA000);           /* (1899.5 + 1459.75) / 2 */
    assert_time(e2e->offsetFromMaster, 219, 0xE000); /* (1899.5 - 1459.75) / 2 */
    assert_int_equal(e2e->known, PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_SLAVE_TO_MASTER | PTPMON_KNOWS_DELAY |
                                     PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_DELAY_FILTERED | PTPMON_KNOWS_OFFSET_FILTERED);
    assert_int_equal(e2e->t[0].ns, EPOCH + T1);
    assert_int_equal(e2e->t[0].kind, PTPMON_STAMP_MESSAGE);
    assert_int_equal(e2e->t[1].ns, EPOCH + T1 + 2000);
    assert_int_equal(e2e->t[1].kind, PTPMON_STAMP_CAPTURE);
    assert_int_equal(e2e->t[2].ns, EPOCH + T1 + MILLISECOND);
    assert_int_equal(e2e->t[3].ns, EPOCH + T1 + MILLISECOND + 1500);
    assert_int_equal(e2e->end, PTPMON_END_REQUESTER);
    assert_int_equal(e2e->sequenceId, 9);
    assert_int_equal(e2e->syncSequenceId, 7);
    assert_int_equal(e2e->delay_age_ns, MILLISECOND - 2000);
    assert_int_equal(e2e->source.clockIdentity[7], MASTER);
    assert_int_equal(e2e->requesting.clockIdentity[7], SLAVE);
    assert_int_equal(e2e->correction_sync, KIT_SCALED(100.5));
    assert_int_equal(e2e->correction_response, KIT_SCALED(40.25));
    const ptpmon_exchange *sync = only_with(PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_DELAY);
    assert_int_equal(sync->known, PTPMON_KNOWS_MASTER_TO_SLAVE);
    assert_false(sync->two_step);
}

static void two_step_e2e_with_corrections_of_both_signs(void **state)
{
    (void)state;
    see(sync_of(7, true, 0, KIT_SCALED(-3.5)), T1 + 2000);
    see(follow_up_of(7, EPOCH + T1, KIT_SCALED(1.25)), T1 + 3000);
    see(delay_req_of(9, 0), T1 + MILLISECOND);
    see(delay_resp_of(9, EPOCH + T1 + MILLISECOND + 1500, KIT_SCALED(-0.5)), T1 + 2 * MILLISECOND);
    finish();
    const ptpmon_exchange *e2e = only_with(PTPMON_EXCHANGE_E2E, PTPMON_COMPUTED);
    assert_time(e2e->masterToSlave, 2002, 0x4000); /* 2000 + 3.5 - 1.25 */
    assert_time(e2e->slaveToMaster, 1500, 0x8000);
    assert_time(e2e->delay, 1751, 0x6000);
    assert_time(e2e->offsetFromMaster, 250, 0xE000);
    assert_int_equal(e2e->correction_follow_up, KIT_SCALED(1.25));
    assert_true(e2e->two_step);
}

/* The master copies what the request had already: -delayAsymmetry of the requester, or residence times before us. */
static void what_a_delay_req_had_already_is_no_delay(void **state)
{
    (void)state;
    see(sync_of(7, false, EPOCH + T1, 0), T1 + 2000);
    see(delay_req_of(9, KIT_SCALED(-300)), T1 + MILLISECOND);
    see(delay_resp_of(9, EPOCH + T1 + MILLISECOND + 1500, KIT_SCALED(-250)), T1 + 2 * MILLISECOND);
    finish();
    const ptpmon_exchange *e2e = only_with(PTPMON_EXCHANGE_E2E, PTPMON_COMPUTED);
    assert_time(e2e->slaveToMaster, 1450, 0); /* 50 ns were added on the way */
    assert_time(e2e->delay, 1725, 0);
    assert_int_equal(e2e->correction_request, KIT_SCALED(-300));
}

static void a_sync_has_the_offset_of_the_newest_delay(void **state)
{
    (void)state;
    see(sync_of(7, false, EPOCH + T1, 0), T1 + 2000);
    see(delay_req_of(9, 0), T1 + MILLISECOND);
    see(delay_resp_of(9, EPOCH + T1 + MILLISECOND + 1000, 0), T1 + 2 * MILLISECOND); /* delay 1500 */
    see(sync_of(8, false, EPOCH + T1 + SECOND, 0), T1 + SECOND + 1700);
    finish();
    assert_int_equal(decided.count, 3);
    const ptpmon_exchange *sync = &decided.exchanges[2];
    assert_int_equal(sync->kind, PTPMON_EXCHANGE_SYNC);
    assert_int_equal(sync->reason, PTPMON_COMPUTED);
    assert_time(sync->masterToSlave, 1700, 0);
    assert_time(sync->delay, 1500, 0);
    assert_time(sync->offsetFromMaster, 200, 0);
    assert_int_equal(sync->delay_age_ns, SECOND + 1700 - MILLISECOND);
}

/* A local clock that is 100 ppm fast, unsteered; path 5000 ns both ways, t3 400 ms after t2: the formula with r = 1
 * would be wrong by 20 us. */
static void a_clock_that_runs_freely_does_not_change_the_delay(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        int64_t t1 = i * SECOND, t2 = t1 + 5000, t3 = t2 + 400 * MILLISECOND, t4 = t3 + 5000;
        see(sync_of((uint16_t)i, false, EPOCH + t1, 0), t2 + t2 / 10000);
        see(delay_req_of((uint16_t)i, 0), t3 + t3 / 10000);
        see(delay_resp_of((uint16_t)i, EPOCH + t4, 0), t4 + t4 / 10000 + MILLISECOND);
    }
    finish();
    for (size_t i = 0; i < decided.count; i++) {
        const ptpmon_exchange *e2e = &decided.exchanges[i];
        if (e2e->kind != PTPMON_EXCHANGE_E2E || !(e2e->known & PTPMON_KNOWS_RATE_RATIO))
            continue;
        assert_true(fabs((e2e->rateRatio - 1 / 1.0001) * 1e9) < 2);
        assert_in_range(e2e->delay.ns, 4998, 5001);
    }
    assert_true(decided.exchanges[decided.count - 1].known & PTPMON_KNOWS_RATE_RATIO);
}

static void the_filtered_delay_is_the_median(void **state)
{
    static const int64_t delays[] = {1000, 5000, 1200, 1100, 900};
    static const int64_t medians[] = {1000, 3000, 1200, 1150, 1100};
    (void)state;
    open_with(&(ptpmon_analyzer_options){.delay_filter = 4});
    size_t found = 0;
    for (int i = 0; i < 5; i++) {
        int64_t t = i * SECOND;
        see(sync_of((uint16_t)i, false, EPOCH + t, 0), t + delays[i]);
        see(delay_req_of((uint16_t)i, 0), t + delays[i]);
        see(delay_resp_of((uint16_t)i, EPOCH + t + 2 * delays[i], 0), t + MILLISECOND);
    }
    finish();
    for (size_t i = 0; i < decided.count; i++) {
        const ptpmon_exchange *e2e = &decided.exchanges[i];
        if (e2e->kind != PTPMON_EXCHANGE_E2E)
            continue;
        assert_time(e2e->delay, delays[found], 0);
        /* The fifth pushed out the first: 5000, 1200, 1100, 900. */
        assert_time(e2e->delay_filtered, found == 4 ? 1150 : medians[found], 0);
        found++;
    }
    assert_int_equal(found, 5);
}

/* ---- Peer delay --------------------------------------------------------------------------- */

/* Turnaround 3000 ns by the messages, 4000 ns away: delay 500 before corrections. */
static void see_pdelay(uint16_t sdoId, uint16_t sequenceId, int64_t time, int64_t request, int64_t response,
                       int64_t follow_up)
{
    see(pdelay_of(AVB_PTP_PDELAY_REQ, sdoId, sequenceId, 0, request), time);
    see(pdelay_of(AVB_PTP_PDELAY_RESP, sdoId, sequenceId, T1 + time + 500, response), time + 4000);
    see(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, sdoId, sequenceId, T1 + time + 3500, follow_up), time + 5000);
}

static void p2p_two_step(void **state)
{
    (void)state;
    see_pdelay(0, 5, SECOND, 0, KIT_SCALED(10.5), KIT_SCALED(-0.25));
    finish();
    const ptpmon_exchange *p2p = only_with(PTPMON_EXCHANGE_P2P, PTPMON_COMPUTED);
    assert_time(p2p->turnaround, 3010, 0x4000);
    assert_time(p2p->delay, 494, 0xE000); /* (4000 - 3000 - 10.5 + 0.25) / 2 = 494.875 */
    assert_int_equal(p2p->t[1].ns, T1 + SECOND + 500);
    assert_int_equal(p2p->t[2].ns, T1 + SECOND + 3500);
    assert_int_equal(p2p->t[3].ns - p2p->t[0].ns, 4000);
    assert_int_equal(p2p->known, PTPMON_KNOWS_TURNAROUND | PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED);
}

static void p2p_subtracts_what_the_request_had_already(void **state)
{
    (void)state;
    see_pdelay(0, 5, SECOND, KIT_SCALED(-200), 0, KIT_SCALED(-200));
    finish();
    assert_time(only_with(PTPMON_EXCHANGE_P2P, PTPMON_COMPUTED)->delay, 500, 0);
}

static void p2p_one_step(void **state)
{
    (void)state;
    struct kit_ptp response = pdelay_of(AVB_PTP_PDELAY_RESP, 0, 5, 0, KIT_SCALED(3000.75));
    response.two_step = false;
    see(pdelay_req(0, 5), SECOND);
    see(response, SECOND + 4000);
    finish();
    const ptpmon_exchange *p2p = only_with(PTPMON_EXCHANGE_P2P, PTPMON_COMPUTED);
    assert_time(p2p->delay, 499, 0xA000); /* (4000 - 3000.75) / 2 = 499.625 */
    assert_time(p2p->turnaround, 3000, 0xC000);
    assert_int_equal(p2p->t[1].kind, PTPMON_STAMP_NONE);
}

/* IEEE 1588-2019 11.4.2: both timestamps 0, the turnaround in the corrections. */
static void p2p_with_the_turnaround_as_a_correction(void **state)
{
    (void)state;
    see(pdelay_req(0, 5), SECOND);
    see(pdelay_of(AVB_PTP_PDELAY_RESP, 0, 5, 0, 0), SECOND + 4000);
    see(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 0, 5, 0, KIT_SCALED(3100)), SECOND + 5000);
    finish();
    const ptpmon_exchange *p2p = only_with(PTPMON_EXCHANGE_P2P, PTPMON_COMPUTED);
    assert_time(p2p->delay, 450, 0);
    assert_int_equal(p2p->t[1].kind, PTPMON_STAMP_NONE);
}

static void p2p_as_has_the_other_sign_of_the_responses_correction(void **state)
{
    (void)state;
    see_pdelay(GPTP, 5, SECOND, 0, KIT_SCALED(10.5), KIT_SCALED(0.75));
    finish();
    const ptpmon_exchange *p2p = only_with(PTPMON_EXCHANGE_P2P_AS, PTPMON_COMPUTED);
    assert_time(p2p->turnaround, 2990, 0x4000); /* 3000 + 0.75 - 10.5 */
    assert_time(p2p->delay, 504, 0xE000);       /* (4000 - 2990.25) / 2 */
}

/* The rule is that of Ethernet; over UDP sdoId 1 is no 802.1AS. */
static void gptp_over_udp_is_plain_p2p(void **state)
{
    (void)state;
    struct kit_ptp request = pdelay_req(GPTP, 5);
    request.transport = AVB_TRANSPORT_UDP_IPV4;
    see(request, SECOND);
    finish();
    only_with(PTPMON_EXCHANGE_P2P, PTPMON_WITHOUT_RESPONSE);
}

/* Responder 100 ppm fast, turnaround 10 ms, true delay 500 ns by our clock: without the ratio it would be 0. */
static void the_neighbors_rate_scales_the_turnaround(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        int64_t t1 = i * SECOND, t2 = t1 + 500, t3 = t2 + 10 * MILLISECOND, t4 = t3 + 500;
        see(pdelay_req(GPTP, (uint16_t)i), t1);
        see(pdelay_of(AVB_PTP_PDELAY_RESP, GPTP, (uint16_t)i, T1 + t2 + t2 / 10000, 0), t4);
        see(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, GPTP, (uint16_t)i, T1 + t3 + t3 / 10000, 0), t4 + 1000);
    }
    finish();
    assert_int_equal(decided.count, 12);
    for (size_t i = 0; i < 2; i++)
        assert_false(decided.exchanges[i].known & PTPMON_KNOWS_NEIGHBOR_RATE_RATIO);
    for (size_t i = 2; i < decided.count; i++) {
        assert_true(decided.exchanges[i].known & PTPMON_KNOWS_NEIGHBOR_RATE_RATIO);
        assert_true(fabs(decided.exchanges[i].neighborRateRatio - 1.0001) < 2e-9);
        assert_in_range(decided.exchanges[i].delay.ns, 499, 500);
    }
    /* Exactly 10 ms is late already by the responder's clock. */
    assert_int_equal(tally(PTPMON_COUNT_LATE_TURNAROUND), 12);
}

/* offset = t2 - (t1c + meanLinkDelay * rateRatio) */
static void gptp_offset_of_link_delay_and_rates(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        see_pdelay(GPTP, (uint16_t)i, i * SECOND, 0, 0, 0); /* delay 500, neighborRateRatio 1 */
    struct kit_ptp sync = sync_of(1, true, 0, 0);
    struct kit_ptp follow_up = follow_up_of(1, EPOCH + 2 * SECOND, KIT_SCALED(1000.5));
    sync.sdoId = follow_up.sdoId = GPTP;
    sync.domainNumber = follow_up.domainNumber = 1; /* the link is the same in every domain */
    follow_up.has_follow_up_tlv = true;
    follow_up.cumulativeScaledRateOffset = INT32_C(1) << 30; /* 2^-11: 488 ppm */
    see(sync, 2 * SECOND + 5000);
    see(follow_up, 2 * SECOND + 6000);
    finish();
    const ptpmon_exchange *found = only_with(PTPMON_EXCHANGE_SYNC, PTPMON_COMPUTED);
    assert_time(found->masterToSlave, 3999, 0x8000);
    assert_true(found->rateRatio == 1 + ldexp(1, -11));
    /* 3999.5 - 500 * (1 + 2^-11) = 3499.25586; 0.25586 * 65536 = 16768 */
    assert_time(found->offsetFromMaster, 3499, 16768);
}

/* Sync of 802.1AS never has a delay of e2e, nor one of another port's link. */
static void directions_unknown_the_link_is_that_of_the_syncs_port(void **state)
{
    (void)state;
    static const uint8_t messageTypes[] = {AVB_PTP_PDELAY_REQ, AVB_PTP_PDELAY_RESP, AVB_PTP_PDELAY_RESP_FOLLOW_UP};
    for (unsigned i = 0; i < 3; i++) {
        struct kit_ptp ptp = pdelay_of(messageTypes[i], GPTP, 1, T1 + (i + 1) * 1000, 0);
        ptp.direction = AVB_DIRECTION_UNKNOWN;
        see(ptp, i * 1500);
    }
    for (uint8_t source = MASTER; source <= OTHER; source += OTHER - MASTER) {
        struct kit_ptp sync = sync_of(1, true, 0, 0), follow_up = follow_up_of(1, EPOCH + SECOND, 0);
        sync.direction = follow_up.direction = AVB_DIRECTION_UNKNOWN;
        sync.sdoId = follow_up.sdoId = GPTP;
        sync.source = follow_up.source = source;
        see(sync, SECOND + 1000);
        see(follow_up, SECOND + 2000);
    }
    finish();
    assert_int_equal(decided.count, 3);
    assert_int_equal(decided.exchanges[1].reason, PTPMON_COMPUTED);
    assert_time(decided.exchanges[1].delay, 250, 0); /* (1500 - 1000) / 2 */
    assert_int_equal(decided.exchanges[2].reason, PTPMON_WITHOUT_DELAY);
}

/* ---- Order -------------------------------------------------------------------------------- */

/* All orders of the messages of an exchange give the same numbers. */
static void p2p_in_every_order(void **state)
{
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        /* Captured out of order: the times are those of the messages. */
        struct kit_ptp messages[3] = {pdelay_req(0, 5), pdelay_of(AVB_PTP_PDELAY_RESP, 0, 5, T1 + 500, 0),
                                      pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 0, 5, T1 + 3500, 0)};
        static const int64_t times[3] = {SECOND, SECOND + 4000, SECOND + 5000};
        open_with(NULL);
        for (unsigned k = 0; k < 3; k++)
            see(messages[orders[i][k]], times[orders[i][k]]);
        finish();
        assert_time(only_with(PTPMON_EXCHANGE_P2P, PTPMON_COMPUTED)->delay, 500, 0);
        assert_int_equal(tally(PTPMON_COUNT_FOLLOW_UP_FIRST), i == 1 || i >= 4);
    }
}

static void a_follow_up_waits_for_its_sync(void **state)
{
    (void)state;
    see(follow_up_of(7, EPOCH + T1, 0), T1 + 1000);
    see(sync_of(7, true, 0, 0), T1 + 2000);
    finish();
    assert_time(only_with(PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_DELAY)->masterToSlave, 2000, 0);
    assert_int_equal(tally(PTPMON_COUNT_FOLLOW_UP_FIRST), 1);
    assert_int_equal(tally(PTPMON_COUNT_WITHOUT_SYNC), 0);
}

/* The Follow_Up of the Sync before a Delay_Req may come after the Delay_Resp. */
static void a_delay_req_waits_for_the_follow_up_of_its_sync(void **state)
{
    (void)state;
    see(sync_of(6, true, 0, 0), T1 - SECOND + 9000);
    see(follow_up_of(6, EPOCH + T1 - SECOND, 0), T1 - SECOND + 10000);
    see(sync_of(7, true, 0, 0), T1 + 2000);
    see(delay_req_of(9, 0), T1 + MILLISECOND);
    see(delay_resp_of(9, EPOCH + T1 + MILLISECOND + 1500, 0), T1 + 2 * MILLISECOND);
    assert_null(only(PTPMON_EXCHANGE_E2E));
    see(follow_up_of(7, EPOCH + T1, 0), T1 + 3 * MILLISECOND);
    finish();
    const ptpmon_exchange *e2e = only_with(PTPMON_EXCHANGE_E2E, PTPMON_COMPUTED);
    assert_int_equal(e2e->syncSequenceId, 7);
    assert_time(e2e->masterToSlave, 2000, 0);
}

static void a_sync_after_the_delay_req_is_none_before_it(void **state)
{
    (void)state;
    see(delay_req_of(9, 0), T1);
    see(sync_of(7, false, EPOCH + T1, 0), T1 + 2000);
    see(delay_resp_of(9, EPOCH + T1 + 1500, 0), T1 + MILLISECOND);
    finish();
    only_with(PTPMON_EXCHANGE_E2E, PTPMON_WITHOUT_SYNC);
}

static void sequence_ids_wrap(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        see_pdelay(0, (uint16_t)(65526 + i), i * SECOND, 0, 0, 0);
    finish();
    assert_int_equal(decided.count, 20);
    for (size_t i = 0; i < decided.count; i++)
        assert_int_equal(decided.exchanges[i].reason, PTPMON_COMPUTED);
    assert_true(decided.exchanges[19].known & PTPMON_KNOWS_NEIGHBOR_RATE_RATIO);
    assert_int_equal(tally(PTPMON_COUNT_WRAPS), 1);
    assert_int_equal(tally(PTPMON_COUNT_GAPS), 0);
    assert_int_equal(tally(PTPMON_COUNT_RESTARTS), 0);
}

/* The same sequenceId comes again after 8192 s at 8 Hz; the two are not one exchange. */
static void equal_sequence_ids_of_long_ago_are_others(void **state)
{
    (void)state;
    see(sync_of(7, true, 0, 0), T1);
    see(follow_up_of(7, EPOCH + T1 + 8192 * SECOND, 0), T1 + 8192 * SECOND);
    finish();
    assert_int_equal(decided.count, 2);
    assert_int_equal(decided.exchanges[0].reason, PTPMON_WITHOUT_FOLLOW_UP);
    assert_int_equal(decided.exchanges[1].reason, PTPMON_WITHOUT_SYNC);
}

static void gaps_reordering_and_restarts_are_counted(void **state)
{
    /* 3 and 4 come late, 7 and 8 not at all; then it begins anew. */
    static const uint16_t sequenceIds[] = {1, 2, 5, 3, 4, 6, 9, 10, 0, 1, 2};
    (void)state;
    for (unsigned i = 0; i < sizeof sequenceIds / sizeof *sequenceIds; i++)
        see(sync_of(sequenceIds[i], false, EPOCH + i * SECOND, 0), i * SECOND);
    finish();
    assert_int_equal(decided.count, 11);
    assert_int_equal(tally(PTPMON_COUNT_GAPS), 2);
    assert_int_equal(tally(PTPMON_COUNT_REORDERED), 2);
    assert_int_equal(tally(PTPMON_COUNT_RESTARTS), 1);
    assert_int_equal(tally(PTPMON_COUNT_WRAPS), 0);
    assert_int_equal(tally(PTPMON_COUNT_DUPLICATES), 0);
}

static void duplicates_make_no_exchanges(void **state)
{
    (void)state;
    for (int twice = 0; twice < 2; twice++)
        see(sync_of(7, true, 0, 0), T1 + 2000 + twice * 300);
    for (int twice = 0; twice < 2; twice++)
        see(follow_up_of(7, EPOCH + T1, 0), T1 + 3000 + twice * 300);
    for (int i = 0; i < 2; i++)
        see_pdelay(0, 5, SECOND + T1 + i * 10000, 0, 0, 0);
    finish();
    assert_time(only_with(PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_DELAY)->masterToSlave, 2000, 0);
    assert_int_equal(tally(PTPMON_COUNT_RESTARTS), 0);
    /* Of the second peer delay only the request is the same: its answers say other times. */
    assert_int_equal(tally(PTPMON_COUNT_DUPLICATES), 3);
}

/* A mirror port shows a Sync before and after a transparent clock: the corrections differ. Which Follow_Up is of which
 * is not known. */
static void messages_alike_are_not_mixed(void **state)
{
    (void)state;
    see(sync_of(7, true, 0, 0), T1 + 2000);
    see(sync_of(7, true, 0, KIT_SCALED(500)), T1 + 2600);
    see(follow_up_of(7, EPOCH + T1, 0), T1 + 3000);
    see(follow_up_of(7, EPOCH + T1, KIT_SCALED(100)), T1 + 3600);
    finish();
    const ptpmon_exchange *sync = only_with(PTPMON_EXCHANGE_SYNC, PTPMON_SEVERAL_ALIKE);
    assert_int_equal(sync->known, 0);
}

static void a_restart_with_the_same_sequence_id_is_another_exchange(void **state)
{
    (void)state;
    see(sync_of(0, false, EPOCH + T1, 0), T1 + 2000);
    see(sync_of(0, false, EPOCH + T1 + SECOND / 2, 0), T1 + SECOND / 2 + 3000);
    finish();
    assert_int_equal(decided.count, 2);
    assert_time(decided.exchanges[0].masterToSlave, 2000, 0);
    assert_time(decided.exchanges[1].masterToSlave, 3000, 0);
    assert_int_equal(tally(PTPMON_COUNT_RESTARTS), 1);
}

/* ---- Who ---------------------------------------------------------------------------------- */

/* Two requesters with the same sequenceId: the answers are told apart by who asked. */
static void two_requesters_share_a_sequence_id(void **state)
{
    (void)state;
    see(sync_of(1, false, EPOCH + T1, 0), T1 + 1000);
    for (uint8_t slave = SLAVE; slave <= OTHER; slave++) {
        struct kit_ptp request = delay_req_of(9, 0);
        request.source = slave;
        see(request, T1 + slave * MILLISECOND);
    }
    for (uint8_t slave = OTHER; slave >= SLAVE; slave--) {
        struct kit_ptp response = delay_resp_of(9, EPOCH + T1 + slave * (MILLISECOND + 1000), 0);
        response.requesting = slave;
        see(response, T1 + 10 * MILLISECOND - slave);
    }
    finish();
    assert_int_equal(decided.count, 3);
    assert_int_equal(decided.exchanges[1].requesting.clockIdentity[7], OTHER);
    assert_time(decided.exchanges[1].slaveToMaster, 3000, 0);
    assert_int_equal(decided.exchanges[2].requesting.clockIdentity[7], SLAVE);
    assert_time(decided.exchanges[2].slaveToMaster, 2000, 0);
}

/* Each master that answers makes an exchange, with its own Sync. */
static void two_masters_answer_a_delay_req(void **state)
{
    (void)state;
    struct kit_ptp sync = sync_of(1, false, EPOCH + T1, 0);
    see(sync, T1 + 1000);
    sync.source = OTHER;
    see(sync, T1 + 5000);
    see(delay_req_of(9, 0), T1 + MILLISECOND);
    struct kit_ptp response = delay_resp_of(9, EPOCH + T1 + MILLISECOND + 1000, 0);
    see(response, T1 + 2 * MILLISECOND);
    response.source = OTHER;
    see(response, T1 + 3 * MILLISECOND);
    see(response, T1 + 4 * MILLISECOND); /* a duplicate */
    finish();
    assert_int_equal(decided.count, 4);
    assert_time(decided.exchanges[2].delay, 1000, 0);
    assert_int_equal(decided.exchanges[2].source.clockIdentity[7], MASTER);
    assert_time(decided.exchanges[3].delay, 3000, 0);
    assert_int_equal(decided.exchanges[3].source.clockIdentity[7], OTHER);
    assert_int_equal(tally(PTPMON_COUNT_DUPLICATES), 1);
}

static void two_ports_answer_a_pdelay_req(void **state)
{
    (void)state;
    struct kit_ptp other = pdelay_of(AVB_PTP_PDELAY_RESP, 0, 5, T1 + 700, 0);
    other.source = OTHER;
    see_pdelay(0, 5, SECOND, 0, 0, 0);
    see(other, SECOND + 7000);
    see(other, SECOND + 8000);
    finish();
    only_with(PTPMON_EXCHANGE_P2P, PTPMON_SEVERAL_RESPONDERS);
    assert_int_equal(tally(PTPMON_COUNT_SEVERAL_RESPONDERS), 1);
}

static void at_the_responder_there_is_no_delay(void **state)
{
    (void)state;
    static const uint8_t messageTypes[] = {AVB_PTP_PDELAY_REQ, AVB_PTP_PDELAY_RESP, AVB_PTP_PDELAY_RESP_FOLLOW_UP};
    static const int64_t times[] = {1000, 5000, 6000}; /* as captured; the messages say 1007.25 and 4990.5 */
    static const int64_t timestamps[] = {0, 1007, 4990}, corrections[] = {0, -16384, 32768};
    for (unsigned i = 0; i < 3; i++) {
        struct kit_ptp ptp = pdelay_of(messageTypes[i], 0, 1, EPOCH + timestamps[i], corrections[i]);
        ptp.direction = !ptp.direction;
        see(ptp, times[i]);
    }
    finish();
    const ptpmon_exchange *p2p = only_with(PTPMON_EXCHANGE_P2P, PTPMON_AT_RESPONDER);
    assert_int_equal(p2p->end, PTPMON_END_RESPONDER);
    assert_int_equal(p2p->own[1].ns, EPOCH + 1000);
    assert_int_equal(p2p->own[2].ns, EPOCH + 5000);
    assert_int_equal(p2p->t[0].kind, PTPMON_STAMP_NONE);
    assert_int_equal(p2p->known,
                     PTPMON_KNOWS_TURNAROUND | PTPMON_KNOWS_RECEIVER_ERROR | PTPMON_KNOWS_TRANSMITTER_ERROR);
    assert_time(p2p->receiver_error, 7, 16384);
    assert_time(p2p->transmitter_error, -10, 32768);
    assert_time(p2p->turnaround, 3983, 16384);
}

static void at_the_master_its_stamps_are_audited(void **state)
{
    (void)state;
    struct kit_ptp sync = sync_of(1, true, 0, 0), follow_up = follow_up_of(1, EPOCH + T1 + 40, KIT_SCALED(0.5));
    struct kit_ptp request = delay_req_of(9, 0), response = delay_resp_of(9, EPOCH + T1 + MILLISECOND - 30, 0);
    sync.direction = follow_up.direction = response.direction = AVB_DIRECTION_TX;
    request.direction = AVB_DIRECTION_RX;
    see(sync, T1);
    see(follow_up, T1 + 1000);
    see(request, T1 + MILLISECOND);
    see(response, T1 + 2 * MILLISECOND);
    finish();
    const ptpmon_exchange *found = only_with(PTPMON_EXCHANGE_SYNC, PTPMON_AT_RESPONDER);
    assert_int_equal(found->known, PTPMON_KNOWS_TRANSMITTER_ERROR);
    assert_time(found->transmitter_error, 40, 0x8000);
    assert_int_equal(found->own[0].ns, EPOCH + T1);
    found = only_with(PTPMON_EXCHANGE_E2E, PTPMON_AT_RESPONDER);
    assert_int_equal(found->known, PTPMON_KNOWS_RECEIVER_ERROR);
    assert_time(found->receiver_error, -30, 0);
}

/* What the NIC writes into a one-step message is not in the frame that the host captured. */
static void a_one_step_transmitter_is_not_audited(void **state)
{
    (void)state;
    struct kit_ptp sync = sync_of(1, false, EPOCH, 0);
    sync.direction = AVB_DIRECTION_TX;
    see(sync, T1);
    finish();
    assert_int_equal(only_with(PTPMON_EXCHANGE_SYNC, PTPMON_AT_RESPONDER)->known, 0);
}

static void requests_of_other_ports_give_no_delay(void **state)
{
    (void)state;
    struct kit_ptp request = delay_req_of(9, 0);
    request.direction = AVB_DIRECTION_RX;
    see(sync_of(1, false, EPOCH + T1, 0), T1 + 1000);
    see(request, T1 + MILLISECOND);
    see(delay_resp_of(9, EPOCH + T1 + MILLISECOND, 0), T1 + 2 * MILLISECOND);
    finish();
    const ptpmon_exchange *e2e = only_with(PTPMON_EXCHANGE_E2E, PTPMON_OF_ANOTHER_PORT);
    assert_int_equal(e2e->end, PTPMON_END_BYSTANDER);
    assert_int_equal(e2e->known, 0);
}

static void of_cmlds_the_turnaround_only(void **state)
{
    (void)state;
    see_pdelay(0x200, 5, SECOND, 0, KIT_SCALED(7), KIT_SCALED(9));
    finish();
    const ptpmon_exchange *p2p = only_with(PTPMON_EXCHANGE_P2P_AS, PTPMON_RULE_UNKNOWN);
    assert_int_equal(p2p->known, PTPMON_KNOWS_TURNAROUND);
    assert_time(p2p->turnaround, 3000, 0);
}

/* ---- What is missing ---------------------------------------------------------------------- */

static void each_missing_partner_has_its_name(void **state)
{
    static const struct {
        uint8_t given[2], count;
        ptpmon_exchange_kind kind;
        ptpmon_exchange_reason reason;
        ptpmon_count name;
    } cases[] = {
        {{AVB_PTP_SYNC}, 1, PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_FOLLOW_UP, PTPMON_COUNT_WITHOUT_FOLLOW_UP},
        {{AVB_PTP_FOLLOW_UP}, 1, PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_SYNC, PTPMON_COUNT_WITHOUT_SYNC},
        {{AVB_PTP_DELAY_REQ}, 1, PTPMON_EXCHANGE_E2E, PTPMON_WITHOUT_RESPONSE, PTPMON_COUNT_WITHOUT_DELAY_RESP},
        {{AVB_PTP_DELAY_RESP}, 1, PTPMON_EXCHANGE_E2E, PTPMON_WITHOUT_REQUEST, PTPMON_COUNT_WITHOUT_DELAY_REQ},
        {{AVB_PTP_PDELAY_REQ}, 1, PTPMON_EXCHANGE_P2P, PTPMON_WITHOUT_RESPONSE, PTPMON_COUNT_WITHOUT_PDELAY_RESP},
        {{AVB_PTP_PDELAY_RESP, AVB_PTP_PDELAY_RESP_FOLLOW_UP},
         2,
         PTPMON_EXCHANGE_P2P,
         PTPMON_WITHOUT_REQUEST,
         PTPMON_COUNT_WITHOUT_PDELAY_REQ},
        {{AVB_PTP_PDELAY_REQ, AVB_PTP_PDELAY_RESP},
         2,
         PTPMON_EXCHANGE_P2P,
         PTPMON_WITHOUT_RESPONSE_FOLLOW_UP,
         PTPMON_COUNT_WITHOUT_PDELAY_FOLLOW_UP},
        {{AVB_PTP_PDELAY_RESP_FOLLOW_UP},
         1,
         PTPMON_EXCHANGE_P2P,
         PTPMON_WITHOUT_REQUEST,
         PTPMON_COUNT_PDELAY_FOLLOW_UP_ALONE},
    };
    (void)state;
    struct kit_ptp announce = {.messageType = AVB_PTP_ANNOUNCE, .direction = AVB_DIRECTION_RX, .source = MASTER};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with(NULL);
        announce.sequenceId = 1;
        see(announce, T1 - 60 * SECOND);
        for (unsigned k = 0; k < cases[i].count; k++) {
            struct kit_ptp ptp = pdelay_of(cases[i].given[k], 0, 5, EPOCH + T1, 0);
            if (ptp.messageType == AVB_PTP_SYNC)
                ptp.two_step = true;
            see(ptp, T1 + k * 1000);
        }
        announce.sequenceId = 2;
        see(announce, T1 + 60 * SECOND);
        finish();
        only_with(cases[i].kind, cases[i].reason);
        ptpmon_analysis_counts counts;
        uint64_t all = 0;
        assert_int_equal(ptpmon_analyzer_counts(analyzer, 0, &counts), PTPMON_OK);
        for (unsigned name = 0; name < PTPMON_COUNTS; name++)
            all += counts.counts[name];
        assert_int_equal(counts.counts[cases[i].name], 1);
        assert_int_equal(all, 1);
    }
}

/* 1 s after the last message at the latest, without finishing. */
static void what_is_missing_is_decided_when_the_window_has_passed(void **state)
{
    (void)state;
    struct kit_ptp sync = sync_of(7, true, 0, 0);
    sync.logMessageInterval = -3;
    see(sync, T1);
    see(sync_of(8, false, EPOCH + T1, 0), T1 + SECOND - 1);
    assert_int_equal(decided.count, 1);
    see(sync_of(9, false, EPOCH + T1, 0), T1 + SECOND);
    assert_int_equal(decided.count, 3);
    assert_int_equal(decided.exchanges[1].reason, PTPMON_WITHOUT_FOLLOW_UP);
}

static void the_window_is_three_intervals(void **state)
{
    (void)state;
    for (int interval = 0; interval < 3; interval++) {
        open_with(NULL);
        struct kit_ptp sync = sync_of(7, true, 0, 0);
        sync.logMessageInterval = (int8_t)interval;
        see(sync, T1);
        see(follow_up_of(7, EPOCH + T1, 0), T1 + 3 * (SECOND << interval) - 1);
        finish();
        only_with(PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_DELAY);
    }
}

static void e2e_without_the_follow_up_of_its_sync(void **state)
{
    (void)state;
    see(sync_of(7, true, 0, 0), T1);
    see(delay_req_of(9, 0), T1 + MILLISECOND);
    see(delay_resp_of(9, EPOCH + T1 + MILLISECOND, 0), T1 + 2 * MILLISECOND);
    finish();
    only_with(PTPMON_EXCHANGE_E2E, PTPMON_WITHOUT_FOLLOW_UP);
    only_with(PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_FOLLOW_UP);
}

/* ---- What is wrong ------------------------------------------------------------------------ */

static void corrections_out_of_range_give_no_number(void **state)
{
    static const int64_t corrections[] = {PTPMON_CORRECTION_TOO_BIG, INT64_MIN, INT64_C(1) << 62,
                                          KIT_SCALED(10000000001), -KIT_SCALED(10000000001)};
    (void)state;
    for (unsigned i = 0; i < sizeof corrections / sizeof *corrections; i++) {
        for (int in_follow_up = 0; in_follow_up < 2; in_follow_up++) {
            open_with(NULL);
            see(sync_of(7, true, 0, in_follow_up ? 0 : corrections[i]), T1);
            see(follow_up_of(7, EPOCH + T1, in_follow_up ? corrections[i] : 0), T1 + 1000);
            finish();
            const ptpmon_exchange *sync = only_with(PTPMON_EXCHANGE_SYNC, PTPMON_CORRECTION_OUT_OF_RANGE);
            assert_int_equal(sync->known, 0);
            assert_int_equal(tally(PTPMON_COUNT_CORRECTION_OUT_OF_RANGE), 1);
        }
        open_with(NULL);
        see_pdelay(GPTP, 5, SECOND, 0, corrections[i], corrections[i]);
        see(sync_of(7, false, EPOCH + SECOND, 0), SECOND);
        see(delay_req_of(9, 0), SECOND + MILLISECOND);
        see(delay_resp_of(9, EPOCH + SECOND + MILLISECOND, corrections[i]), SECOND + 2 * MILLISECOND);
        finish();
        only_with(PTPMON_EXCHANGE_P2P_AS, PTPMON_CORRECTION_OUT_OF_RANGE);
        only_with(PTPMON_EXCHANGE_E2E, PTPMON_CORRECTION_OUT_OF_RANGE);
        assert_int_equal(tally(PTPMON_COUNT_CORRECTION_OUT_OF_RANGE), 3);
    }
    /* 10 s itself is one that is computed with. */
    open_with(NULL);
    see(sync_of(7, false, EPOCH + T1, KIT_SCALED(10 * SECOND)), T1 + 10 * SECOND + 700);
    finish();
    assert_time(only_with(PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_DELAY)->masterToSlave, 700, 0);
}

static void timestamps_out_of_range_give_no_number(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct kit_ptp sync = sync_of(7, false, EPOCH + T1, 0);
        if (kind == 0)
            sync.nanoseconds = 1000000000;
        if (kind == 1)
            sync.nanoseconds = 0xFFFFFFFFu - (uint32_t)(sync.timestamp % SECOND);
        if (kind == 2)
            sync.seconds = (UINT64_C(1) << 48) - 1 - (uint64_t)(sync.timestamp / SECOND);
        open_with(NULL);
        see(sync, T1);
        finish();
        assert_int_equal(only_with(PTPMON_EXCHANGE_SYNC, PTPMON_TIMESTAMP_OUT_OF_RANGE)->known, 0);
        assert_int_equal(tally(PTPMON_COUNT_TIMESTAMP_OUT_OF_RANGE), 1);
    }
}

static void timestamps_that_are_not_given(void **state)
{
    static const struct {
        uint16_t sdoId;
        int64_t t2, t3;
    } cases[] = {{GPTP, 0, T1}, {GPTP, T1, 0}, {GPTP, 0, 0}, {0, 0, T1}, {0, T1, 0}};
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with(NULL);
        see(pdelay_req(cases[i].sdoId, 5), SECOND);
        see(pdelay_of(AVB_PTP_PDELAY_RESP, cases[i].sdoId, 5, cases[i].t2, 0), SECOND + 4000);
        see(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, cases[i].sdoId, 5, cases[i].t3, 0), SECOND + 5000);
        finish();
        const ptpmon_exchange *p2p =
            only_with(cases[i].sdoId ? PTPMON_EXCHANGE_P2P_AS : PTPMON_EXCHANGE_P2P, PTPMON_TIMESTAMP_NOT_GIVEN);
        assert_int_equal(p2p->known, 0);
        assert_int_equal(tally(PTPMON_COUNT_TIMESTAMP_NOT_GIVEN), 1);
    }
}

static void captures_cut_short_give_no_number(void **state)
{
    (void)state;
    struct kit_ptp sync = sync_of(7, false, EPOCH + T1, 0);
    struct kit_ptp response = delay_resp_of(9, EPOCH + T1, 0);
    kit_see_cut(analyzer, 0, &sync, EPOCH + T1, 14 + 34, &decided); /* the header alone */
    kit_see_cut(analyzer, 0, &sync, EPOCH + T1, 14 + 20, &decided); /* not even that */
    see(delay_req_of(9, 0), T1 + 1000);
    kit_see_cut(analyzer, 0, &response, EPOCH + T1 + 2000, 14 + 44, &decided); /* who asked is missing: it was us */
    finish();
    only_with(PTPMON_EXCHANGE_SYNC, PTPMON_WITHOUT_FRAME);
    only_with(PTPMON_EXCHANGE_E2E, PTPMON_WITHOUT_SYNC);
    assert_int_equal(tally(PTPMON_COUNT_CUT_SHORT), 3);
}

static void frames_that_are_no_ptp_are_counted(void **state)
{
    (void)state;
    uint8_t bytes[60] = {0};
    ptpmon_frame frame = {.bytes = bytes, .captured_length = sizeof bytes, .length = sizeof bytes};
    assert_int_equal(ptpmon_analyzer_frame(analyzer, 0, &frame), PTPMON_OK);
    finish();
    assert_int_equal(tally(PTPMON_COUNT_FOREIGN), 1);
}

/* A capture whose clock was set back by ten minutes goes on, and nothing spans the step. */
static void a_capture_clock_set_back(void **state)
{
    (void)state;
    see(sync_of(7, true, 0, 0), T1);
    see(follow_up_of(7, EPOCH + T1, 0), T1 - 600 * SECOND);
    see_pdelay(0, 5, T1 - 590 * SECOND, 0, 0, 0);
    finish();
    assert_int_equal(tally(PTPMON_COUNT_CLOCK_BACKWARDS), 1);
    assert_int_equal(decided.exchanges[0].reason, PTPMON_WITHOUT_FOLLOW_UP);
    assert_int_equal(decided.exchanges[1].reason, PTPMON_WITHOUT_SYNC);
    assert_time(only_with(PTPMON_EXCHANGE_P2P, PTPMON_COMPUTED)->delay, 500, 0);
}

/* An answer captured before its request, by the same clock. */
static void local_times_in_the_wrong_order(void **state)
{
    (void)state;
    see(pdelay_req(0, 5), SECOND + 4000);
    see(pdelay_of(AVB_PTP_PDELAY_RESP, 0, 5, T1, 0), SECOND);
    see(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 0, 5, T1 + 100, 0), SECOND + 5000);
    finish();
    assert_false(only_with(PTPMON_EXCHANGE_P2P, PTPMON_TIMES_CONTRADICT)->known & PTPMON_KNOWS_DELAY);
}

/* The responder's clock is set between its two stamps: the turnaround is none. */
static void the_responders_clock_steps_within_an_exchange(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        int64_t t = i * SECOND, step = i == 2 ? 3 * MILLISECOND : 0;
        see(pdelay_req(0, (uint16_t)i), t);
        see(pdelay_of(AVB_PTP_PDELAY_RESP, 0, (uint16_t)i, T1 + t + (i > 2 ? 3 * MILLISECOND : 0) + 500, 0), t + 4000);
        see(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 0, (uint16_t)i,
                      T1 + t + step + (i > 2 ? 3 * MILLISECOND : 0) + 3500, 0),
            t + 5000);
    }
    finish();
    assert_int_equal(decided.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(decided.exchanges[i].reason, i == 2 ? PTPMON_TIMES_CONTRADICT : PTPMON_COMPUTED);
        if (i != 2)
            assert_time(decided.exchanges[i].delay, 500, 0);
    }
}

/* The responder tells the stamp of an earlier message: the delay would be far below 0, or far too long. */
static void a_stamp_of_the_responder_that_is_another_messages(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        open_with(NULL);
        for (int i = 0; i < 6; i++) {
            int64_t t = i * SECOND, stale = i == 3 ? 400 * MILLISECOND : 0;
            see(pdelay_req(0, (uint16_t)i), t);
            see(pdelay_of(AVB_PTP_PDELAY_RESP, 0, (uint16_t)i, T1 + t + 500 - (wrong ? 0 : stale), 0), t + 4000);
            see(pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 0, (uint16_t)i, T1 + t + 3500 - (wrong ? stale : 0), 0),
                t + 5000);
        }
        finish();
        assert_int_equal(decided.count, 6);
        for (size_t i = 0; i < 6; i++) {
            assert_int_equal(decided.exchanges[i].reason, i == 3 ? PTPMON_TIMES_CONTRADICT : PTPMON_COMPUTED);
            if (i != 3)
                assert_time(decided.exchanges[i].delay, 500, 0);
        }
    }
}

static void a_new_source_is_found_once(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 20; i++) {
        struct kit_ptp sync = sync_of(i, false, EPOCH + i * SECOND, 0);
        see(sync, i * SECOND);
        sync.source = OTHER;
        if (i >= 10)
            see(sync, i * SECOND + MILLISECOND);
    }
    finish();
    assert_int_equal(decided.finding_count, 1);
    assert_int_equal(decided.findings[0].kind, PTPMON_FOUND_SOURCE_CHANGE);
    assert_int_equal(decided.findings[0].source.clockIdentity[7], OTHER);
}

static void a_new_time_base_is_found(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 4; i++) {
        struct kit_ptp sync = sync_of(i, true, 0, 0), follow_up = follow_up_of(i, EPOCH + i * SECOND, 0);
        sync.sdoId = follow_up.sdoId = GPTP;
        follow_up.has_follow_up_tlv = true;
        follow_up.gmTimeBaseIndicator = i / 2;
        see(sync, i * SECOND);
        see(follow_up, i * SECOND + 1000);
    }
    finish();
    assert_int_equal(decided.finding_count, 1);
    assert_int_equal(decided.findings[0].kind, PTPMON_FOUND_GM_TIME_BASE);
}

/* Where a recording begins and ends, exchanges are cut, and nothing is missing. */
static void the_edges_of_a_recording(void **state)
{
    (void)state;
    see(follow_up_of(1, EPOCH, 0), T1);
    for (int i = 2; i < 6; i++) {
        see(sync_of((uint16_t)i, true, 0, 0), T1 + i * SECOND);
        if (i != 3)
            see(follow_up_of((uint16_t)i, EPOCH + i * SECOND, 0), T1 + i * SECOND + 1000);
    }
    see(sync_of(6, true, 0, 0), T1 + 6 * SECOND);
    finish();
    assert_int_equal(decided.count, 6);
    assert_int_equal(tally(PTPMON_COUNT_WITHOUT_SYNC), 0);
    assert_int_equal(tally(PTPMON_COUNT_WITHOUT_FOLLOW_UP), 1); /* that of Sync 3 */
}

/* ---- Bounds ------------------------------------------------------------------------------- */

static void what_is_too_much_is_decided_early(void **state)
{
    (void)state;
    open_with(&(ptpmon_analyzer_options){.max_pending = 100});
    for (int i = 0; i < 1000; i++)
        see(sync_of((uint16_t)i, true, 0, 0), i);
    assert_int_equal(decided.count, 900);
    assert_int_equal(tally(PTPMON_COUNT_DECIDED_EARLY), 900);
    finish();
    assert_int_equal(decided.count, 1000);
    assert_int_equal(tally(PTPMON_COUNT_WITHOUT_FOLLOW_UP), 900); /* the last ones may have come after the end */
}

/* 100,000 ports that nobody knows: the past of the first ones is forgotten. */
static void invented_ports_are_forgotten(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    struct kit_ptp sync = sync_of(1, false, EPOCH, 0);
    uint32_t length = kit_ptp_frame(&sync, bytes);
    for (uint32_t i = 0; i < 100000; i++) {
        memcpy(bytes + 14 + 20, &i, sizeof i);
        ptpmon_frame frame = {
            .time_ns = EPOCH + i, .bytes = bytes, .captured_length = length, .length = length, .number = i + 1};
        assert_int_equal(ptpmon_analyzer_frame(analyzer, 0, &frame), PTPMON_OK);
        kit_take(analyzer, &decided);
    }
    finish();
    assert_int_equal(decided.count, 100000);
    assert_int_equal(tally(PTPMON_COUNT_PORTS_FORGOTTEN), 100000 - 4096);
}

static void what_is_not_fetched_is_kept_up_to_a_limit(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    ptpmon_exchange exchange;
    uint64_t fetched = 0;
    for (uint32_t i = 0; i < 70000; i++) {
        struct kit_ptp sync = sync_of((uint16_t)i, false, EPOCH, 0);
        uint32_t length = kit_ptp_frame(&sync, bytes);
        ptpmon_frame frame = {
            .time_ns = EPOCH + i * MILLISECOND, .bytes = bytes, .captured_length = length, .length = length};
        assert_int_equal(ptpmon_analyzer_frame(analyzer, 0, &frame), PTPMON_OK);
    }
    while (ptpmon_analyzer_next_exchange(analyzer, &exchange) == PTPMON_OK)
        assert_int_equal(exchange.sequenceId, fetched++ & 0xFFFF);
    assert_int_equal(fetched, 65536);
    assert_int_equal(tally(PTPMON_COUNT_NOT_FETCHED), 70000 - 65536);
}

static void arguments_that_are_refused(void **state)
{
    (void)state;
    ptpmon_analyzer *other;
    uint32_t point;
    ptpmon_analysis_counts counts;
    struct kit_ptp sync = sync_of(1, false, EPOCH, 0);
    uint8_t bytes[KIT_PTP_LENGTH];
    uint32_t length = kit_ptp_frame(&sync, bytes);
    ptpmon_frame frame = {.bytes = bytes, .captured_length = length, .length = length};
    ptpmon_observation observation = kit_observation(&sync, &(struct kit_times){.event = 1, .capture = EPOCH});
    const ptpmon_analyzer_options wrong[] = {
        {.window_ns = 30 * SECOND + 1}, {.stamps = PTPMON_STAMP_MESSAGE}, {.delay_filter = 256}};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ptpmon_analyzer_open(&wrong[i], &other), PTPMON_INVALID);
    assert_int_equal(ptpmon_analyzer_frame(analyzer, 1, &frame), PTPMON_INVALID);
    assert_int_equal(ptpmon_analyzer_counts(analyzer, 1, &counts), PTPMON_INVALID);
    for (uint32_t i = 1; i < 64; i++)
        assert_int_equal(ptpmon_analyzer_add_point(analyzer, "eth", &point), PTPMON_OK);
    assert_int_equal(ptpmon_analyzer_add_point(analyzer, "eth", &point), PTPMON_INVALID);
    assert_int_equal(ptpmon_analyzer_frame(analyzer, 0, &frame), PTPMON_OK);
    assert_int_equal(ptpmon_analyzer_observe(analyzer, 0, &observation), PTPMON_INVALID);
    assert_int_equal(ptpmon_analyzer_observe(analyzer, 1, &observation), PTPMON_OK);
    assert_int_equal(ptpmon_analyzer_frame(analyzer, 1, &frame), PTPMON_INVALID);
    assert_int_equal(ptpmon_analyzer_finish(analyzer), PTPMON_OK);
    assert_int_equal(ptpmon_analyzer_finish(analyzer), PTPMON_OK);
    assert_int_equal(ptpmon_analyzer_frame(analyzer, 0, &frame), PTPMON_INVALID);
    ptpmon_analyzer_close(NULL);
}

typedef const char *(*name_of)(int value);

static const char *kind_name(int value)
{
    return ptpmon_exchange_kind_name((ptpmon_exchange_kind)value);
}

static const char *stamp_name(int value)
{
    return ptpmon_stamp_kind_name((ptpmon_stamp_kind)value);
}

static const char *end_name(int value)
{
    return ptpmon_end_name((ptpmon_end)value);
}

static const char *reason_name(int value)
{
    return ptpmon_exchange_reason_name((ptpmon_exchange_reason)value);
}

static const char *count_name(int value)
{
    return ptpmon_count_name((ptpmon_count)value);
}

/* JSON is made of them. */
static void each_value_has_a_name_of_its_own(void **state)
{
    static const struct {
        name_of name;
        int count;
        const char *first, *last;
    } cases[] = {
        {kind_name, PTPMON_EXCHANGE_KINDS, "sync", "transit"},
        {stamp_name, PTPMON_STAMP_KINDS, "none", "capture"},
        {end_name, PTPMON_ENDS, "unknown", "bystander"},
        {reason_name, PTPMON_EXCHANGE_REASONS, "computed", "several_alike"},
        {count_name, PTPMON_COUNTS, "missing_messages", "seen_at_one_point"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(cases[i].name(0), cases[i].first);
        assert_string_equal(cases[i].name(cases[i].count - 1), cases[i].last);
        assert_string_equal(cases[i].name(cases[i].count), "unknown");
        assert_string_equal(cases[i].name(-1), "unknown");
        for (int value = 1; value < cases[i].count; value++) {
            assert_string_not_equal(cases[i].name(value), "unknown");
            for (int before = 0; before < value; before++)
                assert_string_not_equal(cases[i].name(value), cases[i].name(before));
        }
    }
}

/* Any order within the window of many exchanges, of all kinds at once, with any duplicates: each is computed once, and
 * the numbers are the same. */
static void shuffled_exchanges(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct random random = {seed};
        struct {
            struct kit_ptp ptp;
            int64_t time;
        } messages[400];
        size_t count = 0;
        open_with(NULL);
        for (uint16_t i = 0; i < 40; i++) {
            int64_t t = i * SECOND / 8;
            messages[count].ptp = sync_of(i, true, 0, KIT_SCALED(3));
            messages[count++].time = t + 2003;
            messages[count].ptp = follow_up_of(i, EPOCH + t, 0);
            messages[count++].time = t + 3000;
            messages[count].ptp = pdelay_req(0, i);
            messages[count++].time = t + 10000;
            messages[count].ptp = pdelay_of(AVB_PTP_PDELAY_RESP, 0, i, T1 + t + 500, 0);
            messages[count++].time = t + 14000;
            messages[count].ptp = pdelay_of(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 0, i, T1 + t + 3500, 0);
            messages[count++].time = t + 15000;
        }
        for (size_t i = 0; i < count; i++) {
            size_t other = i + random_below(&random, count - i < 12 ? count - i : 12);
            __typeof__(messages[0]) kept = messages[i];
            messages[i] = messages[other];
            messages[other] = kept;
        }
        for (size_t i = 0; i < count; i++) {
            see(messages[i].ptp, messages[i].time);
            if (random_chance(&random, 10))
                see(messages[i].ptp, messages[i].time);
        }
        finish();
        assert_int_equal(decided.count, 80);
        for (size_t i = 0; i < decided.count; i++) {
            const ptpmon_exchange *exchange = &decided.exchanges[i];
            if (exchange->kind == PTPMON_EXCHANGE_SYNC)
                assert_time(exchange->masterToSlave, 2000, 0);
            else
                assert_time(exchange->delay, 500, 0);
        }
        assert_int_equal(tally(PTPMON_COUNT_GAPS), 0);
        assert_int_equal(tally(PTPMON_COUNT_RESTARTS), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_step_e2e, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_step_e2e_with_corrections_of_both_signs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_delay_req_had_already_is_no_delay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sync_has_the_offset_of_the_newest_delay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_runs_freely_does_not_change_the_delay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_filtered_delay_is_the_median, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p2p_two_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p2p_subtracts_what_the_request_had_already, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p2p_one_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p2p_with_the_turnaround_as_a_correction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p2p_as_has_the_other_sign_of_the_responses_correction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gptp_over_udp_is_plain_p2p, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_neighbors_rate_scales_the_turnaround, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gptp_offset_of_link_delay_and_rates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(directions_unknown_the_link_is_that_of_the_syncs_port, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p2p_in_every_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_follow_up_waits_for_its_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_delay_req_waits_for_the_follow_up_of_its_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sync_after_the_delay_req_is_none_before_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sequence_ids_wrap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_sequence_ids_of_long_ago_are_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gaps_reordering_and_restarts_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(duplicates_make_no_exchanges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(messages_alike_are_not_mixed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_with_the_same_sequence_id_is_another_exchange, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_requesters_share_a_sequence_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_masters_answer_a_delay_req, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_ports_answer_a_pdelay_req, set_up, tear_down),
        cmocka_unit_test_setup_teardown(at_the_responder_there_is_no_delay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(at_the_master_its_stamps_are_audited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_one_step_transmitter_is_not_audited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_of_other_ports_give_no_delay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_cmlds_the_turnaround_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_missing_partner_has_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_is_decided_when_the_window_has_passed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_window_is_three_intervals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(e2e_without_the_follow_up_of_its_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(corrections_out_of_range_give_no_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timestamps_out_of_range_give_no_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timestamps_that_are_not_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(captures_cut_short_give_no_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_that_are_no_ptp_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_capture_clock_set_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(local_times_in_the_wrong_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_responders_clock_steps_within_an_exchange, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stamp_of_the_responder_that_is_another_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_source_is_found_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_time_base_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_edges_of_a_recording, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_decided_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invented_ports_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_fetched_is_kept_up_to_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(arguments_that_are_refused, set_up, tear_down),
        cmocka_unit_test(each_value_has_a_name_of_its_own),
        cmocka_unit_test_setup_teardown(shuffled_exchanges, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
