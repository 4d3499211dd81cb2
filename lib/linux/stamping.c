/* SPDX-License-Identifier: MIT */
#include "linux/stamping.h"

#include "error.h"
#include "linux/device_ioctl.h"

#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>

/* rx_filters after which every PTPv2 event message is stamped, by transport. */
#define FILTERS_L2  (1u << HWTSTAMP_FILTER_PTP_V2_L2_EVENT | 1u << HWTSTAMP_FILTER_PTP_V2_EVENT)
#define FILTERS_UDP (1u << HWTSTAMP_FILTER_PTP_V2_L4_EVENT | 1u << HWTSTAMP_FILTER_PTP_V2_EVENT)
#define FILTER_ALL  (1u << HWTSTAMP_FILTER_ALL)

/* Both bits: a stamp must be taken and handed out. */
static bool has_all(uint32_t so_timestamping, uint32_t wanted)
{
    return (so_timestamping & wanted) == wanted;
}

static uint32_t rx_hardware_bits(uint32_t rx_filters)
{
    uint32_t bits = 0;
    if (rx_filters & ~(1u << HWTSTAMP_FILTER_NONE))
        bits |= PTPMON_CAN_RX_HARDWARE;
    if (rx_filters & FILTER_ALL)
        bits |= PTPMON_CAN_RX_HW_ALL;
    if (rx_filters & (FILTERS_L2 | FILTER_ALL))
        bits |= PTPMON_CAN_RX_HW_PTP_L2;
    if (rx_filters & (FILTERS_UDP | FILTER_ALL))
        bits |= PTPMON_CAN_RX_HW_PTP_UDP;
    return bits;
}

static uint32_t capability_bits(const struct ethtool_ts_info *info)
{
    uint32_t bits = 0;
    if (has_all(info->so_timestamping, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE))
        bits |= PTPMON_CAN_RX_SOFTWARE;
    if (has_all(info->so_timestamping, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE))
        bits |= PTPMON_CAN_TX_SOFTWARE;
    if (has_all(info->so_timestamping, SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE))
        bits |= rx_hardware_bits(info->rx_filters);
    if (has_all(info->so_timestamping, SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE) &&
        (info->tx_types & 1u << HWTSTAMP_TX_ON))
        bits |= PTPMON_CAN_TX_HARDWARE;
    return bits;
}

static int read_capabilities(const char *interface_name, struct ethtool_ts_info *info)
{
    *info = (struct ethtool_ts_info){.cmd = ETHTOOL_GET_TS_INFO, .phc_index = -1};
    return device_ioctl(interface_name, SIOCETHTOOL, info);
}

static ptpmon_status fail_no_interface(const char *interface_name)
{
    return ptpmon_fail(PTPMON_NO_INTERFACE, "%s: no such interface; `ptpmon list` shows those there are",
                       interface_name);
}

ptpmon_status ptpmon_stamping_read(const char *interface_name, struct ptpmon_stamping *stamping)
{
    struct ptpmon_stamping found = {.phc_index = -1};
    struct ethtool_ts_info info;
    struct hwtstamp_config config = {0};

    int problem = read_capabilities(interface_name, &info);
    if (problem == ENODEV)
        return fail_no_interface(interface_name);
    if (problem == 0) {
        found.bits = capability_bits(&info);
        found.phc_index = info.phc_index;
    }
    if (device_ioctl(interface_name, SIOCGHWTSTAMP, &config) == 0) {
        if (config.rx_filter != HWTSTAMP_FILTER_NONE)
            found.bits |= PTPMON_ON_RX_HARDWARE;
        if (config.tx_type != HWTSTAMP_TX_OFF)
            found.bits |= PTPMON_ON_TX_HARDWARE;
    }
    *stamping = found;
    return PTPMON_OK;
}

