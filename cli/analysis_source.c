/* SPDX-License-Identifier: MIT */
#include "analysis_source.h"

#include "cli.h"
#include "files.h"
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a file holds beside the bytes of a frame: the header of its record, in pcap; some more in pcapng. */
#define RECORD_BYTES 16

#define NO_POINT UINT32_MAX

/* A reading of the clocks is told before the messages of its time, which wait for their frames: who went by it would
 * let the other points run ahead. It moves a point on only where no messages come for longer than they ever wait. */
#define READ_EARLY_NS INT64_C(60000000000)

struct analysis_source {
    const struct analysis_pair *files;
    size_t sets, sets_read;
    const struct analysis_source_options *options;
    struct replay *replay; /* NULL: a capture alone, in `capture` */
    struct replay_counts counts;
    uint32_t point; /* of the replay */
    ptpmon_capture *capture;
    uint32_t points[ANALYSIS_POINTS_MAX]; /* of the capture's interfaces; NO_POINT = none yet */
    bool too_many;                        /* interfaces: said */
    bool has_next;
    union {
        ptpmon_observation observation;
        ptpmon_frame frame;
    } next;
    int64_t time_ns;
    uint64_t seen_until; /* event time */
    uint64_t count, bytes, file_bytes;
    ptpmon_status failure; /* of reading */
};

/* ---- What comes next ---- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void look_at_observation(struct analysis_source *source)
{
    const ptpmon_observation *observation = &source->next.observation;
    switch (observation->kind) {
    case PTPMON_OBSERVED_MESSAGE:
        source->seen_until = ptpmon_observation_identity(observation)->system_timestamp;
        if (observation->has_realtime)
            source->time_ns = later(source->time_ns, observation->realtime_ns);
        source->count++;
        break;
    case PTPMON_OBSERVED_CLOCKS:
        source->seen_until = observation->clocks.system_timestamp;
        if (observation->clocks.realtime_ns <= INT64_MAX)
            source->time_ns = later(source->time_ns, (int64_t)observation->clocks.realtime_ns - READ_EARLY_NS);
        break;
    default:
        break;
    }
}

static void fetch_observation(struct analysis_source *source)
{
    ptpmon_status status;
    while ((status = replay_next(source->replay, &source->next.observation)) != PTPMON_OK && status != PTPMON_END)
        source->failure = cli_first_failure(source->failure, status);
    source->has_next = status == PTPMON_OK;
    if (source->has_next)
        look_at_observation(source);
}

static inline void fetch_frame(struct analysis_source *source)
{
    const ptpmon_frame *frame = &source->next.frame;
    ptpmon_status status = ptpmon_capture_next(source->capture, &source->next.frame);
    source->has_next = status == PTPMON_OK;
    if (source->has_next) {
        source->time_ns = later(source->time_ns, frame->time_ns);
        source->bytes += RECORD_BYTES + frame->captured_length;
        source->count++;
    } else if (status != PTPMON_END && !cli_stop_requested()) { /* a stop ends the wait for a pipe */
        cli_library_error(status);
        source->failure = status;
    }
}

static void fetch_of_set(struct analysis_source *source)
{
    if (source->replay != NULL)
        fetch_observation(source);
    else
        fetch_frame(source);
}

/* ---- Sets ---- */

static bool has_message(const char *capture_path)
{
    ptpmon_capture *capture = NULL;
    ptpmon_frame frame;
    PTP_TIMESTAMP_EVENT identity;
    bool found = false;
    if (ptpmon_capture_open_file(capture_path, &capture) != PTPMON_OK)
        return false;
    while (!found && ptpmon_capture_next(capture, &frame) == PTPMON_OK)
        found = ptpmon_frame_message(&frame, &identity, NULL) == PTPMON_OK;
    ptpmon_capture_close(capture);
    return found;
}

