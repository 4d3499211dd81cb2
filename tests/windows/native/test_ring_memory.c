/* SPDX-License-Identifier: MIT */
/*
 * The shared ring as the process has it: which rights its handles grant and that none can be had beyond, fresh memory
 * for each enable, what the process may do to its half of it, and the event that wakes the reader.
 */
#include "control_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* READ_CONTROL is not among them: whoever owns an object may look at its access list. */
static const UINT32 rights_of_sections[] = {
    SECTION_QUERY, SECTION_MAP_WRITE, SECTION_MAP_READ, SECTION_MAP_EXECUTE, SECTION_EXTEND_SIZE, DELETE,
    WRITE_OWNER,   WRITE_DAC,         SYNCHRONIZE,      GENERIC_ALL,         MAXIMUM_ALLOWED};
static const UINT32 rights_of_events[] = {EVENT_QUERY_STATE, EVENT_MODIFY_STATE, DELETE,      WRITE_OWNER,
                                          WRITE_DAC,         SYNCHRONIZE,        GENERIC_ALL, MAXIMUM_ALLOWED};

/* ---- Handles ---- */

static void test_handles_grant_what_is_needed(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    assert_int_equal(lab_process_handles(client.process), 3);
    assert_int_equal(lab_handle_access(client.process, client.given.SharedMemoryHandle), SECTION_MAP_READ);
    assert_int_equal(lab_handle_access(client.process, client.given.consumer_handle),
                     SECTION_MAP_READ | SECTION_MAP_WRITE);
    assert_int_equal(lab_handle_access(client.process, client.given.wake_event), SYNCHRONIZE);
    assert_false(lab_handle_inheritable(client.process, client.given.SharedMemoryHandle));
    assert_false(lab_handle_inheritable(client.process, client.given.consumer_handle));
    assert_false(lab_handle_inheritable(client.process, client.given.wake_event));
    struct nt_lab_held held;
    nt_lab_held(&held);
    assert_int_equal(held.handles, 0); /* the driver itself keeps none */
    kit_stop(&client);
    assert_int_equal(lab_process_handles(client.process), 0);
    lab_detach(adapter);
}

/* DuplicateHandle() gives, of all rights, those that the handle has; and a look at the list, to the owner. */
static void grants_no_more(lab_process *process, UINT64 handle, UINT32 granted, const UINT32 *rights, size_t count)
{
    granted |= READ_CONTROL;
    for (size_t i = 0; i < count; i++) {
        UINT64 copy = lab_duplicate_handle(process, handle, rights[i]);
        assert_int_equal(copy != 0, (rights[i] & ~granted) == 0);
        if (copy)
            assert_true(lab_close_handle(process, copy));
        assert_int_equal(lab_duplicate_handle(process, handle, granted | rights[i]) != 0, (rights[i] & ~granted) == 0);
    }
}

