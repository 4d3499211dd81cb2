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
#define RECENT_BITS      8
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
    bool has_previous;
    uint16_t previous_sequenceId;
    ptpmon_time previous, least;
    double jitter;
    /* Messages: a ring of the newest. */
    struct {
        uint16_t sequenceId;
        int64_t time_ns;
    } messages[MESSAGES_KEPT];
    uint64_t messages_count;
};

struct ptpmon_statistics_set {
    struct ptpmon_hash_table streams;
    struct stream *recent[1 << RECENT_BITS]; /* asked for lately, each where its key says; NULL: none */
    struct stream beyond; /* stands for the one asked for where there is room for no more: it has no series */
    struct ptpmon_one_series *ordered[PTPMON_SERIES_MAX];
    size_t count;
    uint64_t left_out;
    uint8_t left_out_seen[LEFT_OUT_BITS / 8];
    struct ptpmon_asymmetries *asymmetries;
    ptpmon_status status; /* of what is being put in */
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

static inline uint64_t clock_word(const ptpmon_port_identity *port)
{
    uint64_t word;
    memcpy(&word, port->clockIdentity, sizeof word);
    return word;
}

static inline uint64_t pair_of(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static inline uint64_t rest_of(ptpmon_stamp_kind stamps, uint16_t sdoId, uint8_t domainNumber, uint8_t messageType)
{
    return pair_of(stamps, (uint32_t)sdoId << 16 | (uint32_t)domainNumber << 8 | messageType);
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

static struct stream *begin_stream(struct ptpmon_statistics_set *set, uint64_t hash)
{
    if (set->count == PTPMON_SERIES_MAX)
        return &set->beyond;
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        set->status = no_memory();
        return &set->beyond;
    }
    stream->key = set->beyond.key;
    stream->least = ptpmon_time_of_ns(INT64_MAX);
    ptpmon_hash_table_insert(&set->streams, &stream->node, hash);
    return stream;
}

/* The one that was asked for; goes to *recent. */
__attribute__((noinline)) static struct stream *find_or_begin_stream(struct ptpmon_statistics_set *set,
                                                                     struct stream **recent)
{
    uint64_t hash = hash_of(&set->streams, &set->beyond.key);
    struct stream *stream = find_stream(set, &set->beyond.key, hash);
    if (!stream)
        stream = begin_stream(set, hash);
    if (stream != &set->beyond)
        *recent = stream;
    return stream;
}

/* The stream of this key, or `beyond`. */
static inline struct stream *stream_of(struct ptpmon_statistics_set *set, const struct stream_key *key)
{
    uint64_t mixed = (key->source + 2 * key->requesting + key->ports + key->clock + key->rest) * 0x9E3779B97F4A7C15u;
    struct stream **recent = &set->recent[mixed >> (64 - RECENT_BITS)];
    if (*recent && same_stream(&(*recent)->key, key))
        return *recent;
    set->beyond.key = *key;
    return find_or_begin_stream(set, recent);
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

/* Begins the series of this quantity. NULL: there is room for no more, or no memory. */
static struct ptpmon_one_series *begin_series(struct ptpmon_statistics_set *set, struct stream *stream,
                                              ptpmon_quantity quantity)
{
    if (set->status != PTPMON_OK)
        return NULL;
    if (set->count == PTPMON_SERIES_MAX) {
        leave_out(set, &stream->key, quantity);
        return NULL;
    }
    struct ptpmon_one_series *one = calloc(1, sizeof *one);
    if (!one) {
        set->status = no_memory();
        return NULL;
    }
    ptpmon_series key = series_key(&stream->key, quantity);
    ptpmon_one_series_init(one, &key);
    stream->series[quantity] = one;
    put_in_order(set, one);
    return one;
}

static inline struct ptpmon_one_series *series_for(struct ptpmon_statistics_set *set, struct stream *stream,
                                                   ptpmon_quantity quantity)
{
    struct ptpmon_one_series *one = stream->series[quantity];
    return one ? one : begin_series(set, stream, quantity);
}

/* What could not be put in at once. */
__attribute__((noinline)) static void put_rare(struct ptpmon_statistics_set *set, struct stream *stream,
                                               ptpmon_quantity quantity, double value)
{
    struct ptpmon_one_series *one = series_for(set, stream, quantity);
    if (one && ptpmon_one_series_add(one, value) != PTPMON_OK)
        set->status = PTPMON_NO_MEMORY;
}

static void put(struct ptpmon_statistics_set *set, struct stream *stream, ptpmon_quantity quantity, double value)
{
    struct ptpmon_one_series *one = stream->series[quantity];
    if (!one || !ptpmon_one_series_take(one, value))
        put_rare(set, stream, quantity, value);
}

__attribute__((noinline)) static void put_rare_time(struct ptpmon_statistics_set *set, struct stream *stream,
                                                    ptpmon_quantity quantity, ptpmon_time value)
{
    struct ptpmon_one_series *one = series_for(set, stream, quantity);
    if (one && ptpmon_one_series_add_time(one, value) != PTPMON_OK)
        set->status = PTPMON_NO_MEMORY;
}

static void put_time(struct ptpmon_statistics_set *set, struct stream *stream, ptpmon_quantity quantity,
                     ptpmon_time value)
{
    struct ptpmon_one_series *one = stream->series[quantity];
    if (!one || !ptpmon_one_series_take_time(one, value))
        put_rare_time(set, stream, quantity, value);
}

/* ---- Exchanges ---------------------------------------------------------------------------- */

static inline struct stream *stream_for(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange,
                                        ptpmon_stamp_kind stamps, uint8_t messageType)
{
    struct stream_key key = {
        .source = clock_word(&exchange->source),
        .requesting = clock_word(&exchange->requesting),
        .ports = pair_of(exchange->source.portNumber, exchange->requesting.portNumber),
        .clock = pair_of(exchange->point, stamps == PTPMON_STAMP_MESSAGE ? 0 : exchange->segment),
        .rest = rest_of(stamps, exchange->sdoId, exchange->domainNumber, messageType),
    };
    return stream_of(set, &key);
}

static inline bool knows(const ptpmon_exchange *exchange, uint32_t any)
{
    return exchange->known & any;
}

/* What follows from masterToSlave and the one before it; both must be of successive Syncs. */
static void put_variation(struct ptpmon_statistics_set *set, struct stream *stream, const ptpmon_exchange *exchange)
{
    ptpmon_time now = exchange->masterToSlave;
    if (ptpmon_time_compare(now, stream->least) < 0)
        stream->least = now;
    put_time(set, stream, PTPMON_PDV, ptpmon_time_subtract(now, stream->least));
    if (stream->has_previous && exchange->sequenceId == (uint16_t)(stream->previous_sequenceId + 1)) {
        double ipdv = ptpmon_time_to_double(ptpmon_time_subtract(now, stream->previous));
        stream->jitter += (fabs(ipdv) - stream->jitter) / 16;
        put(set, stream, PTPMON_IPDV, ipdv);
        put(set, stream, PTPMON_JITTER, stream->jitter);
    }
    stream->has_previous = true;
    stream->previous = now;
    stream->previous_sequenceId = exchange->sequenceId;
}

static void take_sync(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!knows(exchange, PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_OFFSET_FILTERED))
        return;
    struct stream *stream = stream_for(set, exchange, exchange->t[1].kind, NO_MESSAGE_TYPE);
    if (knows(exchange, PTPMON_KNOWS_MASTER_TO_SLAVE))
        put_time(set, stream, PTPMON_MASTER_TO_SLAVE, exchange->masterToSlave);
    if (knows(exchange, PTPMON_KNOWS_OFFSET))
        put_time(set, stream, PTPMON_OFFSET_FROM_MASTER, exchange->offsetFromMaster);
    if (knows(exchange, PTPMON_KNOWS_OFFSET_FILTERED))
        put_time(set, stream, PTPMON_OFFSET_FROM_MASTER_FILTERED, exchange->offset_filtered);
    if (knows(exchange, PTPMON_KNOWS_MASTER_TO_SLAVE) && stream != &set->beyond)
        put_variation(set, stream, exchange);
}

static void take_e2e(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!knows(exchange, PTPMON_KNOWS_SLAVE_TO_MASTER | PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED))
        return;
    struct stream *stream = stream_for(set, exchange, exchange->t[2].kind, NO_MESSAGE_TYPE);
    if (knows(exchange, PTPMON_KNOWS_SLAVE_TO_MASTER))
        put_time(set, stream, PTPMON_SLAVE_TO_MASTER, exchange->slaveToMaster);
    if (knows(exchange, PTPMON_KNOWS_DELAY))
        put_time(set, stream, PTPMON_MEAN_PATH_DELAY, exchange->delay);
    if (knows(exchange, PTPMON_KNOWS_DELAY_FILTERED))
        put_time(set, stream, PTPMON_MEAN_PATH_DELAY_FILTERED, exchange->delay_filtered);
}

static void take_link_delay(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!knows(exchange, PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED | PTPMON_KNOWS_NEIGHBOR_RATE_RATIO))
        return;
    struct stream *stream = stream_for(set, exchange, exchange->t[0].kind, NO_MESSAGE_TYPE);
    if (knows(exchange, PTPMON_KNOWS_DELAY))
        put_time(set, stream, PTPMON_MEAN_LINK_DELAY, exchange->delay);
    if (knows(exchange, PTPMON_KNOWS_DELAY_FILTERED))
        put_time(set, stream, PTPMON_MEAN_LINK_DELAY_FILTERED, exchange->delay_filtered);
    if (knows(exchange, PTPMON_KNOWS_NEIGHBOR_RATE_RATIO))
        put(set, stream, PTPMON_NEIGHBOR_RATE_RATIO, (exchange->neighborRateRatio - 1) * 1e6);
}

