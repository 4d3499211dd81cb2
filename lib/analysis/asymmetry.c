/* SPDX-License-Identifier: MIT */
#include "analysis/asymmetry.h"

#include "analysis/floors.h"
#include "analysis/series.h"
#include "analysis/time.h"
#include "error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FINDINGS      256
#define WAYS_MAX      512
#define WAY_WINDOW_NS INT64_C(64000000000)
#define SOURCES_MAX   64   /* that are compared */
#define SOURCES_LEAST 3    /* of which one can be the odd one out */
#define RECENT_NS     6e10 /* grandmasters are compared if all were heard so recently */

/* What a port that tells times in whole ns says of the rest in correctionField: less than one. */
#define WHOLE_NS INT64_C(65536)

/* One direction, measured from one point to another by one clock: least of this window and of the one before. */
struct way {
    uint32_t point; /* of arrival */
    ptpmon_stamp_kind stamps;
    uint8_t domainNumber, messageType;
    uint16_t sdoId;
    ptpmon_port_identity sender;
    int64_t since_ns;
    double least, least_before;
};

/* Where answers of a port were sent from: its own point. */
struct home {
    uint32_t point;
    uint8_t domainNumber;
    uint16_t sdoId;
    ptpmon_port_identity source;
};

/* A master and a slave; or, of a link, a port that answers Pdelay_Req and one that asks. */
struct pair {
    ptpmon_asymmetry key;
    ptpmon_end end;
    uint32_t segment;
    struct ptpmon_floors floors;
};

struct ptpmon_asymmetries {
    struct ptpmon_statistics_options options;
    struct pair *pairs[PTPMON_PAIRS_MAX];
    size_t pairs_count;
    struct way ways[WAYS_MAX];
    struct home homes[WAYS_MAX];
    size_t ways_count, homes_count;
    ptpmon_finding findings[FINDINGS];
    size_t findings_first, findings_count;
};

static ptpmon_status no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "asymmetry: out of memory; close other programs");
}

ptpmon_status ptpmon_asymmetries_open(const struct ptpmon_statistics_options *options,
                                      struct ptpmon_asymmetries **asymmetries)
{
    struct ptpmon_asymmetries *created = calloc(1, sizeof *created);
    if (!created)
        return no_memory();
    if (options)
        created->options = *options;
    *asymmetries = created;
    return PTPMON_OK;
}

void ptpmon_asymmetries_close(struct ptpmon_asymmetries *asymmetries)
{
    if (!asymmetries)
        return;
    for (size_t i = 0; i < asymmetries->pairs_count; i++)
        free(asymmetries->pairs[i]);
    free(asymmetries);
}

/* ---- Pairs -------------------------------------------------------------------------------- */

static bool same_port(const ptpmon_port_identity *a, const ptpmon_port_identity *b)
{
    return a->portNumber == b->portNumber && memcmp(a->clockIdentity, b->clockIdentity, sizeof a->clockIdentity) == 0;
}

static bool is_link(const struct pair *pair)
{
    return pair->key.kind != PTPMON_EXCHANGE_E2E;
}

/* Whether the exchange is with the port from which this pair's forward direction comes. */
static bool has_source(const struct pair *pair, const ptpmon_exchange *exchange, ptpmon_stamp_kind stamps)
{
    return pair->key.point == exchange->point && pair->key.stamps == stamps &&
           pair->key.domainNumber == exchange->domainNumber && pair->key.sdoId == exchange->sdoId &&
           same_port(&pair->key.source, &exchange->source);
}

static struct pair *find_pair(const struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange,
                              ptpmon_stamp_kind stamps)
{
    for (size_t i = 0; i < asymmetries->pairs_count; i++) {
        struct pair *pair = asymmetries->pairs[i];
        if (has_source(pair, exchange, stamps) && pair->key.kind == exchange->kind &&
            same_port(&pair->key.requesting, &exchange->requesting))
            return pair;
    }
    return NULL;
}

