/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS      20
#define TOLD_AT_ONCE 1024

struct session {
    char interface[PTPMON_NAME_MAX];
    bool no_capture, messages;
    bool running;
    char capture_refusal[512];
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_observer *observer;
    const struct sink *sink;
    uint64_t started_at, stopped_at; /* event time */
};

ptpmon_status session_open(const char *interface, const struct session_options *options, const struct sink *sink,
                           struct session **session)
{
    struct session *opened = cli_allocate(1, sizeof *opened);
    snprintf(opened->interface, sizeof opened->interface, "%s", interface);
    opened->no_capture = options->no_capture;
    opened->messages = options->messages;
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
    ptpmon_observer_close(session->observer);
    ptpmon_capture_close(session->capture);
    ptpmon_monitor_close(session->monitor);
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

/* The capture takes longer to begin: the monitor after it leaves the shorter time in which only one of both sees. */
ptpmon_status session_start(struct session *session)
{
    const ptpmon_observer_options options = {.messages = session->messages};
    session->started_at = cli_now();
    ptpmon_status status = start_capture(session);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(session->monitor);
    if (status == PTPMON_OK)
        status = ptpmon_observer_open(session->monitor, session->capture, &options, &session->observer);
    session->running = status == PTPMON_OK;
    return status;
}

/* Tells the sink what there is, but not for ever. END: nothing more will come. */
static ptpmon_status tell(struct session *session, int wait_ms)
{
    ptpmon_observation observation;
    ptpmon_status status = PTPMON_OK;
    for (int i = 0; i < TOLD_AT_ONCE && status == PTPMON_OK; i++) {
        status = ptpmon_observer_next(session->observer, wait_ms, &observation);
        if (status == PTPMON_OK)
            session->sink->observed(session->sink->context, &observation);
    }
    return status == PTPMON_NOTHING ? PTPMON_OK : status;
}

ptpmon_status session_stop(struct session *session)
{
    if (session->observer == NULL)
        return PTPMON_OK;
    ptpmon_status status = ptpmon_observer_stop(session->observer);
    session->stopped_at = cli_now();
    session->running = false;
    ptpmon_status told;
    while ((told = tell(session, WAIT_MS)) != PTPMON_END)
        status = cli_first_failure(status, told);
    return status;
}

ptpmon_status session_info_get(struct session *session, struct session_info *info)
{
    *info = (struct session_info){.interface = session->interface, .captures = session->capture != NULL};
    uint64_t until = session->stopped_at != 0 ? session->stopped_at : cli_now();
    info->elapsed_ns = until > session->started_at ? until - session->started_at : 0;
    ptpmon_status status = ptpmon_monitor_info_get(session->monitor, &info->monitor);
    status = cli_first_failure(status, ptpmon_monitor_statistics(session->monitor, &info->statistics));
    if (session->capture != NULL)
        status = cli_first_failure(status, ptpmon_capture_statistics_get(session->capture, &info->capture));
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
        ptpmon_status status = tell(session, wait_ms);
        wait_ms = 0;
        if (status == PTPMON_OK)
            continue;
        cli_library_error(status);
        first = cli_first_failure(first, status);
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
        first = cli_first_failure(first, run_round(sessions, count, remaining_ms(until, now)));
        now = cli_now();
    }
    return first;
}
