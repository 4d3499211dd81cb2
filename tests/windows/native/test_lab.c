/* SPDX-License-Identifier: MIT */
/*
 * The NDIS double itself: that it moves NBLs as NDIS does, and that it notices whatever a filter does
 * wrong. A check that never fires would make every other test of the driver worthless.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_filter.h"
#include "ndis_pci.h"
#include "nt_native.h"

#ifndef __has_feature
#define __has_feature(feature) 0 /* clang's */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#elif defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define WITH_SANITIZER 1
#define WITH_THREAD_SANITIZER
#else
#define WITH_SANITIZER 0
#endif

#define MISSED 2 /* no sanitizer ends a process with it */

#define LISTS       3u
#define FRAME_BYTES 90u
#define STAMP       0x1122334455667788ULL
#define STALE       0x99ULL

/* ---- An adapter with the test's filter ---- */

static const struct lab_adapter_config config = {
    .net_luid = 0x0006000001000000ULL,
    .if_index = 7,
    .guid = "{01234567-89AB-CDEF-0123-456789ABCDEF}",
    .frequency_hz = 125000000,
    .timestamp_flags = 0x300,
    .cross_timestamp = 1,
    .pci_vendor = 0x8086,
    .pci_device = 0x1533,
    .keywords = LAB_KEYWORD_RING_CAPACITY | LAB_KEYWORD_SDP_PIN,
    .ring_capacity = 256,
    .sdp_pin = 2,
};

static lab_adapter *attach(void)
{
    lab_adapter *adapter;
    assert_int_equal(filter_register(), NDIS_STATUS_SUCCESS);
    lab_attach(&config, &adapter);
    return adapter;
}

static lab_adapter *start(void)
{
    lab_adapter *adapter = attach();
    assert_non_null(adapter);
    assert_int_equal(lab_restart(adapter), NDIS_STATUS_SUCCESS);
    return adapter;
}

static void stop(lab_adapter *adapter)
{
    if (adapter)
        lab_detach(adapter);
    filter_deregister();
}

static void assert_no_breach(void)
{
    char first[256];
    if (nt_lab_breaches(first, sizeof first) != 0)
        fail_msg("%s", first);
}

static int set_up(void **state)
{
    (void)state;
    wrong = NOTHING_WRONG;
    without_data_handlers = without_oid_handlers = 0;
    lab_set_ndis_version(0);
    nt_lab_forgive();
    return 0;
}

/* ---- Traffic ---- */

/* Two frames in the first list where they are sent, one in each of the others; pieces, an empty one among them. */
struct traffic {
    UINT8 bytes[LISTS + 1][FRAME_BYTES];
    struct lab_frame frames[LISTS + 1];
    struct lab_list lists[LISTS];
    struct lab_chain chain;
};

static void fill(struct traffic *traffic, int received)
{
    memset(traffic, 0, sizeof *traffic);
    UINT32 frames = received ? LISTS : LISTS + 1;
    for (UINT32 i = 0; i < frames; i++) {
        for (UINT32 at = 0; at < FRAME_BYTES; at++)
            traffic->bytes[i][at] = (UINT8)(i * 31 + at);
        traffic->frames[i] = (struct lab_frame){
            .bytes = traffic->bytes[i], .length = FRAME_BYTES, .pieces = 4, .piece_length = {20, 0, 30}, .offset = 6};
    }
    for (UINT32 i = 0; i < LISTS; i++) {
        traffic->lists[i] =
            (struct lab_list){.count = 1, .tag = 0x60 + i, .queue = i, .timestamp = STAMP, .stale = STALE};
    }
    traffic->lists[0].count = received ? 1 : 2;
    traffic->chain = (struct lab_chain){.lists = traffic->lists, .list_count = LISTS, .frames = traffic->frames};
}

static INT32 send_some(lab_adapter *adapter, UINT32 dispatch, UINT32 split)
{
    struct traffic traffic;
    fill(&traffic, 0);
    traffic.chain.dispatch = dispatch;
    traffic.chain.split = split;
    return lab_send(adapter, &traffic.chain);
}

static INT32 receive_some(lab_adapter *adapter, UINT32 dispatch, UINT32 resources, UINT32 split)
{
    struct traffic traffic;
    fill(&traffic, 1);
    traffic.chain.dispatch = dispatch;
    traffic.chain.resources = resources;
    traffic.chain.split = split;
    return lab_receive(adapter, &traffic.chain);
}

static INT32 send_paused(lab_adapter *adapter)
{
    struct traffic traffic;
    fill(&traffic, 0);
    return lab_send_while_paused(adapter, &traffic.chain);
}

static void everything_comes_through(void **state)
{
    (void)state;
    lab_adapter *adapter = start();
    for (UINT32 turn = 0; turn < 8; turn++) {
        for (UINT32 dispatch = 0; dispatch < 2; dispatch++) {
            for (UINT32 split = 0; split <= LISTS; split++) {
                assert_int_equal(send_some(adapter, dispatch, split), LISTS);
                assert_int_equal(receive_some(adapter, dispatch, 0, split), LISTS);
            }
            assert_int_equal(receive_some(adapter, dispatch, 1, 0), LISTS);
        }
    }
    assert_int_equal(newest_filter->count, 8 * 2 * 9 * LISTS);
    assert_int_equal(lab_cancel_sends(adapter), 1);
    stop(adapter);
    assert_no_breach();
}

