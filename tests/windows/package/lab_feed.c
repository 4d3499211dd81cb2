/* SPDX-License-Identifier: MIT */
/*
 * Frames for somebody else's program that watches the driver:
 *
 * lab_feed attach GUID          attaches an adapter with it; says "adapter: N"
 *          pass ADAPTER ROUNDS  in each round a Sync with the round as sequenceId is received, a Pdelay_Req sent
 *          detach ADAPTER
 *          end                  takes all adapters away; fails where the driver broke a rule of the kernel
 */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *running = "-";

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("FAIL %s: ", running);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    exit(1);
}

static int attach(const char *guid)
{
    struct lab_adapter_config config = plain_adapter(guid);
    lab_value(LAB_CALL_RESET, 0, 0);
    lab_name(guid);
    printf("adapter: %u\n", adapter_start(&config));
    return 0;
}

static int pass(UINT32 adapter, UINT16 rounds)
{
    for (UINT16 i = 0; i < rounds; i++) {
        struct frame sync = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, i, NULL, 0);
        struct frame request = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_PDELAY_REQ, i, NULL, 0);
        CHECK_SAME(pass_frame(adapter, LAB_TRAFFIC_RECEIVE, &sync), 1);
        CHECK_SAME(pass_frame(adapter, LAB_TRAFFIC_SEND, &request), 1);
    }
    printf("passed: %u\n", 2u * rounds);
    return 0;
}

static int detach(UINT32 adapter)
{
    lab_value(LAB_CALL_DETACH, adapter, 0);
    return 0;
}

static int end(void)
{
    lab_value(LAB_CALL_RESET, 0, 0);
    check_breaches();
    return 0;
}

static UINT32 number(const char *text)
{
    return (UINT32)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    running = argc > 1 ? argv[1] : "";
    if (!strcmp(running, "attach") && argc == 3)
        return attach(argv[2]);
    if (!strcmp(running, "pass") && argc == 4)
        return pass(number(argv[2]), (UINT16)number(argv[3]));
    if (!strcmp(running, "detach") && argc == 3)
        return detach(number(argv[2]));
    if (!strcmp(running, "end") && argc == 2)
        return end();
    fprintf(stderr, "lab_feed: what is to be done?\n");
    return 2;
}
