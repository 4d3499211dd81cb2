/* SPDX-License-Identifier: MIT */
/* The analyzer as programs see it: takes observations and frames, makes sightings of them, and keeps what follows. */
#include "analysis/engine.h"
#include "error.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_MAX_PENDING  65536u
#define LEAST_MAX_PENDING    16u
#define DEFAULT_DELAY_FILTER 10u
#define LONGEST_WINDOW_NS    (30 * NS_PER_SECOND)

#define DECIDED_MAX 65536u /* kept to be fetched */

/* Time that goes back by more than this is that of another clock, or of one that was set: all begins anew. */
#define BACK_AT_MOST_NS (60 * NS_PER_SECOND)
/* So much later than a reading of the clocks may a message be told that was seen before it. */
#define TOLD_LATE_NS (60 * NS_PER_SECOND)
/* So much may stamps be out of order: queues of a NIC are read one by one. */
#define DISORDER_NS (NS_PER_SECOND / 1000)
/* The same Announce again within this is a duplicate. */
#define DUPLICATE_NS NS_PER_SECOND

/* ---- Life --------------------------------------------------------------------------------- */

static bool open_queue(struct ptpmon_decided_queue *queue)
{
    ptpmon_list_init(&queue->list);
    ptpmon_slab_init(&queue->slab, sizeof(struct ptpmon_decided));
    if (ptpmon_slab_reserve(&queue->slab))
        queue->draft = ptpmon_slab_take(&queue->slab);
    return queue->draft != NULL;
}

static ptpmon_status set_options(struct ptpmon_analyzer *analyzer, const ptpmon_analyzer_options *given)
{
    ptpmon_analyzer_options *options = &analyzer->options;
    if (given)
        *options = *given;
    if (options->window_ns > (uint64_t)LONGEST_WINDOW_NS)
        return ptpmon_fail(PTPMON_INVALID, "analyzer: the window is at most 30 s, since sequenceIds come again");
    if (options->stamps == PTPMON_STAMP_MESSAGE || (unsigned)options->stamps >= PTPMON_STAMP_KINDS)
        return ptpmon_fail(PTPMON_INVALID, "analyzer: local stamps are of kind hardware, software or capture");
    if (options->delay_filter > PTPMON_DELAY_FILTER_MAX)
        return ptpmon_fail(PTPMON_INVALID, "analyzer: the median is of at most %d delays", PTPMON_DELAY_FILTER_MAX);
    if (options->max_pending == 0)
        options->max_pending = DEFAULT_MAX_PENDING;
    if (options->max_pending < LEAST_MAX_PENDING)
        options->max_pending = LEAST_MAX_PENDING;
    if (options->delay_filter == 0)
        options->delay_filter = DEFAULT_DELAY_FILTER;
    analyzer->allowed_kinds =
        options->stamps == PTPMON_STAMP_NONE ? (1u << LOCAL_KINDS) - 1 : (uint8_t)KIND_BIT(options->stamps);
    return PTPMON_OK;
}

ptpmon_status ptpmon_analyzer_open(const ptpmon_analyzer_options *options, ptpmon_analyzer **opened)
{
    if (!opened)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_analyzer_open: analyzer must not be NULL");
    struct ptpmon_analyzer *analyzer = calloc(1, sizeof *analyzer);
    if (!analyzer)
        return ptpmon_fail(PTPMON_NO_MEMORY, "analyzer: no memory for it");
    ptpmon_slab_init(&analyzer->pending_slab, sizeof(struct ptpmon_pending));
    bool has_memory = open_queue(&analyzer->exchanges);
    has_memory = open_queue(&analyzer->findings) && has_memory && ptpmon_slab_reserve(&analyzer->pending_slab);
    ptpmon_status status = set_options(analyzer, options);
    struct ptpmon_statistics_options statistics = {
        .points_share_clock = analyzer->options.points_share_clock,
        .has_true_offset = analyzer->options.has_true_offset,
        .true_offset = analyzer->options.true_offset,
    };
    if (status == PTPMON_OK && !has_memory)
        status = ptpmon_fail(PTPMON_NO_MEMORY, "analyzer: no memory for it");
    if (status == PTPMON_OK)
        status = ptpmon_statistics_set_open(&statistics, &analyzer->statistics);
    if (status != PTPMON_OK) {
        ptpmon_analyzer_close(analyzer);
        return status;
    }
    *opened = analyzer;
    return PTPMON_OK;
}