/* A set in which nothing passed cannot be compared with its capture: its readings of the clocks are enough. */
static ptpmon_status open_replay(struct analysis_source *source)
{
    const struct analysis_pair *files = source->files;
    const ptpmon_observer_options *options = &source->options->observer;
    ptpmon_status status = replay_open(files->capture, files->events, options, &source->replay);
    if (status == PTPMON_BAD_FILE && source->sets > 1 && files->capture != NULL && !has_message(files->capture))
        status = replay_open(NULL, files->events, options, &source->replay);
    return status == PTPMON_OK ? replay_counts(source->replay, &source->counts) : status;
}

static ptpmon_status open_set(struct analysis_source *source)
{
    source->bytes = 0;
    if (source->files->events != NULL)
        return open_replay(source);
    source->file_bytes = files_size(source->files->capture);
    return ptpmon_capture_open_file(source->files->capture, &source->capture);
}

static void close_set(struct analysis_source *source)
{
    replay_close(source->replay);
    ptpmon_capture_close(source->capture);
    source->replay = NULL;
    source->capture = NULL;
}

/* Goes on to the next set that can be read. False: there is none, and what was open remains so. */
static bool next_set(struct analysis_source *source)
{
    if (source->files->next == NULL || cli_stop_requested())
        return false;
    close_set(source);
    do {
        source->files = source->files->next;
        source->sets_read++;
        ptpmon_status status = open_set(source);
        if (status == PTPMON_OK)
            return true;
        close_set(source);
        cli_library_error(status);
        source->failure = cli_first_failure(source->failure, status);
    } while (source->files->next != NULL);
    return false;
}

static void fetch(struct analysis_source *source)
{
    fetch_of_set(source);
    while (!source->has_next && next_set(source))
        fetch_of_set(source);
}

/* ---- Points ---- */

static ptpmon_status add_replay_point(struct analysis_source *source, struct analysis *analysis)
{
    const PTP_RECORDING_HEADER *header = replay_header(source->replay);
    struct analysis_point about = {
        .capture = source->files->capture,
        .events = source->files->events,
        .has_frames = source->files->capture != NULL,
        .has_events = true,
        .phc_index = header->phc_index,
        .has_alignment = source->files->capture != NULL,
    };
    snprintf(about.name, sizeof about.name, "%s", header->interface_name);
    snprintf(about.host, sizeof about.host, "%s", header->host);
    return analysis_add_point(analysis, &about, files_name_in(source->files->events), &source->point);
}

/* Of an interface of the capture; NOTHING: there are too many. */
static ptpmon_status add_capture_point(struct analysis_source *source, struct analysis *analysis, uint32_t interface)
{
    ptpmon_capture_interface known = {.name = ""};
    const char *file = files_name_in(source->files->capture);
    struct analysis_point about = {.capture = source->files->capture, .has_frames = true, .phc_index = -1};
    if (interface < ptpmon_capture_interface_count(source->capture))
        ptpmon_capture_interface_get(source->capture, interface, &known);
    snprintf(about.name, sizeof about.name, "%s", known.name[0] != 0 ? known.name : file);
    snprintf(about.host, sizeof about.host, "%s", known.host);
    return analysis_add_point(analysis, &about, file, &source->points[interface]);
}

static ptpmon_status find_capture_point(struct analysis_source *source, struct analysis *analysis, uint32_t interface)
{
    if (interface < ANALYSIS_POINTS_MAX && source->points[interface] != NO_POINT)
        return PTPMON_OK;
    if (interface < ANALYSIS_POINTS_MAX && analysis->count < ANALYSIS_POINTS_MAX)
        return add_capture_point(source, analysis, interface);
    if (!source->too_many)
        cli_message("%s: more interfaces than %d observation points: the others are left out", source->files->capture,
                    ANALYSIS_POINTS_MAX);
    source->too_many = true;
    return PTPMON_NOTHING;
}

/* ---- Passing on ---- */

static bool is_wanted(const struct analysis_source *source, const PTP_TIMESTAMP_EVENT *identity)
{
    return source->options->filter == NULL || filter_analyzes(source->options->filter, identity);
}

