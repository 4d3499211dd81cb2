/* SPDX-License-Identifier: MIT */
/*
 * OID requests and status indications: through the NDIS double, and, where it does not make such requests, with an NDIS
 * that this file plays around the driver's handlers.
 */
#include "control_kit.h"

#include "oid.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

#define RX_HARDWARE_ALL (1u << 8)
#define TX_HARDWARE_ALL (1u << 9)

static UINT64 get(const UINT64 *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void put_word(UINT64 *word, UINT64 value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void rest_ms(long milliseconds)
{
    struct timespec time = {.tv_nsec = milliseconds * 1000000};
    nanosleep(&time, NULL);
}

/* ---- NDIS as this file plays it ---- */

NDIS_STATUS __real_NdisFOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request);
NDIS_STATUS __wrap_NdisFOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request);
VOID __real_NdisFOidRequestComplete(NDIS_HANDLE filter, NDIS_OID_REQUEST *request, NDIS_STATUS status);
VOID __wrap_NdisFOidRequestComplete(NDIS_HANDLE filter, NDIS_OID_REQUEST *request, NDIS_STATUS status);
VOID __real_NdisFCancelOidRequest(NDIS_HANDLE filter, PVOID id);
VOID __wrap_NdisFCancelOidRequest(NDIS_HANDLE filter, PVOID id);
NDIS_STATUS __real_NdisAllocateCloneOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request, ULONG tag,
                                               NDIS_OID_REQUEST **clone);
NDIS_STATUS __wrap_NdisAllocateCloneOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request, ULONG tag,
                                               NDIS_OID_REQUEST **clone);
VOID __real_NdisFreeCloneOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *clone);
VOID __wrap_NdisFreeCloneOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *clone);

#define FILTER ((NDIS_HANDLE)(ULONG_PTR)0xF117E5)

/* The request that is under way, and what came of it. */
static struct {
    int on;
    AVB_DEVICE_CONTEXT adapter;
    NDIS_OID_REQUEST original;
    UINT8 buffer[64];

    int no_clone;
    int pends;          /* completed by a thread of its own */
    NDIS_STATUS status; /* from below */
    UINT32 done[4];     /* from below: BytesWritten, BytesRead, BytesNeeded, OutputBufferLength */
    NDIS_OID_REQUEST *clone;
    pthread_t thread;

    UINT32 clones, freed, requests, completions, cancels;
    NDIS_STATUS completed_with;
    PVOID cancelled;
    UINT64 suspended_below, suspended_above; /* registers, when the request came there */
} play;

/* Between a request of the driver's own and its answer: NULL, or what happens then. */
static void (*meanwhile)(lab_adapter *adapter);
static int answer_fails; /* what a request of the driver's own says, whatever is in its buffer */
static UINT64 held_back; /* 1: cross timestamps are not answered; 2: one waits */

NDIS_STATUS __wrap_NdisAllocateCloneOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request, ULONG tag,
                                               NDIS_OID_REQUEST **clone)
{
    if (!play.on)
        return __real_NdisAllocateCloneOidRequest(filter, request, tag, clone);
    assert_ptr_equal(filter, FILTER);
    assert_ptr_equal(request, &play.original);
    if (play.no_clone)
        return NDIS_STATUS_RESOURCES;
    play.clones++;
    *clone = calloc(1, sizeof **clone);
    assert_non_null(*clone);
    **clone = *request;
    (*clone)->RequestId = NULL; /* the filter's to hand on */
    memset((*clone)->SourceReserved, 0, sizeof(*clone)->SourceReserved);
    return NDIS_STATUS_SUCCESS;
}

VOID __wrap_NdisFreeCloneOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *clone)
{
    if (!play.on) {
        __real_NdisFreeCloneOidRequest(filter, clone);
        return;
    }
    play.freed++;
    free(clone);
}

