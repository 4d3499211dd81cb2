/* SPDX-License-Identifier: MIT */
/*
 * A vector is a list of layers, outermost first. Each layer is a macro that expands to its bytes;
 * where a layer carries a length field, the length is an argument, so that it can lie.
 */
#include "frames.h"

/* clang-format off: the layers are laid out by hand. */

/* ---- Bytes -------------------------------------------------------------------------------- */

#define U16(value) (uint8_t)(((value) >> 8) & 0xFF), (uint8_t)((value)&0xFF)

#define ZEROS_8 0, 0, 0, 0, 0, 0, 0, 0
#define ONES_8  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF

/* Content of a message after its header: nothing that another layer could be mistaken for. */
#define BODY_10 0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9
#define BODY_20 BODY_10, BODY_10
#define BODY_30 BODY_10, BODY_20
#define BODY_90 BODY_30, BODY_30, BODY_30

/* A whole frame. The capture holds all of it. */
#define BYTES(...)                                        \
    .bytes = (const uint8_t[]){__VA_ARGS__},              \
    .captured = sizeof((const uint8_t[]){__VA_ARGS__}),   \
    .length = sizeof((const uint8_t[]){__VA_ARGS__})

/* A frame of which the capture holds these bytes and not the `missing` ones that follow. */
#define CUT(missing, ...)                                 \
    .bytes = (const uint8_t[]){__VA_ARGS__},              \
    .captured = sizeof((const uint8_t[]){__VA_ARGS__}),   \
    .length = sizeof((const uint8_t[]){__VA_ARGS__}) + (missing)

/* ---- Ethernet and VLAN tags --------------------------------------------------------------- */

#define SOURCE_MAC 0x02, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5

#define ETHERNET(type) 0x01, 0x1B, 0x19, 0x00, 0x00, 0x00, SOURCE_MAC, U16(type)

#define IPV4_TYPE 0x0800
#define IPV6_TYPE 0x86DD
#define PTP_TYPE  0x88F7
#define C_TAG     0x8100 /* IEEE 802.1Q */
#define S_TAG     0x88A8 /* IEEE 802.1ad */
#define Q_TAG     0x9100 /* QinQ before 802.1ad */

#define TCI(pcp, dei, vid) ((pcp) << 13 | (dei) << 12 | (vid))

/* What follows the EtherType of a tag: the TCI and the EtherType of what is inside. */
#define TAG(pcp, vid, type) U16(TCI(pcp, 0, vid)), U16(type)

/* ---- IP and UDP --------------------------------------------------------------------------- */

#define TCP  6
#define UDP  17
#define MORE 0x2000 /* IPv4: more fragments */

/* An IPv4 header without options but with their number in IHL, in words of 4 bytes. */
#define IPV4_HEADER(version, ihl, total_length, fragment, protocol)                               \
    (version) << 4 | (ihl), 0xB8, U16(total_length), 0x1C, 0x46, U16(fragment), 1, protocol,      \
    0xAB, 0xCD,        /* header checksum, which nobody looks at */                               \
    192, 0, 2, 1,      /* source */                                                               \
    224, 0, 1, 129     /* destination */

#define IPV4(payload_length)                     IPV4_HEADER(4, 5, 20 + (payload_length), 0, UDP)
#define IPV4_FRAGMENT(payload_length, fragment)  IPV4_HEADER(4, 5, 20 + (payload_length), fragment, UDP)

/* IPv4 options: no-operations and the end of the list. */
#define IPV4_OPTIONS_4  1, 1, 1, 0
#define IPV4_OPTIONS_40                                                                           \
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,                                   \
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0

#define IPV6_HEADER(version, payload_length, next_header)                                         \
    (version) << 4 | 0xB, 0x81, 0x23, 0x45, U16(payload_length), next_header, 1,                  \
    0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0x00, 0xA1, 0xB2, 0xFF, 0xFE, 0xC3, 0xD4, 0xE5,                 \
    0xFF, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x81

#define IPV6(payload_length, next_header) IPV6_HEADER(6, payload_length, next_header)

/* Protocol numbers of IPv6 headers. */
#define HOP_BY_HOP     0
#define ROUTING        43
#define FRAGMENT       44
#define ESP            50
#define AUTHENTICATION 51
#define NO_NEXT        59
#define DESTINATION    60
#define MOBILITY       135

/* IPv6 extension headers. `next` is the type of what follows, not of the header itself. */
#define OPTIONS_8(next)  next, 0, 1, 4, 0, 0, 0, 0                       /* hop-by-hop or destination: one PadN */
#define OPTIONS_24(next) next, 2, 1, 20, 0, 0, 0, 0, ZEROS_8, ZEROS_8
#define ROUTING_8(next)  next, 0, 253, 0, 0, 0, 0, 0                     /* experimental type, no segments left */
#define ROUTING_24(next) next, 2, 4, 0, 0, 0, 0, 0,                                               \
                         0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 /* segment list of one */
#define FRAGMENT_8(next, offset, more) next, 0, U16((offset) << 3 | (more)), 0xDE, 0xAD, 0xBE, 0xEF
#define AUTHENTICATION_24(next) next, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1,                            \
                                0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB

#define EVENT_PORT   319
#define GENERAL_PORT 320
#define OTHER_PORT   50000

#define UDP_HEADER(source, destination, length) U16(source), U16(destination), U16(length), 0xC5, 0x5C

/* A TCP header with PTP's ports where UDP has them. */
#define TCP_SEGMENT U16(EVENT_PORT), U16(EVENT_PORT), 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0xFF, 0xFF, 0, 0, 0, 0

/* The usual datagram: length as it should be. */
#define DATAGRAM(port, message_length) UDP_HEADER(port, port, 8 + (message_length))

/* ---- PTP ---------------------------------------------------------------------------------- */

#define CLOCK_IDENTITY 0x00, 0x1B, 0x21, 0xFF, 0xFE, 0x4D, 0x5E, 0x6F

/*
 * The fields of a PTP header that differ between vectors, in one list that gives both the bytes
 * (PTP) and the event (IS_PTP): messageType, sdoId, second byte (minorVersionPTP << 4 | versionPTP),
 * messageLength, domainNumber, flagField, portNumber, sequenceId.
 */
#define SYNC_WITH(sdo_id, version, message_length, domain, flags, port, sequence)                 \
    AVB_PTP_SYNC, sdo_id, version, message_length, domain, flags, port, sequence