static void close_point(struct ptpmon_point *point)
{
    ptpmon_ports_close(point);
    ptpmon_hash_table_close(&point->table);
    ptpmon_local_clock_close(point->clocks[0]);
    ptpmon_local_clock_close(point->clocks[1]);
    free(point);
}

void ptpmon_analyzer_close(ptpmon_analyzer *analyzer)
{
    if (!analyzer)
        return;
    for (uint32_t i = 0; i < analyzer->point_count; i++)
        close_point(analyzer->points[i]);
    ptpmon_transit_close(analyzer);
    ptpmon_statistics_set_close(analyzer->statistics);
    ptpmon_slab_close(&analyzer->pending_slab);
    ptpmon_slab_close(&analyzer->exchanges.slab);
    ptpmon_slab_close(&analyzer->findings.slab);
    free(analyzer);
}

static ptpmon_status open_point(struct ptpmon_point *point)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        ptpmon_list_init(&point->windows[i]);
    ptpmon_list_init(&point->completed);
    point->began = point->now = PTPMON_INSTANT_MIN;
    point->next_deadline = PTPMON_INSTANT_MAX;
    bool opened = ptpmon_ports_open(point);
    if (!ptpmon_hash_table_open(&point->table) || !opened)
        return ptpmon_fail(PTPMON_NO_MEMORY, "analyzer: no memory for another point");
    ptpmon_status status = ptpmon_local_clock_open(PTPMON_STAMP_HARDWARE, &point->clocks[0]);
    return status == PTPMON_OK ? ptpmon_local_clock_open(PTPMON_STAMP_SOFTWARE, &point->clocks[1]) : status;
}

ptpmon_status ptpmon_analyzer_add_point(ptpmon_analyzer *analyzer, const char *name, uint32_t *number)
{
    if (!analyzer || !name || !number)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_analyzer_add_point: analyzer, name and point must not be NULL");
    if (analyzer->finished || analyzer->point_count == POINTS_MAX)
        return ptpmon_fail(PTPMON_INVALID, "analyzer: %s",
                           analyzer->finished ? "it has finished" : "there are 64 points, which is all that it takes");
    if (analyzer->point_count == 1 && !ptpmon_transit_open(analyzer))
        return ptpmon_fail(PTPMON_NO_MEMORY, "analyzer: no memory for another point");
    struct ptpmon_point *point = calloc(1, sizeof *point);
    if (!point)
        return ptpmon_fail(PTPMON_NO_MEMORY, "analyzer: no memory for another point");
    point->analyzer = analyzer;
    point->number = analyzer->point_count;
    snprintf(point->name, sizeof point->name, "%s", name);
    ptpmon_status status = open_point(point);
    if (status != PTPMON_OK) {
        close_point(point);
        return status;
    }
    analyzer->points[analyzer->point_count++] = point;
    *number = point->number;
    return PTPMON_OK;
}

/* ---- What is to be fetched ---------------------------------------------------------------- */

/* Keeps the draft, and has another one. False: it is too much, or there is no memory; then it is lost. */
static bool keep(struct ptpmon_decided_queue *queue)
{
    if (queue->count >= DECIDED_MAX || !ptpmon_slab_reserve(&queue->slab))
        return false;
    ptpmon_list_init(&queue->draft->link);
    ptpmon_list_append(&queue->list, &queue->draft->link);
    queue->draft = ptpmon_slab_take(&queue->slab);
    queue->count++;
    return true;
}

static struct ptpmon_decided *first_of(const struct ptpmon_decided_queue *queue)
{
    return ptpmon_list_is_empty(&queue->list) ? NULL
                                              : PTPMON_CONTAINER_OF(queue->list.next, struct ptpmon_decided, link);
}

