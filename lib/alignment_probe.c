/* SPDX-License-Identifier: MIT */
#include "alignment_probe.h"

#include "capture.h"
#include "error.h"
#include "frame.h"
#include "instant.h"
#include "monitor.h"

#include <stdlib.h>
#include <string.h>

/* Around the stretch, for what lies between two readings of the clocks. */
#define MARGIN_NS INT64_C(2000000000)

/* So many messages in a row from after the stretch end it: one may have a damaged time. */
#define BEYOND 1000

static ptpmon_status no_memory(const ptpmon_monitor *recording)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for comparing it with a capture; close other programs",
                       ptpmon_monitor_name(recording));
}

/* The elements with room for one more; NULL: out of memory, nothing has changed. */
static void *grown(void *elements, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return elements;
    size_t more = *capacity > 0 ? 2 * *capacity : 256;
    void *moved = realloc(elements, more * size);
    if (moved != NULL)
        *capacity = more;
    return moved;
}

static void span_add(struct ptpmon_probe_span *span, int64_t time)
{
    if (!span->any || time < span->from)
        span->from = time;
    if (!span->any || time > span->to)
        span->to = time;
    span->any = true;
}

/* ---- Records ------------------------------------------------------------------------------- */

/* False: no more records are wanted. */
typedef bool (*record_visitor)(void *context, const PTP_TIMESTAMP_EVENT *record);

static ptpmon_status visit_records(ptpmon_monitor *recording, record_visitor visit, void *context)
{
    const struct ptpmon_timebase *timebase = ptpmon_monitor_timebase(recording);
    ptpmon_batch batch;
    bool wanted = true;
    ptpmon_status status = ptpmon_monitor_disable(recording);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(recording);
    while (status == PTPMON_OK && wanted) {
        status = ptpmon_records_peek(recording, &batch);
        if (status != PTPMON_OK || batch.count == 0)
            break;
        for (size_t i = 0; i < batch.count && wanted; i++) {
            PTP_TIMESTAMP_EVENT event = *ptpmon_batch_at(&batch, i);
            ptpmon_timebase_to_event(timebase, &event);
            wanted = visit(context, &event);
        }
        status = ptpmon_records_release(recording, batch.count);
    }
    return status;
}

/* A reading of the clocks: one instant on three of them. */
struct reading {
    int64_t system, axis, realtime;
};

/* False: the record is none, or lacks one of the clocks. */
static bool get_reading(const PTP_TIMESTAMP_EVENT *record, enum ptpmon_probe_axis axis, struct reading *reading)
{
    PTP_CLOCKS_RECORD clocks;
    if (record->direction != AVB_DIRECTION_CLOCKS)
        return false;
    memcpy(&clocks, record, sizeof clocks);
    reading->system = ptpmon_instant_from_unsigned(clocks.system_timestamp);
    reading->realtime = ptpmon_instant_from_unsigned(clocks.realtime_ns);
    reading->axis =
        axis == PTPMON_PROBE_REALTIME ? reading->realtime : ptpmon_instant_from_unsigned(clocks.hw_timestamp_ns);
    return reading->realtime != 0 && reading->axis != 0;
}

/* ---- Where the events lie ------------------------------------------------------------------ */

struct measuring {
    struct ptpmon_probe *probe;
    ptpmon_instant first, last; /* event time of the recording */
    bool to_the_end;
};

static bool measure_by(void *context, const PTP_TIMESTAMP_EVENT *record)
{
    const struct measuring *measuring = context;
    struct ptpmon_probe_span *span = &measuring->probe->events_span;
    struct reading reading;
    if (!get_reading(record, measuring->probe->axis, &reading))
        return true;
    span_add(span, reading.axis);
    if (measuring->to_the_end)
        return true;
    span_add(span, reading.axis - (reading.system - measuring->first));
    span_add(span, reading.axis + (measuring->last - reading.system));
    return false;
}

/* By the first reading of the clocks and the length of the recording; to_the_end: by all readings, as the clock may
 * have been set far in between. */
