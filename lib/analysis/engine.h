/* SPDX-License-Identifier: MIT */
/*
 * The inside of an analyzer: what the modules that make exchanges share.
 *
 * A message seen at a point (a sighting) finds the exchange that it belongs to (matching.c), by its key and within a
 * window of time. An exchange to which all its messages have come, or whose window has passed, waits in the order of
 * its completion until it can be settled (settle.c): until it is known that the local clock ran through, and that the
 * Sync before a Delay_Req will not come any more. sync.c, e2e.c and peer_delay.c compute it, with what is remembered
 * of ports (port.c).
 */
#ifndef PTPMON_LIB_ANALYSIS_ENGINE_H
#define PTPMON_LIB_ANALYSIS_ENGINE_H

#include "analysis/bounded_map.h"
#include "analysis/local_clock.h"
#include "analysis/rate.h"
#include "analysis/statistics.h"
#include "analysis/time.h"
#include "instant.h"

#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* Kinds of local stamps. */
#define LOCAL_KINDS      3
#define KIND_BIT(kind)   (1u << ((kind)-PTPMON_STAMP_HARDWARE))
#define KIND_INDEX(kind) ((kind)-PTPMON_STAMP_HARDWARE)
#define KIND_AT(index)   ((ptpmon_stamp_kind)((int)PTPMON_STAMP_HARDWARE + (int)(index)))

/* Times beyond are not computed with, so that sums with corrections fit. */
#define LATEST_TIME_NS (INT64_MAX - 1000 * NS_PER_SECOND)

/* Of a timestamp in a message; those that are computed with are not negative. */
#define NO_TIME INT64_MIN

#define LARGEST_CORRECTION (10 * NS_PER_SECOND * PTPMON_FRACTIONS)

/* A message as it was seen at a point. */
struct ptpmon_sighting {
    bool present;
    bool has_content; /* a captured frame; `has` tells how much of it */
    bool two_step;
    uint8_t direction, messageType, domainNumber, transport;
    uint8_t has;         /* PTPMON_MESSAGE_... */
    uint8_t stamp_kinds; /* KIND_BIT() of those in stamp_ns */
    int8_t logMessageInterval;
    uint16_t sdoId, sequenceId, gmTimeBaseIndicator;
    int32_t cumulativeScaledRateOffset;
    uint32_t nanoseconds;
    uint64_t seconds;
    int64_t timestamp_ns; /* of seconds and nanoseconds; NO_TIME = they are out of range */
    int64_t correctionField;
    int64_t stamp_ns[LOCAL_KINDS];
    ptpmon_instant time; /* event time; of a capture alone capture time */
    uint64_t event_time, frame_number;
    int64_t realtime_ns;
    ptpmon_port_identity source, requesting;
};

/* The places of messages in a pending exchange. */
enum ptpmon_place {
    PLACE_FIRST,     /* Sync, Delay_Req, Pdelay_Req */
    PLACE_RESPONSE,  /* Delay_Resp, Pdelay_Resp */
    PLACE_FOLLOW_UP, /* Follow_Up, Pdelay_Resp_Follow_Up */
    PLACES
};

enum ptpmon_pending_state {
    PENDING_WAITING,  /* for messages */
    PENDING_COMPLETE, /* has all, or no more are awaited; waits to be settled */
    PENDING_SETTLED   /* is kept to know duplicates by, until its window has passed */
};

/* Windows are of these lengths: messages wait in one queue for each, in order of time. */
#define WINDOWS 8

/* What a complete Sync says: t1, and why it cannot be computed with. */
struct ptpmon_origin {
    ptpmon_exchange_reason reason;
    int64_t t1_ns;   /* as the message says */
    ptpmon_time t1c; /* corrected */
};

