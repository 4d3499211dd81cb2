/* SPDX-License-Identifier: MIT */
/*
 * The correlator against worlds whose truth is known: several ports and domains, both directions,
 * keys that repeat, bursts, streams out of order, drifting and stepped clocks, capture times cut off
 * or rounded, losses told and untold. In every world, however the streams interleave and whenever they are advanced:
 *
 *   - the results are those of a naive model that follows the words of ptpmon.h;
 *   - no wrong pair is MATCHED but where lib/pairing.h says that it cannot be noticed;
 *   - what nothing disturbed is matched with its own frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "correlator_kit.h"
#include "random.h"

#define SECOND      ((int64_t)KIT_SECOND)
#define MILLISECOND ((int64_t)KIT_MILLISECOND)
#define MICROSECOND ((int64_t)KIT_MICROSECOND)
#define EDGE        (10 * MILLISECOND)
#define REACH       SECOND

#define SEEDS         400
#define INTERLEAVINGS 6
#define START         (5 * SECOND)
#define END           (25 * SECOND)

enum { MESSAGES = 400, READINGS = 64, LOSSES = 8, ITEMS = 2 * MESSAGES, STEPS = ITEMS + READINGS + 2 * LOSSES };

/* A message on the wire, and what the two sides made of it. */
struct message {
    struct kit_message fields;
    int64_t event_at, captured_at; /* event time */
    bool has_event, has_frame;
    bool event_told, frame_told; /* the side that lacks it said so */
    bool stamped;
    uint8_t frame_direction;
    bool frame_tagged;
};

struct interval {
    int64_t from, to; /* event time */
};

struct reading {
    int64_t system, realtime;
};

struct world {
    uint64_t seed;
    struct random random;
    int64_t window;
    int64_t drift_ppm, step_at, step;
    uint32_t resolution; /* of capture times, ns; they are cut off, or rounded to the nearest */
    bool rounds;
    struct reading readings[READINGS];
    struct message messages[MESSAGES];
    struct interval monitor_losses[LOSSES], capture_losses[LOSSES];
    size_t reading_count, message_count, monitor_loss_count, capture_loss_count;
    struct interval monitor_ran, capture_ran; /* 0: open */
};

static int64_t realtime(const struct world *world, int64_t time)
{
    return KIT_REALTIME + time + time / 1000000 * world->drift_ppm + (time >= world->step_at ? world->step : 0);
}

/* As the capture writes it. */
static int64_t captured_time(const struct world *world, const struct message *message)
{
    int64_t time = realtime(world, message->captured_at), resolution = world->resolution;
    return (time + (world->rounds ? resolution / 2 : 0)) / resolution * resolution;
}

/* ---- Making a world ----------------------------------------------------------------------- */

static void make_clocks(struct world *world)
{
    struct random *random = &world->random;
    bool sparse = random_chance(random, 30);
    world->drift_ppm = random_between(random, -200, 200);
    world->step_at = random_between(random, START, END);
    world->step = !sparse && random_chance(random, 30) ? random_between(random, 5, 5000) * SECOND : 0;
    int64_t at = START - SECOND;
    while (at < END + SECOND && world->reading_count < READINGS) {
        world->readings[world->reading_count++] = (struct reading){at, realtime(world, at)};
        at += random_between(random, SECOND / 2, sparse ? 8 * SECOND : 19 * SECOND / 20);
    }
}

static void make_resolution(struct world *world)
{
    static const uint32_t resolutions[] = {1, 1, 1000, 50 * KIT_MICROSECOND, KIT_MILLISECOND};
    world->resolution = resolutions[random_below(&world->random, 5)];
    world->rounds = random_chance(&world->random, 50);
}

static int64_t random_spacing(struct world *world)
{
    struct random *random = &world->random;
    switch (random_below(random, 5)) {
    case 0:
        return random_between(random, 25 * MICROSECOND, 200 * MICROSECOND);
    case 1:
        return random_between(random, MILLISECOND, 50 * MILLISECOND);
    case 2:
        return random_between(random, world->window / 10, world->window - MILLISECOND);
    case 3:
        return world->window + random_between(random, -50, 50) * MICROSECOND;
    default:
        return random_between(random, world->window + MILLISECOND, 3 * world->window);
    }
}

static struct kit_message random_fields(struct random *random)
{
    static const uint8_t types[] = {AVB_PTP_SYNC, AVB_PTP_PDELAY_RESP, AVB_PTP_FOLLOW_UP};
    static const uint16_t sequences[] = {65534, 65535, 0, 1};
    return (struct kit_message){
        .direction = random_chance(random, 50) ? AVB_DIRECTION_TX : AVB_DIRECTION_RX,
        .messageType = types[random_below(random, 3)],
        .domainNumber = (uint8_t)random_below(random, 2),
        .sequenceId = sequences[random_below(random, 4)],
        .portNumber = (uint16_t)random_between(random, 1, 3),
        .sdoId = random_chance(random, 50) ? 0x100 : 0,
        .clock = (uint8_t)random_below(random, 3),
        .mac = (uint8_t)random_below(random, 2),
        .tagged = random_chance(random, 30),
    };
}

