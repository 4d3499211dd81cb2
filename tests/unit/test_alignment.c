/* SPDX-License-Identifier: MIT */
/* Which clock a capture used, and whether it belongs to the events: decisions and refusals, where the truth is known.
 */
#include "alignment.h"

#include "alignment_kit.h"
#include "failing_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND      INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

static char folder[] = "/tmp/ptpmon-alignment-XXXXXX";
static char events_path[64], capture_path[64];

/* ---- Running it ---------------------------------------------------------------------------- */

struct aligned {
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_status status;
    ptpmon_alignment alignment;
};

static void open_files(struct aligned *aligned)
{
    *aligned = (struct aligned){.alignment.pairs = 77};
    if (ptpmon_monitor_open_recording(events_path, &aligned->monitor) != PTPMON_OK ||
        ptpmon_monitor_enable(aligned->monitor) != PTPMON_OK ||
        ptpmon_capture_open_file(capture_path, &aligned->capture) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
}

static void close_files(struct aligned *aligned)
{
    ptpmon_monitor_close(aligned->monitor);
    ptpmon_capture_close(aligned->capture);
}

static struct aligned align_files(const ptpmon_observer_options *options)
{
    struct aligned aligned;
    open_files(&aligned);
    aligned.status = ptpmon_align(aligned.monitor, aligned.capture, options, &aligned.alignment);
    return aligned;
}

/* Both files are at their start again. */
static void assert_at_start(const struct aligned *aligned)
{
    ptpmon_batch batch;
    ptpmon_frame frame;
    assert_int_equal(ptpmon_records_peek(aligned->monitor, &batch), PTPMON_OK);
    assert_int_equal(ptpmon_batch_at(&batch, 0)->direction, AVB_DIRECTION_CLOCKS);
    assert_int_equal(ptpmon_batch_at(&batch, 0)->sequence, 0);
    assert_int_equal(ptpmon_capture_next(aligned->capture, &frame), PTPMON_OK);
    assert_int_equal(frame.number, 1);
}

static ptpmon_alignment accepted(const ptpmon_observer_options *options)
{
    struct aligned aligned = align_files(options);
    if (aligned.status != PTPMON_OK)
        fail_msg("refused: %s", ptpmon_error_message());
    assert_at_start(&aligned);
    close_files(&aligned);
    return aligned.alignment;
}

static const ptpmon_observer_options other_clock = {.other_clock = true};

static void assert_refused(const ptpmon_observer_options *options, const char *because)
{
    struct aligned aligned = align_files(options);
    const char *message = ptpmon_error_message();
    if (aligned.status != PTPMON_BAD_FILE)
        fail_msg("not refused for \"%s\": clock %d, offset %.6f s", because, aligned.alignment.clock,
                 (double)aligned.alignment.offset_ns / 1e9);
    if (strstr(message, because) == NULL || strstr(message, capture_path) == NULL ||
        strstr(message, events_path) == NULL)
        fail_msg("the message does not say \"%s\", or not of which files: %s", because, message);
    assert_int_equal(aligned.alignment.pairs, 77);
    close_files(&aligned);
}

static void assert_system(void)
{
    ptpmon_alignment found = accepted(NULL);
    assert_int_equal(found.clock, PTPMON_CLOCK_SYSTEM);
    assert_true(found.equal_stamps > 0 && found.equal_stamps <= found.compared_stamps);
    assert_true(found.pairs == 0 && found.offset_ns == 0);
}

static void assert_other(const struct recorded *recorded, const ptpmon_alignment *found, int64_t offset_within,
                         double drift_within_ppm)
{
    assert_int_equal(found->clock, PTPMON_CLOCK_OTHER);
    int64_t at = found->at_ns - KIT_REALTIME - recorded->offset;
    int64_t offset = recorded->offset + (int64_t)(recorded->drift * (double)at);
    double drift_off = found->drift_ppm - recorded->drift * 1e6;
    if (llabs(found->offset_ns - offset) > offset_within)
        fail_msg("offset %.6f s, told %.6f s", (double)offset / 1e9, (double)found->offset_ns / 1e9);
    if (drift_off > drift_within_ppm || drift_off < -drift_within_ppm)
        fail_msg("drift %.3f ppm, told %.3f", recorded->drift * 1e6, found->drift_ppm);
}

/* Two minutes of both, all of it. */
static struct recorded whole(int64_t duration)
{
    return (struct recorded){.events_to = duration, .capture_to = duration};
}

static struct node gptp_node(uint64_t seed, int64_t duration)
{
    struct node node;
    node_start(&node, seed);
    node_add_gptp(&node, 0, duration, (uint16_t)(seed * 7919));
    return node;
}

static struct node e2e_node(uint64_t seed, int64_t duration)
{
    struct node node;
    node_start(&node, seed);
    node_add_e2e(&node, 0, duration, (uint16_t)(seed * 7919));
    return node;
}

static void write_files(struct node *node, const struct recorded *recorded)
{
    node_write(node, recorded, events_path, capture_path);
}

/* ---- The system clock ---------------------------------------------------------------------- */

static void equal_stamps_prove_the_system_clock(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        struct node node = kind & 4 ? gptp_node(1, 120 * SECOND) : e2e_node(2, 120 * SECOND);
        struct recorded recorded = whole(120 * SECOND);
        recorded.microseconds = kind & 1;
        recorded.pcapng = (kind & 3) == 2;
        recorded.event_loss_percent = recorded.frame_loss_percent = kind & 2 ? 10 : 0;
        write_files(&node, &recorded);
        assert_system();
        node_free(&node);
    }
}