static void drop(struct ptpmon_decided_queue *queue, struct ptpmon_decided *decided)
{
    ptpmon_list_remove(&decided->link);
    ptpmon_slab_give(&queue->slab, decided);
    queue->count--;
}

void ptpmon_analyzer_found(struct ptpmon_analyzer *analyzer, const ptpmon_finding *finding)
{
    analyzer->findings.draft->finding = *finding;
    if (!keep(&analyzer->findings))
        ptpmon_tally(analyzer->points[finding->point], PTPMON_COUNT_NOT_FETCHED);
}

ptpmon_exchange *ptpmon_analyzer_draft(struct ptpmon_analyzer *analyzer)
{
    return &analyzer->exchanges.draft->exchange;
}

ptpmon_status ptpmon_analyzer_decided(struct ptpmon_point *point, const ptpmon_exchange *exchange)
{
    struct ptpmon_analyzer *analyzer = point->analyzer;
    ptpmon_finding finding;
    point->counts.exchanges[exchange->kind]++;
    point->counts.by_reason[exchange->reason]++;
    if (exchange->reason == PTPMON_COMPUTED)
        point->counts.computed[exchange->kind]++;
    ptpmon_status status = ptpmon_statistics_set_exchange(analyzer->statistics, exchange);
    if (!keep(&analyzer->exchanges))
        ptpmon_tally(point, PTPMON_COUNT_NOT_FETCHED);
    while (ptpmon_statistics_set_finding(analyzer->statistics, &finding) == PTPMON_OK)
        ptpmon_analyzer_found(analyzer, &finding);
    return status;
}

ptpmon_status ptpmon_analyzer_next_exchange(ptpmon_analyzer *analyzer, ptpmon_exchange *exchange)
{
    struct ptpmon_decided *decided = first_of(&analyzer->exchanges);
    if (!decided)
        return PTPMON_NOTHING;
    if (exchange)
        *exchange = decided->exchange;
    drop(&analyzer->exchanges, decided);
    return PTPMON_OK;
}

ptpmon_status ptpmon_analyzer_next_finding(ptpmon_analyzer *analyzer, ptpmon_finding *finding)
{
    struct ptpmon_decided *decided = first_of(&analyzer->findings);
    if (!decided)
        return PTPMON_NOTHING;
    *finding = decided->finding;
    drop(&analyzer->findings, decided);
    return PTPMON_OK;
}

/* ---- Stamps ------------------------------------------------------------------------------- */

static void add_stamp(struct ptpmon_point *point, struct ptpmon_sighting *sighting, ptpmon_stamp_kind kind, int64_t ns)
{
    if (ns < 0 || ns > LATEST_TIME_NS) {
        ptpmon_tally(point, PTPMON_COUNT_TIMESTAMP_OUT_OF_RANGE);
        return;
    }
    sighting->stamp_kinds |= (uint8_t)KIND_BIT(kind);
    sighting->stamp_ns[KIND_INDEX(kind)] = ns;
}

/* Does the NIC give the very stamp that it gave another message lately? */
static bool is_latched(struct ptpmon_point *point, int64_t ns)
{
    for (unsigned i = 0; i < LATCHED_KEPT; i++)
        if (point->latched[i] == ns)
            return true;
    point->latched[point->latched_next] = ns;
    point->latched_next = (point->latched_next + 1u) % LATCHED_KEPT;
    return false;
}

/* A stamp that is of another message is none of this one. */
static void add_hardware_stamp(struct ptpmon_point *point, struct ptpmon_sighting *sighting,
                               const PTP_TIMESTAMP_EVENT *event)
{
    if (event->stamp & AVB_STAMP_MISSING)
        ptpmon_tally(point, PTPMON_COUNT_STAMP_MISSING);
    if ((event->stamp & AVB_STAMP_KIND_MASK) == AVB_STAMP_NONE || event->hw_timestamp_ns == 0)
        return;
    if (event->hw_timestamp_ns <= INT64_MAX && is_latched(point, (int64_t)event->hw_timestamp_ns)) {
        ptpmon_tally(point, PTPMON_COUNT_STAMP_REPEATED);
        return;
    }
    add_stamp(point, sighting, PTPMON_STAMP_HARDWARE,
              event->hw_timestamp_ns <= INT64_MAX ? (int64_t)event->hw_timestamp_ns : INT64_MAX);
}

