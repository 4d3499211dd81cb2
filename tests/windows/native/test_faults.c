/* SPDX-License-Identifier: MIT */
/*
 * Resources run out: for every operation and every N, the N-th call that can fail does. Then the operation either
 * fails and has left nothing behind, or it succeeds; and afterwards everything works.
 */
#include "control_kit.h"

#include <stdio.h>
#include <string.h>

#define ALL_FLAGS 0x3FFFu

struct rig {
    lab_adapter *adapter;
    struct kit_client client;
    struct nt_lab_held before; /* the operation */
};

struct operation {
    const char *name;
    void (*prepare)(struct rig *rig);
    INT32 (*act)(struct rig *rig);
    /* What must hold where it failed. */
    void (*check_failed)(struct rig *rig);
    UINT32 points; /* at which it can fail, at least */
    int fails;     /* 0: it copes with whatever fails, and succeeds */
};

/* ---- Preparations ---- */

static struct lab_adapter_config full_config(void)
{
    struct lab_adapter_config config = kit_config(1);
    config.frequency_hz = 1000000000;
    config.timestamp_flags = 1u << 8 | 1u << 9; /* all frames, by hardware */
    config.cross_timestamp = 1;
    config.pci_vendor = 0x8086;
    config.pci_device = 0x1533;
    config.keywords = LAB_KEYWORD_REGISTER_ACCESS | LAB_KEYWORD_RING_CAPACITY | LAB_KEYWORD_SDP_PIN;
    config.register_access = 1;
    config.ring_capacity = 128;
    config.sdp_pin = 1;
    return config;
}

static void have_driver(struct rig *rig)
{
    (void)rig;
    kit_load();
}

static void have_nothing(struct rig *rig)
{
    (void)rig;
}

static void have_paused_adapter(struct rig *rig)
{
    struct lab_adapter_config config = full_config();
    kit_load();
    rig->adapter = kit_attach_paused(&config);
}

static void have_adapter(struct rig *rig)
{
    have_paused_adapter(rig);
    assert_int_equal(lab_restart(rig->adapter), 0);
}

static void have_process(struct rig *rig)
{
    have_adapter(rig);
    rig->client.process = kit_process();
}

static void have_file(struct rig *rig)
{
    have_adapter(rig);
    kit_open(&rig->client, 1);
}

static void have_ring(struct rig *rig)
{
    have_file(rig);
    kit_start(&rig->client);
}

/* ---- Operations ---- */

static INT32 load(struct rig *rig)
{
    (void)rig;
    return lab_load();
}

static INT32 attach(struct rig *rig)
{
    struct lab_adapter_config config = full_config();
    return lab_attach(&config, &rig->adapter);
}

static INT32 restart(struct rig *rig)
{
    return lab_restart(rig->adapter);
}

static INT32 open_file(struct rig *rig)
{
    return lab_open(rig->client.process, kit_suffix(1), &rig->client.file);
}

static INT32 enable(struct rig *rig)
{
    return kit_enable(rig->client.file, rig->client.process, &rig->client.given);
}

static INT32 disable(struct rig *rig)
{
    return kit_disable(rig->client.file, rig->client.process);
}

static INT32 statistics(struct rig *rig)
{
    AVB_PTP_MONITOR_STATS stats;
    return kit_statistics(rig->client.file, rig->client.process, &stats);
}

static INT32 clocks(struct rig *rig)
{
    PTP_CLOCKS_RECORD record;
    return kit_clocks(rig->client.file, rig->client.process, &record);
}

static INT32 oid(struct rig *rig)
{
    return lab_oid_from_above(rig->adapter, 0x00010107, 1);
}

static INT32 reconfigure(struct rig *rig)
{
    lab_set_timestamp_config(rig->adapter, 125000000, ALL_FLAGS);
    return 0;
}

static INT32 traffic(struct rig *rig)
{
    for (UINT32 i = 0; i < 200; i++) /* more than the ring holds */
        assert_true(i % 2 ? kit_send_one(rig->adapter, i) : kit_receive_one(rig->adapter, i));
    return 0;
}

static INT32 pause_and_detach(struct rig *rig)
{
    lab_pause(rig->adapter);
    lab_detach(rig->adapter);
    rig->adapter = NULL;
    return 0;
}

static INT32 kill(struct rig *rig)
{
    kit_kill(&rig->client);
    return 0;
}

/* ---- What must hold after a failure ---- */

static void check_as_before(struct rig *rig)
{
    struct nt_lab_held after;
    nt_lab_held(&after);
    assert_memory_equal(&rig->before, &after, sizeof after);
}

static void check_not_attached(struct rig *rig)
{
    assert_null(rig->adapter);
    check_as_before(rig);
}

static void check_not_enabled(struct rig *rig)
{
    check_as_before(rig);
    assert_int_equal(lab_process_handles(rig->client.process), 0);
    AVB_PTP_MONITOR_STATS stats = kit_stats(&rig->client);
    assert_int_equal(stats.enabled, 0);
    assert_int_equal(stats.owner_process, 0);
    assert_true(kit_receive_one(rig->adapter, 1));
    kit_start(&rig->client); /* which it can be at once */
    assert_true(kit_receive_one(rig->adapter, 2));
    assert_int_equal(kit_drain(&rig->client), 1);
}

static void check_not_open(struct rig *rig)
{
    assert_null(rig->client.file);
    check_as_before(rig);
}

static void check_not_loaded(struct rig *rig)
{
    struct lab_device device;
    (void)rig;
    assert_false(lab_control_device(&device));
    kit_nothing_held();
    kit_load(); /* which it can be at once */
}