static void begin_pair(struct pair *pair, uint32_t segment, ptpmon_time forward)
{
    bool near = forward.ns <= PTPMON_BASE_BEYOND && forward.ns >= -PTPMON_BASE_BEYOND;
    pair->key.base_ns = near ? 0 : forward.ns;
    pair->segment = segment;
    ptpmon_floors_begin(&pair->floors, pair->key.base_ns);
}

static double less_base(const struct pair *pair, ptpmon_time forward)
{
    return ptpmon_time_to_double(ptpmon_time_subtract(forward, ptpmon_time_of_ns(pair->key.base_ns)));
}

static double plus_base(const struct pair *pair, ptpmon_time reverse)
{
    return ptpmon_time_to_double(ptpmon_time_add(reverse, ptpmon_time_of_ns(pair->key.base_ns)));
}

/* A pair is known by its first exchange with both directions. NULL, and OK: there is room for no more. */
static ptpmon_status add_pair(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange,
                              ptpmon_stamp_kind stamps, struct pair **added)
{
    *added = NULL;
    if (asymmetries->pairs_count == PTPMON_PAIRS_MAX)
        return PTPMON_OK;
    struct pair *pair = calloc(1, sizeof *pair);
    if (!pair)
        return no_memory();
    pair->key = (ptpmon_asymmetry){
        .point = exchange->point,
        .stamps = stamps,
        .domainNumber = exchange->domainNumber,
        .sdoId = exchange->sdoId,
        .source = exchange->source,
        .requesting = exchange->requesting,
        .kind = exchange->kind,
    };
    pair->end = exchange->end;
    asymmetries->pairs[asymmetries->pairs_count++] = pair;
    *added = pair;
    return PTPMON_OK;
}

/* ---- Changes ------------------------------------------------------------------------------ */

/* local_ns: when the exchange began. */
static void look_for_change(struct ptpmon_asymmetries *asymmetries, struct pair *pair, const ptpmon_exchange *exchange,
                            int64_t local_ns)
{
    ptpmon_finding finding = {
        .point = pair->key.point,
        .domainNumber = pair->key.domainNumber,
        .sdoId = pair->key.sdoId,
        .source = pair->key.source,
        .event_time = exchange->event_time,
        .realtime_ns = exchange->realtime_ns,
    };
    int64_t changed_ns;
    if (!ptpmon_floors_change(&pair->floors, &finding.kind, &finding.size, &finding.bound, &changed_ns))
        return;
    uint64_t ago = (uint64_t)local_ns - (uint64_t)changed_ns;
    finding.event_time -= ago <= finding.event_time ? ago : finding.event_time;
    if (finding.realtime_ns != INT64_MIN)
        finding.realtime_ns = (int64_t)((uint64_t)finding.realtime_ns - ago);
    if (asymmetries->findings_count == FINDINGS)
        return;
    asymmetries->findings[(asymmetries->findings_first + asymmetries->findings_count++) % FINDINGS] = finding;
}

ptpmon_status ptpmon_asymmetries_finding(struct ptpmon_asymmetries *asymmetries, ptpmon_finding *finding)
{
    if (asymmetries->findings_count == 0)
        return PTPMON_NOTHING;
    *finding = asymmetries->findings[asymmetries->findings_first];
    asymmetries->findings_first = (asymmetries->findings_first + 1) % FINDINGS;
    asymmetries->findings_count--;
    return PTPMON_OK;
}

/* ---- Taking exchanges --------------------------------------------------------------------- */

static void take_forward(struct ptpmon_asymmetries *asymmetries, struct pair *pair, const ptpmon_exchange *exchange)
{
    int64_t local_ns = exchange->t[1].ns;
    if (ptpmon_floors_forward(&pair->floors, local_ns, less_base(pair, exchange->masterToSlave)))
        look_for_change(asymmetries, pair, exchange, local_ns);
}

static bool is_fraction(ptpmon_time correction)
{
    return correction.ns == 0 || (correction.ns == -1 && correction.fraction > 0);
}

