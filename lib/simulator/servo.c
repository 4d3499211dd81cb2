/* SPDX-License-Identifier: MIT */
/* A proportional-integral controller, in integers: a client or boundary clock that follows its master. */
#include "network.h"

#include "tap.h"
#include "truth.h"

#include "analysis/time.h"

/* Beyond this the clock is stepped. */
#define STEP_NS  20000
#define RATE_MAX (SIM_RATE_ONE / 2000) /* 500 ppm */
/* A clock that counts from its start rather than from 1970 is not followed. */
#define OFFSET_MAX_NS (30 * 3600 * NS_PER_SECOND)

void ptpmon_sim_step_clock(struct sim_node *node, sim_time size, const char *by)
{
    ptpmon_sim_clock_step(&node->clock, node->simulation->now, size);
    ptpmon_sim_truth_step(node, "phc", size, by);
    ptpmon_sim_forget_measured(node);
    for (uint32_t i = 0; i < node->port_count; i++) {
        if (node->ports[i].tap != NULL)
            ptpmon_sim_tap_clocks(node->ports[i].tap);
    }
}

static int64_t bounded(int64_t rate)
{
    return rate > RATE_MAX ? RATE_MAX : rate < -RATE_MAX ? -RATE_MAX : rate;
}

static bool follows(const struct sim_instance *instance)
{
    const struct sim_node *node = instance->node;
    if (instance->domain != 0)
        return false;
    return node->role == SIM_BRIDGE || node->simulation->settings.client == SIM_SERVO;
}

/* A change of offset as a rate. */
static int64_t rate_of(sim_time off, sim_time elapsed)
{
    return bounded(sim_shift_divide(off, 48, elapsed));
}

/* Sets the rate to what the controller finds. */
static void adjust(struct sim_instance *instance, int64_t adjustment)
{
    struct sim_node *node = instance->node;
    ptpmon_sim_clock_change_rate(&node->clock, node->simulation->now, adjustment - instance->adjustment);
    instance->adjustment = adjustment;
}

/* The first two offsets tell the frequency; then the clock is stepped. */
static void begin(struct sim_instance *instance, sim_time off)
{
    sim_time now = instance->node->simulation->now;
    if (instance->first_at == 0) {
        instance->first_at = now;
        instance->first_offset = off;
        return;
    }
    instance->integral = rate_of(off - instance->first_offset, now - instance->first_at);
    adjust(instance, -instance->integral);
    ptpmon_sim_step_clock(instance->node, -off, "servo");
    instance->is_locked = true;
}

void ptpmon_sim_follow(struct sim_instance *instance, ptpmon_time offset)
{
    const struct sim_settings *settings = &instance->node->simulation->settings;
    if (!follows(instance) || offset.ns > OFFSET_MAX_NS || offset.ns < -OFFSET_MAX_NS)
        return;
    sim_time off = offset.ns * SIM_NS + (sim_time)offset.fraction;
    if (!instance->is_locked) {
        begin(instance, off);
        return;
    }
    if (offset.ns > STEP_NS || offset.ns < -STEP_NS) {
        ptpmon_sim_step_clock(instance->node, -off, "servo");
        return;
    }
    /* kp 0.7 and ki 0.3 per second, less where Syncs are rarer than one in a second. */
    sim_time interval = sim_interval(settings->sync_interval);
    int64_t slower = interval > SIM_S ? interval / SIM_S : 1, part = interval < SIM_S ? SIM_S / interval : 1;
    int64_t rate = rate_of(off, SIM_S);
    instance->integral = bounded(instance->integral + rate * 3 / 10 / slower / part);
    adjust(instance, bounded(-(rate * 7 / 10 / slower + instance->integral)));
}
