/* SPDX-License-Identifier: MIT */
/* Frames that a client describes, sent through the filter: once, or again and again from threads of the kernel. */
#include "ndislab.h"

/* ---- The request ---- */

struct parts {
    struct lab_list *lists;
    struct lab_frame *frames;
    UINT8 *payload;
    struct lab_chain chain;
};

static int holds_frames(const struct lab_list *lists, UINT32 count, UINT32 frames)
{
    UINT32 sum = 0;
    for (UINT32 i = 0; i < count && sum <= frames; i++)
        sum += lists[i].count <= frames ? lists[i].count : frames + 1;
    return sum == frames;
}

/* Finds the parts in the request and turns the offsets into addresses. 0: malformed. */
static int take_apart(struct lab_traffic *traffic, UINT32 bytes, struct parts *parts)
{
    if (bytes < sizeof *traffic || traffic->list_count > LAB_MAX_FRAMES || traffic->frame_count > LAB_MAX_FRAMES ||
        traffic->payload > 1u << 20)
        return 0;
    UINT64 lists = traffic->list_count * sizeof *parts->lists, frames = traffic->frame_count * sizeof *parts->frames;
    if (bytes != sizeof *traffic + lists + frames + traffic->payload)
        return 0;
    parts->lists = (struct lab_list *)(void *)(traffic + 1);
    parts->frames = (struct lab_frame *)(void *)(parts->lists + traffic->list_count);
    parts->payload = (UINT8 *)(parts->frames + traffic->frame_count);
    if (!holds_frames(parts->lists, traffic->list_count, traffic->frame_count))
        return 0;
    for (UINT32 i = 0; i < traffic->frame_count; i++) {
        UINT64 offset = (UINT64)(UINT_PTR)parts->frames[i].bytes;
        if (offset > traffic->payload || parts->frames[i].length > traffic->payload - offset)
            return 0;
        parts->frames[i].bytes = parts->payload + offset;
    }
    parts->chain = (struct lab_chain){.lists = parts->lists,
                                      .list_count = traffic->list_count,
                                      .frames = parts->frames,
                                      .dispatch = traffic->dispatch,
                                      .resources = traffic->resources,
                                      .split = traffic->split};
    return 1;
}

static INT32 move(lab_adapter *adapter, UINT32 direction, UINT32 while_paused, const struct lab_chain *chain)
{
    if (direction == LAB_TRAFFIC_RECEIVE)
        return lab_receive(adapter, chain);
    return while_paused ? lab_send_while_paused(adapter, chain) : lab_send(adapter, chain);
}

NTSTATUS traffic_once(struct lab_traffic *traffic, UINT32 bytes, struct lab_out *out)
{
    struct parts parts;
    if (!take_apart(traffic, bytes, &parts) || !lab_adapter_number(traffic->adapter))
        return STATUS_INVALID_PARAMETER;
    out->count = move(lab_adapter_number(traffic->adapter), traffic->directions, traffic->while_paused, &parts.chain);
    return STATUS_SUCCESS;
}

/* ---- Threads ---- */

static struct runner {
    struct lab_thread thread;
    struct lab_traffic *traffic; /* its own copy; NULL: there is none */
    struct parts parts;
    lab_adapter *adapter;
    UINT32 number, direction;
    UINT64 calls, lists, frames; /* that passed: a filter that is being paused may refuse a chain that is sent */
} runners[LAB_THREADS];

static UINT64 stopping;

static void put16(UINT8 *bytes, UINT64 value)
{
    bytes[0] = (UINT8)(value >> 8);
    bytes[1] = (UINT8)value;
}

static void mark_frames(const struct runner *runner)
{
    const struct lab_traffic *traffic = runner->traffic;
    for (UINT32 i = 0; i < traffic->frame_count; i++) {
        const struct lab_frame *frame = &runner->parts.frames[i];
        UINT8 *bytes = runner->parts.payload + (frame->bytes - runner->parts.payload);
        if (traffic->port_offset && traffic->port_offset + 2 <= frame->length)
            put16(bytes + traffic->port_offset, runner->number + 1);
        if (traffic->sequence_offset && traffic->sequence_offset + 2 <= frame->length)
            put16(bytes + traffic->sequence_offset, runner->frames + i);
    }
}

static void run(void *context)
{
    struct runner *runner = context;
    const struct lab_traffic *traffic = runner->traffic;
    while (!lab_get(&stopping) && (traffic->calls == 0 || runner->calls < traffic->calls)) {
        mark_frames(runner);
        INT32 moved = move(runner->adapter, runner->direction, 0, &runner->parts.chain);
        if (moved > 0) {
            runner->calls++;
            runner->lists += (UINT64)moved;
            runner->frames += traffic->frame_count;
        }
        if (moved > 0 && (UINT32)moved != traffic->list_count)
            nt_lab_breach("the filter passed on a part of a chain");
        if (moved <= 0 || traffic->pause_us)
            lab_sleep(moved <= 0 ? 100 : traffic->pause_us);
    }
}

static UINT32 direction_of(const struct lab_traffic *traffic, UINT32 number)
{
    if (traffic->directions != (LAB_TRAFFIC_RECEIVE | LAB_TRAFFIC_SEND))
        return traffic->directions;
    return number % 2 ? LAB_TRAFFIC_SEND : LAB_TRAFFIC_RECEIVE;
}

static int start(struct runner *runner, UINT32 number, const struct lab_traffic *traffic, UINT32 bytes)
{
    *runner = (struct runner){.traffic = lab_take(bytes),
                              .adapter = lab_adapter_number(traffic->adapter),
                              .number = number,
                              .direction = direction_of(traffic, number)};
    RtlCopyMemory(runner->traffic, traffic, bytes);
    if (!take_apart(runner->traffic, bytes, &runner->parts)) {
        lab_give(runner->traffic);
        runner->traffic = NULL;
        return 0;
    }
    lab_thread_start(&runner->thread, run, runner);
    return 1;
}

NTSTATUS traffic_start(const struct lab_traffic *traffic, UINT32 bytes)
{
    if (bytes < sizeof *traffic || runners[0].traffic || traffic->threads < 1 || traffic->threads > LAB_THREADS ||
        !lab_adapter_number(traffic->adapter))
        return STATUS_INVALID_PARAMETER;
    lab_put(&stopping, 0);
    for (UINT32 i = 0; i < traffic->threads; i++)
        if (!start(&runners[i], i, traffic, bytes))
            return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

void traffic_end(int stop, struct lab_out *out)
{
    if (stop)
        lab_put(&stopping, 1);
    for (UINT32 i = 0; i < LAB_THREADS; i++) {
        struct runner *runner = &runners[i];
        if (!runner->traffic)
            continue;
        lab_thread_join(&runner->thread);
        out->count += (INT64)runner->calls;
        out->lists += runner->lists;
        out->frames += runner->frames;
        lab_give(runner->traffic);
        runner->traffic = NULL;
    }
}