static void add_message(struct world *world, const struct kit_message *fields, int64_t at, bool stamps,
                        unsigned int unknown_percent)
{
    struct random *random = &world->random;
    if (world->message_count == MESSAGES || at >= END)
        return;
    bool received = fields->direction == AVB_DIRECTION_RX;
    struct message *message = &world->messages[world->message_count++];
    *message = (struct message){
        .fields = *fields,
        .event_at = at,
        .captured_at = at + (received ? -random_between(random, 1, 20) : random_between(random, 20, 40)) * MICROSECOND +
                       random_between(random, 0, 999),
        .has_event = true,
        .has_frame = true,
        .stamped = received && stamps && random_chance(random, 90),
        .frame_direction = random_chance(random, unknown_percent) ? AVB_DIRECTION_UNKNOWN : fields->direction,
        .frame_tagged = random_chance(random, 5) ? !fields->tagged : fields->tagged,
    };
    if (fields->tagged) {
        message->fields.vlanId = (uint16_t)random_below(random, 4);
        message->fields.pcp = (uint8_t)random_below(random, 8);
    }
}

static void make_messages(struct world *world)
{
    struct random *random = &world->random;
    bool stamps = random_chance(random, 50);
    unsigned int unknown = random_chance(random, 30) ? (random_chance(random, 50) ? 100 : 30) : 0;
    size_t runs = 20 + random_below(random, 60);
    for (size_t i = 0; i < runs; i++) {
        struct kit_message fields = random_fields(random);
        int64_t at = random_between(random, START, END);
        size_t copies = random_chance(random, 60) ? 1 : 2 + random_below(random, 4);
        for (size_t copy = 0; copy < copies; copy++) {
            add_message(world, &fields, at, stamps, unknown);
            at += random_spacing(world);
            if (random_chance(random, 10))
                fields.direction ^= 1;
        }
    }
}

static bool within(int64_t time, const struct interval *intervals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (time > intervals[i].from && time <= intervals[i].to)
            return true;
    }
    return false;
}

static bool ran_at(const struct interval *ran, int64_t time)
{
    return time >= ran->from && (ran->to == 0 || time <= ran->to);
}

static size_t make_losses(struct world *world, struct interval *losses)
{
    struct random *random = &world->random;
    size_t count = random_chance(random, 50) ? random_below(random, LOSSES) : 0;
    for (size_t i = 0; i < count; i++) {
        losses[i].from = random_between(random, START, END);
        losses[i].to = losses[i].from + random_between(random, MILLISECOND, 2 * SECOND);
    }
    return count;
}

static struct interval random_ran(struct random *random)
{
    struct interval ran = {0, 0};
    if (random_chance(random, 30))
        ran.from = random_between(random, START, START + 4 * SECOND);
    if (random_chance(random, 30))
        ran.to = random_between(random, END - 4 * SECOND, END);
    return ran;
}

static void lose(struct world *world)
{
    struct random *random = &world->random;
    unsigned int untold = random_chance(random, 40) ? 8 : 0;
    world->monitor_loss_count = make_losses(world, world->monitor_losses);
    world->capture_loss_count = make_losses(world, world->capture_losses);
    world->monitor_ran = random_ran(random);
    world->capture_ran = random_ran(random);
    for (size_t i = 0; i < world->message_count; i++) {
        struct message *message = &world->messages[i];
        message->event_told =
            !ran_at(&world->monitor_ran, message->event_at) ||
            (within(message->event_at, world->monitor_losses, world->monitor_loss_count) && random_chance(random, 50));
        message->frame_told = !ran_at(&world->capture_ran, message->captured_at) ||
                              (within(message->captured_at, world->capture_losses, world->capture_loss_count) &&
                               random_chance(random, 50));
        message->has_event = !message->event_told && !random_chance(random, untold);
        message->has_frame = !message->frame_told && !random_chance(random, untold);
    }
}

static void make_world(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->random.state = seed;
    world->window = random_chance(&world->random, 50) ? SECOND : SECOND / 10;
    make_clocks(world);
    make_resolution(world);
    make_messages(world);
    lose(world);
}

/* ---- The model ---------------------------------------------------------------------------- */

/* An event or a frame; `number` is its message's, from 1. */
struct item {
    const struct message *message;
    uint64_t number;
    bool is_frame;
    int64_t time, stack_time;
    size_t arrival; /* on its side */
    uint8_t direction;
    /* What the model says of it. */
    ptpmon_outcome outcome;
    ptpmon_reason reason;
    const struct item *partner;
};

static struct item items[ITEMS];
static size_t item_count;

/* The nearest reading; one that is a second or more ahead counts only where none is behind. */
static int64_t model_time(const struct world *world, int64_t capture_time)
{
    const struct reading *best = NULL;
    bool any_behind = false;
    for (size_t i = 0; i < world->reading_count; i++)
        any_behind |= world->readings[i].realtime <= capture_time;
    for (size_t i = 0; i < world->reading_count; i++) {
        const struct reading *reading = &world->readings[i];
        if (any_behind && reading->realtime - capture_time >= REACH)
            continue;
        if (!best || llabs(reading->realtime - capture_time) < llabs(best->realtime - capture_time))
            best = reading;
    }
    assert_non_null(best);
    return best->system + (capture_time - best->realtime);
}

