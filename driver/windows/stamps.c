/* SPDX-License-Identifier: MIT */
#include "stamps.h"

/* Flags of one direction and kind: for every frame, for those the sender asks for, and for PTP over UDP. */
typedef struct _PROMISES {
    UINT32 all, tagged, software_all, software_tagged;
    struct {
        UINT32 event, all;
    } udp[2]; /* IPv4, IPv6 */
} PROMISES;

static const PROMISES received = {
    .all = AVB_STAMP_RX_HW_ALL,
    .software_all = AVB_STAMP_RX_SW_ALL,
    .udp = {{AVB_STAMP_RX_HW_UDP4_EVENT, AVB_STAMP_RX_HW_UDP4_ALL},
            {AVB_STAMP_RX_HW_UDP6_EVENT, AVB_STAMP_RX_HW_UDP6_ALL}},
};
static const PROMISES sent = {
    .all = AVB_STAMP_TX_HW_ALL,
    .tagged = AVB_STAMP_TX_HW_TAGGED,
    .software_all = AVB_STAMP_TX_SW_ALL,
    .software_tagged = AVB_STAMP_TX_SW_TAGGED,
    .udp = {{AVB_STAMP_TX_HW_UDP4_EVENT, AVB_STAMP_TX_HW_UDP4_ALL},
            {AVB_STAMP_TX_HW_UDP6_EVENT, AVB_STAMP_TX_HW_UDP6_ALL}},
};

static const PROMISES *PromisesOf(UINT8 direction)
{
    return direction == AVB_DIRECTION_RX ? &received : &sent;
}

AVB_STAMP_CONFIG AvbStampConfig(const NDIS_TIMESTAMP_CAPABILITIES *config, UINT32 bytes)
{
    /* Less than sizeof: revision 1 ends with the flags, which are followed by padding. */
    if (bytes < NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1 ||
        config->Header.Size < NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1)
        return 0;
    const UINT8 *flags = (const UINT8 *)&config->TimestampFlags;
    AVB_STAMP_CONFIG word = config->CrossTimestamp ? AVB_STAMP_CROSS : 0;
    for (UINT32 i = 0; i < AVB_STAMP_FLAG_BITS; i++) {
        if (flags[i])
            word |= AVB_STAMP_FLAG(i);
    }
    UINT64 hz = config->HardwareClockFrequencyHz;
    return hz <= AVB_STAMP_MAX_HZ ? hz << AVB_STAMP_HZ_SHIFT | word : word;
}

static UINT32 AllHardwareFlags(const PROMISES *of)
{
    return of->all | of->tagged | of->udp[0].event | of->udp[0].all | of->udp[1].event | of->udp[1].all;
}

int AvbStampsHardware(AVB_STAMP_CONFIG config, UINT8 direction)
{
    return AvbStampHz(config) != 0 && (config & AllHardwareFlags(PromisesOf(direction))) != 0;
}

int AvbStampsAny(AVB_STAMP_CONFIG config, UINT8 direction)
{
    const PROMISES *of = PromisesOf(direction);
    return (config & (AllHardwareFlags(of) | of->software_all | of->software_tagged)) != 0;
}

/* The flags that would each have this frame stamped by hardware. */
static UINT32 HardwareFlags(const PROMISES *of, const PTP_TIMESTAMP_EVENT *frame, int asked_for)
{
    UINT32 flags = of->all | (asked_for ? of->tagged : 0);
    if (frame->transport == AVB_TRANSPORT_ETHERNET)
        return flags;
    int ipv6 = frame->transport == AVB_TRANSPORT_UDP_IPV6;
    return flags | of->udp[ipv6].all | (frame->messageType < AVB_PTP_FOLLOW_UP ? of->udp[ipv6].event : 0);
}

AVB_STAMP_PROMISE AvbStampPromise(AVB_STAMP_CONFIG config, const PTP_TIMESTAMP_EVENT *frame, UINT8 direction,
                                  ULONG nbl_flags)
{
    const PROMISES *of = PromisesOf(direction);
    int asked_for = (nbl_flags & NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT) != 0;
    int hardware = (config & HardwareFlags(of, frame, asked_for)) != 0;
    int software = (config & (of->software_all | (asked_for ? of->software_tagged : 0))) != 0;
    if (hardware)
        return software ? AVB_PROMISE_BOTH : AVB_PROMISE_HARDWARE;
    return software ? AVB_PROMISE_SOFTWARE : AVB_PROMISE_NONE;
}

UINT64 AvbTicksToNanoseconds(UINT64 ticks, UINT64 hz)
{
    if (hz == AVB_NS_PER_SECOND)
        return ticks;
    if (hz == 0 || hz > AVB_STAMP_MAX_HZ)
        return 0;
    UINT64 seconds = ticks / hz, rest = ticks % hz * AVB_NS_PER_SECOND / hz;
    return seconds <= (UINT64_MAX - rest) / AVB_NS_PER_SECOND ? seconds * AVB_NS_PER_SECOND + rest : 0;
}

UINT64 AvbStampNanoseconds(AVB_STAMP_CONFIG config, UINT64 ticks)
{
    return AvbTicksToNanoseconds(ticks, AvbStampHz(config));
}
