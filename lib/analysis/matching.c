/* SPDX-License-Identifier: MIT */
/* Which messages belong together. */
#include "analysis/engine.h"
#include "frame_key.h"

/* E2e: so many ports may answer one Delay_Req, each making an exchange; further ones are counted only. */
#define RESPONSES_MAX 8

/* ---- Windows ------------------------------------------------------------------------------ */

/* Three intervals of 2^-1 s and less, ... 2^3 s, more; the last is that of the caller. */
static const int64_t window_lengths[WINDOWS - 1] = {
    NS_PER_SECOND,      3 * NS_PER_SECOND / 2, 3 * NS_PER_SECOND,  6 * NS_PER_SECOND,
    12 * NS_PER_SECOND, 24 * NS_PER_SECOND,    30 * NS_PER_SECOND,
};

int64_t ptpmon_window_length(const struct ptpmon_point *point, unsigned window)
{
    return window < WINDOWS - 1 ? window_lengths[window] : (int64_t)point->analyzer->options.window_ns;
}

static uint8_t window_of_interval(int64_t interval_ns)
{
    uint8_t window = 0;
    while (window < WINDOWS - 2 && window_lengths[window] / 3 < interval_ns)
        window++;
    return window;
}

/* Of messages that come at the interval that they say, or else at the one that was measured. */
static uint8_t window_of(const struct ptpmon_point *point, const struct ptpmon_sighting *sighting,
                         const struct ptpmon_sequence *sequence)
{
    int interval = sighting->has_content ? sighting->logMessageInterval : 0x7F;
    if (point->analyzer->options.window_ns)
        return WINDOWS - 1;
    if (interval != 0x7F)
        return interval < -1 ? 0 : interval > 4 ? WINDOWS - 2 : (uint8_t)(interval + 2);
    return sequence && sequence->interval_ns > 0 ? window_of_interval(sequence->interval_ns) : 0;
}

/* ---- Pending exchanges -------------------------------------------------------------------- */

/* What a message is in an exchange. */
struct part {
    ptpmon_exchange_kind kind;
    enum ptpmon_place place;
    uint64_t key[2], hash; /* by who sent the first message of the exchange */
};

static bool is_peer_delay(ptpmon_exchange_kind kind)
{
    return kind == PTPMON_EXCHANGE_P2P || kind == PTPMON_EXCHANGE_P2P_AS;
}

static struct ptpmon_pending *pending_of(struct ptpmon_hash_node *node)
{
    return node ? PTPMON_CONTAINER_OF(node, struct ptpmon_pending, node) : NULL;
}

/* The newest pending exchange of this key, or the one before `newer`. */
static struct ptpmon_pending *find_pending(const struct ptpmon_point *point, const struct part *part,
                                           const struct ptpmon_pending *newer)
{
    struct ptpmon_pending *pending =
        pending_of(newer ? ptpmon_hash_table_next(&newer->node) : ptpmon_hash_table_first(&point->table, part->hash));
    while (pending && (pending->key[0] != part->key[0] || pending->key[1] != part->key[1]))
        pending = pending_of(ptpmon_hash_table_next(&pending->node));
    return pending;
}

void ptpmon_pending_free(struct ptpmon_point *point, struct ptpmon_pending *pending)
{
    ptpmon_slab_give(&point->analyzer->pending_slab, pending);
    point->pending_count--;
    point->analyzer->pending_count--;
}

