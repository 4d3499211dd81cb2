/* SPDX-License-Identifier: MIT */
#include "join.h"

#include "error.h"
#include "frame_key.h"
#include "hash_table.h"
#include "instant.h"
#include "list.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_DEADLINE_NS 1000000000u
#define DEFAULT_MAX_WAITING 65536u
#define READY_FIRST         256u /* capacity to begin with */

/* An event that waits for its stamp. */
struct entry {
    struct ptpmon_list queue;     /* in waiting or unused */
    struct ptpmon_hash_node node; /* of one of the waiting entries of an identity, their first */
    struct ptpmon_list twins;     /* the ring of the waiting entries of an identity */
    bool hashed;
    bool contested; /* a stamp came that could be this frame's or another's: none is its own any more */
    ptpmon_instant expires;
    PTP_TIMESTAMP_EVENT event;
};

/* Complete events, for ptpmon_join_take(). It always has room for those that wait as well, so that completing an event
 * cannot fail. */
struct ready {
    PTP_TIMESTAMP_EVENT *events;
    size_t first, count, capacity;
};

struct ptpmon_join {
    int64_t deadline_ns;
    uint32_t max_waiting, waiting_count;
    ptpmon_instant event_time;
    struct ptpmon_hash_table identities;
    struct ptpmon_list waiting; /* by `expires` */
    struct ptpmon_list unused;
    struct ready ready;
    struct ptpmon_join_counts counts;
};

struct ptpmon_join *ptpmon_join_open(uint64_t deadline_ns, uint32_t max_waiting)
{
    struct ptpmon_join *join = calloc(1, sizeof *join);
    if (!join)
        return NULL;
    if (!ptpmon_hash_table_open(&join->identities)) {
        free(join);
        return NULL;
    }
    join->deadline_ns = ptpmon_instant_from_unsigned(deadline_ns ? deadline_ns : DEFAULT_DEADLINE_NS);
    join->max_waiting = max_waiting ? max_waiting : DEFAULT_MAX_WAITING;
    ptpmon_list_init(&join->waiting);
    ptpmon_list_init(&join->unused);
    return join;
}

static struct entry *entry_at(struct ptpmon_list *queue)
{
    return PTPMON_CONTAINER_OF(queue, struct entry, queue);
}

static void free_entries(struct ptpmon_list *list)
{
    while (!ptpmon_list_is_empty(list)) {
        struct entry *entry = entry_at(list->next);
        ptpmon_list_remove(&entry->queue);
        free(entry);
    }
}

void ptpmon_join_close(struct ptpmon_join *join)
{
    if (!join)
        return;
    free_entries(&join->waiting);
    free_entries(&join->unused);
    free(join->ready.events);
    ptpmon_hash_table_close(&join->identities);
    free(join);
}

/* ---- Ready events ------------------------------------------------------------------------- */

static bool grow_ready(struct ready *ready, size_t needed)
{
    size_t capacity = ready->capacity ? ready->capacity * 2 : READY_FIRST;
    while (capacity < needed)
        capacity *= 2;
    PTP_TIMESTAMP_EVENT *events = malloc(capacity * sizeof *events);
    if (!events)
        return false;
    if (ready->count > 0)
        memcpy(events, ready->events + ready->first, ready->count * sizeof *events);
    free(ready->events);
    *ready = (struct ready){events, 0, ready->count, capacity};
    return true;
}

__attribute__((noinline)) static bool make_room(struct ready *ready, size_t needed)
{
    if (needed > ready->capacity / 2)
        return grow_ready(ready, needed);
    memmove(ready->events, ready->events + ready->first, ready->count * sizeof *ready->events);
    ready->first = 0;
    return true;
}

/* Makes room for one more event in the join, ready or waiting. */
static bool reserve_ready(struct ptpmon_join *join)
{
    size_t needed = join->ready.count + join->waiting_count + 1;
    return join->ready.first + needed <= join->ready.capacity || make_room(&join->ready, needed);
}

static void append_ready(struct ready *ready, const PTP_TIMESTAMP_EVENT *event)
{
    ready->events[ready->first + ready->count++] = *event;
}

size_t ptpmon_join_take(struct ptpmon_join *join, PTP_TIMESTAMP_EVENT *events, size_t capacity)
{
    struct ready *ready = &join->ready;
    size_t count = ready->count < capacity ? ready->count : capacity;
    if (count > 0)
        memcpy(events, ready->events + ready->first, count * sizeof *events);
    ready->count -= count;
    ready->first = ready->count > 0 ? ready->first + count : 0;
    return count;
}

/* ---- Waiting events ----------------------------------------------------------------------- */

static bool same_identity(const PTP_TIMESTAMP_EVENT *a, const PTP_TIMESTAMP_EVENT *b)
{
    struct ptpmon_frame_key key_a = ptpmon_frame_key_of(a), key_b = ptpmon_frame_key_of(b);
    return ptpmon_frame_key_equal(&key_a, &key_b) && memcmp(a->sourceMac, b->sourceMac, sizeof a->sourceMac) == 0 &&
           a->transport == b->transport;
}

static uint64_t identity_hash(const struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *event)
{
    struct ptpmon_frame_key key = ptpmon_frame_key_of(event);
    return ptpmon_frame_key_hash(&key, join->identities.seed);
}

/* One of the entries that wait with this identity; NULL: none. */
static struct entry *find_waiting(const struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *event, uint64_t hash)
{
    struct ptpmon_hash_node *node = ptpmon_hash_table_first(&join->identities, hash);
    for (; node; node = ptpmon_hash_table_next(node)) {
        struct entry *entry = PTPMON_CONTAINER_OF(node, struct entry, node);
        if (same_identity(&entry->event, event))
            return entry;
    }
    return NULL;
}

