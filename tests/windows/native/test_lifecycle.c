/* SPDX-License-Identifier: MIT */
/* The life of the driver and of the filter on each adapter: load, attach, restart, pause, detach, unload. */
#include "control_kit.h"

#include <ndis6.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "nic_clock.h"

/* ---- Load and unload ---- */

static void test_loads_and_unloads(void **state)
{
    (void)state;
    struct lab_device device;
    for (int turn = 0; turn < 50; turn++) {
        assert_false(lab_control_device(&device));
        kit_load();
        assert_true(lab_control_device(&device));
        struct nt_lab_held held;
        nt_lab_held(&held);
        assert_int_equal(held.etw_providers, 1);
        kit_unload();
    }
}

static UINT32 negotiated(void)
{
    struct kit_client client;
    lab_adapter *adapter = kit_attach(1);
    kit_open(&client, 1);
    UINT32 version = kit_stats(&client).ndis_version;
    kit_kill(&client);
    lab_detach(adapter);
    return version;
}

static void test_negotiates_the_newest_version_it_knows(void **state)
{
    (void)state;
    static const struct {
        UINT32 given, expected;
    } cases[] = {
        {0, 0x00060052},          {0x00060057, 0x00060052}, {0x00060055, 0x00060052}, {0x00060052, 0x00060052},
        {0x00060051, 0x0006003C}, {0x00060050, 0x0006003C}, {0x0006003C, 0x0006003C}, {0x0006003B, 0x00060032},
        {0x00060032, 0x00060032}, {0x00060031, 0x00060028}, {0x00060028, 0x00060028}, {0x00060027, 0x0006001E},
        {0x0006001E, 0x0006001E},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab_set_ndis_version(cases[i].given);
        kit_load();
        assert_int_equal(negotiated(), cases[i].expected);
        kit_unload();
    }
    lab_set_ndis_version(0);
}

static void test_refuses_older_versions(void **state)
{
    (void)state;
    static const UINT32 older[] = {0x0006001D, 0x00060014, 0x00060001, 0x00060000, 0x00050001};
    struct lab_device device;
    for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
        lab_set_ndis_version(older[i]);
        assert_true(lab_load() < 0);
        assert_false(lab_control_device(&device));
        kit_nothing_held();
        kit_no_breach();
    }
    lab_set_ndis_version(0);
    kit_load();
    kit_unload();
}

/* An adapter of NDIS 6.50 has no timestamps: what such OIDs and indications say there is not asked for. */
static void test_works_where_ndis_has_no_timestamps(void **state)
{
    (void)state;
    lab_set_ndis_version(0x00060032);
    kit_load();
    struct lab_adapter_config config = kit_config(1);
    config.frequency_hz = 1000000000;
    config.timestamp_flags = 0x3FFF;
    lab_adapter *adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(adapter), 0);
    NDIS_TIMESTAMP_CAPABILITIES capabilities = {.Header = {.Type = NDIS_OBJECT_TYPE_DEFAULT,
                                                           .Revision = NDIS_TIMESTAMP_CAPABILITIES_REVISION_1,
                                                           .Size = NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1},
                                                .HardwareClockFrequencyHz = 1000000000};
    memset(&capabilities.TimestampFlags, 1, sizeof capabilities.TimestampFlags);
    lab_indicate_status(adapter, (UINT32)NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG, &capabilities, sizeof capabilities);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    assert_true(kit_receive_one(adapter, 1));
    assert_true(kit_send_one(adapter, 2));
    AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
    assert_int_equal(stats.source, AVB_SOURCE_NONE);
    assert_int_equal(stats.timestamp_flags, 0);
    assert_int_equal(stats.frames_emitted, 2);
    assert_int_equal(stats.stamps_seen, 0);
    kit_kill(&client);
    kit_unload(); /* which detaches */
    lab_set_ndis_version(0);
}

/* ---- Unload while something is open, or running ---- */

