/* SPDX-License-Identifier: MIT */
/* Cases: what is recorded of what passes. */
#include "client.h"

#include <stdio.h>
#include <string.h>

#define RX LAB_TRAFFIC_RECEIVE
#define TX LAB_TRAFFIC_SEND

/* Bits of lab_adapter_config.timestamp_flags. */
#define RECEIVE_ALL_HARDWARE  (1u << 8)
#define TRANSMIT_ALL_HARDWARE (1u << 9)
#define TRANSMIT_TAGGED       (1u << 10)
#define RECEIVE_ALL_SOFTWARE  (1u << 11)

#define CAPTURE_ON_TRANSMIT 0x00010000u /* NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT */
#define IS_LOOPBACK         0x00008000u /* NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET */

static struct traffic traffic;

/* Ieee8021QNetBufferListInfo: UserPriority, CanonicalFormatId, VlanId. */
static UINT32 tag_info(UINT32 pcp, UINT32 vid)
{
    return pcp | vid << 4;
}

struct setup {
    UINT32 adapter;
    struct monitor monitor;
};

static struct setup set_up(const struct lab_adapter_config *config)
{
    struct setup setup = {.adapter = adapter_start(config)};
    monitor_start(&setup.monitor, device_open(config->guid));
    return setup;
}

static struct setup set_up_plain(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    return set_up(&config);
}

static void tear_down(struct setup *setup)
{
    expect_nothing(&setup->monitor);
    monitor_end(&setup->monitor, 1);
    CHECK(CloseHandle(setup->monitor.device));
}

static void expect_frame(struct setup *setup, const struct frame *frame, UINT8 direction)
{
    PTP_TIMESTAMP_EVENT record = record_of(frame, direction);
    expect_record(&setup->monitor, &record);
}

static void check_account(HANDLE device, UINT64 frames, UINT64 stamps)
{
    AVB_PTP_MONITOR_STATS stats = statistics(device);
    CHECK_SAME(stats.frames_seen, frames);
    CHECK_SAME(stats.frames_emitted, frames);
    CHECK_SAME(stats.frames_dropped, 0);
    CHECK_SAME(stats.stamps_seen, stamps);
    CHECK_SAME(stats.stamps_emitted, stamps);
    CHECK_SAME(stats.events_emitted, frames + stamps);
    CHECK_SAME(stats.events_dropped, 0);
    CHECK_SAME(stats.bad_consumer_position, 0);
}

/* ---- Frames ---- */

static void one_direction(UINT32 towards, UINT8 direction)
{
    struct setup setup = set_up_plain();
    for (UINT16 sequenceId = 0; sequenceId < 20; sequenceId++) {
        struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, sequenceId % 16, sequenceId, NULL, 0);
        struct frame foreign = foreign_frame();
        CHECK_SAME(pass_frame(setup.adapter, towards, &frame), 1);
        CHECK_SAME(pass_frame(setup.adapter, towards, &foreign), 1);
        expect_frame(&setup, &frame, direction);
    }
    check_account(setup.monitor.device, 20, 0);
    AVB_PTP_MONITOR_STATS stats = statistics(setup.monitor.device);
    CHECK_SAME(stats.buffer_size, AVB_RING_DEFAULT_CAPACITY);
    CHECK_SAME(stats.enabled, 1);
    CHECK_SAME(stats.owner_process, GetCurrentProcessId());
    CHECK_SAME(stats.net_luid, plain_adapter(GUID_1).net_luid);
    CHECK_SAME(stats.if_index, plain_adapter(GUID_1).if_index);
    CHECK_SAME(stats.source, AVB_SOURCE_NONE);
    for (UINT32 i = 0; i < AVB_PTP_REASONS; i++)
        CHECK_SAME(stats.reasons[i], 0);
    tear_down(&setup);
}

void case_receive(void)
{
    one_direction(RX, AVB_DIRECTION_RX);
}

void case_send(void)
{
    one_direction(TX, AVB_DIRECTION_TX);
}

