/* SPDX-License-Identifier: MIT */
/*
 * The 64-byte record that a driver side emits, ABI version 1.
 *
 * One PTP_TIMESTAMP_EVENT says: this PTP frame passed here, at these times. The same bytes lie in
 * the Windows driver's shared ring, in the Linux BPF ring buffer and in recordings.
 *
 * Multi-byte fields are in host byte order; addresses and identities are bytes as on the wire.
 * Names are those of IEEE 1588-2019 (clause 13.3, message header). The header compiles alone, as
 * C11 and C++17, in user mode, in the Windows kernel and for BPF.
 */
#ifndef AVB_PTP_EVENTS_H
#define AVB_PTP_EVENTS_H

#include <stddef.h>

#ifdef _WIN32
#include <basetsd.h>
#else
#include <stdint.h>
typedef uint8_t UINT8;
typedef uint16_t UINT16;
typedef uint32_t UINT32;
typedef uint64_t UINT64;
typedef int32_t INT32;
typedef int64_t INT64;
#endif
typedef unsigned char UCHAR;

#ifdef __cplusplus
#define AVB_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#define AVB_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

#define AVB_PTP_EVENT_ABI_VERSION 1u

/* direction: what the record is. A reader skips values that it does not know. */
#define AVB_DIRECTION_RX      0u   /* a received frame */
#define AVB_DIRECTION_TX      1u   /* a sent frame, or the late stamp of one (AVB_STAMP_LATE) */
#define AVB_DIRECTION_CLOCKS  2u   /* PTP_CLOCKS_RECORD */
#define AVB_DIRECTION_LOSS    3u   /* PTP_LOSS_RECORD */
#define AVB_DIRECTION_UNKNOWN 255u /* frames of a foreign capture only; never in a record */

/* stamp, bits 0-2: what hw_timestamp_ns is. */
#define AVB_STAMP_KIND_MASK 0x07u
#define AVB_STAMP_NONE      0x00u /* hw_timestamp_ns is 0 */
#define AVB_STAMP_REGISTERS 0x01u /* read from the NIC's timestamp registers */
#define AVB_STAMP_METADATA  0x02u /* delivered with the packet (skb, NET_BUFFER_LIST) */
/* stamp, single bits. */
#define AVB_STAMP_LATE      0x08u /* this record carries the stamp of a TX frame reported earlier */
#define AVB_STAMP_EXPECTED  0x10u /* the sender asked for a TX stamp: one is still to follow */
#define AVB_STAMP_MISSING   0x20u /* it never came; set by the library only, never by a driver */
#define AVB_STAMP_VLAN      0x40u /* the frame carries a VLAN tag */
#define AVB_STAMP_MORE_TAGS 0x80u /* further tags follow the outermost one (QinQ) */

#define AVB_QUEUE_UNKNOWN 255u

/* transport */
#define AVB_TRANSPORT_ETHERNET 0u /* EtherType 0x88F7 */
#define AVB_TRANSPORT_UDP_IPV4 1u /* UDP destination port 319 or 320 */
#define AVB_TRANSPORT_UDP_IPV6 2u

/* messageType, IEEE 1588-2019 table 36 */
#define AVB_PTP_SYNC                  0x0u
#define AVB_PTP_DELAY_REQ             0x1u
#define AVB_PTP_PDELAY_REQ            0x2u
#define AVB_PTP_PDELAY_RESP           0x3u
#define AVB_PTP_FOLLOW_UP             0x8u
#define AVB_PTP_DELAY_RESP            0x9u
#define AVB_PTP_PDELAY_RESP_FOLLOW_UP 0xAu
#define AVB_PTP_ANNOUNCE              0xBu
#define AVB_PTP_SIGNALING             0xCu
#define AVB_PTP_MANAGEMENT            0xDu

