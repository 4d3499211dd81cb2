/* SPDX-License-Identifier: MIT */
#include "view.h"

#include "cli.h"

#include <stdlib.h>

/* Of all parts together. */
static const struct tally *total_tally(const struct view *view)
{
    return view->count == 1 ? &view->parts[0]->tally : &view->sum;
}

static void show(struct view_part *part, const ptpmon_observation *observation)
{
    struct view *view = part->view;
    if (view_is_full(view))
        return;
    tally_add(&part->tally, observation);
    if (view->count > 1)
        tally_add(&view->sum, observation);
    if (!view->only_counts)
        report_observation(view->report, observation);
}

static void on_observed(void *context, const ptpmon_observation *observation)
{
    struct view_part *part = context;
    struct view *view = part->view;
    if (observation->kind != PTPMON_OBSERVED_MESSAGE) {
        if (!view->only_counts)
            report_observation(view->report, observation);
        return;
    }
    if (view->filter != NULL && !filter_shows(view->filter, ptpmon_observation_identity(observation)))
        return;
    if (view->hold_ns > 0)
        order_add(&view->held, observation, part);
    else
        show(part, observation);
}

struct view *view_open(struct report *report, const struct filter *filter, uint64_t limit)
{
    struct view *view = cli_allocate(1, sizeof *view);
    view->report = report;
    view->filter = filter;
    view->limit = limit;
    return view;
}

void view_close(struct view *view)
{
    for (size_t i = 0; i < view->count; i++)
        free(view->parts[i]);
    order_free(&view->held);
    free(view);
}

struct view_part *view_add_part(struct view *view, const char *name)
{
    struct view_part *part = cli_allocate(1, sizeof *part);
    part->name = name;
    part->view = view;
    part->sink = (struct sink){.context = part, .observed = on_observed};
    if (view->count == 1)
        view->sum = view->parts[0]->tally;
    view->parts[view->count++] = part;
    return part;
}

void view_hold(struct view *view)
{
    view->hold_ns = VIEW_HOLD_NS;
}

void view_release(struct view *view, uint64_t event_time)
{
    ptpmon_observation observation;
    void *part;
    if (event_time < view->hold_ns)
        return;
    uint64_t until = event_time == UINT64_MAX ? event_time : event_time - view->hold_ns;
    while (order_take(&view->held, until, &observation, &part))
        show(part, &observation);
}

bool view_is_full(const struct view *view)
{
    return view->limit != 0 && total_tally(view)->observations >= view->limit;
}

static void add_dropped(struct view_part *part, uint64_t events, uint64_t frames)
{
    struct view *view = part->view;
    part->tally.dropped_events += events;
    part->tally.dropped_frames += frames;
    if (view->count == 1)
        return;
    view->sum.dropped_events += events;
    view->sum.dropped_frames += frames;
}

void view_part_end(struct view_part *part, struct session *session)
{
    part->has_info = session_info_get(session, &part->info) == PTPMON_OK;
    if (!part->has_info)
        return;
    part->elapsed_ns = part->info.elapsed_ns;
    part->compared = part->info.captures;
    add_dropped(part, part->info.statistics.events_dropped, part->compared ? part->info.capture.dropped : 0);
}

void view_part_end_replay(struct view_part *part, const struct replay *replay)
{
    struct replay_counts counts;
    part->compared = true;
    if (replay_counts(replay, &counts) != PTPMON_OK)
        return;
    part->elapsed_ns = counts.to - counts.from;
    add_dropped(part, counts.dropped_events, counts.dropped_frames);
}

static struct report_part part_of(const struct view_part *part)
{
    return (struct report_part){
        .name = part->name,
        .info = part->has_info ? &part->info : NULL,
        .tally = &part->tally,
        .compared = part->compared,
        .elapsed_ns = part->elapsed_ns,
    };
}

static struct report_part total_of(const struct view *view, uint64_t elapsed_ns)
{
    struct report_part total = {.name = "all together", .tally = total_tally(view), .elapsed_ns = elapsed_ns};
    for (size_t i = 0; i < view->count; i++)
        total.compared = total.compared || view->parts[i]->compared;
    return total;
}

void view_summarize_part(const struct view_part *part)
{
    struct report_part shown = part_of(part);
    report_part(part->view->report, &shown);
}

void view_summarize_total(const struct view *view, uint64_t elapsed_ns)
{
    struct report_part total = total_of(view, elapsed_ns);
    report_part(view->report, &total);
}

void view_end(const struct view *view, const struct report_parts_name *name, uint64_t elapsed_ns)
{
    struct report_part parts[VIEW_PARTS_MAX];
    struct report_part total = total_of(view, elapsed_ns);
    for (size_t i = 0; i < view->count; i++)
        parts[i] = part_of(view->parts[i]);
    report_end(view->report, &total, name, parts, view->count);
}
