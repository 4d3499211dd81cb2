/* SPDX-License-Identifier: MIT */
/*
 * The whole driver on an adapter with an Intel NIC below it (tests/unit/nic_model.h): stamps from registers reach
 * the ring, and no register is accessed while the adapter is paused, asleep, gone or not this driver's.
 */
#include "control_kit.h"

#include "nic_model.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MILLISECOND  1000000ull
#define NUMBER       1u /* of the adapter */
#define DEVICE_82576 0x10C9
#define NS_PER_TICK  100u /* of the performance counter */

/* CTRL, pin 1 */
#define PIN_HIGH   0x00080000u
#define PIN_OUTPUT 0x00800000u

static struct {
    pthread_mutex_t mutex; /* the driver's timer reads registers too */
    struct nic_model model;
    UINT64 accesses;
    lab_adapter *adapter;
    struct kit_client client;
    UINT32 no_pause; /* its power comes and goes while the filter runs */
} rig = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* ---- The NIC ---- */

static UINT32 read_register(void *context, UINT32 offset)
{
    struct avb_nic_registers model = nic_model_registers(context);
    pthread_mutex_lock(&rig.mutex);
    UINT32 value = model.read32(model.context, offset);
    rig.accesses++;
    lab_set_counter(rig.model.now / NS_PER_TICK);
    pthread_mutex_unlock(&rig.mutex);
    return value;
}

static void write_register(void *context, UINT32 offset, UINT32 value)
{
    struct avb_nic_registers model = nic_model_registers(context);
    pthread_mutex_lock(&rig.mutex);
    model.write32(model.context, offset, value);
    rig.accesses++;
    pthread_mutex_unlock(&rig.mutex);
}

static UINT64 accesses(void)
{
    pthread_mutex_lock(&rig.mutex);
    UINT64 count = rig.accesses;
    pthread_mutex_unlock(&rig.mutex);
    return count;
}

static UINT32 pin(void)
{
    pthread_mutex_lock(&rig.mutex);
    UINT32 ctrl = rig.model.ctrl & (PIN_HIGH | PIN_OUTPUT);
    pthread_mutex_unlock(&rig.mutex);
    return ctrl;
}

static UINT32 writes(void)
{
    pthread_mutex_lock(&rig.mutex);
    UINT32 count = rig.model.writes;
    pthread_mutex_unlock(&rig.mutex);
    return count;
}

/* A frame of the kit is on the wire, 1 ms after what was before; the NIC's time of it. */
static UINT64 arrives(UINT16 sequenceId)
{
    PTP_TIMESTAMP_EVENT frame = {.direction = AVB_DIRECTION_RX,
                                 .messageType = AVB_PTP_SYNC,
                                 .sequenceId = sequenceId,
                                 .clockIdentity = {0x02, 0x00, 0x00, 0xFF, 0xFE, 0x00, 0x00, 0x01}};
    pthread_mutex_lock(&rig.mutex);
    rig.model.now += MILLISECOND;
    UINT64 truth = nic_model_receive(&rig.model, &frame);
    rig.model.now += 20000; /* until the driver sees it */
    lab_set_counter(rig.model.now / NS_PER_TICK);
    pthread_mutex_unlock(&rig.mutex);
    return truth;
}

/* ---- Setting up ---- */

static struct lab_adapter_config config_with(UINT32 keywords)
{
    struct lab_adapter_config config = kit_config(NUMBER);
    config.pci_vendor = 0x8086;
    config.pci_device = DEVICE_82576;
    config.keywords = keywords;
    config.register_access = 1;
    config.sdp_pin = 1;
    config.no_pause_on_suspend = rig.no_pause;
    return config;
}

static void plug_nic(void)
{
    nic_model_init(&rig.model, 1, AVB_NIC_82576);
    rig.accesses = 0;
    lab_set_counter(rig.model.now / NS_PER_TICK);
}

