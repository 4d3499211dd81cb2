/* SPDX-License-Identifier: MIT */
/*
 * wine_client start NAME PATH | stop NAME     a driver's service
 *             case NAME                       one case: prints "ok NAME" or "FAIL NAME: why"
 *             alive                           the drivers' process answers
 *             hold                            an adapter for it, enables, maps, says "holding" and waits to be killed
 *             enable-again                    the same adapter, once its owner is gone
 *             crash                           ends the drivers' process by a fault
 *             nothing-held                    all is given back, without a breach: after the driver was unloaded
 *             forget                          the breaches so far: after a case that failed
 *             fail-nth N                      of what is started next; says how many calls there were since it was said
 * last ndis-version HEX                for what is started next
 */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    case_body *run;
} cases[] = {
#define CASE(name) {#name, case_##name},
#include "client_cases.def"
#undef CASE
};

static const char *running = "-";

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("FAIL %s: ", running);
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
    exit(1);
}

/* Nothing of the case is left in the driver, whatever it did. */
static int run_case(const char *name)
{
    size_t i = 0;
    while (i < sizeof cases / sizeof cases[0] && strcmp(cases[i].name, name))
        i++;
    if (i == sizeof cases / sizeof cases[0])
        return 2;
    running = name;
    lab_value(LAB_CALL_RESET, 0, 0);
    check_breaches();
    struct nt_lab_held before = held();
    cases[i].run();
    lab_value(LAB_CALL_RESET, 0, 0);
    CHECK_SAME(lab_value(LAB_CALL_OPENS, 0, 0).count, 0);
    check_held(&before);
    check_breaches();
    printf("ok %s\n", name);
    return 0;
}

static int nothing_held(void)
{
    static const struct nt_lab_held nothing;
    running = "nothing-held";
    check_held(&nothing);
    check_breaches();
    printf("ok %s\n", running);
    return 0;
}

/* A client that is killed from outside, and the one after it. */
static int hold(void)
{
    struct monitor monitor;
    struct lab_adapter_config config = plain_adapter(GUID_1);
    lab_value(LAB_CALL_RESET, 0, 0);
    adapter_start(&config);
    monitor_start(&monitor, device_open(GUID_1));
    printf("holding\n");
    fflush(stdout);
    Sleep(INFINITE);
    return 1;
}

static int enable_again(void)
{
    struct monitor monitor;
    running = "enable-again";
    HANDLE device = device_open(GUID_1);
    wait_for_owner_to_go(device);
    monitor_start(&monitor, device);
    monitor_end(&monitor, 1);
    CHECK_SAME(lab_value(LAB_CALL_RESET, 0, 0).count, 1);
    check_breaches();
    return 0;
}

static int report(const char *what, INT64 number, int failed)
{
    printf("%s: %lld\n", what, (long long)number);
    return failed;
}

static int service(const char *what, DWORD error)
{
    return report(what, (INT64)error, error != 0);
}

static int run(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : "";
    running = what;
    if (!strcmp(what, "helper"))
        return run_helper(argc - 2, argv + 2);
    if (!strcmp(what, "start") && argc == 4)
        return service(what, service_start(argument, argv[3]));
    if (!strcmp(what, "stop"))
        return service(what, service_stop(argument));
    if (!strcmp(what, "case"))
        return run_case(argument);
    if (!strcmp(what, "alive"))
        return !lab_is_there() || lab_value(LAB_CALL_OPENS, 0, 0).count < 0;
    if (!strcmp(what, "hold"))
        return hold();
    if (!strcmp(what, "enable-again"))
        return enable_again();
    if (!strcmp(what, "nothing-held"))
        return nothing_held();
    if (!strcmp(what, "crash"))
        return report(what, lab_value(LAB_CALL_CRASH, 0, 0).count, 1);
    if (!strcmp(what, "forget"))
        return report(what, lab_value(LAB_CALL_FORGET, 0, 0).count, 0);
    if (!strcmp(what, "fail-nth"))
        return report(what, lab_value(LAB_CALL_FAIL_NTH, 0, (UINT32)strtoul(argument, NULL, 10)).count, 0);
    if (!strcmp(what, "ndis-version"))
        return report(what, lab_value(LAB_CALL_NDIS_VERSION, 0, (UINT32)strtoul(argument, NULL, 16)).count, 0);
    return 2;
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);
    if (status == 2)
        fprintf(stderr, "wine_client: what is to be done?\n");
    return status;
}