static void test_handles_cannot_be_widened(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    UINT64 bytes;
    kit_open_and_start(&client, 1);
    const AVB_PTP_MONITORING *given = &client.given;
    grants_no_more(client.process, given->SharedMemoryHandle, SECTION_MAP_READ, rights_of_sections,
                   LENGTH(rights_of_sections));
    grants_no_more(client.process, given->consumer_handle, SECTION_MAP_READ | SECTION_MAP_WRITE, rights_of_sections,
                   LENGTH(rights_of_sections));
    grants_no_more(client.process, given->wake_event, SYNCHRONIZE, rights_of_events, LENGTH(rights_of_events));
    assert_null(lab_map(client.process, given->SharedMemoryHandle, 1, &bytes)); /* no writable view */
    UINT64 copy = lab_duplicate_handle(client.process, given->SharedMemoryHandle, SECTION_MAP_READ);
    assert_null(lab_map(client.process, copy, 1, &bytes));
    assert_non_null(lab_map(client.process, copy, 0, &bytes));
    assert_null(lab_map(client.process, given->wake_event, 0, &bytes));
    assert_false(lab_wait(client.process, given->SharedMemoryHandle, 0));
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- Handles that are taken back ---- */

/* What the process does with what it has been given when one more of its handles cannot be had. */
enum meddling { LEAVES_ALONE, CLOSES_FIRST, CLOSES_LAST, CLOSES_ALL, PROTECTS_FIRST, PROTECTS_ALL, MEDDLINGS };

static struct {
    lab_process *process; /* NULL: every call is the kernel's own */
    enum meddling meddling;
    UINT32 fails; /* which of the calls, 0... */
    UINT32 calls;
    UINT64 given[3];
} gift;

static void *meddle(void *context)
{
    (void)context;
    for (UINT32 i = 0; i < gift.fails; i++) {
        int first = i == 0, last = i + 1 == gift.fails;
        enum meddling what = gift.meddling;
        if (what == CLOSES_ALL || (what == CLOSES_FIRST && first) || (what == CLOSES_LAST && last))
            assert_true(lab_close_handle(gift.process, gift.given[i]));
        if (what == PROTECTS_ALL || (what == PROTECTS_FIRST && first))
            assert_true(lab_protect_handle(gift.process, gift.given[i], 1));
    }
    return NULL;
}

NTSTATUS __real_ZwDuplicateObject(HANDLE from, HANDLE handle, HANDLE to, PHANDLE given, ACCESS_MASK access,
                                  ULONG attributes, ULONG options);
NTSTATUS __wrap_ZwDuplicateObject(HANDLE from, HANDLE handle, HANDLE to, PHANDLE given, ACCESS_MASK access,
                                  ULONG attributes, ULONG options);
NTSTATUS __wrap_ZwDuplicateObject(HANDLE from, HANDLE handle, HANDLE to, PHANDLE given, ACCESS_MASK access,
                                  ULONG attributes, ULONG options)
{
    if (gift.process && to && gift.calls == gift.fails) {
        pthread_t thread; /* another one of the process */
        assert_int_equal(pthread_create(&thread, NULL, meddle, NULL), 0);
        pthread_join(thread, NULL);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = __real_ZwDuplicateObject(from, handle, to, given, access, attributes, options);
    if (gift.process && to)
        gift.given[gift.calls++] = (UINT64)(ULONG_PTR)*given;
    return status;
}

/* What it has protected stays its own; all else is taken back. */
static INT64 left_over(void)
{
    return gift.meddling == PROTECTS_ALL ? gift.fails : gift.meddling == PROTECTS_FIRST && gift.fails > 0 ? 1 : 0;
}

static void test_what_was_given_is_taken_back(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    for (UINT32 i = 0; i < 3 * MEDDLINGS; i++) {
        struct kit_client client;
        AVB_PTP_MONITORING given;
        kit_open(&client, 1);
        gift.process = client.process;
        gift.meddling = i % MEDDLINGS;
        gift.fails = i / MEDDLINGS;
        gift.calls = 0;
        assert_int_equal(kit_enable(client.file, client.process, &given), STATUS_INSUFFICIENT_RESOURCES);
        gift.process = NULL;
        assert_int_equal(lab_process_handles(client.process), left_over());
        assert_int_equal(kit_stats(&client).enabled, 0);
        kit_start(&client);
        assert_true(kit_receive_one(adapter, i));
        assert_int_equal(kit_drain(&client), 1);
        kit_no_breach();
        kit_kill(&client);
    }
    lab_detach(adapter);
}

struct closer {
    lab_process *process;
    UINT64 handles[3]; /* numbers come again at once */
    UINT64 closed, over;
};

static void *close_again_and_again(void *context)
{
    struct closer *closer = context;
    for (UINT32 i = 0; !__atomic_load_n(&closer->over, __ATOMIC_RELAXED); i = (i + 1) % 3)
        closer->closed += lab_close_handle(closer->process, closer->handles[i]) ? 1 : 0;
    return NULL;
}

/* Whichever call fails, and whenever the process closes what it may not even know of yet. */
static void test_a_process_that_closes_all_the_time(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    struct closer closer = {
        .process = client.process,
        .handles = {client.given.SharedMemoryHandle, client.given.consumer_handle, client.given.wake_event}};
    kit_stop(&client);
    pthread_t thread;
    UINT32 failed = 0;
    assert_int_equal(pthread_create(&thread, NULL, close_again_and_again, &closer), 0);
    for (UINT32 turn = 0; turn < 20; turn++) {
        UINT64 n = 0, calls;
        do {
            AVB_PTP_MONITORING given;
            nt_lab_fail_nth(++n);
            INT32 status = kit_enable(client.file, client.process, &given);
            calls = nt_lab_fail_nth(0);
            failed += status != STATUS_SUCCESS;
            if (status == STATUS_SUCCESS)
                assert_int_equal(kit_disable(client.file, client.process), STATUS_SUCCESS);
        } while (calls >= n);
    }
    __atomic_store_n(&closer.over, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_true(failed > 200);
    assert_true(closer.closed > 0);
    kit_no_breach();
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- Memory ---- */

static int is_zero(const void *memory, size_t bytes)
{
    const UINT8 *byte = memory;
    for (size_t i = 0; i < bytes; i++) {
        if (byte[i] != 0)
            return 0;
    }
    return 1;
}

static void check_fresh(const struct kit_client *client)
{
    AVB_RING_HEADER expected = {.magic = AVB_RING_MAGIC,
                                .abi_version = AVB_RING_ABI_VERSION,
                                .header_bytes = AVB_RING_PAGE,
                                .event_bytes = sizeof(PTP_TIMESTAMP_EVENT),
                                .capacity = AVB_RING_DEFAULT_CAPACITY,
                                .data_offset = AVB_RING_PAGE,
                                .system_clock_hz = 10000000};
    assert_memory_equal(client->header, &expected, sizeof expected);
    assert_true(is_zero(client->header + 1, client->given.ring_bytes - sizeof *client->header));
    assert_true(is_zero(client->consumer, client->given.consumer_bytes));
    assert_int_equal(client->given.ring_bytes, AvbRingBytes(AVB_RING_DEFAULT_CAPACITY));
    assert_int_equal(client->given.consumer_bytes, sizeof(AVB_RING_CONSUMER));
}

/* Full of records, then left for another: nothing of one is in the next, and what was mapped stays as it was. */
static void test_each_enable_is_fresh(void **state)
{
    (void)state;
    enum { TURNS = 8 };
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    const AVB_RING_HEADER *old[TURNS];
    kit_open(&client, 1);
    for (UINT32 turn = 0; turn < TURNS; turn++) {
        kit_start(&client);
        check_fresh(&client);
        for (UINT32 i = 0; i <= turn; i++)
            assert_true(kit_receive_one(adapter, 1000 * turn + i));
        memset(client.consumer, 0xEE, sizeof *client.consumer); /* garbage of one is not the next's */
        old[turn] = client.header;
        assert_int_equal(kit_disable(client.file, client.process), STATUS_SUCCESS);
        for (UINT32 before = 0; before <= turn; before++) {
            const PTP_TIMESTAMP_EVENT *events = (const PTP_TIMESTAMP_EVENT *)(const void *)(old[before] + 1);
            assert_int_equal(old[before]->head, before + 1);
            assert_int_equal(events[before].sequenceId, (UINT16)(1000 * before + before));
            assert_int_equal(events[before + 1].sequence, 0);
        }
    }
    assert_int_equal(lab_process_handles(client.process), 3 * TURNS);
    kit_kill(&client);
    lab_detach(adapter);
}

/* The driver's own mapping does not depend on what the process does with its handles and views. */
static void test_process_may_drop_everything(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    assert_true(kit_receive_one(adapter, 1));
    kit_forget_ring(&client);
    for (UINT32 i = 0; i < 5000; i++)
        assert_true(kit_receive_one(adapter, i));
    AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
    assert_int_equal(stats.events_emitted, AVB_RING_DEFAULT_CAPACITY);
    assert_int_equal(stats.frames_seen, 5001);
    kit_accounts_balance(&stats);
    assert_int_equal(kit_disable(client.file, client.process), STATUS_SUCCESS);
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- Whatever is written to section 2 ---- */

static UINT64 odd_position(struct random *random, const AVB_RING_HEADER *header)
{
    UINT64 head = header->head;
    switch (random_below(random, 6)) {
    case 0:
        return random_next(random);
    case 1:
        return head + random_below(random, 10000);
    case 2:
        return head - random_below(random, 10000);
    case 3:
        return header->limit + random_below(random, 100) - 50;
    case 4:
        return UINT64_MAX - random_below(random, 3);
    default:
        return head;
    }
}

static void test_lying_reader_harms_itself_only(void **state)
{
    (void)state;
    struct random random = {.state = 4};
    struct lab_adapter_config config = kit_config(1);
    config.keywords = LAB_KEYWORD_RING_CAPACITY;
    config.ring_capacity = 64;
    lab_adapter *adapter = kit_attach_paused(&config);
    assert_int_equal(lab_restart(adapter), 0);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    UINT64 frames = 0;
    struct kit_burst burst;
    for (UINT32 turn = 0; turn < 4000; turn++) {
        UINT32 count = (UINT32)random_between(&random, 1, KIT_BURST);
        kit_burst_init(&burst, count, turn);
        assert_int_equal(lab_receive(adapter, &burst.chain), count);
        frames += count;
        __atomic_store_n(&client.consumer->tail, odd_position(&random, client.header), __ATOMIC_RELEASE);
        __atomic_store_n(&client.consumer->wake, random_next(&random), __ATOMIC_RELEASE);
        AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
        assert_int_equal(stats.frames_seen, frames);
        assert_true(stats.high_water <= 64);
        kit_accounts_balance(&stats);
    }
    assert_true(kit_stats(&client).bad_consumer_position > 0);
    /* A new reader that is honest finds its place. */
    assert_true(AvbRingReaderInit(&client.reader, client.header, client.given.ring_bytes, client.consumer));
    for (UINT32 turn = 0; turn < 4; turn++)
        kit_drain(&client);
    assert_true(kit_receive_one(adapter, 1));
    assert_int_equal(kit_drain(&client), 1);
    kit_kill(&client);
    lab_detach(adapter);
}

/* ---- Waking ---- */

static void test_wakes_who_asked_for_it(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    assert_true(kit_receive_one(adapter, 1));
    assert_false(lab_wait(client.process, client.given.wake_event, 20)); /* nobody asked */
    assert_false(AvbRingMaySleep(&client.reader));                       /* there is one */
    assert_true(lab_wait(client.process, client.given.wake_event, 20000));
    AvbRingAwake(&client.reader);
    assert_int_equal(kit_drain(&client), 1);
    while (lab_wait(client.process, client.given.wake_event, 20)) /* one may have been under way; it resets itself */
        ;
    assert_true(AvbRingMaySleep(&client.reader));
    assert_false(lab_wait(client.process, client.given.wake_event, 20)); /* nothing came */
    assert_true(kit_receive_one(adapter, 2));
    assert_true(lab_wait(client.process, client.given.wake_event, 20000));
    kit_kill(&client);
    lab_detach(adapter);
}

struct sleeper {
    struct kit_client *client;
    UINT64 wanted, read, sleeps, overslept; /* the last: woken by nobody for seconds */
};

static void *read_all(void *context)
{
    struct sleeper *sleeper = context;
    AVB_RING_READER *reader = &sleeper->client->reader;
    while (sleeper->read < sleeper->wanted && sleeper->overslept == 0) {
        const PTP_TIMESTAMP_EVENT *first;
        UINT64 count = AvbRingPeek(reader, &first);
        if (count > 0) {
            AvbRingRelease(reader, count);
            sleeper->read += count;
        } else if (AvbRingMaySleep(reader)) {
            sleeper->sleeps++;
            sleeper->overslept += !lab_wait(sleeper->client->process, sleeper->client->given.wake_event, 10000);
        }
        AvbRingAwake(reader);
    }
    return NULL;
}

/* The reader sleeps whenever it may, and polls never: one lost wake-up and it does not end. */
static void test_no_wake_is_lost(void **state)
{
    (void)state;
    enum { FRAMES = 300 };
    struct random random = {.state = 9};
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open_and_start(&client, 1);
    struct sleeper sleeper = {.client = &client, .wanted = FRAMES};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_all, &sleeper), 0);
    for (UINT32 i = 0; i < FRAMES; i++) {
        assert_true(kit_receive_one(adapter, i));
        /* Now while it falls asleep, now while it sleeps, now while it is being woken. */
        struct timespec pause = {.tv_nsec = (long)random_below(&random, 6000000)};
        if (random_chance(&random, 70))
            nanosleep(&pause, NULL);
    }
    pthread_join(thread, NULL);
    assert_int_equal(sleeper.overslept, 0);
    assert_int_equal(sleeper.read, FRAMES);
    assert_true(sleeper.sleeps > 20);
    assert_int_equal(kit_stats(&client).bad_consumer_position, 0);
    kit_kill(&client);
    lab_detach(adapter);
}

static void *sleep_until_the_end(void *context)
{
    struct kit_client *client = context;
    int woken = AvbRingMaySleep(&client->reader) && lab_wait(client->process, client->given.wake_event, 20000);
    return woken ? client : NULL;
}

static void test_disabling_wakes_the_reader(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    struct kit_client client;
    kit_open(&client, 1);
    for (UINT32 turn = 0; turn < 10; turn++) {
        pthread_t thread;
        void *woken;
        kit_start(&client);
        assert_int_equal(pthread_create(&thread, NULL, sleep_until_the_end, &client), 0);
        while (turn % 2 && !__atomic_load_n(&client.consumer->wake, __ATOMIC_ACQUIRE))
            ;
        assert_int_equal(kit_disable(client.file, client.process), STATUS_SUCCESS);
        pthread_join(thread, &woken);
        assert_non_null(woken);
        kit_forget_ring(&client);
    }
    lab_detach(adapter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handles_grant_what_is_needed, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_handles_cannot_be_widened, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_given_is_taken_back, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_process_that_closes_all_the_time, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_each_enable_is_fresh, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_process_may_drop_everything, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_lying_reader_harms_itself_only, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_wakes_who_asked_for_it, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_no_wake_is_lost, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_disabling_wakes_the_reader, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests_name("ring memory", tests, NULL, NULL);
}
