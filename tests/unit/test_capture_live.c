/* SPDX-License-Identifier: MIT */
/* Live capture on a veth pair in a private network namespace: `near` is captured, `far` is its peer. */
#include "frame_builder.h"
#include "namespace.h"

#include "capture.h"
#include "frame.h"
#include "vectors/frames.h"
#include <ptpmon.h>

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* ---- Sending ------------------------------------------------------------------------------- */

static int sender;

static void make_pair(void)
{
    assert_true(run("ip link add near type veth peer name far"));
    /* No frames of the kernel's own. */
    assert_true(run("ip link set near addrgenmode none; ip link set far addrgenmode none"));
    assert_true(run("ip link set near up && ip link set far up"));
}

static int set_up(void **state)
{
    (void)state;
    sender = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (sender < 0)
        return -1;
    make_pair();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(sender);
    (void)run("ip link del near 2>/dev/null");
    return 0;
}

static void send_bytes(const char *interface, const uint8_t *bytes, uint32_t length)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    if (sendto(sender, bytes, length, 0, (const struct sockaddr *)&to, sizeof to) != (ssize_t)length)
        fail_msg("%s: cannot send: %s", interface, strerror(errno));
}

static void send_frame(const char *interface, const struct test_frame *frame)
{
    send_bytes(interface, frame->bytes, frame->length);
}

/* RX: what `far` sends; TX: what `near` sends. */
static const char *sender_of(uint8_t direction)
{
    return direction == AVB_DIRECTION_RX ? "far" : "near";
}

static void send_syncs(uint8_t direction, uint32_t first_serial, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct test_frame frame = {0};
        put_addresses(&frame, first_serial + i);
        put_be16(&frame, AVB_ETHERTYPE_PTP);
        put_sync(&frame, i);
        send_frame(sender_of(direction), &frame);
    }
}

/* ---- Receiving ----------------------------------------------------------------------------- */

struct received {
    struct test_frame frame;
    uint32_t length;
    uint8_t direction;
    uint64_t number;
    int64_t time_ns;
};

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static ptpmon_capture *open_near(void)
{
    ptpmon_capture *capture = NULL;
    if (ptpmon_capture_open_live("near", &capture) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    return capture;
}

/* The next frame or final status; NOTHING after two seconds without either. */
static ptpmon_status next_within(ptpmon_capture *capture, ptpmon_frame *frame)
{
    for (int64_t end = now(CLOCK_MONOTONIC) + 2 * NS_PER_SECOND; now(CLOCK_MONOTONIC) < end; usleep(500)) {
        ptpmon_status status = ptpmon_capture_next(capture, frame);
        if (status != PTPMON_NOTHING)
            return status;
    }
    return PTPMON_NOTHING;
}

static void keep(const ptpmon_frame *frame, struct received *to)
{
    *to = (struct received){
        .length = frame->length,
        .direction = frame->direction,
        .number = frame->number,
        .time_ns = frame->time_ns,
    };
    put(&to->frame, frame->bytes, frame->captured_length);
}

/* Takes exactly `count` frames. */
static void receive(ptpmon_capture *capture, struct received *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ptpmon_frame frame;
        ptpmon_status status = next_within(capture, &frame);
        if (status != PTPMON_OK) {
            fail_msg("%s instead of frame %zu of %zu", ptpmon_status_name(status), i + 1, count);
            return;
        }
        keep(&frame, &frames[i]);
    }
}

static void assert_silence(ptpmon_capture *capture)
{
    ptpmon_frame frame;
    for (int i = 0; i < 20; i++, usleep(1000))
        assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_NOTHING);
}

/* Stops and takes the rest; returns how many of each direction came. */
static void drain(ptpmon_capture *capture, size_t counts[2])
{
    ptpmon_frame frame;
    ptpmon_status status;
    counts[0] = counts[1] = 0;
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    while ((status = next_within(capture, &frame)) == PTPMON_OK)
        counts[frame.direction]++;
    assert_int_equal(status, PTPMON_END);
}

/* ---- Every encapsulation ------------------------------------------------------------------- */

static void put_udp_sync(struct test_frame *frame, unsigned port, unsigned sequenceId)
{
    put_udp(frame, port, PTP_SYNC_LENGTH);
    put_sync(frame, sequenceId);
}

#define UDP_SYNC_LENGTH (8 + PTP_SYNC_LENGTH)

