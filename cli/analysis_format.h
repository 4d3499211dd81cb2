/* SPDX-License-Identifier: MIT */
/* Quantities of an analysis as text: times exact to 2^-16 ns, and numbers as people read them. */
#ifndef PTPMON_CLI_ANALYSIS_FORMAT_H
#define PTPMON_CLI_ANALYSIS_FORMAT_H

#include "format.h"

#include <float.h>
#include <math.h>
#include <ptpmon_analysis.h>
#include <stdbool.h>

#define ANALYSIS_NUMBER_SIZE 48

/* A number, not NaN and not infinite. The macros of <math.h> give warnings on some systems. */
static inline bool analysis_is_number(double value)
{
    return fabs(value) <= DBL_MAX;
}

/* ns as a decimal, exact: at most 16 decimals, and no zeros at the end: "-12.5", "8". */
char *analysis_decimal(ptpmon_time time, char text[static ANALYSIS_NUMBER_SIZE]);

/* ns with one decimal, rounded to the nearest: "-12.5", "8.0". */
char *analysis_tenths(ptpmon_time time, char text[static ANALYSIS_NUMBER_SIZE]);

/* Of ns, or of ppm, with so many decimals; "-" where it is not finite. */
char *analysis_number(double value, int decimals, char text[static ANALYSIS_NUMBER_SIZE]);

/* Of a correctionField: 2^-16 ns. */
ptpmon_time analysis_of_scaled(int64_t scaled);

/* "-12.5", "1000": ns, a decimal of either sign within +-10^18, to the nearest 2^-16 ns. False: not of this form. */
bool analysis_parse_ns(const char *text, ptpmon_time *time);

bool analysis_same_port(const ptpmon_port_identity *a, const ptpmon_port_identity *b);

/* As format_port_identity(); NULL: it is not known, all 0. */
const char *analysis_port_text(const ptpmon_port_identity *port, char text[static FORMAT_IDENTITY_SIZE]);

#endif
