/* SPDX-License-Identifier: MIT */
/*
 * The simulator by its files, read as any recording is: what they say must be what was worked out by hand. That every
 * exchange of every set-up is what the truth says is tested in Python (test_simulation.py).
 */
#include "analysis/time.h"

#include <ptpmon_simulator.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/ptpmon-test-simulator-XXXXXX";
static char base[64];

#define PORTS_MAX 18

/* ---- Running ---- */

/* Settings are "name=value", NULL after the last. */
static ptpmon_status run(const char *const *settings, bool (*go_on)(void *, double), void *context,
                         ptpmon_simulation_result *result)
{
    ptpmon_simulation *simulation;
    assert_int_equal(ptpmon_simulation_open(&simulation), PTPMON_OK);
    for (; *settings != NULL; settings++) {
        char name[64];
        const char *value = strchr(*settings, '=');
        snprintf(name, sizeof name, "%.*s", (int)(value - *settings), *settings);
        if (ptpmon_simulation_set(simulation, name, value + 1) != PTPMON_OK)
            fail_msg("%s: %s", *settings, ptpmon_error_message());
    }
    ptpmon_status status = ptpmon_simulation_run(simulation, base, go_on, context, result);
    ptpmon_simulation_close(simulation);
    return status;
}

static void run_whole(const char *const *settings, ptpmon_simulation_result *result)
{
    if (run(settings, NULL, NULL, result) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
}

#define RUN(result, ...) run_whole((const char *const[]){__VA_ARGS__, NULL}, result)

/* ---- Reading ---- */

static char *contents(const char *suffix, size_t *length)
{
    char path[128];
    snprintf(path, sizeof path, "%s.%s", base, suffix);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(64 << 20);
    assert_non_null(text);
    *length = fread(text, 1, (64 << 20) - 1, file);
    text[*length] = 0;
    fclose(file);
    return text;
}

struct reader {
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_observer *observer;
};

static void open_port(struct reader *reader, const char *port)
{
    char path[128];
    const ptpmon_observer_options options = {.messages = true};
    snprintf(path, sizeof path, "%s.%s.events", base, port);
    assert_int_equal(ptpmon_monitor_open_recording(path, &reader->monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_enable(reader->monitor), PTPMON_OK);
    snprintf(path, sizeof path, "%s.%s.pcapng", base, port);
    assert_int_equal(ptpmon_capture_open_file(path, &reader->capture), PTPMON_OK);
    if (ptpmon_observer_open(reader->monitor, reader->capture, &options, &reader->observer) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
}

static void close_port(struct reader *reader)
{
    ptpmon_observer_close(reader->observer);
    ptpmon_capture_close(reader->capture);
    ptpmon_monitor_close(reader->monitor);
}

/* The next message of one type; false: none is left. */
static bool next(struct reader *reader, uint8_t type, ptpmon_observation *observation)
{
    ptpmon_status status;
    while ((status = ptpmon_observer_next(reader->observer, 0, observation)) == PTPMON_OK) {
        if (observation->kind == PTPMON_OBSERVED_MESSAGE && observation->result.event.messageType == type)
            return true;
    }
    assert_int_equal(status, PTPMON_END);
    return false;
}

/* The hardware stamps and messages of one port, a row for each sequenceId. */
struct row {
    int64_t t1, t2, t3, t4, correction;
    bool whole;
};

static int64_t time_of(const ptpmon_message *message)
{
    return (int64_t)message->seconds * 1000000000 + message->nanoseconds;
}

static size_t read_rows(const char *port, struct row *rows, size_t count, bool peer)
{
    struct reader reader;
    ptpmon_observation o;
    size_t found = 0;
    memset(rows, 0, count * sizeof *rows);
    open_port(&reader, port);
    while (ptpmon_observer_next(reader.observer, 0, &o) == PTPMON_OK) {
        if (o.kind != PTPMON_OBSERVED_MESSAGE)
            continue;
        const PTP_TIMESTAMP_EVENT *event = &o.result.event;
        const ptpmon_message *message = &o.result.message;
        assert_int_equal(o.result.outcome, PTPMON_MATCHED);
        assert_int_equal(o.result.cross_check, 0);
        assert_true(o.result.has_message && event->sequenceId < count);
        struct row *row = &rows[event->sequenceId];
        int64_t stamp = (int64_t)event->hw_timestamp_ns;
        if (event->messageType == AVB_PTP_SYNC && !peer)
            row->t2 = stamp;
        else if (event->messageType == AVB_PTP_FOLLOW_UP && !peer)
            row->t1 = time_of(message), row->correction += message->correctionField;
        else if (event->messageType == AVB_PTP_DELAY_REQ)
            row->t3 = stamp;
        else if (event->messageType == AVB_PTP_DELAY_RESP)
            row->t4 = time_of(message), row->correction += message->correctionField;
        else if (!peer || message->requestingClockIdentity[6] != 1)
            continue;
        else if (event->messageType == AVB_PTP_PDELAY_RESP)
            row->t4 = stamp, row->t2 = time_of(message);
        else if (event->messageType == AVB_PTP_PDELAY_RESP_FOLLOW_UP)
            row->t3 = time_of(message);
        found = found > event->sequenceId ? found : event->sequenceId + 1u;
    }
    close_port(&reader);
    return found;
}

/* ---- By hand ---- */

/* Links of 500 + 100 ns down and 500 - 100 ns up; the client is 1000 ns ahead. So t2 - t1 is 1600, t4 - t3 is -600. */
static void test_delay_request_by_hand(void **state)
{
    (void)state;
    struct row rows[16];
    RUN(NULL, "profile=e2e", "offset=1us", "link-delay=500ns", "asymmetry=100ns", "duration=10s");
    size_t count = read_rows("client", rows, 16, false);
    assert_int_equal(count, 10);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].t2 - rows[i].t1, 1600);
        assert_int_equal(rows[i].t4 - rows[i].t3, -600);
        assert_int_equal(rows[i].correction, 0);
    }
}

