/* SPDX-License-Identifier: MIT */
/*
 * Whether the clock that stamped the messages of one observation point ran through: steps and changes of rate, found
 * from the readings of the clocks (CLOCKS) and from the stamps themselves, which stand beside the driver side's event
 * time. One object for each point and each kind of stamp that has a clock of its own (HARDWARE: the NIC's; SOFTWARE:
 * UTC).
 *
 * A step is certain to lie between two readings; larger ones the events between them narrow down. What was stamped
 * within that stretch belongs to neither segment.
 */
#ifndef PTPMON_LIB_ANALYSIS_LOCAL_CLOCK_H
#define PTPMON_LIB_ANALYSIS_LOCAL_CLOCK_H

#include <ptpmon_analysis.h>

struct ptpmon_local_clock;

ptpmon_status ptpmon_local_clock_open(ptpmon_stamp_kind kind, struct ptpmon_local_clock **clock);
void ptpmon_local_clock_close(struct ptpmon_local_clock *clock);

/* A reading of the clocks, in order. */
ptpmon_status ptpmon_local_clock_reading(struct ptpmon_local_clock *clock, const PTP_CLOCKS_RECORD *reading);
/* A stamp, ns of this clock, of a message that the driver side saw at event_time: before it (received) by its latency,
 * or after it (sent). In order of event time, about. */
ptpmon_status ptpmon_local_clock_stamp(struct ptpmon_local_clock *clock, uint64_t event_time, int64_t stamp_ns,
                                       bool received);

/* How the clock ran between two event times (from <= to). */
enum ptpmon_local_clock_run {
    PTPMON_CLOCK_RAN,         /* through, in `segment` */
    PTPMON_CLOCK_STEPPED_ON,  /* a step or change of rate lies within, or cannot be told from it */
    PTPMON_CLOCK_NOT_SURE_YET /* the reading after `to` has not come; after a break: the two after that, at most */
};
enum ptpmon_local_clock_run ptpmon_local_clock_ran(const struct ptpmon_local_clock *clock, uint64_t from, uint64_t to,
                                                   uint32_t *segment);
/* No more readings will come: nothing is "not sure yet" any more. */
void ptpmon_local_clock_finish(struct ptpmon_local_clock *clock);

/* The next finding, CLOCK_STEP, RATE_CHANGE or SYSTEM_CLOCK_STEP (point, domainNumber, sdoId, source are 0);
 * NOTHING: none. */
ptpmon_status ptpmon_local_clock_finding(struct ptpmon_local_clock *clock, ptpmon_finding *finding);

/* The newest reading: this clock - UTC, ns, and this clock's rate against event time since the reading before, ppm;
 * false: not known, or told already. Always false for UTC itself. */
bool ptpmon_local_clock_offset(struct ptpmon_local_clock *clock, int64_t *offset_ns, double *rate_ppm, bool *has_rate);

#endif
