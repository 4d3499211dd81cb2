/* SPDX-License-Identifier: MIT */
/*
 * The observer on recordings: whatever the way in which events and frames come to it, the outcome is
 * that of a correlator which was given everything at once.
 */
#include <ptpmon.h>

#include "correlator_kit.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define START    (100 * (int64_t)KIT_SECOND) /* event time */
#define MESSAGES 3000

struct message {
    struct kit_message message;
    int64_t time;
    bool seen, captured;
};

/* What passed, and the files that were made of it. */
struct world {
    struct message messages[MESSAGES];
    size_t count;
    int64_t seconds;
    int64_t offset;  /* capture clock - system clock */
    int64_t jitter;  /* of capture times, at most; 0 = received frames have the stack's stamp */
    int64_t lost[2]; /* event time: the capture lost what lay between */
    uint64_t lost_count;
    char events[64], capture[64];
};

/* ---- Making files ------------------------------------------------------------------------- */

static int compare_times(const void *left, const void *right)
{
    const struct message *a = left, *b = right;
    return a->time < b->time ? -1 : a->time > b->time;
}

static struct kit_message random_message(struct random *random, uint16_t sequenceId)
{
    return (struct kit_message){
        .direction = random_chance(random, 30) ? AVB_DIRECTION_TX : AVB_DIRECTION_RX,
        .messageType = (uint8_t)random_below(random, 4),
        .domainNumber = (uint8_t)random_below(random, 2),
        .sequenceId = sequenceId,
        .portNumber = 1,
        .clock = (uint8_t)random_below(random, 3),
    };
}

static void make_messages(struct world *world, struct random *random)
{
    world->count = MESSAGES;
    world->seconds = 20;
    for (size_t i = 0; i < world->count; i++) {
        struct message *message = &world->messages[i];
        message->message = random_message(random, (uint16_t)random_below(random, MESSAGES));
        message->time = START + random_between(random, 100 * KIT_MILLISECOND, (world->seconds - 1) * KIT_SECOND);
        message->seen = !random_chance(random, 1);
        message->captured = !random_chance(random, 1);
    }
    qsort(world->messages, world->count, sizeof world->messages[0], compare_times);
    world->lost[0] = START + world->seconds / 2 * KIT_SECOND;
    world->lost[1] = world->lost[0] + 300 * KIT_MILLISECOND;
    for (size_t i = 0; i < world->count; i++) {
        struct message *message = &world->messages[i];
        if (message->time <= world->lost[0] || message->time > world->lost[1] || !message->captured)
            continue;
        message->captured = false;
        world->lost_count++;
    }
}

static int64_t capture_time(const struct world *world, const struct message *message)
{
    /* The stack stamps what comes before the driver side sees it, and what goes after. */
    int64_t delay = message->message.direction == AVB_DIRECTION_RX ? -3 : 2;
    int64_t jitter = world->jitter ? message->time % world->jitter : 0;
    return message->time + KIT_REALTIME + world->offset + delay * KIT_MICROSECOND + jitter;
}

static void put_record(FILE *file, const PTP_TIMESTAMP_EVENT *record)
{
    assert_int_equal(fwrite(record, sizeof *record, 1, file), 1);
}

static PTP_TIMESTAMP_EVENT event_of(const struct world *world, size_t i)
{
    const struct message *message = &world->messages[i];
    bool received = message->message.direction == AVB_DIRECTION_RX;
    uint64_t stamp = received ? (uint64_t)(message->time + KIT_REALTIME - 3 * KIT_MICROSECOND) : 0;
    return kit_event(&message->message, message->time, stamp, i + 1);
}

static void put_event(FILE *file, const struct world *world, size_t i, bool *has_late, PTP_TIMESTAMP_EVENT *late)
{
    PTP_TIMESTAMP_EVENT event = event_of(world, i);
    *has_late = event.direction == AVB_DIRECTION_TX && i % 3 == 0;
    if (*has_late) {
        event.stamp |= AVB_STAMP_EXPECTED;
        *late = event;
        late->stamp = AVB_STAMP_LATE;
        late->system_timestamp += 20 * KIT_MICROSECOND;
        late->software_timestamp = (uint64_t)(world->messages[i].time + KIT_REALTIME + 15 * KIT_MICROSECOND);
    }
    put_record(file, &event);
    if (*has_late && i % 6 == 0)
        put_record(file, late);
}