/* Two time-aware systems: what was not corrected of a Sync's way is the last link. */
static void test_time_aware_bridges_by_hand(void **state)
{
    (void)state;
    struct row rows[128];
    RUN(NULL, "profile=gptp", "bridges=2", "link-delay=300ns,400ns,500ns", "residence=50us", "offset=-2us",
        "bridge-offset=1s", "duration=10s");
    size_t count = read_rows("client", rows, 128, false);
    assert_true(count > 60);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].correction > 2 * 50000 * INT64_C(65536));
        assert_int_equal((rows[i].t2 - rows[i].t1) * 65536 - rows[i].correction, (500 - 2000) * 65536);
    }
}

/* The client runs 100 ppm fast: 10 s later it shows 1 ms more. */
static void test_drift_by_hand(void **state)
{
    (void)state;
    struct row rows[16];
    RUN(NULL, "profile=e2e", "drift=100", "duration=12s", "link-delay=0ns");
    size_t count = read_rows("client", rows, 16, false);
    assert_true(count > 10);
    for (size_t i = 1; i < count; i++) {
        int64_t offset = rows[i].t2 - rows[i].t1, elapsed = rows[i].t1 - rows[0].t1;
        assert_in_range(offset - (rows[0].t2 - rows[0].t1) - elapsed / 10000 + 2, 0, 4);
    }
}

/* An IEEE 1588 transparent clock of one step says in Sync itself how long it had it. */
static void test_one_step_transparent_clock_by_hand(void **state)
{
    (void)state;
    struct reader reader;
    ptpmon_observation o;
    int count = 0;
    RUN(NULL, "profile=e2e", "step=one", "bridge-step=one", "bridges=3", "residence=7us", "link-delay=200ns");
    open_port(&reader, "client");
    while (next(&reader, AVB_PTP_SYNC, &o)) {
        assert_int_equal(o.result.message.correctionField, 3 * 7000 * 65536);
        assert_int_equal((int64_t)o.result.event.hw_timestamp_ns - time_of(&o.result.message), 3 * 7000 + 4 * 200);
        assert_false(o.result.event.flags & AVB_PTP_FLAG_TWO_STEP);
        count++;
    }
    close_port(&reader);
    assert_int_equal(count, 10);
    /* The NIC wrote the time in after the capture had seen the frame. */
    open_port(&reader, "gm");
    while (next(&reader, AVB_PTP_SYNC, &o)) {
        assert_int_equal(time_of(&o.result.message), 0);
        assert_false(o.result.event.stamp & (AVB_STAMP_KIND_MASK | AVB_STAMP_MISSING));
    }
    close_port(&reader);
}

