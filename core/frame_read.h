/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The one PTP parser: finds the PTP message of an Ethernet frame and takes from it what an event
 * says about the frame.
 *
 * It is written once for all homes: user mode and the Windows driver call it through core/frame.h,
 * the eBPF program includes it. It reads the frame only through a load function, which says whether
 * the bytes are there; everything inlines, so the function pointer costs nothing.
 *
 * No allocation, no libc, bounded loops, any IRQL, re-entrant.
 */
#ifndef AVB_CORE_FRAME_READ_H
#define AVB_CORE_FRAME_READ_H

#include <avb/avb_ptp_events.h>

#define AVB_INLINE static inline __attribute__((always_inline))

/* What a frame is. "Addressed as PTP": EtherType 0x88F7, or a whole UDP header with destination port 319 or 320. */
enum avb_frame_kind {
    AVB_FRAME_PTP,           /* a PTPv2 message; the event is filled */
    AVB_FRAME_FOREIGN,       /* not PTP, or a later IP fragment, which has no PTP header */
    AVB_FRAME_PTP_V1,        /* versionPTP 1 (IEEE 1588-2002), whose header differs */
    AVB_FRAME_OTHER_VERSION, /* versionPTP neither 1 nor 2 */
    AVB_FRAME_TRUNCATED,     /* addressed as PTP, but the frame, its capture or UDP ends inside the PTP header */
    AVB_FRAME_BAD_LENGTH,    /* a length field (IP, UDP, messageLength) contradicts the frame */
    AVB_FRAME_KINDS
};

/* An out-of-band VLAN tag: 0 = none, else AVB_TAG(TCI). It is the outermost tag on the wire. */
#define AVB_TAG_PRESENT 0x10000u
#define AVB_TAG(tci)    (AVB_TAG_PRESENT | (0xFFFFu & (tci)))

/* Copies `length` bytes at `offset` of the frame to `to`; returns 0, or anything else where the
 * frame does not hold them all (then `to` may hold anything). */
typedef long (*avb_frame_load)(const void *frame, UINT32 offset, void *to, UINT32 length);

/* Bounds that real frames stay far below; what exceeds them is AVB_FRAME_FOREIGN. */
#define AVB_MAX_TAGS              4 /* VLAN tags, in band and out of band together */
#define AVB_MAX_EXTENSION_HEADERS 8 /* IPv6 extension headers */

#define AVB_ETHERNET_HEADER       14u
#define AVB_ETHERTYPE_IPV4        0x0800u
#define AVB_ETHERTYPE_IPV6        0x86DDu
#define AVB_ETHERTYPE_PTP         0x88F7u
#define AVB_ETHERTYPE_8021Q       0x8100u
#define AVB_ETHERTYPE_8021AD      0x88A8u
#define AVB_ETHERTYPE_QINQ_LEGACY 0x9100u
#define AVB_PROTOCOL_UDP          17u
#define AVB_PTP_HEADER            34u
#define AVB_PTP_EVENT_PORT        319u
#define AVB_PTP_GENERAL_PORT      320u

AVB_INLINE UINT16 avb_be16(const UINT8 *bytes)
{
    return (UINT16)(bytes[0] << 8 | bytes[1]);
}

AVB_INLINE int avb_is_ptp_port(UINT16 port)
{
    return port == AVB_PTP_EVENT_PORT || port == AVB_PTP_GENERAL_PORT;
}

/* The part of the frame in which the PTP message must lie. */
struct avb_ptp_span {
    UINT32 offset;      /* of the PTP header in the frame */
    UINT32 end;         /* first byte after what this frame holds of the message */
    UINT32 message_end; /* first byte after what the message may use: beyond `end` where IP fragments follow */
};

/* The UDP header at `offset`, whose IP payload ends at `end`, or goes on in further fragments. */
AVB_INLINE enum avb_frame_kind avb_read_udp(const void *frame, avb_frame_load load, UINT32 offset, UINT32 end,
                                            int more_fragments, struct avb_ptp_span *span)
{
    UINT8 udp[8];
    if (load(frame, offset, udp, sizeof udp) != 0)
        return AVB_FRAME_FOREIGN;
    UINT16 port = avb_be16(udp + 2);
    if (!avb_is_ptp_port(port))
        return AVB_FRAME_FOREIGN;
    UINT32 message = offset + (UINT32)sizeof udp;
    UINT32 udp_end = offset + avb_be16(udp + 4);
    if (udp_end < message || end < message || (udp_end > end && !more_fragments))
        return AVB_FRAME_BAD_LENGTH;
    span->offset = message;
    span->end = udp_end < end ? udp_end : end;
    span->message_end = udp_end;
    return AVB_FRAME_PTP;
}