/* Where the NIC stamps messages of this sort, one that it did not stamp has no time: one of another clock would stand
 * among its own. */
static void hold_to_the_nic(struct ptpmon_point *point, struct ptpmon_sighting *sighting)
{
    if (sighting->messageType > AVB_PTP_PDELAY_RESP || sighting->direction > AVB_DIRECTION_TX ||
        !(point->analyzer->allowed_kinds & KIND_BIT(PTPMON_STAMP_HARDWARE)))
        return;
    uint16_t *stamped = &point->stamped_by_nic[sighting->direction];
    uint16_t sort = (uint16_t)(1u << ((sighting->transport & 3u) * 4u + sighting->messageType));
    if (sighting->stamp_kinds & KIND_BIT(PTPMON_STAMP_HARDWARE))
        *stamped |= sort;
    else if (*stamped & sort)
        sighting->stamp_kinds = 0;
}

/* A doubt is settled when the clock is known to have been stepped there, or to have run through. */
static void judge_doubt(struct ptpmon_point *point, ptpmon_stamp_kind kind, struct ptpmon_last_stamp *last, bool must)
{
    uint32_t segment;
    if (!last->doubtful)
        return;
    enum ptpmon_local_clock_run run = ptpmon_ran(point, kind, last->doubtful_from, last->doubtful_to, false, &segment);
    if (run == PTPMON_CLOCK_NOT_SURE_YET && !must)
        return;
    last->doubtful = false;
    if (run != PTPMON_CLOCK_STEPPED_ON)
        ptpmon_tally(point, PTPMON_COUNT_CLOCK_BACKWARDS);
}

static void judge_doubts(struct ptpmon_point *point, bool must)
{
    for (unsigned i = 0; i < LOCAL_KINDS; i++)
        for (unsigned direction = 0; direction < 2; direction++)
            judge_doubt(point, KIND_AT(i), &point->last[i][direction], must);
}

static void watch_order(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    for (unsigned kinds = sighting->stamp_kinds; kinds; kinds &= kinds - 1) {
        unsigned i = (unsigned)__builtin_ctz(kinds);
        struct ptpmon_last_stamp *last = &point->last[i][sighting->direction == AVB_DIRECTION_TX];
        int64_t ns = sighting->stamp_ns[i];
        bool later = !point->takes_observations || sighting->event_time >= last->event_time;
        if (last->known && later && ns < last->ns - DISORDER_NS) {
            judge_doubt(point, KIND_AT(i), last, true);
            last->doubtful = true;
            last->doubtful_from = last->event_time;
            last->doubtful_to = sighting->event_time;
            judge_doubt(point, KIND_AT(i), last, false);
        }
        if (later) {
            last->known = true;
            last->ns = ns;
            last->event_time = sighting->event_time;
        }
    }
}

/* ---- Messages ----------------------------------------------------------------------------- */

static void read_identity(struct ptpmon_sighting *sighting, const PTP_TIMESTAMP_EVENT *event)
{
    sighting->present = true;
    sighting->two_step = event->flags & AVB_PTP_FLAG_TWO_STEP;
    sighting->direction = event->direction;
    sighting->messageType = event->messageType & 0xF;
    sighting->domainNumber = event->domainNumber;
    sighting->transport = event->transport;
    sighting->sdoId = event->sdoId & 0xFFF;
    sighting->sequenceId = event->sequenceId;
    memcpy(sighting->source.clockIdentity, event->clockIdentity, sizeof event->clockIdentity);
    sighting->source.portNumber = event->portNumber;
}

