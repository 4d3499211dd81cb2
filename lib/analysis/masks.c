/* SPDX-License-Identifier: MIT */
/*
 * Limits of time error, ns.
 *
 * G.8273.2 (T-BC and T-TSC, noise generation; 7.1): dTE_L at constant temperature up to 1000 s, MTIE at variable
 * temperature up to 10000 s. Of class D only max|TE_L| is given. G.8272 (PRTC-A, PRTC-B) and G.8272.1 (ePRTC), 6.1 and
 * 6.2: in locked mode, with no end of tau. What is not in this table is not a limit that these Recommendations would
 * not have: it was not verified. docs/quantities.md shows the table.
 */
#include "error.h"

#include <math.h>
#include <ptpmon_analysis.h>
#include <string.h>

/* One line of a mask: constant + slope * tau, for tau below `until`, or up to it. Lines of one kind are in order. */
struct limit {
    ptpmon_limit_kind kind;
    enum { ANY, BELOW, UP_TO, BEYOND } range; /* ANY: does not depend on tau. BEYOND: the lines before it */
    double until, constant, slope;
};

struct mask {
    const char *name;
    const struct limit *limits;
    size_t count;
};

static const struct limit class_a[] = {
    {PTPMON_LIMIT_MAX_TE, ANY, 0, 100, 0},
    {PTPMON_LIMIT_CTE, ANY, 0, 50, 0},
    {PTPMON_LIMIT_DTE_LOW_MTIE, UP_TO, 10000, 40, 0},
    {PTPMON_LIMIT_DTE_LOW_TDEV, UP_TO, 1000, 4, 0},
    {PTPMON_LIMIT_DTE_HIGH_PP, ANY, 0, 70, 0},
};

static const struct limit class_b[] = {
    {PTPMON_LIMIT_MAX_TE, ANY, 0, 70, 0},
    {PTPMON_LIMIT_CTE, ANY, 0, 20, 0},
    {PTPMON_LIMIT_DTE_LOW_MTIE, UP_TO, 10000, 40, 0},
    {PTPMON_LIMIT_DTE_LOW_TDEV, UP_TO, 1000, 4, 0},
    {PTPMON_LIMIT_DTE_HIGH_PP, ANY, 0, 70, 0},
};

static const struct limit class_c[] = {
    {PTPMON_LIMIT_MAX_TE, ANY, 0, 30, 0},
    {PTPMON_LIMIT_CTE, ANY, 0, 10, 0},
    {PTPMON_LIMIT_DTE_LOW_MTIE, UP_TO, 10000, 10, 0},
    {PTPMON_LIMIT_DTE_LOW_TDEV, UP_TO, 1000, 2, 0},
    {PTPMON_LIMIT_DTE_HIGH_PP, ANY, 0, 30, 0},
};

static const struct limit class_d[] = {
    {PTPMON_LIMIT_MAX_TE_LOW, ANY, 0, 5, 0},
};

static const struct limit prtc_a[] = {
    {PTPMON_LIMIT_MAX_TE, ANY, 0, 100, 0},     {PTPMON_LIMIT_MTIE, BELOW, 273, 25, 0.275},
    {PTPMON_LIMIT_MTIE, BEYOND, 0, 100, 0},    {PTPMON_LIMIT_TDEV, BELOW, 100, 3, 0},
    {PTPMON_LIMIT_TDEV, BELOW, 1000, 0, 0.03}, {PTPMON_LIMIT_TDEV, BEYOND, 0, 30, 0},
};

static const struct limit prtc_b[] = {
    {PTPMON_LIMIT_MAX_TE, ANY, 0, 40, 0},     {PTPMON_LIMIT_MTIE, BELOW, 54.5, 25, 0.275},
    {PTPMON_LIMIT_MTIE, BEYOND, 0, 40, 0},    {PTPMON_LIMIT_TDEV, BELOW, 100, 1, 0},
    {PTPMON_LIMIT_TDEV, BELOW, 500, 0, 0.01}, {PTPMON_LIMIT_TDEV, BEYOND, 0, 5, 0},
};

static const struct limit eprtc[] = {
    {PTPMON_LIMIT_MAX_TE, ANY, 0, 30, 0},
    {PTPMON_LIMIT_MTIE, UP_TO, 1, 4, 0},
    {PTPMON_LIMIT_MTIE, UP_TO, 100, 3.89, 0.11114},
    {PTPMON_LIMIT_MTIE, UP_TO, 400000, 15, 0.0375e-3},
    {PTPMON_LIMIT_MTIE, BEYOND, 0, 30, 0},
    {PTPMON_LIMIT_TDEV, BELOW, 30000, 1, 0},
    {PTPMON_LIMIT_TDEV, BELOW, 300000, 0, 1.0 / 30000},
    {PTPMON_LIMIT_TDEV, BEYOND, 0, 10, 0},
};

#define LIMITS_OF(table) table, sizeof(table) / sizeof *(table)

static const struct mask masks[] = {
    {"G.8273.2-A", LIMITS_OF(class_a)}, {"G.8273.2-B", LIMITS_OF(class_b)}, {"G.8273.2-C", LIMITS_OF(class_c)},
    {"G.8273.2-D", LIMITS_OF(class_d)}, {"PRTC-A", LIMITS_OF(prtc_a)},      {"PRTC-B", LIMITS_OF(prtc_b)},
    {"ePRTC", LIMITS_OF(eprtc)},
};

#define MASKS (sizeof masks / sizeof *masks)

const char *ptpmon_te_mask_name(size_t index)
{
    return index < MASKS ? masks[index].name : NULL;
}

static const struct mask *find_mask(const char *name)
{
    for (size_t i = 0; name && i < MASKS; i++)
        if (strcmp(masks[i].name, name) == 0)
            return &masks[i];
    return NULL;
}

static bool covers(const struct limit *limit, double tau)
{
    if (limit->range == ANY)
        return true;
    if (!(tau > 0 && tau < INFINITY))
        return false;
    return limit->range == BEYOND || tau < limit->until || (limit->range == UP_TO && tau <= limit->until);
}

ptpmon_status ptpmon_te_limit(const char *name, ptpmon_limit_kind kind, double tau, double *limit_ns)
{
    const struct mask *mask = find_mask(name);
    if (!mask)
        return ptpmon_fail(PTPMON_INVALID, "%s: no such mask; G.8273.2-A and PRTC-A are two", name ? name : "mask");
    for (size_t i = 0; i < mask->count; i++) {
        const struct limit *limit = &mask->limits[i];
        if (limit->kind == kind && covers(limit, tau)) {
            *limit_ns = limit->range == ANY ? limit->constant : limit->constant + limit->slope * tau;
            return PTPMON_OK;
        }
    }
    return PTPMON_NOTHING;
}
