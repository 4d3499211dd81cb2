/* SPDX-License-Identifier: MIT */
/*
 * A filter that passes everything on, and on demand does one thing wrong: for the test of the NDIS
 * double, which must notice each.
 */
#ifndef PTPMON_TESTS_LAB_FILTER_H
#define PTPMON_TESTS_LAB_FILTER_H

#include "nt.h"

enum wrong {
    NOTHING_WRONG,
    /* FilterSendNetBufferLists */
    SEND_DROPS_ONE,
    SEND_DROPS_ALL,
    SEND_REORDERS,
    SEND_TWICE,
    SEND_SPLITS,
    SEND_CHANGES_FLAG,
    SEND_CHANGES_SLOT,
    SEND_CHANGES_STATUS,
    SEND_CHANGES_BYTE,
    SEND_CHANGES_OFFSET,
    SEND_CHANGES_MDL,
    SEND_WITH_OTHER_FLAGS,
    SEND_SAYS_DISPATCH,
    SEND_TO_OTHER_PORT,
    SEND_OF_ITS_OWN,
    SEND_TOUCHES_AFTERWARDS,
    SEND_WITH_FOREIGN_HANDLE,
    SEND_RAISES_IRQL,
    SEND_COMPLETES_WHILE_RUNNING,
    SEND_PASSES_WHILE_PAUSED,
    SEND_COMPLETES_WITH_SUCCESS,
    /* FilterSendNetBufferListsComplete */
    COMPLETE_TWICE,
    COMPLETE_KEEPS_ONE,
    COMPLETE_CHANGES_STATUS,
    COMPLETE_CHANGES_STAMP,
    COMPLETE_TOUCHES_AFTERWARDS,
    COMPLETE_SENDS_AGAIN,
    /* FilterReceiveNetBufferLists, FilterReturnNetBufferLists */
    RECEIVE_DROPS_ONE,
    RECEIVE_MISCOUNTS,
    RECEIVE_RETURNS_RESOURCES,
    RECEIVE_CLEARS_RESOURCES,
    RECEIVE_CHANGES_RESOURCES,
    RETURN_KEEPS_ALL,
    RETURN_TWICE,
    /* OID requests */
    OID_KEEPS_CLONE,
    OID_FREES_CLONE_TWICE,
    OID_COMPLETES_TWICE,
    OID_NEVER_COMPLETES,
    OID_FORGETS_REQUEST_ID,
    OID_CHANGES_CLONE,
    OID_FORGETS_RESULTS,
    OID_CHANGES_ORIGINAL,
    OID_OTHER_STATUS,
    OID_SENDS_ORIGINAL,
    OID_FREES_CLONE_UNDER_WAY,
    OID_PRETENDS,
    OID_FORGETS_CANCEL,
    OID_CANCELS_TWICE,
    OID_CANCELS_ANOTHER,
    OID_SENDS_CLONE_TWICE,
    OID_COMPLETES_ANOTHER,
    OID_COMPLETES_AS_PENDING,
    OID_IN_ATTACH,
    /* Indications and events */
    STATUS_DROPS,
    STATUS_TWICE,
    STATUS_CHANGES,
    PNP_DROPS,
    STATUS_CHANGES_AFTERWARDS,
    STATUS_OF_ITS_OWN,
    CANCEL_DROPS,
    CANCEL_TWICE,
    /* Life */
    ATTACH_WITHOUT_ATTRIBUTES,
    ATTACH_SETS_ATTRIBUTES_TWICE,
    ATTACH_LEAVES_CONFIGURATION_OPEN,
    ATTACH_OPENS_CONFIGURATION_AT_DISPATCH,
    ATTACH_KEEPS_BUS_INTERFACE,
    ATTACH_DROPS_BUS_INTERFACE_TWICE,
    ATTACH_USES_BUS_INTERFACE_AFTERWARDS,
    PAUSE_FAILS,
    PAUSE_KEEPS_CLONE,
    RESTART_PENDS,
    DETACH_WITH_REQUEST,
    DETACH_THEN_INDICATES,
    /* For ThreadSanitizer to notice */
    SEND_COUNTS_PLAINLY
};

/* What the filter does wrong from now on. */
extern enum wrong wrong;
/* Handlers are not there: the filter is passed by. Before registration. */
extern int without_data_handlers, without_oid_handlers;

/* One attached module. */
struct lab_filter {
    NDIS_HANDLE handle;
    DEVICE_OBJECT *device; /* MiniportPhysicalDeviceObject */
    NDIS_HANDLE other;     /* of another module, for SEND_WITH_FOREIGN_HANDLE */
    UINT64 paused;         /* atomic */
    UINT64 count;          /* NBLs that its first handlers saw; atomic */
    UINT64 plain_count;    /* of SEND_COUNTS_PLAINLY */
    int detached;
};

/* The newest attached; it stays valid memory. */
extern struct lab_filter *newest_filter;

NDIS_FILTER_DRIVER_CHARACTERISTICS filter_characteristics(void);
NDIS_STATUS filter_register(void);
void filter_deregister(void);

/* A query of the filter's own, which waits for the answer. */
NDIS_STATUS filter_query(struct lab_filter *filter, NDIS_OID oid, void *answer, UINT32 bytes, UINT32 *written);

#endif
