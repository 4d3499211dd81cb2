/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alignment_kit.h"

#include <pcap/pcap.h>

#define BOOT_BEFORE (INT64_C(100000) * KIT_SECOND) /* the system's start before time 0 */
#define PHC_DRIFT   15e-6

/* ---- Traffic ------------------------------------------------------------------------------- */

void node_start(struct node *node, uint64_t seed)
{
    *node = (struct node){.random = {seed}};
}

void node_free(struct node *node)
{
    free(node->messages);
    *node = (struct node){0};
}

static int64_t delay(struct node *node)
{
    if (random_chance(&node->random, 1))
        return random_between(&node->random, 100 * KIT_MICROSECOND, 5 * KIT_MILLISECOND);
    return random_between(&node->random, 2 * KIT_MICROSECOND, 40 * KIT_MICROSECOND);
}

static void add_message(struct node *node, uint8_t direction, uint8_t messageType, uint8_t sender, uint16_t sequenceId,
                        int64_t at_stack)
{
    if (node->count == node->capacity) {
        node->capacity = node->capacity ? 2 * node->capacity : 1024;
        node->messages = realloc(node->messages, node->capacity * sizeof *node->messages);
        assert_non_null(node->messages);
    }
    bool received = direction == AVB_DIRECTION_RX;
    node->messages[node->count++] = (struct node_message){
        .message = {.direction = direction,
                    .messageType = messageType,
                    .sequenceId = sequenceId,
                    .portNumber = 1,
                    .clock = sender,
                    .mac = sender},
        .at_stack = at_stack,
        .at_card = received ? at_stack - delay(node) : at_stack + delay(node),
        .at_driver_side = received ? at_stack + delay(node) : at_stack - delay(node),
    };
}

/* What follows a message with the same sequenceId: its Follow_Up, the answer, the answer's Follow_Up. */
static void add_answers(struct node *node, const struct node_stream *stream, uint16_t sequenceId, int64_t at)
{
    uint8_t back = stream->direction ^ 1u, other = stream->sender ^ 1u;
    switch (stream->messageType) {
    case AVB_PTP_SYNC:
        add_message(node, stream->direction, AVB_PTP_FOLLOW_UP, stream->sender, sequenceId, at + 900 * KIT_MICROSECOND);
        break;
    case AVB_PTP_DELAY_REQ:
        add_message(node, back, AVB_PTP_DELAY_RESP, other, sequenceId, at + KIT_MILLISECOND);
        break;
    case AVB_PTP_PDELAY_REQ:
        add_message(node, back, AVB_PTP_PDELAY_RESP, other, sequenceId, at + KIT_MILLISECOND);
        add_message(node, back, AVB_PTP_PDELAY_RESP_FOLLOW_UP, other, sequenceId, at + 2 * KIT_MILLISECOND);
        break;
    default:
        break;
    }
}

void node_add_stream(struct node *node, const struct node_stream *stream)
{
    uint16_t sequenceId = stream->first_sequence;
    for (int64_t at = stream->from; at < stream->to; sequenceId++) {
        add_message(node, stream->direction, stream->messageType, stream->sender, sequenceId, at);
        add_answers(node, stream, sequenceId, at);
        at += stream->interval + random_between(&node->random, -stream->jitter, stream->jitter);
    }
}

