/* SPDX-License-Identifier: MIT */
/*
 * Records that count ticks: one and the same run, recorded in ns and in ticks of several rates, gives the same events,
 * pairs and latencies; and what is recorded stays as the driver side wrote it.
 */
#include "timebase.h"

#include "correlator_kit.h"
#include "random.h"
#include "recording_kit.h"
#include "scripted_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

__extension__ typedef unsigned __int128 uint128;

#define START    (INT64_C(123456789) * KIT_SECOND + 987654321) /* four years after the start of the system */
#define MESSAGES 600
#define STEP     (37 * KIT_MILLISECOND)
#define PHC_LEAD INT64_C(37000000123)

static const uint64_t rates[] = {10000000, 3579545, 24000000,          UINT64_C(1000000000),
                                 1,        1193182, UINT64_C(1) << 34, 2999999999};
#define RATES (sizeof rates / sizeof *rates)
/* Rates at which latencies of microseconds can be told. */
#define FINE_RATES 4

/* UTC - system clock. */
static int64_t utc_ahead = KIT_REALTIME;

static char events_path[64], ticks_path[64], capture_path[64];

/* ---- Numbers ------------------------------------------------------------------------------ */

static void ticks_become_ns_exactly(void **state)
{
    (void)state;
    struct random random = {1};
    for (int i = 0; i < 200000; i++) {
        uint64_t hz = 1 + random_below(&random, PTPMON_HZ_MAX);
        uint64_t ticks = random_next(&random) >> random_below(&random, 64);
        uint128 exact = (uint128)ticks * PTPMON_NS_PER_SECOND / hz;
        uint64_t expected = exact > UINT64_MAX ? UINT64_MAX : (uint64_t)exact;
        assert_true(ptpmon_ticks_to_ns(ticks, hz) == expected);
    }
    for (size_t i = 0; i < RATES; i++) {
        assert_true(ptpmon_ticks_to_ns(0, rates[i]) == 0);
        assert_true(ptpmon_ticks_to_ns(rates[i], rates[i]) == PTPMON_NS_PER_SECOND);
        assert_true(ptpmon_ticks_to_ns(100 * rates[i], rates[i]) == 100 * PTPMON_NS_PER_SECOND);
        assert_true(ptpmon_ticks_to_ns(rates[i] - 1, rates[i]) < PTPMON_NS_PER_SECOND);
    }
    assert_true(ptpmon_ticks_to_ns(UINT64_MAX, 1) == UINT64_MAX);
    assert_true(ptpmon_ticks_to_ns(UINT64_MAX, 0) == UINT64_MAX);
}

static void every_time_of_a_record_is_converted_and_no_other_number(void **state)
{
    (void)state;
    const struct ptpmon_timebase ticks = {.hz = 10000000, .software_ticks = true}, utc = {.hz = 10000000}, ns = {0};
    const PTP_TIMESTAMP_EVENT record = {
        .hw_timestamp_ns = 7, .system_timestamp = 50, .software_timestamp = 40, .sequence = 9};
    PTP_TIMESTAMP_EVENT event = record;
    ptpmon_timebase_to_event(&ns, &event);
    assert_memory_equal(&event, &record, sizeof event);
    ptpmon_timebase_to_event(&utc, &event);
    assert_true(event.hw_timestamp_ns == 7 && event.system_timestamp == 5000 && event.software_timestamp == 40);
    event = record;
    ptpmon_timebase_to_event(&ticks, &event);
    assert_true(event.hw_timestamp_ns == 7 && event.system_timestamp == 5000 && event.software_timestamp == 4000);
    assert_true(event.sequence == 9);

    event = kit_clocks(50, 1800);
    ptpmon_timebase_to_event(&ticks, &event);
    PTP_CLOCKS_RECORD clocks;
    memcpy(&clocks, &event, sizeof clocks);
    assert_true(clocks.system_timestamp == 5000 && clocks.realtime_ns == 1800);

    event = kit_loss(30, 50, 6, 2);
    ptpmon_timebase_to_event(&ticks, &event);
    PTP_LOSS_RECORD loss;
    memcpy(&loss, &event, sizeof loss);
    assert_true(loss.since == 3000 && loss.system_timestamp == 5000);
    assert_true(loss.frames_dropped == 6 && loss.stamps_dropped == 2);

    /* A stamp that there is does not become one that there is not. */
    const struct ptpmon_timebase fast = {.hz = PTPMON_HZ_MAX, .software_ticks = true};
    event = (PTP_TIMESTAMP_EVENT){.software_timestamp = 1};
    ptpmon_timebase_to_event(&fast, &event);
    assert_true(event.software_timestamp == 1);
    event = (PTP_TIMESTAMP_EVENT){.software_timestamp = 0};
    ptpmon_timebase_to_event(&fast, &event);
    assert_true(event.software_timestamp == 0);
}