/* Every NET_BUFFER of every NET_BUFFER_LIST, at either IRQL, whatever the other side does with the lists. */
void case_chains(void)
{
    static struct frame frames[LAB_MAX_FRAMES];
    struct setup setup = set_up_plain();
    for (UINT32 round = 0; round < 16; round++) {
        UINT32 towards = round & 1 ? TX : RX, count = 0;
        traffic_begin(&traffic, setup.adapter, towards);
        traffic.head.dispatch = round >> 1 & 1;
        traffic.head.split = round >> 2 & 1 ? 2 : 0;
        traffic.head.resources = towards == RX ? round >> 3 & 1 : 0;
        for (UINT32 list = 0; list < 7; list++) {
            traffic_list(&traffic);
            for (UINT32 buffer = 0; buffer < (towards == TX ? list % 3 + 1 : 1); buffer++) {
                struct frame foreign = foreign_frame();
                frames[count] = make_frame(AVB_TRANSPORT_ETHERNET, 0, (UINT16)(round << 8 | count), NULL, 0);
                traffic_frame(&traffic, list % 4 == 2 ? &foreign : &frames[count]);
                count += list % 4 != 2;
            }
        }
        CHECK_SAME(traffic_run(&traffic), 7);
        for (UINT32 i = 0; i < count; i++)
            expect_frame(&setup, &frames[i], towards == TX ? AVB_DIRECTION_TX : AVB_DIRECTION_RX);
        expect_nothing(&setup.monitor);
    }
    tear_down(&setup);
}

static void pass_in_pieces(struct setup *setup, const struct frame *frame, UINT32 cut, UINT32 offset, UINT32 single)
{
    traffic_begin(&traffic, setup->adapter, RX);
    traffic_list(&traffic);
    struct lab_frame *described = traffic_frame(&traffic, frame);
    described->offset = offset;
    described->pieces = single ? LAB_MAX_PIECES : 3; /* an empty MDL lies in the middle */
    described->piece_length[0] = (UINT16)cut;
    for (UINT32 i = 1; i < LAB_MAX_PIECES - 1; i++)
        described->piece_length[i] = (UINT16)(single ? 1 : 0);
    CHECK_SAME(traffic_run(&traffic), 1);
    expect_frame(setup, frame, AVB_DIRECTION_RX);
}

/* The frame lies in several MDLs: cut at each byte; a run of MDLs of one byte from each byte; unused bytes before it.
 */
void case_pieces(void)
{
    static const UINT32 tags[] = {0x8100A064};
    struct setup setup = set_up_plain();
    for (UINT32 transport = 0; transport < 3; transport++) {
        struct frame frame = make_frame(transport, AVB_PTP_PDELAY_REQ, 7, tags, 1);
        for (UINT32 cut = 1; cut < frame.length; cut++)
            pass_in_pieces(&setup, &frame, cut, cut % 3 * 8, 0);
        for (UINT32 cut = 1; cut + LAB_MAX_PIECES < frame.length; cut++)
            pass_in_pieces(&setup, &frame, cut, 0, 1);
    }
    tear_down(&setup);
}

/* What cannot be read is counted and passed on; its neighbours are recorded. */
void case_unreadable(void)
{
    static const UINT32 faults[] = {LAB_FAULT_NO_MDL, LAB_FAULT_UNMAPPABLE, LAB_FAULT_LENGTH};
    struct setup setup = set_up_plain();
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 8, NULL, 0);
    for (UINT32 fault = 0; fault < 3; fault++) {
        traffic_begin(&traffic, setup.adapter, TX);
        traffic_list(&traffic);
        traffic_frame(&traffic, &frame);
        traffic_frame(&traffic, &frame)->nb_fault = faults[fault];
        traffic_frame(&traffic, &frame);
        CHECK_SAME(traffic_run(&traffic), 1);
        expect_frame(&setup, &frame, AVB_DIRECTION_TX);
        expect_frame(&setup, &frame, AVB_DIRECTION_TX);
        expect_nothing(&setup.monitor);
        CHECK_SAME(statistics(setup.monitor.device).reasons[AVB_REASON_UNREADABLE], fault + 1);
    }
    tear_down(&setup);
}

/* ---- Tags ---- */

