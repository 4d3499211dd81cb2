/* SPDX-License-Identifier: MIT */
/* Writes inputs of fuzz_ioctl, each a short life of the driver: ioctl_seeds DIRECTORY */
#include "ioctl_input.h"
#include "seeds.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct seed {
    const char *name;
    unsigned char steps[24][IOCTL_INPUT_STEP];
};

/* What is not written is a step OPEN of what is open already, which does nothing. */
static const struct seed seeds[] = {
    {"monitors",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN},
      {IOCTL_ENABLE},
      {IOCTL_RECEIVE, 0, 5},
      {IOCTL_SEND, 0, 3},
      {IOCTL_READ},
      {IOCTL_STATISTICS},
      {IOCTL_CLOCKS},
      {IOCTL_DISABLE},
      {IOCTL_STATISTICS},
      {IOCTL_CLOSE},
      {IOCTL_DETACH}}},
    {"settings-not-read", /* the ring has its default capacity then */
     {{IOCTL_FAIL, 1}, {IOCTL_ATTACH}, {IOCTL_RUN}, {IOCTL_OPEN}, {IOCTL_ENABLE}, {IOCTL_STATISTICS}}},
    {"does-not-wake",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_FAIL, 1},
      {IOCTL_POWER},
      {IOCTL_RECEIVE},
      {IOCTL_FAIL},
      {IOCTL_POWER},
      {IOCTL_RECEIVE}}},
    {"two-owners",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN, 0, 0},
      {IOCTL_OPEN, 1, 1},
      {IOCTL_ENABLE, 0, 0},
      {IOCTL_ENABLE, 1, 1},
      {IOCTL_DISABLE, 1, 1},
      {IOCTL_STATISTICS, 1, 1},
      {IOCTL_KILL, 0},
      {IOCTL_ENABLE, 1, 1},
      {IOCTL_RECEIVE, 0, 9}}},
    {"duplicated",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN},
      {IOCTL_DUPLICATE, 0, 1},
      {IOCTL_ENABLE},
      {IOCTL_CLOSE},
      {IOCTL_RECEIVE, 0, 1},
      {IOCTL_READ},
      {IOCTL_STATISTICS, 0, 1},
      {IOCTL_CLOSE, 0, 1},
      {IOCTL_RECEIVE, 0, 1}}},
    {"detached",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN},
      {IOCTL_ENABLE},
      {IOCTL_RECEIVE, 0, 2},
      {IOCTL_DETACH},
      {IOCTL_DISABLE},
      {IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_STATISTICS},
      {IOCTL_OPEN, 1, 0},
      {IOCTL_ENABLE, 1, 0},
      {IOCTL_CLOSE},
      {IOCTL_RECEIVE, 0, 2},
      {IOCTL_READ}}},
    {"overflow",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN},
      {IOCTL_ENABLE},
      {IOCTL_RECEIVE, 0, 15},
      {IOCTL_RECEIVE, 0, 15},
      {IOCTL_SEND, 0, 15},
      {IOCTL_SEND, 0, 15},
      {IOCTL_RECEIVE, 0, 15},
      {IOCTL_STATISTICS},
      {IOCTL_READ},
      {IOCTL_RECEIVE, 0, 1},
      {IOCTL_LIE, 0, 3},
      {IOCTL_RECEIVE, 0, 15},
      {IOCTL_LIE, 0, 1},
      {IOCTL_SEND, 0, 15}}},
    {"failures",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN},
      {IOCTL_FAIL, 3},
      {IOCTL_ENABLE},
      {IOCTL_FAIL, 9},
      {IOCTL_ENABLE},
      {IOCTL_FAIL, 17},
      {IOCTL_ENABLE},
      {IOCTL_ENABLE},
      {IOCTL_RECEIVE, 0, 2},
      {IOCTL_FAIL, 2},
      {IOCTL_ATTACH, 1},
      {IOCTL_ATTACH, 1},
      {IOCTL_FAIL, 1},
      {IOCTL_OPEN, 1, 1, 1}}},
    {"odd",
     {{IOCTL_ATTACH},
      {IOCTL_OPEN},
      {IOCTL_ENABLE, 0, 0, 1},
      {IOCTL_ENABLE, 0, 0, 2},
      {IOCTL_ODD, 0, 0, 0},
      {IOCTL_ODD, 0, 0, 77},
      {IOCTL_ODD, 0, 0, 130},
      {IOCTL_ODD, 0, 0, 255},
      {IOCTL_OPEN, 1, 0, IOCTL_ANOTHER_NAME},
      {IOCTL_OPEN, 1, 0, IOCTL_ANOTHER_NAME + 3}}},
    {"again",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN},
      {IOCTL_ENABLE},
      {IOCTL_RECEIVE, 0, 7},
      {IOCTL_DISABLE},
      {IOCTL_ENABLE},
      {IOCTL_STATISTICS},
      {IOCTL_SEND, 0, 2},
      {IOCTL_READ},
      {IOCTL_ASK, 0, 0, 0},
      {IOCTL_ASK, 0, 2, 1},
      {IOCTL_ASK, 0, 3, 2},
      {IOCTL_KILL},
      {IOCTL_DETACH}}},
    {"stamps",
     {{IOCTL_ATTACH},
      {IOCTL_RUN},
      {IOCTL_OPEN},
      {IOCTL_ENABLE},
      {IOCTL_CONFIGURE, 0, 0, 3},
      {IOCTL_RECEIVE, 0, 3},
      {IOCTL_SEND, 0, 3},
      {IOCTL_CLOCKS},
      {IOCTL_ASK, 0, 1, 1},
      {IOCTL_POWER},
      {IOCTL_SEND, 0, 2},
      {IOCTL_READ},
      {IOCTL_RUN},
      {IOCTL_SEND, 0, 2},
      {IOCTL_CLOCKS},
      {IOCTL_RUN}}},
};

static int write_seed(const char *directory, const struct seed *seed)
{
    return seed_write(directory, seed->name, "", 0, seed->steps, sizeof seed->steps);
}

/* Each call of an operation fails once: enable where `last` says so, else attach. */
static int write_failures(const char *directory, unsigned char last, unsigned count)
{
    static char name[32];
    struct seed seed = {name,
                        {{IOCTL_ATTACH},
                         {IOCTL_RUN},
                         {IOCTL_OPEN},
                         {IOCTL_FAIL},
                         {last, 1},
                         {last, 1},
                         {IOCTL_ATTACH},
                         {IOCTL_ENABLE},
                         {IOCTL_RECEIVE, 0, 3},
                         {IOCTL_READ},
                         {IOCTL_STATISTICS}}};
    for (unsigned n = 0; n < count; n++) {
        snprintf(name, sizeof name, "failure-%u-%u", last, n);
        seed.steps[3][1] = (unsigned char)n;
        if (last == IOCTL_ENABLE)
            seed.steps[4][1] = seed.steps[5][1] = 0;
        if (!write_seed(directory, &seed))
            return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    int refused = seeds_begin(argc, argv);
    if (refused != 0)
        return refused;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        if (!write_seed(argv[1], &seeds[i]))
            return 1;
    }
    return write_failures(argv[1], IOCTL_ENABLE, 24) && write_failures(argv[1], IOCTL_ATTACH, 10) ? 0 : 1;
}