/* A Sync that came over no more than its sender's link: no bridge corrected it. */
static bool came_straight(const ptpmon_exchange *exchange)
{
    return is_fraction(ptpmon_time_add(ptpmon_time_of_scaled(exchange->correction_sync),
                                       ptpmon_time_of_scaled(exchange->correction_follow_up)));
}

static void take_sync(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange)
{
    if (!(exchange->known & PTPMON_KNOWS_MASTER_TO_SLAVE))
        return;
    for (size_t i = 0; i < asymmetries->pairs_count; i++) {
        struct pair *pair = asymmetries->pairs[i];
        if (!has_source(pair, exchange, exchange->t[1].kind) || pair->segment != exchange->segment)
            continue;
        if (!is_link(pair))
            take_forward(asymmetries, pair, exchange);
        else if (asymmetries->options.has_true_offset && came_straight(exchange))
            ptpmon_floors_sync(&pair->floors, exchange->t[1].ns, less_base(pair, exchange->masterToSlave));
    }
}

static ptpmon_status take_e2e(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange)
{
    uint32_t both = PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_SLAVE_TO_MASTER;
    if ((exchange->known & both) != both)
        return PTPMON_OK;
    struct pair *pair = find_pair(asymmetries, exchange, exchange->t[2].kind);
    bool first = !pair;
    if (first) {
        ptpmon_status status = add_pair(asymmetries, exchange, exchange->t[2].kind, &pair);
        if (!pair)
            return status;
    }
    if (first || pair->segment != exchange->segment) {
        begin_pair(pair, exchange->segment, exchange->masterToSlave);
        take_forward(asymmetries, pair, exchange);
    }
    if (ptpmon_floors_reverse(&pair->floors, exchange->t[2].ns, plus_base(pair, exchange->slaveToMaster)))
        look_for_change(asymmetries, pair, exchange, exchange->t[2].ns);
    return PTPMON_OK;
}

/*
 * Of a link: t4 - t3, corrected, from the port that answers to the one that asks. False: it cannot be told from the
 * other direction. A transparent clock of IEEE 1588 in between adds what both directions took in it to correctionField,
 * and nothing says how much is of which; what says that there is none is a correctionField of less than 1 ns.
 */
static bool find_forward(const ptpmon_exchange *exchange, ptpmon_time *forward)
{
    ptpmon_time correction = ptpmon_time_of_scaled(exchange->correction_response_follow_up);
    if (exchange->kind == PTPMON_EXCHANGE_P2P) {
        correction = ptpmon_time_subtract(correction, ptpmon_time_of_scaled(exchange->correction_request));
        if (!is_fraction(correction) || !is_fraction(ptpmon_time_of_scaled(exchange->correction_response)))
            return false;
    }
    ptpmon_time sent = ptpmon_time_add(ptpmon_time_of_ns(exchange->t[2].ns), correction);
    *forward = ptpmon_time_subtract(ptpmon_time_of_ns(exchange->t[3].ns), sent);
    return true;
}

/*
 * The request's direction is the rest of both, so that meanLinkDelay is exactly half of their sum. neighborRateRatio,
 * by which that is told, moves the request to the instant of the response: in both directions there is the offset of
 * then.
 */
static ptpmon_status take_link(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange)
{
    uint32_t both = PTPMON_KNOWS_DELAY | PTPMON_KNOWS_NEIGHBOR_RATE_RATIO;
    ptpmon_time forward;
    if ((exchange->known & both) != both || !find_forward(exchange, &forward))
        return PTPMON_OK;
    ptpmon_time reverse = ptpmon_time_subtract(ptpmon_time_add(exchange->delay, exchange->delay), forward);
    ptpmon_stamp_kind stamps = exchange->t[3].kind;
    struct pair *pair = find_pair(asymmetries, exchange, stamps);
    bool first = !pair;
    if (first) {
        ptpmon_status status = add_pair(asymmetries, exchange, stamps, &pair);
        if (!pair)
            return status;
    }
    if (first || pair->segment != exchange->segment)
        begin_pair(pair, exchange->segment, forward);
    if (ptpmon_floors_forward(&pair->floors, exchange->t[3].ns, less_base(pair, forward)))
        look_for_change(asymmetries, pair, exchange, exchange->t[0].ns);
    (void)ptpmon_floors_reverse(&pair->floors, exchange->t[3].ns, plus_base(pair, reverse));
    return PTPMON_OK;
}