static bool same_key(const struct item *a, const struct item *b)
{
    const struct kit_message *x = &a->message->fields, *y = &b->message->fields;
    return x->messageType == y->messageType && x->domainNumber == y->domainNumber && x->sequenceId == y->sequenceId &&
           x->portNumber == y->portNumber && x->sdoId == y->sdoId && x->clock == y->clock;
}

/* ran: of the side that should have something there; losses likewise. */
static ptpmon_reason model_there(const struct world *world, bool monitor, int64_t from, int64_t to)
{
    struct interval ran = monitor ? world->monitor_ran : world->capture_ran;
    const struct interval *losses = monitor ? world->monitor_losses : world->capture_losses;
    size_t count = monitor ? world->monitor_loss_count : world->capture_loss_count;
    int64_t edge = world->window < EDGE ? world->window : EDGE;
    if (ran.from != 0 && !monitor)
        ran.from = model_time(world, realtime(world, ran.from));
    if (ran.to != 0 && !monitor)
        ran.to = model_time(world, realtime(world, ran.to));
    if (ran.from != 0 && from - edge < ran.from)
        return monitor ? PTPMON_BEFORE_MONITOR : PTPMON_BEFORE_CAPTURE;
    if (ran.to != 0 && to + edge > ran.to)
        return monitor ? PTPMON_AFTER_MONITOR : PTPMON_AFTER_CAPTURE;
    for (size_t i = 0; i < count; i++) {
        struct interval loss = losses[i];
        if (!monitor) {
            loss.from = model_time(world, realtime(world, loss.from));
            loss.to = model_time(world, realtime(world, loss.to));
        }
        if (from - edge <= loss.to && to + edge >= loss.from)
            return monitor ? PTPMON_EVENT_LOST : PTPMON_CAPTURE_LOST;
    }
    return monitor ? PTPMON_NO_EVENT : PTPMON_NOT_CAPTURED;
}

static bool is_complete(const struct world *world, int64_t from, int64_t to)
{
    return model_there(world, true, from, to) == PTPMON_NO_EVENT &&
           model_there(world, false, from, to) == PTPMON_NOT_CAPTURED;
}

static void model_match(struct item *event, struct item *frame, ptpmon_reason reason)
{
    event->partner = frame;
    frame->partner = event;
    event->outcome = frame->outcome = PTPMON_MATCHED;
    event->reason = frame->reason = reason;
}

/* A group in which every item may pair with every other; in order of time. */
struct pool {
    struct item *items[ITEMS];
    size_t count;
    int64_t first, last;
};

static bool on_stack(const struct item *item)
{
    return item->direction != AVB_DIRECTION_TX && item->stack_time != 0;
}

static bool same_stack_time(const struct world *world, const struct item *event, const struct item *frame)
{
    return llabs(event->stack_time - frame->stack_time) < world->resolution;
}

static int by_stack_time(const void *left, const void *right)
{
    const struct item *a = *(struct item *const *)left, *b = *(struct item *const *)right;
    if (a->stack_time != b->stack_time)
        return a->stack_time < b->stack_time ? -1 : 1;
    return a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

/* Items that are linked by equal stack times, directly or through others. */
struct links {
    struct item *sides[2][ITEMS]; /* events, frames */
    size_t counts[2];
};

static bool is_linked(const struct world *world, const struct links *links, const struct item *item)
{
    bool other = !item->is_frame;
    for (size_t i = 0; i < links->counts[other]; i++) {
        const struct item *linked = links->sides[other][i];
        if (same_stack_time(world, item->is_frame ? linked : item, item->is_frame ? item : linked))
            return true;
    }
    return false;
}

static void model_links(const struct world *world, struct pool *pool, size_t start, bool done[ITEMS],
                        struct links *links)
{
    bool more = true;
    links->counts[0] = links->counts[1] = 0;
    links->sides[pool->items[start]->is_frame][links->counts[pool->items[start]->is_frame]++] = pool->items[start];
    done[start] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < pool->count; i++) {
            struct item *item = pool->items[i];
            if (done[i] || !on_stack(item) || !is_linked(world, links, item))
                continue;
            links->sides[item->is_frame][links->counts[item->is_frame]++] = item;
            done[i] = more = true;
        }
    }
    for (size_t i = 0; i < 2; i++)
        qsort(links->sides[i], links->counts[i], sizeof(struct item *), by_stack_time);
}

/* ns prove which is whose, and where even they are equal, nothing tells the items apart; less proves it only where
 * nothing is missing. */
static size_t model_match_links(const struct world *world, const struct pool *pool, const struct links *links)
{
    size_t pairs = links->counts[links->counts[1] < links->counts[0]];
    if (world->resolution > 1 && links->counts[0] != links->counts[1])
        return 0;
    if (world->resolution > 1 && pairs > 1 && !is_complete(world, pool->first, pool->last))
        return 0;
    for (size_t i = 0; i < pairs; i++) {
        if (!same_stack_time(world, links->sides[0][i], links->sides[1][i]))
            return 0;
    }
    for (size_t i = 0; i < pairs; i++)
        model_match(links->sides[0][i], links->sides[1][i], PTPMON_BY_SOFTWARE_TIME);
    return pairs;
}