static void without_handlers_the_filter_is_passed_by(void **state)
{
    (void)state;
    without_data_handlers = without_oid_handlers = 1;
    lab_adapter *adapter = start();
    assert_int_equal(lab_oid_from_above(adapter, OID_GEN_STATISTICS, 1), NDIS_STATUS_SUCCESS);
    assert_int_equal(send_some(adapter, 1, 2), LISTS);
    assert_int_equal(receive_some(adapter, 0, 0, 0), LISTS);
    assert_int_equal(receive_some(adapter, 0, 1, 0), LISTS);
    assert_int_equal(newest_filter->count, 0);
    stop(adapter);
    assert_no_breach();
}

static void a_paused_filter_gets_nothing(void **state)
{
    (void)state;
    lab_adapter *adapter = attach();
    assert_int_equal(send_some(adapter, 0, 0), -1);
    assert_int_equal(receive_some(adapter, 0, 0, 0), -1);
    assert_int_equal(lab_restart(adapter), NDIS_STATUS_SUCCESS);
    assert_int_equal(lab_restart(adapter), NDIS_STATUS_INVALID_STATE);
    assert_int_equal(send_some(adapter, 0, 0), LISTS);
    lab_pause(adapter);
    lab_pause(adapter);
    assert_int_equal(send_some(adapter, 0, 0), -1);
    assert_int_equal(send_paused(adapter), 0); /* completed by the filter */
    assert_int_equal(lab_restart(adapter), NDIS_STATUS_SUCCESS);
    assert_int_equal(receive_some(adapter, 0, 0, 0), LISTS);
    lab_detach(adapter);
    assert_int_equal(send_some(adapter, 0, 0), -1); /* as a thread that comes too late */
    stop(NULL);
    assert_no_breach();
}

static void deregistration_detaches(void **state)
{
    (void)state;
    start();
    assert_int_equal(newest_filter->detached, 0);
    filter_deregister();
    assert_int_equal(newest_filter->detached, 1);
    assert_no_breach();
}

/* ---- Storms ---- */

struct storm {
    lab_adapter *adapter;
    UINT32 kind;
    UINT64 over;    /* atomic */
    UINT64 through; /* NBLs, atomic */
};

static void *storm_thread(void *context)
{
    struct storm *storm = context;
    UINT32 kind = __atomic_fetch_add(&storm->kind, 1, __ATOMIC_RELAXED);
    for (UINT32 turn = 0; !__atomic_load_n(&storm->over, __ATOMIC_RELAXED); turn++) {
        INT32 through = kind & 1 ? send_some(storm->adapter, turn & 1, turn % 5 == 0 ? 2 : 0)
                                 : receive_some(storm->adapter, turn & 1, turn % 3 == 0, turn % 5 == 0 ? 1 : 0);
        if (through > 0)
            __atomic_fetch_add(&storm->through, (UINT64)through, __ATOMIC_RELAXED);
        else
            sched_yield();
    }
    return NULL;
}

/* Until enough has come through since. */
static void let_through(const struct storm *storm, UINT64 more)
{
    UINT64 from = __atomic_load_n(&storm->through, __ATOMIC_RELAXED);
    while (__atomic_load_n(&storm->through, __ATOMIC_RELAXED) < from + more)
        usleep(100);
}