static void take_turnaround(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!knows(exchange, PTPMON_KNOWS_TURNAROUND))
        return;
    struct stream *stream = stream_for(set, exchange, PTPMON_STAMP_MESSAGE, NO_MESSAGE_TYPE);
    put_time(set, stream, PTPMON_TURNAROUND, exchange->turnaround);
}

static void take_transit(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!knows(exchange, PTPMON_KNOWS_RESIDENCE | PTPMON_KNOWS_CORRECTION_ERROR))
        return;
    struct stream *stream = stream_for(set, exchange, exchange->t[1].kind, exchange->messageType);
    if (knows(exchange, PTPMON_KNOWS_RESIDENCE))
        put_time(set, stream, PTPMON_RESIDENCE_TIME, exchange->residence);
    if (knows(exchange, PTPMON_KNOWS_CORRECTION_ERROR))
        put_time(set, stream, PTPMON_CORRECTION_ERROR, exchange->correction_error);
}

/* The kind of the responder's own stamps. */
static ptpmon_stamp_kind own_kind(const ptpmon_exchange *exchange)
{
    for (size_t i = 0; i < 4; i++)
        if (exchange->own[i].kind != PTPMON_STAMP_NONE)
            return exchange->own[i].kind;
    return PTPMON_STAMP_NONE;
}