/* ---- Both ends by one clock --------------------------------------------------------------- */

static struct way *find_way(struct ptpmon_asymmetries *asymmetries, const struct way *key)
{
    for (size_t i = 0; i < asymmetries->ways_count; i++) {
        struct way *way = &asymmetries->ways[i];
        if (way->point == key->point && way->stamps == key->stamps && way->domainNumber == key->domainNumber &&
            way->messageType == key->messageType && way->sdoId == key->sdoId && same_port(&way->sender, &key->sender))
            return way;
    }
    return NULL;
}

static void take_transit(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange)
{
    if (!(exchange->known & PTPMON_KNOWS_RESIDENCE) || !asymmetries->options.points_share_clock)
        return;
    bool request = exchange->messageType == AVB_PTP_DELAY_REQ || exchange->messageType == AVB_PTP_PDELAY_REQ;
    struct way key = {
        .point = exchange->point,
        .stamps = exchange->t[1].kind,
        .domainNumber = exchange->domainNumber,
        .messageType = exchange->messageType,
        .sdoId = exchange->sdoId,
        .sender = request ? exchange->requesting : exchange->source,
        .since_ns = exchange->t[1].ns,
        .least = INFINITY,
        .least_before = INFINITY,
    };
    struct way *way = find_way(asymmetries, &key);
    if (!way && asymmetries->ways_count < WAYS_MAX) {
        way = &asymmetries->ways[asymmetries->ways_count++];
        *way = key;
    }
    if (!way)
        return;
    if ((int64_t)((uint64_t)exchange->t[1].ns - (uint64_t)way->since_ns) > WAY_WINDOW_NS) {
        way->since_ns = exchange->t[1].ns;
        way->least_before = way->least;
        way->least = INFINITY;
    }
    way->least = fmin(way->least, ptpmon_time_to_double(exchange->residence));
}

static bool is_home(const struct home *home, uint8_t domainNumber, uint16_t sdoId, const ptpmon_port_identity *source)
{
    return home->domainNumber == domainNumber && home->sdoId == sdoId && same_port(&home->source, source);
}

static void note_home(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange)
{
    if (exchange->end != PTPMON_END_RESPONDER || !asymmetries->options.points_share_clock)
        return;
    for (size_t i = 0; i < asymmetries->homes_count; i++)
        if (is_home(&asymmetries->homes[i], exchange->domainNumber, exchange->sdoId, &exchange->source))
            return;
    if (asymmetries->homes_count < WAYS_MAX)
        asymmetries->homes[asymmetries->homes_count++] = (struct home){
            .point = exchange->point,
            .domainNumber = exchange->domainNumber,
            .sdoId = exchange->sdoId,
            .source = exchange->source,
        };
}

ptpmon_status ptpmon_asymmetries_exchange(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange)
{
    note_home(asymmetries, exchange);
    switch (exchange->kind) {
    case PTPMON_EXCHANGE_SYNC:
        take_sync(asymmetries, exchange);
        return PTPMON_OK;
    case PTPMON_EXCHANGE_E2E:
        return take_e2e(asymmetries, exchange);
    case PTPMON_EXCHANGE_P2P:
    case PTPMON_EXCHANGE_P2P_AS:
        return take_link(asymmetries, exchange);
    case PTPMON_EXCHANGE_TRANSIT:
        take_transit(asymmetries, exchange);
        return PTPMON_OK;
    default:
        return PTPMON_OK;
    }
}

/* ---- Methods ------------------------------------------------------------------------------ */

struct told {
    double delayAsymmetry, bound;
};

