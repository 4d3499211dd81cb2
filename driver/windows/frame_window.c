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

/* The first `length` bytes in one piece: where they lie, or copied to `storage`. */
static const UINT8 *FirstBytes(NET_BUFFER *buffer, UINT32 length, UINT8 *storage)
{
    return NdisGetDataBuffer(buffer, length, storage, 1, 0);
}

/* Apart, so that a foreign frame does not pay for it. */
__attribute__((noinline)) static enum avb_frame_kind ReadClosely(NET_BUFFER *buffer, UINT32 length, UINT32 tag,
                                                                 PTP_TIMESTAMP_EVENT *event)
{
    UINT8 storage[AVB_PTP_WINDOW];
    struct window window = {.length = length < sizeof storage ? length : sizeof storage};
    window.bytes = FirstBytes(buffer, window.length, storage);
    if (!window.bytes)
        return AVB_FRAME_UNREADABLE;
    return avb_frame_read(&window, LoadFromWindow, length, tag, event);
}

enum avb_frame_kind AvbReadFrame(NET_BUFFER *buffer, UINT32 tag, PTP_TIMESTAMP_EVENT *event)
{
    UINT32 length = NET_BUFFER_DATA_LENGTH(buffer);
    if (length < AVB_ETHERNET_HEADER)
        return AVB_FRAME_FOREIGN;
    if (!NET_BUFFER_CURRENT_MDL(buffer)) /* other drivers have been seen to make such */
        return AVB_FRAME_UNREADABLE;
    if (length >= AVB_FIRST_LOOK) {
        UINT8 storage[AVB_FIRST_LOOK];
        const UINT8 *first = FirstBytes(buffer, AVB_FIRST_LOOK, storage);
        if (!first)
            return AVB_FRAME_UNREADABLE;
        if (avb_is_surely_foreign(first))
            return AVB_FRAME_FOREIGN;
    }
    return ReadClosely(buffer, length, tag, event);
}