static void read_content(struct ptpmon_sighting *sighting, const ptpmon_message *message)
{
    sighting->has_content = true;
    sighting->has = message->has;
    sighting->logMessageInterval = message->logMessageInterval;
    sighting->gmTimeBaseIndicator = message->gmTimeBaseIndicator;
    sighting->cumulativeScaledRateOffset = message->cumulativeScaledRateOffset;
    sighting->nanoseconds = message->nanoseconds;
    sighting->seconds = message->seconds;
    bool in_range = message->nanoseconds < NS_PER_SECOND && message->seconds < LATEST_TIME_NS / NS_PER_SECOND;
    sighting->timestamp_ns =
        in_range ? (int64_t)message->seconds * NS_PER_SECOND + (int64_t)message->nanoseconds : NO_TIME;
    sighting->correctionField = message->correctionField;
    memcpy(sighting->requesting.clockIdentity, message->requestingClockIdentity,
           sizeof message->requestingClockIdentity);
    sighting->requesting.portNumber = message->requestingPortNumber;
}

static void tally_content(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    enum { TIME = PTPMON_MESSAGE_TIMESTAMP, PORT = PTPMON_MESSAGE_REQUESTING };
    /* What is computed with, of one- and two-step messages. */
    static const uint8_t needed[2][16] = {
        {[AVB_PTP_SYNC] = TIME,
         [AVB_PTP_PDELAY_RESP] = PORT,
         [AVB_PTP_FOLLOW_UP] = TIME,
         [AVB_PTP_DELAY_RESP] = TIME | PORT,
         [AVB_PTP_PDELAY_RESP_FOLLOW_UP] = TIME | PORT},
        {[AVB_PTP_PDELAY_RESP] = TIME | PORT,
         [AVB_PTP_FOLLOW_UP] = TIME,
         [AVB_PTP_DELAY_RESP] = TIME | PORT,
         [AVB_PTP_PDELAY_RESP_FOLLOW_UP] = TIME | PORT},
    };
    uint8_t needs = needed[sighting->two_step][sighting->messageType];
    if ((sighting->has & needs) != needs)
        ptpmon_tally(point, PTPMON_COUNT_CUT_SHORT);
    if (sighting->has & needs & TIME && sighting->timestamp_ns == NO_TIME)
        ptpmon_tally(point, PTPMON_COUNT_TIMESTAMP_OUT_OF_RANGE);
    if (!ptpmon_correction_fits(sighting->correctionField))
        ptpmon_tally(point, PTPMON_COUNT_CORRECTION_OUT_OF_RANGE);
}

static ptpmon_status first_failure(ptpmon_status first, ptpmon_status then)
{
    return first != PTPMON_OK ? first : then;
}

/* Everything waiting was of a time that will not go on. */
static ptpmon_status begin_anew(struct ptpmon_point *point, ptpmon_instant time)
{
    ptpmon_status status = ptpmon_expire(point, PTPMON_INSTANT_MAX);
    point->now = time;
    return status;
}

static ptpmon_status advance(struct ptpmon_point *point, ptpmon_instant time)
{
    ptpmon_status status = PTPMON_OK;
    if (ptpmon_instant_add(time, BACK_AT_MOST_NS) < point->now)
        status = begin_anew(point, time);
    if (time > point->now)
        point->now = time;
    if (point->now >= point->next_deadline)
        status = first_failure(status, ptpmon_expire(point, point->now));
    if (point->analyzer->transit)
        status = first_failure(status, ptpmon_transit_expire(point->analyzer, point));
    return status;
}

static ptpmon_status take_announce(struct ptpmon_point *point, struct ptpmon_port *port,
                                   const struct ptpmon_sighting *announce)
{
    const struct ptpmon_sequence *sequence = &port->sequences[SEQUENCE_ANNOUNCE];
    if (sequence->begun && sequence->sequenceId == announce->sequenceId &&
        announce->time - sequence->time < DUPLICATE_NS) {
        ptpmon_tally(point, PTPMON_COUNT_DUPLICATES);
        return PTPMON_OK;
    }
    return ptpmon_port_follow(point, port, announce);
}

