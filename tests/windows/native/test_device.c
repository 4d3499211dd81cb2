/* SPDX-License-Identifier: MIT */
/* The control device: who opens it, by which names, who owns the monitoring of an adapter, and what each control takes.
 */
#include "control_kit.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic_clock.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const UINT32 codes[] = {IOCTL_AVB_ENABLE_PTP_MONITORING, IOCTL_AVB_DISABLE_PTP_MONITORING,
                               IOCTL_AVB_GET_PTP_MONITOR_STATS, IOCTL_AVB_GET_PTP_CLOCKS};
static const UINT32 output_bytes[] = {sizeof(AVB_PTP_MONITORING), 0, sizeof(AVB_PTP_MONITOR_STATS),
                                      sizeof(PTP_CLOCKS_RECORD)};

/* ---- The device ---- */

static void test_is_for_administrators_only(void **state)
{
    (void)state;
    struct lab_device device;
    assert_true(lab_control_device(&device));
    assert_string_equal(device.name, "\\Device\\AvbPtp");
    assert_string_equal(device.symbolic_name, "\\DosDevices\\AvbPtp");
    assert_string_equal(device.sddl, "D:P(A;;GA;;;SY)(A;;GA;;;BA)");
    assert_true(device.characteristics & FILE_DEVICE_SECURE_OPEN); /* names with a suffix are checked too */
}

/* ---- Names ---- */

static INT32 open_as(lab_process *process, const char *suffix)
{
    lab_file *file = NULL;
    INT32 status = lab_open(process, suffix, &file);
    assert_true((status == STATUS_SUCCESS) == (file != NULL));
    if (file)
        lab_close(file, process);
    return status;
}

static void test_opens_by_the_adapters_name_only(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(0xAB);
    lab_process *process = kit_process();
    static const char *const good[] = {
        "\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}",
        "\\{7c0ffee0-00ab-4c55-8d0f-3f2e5a6b7c8d}",
        "\\{7c0FFee0-00Ab-4c55-8D0f-3f2e5A6b7c8d}",
    };
    static const char *const bad[] = {
        "",
        "\\",
        "\\\\",
        "{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}",
        "\\7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D",
        "\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D",
        "\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8E}",
        "\\{7C0FFEE0-00AC-4C55-8D0F-3F2E5A6B7C8D}",
        "\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}x",
        "\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D} ",
        "\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}\\",
        "\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}\\x",
        "\\ {7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}",
        "\\\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}",
        "/{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}",
        "\\{00000000-0000-0000-0000-000000000000}",
        "\\DEVICE\\{7C0FFEE0-00AB-4C55-8D0F-3F2E5A6B7C8D}",
    };
    for (size_t i = 0; i < LENGTH(good); i++)
        assert_int_equal(open_as(process, good[i]), STATUS_SUCCESS);
    for (size_t i = 0; i < LENGTH(bad); i++)
        assert_int_equal(open_as(process, bad[i]), STATUS_OBJECT_NAME_NOT_FOUND);
    static const size_t lengths[] = {64, 255, 256, 1024, 32766};
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        char *name = malloc(lengths[i] + 1);
        assert_non_null(name);
        memset(name, 'x', lengths[i]);
        name[0] = '\\';
        name[lengths[i]] = 0;
        assert_int_equal(open_as(process, name), STATUS_OBJECT_NAME_NOT_FOUND);
        memcpy(name, good[0], strlen(good[0])); /* begins right */
        assert_int_equal(open_as(process, name), STATUS_OBJECT_NAME_NOT_FOUND);
        free(name);
    }
    lab_detach(adapter);
    assert_int_equal(open_as(process, good[0]), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_many_open_it(void **state)
{
    (void)state;
    enum { FILES = 300 };
    lab_adapter *adapter = kit_attach(1);
    lab_process *process = kit_process();
    lab_file *files[FILES];
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(lab_open(process, kit_suffix(1), &files[i]), STATUS_SUCCESS);
    AVB_PTP_MONITORING given;
    AVB_PTP_MONITOR_STATS stats;
    assert_int_equal(kit_enable(files[7], process, &given), STATUS_SUCCESS);
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(kit_statistics(files[i], process, &stats), STATUS_SUCCESS);
        assert_int_equal(stats.enabled, 1);
        if (i != 7)
            assert_int_equal(kit_disable(files[i], process), STATUS_ACCESS_DENIED);
    }
    for (size_t i = 0; i < FILES; i++)
        lab_close(files[i], process);
    lab_detach(adapter);
}

