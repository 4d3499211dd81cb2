/* SPDX-License-Identifier: MIT */
/*
 * Which stamp a record gets, of which kind, and what is refused and counted. The judge is a table of what
 * NDIS_TIMESTAMP_CAPABILITY_FLAGS promises, written from its documentation; for the NIC's registers a
 * model of them.
 */
#include "monitor_kit.h"

#include "stamp_oracle.h"
#include "stamps.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "unit/frame_builder.h"
#include "unit/nic_model.h"

__extension__ typedef unsigned __int128 wide;

#define ALL_TX_FLAGS 0x36CCu /* of NDIS_TIMESTAMP_CAPABILITY_FLAGS: bits 2, 3, 6, 7, 9, 10, 12, 13 */

#define NOW      123456789012345u       /* ticks of the performance counter */
#define AGE      (10u * KIT_COUNTER_HZ) /* that a software stamp may have */
#define GHZ      1000000000u
#define NIC_TIME 1795392000000000000u /* ns: far from NOW */

static struct monitor monitor;
static struct call call;
static struct truth truth;

static int open_and_enable(void **state)
{
    (void)state;
    lab_set_counter(NOW);
    monitor_open(&monitor, &kit_adapter);
    monitor_enable(&monitor);
    return 0;
}

static int close_monitor(void **state)
{
    (void)state;
    monitor_close(&monitor);
    return 0;
}

/* ---- What is promised ---- */

static NDIS_TIMESTAMP_CAPABILITIES capabilities(UINT64 hz, UINT32 set)
{
    NDIS_TIMESTAMP_CAPABILITIES config = {
        .Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_TIMESTAMP_CAPABILITIES_REVISION_1,
                   NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1},
        .HardwareClockFrequencyHz = hz,
    };
    for (UINT32 flag = 0; flag < STAMP_FLAGS; flag++)
        ((UINT8 *)&config.TimestampFlags)[flag] = (set >> flag & 1) != 0;
    return config;
}

/* All of them: 16384 configurations and every kind of frame. */
static void test_promises(void **state)
{
    (void)state;
    static const AVB_STAMP_PROMISE results[] = {
        [0] = AVB_PROMISE_NONE,
        [PROMISED_HARDWARE] = AVB_PROMISE_HARDWARE,
        [PROMISED_SOFTWARE] = AVB_PROMISE_SOFTWARE,
        [PROMISED_HARDWARE | PROMISED_SOFTWARE] = AVB_PROMISE_BOTH,
    };
    for (UINT32 set = 0; set <= ALL_STAMP_FLAGS; set++) {
        NDIS_TIMESTAMP_CAPABILITIES ndis = capabilities(GHZ, set);
        AVB_STAMP_CONFIG config = AvbStampConfig(&ndis, NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1);
        assert_int_equal(AvbStampFlags(config), set);
        for (UINT32 i = 0; i < 3 * 16 * 2 * 2; i++) {
            PTP_TIMESTAMP_EVENT event = {.messageType = i & 15, .transport = (UINT8)(i / 64)};
            UINT8 direction = i >> 4 & 1;
            int tagged = i >> 5 & 1;
            AVB_STAMP_PROMISE promise =
                AvbStampPromise(config, &event, direction, tagged ? NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT : 0);
            if (promise != results[stamp_promised(set, event.transport, event.messageType, direction, tagged)])
                fail_msg("flags %x, transport %u, messageType %u, direction %u, tagged %d: %d", set, event.transport,
                         event.messageType, direction, tagged, promise);
        }
    }
}

/* ---- Frames ---- */

#define MADE 256
static struct test_frame made[MADE];
static UINT32 made_count;

static const struct test_frame *ptp(UINT32 transport, UINT32 type, UINT32 sequenceId)
{
    struct test_frame *frame = &made[made_count++ % MADE];
    frame->length = 0;
    put_addresses(frame, sequenceId);
    if (transport == AVB_TRANSPORT_ETHERNET) {
        put_be16(frame, 0x88F7);
    } else if (transport == AVB_TRANSPORT_UDP_IPV4) {
        put_be16(frame, 0x0800);
        put_ipv4(frame, 17, 0, 0, 8 + PTP_SYNC_LENGTH);
    } else {
        put_be16(frame, 0x86DD);
        put_ipv6(frame, 17, 8 + PTP_SYNC_LENGTH);
    }
    if (transport != AVB_TRANSPORT_ETHERNET)
        put_udp(frame, type & 8 ? 320 : 319, PTP_SYNC_LENGTH);
    UINT32 header = frame->length;
    put_sync(frame, sequenceId);
    frame->bytes[header] = (uint8_t)type;
    return frame;
}

static struct lab_list *add(UINT32 transport, UINT32 type, UINT32 sequenceId)
{
    const struct test_frame *frame = ptp(transport, type, sequenceId);
    return call_list(&call, frame->bytes, frame->length);
}

static PTP_TIMESTAMP_EVENT event_of(const struct lab_frame *frame, UINT8 direction)
{
    PTP_TIMESTAMP_EVENT event;
    int either;
    assert_int_equal(frame_truth(frame, 0, &event, &either), AVB_FRAME_PTP);
    event.direction = direction;
    event.system_timestamp = NOW;
    event.queueId = AVB_QUEUE_UNKNOWN;
    return event;
}

/* ---- What is to come of a call ---- */

static int is_tagged(const struct lab_list *list)
{
    return (list->nbl_flags & NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT) != 0;
}

