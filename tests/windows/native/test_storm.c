/* SPDX-License-Identifier: MIT */
/*
 * Everything at once: frames in both directions from several threads, while others pause, detach, reconfigure,
 * enable, read, look and kill. How much of each is fixed, not how long; what each thread does comes from its seed.
 * The NDIS double watches every list and the kernel double every rule; here the accounts must come out even.
 *
 * Other threads than cmocka's may not fail a test: what they find is noted as a breach, which ends it.
 */
#include "control_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition) ((condition) ? (void)0 : nt_lab_breach("the storm: " #condition))

#define MOST_FRAMES 24u
#define ALL_FLAGS   0x3FFFu

/* ---- What the threads share ---- */

struct storm {
    UINT64 adapter; /* lab_adapter *; 0: it is detached at this moment */
    UINT64 victim;  /* lab_process * that may be killed; 0: none */
    UINT64 calm;    /* all is done but the traffic, which may end */
    UINT64 ended;   /* the traffic too */
    UINT64 passed;  /* PTP frames that the filter passed on */
    UINT64 rings;   /* that were enabled */
    UINT64 read;    /* records read from them */
    struct lab_adapter_config config;
};

struct worker {
    struct storm *storm;
    void (*body)(struct worker *worker);
    UINT32 turns;
    struct random random;
    pthread_t thread;
};

static UINT64 get(const UINT64 *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void put_word(UINT64 *word, UINT64 value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void add(UINT64 *word, UINT64 value)
{
    __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

static lab_adapter *adapter_of(const struct storm *storm)
{
    return (lab_adapter *)(uintptr_t)get(&storm->adapter);
}

static void rest(struct random *random, UINT32 most_us)
{
    struct timespec time = {.tv_nsec = (long)random_below(random, most_us) * 1000};
    nanosleep(&time, NULL);
}

static void *run_worker(void *worker)
{
    ((struct worker *)worker)->body(worker);
    return NULL;
}

/* ---- Traffic ---- */

struct gust {
    struct test_frame bytes[MOST_FRAMES];
    struct lab_frame frames[MOST_FRAMES];
    struct lab_list lists[MOST_FRAMES];
    struct lab_chain chain;
    UINT32 ptp;
};

/* A Sync, or a frame that is nearly one. */
static int random_frame(struct random *random, struct test_frame *frame, struct lab_frame *of)
{
    int is_ptp = random_chance(random, 70);
    frame->length = 0;
    put_addresses(frame, 0x0A0B0C0D);
    if (random_chance(random, 30))
        put_tag(frame, 0x8100, 0x6005);
    put_be16(frame, is_ptp ? 0x88F7 : 0x0800);
    put_sync(frame, (unsigned)random_below(random, 65536));
    put_zeros(frame, 4);
    *of = (struct lab_frame){.bytes = frame->bytes, .length = frame->length};
    of->pieces = (UINT32)random_between(random, 1, 4);
    for (UINT32 i = 0; i + 1 < of->pieces; i++)
        of->piece_length[i] = (UINT16)random_below(random, 20);
    return is_ptp;
}

static UINT64 random_stamp(struct random *random)
{
    return random_chance(random, 30) ? 0 : random_next(random) >> random_below(random, 64);
}

static void random_gust(struct random *random, struct gust *gust, int received)
{
    UINT32 frames = 0, lists = 0;
    gust->ptp = 0;
    while (frames < MOST_FRAMES && (lists == 0 || random_chance(random, 85))) {
        struct lab_list *list = &gust->lists[lists++];
        UINT32 most = received ? 1 : MOST_FRAMES - frames;
        *list = (struct lab_list){.count = 1 + (UINT32)random_below(random, most < 3 ? most : 3),
                                  .timestamp = random_stamp(random),
                                  .stale = received ? 0 : random_stamp(random),
                                  .status = random_chance(random, 90) ? 0 : STATUS_UNSUCCESSFUL};
        for (UINT32 i = 0; i < list->count; i++, frames++)
            gust->ptp += (UINT32)random_frame(random, &gust->bytes[frames], &gust->frames[frames]);
    }
    gust->chain = (struct lab_chain){.lists = gust->lists,
                                     .list_count = lists,
                                     .frames = gust->frames,
                                     .dispatch = random_chance(random, 50),
                                     .resources = received && random_chance(random, 30),
                                     .split = (UINT32)(random_chance(random, 15) ? random_between(random, 1, 3) : 0)};
}

/* So many turns at least, and until the others are done. */
static void make_traffic(struct worker *worker)
{
    struct gust *gust = malloc(sizeof *gust);
    if (!gust)
        abort();
    for (UINT32 turn = 0; turn < worker->turns || !get(&worker->storm->calm); turn++) {
        lab_adapter *adapter = adapter_of(worker->storm);
        int received = random_chance(&worker->random, 50);
        if (!adapter) {
            rest(&worker->random, 20);
            continue;
        }
        random_gust(&worker->random, gust, received);
        INT32 reached = received ? lab_receive(adapter, &gust->chain) : lab_send(adapter, &gust->chain);
        REQUIRE(reached == -1 || reached == (INT32)gust->chain.list_count || (reached == 0 && !received));
        if (reached > 0)
            add(&worker->storm->passed, gust->ptp);
    }
    free(gust);
}

/* ---- Who disturbs the adapter ---- */

static void pause_and_restart(struct worker *worker)
{
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_adapter *adapter = adapter_of(worker->storm);
        lab_pause(adapter);
        rest(&worker->random, 30);
        REQUIRE(lab_restart(adapter) == 0);
        rest(&worker->random, 200);
    }
}

static void switch_power(struct worker *worker)
{
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_adapter *adapter = adapter_of(worker->storm);
        lab_set_power(adapter, 0);
        rest(&worker->random, 50);
        lab_set_power(adapter, 1);
        rest(&worker->random, 300);
    }
}

/* NDIS stops those who hand frames to the adapter before it lets go of it: here they find no adapter. */
static void detach_and_attach(struct worker *worker)
{
    struct storm *storm = worker->storm;
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_adapter *adapter = adapter_of(storm);
        rest(&worker->random, 500);
        put_word(&storm->adapter, 0);
        if (random_chance(&worker->random, 50))
            lab_pause(adapter);
        lab_detach(adapter);
        rest(&worker->random, 100);
        REQUIRE(lab_attach(&storm->config, &adapter) == 0);
        REQUIRE(lab_restart(adapter) == 0);
        put_word(&storm->adapter, (uintptr_t)adapter);
    }
}