/* What did not come, by name. */
static void tally_missing(struct ptpmon_point *point, const struct ptpmon_pending *pending)
{
    static const ptpmon_count names[PTPMON_EXCHANGE_P2P + 1][PLACES] = {
        [PTPMON_EXCHANGE_SYNC] = {PTPMON_COUNT_WITHOUT_SYNC, PTPMON_COUNTS, PTPMON_COUNT_WITHOUT_FOLLOW_UP},
        [PTPMON_EXCHANGE_E2E] = {PTPMON_COUNT_WITHOUT_DELAY_REQ, PTPMON_COUNT_WITHOUT_DELAY_RESP, PTPMON_COUNTS},
        [PTPMON_EXCHANGE_P2P] = {PTPMON_COUNT_WITHOUT_PDELAY_REQ, PTPMON_COUNT_WITHOUT_PDELAY_RESP,
                                 PTPMON_COUNT_WITHOUT_PDELAY_FOLLOW_UP},
    };
    bool p2p = is_peer_delay(pending->kind), alone = !pending->messages[PLACE_RESPONSE].present;
    if (p2p && alone && pending->messages[PLACE_FOLLOW_UP].present) {
        ptpmon_tally(point, PTPMON_COUNT_PDELAY_FOLLOW_UP_ALONE);
        return;
    }
    for (unsigned place = 0; place < PLACES; place++) {
        ptpmon_count name = names[p2p ? PTPMON_EXCHANGE_P2P : pending->kind][place];
        if (name != PTPMON_COUNTS && !pending->messages[place].present) {
            ptpmon_tally(point, name);
            return;
        }
    }
}

/* What is missing may have passed before the first message that was seen here, or after the last one. */
static bool reaches_outside(const struct ptpmon_point *point, const struct ptpmon_pending *pending)
{
    int64_t window_ns = ptpmon_window_length(point, pending->window);
    bool has_first = pending->messages[PLACE_FIRST].present;
    return point->analyzer->finished ||
           (!has_first && pending->deadline < ptpmon_instant_add(point->began, 2 * window_ns));
}

/* Its window has passed, or memory is needed. */
static void expire(struct ptpmon_point *point, struct ptpmon_pending *pending)
{
    ptpmon_hash_table_remove(&point->table, &pending->node);
    ptpmon_list_remove(&pending->queue);
    pending->expired = true;
    if (pending->state == PENDING_WAITING) {
        if (!pending->alike && !reaches_outside(point, pending))
            tally_missing(point, pending);
        ptpmon_complete(point, pending);
    } else if (pending->state == PENDING_SETTLED) {
        ptpmon_pending_free(point, pending);
    }
}

static struct ptpmon_pending *first_of_queue(const struct ptpmon_list *queue)
{
    return ptpmon_list_is_empty(queue) ? NULL : PTPMON_CONTAINER_OF(queue->next, struct ptpmon_pending, queue);
}

ptpmon_status ptpmon_expire(struct ptpmon_point *point, ptpmon_instant now)
{
    point->next_deadline = PTPMON_INSTANT_MAX;
    for (unsigned used = point->windows_used; used; used &= used - 1) {
        unsigned window = (unsigned)__builtin_ctz(used);
        struct ptpmon_pending *pending;
        while ((pending = first_of_queue(&point->windows[window])) && pending->deadline <= now)
            expire(point, pending);
        if (!pending)
            point->windows_used &= ~(1u << window);
        else if (pending->deadline < point->next_deadline)
            point->next_deadline = pending->deadline;
    }
    return ptpmon_settle(point, NULL);
}

/* The point's oldest, or of one that was settled the next to be forgotten. */
static struct ptpmon_pending *oldest_of(const struct ptpmon_point *point)
{
    struct ptpmon_pending *oldest = NULL;
    for (unsigned window = 0; window < WINDOWS; window++) {
        struct ptpmon_pending *pending = first_of_queue(&point->windows[window]);
        if (pending && (!oldest || pending->deadline < oldest->deadline))
            oldest = pending;
    }
    return oldest;
}

/* Makes room by deciding the oldest exchange of this point, or of the first one that has any. */
static void decide_early(struct ptpmon_point *point)
{
    const struct ptpmon_analyzer *analyzer = point->analyzer;
    for (uint32_t i = 0; point->pending_count == 0 && i < analyzer->point_count; i++)
        point = analyzer->points[i];
    struct ptpmon_pending *pending = oldest_of(point);
    if (pending) {
        if (pending->state != PENDING_SETTLED)
            ptpmon_tally(point, PTPMON_COUNT_DECIDED_EARLY);
        bool settled = pending->state == PENDING_SETTLED;
        expire(point, pending);
        if (!settled)
            (void)ptpmon_settle(point, pending);
        return;
    }
    /* All that is left has passed its window, and waits to be settled. */
    ptpmon_tally(point, PTPMON_COUNT_DECIDED_EARLY);
    (void)ptpmon_settle(point, PTPMON_CONTAINER_OF(point->completed.next, struct ptpmon_pending, completed));
}