static void pass_tagged(struct setup *setup, UINT32 info, const UINT32 *tags, UINT32 count, UINT32 pcp, UINT32 vid,
                        UINT32 stamp)
{
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 3, tags, count);
    for (UINT32 direction = AVB_DIRECTION_RX; direction <= AVB_DIRECTION_TX; direction++) {
        PTP_TIMESTAMP_EVENT record = record_of(&frame, (UINT8)direction);
        record.pcp = (UINT8)pcp;
        record.vlanId = (UINT16)vid;
        record.stamp = (UINT8)stamp;
        traffic_begin(&traffic, setup->adapter, direction == AVB_DIRECTION_RX ? RX : TX);
        traffic_list(&traffic)->tag = info;
        traffic_frame(&traffic, &frame);
        CHECK_SAME(traffic_run(&traffic), 1);
        expect_record(&setup->monitor, &record);
    }
}

void case_tags(void)
{
    static const UINT32 customer[] = {0x8100C064}, priority[] = {0x8100E000}, both[] = {0x88A8A123, 0x81002FFF};
    struct setup setup = set_up_plain();
    pass_tagged(&setup, 0, NULL, 0, 0, 0, 0);
    pass_tagged(&setup, 0, customer, 1, 6, 100, AVB_STAMP_VLAN);
    pass_tagged(&setup, 0, priority, 1, 7, 0, AVB_STAMP_VLAN);
    pass_tagged(&setup, 0, both, 2, 5, 0x123, AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS);
    pass_tagged(&setup, tag_info(3, 4094), NULL, 0, 3, 4094, AVB_STAMP_VLAN);
    pass_tagged(&setup, tag_info(3, 0), NULL, 0, 3, 0, AVB_STAMP_VLAN);
    pass_tagged(&setup, tag_info(1, 5), customer, 1, 1, 5, AVB_STAMP_VLAN | AVB_STAMP_MORE_TAGS);
    tear_down(&setup);
}

void case_transports(void)
{
    struct setup setup = set_up_plain();
    for (UINT32 transport = 0; transport < 3; transport++)
        for (UINT8 messageType = 0; messageType < 16; messageType++) {
            struct frame frame = make_frame(transport, messageType, (UINT16)(0xFFF0 + messageType), NULL, 0);
            CHECK_SAME(pass_frame(setup.adapter, RX, &frame), 1);
            expect_frame(&setup, &frame, AVB_DIRECTION_RX);
        }
    tear_down(&setup);
}

/* ---- Stamps ---- */

static struct lab_adapter_config stamping_adapter(UINT64 frequency, UINT32 flags)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    config.frequency_hz = frequency;
    config.timestamp_flags = flags;
    return config;
}

/* Received: the stamp is in the list; a queue and a loopback copy beside it. */
void case_stamps(void)
{
    struct lab_adapter_config config = stamping_adapter(125000000, RECEIVE_ALL_HARDWARE);
    struct setup setup = set_up(&config);
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 11, NULL, 0);
    PTP_TIMESTAMP_EVENT record = record_of(&frame, AVB_DIRECTION_RX);
    record.hw_timestamp_ns = 1000000008;
    record.stamp = AVB_STAMP_METADATA;
    record.queueId = 3;
    traffic_begin(&traffic, setup.adapter, RX);
    struct lab_list *list = traffic_list(&traffic);
    list->timestamp = 125000001; /* 8 ns each */
    list->queue = 3;
    traffic_frame(&traffic, &frame);
    CHECK_SAME(traffic_run(&traffic), 1);
    expect_record(&setup.monitor, &record);
    list->nbl_flags = IS_LOOPBACK;
    CHECK_SAME(traffic_run(&traffic), 1);
    expect_nothing(&setup.monitor);
    AVB_PTP_MONITOR_STATS stats = statistics(setup.monitor.device);
    CHECK_SAME(stats.reasons[AVB_REASON_LOOPBACK], 1);
    CHECK_SAME(stats.source, AVB_SOURCE_NDIS);
    CHECK_SAME(stats.hardware_clock_hz, 125000000);
    CHECK_SAME(stats.timestamp_flags, RECEIVE_ALL_HARDWARE);
    tear_down(&setup);
}