/* Shape s after the Ethernet addresses and tags; false: there are no more. */
static bool put_shape(struct test_frame *frame, unsigned s)
{
    switch (s) {
    case 0:
        put_be16(frame, AVB_ETHERTYPE_PTP);
        put_sync(frame, s);
        return true;
    case 1:
        put_be16(frame, AVB_ETHERTYPE_IPV4);
        put_ipv4(frame, AVB_PROTOCOL_UDP, 0, 0, UDP_SYNC_LENGTH);
        put_udp_sync(frame, 319, s);
        return true;
    case 2: /* options, first fragment */
        put_be16(frame, AVB_ETHERTYPE_IPV4);
        put_ipv4(frame, AVB_PROTOCOL_UDP, 24, 0x2000, UDP_SYNC_LENGTH);
        put_udp_sync(frame, 320, s);
        return true;
    case 3:
        put_be16(frame, AVB_ETHERTYPE_IPV6);
        put_ipv6(frame, AVB_PROTOCOL_UDP, UDP_SYNC_LENGTH);
        put_udp_sync(frame, 320, s);
        return true;
    case 4: /* hop-by-hop, routing, destination options */
        put_be16(frame, AVB_ETHERTYPE_IPV6);
        put_ipv6(frame, 0, 24 + UDP_SYNC_LENGTH);
        put_extension(frame, 43);
        put_extension(frame, 60);
        put_extension(frame, AVB_PROTOCOL_UDP);
        put_udp_sync(frame, 319, s);
        return true;
    case 5: /* first fragment */
        put_be16(frame, AVB_ETHERTYPE_IPV6);
        put_ipv6(frame, 44, 8 + UDP_SYNC_LENGTH);
        put_extension(frame, AVB_PROTOCOL_UDP);
        put_udp_sync(frame, 319, s);
        return true;
    case 6: /* authentication header, whose length counts otherwise: 16 bytes */
        put_be16(frame, AVB_ETHERTYPE_IPV6);
        put_ipv6(frame, 51, 16 + UDP_SYNC_LENGTH);
        put_be16(frame, AVB_PROTOCOL_UDP << 8 | 2);
        put_zeros(frame, 14);
        put_udp_sync(frame, 319, s);
        return true;
    default:
        return false;
    }
}

/* The tags of frames, outermost first; 0 ends. */
static const struct {
    uint16_t tpid, tci;
} tags[][5] = {
    {{0, 0}},
    {{AVB_ETHERTYPE_8021Q, 0x6005}},
    {{AVB_ETHERTYPE_8021Q, 0}}, /* priority tag without priority */
    {{AVB_ETHERTYPE_8021AD, 0x0FFE}},
    {{AVB_ETHERTYPE_QINQ_LEGACY, 0x2001}},
    {{AVB_ETHERTYPE_8021AD, 0xA064}, {AVB_ETHERTYPE_8021Q, 0x2005}},
    {{AVB_ETHERTYPE_8021Q, 1}, {AVB_ETHERTYPE_8021Q, 2}},
    {{AVB_ETHERTYPE_8021AD, 1}, {AVB_ETHERTYPE_8021AD, 2}, {AVB_ETHERTYPE_8021Q, 3}},
    {{AVB_ETHERTYPE_QINQ_LEGACY, 1}, {AVB_ETHERTYPE_8021AD, 2}, {AVB_ETHERTYPE_8021Q, 3}, {AVB_ETHERTYPE_8021Q, 4}},
};

#define TAGGINGS (sizeof tags / sizeof *tags)

static bool make_frame(struct test_frame *frame, unsigned tagging, unsigned shape, uint32_t serial)
{
    *frame = (struct test_frame){0};
    put_addresses(frame, serial);
    for (unsigned i = 0; i < 5 && tags[tagging][i].tpid != 0; i++)
        put_tag(frame, tags[tagging][i].tpid, tags[tagging][i].tci);
    return put_shape(frame, shape);
}

static enum avb_frame_kind kind_of(const uint8_t *bytes, uint32_t length)
{
    PTP_TIMESTAMP_EVENT event;
    struct avb_fragment fragment = {bytes, length};
    return avb_frame_parse(&fragment, 1, length, 0, &event);
}

