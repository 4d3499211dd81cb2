/* SPDX-License-Identifier: MIT */
#include "control_kit.h"

#include <stdio.h>
#include <string.h>

/* ---- The driver ---- */

void kit_no_breach(void)
{
    char first[256] = "";
    if (nt_lab_breaches(first, sizeof first) != 0)
        fail_msg("a rule was broken: %s", first);
}

void kit_nothing_held(void)
{
    struct nt_lab_held held;
    nt_lab_held(&held);
    assert_int_equal(held.pool, 0);
    assert_int_equal(held.pool_bytes, 0);
    assert_int_equal(held.mdls, 0);
    assert_int_equal(held.locked_mdls, 0);
    assert_int_equal(held.mapped_mdls, 0);
    assert_int_equal(held.views, 0);
    assert_int_equal(held.handles, 0);
    assert_int_equal(held.references, 0);
    assert_int_equal(held.timers, 0);
    assert_int_equal(held.rundowns, 0);
    assert_int_equal(held.io_spaces, 0);
    assert_int_equal(held.etw_providers, 0);
}

static int is_loaded;

void kit_load(void)
{
    nt_lab_fail_nth(0);
    kit_nothing_held();
    assert_int_equal(lab_load(), STATUS_SUCCESS);
    is_loaded = 1;
}

void kit_unloaded(void)
{
    is_loaded = 0;
    kit_no_breach();
    kit_nothing_held();
}

void kit_unload(void)
{
    lab_unload();
    kit_unloaded();
}

int kit_setup(void **state)
{
    (void)state;
    kit_load();
    return 0;
}

int kit_teardown(void **state)
{
    (void)state;
    kit_end_processes();
    if (is_loaded)
        kit_unload();
    return 0;
}

/* ---- Processes ---- */

#define REMEMBERED 4096u

static lab_process *remembered[REMEMBERED];
static UINT32 remembered_count;

lab_process *kit_process(void)
{
    lab_process *process = lab_process_start();
    remembered[remembered_count++ % REMEMBERED] = process;
    return process;
}

void kit_end_processes(void)
{
    for (UINT32 i = 0; i < REMEMBERED; i++) {
        if (remembered[i])
            lab_process_kill(remembered[i]); /* again, where the test has done so */
        remembered[i] = NULL;
    }
}

/* ---- Adapters ---- */

static void put_guid(char *to, size_t size, const char *before, UINT32 number)
{
    snprintf(to, size, "%s{7C0FFEE0-%04X-4C55-8D0F-3F2E5A6B7C8D}", before, (unsigned)number & 0xFFFFu);
}

const char *kit_suffix(UINT32 number)
{
    static _Thread_local char suffixes[8][48];
    static _Thread_local UINT32 turn;
    char *suffix = suffixes[turn++ % 8];
    put_guid(suffix, sizeof suffixes[0], "\\", number);
    return suffix;
}

struct lab_adapter_config kit_config(UINT32 number)
{
    struct lab_adapter_config config = {.net_luid = 0x0600000001000000u + number, .if_index = 10 + number};
    put_guid(config.guid, sizeof config.guid, "", number);
    return config;
}

lab_adapter *kit_attach_paused(const struct lab_adapter_config *config)
{
    lab_adapter *adapter;
    assert_int_equal(lab_attach(config, &adapter), 0);
    assert_non_null(adapter);
    return adapter;
}

lab_adapter *kit_attach(UINT32 number)
{
    struct lab_adapter_config config = kit_config(number);
    lab_adapter *adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(adapter), 0);
    return adapter;
}

/* ---- Frames ---- */

static void build_sync(struct test_frame *frame, UINT32 sequenceId)
{
    frame->length = 0;
    put_addresses(frame, 0x01020304);
    put_be16(frame, 0x88F7);
    put_sync(frame, sequenceId & 0xFFFFu);
    put_zeros(frame, 2); /* to 60 bytes */
}

void kit_burst_init(struct kit_burst *burst, UINT32 count, UINT32 first)
{
    memset(burst->frames, 0, sizeof burst->frames);
    memset(burst->lists, 0, sizeof burst->lists);
    for (UINT32 i = 0; i < count; i++) {
        build_sync(&burst->bytes[i], first + i);
        burst->frames[i].bytes = burst->bytes[i].bytes;
        burst->frames[i].length = burst->bytes[i].length;
        burst->lists[i].count = 1;
    }
    burst->chain = (struct lab_chain){.lists = burst->lists, .list_count = count, .frames = burst->frames};
}

int kit_receive_one(lab_adapter *adapter, UINT32 sequenceId)
{
    struct kit_burst burst;
    kit_burst_init(&burst, 1, sequenceId);
    return lab_receive(adapter, &burst.chain) == 1;
}

