/* SPDX-License-Identifier: MIT */
/* Values as text for people: times, addresses, identities, colours. */
#ifndef PTPMON_CLI_FORMAT_H
#define PTPMON_CLI_FORMAT_H

#include <ptpmon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- Colours ---- */

enum format_style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_RX, STYLE_TX, STYLES };

/* The values of --color, in this order: "auto", "always", "never"; ends with NULL. */
extern const char *const format_colour_names[];
enum format_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* Auto: only on a terminal, unless NO_COLOR is set and not empty or TERM is "dumb". */
void format_colour_setup(enum format_colour colour, FILE *stream);

/* The escape sequence that begins a style, STYLE_PLAIN ends all; "" without colours. */
const char *format_style(enum format_style style);

/* Columns of the terminal that `stream` is, 0 = no terminal or not known. */
unsigned format_terminal_width(FILE *stream);

/* ---- Values; each writes a terminated string to `text` and returns it ---- */

#define FORMAT_TIME_SIZE     48
#define FORMAT_MAC_SIZE      18
#define FORMAT_IDENTITY_SIZE 26
#define FORMAT_LATENCY_SIZE  32

/* "HH:MM:SS.nnnnnnnnn" of UTC ns since 1970, as local wall clock or as UTC. */
char *format_time_of_day(int64_t utc_ns, bool local, char text[static FORMAT_TIME_SIZE]);

/* "YYYY-MM-DD HH:MM:SS.nnnnnnnnn" of ns since 1970 on a scale that the caller names. */
char *format_date(int64_t ns, char text[static FORMAT_TIME_SIZE]);

/* "1234.000000123", with a sign if negative. */
char *format_seconds(int64_t ns, char text[static FORMAT_TIME_SIZE]);

/* "12.468": microseconds, exact to the ns. */
char *format_microseconds(int64_t ns, char text[static FORMAT_LATENCY_SIZE]);

/* "02:00:5e:10:00:01" */
char *format_mac(const uint8_t mac[static 6], char text[static FORMAT_MAC_SIZE]);

/* "a2b3c4.fffe.d5e6f7-1", as linuxptp writes a port identity. */
char *format_port_identity(const uint8_t clockIdentity[static 8], uint16_t portNumber,
                           char text[static FORMAT_IDENTITY_SIZE]);

/* Bytes of the UTF-8 sequence at `text`, which is terminated by 0; 0 = not well-formed. */
size_t format_utf8_length(const unsigned char *text);

/* Copies `raw`, which need not be UTF-8; '?' stands for what a terminal would obey or cannot show. */
char *format_printable(const char *raw, char *text, size_t size);

/* Columns that a printable text takes, one for each character. */
size_t format_width(const char *text);

/* "by_software_time" -> "by software time" */
char *format_words(const char *name, char *text, size_t size);

/* The abbreviation of the local time zone now: "CET". Static storage. */
const char *format_time_zone(void);

const char *format_interface_kind(ptpmon_interface_kind kind); /* "ethernet", "bond"... */
const char *format_transport(uint8_t transport);               /* "ethernet", "udp_ipv4", "udp_ipv6" */
const char *format_direction(uint8_t direction);               /* "rx", "tx", "unknown" */
const char *format_stamp_kind(uint8_t stamp);                  /* "registers", "metadata"; NULL = no hardware stamp */

#endif
