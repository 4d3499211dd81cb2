/* SPDX-License-Identifier: MIT */
/* `status` and `stats`: the driver as it is installed and runs, what it counts on each adapter, whoever monitors there,
 * and what is in the way. */
#include "advice.h"
#include "cli.h"
#include "commands.h"
#include "driver_state.h"
#include "format.h"
#include "json.h"
#include "options.h"
#include "refusal.h"
#include "stamping.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char command_status_summary[] = "the driver: installed, running, bound to which adapters; what is in the way";
const char command_stats_summary[] = "what the driver counts on each adapter, whoever monitors there";

static const char status_help[] =
    "Usage: ptpmon status [OPTION...] [INTERFACE...]\n"
    "\n"
    "Shows whether the driver is installed and runs, what Windows lets load, whether\n"
    "Npcap is there, and of each adapter, or those named: whether the driver is bound,\n"
    "who monitors, what was counted, and what is in the way. Some of it is told to\n"
    "administrators only.\n"
    "\n"
    "      --json        one JSON object per line: driver, adapters, advice\n"
    "      --color=WHEN  auto (only on a terminal), always, never\n"
    "  -h, --help        this text\n"
    "\n"
    "Exit codes: 0 the driver runs and is bound, 1 failed, 2 usage, 3 no such\n"
    "interface, 5 it does not run or is bound to none; all: ptpmon --help\n";

static const char stats_help[] =
    "Usage: ptpmon stats [OPTION...] [INTERFACE...]\n"
    "\n"
    "Shows what the driver counts on each adapter to which it is bound, or on those\n"
    "named: of the monitor that runs there, in whatever process, or of the last one.\n"
    "Needs an administrator.\n"
    "\n"
    "      --json        one JSON object per adapter and line\n"
    "      --color=WHEN  auto (only on a terminal), always, never\n"
    "  -h, --help        this text\n"
    "\n"
    "Exit codes: 0 shown, 1 failed, 2 usage, 3 no such interface, 4 no administrator,\n"
    "5 the driver does not run or is not bound; all: ptpmon --help\n";

/* One adapter, and what is known of it. */
struct adapter {
    const ptpmon_interface *interface;
    enum driver_contact contact;
    unsigned long error; /* CONTACT_FAILED */
    enum driver_binding binding;
    AVB_PTP_MONITOR_STATS statistics; /* CONTACT_ANSWERS */
    char owner[128];                  /* file name of the monitoring process, "" = none or not known */
};

struct finding {
    const char *name; /* for programs: "not_bound" */
    const ptpmon_interface *interface;
    char text[512]; /* what, and what to do */
};

#define FINDINGS_MAX 256

struct status {
    bool json;
    bool only_counters; /* stats */
    struct driver_state driver;
    ptpmon_interface *list;
    struct adapter *adapters;
    size_t count;
    struct finding *findings;
    size_t finding_count;
};

/* ---- Findings ---- */

static void find(struct status *status, const char *name, const ptpmon_interface *interface, const char *format, ...)
    CLI_PRINTF(4, 5);
static void find(struct status *status, const char *name, const ptpmon_interface *interface, const char *format, ...)
{
    va_list arguments;
    if (status->finding_count == FINDINGS_MAX)
        return;
    struct finding *finding = &status->findings[status->finding_count++];
    finding->name = name;
    finding->interface = interface;
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
}

static bool any_answers(const struct status *status)
{
    for (size_t i = 0; i < status->count; i++) {
        if (status->adapters[i].contact == CONTACT_ANSWERS)
            return true;
    }
    return false;
}

static bool any_denies(const struct status *status)
{
    for (size_t i = 0; i < status->count; i++) {
        if (status->adapters[i].contact == CONTACT_DENIED)
            return true;
    }
    return false;
}

static void find_about_service(struct status *status)
{
    const struct driver_state *driver = &status->driver;
    const char *why = refusal_words(driver->start_error);
    if (any_answers(status))
        return;
    if (driver->service == DRIVER_ABSENT)
        find(status, "driver_absent", NULL, "the driver is not installed; `ptpmon install` installs it");
    else if (driver->service == DRIVER_STOPPED && why != NULL)
        find(status, "driver_refused", NULL, "the driver does not run: %s", why);
    else if (driver->service == DRIVER_STOPPED && driver->start_error != 0)
        find(status, "driver_stopped", NULL,
             "the driver does not run, error %lu; `sc start avbptpmon` says why, else uninstall it and install it anew",
             driver->start_error);
    else if (driver->service == DRIVER_STOPPED)
        find(status, "driver_stopped", NULL,
             "the driver does not run; `sc start avbptpmon` starts it, or restart Windows");
    else if (driver->service == DRIVER_CHANGING)
        find(status, "driver_changing", NULL,
             "the driver is being started or stopped; it stops when the last program has closed it");
}

