/* SPDX-License-Identifier: MIT */
/*
 * NBLs on their way through the filter and back. A call of lab_send() or lab_receive() is a batch. It crosses
 * the filter in hops, each a chain in one handler call: one hop to the far end (miniport or protocol), and
 * one or more back. Each NBL says where it is in an atomic word, so that whoever passes it on twice loses.
 *
 * A filter here holds nothing: what its handler was given it passes on before it returns, as one chain.
 */
#include "ndis_double.h"

#define AT_DISPATCH 1u /* the same bit in the flags of all four handlers */
#define OTHER_PORT  3u
#define NOT_RUNNING (-1)

AVB_STATIC_ASSERT(NDIS_SEND_FLAGS_DISPATCH_LEVEL == AT_DISPATCH && NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL == AT_DISPATCH &&
                      NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL == AT_DISPATCH &&
                      NDIS_RETURN_FLAGS_DISPATCH_LEVEL == AT_DISPATCH,
                  "one bit says DISPATCH_LEVEL everywhere");

/* One handler call: the chain it is given, and how many of it were passed on. */
struct lab_hop {
    struct lab_batch *batch;
    struct lab_nbl **nbls;
    UINT32 count, done;
    ULONG flags;
    NDIS_PORT_NUMBER port;
    const char *handler;
};

struct lab_batch {
    lab_adapter *adapter;
    const struct lab_chain *chain;
    int received;
    int paused; /* handed to a filter that is paused */
    UINT64 turn;
    struct lab_nbl **nbls;
    struct lab_nbl **far; /* that came to the far end, in this order */
    UINT32 far_count;
    struct lab_hop first;
    /* Only with chain->split: the thread at the far end. */
    struct lab_thread completer;
    KEVENT arrived;
    UINT64 ready; /* NBLs of `far`, atomic */
    UINT64 over;  /* no more will come, atomic */
};

static ULONG dispatch_flag(void)
{
    return KeGetCurrentIrql() == DISPATCH_LEVEL ? AT_DISPATCH : 0;
}

static int is_resources(const struct lab_batch *batch)
{
    return batch->received && batch->chain->resources;
}

/* ---- What the filter passes on ---- */

static const char *misplaced(const struct lab_nbl *nbl, UINT64 from)
{
    UINT64 place = lab_get(&nbl->place);
    if (from == LAB_COMING && (place == LAB_GOING || place == LAB_FAR) && is_resources(nbl->batch))
        return "returned although NDIS_RECEIVE_FLAGS_RESOURCES was set";
    switch (place) {
    case LAB_HOME:
        return "passed on before it was given to the filter";
    case LAB_GOING:
        return "given back by the filter that should have passed it on";
    case LAB_FAR:
        return "passed on twice";
    case LAB_COMING:
        return "passed on again by the filter that should have given it back";
    default:
        return "passed on again after it had been given back";
    }
}

static void breach_at(const struct lab_nbl *nbl, const char *function, const char *detail)
{
    lab_breach_nbl(nbl->batch->adapter, function, detail, nbl->index, nbl->batch->chain->list_count);
}

/* The next one of a chain that the filter passes on. 0: it is not to be passed on, nor is what follows it. */
static int take_one(lab_adapter *adapter, NET_BUFFER_LIST *list, enum lab_place from, enum lab_place to,
                    const char *function, struct lab_hop **hop)
{
    struct lab_nbl *nbl = lab_nbl_of(list);
    if (!nbl) {
        lab_breach_nbl(adapter, function, "an NBL that is not the double's", 0, 0);
        return 0;
    }
    if (nbl->batch->adapter != adapter || (*hop && nbl->hop != *hop)) {
        breach_at(nbl, function, "an NBL of another call in this chain");
        return 0;
    }
    if (!lab_turn(&nbl->place, from, to)) {
        breach_at(nbl, function, misplaced(nbl, from));
        return 0;
    }
    if (!*hop)
        *hop = nbl->hop;
    const char *changed = lab_nbl_changed(nbl);
    if (changed)
        breach_at(nbl, function, changed);
    if ((*hop)->nbls[(*hop)->done++] != nbl)
        breach_at(nbl, function, "not in order");
    return 1;
}

/* A chain that the filter passes on: the hop it belongs to, and how many of it are taken. NULL: none. */
static struct lab_hop *take(lab_adapter *adapter, NET_BUFFER_LIST *list, enum lab_place from, enum lab_place to,
                            const char *function, UINT32 *count)
{
    struct lab_hop *hop = NULL;
    *count = 0;
    while (list && take_one(adapter, list, from, to, function, &hop)) {
        ++*count;
        list = list->Next;
    }
    return hop;
}