static void take_own_stamps(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    if (!knows(exchange, PTPMON_KNOWS_TRANSMITTER_ERROR | PTPMON_KNOWS_RECEIVER_ERROR))
        return;
    struct stream *stream = stream_for(set, exchange, own_kind(exchange), NO_MESSAGE_TYPE);
    if (knows(exchange, PTPMON_KNOWS_TRANSMITTER_ERROR))
        put_time(set, stream, PTPMON_TRANSMITTER_ERROR, exchange->transmitter_error);
    if (knows(exchange, PTPMON_KNOWS_RECEIVER_ERROR))
        put_time(set, stream, PTPMON_RECEIVER_ERROR, exchange->receiver_error);
}

static void take_exchange(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    switch (exchange->kind) {
    case PTPMON_EXCHANGE_SYNC:
        take_sync(set, exchange);
        break;
    case PTPMON_EXCHANGE_E2E:
        take_e2e(set, exchange);
        break;
    case PTPMON_EXCHANGE_P2P:
    case PTPMON_EXCHANGE_P2P_AS:
        take_link_delay(set, exchange);
        take_turnaround(set, exchange);
        break;
    case PTPMON_EXCHANGE_TRANSIT:
        take_transit(set, exchange);
        break;
    default:
        break;
    }
    take_own_stamps(set, exchange);
}