static void capture_of_another_stretch_is_still_the_system_clock(void **state)
{
    (void)state;
    static const int64_t stretches[][4] = {
        /* events, capture; s */
        {1000, 1100, 0, 3600}, {0, 3600, 1000, 1100}, {0, 600, 590, 3600}, {590, 3600, 0, 600}, {0, 3600, 3590, 3600},
    };
    for (size_t i = 0; i < sizeof stretches / sizeof *stretches; i++) {
        struct node node = gptp_node(i, 3600 * SECOND);
        struct recorded recorded = {
            .events_from = stretches[i][0] * SECOND,
            .events_to = stretches[i][1] * SECOND,
            .capture_from = stretches[i][2] * SECOND,
            .capture_to = stretches[i][3] * SECOND,
            .microseconds = i % 2,
        };
        write_files(&node, &recorded);
        assert_system();
        node_free(&node);
    }
}

static void a_step_of_the_system_clock_changes_nothing(void **state)
{
    (void)state;
    static const int64_t steps[] = {SECOND / 3, -10 * SECOND, 10 * 365 * 86400 * SECOND};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct node node = gptp_node(i, 300 * SECOND);
        struct recorded recorded = whole(300 * SECOND);
        recorded.clock_set_at = 100 * SECOND;
        recorded.clock_set_by = steps[i];
        recorded.capture_from = i == 2 ? 150 * SECOND : 0;
        write_files(&node, &recorded);
        assert_system();
        node_free(&node);
    }
}

static void a_cut_capture_is_compared_up_to_there(void **state)
{
    (void)state;
    struct node node = gptp_node(5, 60 * SECOND);
    struct recorded recorded = whole(60 * SECOND);
    write_files(&node, &recorded);
    assert_int_equal(truncate(capture_path, 40001), 0);
    assert_system();
    node_free(&node);
}

static void a_single_message_with_its_stamp_is_enough(void **state)
{
    (void)state;
    struct node node = gptp_node(5, 60 * SECOND);
    struct recorded recorded = whole(60 * SECOND);
    recorded.capture_from = 30 * SECOND;
    recorded.capture_to = recorded.capture_from + SECOND / 8; /* a Sync and its Follow_Up, perhaps an answer */
    write_files(&node, &recorded);
    assert_system();
    node_free(&node);
}

static void without_stamps_it_is_assumed(void **state)
{
    (void)state;
    for (int64_t duration = 120; duration > 0; duration -= 118) {
        struct node node = gptp_node(5, duration * SECOND);
        struct recorded recorded = whole(duration * SECOND);
        recorded.no_software_stamps = true;
        recorded.microseconds = true;
        write_files(&node, &recorded);
        ptpmon_alignment found = accepted(NULL);
        assert_int_equal(found.clock, PTPMON_CLOCK_ASSUMED);
        assert_true(found.compared_stamps == 0 && found.pairs == 0);
        node_free(&node);
    }
}

