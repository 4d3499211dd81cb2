/* SPDX-License-Identifier: MIT */
/* A clock that runs at a rate of its own, wanders, and can be stepped. It is read in the order of time. */
#ifndef PTPMON_LIB_SIMULATOR_CLOCK_H
#define PTPMON_LIB_SIMULATOR_CLOCK_H

#include "random.h"

#include <ptpmon.h>

/* How often a clock that wanders changes its rate. */
#define SIM_WANDER_PER_SECOND 16

struct sim_clock {
    int64_t epoch_ns;     /* it shows epoch_ns + what it reads */
    sim_time from;        /* since then... */
    sim_time local;       /* ...when it read this... */
    int64_t rate;         /* ...it runs so much faster than true time, 2^-48 */
    int64_t wander;       /* sigma of each change of rate, 2^-48 */
    sim_time next_change; /* SIM_NEVER: it does not wander */
    struct sim_random random;
};

/* wander: sigma of the change of rate in a second, 2^-48. */
void ptpmon_sim_clock_start(struct sim_clock *clock, int64_t epoch_ns, sim_time offset, int64_t rate, int64_t wander,
                            struct sim_random random);

/* What it reads at the true time `now`, since its epoch; not before the time of an earlier call. */
sim_time ptpmon_sim_clock_read(struct sim_clock *clock, sim_time now);
void ptpmon_sim_clock_step(struct sim_clock *clock, sim_time now, sim_time size);
void ptpmon_sim_clock_change_rate(struct sim_clock *clock, sim_time now, int64_t change);

/* The whole time that a reading stands for. */
static inline ptpmon_time sim_clock_time(const struct sim_clock *clock, sim_time reading)
{
    return (ptpmon_time){clock->epoch_ns + (reading >> 16), (uint32_t)(reading & 0xFFFF)};
}

#endif