static ptpmon_status measure_events(struct ptpmon_probe *probe, ptpmon_monitor *recording, bool to_the_end)
{
    ptpmon_monitor_info info;
    ptpmon_status status = ptpmon_monitor_info_get(recording, &info);
    if (status != PTPMON_OK)
        return status;
    struct measuring measuring = {
        .probe = probe,
        .first = ptpmon_instant_from_unsigned(info.enabled_at),
        .last = ptpmon_instant_from_unsigned(info.disabled_at),
        .to_the_end = to_the_end,
    };
    return visit_records(recording, measure_by, &measuring);
}

/* ---- Frames -------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct ptpmon_frame_key *key)
{
    return ptpmon_frame_key_hash(key, 0);
}

/* Keeps half of the keys. */
static void thin_frames(struct ptpmon_probe *probe)
{
    size_t kept = 0;
    probe->mask = probe->mask * 2 + 1;
    for (size_t i = 0; i < probe->frame_count; i++) {
        if ((hash_of(&probe->frames[i].key) & probe->mask) == 0)
            probe->frames[kept++] = probe->frames[i];
    }
    probe->frame_count = kept;
}

static bool keep_frame(struct ptpmon_probe *probe, const struct ptpmon_probe_frame *frame)
{
    if ((hash_of(&frame->key) & probe->mask) != 0)
        return true;
    if (probe->frame_count >= PTPMON_PROBE_FRAMES)
        thin_frames(probe);
    if ((hash_of(&frame->key) & probe->mask) != 0)
        return true;
    if (probe->frame_count >= PTPMON_PROBE_FRAMES) /* one key has them all; it names no message */
        return true;
    void *frames = grown(probe->frames, probe->frame_count, &probe->frame_capacity, sizeof *probe->frames);
    if (frames == NULL)
        return false;
    probe->frames = frames;
    probe->frames[probe->frame_count++] = *frame;
    return true;
}

/* The stream's index; the number of streams: it is none of them. */
static size_t find_stream(const struct ptpmon_probe *probe, const PTP_TIMESTAMP_EVENT *message)
{
    PTP_TIMESTAMP_EVENT any = *message;
    any.sequenceId = 0;
    struct ptpmon_frame_key key = ptpmon_frame_key_of(&any);
    size_t i = 0;
    while (i < probe->stream_count && !ptpmon_frame_key_equal(&probe->streams[i].key, &key))
        i++;
    return i;
}

static uint8_t stream_of_frame(struct ptpmon_probe *probe, const PTP_TIMESTAMP_EVENT *message)
{
    size_t stream = find_stream(probe, message);
    if (stream == probe->stream_count && stream < PTPMON_PROBE_STREAMS) {
        PTP_TIMESTAMP_EVENT any = *message;
        any.sequenceId = 0;
        probe->streams[probe->stream_count++] = (struct ptpmon_probe_stream){.key = ptpmon_frame_key_of(&any)};
    }
    return (uint8_t)stream;
}

static bool parse_frame(struct ptpmon_probe *probe, const ptpmon_frame *frame, struct ptpmon_probe_frame *parsed)
{
    PTP_TIMESTAMP_EVENT event = {0};
    struct avb_fragment whole = {frame->bytes, frame->captured_length};
    if (frame->captured_length >= AVB_FIRST_LOOK && avb_is_surely_foreign(frame->bytes))
        return false;
    if (avb_frame_parse(&whole, 1, frame->length, 0, &event) != AVB_FRAME_PTP)
        return false;
    *parsed = (struct ptpmon_probe_frame){
        .key = ptpmon_frame_key_of(&event),
        .time = ptpmon_instant_clamp(frame->time_ns),
        .resolution_ns = frame->resolution_ns > 0 ? frame->resolution_ns : 1,
        .direction = frame->direction,
        .stream = stream_of_frame(probe, &event),
    };
    return true;
}

/* Capture time until which frames are taken, once one was. */
static int64_t stretch_end(const struct ptpmon_probe *probe, int64_t first_taken)
{
    int64_t begin = first_taken > probe->events_span.from ? first_taken : probe->events_span.from;
    return ptpmon_instant_add(ptpmon_instant_add(begin, probe->max_offset), probe->length);
}

struct frame_reading {
    struct ptpmon_probe *probe;
    int64_t first_taken;
    unsigned beyond; /* messages in a row from after the stretch */
};