/* ---- Other clocks -------------------------------------------------------------------------- */

static void other_clocks_are_measured(void **state)
{
    (void)state;
    static const int64_t offsets[] = {0, 37 * SECOND, -59 * SECOND, 300 * MILLISECOND};
    static const double drifts[] = {0, 20e-6, -20e-6, 200e-6, -200e-6};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        for (size_t j = 0; j < sizeof drifts / sizeof *drifts; j++) {
            struct node node = j % 2 ? e2e_node(i, 600 * SECOND) : gptp_node(i, 600 * SECOND);
            struct recorded recorded = whole(600 * SECOND);
            recorded.stamps = STAMPED_BY_OTHER;
            recorded.offset = offsets[i];
            recorded.drift = drifts[j];
            recorded.microseconds = (i + j) % 2;
            recorded.pcapng = !recorded.microseconds && i % 2;
            recorded.event_loss_percent = recorded.frame_loss_percent = (unsigned)(5 * (j % 3));
            write_files(&node, &recorded);
            assert_refused(NULL, "--other-clock");
            ptpmon_alignment found = accepted(&other_clock);
            assert_other(&recorded, &found, MILLISECOND, 1);
            assert_true(found.residual_ns < MILLISECOND && found.pairs > 500);
            node_free(&node);
        }
    }
}

static void without_stamps_an_offset_is_followed_unasked(void **state)
{
    (void)state;
    struct node node = gptp_node(3, 300 * SECOND);
    struct recorded recorded = whole(300 * SECOND);
    recorded.no_software_stamps = true;
    recorded.stamps = STAMPED_BY_OTHER;
    recorded.offset = -37 * SECOND;
    write_files(&node, &recorded);
    ptpmon_alignment found = accepted(NULL);
    assert_other(&recorded, &found, MILLISECOND, 1);

    recorded.offset = 0; /* drifts away: not the system clock */
    recorded.drift = 100e-6;
    write_files(&node, &recorded);
    found = accepted(NULL);
    assert_other(&recorded, &found, MILLISECOND, 1);
    node_free(&node);
}

static void shifted_stamps_are_recognized(void **state)
{
    (void)state;
    static const int64_t shifts[] = {SECOND / 2, -59 * SECOND, 1000001, -3600 * SECOND};
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        struct node node = gptp_node(i, 120 * SECOND);
        struct recorded recorded = whole(120 * SECOND);
        ptpmon_observer_options wide = {.max_offset_ns = 7200 * (uint64_t)SECOND};
        recorded.offset = shifts[i];
        recorded.microseconds = i == 1;
        write_files(&node, &recorded);
        ptpmon_alignment found = accepted(i == 3 ? &wide : NULL);
        assert_int_equal(found.clock, PTPMON_CLOCK_OTHER);
        assert_true(llabs(found.offset_ns - shifts[i]) < (recorded.microseconds ? 1000 : 1));
        assert_true(found.equal_stamps >= 8 && found.drift_ppm == 0 && found.residual_ns == 0);
        node_free(&node);
    }
}

static void stamps_of_the_own_card_need_no_option(void **state)
{
    (void)state;
    static const int64_t offsets[] = {0, 37 * SECOND, 100 * SECOND, -KIT_REALTIME + 5000 * SECOND};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct node node = gptp_node(i, 120 * SECOND);
        struct recorded recorded = whole(120 * SECOND);
        recorded.hardware_stamps = true;
        recorded.stamps = STAMPED_BY_OWN_PHC;
        recorded.phc_offset = recorded.offset = offsets[i];
        recorded.drift = 15e-6;
        write_files(&node, &recorded);
        ptpmon_alignment found = accepted(NULL);
        assert_other(&recorded, &found, MILLISECOND, 1);
        assert_int_equal(found.equal_stamps, 0);
        node_free(&node);
    }
}

