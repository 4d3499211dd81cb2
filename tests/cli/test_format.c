/* SPDX-License-Identifier: MIT */
/* Values as text: times of every sign and zone, addresses, what a terminal must not get, colours. */
#include "format.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void set_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } dates[] = {
        {0, "1970-01-01 00:00:00.000000000"},
        {1, "1970-01-01 00:00:00.000000001"},
        {-1, "1969-12-31 23:59:59.999999999"},
        {-1000000000, "1969-12-31 23:59:59.000000000"},
        {-1000000001, "1969-12-31 23:59:58.999999999"},
        {1700000000123456789, "2023-11-14 22:13:20.123456789"},
        {-2208988800000000000, "1900-01-01 00:00:00.000000000"},
        {INT64_MAX, "2262-04-11 23:47:16.854775807"},
        {INT64_MIN, "1677-09-21 00:12:43.145224192"},
    };
    set_zone("XXX-5"); /* dates are on the scale that the caller names, not local */
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        char text[FORMAT_TIME_SIZE];
        assert_string_equal(format_date(dates[i].ns, text), dates[i].text);
        assert_string_equal(format_time_of_day(dates[i].ns, false, text), dates[i].text + 11);
    }
}

static void test_local_time(void **state)
{
    (void)state;
    char text[FORMAT_TIME_SIZE];
    set_zone("XXX-5:30");
    assert_string_equal(format_time_of_day(1700000000123456789, true, text), "03:43:20.123456789");
    assert_string_equal(format_time_of_day(-1, true, text), "05:29:59.999999999");
    assert_string_equal(format_time_of_day(-1, false, text), "23:59:59.999999999");
    assert_string_equal(format_time_zone(), "XXX");
    set_zone("YYYY8");
    assert_string_equal(format_time_of_day(0, true, text), "16:00:00.000000000");
    assert_string_equal(format_time_zone(), "YYYY");
}

static void test_seconds_and_microseconds(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *seconds, *microseconds;
    } numbers[] = {
        {0, "0.000000000", "0.000"},
        {1, "0.000000001", "0.001"},
        {-1, "-0.000000001", "-0.001"},
        {12468, "0.000012468", "12.468"},
        {-999, "-0.000000999", "-0.999"},
        {-1000, "-0.000001000", "-1.000"},
        {1234000000123, "1234.000000123", "1234000000.123"},
        {INT64_MAX, "9223372036.854775807", "9223372036854775.807"},
        {INT64_MIN, "-9223372036.854775808", "-9223372036854775.808"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char seconds[FORMAT_TIME_SIZE], microseconds[FORMAT_LATENCY_SIZE];
        assert_string_equal(format_seconds(numbers[i].ns, seconds), numbers[i].seconds);
        assert_string_equal(format_microseconds(numbers[i].ns, microseconds), numbers[i].microseconds);
    }
}

static void test_addresses_and_identities(void **state)
{
    (void)state;
    char text[FORMAT_IDENTITY_SIZE];
    static const uint8_t mac[6] = {0x02, 0x00, 0x5E, 0x10, 0x00, 0xFF};
    static const uint8_t identity[8] = {0xA2, 0xB3, 0x04, 0xFF, 0xFE, 0x05, 0xE6, 0xF7};
    static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    assert_string_equal(format_mac(mac, text), "02:00:5e:10:00:ff");
    assert_string_equal(format_port_identity(identity, 1, text), "a2b304.fffe.05e6f7-1");
    assert_string_equal(format_port_identity(identity, 0, text), "a2b304.fffe.05e6f7-0");
    assert_string_equal(format_port_identity(ones, 65535, text), "ffffff.ffff.ffffff-65535");
}

/* Against the definition: decoded, in range, no surrogate, in the shortest form. */
static size_t utf8_length_by_definition(const unsigned char *text)
{
    unsigned first = text[0];
    size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = length == 1 ? first : first & (0x7Fu >> length);
    if (length == 0)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        point = point << 6 | (text[i] & 0x3Fu);
    }
    bool legal = point >= least[length] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    return legal ? length : 0;
}

static void test_utf8_is_told_from_what_is_none(void **state)
{
    (void)state;
    static const unsigned char edges[] = {0, 1, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE0, 0xFF};
    const size_t count = sizeof edges;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            for (size_t n = 0; n < count * count; n++) {
                unsigned char text[5] = {(unsigned char)first, (unsigned char)second, edges[n / count],
                                         edges[n % count], 0};
                assert_int_equal(format_utf8_length(text), utf8_length_by_definition(text));
            }
        }
    }
}