static void check_call(const struct lab_hop *hop, const char *function, ULONG flags, ULONG expected)
{
    const lab_adapter *adapter = hop->batch->adapter;
    lab_irql_at_most(adapter, function, DISPATCH_LEVEL);
    if ((flags & AT_DISPATCH) && KeGetCurrentIrql() < DISPATCH_LEVEL)
        lab_breach_nbl(adapter, function, "flags say DISPATCH_LEVEL below it", 0, 0);
    if (flags != expected)
        lab_breach_nbl(adapter, function, "other flags than the handler was given", 0, 0);
}

static void retire_chain(NET_BUFFER_LIST *list, UINT32 count)
{
    for (UINT32 i = 0; i < count; i++) {
        struct lab_nbl *nbl = lab_nbl_of(list);
        list = list->Next;
        lab_nbl_retire(nbl);
    }
}

/* What a handler has not passed on when it returns is taken back. */
static void take_back_kept(const struct lab_hop *hop, enum lab_place place)
{
    for (UINT32 i = 0; i < hop->count; i++) {
        if (lab_turn(&hop->nbls[i]->place, place, LAB_BACK)) {
            breach_at(hop->nbls[i], hop->handler, "returned without passing it on");
            lab_nbl_retire(hop->nbls[i]);
        }
    }
}

/* ---- Handing NBLs to the filter ---- */

static void hand_over(struct lab_hop *hop, enum lab_place place)
{
    for (UINT32 i = 0; i < hop->count; i++) {
        struct lab_nbl *nbl = hop->nbls[i];
        nbl->nbl.Next = i + 1 < hop->count ? &hop->nbls[i + 1]->nbl : NULL;
        nbl->hop = hop;
        lab_nbl_note(nbl);
    }
    for (UINT32 i = 0; i < hop->count; i++)
        lab_put(&hop->nbls[i]->place, place);
}

static void call_back(struct lab_hop *hop)
{
    const struct lab_batch *batch = hop->batch;
    NET_BUFFER_LIST *chain = &hop->nbls[0]->nbl;
    struct lab_call call = lab_call_begin(batch->adapter, hop->handler);
    if (batch->received)
        lab_driver.handlers.ReturnNetBufferListsHandler(batch->adapter->context, chain, hop->flags);
    else
        lab_driver.handlers.SendNetBufferListsCompleteHandler(batch->adapter->context, chain, hop->flags);
    lab_call_end(&call);
}

static int has_second_handler(const struct lab_batch *batch)
{
    return batch->received ? lab_driver.handlers.ReturnNetBufferListsHandler != NULL
                           : lab_driver.handlers.SendNetBufferListsCompleteHandler != NULL;
}

/* What the far end does to an NBL while it has it. */
static void far_end(struct lab_nbl *nbl)
{
    if (nbl->batch->received) {
        nbl->nbl.ProtocolReserved[1] = nbl;
        return;
    }
    nbl->nbl.MiniportReserved[1] = nbl;
    nbl->nbl.Status = nbl->list->status;
    if (lab_ndis_version() >= NDIS_RUNTIME_VERSION_682) {
        NET_BUFFER_LIST_TIMESTAMP stamp = {.Timestamp = nbl->list->timestamp};
        NdisSetNblTimestampInfo(&nbl->nbl, &stamp);
    }
}

/* The far end is done with these of `far`: back through the filter, as one chain. */
static void go_back(struct lab_batch *batch, UINT32 start, UINT32 count)
{
    struct lab_hop hop = {
        .batch = batch,
        .nbls = &batch->far[start],
        .count = count,
        .flags = dispatch_flag(),
        .handler = batch->received ? "FilterReturnNetBufferLists" : "FilterSendNetBufferListsComplete",
    };
    for (UINT32 i = 0; i < count; i++)
        far_end(hop.nbls[i]);
    if (has_second_handler(batch)) {
        hand_over(&hop, LAB_COMING);
        call_back(&hop);
        take_back_kept(&hop, LAB_COMING);
        return;
    }
    for (UINT32 i = 0; i < count; i++) { /* NDIS goes past the filter */
        lab_put(&hop.nbls[i]->place, LAB_BACK);
        lab_nbl_retire(hop.nbls[i]);
    }
}

/* This chain has come to the far end. */
static void arrive(struct lab_batch *batch, NET_BUFFER_LIST *list, UINT32 count)
{
    UINT32 start = batch->far_count;
    for (UINT32 i = 0; i < count; i++, list = list->Next)
        batch->far[batch->far_count++] = lab_nbl_of(list);
    if (is_resources(batch))
        return; /* they are the filter's again when the call returns */
    if (batch->chain->split == 0) {
        go_back(batch, start, count);
        return;
    }
    lab_put(&batch->ready, start + count);
    KeSetEvent(&batch->arrived, 0, FALSE);
}