static void storms_of_pause_and_restart(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct storm storm = {.adapter = start()};
    for (UINT32 i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, storm_thread, &storm);
    for (UINT32 turn = 0; turn < 60; turn++) {
        if (turn % 4 == 0)
            let_through(&storm, 30);
        lab_pause(storm.adapter);
        assert_int_equal(newest_filter->paused, 1);
        if (turn % 3 == 0)
            lab_oid_from_above(storm.adapter, OID_GEN_STATISTICS, (int)(turn & 1));
        lab_set_timestamp_config(storm.adapter, 1000000000, turn);
        assert_int_equal(lab_restart(storm.adapter), NDIS_STATUS_SUCCESS);
    }
    let_through(&storm, 50);
    lab_detach(storm.adapter); /* with the traffic on */
    __atomic_store_n(&storm.over, 1, __ATOMIC_RELAXED);
    for (UINT32 i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    stop(NULL);
    assert_no_breach();
}

/* ---- What is noticed ---- */

struct mistake {
    enum wrong wrong;
    void (*act)(lab_adapter *adapter);
    const char *text; /* of the breach */
};

static void act_send(lab_adapter *adapter)
{
    send_some(adapter, 0, 0);
}

static void act_send_split(lab_adapter *adapter)
{
    send_some(adapter, 0, 2);
}

static void act_send_paused(lab_adapter *adapter)
{
    lab_pause(adapter);
    send_paused(adapter);
}

static void act_send_other(lab_adapter *adapter)
{
    struct lab_adapter_config second = config;
    lab_adapter *other;
    struct lab_filter *first = newest_filter;
    second.guid[1] = 'F';
    lab_attach(&second, &other);
    first->other = newest_filter->handle;
    send_some(adapter, 0, 0);
    lab_detach(other);
}

static void act_receive(lab_adapter *adapter)
{
    receive_some(adapter, 0, 0, 0);
}

static void act_receive_resources(lab_adapter *adapter)
{
    receive_some(adapter, 0, 1, 0);
}

static void act_oid(lab_adapter *adapter)
{
    lab_oid_from_above(adapter, OID_GEN_STATISTICS, 0);
}

static void act_oid_pending(lab_adapter *adapter)
{
    lab_oid_from_above(adapter, OID_GEN_STATISTICS, 1);
}

static void act_oid_cancel(lab_adapter *adapter)
{
    lab_oid_from_above(adapter, OID_GEN_STATISTICS, 2);
}

static void act_status(lab_adapter *adapter)
{
    lab_set_timestamp_config(adapter, 125000000, 1);
}

static void act_removal(lab_adapter *adapter)
{
    lab_surprise_removal(adapter);
}

static void act_cancel(lab_adapter *adapter)
{
    lab_cancel_sends(adapter);
}

static void act_pause(lab_adapter *adapter)
{
    lab_pause(adapter);
}

static void act_restart(lab_adapter *adapter)
{
    lab_restart(adapter);
}

static void act_nothing(lab_adapter *adapter)
{
    (void)adapter;
}

static void act_late(lab_adapter *adapter)
{
    NDIS_STATUS_INDICATION status = {.StatusCode = NDIS_STATUS_LINK_STATE};
    lab_detach(adapter);
    NdisFIndicateStatus(newest_filter->handle, &status);
}

/* Mistakes that need no handler. */

static void act_same_name(lab_adapter *adapter)
{
    lab_adapter *other;
    (void)adapter;
    lab_attach(&config, &other);
}

static void act_register_again(lab_adapter *adapter)
{
    (void)adapter;
    filter_register();
}

static void act_deregister_twice(lab_adapter *adapter)
{
    (void)adapter;
    filter_deregister();
    filter_deregister();
}

static void act_wrong_handle(lab_adapter *adapter)
{
    static UINT64 nothing[512];
    NDIS_STATUS_INDICATION status = {.StatusCode = NDIS_STATUS_LINK_STATE};
    (void)adapter;
    NdisFIndicateStatus(nothing, &status);
}

static void act_wrong_configuration(lab_adapter *adapter)
{
    static UINT64 nothing[64];
    (void)adapter;
    NdisCloseConfiguration(nothing);
}

static void act_wrong_register(lab_adapter *adapter)
{
    lab_register_access(adapter, 0, 0);
}

static void act_ask_without_handler(lab_adapter *adapter)
{
    UINT32 answer, written;
    lab_detach(adapter);
    filter_deregister();
    without_oid_handlers = 1;
    start();
    filter_query(newest_filter, OID_GEN_STATISTICS, &answer, sizeof answer, &written);
}

static const struct mistake mistakes[] = {
    {NOTHING_WRONG, act_same_name, "the test attaches an adapter of this name twice"},
    {NOTHING_WRONG, act_register_again, "NdisFRegisterFilterDriver: a filter driver is registered already"},
    {NOTHING_WRONG, act_deregister_twice, "NdisFDeregisterFilterDriver: no such filter driver"},
    {NOTHING_WRONG, act_wrong_handle, "NdisFIndicateStatus: not the handle of a filter module"},
    {NOTHING_WRONG, act_wrong_configuration, "NdisCloseConfiguration: not the handle of a configuration"},
    {NOTHING_WRONG, act_wrong_register, "a register access outside all BARs"},
    {NOTHING_WRONG, act_ask_without_handler, "NdisFOidRequest: without FilterOidRequestComplete"},
    {SEND_DROPS_ONE, act_send, "NdisFSendNetBufferLists: Next was changed, NBL 1 of 3"},
    {SEND_DROPS_ALL, act_send, "FilterSendNetBufferLists: returned without passing it on, NBL 1 of 3"},
    {SEND_REORDERS, act_send, "NdisFSendNetBufferLists: Next was changed, NBL 2 of 3"},
    {SEND_TWICE, act_send, "NdisFSendNetBufferLists: passed on again after it had been given back, NBL 1 of 3"},
    {SEND_TWICE, act_send_split, "NdisFSendNetBufferLists: passed on"},
    {SEND_SPLITS, act_send, "NdisFSendNetBufferLists: Next was changed, NBL 1 of 3"},
    {SEND_CHANGES_FLAG, act_send, "NdisFSendNetBufferLists: the flags were changed, NBL 1 of 3"},
    {SEND_CHANGES_SLOT, act_send, "NdisFSendNetBufferLists: NetBufferListInfo was changed, NBL 1 of 3"},
    {SEND_CHANGES_STATUS, act_send, "NdisFSendNetBufferLists: Status was changed, NBL 1 of 3"},
    {SEND_CHANGES_BYTE, act_send, "NdisFSendNetBufferLists: the frame's bytes were changed, NBL 1 of 3"},
    {SEND_CHANGES_OFFSET, act_send, "NdisFSendNetBufferLists: a NET_BUFFER was changed, NBL 1 of 3"},
    {SEND_CHANGES_MDL, act_send, "NdisFSendNetBufferLists: an MDL was changed, NBL 1 of 3"},
    {SEND_WITH_OTHER_FLAGS, act_send, "NdisFSendNetBufferLists: other flags than the handler was given"},
    {SEND_SAYS_DISPATCH, act_send, "NdisFSendNetBufferLists: flags say DISPATCH_LEVEL below it"},
    {SEND_TO_OTHER_PORT, act_send, "NdisFSendNetBufferLists: another port than the handler was given"},
    {SEND_OF_ITS_OWN, act_send, "NdisFSendNetBufferLists: an NBL that is not the double's"},
    {SEND_TOUCHES_AFTERWARDS, act_send, "FilterSendNetBufferLists: written to after it was passed on, NBL 1 of 3"},
    {SEND_TOUCHES_AFTERWARDS, act_send_split, "at the other end: the NET_BUFFER_LIST was changed, NBL 1 of 3"},
    {SEND_WITH_FOREIGN_HANDLE, act_send_other, "NdisFSendNetBufferLists: an NBL of another call in this chain"},
    {SEND_RAISES_IRQL, act_send, "FilterSendNetBufferLists: returned at another IRQL"},
    {SEND_COMPLETES_WHILE_RUNNING, act_send,
     "NdisFSendNetBufferListsComplete: given back by a running filter that should have passed it on, NBL 1 of 3"},
    {SEND_PASSES_WHILE_PAUSED, act_send_paused, "NdisFSendNetBufferLists: the filter is paused"},
    {SEND_COMPLETES_WITH_SUCCESS, act_send_paused,
     "NdisFSendNetBufferListsComplete: given back by a paused filter with another status than NDIS_STATUS_PAUSED"},
    {COMPLETE_TWICE, act_send,
     "NdisFSendNetBufferListsComplete: passed on again after it had been given back, NBL 1 of 3"},
    {COMPLETE_KEEPS_ONE, act_send, "NdisFSendNetBufferListsComplete: not in order, NBL 2 of 3"},
    {COMPLETE_CHANGES_STATUS, act_send, "NdisFSendNetBufferListsComplete: Status was changed, NBL 1 of 3"},
    {COMPLETE_CHANGES_STAMP, act_send, "NdisFSendNetBufferListsComplete: NetBufferListInfo was changed, NBL 1 of 3"},
    {COMPLETE_TOUCHES_AFTERWARDS, act_send, "FilterSendNetBufferLists: written to after it was passed on, NBL 1 of 3"},
    {COMPLETE_SENDS_AGAIN, act_send,
     "NdisFSendNetBufferLists: passed on again by the filter that should have given it back, NBL 1 of 3"},
    {RECEIVE_DROPS_ONE, act_receive, "NdisFIndicateReceiveNetBufferLists: another number of NBLs"},
    {RECEIVE_MISCOUNTS, act_receive, "NdisFIndicateReceiveNetBufferLists: another number of NBLs"},
    {RECEIVE_RETURNS_RESOURCES, act_receive_resources,
     "NdisFReturnNetBufferLists: returned although NDIS_RECEIVE_FLAGS_RESOURCES was set, NBL 1 of 3"},
    {RECEIVE_CLEARS_RESOURCES, act_receive_resources,
     "NdisFIndicateReceiveNetBufferLists: other flags than the handler was given"},
    {RECEIVE_CHANGES_RESOURCES, act_receive_resources,
     "FilterReceiveNetBufferLists: the flags were changed, NBL 1 of 3"},
    {RETURN_KEEPS_ALL, act_receive, "FilterReturnNetBufferLists: returned without passing it on, NBL 1 of 3"},
    {RETURN_TWICE, act_receive, "NdisFReturnNetBufferLists: passed on again after it had been given back, NBL 1 of 3"},
    {OID_KEEPS_CLONE, act_oid, "an OID request's clone was not freed"},
    {OID_KEEPS_CLONE, act_oid_pending, "an OID request's clone was not freed"},
    {OID_FREES_CLONE_TWICE, act_oid, "NdisFreeCloneOidRequest: no clone, or freed already"},
    {OID_COMPLETES_TWICE, act_oid, "FilterOidRequest: completed the request and returned another status"},
    {OID_COMPLETES_TWICE, act_oid_pending, "NdisFOidRequestComplete: "},
    {OID_FORGETS_REQUEST_ID, act_oid, "NdisFOidRequest: a clone without its original's RequestId"},
    {OID_CHANGES_CLONE, act_oid, "NdisFOidRequest: a clone that differs from its original"},
    {OID_FORGETS_RESULTS, act_oid, "an OID request came back with other results than from below"},
    {OID_FORGETS_RESULTS, act_oid_pending, "an OID request came back with other results than from below"},
    {OID_CHANGES_ORIGINAL, act_oid, "an OID request was changed beyond its results"},
    {OID_OTHER_STATUS, act_oid, "an OID request came back with another status than from below"},
    {OID_OTHER_STATUS, act_oid_pending, "an OID request came back with another status than from below"},
    {OID_SENDS_ORIGINAL, act_oid, "NdisFOidRequest: the request from above itself, not a clone"},
    {OID_FREES_CLONE_UNDER_WAY, act_oid_cancel, "NdisFreeCloneOidRequest: the request is under way"},
    {OID_PRETENDS, act_oid, "an OID request succeeded that never came below"},
    {OID_NEVER_COMPLETES, act_oid_pending, "FilterOidRequest: a request that pends was never completed"},
    {OID_FORGETS_CANCEL, act_oid_cancel, "FilterCancelOidRequest: not passed on"},
    {OID_CANCELS_TWICE, act_oid_cancel, "NdisFCancelOidRequest: passed on twice"},
    {OID_CANCELS_ANOTHER, act_oid_cancel, "NdisFCancelOidRequest: no request of this RequestId"},
    {OID_SENDS_CLONE_TWICE, act_oid, "NdisFOidRequest: the same request twice"},
    {OID_COMPLETES_ANOTHER, act_oid_pending, "NdisFOidRequestComplete: no request from above"},
    {OID_COMPLETES_AS_PENDING, act_oid_pending, "NdisFOidRequestComplete: completed with NDIS_STATUS_PENDING"},
    {OID_IN_ATTACH, act_nothing, "NdisFOidRequest: a request of the filter's own before FilterAttach has returned"},
    {STATUS_DROPS, act_status, "FilterStatus: not passed on exactly once"},
    {STATUS_TWICE, act_status, "FilterStatus: not passed on exactly once"},
    {STATUS_CHANGES, act_status, "NdisFIndicateStatus: changed by the filter"},
    {STATUS_CHANGES_AFTERWARDS, act_status, "FilterStatus: changed by the filter"},
    {STATUS_OF_ITS_OWN, act_status, "NdisFIndicateStatus: not what the handler was given"},
    {PNP_DROPS, act_removal, "FilterDevicePnPEventNotify: not passed on exactly once"},
    {CANCEL_DROPS, act_cancel, "FilterCancelSendNetBufferLists: not passed on"},
    {CANCEL_TWICE, act_cancel, "NdisFCancelSendNetBufferLists: passed on twice"},
    {ATTACH_WITHOUT_ATTRIBUTES, act_nothing, "FilterAttach: succeeded without NdisFSetAttributes"},
    {ATTACH_SETS_ATTRIBUTES_TWICE, act_nothing, "NdisFSetAttributes: only once, in FilterAttach"},
    {ATTACH_LEAVES_CONFIGURATION_OPEN, act_nothing, "a configuration was not closed"},
    {ATTACH_KEEPS_BUS_INTERFACE, act_nothing, "the bus interface is still referenced"},
    {ATTACH_OPENS_CONFIGURATION_AT_DISPATCH, act_nothing, "NdisOpenConfigurationEx: called at too high an IRQL"},
    {ATTACH_DROPS_BUS_INTERFACE_TWICE, act_nothing, "dereferenced more often than referenced"},
    {ATTACH_USES_BUS_INTERFACE_AFTERWARDS, act_nothing, "the bus interface is used without a reference"},
    {PAUSE_KEEPS_CLONE, act_nothing, "FilterDetach: returned with a clone that was not freed"},
    {PAUSE_FAILS, act_pause, "FilterPause: did not succeed"},
    {RESTART_PENDS, act_restart, "FilterRestart: pends"},
    {DETACH_WITH_REQUEST, act_nothing, "FilterDetach: returned with a request of the filter's own under way"},
    {DETACH_THEN_INDICATES, act_late, "NdisFIndicateStatus: called after FilterDetach returned"},
};

/* The adapter is still attached after the act. */
static int is_still_attached(const struct mistake *mistake)
{
    return mistake->act != act_late && mistake->act != act_deregister_twice && mistake->act != act_ask_without_handler;
}

/* In a process of its own, which the mistake may end. 0: noticed; else MISSED. */
static int make_mistake(const struct mistake *mistake)
{
    char first[256];
    wrong = mistake->wrong;
    lab_set_patience(1000);
    lab_set_delay(100000); /* longer than a mistake takes */
    lab_adapter *adapter = attach();
    if (adapter && mistake->wrong != RESTART_PENDS)
        lab_restart(adapter);
    if (adapter)
        mistake->act(adapter);
    if (adapter && is_still_attached(mistake))
        lab_detach(adapter);
    UINT64 breaches = nt_lab_breaches(first, sizeof first);
    if (breaches > 0 && strstr(first, mistake->text) && (!strstr(first, "NBL ") || strstr(first, config.guid)))
        return 0;
    fprintf(stderr, "mistake %d: %u breaches, the first: \"%s\", expected: \"%s\"\n", (int)mistake->wrong,
            (unsigned)breaches, first, mistake->text);
    return MISSED;
}

/* With a sanitizer, some mistakes are noticed by it as well, which then says how the process ends. */
static int is_noticed(const struct mistake *mistake)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(make_mistake(mistake));
    assert_int_equal(waitpid(child, &status, 0), child);
    int touches = mistake->wrong == SEND_TOUCHES_AFTERWARDS || mistake->wrong == COMPLETE_TOUCHES_AFTERWARDS ||
                  mistake->wrong == SEND_TWICE;
    if (WITH_SANITIZER && touches)
        return !WIFEXITED(status) || WEXITSTATUS(status) != MISSED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void each_mistake_is_noticed(void **state)
{
    (void)state;
    UINT32 missed = 0;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        if (!is_noticed(&mistakes[i])) {
            fprintf(stderr, "mistake %d (line %u of the table) was not noticed\n", (int)mistakes[i].wrong, (unsigned)i);
            missed++;
        }
    }
    assert_int_equal(missed, 0);
}