/* ---- One run, and files of it -------------------------------------------------------------- */

static struct kit_message message_of(size_t i)
{
    return (struct kit_message){
        .direction = i % 3 == 0 ? AVB_DIRECTION_TX : AVB_DIRECTION_RX,
        .messageType = (uint8_t)(i % 3),
        .sequenceId = (uint16_t)(i / 3),
        .portNumber = 1,
        .clock = (uint8_t)(i % 3),
    };
}

static int64_t time_of(size_t i)
{
    return START + 100 * KIT_MILLISECOND + (int64_t)i * STEP + (int64_t)(i * i * 7919 % 1000003);
}

/* Of a received frame before the driver side sees it, of a sent one after it. */
static int64_t stack_time_of(size_t i)
{
    int64_t delay = 2500 + (int64_t)(i * 104729 % 20011);
    return i % 3 == 0 ? time_of(i) + delay : time_of(i) - delay;
}

static bool was_dropped(size_t i)
{
    return i >= 300 && i < 310;
}

static void write_clocks(FILE *file, int64_t time)
{
    PTP_TIMESTAMP_EVENT clocks = kit_clocks(time, time + utc_ahead);
    clocks.hw_timestamp_ns = (UINT64)(time + PHC_LEAD);
    assert_int_equal(fwrite(&clocks, sizeof clocks, 1, file), 1);
}

static void write_records(FILE *file)
{
    int64_t second = START;
    for (size_t i = 0; i <= MESSAGES; i++) {
        for (; second <= time_of(i); second += KIT_SECOND)
            write_clocks(file, second);
        if (i == 310) {
            PTP_TIMESTAMP_EVENT loss = kit_loss(time_of(299) + 1, time_of(309) + 1, 10, 0);
            assert_int_equal(fwrite(&loss, sizeof loss, 1, file), 1);
        }
        if (i == MESSAGES || was_dropped(i))
            continue;
        struct kit_message message = message_of(i);
        bool sent = message.direction == AVB_DIRECTION_TX;
        uint64_t stamp = (uint64_t)(stack_time_of(i) + utc_ahead);
        PTP_TIMESTAMP_EVENT event = kit_event(&message, time_of(i), sent ? 0 : stamp, i + 1);
        if (!sent) {
            event.hw_timestamp_ns = (UINT64)(stack_time_of(i) - 1500 + PHC_LEAD);
            event.stamp |= AVB_STAMP_METADATA;
        }
        if (sent)
            event.stamp |= AVB_STAMP_EXPECTED;
        assert_int_equal(fwrite(&event, sizeof event, 1, file), 1);
        if (sent && i % 2 == 0) {
            PTP_TIMESTAMP_EVENT late = late_stamp_of(&event, (uint64_t)(time_of(i) + 40 * KIT_MICROSECOND), stamp);
            assert_int_equal(fwrite(&late, sizeof late, 1, file), 1);
        }
    }
    write_clocks(file, second);
}

static void write_capture(void)
{
    static const ptpmon_capture_interface interface = {.name = "nic0", .host = "here", .boot_id = "this"};
    ptpmon_capture_writer *writer;
    assert_int_equal(ptpmon_capture_writer_open(capture_path, &interface, 1, &writer), PTPMON_OK);
    for (size_t i = 0; i < MESSAGES; i++) {
        uint8_t bytes[KIT_FRAME_LENGTH];
        struct kit_message message = message_of(i);
        ptpmon_frame frame = kit_frame(&message, stack_time_of(i) + utc_ahead, 0, bytes);
        frame.resolution_ns = 1;
        if (i % 50 != 49)
            assert_int_equal(ptpmon_capture_writer_frame(writer, 0, &frame), PTPMON_OK);
    }
    assert_int_equal(ptpmon_capture_writer_close(writer), PTPMON_OK);
}