static void *unload(void *done)
{
    lab_unload();
    __atomic_store_n((UINT32 *)done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void test_unload_waits_for_open_files(void **state)
{
    (void)state;
    kit_load();
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    UINT32 done = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, unload, &done), 0);
    for (UINT32 i = 0; i < 50; i++) {
        assert_true(kit_receive_one(adapter, i)); /* it works on */
        assert_false(__atomic_load_n(&done, __ATOMIC_ACQUIRE));
        struct timespec millisecond = {.tv_nsec = 1000000};
        nanosleep(&millisecond, NULL);
    }
    lab_process *late = kit_process();
    lab_file *file = NULL;
    assert_true(lab_open(late, kit_suffix(1), &file) < 0);
    lab_process_kill(late);
    assert_int_equal(kit_stats(&client).frames_emitted, 50);
    assert_int_equal(kit_drain(&client), 50);
    kit_kill(&client);
    pthread_join(thread, NULL);
    kit_unloaded();
}

static void test_unload_detaches_running_adapters(void **state)
{
    (void)state;
    kit_load();
    for (UINT32 number = 1; number <= 3; number++)
        kit_attach(number);
    lab_pause(kit_attach(4));
    struct lab_adapter_config config = kit_config(5);
    kit_attach_paused(&config);
    kit_unload();
}

/* ---- Attach ---- */

static void test_refuses_odd_media(void **state)
{
    (void)state;
    static const UINT32 media[] = {3, 9, 15, 16, 17, 19, 0xFFFFFFFE};
    struct nt_lab_held before, after;
    nt_lab_held(&before);
    for (size_t i = 0; i < sizeof media / sizeof *media; i++) {
        struct lab_adapter_config config = kit_config(1);
        config.medium = media[i] + 1;
        lab_adapter *adapter;
        assert_int_equal(lab_attach(&config, &adapter), KIT_UNSUPPORTED_MEDIA);
        assert_null(adapter);
        nt_lab_held(&after);
        assert_memory_equal(&before, &after, sizeof before);
    }
    lab_detach(kit_attach(1)); /* Ethernet is taken */
    struct lab_adapter_config config = kit_config(1);
    config.medium = 0 + 1;
    lab_detach(kit_attach_paused(&config));
}

static INT32 open_named(const char *suffix)
{
    lab_process *process = kit_process();
    lab_file *file = NULL;
    INT32 status = lab_open(process, suffix, &file);
    lab_process_kill(process);
    return status;
}

static lab_adapter *attach_named(UINT32 number, const char *name)
{
    struct lab_adapter_config config = kit_config(number);
    memset(config.guid, 0, sizeof config.guid);
    memcpy(config.guid, name, strlen(name));
    return kit_attach_paused(&config);
}

/* Whatever an adapter is called, the filter attaches; it is opened by what follows the last backslash, if anything. */
static void test_takes_odd_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *suffix;
    } cases[] = {
        {"", NULL},
        {"x", "\\x"},
        {"Net\\{A}", "\\{a}"},
        {"\\", NULL},
        {"a\\b\\", NULL},
        {"{0123456789012345678901234567890123456}", "\\{0123456789012345678901234567890123456}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab_adapter *adapter = attach_named(1, cases[i].name);
        assert_int_equal(lab_restart(adapter), 0);
        assert_int_equal(open_named("\\"), STATUS_OBJECT_NAME_NOT_FOUND);
        assert_int_equal(open_named(""), STATUS_OBJECT_NAME_NOT_FOUND);
        if (cases[i].suffix)
            assert_int_equal(open_named(cases[i].suffix), STATUS_SUCCESS);
        assert_true(kit_receive_one(adapter, 1));
        lab_detach(adapter);
    }
}

/* ---- Settings ---- */

static AVB_PTP_MONITOR_STATS stats_with(const struct lab_adapter_config *config)
{
    struct kit_client client;
    lab_adapter *adapter = kit_attach_paused(config);
    assert_int_equal(lab_restart(adapter), 0);
    kit_open(&client, 1);
    AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
    kit_kill(&client);
    lab_detach(adapter);
    return stats;
}

