/* SPDX-License-Identifier: MIT */
/*
 * From a frame in a NET_BUFFER to a record in the ring, through the driver's handlers, its device and its
 * sections as a process sees them. Every record is compared in all 64 bytes with one made without the driver's
 * parser; that NBLs come out as they went in is the NDIS double's to see.
 */
#include "monitor_kit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/frame_builder.h"
#include "unit/random.h"
#include "vectors/frames.h"

#define NOW 123456789012345u /* ticks */

static struct monitor monitor;
static struct call call;
static struct truth truth;

static int open_monitor(void **state)
{
    (void)state;
    lab_set_counter(NOW);
    monitor_open(&monitor, &kit_adapter);
    return 0;
}

static int open_and_enable(void **state)
{
    open_monitor(state);
    monitor_enable(&monitor);
    return 0;
}

static int close_monitor(void **state)
{
    (void)state;
    monitor_close(&monitor);
    return 0;
}

/* The call as it is now, and nothing but its records. */
static void run(UINT8 direction)
{
    truth_begin(&truth, monitor.tickets);
    truth_add(&truth, &call, direction, NOW);
    monitor_run(&monitor, &call, direction, &truth);
}

/* ---- The corpus ---- */

/* A frame of the corpus as NDIS can hand it over: no capture was cut, and a tag beside it is a raw value. */
struct corpus_frame {
    UINT8 *bytes;
    UINT32 length, tag;
    int exact; /* the vector's own verdict holds for it */
};

static struct corpus_frame *corpus;

static int make_corpus(void **state)
{
    (void)state;
    corpus = calloc(frame_vector_count, sizeof *corpus);
    for (size_t i = 0; i < frame_vector_count; i++) {
        const struct frame_vector *vector = &frame_vectors[i];
        struct corpus_frame *frame = &corpus[i];
        frame->length = vector->length;
        frame->bytes = calloc(1, vector->length + 1);
        memcpy(frame->bytes, vector->bytes, vector->captured);
        frame->tag = out_of_band(vector->tag & 0xFFFF);
        frame->exact = vector->captured == vector->length && vector->length <= AVB_PTP_WINDOW &&
                       (vector->tag == 0 || (vector->tag & 0xFFFF) != 0);
    }
    return 0;
}

static int free_corpus(void **state)
{
    (void)state;
    for (size_t i = 0; i < frame_vector_count; i++)
        free(corpus[i].bytes);
    free(corpus);
    return 0;
}

/* The vector's own expectation, written by hand, is what the truth says too. */
static void check_against_vector(const struct frame_vector *vector, const struct lab_frame *frame, UINT32 tag)
{
    PTP_TIMESTAMP_EVENT event;
    int either;
    assert_int_equal(frame_truth(frame, tag, &event, &either), vector->kind);
    if (vector->kind == AVB_FRAME_PTP)
        assert_memory_equal(&event, &vector->event, sizeof event);
}

static void run_corpus(UINT8 direction, UINT32 dispatch, UINT32 resources, UINT32 split)
{
    size_t exact = 0;
    for (size_t i = 0; i < frame_vector_count;) {
        call_begin(&call);
        call.chain.dispatch = dispatch;
        call.chain.resources = resources;
        call.chain.split = split;
        for (; i < frame_vector_count && call.frame_count < LAB_MAX_FRAMES; i++) {
            call_list(&call, corpus[i].bytes, corpus[i].length)->tag = corpus[i].tag;
            if (corpus[i].exact) {
                check_against_vector(&frame_vectors[i], &call.frames[call.frame_count - 1], corpus[i].tag);
                exact++;
            }
        }
        run(direction);
    }
    assert_true(exact > 150);
}

static void test_corpus_received(void **state)
{
    (void)state;
    run_corpus(AVB_DIRECTION_RX, 1, 0, 0);
    run_corpus(AVB_DIRECTION_RX, 0, 0, 3);
    run_corpus(AVB_DIRECTION_RX, 1, 1, 0);
    run_corpus(AVB_DIRECTION_RX, 0, 1, 0);
}

static void test_corpus_sent(void **state)
{
    (void)state;
    run_corpus(AVB_DIRECTION_TX, 1, 0, 0);
    run_corpus(AVB_DIRECTION_TX, 0, 0, 0);
    run_corpus(AVB_DIRECTION_TX, 1, 0, 5);
}

