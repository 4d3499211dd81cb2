/* SPDX-License-Identifier: MIT */
#include "monitor_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vectors/frame_oracle.h"

#define EXCESS 64u /* bytes that LAB_FAULT_LENGTH promises beyond the frame */

const struct lab_adapter_config kit_adapter = {
    .net_luid = 0x0006008001000000,
    .if_index = 7,
    .guid = "{6F1C5E1A-93E4-4B53-8C3B-0A3C1F9D2E71}",
};

/* ---- One adapter, one process ---- */

void monitor_open(struct monitor *monitor, const struct lab_adapter_config *config)
{
    char suffix[48];
    memset(monitor, 0, sizeof *monitor);
    assert_int_equal(lab_load(), STATUS_SUCCESS);
    assert_int_equal(lab_attach(config, &monitor->adapter), NDIS_STATUS_SUCCESS);
    assert_int_equal(lab_restart(monitor->adapter), NDIS_STATUS_SUCCESS);
    monitor->process = lab_process_start();
    snprintf(suffix, sizeof suffix, "\\%s", config->guid);
    assert_int_equal(lab_open(monitor->process, suffix, &monitor->file), STATUS_SUCCESS);
}

void monitor_enable(struct monitor *monitor)
{
    UINT64 returned = 0;
    assert_int_equal(lab_ioctl(monitor->file, monitor->process, IOCTL_AVB_ENABLE_PTP_MONITORING, NULL, 0,
                               &monitor->monitoring, sizeof monitor->monitoring, &returned, 0),
                     STATUS_SUCCESS);
    assert_int_equal(returned, sizeof monitor->monitoring);
    monitor->section1 = lab_map(monitor->process, monitor->monitoring.SharedMemoryHandle, 0, &monitor->section1_bytes);
    monitor->section2 = lab_map(monitor->process, monitor->monitoring.consumer_handle, 1, &monitor->section2_bytes);
    assert_non_null(monitor->section1);
    assert_non_null(monitor->section2);
    assert_true(AvbRingReaderInit(&monitor->reader, monitor->section1, monitor->section1_bytes, monitor->section2));
    monitor->tickets = 0;
}

static void unmap(struct monitor *monitor)
{
    if (!monitor->section1)
        return;
    lab_unmap(monitor->process, (void *)monitor->section1);
    lab_unmap(monitor->process, monitor->section2);
    monitor->section1 = NULL;
    assert_true(lab_close_handle(monitor->process, monitor->monitoring.SharedMemoryHandle));
    assert_true(lab_close_handle(monitor->process, monitor->monitoring.consumer_handle));
    assert_true(lab_close_handle(monitor->process, monitor->monitoring.wake_event));
}

void monitor_disable(struct monitor *monitor)
{
    UINT64 returned = 0;
    assert_int_equal(
        lab_ioctl(monitor->file, monitor->process, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0, NULL, 0, &returned, 0),
        STATUS_SUCCESS);
    unmap(monitor);
}

static void assert_orderly(void)
{
    char first[256];
    struct nt_lab_held held;
    const struct nt_lab_held nothing = {0};
    UINT64 breaches = nt_lab_breaches(first, sizeof first);
    if (breaches != 0)
        fail_msg("%llu breaches, the first: %s", (unsigned long long)breaches, first);
    nt_lab_held(&held);
    assert_memory_equal(&held, &nothing, sizeof held);
}

void monitor_close(struct monitor *monitor)
{
    unmap(monitor);
    lab_close(monitor->file, monitor->process);
    lab_process_kill(monitor->process);
    lab_detach(monitor->adapter);
    lab_unload();
    lab_run_counter();
    assert_orderly();
}

void monitor_stats(struct monitor *monitor, AVB_PTP_MONITOR_STATS *stats)
{
    UINT64 returned = 0;
    assert_int_equal(lab_ioctl(monitor->file, monitor->process, IOCTL_AVB_GET_PTP_MONITOR_STATS, NULL, 0, stats,
                               sizeof *stats, &returned, 0),
                     STATUS_SUCCESS);
    assert_int_equal(returned, sizeof *stats);
}

UINT32 monitor_drain(struct monitor *monitor, PTP_TIMESTAMP_EVENT *records, UINT32 most)
{
    UINT32 drained = 0;
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 count;
    while (drained < most && (count = AvbRingPeek(&monitor->reader, &first)) > 0) {
        if (count > most - drained)
            count = most - drained;
        memcpy(&records[drained], first, count * sizeof *first);
        AvbRingRelease(&monitor->reader, count);
        drained += (UINT32)count;
    }
    monitor->tickets += drained;
    return drained;
}