static int begin_with(UINT32 keywords)
{
    struct lab_adapter_config config = config_with(keywords);
    kit_load();
    plug_nic();
    rig.adapter = kit_attach_paused(&config);
    lab_set_registers(rig.adapter, read_register, write_register, &rig.model);
    assert_int_equal(lab_restart(rig.adapter), 0);
    kit_open(&rig.client, NUMBER);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return begin_with(LAB_KEYWORD_REGISTER_ACCESS);
}

static int begin_with_pin(void **state)
{
    (void)state;
    return begin_with(LAB_KEYWORD_REGISTER_ACCESS | LAB_KEYWORD_SDP_PIN);
}

static int begin_without_pause(void **state)
{
    rig.no_pause = 1;
    return begin_with_pin(state);
}

static int begin_without_access(void **state)
{
    (void)state;
    return begin_with(LAB_KEYWORD_SDP_PIN);
}

static int end(void **state)
{
    (void)state;
    if (rig.client.process)
        kit_kill(&rig.client);
    if (rig.adapter)
        lab_detach(rig.adapter);
    rig.adapter = NULL;
    rig.no_pause = 0;
    kit_unload();
    return rig.model.wrong_writes ? -1 : 0;
}

static PTP_TIMESTAMP_EVENT next_record(void)
{
    const PTP_TIMESTAMP_EVENT *records;
    assert_true(AvbRingPeek(&rig.client.reader, &records) > 0);
    PTP_TIMESTAMP_EVENT record = records[0];
    AvbRingRelease(&rig.client.reader, 1);
    return record;
}

static void expect_stamp(UINT64 truth)
{
    PTP_TIMESTAMP_EVENT record = next_record();
    assert_int_equal(record.stamp & AVB_STAMP_KIND_MASK, AVB_STAMP_REGISTERS);
    assert_true(record.hw_timestamp_ns <= truth && truth - record.hw_timestamp_ns <= 1);
}

static void expect_no_stamp(void)
{
    PTP_TIMESTAMP_EVENT record = next_record();
    assert_int_equal(record.stamp & AVB_STAMP_KIND_MASK, AVB_STAMP_NONE);
    assert_int_equal(record.hw_timestamp_ns, 0);
}

static void receive_stamped(UINT16 sequenceId)
{
    UINT64 truth = arrives(sequenceId);
    assert_true(kit_receive_one(rig.adapter, sequenceId));
    expect_stamp(truth);
}

/* Asking for the clock opens it where it was lost: no test waits for the tick. */
static void expect_clock(void)
{
    PTP_CLOCKS_RECORD clocks;
    assert_int_equal(kit_clocks(rig.client.file, rig.client.process, &clocks), STATUS_SUCCESS);
    UINT64 truth = nic_model_clock_at(&rig.model, clocks.system_timestamp * NS_PER_TICK);
    UINT64 off = truth > clocks.hw_timestamp_ns ? truth - clocks.hw_timestamp_ns : clocks.hw_timestamp_ns - truth;
    assert_true(off <= clocks.hw_uncertainty_ns + NS_PER_TICK);
}

/* ---- Tests ---- */

static void test_stamps_reach_the_ring(void **state)
{
    (void)state;
    kit_start(&rig.client);
    for (UINT16 i = 0; i < 20; i++)
        receive_stamped(i);
    AVB_PTP_MONITOR_STATS stats = kit_stats(&rig.client);
    assert_int_equal(stats.source, AVB_SOURCE_REGISTERS);
    assert_int_equal(stats.register_results[AVB_STAMP_GIVEN], 20);
    assert_int_equal(stats.register_state, AVB_NIC_CLOCK_READ);
    assert_int_equal(stats.sdp_state, AVB_SDP_RESULTS);
    assert_int_equal(stats.pci_vendor, 0x8086);
    assert_int_equal(stats.pci_device, DEVICE_82576);
    assert_int_equal(writes(), 0);
}

static void test_a_stamp_is_of_one_frame_of_a_burst(void **state)
{
    struct kit_burst burst;
    (void)state;
    kit_start(&rig.client);
    kit_burst_init(&burst, 3, 40);
    UINT64 truth = arrives(41); /* the second one's: the latch was locked at the first, and emptied by the miniport */
    assert_int_equal(lab_receive(rig.adapter, &burst.chain), 3);
    expect_no_stamp();
    expect_stamp(truth);
    expect_no_stamp();
}