static void reconfigure(struct worker *worker)
{
    static const UINT64 frequencies[] = {0, 1, 25000000, 125000000, 1000000000, 1ull << 34, UINT64_MAX};
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_adapter *adapter = adapter_of(worker->storm);
        UINT64 frequency = frequencies[random_below(&worker->random, sizeof frequencies / sizeof *frequencies)];
        UINT32 flags = (UINT32)random_next(&worker->random) & ALL_FLAGS;
        if (adapter)
            lab_set_timestamp_config(adapter, frequency, flags);
        rest(&worker->random, 100);
    }
}

static void ask_from_above(struct worker *worker)
{
    static const UINT32 oids[] = {0x00010107, 0x0001010E, 0x00A00002, 0x00A00003, 0xFF000000, 0xFF000001};
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_adapter *adapter = adapter_of(worker->storm);
        UINT32 oid = oids[random_below(&worker->random, sizeof oids / sizeof *oids)];
        if (!adapter)
            continue;
        lab_oid_from_above(adapter, oid, (int)random_below(&worker->random, 3));
        lab_cancel_sends(adapter);
        lab_indicate_status(adapter, 0x40010017, &oid, sizeof oid);
        rest(&worker->random, 100);
    }
}

/* ---- Who monitors ---- */

static int is_expected(INT32 status)
{
    return status == STATUS_SUCCESS || status == STATUS_DEVICE_BUSY || status == STATUS_DEVICE_DOES_NOT_EXIST ||
           status == STATUS_ACCESS_DENIED || status == STATUS_PROCESS_IS_TERMINATING || status == STATUS_INVALID_HANDLE;
}

static UINT64 take_all(AVB_RING_READER *reader)
{
    UINT64 total = 0, count;
    const PTP_TIMESTAMP_EVENT *events;
    while ((count = AvbRingPeek(reader, &events)) > 0) {
        for (UINT64 i = 0; i < count; i++)
            REQUIRE(events[i].version == 2 && events[i].portNumber == 1 && events[i].direction <= AVB_DIRECTION_TX &&
                    events[i].sourceMac[0] == 2 && events[i].sourceMac[5] == 0x0D);
        AvbRingRelease(reader, count);
        total += count;
    }
    return total;
}

static int map_ring(struct kit_client *client)
{
    UINT64 bytes;
    client->header = lab_map(client->process, client->given.SharedMemoryHandle, 0, &bytes);
    client->consumer = lab_map(client->process, client->given.consumer_handle, 1, &bytes);
    REQUIRE(client->header && client->consumer);
    return client->header && client->consumer &&
           AvbRingReaderInit(&client->reader, client->header, client->given.ring_bytes, client->consumer);
}