static struct ptpmon_pending *new_pending(struct ptpmon_point *point, const struct part *part, uint8_t window)
{
    struct ptpmon_analyzer *analyzer = point->analyzer;
    if (analyzer->pending_count >= analyzer->options.max_pending || !ptpmon_slab_reserve(&analyzer->pending_slab))
        decide_early(point);
    struct ptpmon_pending *pending = ptpmon_slab_take(&analyzer->pending_slab);
    memset(pending, 0, offsetof(struct ptpmon_pending, messages));
    for (unsigned place = 0; place < PLACES; place++)
        pending->messages[place].present = false;
    ptpmon_list_init(&pending->completed);
    ptpmon_list_init(&pending->undecided);
    ptpmon_list_init(&pending->queue);
    memcpy(pending->key, part->key, sizeof pending->key);
    pending->kind = part->kind;
    pending->window = window;
    pending->deadline = ptpmon_instant_add(point->now, ptpmon_window_length(point, window));
    if (pending->deadline < point->next_deadline)
        point->next_deadline = pending->deadline;
    ptpmon_list_append(&point->windows[window], &pending->queue);
    point->windows_used |= 1u << window;
    ptpmon_hash_table_insert(&point->table, &pending->node, part->hash);
    point->pending_count++;
    analyzer->pending_count++;
    return pending;
}

/* ---- Matching ----------------------------------------------------------------------------- */

/* Of the message types that ptpmon_match() is given. */
static enum ptpmon_place place_of(uint8_t messageType)
{
    switch (messageType) {
    case AVB_PTP_DELAY_RESP:
    case AVB_PTP_PDELAY_RESP:
        return PLACE_RESPONSE;
    case AVB_PTP_FOLLOW_UP:
    case AVB_PTP_PDELAY_RESP_FOLLOW_UP:
        return PLACE_FOLLOW_UP;
    default:
        return PLACE_FIRST;
    }
}

static ptpmon_exchange_kind kind_of(const struct ptpmon_sighting *sighting)
{
    uint8_t majorSdoId = AVB_PTP_MAJOR_SDO_ID(sighting->sdoId);
    switch (sighting->messageType) {
    case AVB_PTP_SYNC:
    case AVB_PTP_FOLLOW_UP:
        return PTPMON_EXCHANGE_SYNC;
    case AVB_PTP_DELAY_REQ:
    case AVB_PTP_DELAY_RESP:
        return PTPMON_EXCHANGE_E2E;
    default:
        return (majorSdoId == 1 || majorSdoId == 2) && sighting->transport == AVB_TRANSPORT_ETHERNET
                   ? PTPMON_EXCHANGE_P2P_AS
                   : PTPMON_EXCHANGE_P2P;
    }
}

/* Who asked: the message says so, or else it was the one that asked last, the other way. */
static ptpmon_port_identity requester_of(struct ptpmon_point *point, const struct ptpmon_sighting *sighting,
                                         ptpmon_exchange_kind kind)
{
    static const ptpmon_port_identity unknown = {0};
    if (sighting->has & PTPMON_MESSAGE_REQUESTING)
        return sighting->requesting;
    if (sighting->direction > AVB_DIRECTION_TX)
        return unknown;
    return ptpmon_domain_get(point, sighting)->requesting[is_peer_delay(kind)][!sighting->direction];
}

static struct part part_of(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    struct part part = {.kind = kind_of(sighting), .place = place_of(sighting->messageType)};
    bool first = part.place == PLACE_FIRST || part.kind == PTPMON_EXCHANGE_SYNC;
    ptpmon_port_identity initiator = first ? sighting->source : requester_of(point, sighting, part.kind);
    part.key[0] = ptpmon_clock_word(&initiator);
    part.key[1] = (uint64_t)initiator.portNumber << 48 | (uint64_t)sighting->sequenceId << 32 |
                  (uint64_t)sighting->sdoId << 16 | (uint64_t)sighting->domainNumber << 8 | (uint64_t)part.kind;
    part.hash = ptpmon_hash_mix(part.key[0] * (point->table.seed | 1) + part.key[1]);
    return part;
}