#ifdef WITH_THREAD_SANITIZER
static void *some_sends(void *adapter)
{
    for (UINT32 turn = 0; turn < 300; turn++)
        send_some(adapter, 0, 0);
    return NULL;
}

/* Two threads in the filter's handlers, as a process of its own; its exit status. */
static int send_from_two_threads(enum wrong mistake)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        pthread_t threads[2];
        lab_adapter *adapter = start();
        wrong = mistake;
        for (UINT32 i = 0; i < 2; i++)
            pthread_create(&threads[i], NULL, some_sends, adapter);
        for (UINT32 i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}
#endif

/* The double puts calls of a filter's handlers in no order: a filter's own races stay races. */
static void races_of_a_filter_are_seen(void **state)
{
    (void)state;
#ifdef WITH_THREAD_SANITIZER
    assert_int_equal(send_from_two_threads(NOTHING_WRONG), 0);
    assert_int_not_equal(send_from_two_threads(SEND_COUNTS_PLAINLY), 0);
#else
    skip();
#endif
}

/* Each kind of mistake is in the table. */
static void no_mistake_is_left_out(void **state)
{
    (void)state;
    for (int kind = NOTHING_WRONG + 1; kind < SEND_COUNTS_PLAINLY; kind++) {
        int found = 0;
        for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
            found |= mistakes[i].wrong == (enum wrong)kind;
        if (!found)
            fail_msg("mistake %d is not tried", kind);
    }
}

