/* SPDX-License-Identifier: MIT */
/* Writes the hand-made frames as inputs of fuzz_frame, one file each: frame_seeds DIRECTORY */
#include "frame_input.h"
#include "vectors/frames.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
    char path[4096];
    uint8_t header[FRAME_INPUT_HEADER];
    snprintf(path, sizeof path, "%s/%s", directory, vector->name);
    fill_header(header, vector);

    FILE *file = fopen(path, "wb");
    int written = file != NULL && fwrite(header, 1, sizeof header, file) == sizeof header &&
                  fwrite(vector->bytes, 1, vector->captured, file) == vector->captured;
    if (file != NULL && fclose(file) != 0)
        written = 0;
    if (!written)
        fprintf(stderr, "%s: cannot write it: %s\n", path, strerror(errno));
    return written;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    if (mkdir(argv[1], 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "%s: cannot make the directory: %s\n", argv[1], strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < frame_vector_count; i++) {
        if (!write_seed(argv[1], &frame_vectors[i]))
            return 1;
    }
    return 0;
}