AVB_INLINE enum avb_frame_kind avb_read_ipv4(const void *frame, avb_frame_load load, UINT32 offset, UINT32 length,
                                             struct avb_ptp_span *span)
{
    UINT8 ip[20];
    if (load(frame, offset, ip, sizeof ip) != 0)
        return AVB_FRAME_FOREIGN;
    UINT32 header = (ip[0] & 0x0Fu) * 4u;
    UINT16 fragment = avb_be16(ip + 6);
    if (ip[0] >> 4 != 4 || header < sizeof ip || ip[9] != AVB_PROTOCOL_UDP || (fragment & 0x1FFFu) != 0)
        return AVB_FRAME_FOREIGN;
    /* A frame may be padded, so the datagram may end before the frame; it may not end after it.
     * Whether that matters is known only once the port has been seen. */
    UINT32 end = offset + avb_be16(ip + 2);
    enum avb_frame_kind kind = avb_read_udp(frame, load, offset + header, end, (fragment & 0x2000u) != 0, span);
    return kind == AVB_FRAME_PTP && end > length ? AVB_FRAME_BAD_LENGTH : kind;
}

/* Headers of IPv6 that another one follows: hop-by-hop options, routing, fragment, authentication, destination options.
 */
AVB_INLINE int avb_is_extension_header(UINT8 next)
{
    return next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
}

AVB_INLINE enum avb_frame_kind avb_read_ipv6(const void *frame, avb_frame_load load, UINT32 offset, UINT32 length,
                                             struct avb_ptp_span *span)
{
    UINT8 ip[40];
    if (load(frame, offset, ip, sizeof ip) != 0 || ip[0] >> 4 != 6)
        return AVB_FRAME_FOREIGN;
    UINT8 next = ip[6];
    UINT32 at = offset + (UINT32)sizeof ip;
    UINT32 end = at + avb_be16(ip + 4);
    int more_fragments = 0;

    for (int i = 0; i <= AVB_MAX_EXTENSION_HEADERS; i++) {
        UINT8 extension[4];
        if (next == AVB_PROTOCOL_UDP) {
            enum avb_frame_kind kind = avb_read_udp(frame, load, at, end, more_fragments, span);
            return kind == AVB_FRAME_PTP && end > length ? AVB_FRAME_BAD_LENGTH : kind;
        }
        if (!avb_is_extension_header(next))
            return AVB_FRAME_FOREIGN;
        if (load(frame, at, extension, sizeof extension) != 0)
            return AVB_FRAME_FOREIGN;
        if (next == 44) { /* fragment header, RFC 8200 4.5 */
            UINT16 fragment = avb_be16(extension + 2);
            if ((fragment & 0xFFF8u) != 0)
                return AVB_FRAME_FOREIGN;
            more_fragments |= fragment & 1;
            at += 8;
        } else if (next == 51) { /* authentication header, RFC 4302 2.2 */
            at += (extension[1] + 2u) * 4u;
        } else { /* hop-by-hop, routing, destination options */
            at += (extension[1] + 1u) * 8u;
        }
        next = extension[0];
    }
    return AVB_FRAME_FOREIGN;
}

/* Fills the event's fields that the frame knows; the others are left alone. */
AVB_INLINE enum avb_frame_kind avb_read_ptp(const void *frame, avb_frame_load load, const struct avb_ptp_span *span,
                                            PTP_TIMESTAMP_EVENT *event)
{
    UINT8 ptp[AVB_PTP_HEADER];
    if (span->offset + AVB_PTP_HEADER > span->end || load(frame, span->offset, ptp, sizeof ptp) != 0)
        return AVB_FRAME_TRUNCATED;
    if (AVB_PTP_VERSION(ptp[1]) == 1)
        return AVB_FRAME_PTP_V1;
    if (AVB_PTP_VERSION(ptp[1]) != 2)
        return AVB_FRAME_OTHER_VERSION;
    UINT32 messageLength = avb_be16(ptp + 2);
    if (messageLength < AVB_PTP_HEADER || span->offset + messageLength > span->message_end)
        return AVB_FRAME_BAD_LENGTH;

    event->messageType = ptp[0] & 0x0Fu;
    event->sdoId = (UINT16)((ptp[0] >> 4) << 8 | ptp[5]);
    event->version = ptp[1];
    event->domainNumber = ptp[4];
    event->flags = avb_be16(ptp + 6);
    for (int i = 0; i < 8; i++)
        event->clockIdentity[i] = ptp[20 + i];
    event->portNumber = avb_be16(ptp + 28);
    event->sequenceId = avb_be16(ptp + 30);
    return AVB_FRAME_PTP;
}