static void test_sent_frames_leave_the_latch_alone(void **state)
{
    (void)state;
    kit_start(&rig.client);
    UINT64 truth = arrives(7);
    UINT32 latch_reads = rig.model.latch_reads;
    assert_true(kit_send_one(rig.adapter, 7));
    expect_no_stamp();
    assert_int_equal(rig.model.latch_reads, latch_reads);
    assert_true(kit_receive_one(rig.adapter, 7));
    expect_stamp(truth);
}

static void test_the_clock_is_told_also_where_nobody_monitors(void **state)
{
    (void)state;
    expect_clock();
}

static void test_the_pin_pulses_while_somebody_monitors(void **state)
{
    (void)state;
    assert_true(kit_receive_one(rig.adapter, 1));
    assert_int_equal(writes(), 0);
    kit_start(&rig.client);
    assert_int_equal(kit_stats(&rig.client).sdp_state, AVB_SDP_OPEN);
    assert_int_equal(pin(), PIN_OUTPUT);
    UINT32 before = writes();
    assert_true(kit_receive_one(rig.adapter, 2));
    assert_true(kit_send_one(rig.adapter, 3));
    assert_true(writes() - before >= 4); /* up and down for each; a completion may have its own */
    assert_int_equal((writes() - before) % 2, 0);
    assert_int_equal(pin(), PIN_OUTPUT);
    lab_pause(rig.adapter);
    assert_int_equal(pin(), 0);
    assert_int_equal(lab_restart(rig.adapter), 0);
}

/* The driver's timer looks at the registers each second. */
static void wait_for_ticks(void)
{
    struct timespec time = {.tv_sec = 1, .tv_nsec = 200000000};
    nanosleep(&time, NULL);
}

/* Nothing, whatever is asked, and in the time of more than one tick. */
static void expect_silence(void)
{
    PTP_CLOCKS_RECORD clocks;
    UINT64 before = accesses();
    assert_int_equal(kit_clocks(rig.client.file, rig.client.process, &clocks), STATUS_SUCCESS);
    assert_int_equal(clocks.hw_timestamp_ns, 0);
    (void)kit_stats(&rig.client);
    wait_for_ticks();
    assert_int_equal(accesses(), before);
}

static void test_a_paused_adapter_is_left_alone(void **state)
{
    (void)state;
    kit_start(&rig.client);
    receive_stamped(1);
    lab_pause(rig.adapter);
    expect_silence();
    assert_int_equal(lab_restart(rig.adapter), 0);
    expect_clock();
    receive_stamped(2);
}

static void test_a_sleeping_device_is_left_alone(void **state)
{
    (void)state;
    kit_start(&rig.client);
    receive_stamped(1);
    lab_set_power(rig.adapter, 0);
    expect_silence();
    rig.model.epoch += 1000 * MODEL_SECOND; /* it lost its power */
    lab_set_power(rig.adapter, 1);
    expect_clock();
    receive_stamped(2);
}

/* Frames on their way, nothing else comes from a device that sleeps. */
static void test_a_device_may_sleep_while_the_filter_runs(void **state)
{
    (void)state;
    kit_start(&rig.client);
    for (UINT16 i = 0; i < 3; i++) {
        receive_stamped(i);
        lab_set_power(rig.adapter, 0);
        assert_true(kit_receive_one(rig.adapter, 100));
        expect_no_stamp();
        expect_silence();
        rig.model.epoch += 1000 * MODEL_SECOND;
        lab_set_power(rig.adapter, 1);
        expect_clock();
    }
    receive_stamped(3);
}

static void test_a_restart_wakes_no_device(void **state)
{
    (void)state;
    kit_start(&rig.client);
    lab_set_power(rig.adapter, 0);
    lab_pause(rig.adapter);
    assert_int_equal(lab_restart(rig.adapter), 0);
    expect_silence();
    lab_pause(rig.adapter);
    lab_set_power(rig.adapter, 1);
    expect_silence(); /* nor does power let a filter run that is paused */
    assert_int_equal(lab_restart(rig.adapter), 0);
    expect_clock();
    receive_stamped(1);
}

