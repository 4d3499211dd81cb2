/* SPDX-License-Identifier: MIT */
/*
 * Exchanges are sorted into streams: all series that have everything but the quantity in common. What one value needs
 * of those before it (ipdv, pdv, jitter, intervals, rates) lies in the stream.
 */
#include "analysis/statistics.h"

#include "analysis/asymmetry.h"
#include "analysis/series.h"
#include "analysis/time.h"
#include "error.h"
#include "frame_key.h"
#include "hash_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_MESSAGE_TYPE  255
#define MESSAGES_KEPT    4
#define LEFT_OUT_BITS    65536
#define RECENT           16 /* by messageType; exchanges, which have none, lie with what has 15 */
#define INTERVAL_AT_MOST 22 /* |logMessageInterval|: 48 days; what is beyond is no interval */

/* Everything but the quantity, in words that are quickly compared. */
struct stream_key {
    uint64_t source, requesting; /* clockIdentity, as it lies in memory */
    uint64_t ports;              /* source's << 32 | requesting's */
    uint64_t clock;              /* point << 32 | segment */
    uint64_t rest;               /* stamps << 32 | sdoId << 16 | domainNumber << 8 | messageType */
};

struct stream {
    struct ptpmon_hash_node node;
    struct stream_key key;
    struct ptpmon_one_series *series[PTPMON_QUANTITIES];
    /* Sync: masterToSlave. */
    bool has_previous, has_least;
    uint16_t previous_sequenceId;
    ptpmon_time previous, least;
    double jitter;
    /* Messages: the newest first. */
    struct {
        uint16_t sequenceId;
        int64_t time_ns;
    } messages[MESSAGES_KEPT];
    size_t messages_count;
};

struct ptpmon_statistics_set {
    struct ptpmon_hash_table streams;
    struct stream *recent[RECENT]; /* the newest asked for: most likely the next, too; NULL: none */
    struct ptpmon_one_series *ordered[PTPMON_SERIES_MAX];
    size_t count;
    uint64_t left_out;
    uint8_t left_out_seen[LEFT_OUT_BITS / 8];
    struct ptpmon_asymmetries *asymmetries;
};

/* ---- Names -------------------------------------------------------------------------------- */

static const struct {
    const char *name, *unit;
} quantities[] = {
    [PTPMON_OFFSET_FROM_MASTER] = {"offsetFromMaster", "ns"},
    [PTPMON_OFFSET_FROM_MASTER_FILTERED] = {"offsetFromMaster_filtered", "ns"},
    [PTPMON_MEAN_PATH_DELAY] = {"meanPathDelay", "ns"},
    [PTPMON_MEAN_PATH_DELAY_FILTERED] = {"meanPathDelay_filtered", "ns"},
    [PTPMON_MEAN_LINK_DELAY] = {"meanLinkDelay", "ns"},
    [PTPMON_MEAN_LINK_DELAY_FILTERED] = {"meanLinkDelay_filtered", "ns"},
    [PTPMON_NEIGHBOR_RATE_RATIO] = {"neighborRateRatio", "ppm"},
    [PTPMON_MASTER_TO_SLAVE] = {"masterToSlave", "ns"},
    [PTPMON_SLAVE_TO_MASTER] = {"slaveToMaster", "ns"},
    [PTPMON_TURNAROUND] = {"turnaround", "ns"},
    [PTPMON_IPDV] = {"ipdv", "ns"},
    [PTPMON_PDV] = {"pdv", "ns"},
    [PTPMON_JITTER] = {"jitter", "ns"},
    [PTPMON_INTERVAL_ERROR] = {"intervalError", "ns"},
    [PTPMON_TRANSMITTER_ERROR] = {"transmitterError", "ns"},
    [PTPMON_RECEIVER_ERROR] = {"receiverError", "ns"},
    [PTPMON_RESIDENCE_TIME] = {"residenceTime", "ns"},
    [PTPMON_CORRECTION_ERROR] = {"correctionError", "ns"},
    [PTPMON_PHC_OFFSET] = {"phcOffset", "ns"},
    [PTPMON_PHC_RATE] = {"phcRate", "ppm"},
};