/* Several NET_BUFFERs in each list, of all kinds. */
static void test_many_buffers(void **state)
{
    (void)state;
    for (UINT32 each = 2; each <= LAB_MAX_FRAMES; each = each * 2 + 1) {
        for (size_t i = 0; i + LAB_MAX_FRAMES <= frame_vector_count; i += LAB_MAX_FRAMES / 2) {
            call_begin(&call);
            for (UINT32 j = 0; j < LAB_MAX_FRAMES; j++) {
                const struct corpus_frame *frame = &corpus[i + j];
                if (j % each == 0)
                    call_list(&call, frame->bytes, frame->length)->tag = j % 3 == 0 ? out_of_band(0xA064) : 0;
                else
                    call_frame(&call, frame->bytes, frame->length);
            }
            run(AVB_DIRECTION_TX);
        }
    }
}

/* ---- MDLs ---- */

static struct lab_frame *add(const struct corpus_frame *frame)
{
    if (call.frame_count == LAB_MAX_FRAMES) {
        run(AVB_DIRECTION_RX);
        call_begin(&call);
    }
    call_list(&call, frame->bytes, frame->length)->tag = frame->tag;
    return &call.frames[call.frame_count - 1];
}

static void test_every_cut(void **state)
{
    (void)state;
    call_begin(&call);
    for (size_t i = 0; i < frame_vector_count; i++) {
        for (UINT32 at = 0; at <= corpus[i].length; at++) {
            struct lab_frame *frame = add(&corpus[i]);
            frame->pieces = 2;
            frame->piece_length[0] = (UINT16)at;
        }
    }
    run(AVB_DIRECTION_RX);
}

/* One byte in each MDL, as far as there are MDLs; empty ones at every place. */
static void test_many_cuts(void **state)
{
    (void)state;
    call_begin(&call);
    for (size_t i = 0; i < frame_vector_count; i++) {
        for (UINT32 width = 0; width <= 8; width++) {
            struct lab_frame *frame = add(&corpus[i]);
            frame->pieces = LAB_MAX_PIECES;
            for (UINT32 piece = 0; piece < LAB_MAX_PIECES; piece++)
                frame->piece_length[piece] = (UINT16)(width == 0 ? (piece % 2) * 9 : width);
        }
        for (UINT32 empty = 0; empty < LAB_MAX_PIECES; empty++) {
            struct lab_frame *frame = add(&corpus[i]);
            frame->pieces = LAB_MAX_PIECES;
            for (UINT32 piece = 0; piece < LAB_MAX_PIECES; piece++)
                frame->piece_length[piece] = piece == empty ? 0 : 4;
        }
    }
    run(AVB_DIRECTION_RX);
}

/* Unused bytes before the frame, within the first MDL and over several, with a cut behind. */
static void test_offsets(void **state)
{
    (void)state;
    static const UINT32 offsets[] = {1, 2, 13, 14, 34, 64, 100, 255};
    call_begin(&call);
    for (size_t i = 0; i < frame_vector_count; i++) {
        for (size_t j = 0; j < sizeof offsets / sizeof *offsets; j++) {
            for (UINT32 piece = 1; piece <= 64; piece *= 4) {
                struct lab_frame *frame = add(&corpus[i]);
                frame->offset = offsets[j];
                frame->pieces = 4;
                frame->piece_length[0] = (UINT16)(offsets[j] / 2);
                frame->piece_length[1] = (UINT16)(offsets[j] - offsets[j] / 2); /* ends where the frame begins */
                frame->piece_length[2] = (UINT16)piece;
            }
        }
    }
    run(AVB_DIRECTION_RX);
}

/* ---- Kinds of frames, one by one ---- */

static struct test_frame frame;

static const UINT8 *sync(unsigned sequenceId)
{
    static struct test_frame frames[LAB_MAX_FRAMES];
    static unsigned next;
    struct test_frame *made = &frames[next++ % LAB_MAX_FRAMES];
    made->length = 0;
    put_addresses(made, 0x01020304);
    put_be16(made, 0x88F7);
    put_sync(made, sequenceId);
    return made->bytes;
}

#define SYNC_FRAME (14u + PTP_SYNC_LENGTH)

static void test_one_record(void **state)
{
    (void)state;
    const PTP_TIMESTAMP_EVENT expected = {
        .system_timestamp = NOW,
        .direction = AVB_DIRECTION_RX,
        .messageType = AVB_PTP_SYNC,
        .sequenceId = 0x1234,
        .sourceMac = {0x02, 0x00, 0x01, 0x02, 0x03, 0x04},
        .queueId = AVB_QUEUE_UNKNOWN,
        .clockIdentity = {0x02, 0x00, 0x00, 0xFF, 0xFE, 0x00, 0x00, 0x01},
        .portNumber = 1,
        .flags = AVB_PTP_FLAG_TWO_STEP,
        .transport = AVB_TRANSPORT_ETHERNET,
        .version = 2,
        .sequence = 1,
    };
    PTP_TIMESTAMP_EVENT record;
    call_begin(&call);
    call_list(&call, sync(0x1234), SYNC_FRAME);
    assert_int_equal(lab_receive(monitor.adapter, &call.chain), 1);
    assert_int_equal(monitor_drain(&monitor, &record, 1), 1);
    assert_memory_equal(&record, &expected, sizeof record);
}