static void test_a_device_that_will_not_sleep_goes_on(void **state)
{
    (void)state;
    kit_start(&rig.client);
    lab_refuse_power(rig.adapter, 1);
    lab_set_power(rig.adapter, 0);
    expect_clock();
    receive_stamped(1);
    lab_refuse_power(rig.adapter, 0);
    lab_set_power(rig.adapter, 0);
    lab_refuse_power(rig.adapter, 1);
    lab_set_power(rig.adapter, 1);
    expect_silence(); /* it does not wake up either */
    lab_refuse_power(rig.adapter, 0);
    lab_set_power(rig.adapter, 1);
    expect_clock();
    receive_stamped(2);
}

static void test_a_removed_device_is_left_alone(void **state)
{
    (void)state;
    kit_start(&rig.client);
    receive_stamped(1);
    lab_surprise_removal(rig.adapter);
    assert_true(kit_receive_one(rig.adapter, 2));
    expect_no_stamp();
    assert_int_equal(kit_stats(&rig.client).register_results[AVB_STAMP_DEVICE_GONE], 1);
    expect_silence();
    assert_int_equal(kit_stats(&rig.client).register_state, AVB_NIC_CLOCK_LOST); /* nobody read it: it would be gone */
    lab_set_power(rig.adapter, 0);
    lab_set_power(rig.adapter, 1);
    lab_pause(rig.adapter);
    assert_int_equal(lab_restart(rig.adapter), 0);
    expect_silence();
    assert_int_equal(kit_stats(&rig.client).register_state, AVB_NIC_CLOCK_LOST); /* nor ever again */
}

static void test_a_detached_adapter_is_left_alone(void **state)
{
    (void)state;
    kit_start(&rig.client);
    receive_stamped(1);
    lab_pause(rig.adapter);
    UINT64 before = accesses();
    lab_detach(rig.adapter);
    rig.adapter = NULL;
    wait_for_ticks();
    assert_int_equal(accesses(), before);
}

static void test_without_leave_no_register_is_ever_accessed(void **state)
{
    PTP_CLOCKS_RECORD clocks;
    (void)state;
    kit_start(&rig.client);
    (void)arrives(1);
    assert_true(kit_receive_one(rig.adapter, 1));
    expect_no_stamp();
    assert_int_equal(kit_clocks(rig.client.file, rig.client.process, &clocks), STATUS_SUCCESS);
    assert_int_equal(clocks.hw_timestamp_ns, 0);
    AVB_PTP_MONITOR_STATS stats = kit_stats(&rig.client);
    assert_int_equal(stats.source, AVB_SOURCE_NONE);
    assert_int_equal(stats.register_state, AVB_NIC_CLOCK_RESULTS);
    assert_int_equal(stats.sdp_state, AVB_SDP_RESULTS);
    wait_for_ticks();
    assert_int_equal(accesses(), 0);
}

static void test_a_virtual_adapter_has_no_registers(void **state)
{
    struct lab_adapter_config config = config_with(LAB_KEYWORD_REGISTER_ACCESS | LAB_KEYWORD_SDP_PIN);
    (void)state;
    config.is_virtual = 1;
    kit_load();
    plug_nic();
    rig.adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(rig.adapter), 0);
    kit_open(&rig.client, NUMBER);
    kit_start(&rig.client);
    assert_true(kit_receive_one(rig.adapter, 1));
    expect_no_stamp();
    AVB_PTP_MONITOR_STATS stats = kit_stats(&rig.client);
    assert_int_equal(stats.source, AVB_SOURCE_NONE);
    assert_int_equal(stats.pci_vendor, 0);
}

