/* SPDX-License-Identifier: MIT */
/* What is remembered of ports, of pairs of them and of domains, at one observation point. */
#include "analysis/engine.h"

#include <stdlib.h>

/* Of each kind, at each point. */
#define KEPT 4096

/* Kinds of pairs beside ptpmon_exchange_kind. */
#define PAIR_LINK PTPMON_EXCHANGE_KINDS

/* A message this much earlier than the newest one may have been overtaken by it. */
#define REORDERED_AT_MOST 64
/* One from before the first that was seen may come while the sequence is this young. */
#define AT_THE_BEGIN 2
/* So many more may be left out than would have come in the time, before it is another sequence. */
#define GAP_SPARE 64

/* ---- Memory ------------------------------------------------------------------------------- */

static void forget_port(struct ptpmon_map_entry *entry)
{
    struct ptpmon_port *port = PTPMON_CONTAINER_OF(entry, struct ptpmon_port, entry);
    while (!ptpmon_list_is_empty(&port->undecided))
        ptpmon_list_remove(port->undecided.next);
}

static size_t pair_bytes(const struct ptpmon_point *point)
{
    return sizeof(struct ptpmon_pair) + 2u * LOCAL_KINDS * point->analyzer->options.delay_filter * sizeof(ptpmon_time);
}

bool ptpmon_ports_open(struct ptpmon_point *point)
{
    return ptpmon_map_open(&point->ports, sizeof(struct ptpmon_port), KEPT, forget_port) &&
           ptpmon_map_open(&point->pairs, pair_bytes(point), KEPT, NULL) &&
           ptpmon_map_open(&point->domains, sizeof(struct ptpmon_domain), KEPT, NULL);
}

void ptpmon_ports_close(struct ptpmon_point *point)
{
    ptpmon_map_close(&point->ports);
    ptpmon_map_close(&point->pairs);
    ptpmon_map_close(&point->domains);
}

static struct ptpmon_map_key port_key(uint16_t sdoId, uint8_t domainNumber, const ptpmon_port_identity *port)
{
    return (struct ptpmon_map_key){
        {ptpmon_clock_word(port), (uint64_t)port->portNumber << 32 | (uint64_t)sdoId << 8 | domainNumber, 0}};
}

struct ptpmon_port *ptpmon_port_get(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    struct ptpmon_map_key key = port_key(sighting->sdoId, sighting->domainNumber, &sighting->source);
    struct ptpmon_map_entry *entry = ptpmon_map_get(&point->ports, &key);
    struct ptpmon_port *port = PTPMON_CONTAINER_OF(entry, struct ptpmon_port, entry);
    if (!port->undecided.next)
        ptpmon_list_init(&port->undecided);
    return port;
}

struct ptpmon_port *ptpmon_port_find(struct ptpmon_point *point, uint16_t sdoId, uint8_t domainNumber,
                                     const ptpmon_port_identity *port)
{
    struct ptpmon_map_key key = port_key(sdoId, domainNumber, port);
    struct ptpmon_map_entry *entry = ptpmon_map_find(&point->ports, &key);
    return entry ? PTPMON_CONTAINER_OF(entry, struct ptpmon_port, entry) : NULL;
}

static struct ptpmon_pair *pair_of(struct ptpmon_map_entry *entry)
{
    return entry ? PTPMON_CONTAINER_OF(entry, struct ptpmon_pair, entry) : NULL;
}

struct ptpmon_pair *ptpmon_pair_get(struct ptpmon_point *point, ptpmon_exchange_kind kind,
                                    const struct ptpmon_sighting *answer, const ptpmon_port_identity *requesting)
{
    struct ptpmon_map_key key = {{
        ptpmon_clock_word(&answer->source),
        ptpmon_clock_word(requesting),
        (uint64_t)answer->source.portNumber << 48 | (uint64_t)requesting->portNumber << 32 |
            (uint64_t)answer->sdoId << 16 | (uint64_t)answer->domainNumber << 8 | (uint64_t)kind,
    }};
    return pair_of(ptpmon_map_get(&point->pairs, &key));
}

/* A link is the same one in every domain. */
static struct ptpmon_map_key link_key(const ptpmon_port_identity *answering)
{
    return (struct ptpmon_map_key){
        {ptpmon_clock_word(answering), 0, (uint64_t)answering->portNumber << 48 | PAIR_LINK}};
}

struct ptpmon_pair *ptpmon_link_find(struct ptpmon_point *point, const ptpmon_port_identity *answering)
{
    struct ptpmon_map_key key = link_key(answering);
    return pair_of(ptpmon_map_find(&point->pairs, &key));
}