/* What the filter must keep away: like PTP in one point, and not PTP. */
static void send_noise(const char *interface)
{
    for (unsigned tagging = 0; tagging < 3; tagging++) {
        for (unsigned noise = 0; noise < 7; noise++) {
            struct test_frame frame = {0};
            put_addresses(&frame, 0xFFFFFFFF);
            for (unsigned i = 0; i < tagging; i++)
                put_tag(&frame, AVB_ETHERTYPE_8021Q, 319);
            switch (noise) {
            case 0: /* ARP */
                put_be16(&frame, 0x0806);
                put_zeros(&frame, 46);
                break;
            case 1: /* from PTP's port, not to it */
                put_be16(&frame, AVB_ETHERTYPE_IPV4);
                put_ipv4(&frame, AVB_PROTOCOL_UDP, 0, 0, 8 + PTP_SYNC_LENGTH);
                put_be16(&frame, 319);
                put_be16(&frame, 321);
                put_be16(&frame, 8 + PTP_SYNC_LENGTH);
                put_be16(&frame, 0);
                put_sync(&frame, 0);
                break;
            case 2: /* TCP to the same port */
                put_be16(&frame, AVB_ETHERTYPE_IPV4);
                put_ipv4(&frame, 6, 0, 0, UDP_SYNC_LENGTH);
                put_udp_sync(&frame, 319, 0);
                break;
            case 3: /* a later fragment that looks like the first */
                put_be16(&frame, AVB_ETHERTYPE_IPV4);
                put_ipv4(&frame, AVB_PROTOCOL_UDP, 0, 0x0010, UDP_SYNC_LENGTH);
                put_udp_sync(&frame, 319, 0);
                break;
            case 4:
                put_be16(&frame, AVB_ETHERTYPE_IPV6);
                put_ipv6(&frame, 6, UDP_SYNC_LENGTH);
                put_udp_sync(&frame, 319, 0);
                break;
            case 5: /* ICMPv6 */
                put_be16(&frame, AVB_ETHERTYPE_IPV6);
                put_ipv6(&frame, 58, UDP_SYNC_LENGTH);
                put_udp_sync(&frame, 319, 0);
                break;
            default:
                put_be16(&frame, AVB_ETHERTYPE_IPV6);
                put_ipv6(&frame, AVB_PROTOCOL_UDP, UDP_SYNC_LENGTH);
                put_udp_sync(&frame, 318, 0);
                break;
            }
            send_frame(interface, &frame);
        }
    }
}

static void captures_every_encapsulation(void **state)
{
    uint8_t direction = *(const uint8_t *)*state;
    static struct test_frame sent[TAGGINGS * 16];
    static struct received received[TAGGINGS * 16];
    size_t count = 0;
    ptpmon_capture *capture = open_near();
    int64_t before = now(CLOCK_REALTIME);

    for (unsigned tagging = 0; tagging < TAGGINGS; tagging++) {
        for (unsigned shape = 0; make_frame(&sent[count], tagging, shape, (uint32_t)count); shape++) {
            assert_int_equal(kind_of(sent[count].bytes, sent[count].length), AVB_FRAME_PTP);
            send_noise(sender_of(direction));
            send_frame(sender_of(direction), &sent[count++]);
        }
    }
    receive(capture, received, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(received[i].frame.length, sent[i].length);
        assert_memory_equal(received[i].frame.bytes, sent[i].bytes, sent[i].length);
        assert_int_equal(received[i].length, sent[i].length);
        assert_int_equal(received[i].direction, direction);
        assert_int_equal(received[i].number, i + 1);
        assert_true(received[i].time_ns >= (i ? received[i - 1].time_ns : before));
    }
    assert_true(received[count - 1].time_ns <= now(CLOCK_REALTIME));
    assert_silence(capture);
    ptpmon_capture_close(capture);
}

/* ---- Whatever the parser takes for PTP ----------------------------------------------------- */

/* The kernel drops received frames that end right behind a tag before anybody sees them. */
#define SHORTEST 20u

/* The vector's frame as it goes over the wire: a tag beside it is put into it. False: it cannot be sent whole, or
 * is foreign. */
static bool put_vector(struct test_frame *frame, const struct frame_vector *vector)
{
    *frame = (struct test_frame){0};
    if (vector->captured != vector->length || vector->length < SHORTEST || vector->length + 4 > sizeof frame->bytes)
        return false;
    put(frame, vector->bytes, 12);
    if (vector->tag & AVB_TAG_PRESENT)
        put_tag(frame, AVB_ETHERTYPE_8021Q, vector->tag & 0xFFFFu);
    put(frame, vector->bytes + 12, vector->length - 12);
    return kind_of(frame->bytes, frame->length) != AVB_FRAME_FOREIGN;
}

static void captures_the_parsers_own_vectors(void **state)
{
    uint8_t direction = *(const uint8_t *)*state;
    size_t used = 0;
    ptpmon_capture *capture = open_near();
    for (size_t i = 0; i < frame_vector_count; i++) {
        struct test_frame sent;
        ptpmon_frame frame;
        if (!put_vector(&sent, &frame_vectors[i]))
            continue;
        send_frame(sender_of(direction), &sent);
        if (next_within(capture, &frame) != PTPMON_OK)
            fail_msg("%s was not captured", frame_vectors[i].name);
        assert_int_equal(frame.length, sent.length);
        assert_memory_equal(frame.bytes, sent.bytes, sent.length);
        used++;
    }
    assert_true(used > frame_vector_count / 4);
    ptpmon_capture_close(capture);
}

static uint32_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)random_state * below >> 32);
}