/* *wanted = false: no more frames are. False: out of memory. */
static bool take_frame(struct frame_reading *reading, const struct ptpmon_probe_frame *frame, bool *wanted)
{
    struct ptpmon_probe *probe = reading->probe;
    span_add(&probe->capture_span, frame->time);
    probe->capture_messages++;
    if (frame->time < ptpmon_instant_add(probe->events_span.from, -probe->max_offset))
        return true;
    bool beyond = frame->time > ptpmon_instant_add(probe->events_span.to, probe->max_offset);
    if (probe->stretch_messages >= PTPMON_PROBE_ENOUGH)
        beyond |= frame->time > stretch_end(probe, reading->first_taken);
    if (beyond) {
        *wanted = probe->stretch_messages == 0 || ++reading->beyond < BEYOND;
        return true;
    }
    reading->beyond = 0;
    if (probe->stretch_messages++ == 0)
        reading->first_taken = frame->time;
    span_add(&probe->stretch, frame->time);
    return keep_frame(probe, frame);
}

/* A file that cannot be read on is compared up to there; whoever reads it next will be told. */
static ptpmon_status read_frames(struct ptpmon_probe *probe, ptpmon_monitor *recording, ptpmon_capture *file)
{
    struct frame_reading reading = {.probe = probe};
    ptpmon_frame frame;
    ptpmon_status status = PTPMON_OK;
    bool wanted = true;
    probe->capture_messages = 0;
    probe->capture_span.any = false;
    while (wanted && (status = ptpmon_capture_next(file, &frame)) == PTPMON_OK) {
        struct ptpmon_probe_frame parsed;
        if (parse_frame(probe, &frame, &parsed) && !take_frame(&reading, &parsed, &wanted))
            return no_memory(recording);
    }
    bool usable = status == PTPMON_OK || status == PTPMON_END || probe->capture_messages > 0;
    return usable ? PTPMON_OK : status;
}

/* ---- Events -------------------------------------------------------------------------------- */

/* The frames' keys, to pass over events that have none of them. */
struct key_table {
    const struct ptpmon_frame_key **slots;
    size_t size; /* a power of two, at most half of it used */
};

static const struct ptpmon_frame_key **find_slot(const struct key_table *table, const struct ptpmon_frame_key *key)
{
    /* The low bits are alike where frames were left out by them. */
    size_t at = (size_t)(hash_of(key) >> 32) & (table->size - 1);
    while (table->slots[at] != NULL && !ptpmon_frame_key_equal(table->slots[at], key))
        at = (at + 1) & (table->size - 1);
    return &table->slots[at];
}

static bool fill_table(struct key_table *table, const struct ptpmon_probe *probe)
{
    table->size = 256;
    while (table->size < 2 * probe->frame_count)
        table->size *= 2;
    table->slots = calloc(table->size, sizeof(struct ptpmon_frame_key *));
    if (table->slots == NULL)
        return false;
    for (size_t i = 0; i < probe->frame_count; i++)
        *find_slot(table, &probe->frames[i].key) = &probe->frames[i].key;
    return true;
}

struct event_reading {
    struct ptpmon_probe *probe;
    struct key_table keys;
    bool has_software_stamps;
    int64_t from, to; /* of the events that are wanted, on the axis */
    struct reading *readings;
    size_t reading_count, reading_capacity;
    bool failed; /* out of memory */
};

/* The event's time and realtime stay to be filled in, once the readings after it are known. */
static void take_event(struct event_reading *reading, const PTP_TIMESTAMP_EVENT *record)
{
    struct ptpmon_probe *probe = reading->probe;
    struct ptpmon_frame_key key = ptpmon_frame_key_of(record);
    size_t stream = find_stream(probe, record);
    if (stream < probe->stream_count)
        probe->streams[stream].events++;
    if (*find_slot(&reading->keys, &key) == NULL || probe->event_count >= PTPMON_PROBE_EVENTS)
        return;
    void *events = grown(probe->events, probe->event_count, &probe->event_capacity, sizeof *probe->events);
    if (events == NULL) {
        reading->failed = true;
        return;
    }
    probe->events = events;
    bool received = record->direction == AVB_DIRECTION_RX;
    probe->events[probe->event_count++] = (struct ptpmon_probe_event){
        .key = key,
        .system = ptpmon_instant_from_unsigned(record->system_timestamp),
        .software_stamp = received && reading->has_software_stamps ? record->software_timestamp : 0,
        .hardware_stamp = received ? record->hw_timestamp_ns : 0,
        .direction = record->direction,
    };
}