struct ptpmon_pending {
    struct ptpmon_hash_node node;
    struct ptpmon_list queue;     /* of its window */
    struct ptpmon_list completed; /* in order of completion */
    struct ptpmon_list undecided; /* Sync: of its port's */
    uint64_t key[2];
    ptpmon_exchange_kind kind;
    enum ptpmon_pending_state state;
    bool expired;      /* no longer in the table, nor in a queue */
    bool alike;        /* messages of the same key, unlike in content */
    bool several;      /* responders */
    uint8_t responses; /* e2e: exchanges made of this request */
    uint8_t window;
    ptpmon_instant deadline, completed_at;
    struct ptpmon_origin origin; /* Sync: once it is complete */
    struct ptpmon_sighting messages[PLACES];
};

/* A sequence of messages of one type and port. */
struct ptpmon_sequence {
    bool begun;
    uint16_t sequenceId;     /* of the newest */
    uint64_t missing;        /* bit n: sequenceId - n was left out, so far */
    uint16_t since_begin;    /* messages, up to 64: what is older was never seen */
    ptpmon_instant time;     /* of the newest */
    int64_t interval_ns;     /* the newest between two that follow one another; 0 = not known */
    uint64_t event_time;     /* of the newest */
    ptpmon_stamp_kind stamp; /* of the newest: by which its interval is told */
};

enum ptpmon_sequence_type { SEQUENCE_SYNC, SEQUENCE_DELAY_REQ, SEQUENCE_PDELAY_REQ, SEQUENCE_ANNOUNCE, SEQUENCES };

/* A Sync that Delay_Reqs can be computed with. */
struct ptpmon_used_sync {
    ptpmon_instant time;
    int64_t window_ns;
    int64_t t1_ns;
    ptpmon_time t1c;
    int64_t correction_sync, correction_follow_up;
    int64_t stamp_ns[LOCAL_KINDS];
    uint64_t event_time, frame_number;
    uint16_t sequenceId;
    uint8_t stamp_kinds;
    bool two_step;
};

#define SYNCS_KEPT 8

/* The newest delay that a Sync can be computed with. */
struct ptpmon_newest_delay {
    bool known, has_ratio;
    ptpmon_time delay, filtered; /* meanLinkDelay: on the local clock */
    double neighborRateRatio;
    ptpmon_instant time;
};

/* A port, in one domain. */
struct ptpmon_port {
    struct ptpmon_map_entry entry;
    struct ptpmon_sequence sequences[SEQUENCES];
    struct ptpmon_list undecided; /* Syncs without Follow_Up, so far */
    bool lost_follow_up, has_time_base;
    uint16_t gmTimeBaseIndicator;
    ptpmon_instant lost_follow_up_at; /* the newest Sync whose Follow_Up never came */
    struct ptpmon_used_sync syncs[SYNCS_KEPT];
    uint8_t sync_count, sync_next;
    struct ptpmon_rate rate[LOCAL_KINDS];           /* of its clock, by its Syncs */
    struct ptpmon_newest_delay delays[LOCAL_KINDS]; /* meanPathDelay to it */
};

/* A port that answers and one that asks. */
struct ptpmon_pair {
    struct ptpmon_map_entry entry;
    struct ptpmon_rate rate[LOCAL_KINDS];
    bool newest_known[LOCAL_KINDS];
    struct ptpmon_clock_pair newest[LOCAL_KINDS];
    struct ptpmon_median medians[LOCAL_KINDS];
    struct ptpmon_newest_delay delays[LOCAL_KINDS]; /* meanLinkDelay */
    ptpmon_time values[];                           /* of the medians */
};

/* Who sends the Syncs of a domain. */
#define SOURCES_KEPT 4

struct ptpmon_domain {
    struct ptpmon_map_entry entry;
    ptpmon_port_identity sources[SOURCES_KEPT]; /* heard lately, the newest first */
    uint8_t source_count, in_a_row;
    bool has_current;
    ptpmon_port_identity current, before; /* before: who sent the newest Sync */
    /* Who asked last, by direction and whether Pdelay_Req: for answers whose content is not known. */
    ptpmon_port_identity requesting[2][2];
};

