/* SPDX-License-Identifier: MIT */
#include "observer.h"

#include "cli.h"
#include "clocks.h"

#include <stdlib.h>

struct observer {
    const char *interface;
    bool compare;
    const struct sink *sink;
    ptpmon_correlator *correlator;
    struct clocks clocks;
};

const char *latency_name(enum latency_kind kind)
{
    static const char *const names[LATENCIES] = {
        [LATENCY_RX_DRIVER] = "rx_driver",
        [LATENCY_NIC_TO_HOST] = "nic_to_host",
        [LATENCY_TX_SOFTWARE] = "tx_software",
        [LATENCY_TX_HARDWARE] = "tx_hardware",
    };
    return names[kind];
}

const PTP_TIMESTAMP_EVENT *observation_identity(const struct observation *observation)
{
    return observation->result.has_event ? &observation->result.event : &observation->result.frame;
}

ptpmon_status observer_open(const char *interface, bool compare, const struct sink *sink, struct observer **observer)
{
    struct observer *opened = cli_allocate(1, sizeof *opened);
    ptpmon_status status = ptpmon_correlator_open(NULL, &opened->correlator);
    if (status != PTPMON_OK) {
        free(opened);
        return status;
    }
    opened->interface = interface;
    opened->compare = compare;
    opened->sink = sink;
    *observer = opened;
    return PTPMON_OK;
}

void observer_close(struct observer *observer)
{
    if (observer == NULL)
        return;
    ptpmon_correlator_close(observer->correlator);
    free(observer);
}

void observer_monitor_ran(struct observer *observer, uint64_t from, uint64_t to)
{
    ptpmon_correlator_monitor_ran(observer->correlator, from, to);
}

void observer_capture_ran(struct observer *observer, int64_t from, int64_t to)
{
    ptpmon_correlator_capture_ran(observer->correlator, from, to);
}

/* A stamp that comes before the instant `event_time` of an RX frame; for TX the sign is turned. */
static struct latency measure(const struct clocks *clocks, bool hardware, const PTP_TIMESTAMP_EVENT *event)
{
    struct latency latency = {0};
    if (hardware)
        latency.known =
            event->hw_timestamp_ns != 0 &&
            clocks_since_hardware(clocks, event->system_timestamp, event->hw_timestamp_ns, &latency.ns, &latency.bound);
    else
        latency.known = event->software_timestamp != 0 &&
                        clocks_since_realtime(clocks, event->system_timestamp, event->software_timestamp, &latency.ns,
                                              &latency.bound);
    if (event->direction == AVB_DIRECTION_TX)
        latency.ns = -latency.ns;
    return latency;
}

static void tell(struct observer *observer, const ptpmon_result *result)
{
    const struct sink *sink = observer->sink;
    const PTP_TIMESTAMP_EVENT *event = &result->event;
    struct observation observation = {
        .interface = observer->interface,
        .result = *result,
        .compared = observer->compare,
        .has_realtime = true,
        .realtime_ns = result->frame_time_ns,
    };
    if (result->has_event) {
        bool received = event->direction == AVB_DIRECTION_RX;
        observation.has_realtime =
            clocks_realtime_at(&observer->clocks, event->system_timestamp, &observation.realtime_ns);
        observation.latencies[received ? LATENCY_RX_DRIVER : LATENCY_TX_SOFTWARE] =
            measure(&observer->clocks, false, event);
        observation.latencies[received ? LATENCY_NIC_TO_HOST : LATENCY_TX_HARDWARE] =
            measure(&observer->clocks, true, event);
    }
    sink->observation(sink->context, &observation);
}

/* After each item, not only after an advance: results that nobody fetches stop the correlator. */
static ptpmon_status tell_decided(struct observer *observer)
{
    ptpmon_result result;
    ptpmon_status status;
    while ((status = ptpmon_correlator_next(observer->correlator, &result)) == PTPMON_OK)
        tell(observer, &result);
    return status == PTPMON_NOTHING || status == PTPMON_END ? PTPMON_OK : status;
}

ptpmon_status observer_event(struct observer *observer, const PTP_TIMESTAMP_EVENT *event)
{
    const struct sink *sink = observer->sink;
    if (event->direction == AVB_DIRECTION_CLOCKS) {
        const PTP_CLOCKS_RECORD *clocks = (const void *)event;
        clocks_add(&observer->clocks, clocks);
        sink->clocks(sink->context, observer->interface, clocks);
    } else if (event->direction == AVB_DIRECTION_LOSS) {
        const PTP_LOSS_RECORD *record = (const void *)event;
        struct loss loss = {
            .interface = observer->interface,
            .frames = record->frames_dropped,
            .stamps = record->stamps_dropped,
            .from = record->since,
            .to = record->system_timestamp,
        };
        sink->loss(sink->context, &loss);
    }
    ptpmon_status status = ptpmon_correlator_event(observer->correlator, event);
    return status == PTPMON_OK ? tell_decided(observer) : status;
}

bool observer_knows_clocks(const struct observer *observer)
{
    return observer->clocks.count > 0;
}

ptpmon_status observer_frame(struct observer *observer, const ptpmon_frame *frame)
{
    ptpmon_status status = ptpmon_correlator_frame(observer->correlator, frame);
    return status == PTPMON_OK ? tell_decided(observer) : status;
}

ptpmon_status observer_capture_lost(struct observer *observer, uint64_t frames, const PTP_CLOCKS_RECORD *from,
                                    const PTP_CLOCKS_RECORD *to)
{
    const struct sink *sink = observer->sink;
    struct loss loss = {
        .interface = observer->interface,
        .in_capture = true,
        .frames = frames,
        .from = from->system_timestamp,
        .to = to->system_timestamp,
    };
    sink->loss(sink->context, &loss);
    return ptpmon_correlator_capture_lost(observer->correlator, (int64_t)from->realtime_ns, (int64_t)to->realtime_ns);
}

ptpmon_status observer_advance(struct observer *observer, uint64_t event_time)
{
    ptpmon_status status = ptpmon_correlator_advance(observer->correlator, event_time);
    return status == PTPMON_OK ? tell_decided(observer) : status;
}

ptpmon_status observer_finish(struct observer *observer)
{
    ptpmon_status status = ptpmon_correlator_finish(observer->correlator);
    return status == PTPMON_OK ? tell_decided(observer) : status;
}