/* The setting to ask for; what is on already and suffices stays, since others rely on it. */
static ptpmon_status choose(const char *interface_name, const struct ethtool_ts_info *info,
                            const struct hwtstamp_config *current, struct hwtstamp_config *wanted)
{
    *wanted = *current;
    if (wanted->tx_type == HWTSTAMP_TX_OFF)
        wanted->tx_type = HWTSTAMP_TX_ON;
    if (wanted->rx_filter != HWTSTAMP_FILTER_ALL && wanted->rx_filter != HWTSTAMP_FILTER_PTP_V2_EVENT)
        wanted->rx_filter = (info->rx_filters & 1u << HWTSTAMP_FILTER_PTP_V2_EVENT) ? HWTSTAMP_FILTER_PTP_V2_EVENT
                                                                                    : HWTSTAMP_FILTER_ALL;
    if (!(capability_bits(info) & PTPMON_CAN_TX_HARDWARE) || !(info->rx_filters & 1u << wanted->rx_filter))
        return ptpmon_fail(PTPMON_NOT_SUPPORTED,
                           "%s: no hardware stamps for all PTP event messages, sent and received; `ptpmon list` shows "
                           "what each interface can stamp",
                           interface_name);
    return PTPMON_OK;
}

/* `config` comes back as the driver took it: it may have widened the filter. */
static ptpmon_status set(const char *interface_name, struct hwtstamp_config *config)
{
    int problem = device_ioctl(interface_name, SIOCSHWTSTAMP, config);
    switch (problem) {
    case 0:
        return PTPMON_OK;
    case EPERM:
    case EACCES:
        return ptpmon_fail(PTPMON_NO_PERMISSION, "%s: switching hardware stamps on needs CAP_NET_ADMIN; run as root",
                           interface_name);
    case ERANGE:
        return ptpmon_fail(PTPMON_NOT_SUPPORTED,
                           "%s: its driver refused the hardware stamps that it offers; "
                           "`hwstamp_ctl -i %s` tells which it takes",
                           interface_name, interface_name);
    default:
        return ptpmon_fail_errno(interface_name, "switch hardware stamps on", problem);
    }
}

ptpmon_status ptpmon_stamping_enable(const char *interface_name, struct ptpmon_stamping_saved *saved)
{
    struct ethtool_ts_info info;
    struct hwtstamp_config current = {0}, wanted;

    int problem = read_capabilities(interface_name, &info);
    if (problem == ENODEV)
        return fail_no_interface(interface_name);
    if (problem != 0)
        return ptpmon_fail_errno(interface_name, "ask what it can stamp", problem);
    problem = device_ioctl(interface_name, SIOCGHWTSTAMP, &current);
    /* A driver that cannot be asked could not be given back its setting. */
    if (problem != 0 && (capability_bits(&info) & PTPMON_CAN_TX_HARDWARE))
        return ptpmon_fail(PTPMON_NOT_SUPPORTED,
                           "%s: its driver does not tell which hardware stamps are on, so they "
                           "could not be restored; switch them on with hwstamp_ctl",
                           interface_name);
    ptpmon_status status = choose(interface_name, &info, &current, &wanted);
    if (status != PTPMON_OK)
        return status;

    bool changes = wanted.tx_type != current.tx_type || wanted.rx_filter != current.rx_filter;
    status = changes ? set(interface_name, &wanted) : PTPMON_OK;
    if (status == PTPMON_OK)
        *saved = (struct ptpmon_stamping_saved){changes, current, wanted};
    return status;
}

void ptpmon_stamping_restore(const char *interface_name, const struct ptpmon_stamping_saved *saved)
{
    struct hwtstamp_config current = {0}, config = saved->before;
    if (!saved->changed || device_ioctl(interface_name, SIOCGHWTSTAMP, &current) != 0)
        return;
    if (current.tx_type == saved->set.tx_type && current.rx_filter == saved->set.rx_filter)
        (void)device_ioctl(interface_name, SIOCSHWTSTAMP, &config);
}