const char *ptpmon_quantity_name(ptpmon_quantity quantity)
{
    return (size_t)quantity < PTPMON_QUANTITIES ? quantities[quantity].name : "unknown";
}

const char *ptpmon_quantity_unit(ptpmon_quantity quantity)
{
    return (size_t)quantity < PTPMON_QUANTITIES ? quantities[quantity].unit : "unknown";
}

const char *ptpmon_finding_kind_name(ptpmon_finding_kind kind)
{
    static const char *const names[] = {
        [PTPMON_FOUND_CLOCK_STEP] = "clock_step",
        [PTPMON_FOUND_RATE_CHANGE] = "rate_change",
        [PTPMON_FOUND_SYSTEM_CLOCK_STEP] = "system_clock_step",
        [PTPMON_FOUND_FORWARD_CHANGE] = "forward_delay_change",
        [PTPMON_FOUND_REVERSE_CHANGE] = "reverse_delay_change",
        [PTPMON_FOUND_GM_TIME_BASE] = "gm_time_base_change",
        [PTPMON_FOUND_SOURCE_CHANGE] = "source_change",
    };
    return (size_t)kind < PTPMON_FINDING_KINDS ? names[kind] : "unknown";
}

const char *ptpmon_asymmetry_method_name(ptpmon_asymmetry_method method)
{
    static const char *const names[] = {
        [PTPMON_ASYMMETRY_NOT_OBSERVABLE] = "not_observable",
        [PTPMON_ASYMMETRY_BY_REFERENCE] = "by_reference",
        [PTPMON_ASYMMETRY_BY_CHANGE] = "by_change",
        [PTPMON_ASYMMETRY_BY_COMPARISON] = "by_comparison",
    };
    return (size_t)method < sizeof names / sizeof *names ? names[method] : "unknown";
}

/* ---- Life --------------------------------------------------------------------------------- */

static ptpmon_status no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "statistics: out of memory; close other programs");
}

ptpmon_status ptpmon_statistics_set_open(const struct ptpmon_statistics_options *options,
                                         struct ptpmon_statistics_set **set)
{
    struct ptpmon_statistics_set *created = calloc(1, sizeof *created);
    if (!created)
        return no_memory();
    if (!ptpmon_hash_table_open(&created->streams) ||
        ptpmon_asymmetries_open(options, &created->asymmetries) != PTPMON_OK) {
        ptpmon_statistics_set_close(created);
        return no_memory();
    }
    *set = created;
    return PTPMON_OK;
}

static void close_stream(struct stream *stream)
{
    for (size_t i = 0; i < PTPMON_QUANTITIES; i++) {
        if (stream->series[i])
            ptpmon_one_series_close(stream->series[i]);
        free(stream->series[i]);
    }
    free(stream);
}

static void close_streams(struct ptpmon_hash_table *streams)
{
    for (size_t i = 0; i < streams->size && streams->buckets; i++)
        while (streams->buckets[i]) {
            struct stream *stream = (struct stream *)(void *)streams->buckets[i];
            ptpmon_hash_table_remove(streams, streams->buckets[i]);
            close_stream(stream);
        }
    ptpmon_hash_table_close(streams);
}

void ptpmon_statistics_set_close(struct ptpmon_statistics_set *set)
{
    if (!set)
        return;
    close_streams(&set->streams);
    ptpmon_asymmetries_close(set->asymmetries);
    free(set);
}