/* Reads a while, ends it in one way or another, and then has all that was ever emitted. */
static void use_ring(struct worker *worker, struct kit_client *client)
{
    UINT64 read = 0;
    if (!map_ring(client))
        return;
    for (UINT64 i = random_below(&worker->random, 20); i > 0; i--) {
        if (AvbRingMaySleep(&client->reader))
            lab_wait(client->process, client->given.wake_event, 1);
        AvbRingAwake(&client->reader);
        read += take_all(&client->reader);
    }
    if (random_chance(&worker->random, 50))
        REQUIRE(is_expected(kit_disable(client->file, client->process)));
    else
        lab_close(client->file, client->process);
    read += take_all(&client->reader); /* nothing comes any more */
    REQUIRE(read == get(&client->header->head));
    REQUIRE(get(&client->header->bad_consumer_position) == 0);
    add(&worker->storm->rings, 1);
    add(&worker->storm->read, read);
}

static void monitor(struct worker *worker)
{
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        struct kit_client client = {.process = lab_process_start()};
        INT32 status = lab_open(client.process, kit_suffix(1), &client.file);
        REQUIRE(status == STATUS_SUCCESS || status == STATUS_OBJECT_NAME_NOT_FOUND);
        for (UINT32 i = 0; status == STATUS_SUCCESS && i < 20 && !client.header; i++) { /* others own it meanwhile */
            INT32 enabled = kit_enable(client.file, client.process, &client.given);
            REQUIRE(is_expected(enabled));
            if (enabled == STATUS_SUCCESS)
                use_ring(worker, &client);
            else
                rest(&worker->random, 50);
        }
        lab_process_kill(client.process);
        rest(&worker->random, 100);
    }
}

static void look(struct worker *worker)
{
    lab_process *process = lab_process_start();
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_file *file;
        if (lab_open(process, kit_suffix(1), &file) != STATUS_SUCCESS) {
            rest(&worker->random, 50);
            continue;
        }
        for (UINT32 i = 0; i < 5; i++) {
            AVB_PTP_MONITOR_STATS stats;
            PTP_CLOCKS_RECORD clocks;
            INT32 status = kit_statistics(file, process, &stats);
            REQUIRE(is_expected(status));
            if (status == STATUS_SUCCESS) {
                REQUIRE(stats.frames_seen == stats.frames_emitted + stats.frames_dropped);
                REQUIRE(stats.stamps_seen == stats.stamps_emitted + stats.stamps_dropped);
                REQUIRE(stats.enabled <= 1 && (stats.owner_process != 0) == stats.enabled);
            }
            REQUIRE(is_expected(kit_clocks(file, process, &clocks)));
        }
        lab_close(file, process);
    }
    lab_process_kill(process);
}

/* A process that enables and never reads; somebody may kill it at any moment. */
static void be_killed(struct worker *worker)
{
    struct storm *storm = worker->storm;
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_process *process = lab_process_start();
        put_word(&storm->victim, (uintptr_t)process);
        for (UINT32 i = 0; i < 3; i++) {
            lab_file *file;
            AVB_PTP_MONITORING given;
            AVB_PTP_MONITOR_STATS stats;
            if (lab_open(process, kit_suffix(1), &file) != STATUS_SUCCESS)
                continue;
            REQUIRE(is_expected(kit_enable(file, process, &given)));
            rest(&worker->random, 60);
            REQUIRE(is_expected(kit_statistics(file, process, &stats)));
            if (random_chance(&worker->random, 50))
                REQUIRE(is_expected(kit_disable(file, process)));
            if (random_chance(&worker->random, 50))
                lab_close(file, process);
        }
        lab_process_kill(process);
    }
    put_word(&storm->victim, 0);
}

static void kill_others(struct worker *worker)
{
    for (UINT32 turn = 0; turn < worker->turns; turn++) {
        lab_process *process =
            (lab_process *)(uintptr_t)__atomic_exchange_n(&worker->storm->victim, 0, __ATOMIC_ACQ_REL);
        if (process)
            lab_process_kill(process);
        rest(&worker->random, 150);
    }
}

/* ---- Storms ---- */

struct part {
    void (*body)(struct worker *worker);
    UINT32 turns;
};

/* Runs the parts until all are done. A seed of its own for each. */
static void rage(struct storm *storm, const struct part *parts, UINT32 count, uint64_t seed)
{
    struct worker workers[12];
    assert_true(count <= sizeof workers / sizeof *workers);
    for (UINT32 i = 0; i < count; i++) {
        workers[i] = (struct worker){
            .storm = storm, .body = parts[i].body, .turns = parts[i].turns, .random = {.state = seed * 100 + i}};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    }
    for (UINT32 i = 0; i < count; i++) {
        if (workers[i].body != make_traffic)
            pthread_join(workers[i].thread, NULL);
    }
    put_word(&storm->calm, 1);
    for (UINT32 i = 0; i < count; i++) {
        if (workers[i].body == make_traffic)
            pthread_join(workers[i].thread, NULL);
    }
    kit_no_breach();
}

