/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"
#include "format.h"
#include "json.h"
#include "options.h"
#include "stamping.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: ptpmon list [OPTION...]\n"
    "\n"
    "Lists the interfaces that PTP frames can pass: what each can stamp, what is\n"
    "switched on, its clock, and which device to name for a bond, bridge or VLAN.\n"
    "\n"
    "      --json        one JSON object per interface and line\n"
    "      --color=WHEN  auto (only on a terminal), always, never\n"
    "  -h, --help        this text\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage; all: " SYSTEM_HELP_EXIT_CODES "\n";

static bool has(const ptpmon_interface *interface, uint32_t bit)
{
    return (interface->stamping & bit) != 0;
}

/* ---- JSON ---- */

static void put_stamps(struct json *json, const char *name, bool software, bool hardware, bool enabled)
{
    json_open_object(json, name);
    json_bool(json, "software", software);
    json_bool(json, "hardware", hardware);
    json_bool(json, "hardware_enabled", enabled);
    json_close_object(json);
}

/* What Npcap calls an adapter. */
#define NPCAP_NAME "\\Device\\NPF_%s"

/* What there is on Windows besides. */
static void put_windows(struct json *json, const ptpmon_interface *interface)
{
    char npcap_name[64];
    snprintf(npcap_name, sizeof npcap_name, NPCAP_NAME, interface->guid);
    json_string(json, "description", interface->description);
    json_string(json, "guid", interface->guid);
    json_string(json, "npcap_name", npcap_name);
    json_open_object(json, "tx_hardware_filters");
    json_bool(json, "all", has(interface, PTPMON_CAN_TX_HW_ALL));
    json_bool(json, "asked_for", has(interface, PTPMON_CAN_TX_HW_ASKED));
    json_bool(json, "ptp_udp", has(interface, PTPMON_CAN_TX_HW_PTP_UDP));
    json_close_object(json);
}

static void print_json(const ptpmon_interface *interface)
{
    struct json json;
    char text[64];
    json_begin(&json, "interface");
    json_string(&json, "interface", interface->name);
    json_uint(&json, "index", interface->index);
    json_string(&json, "kind", format_interface_kind(interface->kind));
    json_string(&json, "driver", interface->driver[0] != 0 ? interface->driver : NULL);
    json_string(&json, "mac", format_mac(interface->mac, text));
    json_bool(&json, "up", interface->up);
    put_stamps(&json, "rx_stamps", has(interface, PTPMON_CAN_RX_SOFTWARE), has(interface, PTPMON_CAN_RX_HARDWARE),
               has(interface, PTPMON_ON_RX_HARDWARE));
    json_open_object(&json, "rx_hardware_filters");
    json_bool(&json, "all", has(interface, PTPMON_CAN_RX_HW_ALL));
    json_bool(&json, "ptp_ethernet", has(interface, PTPMON_CAN_RX_HW_PTP_L2));
    json_bool(&json, "ptp_udp", has(interface, PTPMON_CAN_RX_HW_PTP_UDP));
    json_close_object(&json);
    put_stamps(&json, "tx_stamps", has(interface, PTPMON_CAN_TX_SOFTWARE), has(interface, PTPMON_CAN_TX_HARDWARE),
               has(interface, PTPMON_ON_TX_HARDWARE));
    json_int_if(&json, "phc_index", interface->phc_index >= 0, interface->phc_index);
    json_uint(&json, "rx_queues", interface->rx_queues);
    json_uint(&json, "tx_queues", interface->tx_queues);
    json_string(&json, "lower", interface->lower[0] != 0 ? interface->lower : NULL);
    json_bool(&json, "prefer_lower", interface->prefer_lower);
    if (interface->guid[0] != 0)
        put_windows(&json, interface);
    json_end_line(&json);
}

/* ---- Table ---- */

struct row {
    char cells[8][64];
};

static const char *const titles[] = {"INTERFACE", "KIND",      "STATE", "MAC",
                                     "RX STAMPS", "TX STAMPS", "CLOCK", "RX/TX QUEUES"};
#define CELLS (sizeof titles / sizeof *titles)

static void fill_row(struct row *row, const ptpmon_interface *interface)
{
    char driver[64], name[PTPMON_NAME_MAX];
    const size_t size = sizeof row->cells[0];
    snprintf(row->cells[0], size, "%.60s", format_printable(interface->name, name, sizeof name));
    const char *kind = format_interface_kind(interface->kind);
    if (interface->driver[0] != 0 && strcmp(interface->driver, kind) != 0)
        snprintf(row->cells[1], size, "%s (%.40s)", kind, format_printable(interface->driver, driver, sizeof driver));
    else
        snprintf(row->cells[1], size, "%s", kind);
    snprintf(row->cells[2], size, "%s", interface->up ? "up" : "down");
    format_mac(interface->mac, row->cells[3]);
    stamping_rx_words(interface, row->cells[4], size);
    stamping_tx_words(interface, row->cells[5], size);
    if (interface->phc_index >= 0)
        snprintf(row->cells[6], size, "ptp%d", interface->phc_index);
    else
        snprintf(row->cells[6], size, "-");
    snprintf(row->cells[7], size, "%u/%u", interface->rx_queues, interface->tx_queues);
}