/* ---- Streams and series ------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_ports(const ptpmon_port_identity *a, const ptpmon_port_identity *b)
{
    int order = memcmp(a->clockIdentity, b->clockIdentity, sizeof a->clockIdentity);
    return order != 0 ? order : compare_numbers(a->portNumber, b->portNumber);
}

/* By point, domain, ports, quantity, segment; then by what is left. */
static int compare_series(const ptpmon_series *a, const ptpmon_series *b)
{
    const int orders[] = {
        compare_numbers(a->point, b->point),
        compare_numbers(a->domainNumber, b->domainNumber),
        compare_numbers(a->sdoId, b->sdoId),
        compare_ports(&a->source, &b->source),
        compare_ports(&a->requesting, &b->requesting),
        compare_numbers(a->quantity, b->quantity),
        compare_numbers(a->messageType, b->messageType),
        compare_numbers(a->stamps, b->stamps),
        compare_numbers(a->segment, b->segment),
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (orders[i] != 0)
            return orders[i];
    return 0;
}

static struct stream_key stream_key(uint32_t point, uint32_t segment, ptpmon_stamp_kind stamps, uint8_t messageType)
{
    return (struct stream_key){
        .clock = (uint64_t)point << 32 | segment,
        .rest = (uint64_t)stamps << 32 | messageType,
    };
}

static void set_domain(struct stream_key *key, uint16_t sdoId, uint8_t domainNumber)
{
    key->rest |= (uint64_t)sdoId << 16 | (uint64_t)domainNumber << 8;
}

static ptpmon_series series_key(const struct stream_key *key, ptpmon_quantity quantity)
{
    ptpmon_series series = {
        .quantity = quantity,
        .point = (uint32_t)(key->clock >> 32),
        .segment = (uint32_t)key->clock,
        .stamps = (ptpmon_stamp_kind)(key->rest >> 32),
        .domainNumber = (uint8_t)(key->rest >> 8),
        .messageType = (uint8_t)key->rest,
        .sdoId = (uint16_t)(key->rest >> 16),
        .source.portNumber = (uint16_t)(key->ports >> 32),
        .requesting.portNumber = (uint16_t)key->ports,
    };
    memcpy(series.source.clockIdentity, &key->source, sizeof key->source);
    memcpy(series.requesting.clockIdentity, &key->requesting, sizeof key->requesting);
    return series;
}

static bool same_stream(const struct stream_key *a, const struct stream_key *b)
{
    return a->source == b->source && a->requesting == b->requesting && a->ports == b->ports && a->clock == b->clock &&
           a->rest == b->rest;
}

/* The seed keeps a sender from choosing keys that collide. */
static uint64_t hash_of(const struct ptpmon_hash_table *table, const struct stream_key *key)
{
    uint64_t factor = table->seed | 1;
    uint64_t hash = ptpmon_hash_mix(key->source * factor + key->ports);
    hash = ptpmon_hash_mix((hash ^ key->requesting) * factor + key->rest);
    return ptpmon_hash_mix(hash + key->clock);
}

static struct stream *find_stream(struct ptpmon_statistics_set *set, const struct stream_key *key, uint64_t hash)
{
    struct ptpmon_hash_node *node = ptpmon_hash_table_first(&set->streams, hash);
    while (node && !same_stream(&((struct stream *)(void *)node)->key, key))
        node = ptpmon_hash_table_next(node);
    return (struct stream *)(void *)node;
}

static ptpmon_status find_or_add_stream(struct ptpmon_statistics_set *set, const struct stream_key *key,
                                        struct stream **stream)
{
    uint64_t hash = hash_of(&set->streams, key);
    *stream = find_stream(set, key, hash);
    if (*stream || set->count == PTPMON_SERIES_MAX)
        return PTPMON_OK;
    *stream = calloc(1, sizeof **stream);
    if (!*stream)
        return no_memory();
    (*stream)->key = *key;
    ptpmon_hash_table_insert(&set->streams, &(*stream)->node, hash);
    return PTPMON_OK;
}

/* The stream of this key. NULL, and OK: there is room for no more. */
static ptpmon_status stream_of(struct ptpmon_statistics_set *set, const struct stream_key *key, struct stream **stream)
{
    struct stream **recent = &set->recent[key->rest % RECENT];
    *stream = *recent;
    if (*stream && same_stream(&(*stream)->key, key))
        return PTPMON_OK;
    ptpmon_status status = find_or_add_stream(set, key, stream);
    *recent = *stream;
    return status;
}

/* Each series once, as far as a table of 64 Ki entries tells. */
static void leave_out(struct ptpmon_statistics_set *set, const struct stream_key *key, ptpmon_quantity quantity)
{
    uint64_t bit = ptpmon_hash_mix(hash_of(&set->streams, key) + (uint64_t)quantity) % LEFT_OUT_BITS;
    if (set->left_out_seen[bit / 8] & 1u << bit % 8)
        return;
    set->left_out_seen[bit / 8] |= (uint8_t)(1u << bit % 8);
    set->left_out++;
}

static void put_in_order(struct ptpmon_statistics_set *set, struct ptpmon_one_series *one)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_series(&set->ordered[middle]->series, &one->series) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(&set->ordered[low + 1], &set->ordered[low], (set->count - low) * sizeof(struct ptpmon_one_series *));
    set->ordered[low] = one;
    set->count++;
}