static void write_files(void)
{
    PTP_RECORDING_HEADER header = {
        .byte_order = AVB_RECORDING_BYTE_ORDER,
        .format_version = AVB_RECORDING_FORMAT_VERSION,
        .abi_version = AVB_PTP_EVENT_ABI_VERSION,
        .header_bytes = AVB_RECORDING_HEADER_BYTES,
        .record_bytes = sizeof(PTP_TIMESTAMP_EVENT),
        .system_clock_hz = KIT_SECOND,
        .system_clock = AVB_CLOCK_MONOTONIC,
        .software_clock = AVB_CLOCK_REALTIME,
        .hw_clock = AVB_CLOCK_PHC,
        .interface_name = "nic0",
        .host = "here",
        .boot_id = "this",
    };
    memcpy(header.magic, AVB_RECORDING_MAGIC, sizeof header.magic);
    FILE *file = fopen(events_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(&header, sizeof header, 1, file), 1);
    write_records(file);
    assert_int_equal(fclose(file), 0);
    write_capture();
}

static uint64_t to_ticks(uint64_t ns, uint64_t hz)
{
    return (uint64_t)((uint128)ns * hz / PTPMON_NS_PER_SECOND);
}

static void record_to_ticks(PTP_TIMESTAMP_EVENT *record, uint64_t hz, bool software_ticks)
{
    record->system_timestamp = to_ticks(record->system_timestamp, hz);
    if (record->direction == AVB_DIRECTION_LOSS) {
        PTP_LOSS_RECORD loss;
        memcpy(&loss, record, sizeof loss);
        loss.since = to_ticks(loss.since, hz);
        memcpy(record, &loss, sizeof loss);
    } else if (record->direction <= AVB_DIRECTION_TX && software_ticks && record->software_timestamp != 0) {
        record->software_timestamp = to_ticks(record->software_timestamp - (uint64_t)utc_ahead, hz);
    }
}

/* The recording as a system would have made it whose counter has this rate. */
static void rewrite(uint64_t hz, bool software_ticks)
{
    size_t length;
    unsigned char *bytes = read_whole(events_path, &length);
    PTP_RECORDING_HEADER *header = (void *)bytes;
    PTP_TIMESTAMP_EVENT *records = (void *)(bytes + sizeof *header);
    header->system_clock = AVB_CLOCK_QPC;
    header->system_clock_hz = hz;
    header->software_clock = software_ticks ? AVB_CLOCK_QPC : AVB_CLOCK_REALTIME;
    for (size_t i = 0; i < (length - sizeof *header) / sizeof *records; i++)
        record_to_ticks(&records[i], hz, software_ticks);
    write_whole(ticks_path, bytes, length);
    free(bytes);
}

/* ---- What is observed ---------------------------------------------------------------------- */

struct observed {
    ptpmon_observation told[2 * MESSAGES];
    size_t count;
    ptpmon_alignment alignment;
};