static void put_header(FILE *file)
{
    static PTP_RECORDING_HEADER header = {
        .byte_order = AVB_RECORDING_BYTE_ORDER,
        .format_version = AVB_RECORDING_FORMAT_VERSION,
        .abi_version = AVB_PTP_EVENT_ABI_VERSION,
        .header_bytes = AVB_RECORDING_HEADER_BYTES,
        .record_bytes = sizeof(PTP_TIMESTAMP_EVENT),
        .system_clock_hz = KIT_SECOND,
        .system_clock = AVB_CLOCK_MONOTONIC,
        .software_clock = AVB_CLOCK_REALTIME,
        .phc_index = -1,
        .interface_name = "nic0",
        .host = "here",
        .boot_id = "this",
    };
    memcpy(header.magic, AVB_RECORDING_MAGIC, sizeof header.magic);
    assert_int_equal(fwrite(&header, sizeof header, 1, file), 1);
}

static void write_events(const struct world *world)
{
    FILE *file = fopen(world->events, "wb");
    assert_non_null(file);
    put_header(file);
    int64_t second = 0;
    for (size_t i = 0; i <= world->count; i++) {
        int64_t until = i < world->count ? world->messages[i].time : START + world->seconds * KIT_SECOND;
        for (; START + second * KIT_SECOND <= until; second++) {
            int64_t time = START + second * KIT_SECOND;
            PTP_TIMESTAMP_EVENT clocks = kit_clocks(time, time + KIT_REALTIME);
            put_record(file, &clocks);
        }
        bool has_late;
        PTP_TIMESTAMP_EVENT late;
        if (i < world->count && world->messages[i].seen)
            put_event(file, world, i, &has_late, &late);
    }
    assert_int_equal(fclose(file), 0);
}

static ptpmon_frame frame_of(const struct world *world, size_t i, uint8_t bytes[KIT_FRAME_LENGTH])
{
    ptpmon_frame frame = kit_frame(&world->messages[i].message, capture_time(world, &world->messages[i]), 0, bytes);
    frame.resolution_ns = 1;
    return frame;
}

static int64_t capture_time_of(const struct world *world, int64_t event_time)
{
    return event_time + KIT_REALTIME + world->offset;
}

static void write_capture(const struct world *world, const char *host)
{
    ptpmon_capture_interface interface = {.name = "nic0", .boot_id = "this"};
    snprintf(interface.host, sizeof interface.host, "%s", host);
    ptpmon_capture_writer *writer;
    assert_int_equal(ptpmon_capture_writer_open(world->capture, &interface, 1, &writer), PTPMON_OK);
    ptpmon_capture_statistics counts = {.started_at = capture_time_of(world, START)};
    assert_int_equal(ptpmon_capture_writer_statistics(writer, 0, &counts, counts.started_at), PTPMON_OK);
    for (size_t i = 0; i < world->count; i++) {
        uint8_t bytes[KIT_FRAME_LENGTH];
        if (counts.dropped == 0 && world->lost_count > 0 && world->messages[i].time > world->lost[0]) {
            assert_int_equal(
                ptpmon_capture_writer_statistics(writer, 0, &counts, capture_time_of(world, world->lost[0])),
                PTPMON_OK);
            counts.dropped = world->lost_count;
            assert_int_equal(
                ptpmon_capture_writer_statistics(writer, 0, &counts, capture_time_of(world, world->lost[1])),
                PTPMON_OK);
        }
        if (!world->messages[i].captured)
            continue;
        ptpmon_frame frame = frame_of(world, i, bytes);
        assert_int_equal(ptpmon_capture_writer_frame(writer, 0, &frame), PTPMON_OK);
        counts.frames++;
    }
    counts.stopped_at = capture_time_of(world, START + world->seconds * KIT_SECOND);
    assert_int_equal(ptpmon_capture_writer_statistics(writer, 0, &counts, counts.stopped_at), PTPMON_OK);
    assert_int_equal(ptpmon_capture_writer_close(writer), PTPMON_OK);
}

static struct world *make_world(uint64_t seed)
{
    struct random random = {seed};
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    snprintf(world->events, sizeof world->events, "/tmp/test_observer-%d.events", (int)getpid());
    snprintf(world->capture, sizeof world->capture, "/tmp/test_observer-%d.pcapng", (int)getpid());
    make_messages(world, &random);
    return world;
}

static void free_world(struct world *world)
{
    unlink(world->events);
    unlink(world->capture);
    free(world);
}

