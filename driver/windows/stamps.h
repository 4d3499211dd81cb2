/* SPDX-License-Identifier: MIT */
/*
 * NDIS packet timestamps: which frames the adapter stamps at present, in what unit, and of what kind.
 *
 * Hardware and software stamps come in the same place of the NET_BUFFER_LIST; only the adapter's current
 * configuration says which one is there. It may change at any time, so it is kept in one word.
 */
#ifndef AVB_STAMPS_H
#define AVB_STAMPS_H

#include "nt.h"

/*
 * Clock frequency (Hz) << AVB_STAMP_HZ_SHIFT | AVB_STAMP_CROSS | flags, bit i the i-th of
 * NDIS_TIMESTAMP_CAPABILITY_FLAGS; 0 = no stamps. Frequency 0: the clock has no usable unit. Its flags are kept: for
 * what they name, a value is no software stamp.
 */
typedef UINT64 AVB_STAMP_CONFIG;

#define AVB_STAMP_FLAG_BITS 14
#define AVB_STAMP_CROSS     (1u << 14) /* the clock can be asked for: CrossTimestamp */
#define AVB_STAMP_HZ_SHIFT  15
#define AVB_STAMP_MAX_HZ    (1ULL << 34) /* above, ticks cannot be converted in 64 bits; no NIC's clock is near it */

/* The flags, in the order of NDIS_TIMESTAMP_CAPABILITY_FLAGS. */
#define AVB_STAMP_FLAG(index)      (1u << (index))
#define AVB_STAMP_RX_HW_UDP4_EVENT AVB_STAMP_FLAG(0)
#define AVB_STAMP_RX_HW_UDP4_ALL   AVB_STAMP_FLAG(1)
#define AVB_STAMP_TX_HW_UDP4_EVENT AVB_STAMP_FLAG(2)
#define AVB_STAMP_TX_HW_UDP4_ALL   AVB_STAMP_FLAG(3)
#define AVB_STAMP_RX_HW_UDP6_EVENT AVB_STAMP_FLAG(4)
#define AVB_STAMP_RX_HW_UDP6_ALL   AVB_STAMP_FLAG(5)
#define AVB_STAMP_TX_HW_UDP6_EVENT AVB_STAMP_FLAG(6)
#define AVB_STAMP_TX_HW_UDP6_ALL   AVB_STAMP_FLAG(7)
#define AVB_STAMP_RX_HW_ALL        AVB_STAMP_FLAG(8)
#define AVB_STAMP_TX_HW_ALL        AVB_STAMP_FLAG(9)
#define AVB_STAMP_TX_HW_TAGGED     AVB_STAMP_FLAG(10)
#define AVB_STAMP_RX_SW_ALL        AVB_STAMP_FLAG(11)
#define AVB_STAMP_TX_SW_ALL        AVB_STAMP_FLAG(12)
#define AVB_STAMP_TX_SW_TAGGED     AVB_STAMP_FLAG(13)

/* Which of the two kinds a frame's stamp is, if it has one. */
typedef enum _AVB_STAMP_PROMISE {
    AVB_PROMISE_NONE,
    AVB_PROMISE_HARDWARE,
    AVB_PROMISE_SOFTWARE,
    AVB_PROMISE_BOTH /* so nobody can tell */
} AVB_STAMP_PROMISE;

/* The word for a configuration as NDIS gives it; 0 where it is none. */
AVB_STAMP_CONFIG AvbStampConfig(_In_reads_bytes_(bytes) const NDIS_TIMESTAMP_CAPABILITIES *config, _In_ UINT32 bytes);

/* Whether any frame of this direction is stamped: by hardware whose clock has a unit, or at all. */
int AvbStampsHardware(_In_ AVB_STAMP_CONFIG config, _In_ UINT8 direction);
int AvbStampsAny(_In_ AVB_STAMP_CONFIG config, _In_ UINT8 direction);

/* What is promised for this PTP frame, whose NET_BUFFER_LIST has these flags. */
AVB_STAMP_PROMISE AvbStampPromise(_In_ AVB_STAMP_CONFIG config, _In_ const PTP_TIMESTAMP_EVENT *frame,
                                  _In_ UINT8 direction, _In_ ULONG nbl_flags);

#define AVB_NS_PER_SECOND 1000000000ull

/* A counter's ticks in ns, rounded down. 0 where they do not fit, or `hz` is 0 or above AVB_STAMP_MAX_HZ. */
UINT64 AvbTicksToNanoseconds(_In_ UINT64 ticks, _In_ UINT64 hz);

/* The NIC's clock in ns; 0 where it cannot be said. */
UINT64 AvbStampNanoseconds(_In_ AVB_STAMP_CONFIG config, _In_ UINT64 ticks);

static inline UINT64 AvbStampHz(AVB_STAMP_CONFIG config)
{
    return config >> AVB_STAMP_HZ_SHIFT;
}

static inline UINT32 AvbStampFlags(AVB_STAMP_CONFIG config)
{
    return (UINT32)(config & ((1u << AVB_STAMP_FLAG_BITS) - 1));
}

#endif
