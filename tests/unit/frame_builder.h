/* SPDX-License-Identifier: MIT */
/* Hand-made frames for tests: PTP in every encapsulation, put together piece by piece. */
#ifndef PTPMON_TESTS_FRAME_BUILDER_H
#define PTPMON_TESTS_FRAME_BUILDER_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PTP_SYNC_LENGTH 44u

struct test_frame {
    uint8_t bytes[1514];
    uint32_t length;
};

static inline void put(struct test_frame *frame, const void *bytes, size_t length)
{
    assert(frame->length + length <= sizeof frame->bytes);
    memcpy(frame->bytes + frame->length, bytes, length);
    frame->length += (uint32_t)length;
}

static inline void put_u8(struct test_frame *frame, unsigned value)
{
    put(frame, &(uint8_t){(uint8_t)value}, 1);
}

static inline void put_be16(struct test_frame *frame, unsigned value)
{
    put_u8(frame, value >> 8);
    put_u8(frame, value & 0xFFu);
}

static inline void put_zeros(struct test_frame *frame, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_u8(frame, 0);
}

/* Destination and source address; the source address carries a serial number. */
static inline void put_addresses(struct test_frame *frame, uint32_t serial)
{
    static const uint8_t destination[] = {0x01, 0x1B, 0x19, 0x00, 0x00, 0x00};
    put(frame, destination, sizeof destination);
    put_be16(frame, 0x0200);
    put_be16(frame, serial >> 16);
    put_be16(frame, serial & 0xFFFFu);
}

static inline uint32_t serial_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 | bytes[11];
}

static inline void put_tag(struct test_frame *frame, unsigned tpid, unsigned tci)
{
    put_be16(frame, tpid);
    put_be16(frame, tci);
}

/* A PTPv2 Sync of 44 bytes. */
static inline void put_sync(struct test_frame *frame, unsigned sequenceId)
{
    static const uint8_t identity[] = {0x02, 0x00, 0x00, 0xFF, 0xFE, 0x00, 0x00, 0x01, 0x00, 0x01};
    put_be16(frame, 0x0002); /* Sync; version 2 */
    put_be16(frame, PTP_SYNC_LENGTH);
    put_be16(frame, 0); /* domainNumber, minorSdoId */
    put_be16(frame, 0x0200);
    put_zeros(frame, 12);
    put(frame, identity, sizeof identity);
    put_be16(frame, sequenceId);
    put_zeros(frame, 12);
}

static inline void put_udp(struct test_frame *frame, unsigned port, size_t payload)
{
    put_be16(frame, 40000);
    put_be16(frame, port);
    put_be16(frame, (unsigned)(8 + payload));
    put_be16(frame, 0);
}

/* IPv4 header; options: bytes of them, a multiple of 4. payload: bytes after the header. */
static inline void put_ipv4(struct test_frame *frame, unsigned protocol, unsigned options, unsigned fragment,
                            size_t payload)
{
    static const uint8_t addresses[] = {192, 0, 2, 1, 224, 0, 1, 129};
    put_u8(frame, 0x45 + options / 4);
    put_u8(frame, 0);
    put_be16(frame, (unsigned)(20 + options + payload));
    put_be16(frame, 1);
    put_be16(frame, fragment);
    put_u8(frame, 1);
    put_u8(frame, protocol);
    put_be16(frame, 0);
    put(frame, addresses, sizeof addresses);
    for (unsigned i = 0; i < options; i++)
        put_u8(frame, 1); /* no operation */
}

/* IPv6 header; payload: bytes after it. */
static inline void put_ipv6(struct test_frame *frame, unsigned next_header, size_t payload)
{
    static const uint8_t addresses[32] = {0xFE, 0x80, [15] = 1, [16] = 0xFF, 0x02, [30] = 0x01, 0x81};
    put_be16(frame, 0x6000);
    put_be16(frame, 0);
    put_be16(frame, (unsigned)payload);
    put_u8(frame, next_header);
    put_u8(frame, 1);
    put(frame, addresses, sizeof addresses);
}

/* An IPv6 extension header of 8 bytes: hop-by-hop, routing, destination options or fragment (first). */
static inline void put_extension(struct test_frame *frame, unsigned next_header)
{
    put_u8(frame, next_header);
    put_zeros(frame, 7);
}

#endif