static bool same_content(const struct ptpmon_sighting *a, const struct ptpmon_sighting *b)
{
    return a->correctionField == b->correctionField && a->seconds == b->seconds && a->nanoseconds == b->nanoseconds &&
           a->two_step == b->two_step && a->has == b->has && ptpmon_same_port(&a->source, &b->source);
}

/* What a message is to a pending exchange of its key. */
enum fit {
    FITS,          /* it was missing */
    FITS_BETTER,   /* the same is there, but without content */
    IS_DUPLICATE,  /* the same is there */
    IS_NOT_NEEDED, /* nothing like it is there, nor awaited */
    IS_ALIKE,      /* another is there in its place */
    IS_OF_ANOTHER, /* another is there in its place, and the exchange has all that it needs */
    IS_OF_ANOTHER_RESPONDER
};

static enum fit fit_of(const struct ptpmon_pending *pending, enum ptpmon_place place,
                       const struct ptpmon_sighting *sighting)
{
    const struct ptpmon_sighting *there = &pending->messages[place];
    const struct ptpmon_sighting *other =
        &pending->messages[place == PLACE_RESPONSE ? PLACE_FOLLOW_UP : PLACE_RESPONSE];
    bool answers = place != PLACE_FIRST && pending->kind != PTPMON_EXCHANGE_SYNC;
    if (there->present) {
        if (answers && !ptpmon_same_port(&there->source, &sighting->source))
            return IS_OF_ANOTHER_RESPONDER;
        if (!there->has_content || !sighting->has_content)
            return sighting->has_content && pending->state == PENDING_WAITING ? FITS_BETTER : IS_DUPLICATE;
        if (same_content(there, sighting))
            return IS_DUPLICATE;
        return pending->state == PENDING_WAITING ? IS_ALIKE : IS_OF_ANOTHER;
    }
    if (answers && other->present && !ptpmon_same_port(&other->source, &sighting->source))
        return IS_OF_ANOTHER_RESPONDER;
    return pending->state == PENDING_WAITING ? FITS : IS_NOT_NEEDED;
}

/* Has it all its messages? IEEE 802.1AS knows no one-step peer delay. */
static bool is_complete(const struct ptpmon_pending *pending)
{
    const struct ptpmon_sighting *messages = pending->messages;
    if (!messages[PLACE_FIRST].present)
        return false;
    if (pending->kind == PTPMON_EXCHANGE_SYNC)
        return !messages[PLACE_FIRST].two_step || messages[PLACE_FOLLOW_UP].present;
    if (!messages[PLACE_RESPONSE].present || pending->kind == PTPMON_EXCHANGE_E2E)
        return messages[PLACE_RESPONSE].present;
    bool two_step = messages[PLACE_RESPONSE].two_step || pending->kind == PTPMON_EXCHANGE_P2P_AS;
    return !two_step || messages[PLACE_FOLLOW_UP].present;
}

/* port: of the first message; NULL of others. */
static void put(struct ptpmon_point *point, struct ptpmon_pending *pending, struct ptpmon_port *port,
                enum ptpmon_place place, const struct ptpmon_sighting *sighting)
{
    pending->messages[place] = *sighting;
    pending->messages[place].present = true;
    bool waits_for_it = place == (pending->kind == PTPMON_EXCHANGE_SYNC ? PLACE_FIRST : PLACE_RESPONSE);
    if (waits_for_it && pending->messages[PLACE_FOLLOW_UP].present)
        ptpmon_tally(point, PTPMON_COUNT_FOLLOW_UP_FIRST);
    if (pending->alike)
        return;
    if (is_complete(pending))
        ptpmon_complete(point, pending);
    else if (port && pending->kind == PTPMON_EXCHANGE_SYNC && ptpmon_list_is_empty(&pending->undecided))
        ptpmon_list_append(&port->undecided, &pending->undecided);
}