void node_add_gptp(struct node *node, int64_t from, int64_t to, uint16_t first_sequence)
{
    int64_t us = KIT_MICROSECOND, second = KIT_SECOND;
    int64_t phase = random_between(&node->random, 0, second);
    const struct node_stream streams[] = {
        {from, to, second / 8, 100 * us, AVB_DIRECTION_RX, AVB_PTP_SYNC, 2, first_sequence},
        {from + second / 5, to, second, 100 * us, AVB_DIRECTION_RX, AVB_PTP_ANNOUNCE, 2, first_sequence},
        {from + phase, to, second, 100 * us, AVB_DIRECTION_TX, AVB_PTP_PDELAY_REQ, 3, first_sequence},
        {from + phase / 3, to, second, 100 * us, AVB_DIRECTION_RX, AVB_PTP_PDELAY_REQ, 2, first_sequence},
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        node_add_stream(node, &streams[i]);
}

void node_add_e2e(struct node *node, int64_t from, int64_t to, uint16_t first_sequence)
{
    int64_t us = KIT_MICROSECOND, second = KIT_SECOND;
    const struct node_stream streams[] = {
        {from, to, second / 8, 100 * us, AVB_DIRECTION_RX, AVB_PTP_SYNC, 2, first_sequence},
        {from + second / 5, to, second, 100 * us, AVB_DIRECTION_RX, AVB_PTP_ANNOUNCE, 2, first_sequence},
        {from, to, second, second * 9 / 10, AVB_DIRECTION_TX, AVB_PTP_DELAY_REQ, 3, first_sequence},
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        node_add_stream(node, &streams[i]);
}

static int compare_messages(const void *a, const void *b)
{
    const struct node_message *x = a, *y = b;
    return (x->at_stack > y->at_stack) - (x->at_stack < y->at_stack);
}

/* ---- Events -------------------------------------------------------------------------------- */

/* The system clock, which may have been set. */
static int64_t realtime(const struct recorded *recorded, int64_t at)
{
    bool set = recorded->clock_set_by != 0 && at >= recorded->clock_set_at;
    return KIT_REALTIME + at + (set ? recorded->clock_set_by : 0);
}

static int64_t phc(const struct recorded *recorded, int64_t at)
{
    return KIT_REALTIME + recorded->phc_offset + at + (int64_t)(PHC_DRIFT * (double)at);
}

static void write_record(FILE *file, const PTP_TIMESTAMP_EVENT *record)
{
    assert_int_equal(fwrite(record, sizeof *record, 1, file), 1);
}

static void write_clocks(FILE *file, const struct recorded *recorded, int64_t at)
{
    PTP_TIMESTAMP_EVENT record = kit_clocks(BOOT_BEFORE + at, realtime(recorded, at));
    if (recorded->hardware_stamps)
        record.hw_timestamp_ns = (UINT64)phc(recorded, at);
    write_record(file, &record);
}

static void write_header(FILE *file, const struct recorded *recorded)
{
    PTP_RECORDING_HEADER header = {
        .byte_order = AVB_RECORDING_BYTE_ORDER,
        .format_version = AVB_RECORDING_FORMAT_VERSION,
        .abi_version = AVB_PTP_EVENT_ABI_VERSION,
        .header_bytes = sizeof header,
        .record_bytes = sizeof(PTP_TIMESTAMP_EVENT),
        .system_clock_hz = 1000000000,
        .system_clock = AVB_CLOCK_MONOTONIC,
        .software_clock = AVB_CLOCK_REALTIME,
        .hw_clock = recorded->hardware_stamps ? AVB_CLOCK_PHC : AVB_CLOCK_NONE,
        .phc_index = recorded->hardware_stamps ? 0 : -1,
        .mac = {2, 0, 0, 0, 0, recorded->mac},
    };
    memcpy(header.magic, AVB_RECORDING_MAGIC, sizeof header.magic);
    snprintf(header.interface_name, sizeof header.interface_name, "%s",
             recorded->interface ? recorded->interface : "nic0");
    snprintf(header.host, sizeof header.host, "%s", recorded->host ? recorded->host : "host-a");
    snprintf(header.boot_id, sizeof header.boot_id, "%s", recorded->boot_id ? recorded->boot_id : "boot-a");
    assert_int_equal(fwrite(&header, sizeof header, 1, file), 1);
}

static void write_event(FILE *file, const struct recorded *recorded, const struct node_message *message)
{
    bool received = message->message.direction == AVB_DIRECTION_RX;
    bool stamped = received && !recorded->no_software_stamps;
    PTP_TIMESTAMP_EVENT event = kit_event(&message->message, BOOT_BEFORE + message->at_driver_side,
                                          stamped ? (uint64_t)realtime(recorded, message->at_stack) : 0, 0);
    if (received && recorded->hardware_stamps) {
        event.hw_timestamp_ns = (UINT64)phc(recorded, message->at_card);
        event.stamp |= AVB_STAMP_METADATA;
    }
    write_record(file, &event);
}

static void write_events(struct node *node, const struct recorded *recorded, const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    write_header(file, recorded);
    int64_t next_clocks = recorded->events_from;
    for (size_t i = 0; i < node->count; i++) {
        const struct node_message *message = &node->messages[i];
        if (message->at_stack < recorded->events_from || message->at_stack >= recorded->events_to)
            continue;
        for (; next_clocks <= message->at_stack; next_clocks += KIT_SECOND)
            write_clocks(file, recorded, next_clocks);
        if (!random_chance(&node->random, recorded->event_loss_percent))
            write_event(file, recorded, message);
    }
    write_clocks(file, recorded, recorded->events_to);
    assert_int_equal(fclose(file), 0);
}

/* ---- Capture ------------------------------------------------------------------------------- */

static int64_t capture_time(struct node *node, const struct recorded *recorded, const struct node_message *message)
{
    bool received = message->message.direction == AVB_DIRECTION_RX;
    int64_t at = message->at_card;
    if (recorded->other_end)
        at += received ? -delay(node) : delay(node);
    if (recorded->stamps == STAMPED_BY_OWN_PHC)
        return phc(recorded, at);
    if (recorded->stamps == STAMPED_BY_STACK)
        return realtime(recorded, recorded->other_end ? at : message->at_stack) + recorded->offset;
    return KIT_REALTIME + at + recorded->offset + (int64_t)(recorded->drift * (double)at);
}

/* Where the frames go: one of both. */
struct target {
    pcap_dumper_t *dumper;
    ptpmon_capture_writer *writer;
};

static void write_frame(const struct target *target, const struct recorded *recorded, const ptpmon_frame *frame)
{
    if (target->writer != NULL) {
        assert_int_equal(ptpmon_capture_writer_frame(target->writer, recorded->frames_of, frame), PTPMON_OK);
        return;
    }
    int64_t fraction = frame->time_ns % KIT_SECOND;
    struct pcap_pkthdr header = {
        .ts = {frame->time_ns / KIT_SECOND, recorded->microseconds ? fraction / KIT_MICROSECOND : fraction},
        .caplen = frame->captured_length,
        .len = frame->length,
    };
    pcap_dump((u_char *)target->dumper, &header, frame->bytes);
}

static void write_frames(struct node *node, const struct recorded *recorded, const struct target *target)
{
    for (size_t i = 0; i < node->count; i++) {
        struct node_message message = node->messages[i];
        uint8_t bytes[KIT_FRAME_LENGTH];
        if (message.at_stack < recorded->capture_from || message.at_stack >= recorded->capture_to)
            continue;
        int64_t time = capture_time(node, recorded, &message);
        if (recorded->other_end)
            message.message.direction ^= 1u;
        ptpmon_frame frame = kit_frame(&message.message, time, i + 1, bytes);
        if (!random_chance(&node->random, recorded->frame_loss_percent))
            write_frame(target, recorded, &frame);
    }
}

static void write_pcapng(struct node *node, const struct recorded *recorded, const char *path)
{
    static const ptpmon_capture_interface unnamed = {0};
    struct target target = {0};
    const ptpmon_capture_interface *interfaces = recorded->interfaces ? recorded->interfaces : &unnamed;
    size_t count = recorded->interfaces ? recorded->interface_count : 1;
    assert_int_equal(ptpmon_capture_writer_open(path, interfaces, count, &target.writer), PTPMON_OK);
    write_frames(node, recorded, &target);
    assert_int_equal(ptpmon_capture_writer_close(target.writer), PTPMON_OK);
}

static void write_pcap(struct node *node, const struct recorded *recorded, const char *path)
{
    struct target target = {0};
    pcap_t *kind = pcap_open_dead_with_tstamp_precision(
        DLT_EN10MB, 65535, recorded->microseconds ? PCAP_TSTAMP_PRECISION_MICRO : PCAP_TSTAMP_PRECISION_NANO);
    target.dumper = pcap_dump_open(kind, path);
    assert_non_null(target.dumper);
    write_frames(node, recorded, &target);
    pcap_dump_close(target.dumper);
    pcap_close(kind);
}

void node_write(struct node *node, const struct recorded *recorded, const char *events, const char *capture)
{
    qsort(node->messages, node->count, sizeof *node->messages, compare_messages);
    write_events(node, recorded, events);
    if (recorded->pcapng)
        write_pcapng(node, recorded, capture);
    else
        write_pcap(node, recorded, capture);
}