static struct observed *observe(const char *path)
{
    struct observed *observed = calloc(1, sizeof *observed);
    assert_non_null(observed);
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_observer *observer;
    assert_int_equal(ptpmon_monitor_open_recording(path, &monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_capture_open_file(capture_path, &capture), PTPMON_OK);
    assert_int_equal(ptpmon_observer_open(monitor, capture, NULL, &observer), PTPMON_OK);
    while (ptpmon_observer_next(observer, 0, &observed->told[observed->count]) == PTPMON_OK) {
        observed->count++;
        assert_true(observed->count < 2 * MESSAGES);
    }
    ptpmon_observer_alignment(observer, &observed->alignment);
    ptpmon_observer_close(observer);
    ptpmon_capture_close(capture);
    ptpmon_monitor_close(monitor);
    return observed;
}

static void assert_near(int64_t a, int64_t b, uint64_t within)
{
    uint64_t distance = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
    if (distance > within)
        fail_msg("%lld and %lld are further apart than %llu", (long long)a, (long long)b, (unsigned long long)within);
}

static void assert_same_message(const ptpmon_observation *ns, const ptpmon_observation *ticks, uint64_t tick)
{
    assert_int_equal(ns->result.outcome, ticks->result.outcome);
    assert_int_equal(ns->result.has_event, ticks->result.has_event);
    assert_int_equal(ns->result.has_frame, ticks->result.has_frame);
    assert_true(ns->result.frame_number == ticks->result.frame_number);
    assert_true(ns->result.event.sequence == ticks->result.event.sequence);
    assert_int_equal(ns->result.event.stamp, ticks->result.event.stamp);
    assert_near((int64_t)ns->result.event.system_timestamp, (int64_t)ticks->result.event.system_timestamp, tick);
    assert_int_equal(ns->has_realtime, ticks->has_realtime);
    assert_near(ns->realtime_ns, ticks->realtime_ns, tick);
    assert_near(ns->software_realtime_ns, ticks->software_realtime_ns, tick);
    for (int i = 0; i < PTPMON_LATENCIES; i++) {
        assert_int_equal(ns->latencies[i].known, ticks->latencies[i].known);
        assert_near(ns->latencies[i].ns, ticks->latencies[i].ns, tick);
        if (ns->latencies[i].known && i != PTPMON_NIC_TO_HOST)
            assert_true(ticks->latencies[i].bound <= tick + 1);
    }
}

static const ptpmon_observation *find_message(const struct observed *observed, const ptpmon_observation *other)
{
    for (size_t i = 0; i < observed->count; i++) {
        const ptpmon_observation *told = &observed->told[i];
        if (told->kind == PTPMON_OBSERVED_MESSAGE && told->result.event.sequence == other->result.event.sequence &&
            told->result.frame_number == other->result.frame_number)
            return told;
    }
    fail_msg("no message with event %llu, frame %llu", (unsigned long long)other->result.event.sequence,
             (unsigned long long)other->result.frame_number);
    return NULL;
}

static size_t count_known(const struct observed *observed, ptpmon_latency_kind kind)
{
    size_t known = 0;
    for (size_t i = 0; i < observed->count; i++)
        known += observed->told[i].kind == PTPMON_OBSERVED_MESSAGE && observed->told[i].latencies[kind].known;
    return known;
}

static void assert_same(const struct observed *ns, const struct observed *ticks, uint64_t hz)
{
    const struct ptpmon_timebase timebase = {.hz = hz};
    uint64_t tick = ptpmon_tick_ns(&timebase);
    assert_true(ns->count == ticks->count);
    for (size_t i = 0; i < ticks->count; i++) {
        const ptpmon_observation *told = &ticks->told[i];
        if (told->kind == PTPMON_OBSERVED_MESSAGE)
            assert_same_message(find_message(ns, told), told, tick);
        else if (told->kind == PTPMON_OBSERVED_LOSS)
            assert_near((int64_t)told->loss.since, time_of(299) + 1, tick);
    }
}

static void the_same_run_gives_the_same_in_ticks(void **state)
{
    (void)state;
    write_files();
    struct observed *ns = observe(events_path);
    assert_int_equal(ns->alignment.clock, PTPMON_CLOCK_SYSTEM);
    assert_true(count_known(ns, PTPMON_RX_DRIVER) > 350 && count_known(ns, PTPMON_TX_SOFTWARE) > 80);
    assert_true(count_known(ns, PTPMON_NIC_TO_HOST) > 350);
    for (size_t i = 0; i < FINE_RATES; i++) {
        for (int software_ticks = 0; software_ticks < 2; software_ticks++) {
            rewrite(rates[i], software_ticks);
            struct observed *ticks = observe(ticks_path);
            /* Without stamps of UTC there is no proof, and nothing that speaks against the system clock. */
            assert_int_equal(ticks->alignment.clock, software_ticks ? PTPMON_CLOCK_ASSUMED : PTPMON_CLOCK_SYSTEM);
            assert_same(ns, ticks, rates[i]);
            free(ticks);
        }
    }
    free(ns);
}

/* Stamps that count ticks are no times of a capture, even where the numbers are the same. */
static void stamps_of_another_clock_prove_nothing(void **state)
{
    (void)state;
    utc_ahead = 0;
    write_files();
    rewrite(1000000000, true);
    utc_ahead = KIT_REALTIME;
    struct observed *ticks = observe(ticks_path);
    size_t matched = 0;
    for (size_t i = 0; i < ticks->count; i++) {
        const ptpmon_observation *told = &ticks->told[i];
        if (told->kind != PTPMON_OBSERVED_MESSAGE)
            continue;
        assert_int_not_equal(told->result.reason, PTPMON_BY_SOFTWARE_TIME);
        if (told->result.outcome == PTPMON_MATCHED && told->result.event.direction == AVB_DIRECTION_RX) {
            assert_true(told->result.event.software_timestamp == (UINT64)told->result.frame_time_ns);
            matched++;
        }
    }
    assert_true(matched > 300);
    assert_int_equal(ticks->alignment.equal_stamps + ticks->alignment.compared_stamps, 0);
    free(ticks);
}

/* ---- The doors ----------------------------------------------------------------------------- */

static void records_stay_ticks_and_events_are_ns(void **state)
{
    (void)state;
    write_files();
    for (size_t i = 0; i < RATES; i++) {
        size_t count, raw_count, length;
        rewrite(rates[i], true);
        PTP_TIMESTAMP_EVENT *records = read_records(ticks_path, &raw_count);
        unsigned char *bytes = read_whole(ticks_path, &length);
        assert_true(raw_count == (length - sizeof(PTP_RECORDING_HEADER)) / sizeof *records);
        assert_memory_equal(records, bytes + sizeof(PTP_RECORDING_HEADER), raw_count * sizeof *records);

        ptpmon_monitor *monitor;
        ptpmon_monitor_info info;
        assert_int_equal(ptpmon_monitor_open_recording(ticks_path, &monitor), PTPMON_OK);
        assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
        assert_int_equal(ptpmon_monitor_info_get(monitor, &info), PTPMON_OK);
        assert_true(info.system_clock_hz == rates[i] && info.software_is_system_clock);
        assert_true(info.enabled_at == ptpmon_ticks_to_ns(records[0].system_timestamp, rates[i]));
        assert_true(info.disabled_at == ptpmon_ticks_to_ns(records[raw_count - 1].system_timestamp, rates[i]));
        PTP_TIMESTAMP_EVENT *events = read_events(monitor, &count);
        assert_true(events[0].system_timestamp == info.enabled_at);
        assert_true(count > MESSAGES);
        ptpmon_monitor_close(monitor);
        free(events);
        free(records);
        free(bytes);
    }
}

static void rates_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t system_clock, software_clock;
        uint64_t hz;
        bool good;
    } headers[] = {
        {AVB_CLOCK_QPC, AVB_CLOCK_QPC, 1, true},
        {AVB_CLOCK_QPC, AVB_CLOCK_NONE, PTPMON_HZ_MAX, true},
        {AVB_CLOCK_QPC, AVB_CLOCK_QPC, 0, false},
        {AVB_CLOCK_QPC, AVB_CLOCK_QPC, PTPMON_HZ_MAX + 1, false},
        {AVB_CLOCK_QPC, AVB_CLOCK_QPC, UINT64_MAX, false},
        {AVB_CLOCK_MONOTONIC, AVB_CLOCK_REALTIME, 10000000, false},
        {AVB_CLOCK_MONOTONIC, AVB_CLOCK_QPC, 1000000000, false},
    };
    write_files();
    size_t length;
    unsigned char *bytes = read_whole(events_path, &length);
    PTP_RECORDING_HEADER *header = (void *)bytes;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        ptpmon_monitor *monitor = NULL;
        header->system_clock = headers[i].system_clock;
        header->software_clock = headers[i].software_clock;
        header->system_clock_hz = headers[i].hz;
        write_whole(ticks_path, bytes, length);
        assert_int_equal(ptpmon_monitor_open_recording(ticks_path, &monitor),
                         headers[i].good ? PTPMON_OK : PTPMON_BAD_FILE);
        if (!headers[i].good)
            assert_non_null(strstr(ptpmon_error_message(), "damaged"));
        ptpmon_monitor_close(monitor);
    }
    free(bytes);
}