/* No delay is negative, so no asymmetry exceeds the mean of both: what does is an error of the clocks. */
static bool is_possible(const struct told *told, const struct ptpmon_floor_summary *floors)
{
    return fabs(told->delayAsymmetry) <= floors->sum / 2 + floors->sum_bound + told->bound;
}

/* The true offset is the one from the master, which a link's other port need not be: what is at that port by the
 * master's clock are its own Syncs. */
static bool by_true_offset(const struct ptpmon_asymmetries *asymmetries, const struct pair *pair,
                           const struct ptpmon_floor_summary *floors, struct told *told)
{
    ptpmon_time base = ptpmon_time_of_ns(pair->key.base_ns);
    double apart = ptpmon_time_to_double(ptpmon_time_subtract(base, asymmetries->options.true_offset));
    if (!asymmetries->options.has_true_offset || (is_link(pair) && !floors->has_sync))
        return false;
    *told = (struct told){apart + floors->offset, floors->offset_bound + 1};
    if (is_link(pair)) {
        told->delayAsymmetry += floors->sync;
        told->bound += floors->sync_bound;
    }
    return is_possible(told, floors);
}

static double least_of(const struct way *way)
{
    return fmin(way->least, way->least_before);
}

static double bound_of(const struct way *way)
{
    bool both = way->least < INFINITY && way->least_before < INFINITY;
    return both ? fabs(way->least - way->least_before) : 0;
}

/* This pair's messages of this type and sender, which arrived at that point. */
static const struct way *way_of(const struct ptpmon_asymmetries *asymmetries, const struct pair *pair,
                                uint8_t messageType, const ptpmon_port_identity *sender, uint32_t point)
{
    struct way key = {
        .point = point,
        .stamps = pair->key.stamps,
        .domainNumber = pair->key.domainNumber,
        .messageType = messageType,
        .sdoId = pair->key.sdoId,
        .sender = *sender,
    };
    return find_way((struct ptpmon_asymmetries *)asymmetries, &key);
}

/* Sync or Pdelay_Resp from the point of the pair's source to its own, Delay_Req or Pdelay_Req the other way. That these
 * are the ends of the whole path shows in the sum, which the exchanges tell without any clock. */
static bool by_both_ends(const struct ptpmon_asymmetries *asymmetries, const struct pair *pair,
                         const struct ptpmon_floor_summary *floors, struct told *told)
{
    const struct home *home = NULL;
    for (size_t i = 0; i < asymmetries->homes_count && !home; i++)
        if (is_home(&asymmetries->homes[i], pair->key.domainNumber, pair->key.sdoId, &pair->key.source))
            home = &asymmetries->homes[i];
    if (!home || pair->end != PTPMON_END_REQUESTER)
        return false;
    uint8_t there = is_link(pair) ? AVB_PTP_PDELAY_RESP : AVB_PTP_SYNC;
    uint8_t back = is_link(pair) ? AVB_PTP_PDELAY_REQ : AVB_PTP_DELAY_REQ;
    const struct way *forward = way_of(asymmetries, pair, there, &pair->key.source, pair->key.point);
    const struct way *reverse = way_of(asymmetries, pair, back, &pair->key.requesting, home->point);
    if (!forward || !reverse)
        return false;
    double sum = least_of(forward) + least_of(reverse), bound = bound_of(forward) + bound_of(reverse);
    *told = (struct told){(least_of(forward) - least_of(reverse)) / 2, bound / 2 + 1};
    return fabs(sum - floors->sum) <= bound + 2 * floors->sum_bound + floors->sum / 10 + PTPMON_FLOOR_LEAST;
}

/* A grandmaster's offset as this pair's clock sees it, moved to one instant and to one base. */
struct seen {
    double offset, bound;
};

static int compare_seen(const void *a, const void *b)
{
    const struct seen *one = a, *other = b;
    return (one->offset > other->offset) - (one->offset < other->offset);
}