/* What a fault or a kind of frame is counted as, and that it is alone. */
static void expect_reason(enum avb_ptp_reason reason, UINT8 direction)
{
    AVB_PTP_MONITOR_STATS before, after;
    monitor_stats(&monitor, &before);
    run(direction);
    monitor_stats(&monitor, &after);
    assert_int_equal(after.reasons[reason] - before.reasons[reason], 1);
    assert_int_equal(after.events_emitted, before.events_emitted);
}

static void expect_reason_both_ways(enum avb_ptp_reason reason)
{
    expect_reason(reason, AVB_DIRECTION_RX);
    expect_reason(reason, AVB_DIRECTION_TX);
}

static void begin_with_fault(UINT32 fault)
{
    call_begin(&call);
    call_list(&call, sync(1), SYNC_FRAME);
    call.frames[0].nb_fault = fault;
}

static void test_unreadable(void **state)
{
    (void)state;
    begin_with_fault(LAB_FAULT_NO_MDL);
    expect_reason_both_ways(AVB_REASON_UNREADABLE);
    begin_with_fault(LAB_FAULT_UNMAPPABLE);
    expect_reason_both_ways(AVB_REASON_UNREADABLE);
    begin_with_fault(LAB_FAULT_UNMAPPABLE);
    call.frames[0].pieces = 3;
    call.frames[0].piece_length[0] = 5;
    call.frames[0].piece_length[1] = 20;
    expect_reason_both_ways(AVB_REASON_UNREADABLE);
    begin_with_fault(LAB_FAULT_LENGTH);
    expect_reason_both_ways(AVB_REASON_UNREADABLE);
}

/* A frame that is longer than what is looked at is read, whatever else its length promises. */
static void test_length_beyond_window(void **state)
{
    (void)state;
    frame.length = 0;
    put_addresses(&frame, 7);
    put_be16(&frame, 0x88F7);
    put_sync(&frame, 9);
    put_zeros(&frame, AVB_PTP_WINDOW - SYNC_FRAME);
    call_begin(&call);
    call_list(&call, frame.bytes, AVB_PTP_WINDOW);
    call.frames[0].nb_fault = LAB_FAULT_LENGTH;
    call.frames[0].pieces = 2;
    call.frames[0].piece_length[0] = 40;
    run(AVB_DIRECTION_RX);
    assert_int_equal(truth.frames, 1);
    call.frames[0].length--;
    expect_reason_both_ways(AVB_REASON_UNREADABLE);
}

static const struct frame_vector *vector_named(const char *name)
{
    for (size_t i = 0; i < frame_vector_count; i++) {
        if (strcmp(frame_vectors[i].name, name) == 0)
            return &frame_vectors[i];
    }
    fail_msg("%s: no such vector", name);
    return NULL;
}

static void test_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *vector;
        enum avb_ptp_reason reason;
    } cases[] = {
        {"version-1", AVB_REASON_PTP_V1},
        {"tag-around-version-1", AVB_REASON_PTP_V1},
        {"version-0", AVB_REASON_OTHER_VERSION},
        {"version-3", AVB_REASON_OTHER_VERSION},
        {"short-ethernet-only", AVB_REASON_TRUNCATED},
        {"short-33-bytes-of-ptp", AVB_REASON_TRUNCATED},
        {"ethernet-length-33", AVB_REASON_BAD_LENGTH},
        {"ipv6-payload-length-one-beyond", AVB_REASON_BAD_LENGTH},
        {"ipv6-udp-length-inside-header", AVB_REASON_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct frame_vector *vector = vector_named(cases[i].vector);
        call_begin(&call);
        call_list(&call, vector->bytes, vector->length);
        expect_reason_both_ways(cases[i].reason);
    }
}

