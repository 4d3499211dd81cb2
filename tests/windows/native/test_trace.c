/* SPDX-License-Identifier: MIT */
/*
 * driver/windows/trace.c against the kernel double. With --events: what it writes, one JSON object to a
 * line, for test_manifest.py.
 */
#include "trace.h"

#include <avb/avb_ptp_ioctl.h>

#include "nt_lab.h"

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NET_LUID 0x0006008001000123ull

#define LEVEL_INFORMATION 4
#define LEVEL_VERBOSE     5
#define KEYWORD_DATAPATH  0x10u
#define KEYWORD_OTHERS    0x0Fu

/* ---- What reaches the kernel ---- */

static struct {
    GUID id;
    PETWENABLECALLBACK callback;
    PVOID context;

    UINT32 writes; /* atomic */
    EVENT_DESCRIPTOR event;
    REGHANDLE handle;
    UINT8 data[256];
    UINT32 bytes;
} seen;

NTSTATUS __real_EtwRegister(LPCGUID id, PETWENABLECALLBACK callback, PVOID context, PREGHANDLE handle);
NTSTATUS __wrap_EtwRegister(LPCGUID id, PETWENABLECALLBACK callback, PVOID context, PREGHANDLE handle);
NTSTATUS __wrap_EtwRegister(LPCGUID id, PETWENABLECALLBACK callback, PVOID context, PREGHANDLE handle)
{
    seen.id = *id;
    seen.callback = callback;
    seen.context = context;
    NTSTATUS status = __real_EtwRegister(id, callback, context, handle);
    if (!NT_SUCCESS(status))
        *handle = 0xDEAD; /* nothing is promised of it */
    return status;
}

static int single_threaded = 1;

NTSTATUS __real_EtwWrite(REGHANDLE handle, PCEVENT_DESCRIPTOR event, LPCGUID activity, ULONG count,
                         PEVENT_DATA_DESCRIPTOR data);
NTSTATUS __wrap_EtwWrite(REGHANDLE handle, PCEVENT_DESCRIPTOR event, LPCGUID activity, ULONG count,
                         PEVENT_DATA_DESCRIPTOR data);
NTSTATUS __wrap_EtwWrite(REGHANDLE handle, PCEVENT_DESCRIPTOR event, LPCGUID activity, ULONG count,
                         PEVENT_DATA_DESCRIPTOR data)
{
    __atomic_fetch_add(&seen.writes, 1, __ATOMIC_RELAXED);
    if (single_threaded) {
        seen.handle = handle;
        seen.event = *event;
        seen.bytes = 0;
        for (ULONG i = 0; i < count; i++) {
            assert_true(seen.bytes + data[i].Size <= sizeof seen.data);
            memcpy(seen.data + seen.bytes, (const void *)(uintptr_t)data[i].Ptr, data[i].Size);
            seen.bytes += data[i].Size;
        }
    }
    return __real_EtwWrite(handle, event, activity, count, data);
}

/* ---- The events, and the values that they were given ---- */

#define MAX_FIELDS 4

struct sample {
    const char *call;
    UINT8 dispatch; /* the call is allowed at DISPATCH_LEVEL */
    EVENT_DESCRIPTOR event;
    struct {
        const char *name; /* in the manifest */
        UINT8 bytes;
        UINT64 value;
    } fields[MAX_FIELDS];
};

static const struct sample samples[] = {
    {"attach",
     0,
     {.Id = 1, .Level = 4, .Keyword = 1},
     {{"NetLuid", 8, NET_LUID}, {"IfIndex", 4, 17}, {"Generation", 4, 3}, {"Status", 4, 0xC000009A}}},
    {"detach", 0, {.Id = 2, .Level = 4, .Keyword = 1}, {{"NetLuid", 8, NET_LUID}, {"Generation", 4, 4}}},
    {"enable",
     0,
     {.Id = 3, .Level = 4, .Keyword = 2},
     {{"NetLuid", 8, NET_LUID}, {"Process", 4, 5012}, {"Capacity", 4, 4096}, {"Status", 4, 0}}},
    {"disable",
     0,
     {.Id = 4, .Level = 4, .Keyword = 2},
     {{"NetLuid", 8, NET_LUID}, {"Cause", 4, AVB_DISABLED_BY_CLEANUP}}},
    {"loss",
     1,
     {.Id = 5, .Level = 3, .Keyword = 4},
     {{"NetLuid", 8, NET_LUID}, {"FramesDropped", 8, 0x100000001}, {"StampsDropped", 8, 0x200000002}}},
    {"stamp refused",
     1,
     {.Id = 6, .Level = 4, .Keyword = 8},
     {{"NetLuid", 8, NET_LUID},
      {"Reason", 4, AVB_TRACE_REGISTER_RESULT + AVB_STAMP_TWO_MATCH},
      {"Count", 8, 0x300000003}}},
    {"datapath start",
     1,
     {.Id = 7, .Level = 5, .Opcode = 1, .Task = 1, .Keyword = 0x10},
     {{"NetLuid", 8, NET_LUID}, {"Direction", 4, AVB_DIRECTION_TX}, {"Count", 4, 9}}},
    {"datapath stop",
     1,
     {.Id = 8, .Level = 5, .Opcode = 2, .Task = 1, .Keyword = 0x10},
     {{"NetLuid", 8, NET_LUID}, {"Direction", 4, AVB_DIRECTION_RX}, {"Count", 4, 10}}},
};
#define SAMPLES (sizeof samples / sizeof *samples)

