/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <stdio.h>
#include <string.h>

static HANDLE lab = INVALID_HANDLE_VALUE;

int lab_is_there(void)
{
    if (lab == INVALID_HANDLE_VALUE)
        lab = CreateFileA("\\\\.\\" LAB_DEVICE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    return lab != INVALID_HANDLE_VALUE;
}

static struct lab_out call(enum lab_request request, const void *in, DWORD bytes)
{
    struct lab_out out = {0};
    DWORD returned;
    if (!lab_is_there())
        fail("the NDIS double is not there: error %lu", GetLastError());
    if (!DeviceIoControl(lab, LAB_IOCTL(request), (void *)(UINT_PTR)in, bytes, &out, sizeof out, &returned, NULL))
        fail("request %d of the NDIS double failed: error %lu", (int)request, GetLastError());
    return out;
}

struct lab_out lab_call(enum lab_request request, const struct lab_in *in)
{
    return call(request, in, sizeof *in);
}

struct lab_out lab_value(enum lab_request request, UINT32 adapter, UINT32 value)
{
    struct lab_in in = {.adapter = adapter, .value = value};
    return lab_call(request, &in);
}

void lab_name(const char *text)
{
    struct lab_in in = {0};
    snprintf(in.text, sizeof in.text, "%s", text);
    lab_call(LAB_CALL_NAME, &in);
}

/* ---- Adapters ---- */

struct lab_adapter_config plain_adapter(const char *guid)
{
    struct lab_adapter_config config = {.if_index = (UINT32)guid[1]};
    config.net_luid = (UINT64)6 << 48 | (UINT64)guid[1] << 24; /* Ethernet */
    snprintf(config.guid, sizeof config.guid, "%s", guid);
    return config;
}

INT32 adapter_attach(const struct lab_adapter_config *config, UINT32 *adapter)
{
    struct lab_in in = {.config = *config};
    struct lab_out out = lab_call(LAB_CALL_ATTACH, &in);
    *adapter = out.adapter;
    return out.status;
}

UINT32 adapter_start(const struct lab_adapter_config *config)
{
    UINT32 adapter;
    CHECK_SAME(adapter_attach(config, &adapter), 0);
    CHECK_SAME(lab_value(LAB_CALL_RESTART, adapter, 0).status, 0);
    return adapter;
}

/* ---- What is held ---- */

struct nt_lab_held held(void)
{
    return lab_value(LAB_CALL_HELD, 0, 0).held;
}

void check_held(const struct nt_lab_held *before)
{
    struct nt_lab_held now = held();
    CHECK_SAME(now.pool, before->pool);
    CHECK_SAME(now.pool_bytes, before->pool_bytes);
    CHECK_SAME(now.mdls, before->mdls);
    CHECK_SAME(now.locked_mdls, before->locked_mdls);
    CHECK_SAME(now.mapped_mdls, before->mapped_mdls);
    CHECK_SAME(now.views, before->views);
    CHECK_SAME(now.handles, before->handles);
    CHECK_SAME(now.references, before->references);
    CHECK_SAME(now.timers, before->timers);
    CHECK_SAME(now.rundowns, before->rundowns);
    CHECK_SAME(now.io_spaces, before->io_spaces);
    CHECK_SAME(now.etw_providers, before->etw_providers);
}

INT64 given_handles(void)
{
    return lab_value(LAB_CALL_HANDLES, 0, 0).count;
}

void check_breaches(void)
{
    struct lab_out out = lab_value(LAB_CALL_BREACHES, 0, 0);
    if (out.count)
        fail("%lld breaches, the first: %s", (long long)out.count, out.text);
}

/* ---- Traffic ---- */

/* The request as it goes over: the parts without their unused ends. */
static DWORD pack(const struct traffic *traffic, UINT8 *request)
{
    UINT8 *at = request;
    const struct {
        const void *from;
        size_t bytes;
    } parts[] = {{&traffic->head, sizeof traffic->head},
                 {traffic->lists, traffic->head.list_count * sizeof traffic->lists[0]},
                 {traffic->frames, traffic->head.frame_count * sizeof traffic->frames[0]},
                 {traffic->payload, traffic->head.payload}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memcpy(at, parts[i].from, parts[i].bytes);
        at += parts[i].bytes;
    }
    return (DWORD)(at - request);
}

static struct lab_out send_traffic(enum lab_request request, struct traffic *traffic)
{
    static UINT8 packed[sizeof(struct traffic)];
    DWORD bytes = pack(traffic, packed);
    return call(request, packed, bytes);
}

void traffic_begin(struct traffic *traffic, UINT32 adapter, UINT32 directions)
{
    memset(&traffic->head, 0, sizeof traffic->head);
    traffic->head.adapter = adapter;
    traffic->head.directions = directions;
}

struct lab_list *traffic_list(struct traffic *traffic)
{
    struct lab_list *list = &traffic->lists[traffic->head.list_count++];
    memset(list, 0, sizeof *list);
    return list;
}

struct lab_frame *traffic_frame(struct traffic *traffic, const struct frame *frame)
{
    struct lab_frame *added = &traffic->frames[traffic->head.frame_count++];
    memset(added, 0, sizeof *added);
    added->bytes = (const UINT8 *)(UINT_PTR)traffic->head.payload; /* an offset */
    added->length = frame->length;
    memcpy(traffic->payload + traffic->head.payload, frame->bytes, frame->length);
    traffic->head.payload += frame->length;
    traffic->lists[traffic->head.list_count - 1].count++;
    return added;
}

INT64 traffic_run(struct traffic *traffic)
{
    return send_traffic(LAB_CALL_TRAFFIC, traffic).count;
}

void traffic_start(struct traffic *traffic)
{
    send_traffic(LAB_CALL_TRAFFIC_START, traffic);
}

struct lab_out traffic_end(int stop)
{
    return lab_value(LAB_CALL_TRAFFIC_END, 0, (UINT32)stop);
}

INT64 pass_frame(UINT32 adapter, UINT32 direction, const struct frame *frame)
{
    static struct traffic traffic;
    traffic_begin(&traffic, adapter, direction);
    traffic_list(&traffic);
    traffic_frame(&traffic, frame);
    return traffic_run(&traffic);
}