static void test_reads_the_capacity(void **state)
{
    (void)state;
    static const struct {
        UINT32 set, expected;
    } cases[] = {
        {64, 64},        {128, 128},  {1048576, 1048576}, {4096, 4096},        {0, 4096},
        {1, 4096},       {32, 4096},  {63, 4096},         {65, 4096},          {4095, 4096},
        {2097152, 4096}, {100, 4096}, {0x80000000, 4096}, {0xFFFFFFFFu, 4096},
    };
    struct lab_adapter_config config = kit_config(1);
    config.ring_capacity = 64; /* absent from the registry: the bit is not set */
    assert_int_equal(stats_with(&config).buffer_size, AVB_RING_DEFAULT_CAPACITY);
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        config.ring_capacity = cases[i].set;
        assert_int_equal(stats_with(&config).buffer_size, cases[i].expected);
    }
}

static void test_makes_rings_of_the_capacity(void **state)
{
    (void)state;
    static const UINT32 capacities[] = {64, 1024, 262144};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        struct lab_adapter_config config = kit_config(1);
        config.keywords = LAB_KEYWORD_RING_CAPACITY;
        config.ring_capacity = capacities[i];
        lab_adapter *adapter = kit_attach_paused(&config);
        assert_int_equal(lab_restart(adapter), 0);
        struct kit_client client;
        kit_open_and_start(&client, 1);
        assert_int_equal(client.given.capacity, capacities[i]);
        assert_int_equal(client.given.ring_bytes, AvbRingBytes(capacities[i]));
        assert_int_equal(client.header->capacity, capacities[i]);
        assert_true(kit_receive_one(adapter, 1));
        assert_int_equal(kit_drain(&client), 1);
        kit_kill(&client);
        lab_detach(adapter);
    }
}

static void test_opens_registers_where_the_administrator_says_so(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    config.pci_vendor = 0x8086;
    config.pci_device = 0x1533;
    assert_int_equal(stats_with(&config).register_state, AVB_NIC_CLOCK_RESULTS);
    config.keywords = LAB_KEYWORD_REGISTER_ACCESS;
    static const UINT32 off[] = {0, 2, 0xFFFFFFFFu};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        config.register_access = off[i];
        AVB_PTP_MONITOR_STATS stats = stats_with(&config);
        assert_int_equal(stats.register_state, AVB_NIC_CLOCK_RESULTS);
        assert_int_equal(stats.pci_vendor, 0);
        assert_int_equal(stats.source, AVB_SOURCE_NONE);
    }
    config.register_access = 1;
    AVB_PTP_MONITOR_STATS stats = stats_with(&config);
    assert_int_equal(stats.pci_vendor, 0x8086);
    assert_int_equal(stats.pci_device, 0x1533);
    assert_int_equal(stats.source, AVB_SOURCE_REGISTERS);
    assert_int_not_equal(stats.register_state, AVB_NIC_CLOCK_RESULTS);
    config.pci_device = 0xFFFE; /* no part that is known: it attaches all the same */
    stats = stats_with(&config);
    assert_int_equal(stats.pci_device, 0xFFFE);
    assert_int_equal(stats.source, AVB_SOURCE_NONE);
    config.pci_vendor = 0; /* no PCI device */
    assert_int_equal(stats_with(&config).source, AVB_SOURCE_NONE);
}

/* ---- Restart, pause, detach ---- */

/* What a walk through an adapter's life has to add up to. */
struct walk {
    lab_adapter *adapter;
    struct kit_client client;
    int running, enabled;
    UINT64 seen; /* since enable */
};

enum step { STEP_RUN_OR_PAUSE, STEP_ENABLE_OR_DISABLE, STEP_RECEIVE, STEP_SEND, STEPS };