/* Nothing is counted of a frame that has nothing to do with PTP, whatever is wrong with it. */
static void test_foreign(void **state)
{
    (void)state;
    static const char *const names[] = {"foreign-arp",    "foreign-llc",        "foreign-lldp",
                                        "foreign-long",   "ipv6-tcp",           "short-empty",
                                        "short-13-bytes", "tag-around-foreign", "foreign-macsec"};
    AVB_PTP_MONITOR_STATS before, after;
    monitor_stats(&monitor, &before);
    for (UINT8 direction = AVB_DIRECTION_RX; direction <= AVB_DIRECTION_TX; direction++) {
        call_begin(&call);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const struct frame_vector *vector = vector_named(names[i]);
            call_list(&call, vector->bytes, vector->length)->nbl_flags = i % 2 ? NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET : 0;
        }
        run(direction);
    }
    monitor_stats(&monitor, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

static void test_loopback(void **state)
{
    (void)state;
    call_begin(&call);
    call_list(&call, sync(1), SYNC_FRAME);
    call_list(&call, sync(2), SYNC_FRAME)->nbl_flags = NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET;
    call_list(&call, sync(3), SYNC_FRAME);
    run(AVB_DIRECTION_RX);
    assert_int_equal(truth.frames, 2);
    assert_int_equal(truth.reasons[AVB_REASON_LOOPBACK], 1);
    run(AVB_DIRECTION_TX); /* on the way down the flag says nothing */
    assert_int_equal(truth.frames, 3);
}

static void test_queues(void **state)
{
    (void)state;
    static const UINT32 queues[] = {0, 1, 7, 253, 254, 255, 256, 257, 65535};
    static const UINT8 expected[] = {255, 1, 7, 253, 254, 255, 255, 255, 255};
    call_begin(&call);
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        call_list(&call, sync((unsigned)i), SYNC_FRAME)->queue = queues[i];
    run(AVB_DIRECTION_RX);
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        assert_int_equal(truth.records[i].queueId, expected[i]);
    run(AVB_DIRECTION_TX);
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        assert_int_equal(truth.records[i].queueId, AVB_QUEUE_UNKNOWN);
}

/* ---- VLAN ---- */

/* In band: TPIDs, outermost first, with TCIs 0xA064 (5, 100) and 0x2014 (1, 20). */
static void tagged_sync(struct test_frame *made, unsigned outer, unsigned inner)
{
    made->length = 0;
    put_addresses(made, 5);
    if (outer)
        put_tag(made, outer, 0xA064);
    if (inner)
        put_tag(made, inner, 0x2014);
    put_be16(made, 0x88F7);
    put_sync(made, 77);
}

static void test_vlan(void **state)
{
    (void)state;
    static const struct {
        unsigned outer, inner; /* in band */
        UINT32 beside;         /* TCI out of band; 0 says nothing */
        UINT8 stamp, pcp;
        UINT16 vlanId;
    } cases[] = {
        {0, 0, 0, 0, 0, 0},
        {0x8100, 0, 0, AVB_STAMP_VLAN, 5, 100},
        {0x88A8, 0, 0, AVB_STAMP_VLAN, 5, 100},
        {0x9100, 0, 0, AVB_STAMP_VLAN, 5, 100},
        {0x88A8, 0x8100, 0, AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS, 5, 100},
        {0x8100, 0x8100, 0, AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS, 5, 100},
        {0, 0, 0xE001, AVB_STAMP_VLAN, 7, 1},
        {0, 0, 0xFFFF, AVB_STAMP_VLAN, 7, 4095},
        {0, 0, 0x1000, AVB_STAMP_VLAN, 0, 0}, /* DEI alone */
        {0, 0, 0x6000, AVB_STAMP_VLAN, 3, 0}, /* a priority tag */
        {0x8100, 0, 0x4FFE, AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS, 2, 4094},
        {0x88A8, 0x8100, 0x4FFE, AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS, 2, 4094},
    };
    static struct test_frame frames[sizeof cases / sizeof *cases];
    for (UINT8 direction = AVB_DIRECTION_RX; direction <= AVB_DIRECTION_TX; direction++) {
        call_begin(&call);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            tagged_sync(&frames[i], cases[i].outer, cases[i].inner);
            call_list(&call, frames[i].bytes, frames[i].length)->tag = out_of_band(cases[i].beside);
        }
        run(direction);
        assert_int_equal(truth.count, sizeof cases / sizeof *cases);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            assert_int_equal(truth.records[i].stamp, cases[i].stamp);
            assert_int_equal(truth.records[i].pcp, cases[i].pcp);
            assert_int_equal(truth.records[i].vlanId, cases[i].vlanId);
        }
    }
}

/* What lies beside the tag in the same slot is no tag. */
static void test_reserved_bits_of_the_tag(void **state)
{
    (void)state;
    call_begin(&call);
    call_list(&call, sync(1), SYNC_FRAME)->tag = 0xFFFF0000u;
    call_list(&call, sync(2), SYNC_FRAME)->tag = 0xFFFF0000u | out_of_band(0xA064);
    run(AVB_DIRECTION_RX);
    assert_int_equal(truth.records[0].stamp, 0);
    assert_int_equal(truth.records[1].vlanId, 100);
}

/* ---- Frames longer than what is looked at ---- */

