/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the Windows driver's datapath, natively against the NDIS double: any frame, in any MDLs, with any data
 * beside it and any timestamp under any configuration, up or down. What must hold: the double sees no breach,
 * and records and counts are those that the oracles make of the flattened frame.
 */
#include "windows/native/monitor_kit.h"

#include "fuzz.h"
#include "nbl_input.h"
#include "windows/native/stamp_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW     123456789012345u /* ticks of the performance counter */
#define MOST    4                /* repetitions of a frame */
#define LONGEST 4096             /* bytes of a frame */

static struct monitor monitor;
static struct stamp_configuration config;
static struct call call;
static struct truth truth;
static UINT32 uncertain; /* frames that are foreign or unreadable */

static void fail_with(const char *what)
{
    fprintf(stderr, "fuzz_nbl: %s\n", what);
    abort();
}

static void check_breaches(void)
{
    char first[256];
    if (nt_lab_breaches(first, sizeof first) != 0)
        fail_with(first);
}

static void close_all(void)
{
    struct nt_lab_held held;
    const struct nt_lab_held nothing = {0};
    lab_close(monitor.file, monitor.process);
    lab_process_kill(monitor.process);
    lab_detach(monitor.adapter);
    lab_unload();
    check_breaches();
    nt_lab_held(&held);
    if (memcmp(&held, &nothing, sizeof held) != 0)
        fail_with("something is still held");
}

static void open_once(void)
{
    if (monitor.adapter)
        return;
    lab_set_counter(NOW);
    monitor_open(&monitor, &kit_adapter);
    monitor_enable(&monitor);
    atexit(close_all);
}

/* ---- The input ---- */