static void call_each(size_t index)
{
    switch (index) {
    case 0:
        AvbTraceAttach(NET_LUID, 17, 3, STATUS_INSUFFICIENT_RESOURCES);
        return;
    case 1:
        AvbTraceDetach(NET_LUID, 4);
        return;
    case 2:
        AvbTraceEnable(NET_LUID, 5012, 4096, STATUS_SUCCESS);
        return;
    case 3:
        AvbTraceDisable(NET_LUID, AVB_DISABLED_BY_CLEANUP);
        return;
    case 4:
        AvbTraceLoss(NET_LUID, 0x100000001, 0x200000002);
        return;
    case 5:
        AvbTraceStampRefused(NET_LUID, AVB_TRACE_REGISTER_RESULT + AVB_STAMP_TWO_MATCH, 0x300000003);
        return;
    case 6:
        AvbTraceDatapath(1, NET_LUID, AVB_DIRECTION_TX, 9);
        return;
    default:
        AvbTraceDatapath(0, NET_LUID, AVB_DIRECTION_RX, 10);
    }
}

/* ---- Tests ---- */

static int begin(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    nt_lab_fail_nth(0);
    nt_lab_etw_enable(0, 0, 0);
    return 0;
}

static int end(void **state)
{
    struct nt_lab_held held, none = {0};
    char first[256] = "";
    (void)state;
    AvbTraceCleanup();
    nt_lab_held(&held);
    UINT64 breaches = nt_lab_breaches(first, sizeof first);
    if (breaches)
        print_error("%s\n", first);
    return breaches || memcmp(&held, &none, sizeof held) != 0 || AvbTraceDatapathWanted() ? -1 : 0;
}

static INT64 providers(void)
{
    struct nt_lab_held held;
    nt_lab_held(&held);
    return held.etw_providers;
}

static void test_the_provider_comes_and_goes(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
        assert_int_equal(providers(), 1);
        AvbTraceCleanup();
        assert_int_equal(providers(), 0);
        AvbTraceCleanup();
    }
    call_each(0);
    assert_int_equal(seen.writes, 0);
}

static void test_without_a_provider_nothing_is_written(void **state)
{
    (void)state;
    nt_lab_fail_nth(1);
    assert_false(NT_SUCCESS(AvbTraceInit()));
    nt_lab_fail_nth(0);
    assert_int_equal(providers(), 0);
    for (size_t i = 0; i < SAMPLES; i++)
        call_each(i);
    assert_int_equal(seen.writes, 0);
    assert_false(AvbTraceDatapathWanted());
    assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
    call_each(0);
    assert_int_equal(seen.writes, 1);
}

static void expect_payload(const struct sample *sample)
{
    UINT32 at = 0;
    for (int i = 0; i < MAX_FIELDS && sample->fields[i].name; i++) {
        assert_true(at + sample->fields[i].bytes <= seen.bytes);
        assert_memory_equal(seen.data + at, &sample->fields[i].value, sample->fields[i].bytes); /* little-endian */
        at += sample->fields[i].bytes;
    }
    assert_int_equal(seen.bytes, at);
}