/* ---- A live source that counts ticks ------------------------------------------------------- */

#define HZ 10000000u /* ticks of 100 ns */

static size_t count_direction(const PTP_TIMESTAMP_EVENT *events, size_t count, uint8_t direction)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += events[i].direction == direction;
    return found;
}

/* Three seconds, a message each tenth; a record is lost at once, and two after the first second. */
static void run_live(ptpmon_monitor *monitor, PTP_TIMESTAMP_EVENT *events, size_t *count)
{
    size_t taken;
    for (uint16_t i = 0; i < 30; i++) {
        struct kit_message message = {.direction = AVB_DIRECTION_RX, .sequenceId = i, .portNumber = 1};
        PTP_TIMESTAMP_EVENT record = kit_event(&message, (int64_t)script.now, script.now - 25, i + 1u);
        script_give(&record);
        script.now += HZ / 10;
        script.frames_dropped = i >= 10 ? 3 : 1;
        assert_int_equal(ptpmon_events_read(monitor, events + *count, 1000 - *count, &taken), PTPMON_OK);
        *count += taken;
    }
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    while (ptpmon_events_read(monitor, events + *count, 1000 - *count, &taken) == PTPMON_OK)
        *count += taken;
}

static void a_live_counter_is_recorded_as_it_is(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT *events = calloc(1000, sizeof *events);
    ptpmon_monitor *monitor;
    ptpmon_monitor_info info;
    size_t count = 0, recorded;
    assert_non_null(events);
    script_reset();
    script.hz = HZ;
    script.now = 77 * UINT64_C(86400) * HZ + 3;
    uint64_t begin = script.now;
    assert_int_equal(ptpmon_monitor_open("script0", NULL, &monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_record(monitor, ticks_path), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    run_live(monitor, events, &count);
    assert_int_equal(ptpmon_monitor_info_get(monitor, &info), PTPMON_OK);
    assert_true(info.enabled_at == 100 * begin && info.disabled_at == 100 * script.now);
    assert_true(info.system_clock_hz == HZ && info.software_is_system_clock);
    ptpmon_monitor_close(monitor);

    assert_int_equal(count_direction(events, count, AVB_DIRECTION_RX), 30);
    /* At the start, after each second, at the end. */
    assert_in_range(count_direction(events, count, AVB_DIRECTION_CLOCKS), 4, 5);
    assert_int_equal(count_direction(events, count, AVB_DIRECTION_LOSS), 2);
    PTP_TIMESTAMP_EVENT *records = read_records(ticks_path, &recorded);
    assert_int_equal(recorded, count);
    const struct ptpmon_timebase timebase = {.hz = HZ, .software_ticks = true};
    for (size_t i = 0; i < count; i++) {
        assert_in_range(records[i].system_timestamp, begin, script.now);
        if (records[i].direction == AVB_DIRECTION_LOSS) {
            PTP_LOSS_RECORD loss;
            memcpy(&loss, &records[i], sizeof loss);
            assert_in_range(loss.since, begin, loss.system_timestamp - 1);
        }
        ptpmon_timebase_to_event(&timebase, &records[i]);
        assert_memory_equal(&records[i], &events[i], sizeof events[i]);
        if (events[i].direction == AVB_DIRECTION_RX)
            assert_true(events[i].system_timestamp - events[i].software_timestamp == 2500);
    }
    free(records);
    free(events);
}

static int remove_files(void **state)
{
    (void)state;
    unlink(events_path);
    unlink(ticks_path);
    unlink(capture_path);
    return 0;
}

int main(void)
{
    snprintf(events_path, sizeof events_path, "/tmp/test_timebase-%d.events", (int)getpid());
    snprintf(ticks_path, sizeof ticks_path, "/tmp/test_timebase-%d-ticks.events", (int)getpid());
    snprintf(capture_path, sizeof capture_path, "/tmp/test_timebase-%d.pcapng", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_become_ns_exactly),
        cmocka_unit_test(every_time_of_a_record_is_converted_and_no_other_number),
        cmocka_unit_test(the_same_run_gives_the_same_in_ticks),
        cmocka_unit_test(stamps_of_another_clock_prove_nothing),
        cmocka_unit_test(records_stay_ticks_and_events_are_ns),
        cmocka_unit_test(rates_that_cannot_be_are_refused),
        cmocka_unit_test(a_live_counter_is_recorded_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