#define SYNC                    SYNC_WITH(0x000, 0x02, 44, 3, AVB_PTP_FLAG_TWO_STEP, 0x0102, 0x0A0B)
#define SYNC_LONG(length)       SYNC_WITH(0x000, 0x02, length, 3, AVB_PTP_FLAG_TWO_STEP, 0x0102, 0x0A0B)
#define SYNC_VERSION(version)   SYNC_WITH(0x000, version, 44, 3, AVB_PTP_FLAG_TWO_STEP, 0x0102, 0x0A0B)
#define MESSAGE(type, length)   type, 0x000, 0x02, length, 3, 0x0000, 0x0102, 0x0A0B
#define GPTP_SYNC               SYNC_WITH(0x100, 0x12, 44, 0, AVB_PTP_FLAG_TWO_STEP | AVB_PTP_FLAG_PTP_TIMESCALE, 1, 7)

#define PTP(...) PTP_BYTES(__VA_ARGS__)
#define PTP_BYTES(type, sdo_id, version, message_length, domain, flags, port, sequence)           \
    ((sdo_id) >> 8) << 4 | (type), version, U16(message_length), domain, (sdo_id)&0xFF, U16(flags), \
    0x00, 0x00, 0x00, 0x00, 0x12, 0x34, 0x80, 0x00, /* correctionField */                         \
    0xD0, 0xD1, 0xD2, 0xD3,                         /* messageTypeSpecific */                     \
    CLOCK_IDENTITY, U16(port), U16(sequence),                                                     \
    0x05, 0x7F                                      /* controlField, logMessageInterval */

#define SYNC_MESSAGE  PTP(SYNC), BODY_10                        /* 44 bytes */
#define SYNC_DATAGRAM DATAGRAM(EVENT_PORT, 44), SYNC_MESSAGE    /* 8 + 44 bytes */

/* The most of a SYNC header that is a multiple of 8: what an IP fragment may end with. */
#define PTP_FIRST_32_BYTES 0x00, 0x02, 0x00, 0x2C, 0x03, 0x00, 0x02, 0x00, ZEROS_8, 0xD0, 0xD1, 0xD2, 0xD3, \
                           CLOCK_IDENTITY, 0x01, 0x02, 0x0A, 0x0B

/* PTP version 1 (IEEE 1588-2002): versionPTP and versionNetwork, subdomain "_DFLT", messageType... */
#define PTP_V1_SYNC 0, 1, 0, 1, '_', 'D', 'F', 'L', 'T', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,         \
                    1, 1, 0x02, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0, 1, 0, 9, 0, 0, 0, 8,             \
                    BODY_10, BODY_10, BODY_10, BODY_10, BODY_10, BODY_10, BODY_10, BODY_10, 0, 0, 0, 0, 0, 0, 0, 0

/* The layers have the lengths that the table counts on. */
#define HAS_LENGTH(length, ...) _Static_assert(sizeof((const uint8_t[]){__VA_ARGS__}) == (length), #__VA_ARGS__)

HAS_LENGTH(14, ETHERNET(PTP_TYPE));
HAS_LENGTH(4, TAG(0, 0, PTP_TYPE));
HAS_LENGTH(20, IPV4(0));
HAS_LENGTH(40, IPV4_OPTIONS_40);
HAS_LENGTH(40, IPV6(0, UDP));
HAS_LENGTH(8, OPTIONS_8(UDP));
HAS_LENGTH(24, OPTIONS_24(UDP));
HAS_LENGTH(8, ROUTING_8(UDP));
HAS_LENGTH(24, ROUTING_24(UDP));
HAS_LENGTH(8, FRAGMENT_8(UDP, 0, 0));
HAS_LENGTH(24, AUTHENTICATION_24(UDP));
HAS_LENGTH(20, TCP_SEGMENT);
HAS_LENGTH(8, DATAGRAM(EVENT_PORT, 44));
HAS_LENGTH(34, PTP(SYNC));
HAS_LENGTH(44, SYNC_MESSAGE);
HAS_LENGTH(8 + 44, SYNC_DATAGRAM);
HAS_LENGTH(32, PTP_FIRST_32_BYTES);
HAS_LENGTH(124, PTP_V1_SYNC);

/* ---- What is expected --------------------------------------------------------------------- */

#define IS_PTP(header, ...) .kind = AVB_FRAME_PTP, .event = {EVENT_FIELDS(header), __VA_ARGS__}
#define EVENT_FIELDS(...)   EVENT_FIELDS_OF(__VA_ARGS__)
#define EVENT_FIELDS_OF(type, sdo_id, version_byte, message_length, domain, flag_field, port, sequence_id) \
    .sourceMac = {SOURCE_MAC}, .clockIdentity = {CLOCK_IDENTITY}, .messageType = (type),          \
    .sdoId = (sdo_id), .version = (version_byte), .domainNumber = (domain), .flags = (flag_field), \
    .portNumber = (port), .sequenceId = (sequence_id)

#define ON_ETHERNET .transport = AVB_TRANSPORT_ETHERNET
#define ON_IPV4     .transport = AVB_TRANSPORT_UDP_IPV4
#define ON_IPV6     .transport = AVB_TRANSPORT_UDP_IPV6

#define TAGGED(priority, vid)       .stamp = AVB_STAMP_VLAN, .pcp = (priority), .vlanId = (vid)
#define TAGGED_AGAIN(priority, vid) .stamp = AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS, .pcp = (priority), .vlanId = (vid)

#define IS_FOREIGN       .kind = AVB_FRAME_FOREIGN
#define IS_V1            .kind = AVB_FRAME_PTP_V1
#define IS_OTHER_VERSION .kind = AVB_FRAME_OTHER_VERSION
#define IS_TRUNCATED     .kind = AVB_FRAME_TRUNCATED
#define IS_BAD_LENGTH    .kind = AVB_FRAME_BAD_LENGTH

/* ---- The table ---------------------------------------------------------------------------- */