static void test_each_event_says_what_it_was_given(void **state)
{
    (void)state;
    assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
    for (size_t i = 0; i < SAMPLES; i++) {
        const struct sample *sample = &samples[i];
        UINT64 counted = nt_lab_etw_count(sample->event.Id);
        KIRQL irql = sample->dispatch ? KeRaiseIrqlToDpcLevel() : PASSIVE_LEVEL;
        call_each(i);
        if (sample->dispatch)
            KeLowerIrql(irql);
        assert_int_equal(seen.writes, i + 1);
        assert_memory_equal(&seen.event, &sample->event, sizeof seen.event);
        assert_true(seen.handle != 0);
        expect_payload(sample);
        assert_int_equal(nt_lab_etw_count(sample->event.Id), counted + 1);
    }
}

static void test_the_datapath_is_traced_for_those_who_ask(void **state)
{
    static const struct {
        int on;
        UINT8 level;
        UINT64 keywords;
        int wanted;
    } sessions[] = {
        {1, LEVEL_VERBOSE, KEYWORD_DATAPATH, 1},
        {1, LEVEL_INFORMATION, KEYWORD_DATAPATH, 0},
        {1, LEVEL_VERBOSE, KEYWORD_OTHERS, 0},
        {1, LEVEL_VERBOSE, 0, 1},
        {1, 0, KEYWORD_DATAPATH, 1},
        {1, 0, 0, 1},
        {1, 255, UINT64_MAX, 1},
        {1, LEVEL_INFORMATION, UINT64_MAX, 0},
        {0, LEVEL_VERBOSE, KEYWORD_DATAPATH, 0},
        {1, LEVEL_VERBOSE, 1ull << 36, 0},
    };
    (void)state;
    assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        nt_lab_etw_enable(sessions[i].on, sessions[i].level, sessions[i].keywords);
        assert_int_equal(AvbTraceDatapathWanted(), sessions[i].wanted);
    }
}

static void control(ULONG code, UINT8 level, UINT64 any, UINT64 all)
{
    seen.callback(&seen.id, code, level, any, all, NULL, seen.context);
}

static void test_all_keywords_of_a_session_must_be_ours(void **state)
{
    (void)state;
    assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
    control(EVENT_CONTROL_CODE_ENABLE_PROVIDER, LEVEL_VERBOSE, KEYWORD_DATAPATH, KEYWORD_DATAPATH);
    assert_true(AvbTraceDatapathWanted());
    control(EVENT_CONTROL_CODE_ENABLE_PROVIDER, LEVEL_VERBOSE, KEYWORD_DATAPATH, KEYWORD_DATAPATH | 1);
    assert_false(AvbTraceDatapathWanted());
}

static void test_a_request_for_state_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
    control(EVENT_CONTROL_CODE_CAPTURE_STATE, LEVEL_VERBOSE, KEYWORD_DATAPATH, 0);
    assert_false(AvbTraceDatapathWanted());
    control(EVENT_CONTROL_CODE_ENABLE_PROVIDER, LEVEL_VERBOSE, KEYWORD_DATAPATH, 0);
    control(EVENT_CONTROL_CODE_CAPTURE_STATE, 0, 0, 0);
    assert_true(AvbTraceDatapathWanted());
    control(EVENT_CONTROL_CODE_DISABLE_PROVIDER, 0, 0, 0);
    assert_false(AvbTraceDatapathWanted());
}

static void test_a_session_that_was_there_before_is_heard(void **state)
{
    (void)state;
    nt_lab_etw_enable(1, LEVEL_VERBOSE, KEYWORD_DATAPATH);
    assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
    assert_true(AvbTraceDatapathWanted());
    AvbTraceCleanup();
    assert_false(AvbTraceDatapathWanted());
    nt_lab_etw_enable(0, 0, 0);
}

static UINT32 over;

static void *trace_for_a_while(void *context)
{
    UINT64 *pairs = context;
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        int wanted = AvbTraceDatapathWanted();
        if (wanted)
            AvbTraceDatapath(1, NET_LUID, AVB_DIRECTION_RX, 1);
        if (wanted)
            AvbTraceDatapath(0, NET_LUID, AVB_DIRECTION_RX, 1);
        *pairs += wanted ? 1 : 0;
        sched_yield();
    }
    return NULL;
}