static void start_waiting(struct ptpmon_join *join, struct entry *entry)
{
    uint64_t hash = identity_hash(join, &entry->event);
    struct entry *first = find_waiting(join, &entry->event, hash);
    ptpmon_list_init(&entry->twins);
    entry->hashed = first == NULL;
    if (first)
        ptpmon_list_append(&first->twins, &entry->twins);
    else
        ptpmon_hash_table_insert(&join->identities, &entry->node, hash);
    /* Counted from the event time reached, not from the record's own, so that the list is in order of `expires`
     * although records of different CPUs may come slightly out of order. */
    entry->expires = ptpmon_instant_add(join->event_time, join->deadline_ns);
    ptpmon_list_append(&join->waiting, &entry->queue);
    join->waiting_count++;
}

static void stop_waiting(struct ptpmon_join *join, struct entry *entry)
{
    if (entry->hashed) {
        uint64_t hash = entry->node.hash;
        ptpmon_hash_table_remove(&join->identities, &entry->node);
        if (!ptpmon_list_is_empty(&entry->twins)) {
            struct entry *next = PTPMON_CONTAINER_OF(entry->twins.next, struct entry, twins);
            next->hashed = true;
            ptpmon_hash_table_insert(&join->identities, &next->node, hash);
        }
    }
    ptpmon_list_remove(&entry->twins);
    ptpmon_list_remove(&entry->queue);
    join->waiting_count--;
}

static void deliver(struct ptpmon_join *join, struct entry *entry, bool missing)
{
    stop_waiting(join, entry);
    entry->event.stamp &= (UINT8)~AVB_STAMP_EXPECTED;
    if (missing) {
        entry->event.stamp |= AVB_STAMP_MISSING;
        join->counts.missing++;
    }
    append_ready(&join->ready, &entry->event);
    ptpmon_list_append(&join->unused, &entry->queue);
}

static void deliver_oldest(struct ptpmon_join *join)
{
    deliver(join, entry_at(join->waiting.next), true);
}

static void move_event_time(struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *record)
{
    ptpmon_instant time = ptpmon_instant_from_unsigned(record->system_timestamp);
    if (time > join->event_time)
        join->event_time = time;
    while (join->waiting_count > 0 && entry_at(join->waiting.next)->expires < join->event_time)
        deliver_oldest(join);
}

static void add_stamps(PTP_TIMESTAMP_EVENT *event, const PTP_TIMESTAMP_EVENT *late)
{
    if (late->hw_timestamp_ns != 0) {
        event->hw_timestamp_ns = late->hw_timestamp_ns;
        event->stamp = (UINT8)((event->stamp & ~AVB_STAMP_KIND_MASK) | (late->stamp & AVB_STAMP_KIND_MASK));
    }
    if (late->software_timestamp != 0)
        event->software_timestamp = late->software_timestamp;
}

static void contest(struct entry *first)
{
    struct ptpmon_list *twin = &first->twins;
    do {
        PTPMON_CONTAINER_OF(twin, struct entry, twins)->contested = true;
        twin = twin->next;
    } while (twin != &first->twins);
}

static void take_stamp(struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *late)
{
    struct entry *entry = find_waiting(join, late, identity_hash(join, late));
    if (!entry) {
        join->counts.orphaned++;
        return;
    }
    if (entry->contested || !ptpmon_list_is_empty(&entry->twins)) {
        contest(entry);
        join->counts.ambiguous++;
        return;
    }
    join->counts.joined++;
    add_stamps(&entry->event, late);
    if (!(late->stamp & AVB_STAMP_EXPECTED))
        deliver(join, entry, entry->event.hw_timestamp_ns == 0 && entry->event.software_timestamp == 0);
}

static bool reserve_entry(struct ptpmon_join *join)
{
    if (!ptpmon_list_is_empty(&join->unused))
        return true;
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return false;
    ptpmon_list_append(&join->unused, &entry->queue);
    return true;
}

static void hold(struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *record)
{
    if (join->waiting_count == join->max_waiting)
        deliver_oldest(join);
    struct entry *entry = entry_at(join->unused.previous);
    ptpmon_list_remove(&entry->queue);
    entry->contested = false;
    entry->event = *record;
    start_waiting(join, entry);
}

static ptpmon_status no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "no memory for an event; read events more often");
}

/* A sent frame whose stamp comes later, or that stamp. */
__attribute__((noinline)) static ptpmon_status take_in_two(struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *record)
{
    bool is_stamp = record->stamp & AVB_STAMP_LATE;
    if (!is_stamp && !(reserve_ready(join) && reserve_entry(join)))
        return no_memory();
    move_event_time(join, record);
    if (is_stamp)
        take_stamp(join, record);
    else
        hold(join, record);
    return PTPMON_OK;
}

ptpmon_status ptpmon_join_record(struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *record)
{
    if (record->direction == AVB_DIRECTION_TX && record->stamp & (AVB_STAMP_LATE | AVB_STAMP_EXPECTED))
        return take_in_two(join, record);
    if (!reserve_ready(join))
        return no_memory();
    move_event_time(join, record);
    append_ready(&join->ready, record);
    return PTPMON_OK;
}

ptpmon_status ptpmon_join_finish(struct ptpmon_join *join)
{
    while (join->waiting_count > 0)
        deliver_oldest(join);
    return PTPMON_OK;
}

uint64_t ptpmon_join_oldest_waiting(const struct ptpmon_join *join)
{
    if (ptpmon_list_is_empty(&join->waiting))
        return UINT64_MAX;
    return entry_at(join->waiting.next)->event.system_timestamp;
}

void ptpmon_join_counts_get(const struct ptpmon_join *join, struct ptpmon_join_counts *counts)
{
    *counts = join->counts;
}
