/* SPDX-License-Identifier: MIT */
/* A capture whose frames the caller gives: a queue of copies. */
#include "capture.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

struct given_frame {
    struct given_frame *next;
    ptpmon_frame frame;
    uint8_t bytes[];
};

struct given_capture {
    ptpmon_capture base;
    struct given_frame *first, **last; /* the queue; `last` is where the next is hung */
    struct given_frame *delivered;     /* the caller still looks at it */
    uint64_t given;
    bool stopped;
    struct ptpmon_capture_span span;
};

static struct given_capture *given_capture(const ptpmon_capture *base)
{
    return (struct given_capture *)base;
}

static ptpmon_status next_given(ptpmon_capture *base, ptpmon_frame *frame)
{
    struct given_capture *capture = given_capture(base);
    struct given_frame *first = capture->first;
    if (first == NULL)
        return capture->stopped ? PTPMON_END : PTPMON_NOTHING;
    capture->first = first->next;
    if (capture->first == NULL)
        capture->last = &capture->first;
    free(capture->delivered);
    capture->delivered = first;
    ptpmon_capture_span_add(&capture->span, first->frame.time_ns);
    *frame = first->frame;
    return PTPMON_OK;
}

static ptpmon_status statistics_given(ptpmon_capture *base, ptpmon_capture_statistics *statistics)
{
    const struct given_capture *capture = given_capture(base);
    statistics->started_at = capture->span.first;
    if (base->ended == PTPMON_END)
        statistics->stopped_at = capture->span.last;
    return PTPMON_OK;
}

static void stop_given(ptpmon_capture *base)
{
    given_capture(base)->stopped = true;
}

static void close_given(ptpmon_capture *base)
{
    struct given_capture *capture = given_capture(base);
    free(capture->delivered);
    while (capture->first != NULL) {
        struct given_frame *first = capture->first;
        capture->first = first->next;
        free(first);
    }
}

static const struct ptpmon_capture_operations given_operations = {
    .kind = PTPMON_CAPTURE_GIVEN,
    .next = next_given,
    .statistics = statistics_given,
    .close = close_given,
    .stop = stop_given,
};

ptpmon_status ptpmon_capture_open_given(const char *name, ptpmon_capture **capture)
{
    struct given_capture *opened = ptpmon_capture_new(&given_operations, sizeof *opened, name);
    if (opened == NULL)
        return PTPMON_NO_MEMORY;
    opened->last = &opened->first;
    *capture = &opened->base;
    return PTPMON_OK;
}

static ptpmon_status check_given(const ptpmon_capture *base, const ptpmon_frame *frame)
{
    if (base->operations != &given_operations)
        return ptpmon_fail(PTPMON_INVALID,
                           "%s: this capture gets its frames itself; ptpmon_capture_open_given() opens "
                           "one that takes them",
                           base->name);
    if (given_capture(base)->stopped)
        return ptpmon_fail(PTPMON_INVALID, "%s: the capture is stopped; open another", base->name);
    if (frame->captured_length > frame->length)
        return ptpmon_fail(PTPMON_INVALID, "%s: a frame of %u bytes cannot hold %u", base->name, frame->length,
                           frame->captured_length);
    return PTPMON_OK;
}

ptpmon_status ptpmon_capture_give(ptpmon_capture *base, const ptpmon_frame *frame)
{
    ptpmon_status status = check_given(base, frame);
    if (status != PTPMON_OK)
        return status;
    struct given_capture *capture = given_capture(base);
    struct given_frame *copy = malloc(sizeof *copy + frame->captured_length);
    if (copy == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a frame; take those that were given", base->name);
    copy->next = NULL;
    copy->frame = *frame;
    copy->frame.bytes = copy->bytes;
    copy->frame.interface = 0;
    copy->frame.number = ++capture->given;
    if (frame->captured_length > 0)
        memcpy(copy->bytes, frame->bytes, frame->captured_length);
    if (copy->frame.resolution_ns == 0)
        copy->frame.resolution_ns = 1;
    *capture->last = copy;
    capture->last = &copy->next;
    return PTPMON_OK;
}
