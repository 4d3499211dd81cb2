/* SPDX-License-Identifier: MIT */
/* Writes the hand-made frames as inputs of fuzz_frame, one file each: frame_seeds DIRECTORY */
#include "frame_input.h"
#include "vectors/frames.h"
#include "seeds.h"

#include <stdio.h>
#include <string.h>

/* Three cuts where headers often end, so that mutations move borders that matter. */
static void fill_header(uint8_t header[FRAME_INPUT_HEADER], const struct frame_vector *vector)
{
    uint32_t missing = vector->length - vector->captured;
    const uint8_t filled[FRAME_INPUT_HEADER] = {vector->tag != 0,
                                                (uint8_t)(vector->tag >> 8),
                                                (uint8_t)vector->tag,
                                                (uint8_t)(missing >> 8),
                                                (uint8_t)missing,
                                                3,
                                                14,
                                                20,
                                                8};
    memcpy(header, filled, sizeof filled);
}

static int write_seed(const char *directory, const struct frame_vector *vector)
{
    uint8_t header[FRAME_INPUT_HEADER];
    fill_header(header, vector);
    return seed_write(directory, vector->name, header, sizeof header, vector->bytes, vector->captured);
}

int main(int argc, char **argv)
{
    int refused = seeds_begin(argc, argv);
    if (refused != 0)
        return refused;
    for (size_t i = 0; i < frame_vector_count; i++) {
        if (!write_seed(argv[1], &frame_vectors[i]))
            return 1;
    }
    return 0;
}