/* ---- Registration ---- */

static NDIS_STATUS try_to_register(const NDIS_FILTER_DRIVER_CHARACTERISTICS *handlers)
{
    DRIVER_OBJECT driver;
    NDIS_HANDLE handle = NULL;
    NDIS_FILTER_DRIVER_CHARACTERISTICS copy = *handlers;
    NDIS_STATUS status = NdisFRegisterFilterDriver(&driver, &driver, &copy, &handle);
    if (status == NDIS_STATUS_SUCCESS)
        NdisFDeregisterFilterDriver(handle);
    return status;
}

static void characteristics_are_checked(void **state)
{
    (void)state;
    lab_set_ndis_version(NDIS_RUNTIME_VERSION_650);
    assert_int_equal(NdisGetVersion(), NDIS_RUNTIME_VERSION_650);
    const NDIS_FILTER_DRIVER_CHARACTERISTICS good = filter_characteristics();
    assert_int_equal(try_to_register(&good), NDIS_STATUS_SUCCESS);

    NDIS_FILTER_DRIVER_CHARACTERISTICS bad = good;
    bad.MinorNdisVersion = 51;
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_VERSION);
    bad = good;
    bad.MajorNdisVersion = 5;
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_VERSION);
    bad = good;
    bad.Header.Type = NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES;
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_CHARACTERISTICS);
    bad = good;
    bad.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1;
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_CHARACTERISTICS);
    bad = good; /* which came with 6.80 */
    bad.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_3;
    bad.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3;
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_CHARACTERISTICS);
    bad = good;
    bad.PauseHandler = NULL;
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_CHARACTERISTICS);
    bad = good;
    bad.ReturnNetBufferListsHandler = NULL;
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_CHARACTERISTICS);
    bad = good;
    RtlInitUnicodeString(&bad.UniqueName, L"5CBF81BD-5055-47CD-9055-A76B2B4E3697");
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_CHARACTERISTICS);
    bad = good;
    RtlInitUnicodeString(&bad.ServiceName, L"");
    assert_int_equal(try_to_register(&bad), NDIS_STATUS_BAD_CHARACTERISTICS);
    assert_no_breach();
}

