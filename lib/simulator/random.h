/* SPDX-License-Identifier: MIT */
/* Numbers that look random and follow from a seed (SplitMix64), and distributions made of them in integers. */
#ifndef PTPMON_LIB_SIMULATOR_RANDOM_H
#define PTPMON_LIB_SIMULATOR_RANDOM_H

#include "fixed.h"

struct sim_random {
    uint64_t state;
};

static inline uint64_t sim_random_next(struct sim_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* A stream of its own for each use: what one draws does not move the others. */
static inline struct sim_random sim_random_of(uint64_t seed, uint64_t stream)
{
    struct sim_random random = {seed ^ (stream + 1) * UINT64_C(0xD1342543DE82EF95)};
    return (struct sim_random){sim_random_next(&random)};
}

/* -bound..bound; bound >= 0 */
static inline int64_t sim_random_symmetric(struct sim_random *random, int64_t bound)
{
    return bound == 0 ? 0 : (int64_t)(sim_random_next(random) % ((uint64_t)bound * 2 + 1)) - bound;
}

/* Whole ns, half the mean to one and a half of it. */
static inline sim_time sim_random_latency(struct sim_random *random, sim_time mean)
{
    int64_t ns = mean / SIM_NS;
    return (ns + sim_random_symmetric(random, ns / 2)) * SIM_NS;
}

/* True with a probability of chance / 2^32. */
static inline bool sim_random_chance(struct sim_random *random, uint64_t chance)
{
    return chance != 0 && (sim_random_next(random) >> 32) < chance;
}

/* About Gaussian: the sum of twelve even ones, so never beyond six sigma. sigma < 2^44 */
#define SIM_GAUSSIAN_MAX 6
static inline int64_t sim_random_gaussian(struct sim_random *random, int64_t sigma)
{
    if (sigma == 0)
        return 0;
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t bits = sim_random_next(random);
        sum += (int64_t)((bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48));
    }
    /* The sum's mean is 6 * 65535, its sigma 65536. */
    return sim_floor_divide((sum - 6 * 65535) * (sigma >> 8) + sim_floor_divide((sum - 6 * 65535) * (sigma & 255), 256),
                            256);
}

/* Exponential; never beyond 23 times the mean. mean < 2^40 */
static inline int64_t sim_random_exponential(struct sim_random *random, int64_t mean)
{
    /* -log2(u / 2^32) in 2^-16: its whole part by shifting, the rest by squaring (u in [2^31, 2^32) stands for
     * [1, 2)). */
    uint64_t u = (sim_random_next(random) >> 32) | 1;
    int64_t log2 = 32 << 16;
    int whole = 31;
    for (; u >> 31 == 0; u <<= 1)
        whole--;
    log2 -= (int64_t)whole << 16;
    for (int bit = 15; bit >= 0; bit--) {
        u = u * u >> 31;
        if (u >> 32 != 0) {
            u >>= 1;
            log2 -= INT64_C(1) << bit;
        }
    }
    int64_t natural = log2 * 45426 >> 16; /* * ln 2 */
    return (mean >> 16) * natural + ((mean & 0xFFFF) * natural >> 16);
}

#endif
