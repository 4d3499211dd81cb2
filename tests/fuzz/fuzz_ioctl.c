/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the control side of the Windows driver, natively between the two doubles: any sequence of what processes,
 * NDIS and the network may do. A model of what must come of it runs beside: who owns which adapter,
 * each status, each process's handles, each account. At the end of an input nothing is held.
 */
#include "windows/native/nt_native.h"

#include "fuzz.h"
#include "ioctl_input.h"
#include "unit/frame_builder.h"

#include <ntifs.h>

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ring_buffer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) ((condition) ? (void)0 : give_up(#condition))

#define ADAPTERS  2u
#define PROCESSES 3u
#define FILES     5u
#define CAPACITY  64u
#define BURST     16u
#define NOBODY    (-1)

#define RX_HARDWARE_ALL (1u << 8)
#define TX_HARDWARE_ALL (1u << 9)

/* A ring as the process that enabled it has it. */
struct ring {
    UINT32 process;
    AVB_PTP_MONITORING given;
    const AVB_RING_HEADER *header; /* NULL: the process is gone */
    AVB_RING_CONSUMER *consumer;
    AVB_RING_READER reader;
    UINT64 read;
    int lied;
};

struct adapter {
    lab_adapter *lab; /* NULL: not attached */
    UINT32 attachments;
    int attached_in_need; /* a call was to fail then */
    int runs;
    int owner; /* a file; NOBODY */
    UINT32 owner_process;
    struct ring ring;
    UINT64 seen; /* PTP frames since it was enabled */
};

struct file {
    lab_file *lab; /* NULL: closed */
    UINT32 adapter, attachment;
    UINT32 handles[PROCESSES];
};

struct process {
    lab_process *lab;
    UINT32 ring_handles;
};

static struct adapter adapters[ADAPTERS];
static struct file files[FILES];
static struct process processes[PROCESSES];
static int may_fail; /* a call of this step fails, if it makes so many */

static void give_up(const char *condition)
{
    fprintf(stderr, "fuzz_ioctl: does not hold: %s\n", condition);
    abort();
}

static void check_breaches(void)
{
    char first[256];
    if (nt_lab_breaches(first, sizeof first) != 0)
        give_up(first);
}

/* What was expected; or, where a call failed, that there is not enough of something. 1: the former. */
static int came_as(INT32 status, INT32 expected)
{
    if (may_fail && status != expected) {
        CHECK(status == STATUS_INSUFFICIENT_RESOURCES || status == STATUS_NO_MEMORY ||
              status == STATUS_WORKING_SET_QUOTA);
        return 0;
    }
    CHECK(status == expected);
    return 1;
}

/* ---- Rings ---- */

/* The setting; or the default, where a call failed as the driver read its settings. */
static int is_capacity(const struct adapter *adapter, UINT64 records)
{
    return records == CAPACITY || (adapter->attached_in_need && records == AVB_RING_DEFAULT_CAPACITY);
}

static void map_ring(struct adapter *adapter)
{
    struct ring *ring = &adapter->ring;
    UINT64 bytes;
    nt_lab_fail_nth(0); /* the driver has done its part; what the reader calls is not to fail */
    lab_process *process = processes[ring->process].lab;
    CHECK(lab_handle_access(process, ring->given.SharedMemoryHandle) == SECTION_MAP_READ);
    CHECK(lab_handle_access(process, ring->given.consumer_handle) == (SECTION_MAP_READ | SECTION_MAP_WRITE));
    CHECK(lab_handle_access(process, ring->given.wake_event) == SYNCHRONIZE);
    CHECK(!lab_map(process, ring->given.SharedMemoryHandle, 1, &bytes));
    ring->header = lab_map(process, ring->given.SharedMemoryHandle, 0, &bytes);
    CHECK(ring->header && bytes == AvbRingBytes(ring->header->capacity));
    CHECK(is_capacity(adapter, ring->header->capacity));
    ring->consumer = lab_map(process, ring->given.consumer_handle, 1, &bytes);
    CHECK(ring->consumer && bytes == sizeof *ring->consumer);
    CHECK(ring->header->head == 0 && ring->consumer->tail == 0);
    CHECK(AvbRingReaderInit(&ring->reader, ring->header, ring->given.ring_bytes, ring->consumer));
}

static void drain(struct ring *ring)
{
    UINT64 count;
    const PTP_TIMESTAMP_EVENT *events;
    if (!ring->header)
        return;
    while ((count = AvbRingPeek(&ring->reader, &events)) > 0) {
        for (UINT64 i = 0; i < count && !ring->lied; i++)
            CHECK(events[i].messageType == AVB_PTP_SYNC && events[i].portNumber == 1);
        AvbRingRelease(&ring->reader, count);
        ring->read += count;
    }
    CHECK(ring->lied || ring->read == ring->header->head);
    CHECK(ring->lied || ring->header->bad_consumer_position == 0);
}

/* Monitoring has ended: what was written can still be read, the reader is woken, and then it lets go. */
static void end_of_ring(struct adapter *adapter)
{
    struct ring *ring = &adapter->ring;
    adapter->owner = NOBODY;
    if (!ring->header)
        return;
    lab_process *process = processes[ring->process].lab;
    CHECK(lab_wait(process, ring->given.wake_event, 0));
    drain(ring);
    lab_unmap(process, (void *)(uintptr_t)ring->header);
    lab_unmap(process, ring->consumer);
    ring->header = NULL;
    CHECK(lab_close_handle(process, ring->given.SharedMemoryHandle));
    CHECK(lab_close_handle(process, ring->given.consumer_handle));
    CHECK(lab_close_handle(process, ring->given.wake_event));
    processes[ring->process].ring_handles -= 3;
}

/* ---- Files ---- */

/* The adapter that the file is about; NULL: it went. */
static struct adapter *adapter_of(const struct file *file)
{
    struct adapter *adapter = &adapters[file->adapter];
    return adapter->lab && adapter->attachments == file->attachment ? adapter : NULL;
}

static UINT32 handles_of(const struct file *file)
{
    UINT32 handles = 0;
    for (UINT32 i = 0; i < PROCESSES; i++)
        handles += file->handles[i];
    return handles;
}

/* The last handle of the file has been closed. */
static void end_of_file(UINT32 number)
{
    struct adapter *adapter = adapter_of(&files[number]);
    if (adapter && adapter->owner == (int)number)
        end_of_ring(adapter);
    files[number].lab = NULL;
}

static void open_file(UINT32 number, UINT32 process, UINT32 which)
{
    static const char *const others[] = {"", "\\", "\\{0}", "\\{F0000000-0000-0000-0000-00000000000", "x"};
    static const char *const names[ADAPTERS] = {"\\{F0000000-0000-0000-0000-000000000000}",
                                                "\\{f0000000-0000-0000-0000-000000000001}"};
    struct file *file = &files[number];
    struct adapter *adapter = &adapters[which % ADAPTERS];
    int other = (which & IOCTL_ANOTHER_NAME) != 0;
    const char *name = other ? others[which % (sizeof others / sizeof *others)] : names[which % ADAPTERS];
    if (file->lab)
        return;
    INT32 status = lab_open(processes[process].lab, name, &file->lab);
    if (!came_as(status, adapter->lab && !other ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND))
        CHECK(!file->lab);
    if (!file->lab)
        return;
    memset(file->handles, 0, sizeof file->handles);
    file->handles[process] = 1;
    file->adapter = which % ADAPTERS;
    file->attachment = adapter->attachments;
}

static void close_file(UINT32 number, UINT32 process)
{
    struct file *file = &files[number];
    if (!file->lab || file->handles[process] == 0)
        return;
    lab_close(file->lab, processes[process].lab);
    file->handles[process]--;
    if (handles_of(file) == 0)
        end_of_file(number);
}

static void duplicate_file(UINT32 number, UINT32 process)
{
    struct file *file = &files[number];
    if (!file->lab)
        return;
    lab_duplicate(file->lab, processes[process].lab);
    file->handles[process]++;
}

static void kill_process(UINT32 number)
{
    struct process *process = &processes[number];
    lab_process_kill(process->lab);
    for (UINT32 i = 0; i < ADAPTERS; i++) {
        if (adapters[i].ring.process == number)
            adapters[i].ring.header = NULL;
    }
    process->ring_handles = 0;
    for (UINT32 i = 0; i < FILES; i++) {
        int had = files[i].lab && files[i].handles[number] > 0;
        files[i].handles[number] = 0;
        if (had && handles_of(&files[i]) == 0)
            end_of_file(i);
    }
    process->lab = lab_process_start();
}

/* ---- Controls ---- */

static INT32 control(const struct file *file, UINT32 process, UINT32 code, void *out, UINT32 bytes, int from)
{
    UINT64 returned = UINT64_MAX;
    INT32 status = lab_ioctl(file->lab, processes[process].lab, code, NULL, 0, out, bytes, &returned, from);
    CHECK(returned == (status == STATUS_SUCCESS ? bytes : 0));
    return status;
}

/* The process has a handle of the file: else the request does not even reach the driver. */
static int may_ask(const struct file *file, UINT32 process)
{
    return file->lab && file->handles[process] > 0;
}

static void enable(UINT32 number, UINT32 process, int from)
{
    const struct file *file = &files[number];
    struct adapter *adapter = adapter_of(file);
    AVB_PTP_MONITORING given;
    INT32 expected = STATUS_SUCCESS;
    if (!adapter)
        expected = STATUS_DEVICE_DOES_NOT_EXIST;
    else if (from != 0)
        expected = STATUS_INVALID_DEVICE_REQUEST;
    else if (adapter->owner != NOBODY)
        expected = STATUS_DEVICE_BUSY;
    INT32 status = control(file, process, IOCTL_AVB_ENABLE_PTP_MONITORING, &given, sizeof given, from);
    if (!came_as(status, expected) || status != STATUS_SUCCESS)
        return;
    adapter->owner = (int)number;
    adapter->owner_process = lab_process_id(processes[process].lab);
    adapter->seen = 0;
    adapter->ring = (struct ring){.process = process, .given = given};
    processes[process].ring_handles += 3;
    map_ring(adapter);
}

static void disable(UINT32 number, UINT32 process)
{
    struct adapter *adapter = adapter_of(&files[number]);
    INT32 expected = !adapter                        ? STATUS_DEVICE_DOES_NOT_EXIST
                     : adapter->owner != (int)number ? STATUS_ACCESS_DENIED
                                                     : STATUS_SUCCESS;
    CHECK(control(&files[number], process, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0, 0) == expected);
    if (expected == STATUS_SUCCESS)
        end_of_ring(adapter);
}

static void check_statistics(const struct adapter *adapter, const AVB_PTP_MONITOR_STATS *stats)
{
    CHECK(stats->enabled == (adapter->owner != NOBODY));
    CHECK(stats->owner_process == (adapter->owner == NOBODY ? 0 : adapter->owner_process));
    CHECK(stats->frames_seen == adapter->seen);
    CHECK(stats->frames_seen == stats->frames_emitted + stats->frames_dropped);
    CHECK(stats->stamps_seen == stats->stamps_emitted + stats->stamps_dropped);
    CHECK(stats->events_emitted == stats->frames_emitted + stats->stamps_emitted);
    CHECK(stats->events_dropped == stats->frames_dropped + stats->stamps_dropped);
    CHECK(stats->events_dropped == stats->dropped_full + stats->dropped_contention);
    CHECK(is_capacity(adapter, stats->buffer_size) && stats->high_water <= stats->buffer_size);
}

static void statistics(UINT32 number, UINT32 process)
{
    const struct adapter *adapter = adapter_of(&files[number]);
    AVB_PTP_MONITOR_STATS stats;
    INT32 status = control(&files[number], process, IOCTL_AVB_GET_PTP_MONITOR_STATS, &stats, sizeof stats, 0);
    CHECK(status == (adapter ? STATUS_SUCCESS : STATUS_DEVICE_DOES_NOT_EXIST));
    if (adapter)
        check_statistics(adapter, &stats);
}

static void clocks(UINT32 number, UINT32 process)
{
    PTP_CLOCKS_RECORD record;
    INT32 status = control(&files[number], process, IOCTL_AVB_GET_PTP_CLOCKS, &record, sizeof record, 0);
    CHECK(status == (adapter_of(&files[number]) ? STATUS_SUCCESS : STATUS_DEVICE_DOES_NOT_EXIST));
    CHECK(status != STATUS_SUCCESS || (record.direction == AVB_DIRECTION_CLOCKS && record.realtime_ns > 0));
}

/* A code that is none, or sizes that are wrong: refused, whatever else is so. */
static void odd(UINT32 number, UINT32 process, UINT32 which)
{
    static const UINT32 codes[] = {IOCTL_AVB_ENABLE_PTP_MONITORING, IOCTL_AVB_DISABLE_PTP_MONITORING,
                                   IOCTL_AVB_GET_PTP_MONITOR_STATS, IOCTL_AVB_GET_PTP_CLOCKS};
    static const UINT32 sizes[] = {sizeof(AVB_PTP_MONITORING), 0, sizeof(AVB_PTP_MONITOR_STATS),
                                   sizeof(PTP_CLOCKS_RECORD)};
    UINT8 in[64] = {0}, out[512];
    UINT32 code = codes[which & 3], input = which >> 2 & 7, output = sizes[which & 3];
    INT32 expected = STATUS_INVALID_PARAMETER;
    if (which & 0x80) {
        code ^= 1u << (which >> 2 & 31);
        input = 0;
        expected = STATUS_INVALID_DEVICE_REQUEST;
    } else if (input == 0) {
        output += 1 + (which >> 5);
    }
    UINT64 returned;
    CHECK(lab_ioctl(files[number].lab, processes[process].lab, code, in, input * 9, out, output, &returned, 0) ==
          expected);
    CHECK(returned == 0);
}

/* ---- NDIS and the network ---- */

static void attach(UINT32 number)
{
    struct adapter *adapter = &adapters[number];
    struct lab_adapter_config config = {.net_luid = 77 + number,
                                        .if_index = number + 1,
                                        .cross_timestamp = 1,
                                        .keywords = LAB_KEYWORD_RING_CAPACITY,
                                        .ring_capacity = CAPACITY};
    if (adapter->lab)
        return;
    snprintf(config.guid, sizeof config.guid, "{F0000000-0000-0000-0000-00000000000%u}", (unsigned)number);
    if (!came_as(lab_attach(&config, &adapter->lab), 0))
        CHECK(!adapter->lab);
    if (!adapter->lab)
        return;
    adapter->attachments++;
    adapter->attached_in_need = may_fail;
    adapter->runs = 0;
    adapter->owner = NOBODY;
    adapter->seen = 0;
}

static void detach(UINT32 number)
{
    struct adapter *adapter = &adapters[number];
    if (!adapter->lab)
        return;
    lab_detach(adapter->lab);
    if (adapter->owner != NOBODY)
        end_of_ring(adapter);
    adapter->lab = NULL;
}

static void run_or_pause(struct adapter *adapter)
{
    if (adapter->runs)
        lab_pause(adapter->lab);
    else
        CHECK(lab_restart(adapter->lab) == 0);
    adapter->runs = !adapter->runs;
}

static void pass(struct adapter *adapter, UINT32 count, UINT32 how, int received)
{
    struct test_frame bytes[BURST];
    struct lab_frame frames[BURST] = {{0}};
    struct lab_list lists[BURST] = {{0}};
    count = 1 + count % BURST;
    for (UINT32 i = 0; i < count; i++) {
        bytes[i].length = 0;
        put_addresses(&bytes[i], i);
        put_be16(&bytes[i], 0x88F7);
        put_sync(&bytes[i], i);
        frames[i] = (struct lab_frame){.bytes = bytes[i].bytes, .length = bytes[i].length};
        lists[i] = (struct lab_list){.count = 1, .timestamp = how & 4 ? 1000 + i : 0};
    }
    struct lab_chain chain = {
        .lists = lists, .list_count = count, .frames = frames, .dispatch = how & 1, .resources = received && (how & 2)};
    INT32 reached = received ? lab_receive(adapter->lab, &chain) : lab_send(adapter->lab, &chain);
    CHECK(reached == (adapter->runs ? (INT32)count : -1));
    if (adapter->runs && adapter->owner != NOBODY)
        adapter->seen += count;
}

static void lie(struct adapter *adapter, UINT32 which)
{
    struct ring *ring = &adapter->ring;
    if (adapter->owner == NOBODY || !ring->header)
        return;
    const UINT64 head = ring->header->head;
    const UINT64 positions[] = {0,          head + 1,   head - 1, head + CAPACITY, head - CAPACITY - 1,
                                UINT64_MAX, 1ull << 63, head};
    __atomic_store_n(&ring->consumer->tail, positions[which % 8], __ATOMIC_RELEASE);
    __atomic_store_n(&ring->consumer->wake, which, __ATOMIC_RELEASE);
    ring->lied = 1;
}

static void configure(const struct adapter *adapter, UINT32 low, UINT32 high)
{
    static const UINT64 frequencies[] = {1000000000, 0, 125000000, UINT64_MAX};
    lab_set_timestamp_config(adapter->lab, frequencies[high >> 6], (high & 0x3F) << 8 | low);
}

static void ask(const struct adapter *adapter, UINT32 which, UINT32 how)
{
    static const UINT32 oids[] = {0x00010107, 0x0001010E, 0xFF000000, 0xFF000001};
    static const INT32 answers[] = {0, 0, (INT32)0xC00000BB, (INT32)0xC0010014};
    INT32 expected = how % 3 == 2 ? (INT32)0xC001000C : answers[which % 4];
    came_as(lab_oid_from_above(adapter->lab, oids[which % 4], (int)(how % 3)), expected);
}

static void switch_power(const struct adapter *adapter)
{
    lab_set_power(adapter->lab, 0);
    lab_set_power(adapter->lab, 1);
    if (may_fail) { /* and so the waking: it is asked again */
        nt_lab_fail_nth(0);
        lab_set_power(adapter->lab, 1);
    }
}

/* ---- Steps ---- */

static void step_of_file(const uint8_t *step)
{
    UINT32 file = step[1] % FILES, process = step[2] % PROCESSES;
    if (step[0] % IOCTL_OPERATIONS >= IOCTL_ENABLE && !may_ask(&files[file], process))
        return;
    switch (step[0] % IOCTL_OPERATIONS) {
    case IOCTL_OPEN:
        open_file(file, process, step[3]);
        break;
    case IOCTL_CLOSE:
        close_file(file, process);
        break;
    case IOCTL_DUPLICATE:
        duplicate_file(file, process);
        break;
    case IOCTL_ENABLE:
        enable(file, process, step[3] % 3);
        break;
    case IOCTL_DISABLE:
        disable(file, process);
        break;
    case IOCTL_STATISTICS:
        statistics(file, process);
        break;
    case IOCTL_CLOCKS:
        clocks(file, process);
        break;
    default:
        odd(file, process, step[3]);
        break;
    }
}

static void step_of_adapter(const uint8_t *step)
{
    struct adapter *adapter = &adapters[step[1] % ADAPTERS];
    if (!adapter->lab)
        return;
    switch (step[0] % IOCTL_OPERATIONS) {
    case IOCTL_RUN:
        run_or_pause(adapter);
        break;
    case IOCTL_RECEIVE:
        pass(adapter, step[2], step[3], 1);
        break;
    case IOCTL_SEND:
        pass(adapter, step[2], step[3], 0);
        break;
    case IOCTL_READ:
        if (adapter->owner != NOBODY)
            drain(&adapter->ring);
        break;
    case IOCTL_LIE:
        lie(adapter, step[2]);
        break;
    case IOCTL_CONFIGURE:
        configure(adapter, step[2], step[3]);
        break;
    case IOCTL_ASK:
        ask(adapter, step[2], step[3]);
        break;
    default:
        switch_power(adapter);
        break;
    }
}

static void run_step(const uint8_t *step)
{
    switch (step[0] % IOCTL_OPERATIONS) {
    case IOCTL_ATTACH:
        attach(step[1] % ADAPTERS);
        break;
    case IOCTL_DETACH:
        detach(step[1] % ADAPTERS);
        break;
    case IOCTL_KILL:
        kill_process(step[1] % PROCESSES);
        break;
    case IOCTL_FAIL:
        nt_lab_fail_nth(1 + step[1] % 32u);
        may_fail = 1;
        return;
    default:
        if (step[0] % IOCTL_OPERATIONS <= IOCTL_ODD)
            step_of_file(step);
        else
            step_of_adapter(step);
        break;
    }
    nt_lab_fail_nth(0);
    may_fail = 0;
}

/* After each step: no process has other handles than those of the rings that it enabled. */
static void check_handles(void)
{
    for (UINT32 i = 0; i < PROCESSES; i++)
        CHECK(lab_process_handles(processes[i].lab) == processes[i].ring_handles);
}

/* ---- An input ---- */

static void begin(void)
{
    for (UINT32 i = 0; i < PROCESSES; i++) {
        if (!processes[i].lab)
            processes[i].lab = lab_process_start();
    }
    memset(adapters, 0, sizeof adapters);
    for (UINT32 i = 0; i < ADAPTERS; i++)
        adapters[i].owner = NOBODY;
    CHECK(lab_load() == STATUS_SUCCESS);
}

static void end(void)
{
    struct nt_lab_held held;
    const struct nt_lab_held nothing = {0};
    nt_lab_fail_nth(0);
    may_fail = 0;
    for (UINT32 i = 0; i < FILES; i++) {
        for (UINT32 process = 0; process < PROCESSES; process++) {
            while (files[i].lab && files[i].handles[process] > 0)
                close_file(i, process);
        }
    }
    check_handles();
    lab_unload(); /* detaches */
    nt_lab_held(&held);
    CHECK(memcmp(&held, &nothing, sizeof held) == 0);
    check_breaches();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    size_t steps = size / IOCTL_INPUT_STEP < IOCTL_INPUT_MOST ? size / IOCTL_INPUT_STEP : IOCTL_INPUT_MOST;
    begin();
    for (size_t i = 0; i < steps; i++) {
        run_step(input + i * IOCTL_INPUT_STEP);
        check_handles();
    }
    end();
    return 0;
}
