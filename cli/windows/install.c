/* SPDX-License-Identifier: MIT */
/* `install` and `uninstall`: the driver's package goes into Windows's store of drivers, and its filter into the network
 * configuration; and back. */
#include "cli.h"
#include "commands.h"
#include "driver_package.h"
#include "driver_state.h"
#include "network_configuration.h"
#include "options.h"
#include "refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

const char command_install_summary[] = "put the driver in, and bind it to the network adapters";
const char command_uninstall_summary[] = "take the driver out";

static const char install_help[] =
    "Usage: ptpmon install [PATH-OF-INF]\n"
    "\n"
    "Puts the driver into Windows and binds it to the network adapters, which are\n"
    "interrupted for a moment. Takes avbptpmon.inf and the files that belong to it\n"
    "from where this program lies (or driver\\ there), or from PATH-OF-INF. Needs an\n"
    "administrator.\n"
    "\n"
    "The driver must be signed: by Microsoft, or for tests with a certificate that\n"
    "this computer trusts, in test mode. `ptpmon status` says what is so.\n"
    "\n" OPTIONS_HELP_HELP
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 4 no administrator, 5 Windows refuses the\n"
    "driver, 6 somebody else changes the network, 7 not this driver's INF; all:\n"
    "ptpmon --help\n";

static const char uninstall_help[] =
    "Usage: ptpmon uninstall\n"
    "\n"
    "Takes the driver out of the network adapters, which are interrupted for a moment,\n"
    "and out of Windows. Needs an administrator.\n"
    "\n" OPTIONS_HELP_HELP
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 4 no administrator, 5 not installed, 6 in\n"
    "use, or somebody else changes the network; all: ptpmon --help\n";

/* How long the driver's start or end may take, once Windows has said that the change is made. */
#define PATIENCE_MS 5000
#define LOOK_MS     50

static void say(const char *text)
{
    cli_write(text, strlen(text));
}

static int check_rights(const char *what)
{
    if (driver_is_administrator())
        return CLI_OK;
    cli_message("the driver: %s it needs an administrator; start the terminal with \"Run as administrator\"", what);
    return CLI_RIGHTS;
}

/* Waits until it is `wanted`, but not for ever; what it is then. */
static enum driver_service await_service(enum driver_service wanted)
{
    enum driver_service state = driver_service_state();
    for (unsigned waited = 0; state != wanted && waited < PATIENCE_MS; waited += LOOK_MS) {
        Sleep(LOOK_MS);
        state = driver_service_state();
    }
    return state;
}

/* ---- install ---- */

static void say_bindings(void)
{
    ptpmon_interface *adapters;
    size_t count, bound = 0;
    AVB_PTP_MONITOR_STATS statistics;
    unsigned long error;
    char text[160];
    if (ptpmon_interfaces(&adapters, &count) != PTPMON_OK)
        return;
    for (size_t i = 0; i < count; i++)
        bound += driver_ask(&adapters[i], &statistics, &error) == CONTACT_ANSWERS;
    ptpmon_interfaces_free(adapters);
    snprintf(text, sizeof text, "The driver is installed and runs; it is bound to %zu of %zu adapters.\n", bound,
             count);
    say(text);
}

/* A signature that the store takes is not always one that the kernel takes: only loading the driver tells. */
static int check_running(void)
{
    unsigned long error = driver_service_start(); /* none where it runs already */
    if (error == 0 && await_service(DRIVER_RUNNING) == DRIVER_RUNNING) {
        say_bindings();
        return CLI_OK;
    }
    int code = refusal_of_windows("the driver", "load it", error != 0 ? error : ERROR_SERVICE_REQUEST_TIMEOUT);
    say("The driver is installed, but does not run. `ptpmon status` says more, `ptpmon uninstall` takes it out.\n");
    return code;
}

static int conclude(enum network_change change, int code, int (*check)(void))
{
    if (change == NETWORK_NOT_CHANGED)
        return code;
    if (change == NETWORK_CHANGED)
        return check();
    say("Restart Windows to complete this.\n");
    return CLI_OK;
}