/* 1: the event has a stamp now. */
static int stamp(PTP_TIMESTAMP_EVENT *event, const struct stamp_configuration *config, const struct lab_list *list)
{
    UINT32 reason;
    int stamped = stamp_truth(config, event, is_tagged(list), list->timestamp, NOW, KIT_COUNTER_HZ, &reason);
    if (reason < AVB_PTP_REASONS)
        truth.reasons[reason]++;
    return stamped;
}

static void expect_received(const struct stamp_configuration *config)
{
    for (UINT32 i = 0; i < call.chain.list_count; i++) {
        PTP_TIMESTAMP_EVENT event = event_of(&call.frames[i], AVB_DIRECTION_RX);
        stamp(&event, config, &call.lists[i]);
        truth_add_record(&truth, &event);
    }
}

static void expect_sent(const struct stamp_configuration *config)
{
    for (UINT32 i = 0; i < call.chain.list_count; i++) {
        PTP_TIMESTAMP_EVENT event = event_of(&call.frames[i], AVB_DIRECTION_TX);
        if (stamp_is_expected(config, &event, is_tagged(&call.lists[i])))
            event.stamp |= AVB_STAMP_EXPECTED;
        truth_add_record(&truth, &event);
    }
}

static void expect_completed(const struct stamp_configuration *config)
{
    for (UINT32 i = 0; i < call.chain.list_count; i++) {
        const struct lab_list *list = &call.lists[i];
        PTP_TIMESTAMP_EVENT event = event_of(&call.frames[i], AVB_DIRECTION_TX);
        if (list->status != NDIS_STATUS_SUCCESS) {
            if (list->timestamp != 0 && config->set & ALL_TX_FLAGS)
                truth.reasons[AVB_REASON_NOT_SENT]++;
        } else if (stamp(&event, config, list)) {
            event.stamp |= AVB_STAMP_LATE;
            truth_add_record(&truth, &event);
        }
    }
}

static void run(UINT8 direction, const struct stamp_configuration *config)
{
    truth_begin(&truth, monitor.tickets);
    if (direction == AVB_DIRECTION_RX) {
        expect_received(config);
    } else {
        expect_sent(config);
        expect_completed(config);
    }
    monitor_run(&monitor, &call, direction, &truth);
}

static void configure(const struct stamp_configuration *config)
{
    lab_set_timestamp_config(monitor.adapter, config->hz, config->set);
}

/* ---- Every configuration that matters, through the handlers ---- */

#define KINDS_OF_FRAMES 48 /* transports and types */

/* Half of the values are of a NIC's clock, half of the performance counter. */
static void add_all_frames(int tagged, UINT32 turn)
{
    call_begin(&call);
    for (UINT32 i = 0; i < KINDS_OF_FRAMES; i++) {
        struct lab_list *list = add(i / 16, i % 16, 1000 + i);
        list->nbl_flags = tagged ? NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT : 0;
        list->timestamp = (i + turn) % 2 ? NIC_TIME + i * 1000003u : NOW - i;
        list->stale = i % 3 == 0 ? NIC_TIME - 1 - i : i % 3 == 1 ? NOW - 7 : 0;
        list->status = i % 7 == 3 ? NDIS_STATUS_FAILURE : i % 7 == 4 ? NDIS_STATUS_PAUSED : NDIS_STATUS_SUCCESS;
    }
    call.chain.dispatch = turn & 1;
}

static void run_configuration(UINT32 set)
{
    const struct stamp_configuration config = {GHZ, set};
    configure(&config);
    for (UINT32 turn = 0; turn < 4; turn++) {
        add_all_frames(turn & 1, turn >> 1);
        run(AVB_DIRECTION_RX, &config);
        run(AVB_DIRECTION_TX, &config);
    }
}

static void test_configurations(void **state)
{
    (void)state;
    struct random random = {11};
    run_configuration(0);
    for (UINT32 one = 0; one < STAMP_FLAGS; one++) {
        for (UINT32 other = one; other < STAMP_FLAGS; other++)
            run_configuration(BIT(one) | BIT(other));
    }
    for (int i = 0; i < 40; i++)
        run_configuration((UINT32)random_below(&random, ALL_STAMP_FLAGS + 1));
    run_configuration(ALL_STAMP_FLAGS);
}

/* The adapter's configuration from before it was attached comes by the OID, at restart. */
static void test_configuration_by_oid(void **state)
{
    (void)state;
    struct lab_adapter_config attached = kit_adapter;
    const struct stamp_configuration config = {125000000, BIT(RX_HW) | BIT(TX_HW)};
    AVB_PTP_MONITOR_STATS stats;
    attached.frequency_hz = config.hz;
    attached.timestamp_flags = config.set;
    lab_set_counter(NOW);
    monitor_open(&monitor, &attached);
    monitor_stats(&monitor, &stats);
    assert_int_equal(stats.hardware_clock_hz, config.hz);
    assert_int_equal(stats.timestamp_flags, config.set);
    assert_int_equal(stats.source, AVB_SOURCE_NDIS);
    monitor_enable(&monitor);
    add_all_frames(0, 0);
    run(AVB_DIRECTION_RX, &config);
    run(AVB_DIRECTION_TX, &config);
    monitor_close(&monitor);
}