static void functions_fail_when_they_are_to(void **state)
{
    (void)state;
    lab_adapter *adapter;
    nt_lab_fail_nth(1);
    assert_int_equal(filter_register(), NDIS_STATUS_RESOURCES);
    assert_int_equal(filter_register(), NDIS_STATUS_SUCCESS);
    nt_lab_fail_nth(1);
    assert_int_equal(lab_attach(&config, &adapter), NDIS_STATUS_RESOURCES);
    assert_null(adapter);
    assert_int_equal(lab_attach(&config, &adapter), NDIS_STATUS_SUCCESS);
    nt_lab_fail_nth(1);
    assert_int_equal(lab_oid_from_above(adapter, OID_GEN_STATISTICS, 1), NDIS_STATUS_RESOURCES);
    /* What the double takes for itself is not counted: one call of the filter's for the attributes, one clone. */
    assert_int_equal(nt_lab_fail_nth(0), 1);
    assert_int_equal(lab_restart(adapter), NDIS_STATUS_SUCCESS);
    assert_int_equal(send_some(adapter, 0, 1), LISTS);
    assert_int_equal(receive_some(adapter, 1, 0, 2), LISTS);
    assert_int_equal(nt_lab_fail_nth(0), 0);
    stop(adapter);
    assert_no_breach();
    struct nt_lab_held held;
    nt_lab_held(&held);
    const struct nt_lab_held nothing = {0};
    assert_memory_equal(&held, &nothing, sizeof held);
}

/* ---- OID requests, status, configuration, device ---- */

/* BAR 0 of the one adapter is somewhere from 0xF0000000 on, 128 KiB in size. */
static UINT8 *registers_of_first(void)
{
    UINT64 physical = 0xF0000000u;
    while (!lab_bar(physical, 4))
        physical += 0x20000;
    assert_non_null(lab_bar(physical, 0x20000));
    assert_null(lab_bar(physical, 0x20001));
    assert_null(lab_bar(physical + 0x20000, 4));
    return lab_bar(physical, 0x20000);
}

static void requests_come_down_and_back(void **state)
{
    (void)state;
    lab_adapter *adapter = start();
    for (int pend = 0; pend < 2; pend++) {
        assert_int_equal(lab_oid_from_above(adapter, OID_GEN_STATISTICS, pend), NDIS_STATUS_SUCCESS);
        assert_int_equal(lab_oid_from_above(adapter, 0xFF000000, pend), NDIS_STATUS_NOT_SUPPORTED);
        assert_int_equal(lab_oid_from_above(adapter, 0xFF000001, pend), NDIS_STATUS_INVALID_LENGTH);
        assert_int_equal(lab_oid_from_above(adapter, OID_PNP_SET_POWER, pend), NDIS_STATUS_SUCCESS);
    }
    assert_int_equal(lab_oid_from_above(adapter, OID_GEN_STATISTICS, 2), NDIS_STATUS_REQUEST_ABORTED);
    lab_set_power(adapter, 0);
    assert_int_equal(send_some(adapter, 0, 0), -1);
    lab_set_power(adapter, 1);
    assert_int_equal(send_some(adapter, 0, 0), LISTS);
    lab_surprise_removal(adapter);
    assert_int_equal(lab_oid_from_above(adapter, OID_GEN_STATISTICS, 0), NDIS_STATUS_ADAPTER_REMOVED);
    stop(adapter);
    assert_no_breach();
}

/* The double notices an access where it is not. */
static int is_awake(void)
{
    assert_no_breach();
    lab_register_access(registers_of_first(), 0, 0);
    int awake = nt_lab_breaches(NULL, 0) == 0;
    nt_lab_forgive();
    return awake;
}

