/* SPDX-License-Identifier: MIT */
#include "frame_oracle.h"

#include <stdbool.h>
#include <string.h>

/* Positions are 64 bits wide, so that no sum of length fields can overflow. */
struct packet {
    const uint8_t *bytes;
    uint64_t captured;
    uint64_t length;
};

struct tags {
    uint16_t outermost;
    unsigned count;
};

/* Where the UDP datagram is, and what IP says of its end. */
struct datagram {
    uint64_t at;
    uint64_t ip_end;
    bool more_fragments;
};

static bool holds(const struct packet *packet, uint64_t at, uint64_t count)
{
    return at + count <= packet->captured;
}

static unsigned two(const struct packet *packet, uint64_t at)
{
    return packet->bytes[at] * 256u + packet->bytes[at + 1];
}

/* Moves *at, which is behind an EtherType, to behind the last tag's; false: no such frame. */
static bool skip_tags(const struct packet *packet, uint64_t *at, struct tags *tags)
{
    for (;;) {
        unsigned type = two(packet, *at - 2);
        if (type != 0x8100 && type != 0x88A8 && type != 0x9100)
            return true;
        if (tags->count == 4 || !holds(packet, *at, 4))
            return false;
        if (tags->count++ == 0)
            tags->outermost = (uint16_t)two(packet, *at);
        *at += 4;
    }
}

static bool find_udp_in_ipv4(const struct packet *packet, uint64_t at, struct datagram *datagram)
{
    if (!holds(packet, at, 20))
        return false;
    unsigned version = packet->bytes[at] / 16, words = packet->bytes[at] % 16, fragment = two(packet, at + 6);
    if (version != 4 || words < 5 || packet->bytes[at + 9] != 17 || fragment % 0x2000 != 0)
        return false;
    datagram->at = at + 4 * words;
    datagram->ip_end = at + two(packet, at + 2);
    datagram->more_fragments = fragment / 0x2000 % 2 == 1;
    return true;
}

/* The length of the IPv6 extension header of this type, 0: not one to pass over. */
static unsigned extension_length(const struct packet *packet, uint64_t at, unsigned type)
{
    switch (type) {
    case 0:  /* hop-by-hop options */
    case 43: /* routing */
    case 60: /* destination options */
        return 8 + 8u * packet->bytes[at + 1];
    case 51: /* authentication */
        return 8 + 4u * packet->bytes[at + 1];
    case 44: /* fragment */
        return 8;
    default:
        return 0;
    }
}

static bool find_udp_in_ipv6(const struct packet *packet, uint64_t at, struct datagram *datagram)
{
    if (!holds(packet, at, 40) || packet->bytes[at] / 16 != 6)
        return false;
    datagram->ip_end = at + 40 + two(packet, at + 4);
    datagram->more_fragments = false;

    unsigned type = packet->bytes[at + 6];
    at += 40;
    for (int extensions = 0; type != 17; extensions++) {
        if (extensions == 8 || !holds(packet, at, 4))
            return false;
        unsigned length = extension_length(packet, at, type);
        if (length == 0)
            return false;
        if (type == 44) {
            unsigned offset_and_flags = two(packet, at + 2);
            if (offset_and_flags / 8 != 0)
                return false;
            if (offset_and_flags % 2 == 1)
                datagram->more_fragments = true;
        }
        type = packet->bytes[at];
        at += length;
    }
    datagram->at = at;
    return true;
}

/* The message begins at `at`; `here` bytes of at most `whole` are in this frame. */
static enum avb_frame_kind read_message(const struct packet *packet, uint64_t at, uint64_t here, uint64_t whole,
                                        PTP_TIMESTAMP_EVENT *event)
{
    if (here < 34 || !holds(packet, at, 34))
        return AVB_FRAME_TRUNCATED;
    const uint8_t *header = packet->bytes + at;
    if (header[1] % 16 == 1)
        return AVB_FRAME_PTP_V1;
    if (header[1] % 16 != 2)
        return AVB_FRAME_OTHER_VERSION;
    if (two(packet, at + 2) < 34 || two(packet, at + 2) > whole)
        return AVB_FRAME_BAD_LENGTH;
    event->messageType = header[0] % 16;
    event->version = header[1];
    event->domainNumber = header[4];
    event->sdoId = (uint16_t)(header[0] / 16 * 256 + header[5]);
    event->flags = (uint16_t)two(packet, at + 6);
    memcpy(event->clockIdentity, header + 20, 8);
    event->portNumber = (uint16_t)two(packet, at + 28);
    event->sequenceId = (uint16_t)two(packet, at + 30);
    return AVB_FRAME_PTP;
}

static enum avb_frame_kind read_datagram(const struct packet *packet, const struct datagram *datagram,
                                         PTP_TIMESTAMP_EVENT *event)
{
    if (!holds(packet, datagram->at, 8))
        return AVB_FRAME_FOREIGN;
    unsigned port = two(packet, datagram->at + 2), length = two(packet, datagram->at + 4);
    if (port != 319 && port != 320)
        return AVB_FRAME_FOREIGN;
    if (length < 8 || datagram->at + 8 > datagram->ip_end || datagram->ip_end > packet->length)
        return AVB_FRAME_BAD_LENGTH;
    uint64_t here = datagram->ip_end - datagram->at;
    if (length > here && !datagram->more_fragments)
        return AVB_FRAME_BAD_LENGTH;
    return read_message(packet, datagram->at + 8, (here < length ? here : length) - 8, length - 8, event);
}

static enum avb_frame_kind read_payload(const struct packet *packet, uint64_t at, PTP_TIMESTAMP_EVENT *event)
{
    struct datagram datagram;
    uint64_t rest = packet->length > at ? packet->length - at : 0;
    switch (two(packet, at - 2)) {
    case 0x88F7:
        return read_message(packet, at, rest, rest, event);
    case 0x0800:
        event->transport = AVB_TRANSPORT_UDP_IPV4;
        return find_udp_in_ipv4(packet, at, &datagram) ? read_datagram(packet, &datagram, event) : AVB_FRAME_FOREIGN;
    case 0x86DD:
        event->transport = AVB_TRANSPORT_UDP_IPV6;
        return find_udp_in_ipv6(packet, at, &datagram) ? read_datagram(packet, &datagram, event) : AVB_FRAME_FOREIGN;
    default:
        return AVB_FRAME_FOREIGN;
    }
}

enum avb_frame_kind frame_oracle(const uint8_t *bytes, uint32_t captured, uint32_t length, uint32_t tag,
                                 PTP_TIMESTAMP_EVENT *event)
{
    struct packet packet = {bytes, captured, length};
    struct tags tags = {(uint16_t)tag, tag == 0 ? 0 : 1};
    uint64_t at = 14;

    memset(event, 0, sizeof *event);
    if (!holds(&packet, 0, 14) || !skip_tags(&packet, &at, &tags))
        return AVB_FRAME_FOREIGN;
    memcpy(event->sourceMac, bytes + 6, 6);
    event->vlanId = tags.outermost % 4096;
    event->pcp = (uint8_t)(tags.outermost / 8192);
    event->stamp = (uint8_t)((tags.count > 0 ? 0x40 : 0) + (tags.count > 1 ? 0x80 : 0));
    return read_payload(&packet, at, event);
}