static void find_about_signatures(struct status *status)
{
    const struct driver_state *driver = &status->driver;
    if (driver->service != DRIVER_STOPPED || !driver->integrity_known || driver->test_mode || any_answers(status))
        return;
    if (driver->secure_boot_known && driver->secure_boot)
        find(status, "secure_boot", NULL,
             "Secure Boot is on, so there is no test mode: a driver signed for tests does not load; install one that "
             "Microsoft signed, or switch Secure Boot off in the firmware");
    else
        find(status, "test_mode_off", NULL,
             "test mode is off: a driver signed for tests does not load; `bcdedit /set testsigning on` switches it on, "
             "at the next start of Windows");
}

static void find_about_npcap(struct status *status)
{
    const struct driver_state *driver = &status->driver;
    if (!driver->has_npcap)
        find(status, "npcap_absent", NULL,
             "Npcap is not there: events are seen, but there is nothing to compare them with; install it from "
             "npcap.com");
    else if (driver->npcap_service == DRIVER_STOPPED)
        find(status, "npcap_stopped", NULL,
             "Npcap's driver does not run, so nothing is captured; `sc start npcap` "
             "starts it");
}

static void find_about_contact(struct status *status, const struct adapter *adapter)
{
    switch (adapter->contact) {
    case CONTACT_OTHER_VERSION:
        find(status, "other_version", adapter->interface,
             "the driver is of another version than this program; install both from one package");
        break;
    case CONTACT_FAILED:
        find(status, "driver_failed", adapter->interface, "the driver does not answer: error %lu; restart Windows",
             adapter->error);
        break;
    case CONTACT_NOT_THERE:
        if (status->driver.service != DRIVER_RUNNING && !any_answers(status))
            break; /* that is said once */
        if (adapter->binding == BINDING_PRESENT)
            find(status, "not_attached", adapter->interface,
                 "the driver is bound, but not there just now; the adapter is disabled or has no Ethernet frames");
        else
            find(status, "not_bound", adapter->interface,
                 "the driver is not bound to this adapter; tick \"" DRIVER_DISPLAY_NAME "\" in its properties");
        break;
    case CONTACT_ANSWERS:
    case CONTACT_DENIED:
        break;
    }
}

static void find_about_stamps(struct status *status, const struct adapter *adapter)
{
    uint32_t stamping = adapter->interface->stamping;
    bool registers = adapter->contact == CONTACT_ANSWERS && adapter->statistics.source == AVB_SOURCE_REGISTERS;
    if ((stamping & PTPMON_CAN_RX_HARDWARE) == 0 || registers)
        return;
    if ((stamping & PTPMON_ON_RX_HARDWARE) == 0)
        find(status, "stamping_off", adapter->interface,
             "the NIC's stamping is off; the adapter's advanced properties switch it on (`PTP Hardware Timestamp`)");
    if ((stamping & PTPMON_CAN_RX_HW_ALL) == 0)
        find(status, "stamps_udp_only", adapter->interface,
             "the NIC stamps PTP over UDP only; PTP over Ethernet (0x88F7) gets no NIC stamps");
}

static void find_about_losses(struct status *status, const struct adapter *adapter)
{
    if (adapter->contact == CONTACT_ANSWERS && adapter->statistics.enabled && adapter->statistics.events_dropped > 0)
        find(status, "events_dropped", adapter->interface,
             "%" PRIu64 " records found no place in the ring; raise AvbRingCapacity among the adapter's settings",
             (uint64_t)adapter->statistics.events_dropped);
}

static void find_all(struct status *status)
{
    find_about_service(status);
    find_about_signatures(status);
    if (any_denies(status))
        find(status, "not_administrator", NULL,
             "what the driver counts is told to administrators only; start the terminal with \"Run as "
             "administrator\"");
    find_about_npcap(status);
    for (size_t i = 0; i < status->count; i++) {
        find_about_contact(status, &status->adapters[i]);
        find_about_stamps(status, &status->adapters[i]);
        find_about_losses(status, &status->adapters[i]);
    }
}

/* ---- JSON ---- */

