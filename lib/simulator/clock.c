/* SPDX-License-Identifier: MIT */
#include "clock.h"

/* No walk and no servo leads beyond: 1 %. */
#define RATE_MAX (SIM_RATE_ONE / 100)

void ptpmon_sim_clock_start(struct sim_clock *clock, int64_t epoch_ns, sim_time offset, int64_t rate, int64_t wander,
                            struct sim_random random)
{
    *clock = (struct sim_clock){
        .epoch_ns = epoch_ns,
        .local = offset,
        .rate = rate,
        .wander = wander / 4, /* SIM_WANDER_PER_SECOND of them add up to four times this */
        .next_change = wander != 0 ? SIM_S / SIM_WANDER_PER_SECOND : SIM_NEVER,
        .random = random,
    };
}

static sim_time at(const struct sim_clock *clock, sim_time now)
{
    sim_time elapsed = now - clock->from;
    return clock->local + elapsed + sim_scale(elapsed, clock->rate);
}

static int64_t bounded(int64_t rate)
{
    return rate > RATE_MAX ? RATE_MAX : rate < -RATE_MAX ? -RATE_MAX : rate;
}

static void settle(struct sim_clock *clock, sim_time now)
{
    clock->local = at(clock, now);
    clock->from = now;
}

sim_time ptpmon_sim_clock_read(struct sim_clock *clock, sim_time now)
{
    while (clock->next_change <= now) {
        settle(clock, clock->next_change);
        clock->rate = bounded(clock->rate + sim_random_gaussian(&clock->random, clock->wander));
        clock->next_change += SIM_S / SIM_WANDER_PER_SECOND;
    }
    return at(clock, now);
}

void ptpmon_sim_clock_step(struct sim_clock *clock, sim_time now, sim_time size)
{
    (void)ptpmon_sim_clock_read(clock, now);
    settle(clock, now);
    clock->local += size;
}

void ptpmon_sim_clock_change_rate(struct sim_clock *clock, sim_time now, int64_t change)
{
    (void)ptpmon_sim_clock_read(clock, now);
    settle(clock, now);
    clock->rate = bounded(clock->rate + change);
}