/* ---- Two ways to the outcome -------------------------------------------------------------- */

/* Outcome and reason of the event of each message, and of each frame; 255 = none. */
struct outcomes {
    uint8_t events[MESSAGES], event_reasons[MESSAGES];
    size_t frames_alone, matched, told;
};

static void note(struct outcomes *outcomes, const ptpmon_result *result)
{
    outcomes->told++;
    outcomes->matched += result->outcome == PTPMON_MATCHED;
    if (!result->has_event) {
        outcomes->frames_alone++;
        return;
    }
    size_t i = (size_t)result->event.sequence - 1;
    assert_true(i < MESSAGES);
    assert_int_equal(outcomes->events[i], 255);
    outcomes->events[i] = (uint8_t)result->outcome;
    outcomes->event_reasons[i] = (uint8_t)result->reason;
}

static struct outcomes *new_outcomes(void)
{
    struct outcomes *outcomes = calloc(1, sizeof *outcomes);
    assert_non_null(outcomes);
    memset(outcomes->events, 255, sizeof outcomes->events);
    return outcomes;
}

/* Everything at once, from memory. */
static struct outcomes *correlate(const struct world *world)
{
    struct outcomes *outcomes = new_outcomes();
    ptpmon_correlator *correlator;
    assert_int_equal(ptpmon_correlator_open(NULL, &correlator), PTPMON_OK);
    for (int64_t second = 0; second <= world->seconds; second++) {
        int64_t time = START + second * KIT_SECOND;
        PTP_TIMESTAMP_EVENT clocks = kit_clocks(time, capture_time_of(world, time));
        assert_int_equal(ptpmon_correlator_event(correlator, &clocks), PTPMON_OK);
    }
    ptpmon_correlator_monitor_ran(correlator, (uint64_t)START, (uint64_t)(START + world->seconds * KIT_SECOND));
    ptpmon_correlator_capture_ran(correlator, capture_time_of(world, START),
                                  capture_time_of(world, START + world->seconds * KIT_SECOND));
    ptpmon_correlator_capture_lost(correlator, capture_time_of(world, world->lost[0]),
                                   capture_time_of(world, world->lost[1]));
    for (size_t i = 0; i < world->count; i++) {
        uint8_t bytes[KIT_FRAME_LENGTH];
        PTP_TIMESTAMP_EVENT event = event_of(world, i);
        ptpmon_frame frame = frame_of(world, i, bytes);
        if (world->messages[i].seen)
            assert_int_equal(ptpmon_correlator_event(correlator, &event), PTPMON_OK);
        if (world->messages[i].captured)
            assert_int_equal(ptpmon_correlator_frame(correlator, &frame), PTPMON_OK);
    }
    assert_int_equal(ptpmon_correlator_finish(correlator), PTPMON_OK);
    ptpmon_result result;
    while (ptpmon_correlator_next(correlator, &result) == PTPMON_OK)
        note(outcomes, &result);
    ptpmon_correlator_close(correlator);
    return outcomes;
}

struct observed {
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_observer *observer;
    size_t clocks, capture_losses;
    uint64_t frames_lost;
};