int kit_send_one(lab_adapter *adapter, UINT32 sequenceId)
{
    struct kit_burst burst;
    kit_burst_init(&burst, 1, sequenceId);
    return lab_send(adapter, &burst.chain) == 1;
}

/* ---- The device ---- */

INT32 kit_control(lab_file *file, lab_process *process, UINT32 code, void *out, UINT32 bytes)
{
    UINT64 returned = UINT64_MAX;
    INT32 status = lab_ioctl(file, process, code, NULL, 0, out, bytes, &returned, 0);
    if (returned != (status == STATUS_SUCCESS ? bytes : 0))
        nt_lab_breach("IoStatus.Information is neither what was asked for nor 0");
    return status;
}

INT32 kit_enable(lab_file *file, lab_process *process, AVB_PTP_MONITORING *given)
{
    return kit_control(file, process, IOCTL_AVB_ENABLE_PTP_MONITORING, given, sizeof *given);
}

INT32 kit_disable(lab_file *file, lab_process *process)
{
    return kit_control(file, process, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0);
}

INT32 kit_statistics(lab_file *file, lab_process *process, AVB_PTP_MONITOR_STATS *stats)
{
    return kit_control(file, process, IOCTL_AVB_GET_PTP_MONITOR_STATS, stats, sizeof *stats);
}

INT32 kit_clocks(lab_file *file, lab_process *process, PTP_CLOCKS_RECORD *clocks)
{
    return kit_control(file, process, IOCTL_AVB_GET_PTP_CLOCKS, clocks, sizeof *clocks);
}

void kit_open(struct kit_client *client, UINT32 number)
{
    *client = (struct kit_client){.process = kit_process()};
    assert_int_equal(lab_open(client->process, kit_suffix(number), &client->file), STATUS_SUCCESS);
}

void kit_start(struct kit_client *client)
{
    UINT64 bytes;
    assert_int_equal(kit_enable(client->file, client->process, &client->given), STATUS_SUCCESS);
    client->header = lab_map(client->process, client->given.SharedMemoryHandle, 0, &bytes);
    assert_non_null(client->header);
    assert_int_equal(bytes, client->given.ring_bytes);
    client->consumer = lab_map(client->process, client->given.consumer_handle, 1, &bytes);
    assert_non_null(client->consumer);
    assert_int_equal(bytes, client->given.consumer_bytes);
    assert_true(AvbRingReaderInit(&client->reader, client->header, client->given.ring_bytes, client->consumer));
}

void kit_open_and_start(struct kit_client *client, UINT32 number)
{
    kit_open(client, number);
    kit_start(client);
}

void kit_forget_ring(struct kit_client *client)
{
    lab_unmap(client->process, (void *)(uintptr_t)client->header);
    lab_unmap(client->process, client->consumer);
    assert_true(lab_close_handle(client->process, client->given.SharedMemoryHandle));
    assert_true(lab_close_handle(client->process, client->given.consumer_handle));
    assert_true(lab_close_handle(client->process, client->given.wake_event));
    client->header = NULL;
    client->consumer = NULL;
}

void kit_stop(struct kit_client *client)
{
    assert_int_equal(kit_disable(client->file, client->process), STATUS_SUCCESS);
    kit_forget_ring(client);
}

void kit_kill(struct kit_client *client)
{
    lab_process_kill(client->process);
    *client = (struct kit_client){0};
}

UINT64 kit_drain(struct kit_client *client)
{
    UINT64 total = 0, count;
    const PTP_TIMESTAMP_EVENT *records;
    while ((count = AvbRingPeek(&client->reader, &records)) > 0) {
        for (UINT64 i = 0; i < count; i++) {
            assert_int_equal(records[i].messageType, AVB_PTP_SYNC);
            assert_int_equal(records[i].version, 2);
            assert_int_equal(records[i].portNumber, 1);
        }
        AvbRingRelease(&client->reader, count);
        total += count;
    }
    return total;
}

AVB_PTP_MONITOR_STATS kit_stats(const struct kit_client *client)
{
    AVB_PTP_MONITOR_STATS stats;
    assert_int_equal(kit_statistics(client->file, client->process, &stats), STATUS_SUCCESS);
    return stats;
}

void kit_accounts_balance(const AVB_PTP_MONITOR_STATS *stats)
{
    assert_int_equal(stats->frames_seen, stats->frames_emitted + stats->frames_dropped);
    assert_int_equal(stats->stamps_seen, stats->stamps_emitted + stats->stamps_dropped);
    assert_int_equal(stats->events_emitted, stats->frames_emitted + stats->stamps_emitted);
    assert_int_equal(stats->events_dropped, stats->frames_dropped + stats->stamps_dropped);
    assert_int_equal(stats->events_dropped, stats->dropped_full + stats->dropped_contention);
}