struct ptpmon_pair *ptpmon_link_get(struct ptpmon_point *point, const ptpmon_port_identity *answering)
{
    struct ptpmon_map_key key = link_key(answering);
    return pair_of(ptpmon_map_get(&point->pairs, &key));
}

struct ptpmon_domain *ptpmon_domain_get(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    struct ptpmon_map_key key = {{0, 0, (uint64_t)sighting->sdoId << 8 | sighting->domainNumber}};
    struct ptpmon_map_entry *entry = ptpmon_map_get(&point->domains, &key);
    return PTPMON_CONTAINER_OF(entry, struct ptpmon_domain, entry);
}

void ptpmon_pair_filter(struct ptpmon_point *point, struct ptpmon_pair *pair, ptpmon_stamp_kind kind,
                        ptpmon_exchange *exchange)
{
    uint32_t size = point->analyzer->options.delay_filter;
    ptpmon_time *newest = pair->values + 2u * (size_t)KIND_INDEX(kind) * size;
    exchange->delay_filtered =
        ptpmon_median_add(&pair->medians[KIND_INDEX(kind)], newest, newest + size, size, exchange->delay);
    exchange->known |= PTPMON_KNOWS_DELAY_FILTERED;
}

/* ---- Sequences ---------------------------------------------------------------------------- */

/* How many messages would have come by now, were none left out. */
static int64_t expected_by(const struct ptpmon_sequence *sequence, ptpmon_instant time)
{
    int64_t since = time - sequence->time;
    if (sequence->interval_ns <= 0 || since <= 0)
        return 0;
    return since / sequence->interval_ns;
}

static void begin(struct ptpmon_sequence *sequence)
{
    sequence->begun = true;
    sequence->missing = 0;
    sequence->since_begin = 0;
}

static void move_on(struct ptpmon_sequence *sequence, uint16_t by)
{
    uint64_t left_out = by - 1u >= 64 ? UINT64_MAX : ((UINT64_C(1) << (by - 1u)) - 1) << 1;
    sequence->missing = by >= 64 ? left_out : sequence->missing << by | left_out;
    sequence->since_begin = sequence->since_begin + by > 64 ? 64 : (uint16_t)(sequence->since_begin + by);
}

/* A message of a lower sequenceId: late, or of a new sequence? */
static bool was_overtaken(struct ptpmon_point *point, struct ptpmon_sequence *sequence, uint16_t behind, bool is_older)
{
    if (behind >= REORDERED_AT_MOST)
        return false;
    uint64_t bit = UINT64_C(1) << behind;
    bool left_out = sequence->missing & bit;
    bool before_begin = behind > sequence->since_begin && sequence->since_begin <= AT_THE_BEGIN;
    if (!left_out && !before_begin && !is_older)
        return false;
    if (left_out)
        point->counts.counts[PTPMON_COUNT_GAPS]--;
    sequence->missing &= ~bit;
    return true;
}

static void set_newest(struct ptpmon_sequence *sequence, const struct ptpmon_sighting *sighting)
{
    sequence->sequenceId = sighting->sequenceId;
    sequence->time = sighting->time;
}

/* In order: it is the one after the one before it. */
static bool follow(struct ptpmon_point *point, struct ptpmon_sequence *sequence, const struct ptpmon_sighting *sighting)
{
    uint16_t ahead = (uint16_t)(sighting->sequenceId - sequence->sequenceId);
    if (!sequence->begun) {
        begin(sequence);
        set_newest(sequence, sighting);
        return false;
    }
    if (ahead == 1) {
        if (sighting->sequenceId == 0)
            ptpmon_tally(point, PTPMON_COUNT_WRAPS);
        move_on(sequence, 1);
        if (sighting->time > sequence->time)
            sequence->interval_ns = sighting->time - sequence->time;
        set_newest(sequence, sighting);
        return true;
    }
    if (ahead > 0x8000 && was_overtaken(point, sequence, (uint16_t)-ahead, sighting->time < sequence->time)) {
        ptpmon_tally(point, PTPMON_COUNT_REORDERED);
        return false;
    }
    if (ahead > 0 && ahead <= 0x8000 && ahead <= 2 * expected_by(sequence, sighting->time) + GAP_SPARE) {
        point->counts.counts[PTPMON_COUNT_GAPS] += ahead - 1u;
        if (sighting->sequenceId < sequence->sequenceId)
            ptpmon_tally(point, PTPMON_COUNT_WRAPS);
        move_on(sequence, ahead);
    } else {
        ptpmon_tally(point, PTPMON_COUNT_RESTARTS);
        begin(sequence);
    }
    set_newest(sequence, sighting);
    return false;
}