/* The miniport fills in what belongs to this type of request, and noise elsewhere in the clone. */
static void fill_results(NDIS_OID_REQUEST *clone)
{
    switch (clone->RequestType) {
    case NdisRequestMethod:
        clone->DATA.METHOD_INFORMATION.BytesWritten = play.done[0];
        clone->DATA.METHOD_INFORMATION.BytesRead = play.done[1];
        clone->DATA.METHOD_INFORMATION.BytesNeeded = play.done[2];
        clone->DATA.METHOD_INFORMATION.OutputBufferLength = play.done[3];
        break;
    case NdisRequestSetInformation:
        clone->DATA.SET_INFORMATION.BytesRead = play.done[1];
        clone->DATA.SET_INFORMATION.BytesNeeded = play.done[2];
        break;
    default:
        clone->DATA.QUERY_INFORMATION.BytesWritten = play.done[0];
        clone->DATA.QUERY_INFORMATION.BytesNeeded = play.done[2];
        break;
    }
    memset(clone->MiniportReserved, 0xEE, sizeof clone->MiniportReserved);
    memset(clone->NdisReserved, 0xEE, sizeof clone->NdisReserved);
}

static void *complete_later(void *clone)
{
    rest_ms(1);
    fill_results(clone);
    AvbFilterOidRequestComplete(&play.adapter, clone, play.status);
    return NULL;
}

static NDIS_STATUS request_of_clone(NDIS_HANDLE filter, NDIS_OID_REQUEST *clone)
{
    assert_ptr_equal(filter, FILTER);
    assert_ptr_equal(clone->RequestId, play.original.RequestId);
    assert_memory_equal(&clone->DATA, &play.original.DATA, sizeof clone->DATA);
    play.requests++;
    play.clone = clone;
    play.suspended_below = avb_load_acquire(&play.adapter.registers.suspended);
    if (play.pends) {
        assert_int_equal(pthread_create(&play.thread, NULL, complete_later, clone), 0);
        return NDIS_STATUS_PENDING;
    }
    fill_results(clone);
    return play.status;
}