static bool take_reading(struct event_reading *reading, const struct reading *clocks)
{
    /* Of those before the first event, the last is enough. */
    if (reading->probe->event_count == 0 && clocks->axis < reading->from)
        reading->reading_count = 0;
    if (reading->reading_count >= PTPMON_PROBE_READINGS)
        return true;
    void *readings =
        grown(reading->readings, reading->reading_count, &reading->reading_capacity, sizeof *reading->readings);
    if (readings == NULL) {
        reading->failed = true;
        return false;
    }
    reading->readings = readings;
    reading->readings[reading->reading_count++] = *clocks;
    return clocks->axis <= reading->to;
}

static bool take_record(void *context, const PTP_TIMESTAMP_EVENT *record)
{
    struct event_reading *reading = context;
    struct reading clocks;
    if (get_reading(record, reading->probe->axis, &clocks))
        return take_reading(reading, &clocks);
    if (record->direction > AVB_DIRECTION_TX || (record->stamp & AVB_STAMP_LATE))
        return true;
    if (reading->reading_count > 0) {
        const struct reading *newest = &reading->readings[reading->reading_count - 1];
        int64_t since = ptpmon_instant_from_unsigned(record->system_timestamp) - newest->system;
        if (ptpmon_instant_add(newest->axis, since) < reading->from)
            return true;
    }
    take_event(reading, record);
    return !reading->failed;
}

/* The reading that is nearest in event time. count > 0 */
static const struct reading *nearest_reading(const struct event_reading *reading, int64_t system)
{
    size_t low = 0, high = reading->reading_count; /* the first from `system` on is in low..high */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reading->readings[middle].system < system)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == reading->reading_count)
        return &reading->readings[low - 1];
    if (low > 0 && system - reading->readings[low - 1].system < reading->readings[low].system - system)
        low--;
    return &reading->readings[low];
}

static void place_events(const struct event_reading *reading)
{
    for (size_t i = 0; i < reading->probe->event_count; i++) {
        struct ptpmon_probe_event *event = &reading->probe->events[i];
        const struct reading *near = nearest_reading(reading, event->system);
        event->time = ptpmon_instant_add(near->axis, event->system - near->system);
        event->realtime = ptpmon_instant_add(near->realtime, event->system - near->system);
    }
}

static ptpmon_status read_events(struct ptpmon_probe *probe, ptpmon_monitor *recording)
{
    const PTP_RECORDING_HEADER *header = ptpmon_monitor_recording_header(recording);
    struct event_reading reading = {
        .probe = probe,
        .has_software_stamps = header->software_clock == AVB_CLOCK_REALTIME,
        .from = ptpmon_instant_add(probe->stretch.from, -probe->max_offset - MARGIN_NS),
        .to = ptpmon_instant_add(probe->stretch.to, probe->max_offset + MARGIN_NS),
    };
    ptpmon_status status = PTPMON_OK;
    if (!fill_table(&reading.keys, probe))
        reading.failed = true;
    else
        status = visit_records(recording, take_record, &reading);
    if (reading.failed)
        status = no_memory(recording);
    if (status == PTPMON_OK && reading.reading_count > 0)
        place_events(&reading);
    free(reading.keys.slots);
    free(reading.readings);
    return status;
}

/* ---- Candidates ---------------------------------------------------------------------------- */

static int compare_times(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_frames(const void *a, const void *b)
{
    const struct ptpmon_probe_frame *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof x->key);
    return order != 0 ? order : compare_times(x->time, y->time);
}

static int compare_events(const void *a, const void *b)
{
    const struct ptpmon_probe_event *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof x->key);
    return order != 0 ? order : compare_times(x->time, y->time);
}

/* The frames and events of one key. */
struct same_key {
    size_t first_frame, frames, first_event, events;
};