static void open_events(struct observed *observed, const struct world *world)
{
    *observed = (struct observed){0};
    assert_int_equal(ptpmon_monitor_open_recording(world->events, &observed->monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(observed->monitor), PTPMON_OK);
}

/* Both files, of a capture that was made where the events were. */
static void open_files(struct observed *observed, const struct world *world)
{
    write_events(world);
    write_capture(world, "here");
    open_events(observed, world);
    assert_int_equal(ptpmon_capture_open_file(world->capture, &observed->capture), PTPMON_OK);
}

static void close_observed(struct observed *observed)
{
    ptpmon_observer_close(observed->observer);
    ptpmon_capture_close(observed->capture);
    ptpmon_monitor_close(observed->monitor);
}

/* Notes what comes until there is nothing more now; true: nothing more at all. */
static bool observe(struct observed *observed, struct outcomes *outcomes)
{
    ptpmon_observation observation;
    ptpmon_status status;
    while ((status = ptpmon_observer_next(observed->observer, 0, &observation)) == PTPMON_OK) {
        assert_string_equal(observation.interface, "nic0");
        if (observation.kind == PTPMON_OBSERVED_MESSAGE)
            note(outcomes, &observation.result);
        observed->clocks += observation.kind == PTPMON_OBSERVED_CLOCKS;
        if (observation.kind == PTPMON_OBSERVED_CAPTURE_LOSS) {
            observed->capture_losses++;
            observed->frames_lost += observation.loss.frames_dropped;
        }
    }
    assert_true(status == PTPMON_NOTHING || status == PTPMON_END);
    return status == PTPMON_END;
}

static void assert_same(const struct outcomes *a, const struct outcomes *b)
{
    assert_int_equal(a->told, b->told);
    assert_int_equal(a->matched, b->matched);
    assert_int_equal(a->frames_alone, b->frames_alone);
    assert_memory_equal(a->events, b->events, sizeof a->events);
    assert_memory_equal(a->event_reasons, b->event_reasons, sizeof a->event_reasons);
}

/* ---- Tests -------------------------------------------------------------------------------- */

static void test_files_give_what_a_correlator_gives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world *world = make_world(seed);
        struct outcomes *expected = correlate(world), *found = new_outcomes();
        struct observed observed;
        open_files(&observed, world);
        assert_int_equal(ptpmon_observer_open(observed.monitor, observed.capture, NULL, &observed.observer), PTPMON_OK);
        assert_true(observe(&observed, found));
        assert_same(expected, found);
        assert_int_equal(observed.clocks, world->seconds + 1);
        assert_int_equal(observed.capture_losses, 1);
        assert_int_equal(observed.frames_lost, world->lost_count);
        ptpmon_alignment alignment;
        ptpmon_observer_alignment(observed.observer, &alignment);
        assert_int_equal(alignment.clock, PTPMON_CLOCK_SYSTEM);
        assert_true(alignment.equal_stamps > 0);
        close_observed(&observed);
        free(expected);
        free(found);
        free_world(world);
    }
}

/* Stamps that were all moved are stamps still: nothing changes but the times that are told. */
static void test_moved_stamps_give_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *world = make_world(seed);
        struct outcomes *expected = correlate(world), *found = new_outcomes();
        world->offset = 37 * (int64_t)KIT_SECOND + 123456789;
        struct observed observed;
        open_files(&observed, world);
        assert_int_equal(ptpmon_observer_open(observed.monitor, observed.capture, NULL, &observed.observer), PTPMON_OK);
        assert_true(observe(&observed, found));
        ptpmon_alignment alignment;
        ptpmon_observer_alignment(observed.observer, &alignment);
        assert_int_equal(alignment.clock, PTPMON_CLOCK_OTHER);
        assert_true(alignment.equal_stamps > 0);
        assert_int_equal(alignment.offset_ns, world->offset);
        ptpmon_correlation counts;
        ptpmon_observer_counts(observed.observer, &counts);
        assert_true(counts.by_reason[PTPMON_BY_SOFTWARE_TIME] > counts.matched / 2);
        assert_same(expected, found);
        close_observed(&observed);
        free(expected);
        free(found);
        free_world(world);
    }
}

/* Another clock is followed; pairs are found by key, for no stamp equals a capture time. */
static void test_another_clock_gives_the_same_pairs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *world = make_world(seed);
        world->offset = 37 * (int64_t)KIT_SECOND + 123456789;
        world->jitter = 4 * KIT_MICROSECOND;
        struct outcomes *found = new_outcomes();
        struct observed observed;
        open_files(&observed, world);
        assert_int_equal(ptpmon_observer_open(observed.monitor, observed.capture, NULL, &observed.observer),
                         PTPMON_BAD_FILE);
        assert_non_null(strstr(ptpmon_error_message(), "--other-clock"));
        const ptpmon_observer_options options = {.other_clock = true};
        assert_int_equal(ptpmon_observer_open(observed.monitor, observed.capture, &options, &observed.observer),
                         PTPMON_OK);
        assert_true(observe(&observed, found));
        ptpmon_alignment alignment;
        ptpmon_observer_alignment(observed.observer, &alignment);
        assert_int_equal(alignment.clock, PTPMON_CLOCK_OTHER);
        assert_int_equal(alignment.equal_stamps, 0);
        assert_in_range(alignment.offset_ns - world->offset + 5000, 0, 10000);
        size_t both = 0;
        for (size_t i = 0; i < world->count; i++)
            both += world->messages[i].seen && world->messages[i].captured;
        assert_in_range(found->matched, both - both / 50, both);
        close_observed(&observed);
        free(found);
        free_world(world);
    }
}