/* Any number of tags and IPv6 extension headers, and some bytes wrong. */
static void make_random_frame(struct test_frame *frame, uint32_t serial)
{
    static const uint16_t tpids[] = {AVB_ETHERTYPE_8021Q, AVB_ETHERTYPE_8021AD, AVB_ETHERTYPE_QINQ_LEGACY};
    static const uint8_t extensions[] = {0, 43, 44, 51, 60};
    *frame = (struct test_frame){0};
    put_addresses(frame, serial);
    for (uint32_t i = pick(6); i > 0; i--)
        put_tag(frame, tpids[pick(3)], pick(65536));

    if (pick(3) == 0) {
        uint32_t count = pick(10);
        uint8_t next = count ? extensions[pick(5)] : AVB_PROTOCOL_UDP;
        put_be16(frame, AVB_ETHERTYPE_IPV6);
        uint32_t payload_length_at = frame->length + 4;
        put_ipv6(frame, next, 0);
        uint32_t payload_at = frame->length;
        for (; count > 0; count--) {
            uint8_t this = next;
            next = count > 1 ? extensions[pick(5)] : AVB_PROTOCOL_UDP;
            put_u8(frame, next);
            put_u8(frame, this == 44 ? 0 : this == 51 ? 2 : 1); /* 8 or 16 bytes */
            put_zeros(frame, this == 44 ? 6 : 14);
        }
        put_udp_sync(frame, 317 + pick(5), serial);
        frame->bytes[payload_length_at] = (uint8_t)((frame->length - payload_at) >> 8);
        frame->bytes[payload_length_at + 1] = (uint8_t)(frame->length - payload_at);
    } else {
        put_shape(frame, pick(7));
    }
    if (pick(3) == 0)
        frame->length -= pick(frame->length - SHORTEST + 1);
    for (uint32_t i = pick(3); i > 0; i--)
        frame->bytes[12 + pick(frame->length - 12)] = (uint8_t)pick(256);
}

static void captures_whatever_the_parser_accepts(void **state)
{
    enum { FRAMES = 4000 };
    uint8_t direction = *(const uint8_t *)*state;
    static struct test_frame sent[FRAMES];
    static bool seen[FRAMES];
    ptpmon_capture *capture = open_near();
    ptpmon_frame frame;
    size_t needed = 0, foreign = 0;

    memset(seen, 0, sizeof seen);
    random_state = 20261122;
    for (uint32_t i = 0; i < FRAMES; i++) {
        make_random_frame(&sent[i], i);
        send_frame(sender_of(direction), &sent[i]);
    }
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    while (next_within(capture, &frame) == PTPMON_OK) {
        uint32_t serial = serial_of(frame.bytes);
        assert_true(serial < FRAMES && !seen[serial]);
        assert_int_equal(frame.length, sent[serial].length);
        assert_memory_equal(frame.bytes, sent[serial].bytes, frame.length);
        seen[serial] = true;
    }
    for (uint32_t i = 0; i < FRAMES; i++) {
        if (kind_of(sent[i].bytes, sent[i].length) != AVB_FRAME_FOREIGN) {
            needed++;
            if (!seen[i])
                fail_msg("frame %u is PTP for the parser, but was not captured", i);
        } else {
            foreign++;
        }
    }
    assert_true(needed > FRAMES / 4 && foreign > FRAMES / 8); /* the random frames are of use */
    ptpmon_capture_close(capture);
}

/* ---- Tags out of band on the way out ------------------------------------------------------- */

/* A tc program that tags every frame, as a VLAN device does: beside the frame, not in it. */
static int attach_tagger(const char *interface)
{
    const struct bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0x0081}, /* 0x8100 in network order */
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0x6005},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1}, /* TCX_NEXT */
        {.code = BPF_JMP | BPF_EXIT},
    };
    const int tcx_egress = 47; /* BPF_TCX_EGRESS */
    int program =
        bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagger", "Dual MIT/GPL", code, sizeof code / sizeof *code, NULL);
    if (program < 0)
        return -1;
    int link = bpf_link_create(program, (int)if_nametoindex(interface), tcx_egress, NULL);
    close(program);
    return link;
}

static void puts_tags_back_on_the_way_out(void **state)
{
    (void)state;
    int link = attach_tagger("near");
    if (link < 0) {
        print_message("this kernel refuses a tc program through TCX: %s\n", strerror(errno));
        skip();
    }
    ptpmon_capture *capture = open_near();
    for (unsigned shape = 0; shape < 7; shape++) {
        struct test_frame frame, tagged;
        struct received received;
        for (unsigned tagging = 0; tagging < 2; tagging++) {
            make_frame(&frame, tagging, shape, shape);
            send_frame("near", &frame);
            tagged = (struct test_frame){0};
            put(&tagged, frame.bytes, 12);
            put_tag(&tagged, AVB_ETHERTYPE_8021Q, 0x6005);
            put(&tagged, frame.bytes + 12, frame.length - 12);
            receive(capture, &received, 1);
            assert_int_equal(received.frame.length, tagged.length);
            assert_memory_equal(received.frame.bytes, tagged.bytes, tagged.length);
            assert_int_equal(received.direction, AVB_DIRECTION_TX);
        }
    }
    close(link);
    ptpmon_capture_close(capture);
}

