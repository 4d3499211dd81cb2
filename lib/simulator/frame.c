/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <string.h>

#define ETHERTYPE_PTP  0x88F7u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86DDu
#define ETHERTYPE_VLAN 0x8100u
#define PORT_EVENT     319u
#define PORT_GENERAL   320u
#define LEAST_FRAME    60u
#define PTP_HEADER     34u

/* TLVs: path trace (IEEE 1588-2019 16.2), organization extension (IEEE 802.1AS-2020 11.4.4.3). */
#define TLV_PATH_TRACE   0x0008u
#define TLV_ORGANIZATION 0x0003u

struct bytes {
    uint8_t *at;
    uint32_t length;
};

static void put(struct bytes *bytes, const void *from, uint32_t length)
{
    memcpy(bytes->at + bytes->length, from, length);
    bytes->length += length;
}

static void put_number(struct bytes *bytes, uint64_t value, uint32_t length)
{
    for (uint32_t i = length; i > 0; i--)
        bytes->at[bytes->length++] = (uint8_t)(value >> (8 * (i - 1)));
}

static void put_zeros(struct bytes *bytes, uint32_t length)
{
    memset(bytes->at + bytes->length, 0, length);
    bytes->length += length;
}

static void set_number(uint8_t *at, uint64_t value, uint32_t length)
{
    struct bytes bytes = {at, 0};
    put_number(&bytes, value, length);
}

/* ---- The message: IEEE 1588-2019 13.3 to 13.10 ---- */

static uint16_t flags_of(const struct ptpmon_simulation *simulation, const struct sim_message *message)
{
    bool gptp = simulation->settings.profile == SIM_GPTP;
    uint16_t flags = message->two_step ? AVB_PTP_FLAG_TWO_STEP : 0;
    if (message->to != NULL)
        flags |= AVB_PTP_FLAG_UNICAST;
    if (message->type == AVB_PTP_ANNOUNCE)
        flags |= AVB_PTP_FLAG_PTP_TIMESCALE | AVB_PTP_FLAG_CURRENT_UTC_OFFSET_VALID | AVB_PTP_FLAG_TIME_TRACEABLE;
    else if (gptp)
        flags |= AVB_PTP_FLAG_PTP_TIMESCALE;
    return flags;
}

static uint16_t sdo_of(const struct ptpmon_simulation *simulation)
{
    return simulation->settings.profile == SIM_GPTP ? 0x100 : 0;
}

static uint8_t version_of(const struct ptpmon_simulation *simulation)
{
    return simulation->settings.profile == SIM_GPTP ? 0x12 : 0x02;
}

/* IEEE 1588-2008 table 23; later editions keep it for those who look at it. */
static uint8_t control_of(uint8_t messageType)
{
    switch (messageType) {
    case AVB_PTP_SYNC:
        return 0;
    case AVB_PTP_DELAY_REQ:
        return 1;
    case AVB_PTP_FOLLOW_UP:
        return 2;
    case AVB_PTP_DELAY_RESP:
        return 3;
    default:
        return 5;
    }
}

static void put_identity(struct bytes *bytes, const ptpmon_port_identity *identity)
{
    put(bytes, identity->clockIdentity, sizeof identity->clockIdentity);
    put_number(bytes, identity->portNumber, 2);
}

static void put_header(struct bytes *bytes, const struct ptpmon_simulation *simulation,
                       const struct sim_message *message)
{
    uint16_t sdo = sdo_of(simulation);
    put_number(bytes, (uint64_t)(sdo >> 8) << 4 | message->type, 1);
    put_number(bytes, version_of(simulation), 1);
    put_number(bytes, 0, 2); /* messageLength, once it is known */
    put_number(bytes, simulation->settings.domains[message->domain], 1);
    put_number(bytes, sdo & 0xFF, 1);
    put_number(bytes, flags_of(simulation, message), 2);
    put_number(bytes, (uint64_t)message->correction, 8);
    put_number(bytes, 0, 4);
    put_identity(bytes, &message->source);
    put_number(bytes, message->sequenceId, 2);
    put_number(bytes, control_of(message->type), 1);
    put_number(bytes, (uint8_t)message->interval, 1);
}