/* Ethernet, IPv6, one destination options header of `options` bytes, UDP, PTP, and zeros up to `length`. */
static void long_frame(UINT32 options, UINT32 length)
{
    const UINT32 udp = 8 + PTP_SYNC_LENGTH;
    frame.length = 0;
    put_addresses(&frame, 3);
    put_be16(&frame, 0x86DD);
    put_ipv6(&frame, 60, options + udp);
    put_u8(&frame, 17);
    put_u8(&frame, options / 8 - 1);
    put_zeros(&frame, options - 2);
    put_udp(&frame, 319, PTP_SYNC_LENGTH);
    put_sync(&frame, 11);
    put_zeros(&frame, length - frame.length);
}

static void test_window(void **state)
{
    (void)state;
    static const struct {
        UINT32 options, kind;
    } cases[] = {
        {8, AVB_FRAME_PTP},         {144, AVB_FRAME_PTP}, /* PTP begins at 206, its header ends at 240 */
        {152, AVB_FRAME_PTP},                             /* 248 */
        {160, AVB_FRAME_PTP},                             /* 256: the last byte that is looked at */
        {168, AVB_FRAME_TRUNCATED},                       /* 264: beyond */
        {192, AVB_FRAME_TRUNCATED},                       /* UDP ends at 254 */
        {200, AVB_FRAME_FOREIGN},                         /* UDP ends at 262: nobody knows whose it is */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (UINT32 pieces = 1; pieces <= 3; pieces++) {
            PTP_TIMESTAMP_EVENT event;
            int either;
            long_frame(cases[i].options, 1514);
            call_begin(&call);
            call_list(&call, frame.bytes, frame.length);
            call.frames[0].pieces = pieces;
            call.frames[0].piece_length[0] = 130;
            call.frames[0].piece_length[1] = 125;
            assert_int_equal(frame_truth(&call.frames[0], 0, &event, &either), cases[i].kind);
            run(AVB_DIRECTION_RX);
            run(AVB_DIRECTION_TX);
        }
    }
}

static void test_jumbo(void **state)
{
    (void)state;
    enum { LENGTH = 9014 };
    UINT8 *bytes = calloc(1, LENGTH);
    memcpy(bytes, sync(5), SYNC_FRAME);
    call_begin(&call);
    call_list(&call, bytes, LENGTH);
    call_list(&call, bytes, LENGTH);
    call.frames[1].pieces = LAB_MAX_PIECES;
    for (UINT32 i = 0; i < LAB_MAX_PIECES; i++)
        call.frames[1].piece_length[i] = 600;
    run(AVB_DIRECTION_RX);
    assert_int_equal(truth.frames, 2);
    free(bytes);
}

/* ---- Chains of everything ---- */

static void random_frame(struct random *random, struct lab_frame *made)
{
    made->offset = random_chance(random, 30) ? (UINT32)random_below(random, 200) : 0;
    made->pieces = (UINT32)random_between(random, 1, LAB_MAX_PIECES);
    for (UINT32 i = 0; i < LAB_MAX_PIECES; i++)
        made->piece_length[i] = (UINT16)(random_chance(random, 20) ? 0 : random_below(random, 60));
    if (random_chance(random, 3))
        made->nb_fault = random_chance(random, 50) ? LAB_FAULT_NO_MDL : LAB_FAULT_UNMAPPABLE;
}

static void random_call(struct random *random, UINT8 direction)
{
    UINT32 frames = (UINT32)random_between(random, 1, LAB_MAX_FRAMES);
    call_begin(&call);
    while (call.frame_count < frames) {
        const struct corpus_frame *chosen = &corpus[random_below(random, frame_vector_count)];
        if (call.frame_count == 0 || direction == AVB_DIRECTION_RX || random_chance(random, 40)) {
            struct lab_list *list = call_list(&call, chosen->bytes, chosen->length);
            list->tag = random_chance(random, 30) ? (UINT32)random_next(random) : 0;
            list->queue = (UINT32)random_below(random, 300);
            list->nbl_flags = random_chance(random, 10) ? NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET : 0;
            list->timestamp = random_next(random); /* of an adapter that promises none */
            list->stale = random_next(random);
            list->status = random_chance(random, 10) ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS;
        } else {
            call_frame(&call, chosen->bytes, chosen->length);
        }
        random_frame(random, &call.frames[call.frame_count - 1]);
    }
    call.chain.dispatch = random_chance(random, 50);
    call.chain.resources = direction == AVB_DIRECTION_RX && random_chance(random, 30);
    call.chain.split = call.chain.resources || random_chance(random, 70) ? 0 : (UINT32)random_between(random, 1, 9);
}

static void test_random_chains(void **state)
{
    (void)state;
    struct random random = {4};
    for (int i = 0; i < 400; i++) {
        UINT8 direction = (UINT8)random_below(&random, 2);
        random_call(&random, direction);
        run(direction);
    }
}