/* ---- Course of a capture ------------------------------------------------------------------- */

static void captures_from_the_first_frame_on(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct received received[2];
        ptpmon_capture_statistics statistics;
        int64_t before = now(CLOCK_REALTIME);
        ptpmon_capture *capture = open_near();
        send_syncs(AVB_DIRECTION_RX, 1, 1);
        send_syncs(AVB_DIRECTION_TX, 2, 1);
        receive(capture, received, 2);
        assert_int_equal(received[0].direction + received[1].direction, 1);
        assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
        assert_int_equal(statistics.frames, 2);
        assert_int_equal(statistics.stopped_at, 0);
        assert_true(statistics.started_at <= received[0].time_ns && statistics.started_at <= received[1].time_ns);
        assert_true(statistics.started_at >= before);
        ptpmon_capture_close(capture);
    }
}

static void does_not_hold_what_passed_before(void **state)
{
    (void)state;
    send_syncs(AVB_DIRECTION_RX, 1, 5);
    ptpmon_capture *capture = open_near();
    assert_silence(capture);
    ptpmon_capture_close(capture);
}

static void serves_both_directions_in_turn(void **state)
{
    (void)state;
    enum { EACH = 50 };
    struct received received[2 * EACH];
    ptpmon_capture *capture = open_near();
    send_syncs(AVB_DIRECTION_RX, 1000, EACH);
    send_syncs(AVB_DIRECTION_TX, 2000, EACH);
    receive(capture, received, 2 * EACH);
    for (uint32_t i = 0; i < 2 * EACH; i++) {
        assert_int_equal(received[i].direction, (received[0].direction + i) % 2);
        uint32_t first = received[i].direction == AVB_DIRECTION_RX ? 1000 : 2000;
        assert_int_equal(serial_of(received[i].frame.bytes), first + i / 2);
    }
    ptpmon_capture_close(capture);
}

static void never_waits(void **state)
{
    (void)state;
    ptpmon_frame frame;
    ptpmon_capture *capture = open_near();
    struct rusage before, after; /* who waits gives the processor away */
    assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_NOTHING);
    assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 100);
    ptpmon_capture_close(capture);
}

static void delivers_what_it_holds_after_the_stop(void **state)
{
    (void)state;
    enum { EACH = 40 };
    ptpmon_frame frame;
    ptpmon_capture_statistics statistics;
    ptpmon_status status;
    size_t counts[2] = {0};
    ptpmon_capture *capture = open_near();

    send_syncs(AVB_DIRECTION_RX, 0, EACH);
    send_syncs(AVB_DIRECTION_TX, 0, EACH);
    int64_t before = now(CLOCK_REALTIME);
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    int64_t after = now(CLOCK_REALTIME);
    usleep(1000);
    send_syncs(AVB_DIRECTION_RX, EACH, EACH);
    send_syncs(AVB_DIRECTION_TX, EACH, EACH);
    usleep(1000);
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK); /* changes nothing any more */

    while ((status = next_within(capture, &frame)) == PTPMON_OK) {
        assert_true(serial_of(frame.bytes) < EACH);
        counts[frame.direction]++;
    }
    assert_int_equal(status, PTPMON_END);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_int_equal(counts[AVB_DIRECTION_RX], EACH);
    assert_int_equal(counts[AVB_DIRECTION_TX], EACH);
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_true(statistics.stopped_at >= before && statistics.stopped_at <= after);
    assert_int_equal(statistics.frames, 2 * EACH);
    assert_int_equal(statistics.dropped, 0);
    ptpmon_capture_close(capture);
}

static void ends_under_steady_traffic(void **state)
{
    (void)state;
    ptpmon_frame frame;
    ptpmon_status status = PTPMON_OK;
    ptpmon_capture *capture = open_near();
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    int64_t end = now(CLOCK_MONOTONIC) + 2 * NS_PER_SECOND;
    while (status != PTPMON_END && now(CLOCK_MONOTONIC) < end) {
        send_syncs(AVB_DIRECTION_RX, 0, 4);
        send_syncs(AVB_DIRECTION_TX, 0, 4);
        status = ptpmon_capture_next(capture, &frame);
        assert_int_not_equal(status, PTPMON_OK);
    }
    assert_int_equal(status, PTPMON_END);
    ptpmon_capture_close(capture);
}