/* What is no such structure is no configuration; a longer one, of a later revision, is. */
static void test_odd_indications(void **state)
{
    (void)state;
    NDIS_TIMESTAMP_CAPABILITIES ndis = capabilities(GHZ, BIT(RX_HW));
    const UINT32 least = NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1;
    UINT8 longer[128] = {0};
    AVB_PTP_MONITOR_STATS stats;
    const UINT32 code = (UINT32)NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG;
    static const struct {
        UINT32 bytes;
        UINT16 size;
        int valid;
    } cases[] = {{54, 54, 1}, {56, 54, 1}, {56, 56, 1}, {53, 54, 0}, {54, 53, 0}, {0, 54, 0}, {128, 128, 1}, {4, 4, 0}};
    assert_int_equal(least, 54);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ndis.Header.Size = cases[i].size;
        memcpy(longer, &ndis, sizeof ndis);
        lab_indicate_status(monitor.adapter, code, longer, cases[i].bytes);
        monitor_stats(&monitor, &stats);
        assert_int_equal(stats.timestamp_flags, cases[i].valid ? BIT(RX_HW) : 0);
    }
    ndis.Header.Size = (UINT16)least;
    lab_indicate_status(monitor.adapter, (UINT32)NDIS_STATUS_TIMESTAMP_CAPABILITY, &ndis, sizeof ndis);
    monitor_stats(&monitor, &stats);
    assert_int_equal(stats.timestamp_flags, 0); /* what it could do is not what it does */
}

/* ---- Frequencies ---- */

static const UINT64 frequencies[] = {
    GHZ,        125000000,        10000000,         3,          1, 2,         7, 312500000, GHZ + 1, GHZ - 1,
    1ULL << 34, (1ULL << 34) - 1, (1ULL << 34) + 1, 1ULL << 35, 0, UINT64_MAX};

static UINT64 odd_ticks(struct random *random, UINT64 hz)
{
    static const UINT64 ends[] = {1, 2, 3, GHZ - 1, GHZ, GHZ + 1, UINT64_MAX, UINT64_MAX - 1, NIC_TIME, 1ULL << 63};
    switch (random_below(random, 4)) {
    case 0:
        return ends[random_below(random, sizeof ends / sizeof *ends)];
    case 1: /* about what fits into 64 bits of ns */
        return hz == 0 ? 5 : (UINT64)((wide)UINT64_MAX * hz / GHZ) + random_below(random, 5) - 2;
    case 2:
        return random_next(random) >> random_below(random, 64);
    default:
        return random_next(random);
    }
}

static void test_conversion(void **state)
{
    (void)state;
    struct random random = {21};
    for (size_t i = 0; i < sizeof frequencies / sizeof *frequencies; i++) {
        for (int j = 0; j < 20000; j++) {
            UINT64 hz = frequencies[i], ticks = odd_ticks(&random, hz);
            if (AvbTicksToNanoseconds(ticks, hz) != stamp_exact_ns(ticks, hz))
                fail_msg("%llu ticks at %llu Hz: %llu ns", (unsigned long long)ticks, (unsigned long long)hz,
                         (unsigned long long)AvbTicksToNanoseconds(ticks, hz));
        }
    }
}

static void test_frequencies(void **state)
{
    (void)state;
    struct random random = {22};
    for (size_t i = 0; i < sizeof frequencies / sizeof *frequencies; i++) {
        static const UINT32 sets[] = {BIT(RX_HW) | BIT(TX_HW), BIT(RX_HW) | BIT(TX_HW) | BIT(RX_SW) | BIT(TX_SW),
                                      BIT(RX_SW) | BIT(TX_SW)};
        for (size_t j = 0; j < sizeof sets / sizeof *sets; j++) {
            struct stamp_configuration config = {frequencies[i], sets[j]};
            configure(&config);
            call_begin(&call);
            for (UINT32 k = 0; k < 40; k++)
                add(AVB_TRANSPORT_ETHERNET, 0, k)->timestamp = odd_ticks(&random, frequencies[i]) | 1;
            run(AVB_DIRECTION_RX, &config);
            run(AVB_DIRECTION_TX, &config);
        }
    }
}

/* ---- Software stamps ---- */

static void test_software_stamps(void **state)
{
    (void)state;
    static const UINT64 values[] = {NOW,           NOW - 1, NOW - AGE, NOW - AGE - 1, NOW + 1, NOW + KIT_COUNTER_HZ,
                                    NOW - AGE / 2, 1,       NIC_TIME,  UINT64_MAX,    0};
    const struct stamp_configuration config = {0, BIT(RX_SW) | BIT(TX_SW)};
    configure(&config);
    call_begin(&call);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        add(AVB_TRANSPORT_ETHERNET, 0, (UINT32)i)->timestamp = values[i];
    run(AVB_DIRECTION_RX, &config);
    assert_int_equal(truth.reasons[AVB_REASON_NOT_A_TIME], 6);
    run(AVB_DIRECTION_TX, &config);
    assert_int_equal(truth.stamps, 4);
}

/* ---- Sent frames ---- */

/* A stamp is of the first NET_BUFFER: the others expect none, and no one gets it in its place. */
static void test_first_buffer_only(void **state)
{
    (void)state;
    const struct stamp_configuration config = {GHZ, BIT(TX_HW)};
    const struct test_frame *first = ptp(0, 0, 1), *second = ptp(0, 1, 2);
    PTP_TIMESTAMP_EVENT event;
    configure(&config);
    call_begin(&call);
    call_list(&call, first->bytes, first->length)->timestamp = NIC_TIME;
    call_frame(&call, second->bytes, second->length);
    truth_begin(&truth, monitor.tickets);
    event = event_of(&call.frames[0], AVB_DIRECTION_TX);
    event.stamp |= AVB_STAMP_EXPECTED;
    truth_add_record(&truth, &event);
    event = event_of(&call.frames[1], AVB_DIRECTION_TX);
    truth_add_record(&truth, &event);
    event = event_of(&call.frames[0], AVB_DIRECTION_TX);
    event.stamp = AVB_STAMP_LATE | AVB_STAMP_METADATA;
    event.hw_timestamp_ns = NIC_TIME;
    truth_add_record(&truth, &event);
    monitor_run(&monitor, &call, AVB_DIRECTION_TX, &truth);

    /* The first is no PTP frame: what the slot holds is its stamp. */
    static const UINT8 foreign[60] = {[12] = 0x88, 0xCC};
    call_begin(&call);
    call_list(&call, foreign, sizeof foreign)->timestamp = NIC_TIME;
    call_frame(&call, second->bytes, second->length);
    truth_begin(&truth, monitor.tickets);
    event = event_of(&call.frames[1], AVB_DIRECTION_TX);
    truth_add_record(&truth, &event);
    monitor_run(&monitor, &call, AVB_DIRECTION_TX, &truth);
}