static const char *or_null(const char *text)
{
    return text[0] != 0 ? text : NULL;
}

static void put_bool_if(struct json *json, const char *name, bool known, bool value)
{
    if (known)
        json_bool(json, name, value);
    else
        json_null(json, name);
}

static void put_driver(const struct status *status)
{
    struct json json;
    const struct driver_state *driver = &status->driver;
    json_begin(&json, "driver");
    json_string(&json, "service", driver_service_names[driver->service]);
    json_uint_if(&json, "start_error", driver->start_error != 0, driver->start_error);
    json_string(&json, "file", or_null(driver->file.path));
    json_string(&json, "version", or_null(driver->file.version));
    json_bool(&json, "administrator", driver->administrator);
    put_bool_if(&json, "signatures_enforced", driver->integrity_known, driver->enforces_signatures);
    put_bool_if(&json, "test_mode", driver->integrity_known, driver->test_mode);
    put_bool_if(&json, "memory_integrity", driver->integrity_known, driver->memory_integrity);
    put_bool_if(&json, "secure_boot", driver->secure_boot_known, driver->secure_boot);
    json_bool(&json, "npcap", driver->has_npcap);
    json_string(&json, "npcap_file", or_null(driver->npcap.path));
    json_string(&json, "npcap_version", or_null(driver->npcap.version));
    json_string(&json, "npcap_service", driver_service_names[driver->npcap_service]);
    json_end_line(&json);
}

static const char *const reason_names[AVB_PTP_REASONS] = {
    [AVB_REASON_LOOPBACK] = "loopback",
    [AVB_REASON_UNREADABLE] = "unreadable",
    [AVB_REASON_PTP_V1] = "ptp_v1",
    [AVB_REASON_OTHER_VERSION] = "other_version",
    [AVB_REASON_TRUNCATED] = "truncated",
    [AVB_REASON_BAD_LENGTH] = "bad_length",
    [AVB_REASON_NOT_THIS_FRAME] = "not_this_frame",
    [AVB_REASON_KIND_UNKNOWN] = "kind_unknown",
    [AVB_REASON_NOT_A_TIME] = "not_a_time",
    [AVB_REASON_NOT_SENT] = "not_sent",
    [AVB_REASON_BATCH_TOO_LARGE] = "batch_too_large",
};

static const char *source_name(UINT32 source)
{
    static const char *const names[] = {
        [AVB_SOURCE_NONE] = "none", [AVB_SOURCE_NDIS] = "ndis", [AVB_SOURCE_REGISTERS] = "registers"};
    return source < sizeof names / sizeof *names ? names[source] : "unknown";
}

static void put_statistics(struct json *json, const AVB_PTP_MONITOR_STATS *statistics)
{
    json_uint(json, "events_emitted", statistics->events_emitted);
    json_uint(json, "events_dropped", statistics->events_dropped);
    json_uint(json, "buffer_size", statistics->buffer_size);
    json_uint(json, "frames_seen", statistics->frames_seen);
    json_uint(json, "frames_emitted", statistics->frames_emitted);
    json_uint(json, "frames_dropped", statistics->frames_dropped);
    json_uint(json, "stamps_seen", statistics->stamps_seen);
    json_uint(json, "stamps_emitted", statistics->stamps_emitted);
    json_uint(json, "stamps_dropped", statistics->stamps_dropped);
    json_uint(json, "dropped_full", statistics->dropped_full);
    json_uint(json, "dropped_contention", statistics->dropped_contention);
    json_uint(json, "bad_consumer_position", statistics->bad_consumer_position);
    json_uint(json, "high_water", statistics->high_water);
    json_open_object(json, "reasons");
    for (int i = 0; i < AVB_PTP_REASONS; i++)
        json_uint(json, reason_names[i], statistics->reasons[i]);
    json_close_object(json);
    json_open_object(json, "register_results");
    for (int i = 0; i < AVB_STAMP_RESULTS; i++)
        json_uint(json, avb_stamp_result_name((enum avb_stamp_result)i), statistics->register_results[i]);
    json_close_object(json);
    json_string(json, "stamp_source", source_name(statistics->source));
    json_uint(json, "timestamp_flags", statistics->timestamp_flags);
    json_uint(json, "hardware_clock_hz", statistics->hardware_clock_hz);
    json_uint(json, "ndis_major", statistics->ndis_version >> 16);
    json_uint(json, "ndis_minor", statistics->ndis_version & 0xFFFFu);
    json_uint(json, "attachment", statistics->generation);
}

