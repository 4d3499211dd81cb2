/* SPDX-License-Identifier: MIT */
#include "stamping.h"

#include <stdio.h>

static bool has(const ptpmon_interface *interface, uint32_t bit)
{
    return (interface->stamping & bit) != 0;
}

/* What the RX filter of the card takes: "all frames", "Ethernet", "UDP", "Ethernet+UDP", "some". */
static const char *rx_filter_words(const ptpmon_interface *interface)
{
    bool l2 = has(interface, PTPMON_CAN_RX_HW_PTP_L2), udp = has(interface, PTPMON_CAN_RX_HW_PTP_UDP);
    if (has(interface, PTPMON_CAN_RX_HW_ALL))
        return "all frames";
    if (l2 && udp)
        return "Ethernet+UDP";
    if (l2)
        return "Ethernet";
    return udp ? "UDP" : "some";
}

/* Likewise of sent frames; NULL = the system does not tell. */
static const char *tx_filter_words(const ptpmon_interface *interface)
{
    if (has(interface, PTPMON_CAN_TX_HW_ALL))
        return "all frames";
    if (has(interface, PTPMON_CAN_TX_HW_ASKED))
        return "if asked for";
    return has(interface, PTPMON_CAN_TX_HW_PTP_UDP) ? "UDP" : NULL;
}

/* frames = NULL: no word about them. */
static void stamp_words(char *text, size_t size, bool software, bool hardware, bool enabled, const char *frames)
{
    if (hardware)
        snprintf(text, size, "NIC (%s%s%s)%s", frames ? frames : "", frames ? "; " : "", enabled ? "on" : "off",
                 software ? ", software" : "");
    else
        snprintf(text, size, "%s", software ? "software" : "none");
}

void stamping_rx_words(const ptpmon_interface *interface, char *text, size_t size)
{
    stamp_words(text, size, has(interface, PTPMON_CAN_RX_SOFTWARE), has(interface, PTPMON_CAN_RX_HARDWARE),
                has(interface, PTPMON_ON_RX_HARDWARE), rx_filter_words(interface));
}

void stamping_tx_words(const ptpmon_interface *interface, char *text, size_t size)
{
    stamp_words(text, size, has(interface, PTPMON_CAN_TX_SOFTWARE), has(interface, PTPMON_CAN_TX_HARDWARE),
                has(interface, PTPMON_ON_TX_HARDWARE), tx_filter_words(interface));
}