/* The same identity in both records, with a tag beside the frame, in pieces, completed from another thread. */
static void test_late_identity(void **state)
{
    (void)state;
    const struct stamp_configuration config = {GHZ, BIT(TX_HW)};
    PTP_TIMESTAMP_EVENT records[2];
    configure(&config);
    call_begin(&call);
    struct lab_list *list = add(AVB_TRANSPORT_UDP_IPV6, 2, 0xBEEF);
    list->tag = out_of_band(0xE123);
    list->timestamp = NIC_TIME;
    list->queue = 3; /* a receive queue, of no meaning here */
    call.frames[0].pieces = 5;
    call.frames[0].piece_length[0] = 17;
    call.frames[0].piece_length[2] = 33;
    call.chain.split = 1;
    assert_int_equal(lab_send(monitor.adapter, &call.chain), 1);
    assert_int_equal(monitor_drain(&monitor, records, 2), 2);
    assert_int_equal(records[0].stamp, AVB_STAMP_EXPECTED | AVB_STAMP_VLAN);
    assert_int_equal(records[0].hw_timestamp_ns, 0);
    assert_int_equal(records[1].stamp, AVB_STAMP_LATE | AVB_STAMP_METADATA | AVB_STAMP_VLAN);
    assert_int_equal(records[1].hw_timestamp_ns, NIC_TIME);
    assert_int_equal(records[0].vlanId, 0x123);
    assert_int_equal(records[0].sequenceId, 0xBEEF);
    records[1].stamp = records[0].stamp;
    records[1].hw_timestamp_ns = 0;
    records[1].sequence--;
    assert_memory_equal(&records[0], &records[1], sizeof records[0]);
}

/* A late stamp that finds no place is counted apart from frames. */
static void test_late_stamps_dropped(void **state)
{
    (void)state;
    struct lab_adapter_config small = kit_adapter;
    AVB_PTP_MONITOR_STATS stats;
    small.keywords = LAB_KEYWORD_RING_CAPACITY;
    small.ring_capacity = AVB_RING_MIN_CAPACITY;
    small.frequency_hz = GHZ;
    small.timestamp_flags = BIT(TX_HW);
    lab_set_counter(NOW);
    monitor_open(&monitor, &small);
    monitor_enable(&monitor);
    call_begin(&call);
    for (UINT32 i = 0; i < 40; i++)
        add(0, 0, i)->timestamp = NIC_TIME + i;
    assert_int_equal(lab_send(monitor.adapter, &call.chain), 40);
    monitor_stats(&monitor, &stats);
    assert_int_equal(stats.frames_seen, 40);
    assert_int_equal(stats.frames_dropped, 0);
    assert_int_equal(stats.stamps_seen, 40);
    assert_int_equal(stats.stamps_emitted, AVB_RING_MIN_CAPACITY - 40);
    assert_int_equal(stats.stamps_dropped, 80 - AVB_RING_MIN_CAPACITY);
    assert_int_equal(stats.events_emitted, AVB_RING_MIN_CAPACITY);
    assert_int_equal(stats.events_dropped, stats.stamps_dropped);
    monitor_close(&monitor);
}

/* ---- An NDIS without packet timestamps ---- */

/* Its NBLs have other things where the timestamp lies in later ones, whatever a miniport says. */
static void test_old_ndis(void **state)
{
    (void)state;
    static const UINT32 versions[] = {NDIS_RUNTIME_VERSION_630, NDIS_RUNTIME_VERSION_650, NDIS_RUNTIME_VERSION_680};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct lab_adapter_config attached = kit_adapter;
        const struct stamp_configuration none = {0, 0};
        NDIS_TIMESTAMP_CAPABILITIES ndis = capabilities(GHZ, ALL_STAMP_FLAGS & ~(BIT(RX_SW) | BIT(TX_SW)));
        AVB_PTP_MONITOR_STATS stats;
        attached.frequency_hz = GHZ;
        attached.timestamp_flags = BIT(RX_HW) | BIT(TX_HW);
        lab_set_ndis_version(versions[i]);
        lab_set_counter(NOW);
        monitor_open(&monitor, &attached);
        monitor_enable(&monitor);
        monitor_stats(&monitor, &stats);
        assert_true(stats.ndis_version <= versions[i]);
        add_all_frames(1, 0);
        run(AVB_DIRECTION_RX, &none);
        run(AVB_DIRECTION_TX, &none);
        lab_indicate_status(monitor.adapter, (UINT32)NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG, &ndis, sizeof ndis);
        run(AVB_DIRECTION_RX, &none);
        run(AVB_DIRECTION_TX, &none);
        monitor_close(&monitor);
    }
    lab_set_ndis_version(0);
}

/* ---- A configuration that changes while frames pass ---- */

#define THREADS 3
#define TURNS   300