static ptpmon_status take(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    ptpmon_status status = advance(point, sighting->time), taken = PTPMON_OK;
    if (point->began == PTPMON_INSTANT_MIN)
        point->began = sighting->time;
    point->counts.messages[sighting->messageType]++;
    if (sighting->has_content)
        tally_content(point, sighting);
    watch_order(point, sighting);
    if (sighting->messageType <= AVB_PTP_PDELAY_RESP ||
        (sighting->messageType >= AVB_PTP_FOLLOW_UP && sighting->messageType <= AVB_PTP_PDELAY_RESP_FOLLOW_UP))
        taken = ptpmon_match(point, sighting);
    else if (sighting->messageType == AVB_PTP_ANNOUNCE)
        taken = take_announce(point, ptpmon_port_get(point, sighting), sighting);
    ptpmon_status settled = ptpmon_list_is_empty(&point->completed) ? PTPMON_OK : ptpmon_settle(point, NULL);
    return first_failure(status, first_failure(taken, settled));
}

/* NULL: this point cannot take anything of the kind, and the message says why. */
static struct ptpmon_point *find_point(const ptpmon_analyzer *analyzer, uint32_t number, bool frames)
{
    if (!analyzer || number >= analyzer->point_count) {
        (void)ptpmon_fail(PTPMON_INVALID, "analyzer: there is no point %u", (unsigned)number);
        return NULL;
    }
    struct ptpmon_point *point = analyzer->points[number];
    if (analyzer->finished || (frames ? point->takes_observations : point->takes_frames)) {
        (void)ptpmon_fail(PTPMON_INVALID, "%s: %s", point->name,
                          analyzer->finished ? "the analyzer has finished"
                                             : "a point takes observations or frames, not both");
        return NULL;
    }
    return point;
}

/* ---- Frames ------------------------------------------------------------------------------- */

ptpmon_status ptpmon_analyzer_frame(ptpmon_analyzer *analyzer, uint32_t number, const ptpmon_frame *frame)
{
    struct ptpmon_point *point = find_point(analyzer, number, true);
    PTP_TIMESTAMP_EVENT event;
    ptpmon_message message;
    if (!point)
        return PTPMON_INVALID;
    point->takes_frames = true;
    enum avb_frame_kind kind = ptpmon_message_read(frame, &event, &message);
    if (kind != AVB_FRAME_PTP) {
        ptpmon_tally(point, kind == AVB_FRAME_TRUNCATED ? PTPMON_COUNT_CUT_SHORT : PTPMON_COUNT_FOREIGN);
        return PTPMON_OK;
    }
    struct ptpmon_sighting sighting = {
        .time = ptpmon_instant_clamp(frame->time_ns),
        .realtime_ns = frame->time_ns,
        .frame_number = frame->number,
    };
    read_identity(&sighting, &event);
    read_content(&sighting, &message);
    add_stamp(point, &sighting, PTPMON_STAMP_CAPTURE, frame->time_ns);
    return take(point, &sighting);
}

/* ---- Observations ------------------------------------------------------------------------- */

static ptpmon_status feed_stamps(struct ptpmon_point *point, const struct ptpmon_sighting *sighting)
{
    bool received = sighting->direction == AVB_DIRECTION_RX;
    ptpmon_status status = PTPMON_OK;
    for (unsigned i = 0; i < 2 && status == PTPMON_OK; i++)
        if (sighting->stamp_kinds & 1u << i)
            status = ptpmon_local_clock_stamp(point->clocks[i], sighting->event_time, sighting->stamp_ns[i], received);
    return status;
}

static void collect_findings(struct ptpmon_point *point)
{
    ptpmon_finding finding;
    for (unsigned i = 0; i < 2; i++) {
        while (ptpmon_local_clock_finding(point->clocks[i], &finding) == PTPMON_OK) {
            finding.point = point->number;
            ptpmon_analyzer_found(point->analyzer, &finding);
        }
    }
}