static int add(const wchar_t *inf)
{
    int code = CLI_OK;
    enum network_change change = NETWORK_NOT_CHANGED;
    struct network_configuration *configuration = network_configuration_open(&code);
    if (configuration == NULL)
        return code;
    if (network_configuration_has(configuration)) {
        cli_message("the driver: is installed already; `ptpmon status` says which, `ptpmon uninstall` takes it out");
        code = CLI_FAILED;
    } else {
        code = driver_package_store(inf);
    }
    if (code == CLI_OK)
        change = network_configuration_add(configuration, &code);
    network_configuration_close(configuration);
    return conclude(change, code, check_running);
}

static int install(const char *path)
{
    wchar_t *inf = NULL;
    int code = driver_package_find(path, &inf);
    if (code == CLI_OK)
        code = check_rights("to install");
    if (code == CLI_OK)
        code = add(inf);
    free(inf);
    return code;
}

/* ---- uninstall ---- */

/* While a process monitors, the driver would stay: it is unloaded when nobody has it open. */
static int check_unused(void)
{
    ptpmon_interface *adapters;
    size_t count;
    int code = CLI_OK;
    ptpmon_status status = ptpmon_interfaces(&adapters, &count);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    for (size_t i = 0; i < count && code == CLI_OK; i++) {
        AVB_PTP_MONITOR_STATS statistics;
        unsigned long error;
        char name[128];
        if (driver_ask(&adapters[i], &statistics, &error) != CONTACT_ANSWERS || !statistics.enabled)
            continue;
        driver_process_name(statistics.owner_process, name, sizeof name);
        cli_message("%s: process %lu%s%s%s monitors it; end that first", adapters[i].name,
                    (unsigned long)statistics.owner_process, *name != 0 ? " (" : "", name, *name != 0 ? ")" : "");
        code = CLI_BUSY;
    }
    ptpmon_interfaces_free(adapters);
    return code;
}

static int check_gone(void)
{
    enum driver_service state = await_service(DRIVER_ABSENT);
    int code = driver_package_forget();
    if (state == DRIVER_ABSENT)
        say("The driver is uninstalled.\n");
    else
        say("The driver is uninstalled. It goes when the last program has closed it, or Windows is restarted.\n");
    return code;
}

static int take_out(void)
{
    int code = CLI_OK;
    enum network_change change = NETWORK_NOT_CHANGED;
    struct network_configuration *configuration = network_configuration_open(&code);
    if (configuration == NULL)
        return code;
    if (network_configuration_has(configuration)) {
        change = network_configuration_remove(configuration, &code);
    } else {
        cli_message("the driver: is not installed; `ptpmon install` installs it");
        code = CLI_UNSUPPORTED;
    }
    network_configuration_close(configuration);
    return conclude(change, code, check_gone);
}

static int uninstall(void)
{
    int code = check_rights("to uninstall");
    if (code == CLI_OK)
        code = check_unused();
    return code == CLI_OK ? take_out() : code;
}

/* ---- Command lines ---- */

static int take_option(void *context, int option)
{
    (void)context;
    (void)option;
    return CLI_USAGE; /* there are none but --help */
}

static bool read_line(const char *help, int argc, char **argv, int most, int *code)
{
    static const struct option table[] = {OPTIONS_END};
    const struct command_line line = {table, ":h", help, take_option};
    *code = CLI_OK;
    if (!options_read(&line, argc, argv, NULL, code))
        return false;
    if (argc - optind <= most)
        return true;
    *code = cli_usage_error("`%s` is too much", argv[optind + most]);
    return false;
}

int command_install(int argc, char **argv)
{
    int code;
    cli_signals_setup(); /* a change that has begun is brought to its end */
    return read_line(install_help, argc, argv, 1, &code) ? install(optind < argc ? argv[optind] : NULL) : code;
}

int command_uninstall(int argc, char **argv)
{
    int code;
    cli_signals_setup();
    return read_line(uninstall_help, argc, argv, 0, &code) ? uninstall() : code;
}