static struct {
    UINT64 stop; /* atomic */
    UINT64 wrong, hardware, software;
} changing;

static void *pass_frames(void *context)
{
    unsigned number = (unsigned)(uintptr_t)context;
    struct test_frame *frame = calloc(1, sizeof *frame);
    struct lab_list lists[2];
    struct lab_frame frames[2];
    put_addresses(frame, number);
    put_be16(frame, 0x88F7);
    put_sync(frame, number);
    for (UINT32 i = 0; i < TURNS; i++) {
        const struct lab_chain chain = {.lists = lists, .list_count = 2, .frames = frames, .dispatch = i & 1};
        frames[0] = frames[1] = (struct lab_frame){.bytes = frame->bytes, .length = frame->length};
        lists[0] = (struct lab_list){.count = 1, .timestamp = NIC_TIME + i};
        lists[1] = (struct lab_list){.count = 1, .timestamp = NOW - i};
        if (number % 2)
            lab_send(monitor.adapter, &chain);
        else
            lab_receive(monitor.adapter, &chain);
    }
    free(frame);
    return NULL;
}

/* Each value tells its kind by its size. */
static void judge_kind(const PTP_TIMESTAMP_EVENT *record)
{
    UINT8 kind = record->stamp & AVB_STAMP_KIND_MASK;
    changing.hardware += kind != 0;
    changing.software += record->software_timestamp != 0;
    if ((kind == AVB_STAMP_NONE) != (record->hw_timestamp_ns == 0) ||
        (kind != AVB_STAMP_NONE && kind != AVB_STAMP_METADATA) ||
        (kind == AVB_STAMP_METADATA && record->hw_timestamp_ns - NIC_TIME >= TURNS) ||
        (record->software_timestamp != 0 && NOW - record->software_timestamp >= TURNS) ||
        (record->hw_timestamp_ns != 0 && record->software_timestamp != 0))
        changing.wrong++;
}

static void *change(void *context)
{
    (void)context;
    static const UINT32 sets[] = {BIT(RX_HW) | BIT(TX_HW), BIT(RX_SW) | BIT(TX_SW), 0,
                                  BIT(RX_HW) | BIT(TX_HW) | BIT(RX_SW) | BIT(TX_SW)};
    for (UINT32 i = 0; !__atomic_load_n(&changing.stop, __ATOMIC_ACQUIRE); i++)
        lab_set_timestamp_config(monitor.adapter, GHZ, sets[i % 4]);
    return NULL;
}