/* ---- Owners ---- */

static void test_enable_disable_enable(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open(&client, 1);
    assert_int_equal(kit_disable(client.file, client.process), STATUS_ACCESS_DENIED); /* nobody is the owner */
    for (UINT32 turn = 1; turn <= 20; turn++) {
        kit_start(&client);
        assert_int_equal(client.given.size, sizeof client.given);
        assert_int_equal(client.given.version, AVB_PTP_IOCTL_VERSION);
        assert_int_equal(client.given.capacity, AVB_RING_DEFAULT_CAPACITY);
        assert_int_equal(client.given.net_luid, kit_config(1).net_luid);
        assert_int_equal(client.given.system_clock_hz, 10000000);
        AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
        assert_int_equal(stats.enabled, 1);
        assert_int_equal(stats.owner_process, lab_process_id(client.process));
        assert_int_equal(stats.events_emitted, 0); /* since enable */
        assert_int_equal(stats.frames_seen, 0);
        for (UINT32 i = 0; i < turn; i++)
            assert_true(kit_receive_one(adapter, i));
        assert_int_equal(kit_drain(&client), turn);
        kit_stop(&client);
        stats = kit_stats(&client); /* of the ring that there was */
        assert_int_equal(stats.enabled, 0);
        assert_int_equal(stats.owner_process, 0);
        assert_int_equal(stats.events_emitted, turn);
        kit_accounts_balance(&stats);
        assert_int_equal(kit_disable(client.file, client.process), STATUS_ACCESS_DENIED);
    }
    lab_detach(adapter);
}

static void test_has_one_owner(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client owner, other;
    AVB_PTP_MONITORING given;
    kit_open_and_start(&owner, 1);
    kit_open(&other, 1);
    assert_int_equal(kit_enable(owner.file, owner.process, &given), STATUS_DEVICE_BUSY);
    assert_int_equal(kit_enable(other.file, other.process, &given), STATUS_DEVICE_BUSY);
    assert_int_equal(lab_process_handles(other.process), 0);
    assert_int_equal(lab_process_handles(owner.process), 3);
    assert_int_equal(kit_stats(&other).owner_process, lab_process_id(owner.process));
    assert_int_equal(kit_disable(other.file, other.process), STATUS_ACCESS_DENIED);
    lab_file *second; /* of the owner's process, but another file */
    assert_int_equal(lab_open(owner.process, kit_suffix(1), &second), STATUS_SUCCESS);
    assert_int_equal(kit_disable(second, owner.process), STATUS_ACCESS_DENIED);
    lab_close(second, owner.process);
    assert_int_equal(kit_stats(&other).enabled, 1);
    assert_true(kit_receive_one(adapter, 1));
    kit_kill(&owner);
    assert_int_equal(kit_stats(&other).enabled, 0);
    kit_start(&other);
    assert_true(kit_receive_one(adapter, 2));
    assert_int_equal(kit_drain(&other), 1);
    kit_kill(&other);
    lab_detach(adapter);
}

/* A duplicated handle is the same file: it ends with the last handle, in whatever process. */
static void test_ends_with_the_last_handle(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client owner, watcher;
    kit_open(&watcher, 1);
    for (UINT32 turn = 0; turn < 3; turn++) {
        kit_open_and_start(&owner, 1);
        lab_file *file = owner.file;
        lab_process *heir = kit_process();
        lab_duplicate(file, heir);
        kit_kill(&owner); /* with its handles and views, while it is mapped */
        assert_int_equal(kit_stats(&watcher).enabled, 1);
        assert_true(kit_receive_one(adapter, 1)); /* into a ring that nobody has */
        assert_int_equal(kit_stats(&watcher).frames_emitted, 1);
        if (turn == 0)
            lab_close(file, heir);
        else if (turn == 1)
            lab_process_kill(heir);
        else
            assert_int_equal(kit_disable(file, heir), STATUS_SUCCESS);
        assert_int_equal(kit_stats(&watcher).enabled, 0);
        lab_process_kill(heir);
    }
    lab_detach(adapter);
}