struct ptpmon_last_stamp {
    bool known, doubtful; /* doubtful: went backwards, and it is not known yet whether by a step */
    int64_t ns;
    uint64_t event_time, doubtful_from, doubtful_to;
};

/* A reading of the NIC's clock, until it is known in which segment of it: those after it tell. */
struct ptpmon_phc_reading {
    uint64_t event_time;
    int64_t offset_ns; /* from UTC */
    double rate_ppm;
    bool has_rate;
};

#define PHC_READINGS_KEPT 4 /* the third one after it, at the latest, tells */

#define LATCHED_KEPT 8

struct ptpmon_point {
    ptpmon_analyzer *analyzer;
    uint32_t number;
    char name[PTPMON_NAME_MAX];
    bool takes_frames, takes_observations;
    struct ptpmon_local_clock *clocks[2]; /* HARDWARE, SOFTWARE; NULL: of a capture alone */
    ptpmon_instant began, now;            /* began: the first message */
    ptpmon_analysis_counts counts;

    struct ptpmon_hash_table table; /* of pending exchanges */
    struct ptpmon_list windows[WINDOWS];
    unsigned windows_used;        /* bits: in the others nothing waits */
    ptpmon_instant next_deadline; /* none is earlier */
    struct ptpmon_list completed;
    uint32_t pending_count;

    struct ptpmon_map ports, pairs, domains;
    struct ptpmon_newest_delay link[LOCAL_KINDS]; /* of what this point asked itself */

    struct ptpmon_phc_reading phc[PHC_READINGS_KEPT];
    unsigned phc_count;

    struct ptpmon_last_stamp last[LOCAL_KINDS][2]; /* by direction */
    int64_t latched[LATCHED_KEPT];                 /* the newest stamps of the NIC */
    uint8_t latched_next;
    uint16_t stamped_by_nic[2]; /* by direction; a bit for each transport and type of event message */
};

/* What was decided and not fetched yet. */
struct ptpmon_decided {
    struct ptpmon_list link;
    union {
        ptpmon_exchange exchange;
        ptpmon_finding finding;
    };
};

struct ptpmon_decided_queue {
    struct ptpmon_list list;
    struct ptpmon_slab slab;
    uint32_t count;
    struct ptpmon_decided *draft; /* the next one; always there */
};

struct ptpmon_transit;

#define POINTS_MAX 64

struct ptpmon_analyzer {
    ptpmon_analyzer_options options;
    uint8_t allowed_kinds; /* KIND_BIT() */
    bool finished;
    struct ptpmon_point *points[POINTS_MAX];
    uint32_t point_count, pending_count;
    struct ptpmon_slab pending_slab;
    struct ptpmon_decided_queue exchanges, findings;
    struct ptpmon_statistics_set *statistics;
    struct ptpmon_transit *transit; /* NULL: one point only */
};

static inline void ptpmon_tally(struct ptpmon_point *point, ptpmon_count count)
{
    point->counts.counts[count]++;
}

static inline bool ptpmon_same_port(const ptpmon_port_identity *a, const ptpmon_port_identity *b)
{
    return a->portNumber == b->portNumber && memcmp(a->clockIdentity, b->clockIdentity, 8) == 0;
}

static inline uint64_t ptpmon_clock_word(const ptpmon_port_identity *port)
{
    uint64_t word;
    memcpy(&word, port->clockIdentity, sizeof word);
    return word;
}

/* ---- analyzer.c --------------------------------------------------------------------------- */

void ptpmon_analyzer_found(struct ptpmon_analyzer *analyzer, const ptpmon_finding *finding);
/* Where the next exchange is to be made, so that it need not be copied. */
ptpmon_exchange *ptpmon_analyzer_draft(struct ptpmon_analyzer *analyzer);
/* Counts a settled exchange, gives it to the statistics and keeps it to be fetched; it is the draft. Errors:
 * NO_MEMORY. */
