/* SPDX-License-Identifier: MIT */
#include "analysis_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRACTIONS 65536
/* 10^16 / 2^16: so many units of the 16th decimal is each 2^-16. */
#define DECIMALS          16
#define UNITS_OF_FRACTION UINT64_C(152587890625)

/* Without the sign; true: it is negative. */
static bool split(ptpmon_time time, uint64_t *whole, uint64_t *fraction)
{
    bool negative = time.ns < 0;
    *whole = (uint64_t)time.ns;
    *fraction = time.fraction & (FRACTIONS - 1);
    if (negative) { /* -1 ns + 3/4 ns is -0.25 */
        *whole = 0 - *whole - (*fraction != 0);
        *fraction = (FRACTIONS - *fraction) & (FRACTIONS - 1);
    }
    return negative;
}

char *analysis_decimal(ptpmon_time time, char text[static ANALYSIS_NUMBER_SIZE])
{
    uint64_t whole, fraction;
    bool negative = split(time, &whole, &fraction);
    int length = snprintf(text, ANALYSIS_NUMBER_SIZE, "%s%" PRIu64, negative ? "-" : "", whole);
    if (fraction == 0)
        return text;
    length += snprintf(text + length, ANALYSIS_NUMBER_SIZE - (size_t)length, ".%0*" PRIu64, DECIMALS,
                       fraction * UNITS_OF_FRACTION);
    while (text[length - 1] == '0')
        text[--length] = 0;
    return text;
}

char *analysis_tenths(ptpmon_time time, char text[static ANALYSIS_NUMBER_SIZE])
{
    uint64_t whole, fraction;
    bool negative = split(time, &whole, &fraction);
    uint64_t tenths = (fraction * 10 + FRACTIONS / 2) / FRACTIONS;
    whole += tenths / 10;
    tenths %= 10;
    snprintf(text, ANALYSIS_NUMBER_SIZE, "%s%" PRIu64 ".%" PRIu64, negative && whole + tenths > 0 ? "-" : "", whole,
             tenths);
    return text;
}

char *analysis_number(double value, int decimals, char text[static ANALYSIS_NUMBER_SIZE])
{
    if (!analysis_is_number(value)) {
        snprintf(text, ANALYSIS_NUMBER_SIZE, "-");
        return text;
    }
    snprintf(text, ANALYSIS_NUMBER_SIZE, fabs(value) < 1e18 ? "%.*f" : "%.*e", decimals, value);
    if (text[0] == '-' && strspn(text, "-0.") == strlen(text)) /* "-0.0" */
        memmove(text, text + 1, strlen(text));
    return text;
}

/* Rounded down, whatever the sign. */
ptpmon_time analysis_of_scaled(int64_t scaled)
{
    int64_t fraction = scaled % FRACTIONS;
    if (fraction < 0)
        fraction += FRACTIONS;
    return (ptpmon_time){(scaled - fraction) / FRACTIONS, (uint32_t)fraction};
}

/* The decimals behind the point, in 2^-16, rounded; 65536 is one more. */
static uint32_t fraction_of(const char *digits)
{
    double value = 0;
    for (size_t i = strlen(digits); i-- > 0;)
        value = (value + (digits[i] - '0')) / 10;
    return (uint32_t)(value * FRACTIONS + 0.5);
}

bool analysis_parse_ns(const char *text, ptpmon_time *time)
{
    static const char digit[] = "0123456789";
    bool negative = *text == '-';
    const char *whole = text + (negative || *text == '+');
    size_t length = strspn(whole, digit);
    const char *decimals = whole[length] == '.' ? whole + length + 1 : "";
    if (length == 0 || length > 18)
        return false;
    if (*decimals == 0 ? whole[length] != 0 : decimals[strspn(decimals, digit)] != 0)
        return false;
    uint32_t fraction = fraction_of(decimals);
    int64_t ns = (int64_t)strtoull(whole, NULL, 10) + fraction / FRACTIONS;
    fraction %= FRACTIONS;
    if (negative)
        *time = (ptpmon_time){-ns - (fraction != 0), (FRACTIONS - fraction) % FRACTIONS};
    else
        *time = (ptpmon_time){ns, fraction};
    return true;
}

bool analysis_same_port(const ptpmon_port_identity *a, const ptpmon_port_identity *b)
{
    return a->portNumber == b->portNumber && memcmp(a->clockIdentity, b->clockIdentity, sizeof a->clockIdentity) == 0;
}

const char *analysis_port_text(const ptpmon_port_identity *port, char text[static FORMAT_IDENTITY_SIZE])
{
    static const ptpmon_port_identity unknown;
    return analysis_same_port(port, &unknown) ? NULL
                                              : format_port_identity(port->clockIdentity, port->portNumber, text);
}