static size_t model_rule_1(const struct world *world, struct pool *pool)
{
    static struct links links;
    bool done[ITEMS] = {false};
    size_t found = 0;
    for (size_t i = 0; world->resolution > 1 && i < pool->count; i++) {
        if (!pool->items[i]->is_frame && !on_stack(pool->items[i]))
            return 0;
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (done[i] || !on_stack(pool->items[i]))
            continue;
        model_links(world, pool, i, done, &links);
        found += model_match_links(world, pool, &links);
    }
    return found;
}

static struct item *next_left(struct pool *pool, size_t *at, bool frame)
{
    for (; *at < pool->count; ++*at) {
        struct item *item = pool->items[*at];
        if (item->is_frame == frame && !item->partner)
            return pool->items[(*at)++];
    }
    return NULL;
}

static void model_order(struct pool *pool, ptpmon_reason reason)
{
    struct item *event, *frame;
    for (size_t i = 0, j = 0; (event = next_left(pool, &i, false)) && (frame = next_left(pool, &j, true));)
        model_match(event, frame, reason);
}

static bool model_order_holds(const struct world *world, const struct pool *pool, bool single, size_t found)
{
    bool received = false, sent = false, stamped = false;
    int64_t distance = 0;
    for (size_t i = 0; i < pool->count; i++) {
        const struct item *item = pool->items[i];
        distance = item->time - distance;
        if (item->partner)
            continue;
        received |= item->direction == AVB_DIRECTION_RX;
        sent |= item->direction == AVB_DIRECTION_TX;
        stamped |= !item->is_frame && item->direction == AVB_DIRECTION_RX && item->stack_time != 0;
    }
    if (received && sent)
        return false;
    if (single) {
        bool neither = model_there(world, true, pool->first, pool->last) != PTPMON_NO_EVENT &&
                       model_there(world, false, pool->first, pool->last) != PTPMON_NOT_CAPTURED;
        return !neither || distance <= (world->window < EDGE ? world->window : EDGE);
    }
    return !(found > 0 && stamped) && is_complete(world, pool->first, pool->last);
}

static void model_alone(const struct world *world, struct item *item, size_t found)
{
    item->reason = model_there(world, item->is_frame, item->time, item->time);
    switch (item->reason) {
    case PTPMON_NO_EVENT:
    case PTPMON_NOT_CAPTURED:
        if (found > 0) {
            item->outcome = PTPMON_DUPLICATE;
            item->reason = PTPMON_SAME_KEY_MATCHED;
            return;
        }
        break;
    case PTPMON_EVENT_LOST:
    case PTPMON_CAPTURE_LOST:
        break;
    default:
        item->outcome = PTPMON_OUTSIDE;
        return;
    }
    item->outcome = item->is_frame ? PTPMON_FRAME_WITHOUT_EVENT : PTPMON_EVENT_WITHOUT_FRAME;
}

static void model_pool(const struct world *world, struct pool *pool)
{
    size_t count[2] = {0, 0}, found = model_rule_1(world, pool);
    for (size_t i = 0; i < pool->count; i++)
        count[pool->items[i]->is_frame]++;
    bool single = count[0] == 1 && count[1] == 1;
    size_t events = count[0] - found, frames = count[1] - found;
    if (events > 0 && events == frames && model_order_holds(world, pool, single, found)) {
        model_order(pool, single ? PTPMON_BY_KEY : PTPMON_BY_ORDER);
        return;
    }
    for (size_t i = 0; i < pool->count; i++) {
        struct item *item = pool->items[i];
        if (item->partner)
            continue;
        if (events == 0 || frames == 0) {
            model_alone(world, item, found);
            continue;
        }
        item->outcome = PTPMON_AMBIGUOUS;
        item->reason = events == frames ? PTPMON_ORDER_UNPROVEN : PTPMON_COUNTS_DIFFER;
    }
}

static void model_group(const struct world *world, struct item **group, size_t count)
{
    static struct pool pools[2];
    bool unknown = false;
    for (size_t i = 0; i < count; i++)
        unknown |= group[i]->direction == AVB_DIRECTION_UNKNOWN;
    pools[0].count = pools[1].count = 0;
    for (size_t i = 0; i < count; i++) {
        struct pool *pool = &pools[!unknown && group[i]->direction == AVB_DIRECTION_TX];
        pool->items[pool->count++] = group[i];
    }
    for (size_t i = 0; i < 2; i++) {
        pools[i].first = group[0]->time;
        pools[i].last = group[count - 1]->time;
        model_pool(world, &pools[i]);
    }
}