/* Sent: a record at once, and another one with the stamp when the send is complete. */
void case_late_stamps(void)
{
    struct lab_adapter_config config = stamping_adapter(1000000000, TRANSMIT_TAGGED);
    struct setup setup = set_up(&config);
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_DELAY_REQ, 12, NULL, 0);
    PTP_TIMESTAMP_EVENT record = record_of(&frame, AVB_DIRECTION_TX), late = record;
    traffic_begin(&traffic, setup.adapter, TX);
    struct lab_list *list = traffic_list(&traffic);
    traffic_frame(&traffic, &frame);
    CHECK_SAME(traffic_run(&traffic), 1); /* nobody asked for a stamp */
    expect_record(&setup.monitor, &record);
    list->nbl_flags = CAPTURE_ON_TRANSMIT;
    list->stale = 99; /* of an earlier use of the list */
    list->timestamp = 4711;
    record.stamp = AVB_STAMP_EXPECTED;
    late.stamp = AVB_STAMP_METADATA | AVB_STAMP_LATE;
    late.hw_timestamp_ns = 4711;
    CHECK_SAME(traffic_run(&traffic), 1);
    expect_record(&setup.monitor, &record);
    expect_record(&setup.monitor, &late);
    list->status = (INT32)0xC0000001; /* NDIS_STATUS_FAILURE: the stamp is worth nothing */
    CHECK_SAME(traffic_run(&traffic), 1);
    expect_record(&setup.monitor, &record);
    check_account(setup.monitor.device, 3, 1);
    CHECK_SAME(statistics(setup.monitor.device).reasons[AVB_REASON_NOT_SENT], 1);
    tear_down(&setup);
}

/* The configuration changes while the adapter runs; what lies in the slot is read by the new one. */
void case_stamp_configuration(void)
{
    struct lab_adapter_config config = stamping_adapter(0, 0);
    struct setup setup = set_up(&config);
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 13, NULL, 0);
    PTP_TIMESTAMP_EVENT record = record_of(&frame, AVB_DIRECTION_RX);
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    traffic_begin(&traffic, setup.adapter, RX);
    traffic_list(&traffic)->timestamp = (UINT64)now.QuadPart;
    traffic_frame(&traffic, &frame);
    CHECK_SAME(traffic_run(&traffic), 1);
    expect_record(&setup.monitor, &record);

    struct lab_in in = {.adapter = setup.adapter};
    in.config = stamping_adapter(1000000000, RECEIVE_ALL_SOFTWARE);
    lab_call(LAB_CALL_TIMESTAMP_CONFIG, &in);
    CHECK_SAME(traffic_run(&traffic), 1);
    record.software_timestamp = (UINT64)now.QuadPart;
    expect_record(&setup.monitor, &record);

    in.config = stamping_adapter(1000000000, RECEIVE_ALL_HARDWARE);
    lab_call(LAB_CALL_TIMESTAMP_CONFIG, &in);
    CHECK_SAME(traffic_run(&traffic), 1); /* put there before: it looks like the counter */
    record.software_timestamp = 0;
    expect_record(&setup.monitor, &record);
    CHECK_SAME(statistics(setup.monitor.device).reasons[AVB_REASON_KIND_UNKNOWN], 1);
    traffic.lists[0].timestamp = 4711;
    CHECK_SAME(traffic_run(&traffic), 1);
    record.hw_timestamp_ns = 4711;
    record.stamp = AVB_STAMP_METADATA;
    expect_record(&setup.monitor, &record);
    tear_down(&setup);
}

/* ---- Amounts ---- */

void case_not_enabled(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    UINT32 adapter = adapter_start(&config);
    HANDLE device = device_open(GUID_1);
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 1, NULL, 0);
    CHECK_SAME(pass_frame(adapter, RX, &frame), 1);
    check_account(device, 0, 0);
    CHECK_SAME(statistics(device).enabled, 0);
    CHECK_SAME(statistics(device).owner_process, 0);
    for (UINT32 round = 0; round < 3; round++) {
        struct setup setup = {.adapter = adapter};
        monitor_start(&setup.monitor, device);
        for (UINT32 i = 0; i <= round; i++)
            CHECK_SAME(pass_frame(adapter, RX, &frame), 1);
        for (UINT32 i = 0; i <= round; i++)
            expect_frame(&setup, &frame, AVB_DIRECTION_RX);
        monitor_end(&setup.monitor, 1);
        CHECK_SAME(pass_frame(adapter, RX, &frame), 1);
        check_account(device, round + 1, 0); /* of the ring that there was */
        CHECK_SAME(statistics(device).enabled, 0);
        CHECK_REFUSED(device_call(device, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0), ERROR_ACCESS_DENIED);
    }
    CHECK(CloseHandle(device));
}