/* The turnaround of IEEE 1588 in correctionField, and fractions of ns that stamps have there. */
static void test_turnaround_by_hand(void **state)
{
    (void)state;
    struct reader reader;
    ptpmon_observation o;
    RUN(NULL, "profile=p2p", "turnaround-in=correction", "granularity=0.25ns", "response-delay=1ms");
    open_port(&reader, "client");
    int count = 0;
    while (next(&reader, AVB_PTP_PDELAY_RESP_FOLLOW_UP, &o)) {
        assert_int_equal(time_of(&o.result.message), 0);
        assert_true(o.result.message.correctionField >= 1000000 * INT64_C(65536));
        assert_int_equal(o.result.message.correctionField % (65536 / 4), 0);
        count++;
    }
    close_port(&reader);
    assert_int_equal(count, 20);
}

/* ---- Recordings ---- */

static void check_all_matched(const char *port, uint64_t *events, uint64_t *frames)
{
    struct reader reader;
    ptpmon_observation o;
    ptpmon_correlation counts;
    open_port(&reader, port);
    while (ptpmon_observer_next(reader.observer, 0, &o) == PTPMON_OK) {
        if (o.kind != PTPMON_OBSERVED_MESSAGE)
            continue;
        const PTP_TIMESTAMP_EVENT *event = &o.result.event;
        bool stamped = event->messageType < 8;
        assert_int_equal(o.result.outcome, PTPMON_MATCHED);
        assert_int_equal((event->stamp & AVB_STAMP_KIND_MASK) != 0, stamped);
        assert_int_equal(event->hw_timestamp_ns != 0, stamped);
    }
    ptpmon_observer_counts(reader.observer, &counts);
    assert_int_equal(counts.matched, counts.events);
    assert_int_equal(counts.matched, counts.frames);
    assert_int_equal(counts.source_mac_differs + counts.vlan_differs + counts.pcp_differs, 0);
    *events += counts.events;
    *frames += counts.frames;
    close_port(&reader);
}

static void test_every_event_has_its_frame_and_stamp(void **state)
{
    (void)state;
    static const char *const transports[] = {"transport=ethernet", "transport=udp4", "transport=udp6"};
    static const char *const ports[] = {"gm", "bridge1-up", "bridge1-down", "bridge2-up", "bridge2-down", "client"};
    for (size_t i = 0; i < 3; i++) {
        ptpmon_simulation_result result;
        uint64_t events = 0, frames = 0;
        RUN(&result, "profile=p2p", "bridges=2", transports[i], "vlan=7", "pcp=5", "domains=0,3", "jitter=1ms",
            "queue=exponential", "drift=10", "stamp-error=20ns");
        for (size_t j = 0; j < 6; j++)
            check_all_matched(ports[j], &events, &frames);
        assert_int_equal(result.ports, 6);
        assert_int_equal(result.frames, frames);
        assert_true(result.events > events); /* with late stamps */
    }
}

/* A reading of the clocks is as good as it says: against what the client's clock is set to show. */
static void test_clock_readings_are_honest(void **state)
{
    (void)state;
    struct reader reader;
    ptpmon_observation o;
    int count = 0;
    RUN(NULL, "offset=1ms", "reading-error=500ns", "duration=30s", "drift=0");
    open_port(&reader, "client");
    while (ptpmon_observer_next(reader.observer, 0, &o) == PTPMON_OK) {
        if (o.kind != PTPMON_OBSERVED_CLOCKS)
            continue;
        int64_t offset = (int64_t)(o.clocks.hw_timestamp_ns - o.clocks.realtime_ns) - 37 * INT64_C(1000000000);
        assert_in_range(o.clocks.hw_uncertainty_ns, 500, 510);
        assert_in_range(offset - 1000000 + o.clocks.hw_uncertainty_ns, 0, 2 * o.clocks.hw_uncertainty_ns);
        count++;
    }
    close_port(&reader);
    assert_int_equal(count, 32);
}

static void test_equal_settings_give_equal_bytes(void **state)
{
    (void)state;
    static const char *const files[] = {"client.events", "client.pcapng", "gm.events", "truth.jsonl"};
    static const char *const seeds[] = {"seed=7", "seed=7", "seed=8"};
    char *texts[3][4];
    size_t lengths[3][4];
    for (int i = 0; i < 3; i++) {
        RUN(NULL, seeds[i], "bridges=1", "wander=0.1", "stamp-error=5ns", "queue=gaussian", "fault=loss:p=0.1");
        for (int j = 0; j < 4; j++)
            texts[i][j] = contents(files[j], &lengths[i][j]);
    }
    for (int j = 0; j < 4; j++) {
        assert_int_equal(lengths[0][j], lengths[1][j]);
        assert_memory_equal(texts[0][j], texts[1][j], lengths[0][j]);
        assert_true(lengths[0][j] != lengths[2][j] || memcmp(texts[0][j], texts[2][j], lengths[0][j]) != 0);
    }
    for (int i = 0; i < 12; i++)
        free(texts[i / 4][i % 4]);
}

