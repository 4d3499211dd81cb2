/* SPDX-License-Identifier: MIT */
/*
 * Which PTP message a record or a frame is about: (sdoId, domainNumber, messageType,
 * sourcePortIdentity, sequenceId). The MAC address is not part of it: one address may carry several
 * ports, and a port several addresses. sequenceId wraps, and answers copy the requester's, so the
 * key names a message only within a window of time, and not always only one.
 */
#ifndef PTPMON_LIB_FRAME_KEY_H
#define PTPMON_LIB_FRAME_KEY_H

#include <avb/avb_ptp_events.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Two words, so that neither comparing nor hashing depends on bytes just written. */
struct ptpmon_frame_key {
    uint64_t clockIdentity;
    uint64_t rest; /* the other fields, side by side */
};

static inline struct ptpmon_frame_key ptpmon_frame_key_of(const PTP_TIMESTAMP_EVENT *event)
{
    struct ptpmon_frame_key key;
    memcpy(&key.clockIdentity, event->clockIdentity, sizeof key.clockIdentity);
    key.rest = (uint64_t)event->portNumber << 48 | (uint64_t)event->sequenceId << 32 | (uint64_t)event->sdoId << 16 |
               (uint64_t)event->domainNumber << 8 | event->messageType;
    return key;
}

static inline bool ptpmon_frame_key_equal(const struct ptpmon_frame_key *a, const struct ptpmon_frame_key *b)
{
    return a->clockIdentity == b->clockIdentity && a->rest == b->rest;
}

static inline uint64_t ptpmon_hash_mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

/* The seed keeps a sender from choosing keys that collide. */
static inline uint64_t ptpmon_frame_key_hash(const struct ptpmon_frame_key *key, uint64_t seed)
{
    return ptpmon_hash_mix(key->clockIdentity * (seed | 1) + key->rest);
}

#endif
