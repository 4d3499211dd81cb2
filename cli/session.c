/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 20

/* A captured frame, or a record that was being made, may be this late. */
#define CAPTURE_DELAY_NS ((uint64_t)200 * NS_PER_MS)

#define EVENTS_AT_ONCE 256

struct session {
    char interface[PTPMON_NAME_MAX];
    bool no_capture;
    bool running;
    char capture_refusal[512];
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    struct observer *observer;
    const struct sink *sink;
    uint64_t capture_dropped; /* at `sampled` */
    PTP_CLOCKS_RECORD started, sampled;
    uint64_t stopped_at;
};

ptpmon_status session_open(const char *interface, const struct session_options *options, const struct sink *sink,
                           struct session **session)
{
    struct session *opened = cli_allocate(1, sizeof *opened);
    snprintf(opened->interface, sizeof opened->interface, "%s", interface);
    opened->no_capture = options->no_capture;
    opened->sink = sink;
    ptpmon_status status = ptpmon_monitor_open(interface, &options->monitor, &opened->monitor);
    if (status != PTPMON_OK) {
        free(opened);
        return status;
    }
    *session = opened;
    return PTPMON_OK;
}

void session_close(struct session *session)
{
    if (session == NULL)
        return;
    ptpmon_capture_close(session->capture);
    ptpmon_monitor_close(session->monitor);
    observer_close(session->observer);
    free(session);
}

const char *session_capture_refusal(const struct session *session)
{
    return session->capture_refusal[0] != 0 ? session->capture_refusal : NULL;
}

static ptpmon_status start_capture(struct session *session)
{
    if (session->no_capture)
        return PTPMON_OK;
    ptpmon_status status = ptpmon_capture_open_live(session->interface, &session->capture);
    if (status != PTPMON_NO_PERMISSION)
        return status;
    snprintf(session->capture_refusal, sizeof session->capture_refusal, "%s", ptpmon_error_message());
    return PTPMON_OK;
}

/* Tells the observer in which intervals monitor and capture see everything. */
static ptpmon_status tell_intervals(struct session *session)
{
    ptpmon_monitor_info info;
    ptpmon_status status = ptpmon_monitor_info_get(session->monitor, &info);
    if (status != PTPMON_OK)
        return status;
    observer_monitor_ran(session->observer, info.enabled_at, info.disabled_at);
    if (session->capture == NULL)
        return PTPMON_OK;
    ptpmon_capture_statistics capture;
    status = ptpmon_capture_statistics_get(session->capture, &capture);
    if (status == PTPMON_OK)
        observer_capture_ran(session->observer, capture.started_at, capture.stopped_at);
    return status;
}

/* The capture takes longer to begin: the monitor after it leaves the shorter time in which only one of both sees. */
ptpmon_status session_start(struct session *session)
{
    ptpmon_status status = ptpmon_clocks_now(&session->started);
    if (status == PTPMON_OK)
        status = start_capture(session);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(session->monitor);
    if (status == PTPMON_OK)
        status = observer_open(session->interface, session->capture != NULL, session->sink, &session->observer);
    if (status == PTPMON_OK)
        status = tell_intervals(session);
    session->sampled = session->started;
    session->running = status == PTPMON_OK;
    return status;
}

/* END: the monitor is disabled and everything was delivered. */
static ptpmon_status drain_events(struct session *session)
{
    PTP_TIMESTAMP_EVENT events[EVENTS_AT_ONCE];
    size_t count;
    do {
        ptpmon_status status = ptpmon_events_read(session->monitor, events, EVENTS_AT_ONCE, &count);
        if (status != PTPMON_OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            status = observer_event(session->observer, &events[i]);
            if (status != PTPMON_OK)
                return status;
        }
    } while (count > 0);
    return PTPMON_OK;
}

/* END: the capture is stopped and everything was delivered. */
static ptpmon_status drain_capture(struct session *session)
{
    if (session->capture == NULL || !observer_knows_clocks(session->observer))
        return PTPMON_OK;
    ptpmon_frame frame;
    ptpmon_status status;
    while ((status = ptpmon_capture_next(session->capture, &frame)) == PTPMON_OK) {
        status = observer_frame(session->observer, &frame);
        if (status != PTPMON_OK)
            return status;
    }
    return status == PTPMON_NOTHING ? PTPMON_OK : status;
}

/* Tells the observer between which two looks at the counter the capture lost frames. */
static ptpmon_status sample_capture_loss(struct session *session, const PTP_CLOCKS_RECORD *now)
{
    ptpmon_capture_statistics capture;
    if (session->capture == NULL)
        return PTPMON_OK;
    ptpmon_status status = ptpmon_capture_statistics_get(session->capture, &capture);
    if (status != PTPMON_OK)
        return status;
    if (capture.dropped > session->capture_dropped)
        status = observer_capture_lost(session->observer, capture.dropped - session->capture_dropped, &session->sampled,
                                       now);
    session->capture_dropped = capture.dropped;
    session->sampled = *now;
    return status;
}