static void put_timestamp(struct bytes *bytes, const struct sim_message *message)
{
    uint64_t seconds = (uint64_t)(message->time_ns / NS_PER_SECOND);
    uint64_t nanoseconds = (uint64_t)(message->time_ns % NS_PER_SECOND);
    put_number(bytes, seconds, 6);
    put_number(bytes, nanoseconds + (message->is_bad ? (uint64_t)NS_PER_SECOND : 0), 4);
}

static void put_follow_up_tlv(struct bytes *bytes, const struct sim_message *message)
{
    static const uint8_t id[] = {0x00, 0x80, 0xC2, 0x00, 0x00, 0x01};
    put_number(bytes, TLV_ORGANIZATION, 2);
    put_number(bytes, 28, 2);
    put(bytes, id, sizeof id);
    put_number(bytes, (uint32_t)message->rate_offset, 4);
    put_number(bytes, message->time_base, 2);
    put_number(bytes, message->phase_change.ns < 0 ? 0xFFFF : 0, 2);
    put_number(bytes, (uint64_t)message->phase_change.ns, 8);
    put_number(bytes, message->phase_change.fraction, 2);
    put_number(bytes, 0, 4);
}

static void put_announce(struct bytes *bytes, const struct ptpmon_simulation *simulation,
                         const struct sim_message *message)
{
    put_zeros(bytes, 10);
    put_number(bytes, SIM_UTC_OFFSET, 2);
    put_number(bytes, 0, 1);
    put_number(bytes, simulation->settings.profile == SIM_GPTP ? 246 : 128, 1); /* grandmasterPriority1 */
    put_number(bytes, 6, 1);                                                    /* clockClass: primary reference */
    put_number(bytes, 0x20, 1);                                                 /* clockAccuracy: 25 ns */
    put_number(bytes, 0x4E5D, 2);
    put_number(bytes, 248, 1);
    put(bytes, message->grandmaster, sizeof message->grandmaster);
    put_number(bytes, message->steps, 2);
    put_number(bytes, 0x20, 1); /* timeSource: GNSS */
    if (simulation->settings.profile != SIM_GPTP)
        return;
    put_number(bytes, TLV_PATH_TRACE, 2);
    put_number(bytes, 8u * (message->steps + 1u), 2);
    for (uint32_t i = 0; i <= message->steps; i++)
        put(bytes, message->path[i], 8);
}

static void put_body(struct bytes *bytes, const struct ptpmon_simulation *simulation, const struct sim_message *message)
{
    switch (message->type) {
    case AVB_PTP_ANNOUNCE:
        put_announce(bytes, simulation, message);
        return;
    case AVB_PTP_PDELAY_REQ:
        put_zeros(bytes, 20);
        return;
    default:
        put_timestamp(bytes, message);
        break;
    }
    if (message->has_tlv)
        put_follow_up_tlv(bytes, message);
    if (message->type == AVB_PTP_DELAY_RESP || message->type == AVB_PTP_PDELAY_RESP ||
        message->type == AVB_PTP_PDELAY_RESP_FOLLOW_UP)
        put_identity(bytes, &message->requesting);
}

static void put_message(struct bytes *bytes, const struct ptpmon_simulation *simulation,
                        const struct sim_message *message)
{
    uint32_t start = bytes->length;
    put_header(bytes, simulation, message);
    put_body(bytes, simulation, message);
    set_number(bytes->at + start + 2, bytes->length - start, 2);
}

/* ---- Around it ---- */

static bool is_peer(uint8_t type)
{
    return type == AVB_PTP_PDELAY_REQ || type == AVB_PTP_PDELAY_RESP || type == AVB_PTP_PDELAY_RESP_FOLLOW_UP;
}