/* A Sync at 128/s wraps after 512 s: with ten minutes of offset allowed it fits at two distances, the others at one. */
static void wrapped_sequence_is_told_by_the_other_messages(void **state)
{
    (void)state;
    ptpmon_observer_options wide = {.other_clock = true, .max_offset_ns = 600 * (uint64_t)SECOND};
    const struct node_stream fast = {0, 1500 * SECOND, SECOND / 128, 0, AVB_DIRECTION_RX, AVB_PTP_SYNC, 2, 0};
    struct node node;
    node_start(&node, 1);
    node_add_stream(&node, &fast);
    struct recorded recorded = whole(1500 * SECOND);
    recorded.stamps = STAMPED_BY_OTHER;
    recorded.offset = 37 * SECOND;
    write_files(&node, &recorded);
    assert_refused(&wide, "two distances");
    ptpmon_alignment found = accepted(&other_clock);
    assert_other(&recorded, &found, MILLISECOND, 1);

    const struct node_stream slow = {0, 1500 * SECOND, SECOND, 0, AVB_DIRECTION_RX, AVB_PTP_ANNOUNCE, 2, 0};
    node_add_stream(&node, &slow);
    write_files(&node, &recorded);
    found = accepted(&wide);
    assert_other(&recorded, &found, MILLISECOND, 1);
    node_free(&node);
}

static void a_restarted_daemon_is_no_obstacle_if_most_speaks_for_one_distance(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct node node;
        node_start(&node, seed);
        node_add_gptp(&node, 0, 20 * SECOND, 0);
        node_add_gptp(&node, 23 * SECOND, 200 * SECOND, 0);
        struct recorded recorded = whole(200 * SECOND);
        recorded.stamps = STAMPED_BY_OTHER;
        recorded.offset = 37 * SECOND;
        write_files(&node, &recorded);
        ptpmon_alignment found = accepted(&other_clock);
        assert_other(&recorded, &found, MILLISECOND, 1);
        recorded.stamps = STAMPED_BY_STACK;
        recorded.offset = 0;
        write_files(&node, &recorded);
        assert_system();
        node_free(&node);
    }
}

/* The capture has the first run, the events only the second: whatever fits is wrong. */
static void another_run_of_the_daemon_is_never_taken_for_this_one(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct node node;
        node_start(&node, seed);
        node_add_e2e(&node, 0, 30 * SECOND, 0);
        node_add_e2e(&node, 31 * SECOND, 61 * SECOND, 0);
        struct recorded recorded = {.events_from = 31 * SECOND, .events_to = 61 * SECOND, .capture_to = 30 * SECOND};
        write_files(&node, &recorded);
        assert_refused(NULL, "");
        assert_refused(&other_clock, "no steady distance");
        node_free(&node);
    }
}

/* ---- Refused ------------------------------------------------------------------------------- */

static void few_messages_need_to_be_near(void **state)
{
    (void)state;
    struct node node;
    node_start(&node, 1);
    node_add_stream(&node, &(struct node_stream){SECOND, 7 * SECOND / 2, SECOND, MILLISECOND, AVB_DIRECTION_TX,
                                                 AVB_PTP_ANNOUNCE, 3, 9});
    struct recorded recorded = whole(10 * SECOND);
    recorded.stamps = STAMPED_BY_OTHER;
    write_files(&node, &recorded);
    ptpmon_alignment found = accepted(NULL);
    assert_int_equal(found.clock, PTPMON_CLOCK_ASSUMED);
    recorded.offset = 5 * SECOND;
    write_files(&node, &recorded);
    assert_refused(NULL, "only 3 PTP messages");
    assert_refused(&other_clock, "too few");
    node_free(&node);
}

static void the_other_end_of_the_link_is_refused(void **state)
{
    (void)state;
    for (int pcapng = 0; pcapng < 2; pcapng++) {
        for (int microseconds = 0; microseconds < 2 - pcapng; microseconds++) {
            struct node node = gptp_node(4, 120 * SECOND);
            struct recorded recorded = whole(120 * SECOND);
            recorded.other_end = true;
            recorded.pcapng = pcapng;
            recorded.microseconds = microseconds;
            write_files(&node, &recorded);
            assert_refused(NULL, pcapng ? "other end" : "not stamped by the host");
            if (pcapng)
                assert_refused(&other_clock, "other end");
            node_free(&node);
        }
    }
}