static void fill(struct setup *setup, UINT32 frames)
{
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 1, NULL, 0);
    traffic_begin(&traffic, setup->adapter, RX);
    for (UINT32 i = 0; i < 32; i++) {
        traffic_list(&traffic);
        traffic_frame(&traffic, &frame);
    }
    CHECK(frames % 32 == 0);
    for (UINT32 i = 0; i < frames; i += 32)
        CHECK_SAME(traffic_run(&traffic), 32);
}

/* A full ring drops the new records and counts them; once it is read it takes as many as it holds. */
static void overflow(const struct lab_adapter_config *config, UINT32 capacity)
{
    static PTP_TIMESTAMP_EVENT records[AVB_RING_DEFAULT_CAPACITY];
    struct setup setup = set_up(config);
    CHECK_SAME(setup.monitor.shared.capacity, capacity);
    for (UINT64 round = 1; round <= 3; round++) {
        fill(&setup, capacity + 32);
        AVB_PTP_MONITOR_STATS stats = statistics(setup.monitor.device);
        CHECK_SAME(stats.buffer_size, capacity);
        CHECK_SAME(stats.events_emitted, round * capacity);
        CHECK_SAME(stats.events_dropped, round * 32);
        CHECK_SAME(stats.frames_dropped, round * 32);
        CHECK_SAME(stats.frames_seen, round * (capacity + 32));
        CHECK_SAME(stats.dropped_full, round * 32);
        CHECK_SAME(stats.dropped_contention, 0);
        CHECK_SAME(stats.high_water, capacity);
        CHECK_SAME(monitor_read(&setup.monitor, records, capacity), capacity);
        expect_nothing(&setup.monitor);
    }
    tear_down(&setup);
}

void case_overflow(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    overflow(&config, AVB_RING_DEFAULT_CAPACITY);
    lab_value(LAB_CALL_RESET, 0, 0);
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    config.ring_capacity = AVB_RING_MIN_CAPACITY;
    overflow(&config, AVB_RING_MIN_CAPACITY);
    lab_value(LAB_CALL_RESET, 0, 0);
    config.ring_capacity = 100; /* no power of two: the default */
    overflow(&config, AVB_RING_DEFAULT_CAPACITY);
}

/* The reader sleeps and is woken by records, not without having asked, and by the end of monitoring. */
void case_wake(void)
{
    struct setup setup = set_up_plain();
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 1, NULL, 0);
    HANDLE wake = setup.monitor.wake;
    for (UINT32 round = 0; round < 10; round++) {
        CHECK(AvbRingMaySleep(&setup.monitor.reader));
        CHECK_SAME(WaitForSingleObject(wake, 20), WAIT_TIMEOUT);
        CHECK_SAME(pass_frame(setup.adapter, round % 2 ? RX : TX, &frame), 1);
        CHECK_SAME(WaitForSingleObject(wake, 2000), WAIT_OBJECT_0);
        AvbRingAwake(&setup.monitor.reader);
        expect_frame(&setup, &frame, round % 2 ? (UINT8)AVB_DIRECTION_RX : (UINT8)AVB_DIRECTION_TX);
        while (WaitForSingleObject(wake, 20) == WAIT_OBJECT_0)
            ; /* the timer may have looked once more before the reader was awake */
    }
    CHECK_SAME(pass_frame(setup.adapter, RX, &frame), 1);
    CHECK_SAME(WaitForSingleObject(wake, 50), WAIT_TIMEOUT); /* nobody asked */
    expect_frame(&setup, &frame, AVB_DIRECTION_RX);
    CHECK(device_call(setup.monitor.device, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0));
    CHECK_SAME(WaitForSingleObject(wake, 0), WAIT_OBJECT_0);
    monitor_end(&setup.monitor, 0);
    CHECK(CloseHandle(setup.monitor.device));
}