enum ptpmon_sequence_type ptpmon_sequence_type_of(uint8_t messageType)
{
    switch (messageType) {
    case AVB_PTP_SYNC:
        return SEQUENCE_SYNC;
    case AVB_PTP_DELAY_REQ:
        return SEQUENCE_DELAY_REQ;
    case AVB_PTP_PDELAY_REQ:
        return SEQUENCE_PDELAY_REQ;
    default:
        return SEQUENCE_ANNOUNCE;
    }
}

/* The interval between two messages is told where one clock, that was not stepped, stamped both. */
ptpmon_status ptpmon_port_follow(struct ptpmon_point *point, struct ptpmon_port *port,
                                 const struct ptpmon_sighting *sighting)
{
    struct ptpmon_sequence *sequence = &port->sequences[ptpmon_sequence_type_of(sighting->messageType)];
    ptpmon_stamp_kind kind = ptpmon_best_kind(sighting->stamp_kinds & point->analyzer->allowed_kinds);
    uint32_t segment = 0;
    uint64_t from = sequence->begun ? sequence->event_time : sighting->event_time;
    bool same_clock = sequence->stamp == kind;
    bool in_order = follow(point, sequence, sighting) && same_clock;
    sequence->stamp = kind;
    sequence->event_time = sighting->event_time;
    if (kind == PTPMON_STAMP_NONE)
        return PTPMON_OK;
    if (ptpmon_ran(point, kind, from < sighting->event_time ? from : sighting->event_time, sighting->event_time, true,
                   &segment) != PTPMON_CLOCK_RAN) {
        in_order = false;
        (void)ptpmon_ran(point, kind, sighting->event_time, sighting->event_time, true, &segment);
    }
    struct ptpmon_interval_message message = {
        .point = point->number,
        .segment = segment,
        .stamps = kind,
        .messageType = sighting->messageType,
        .domainNumber = sighting->domainNumber,
        .logMessageInterval = sighting->has_content ? sighting->logMessageInterval : 0x7F,
        .in_order = in_order,
        .sdoId = sighting->sdoId,
        .sequenceId = sighting->sequenceId,
        .source = sighting->source,
        .time_ns = sighting->stamp_ns[KIND_INDEX(kind)],
    };
    return ptpmon_statistics_set_message(point->analyzer->statistics, &message);
}

/* ---- Sources ------------------------------------------------------------------------------ */

/* A source that was heard before is the current one again when it has sent so many Syncs, and no other any. */
#define IN_A_ROW 3

static void report_source(struct ptpmon_point *point, const struct ptpmon_sighting *sync)
{
    ptpmon_finding finding = {
        .kind = PTPMON_FOUND_SOURCE_CHANGE,
        .point = point->number,
        .domainNumber = sync->domainNumber,
        .sdoId = sync->sdoId,
        .source = sync->source,
        .event_time = sync->event_time,
        .realtime_ns = sync->realtime_ns,
    };
    ptpmon_analyzer_found(point->analyzer, &finding);
}

/* Puts the source to the front; was it there? */
static bool hear(struct ptpmon_domain *domain, const ptpmon_port_identity *source)
{
    unsigned at = 0;
    while (at < domain->source_count && !ptpmon_same_port(&domain->sources[at], source))
        at++;
    bool known = at < domain->source_count;
    if (!known && domain->source_count < SOURCES_KEPT)
        domain->source_count++;
    if (!known)
        at = domain->source_count - 1u;
    memmove(domain->sources + 1, domain->sources, at * sizeof *domain->sources);
    domain->sources[0] = *source;
    return known;
}

void ptpmon_domain_follow(struct ptpmon_point *point, struct ptpmon_domain *domain, const struct ptpmon_sighting *sync)
{
    bool goes_on =
        ptpmon_same_port(&domain->before, &sync->source) && ptpmon_same_port(&domain->current, &sync->source);
    if (goes_on && domain->in_a_row == IN_A_ROW)
        return;
    bool again = domain->has_current && ptpmon_same_port(&domain->before, &sync->source);
    domain->in_a_row = again ? (uint8_t)(domain->in_a_row < IN_A_ROW ? domain->in_a_row + 1 : IN_A_ROW) : 1;
    domain->before = sync->source;
    bool known = hear(domain, &sync->source);
    if (domain->has_current && ptpmon_same_port(&domain->current, &sync->source))
        return;
    if (domain->has_current && known && domain->in_a_row < IN_A_ROW)
        return;
    if (domain->has_current)
        report_source(point, sync);
    domain->has_current = true;
    domain->current = sync->source;
}
