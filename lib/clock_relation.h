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

/* The NIC's clock against event time from one record to the next. */
struct ptpmon_clock_drift {
    bool known;         /* else the NIC's clock was set there or beside it, or was not read */
    double slope;       /* how much slower than event time it runs; 1e-6 = 1 ppm */
    double error;       /* ns; how far it may have been from the straight line between the two */
    double uncertainty; /* ns; of the readings */
};

/* Zeroed to begin with. */
struct ptpmon_clock_relation {
    PTP_CLOCKS_RECORD records[PTPMON_CLOCK_RELATION_KEPT];        /* in order of system_timestamp */
    struct ptpmon_clock_drift drifts[PTPMON_CLOCK_RELATION_KEPT]; /* [i]: between records [i] and [i + 1] */
    size_t count;
};

void ptpmon_clock_relation_add(struct ptpmon_clock_relation *relation, const PTP_CLOCKS_RECORD *record);

/* An instant of event time, and where it lies: looked up once for all that is asked of it. */
struct ptpmon_clock_moment {
    const struct ptpmon_clock_relation *relation;
    uint64_t event_time;
    size_t until; /* so many records are not later */
};

/* Valid until the next record is added. */
static inline struct ptpmon_clock_moment ptpmon_clock_relation_at(const struct ptpmon_clock_relation *relation,
                                                                  uint64_t event_time)
{
    size_t until = relation->count;
    while (until > 0 && relation->records[until - 1].system_timestamp > event_time)
        until--;
    return (struct ptpmon_clock_moment){relation, event_time, until};
}

/* The UTC time (CLOCK_REALTIME) of the moment, to show it. A step of the clock counts from the next record on. False:
 * no record yet. */
bool ptpmon_clock_moment_realtime(const struct ptpmon_clock_moment *moment, int64_t *realtime_ns);

/*
 * How much later than a stamp the moment is, ns, and within what bound (+-). The stamp is one of
 * CLOCK_REALTIME or of the NIC's clock. False where it cannot be known: no record on both sides of
 * the moment, or one of the clocks was set between them; for the NIC's clock also if it was set in
 * the interval before or after, or if the stamp lies beyond these. A step or a change of rate too
 * small to be told from steering is in the bound, there as well.
 */
bool ptpmon_clock_moment_since_realtime(const struct ptpmon_clock_moment *moment, uint64_t stamp, int64_t *ns,
                                        uint64_t *bound);
bool ptpmon_clock_moment_since_hardware(const struct ptpmon_clock_moment *moment, uint64_t stamp, int64_t *ns,
                                        uint64_t *bound);

#endif