/* The filter has no business with them at the far end. */
static void check_untouched(const struct lab_batch *batch, UINT32 start, UINT32 count)
{
    for (UINT32 i = start; i < start + count; i++) {
        const char *changed = lab_nbl_changed(batch->far[i]);
        if (changed)
            breach_at(batch->far[i], "at the other end", changed);
    }
}

/* Each second chain goes back at DISPATCH_LEVEL. */
static void go_back_at(struct lab_batch *batch, UINT32 start, UINT32 count, int dispatch)
{
    KIRQL irql = PASSIVE_LEVEL;
    if (dispatch)
        irql = KeRaiseIrqlToDpcLevel();
    go_back(batch, start, count);
    if (dispatch)
        KeLowerIrql(irql);
}

static void completer(void *context)
{
    struct lab_batch *batch = context;
    UINT32 start = 0, chains = (UINT32)batch->turn;
    for (;;) {
        int over = lab_get(&batch->over) != 0; /* before `ready`: what came before is seen */
        UINT32 ready = (UINT32)lab_get(&batch->ready);
        if (start < ready) {
            UINT32 count = ready - start < batch->chain->split ? ready - start : batch->chain->split;
            lab_delay();
            check_untouched(batch, start, count);
            go_back_at(batch, start, count, chains++ % 2 == 0);
            start += count;
        } else if (over) {
            return;
        } else {
            KeWaitForSingleObject(&batch->arrived, Executive, KernelMode, FALSE, NULL);
        }
    }
}

/* ---- A batch ---- */

static struct lab_batch *new_batch(lab_adapter *adapter, const struct lab_chain *chain, int received, int paused)
{
    struct lab_batch *batch = lab_take(sizeof *batch);
    batch->adapter = adapter;
    batch->chain = chain;
    batch->received = received;
    batch->paused = paused;
    batch->turn = lab_count(&adapter->turns);
    batch->nbls = lab_take(2ULL * chain->list_count * sizeof *batch->nbls);
    batch->far = &batch->nbls[chain->list_count];
    const struct lab_frame *frames = chain->frames;
    for (UINT32 i = 0; i < chain->list_count; i++) {
        batch->nbls[i] = lab_nbl_new(batch, i, &chain->lists[i], frames, received);
        frames += chain->lists[i].count;
    }
    KeInitializeEvent(&batch->arrived, SynchronizationEvent, FALSE);
    return batch;
}

static void free_batch(struct lab_batch *batch)
{
    for (UINT32 i = 0; i < batch->chain->list_count; i++) {
        if (!lab_nbl_free(batch->nbls[i])) {
            lab_breach_nbl(batch->adapter, batch->first.handler, "written to after it was passed on", i,
                           batch->chain->list_count);
        }
    }
    lab_give(batch->nbls);
    lab_give(batch);
}

/* Flags say only what is so: those that promise what is in the frames are left out. */
static ULONG first_flags(const struct lab_batch *batch)
{
    ULONG flags = dispatch_flag();
    if (is_resources(batch))
        flags |= NDIS_RECEIVE_FLAGS_RESOURCES;
    if (batch->turn & 2)
        flags |= batch->received ? NDIS_RECEIVE_FLAGS_PERFECT_FILTERED : NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK;
    return flags;
}

static void call_first(struct lab_hop *hop)
{
    const struct lab_batch *batch = hop->batch;
    NET_BUFFER_LIST *chain = &hop->nbls[0]->nbl;
    struct lab_call call = lab_call_begin(batch->adapter, hop->handler);
    if (batch->received) {
        lab_driver.handlers.ReceiveNetBufferListsHandler(batch->adapter->context, chain, hop->port, hop->count,
                                                         hop->flags);
    } else {
        lab_driver.handlers.SendNetBufferListsHandler(batch->adapter->context, chain, hop->port, hop->flags);
    }
    lab_call_end(&call);
}

/* With NDIS_RECEIVE_FLAGS_RESOURCES the NBLs are the miniport's again when the handler has returned. */
static void end_of_resources(const struct lab_hop *hop)
{
    for (UINT32 i = 0; i < hop->count; i++) {
        struct lab_nbl *nbl = hop->nbls[i];
        if (!lab_turn(&nbl->place, LAB_FAR, LAB_BACK))
            continue;
        const char *changed = lab_nbl_changed(nbl);
        if (changed)
            breach_at(nbl, hop->handler, changed);
        lab_nbl_retire(nbl);
    }
}