static void tally_outcome(struct ptpmon_point *point, const ptpmon_result *result)
{
    if (result->outcome == PTPMON_AMBIGUOUS)
        ptpmon_tally(point, PTPMON_COUNT_AMBIGUOUS);
    else if (result->outcome == PTPMON_FRAME_WITHOUT_EVENT)
        ptpmon_tally(point, PTPMON_COUNT_WITHOUT_EVENT);
    else if (result->has_event && !result->has_frame)
        ptpmon_tally(point, PTPMON_COUNT_WITHOUT_FRAME);
}

static ptpmon_status take_message(struct ptpmon_point *point, const ptpmon_observation *observation)
{
    const ptpmon_result *result = &observation->result;
    const PTP_TIMESTAMP_EVENT *identity = ptpmon_observation_identity(observation);
    struct ptpmon_sighting sighting = {
        .event_time = identity->system_timestamp,
        .realtime_ns = observation->has_realtime ? observation->realtime_ns : INT64_MIN,
        .frame_number = result->has_frame ? result->frame_number : 0,
    };
    if (!result->has_event && !result->has_frame)
        return ptpmon_fail(PTPMON_INVALID, "%s: an observation of no message", point->name);
    if (observation->compared)
        tally_outcome(point, result);
    if (observation->compared && result->outcome == PTPMON_DUPLICATE) {
        point->counts.messages[identity->messageType & 0xF]++;
        ptpmon_tally(point, PTPMON_COUNT_DUPLICATES);
        return PTPMON_OK;
    }
    /* A frame of before the clock of event time began has none. */
    sighting.time = sighting.event_time ? ptpmon_instant_from_unsigned(sighting.event_time) : point->now;
    read_identity(&sighting, identity);
    if (result->has_message)
        read_content(&sighting, &result->message);
    if (result->has_event)
        add_hardware_stamp(point, &sighting, &result->event);
    if (result->has_event && observation->software_realtime_ns != 0)
        add_stamp(point, &sighting, PTPMON_STAMP_SOFTWARE, observation->software_realtime_ns);
    if (result->has_frame)
        add_stamp(point, &sighting, PTPMON_STAMP_CAPTURE, result->frame_time_ns);
    ptpmon_status fed = result->has_event ? feed_stamps(point, &sighting) : PTPMON_OK;
    hold_to_the_nic(point, &sighting);
    collect_findings(point);
    ptpmon_status taken = take(point, &sighting);
    return first_failure(fed, taken);
}

/* Gives the statistics what is known to be in a segment; what is in none is nobody's. */
static ptpmon_status settle_phc(struct ptpmon_point *point, bool must)
{
    ptpmon_status outcome = PTPMON_OK;
    unsigned settled = 0;
    for (; settled < point->phc_count; settled++) {
        const struct ptpmon_phc_reading *reading = &point->phc[settled];
        uint32_t segment;
        enum ptpmon_local_clock_run run =
            ptpmon_ran(point, PTPMON_STAMP_HARDWARE, reading->event_time, reading->event_time, must, &segment);
        if (run == PTPMON_CLOCK_NOT_SURE_YET)
            break;
        if (run != PTPMON_CLOCK_RAN)
            continue;
        ptpmon_status status = ptpmon_statistics_set_phc(point->analyzer->statistics, point->number, segment,
                                                         reading->offset_ns, reading->has_rate, reading->rate_ppm);
        outcome = first_failure(outcome, status);
    }
    point->phc_count -= settled;
    memmove(point->phc, point->phc + settled, point->phc_count * sizeof *point->phc);
    return outcome;
}

static ptpmon_status take_phc(struct ptpmon_point *point, uint64_t event_time)
{
    struct ptpmon_phc_reading reading = {.event_time = event_time};
    ptpmon_status status = PTPMON_OK;
    if (ptpmon_local_clock_offset(point->clocks[0], &reading.offset_ns, &reading.rate_ppm, &reading.has_rate)) {
        if (point->phc_count == PHC_READINGS_KEPT)
            status = settle_phc(point, true);
        point->phc[point->phc_count++] = reading;
    }
    return first_failure(status, settle_phc(point, false));
}