NDIS_STATUS __wrap_NdisFOidRequest(NDIS_HANDLE filter, NDIS_OID_REQUEST *request)
{
    if (play.on)
        return request_of_clone(filter, request);
    NDIS_OID oid = request->DATA.QUERY_INFORMATION.Oid; /* a request that pends may be gone afterwards */
    UINT64 expected = 1;
    if (oid == OID_TIMESTAMP_GET_CROSSTIMESTAMP &&
        __atomic_compare_exchange_n(&held_back, &expected, 2, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        while (get(&held_back) == 2)
            rest_ms(1);
    }
    NDIS_STATUS status = __real_NdisFOidRequest(filter, request);
    if (oid == OID_TIMESTAMP_CURRENT_CONFIG && meanwhile)
        meanwhile(filter); /* the double's handle is the adapter */
    if (oid == OID_TIMESTAMP_CURRENT_CONFIG && answer_fails && status == NDIS_STATUS_SUCCESS)
        return NDIS_STATUS_FAILURE;
    return status;
}

VOID __wrap_NdisFOidRequestComplete(NDIS_HANDLE filter, NDIS_OID_REQUEST *request, NDIS_STATUS status)
{
    if (!play.on) {
        __real_NdisFOidRequestComplete(filter, request, status);
        return;
    }
    if (filter != FILTER || request != &play.original)
        nt_lab_breach("NdisFOidRequestComplete: of something else");
    if (play.freed != play.clones)
        nt_lab_breach("NdisFOidRequestComplete: before the clone was freed");
    play.completions++;
    play.completed_with = status;
    play.suspended_above = avb_load_acquire(&play.adapter.registers.suspended);
}

VOID __wrap_NdisFCancelOidRequest(NDIS_HANDLE filter, PVOID id)
{
    if (!play.on) {
        __real_NdisFCancelOidRequest(filter, id);
        return;
    }
    assert_ptr_equal(filter, FILTER);
    play.cancels++;
    play.cancelled = id;
}

static void play_request(NDIS_REQUEST_TYPE type, UINT32 oid)
{
    memset(&play, 0, sizeof play);
    play.on = 1;
    play.adapter.filter = FILTER;
    play.status = NDIS_STATUS_SUCCESS;
    for (UINT32 i = 0; i < LENGTH(play.done); i++)
        play.done[i] = 11 + i;
    NDIS_OID_REQUEST *request = &play.original;
    memset(request, 0x5A, sizeof *request);
    request->Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    request->Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    request->Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    request->RequestType = type;
    request->RequestId = &play.buffer[1];
    request->DATA.QUERY_INFORMATION.Oid = oid;
    request->DATA.QUERY_INFORMATION.InformationBuffer = play.buffer;
    request->DATA.QUERY_INFORMATION.InformationBufferLength = sizeof play.buffer;
    if (type == NdisRequestMethod)
        request->DATA.METHOD_INFORMATION.OutputBufferLength = sizeof play.buffer;
}

/* The request as it comes back: with what was done below, and otherwise as it went. */
static NDIS_OID_REQUEST with_results(NDIS_OID_REQUEST request)
{
    if (request.RequestType == NdisRequestMethod) {
        request.DATA.METHOD_INFORMATION.BytesWritten = play.done[0];
        request.DATA.METHOD_INFORMATION.BytesRead = play.done[1];
        request.DATA.METHOD_INFORMATION.BytesNeeded = play.done[2];
        request.DATA.METHOD_INFORMATION.OutputBufferLength = play.done[3];
    } else if (request.RequestType == NdisRequestSetInformation) {
        request.DATA.SET_INFORMATION.BytesRead = play.done[1];
        request.DATA.SET_INFORMATION.BytesNeeded = play.done[2];
    } else {
        request.DATA.QUERY_INFORMATION.BytesWritten = play.done[0];
        request.DATA.QUERY_INFORMATION.BytesNeeded = play.done[2];
    }
    return request;
}

/* ---- One by one ---- */

static const NDIS_REQUEST_TYPE types[] = {NdisRequestQueryInformation, NdisRequestSetInformation,
                                          NdisRequestQueryStatistics, NdisRequestMethod};

static void pass_through(void)
{
    NDIS_OID_REQUEST before = play.original;
    NDIS_STATUS returned = AvbFilterOidRequest(&play.adapter, &play.original);
    if (play.pends)
        pthread_join(play.thread, NULL);
    play.on = 0; /* a check that fails ends the test */
    assert_int_equal(play.requests, 1);
    assert_int_equal(play.clones, 1);
    assert_int_equal(play.freed, 1);
    if (returned == NDIS_STATUS_PENDING) {
        assert_int_equal(play.completions, 1);
        assert_int_equal(play.completed_with, play.status);
    } else {
        assert_int_equal(play.completions, 0);
        assert_int_equal(returned, play.status);
    }
    NDIS_OID_REQUEST expected = with_results(before);
    assert_memory_equal(&play.original, &expected, sizeof expected);
}

static void test_results_come_back(void **state)
{
    (void)state;
    static const NDIS_STATUS statuses[] = {NDIS_STATUS_SUCCESS, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_INVALID_LENGTH,
                                           NDIS_STATUS_BUFFER_TOO_SHORT, NDIS_STATUS_REQUEST_ABORTED};
    for (size_t type = 0; type < LENGTH(types); type++) {
        for (size_t i = 0; i < LENGTH(statuses); i++) {
            for (int pends = 0; pends < 2; pends++) {
                play_request(types[type], 0x00010107);
                play.pends = pends;
                play.status = statuses[i];
                pass_through();
            }
        }
    }
    play.on = 0;
    kit_no_breach();
}

static void test_no_clone_is_no_request(void **state)
{
    (void)state;
    for (size_t type = 0; type < LENGTH(types); type++) {
        play_request(types[type], 0x00010107);
        NDIS_OID_REQUEST before = play.original;
        play.no_clone = 1;
        assert_int_equal(AvbFilterOidRequest(&play.adapter, &play.original), NDIS_STATUS_RESOURCES);
        assert_int_equal(play.requests + play.completions + play.freed, 0);
        assert_memory_equal(&play.original, &before, sizeof before);
    }
    play.on = 0;
    kit_no_breach();
}

static void test_cancels_by_the_same_identifier(void **state)
{
    (void)state;
    play_request(NdisRequestQueryInformation, 0x00010107);
    AvbFilterCancelOidRequest(&play.adapter, &play.buffer[1]);
    assert_int_equal(play.cancels, 1);
    assert_ptr_equal(play.cancelled, &play.buffer[1]);
    play.on = 0;
}

/* A change of power that is none, or is too short to be read, passes like all others. */
static void test_power_requests_pass(void **state)
{
    (void)state;
    static const struct {
        NDIS_REQUEST_TYPE type;
        UINT32 bytes, power;
    } cases[] = {
        {NdisRequestSetInformation, sizeof(NDIS_DEVICE_POWER_STATE), NdisDeviceStateD3},
        {NdisRequestSetInformation, sizeof(NDIS_DEVICE_POWER_STATE), NdisDeviceStateD0},
        {NdisRequestSetInformation, sizeof(NDIS_DEVICE_POWER_STATE) - 1, NdisDeviceStateD3},
        {NdisRequestSetInformation, 0, NdisDeviceStateD3},
        {NdisRequestQueryInformation, sizeof(NDIS_DEVICE_POWER_STATE), NdisDeviceStateD3},
        {NdisRequestMethod, sizeof(NDIS_DEVICE_POWER_STATE), NdisDeviceStateD3},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        play_request(cases[i].type, OID_PNP_SET_POWER);
        play.original.DATA.SET_INFORMATION.InformationBufferLength = cases[i].bytes;
        memcpy(play.buffer, &cases[i].power, sizeof cases[i].power);
        if (cases[i].bytes == 0)
            play.original.DATA.SET_INFORMATION.InformationBuffer = NULL;
        pass_through();
    }
    play.on = 0;
    kit_no_breach();
}

/* From before the request to leave D0 comes below, until one for D0 has succeeded; no other cause is touched. */
static void test_registers_are_left_alone_while_power_is_low(void **state)
{
    (void)state;
    enum { PAUSED = AVB_SUSPENDED_PAUSED, LOW = AVB_SUSPENDED_LOW_POWER, REMOVED = AVB_SUSPENDED_REMOVED };
    static const struct {
        UINT32 power;
        NDIS_STATUS status;
        UINT64 before, below, above;
    } cases[] = {
        {NdisDeviceStateD3, NDIS_STATUS_SUCCESS, 0, LOW, LOW},
        {NdisDeviceStateD1, NDIS_STATUS_SUCCESS, PAUSED, PAUSED | LOW, PAUSED | LOW},
        {NdisDeviceStateD2, NDIS_STATUS_FAILURE, 0, LOW, 0},
        {NdisDeviceStateD3, NDIS_STATUS_FAILURE, PAUSED | REMOVED, PAUSED | LOW | REMOVED, PAUSED | REMOVED},
        {NdisDeviceStateD0, NDIS_STATUS_SUCCESS, LOW, LOW, 0},
        {NdisDeviceStateD0, NDIS_STATUS_SUCCESS, PAUSED | LOW | REMOVED, PAUSED | LOW | REMOVED, PAUSED | REMOVED},
        {NdisDeviceStateD0, NDIS_STATUS_FAILURE, LOW, LOW, LOW},
        {NdisDeviceStateD0, NDIS_STATUS_SUCCESS, 0, 0, 0},
        {NdisDeviceStateUnspecified, NDIS_STATUS_SUCCESS, LOW, LOW, LOW},
        {NdisDeviceStateUnspecified, NDIS_STATUS_FAILURE, LOW, LOW, LOW},
    };
    for (size_t i = 0; i < 2 * LENGTH(cases); i++) {
        play_request(NdisRequestSetInformation, OID_PNP_SET_POWER);
        play.pends = i % 2;
        play.status = cases[i / 2].status;
        play.adapter.registers.suspended = cases[i / 2].before;
        memcpy(play.buffer, &cases[i / 2].power, sizeof cases[i / 2].power);
        pass_through();
        assert_int_equal(play.suspended_below, cases[i / 2].below);
        assert_int_equal(play.suspended_above, cases[i / 2].above);
        assert_int_equal(play.adapter.registers.suspended, cases[i / 2].above);
    }
    kit_no_breach();
}

/* ---- Through the double ---- */

static void test_requests_from_above(void **state)
{
    (void)state;
    static const struct {
        UINT32 oid;
        INT32 expected;
    } cases[] = {
        {0x00010107, 0},
        {0xFF000000, NDIS_STATUS_NOT_SUPPORTED},
        {0xFF000001, NDIS_STATUS_INVALID_LENGTH},
        {OID_TIMESTAMP_CURRENT_CONFIG, NDIS_STATUS_NOT_SUPPORTED},
        {OID_PNP_SET_POWER, 0},
    };
    lab_adapter *adapter = kit_attach(1);
    for (UINT32 turn = 0; turn < 20; turn++) {
        for (size_t i = 0; i < LENGTH(cases); i++) {
            assert_int_equal(lab_oid_from_above(adapter, cases[i].oid, 0), cases[i].expected);
            assert_int_equal(lab_oid_from_above(adapter, cases[i].oid, 1), cases[i].expected);
            assert_int_equal(lab_oid_from_above(adapter, cases[i].oid, 2), NDIS_STATUS_REQUEST_ABORTED);
            kit_no_breach();
        }
        lab_pause(adapter); /* they pass a paused filter too */
        if (turn % 2)
            assert_int_equal(lab_restart(adapter), 0);
        else
            assert_int_equal(lab_oid_from_above(adapter, 0x00010107, 1), 0);
        if (turn % 2 == 0)
            assert_int_equal(lab_restart(adapter), 0);
        assert_true(lab_cancel_sends(adapter));
    }
    lab_detach(adapter);
}

static AVB_PTP_MONITOR_STATS stats_of(UINT32 number)
{
    struct kit_client client;
    kit_open(&client, number);
    AVB_PTP_MONITOR_STATS stats = kit_stats(&client);
    kit_kill(&client);
    return stats;
}

/* ---- The driver's own question ---- */

static void test_restart_asks_for_the_configuration(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    config.frequency_hz = 125000000;
    config.timestamp_flags = RX_HARDWARE_ALL;
    lab_adapter *adapter = kit_attach_paused(&config);
    assert_int_equal(stats_of(1).source, AVB_SOURCE_NONE); /* not asked yet */
    for (UINT32 turn = 0; turn < 6; turn++) {              /* it pends each second time */
        assert_int_equal(lab_restart(adapter), 0);
        AVB_PTP_MONITOR_STATS stats = stats_of(1);
        assert_int_equal(stats.source, AVB_SOURCE_NDIS);
        assert_int_equal(stats.hardware_clock_hz, 125000000);
        assert_int_equal(stats.timestamp_flags, RX_HARDWARE_ALL);
        lab_pause(adapter);
    }
    lab_detach(adapter);
}

/* What a request that failed has left in the buffer is no configuration. */
static void test_a_failed_answer_is_none(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    config.frequency_hz = 125000000;
    config.timestamp_flags = RX_HARDWARE_ALL;
    lab_adapter *adapter = kit_attach_paused(&config);
    answer_fails = 1; /* the first is answered at once */
    assert_int_equal(lab_restart(adapter), 0);
    answer_fails = 0;
    assert_int_equal(stats_of(1).source, AVB_SOURCE_NONE);
    lab_pause(adapter);
    assert_int_equal(lab_restart(adapter), 0);
    assert_int_equal(stats_of(1).source, AVB_SOURCE_NDIS);
    lab_detach(adapter);
}

static void test_follows_indications(void **state)
{
    (void)state;
    lab_adapter *adapter = kit_attach(1);
    for (UINT32 i = 1; i < 200; i++) {
        UINT64 hz = 1000000ull * i;
        UINT32 flags = i * 37 & 0x3FFF;
        lab_set_timestamp_config(adapter, hz, flags);
        AVB_PTP_MONITOR_STATS stats = stats_of(1);
        assert_int_equal(stats.timestamp_flags, flags);
        assert_int_equal(stats.hardware_clock_hz, hz);
    }
    lab_detach(adapter);
}

/* Whatever is indicated passes on; of a configuration that is none, none is made. */
static void test_passes_all_indications(void **state)
{
    (void)state;
    static const UINT32 foreign[] = {0x40010017, 0x40051000, 0x40030001, 0, 0xFFFFFFFFu};
    lab_adapter *adapter = kit_attach(1);
    NDIS_TIMESTAMP_CAPABILITIES whole = {.Header = {.Type = NDIS_OBJECT_TYPE_DEFAULT,
                                                    .Revision = NDIS_TIMESTAMP_CAPABILITIES_REVISION_1,
                                                    .Size = NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1},
                                         .HardwareClockFrequencyHz = 7000000};
    memset(&whole.TimestampFlags, 1, sizeof whole.TimestampFlags);
    lab_set_timestamp_config(adapter, 1000000, RX_HARDWARE_ALL);
    for (size_t i = 0; i < LENGTH(foreign); i++) {
        for (UINT32 bytes = 0; bytes <= sizeof whole; bytes += 7)
            lab_indicate_status(adapter, foreign[i], &whole, bytes);
        assert_int_equal(stats_of(1).hardware_clock_hz, 1000000); /* it means nothing to the driver */
    }
    lab_indicate_status(adapter, (UINT32)NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG, &whole, sizeof whole);
    assert_int_equal(stats_of(1).hardware_clock_hz, 7000000);
    assert_int_equal(stats_of(1).timestamp_flags, 0x3FFF);
    for (UINT32 bytes = 0; bytes < NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1; bytes++) {
        lab_set_timestamp_config(adapter, 1000000, RX_HARDWARE_ALL);
        assert_int_equal(stats_of(1).source, AVB_SOURCE_NDIS);
        lab_indicate_status(adapter, (UINT32)NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG, &whole, bytes);
        assert_int_equal(stats_of(1).source, AVB_SOURCE_NONE);
        assert_int_equal(stats_of(1).timestamp_flags, 0);
    }
    lab_set_timestamp_config(adapter, 1000000, RX_HARDWARE_ALL);
    whole.Header.Size = NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1 - 1; /* it says itself that it is less */
    lab_indicate_status(adapter, (UINT32)NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG, &whole, sizeof whole);
    assert_int_equal(stats_of(1).source, AVB_SOURCE_NONE);
    lab_detach(adapter);
}

/* ---- An indication and an answer meet ---- */

static UINT32 changes;

/* After the miniport has answered, and before the driver has the answer: it is old already. */
static void change_once_more(lab_adapter *adapter)
{
    if (changes > 0)
        lab_set_timestamp_config(adapter, 1000 * changes, TX_HARDWARE_ALL);
    changes -= changes > 0;
}

static void test_an_indication_outdates_the_answer(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    config.frequency_hz = 125000000;
    config.timestamp_flags = RX_HARDWARE_ALL;
    for (UINT32 count = 1; count <= 5; count++) {
        lab_adapter *adapter = kit_attach_paused(&config);
        changes = count;
        meanwhile = change_once_more;
        assert_int_equal(lab_restart(adapter), 0);
        meanwhile = NULL;
        assert_int_equal(changes, 0);
        AVB_PTP_MONITOR_STATS stats = stats_of(1);
        assert_int_equal(stats.hardware_clock_hz, 1000); /* the last one indicated */
        assert_int_equal(stats.timestamp_flags, TX_HARDWARE_ALL);
        lab_detach(adapter);
    }
}

struct indicator {
    lab_adapter *adapter;
    UINT64 hz;
    pthread_barrier_t start;
};

static void *indicate(void *context)
{
    struct indicator *indicator = context;
    pthread_barrier_wait(&indicator->start);
    for (UINT32 i = 0; i < 4; i++)
        lab_set_timestamp_config(indicator->adapter, ++indicator->hz, RX_HARDWARE_ALL);
    return NULL;
}

static void test_the_newest_configuration_wins(void **state)
{
    (void)state;
    struct indicator indicator = {.adapter = kit_attach(1), .hz = 1};
    struct kit_client client;
    kit_open(&client, 1);
    assert_int_equal(pthread_barrier_init(&indicator.start, NULL, 2), 0);
    for (UINT32 turn = 0; turn < 1000; turn++) {
        pthread_t thread;
        lab_pause(indicator.adapter);
        assert_int_equal(pthread_create(&thread, NULL, indicate, &indicator), 0);
        pthread_barrier_wait(&indicator.start);
        assert_int_equal(lab_restart(indicator.adapter), 0);
        pthread_join(thread, NULL);
        assert_int_equal(kit_stats(&client).hardware_clock_hz, indicator.hz);
    }
    pthread_barrier_destroy(&indicator.start);
    kit_kill(&client);
    lab_detach(indicator.adapter);
}

/* ---- Detach while the driver's own request is under way ---- */

struct asker {
    struct kit_client client;
    PTP_CLOCKS_RECORD clocks;
    INT32 status;
};

static void *ask_for_clocks(void *context)
{
    struct asker *asker = context;
    asker->status = kit_clocks(asker->client.file, asker->client.process, &asker->clocks);
    return NULL;
}

struct leaver {
    lab_adapter *adapter;
    UINT64 left;
};

static void *leave(void *context)
{
    struct leaver *leaver = context;
    lab_detach(leaver->adapter);
    put_word(&leaver->left, 1);
    return NULL;
}

static void test_detach_waits_for_the_drivers_own_request(void **state)
{
    (void)state;
    struct lab_adapter_config config = kit_config(1);
    config.frequency_hz = 1000000000;
    config.timestamp_flags = RX_HARDWARE_ALL;
    config.cross_timestamp = 1;
    for (UINT32 turn = 0; turn < 4; turn++) {
        struct leaver leaver = {.adapter = kit_attach_paused(&config)};
        struct asker asker = {.status = -1};
        struct kit_client other;
        pthread_t asking, leaving;
        assert_int_equal(lab_restart(leaver.adapter), 0);
        kit_open(&asker.client, 1);
        put_word(&held_back, 1);
        assert_int_equal(pthread_create(&asking, NULL, ask_for_clocks, &asker), 0);
        while (get(&held_back) != 2)
            rest_ms(1);
        kit_open_and_start(&other, 1); /* who waits for the adapter keeps nobody else waiting */
        assert_true(kit_receive_one(leaver.adapter, 1));
        assert_int_equal(kit_drain(&other), 1);
        kit_kill(&other);
        assert_int_equal(pthread_create(&leaving, NULL, leave, &leaver), 0);
        rest_ms(20);
        assert_int_equal(get(&leaver.left), 0);
        put_word(&held_back, 0);
        pthread_join(asking, NULL);
        pthread_join(leaving, NULL);
        assert_int_equal(asker.status, STATUS_SUCCESS);
        assert_int_not_equal(asker.clocks.hw_timestamp_ns, 0);
        assert_int_equal(kit_clocks(asker.client.file, asker.client.process, &asker.clocks),
                         STATUS_DEVICE_DOES_NOT_EXIST);
        kit_kill(&asker.client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_come_back),
        cmocka_unit_test(test_no_clone_is_no_request),
        cmocka_unit_test(test_cancels_by_the_same_identifier),
        cmocka_unit_test(test_power_requests_pass),
        cmocka_unit_test(test_registers_are_left_alone_while_power_is_low),
        cmocka_unit_test_setup_teardown(test_requests_from_above, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_restart_asks_for_the_configuration, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_failed_answer_is_none, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_follows_indications, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_passes_all_indications, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_an_indication_outdates_the_answer, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_the_newest_configuration_wins, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_detach_waits_for_the_drivers_own_request, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests_name("OID requests", tests, NULL, NULL);
}
