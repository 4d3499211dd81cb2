/* SPDX-License-Identifier: MIT */
#include "tally.h"

static void add_comparison(struct tally *tally, const ptpmon_result *result)
{
    if (result->has_event)
        tally->events_by_outcome[result->outcome]++;
    if (result->has_frame)
        tally->frames_by_outcome[result->outcome]++;
    tally->by_reason[result->reason]++;
    tally->source_mac_differs += (result->cross_check & PTPMON_SOURCE_MAC_DIFFERS) != 0;
    tally->vlan_differs += (result->cross_check & PTPMON_VLAN_DIFFERS) != 0;
    tally->pcp_differs += (result->cross_check & PTPMON_PCP_DIFFERS) != 0;
    tally->time_order_differs += (result->cross_check & PTPMON_TIME_ORDER_DIFFERS) != 0;
}

void tally_add(struct tally *tally, const ptpmon_observation *observation)
{
    const ptpmon_result *result = &observation->result;
    const PTP_TIMESTAMP_EVENT *identity = ptpmon_observation_identity(observation);

    tally->observations++;
    tally->events += result->has_event;
    tally->frames += result->has_frame;
    if (observation->compared)
        add_comparison(tally, result);
    if (identity->direction == AVB_DIRECTION_RX)
        tally->rx_by_type[identity->messageType % TALLY_TYPES]++;
    else if (identity->direction == AVB_DIRECTION_TX)
        tally->tx_by_type[identity->messageType % TALLY_TYPES]++;
    tally->stamps_missing += (result->event.stamp & AVB_STAMP_MISSING) != 0;
    for (int i = 0; i < PTPMON_LATENCIES; i++) {
        if (observation->latencies[i].known)
            histogram_add(&tally->latencies[i], observation->latencies[i].ns);
    }
}