/* ---- Several threads ---- */

/* What a thread of the kernel sent, as it must come out: in its own order, without a gap where nothing was dropped. */
struct order {
    UINT64 next[LAB_THREADS];
    UINT64 read;
};

static void take_all(struct monitor *monitor, struct order *order, UINT32 threads)
{
    PTP_TIMESTAMP_EVENT records[256];
    for (UINT32 count; (count = monitor_read(monitor, records, 256)) > 0; order->read += count)
        for (UINT32 i = 0; i < count; i++) {
            UINT32 thread = records[i].portNumber - 1u;
            CHECK(thread < threads);
            CHECK_SAME(records[i].direction, thread % 2 ? AVB_DIRECTION_TX : AVB_DIRECTION_RX);
            CHECK_SAME(records[i].sequenceId, order->next[thread] & 0xFFFF);
            order->next[thread]++;
        }
}

/* Chains of 4 lists, from so many threads. */
static void start_threads(UINT32 adapter, UINT32 threads, UINT32 calls)
{
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 0, NULL, 0);
    traffic_begin(&traffic, adapter, RX | TX);
    for (UINT32 i = 0; i < 4; i++) {
        traffic_list(&traffic);
        traffic_frame(&traffic, &frame);
    }
    traffic.head.threads = threads;
    traffic.head.calls = calls;
    traffic.head.port_offset = frame.ptp + 28;
    traffic.head.sequence_offset = frame.ptp + 30;
    traffic_start(&traffic);
}

void case_many_events(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    config.ring_capacity = 65536;
    struct setup setup = set_up(&config);
    struct order order = {.read = 0};
    start_threads(setup.adapter, 4, 1250);
    while (order.read < 20000) {
        take_all(&setup.monitor, &order, 4);
        if (order.read < 20000 && AvbRingMaySleep(&setup.monitor.reader) &&
            WaitForSingleObject(setup.monitor.wake, 10000) != WAIT_OBJECT_0)
            fail("not woken in 10 s, after %llu records of %llu, %llu dropped", (unsigned long long)order.read,
                 (unsigned long long)statistics(setup.monitor.device).events_emitted,
                 (unsigned long long)statistics(setup.monitor.device).events_dropped);
        AvbRingAwake(&setup.monitor.reader);
    }
    struct lab_out totals = traffic_end(0);
    CHECK_SAME(totals.count, 4 * 1250);
    CHECK_SAME(totals.lists, 20000);
    take_all(&setup.monitor, &order, 4);
    CHECK_SAME(order.read, 20000);
    check_account(setup.monitor.device, 20000, 0);
    tear_down(&setup);
}

/* 100 times, while 2 threads receive and send: nothing is lost, nothing comes twice, the ring lives on. */
void case_pause_and_restart(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    config.ring_capacity = AVB_RING_MAX_CAPACITY; /* no record is to be lost */
    struct setup setup = set_up(&config);
    struct order order = {.read = 0};
    start_threads(setup.adapter, 2, 0);
    for (UINT32 i = 0; i < 100; i++) {
        lab_value(LAB_CALL_PAUSE, setup.adapter, 0);
        take_all(&setup.monitor, &order, 2);
        expect_nothing(&setup.monitor); /* a paused adapter is silent */
        CHECK_SAME(lab_value(LAB_CALL_RESTART, setup.adapter, 0).status, 0);
        for (UINT64 before = order.read; order.read == before;)
            take_all(&setup.monitor, &order, 2);
    }
    struct lab_out totals = traffic_end(1);
    take_all(&setup.monitor, &order, 2);
    CHECK_SAME(order.read, totals.frames);
    check_account(setup.monitor.device, totals.frames, 0);
    tear_down(&setup);
}

/* ---- Adapters ---- */