/* IEEE 1588-2019 annexes C to E, IEEE 802.1AS-2020 11.3.4. */
static void put_destination(struct bytes *bytes, const struct ptpmon_simulation *simulation,
                            const struct sim_message *message)
{
    static const uint8_t ethernet[] = {0x01, 0x1B, 0x19, 0, 0, 0}, near[] = {0x01, 0x80, 0xC2, 0, 0, 0x0E};
    static const uint8_t ipv4[] = {0x01, 0x00, 0x5E, 0, 1, 129}, ipv4_peer[] = {0x01, 0x00, 0x5E, 0, 0, 107};
    static const uint8_t ipv6[] = {0x33, 0x33, 0, 0, 1, 0x81}, ipv6_peer[] = {0x33, 0x33, 0, 0, 0, 0x6B};
    bool peer = is_peer(message->type);
    if (message->to != NULL)
        put(bytes, message->to->mac, 6);
    else if (simulation->settings.transport == SIM_UDP4)
        put(bytes, peer ? ipv4_peer : ipv4, 6);
    else if (simulation->settings.transport == SIM_UDP6)
        put(bytes, peer ? ipv6_peer : ipv6, 6);
    else
        put(bytes, peer || simulation->settings.profile == SIM_GPTP ? near : ethernet, 6);
}

static uint16_t sum_of(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Over pseudo header (the addresses lie before UDP) and datagram; 0 would say "none". */
static void set_udp_checksum(uint8_t *addresses, uint32_t addresses_length, uint8_t *udp, uint32_t length)
{
    uint32_t sum = 17 + length;
    for (uint32_t i = 0; i < addresses_length; i += 2)
        sum += (uint32_t)addresses[i] << 8 | addresses[i + 1];
    uint16_t checksum = sum_of(sum, udp, length);
    set_number(udp + 6, checksum != 0 ? checksum : 0xFFFF, 2);
}

static void put_udp(struct bytes *bytes, const struct ptpmon_simulation *simulation, const struct sim_message *message,
                    uint32_t tail)
{
    uint32_t udp = bytes->length;
    uint16_t number = sim_is_event(message->type) ? PORT_EVENT : PORT_GENERAL;
    put_number(bytes, number, 2);
    put_number(bytes, number, 2);
    put_zeros(bytes, 4);
    put_message(bytes, simulation, message);
    put_zeros(bytes, tail);
    set_number(bytes->at + udp + 4, bytes->length - udp, 2);
}

static void put_ipv4(struct bytes *bytes, const struct ptpmon_simulation *simulation, const struct sim_message *message)
{
    uint32_t ip = bytes->length;
    put_number(bytes, 0x45B8, 2); /* DSCP EF */
    put_number(bytes, 0, 2);
    put_number(bytes, 0x00004000, 4); /* one datagram, not to be cut */
    put_number(bytes, is_peer(message->type) ? 1 : 16, 1);
    put_number(bytes, 17, 1);
    put_number(bytes, 0, 2);
    put_number(bytes, 0x0A000000u | (uint32_t)message->mac[4] << 8 | message->mac[5], 4);
    if (message->to != NULL)
        put_number(bytes, 0x0A000000u | (uint32_t)message->to->mac[4] << 8 | message->to->mac[5], 4);
    else
        put_number(bytes, is_peer(message->type) ? 0xE000006B : 0xE0000181, 4);
    put_udp(bytes, simulation, message, 0);
    set_number(bytes->at + ip + 2, bytes->length - ip, 2);
    set_number(bytes->at + ip + 10, sum_of(0, bytes->at + ip, 20), 2);
    set_udp_checksum(bytes->at + ip + 12, 8, bytes->at + ip + 20, bytes->length - ip - 20);
}

static void put_link_local(struct bytes *bytes, const uint8_t mac[6])
{
    const uint8_t address[16] = {0xFE,       0x80,   0,      0,    0,    0,      0,      0,
                                 mac[0] ^ 2, mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]};
    put(bytes, address, sizeof address);
}

