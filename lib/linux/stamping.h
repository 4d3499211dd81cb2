/* SPDX-License-Identifier: MIT */
/* What a NIC can stamp and what is switched on (ETHTOOL_GET_TS_INFO, SIOCGHWTSTAMP, SIOCSHWTSTAMP). */
#ifndef PTPMON_LIB_LINUX_STAMPING_H
#define PTPMON_LIB_LINUX_STAMPING_H

#include <ptpmon.h>

struct ptpmon_stamping {
    uint32_t bits;     /* PTPMON_CAN_..., PTPMON_ON_... */
    int32_t phc_index; /* -1 = none */
};

/* Reads both; what the driver does not answer counts as "cannot" and "off". */
ptpmon_status ptpmon_stamping_read(const char *interface_name, struct ptpmon_stamping *stamping);

/* What was set before, for ptpmon_stamping_restore(). Opaque copy of struct hwtstamp_config. */
struct ptpmon_stamping_saved {
    int valid, flags, tx_type, rx_filter;
};

/*
 * Switches TX stamping on, and RX stamping for every PTPv2 frame, or for all frames where only that is to be had.
 * NOT_SUPPORTED with the remedy where the NIC cannot. What was set before goes to `saved`.
 */
ptpmon_status ptpmon_stamping_enable(const char *interface_name, struct ptpmon_stamping_saved *saved);
void ptpmon_stamping_restore(const char *interface_name, const struct ptpmon_stamping_saved *saved);

#endif
