/* SPDX-License-Identifier: MIT */
/*
 * Where a monitor's records come from. lib/monitor.c is the same for all systems; each system gives
 * one table of functions. A source never joins, filters or interprets records.
 */
#ifndef PTPMON_LIB_SOURCE_H
#define PTPMON_LIB_SOURCE_H

#include "timebase.h"

#include <avb/avb_ptp_recording.h>
#include <ptpmon.h>

struct ptpmon_source {
    const struct ptpmon_source_operations *operations;
    struct ptpmon_timebase timebase; /* of its records; does not change */
};

/* Whether frames pass a live source unseen, and so uncounted: its interface is being reset. */
enum ptpmon_sight {
    PTPMON_SEES,
    PTPMON_BLIND,     /* they do, or did when it was disabled */
    PTPMON_WAS_BLIND, /* they did since the last question, and do no more */
};

/* What the functions must do is said at their namesakes in ptpmon.h. */
struct ptpmon_source_operations {
    ptpmon_status (*enable)(struct ptpmon_source *source);
    ptpmon_status (*disable)(struct ptpmon_source *source);
    void (*close)(struct ptpmon_source *source);
    ptpmon_status (*peek)(struct ptpmon_source *source, ptpmon_batch *batch);
    void (*release)(struct ptpmon_source *source, size_t count);
    /* OK: there are records. NOTHING: timeout or signal. NO_INTERFACE: it vanished. */
    ptpmon_status (*wait)(struct ptpmon_source *source, int timeout_ms);
    /* Fills what the driver side counts. */
    ptpmon_status (*statistics)(struct ptpmon_source *source, ptpmon_statistics *statistics);
    /* rx_frames to rx_software; a recording also gives the times, as they stand in its records. */
    void (*info)(const struct ptpmon_source *source, ptpmon_monitor_info *info);

    /* Live sources only; NULL in a recording. */
    /* What system_timestamp of a record made now would be. */
    uint64_t (*now)(struct ptpmon_source *source);
    /* Reads the clocks together, as a record; hw_timestamp_ns stays 0 where the interface has no PHC. */
    ptpmon_status (*clocks)(struct ptpmon_source *source, PTP_CLOCKS_RECORD *clocks);
    /* NULL: it never is blind. */
    enum ptpmon_sight (*sight)(struct ptpmon_source *source);
    /* Fills what a recording's header says of interface, clocks and host. */
    void (*describe)(struct ptpmon_source *source, PTP_RECORDING_HEADER *header);

    /* Recordings only; NULL in a live source. The header as it was read. */
    const PTP_RECORDING_HEADER *(*recording_header)(const struct ptpmon_source *source);
};

/* The system's own source; defined once per system. */
ptpmon_status ptpmon_source_open(const char *interface_name, const ptpmon_monitor_options *options,
                                 struct ptpmon_source **source);

#endif