static void put_ipv6(struct bytes *bytes, const struct ptpmon_simulation *simulation, const struct sim_message *message)
{
    static const uint8_t all[16] = {0xFF, 0x0E, [14] = 0x01, [15] = 0x81}, peers[16] = {0xFF, 0x02, [15] = 0x6B};
    uint32_t ip = bytes->length;
    put_number(bytes, 0x6B800000, 4);
    put_number(bytes, 0, 2);
    put_number(bytes, 17, 1);
    put_number(bytes, is_peer(message->type) ? 1 : 16, 1);
    put_link_local(bytes, message->mac);
    if (message->to != NULL)
        put_link_local(bytes, message->to->mac);
    else
        put(bytes, is_peer(message->type) ? peers : all, 16);
    put_udp(bytes, simulation, message, 2); /* two more octets: IEEE 1588-2019 annex D */
    set_number(bytes->at + ip + 4, bytes->length - ip - 40, 2);
    set_udp_checksum(bytes->at + ip + 8, 32, bytes->at + ip + 40, bytes->length - ip - 40);
}

uint32_t ptpmon_sim_frame(const struct sim_port *port, const struct sim_message *message, bool padded,
                          uint8_t bytes[SIM_FRAME_MAX])
{
    const struct ptpmon_simulation *simulation = port->node->simulation;
    const struct sim_settings *settings = &simulation->settings;
    struct bytes frame = {bytes, 0};
    put_destination(&frame, simulation, message);
    put(&frame, message->mac, sizeof message->mac);
    if (settings->vlan != 0) {
        put_number(&frame, ETHERTYPE_VLAN, 2);
        put_number(&frame, (uint64_t)settings->pcp << 13 | (uint64_t)settings->vlan, 2);
    }
    if (settings->transport == SIM_UDP4) {
        put_number(&frame, ETHERTYPE_IPV4, 2);
        put_ipv4(&frame, simulation, message);
    } else if (settings->transport == SIM_UDP6) {
        put_number(&frame, ETHERTYPE_IPV6, 2);
        put_ipv6(&frame, simulation, message);
    } else {
        put_number(&frame, ETHERTYPE_PTP, 2);
        put_message(&frame, simulation, message);
    }
    if (padded && frame.length < LEAST_FRAME)
        put_zeros(&frame, LEAST_FRAME - frame.length);
    return frame.length;
}

void ptpmon_sim_event(const struct ptpmon_simulation *simulation, const struct sim_message *message,
                      PTP_TIMESTAMP_EVENT *event)
{
    static const UINT8 transports[] = {[SIM_ETHERNET] = AVB_TRANSPORT_ETHERNET,
                                       [SIM_UDP4] = AVB_TRANSPORT_UDP_IPV4,
                                       [SIM_UDP6] = AVB_TRANSPORT_UDP_IPV6};
    const struct sim_settings *settings = &simulation->settings;
    *event = (PTP_TIMESTAMP_EVENT){
        .messageType = message->type,
        .sequenceId = message->sequenceId,
        .domainNumber = settings->domains[message->domain],
        .stamp = settings->vlan != 0 ? AVB_STAMP_VLAN : 0,
        .vlanId = (UINT16)settings->vlan,
        .pcp = settings->vlan != 0 ? (UINT8)settings->pcp : 0,
        .queueId = AVB_QUEUE_UNKNOWN,
        .portNumber = message->source.portNumber,
        .sdoId = sdo_of(simulation),
        .flags = flags_of(simulation, message),
        .transport = transports[settings->transport],
        .version = version_of(simulation),
    };
    memcpy(event->sourceMac, message->mac, sizeof event->sourceMac);
    memcpy(event->clockIdentity, message->source.clockIdentity, sizeof event->clockIdentity);
}