/* ---- A call ---- */

void call_begin(struct call *call)
{
    memset(call, 0, sizeof *call);
    call->chain.lists = call->lists;
    call->chain.frames = call->frames;
}

struct lab_frame *call_frame(struct call *call, const UINT8 *bytes, UINT32 length)
{
    assert_true(call->frame_count < LAB_MAX_FRAMES && call->chain.list_count > 0);
    struct lab_frame *frame = &call->frames[call->frame_count++];
    frame->bytes = bytes;
    frame->length = length;
    call->lists[call->chain.list_count - 1].count++;
    return frame;
}

struct lab_list *call_list(struct call *call, const UINT8 *bytes, UINT32 length)
{
    assert_true(call->chain.list_count < LAB_MAX_FRAMES);
    struct lab_list *list = &call->lists[call->chain.list_count++];
    call_frame(call, bytes, length);
    return list;
}

/* ---- The truth ---- */

/* The TCI of the list's own tag as the oracle takes it; 0 says nothing. */
static UINT32 tag_of(UINT32 raw)
{
    UINT32 tci = (raw & 7) << 13 | (raw >> 3 & 1) << 12 | (raw >> 4 & 0xFFF);
    return tci ? AVB_TAG(tci) : 0;
}

UINT32 frame_truth(const struct lab_frame *frame, UINT32 raw_tag, PTP_TIMESTAMP_EVENT *event, int *either)
{
    UINT32 said = frame->length + (frame->nb_fault & LAB_FAULT_LENGTH ? EXCESS : 0);
    UINT32 needed = said < AVB_PTP_WINDOW ? said : AVB_PTP_WINDOW;
    UINT32 seen = frame->length < AVB_PTP_WINDOW ? frame->length : AVB_PTP_WINDOW;
    UINT32 kind = frame_oracle(frame->bytes, seen, said, tag_of(raw_tag), event);
    *either = 0;
    if (said < AVB_ETHERNET_HEADER)
        return AVB_FRAME_FOREIGN;
    if (frame->nb_fault & (LAB_FAULT_NO_MDL | LAB_FAULT_UNMAPPABLE))
        return AVB_FRAME_KINDS;
    if (needed <= frame->length)
        return kind;
    *either = kind == AVB_FRAME_FOREIGN;
    return AVB_FRAME_KINDS;
}

void truth_begin(struct truth *truth, UINT64 first_ticket)
{
    truth->count = 0;
    truth->frames = truth->stamps = 0;
    memset(truth->reasons, 0, sizeof truth->reasons);
    truth->first_ticket = first_ticket;
}

void truth_add_record(struct truth *truth, const PTP_TIMESTAMP_EVENT *record)
{
    assert_true(truth->count < KIT_RECORDS);
    PTP_TIMESTAMP_EVENT *added = &truth->records[truth->count];
    *added = *record;
    added->sequence = truth->first_ticket + truth->count++ + 1;
    if (record->stamp & AVB_STAMP_LATE)
        truth->stamps++;
    else
        truth->frames++;
}

static UINT8 queue_truth(const struct lab_list *list, UINT8 direction)
{
    UINT32 queue = list->queue & 0xFFFF;
    return direction == AVB_DIRECTION_TX || queue == 0 || queue > 254 ? AVB_QUEUE_UNKNOWN : (UINT8)queue;
}

static const UINT32 reason_of_kind[AVB_FRAME_KINDS + 1] = {
    [AVB_FRAME_PTP] = AVB_PTP_REASONS,
    [AVB_FRAME_FOREIGN] = AVB_PTP_REASONS,
    [AVB_FRAME_PTP_V1] = AVB_REASON_PTP_V1,
    [AVB_FRAME_OTHER_VERSION] = AVB_REASON_OTHER_VERSION,
    [AVB_FRAME_TRUNCATED] = AVB_REASON_TRUNCATED,
    [AVB_FRAME_BAD_LENGTH] = AVB_REASON_BAD_LENGTH,
    [AVB_FRAME_KINDS] = AVB_REASON_UNREADABLE,
};

