/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <string.h>

/* Where the parts of messages begin, in bytes from the PTP header. IEEE 1588-2019 tables 35, 43 to 49. */
#define AT_CORRECTION 8u
#define AT_INTERVAL   33u
#define AT_BODY       34u
#define TIMESTAMP_END 44u
#define AT_REQUESTING 44u
#define ANNOUNCE_END  64u

/* Organization extension TLV of IEEE 802.1 with subtype 1: IEEE 802.1AS-2020 table 11-11. */
#define TLV_ORGANIZATION_EXTENSION 0x0003u
#define TLV_HEADER                 4u
#define FOLLOW_UP_TLV_LENGTH       28u
static const uint8_t follow_up_tlv_id[] = {0x00, 0x80, 0xC2, 0x00, 0x00, 0x01};

/* The bytes of one message that were captured. */
struct bytes {
    const uint8_t *first;
    uint32_t count;
};

/* Written as compilers know it: one load, one swap. */
static inline uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint64_t be64(const uint8_t *bytes)
{
    return (uint64_t)be32(bytes) << 32 | be32(bytes + 4);
}

static inline bool holds(const struct bytes *bytes, uint32_t from, uint32_t count)
{
    return bytes->count >= count && from <= bytes->count - count;
}

/* ScaledNs, 96 bits: 2^-16 ns, signed (IEEE 802.1AS-2020 6.4.3.1). */
static ptpmon_time scaled_ns(const uint8_t *bytes)
{
    ptpmon_time time = {(int64_t)be64(bytes + 2), avb_be16(bytes + 10)};
    int16_t above = (int16_t)avb_be16(bytes);
    if (above != (time.ns < 0 ? -1 : 0))
        time = above < 0 ? (ptpmon_time){INT64_MIN, 0} : (ptpmon_time){INT64_MAX, 0xFFFF};
    return time;
}

static void read_follow_up_tlv(const uint8_t *value, ptpmon_message *message)
{
    message->has |= PTPMON_MESSAGE_FOLLOW_UP;
    message->cumulativeScaledRateOffset = (int32_t)be32(value + 6);
    message->gmTimeBaseIndicator = avb_be16(value + 10);
    message->lastGmPhaseChange = scaled_ns(value + 12);
    message->scaledLastGmFreqChange = (int32_t)be32(value + 24);
}

static void read_tlvs(const struct bytes *bytes, uint32_t at, ptpmon_message *message)
{
    while (holds(bytes, at, TLV_HEADER)) {
        const uint8_t *value = bytes->first + at + TLV_HEADER;
        uint32_t type = avb_be16(bytes->first + at);
        uint32_t length = avb_be16(bytes->first + at + 2);
        if (!holds(bytes, at + TLV_HEADER, length))
            return;
        if (type == TLV_ORGANIZATION_EXTENSION && length >= FOLLOW_UP_TLV_LENGTH &&
            memcmp(value, follow_up_tlv_id, sizeof follow_up_tlv_id) == 0) {
            read_follow_up_tlv(value, message);
            return;
        }
        at += TLV_HEADER + length;
    }
}

static void read_requesting(const struct bytes *bytes, ptpmon_message *message)
{
    if (!holds(bytes, AT_REQUESTING, 10))
        return;
    message->has |= PTPMON_MESSAGE_REQUESTING;
    memcpy(message->requestingClockIdentity, bytes->first + AT_REQUESTING, 8);
    message->requestingPortNumber = avb_be16(bytes->first + AT_REQUESTING + 8);
}

static void read_announce(const struct bytes *bytes, ptpmon_message *message)
{
    const uint8_t *body = bytes->first + AT_BODY;
    if (!holds(bytes, 0, ANNOUNCE_END))
        return;
    message->has |= PTPMON_MESSAGE_ANNOUNCE;
    message->currentUtcOffset = (int16_t)avb_be16(body + 10);
    message->grandmasterPriority1 = body[13];
    message->clockClass = body[14];
    message->clockAccuracy = body[15];
    message->offsetScaledLogVariance = avb_be16(body + 16);
    message->grandmasterPriority2 = body[18];
    memcpy(message->grandmasterIdentity, body + 19, 8);
    message->stepsRemoved = avb_be16(body + 27);
    message->timeSource = body[29];
}

/* It is there in full. */
static inline void read_timestamp(const struct bytes *bytes, ptpmon_message *message)
{
    message->has |= PTPMON_MESSAGE_TIMESTAMP;
    message->seconds = be64(bytes->first + AT_BODY) >> 16; /* 48 bits */
    message->nanoseconds = be32(bytes->first + AT_BODY + 6);
}

static void read_body(const struct bytes *bytes, uint8_t messageType, ptpmon_message *message)
{
    *message = (ptpmon_message){
        .correctionField = (int64_t)be64(bytes->first + AT_CORRECTION),
        .logMessageInterval = (int8_t)bytes->first[AT_INTERVAL],
    };
    /* Every body of which something is read begins with a timestamp. */
    if (bytes->count < TIMESTAMP_END)
        return;
    switch (messageType) {
    case AVB_PTP_SYNC:
    case AVB_PTP_FOLLOW_UP:
        read_timestamp(bytes, message);
        read_tlvs(bytes, TIMESTAMP_END, message);
        break;
    case AVB_PTP_DELAY_REQ:
    case AVB_PTP_PDELAY_REQ:
        read_timestamp(bytes, message);
        break;
    case AVB_PTP_PDELAY_RESP:
    case AVB_PTP_DELAY_RESP:
    case AVB_PTP_PDELAY_RESP_FOLLOW_UP:
        read_timestamp(bytes, message);
        read_requesting(bytes, message);
        break;
    case AVB_PTP_ANNOUNCE:
        read_timestamp(bytes, message);
        read_announce(bytes, message);
        break;
    default:
        break;
    }
}

static long load(const void *from, UINT32 offset, void *to, UINT32 length)
{
    const ptpmon_frame *frame = from;
    if (offset > frame->captured_length || length > frame->captured_length - offset)
        return -1;
    memcpy(to, frame->bytes + offset, length);
    return 0;
}

enum avb_frame_kind ptpmon_message_read(const ptpmon_frame *frame, PTP_TIMESTAMP_EVENT *event, ptpmon_message *message)
{
    struct avb_ptp_span span;
    *event = (PTP_TIMESTAMP_EVENT){.queueId = AVB_QUEUE_UNKNOWN};
    event->direction = frame->direction <= AVB_DIRECTION_TX ? frame->direction : AVB_DIRECTION_UNKNOWN;
    enum avb_frame_kind kind = avb_frame_find(frame, load, frame->length, 0, event, &span);
    if (kind == AVB_FRAME_PTP && message) {
        /* messageLength may end before the frame does (padding), the capture before either. */
        const uint8_t *first = frame->bytes + span.offset;
        uint32_t end = span.end < frame->captured_length ? span.end : frame->captured_length;
        uint32_t messageLength = avb_be16(first + 2);
        uint32_t count = end - span.offset;
        struct bytes bytes = {first, count < messageLength ? count : messageLength};
        read_body(&bytes, event->messageType, message);
    }
    return kind;
}

ptpmon_status ptpmon_frame_message(const ptpmon_frame *frame, PTP_TIMESTAMP_EVENT *event, ptpmon_message *message)
{
    return ptpmon_message_read(frame, event, message) == AVB_FRAME_PTP ? PTPMON_OK : PTPMON_NOTHING;
}
