/* SPDX-License-Identifier: MIT */
/* Frames, and by IEEE 1588-2019 clause 13.3 and annexes C to E what the records of them must be. */
#include "client.h"

#include <string.h>

static const UINT8 source_mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
static const UINT8 clockIdentity[8] = {0x02, 0x11, 0x22, 0xFF, 0xFE, 0x33, 0x44, 0x55};

static void put(struct frame *frame, const void *bytes, UINT32 count)
{
    memcpy(frame->bytes + frame->length, bytes, count);
    frame->length += count;
}

static void put8(struct frame *frame, UINT32 value)
{
    frame->bytes[frame->length++] = (UINT8)value;
}

static void put16(struct frame *frame, UINT32 value)
{
    put8(frame, value >> 8);
    put8(frame, value & 0xFF);
}

static void zeros(struct frame *frame, UINT32 count)
{
    memset(frame->bytes + frame->length, 0, count);
    frame->length += count;
}

#define PTP_BYTES 44

static void put_ipv4(struct frame *frame)
{
    put8(frame, 0x45);
    put8(frame, 0);
    put16(frame, 20 + 8 + PTP_BYTES);
    zeros(frame, 4);
    put8(frame, 1);
    put8(frame, 17);
    zeros(frame, 2);
    put(frame, "\x0A\x00\x00\x01\xE0\x00\x01\x81", 8);
}

static void put_ipv6(struct frame *frame)
{
    put8(frame, 0x60);
    zeros(frame, 3);
    put16(frame, 8 + PTP_BYTES);
    put8(frame, 17);
    put8(frame, 1);
    zeros(frame, 15);
    put8(frame, 1);
    put(frame, "\xFF\x0E\0\0\0\0\0\0\0\0\0\0\0\0\x01\x81", 16);
}

static void put_udp(struct frame *frame, UINT8 messageType)
{
    UINT32 port = messageType < 8 ? 319 : 320;
    put16(frame, port);
    put16(frame, port);
    put16(frame, 8 + PTP_BYTES);
    put16(frame, 0);
}

/* Every field has another value than its neighbours, and none is 0. */
static void put_ptp(struct frame *frame, UINT8 messageType, UINT16 sequenceId)
{
    PTP_TIMESTAMP_EVENT *event = &frame->event;
    frame->ptp = frame->length;
    event->messageType = messageType;
    event->sequenceId = sequenceId;
    event->domainNumber = 24;
    event->sdoId = 0x1A7;
    event->flags = 0x0208;
    event->version = 0x12;
    event->portNumber = 0x0302;
    memcpy(event->clockIdentity, clockIdentity, sizeof clockIdentity);
    put8(frame, 0x10u | messageType); /* majorSdoId */
    put8(frame, 0x12);                /* minorVersionPTP, versionPTP */
    put16(frame, PTP_BYTES);
    put8(frame, 24);
    put8(frame, 0xA7); /* minorSdoId */
    put16(frame, 0x0208);
    zeros(frame, 8); /* correctionField */
    zeros(frame, 4);
    put(frame, clockIdentity, sizeof clockIdentity);
    put16(frame, 0x0302);
    put16(frame, sequenceId);
    put8(frame, 0);
    put8(frame, 0);
    zeros(frame, PTP_BYTES - 34);
}

struct frame make_frame(UINT32 transport, UINT8 messageType, UINT16 sequenceId, const UINT32 *tags, UINT32 tag_count)
{
    static const UINT16 ethertypes[] = {0x88F7, 0x0800, 0x86DD};
    struct frame frame = {.length = 0};
    put(&frame, "\x01\x1B\x19\x00\x00\x00", 6);
    put(&frame, source_mac, 6);
    for (UINT32 i = 0; i < tag_count; i++) {
        put16(&frame, tags[i] >> 16);
        put16(&frame, tags[i] & 0xFFFF);
    }
    if (tag_count) {
        frame.event.stamp = (UINT8)(AVB_STAMP_VLAN | (tag_count > 1 ? AVB_STAMP_MORE_TAGS : 0));
        frame.event.vlanId = tags[0] & 0xFFF;
        frame.event.pcp = (UINT8)(tags[0] >> 13 & 7);
    }
    memcpy(frame.event.sourceMac, source_mac, 6);
    frame.event.transport = (UINT8)transport;
    put16(&frame, ethertypes[transport]);
    if (transport == AVB_TRANSPORT_UDP_IPV4)
        put_ipv4(&frame);
    if (transport == AVB_TRANSPORT_UDP_IPV6)
        put_ipv6(&frame);
    if (transport != AVB_TRANSPORT_ETHERNET)
        put_udp(&frame, messageType);
    put_ptp(&frame, messageType, sequenceId);
    return frame;
}

struct frame foreign_frame(void)
{
    struct frame frame = {.length = 0};
    put(&frame, "\xFF\xFF\xFF\xFF\xFF\xFF", 6);
    put(&frame, source_mac, 6);
    put16(&frame, 0x0806);
    zeros(&frame, 46);
    return frame;
}

PTP_TIMESTAMP_EVENT record_of(const struct frame *frame, UINT8 direction)
{
    PTP_TIMESTAMP_EVENT record = frame->event;
    record.direction = direction;
    record.queueId = AVB_QUEUE_UNKNOWN;
    return record;
}