static void another_link_is_refused(void **state)
{
    (void)state;
    struct node here = gptp_node(4, 120 * SECOND), there = gptp_node(5, 120 * SECOND);
    struct recorded recorded = whole(120 * SECOND);
    char ignored[80];
    snprintf(ignored, sizeof ignored, "%s/ignored", folder);
    for (size_t i = 0; i < there.count; i++)
        there.messages[i].message.clock += 10;
    node_write(&here, &recorded, events_path, ignored);
    node_write(&there, &recorded, ignored, capture_path);
    assert_refused(NULL, "another link or host");
    assert_refused(&other_clock, "another link or host");
    unlink(ignored);
    node_free(&here);
    node_free(&there);
}

static void another_time_is_refused(void **state)
{
    (void)state;
    struct node node = gptp_node(4, 3600 * SECOND);
    struct recorded recorded = {
        .events_to = 100 * SECOND,
        .capture_from = 3000 * SECOND,
        .capture_to = 3600 * SECOND,
    };
    write_files(&node, &recorded);
    assert_refused(NULL, "2027-01-15 08:50:00"); /* 1800000000 + 3000 */
    assert_refused(NULL, "2027-01-15 08:01:40");
    assert_refused(NULL, "--max-offset");
    recorded.offset = -20 * 365 * 86400 * SECOND;
    write_files(&node, &recorded);
    assert_refused(NULL, "give files of the same time");
    recorded.offset = 0;
    recorded.capture_from = 120 * SECOND; /* near, but not at the same time */
    write_files(&node, &recorded);
    assert_refused(NULL, "captured at another time");
    node_free(&node);
}

/* Announce at 1/s, Sync at 8/s: what has wrapped after 8192 s for the one has not for the other. */
static void the_same_daemon_on_another_day_is_refused(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct node node = kind ? gptp_node(4, 8500 * SECOND) : e2e_node(4, 8500 * SECOND);
        struct recorded recorded = {
            .events_to = 300 * SECOND,
            .capture_from = 8192 * SECOND,
            .capture_to = 8492 * SECOND,
            .stamps = STAMPED_BY_OTHER,
            .offset = -8192 * SECOND, /* as if it were the same time */
        };
        write_files(&node, &recorded);
        assert_refused(NULL, "");
        recorded.no_software_stamps = true;
        write_files(&node, &recorded);
        assert_refused(&other_clock, "no steady distance");
        node_free(&node);
    }
}

static void empty_files_are_refused(void **state)
{
    (void)state;
    struct node node = gptp_node(4, 60 * SECOND);
    struct recorded recorded = whole(60 * SECOND);
    recorded.capture_to = 0;
    write_files(&node, &recorded);
    assert_refused(NULL, "no PTP message");
    recorded.capture_to = 60 * SECOND;
    write_files(&node, &recorded);
    assert_int_equal(truncate(events_path, AVB_RECORDING_HEADER_BYTES), 0);
    assert_refused(NULL, "no reading of the clocks");
    node_free(&node);
}

/* ---- Interfaces ---------------------------------------------------------------------------- */

static const ptpmon_capture_interface interfaces[] = {
    {.name = "nic1", .host = "host-a", .boot_id = "boot-a"},
    {.name = "nic0", .host = "host-a", .boot_id = "boot-a", .has_mac = true, .mac = {2, 0, 0, 0, 0, 9}},
    {.name = "nic0", .host = "host-b", .boot_id = "boot-b"},
    {.name = "nic0", .host = "host-a", .boot_id = "boot-b"},
    {.name = "nic7"},
};

static struct recorded of_interfaces(size_t first, size_t count, size_t frames_of)
{
    struct recorded recorded = whole(20 * SECOND);
    recorded.pcapng = true;
    recorded.interfaces = &interfaces[first];
    recorded.interface_count = count;
    recorded.frames_of = frames_of;
    return recorded;
}

static void the_events_interface_is_chosen(void **state)
{
    (void)state;
    struct node node = gptp_node(4, 20 * SECOND);
    struct recorded recorded = of_interfaces(0, 4, 1);
    recorded.mac = 9;
    write_files(&node, &recorded);
    assert_system();
    recorded.interface = "renamed0"; /* by its address */
    recorded.interface_count = 2;
    recorded.interfaces = &interfaces[1];
    recorded.frames_of = 0;
    write_files(&node, &recorded);
    assert_refused(NULL, "nic0");      /* ptpmon's own file names it: nic0, not renamed0 */
    recorded = of_interfaces(4, 1, 0); /* a foreign file with one interface: its name refuses nothing */
    write_files(&node, &recorded);
    assert_system();
    node_free(&node);
}

