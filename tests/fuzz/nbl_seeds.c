/* SPDX-License-Identifier: MIT */
/* Writes the hand-made frames as inputs of fuzz_nbl, two files each: nbl_seeds DIRECTORY */
#include "nbl_input.h"
#include "vectors/frames.h"
#include "seeds.h"

#include <stdio.h>
#include <string.h>

#define ALL_HARDWARE 0x0300u /* AllReceiveHw, AllTransmitHw */
#define ALL_SOFTWARE 0x1800u

/* A tag as it lies in NDIS_NET_BUFFER_LIST_8021Q_INFO. */
static unsigned raw_tag(uint32_t tag)
{
    return (tag >> 13 & 7) | (tag >> 12 & 1) << 3 | (tag & 0xFFF) << 4;
}

/* Cuts where headers often end, so that mutations move borders that matter; sent ones in one piece. */
static void fill_header(uint8_t header[NBL_INPUT_HEADER], const struct frame_vector *vector, unsigned sent)
{
    unsigned tag = vector->tag ? raw_tag(vector->tag) : 0, flags = sent ? ALL_HARDWARE : ALL_SOFTWARE;
    memset(header, 0, NBL_INPUT_HEADER);
    header[0] = (uint8_t)(sent ? NBL_SENT : NBL_DISPATCH | NBL_NEAR_NOW);
    header[1] = (uint8_t)sent;
    header[2] = (uint8_t)flags;
    header[3] = (uint8_t)(flags >> 8);
    header[4] = (uint8_t)tag;
    header[5] = (uint8_t)(tag >> 8);
    header[8] = 1;
    header[12] = sent ? 0 : 4;
    header[13] = 14;
    header[15] = 20;
    header[16] = 8;
    header[28] = 100;
    header[34] = (uint8_t)sent; /* far from the counter */
}

static int write_seed(const char *directory, const struct frame_vector *vector, unsigned sent)
{
    char name[256];
    uint8_t header[NBL_INPUT_HEADER];
    snprintf(name, sizeof name, "%s-%s", vector->name, sent ? "sent" : "received");
    fill_header(header, vector, sent);
    return seed_write(directory, name, header, sizeof header, vector->bytes, vector->captured);
}

int main(int argc, char **argv)
{
    int refused = seeds_begin(argc, argv);
    if (refused != 0)
        return refused;
    for (size_t i = 0; i < frame_vector_count; i++) {
        if (!write_seed(argv[1], &frame_vectors[i], 0) || !write_seed(argv[1], &frame_vectors[i], 1))
            return 1;
    }
    return 0;
}
