/* SPDX-License-Identifier: MIT */
/* The PTP parser for frames in memory, contiguous or in fragments. See frame_read.h. */
#ifndef AVB_CORE_FRAME_H
#define AVB_CORE_FRAME_H

#include "frame_read.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A piece of a frame. Pieces may be empty; their bytes follow one another. */
struct avb_fragment {
    const UINT8 *bytes;
    UINT32 length;
};

/*
 * Classifies the frame that `count` fragments hold and fills `event` as avb_frame_read() says.
 * Nothing outside the fragments is read, wherever their borders lie.
 */
enum avb_frame_kind avb_frame_parse(const struct avb_fragment *fragments, UINT32 count, UINT32 length, UINT32 tag,
                                    PTP_TIMESTAMP_EVENT *event);

#ifdef __cplusplus
}
#endif
#endif