static void first_hop(struct lab_batch *batch)
{
    batch->first = (struct lab_hop){
        .batch = batch,
        .nbls = batch->nbls,
        .count = batch->chain->list_count,
        .flags = first_flags(batch),
        .port = batch->turn % 3 == 2 ? OTHER_PORT : NDIS_DEFAULT_PORT_NUMBER,
        .handler = batch->received ? "FilterReceiveNetBufferLists" : "FilterSendNetBufferLists",
    };
    struct lab_hop *hop = &batch->first;
    hand_over(hop, LAB_GOING);
    int has_handler = batch->received ? lab_driver.handlers.ReceiveNetBufferListsHandler != NULL
                                      : lab_driver.handlers.SendNetBufferListsHandler != NULL;
    if (has_handler) {
        call_first(hop);
        take_back_kept(hop, LAB_GOING);
    } else {
        for (UINT32 i = 0; i < hop->count; i++)
            lab_put(&hop->nbls[i]->place, LAB_FAR);
        arrive(batch, &hop->nbls[0]->nbl, hop->count);
    }
    if (is_resources(batch))
        end_of_resources(hop);
}

static void first_hop_at(struct lab_batch *batch)
{
    KIRQL irql = PASSIVE_LEVEL;
    if (batch->chain->dispatch)
        irql = KeRaiseIrqlToDpcLevel();
    first_hop(batch);
    if (batch->chain->dispatch)
        KeLowerIrql(irql);
}

static INT32 there_and_back(lab_adapter *adapter, const struct lab_chain *chain, int received, int paused)
{
    struct lab_batch *batch = new_batch(adapter, chain, received, paused);
    if (chain->split > 0)
        lab_thread_start(&batch->completer, completer, batch);
    first_hop_at(batch);
    if (chain->split > 0) {
        lab_put(&batch->over, 1);
        KeSetEvent(&batch->arrived, 0, FALSE);
        lab_thread_join(&batch->completer);
    }
    INT32 reached = (INT32)batch->far_count;
    free_batch(batch);
    return reached;
}

static INT32 run(lab_adapter *adapter, const struct lab_chain *chain, int received)
{
    if (chain->list_count == 0 || !lab_gate_enter(&adapter->traffic))
        return NOT_RUNNING;
    INT32 reached = there_and_back(adapter, chain, received, 0);
    lab_gate_leave(&adapter->traffic);
    return reached;
}

INT32 lab_receive(lab_adapter *adapter, const struct lab_chain *chain)
{
    return run(adapter, chain, 1);
}

INT32 lab_send(lab_adapter *adapter, const struct lab_chain *chain)
{
    return run(adapter, chain, 0);
}

/* Only between lab_pause() and lab_restart(), by their caller. */
INT32 lab_send_while_paused(lab_adapter *adapter, const struct lab_chain *chain)
{
    lab_gate_force(&adapter->traffic);
    INT32 reached = there_and_back(adapter, chain, 0, lab_get(&adapter->state) == LAB_PAUSED);
    lab_gate_leave(&adapter->traffic);
    return reached;
}

/* ---- NDIS's functions ---- */

/* On to the far end. */
static void pass_on(lab_adapter *adapter, NET_BUFFER_LIST *list, const char *function, ULONG flags,
                    NDIS_PORT_NUMBER port)
{
    UINT32 count;
    struct lab_hop *hop = take(adapter, list, LAB_GOING, LAB_FAR, function, &count);
    if (!hop)
        return;
    check_call(hop, function, flags, hop->flags);
    if (port != hop->port)
        lab_breach_nbl(adapter, function, "another port than the handler was given", 0, 0);
    if (hop->batch->paused)
        lab_breach_nbl(adapter, function, "the filter is paused", 0, 0);
    arrive(hop->batch, list, count);
}

VOID NTAPI NdisFSendNetBufferLists(NDIS_HANDLE NdisFilterHandle, NET_BUFFER_LIST *NetBufferLists,
                                   NDIS_PORT_NUMBER PortNumber, ULONG SendFlags)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFSendNetBufferLists");
    if (adapter)
        pass_on(adapter, NetBufferLists, "NdisFSendNetBufferLists", SendFlags, PortNumber);
}

