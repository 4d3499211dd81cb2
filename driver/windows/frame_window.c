/* SPDX-License-Identifier: MIT */
#include "frame_window.h"

struct window {
    const UINT8 *bytes;
    UINT32 length;
};

static long LoadFromWindow(const void *frame, UINT32 offset, void *to, UINT32 length)
{
    const struct window *window = frame;
    if (offset > window->length || length > window->length - offset)
        return -1;
    __builtin_memcpy(to, &window->bytes[offset], length);
    return 0;
}

__attribute__((noinline)) static enum avb_frame_kind Read(const UINT8 *bytes, UINT32 held, UINT32 length, UINT32 tag,
                                                          PTP_TIMESTAMP_EVENT *event)
{
    struct window window = {bytes, held};
    return avb_frame_read(&window, LoadFromWindow, length, tag, event);
}

/* Whether the MDLs have what the buffer says: NdisGetDataBuffer() may take its word for it. */
static int HoldsBytes(const NET_BUFFER *buffer, UINT32 length)
{
    const MDL *mdl = NET_BUFFER_CURRENT_MDL(buffer);
    UINT64 wanted = (UINT64)NET_BUFFER_CURRENT_MDL_OFFSET(buffer) + length, held = 0;
    if (!mdl || NET_BUFFER_CURRENT_MDL_OFFSET(buffer) > mdl->ByteCount) /* other drivers have been seen to make such */
        return 0;
    for (; mdl && held < wanted; mdl = mdl->Next)
        held += mdl->ByteCount;
    return held >= wanted;
}

/* In pieces, or not mapped yet. Foreign frames, which are many, are copied no further than a first look needs. */
__attribute__((noinline)) static enum avb_frame_kind ReadCopied(NET_BUFFER *buffer, UINT32 held, UINT32 length,
                                                                UINT32 tag, PTP_TIMESTAMP_EVENT *event)
{
    UINT8 storage[AVB_PTP_WINDOW];
    if (!HoldsBytes(buffer, held))
        return AVB_FRAME_UNREADABLE;
    if (held >= AVB_FIRST_LOOK) {
        const UINT8 *first = NdisGetDataBuffer(buffer, AVB_FIRST_LOOK, storage, 1, 0);
        if (!first)
            return AVB_FRAME_UNREADABLE;
        if (avb_is_surely_foreign(first))
            return AVB_FRAME_FOREIGN;
    }
    const UINT8 *bytes = NdisGetDataBuffer(buffer, held, storage, 1, 0);
    return bytes ? Read(bytes, held, length, tag, event) : AVB_FRAME_UNREADABLE;
}

enum avb_frame_kind AvbReadFrame(NET_BUFFER *buffer, UINT32 tag, PTP_TIMESTAMP_EVENT *event)
{
    UINT32 length = NET_BUFFER_DATA_LENGTH(buffer), held = length < AVB_PTP_WINDOW ? length : AVB_PTP_WINDOW;
    if (length < AVB_ETHERNET_HEADER)
        return AVB_FRAME_FOREIGN;
    const UINT8 *bytes = AvbBytesInPlace(buffer, held);
    return bytes ? Read(bytes, held, length, tag, event) : ReadCopied(buffer, held, length, tag, event);
}
