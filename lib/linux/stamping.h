/* SPDX-License-Identifier: MIT */
/* What a NIC can stamp and what is switched on (ETHTOOL_GET_TS_INFO, SIOCGHWTSTAMP, SIOCSHWTSTAMP). */
#ifndef PTPMON_LIB_LINUX_STAMPING_H
#define PTPMON_LIB_LINUX_STAMPING_H

#include <linux/net_tstamp.h>
#include <ptpmon.h>

struct ptpmon_stamping {
    uint32_t bits;     /* PTPMON_CAN_..., PTPMON_ON_... */
    int32_t phc_index; /* -1 = none */
};

/* Reads both; what the driver does not answer counts as "cannot" and "off". */
ptpmon_status ptpmon_stamping_read(const char *interface_name, struct ptpmon_stamping *stamping);

/* For ptpmon_stamping_restore(); all zero = nothing to restore. */
struct ptpmon_stamping_saved {
    bool changed;
    struct hwtstamp_config before, set;
};

/*
 * Switches TX stamping on, and RX stamping for every PTPv2 event message, or for all frames where
 * only that is to be had. NOT_SUPPORTED with the remedy where the NIC cannot, or where its driver
 * does not tell what is set now, which could then not be restored.
 */
ptpmon_status ptpmon_stamping_enable(const char *interface_name, struct ptpmon_stamping_saved *saved);

/* Restores what was set before, unless somebody has set something else since: a daemon that was
 * started in the meantime keeps its stamps. */
void ptpmon_stamping_restore(const char *interface_name, const struct ptpmon_stamping_saved *saved);

#endif