const struct frame_vector frame_vectors[] = {

    /* Every messageType, the reserved ones too. */
    {.name = "type-0-sync",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x0, 44)), BODY_10), IS_PTP(MESSAGE(0x0, 44), ON_ETHERNET)},
    {.name = "type-1-delay-req",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x1, 44)), BODY_10), IS_PTP(MESSAGE(0x1, 44), ON_ETHERNET)},
    {.name = "type-2-pdelay-req",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x2, 54)), BODY_20), IS_PTP(MESSAGE(0x2, 54), ON_ETHERNET)},
    {.name = "type-3-pdelay-resp",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x3, 54)), BODY_20), IS_PTP(MESSAGE(0x3, 54), ON_ETHERNET)},
    {.name = "type-4-reserved",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x4, 44)), BODY_10), IS_PTP(MESSAGE(0x4, 44), ON_ETHERNET)},
    {.name = "type-5-reserved",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x5, 44)), BODY_10), IS_PTP(MESSAGE(0x5, 44), ON_ETHERNET)},
    {.name = "type-6-reserved",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x6, 44)), BODY_10), IS_PTP(MESSAGE(0x6, 44), ON_ETHERNET)},
    {.name = "type-7-reserved",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x7, 44)), BODY_10), IS_PTP(MESSAGE(0x7, 44), ON_ETHERNET)},
    {.name = "type-8-follow-up",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x8, 44)), BODY_10), IS_PTP(MESSAGE(0x8, 44), ON_ETHERNET)},
    {.name = "type-9-delay-resp",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0x9, 54)), BODY_20), IS_PTP(MESSAGE(0x9, 54), ON_ETHERNET)},
    {.name = "type-a-pdelay-resp-follow-up",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0xA, 54)), BODY_20), IS_PTP(MESSAGE(0xA, 54), ON_ETHERNET)},
    {.name = "type-b-announce",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0xB, 64)), BODY_30), IS_PTP(MESSAGE(0xB, 64), ON_ETHERNET)},
    {.name = "type-c-signaling",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0xC, 54)), BODY_20), IS_PTP(MESSAGE(0xC, 54), ON_ETHERNET)},
    {.name = "type-d-management",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0xD, 54)), BODY_20), IS_PTP(MESSAGE(0xD, 54), ON_ETHERNET)},
    {.name = "type-e-reserved",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0xE, 44)), BODY_10), IS_PTP(MESSAGE(0xE, 44), ON_ETHERNET)},
    {.name = "type-f-reserved",
     BYTES(ETHERNET(PTP_TYPE), PTP(MESSAGE(0xF, 44)), BODY_10), IS_PTP(MESSAGE(0xF, 44), ON_ETHERNET)},

    /* Header fields, each at its ends. */
    {.name = "header-gptp", BYTES(ETHERNET(PTP_TYPE), PTP(GPTP_SYNC), BODY_10), IS_PTP(GPTP_SYNC, ON_ETHERNET)},
    {.name = "header-sdo-id-minor",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0x0A5, 0x12, 44, 0, 0, 1, 1)), BODY_10),
     IS_PTP(SYNC_WITH(0x0A5, 0x12, 44, 0, 0, 1, 1), ON_ETHERNET)},
    {.name = "header-sdo-id-fff",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0xFFF, 0x12, 44, 0, 0, 1, 1)), BODY_10),
     IS_PTP(SYNC_WITH(0xFFF, 0x12, 44, 0, 0, 1, 1), ON_ETHERNET)},
    {.name = "header-domain-255",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0, 0x02, 44, 255, 0, 1, 1)), BODY_10),
     IS_PTP(SYNC_WITH(0, 0x02, 44, 255, 0, 1, 1), ON_ETHERNET)},
    {.name = "header-flags-first-octet",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0, 0x02, 44, 0, 0x6700, 1, 1)), BODY_10),
     IS_PTP(SYNC_WITH(0, 0x02, 44, 0, 0x6700, 1, 1), ON_ETHERNET)},
    {.name = "header-flags-second-octet",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0, 0x02, 44, 0, 0x007F, 1, 1)), BODY_10),
     IS_PTP(SYNC_WITH(0, 0x02, 44, 0, 0x007F, 1, 1), ON_ETHERNET)},
    {.name = "header-port-ffff",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0, 0x02, 44, 0, 0, 0xFFFF, 1)), BODY_10),
     IS_PTP(SYNC_WITH(0, 0x02, 44, 0, 0, 0xFFFF, 1), ON_ETHERNET)},
    {.name = "header-sequence-ffff",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0, 0x02, 44, 0, 0, 1, 0xFFFF)), BODY_10),
     IS_PTP(SYNC_WITH(0, 0x02, 44, 0, 0, 1, 0xFFFF), ON_ETHERNET)},
    {.name = "header-minor-version-1",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_VERSION(0x12)), BODY_10), IS_PTP(SYNC_VERSION(0x12), ON_ETHERNET)},
    {.name = "header-minor-version-15",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_VERSION(0xF2)), BODY_10), IS_PTP(SYNC_VERSION(0xF2), ON_ETHERNET)},
    {.name = "header-all-bits-clear",
     BYTES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, U16(PTP_TYPE), 0x00, 0x02, U16(34), 0, 0, 0, 0, ZEROS_8, 0, 0, 0, 0,
           ZEROS_8, 0, 0, 0, 0, 0, 0),
     .kind = AVB_FRAME_PTP, .event = {.version = 2}},
    {.name = "header-all-bits-set",
     BYTES(ONES_8, 0xFF, 0xFF, 0xFF, 0xFF, U16(PTP_TYPE),
           0xFF, 0xF2, U16(34), 0xFF, 0xFF, 0xFF, 0xFF, ONES_8, 0xFF, 0xFF, 0xFF, 0xFF, ONES_8, 0xFF, 0xFF, 0xFF, 0xFF,
           0xFF, 0xFF),
     .kind = AVB_FRAME_PTP,
     .event = {.messageType = 0xF, .sdoId = 0xFFF, .version = 0xF2, .domainNumber = 0xFF, .flags = 0xFFFF,
               .portNumber = 0xFFFF, .sequenceId = 0xFFFF, .clockIdentity = {ONES_8},
               .sourceMac = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}},

    /* Versions. */
    {.name = "version-0", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_VERSION(0x00)), BODY_10), IS_OTHER_VERSION},
    {.name = "version-1", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_VERSION(0x01)), BODY_10), IS_V1},
    {.name = "version-3", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_VERSION(0x03)), BODY_10), IS_OTHER_VERSION},
    {.name = "version-15", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_VERSION(0x0F)), BODY_10), IS_OTHER_VERSION},
    {.name = "version-0-minor-2", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_VERSION(0x20)), BODY_10), IS_OTHER_VERSION},
    {.name = "version-foreign-before-length",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_WITH(0, 0x03, 0, 0, 0, 1, 1)), BODY_10), IS_OTHER_VERSION},

    /* messageLength against an Ethernet frame. */
    {.name = "ethernet-padded-to-60", BYTES(ETHERNET(PTP_TYPE), SYNC_MESSAGE, 0, 0), IS_PTP(SYNC, ON_ETHERNET)},
    {.name = "ethernet-header-only", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_LONG(34))), IS_PTP(SYNC_LONG(34), ON_ETHERNET)},
    {.name = "ethernet-header-only-padded",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_LONG(34)), BODY_10, 0, 0), IS_PTP(SYNC_LONG(34), ON_ETHERNET)},
    {.name = "ethernet-length-35",
     BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_LONG(35)), BODY_10), IS_PTP(SYNC_LONG(35), ON_ETHERNET)},
    {.name = "ethernet-length-33", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_LONG(33)), BODY_10), IS_BAD_LENGTH},
    {.name = "ethernet-length-0", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_LONG(0)), BODY_10), IS_BAD_LENGTH},
    {.name = "ethernet-length-one-beyond", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_LONG(45)), BODY_10), IS_BAD_LENGTH},
    {.name = "ethernet-length-65535", BYTES(ETHERNET(PTP_TYPE), PTP(SYNC_LONG(65535)), BODY_10), IS_BAD_LENGTH},

    /* Frames that end early. */
    {.name = "short-empty", .bytes = (const uint8_t[]){0}, .captured = 0, .length = 0, IS_FOREIGN},
    {.name = "short-one-byte", BYTES(0x01), IS_FOREIGN},
    {.name = "short-13-bytes", BYTES(0x01, 0x1B, 0x19, 0, 0, 0, SOURCE_MAC, 0x88), IS_FOREIGN},
    {.name = "short-ethernet-only", BYTES(ETHERNET(PTP_TYPE)), IS_TRUNCATED},
    {.name = "short-one-byte-of-ptp", BYTES(ETHERNET(PTP_TYPE), 0x00), IS_TRUNCATED},
    {.name = "short-33-bytes-of-ptp", BYTES(ETHERNET(PTP_TYPE), PTP_FIRST_32_BYTES, 0x05), IS_TRUNCATED},
    {.name = "short-33-bytes-of-version-1", BYTES(ETHERNET(PTP_TYPE), 0x00, 0x01, 0x00, BODY_30), IS_TRUNCATED},
    {.name = "short-tag-missing", BYTES(ETHERNET(C_TAG)), IS_FOREIGN},
    {.name = "short-inside-tag", BYTES(ETHERNET(C_TAG), U16(TCI(6, 0, 42)), 0x88), IS_FOREIGN},
    {.name = "short-after-tag", BYTES(ETHERNET(C_TAG), TAG(6, 42, PTP_TYPE)), IS_TRUNCATED},
    {.name = "short-tagged-33-bytes-of-ptp",
     BYTES(ETHERNET(C_TAG), TAG(6, 42, PTP_TYPE), PTP_FIRST_32_BYTES, 0x05), IS_TRUNCATED},
    {.name = "short-ipv4-missing", BYTES(ETHERNET(IPV4_TYPE)), IS_FOREIGN},
    {.name = "short-inside-ipv4", BYTES(ETHERNET(IPV4_TYPE), 0x45, 0, U16(20 + 8 + 44), BODY_10), IS_FOREIGN},
    {.name = "short-after-ipv4", BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44)), IS_FOREIGN},
    {.name = "short-inside-ipv4-options",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 15, 60 + 8 + 44, 0, UDP), IPV4_OPTIONS_4), IS_FOREIGN},
    {.name = "short-inside-udp",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), U16(319), U16(319), U16(52), 0xC5), IS_FOREIGN},
    {.name = "short-ipv6-missing", BYTES(ETHERNET(IPV6_TYPE)), IS_FOREIGN},
    {.name = "short-inside-ipv6", BYTES(ETHERNET(IPV6_TYPE), 0x60, 0, 0, 0, U16(8 + 44), UDP, 1, BODY_30), IS_FOREIGN},
    {.name = "short-inside-ipv6-extension",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, HOP_BY_HOP), UDP, 0), IS_FOREIGN},
    {.name = "short-after-ipv6-extension",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, HOP_BY_HOP), OPTIONS_8(UDP)), IS_FOREIGN},

    /* Captures that end early: what is missing was on the wire. */
    {.name = "cut-after-header", CUT(10, ETHERNET(PTP_TYPE), PTP(SYNC)), IS_PTP(SYNC, ON_ETHERNET)},
    {.name = "cut-inside-body",
     CUT(20, ETHERNET(PTP_TYPE), PTP(SYNC_LONG(64)), BODY_10), IS_PTP(SYNC_LONG(64), ON_ETHERNET)},
    {.name = "cut-before-header-end", CUT(12, ETHERNET(PTP_TYPE), PTP_FIRST_32_BYTES), IS_TRUNCATED},
    {.name = "cut-before-header", CUT(44, ETHERNET(PTP_TYPE)), IS_TRUNCATED},
    {.name = "cut-inside-ethernet", CUT(50, 0x01, 0x1B, 0x19, 0, 0, 0, 0x02, 0xA1), IS_FOREIGN},
    {.name = "cut-inside-tag", CUT(46, ETHERNET(C_TAG), U16(TCI(6, 0, 42))), IS_FOREIGN},
    {.name = "cut-after-header-length-beyond-wire", CUT(10, ETHERNET(PTP_TYPE), PTP(SYNC_LONG(45))), IS_BAD_LENGTH},
    {.name = "cut-ipv4-after-header",
     CUT(10, ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(EVENT_PORT, 44), PTP(SYNC)), IS_PTP(SYNC, ON_IPV4)},
    {.name = "cut-ipv4-inside-header",
     CUT(12, ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(EVENT_PORT, 44), PTP_FIRST_32_BYTES), IS_TRUNCATED},
    {.name = "cut-ipv4-inside-udp",
     CUT(46, ETHERNET(IPV4_TYPE), IPV4(8 + 44), U16(319), U16(319), U16(52)), IS_FOREIGN},
    {.name = "cut-ipv4-total-length-beyond-wire",
     CUT(9, ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(EVENT_PORT, 44), PTP(SYNC)), IS_BAD_LENGTH},
    {.name = "cut-ipv6-after-header",
     CUT(10, ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), DATAGRAM(EVENT_PORT, 44), PTP(SYNC)), IS_PTP(SYNC, ON_IPV6)},
    {.name = "cut-ipv6-inside-header",
     CUT(12, ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), DATAGRAM(EVENT_PORT, 44), PTP_FIRST_32_BYTES), IS_TRUNCATED},

    /* VLAN tags in band. */
    {.name = "tag-802-1q",
     BYTES(ETHERNET(C_TAG), TAG(5, 100, PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(5, 100))},
    {.name = "tag-802-1q-priority-vid-0",
     BYTES(ETHERNET(C_TAG), TAG(7, 0, PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(7, 0))},
    {.name = "tag-802-1q-all-zero",
     BYTES(ETHERNET(C_TAG), TAG(0, 0, PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(0, 0))},
    {.name = "tag-802-1q-all-ones",
     BYTES(ETHERNET(C_TAG), U16(TCI(7, 1, 4095)), U16(PTP_TYPE), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_ETHERNET, TAGGED(7, 4095))},
    {.name = "tag-802-1q-dei-only",
     BYTES(ETHERNET(C_TAG), U16(TCI(0, 1, 0)), U16(PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(0, 0))},
    {.name = "tag-802-1ad",
     BYTES(ETHERNET(S_TAG), TAG(3, 2000, PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(3, 2000))},
    {.name = "tag-9100",
     BYTES(ETHERNET(Q_TAG), TAG(2, 1, PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(2, 1))},
    {.name = "tag-padded-to-64",
     BYTES(ETHERNET(C_TAG), TAG(5, 100, PTP_TYPE), SYNC_MESSAGE, 0, 0), IS_PTP(SYNC, ON_ETHERNET, TAGGED(5, 100))},
    {.name = "tag-qinq-88a8-8100",
     BYTES(ETHERNET(S_TAG), TAG(4, 300, C_TAG), TAG(1, 20, PTP_TYPE), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(4, 300))},
    {.name = "tag-qinq-8100-8100",
     BYTES(ETHERNET(C_TAG), TAG(4, 300, C_TAG), TAG(1, 20, PTP_TYPE), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(4, 300))},
    {.name = "tag-qinq-9100-8100",
     BYTES(ETHERNET(Q_TAG), TAG(4, 300, C_TAG), TAG(1, 20, PTP_TYPE), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(4, 300))},
    {.name = "tag-qinq-priority-outside",
     BYTES(ETHERNET(S_TAG), TAG(0, 0, C_TAG), TAG(7, 4094, PTP_TYPE), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(0, 0))},
    {.name = "tag-four",
     BYTES(ETHERNET(S_TAG), TAG(1, 11, S_TAG), TAG(2, 22, Q_TAG), TAG(3, 33, C_TAG), TAG(4, 44, PTP_TYPE),
           SYNC_MESSAGE),
     IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(1, 11))},
    {.name = "tag-five",
     BYTES(ETHERNET(S_TAG), TAG(1, 11, S_TAG), TAG(2, 22, Q_TAG), TAG(3, 33, C_TAG), TAG(4, 44, C_TAG),
           TAG(5, 55, PTP_TYPE), SYNC_MESSAGE),
     IS_FOREIGN},
    {.name = "tag-around-foreign", BYTES(ETHERNET(C_TAG), TAG(5, 100, 0x88CC), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "tag-type-unknown", BYTES(ETHERNET(0x9200), TAG(5, 100, PTP_TYPE), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "tag-around-bad-length",
     BYTES(ETHERNET(C_TAG), TAG(5, 100, PTP_TYPE), PTP(SYNC_LONG(45)), BODY_10), IS_BAD_LENGTH},
    {.name = "tag-around-version-1",
     BYTES(ETHERNET(C_TAG), TAG(5, 100, PTP_TYPE), PTP(SYNC_VERSION(1)), BODY_10), IS_V1},
    {.name = "tag-around-ipv4",
     BYTES(ETHERNET(C_TAG), TAG(5, 100, IPV4_TYPE), IPV4(8 + 44), SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV4, TAGGED(5, 100))},
    {.name = "tag-qinq-around-ipv4",
     BYTES(ETHERNET(S_TAG), TAG(4, 300, C_TAG), TAG(5, 100, IPV4_TYPE), IPV4(8 + 44), SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV4, TAGGED_AGAIN(4, 300))},
    {.name = "tag-around-ipv6",
     BYTES(ETHERNET(C_TAG), TAG(5, 100, IPV6_TYPE), IPV6(8 + 44, UDP), SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV6, TAGGED(5, 100))},

    /* VLAN tags out of band. */
    {.name = "oob-alone", .tag = AVB_TAG(TCI(6, 0, 42)),
     BYTES(ETHERNET(PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(6, 42))},
    {.name = "oob-priority-vid-0", .tag = AVB_TAG(TCI(6, 0, 0)),
     BYTES(ETHERNET(PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(6, 0))},
    {.name = "oob-all-zero", .tag = AVB_TAG(0),
     BYTES(ETHERNET(PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(0, 0))},
    {.name = "oob-all-ones", .tag = AVB_TAG(0xFFFF),
     BYTES(ETHERNET(PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED(7, 4095))},
    {.name = "oob-and-802-1q", .tag = AVB_TAG(TCI(6, 0, 42)),
     BYTES(ETHERNET(C_TAG), TAG(5, 100, PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(6, 42))},
    {.name = "oob-zero-and-802-1q", .tag = AVB_TAG(0),
     BYTES(ETHERNET(C_TAG), TAG(5, 100, PTP_TYPE), SYNC_MESSAGE), IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(0, 0))},
    {.name = "oob-and-three", .tag = AVB_TAG(TCI(6, 0, 42)),
     BYTES(ETHERNET(S_TAG), TAG(2, 22, Q_TAG), TAG(3, 33, C_TAG), TAG(4, 44, PTP_TYPE), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_ETHERNET, TAGGED_AGAIN(6, 42))},
    {.name = "oob-and-four", .tag = AVB_TAG(TCI(6, 0, 42)),
     BYTES(ETHERNET(S_TAG), TAG(1, 11, S_TAG), TAG(2, 22, Q_TAG), TAG(3, 33, C_TAG), TAG(4, 44, PTP_TYPE),
           SYNC_MESSAGE),
     IS_FOREIGN},
    {.name = "oob-around-ipv4", .tag = AVB_TAG(TCI(6, 0, 42)),
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV4, TAGGED(6, 42))},
    {.name = "oob-around-ipv6", .tag = AVB_TAG(TCI(6, 0, 42)),
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV6, TAGGED(6, 42))},
    {.name = "oob-around-foreign", .tag = AVB_TAG(TCI(6, 0, 42)), BYTES(ETHERNET(0x88CC), SYNC_MESSAGE), IS_FOREIGN},

    /* UDP over IPv4. */
    {.name = "ipv4-319", BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-320",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 64), DATAGRAM(GENERAL_PORT, 64), PTP(MESSAGE(0xB, 64)), BODY_30),
     IS_PTP(MESSAGE(0xB, 64), ON_IPV4)},
    {.name = "ipv4-from-other-port",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(OTHER_PORT, EVENT_PORT, 8 + 44), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-from-319-to-other-port",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(EVENT_PORT, OTHER_PORT, 8 + 44), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "ipv4-318", BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(318, 44), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "ipv4-321", BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(321, 44), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "ipv4-port-bytes-swapped",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(0x3F01, 44), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "ipv4-dont-fragment",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 44, 0x4000), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-reserved-flag",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 44, 0x8000), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-options-4",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 6, 24 + 8 + 44, 0, UDP), IPV4_OPTIONS_4, SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-options-40",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 15, 60 + 8 + 44, 0, UDP), IPV4_OPTIONS_40, SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-options-that-look-like-udp", /* where UDP would be without them */
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 7, 28 + 8 + 44, 0, UDP), DATAGRAM(EVENT_PORT, 44),
           DATAGRAM(OTHER_PORT, 44), SYNC_MESSAGE),
     IS_FOREIGN},
    {.name = "ipv4-ihl-4",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 4, 20 + 8 + 44, 0, UDP), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv4-ihl-0",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 0, 20 + 8 + 44, 0, UDP), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv4-says-version-6",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(6, 5, 20 + 8 + 44, 0, UDP), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv4-tcp", BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 5, 20 + 20, 0, TCP), TCP_SEGMENT), IS_FOREIGN},
    {.name = "ipv4-icmp",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 5, 20 + 8 + 10, 0, 1), 8, 0, 0, 0, 0, 1, 0, 1, BODY_10), IS_FOREIGN},
    {.name = "ipv4-authentication-header", /* tunnels and IPsec over IPv4 are not followed */
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 5, 20 + 24 + 8 + 44, 0, AUTHENTICATION), AUTHENTICATION_24(UDP),
           SYNC_DATAGRAM),
     IS_FOREIGN},
    {.name = "ipv4-tunnel",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 5, 20 + 20 + 8 + 44, 0, 4), IPV4(8 + 44), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv4-ptp-v1", BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 124), DATAGRAM(EVENT_PORT, 124), PTP_V1_SYNC), IS_V1},
    {.name = "ipv4-version-4",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(EVENT_PORT, 44), PTP(SYNC_VERSION(4)), BODY_10),
     IS_OTHER_VERSION},

    /* Lengths over IPv4: message <= UDP <= IP <= frame. */
    {.name = "ipv4-frame-longer-than-ip",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), SYNC_DATAGRAM, ZEROS_8), IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-ip-longer-than-udp",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44 + 8), SYNC_DATAGRAM, ZEROS_8), IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-udp-longer-than-message",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44 + 8), DATAGRAM(EVENT_PORT, 44 + 8), SYNC_MESSAGE, ZEROS_8),
     IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-header-only",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 34), DATAGRAM(EVENT_PORT, 34), PTP(SYNC_LONG(34))),
     IS_PTP(SYNC_LONG(34), ON_IPV4)},
    {.name = "ipv4-total-length-one-beyond",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44 + 1), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv4-total-length-65535",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 5, 65535, 0, UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv4-total-length-0",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_HEADER(4, 5, 0, 0, UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv4-total-length-inside-udp", BYTES(ETHERNET(IPV4_TYPE), IPV4(7), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv4-total-length-below-udp", BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 43), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv4-total-length-lies-but-foreign",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(1400), DATAGRAM(OTHER_PORT, 44), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "ipv4-udp-length-0",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(319, 319, 0), SYNC_MESSAGE), IS_BAD_LENGTH},
    {.name = "ipv4-udp-length-7",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(319, 319, 7), SYNC_MESSAGE), IS_BAD_LENGTH},
    {.name = "ipv4-udp-length-8",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(319, 319, 8), SYNC_MESSAGE), IS_TRUNCATED},
    {.name = "ipv4-udp-length-inside-header",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(319, 319, 8 + 33), SYNC_MESSAGE), IS_TRUNCATED},
    {.name = "ipv4-udp-length-below-message",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(319, 319, 8 + 43), SYNC_MESSAGE), IS_BAD_LENGTH},
    {.name = "ipv4-udp-length-one-beyond-ip",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(319, 319, 8 + 45), SYNC_MESSAGE, 0), IS_BAD_LENGTH},
    {.name = "ipv4-udp-length-65535",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), UDP_HEADER(319, 319, 65535), SYNC_MESSAGE), IS_BAD_LENGTH},
    {.name = "ipv4-message-length-33",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(EVENT_PORT, 44), PTP(SYNC_LONG(33)), BODY_10), IS_BAD_LENGTH},
    {.name = "ipv4-message-beyond-udp-inside-frame",
     BYTES(ETHERNET(IPV4_TYPE), IPV4(8 + 44), DATAGRAM(EVENT_PORT, 44), PTP(SYNC_LONG(45)), BODY_10, ZEROS_8),
     IS_BAD_LENGTH},

    /* IPv4 fragments. Their payloads are multiples of 8, but for the last. */
    {.name = "ipv4-first-fragment",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 64, MORE), DATAGRAM(GENERAL_PORT, 1500), PTP(MESSAGE(0xD, 1500)),
           BODY_30),
     IS_PTP(MESSAGE(0xD, 1500), ON_IPV4)},
    {.name = "ipv4-first-fragment-holds-little-more-than-the-header",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 40, MORE), DATAGRAM(GENERAL_PORT, 44), PTP(SYNC), 0xB0, 0xB1, 0xB2,
           0xB3, 0xB4, 0xB5),
     IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-first-fragment-padded",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 40, MORE), DATAGRAM(GENERAL_PORT, 44), SYNC_MESSAGE),
     IS_PTP(SYNC, ON_IPV4)},
    {.name = "ipv4-first-fragment-ends-inside-header",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 32, MORE), DATAGRAM(GENERAL_PORT, 1500), PTP_FIRST_32_BYTES),
     IS_TRUNCATED},
    {.name = "ipv4-first-fragment-ends-inside-header-padded",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 32, MORE), DATAGRAM(GENERAL_PORT, 1500), PTP_FIRST_32_BYTES, 0x05,
           0x7F),
     IS_TRUNCATED},
    {.name = "ipv4-first-fragment-udp-header-only",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8, MORE), DATAGRAM(GENERAL_PORT, 1500)), IS_TRUNCATED},
    {.name = "ipv4-first-fragment-without-payload",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(0, MORE), DATAGRAM(GENERAL_PORT, 44), SYNC_MESSAGE), IS_BAD_LENGTH},
    {.name = "ipv4-first-fragment-beyond-frame",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 48, MORE), DATAGRAM(GENERAL_PORT, 1500), PTP(MESSAGE(0xD, 1500)),
           BODY_10),
     IS_BAD_LENGTH},
    {.name = "ipv4-first-fragment-message-beyond-udp",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 64, MORE), DATAGRAM(GENERAL_PORT, 1500), PTP(MESSAGE(0xD, 1501)),
           BODY_30),
     IS_BAD_LENGTH},
    {.name = "ipv4-first-fragment-udp-length-7",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 64, MORE), UDP_HEADER(320, 320, 7), PTP(MESSAGE(0xD, 1500)), BODY_30),
     IS_BAD_LENGTH},
    {.name = "ipv4-middle-fragment", /* its bytes look like UDP and PTP */
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 40, MORE | 1), DATAGRAM(EVENT_PORT, 40), PTP(SYNC_LONG(40)), 0, 0, 0,
           0, 0, 0),
     IS_FOREIGN},
    {.name = "ipv4-last-fragment", BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 44, 185), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv4-last-fragment-highest-offset",
     BYTES(ETHERNET(IPV4_TYPE), IPV4_FRAGMENT(8 + 44, 0x1000), SYNC_DATAGRAM), IS_FOREIGN},

    /* UDP over IPv6, and each extension header. */
    {.name = "ipv6-319", BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-320",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 64, UDP), DATAGRAM(GENERAL_PORT, 64), PTP(MESSAGE(0xB, 64)), BODY_30),
     IS_PTP(MESSAGE(0xB, 64), ON_IPV6)},
    {.name = "ipv6-321", BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), DATAGRAM(321, 44), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "ipv6-from-319-to-other-port",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), UDP_HEADER(EVENT_PORT, OTHER_PORT, 8 + 44), SYNC_MESSAGE),
     IS_FOREIGN},
    {.name = "ipv6-two-spare-bytes", /* which IEEE 1588 wants after the message, to correct the UDP checksum with */
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 46, UDP), DATAGRAM(EVENT_PORT, 46), SYNC_MESSAGE, 0, 0),
     IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-ptp-v1",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 124, UDP), DATAGRAM(EVENT_PORT, 124), PTP_V1_SYNC), IS_V1},
    {.name = "ipv6-hop-by-hop",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, HOP_BY_HOP), OPTIONS_8(UDP), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-hop-by-hop-24",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(24 + 8 + 44, HOP_BY_HOP), OPTIONS_24(UDP), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-routing",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, ROUTING), ROUTING_8(UDP), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-routing-24",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(24 + 8 + 44, ROUTING), ROUTING_24(UDP), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-destination",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, DESTINATION), OPTIONS_8(UDP), SYNC_DATAGRAM), IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-authentication",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(24 + 8 + 44, AUTHENTICATION), AUTHENTICATION_24(UDP), SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-atomic-fragment",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, FRAGMENT), FRAGMENT_8(UDP, 0, 0), SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-chain-of-each", /* in the order of RFC 8200 4.1 */
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 24 + 8 + 24 + 8 + 8 + 44, HOP_BY_HOP), OPTIONS_8(DESTINATION),
           OPTIONS_8(ROUTING), ROUTING_24(FRAGMENT), FRAGMENT_8(AUTHENTICATION, 0, 0), AUTHENTICATION_24(DESTINATION),
           OPTIONS_8(UDP), SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-chain-of-8",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 * 8 + 8 + 44, DESTINATION), OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION),
           OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION),
           OPTIONS_8(DESTINATION), OPTIONS_8(UDP), SYNC_DATAGRAM),
     IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-chain-of-9", /* one more than AVB_MAX_EXTENSION_HEADERS */
     BYTES(ETHERNET(IPV6_TYPE), IPV6(9 * 8 + 8 + 44, DESTINATION), OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION),
           OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION),
           OPTIONS_8(DESTINATION), OPTIONS_8(DESTINATION), OPTIONS_8(UDP), SYNC_DATAGRAM),
     IS_FOREIGN},
    {.name = "ipv6-chain-to-tcp",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 20, DESTINATION), OPTIONS_8(TCP), TCP_SEGMENT), IS_FOREIGN},
    {.name = "ipv6-esp", /* its bytes look like UDP and PTP */
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, ESP), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv6-esp-after-options",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, HOP_BY_HOP), OPTIONS_8(ESP), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv6-no-next-header", BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, NO_NEXT), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv6-no-next-header-after-options",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, DESTINATION), OPTIONS_8(NO_NEXT), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv6-mobility",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, MOBILITY), OPTIONS_8(UDP), SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv6-tcp", BYTES(ETHERNET(IPV6_TYPE), IPV6(20, TCP), TCP_SEGMENT), IS_FOREIGN},
    {.name = "ipv6-neighbour-solicitation",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(24, 58), 135, 0, 0, 0, 0, 0, 0, 0, ZEROS_8, ZEROS_8), IS_FOREIGN},
    {.name = "ipv6-says-version-4", BYTES(ETHERNET(IPV6_TYPE), IPV6_HEADER(4, 8 + 44, UDP), SYNC_DATAGRAM), IS_FOREIGN},

    /* Lengths over IPv6. */
    {.name = "ipv6-frame-longer-than-ip",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), SYNC_DATAGRAM, ZEROS_8), IS_PTP(SYNC, ON_IPV6)},
    {.name = "ipv6-payload-length-one-beyond",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44 + 1, UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv6-payload-length-65535", BYTES(ETHERNET(IPV6_TYPE), IPV6(65535, UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv6-payload-length-0", /* a jumbogram at best, which PTP never is */
     BYTES(ETHERNET(IPV6_TYPE), IPV6(0, UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv6-payload-length-below-udp",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 43, UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv6-payload-length-without-extension",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, HOP_BY_HOP), OPTIONS_8(UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv6-payload-length-inside-extension",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(4, HOP_BY_HOP), OPTIONS_8(UDP), SYNC_DATAGRAM), IS_BAD_LENGTH},
    {.name = "ipv6-payload-length-lies-but-foreign",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(1400, UDP), DATAGRAM(OTHER_PORT, 44), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "ipv6-extension-beyond-frame",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, HOP_BY_HOP), UDP, 255, 1, 4, 0, 0, 0, 0, SYNC_DATAGRAM), IS_FOREIGN},
    {.name = "ipv6-udp-length-7",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), UDP_HEADER(319, 319, 7), SYNC_MESSAGE), IS_BAD_LENGTH},
    {.name = "ipv6-udp-length-inside-header",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), UDP_HEADER(319, 319, 8 + 33), SYNC_MESSAGE), IS_TRUNCATED},
    {.name = "ipv6-udp-length-one-beyond-ip",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), UDP_HEADER(319, 319, 8 + 45), SYNC_MESSAGE, 0), IS_BAD_LENGTH},
    {.name = "ipv6-message-beyond-udp",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 44, UDP), DATAGRAM(EVENT_PORT, 44), PTP(SYNC_LONG(45)), BODY_10, 0),
     IS_BAD_LENGTH},

    /* IPv6 fragments. */
    {.name = "ipv6-first-fragment",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 64, FRAGMENT), FRAGMENT_8(UDP, 0, 1), DATAGRAM(GENERAL_PORT, 1500),
           PTP(MESSAGE(0xD, 1500)), BODY_30),
     IS_PTP(MESSAGE(0xD, 1500), ON_IPV6)},
    {.name = "ipv6-first-fragment-between-options",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 8 + 8 + 64, HOP_BY_HOP), OPTIONS_8(FRAGMENT),
           FRAGMENT_8(DESTINATION, 0, 1), OPTIONS_8(UDP), DATAGRAM(GENERAL_PORT, 1500), PTP(MESSAGE(0xD, 1500)),
           BODY_30),
     IS_PTP(MESSAGE(0xD, 1500), ON_IPV6)},
    {.name = "ipv6-first-fragment-of-a-fragment", /* the inner header does not undo the outer one */
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 8 + 64, FRAGMENT), FRAGMENT_8(FRAGMENT, 0, 1), FRAGMENT_8(UDP, 0, 0),
           DATAGRAM(GENERAL_PORT, 1500), PTP(MESSAGE(0xD, 1500)), BODY_30),
     IS_PTP(MESSAGE(0xD, 1500), ON_IPV6)},
    {.name = "ipv6-first-fragment-ends-inside-header",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 32, FRAGMENT), FRAGMENT_8(UDP, 0, 1), DATAGRAM(GENERAL_PORT, 1500),
           PTP_FIRST_32_BYTES),
     IS_TRUNCATED},
    {.name = "ipv6-first-fragment-udp-header-only",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8, FRAGMENT), FRAGMENT_8(UDP, 0, 1), DATAGRAM(GENERAL_PORT, 1500)),
     IS_TRUNCATED},
    {.name = "ipv6-first-fragment-without-payload",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8, FRAGMENT), FRAGMENT_8(UDP, 0, 1), DATAGRAM(GENERAL_PORT, 44), SYNC_MESSAGE),
     IS_BAD_LENGTH},
    {.name = "ipv6-first-fragment-beyond-frame",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 48, FRAGMENT), FRAGMENT_8(UDP, 0, 1), DATAGRAM(GENERAL_PORT, 1500),
           PTP(MESSAGE(0xD, 1500)), BODY_10),
     IS_BAD_LENGTH},
    {.name = "ipv6-first-fragment-message-beyond-udp",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 64, FRAGMENT), FRAGMENT_8(UDP, 0, 1), DATAGRAM(GENERAL_PORT, 1500),
           PTP(MESSAGE(0xD, 1501)), BODY_30),
     IS_BAD_LENGTH},
    {.name = "ipv6-middle-fragment",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 40, FRAGMENT), FRAGMENT_8(UDP, 1, 1), DATAGRAM(EVENT_PORT, 40),
           PTP(SYNC_LONG(40)), 0, 0, 0, 0, 0, 0),
     IS_FOREIGN},
    {.name = "ipv6-last-fragment",
     BYTES(ETHERNET(IPV6_TYPE), IPV6(8 + 8 + 44, FRAGMENT), FRAGMENT_8(UDP, 4096, 0), SYNC_DATAGRAM), IS_FOREIGN},

    /* What is not PTP at all. */
    {.name = "foreign-arp",
     BYTES(ETHERNET(0x0806), 0, 1, 0x08, 0x00, 6, 4, 0, 1, SOURCE_MAC, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2),
     IS_FOREIGN},
    {.name = "foreign-llc", /* 802.3: a length, no type */
     BYTES(ETHERNET(33), 0x42, 0x42, 0x03, BODY_30), IS_FOREIGN},
    {.name = "foreign-snap-ptp", /* PTP has no encapsulation over LLC */
     BYTES(ETHERNET(8 + 44), 0xAA, 0xAA, 0x03, 0, 0, 0, U16(PTP_TYPE), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "foreign-type-bytes-swapped", BYTES(ETHERNET(0xF788), SYNC_MESSAGE), IS_FOREIGN},
    {.name = "foreign-lldp",
     BYTES(ETHERNET(0x88CC), 2, 7, 4, SOURCE_MAC, 4, 4, 5, 'e', 't', 'h', 6, 2, 0, 120, 0, 0, ZEROS_8,
           ZEROS_8, ZEROS_8, 0),
     IS_FOREIGN},
    {.name = "foreign-macsec", BYTES(ETHERNET(0x88E5), 0x2C, 0, 0, 0, 0, 1, SYNC_MESSAGE), IS_FOREIGN},
    {.name = "foreign-long", BYTES(ETHERNET(0x88B5), BODY_90, BODY_90), IS_FOREIGN},
};
/* clang-format on */

const size_t frame_vector_count = sizeof frame_vectors / sizeof frame_vectors[0];

const char *frame_kind_name(enum avb_frame_kind kind)
{
    static const char *const names[AVB_FRAME_KINDS] = {
        [AVB_FRAME_PTP] = "ptp",
        [AVB_FRAME_FOREIGN] = "foreign",
        [AVB_FRAME_PTP_V1] = "ptp_v1",
        [AVB_FRAME_OTHER_VERSION] = "other_version",
        [AVB_FRAME_TRUNCATED] = "truncated",
        [AVB_FRAME_BAD_LENGTH] = "bad_length",
    };
    return (unsigned)kind < AVB_FRAME_KINDS ? names[kind] : "no kind";
}