ptpmon_status ptpmon_statistics_set_exchange(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange)
{
    set->status = PTPMON_OK;
    take_exchange(set, exchange);
    return set->status == PTPMON_OK ? ptpmon_asymmetries_exchange(set->asymmetries, exchange) : set->status;
}

/* ---- Messages and the NIC's clock --------------------------------------------------------- */

/* 10^9 * 2^logMessageInterval */
static double interval_ns(int8_t logMessageInterval)
{
    return logMessageInterval >= 0 ? 1e9 * (double)(1 << logMessageInterval) : 1e9 / (double)(1 << -logMessageInterval);
}

/* When the message of this sequenceId came, if it is one of the newest. */
static bool find_message(const struct stream *stream, uint16_t sequenceId, int64_t *time_ns)
{
    uint64_t kept = stream->messages_count < MESSAGES_KEPT ? stream->messages_count : MESSAGES_KEPT;
    for (uint64_t back = 1; back <= kept; back++) {
        size_t i = (stream->messages_count - back) % MESSAGES_KEPT;
        if (stream->messages[i].sequenceId == sequenceId) {
            *time_ns = stream->messages[i].time_ns;
            return true;
        }
    }
    return false;
}

/* The time since the message before this one: not the one that came before it, if that had been overtaken. */
static void put_interval(struct ptpmon_statistics_set *set, struct stream *stream,
                         const struct ptpmon_interval_message *message)
{
    int8_t log = message->logMessageInterval;
    bool given = log >= -INTERVAL_AT_MOST && log <= INTERVAL_AT_MOST;
    int64_t before_ns;
    if (message->in_order && given && find_message(stream, (uint16_t)(message->sequenceId - 1), &before_ns)) {
        double since = (double)(int64_t)((uint64_t)message->time_ns - (uint64_t)before_ns);
        put(set, stream, PTPMON_INTERVAL_ERROR, since - interval_ns(log));
    }
    size_t i = stream->messages_count++ % MESSAGES_KEPT;
    stream->messages[i].sequenceId = message->sequenceId;
    stream->messages[i].time_ns = message->time_ns;
}

ptpmon_status ptpmon_statistics_set_message(struct ptpmon_statistics_set *set,
                                            const struct ptpmon_interval_message *message)
{
    struct stream_key key = {
        .source = clock_word(&message->source),
        .ports = pair_of(message->source.portNumber, 0),
        .clock = pair_of(message->point, message->segment),
        .rest = rest_of(message->stamps, message->sdoId, message->domainNumber, message->messageType),
    };
    set->status = PTPMON_OK;
    struct stream *stream = stream_of(set, &key);
    struct ptpmon_one_series *one = series_for(set, stream, PTPMON_INTERVAL_ERROR);
    if (!one)
        return set->status;
    put_interval(set, stream, message);
    if (!one->rate && ptpmon_one_series_begin_rate(one) != PTPMON_OK)
        return PTPMON_NO_MEMORY;
    ptpmon_message_rate_add(one->rate, message->time_ns);
    return set->status;
}

ptpmon_status ptpmon_statistics_set_phc(struct ptpmon_statistics_set *set, uint32_t point, uint32_t segment,
                                        int64_t offset_ns, bool has_rate, double rate_ppm)
{
    struct stream_key key = {
        .clock = pair_of(point, segment),
        .rest = rest_of(PTPMON_STAMP_HARDWARE, 0, 0, NO_MESSAGE_TYPE),
    };
    set->status = PTPMON_OK;
    struct stream *stream = stream_of(set, &key);
    put_time(set, stream, PTPMON_PHC_OFFSET, ptpmon_time_of_ns(offset_ns));
    if (has_rate)
        put(set, stream, PTPMON_PHC_RATE, rate_ppm);
    return set->status;
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
