/* SPDX-License-Identifier: MIT */
#include "coverage.h"

static void settle_bound(const struct ptpmon_clock_map *clocks, struct ptpmon_bound *bound)
{
    if (bound->settled)
        return;
    bound->event = bound->told;
    bound->settled = !clocks || bound->told == PTPMON_INSTANT_MIN || bound->told == PTPMON_INSTANT_MAX;
    if (bound->settled)
        return;
    bool plausible = ptpmon_clock_map_find(clocks, bound->told, bound->earliest, &bound->event);
    if (!plausible)
        ptpmon_clock_map_find(clocks, bound->told, PTPMON_INSTANT_MIN, &bound->event);
    bound->settled = plausible && bound->told < ptpmon_clock_map_passed(clocks);
}

static void settle(const struct ptpmon_coverage *coverage, struct ptpmon_interval *interval)
{
    settle_bound(coverage->clocks, &interval->from);
    settle_bound(coverage->clocks, &interval->to);
}

static bool is_settled(const struct ptpmon_interval *interval)
{
    return interval->from.settled && interval->to.settled;
}

void ptpmon_coverage_init(struct ptpmon_coverage *coverage, const struct ptpmon_clock_map *clocks)
{
    *coverage = (struct ptpmon_coverage){.clocks = clocks};
    ptpmon_coverage_ran(coverage, 0, 0);
}

void ptpmon_coverage_settle(struct ptpmon_coverage *coverage)
{
    settle(coverage, &coverage->ran);
    for (size_t i = 0; i < coverage->loss_count; i++)
        settle(coverage, &coverage->losses[i]);
}

/* Told again, a bound keeps its event time: the readings that it was moved by may be gone. */
static void tell(struct ptpmon_bound *bound, ptpmon_instant told)
{
    if (bound->told != told)
        *bound = (struct ptpmon_bound){.told = told, .earliest = PTPMON_INSTANT_MIN};
}

void ptpmon_coverage_ran(struct ptpmon_coverage *coverage, ptpmon_instant from, ptpmon_instant to)
{
    tell(&coverage->ran.from, from == 0 ? PTPMON_INSTANT_MIN : from);
    tell(&coverage->ran.to, to == 0 ? PTPMON_INSTANT_MAX : to);
    settle(coverage, &coverage->ran);
}

/* Where one is not settled yet, where they lie means nothing. */
static bool touch(const struct ptpmon_interval *a, const struct ptpmon_interval *b)
{
    return is_settled(a) && is_settled(b) && a->from.event <= b->to.event && b->from.event <= a->to.event;
}

static void unite(struct ptpmon_interval *into, const struct ptpmon_interval *other)
{
    if (other->from.event < into->from.event)
        into->from = other->from;
    if (other->to.event > into->to.event)
        into->to = other->to;
}

static ptpmon_instant gap_between(const struct ptpmon_interval *a, const struct ptpmon_interval *b)
{
    ptpmon_instant after = a->from.event - b->to.event, before = b->from.event - a->to.event;
    return after > before ? after : before;
}

static struct ptpmon_interval *nearest_loss(struct ptpmon_coverage *coverage, const struct ptpmon_interval *to)
{
    struct ptpmon_interval *nearest = &coverage->losses[0];
    for (size_t i = 1; i < coverage->loss_count; i++) {
        if (gap_between(&coverage->losses[i], to) < gap_between(nearest, to))
            nearest = &coverage->losses[i];
    }
    return nearest;
}

void ptpmon_coverage_lost(struct ptpmon_coverage *coverage, ptpmon_instant from, ptpmon_instant to,
                          ptpmon_instant earliest)
{
    struct ptpmon_interval loss = {{.told = from, .earliest = earliest}, {.told = to, .earliest = earliest}};
    settle(coverage, &loss);
    for (size_t i = 0; i < coverage->loss_count; i++) {
        if (touch(&coverage->losses[i], &loss)) {
            unite(&coverage->losses[i], &loss);
            return;
        }
    }
    if (coverage->loss_count < PTPMON_LOSSES)
        coverage->losses[coverage->loss_count++] = loss;
    else
        unite(nearest_loss(coverage, &loss), &loss);
}

enum ptpmon_coverage_at ptpmon_coverage_at(const struct ptpmon_coverage *coverage, ptpmon_instant from,
                                           ptpmon_instant to)
{
    if (from < coverage->ran.from.event)
        return PTPMON_COVERAGE_BEFORE;
    if (to > coverage->ran.to.event)
        return PTPMON_COVERAGE_AFTER;
    for (size_t i = 0; i < coverage->loss_count; i++) {
        const struct ptpmon_interval *loss = &coverage->losses[i];
        if (from <= loss->to.event && loss->from.event <= to)
            return PTPMON_COVERAGE_LOST;
    }
    return PTPMON_COVERED;
}

void ptpmon_coverage_forget(struct ptpmon_coverage *coverage, ptpmon_instant event_time)
{
    size_t kept = 0;
    for (size_t i = 0; i < coverage->loss_count; i++) {
        if (!is_settled(&coverage->losses[i]) || coverage->losses[i].to.event >= event_time)
            coverage->losses[kept++] = coverage->losses[i];
    }
    coverage->loss_count = kept;
}