/* ---- The rundown reference ---- */

/*
 * A sender's thread can be suspended below DISPATCH_LEVEL. If it then held the rundown reference, nobody could
 * disable or detach before it is resumed.
 */
static _Thread_local UINT32 taken, taken_low;

BOOLEAN __real_ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE rundown);
BOOLEAN __wrap_ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE rundown);
VOID __real_ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE rundown);
VOID __wrap_ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE rundown);

BOOLEAN __wrap_ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE rundown)
{
    taken++;
    taken_low += KeGetCurrentIrql() < DISPATCH_LEVEL;
    return __real_ExAcquireRundownProtectionCacheAware(rundown);
}

VOID __wrap_ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE rundown)
{
    taken_low += KeGetCurrentIrql() < DISPATCH_LEVEL;
    __real_ExReleaseRundownProtectionCacheAware(rundown);
}

/* ---- Disabled ---- */

static void pass_random_calls(UINT64 seed, int calls)
{
    struct random random = {seed};
    for (int i = 0; i < calls; i++) {
        UINT8 direction = (UINT8)(i % 2);
        random_call(&random, direction);
        INT32 reached = direction == AVB_DIRECTION_RX ? lab_receive(monitor.adapter, &call.chain)
                                                      : lab_send(monitor.adapter, &call.chain);
        assert_int_equal(reached, call.chain.list_count);
    }
}

/* Before, between and after: frames pass, nothing is recorded or counted. */
static void test_disabled(void **state)
{
    (void)state;
    AVB_PTP_MONITOR_STATS stats, after;
    const UINT64 nothing[AVB_PTP_REASONS] = {0};
    pass_random_calls(1, 100);
    monitor_stats(&monitor, &stats);
    assert_int_equal(stats.enabled, 0);
    assert_int_equal(stats.frames_seen, 0);
    assert_memory_equal(stats.reasons, nothing, sizeof nothing);

    monitor_enable(&monitor);
    run_corpus(AVB_DIRECTION_RX, 1, 0, 0);
    monitor_disable(&monitor);
    monitor_stats(&monitor, &stats);
    taken = 0;
    pass_random_calls(2, 100);
    assert_int_equal(taken, 0); /* it is one branch again */
    monitor_stats(&monitor, &after);
    assert_int_equal(stats.enabled, 0);
    assert_true(stats.frames_seen > 0);
    assert_int_equal(stats.frames_seen, stats.events_emitted);
    assert_memory_equal(&stats, &after, sizeof stats);

    monitor_enable(&monitor); /* a new ring, counted anew */
    monitor_stats(&monitor, &stats);
    assert_int_equal(stats.frames_seen, 0);
    assert_int_equal(stats.events_emitted, 0);
    run_corpus(AVB_DIRECTION_TX, 0, 0, 0);
    assert_int_equal(monitor.tickets, truth.first_ticket + truth.count);
}

/* A send that NDIS had already on its way when the filter was paused. */
static void test_paused(void **state)
{
    (void)state;
    call_begin(&call);
    call_list(&call, sync(1), SYNC_FRAME);
    call_list(&call, sync(2), SYNC_FRAME);
    for (UINT32 dispatch = 0; dispatch <= 1; dispatch++) {
        AVB_PTP_MONITOR_STATS stats;
        PTP_TIMESTAMP_EVENT record;
        lab_pause(monitor.adapter);
        call.chain.dispatch = dispatch;
        assert_int_equal(lab_send_while_paused(monitor.adapter, &call.chain), 0);
        assert_int_equal(lab_receive(monitor.adapter, &call.chain), -1);
        assert_int_equal(monitor_drain(&monitor, &record, 1), 0);
        monitor_stats(&monitor, &stats);
        assert_int_equal(stats.frames_seen, 2 * dispatch);
        assert_int_equal(lab_restart(monitor.adapter), NDIS_STATUS_SUCCESS);
        run(AVB_DIRECTION_TX);
    }
}

/* ---- IRQL ---- */

static void test_no_suspension_with_a_reference(void **state)
{
    (void)state;
    call_begin(&call);
    call_list(&call, sync(1), SYNC_FRAME);
    taken = taken_low = 0;
    run(AVB_DIRECTION_TX);
    run(AVB_DIRECTION_RX);
    assert_int_equal(taken, 2);
    assert_int_equal(taken_low, 0);
}

/* ---- Several threads ---- */

#define PRODUCERS 4
#define CALLS     400
#define PER_CALL  8

struct producer {
    pthread_t thread;
    unsigned number;
    UINT64 passed, wrong;
};