static void test_changing_configuration(void **state)
{
    (void)state;
    static PTP_TIMESTAMP_EVENT records[KIT_RECORDS];
    pthread_t threads[THREADS], changer;
    AVB_PTP_MONITOR_STATS stats;
    memset(&changing, 0, sizeof changing);
    assert_int_equal(pthread_create(&changer, NULL, change, NULL), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pass_frames, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    __atomic_store_n(&changing.stop, 1, __ATOMIC_RELEASE);
    pthread_join(changer, NULL);
    UINT32 count = monitor_drain(&monitor, records, KIT_RECORDS);
    for (UINT32 i = 0; i < count; i++)
        judge_kind(&records[i]);
    monitor_stats(&monitor, &stats);
    assert_int_equal(changing.wrong, 0);
    assert_int_equal(stats.frames_seen, THREADS * TURNS * 2);
    assert_int_equal(stats.frames_emitted + stats.stamps_emitted, count);
    printf(
        "while the configuration changed: %llu hardware and %llu software stamps, %llu of unknown kind, "
        "%llu not a time\n",
        (unsigned long long)changing.hardware, (unsigned long long)changing.software,
        (unsigned long long)stats.reasons[AVB_REASON_KIND_UNKNOWN],
        (unsigned long long)stats.reasons[AVB_REASON_NOT_A_TIME]);
}

/* ---- The NIC's registers ---- */

#define MILLISECOND 1000000u

/* The driver's timer reads registers too, from its own thread. */
static struct {
    pthread_mutex_t lock;
    struct nic_model model;
    UINT32 accesses;               /* of any register, through the mapping; atomic */
    void (*before)(UINT32 offset); /* without the lock */
} nic = {.lock = PTHREAD_MUTEX_INITIALIZER};

ULONG __real_READ_REGISTER_ULONG(volatile ULONG *address);
ULONG __wrap_READ_REGISTER_ULONG(volatile ULONG *address);

ULONG __wrap_READ_REGISTER_ULONG(volatile ULONG *address)
{
    __atomic_fetch_add(&nic.accesses, 1, __ATOMIC_RELAXED);
    return __real_READ_REGISTER_ULONG(address);
}

/* With the lock: time is the model's. */
static void follow_model(void)
{
    lab_set_counter(nic.model.now * KIT_COUNTER_HZ / MODEL_SECOND);
}

static UINT32 read_model(void *context, UINT32 offset)
{
    (void)context;
    if (nic.before)
        nic.before(offset);
    pthread_mutex_lock(&nic.lock);
    struct avb_nic_registers access = nic_model_registers(&nic.model);
    UINT32 value = access.read32(access.context, offset);
    follow_model();
    pthread_mutex_unlock(&nic.lock);
    return value;
}

static void write_model(void *context, UINT32 offset, UINT32 value)
{
    (void)context;
    pthread_mutex_lock(&nic.lock);
    struct avb_nic_registers access = nic_model_registers(&nic.model);
    access.write32(access.context, offset, value);
    pthread_mutex_unlock(&nic.lock);
}

static void open_nic(UINT16 device, enum avb_nic_family family, UINT32 register_access)
{
    struct lab_adapter_config attached = kit_adapter;
    attached.pci_vendor = 0x8086;
    attached.pci_device = device;
    attached.keywords = LAB_KEYWORD_REGISTER_ACCESS;
    attached.register_access = register_access;
    nic_model_init(&nic.model, 3, family);
    nic.before = NULL;
    follow_model();
    monitor_open(&monitor, &attached);
    lab_set_registers(monitor.adapter, read_model, write_model, NULL);
    monitor_enable(&monitor);
}

static int open_i210(void **state)
{
    (void)state;
    open_nic(0x1533, AVB_NIC_I210, 1);
    return 0;
}

/* This frame is on the wire now; the time that the NIC's clock shows. */
static UINT64 arrives(UINT32 index)
{
    PTP_TIMESTAMP_EVENT event = event_of(&call.frames[index], AVB_DIRECTION_RX);
    pthread_mutex_lock(&nic.lock);
    nic.model.now += 20000;
    UINT64 stamp_ns = nic_model_receive(&nic.model, &event);
    nic.model.now += 20000;
    follow_model();
    pthread_mutex_unlock(&nic.lock);
    return stamp_ns;
}

static void pass_time(UINT64 ns)
{
    pthread_mutex_lock(&nic.lock);
    nic.model.now += ns;
    follow_model();
    pthread_mutex_unlock(&nic.lock);
}

static PTP_TIMESTAMP_EVENT got[LAB_MAX_FRAMES];

/* The call as a batch: what became of the latch is `result`, and nothing else. */
static void receive_batch(enum avb_stamp_result result, UINT32 records)
{
    AVB_PTP_MONITOR_STATS before, after;
    monitor_stats(&monitor, &before);
    assert_int_equal(lab_receive(monitor.adapter, &call.chain), call.chain.list_count);
    monitor_stats(&monitor, &after);
    assert_int_equal(monitor_drain(&monitor, got, LAB_MAX_FRAMES), records);
    for (UINT32 i = 0; i < AVB_STAMP_RESULTS; i++) {
        if (after.register_results[i] - before.register_results[i] != (i == (UINT32)result))
            fail_msg("%s: %llu more", avb_stamp_result_name(i),
                     (unsigned long long)(after.register_results[i] - before.register_results[i]));
    }
    pass_time(MILLISECOND);
}

static void expect_stamps(UINT32 records, UINT32 owner, UINT64 ns)
{
    for (UINT32 i = 0; i < records; i++) {
        assert_int_equal(got[i].hw_timestamp_ns, i == owner ? ns : 0);
        assert_int_equal(got[i].stamp & AVB_STAMP_KIND_MASK, i == owner ? AVB_STAMP_REGISTERS : AVB_STAMP_NONE);
    }
}

static UINT32 latch_reads(void)
{
    pthread_mutex_lock(&nic.lock);
    UINT32 reads = nic.model.latch_reads;
    pthread_mutex_unlock(&nic.lock);
    return reads;
}

static const UINT8 foreign_frame[60] = {[12] = 0x88, 0xCC};

static void check_owner(UINT16 device, enum avb_nic_family family)
{
    AVB_PTP_MONITOR_STATS stats;
    open_nic(device, family, 1);
    monitor_stats(&monitor, &stats);
    assert_int_equal(stats.source, AVB_SOURCE_REGISTERS);
    assert_int_equal(stats.register_state, AVB_NIC_CLOCK_READ);
    assert_int_equal(stats.pci_device, device);
    for (UINT32 owner = 0; owner < 16; owner++) {
        call_begin(&call);
        for (UINT32 i = 0; i < 16; i++)
            add(i % 3, i % 4, 100 * owner + i);
        UINT64 ns = arrives(owner);
        receive_batch(AVB_STAMP_GIVEN, 16);
        expect_stamps(16, owner, ns);
    }
    call_begin(&call);
    add(0, 0, 5);
    receive_batch(AVB_STAMP_NOT_VALID, 1);
    expect_stamps(1, 1, 0);
    monitor_close(&monitor);
    assert_int_equal(nic.model.writes, 0);
}

static void test_register_owner(void **state)
{
    (void)state;
    check_owner(0x1533, AVB_NIC_I210);
    check_owner(0x1521, AVB_NIC_82580);
    check_owner(0x10C9, AVB_NIC_82576);
}

static void test_register_twins(void **state)
{
    (void)state;
    call_begin(&call);
    add(0, 0, 7);
    add(0, 0, 8);
    add(AVB_TRANSPORT_UDP_IPV4, 1, 7); /* the registers name clockIdentity and sequenceId only */
    arrives(0);
    receive_batch(AVB_STAMP_TWO_MATCH, 3);
    expect_stamps(3, 3, 0);
    /* A general message is none that the hardware stamps: no twin. */
    call_begin(&call);
    add(0, 0, 9);
    add(0, 8, 9);
    UINT64 ns = arrives(0);
    receive_batch(AVB_STAMP_GIVEN, 2);
    expect_stamps(2, 0, ns);
}

static void test_register_strangers(void **state)
{
    (void)state;
    call_begin(&call);
    add(0, 0, 1);
    arrives(0);
    pass_time(MILLISECOND);
    call_begin(&call);
    add(0, 0, 2); /* the one that is in the latch did not come here */
    receive_batch(AVB_STAMP_NONE_MATCHES, 1);
    expect_stamps(1, 1, 0);
    call_begin(&call);
    add(0, 0, 3);
    arrives(0);
    pass_time(100 * MILLISECOND);
    receive_batch(AVB_STAMP_TOO_OLD, 1);
    expect_stamps(1, 1, 0);
}

static void test_register_batch_too_large(void **state)
{
    (void)state;
    AVB_PTP_MONITOR_STATS stats;
    for (UINT32 frames = 16; frames <= 17; frames++) {
        call_begin(&call);
        for (UINT32 i = 0; i < frames; i++)
            add(0, 0, 50 * frames + i);
        for (UINT32 i = 0; i < 5; i++) /* what is no PTP frame, and what this host sent, do not count */
            call_list(&call, foreign_frame, sizeof foreign_frame);
        for (UINT32 i = 0; i < 5; i++)
            add(0, 0, 50 * frames + i)->nbl_flags = NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET;
        UINT64 ns = arrives(3);
        receive_batch(frames == 16 ? AVB_STAMP_GIVEN : AVB_STAMP_NONE_MATCHES, frames);
        expect_stamps(frames, frames == 16 ? 3 : frames, ns);
        monitor_stats(&monitor, &stats);
        assert_int_equal(stats.reasons[AVB_REASON_BATCH_TOO_LARGE], frames - 16);
    }
    call_begin(&call); /* the latch is free again */
    add(0, 0, 1);
    UINT64 ns = arrives(0);
    receive_batch(AVB_STAMP_GIVEN, 1);
    expect_stamps(1, 0, ns);
}

static void test_register_of_other_parts(void **state)
{
    (void)state;
    open_nic(0x125B, AVB_NIC_I225, 1);
    call_begin(&call);
    add(0, 0, 1);
    arrives(0);
    receive_batch(AVB_STAMP_PART_CANNOT, 1);
    expect_stamps(1, 1, 0);
    assert_int_equal(latch_reads(), 0);
    monitor_close(&monitor);
}

static void test_registers_off(void **state)
{
    (void)state;
    AVB_PTP_MONITOR_STATS stats;
    nic.accesses = 0;
    open_nic(0x1533, AVB_NIC_I210, 0);
    call_begin(&call);
    add(0, 0, 1);
    arrives(0);
    assert_int_equal(lab_receive(monitor.adapter, &call.chain), 1);
    assert_int_equal(monitor_drain(&monitor, got, 1), 1);
    expect_stamps(1, 1, 0);
    monitor_stats(&monitor, &stats);
    assert_int_equal(stats.source, AVB_SOURCE_NONE);
    assert_int_equal(stats.register_state, AVB_NIC_CLOCK_RESULTS);
    monitor_close(&monitor);
    assert_int_equal(nic.accesses, 0);
}

static UINT32 latch_looks; /* reads of TSYNCRXCTL, with which each look at the latch begins */

static void count_latch_looks(UINT32 offset)
{
    __atomic_fetch_add(&latch_looks, offset == MODEL_TSYNCRXCTL, __ATOMIC_RELAXED);
}

static void test_registers_without_ptp(void **state)
{
    (void)state;
    nic.before = count_latch_looks;
    latch_looks = 0;
    call_begin(&call);
    add(0, 0, 1);
    call_begin(&call);
    for (UINT32 i = 0; i < 20; i++)
        call_list(&call, foreign_frame, sizeof foreign_frame);
    receive_batch(AVB_STAMP_RESULTS, 0);
    assert_int_equal(__atomic_load_n(&latch_looks, __ATOMIC_RELAXED), 0);
    call_begin(&call); /* a sent frame has no part in it */
    add(0, 0, 1);
    assert_int_equal(lab_send(monitor.adapter, &call.chain), 1);
    assert_int_equal(__atomic_load_n(&latch_looks, __ATOMIC_RELAXED), 0);
    assert_int_equal(monitor_drain(&monitor, got, 1), 1);
}

enum value { NO_VALUE, NIC_VALUE, COUNTER_VALUE };

static UINT64 value_of(enum value value)
{
    pthread_mutex_lock(&nic.lock);
    UINT64 ticks = nic.model.now * KIT_COUNTER_HZ / MODEL_SECOND;
    pthread_mutex_unlock(&nic.lock);
    return value == COUNTER_VALUE ? ticks : value == NIC_VALUE ? NIC_TIME : 0;
}

/* The miniport that stamps itself wants the latch. One whose clock has no unit gives no stamps. */
static void test_registers_beside_ndis(void **state)
{
    (void)state;
    static const struct {
        UINT64 hz;
        UINT32 set;
        enum value value;
        int registers;
    } cases[] = {{GHZ, BIT(RX_HW), NIC_VALUE, 0}, {GHZ, BIT(RX_UDP4_EVENT_HW), NO_VALUE, 0},
                 {GHZ, BIT(TX_HW), NO_VALUE, 1},  {GHZ, BIT(RX_SW), COUNTER_VALUE, 1},
                 {0, BIT(RX_HW), NO_VALUE, 1},    {GHZ, 0, NO_VALUE, 1},
                 {GHZ, BIT(RX_HW), NIC_VALUE, 0}};
    nic.before = count_latch_looks;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab_set_timestamp_config(monitor.adapter, cases[i].hz, cases[i].set);
        latch_looks = 0;
        call_begin(&call);
        add(0, 0, (UINT32)i);
        UINT64 ns = arrives(0), value = call.lists[0].timestamp = value_of(cases[i].value);
        receive_batch(cases[i].registers ? AVB_STAMP_GIVEN : AVB_STAMP_RESULTS, 1);
        assert_int_equal(__atomic_load_n(&latch_looks, __ATOMIC_RELAXED) != 0, cases[i].registers);
        assert_int_equal(got[0].software_timestamp, cases[i].value == COUNTER_VALUE ? value : 0);
        if (cases[i].registers) {
            expect_stamps(1, 0, ns);
        } else {
            assert_int_equal(got[0].hw_timestamp_ns, value);
            assert_int_equal(got[0].stamp, value ? AVB_STAMP_METADATA : AVB_STAMP_NONE);
        }
        pthread_mutex_lock(&nic.lock);
        nic_model_miniport_reads_latch(&nic.model);
        pthread_mutex_unlock(&nic.lock);
    }
}