static bool is_counted(const struct ptpmon_asymmetries *asymmetries, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!is_link(asymmetries->pairs[i]) &&
            asymmetries->pairs[i]->key.point == asymmetries->pairs[index]->key.point &&
            same_port(&asymmetries->pairs[i]->key.source, &asymmetries->pairs[index]->key.source))
            return true;
    return false;
}

/* The offsets of all masters at this pair's point, each once, against this pair's base and at its time. */
static size_t masters_seen(const struct ptpmon_asymmetries *asymmetries, const struct pair *pair,
                           const struct ptpmon_floor_summary *floors, struct seen *seen)
{
    size_t count = 0;
    for (size_t i = 0; i < asymmetries->pairs_count && count < SOURCES_MAX; i++) {
        const struct pair *other = asymmetries->pairs[i];
        struct ptpmon_floor_summary theirs;
        bool itself = other == pair;
        if (is_link(other) || other->key.point != pair->key.point || other->key.stamps != pair->key.stamps ||
            other->segment != pair->segment ||
            (!itself && (same_port(&other->key.source, &pair->key.source) || is_counted(asymmetries, i))) ||
            !ptpmon_floors_summarize(&other->floors, &theirs))
            continue;
        double later = (double)(int64_t)((uint64_t)floors->at_ns - (uint64_t)theirs.at_ns);
        double base = (double)(int64_t)((uint64_t)other->key.base_ns - (uint64_t)pair->key.base_ns);
        if (fabs(later) <= RECENT_NS)
            seen[count++] = (struct seen){theirs.offset + theirs.rate * later + base, theirs.offset_bound};
    }
    return count;
}

static bool by_comparison(const struct ptpmon_asymmetries *asymmetries, const struct pair *pair,
                          const struct ptpmon_floor_summary *floors, struct told *told)
{
    struct seen seen[SOURCES_MAX];
    size_t count = is_link(pair) ? 0 : masters_seen(asymmetries, pair, floors, seen);
    if (count < SOURCES_LEAST)
        return false;
    qsort(seen, count, sizeof *seen, compare_seen);
    const struct seen *upper = &seen[count / 2], *lower = &seen[(count - 1) / 2];
    double median = lower->offset + (upper->offset - lower->offset) / 2;
    *told = (struct told){floors->offset - median, floors->offset_bound + fmax(upper->bound, lower->bound) + 1};
    return is_possible(told, floors);
}

static bool by_change(const struct pair *pair, struct told *told)
{
    *told = (struct told){pair->floors.change, pair->floors.change_bound};
    return pair->floors.change_found;
}

size_t ptpmon_asymmetries_count(const struct ptpmon_asymmetries *asymmetries)
{
    return asymmetries->pairs_count;
}

ptpmon_status ptpmon_asymmetries_get(const struct ptpmon_asymmetries *asymmetries, size_t index,
                                     ptpmon_asymmetry *asymmetry)
{
    struct ptpmon_floor_summary floors;
    struct told told;
    if (index >= asymmetries->pairs_count)
        return PTPMON_NOTHING;
    const struct pair *pair = asymmetries->pairs[index];
    *asymmetry = pair->key;
    if (!ptpmon_floors_summarize(&pair->floors, &floors))
        return PTPMON_OK;
    asymmetry->forward_floor = floors.forward;
    asymmetry->reverse_floor = floors.reverse;
    asymmetry->floor_window_s = floors.window_s;
    if (by_true_offset(asymmetries, pair, &floors, &told) || by_both_ends(asymmetries, pair, &floors, &told))
        asymmetry->method = PTPMON_ASYMMETRY_BY_REFERENCE;
    else if (by_comparison(asymmetries, pair, &floors, &told))
        asymmetry->method = PTPMON_ASYMMETRY_BY_COMPARISON;
    else if (by_change(pair, &told))
        asymmetry->method = PTPMON_ASYMMETRY_BY_CHANGE;
    else
        return PTPMON_OK;
    asymmetry->delayAsymmetry = told.delayAsymmetry;
    asymmetry->bound = told.bound;
    return PTPMON_OK;
}