static void make_producer_frame(struct test_frame *made, unsigned producer, unsigned sequenceId)
{
    made->length = 0;
    put_addresses(made, producer);
    put_be16(made, 0x88F7);
    put_sync(made, sequenceId);
}

/* Even producers receive, odd ones send; every second call comes back from yet another thread. */
static void *produce(void *context)
{
    struct producer *producer = context;
    struct test_frame *frames = calloc(PER_CALL, sizeof *frames);
    struct call *mine = calloc(1, sizeof *mine);
    for (unsigned i = 0; i < CALLS; i++) {
        memset(mine, 0, sizeof *mine);
        mine->chain = (struct lab_chain){.lists = mine->lists, .frames = mine->frames, .list_count = PER_CALL};
        for (unsigned j = 0; j < PER_CALL; j++) {
            make_producer_frame(&frames[j], producer->number, i * PER_CALL + j);
            mine->frames[j] = (struct lab_frame){
                .bytes = frames[j].bytes, .length = frames[j].length, .pieces = 2, .piece_length = {(UINT16)(i % 60)}};
            mine->lists[j].count = 1;
        }
        mine->chain.dispatch = i % 3 == 0;
        mine->chain.split = i % 2 ? 3 : 0;
        INT32 reached =
            producer->number % 2 ? lab_send(monitor.adapter, &mine->chain) : lab_receive(monitor.adapter, &mine->chain);
        producer->wrong += reached != PER_CALL;
        producer->passed += PER_CALL;
    }
    free(frames);
    free(mine);
    return NULL;
}

static struct {
    UINT64 stop; /* atomic */
    UINT64 records, wrong;
    unsigned next[PRODUCERS]; /* sequenceId that is due, or later where records were dropped */
} reading;

static void judge(const PTP_TIMESTAMP_EVENT *record)
{
    unsigned producer = record->sourceMac[5];
    if (producer >= PRODUCERS || record->direction != producer % 2 || record->sequence != ++reading.records ||
        record->sequenceId < reading.next[producer]) {
        reading.wrong++;
        return;
    }
    reading.next[producer] = record->sequenceId + 1u;
}

static void *read_on(void *context)
{
    PTP_TIMESTAMP_EVENT *records = context;
    for (;;) {
        int last = __atomic_load_n(&reading.stop, __ATOMIC_ACQUIRE) != 0;
        UINT32 count = monitor_drain(&monitor, records, 64);
        for (UINT32 i = 0; i < count; i++)
            judge(&records[i]);
        if (last && count == 0)
            return NULL;
    }
}

static void run_threads(UINT32 capacity)
{
    static PTP_TIMESTAMP_EVENT records[64];
    struct lab_adapter_config config = kit_adapter;
    struct producer producers[PRODUCERS];
    pthread_t reader;
    AVB_PTP_MONITOR_STATS stats;
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    config.ring_capacity = capacity;
    lab_run_counter();
    monitor_open(&monitor, &config);
    monitor_enable(&monitor);
    memset(&reading, 0, sizeof reading);
    assert_int_equal(pthread_create(&reader, NULL, read_on, records), 0);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.number = i};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    for (unsigned i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i].thread, NULL);
        assert_int_equal(producers[i].wrong, 0);
    }
    __atomic_store_n(&reading.stop, 1, __ATOMIC_RELEASE);
    pthread_join(reader, NULL);
    monitor_stats(&monitor, &stats);
    assert_int_equal(reading.wrong, 0);
    assert_int_equal(stats.frames_seen, PRODUCERS * CALLS * PER_CALL);
    assert_int_equal(stats.frames_seen, stats.frames_emitted + stats.frames_dropped);
    assert_int_equal(stats.events_emitted, stats.frames_emitted);
    assert_int_equal(stats.events_emitted, reading.records);
    assert_int_equal(stats.events_dropped, stats.frames_dropped);
    assert_int_equal(stats.events_dropped, stats.dropped_full + stats.dropped_contention);
    assert_int_equal(stats.bad_consumer_position, 0);
    printf("capacity %u: %llu records, %llu dropped\n", capacity, (unsigned long long)reading.records,
           (unsigned long long)stats.events_dropped);
    monitor_close(&monitor);
}

static void test_threads(void **state)
{
    (void)state;
    run_threads(65536);
    assert_int_equal(reading.records, PRODUCERS * CALLS * PER_CALL); /* there was room for all */
    run_threads(AVB_RING_MIN_CAPACITY);
}

/* ---- A full ring ---- */

static void push(UINT32 count)
{
    static struct test_frame made;
    make_producer_frame(&made, 1, 1);
    while (count > 0) {
        call_begin(&call);
        while (call.frame_count < LAB_MAX_FRAMES && call.frame_count < count)
            call_list(&call, made.bytes, made.length);
        assert_int_equal(lab_receive(monitor.adapter, &call.chain), call.chain.list_count);
        count -= call.frame_count;
    }
}

