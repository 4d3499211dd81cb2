/* SPDX-License-Identifier: MIT */
/*
 * Relates the three clocks through the PTP_CLOCKS_RECORDs around an instant. Where no record
 * allows it, there is no answer: nothing is guessed.
 */
#ifndef PTPMON_LIB_CLOCK_RELATION_H
#define PTPMON_LIB_CLOCK_RELATION_H

#include <ptpmon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At one a second this is more than the longest time an event can wait for its result. */
#define PTPMON_CLOCK_RELATION_KEPT 128

struct ptpmon_clock_relation {
    PTP_CLOCKS_RECORD records[PTPMON_CLOCK_RELATION_KEPT]; /* in order of system_timestamp */
    size_t count;
};

void ptpmon_clock_relation_add(struct ptpmon_clock_relation *relation, const PTP_CLOCKS_RECORD *record);

/* The UTC time (CLOCK_REALTIME) of an instant of event time, to show it. A step of the clock counts from the next
 * record on. False: no record yet. */
bool ptpmon_clock_relation_realtime_at(const struct ptpmon_clock_relation *relation, uint64_t event_time,
                                       int64_t *realtime_ns);

/*
 * How much later than a stamp an instant of event time is, ns, and within what bound (+-). The
 * stamp is one of CLOCK_REALTIME or of the NIC's clock. False where it cannot be known: no record
 * on both sides of the instant, or one of the clocks was set between them; for the NIC's clock
 * also if it was set in the interval before or after, or if the stamp lies beyond these. A step or
 * a change of rate too small to be told from steering is in the bound, there as well.
 */
bool ptpmon_clock_relation_since_realtime(const struct ptpmon_clock_relation *relation, uint64_t event_time,
                                          uint64_t stamp, int64_t *ns, uint64_t *bound);
bool ptpmon_clock_relation_since_hardware(const struct ptpmon_clock_relation *relation, uint64_t event_time,
                                          uint64_t stamp, int64_t *ns, uint64_t *bound);

#endif