ptpmon_status ptpmon_analyzer_decided(struct ptpmon_point *point, const ptpmon_exchange *exchange);

/* ---- matching.c: from messages to pending exchanges ---------------------------------------- */

/* Takes a message that takes part in exchanges. Errors, of all of these: NO_MEMORY, and then the statistics lack
 * something. */
ptpmon_status ptpmon_match(struct ptpmon_point *point, const struct ptpmon_sighting *sighting);
/* Decides what waited for longer than its window by `now`; of next_deadline or later. */
ptpmon_status ptpmon_expire(struct ptpmon_point *point, ptpmon_instant now);
/* How long messages of one exchange lie apart at most; ptpmon_pending.window. */
int64_t ptpmon_window_length(const struct ptpmon_point *point, unsigned window);
void ptpmon_pending_free(struct ptpmon_point *point, struct ptpmon_pending *pending);

/* ---- port.c: what is remembered of ports --------------------------------------------------- */

bool ptpmon_ports_open(struct ptpmon_point *point);
void ptpmon_ports_close(struct ptpmon_point *point);

struct ptpmon_port *ptpmon_port_get(struct ptpmon_point *point, const struct ptpmon_sighting *sighting);
/* NULL: not known (any more). */
struct ptpmon_port *ptpmon_port_find(struct ptpmon_point *point, uint16_t sdoId, uint8_t domainNumber,
                                     const ptpmon_port_identity *port);
struct ptpmon_pair *ptpmon_pair_get(struct ptpmon_point *point, ptpmon_exchange_kind kind,
                                    const struct ptpmon_sighting *answer, const ptpmon_port_identity *requesting);
/* meanLinkDelay to a port, whoever asked; NULL: not known. */
struct ptpmon_pair *ptpmon_link_find(struct ptpmon_point *point, const ptpmon_port_identity *answering);
struct ptpmon_pair *ptpmon_link_get(struct ptpmon_point *point, const ptpmon_port_identity *answering);
struct ptpmon_domain *ptpmon_domain_get(struct ptpmon_point *point, const struct ptpmon_sighting *sighting);

/* Of Sync, Delay_Req, Pdelay_Req and Announce. */
enum ptpmon_sequence_type ptpmon_sequence_type_of(uint8_t messageType);
/* Follows the sequence of a message that is no duplicate: gaps, reordering, restarts; and its interval. Errors:
 * NO_MEMORY. */
ptpmon_status ptpmon_port_follow(struct ptpmon_point *point, struct ptpmon_port *port,
                                 const struct ptpmon_sighting *sighting);
/* A Sync was received: does the domain hear another source now? */
void ptpmon_domain_follow(struct ptpmon_point *point, struct ptpmon_domain *domain, const struct ptpmon_sighting *sync);

/* Adds a delay to a pair's median; sets the exchange's filtered one. */
void ptpmon_pair_filter(struct ptpmon_point *point, struct ptpmon_pair *pair, ptpmon_stamp_kind kind,
                        ptpmon_exchange *exchange);

/* ---- settle.c: from pending exchanges to exchanges ------------------------------------------ */

/* A pending exchange has all its messages, or will get no more. */
void ptpmon_complete(struct ptpmon_point *point, struct ptpmon_pending *pending);
/* Settles those that can be, in order; `until`: that one and all before it, come what may; NULL: none of them has to
 * be. */
ptpmon_status ptpmon_settle(struct ptpmon_point *point, struct ptpmon_pending *until);

/* What a kind of exchange does to settle: fills the exchange, which has its identities and times already. False: it
 * must wait (never when `must`). */
typedef bool (*ptpmon_settle_function)(struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                                       ptpmon_exchange *exchange);
bool ptpmon_settle_sync(struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                        ptpmon_exchange *exchange);
bool ptpmon_settle_e2e(struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                       ptpmon_exchange *exchange);
bool ptpmon_settle_peer_delay(struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                              ptpmon_exchange *exchange);