static void test_full_ring(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_adapter;
    static PTP_TIMESTAMP_EVENT records[AVB_RING_MIN_CAPACITY];
    AVB_PTP_MONITOR_STATS stats;
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    config.ring_capacity = AVB_RING_MIN_CAPACITY;
    lab_set_counter(NOW);
    monitor_open(&monitor, &config);
    monitor_enable(&monitor);
    assert_int_equal(monitor.monitoring.capacity, AVB_RING_MIN_CAPACITY);
    for (UINT32 round = 1; round <= 3; round++) {
        push(100); /* all of them reach the protocol: push() sees to that */
        monitor_stats(&monitor, &stats);
        assert_int_equal(stats.frames_seen, 100 * round);
        assert_int_equal(stats.frames_emitted, AVB_RING_MIN_CAPACITY * round);
        assert_int_equal(stats.frames_dropped, (100 - AVB_RING_MIN_CAPACITY) * round);
        assert_int_equal(stats.dropped_full, stats.frames_dropped);
        assert_int_equal(stats.events_dropped, stats.frames_dropped);
        assert_int_equal(stats.events_emitted, stats.frames_emitted);
        assert_int_equal(stats.high_water, AVB_RING_MIN_CAPACITY);
        assert_int_equal(monitor_drain(&monitor, records, AVB_RING_MIN_CAPACITY), AVB_RING_MIN_CAPACITY);
    }
    monitor_close(&monitor);
}

/* ---- A reader that rests ---- */

#define RATE 10000u /* records per second */

/* The driver's timer looks at the ring every few milliseconds of real time: what it will see is certain, not when. */
static UINT64 high_water_reaches(UINT64 expected)
{
    AVB_PTP_MONITOR_STATS stats;
    for (int i = 0; i < 5000; i++) {
        monitor_stats(&monitor, &stats);
        if (stats.high_water >= expected)
            break;
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
    }
    return stats.high_water;
}

/* How long a reader may rest at 10,000 records per second. Time is only a number here: of records. */
static void test_stalled_reader(void **state)
{
    (void)state;
    static PTP_TIMESTAMP_EVENT records[KIT_RECORDS];
    static const UINT32 stalls_ms[] = {10, 50, 100, 200, 400, 409, 500};
    for (size_t i = 0; i < sizeof stalls_ms / sizeof *stalls_ms; i++) {
        UINT32 pushed = stalls_ms[i] * RATE / 1000;
        UINT32 kept = pushed < AVB_RING_DEFAULT_CAPACITY ? pushed : AVB_RING_DEFAULT_CAPACITY;
        AVB_PTP_MONITOR_STATS stats;
        monitor_enable(&monitor);
        push(pushed);
        assert_int_equal(high_water_reaches(kept), kept);
        assert_int_equal(monitor_drain(&monitor, records, KIT_RECORDS), kept);
        monitor_stats(&monitor, &stats);
        assert_int_equal(stats.frames_dropped, pushed - kept);
        printf("a reader that rests %u ms at %u records/s: high-water mark %llu of %u, %llu dropped\n", stalls_ms[i],
               RATE, (unsigned long long)stats.high_water, AVB_RING_DEFAULT_CAPACITY,
               (unsigned long long)stats.frames_dropped);
        monitor_disable(&monitor);
    }
}

#define WITH_MONITOR(test) cmocka_unit_test_setup_teardown(test, open_and_enable, close_monitor)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MONITOR(test_one_record),
        WITH_MONITOR(test_corpus_received),
        WITH_MONITOR(test_corpus_sent),
        WITH_MONITOR(test_many_buffers),
        WITH_MONITOR(test_every_cut),
        WITH_MONITOR(test_many_cuts),
        WITH_MONITOR(test_offsets),
        WITH_MONITOR(test_unreadable),
        WITH_MONITOR(test_length_beyond_window),
        WITH_MONITOR(test_reasons),
        WITH_MONITOR(test_foreign),
        WITH_MONITOR(test_loopback),
        WITH_MONITOR(test_queues),
        WITH_MONITOR(test_vlan),
        WITH_MONITOR(test_reserved_bits_of_the_tag),
        WITH_MONITOR(test_window),
        WITH_MONITOR(test_jumbo),
        WITH_MONITOR(test_random_chains),
        WITH_MONITOR(test_paused),
        WITH_MONITOR(test_no_suspension_with_a_reference),
        cmocka_unit_test_setup_teardown(test_disabled, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_stalled_reader, open_monitor, close_monitor),
        cmocka_unit_test(test_full_ring),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, make_corpus, free_corpus);
}