static void test_sessions_come_and_go_while_frames_pass(void **state)
{
    pthread_t threads[2];
    UINT64 pairs[2] = {0};
    (void)state;
    single_threaded = 0;
    assert_int_equal(AvbTraceInit(), STATUS_SUCCESS);
    __atomic_store_n(&over, 0, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, trace_for_a_while, &pairs[i]), 0);
    for (int i = 0; i < 2000 || (i < 1000000 && __atomic_load_n(&seen.writes, __ATOMIC_RELAXED) < 100); i++) {
        nt_lab_etw_enable(i % 2 == 0, LEVEL_VERBOSE, KEYWORD_DATAPATH);
        sched_yield();
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    single_threaded = 1;
    nt_lab_etw_enable(0, 0, 0);
    assert_true(seen.writes >= 100);
    assert_int_equal(seen.writes, 2 * (pairs[0] + pairs[1]));
}

/* ---- For test_manifest.py ---- */

static void print_event(const struct sample *sample)
{
    printf(
        "{\"call\": \"%s\", \"id\": %u, \"version\": %u, \"channel\": %u, \"level\": %u, \"opcode\": %u, \"task\": %u, "
        "\"keywords\": %" PRIu64 ", \"fields\": {",
        sample->call, seen.event.Id, seen.event.Version, seen.event.Channel, seen.event.Level, seen.event.Opcode,
        seen.event.Task, (uint64_t)seen.event.Keyword);
    for (int i = 0; i < MAX_FIELDS && sample->fields[i].name; i++)
        printf("%s\"%s\": %" PRIu64, i ? ", " : "", sample->fields[i].name, (uint64_t)sample->fields[i].value);
    printf("}, \"data\": \"");
    for (UINT32 i = 0; i < seen.bytes; i++)
        printf("%02x", seen.data[i]);
    printf("\"}\n");
}

static void print_value(const char *map, UINT32 value, const char *name)
{
    printf("{\"map\": \"%s\", \"value\": %u, \"name\": \"%s\"}\n", map, value, name);
}

static void print_maps(void)
{
    static const char *const reasons[AVB_PTP_REASONS] = {
        [AVB_REASON_LOOPBACK] = "loopback",
        [AVB_REASON_UNREADABLE] = "unreadable",
        [AVB_REASON_PTP_V1] = "ptp_v1",
        [AVB_REASON_OTHER_VERSION] = "other_version",
        [AVB_REASON_TRUNCATED] = "truncated",
        [AVB_REASON_BAD_LENGTH] = "bad_length",
        [AVB_REASON_NOT_THIS_FRAME] = "not_this_frame",
        [AVB_REASON_KIND_UNKNOWN] = "kind_unknown",
        [AVB_REASON_NOT_A_TIME] = "not_a_time",
        [AVB_REASON_NOT_SENT] = "not_sent",
        [AVB_REASON_BATCH_TOO_LARGE] = "batch_too_large",
    };
    print_value("Cause", AVB_DISABLED_BY_OWNER, "Owner");
    print_value("Cause", AVB_DISABLED_BY_CLEANUP, "Cleanup");
    print_value("Cause", AVB_DISABLED_BY_DETACH, "Detach");
    print_value("Direction", AVB_DIRECTION_RX, "Received");
    print_value("Direction", AVB_DIRECTION_TX, "Sent");
    for (UINT32 i = 0; i < AVB_PTP_REASONS; i++)
        print_value("Reason", i, reasons[i]);
    for (UINT32 i = 0; i < AVB_STAMP_RESULTS; i++)
        print_value("Reason", AVB_TRACE_REGISTER_RESULT + i, avb_stamp_result_name((enum avb_stamp_result)i));
}

static int print_events(void)
{
    if (!NT_SUCCESS(AvbTraceInit()))
        return 1;
    printf("{\"provider\": \"{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}\"}\n", seen.id.Data1, seen.id.Data2,
           seen.id.Data3, seen.id.Data4[0], seen.id.Data4[1], seen.id.Data4[2], seen.id.Data4[3], seen.id.Data4[4],
           seen.id.Data4[5], seen.id.Data4[6], seen.id.Data4[7]);
    for (size_t i = 0; i < SAMPLES; i++) {
        call_each(i);
        print_event(&samples[i]);
    }
    print_maps();
    AvbTraceCleanup();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_provider_comes_and_goes),
        TEST(test_without_a_provider_nothing_is_written),
        TEST(test_each_event_says_what_it_was_given),
        TEST(test_the_datapath_is_traced_for_those_who_ask),
        TEST(test_all_keywords_of_a_session_must_be_ours),
        TEST(test_a_request_for_state_changes_nothing),
        TEST(test_a_session_that_was_there_before_is_heard),
        TEST(test_sessions_come_and_go_while_frames_pass),
    };
    if (argc == 2 && strcmp(argv[1], "--events") == 0)
        return print_events();
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
