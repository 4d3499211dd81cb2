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

/* The tag that NDIS keeps beside the frames of a list. A TCI of 0 cannot be told from no tag. */
static inline UINT32 AvbTagOf(_In_ const NET_BUFFER_LIST *list)
{
    NDIS_NET_BUFFER_LIST_8021Q_INFO info = {.Value = list->NetBufferListInfo[Ieee8021QNetBufferListInfo]};
    UINT32 tci =
        (UINT32)(info.TagHeader.UserPriority << 13 | info.TagHeader.CanonicalFormatId << 12 | info.TagHeader.VlanId);
    return tci ? AVB_TAG(tci) : 0;
}

#endif