/* More than the buffer holds: what does not come is counted, of this direction only. */
static void counts_what_it_loses(void **state)
{
    uint8_t direction = *(const uint8_t *)*state;
    enum { MANY = 20000, FEW = 100 };
    size_t counts[2];
    ptpmon_capture_statistics statistics;
    ptpmon_capture *capture = open_near();

    send_syncs(direction, 0, MANY);
    send_syncs(direction ^ 1u, 0, FEW);
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_true(statistics.dropped > 0 && statistics.dropped < MANY / 4);
    uint64_t dropped = statistics.dropped;
    drain(capture, counts);
    send_syncs(direction, 0, MANY); /* nobody reads them, but that is no loss */
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_int_equal(statistics.dropped, dropped);
    assert_int_equal(counts[direction] + statistics.dropped, MANY);
    assert_int_equal(counts[direction ^ 1u], FEW);
    ptpmon_capture_close(capture);
}

static ptpmon_capture_loss loss_of(ptpmon_capture *capture)
{
    ptpmon_capture_loss loss = {0};
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_OK);
    return loss;
}

/* Each loss once, between two looks at the counters; that somebody reads the statistics is no look. */
static void locates_what_it_loses(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    ptpmon_capture_loss loss;
    ptpmon_capture_statistics statistics;
    size_t counts[2];
    ptpmon_capture *capture = open_near();
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    send_syncs(AVB_DIRECTION_RX, 0, MANY);
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    uint64_t dropped = statistics.dropped;
    assert_true(dropped > 0);
    int64_t before = now(CLOCK_REALTIME);
    loss = loss_of(capture);
    int64_t after = now(CLOCK_REALTIME);
    assert_int_equal(loss.frames, dropped);
    assert_int_equal(loss.from, statistics.started_at);
    assert_true(loss.to >= before && loss.to <= after);
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);

    before = now(CLOCK_REALTIME);
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);
    after = now(CLOCK_REALTIME);
    send_syncs(AVB_DIRECTION_RX, MANY, 100); /* the buffer is still full */
    send_syncs(AVB_DIRECTION_TX, 0, MANY);
    loss = loss_of(capture);
    assert_true(loss.from >= before && loss.from <= after && loss.to > loss.from);
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_int_equal(dropped + loss.frames, statistics.dropped);
    drain(capture, counts);
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);
    assert_int_equal(counts[0] + counts[1] + statistics.dropped, 2 * MANY + 100);
    ptpmon_capture_close(capture);
}

static void knows_its_interface(void **state)
{
    (void)state;
    ptpmon_capture_interface about;
    char host[256] = "", boot_id[64] = "";
    assert_true(run("ip link set near address 02:00:00:00:00:07"));
    ptpmon_capture *capture = open_near();
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(fgets(boot_id, sizeof boot_id, file));
    fclose(file);
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_int_equal(ptpmon_capture_interface_count(capture), 1);
    assert_int_equal(ptpmon_capture_interface_get(capture, 0, &about), PTPMON_OK);
    assert_string_equal(about.name, "near");
    assert_true(about.has_mac);
    assert_memory_equal(about.mac, ((const uint8_t[]){2, 0, 0, 0, 0, 7}), 6);
    assert_string_equal(about.host, host);
    assert_int_equal(strlen(about.boot_id), 36);
    assert_memory_equal(about.boot_id, boot_id, 36);
    assert_int_equal(ptpmon_capture_select(capture, 0), PTPMON_OK);
    assert_int_equal(ptpmon_capture_select(capture, 1), PTPMON_INVALID);
    assert_int_equal(ptpmon_capture_rewind(capture), PTPMON_INVALID);
    assert_int_equal(ptpmon_capture_kind_of(capture), PTPMON_CAPTURE_LIVE);
    assert_string_equal(ptpmon_capture_name(capture), "near");
    ptpmon_capture_close(capture);
}

/* ---- What others capture at the same time ------------------------------------------------ */

#define PATIENCE 3000 /* times 10 ms */

/* How many sockets capture everything on `near`, as this namespace's /proc/net/packet tells. */
static unsigned capturing(void)
{
    char line[256];
    unsigned count = 0, protocol, index, is_running;
    FILE *file = fopen("/proc/self/net/packet", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%*s %*s %*s %x %u %u", &protocol, &index, &is_running) == 3)
            count += protocol == ETH_P_ALL && index == if_nametoindex("near") && is_running;
    }
    fclose(file);
    return count;
}

/* In what another writes still. */
static size_t frames_in(const char *path)
{
    ptpmon_capture *capture;
    ptpmon_frame frame;
    size_t count = 0;
    if (ptpmon_capture_open_file(path, &capture) != PTPMON_OK)
        return 0; /* nothing yet */
    while (ptpmon_capture_next(capture, &frame) == PTPMON_OK)
        count++;
    ptpmon_capture_close(capture);
    return count;
}

/* Starts `command`, in which %s stands for the file it writes; sends while it runs and compares its file with the live
 * capture: the same frames at the same times, to its precision. */
