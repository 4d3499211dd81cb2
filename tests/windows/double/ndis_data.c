/* SPDX-License-Identifier: MIT */
/*
 * NdisGetDataBuffer(): on the measured path of a filter, so the common case comes first and does little. A bare
 * NET_BUFFER is enough for it: nothing of the double is asked.
 */
#include "ndis_double.h"

/* Not inlined: the common case saves no registers for it. */
__attribute__((noinline)) static UINT8 *copy_out(const NET_BUFFER *nb, UINT32 bytes, UINT8 *storage)
{
    const MDL *mdl = nb->CurrentMdl;
    UINT32 offset = nb->CurrentMdlOffset, copied = 0;
    while (copied < bytes && mdl) {
        UINT32 here = mdl->ByteCount > offset ? mdl->ByteCount - offset : 0;
        if (here > bytes - copied)
            here = bytes - copied;
        if (here > 0) {
            const UINT8 *from = lab_mdl_address(mdl);
            if (!from)
                return NULL;
            RtlCopyMemory(&storage[copied], &from[offset], here);
        }
        copied += here;
        offset = 0;
        mdl = mdl->Next;
    }
    return copied == bytes ? storage : NULL; /* the MDLs hold less than DataLength says */
}

PVOID NTAPI NdisGetDataBuffer(NET_BUFFER *NetBuffer, ULONG BytesNeeded, PVOID Storage, ULONG AlignMultiple,
                              ULONG AlignOffset)
{
    const MDL *mdl = NetBuffer->CurrentMdl;
    if (NetBuffer->DataLength < BytesNeeded || BytesNeeded == 0)
        return NULL;
    if (!mdl) {
        nt_lab_breach("NdisGetDataBuffer: a NET_BUFFER without MDLs");
        return NULL;
    }
    if (mdl->ByteCount >= NetBuffer->CurrentMdlOffset && mdl->ByteCount - NetBuffer->CurrentMdlOffset >= BytesNeeded) {
        UINT8 *address = lab_mdl_address(mdl);
        if (!address)
            return NULL;
        address += NetBuffer->CurrentMdlOffset;
        if (AlignMultiple <= 1 || ((ULONG_PTR)address & (AlignMultiple - 1)) == AlignOffset)
            return address;
    }
    return Storage ? copy_out(NetBuffer, BytesNeeded, Storage) : NULL;
}