/* Begins the series of this quantity. NULL, and OK: there is room for no more. */
static ptpmon_status add_series(struct ptpmon_statistics_set *set, struct stream *stream, ptpmon_quantity quantity,
                                struct ptpmon_one_series **one)
{
    *one = NULL;
    if (set->count == PTPMON_SERIES_MAX) {
        leave_out(set, &stream->key, quantity);
        return PTPMON_OK;
    }
    *one = calloc(1, sizeof **one);
    if (!*one)
        return no_memory();
    ptpmon_series key = series_key(&stream->key, quantity);
    ptpmon_one_series_init(*one, &key);
    stream->series[quantity] = *one;
    put_in_order(set, *one);
    return PTPMON_OK;
}

/* A place that values are put in. Once a status is not OK, nothing more is put in. */
struct putting {
    struct ptpmon_statistics_set *set;
    const struct stream_key *key;
    struct stream *stream;
    ptpmon_status status;
};

static struct putting put_into(struct ptpmon_statistics_set *set, const struct stream_key *key)
{
    struct putting putting = {.set = set, .key = key};
    putting.status = stream_of(set, key, &putting.stream);
    return putting;
}

static struct ptpmon_one_series *new_series_for(struct putting *putting, ptpmon_quantity quantity)
{
    struct ptpmon_one_series *one = NULL;
    if (putting->status != PTPMON_OK)
        return NULL;
    if (!putting->stream)
        leave_out(putting->set, putting->key, quantity);
    else
        putting->status = add_series(putting->set, putting->stream, quantity, &one);
    return one;
}

static struct ptpmon_one_series *series_for(struct putting *putting, ptpmon_quantity quantity)
{
    struct ptpmon_one_series *one = putting->stream ? putting->stream->series[quantity] : NULL;
    return one && putting->status == PTPMON_OK ? one : new_series_for(putting, quantity);
}

static void put(struct putting *putting, ptpmon_quantity quantity, double value)
{
    struct ptpmon_one_series *one = series_for(putting, quantity);
    if (one)
        putting->status = ptpmon_one_series_add(one, value);
}

static void put_time(struct putting *putting, ptpmon_quantity quantity, ptpmon_time value)
{
    struct ptpmon_one_series *one = series_for(putting, quantity);
    if (one)
        putting->status = ptpmon_one_series_add_time(one, value);
}

/* ---- Exchanges ---------------------------------------------------------------------------- */

static void put_known(struct putting *putting, const ptpmon_exchange *exchange, uint32_t known,
                      ptpmon_quantity quantity, ptpmon_time value)
{
    if (exchange->known & known)
        put_time(putting, quantity, value);
}