static const struct operation operations[] = {
    {"load", have_nothing, load, check_not_loaded, 2, 1},
    {"attach", have_driver, attach, check_not_attached, 5, 1},
    {"restart", have_paused_adapter, restart, NULL, 1, 0},
    {"open", have_process, open_file, check_not_open, 1, 1},
    {"enable", have_file, enable, check_not_enabled, 15, 1},
    {"disable", have_ring, disable, NULL, 0, 0},
    {"statistics", have_ring, statistics, NULL, 0, 0},
    {"clocks", have_ring, clocks, NULL, 1, 0},
    {"an OID request", have_ring, oid, check_as_before, 1, 1},
    {"another configuration", have_ring, reconfigure, NULL, 0, 0},
    {"traffic", have_ring, traffic, NULL, 0, 0},
    {"pause and detach", have_ring, pause_and_detach, NULL, 0, 0},
    {"the end of the process", have_ring, kill, NULL, 0, 0},
};

/* ---- Every N ---- */

static int is_want_of_resources(INT32 status)
{
    return status == STATUS_INSUFFICIENT_RESOURCES || status == STATUS_NO_MEMORY || status == STATUS_WORKING_SET_QUOTA;
}

/* All there is, once: whatever happened before. */
static void everything_works(void)
{
    struct kit_client client;
    lab_adapter *adapter = kit_attach(2);
    kit_open_and_start(&client, 2);
    assert_true(kit_receive_one(adapter, 1));
    assert_true(kit_send_one(adapter, 2));
    assert_int_equal(kit_drain(&client), 2);
    kit_kill(&client);
    lab_detach(adapter);
}

/* The calls that could have failed; *failed: this operation did. */
static UINT64 run_with(const struct operation *operation, UINT64 n, int *failed)
{
    struct rig rig = {0};
    operation->prepare(&rig);
    nt_lab_held(&rig.before);
    nt_lab_fail_nth(n);
    INT32 status = operation->act(&rig);
    UINT64 calls = nt_lab_fail_nth(0);
    *failed = status != STATUS_SUCCESS;
    if (*failed) {
        assert_true(operation->fails);
        if (!is_want_of_resources(status))
            fail_msg("%s, call %u: failed with 0x%08X", operation->name, (unsigned)n, (unsigned)status);
        operation->check_failed(&rig);
    }
    everything_works();
    kit_end_processes();
    kit_unload();
    return calls;
}

static void test_every_operation_at_every_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        const struct operation *operation = &operations[i];
        UINT64 calls, n = 0;
        UINT32 failures = 0;
        int failed;
        do {
            calls = run_with(operation, ++n, &failed);
            failures += (UINT32)failed;
        } while (calls >= n);
        assert_false(failed); /* nothing failed this time */
        print_message("%s: %u points, failed at %u\n", operation->name, (unsigned)(n - 1), (unsigned)failures);
        assert_true(n - 1 >= operation->points);
        if (operation->points == 0)
            assert_int_equal(n - 1, 0); /* it takes nothing that could fail */
        assert_int_equal(failures > 0, operation->fails);
    }
}

/* Two adapters and two processes: what fails for one is none of the other's affairs. */
static void test_failures_stay_where_they_are(void **state)
{
    (void)state;
    kit_load();
    lab_adapter *first = kit_attach(1), *second = kit_attach(2);
    struct kit_client one, two;
    kit_open_and_start(&one, 1);
    kit_open(&two, 2);
    UINT64 calls, n = 0, frames = 0;
    do {
        AVB_PTP_MONITORING given;
        nt_lab_fail_nth(++n);
        INT32 status = kit_enable(two.file, two.process, &given);
        calls = nt_lab_fail_nth(0);
        assert_true(kit_receive_one(first, (UINT32)n));
        assert_true(kit_receive_one(second, (UINT32)n));
        assert_int_equal(kit_stats(&one).frames_emitted, ++frames);
        assert_int_equal(status == STATUS_SUCCESS, calls < n);
    } while (calls >= n);
    assert_int_equal(kit_drain(&one), frames);
    kit_kill(&one);
    kit_kill(&two);
    kit_unload();
}

/* One failure after another, in every order that these seeds give, until there are resources again. */
static void test_many_failures_in_one_life(void **state)
{
    (void)state;
    struct random random = {.state = 77};
    kit_load();
    struct lab_adapter_config config = full_config();
    lab_adapter *adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(adapter), 0);
    UINT32 failures = 0, successes = 0;
    for (UINT32 turn = 0; turn < 500; turn++) {
        lab_process *process = kit_process();
        lab_file *file = NULL;
        AVB_PTP_MONITORING given;
        nt_lab_fail_nth(random_below(&random, 40) + 1);
        if (lab_open(process, kit_suffix(1), &file) == STATUS_SUCCESS) {
            INT32 status = kit_enable(file, process, &given);
            assert_true(status == STATUS_SUCCESS || is_want_of_resources(status));
            assert_int_equal(lab_process_handles(process), status == STATUS_SUCCESS ? 3 : 0);
            failures += status != STATUS_SUCCESS;
            successes += status == STATUS_SUCCESS;
        }
        assert_true(kit_receive_one(adapter, turn));
        lab_process_kill(process);
        nt_lab_fail_nth(0);
    }
    assert_true(failures > 50 && successes > 50);
    everything_works();
    kit_end_processes();
    kit_unload();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_operation_at_every_point, kit_teardown),
        cmocka_unit_test_teardown(test_failures_stay_where_they_are, kit_teardown),
        cmocka_unit_test_teardown(test_many_failures_in_one_life, kit_teardown),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