static void walk_step(struct walk *walk, enum step step)
{
    switch (step) {
    case STEP_RUN_OR_PAUSE:
        if (walk->running)
            lab_pause(walk->adapter);
        else
            assert_int_equal(lab_restart(walk->adapter), 0);
        walk->running = !walk->running;
        break;
    case STEP_ENABLE_OR_DISABLE:
        if (walk->enabled)
            kit_stop(&walk->client);
        else
            kit_start(&walk->client);
        if (!walk->enabled)
            walk->seen = 0;
        walk->enabled = !walk->enabled;
        break;
    case STEP_RECEIVE:
        assert_int_equal(kit_receive_one(walk->adapter, 7), walk->running);
        walk->seen += (UINT64)(walk->running && walk->enabled);
        break;
    default:
        assert_int_equal(kit_send_one(walk->adapter, 8), walk->running);
        walk->seen += (UINT64)(walk->running && walk->enabled);
        break;
    }
    AVB_PTP_MONITOR_STATS stats = kit_stats(&walk->client);
    assert_int_equal(stats.enabled, walk->enabled);
    assert_int_equal(stats.frames_emitted, walk->seen);
    kit_accounts_balance(&stats);
}

/* Every sequence of six steps, each ended by a detach in whatever state it led to. */
static void test_legal_orders(void **state)
{
    (void)state;
    for (UINT32 code = 0; code < STEPS * STEPS * STEPS * STEPS * STEPS * STEPS; code++) {
        struct walk walk = {0};
        struct lab_adapter_config config = kit_config(1);
        walk.adapter = kit_attach_paused(&config);
        kit_open(&walk.client, 1);
        for (UINT32 rest = code, i = 0; i < 6; i++, rest /= STEPS)
            walk_step(&walk, (enum step)(rest % STEPS));
        if (walk.enabled && code % 2)
            kit_stop(&walk.client);
        lab_detach(walk.adapter);
        kit_kill(&walk.client);
        kit_no_breach();
    }
}

static void test_paused_filter_refuses_sends(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    struct kit_burst burst;
    kit_open_and_start(&client, 1);
    kit_burst_init(&burst, 5, 0);
    for (UINT32 dispatch = 0; dispatch < 2; dispatch++) {
        burst.chain.dispatch = dispatch;
        lab_pause(adapter);
        assert_int_equal(lab_send_while_paused(adapter, &burst.chain), 0);
        assert_int_equal(lab_send(adapter, &burst.chain), -1);
        assert_int_equal(lab_restart(adapter), 0);
    }
    assert_int_equal(kit_stats(&client).frames_seen, 0); /* they did not pass */
    assert_int_equal(lab_send(adapter, &burst.chain), 5);
    assert_int_equal(kit_stats(&client).frames_seen, 5);
    kit_kill(&client);
    lab_detach(adapter);
}