/* 65536 Syncs, and four more. */
static void test_sequences_wrap(void **state)
{
    (void)state;
    size_t length;
    RUN(NULL, "profile=e2e", "sync-interval=-7", "duration=512131ms", "observe=client");
    char *truth = contents("truth.jsonl", &length);
    const char *last = strstr(truth, "\"sequenceId\":65535,\"cycle\":0,\"two_step\"");
    assert_non_null(last);
    const char *first = strstr(last, "\"sequenceId\":0,\"cycle\":1,\"two_step\"");
    assert_non_null(first);
    assert_non_null(strstr(first, "\"sequenceId\":3,\"cycle\":1,\"two_step\""));
    assert_null(strstr(first, "\"sequenceId\":4,\"cycle\":1,\"two_step\""));
    free(truth);
}

/* ---- Ends and failures ---- */

static bool until_half(void *context, double done)
{
    *(double *)context = done;
    return done < 0.5;
}

static void test_an_early_end_leaves_whole_files(void **state)
{
    (void)state;
    double done = 0;
    size_t length;
    uint64_t events = 0, frames = 0;
    const char *const settings[] = {"duration=1000s", "sync-interval=-5", NULL};
    assert_int_equal(run(settings, until_half, &done, NULL), PTPMON_OK);
    assert_true(done >= 0.5 && done < 0.6);
    check_all_matched("client", &events, &frames);
    assert_in_range(frames, 1000 * 32, 1000 * 64 * 6 / 10 + 10000);
    char *truth = contents("truth.jsonl", &length);
    assert_non_null(strstr(truth, "{\"type\":\"end\",\"whole\":false,"));
    assert_int_equal(truth[length - 1], '\n');
    free(truth);
}

static void test_a_simulation_runs_once(void **state)
{
    (void)state;
    ptpmon_simulation *simulation;
    assert_int_equal(ptpmon_simulation_open(&simulation), PTPMON_OK);
    assert_int_equal(ptpmon_simulation_set(simulation, "duration", "100ms"), PTPMON_OK);
    assert_int_equal(ptpmon_simulation_run(simulation, base, NULL, NULL, NULL), PTPMON_OK);
    assert_int_equal(ptpmon_simulation_run(simulation, base, NULL, NULL, NULL), PTPMON_INVALID);
    assert_int_equal(ptpmon_simulation_set(simulation, "seed", "2"), PTPMON_INVALID);
    ptpmon_simulation_close(simulation);
    ptpmon_simulation_close(NULL);
}

static void test_files_that_cannot_be_written(void **state)
{
    (void)state;
    ptpmon_simulation *simulation;
    assert_int_equal(ptpmon_simulation_open(&simulation), PTPMON_OK);
    assert_int_equal(ptpmon_simulation_run(simulation, "/nonexistent/path", NULL, NULL, NULL), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "/nonexistent/path.gm.events"));
    ptpmon_simulation_close(simulation);
}

static void test_settings_that_do_not_go_together(void **state)
{
    (void)state;
    static const struct combination {
        const char *const settings[5];
        const char *message;
    } combinations[] = {
        {{"profile=e2e", "bridge=gptp", "bridges=1"}, "bridge:"},
        {{"profile=gptp", "transport=udp4"}, "transport:"},
        {{"profile=gptp", "unicast=yes"}, "unicast:"},
        {{"profile=gptp", "turnaround-in=correction"}, "turnaround-in:"},
        {{"profile=e2e", "step=one", "bridges=1"}, "bridge-step:"},
        {{"asymmetry=600ns"}, "asymmetry:"},
        {{"observe=client,bridge1-up"}, "observe: `bridge1-up`"},
        {{"observe="}, "observe:"},
        {{"fault=phc_step:size=1s,where=bridge1"}, "fault phc_step:"},
        {{"fault=wrong_sign", "bridges=1"}, "fault wrong_sign:"},
        {{"fault=path_change:size=1us,link=2"}, "fault path_change:"},
        {{"fault=event_loss", "observe=gm"}, "fault event_loss:"},
        {{"fault=second_gm", "fault=event_loss:where=gm2"}, "fault event_loss:"},
        {{"fault=second_gm", "observe=gm2"}, "observe: `gm2`"},
        {{"fault=several_responders", "profile=e2e"}, "fault several_responders:"},
        {{"fault=reorder:size=-1s"}, "fault reorder:"},
    };
    for (size_t i = 0; i < sizeof combinations / sizeof *combinations; i++) {
        assert_int_equal(run(combinations[i].settings, NULL, NULL, NULL), PTPMON_INVALID);
        if (strstr(ptpmon_error_message(), combinations[i].message) != ptpmon_error_message())
            fail_msg("%s: %s", combinations[i].message, ptpmon_error_message());
    }
}