static struct stream_key key_of(const ptpmon_exchange *exchange, ptpmon_stamp_kind stamps, uint8_t messageType)
{
    uint32_t segment = stamps == PTPMON_STAMP_MESSAGE ? 0 : exchange->segment;
    struct stream_key key = stream_key(exchange->point, segment, stamps, messageType);
    set_domain(&key, exchange->sdoId, exchange->domainNumber);
    memcpy(&key.source, exchange->source.clockIdentity, sizeof key.source);
    memcpy(&key.requesting, exchange->requesting.clockIdentity, sizeof key.requesting);
    key.ports = (uint64_t)exchange->source.portNumber << 32 | exchange->requesting.portNumber;
    return key;
}

/* What follows from masterToSlave and the one before it; both must be of successive Syncs. */
static void put_variation(struct putting *putting, const ptpmon_exchange *exchange)
{
    struct stream *stream = putting->stream;
    if (!stream || !(exchange->known & PTPMON_KNOWS_MASTER_TO_SLAVE))
        return;
    ptpmon_time now = exchange->masterToSlave;
    if (!stream->has_least || ptpmon_time_compare(now, stream->least) < 0)
        stream->least = now;
    stream->has_least = true;
    put_time(putting, PTPMON_PDV, ptpmon_time_subtract(now, stream->least));
    if (stream->has_previous && exchange->sequenceId == (uint16_t)(stream->previous_sequenceId + 1)) {
        double ipdv = ptpmon_time_to_double(ptpmon_time_subtract(now, stream->previous));
        stream->jitter += (fabs(ipdv) - stream->jitter) / 16;
        put(putting, PTPMON_IPDV, ipdv);
        put(putting, PTPMON_JITTER, stream->jitter);
    }
    stream->has_previous = true;
    stream->previous = now;
    stream->previous_sequenceId = exchange->sequenceId;
}

static ptpmon_status take_sync(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!(exchange->known & (PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_OFFSET_FILTERED)))
        return PTPMON_OK;
    struct stream_key key = key_of(exchange, exchange->t[1].kind, NO_MESSAGE_TYPE);
    struct putting putting = put_into(set, &key);
    put_known(&putting, exchange, PTPMON_KNOWS_MASTER_TO_SLAVE, PTPMON_MASTER_TO_SLAVE, exchange->masterToSlave);
    put_known(&putting, exchange, PTPMON_KNOWS_OFFSET, PTPMON_OFFSET_FROM_MASTER, exchange->offsetFromMaster);
    put_known(&putting, exchange, PTPMON_KNOWS_OFFSET_FILTERED, PTPMON_OFFSET_FROM_MASTER_FILTERED,
              exchange->offset_filtered);
    put_variation(&putting, exchange);
    return putting.status;
}

static ptpmon_status take_e2e(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!(exchange->known & (PTPMON_KNOWS_SLAVE_TO_MASTER | PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED)))
        return PTPMON_OK;
    struct stream_key key = key_of(exchange, exchange->t[2].kind, NO_MESSAGE_TYPE);
    struct putting putting = put_into(set, &key);
    put_known(&putting, exchange, PTPMON_KNOWS_SLAVE_TO_MASTER, PTPMON_SLAVE_TO_MASTER, exchange->slaveToMaster);
    put_known(&putting, exchange, PTPMON_KNOWS_DELAY, PTPMON_MEAN_PATH_DELAY, exchange->delay);
    put_known(&putting, exchange, PTPMON_KNOWS_DELAY_FILTERED, PTPMON_MEAN_PATH_DELAY_FILTERED,
              exchange->delay_filtered);
    return putting.status;
}