static int by_time(const void *left, const void *right)
{
    const struct item *a = *(struct item *const *)left, *b = *(struct item *const *)right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

static bool ends_group(const struct world *world, struct item **group, size_t count, const struct item *next)
{
    int64_t pause = next->time - group[count - 1]->time, edge = world->window < EDGE ? world->window : EDGE;
    return pause > world->window || (next->time - group[0]->time > 4 * world->window && pause > edge);
}

static void run_model(const struct world *world)
{
    static struct item *sorted[ITEMS], *group[ITEMS];
    static bool grouped[ITEMS];
    for (size_t i = 0; i < item_count; i++) {
        sorted[i] = &items[i];
        grouped[i] = false;
    }
    qsort(sorted, item_count, sizeof *sorted, by_time);
    for (size_t i = 0; i < item_count; i++) {
        if (grouped[i])
            continue;
        size_t count = 0;
        for (size_t j = i; j < item_count; j++) {
            if (grouped[j] || !same_key(sorted[i], sorted[j]))
                continue;
            if (count > 0 && ends_group(world, group, count, sorted[j]))
                break;
            group[count++] = sorted[j];
            grouped[j] = true;
        }
        model_group(world, group, count);
    }
}

/* ---- The streams -------------------------------------------------------------------------- */

enum kind { READING, LOSS, CAPTURE_LOSS, ITEM };

struct step {
    enum kind kind;
    size_t index;
    int64_t time;    /* where it would lie if nothing were out of order */
    int64_t promise; /* it may not come after this event time was promised */
};

/* Events, CLOCKS and LOSS; frames received; frames sent; what the capture tells of its losses. */
#define STREAMS 4

static struct step streams[STREAMS][STEPS];
static size_t stream_lengths[STREAMS];

static void add_step(size_t stream, struct step step)
{
    streams[stream][stream_lengths[stream]++] = step;
}

/* Frames whose times became equal by rounding are still in order. */
static int by_place(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->kind == ITEM && b->kind == ITEM) {
        int64_t time_a = items[a->index].message->captured_at, time_b = items[b->index].message->captured_at;
        return time_a != time_b ? (time_a < time_b ? -1 : 1) : (a->index < b->index ? -1 : 1);
    }
    return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : (a->index < b->index ? -1 : 1);
}

static void add_item(struct world *world, size_t index, bool is_frame, int64_t disorder)
{
    const struct message *message = &world->messages[index];
    int64_t captured = captured_time(world, message);
    struct item *item = &items[item_count];
    *item = (struct item){
        .message = message,
        .number = index + 1,
        .is_frame = is_frame,
        .time = is_frame ? model_time(world, captured) : message->event_at,
        .stack_time = is_frame           ? captured
                      : message->stamped ? realtime(world, message->captured_at)
                                         : 0,
        .direction = is_frame ? message->frame_direction : message->fields.direction,
    };
    /* A capture with a stream for each direction is live, and live it has ns. */
    size_t stream = is_frame ? (message->fields.direction == AVB_DIRECTION_RX || world->resolution > 1 ? 1 : 2) : 0;
    struct random by_time = {.state = (uint64_t)captured};
    int64_t lateness = random_between(world->resolution > 1 && is_frame ? &by_time : &world->random, 0, disorder);
    add_step(stream, (struct step){ITEM, item_count++, item->time + lateness, item->time});
}

static void make_streams(struct world *world)
{
    struct random *random = &world->random;
    const int64_t disorders[] = {0, 0, MILLISECOND, SECOND / 2, END - START};
    int64_t disorder = disorders[random_below(random, 5)];
    memset(stream_lengths, 0, sizeof stream_lengths);
    item_count = 0;
    for (size_t i = 0; i < world->reading_count; i++)
        add_step(0, (struct step){READING, i, world->readings[i].system, world->readings[i].system});
    for (size_t i = 0; i < world->monitor_loss_count; i++)
        add_step(0, (struct step){LOSS, i, world->monitor_losses[i].to, world->monitor_losses[i].from});
    for (size_t i = 0; i < world->capture_loss_count; i++) {
        int64_t from = model_time(world, realtime(world, world->capture_losses[i].from));
        add_step(3, (struct step){CAPTURE_LOSS, i, from,
                                  from < world->capture_losses[i].from ? from : world->capture_losses[i].from});
    }
    for (size_t i = 0; i < world->message_count; i++) {
        if (world->messages[i].has_event)
            add_item(world, i, false, disorder);
        if (world->messages[i].has_frame)
            add_item(world, i, true, disorder);
    }
    size_t arrivals[2] = {0, 0};
    for (size_t i = 0; i < STREAMS; i++) {
        qsort(streams[i], stream_lengths[i], sizeof(struct step), by_place);
        for (size_t j = 0; j < stream_lengths[i]; j++) {
            if (streams[i][j].kind == ITEM)
                items[streams[i][j].index].arrival = arrivals[i > 0]++;
        }
    }
}

/* ---- Feeding ------------------------------------------------------------------------------ */

