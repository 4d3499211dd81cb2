/* SPDX-License-Identifier: MIT */
/*
 * The shared ring: fixed records from many producers in a driver to one reader in a process that the
 * driver does not trust. No lock; a producer never waits.
 *
 * Memory. Two sections, fresh and zeroed for each enable, without a pointer in either:
 *     section 1  AVB_RING_HEADER (one page), then PTP_TIMESTAMP_EVENT[capacity]; the reader maps it
 *                read-only
 *     section 2  AVB_RING_CONSUMER (one page); the reader may write it, and whatever it writes can at
 *                worst cost it records
 *
 * Tickets count records, have 64 bits and do not wrap in practice; a record lies in slot
 * ticket & (capacity - 1). A slot is published when its `sequence` is ticket + 1.
 *
 * Producers reserve a ticket by compare-exchange against a limit and publish it in the slot. The
 * limit follows the reader's position only over slots whose publication a producer has itself seen:
 * so a reader that lies never brings two producers into one slot.
 *
 * The header compiles alone, in user mode and in a kernel.
 */
#ifndef AVB_RING_BUFFER_H
#define AVB_RING_BUFFER_H

#include <avb/avb_ptp_events.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVB_RING_MAGIC            0x474E4952u /* "RING" in memory of a little-endian host */
#define AVB_RING_ABI_VERSION      1u
#define AVB_RING_PAGE             4096u
#define AVB_RING_DEFAULT_CAPACITY 4096u    /* records: 256 KiB */
#define AVB_RING_MIN_CAPACITY     64u      /* records: one page */
#define AVB_RING_MAX_CAPACITY     1048576u /* records: 64 MiB */

/* The first page of section 1. Producers alone write it. */
typedef struct _AVB_RING_HEADER {
    /* Immutable once the section is handed out. */
    UINT32 magic;
    UINT32 abi_version;
    UINT32 header_bytes;    /* AVB_RING_PAGE */
    UINT32 event_bytes;     /* 64 */
    UINT32 capacity;        /* records, a power of two */
    UINT32 data_offset;     /* of record 0 in section 1 */
    UINT64 system_clock_hz; /* ticks per second of system_timestamp */
    UINT8 reserved0[96];
    UINT64 head;  /* next ticket; so many records have been emitted */
    UINT64 limit; /* records before this ticket are read: their slots may be used again */
    UINT8 reserved1[112];
    /* Written on slow paths only. */
    UINT64 dropped_full;
    UINT64 dropped_contention;
    UINT64 bad_consumer_position; /* positions that no honest reader writes */
    UINT64 high_water;            /* most records found unread: when the limit moved, and by AvbRingUnread() */
    UINT8 reserved2[AVB_RING_PAGE - 288];
} AVB_RING_HEADER;

/* Section 2. Nothing else in it is ever read by the driver. */
typedef struct _AVB_RING_CONSUMER {
    UINT64 tail; /* next ticket to read; moved once for a batch */
    UINT8 reserved0[120];
    UINT64 wake; /* not 0: the reader sleeps, or is about to */
    UINT8 reserved1[AVB_RING_PAGE - 136];
} AVB_RING_CONSUMER;

AVB_STATIC_ASSERT(sizeof(AVB_RING_HEADER) == AVB_RING_PAGE, "records begin at the second page");
AVB_STATIC_ASSERT(sizeof(AVB_RING_CONSUMER) == AVB_RING_PAGE, "a section of its own");
AVB_ASSERT_OFFSET(AVB_RING_HEADER, magic, 0);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, abi_version, 4);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, header_bytes, 8);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, event_bytes, 12);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, capacity, 16);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, data_offset, 20);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, system_clock_hz, 24);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, head, 0x80);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, limit, 0x88);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, dropped_full, 0x100);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, dropped_contention, 0x108);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, bad_consumer_position, 0x110);
AVB_ASSERT_OFFSET(AVB_RING_HEADER, high_water, 0x118);
AVB_ASSERT_OFFSET(AVB_RING_CONSUMER, tail, 0);
AVB_ASSERT_OFFSET(AVB_RING_CONSUMER, wake, 0x80);