static const char *contact_name(enum driver_contact contact)
{
    static const char *const names[] = {
        [CONTACT_ANSWERS] = "answers", [CONTACT_NOT_THERE] = "not_there",
        [CONTACT_DENIED] = "denied",   [CONTACT_OTHER_VERSION] = "other_version",
        [CONTACT_FAILED] = "failed",
    };
    return names[contact];
}

static void put_adapter(const struct adapter *adapter)
{
    struct json json;
    const AVB_PTP_MONITOR_STATS *statistics = &adapter->statistics;
    bool answers = adapter->contact == CONTACT_ANSWERS, owned = answers && statistics->enabled;
    json_begin(&json, "adapter");
    json_string(&json, "interface", adapter->interface->name);
    json_string(&json, "description", adapter->interface->description);
    json_string(&json, "guid", adapter->interface->guid);
    json_uint(&json, "index", adapter->interface->index);
    json_bool(&json, "up", adapter->interface->up);
    json_string(&json, "driver", contact_name(adapter->contact));
    put_bool_if(&json, "bound", answers || adapter->binding != BINDING_NOT_KNOWN,
                answers || adapter->binding == BINDING_PRESENT);
    put_bool_if(&json, "monitored", answers, owned);
    json_uint_if(&json, "owner_process", owned, statistics->owner_process);
    json_string(&json, "owner_program", owned ? or_null(adapter->owner) : NULL);
    if (answers) {
        json_open_object(&json, "statistics");
        put_statistics(&json, statistics);
        json_close_object(&json);
    } else {
        json_null(&json, "statistics");
    }
    json_end_line(&json);
}

static void put_finding(const struct finding *finding)
{
    struct json json;
    json_begin(&json, "advice");
    json_string(&json, "interface", finding->interface != NULL ? finding->interface->name : NULL);
    json_string(&json, "advice", finding->name);
    json_string(&json, "message", finding->text);
    json_end_line(&json);
}

static void print_json(const struct status *status)
{
    if (!status->only_counters)
        put_driver(status);
    for (size_t i = 0; i < status->count; i++)
        put_adapter(&status->adapters[i]);
    for (size_t i = 0; i < status->finding_count; i++)
        put_finding(&status->findings[i]);
}

/* ---- Text ---- */

static void say_file(const char *title, const char *state, const struct driver_file *file)
{
    char path[DRIVER_PATH_SIZE];
    cli_say("%-12s %s%s%s%s%s\n", title, state, file->path[0] != 0 ? ", " : "",
            format_printable(file->path, path, sizeof path), file->version[0] != 0 ? ", version " : "", file->version);
}

static const char *on_off(bool known, bool on)
{
    if (!known)
        return "not known";
    return on ? "on" : "off";
}

static const char *service_words(enum driver_service service)
{
    static const char *const words[] = {[DRIVER_ABSENT] = "not installed",
                                        [DRIVER_STOPPED] = "installed, does not run",
                                        [DRIVER_RUNNING] = "runs",
                                        [DRIVER_CHANGING] = "starting or stopping",
                                        [DRIVER_NOT_SEEN] = "not seen (Windows does not tell)"};
    return words[service];
}

static void say_driver(const struct driver_state *driver)
{
    say_file("Driver", service_words(driver->service), &driver->file);
    cli_say("%-12s signatures %s, test mode %s, Secure Boot %s, memory integrity %s\n", "Windows",
            driver->integrity_known ? (driver->enforces_signatures ? "enforced" : "not enforced") : "not known",
            on_off(driver->integrity_known, driver->test_mode), on_off(driver->secure_boot_known, driver->secure_boot),
            on_off(driver->integrity_known, driver->memory_integrity));
    say_file("Npcap", driver->has_npcap ? "found" : "not there", &driver->npcap);
    cli_say("%-12s %s\n", "Rights", driver->administrator ? "administrator" : "none of an administrator");
}

/* "loopback 3, ptp v1 2": those that are not 0, first..last. */
static void say_reasons(const char *title, const UINT64 *counts, int first, int last, const char *(*name)(int index))
{
    char words[64];
    const char *before = title;
    for (int i = first; i < last; i++) {
        if (counts[i] == 0)
            continue;
        cli_say("%s%s %" PRIu64, before, format_words(name(i), words, sizeof words), (uint64_t)counts[i]);
        before = ", ";
    }
    if (before != title)
        cli_say("\n");
}

static const char *reason_name(int index)
{
    return reason_names[index];
}