void truth_add(struct truth *truth, const struct call *call, UINT8 direction, UINT64 counter)
{
    const struct lab_frame *frame = call->frames;
    for (UINT32 i = 0; i < call->chain.list_count; i++) {
        const struct lab_list *list = &call->lists[i];
        for (UINT32 j = 0; j < list->count; j++) {
            PTP_TIMESTAMP_EVENT event;
            int either;
            UINT32 kind = frame_truth(frame++, list->tag, &event, &either);
            assert_false(either);
            if (kind == AVB_FRAME_PTP && direction == AVB_DIRECTION_RX &&
                (list->nbl_flags & NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET)) {
                truth->reasons[AVB_REASON_LOOPBACK]++;
            } else if (kind == AVB_FRAME_PTP) {
                event.direction = direction;
                event.system_timestamp = counter;
                event.queueId = queue_truth(list, direction);
                truth_add_record(truth, &event);
            } else if (reason_of_kind[kind] < AVB_PTP_REASONS) {
                truth->reasons[reason_of_kind[kind]]++;
            }
        }
    }
}

static _Thread_local char text[512];

#define COMPARE(field) \
    if (is->field != must->field) \
    return snprintf(text, sizeof text, "record %u: " #field " is %llx, must be %llx", index, \
                    (unsigned long long)is->field, (unsigned long long)must->field), \
           text

static const char *compare(UINT32 index, const PTP_TIMESTAMP_EVENT *is, const PTP_TIMESTAMP_EVENT *must)
{
    COMPARE(direction);
    COMPARE(messageType);
    COMPARE(sequenceId);
    COMPARE(stamp);
    COMPARE(hw_timestamp_ns);
    COMPARE(software_timestamp);
    COMPARE(system_timestamp);
    COMPARE(vlanId);
    COMPARE(pcp);
    COMPARE(queueId);
    COMPARE(transport);
    COMPARE(sequence);
    if (memcmp(is, must, sizeof *is) == 0)
        return NULL;
    snprintf(text, sizeof text, "record %u: another field", index);
    return text;
}

const char *truth_check_records(const struct truth *truth, const PTP_TIMESTAMP_EVENT *records, UINT32 count)
{
    for (UINT32 i = 0; i < count && i < truth->count; i++) {
        const char *problem = compare(i, &records[i], &truth->records[i]);
        if (problem)
            return problem;
    }
    if (count == truth->count)
        return NULL;
    snprintf(text, sizeof text, "%u records, must be %u", count, truth->count);
    return text;
}

#define GAINED(field, must) \
    if (after->field - before->field != (UINT64)(must)) \
    return snprintf(text, sizeof text, #field ": %llu more, must be %llu", \
                    (unsigned long long)(after->field - before->field), (unsigned long long)(must)), \
           text

const char *truth_check_stats(const struct truth *truth, const AVB_PTP_MONITOR_STATS *before,
                              const AVB_PTP_MONITOR_STATS *after)
{
    GAINED(events_emitted, truth->count);
    GAINED(events_dropped, 0);
    GAINED(frames_seen, truth->frames);
    GAINED(frames_emitted, truth->frames);
    GAINED(frames_dropped, 0);
    GAINED(stamps_seen, truth->stamps);
    GAINED(stamps_emitted, truth->stamps);
    GAINED(stamps_dropped, 0);
    GAINED(bad_consumer_position, 0);
    for (UINT32 i = 0; i < AVB_PTP_REASONS; i++) {
        if (after->reasons[i] - before->reasons[i] == truth->reasons[i])
            continue;
        snprintf(text, sizeof text, "reason %u: %llu more, must be %llu", i,
                 (unsigned long long)(after->reasons[i] - before->reasons[i]), (unsigned long long)truth->reasons[i]);
        return text;
    }
    return NULL;
}

void monitor_run(struct monitor *monitor, const struct call *call, UINT8 direction, const struct truth *truth)
{
    static PTP_TIMESTAMP_EVENT records[KIT_RECORDS];
    AVB_PTP_MONITOR_STATS before, after;
    monitor_stats(monitor, &before);
    INT32 reached = direction == AVB_DIRECTION_RX ? lab_receive(monitor->adapter, &call->chain)
                                                  : lab_send(monitor->adapter, &call->chain);
    assert_int_equal(reached, call->chain.list_count);
    UINT32 count = monitor_drain(monitor, records, KIT_RECORDS);
    const char *problem = truth_check_records(truth, records, count);
    if (!problem) {
        monitor_stats(monitor, &after);
        problem = truth_check_stats(truth, &before, &after);
    }
    if (problem)
        fail_msg("%s", problem);
}