/* Bytes of section 1. */
static inline UINT64 AvbRingBytes(UINT32 capacity)
{
    return AVB_RING_PAGE + (UINT64)capacity * sizeof(PTP_TIMESTAMP_EVENT);
}

static inline int AvbRingCapacityIsValid(UINT32 capacity)
{
    return capacity >= AVB_RING_MIN_CAPACITY && capacity <= AVB_RING_MAX_CAPACITY && (capacity & (capacity - 1)) == 0;
}

/* ---- Producers: the driver ---- */

/* A producer's view. It lies in memory that no user can reach: what decides about addresses is here. */
typedef struct _AVB_RING {
    AVB_RING_HEADER *header;
    PTP_TIMESTAMP_EVENT *events;
    const AVB_RING_CONSUMER *consumer;
    UINT64 capacity, mask;
} AVB_RING;

/*
 * Prepares a ring in two zeroed sections of AvbRingBytes(capacity) and AVB_RING_PAGE bytes, which
 * must outlive it. capacity: a power of two within AVB_RING_MIN_CAPACITY..AVB_RING_MAX_CAPACITY.
 */
void AvbRingInit(AVB_RING *ring, void *section1, const void *section2, UINT32 capacity, UINT64 system_clock_hz);

/*
 * Reserves a slot, to be filled in place, all of it but `sequence`, and published: no other producer
 * writes it, and the reader sees nothing of it before. NULL: the record is dropped and counted, the
 * ring being full or (after 64 attempts) too busy. Any thread, any IRQL; between the two calls a
 * Windows driver stays at DISPATCH_LEVEL, for a producer that is suspended there holds up the reader.
 */
PTP_TIMESTAMP_EVENT *AvbRingReserve(const AVB_RING *ring, UINT64 *ticket);
void AvbRingPublish(PTP_TIMESTAMP_EVENT *slot, UINT64 ticket);

/* Puts a copy of the event, but for `sequence`, into the ring. 0: dropped, as above. */
int RingBufferWrite(const AVB_RING *ring, const PTP_TIMESTAMP_EVENT *event);

/*
 * For a timer of the driver, which wakes the reader when both are true: producers look at neither.
 * How many records the reader has not taken, by what it says; 0 where that cannot be. Notes it in
 * high_water.
 */
UINT64 AvbRingUnread(const AVB_RING *ring);

/* Whether the reader asked to be woken. */
int AvbRingWantsWake(const AVB_RING *ring);

/* ---- The reader: one thread of the process that enabled the ring ---- */

typedef struct _AVB_RING_READER {
    const AVB_RING_HEADER *header;
    const PTP_TIMESTAMP_EVENT *events;
    AVB_RING_CONSUMER *consumer;
    UINT64 mask;
    UINT64 next; /* ticket of the next record */
} AVB_RING_READER;

/*
 * Goes on where section 2 says; where that can be no position, at the oldest record that is surely
 * still there. 0: section 1, of `bytes`, is no ring of this ABI version.
 */
int AvbRingReaderInit(AVB_RING_READER *reader, const void *section1, UINT64 bytes, void *section2);

/*
 * The records that can be read now, in place, as far as they lie in one piece: at most
 * capacity - (next & mask). They stay as they are until they are released. Returns how many.
 */
UINT64 AvbRingPeek(const AVB_RING_READER *reader, const PTP_TIMESTAMP_EVENT **first);

/* Gives the first `count` records of the last peek back to the producers. */
void AvbRingRelease(AVB_RING_READER *reader, UINT64 count);

/*
 * Before the reader waits: says that it wants to be woken, and looks once more. 1: there is nothing,
 * wait; 0: there is something, do not. After the wait, or in place of it, AvbRingAwake(). It also
 * finds the position anew where another reader has moved the limit past it.
 */
int AvbRingMaySleep(AVB_RING_READER *reader);
void AvbRingAwake(AVB_RING_READER *reader);

#ifdef __cplusplus
}
#endif
#endif
