/* SPDX-License-Identifier: MIT */
#include "frame.h"

struct fragments {
    const struct avb_fragment *first;
    UINT32 count;
};

static long load_from_fragments(const void *frame, UINT32 offset, void *to, UINT32 length)
{
    const struct fragments *fragments = frame;
    UINT8 *out = to;
    for (UINT32 i = 0; i < fragments->count && length > 0; i++) {
        const struct avb_fragment *piece = &fragments->first[i];
        if (offset >= piece->length) {
            offset -= piece->length;
            continue;
        }
        UINT32 here = piece->length - offset < length ? piece->length - offset : length;
        for (UINT32 j = 0; j < here; j++)
            *out++ = piece->bytes[offset + j];
        length -= here;
        offset = 0;
    }
    return length == 0 ? 0 : -1;
}

enum avb_frame_kind avb_frame_parse(const struct avb_fragment *fragments, UINT32 count, UINT32 length, UINT32 tag,
                                    PTP_TIMESTAMP_EVENT *event)
{
    struct fragments frame = {fragments, count};
    return avb_frame_read(&frame, load_from_fragments, length, tag, event);
}
