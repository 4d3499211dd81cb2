/* SPDX-License-Identifier: MIT */
/*
 * OID requests: those that pass through, as clones, and the driver's own.
 * What passes through is changed by nobody; a change of the adapter's power is noticed.
 */
#ifndef AVB_OID_H
#define AVB_OID_H

#include "adapter.h"

FILTER_OID_REQUEST AvbFilterOidRequest;
FILTER_CANCEL_OID_REQUEST AvbFilterCancelOidRequest;
FILTER_OID_REQUEST_COMPLETE AvbFilterOidRequestComplete;

/*
 * Asks the adapter and waits for the answer, at most `bytes`, of which *written come.
 * NDIS lets no filter be detached while its own request is under way.
 */
_IRQL_requires_(PASSIVE_LEVEL) NDIS_STATUS
    AvbQueryOid(_In_ NDIS_HANDLE filter, _In_ NDIS_OID oid, _Out_writes_bytes_(bytes) void *answer, _In_ UINT32 bytes,
                _Out_ UINT32 *written);

#endif