static void feed_item(const struct world *world, ptpmon_correlator *correlator, const struct item *item)
{
    uint8_t bytes[KIT_FRAME_LENGTH];
    struct kit_message fields = item->message->fields;
    if (!item->is_frame) {
        PTP_TIMESTAMP_EVENT event = kit_event(&fields, item->time, (uint64_t)item->stack_time, item->number);
        assert_int_equal(ptpmon_correlator_event(correlator, &event), PTPMON_OK);
        return;
    }
    fields.direction = item->message->frame_direction;
    fields.tagged = item->message->frame_tagged;
    ptpmon_frame frame = kit_frame(&fields, captured_time(world, item->message), item->number, bytes);
    frame.resolution_ns = world->resolution == 1 ? item->number % 2 : world->resolution; /* 0 counts as 1 */
    assert_int_equal(ptpmon_correlator_frame(correlator, &frame), PTPMON_OK);
}

static void feed(const struct world *world, ptpmon_correlator *correlator, const struct step *step)
{
    const struct interval *loss;
    PTP_TIMESTAMP_EVENT record;
    switch (step->kind) {
    case ITEM:
        feed_item(world, correlator, &items[step->index]);
        break;
    case READING:
        record = kit_clocks(world->readings[step->index].system, world->readings[step->index].realtime);
        assert_int_equal(ptpmon_correlator_event(correlator, &record), PTPMON_OK);
        break;
    case LOSS:
        record = kit_loss(world->monitor_losses[step->index].from, world->monitor_losses[step->index].to, 1, 0);
        assert_int_equal(ptpmon_correlator_event(correlator, &record), PTPMON_OK);
        break;
    case CAPTURE_LOSS:
        loss = &world->capture_losses[step->index];
        assert_int_equal(
            ptpmon_correlator_capture_lost(correlator, realtime(world, loss->from), realtime(world, loss->to)),
            PTPMON_OK);
        break;
    }
}

/* The latest promise that can be kept. */
static int64_t may_promise(const size_t next[STREAMS])
{
    int64_t least = END + 10 * SECOND;
    for (size_t i = 0; i < STREAMS; i++) {
        for (size_t j = next[i]; j < stream_lengths[i]; j++) {
            if (streams[i][j].promise < least)
                least = streams[i][j].promise;
        }
    }
    return least;
}

/* How two streams may come together. */
enum style { ALL_EVENTS_FIRST, ALL_FRAMES_FIRST, BY_TIME, AT_RANDOM };

static size_t choose_stream(struct random *random, enum style style, const size_t next[STREAMS])
{
    size_t chosen = STREAMS;
    for (size_t i = 0; i < STREAMS; i++) {
        if (next[i] == stream_lengths[i])
            continue;
        if (chosen == STREAMS || (style == ALL_FRAMES_FIRST && chosen == 0) ||
            (style == BY_TIME && streams[i][next[i]].time < streams[chosen][next[chosen]].time) ||
            (style == AT_RANDOM && random_chance(random, 40)))
            chosen = i;
    }
    return chosen;
}

static void run_correlator(struct world *world, enum style style, unsigned int advance_percent, uint32_t max_pending,
                           struct kit_results *results)
{
    ptpmon_correlator_options options = {.window_ns = (uint64_t)world->window, .max_pending = max_pending};
    ptpmon_correlator *correlator;
    size_t next[STREAMS] = {0}, stream;
    assert_int_equal(ptpmon_correlator_open(&options, &correlator), PTPMON_OK);
    ptpmon_correlator_monitor_ran(correlator, (uint64_t)world->monitor_ran.from, (uint64_t)world->monitor_ran.to);
    ptpmon_correlator_capture_ran(correlator, world->capture_ran.from ? realtime(world, world->capture_ran.from) : 0,
                                  world->capture_ran.to ? realtime(world, world->capture_ran.to) : 0);
    feed(world, correlator, &streams[0][next[0]++]); /* the first reading */
    while ((stream = choose_stream(&world->random, style, next)) < STREAMS) {
        feed(world, correlator, &streams[stream][next[stream]++]);
        if (max_pending > 0)
            kit_fetch(correlator, results);
        if (!random_chance(&world->random, advance_percent))
            continue;
        int64_t promise = may_promise(next);
        if (random_chance(&world->random, 50))
            promise -= random_between(&world->random, 0, 2 * SECOND);
        assert_int_equal(ptpmon_correlator_advance(correlator, (uint64_t)promise), PTPMON_OK);
        kit_fetch(correlator, results);
    }
    assert_int_equal(ptpmon_correlator_finish(correlator), PTPMON_OK);
    kit_fetch(correlator, results);
    kit_assert_counts(correlator, results);
    ptpmon_correlator_close(correlator);
}

/* ---- Checks ------------------------------------------------------------------------------- */

static uint32_t model_cross_check(const struct message *event, const struct message *frame)
{
    const struct kit_message *a = &event->fields, *b = &frame->fields;
    uint16_t vlanId = frame->frame_tagged ? b->vlanId : 0;
    uint8_t pcp = frame->frame_tagged ? b->pcp : 0;
    return (a->mac != b->mac ? PTPMON_SOURCE_MAC_DIFFERS : 0) |
           (a->tagged != frame->frame_tagged || a->vlanId != vlanId ? PTPMON_VLAN_DIFFERS : 0) |
           (a->pcp != pcp ? PTPMON_PCP_DIFFERS : 0);
}

