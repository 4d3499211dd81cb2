/* SPDX-License-Identifier: MIT */
/* A proportional-integral controller, in integers: a client or boundary clock that follows its master. */
#include "network.h"

#include "tap.h"
#include "truth.h"

#include "analysis/time.h"

/* Beyond this the clock is stepped, once its frequency and the delay were measured anew. */
#define STEP (20 * SIM_US)
/* More than two clocks of 1000 ppm and a fault lead apart. */
#define RATE_MAX (SIM_RATE_ONE / 200)
/* What the frequency is measured over, at least. */
#define FREQUENCY_TIME (SIM_S / 2)
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

/* Sets the rate to what the controller finds. */
static void adjust(struct sim_instance *instance, int64_t adjustment)
{
    struct sim_node *node = instance->node;
    ptpmon_sim_clock_change_rate(&node->clock, node->simulation->now, adjustment - instance->adjustment);
    instance->adjustment = adjustment;
}

/* ---- Delay ---- */

static bool is_e2e(const struct sim_instance *instance)
{
    return instance->node->simulation->settings.profile == SIM_E2E;
}

/* NULL: not known yet. */
static const sim_time *delay_of(const struct sim_instance *instance)
{
    const struct sim_peer *peer = &sim_slave_port(instance->node)->peer;
    if (is_e2e(instance))
        return instance->has_delay ? &instance->delay : NULL;
    return peer->has_delay ? &peer->delay : NULL;
}

/* One is measured anew, with requests of now on; the newest Sync is of now. */
static void forget_delay(struct sim_instance *instance)
{
    struct sim_peer *peer = &sim_slave_port(instance->node)->peer;
    instance->has_delay = instance->request.pending = false;
    peer->has_delay = peer->is_pending = false;
    peer->ratios = 0;
}

/* ---- Phases ---- */

/* From two Syncs: the delay takes no part, since while the frequency is wrong it is wrong, too. */
static void seek(struct sim_instance *instance, int64_t t1_ns, sim_time ahead)
{
    sim_time elapsed = instance->has_first ? (t1_ns - instance->first_ns) * SIM_NS : 0;
    if (elapsed <= 0) { /* none, or the master's time went back */
        instance->has_first = true;
        instance->first_ns = t1_ns;
        instance->first_ahead = ahead;
    } else if (elapsed >= FREQUENCY_TIME) {
        int64_t rate = bounded(sim_shift_divide(ahead - instance->first_ahead, 48, elapsed));
        instance->integral = bounded(instance->integral + rate);
        adjust(instance, -instance->integral);
        forget_delay(instance);
        instance->phase = SIM_CHECKS;
    }
}

static void step(struct sim_instance *instance, sim_time off)
{
    ptpmon_sim_step_clock(instance->node, -off, "servo");
    instance->is_locked = true;
    instance->phase = SIM_FOLLOWS;
}

/* Far off: the clock, its frequency or the delay is not what it was. Which, is not known yet. */
static void begin_anew(struct sim_instance *instance)
{
    adjust(instance, -instance->integral);
    instance->has_first = false;
    instance->phase = SIM_SEEKS;
}

/* kp 0.7 and ki 0.3 per second, less where Syncs are rarer than one in a second. */
static void control(struct sim_instance *instance, sim_time off)
{
    sim_time interval = sim_interval(instance->node->simulation->settings.sync_interval);
    int64_t slower = interval > SIM_S ? interval / SIM_S : 1, part = interval < SIM_S ? SIM_S / interval : 1;
    int64_t rate = bounded(sim_shift_divide(off, 48, SIM_S));
    instance->integral = bounded(instance->integral + rate * 3 / 10 / slower / part);
    adjust(instance, bounded(-(rate * 7 / 10 / slower + instance->integral)));
    instance->phase = SIM_FOLLOWS;
}

void ptpmon_sim_follow(struct sim_instance *instance, const struct sim_sync *sync, ptpmon_time master_to_slave)
{
    if (!follows(instance) || sync->is_stale || master_to_slave.ns > OFFSET_MAX_NS ||
        master_to_slave.ns < -OFFSET_MAX_NS)
        return;
    sim_time ahead = master_to_slave.ns * SIM_NS + (sim_time)master_to_slave.fraction;
    const sim_time *delay = delay_of(instance);
    if (instance->phase == SIM_SEEKS) {
        seek(instance, sync->time_ns, ahead);
        return;
    }
    if (delay == NULL)
        return;
    sim_time off = ahead - *delay;
    bool is_near = off <= STEP && off >= -STEP;
    if (instance->is_locked && is_near)
        control(instance, off);
    else if (instance->phase == SIM_CHECKS)
        step(instance, off);
    else
        begin_anew(instance);
}
