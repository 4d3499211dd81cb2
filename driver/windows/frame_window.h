/* SPDX-License-Identifier: MIT */
/* The parser's view of a NET_BUFFER: however its MDLs are cut, the first AVB_PTP_WINDOW bytes in one piece. */
#ifndef AVB_FRAME_WINDOW_H
#define AVB_FRAME_WINDOW_H

#include "nt.h"

#include <avb/avb_ptp_ioctl.h>

#include "frame_read.h"

/* The result for a NET_BUFFER whose bytes cannot be had; no value of enum avb_frame_kind. */
#define AVB_FRAME_UNREADABLE AVB_FRAME_KINDS

/*
 * Classifies the frame in the NET_BUFFER and fills `event` as avb_frame_read() says. `tag`: the out-of-band VLAN
 * tag, 0 or AVB_TAG(TCI). The buffer is only read.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) enum avb_frame_kind
    AvbReadFrame(_In_ NET_BUFFER *buffer, _In_ UINT32 tag, _Out_ PTP_TIMESTAMP_EVENT *event);

/* The first `length` bytes where they lie, if that is one mapped piece; else NULL. */
static inline const UINT8 *AvbBytesInPlace(_In_ const NET_BUFFER *buffer, _In_ UINT32 length)
{
    MDL *mdl = NET_BUFFER_CURRENT_MDL(buffer);
    UINT32 offset = NET_BUFFER_CURRENT_MDL_OFFSET(buffer);
    if (!mdl || !(mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) ||
        (UINT64)offset + length > mdl->ByteCount)
        return NULL;
    return (const UINT8 *)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute) + offset;
}

/* Whether all frames of the list are surely foreign, by a first look in place: most are, and cost no more than this. */
static inline int AvbIsForeignAtAGlance(_In_ const NET_BUFFER_LIST *list)
{
    for (const NET_BUFFER *buffer = NET_BUFFER_LIST_FIRST_NB(list); buffer; buffer = NET_BUFFER_NEXT_NB(buffer)) {
        const UINT8 *bytes;
        if (NET_BUFFER_DATA_LENGTH(buffer) < AVB_FIRST_LOOK || !(bytes = AvbBytesInPlace(buffer, AVB_FIRST_LOOK)) ||
            !avb_is_surely_foreign(bytes))
            return 0;
    }
    return 1;
}

/* The tag that NDIS keeps beside the frames of a list. A TCI of 0 cannot be told from no tag. */
static inline UINT32 AvbTagOf(_In_ const NET_BUFFER_LIST *list)
{
    NDIS_NET_BUFFER_LIST_8021Q_INFO info = {.Value = list->NetBufferListInfo[Ieee8021QNetBufferListInfo]};
    if (!info.Value)
        return 0;
    UINT32 tci =
        (UINT32)(info.TagHeader.UserPriority << 13 | info.TagHeader.CanonicalFormatId << 12 | info.TagHeader.VlanId);
    return tci ? AVB_TAG(tci) : 0;
}

#endif
