/* SPDX-License-Identifier: MIT */
/*
 * Orders. A record's fields are written before its `sequence` is stored (release), which the reader,
 * and the producer that moves the limit over it, load (acquire). The reader has read before it stores
 * the tail (release), which that producer loads (acquire) before it moves the limit (release), which
 * every producer loads (acquire) before it reserves: so a slot is written again only after it was read.
 */
#include <avb/avb_ring_buffer.h>

#include "atomic.h"

/* Attempts to reserve, and slots that the limit is moved over at once: they bound a producer's time. */
#define ATTEMPTS 64
#define STEPS    64

/* ---- Producers ---- */

void AvbRingInit(AVB_RING *ring, void *section1, const void *section2, UINT32 capacity, UINT64 system_clock_hz)
{
    AVB_RING_HEADER *header = section1;
    header->magic = AVB_RING_MAGIC;
    header->abi_version = AVB_RING_ABI_VERSION;
    header->header_bytes = sizeof *header;
    header->event_bytes = sizeof(PTP_TIMESTAMP_EVENT);
    header->capacity = capacity;
    header->data_offset = sizeof *header;
    header->system_clock_hz = system_clock_hz;
    ring->header = header;
    ring->events = (PTP_TIMESTAMP_EVENT *)(void *)(header + 1);
    ring->consumer = section2;
    ring->capacity = capacity;
    ring->mask = capacity - 1;
}

static PTP_TIMESTAMP_EVENT *slot_of(const AVB_RING *ring, UINT64 ticket)
{
    return &ring->events[ticket & ring->mask];
}

static int is_published(const AVB_RING *ring, UINT64 ticket)
{
    return avb_load_acquire(&slot_of(ring, ticket)->sequence) == ticket + 1;
}

/* More than fit: a reader that was ahead of the caller's view of the head, or one that lies. */
static void note_unread(const AVB_RING *ring, UINT64 unread)
{
    UINT64 *mark = &ring->header->high_water;
    UINT64 highest = avb_load_relaxed(mark);
    if (unread > ring->capacity)
        return;
    while (unread > highest && !avb_replace_relaxed(mark, &highest, unread))
        ;
}

/*
 * Moves the limit towards the reader's position, for a producer that looks at ticket `t`, and returns
 * it. By compare-exchange only: a plain store could move it back, onto slots that are in use again.
 */
static UINT64 move_limit(const AVB_RING *ring, UINT64 t)
{
    AVB_RING_HEADER *header = ring->header;
    UINT64 limit = avb_load_acquire(&header->limit), moved = limit;
    UINT64 tail = avb_load_acquire(&ring->consumer->tail); /* once: it may change at any time */
    UINT64 head = avb_load_relaxed(&header->head);         /* after the tail, which an honest reader keeps behind it */
    if (tail - limit > head - limit) {
        avb_add_relaxed(&header->bad_consumer_position, 1);
        return limit;
    }
    note_unread(ring, t - tail);
    while (moved != tail && moved - limit < STEPS && is_published(ring, moved))
        moved++;
    if (moved == limit || avb_replace_acquire_release(&header->limit, &limit, moved))
        return moved;
    return limit; /* where another producer has moved it to */
}

/*
 * Takes ticket *t, if that is still the next one; if not, *t is the next one now. Between a failed
 * exchange and another attempt only the line of head and limit is touched: one line more starves a
 * producer, on two processors already.
 */
static int take(const AVB_RING *ring, UINT64 *t)
{
    return avb_replace_relaxed(&ring->header->head, t, *t + 1);
}

struct reservation {
    PTP_TIMESTAMP_EVENT *slot; /* NULL: none */
    UINT64 ticket;
};

/* Apart, so that the usual way saves no registers. */
__attribute__((noinline)) static struct reservation try_again(const AVB_RING *ring, UINT64 t)
{
    AVB_RING_HEADER *header = ring->header;
    UINT64 *dropped = &header->dropped_contention;
    for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
        if (t - avb_load_acquire(&header->limit) >= ring->capacity && t - move_limit(ring, t) >= ring->capacity) {
            UINT64 now = avb_load_relaxed(&header->head);
            if (now == t) {
                dropped = &header->dropped_full;
                break;
            }
            t = now; /* it was old, which looks full too */
        } else if (take(ring, &t)) {
            return (struct reservation){slot_of(ring, t), t};
        }
    }
    avb_add_relaxed(dropped, 1);
    return (struct reservation){0, 0};
}