/* The handles go to the process that asks, whoever opened the file. */
static void test_gives_the_handles_to_who_asks(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client opener;
    kit_open(&opener, 1);
    struct kit_client asker = {.process = kit_process(), .file = opener.file};
    lab_duplicate(opener.file, asker.process);
    kit_start(&asker);
    assert_int_equal(lab_process_handles(asker.process), 3);
    assert_int_equal(lab_process_handles(opener.process), 0);
    assert_int_equal(kit_stats(&opener).owner_process, lab_process_id(asker.process));
    lab_close(asker.file, asker.process); /* not the last handle */
    assert_true(kit_receive_one(adapter, 1));
    assert_int_equal(kit_drain(&asker), 1);
    kit_kill(&opener);
    assert_true(lab_wait(asker.process, asker.given.wake_event, 0));
    kit_kill(&asker);
    lab_detach(adapter);
}

static void test_survives_200_kills(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client watcher;
    struct nt_lab_held before, after;
    kit_open(&watcher, 1);
    nt_lab_held(&before);
    for (UINT32 turn = 0; turn < 200; turn++) {
        struct kit_client victim;
        kit_open_and_start(&victim, 1);
        for (UINT32 i = 0; i < turn % 5; i++)
            assert_true(kit_receive_one(adapter, i));
        if (turn % 2)
            kit_drain(&victim);
        kit_kill(&victim);
        AVB_PTP_MONITOR_STATS stats = kit_stats(&watcher);
        assert_int_equal(stats.enabled, 0);
        assert_int_equal(stats.owner_process, 0);
        assert_int_equal(stats.events_emitted, turn % 5);
        assert_true(kit_receive_one(adapter, 9));
        nt_lab_held(&after);
        assert_memory_equal(&before, &after, sizeof before);
    }
    lab_detach(adapter);
}

/* ---- Requests that come while the last handle closes ---- */

NTSTATUS __real_KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable,
                                      PLARGE_INTEGER timeout);
NTSTATUS __wrap_KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable,
                                      PLARGE_INTEGER timeout);

static _Thread_local int is_late; /* this thread's next wait, for the driver's mutex, begins after the file's CLEANUP */
static UINT64 late_arrived, cleaned_up;

NTSTATUS __wrap_KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable,
                                      PLARGE_INTEGER timeout)
{
    if (is_late) {
        is_late = 0;
        __atomic_store_n(&late_arrived, 1, __ATOMIC_RELEASE);
        while (!__atomic_load_n(&cleaned_up, __ATOMIC_ACQUIRE))
            sched_yield();
    }
    return __real_KeWaitForSingleObject(object, reason, mode, alertable, timeout);
}

struct late_request {
    struct kit_client client;
    INT32 status;
};

static void *enable_late(void *context)
{
    struct late_request *late = context;
    AVB_PTP_MONITORING given;
    is_late = 1;
    late->status = kit_enable(late->client.file, late->client.process, &given);
    return NULL;
}

/*
 * A request holds the file object, not a handle: it may reach the driver after CLEANUP. Were it to enable
 * anything then, nobody could ever disable it.
 */
static void test_enables_nothing_after_cleanup(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client watcher;
    kit_open(&watcher, 1);
    for (UINT32 turn = 0; turn < 20; turn++) {
        struct late_request late = {.status = STATUS_SUCCESS};
        pthread_t thread;
        kit_open(&late.client, 1);
        __atomic_store_n(&late_arrived, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&cleaned_up, 0, __ATOMIC_RELEASE);
        assert_int_equal(pthread_create(&thread, NULL, enable_late, &late), 0);
        while (!__atomic_load_n(&late_arrived, __ATOMIC_ACQUIRE))
            sched_yield();
        lab_close(late.client.file, late.client.process);
        __atomic_store_n(&cleaned_up, 1, __ATOMIC_RELEASE);
        pthread_join(thread, NULL);
        assert_true(late.status < 0);
        assert_int_equal(kit_stats(&watcher).enabled, 0);
        assert_int_equal(lab_process_handles(late.client.process), 0);
        kit_start(&watcher);
        kit_stop(&watcher);
        lab_process_kill(late.client.process);
    }
    lab_detach(adapter);
}