/* flags: flagField as one number, octet 0 in the high byte. IEEE 1588-2019 table 37 */
#define AVB_PTP_FLAG_ALTERNATE_MASTER          0x0100u
#define AVB_PTP_FLAG_TWO_STEP                  0x0200u
#define AVB_PTP_FLAG_UNICAST                   0x0400u
#define AVB_PTP_FLAG_PROFILE_SPECIFIC_1        0x2000u
#define AVB_PTP_FLAG_PROFILE_SPECIFIC_2        0x4000u
#define AVB_PTP_FLAG_LEAP61                    0x0001u
#define AVB_PTP_FLAG_LEAP59                    0x0002u
#define AVB_PTP_FLAG_CURRENT_UTC_OFFSET_VALID  0x0004u
#define AVB_PTP_FLAG_PTP_TIMESCALE             0x0008u
#define AVB_PTP_FLAG_TIME_TRACEABLE            0x0010u
#define AVB_PTP_FLAG_FREQUENCY_TRACEABLE       0x0020u
#define AVB_PTP_FLAG_SYNCHRONIZATION_UNCERTAIN 0x0040u

/* version: the header's second byte. */
#define AVB_PTP_VERSION(version)       ((UINT8)(0x0Fu & (version))) /* versionPTP */
#define AVB_PTP_MINOR_VERSION(version) ((UINT8)((version) >> 4))    /* minorVersionPTP */

/* sdoId, 12 bits: majorSdoId << 8 | minorSdoId. */
#define AVB_PTP_MAJOR_SDO_ID(sdoId) ((UINT8)((sdoId) >> 8))
#define AVB_PTP_MINOR_SDO_ID(sdoId) ((UINT8)(0xFFu & (sdoId)))

typedef struct _PTP_TIMESTAMP_EVENT {
    UINT64 hw_timestamp_ns;  /* time at the NIC, ns on the NIC's own clock (PHC); 0 = none, never a substitute */
    UINT64 system_timestamp; /* when the driver side saw the frame: Linux CLOCK_MONOTONIC ns, Windows QPC ticks */
    UINT8 direction;         /* AVB_DIRECTION_... */
    UINT8 messageType;       /* 0-15, AVB_PTP_... */
    UINT16 sequenceId;
    UINT8 domainNumber;
    UCHAR sourceMac[6];        /* Ethernet source address */
    UINT8 stamp;               /* AVB_STAMP_... */
    UINT16 vlanId;             /* VID of the outermost tag on the wire; 0 = untagged or priority tag */
    UINT8 pcp;                 /* of the same tag, 0-7 */
    UINT8 queueId;             /* hardware queue; AVB_QUEUE_UNKNOWN */
    UCHAR clockIdentity[8];    /* sourcePortIdentity.clockIdentity */
    UINT16 portNumber;         /* sourcePortIdentity.portNumber */
    UINT16 sdoId;              /* 0-0xFFF */
    UINT16 flags;              /* AVB_PTP_FLAG_... */
    UINT8 transport;           /* AVB_TRANSPORT_... */
    UINT8 version;             /* minorVersionPTP << 4 | versionPTP */
    UINT64 software_timestamp; /* the network stack's own stamp: Linux CLOCK_REALTIME ns, Windows QPC ticks; 0 = none */
    UINT64 sequence;           /* publication word of the ring: ticket + 1; says nothing about loss */
} PTP_TIMESTAMP_EVENT;

/*
 * The clocks, read together. Without one of these no relation between PHC, system and capture time
 * is known. Each pair is read bracketed; the uncertainty is half the width of the bracket.
 */