static const char *register_result_name(int index)
{
    return avb_stamp_result_name((enum avb_stamp_result)index);
}

static void say_monitor(const struct adapter *adapter)
{
    const AVB_PTP_MONITOR_STATS *statistics = &adapter->statistics;
    char owner[128];
    if (!statistics->enabled) {
        cli_say("  monitor    none%s\n", statistics->buffer_size != 0 ? "; of the last one:" : "");
        if (statistics->buffer_size == 0)
            return;
    } else {
        cli_say("  monitor    process %lu%s%s%s\n", (unsigned long)statistics->owner_process,
                adapter->owner[0] ? " (" : "", format_printable(adapter->owner, owner, sizeof owner),
                adapter->owner[0] ? ")" : "");
    }
    bool bad = statistics->events_dropped > 0;
    cli_say("  events     %" PRIu64 " in the ring of %" PRIu64 ", %s%" PRIu64 " dropped%s, %" PRIu64
            " unread at most\n",
            (uint64_t)statistics->events_emitted, (uint64_t)statistics->buffer_size,
            format_style(bad ? STYLE_BAD : STYLE_PLAIN), (uint64_t)statistics->events_dropped,
            format_style(STYLE_PLAIN), (uint64_t)statistics->high_water);
    cli_say("  seen       %" PRIu64 " frames, %" PRIu64 " stamps of sent frames\n", (uint64_t)statistics->frames_seen,
            (uint64_t)statistics->stamps_seen);
    say_reasons("  passed     ", statistics->reasons, AVB_REASON_LOOPBACK, AVB_REASON_NOT_THIS_FRAME, reason_name);
    say_reasons("  refused    ", statistics->reasons, AVB_REASON_NOT_THIS_FRAME, AVB_PTP_REASONS, reason_name);
    say_reasons("  registers  ", statistics->register_results, AVB_STAMP_GIVEN, AVB_STAMP_RESULTS,
                register_result_name);
}

static const char *binding_words(const struct adapter *adapter)
{
    switch (adapter->contact) {
    case CONTACT_ANSWERS:
        return "bound";
    case CONTACT_DENIED:
        return adapter->binding == BINDING_PRESENT  ? "bound"
               : adapter->binding == BINDING_ABSENT ? "not bound"
                                                    : "not seen without an administrator";
    case CONTACT_OTHER_VERSION:
        return "bound, of another version";
    case CONTACT_FAILED:
        return "does not answer";
    case CONTACT_NOT_THERE:
        break;
    }
    return adapter->binding == BINDING_PRESENT ? "bound, not there just now" : "not bound";
}

static void say_adapter(const struct adapter *adapter)
{
    const ptpmon_interface *interface = adapter->interface;
    char name[PTPMON_NAME_MAX], description[PTPMON_NAME_MAX], rx[64], tx[64];
    cli_say("\n%s%s%s: %s, %s\n", format_style(STYLE_BOLD), format_printable(interface->name, name, sizeof name),
            format_style(STYLE_PLAIN), format_printable(interface->description, description, sizeof description),
            interface->up ? "up" : "down");
    stamping_rx_words(interface, rx, sizeof rx);
    stamping_tx_words(interface, tx, sizeof tx);
    cli_say("  can stamp  RX %s; TX %s\n", rx, tx);
    cli_say("  driver     %s\n", binding_words(adapter));
    if (adapter->contact != CONTACT_ANSWERS)
        return;
    cli_say("  stamps     %s; NDIS %lu.%lu\n", source_name(adapter->statistics.source),
            (unsigned long)(adapter->statistics.ndis_version >> 16),
            (unsigned long)(adapter->statistics.ndis_version & 0xFFFFu));
    say_monitor(adapter);
}

static void say_findings(const struct status *status)
{
    char name[PTPMON_NAME_MAX];
    if (status->finding_count > 0)
        cli_say("\n%sFindings%s\n", format_style(STYLE_BOLD), format_style(STYLE_PLAIN));
    for (size_t i = 0; i < status->finding_count; i++) {
        const struct finding *finding = &status->findings[i];
        const ptpmon_interface *interface = finding->interface;
        cli_say("  %s%s%s%s%s\n", format_style(STYLE_WARN),
                interface != NULL ? format_printable(interface->name, name, sizeof name) : "",
                interface != NULL ? ": " : "", finding->text, format_style(STYLE_PLAIN));
    }
}