/* ---- Values ---- */

static void test_every_setting_takes_its_default(void **state)
{
    (void)state;
    ptpmon_simulation *simulation;
    assert_int_equal(ptpmon_simulation_open(&simulation), PTPMON_OK);
    for (size_t i = 0; i < ptpmon_simulation_setting_count(); i++) {
        const ptpmon_simulation_setting *setting = ptpmon_simulation_setting_at(i);
        assert_true(setting->name[0] != 0 && setting->value[0] != 0 && setting->meaning[0] != 0);
        if (setting->default_value[0] != 0)
            assert_int_equal(ptpmon_simulation_set(simulation, setting->name, setting->default_value), PTPMON_OK);
        if (strcmp(setting->name, "observe") != 0)
            assert_int_equal(ptpmon_simulation_set(simulation, setting->name, "no such value"), PTPMON_INVALID);
    }
    assert_null(ptpmon_simulation_setting_at(ptpmon_simulation_setting_count()));
    assert_int_equal(ptpmon_simulation_set(simulation, "no-such-setting", "1"), PTPMON_INVALID);
    ptpmon_simulation_close(simulation);
}

static void test_values_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"duration", "0s"},
        {"duration", "25h"},
        {"duration", "10"},
        {"duration", ""},
        {"duration", "1e3s"},
        {"duration", "99999999999999999999s"},
        {"drift", "1001"},
        {"drift", "5 ppm"},
        {"drift", "--5"},
        {"load", "1.1"},
        {"load", "-0.1"},
        {"bridges", "9"},
        {"bridges", "1x"},
        {"domains", "0,0"},
        {"domains", "0,256"},
        {"domains", ""},
        {"domains", "0,1,2,3,4,5,6,7,8"},
        {"sync-interval", "-8"},
        {"granularity", "0ns"},
        {"link-delay", "1us,"},
        {"profile", "GPTP"},
        {"fault", "loss:p"},
        {"fault", "loss:q=1"},
        {"fault", "phc_step:at=1s"},
        {"fault", "loss:where=aaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"fault", ""},
        {"fault", "phc_step:size=401s"},
        {"fault", "phc_rate:at=1s"},
        {"fault", "path_change:size=1us,link=0"},
    };
    ptpmon_simulation *simulation;
    assert_int_equal(ptpmon_simulation_open(&simulation), PTPMON_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (ptpmon_simulation_set(simulation, wrong[i][0], wrong[i][1]) != PTPMON_INVALID)
            fail_msg("%s=%s was taken", wrong[i][0], wrong[i][1]);
    }
    for (int i = 0; i < 32; i++)
        assert_int_equal(ptpmon_simulation_set(simulation, "fault", "loss:p=0"), PTPMON_OK);
    assert_int_equal(ptpmon_simulation_set(simulation, "fault", "loss:p=0"), PTPMON_INVALID);
    ptpmon_simulation_close(simulation);
}

/* ---- Set-up ---- */

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(base, sizeof base, "%s/run", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delay_request_by_hand),
        cmocka_unit_test(test_time_aware_bridges_by_hand),
        cmocka_unit_test(test_drift_by_hand),
        cmocka_unit_test(test_one_step_transparent_clock_by_hand),
        cmocka_unit_test(test_turnaround_by_hand),
        cmocka_unit_test(test_every_event_has_its_frame_and_stamp),
        cmocka_unit_test(test_clock_readings_are_honest),
        cmocka_unit_test(test_equal_settings_give_equal_bytes),
        cmocka_unit_test(test_sequences_wrap),
        cmocka_unit_test(test_an_early_end_leaves_whole_files),
        cmocka_unit_test(test_a_simulation_runs_once),
        cmocka_unit_test(test_files_that_cannot_be_written),
        cmocka_unit_test(test_settings_that_do_not_go_together),
        cmocka_unit_test(test_every_setting_takes_its_default),
        cmocka_unit_test(test_values_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
