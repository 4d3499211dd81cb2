/* SPDX-License-Identifier: MIT */
/* Fuzzes the PTP frame parser: any frame, in any pieces, with any tag and length on the wire. */
#include "frame_input.h"
#include "fuzz.h"
#include "vectors/frame_check.h"

#include <stdio.h>
#include <stdlib.h>

static UINT16 two(const uint8_t *bytes)
{
    return (UINT16)(bytes[0] << 8 | bytes[1]);
}

static UINT32 wire_length(const uint8_t *input, UINT32 captured)
{
    INT64 length = (INT64)captured + (int16_t)two(input + 3);
    return length < 0 ? 0 : (UINT32)length;
}

/* Cuts the frame as the input says; returns the number of pieces. */
static UINT32 cut(const uint8_t *input, const uint8_t *frame, UINT32 captured, struct avb_fragment *pieces)
{
    UINT32 cuts = input[5] % (FRAME_INPUT_CUTS + 1), at = 0;
    for (UINT32 i = 0; i < cuts; i++) {
        UINT32 length = input[6 + i] < captured - at ? input[6 + i] : captured - at;
        pieces[i] = (struct avb_fragment){frame + at, length};
        at += length;
    }
    pieces[cuts] = (struct avb_fragment){frame + at, captured - at};
    return cuts + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < FRAME_INPUT_HEADER || size - FRAME_INPUT_HEADER > UINT16_MAX)
        return 0;
    struct avb_fragment pieces[FRAME_INPUT_CUTS + 1];
    UINT32 captured = (UINT32)(size - FRAME_INPUT_HEADER);
    UINT32 count = cut(input, input + FRAME_INPUT_HEADER, captured, pieces);
    UINT32 tag = input[0] & 1 ? AVB_TAG(two(input + 1)) : 0;

    const char *problem = frame_check(pieces, count, wire_length(input, captured), tag);
    if (problem != NULL) {
        fprintf(stderr, "fuzz_frame: %s\n", problem);
        abort();
    }
    return 0;
}