/* More than one port answers. Of a Delay_Req each answer makes an exchange: there may be several masters. */
static void another_responder(struct ptpmon_point *point, struct ptpmon_pending *pending, const struct part *part,
                              const struct ptpmon_sighting *sighting)
{
    if (pending->kind != PTPMON_EXCHANGE_E2E || pending->responses >= RESPONSES_MAX) {
        if (!pending->several)
            ptpmon_tally(point, PTPMON_COUNT_SEVERAL_RESPONDERS);
        pending->several = true;
        return;
    }
    pending->responses++;
    struct ptpmon_sighting request = pending->messages[PLACE_FIRST];
    uint8_t responses = pending->responses;
    struct ptpmon_pending *another = new_pending(point, part, pending->window);
    another->responses = responses;
    another->messages[PLACE_FIRST] = request;
    put(point, another, NULL, PLACE_RESPONSE, sighting);
}

static void begin(struct ptpmon_point *point, struct ptpmon_port *port, const struct part *part,
                  const struct ptpmon_sighting *sighting)
{
    const struct ptpmon_sequence *sequence =
        port ? &port->sequences[ptpmon_sequence_type_of(sighting->messageType)] : NULL;
    struct ptpmon_pending *pending = new_pending(point, part, window_of(point, sighting, sequence));
    put(point, pending, port, part->place, sighting);
}

static ptpmon_status note_first(struct ptpmon_point *point, struct ptpmon_port *port,
                                const struct ptpmon_sighting *sighting)
{
    struct ptpmon_domain *domain = ptpmon_domain_get(point, sighting);
    if (sighting->messageType == AVB_PTP_SYNC) {
        if (sighting->direction != AVB_DIRECTION_TX)
            ptpmon_domain_follow(point, domain, sighting);
    } else if (sighting->direction <= AVB_DIRECTION_TX) {
        domain->requesting[sighting->messageType == AVB_PTP_PDELAY_REQ][sighting->direction] = sighting->source;
    }
    return ptpmon_port_follow(point, port, sighting);
}

/* Looks for the exchange that wants the message; the newest first. */
static struct ptpmon_pending *choose(const struct ptpmon_point *point, const struct part *part,
                                     const struct ptpmon_sighting *sighting, enum fit *fit)
{
    struct ptpmon_pending *chosen = NULL;
    for (struct ptpmon_pending *pending = find_pending(point, part, NULL); pending;
         pending = find_pending(point, part, pending)) {
        enum fit this = fit_of(pending, part->place, sighting);
        if (chosen && (this == IS_OF_ANOTHER || this == IS_OF_ANOTHER_RESPONDER))
            continue;
        chosen = pending;
        *fit = this;
        if (this != IS_OF_ANOTHER && this != IS_OF_ANOTHER_RESPONDER)
            break;
    }
    return chosen;
}

static void take(struct ptpmon_point *point, struct ptpmon_port *port, struct ptpmon_pending *pending, enum fit fit,
                 const struct part *part, const struct ptpmon_sighting *sighting)
{
    switch (fit) {
    case FITS:
    case FITS_BETTER:
        put(point, pending, port, part->place, sighting);
        break;
    case IS_ALIKE:
        pending->alike = true;
        break;
    case IS_OF_ANOTHER:
        expire(point, pending); /* so that the exchanges of one key stay few */
        begin(point, port, part, sighting);
        break;
    case IS_OF_ANOTHER_RESPONDER:
        another_responder(point, pending, part, sighting);
        break;
    case IS_DUPLICATE:
        ptpmon_tally(point, PTPMON_COUNT_DUPLICATES);
        break;
    case IS_NOT_NEEDED:
        break;
    }
}

ptpmon_status ptpmon_match(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    struct part part = part_of(point, sighting);
    struct ptpmon_port *port = part.place == PLACE_FIRST ? ptpmon_port_get(point, sighting) : NULL;
    enum fit fit = FITS;
    ptpmon_status status = PTPMON_OK;
    struct ptpmon_pending *pending = choose(point, &part, sighting, &fit);
    if (port && (fit == FITS || fit == IS_OF_ANOTHER))
        status = note_first(point, port, sighting);
    if (pending)
        take(point, port, pending, fit, &part, sighting);
    else
        begin(point, port, &part, sighting);
    return status;
}