static void print_text(const struct status *status)
{
    if (!status->only_counters)
        say_driver(&status->driver);
    for (size_t i = 0; i < status->count; i++)
        say_adapter(&status->adapters[i]);
    say_findings(status);
}

/* ---- The commands ---- */

static void ask(struct adapter *adapter, const ptpmon_interface *interface)
{
    adapter->interface = interface;
    adapter->contact = driver_ask(interface, &adapter->statistics, &adapter->error);
    adapter->binding = driver_binding(interface);
    if (adapter->contact == CONTACT_ANSWERS && adapter->statistics.enabled)
        driver_process_name(adapter->statistics.owner_process, adapter->owner, sizeof adapter->owner);
}

/* All adapters, or those named. */
static int ask_adapters(struct status *status, size_t list_count, char **names, size_t name_count)
{
    status->adapters = cli_allocate(list_count + name_count + 1, sizeof *status->adapters);
    for (size_t i = 0; name_count == 0 && i < list_count; i++)
        ask(&status->adapters[status->count++], &status->list[i]);
    for (size_t i = 0; i < name_count; i++) {
        const ptpmon_interface *interface = advice_find(status->list, list_count, names[i]);
        if (interface == NULL) {
            cli_message("%s: no such interface; `ptpmon list` shows those there are", names[i]);
            return CLI_INTERFACE;
        }
        ask(&status->adapters[status->count++], interface);
    }
    return CLI_OK;
}

static bool may_be_bound(const struct status *status)
{
    for (size_t i = 0; i < status->count; i++) {
        if (status->adapters[i].contact == CONTACT_DENIED && status->adapters[i].binding != BINDING_ABSENT)
            return true;
    }
    return false;
}

static int code_of_status(const struct status *status)
{
    bool works = any_answers(status) || (status->driver.service == DRIVER_RUNNING && may_be_bound(status));
    return works ? CLI_OK : CLI_UNSUPPORTED;
}

/* Those that the driver does not answer for are left out, unless they were named. */
static int code_of_counters(struct status *status, bool is_named)
{
    bool answers = any_answers(status), denies = any_denies(status);
    size_t kept = 0;
    for (size_t i = 0; i < status->count; i++) {
        if (is_named || status->adapters[i].contact == CONTACT_ANSWERS)
            status->adapters[kept++] = status->adapters[i];
    }
    status->count = kept;
    if (answers)
        return CLI_OK;
    if (denies) {
        cli_message("the driver: it tells administrators only; start the terminal with \"Run as administrator\"");
        return CLI_RIGHTS;
    }
    cli_message("the driver: is bound to %s; `ptpmon status` says why", is_named ? "none of these" : "no adapter");
    return CLI_UNSUPPORTED;
}

static int run(struct status *status, char **names, size_t name_count)
{
    size_t list_count;
    ptpmon_status listed = ptpmon_interfaces(&status->list, &list_count);
    if (listed != PTPMON_OK)
        return cli_library_error(listed);
    int code = ask_adapters(status, list_count, names, name_count);
    if (code == CLI_OK) {
        if (status->only_counters) {
            code = code_of_counters(status, name_count > 0);
        } else {
            driver_state_read(&status->driver);
            find_all(status);
            code = code_of_status(status);
        }
        (status->json ? print_json : print_text)(status);
    }
    free(status->adapters);
    ptpmon_interfaces_free(status->list);
    return code;
}

static int take_option(void *context, int option)
{
    return options_take_shared(context, option);
}

static int command(int argc, char **argv, const char *help, bool only_counters)
{
    static const struct option table[] = {OPTIONS_JSON, OPTIONS_COLOR, OPTIONS_END};
    const struct command_line line = {table, ":h", help, take_option};
    struct shared_options shared = {0};
    struct finding *findings = cli_allocate(FINDINGS_MAX, sizeof *findings);
    int code = CLI_OK;
    if (options_read(&line, argc, argv, &shared, &code)) {
        size_t count = (size_t)(argc - optind);
        code = count > 0 ? options_check_interfaces(argv + optind, count) : CLI_OK;
        if (code == CLI_OK) {
            struct status status = {.json = shared.report.json, .only_counters = only_counters, .findings = findings};
            format_colour_setup((enum format_colour)shared.colour, stdout);
            cli_signals_setup();
            code = run(&status, argv + optind, count);
        }
    }
    free(findings);
    return code;
}

int command_status(int argc, char **argv)
{
    return command(argc, argv, status_help, false);
}

int command_stats(int argc, char **argv)
{
    return command(argc, argv, stats_help, true);
}