static void other_interfaces_hosts_and_runs_are_refused(void **state)
{
    (void)state;
    struct node node = gptp_node(4, 20 * SECOND);
    static const struct {
        size_t first, count;
        uint8_t mac;
        const char *interface, *because;
    } cases[] = {
        {0, 1, 0, NULL, "captured on interface nic1"},
        {2, 1, 0, NULL, "captured on host host-b"},
        {3, 1, 0, NULL, "another run of the host"},
        {1, 1, 8, NULL, "02:00:00:00:00:09"},
        {0, 5, 0, "nic3", "none of its interfaces (nic1, nic0, nic0, nic0, nic7) is nic3"},
        {2, 2, 0, NULL, "captured on host host-b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recorded recorded = of_interfaces(cases[i].first, cases[i].count, 0);
        recorded.mac = cases[i].mac;
        recorded.interface = cases[i].interface;
        write_files(&node, &recorded);
        assert_refused(NULL, cases[i].because);
    }
    static const ptpmon_capture_interface twice[] = {{.name = "nic0"}, {.name = "nic0"}};
    struct recorded recorded = of_interfaces(0, 2, 0);
    recorded.interfaces = twice;
    write_files(&node, &recorded);
    assert_refused(NULL, "mergecap");
    node_free(&node);
}

static void a_live_monitor_is_not_aligned(void **state)
{
    (void)state;
    struct node node = gptp_node(4, 20 * SECOND);
    struct recorded recorded = whole(20 * SECOND);
    write_files(&node, &recorded);
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_alignment alignment;
    if (ptpmon_monitor_open("lo", NULL, &monitor) != PTPMON_OK)
        skip(); /* no right to open one here */
    assert_int_equal(ptpmon_capture_open_file(capture_path, &capture), PTPMON_OK);
    assert_int_equal(ptpmon_align(monitor, capture, NULL, &alignment), PTPMON_INVALID);
    ptpmon_monitor_close(monitor);
    ptpmon_capture_close(capture);
    node_free(&node);
}

/* Each allocation fails in turn: reported, nothing is left behind, and a second try succeeds. */
static void any_allocation_may_fail(void **state)
{
    (void)state;
    struct node node = gptp_node(4, 30 * SECOND);
    struct recorded recorded = whole(30 * SECOND);
    recorded.stamps = STAMPED_BY_OTHER;
    write_files(&node, &recorded);
    struct aligned aligned;
    open_files(&aligned);
    size_t blocks = live_blocks(), failures = 0;
    for (;; failures++) {
        fail_allocations_after(failures, 1);
        aligned.status = ptpmon_align(aligned.monitor, aligned.capture, &other_clock, &aligned.alignment);
        size_t failed = failed_allocations();
        fail_no_allocation();
        if (failed > 0) {
            assert_int_equal(aligned.status, PTPMON_NO_MEMORY);
            assert_non_null(strstr(ptpmon_error_message(), "memory"));
        }
        assert_int_equal(ptpmon_monitor_disable(aligned.monitor), PTPMON_OK);
        assert_int_equal(ptpmon_monitor_enable(aligned.monitor), PTPMON_OK);
        assert_int_equal(live_blocks(), blocks);
        if (failed == 0)
            break;
    }
    assert_true(failures > 10);
    assert_int_equal(aligned.status, PTPMON_OK);
    close_files(&aligned);
    node_free(&node);
}

/* ---- Over many seeds ----------------------------------------------------------------------- */

/* Whatever the capture is, what is told of it is true, or nothing is told. */
static void nothing_false_is_ever_told(void **state)
{
    (void)state;
    size_t told = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct random random = {seed};
        struct node node;
        int64_t runs = random_between(&random, 1, 3), at = 0, end = 0;
        node_start(&node, seed);
        for (int64_t run = 0; run < runs; run++) {
            end = at + random_between(&random, 20 * SECOND, 100 * SECOND);
            if (random_chance(&random, 50))
                node_add_gptp(&node, at, end, 0);
            else
                node_add_e2e(&node, at, end, 0);
            at = end + random_between(&random, SECOND, 20 * SECOND);
        }
        struct recorded recorded = {
            .events_from = random_between(&random, 0, end / 2),
            .events_to = random_between(&random, end / 2, end),
            .capture_from = random_between(&random, 0, end / 2),
            .capture_to = random_between(&random, end / 2, end),
            .no_software_stamps = random_chance(&random, 30),
            .event_loss_percent = (unsigned)random_below(&random, 3) * 15,
            .frame_loss_percent = (unsigned)random_below(&random, 3) * 15,
            .stamps = random_chance(&random, 30) ? STAMPED_BY_STACK : STAMPED_BY_OTHER,
            .microseconds = random_chance(&random, 50),
            .other_end = random_chance(&random, 20),
        };
        bool system = recorded.stamps == STAMPED_BY_STACK && !recorded.other_end;
        if (!system) {
            recorded.stamps = STAMPED_BY_OTHER;
            recorded.offset = random_chance(&random, 50) ? random_between(&random, -59 * SECOND, 59 * SECOND) : 0;
            recorded.drift = (double)random_between(&random, -200, 200) * 1e-6;
        }
        write_files(&node, &recorded);
        struct aligned aligned = align_files(random_chance(&random, 50) ? &other_clock : NULL);
        const ptpmon_alignment *found = &aligned.alignment;
        if (aligned.status == PTPMON_OK) {
            told++;
            int64_t offset = found->clock == PTPMON_CLOCK_OTHER ? found->offset_ns : 0;
            int64_t time = found->clock == PTPMON_CLOCK_OTHER ? found->at_ns - KIT_REALTIME - recorded.offset
                                                              : recorded.capture_from;
            int64_t truth = recorded.offset + (int64_t)(recorded.drift * (double)time);
            if (found->clock == PTPMON_CLOCK_SYSTEM && !system)
                fail_msg("seed %u: taken for the system clock", (unsigned)seed);
            if (llabs(offset - truth) > (found->clock == PTPMON_CLOCK_ASSUMED ? 50 : 2) * MILLISECOND)
                fail_msg("seed %u: offset %.6f s, told %.6f s", (unsigned)seed, (double)truth / 1e9,
                         (double)offset / 1e9);
        }
        close_files(&aligned);
        node_free(&node);
    }
    assert_true(told > 20);
}