/* From another thread, while the latch is being read: the miniport begins to stamp itself. */
static struct {
    pthread_t thread;
    int begun;
} turnover;

static void *begin_to_stamp(void *context)
{
    (void)context;
    lab_set_timestamp_config(monitor.adapter, GHZ, BIT(RX_HW));
    return NULL;
}

static void turn_over(UINT32 offset)
{
    if (offset != MODEL_TSYNCRXCTL || turnover.begun)
        return;
    turnover.begun = 1;
    pthread_create(&turnover.thread, NULL, begin_to_stamp, NULL);
    pthread_join(turnover.thread, NULL);
}

static void test_registers_then_ndis(void **state)
{
    (void)state;
    call_begin(&call);
    add(0, 0, 1)->timestamp = NIC_TIME;
    add(0, 0, 2)->timestamp = NIC_TIME + 1;
    UINT64 ns = arrives(1);
    turnover.begun = 0;
    nic.before = turn_over;
    receive_batch(AVB_STAMP_GIVEN, 2);
    assert_int_equal(turnover.begun, 1);
    expect_stamps(2, 1, ns);
    receive_batch(AVB_STAMP_RESULTS, 2);
    assert_int_equal(got[0].hw_timestamp_ns, NIC_TIME);
    assert_int_equal(got[0].stamp, AVB_STAMP_METADATA);
}