/* Moves all that is there to the observer, and decides what can be decided. */
static ptpmon_status pump(struct session *session)
{
    PTP_CLOCKS_RECORD now;
    ptpmon_monitor_info info;
    ptpmon_status status = ptpmon_clocks_now(&now);
    if (status == PTPMON_OK)
        status = drain_events(session);
    if (status == PTPMON_OK)
        status = drain_capture(session);
    if (status == PTPMON_OK)
        status = sample_capture_loss(session, &now);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_info_get(session->monitor, &info);
    if (status != PTPMON_OK)
        return status;
    uint64_t until = info.delivered_until < now.system_timestamp ? info.delivered_until : now.system_timestamp;
    return until > CAPTURE_DELAY_NS ? observer_advance(session->observer, until - CAPTURE_DELAY_NS) : PTPMON_OK;
}

static ptpmon_status first_failure(ptpmon_status first, ptpmon_status then)
{
    return first != PTPMON_OK ? first : then;
}

ptpmon_status session_stop(struct session *session)
{
    if (session->observer == NULL)
        return PTPMON_OK;
    PTP_CLOCKS_RECORD now = session->sampled;
    ptpmon_status status = PTPMON_OK;
    if (session->capture != NULL)
        status = ptpmon_capture_stop(session->capture);
    status = first_failure(status, ptpmon_monitor_disable(session->monitor));
    if (ptpmon_clocks_now(&now) == PTPMON_OK)
        session->stopped_at = now.system_timestamp;
    session->running = false;

    ptpmon_status drained;
    while ((drained = drain_events(session)) == PTPMON_OK) /* what waits for a stamp comes at the very end */
        ;
    status = first_failure(status, drained == PTPMON_END ? PTPMON_OK : drained);
    drained = drain_capture(session);
    status = first_failure(status, drained == PTPMON_END ? PTPMON_OK : drained);
    status = first_failure(status, sample_capture_loss(session, &now));
    status = first_failure(status, tell_intervals(session));
    return first_failure(status, observer_finish(session->observer));
}

ptpmon_status session_info_get(struct session *session, struct session_info *info)
{
    *info = (struct session_info){.interface = session->interface, .captures = session->capture != NULL};
    uint64_t until = session->stopped_at != 0 ? session->stopped_at : cli_now();
    info->elapsed_ns = until > session->started.system_timestamp ? until - session->started.system_timestamp : 0;
    ptpmon_status status = ptpmon_monitor_info_get(session->monitor, &info->monitor);
    status = first_failure(status, ptpmon_monitor_statistics(session->monitor, &info->statistics));
    if (session->capture != NULL)
        status = first_failure(status, ptpmon_capture_statistics_get(session->capture, &info->capture));
    return status;
}

static int remaining_ms(uint64_t until, uint64_t now)
{
    if (until == 0 || until - now > (uint64_t)WAIT_MS * NS_PER_MS)
        return WAIT_MS;
    return (int)((until - now + NS_PER_MS - 1) / NS_PER_MS);
}

/* Only the first running session waits, the others look: so a round takes WAIT_MS at most, however many there are. */
static ptpmon_status run_round(struct session **sessions, size_t count, int wait_ms)
{
    ptpmon_status first = PTPMON_OK;
    for (size_t i = 0; i < count; i++) {
        struct session *session = sessions[i];
        if (!session->running)
            continue;
        ptpmon_status status = ptpmon_monitor_wait(session->monitor, wait_ms);
        wait_ms = 0;
        if (status == PTPMON_OK || status == PTPMON_NOTHING)
            status = pump(session);
        if (status == PTPMON_OK)
            continue;
        cli_library_error(status);
        first = first_failure(first, status);
        session_stop(session);
    }
    return first;
}

static bool any_running(struct session **sessions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sessions[i]->running)
            return true;
    }
    return false;
}

ptpmon_status sessions_run(struct session **sessions, size_t count, uint64_t duration_ns, bool (*go_on)(void *context),
                           void *context)
{
    ptpmon_status first = PTPMON_OK;
    uint64_t now = cli_now();
    uint64_t until = duration_ns != 0 ? now + duration_ns : 0;
    while (any_running(sessions, count) && go_on(context) && (until == 0 || now < until)) {
        first = first_failure(first, run_round(sessions, count, remaining_ms(until, now)));
        now = cli_now();
    }
    return first;
}