typedef struct _PTP_CLOCKS_RECORD {
    UINT64 hw_timestamp_ns;  /* PHC, ns; 0 = not read */
    UINT64 system_timestamp; /* the same instant on the clock of system_timestamp in events */
    UINT8 direction;         /* AVB_DIRECTION_CLOCKS */
    UINT8 reserved0[7];
    UINT32 hw_uncertainty_ns;       /* hw_timestamp_ns against realtime_ns, +- */
    UINT32 realtime_uncertainty_ns; /* realtime_ns against system_timestamp, +- */
    UINT8 reserved1[16];
    UINT64 realtime_ns; /* the same instant as UTC (CLOCK_REALTIME), ns since 1970 */
    UINT64 sequence;    /* as in PTP_TIMESTAMP_EVENT */
} PTP_CLOCKS_RECORD;

/* Records were dropped between `since` (exclusive) and `system_timestamp` (inclusive). Where both counts are 0, frames
 * may have passed that nobody could count: the interface was reset, and the driver side with it. */
typedef struct _PTP_LOSS_RECORD {
    UINT64 hw_timestamp_ns;  /* 0 */
    UINT64 system_timestamp; /* when the drop counters were read */
    UINT8 direction;         /* AVB_DIRECTION_LOSS */
    UINT8 reserved0[7];
    UINT64 frames_dropped; /* frame records dropped in this interval */
    UINT64 stamps_dropped; /* LATE_STAMP records dropped in this interval */
    UINT64 since;          /* system_timestamp of the reading before */
    UINT8 reserved1[8];
    UINT64 sequence; /* as in PTP_TIMESTAMP_EVENT */
} PTP_LOSS_RECORD;

#define AVB_ASSERT_OFFSET(type, field, offset) \
    AVB_STATIC_ASSERT(offsetof(type, field) == (offset), #type "." #field " is ABI")

AVB_STATIC_ASSERT(sizeof(PTP_TIMESTAMP_EVENT) == 64, "a record is one cache line");
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, hw_timestamp_ns, 0);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, system_timestamp, 8);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, direction, 16);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, messageType, 17);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, sequenceId, 18);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, domainNumber, 20);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, sourceMac, 21);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, stamp, 27);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, vlanId, 28);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, pcp, 30);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, queueId, 31);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, clockIdentity, 32);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, portNumber, 40);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, sdoId, 42);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, flags, 44);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, transport, 46);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, version, 47);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, software_timestamp, 48);
AVB_ASSERT_OFFSET(PTP_TIMESTAMP_EVENT, sequence, 56);

AVB_STATIC_ASSERT(sizeof(PTP_CLOCKS_RECORD) == 64, "every record has the size of an event");
AVB_ASSERT_OFFSET(PTP_CLOCKS_RECORD, hw_timestamp_ns, 0);
AVB_ASSERT_OFFSET(PTP_CLOCKS_RECORD, system_timestamp, 8);
AVB_ASSERT_OFFSET(PTP_CLOCKS_RECORD, direction, 16);
AVB_ASSERT_OFFSET(PTP_CLOCKS_RECORD, hw_uncertainty_ns, 24);
AVB_ASSERT_OFFSET(PTP_CLOCKS_RECORD, realtime_uncertainty_ns, 28);
AVB_ASSERT_OFFSET(PTP_CLOCKS_RECORD, realtime_ns, 48);
AVB_ASSERT_OFFSET(PTP_CLOCKS_RECORD, sequence, 56);

AVB_STATIC_ASSERT(sizeof(PTP_LOSS_RECORD) == 64, "every record has the size of an event");
AVB_ASSERT_OFFSET(PTP_LOSS_RECORD, hw_timestamp_ns, 0);
AVB_ASSERT_OFFSET(PTP_LOSS_RECORD, system_timestamp, 8);
AVB_ASSERT_OFFSET(PTP_LOSS_RECORD, direction, 16);
AVB_ASSERT_OFFSET(PTP_LOSS_RECORD, frames_dropped, 24);
AVB_ASSERT_OFFSET(PTP_LOSS_RECORD, stamps_dropped, 32);
AVB_ASSERT_OFFSET(PTP_LOSS_RECORD, since, 40);
AVB_ASSERT_OFFSET(PTP_LOSS_RECORD, sequence, 56);

#endif