static ptpmon_status take_clocks(struct ptpmon_point *point, const PTP_CLOCKS_RECORD *clocks)
{
    ptpmon_status status = ptpmon_local_clock_reading(point->clocks[0], clocks);
    ptpmon_status other = ptpmon_local_clock_reading(point->clocks[1], clocks);
    collect_findings(point);
    judge_doubts(point, false);
    status = first_failure(status, take_phc(point, clocks->system_timestamp));
    /* Where nothing comes any more, time goes on all the same. */
    ptpmon_instant now = ptpmon_instant_add(ptpmon_instant_from_unsigned(clocks->system_timestamp), -TOLD_LATE_NS);
    ptpmon_status advanced = now > point->now ? advance(point, now) : PTPMON_OK;
    ptpmon_status settled = ptpmon_settle(point, NULL);
    return first_failure(first_failure(status, other), first_failure(advanced, settled));
}

ptpmon_status ptpmon_analyzer_observe(ptpmon_analyzer *analyzer, uint32_t number, const ptpmon_observation *observation)
{
    struct ptpmon_point *point = find_point(analyzer, number, false);
    if (!point)
        return PTPMON_INVALID;
    point->takes_observations = true;
    switch (observation->kind) {
    case PTPMON_OBSERVED_MESSAGE:
        return take_message(point, observation);
    case PTPMON_OBSERVED_CLOCKS:
        return take_clocks(point, &observation->clocks);
    default:
        return PTPMON_OK;
    }
}

ptpmon_status ptpmon_analyzer_finish(ptpmon_analyzer *analyzer)
{
    ptpmon_status outcome = PTPMON_OK;
    if (!analyzer)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_analyzer_finish: analyzer must not be NULL");
    analyzer->finished = true;
    for (uint32_t i = 0; i < analyzer->point_count; i++) {
        struct ptpmon_point *point = analyzer->points[i];
        ptpmon_local_clock_finish(point->clocks[0]);
        ptpmon_local_clock_finish(point->clocks[1]);
        collect_findings(point);
        judge_doubts(point, true);
        outcome = first_failure(outcome, settle_phc(point, true));
        ptpmon_status status = ptpmon_expire(point, PTPMON_INSTANT_MAX);
        outcome = first_failure(outcome, status);
    }
    ptpmon_status status = ptpmon_transit_expire(analyzer, NULL);
    return first_failure(outcome, status);
}

/* ---- What was counted and computed -------------------------------------------------------- */

ptpmon_status ptpmon_analyzer_counts(const ptpmon_analyzer *analyzer, uint32_t number, ptpmon_analysis_counts *counts)
{
    if (!analyzer || number >= analyzer->point_count)
        return ptpmon_fail(PTPMON_INVALID, "analyzer: there is no point %u", (unsigned)number);
    const struct ptpmon_point *point = analyzer->points[number];
    *counts = point->counts;
    counts->counts[PTPMON_COUNT_PORTS_FORGOTTEN] = point->ports.forgotten + point->pairs.forgotten;
    /* The statistics are of all points together: the first one tells. */
    if (number == 0)
        counts->counts[PTPMON_COUNT_SERIES_LEFT_OUT] = ptpmon_statistics_set_left_out(analyzer->statistics);
    return PTPMON_OK;
}

size_t ptpmon_analyzer_series_count(const ptpmon_analyzer *analyzer)
{
    return ptpmon_statistics_set_series_count(analyzer->statistics);
}

ptpmon_status ptpmon_analyzer_series(const ptpmon_analyzer *analyzer, size_t index, ptpmon_series *series)
{
    return ptpmon_statistics_set_series(analyzer->statistics, index, series);
}

size_t ptpmon_analyzer_asymmetry_count(const ptpmon_analyzer *analyzer)
{
    return ptpmon_statistics_set_asymmetry_count(analyzer->statistics);
}

ptpmon_status ptpmon_analyzer_asymmetry(const ptpmon_analyzer *analyzer, size_t index, ptpmon_asymmetry *asymmetry)
{
    return ptpmon_statistics_set_asymmetry(analyzer->statistics, index, asymmetry);
}
