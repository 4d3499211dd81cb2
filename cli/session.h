/* SPDX-License-Identifier: MIT */
/*
 * A live session: one interface's monitor, its capture and the observer of both.
 *
 *     session_open -> _start -> sessions_run -> _stop -> _close
 *
 * Opening several before starting the first finds every error before anything is attached.
 */
#ifndef PTPMON_CLI_SESSION_H
#define PTPMON_CLI_SESSION_H

#include <ptpmon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who is told; the observation is valid during the call only. */
struct sink {
    void *context;
    void (*observed)(void *context, const ptpmon_observation *observation);
};

struct session_options {
    ptpmon_monitor_options monitor;
    bool no_capture;
    bool messages; /* also what the frames' messages say: ptpmon_result.message */
};

struct session;

/* What a session runs on and has seen. */
struct session_info {
    const char *interface;
    ptpmon_monitor_info monitor;
    ptpmon_statistics statistics;
    bool captures;
    ptpmon_capture_statistics capture; /* meaningless unless `captures` */
    uint64_t elapsed_ns;               /* from start to stop or now */
};

ptpmon_status session_open(const char *interface, const struct session_options *options, const struct sink *sink,
                           struct session **session);
void session_close(struct session *session);

/*
 * From here on every frame is seen. Where the right to capture is missing, the session runs on
 * events alone; session_capture_refusal() then tells why.
 */
ptpmon_status session_start(struct session *session);
const char *session_capture_refusal(const struct session *session); /* NULL = captures, or was told not to */

/* Stops capture and monitor and gives the sink all that is left. */
ptpmon_status session_stop(struct session *session);

ptpmon_status session_info_get(struct session *session, struct session_info *info);

/*
 * Pumps started sessions until go_on() says no, or duration_ns has passed (0 = no limit), or every
 * session has failed. A session that fails (its interface vanished) is stopped, the others go on.
 * Failures are said on standard error; returns the first one's status, or OK.
 */
ptpmon_status sessions_run(struct session **sessions, size_t count, uint64_t duration_ns, bool (*go_on)(void *context),
                           void *context);

#endif