/* Frames given in chunks, as a caller reads them somewhere else. */
static void test_given_frames_give_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct random random = {seed};
        struct world *world = make_world(seed);
        world->lost_count = 0;
        struct outcomes *found = new_outcomes();
        struct observed observed;
        write_events(world);
        open_events(&observed, world);
        assert_int_equal(ptpmon_capture_open_given("given", &observed.capture), PTPMON_OK);
        assert_int_equal(ptpmon_observer_open(observed.monitor, observed.capture, NULL, &observed.observer), PTPMON_OK);
        for (size_t i = 0; i < world->count; i++) {
            uint8_t bytes[KIT_FRAME_LENGTH];
            ptpmon_frame frame = frame_of(world, i, bytes);
            if (world->messages[i].captured)
                assert_int_equal(ptpmon_capture_give(observed.capture, &frame), PTPMON_OK);
            if (random_chance(&random, 10))
                assert_false(observe(&observed, found));
        }
        assert_int_equal(ptpmon_observer_stop(observed.observer), PTPMON_OK);
        assert_true(observe(&observed, found));
        size_t seen = 0, both = 0;
        for (size_t i = 0; i < world->count; i++) {
            seen += world->messages[i].seen;
            both += world->messages[i].seen && world->messages[i].captured;
            assert_int_equal(found->events[i] == 255, !world->messages[i].seen);
        }
        assert_int_equal(found->told - found->frames_alone, seen);
        assert_in_range(found->matched, both - both / 50, both);
        close_observed(&observed);
        free(found);
        free_world(world);
    }
}

static void test_events_alone(void **state)
{
    (void)state;
    struct world *world = make_world(7);
    struct outcomes *found = new_outcomes();
    struct observed observed;
    write_events(world);
    open_events(&observed, world);
    assert_int_equal(ptpmon_observer_open(observed.monitor, NULL, NULL, &observed.observer), PTPMON_OK);
    assert_true(observe(&observed, found));
    for (size_t i = 0; i < world->count; i++)
        assert_int_equal(found->events[i] != 255, world->messages[i].seen);
    assert_int_equal(found->matched + found->frames_alone, 0);
    close_observed(&observed);
    free(found);
    free_world(world);
}

static void test_refusals(void **state)
{
    (void)state;
    struct world *world = make_world(3);
    struct observed observed;
    write_events(world);
    write_capture(world, "elsewhere");
    open_events(&observed, world);
    assert_int_equal(ptpmon_capture_open_file(world->capture, &observed.capture), PTPMON_OK);
    assert_int_equal(ptpmon_observer_open(observed.monitor, observed.capture, NULL, &observed.observer),
                     PTPMON_BAD_FILE);
    assert_non_null(strstr(ptpmon_error_message(), "elsewhere"));
    assert_int_equal(ptpmon_observer_open(NULL, NULL, NULL, &observed.observer), PTPMON_INVALID);
    close_observed(&observed);
    free_world(world);
}

/* A capture that begins an hour before the events: nothing of it is held, and nothing of it is matched. */
static void test_a_capture_may_begin_long_before(void **state)
{
    (void)state;
    struct world *world = make_world(5);
    struct outcomes *found = new_outcomes();
    struct observed observed;
    write_events(world);
    size_t early = world->count / 2;
    for (size_t i = 0; i < early; i++)
        world->messages[i].time -= 3600 * (int64_t)KIT_SECOND;
    world->lost_count = 0;
    write_capture(world, "here");
    open_events(&observed, world);
    assert_int_equal(ptpmon_capture_open_file(world->capture, &observed.capture), PTPMON_OK);
    assert_int_equal(ptpmon_observer_open(observed.monitor, observed.capture, NULL, &observed.observer), PTPMON_OK);
    assert_true(observe(&observed, found));
    ptpmon_correlation counts;
    ptpmon_observer_counts(observed.observer, &counts);
    size_t before = 0;
    for (size_t i = 0; i < early; i++)
        before += world->messages[i].captured;
    assert_int_equal(counts.outside_frames, before);
    assert_true(found->matched > (world->count - early) * 9 / 10 - 100);
    close_observed(&observed);
    free(found);
    free_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_give_what_a_correlator_gives),
        cmocka_unit_test(test_moved_stamps_give_the_same),
        cmocka_unit_test(test_another_clock_gives_the_same_pairs),
        cmocka_unit_test(test_given_frames_give_the_same),
        cmocka_unit_test(test_events_alone),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_capture_may_begin_long_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