static void test_pauses_100_times_while_enabled(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    for (UINT32 i = 0; i < 100; i++) {
        assert_true(kit_receive_one(adapter, i));
        lab_pause(adapter);
        assert_int_equal(lab_restart(adapter), 0);
    }
    assert_int_equal(kit_drain(&client), 100);
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- Detach under an owner ---- */

static void every_control_fails(const struct kit_client *client)
{
    AVB_PTP_MONITORING given;
    AVB_PTP_MONITOR_STATS stats;
    PTP_CLOCKS_RECORD clocks;
    assert_int_equal(kit_enable(client->file, client->process, &given), STATUS_DEVICE_DOES_NOT_EXIST);
    assert_int_equal(kit_disable(client->file, client->process), STATUS_DEVICE_DOES_NOT_EXIST);
    assert_int_equal(kit_statistics(client->file, client->process, &stats), STATUS_DEVICE_DOES_NOT_EXIST);
    assert_int_equal(kit_clocks(client->file, client->process, &clocks), STATUS_DEVICE_DOES_NOT_EXIST);
}

static void test_detach_while_enabled(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    UINT32 generation = kit_stats(&client).generation;
    for (UINT32 i = 0; i < 10; i++)
        assert_true(kit_receive_one(adapter, i));
    assert_false(lab_wait(client.process, client.given.wake_event, 0)); /* nobody asked for it yet */
    lab_detach(adapter);
    assert_true(lab_wait(client.process, client.given.wake_event, 0)); /* the reader learns that it is over */
    assert_int_equal(lab_process_handles(client.process), 3);
    every_control_fails(&client);

    adapter = kit_attach(1); /* the same adapter: another generation */
    every_control_fails(&client);
    struct kit_client next;
    kit_open_and_start(&next, 1);
    assert_int_equal(kit_stats(&next).generation, generation + 1);
    assert_true(kit_receive_one(adapter, 99));
    every_control_fails(&client);
    assert_int_equal(kit_drain(&client), 10); /* what was in the ring is readable still, and no more */
    assert_int_equal(kit_drain(&next), 1);
    kit_kill(&client); /* ends nothing of the new one */
    assert_true(kit_stats(&next).enabled);
    assert_true(kit_receive_one(adapter, 100));
    assert_int_equal(kit_drain(&next), 1);
    kit_kill(&next);
    lab_detach(adapter);
}

static void *sleeping_reader(void *client)
{
    struct kit_client *reader = client;
    int woken = AvbRingMaySleep(&reader->reader) && lab_wait(reader->process, reader->given.wake_event, 20000);
    return woken ? client : NULL;
}

static void test_detach_wakes_the_reader(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    pthread_t thread;
    void *woken;
    assert_int_equal(pthread_create(&thread, NULL, sleeping_reader, &client), 0);
    while (!__atomic_load_n(&client.consumer->wake, __ATOMIC_ACQUIRE))
        ;
    lab_detach(adapter);
    pthread_join(thread, &woken);
    assert_non_null(woken);
    kit_kill(&client);
}

/* Two adapters of one driver do not know of each other. */
static void test_adapters_are_apart(void **state)
{
    (void)state;
    lab_adapter *first = kit_attach(1), *second = kit_attach(2);
    struct kit_client one, two;
    kit_open_and_start(&one, 1);
    kit_open_and_start(&two, 2);
    for (UINT32 i = 0; i < 3; i++)
        assert_true(kit_receive_one(first, i));
    assert_true(kit_receive_one(second, 9));
    assert_int_equal(kit_drain(&one), 3);
    lab_detach(first);
    every_control_fails(&one);
    assert_int_equal(kit_drain(&two), 1);
    assert_int_equal(kit_stats(&two).net_luid, kit_config(2).net_luid);
    assert_int_equal(kit_stats(&two).if_index, kit_config(2).if_index);
    assert_true(kit_receive_one(second, 10));
    assert_int_equal(kit_drain(&two), 1);
    kit_kill(&one);
    kit_kill(&two);
    lab_detach(second);
}

/* ---- Surprise removal and power ---- */

static void set_registers(struct lab_adapter_config *config)
{
    config->pci_vendor = 0x8086;
    config->pci_device = 0x1533;
    config->keywords = LAB_KEYWORD_REGISTER_ACCESS;
    config->register_access = 1;
}

static void test_surprise_removal(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    set_registers(&config);
    for (UINT32 detach_first = 0; detach_first < 2; detach_first++) {
        lab_adapter *adapter = kit_attach_paused(&config);
        assert_int_equal(lab_restart(adapter), 0);
        struct kit_client client;
        kit_open_and_start(&client, 1);
        assert_true(kit_receive_one(adapter, 1));
        lab_surprise_removal(adapter);
        assert_true(kit_receive_one(adapter, 2)); /* NDIS may have some on the way */
        assert_int_equal(kit_stats(&client).frames_emitted, 2);
        PTP_CLOCKS_RECORD clocks;
        assert_int_equal(kit_clocks(client.file, client.process, &clocks), STATUS_SUCCESS);
        assert_int_equal(clocks.hw_timestamp_ns, 0);
        if (detach_first)
            lab_detach(adapter);
        assert_int_equal(kit_drain(&client), 2);
        kit_kill(&client);
        if (!detach_first)
            lab_detach(adapter);
    }
}

/* Where the device is asleep none of its registers is read. */
struct sleeper {
    UINT32 asleep; /* atomic */
    UINT32 reads, wrong;
};

static UINT32 watch(void *context, UINT32 offset)
{
    struct sleeper *sleeper = context;
    (void)offset;
    __atomic_fetch_add(&sleeper->reads, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&sleeper->asleep, __ATOMIC_ACQUIRE))
        __atomic_fetch_add(&sleeper->wrong, 1, __ATOMIC_RELAXED);
    return 0xFFFFFFFFu;
}