static UINT64 number(const uint8_t *bytes, int count)
{
    UINT64 value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void configure(const uint8_t *input)
{
    static const UINT64 frequencies[] = NBL_FREQUENCIES;
    struct stamp_configuration wanted = {frequencies[input[1] >> 2 & 7],
                                         (UINT32)number(input + 2, 2) & ALL_STAMP_FLAGS};
    if (wanted.hz == config.hz && wanted.set == config.set)
        return;
    config = wanted;
    lab_set_timestamp_config(monitor.adapter, config.hz, config.set);
}

static void fill_list(struct lab_list *list, const uint8_t *input)
{
    UINT64 value = number(input + 28, 8);
    list->tag = (UINT32)number(input + 4, 4);
    list->queue = (UINT32)number(input + 8, 2);
    list->nbl_flags = (input[0] & NBL_LOOPBACK ? NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET : 0) |
                      (input[0] & NBL_TAGGED ? NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT : 0);
    list->timestamp = input[0] & NBL_NEAR_NOW ? NOW - value : value;
    list->stale = number(input + 36, 8);
    list->status = input[44] ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS;
}

static void fill_frame(struct lab_frame *frame, const uint8_t *input)
{
    frame->nb_fault = input[10] & (LAB_FAULT_NO_MDL | LAB_FAULT_UNMAPPABLE | LAB_FAULT_LENGTH);
    frame->offset = input[11];
    frame->pieces = input[12] % LAB_MAX_PIECES + 1u;
    for (UINT32 i = 0; i + 1 < LAB_MAX_PIECES; i++)
        frame->piece_length[i] = input[13 + i];
}

static void make_call(const uint8_t *input, UINT32 length)
{
    UINT32 repeated = input[1] % MOST + 1u;
    int one_list = (input[0] & NBL_SENT) && (input[0] & NBL_ONE_LIST);
    call_begin(&call);
    for (UINT32 i = 0; i < repeated; i++) {
        if (i > 0 && one_list)
            call_frame(&call, input + NBL_INPUT_HEADER, length);
        else
            fill_list(call_list(&call, input + NBL_INPUT_HEADER, length), input);
        fill_frame(&call.frames[i], input);
    }
    call.chain.dispatch = (input[0] & NBL_DISPATCH) != 0;
    call.chain.resources = !(input[0] & NBL_SENT) && (input[0] & NBL_RESOURCES);
    call.chain.split = !call.chain.resources && (input[0] & NBL_SPLIT) ? 1 : 0;
}

/* ---- The truth ---- */

static void count(UINT32 reason)
{
    if (reason < AVB_PTP_REASONS)
        truth.reasons[reason]++;
}

static UINT32 reason_of(UINT32 kind)
{
    switch (kind) {
    case AVB_FRAME_PTP_V1:
        return AVB_REASON_PTP_V1;
    case AVB_FRAME_OTHER_VERSION:
        return AVB_REASON_OTHER_VERSION;
    case AVB_FRAME_TRUNCATED:
        return AVB_REASON_TRUNCATED;
    case AVB_FRAME_BAD_LENGTH:
        return AVB_REASON_BAD_LENGTH;
    case AVB_FRAME_KINDS:
        return AVB_REASON_UNREADABLE;
    default:
        return AVB_PTP_REASONS;
    }
}

static int is_tagged(const struct lab_list *list)
{
    return (list->nbl_flags & NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT) != 0;
}

static UINT8 queue_of(const struct lab_list *list, UINT8 direction)
{
    UINT32 queue = list->queue;
    return direction == AVB_DIRECTION_RX && queue >= 1 && queue <= 254 ? (UINT8)queue : AVB_QUEUE_UNKNOWN;
}

static UINT32 read_frame(const struct lab_frame *frame, const struct lab_list *list, UINT8 direction,
                         PTP_TIMESTAMP_EVENT *event)
{
    int either;
    UINT32 kind = frame_truth(frame, list->tag, event, &either);
    event->direction = direction;
    event->system_timestamp = NOW;
    event->queueId = queue_of(list, direction);
    if (!either)
        return kind;
    uncertain++;
    return AVB_FRAME_FOREIGN;
}

static void expect_frame(const struct lab_frame *frame, const struct lab_list *list, UINT8 direction, int is_first)
{
    PTP_TIMESTAMP_EVENT event;
    UINT32 kind = read_frame(frame, list, direction, &event), reason;
    if (kind != AVB_FRAME_PTP) {
        count(reason_of(kind));
        return;
    }
    if (direction == AVB_DIRECTION_RX && (list->nbl_flags & NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET)) {
        count(AVB_REASON_LOOPBACK);
        return;
    }
    if (is_first && direction == AVB_DIRECTION_RX) {
        stamp_truth(&config, &event, is_tagged(list), list->timestamp, NOW, KIT_COUNTER_HZ, &reason);
        count(reason);
    } else if (is_first && stamp_is_expected(&config, &event, is_tagged(list))) {
        event.stamp |= AVB_STAMP_EXPECTED;
    }
    truth_add_record(&truth, &event);
}

#define TX_FLAGS 0x36CCu /* of NDIS_TIMESTAMP_CAPABILITY_FLAGS */

static void expect_late_stamp(const struct lab_frame *frame, const struct lab_list *list)
{
    PTP_TIMESTAMP_EVENT event;
    UINT32 before = uncertain, reason;
    UINT32 kind = read_frame(frame, list, AVB_DIRECTION_TX, &event);
    uncertain = before;
    if (kind != AVB_FRAME_PTP || list->timestamp == 0 || !(config.set & TX_FLAGS))
        return;
    if (list->status != NDIS_STATUS_SUCCESS) {
        count(AVB_REASON_NOT_SENT);
        return;
    }
    int stamped = stamp_truth(&config, &event, is_tagged(list), list->timestamp, NOW, KIT_COUNTER_HZ, &reason);
    count(reason);
    if (stamped) {
        event.stamp |= AVB_STAMP_LATE;
        truth_add_record(&truth, &event);
    }
}

static void expect_call(UINT8 direction)
{
    const struct lab_frame *frame = call.frames;
    truth_begin(&truth, monitor.tickets);
    uncertain = 0;
    for (UINT32 i = 0; i < call.chain.list_count; i++) {
        for (UINT32 j = 0; j < call.lists[i].count; j++)
            expect_frame(frame++, &call.lists[i], direction, j == 0);
    }
    if (direction == AVB_DIRECTION_RX)
        return;
    frame = call.frames;
    for (UINT32 i = 0; i < call.chain.list_count; i++) {
        expect_late_stamp(frame, &call.lists[i]);
        frame += call.lists[i].count;
    }
}

/* ---- One input ---- */

static void run(UINT8 direction)
{
    static PTP_TIMESTAMP_EVENT records[4 * MOST];
    static AVB_PTP_MONITOR_STATS before, after; /* of inputs one after another */
    expect_call(direction);
    INT32 reached = direction == AVB_DIRECTION_TX ? lab_send(monitor.adapter, &call.chain)
                                                  : lab_receive(monitor.adapter, &call.chain);
    check_breaches();
    if (reached != (INT32)call.chain.list_count)
        fail_with("not all lists reached the other end");
    const char *problem =
        truth_check_records(&truth, records, monitor_drain(&monitor, records, sizeof records / sizeof *records));
    monitor_stats(&monitor, &after);
    UINT64 unreadable = after.reasons[AVB_REASON_UNREADABLE] - before.reasons[AVB_REASON_UNREADABLE];
    if (uncertain > 0 && unreadable == uncertain)
        truth.reasons[AVB_REASON_UNREADABLE] = unreadable;
    if (!problem)
        problem = truth_check_stats(&truth, &before, &after);
    if (problem)
        fail_with(problem);
    before = after;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < NBL_INPUT_HEADER || size > NBL_INPUT_HEADER + LONGEST)
        return 0;
    open_once();
    configure(input);
    make_call(input, (UINT32)(size - NBL_INPUT_HEADER));
    run(input[0] & NBL_SENT ? AVB_DIRECTION_TX : AVB_DIRECTION_RX);
    return 0;
}