static void begin(struct storm *storm)
{
    *storm = (struct storm){.config = kit_config(1)};
    storm->config.keywords = LAB_KEYWORD_RING_CAPACITY;
    storm->config.ring_capacity = 64; /* often full */
    storm->config.frequency_hz = 1000000000;
    storm->config.timestamp_flags = 1u << 8 | 1u << 9;
    storm->config.cross_timestamp = 1;
    kit_load();
    lab_adapter *adapter = kit_attach_paused(&storm->config);
    assert_int_equal(lab_restart(adapter), 0);
    storm->adapter = (uintptr_t)adapter;
}

/* It works, and nobody owns it. */
static void end(const struct storm *storm)
{
    struct kit_client client;
    kit_open(&client, 1);
    AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
    assert_int_equal(stats.enabled, 0);
    kit_accounts_balance(&stats);
    lab_set_timestamp_config(adapter_of(storm), 0, 0);
    kit_start(&client);
    assert_true(kit_receive_one(adapter_of(storm), 1));
    assert_true(kit_send_one(adapter_of(storm), 2));
    assert_int_equal(kit_drain(&client), 2);
    kit_end_processes();
    kit_unload();
}

/* One reader throughout, so that all that passed is accounted for, to the frame. */
struct constant_reader {
    struct kit_client client;
    struct storm *storm;
    UINT64 read;
};

static void *read_constantly(void *context)
{
    struct constant_reader *constant = context;
    struct kit_client *client = &constant->client;
    while (!get(&constant->storm->ended)) {
        if (AvbRingMaySleep(&client->reader))
            lab_wait(client->process, client->given.wake_event, 5);
        AvbRingAwake(&client->reader);
        constant->read += take_all(&client->reader);
    }
    constant->read += take_all(&client->reader);
    return NULL;
}

static void storm_under_a_reader(const struct part *parts, UINT32 count, uint64_t seed)
{
    struct storm storm;
    begin(&storm);
    struct constant_reader constant = {.storm = &storm};
    pthread_t reader;
    kit_open_and_start(&constant.client, 1);
    assert_int_equal(pthread_create(&reader, NULL, read_constantly, &constant), 0);
    rage(&storm, parts, count, seed);
    put_word(&storm.ended, 1);
    pthread_join(reader, NULL);
    AVB_PTP_MONITOR_STATS stats = kit_stats(&constant.client);
    assert_true(storm.passed > 0);
    assert_int_equal(stats.frames_seen, storm.passed);
    assert_int_equal(stats.events_emitted, constant.read);
    assert_int_equal(stats.bad_consumer_position, 0);
    kit_accounts_balance(&stats);
    kit_kill(&constant.client);
    end(&storm);
}

static void test_pauses_under_traffic(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {make_traffic, 1500},
        {make_traffic, 1500},
        {make_traffic, 1500},
        {pause_and_restart, 200},
    };
    storm_under_a_reader(parts, sizeof parts / sizeof *parts, 1);
}

static void test_power_under_traffic(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {make_traffic, 1500},
        {make_traffic, 1500},
        {switch_power, 100},
        {look, 60},
    };
    storm_under_a_reader(parts, sizeof parts / sizeof *parts, 2);
}

static void test_configurations_under_traffic(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {make_traffic, 1500},  {make_traffic, 1500}, {reconfigure, 400},
        {ask_from_above, 150}, {look, 60},           {pause_and_restart, 60},
    };
    storm_under_a_reader(parts, sizeof parts / sizeof *parts, 3);
}

static void test_owners_under_traffic(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {make_traffic, 1500}, {make_traffic, 1500}, {monitor, 150}, {monitor, 150},
        {be_killed, 100},     {kill_others, 200},   {look, 40},     {pause_and_restart, 60},
    };
    struct storm storm;
    begin(&storm);
    rage(&storm, parts, sizeof parts / sizeof *parts, 4);
    assert_true(storm.rings > 20);
    assert_true(storm.read > 0);
    end(&storm);
}

static void test_detaches_under_traffic(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {make_traffic, 1500}, {make_traffic, 1500}, {detach_and_attach, 150}, {monitor, 150}, {be_killed, 80},
        {kill_others, 150},   {look, 100},          {reconfigure, 150},
    };
    struct storm storm;
    begin(&storm);
    rage(&storm, parts, sizeof parts / sizeof *parts, 5);
    assert_true(storm.rings > 20);
    end(&storm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_pauses_under_traffic, kit_teardown),
        cmocka_unit_test_teardown(test_power_under_traffic, kit_teardown),
        cmocka_unit_test_teardown(test_configurations_under_traffic, kit_teardown),
        cmocka_unit_test_teardown(test_owners_under_traffic, kit_teardown),
        cmocka_unit_test_teardown(test_detaches_under_traffic, kit_teardown),
    };
    return cmocka_run_group_tests_name("storms", tests, NULL, NULL);
}