static UINT32 register_state(void)
{
    AVB_PTP_MONITOR_STATS stats;
    monitor_stats(&monitor, &stats);
    return stats.register_state;
}

/* The driver's timer opens the clock again within a second of real time. */
static void wait_for_clock(void)
{
    for (int i = 0; i < 5000 && register_state() != AVB_NIC_CLOCK_READ; i++) {
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
    }
    assert_int_equal(register_state(), AVB_NIC_CLOCK_READ);
}

static void test_registers_and_power(void **state)
{
    (void)state;
    for (UINT32 round = 0; round < 2; round++) {
        lab_set_power(monitor.adapter, 0);
        UINT32 accesses = __atomic_load_n(&nic.accesses, __ATOMIC_RELAXED);
        struct timespec ticks = {.tv_nsec = 20000000}; /* of the driver's timer */
        nanosleep(&ticks, NULL);
        assert_int_equal(__atomic_load_n(&nic.accesses, __ATOMIC_RELAXED), accesses);
        lab_set_power(monitor.adapter, 1);
        call_begin(&call);
        add(0, 0, 10 * round + 1);
        arrives(0);
        if (register_state() != AVB_NIC_CLOCK_READ) {
            receive_batch(AVB_STAMP_CLOCK_UNKNOWN, 1);
            expect_stamps(1, 1, 0);
        }
        wait_for_clock();
        pthread_mutex_lock(&nic.lock);
        nic_model_miniport_reads_latch(&nic.model);
        pthread_mutex_unlock(&nic.lock);
        call_begin(&call);
        add(0, 0, 10 * round + 2);
        UINT64 ns = arrives(0);
        receive_batch(AVB_STAMP_GIVEN, 1);
        expect_stamps(1, 0, ns);
    }
}

static void test_registers_and_removal(void **state)
{
    (void)state;
    lab_surprise_removal(monitor.adapter);
    UINT32 accesses = __atomic_load_n(&nic.accesses, __ATOMIC_RELAXED);
    call_begin(&call);
    add(0, 0, 1);
    receive_batch(AVB_STAMP_DEVICE_GONE, 1);
    expect_stamps(1, 1, 0);
    struct timespec more_than_a_second = {.tv_sec = 1, .tv_nsec = 100000000};
    nanosleep(&more_than_a_second, NULL); /* the timer has looked for the clock */
    receive_batch(AVB_STAMP_DEVICE_GONE, 1);
    assert_int_equal(__atomic_load_n(&nic.accesses, __ATOMIC_RELAXED), accesses);
}

#define WITH_MONITOR(test) cmocka_unit_test_setup_teardown(test, open_and_enable, close_monitor)
#define WITH_I210(test)    cmocka_unit_test_setup_teardown(test, open_i210, close_monitor)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_conversion),
        WITH_MONITOR(test_configurations),
        cmocka_unit_test(test_configuration_by_oid),
        WITH_MONITOR(test_odd_indications),
        WITH_MONITOR(test_frequencies),
        WITH_MONITOR(test_software_stamps),
        WITH_MONITOR(test_first_buffer_only),
        WITH_MONITOR(test_late_identity),
        cmocka_unit_test(test_late_stamps_dropped),
        cmocka_unit_test(test_old_ndis),
        WITH_MONITOR(test_changing_configuration),
        cmocka_unit_test(test_register_owner),
        WITH_I210(test_register_twins),
        WITH_I210(test_register_strangers),
        WITH_I210(test_register_batch_too_large),
        cmocka_unit_test(test_register_of_other_parts),
        cmocka_unit_test(test_registers_off),
        WITH_I210(test_registers_without_ptp),
        WITH_I210(test_registers_beside_ndis),
        WITH_I210(test_registers_then_ndis),
        WITH_I210(test_registers_and_power),
        WITH_I210(test_registers_and_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