/* ---- Who may ask ---- */

enum { FROM_USER, FROM_KERNEL, FROM_NOBODY };

static void test_enables_for_a_process_only(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open(&client, 1);
    for (int mode = FROM_KERNEL; mode <= FROM_NOBODY; mode++) {
        AVB_PTP_MONITORING given;
        AVB_PTP_MONITOR_STATS stats;
        UINT64 returned;
        assert_int_equal(lab_ioctl(client.file, client.process, IOCTL_AVB_ENABLE_PTP_MONITORING, NULL, 0, &given,
                                   sizeof given, &returned, mode),
                         STATUS_INVALID_DEVICE_REQUEST);
        assert_int_equal(returned, 0);
        assert_int_equal(lab_ioctl(client.file, client.process, IOCTL_AVB_GET_PTP_MONITOR_STATS, NULL, 0, &stats,
                                   sizeof stats, &returned, mode),
                         STATUS_SUCCESS); /* anybody may look */
        assert_int_equal(returned, sizeof stats);
        assert_int_equal(stats.enabled, 0);
        assert_int_equal(lab_process_handles(client.process), 0);
    }
    kit_start(&client);
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- Codes and sizes ---- */

static void test_refuses_unknown_codes(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open(&client, 1);
    UINT8 out[512];
    UINT64 returned;
    /* Every function, method and access of the driver's device type, and the known ones with another type. */
    for (UINT32 low = 0; low < 0x10000; low++) {
        UINT32 code = 0x12u << 16 | low;
        int known = 0;
        for (size_t i = 0; i < LENGTH(codes); i++)
            known |= code == codes[i];
        if (known || (low & 3) != METHOD_BUFFERED)
            continue;
        assert_int_equal(lab_ioctl(client.file, client.process, code, NULL, 0, out, sizeof out, &returned, FROM_USER),
                         STATUS_INVALID_DEVICE_REQUEST);
        assert_int_equal(returned, 0);
    }
    for (UINT32 bit = 0; bit < 32; bit++) {
        for (size_t i = 0; i < LENGTH(codes); i++) {
            UINT32 code = codes[i] ^ 1u << bit;
            assert_int_equal(
                lab_ioctl(client.file, client.process, code, NULL, 0, out, output_bytes[i], &returned, FROM_USER),
                STATUS_INVALID_DEVICE_REQUEST);
        }
    }
    assert_int_equal(kit_stats(&client).enabled, 0);
    lab_detach(adapter);
}

/* Whatever the sizes but the right ones: nothing is done, and nothing of the output is written. */
static void test_refuses_wrong_sizes(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open(&client, 1);
    static const UINT32 inputs[] = {0, 1, 8, 63, 64, 65, 368, 4096};
    static UINT8 in[4096], out[8192], expected[8192];
    memset(expected, 0x77, sizeof expected);
    for (size_t code = 0; code < LENGTH(codes); code++) {
        for (size_t input = 0; input < LENGTH(inputs); input++) {
            for (UINT32 output = 0; output <= 8192; output += output < 400 ? 1 : 487) {
                UINT64 returned = 99;
                if (inputs[input] == 0 && output == output_bytes[code])
                    continue;
                memset(out, 0x77, sizeof out);
                assert_int_equal(lab_ioctl(client.file, client.process, codes[code], in, inputs[input], out, output,
                                           &returned, FROM_USER),
                                 STATUS_INVALID_PARAMETER);
                assert_int_equal(returned, 0);
                assert_memory_equal(out, expected, sizeof out);
            }
        }
    }
    assert_int_equal(kit_stats(&client).enabled, 0);
    lab_detach(adapter);
}

/* The double's system buffer is full of 0xA5 before: what is not meant must not come out. */
static void test_outputs_are_whole_and_nothing_else(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open(&client, 1);
    struct {
        PTP_CLOCKS_RECORD clocks;
        UINT8 behind[64];
    } out;
    UINT8 untouched[64];
    UINT64 returned;
    memset(&out, 0x77, sizeof out);
    memset(untouched, 0x77, sizeof untouched);
    assert_int_equal(lab_ioctl(client.file, client.process, IOCTL_AVB_GET_PTP_CLOCKS, NULL, 0, &out.clocks,
                               sizeof out.clocks, &returned, FROM_USER),
                     STATUS_SUCCESS);
    assert_int_equal(returned, sizeof out.clocks);
    assert_memory_equal(out.behind, untouched, sizeof untouched);
    PTP_CLOCKS_RECORD expected = {.system_timestamp = out.clocks.system_timestamp,
                                  .direction = AVB_DIRECTION_CLOCKS,
                                  .realtime_ns = out.clocks.realtime_ns,
                                  .realtime_uncertainty_ns = out.clocks.realtime_uncertainty_ns};
    assert_memory_equal(&out.clocks, &expected, sizeof expected);

    AVB_PTP_MONITOR_STATS stats, nothing = {.buffer_size = AVB_RING_DEFAULT_CAPACITY,
                                            .size = sizeof nothing,
                                            .version = AVB_PTP_IOCTL_VERSION,
                                            .net_luid = kit_config(1).net_luid,
                                            .if_index = kit_config(1).if_index,
                                            .generation = 1,
                                            .ndis_version = 0x00060052,
                                            .register_state = AVB_NIC_CLOCK_RESULTS,
                                            .sdp_state = AVB_SDP_RESULTS};
    stats = kit_stats(&client);
    nothing.generation = stats.generation;
    assert_memory_equal(&stats, &nothing, sizeof nothing);

    /* What fails leaves the caller's memory as it was. */
    UINT8 before[sizeof(AVB_PTP_MONITORING)], after[sizeof before];
    struct kit_client owner;
    kit_open_and_start(&owner, 1);
    memset(before, 0x77, sizeof before);
    memcpy(after, before, sizeof after);
    assert_int_equal(kit_control(client.file, client.process, IOCTL_AVB_ENABLE_PTP_MONITORING, after, sizeof after),
                     STATUS_DEVICE_BUSY);
    assert_memory_equal(before, after, sizeof after);
    kit_kill(&owner);
    lab_detach(adapter);
}

/* ---- Statistics ---- */

static void test_statistics_say_what_happened(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    config.ring_capacity = 64;
    lab_adapter *adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(adapter), 0);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    for (UINT32 i = 0; i < 100; i++)
        assert_true(i % 2 ? kit_send_one(adapter, i) : kit_receive_one(adapter, i));
    AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
    assert_int_equal(stats.events_emitted, 64);
    assert_int_equal(stats.events_dropped, 36);
    assert_int_equal(stats.buffer_size, 64);
    assert_int_equal(stats.frames_seen, 100);
    assert_int_equal(stats.dropped_full, 36);
    assert_int_equal(stats.bad_consumer_position, 0);
    assert_int_equal(stats.high_water, 64);
    kit_accounts_balance(&stats);
    assert_int_equal(kit_drain(&client), 64);
    assert_true(kit_receive_one(adapter, 100)); /* there is room again */
    assert_int_equal(kit_drain(&client), 1);
    kit_stop(&client);
    AVB_PTP_MONITOR_STATS last = kit_stats(&client);
    assert_int_equal(last.events_emitted, 65);
    assert_int_equal(last.events_dropped, 36);
    assert_int_equal(last.high_water, 64);
    kit_start(&client); /* counts begin anew */
    stats = kit_stats(&client);
    assert_int_equal(stats.frames_seen, 0);
    assert_int_equal(stats.events_dropped, 0);
    assert_int_equal(stats.high_water, 0);
    kit_kill(&client);
    lab_detach(adapter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_is_for_administrators_only, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_opens_by_the_adapters_name_only, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_many_open_it, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_enable_disable_enable, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_has_one_owner, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_ends_with_the_last_handle, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_gives_the_handles_to_who_asks, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_survives_200_kills, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_enables_nothing_after_cleanup, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_enables_for_a_process_only, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_refuses_unknown_codes, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_refuses_wrong_sizes, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_outputs_are_whole_and_nothing_else, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_statistics_say_what_happened, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