/* A complete Sync can be computed with from now on, if it is whole. */
void ptpmon_sync_completed(struct ptpmon_point *point, struct ptpmon_pending *pending);

/* The time that a message says, ns. COMPUTED, WITHOUT_FRAME, TIMESTAMP_OUT_OF_RANGE. */
static inline ptpmon_exchange_reason ptpmon_sighting_time(const struct ptpmon_sighting *sighting, int64_t *ns)
{
    if (!(sighting->has & PTPMON_MESSAGE_TIMESTAMP))
        return PTPMON_WITHOUT_FRAME;
    if (sighting->timestamp_ns == NO_TIME)
        return PTPMON_TIMESTAMP_OUT_OF_RANGE;
    *ns = sighting->timestamp_ns;
    return PTPMON_COMPUTED;
}

static inline bool ptpmon_correction_fits(int64_t correction)
{
    return correction <= LARGEST_CORRECTION && correction >= -LARGEST_CORRECTION;
}

/* 802.1AS: the grandmaster's clock over ours: over the neighbor's, as Follow_Up information says, times the neighbor's
 * over ours. */
static inline double ptpmon_gm_rate_ratio(int32_t cumulativeScaledRateOffset, const struct ptpmon_newest_delay *link)
{
    return ldexp(cumulativeScaledRateOffset, -41) + link->neighborRateRatio;
}

/* The first of two reasons that is one. */
static inline ptpmon_exchange_reason ptpmon_first_reason(ptpmon_exchange_reason first, ptpmon_exchange_reason then)
{
    return first != PTPMON_COMPUTED ? first : then;
}

/* The best kind among these bits; NONE: there is none. */
static inline ptpmon_stamp_kind ptpmon_best_kind(unsigned kinds)
{
    return kinds ? KIND_AT(__builtin_ctz(kinds)) : PTPMON_STAMP_NONE;
}

static inline ptpmon_stamp ptpmon_stamp_of(const struct ptpmon_sighting *sighting, ptpmon_stamp_kind kind)
{
    if (kind < PTPMON_STAMP_HARDWARE || !sighting->present || !(sighting->stamp_kinds & KIND_BIT(kind)))
        return (ptpmon_stamp){0, PTPMON_STAMP_NONE};
    return (ptpmon_stamp){sighting->stamp_ns[KIND_INDEX(kind)], kind};
}

static inline ptpmon_stamp ptpmon_stamp_of_message(int64_t ns)
{
    return (ptpmon_stamp){ns, PTPMON_STAMP_MESSAGE};
}

/* Did the clock of this kind run through, between two event times? Sets *segment where it did. NOT_SURE_YET never where
 * `must`: what nobody can tell any more counts as a step. Of a capture alone nothing is known of the clock. */
enum ptpmon_local_clock_run ptpmon_clock_ran(const struct ptpmon_point *point, ptpmon_stamp_kind kind, uint64_t from,
                                             uint64_t to, bool must, uint32_t *segment);
static inline enum ptpmon_local_clock_run ptpmon_ran(const struct ptpmon_point *point, ptpmon_stamp_kind kind,
                                                     uint64_t from, uint64_t to, bool must, uint32_t *segment)
{
    *segment = 0;
    return point->takes_observations ? ptpmon_clock_ran(point, kind, from, to, must, segment) : PTPMON_CLOCK_RAN;
}

/* ---- transit.c: one message at several points ----------------------------------------------- */

bool ptpmon_transit_open(struct ptpmon_analyzer *analyzer);
void ptpmon_transit_close(struct ptpmon_analyzer *analyzer);
/* The messages of a settled exchange. */
ptpmon_status ptpmon_transit_settled(struct ptpmon_point *point, const struct ptpmon_pending *pending);
/* Decides what has waited for long enough at this point; NULL: all. */
ptpmon_status ptpmon_transit_expire(struct ptpmon_analyzer *analyzer, const struct ptpmon_point *point);

#endif