static void ignore(void *context, UINT32 offset, UINT32 value)
{
    (void)context;
    (void)offset;
    (void)value;
}

static void test_power(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    set_registers(&config);
    struct sleeper sleeper = {0};
    lab_adapter *adapter = kit_attach_paused(&config);
    lab_set_registers(adapter, watch, ignore, &sleeper);
    assert_int_equal(lab_restart(adapter), 0);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    PTP_CLOCKS_RECORD clocks;
    for (UINT32 i = 0; i < 5; i++) {
        assert_true(kit_receive_one(adapter, i));
        lab_set_power(adapter, 0);
        __atomic_store_n(&sleeper.asleep, 1, __ATOMIC_RELEASE);
        assert_false(kit_receive_one(adapter, i));
        assert_int_equal(kit_clocks(client.file, client.process, &clocks), STATUS_SUCCESS);
        assert_int_equal(kit_stats(&client).enabled, 1); /* who monitors goes on afterwards */
        __atomic_store_n(&sleeper.asleep, 0, __ATOMIC_RELEASE);
        lab_set_power(adapter, 1);
    }
    assert_true(kit_receive_one(adapter, 5));
    assert_int_equal(kit_drain(&client), 6);
    assert_true(sleeper.reads > 0);
    assert_int_equal(sleeper.wrong, 0);
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- Traces ---- */

static void test_traces_the_life(void **state)
{
    (void)state;
    enum { ATTACH = 1, DETACH, ENABLE, DISABLE };
    nt_lab_etw_forget();
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open(&client, 1);
    for (int i = 0; i < 2; i++) {
        kit_start(&client);
        kit_stop(&client);
    }
    kit_start(&client);
    lab_detach(adapter);
    kit_kill(&client);
    assert_int_equal(nt_lab_etw_count(ATTACH), 1);
    assert_int_equal(nt_lab_etw_count(ENABLE), 3);
    assert_int_equal(nt_lab_etw_count(DISABLE), 3);
    assert_int_equal(nt_lab_etw_count(DETACH), 1);
}

int main(void)
{
    const struct CMUnitTest bare[] = {
        cmocka_unit_test_teardown(test_loads_and_unloads, kit_teardown),
        cmocka_unit_test_teardown(test_negotiates_the_newest_version_it_knows, kit_teardown),
        cmocka_unit_test_teardown(test_refuses_older_versions, kit_teardown),
        cmocka_unit_test_teardown(test_works_where_ndis_has_no_timestamps, kit_teardown),
        cmocka_unit_test_teardown(test_unload_waits_for_open_files, kit_teardown),
        cmocka_unit_test_teardown(test_unload_detaches_running_adapters, kit_teardown),
    };
    const struct CMUnitTest loaded[] = {
        cmocka_unit_test_setup_teardown(test_refuses_odd_media, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_takes_odd_names, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_reads_the_capacity, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_makes_rings_of_the_capacity, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_opens_registers_where_the_administrator_says_so, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_legal_orders, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_paused_filter_refuses_sends, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_pauses_100_times_while_enabled, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_detach_while_enabled, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_detach_wakes_the_reader, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_adapters_are_apart, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_surprise_removal, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_power, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_traces_the_life, kit_setup, kit_teardown),
    };
    int failed = cmocka_run_group_tests_name("driver", bare, NULL, NULL);
    return failed + cmocka_run_group_tests_name("adapters", loaded, NULL, NULL);
}