static void power_comes_and_goes(void **state)
{
    (void)state;
    for (UINT32 no_pause = 0; no_pause < 2; no_pause++) {
        struct lab_adapter_config sleeper = config;
        lab_adapter *adapter;
        sleeper.no_pause_on_suspend = no_pause;
        INT32 passed_asleep = no_pause ? (INT32)LISTS : -1; /* what was on its way */
        assert_int_equal(filter_register(), NDIS_STATUS_SUCCESS);
        assert_int_equal(lab_attach(&sleeper, &adapter), NDIS_STATUS_SUCCESS);
        assert_int_equal(lab_restart(adapter), NDIS_STATUS_SUCCESS);
        lab_set_power(adapter, 0);
        assert_false(is_awake());
        assert_int_equal(send_some(adapter, 0, 0), passed_asleep);
        lab_refuse_power(adapter, 1);
        lab_set_power(adapter, 1);
        assert_false(is_awake());
        assert_int_equal(send_some(adapter, 0, 0), passed_asleep);
        lab_refuse_power(adapter, 0);
        lab_set_power(adapter, 1);
        assert_true(is_awake());
        assert_int_equal(send_some(adapter, 0, 0), LISTS);
        lab_refuse_power(adapter, 1);
        lab_set_power(adapter, 0);
        assert_true(is_awake());
        assert_int_equal(send_some(adapter, 0, 0), LISTS); /* it goes on as if nothing had been asked */
        stop(adapter);
        assert_no_breach();
    }
}

static void a_virtual_adapter_has_no_device(void **state)
{
    (void)state;
    struct lab_adapter_config without = config;
    lab_adapter *adapter;
    without.is_virtual = 1;
    without.pci_vendor = 0;
    assert_int_equal(filter_register(), NDIS_STATUS_SUCCESS);
    assert_int_equal(lab_attach(&without, &adapter), NDIS_STATUS_SUCCESS);
    assert_null(newest_filter->device);
    stop(adapter);
    adapter = start();
    assert_non_null(newest_filter->device);
    stop(adapter);
    assert_no_breach();
}

static void the_filter_asks_for_timestamps(void **state)
{
    (void)state;
    UINT32 written;
    NDIS_TIMESTAMP_CAPABILITIES answer;
    NDIS_HARDWARE_CROSSTIMESTAMP cross[2];
    lab_adapter *adapter = start();
    for (UINT32 i = 0; i < 4; i++) { /* some pend */
        assert_int_equal(filter_query(newest_filter, OID_TIMESTAMP_CURRENT_CONFIG, &answer, sizeof answer, &written),
                         NDIS_STATUS_SUCCESS);
        assert_int_equal(written, NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1);
        assert_int_equal(answer.HardwareClockFrequencyHz, config.frequency_hz);
        assert_int_equal(answer.TimestampFlags.AllReceiveHw, 1);
        assert_int_equal(answer.TimestampFlags.TaggedTransmitHw, 0);
    }
    lab_set_counter(10000000); /* one second at 10 MHz */
    for (UINT32 i = 0; i < 2; i++) {
        assert_int_equal(
            filter_query(newest_filter, OID_TIMESTAMP_GET_CROSSTIMESTAMP, &cross[i], sizeof cross[i], &written),
            NDIS_STATUS_SUCCESS);
        lab_set_counter(30000000);
    }
    lab_run_counter();
    assert_int_equal(cross[0].SystemTimestamp1, 10000000);
    assert_int_equal(cross[1].HardwareClockTimestamp - cross[0].HardwareClockTimestamp, 2 * config.frequency_hz);
    assert_int_equal(filter_query(newest_filter, OID_TIMESTAMP_CURRENT_CONFIG, &answer, 8, &written),
                     NDIS_STATUS_BUFFER_TOO_SHORT);
    lab_set_timestamp_config(adapter, 0, 0);
    assert_int_equal(filter_query(newest_filter, OID_TIMESTAMP_CURRENT_CONFIG, &answer, sizeof answer, &written),
                     NDIS_STATUS_NOT_SUPPORTED);
    stop(adapter);
    assert_no_breach();
}

static NDIS_STATUS read_value(const WCHAR *name, UINT32 *value)
{
    NDIS_STATUS status;
    NDIS_HANDLE configuration;
    NDIS_CONFIGURATION_PARAMETER *parameter;
    NDIS_STRING keyword;
    NDIS_CONFIGURATION_OBJECT object = {.Header = {.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                                                   .Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1,
                                                   .Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1},
                                        .NdisHandle = newest_filter->handle};
    assert_int_equal(NdisOpenConfigurationEx(&object, &configuration), NDIS_STATUS_SUCCESS);
    RtlInitUnicodeString(&keyword, name);
    NdisReadConfiguration(&status, &parameter, configuration, &keyword, NdisParameterInteger);
    if (status == NDIS_STATUS_SUCCESS)
        *value = parameter->ParameterData.IntegerData;
    NdisCloseConfiguration(configuration);
    return status;
}

static void values_come_from_the_configuration(void **state)
{
    (void)state;
    UINT32 value = 0;
    lab_adapter *adapter = start();
    assert_int_equal(read_value(L"AvbRingCapacity", &value), NDIS_STATUS_SUCCESS);
    assert_int_equal(value, 256);
    assert_int_equal(read_value(L"avbsdppin", &value), NDIS_STATUS_SUCCESS);
    assert_int_equal(value, 2);
    assert_int_equal(read_value(L"AvbRegisterAccess", &value), NDIS_STATUS_FAILURE);
    assert_int_equal(read_value(L"AvbRing", &value), NDIS_STATUS_FAILURE);
    assert_int_equal(read_value(L"AvbRingCapacity2", &value), NDIS_STATUS_FAILURE);
    stop(adapter);
    assert_no_breach();
}

static UINT32 read_double(void *context, UINT32 offset)
{
    return *(UINT32 *)context + offset;
}