static void compare_with(const char *command, uint32_t resolution_ns, bool has_statistics)
{
    enum { EACH = 20 };
    static struct received live[2 * EACH];
    char path[] = "/tmp/ptpmon-test-other-XXXXXX", line[512];
    int made = mkstemp(path);
    assert_true(made >= 0);
    close(made);
    ptpmon_capture *capture = open_near();
    unsigned own = capturing();
    pid_t child = fork();
    if (child == 0) {
        snprintf(line, sizeof line, "exec ");
        snprintf(line + 5, sizeof line - 5, command, path);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < PATIENCE && capturing() == own; i++)
        usleep(10000);
    int64_t before = now(CLOCK_REALTIME);
    for (uint32_t i = 0; i < EACH; i++) {
        send_syncs(AVB_DIRECTION_RX, 2 * i, 1);
        send_syncs(AVB_DIRECTION_TX, 2 * i + 1, 1);
    }
    receive(capture, live, 2 * EACH);
    usleep(500000); /* it runs on */
    for (int i = 0; i < PATIENCE && frames_in(path) < 2 * EACH; i++)
        usleep(10000);
    assert_int_equal(kill(child, SIGINT), 0);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    ptpmon_capture_close(capture);

    ptpmon_frame frame;
    size_t frames = 0;
    ptpmon_capture_statistics statistics;
    if (ptpmon_capture_open_file(path, &capture) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    while (ptpmon_capture_next(capture, &frame) == PTPMON_OK) {
        assert_int_equal(frame.resolution_ns, resolution_ns);
        for (size_t i = 0; i < 2 * EACH; i++) {
            if (serial_of(live[i].frame.bytes) != serial_of(frame.bytes))
                continue;
            assert_true(live[i].time_ns / resolution_ns * resolution_ns == frame.time_ns);
            assert_int_equal(live[i].length, frame.length);
            assert_memory_equal(live[i].frame.bytes, frame.bytes, frame.captured_length);
            frames++;
        }
    }
    assert_int_equal(frames, 2 * EACH);
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_int_equal(statistics.dropped, 0);
    assert_true(statistics.started_at >= before);
    assert_true(statistics.stopped_at > statistics.started_at && statistics.stopped_at <= now(CLOCK_REALTIME));
    if (has_statistics) {
        ptpmon_capture_interface about;
        assert_int_equal(ptpmon_capture_interface_get(capture, 0, &about), PTPMON_OK);
        assert_string_equal(about.name, "near");
        /* It ran on after the last frame. */
        assert_true(statistics.stopped_at > statistics.started_at + NS_PER_SECOND / 4);
    }
    ptpmon_capture_close(capture);
    unlink(path);
}

static void agrees_with_tcpdump(void **state)
{
    (void)state;
    if (!run("command -v tcpdump >/dev/null")) {
        print_message("tcpdump is not installed\n");
        skip();
    }
    compare_with("tcpdump -i near -B 4096 -w %s -U --immediate-mode --time-stamp-precision=nano 2>/dev/null", 1, false);
    compare_with("tcpdump -i near -B 4096 -w %s -U --immediate-mode 2>/dev/null", 1000, false);
}

static void agrees_with_dumpcap(void **state)
{
    (void)state;
    if (!run("command -v dumpcap >/dev/null")) {
        print_message("dumpcap is not installed\n");
        skip();
    }
    compare_with("dumpcap -q -i near -w %s 2>/dev/null", 1, true);
}

static void survives_the_interface_going_down(void **state)
{
    (void)state;
    struct received received;
    ptpmon_capture *capture = open_near();
    assert_true(run("ip link set near down"));
    assert_silence(capture);
    assert_true(run("ip link set near up"));
    send_syncs(AVB_DIRECTION_TX, 7, 1);
    receive(capture, &received, 1);
    assert_int_equal(serial_of(received.frame.bytes), 7);
    ptpmon_capture_close(capture);
}

/* ---- What goes wrong ----------------------------------------------------------------------- */

static void assert_message_names(const char *what)
{
    if (strstr(ptpmon_error_message(), what) == NULL)
        fail_msg("the message does not name \"%s\": %s", what, ptpmon_error_message());
}

static void reports_a_vanished_interface(void **state)
{
    (void)state;
    struct received received[6];
    ptpmon_frame frame;
    ptpmon_capture_statistics statistics;
    ptpmon_capture *capture = open_near();
    send_syncs(AVB_DIRECTION_RX, 0, 3);
    send_syncs(AVB_DIRECTION_TX, 0, 3);
    assert_true(run("ip link del near"));
    make_pair(); /* one of the same name is another one */
    receive(capture, received, 6);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(next_within(capture, &frame), PTPMON_NO_INTERFACE);
        assert_message_names("near: ");
        assert_message_names("vanished");
    }
    send_syncs(AVB_DIRECTION_TX, 0, 1);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_NO_INTERFACE);
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_int_equal(statistics.frames, 6);
    assert_int_equal(statistics.dropped, 0);
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    ptpmon_capture_close(capture);
}