void case_two_adapters(void)
{
    struct lab_adapter_config configs[2] = {plain_adapter(GUID_1), plain_adapter(GUID_2)};
    struct setup setups[2] = {set_up(&configs[0]), set_up(&configs[1])};
    for (UINT16 i = 0; i < 10; i++) {
        struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, i, NULL, 0);
        CHECK_SAME(pass_frame(setups[i % 2].adapter, RX, &frame), 1);
        expect_nothing(&setups[1 - i % 2].monitor);
        expect_frame(&setups[i % 2], &frame, AVB_DIRECTION_RX);
    }
    CHECK_SAME(statistics(setups[1].monitor.device).net_luid, configs[1].net_luid);
    CHECK(statistics(setups[0].monitor.device).generation != statistics(setups[1].monitor.device).generation);
    tear_down(&setups[1]);
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 99, NULL, 0);
    CHECK_SAME(pass_frame(setups[0].adapter, RX, &frame), 1);
    expect_frame(&setups[0], &frame, AVB_DIRECTION_RX);
    tear_down(&setups[0]);
}

/* Media without Ethernet frames are left alone. */
void case_other_medium(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    UINT32 adapter;
    config.medium = 19 + 1;                                            /* NdisMediumIP + 1 */
    CHECK_SAME((UINT32)adapter_attach(&config, &adapter), 0xC0010019); /* NDIS_STATUS_UNSUPPORTED_MEDIA */
}

/* The adapter is a PCI device of a known part, and the administrator wants its registers read. */
void case_registers(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    struct nt_lab_held before = held();
    config.pci_vendor = 0x8086;
    config.pci_device = 0x1533; /* I210 */
    config.keywords = LAB_KEYWORD_REGISTER_ACCESS;
    for (config.register_access = 0; config.register_access < 2; config.register_access++) {
        struct setup setup = set_up(&config);
        struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 9, NULL, 0);
        AVB_PTP_MONITOR_STATS stats = statistics(setup.monitor.device);
        CHECK_SAME(held().io_spaces, before.io_spaces + config.register_access);
        CHECK_SAME(stats.source, config.register_access ? AVB_SOURCE_REGISTERS : AVB_SOURCE_NONE);
        CHECK_SAME(stats.pci_vendor, config.register_access ? config.pci_vendor : 0);
        CHECK_SAME(stats.pci_device, config.register_access ? config.pci_device : 0);
        CHECK_SAME(pass_frame(setup.adapter, RX, &frame), 1);
        expect_frame(&setup, &frame, AVB_DIRECTION_RX); /* the latch is empty */
        tear_down(&setup);
        lab_value(LAB_CALL_RESET, 0, 0);
        check_held(&before);
    }
}

#define OID_GEN_STATISTICS 0x00020106u

void case_power_and_oids(void)
{
    struct setup setup = set_up_plain();
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 5, NULL, 0);
    struct lab_in oid = {.adapter = setup.adapter, .value = OID_GEN_STATISTICS};
    for (UINT32 round = 0; round < 3; round++) {
        oid.extra = round % 2; /* at once, or later from another thread */
        lab_call(LAB_CALL_OID, &oid);
        lab_value(LAB_CALL_POWER, setup.adapter, 0);
        lab_value(LAB_CALL_POWER, setup.adapter, 1);
        CHECK_SAME(pass_frame(setup.adapter, RX, &frame), 1);
        expect_frame(&setup, &frame, AVB_DIRECTION_RX);
    }
    lab_value(LAB_CALL_SURPRISE_REMOVAL, setup.adapter, 0);
    lab_value(LAB_CALL_DETACH, setup.adapter, 0);
    CHECK_REFUSED(device_call(setup.monitor.device, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0), ERROR_DEV_NOT_EXIST);
    monitor_end(&setup.monitor, 0);
    CHECK(CloseHandle(setup.monitor.device));
}

/* ---- Clocks and traces ---- */

static UINT64 utc_ns(void)
{
    FILETIME time;
    GetSystemTimePreciseAsFileTime(&time);
    return (((UINT64)time.dwHighDateTime << 32 | time.dwLowDateTime) - 116444736000000000ull) * 100;
}

