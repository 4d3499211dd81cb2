/* SPDX-License-Identifier: MIT */
/*
 * What a value in the place of an NDIS timestamp must come to: written from the documentation of
 * NDIS_TIMESTAMP_CAPABILITY_FLAGS and from the driver's promises, to judge the driver by.
 */
#ifndef PTPMON_TESTS_STAMP_ORACLE_H
#define PTPMON_TESTS_STAMP_ORACLE_H

#include <avb/avb_ptp_ioctl.h>

/* Indices of the flags that tests name. */
enum {
    RX_UDP4_EVENT_HW = 0,
    RX_HW = 8,
    TX_HW = 9,
    TX_TAGGED_HW = 10,
    RX_SW = 11,
    TX_SW = 12,
    STAMP_FLAGS = 14,
    ALL_STAMP_FLAGS = (1 << STAMP_FLAGS) - 1
};
#define BIT(flag) (1u << (flag))

/* What the adapter's configuration says. `set`: bit i is the i-th flag. */
struct stamp_configuration {
    UINT64 hz;
    UINT32 set;
};

/* Kinds of stamps that are promised, or'ed; 0: none. */
#define PROMISED_HARDWARE 1u
#define PROMISED_SOFTWARE 2u
UINT32 stamp_promised(UINT32 set, UINT32 transport, UINT32 messageType, UINT32 direction, int tagged);

/* A NIC's ticks in ns; 0: cannot be said. */
UINT64 stamp_exact_ns(UINT64 ticks, UINT64 hz);

/* 1: a sent frame's record says that its stamp will follow. */
int stamp_is_expected(const struct stamp_configuration *config, const PTP_TIMESTAMP_EVENT *event, int tagged);

/*
 * Gives the event the stamp that `value` is: 1. Or 0, and *reason is the enum avb_ptp_reason that counts it,
 * AVB_PTP_REASONS where nothing does. `tagged`: the sender asked for a stamp. `now`: the performance counter.
 */
int stamp_truth(const struct stamp_configuration *config, PTP_TIMESTAMP_EVENT *event, int tagged, UINT64 value,
                UINT64 now, UINT64 counter_hz, UINT32 *reason);

#endif
