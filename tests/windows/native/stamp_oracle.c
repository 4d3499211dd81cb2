/* SPDX-License-Identifier: MIT */
#include "stamp_oracle.h"

__extension__ typedef unsigned __int128 wide;

#define NS_PER_SECOND 1000000000u
#define MOST_HZ       (1ull << 34) /* "no NIC's clock is near it" */
#define AGE_S         10u          /* of a software stamp */

enum { ANY_TRANSPORT = 3 };

/* "NDIS_TIMESTAMP_CAPABILITY_FLAGS structure", one flag after another. */
static const struct {
    const char *name;
    UINT8 direction, kind, transport;
    UINT8 events_only; /* "PTP version 2 event message", not "any PTP version 2 message" */
    UINT8 tagged;      /* "any specified packet": NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT */
} flags[] = {
    {"PtpV2OverUdpIPv4EventMsgReceiveHw", AVB_DIRECTION_RX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV4, 1, 0},
    {"PtpV2OverUdpIPv4AllMsgReceiveHw", AVB_DIRECTION_RX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV4, 0, 0},
    {"PtpV2OverUdpIPv4EventMsgTransmitHw", AVB_DIRECTION_TX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV4, 1, 0},
    {"PtpV2OverUdpIPv4AllMsgTransmitHw", AVB_DIRECTION_TX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV4, 0, 0},
    {"PtpV2OverUdpIPv6EventMsgReceiveHw", AVB_DIRECTION_RX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV6, 1, 0},
    {"PtpV2OverUdpIPv6AllMsgReceiveHw", AVB_DIRECTION_RX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV6, 0, 0},
    {"PtpV2OverUdpIPv6EventMsgTransmitHw", AVB_DIRECTION_TX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV6, 1, 0},
    {"PtpV2OverUdpIPv6AllMsgTransmitHw", AVB_DIRECTION_TX, PROMISED_HARDWARE, AVB_TRANSPORT_UDP_IPV6, 0, 0},
    {"AllReceiveHw", AVB_DIRECTION_RX, PROMISED_HARDWARE, ANY_TRANSPORT, 0, 0},
    {"AllTransmitHw", AVB_DIRECTION_TX, PROMISED_HARDWARE, ANY_TRANSPORT, 0, 0},
    {"TaggedTransmitHw", AVB_DIRECTION_TX, PROMISED_HARDWARE, ANY_TRANSPORT, 0, 1},
    {"AllReceiveSw", AVB_DIRECTION_RX, PROMISED_SOFTWARE, ANY_TRANSPORT, 0, 0},
    {"AllTransmitSw", AVB_DIRECTION_TX, PROMISED_SOFTWARE, ANY_TRANSPORT, 0, 0},
    {"TaggedTransmitSw", AVB_DIRECTION_TX, PROMISED_SOFTWARE, ANY_TRANSPORT, 0, 1},
};
AVB_STATIC_ASSERT(sizeof flags / sizeof *flags == STAMP_FLAGS, "as many as there are");

/* The general messages are those with the highest bit of messageType: IEEE 1588-2019, 13.3.2.3. */
static int applies(UINT32 flag, UINT32 transport, UINT32 messageType, UINT32 direction, int tagged)
{
    return flags[flag].direction == direction &&
           (flags[flag].transport == ANY_TRANSPORT || flags[flag].transport == transport) &&
           (!flags[flag].events_only || (messageType & 8) == 0) && (!flags[flag].tagged || tagged);
}

UINT32 stamp_promised(UINT32 set, UINT32 transport, UINT32 messageType, UINT32 direction, int tagged)
{
    UINT32 kinds = 0;
    for (UINT32 flag = 0; flag < STAMP_FLAGS; flag++) {
        if ((set & BIT(flag)) && applies(flag, transport, messageType, direction, tagged))
            kinds |= flags[flag].kind;
    }
    return kinds;
}

static int promises_any(UINT32 set, UINT32 direction)
{
    for (UINT32 flag = 0; flag < STAMP_FLAGS; flag++) {
        if ((set & BIT(flag)) && flags[flag].direction == direction)
            return 1;
    }
    return 0;
}

static UINT32 promised_for(const struct stamp_configuration *config, const PTP_TIMESTAMP_EVENT *event, int tagged)
{
    return stamp_promised(config->set, event->transport, event->messageType, event->direction, tagged);
}

UINT64 stamp_exact_ns(UINT64 ticks, UINT64 hz)
{
    if (hz == 0 || hz > MOST_HZ)
        return 0;
    wide ns = (wide)ticks * NS_PER_SECOND / hz;
    return ns > UINT64_MAX ? 0 : (UINT64)ns;
}

int stamp_is_expected(const struct stamp_configuration *config, const PTP_TIMESTAMP_EVENT *event, int tagged)
{
    UINT32 kinds = promised_for(config, event, tagged);
    int has_unit = config->hz > 0 && config->hz <= MOST_HZ;
    return event->direction == AVB_DIRECTION_TX &&
           ((kinds == PROMISED_HARDWARE && has_unit) || kinds == PROMISED_SOFTWARE);
}

int stamp_truth(const struct stamp_configuration *config, PTP_TIMESTAMP_EVENT *event, int tagged, UINT64 value,
                UINT64 now, UINT64 counter_hz, UINT32 *reason)
{
    UINT32 kinds = promised_for(config, event, tagged);
    UINT64 ns = stamp_exact_ns(value, config->hz);
    int is_counter = value <= now && now - value <= AGE_S * counter_hz; /* could be read for this frame */
    *reason = AVB_PTP_REASONS;
    if (value == 0 || !promises_any(config->set, event->direction))
        return 0;
    if (kinds == 0)
        *reason = AVB_REASON_NOT_THIS_FRAME;
    else if (kinds == (PROMISED_HARDWARE | PROMISED_SOFTWARE) || (kinds == PROMISED_HARDWARE && is_counter))
        *reason = AVB_REASON_KIND_UNKNOWN;
    else if (kinds == PROMISED_HARDWARE ? ns == 0 : !is_counter)
        *reason = AVB_REASON_NOT_A_TIME;
    if (*reason != AVB_PTP_REASONS)
        return 0;
    if (kinds == PROMISED_HARDWARE) {
        event->hw_timestamp_ns = ns;
        event->stamp |= AVB_STAMP_METADATA;
    } else {
        event->software_timestamp = value;
    }
    return 1;
}