static void ends_where_the_interface_vanishes_after_the_stop(void **state)
{
    (void)state;
    size_t counts[2];
    ptpmon_capture *capture = open_near();
    send_syncs(AVB_DIRECTION_RX, 0, 3);
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    assert_true(run("ip link del near"));
    drain(capture, counts);
    assert_int_equal(counts[AVB_DIRECTION_RX], 3);
    ptpmon_capture_close(capture);
    make_pair();
}

static void assert_refuses(const char *name, ptpmon_status status, const char *why)
{
    ptpmon_capture *capture = NULL;
    assert_int_equal(ptpmon_capture_open_live(name, &capture), status);
    assert_null(capture);
    assert_message_names(name);
    assert_message_names(why);
}

static void refuses_what_is_no_interface(void **state)
{
    (void)state;
    assert_refuses("nosuch0", PTPMON_NO_INTERFACE, "ptpmon list");
    assert_refuses("any", PTPMON_NO_INTERFACE, "ptpmon list");
    assert_refuses("", PTPMON_NO_INTERFACE, "ptpmon list");
}

static void refuses_an_interface_that_is_down(void **state)
{
    (void)state;
    assert_true(run("ip link set near down"));
    assert_refuses("near", PTPMON_IO, "ip link set near up");
    assert_true(run("ip link set near up"));
}

static void refuses_other_framing(void **state)
{
    (void)state;
    if (!run("ip tuntap add dev tun0 mode tun 2>/dev/null")) {
        print_message("this kernel has no tun devices\n");
        skip();
    }
    assert_true(run("ip link set tun0 up"));
    assert_refuses("tun0", PTPMON_NOT_SUPPORTED, "RAW");
    assert_true(run("ip tuntap del dev tun0 mode tun"));
}

static void needs_cap_net_raw(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        ptpmon_capture *capture = NULL;
        bool refused = setgid(65534) == 0 && setuid(65534) == 0 &&
                       ptpmon_capture_open_live("near", &capture) == PTPMON_NO_PERMISSION && capture == NULL &&
                       strstr(ptpmon_error_message(), "near: ") != NULL &&
                       strstr(ptpmon_error_message(), "CAP_NET_RAW") != NULL;
        _exit(refused ? 0 : 1);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

/* The thread may enter another namespace while the capture runs. */
static void stays_in_its_namespace(void **state)
{
    (void)state;
    struct received received;
    ptpmon_frame frame;
    ptpmon_capture *capture = open_near();
    send_syncs(AVB_DIRECTION_RX, 9, 1);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_true(home >= 0);
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    receive(capture, &received, 1);
    assert_int_equal(serial_of(received.frame.bytes), 9);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_NOTHING);
    assert_int_equal(setns(home, CLONE_NEWNET), 0);
    close(home);
    ptpmon_capture_close(capture);
}

/* What a test in one direction gets as its state. */
static uint8_t direction_rx = AVB_DIRECTION_RX, direction_tx = AVB_DIRECTION_TX;

#define RECEIVED(test) \
    { \
#test " RX", test, NULL, NULL, &direction_rx \
    }
#define SENT(test) \
    { \
#test " TX", test, NULL, NULL, &direction_tx \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECEIVED(captures_every_encapsulation),
        SENT(captures_every_encapsulation),
        RECEIVED(captures_whatever_the_parser_accepts),
        SENT(captures_whatever_the_parser_accepts),
        RECEIVED(captures_the_parsers_own_vectors),
        SENT(captures_the_parsers_own_vectors),
        cmocka_unit_test(puts_tags_back_on_the_way_out),
        cmocka_unit_test(captures_from_the_first_frame_on),
        cmocka_unit_test(does_not_hold_what_passed_before),
        cmocka_unit_test(serves_both_directions_in_turn),
        cmocka_unit_test(never_waits),
        cmocka_unit_test(delivers_what_it_holds_after_the_stop),
        cmocka_unit_test(ends_under_steady_traffic),
        RECEIVED(counts_what_it_loses),
        SENT(counts_what_it_loses),
        cmocka_unit_test(locates_what_it_loses),
        cmocka_unit_test(knows_its_interface),
        cmocka_unit_test(agrees_with_tcpdump),
        cmocka_unit_test(agrees_with_dumpcap),
        cmocka_unit_test(survives_the_interface_going_down),
        cmocka_unit_test(reports_a_vanished_interface),
        cmocka_unit_test(ends_where_the_interface_vanishes_after_the_stop),
        cmocka_unit_test(refuses_what_is_no_interface),
        cmocka_unit_test(refuses_an_interface_that_is_down),
        cmocka_unit_test(refuses_other_framing),
        cmocka_unit_test(needs_cap_net_raw),
        cmocka_unit_test(stays_in_its_namespace),
    };
    if (!enter_private_namespace())
        return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