static ptpmon_status take_p2p(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    struct putting putting = {0};
    if (exchange->known & (PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED | PTPMON_KNOWS_NEIGHBOR_RATE_RATIO)) {
        struct stream_key key = key_of(exchange, exchange->t[0].kind, NO_MESSAGE_TYPE);
        putting = put_into(set, &key);
        put_known(&putting, exchange, PTPMON_KNOWS_DELAY, PTPMON_MEAN_LINK_DELAY, exchange->delay);
        put_known(&putting, exchange, PTPMON_KNOWS_DELAY_FILTERED, PTPMON_MEAN_LINK_DELAY_FILTERED,
                  exchange->delay_filtered);
        if (exchange->known & PTPMON_KNOWS_NEIGHBOR_RATE_RATIO)
            put(&putting, PTPMON_NEIGHBOR_RATE_RATIO, (exchange->neighborRateRatio - 1) * 1e6);
    }
    if (putting.status == PTPMON_OK && exchange->known & PTPMON_KNOWS_TURNAROUND) {
        struct stream_key key = key_of(exchange, PTPMON_STAMP_MESSAGE, NO_MESSAGE_TYPE);
        putting = put_into(set, &key);
        put_time(&putting, PTPMON_TURNAROUND, exchange->turnaround);
    }
    return putting.status;
}

static ptpmon_status take_transit(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!(exchange->known & (PTPMON_KNOWS_RESIDENCE | PTPMON_KNOWS_CORRECTION_ERROR)))
        return PTPMON_OK;
    struct stream_key key = key_of(exchange, exchange->t[1].kind, exchange->messageType);
    struct putting putting = put_into(set, &key);
    put_known(&putting, exchange, PTPMON_KNOWS_RESIDENCE, PTPMON_RESIDENCE_TIME, exchange->residence);
    put_known(&putting, exchange, PTPMON_KNOWS_CORRECTION_ERROR, PTPMON_CORRECTION_ERROR, exchange->correction_error);
    return putting.status;
}

/* The kind of the responder's own stamps. */
static ptpmon_stamp_kind own_kind(const ptpmon_exchange *exchange)
{
    for (size_t i = 0; i < 4; i++)
        if (exchange->own[i].kind != PTPMON_STAMP_NONE)
            return exchange->own[i].kind;
    return PTPMON_STAMP_NONE;
}

static ptpmon_status take_own_stamps(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!(exchange->known & (PTPMON_KNOWS_TRANSMITTER_ERROR | PTPMON_KNOWS_RECEIVER_ERROR)))
        return PTPMON_OK;
    struct stream_key key = key_of(exchange, own_kind(exchange), NO_MESSAGE_TYPE);
    struct putting putting = put_into(set, &key);
    put_known(&putting, exchange, PTPMON_KNOWS_TRANSMITTER_ERROR, PTPMON_TRANSMITTER_ERROR,
              exchange->transmitter_error);
    put_known(&putting, exchange, PTPMON_KNOWS_RECEIVER_ERROR, PTPMON_RECEIVER_ERROR, exchange->receiver_error);
    return putting.status;
}

static ptpmon_status take_exchange(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    switch (exchange->kind) {
    case PTPMON_EXCHANGE_SYNC:
        return take_sync(set, exchange);
    case PTPMON_EXCHANGE_E2E:
        return take_e2e(set, exchange);
    case PTPMON_EXCHANGE_P2P:
    case PTPMON_EXCHANGE_P2P_AS:
        return take_p2p(set, exchange);
    case PTPMON_EXCHANGE_TRANSIT:
        return take_transit(set, exchange);
    default:
        return PTPMON_OK;
    }
}

ptpmon_status ptpmon_statistics_set_exchange(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    ptpmon_status status = take_exchange(set, exchange);
    if (status == PTPMON_OK)
        status = take_own_stamps(set, exchange);
    return status == PTPMON_OK ? ptpmon_asymmetries_exchange(set->asymmetries, exchange) : status;
}

/* ---- Messages and the NIC's clock --------------------------------------------------------- */

/* 10^9 * 2^logMessageInterval */
static double interval_ns(int8_t logMessageInterval)
{
    return logMessageInterval >= 0 ? 1e9 * (double)(1 << logMessageInterval) : 1e9 / (double)(1 << -logMessageInterval);
}