VOID NTAPI NdisFIndicateReceiveNetBufferLists(NDIS_HANDLE NdisFilterHandle, NET_BUFFER_LIST *NetBufferLists,
                                              NDIS_PORT_NUMBER PortNumber, ULONG NumberOfNetBufferLists,
                                              ULONG ReceiveFlags)
{
    static const char function[] = "NdisFIndicateReceiveNetBufferLists";
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, function);
    if (!adapter)
        return;
    const struct lab_nbl *first = NetBufferLists ? lab_nbl_of(NetBufferLists) : NULL;
    if (first && lab_get(&first->place) == LAB_GOING && NumberOfNetBufferLists != first->hop->count)
        lab_breach_nbl(adapter, function, "another number of NBLs than the handler was given", 0, 0);
    pass_on(adapter, NetBufferLists, function, ReceiveFlags, PortNumber);
}

/*
 * Not passed on, but given back: what a filter that is pausing or paused does with what reaches it. Sends
 * are completed with NDIS_STATUS_PAUSED.
 */
static void reject(lab_adapter *adapter, NET_BUFFER_LIST *list, const char *function, ULONG flags)
{
    for (NET_BUFFER_LIST *each = list; each; each = each->Next) {
        struct lab_nbl *nbl = lab_nbl_of(each);
        if (!nbl || lab_get(&nbl->place) != LAB_GOING)
            break;
        if (nbl->batch->received)
            continue;
        if (nbl->nbl.Status != NDIS_STATUS_PAUSED)
            breach_at(nbl, function, "given back by a paused filter with another status than NDIS_STATUS_PAUSED");
        nbl->before.Status = nbl->nbl.Status;
    }
    UINT32 count;
    struct lab_hop *hop = take(adapter, list, LAB_GOING, LAB_BACK, function, &count);
    if (!hop)
        return;
    check_call(hop, function, flags, flags & AT_DISPATCH);
    if (!hop->batch->paused && lab_gate_is_open(&adapter->traffic))
        breach_at(hop->nbls[0], function, "given back by a running filter that should have passed it on");
    retire_chain(list, count);
}

static void complete(NDIS_HANDLE handle, NET_BUFFER_LIST *list, const char *function, ULONG flags)
{
    lab_adapter *adapter = lab_adapter_of(handle, function);
    if (!adapter)
        return;
    const struct lab_nbl *first = list ? lab_nbl_of(list) : NULL;
    if (first && lab_get(&first->place) == LAB_GOING && !is_resources(first->batch)) {
        reject(adapter, list, function, flags);
        return;
    }
    UINT32 count;
    struct lab_hop *hop = take(adapter, list, LAB_COMING, LAB_BACK, function, &count);
    if (!hop)
        return;
    check_call(hop, function, flags, hop->flags);
    retire_chain(list, count);
}

VOID NTAPI NdisFSendNetBufferListsComplete(NDIS_HANDLE NdisFilterHandle, NET_BUFFER_LIST *NetBufferLists,
                                           ULONG SendCompleteFlags)
{
    complete(NdisFilterHandle, NetBufferLists, "NdisFSendNetBufferListsComplete", SendCompleteFlags);
}

VOID NTAPI NdisFReturnNetBufferLists(NDIS_HANDLE NdisFilterHandle, NET_BUFFER_LIST *NetBufferLists, ULONG ReturnFlags)
{
    complete(NdisFilterHandle, NetBufferLists, "NdisFReturnNetBufferLists", ReturnFlags);
}

/* ---- Cancelling sends ---- */

/* Passes through the filter once, with the same identifier; nothing here is queued that could be cancelled. */
int lab_cancel_sends(lab_adapter *adapter)
{
    if (!lab_gate_enter(&adapter->module))
        return 0;
    PVOID id = (PVOID)(ULONG_PTR)(0xCA11000000000000ULL | lab_count(&adapter->turns));
    int passed = 1;
    if (lab_driver.handlers.CancelSendNetBufferListsHandler) {
        lab_put(&adapter->cancelled, 0);
        struct lab_call call = lab_call_begin(adapter, "FilterCancelSendNetBufferLists");
        lab_driver.handlers.CancelSendNetBufferListsHandler(adapter->context, id);
        lab_call_end(&call);
        passed = lab_get(&adapter->cancelled) == (UINT64)(ULONG_PTR)id;
        if (!passed)
            lab_breach(adapter, "FilterCancelSendNetBufferLists: not passed on");
    }
    lab_gate_leave(&adapter->module);
    return passed;
}

VOID NTAPI NdisFCancelSendNetBufferLists(NDIS_HANDLE NdisFilterHandle, PVOID CancelId)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFCancelSendNetBufferLists");
    if (adapter && !lab_turn(&adapter->cancelled, 0, (UINT64)(ULONG_PTR)CancelId))
        lab_breach(adapter, "NdisFCancelSendNetBufferLists: passed on twice, or nothing was cancelled");
}