/* ---- Setup --------------------------------------------------------------------------------- */

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(events_path, sizeof events_path, "%s/node.events", folder);
    snprintf(capture_path, sizeof capture_path, "%s/node.pcap", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(events_path);
    unlink(capture_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stamps_prove_the_system_clock),
        cmocka_unit_test(capture_of_another_stretch_is_still_the_system_clock),
        cmocka_unit_test(a_step_of_the_system_clock_changes_nothing),
        cmocka_unit_test(a_cut_capture_is_compared_up_to_there),
        cmocka_unit_test(a_single_message_with_its_stamp_is_enough),
        cmocka_unit_test(without_stamps_it_is_assumed),
        cmocka_unit_test(other_clocks_are_measured),
        cmocka_unit_test(without_stamps_an_offset_is_followed_unasked),
        cmocka_unit_test(shifted_stamps_are_recognized),
        cmocka_unit_test(stamps_of_the_own_card_need_no_option),
        cmocka_unit_test(wrapped_sequence_is_told_by_the_other_messages),
        cmocka_unit_test(a_restarted_daemon_is_no_obstacle_if_most_speaks_for_one_distance),
        cmocka_unit_test(another_run_of_the_daemon_is_never_taken_for_this_one),
        cmocka_unit_test(few_messages_need_to_be_near),
        cmocka_unit_test(the_other_end_of_the_link_is_refused),
        cmocka_unit_test(another_link_is_refused),
        cmocka_unit_test(another_time_is_refused),
        cmocka_unit_test(the_same_daemon_on_another_day_is_refused),
        cmocka_unit_test(empty_files_are_refused),
        cmocka_unit_test(the_events_interface_is_chosen),
        cmocka_unit_test(other_interfaces_hosts_and_runs_are_refused),
        cmocka_unit_test(a_live_monitor_is_not_aligned),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(nothing_false_is_ever_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