static void print_row(const struct row *row, const size_t widths[CELLS], enum format_style style)
{
    char line[CELLS * 66 + 64];
    bool styled = style != STYLE_PLAIN;
    size_t length = (size_t)snprintf(line, sizeof line, "%s", styled ? format_style(style) : "");
    for (size_t i = 0; i < CELLS; i++) {
        size_t padding = i + 1 < CELLS ? widths[i] - format_width(row->cells[i]) + 2 : 0;
        length += (size_t)snprintf(line + length, sizeof line - length, "%s%*s", row->cells[i], (int)padding, "");
    }
    length += (size_t)snprintf(line + length, sizeof line - length, "%s\n", styled ? format_style(STYLE_PLAIN) : "");
    cli_write(line, length);
}

static void print_hint(const ptpmon_interface *interface)
{
    char name[PTPMON_NAME_MAX], lower[PTPMON_NAME_MAX], line[PTPMON_NAME_MAX * 2 + 200];
    bool several = strchr(interface->lower, ',') != NULL;
    if (!interface->prefer_lower)
        return;
    format_printable(interface->name, name, sizeof name);
    format_printable(interface->lower, lower, sizeof lower);
    int length =
        snprintf(line, sizeof line, "%s: a %s has no card of its own; name %s instead, where the frames pass%s\n", name,
                 format_interface_kind(interface->kind), lower, several ? " (watch takes several)" : "");
    cli_write(line, (size_t)length);
}

/* The other names that an adapter goes by, on Windows; and what its stamps do not cover. */
static void print_names(const ptpmon_interface *interface)
{
    char name[PTPMON_NAME_MAX], description[PTPMON_NAME_MAX], line[PTPMON_NAME_MAX * 2 + 300];
    if (interface->guid[0] == 0)
        return;
    bool only_udp = has(interface, PTPMON_CAN_RX_HARDWARE) && !has(interface, PTPMON_CAN_RX_HW_ALL);
    int length = snprintf(
        line, sizeof line, "%s: %s, index %u, " NPCAP_NAME "%s\n", format_printable(interface->name, name, sizeof name),
        format_printable(interface->description, description, sizeof description), interface->index, interface->guid,
        only_udp ? "; no NIC stamps for PTP over Ethernet (0x88F7), for UDP only" : "");
    cli_write(line, (size_t)length);
}

static enum format_style row_style(const ptpmon_interface *interface)
{
    return !interface->up || interface->prefer_lower ? STYLE_DIM : STYLE_PLAIN;
}

static void print_table(const ptpmon_interface *interfaces, size_t count)
{
    size_t widths[CELLS] = {0};
    struct row *rows = cli_allocate(count + 1, sizeof *rows);
    for (size_t c = 0; c < CELLS; c++)
        snprintf(rows[0].cells[c], sizeof rows[0].cells[c], "%s", titles[c]);
    for (size_t i = 0; i < count; i++)
        fill_row(&rows[i + 1], &interfaces[i]);
    for (size_t i = 0; i <= count; i++) {
        for (size_t c = 0; c < CELLS; c++) {
            size_t width = format_width(rows[i].cells[c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t i = 0; i <= count; i++)
        print_row(&rows[i], widths, i == 0 ? STYLE_BOLD : row_style(&interfaces[i - 1]));
    free(rows);
    for (size_t i = 0; i < count; i++)
        print_hint(&interfaces[i]);
    for (size_t i = 0; i < count; i++)
        print_names(&interfaces[i]);
}

static int list(bool as_json)
{
    ptpmon_interface *interfaces;
    size_t count;
    ptpmon_status status = ptpmon_interfaces(&interfaces, &count);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    if (as_json) {
        for (size_t i = 0; i < count; i++)
            print_json(&interfaces[i]);
    } else if (count == 0) {
        cli_message("no interface with Ethernet framing here");
    } else {
        print_table(interfaces, count);
    }
    ptpmon_interfaces_free(interfaces);
    return CLI_OK;
}

static int take_option(void *context, int option)
{
    return options_take_shared(context, option);
}

int command_list(int argc, char **argv)
{
    static const struct option table[] = {OPTIONS_JSON, OPTIONS_COLOR, OPTIONS_END};
    static const struct command_line line = {table, ":h", help, take_option};
    struct shared_options shared = {0};
    int code = CLI_OK;
    if (!options_read(&line, argc, argv, &shared, &code))
        return code;
    if (optind < argc)
        return cli_usage_error("`%s` is too much: list takes no interface", argv[optind]);
    format_colour_setup((enum format_colour)shared.colour, stdout);
    cli_signals_setup();
    return list(shared.report.json);
}