/* Registers that cannot be had never keep an adapter from being attached; whatever fails, nothing is left. */
static void test_attach_fails_or_does_without_registers(void **state)
{
    UINT32 without = 0, failed = 0;
    (void)state;
    kit_load();
    UINT64 n = 0, calls;
    do { /* until none fails */
        struct lab_adapter_config config = config_with(LAB_KEYWORD_REGISTER_ACCESS | LAB_KEYWORD_SDP_PIN);
        plug_nic();
        nt_lab_fail_nth(++n);
        INT32 status = lab_attach(&config, &rig.adapter);
        calls = nt_lab_fail_nth(0);
        assert_true(n < 50);
        if (status != 0) {
            failed++;
            continue;
        }
        kit_open(&rig.client, NUMBER);
        without += kit_stats(&rig.client).register_state == AVB_NIC_CLOCK_RESULTS;
        kit_kill(&rig.client);
        lab_detach(rig.adapter);
        rig.adapter = NULL;
    } while (calls >= n);
    assert_true(failed > 0);
    assert_int_equal(without, 3); /* the settings, the request, the mapping */
}

static UINT32 over;

static void *receive_for_a_while(void *context)
{
    UINT32 first = *(const UINT32 *)context;
    for (UINT32 i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++) {
        (void)arrives((UINT16)(first + i % 1000));
        (void)kit_receive_one(rig.adapter, first + i % 1000);
    }
    return NULL;
}

static void test_traffic_while_the_adapter_comes_and_goes(void **state)
{
    static const UINT32 firsts[] = {1000, 3000};
    pthread_t threads[2];
    (void)state;
    kit_start(&rig.client);
    __atomic_store_n(&over, 0, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, receive_for_a_while, (void *)(uintptr_t)&firsts[i]), 0);
    for (int i = 0; i < 100; i++) {
        PTP_CLOCKS_RECORD clocks;
        (void)kit_clocks(rig.client.file, rig.client.process, &clocks);
        (void)kit_drain(&rig.client);
        if (i % 2) {
            lab_pause(rig.adapter);
            (void)lab_restart(rig.adapter);
        } else {
            lab_set_power(rig.adapter, 0);
            lab_set_power(rig.adapter, 1);
        }
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    (void)kit_drain(&rig.client);
    expect_clock();
    rig.model.valid = false; /* what the last frames left */
    receive_stamped(9999);
    lab_pause(rig.adapter);
    assert_int_equal(pin(), 0);
}

#define TEST(name)               cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST_WITH_PIN(name)      cmocka_unit_test_setup_teardown(name, begin_with_pin, end)
#define TEST_WITHOUT_PAUSE(name) cmocka_unit_test_setup_teardown(name, begin_without_pause, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stamps_reach_the_ring),
        TEST(test_a_stamp_is_of_one_frame_of_a_burst),
        TEST(test_sent_frames_leave_the_latch_alone),
        TEST(test_the_clock_is_told_also_where_nobody_monitors),
        TEST_WITH_PIN(test_the_pin_pulses_while_somebody_monitors),
        TEST_WITH_PIN(test_a_paused_adapter_is_left_alone),
        TEST_WITH_PIN(test_a_sleeping_device_is_left_alone),
        TEST_WITHOUT_PAUSE(test_a_device_may_sleep_while_the_filter_runs),
        TEST_WITHOUT_PAUSE(test_a_restart_wakes_no_device),
        TEST_WITHOUT_PAUSE(test_a_device_that_will_not_sleep_goes_on),
        TEST_WITH_PIN(test_a_device_that_will_not_sleep_goes_on),
        TEST_WITH_PIN(test_a_removed_device_is_left_alone),
        TEST_WITH_PIN(test_a_detached_adapter_is_left_alone),
        cmocka_unit_test_setup_teardown(test_without_leave_no_register_is_ever_accessed, begin_without_access, end),
        cmocka_unit_test_teardown(test_attach_fails_or_does_without_registers, end),
        cmocka_unit_test_teardown(test_a_virtual_adapter_has_no_registers, end),
        TEST_WITH_PIN(test_traffic_while_the_adapter_comes_and_goes),
        TEST_WITHOUT_PAUSE(test_traffic_while_the_adapter_comes_and_goes),
    };
    return cmocka_run_group_tests_name("driver_registers", tests, NULL, NULL);
}