static void fail_at(const struct world *world, enum style style, const char *what, const ptpmon_result *result)
{
    fail_msg("seed %llu, style %d: %s: event %llu, frame %llu: %s, %s%s", (unsigned long long)world->seed, (int)style,
             what, (unsigned long long)result->event.sequence, (unsigned long long)result->frame_number,
             ptpmon_outcome_name(result->outcome), ptpmon_reason_name(result->reason),
             result->decided_early ? ", early" : "");
}

static void assert_equals_model(const struct world *world, enum style style, const struct kit_results *results)
{
    static const struct item *of_message[2][MESSAGES + 1];
    size_t expected = 0;
    memset(of_message, 0, sizeof of_message);
    for (size_t i = 0; i < item_count; i++) {
        of_message[items[i].is_frame][items[i].number] = &items[i];
        expected += !(items[i].is_frame && items[i].partner);
    }
    for (size_t i = 0; i < results->count; i++) {
        const ptpmon_result *result = &results->items[i];
        const struct item *event = result->has_event ? of_message[0][result->event.sequence] : NULL;
        const struct item *frame = result->has_frame ? of_message[1][result->frame_number] : NULL;
        const struct item *item = event ? event : frame;
        if (!item || item->outcome != result->outcome || item->reason != result->reason ||
            item->partner != (event ? frame : NULL) || result->decided_early)
            fail_at(world, style, "not as the model says", result);
        if (frame && (int64_t)result->frame.system_timestamp != frame->time)
            fail_at(world, style, "placed elsewhere in time", result);
        if (event && frame && result->cross_check != model_cross_check(event->message, frame->message))
            fail_at(world, style, "cross-checked wrongly", result);
    }
    if (results->count != expected)
        fail_msg("seed %llu, style %d: %zu results, the model has %zu", (unsigned long long)world->seed, (int)style,
                 results->count, expected);
}

/* The messages of one key in the chain of this one, with those that nobody saw. */
struct neighbours {
    size_t count, lost_events, lost_frames;
    size_t told_events, told_frames; /* of those lost */
    bool both_directions, any_unknown;
    int64_t first, last;
};

static bool are_neighbours(const struct message *a, const struct message *b, int64_t distance)
{
    struct item x = {.message = a}, y = {.message = b};
    return same_key(&x, &y) && llabs(a->event_at - b->event_at) <= distance;
}

/* Each within `distance` of the next. The window plus what the times of the two sides differ by finds all that may be
 * in one group; the window minus that, those that surely are. */
static struct neighbours find_neighbours(const struct world *world, size_t index, int64_t distance)
{
    static bool included[MESSAGES];
    struct neighbours found = {.first = INT64_MAX, .last = 0};
    bool more = true, received = false, sent = false;
    memset(included, 0, sizeof included);
    included[index] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < world->message_count; i++) {
            for (size_t j = 0; j < world->message_count && !included[i]; j++) {
                if (included[j] && are_neighbours(&world->messages[i], &world->messages[j], distance))
                    included[i] = more = true;
            }
        }
    }
    for (size_t i = 0; i < world->message_count; i++) {
        const struct message *message = &world->messages[i];
        if (!included[i])
            continue;
        found.count++;
        found.lost_events += !message->has_event && message->has_frame;
        found.lost_frames += !message->has_frame && message->has_event;
        found.told_events += message->event_told && message->has_frame;
        found.told_frames += message->frame_told && message->has_event;
        found.any_unknown |= message->frame_direction == AVB_DIRECTION_UNKNOWN;
        received |= message->fields.direction == AVB_DIRECTION_RX;
        sent |= message->fields.direction == AVB_DIRECTION_TX;
        found.first = message->event_at < found.first ? message->event_at : found.first;
        found.last = message->event_at > found.last ? message->event_at : found.last;
    }
    found.both_directions = received && sent;
    return found;
}

/* Wrong pairs that cannot be noticed: the numbers are equal though each side lost something else, and nobody told of
 * it; or both sides have one left, and not both told, or the two are close together. What is not there yet when a group
 * is decided early is as good as lost, and told. */
static bool is_excused(const struct world *world, const ptpmon_result *result)
{
    int64_t distance = (int64_t)(result->event.system_timestamp - result->frame.system_timestamp);
    if (result->decided_early)
        return result->reason == PTPMON_BY_KEY && llabs(distance) <= EDGE;
    size_t event = result->event.sequence - 1;
    struct neighbours possible = find_neighbours(world, event, world->window + MILLISECOND);
    struct neighbours sure = find_neighbours(world, event, world->window - MILLISECOND);
    if (possible.lost_events == 0 || possible.lost_frames == 0)
        return false;
    if (result->reason == PTPMON_BY_SOFTWARE_TIME)
        return world->resolution > 1;
    if (result->reason == PTPMON_BY_ORDER)
        return sure.told_events == 0 && sure.told_frames == 0;
    return sure.told_events == 0 || sure.told_frames == 0 || llabs(distance) <= EDGE;
}