static ptpmon_status pass_observation(struct analysis_source *source, struct analysis *analysis)
{
    const ptpmon_observation *observation = &source->next.observation;
    if (observation->kind == PTPMON_OBSERVED_MESSAGE && !is_wanted(source, ptpmon_observation_identity(observation)))
        return PTPMON_OK;
    return analysis_observe(analysis, source->point, observation);
}

static ptpmon_status pass_frame(struct analysis_source *source, struct analysis *analysis)
{
    const ptpmon_frame *frame = &source->next.frame;
    PTP_TIMESTAMP_EVENT identity;
    if (source->options->filter != NULL && ptpmon_frame_message(frame, &identity, NULL) == PTPMON_OK &&
        !is_wanted(source, &identity))
        return PTPMON_OK;
    ptpmon_status status = find_capture_point(source, analysis, frame->interface);
    if (status == PTPMON_OK)
        status = analysis_frame(analysis, source->points[frame->interface], frame);
    return status == PTPMON_NOTHING ? PTPMON_OK : status;
}

ptpmon_status analysis_source_pass(struct analysis_source *source, struct analysis *analysis, int64_t until_ns,
                                   size_t *room)
{
    ptpmon_status status = PTPMON_OK;
    for (; status == PTPMON_OK && *room > 0 && source->has_next && source->time_ns <= until_ns; --*room) {
        status = source->replay != NULL ? pass_observation(source, analysis) : pass_frame(source, analysis);
        fetch(source);
    }
    return status;
}

bool analysis_source_time(const struct analysis_source *source, int64_t *time_ns)
{
    *time_ns = source->time_ns;
    return source->has_next;
}

/* ---- Begin and end ---- */

int analysis_source_open(const struct analysis_pair *files, const struct analysis_source_options *options,
                         struct analysis *analysis, struct analysis_source **source)
{
    struct analysis_source *opened = cli_allocate(1, sizeof *opened);
    opened->files = files;
    for (; files != NULL; files = files->next)
        opened->sets++;
    opened->options = options;
    opened->time_ns = INT64_MIN;
    for (size_t i = 0; i < ANALYSIS_POINTS_MAX; i++)
        opened->points[i] = NO_POINT;
    ptpmon_status status = open_set(opened);
    if (status == PTPMON_OK && opened->replay != NULL)
        status = add_replay_point(opened, analysis);
    if (status != PTPMON_OK) {
        analysis_source_close(opened);
        return cli_library_error(status);
    }
    fetch(opened);
    *source = opened;
    return CLI_OK;
}

void analysis_source_close(struct analysis_source *source)
{
    if (source == NULL)
        return;
    close_set(source);
    free(source);
}

/* A capture in which there was nothing is a point all the same: one that says so. */
static bool has_point(const struct analysis_source *source)
{
    for (size_t i = 0; i < ANALYSIS_POINTS_MAX; i++) {
        if (source->points[i] != NO_POINT)
            return true;
    }
    return source->too_many;
}

int analysis_source_end(struct analysis_source *source, struct analysis *analysis)
{
    if (source->replay != NULL)
        replay_alignment(source->replay, &analysis->points[source->point].alignment);
    else if (source->capture != NULL && !has_point(source) && analysis->count < ANALYSIS_POINTS_MAX)
        source->failure = cli_first_failure(source->failure, add_capture_point(source, analysis, 0));
    return cli_exit_code(source->failure);
}

static double share_of_set(const struct analysis_source *source)
{
    const struct replay_counts *counts = &source->counts;
    if (source->replay == NULL)
        return source->file_bytes > 0 ? (double)source->bytes / (double)source->file_bytes : 1;
    if (source->seen_until <= counts->from || counts->to <= counts->from)
        return 0;
    return (double)(source->seen_until - counts->from) / (double)(counts->to - counts->from);
}

double analysis_source_share(const struct analysis_source *source)
{
    return ((double)source->sets_read + share_of_set(source)) / (double)source->sets;
}

uint64_t analysis_source_count(const struct analysis_source *source)
{
    return source->count;
}
