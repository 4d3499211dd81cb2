/* SPDX-License-Identifier: MIT */
#include "format.h"

#include "cli.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const format_colour_names[] = {"auto", "always", "never", NULL};

static bool colours;

void format_colour_setup(enum format_colour colour, FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    bool refused = no_color != NULL && *no_color != 0;
    colours = colour == COLOUR_ALWAYS || (colour == COLOUR_AUTO && terminal_has_colours(stream) && !refused);
}

const char *format_style(enum format_style style)
{
    static const char *const sequences[STYLES] = {
        [STYLE_PLAIN] = "\033[0m", [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m", [STYLE_GOOD] = "\033[32m",
        [STYLE_WARN] = "\033[33m", [STYLE_BAD] = "\033[1;31m", [STYLE_RX] = "\033[36m", [STYLE_TX] = "\033[35m",
    };
    return colours ? sequences[style] : "";
}

unsigned format_terminal_width(FILE *stream)
{
    return terminal_columns(stream);
}

/* Seconds rounded down, so that the rest is in [0, 1 s) for negative times too. */
static int64_t floor_seconds(int64_t ns, unsigned *rest)
{
    int64_t seconds = ns / NS_PER_S;
    int64_t remainder = ns % NS_PER_S;
    if (remainder < 0) {
        seconds--;
        remainder += NS_PER_S;
    }
    *rest = (unsigned)remainder;
    return seconds;
}

static char *broken_down(int64_t ns, bool local, const char *pattern, char text[static FORMAT_TIME_SIZE])
{
    unsigned rest;
    struct tm parts = {0};
    time_t seconds = (time_t)floor_seconds(ns, &rest);
    if (local)
        localtime_r(&seconds, &parts);
    else
        gmtime_r(&seconds, &parts);
    size_t length = strftime(text, FORMAT_TIME_SIZE, pattern, &parts);
    snprintf(text + length, FORMAT_TIME_SIZE - length, ".%09u", rest);
    return text;
}

char *format_time_of_day(int64_t utc_ns, bool local, char text[static FORMAT_TIME_SIZE])
{
    return broken_down(utc_ns, local, "%H:%M:%S", text);
}

char *format_date(int64_t ns, char text[static FORMAT_TIME_SIZE])
{
    return broken_down(ns, false, "%Y-%m-%d %H:%M:%S", text);
}

/* ns in units of 10^digits ns with that many decimals. */
static char *fixed_point(int64_t ns, uint64_t unit, int digits, char *text, size_t size)
{
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    snprintf(text, size, "%s%" PRIu64 ".%0*" PRIu64, ns < 0 ? "-" : "", magnitude / unit, digits, magnitude % unit);
    return text;
}

char *format_seconds(int64_t ns, char text[static FORMAT_TIME_SIZE])
{
    return fixed_point(ns, NS_PER_S, 9, text, FORMAT_TIME_SIZE);
}

char *format_microseconds(int64_t ns, char text[static FORMAT_LATENCY_SIZE])
{
    return fixed_point(ns, 1000, 3, text, FORMAT_LATENCY_SIZE);
}

char *format_mac(const uint8_t mac[static 6], char text[static FORMAT_MAC_SIZE])
{
    snprintf(text, FORMAT_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return text;
}

char *format_port_identity(const uint8_t clockIdentity[static 8], uint16_t portNumber,
                           char text[static FORMAT_IDENTITY_SIZE])
{
    const uint8_t *id = clockIdentity;
    snprintf(text, FORMAT_IDENTITY_SIZE, "%02x%02x%02x.%02x%02x.%02x%02x%02x-%u", id[0], id[1], id[2], id[3], id[4],
             id[5], id[6], id[7], portNumber);
    return text;
}

/* Well-formed sequences are those of table 3-7 of the Unicode standard. */
size_t format_utf8_length(const unsigned char *text)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t length;
    if (text[0] < 0x80)
        return 1;
    if (text[0] >= 0xC2 && text[0] <= 0xDF) {
        length = 2;
    } else if (text[0] >= 0xE0 && text[0] <= 0xEF) {
        length = 3;
        low = text[0] == 0xE0 ? 0xA0 : 0x80;
        high = text[0] == 0xED ? 0x9F : 0xBF;
    } else if (text[0] >= 0xF0 && text[0] <= 0xF4) {
        length = 4;
        low = text[0] == 0xF0 ? 0x90 : 0x80;
        high = text[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    }
    return length;
}

char *format_printable(const char *raw, char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)raw;
    size_t length = 0;
    while (*at != 0) {
        size_t bytes = format_utf8_length(at);
        bool control = at[0] < 0x20 || at[0] == 0x7F || (at[0] == 0xC2 && at[1] < 0xA0);
        const void *shown = bytes == 0 || control ? (const void *)"?" : at;
        size_t shown_bytes = shown == at ? bytes : 1;
        if (length + shown_bytes >= size)
            break;
        memcpy(text + length, shown, shown_bytes);
        length += shown_bytes;
        at += bytes == 0 ? 1 : bytes;
    }
    text[length] = 0;
    return text;
}

size_t format_width(const char *text)
{
    size_t width = 0;
    for (; *text != 0; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

char *format_words(const char *name, char *text, size_t size)
{
    snprintf(text, size, "%s", name);
    for (char *at = text; *at != 0; at++) {
        if (*at == '_')
            *at = ' ';
    }
    return text;
}

const char *format_time_zone(void)
{
    static char zone[16];
    struct tm parts = {0};
    time_t now = time(NULL);
    localtime_r(&now, &parts);
    bool known = strftime(zone, sizeof zone, "%Z", &parts) != 0;
    for (const char *at = zone; known && *at != 0; at++) /* some systems have names, and not in UTF-8 */
        known = *at > ' ' && *at < 0x7F;
    if (!known)
        snprintf(zone, sizeof zone, "local");
    return zone;
}

const char *format_interface_kind(ptpmon_interface_kind kind)
{
    static const char *const names[] = {
        [PTPMON_KIND_ETHERNET] = "ethernet", [PTPMON_KIND_VETH] = "veth", [PTPMON_KIND_BRIDGE] = "bridge",
        [PTPMON_KIND_BOND] = "bond",         [PTPMON_KIND_VLAN] = "vlan", [PTPMON_KIND_LOOPBACK] = "loopback",
        [PTPMON_KIND_OTHER] = "other",
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "other";
}

const char *format_transport(uint8_t transport)
{
    static const char *const names[] = {
        [AVB_TRANSPORT_ETHERNET] = "ethernet",
        [AVB_TRANSPORT_UDP_IPV4] = "udp_ipv4",
        [AVB_TRANSPORT_UDP_IPV6] = "udp_ipv6",
    };
    return transport < sizeof names / sizeof *names ? names[transport] : "unknown";
}

const char *format_direction(uint8_t direction)
{
    if (direction == AVB_DIRECTION_RX)
        return "rx";
    return direction == AVB_DIRECTION_TX ? "tx" : "unknown";
}

const char *format_stamp_kind(uint8_t stamp)
{
    switch (stamp & AVB_STAMP_KIND_MASK) {
    case AVB_STAMP_NONE:
        return NULL;
    case AVB_STAMP_REGISTERS:
        return "registers";
    case AVB_STAMP_METADATA:
        return "metadata";
    default:
        return "unknown";
    }
}