AVB_INLINE int avb_is_tag(UINT16 type)
{
    return type == AVB_ETHERTYPE_8021Q || type == AVB_ETHERTYPE_8021AD || type == AVB_ETHERTYPE_QINQ_LEGACY;
}

/*
 * A first look at a frame's first AVB_FIRST_LOOK bytes, for the many frames that are none of ours:
 * not 0 = avb_frame_read() would say AVB_FRAME_FOREIGN.
 */
#define AVB_FIRST_LOOK 38u

AVB_INLINE int avb_is_surely_foreign(const UINT8 *bytes)
{
    UINT16 type = avb_be16(bytes + 12);
    if (type == AVB_ETHERTYPE_IPV4)
        return bytes[23] != AVB_PROTOCOL_UDP || (bytes[14] == 0x45 && !avb_is_ptp_port(avb_be16(bytes + 36)));
    if (type == AVB_ETHERTYPE_IPV6)
        return bytes[20] != AVB_PROTOCOL_UDP && !avb_is_extension_header(bytes[20]);
    return type != AVB_ETHERTYPE_PTP && !avb_is_tag(type);
}

/*
 * avb_frame_read(), and where in the frame the message lies: `span` has meaning for AVB_FRAME_PTP.
 */
AVB_INLINE enum avb_frame_kind avb_frame_find(const void *frame, avb_frame_load load, UINT32 length, UINT32 tag,
                                              PTP_TIMESTAMP_EVENT *event, struct avb_ptp_span *span)
{
    UINT8 ethernet[AVB_ETHERNET_HEADER];
    if (load(frame, 0, ethernet, sizeof ethernet) != 0)
        return AVB_FRAME_FOREIGN;
    UINT16 type = avb_be16(ethernet + 12);
    UINT32 offset = AVB_ETHERNET_HEADER;
    UINT8 stamp = 0;

    int tags = tag & AVB_TAG_PRESENT ? 1 : 0;
    while (avb_is_tag(type)) {
        UINT8 inner[4]; /* TCI, EtherType */
        if (++tags > AVB_MAX_TAGS || load(frame, offset, inner, sizeof inner) != 0)
            return AVB_FRAME_FOREIGN;
        if (tag & AVB_TAG_PRESENT)
            stamp = AVB_STAMP_MORE_TAGS;
        else
            tag = AVB_TAG(avb_be16(inner));
        type = avb_be16(inner + 2);
        offset += 4;
    }

    *span = (struct avb_ptp_span){offset, length, length};
    enum avb_frame_kind kind = AVB_FRAME_PTP;
    UINT8 transport = AVB_TRANSPORT_ETHERNET;
    if (type == AVB_ETHERTYPE_IPV4) {
        transport = AVB_TRANSPORT_UDP_IPV4;
        kind = avb_read_ipv4(frame, load, offset, length, span);
    } else if (type == AVB_ETHERTYPE_IPV6) {
        transport = AVB_TRANSPORT_UDP_IPV6;
        kind = avb_read_ipv6(frame, load, offset, length, span);
    } else if (type != AVB_ETHERTYPE_PTP) {
        return AVB_FRAME_FOREIGN;
    }
    if (kind != AVB_FRAME_PTP)
        return kind;

    for (int i = 0; i < 6; i++)
        event->sourceMac[i] = ethernet[6 + i];
    if (tag & AVB_TAG_PRESENT)
        stamp |= AVB_STAMP_VLAN;
    event->stamp = stamp;
    event->vlanId = tag & 0x0FFFu;
    event->pcp = (UINT8)((tag & 0xE000u) >> 13);
    event->transport = transport;
    return avb_read_ptp(frame, load, span, event);
}

/*
 * Classifies the frame and, where it is AVB_FRAME_PTP, fills the event's fields that the frame
 * knows: everything but the three times, direction, queueId and sequence, which are left alone;
 * of `stamp` all bits are set: VLAN and MORE_TAGS as found, the others 0. For every other kind the
 * event holds nothing of meaning.
 *
 * length: of the frame on the wire in bytes without FCS, which may exceed what `load` can give.
 * tag: the out-of-band VLAN tag, 0 or AVB_TAG(TCI).
 */
AVB_INLINE enum avb_frame_kind avb_frame_read(const void *frame, avb_frame_load load, UINT32 length, UINT32 tag,
                                              PTP_TIMESTAMP_EVENT *event)
{
    struct avb_ptp_span span;
    return avb_frame_find(frame, load, length, tag, event, &span);
}

#endif