static inline struct reservation reserve(const AVB_RING *ring)
{
    UINT64 t = avb_load_relaxed(&ring->header->head);
    if (t - avb_load_acquire(&ring->header->limit) >= ring->capacity || !take(ring, &t))
        return try_again(ring, t);
    return (struct reservation){slot_of(ring, t), t};
}

PTP_TIMESTAMP_EVENT *AvbRingReserve(const AVB_RING *ring, UINT64 *ticket)
{
    struct reservation reservation = reserve(ring);
    *ticket = reservation.ticket;
    return reservation.slot;
}

void AvbRingPublish(PTP_TIMESTAMP_EVENT *slot, UINT64 ticket)
{
    avb_store_release(&slot->sequence, ticket + 1);
}

int RingBufferWrite(const AVB_RING *ring, const PTP_TIMESTAMP_EVENT *event)
{
    struct reservation reservation = reserve(ring);
    if (!reservation.slot)
        return 0;
    __builtin_memcpy(reservation.slot, event, offsetof(PTP_TIMESTAMP_EVENT, sequence));
    AvbRingPublish(reservation.slot, reservation.ticket);
    return 1;
}

UINT64 AvbRingUnread(const AVB_RING *ring)
{
    UINT64 head = avb_load_acquire(&ring->header->head); /* before the tail: never more than there really were */
    UINT64 unread = head - avb_load_acquire(&ring->consumer->tail);
    note_unread(ring, unread);
    return unread <= ring->capacity ? unread : 0;
}

int AvbRingWantsWake(const AVB_RING *ring)
{
    return avb_load_acquire(&ring->consumer->wake) != 0;
}

/* ---- The reader ---- */

/*
 * A position outside limit..head is none where records are: another reader of this ring left it there.
 * The oldest record that is surely still in its slot is the one at the limit.
 */
static void find_position(AVB_RING_READER *reader)
{
    UINT64 limit = avb_load_acquire(&reader->header->limit);
    if (reader->next - limit <= avb_load_acquire(&reader->header->head) - limit)
        return;
    reader->next = limit;
    avb_store_release(&reader->consumer->tail, limit);
}

int AvbRingReaderInit(AVB_RING_READER *reader, const void *section1, UINT64 bytes, void *section2)
{
    const AVB_RING_HEADER *header = section1;
    if (bytes < sizeof *header || header->magic != AVB_RING_MAGIC || header->abi_version != AVB_RING_ABI_VERSION ||
        header->header_bytes != sizeof *header || header->data_offset != sizeof *header ||
        header->event_bytes != sizeof(PTP_TIMESTAMP_EVENT) || !AvbRingCapacityIsValid(header->capacity) ||
        bytes < AvbRingBytes(header->capacity))
        return 0;
    reader->header = header;
    reader->events = (const PTP_TIMESTAMP_EVENT *)(const void *)(header + 1);
    reader->consumer = section2;
    reader->mask = header->capacity - 1;
    reader->next = avb_load_relaxed(&reader->consumer->tail);
    find_position(reader);
    return 1;
}

UINT64 AvbRingPeek(const AVB_RING_READER *reader, const PTP_TIMESTAMP_EVENT **first)
{
    UINT64 next = reader->next, slot = next & reader->mask, room = reader->mask + 1 - slot, count = 0;
    const PTP_TIMESTAMP_EVENT *event = &reader->events[slot];
    *first = event;
    while (count < room && avb_load_acquire(&event[count].sequence) == next + count + 1)
        count++;
    return count;
}

void AvbRingRelease(AVB_RING_READER *reader, UINT64 count)
{
    reader->next += count;
    avb_store_release(&reader->consumer->tail, reader->next);
}

int AvbRingMaySleep(AVB_RING_READER *reader)
{
    const PTP_TIMESTAMP_EVENT *first;
    find_position(reader);
    avb_store_relaxed(&reader->consumer->wake, 1);
    avb_full_fence(); /* the wake word is out before the slot is looked at */
    return AvbRingPeek(reader, &first) == 0;
}

void AvbRingAwake(AVB_RING_READER *reader)
{
    avb_store_relaxed(&reader->consumer->wake, 0);
}