/* The time since the message before this one: not the one that came before it, if that had been overtaken. */
static void put_interval(struct putting *putting, uint16_t sequenceId, int64_t time_ns, int8_t logMessageInterval,
                         bool in_order)
{
    struct stream *stream = putting->stream;
    bool given = logMessageInterval >= -INTERVAL_AT_MOST && logMessageInterval <= INTERVAL_AT_MOST;
    size_t before = 0;
    while (before < stream->messages_count && stream->messages[before].sequenceId != (uint16_t)(sequenceId - 1))
        before++;
    if (in_order && given && before < stream->messages_count) {
        double since = (double)(int64_t)((uint64_t)time_ns - (uint64_t)stream->messages[before].time_ns);
        put(putting, PTPMON_INTERVAL_ERROR, since - interval_ns(logMessageInterval));
    }
    if (stream->messages_count < MESSAGES_KEPT)
        stream->messages_count++;
    memmove(stream->messages + 1, stream->messages, (stream->messages_count - 1) * sizeof *stream->messages);
    stream->messages[0].sequenceId = sequenceId;
    stream->messages[0].time_ns = time_ns;
}

ptpmon_status ptpmon_statistics_set_message(struct ptpmon_statistics_set *set, uint32_t point, ptpmon_stamp_kind kind,
                                            uint32_t segment, const PTP_TIMESTAMP_EVENT *event, int64_t time_ns,
                                            int8_t logMessageInterval, bool in_order)
{
    struct stream_key key = stream_key(point, segment, kind, event->messageType);
    set_domain(&key, event->sdoId, event->domainNumber);
    memcpy(&key.source, event->clockIdentity, sizeof key.source);
    key.ports = (uint64_t)event->portNumber << 32;
    struct putting putting = put_into(set, &key);
    struct ptpmon_one_series *one = series_for(&putting, PTPMON_INTERVAL_ERROR);
    if (!one)
        return putting.status;
    put_interval(&putting, event->sequenceId, time_ns, logMessageInterval, in_order);
    ptpmon_status counted = ptpmon_one_series_count_message(one, time_ns);
    return putting.status == PTPMON_OK ? counted : putting.status;
}

ptpmon_status ptpmon_statistics_set_phc(struct ptpmon_statistics_set *set, uint32_t point, uint32_t segment,
                                        int64_t offset_ns, bool has_rate, double rate_ppm)
{
    struct stream_key key = stream_key(point, segment, PTPMON_STAMP_HARDWARE, NO_MESSAGE_TYPE);
    struct putting putting = put_into(set, &key);
    put_time(&putting, PTPMON_PHC_OFFSET, ptpmon_time_of_ns(offset_ns));
    if (has_rate)
        put(&putting, PTPMON_PHC_RATE, rate_ppm);
    return putting.status;
}

/* ---- What was found ----------------------------------------------------------------------- */

ptpmon_status ptpmon_statistics_set_finding(struct ptpmon_statistics_set *set, ptpmon_finding *finding)
{
    return ptpmon_asymmetries_finding(set->asymmetries, finding);
}

size_t ptpmon_statistics_set_series_count(const struct ptpmon_statistics_set *set)
{
    return set->count;
}

ptpmon_status ptpmon_statistics_set_series(const struct ptpmon_statistics_set *set, size_t index, ptpmon_series *series)
{
    if (index >= set->count)
        return PTPMON_NOTHING;
    ptpmon_one_series_summarize(set->ordered[index], series);
    return PTPMON_OK;
}

uint64_t ptpmon_statistics_set_left_out(const struct ptpmon_statistics_set *set)
{
    return set->left_out;
}

size_t ptpmon_statistics_set_asymmetry_count(const struct ptpmon_statistics_set *set)
{
    return ptpmon_asymmetries_count(set->asymmetries);
}

ptpmon_status ptpmon_statistics_set_asymmetry(const struct ptpmon_statistics_set *set, size_t index,
                                              ptpmon_asymmetry *asymmetry)
{
    return ptpmon_asymmetries_get(set->asymmetries, index, asymmetry);
}