static void write_through(void *context, UINT32 offset, UINT32 value)
{
    *(UINT32 *)context = value - offset;
}

static void registers_are_the_tests_own(void **state)
{
    (void)state;
    UINT32 memory = 5;
    lab_adapter *adapter = start();
    UINT8 *base = registers_of_first();
    assert_int_equal(lab_register_access(base + 16, 0, 0), 0xFFFFFFFFu);
    lab_set_registers(adapter, read_double, write_through, &memory);
    assert_int_equal(lab_register_access(base + 16, 0, 0), 21);
    lab_register_access(base + 8, 1, 108);
    assert_int_equal(memory, 100);
    assert_no_breach();
    lab_register_access(base + 6, 0, 0);
    assert_int_equal(nt_lab_breaches(NULL, 0), 1);
    lab_set_power(adapter, 0);
    assert_int_equal(lab_register_access(base + 16, 0, 0), 0xFFFFFFFFu);
    assert_int_equal(nt_lab_breaches(NULL, 0), 2);
    lab_set_power(adapter, 1);
    lab_surprise_removal(adapter);
    assert_int_equal(lab_register_access(base + 16, 0, 0), 0xFFFFFFFFu);
    assert_int_equal(nt_lab_breaches(NULL, 0), 2);
    stop(adapter);
}

/* ---- NdisGetDataBuffer ---- */

static void data_is_contiguous_or_copied(void **state)
{
    (void)state;
    UINT8 memory[32], storage[32];
    for (UINT32 i = 0; i < sizeof memory; i++)
        memory[i] = (UINT8)i;
    /* Bytes 2..7, none, 8..11, and 12..31 of `memory`, of which the frame starts at byte 4. */
    MDL mdls[4] = {
        {.Next = &mdls[1], .MappedSystemVa = &memory[2], .ByteCount = 6, .MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL},
        {.Next = &mdls[2], .MappedSystemVa = &memory[8], .ByteCount = 0, .MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL},
        {.Next = &mdls[3], .MappedSystemVa = &memory[8], .ByteCount = 4, .MdlFlags = MDL_MAPPED_TO_SYSTEM_VA},
        {.MappedSystemVa = &memory[12], .ByteCount = 20, .MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL},
    };
    NET_BUFFER nb = {.CurrentMdl = &mdls[0], .CurrentMdlOffset = 2, .MdlChain = &mdls[0], .DataLength = 28};
    assert_ptr_equal(NdisGetDataBuffer(&nb, 4, storage, 1, 0), &memory[4]);
    assert_ptr_equal(NdisGetDataBuffer(&nb, 4, NULL, 1, 0), &memory[4]);
    assert_null(NdisGetDataBuffer(&nb, 5, NULL, 1, 0));
    assert_ptr_equal(NdisGetDataBuffer(&nb, 28, storage, 1, 0), storage);
    assert_memory_equal(storage, &memory[4], 28);
    assert_null(NdisGetDataBuffer(&nb, 29, storage, 1, 0));
    assert_null(NdisGetDataBuffer(&nb, 0, storage, 1, 0));
    /* An alignment that the place does not have is made by copying. */
    UINT32 here = (UINT32)((uintptr_t)&memory[4] & 7);
    assert_ptr_equal(NdisGetDataBuffer(&nb, 4, storage, 8, here), &memory[4]);
    assert_ptr_equal(NdisGetDataBuffer(&nb, 4, storage, 8, here ^ 1), storage);
    mdls[2].MdlFlags = 0; /* cannot be mapped */
    assert_ptr_equal(NdisGetDataBuffer(&nb, 4, storage, 1, 0), &memory[4]);
    assert_null(NdisGetDataBuffer(&nb, 5, storage, 1, 0));
    mdls[2].MdlFlags = MDL_MAPPED_TO_SYSTEM_VA;
    nb.DataLength = 40; /* more than there is */
    assert_ptr_equal(NdisGetDataBuffer(&nb, 28, storage, 1, 0), storage);
    assert_null(NdisGetDataBuffer(&nb, 29, storage, 1, 0));
    assert_no_breach();
    nb.CurrentMdl = NULL;
    assert_null(NdisGetDataBuffer(&nb, 1, storage, 1, 0));
    assert_int_equal(nt_lab_breaches(NULL, 0), 1);
}

/* ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_comes_through, set_up),
        cmocka_unit_test_setup(without_handlers_the_filter_is_passed_by, set_up),
        cmocka_unit_test_setup(a_paused_filter_gets_nothing, set_up),
        cmocka_unit_test_setup(deregistration_detaches, set_up),
        cmocka_unit_test_setup(each_mistake_is_noticed, set_up),
        cmocka_unit_test_setup(no_mistake_is_left_out, set_up),
        cmocka_unit_test_setup(races_of_a_filter_are_seen, set_up),
        cmocka_unit_test_setup(storms_of_pause_and_restart, set_up),
        cmocka_unit_test_setup(characteristics_are_checked, set_up),
        cmocka_unit_test_setup(functions_fail_when_they_are_to, set_up),
        cmocka_unit_test_setup(requests_come_down_and_back, set_up),
        cmocka_unit_test_setup(power_comes_and_goes, set_up),
        cmocka_unit_test_setup(a_virtual_adapter_has_no_device, set_up),
        cmocka_unit_test_setup(the_filter_asks_for_timestamps, set_up),
        cmocka_unit_test_setup(values_come_from_the_configuration, set_up),
        cmocka_unit_test_setup(registers_are_the_tests_own, set_up),
        cmocka_unit_test_setup(data_is_contiguous_or_copied, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