static bool is_undisturbed(const struct world *world, size_t index)
{
    struct neighbours neighbours = find_neighbours(world, index, world->window + MILLISECOND);
    if (!world->messages[index].has_event || !world->messages[index].has_frame)
        return false;
    if (neighbours.lost_events > 0 || neighbours.lost_frames > 0)
        return false;
    if (neighbours.any_unknown && neighbours.both_directions)
        return false;
    return neighbours.count == 1 || is_complete(world, neighbours.first - MILLISECOND, neighbours.last + MILLISECOND);
}

/* Returns how many wrong pairs were excused. */
static size_t assert_true_to_the_world(const struct world *world, enum style style, const struct kit_results *results,
                                       size_t *undisturbed)
{
    static bool matched[MESSAGES];
    size_t excused = 0;
    memset(matched, 0, sizeof matched);
    for (size_t i = 0; i < results->count; i++) {
        const ptpmon_result *result = &results->items[i];
        if (result->outcome != PTPMON_MATCHED)
            continue;
        matched[result->event.sequence - 1] = result->event.sequence == result->frame_number;
        if (result->event.sequence == result->frame_number)
            continue;
        if (!is_excused(world, result))
            fail_at(world, style, "a wrong pair", result);
        excused++;
    }
    for (size_t i = 0; i < world->message_count; i++) {
        if (!is_undisturbed(world, i))
            continue;
        ++*undisturbed;
        if (!matched[i])
            fail_msg("seed %llu, style %d: message %zu has no match, though nothing disturbed it",
                     (unsigned long long)world->seed, (int)style, i + 1);
    }
    return excused;
}

static uint64_t first_seed = 1, last_seed = SEEDS;

static void holds_in_every_world(void **state)
{
    static struct world world;
    (void)state;
    size_t excused = 0, undisturbed = 0, messages = 0;
    uint64_t outcomes[PTPMON_OUTCOMES] = {0}, reasons[PTPMON_REASONS] = {0};
    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        make_world(&world, seed);
        make_streams(&world);
        run_model(&world);
        for (unsigned int i = 0; i < INTERLEAVINGS; i++) {
            static const unsigned int advances[INTERLEAVINGS] = {0, 0, 10, 10, 60, 2};
            struct kit_results results = {0};
            enum style style = i < AT_RANDOM ? (enum style)i : AT_RANDOM;
            run_correlator(&world, style, advances[i], 0, &results);
            assert_equals_model(&world, style, &results);
            if (i == 0) {
                excused += assert_true_to_the_world(&world, style, &results, &undisturbed);
                messages += world.message_count;
                for (size_t j = 0; j < results.count; j++) {
                    outcomes[results.items[j].outcome]++;
                    reasons[results.items[j].reason]++;
                }
            }
            kit_free(&results);
        }
    }
    print_message("%zu messages, %zu undisturbed, %zu wrong pairs that cannot be noticed\n", messages, undisturbed,
                  excused);
    for (size_t i = 0; i < PTPMON_REASONS; i++)
        print_message("    %-20s %llu\n", ptpmon_reason_name((ptpmon_reason)i), (unsigned long long)reasons[i]);
    if (last_seed - first_seed < 100)
        return;
    /* The worlds are worth nothing if something never happens in them. */
    assert_true(undisturbed > messages / 10);
    for (size_t i = 0; i < PTPMON_OUTCOMES; i++)
        assert_true(outcomes[i] > 0);
    for (size_t i = 0; i < PTPMON_REASONS; i++)
        assert_true(reasons[i] > 0);
}

/* A frame that had to be placed before the clocks were known may lie on the wrong side of a step; what is left of its
 * group does not know of it. */
static bool may_be_displaced(const struct world *world, const ptpmon_result *result)
{
    struct neighbours possible = find_neighbours(world, result->event.sequence - 1, 4 * world->window + MILLISECOND);
    return world->step != 0 && possible.count > 1;
}

/* What max_pending cuts short may miss its partner, but gets no wrong one. */
static void pairs_nothing_wrongly_when_full(void **state)
{
    static struct world world;
    (void)state;
    size_t early = 0;
    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        make_world(&world, seed);
        make_streams(&world);
        for (enum style style = ALL_EVENTS_FIRST; style <= AT_RANDOM; style++) {
            struct kit_results results = {0};
            uint32_t max_pending = (uint32_t)random_between(&world.random, 2, 60);
            run_correlator(&world, style, style % 2 ? 30 : 0, max_pending, &results);
            for (size_t i = 0; i < results.count; i++) {
                const ptpmon_result *result = &results.items[i];
                early += result->decided_early;
                if (result->outcome == PTPMON_MATCHED && result->event.sequence != result->frame_number &&
                    !is_excused(&world, result) && !may_be_displaced(&world, result))
                    fail_at(&world, style, "a wrong pair", result);
            }
            kit_free(&results);
        }
    }
    assert_true(early > 0);
}

/* test_correlator_truth [FIRST_SEED [LAST_SEED]] */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_in_every_world),
        cmocka_unit_test(pairs_nothing_wrongly_when_full),
    };
    if (argc > 1)
        first_seed = last_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        last_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