void case_clocks(void)
{
    struct lab_adapter_config config = stamping_adapter(1000000000, RECEIVE_ALL_HARDWARE);
    config.cross_timestamp = 1;
    adapter_start(&config);
    HANDLE device = device_open(GUID_1);
    PTP_CLOCKS_RECORD clocks;
    LARGE_INTEGER before, after;
    UINT64 utc_before = utc_ns();
    QueryPerformanceCounter(&before);
    CHECK(device_call(device, IOCTL_AVB_GET_PTP_CLOCKS, &clocks, sizeof clocks));
    QueryPerformanceCounter(&after);
    UINT64 utc_after = utc_ns(), tolerance = 1000000;
    CHECK_SAME(clocks.direction, AVB_DIRECTION_CLOCKS);
    CHECK(clocks.system_timestamp >= (UINT64)before.QuadPart && clocks.system_timestamp <= (UINT64)after.QuadPart);
    CHECK(clocks.realtime_ns + tolerance >= utc_before && clocks.realtime_ns <= utc_after + tolerance);
    CHECK(clocks.realtime_uncertainty_ns > 0 && clocks.realtime_uncertainty_ns < 100000000);
    CHECK(clocks.hw_timestamp_ns != 0 && clocks.hw_uncertainty_ns > 0);
    CHECK(CloseHandle(device));
    lab_value(LAB_CALL_RESET, 0, 0);
    config.cross_timestamp = 0;
    adapter_start(&config);
    device = device_open(GUID_1);
    CHECK(device_call(device, IOCTL_AVB_GET_PTP_CLOCKS, &clocks, sizeof clocks));
    CHECK_SAME(clocks.hw_timestamp_ns, 0);
    CHECK(CloseHandle(device));
}

/* The ids are the manifest's (driver/windows/avbptpmon.man). */
enum { ETW_ATTACH = 1, ETW_DETACH, ETW_ENABLE, ETW_DISABLE, ETW_LOSS, ETW_REFUSED, ETW_START, ETW_STOP, ETW_EVENTS };

static void check_traces(UINT64 *before, const UINT64 *wanted)
{
    for (UINT32 id = ETW_ATTACH; id < ETW_EVENTS; id++) {
        UINT64 now = (UINT64)lab_value(LAB_CALL_ETW_COUNT, 0, id).count;
        if (now - before[id] != wanted[id])
            fail("%llu events of id %u, not %llu", (unsigned long long)(now - before[id]), id,
                 (unsigned long long)wanted[id]);
        before[id] = now;
    }
}

void case_etw(void)
{
    struct lab_in all = {.value = 1, .extra = 5, .wide = 0xFF};
    struct lab_adapter_config config = plain_adapter(GUID_1);
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 5, NULL, 0);
    UINT64 before[ETW_EVENTS] = {0}, none[ETW_EVENTS] = {0};
    for (UINT32 id = ETW_ATTACH; id < ETW_EVENTS; id++)
        before[id] = (UINT64)lab_value(LAB_CALL_ETW_COUNT, 0, id).count;
    lab_call(LAB_CALL_ETW_ENABLE, &all);
    struct setup setup = set_up(&config);
    check_traces(before, (UINT64[ETW_EVENTS]){[ETW_ATTACH] = 1, [ETW_ENABLE] = 1});
    CHECK_SAME(pass_frame(setup.adapter, RX, &frame), 1);
    expect_frame(&setup, &frame, AVB_DIRECTION_RX);
    check_traces(before, (UINT64[ETW_EVENTS]){[ETW_START] = 1, [ETW_STOP] = 1});
    lab_value(LAB_CALL_ETW_ENABLE, 0, 0);
    CHECK_SAME(pass_frame(setup.adapter, RX, &frame), 1);
    expect_frame(&setup, &frame, AVB_DIRECTION_RX);
    check_traces(before, none); /* nobody listens: the datapath is silent */
    lab_call(LAB_CALL_ETW_ENABLE, &all);
    lab_value(LAB_CALL_DETACH, setup.adapter, 0);
    check_traces(before, (UINT64[ETW_EVENTS]){[ETW_DISABLE] = 1, [ETW_DETACH] = 1});
    monitor_end(&setup.monitor, 0);
    CHECK(CloseHandle(setup.monitor.device));
}
