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

struct ptpmon_frame_key {
    uint8_t clockIdentity[8];
    uint16_t portNumber;
    uint16_t sequenceId;
    uint16_t sdoId;
    uint8_t domainNumber;
    uint8_t messageType;
};

_Static_assert(sizeof(struct ptpmon_frame_key) == 16, "no padding: the key is compared as bytes");

static inline struct ptpmon_frame_key ptpmon_frame_key_of(const PTP_TIMESTAMP_EVENT *event)
{
    struct ptpmon_frame_key key = {
        .portNumber = event->portNumber,
        .sequenceId = event->sequenceId,
        .sdoId = event->sdoId,
        .domainNumber = event->domainNumber,
        .messageType = event->messageType,
    };
    memcpy(key.clockIdentity, event->clockIdentity, sizeof key.clockIdentity);
    return key;
}

static inline bool ptpmon_frame_key_equal(const struct ptpmon_frame_key *a, const struct ptpmon_frame_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
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
    uint64_t halves[2];
    memcpy(halves, key, sizeof halves);
    return ptpmon_hash_mix(ptpmon_hash_mix(halves[0] ^ seed) ^ halves[1]);
}

#endif