static void test_printable(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *text;
    } texts[] = {
        {"eth0", "eth0"},
        {"", ""},
        {"a b~", "a b~"},
        {"a\033[31mb", "a?[31mb"},
        {"a\nb\tc\177", "a?b?c?"},
        {"\302\233m", "?m"}, /* CSI as one character */
        {"\302\240", "\302\240"},
        {"caf\303\251", "caf\303\251"},
        {"\377\376x", "??x"},
        {"\303", "?"},
        {"\360\237\220\247", "\360\237\220\247"},
        {"\355\240\200", "???"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(format_printable(texts[i].raw, text, sizeof text), texts[i].text);
    /* Cut between characters. */
    assert_string_equal(format_printable("abcdef", text, 4), "abc");
    assert_string_equal(format_printable("ab\303\251", text, 4), "ab");
    assert_string_equal(format_printable("ab\303\251", text, 5), "ab\303\251");
    assert_string_equal(format_printable("abc", text, 1), "");
    assert_int_equal(format_width("caf\303\251 \360\237\220\247"), 6);
    assert_int_equal(format_width(""), 0);
}

static void test_words(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(format_words("by_software_time", text, sizeof text), "by software time");
    assert_string_equal(format_words("matched", text, sizeof text), "matched");
    assert_string_equal(format_words("by_software_time", text, 5), "by s");
    assert_string_equal(format_transport(AVB_TRANSPORT_ETHERNET), "ethernet");
    assert_string_equal(format_transport(AVB_TRANSPORT_UDP_IPV4), "udp_ipv4");
    assert_string_equal(format_transport(AVB_TRANSPORT_UDP_IPV6), "udp_ipv6");
    assert_string_equal(format_transport(3), "unknown");
    assert_string_equal(format_direction(AVB_DIRECTION_RX), "rx");
    assert_string_equal(format_direction(AVB_DIRECTION_TX), "tx");
    assert_string_equal(format_direction(AVB_DIRECTION_UNKNOWN), "unknown");
    assert_null(format_stamp_kind(AVB_STAMP_VLAN | AVB_STAMP_LATE));
    assert_string_equal(format_stamp_kind(AVB_STAMP_REGISTERS | AVB_STAMP_VLAN), "registers");
    assert_string_equal(format_stamp_kind(AVB_STAMP_METADATA), "metadata");
    assert_string_equal(format_stamp_kind(7), "unknown");
    assert_string_equal(format_interface_kind(PTPMON_KIND_ETHERNET), "ethernet");
    assert_string_equal(format_interface_kind(PTPMON_KIND_BOND), "bond");
    assert_string_equal(format_interface_kind(PTPMON_KIND_OTHER), "other");
    assert_string_equal(format_interface_kind((ptpmon_interface_kind)(PTPMON_KIND_OTHER + 1)), "other");
}

/* A terminal of 132 columns that is nobody's controlling one. */
static FILE *open_terminal(int *master)
{
    const struct winsize size = {.ws_col = 132, .ws_row = 40};
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*master >= 0);
    assert_int_equal(grantpt(*master), 0);
    assert_int_equal(unlockpt(*master), 0);
    int terminal = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0);
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    return fdopen(terminal, "w");
}

static bool coloured(enum format_colour colour, FILE *stream, const char *no_color, const char *term)
{
    if (no_color == NULL)
        unsetenv("NO_COLOR");
    else
        setenv("NO_COLOR", no_color, 1);
    if (term == NULL)
        unsetenv("TERM");
    else
        setenv("TERM", term, 1);
    format_colour_setup(colour, stream);
    bool any = *format_style(STYLE_BAD) != 0;
    for (int style = 0; style < STYLES; style++)
        assert_int_equal(format_style((enum format_style)style)[0], any ? 033 : 0);
    return any;
}

static void test_colours(void **state)
{
    (void)state;
    int master;
    FILE *terminal = open_terminal(&master), *file = tmpfile();
    assert_non_null(terminal);
    assert_non_null(file);

    assert_true(coloured(COLOUR_AUTO, terminal, NULL, "xterm"));
    assert_true(coloured(COLOUR_AUTO, terminal, "", "xterm"));
    assert_false(coloured(COLOUR_AUTO, terminal, "1", "xterm"));
    assert_false(coloured(COLOUR_AUTO, terminal, NULL, "dumb"));
    assert_false(coloured(COLOUR_AUTO, terminal, NULL, NULL));
    assert_false(coloured(COLOUR_AUTO, file, NULL, "xterm"));
    /* What was asked for outright counts. */
    assert_true(coloured(COLOUR_ALWAYS, file, "1", "dumb"));
    assert_false(coloured(COLOUR_NEVER, terminal, NULL, "xterm"));

    assert_int_equal(format_terminal_width(terminal), 132);
    assert_int_equal(format_terminal_width(file), 0);
    fclose(terminal);
    fclose(file);
    close(master);
}

static void test_styles_differ_and_end(void **state)
{
    (void)state;
    format_colour_setup(COLOUR_ALWAYS, stdout);
    assert_string_equal(format_style(STYLE_PLAIN), "\033[0m");
    for (int a = 0; a < STYLES; a++) {
        for (int b = 0; b < a; b++)
            assert_string_not_equal(format_style((enum format_style)a), format_style((enum format_style)b));
    }
    format_colour_setup(COLOUR_NEVER, stdout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_local_time),
        cmocka_unit_test(test_seconds_and_microseconds),
        cmocka_unit_test(test_addresses_and_identities),
        cmocka_unit_test(test_utf8_is_told_from_what_is_none),
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_styles_differ_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