static bool add_candidate(struct ptpmon_probe *probe, size_t frame, size_t event)
{
    void *candidates =
        grown(probe->candidates, probe->candidate_count, &probe->candidate_capacity, sizeof *probe->candidates);
    if (candidates == NULL)
        return false;
    probe->candidates = candidates;
    probe->candidates[probe->candidate_count++] = (struct ptpmon_candidate){(uint32_t)frame, (uint32_t)event};
    return true;
}

static bool add_candidates_of(struct ptpmon_probe *probe, size_t frame, const struct same_key *same)
{
    uint8_t direction = probe->frames[frame].direction;
    bool straight = false, reversed = false;
    for (size_t i = same->first_event; i < same->first_event + same->events; i++) {
        const struct ptpmon_probe_event *event = &probe->events[i];
        if (llabs(probe->frames[frame].time - event->time) > probe->max_offset)
            continue;
        if (direction != AVB_DIRECTION_UNKNOWN && direction != event->direction) {
            reversed = true;
            continue;
        }
        straight = true;
        if (!add_candidate(probe, frame, i))
            return false;
    }
    probe->reversed += reversed && !straight;
    return true;
}

static bool find_candidates(struct ptpmon_probe *probe)
{
    struct same_key same = {0};
    if (probe->event_count == 0)
        return true;
    qsort(probe->frames, probe->frame_count, sizeof *probe->frames, compare_frames);
    qsort(probe->events, probe->event_count, sizeof *probe->events, compare_events);
    for (; same.first_frame < probe->frame_count; same.first_frame += same.frames, same.first_event += same.events) {
        const struct ptpmon_frame_key *key = &probe->frames[same.first_frame].key;
        same.frames = same.events = 0;
        while (same.first_frame + same.frames < probe->frame_count &&
               ptpmon_frame_key_equal(&probe->frames[same.first_frame + same.frames].key, key))
            same.frames++;
        /* Every event's key is a frame's. */
        while (same.first_event + same.events < probe->event_count &&
               ptpmon_frame_key_equal(&probe->events[same.first_event + same.events].key, key))
            same.events++;
        bool common = same.frames > PTPMON_PROBE_SAME_KEY || same.events > PTPMON_PROBE_SAME_KEY;
        for (size_t i = 0; i < same.frames; i++) {
            probe->frames[same.first_frame + i].names_nothing = common;
            if (!common && !add_candidates_of(probe, same.first_frame + i, &same))
                return false;
        }
    }
    return true;
}

/* ---- All of it ----------------------------------------------------------------------------- */

/* Where nothing of the capture lies, the clock may have been set in the middle of the recording. */
static ptpmon_status look_again(struct ptpmon_probe *probe, ptpmon_monitor *recording, ptpmon_capture *file)
{
    struct ptpmon_probe_span before = probe->events_span;
    ptpmon_status status = measure_events(probe, recording, true);
    bool wider = before.from - probe->events_span.from > MARGIN_NS || probe->events_span.to - before.to > MARGIN_NS;
    if (status != PTPMON_OK || !wider)
        return status;
    status = ptpmon_capture_rewind(file);
    return status == PTPMON_OK ? read_frames(probe, recording, file) : status;
}

ptpmon_status ptpmon_probe_read(struct ptpmon_probe *probe, ptpmon_monitor *recording, ptpmon_capture *file,
                                enum ptpmon_probe_axis axis, int64_t max_offset, int64_t length)
{
    *probe = (struct ptpmon_probe){.max_offset = ptpmon_instant_clamp(max_offset), .length = length, .axis = axis};
    ptpmon_status status = measure_events(probe, recording, false);
    if (status != PTPMON_OK || !probe->events_span.any)
        return status;
    status = read_frames(probe, recording, file);
    if (status == PTPMON_OK && probe->frame_count == 0)
        status = look_again(probe, recording, file);
    if (status != PTPMON_OK || probe->frame_count == 0)
        return status;
    status = read_events(probe, recording);
    if (status != PTPMON_OK)
        return status;
    return find_candidates(probe) ? PTPMON_OK : no_memory(recording);
}

void ptpmon_probe_free(struct ptpmon_probe *probe)
{
    free(probe->frames);
    free(probe->events);
    free(probe->candidates);
}
